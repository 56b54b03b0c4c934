#!/usr/bin/python3
"""Real clients fetch real files through file.so: every size that is a border, with options and without, IPv4 and IPv6,
block numbers that wrap, and loss both ways. Byte for byte."""
import socket

import tftplib
from tftplib import COMMANDS, Relay, Server, Skip, Tree, at_once, fetch

BORDERS = (0, 1, 511, 512, 513, 7 * 512, 1427, 1428, 1429, 10 * 1428)


def options_of(command):
    """Terms to try with this client: none, and what it can send."""
    yield ()
    if "blksize" in command.options:
        yield (("blksize", "1428"),)
    if "windowsize" in command.options:
        yield (("blksize", "1428"), ("windowsize", "8"))


def got_by(command, server, tree, name, options):
    """The bytes that a client fetches; None, and a word about it, without the client."""
    out = tree.path("-".join([command.name, *(value for _, value in options)]))
    try:
        return command.fetch(server.address, name, out, options)
    except Skip as reason:
        print(f"         without {command.name}: {reason}")
        return None


def compare(command, server, tree, sizes, terms):
    for size in sizes:
        for options in terms:
            if size == 0 and options and command.name == "curl":
                continue  # curl 7.88 ends with 71 at tsize=0, the true size of an empty file
            got = got_by(command, server, tree, f"dir/{size}.bin", options)
            if got is not None:
                content = tree.root.joinpath(f"dir/{size}.bin").read_bytes()
                assert got == content, f"{command.name} {options} got {len(got)} of {size} bytes, or other ones"


def sizes_on(listen, sizes, terms_of):
    """Each client fetches all sizes with all its terms; the clients do it side by side."""
    with Tree() as tree, Server(tree.root, listen=[listen]) as server:
        for size in sizes:
            tree.file(f"dir/{size}.bin", size)
        at_once(*(lambda c=command: compare(c, server, tree, sizes, list(terms_of(c))) for command in COMMANDS))


def test_every_client_gets_every_border_size_on_ipv4():
    sizes_on("127.0.0.1:0", BORDERS, options_of)


def test_every_client_gets_every_border_size_on_ipv6():
    if not socket.has_ipv6:
        raise Skip("no IPv6")
    sizes_on("[::1]:0", BORDERS, options_of)


def test_every_client_gets_more_than_65535_blocks():
    def terms_of(command):
        yield ()
        if "windowsize" in command.options:
            yield (("blksize", "512"), ("windowsize", "8"))
    sizes_on("127.0.0.1:0", (65_540 * 512 + 17,), terms_of)


def test_every_client_comes_through_ten_percent_loss_both_ways():
    """Side by side and not large: what takes long is the clients' own timers (curl wants 6 s, atftp waits 5 s)."""
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("lossy", 25_000)

        def fetch_through_loss(command, options, seed):
            with Relay(server.address, to_server=0.1, to_client=0.1, seed=seed) as relay:
                got = got_by(command, relay, tree, "lossy", options)
                assert got in (content, None), (command.name, options)
                assert got is None or relay.lost >= 2, f"nothing was lost: choose another seed than {seed}"

        at_once(*(lambda c=command, o=options, s=seed: fetch_through_loss(c, o, s)
                  for seed, command in enumerate(COMMANDS) for options in options_of(command)))


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
