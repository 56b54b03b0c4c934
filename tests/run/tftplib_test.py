#!/usr/bin/python3
"""The tools of the network tests, tried against a small server written here: a tool that sees nothing proves nothing."""
import contextlib
import socket
import sys
import threading

import tftplib
from tftplib import ACK, OACK, Client, Failed, Namespace, Relay, Server, Tree, connect, fetch, pattern


class SmallServer:
    """Serves `files` in lockstep or windows, one thread for each transfer; repeats after 50 ms."""

    def __init__(self, files, host="127.0.0.1"):
        self.files = files
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.address = self.socket.getsockname()[:2]

    def __enter__(self):
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.sendto(b"stop", self.address)
        self.thread.join()
        self.socket.close()

    def work(self):
        seen = {}
        while True:
            raw, peer = self.socket.recvfrom(2048)
            if raw == b"stop":
                return
            if seen.get(peer) != raw:
                seen[peer] = raw
                threading.Thread(target=self.transfer, args=(raw, peer), daemon=True).start()

    def transfer(self, raw, peer):
        words = [word.decode() for word in raw[2:].split(b"\0")[:-1]]
        options = list(zip(words[2::2], words[3::2]))
        terms = dict(options)
        size, window = int(terms.get("blksize", 512)), int(terms.get("windowsize", 1))
        with socket.socket(self.socket.family, socket.SOCK_DGRAM) as end:
            end.connect(peer)
            end.settimeout(0.2)  # atftp gives up at a second OACK
            content = self.files.get(words[0])
            if content is None:
                end.send(tftplib.error(1, "File not found"))
                return
            options = [(name, str(len(content)) if name == "tsize" else value) for name, value in options]
            acked = -1 if options else 0
            last = len(content) // size + 1
            for _ in range(20000):
                if acked == last:
                    return
                if acked < 0:
                    end.send(tftplib.oack(options))
                for block in range(acked + 1, min(acked + window, last) + 1) if acked >= 0 else ():
                    end.send(tftplib.data(block, content[(block - 1) * size:block * size]))
                with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                    packet = tftplib.parse(end.recv(2048))
                    if packet.op == ACK:
                        acked = max(acked, packet.block)


def expect_failure(action, part):
    try:
        action()
    except Failed as problem:
        assert part in str(problem), problem
        return
    raise AssertionError(f"did not fail with {part!r}")


def test_pattern_depends_on_the_seed_alone():
    assert pattern(3_000_000, 1) == pattern(3_000_000, 1)
    assert pattern(100, 1) != pattern(100, 2)
    assert [len(pattern(size)) for size in (0, 1, 1 << 20, (1 << 20) + 1)] == [0, 1, 1 << 20, (1 << 20) + 1]


def test_fetch_gets_every_size_with_and_without_options():
    files = {str(size): pattern(size, size) for size in (0, 1, 511, 512, 513, 5000)}
    with SmallServer(files) as server:
        for name, content in files.items():
            for options in ((), [("blksize", "512")], [("blksize", "1024"), ("windowsize", "4")]):
                assert fetch(server.address, name, options).content == content, (name, options)


def test_fetch_fails_on_an_error():
    with SmallServer({}) as server:
        expect_failure(lambda: fetch(server.address, "x"), "ERROR 1")


def test_fetch_comes_through_loss_that_the_client_sees():
    content = pattern(40_000, "loss")
    count = iter(range(100_000))
    with SmallServer({"f": content}) as server:
        transfer = fetch(server.address, "f", [("windowsize", "4")], drop=lambda _: next(count) % 7 == 3, patience=0.1)
    assert transfer.content == content and transfer.packets > 80


def test_a_relay_without_loss_passes_everything():
    content = pattern(20_000, "relay")
    with SmallServer({"f": content}) as server, Relay(server.address) as relay:
        assert fetch(relay.address, "f", [("blksize", "1024")]).content == content
        assert relay.lost == 0 and relay.passed > 40


def test_a_relay_loses_about_as_much_as_it_should():
    content = pattern(100_000, "relay")
    with SmallServer({"f": content}) as server:
        with Relay(server.address, to_server=0.1, to_client=0.1, twice=0.05, seed=5) as relay:
            assert fetch(relay.address, "f", patience=0.1).content == content
            assert 0.05 < relay.lost / (relay.lost + relay.passed) < 0.15, (relay.lost, relay.passed)


def test_a_relay_works_on_ipv6_and_for_several_clients():
    content = pattern(5_000, "six")
    with SmallServer({"f": content}, "::1") as server, Relay(server.address) as relay:
        assert [fetch(relay.address, "f").content for _ in range(3)] == [content] * 3


def test_the_scripted_client_tells_what_came_instead():
    with SmallServer({"f": b"abc"}) as server, Client(server.address) as client:
        client.rrq("f", [("blksize", "1024"), ("tsize", "0")])
        client.expect_oack([("blksize", "1024"), ("tsize", "3")])
        assert client.peer != server.address
        client.ack(0)
        client.expect_data(1, b"abc")
        client.ack(1)
        client.drain()
        client.expect_nothing(0.1)
        client.rrq("missing")
        expect_failure(lambda: client.expect_data(1), "got ERROR 1")
        client.rrq("f", [("tsize", "0"), ("blksize", "8")])
        expect_failure(lambda: client.expect_oack([("blksize", "8"), ("tsize", "3")]), "expected OACK")


def test_packets_survive_a_round_trip():
    assert tftplib.parse(tftplib.oack([("blksize", 9)])).options == [("blksize", "9")]
    assert tftplib.parse(tftplib.data(65537, b"x")).block == 1
    assert tftplib.parse(tftplib.error(8, "no"))[3:5] == (8, "no")
    assert tftplib.request(b"a\xff", [("T", "")]) == b"\0\1a\xff\0octet\0T\0\0"
    assert tftplib.parse(b"").op is None and tftplib.parse(b"\0\6").op == OACK


FAKE = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.signal(signal.SIGHUP, lambda *_: print("reloaded", file=sys.stderr, flush=True))
for argument in sys.argv[1:]:
    if argument.endswith(":0"): print("listening on " + argument[:-1] + "4711", flush=True)
print("ready", file=sys.stderr, flush=True)
if "--fail" in sys.argv: sys.exit("cannot bind")
while True: signal.pause()
"""


def test_a_server_is_started_reloaded_and_ended():
    with Server(command=[sys.executable, "-c", FAKE], listen=["127.0.0.1:0", "[::1]:0"]) as server:
        assert server.addresses == [("127.0.0.1", 4711), ("::1", 4711)]
        server.wait_log("ready")
        server.reload()
        server.wait_log("reloaded")
        assert server.memory() > 1 << 20
        assert server.stop() == 0


def test_a_server_that_does_not_begin_says_why():
    expect_failure(Server(command=[sys.executable, "-c", FAKE], listen=["nowhere"], arguments=["--fail"]).__enter__,
                   "cannot bind")


def test_two_namespaces_reach_each_other():
    with Namespace() as left, Namespace() as right:
        connect(left, right, ["10.77.0.1/24"], ["10.77.0.2/24"])
        server = right.call(lambda: SmallServer({"f": b"inside"}, "10.77.0.2"))
        with contextlib.ExitStack() as stack:
            right.call(lambda: stack.enter_context(server))  # its threads live where it was started
            assert left.call(lambda: fetch(("10.77.0.2", server.address[1]), "f").content) == b"inside"
        with Tree() as tree:
            assert tree.file("a/b", 10) == pattern(10, "a/b")
            assert right.run(["cat", tree.root / "a/b"], check=False).returncode == 0


if __name__ == "__main__":
    tftplib.main(globals())
