#!/usr/bin/python3
"""The samples of plugin-api/samples: each is built as its Makefile says, passes `plugins check`, answers one table of scenarios
exactly as all the others do, and does the useful thing that it is there for."""
import binascii
import functools
import http.server
import io
import json
import math
import os
import pathlib
import struct
import tarfile
import threading

import tftplib
from tftplib import Client, Failed, Server, Tree, fetch, need

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "plugin-api" / "samples"
BUILT = pathlib.Path(tftplib.binary()).resolve().parents[1] / "tests" / "samples"
NEEDS = {"c": "gcc", "cpp": "g++", "rust": "/usr/bin/rustc", "go": "go", "d": "gdc", "ada": "gnatmake", "fortran": "gfortran"}
RUNTIME_FAILURE = {  # what the client reads when the language itself fails; without exceptions the sample says so
    "c": "C has no exceptions", "cpp": "range_check", "rust": "index out of bounds", "go": "index out of range",
    "d": "D without its runtime has no exceptions", "ada": "CONSTRAINT_ERROR", "fortran": "Fortran has no exceptions"}


def pattern(size):
    return bytes(at * 7 % 251 for at in range(size))


# Name -> the bytes, or the code and a part of the text of the ERROR. One table for all languages.
SCENARIOS = {
    "scenario/bytes/0": b"", "scenario/bytes/1": pattern(1), "scenario/bytes/512": pattern(512),
    "scenario/bytes/100000": pattern(100_000), "scenario/stream/0": b"", "scenario/stream/511": pattern(511),
    "scenario/stream/300000": pattern(300_000), "scenario/greeting": b"Good day\n", "scenario/peer": b"127.0.0.1\n",
    "scenario/redirect": b"from the instance behind\n",
    "scenario/refuse": (2, "not for you"), "scenario/fail": (0, None),
    "scenario/nonesuch": (1, ""), "scenario/bytes/-1": (1, ""), "scenario/bytes/9x": (1, ""),
    "scenario/bytes/2000000": (1, ""), "scenario/bytes": (1, ""), "scenario": (1, ""), "zz": (1, ""),
}


@functools.lru_cache(maxsize=None)
def built(language):
    """The sample, built."""
    need("make", NEEDS[language])
    environment = {**os.environ, **tftplib.go_environment()}
    before = os.umask(0o022)
    try:
        tftplib.run(["make", "-C", SAMPLES, f"OUT={BUILT}", f"sample-{language}.so"], seconds=400, env=environment)
    finally:
        os.umask(before)
    return BUILT / f"sample-{language}.so"


def serving(tree, language, settings, **members):
    tree.file("elsewhere", b"from the instance behind\n")
    sample = {"name": "sample", "plugin": f"sample-{language}", "settings": settings, **members}
    files = {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}
    config = tree.config(plugins=[str(built(language))], instances=[sample, files], routes=[{"to": ["sample", "files"]}])
    return Server(arguments=["--config", config])


def outcome(server, name):
    """What comes of a name: the bytes, with a tsize that is right, or the ERROR."""
    try:
        got = fetch(server.address, name, [("blksize", "1428"), ("windowsize", "8"), ("tsize", "0")])
    except Failed:
        with Client(server.address) as client:
            client.rrq(name)
            packet = client.expect_error()
        return packet.code, packet.text
    assert dict(got.options)["tsize"] == str(len(got.content)), f"{name}: {got.options}"
    return got.content


def keeps_the_table(language, **members):
    with Tree() as tree, serving(tree, language, {"greeting": "Good day"}, **members) as server:
        for name, wanted in SCENARIOS.items():
            got = outcome(server, name)
            if isinstance(wanted, bytes):
                assert got == wanted, f"{language}: {name}: {got[:80]!r}"
            else:
                code, words = wanted
                words = RUNTIME_FAILURE[language] if words is None else words
                assert isinstance(got, tuple) and got[0] == code and words in got[1], f"{language}: {name}: {got!r}"
        # After its failure it serves on, many clients at once.
        clients = [Client(server.address) for _ in range(40)]
        try:
            for number, client in enumerate(clients):
                client.rrq(f"scenario/{('bytes', 'stream')[number % 2]}/{number}")
            for number, client in enumerate(clients):
                client.expect_data(1, pattern(number))
                client.ack(1)
        finally:
            for client in clients:
                client.socket.close()
    with Tree() as tree:
        try:
            with serving(tree, language, {"greeting": ""}, **members):
                raise AssertionError(f"{language}: an empty greeting was taken")
        except Failed as failed:
            assert "/greeting is empty" in str(failed), failed


def passes_every_check(language):
    report = json.loads(tftplib.run([
        tftplib.binary(), "plugins", "check", built(language), "--json", "--path", "scenario/stream/100000", "--path",
        "scenario/greeting", "--path", "scenario/bytes/5000"], seconds=120, check=False).stdout)
    assert report["failed"] == 0, report
    seen = {check["name"]: check["verdict"] for check in report["checks"]}
    for name in ("exports-only-entry", "no-undefined-symbols", "no-gnu-unique", "read-1-byte", "size-matches-bytes"):
        assert seen[name] == "pass", f"{language}: {name}: {seen[name]}"


def holds(language):
    passes_every_check(language)
    keeps_the_table(language)
    keeps_the_table(language, isolation="process")


def test_the_sample_in_c_keeps_the_table_and_makes_images_of_any_size():
    holds("c")
    with Tree() as tree, serving(tree, "c", {}) as server:
        assert outcome(server, "blank/1000.img") == bytes(1000)
        assert outcome(server, "blank/64KiB.img") == bytes(65536)
        for name in ("blank/.img", "blank/9kb.img", "blank/99999999999GiB.img", "blank/1"):
            assert outcome(server, name)[0] == 1, name


def test_the_sample_in_cpp_keeps_the_table_and_tells_clients_who_they_are():
    holds("cpp")
    with Tree() as tree, serving(tree, "cpp", {}) as server:
        got = fetch(server.address, "whoami.json", [("blksize", "600"), ("x-vendor", 'a "b"\x1b')]).content
        told = json.loads(got)
        assert told == {"address": "127.0.0.1", "mode": "octet", "options": {"blksize": "600", "x-vendor": 'a "b"\x1b'}}, told
        assert b"\x1b" not in got


def test_the_sample_in_rust_keeps_the_table_and_serves_out_of_an_archive():
    holds("rust")
    with Tree() as tree:
        files = {"boot/kernel": tftplib.pattern(200_001), "empty": b"", "d" * 90 + "/" + "n" * 80: b"long\n"}
        with tarfile.open(tree.path("release.tar"), "w", format=tarfile.USTAR_FORMAT) as archive:
            for name, content in files.items():
                member = tarfile.TarInfo("./" + name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        with serving(tree, "rust", {"archive": str(tree.path("release.tar"))}) as server:
            for name, content in files.items():
                assert outcome(server, name) == content, name
            assert outcome(server, "boot")[0] == 1
        tree.path("release.tar").write_bytes(b"x" * 2000)
        try:
            with serving(tree, "rust", {"archive": str(tree.path("release.tar"))}):
                raise AssertionError("nonsense was taken for an archive")
        except Failed as failed:
            assert "it is no tar archive" in str(failed), failed


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({"/boot/no": 404, "/boot/bad": 500}.get(self.path, 200))
        body = b"" if self.path.endswith(("no", "bad")) else tftplib.pattern(70_000, seed=self.path)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):  # quiet
        pass


def test_the_sample_in_go_keeps_the_table_and_serves_what_an_http_server_has():
    holds("go")
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    try:
        with Tree() as tree, serving(tree, "go", {"from": f"http://127.0.0.1:{web.server_port}/boot/"}) as server:
            assert outcome(server, "kernel") == tftplib.pattern(70_000, seed="/boot/kernel")
            assert outcome(server, "a b") == tftplib.pattern(70_000, seed="/boot/a%20b")
            assert outcome(server, "no")[0] == 1
            assert outcome(server, "bad") == (0, "the HTTP server says 500 Internal Server Error")
    finally:
        web.shutdown()
        thread.join()
        web.server_close()


def test_the_sample_in_d_keeps_the_table_and_makes_boot_scripts():
    holds("d")
    with Tree() as tree:
        script = b"echo booting; bootm\n" * 1000
        tree.path("boot.cmd").write_bytes(script)
        with serving(tree, "d", {"scripts": str(tree.base)}) as server:
            image = outcome(server, "boot.scr")
            assert outcome(server, "none.scr")[0] == 1 and outcome(server, ".scr")[0] == 1
        header, data = bytearray(image[:64]), image[64:]
        magic, header_crc, _, size, _, _, data_crc = struct.unpack(">7I", header[:28])
        header[4:8] = bytes(4)
        assert (magic, size) == (0x27051956, len(data)) and tuple(header[28:32]) == (5, 2, 6, 0)
        assert header_crc == binascii.crc32(header) and data_crc == binascii.crc32(data)
        assert data == struct.pack(">II", len(script), 0) + script


def from_hex(text):
    """The bytes of an Intel HEX file, each record checked."""
    content, base = {}, 0
    for line in text.decode("ascii").splitlines():
        raw = bytes.fromhex(line.removeprefix(":"))
        assert line[0] == ":" and sum(raw) % 256 == 0 and raw[0] == len(raw) - 5, line
        kind, data, at = raw[3], raw[4:-1], int.from_bytes(raw[1:3], "big")
        if kind == 4:
            base = int.from_bytes(data, "big") << 16
        elif kind == 0:
            content.update({base + at + index: byte for index, byte in enumerate(data)})
    assert line == ":00000001FF", line
    return bytes(content[at] for at in range(len(content)))


def test_the_sample_in_ada_keeps_the_table_and_makes_intel_hex():
    holds("ada")
    with Tree() as tree:
        for size in (0, 1, 16, 70_001):
            tree.path(f"board-{size}.bin").write_bytes(tftplib.pattern(size))
        tree.path("large.bin").write_bytes(bytes(1_048_577))
        with serving(tree, "ada", {"images": str(tree.base)}) as server:
            for size in (0, 1, 16, 70_001):
                assert from_hex(outcome(server, f"board-{size}.hex")) == tftplib.pattern(size), size
            assert outcome(server, "none.hex")[0] == 1
            assert outcome(server, "large.hex") == (2, "the image is larger than 1 MiB")


def test_the_sample_in_fortran_keeps_the_table_and_computes_windows():
    holds("fortran")
    with Tree() as tree, serving(tree, "fortran", {}) as server:
        count = 1024
        turns = [2 * math.pi * i / (count - 1) for i in range(count)]
        for kind, wanted in {"hann": [0.5 - 0.5 * math.cos(x) for x in turns],
                             "blackman": [0.42 - 0.5 * math.cos(x) + 0.08 * math.cos(2 * x) for x in turns],
                             "sine": [math.sin(2 * math.pi * i / count) for i in range(count)]}.items():
            table = struct.unpack(f"<{count}f", outcome(server, f"window/{kind}/{count}.f32"))
            assert max(abs(one - other) for one, other in zip(table, wanted)) < 1e-6, kind
        for name in ("window/hann/0.f32", "window/hann/x.f32", "window/none/5.f32", "window/hann/9999999999.f32"):
            assert outcome(server, name)[0] == 1, name


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
