#!/usr/bin/python3
"""A thousand transfers at once by one client of many sockets: all byte-identical, what one costs in memory, and that nothing
is left behind."""
import os
import resource
import select
import socket
import time

import tftplib
from tftplib import DATA, ERROR, OACK, Failed, Server, Tree, ack, fetch, parse, request

TRANSFERS = 1000
SIZE = 40_000
OPTIONS = [("blksize", "1024"), ("windowsize", "4"), ("timeout", "20")]
PATIENCE = 300.0  # for all of them together


class Fetch:
    """One transfer with blksize 1024 and windowsize 4, driven from outside."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.content, self.block, self.peer, self.done = bytearray(), 0, None, False
        self.begin()

    def begin(self):
        self.socket.sendto(request(self.name, OPTIONS), self.server)

    def on_readable(self):
        """Takes all packets that are there; acknowledges every fourth block, and the last."""
        while not self.done:
            try:
                raw, source = self.socket.recvfrom(2048)
            except BlockingIOError:
                return
            packet = parse(raw, source)
            if packet.op == ERROR:
                raise Failed(f"{self.name}: ERROR {packet.code} {packet.text!r}")
            if packet.op == OACK:
                self.peer = source
            elif packet.op == DATA and packet.block == self.block + 1:
                self._take(packet.data)

    def _take(self, data):
        self.block += 1
        self.content += data
        self.done = len(data) < 1024
        if self.done or self.block % 4 == 0:
            self.acknowledge()

    def acknowledge(self):
        self.socket.sendto(ack(self.block), self.peer)


def waiting(fetches, condition, again, seconds=PATIENCE):
    """Serves all sockets until `condition` holds for every fetch; what is still without news after a second does `again`."""
    poller, by_number = select.poll(), {}
    for one in fetches:
        by_number[one.socket.fileno()] = one
        poller.register(one.socket, select.POLLIN)
    end, quiet = time.monotonic() + seconds, 0
    left = {number for number, one in by_number.items() if not condition(one)}
    while left:
        if time.monotonic() > end:
            raise Failed(f"{len(left)} of {len(fetches)} transfers are not through after {seconds} s")
        ready = poller.poll(1000)
        quiet = 0 if ready else quiet + 1
        for number, _ in ready:
            by_number[number].on_readable()
            if condition(by_number[number]):
                left.discard(number)
        if quiet:
            for number in left:
                again(by_number[number])


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def round_of(server, contents):
    """All transfers open at once, then all to their end; returns memory and descriptors while they were open."""
    names = list(contents)
    fetches = [Fetch(server.address, names[i % len(names)]) for i in range(TRANSFERS)]
    try:
        # All have their OACK and none has acknowledged it: a thousand transfers are open.
        waiting(fetches, lambda one: one.peer is not None, Fetch.begin)
        held = server.memory(), descriptors(server)
        for one in fetches:
            one.acknowledge()
        waiting(fetches, lambda one: one.done, Fetch.acknowledge)
        for one in fetches:
            assert bytes(one.content) == contents[one.name], f"{one.name}: other bytes, {len(one.content)}"
        return held
    finally:
        for one in fetches:
            one.socket.close()


def test_a_thousand_transfers_at_once_are_byte_identical_and_leave_nothing_behind():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * TRANSFERS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * TRANSFERS), hard))
    with Tree() as tree:
        contents = {f"f{i}": tree.file(f"f{i}", SIZE + i) for i in range(10)}
        limits = {"transfers_per_client": 4 * TRANSFERS, "requests_per_second_per_client": 100_000,
                  "request_burst_per_client": 100_000}
        config = tree.config(limits=limits, instances=[
            {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}])
        with Server(arguments=["--config", config, "--log-level", "warning"]) as server:
            fetch(server.address, "f0")
            memory, open_before = server.memory(), descriptors(server)
            began = time.monotonic()
            held, open_during = round_of(server, contents)
            seconds = time.monotonic() - began
            assert open_during >= open_before + TRANSFERS, "they were not open at once"
            each = (held - memory) / TRANSFERS
            print(f"         {TRANSFERS} transfers of {SIZE} bytes in {seconds:.1f} s; {each / 1024:.1f} KiB resident and "
                  f"{(open_during - open_before) / TRANSFERS:.2f} descriptors for each while open")
            assert each < 64 * 1024, f"{each:.0f} bytes for each transfer"
            end = time.monotonic() + 90  # ports of ended transfers are kept for a while
            while (left := descriptors(server)) > open_before + 24 and time.monotonic() < end:
                time.sleep(0.2)
            assert left <= open_before + 24, f"{left} descriptors, {open_before} at the start"
            after_one = server.memory()
            round_of(server, contents)
            grown = server.memory() - after_one
            print(f"         resident: {memory >> 10} KiB at the start, {held >> 10} during, {after_one >> 10} after one round, "
                  f"{grown >> 10} more after the second; descriptors {open_before}, {open_during}, {left}")
            assert grown < 8 << 20, f"a second round left {grown} bytes more"
            assert server.stop() == 0


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
