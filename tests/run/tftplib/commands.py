"""Other people's command-line clients, each behind the same call."""
import dataclasses
from collections.abc import Callable

from .processes import run
from .tests import Failed, need


@dataclasses.dataclass(frozen=True)
class Command:
    """A client. `line(host, port, name, out, options)` gives its command line; `options` it can send, in its own way."""
    name: str
    tool: str
    line: Callable
    options: tuple

    def fetch(self, address, name, out, options=(), *, seconds=120, run_with=run):
        """Fetches `name` into the file `out` and returns its bytes. `options` are pairs out of `self.options`. `run_with`: for
        example the run() of a Namespace."""
        need(self.tool)
        unknown = [key for key, _ in options if key not in self.options]
        if unknown:
            raise ValueError(f"{self.name} cannot send {unknown}")
        out.unlink(missing_ok=True)
        done = run_with(self.line(address[0], address[1], name, out, dict(options)), seconds=seconds)
        if not out.exists():  # tftp-hpa reports a failure on its output alone
            raise Failed(f"{self.name} fetched nothing: {done.stdout}{done.stderr}")
        return out.read_bytes()


def _curl(host, port, name, out, options):
    host = f"[{host}]" if ":" in host else host
    more = ["--tftp-blksize", options["blksize"]] if "blksize" in options else []
    if not options:
        more = ["--tftp-no-options"]
    return ["curl", "-sS", *more, f"tftp://{host}:{port}/{name}", "-o", out]


def _hpa(host, port, name, out, _options):
    return ["tftp", "-m", "binary", host, port, "-c", "get", name, out]


def _atftp(host, port, name, out, options):
    more = [word for key, value in options.items() for word in ("--option", f"{key} {value}")]
    return ["atftp", *more, "-g", "-r", name, "-l", out, host, port]


def _busybox(host, port, name, out, options):
    more = ["-b", options["blksize"]] if "blksize" in options else []
    return ["busybox", "tftp", "-g", *more, "-r", name, "-l", out, host, port]


# curl always sends tsize and timeout along with blksize, busybox always tsize; tftp-hpa's client sends no option.
COMMANDS = (
    Command("curl", "curl", _curl, ("blksize",)),
    Command("tftp-hpa", "tftp", _hpa, ()),
    Command("atftp", "atftp", _atftp, ("blksize", "tsize", "timeout", "windowsize")),
    Command("busybox", "busybox", _busybox, ("blksize",)),
)
