#!/usr/bin/python3
"""Less to lose without systemd: a root of its own ("chroot"), and no system calls that nobody needs ("seccomp"); all that a
server does goes on under both."""
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import subprocess

import tftplib
from tftplib import (Client, Failed, Server, Skip, Tree, drop_in, eventually, fetch, generation, generation_of,
                     plugin_pattern, run, sample_plugin)

NOBODY = "65534"


def files(root):
    return {"name": "files", "plugin": "file", "settings": {"root": str(root)}}


def status(server, name):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return next(line.split()[1] for line in file if line.startswith(name + ":"))


def confined(tree, **members):
    return Server(arguments=["--config", tree.config(seccomp=True, **members)])


def test_a_server_under_seccomp_serves_reloads_and_takes_new_instances():
    with Tree() as tree:
        content = tree.file("x", 100_000)
        with confined(tree, instances=[files(tree.root)]) as server:
            assert status(server, "Seccomp") == "2" and status(server, "NoNewPrivs") == "1"
            for thread in os.listdir(f"/proc/{server.process.pid}/task"):
                with open(f"/proc/{server.process.pid}/task/{thread}/status", encoding="ascii") as file:
                    assert "Seccomp:\t2" in file.read(), f"thread {thread} is without the filter"
            assert fetch(server.address, "x", [("blksize", "1400"), ("windowsize", "16")]).content == content
            tree.config(seccomp=True, plugins=[str(sample_plugin("memory"))],
                        instances=[files(tree.root), {"name": "memory", "plugin": "memory"}])
            run([tftplib.binary(), "reload", "--control", server.control])
            assert fetch(server.address, "pattern/2000").content == plugin_pattern(2000)


def test_without_the_setting_there_is_no_filter():
    with Tree() as tree, Server(tree.root) as server:
        assert status(server, "Seccomp") == "0"


def test_a_plugin_in_the_server_is_refused_a_system_call_that_it_has_without_the_filter():
    with Tree() as tree:
        for seccomp, answer in ((False, b"ok\n"), (True, b"EPERM\n")):
            config = tree.config(seccomp=seccomp, plugins=[str(sample_plugin("misbehaves"))],
                                 instances=[{"name": "guest", "plugin": "misbehaves"}])
            with Server(arguments=["--config", config]) as server:
                assert fetch(server.address, "try/personality").content == answer
                assert fetch(server.address, "try/thread").content == b"ok\n"


def test_plugins_in_processes_of_their_own_start_end_and_start_again_under_it_with_and_without_sandbox():
    with Tree() as tree:
        for more in ({}, {"sandbox": True}):
            guest = {"name": "guest", "plugin": "misbehaves", "isolation": "process", **more}
            with confined(tree, plugins=[str(sample_plugin("misbehaves"))], instances=[guest]) as server:
                assert fetch(server.address, "good/3000").content == plugin_pattern(3000)
                assert fetch(server.address, "try/personality").content == b"EPERM\n"
                with Client(server.address) as client:
                    client.rrq("open/abort")
                    client.receive()
                assert eventually(lambda: served(server, "good/2000"), "the next process") == plugin_pattern(2000)


def served(server, name):
    """The bytes, or None when it is refused."""
    try:
        return fetch(server.address, name).content
    except Failed:
        return None


def test_plugins_that_are_dropped_in_and_replaced_are_described_and_loaded_under_it():
    with Tree() as tree:
        plugins = tree.path("plugins")
        plugins.mkdir(mode=0o755)
        with confined(tree, plugin_dirs=[str(plugins)], watch=True) as server:
            drop_in(plugins / "dropped.so", generation(1))
            assert generation_of(eventually(lambda: served(server, "100"), "the plugin to serve")) == 1
            drop_in(plugins / "dropped.so", generation(2))
            eventually(lambda: generation_of(served(server, "100")) == 2, "the next generation")


def private_mounts():
    """This process's mounts are its own from now on, and gone with it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x00020000) != 0:  # CLONE_NEWNS
        raise Skip("a mount namespace needs CAP_SYS_ADMIN")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


class Jail:
    """A root with what the binary needs: bound into it, in the mount namespace of whoever runs this."""

    BOUND = ("usr", "proc", "dev")

    def __init__(self, tree):
        self.path = tree.path("jail")
        self.mounts = []

    def __enter__(self):
        if os.geteuid() != 0:
            raise Skip("chroot needs root")
        private_mounts()
        self.path.mkdir(mode=0o755)
        try:
            for name in self.BOUND:
                self.bind(pathlib.Path("/", name), name)
        except PermissionError as why:
            self.__exit__()
            raise Skip("mounting needs CAP_SYS_ADMIN") from why
        for name in ("lib", "lib64", "bin"):
            if pathlib.Path("/", name).is_symlink():
                (self.path / name).symlink_to(os.readlink(f"/{name}"))
            elif pathlib.Path("/", name).is_dir():
                self.bind(pathlib.Path("/", name), name)
        for name in ("etc", "srv", "app/tools", "app/plugins", "app/more", "run", "state"):
            (self.path / name).mkdir(parents=True)
        for name in ("run", "state"):
            os.chown(self.path / name, int(NOBODY), int(NOBODY))
        (self.path / "app/tools/tftpkit").symlink_to("tftpkit.real")
        self.copy(tftplib.binary(), "app/tools/tftpkit.real")
        self.copy(pathlib.Path(tftplib.binary()).resolve().parents[1] / "plugins/file.so", "app/plugins/file.so")
        for folder in (self.path, *self.path.glob("app/**/"), self.path / "etc", self.path / "srv"):
            folder.chmod(0o755)
        return self

    def __exit__(self, *_):
        for place in reversed(self.mounts):
            subprocess.run(["umount", "-l", place], check=False)

    def bind(self, source, name):
        place = self.path / name
        place.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "--rbind", source, place], capture_output=True, check=False)
        if done.returncode != 0:
            raise PermissionError(done.stderr)
        self.mounts.append(place)

    def copy(self, source, name):
        shutil.copyfile(source, self.path / name)
        (self.path / name).chmod(0o755)

    def config(self, **members):
        path = self.path / "etc/tftpkit.json"
        path.write_text(json.dumps({"chroot": str(self.path), "user": NOBODY, "control": "/run/control",
                                    "state_dir": "/state", **members}), encoding="utf-8")
        path.chmod(0o644)
        return path

    def file(self, name, content):
        (self.path / name).write_bytes(content)
        (self.path / name).chmod(0o644)
        return content

    def server(self, **members):
        return Server(command=[str(self.path / "app/tools/tftpkit.real"), "serve"],
                      arguments=["--config", self.config(**members)])


@contextlib.contextmanager
def jail():
    with Tree() as tree, Jail(tree) as made:
        yield made


def test_a_server_in_a_chroot_serves_what_is_inside_as_another_user():
    with jail() as inside:
        content = inside.file("srv/x", b"inside\n" * 500)
        with inside.server(instances=[files("/srv")]) as server:
            assert os.readlink(f"/proc/{server.process.pid}/root") == str(inside.path)
            assert status(server, "Uid") == NOBODY
            assert fetch(server.address, "x").content == content


def test_in_a_chroot_with_seccomp_it_reloads_watches_and_isolates_as_outside():
    with jail() as inside:
        inside.file("srv/x", b"first")
        inside.copy(sample_plugin("misbehaves"), "app/misbehaves.so")
        members = {"seccomp": True, "plugin_dirs": ["/app/more"], "plugins": ["/app/misbehaves.so"], "watch": True}
        guest = {"name": "guest", "plugin": "misbehaves", "isolation": "process"}
        with inside.server(instances=[files("/srv"), guest], **members) as server:
            assert fetch(server.address, "x").content == b"first"
            assert fetch(server.address, "good/900").content == plugin_pattern(900)
            (inside.path / "srv/second").mkdir(mode=0o755)
            inside.file("srv/second/y", b"second")
            inside.config(instances=[files("/srv/second"), guest], **members)
            run([tftplib.binary(), "reload", "--control", inside.path / "run/control"])
            assert fetch(server.address, "y").content == b"second"
            assert served(server, "x") is None


def refusal(path, command=None):
    try:
        with Server(command=command, arguments=["--config", path]):
            raise AssertionError("it began")
    except Failed as failed:
        return str(failed)


def test_a_chroot_that_cannot_be_says_what_is_missing():
    with Tree() as tree:
        jail_path = tree.path("jail")
        assert 'set "user" too' in refusal(tree.config(chroot=str(jail_path)))
        assert "lies outside" in refusal(tree.config(chroot=str(jail_path), user=NOBODY))
        jail_path.mkdir(mode=0o755)
        inside = jail_path / "config.json"
        inside.write_text(json.dumps({"chroot": ".", "user": NOBODY}), encoding="utf-8")
        if os.geteuid() == 0:
            assert "there is no /proc in it" in refusal(inside)
            jail_path.chmod(0o777)
            assert "can be written by everybody" in refusal(inside)
        else:
            assert "needs a start as root" in refusal(inside)


if __name__ == "__main__":
    tftplib.main(globals())
