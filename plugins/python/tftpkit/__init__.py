"""What a script for tftpkit's plugin `python` works with: requests, answers, failures and the log.

A script has a function answer(request); or a function (or class) plugin(settings) that gives an object with such a method.
README.md of the plugin tells the rest. Nothing here talks to the network: blocks and windows are the server's.
"""
from typing import NamedTuple

from _tftpkit import cancelled as _cancelled
from _tftpkit import link_address as _link_address
from _tftpkit import log as _log

__all__ = ["AccessDenied", "Address", "BadOption", "Declined", "Failure", "NoSpace", "NotFound", "Outcome", "Redirect",
           "Request", "Stream", "TimedOut", "Unavailable", "Unsupported", "log"]

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Address(NamedTuple):
    """("", 0) for a request without a network, as `tftpkit plugins fetch` makes it."""
    host: str
    port: int


class Request:
    """What a client asks for.

    id                   a number that the server's log shows
    path                 the clean name: no slash in front, no "." or ".." in it
    wire_path            the name as it came, bytes; never trust it
    mode                 "octet" or "netascii"; the server converts, the answer is the same for both
    blksize, windowsize  as agreed
    answer_within        seconds that the server waits for answer()
    peer, local          Address of the client, and the one that it asked
    options              all that came, known or not: lower-case name -> value, both as str, in the client's order
    note                 whatever the script wants to keep with the request until ended(); None at first
    """
    __slots__ = ("id", "path", "wire_path", "mode", "blksize", "windowsize", "answer_within", "peer", "local", "options",
                 "note", "_link")

    def __init__(self, link, fields):
        (self.id, self.path, self.wire_path, netascii, self.blksize, self.windowsize, within_ms, peer, peer_port, local,
         local_port, self.options) = fields
        self.mode = "netascii" if netascii else "octet"
        self.answer_within = within_ms / 1000
        self.peer = Address(peer, peer_port)
        self.local = Address(local, local_port)
        self.note = None
        self._link = link

    @property
    def mac(self):
        """The client's MAC address ("52:54:00:ab:cd:01"), or None when it is not on a directly attached link."""
        found = _link_address(self._link, self.id)
        return None if found is None else found.hex(":")

    @property
    def cancelled(self):
        """Does nobody wait any more? Worth asking between the steps of slow work."""
        return _cancelled(self._link, self.id)

    def __repr__(self):
        return f"<Request {self.id} for {self.path!r} from {self.peer.host}:{self.peer.port}>"


class Outcome(NamedTuple):
    """How a transfer ended, for ended(request, outcome)."""
    end: str        # "delivered", "unconfirmed", "probed", "plugin", "client", "timeout", "shutdown" or "host"
    bytes: int      # acknowledged by the client
    seconds: float  # since the request came
    resends: int    # blocks sent more than once


class Redirect:
    """The answer "another name": the instances that follow in the route resolve it."""

    def __init__(self, path):
        self.path = path


class Stream:
    """Content with its size: anything with read(n), or an iterable of bytes. A wrong size ends the transfer."""

    def __init__(self, content, size=None):
        self.content = content
        self.size = size


class Failure(Exception):
    """The request ends with an ERROR. The text goes to the log, and shortened to the client."""
    tftpkit_status = -1


class NotFound(Failure):
    """No such file, and no other instance is asked."""
    tftpkit_status = -10


class AccessDenied(Failure):
    """Not allowed."""
    tftpkit_status = -20


class NoSpace(Failure):
    """Disk full, memory full, or too large."""
    tftpkit_status = -30


class Unsupported(Failure):
    """This is not offered."""
    tftpkit_status = -40


class BadOption(Failure):
    """An option of the request is not acceptable."""
    tftpkit_status = -80


class Unavailable(Failure):
    """What the answer comes from is down; a later try may do."""
    tftpkit_status = -110


class TimedOut(Failure):
    """What the answer comes from is too slow."""
    tftpkit_status = -120


class Declined(Exception):
    """Not mine, with the reason: the next instance of the route is asked. `return None` is the same without a reason."""
    tftpkit_status = 2


def log(text, level="info"):
    """Writes into the server's log, under the name of the instance. Levels: debug, info, warning, error."""
    if level not in LEVELS:
        raise ValueError(f"no log level {level!r}: it is one of {', '.join(LEVELS)}")
    from tftpkit import _border  # what it needs of us is complete by now
    for line in str(text).splitlines():
        _log(_border.link_now(), LEVELS[level], line)
