#!/usr/bin/env python3
"""What `meson install` leaves behind is a working system.

Installs into a staging directory and uses only what lies there: the binary with its plugins, the headers and the
pkg-config file for a plugin's author, the manual pages. Arguments: SOURCE BUILD, both whole directories.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
TIME_LIMIT = 60
CONTENT = bytes(range(256)) * 40 + b"the end\n"


def run(*command, **more):
    """Runs a command to its end; its output as text, or the reason of the failure with all that it said."""
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=TIME_LIMIT, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def options():
    entries = json.loads((BUILD / "meson-info" / "intro-buildoptions.json").read_text(encoding="utf-8"))
    return {entry["name"]: entry["value"] for entry in entries}


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="tftpkit-install-")
        cls.addClassCleanup(folder.cleanup)
        cls.top = pathlib.Path(folder.name).resolve()
        cls.stage = cls.top / "stage"
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", cls.stage, "--quiet")
        chosen = options()
        cls.prefix = pathlib.Path(chosen["prefix"])
        for name in ("bindir", "libdir", "includedir", "mandir"):
            setattr(cls, name, cls.staged(cls.prefix / chosen[name]))
        cls.plugindir = cls.libdir / "tftpkit" / "plugins"
        cls.tftpkit = cls.bindir / "tftpkit"
        # Nothing of the build tree or of this machine's own tftpkit can help by the environment.
        cls.environment = {"PATH": os.environ["PATH"], "HOME": str(cls.top), "LC_ALL": "C",
                           "PKG_CONFIG_PATH": str(cls.libdir / "pkgconfig"),
                           "PKG_CONFIG_SYSROOT_DIR": str(cls.stage)}

    @classmethod
    def staged(cls, path):
        return cls.stage / path.relative_to("/")

    def installed(self, *command, **more):
        return run(*command, env=self.environment, **more)

    def test_every_header_is_installed(self):
        headers = SOURCE / "plugin-api" / "include" / "tftpkit"
        self.assertEqual(sorted(f.name for f in headers.iterdir()),
                         sorted(f.name for f in (self.includedir / "tftpkit").iterdir()))

    def test_pkg_config_names_the_directory_of_the_plugins(self):
        unstaged = {**self.environment, "PKG_CONFIG_SYSROOT_DIR": ""}
        told = run("pkg-config", "--variable=plugindir", "tftpkit-plugin", env=unstaged).strip()
        self.assertEqual(self.plugindir, self.staged(pathlib.Path(told)))
        self.assertTrue((self.plugindir / "file.so").is_file())

    def test_the_bindings_are_installed_where_pkg_config_says(self):
        unstaged = {**self.environment, "PKG_CONFIG_SYSROOT_DIR": ""}
        told = run("pkg-config", "--variable=bindingsdir", "tftpkit-plugin", env=unstaged).strip()
        for name in ("rust", "go"):
            made = SOURCE / "plugin-api" / name
            wanted = {file.relative_to(made): file.read_bytes() for file in made.rglob("*") if file.is_file()}
            there = self.staged(pathlib.Path(told)) / name
            self.assertEqual(wanted, {file.relative_to(there): file.read_bytes() for file in there.rglob("*") if file.is_file()})

    def test_the_rule_sets_of_the_plugin_firmware_are_installed(self):
        installed = self.staged(self.prefix / options()["datadir"]) / "tftpkit" / "firmware" / "rules"
        names = sorted(file.name for file in (SOURCE / "plugins" / "firmware" / "rules").iterdir())
        self.assertIn("polycom.json", names)
        self.assertEqual(names, sorted(file.name for file in installed.iterdir()))

    def test_the_units_of_systemd_are_installed_and_start_this_binary(self):
        units = self.staged(self.prefix / "lib" / "systemd" / "system")
        self.assertTrue((units / "tftpkit.socket").is_file())
        service = (units / "tftpkit.service").read_text(encoding="utf-8")
        for binary in re.findall(r"^Exec\w+=(\S+)", service, re.MULTILINE):
            self.assertEqual(self.tftpkit, self.staged(pathlib.Path(binary)))

    def test_the_binary_finds_the_plugins_beside_it(self):
        listed = self.installed(self.tftpkit, "plugins", "list", cwd="/")
        self.assertIn(str(self.plugindir / "file.so"), listed)
        self.assertNotIn(str(BUILD), listed)

    def test_the_binary_serves_a_directory(self):
        root, fetched = self.top / "root", self.top / "fetched"
        root.mkdir(mode=0o755)
        (root / "data.bin").write_bytes(CONTENT)
        self.installed(self.tftpkit, "serve", root, "--listen", "127.0.0.1:0",
                       "--run", f'curl -sS -o "{fetched}" "tftp://$TFTP_ADDR/data.bin"', cwd="/")
        self.assertEqual(CONTENT, fetched.read_bytes())

    def test_a_plugin_needs_pkg_config_alone(self):
        # The example of the manual page, as it stands there.
        page = (SOURCE / "tools" / "man" / "tftpkit-plugin.3.scd").read_text(encoding="utf-8")
        example = re.search(r"# EXAMPLE\n.*?```\n(.*?)```", page, re.DOTALL).group(1).replace("\\\\", "\\")
        code, plugin = self.top / "hello.c", self.top / "hello.so"
        code.write_text(example, encoding="utf-8")
        flags = self.installed("pkg-config", "--cflags", "tftpkit-plugin").split()
        self.assertEqual([f"-I{self.includedir}"], flags)
        self.installed("cc", *flags, "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden", code,
                       "-o", plugin)
        self.installed(self.tftpkit, "plugins", "fetch", plugin, "any/name", "-o", self.top / "hello.out")
        self.assertEqual("Hello from a plugin!\n", (self.top / "hello.out").read_text(encoding="utf-8"))

    def test_the_manual_pages_render(self):
        for page, needed in {"man1/tftpkit.1": "EXIT STATUS", "man3/tftpkit-plugin.3": "tftpkit_plugin_v1"}.items():
            with self.subTest(page=page):
                self.assertTrue((self.mandir / page).is_file())
                if not shutil.which("man"):
                    self.skipTest("man is not installed")
                self.assertIn(needed, self.installed("man", "-l", self.mandir / page))

    def test_the_manual_page_and_the_help_name_the_same_options(self):
        page = (SOURCE / "tools" / "man" / "tftpkit.1.scd").read_text(encoding="utf-8")
        for command in ("serve", "get", "plugins list", "plugins inspect", "plugins fetch", "plugins new", "plugins check",
                        "plugins install", "plugins release", "explain", "reload", "firmware plan", "firmware status"):
            section = re.search(rf"^# TFTPKIT {command.upper()}\n(.*?)^# ", page, re.DOTALL | re.MULTILINE).group(1)
            documented = set(re.findall(r"^\*(--?[a-z-]+)\*", section, re.MULTILINE))
            helped = set()
            for line in self.installed(self.tftpkit, *command.split(), "--help").splitlines():
                option = re.match(r"\s+((?:-\w\b,? ?)?(?:--[a-z-]+)?(?:,--[a-z-]+)*)(?:\s|$)", line)
                if option and option.group(1):
                    helped.add(re.split(r"[, ]+", option.group(1).strip())[0])
            with self.subTest(command=command):
                self.assertEqual(documented, helped - {"-h", "--help"})


if __name__ == "__main__":
    for tool in ("meson", "curl", "pkg-config", "cc"):
        if not shutil.which(tool):
            print(f"needs {tool}")
            sys.exit(77)
    unittest.main(argv=[sys.argv[0], "--verbose"])
