"""The server and other people's clients as processes."""
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time

from .tests import TIME_LIMIT, Failed, binary


class Server:
    """`tftpkit serve` with its addresses. `root` may be None (then say it all in `arguments`)."""

    def __init__(self, root=None, *, listen=("127.0.0.1:0",), arguments=(), namespace=None, environment=None,
                 command=None, handed_over=(), expect=None):
        self.addresses = []   # (host, port) in the order of `listen`
        self.command = [*(namespace.prefix if namespace else []), *(command or [binary(), "serve"])]
        self.command += [str(root)] if root is not None else []
        for address in listen:
            self.command += ["--listen", address]
        self.command += [str(argument) for argument in arguments]
        self._expected = len(listen) + len(handed_over) if expect is None else expect
        self._handed_over = sorted(sock.fileno() for sock in handed_over)
        if handed_over:  # as systemd does: descriptors from 3 on, and a variable with the process's own number
            moves = " ".join(f"{3 + i}<&{fd}" for i, fd in enumerate(self._handed_over))
            self.command = ["bash", "-c", f'LISTEN_PID=$$ LISTEN_FDS={len(handed_over)} exec "$@" {moves}', "bash",
                            *self.command]
        # A place of its own for what a server leaves on the machine: its socket, and who crashed it.
        self._home = tempfile.TemporaryDirectory(prefix="tftpkit-home-")
        self.control = pathlib.Path(self._home.name, "control")
        self._environment = {**os.environ, "NO_COLOR": "1", "RUNTIME_DIRECTORY": self._home.name,
                             "STATE_DIRECTORY": self._home.name, **(environment or {})}
        self._lines = []
        self._counted = []  # those with counters: a log may have a million others
        self._news = threading.Condition()

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=self._environment,
                                        pass_fds=self._handed_over)
        self._readers = [threading.Thread(target=self._read, args=(pipe, out), daemon=True)
                         for pipe, out in ((self.process.stdout, True), (self.process.stderr, False))]
        for reader in self._readers:
            reader.start()
        try:
            self.wait_until(lambda: len(self.addresses) >= self._expected or self.process.poll() is not None)
            if len(self.addresses) < self._expected:
                self.stop(signal.SIGKILL)  # what it said at last is in the log then
                raise Failed(f"the server did not begin: {' '.join(self.command)}\n{self.log}")
            self._wait_for_first_lines()
        except BaseException:
            self.stop(signal.SIGKILL)
            raise
        return self

    def _wait_for_first_lines(self):
        """The log is written a little later than the addresses. With another level or place it may stay empty."""
        try:
            self.wait_until(lambda: sum("listening" in line for line in self._lines) >= self._expected, 0.5)
        except Failed:
            pass

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            self._home.cleanup()

    @property
    def address(self):
        return self.addresses[0]

    @property
    def port(self):
        return self.address[1]

    @property
    def log(self):
        """Everything that it wrote to stderr so far."""
        with self._news:
            return "\n".join(self._lines)

    def log_count(self, text):
        """How many lines of the log hold `text`."""
        with self._news:
            return sum(text in line for line in self._lines)

    def wait_log(self, text, seconds=TIME_LIMIT):
        """Waits until the log holds `text`."""
        self.wait_until(lambda: any(text in line for line in self._lines), seconds, f"a log line with {text!r}")

    def counters(self):
        """The server's counters now, by name: SIGUSR1 makes it write them into its log."""
        before = len(self._counted)
        self.process.send_signal(signal.SIGUSR1)
        self.wait_until(lambda: len(self._counted) > before, what="the counters in the log")
        pairs = (word.partition("=") for word in self._counted[-1].split() if "=" in word)
        return {name: int(value) for name, _, value in pairs if value.isdigit()}

    def wait_counter(self, name, value, seconds=TIME_LIMIT):
        """Waits until the counter is (at least) so large, and returns all."""
        end = time.monotonic() + seconds
        while (now := self.counters())[name] < value:
            if time.monotonic() > end:
                raise Failed(f"waited {seconds} s for {name} {value}, it is {now[name]}\n{self.log}")
            time.sleep(0.05)
        return now

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self, how=signal.SIGTERM, seconds=TIME_LIMIT):
        """Ends it and returns the exit status; kills it, and fails, when it takes longer."""
        late = False
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                late = True
                self.process.kill()
                self.process.wait()
        for reader in self._readers:
            reader.join(5)
        if late:
            raise Failed(f"the server did not stop within {seconds} s\n{self.log}")
        return self.process.returncode

    def memory(self):
        """Resident bytes of the server process."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))

    def _read(self, pipe, is_output):
        for raw in pipe:
            line = raw.decode(errors="replace").rstrip("\n")
            with self._news:
                if is_output and line.startswith("listening on "):
                    host, _, port = line.removeprefix("listening on ").rpartition(":")
                    self.addresses.append((host.strip("[]"), int(port)))
                elif not is_output:
                    self._lines.append(line)
                    if " counters " in line:
                        self._counted.append(line)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_until(self, condition, seconds=TIME_LIMIT, what="the server"):
        """Waits for a condition that changes with what the server prints."""
        end = time.monotonic() + seconds
        with self._news:
            while not condition():
                left = end - time.monotonic()
                if left <= 0:
                    raise Failed(f"waited {seconds} s for {what}\n" + "\n".join(self._lines))
                self._news.wait(min(left, 0.2))


def run(command, *, seconds=60, check=True, **more):
    """Runs a client to its end, with a limit, and returns it (stdout and stderr as text)."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=seconds, check=False, **more)
    if check and done.returncode != 0:
        raise Failed(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done
