#!/usr/bin/env python3
"""Breaks the engine on purpose and asks whether the simulator notices.

mutations.json lists the mistakes: a file, the text that is there and the text to put in its place. For each one the file is
copied with its mistake, compiled as the build in build/ compiles it, and linked before the libraries into a simulator of its
own, which then has to find a seed that fails. Prints one line for each and the score; exit status 1 when one survives.
"""
import argparse
import concurrent.futures
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]


def compile_command(build, source):
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        if (build / entry["file"]).resolve() == source.resolve() and "core" in entry["output"]:
            return shlex.split(entry["command"])
    sys.exit(f"mutate: {source} is not compiled in {build}; run tools/dev build")


def link_command(build):
    lines = subprocess.run(["ninja", "-C", build, "-t", "commands", "tests/sim/sim"], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return shlex.split(lines[-1])


def without(command, *options):
    """The command without these options and the word that follows each."""
    kept, skip = [], False
    for word in command:
        if not skip and word not in options:
            kept.append(word)
        skip = word in options
    return kept


def mutated(mutation, text):
    if text.count(mutation["from"]) != 1:
        sys.exit(f"mutate: {mutation['file']} has {text.count(mutation['from'])} places with: {mutation['from']}")
    return text.replace(mutation["from"], mutation["to"])


def compiled(build, source, text, place):
    """The object file of a source with this text."""
    copy, thing = place / source.name, place / (source.stem + ".o")
    copy.write_text(text, encoding="utf-8")
    command = without(compile_command(build, source), "-o", "-MF", "-MQ", "-MD", "-c")
    command = [word for word in command if not word.endswith(source.name)]
    subprocess.run([*command, "-w", "-o", thing, "-c", copy], cwd=build, check=True)
    return thing


def simulator(build, mutation, place):
    source = TOP / mutation["file"]
    thing = compiled(build, source, mutated(mutation, source.read_text(encoding="utf-8")), place)
    binary = place / "sim"
    link = without(link_command(build), "-o")
    at = next(i for i, word in enumerate(link) if word.endswith(".o"))
    subprocess.run([*link[:at], "-o", binary, thing, *link[at:]], cwd=build, check=True)
    return binary


def killed(build, mutation, seeds):
    """Nothing when it survives, else what was noticed."""
    with tempfile.TemporaryDirectory(prefix="tftpkit-mutant-") as place:
        binary = simulator(build, mutation, pathlib.Path(place))
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
    mutations = json.loads((HERE / "mutations.json").read_text(encoding="utf-8"))
    chosen = [m for m in mutations if options.only in m["mistake"] and (m.get("quick") or not options.quick)]
    survivors = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(killed, options.build.resolve(), mutation, options.seeds): mutation for mutation in chosen}
        for done in concurrent.futures.as_completed(running):
            mutation, how = running[done], done.result()
            survivors += how is None
            print(f"{'SURVIVES' if how is None else 'killed  '}  {mutation['file']}: {mutation['mistake']}"
                  f"{'' if how is None else '; ' + how}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} mutations killed")
    return 1 if survivors or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
