#!/usr/bin/python3
"""`tftpkit plugins new`: what it makes in each language builds, passes its own test and `plugins check`."""
import json
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


def environment():
    return {**os.environ, **tftplib.go_environment(), "PYTHON": "/usr/bin/python3"}


def make(directory, *targets):
    """`make` in the new directory, with the headers and the tftpkit of this tree."""
    words = [f"TFTPKIT={tftplib.binary()}", f"TFTPKIT_CFLAGS=-I{INCLUDE}"]
    return tftplib.run(["make", *words, *targets], cwd=directory, seconds=400, env=environment()).stdout


def do_as_told(told, where):
    """Types the commands that `plugins new` printed, which are the lines that are set in."""
    commands = [line for line in told.splitlines() if line.startswith("  ")]
    return tftplib.run(["sh", "-ec", "\n".join(commands)], cwd=where, seconds=400, env=environment()).stdout


def builds_passes_and_installs(language):
    need("make", *NEEDS[language])
    with Tree() as tree:
        before = os.umask(0o002)  # a group may write what is made; the plugin must not be refused for that
        try:
            told = new(language, tree.base).stdout
            done = do_as_told(told, tree.base)
        finally:
            os.umask(before)
        assert "all tests passed" in done and " 0 failed" in done and "pass  hostile-paths" in done, done
        directory = tree.path("my-plugin")
        for file in ("README.md", "Makefile", "test.sh", ".gitignore"):
            text = (directory / file).read_text(encoding="utf-8")
            assert "@" + "NAME@" not in text and text, file
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


def test_two_plugins_in_go_run_side_by_side_in_processes_of_their_own():
    need("make", *NEEDS["go"])
    names = ("first", "second")
    with Tree() as tree:
        for name in names:
            new("go", tree.base, name)
            make(tree.path(name), f"{name}.so")
        config = tree.path("config.json")
        config.write_text(json.dumps({
            "plugins": [str(tree.path(name) / f"{name}.so") for name in names],
            "instances": [{"name": name, "plugin": name, "isolation": "process"} for name in names],
            "routes": [{"clients": "127.0.0.2", "to": "second"}, {"to": "first"}]}), encoding="utf-8")
        with tftplib.Server(arguments=["--config", config]) as server:
            for name, place in zip(names, ("127.0.0.1", "127.0.0.2")):
                content = tftplib.fetch(server.address, "hello.txt", local=(place, 0)).content
                assert content == f"Hello from {name}!\n".encode(), content


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
