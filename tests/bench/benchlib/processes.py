"""A server as a process of which the kernel says what it costs, and the load program beside it."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

RRQ, ERROR = b"\0\1", b"\0\5\0\0enough\0"
START_LIMIT = 10.0  # seconds
TICK = os.sysconf("SC_CLK_TCK")


class Unusable(Exception):
    """This server cannot be run here; the text says why."""


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stat(pid):
    """The fields of /proc/PID/stat behind the name: state, parent, process group, session, ..."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def family(session):
    """All processes of a session: a server and what it has forked."""
    pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    return [pid for pid in pids if (fields := stat(pid)) and int(fields[3]) == session]


def cpu_seconds(pid):
    """Of a process with all its threads, ended ones included, in nanoseconds' truth; 0 when it is gone."""
    try:
        return time.clock_gettime((~pid << 3) | 2)  # CLOCK of another process: clock_getcpuclockid(3)
    except OSError:
        return 0.0


def reaped_seconds(pid):
    """Of the children that it has waited for."""
    fields = stat(pid)
    return (int(fields[13]) + int(fields[14])) / TICK if fields else 0.0


class Server:
    """Runs `command` until the end of the block. `address` is where it answers."""

    def __init__(self, command, address, probe="probe", environment=None, start_limit=START_LIMIT):
        self.command, self.address, self.probe = [str(word) for word in command], address, probe
        self.environment = {**os.environ, **(environment or {})}
        self.start_limit = start_limit
        self.first_byte = None  # seconds from its start to its first answer

    def __enter__(self):
        began = time.monotonic()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env=self.environment, start_new_session=True)
        os.set_blocking(self.process.stderr.fileno(), False)
        try:
            self._await_answer(began)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for pid in family(self.process.pid):  # strace, say, holds the signal back from the server that it runs
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in family(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.stderr.close()

    @property
    def pid(self):
        return self.process.pid

    def cpu(self):
        """CPU seconds so far: its own, its children's, and those of children that have ended."""
        return sum(cpu_seconds(pid) for pid in family(self.pid)) + reaped_seconds(self.pid)

    def resident(self):
        """Resident bytes of memory that is its own."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        return 0

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def _await_answer(self, began):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.002)
            while time.monotonic() - began < self.start_limit:
                try:
                    client.sendto(RRQ + self.probe.encode() + b"\0octet\0", self.address)
                    _, peer = client.recvfrom(65536)
                    self.first_byte = time.monotonic() - began
                    client.sendto(ERROR, peer)
                    return
                except OSError:
                    client.settimeout(min(client.gettimeout() * 1.3, 0.5))
                if self.process.poll() is not None:
                    break
        said = (self.process.stderr.read() or b"").decode(errors="replace").strip().splitlines()
        raise Unusable("it does not answer" + (": " + said[-1] if said else ""))


def load(program, server, work):
    """Runs the load program to its end and returns what it counted, with the server's CPU seconds."""
    before = server.cpu()
    done = subprocess.run(load_command(program, server, work), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=work.seconds + 60, check=False)
    cpu = server.cpu() - before
    if not done.stdout:
        raise RuntimeError(f"the load program failed: {done.stderr.strip()}")
    return {**json.loads(done.stdout.splitlines()[-1]), "cpu": cpu}


def load_command(program, server, work):
    host, port = server.address
    command = [program, "--server", host, "--port", port, "--name", work.name, "--clients", work.clients,
               "--seconds", work.seconds, "--blksize", work.blksize, "--windowsize", work.windowsize,
               "--transfers", work.transfers, "--patience", work.patience]
    if work.content:
        command += ["--content", work.content]
    if work.loss or work.rtt_ms:
        command += ["--loss", work.loss, "--rtt-ms", work.rtt_ms, "--seed", work.seed]
    return [str(word) for word in command]
