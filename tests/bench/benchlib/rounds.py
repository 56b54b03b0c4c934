"""Interleaved rounds: in each, every work is done by every server in turn, so that a slow minute of the machine hits all."""
import dataclasses
import os
import statistics
import sys

from .processes import Unusable, load

MB = 1e6


@dataclasses.dataclass
class Sample:
    """One work done once by one server."""
    work: str
    server: str
    round: int
    lockstep: bool  # the work asks for a window, this server knows none
    transfers: int
    blocks: int
    bytes: int
    seconds: float
    cpu: float
    ms_median: float
    ms_most: float
    repeated: int
    complete: bool
    complaint: str

    @property
    def figures(self):
        moved = self.block_bytes / MB
        return {"transfers_per_second": self.transfers / self.seconds, "mb_per_second": moved / self.seconds,
                "cpu_us_per_block": 1e6 * self.cpu / max(self.blocks, 1),
                "cpu_us_per_transfer": 1e6 * self.cpu / max(self.transfers, 1),
                "cpu_ms_per_mb": 1e3 * self.cpu / moved if moved else 0.0,
                "cpu_share": self.cpu / self.seconds, "ms_median": self.ms_median}

    block_bytes: int = 0  # payload of all blocks that came in order


class Rounds:
    def __init__(self, place, kinds, say=lambda text: print(text, file=sys.stderr, flush=True)):
        self.place, self.kinds, self.say = place, list(kinds), say
        self.samples, self.skipped = [], {}

    def run(self, works, count, suits):
        for number in range(count):
            for work in works:
                turn = [kind for kind in self.kinds if suits(kind, work)]
                for kind in turn[number % max(len(turn), 1):] + turn[:number % max(len(turn), 1)]:
                    self._one(kind, work.served_from(self.place), number)

    def _one(self, kind, work, number):
        if kind.name in self.skipped:
            return
        asked = work if kind.windows else work.lockstep()
        try:
            with kind.start(asked, self.place) as server:
                got = load(os.environ["BENCH_LOAD"], server, asked)
        except Unusable as reason:
            self.skipped[kind.name] = str(reason)
            self.say(f"  skipped: {kind.name}: {reason}")
            return
        sample = Sample(work.key, kind.name, number, asked != work, got["transfers"], got["blocks"], got["bytes"],
                        got["seconds"], got["cpu"], got["ms_median"], got["ms_most"], got["repeated"],
                        got["complete"], got["complaint"])
        sample.block_bytes = min(got["blocks"] * asked.blksize, got["bytes"] + got["blocks"] * asked.blksize)
        if work.size and work.size < asked.blksize:
            sample.block_bytes = got["bytes"]
        self.samples.append(sample)
        figures = sample.figures
        self.say(f"  {number + 1}  {work.key:<11} {kind.name:<20} {figures['transfers_per_second']:>9.1f} transfers/s "
                 f"{figures['mb_per_second']:>8.1f} MB/s  CPU {figures['cpu_us_per_block']:>7.2f} us/block "
                 f"{figures['cpu_share']:>5.2f}" + (f"  {sample.complaint}" if sample.complaint else ""))

    def of(self, work, server):
        return [one for one in self.samples if (one.work, one.server) == (work, server) and not one.complaint]

    def figure(self, work, server, name):
        """{round: value}"""
        return {one.round: one.figures[name] for one in self.of(work, server) if one.blocks or one.transfers}


class Spread:
    """The median of some rounds, with the least and the most."""

    def __init__(self, values):
        values = list(values)
        self.median, self.least, self.most = statistics.median(values), min(values), max(values)
        self.count = len(values)

    def text(self, form="{:.2f}"):
        return form.format(self.median) + f" ({form.format(self.least)} to {form.format(self.most)})"

    def as_json(self):
        return {"median": self.median, "min": self.least, "max": self.most, "rounds": self.count}
