#!/usr/bin/python3
"""The plugin exec with real programs and the real server: the examples of its README, and programs that misbehave."""
import json
import os
import pathlib
import re

import tftplib
from tftplib import Client, Failed, Server, Skip, Tree, eventually, fetch, need

README = pathlib.Path(__file__).resolve().parents[2] / "plugins" / "exec" / "README.md"
PLUGIN = pathlib.Path(tftplib.binary()).resolve().parents[1] / "plugins" / "exec.so"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def program(tree, name, text):
    """An executable file beside the root."""
    path = tree.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def serving(tree, settings, **members):
    """A server that asks exec, and then the plugin file."""
    tree.file("from-file", b"a file\n")
    instances = [{"name": "programs", "plugin": "exec", "settings": settings},
                 {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}]
    config = tree.config(instances=instances, routes=[{"to": ["programs", "files"]}], **members)
    return Server(arguments=["--config", config])


def refused(server, name, options=()):
    with Client(server.address) as client:
        client.rrq(name, options)
        return client.expect_error()


def explained(tree, path, *arguments, status=0):
    done = tftplib.run([tftplib.binary(), "explain", path, "--config", tree.path("config.json"), *arguments], check=False)
    assert done.returncode == status, f"{done.stdout}{done.stderr}"
    return done.stdout


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] != "Z"
    except OSError:
        return False


def number_in(path):
    return int(eventually(lambda: path.exists() and path.read_text(encoding="ascii").strip(), f"{path}"))


def test_the_shell_script_of_the_readme_gives_each_machine_its_menu_and_leaves_the_rest():
    script, example = blocks("sh")[0], blocks("json")[0]
    with Tree() as tree:
        here = str(tree.path("boot"))
        program(tree, "boot/menu", script.replace("/srv/boot", here))
        for name, content in {"hosts/52-54-00-ab-cd-01": "anna vmlinuz\n", "hosts/52-54-00-ab-cd-02": "",
                              "files/boot.ipxe": "#!ipxe\nshell\n", "files/other": "other\n"}.items():
            path = tree.path("boot") / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        config = tree.config(**json.loads(example.replace("/srv/boot", here)))
        said = explained(tree, "boot.ipxe", "--mac", "52:54:00:ab:cd:01")
        assert "menu" in said and str(len("#!ipxe\necho Good morning, anna\nkernel vmlinuz\nboot\n")) in said, said
        assert "no host 52:54:00:ab:cd:03" in explained(tree, "boot.ipxe", "--mac", "52:54:00:ab:cd:03")
        explained(tree, "boot.ipxe", "--mac", "52:54:00:ab:cd:02", status=1)
        with Server(arguments=["--config", config]) as server:
            assert fetch(server.address, "boot.ipxe").content == b"#!ipxe\nshell\n"  # loopback has no MAC
            assert fetch(server.address, "other").content == b"other\n"
        fetched = tftplib.run([tftplib.binary(), "plugins", "fetch", PLUGIN, "x", "--set", '{"command": ["echo", "a  b"]}'])
        assert fetched.stdout == "a  b\n", fetched


def test_a_program_answers_declines_and_fails_by_its_exit_status():
    with Tree() as tree, serving(tree, {"shell": True, "command": [
            'case $TFTP_PATH in yes) echo "for $TFTP_PEER $TFTP_OPTION_BLKSIZE";; empty) ;; from-file) exit 2;;'
            ' *) printf "part"; printf "\\033[31mno such\\nlast \\033 words\\n" >&2; exit 3;; esac']}) as server:
        got = fetch(server.address, "yes", [("blksize", "1000"), ("tsize", "0")])
        assert got.content == b"for 127.0.0.1 1000\n" and ("tsize", "19") in got.options, got.options
        assert fetch(server.address, "empty").content == b""
        assert fetch(server.address, "from-file").content == b"a file\n"
        packet = refused(server, "boom")
        assert packet.code == 0 and packet.text == "the command ended with exit status 3", packet
        server.wait_log("boom: the command ended with exit status 3; its last line: last \\x1b words")
        assert "\x1b" not in server.log


def test_large_bodies_come_whole_through_memory_and_through_a_directory():
    for spool in ({}, {"spool": "."}):
        with Tree() as tree, serving(tree, {"command": ["cat", str(tree.path("large"))], **spool}) as server:
            content = tftplib.pattern(3_000_000)
            tree.path("large").write_bytes(content)
            got = fetch(server.address, "x", [("blksize", "8192"), ("windowsize", "16"), ("tsize", "0")])
            assert got.content == content and ("tsize", "3000000") in got.options, got.options


HOSTILE = r"""#!/bin/sh
echo $$ > pid
case $TFTP_PATH in
  endless) exec yes ;;
  forever) exec sleep 1000 ;;
  signal) kill -KILL $$ ;;
  closed) exec >&- ; sleep 1000 ;;
  stderr) yes noise | head -c 20000000 >&2; exit 1 ;;
  stopped) kill -STOP $$ ;;
  children) for i in 1 2 3; do (sleep 1000; echo late) & echo $! >> children; done; echo body ;;
  *) exit 2 ;;
esac
"""


def test_hostile_programs_end_their_own_request_and_nothing_else():
    with Tree() as tree:
        hostile = program(tree, "hostile", HOSTILE)
        settings = {"command": [hostile], "directory": str(tree.base), "time_limit": "400ms", "max_size": "10MiB"}
        with serving(tree, settings) as server:
            for name, words in {"endless": "more than its limit of 10485760 bytes", "forever": "longer than its limit of 0.4 s",
                                "closed": "longer than its limit", "stopped": "longer than its limit"}.items():
                packet = refused(server, name)
                assert words in packet.text, f"{name}: {packet}"
                pid = number_in(tree.path("pid"))
                eventually(lambda pid=pid: not alive(pid), f"the end of {name}")
                assert fetch(server.address, "from-file").content == b"a file\n", name
        with serving(tree, {"command": [hostile], "directory": str(tree.base)}) as server:
            assert "was ended by SIGKILL" in refused(server, "signal").text
            assert "exit status 1" in refused(server, "stderr").text
            assert fetch(server.address, "children").content == b"body\n"
            for pid in tree.path("children").read_text(encoding="ascii").split():
                eventually(lambda pid=pid: not alive(pid), "the end of what was left behind")
            server.wait_log("stderr: the command ended with exit status 1; its last line: no")
            os.unlink(hostile)
            assert refused(server, "gone").text == "the command cannot be run"
            server.wait_log("hostile cannot be run: No such file or directory")


def test_a_client_that_leaves_ends_its_command_and_so_does_the_server():
    with Tree() as tree:
        slow = program(tree, "slow", '#!/bin/sh\necho $$ > "pid-$TFTP_PATH"\nexec sleep 1000\n')
        with serving(tree, {"command": [slow], "directory": str(tree.base), "time_limit": "60s"},
                     answer_timeout="60s", drain="100ms") as server:
            with Client(server.address) as client:
                client.rrq("one")
                first = number_in(tree.path("pid-one"))
                client.rrq("other")  # from the same port: the first is given up
                second = number_in(tree.path("pid-other"))
                eventually(lambda: not alive(first), "the end of the first command")
                assert alive(second)
                server.stop()
                assert not alive(second)


def test_five_hundred_requests_at_once_each_get_their_own_answer():
    with Tree() as tree:
        config = {"shell": True, "command": ["sleep 0.01; echo $TFTP_PATH"], "concurrency": 50}
        with serving(tree, config, answer_timeout="60s") as server:
            clients = [Client(server.address) for _ in range(500)]
            try:
                for number, client in enumerate(clients):
                    client.rrq(f"n/{number}")
                for number, client in enumerate(clients):
                    client.expect_data(1, f"n/{number}\n".encode())
                    client.ack(1)
            finally:
                for client in clients:
                    client.socket.close()


def test_what_cannot_be_run_is_refused_at_the_start_with_what_would_be_right():
    with Tree() as tree:
        tree.path("plain").write_text("x", encoding="utf-8")
        for settings, words in (({}, '"command" is missing'), ({"command": []}, "write at least 1"), ({"command": ["no-such-tool"]}, "there is no program"),
                                ({"command": [str(tree.path("plain"))]}, "chmod +x makes it so"),
                                ({"command": ["true"], "env": ["x y"]}, "/env/0"),
                                ({"command": ["true"], "comand": 1}, "did you mean")):
            try:
                with serving(tree, settings):
                    raise AssertionError(f"{settings} was taken")
            except Failed as failed:
                assert words in str(failed), f"{settings}: {failed}"


def test_the_python_program_of_the_readme_serves_and_is_started_once():
    need("pgrep")
    source, example = blocks("python")[0], blocks("json")[1]
    with Tree() as tree:
        here = str(tree.path("boot"))
        program(tree, "boot/names", source + 'open("/dev/stderr", "a").write("ended\\n")\n')
        config = tree.config(**json.loads(example.replace("/srv/boot", here)))
        assert "only .txt here" in explained(tree, "x", status=1)
        with Server(arguments=["--config", config]) as server:
            for _ in range(50):
                got = fetch(server.address, "anna.txt", [("tsize", "0")])
                assert got.content == b"anna is 10.0.0.5, and asks from 127.0.0.1\n", got.content
                assert got.options == [("tsize", str(len(got.content)))], got.options
            assert refused(server, "carl.txt").text == "nobody is called carl"
            assert refused(server, "carl.txt").code == 1
            assert refused(server, "x").code == 1
            assert len(children_of(server.process.pid)) == 2
            processes = children_of(server.process.pid)
            server.reload()
            server.wait_log("reloaded instances=1")
            assert children_of(server.process.pid) == processes  # what did not change is not started anew
            assert server.stop() == 0
        assert not any(alive(pid) for pid in processes)


def children_of(pid):
    return sorted(int(word) for word in tftplib.run(["pgrep", "-P", pid], check=False).stdout.split())


SERVER = r"""#!/usr/bin/python3
import json, os, sys
for line in sys.stdin:
    q = json.loads(line)
    print(json.dumps({"id": q["id"], "text": f"{q['path']} {os.getpid()}"}), flush=True)
"""


def test_a_serving_program_that_is_killed_over_and_over_costs_only_its_own_requests():
    with Tree() as tree:
        settings = {"mode": "serve", "command": [program(tree, "server", SERVER)], "programs": 2}
        with serving(tree, settings) as server:
            for round_ in range(3):
                name, pid = eventually(lambda r=round_: answered(server, f"r/{r}"), "an answer")
                assert name == f"r/{round_}"
                os.kill(int(pid), 9)
                server.wait_until(lambda r=round_: server.log_count("the program was ended by SIGKILL") > r, what="the end")
                # The other one serves meanwhile.
                name, other = eventually(lambda r=round_: answered(server, f"s/{r}"), "an answer by the other one")
                assert name == f"s/{round_}" and other != pid
            names = [f"n/{number}" for number in range(200)]
            clients = [Client(server.address) for _ in names]
            try:
                for name, client in zip(names, clients):
                    client.rrq(name)
                for name, client in zip(names, clients):
                    assert client.receive().data.startswith(name.encode() + b" ")
                    client.ack(1)
            finally:
                for client in clients:
                    client.socket.close()


def test_programs_run_from_a_plugin_in_a_process_of_its_own_and_not_from_a_sandbox():
    linked = tftplib.run(["ldd", tftplib.binary()]).stdout
    if "libtsan" in linked or "libasan" in linked:
        raise Skip("the memory limit of an isolated process leaves no room for a sanitizer's tables")
    with Tree() as tree:
        run = {"name": "run", "plugin": "exec", "isolation": "process",
               "settings": {"command": ["head", "-c", "200000", "/dev/zero"]}}
        serve = {"name": "serve", "plugin": "exec", "isolation": "process",
                 "settings": {"mode": "serve", "command": [program(tree, "server", SERVER)]}}
        config = tree.config(instances=[run, serve], routes=[{"match": "s/*", "to": "serve"}, {"to": "run"}])
        with Server(arguments=["--config", config]) as server:
            assert fetch(server.address, "x").content == bytes(200_000)
            assert fetch(server.address, "s/x").content.startswith(b"s/x ")
            processes = [pid for child in children_of(server.process.pid) for pid in children_of(child)]
            assert processes, "no program was started"
            server.stop()
            assert not any(alive(pid) for pid in processes)
        config = tree.config(instances=[{**serve, "sandbox": True}])
        try:
            with Server(arguments=["--config", config]):
                raise AssertionError("a sandbox let a program start")
        except Failed as failed:
            assert "cannot be run: Operation not permitted" in str(failed) or "sandbox" in str(failed), failed


def answered(server, name):
    """The words of an answer, or None when the request had just been given to a program that ended."""
    try:
        return fetch(server.address, name).content.decode().split()
    except Failed:
        return None


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
