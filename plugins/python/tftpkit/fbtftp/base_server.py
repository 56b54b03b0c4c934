"""What gives each request its handler, and counts. It has no socket: tftpkit is the server."""
import collections
import logging
import threading
import time

import tftpkit

from . import constants


class ServerStats:
    """Counters by name, handed to the server_stats_callback every `interval` seconds. `process_count` is the number of requests
    that got a handler. All of it may be used from several threads at once.
    """

    def __init__(self, server_addr=None, interval=None):
        self.server_addr = server_addr
        self.interval = interval
        self.start_time = time.time()
        self._counters = collections.Counter()
        self._counters_lock = threading.Lock()

    def get_all_counters(self):
        with self._counters_lock:
            return dict(self._counters)

    def get_and_reset_all_counters(self):
        with self._counters_lock:
            counters, self._counters = dict(self._counters), collections.Counter()
        return counters

    def get_counter(self, name):
        with self._counters_lock:
            return self._counters[name]

    def set_counter(self, name, value):
        with self._counters_lock:
            self._counters[name] = value

    def increment_counter(self, name, increment=1):
        with self._counters_lock:
            self._counters[name] += increment

    def reset_counter(self, name):
        self.set_counter(name, 0)

    def get_and_reset_counter(self, name):
        with self._counters_lock:
            value, self._counters[name] = self._counters[name], 0
        return value

    def reset_all_counters(self):
        with self._counters_lock:
            self._counters.clear()

    def duration(self):
        return time.time() - self.start_time


class BaseServer:
    """Derive from it and say in get_handler() who handles a request. plugin(settings) of a script gives it to tftpkit.

    The constructor takes what fbtftp's takes. Address, port, retries and timeout are told to the handlers and are otherwise the
    server's configuration; server_stats_callback is called every stats_interval_seconds, on a thread of its own, from the
    start of service to its end.
    """

    def __init__(self, address, port, retries, timeout, server_stats_callback=None,
                 stats_interval_seconds=constants.DATAPOINTS_INTERVAL_SECONDS):
        self._address = address
        self._port = port
        self._retries = retries
        self._timeout = timeout
        self._server_stats_callback = server_stats_callback
        self._server_stats = ServerStats(address, stats_interval_seconds)
        self._stopping = threading.Event()
        self._stats_thread = None

    def get_handler(self, server_addr, peer, path, options):
        """A BaseHandler, or None: not mine."""
        raise NotImplementedError()

    def run(self):
        raise RuntimeError("tftpkit is the server: give this object from plugin(settings) instead of running it")

    def close(self):
        """Ends the stats thread; tftpkit's stop() does the same."""
        self._stopping.set()

    # ------------------------------------------------------------------ what tftpkit calls
    def start(self):
        if self._server_stats_callback is None:
            return
        self._stats_thread = threading.Thread(target=self._tell_stats, name="server stats", daemon=True)
        self._stats_thread.start()

    def stop(self):
        self.close()
        if self._stats_thread is not None:
            self._stats_thread.join()

    def answer(self, request):
        options = collections.OrderedDict(mode=request.mode, default_timeout=self._timeout, retries=self._retries)
        options.update(request.options)
        server_addr = tuple(request.local) if request.local.host else (self._address, self._port)
        handler = self.get_handler(server_addr, tuple(request.peer), request.path, options)
        if handler is None:
            raise tftpkit.Declined("get_handler() gave None")
        self._server_stats.increment_counter("process_count")
        request.note = handler
        return handler.answer(request)

    def ended(self, request, outcome):
        request.note.ended(outcome)

    def _tell_stats(self):
        while not self._stopping.wait(self._server_stats.interval):
            try:
                self._server_stats_callback(self._server_stats)
            except Exception as error:
                logging.exception("%s", error)


class Handlers(BaseServer):
    """For handlers without a server class: make_handler(server_addr, peer, path, options) gives a BaseHandler, or None."""

    def __init__(self, make_handler, server_stats_callback=None,
                 stats_interval_seconds=constants.DATAPOINTS_INTERVAL_SECONDS, retries=5, timeout=2):
        super().__init__("", 0, retries, timeout, server_stats_callback, stats_interval_seconds)
        self.get_handler = make_handler
