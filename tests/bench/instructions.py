#!/usr/bin/python3
"""The guard that does not time: instructions of the server (user mode, all threads) for one transfer of (a), one block of (c)
and one block of (e), counted by valgrind and held against instructions.json. `--record` writes new bounds.

Each figure is the difference between a long and a short run, so that start and end of the server do not count."""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from benchlib import works
from benchlib.processes import Server, load_command
from benchlib.servers import tftpkit
from benchlib.works import Work

BOUNDS = pathlib.Path(__file__).with_name("instructions.json")
HEAD_ROOM = 1.2  # batches of packets are larger or smaller from run to run
SHORT, LONG = 256 << 10, 1 << 20


def block_works(key, blksize, window):
    return [Work(key, "", size, 1, blksize, window, transfers=4, seconds=120, patience=20.0) for size in (SHORT, LONG)], \
        4 * (LONG // blksize - SHORT // blksize)


# figure -> (short and long work, how many more transfers or blocks the long one has)
PAIRS = {
    "a_per_transfer": ([Work("a", "", works.SMALL, 8, transfers=count, seconds=120, patience=20.0)
                        for count in (100, 500)], 400),
    "c_per_block": block_works("c", 512, 1),
    "e_per_block": block_works("e32x1", 1428, 32),
}


def instructions(work, place):
    """Of one server process that does this work."""
    with tempfile.TemporaryDirectory() as folder:
        room = pathlib.Path(folder) / "root"
        room.symlink_to(place)
        plain = tftpkit(1)(work, room)
        said = pathlib.Path(folder) / "valgrind"
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
                   f"--log-file={said}", *plain.command]
        preload = {"LD_PRELOAD": os.environ["BENCH_OWN_BINARY"], "OWN_BINARY": os.environ["TFTPKIT"]}
        with Server(command, plain.address, environment=preload, start_limit=60.0) as server:
            done = subprocess.run(load_command(os.environ["BENCH_LOAD"], server, work), capture_output=True, text=True,
                                  check=False)
        if done.returncode != 0:
            sys.exit(f"FAILED   the transfers did not come to their end: {done.stdout}{done.stderr}")
        return int(re.search(r"I\s+refs:\s+([\d,]+)", said.read_text(encoding="utf-8")).group(1).replace(",", ""))


def measured():
    with tempfile.TemporaryDirectory(prefix="tftpkit-bench-") as folder:
        place = pathlib.Path(folder) / "root"
        place.mkdir()
        for size in (works.SMALL, SHORT, LONG):
            (place / f"file-{size}").write_bytes(works.pattern(size))
        (place / "probe").write_bytes(b"probe")
        time.sleep(works.SETTLED)
        runs = [(figure, work.served_from(place)) for figure, (pair, _) in PAIRS.items() for work in pair]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            counts = list(pool.map(lambda run: instructions(run[1], place), runs))
    return {figure: (counts[2 * at + 1] - counts[2 * at]) / PAIRS[figure][1] for at, figure in enumerate(PAIRS)}


def main():
    if shutil.which("valgrind") is None:
        print("skipped: missing valgrind")
        sys.exit(77)
    figures = measured()
    if "--record" in sys.argv:
        BOUNDS.write_text(json.dumps({name: round(value * HEAD_ROOM) for name, value in figures.items()}, indent=1) + "\n",
                          encoding="utf-8")
    bounds = json.loads(BOUNDS.read_text(encoding="utf-8"))
    worst = 0
    for name, value in figures.items():
        over = value > bounds[name]
        worst = max(worst, over)
        print(f"{'FAILED  ' if over else 'ok      '} {name}: {value:.0f} instructions, at most {bounds[name]}")
    if worst:
        print("A change that is worth its instructions records new bounds: tests/bench/instructions.py --record")
    sys.exit(worst)


if __name__ == "__main__":
    main()
