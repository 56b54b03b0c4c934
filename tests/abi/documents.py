#!/usr/bin/env python3
"""The code in plugin-api/README.md and in the head of plugin.h is code: every block compiles without a warning, and each
whole plugin among them links without a host, by the version script that stands there, and describes itself. Shell blocks are
shell, and there is no block of another kind.

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


def readme_blocks(directory):
    """(place, language, text) of every fenced block."""
    readme = (directory / "README.md").read_text(encoding="utf-8")
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", readme, re.M | re.S):
        line = readme.count("\n", 0, match.start()) + 2
        yield f"README.md:{line}", match[1], match[2]


def version_script(directory):
    return next(text for _, language, text in readme_blocks(directory) if not language and "global:" in text)


def fault_of_other(language, text):
    """What is wrong with a block that is not compiled; the life of an instance and the version script have no language."""
    if language == "sh":
        return subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, check=False, timeout=60).stderr
    return "" if not language else f"a block of the unknown kind {language}"


def blocks(directory):
    yield from (block for block in readme_blocks(directory) if block[1] in COMPILERS)
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


def fault(block, language, include, describe, scratch, script):
    source = pathlib.Path(scratch) / f"block.{language}"
    source.write_text(block, encoding="utf-8")
    output = pathlib.Path(scratch) / "block.so"
    whole = "TFTPKIT_EXPORT_PLUGIN" in block or "TFTPKIT_PLUGIN_CLASS" in block
    (pathlib.Path(scratch) / "plugin.map").write_text(script, encoding="utf-8")
    kind = ["-shared", "-Wl,-z,defs", f"-Wl,--version-script={scratch}/plugin.map"] if whole else ["-c"]
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
    script = version_script(directory)
    for where, language, text in readme_blocks(directory):
        said = language not in COMPILERS and fault_of_other(language, text)
        if said:
            failed += 1
            print(f"FAILED: {where}: {said}")
    for where, language, block in blocks(directory):
        count += 1
        with tempfile.TemporaryDirectory() as scratch:
            said = fault(block, language, directory / "include", describe, scratch, script)
        if said:
            failed += 1
            print(f"FAILED: {where}\n{said}")
    print(f"{count - failed} of {count} blocks are right")
    return 1 if failed or count < 9 else 0


sys.exit(main())
