"""Deliberate mistakes in the sources, each built into a program of its own: does a test notice?

A list of them is JSON: the file, the text that is there, the text to put in its place, and in words what is mistaken. For a header
also the unit that is compiled with it. The changed file is compiled as a build directory compiles it and linked before the
libraries there, so that a mistake costs one compilation. Knows nothing of the programs.
"""
import json
import pathlib
import shlex
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]


def mistakes_in(path):
    return json.loads(path.read_text(encoding="utf-8"))


def without(command, *options):
    """The command without these options and the word that follows each."""
    kept, skip = [], False
    for word in command:
        if not skip and word not in options:
            kept.append(word)
        skip = word in options
    return kept


def changed(mistake):
    """The text of the file with the mistake in it."""
    text = (TOP / mistake["file"]).read_text(encoding="utf-8")
    if text.count(mistake["from"]) != 1:
        sys.exit(f"mutate: {mistake['file']} has {text.count(mistake['from'])} places with: {mistake['from']}")
    return text.replace(mistake["from"], mistake["to"])


class Program:
    """A program as it is built in a build directory, from which mutants are made."""

    def __init__(self, build, target):
        self.build, self.target = build.resolve(), target
        lines = subprocess.run(["ninja", "-C", self.build, "-t", "commands", target], check=True, capture_output=True,
                               text=True).stdout.splitlines()
        self.link = without(shlex.split(lines[-1]), "-o")
        self.compiled = json.loads((self.build / "compile_commands.json").read_text(encoding="utf-8"))

    def mutant(self, mistake, place):
        """The program with this mistake, built in the directory `place`."""
        place = pathlib.Path(place)
        copy = place / self.include_name(mistake["file"])
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(changed(mistake), encoding="utf-8")
        if copy.suffix == ".cpp":
            return self.linked(self.entry_of(mistake["file"]), copy, [], place)
        return self.linked(self.entry_of(mistake["unit"]), TOP / mistake["unit"], [f"-I{place}"], place)

    @staticmethod
    def include_name(file):
        """As others include it: core/wire/block.hpp is wire/block.hpp."""
        return file.partition("/")[2]

    def entry_of(self, source):
        """How the source is compiled for this program: into one of its libraries or its own objects."""
        for entry in self.compiled:
            archive, object_file = entry["output"].partition(".p/")[0], entry["output"]
            if (self.build / entry["file"]).resolve() == TOP / source and {archive, object_file} & set(self.link):
                return entry
        sys.exit(f"mutate: {source} is no part of {self.target} in {self.build}; is that built?")

    def link_without(self, output):
        """How the program is linked, without that object. Of a library that is linked whole it has to be taken out; from another
        the linker does not take what it has already."""
        archive, whole, words = output.partition(".p/")[0], False, []
        for word in self.link:
            whole = word == "-Wl,--whole-archive" or whole and word != "-Wl,--no-whole-archive"
            others = [entry["output"] for entry in self.compiled if entry["output"].startswith(archive + ".p/")]
            words += [one for one in (others if whole and word == archive else [word]) if one != output]
        return words

    def linked(self, entry, source, more, place):
        thing, binary = place / "mutant.o", place / "mutant"
        command = without(shlex.split(entry["command"]), "-o", "-MF", "-MQ", "-MD", "-c")
        command = [word for word in command if word != entry["file"]]
        at = next(i for i, word in enumerate(command) if word.startswith("-I"))  # what is changed comes before the rest
        subprocess.run([*command[:at], *more, *command[at:], "-w", "-o", thing, "-c", source], cwd=self.build, check=True)
        rest = self.link_without(entry["output"])
        first = next(i for i, word in enumerate(rest) if word.endswith((".o", ".a")))
        subprocess.run([*rest[:first], "-o", binary, thing, *rest[first:]], cwd=self.build, check=True)
        return binary
