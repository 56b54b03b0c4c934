#!/usr/bin/python3
"""The command line: what each command prints, for people and machines, and the status it ends with."""
import json
import os
import re
import signal
import time

import tftplib
from tftplib import Client, Namespace, Server, Tree, fetch, need, plugin_pattern, sample_plugin

COMMANDS = (("serve",), ("check",), ("get",), ("plugins",), ("plugins", "list"), ("plugins", "inspect"),
            ("plugins", "fetch"), ("plugins", "new"), ("plugins", "check"), ("plugins", "install"), ("explain",),
            ("firmware",), ("firmware", "plan"), ("firmware", "status"))


def tool(*arguments, status=0, seconds=60, **more):
    """Runs the command, insists on its exit status, and returns it."""
    done = tftplib.run([tftplib.binary(), *arguments], check=False, seconds=seconds, **more)
    assert done.returncode == status, f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done


def dropped(tree, *names):
    directory = tree.path("dropped")
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / f"{name}.so").write_bytes(sample_plugin(name).read_bytes())
    return directory


def test_every_command_explains_itself_with_an_example():
    for command in COMMANDS:
        text = tool(*command, "--help").stdout
        assert "Example" in text and f"tftpkit {' '.join(command)}" in text, f"{command}: {text}"
    assert "serve" in tool("--help").stdout
    assert re.search(r"\d+\.\d+\.\d+", tool("--version").stdout)


def test_wrong_usage_ends_with_2_and_says_what_is_wrong():
    for words in (("serv",), ("serve", "--lisen", "x"), ("serve", "--workers", "many"), ("serve", "--workers", "0"),
                  ("check",), ("plugins", "fetch", "one.so"), ("get", "--blksize", "5", "tftp://127.0.0.1/x"), ()):
        done = tool(*words, status=2)
        assert done.stderr.strip(), words
    for words, right in {("serv",): 'did you mean "serve"?', ("plugins", "lst"): 'did you mean "list"?',
                         ("serve", "--lisen", "x"): 'did you mean "--listen"?', ("plugins",): '"list"', (): '"serve"',
                         ("check", "a", "b"): '"b" is one argument too many', ("check",): "FILE is required"}.items():
        done = tool(*words, status=2)
        assert right in done.stderr and done.stderr.startswith("tftpkit"), (words, done.stderr)


def test_check_finds_every_mistake_at_once_with_its_place_and_the_right_name():
    with Tree() as tree:
        path = tree.config(listen=["127.0.0.1", "10.0.0.1:70000"], wrokers=3, drain="soon",
                           instances=[{"nam": "a", "plugin": "file"}, {"name": "b", "plugin": "../file.so"}],
                           routes=[{"match": "/x", "clients": "10.0.0.0/40", "to": ["bb"]}],
                           limits={"transfer": 1, "buffer_memory": "12 parsecs"}, log={"level": "loud"})
        text = tool("check", path, status=1).stderr
        for part in ("/listen/1", "/wrokers", "\"workers\"", "/drain", "/instances/0/nam", "/instances/1/plugin",
                     "/routes/0/match", "/routes/0/clients", "/routes/0/to", "/limits/transfer", "\"transfers\"",
                     "/limits/buffer_memory", "/log/level"):
            assert part in text, f"{part} is not in:\n{text}"
        assert str(path) in text


def test_check_knows_what_plugins_want_also_beside_other_mistakes():
    with Tree() as tree:
        path = tree.config(wrokers=3, instances=[{"name": "a", "plugin": "fil"},
                                                 {"name": "b", "plugin": "file", "settings": {"rot": "/srv"}},
                                                 {"name": "c", "plugin": "file", "settings": {"root": "/srv"}}])
        lines = tool("check", path, status=1).stderr.splitlines()
        for part in ('/wrokers: unknown key', '/instances/0/plugin: there is no plugin "fil"; did you mean "file"?',
                     '/instances/1/settings/rot: ', '/instances/1/settings: "root" is missing'):
            assert any(part in line for line in lines), f"{part} is not in:\n{lines}"
        assert not any("/instances/2" in line for line in lines), lines


def test_check_takes_comments_and_reports_syntax_by_line():
    with Tree() as tree:
        path = tree.path("c.json")
        path.write_text('{ // a comment\n "drain": "5s" /* and another */ }\n')
        tool("check", path)
        path.write_text('{\n "drain": "5s"\n "workers": 2 }\n')
        assert "3" in tool("check", path, status=1).stderr
        tool("check", tree.path("missing"), status=1)


def test_list_shows_every_file_with_its_state_and_no_broken_one_harms_it():
    with Tree() as tree:
        names = {"memory": "ok", "crash-in-entry": "crashed", "exit-in-entry": "crashed", "no-entry": "not-a-plugin",
                 "needs-minor-99": "incompatible", "bad-name": "invalid",
                 "undefined-symbol": "cannot-load"}
        directory = dropped(tree, *names)
        (directory / "readme.txt").write_text("text")
        (directory / "open.so").write_bytes(sample_plugin("redirect").read_bytes())
        (directory / "open.so").chmod(0o666)
        words = ("plugins", "list", "--plugin-dir", directory)
        rows = json.loads(tool(*words, "--json").stdout)
        states = {os.path.basename(row["file"]): row for row in rows}
        for name, state in names.items():
            row = states[f"{name}.so"]
            assert row["state"] == state, row
            assert state == "ok" or row["reason"], row
        assert states["open.so"]["state"] == "unsafe-file", states["open.so"]
        assert "readme.txt" not in states
        assert "readme.txt" in tool(*words, "--all").stdout
        tool(*words, "--strict", status=1)
        table = tool(*words).stdout
        assert table.split()[:8] == "NAME VERSION ABI STATE READ WRITE EXEC FILE".split(), table
        assert "\033" not in table


def test_list_gives_up_on_a_plugin_that_does_not_describe_itself():
    with Tree() as tree:
        rows = json.loads(tool("plugins", "list", "--plugin-dir", dropped(tree, "hang-in-entry", "memory"), "--json").stdout)
        states = {os.path.basename(row["file"]): row["state"] for row in rows}
        assert states["hang-in-entry.so"] == "timed-out" and states["memory.so"] == "ok", rows


def test_strict_is_content_with_plugins_in_order():
    with Tree() as tree:
        tool("plugins", "list", "--plugin-dir", dropped(tree, "memory", "redirect", "from-the-future"), "--strict")
        tool("plugins", "list", "--plugin-dir", tree.path("missing"), status=1)


def test_inspect_tells_of_a_plugin_by_file_and_by_name():
    text = tool("plugins", "inspect", "file").stdout
    assert "root" in text and "path" in text, text
    about = json.loads(tool("plugins", "inspect", sample_plugin("settings"), "--json").stdout)
    assert about["name"] == "settings", about
    settings = {row["name"]: row for row in about["settings"]}
    assert "greeting" in settings and "level" in settings, settings
    assert settings["tree"]["help"] == "a path, not C:\\dir", settings["tree"]
    shown = tool("plugins", "inspect", sample_plugin("settings")).stdout
    assert "not C:\\dir" in shown, shown  # prose: a backslash is itself
    crashed = tool("plugins", "inspect", sample_plugin("crash-in-entry"), status=1)
    assert "crashed" in crashed.stdout + crashed.stderr, crashed
    tool("plugins", "inspect", "no-such-plugin", status=1)


def test_fetch_runs_a_plugin_without_a_network():
    with Tree() as tree:
        out = tree.path("out")
        for name in ("memory", "stream", "pipe"):
            tool("plugins", "fetch", sample_plugin(name), "pattern/5000", "-o", out)
            assert out.read_bytes() == plugin_pattern(5000), name
        assert tool("plugins", "fetch", sample_plugin("pending"), "after/20").stdout == "after 20 ms\n"
        greeting = tool("plugins", "fetch", sample_plugin("settings"), "text/greeting", "--set", '{"greeting": "hi"}')
        assert greeting.stdout == "hi"
        assert "declined" in tool("plugins", "fetch", sample_plugin("memory"), "nothing", status=1).stderr
        assert "greeting" in tool("plugins", "fetch", sample_plugin("settings"), "all", status=1).stderr
        assert "--set" in tool("plugins", "fetch", sample_plugin("settings"), "all", "--set", "{", status=1).stderr
        assert "backend is down" in tool("plugins", "fetch", sample_plugin("pending"), "fail/1", status=1).stderr
        assert "thrown in open_read" in tool("plugins", "fetch", sample_plugin("throws"), "open", status=1).stderr
        tool("plugins", "fetch", sample_plugin("lies-about-size"), "stream-short/1000", "-o", out, status=1)
        tool("plugins", "fetch", sample_plugin("lies-about-size"), "stream-long/1000", "-o", out, status=1)


def test_run_ends_with_the_status_of_its_command():
    with Tree() as tree:
        tree.file("hello", b"hello\n")
        serve = ("serve", tree.root, "--listen", "127.0.0.1:0", "--run")
        assert "listening" in tool(*serve, "exit 7", status=7).stdout
        tool(*serve, "true")
        tool(*serve, "kill -9 $$", status=128 + signal.SIGKILL)
        out = tool(*serve, 'echo "at $TFTP_ADDR"').stdout
        assert re.search(r"at 127\.0\.0\.1:\d+", out), out
        out = tool("serve", tree.root, "--listen", "[::1]:0", "--run", 'echo "at $TFTP_ADDR"').stdout
        assert re.search(r"at \[::1\]:\d+", out), out
        fetched = tool(*serve, f"{tftplib.binary()} get tftp://$TFTP_ADDR/hello -o -").stdout
        assert "hello\n" in fetched, fetched


def test_run_takes_its_command_along_when_it_is_stopped():
    with Tree() as tree:
        mark = tree.path("child")
        with Server(tree.root, arguments=["--run", f"echo $$ > {mark}; exec sleep 300"]) as server:
            end = time.monotonic() + 20
            while not (mark.exists() and mark.read_text().strip()):
                assert time.monotonic() < end, "the command did not begin"
                time.sleep(0.01)
            server.stop()
        assert not os.path.exists(f"/proc/{mark.read_text().strip()}"), "the command still runs"


def test_several_addresses_are_served_and_printed_in_order():
    with Tree() as tree:
        content = tree.file("x", 700)
        with Server(tree.root, listen=["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"], arguments=["--workers", "3"]) as server:
            assert [host for host, _ in server.addresses] == ["127.0.0.1", "127.0.0.2", "::1"]
            for address in server.addresses:
                assert fetch(address, "x").content == content
            assert "workers=3" in server.log


def test_a_second_copy_on_the_same_port_is_refused():
    with Tree() as tree, Server(tree.root) as server:
        for arguments in ([], ["--workers", "1"]):
            done = tool("serve", tree.root, "--listen", f"127.0.0.1:{server.port}", *arguments, status=1)
            assert f"127.0.0.1:{server.port}" in done.stderr and "second copy" in done.stderr, done.stderr
        tree.file("x", b"x")
        assert fetch(server.address, "x").content == b"x"


def test_addresses_that_cannot_be_are_refused():
    with Tree() as tree:
        for bad in ("127.0.0.1:70000", "nonsense:1:2", "192.0.2.1:6969", "127.0.0.1:x"):
            done = tool("serve", tree.root, "--listen", bad, status=1)
            assert bad.split(":")[0] in done.stderr, done.stderr


def test_port_69_without_the_right_names_the_ways_out():
    need("setpriv")
    with Tree() as tree, Namespace() as namespace:
        done = namespace.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", tftplib.binary(), "serve",
                              tree.root], check=False)
        assert done.returncode == 1, done
        for part in ("69", "--listen", "cap_net_bind_service", "service unit", "user"):
            assert part in done.stderr, f"{part} is not in: {done.stderr}"


def test_a_json_log_has_one_object_a_line_and_names_are_escaped():
    with Tree() as tree, Server(tree.root, arguments=["--log-format", "json"]) as server:
        tree.file("x", b"x")
        with Client(server.address) as client:
            client.rrq("evil\033[31m\nname\"")
            client.expect_error()
        fetch(server.address, "x")
        server.wait_log("delivered")
        lines = server.log.splitlines()
        objects = [json.loads(line) for line in lines]
        assert any("evil" in str(one.get("file")) for one in objects), lines
        assert "\033" not in server.log
        done = next(one for one in objects if one.get("file") == "x")
        for key in ("id", "peer", "instance", "bytes", "blocks", "resends", "seconds"):
            assert key in done, done


def test_a_text_log_shows_no_control_characters_of_peers():
    with Tree() as tree, Server(tree.root) as server, Client(server.address) as client:
        client.rrq("evil\033[31m\nlevel=error faked")
        client.expect_error()
        server.wait_log("evil")
        assert "\033" not in server.log
        assert not any(line.startswith("level=error") for line in server.log.splitlines())


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
