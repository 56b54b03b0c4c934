"""Between the shared object and a script: loads the script, calls it, and turns what it gives into what a source is.

Nothing that a script raises gets past this file: it becomes a status and a sentence. The C++ side knows load() and what is
marked [C++] here. All of it runs with the GIL held, on threads of the server.
"""
import errno
import importlib
import inspect
import io
import itertools
import json
import linecache
import logging
import os
import pathlib
import signal
import stat
import sys
import threading
import time
import traceback
import types

import _tftpkit
import tftpkit

DECLINED, E_INTERNAL, E_NOT_FOUND, E_ACCESS, E_NO_SPACE, E_IO = 2, -1, -10, -20, -30, -100
E_UNAVAILABLE, E_TIMEOUT = -110, -120
BUFFER, FD, STREAM, REDIRECT = 10, 20, 30, 40
UNKNOWN = -1
PATIENCE = 0.01  # seconds
ENDS = {0: "delivered", 5: "unconfirmed", 8: "probed", 10: "plugin", 20: "client", 30: "timeout", 40: "shutdown"}
# Python's own exceptions; the first that fits counts.
STATUS_OF = (((FileNotFoundError, NotADirectoryError), E_NOT_FOUND), ((PermissionError, IsADirectoryError), E_ACCESS),
             (TimeoutError, E_TIMEOUT), (ConnectionError, E_UNAVAILABLE), (OSError, E_IO), (MemoryError, E_NO_SPACE))

loading = threading.Lock()
now = threading.local()  # .script: whose call this thread is in
alive = {}               # number -> Script, in the order of their birth


class Unusable(Exception):
    """The script cannot be used; the text is for the operator."""


class Called:
    """With it the thread is in a call of the script, for the log."""

    def __init__(self, script):
        self.script = script

    def __enter__(self):
        self.before = getattr(now, "script", None)
        now.script = self.script

    def __exit__(self, *_):
        now.script = self.before


def link_now():
    """Whose log is it? Threads that a script made belong to nobody's call: then the youngest script's."""
    script = getattr(now, "script", None)
    if script is None:
        script = next(reversed(list(alive.values())), None)
    return None if script is None else script.link


# ------------------------------------------------------------------ words for errors
def frames_of(error):
    """The steps of the traceback that are the script's and its modules', not this package's."""
    return [step for step in traceback.extract_tb(error.__traceback__) if not step.filename.startswith("<tftpkit>")]


def named(error):
    """KeyError: 'root'"""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def placed(error, script_path):
    """boot.py:12: KeyError: 'root', for an error of the script's beginning."""
    if isinstance(error, Unusable):
        return str(error)
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    steps = frames_of(error)
    own = [step for step in steps if step.filename == script_path] or steps
    return f"{own[-1].filename}:{own[-1].lineno}: {named(error)}" if own else named(error)


def trail(error):
    """The exception and the end of its traceback on one line, the innermost step first."""
    steps = [f"{os.path.basename(step.filename)}:{step.lineno} in {step.name}: {step.line}"
             for step in reversed(frames_of(error)[-4:])]
    return "; ".join([named(error), " < ".join(steps)] if steps else [named(error)])


def tell(link, error):
    """The whole traceback into the log, line by line, where the sentence alone does not say all."""
    if isinstance(error, (Unusable, SyntaxError)):
        return
    steps = frames_of(error)
    lines = ["Traceback (most recent call last):\n"] * bool(steps) + traceback.format_list(steps)
    lines += traceback.format_exception_only(error)
    for line in "".join(lines).splitlines()[-60:]:
        _tftpkit.log(link, 40, line)


def status_of(error, otherwise):
    status = getattr(type(error), "tftpkit_status", None)
    if isinstance(status, int):
        return status
    return next((number for kinds, number in STATUS_OF if isinstance(error, kinds)), otherwise)


# ------------------------------------------------------------------ the log
class ToServer(logging.Handler):
    """Lines of Python's logging go into the server's log."""

    def emit(self, record):
        link = link_now()
        level = 40 if record.levelno >= 40 else 30 if record.levelno >= 30 else 20 if record.levelno >= 20 else 10
        if link is None or not _tftpkit.log_enabled(link, level):
            return
        head = "" if record.name == "root" else record.name + ": "
        for line in self.format(record).splitlines()[:60]:
            _tftpkit.log(link, level, head + line)


def refuse_signals(*_):
    raise RuntimeError("signals are the server's: a plugin handles none")


def prepare():
    """Once for the interpreter: what a script must not reach, and where its lines go."""
    signal.signal = refuse_signals
    root = logging.getLogger()
    root.addHandler(ToServer())
    root.setLevel(logging.INFO)
    threading.excepthook = lambda gone: logging.error(
        "a thread of the script ended with an exception", exc_info=(gone.exc_type, gone.exc_value, gone.exc_traceback))


# ------------------------------------------------------------------ the script's file
def trusted(path, what):
    """Whoever can write it could run code in the server: it must be root's or our own, and nobody else's to change."""
    seen = os.stat(path)
    if seen.st_uid not in (0, os.geteuid()):
        raise Unusable(f"{path} belongs to user id {seen.st_uid}, not to root or to {os.geteuid()} who runs this; do: chown "
                       f"{os.geteuid()} {path}")
    if seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Unusable(f"{path} can be written by others; do: chmod go-w {path}" if not seen.st_mode & stat.S_ISVTX else
                       f"{path} is shared by everybody; keep {what} in a directory of its own")


def source_of(path):
    try:
        if not os.path.isfile(path):
            raise Unusable(f"{path} is not a file" if os.path.exists(path) else f"there is no file {path}")
        trusted(path, "the script")
        trusted(os.path.dirname(path), "the script")
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}") from None


def own_modules(directory):
    """Modules that lie beside the script, packages too, by name: they belong to it. Scripts themselves are none of these."""
    return {name: module for name, module in list(sys.modules.items())
            if (getattr(module, "__file__", None) or "").startswith(directory + os.sep)
            and module.__file__.endswith(".py") and not isinstance(module, ScriptModule)}


class ScriptModule(types.ModuleType):
    """The namespace of one script that was loaded."""


def look_there_first(directories):
    for directory in reversed(directories):
        if directory in sys.path:
            sys.path.remove(directory)
        sys.path.insert(0, directory)


# ------------------------------------------------------------------ answers
def as_bytes(given, what):
    if isinstance(given, bytes):
        return given
    if isinstance(given, (bytearray, memoryview)):
        return bytes(given)
    raise TypeError(f"{what} gave {kind_of(given)}; bytes are needed")


def kind_of(given):
    return "None" if given is None else f"an object of type {type(given).__name__}"


def is_plain_file(content):
    """An open file whose descriptor says all about it; not a GzipFile, say, which has one too, nor a file of /proc, which is
    longer than it says."""
    if type(content) not in (io.BufferedReader, io.BufferedRandom, io.FileIO):
        return False
    if type(content) is not io.FileIO and type(content.raw) is not io.FileIO:
        return False
    seen = os.fstat(content.fileno())
    return content.readable() and stat.S_ISREG(seen.st_mode) and (seen.st_size > 0 or not os.pread(content.fileno(), 1, 0))


def file_source(content):
    """The server reads it by itself, without Python, from where the script left it."""
    with content:
        if content.writable():
            content.flush()
        offset, size = content.tell(), os.fstat(content.fileno()).st_size
        return FD, os.dup(content.fileno()), max(size - offset, 0), min(offset, size)


def opened(path):
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)  # a FIFO must not keep us
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            raise tftpkit.Declined(str(error)) from None
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise PermissionError(f"{path} is not a regular file")
    return open(fd, "rb")


def next_of(content, least):
    """The function that gives the next bytes: next_bytes(about so many). `least`: what a client can be sent at once."""
    if isinstance(content, io.TextIOBase):
        raise TypeError("the file is opened as text; open it with \"rb\"")
    if isinstance(content, io.BufferedIOBase) and hasattr(content, "read1"):
        return lambda size: as_bytes(content.read1(size), "read1()")  # what is there, without waiting for the rest
    if callable(getattr(content, "read", None)):
        return lambda size: as_bytes(content.read(size), "read()")
    if isinstance(content, (list, tuple)) or not hasattr(content, "__iter__") or isinstance(content, dict):
        raise TypeError(f"answer() gave {kind_of(content)}; bytes, str, a path, an open file, an object with read(n), a "
                        "generator of bytes, a Redirect or None can be sent")
    return gathered(iter(content), least)


def gathered(items, least):
    """Small items are handed over together, but not kept back: what fills a block goes out when some time has passed."""
    def next_bytes(size):
        parts, length, until = [], 0, time.monotonic() + PATIENCE
        for item in items:
            data = item.encode() if isinstance(item, str) else as_bytes(item, "the generator")
            parts.append(data)
            length += len(data)
            if length >= size or (length >= least and time.monotonic() > until):
                break
        return parts[0] if len(parts) == 1 else b"".join(parts)
    return next_bytes


class Reading:
    """A STREAM that is read piece by piece, and closed at its end."""

    def __init__(self, script, request, content):
        self.script, self.request, self.content = script, request, content
        self.next_bytes = next_of(content, request.blksize)

    def read(self, size):
        """[C++] The next bytes, none at the end; or (status, text)."""
        with Called(self.script):
            try:
                return self.next_bytes(size)
            except BaseException as error:
                return self.script.failed(self.request, "reading for", error, E_IO)

    def close(self):
        close = getattr(self.content, "close", None)
        if callable(close):
            close()


class Script:
    """One script that was loaded, with its settings."""

    def __init__(self, link, instance, path, settings, more_paths):
        self.link, self.instance, self.path = link, instance, path
        self.number = next(number for number in itertools.count(1) if number not in alive)
        self.files = [path]
        self.stopped = False
        alive[self.number] = self
        try:
            with Called(self):
                self.load(settings, more_paths)
        except BaseException:
            self.forget()
            raise

    def load(self, settings, more_paths):
        code = compile(source_of(self.path), self.path, "exec")
        directory = os.path.dirname(self.path)
        for one in more_paths:
            trusted(one, "modules")
        look_there_first([directory, *more_paths])
        importlib.invalidate_caches()
        linecache.checkcache()
        for name in own_modules(directory):
            del sys.modules[name]
        self.module = ScriptModule(f"tftpkit_script_{self.number}")
        self.module.__file__ = self.path
        sys.modules[self.module.__name__] = self.module
        exec(code, self.module.__dict__)
        self.files += [module.__file__ for module in own_modules(directory).values()]
        self.target = self.target_of(settings)
        self.answer_request = getattr(self.target, "answer", None)
        if not callable(self.answer_request):
            raise Unusable(f"{self.path}: plugin(settings) gave {kind_of(self.target)} without answer(request)")
        if inspect.iscoroutinefunction(self.answer_request):
            raise Unusable(f"{self.path}: answer() is async; it runs on a thread of its own and may simply wait")
        self.ended = getattr(self.target, "ended", None)

    def target_of(self, settings):
        factory = self.module.__dict__.get("plugin")
        if callable(factory):
            return factory(settings)
        if "answer" not in self.module.__dict__:
            raise Unusable(f"{self.path} has neither answer(request) nor plugin(settings)")
        self.hook("setup", settings)
        return self.module

    def hook(self, name, *arguments):
        target = getattr(self, "target", self.module)
        function = getattr(target, name, None)
        if callable(function):
            function(*arguments)

    def start(self):
        """[C++] None, or why not."""
        with Called(self):
            try:
                self.hook("start")
                return None
            except BaseException as error:
                tell(self.link, error)
                return "start(): " + placed(error, self.path)

    def stop(self):
        """[C++] The last call, maybe said twice; nothing is left to fail towards."""
        if self.stopped:
            return
        self.stopped = True
        with Called(self):
            try:
                self.hook("stop")
            except BaseException as error:
                tell(self.link, error)
        self.forget()

    def forget(self):
        alive.pop(self.number, None)
        if getattr(self, "module", None) is not None:
            sys.modules[self.module.__name__] = None  # the name comes again with the number

    def answer(self, *fields):
        """[C++] (kind, content, size, offset, closer); or (status, text, 0, 0, None)."""
        request = tftpkit.Request(self.link, fields)
        with Called(self):
            try:
                return self.source_of(request, self.answer_request(request))
            except BaseException as error:
                return (*self.failed(request, "answering", error, E_INTERNAL), 0, 0, None)

    def source_of(self, request, given):
        size = UNKNOWN
        if isinstance(given, tftpkit.Stream):
            given, size = given.content, UNKNOWN if given.size is None else int(given.size)
            if size < UNKNOWN:
                raise ValueError(f"a Stream of {size} bytes")
        elif given is None:
            return DECLINED, "", 0, 0, None
        elif isinstance(given, (bytes, str, bytearray, memoryview)):
            data = given.encode() if isinstance(given, str) else bytes(given)
            return BUFFER, data, len(data), 0, self.closer(request, None)
        elif isinstance(given, tftpkit.Redirect):
            return REDIRECT, str(given.path), 0, 0, self.closer(request, None)
        elif isinstance(given, os.PathLike):
            given = opened(given)
        if size == UNKNOWN and is_plain_file(given):
            return (*file_source(given), self.closer(request, None))
        reading = Reading(self, request, given)
        return STREAM, reading.read, size, 0, self.closer(request, reading)

    def closer(self, request, reading):
        """[C++] What close(end, bytes, microseconds, resends) calls; None when nobody wants to know."""
        if reading is None and not callable(self.ended):
            return None

        def close(end, count, microseconds, resends):
            with Called(self):
                try:
                    if reading is not None:
                        reading.close()
                    if callable(self.ended):
                        self.ended(request, tftpkit.Outcome(ENDS.get(end, "host"), count, microseconds / 1e6, resends))
                except BaseException as error:
                    self.failed(request, "ending", error, E_INTERNAL)
        return close

    def failed(self, request, doing, error, otherwise):
        """(status, text) for what was raised. What the script did not mean to raise leaves its trail in the log."""
        status = status_of(error, otherwise)
        meant = hasattr(type(error), "tftpkit_status") or status in (E_NOT_FOUND, E_ACCESS)
        if not meant:
            _tftpkit.log(self.link, 40, f"{doing} {request.path!r} (request {request.id}): {trail(error)}")
        return status, str(error) if meant else named(error)


def load(link, instance, path, settings, more_paths):
    """[C++] A Script, or a text that says why there is none."""
    with loading:
        if _tftpkit.log_enabled(link, 10):
            logging.getLogger().setLevel(logging.DEBUG)
        try:
            return Script(link, instance, path, json.loads(settings), json.loads(more_paths))
        except BaseException as error:
            tell(link, error)
            return placed(error, path)
