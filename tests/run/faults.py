#!/usr/bin/python3
"""System calls of the real server that fail: whatever the kernel says, the transfer concerned goes on or gets an ERROR with a
line in the log, the others beside it end whole, and the server is afterwards what it was before."""
import errno
import os
import resource
import signal
import subprocess
import time

import tftplib
from tftplib import DATA, ERROR, LESS, OACK, Client, Failed, Faults, Server, Tree, at_once, eventually, fetch
from tftplib.faults import name, words

OTHERS = 3
SIZE = 60_000
WHOLE = "whole"
OPTIONS = [("blksize", "1024"), ("windowsize", "4")]

# The call, how it fails, how often; what becomes of the transfer that it strikes at its beginning, and half way: words of
# its line in the log, and then an ERROR for the client. None: that call comes at the beginning only.
ONE, TWO, MANY, EVER = 1, 2, 20, 1_000_000
NO_SEND, NO_READ = "sending failed: ", "reading the file failed: "


def both(call, errors, times, begin, half=WHOLE):
    return [(call, error, times, begin, half) for error in errors]


def told(call, errors, times, text, half=None):
    """An ERROR whose line ends with the kernel's words."""
    return [(call, error, times, text + words(error), half and half + words(error)) for error in errors]


ROWS = [
    # Sending: what says nothing about this transfer is like a loss in the network.
    *both("sendmsg", (errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.EINTR, errno.EPERM, errno.ENETUNREACH,
                      errno.EHOSTUNREACH, errno.ENETDOWN, errno.ECONNREFUSED), ONE, WHOLE),
    *both("sendmsg", (errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM), MANY, WHOLE),
    *both("sendmsg", (errno.EPERM, errno.ENETUNREACH, errno.EHOSTUNREACH), TWO, WHOLE),
    # The first packet is a lone one; later a window that the device cannot cut leaves packet by packet.
    *[(*row[:4], WHOLE) for row in told("sendmsg", (errno.EIO, errno.EINVAL, errno.EMSGSIZE), ONE, NO_SEND)],
    *told("sendmsg", (errno.EACCES, errno.EADDRNOTAVAIL, errno.EPIPE), ONE, NO_SEND, NO_SEND),
    # Receiving: from whom, nobody can say.
    *both("recvmmsg", (errno.EAGAIN, errno.EINTR, errno.ENOMEM, errno.ENOBUFS, errno.ECONNREFUSED, errno.EHOSTUNREACH,
                       errno.EIO, LESS), ONE, WHOLE),
    *both("recvmmsg", (errno.ENOMEM, errno.EIO, LESS), MANY, WHOLE),
    # Finding and opening the file.
    *told("openat2", (errno.EMFILE, errno.ENFILE, errno.ENOMEM), MANY, "cannot be opened just now: "),
    *told("openat2", (errno.EIO, errno.ESTALE, errno.ENXIO), MANY, "cannot be opened: "),
    *both("openat2", (errno.EACCES, errno.EPERM), MANY, "may not read it", None),
    *both("openat2", (errno.EAGAIN, errno.EINTR), MANY, WHOLE, None),  # a rename under way: asked again
    *told("open", (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN), MANY, "cannot be opened just now: "),
    *told("open", (errno.EIO, errno.ESTALE), MANY, "cannot be opened: "),
    # Reading it.
    *told("preadv2", (errno.EIO, errno.ESTALE, errno.EBADF, errno.ENOMEM, errno.EISDIR), EVER, NO_READ, NO_READ),
    *both("preadv2", (errno.EAGAIN, errno.EINTR, errno.EOPNOTSUPP, LESS), ONE, WHOLE),
    ("preadv2", LESS, EVER, WHOLE, WHOLE),
    # Looking at the end whether it is still the same file.
    *told("fstat", (errno.EIO, errno.ESTALE), EVER, "", "still the same cannot be told: "),
]
# Of the first transfer at an address of the server: it needs a port there, and the path MTU is asked for by a socket of its
# own. Without a port there is an ERROR; without the MTU the transfer goes by what the client asked for.
FIRST = [
    *[("socket", error, 0) for error in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EACCES)],
    *[("bind", error, 0) for error in (errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.EACCES, errno.ENOMEM)],
    *[("epoll_add", error, 0) for error in (errno.ENOMEM, errno.ENOSPC)],
    *[("socket", error, 1) for error in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)],
    *[("bind", error, 1) for error in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.ENOMEM)],
    *[("connect", error, 0) for error in (errno.ENETUNREACH, errno.EACCES, errno.EAGAIN, errno.EADDRNOTAVAIL)],
]


SETTLED = 5  # seconds: SharedFiles waits for more than 3


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


class Trial:
    """A server with the preloaded library, files for the transfer that is struck and for those beside it."""

    def __init__(self, warm=12, settled=False, instance=None, **more):
        self.warm = warm  # transfers before it begins: as many ports as the server keeps
        self.settled = settled  # files so old that transfers share what was read of them
        self.instance, self.more = instance or {}, more  # of the configuration
        self.names = 0

    def __enter__(self):
        self.tree, self.faults = Tree().__enter__(), Faults().__enter__()
        size = 3 * SIZE if self.settled else SIZE  # shared files are read in pieces of 64 KiB
        self.content = self.tree.file("struck", size)
        self.inode = os.stat(self.tree.root / "struck").st_ino
        self.other = self.tree.file("other", size)
        config = self.tree.config(workers=1, retry={"silence": "4s", "initial": "50ms"}, log={"level": "info"},
                                  instances=[{"name": "files", "plugin": "file", "settings": {"root": str(self.tree.root)},
                                              **self.instance}], **self.more)
        self.server = Server(listen=("0.0.0.0:0",), environment=self.faults.environment,
                             arguments=["--config", config]).__enter__()
        self.place = ("127.0.0.1", self.server.port)
        for _ in range(self.warm):
            assert fetch(self.place, "other", OPTIONS).content == self.other
        self.before = descriptors(self.server)
        if self.settled:
            eventually(lambda: time.time() - os.stat(self.tree.root / "other").st_ctime > SETTLED, "files to be old enough")
        return self

    def __exit__(self, *what):
        self.server.__exit__(*what)
        self.faults.__exit__(*what)
        self.tree.__exit__(*what)

    def new_name(self):
        """Another name of the file that is struck: one of the last second is opened in a shorter way."""
        self.names += 1
        os.link(self.tree.root / "struck", self.tree.root / f"struck{self.names}")
        return f"struck{self.names}"

    def others_begin(self):
        clients = [Client(self.place) for _ in range(OTHERS)]
        for client in clients:
            client.rrq("other", OPTIONS)
            client.expect_oack(OPTIONS)
        return clients

    def other_ends(self, client):
        client.ack(0)
        got = client.read_on(1024, 4)
        assert got == self.other, f"a transfer beside: {len(got)} bytes or others"

    def is_as_before(self, ports=8):
        """No transfer is open, no descriptor more, and it serves. A crowd opens further ports at any time: what is left open in
        each case of many shows all the same."""
        self.faults.stop()
        assert fetch(self.place, "other", OPTIONS).content == self.other
        eventually(lambda: self.server.counters()["open_transfers"] == 0, "every transfer to end")
        eventually(lambda: descriptors(self.server) <= self.before + ports, "as few descriptors as before", 12)


def fate(client, at_half=None, file="struck", mode="octet"):
    """Fetches `file` by the book and returns its bytes, or the ERROR that came instead."""
    chunks, block, in_window = [], 0, 0
    client.rrq(file, OPTIONS, mode)
    last, since = None, time.monotonic()
    while True:
        packet = client.poll(0.3)
        if packet is None:
            if time.monotonic() - since > 20:
                raise Failed(f"neither a file nor an ERROR: silence after block {block}")
            client.send(last) if last else client.rrq(file, OPTIONS, mode)
            continue
        if packet.op == ERROR:
            return packet
        if packet.op == OACK and block == 0:
            last = tftplib.ack(0)
            client.send(last)
        if packet.op != DATA:
            continue
        if packet.block != block + 1:
            continue
        since, block, in_window = time.monotonic(), block + 1, in_window + 1
        chunks.append(packet.data)
        if block == 20 and at_half:
            at_half()
        end = len(packet.data) < 1024
        if end or in_window == 4 or at_half is None and block == 1:
            last = tftplib.ack(block)
            client.send(last)
            in_window = 0
        if end:
            return b"".join(chunks)


def strike(trial, call, error, times, half_way):
    """Others have begun, then it happens to one, and all go on. Returns what came to that one, its line, and the hits."""
    others = trial.others_begin()
    with Client(trial.place) as client:
        about = {"sendmsg": client.port, "sendmmsg": client.port, "preadv2": trial.inode, "fstat": trial.inode}.get(call, 0)
        before = trial.server.log_count("file=struck")
        came = []

        def arm():
            trial.faults.fail(call, error, times=times, about=about)

        def struck():
            if not half_way:
                arm()
            came.append(fate(client, arm if half_way else None, trial.new_name() if call == "open" else "struck"))

        at_once(struck, *[lambda other=other: trial.other_ends(other) for other in others])
        hits = trial.faults.hits(call)
        trial.faults.stop()
        trial.server.wait_until(lambda: trial.server.log_count("file=struck") > before, what="a line about the transfer")
        line = [line for line in trial.server.log.splitlines() if "file=struck" in line][-1]
    for other in others:
        other.socket.close()
    return came[0], line, hits


def check_one(trial, call, error, times, half_way, expected):
    came, line, hits = strike(trial, call, error, times, half_way)
    if expected == WHOLE:
        assert came == trial.content, f"{len(came) if isinstance(came, bytes) else came}; {line}"
    else:
        assert not isinstance(came, bytes), f"a whole file; {line}"
        assert expected in line, f"expected {expected!r} in: {line}"
    trial.is_as_before()
    return hits


def check_rows(call, settled=False):
    """All rows of one call at one server; tells of every one that goes wrong."""
    wrong, done = [], 0
    with Trial(settled=settled) as trial:
        for _, error, times, *expected in [row for row in ROWS if row[0] == call]:
            for half_way, end in zip((False, True), expected):
                if end is None:
                    continue
                try:
                    assert check_one(trial, call, error, times, half_way, end) > 0, "the call was never made"
                    done += 1
                except AssertionError as problem:
                    wrong.append(f"{call} {name(error)} x{times}{' half way' if half_way else ''}: {str(problem)[:500]}")
                    trial.faults.stop()
        assert not wrong, "\n".join(wrong)
        assert trial.server.stop() == 0
    print(f"         {call}: {done} cases, beside {OTHERS} transfers each")


def test_a_send_that_fails_is_a_loss_or_an_error_for_its_transfer():
    check_rows("sendmsg")


def test_receiving_that_fails_disturbs_nobody():
    check_rows("recvmmsg")


def test_a_file_that_cannot_be_opened_is_an_error_that_says_why():
    check_rows("openat2")
    check_rows("open")


def test_a_file_that_cannot_be_read_is_an_error_also_half_way():
    check_rows("preadv2")
    check_rows("fstat")


def test_a_file_that_transfers_share_and_that_cannot_be_read_is_an_error_for_those_who_need_it():
    check_rows("preadv2", settled=True)
    check_rows("fstat", settled=True)


def test_a_receive_that_fails_for_lack_of_memory_is_in_the_log():
    with Trial() as trial:
        trial.faults.fail("recvmmsg", errno.ENOMEM, times=5)
        assert fetch(trial.place, "other", OPTIONS).content == trial.other
        trial.server.wait_log("receiving failed why=\"Cannot allocate memory\"")


LOCKSTEP = [("blksize", "512")]


def is_stopped(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


def ask_together(trial, sockets):
    """All requests in one batch: the server stands still while they come. Returns their clients."""
    clients = [Client(trial.place) for _ in range(sockets)]
    trial.server.process.send_signal(signal.SIGSTOP)
    eventually(lambda: is_stopped(trial.server.process), "the server to stand still")
    for client in clients:
        client.rrq("other", LOCKSTEP)  # an OACK goes out again also to who has not answered yet
    return clients


def test_one_answer_that_cannot_leave_does_not_keep_those_behind_it():
    """A batch of requests is answered in one call; a firewall that forbids one of the answers is no concern of the others."""
    with Trial() as trial:
        for error in (errno.EPERM, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EINVAL, errno.EMSGSIZE, errno.ECONNREFUSED,
                      errno.EINTR, LESS):
            resends = trial.server.counters()["resends"]
            clients = ask_together(trial, 8)
            trial.faults.fail("sendmmsg", error, about=clients[0].port)
            trial.server.process.send_signal(signal.SIGCONT)
            for client in clients[1:]:
                client.expect_oack(LOCKSTEP)
                client.error(0)
            assert trial.faults.hits("sendmmsg") == 1, f"{name(error)}: the answers did not leave together"
            clients[0].expect_oack(LOCKSTEP)  # what was lost comes by the timer
            clients[0].error(0)
            for client in clients:
                client.socket.close()
            eventually(lambda: trial.server.counters()["open_transfers"] == 0, "every transfer to end")
            assert trial.server.counters()["resends"] - resends <= 1, f"{name(error)}: others waited for a resend"
        trial.is_as_before()


def test_a_full_socket_costs_a_resend_and_no_more():
    with Trial() as trial:
        for error in (errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM):
            clients = ask_together(trial, 8)
            trial.faults.fail("sendmmsg", error, times=3)
            trial.server.process.send_signal(signal.SIGCONT)
            for client in clients:
                client.expect_oack(LOCKSTEP)
                client.ack(0)
                assert client.read_on() == trial.other, name(error)
                client.socket.close()
        trial.is_as_before()


def test_without_a_port_the_first_client_of_an_address_gets_an_error_and_the_next_is_served():
    for call in ("socket", "bind", "epoll_add", "connect"):  # a server each: its log does not repeat a failure for ever
        check_first([row for row in FIRST if row[0] == call])


def check_first(rows):
    with Trial() as trial:
        for number, (call, error, after) in enumerate(rows, 2):
            case = f"{call} {name(error)} after {after}"
            others = trial.others_begin()
            place = (f"127.0.0.{number}", trial.server.port)
            trial.faults.fail(call, error, after=after)
            # From an address of its own too: what is known of the way to a client is not asked for again.
            with Client(place, local=(f"127.1.0.{number}", 0)) as client:
                client.rrq("struck", OPTIONS)
                packet = client.receive()
                assert trial.faults.hits(call) == 1, f"{case}: the call was never made"
                if after == 0 and call != "connect":
                    assert packet.op == ERROR and "try again later" in packet.text, f"{case}: {packet}"
                    trial.server.wait_log(f"no socket for this transfer: {words(error)}")
                else:
                    assert packet.op == OACK and packet.options == OPTIONS, f"{case}: {packet}"
                    client.error(0)
            at_once(*[lambda other=other: trial.other_ends(other) for other in others])
            for other in others:
                other.socket.close()
            assert fetch(place, "struck", OPTIONS).content == trial.content, case
        trial.is_as_before(ports=2 * len(rows))


def test_without_a_further_port_transfers_share_those_that_are_there():
    with Trial(warm=1) as trial:
        trial.faults.fail("socket", errno.EMFILE, times=EVER)
        for _ in range(20):
            assert fetch(trial.place, "other").content == trial.other
        trial.is_as_before(ports=8)


def test_out_of_memory_for_the_buffers_of_a_transfer_is_an_error_for_it():
    with Trial() as trial:
        trial.tree.file("struck", 2_000_000)
        for mode, options in (("octet", [("blksize", "8192"), ("windowsize", "32")]),
                              ("netascii", [("blksize", "8192"), ("windowsize", "32")])):
            others = trial.others_begin()
            trial.faults.fail("malloc", errno.ENOMEM, about=200_000)
            with Client(trial.place) as client:
                client.rrq("struck", options, mode)
                packet = client.expect_error(0)
                assert "out of memory, try again later" in packet.text, packet
            assert trial.faults.hits("malloc") == 1
            trial.server.wait_log("out of memory for its buffers")
            at_once(*[lambda other=other: trial.other_ends(other) for other in others])
            for other in others:
                other.socket.close()
            trial.is_as_before()


def lean(trial, mode, times):
    """One allocation after the other fails (and what is tried next, when `times` says so), up to the last one of a transfer.
    How many there were."""
    number, missed = 0, 0
    while missed < 2:
        trial.faults.fail("malloc", errno.ENOMEM, after=number, times=times)
        with Client(trial.place) as client:
            try:
                came = fate(client, mode=mode)
            except Failed as silence:
                raise Failed(f"allocation {number}, {mode}, {times} times: {silence}\n{trial.server.log}") from silence
        missed = 0 if trial.faults.hits("malloc") else missed + 1
        trial.faults.stop()
        assert trial.server.process.poll() is None, f"allocation {number}, {mode}: the server has ended\n{trial.server.log}"
        if isinstance(came, bytes):
            assert mode == "netascii" or came == trial.content, f"allocation {number}: {len(came)} bytes or others"
        else:  # what a thread of the plugin's could not say is missed after a while
            expected = ("out of memory", "did not answer in time", "is too slow")
            assert any(text in came.text for text in expected), f"allocation {number}, {mode}: {came}"
        number += 1
    return number - missed


def test_an_allocation_that_fails_costs_the_transfer_that_it_was_for():
    """Each one from the request to the line in the log, on the network thread and on one of the plugin's."""
    counts = []
    for more in ({}, {"execution": "serial"}):
        with Trial(warm=2, instance=more, answer_timeout="300ms", read_timeout="300ms") as trial:
            counts += [lean(trial, mode, times) for mode in ("octet", "netascii") for times in (1, 3)]
            trial.is_as_before()
            assert trial.server.stop() == 0
    print(f"         allocations of a transfer, each of which failed: {counts}")
    assert min(counts) >= 10, counts


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_command_that_cannot_be_accepted_waits_without_a_spinning_server():
    with Trial() as trial:
        trial.faults.fail("accept4", errno.EMFILE, times=EVER)
        command = [tftplib.binary(), "plugins", "list", "--control", trial.server.control]
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True) as asking:
            eventually(lambda: trial.faults.hits("accept4") > 0, "the command to be refused")
            before = cpu_seconds(trial.server.process), trial.faults.hits("accept4")
            assert fetch(trial.place, "other", OPTIONS).content == trial.other
            time.sleep(1)
            assert trial.faults.hits("accept4") - before[1] <= 20, "it asks again and again"
            assert cpu_seconds(trial.server.process) - before[0] < 0.5
            trial.faults.stop()
            assert "files" in asking.communicate(timeout=20)[0] and asking.returncode == 0
        trial.is_as_before()


def test_out_of_descriptors_is_an_error_for_new_transfers_and_passes():
    """The limit itself, and not a simulated one: files that are open go on, new ones are refused in words."""
    with Trial() as trial:
        others = trial.others_begin()
        pid = trial.server.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, limits[1]))
        for _ in range(3):
            with Client(trial.place) as client:
                client.rrq("struck", OPTIONS)
                packet = client.expect_error(0)
                assert "Too many open files" in packet.text, packet
        with Client(("127.0.0.9", trial.server.port)) as client:
            client.rrq("struck", OPTIONS)
            assert "try again later" in client.expect_error(0).text
        at_once(*[lambda other=other: trial.other_ends(other) for other in others])
        for other in others:
            other.socket.close()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        trial.is_as_before(ports=1)


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
