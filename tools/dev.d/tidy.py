#!/usr/bin/env python3
"""Runs clang-tidy over the sources of the tree that a build directory compiles, one process a core.

Arguments: TOP BUILDDIR [PATH..], with paths only these files and what lies below these directories. Exit status 1 when clang-tidy found something; its findings come out file by file.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

COUNTING = re.compile(r"^\d+ warnings?( and \d+ errors?)? generated\.?$")


def sources(top, build):
    """The files of the compilation database that are ours: generated ones lie below the build directory."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    files = {pathlib.Path(entry["directory"], entry["file"]).resolve() for entry in entries}
    return sorted(f for f in files if f.is_relative_to(top) and not f.is_relative_to(build))


# Options that clang does not have, and headers compiled before, which only the compiler that made them can read.
NOT_FOR_CLANG = re.compile(r" -f(no-)?gnu-unique| -fpch-preprocess| -Winvalid-pch| -include \S+\.hpp")


def readable_database(build, place):
    """A copy of the compilation database that clang understands."""
    text = (build / "compile_commands.json").read_text(encoding="utf-8")
    (pathlib.Path(place) / "compile_commands.json").write_text(NOT_FOR_CLANG.sub("", text), encoding="utf-8")


def check(database, source):
    # gcc's own warnings may be switched off without clang knowing them.
    done = subprocess.run(["clang-tidy", "-p", str(database), "--quiet", "--extra-arg=-Wno-unknown-warning-option",
                           str(source)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    lines = [line for line in done.stdout.splitlines() if line and not COUNTING.match(line)]
    return done.returncode, "\n".join(lines)


def main(arguments):
    top, build, *paths = (pathlib.Path(a).resolve() for a in arguments)
    files = [f for f in sources(top, build) if not paths or any(f.is_relative_to(path) for path in paths)]
    if not files:
        print("clang-tidy: none of these is a source that the build compiles: " + " ".join(arguments[2:]))
        return 1
    worst = 0
    with tempfile.TemporaryDirectory() as place, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        readable_database(build, place)
        for code, said in pool.map(lambda source: check(place, source), files):
            worst |= code
            if said:
                print(said, flush=True)
    return 1 if worst else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
