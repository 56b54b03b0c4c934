#!/usr/bin/env python3
"""Compiles the plugin headers alone in every language version that they promise.

Arguments: the include directory, the C compiler, the C++ compiler, then flags (-m32) for all.
Exit status 77 when a compiler is missing or has no C library for that machine.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Wshadow", "-Werror"]
C_VERSIONS = ["gnu90", "c99", "c11", "c17"]
CPP_VERSIONS = ["c++11", "c++14", "c++17", "c++20"]


def run(command, source, **more):
    return subprocess.run(command, input=source, text=True, capture_output=True, check=False, timeout=120, **more)


def usable(compiler, language, flags, header):
    return run([compiler, *flags, "-x", language, "-fsyntax-only", "-"], f"#include <{header}>\n").returncode == 0


def skip_unless_usable(compiler, language, flags):
    if shutil.which(compiler) is None:
        print(f"{compiler} is missing")
        sys.exit(77)
    if not usable(compiler, language, flags, "stdint.h"):
        print(f"{compiler} {' '.join(flags)} finds no C library for this machine; gcc-multilib brings it")
        sys.exit(77)


def main():
    include, cc, cxx, *flags = sys.argv[1:]
    skip_unless_usable(cc, "c", flags)
    skip_unless_usable(cxx, "c++", flags)
    use, layout = HERE / "header_use.c", HERE / "layout.c"
    cases = []
    for version in C_VERSIONS:
        cases += [(cc, "c", version, [], source.read_text()) for source in (use, layout)]
    for version in CPP_VERSIONS:
        cases += [(cxx, "c++", version, [], use.read_text()), (cxx, "c++", version, [], layout.read_text())]
    hello = (HERE / "plugins" / "hello-cpp.cpp").read_text()
    if usable(cxx, "c++", flags, "string"):
        cases.append((cxx, "c++", "c++20", [], hello))
    else:
        print(f"{cxx} {' '.join(flags)} finds no C++ library (g++-multilib brings it): plugin.hpp is left out")
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for compiler, language, version, more, source in cases:
            command = [compiler, *flags, f"-std={version}", *WARNINGS, *more, f"-I{include}", "-fPIC",
                       "-x", language, "-c", "-o", f"{scratch}/out.o", "-"]
            result = run(command, source)
            if result.returncode != 0 or result.stderr:
                failed += 1
                print(f"FAILED: {' '.join(command)}\n{result.stderr}")
    print(f"{len(cases) - failed} of {len(cases)} compile without a warning")
    return 1 if failed else 0


sys.exit(main())
