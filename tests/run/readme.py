#!/usr/bin/env python3
"""The README does what it says: every fenced block of it is run, in order, as a newcomer would.

  sh      run by bash -eu, in the directory where the block before it ended; `git clone` brings this tree
  c       written to the file that the text above names in `backticks`
  (none)  what the sh block above must print: all of it after "Output:", its end after "It ends with:"

A block of another kind fails: nothing in the README goes untested. Links into the tree must lead somewhere.
Arguments: SOURCE, the tree, a git clone.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(sys.argv[1]).resolve()
README = (SOURCE / "README.md").read_text(encoding="utf-8")
TIME_LIMIT = 900  # one block may build the server


class Block:
    """One fenced block: its language, its text, the last paragraph above it and its line number."""

    def __init__(self, language, text, above, line):
        self.language, self.text, self.above, self.line = language, text, above, line


def blocks_of(text):
    found, above = [], 0
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        paragraphs = [p.strip() for p in text[above:match.start()].split("\n\n") if p.strip()]
        found.append(Block(match[1], match[2], paragraphs[-1] if paragraphs else "",
                           text.count("\n", 0, match.start()) + 1))
        above = match.end()
    return found


def own_network():
    """A prefix that gives a command its own loopback, so that port 6969 is free there; empty where not allowed."""
    for prefix in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        whole = prefix + ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
        if subprocess.run(whole + ["true"], capture_output=True, check=False).returncode == 0:
            return whole
    return []


class Newcomer:
    """An empty home directory, and where in it the newcomer stands."""

    def __init__(self, home):
        self.where = home
        self.note = home / ".where"
        self.network = own_network()
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("MESON", "NINJA", "GIT_"))}
        # Another home, but what was compiled a minute ago need not be compiled again.
        if shutil.which("ccache"):
            asked = subprocess.run(["ccache", "--get-config", "cache_dir"], capture_output=True, text=True, check=True)
            self.environment["CCACHE_DIR"] = asked.stdout.strip()
        self.environment["HOME"] = str(home)
        url = re.search(r"git clone (\S+)", README)[1]
        # The tree may belong to somebody else, as in CI.
        (home / ".gitconfig").write_text(f'[url "file://{SOURCE}"]\n insteadOf = {url}\n[safe]\n directory = *\n',
                                         encoding="utf-8")

    def types(self, script):
        """What the script prints on standard output; its failure is a failed test."""
        whole = f'{script}\npwd >"{self.note}"\n'
        done = subprocess.run(self.network + ["bash", "-euc", whole], cwd=self.where, env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=TIME_LIMIT, check=False)
        if done.returncode != 0:
            raise AssertionError(f"exit {done.returncode} of:\n{script}\n{done.stdout}{done.stderr[-8000:]}")
        self.where = pathlib.Path(self.note.read_text(encoding="utf-8").strip())
        return done.stdout


class Readme(unittest.TestCase):
    def test_every_block_does_what_the_readme_says(self):
        printed = None
        with tempfile.TemporaryDirectory(prefix="tftpkit-readme-") as home:
            newcomer = Newcomer(pathlib.Path(home).resolve())
            for block in blocks_of(README):
                with self.subTest(line=block.line):
                    if block.language == "sh":
                        printed = newcomer.types(block.text)
                    elif block.language == "c":
                        (newcomer.where / re.findall(r"`(\w+\.c)`", block.above)[-1]).write_text(block.text)
                    elif block.language == "" and block.above == "Output:":
                        self.assertEqual(block.text, printed)
                    elif block.language == "" and block.above == "It ends with:":
                        self.assertTrue(printed.endswith(block.text), printed)
                    else:
                        self.fail(f"line {block.line}: no rule for a block '{block.language}' below '{block.above}'")

    def test_the_promised_blocks_are_there(self):
        blocks = blocks_of(README)
        scripts = "".join(block.text for block in blocks if block.language == "sh")
        for promised in ("git clone ", "tools/dev run", "curl ", "tftp://", "plugins fetch"):
            self.assertIn(promised, scripts)
        plugin = [block.text for block in blocks if block.language == "c"]
        self.assertEqual(1, len(plugin))
        self.assertLessEqual(len([line for line in plugin[0].splitlines() if line.strip()]), 10)

    def test_every_link_into_the_tree_leads_somewhere(self):
        targets = [target for target in re.findall(r"\]\(([^)#\s]+)", README) if "://" not in target]
        self.assertTrue(targets)
        self.assertEqual([], [target for target in targets if not (SOURCE / target).exists()])


if __name__ == "__main__":
    for tool in ("git", "curl", "cc"):
        if not shutil.which(tool):
            print(f"needs {tool}")
            sys.exit(77)
    if not (SOURCE / ".git").exists():
        print("needs a git clone of the project, to clone it again")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "--verbose"])
