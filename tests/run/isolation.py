#!/usr/bin/python3
"""Plugins in processes of their own: whatever one does to its process, the server and everybody else go on, and the plugin
serves again. What each hostile act came to is printed."""
import os
import signal
import threading
import time

import tftplib
from tftplib import (DATA, ERROR, OACK, Client, Failed, Server, Tree, at_once, eventually, fetch, plugin_pattern,
                     sample_plugin)

OTHERS = 100          # transfers of another instance that go on meanwhile
CALL_LIMIT = "1500ms"
MEMORY_LIMIT = "192MiB"

# What is asked for -> words that the ERROR for the client has.
ACTS = {
    "open/segv": "ended by SIGSEGV",
    "read/segv": "ended by SIGSEGV",
    "close/segv": None,  # the client has its bytes by then
    "open/thread": "ended by SIGSEGV",
    "open/abort": "ended by SIGABRT",
    "open/exit": "exit(0)",
    "open/spin": "longer than its limit",
    "read/spin": "longer than its limit",
    "close/spin": None,
    "open/stop": "did not react",
    "open/memory": "no gigabyte",  # the plugin hears of the limit; its process goes on
    "open/shared-memory": "more than its limit of 192 MiB",
    "open/garbage": "no message",
    "open/close-all": "its process",  # who notices first is a matter of chance
}


def isolated(name, **members):
    return {"name": name, "plugin": "misbehaves", "isolation": "process", "memory_limit": MEMORY_LIMIT,
            "call_limit": CALL_LIMIT, **members}


def name_of(act):
    return act.replace("/", "-")


def serving(tree, instances, routes, **members):
    files = {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}
    config = tree.config(plugins=[str(sample_plugin("misbehaves"))], instances=[files, *instances],
                         routes=[*routes, {"to": "files"}], **members)
    return Server(arguments=["--config", config])


def only(name):
    """Routes that lead everything but a/... to one instance."""
    return [{"match": "a/**", "to": "files"}, {"to": name}]


def error_of(server, path, local=("", 0)):
    """The ERROR that ends this transfer, or None when it came whole."""
    with Client(server.address, local=local) as client:
        client.rrq(path)
        while (packet := client.receive()).op != ERROR:
            if packet.op == DATA:
                client.ack(packet.block)
                if len(packet.data) < 512:
                    return None
        return packet


def serves(server, path, content, local=("", 0)):
    """Does the instance answer (again) with these bytes?"""
    def there():
        try:
            return fetch(server.address, path, patience=20, local=local).content == content
        except Failed:
            return False
    began = time.monotonic()
    eventually(there, f"{path} to be served again")
    return time.monotonic() - began


def others_go_on(server, content, stop):
    """Loads from another instance, over and over, until told to stop and a hundred are through; returns how many."""
    done = 0
    while done < OTHERS or not stop.is_set():
        got = fetch(server.address, "a/x", [("blksize", "1024")], patience=20).content
        assert got == content, f"transfer {done} of the other instance: {len(got)} bytes, not {len(content)} or others"
        done += 1
    return done


def test_no_act_of_a_plugin_reaches_another_instance_and_it_serves_again():
    with Tree() as tree:
        content = tree.file("a/x", 30_000)
        # Every act has a process of its own, and a client address that leads to it.
        places = {act: f"127.0.1.{number}" for number, act in enumerate(ACTS, 1)}
        routes = [{"match": "a/**", "to": "files"}]
        routes += [{"clients": place, "to": name_of(act)} for act, place in places.items()]
        quiet = {"level": "warning"}
        with serving(tree, [isolated(name_of(act)) for act in ACTS], routes, log=quiet) as server:
            for act, words in ACTS.items():
                place = (places[act], 0)
                stop, counts = threading.Event(), []
                began = time.monotonic()

                def misbehave(act=act, words=words, place=place, stop=stop):
                    try:
                        packet = error_of(server, act, place)
                        if words is None:
                            assert packet is None, packet
                        else:
                            # Who had DATA and has not acknowledged it yet hears of the end when it does.
                            late = packet and packet.code == 5 and act.startswith("read/")
                            assert late or packet and packet.code in (0, 3) and words in packet.text, f"{act}: {packet}"
                        if act != "open/memory":
                            server.wait_log(f"isolated process ended instance={name_of(act)} ")
                    finally:
                        stop.set()

                at_once(misbehave, lambda s=stop, c=counts: c.append(others_go_on(server, content, s)))
                took = time.monotonic() - began
                again = serves(server, "good/1000", plugin_pattern(1000), place)
                ended = [line.partition("why=")[2] for line in server.log.splitlines()
                         if f"isolated process ended instance={name_of(act)} " in line]
                print(f"         {act}: {ended[0] if ended else 'the plugin answered with its own ERROR'}; {counts[0]} other "
                      f"transfers whole in {took:.1f} s; served again after {again:.2f} s")
            assert server.process.poll() is None
            assert server.stop() == 0
            assert "plugin calls do not return" not in server.log


def test_a_kill_from_outside_ends_what_still_had_to_come_and_nothing_that_was_there():
    with Tree() as tree, serving(tree, [isolated("guest")], only("guest")) as server:
        size = 400_000
        wanted = plugin_pattern(size)
        clients = {kind: Client(server.address) for kind in ("good", "file", "stream")}
        try:
            for kind, client in clients.items():
                client.rrq(f"{kind}/{size}")
                client.expect_data(1, wanted[:512])
            pid = int(fetch(server.address, "pid").content)
            os.kill(pid, signal.SIGKILL)
            server.wait_log("ended by SIGKILL")
            for kind in ("good", "file"):
                clients[kind].ack(1)
                assert wanted[:512] + clients[kind].read_on(block=2) == wanted, kind
            client, block = clients["stream"], 1
            client.ack(1)
            while (packet := client.receive()).op == DATA:  # what the server had of it
                block += packet.block == block + 1
                client.ack(block)
            assert packet.op == ERROR and "SIGKILL" in packet.text, packet
        finally:
            for client in clients.values():
                client.socket.close()
        serves(server, "good/1000", plugin_pattern(1000))
        assert int(fetch(server.address, "pid").content) != pid


def test_what_is_asked_while_the_process_is_down_gets_an_error_at_once():
    with Tree() as tree, serving(tree, [isolated("guest")], only("guest")) as server:
        for _ in range(4):  # the pauses become longer
            error_of(server, "open/segv")
            eventually(lambda: error_of(server, "good/1") is None, "the process")
        error_of(server, "open/segv")
        began = time.monotonic()
        packet = error_of(server, "good/1")
        assert time.monotonic() - began < 0.7, "it waited for the process"
        assert packet and packet.code == 0 and "SIGSEGV" in packet.text, packet
        eventually(lambda: server.log_count("in_ms=") >= 5, "five pauses in the log")
        starts = [int(line.partition("in_ms=")[2].split()[0]) for line in server.log.splitlines() if "in_ms=" in line]
        assert len(starts) == 5 and starts[0] < 150 and starts[-1] > 2 * starts[1], starts
        print(f"         pauses before the next start: {starts} ms")
        assert server.stop() == 0


def test_bodies_on_their_way_are_bounded_by_the_memory_limit():
    with Tree() as tree, serving(tree, [isolated("guest", memory_limit="56MiB")], only("guest")) as server:
        size = 24 << 20
        with Client(server.address) as first, Client(server.address) as second:
            for client in (first, second):
                client.rrq(f"same/{size}")
                client.expect_data(1, bytes(512))
            packet = error_of(server, f"same/{size}")
            assert packet and "memory_limit" in packet.text, packet
            assert fetch(server.address, "good/1000").content == plugin_pattern(1000)
            first.error(0)
            with Client(server.address) as third:
                def again():
                    third.rrq(f"same/{size}")
                    return third.receive().op == DATA
                eventually(again, "room for a body")
                third.error(0)
            second.error(0)


def test_a_plugin_that_can_be_only_once_in_a_process_runs_twice_beside_itself():
    with Tree() as tree:
        twice = [isolated("first"), isolated("second")]
        routes = [{"clients": "127.0.0.2", "to": "second"}, {"to": "first"}]
        with serving(tree, twice, routes) as server:
            pids = {fetch(server.address, "pid", local=(place, 0)).content for place in ("127.0.0.1", "127.0.0.2")}
            assert len(pids) == 2 and str(server.process.pid).encode() not in pids, pids
        here = [{"name": name, "plugin": "misbehaves"} for name in ("first", "second")]
        try:
            with serving(tree, here, routes):
                raise Failed("the plugin ran twice in one process: the test shows nothing")
        except Failed as said:
            assert "only one in a process" in str(said), said


def test_the_processes_end_with_the_server_and_have_none_of_its_descriptors():
    for how in (signal.SIGTERM, signal.SIGKILL):
        with Tree() as tree, serving(tree, [isolated("guest")], only("guest")) as server:
            pid = int(fetch(server.address, "pid").content)
            numbers = fetch(server.address, "descriptors").content.split()
            assert len(numbers) < 16, f"so many descriptors are in the process: {numbers}"
            links = [os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")]
            sockets = [link for link in links if link.startswith("socket:")]
            assert len(sockets) == 1, links
            server.stop(how)
            eventually(lambda p=pid: not os.path.exists(f"/proc/{p}"), f"the process to end after {how.name}")


def test_an_instance_that_cannot_start_is_an_error_at_the_start_that_says_why():
    with Tree() as tree:
        for act, words in (("segv", "ended by SIGSEGV"), ("exit", "exit(0)"), ("spin", "did not start"),
                           ("memory", "create() failed with status -30: there is no gigabyte")):
            try:
                with serving(tree, [isolated("guest", settings={"at_start": act})], only("guest")):
                    raise Failed("it started")
            except Failed as said:
                assert words in str(said) and 'instance "guest"' in str(said), said


def test_a_reload_keeps_the_process_of_an_instance_that_stays_the_same():
    with Tree() as tree, serving(tree, [isolated("guest")], only("guest")) as server:
        pid = fetch(server.address, "pid").content
        server.reload()
        server.wait_log("reloaded")
        assert fetch(server.address, "pid").content == pid
        tree.config(plugins=[str(sample_plugin("misbehaves"))], instances=[isolated("guest", settings={"start_ms": 1})])
        server.reload()
        eventually(lambda: server.log.count("reloaded") == 2, "the reload")
        assert fetch(server.address, "pid").content != pid
        eventually(lambda: not os.path.exists(f"/proc/{int(pid)}"), "the old process to end")


def tried(server, what):
    return fetch(server.address, f"try/{what}").content.decode().strip()


def test_a_sandbox_leaves_the_plugin_threads_and_reading_and_nothing_else():
    with Tree() as tree:
        root = os.geteuid() == 0
        os.chmod(tree.root, 0o755)  # for another user, when there is one
        tree.file("seen", 10)
        os.chmod(tree.root / "seen", 0o644)
        with serving(tree, [isolated("guest")], only("guest")) as server:
            for what in ("exec", "fork", "inet", "kill-parent"):
                if what != "exec":
                    assert tried(server, what) == "ok", f"{what} fails without a sandbox: the test shows nothing"
        sandbox = {"network": False, "read": [str(tree.root)]}
        for wanted in (True, sandbox):
            with serving(tree, [isolated("guest", sandbox=wanted)], only("guest")) as server:
                results = {what: tried(server, what) for what in (
                    "exec", "fork", "thread", "write", "mkdir", "inet", "unix", "kill-parent", "kill-self", "ptrace",
                    "setuid", "read-passwd", f"read/{tree.root}/seen", "read//root", "read//home")}
                print(f"         sandbox {'true' if wanted is True else 'with an object'}: {results}")
                for what in ("exec", "fork", "kill-parent", "ptrace", "setuid"):
                    assert results[what] == "EPERM", (what, results)
                for what in ("thread", "unix", "kill-self", "read-passwd", f"read/{tree.root}/seen"):
                    assert results[what] == "ok", (what, results)
                assert results["write"] != "ok" and results["mkdir"] != "ok", results
                assert results["inet"] == ("ok" if wanted is True else "EPERM"), results
                if wanted is not True:
                    assert results["read//home"] == "EACCES", results
                pid = int(fetch(server.address, "pid").content)
                with open(f"/proc/{pid}/status", encoding="ascii") as file:
                    status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
                assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2", status
                assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0, status
                if root:
                    assert status["Uid"].split()[0] != "0", status
                assert fetch(server.address, "stream/300000", [("blksize", "8192")]).content == plugin_pattern(300_000)


def test_what_a_sandbox_cannot_give_is_an_error_at_the_start():
    with Tree() as tree:
        for sandbox, words in (({"user": "no-such-user-here"}, "no-such-user-here"),
                               ({"read": ["/no/such/directory"]}, "/no/such/directory")):
            try:
                with serving(tree, [isolated("guest", sandbox=sandbox)], only("guest")):
                    raise Failed("it started")
            except Failed as said:
                assert words in str(said) and 'instance "guest"' in str(said), said


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
