#!/usr/bin/python3
"""What crosses a network, in network namespaces that the test makes: the address that answers, broadcast, the path MTU, loss."""
import pathlib
import socket
import sys
import time

import tftplib
from tftplib import COMMANDS, Client, Namespace, Server, Skip, Tree, connect, fetch, run

SERVER, SECOND, CLIENT = "10.77.0.1", "10.77.0.2", "10.77.0.50"


class Cable:
    """A server's namespace with two addresses for each family on one link, and a client's at the other end."""

    def __enter__(self):
        self.server, self.client = Namespace(), Namespace()
        self.server.__enter__()
        try:
            self.client.__enter__()
            connect(self.server, self.client,
                    [f"{SERVER}/24", f"{SECOND}/24", "fd77::1/64", "fd77::2/64"], [f"{CLIENT}/24", "fd77::50/64"])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.client.remove()
        self.server.remove()


def test_the_address_that_was_asked_answers():
    with Tree() as tree, Cable() as cable, Server(tree.root, listen=["0.0.0.0:69", "[::]:69"], namespace=cable.server):
        content = tree.file("f", 3000)
        for address in (SERVER, SECOND, "fd77::1", "fd77::2"):
            def exchange(address=address):
                seen = set()
                transfer = fetch((address, 69), "f", [("blksize", "700")],
                                 drop=lambda packet: seen.add(packet.source[0]))
                return transfer.content, seen
            got, sources = cable.client.call(exchange)
            assert got == content
            assert sources == {address}, f"asked {address}, answered by {sources}"


def test_real_clients_reach_the_second_address_of_a_multihomed_server():
    with Tree() as tree, Cable() as cable, Server(tree.root, listen=["0.0.0.0:69"], namespace=cable.server):
        content = tree.file("f", 5000)
        for command in COMMANDS:
            try:
                got = command.fetch((SECOND, 69), "f", tree.path("out"), run_with=cable.client.run)
            except Skip as reason:
                print(f"         without {command.name}: {reason}")
                continue
            assert got == content, command.name


def test_a_link_local_client_is_answered_on_its_link():
    with Tree() as tree, Cable() as cable, Server(tree.root, listen=["[::]:69"], namespace=cable.server):
        content = tree.file("f", 3000)
        shown = cable.server.ip("-6", "address", "show", "dev", "veth0", "scope", "link").stdout
        words = [word for word in shown.split() if word.startswith("fe80:")]
        if not words:
            raise Skip("no link-local address here")
        address = words[0].split("/")[0]

        def exchange():
            deadline = time.monotonic() + 20
            while True:  # the link-local address of the client is tentative for a moment
                try:
                    scoped = socket.getaddrinfo(f"{address}%veth0", 69, type=socket.SOCK_DGRAM)[0][4]
                    return fetch(scoped, "f").content
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)
        assert cable.client.call(exchange) == content


def test_a_broadcast_request_is_answered_by_the_interface_and_broadcast_acks_count():
    """Cisco access points in MODE-button recovery, IOS AutoInstall: RRQ and ACKs go to 255.255.255.255."""
    with Tree() as tree, Cable() as cable, Server(tree.root, listen=["0.0.0.0:69"], namespace=cable.server):
        content = tree.file("ap3g2-k9w7-tar.default", 1300)

        def exchange():
            with Client(("255.255.255.255", 69), local=(CLIENT, 0)) as client:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"veth0")
                client.rrq("ap3g2-k9w7-tar.default")
                got = b""
                for block in (1, 2, 3):
                    packet = client.expect_data(block)
                    got += packet.data
                    assert packet.source[0] in (SERVER, SECOND), packet.source
                    client.send(tftplib.ack(block), ("255.255.255.255", packet.source[1]))
                client.expect_nothing(0.7)
                return got
        assert cable.client.call(exchange) == content


def blksize_answered(cable, **more):
    with Tree() as tree, Server(tree.root, listen=["0.0.0.0:69", "[::]:69"], namespace=cable.server, **more):
        content = tree.file("f", 5000)
        answers = []
        for address in (SERVER, "fd77::1"):
            transfer = cable.client.call(lambda address=address: fetch((address, 69), "f", [("blksize", "1468")]))
            assert transfer.content == content
            answers.append(int(dict(transfer.options)["blksize"]))
        return answers


def test_the_blksize_answered_fits_the_path_mtu():
    with Cable() as cable:
        for end in (cable.server, cable.client):
            end.ip("link", "set", "veth0", "mtu", "1400")
        assert blksize_answered(cable) == [1400 - 20 - 8 - 4, 1400 - 40 - 8 - 4]


def test_the_path_mtu_can_be_left_alone():
    with Cable() as cable, Tree() as tree:
        for end in (cable.server, cable.client):
            end.ip("link", "set", "veth0", "mtu", "1400")
        tree.file("f", 5000)
        config = tree.file("config.json", (f'{{"protocol": {{"respect_path_mtu": false}}, "listen": ["{SERVER}:69"], '
                                           f'"instances": [{{"name": "f", "plugin": "file", '
                                           f'"settings": {{"root": "{tree.root}"}}}}]}}').encode())
        assert config
        with Server(None, listen=[f"{SERVER}:69"], namespace=cable.server,
                    arguments=["--config", tree.root / "config.json"]):
            transfer = cable.client.call(lambda: fetch((SERVER, 69), "f", [("blksize", "1468")]))
            assert dict(transfer.options)["blksize"] == "1468" and len(transfer.content) == 5000


def netem(end, *what):
    done = run([*end.prefix, "tc", "qdisc", "add", "dev", "veth0", "root", "netem", *what], check=False)
    if done.returncode != 0:
        raise Skip("this kernel has no netem: " + done.stderr.strip())


def test_two_tenths_of_a_percent_loss_costs_seconds_not_a_minute():
    """10 MB at blksize 1428 in lockstep, 0.2 % loss each way: the best peer takes 40 s."""
    with Cable() as cable, Tree() as tree:
        for end in (cable.server, cable.client):
            netem(end, "loss", "0.2%")
        content = tree.file("f", 10_000_000)
        with Server(tree.root, listen=[f"{SERVER}:69"], namespace=cable.server):
            for window in (1, 16):
                began = time.monotonic()
                cable.client.run(["curl", "-sS", "--tftp-blksize", "1428", f"tftp://{SERVER}/f", "-o", tree.path("out")]
                                 if window == 1 else
                                 [tftplib.binary(), "get", f"tftp://{SERVER}/f", "--windowsize", window, "-o", tree.path("out")])
                seconds = time.monotonic() - began
                assert tree.path("out").read_bytes() == content
                print(f"         windowsize {window}: {seconds:.2f} s")
                assert seconds < 20, f"{seconds:.1f} s"


def test_ten_percent_loss_reordering_and_copies_end_byte_identical():
    with Cable() as cable, Tree() as tree:
        for end in (cable.server, cable.client):
            netem(end, "loss", "10%", "delay", "2ms", "1ms", "duplicate", "2%", "reorder", "10%")
        content = tree.file("f", 150_000)
        with Server(tree.root, listen=[f"{SERVER}:69"], namespace=cable.server):
            for window in (1, 4, 16):
                cable.client.run([tftplib.binary(), "get", f"tftp://{SERVER}/f", "--windowsize", window,
                                  "-o", tree.path("out")], seconds=120)
                assert tree.path("out").read_bytes() == content, window


def test_the_mac_address_of_a_neighbour_is_known_to_plugins():
    with Cable() as cable, Tree() as tree:
        mac = "02:00:00:00:00:50"
        cable.client.ip("link", "set", "veth0", "address", mac)
        directory = mac.replace(":", "-")
        content = tree.file(f"{directory}/menu.cfg", 700)
        other = tree.file("menu.cfg", 100)
        assert content != other
        tree.file("config.json", (f'{{"instances": [{{"name": "f", "plugin": "file", "settings": '
                                  f'{{"root": "{tree.root}", "per_client": ["mac"]}}}}]}}').encode())
        with Server(None, listen=[f"{SERVER}:69"], namespace=cable.server,
                    arguments=["--config", tree.root / "config.json"]):
            assert cable.client.call(lambda: fetch((SERVER, 69), "menu.cfg").content) == content


if __name__ == "__main__":
    tftplib.require("ip", "tc")
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    tftplib.main(globals())
