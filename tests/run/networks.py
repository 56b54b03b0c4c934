#!/usr/bin/python3
"""What crosses a network, in namespaces of this test: where answers come from and how large they are, broadcast, path MTU,
link-local and changing addresses, GSO, a neighbour's MAC address, loss and reordering by the kernel."""
import contextlib
import re
import socket
import subprocess
import time

import tftplib
from tftplib import COMMANDS, Client, Failed, Namespace, Server, Skip, Tree, binary, connect, fetch, need, run

V4, V6 = ("10.7.0.1", "10.7.0.3", "10.7.0.5"), ("fd07::1", "fd07::3")
PORT = 6969


@contextlib.contextmanager
def cable(server_addresses=("10.7.0.1/24",), client_addresses=("10.7.0.2/24",)):
    """Two namespaces and a cable; yields (where the server lives, where clients live)."""
    with Namespace() as there, Namespace() as here:
        connect(there, here, server_addresses, client_addresses)
        yield there, here


def serve(there, root, *listen, arguments=()):
    return Server(root, listen=listen, namespace=there, arguments=arguments)


def configured(tree, settings=None, **members):
    """Arguments for a server whose plugin `file` has these settings."""
    settings = {"root": str(tree.root), **(settings or {})}
    return ["--config", tree.config(instances=[{"name": "files", "plugin": "file", "settings": settings}], **members)]


def sources_of(server, name, options):
    """Fetches with a scripted client and returns the content and every host that a packet came from."""
    sources, content, block = set(), b"", 1
    with Client(server) as client:
        client.rrq(name, options)
        if options:
            sources.add(client._expect(tftplib.OACK, "OACK").source[0])  # pylint: disable=protected-access
            client.ack(0)
        while True:
            packet = client.expect_data(block)
            sources.add(packet.source[0])
            content += packet.data
            client.ack(block)
            block += 1
            if len(packet.data) < 512:
                return content, sources


def test_a_multihomed_server_answers_from_the_address_that_was_asked():
    with Tree() as tree, cable([a + "/24" for a in V4] + [a + "/64" for a in V6],
                               ["10.7.0.2/24", "fd07::2/64"]) as (there, here), \
            serve(there, tree.root, f"0.0.0.0:{PORT}", f"[::]:{PORT}"):
        content = tree.file("some.bin", 5000)
        for address in V4 + V6:
            for options in ((), (("tsize", "0"),)):
                got, sources = here.call(lambda a=address, o=options: sources_of((a, PORT), "some.bin", o))
                assert got == content, f"{address}: other bytes"
                assert sources == {address}, f"asked {address}, answered by {sources}"


def test_an_error_of_a_multihomed_server_comes_from_the_address_that_was_asked():
    with Tree() as tree, cable([a + "/24" for a in V4]) as (there, here), serve(there, tree.root, f"0.0.0.0:{PORT}"):
        def ask(address, op):
            with Client((address, PORT)) as client:
                client.send(tftplib.request("missing", op=op), client.server)
                return client.expect_error().source[0]
        for address in V4:
            for op in (tftplib.RRQ, tftplib.WRQ):
                assert here.call(lambda a=address, o=op: ask(a, o)) == address, (address, op)


def test_every_client_fetches_from_a_second_address_of_the_server():
    with Tree() as tree, cable([a + "/24" for a in V4] + [a + "/64" for a in V6],
                               ["10.7.0.2/24", "fd07::2/64"]) as (there, here), \
            serve(there, tree.root, f"0.0.0.0:{PORT}", f"[::]:{PORT}"):
        content = tree.file("some.bin", 5000)
        for command in COMMANDS:
            for address in (V4[1], V6[1]):
                with contextlib.suppress(Skip):
                    got = command.fetch((address, PORT), "some.bin", tree.path("out"), run_with=here.run)
                    assert got == content, f"{command.name} from {address}"


def broadcast(to, acks_to, options):
    """A whole transfer asked by broadcast; the ACKs go to the host `acks_to` or, with None, to where DATA came from."""
    sources, content, block = set(), b"", 0
    with Client((to, PORT)) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"veth0")
        window = int(dict(options).get("windowsize", 1))

        def acknowledge(number, packet):
            client.send(tftplib.ack(number), (acks_to or packet.source[0], packet.source[1]))

        client.rrq("ap.tar", options)
        if options:
            packet = client._expect(tftplib.OACK, "OACK")  # pylint: disable=protected-access
            sources.add(packet.source[0])
            acknowledge(0, packet)
        while True:
            block += 1
            packet = client.expect_data(block)
            sources.add(packet.source[0])
            content += packet.data
            if len(packet.data) < 512:
                acknowledge(block, packet)
                return content, sources
            if block % window == 0:
                acknowledge(block, packet)


def test_a_broadcast_request_is_answered_once_by_the_interface_and_its_broadcast_acks_count():
    # Several workers: the kernel copies a broadcast to every socket of the port.
    with Tree() as tree, cable() as (there, here), \
            serve(there, tree.root, f"0.0.0.0:{PORT}", arguments=["--workers", 4]):
        content = tree.file("ap.tar", 20_000)
        for to in ("255.255.255.255", "10.7.0.255"):
            for acks_to in (to, None):
                for options in ((), (("windowsize", "4"),)):
                    got, sources = here.call(lambda t=to, a=acks_to, o=options: broadcast(t, a, o))
                    assert got == content, f"asked {to}, ACKs to {acks_to}, {options}: other bytes"
                    assert sources == {"10.7.0.1"}, f"asked {to}, answered by {sources}"


def agreed(here, address, options=(("blksize", "8192"),)):
    transfer = here.call(lambda: fetch((address, PORT), "some.bin", options))
    return int(dict(transfer.options)["blksize"]), transfer.content


def test_the_blksize_answered_fits_the_mtu_of_the_way():
    with Tree() as tree:
        content = tree.file("some.bin", 40_000)
        for mtu in (1400, 576):
            with cable() as (there, here):
                there.ip("link", "set", "veth0", "mtu", mtu)
                here.ip("link", "set", "veth0", "mtu", mtu)
                with serve(there, tree.root, f"0.0.0.0:{PORT}"):
                    assert agreed(here, V4[0]) == (mtu - 32, content), mtu  # IP 20, UDP 8, TFTP 4
        with cable(["fd07::1/64"], ["fd07::2/64"]) as (there, here):
            there.ip("link", "set", "veth0", "mtu", 1280)
            here.ip("link", "set", "veth0", "mtu", 1280)
            with serve(there, tree.root, f"[::]:{PORT}"):
                assert agreed(here, V6[0]) == (1280 - 52, content)


def test_a_route_with_a_smaller_mtu_counts_too():
    with Tree() as tree, cable() as (there, here), serve(there, tree.root, f"0.0.0.0:{PORT}"):
        content = tree.file("some.bin", 40_000)
        assert agreed(here, V4[0]) == (1500 - 32, content)
        there.ip("route", "add", "10.7.0.2/32", "dev", "veth0", "mtu", "1200")
        # The server remembers for a second what it knows of a way.
        tftplib.eventually(lambda: agreed(here, V4[0]) == (1200 - 32, content), "the new mtu")


def test_without_respect_path_mtu_the_blksize_is_what_was_asked():
    with Tree() as tree:
        content = tree.file("some.bin", 40_000)
        arguments = configured(tree, protocol={"respect_path_mtu": False})
        for options in ((("blksize", "8192"),), (("blksize", "8192"), ("windowsize", "4"))):
            with cable() as (there, here):
                there.ip("link", "set", "veth0", "mtu", 576)
                here.ip("link", "set", "veth0", "mtu", 576)
                with serve(there, None, f"0.0.0.0:{PORT}", arguments=arguments):
                    assert agreed(here, V4[0], options) == (8192, content), options


def test_a_link_local_address_with_its_scope_works():
    with Tree() as tree, cable(["fe80::7/64"], ["fe80::8/64"]) as (there, here), \
            serve(there, tree.root, f"[::]:{PORT}"):
        content = tree.file("some.bin", 50_000)
        out = tree.path("out")
        here.run([binary(), "get", f"tftp://[fe80::7%veth0]:{PORT}/some.bin", "-o", out])
        assert out.read_bytes() == content
        out.unlink()
        need("curl")
        here.run(["curl", "-sS", f"tftp://[fe80::7%25veth0]:{PORT}/some.bin", "-o", out])
        assert out.read_bytes() == content


def test_a_server_at_a_link_local_address_with_its_scope_works():
    with Tree() as tree, cable(["fe80::7/64"], ["fe80::8/64"]) as (there, here), \
            serve(there, tree.root, f"[fe80::7%veth0]:{PORT}"):
        content = tree.file("some.bin", 50_000)
        got = here.call(lambda: fetch(("fe80::7%veth0", PORT), "some.bin", (("windowsize", "4"),)))
        assert got.content == content


def test_get_keeps_the_address_that_it_asked_from_when_a_better_one_comes():
    # As when a machine has just come up: its addresses become usable one after the other, and the kernel would change over to
    # the one nearest to the server. The server knows a client by its address and answers any other with ERROR 5.
    with Tree() as tree, cable(["fe80::7/64"], ["fe80:0:0:0:8000::8/64"]) as (there, here), \
            serve(there, tree.root, f"[fe80::7%veth0]:{PORT}") as server:
        content = tree.file("some.bin", 4_000_000)
        out = tree.path("out")
        command = [*here.prefix, binary(), "get", f"tftp://[fe80::7%veth0]:{PORT}/some.bin", "-o", out,
                   "--blksize", "64", "--windowsize", "1"]
        with subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True) as client:
            server.wait_counter("requests", 1)
            here.ip("address", "add", "fe80::8/64", "dev", "veth0", "nodad")
            assert client.poll() is None, "the file is too small: it was there before the address"
            said = client.communicate(timeout=120)[1]
        assert client.returncode == 0, said
        assert out.read_bytes() == content
        assert server.counters()["strangers"] == 0


def test_windows_leave_as_segmented_datagrams():
    need("strace")
    with Tree() as tree:
        content, trace = tree.file("some.bin", 1_000_000), tree.path("trace")
        command = ["strace", "-D", "-f", "-qq", "-e", "trace=sendmsg", "-o", trace, binary(), "serve"]
        try:
            server = Server(tree.root, command=[str(word) for word in command])
            server.__enter__()
        except Failed as reason:
            if "ptrace" in str(reason):
                raise Skip("strace may not trace here") from reason
            raise
        try:
            got = fetch(server.address, "some.bin", (("blksize", "1000"), ("windowsize", "16")))
        finally:
            server.stop()
        assert got.content == content
        calls = trace.read_text(errors="replace").splitlines()
        segmented = [line for line in calls if re.search(r"cmsg_type=(UDP_SEGMENT|0x67)", line)]
        print(f"         1,000 blocks in {len(calls)} calls of sendmsg, {len(segmented)} of them with UDP_SEGMENT")
        # 63 windows; repeats on a busy machine come on top.
        assert len(segmented) >= 30, calls[:5]
        assert len(calls) < 600, "windows leave block by block"


def netem(end, *what):
    done = run([*end.prefix, "tc", "qdisc", "add", "dev", "veth0", "root", "netem", *what], check=False)
    if done.returncode != 0:
        raise Skip("this kernel has no netem: " + done.stderr.strip())


def test_two_tenths_of_a_percent_loss_costs_seconds_not_a_minute():
    """10 MB at blksize 1428 in lockstep, 0.2 % loss each way: the best peer takes 40 s."""
    need("tc", "curl")
    with Tree() as tree, cable() as (there, here):
        for end in (there, here):
            netem(end, "loss", "0.2%")
        content = tree.file("f", 10_000_000)
        with serve(there, tree.root, f"0.0.0.0:{PORT}"):
            url, out = f"tftp://{V4[0]}:{PORT}/f", tree.path("out")
            for window, command in ((1, ["curl", "-sS", "--tftp-blksize", "1428", url, "-o", out]),
                                    (16, [binary(), "get", url, "--windowsize", "16", "-o", out])):
                began = time.monotonic()
                here.run(command)
                seconds = time.monotonic() - began
                assert out.read_bytes() == content
                print(f"         windowsize {window}: {seconds:.2f} s")
                assert seconds < 20, f"{seconds:.1f} s"


def test_ten_percent_loss_reordering_and_copies_end_byte_identical():
    need("tc")
    with Tree() as tree, cable() as (there, here):
        for end in (there, here):
            netem(end, "loss", "10%", "delay", "2ms", "1ms", "duplicate", "2%", "reorder", "10%")
        content = tree.file("f", 150_000)
        with serve(there, tree.root, f"0.0.0.0:{PORT}"):
            for window in (1, 4, 16):
                here.run([binary(), "get", f"tftp://{V4[0]}:{PORT}/f", "--windowsize", window, "-o", tree.path("out")],
                         seconds=120)
                assert tree.path("out").read_bytes() == content, window


def test_every_client_ends_byte_identical_with_a_fifth_lost_and_damage_by_the_kernel():
    need("tc")
    with Tree() as tree, cable() as (there, here):
        for end in (there, here):
            netem(end, "loss", "20%", "delay", "2ms", "1ms", "duplicate", "2%", "reorder", "10%", "corrupt", "2%")
        content = tree.file("f", 8_000)
        with serve(there, tree.root, f"0.0.0.0:{PORT}"):
            for command in COMMANDS:
                for attempt in range(4):  # clients have patience for five or six losses in a row
                    with contextlib.suppress(Skip, Failed):
                        got = command.fetch((V4[0], PORT), "f", tree.path("out"), run_with=here.run)
                        assert got == content, f"{command.name} kept other bytes"
                        break
                    assert attempt < 3, f"{command.name} gave up four times"


def test_the_mac_address_of_a_neighbour_is_known_to_plugins():
    with Tree() as tree, cable() as (there, here):
        mac = "02:00:00:00:00:50"
        here.ip("link", "set", "veth0", "address", mac)
        content = tree.file(f"{mac.replace(':', '-')}/menu.cfg", 700)
        assert content != tree.file("menu.cfg", 100)
        with serve(there, None, f"0.0.0.0:{PORT}", arguments=configured(tree, {"per_client": ["mac"]})):
            assert here.call(lambda: fetch((V4[0], PORT), "menu.cfg").content) == content


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
