"""The servers under test: how each is started, and what it can do."""
import json
import os
import pathlib
import shlex
import shutil

from .processes import Server, Unusable, free_port

DNSMASQ_ADDRESS = ("127.69.69.69", 69)  # dnsmasq knows no other port


class Kind:
    """One server: `name`, whether it knows windows, how large a run it stands (`most_clients`)."""

    def __init__(self, name, start, *, windows=False, most_clients=100, ours=False, floor=False):
        self.name, self._start = name, start
        self.windows, self.most_clients, self.ours, self.floor = windows, most_clients, ours, floor

    def start(self, work, place):
        return self._start(work, place)


def find(program, *more):
    """A program on the path, where Debian has daemons, or in one of the directories `more`."""
    path = os.pathsep.join([*map(str, more), os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    found = shutil.which(program, path=path)
    if found is None:
        raise Unusable(f"{program} is not installed")
    return found


def need_root():
    if os.geteuid() != 0:
        raise Unusable("it wants to be started by root")


# ------------------------------------------------------------------ ours
def tftpkit_config(place, port, work, workers):
    limits = {"transfers": 100_000, "transfers_per_client": 100_000, "requests_per_second_per_client": 1_000_000,
              "request_burst_per_client": 1_000_000, "buffer_memory": "8GiB"}
    config = {"listen": f"127.0.0.1:{port}", "workers": workers, "limits": limits,
              "log": {"file": str(place.parent / "tftpkit.log")}}
    if work.key.startswith("g-"):
        config["plugins"] = [str(pathlib.Path(os.environ["BENCH_PLUGIN"]))]
        execution = {} if work.key in ("g-inline", "g-pending") else {"execution": "parallel"}
        config["instances"] = [{"name": "bench", "plugin": "bench", **execution}]
    else:
        config["instances"] = [{"name": "files", "plugin": "file", "settings": {"root": str(place)}}]
    return config


def tftpkit(workers):
    def start(work, place):
        port = free_port()
        file = place.parent / "tftpkit.json"
        file.write_text(json.dumps(tftpkit_config(place, port, work, workers)), encoding="ascii")
        (place.parent / "tftpkit.log").unlink(missing_ok=True)
        return Server([os.environ["TFTPKIT"], "serve", "--config", file], ("127.0.0.1", port),
                      "buffer" if work.key.startswith("g-") else "probe")
    return start


def floor(sockets, sends):
    def start(work, _):
        port = free_port()
        command = [os.environ["BENCH_FLOOR"], "--port", port, "--blksize", work.blksize, "--windowsize",
                   work.windowsize, "--sockets", sockets, "--sends", sends]
        return Server(command + (["--file", work.content] if work.content else []), ("127.0.0.1", port))
    return start


# ------------------------------------------------------------------ others
def tftp_hpa(peers):
    def start(_, place):
        need_root()
        port = free_port()
        return Server([find("in.tftpd", *peers), "-L", "-u", "root", "-a", f"127.0.0.1:{port}", "-s", place],
                      ("127.0.0.1", port))
    return start


def atftpd(peers):
    def start(_, place):
        port = free_port()
        return Server([find("atftpd", *peers), "--daemon", "--no-fork", "--bind-address", "127.0.0.1", "--port", port,
                       "--maxthread", "2000", "--logfile", place.parent / "atftpd.log", place], ("127.0.0.1", port))
    return start


def dnsmasq(peers):
    def start(_, place):
        need_root()
        return Server([find("dnsmasq", *peers), "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
                       "--user=root", "--enable-tftp", f"--tftp-root={place}", "--tftp-max=2000", "--bind-interfaces",
                       f"--listen-address={DNSMASQ_ADDRESS[0]}", "--pid-file=",
                       f"--log-facility={place.parent / 'dnsmasq.log'}"], DNSMASQ_ADDRESS)
    return start


def uftpd(peers):
    def start(_, place):
        port = free_port()
        return Server([find("uftpd", *peers), "-n", "-o", f"ftp=0,tftp={port}", place], ("127.0.0.1", port))
    return start


def busybox(peers):
    def start(_, place):
        program, port = find("busybox", *peers), free_port()
        applets = os.popen(f"{shlex.quote(program)} --list").read().split()
        if "udpsvd" not in applets or "tftpd" not in applets:
            raise Unusable("this busybox is built without udpsvd and tftpd")
        return Server([program, "udpsvd", "-c", "2000", "127.0.0.1", port, program, "tftpd", "-r", place],
                      ("127.0.0.1", port))
    return start


def from_command(template):
    """A server of the tester's: {port} and {root} are filled in."""
    def start(_, place):
        port = free_port()
        words = [word.format(port=port, root=place) for word in shlex.split(template)]
        return Server([find(words[0]), *words[1:]], ("127.0.0.1", port))
    return start


def all_kinds(peers, given):
    """Everybody. `peers`: directories to look for programs in; `given`: {name: (command, windows)} of the tester."""
    kinds = [
        Kind("tftpkit", tftpkit(0), windows=True, most_clients=50_000, ours=True),
        Kind("floor, own sockets", floor("own", "plain"), windows=True, most_clients=50_000, floor=True),
        Kind("floor, batched", floor("one", "batched"), windows=True, most_clients=50_000, floor=True),
        Kind("floor, GSO", floor("one", "gso"), windows=True, most_clients=50_000, floor=True),
        Kind("tftp-hpa", tftp_hpa(peers)),
        Kind("atftpd", atftpd(peers), windows=True),
        Kind("dnsmasq", dnsmasq(peers)),
        Kind("uftpd", uftpd(peers)),
        Kind("busybox", busybox(peers)),
    ]
    return kinds + [Kind(name, from_command(command), windows=windows) for name, (command, windows) in given.items()]


def worker_kinds():
    return [Kind(f"tftpkit, {count} worker{'s'[:count > 1]}", tftpkit(count), windows=True, ours=True)
            for count in (1, 2, 4)]
