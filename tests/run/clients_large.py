#!/usr/bin/python3
"""Large files and text with real clients: 100 MB with each of them, IPv6, netascii, and the options they send."""
import tftplib
from tftplib import COMMANDS, Server, Skip, Tree, at_once, need, run

LARGE = 100_000_000
BEST = {"curl": (("blksize", "8192"),), "atftp": (("blksize", "1428"), ("windowsize", "16")), "busybox": (("blksize", "8192"),)}


def every_client(server, name, content, tree, options_of):
    """The clients fetch side by side."""
    def fetch(command):
        try:
            got = command.fetch(server.address, name, tree.path(command.name), options_of(command))
        except Skip as reason:
            print(f"         without {command.name}: {reason}")
            return
        assert got == content, f"{command.name}: {len(got)} of {len(content)} bytes, or other ones"

    at_once(*(lambda c=command: fetch(c) for command in COMMANDS))


def test_every_client_gets_a_hundred_megabytes_with_its_options():
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("large", LARGE)
        every_client(server, "large", content, tree, lambda command: BEST.get(command.name, ()))


def test_every_client_gets_more_than_65535_blocks_over_ipv6_without_options():
    with Tree() as tree, Server(tree.root, listen=["[::1]:0"]) as server:
        content = tree.file("many", 65_537 * 512)  # exactly n blocks
        every_client(server, "many", content, tree, lambda command: ())


def test_text_in_the_default_mode_of_tftp_hpa_arrives_as_it_is():
    need("tftp")
    with Tree() as tree, Server(tree.root) as server:
        out = tree.path("out")
        for content in (b"", b"x", b"\n", b"one\ntwo\n" * 300, b"bare\rreturns\r\n\r" * 200, b"a" * 511 + b"\n", b"a" * 512):
            tree.file("text", content)
            out.unlink(missing_ok=True)
            run(["tftp", "-m", "ascii", *map(str, server.address), "-c", "get", "text", out])
            assert out.read_bytes() == content, content[:40]


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
