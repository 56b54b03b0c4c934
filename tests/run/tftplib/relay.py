"""Losing packets on purpose, and worse."""
import contextlib
import heapq
import random
import select
import socket
import threading
import time


class Relay:
    """A relay on loopback that loses packets by a seeded choice: `address` is what clients ask instead of the server.

    `to_server` and `to_client` are the chances (0 to 1) that a packet is lost, `twice` that it comes two times, `late` that it
    is overtaken by others (it takes `late_by` seconds more). Each takes `delay` seconds. A packet that was damaged is one that is
    lost: UDP has a checksum. Counts in `passed` and `lost`. It exists because netem is not in every kernel; it also works for
    clients that we did not write."""

    def __init__(self, server, *, to_server=0.0, to_client=0.0, twice=0.0, late=0.0, late_by=0.005, delay=0.0,
                 seed=1):
        self.server, self.chances = server, (to_server, to_client)
        self.twice, self.late, self.late_by, self.delay = twice, late, late_by, delay
        self._under_way = []  # (when it arrives, number, socket, bytes, address)
        self._number = 0
        self.random = random.Random(seed)
        self.passed = self.lost = 0
        self._family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self._host = "::1" if ":" in server[0] else "127.0.0.1"

    def __enter__(self):
        self._front = self._socket()
        self.address = self._front.getsockname()[:2]
        self._ends = {}     # client address -> its pair
        self._by_fd = {}    # socket -> (pair, is it the side of the server?)
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._wake.send(b"x")
        self._thread.join()
        for end in [self._front, self._wake, self._woken, *self._by_fd]:
            end.close()

    def _socket(self):
        end = socket.socket(self._family, socket.SOCK_DGRAM)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        end.bind((self._host, 0))
        return end

    def _work(self):
        poller = select.poll()
        by_number = {}

        def watch(end):
            by_number[end.fileno()] = end
            poller.register(end, select.POLLIN)

        for end in (self._front, self._woken):
            watch(end)
        while True:
            for number, _ in poller.poll(self._deliver()):
                end = by_number[number]
                if end is self._woken:
                    return
                with contextlib.suppress(OSError):  # a peer that is gone answers by ICMP
                    raw, source = end.recvfrom(65536)
                    if end is self._front:
                        self._from_front(raw, source, watch)
                    else:
                        self._between(end, raw, source)

    def _from_front(self, raw, source, watch):
        if source not in self._ends:
            pair = {"up": self._socket(), "down": self._socket(), "client": source, "transfer": None}
            self._ends[source] = pair
            for side in ("up", "down"):
                self._by_fd[pair[side]] = (pair, side == "up")
                watch(pair[side])
        self._pass(self._ends[source]["up"], raw, self.server, 0)

    def _between(self, end, raw, source):
        pair, from_server = self._by_fd[end]
        if from_server:
            pair["transfer"] = source
            self._pass(pair["down"], raw, pair["client"], 1)
        elif pair["transfer"] is not None:
            self._pass(pair["up"], raw, pair["transfer"], 0)

    def _pass(self, end, raw, to, direction):
        if self.random.random() < self.chances[direction]:
            self.lost += 1
            return
        self.passed += 1
        for _ in range(2 if self.random.random() < self.twice else 1):
            wait = self.delay + (self.late_by if self.late and self.random.random() < self.late else 0)
            if wait == 0:
                end.sendto(raw, to)
            else:
                self._number += 1
                heapq.heappush(self._under_way, (time.monotonic() + wait, self._number, end, raw, to))

    def _deliver(self):
        """Sends what has arrived; how many milliseconds until the next one does, or None."""
        while self._under_way:
            wait = self._under_way[0][0] - time.monotonic()
            if wait > 0:
                return max(1, int(wait * 1000))
            _, _, end, raw, to = heapq.heappop(self._under_way)
            with contextlib.suppress(OSError):
                end.sendto(raw, to)
        return None
