#!/usr/bin/python3
"""`tftpkit explain` tells the whole decision, and it is the one that the server takes; the same for traced requests."""
import hashlib
import json

import tftplib
from tftplib import Client, Server, Tree, fetch, plugin_pattern, sample_plugin


def explain(*arguments, status=0):
    done = tftplib.run([tftplib.binary(), "explain", *arguments], check=False)
    assert done.returncode == status, f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done


def told(*arguments, status=0):
    return json.loads(explain(*arguments, "--json", status=status).stdout)


def steps(report, what):
    return [(one["subject"], one["outcome"], one["why"]) for one in report["steps"] if one["step"] == what]


def setup(tree, **more):
    """Three instances: who answers depends on path and client."""
    return tree.config(
        plugins=[str(sample_plugin(name)) for name in ("redirect", "memory", "pathinfo")],
        instances=[{"name": "select", "plugin": "redirect"}, {"name": "info", "plugin": "pathinfo"},
                   {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}},
                   {"name": "bytes", "plugin": "memory"}],
        routes=[{"match": "info/**", "clients": "10.9.0.0/16", "to": "info"},
                {"match": ["to/**", "pattern/*"], "to": ["select", "files", "bytes"]},
                {"to": "files"}], **more)


def test_routes_instances_redirects_terms_and_the_sum_are_told():
    with Tree() as tree:
        config = setup(tree)
        report = told("--config", config, "--peer", "192.0.2.7", "to/pattern/5000", "--option", "tsize=0",
                      "--option", "blksize=1428", "--option", "x-unknown=1")
        assert report["found"] and report["instance"] == "bytes", report
        assert report["bytes"] == report["size"] == 5000
        assert report["sha256"] == hashlib.sha256(plugin_pattern(5000)).hexdigest()
        assert report["blksize"] == 1428 and report["mode"] == "octet"
        assert report["oack"] == [{"name": "tsize", "value": "5000"}, {"name": "blksize", "value": "1428"}], report
        routes = steps(report, "route")
        assert [(name, outcome) for name, outcome, _ in routes] == [("/routes/0", "passed over"), ("/routes/1", "taken")]
        assert "info/**" in routes[0][2] and "select, files, bytes" in routes[1][2], routes
        asked = steps(report, "instance")
        assert [(name, outcome) for name, outcome, _ in asked] == [
            ("select", "REDIRECT"), ("files", "declined"), ("bytes", "BUFFER")], asked
        assert asked[0][2] == "to pattern/5000" and asked[2][2] == "5000 bytes", asked


def test_the_client_and_its_mac_reach_routes_and_plugins():
    with Tree() as tree:
        config = setup(tree)
        report = told("--config", config, "--peer", "10.9.1.2", "--mac", "52:54:00:12:34:56", "info/x")
        assert report["instance"] == "info" and report["found"], report
        plain = told("--config", config, "--peer", "10.9.1.2", "info/x")
        assert report["sha256"] != plain["sha256"], "the MAC changes what pathinfo answers"
        other = told("--config", config, "--peer", "10.8.1.2", "info/x", status=1)
        assert "10.9.0.0/16" in steps(other, "route")[0][2], other
        assert other["error"] == 1 and steps(other, "refusal"), other


def test_the_answer_is_the_one_that_the_server_gives():
    with Tree() as tree, Server(arguments=["--config", setup(tree)]) as server:
        content = tree.file("deep/menu.cfg", 3000)
        config = setup(tree)
        report = told("--config", config, "//deep/./menu.cfg", "--option", "windowsize=8")
        assert report["sha256"] == hashlib.sha256(content).hexdigest()
        assert steps(report, "name") == [("//deep/./menu.cfg", "cleaned", "deep/menu.cfg")], report
        assert fetch(server.address, "//deep/./menu.cfg").content == content
        for name in ("../x", "deep", "missing"):
            report = told("--config", config, name, status=1)
            with Client(server.address) as client:
                client.rrq(name)
                refused = client.expect_error()
            assert (refused.code, refused.text) == (report["error"], report["text"]), (name, refused, report)


def test_it_works_without_a_configuration_and_for_people():
    with Tree() as tree:
        tree.file("hello.txt", b"one\ntwo\n")
        text = explain("hello.txt", tree.root, "--option", "tsize=0").stdout
        for part in ("route", "files: FD", "8 bytes", "OACK tsize=8", hashlib.sha256(b"one\ntwo\n").hexdigest()):
            assert part in text, f"{part} is not in: {text}"
        text = explain("hello.txt", tree.root, "--netascii").stdout
        assert hashlib.sha256(b"one\r\ntwo\r\n").hexdigest() in text and "no OACK" in text, text
        assert "later" not in explain("after/5", "--plugin", sample_plugin("pending")).stderr
        text = explain("fail/1", "--plugin", sample_plugin("pending"), status=1).stdout
        assert "backend is down" in text and "ERROR 0" in text, text
        text = explain("stream-short/1000", "--plugin", sample_plugin("lies-about-size"), status=1).stdout
        assert "1100" in text and "answer   ERROR" in text, text
        assert "\033" not in explain("a\033[31mb", tree.root, status=1).stdout


def test_wrong_arguments_are_told():
    with Tree() as tree:
        for words in (("--peer", "nobody"), ("--mac", "52:54"), ("--option", "blksize")):
            assert words[0] in explain("x", tree.root, *words, status=1).stderr, words
        assert "no_such" in explain("x", "--config", tree.config(no_such=1), status=1).stderr
        assert "either DIR" in explain("x", tree.root, "--config", tree.config(), status=1).stderr


def test_a_silent_plugin_is_given_up_after_answer_timeout():
    with Tree() as tree:
        config = tree.config(plugins=[str(sample_plugin("never-completes"))], answer_timeout="100ms")
        report = told("--config", config, "x", status=1)
        assert "answer_timeout" in report["why"], report


def test_live_requests_are_traced_when_the_configuration_means_them():
    with Tree() as tree:
        config = setup(tree, trace={"paths": "to/**", "clients": "127.0.0.0/8"})
        with Server(arguments=["--config", config]) as server:
            fetch(server.address, "pattern/100")
            fetch(server.address, "to/pattern/5000", [("blksize", "1000")])
            server.wait_log("step=terms")
            lines = [line for line in server.log.splitlines() if " trace " in line]
            assert all("to/pattern/5000" in line for line in lines), lines
            for part in ("passed over", "taken", "REDIRECT", "declined", "BUFFER", "blksize=1000"):
                assert any(part in line for line in lines), f"{part} is not in: {lines}"
            with Client(server.address) as client:
                client.rrq("to/nowhere")
                client.expect_error()
            server.wait_log("step=refusal")
        mistake = tree.config(trace={"path": "x", "clients": "10.0.0.0/40"})
        refused = tftplib.run([tftplib.binary(), "check", mistake], check=False)
        assert "/trace/path" in refused.stderr and "/trace/clients" in refused.stderr, refused


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
