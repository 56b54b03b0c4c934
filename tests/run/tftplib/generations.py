"""Copies of the test plugin `dropped` that differ in what they serve, and putting them into a directory."""
import os

from .tests import abi_plugin

_MARKER = b"generation-000000"


def marker(number):
    """What generation `number` serves over and over; a number below zero is one that fails in create()."""
    return b"generation-%06d" % number if number >= 0 else b"fails" + b"-%011d" % -number


def generation(number, plugin="dropped"):
    """The bytes of the plugin's file in that generation."""
    with open(abi_plugin(plugin), "rb") as file:
        content = file.read()
    assert content.count(_MARKER) == 1, "the marker is to be patched in one place"
    return content.replace(_MARKER, marker(number))


def generation_of(content):
    """The number of the one generation that made all of the content; None when it is mixed or foreign."""
    begin = (content + content)[:len(_MARKER)] if len(content) < len(_MARKER) else content[:len(_MARKER)]
    whole = (begin * (len(content) // len(begin) + 1))[:len(content)]
    return int(begin.rpartition(b"-")[2]) if whole == content and begin.startswith(b"generation-") else None


def drop_in(path, content):
    """As mv does: the file is there whole, or not at all."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.chmod(0o644)
    os.rename(beside, path)
