#!/usr/bin/python3
"""Tens of thousands of transfers open in one process at once: what each costs, and that all come to their end.

    python3 tests/run/many_open.py --transfers 50000
"""
import os
import resource
import subprocess
import sys
import time

import tftplib
from tftplib import Server, Skip, Tree, eventually, sample_plugin

TRANSFERS = 20_000
OF_ONE_PROGRAM = 15_000  # clients have a descriptor each
RESERVE = 400            # descriptors that the server needs beside those of files
HELLO = b"Hello from C!\n"


def load_program():
    path = os.environ.get("LOAD") or os.path.join(os.path.dirname(tftplib.binary()), "..", "tests", "bench", "load")
    if not os.access(path, os.X_OK):
        raise Skip(f"the load program is not built ({path})")
    return path


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def crowds(server, name, content, transfers):
    """So many clients in programs of their own, each at an address of its own."""
    begun, number = [], 0
    while transfers > 0:
        share = min(OF_ONE_PROGRAM, transfers)
        begun.append(subprocess.Popen(
            [load_program(), "--port", str(server.port), "--from", f"127.0.{80 + number}.1", "--name", name, "--content", content,
             "--clients", str(share), "--transfers", str(share), "--blksize", "1000", "--seconds", "300", "--patience", "20",
             "--hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        transfers, number = transfers - share, number + 1
    return begun


def held(server, name, content, transfers):
    """Opens them all, looks at the server, lets them go to their end. (bytes and descriptors for each, seconds to open all)."""
    before = server.memory(), descriptors(server)
    began = time.monotonic()
    clients = crowds(server, name, str(content), transfers)
    for client in clients:
        said = client.stdout.readline().strip()
        assert said == "held", said
    seconds = time.monotonic() - began
    assert server.counters()["open_transfers"] == transfers, server.counters()
    now = server.memory(), descriptors(server)
    for client in clients:
        client.stdin.close()
    for client in clients:
        said = client.stdout.read()
        assert client.wait(300) == 0, said
    eventually(lambda: server.counters()["open_transfers"] == 0, "every transfer to end", 60)
    return (now[0] - before[0]) / transfers, (now[1] - before[1]) / transfers, seconds


def serving(tree, transfers):
    files = {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}
    limits = {"transfers": transfers, "transfers_per_client": transfers, "requests_per_second_per_client": 1_000_000,
              "request_burst_per_client": 1_000_000}
    # Nothing is sent again while all are being opened: this is about how many there can be.
    config = tree.config(plugins=[str(sample_plugin("hello-c"))], limits=limits, log={"level": "info"},
                         retry={"initial": "120s", "max": "120s", "silence": "300s"},
                         instances=[files, {"name": "hello", "plugin": "hello-c"}],
                         routes=[{"match": "file", "to": "files"}, {"to": "hello"}])
    return Server(arguments=["--config", config])


def test_so_many_transfers_are_open_at_once_and_all_end(transfers=TRANSFERS):
    with Tree() as tree, serving(tree, transfers) as server:
        limit = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[0]
        tree.file("file", 900)
        hello = tree.path("hello")
        hello.write_bytes(HELLO)
        each, numbers, seconds = held(server, "hello", hello, transfers)
        print(f"         {transfers} transfers of bytes in memory open at once, after {seconds:.1f} s: {each:.0f} bytes resident "
              f"and {numbers:.3f} descriptors for each")
        assert each < 8192, f"{each:.0f} bytes for each transfer"
        from_files = min(transfers, limit - RESERVE)
        if from_files < transfers:
            print(f"         files: {from_files} of them, because this process may have {limit} descriptors here")
        each, numbers, seconds = held(server, "file", tree.root / "file", from_files)
        print(f"         {from_files} transfers of files open at once, after {seconds:.1f} s: {each:.0f} bytes resident and "
              f"{numbers:.3f} descriptors for each")
        assert numbers < 1.1 and each < 16384
        # What is allowed by the configuration and not by the system is refused in words, and nothing else happens.
        assert server.process.poll() is None
        assert server.stop() == 0


if __name__ == "__main__":
    tftplib.binary()
    if "--transfers" in sys.argv:
        test_so_many_transfers_are_open_at_once_and_all_end(int(sys.argv[sys.argv.index("--transfers") + 1]))
    else:
        tftplib.main(globals())
