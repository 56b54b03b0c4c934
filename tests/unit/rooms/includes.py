#!/usr/bin/env python3
"""Who may include whom: reads the #include lines of core/, plugin-api/, plugins/ and tools/.

RULES below is the table. It knows nothing of what a header includes in turn: libuv's header is on the default
path, so the compiler would let any room use it, and only this test says no.
"""
import pathlib
import re
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[3]
SUFFIXES = {".c", ".cpp", ".h", ".hpp", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include(?:_next)?\s*([<"])([^>"]+)[>"]')

ROOMS = {"digest", "process", "wire", "transfer", "observe", "loop", "host", "isolation", "config", "conformance", "serve"}
LIBRARIES = {"uv": "uv", "uv.h": "uv", "fmt": "fmt", "nlohmann": "json", "valijson": "json", "CLI": "cli11", "tl": "expected",
             "dlfcn.h": "dl", "link.h": "dl", "kainjow": "mustache", "tftpkit": "plugin-api"}
KERNEL_AND_POSIX_FOLDERS = {"arpa", "asm", "linux", "net", "netinet", "netpacket", "sys"}
C_HEADERS = {f"{name}.h" for name in (
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg "
    "stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype").split()}
# Standard headers that do I/O or wait: not for the rooms that are told the bytes and the time.
STD_IO = {"barrier", "condition_variable", "cstdio", "filesystem", "fstream", "future", "iostream", "latch", "mutex",
          "semaphore", "shared_mutex", "stop_token", "thread"}

# Headers of the rooms that our own plugins may use as well: values in, values out, linked into the plugin.
FOR_OUR_PLUGINS = {f"config/{name}.hpp" for name in ("glob json json_text nearest network_text object_reader place "
                                                     "problem report text_file units").split()}
FOR_OUR_PLUGINS |= {"process/child.hpp", "observe/escape.hpp", "observe/signals_blocked.hpp"}

# The decision of a plugin, as values: a command that tells what the plugin would do asks the same objects. Nothing of
# the plugin ABI and nothing that runs.
FOR_TOOLS = {f"firmware/{name}.hpp" for name in ("fleet decide inventory question read_rules read_time record "
                                                 "rules summary").split()} | {"kit/ip.hpp", "kit/mac.hpp"}

# Not rooms: what becomes part of other people's projects, and samples that stand alone.
APART = {("tools", "templates"), ("plugin-api", "go"), ("plugin-api", "rust"), ("plugin-api", "samples")}

# Place -> what it may include. "std": the standard library; "io": its part that does I/O or waits; "posix": any
# other system header; a name with a slash: that one header. A place may always include itself.
RULES = {
    "digest": {"std"},
    "process": {"std", "posix"},
    "wire": {"std"},
    "transfer": {"std", "wire"},
    "observe": {"std", "io", "posix", "fmt"},
    "loop": {"std", "io", "posix", "fmt", "uv", "observe/signals_blocked.hpp"},
    "host": {"std", "io", "posix", "fmt", "expected", "dl", "plugin-api", "observe", "process", "loop/fd.hpp"},
    "isolation": {"std", "io", "posix", "plugin-api", "observe", "process", "host"},
    "config": {"std", "io", "posix", "fmt", "expected", "json", "observe", "host/settings.hpp"},
    "conformance": {"std", "io", "posix", "dl", "plugin-api", "observe", "host", "config"},
    "serve": {"std", "io", "posix", "fmt", "expected", "plugin-api"} | ROOMS - {"conformance"},
    "plugin-api": {"std"},  # the contract itself
    "plugin.hpp": {"std", "posix", "plugin-api"},  # convenience for C++ plugins: opens files for them
    "plugins": {"std", "io", "posix", "fmt", "expected", "json", "mustache", "plugin-api", "digest/sha256.hpp"} | FOR_OUR_PLUGINS,
    "tools": {"std", "io", "posix", "fmt", "expected", "cli11", "plugin-api"} | ROOMS | FOR_TOOLS,
}


# An interpreter has extension modules, for which its library must be shown to the dynamic linker.
RULES["plugins/python"] = RULES["plugins"] | {"plugins", "dl"}


def place_of(path):
    """core/<room>/... is a room; everything else is its top-level folder, but for the C++ layer over the C contract and the
    plugin that has a line of its own."""
    if path.name == "plugin.hpp":
        return "plugin.hpp"
    if str(path.parent) in RULES:
        return str(path.parent)
    return path.parts[1] if path.parts[0] == "core" else path.parts[0]


def kind_of(top, path, bracket, header):
    """What the included header belongs to: a name of RULES, or a complaint."""
    first = header.split("/")[0]
    if bracket == '"':
        if ".." in header.split("/"):
            return None, "steps out of its folder with .."
        if (top / path.parent / header).is_file():
            return place_of(path), None
        if first in ROOMS:
            return first, None
        # plugins/<name>/ and tools/ may be include directories of their own; plugins/kit is there for every plugin.
        if path.parts[0] == "plugins" and first in {"kit", path.parts[1]} and (top / "plugins" / header).is_file():
            return "plugins", None
        if path.parts[0] == "tools" and header in FOR_TOOLS and (top / "plugins" / header).is_file():
            return "plugins", None
        own = top.joinpath(*path.parts[:2]) if path.parts[0] == "plugins" else top / path.parts[0]
        if path.parts[0] != "core" and (own / header).is_file():
            return place_of(path), None
        return None, "is neither in a room of core/ nor in its own folder"
    if first in LIBRARIES:
        return LIBRARIES[first], None
    if first in ROOMS:
        return None, 'is ours: write it with "quotes"'
    if header in STD_IO or header == "stdio.h":
        return "io", None
    if header in C_HEADERS or ("." not in header and "/" not in header):
        return "std", None
    if header.endswith(".h") and ("/" not in header or first in KERNEL_AND_POSIX_FOLDERS):
        return "posix", None
    return None, "belongs to a library that the table in tests/unit/rooms/includes.py does not know"


def complaint_about(top, path, bracket, header):
    place = place_of(path)
    if place not in RULES:
        return f"{place} has no line in the table in tests/unit/rooms/includes.py"
    kind, wrong = kind_of(top, path, bracket, header)
    if wrong:
        return wrong
    if kind != place and not RULES[place] & {kind, header}:
        return f"{place} may not include {kind} (only itself and {', '.join(sorted(RULES[place]))})"
    return None


def violations(top):
    """All forbidden includes below top, as file:line: text."""
    found = []
    for folder in ("core", "plugin-api", "plugins", "tools"):
        for file in sorted((top / folder).rglob("*")):
            path = file.relative_to(top)
            if file.suffix not in SUFFIXES or not file.is_file() or path.parts[:2] in APART:
                continue
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                include = INCLUDE.match(line)
                wrong = include and complaint_about(top, path, *include.groups())
                if wrong:
                    found.append(f"{path}:{number}: {include.group(2)} {wrong}")
    return found


class Rooms(unittest.TestCase):
    def planted(self, path, line):
        """What the test says of a tree whose one file holds this one line."""
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, path)
            file.parent.mkdir(parents=True)
            file.write_text(f"// head\n{line}\n", encoding="utf-8")
            return violations(pathlib.Path(folder))

    def test_the_tree_keeps_to_the_table(self):
        self.assertEqual([], violations(TOP), "\n" + "\n".join(violations(TOP)))

    def test_there_are_sources_to_read(self):
        self.assertTrue(any(file.suffix in SUFFIXES for file in TOP.glob("*/**/*")), f"no source below {TOP}")

    def test_a_forbidden_include_is_found(self):
        for path, line in {
            "core/host/scan.cpp": '#include "loop/loop.hpp"',
            "core/host/load.cpp": '#include "config/settings.hpp"',
            "core/host/copy.cpp": '#include "loop/listener.hpp"',
            "core/wire/request.cpp": "#include <sys/socket.h>",
            "core/wire/packet.cpp": '#include "transfer/sender.hpp"',
            "core/wire/path.cpp": "#include <iostream>",
            "core/transfer/sender.cpp": "#include <uv.h>",
            "core/transfer/retry.cpp": "#include <fmt/format.h>",
            "core/transfer/rtt.cpp": "#include <thread>",
            "core/loop/loop.cpp": '#include "wire/packet.hpp"',
            "core/loop/address.cpp": "#include <nlohmann/json.hpp>",
            "core/serve/server.cpp": "#include <spdlog/spdlog.h>",
            "core/serve/setup.cpp": '#include "conformance/kit.hpp"',
            "core/conformance/stage.cpp": '#include "loop/loop.hpp"',
            "core/serve/session.cpp": "#include <uv.h>",
            "core/serve/route.cpp": "#  include  <valijson/schema.hpp>",
            "core/config/check.cpp": "#include <dlfcn.h>",
            "core/config/settings.cpp": '#include "host/library.hpp"',
            "core/observe/log.cpp": "#include <toml/toml.hpp>",
            "core/serve/limits.cpp": "#include <wire/request.hpp>",
            "core/serve/more/deep.cpp": '#include "../server.hpp"',
            "core/attic/old.cpp": "#include <vector>",
            "plugins/file/file.cpp": '#include "wire/path.hpp"',
            "plugins/file/open.cpp": "#include <dlfcn.h>",
            "plugins/kit/json_file.cpp": '#include "config/load.hpp"',
            "plugins/pxe/menu.cpp": '#include "kit/missing.hpp"',
            "plugin-api/include/tftpkit/plugin.h": "#include <unistd.h>",
            "plugins/firmware/rules.cpp": '#include "pxe/menu.hpp"',
            "tools/tftpkit/plan.cpp": '#include "firmware/plugin.hpp"',
            "tools/main.cpp": "#include <uv.h>",
        }.items():
            with self.subTest(path=path, line=line):
                found = self.planted(path, line)
                self.assertEqual(1, len(found), found)
                self.assertTrue(found[0].startswith(f"{path}:2: "), found)

    def test_an_allowed_include_is_not_found(self):
        for path, line in {
            "core/wire/request.cpp": "#include <string_view>",
            "core/transfer/sender.hpp": '#include "wire/block.hpp"',
            "core/transfer/rtt.hpp": "#include <chrono>",
            "core/host/unique_fd.hpp": '#include "loop/fd.hpp"',
            "core/conformance/checks_file.cpp": "#include <dlfcn.h>",
            "core/loop/loop.cpp": "#include <uv.h>",
            "core/loop/burst.cpp": "#include <linux/udp.h>",
            "core/host/load.cpp": "#include <dlfcn.h>",
            "core/config/check.cpp": "#include <nlohmann/json.hpp>",
            "core/config/settings.cpp": '#include "host/settings.hpp"',
            "core/serve/server.cpp": '#include "host/registry.hpp"',
            "plugins/file/file.cpp": "#include <tftpkit/plugin.hpp>",
            "plugins/python/interpreter.cpp": "#include <dlfcn.h>",
            "plugins/firmware/names.cpp": '#include "digest/sha256.hpp"',
            "plugins/file/open.cpp": "#include <fcntl.h>",
            "plugins/kit/json_file.cpp": '#include "config/object_reader.hpp"',
            "plugins/kit/template.hpp": "#include <kainjow/mustache.hpp>",
            "plugin-api/include/tftpkit/plugin.hpp": "#include <fcntl.h>",
            "tools/main.cpp": "#include <CLI/CLI.hpp>",
            "core/observe/log.hpp": '// #include "serve/server.hpp" is only told of',
        }.items():
            with self.subTest(path=path, line=line):
                self.assertEqual([], self.planted(path, line))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "--verbose"])
