#!/usr/bin/env python3
"""Writes the definition of templates() in tools/tftpkit/templates.hpp: embed.py OUTPUT ROOT FILE..., a row with the name
relative to ROOT and the content for each FILE."""
import pathlib
import sys


HEAD = """#include "tftpkit/templates.hpp"

namespace tftpkit::cli {

namespace {

constexpr Template all[] = {
"""
END = """};

}  // namespace

std::span<const Template> templates() noexcept {
  return all;
}

}  // namespace tftpkit::cli
"""


def literal(data):
    """A string literal of any bytes; octal escapes cannot swallow a digit that follows."""
    lines = []
    for line in data.split(b"\n"):
        text = "".join(chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}" for byte in line)
        lines.append(f'    "{text}\\n"')
    lines[-1] = lines[-1].removesuffix('\\n"') + '"'  # what is behind the last newline
    return "\n".join(lines)


def main():
    output, root, *files = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    rows = [f'    {{"{file.relative_to(root)}",\n{literal(file.read_bytes())}}},\n' for file in sorted(files)]
    output.write_text(f"{HEAD}{''.join(rows)}{END}", encoding="ascii")


main()
