#!/usr/bin/python3
"""In network namespaces that the test makes: loss and reordering by the kernel, and the MAC address of a neighbour.
Addresses, broadcast and MTU are in clients_network.py."""
import pathlib
import sys
import time

import tftplib
from tftplib import Namespace, Server, Skip, Tree, connect, fetch, run

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
