"""The plugins of tests/abi/plugins, and the bytes that they make."""
import pathlib

from .tests import Skip, binary


def sample_plugin(name):
    """The file of a plugin of tests/abi/plugins, built beside the server."""
    file = pathlib.Path(binary()).resolve().parents[1] / "tests" / "abi" / "plugins" / f"{name}.so"
    if not file.exists():
        raise Skip(f"the test plugin is not built ({file})")
    return file


def go_environment():
    """For the go tool: it compiles its library once for all tests of this build directory."""
    place = pathlib.Path(binary()).resolve().parents[1] / "tests" / "go"
    return {"GOCACHE": str(place / "cache"), "GOPATH": str(place / "path"), "GOFLAGS": "-mod=mod"}


def plugin_pattern(size):
    """What "pattern/SIZE" holds."""
    return bytes((at * 2654435761 >> 13) & 255 for at in range(size))
