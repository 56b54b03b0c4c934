#!/usr/bin/python3
"""What other servers were caught doing, each as a test that this one does not. Numbers are those of the list of reproduced
defects; README.md beside this file says which test belongs to which."""
import time

import tftplib
from tftplib import DATA, ERROR, Client, Server, Tree, at_once, fetch, pattern, request

CONTENT = pattern(20_000, seed="defects")


class Serving:
    """A server of "file" (CONTENT), "other" and a directory "dir"."""

    def __enter__(self):
        self.tree = Tree().__enter__()
        self.tree.file("file", CONTENT)
        self.other = self.tree.file("other", 30_000)
        self.tree.file("dir/below", b"below")
        self.server = Server(self.tree.root).__enter__()
        return self

    def __exit__(self, *what):
        self.server.__exit__(*what)
        self.tree.__exit__(*what)

    def still_serves(self):
        assert fetch(self.server.address, "file").content == CONTENT

    def client(self):
        return Client(self.server.address)


def test_datagrams_of_0_and_1_byte_do_not_end_the_server_as_they_end_fbtftp():
    with Serving() as here, here.client() as client:
        for raw in (b"", b"\0", b"\1", b"\xff"):
            client.send(raw)
            here.still_serves()
        assert client.drain() == []


def test_a_stray_port_does_not_abort_a_transfer_as_in_fbtftp():
    with Serving() as here, here.client() as client, here.client() as stray:
        client.rrq("file", [("blksize", "1000")])
        client.expect_oack([("blksize", "1000")])
        client.ack(0)
        client.expect_data(1, CONTENT[:1000])
        stray.send(tftplib.ack(1), client.peer)
        stray.expect_error(5)
        stray.send(tftplib.error(0, "stop"), client.peer)
        client.ack(1)
        assert client.read_on(1000, block=2) == CONTENT[1000:]


def test_an_abort_leaks_no_bytes_to_another_client_as_in_dnsmasq():
    with Serving() as here:
        for _ in range(20):
            with here.client() as leaves, here.client() as stays:
                leaves.rrq("other", [("blksize", "1000"), ("windowsize", "8")])
                leaves.expect_oack([("blksize", "1000"), ("windowsize", "8")])
                leaves.ack(0)
                leaves.expect_data(1, here.other[:1000])
                leaves.error(0, "abort")
                stays.rrq("file", [("blksize", "1000")])
                stays.expect_oack([("blksize", "1000")])
                stays.ack(0)
                assert stays.read_on(1000) == CONTENT


def test_an_ack_for_a_block_not_yet_sent_does_not_freeze_the_transfer_as_in_dnsmasq():
    with Serving() as here, here.client() as client:
        client.rrq("file")
        client.expect_data(1)
        for block in (2, 3, 39, 30000):
            client.ack(block)
        client.ack(1)
        assert client.read_on(block=2) == CONTENT[512:]
        assert here.server.wait_counter("delivered", 1)["resends"] == 0


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / 100


def test_a_duplicate_ack_does_not_make_the_server_spin_as_in_rs_tftpd():
    with Serving() as here, here.client() as client:
        client.rrq("file", [("timeout", "4")])
        client.expect_oack([("timeout", "4")])
        client.ack(0)
        client.expect_data(1)
        client.ack(1)
        client.expect_data(2)
        client.ack(1)
        before = cpu_seconds(here.server.process)
        until = time.monotonic() + 3
        while (left := until - time.monotonic()) > 0:
            client.poll(left)
        spent = cpu_seconds(here.server.process) - before
        assert spent < 1, f"{spent} s of CPU in 3 s"
        client.ack(2)
        assert client.read_on(block=3) == CONTENT[1024:]


def test_retries_are_not_counted_over_the_whole_file_as_in_rs_tftpd():
    """More losses in one file than there are tries for one block (40)."""
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("long", 100 * 100)
        lost = set()

        def drop(packet):
            first = packet.op == DATA and packet.block not in lost
            if first:
                lost.add(packet.block)
            return first

        transfer = fetch(server.address, "long", [("blksize", "100"), ("utimeout", "20000")], drop=drop, patience=10)
        assert transfer.content == content and len(lost) == 101


def test_data_1_sent_again_is_whole_unlike_that_of_atftpd():
    with Serving() as here, here.client() as client:
        for _ in range(3):  # a full block goes to an address without proof once for each request
            client.send(request("file"), here.server.address)
            client.expect_data(1, CONTENT[:512])
        client.ack(1)
        assert client.read_on(block=2) == CONTENT[512:]


def test_ack_60000_does_not_bring_data_60001_as_in_atftpd():
    with Serving() as here, here.client() as client:
        client.rrq("file")
        client.expect_data(1)
        client.ack(60000)
        client.ack(1)
        client.expect_data(2, CONTENT[512:1024])
        client.error(0)


def test_a_hundred_hung_clients_do_not_stop_service_as_in_atftpd():
    with Serving() as here:
        hung = [here.client() for _ in range(100)]
        try:
            for client in hung:
                client.rrq("file")
                client.expect_data(1)
            here.still_serves()
            assert here.server.counters()["open_transfers"] >= 100
        finally:
            for client in hung:
                client.error(0)
                client.socket.close()


def test_a_directory_is_an_error_not_an_empty_file_as_in_atftpd_nor_death_as_in_tftpy():
    with Serving() as here, here.client() as client:
        for name in ("dir", "dir/", "/"):
            client.rrq(name)
            client.expect_error(2)
        here.still_serves()


def test_six_clients_with_losses_all_end_unlike_those_of_uftpd():
    with Serving() as here:
        def loses_every_third():
            seen = set()

            def drop(packet):
                first = packet.op == DATA and packet.block % 3 == 0 and packet.block not in seen
                if first:
                    seen.add(packet.block)
                return first
            # The client itself repeats nothing: what is lost comes by the server's timer.
            assert fetch(here.server.address, "file", drop=drop, patience=30).content == CONTENT
        at_once(*[loses_every_third] * 6)


def test_blksize_minus_1_does_not_end_the_server_as_it_ends_hooktftp():
    with Serving() as here, here.client() as client:
        client.rrq("file", [("blksize", "-1")])
        client.expect_data(1, CONTENT[:512])
        client.error(0)
        here.still_serves()


def test_padded_requests_and_such_without_the_last_nul_are_served_unlike_in_hpa7():
    with Serving() as here:
        for raw in (request("file").ljust(516, b"\0"), request("file")[:-1]):
            with here.client() as client:
                client.send(raw)
                assert client.read_on() == CONTENT


def test_an_error_is_not_answered_with_an_error_as_in_pin():
    with Serving() as here, here.client() as client:
        client.send(tftplib.error(0, "to the listener"))
        client.rrq("missing")
        client.expect_error(1)
        client.error(1, "to where the refusal came from")
        client.rrq("file")
        client.expect_data(1)
        client.error(5, "to the transfer")
        client.error(5, "and again")
        client.expect_nothing(1.5)


def test_a_spoofed_request_brings_3_packets_not_12_as_from_busybox():
    with Serving() as here, here.client() as client:
        raw = request("file")
        client.send(raw)
        seen = []
        until = time.monotonic() + 8
        while (left := until - time.monotonic()) > 0:
            if (packet := client.poll_raw(left)) is not None:
                seen.append(len(packet))
        client.error(0)
        print(f"         {len(seen)} packets, {sum(seen)} bytes for {len(raw)}: factor {sum(seen) / len(raw):.1f}")
        assert 1 <= len(seen) <= 3 and max(seen) <= 516, seen


def test_a_repeated_request_is_not_served_twice_as_by_every_peer():
    with Serving() as here, here.client() as client:
        for _ in range(3):
            client.send(request("file"), here.server.address)
        assert client.read_on() == CONTENT
        assert here.server.wait_counter("delivered", 1)["transfers_started"] == 1


def test_a_row_of_duplicate_acks_does_not_bring_a_window_each():
    """EDK2 acknowledges every packet behind a gap; one lost block must not multiply the rest of the file."""
    with Tree() as tree, Server(tree.root) as server, Client(server.address) as client:
        content = tree.file("large", 715 * 1000 - 1)
        client.rrq("large", [("blksize", "1000"), ("windowsize", "16")])
        client.expect_oack([("blksize", "1000"), ("windowsize", "16")])
        client.ack(0)
        have, packets, chunks, lost, in_window = 0, 0, [], False, 0
        while have < 715:
            packet = client.receive()
            if packet.op == ERROR:
                raise tftplib.Failed(packet.text)
            if packet.op != DATA:
                continue
            packets += 1
            if packet.block == 100 and not lost:
                lost = True
                continue
            if packet.block != have + 1:
                client.ack(have)  # each of them, as EDK2 does
                continue
            have, in_window = have + 1, in_window + 1
            chunks.append(packet.data)
            if in_window == 16 or have == 715:
                client.ack(have)
                in_window = 0
        packets += len(client.drain(1.0))
        assert b"".join(chunks) == content
        assert packets < 2 * 715, f"{packets} packets for 715 blocks"
        print(f"         {packets} packets for 715 blocks and one loss")


def test_duplicate_acks_in_lockstep_bring_no_second_copy_of_the_rest():
    with Serving() as here, here.client() as client:
        client.rrq("file", [("timeout", "30")])
        client.expect_oack([("timeout", "30")])
        client.ack(0)
        got, packets = b"", 0
        while len(got) < len(CONTENT):
            packet = client.receive()
            packets += 1
            if packet.block == len(got) // 512 + 1:
                got += packet.data
            for _ in range(4):  # the Sorcerer's Apprentice
                client.send(tftplib.ack(packet.block), packet.source)
        packets += len(client.drain(0.5))
        blocks = len(CONTENT) // 512 + 1
        assert got == CONTENT and packets <= 2 * blocks, f"{packets} packets for {blocks} blocks"


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals(), side_by_side=8)
