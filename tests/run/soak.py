#!/usr/bin/python3
"""A mixed load for as long as is wanted: files of real sizes, windows, misses, aborts, probes, losses, reloads, plugins replaced.
Prints descriptors, memory and threads over time, and fails when they are not flat, or a byte is wrong.

    tools/dev soak --minutes 60
"""
import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time

import tftplib
from tftplib import Client, Failed, Relay, Server, Tree, drop_in, fetch, generation, generation_of

# Configurations, loaders, kernels, an initrd; and what people ask for that is not there.
SIZES = {"menu.cfg": 900, "pxelinux.0": 42_000, "grub.efi": 1_000_000, "vmlinuz": 6_000_000, "initrd": 12_000_000, "empty": 0}
WEIGHTS = {"menu.cfg": 30, "pxelinux.0": 20, "grub.efi": 6, "vmlinuz": 2, "initrd": 1, "empty": 5, "missing": 20, "abort": 10,
           "probe": 8, "junk": 5, "dropped": 12, "loss": 4}
OPTIONS = ((), (("blksize", "1428"),), (("blksize", "1428"), ("windowsize", "4")), (("blksize", "8192"), ("windowsize", "16")),
           (("tsize", "0"), ("blksize", "1024")), (("blksize", "512"), ("windowsize", "64")))
WORKERS = 8
CROWD = 5
SETTLED = 0.2  # the share of the time after which a server should have all that it will ever need
GROWTH = 4 << 20  # bytes that may come on top of it: what a crowd of large windows holds for a moment
COPY = 64 << 10  # of each plugin file that was in use: its code stays in memory for ever (core/host)
MORE_DESCRIPTORS = 80


class Soak:
    def __init__(self, tree, server, plugins):
        self.tree, self.server, self.plugins = tree, server, plugins
        self.contents = {name: tree.file(name, size) for name, size in SIZES.items()}
        self.stop = threading.Event()
        self.counts = dict.fromkeys([*WEIGHTS, "reloads", "replacements"], 0)
        self.lock = threading.Lock()
        self.problems = []
        self.newest = 1

    def work(self, seed):
        source = random.Random(seed)
        while not self.stop.is_set() and not self.problems:
            what = source.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            try:
                self.one(what, source)
            except (Failed, AssertionError, OSError) as problem:
                self.problems.append(f"{what}: {problem}")
            with self.lock:
                self.counts[what] += 1

    def one(self, what, source):
        options = source.choice(OPTIONS)
        address = self.server.address
        if what in self.contents:
            got = fetch(address, what, options, patience=3).content
            assert got == self.contents[what], f"{len(got)} bytes, not {len(self.contents[what])}, or others"
        elif what == "loss":
            # One of its own: a relay keeps two sockets for each client to its end.
            with Relay(address, to_server=0.05, to_client=0.05, twice=0.02, seed=source.random()) as relay:
                got = fetch(relay.address, "pxelinux.0", options, patience=1).content
            assert got == self.contents["pxelinux.0"], f"by a way with losses: {len(got)} bytes or others"
        elif what == "dropped":
            before = self.newest
            number = generation_of(fetch(address, "4000", options, patience=5).content)
            assert number is not None and number >= before - 1, f"generation {number}, {before} was there already"
        else:
            self.odd(what, source, options)

    def odd(self, what, source, options):
        with Client(self.server.address) as client:
            if what == "junk":
                client.send(source.randbytes(source.randrange(600)))
                return
            client.rrq("missing" if what == "missing" else "grub.efi", options or (("tsize", "0"),))
            packet = client.receive(30)
            if what == "missing":
                assert packet.op == tftplib.ERROR and packet.code == 1, packet
            elif what == "abort" and source.random() < 0.5:
                client.ack(0)
                client.receive(30)
                client.error(0, "enough")
            elif what == "probe":
                client.error(8, "only the size")
            # Half of those that abort just go away: their socket closes.

    def change(self):
        """Reloads and replacements, one every other second."""
        turn = 0
        while not self.stop.wait(2):
            turn += 1
            if turn % 2:
                self.server.reload()
                self.counts["reloads"] += 1
            else:
                drop_in(self.plugins / "dropped.so", generation(self.newest + 1))
                self.newest += 1
                self.counts["replacements"] += 1


def resident(server):
    """Bytes: (of the plugins' copies in memory, of all the rest)."""
    copies = rest = 0
    with open(f"/proc/{server.process.pid}/smaps", encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if not words[0].endswith(":"):
                is_copy = "/memfd:" in line
            elif words[0] == "Rss:" and is_copy:
                copies += int(words[1]) * 1024
            elif words[0] == "Rss:":
                rest += int(words[1]) * 1024
    return copies, rest


def state_of(server):
    copies, rest = resident(server)
    return {"descriptors": len(os.listdir(f"/proc/{server.process.pid}/fd")), "memory": rest, "copies": copies,
            "threads": len(os.listdir(f"/proc/{server.process.pid}/task"))}


def watch(soak, seconds):
    """A line now and then; the states in the time after the beginning."""
    began, states, step = time.monotonic(), [], min(60.0, max(2.0, seconds / 30))
    print("   seconds  transfers  descriptors    MiB  of copies  replacements  threads", flush=True)
    while (passed := time.monotonic() - began) < seconds and not soak.problems:
        time.sleep(min(step, seconds - passed))
        state = state_of(soak.server)
        passed = time.monotonic() - began
        states.append((passed, state))
        state["replacements"] = soak.counts["replacements"]
        print(f"  {passed:8.0f} {sum(soak.counts.values()):10} {state['descriptors']:12} {state['memory'] / 2**20:6.2f} "
              f"{state['copies'] / 2**20:10.2f} {state['replacements']:13} {state['threads']:8}", flush=True)
    return [state for passed, state in states if passed > seconds * SETTLED]


def is_flat(states):
    """The second half of the settled time against its first half, by their medians."""
    half = len(states) // 2
    if half < 2:
        raise Failed("too short to say anything: give it more minutes")
    complaints = []
    for what, more in (("descriptors", MORE_DESCRIPTORS), ("memory", GROWTH), ("threads", 2)):
        first, second = ([state[what] for state in part] for part in (states[:half], states[half:]))
        middle = [sorted(part)[len(part) // 2] for part in (first, second)]
        if middle[1] - middle[0] > more:
            complaints.append(f"{what} grew from {middle[0]} to {middle[1]}")
    first, last = states[0], states[-1]
    each = (last["copies"] - first["copies"]) / max(1, last["replacements"] - first["replacements"])
    if each > COPY:
        complaints.append(f"each replacement left {each:.0f} bytes behind")
    return complaints


def crowd(tree, server, seconds):
    """The load program of tests/bench beside: many clients that do nothing but load."""
    path = os.environ.get("LOAD") or os.path.join(os.path.dirname(tftplib.binary()), "..", "tests", "bench", "load")
    return subprocess.Popen([path, "--port", str(server.port), "--name", "pxelinux.0", "--content",
                             str(tree.root / "pxelinux.0"), "--clients", str(CROWD), "--blksize", "1428", "--windowsize", "4",
                             "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True)


def run(minutes):
    with Tree() as tree:
        plugins = tree.base / "plugins"
        plugins.mkdir(mode=0o755)
        drop_in(plugins / "dropped.so", generation(1))
        files = {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}
        config = tree.config(plugin_dirs=[str(plugins)], watch=True, instances=[files, {"name": "dropped", "plugin": "dropped"}],
                             routes=[{"match": "4000", "to": "dropped"}, {"to": "files"}],
                             limits={"requests_per_second_per_client": 1_000_000, "request_burst_per_client": 1_000_000})
        with Server(arguments=["--config", config]) as server:
            soak = Soak(tree, server, plugins)
            threads = [threading.Thread(target=soak.work, args=(seed,)) for seed in range(WORKERS)]
            threads.append(threading.Thread(target=soak.change))
            for thread in threads:
                thread.start()
            try:
                with crowd(tree, server, minutes * 60) as many:
                    states = watch(soak, minutes * 60)
                    served = json.loads(many.communicate(timeout=120)[0])
            finally:
                soak.stop.set()
                for thread in threads:
                    thread.join()
            assert not served["complaint"], served
            assert not soak.problems, "\n".join(soak.problems[:5]) + "\n" + server.log[-3000:]
            tftplib.eventually(lambda: server.counters()["open_transfers"] == 0, "every transfer to end", 90)
            print(f"  the crowd: {served['transfers']} transfers of {CROWD} clients, 99 % within "
                  f"{served['ms_99']:.0f} ms")
            print("  " + ", ".join(f"{what} {count}" for what, count in soak.counts.items()))
            complaints = is_flat(states)
            assert not complaints, complaints
            assert server.stop() == 0
    print("  flat: descriptors, memory and threads")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    try:
        run(parser.parse_args().minutes)
    except AssertionError as problem:
        sys.exit(f"soak: {problem}")


if __name__ == "__main__":
    tftplib.binary()
    main()
