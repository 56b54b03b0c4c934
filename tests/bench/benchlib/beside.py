"""What is measured beside the rounds: memory of open transfers, the start, and what one block more costs."""
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .processes import Server, Unusable, load_command
from .servers import tftpkit
from .works import HELD, Work

SETTLE = 8.0  # seconds after which idle memory should have been given back


def memory(place, counts):
    """Opens so many transfers, looks at the server, lets them all go on to their end, looks again."""
    found = []
    for count, blksize, window in counts:
        work = Work("hold", "", HELD, count, blksize, window, transfers=count, seconds=240, patience=15.0)
        try:
            found.append(_hold(work.served_from(place), place))
        except RuntimeError as reason:
            print(f"  not measured: {reason}", file=sys.stderr)
    return found


def _hold(work, place):
    warm = dataclasses.replace(work, clients=50, transfers=50)
    with tftpkit(0)(work, place) as server:
        subprocess.run(load_command(os.environ["BENCH_LOAD"], server, warm), stdout=subprocess.DEVNULL, check=True)
        before, descriptors = server.resident(), server.descriptors()
        clients = subprocess.Popen(load_command(os.environ["BENCH_LOAD"], server, work) + ["--hold"], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        said = clients.stdout.readline().strip()
        if said != "held":
            clients.communicate("")
            raise RuntimeError(f"{work.clients} transfers could not be opened at once: {said}")
        held, open_now = server.resident() - before, server.descriptors() - descriptors
        said, _ = clients.communicate("")
        if clients.returncode != 0:
            raise RuntimeError(f"{work.clients} transfers did not come to their end: {said}")
        time.sleep(SETTLE)
        left = server.resident() - before
    each, window = held / work.clients, work.blksize * work.windowsize
    return {"transfers": work.clients, "terms": f"{work.blksize}/{work.windowsize}", "bytes_all": each,
            "bytes_each": each - window, "descriptors_each": open_now / work.clients, "left_kib": left / 1024}


def start_ms(place, rounds):
    """From the start of the process to its first answer."""
    work = Work("start", "", 400, 1).served_from(place)
    times = []
    for _ in range(rounds):
        with tftpkit(0)(work, place) as server:
            times.append(server.first_byte * 1000)
    return times


# ------------------------------------------------------------------ what one block more costs
TERMS = ((512, 1), (1428, 1), (1428, 32))
SIZES = (2 << 20, 10 << 20)


def steady(place):
    """Allocations and system calls of a long transfer less those of a short one, for each block of the difference."""
    (place / f"file-{SIZES[0]}").write_bytes((place / f"file-{SIZES[1]}").read_bytes()[:SIZES[0]])
    rows = []
    for blksize, window in TERMS:
        works = [Work("steady", "", size, 1, blksize, window, transfers=1, seconds=60).served_from(place)
                 for size in SIZES]
        blocks = SIZES[1] // blksize - SIZES[0] // blksize
        short, long = (_allocations(work, place) for work in works)
        row = {"terms": f"{blksize}/{window}", "allocations": f"{(long - short) / blocks:.4f}", "calls": "-", "which": ""}
        if shutil.which("strace"):
            short, long = (_system_calls(work, place) for work in works)
            more = {name: (long.get(name, 0) - short.get(name, 0)) / blocks for name in long}
            row["calls"] = f"{sum(more.values()):.3f}"
            row["which"] = ", ".join(f"{name} {count:.3f}" for name, count in sorted(more.items(), key=lambda one: -one[1])
                                     if count >= 0.001)
        rows.append(row)
    return rows


def _run_once(work, place, prefix=(), environment=None):
    start = tftpkit(1)
    plain = start(work, place)
    server = Server([*prefix, *plain.command], plain.address, environment=environment)
    with server:
        done = subprocess.run(load_command(os.environ["BENCH_LOAD"], server, work), capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise Unusable(f"the transfer failed: {done.stdout}{done.stderr}")


def _allocations(work, place):
    with tempfile.TemporaryDirectory() as folder:
        count = Path(folder) / "count"
        _run_once(work, place, environment={"LD_PRELOAD": os.environ["BENCH_COUNT"], "COUNT_FILE": str(count)})
        return int(count.read_text(encoding="ascii"))


def _system_calls(work, place):
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "calls"
        _run_once(work, place, prefix=("strace", "-f", "-c", "-o", str(table)))
        lines = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", table.read_text(encoding="ascii"),
                           re.MULTILINE)
        return {name: int(count) for count, name in lines if name != "total"}
