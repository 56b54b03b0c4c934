#!/usr/bin/python3
"""Handlers written for fbtftp, run by the plugin python: the move that its README shows, what the stats callbacks are told, and
what handlers may rely on."""
import json
import pathlib
import re
import sys

import tftplib
from tftplib import Client, Server, Tree, eventually, fetch, need, refused, run

TOP = pathlib.Path(__file__).resolve().parents[2]
README = (TOP / "plugins/python/README.md").read_text(encoding="utf-8").split("## Moving from fbtftp", 1)[1]
PLUGIN = pathlib.Path(tftplib.binary()).resolve().parents[1] / "plugins/python.so"


def block(kind, holds):
    return next(text for its_kind, text in re.findall(r"^```(\w+)\n(.*?)^```$", README, re.S | re.M)
                if its_kind == kind and holds in text)


class Served:
    """One script as the instance `handlers`, before an instance `files`."""

    def __init__(self, script, settings=None, **config):
        self.tree, self.script, self.settings, self.config = Tree(), script, settings, config

    def __enter__(self):
        tree = self.tree.__enter__()
        try:
            path = tree.path("handlers.py")
            path.write_text(self.script, encoding="utf-8")
            path.chmod(0o644)
            settings = {"root": str(tree.root), "told": str(tree.path("told"))} if self.settings is None else self.settings
            config = tree.config(instances=[
                {"name": "handlers", "plugin": "python", "settings": {"script": str(path), "settings": settings}},
                {"name": "files", "plugin": "file", "settings": {"root": "root"}}], **self.config)
            self.server = Server(arguments=["--config", config])
            self.server.__enter__()
        except BaseException:
            tree.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.server.__exit__()
        self.tree.__exit__()

    def get(self, name, options=(), **more):
        return fetch(self.server.address, name, options, **more)

    def refused(self, name, code):
        return refused(self.server.address, name, code)

    def told(self, count):
        """What the callbacks wrote: so many lines."""
        path = self.tree.path("told")

        def lines():
            found = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            return found if len(found) >= count else None
        return [json.loads(line) for line in eventually(lines, f"{count} calls of the callback")]


def moved():
    """images.py of the README after its move: by the commands that stand there."""
    with Tree() as tree:
        tree.path("images.py").write_text(block("python", "class ImageServer"), encoding="utf-8")
        run(["bash", "-euc", block("sh", "sed -i")], cwd=tree.base)
        return tree.path("images.py").read_text(encoding="utf-8")


def test_the_server_of_the_readme_moves_by_its_imports_and_serves_real_clients():
    need("curl")
    with Served(moved()) as served:
        small, large = served.tree.file("a/small", 700), served.tree.file("large", 3_000_000)
        host, port = served.server.address
        for name, content in (("a/small", small), ("large", large), ("whoami", b"You are 127.0.0.1.\n")):
            got = tftplib.run(["curl", "-sS", "-o", str(served.tree.path("got")), f"tftp://{host}:{port}/{name}"])
            assert got.returncode == 0 and served.tree.path("got").read_bytes() == content, name
        assert served.get("large", [("blksize", "1428"), ("windowsize", "16"), ("tsize", "0")]).options[2] == ("tsize", "3000000")
        served.server.wait_log("127.0.0.1 got 700 bytes of a/small in 0.")
        assert "No such file" in served.refused("missing", 1)
        served.server.wait_log("127.0.0.1 got 0 bytes of missing")
        secret = served.tree.path("outside")
        secret.write_bytes(b"secret")
        served.refused("../outside", 2)
        served.refused(str(secret), 1)


def test_handlers_without_a_server_class_are_enough():
    with Served(block("python", "class Greeter"), {}) as served:
        served.tree.file("file", b"from the next instance")
        assert served.get("greet/Ada").content == b"Hello Ada!\n"
        assert served.get("greet/Ada", [("tsize", "0")]).options == [("tsize", "11")]
        assert served.refused("file", 1) == "file"


HANDLERS = '''
import json
from fbtftp import BaseHandler, BaseServer, ResponseData, SessionStats
from fbtftp.base_handler import StringResponseData
from fbtftp.constants import DATAPOINTS_INTERVAL_SECONDS, ERR_FILE_NOT_FOUND

class Zeros(ResponseData):
    """Tells how it was used."""
    def __init__(self, handler, size, fails_after=None):
        self.handler, self.left, self.total, self.fails_after = handler, size, size, fails_after
        self.asked, self.closed = [], 0
    def read(self, n):
        self.asked.append(n)
        if self.fails_after is not None and len(self.asked) > self.fails_after:
            raise RuntimeError("lost the connection")
        count = min(n, self.left)
        self.left -= count
        return bytes(count)
    def size(self):
        return self.total
    def close(self):
        self.closed += 1
        self.handler.tell(closed=self.closed, asked=self.asked)

class NoSize(Zeros):
    def size(self):
        return None

class BadSize(Zeros):
    def size(self):
        raise OSError("who knows")

class Handler(BaseHandler):
    def __init__(self, server_addr, peer, path, options, tell, callback):
        self.tell = tell
        self.seen = dict(options)
        super().__init__(server_addr, peer, path, options, callback)
    def get_response_data(self):
        if self._path == "options": return StringResponseData(json.dumps(self._options) + "\\u00fc")
        if self._path == "zeros": return Zeros(self, 1000000)
        if self._path == "small": return Zeros(self, 1024)
        if self._path == "no-size": return NoSize(self, 50000)
        if self._path == "bad-size": return BadSize(self, 5000)
        if self._path == "breaks": return Zeros(self, 1000000, fails_after=2)
        if self._path == "broken": return Zeros(self, 1000, fails_after=0)
        if self._path == "nothing": return None
        if self._path == "bug": return self.missing
        raise FileNotFoundError("nobody has " + self._path)

class Server(BaseServer):
    def __init__(self, told, interval):
        super().__init__("::", 69, 7, 3, self.tell_server, stats_interval_seconds=interval)
        self.told = told
    def get_handler(self, server_addr, peer, path, options):
        if path.startswith("files/"):
            return None
        return Handler(server_addr, peer, path, options, self.tell, self.tell_session)
    def tell(self, **what):
        with open(self.told, "a") as file:
            file.write(json.dumps(what) + "\\n")
    def tell_session(self, stats):
        assert isinstance(stats, SessionStats)
        self.tell(**{name: value for name, value in vars(stats).items() if name != "start_time"}, took=stats.duration())
    def tell_server(self, stats):
        count = stats.get_and_reset_counter("process_count")
        if count:
            self.tell(count=count, interval=stats.interval, address=stats.server_addr, up=stats.duration())

def plugin(settings):
    return Server(settings["told"], settings.get("interval", DATAPOINTS_INTERVAL_SECONDS))
'''.replace("from fbtftp", "from tftpkit.fbtftp")


def test_session_stats_say_how_a_transfer_went():
    with Served(HANDLERS) as served:
        with Client(served.server.address, local=("127.0.0.1", 0)) as client:
            client.rrq("small", [("tsize", "0"), ("x-other", "1")])
            client.expect_oack([("tsize", "1024")])
            client.ack(0)
            assert len(client.read_on()) == 1024
            port = client.port
        stats, closed = served.told(2)
        assert stats["peer"] == ["127.0.0.1", port] and stats["server_addr"] == list(served.server.address), stats
        assert stats["file_path"] == "small" and stats["error"] == {} and stats["blksize"] == 512, stats
        assert stats["options"] == stats["options_acked"] == {"tsize": "1024"}, stats
        assert stats["options_in"] == {"mode": "octet", "tsize": "0", "x-other": "1"}, stats
        assert (stats["packets_sent"], stats["packets_acked"], stats["bytes_sent"], stats["retransmits"]) == (4, 4, 1024, 0), stats
        assert 0 < stats["took"] < 20
        assert closed["closed"] == 1, "close() comes once, after the callback"


def test_resent_blocks_and_bad_ends_are_in_the_stats():
    with Served(HANDLERS, retry={"initial": "100ms", "min": "100ms", "max": "100ms", "tries": 3}) as served:
        with Client(served.server.address) as client:
            client.rrq("small", [("blksize", "512")])
            client.expect_oack([("blksize", "512")])
            client.ack(0)
            client.expect_data(1)
            client.expect_data(1)  # again
            client.ack(1)
            while client.receive().block != 2:
                pass
            client.error(0, "enough")
        resent, _ = served.told(2)
        assert resent["retransmits"] >= 1 and resent["packets_sent"] >= 2, resent
        assert resent["error"] == {"error_code": 0, "error_message": "the client ended the transfer"}, resent
        with Client(served.server.address) as client:
            client.rrq("small")
            client.expect_data(1)
            client.ack(1)
            client.expect_data(2)
        silent = served.told(4)[2]
        assert silent["error"]["error_message"].startswith("timeout after ") and silent["bytes_sent"] == 512, silent


def test_failures_reach_the_client_the_callback_and_the_log():
    with Served(HANDLERS) as served:
        assert served.refused("other", 1) == "nobody has other"
        assert "no attribute 'missing'" in served.refused("bug", 0)
        missing, bug = served.told(2)
        assert missing["error"] == {"error_code": 1, "error_message": "nobody has other"}, missing
        assert bug["error"]["error_code"] == 0 and "missing" in bug["error"]["error_message"], bug
        served.server.wait_log("in get_response_data")
        try:
            served.get("breaks", [("blksize", "1428")])
            raise AssertionError("it came to its end")
        except tftplib.Failed as failure:
            assert "lost the connection" in str(failure), failure
        assert served.told(4)[2]["error"]["error_message"] == "Error while reading from source"
        assert "lost the connection" in served.refused("broken", 0)
        assert served.told(6)[4]["error"]["error_message"] == "Error while reading from source"
        with Client(served.server.address) as client:
            client.rrq("bad-size", [("tsize", "0")])
            assert client.expect_error(0).text == "who knows"
        assert served.told(8)[6]["error"]["error_message"] == "who knows"


def test_content_is_asked_for_in_large_pieces_and_its_size_only_when_wanted():
    with Served(HANDLERS) as served:
        content = served.get("zeros", [("blksize", "512"), ("windowsize", "8"), ("tsize", "0")]).content
        assert content == bytes(1_000_000)
        asked = served.told(2)[1]["asked"]
        assert len(asked) <= 13 and asked[0] == 16 * 1024 and max(asked) == 128 * 1024, asked
        assert served.get("zeros").content == bytes(1_000_000)
        assert len(served.told(4)[3]["asked"]) <= 14
        assert served.get("no-size", [("tsize", "0"), ("blksize", "600")]).options == [("blksize", "600")]
        assert served.get("bad-size").content == bytes(5000)


def test_options_are_handed_over_as_handlers_know_them():
    with Served(HANDLERS) as served:
        got = served.get("options", [("blksize", "1000"), ("timeout", "3"), ("X-Boot", "yes"), ("mode", "mine"), ("retries", "99")])
        text = got.content.decode("latin-1")
        assert text.endswith("\u00fc") and got.content[-1] == 0xfc
        assert json.loads(text[:-1]) == {"mode": "mine", "default_timeout": 3, "retries": "99", "blksize": "1000", "timeout": "3",
                                         "x-boot": "yes"}, text
        assert json.loads(served.get("options").content[:-1]) == {"mode": "octet", "default_timeout": 3, "retries": 7}


def test_the_server_callback_counts_and_ends_with_the_server():
    with Tree() as tree:
        told = tree.path("told")
        with Served(HANDLERS, {"told": str(told), "interval": 0.05}) as served:
            served.tree.file("files/x", b"x")
            for _ in range(7):
                served.get("options")
            assert served.get("files/x").content == b"x" and served.refused("nothing", 1)

            def counts():
                lines = [json.loads(line) for line in told.read_text().splitlines()] if told.exists() else []
                return [line for line in lines if "count" in line]
            eventually(lambda: sum(line["count"] for line in counts()) == 8, "8 handlers in all")
            assert all(line["interval"] == 0.05 and line["address"] == "::" and line["up"] > 0 for line in counts())
            assert served.server.stop() == 0, "the stats thread ends with the server"


def test_a_server_that_runs_itself_is_told_what_to_do_instead():
    script = HANDLERS.replace("def plugin(settings):\n    return", "def plugin(settings):\n    made =") + "    made.run()\n"
    with Tree() as tree:
        tree.path("runs.py").write_text(script, encoding="utf-8")
        tree.path("runs.py").chmod(0o644)
        done = run([tftplib.binary(), "plugins", "fetch", PLUGIN, "x", "--set", json.dumps(
            {"script": str(tree.path("runs.py")), "settings": {"told": str(tree.path("told"))}})], check=False)
        assert done.returncode != 0 and "give this object from plugin(settings)" in done.stderr, done.stderr


def test_handlers_keep_the_contract_of_plugins():
    with Tree() as tree:
        tree.path("handlers.py").write_text(HANDLERS, encoding="utf-8")
        tree.path("handlers.py").chmod(0o644)
        settings = {"script": str(tree.path("handlers.py")), "settings": {"told": "/dev/null", "interval": 0.05}}
        said = run([tftplib.binary(), "plugins", "check", PLUGIN, "--set", json.dumps(settings), "--path", "zeros", "--path",
                    "options"], seconds=200).stdout
        assert " 0 failed" in said, said


if __name__ == "__main__":
    if not PLUGIN.exists():
        print("skipped: python.so is not built (Debian: libpython3-dev)")
        sys.exit(tftplib.tests.SKIP)
    tftplib.main(globals())
