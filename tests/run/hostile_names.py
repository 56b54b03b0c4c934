#!/usr/bin/python3
"""Names and texts that try to write to somebody's terminal, log or format string: wherever they come out again, they are
escaped. Each of them is 500 bytes at most, so that it fits into a request."""
import json
import os
import re
import socket
import subprocess
import threading

import tftplib
from tftplib import Client, Server, Tree, eventually, sample_plugin

NASTY = {
    "clear screen": b"\x1b[2J\x1b[H", "title": b"\x1b]0;owned\x07", "bell and backspace": b"a\x07\x08b", "delete": b"\x7f",
    "a line of its own": b"x\n2026-01-01T00:00:00.000Z error   all is lost", "carriage return": b"evil\rgood",
    "C1 in UTF-8": "\u009b2J".encode(), "C1 alone": b"\x9b2J", "bidi": "\u202egnp.exe\u202c".encode(),
    "separators": "\u2028\u2029\u0085".encode(), "no UTF-8": b"\xff\xfe\xc0\xaf\xed\xa0\x80\xf8\x88", "cut UTF-8": b"abc\xe2\x82",
    "formats": b"%s%s%n%x%p{}{0}{:>99999}%99999999d", "quotes": b"\"}{\"level\":\"error\"\\", "500 bytes": b"A" * 500,
    "500 bytes of ESC": b"\x1b" * 500, "500 bytes of no UTF-8": b"\xff" * 500, "tab": b"a\tb", "shell": b"$(reboot);`id`|&",
}
NO_TERMINAL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def is_clean(raw, where):
    """What may come to a terminal: UTF-8 without controls but for the end of a line."""
    text = raw.decode()  # strict: bytes that are no UTF-8 fail
    found = NO_TERMINAL.search(text)
    assert not found, f"{where}: {found.group()!r} in {text[max(0, found.start() - 60):found.end() + 20]!r}"
    return text


class Listening:
    """A server that writes into a file, so that its bytes are seen as they are."""

    def __init__(self, tree, log_format):
        self.file = tree.path(f"log-{log_format}")
        files = {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}
        config = tree.config(log={"file": str(self.file), "format": log_format, "level": "debug"}, trace={}, instances=[files])
        self.server = Server(arguments=["--config", config])

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *what):
        self.server.__exit__(*what)


def send_everything(server):
    """Every text at every place of a packet that a server could write down."""
    for text in NASTY.values():
        for raw in (b"\0\1" + text + b"\0octet\0", b"\0\2" + text + b"\0octet\0", b"\0\1x\0" + text[:100] + b"\0",
                    b"\0\1x\0octet\0" + text[:200] + b"\0" + text[:200] + b"\0",
                    b"\0\1x\0octet\0blksize\0" + text[:200] + b"\0", b"\0\1../" + text[:400] + b"\0octet\0"):
            with Client(server.address) as client:
                client.send(raw, server.address)
                answer = client.poll_raw(20)
                assert answer is not None, raw
                if answer[:2] == b"\0\5":
                    is_clean(answer[4:-1], "an ERROR packet")
                client.send(b"\0\5\0\0" + text + b"\0", client.peer)
                client.send(b"\0\5\0\0" + text + b"\0", server.address)


def test_no_text_of_a_peer_reaches_a_log_as_it_is():
    for log_format in ("text", "json"):
        with Tree() as tree:
            tree.file("x", 600)
            with Listening(tree, log_format) as here:
                send_everything(here.server)
                assert here.server.stop() == 0
            raw = here.file.read_bytes()
            text = is_clean(raw, f"the {log_format} log")
            assert text.count("\n") > 100 and "A" * 200 in text, "it wrote nothing down"
            for line in text.splitlines():
                if log_format == "json":
                    json.loads(line)
                else:
                    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z (debug|info|warning|error) ", line), line
                    assert not line.startswith("2026-01-01T00:00:00.000Z"), line


def output_of(command, **more):
    done = subprocess.run([os.fsencode(str(word)) if not isinstance(word, bytes) else word for word in command],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, **more)
    return done.stdout + done.stderr


def test_explain_shows_no_name_as_it_is():
    with Tree() as tree:
        tree.file("x", 10)
        for what, text in NASTY.items():
            if text.startswith(b"-"):
                continue
            raw = output_of([tftplib.binary(), "explain", b"--", text, tree.root])
            assert b"answer" in is_clean(raw, f"explain, {what}").encode(), raw
            assert json.loads(is_clean(output_of([tftplib.binary(), "explain", "--json", b"--", text, tree.root]), what))
            is_clean(output_of([tftplib.binary(), "explain", "--option", b"blksize=" + text, "x", tree.root]), what)


def answering(text):
    """A server of one answer: ERROR with this text to whoever asks."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(20)

    def serve():
        with sock:
            _, client = sock.recvfrom(2048)
            sock.sendto(b"\0\5\0\1" + text + b"\0", client)
    threading.Thread(target=serve, daemon=True).start()
    return sock.getsockname()[1]


def test_get_shows_no_text_of_a_server_and_no_name_as_it_is():
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("x", 200_000)
        for what, text in NASTY.items():
            port = answering(text)
            raw = output_of([tftplib.binary(), "get", f"tftp://127.0.0.1:{port}/x", "-o", tree.path("out")])
            assert is_clean(raw, f"get, an ERROR with {what}").strip(), "it said nothing"
            url = b"tftp://127.0.0.1:%d/" % server.port + b"".join(b"%%%02X" % byte for byte in text)
            is_clean(output_of([tftplib.binary(), "get", url, "-o", tree.path("out")]), f"get, a name with {what}")
            if len(text) < 200 and b"/" not in text and b"\n" not in text:
                try:
                    (tree.root / os.fsdecode(text)).write_bytes(content)
                except OSError:
                    continue
                is_clean(output_of([tftplib.binary(), "get", url, "-o", tree.path("out")]), f"progress, {what}")


def test_plugins_list_shows_no_file_name_as_it_is():
    with Tree() as tree:
        for number, text in enumerate(NASTY.values()):
            name = text.replace(b"/", b"")[:100] + b".so"
            path = os.path.join(os.fsencode(tree.root), name)
            with open(path, "wb") as file:
                file.write(sample_plugin("hello-c").read_bytes() if number % 2 else b"no plugin")
        for more in ([], ["--json"]):
            raw = output_of([tftplib.binary(), "plugins", "list", "--plugin-dir", tree.root, *more])
            assert len(is_clean(raw, f"plugins list {more}")) > 500
        with Server(tree.root, arguments=["--plugin-dir", tree.root]) as server:
            is_clean(server.log.encode(), "the log of a start")
            is_clean(output_of([tftplib.binary(), "plugins", "list", "--control", server.control]), "plugins list --control")


def test_the_control_socket_answers_no_command_as_it_is():
    with Tree() as tree, Server(tree.root) as server:
        for text in NASTY.values():
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(server.control))
                client.sendall(text.replace(b"\n", b"") + b"\n")
                client.settimeout(20)
                raw = b"".join(iter(lambda: client.recv(4096), b""))
            answer = is_clean(raw, "the control socket").splitlines()
            assert json.loads(answer[0]) == {"ok": False} and "there is no command" in answer[1], answer
        eventually(lambda: server.counters() is not None, "the server to go on")


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals(), side_by_side=4)
