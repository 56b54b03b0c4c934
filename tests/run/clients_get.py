#!/usr/bin/python3
"""`tftpkit get` as a client: every window, loss, servers without options, netascii; and its speed."""
import threading
import time

import tftplib
from tftplib import Relay, Server, Tree, binary, run

WINDOWS = (1, 2, 3, 5, 8, 16, 33, 64)


def get(address, name, out, *options, seconds=60, check=True):
    """Runs `tftpkit get` and returns what it said."""
    out.unlink(missing_ok=True)
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    return run([binary(), "get", f"tftp://{host}:{address[1]}/{name}", "-o", out, *options], seconds=seconds, check=check)


class PlainServer:
    """The oldest of servers: no options, lockstep, a new port for each transfer, sends again after a second."""

    def __init__(self, content):
        self.content, self.requests = content, []

    def __enter__(self):
        self._front = tftplib.Client(("127.0.0.1", 9), local=("127.0.0.1", 0))
        self.address = ("127.0.0.1", self._front.port)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        self._front.socket.close()

    def _work(self):
        while not self._over.is_set():
            packet = self._front.poll(0.1)
            if packet is not None and packet.op == tftplib.RRQ:
                self.requests.append(packet)
                self._send_all(self._front.peer)

    def _send_all(self, client):
        with tftplib.Client(client, local=("127.0.0.1", 0)) as end:
            for block in range(1, len(self.content) // 512 + 2):
                piece = self.content[(block - 1) * 512:block * 512]
                for _ in range(10):
                    end.send(tftplib.data(block, piece), client)
                    packet = end.poll(1.0)
                    if packet is not None and packet.op == tftplib.ACK and packet.block == block & 0xffff:
                        break
                else:
                    return


def test_get_fetches_with_every_window():
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("some.bin", 700_001)
        for window in WINDOWS:
            said = get(server.address, "some.bin", tree.path("out"), "--windowsize", window).stderr
            assert tree.path("out").read_bytes() == content, window
            assert f"windowsize {window}" in said, said


def test_get_comes_through_ten_percent_loss_both_ways():
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("some.bin", 200_001)
        for window in (1, 4, 16):
            with Relay(server.address, to_server=0.1, to_client=0.1, seed=window) as relay:
                began = time.monotonic()
                get(relay.address, "some.bin", tree.path("out"), "--windowsize", window)
                seconds = time.monotonic() - began
                print(f"         window {window}: {seconds:.1f} s, {relay.lost} packets lost")
                assert tree.path("out").read_bytes() == content, window
                assert relay.lost > 0


def test_ten_megabytes_with_a_little_loss_take_a_few_seconds():
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("some.bin", 10_000_000)
        for window in (1, 16):
            with Relay(server.address, to_server=0.002, to_client=0.002, seed=7) as relay:
                began = time.monotonic()
                get(relay.address, "some.bin", tree.path("out"), "--blksize", 1428, "--windowsize", window)
                seconds = time.monotonic() - began
                print(f"         window {window}: {seconds:.1f} s, {relay.lost} of {relay.lost + relay.passed} packets lost")
                assert tree.path("out").read_bytes() == content, window
                assert relay.lost > 0
                assert seconds < 40, f"window {window}: {seconds:.1f} s"


def test_get_without_options_fetches_from_our_server():
    with Tree() as tree, Server(tree.root) as server:
        for size in (0, 1, 512, 70_000):
            content = tree.file("some.bin", size)
            get(server.address, "some.bin", tree.path("out"), "--plain")
            assert tree.path("out").read_bytes() == content, size


def test_get_fetches_from_a_server_that_knows_no_options():
    with Tree() as tree:
        for content in (b"", b"x", tftplib.pattern(512), tftplib.pattern(70_000)):
            for options in ((), ("--plain",), ("--windowsize", "64", "--blksize", "8192", "--timeout", "3")):
                with PlainServer(content) as server:
                    get(server.address, "some.bin", tree.path("out"), *options)
                    assert tree.path("out").read_bytes() == content, (len(content), options)


def test_get_fetches_over_ipv6():
    with Tree() as tree, Server(tree.root, listen=["[::1]:0"]) as server:
        content = tree.file("some.bin", 70_000)
        get(server.address, "some.bin", tree.path("out"))
        assert tree.path("out").read_bytes() == content


def test_get_in_netascii_gives_the_text_back():
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("text", b"one\ntwo\rthree\r\nfour\n\n\r" * 500)
        for options in ((), ("--plain",), ("--blksize", "8"), ("--windowsize", "64", "--blksize", "511")):
            get(server.address, "text;mode=netascii", tree.path("out"), *options)
            assert tree.path("out").read_bytes() == content, options


def test_get_leaves_no_file_and_says_why_when_there_is_none():
    with Tree() as tree, Server(tree.root) as server:
        ended = get(server.address, "missing", tree.path("out"), check=False)
        assert ended.returncode == 1 and "missing" not in [p.name for p in tree.base.iterdir()], ended
        assert not tree.path("out").exists()
        assert "not" in ended.stderr.lower(), ended.stderr


def test_a_hundred_megabytes_arrive_with_every_window_and_this_fast():
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("large", 100_000_000)
        for window in (1, 16, 64):
            began = time.monotonic()
            get(server.address, "large", tree.path("out"), "--windowsize", window, seconds=120)
            seconds = time.monotonic() - began
            print(f"         window {window}: {100 / seconds:.0f} MB/s")
            assert tree.path("out").read_bytes() == content, window


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
