"""Handlers as they are written for fbtftp: one object for each request, which says what its content is.

The content is a ResponseData: read(n), size(), close(). What such a handler did on the wire itself is the server's here: it
runs on a thread instead of in a process of its own, and is asked for large pieces instead of blocks.
"""
import collections
import io
import logging
import time

import tftpkit

from . import constants


class ResponseData:
    """Content: derive from it and say what these three do."""

    def read(self, n):
        """The next bytes, at most n; none at the end."""
        raise NotImplementedError()

    def size(self):
        """How many bytes in all, or None when that is not known. Asked when the client wants to know."""
        raise NotImplementedError()

    def close(self):
        """The last call, however the transfer ended."""
        raise NotImplementedError()


class StringResponseData(ResponseData):
    """Content from a str, of characters up to U+00FF: each is one byte."""

    def __init__(self, string):
        self._content = string.encode("latin-1")
        self._reader = io.BytesIO(self._content)

    def read(self, n):
        return self._reader.read(n)

    def size(self):
        return len(self._content)

    def close(self):
        self._reader.close()


class SessionStats:
    """What happened in one transfer: handed to the stats_callback of its handler when it is over.

    `error` is {} when all went well, else {"error_code": ..., "error_message": ...}. `packets_sent` and `packets_acked` count
    blocks, and one more for the answer to options; `bytes_sent` are the bytes that the client acknowledged.
    """

    def __init__(self, server_addr, peer, file_path):
        self.peer = peer
        self.server_addr = server_addr
        self.file_path = file_path
        self.error = {}
        self.options = {}
        self.options_in = {}
        self.options_acked = {}
        self.start_time = time.time()
        self.packets_sent = 0
        self.packets_acked = 0
        self.bytes_sent = 0
        self.retransmits = 0
        self.blksize = constants.DEFAULT_BLKSIZE

    def duration(self):
        return time.time() - self.start_time


def _error(code, message):
    return {"error_code": code, "error_message": message}


_BAD_ENDS = {
    "unconfirmed": "timeout after {} retransmits. Missed last ack.",
    "timeout": "timeout after {} retransmits.",
    "plugin": "Error while reading from source",
    "client": "the client ended the transfer",
    "shutdown": "the server stopped",
    "host": "the server ended the transfer",
}


class BaseHandler:
    """One request. Derive from it; get_response_data() gives its content and is called by the constructor, so what it needs is
    set before super().__init__(). FileNotFoundError is ERROR 1 for the client, anything else that is raised ERROR 0.

    server_addr     (host, port) that was asked
    peer            (host, port) of the client
    path            the clean name: no slash in front
    options         mode, default_timeout, retries, and what the client sent: name -> value
    stats_callback  called with a SessionStats when the transfer is over; may be None
    """
    request = None  # the tftpkit.Request, once the constructor has returned

    def __init__(self, server_addr, peer, path, options, stats_callback):
        self._server_addr = server_addr
        self._peer = peer
        self._path = path
        self._options = options
        self._stats_callback = stats_callback
        self._response_data = None
        self._stats = SessionStats(server_addr, peer, path)
        self._failure = None
        try:
            self._response_data = self.get_response_data()
        except FileNotFoundError as error:
            self._fail(constants.ERR_FILE_NOT_FOUND, error)
        except Exception as error:
            logging.exception("Caught exception: %s.", error)
            self._fail(constants.ERR_UNDEFINED, error)

    def get_response_data(self):
        """The content: a ResponseData, or whatever has its three methods."""
        raise NotImplementedError()

    def _on_close(self):
        """The transfer is over, its stats are complete."""
        if self._stats_callback is not None:
            self._stats_callback(self._stats)

    # ------------------------------------------------------------------ what tftpkit calls
    def answer(self, request):
        """What answers the request. A failure of the constructor becomes one of the request."""
        self.request = request
        if self._failure is None and self._response_data is None:
            raise tftpkit.Declined("get_response_data() gave None")
        size = self._size_for(request)
        if self._failure is not None:
            self._over()
            raise _meant(self._failure)
        self._note_options(request, size)
        if type(self._response_data) is StringResponseData:  # its bytes need no reading
            return self._response_data._content
        content = _Content(self)
        first, whole = content.begin()
        if not whole:
            return tftpkit.Stream(content, size)
        self._note_options(request, len(first))
        return first

    def ended(self, outcome):
        """The transfer of what answer() gave has ended."""
        stats = self._stats
        blocks, whole = outcome.bytes // stats.blksize, outcome.end in ("delivered", "unconfirmed")
        option_packets = 1 if stats.options else 0
        stats.packets_acked = blocks + (outcome.end == "delivered") + option_packets
        stats.packets_sent = blocks + whole + option_packets + outcome.resends
        stats.bytes_sent = outcome.bytes
        stats.retransmits = outcome.resends
        if outcome.end in _BAD_ENDS and not stats.error:
            stats.error = _error(constants.ERR_UNDEFINED, _BAD_ENDS[outcome.end].format(outcome.resends))
        self._over()

    # ------------------------------------------------------------------ inside
    def _size_for(self, request):
        if self._failure is not None or "tsize" not in request.options:
            return None
        try:
            return self._response_data.size()
        except Exception as error:
            logging.exception("size() failed: %s", error)
            self._fail(constants.ERR_UNDEFINED, error)
            return None

    def _note_options(self, request, size):
        asked = collections.OrderedDict(mode=request.mode)
        asked.update(request.options)
        agreed = {"blksize": str(request.blksize), "windowsize": str(request.windowsize)}
        if size is not None:
            agreed["tsize"] = str(size)
        if "timeout" in asked:
            agreed["timeout"] = asked["timeout"]
        stats = self._stats
        stats.options_in = asked
        stats.options = stats.options_acked = {name: agreed[name] for name in request.options if name in agreed}
        stats.blksize = request.blksize

    def _fail(self, code, error):
        self._stats.error = _error(code, str(error))
        self._failure = error

    def _over(self):
        """The stats first, then the content, as handlers know it."""
        try:
            self._on_close()
        except Exception as error:
            logging.exception("the stats callback failed: %s", error)
        if self._response_data is not None:
            self._response_data.close()


def _meant(failure):
    """The log has the traceback already: what is raised now leaves no other."""
    if hasattr(type(failure), "tftpkit_status"):
        return failure
    return (tftpkit.NotFound if isinstance(failure, FileNotFoundError) else tftpkit.Failure)(str(failure))


class _Content:
    """A ResponseData as the server reads it: closing it is the handler's."""
    FIRST = 16384  # bytes that are read with the answer: what is no longer is sent from memory, without another call

    def __init__(self, handler):
        self._handler = handler
        self._data = handler._response_data
        self._first = b""

    def begin(self):
        """The first bytes, and whether they are all."""
        parts, left = [], self.FIRST
        try:
            while left > 0 and (part := self._next(left)):
                parts.append(part)
                left -= len(part)
        except Exception:
            self._handler._over()
            raise
        self._first = b"".join(parts)
        return self._first, left > 0

    def read(self, n):
        if self._first:
            first, self._first = self._first, b""
            return first
        return self._next(n)

    def _next(self, n):
        try:
            return self._data.read(n)
        except Exception:
            self._handler._stats.error = _error(constants.ERR_UNDEFINED, "Error while reading from source")
            raise
