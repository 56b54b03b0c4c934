#!/usr/bin/env python3
"""Breaks the engine on purpose and asks whether the simulator notices.

For each mistake of mutations.json a simulator of its own is built (tests/support/mutants.py), which then has to find a seed that
fails. Prints one line for each and the score; exit status 1 when one survives.
"""
import argparse
import concurrent.futures
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from mutants import TOP, Program, mistakes_in  # noqa: E402  # pylint: disable=wrong-import-position,wrong-import-order


def killed(simulator, mutation, seeds):
    """Nothing when it survives, else what was noticed."""
    with tempfile.TemporaryDirectory(prefix="tftpkit-mutant-") as place:
        binary = simulator.mutant(mutation, place)
        command = [binary, "--seeds", str(seeds), "--again", "0", "--first-failure"]
        try:
            run = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=900)
        except subprocess.TimeoutExpired:
            return "the simulation does not come to its end"
        if run.returncode == 0:
            return None
        said = [line.strip().removeprefix("not true: ") for line in run.stdout.splitlines() if "not true" in line]
        tried = next((line.split()[1] for line in run.stdout.splitlines() if "FAILED" in line), "?")
        return f"seed {tried}: {said[0]}" if said else f"ended by signal or status {run.returncode}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2000, help="seeds for each mutation (2000)")
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build", help="a build directory with tests/sim/sim")
    parser.add_argument("--jobs", type=int, default=1, help="at a time (1)")
    parser.add_argument("--only", default="", help="those whose words contain this")
    parser.add_argument("--quick", action="store_true", help="the few that are marked as quick to find")
    options = parser.parse_args()
    simulator = Program(options.build, "tests/sim/sim")
    chosen = [m for m in mistakes_in(HERE / "mutations.json")
              if options.only in m["mistake"] and (m.get("quick") or not options.quick)]
    survivors = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(killed, simulator, mutation, options.seeds): mutation for mutation in chosen}
        for done in concurrent.futures.as_completed(running):
            mutation, how = running[done], done.result()
            survivors += how is None
            print(f"{'SURVIVES' if how is None else 'killed  '}  {mutation['file']}: {mutation['mistake']}"
                  f"{'' if how is None else '; ' + how}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} mutations killed")
    return 1 if survivors or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
