#!/usr/bin/python3
"""Real clients fetch real files through file.so: every size that is a border, with options and without, IPv4 and IPv6,
block numbers that wrap, and loss both ways. Byte for byte."""
import socket

import tftplib
from tftplib import COMMANDS, Relay, Server, Skip, Tree, fetch

BORDERS = (0, 1, 511, 512, 513, 7 * 512, 1427, 1428, 1429, 10 * 1428)


def options_of(command):
    """Terms to try with this client: none, and what it can send."""
    yield ()
    if "blksize" in command.options:
        yield (("blksize", "1428"),)
    if "windowsize" in command.options:
        yield (("blksize", "1428"), ("windowsize", "8"))


def compare(command, server, tree, sizes):
    out = tree.path("fetched")
    for size in sizes:
        name = f"dir/{size}.bin"
        content = tree.file(name, size)
        for options in options_of(command):
            if size == 0 and options and command.name == "curl":
                continue  # curl 7.88 ends with 71 at tsize=0, the true size of an empty file
            got = command.fetch(server.address, name, out, options)
            assert got == content, f"{command.name} {options} got {len(got)} of {size} bytes, or other ones"


def sizes_on(listen, sizes):
    with Tree() as tree, Server(tree.root, listen=[listen]) as server:
        for command in COMMANDS:
            try:
                compare(command, server, tree, sizes)
            except Skip as reason:
                print(f"         without {command.name}: {reason}")


def test_every_client_gets_every_border_size_on_ipv4():
    sizes_on("127.0.0.1:0", BORDERS)


def test_every_client_gets_every_border_size_on_ipv6():
    if not socket.has_ipv6:
        raise Skip("no IPv6")
    sizes_on("[::1]:0", BORDERS)


def test_every_client_gets_more_than_65535_blocks():
    sizes_on("127.0.0.1:0", (65_540 * 512 + 17,))


def test_every_client_comes_through_ten_percent_loss_both_ways():
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("lossy", 60_000)
        for seed, command in enumerate(COMMANDS):
            for options in options_of(command):
                with Relay(server.address, to_server=0.1, to_client=0.1, seed=seed) as relay:
                    try:
                        assert command.fetch(relay.address, "lossy", tree.path("fetched"), options) == content, command.name
                    except Skip as reason:
                        print(f"         without {command.name}: {reason}")


def test_a_hundred_megabytes_with_large_blocks_and_windows():
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("large", 100_000_000)
        assert fetch(server.address, "large", [("blksize", "8192"), ("windowsize", "16")]).content == content


def test_a_missing_file_is_an_error_for_every_client():
    with Tree() as tree, Server(tree.root) as server, tftplib.Client(server.address) as client:
        client.rrq("missing")
        client.expect_error(1)
        client.rrq("missing", [("tsize", "0")])
        client.expect_error(1)


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
