"""The goals: which figure against which, from the samples of one run."""
import dataclasses

from .rounds import Spread

OURS, OWN, BATCHED, GSO = "tftpkit", "floor, own sockets", "floor, batched", "floor, GSO"


@dataclasses.dataclass
class Row:
    figure: str
    goal: float
    at_most: bool         # else at least
    value: Spread = None  # none: not measured
    note: str = ""
    unit: str = ""

    @property
    def reached(self):
        if self.value is None:
            return None
        return self.value.median <= self.goal if self.at_most else self.value.median >= self.goal


def ratio(above, below):
    """Round by round, of what both have."""
    both = [above[number] / below[number] for number in sorted(set(above) & set(below)) if below[number]]
    return Spread(both) if both else None


def best_peer(rounds, work, figure, least):
    """{round: the best value of any peer}, and who had the best median."""
    peers = {kind.name: rounds.figure(work, kind.name, figure) for kind in rounds.kinds
             if not kind.ours and not kind.floor}
    peers = {name: values for name, values in peers.items() if values}
    if not peers:
        return {}, "no peer"
    choose = min if least else max
    who = choose(peers, key=lambda name: Spread(peers[name].values()).median)
    return peers[who], who


def against(rounds, title, work, figure, other, goal, at_most):
    return Row(title, goal, at_most, ratio(rounds.figure(work, OURS, figure), rounds.figure(work, other, figure)),
               other)


def against_best(rounds, title, work, figure, goal, at_most):
    peer, who = best_peer(rounds, work, figure, at_most)
    return Row(title, goal, at_most, ratio(rounds.figure(work, OURS, figure), peer), who)


def rows(rounds, extra):
    """`extra`: what was measured beside the rounds (memory, start)."""
    block, per_transfer, per_mb, speed = ("cpu_us_per_block", "cpu_us_per_transfer", "cpu_ms_per_mb", "mb_per_second")
    table = [against(rounds, f"({work}) CPU per block, against the floor with own sockets", work, block, OWN, 1.10, True)
             for work in ("c", "d1", "d50")]
    table += [against(rounds, f"({work}) CPU per MB, against the GSO floor", work, per_mb, GSO, 1.25, True)
              for work in ("e32x1", "e32x10")]
    table += [against_best(rounds, f"({work}) MB/s, against the best peer", work, speed, 5, False)
              for work in ("e16x1", "e16x10")]
    table.append(against_best(rounds, "(c) CPU per block, against the best peer", "c", block, 0.88, True))
    table.append(against(rounds, "(a) transfers/s, against the floor with own sockets", "a", "transfers_per_second", OWN,
                         0.85, False))
    table += [against_best(rounds, f"({work}) CPU per transfer, against the best peer", work, per_transfer, 0.9, True)
              for work in ("a", "b")]
    table += [against(rounds, "(a) transfers/s, against a peer", "a", "transfers_per_second", peer, 3, False)
              for peer in ("tftp-hpa", "atftpd", "rs-tftpd") if rounds.of("a", peer)]
    table.append(Row("(f) CPU per block, 10,000 clients against 100", 1.15, True,
                     ratio(rounds.figure("f10000", OURS, block), rounds.figure("f100", OURS, block)), "itself"))
    memory = extra.get("memory", [])
    table += [Row(f"resident bytes per open transfer beyond its window, {one['transfers']} open, {one['terms']}", 4096,
                  True, Spread([one["bytes_each"]]), "", "B") for one in memory]
    table.append(Row("(g) transfers/s, executor against INLINE", 0.7, False,
                     ratio(rounds.figure("g-executor", OURS, "transfers_per_second"),
                           rounds.figure("g-inline", OURS, "transfers_per_second")), "itself"))
    if extra.get("start_ms"):
        table.append(Row("start to first byte, ms", 50, True, Spread(extra["start_ms"]), "", "ms"))
    return table
