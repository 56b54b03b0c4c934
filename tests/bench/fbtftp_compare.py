#!/usr/bin/python3
"""fbtftp's own example server beside the same handlers under tftpkit: requests per second, MB per second, memory at 200 clients.

Needs a checkout of fbtftp, which is no part of this tree: its examples/server.py is run as it is, and once more by the plugin
python, moved as plugins/python/README.md tells. Every byte is checked; the rounds interleave.
"""
import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

from benchlib import report
from benchlib.processes import Server, family, free_port, load_command
from benchlib.rounds import Rounds, Spread
from benchlib.servers import Kind, tftpkit_config
from benchlib.works import Work, pattern

TOP = pathlib.Path(__file__).resolve().parents[2]
PYTHON = "/usr/bin/python3"  # the same for both
OLD, NEW = "fbtftp", "tftpkit"
KIB, TEN_MB, HELD_CLIENTS = 1024, 10_000_000, 200
PLUGIN = """

def plugin(settings):
    return StaticServer("::", 69, 5, 2, settings["root"], print_session_stats, print_server_stats)
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fbtftp", type=pathlib.Path, required=True, metavar="DIR", help="a checkout of github.com/facebook/fbtftp")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one work at one server")
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build")
    asked = parser.parse_args()
    if not (asked.fbtftp / "examples/server.py").is_file():
        parser.error(f"{asked.fbtftp} holds no examples/server.py")
    return asked


def works(seconds):
    return [
        Work("requests", "1 KiB, 50 clients", KIB, 50, 1428, seconds=seconds),
        Work("lockstep1", "10 MB at 1428, 1 client", TEN_MB, 1, 1428, seconds=seconds),
        Work("lockstep10", "10 MB at 1428, 10 clients", TEN_MB, 10, 1428, seconds=seconds),
        Work("window16", "10 MB at 1428, window 16, 1 client", TEN_MB, 1, 1428, 16, seconds=seconds),
    ]


def moved(directory, place):
    """The example's script for the plugin: other imports, and the function that makes its server."""
    text = (directory / "examples/server.py").read_text(encoding="utf-8")
    script = place.parent / "moved.py"
    script.write_text(re.sub(r"^from fbtftp", "from tftpkit.fbtftp", text, flags=re.M) + PLUGIN, encoding="utf-8")
    script.chmod(0o644)
    return script


def as_it_is(directory):
    def start(_, place):
        port = free_port()
        command = [PYTHON, directory / "examples/server.py", "--ip", "127.0.0.1", "--port", port, "--root", place]
        return Server(command, ("127.0.0.1", port), environment={"PYTHONPATH": str(directory.resolve())})
    return start


def under_tftpkit(directory):
    def start(work, place):
        port = free_port()
        config = tftpkit_config(place, port, work, 0)
        config["instances"] = [{"name": "images", "plugin": "python", "settings": {
            "script": str(moved(directory, place)), "settings": {"root": str(place)}}}]
        file = place.parent / "tftpkit.json"
        file.write_text(json.dumps(config), encoding="ascii")
        return Server([os.environ["TFTPKIT"], "serve", "--config", file], ("127.0.0.1", port))
    return start


def proportional(pid):
    """Bytes in memory that are this process's own, and its share of what it has in common with others."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
    return int(found[1]) * 1024 if found else 0


def memory(kind, place):
    """MB of the server with all its processes: without a transfer, and while so many wait for their next block."""
    work = Work("hold", "", TEN_MB, HELD_CLIENTS, 1428, transfers=HELD_CLIENTS, seconds=120, patience=30.0).served_from(place)
    with kind.start(work, place) as server:
        time.sleep(0.5)
        idle = sum(map(proportional, family(server.pid)))
        with subprocess.Popen(load_command(os.environ["BENCH_LOAD"], server, work) + ["--hold"], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as clients:
            said = clients.stdout.readline().strip()
            held = sum(map(proportional, family(server.pid)))
            processes = len(family(server.pid))
            clients.kill()
    if said != "held":
        raise RuntimeError(f"{kind.name}: {HELD_CLIENTS} transfers could not be opened at once: {said}")
    return idle / 1e6, held / 1e6, processes


def line(rounds, work, figure, title):
    """One figure of one work; the ratio is made round by round."""
    old, new = (rounds.figure(work.key, server, figure) for server in (OLD, NEW))
    ratios = Spread(new[number] / old[number] for number in new if old.get(number))
    also = " (lockstep: it knows no windows)" if work.windowsize > 1 else ""
    return (f"| {work.title}: {title} | {Spread(old.values()).text('{:.1f}')}{also} | {Spread(new.values()).text('{:.1f}')} | "
            f"{ratios.text()} |")


def table(rounds, chosen, held):
    rows = ["| figure | fbtftp | the same handlers under tftpkit | ratio |", "|---|---|---|---|"]
    for work in chosen:
        if work.key == "requests":
            rows.append(line(rounds, work, "transfers_per_second", "requests/s"))
            rows.append(line(rounds, work, "cpu_us_per_transfer", "server CPU, us each"))
        else:
            rows.append(line(rounds, work, "mb_per_second", "MB/s"))
            rows.append(line(rounds, work, "cpu_us_per_block", "server CPU, us per block"))
    for at, what in enumerate(("MB in memory, idle", f"MB in memory, {HELD_CLIENTS} transfers open")):
        old, new = held[OLD][at], held[NEW][at]
        rows.append(f"| {what} | {old:.1f} | {new:.1f} | {new / old:.2f} |")
    rows.append(f"| processes then | {held[OLD][2]} | {held[NEW][2]} | |")
    return "\n".join(rows)


def main():
    asked = arguments()
    for name, file in {"TFTPKIT": "tools/tftpkit", "BENCH_LOAD": "tests/bench/load"}.items():
        os.environ.setdefault(name, str(asked.build / file))
    kinds = [Kind(OLD, as_it_is(asked.fbtftp)), Kind(NEW, under_tftpkit(asked.fbtftp), windows=True)]
    with tempfile.TemporaryDirectory(prefix="tftpkit-fbtftp-") as folder:
        os.chmod(folder, 0o755)
        place = pathlib.Path(folder).resolve() / "root"
        place.mkdir()
        for name, size in {f"file-{KIB}": KIB, f"file-{TEN_MB}": TEN_MB, "probe": 5}.items():
            (place / name).write_bytes(pattern(size))
        chosen = works(asked.seconds)
        rounds = Rounds(place, kinds)
        rounds.run(chosen, asked.rounds, lambda kind, work: True)
        if rounds.skipped or any(one.complaint for one in rounds.samples):
            sys.exit(f"not measured: {rounds.skipped or [one.complaint for one in rounds.samples if one.complaint]}")
        held = {kind.name: memory(kind, place) for kind in kinds}
    print(f"Machine: {report.machine_text(report.machine())}.")
    words = ["DIR" if word == str(asked.fbtftp) else word for word in sys.argv[1:]]
    print(f"Command: `tests/bench/fbtftp_compare.py {shlex.join(words)}`.\n")
    print(table(rounds, chosen, held))


if __name__ == "__main__":
    main()
