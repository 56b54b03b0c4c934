#!/usr/bin/env python3
"""The plugin ABI is what was released: abidw's account of plugin.h equals the one that is kept for its version, and the
kept header of every release still gives the account that was kept with it.

Arguments: the plugin-api directory; --write VERSION writes the account for a new release instead.
Exit status 77 without abidw, or on another machine than x86-64, where the accounts are made.
"""
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
ACCOUNT = "x86-64.abi"


def run(*command, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=120, **more)


def object_of(include, scratch):
    """The anchor built against these headers; no path of this machine gets into it."""
    shutil.copy(HERE / "anchor.c", scratch)
    built = run("gcc", "-g", "-shared", "-fPIC", "-fvisibility=hidden", f"-ffile-prefix-map={include}=include",
                f"-ffile-prefix-map={scratch}=.", f"-I{include}", "anchor.c", "-o", "anchor.so", cwd=scratch)
    if built.returncode != 0:
        sys.exit(built.stderr)
    return pathlib.Path(scratch) / "anchor.so"


def written(include, account):
    with tempfile.TemporaryDirectory() as scratch:
        done = run("abidw", "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-parameter-names",
                   "--type-id-style", "hash", "--out-file", account, object_of(include, scratch))
    if done.returncode != 0:
        sys.exit(done.stderr)


def differences(account, include):
    """What abidiff says, empty when nothing is different."""
    with tempfile.TemporaryDirectory() as scratch:
        done = run("abidiff", account, object_of(include, scratch))
    return "" if done.returncode == 0 else done.stdout + done.stderr


def version_of(include):
    header = (include / "tftpkit" / "plugin.h").read_text(encoding="utf-8")
    return ".".join(re.search(rf"^#define TFTPKIT_ABI_{part} (\d+)u$", header, re.M)[1] for part in ("MAJOR", "MINOR"))


def can_fail(account, include):
    """A member put into the middle of a struct must be found."""
    with tempfile.TemporaryDirectory() as scratch:
        changed = pathlib.Path(scratch) / "tftpkit"
        changed.mkdir()
        header = (include / "tftpkit" / "plugin.h").read_text(encoding="utf-8")
        planted = header.replace("  uint64_t fd_offset; ", "  uint64_t planted;\n  uint64_t fd_offset; ", 1)
        (changed / "plugin.h").write_text(planted, encoding="utf-8")
        return planted != header and "planted" in differences(account, pathlib.Path(scratch))


def main():
    api = pathlib.Path(sys.argv[1]).resolve()
    include, released = api / "include", api / "released"
    if len(sys.argv) == 4 and sys.argv[2] == "--write":
        written(released / sys.argv[3], released / sys.argv[3] / ACCOUNT)
        return 0
    if shutil.which("abidw") is None or platform.machine() != "x86_64":
        print("needs abidw (abigail-tools) on x86-64")
        return 77
    faults = []
    version = version_of(include)
    if not (released / version).is_dir():
        faults.append(f"plugin.h is version {version}, but {released}/{version} is not there")
    else:
        faults.append(differences(released / version / ACCOUNT, include))
        if not can_fail(released / version / ACCOUNT, include):
            faults.append("a member planted into tftpkit_source was not found")
    for release in sorted(released.iterdir()):
        if version_of(release) != release.name:
            faults.append(f"{release} holds the header of {version_of(release)}")
        faults.append(differences(release / ACCOUNT, release))
    changelog = (api / "CHANGELOG.md").read_text(encoding="utf-8")
    for release in released.iterdir():
        if not re.search(rf"^## {re.escape(release.name)}\b", changelog, re.M):
            faults.append(f"CHANGELOG.md has no part for {release.name}")
    for fault in filter(None, faults):
        print(fault)
    return 1 if any(faults) else 0


sys.exit(main())
