"""Ending a test: failed, skipped for want of something, or done."""
import concurrent.futures
import os
import pathlib
import shutil
import sys
import time
import traceback

SKIP = 77             # the exit status that meson takes for "skipped"
TIME_LIMIT = 20.0     # seconds that a condition is awaited, unless told: never the measure of anything


class Skip(Exception):
    """This test cannot run here; the text says what is missing."""


class Failed(AssertionError):
    """The program under test did something else than expected."""


def which(tool):
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def require(*tools):
    """Ends the program with 77 (skipped) and the names of the tools that are missing."""
    missing = [tool for tool in tools if which(tool) is None]
    if missing:
        print("skipped: missing " + ", ".join(missing))
        sys.exit(SKIP)


def need(*tools):
    """As require(), but skips only the test function that calls it."""
    missing = [tool for tool in tools if which(tool) is None]
    if missing:
        raise Skip("missing " + ", ".join(missing))


def binary():
    """The server: $TFTPKIT, else tools/tftpkit in the build directory ($MESON_BUILD_ROOT or build/). Skips without one."""
    build = os.environ.get("MESON_BUILD_ROOT") or pathlib.Path(__file__).resolve().parents[2] / "build"
    path = os.environ.get("TFTPKIT") or os.path.join(build, "tools", "tftpkit")
    if not os.access(path, os.X_OK):
        print(f"skipped: the server is not built ({path}); set TFTPKIT")
        sys.exit(SKIP)
    return path


def abi_plugin(name):
    """One of the plugins of tests/abi/plugins: in $TEST_PLUGINS, else in the build directory of the binary. Skips without."""
    folder = os.environ.get("TEST_PLUGINS") or pathlib.Path(binary()).resolve().parents[1] / "tests/abi/plugins"
    path = os.path.join(folder, name + ".so")
    if not os.path.exists(path):
        raise Skip(f"the test plugin {name} is not built ({path})")
    return path


def at_once(*functions):
    """Calls them in threads of their own, waits for all, and raises what the first one raised."""
    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        for done in [pool.submit(function) for function in functions]:
            done.result()


def main(names):
    """Runs the functions test_* of a module in their order (or those whose names hold an argument) and exits: 1 when one
    failed, 77 when all were skipped."""
    tests = [(name, function) for name, function in names.items()
             if name.startswith("test_") and callable(function)
             and (len(sys.argv) < 2 or any(wanted in name for wanted in sys.argv[1:]))]
    failed = skipped = 0
    for name, function in tests:
        title = name.removeprefix("test_").replace("_", " ")
        began = time.monotonic()
        try:
            function()
            print(f"ok       {title} ({time.monotonic() - began:.1f} s)", flush=True)
        except Skip as reason:
            skipped += 1
            print(f"skipped  {title}: {reason}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"FAILED   {title}\n{traceback.format_exc()}", flush=True)
    print(f"{len(tests) - failed - skipped} ok, {failed} failed, {skipped} skipped")
    if not tests:
        sys.exit("no test has such a name")
    sys.exit(1 if failed else SKIP if skipped == len(tests) else 0)
