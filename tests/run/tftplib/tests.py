"""Ending a test: failed, skipped for want of something, or done."""
import concurrent.futures
import contextlib
import io
import multiprocessing
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
    build = os.environ.get("MESON_BUILD_ROOT") or pathlib.Path(__file__).resolve().parents[3] / "build"
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


def main(names, side_by_side=1):
    """Runs the functions test_* of a module in their order (or those whose names hold an argument) and exits: 1 when one
    failed, 77 when all were skipped. With `side_by_side` so many run at the same time, each in a process of its own: for tests
    that mostly wait."""
    tests = [name for name, function in names.items()
             if name.startswith("test_") and callable(function)
             and (len(sys.argv) < 2 or any(wanted in name for wanted in sys.argv[1:]))]
    if not tests:
        sys.exit("no test has such a name")
    states = list(_states([names[name] for name in tests], side_by_side))
    failed, skipped = states.count("FAILED"), states.count("skipped")
    print(f"{states.count('ok')} ok, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else SKIP if skipped == len(tests) else 0)


def _states(tests, side_by_side):
    """Runs them; what they print comes out in their order."""
    if side_by_side == 1:
        yield from map(_judged, tests)
        return
    fork = multiprocessing.get_context("fork")  # the tests are functions of __main__
    with concurrent.futures.ProcessPoolExecutor(side_by_side, mp_context=fork) as pool:
        for state, printed in pool.map(_collected, tests):
            print(printed, end="", flush=True)
            yield state


def _collected(test):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        state = _judged(test)
    return state, printed.getvalue()


def _judged(test):
    """Runs one test, prints the verdict and returns its first word."""
    title = test.__name__.removeprefix("test_").replace("_", " ")
    began = time.monotonic()
    try:
        test()
    except Skip as reason:
        print(f"skipped  {title}: {reason}", flush=True)
        return "skipped"
    except Exception:  # pylint: disable=broad-except
        print(f"FAILED   {title}\n{traceback.format_exc()}", flush=True)
        return "FAILED"
    print(f"ok       {title} ({time.monotonic() - began:.1f} s)", flush=True)
    return "ok"


def eventually(function, what, seconds=20.0):
    """Calls it until it gives something true, and returns that."""
    end = time.monotonic() + seconds
    while not (value := function()):
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s for {what}")
        time.sleep(0.02)
    return value
