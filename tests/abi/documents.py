#!/usr/bin/env python3
"""The code in plugin-api/README.md and in the head of plugin.h is code: every block compiles without a warning, and each
whole plugin among them links without a host and describes itself.

Arguments: the plugin-api directory, the describe program.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

COMPILERS = {"c": ["cc", "-std=c99", "-D_GNU_SOURCE"], "cpp": ["c++", "-std=c++20"]}
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-Wno-unused-function"]


def blocks(directory):
    readme = (directory / "README.md").read_text(encoding="utf-8")
    for match in re.finditer(r"^```(c|cpp)\n(.*?)^```$", readme, re.M | re.S):
        line = readme.count("\n", 0, match.start()) + 2
        yield f"README.md:{line}", match[1], match[2]
    for name, language, sign in (("plugin.h", "c", r"^ \*"), ("plugin.hpp", "cpp", r"^//")):
        head = (directory / "include" / "tftpkit" / name).read_text(encoding="utf-8")
        example = re.search(rf"({sign}   #include <tftpkit/{re.escape(name)}>\n(?:{sign}   .*\n)+)", head, re.M)
        if example is None:
            sys.exit(f"{name} has no example in its head any more")
        yield name, language, re.sub(rf"{sign}   ", "", example[1], flags=re.M)


def described(file, describe):
    read, write = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, write, 3)]
    pid = os.posix_spawn(describe, [describe, "--tftpkit-describe", file], os.environ, file_actions=actions)
    os.close(write)
    with os.fdopen(read, "rb") as report:
        said = report.read().split(b"\0")
    os.waitpid(pid, 0)
    return said[:2] == [b"state", b"ok"], b" ".join(said[:4]).decode(errors="replace")


def fault(block, language, include, describe, scratch):
    source = pathlib.Path(scratch) / f"block.{language}"
    source.write_text(block, encoding="utf-8")
    output = pathlib.Path(scratch) / "block.so"
    whole = "TFTPKIT_EXPORT_PLUGIN" in block or "TFTPKIT_PLUGIN_CLASS" in block
    kind = ["-shared", "-Wl,-z,defs"] if whole else ["-c"]
    command = [*COMPILERS[language], *WARNINGS, f"-I{include}", "-fPIC", "-fvisibility=hidden", *kind,
               str(source), "-o", str(output), "-pthread"]
    built = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if built.returncode != 0:
        return built.stderr
    if whole:
        right, said = described(str(output), describe)
        return "" if right else f"does not describe itself: {said}"
    return ""


def main():
    directory, describe = pathlib.Path(sys.argv[1]), sys.argv[2]
    for compiler in ("cc", "c++"):
        if shutil.which(compiler) is None:
            print(f"{compiler} is missing")
            return 77
    failed, count = 0, 0
    for where, language, block in blocks(directory):
        count += 1
        with tempfile.TemporaryDirectory() as scratch:
            said = fault(block, language, directory / "include", describe, scratch)
        if said:
            failed += 1
            print(f"FAILED: {where}\n{said}")
    print(f"{count - failed} of {count} blocks are right")
    return 1 if failed or count < 6 else 0


sys.exit(main())
