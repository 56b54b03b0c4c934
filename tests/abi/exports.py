#!/usr/bin/env python3
"""Every built plugin exports its entry and nothing else, and needs nothing of the host.

Arguments: [--load] plugin files. --load also loads each into this process, which has no host in it.
Before that it shows on planted files that it can fail.
"""
import ctypes
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ENTRY = "tftpkit_plugin_v1"


def symbols(file, which):
    listing = subprocess.run(["nm", "-D", which, "--", file], capture_output=True, text=True, check=True, timeout=60)
    return [line.split()[-1] for line in listing.stdout.splitlines() if line.strip()]


def faults(file, load):
    exported = set(symbols(file, "--defined-only"))
    if ENTRY not in exported:
        yield f"does not export {ENTRY}"
    for extra in sorted(exported - {ENTRY}):
        yield f"exports {extra} as well; link it with plugins/plugin.map and hidden visibility"
    for wanted in symbols(file, "--undefined-only"):
        if "tftpkit" in wanted:
            yield f"needs {wanted} of the host"
    if load:
        try:
            ctypes.CDLL(str(file), mode=os.RTLD_NOW | os.RTLD_LOCAL)
        except OSError as error:
            yield f"does not load without a host: {error}"


def can_fail():
    source = "int tftpkit_host_function(void); int %s(void) { return tftpkit_host_function(); } int extra;\n"
    with tempfile.TemporaryDirectory() as scratch:
        file = pathlib.Path(scratch) / "planted.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-o", file, "-"], input=source % "some_entry", text=True,
                       check=True, timeout=60)
        return len(list(faults(file, False))) == 4


def main():
    for tool in ("nm", "cc"):
        if shutil.which(tool) is None:
            print(f"{tool} is missing")
            return 77
    load = "--load" in sys.argv
    files = [argument for argument in sys.argv[1:] if argument != "--load"]
    if not can_fail():
        print("the planted faults were not found")
        return 1
    found = [(file, fault) for file in files for fault in faults(file, load)]
    for file, fault in found:
        print(f"{file} {fault}")
    print(f"{len(files)} plugins, {len(found)} faults")
    return 1 if found or not files else 0


sys.exit(main())
