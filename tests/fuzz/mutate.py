#!/usr/bin/env python3
"""Breaks what the fuzz targets test, on purpose, and asks whether fuzzing notices.

For each mistake of mutations.json its target is built with that mistake (tests/support/mutants.py, from a build for libFuzzer) and
fuzzed from the corpus, for a minute at most. Writes what came of each into README.md; exit status 1 when a mistake was not found.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

from mutants import TOP, Program, mistakes_in  # noqa: E402  # pylint: disable=wrong-import-position,wrong-import-order

BEGIN, END = "<!-- filled in by tests/fuzz/mutate.py -->", "<!-- until here -->"
SANITIZERS = {"ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
              "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
# In the order in which they say more: an abort follows each claim, and each error of a sanitizer.
SIGNS = (r"does not hold: (.+)", r"AddressSanitizer: ([\w-]+)", r"runtime error: (.+)", r"libFuzzer: ([\w-]+)",
         r"what\(\): +(.+)", r"(LeakSanitizer): ", r"libFuzzer: (.+)")


def sign_in(output):
    found = (re.search(sign, output) for sign in SIGNS)
    return next((match[1].strip() for match in found if match), "an end without words")


def fuzzed(target, mistake, seconds):
    """(sign or nothing, inputs, seconds)"""
    with tempfile.TemporaryDirectory(prefix="tftpkit-mutant-") as place:
        binary = target.mutant(mistake, place)
        found = pathlib.Path(place, "found")
        found.mkdir()
        command = [binary, f"-max_total_time={seconds}", "-seed=1", "-max_len=8192", "-timeout=25", "-print_final_stats=1",
                   f"-artifact_prefix={found}/", found, HERE / "corpus" / mistake["target"]]
        began = time.monotonic()
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", env={**os.environ, **SANITIZERS},
                             check=False)
        took = time.monotonic() - began
    inputs = re.search(r"number_of_executed_units: (\d+)", run.stderr)
    return (sign_in(run.stderr) if run.returncode else None), int(inputs[1]) if inputs else 0, took


def row(mistake, sign, inputs, took):
    words = f"*{sign}*" if sign else "**not found**"
    return f"| `{mistake['target']}` | {mistake['mistake']} | {words} | {inputs:,} | {took:.0f} |"


def same_mistake(row):
    """What a row is known by: its target and its mistake."""
    return row.split(" | ")[:2]


def write_row(row, mistakes):
    """Puts it into the table between the two marks of README.md, which has the order of the list."""
    readme = HERE / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    table, _, after = rest.partition(END)
    rows = [line for line in table.splitlines() if line.startswith("| `") and same_mistake(line) != same_mistake(row)] + [row]
    order = [f"| `{mistake['target']}` | {mistake['mistake']}".split(" | ") for mistake in mistakes]
    rows = sorted((one for one in rows if same_mistake(one) in order), key=lambda one: order.index(same_mistake(one)))
    lines = "\n".join(["| target | mistake | noticed by | inputs | seconds |", "|---|---|---|---|---|", *rows])
    readme.write_text(f"{before}{BEGIN}\n\n{lines}\n\n{END}{after}", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each mistake at most (60)")
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build-fuzz", help="where tools/dev fuzz has built the targets")
    parser.add_argument("--only", default="", help="those of this target")
    options = parser.parse_args()
    mistakes = mistakes_in(HERE / "mutations.json")
    chosen = [m for m in mistakes if options.only in ("", m["target"])]
    targets = {name: Program(options.build, f"tests/fuzz/fuzz_{name}") for name in {m["target"] for m in chosen}}
    missed = 0
    for mistake in chosen:
        sign, inputs, took = fuzzed(targets[mistake["target"]], mistake, options.seconds)
        missed += sign is None
        write_row(row(mistake, sign, inputs, took), mistakes)
        print(f"{'found ' if sign else 'MISSED'}  {mistake['target']}: {mistake['mistake']}; {sign or 'nothing'} "
              f"after {inputs} inputs, {took:.0f} s", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} mistakes found")
    return 1 if missed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
