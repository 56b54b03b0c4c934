#!/usr/bin/env python3
"""Writes the definition of templates() in tools/tftpkit/templates.hpp: embed.py OUTPUT ROOTS FILE..., a row with the content
for each FILE and its name relative to the one of ROOTS (A:B) that it lies below."""
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


def relative(file, roots):
    return next(str(file.relative_to(root)) for root in map(pathlib.Path, roots) if file.is_relative_to(root))


def main():
    output, roots, *files = sys.argv[1:]
    names = {relative(pathlib.Path(file).resolve(), roots.split(":")): file for file in files}
    rows = [f'    {{"{name}",\n{literal(pathlib.Path(names[name]).read_bytes())}}},\n' for name in sorted(names)]
    pathlib.Path(output).write_text(f"{HEAD}{''.join(rows)}{END}", encoding="ascii")


main()
