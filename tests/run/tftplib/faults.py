"""System calls of the real server that fail when a test says so: tests/run/faultlib preloaded, and its switches."""
import errno
import mmap
import os
import pathlib
import struct
import tempfile

from .processes import run
from .tests import Skip, binary

# As in faultlib/faults.c.
_CALLS = ("recvmmsg", "sendmsg", "sendmmsg", "socket", "bind", "connect", "epoll_add", "openat2", "preadv2", "open",
          "fstat", "accept4", "malloc")
_RULE = struct.Struct("=qiiii")
LESS = 0  # instead of an errno: the call does less than it was asked to


class Faults:
    """Use with `with`, and give `environment` to a Server. Nothing fails until fail() says so."""

    def __enter__(self):
        beside = pathlib.Path(binary()).resolve().parents[1] / "tests" / "run" / "faults.so"
        library = pathlib.Path(os.environ.get("FAULTS_LIBRARY") or beside)
        if not library.exists():
            raise Skip(f"the library that makes calls fail is not built ({library})")
        if "libasan" in run(["ldd", binary()]).stdout:
            raise Skip("a server with AddressSanitizer takes no preloaded library")
        self._file = tempfile.NamedTemporaryFile(prefix="tftpkit-faults-")  # pylint: disable=consider-using-with
        self._file.truncate(_RULE.size * len(_CALLS))
        self._memory = mmap.mmap(self._file.fileno(), 0)
        self.environment = {"LD_PRELOAD": str(library), "TFTPKIT_TEST_FAULTS": self._file.name}
        return self

    def __exit__(self, *_):
        self._memory.close()
        self._file.close()

    def fail(self, call, error, *, times=1, after=0, about=0):
        """The first `after` matching calls succeed, the next `times` fail with `error` (an errno, or LESS). `about`: only sends
        to this port, reads of the file with this inode, allocations of at least so many bytes."""
        at = _CALLS.index(call) * _RULE.size
        struct.pack_into("=qii", self._memory, at, about, error, after)
        struct.pack_into("=i", self._memory, at + 20, 0)
        struct.pack_into("=i", self._memory, at + 16, times)  # last: now it holds

    def hits(self, call):
        """How often it has failed since fail()."""
        return _RULE.unpack_from(self._memory, _CALLS.index(call) * _RULE.size)[4]

    def stop(self):
        """Nothing fails any more."""
        for index in range(len(_CALLS)):
            struct.pack_into("=i", self._memory, index * _RULE.size + 16, 0)


def words(error):
    """An errno as the server writes it."""
    return os.strerror(error)


def name(error):
    return errno.errorcode.get(error, "less")
