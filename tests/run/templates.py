#!/usr/bin/python3
"""`tftpkit plugins new`: what it makes in each language builds, passes its own test and `plugins check`."""
import os
import pathlib

import tftplib
from tftplib import Tree, need

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "plugin-api" / "include"
NEEDS = {"c": ("cc",), "cpp": ("c++",), "rust": ("rustc",), "go": ("go", "cc"), "python": ("cc",)}


def new(language, where, name="my-plugin", status=0):
    done = tftplib.run([tftplib.binary(), "plugins", "new", name, "--lang", language], cwd=where, check=False)
    assert done.returncode == status, f"{done.stdout}{done.stderr}"
    return done


def make(directory, *targets):
    """`make` in the new directory, as its author would run it, with the headers and the tftpkit of this tree."""
    scratch = directory.parent
    environment = {**os.environ, "GOCACHE": str(scratch / "go-cache"), "GOPATH": str(scratch / "go"), "GOFLAGS": "-mod=mod"}
    words = [f"TFTPKIT={tftplib.binary()}", f"TFTPKIT_CFLAGS=-I{INCLUDE}", "PYTHON=/usr/bin/python3"]
    return tftplib.run(["make", *words, *targets], cwd=directory, seconds=400, env=environment).stdout


def builds_passes_and_installs(language):
    need("make", *NEEDS[language])
    with Tree() as tree:
        before = os.umask(0o002)  # a group may write what is made; the plugin must not be refused for that
        try:
            new(language, tree.base)
            directory = tree.path("my-plugin")
            assert "all tests passed" in make(directory, "test")
        finally:
            os.umask(before)
        for file in ("README.md", "Makefile", "test.sh", ".gitignore"):
            text = (directory / file).read_text(encoding="utf-8")
            assert "@" + "NAME@" not in text and text, file
        checked = make(directory, "check")
        assert " 0 failed" in checked and "pass  hostile-paths" in checked, checked
        plugins = tree.path("plugins")
        plugins.mkdir(mode=0o755)
        assert "installed" in make(directory, "install", f"PLUGIN_DIR={plugins}")
        with tftplib.Server(arguments=["--plugin-dir", plugins]) as server:
            assert tftplib.fetch(server.address, "hello.txt").content == b"Hello from my-plugin!\n"
        make(directory, "clean")
        assert not list(directory.glob("*.so")), list(directory.iterdir())


def test_a_new_plugin_in_c_builds_passes_and_serves():
    builds_passes_and_installs("c")


def test_a_new_plugin_in_cpp_builds_passes_and_serves():
    builds_passes_and_installs("cpp")


def test_a_new_plugin_in_rust_builds_passes_and_serves():
    builds_passes_and_installs("rust")


def test_a_new_plugin_in_go_builds_passes_and_serves():
    builds_passes_and_installs("go")


def test_a_new_plugin_in_python_builds_passes_and_serves():
    if tftplib.run(["/usr/bin/python3", "-c", "import cffi"], check=False).returncode != 0:
        raise tftplib.Skip("missing python3-cffi")
    if not list(pathlib.Path("/usr/include").glob("python3*/Python.h")):
        raise tftplib.Skip("missing python3-dev")
    builds_passes_and_installs("python")


def test_names_and_languages_that_cannot_be_are_refused_and_nothing_is_overwritten():
    with Tree() as tree:
        for name in ("My-Plugin", "1st", "a/b", "..", "x" * 65, "ä"):
            assert "cannot be a plugin's name" in new("c", tree.base, name, status=1).stderr, name
        new("cobol", tree.base, status=2)
        tree.path("there").mkdir()
        assert "is there already" in new("c", tree.base, "there", status=1).stderr
        assert not os.listdir(tree.path("there"))


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
