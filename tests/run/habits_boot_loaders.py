#!/usr/bin/python3
"""What boot loaders and command-line clients do on the wire, client by client: their options, ports, repeats and endings.
The scripts repeat what was captured; README.md beside this file says which observation belongs to which test."""
import contextlib
import time

import tftplib
from tftplib import Client, Server, Tree, abi_plugin, at_once, request

IPXE = (("blksize", "1432"), ("tsize", "0"))
PXELINUX = (("tsize", "0"), ("blksize", "1408"))
EDK2_PROBE = (("tsize", "0"), ("blksize", "1468"), ("windowsize", "4"))
EDK2 = (("blksize", "1468"), ("windowsize", "4"))
GRUB = (("blksize", "1024"), ("tsize", "0"))
UBOOT = (("timeout", "5"), ("blksize", "1468"))
LIBNET = (("blksize", "1428"),)
CURL = (("tsize", "0"), ("blksize", "512"), ("timeout", "6"))
ATFTP = (("tsize", "0"), ("timeout", "5"), ("blksize", "1428"), ("windowsize", "8"))


@contextlib.contextmanager
def server_and_client(files=(), **more):
    """A tree with these files ({name: bytes or size}), its server, and one client of it."""
    with Tree() as tree:
        contents = {name: tree.file(name, content) for name, content in dict(files).items()}
        with Server(tree.root, **more) as server, Client(server.address) as client:
            yield server, client, contents


def answered(options, size):
    """The OACK that is owed: the same names in the same order, tsize filled in."""
    return [(name, str(size) if name.lower() == "tsize" else value) for name, value in options]


def fetches_with(name, options, wire_name=None):
    """One client's request brings its OACK and the file, byte for byte."""
    with server_and_client({name: 20_000}) as (_, client, contents):
        client.rrq(wire_name or name, options)
        if options:
            client.expect_oack(answered(options, 20_000))
            client.ack(0)
        terms = dict(options)
        got = client.read_on(int(terms.get("blksize", 512)), int(terms.get("windowsize", 1)))
        assert got == contents[name], f"{len(got)} bytes, or other ones"


def test_ipxe_gets_its_options_and_its_file():
    fetches_with("boot.ipxe", IPXE, "/boot.ipxe")
    fetches_with("a file.ipxe", IPXE)


def test_ipxe_may_acknowledge_an_empty_file_with_ack_0():
    with server_and_client({"empty": 0, "next": 100}) as (server, client, contents):
        client.rrq("empty", IPXE)
        client.expect_oack(answered(IPXE, 0))
        client.ack(0)
        client.expect_data(1, b"")
        client.ack(0)  # for the server a repeat of the one before, which may bring DATA 1 once more
        with Client(server.address) as another:  # as iPXE does, a port for each file
            another.rrq("next", IPXE)
            another.expect_oack(answered(IPXE, 100))
            another.ack(0)
            assert another.read_on(1432) == contents["next"]
        assert server.wait_counter("delivered", 1)["plugin_failures"] == 0


def test_pxelinux_gets_its_options_and_its_file():
    fetches_with("pxelinux.cfg/default", PXELINUX)
    fetches_with("boot/vmlinuz", PXELINUX, "boot//vmlinuz")


def test_pxelinux_repeats_after_55_ms_while_a_plugin_thinks_and_one_session_answers():
    plugin = abi_plugin("slow")
    with Tree() as tree, Server(arguments=["--plugin", plugin]) as server, Client(server.address) as client:
        assert tree
        client.rrq("open/800", PXELINUX)
        for _ in range(6):
            client.expect_nothing(0.055)
            client.rrq("open/800", PXELINUX)
        client.expect_oack(answered(PXELINUX, 1536))
        port = client.peer
        client.ack(0)
        assert len(client.read_on(1408)) == 1536
        assert client.drain() == [] and client.peer == port, "a second session answered"
        counters = server.wait_counter("delivered", 1)
        assert counters["transfers_started"] == 1 and counters["repeats_swallowed"] == 6, counters
        # One plugin call for one id: the next request is the second one that reached a plugin.
        client.rrq("open/1", PXELINUX)
        client.expect_oack(answered(PXELINUX, 1536))
        client.error(8)
        server.wait_log("id=2 ")


def test_pxelinux_misses_a_dozen_names_within_50_ms_each():
    names = ["12345678-9abc-def0-1122-334455667788", "01-52-54-00-ab-cd-01"]
    names += ["0A4D0032"[:length] for length in range(8, 0, -1)]
    with server_and_client({"pxelinux.cfg/default": b"DEFAULT x\n"}) as (server, client, contents):
        spent = []
        for name in names * 3:  # a loaded machine may be late now and then: most count
            with Client(server.address) as other:
                began = time.monotonic()
                other.rrq("pxelinux.cfg/" + name, PXELINUX)
                other.expect_error(1)
                spent.append(time.monotonic() - began)
        spent.sort()
        assert spent[len(spent) // 2] < 0.05, f"half of the misses took longer than {spent[len(spent) // 2]:.3f} s"
        client.rrq("pxelinux.cfg/default", PXELINUX)
        client.expect_oack(answered(PXELINUX, 10))
        client.ack(0)
        assert client.read_on(1408) == contents["pxelinux.cfg/default"]


def test_lpxelinux_fetches_file_after_file_from_one_port_also_the_same_one_again():
    files = {"pxelinux.cfg/default": 3000, "menu.c32": 5000}
    with server_and_client(files) as (server, client, contents):
        ports = set()
        order = ["pxelinux.cfg/default", "menu.c32", "pxelinux.cfg/default", "pxelinux.cfg/default"]
        for name in order:  # the next request leaves right behind the last ACK
            client.rrq(name, PXELINUX)
            client.expect_oack(answered(PXELINUX, files[name]))
            ports.add(client.peer)
            client.ack(0)
            assert client.read_on(1408) == contents[name]
        assert server.wait_counter("delivered", 4)["repeats_swallowed"] == 0


def test_lpxelinux_gets_the_next_file_though_its_last_ack_was_lost():
    with server_and_client({"one": 100, "two": 200}) as (server, client, contents):
        client.rrq("one", PXELINUX)
        client.expect_oack(answered(PXELINUX, 100))
        client.ack(0)
        client.expect_data(1, contents["one"])
        client.rrq("two", PXELINUX)  # the ACK of "one" never arrives
        packet = client.receive()
        while packet.op != tftplib.OACK:
            packet = client.receive()
        assert packet.options == answered(PXELINUX, 200), packet.options
        client.send(tftplib.ack(0), packet.source)
        while (packet := client.receive()).data != contents["two"]:
            pass
        client.send(tftplib.ack(1), packet.source)
        server.wait_counter("delivered", 1)


def test_edk2_gets_its_options_and_its_file_on_both_families():
    fetches_with("bootx64.efi", EDK2)
    fetches_with("bootaa64.efi", (("blksize", "1228"), ("windowsize", "4")))


def test_edk2_size_probe_is_logged_as_probed_and_the_file_follows_from_the_next_port():
    with server_and_client({"bootx64.efi": 20_000}) as (server, client, contents):
        client.rrq("bootx64.efi", EDK2_PROBE)
        client.expect_oack(answered(EDK2_PROBE, 20_000))
        client.error(8, "User aborted the transfer")
        server.wait_log("probed")
        with Client(server.address) as second:
            second.rrq("bootx64.efi", EDK2)
            second.expect_oack(EDK2)
            second.ack(0)
            assert second.read_on(1468, 4) == contents["bootx64.efi"]
        assert client.drain() == [], "ERROR was answered"
        counters = server.wait_counter("delivered", 1)
        assert counters["probed"] == 1 and counters["client_errors"] == 0, counters
        assert " warning " not in server.log and " error " not in server.log, server.log


def test_shim_gets_blksize_512_with_its_window():
    fetches_with("grubx64.efi", (("blksize", "512"), ("windowsize", "4")))


def test_grub_gets_its_options_and_its_file():
    fetches_with("grub/grub.cfg", GRUB, "/grub/grub.cfg")


def test_grub_may_send_its_request_again_to_the_transfer_port():
    with server_and_client({"grub/grub.cfg": 5000}) as (server, client, contents):
        client.rrq("/grub/grub.cfg", GRUB)
        client.expect_oack(answered(GRUB, 5000))
        port = client.peer
        client.send(request("/grub/grub.cfg", GRUB), port)
        client.send(tftplib.ack(0), port)
        first = client.receive()
        while first.op == tftplib.OACK:
            first = client.receive()
        assert (first.op, first.block) == (tftplib.DATA, 1), first
        client.send(request("/grub/grub.cfg", GRUB), port)  # and in the middle
        client.ack(1)
        assert first.data + client.read_on(1024, block=2) == contents["grub/grub.cfg"]
        assert client.peer == port
        assert server.wait_counter("delivered", 1)["client_errors"] == 0


def test_grub_never_repeats_an_ack_and_gets_the_lost_block_by_the_servers_timer():
    with server_and_client({"core.img": 5000}) as (_, client, contents):
        client.rrq("/core.img", GRUB)
        client.expect_oack(answered(GRUB, 5000))
        client.ack(0)
        first = client.expect_data(1)
        client.ack(1)
        client.expect_data(2)  # "lost"
        began = time.monotonic()
        client.expect_data(2)
        assert time.monotonic() - began < 5, "resending begins within a second, on an idle machine"
        client.ack(2)
        rest = contents["core.img"][2048:]
        assert client.read_on(1024, block=3) == rest and first.data == contents["core.img"][:1024]


def test_a_loader_that_rebooted_after_progress_gets_the_same_name_on_the_same_port_again():
    """GRUB comes back on port 25300, PXELINUX on 49152, SLOF and s390 on 2001."""
    with server_and_client({"core.img": 50_000}) as (server, client, contents):
        for _ in range(2):
            client.rrq("core.img", LIBNET)
            client.expect_oack(LIBNET)
            client.ack(0)
            client.expect_data(1)
            client.ack(1)
            client.expect_data(2)
        client.rrq("core.img", LIBNET)
        while (packet := client.receive()).op != tftplib.OACK:
            pass
        client.ack(0)
        while (packet := client.receive()).block != 1:
            pass
        client.send(tftplib.ack(1), packet.source)
        assert packet.data + client.read_on(1428, block=2) == contents["core.img"]
        counters = server.wait_counter("delivered", 1)
        assert counters["transfers_started"] == 3 and counters["repeats_swallowed"] == 0, counters


def test_u_boot_gets_its_options_and_its_file():
    fetches_with("0A4D0032.img", UBOOT)
    fetches_with("fitImage", UBOOT + (("windowsize", "7"),))


def test_u_boot_asks_for_a_directory_and_learns_at_once_that_it_is_none():
    with server_and_client({"dtb/board.dtb": 10}) as (_, client, _contents):
        client.rrq("dtb/", UBOOT)
        client.expect_error(2)


def test_slof_and_s390_get_their_options_and_file_after_file_from_port_2001():
    with server_and_client({"one": 3000, "two": 2000}) as (server, client, contents):
        for name in ("one", "two", "one"):
            client.rrq(name, LIBNET)
            client.expect_oack(LIBNET)
            client.ack(0)
            assert client.read_on(1428) == contents[name]
        server.wait_counter("delivered", 3)


def test_curl_gets_tsize_blksize_and_timeout():
    fetches_with("file", CURL)


def test_tftp_hpa_asks_without_options_in_netascii_and_sees_no_oack():
    with server_and_client({"text": b"one\ntwo\rthree\n" * 100}) as (_, client, contents):
        client.rrq("text", mode="netascii")
        encoded = contents["text"].replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
        assert client.read_on() == encoded
    fetches_with("binary", ())


def test_atftp_gets_its_options_in_its_order():
    fetches_with("file", ATFTP)


def test_atftp_asks_for_multicast_with_an_empty_value_and_is_served_without():
    with server_and_client({"file": 3000}) as (_, client, contents):
        client.rrq("file", (("tsize", "0"), ("blksize", "1428"), ("multicast", "")))
        client.expect_oack([("tsize", "3000"), ("blksize", "1428")])
        client.ack(0)
        assert client.read_on(1428) == contents["file"]


def test_atftp_aborts_at_a_second_oack_so_a_prompt_client_never_sees_one():
    with server_and_client({"file": 3000}) as (_, client, _contents):
        client.rrq("file", ATFTP)
        client.expect_oack(answered(ATFTP, 3000))
        client.ack(0)
        client.expect_data(1)
        assert not any(packet.op == tftplib.OACK for packet in client.drain(1.0))
        client.error(0)


def test_busybox_gets_tsize_alone_and_blksize_before_tsize():
    fetches_with("file", (("tsize", "0"),))
    fetches_with("file", (("blksize", "1000"), ("tsize", "0")))


def silent_for_30_s(address, content, acks_first):
    with Client(address) as client:
        client.rrq("image")
        client.expect_data(1, content[:512])
        if acks_first:
            client.ack(1)
            client.expect_data(2, content[512:1024])
        until = time.monotonic() + 30
        repeats = []
        while (left := until - time.monotonic()) > 0:
            packet = client.poll(left)
            if packet is not None:
                repeats.append(packet)
        assert all(packet.op == tftplib.DATA for packet in repeats), "given up within 30 s"
        client.ack(2 if acks_first else 1)
        at = 3 if acks_first else 2
        while (packet := client.receive()).block != at:
            pass
        client.ack(at)
        got = content[:512 * (at - 1)] + packet.data + client.read_on(block=at + 1)
        assert got == content


def test_rommon_is_silent_for_30_s_after_block_1_and_gets_its_file():
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("image", 10_000)
        at_once(lambda: silent_for_30_s(server.address, content, False),
                lambda: silent_for_30_s(server.address, content, True))
        server.wait_counter("delivered", 2)


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals(), side_by_side=8)
