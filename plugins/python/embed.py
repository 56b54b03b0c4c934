#!/usr/bin/python3
"""Writes the C++ source that holds the Python modules of this plugin as text. Arguments: the file to write, NAME=FILE..."""
import pathlib
import sys

HEAD = """// Made by embed.py.
#include "sources.hpp"

namespace tftpkit::python {

const std::vector<Source> sources = {
"""


def quoted(text):
    """Lines of text as neighbouring literals."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(f'    "{line}\\n"' for line in escaped.splitlines())


def main():
    target, *modules = sys.argv[1:]
    parts = [HEAD]
    for module in modules:
        name, _, file = module.partition("=")
        parts.append(f'  {{"{name}",\n{quoted(pathlib.Path(file).read_text(encoding="utf-8"))}}},\n')
    parts.append("};\n\n}  // namespace tftpkit::python\n")
    pathlib.Path(target).write_text("".join(parts), encoding="utf-8")


main()
