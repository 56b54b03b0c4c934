#!/usr/bin/python3
"""Plugins that are slow, silent or wrong, over the network: a clear ERROR for the client, a log line with the name of the
plugin, and nothing for anybody else to notice. And what the sources of good ones bring."""
import threading
import time

import tftplib
from tftplib import DATA, ERROR, Client, Failed, Server, Tree, fetch, plugin_pattern, sample_plugin


def serving(tree, *names, more=(), **members):
    """A server with an instance of each test plugin, in this order."""
    instances = [{"name": name, "plugin": name} for name in names] + list(more)
    config = tree.config(plugins=[str(sample_plugin(name)) for name in names], instances=instances, **members)
    return Server(arguments=["--config", config])


def ends_with_error(server, name, options=(), mode="octet"):
    """Fetches until an ERROR comes and returns it with the bytes before it; fails when the file ends as if all were well."""
    with Client(server.address) as client:
        client.rrq(name, options, mode)
        content = b""
        while True:
            packet = client.receive()
            if packet.op == ERROR:
                return packet, content
            if packet.op == DATA:
                if packet.block == len(content) // 512 + 1:
                    content += packet.data
                client.ack(packet.block)
                if len(packet.data) < 512:
                    raise Failed(f"{name}: a whole file of {len(content)} bytes, and no ERROR")
            else:
                client.ack(0)


def test_other_transfers_go_on_while_a_plugin_sleeps():
    with Tree() as tree:
        content = tree.file("x", 4000)
        more = [{"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}]
        routes = [{"match": ["open/*", "read/*"], "to": ["slow"]}, {"to": ["files"]}]
        slow = {"name": "slow", "plugin": "slow", "execution": "serial"}
        config = tree.config(plugins=[str(sample_plugin("slow"))], instances=[slow, *more], routes=routes, workers=1)
        with Server(arguments=["--config", config]) as server:
            for kind in ("open/2000", "read/2000"):
                done, began = [], time.monotonic()
                sleeper = threading.Thread(target=lambda k=kind: done.append(fetch(server.address, k, patience=30)))
                sleeper.start()
                time.sleep(0.05)  # most of the hundred meet the sleep; all of them would meet a blocked loop
                slowest = 0.0
                for _ in range(100):
                    start = time.monotonic()
                    assert fetch(server.address, "x", patience=30).content == content
                    slowest = max(slowest, time.monotonic() - start)
                together = time.monotonic() - began
                sleeper.join()
                assert done and done[0].content == plugin_pattern(1536)
                print(f"         {kind}: 100 transfers in {together:.2f} s, the slowest took {slowest * 1000:.1f} ms")
                assert slowest < 1.5, f"a transfer took {slowest:.2f} s while a plugin slept 2 s"


def test_a_slow_instance_does_not_take_every_thread():
    with Tree() as tree, serving(tree, "slow", "hello-c", routes=[
            {"match": "open/*", "to": ["slow"]}, {"to": ["hello-c"]}], executor_threads=4,
                                 executor_threads_per_instance=2) as server:
        clients = [Client(server.address) for _ in range(4)]
        for client in clients:
            client.rrq("open/1500")
        start = time.monotonic()
        assert fetch(server.address, "x", patience=30).content == b"Hello from C!\n"
        assert time.monotonic() - start < 1.4, "it waited for the slow instance"
        for client in clients:
            client.socket.close()


def test_a_plugin_that_never_answers_is_an_error_after_answer_timeout():
    with Tree() as tree, serving(tree, "never-completes", answer_timeout="300ms") as server:
        start = time.monotonic()
        packet, _ = ends_with_error(server, "x")
        assert packet.code == 0 and "in time" in packet.text, packet
        assert time.monotonic() - start > 0.25
        server.wait_log("never-completes")


def test_a_plugin_that_answers_too_late_does_no_harm():
    with Tree() as tree, serving(tree, "completes-late", answer_timeout="200ms") as server:
        assert fetch(server.address, "50", patience=30).content == b"late\n"
        assert "in time" in ends_with_error(server, "700")[0].text
        server.wait_log("late complete() returned")
        server.wait_until(lambda: server.log.count("late complete() returned") == 2, what="the late answer")
        assert fetch(server.address, "1", patience=30).content == b"late\n"


def test_a_plugin_that_reads_too_slowly_is_an_error_after_read_timeout():
    with Tree() as tree, serving(tree, "slow", read_timeout="300ms") as server:
        packet, _ = ends_with_error(server, "read/3000")
        assert packet.code == 0 and "slow" in packet.text, packet
        server.wait_log("read_timeout")
        packet, _ = ends_with_error(server, "cancel")
        assert packet.code == 0, packet
        assert fetch(server.address, "open/1").content == plugin_pattern(1536)


def test_an_inline_plugin_that_overstays_is_named_in_the_log():
    with Tree() as tree, serving(tree, "memory") as server:
        # Making 64 MiB of pattern takes longer than a network thread may be kept.
        with Client(server.address) as client:
            client.rrq(f"pattern/{64 << 20}")
            client.expect_data(1)
            client.error(0)
        server.wait_log("INLINE")
        assert "memory" in next(line for line in server.log.splitlines() if "INLINE" in line)


def test_exceptions_of_a_plugin_are_errors_with_its_name_in_the_log():
    with Tree() as tree, serving(tree, "throws") as server:
        for name, words in (("open", "thrown in open_read"), ("int", "open_read"), ("read", "thrown in read")):
            packet, content = ends_with_error(server, name)
            assert packet.code == 0 and packet.text and not content, (name, packet)
            server.wait_log(words)
        for name in ("close", "cancel"):
            assert fetch(server.address, name).content == b""
        server.wait_log("thrown in close")
        for words in ("thrown in open_read", "thrown in read", "thrown in close"):
            assert any(words in line and "throws" in line for line in server.log.splitlines()), server.log


def test_a_source_of_another_size_than_announced_never_ends_well():
    with Tree() as tree:
        for kind in ("stream-short", "stream-long", "pipe-short", "pipe-long"):
            with serving(tree, "lies-about-size") as server:  # each time: the log does not repeat a failure for ever
                for size in (700, 5000, 5120):
                    packet, content = ends_with_error(server, f"{kind}/{size}", [("tsize", "0")])
                    assert packet.code == 0 and "announced" in packet.text, (kind, packet)
                    assert content == plugin_pattern(size)[:len(content)], kind
                    server.wait_log(f"file={kind}/{size} instance=lies-about-size")
    with Tree() as tree, serving(tree, "lies-about-size") as server:
        packet, content = ends_with_error(server, "fd-long/700")
        assert packet.code == 0 and not content
        assert fetch(server.address, "fd-part/700").content == plugin_pattern(700)


def test_wrong_answers_are_errors_with_the_name_in_the_log():
    names = ("null-data", "unsized-buffer", "huge-buffer", "unknown-kind", "closed-fd", "negative-fd", "standard-fd",
             "directory-fd", "path-fd", "write-only-fd", "offset-beyond", "size-beyond", "pipe-offset", "empty-redirect",
             "null-redirect", "unclean-redirect", "long-redirect", "unknown-flags", "unknown-status", "reads-too-much",
             "reads-unknown")
    with Tree() as tree:
        for first in range(0, len(names), 4):  # the log does not repeat a failure for ever
            with serving(tree, "wrong-answers") as server:
                for name in names[first:first + 4]:
                    answers_wrongly(server, name)
                    answers_wrongly(server, f"later/{name}")
                    assert fetch(server.address, "right").content == b"right\n"


def answers_wrongly(server, name):
    try:
        packet, content = ends_with_error(server, name)
    except Failed as problem:
        raise Failed(f"{name}: {problem}") from problem
    assert packet.text and not content, (name, packet)
    server.wait_log(f"file={name} ")
    line = next(line for line in server.log.splitlines() if f"file={name} " in line)
    assert "wrong-answers" in line and "why=" in line, line


def test_the_first_of_two_answers_counts():
    with Tree() as tree, serving(tree, "completes-twice") as server:
        for name in ("pending", "return"):
            assert fetch(server.address, name).content == b"first\n", name
        server.wait_log("completes-twice")


def test_an_answer_before_the_call_returns_is_taken():
    with Tree() as tree, serving(tree, "completes-before-return") as server:
        assert fetch(server.address, "x").content == b"early\n"


def test_a_late_failure_carries_its_explanation_unless_forbidden():
    with Tree() as tree:
        with serving(tree, "pending") as server:
            assert "backend is down" in ends_with_error(server, "fail/10")[0].text
        with serving(tree, "pending", explain_to_clients=False) as server:
            assert "is down" not in ends_with_error(server, "fail/10")[0].text
            server.wait_log("backend is down")


def test_every_kind_of_source_brings_its_bytes():
    with Tree() as tree, serving(tree, "stream", "pipe", "memory", routes=[
            {"match": "*/*", "clients": "127.0.0.1", "to": ["stream"]},
            {"match": "**", "clients": "127.0.0.2", "to": ["pipe"]},
            {"match": "**", "clients": "127.0.0.3", "to": ["memory"]}, {"to": ["stream"]}]) as server:
        for size in (0, 1, 511, 512, 513, 100_000):
            wanted = plugin_pattern(size)
            for last in (1, 2, 3):
                for options in ((), (("blksize", "1428"), ("windowsize", "8"))):
                    got = fetch(server.address, f"pattern/{size}", options, local=(f"127.0.0.{last}", 0)).content
                    assert got == wanted, (size, last, options, len(got))


def tsize_of(server, name, mode="octet", local=("", 0)):
    transfer = fetch(server.address, name, [("tsize", "0")], mode, local=local)
    told = dict(transfer.options or {}).get("tsize")
    assert told is None or int(told) == len(transfer.content), f"{name}: tsize {told}, {len(transfer.content)} bytes came"
    return told, transfer.content


def netascii(content):
    return content.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")


def test_tsize_is_told_when_known_and_is_the_encoded_size_in_netascii():
    with Tree() as tree:
        text = tree.file("text", b"one\ntwo\r\nthree\r\n\n" * 100)
        files = {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}
        with serving(tree, "stream", "pipe", "memory", more=[files], routes=[
                {"match": "text", "to": ["files"]},
                {"match": "**", "clients": "127.0.0.2", "to": ["pipe"]},
                {"match": "**", "clients": "127.0.0.3", "to": ["memory"]}, {"match": "**", "to": ["stream"]}]) as server:
            wanted = plugin_pattern(5000)
            for name, local, known in (("pattern/5000", 1, True), ("unsized/pattern/5000", 1, False),
                                       ("pattern/5000", 2, False), ("sized/pattern/5000", 2, True),
                                       ("pattern/5000", 3, True)):
                place = (f"127.0.0.{local}", 0)
                told, content = tsize_of(server, name, local=place)
                assert content == wanted and (told == "5000") == known, (name, local, told)
                told, content = tsize_of(server, name, "netascii", place)
                assert content == netascii(wanted), (name, local)
                assert told is None or known
            assert tsize_of(server, "pattern/5000", "netascii", ("127.0.0.3", 0))[0] == str(len(netascii(wanted)))
            assert tsize_of(server, "text")[0] == str(len(text))
            assert tsize_of(server, "text", "netascii")[1] == netascii(text)


def test_a_file_that_is_cut_or_overwritten_while_it_is_sent_ends_in_an_error():
    def cut(path):
        with open(path, "r+b") as file:
            file.truncate(600_000)

    def overwrite(path):
        path.write_bytes(b"B" * 3_000_000)

    def grow(path):
        with open(path, "ab") as file:
            file.write(b"more")

    with Tree() as tree, Server(tree.root) as server:
        for change in (cut, overwrite, grow):
            content = tree.file("x", 3_000_000)
            with Client(server.address) as client:
                client.rrq("x", [("blksize", "8192")])
                client.ack(0) if client.receive().op == tftplib.OACK else None
                client.expect_data(1)
                change(tree.root / "x")
                client.ack(1)
                block, whole = 1, False
                while (packet := client.receive()).op != ERROR:
                    if packet.block != (block + 1) & 0xffff:
                        continue
                    block += 1
                    client.ack(block)
                    whole = len(packet.data) < 8192
                    assert not whole, f"{change.__name__}: {block} blocks came to an end without an ERROR"
                assert packet.code == 0 and ("changed" in packet.text or "shorter" in packet.text), packet
            server.wait_log("file=x instance=files")
        content = tree.file("x", 1000)
        assert fetch(server.address, "x").content == content


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals(), side_by_side=4)
