#!/usr/bin/python3
"""A plugin is replaced 200 times while 200 clients load from it: nothing fails, nothing is mixed, nothing is left behind."""
import contextlib
import json
import os
import re
import selectors
import socket
import subprocess
import threading
import time

import tftplib
from tftplib import DATA, Server, Tree, ack, binary, drop_in, generation, generation_of, parse, request

CLIENTS = 200
REPLACEMENTS = 200
WARM_UP = 10           # replacements before the first measure: caches fill, arenas are made
PATIENCE = 1.0         # seconds, then a client repeats its last packet


class Loader:
    """One client that fetches again and again. It judges every content when it is whole."""

    def __init__(self, crowd, number):
        self.crowd, self.name = crowd, str(700 + 37 * (number % 50))  # two to five blocks
        self.socket, self.address = None, f"127.0.71.{1 + number}"
        self.begin()

    def begin(self):
        """A request from a new port, as a machine that boots would send."""
        if self.socket is not None:
            self.crowd.selector.unregister(self.socket)
            self.socket.close()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # An address for each: ports are used up so fast here that what is late for one would find another at its port.
        self.socket.bind((self.address, 0))
        self.socket.setblocking(False)
        self.crowd.selector.register(self.socket, selectors.EVENT_READ, self)
        self.to, self.content, self.block = self.crowd.address, b"", 0
        self.oldest = self.crowd.current
        self.send(request(self.name))

    def send(self, raw):
        self.last, self.due = raw, time.monotonic() + PATIENCE
        self.socket.sendto(raw, self.to)

    def on_readable(self):
        raw, source = self.socket.recvfrom(2048)
        packet = parse(raw)
        if packet.op != DATA:
            self.crowd.failures.append(f"{self.name}: {packet.code} {packet.text}")
            return self.crowd.restart(self)
        if packet.block != self.block + 1:
            return None
        self.to, self.block, self.content = source, packet.block, self.content + packet.data
        self.send(ack(self.block))
        return self.end() if len(packet.data) < 512 else None

    def end(self):
        made_by = generation_of(self.content)
        if len(self.content) != int(self.name) or made_by is None:
            self.crowd.failures.append(f"{self.name}: {len(self.content)} bytes, mixed or foreign: {self.content[:60]!r}")
        elif not self.oldest <= made_by <= self.crowd.newest:
            self.crowd.failures.append(f"{self.name}: generation {made_by}, not {self.oldest} to {self.crowd.newest}")
        self.crowd.done += 1
        self.crowd.seen.add(made_by)
        self.crowd.restart(self)


class Crowd:
    """All clients, in one thread. `current` is a generation that surely serves, `newest` one that may serve already."""

    def __init__(self, address):
        self.address, self.current, self.newest = address, 0, 0
        self.failures, self.done, self.seen = [], 0, set()
        self.selector = selectors.DefaultSelector()
        self.stopping = False
        self.busy = set()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()

    def restart(self, loader):
        if not self.stopping:
            return loader.begin()
        self.selector.unregister(loader.socket)
        loader.socket.close()
        self.busy.discard(loader)
        return None

    def run(self):
        self.busy = {Loader(self, number) for number in range(CLIENTS)}
        looked = time.monotonic()
        while self.busy:
            for key, _ in self.selector.select(0.1):
                key.data.on_readable()
            if time.monotonic() - looked < PATIENCE / 4:
                continue
            looked = time.monotonic()
            for loader in [one for one in self.busy if one.due < looked]:
                loader.send(loader.last)


def descriptors(pid):
    """Those that are no sockets: ports of transfers that have ended are kept for the next ones."""
    count = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:")
    return count


def measure(pid):
    """Descriptors, threads, resident bytes, and how many of these are mapped generations (files of memory)."""
    mapped = maps = 0
    inside = False
    with open(f"/proc/{pid}/smaps", encoding="ascii", errors="replace") as file:
        for line in file:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                inside = "/memfd:" in line
                maps += inside
            elif inside and line.startswith("Rss:"):
                mapped += int(line.split()[1]) * 1024
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        resident = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))
    return {"descriptors": descriptors(pid), "threads": len(os.listdir(f"/proc/{pid}/task")),
            "resident": resident, "mapped": mapped, "maps": maps}


def listed(server):
    done = subprocess.run([binary(), "plugins", "list", "--control", server.control, "--json"], capture_output=True,
                          text=True, check=True, timeout=60)
    return next((one for one in json.loads(done.stdout) if one["name"] == "dropped"), {})


def settled(server):
    """Waits until the old generations have ended: one thread of the plugin is left. Then measures."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = listed(server)
        if now["draining"] == 0 and now["transfers"] == 0 and server.log_count("instance ended") >= now["generation"] - 1:
            return measure(server.process.pid)
        time.sleep(0.1)
    raise tftplib.Failed(f"the old generations do not end: {listed(server)}")


def replace(server, crowd, file, number):
    """One generation after the other; every tenth is written over the file in place."""
    crowd.newest = number
    if number % 10 == 0:
        file.write_bytes(generation(number))
    else:
        drop_in(file, generation(number))
    server.wait_until(lambda: server.log_count("instance started") > number, 30, f"generation {number}")
    crowd.current = number - 1  # `number` serves a moment later, when the workers have heard of it


def test_200_replacements_under_200_clients_fail_no_transfer_mix_no_content_and_leave_nothing_behind():
    with Tree() as tree:
        dropped = tree.path("plugins")
        dropped.mkdir()
        file = dropped / "dropped.so"
        drop_in(file, generation(0))
        config = tree.config(plugin_dirs=[str(dropped)], watch=True,
                             limits={"requests_per_second_per_client": 1000000, "request_burst_per_client": 1000000},
                             log={"level": "info"})
        with Server(arguments=["--config", config]) as server:
            crowd = Crowd(server.address)
            with crowd:
                for number in range(1, WARM_UP + 1):
                    replace(server, crowd, file, number)
            crowd.thread = threading.Thread(target=crowd.run)
            crowd.stopping = False
            first = settled(server)
            began = time.monotonic()
            with crowd:
                for number in range(WARM_UP + 1, WARM_UP + REPLACEMENTS + 1):
                    replace(server, crowd, file, number)
                took = time.monotonic() - began
            last = settled(server)
            state = listed(server)
        grown = {key: last[key] - first[key] for key in first}
        beyond = grown["resident"] - grown["mapped"]
        print(f"{REPLACEMENTS} replacements in {took:.1f} s, {crowd.done} transfers, {len(crowd.failures)} failed, "
              f"{len(crowd.seen)} generations seen")
        print(f"descriptors {first['descriptors']} -> {last['descriptors']}, threads {first['threads']} -> {last['threads']}, "
              f"resident +{grown['resident'] / 1e6:.1f} MB, mapped generations +{grown['mapped'] / 1e6:.1f} MB "
              f"({grown['maps']} mappings), beyond these {beyond / REPLACEMENTS / 1e3:.1f} kB each")
        assert not crowd.failures, crowd.failures[:10]
        assert state["generation"] == WARM_UP + REPLACEMENTS + 1 and state["serving"], state
        assert crowd.done > CLIENTS * 5 and len(crowd.seen) > REPLACEMENTS // 2
        assert last["descriptors"] <= first["descriptors"] and last["threads"] <= first["threads"], (first, last)
        # The dynamic linker's and our own words about a library: what it is called, where it lies.
        assert beyond < REPLACEMENTS * 40_000, (first, last)


if __name__ == "__main__":
    tftplib.main(globals())
