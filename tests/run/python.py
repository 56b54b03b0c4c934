#!/usr/bin/python3
"""The plugin python in the real server: every kind of answer and failure, threads and the interpreter's lock, scripts that change
under running transfers, several instances, a process of its own, and what the README promises."""
import json
import os
import pathlib
import re
import sys
import threading

import tftplib
from tftplib import Client, Failed, Server, Tree, at_once, eventually, fetch, pattern, refused

TOP = pathlib.Path(__file__).resolve().parents[2]
README = (TOP / "plugins/python/README.md").read_text(encoding="utf-8")
PLUGIN = pathlib.Path(tftplib.binary()).resolve().parents[1] / "plugins/python.so"

sys.path.insert(0, str(TOP / "tests/support"))
from settings_table import schema_of, table_faults  # pylint: disable=wrong-import-position


class Scripts:
    """Scripts in a directory, an instance of the plugin for each (named like its file), before an instance `files`."""

    def __init__(self, scripts, instances=None, **config):
        self.tree, self.scripts, self.instances, self.config = Tree(), scripts, instances or {}, config

    def __enter__(self):
        tree = self.tree.__enter__()
        try:
            for name, text in self.scripts.items():
                self.write(name + ".py", text)
            instances = [{"name": name, "plugin": "python", **self.instances.get(name, {}),
                          "settings": {"script": name + ".py", **self.instances.get(name, {}).get("settings", {})}}
                         for name in self.scripts if name in self.instances or not self.instances]
            instances.append({"name": "files", "plugin": "file", "settings": {"root": "root"}})
            config = tree.config(instances=instances, **self.config)
            self.server = Server(arguments=["--config", config])
            self.server.__enter__()
        except BaseException:
            tree.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.server.__exit__()
        self.tree.__exit__()

    def write(self, name, text):
        """Puts a file in place by renaming."""
        beside = self.tree.path(name + ".tmp")
        beside.write_text(text, encoding="utf-8")
        beside.chmod(0o644)
        beside.rename(self.tree.path(name))

    def get(self, name, options=(), **more):
        return fetch(self.server.address, name, options, **more)

    def text(self, name, **more):
        return self.get(name, **more).content.decode()

    def refused(self, name, code):
        return refused(self.server.address, name, code)


ANSWERS = '''
import gzip, io, os, pathlib, tempfile
import tftpkit
here = pathlib.Path(__file__).parent

class Reader:
    def __init__(self):
        self.left = 300000
    def read(self, n):
        n = min(n, self.left)
        self.left -= n
        return bytes(n)
    def close(self):
        (here / "closed").touch()

def at_offset():
    file = open(here / "data", "rb")
    file.seek(1000)
    return file

def answer(request):
    kind = request.path
    if kind == "str": return "gr\\u00fc\\u00df dich\\n"
    if kind == "bytes": return bytes(range(256)) * 400
    if kind == "empty": return b""
    if kind == "bytearray": return bytearray(b"abc")
    if kind == "path": return here / "data"
    if kind == "no-path": return here / "missing"
    if kind == "directory": return here
    if kind == "fifo": return here / "fifo"
    if kind == "proc": return pathlib.Path("/proc/version")
    if kind == "offset": return at_offset()
    if kind == "raw": return open(here / "data", "rb", buffering=0)
    if kind == "gzip": return gzip.open(here / "data.gz", "rb")
    if kind == "bytesio": return io.BytesIO(bytes(5000))
    if kind == "generator": return (b"%d\\n" % i for i in range(20000))
    if kind == "reader": return Reader()
    if kind == "sized": return tftpkit.Stream(Reader(), 300000)
    if kind == "short": return tftpkit.Stream(Reader(), 300001)
    if kind == "redirect": return tftpkit.Redirect("plain.txt")
'''


def test_every_kind_of_answer_arrives_whole():
    with Scripts({"answers": ANSWERS}) as scripts:
        data = pattern(100_000, seed="data")
        scripts.tree.path("data").write_bytes(data)
        import gzip
        with gzip.open(scripts.tree.path("data.gz"), "wb") as file:
            file.write(data)
        scripts.tree.file("plain.txt", b"plain\n")
        scripts.tree.file("no-path", b"from the next instance\n")
        for name, content in {
                "str": "grüß dich\n".encode(), "bytes": bytes(range(256)) * 400, "empty": b"", "bytearray": b"abc",
                "path": data, "offset": data[1000:], "raw": data, "gzip": data, "bytesio": bytes(5000),
                "generator": b"".join(b"%d\n" % i for i in range(20000)), "reader": bytes(300_000), "sized": bytes(300_000),
                "redirect": b"plain\n", "no-path": b"from the next instance\n", "plain.txt": b"plain\n"}.items():
            for options in ((), (("blksize", "1428"), ("windowsize", "16"))):
                got = scripts.get(name, options).content
                assert got == content, f"{name} {options}: {len(got)} bytes instead of {len(content)}"
        assert scripts.get("proc").content == pathlib.Path("/proc/version").read_bytes()
        os.mkfifo(scripts.tree.path("fifo"))
        for name in ("directory", "fifo"):
            assert "is not a regular file" in scripts.refused(name, 2), name
        assert scripts.tree.path("closed").exists(), "close() of an object with read(n) was not called"


def test_a_size_that_is_known_is_told_and_must_be_true():
    with Scripts({"answers": ANSWERS}) as scripts:
        scripts.tree.path("data").write_bytes(bytes(4321))
        for name, size in {"bytes": "102400", "path": "4321", "offset": "3321", "sized": "300000", "reader": None}.items():
            told = dict(scripts.get(name, [("tsize", "0"), ("blksize", "1024")]).options)
            assert told.get("tsize") == size, (name, told)
        with Client(scripts.server.address) as client:
            client.rrq("short", [("blksize", "65000")])
            while (packet := client.receive()).op != tftplib.ERROR:
                client.ack(getattr(packet, "block", 0) or 0)


REQUEST = '''
import json
def answer(request):
    if request.path == "boom.txt": return None
    return json.dumps({"path": request.path, "wire": request.wire_path.decode("latin-1"), "mode": request.mode,
        "blksize": request.blksize, "windowsize": request.windowsize, "options": request.options, "mac": request.mac,
        "peer": request.peer, "local": request.local, "id": request.id, "within": request.answer_within,
        "cancelled": request.cancelled, "text": repr(request)})
'''


def test_a_request_tells_what_the_client_asked_for():
    with Scripts({"request": REQUEST}, answer_timeout="3s") as scripts:
        options = [("BlkSize", "1000"), ("windowsize", "4"), ("x-color", "bl\u00fc")]
        with Client(scripts.server.address, local=("127.0.0.1", 0)) as client:
            client.rrq("/a//b", options)
            client.expect_oack([("BlkSize", "1000"), ("windowsize", "4")])
            client.ack(0)
            seen = json.loads(client.read_on(1000, 4))
            port = client.port
        assert seen["path"] == "a/b" and seen["wire"] == "/a//b" and seen["mode"] == "octet", seen
        assert (seen["blksize"], seen["windowsize"], seen["within"]) == (1000, 4, 3.0), seen
        assert list(seen["options"]) == ["blksize", "windowsize", "x-color"], seen
        assert seen["peer"] == ["127.0.0.1", port] and seen["local"] == list(scripts.server.address), seen
        assert seen["mac"] is None and seen["cancelled"] is False and str(seen["id"]) in seen["text"], seen


FAILURES = '''
import logging
import tftpkit
def read_twice():
    yield bytes(70000)
    raise ValueError("the disk is on fire")

def deeper(request):
    return {}[request.path]

def answer(request):
    kind = request.path
    if kind == "not-found": raise tftpkit.NotFound("nobody knows it")
    if kind == "file-not-found": open("/nowhere/at/all")
    if kind == "denied": raise tftpkit.AccessDenied("not for you")
    if kind == "option": raise tftpkit.BadOption("no such colour")
    if kind == "unavailable": raise tftpkit.Unavailable("the database is down")
    if kind == "refused": raise ConnectionRefusedError("nobody listens")
    if kind == "declined": raise tftpkit.Declined("not a board of ours")
    if kind == "bug": return deeper(request)
    if kind == "exit": raise SystemExit(3)
    if kind == "number": return 42
    if kind == "list": return [b"a"]
    if kind == "text-file": return open(__file__)
    if kind == "str-reader": return StrReader()
    if kind == "midway": return read_twice()
    if kind == "parent": return tftpkit.Redirect("../up")

class StrReader:
    def read(self, n): return "text"
'''


def test_what_is_raised_is_an_error_for_the_client_and_a_line_in_the_log():
    with Scripts({"failures": FAILURES}) as scripts:
        for name, code, text in (
                ("not-found", 1, "nobody knows it"), ("file-not-found", 1, "No such file"), ("denied", 2, "not for you"),
                ("option", 8, "no such colour"), ("unavailable", 0, "the database is down"), ("refused", 0, "nobody listens"),
                ("declined", 1, ""), ("bug", 0, "KeyError: 'bug'"), ("exit", 0, "SystemExit: 3"),
                ("number", 0, "an object of type int"), ("list", 0, "an object of type list"), ("text-file", 0, 'with \\"rb\\"'),
                ("str-reader", 0, "bytes are needed"), ("parent", 0, "")):
            said = scripts.refused(name, code)
            assert text.replace("\\", "") in said, f"{name}: {said}"
        scripts.server.wait_log("failures.py:9 in deeper")
        assert scripts.server.log_count("nobody knows it") == 1, "a failure that was meant is told once, without a traceback"
        scripts.server.wait_log("is not a clean path")
    with Scripts({"failures": FAILURES}, trace={}) as scripts:
        scripts.refused("declined", 1)
        scripts.server.wait_log("not a board of ours")


def test_a_stream_that_fails_midway_ends_its_transfer_with_an_error():
    with Scripts({"failures": FAILURES}) as scripts:
        try:
            scripts.get("midway", [("blksize", "1428"), ("windowsize", "8")])
            raise AssertionError("the transfer came to its end")
        except Failed as failure:
            assert "the disk is on fire" in str(failure), failure
        scripts.server.wait_log("failures.py:6 in read_twice")


MISTAKES = {
    "missing": (None, "there is no file"),
    "syntax": ("def answer(request)\n    return 1\n", "syntax.py:1: SyntaxError"),
    "import": ("x = 1\nimport does_not_exist\n", "import.py:2: ModuleNotFoundError: No module named 'does_not_exist'"),
    "nothing": ("x = 1\n", "has neither answer(request) nor plugin(settings)"),
    "setup": ("def answer(r): pass\ndef inner(s): return s['root']\ndef setup(s): inner(s)\n", "setup.py:2: KeyError: 'root'"),
    "async": ("async def answer(request): return b''\n", "answer() is async"),
    "object": ("def plugin(settings): return 7\n", "without answer(request)"),
    "signal": ("import signal\ndef answer(r): pass\nsignal.signal(signal.SIGTERM, print)\n", "signals are the server's"),
    "exit": ("import sys\nsys.exit('enough')\n", "exit.py:2: SystemExit: enough"),
    "start": ("def answer(r): pass\ndef start(): 1 / 0\n", "start(): "),
}


def test_a_script_with_a_mistake_stops_the_start_and_is_told_by_file_and_line():
    with Tree() as tree:
        for name, (text, expected) in MISTAKES.items():
            if text is not None:
                tree.path(name + ".py").write_text(text, encoding="utf-8")
                tree.path(name + ".py").chmod(0o644)
            done = tftplib.run([tftplib.binary(), "plugins", "fetch", PLUGIN, "x", "--set",
                                json.dumps({"script": str(tree.path(name + ".py"))})], check=False)
            assert done.returncode != 0 and expected in done.stderr, f"{name}: {done.stderr}"
        assert "line 2, in inner" in tftplib.run([tftplib.binary(), "plugins", "fetch", PLUGIN, "x", "--set", json.dumps(
            {"script": str(tree.path("setup.py"))})], check=False).stderr, "the log has the traceback of setup()"


def test_a_read_size_out_of_bounds_is_told():
    with Tree() as tree:
        tree.path("any.py").write_text("def answer(request): return b''\n", encoding="utf-8")
        for size in ("1KiB", "17MiB"):
            done = tftplib.run([tftplib.binary(), "plugins", "fetch", PLUGIN, "x", "--set", json.dumps(
                {"script": str(tree.path("any.py")), "read_size": size})], check=False)
            assert done.returncode != 0 and "give 4KiB to 16MiB" in done.stderr, done.stderr


def test_a_script_that_others_could_change_is_not_run():
    with Tree() as tree:
        script = tree.path("mine.py")
        script.write_text("def answer(request): return b'x'\n", encoding="utf-8")
        fetch_it = [tftplib.binary(), "plugins", "fetch", PLUGIN, "x", "--set", json.dumps({"script": str(script)})]
        for changed, mode, right, expected in ((script, 0o666, 0o644, "do: chmod go-w"), (tree.base, 0o777, 0o755, "do: chmod go-w"),
                                               (tree.base, 0o1777, 0o755, "shared by everybody")):
            changed.chmod(mode)
            done = tftplib.run(fetch_it, check=False)
            assert done.returncode != 0 and expected in done.stderr, done.stderr
            changed.chmod(right)
        assert tftplib.run(fetch_it).stdout == "x"


WAITING = '''
import pathlib, time
here = pathlib.Path(__file__).parent
def answer(request):
    if request.path.startswith("wait"):
        (here / "begun").touch()
        while not (here / "go").exists():
            time.sleep(0.01)
        return request.path
'''
QUICK = '''
def answer(request):
    if request.path == "quick": return b"q" * 100000
    if request.path == "stream": return (bytes(1000) for _ in range(200))
'''


def test_handlers_that_wait_delay_no_other_instance():
    with Scripts({"waiting": WAITING, "quick": QUICK},
                 routes=[{"match": "wait*", "to": "waiting"}, {"to": ["quick", "files"]}]) as scripts:
        scripts.tree.file("plain", 100_000)
        waiting = [threading.Thread(target=scripts.get, args=(f"wait{number}",), kwargs={"silence": 30}) for number in range(12)]
        for thread in waiting:
            thread.start()
        try:
            for _ in range(5):
                assert scripts.text("quick") == "q" * 100000
                assert len(scripts.get("stream").content) == 200_000
                assert len(scripts.get("plain").content) == 100_000
            assert all(thread.is_alive() for thread in waiting)
        finally:
            scripts.tree.path("go").touch()
        for thread in waiting:
            thread.join(30)
            assert not thread.is_alive()


GREEDY = '''
import pathlib, re
here = pathlib.Path(__file__).parent
def answer(request):
    if request.path == "greedy":
        (here / "begun").touch()
        re.match("(a+)+$", "a" * 25 + "b")  # seconds without giving the interpreter away
        return b"at last"
'''


def test_a_handler_that_keeps_the_interpreter_delays_no_file():
    with Scripts({"greedy": GREEDY}, routes=[{"match": "greedy", "to": "greedy"}, {"to": "files"}],
                 answer_timeout="60s", workers=1) as scripts:
        scripts.tree.file("plain", 100_000)
        greedy = threading.Thread(target=scripts.get, args=("greedy",))
        greedy.start()
        eventually(scripts.tree.path("begun").exists, "the greedy handler")
        for _ in range(3):
            assert len(scripts.get("plain").content) == 100_000
        assert greedy.is_alive(), "it was over too soon to show anything"
        greedy.join()


MEETING = '''
import threading
meeting = threading.Barrier(4, timeout=20)
seen = threading.local()
def answer(request):
    if request.path == "meet":
        meeting.wait()
        seen.count = getattr(seen, "count", 0) + 1
        return str(seen.count)
'''


def test_handlers_run_on_several_threads_at_once_and_threads_keep_what_is_theirs():
    with Scripts({"meeting": MEETING}, executor_threads=5, executor_threads_per_instance=4) as scripts:
        counts = []
        for _ in range(5):
            at_once(*[lambda: counts.append(int(scripts.text("meet")))] * 4)
        assert max(counts) > 1, f"threading.local() was lost between requests: {counts}"


def generation_script(number):
    return f'''
import pathlib, time
import helper
here = pathlib.Path(__file__).parent
def answer(request):
    if request.path == "which": return "{number} " + helper.word
    if request.path == "long":
        def pieces():
            for _ in range(100):
                yield b"{number}" * 10000
        return pieces()
def stop():
    (here / "stopped-{number}").touch()
'''


def test_a_changed_script_serves_new_requests_while_old_transfers_end_with_the_old_one():
    with Scripts({"helper": "word = 'old'\n", "script": generation_script(1)}, {"script": {}}) as scripts:
        with Client(scripts.server.address) as client:
            client.rrq("long", [("blksize", "1000")])
            client.expect_oack([("blksize", "1000")])
            client.ack(0)
            client.expect_data(1, b"1" * 1000)
            scripts.write("script.py", generation_script(2))
            eventually(lambda: scripts.text("which") == "2 old", "the second script")
            scripts.write("script.py", "def answer(request)\n")
            scripts.server.wait_log("script.py:1: SyntaxError")
            scripts.server.wait_log("the old one goes on")
            assert scripts.text("which") == "2 old"
            scripts.write("script.py", generation_script(3))
            eventually(lambda: scripts.text("which") == "3 old", "the third script")
            eventually(scripts.tree.path("stopped-2").exists, "stop() of the second script")
            assert not scripts.tree.path("stopped-1").exists(), "the first script still has a transfer"
            client.ack(1)
            assert client.read_on(1000, block=2) == b"1" * 999_000
        eventually(scripts.tree.path("stopped-1").exists, "stop() of the first script")
        scripts.write("helper.py", "word = 'new'\n")
        eventually(lambda: scripts.text("which") == "3 new", "the changed module beside it")
        scripts.server.stop()
        assert scripts.tree.path("stopped-3").exists(), "stop() at the server's end"


def test_instances_keep_their_names_and_settings_apart():
    script = "def setup(settings):\n    global word\n    word = settings['word']\ndef answer(request):\n    return word\n"
    with Scripts({"one": script, "two": script},
                 {name: {"settings": {"settings": {"word": name * 2}}} for name in ("one", "two")},
                 routes=[{"match": "1", "to": "one"}, {"match": "2", "to": "two"}]) as scripts:
        assert (scripts.text("1"), scripts.text("2")) == ("oneone", "twotwo")


LOGGING = '''
import logging, threading
import tftpkit
def broken():
    raise LookupError("gone astray")
def answer(request):
    tftpkit.log("one\\ntwo", "warning")
    logging.getLogger("some.library").warning("it %s", "works")
    logging.debug("not to be seen")
    thread = threading.Thread(target=broken)
    thread.start()
    thread.join()
    return b"logged"
'''


def test_lines_of_a_script_are_in_the_log_under_the_name_of_its_instance():
    with Scripts({"talkative": LOGGING}) as scripts:
        assert scripts.text("x") == "logged"
        for words in ('instance=talkative text=one', 'instance=talkative text=two', 'text="some.library: it works"',
                      'LookupError: gone astray'):
            scripts.server.wait_log(words)
        assert "not to be seen" not in scripts.server.log


def test_it_serves_in_a_process_of_its_own_with_a_sandbox():
    with Scripts({"answers": ANSWERS + "    if kind == 'pid': return str(os.getpid())\n"}, {"answers": {"isolation": "process"}}) as scripts:
        scripts.tree.path("data").write_bytes(pattern(100_000))
        assert int(scripts.text("pid")) != scripts.server.process.pid
        for name, size in {"bytes": 102_400, "path": 100_000, "reader": 300_000, "generator": 108_890, "str": 12}.items():
            assert len(scripts.get(name, [("blksize", "1428")]).content) == size, name
    with Tree() as tree:
        tree.path("small.py").write_text("import json, ssl, ctypes\ndef answer(request): return json.dumps(request.path)\n",
                                         encoding="utf-8")
        tree.path("small.py").chmod(0o644)
        config = tree.config(instances=[{"name": "small", "plugin": "python", "isolation": "process",
                                         "settings": {"script": "small.py"}, "sandbox": {"read": [str(tree.base)]}}])
        try:
            with Server(arguments=["--config", config]) as server:
                assert fetch(server.address, "x").content == b'"x"'
        except Failed as failure:
            if "sandbox" in str(failure) or "Landlock" in str(failure):
                raise tftplib.Skip("this kernel has no sandbox") from None
            raise


def test_a_new_python_so_joins_the_interpreter_of_the_old_one():
    script = "import tftpkit, sys\ndef answer(request):\n    return str(id(sys)) + ' ' + str(id(tftpkit))\n"
    with Tree() as tree:
        plugins = tree.path("plugins")
        plugins.mkdir(mode=0o755)
        tree.path("script.py").write_text(script, encoding="utf-8")
        tree.path("script.py").chmod(0o644)
        (plugins / "python.json").write_text(json.dumps({"script": str(tree.path("script.py"))}), encoding="utf-8")
        tftplib.drop_in(plugins / "python.so", PLUGIN.read_bytes())
        with Server(arguments=["--plugin-dir", plugins]) as server:
            interpreter, module = fetch(server.address, "x").content.split()
            tftplib.drop_in(plugins / "python.so", PLUGIN.read_bytes() + b"\0another version")
            changed = eventually(lambda: (now := fetch(server.address, "x").content.split()) != [interpreter, module] and now,
                                 "the new plugin")
            assert changed[0] == interpreter and changed[1] != module, "one interpreter, another module tftpkit"


def test_it_keeps_the_contract():
    with Tree() as tree:
        tree.path("answers.py").write_text(ANSWERS, encoding="utf-8")
        tree.path("answers.py").chmod(0o644)
        tree.path("data").write_bytes(bytes(5000))
        said = tftplib.run([tftplib.binary(), "plugins", "check", PLUGIN, "--set",
                            json.dumps({"script": str(tree.path("answers.py"))}), "--path", "bytes", "--path", "sized",
                            "--path", "path"], seconds=200).stdout
        assert " 0 failed" in said, said


def test_the_server_ends_though_a_handler_waits():
    with Scripts({"waiting": WAITING}, drain="100ms") as scripts:
        with Client(scripts.server.address) as client:
            client.rrq("wait")
            eventually(scripts.tree.path("begun").exists, "the handler")
            scripts.server.process.terminate()
            client.expect_error()
            assert scripts.server.process.wait(30) == 0


def test_what_the_readme_shows_works_and_its_table_is_the_schema():
    assert table_faults(schema_of(str(PLUGIN)), README) == []
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.S | re.M)
    python = [text for kind, text in blocks if kind == "python"]
    boot, counting = (next(text for text in python if words in text) for words in ("AccessDenied", "Counting"))
    config = json.loads(next(text for kind, text in blocks if kind == "json" and '"boot"' in text))
    with Tree() as tree:
        for name, text in (("boot.py", boot), ("counting.py", counting)):
            tree.path(name).write_text(text, encoding="utf-8")
            tree.path(name).chmod(0o644)
        config["instances"][0]["settings"]["settings"]["images"] = str(tree.base)
        config["instances"].insert(1, {"name": "counting", "plugin": "python", "settings": {"script": "counting.py"}})
        config["routes"][0]["to"].insert(1, "counting")
        tree.path("a.img").write_bytes(bytes(1000))
        tree.file("other", b"other")
        with Server(arguments=["--config", tree.config(**{key: value for key, value in config.items() if key != "listen"})]) as server:
            assert fetch(server.address, "hello.txt").content == b"Hello 127.0.0.1!\n"
            assert fetch(server.address, "a.img").content == bytes(1000)
            assert fetch(server.address, "other").content == b"other"
            assert fetch(server.address, "count").content.startswith(b"0\n1\n")
            eventually(lambda: not fetch(server.address, "count").content.startswith(b"0\n"), "ended() of the first")
            with Client(server.address) as client:
                client.rrq("secret")
                assert client.expect_error(2).text == "the secret stays here"


if __name__ == "__main__":
    if not PLUGIN.exists():
        print("skipped: python.so is not built (Debian: libpython3-dev)")
        sys.exit(tftplib.tests.SKIP)
    tftplib.main(globals())
