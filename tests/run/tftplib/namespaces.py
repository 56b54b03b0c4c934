"""Network namespaces that a test makes for itself."""
import atexit
import ctypes
import os
import threading

from .processes import run
from .tests import Skip, need, which


class Namespace:
    """A network namespace of our own, with loopback up; gone at the end, also when the test fails or is interrupted."""

    _count = 0

    def __init__(self):
        Namespace._count += 1
        self.name = f"tk-{os.getpid()}-{Namespace._count}"
        self.prefix = [which("ip") or "ip", "netns", "exec", self.name]

    def __enter__(self):
        need("ip")
        made = run(["ip", "netns", "add", self.name], check=False, env=_with_sbin())
        if made.returncode != 0:
            raise Skip("making a network namespace needs CAP_SYS_ADMIN: " + made.stderr.strip())
        atexit.register(self.remove)
        self.ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        self.remove()
        atexit.unregister(self.remove)

    def remove(self):
        run(["ip", "netns", "del", self.name], check=False, env=_with_sbin())

    def ip(self, *arguments):
        """`ip` inside."""
        return run(["ip", "-n", self.name, *arguments], env=_with_sbin())

    def run(self, command, **more):
        """Runs a client inside."""
        return run([*self.prefix, *command], **more)

    def call(self, function):
        """Calls a function in a thread that lives inside the namespace: sockets that it makes belong there."""
        result = []

        def inside():
            try:
                with open(f"/run/netns/{self.name}", "rb") as place:
                    _setns(place.fileno())
                result.append((function(), None))
            except BaseException as problem:  # pylint: disable=broad-except
                result.append((None, problem))

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        value, problem = result[0]
        if problem is not None:
            raise problem
        return value


def connect(left, right, left_addresses, right_addresses, name="veth0", other="veth0"):
    """Joins two namespaces by a cable; addresses with their prefix length ("10.7.0.1/24"), IPv6 ready at once."""
    left.ip("link", "add", name, "type", "veth", "peer", "name", other, "netns", right.name)
    for end, device, addresses in ((left, name, left_addresses), (right, other, right_addresses)):
        for address in addresses:
            end.ip("address", "add", address, "dev", device, *(["nodad"] if ":" in address else []))
        end.ip("link", "set", device, "up")


def _with_sbin():
    return {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}


def _setns(descriptor):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0x40000000) != 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")
