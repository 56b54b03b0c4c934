"""What the network tests share: the real server, a scripted client, a relay that loses packets, network namespaces.

Everything here ends what it began: use the classes with `with`. Traffic stays on loopback, or in namespaces that a test made.

    with tftplib.Tree() as tree:
        tree.file("hello", b"hello\n")
        with tftplib.Server(tree.root) as server, tftplib.Client(server.address) as client:
            client.rrq("hello", [("blksize", "1428")])
            client.expect_oack([("blksize", "1428")])
            client.ack(0)

A test program ends with `tftplib.main(globals())`: its functions test_* run in order, each with its name.
"""
from .client import Client, Transfer, fetch, refused
from .commands import COMMANDS, Command
from .faults import LESS, Faults
from .files import Tree, pattern, sha256
from .generations import drop_in, generation, generation_of, marker
from .namespaces import Namespace, connect
from .packets import (ACK, DATA, ERROR, OACK, RRQ, WRQ, Packet, ack, data, error, oack, parse, request)
from .plugins import go_environment, plugin_pattern, sample_plugin
from .processes import Server, run
from .relay import Relay
from .tests import TIME_LIMIT, Failed, Skip, abi_plugin, at_once, binary, eventually, main, need, require, which
