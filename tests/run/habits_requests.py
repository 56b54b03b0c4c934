#!/usr/bin/python3
"""Requests as firmware and old clients really send them: odd names, odd options, odd packets; and how often and how long the
server answers one that stays silent. README.md beside this file says where each was observed."""
import contextlib
import os
import random
import signal
import struct
import time

import tftplib
from tftplib import (DATA, ERROR, OACK, WRQ, Client, Server, Tree, ack, at_once, connect, data, error, need, oack,
                     request)

CONTENT = tftplib.pattern(1300, seed="requests")


@contextlib.contextmanager
def serving(**more):
    """A server of "file" and "dir/file", both CONTENT."""
    with Tree() as tree:
        tree.file("file", CONTENT)
        tree.file("dir/file", CONTENT)
        with Server(tree.root, **more) as server:
            yield server


def read(address, name, options=(), mode="octet"):
    with Client(address) as client:
        client.rrq(name, options, mode)
        return client.read_on()


def refused(address, raw, code):
    """The datagram is answered by this ERROR; the text is not empty. Returns it."""
    with Client(address) as client:
        client.send(raw)
        packet = client.receive()
        assert packet.op == ERROR and packet.code == code and packet.text, f"{raw[:60]!r}: {packet}"
        return packet.text


# Names.

def test_leading_slashes_backslashes_dots_and_a_0xff_tail_lead_to_the_file():
    with serving() as server:
        for name in ("file", "/file", "//file", "./file", "/./file", "\\file", "dir/../file", b"file\xff", b"/file\xff\xff"):
            assert read(server.address, name) == CONTENT, name
        for name in ("dir/file", "dir//file", "dir\\file", "\\dir\\file", "/dir/./file", ".\\dir\\\\file", b"dir\\file\xff"):
            assert read(server.address, name) == CONTENT, name


def test_directories_are_refused_and_missing_names_are_not_found():
    with serving() as server:
        for name in ("dir", "dir/", "dir//", "/dir/.", "/", ".", "\\"):
            refused(server.address, request(name), 2)
        for name in ("missing", "dir/missing", "missing/file", "file/below", "dtb/", b"miss\xff", "x" * 300):
            refused(server.address, request(name), 1)


def test_a_name_above_the_tree_is_an_access_violation():
    with serving() as server:
        for name in ("../file", "/../../etc/passwd", "dir/../../file", "..\\..\\file", "pxelinux.cfg/../../../etc/passwd"):
            refused(server.address, request(name), 2)
        refused(server.address, request("/etc/passwd"), 1)


def test_an_answer_to_a_miss_takes_less_than_50_ms():
    with serving() as server:
        spent = []
        for name in ["dtb/", "missing", "//x", b"x\xff", "dir"] * 10:
            with Client(server.address) as client:
                began = time.monotonic()
                client.rrq(name)
                client.expect_error()
                spent.append(time.monotonic() - began)
        spent.sort()
        assert spent[len(spent) // 2] < 0.05, f"half of them took longer than {spent[len(spent) // 2]:.3f} s"


# The form of a request.

def test_a_request_padded_to_516_bytes_is_served():
    with serving() as server, Client(server.address) as client:
        client.send(request("file").ljust(516, b"\0"))
        assert client.read_on() == CONTENT
        client.peer = None
        client.send(request("file", [("blksize", "600")]).ljust(516, b"\0"))
        client.expect_oack([("blksize", "600")])
        client.ack(0)
        assert client.read_on(600) == CONTENT


def test_a_request_without_its_last_nul_is_served():
    with serving() as server, Client(server.address) as client:
        client.send(request("file")[:-1])
        assert client.read_on() == CONTENT
        client.peer = None
        client.send(request("file", [("blksize", "600")])[:-1])
        client.expect_oack([("blksize", "600")])
        client.ack(0)
        assert client.read_on(600) == CONTENT


def test_modes_are_known_in_any_case_and_mail_is_refused():
    with serving() as server:
        for mode in ("octet", "OCTET", "OcTeT"):
            assert read(server.address, "file", mode=mode) == CONTENT
        encoded = CONTENT.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
        for mode in ("netascii", "NETASCII", "NetAscii"):
            assert read(server.address, "file", mode=mode) == encoded
        for mode in ("mail", "MAIL", "binary"):
            assert mode.lower() in refused(server.address, request("file", mode=mode), 4).lower()
        refused(server.address, b"\0\1file\0", 4)
        refused(server.address, b"\0\1\0octet\0", 1)


def test_an_upload_is_refused():
    with serving() as server:
        refused(server.address, request("upload", op=WRQ), 2)
        refused(server.address, request("upload", [("tsize", "5")], op=WRQ), 2)


# Options.

def agrees(address, asked, answer):
    """The OACK to these options is exactly this; None: DATA 1 comes at once."""
    with Client(address) as client:
        client.rrq("file", asked)
        if answer is None:
            client.expect_data(1, CONTENT[:512])
        else:
            client.expect_oack(answer)
        client.error(8, "enough")


def test_options_come_back_spelt_and_ordered_as_they_were_sent():
    with serving() as server:
        asked = [("BLKSIZE", "600"), ("TSize", "0"), ("windowSIZE", "2"), ("TimeOut", "3")]
        for options in (asked, asked[::-1], asked[2:] + asked[:2]):
            agrees(server.address, options,
                   [(name, "1300" if name == "TSize" else value) for name, value in options])


def test_unknown_and_empty_options_are_left_out_of_the_oack():
    with serving() as server:
        agrees(server.address, [("multicast", "")], None)
        agrees(server.address, [("x-vendor", "1"), ("blksize", "600"), ("multicast", "")], [("blksize", "600")])


def test_bad_blksizes_are_ignored_and_large_ones_lowered():
    with serving() as server:
        for value in ("-1", "0", "7", "abc", "", "0x200", "+512", " 512", "512 ", "12.5"):
            agrees(server.address, [("blksize", value)], None)
            agrees(server.address, [("blksize", value), ("tsize", "0")], [("tsize", "1300")])
        agrees(server.address, [("blksize", "8")], [("blksize", "8")])
        agrees(server.address, [("blksize", "65464")], [("blksize", "65464")])
        for value in ("65465", "99999", "18446744073709551616", "9" * 50):
            agrees(server.address, [("blksize", value)], [("blksize", "65464")])


def test_bad_windowsizes_and_timeouts_are_ignored():
    with serving() as server:
        for value in ("-1", "0", "abc", ""):
            agrees(server.address, [("windowsize", value)], None)
        for value in ("-1", "0", "256", "abc", ""):
            agrees(server.address, [("timeout", value)], None)
        for value in ("0", "9999", "255000001", "abc"):
            agrees(server.address, [("utimeout", value)], None)
        for value in ("2", "-1", "abc"):
            agrees(server.address, [("rollover", value)], None)
        agrees(server.address, [("windowsize", "65535")], [("windowsize", "64")])


def test_utimeout_and_rollover_are_granted():
    with serving() as server:
        agrees(server.address, [("utimeout", "250000")], [("utimeout", "250000")])
        for value in ("0", "1"):
            agrees(server.address, [("rollover", value)], [("rollover", value)])


def test_block_numbers_roll_over_to_what_the_client_asked_for():
    size = 8 * 65_540 + 3
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("long", size)

        def rolls_over_to(number):
            with Client(server.address) as client:
                client.rrq("long", [("blksize", "8"), ("rollover", str(number)), ("windowsize", "64")])
                client.expect_oack([("blksize", "8"), ("rollover", str(number)), ("windowsize", "64")])
                client.ack(0)
                chunks, wanted, in_window = [], 1, 0
                while not chunks or len(chunks[-1]) == 8:
                    packet = client.receive()
                    if packet.op != DATA or packet.block != wanted:
                        continue
                    chunks.append(packet.data)
                    in_window += 1
                    if in_window == 64 or len(packet.data) < 8:
                        client.ack(wanted)
                        in_window = 0
                    wanted = wanted + 1 if wanted < 65535 else number
                assert b"".join(chunks) == content
        at_once(lambda: rolls_over_to(0), lambda: rolls_over_to(1))


def test_tsize_of_five_gibibytes_is_exact():
    with Tree() as tree, Server(tree.root) as server, Client(server.address) as client:
        path = tree.root / "sparse"
        path.touch()
        path.chmod(0o644)
        os.truncate(path, (5 << 30) + 7)
        for options in ([("tsize", "0")], [("blksize", "512"), ("tsize", "0")]):
            client.rrq("sparse", options)
            client.expect_oack([(name, str((5 << 30) + 7) if name == "tsize" else value) for name, value in options])
            client.ack(0)
            client.expect_data(1, bytes(512))
            client.error(0)
            client.drain()


def test_tsize_is_never_sent_unasked():
    with serving() as server:
        agrees(server.address, [("blksize", "600")], [("blksize", "600")])


# Packets in a transfer.

def test_an_ack_may_be_longer_than_4_bytes():
    with serving() as server, Client(server.address) as client:
        client.rrq("file")
        for block in (1, 2, 3):
            client.expect_data(block, CONTENT[512 * (block - 1):512 * block])
            client.send(ack(block) + b"\0\0trailing junk")
        assert server.wait_counter("delivered", 1)["resends"] == 0


def test_acks_of_the_future_and_of_the_past_change_nothing():
    with serving() as server, Client(server.address) as client:
        client.rrq("file", [("blksize", "100"), ("timeout", "30")])
        client.expect_oack([("blksize", "100"), ("timeout", "30")])
        client.ack(0)
        client.expect_data(1)
        for block in (2, 13, 14, 60000, 65535, 32768):
            client.ack(block)
        client.ack(1)
        client.expect_data(2)
        client.ack(2)
        client.expect_data(3)
        for block in (1, 0, 65535, 4, 60000):
            client.ack(block)
        client.ack(3)
        assert client.read_on(100, block=4) == CONTENT[300:]
        assert server.wait_counter("delivered", 1)["resends"] == 0


def test_a_wrong_tid_gets_error_5_and_the_transfer_goes_on():
    with serving() as server, Client(server.address) as client, Client(server.address) as stranger:
        client.rrq("file")
        client.expect_data(1)
        for raw in (ack(1), data(1, b"x"), oack([("blksize", "8")])):
            stranger.send(raw, client.peer)
            stranger.expect_error(5)
        stranger.send(error(0, "stop"), client.peer)
        for raw in (b"", b"\0", b"\0\x63junk", b"\xff" * 50):
            stranger.send(raw, client.peer)
        client.ack(1)
        assert client.read_on(block=2) == CONTENT[512:]
        assert stranger.drain() == [], "an ERROR or junk was answered"
        assert server.wait_counter("delivered", 1)["client_errors"] == 0


def test_an_error_ends_a_transfer_at_once_and_is_never_answered():
    with serving() as server, Client(server.address) as client:
        for options in ((), [("blksize", "100")], [("blksize", "100"), ("windowsize", "4")]):
            for code in (0, 3, 8):
                client.rrq("file", options)
                first = client.receive()
                if first.op == OACK:
                    client.ack(0)
                    client.receive()
                client.drain(0.01)  # the rest of a window
                client.error(code, "stop")
                before = client.drain(0.05)
                assert all(packet.op != ERROR for packet in before), before
        client.expect_nothing(1.5)  # longer than the first timer: nothing is sent again
        counters = server.counters()
        assert counters["open_transfers"] == 0, counters


def junk(seed):
    source = random.Random(seed)
    for _ in range(60):
        yield source.randbytes(source.randrange(0, 600))
        yield struct.pack("!H", source.randrange(0, 12)) + source.randbytes(source.randrange(0, 40))


def test_datagrams_of_0_and_1_byte_and_junk_change_nothing_at_either_port():
    with serving() as server, Client(server.address) as client, Client(server.address) as other:
        client.rrq("file", [("blksize", "100")])
        client.expect_oack([("blksize", "100")])
        client.ack(0)
        client.expect_data(1)
        ours = [raw for raw in junk(1) if raw[:2] not in (b"\0\4", b"\0\5")]  # no ACK, no ERROR by chance
        for raw in [b"", b"\0", b"\1", b"\0\4", b"\0\4\0", b"\0\5", *ours]:
            client.send(raw)
            client.send(raw, server.address)
        for raw in [b"", b"\0", b"\0\1", *junk(2)]:
            other.send(raw)
            other.send(raw, client.peer)
        port = client.peer
        client.send(ack(1), port)
        got = CONTENT[:100]
        for block in range(2, 15):
            while (packet := client.receive()).source != port or packet.block != block or packet.op != DATA:
                pass
            got += packet.data
            client.send(ack(block), port)
        assert got == CONTENT
        assert server.wait_counter("delivered", 1)["plugin_failures"] == 0
        assert read(server.address, "dir/file") == CONTENT


# One client port.

def test_another_name_from_the_same_port_is_served_at_once():
    with serving() as server, Client(server.address) as client:
        for acknowledged in (False, True):
            client.rrq("file", [("blksize", "600")])
            client.expect_oack([("blksize", "600")])
            if acknowledged:
                client.ack(0)
                client.expect_data(1)
            client.rrq("dir/file", [("blksize", "700")])
            client.expect_oack([("blksize", "700")])
            client.ack(0)
            assert client.read_on(700) == CONTENT
        assert server.wait_counter("delivered", 2)["repeats_swallowed"] == 0


def test_the_same_name_right_after_completion_is_served_at_once():
    with serving() as server, Client(server.address) as client:
        for _ in range(3):
            client.rrq("file")
            assert client.read_on() == CONTENT
        assert server.wait_counter("delivered", 3)["repeats_swallowed"] == 0


def test_a_client_with_one_port_is_served_also_when_its_request_is_seen_before_its_last_ack():
    """The request of another wakes the server for its listening socket; the ack waits at the transfer port."""
    with Tree() as tree:
        small = tree.file("small", 300)
        with Server(tree.root, arguments=["--workers", 1]) as server, Client(server.address) as client:
            for _ in range(5):
                client.rrq("small")
                client.expect_data(1, small)
                with Client(server.address) as other:
                    server.process.send_signal(signal.SIGSTOP)
                    other.rrq("small")
                    client.ack(1)
                    first = client.peer
                    client.rrq("small")
                    server.process.send_signal(signal.SIGCONT)
                    assert client.receive(0.9).data == small and client.peer != first
                    other.expect_data(1, small)
                    other.ack(1)
                client.ack(1)
            assert server.wait_counter("delivered", 15)["resends"] == 0


def test_a_late_duplicate_of_the_request_does_not_hurt_a_running_transfer():
    for answers_the_copy in (False, True):
        with serving() as server, Client(server.address) as client:
            client.rrq("file", [("blksize", "100")])
            client.expect_oack([("blksize", "100")])
            client.ack(0)
            client.expect_data(1)
            port = client.peer
            client.send(request("file", [("blksize", "100")]), server.address)  # the network's copy, late
            copy = client.receive()
            while copy.op != OACK:
                copy = client.receive()
            assert copy.source != port
            if answers_the_copy:
                client.send(error(5, "unknown transfer ID"), copy.source)
            client.send(ack(1), port)
            got = CONTENT[:100]
            for block in range(2, 15):
                while (packet := client.receive()).source != port or packet.block != block:
                    pass
                got += packet.data
                client.send(ack(block), port)
            assert got == CONTENT
            server.wait_counter("delivered", 1)
            client.send(error(0), copy.source)


def test_a_request_repeated_before_any_ack_starts_one_transfer():
    with serving() as server, Client(server.address) as client:
        ports = set()
        for _ in range(10):
            client.send(request("file", [("blksize", "600")]), server.address)
        client.expect_oack([("blksize", "600")])
        ports.add(client.peer)
        client.ack(0)
        assert client.read_on(600) == CONTENT
        ports.add(client.peer)
        counters = server.wait_counter("delivered", 1)
        assert len(ports) == 1 and counters["transfers_started"] == 1, counters
        assert counters["repeats_swallowed"] == 9, counters


# Time.

def sendings(address, options, seconds):
    """What a client that never answers receives: (time, bytes) of every packet."""
    seen = []
    with Client(address) as client:
        client.rrq("file", options)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if (raw := client.poll_raw(left)) is not None:
                seen.append((time.monotonic(), len(raw)))
        client.error(0)  # or the server would wait for it when it stops
    return seen


def test_a_client_that_never_answers_costs_3_packets_of_at_most_516_bytes():
    combinations = [(), [("blksize", "65464")], [("tsize", "0"), ("blksize", "1428")], [("windowsize", "64")],
                    [("blksize", "65464"), ("windowsize", "64"), ("tsize", "0")], [("timeout", "1")],
                    [("utimeout", "10000"), ("windowsize", "64")], [("rollover", "1")]]
    with serving() as server:
        def costs(options):
            seen = sendings(server.address, options, 8)
            spent, total = len(request("file", options)), sum(size for _, size in seen)
            print(f"         {dict(options)}: {len(seen)} packets, {total} bytes for {spent}: factor {total / spent:.1f}")
            assert 1 <= len(seen) <= 3 and all(size <= 516 for _, size in seen), (options, seen)
        at_once(*[lambda options=options: costs(options) for options in combinations])


def test_the_timeout_that_the_client_asked_for_is_the_interval():
    with serving() as server:
        def gaps_are(options, seconds):
            seen = [when for when, _ in sendings(server.address, options, seconds * 3 + 2)]
            assert len(seen) == 3, seen
            for earlier, later in zip(seen, seen[1:]):
                assert 0.9 * seconds < later - earlier < 1.5 * seconds + 0.5, (options, later - earlier)
        at_once(lambda: gaps_are([("timeout", "1")], 1), lambda: gaps_are([("timeout", "3")], 3),
                lambda: gaps_are([("utimeout", "1500000")], 1.5))


def test_the_timeout_is_neither_doubled_nor_shortened_in_a_running_transfer():
    with serving() as server, Client(server.address) as client:
        client.rrq("file", [("timeout", "1")])
        client.expect_oack([("timeout", "1")])
        client.ack(0)
        client.expect_data(1)
        client.ack(1)
        times = []
        for _ in range(5):
            client.expect_data(2)
            times.append(time.monotonic())
        for earlier, later in zip(times, times[1:]):
            assert 0.9 < later - earlier < 2, times
        client.ack(2)
        assert client.read_on(block=3) == CONTENT[1024:]


# Broadcast.

def test_a_broadcast_request_is_answered_once_by_four_workers_and_broadcast_acks_arrive():
    """Cisco access points ask by broadcast and acknowledge by broadcast; every worker's socket gets a copy of both."""
    need("ip")
    with tftplib.Namespace() as left, tftplib.Namespace() as right, Tree() as tree:
        connect(left, right, ["10.77.0.1/24"], ["10.77.0.50/24"])
        content = tree.file("ap3g2-k9w7-tar.default", 1300)
        with Server(tree.root, listen=["0.0.0.0:6900"], namespace=left, arguments=["--workers", 4]) as server:
            client = right.call(lambda: Client(("10.77.0.255", 6900)))
            with client:
                client.allow_broadcast()
                client.rrq("ap3g2-k9w7-tar.default")
                got = b""
                for block in (1, 2, 3):
                    got += client.expect_data(block).data
                    assert client.peer[0] == "10.77.0.1", client.peer
                    client.send(ack(block), ("10.77.0.255", client.peer[1]))
                assert got == content
                counters = server.wait_counter("delivered", 1)
                assert counters["transfers_started"] == 1 and counters["requests"] == 1, counters


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals(), side_by_side=8)
