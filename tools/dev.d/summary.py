#!/usr/bin/env python3
"""Adds up the meson test logs of several build directories.

Arguments: LABEL=BUILDDIR..., each with meson-logs/testlog.json (one JSON object a line), or with a file
build-failed instead; and --name=TEST for every test that was asked for by name.
Names what failed and what was skipped, with the reason; the last line is the count.
Exit status 1 when something failed or nothing ran.
"""
import json
import pathlib
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP", "IGNORED"}


def read_log(build):
    log = build / "meson-logs" / "testlog.json"
    if not log.exists():
        return []
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]


def name_of(test):
    """The test's own name: meson puts project and suites before it."""
    return test["name"].rsplit(" / ", 1)[-1]


def reason_of(test):
    """The last thing that a skipped test said."""
    said = [line.strip() for line in (test.get("stdout", "") + "\n" + test.get("stderr", "")).splitlines()]
    said = [line for line in said if line]
    return said[-1] if said else "gave no reason"


def main(arguments):
    passed, failed, skipped = 0, [], []
    wanted = {a.removeprefix("--name=") for a in arguments if a.startswith("--name=")}
    arguments = [a for a in arguments if not a.startswith("--name=")]
    for argument in arguments:
        label, _, path = argument.partition("=")
        build = pathlib.Path(path)
        if (build / "build-failed").exists():
            failed.append(f"{label}: the build of {build.name}/ failed")
            continue
        tests = read_log(build)
        if not tests:
            failed.append(f"{label}: no test ran in {build.name}/")
        # meson passes over a name that it does not know.
        for name in sorted(wanted - {name_of(test) for test in tests}):
            failed.append(f"{label}: no test is called {name} (meson test -C {build.name} --list)")
        for test in tests:
            name = f"{label}: {name_of(test)}"
            if test["result"] in PASSED:
                passed += 1
            elif test["result"] in SKIPPED:
                skipped.append(f"{name}: {reason_of(test)}")
            else:
                failed.append(f"{name} ({test['result']}, log in {build.name}/meson-logs/testlog.txt)")
    print()
    for line in skipped:
        print("skipped ", line)
    for line in failed:
        print("FAILED  ", line)
    count = f"{passed} passed, {len(failed)} failed"
    print(count + (f", {len(skipped)} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
