#!/usr/bin/python3
"""What fails around the server: its log's reader, its disk, the files that it sends, a client's port in a crowd. Transfers go
on, whatever else is lost; what concerns one transfer ends that one."""
import contextlib
import errno
import fcntl
import os
import pathlib
import random
import resource
import signal
import struct
import subprocess
import tempfile
import threading
import time

import tftplib
from tftplib import ERROR, OACK, Client, Faults, Server, Skip, Tree, at_once, eventually, fetch, run

F_SETPIPE_SZ = 1031


class Raw:
    """A server whose standard error is what the test gives it; nobody reads it unless the test does."""

    def __init__(self, root, stderr, *arguments):
        self.home = tempfile.TemporaryDirectory(prefix="tftpkit-home-")  # pylint: disable=consider-using-with
        command = [tftplib.binary(), "serve", str(root), "--listen", "127.0.0.1:0", *arguments]
        environment = {**os.environ, "RUNTIME_DIRECTORY": self.home.name, "STATE_DIRECTORY": self.home.name}
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,  # pylint: disable=consider-using-with
                                        stdout=subprocess.PIPE, stderr=stderr, env=environment, text=True)

    def __enter__(self):
        line = self.process.stdout.readline()
        self.address = ("127.0.0.1", int(line.rpartition(":")[2]))
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.home.cleanup()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


def misses(address, count):
    """Requests that each write a line of half a kilobyte."""
    with Client(address) as client:
        for number in range(count):
            client.rrq(f"{number}-" + "m" * 450)
            client.expect_error(1)


def test_a_log_reader_that_stands_still_costs_lines_and_no_transfer():
    with Tree() as tree:
        content = tree.file("x", 100_000)
        reading, writing = os.pipe()
        fcntl.fcntl(writing, F_SETPIPE_SZ, 4096)
        with Raw(tree.root, writing) as server:
            os.close(writing)
            misses(server.address, 3000)  # more than the pipe and the queue of a megabyte hold
            assert fetch(server.address, "x").content == content
            lines = []
            reader = threading.Thread(target=lambda: lines.extend(os.fdopen(reading, errors="replace")))
            reader.start()  # now somebody reads again, and learns what was missed
            misses(server.address, 5)
            assert server.stop() == 0
            reader.join()
        lost = [line for line in lines if "log lines were lost" in line]
        assert lost and "they were not read in time" in lost[0], lines[-3:]
        assert all(line.endswith("\n") for line in lines)


def test_a_log_reader_that_went_away_costs_lines_and_no_transfer():
    with Tree() as tree:
        content = tree.file("x", 100_000)
        reading, writing = os.pipe()
        with Raw(tree.root, writing) as server:
            os.close(writing)
            os.close(reading)
            misses(server.address, 20)
            assert fetch(server.address, "x").content == content
            assert server.stop() == 0


def test_a_full_disk_costs_lines_of_the_log_which_are_counted_once_there_is_room():
    with Tree() as tree:
        content = tree.file("x", 50_000)
        log = tree.path("log")
        config = tree.config(log={"file": str(log)},
                             instances=[{"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}])
        with Server(arguments=["--config", config]) as server:
            eventually(lambda: "listening" in log.read_text(), "the first lines")
            pid = server.process.pid
            limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (log.stat().st_size + 100, limits[1]))
            misses(server.address, 30)
            assert fetch(server.address, "x").content == content
            assert server.process.poll() is None, "SIGXFSZ ended it"
            assert log.stat().st_size < 5000
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)

            def told():
                misses(server.address, 1)
                return "log lines were lost" in log.read_text()
            eventually(told, "a line about the lost ones")
            line = next(line for line in log.read_text().splitlines() if "log lines were lost" in line)
            assert os.strerror(errno.EFBIG) in line and "lines=" in line, line
            assert server.stop() == 0


def on_small_disk(place):
    """The words that start a server with a disk of its own, as small as a log soon is, mounted at `place` where only it sees it."""
    mount = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=64k none "$0" && exec "$@"', str(place)]
    tried = run([*mount, "true"], check=False)
    if tried.returncode != 0:
        raise Skip(f"no right to mount a disk for the test: {tried.stderr.strip()}")
    return [*mount, tftplib.binary(), "serve"]


def test_a_full_disk_below_log_and_state_costs_lines_and_no_transfer():
    with Tree() as tree:
        content = tree.file("x", 50_000)
        disk = tree.path("disk")
        disk.mkdir()
        config = tree.config(log={"file": str(disk / "log")}, state_dir=str(disk / "state"),
                             instances=[{"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}])
        with Server(command=on_small_disk(disk), arguments=["--config", config]) as server:
            inside = pathlib.Path(f"/proc/{server.process.pid}/root") / disk.relative_to("/")
            log = inside / "log"
            eventually(lambda: "listening" in log.read_text(), "the first lines")
            assert (inside / "state" / "plugin-crashes").exists()
            with Client(server.address) as under_way:
                under_way.rrq("x", [("blksize", "8192")])
                under_way.expect_oack([("blksize", "8192")])
                with contextlib.suppress(OSError), open(inside / "rest", "wb", buffering=0) as rest:
                    while rest.write(b"full" * 256):
                        pass
                before = log.stat().st_size
                misses(server.address, 100)
                assert fetch(server.address, "x").content == content
                under_way.ack(0)
                assert under_way.read_on(8192) == content
            assert server.process.poll() is None and log.stat().st_size < before + 4096 + 1
            (inside / "rest").unlink()

            def told():
                misses(server.address, 1)
                return "log lines were lost" in log.read_text()
            eventually(told, "a line about the lost ones")
            line = next(line for line in log.read_text().splitlines() if "log lines were lost" in line)
            assert os.strerror(errno.ENOSPC) in line, line
            assert server.stop() == 0


def test_a_device_that_is_always_full_is_no_reason_not_to_serve():
    with Tree() as tree:
        content = tree.file("x", 50_000)
        os.symlink("/dev/full", tree.path("full"))
        config = tree.config(log={"file": str(tree.path("full"))},
                             instances=[{"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}])
        with Server(arguments=["--config", config]) as server:
            misses(server.address, 20)
            assert fetch(server.address, "x").content == content
            assert server.stop() == 0


def rest_after(server, name, change):
    """Fetches with blksize 8192 and calls change() after the first block; the bytes, or the ERROR."""
    with Client(server.address) as client:
        client.rrq(name, [("blksize", "8192")])
        if client.receive().op != OACK:
            raise tftplib.Failed("no OACK")
        client.ack(0)
        got = client.expect_data(1).data
        change()
        client.ack(1)
        block = 1
        while True:
            packet = client.receive()
            if packet.op == ERROR:
                return packet
            if packet.block != block + 1:
                continue
            block += 1
            got += packet.data
            client.ack(block)
            if len(packet.data) < 8192:
                return got


def grow_old(tree):
    """Waits until every file is old enough for transfers to share what is read of it: more than 3 seconds."""
    newest = max(path.stat().st_ctime for path in tree.root.rglob("*"))
    eventually(lambda: time.time() - newest > 4.5, "files to be old enough")


def test_a_file_that_is_replaced_or_removed_while_it_is_sent_comes_whole_as_it_was():
    with Tree() as tree, Server(tree.root) as server:
        cases = [(change, old) for change in ("replaced", "removed", "directory removed") for old in (False, True)]
        content = {case: tree.file(f"{case}/x", 1_000_000) for case in cases if case[1]}
        grow_old(tree)
        for case in cases:
            if not case[1]:
                content[case] = tree.file(f"{case}/x", 1_000_000)

            def act(change=case[0], path=tree.root / str(case) / "x"):
                if change == "replaced":
                    beside = path.with_name("new")
                    beside.write_bytes(b"N" * 1_000_000)
                    os.rename(beside, path)
                else:
                    path.unlink()
                if change == "directory removed":
                    path.parent.rmdir()
            assert rest_after(server, f"{case}/x", act) == content[case], case


def test_a_file_that_is_cut_ends_its_transfer_and_not_the_server():
    """Cut to nothing, to a page, within a page and a block: reading past an end must not be a signal."""
    with Tree() as tree, Server(tree.root) as server:
        lengths = (0, 4096, 6000, 8192, 500_000)
        for length in lengths:
            tree.file(f"old-{length}", 1_000_000)
        grow_old(tree)
        for name in [f"{age}-{length}" for age in ("new", "old") for length in lengths]:
            if name.startswith("new"):
                tree.file(name, 1_000_000)
            packet = rest_after(server, name, lambda name=name: os.truncate(tree.root / name, int(name[4:])))
            assert not isinstance(packet, bytes), f"{name}: {len(packet)} bytes and no ERROR"
            assert "shorter" in packet.text or "changed" in packet.text, packet
        assert server.stop() == 0


def test_the_same_size_with_other_bytes_is_an_error_and_not_a_mixture():
    with Tree() as tree, Server(tree.root) as server:
        tree.file("old", 1_000_000)
        grow_old(tree)
        tree.file("new", 1_000_000)
        for name in ("old", "new"):
            def overwrite(name=name):
                with open(tree.root / name, "r+b") as file:
                    file.seek(500_000)
                    file.write(b"other bytes")
            packet = rest_after(server, name, overwrite)
            assert not isinstance(packet, bytes) and "changed" in packet.text, packet


def edition(number, size):
    """A file of which every 16 bytes say which edition it is, and how long that is."""
    return struct.pack(">QQ", number, size) * (size // 16)


def test_files_that_change_all_the_time_come_whole_or_not_at_all():
    """More and larger files than a worker holds, some of them replaced, overwritten or cut while many clients load them."""
    sizes, over, came, failures = (1600, 65_536, 65_552, 1_500_000), threading.Event(), [], []
    chance = random.Random(1)
    with Tree() as tree, Server(tree.root) as server:
        for number in range(24):
            (tree.root / str(number)).write_bytes(edition(number, chance.choice(sizes)))
        grow_old(tree)

        def load(seed):
            choice = random.Random(seed)
            while not over.is_set():
                options = [("blksize", choice.choice(("512", "1428", "8192"))), ("windowsize", choice.choice(("1", "16", "64")))]
                try:
                    content = fetch(server.address, str(choice.randrange(24)), options, patience=0.5).content
                except tftplib.Failed as failed:
                    failures.append(str(failed))
                    continue
                # While it is being written a file may be seen when it is shorter: but of one edition only.
                of = edition(*struct.unpack(">QQ", content[:16])) if len(content) >= 16 else b""
                came.append(content == of[:len(content)])

        def change(number):
            path, content = tree.root / str(number % 24), edition(number, chance.choice(sizes))
            how = chance.choice(("replace", "overwrite", "cut"))
            if how == "cut":
                os.truncate(path, path.stat().st_size // 32 * 16)
            if how == "replace":
                (tree.root / "new").write_bytes(content)
                os.replace(tree.root / "new", path)
            else:
                path.write_bytes(content)

        clients = [threading.Thread(target=load, args=(seed,)) for seed in range(6)]
        for client in clients:
            client.start()
        for number in range(24, 24 + 60):
            change(number)
            time.sleep(0.1)
        over.set()
        for client in clients:
            client.join()
        assert came and all(came), f"{came.count(False)} of {len(came)} files are a mixture"
        assert all("changed" in text or "shorter" in text for text in failures), failures
        print(f"         {len(came)} files came whole, {len(failures)} were given up")
        eventually(lambda: server.counters()["open_transfers"] == 0, "every transfer to end")


def test_a_port_that_epoll_does_not_take_back_at_once_is_not_deaf_for_ever():
    """An ICMP error takes a port out of the loop for a moment. When the kernel has no memory to put it back, the transfers on
    it wait, and go on."""
    with Tree() as tree, Faults() as faults:
        content = tree.file("x", 100_000)
        config = tree.config(workers=1, retry={"initial": "100ms"}, instances=[
            {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}])
        with Server(arguments=["--config", config], environment=faults.environment) as server:
            clients = [Client(server.address) for _ in range(12)]  # more than ports: some share the one that is struck
            for client in clients:
                client.rrq("x", [("blksize", "512")])
                client.expect_oack([("blksize", "512")])
            faults.fail("epoll_add", errno.ENOMEM, times=3)
            clients[0].socket.close()  # its next OACK is answered by ICMP
            server.wait_until(lambda: faults.hits("epoll_add") == 3, what="the port to be struck three times")

            def goes_on(client):
                client.ack(0)
                assert client.read_on() == content
                client.socket.close()
            at_once(*[lambda client=client: goes_on(client) for client in clients[1:]])
            assert server.process.poll() is None
            assert server.stop() == 0


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals(), side_by_side=4)
