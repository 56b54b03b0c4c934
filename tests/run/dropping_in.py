#!/usr/bin/python3
"""A plugin dropped into a directory serves, changed it is replaced, removed it stops; all by itself or by `tftpkit reload`."""
import contextlib
import json
import os
import signal
import subprocess
import time

import tftplib
from tftplib import (TIME_LIMIT, Client, Server, Tree, abi_plugin, binary, drop_in, fetch, generation,
                     generation_of, marker)


@contextlib.contextmanager
def watching(*arguments, dropped=None, environment=None):
    """A server and the directory that it watches."""
    with Tree() as tree:
        directory = tree.path("plugins")
        directory.mkdir()
        for name, content in (dropped or {}).items():
            drop_in(directory / name, content)
        with Server(arguments=["--plugin-dir", directory, *arguments], environment=environment) as server:
            yield server, directory


def command(*arguments, expect=0):
    """Runs a command of the binary and returns what it prints."""
    done = subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == expect, (done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def row(server, name):
    """The plugin's row in the server's own list; {} when it has none."""
    rows = json.loads(command("plugins", "list", "--control", server.control, "--json"))
    return next((one for one in rows if one["name"] == name), {})


def wait_for(condition, what, server):
    end = time.monotonic() + TIME_LIMIT
    while not condition():
        if time.monotonic() > end:
            raise tftplib.Failed(f"waited {TIME_LIMIT} s for {what}\n{server.log}")
        time.sleep(0.02)


def wait_row(server, name, **members):
    """Waits until the row of a plugin has these members, and returns it."""
    wait_for(lambda: members.items() <= row(server, name).items(), f"{name} with {members}, not {row(server, name)}", server)
    return row(server, name)


def answer(server, name):
    """The content, or None for an ERROR."""
    try:
        return fetch(server.address, name).content
    except tftplib.Failed:
        return None


def rest(client, block):
    """The content after `block`; repeats of what came before are passed over."""
    content = b""
    client.ack(block)
    while True:
        packet = client.receive()
        assert packet.op == tftplib.DATA, packet
        if packet.block != block + 1:
            continue
        block, content = block + 1, content + packet.data
        client.ack(block)
        if len(packet.data) < 512:
            return content


def plugin(name):
    with open(abi_plugin(name), "rb") as file:
        return file.read()


def wait_content(server, name, content):
    wait_for(lambda: answer(server, name) == content, f"{name} to be {content}", server)


def test_a_file_that_is_moved_in_serves_without_a_restart_and_removed_gets_no_new_requests():
    with watching() as (server, dropped):
        assert "nothing to serve" not in server.log
        drop_in(dropped / "dropped.so", generation(1))
        wait_row(server, "dropped", serving=True, generation=1, state="ok")
        assert answer(server, "100") == (marker(1) * 6)[:100]
        with Client(server.address) as client:
            client.rrq("1200")
            client.expect_data(1)
            (dropped / "dropped.so").unlink()
            server.wait_log("instance takes no more requests")
            gone = row(server, "dropped")
            assert gone["serving"] is False and gone["draining"] == 1, gone
            assert answer(server, "100") is None
            assert len(rest(client, 1)) == 1200 - 512
        wait_for(lambda: row(server, "dropped") == {}, "the end of the removed one", server)


def test_a_copy_counts_when_it_is_closed_and_nothing_half_written_is_loaded():
    with watching(dropped={"memory.so": plugin("memory")}) as (server, dropped):
        whole = generation(1)
        with open(dropped / "dropped.so", "wb") as file:
            (dropped / "dropped.so").chmod(0o644)
            file.write(whole[:5000])
            file.flush()
            drop_in(dropped / "hello-c.so", plugin("hello-c"))  # makes the server look at all of them
            half = wait_row(server, "dropped", state="cannot-load", serving=False)
            assert "still open for writing" in half["reason"], half
            file.write(whole[5000:])
        wait_row(server, "dropped", state="ok", serving=True)
        assert generation_of(answer(server, "1000")) == 1


def test_a_copy_that_broke_off_is_told_and_the_running_one_goes_on():
    with watching(dropped={"dropped.so": generation(1)}) as (server, dropped):
        whole = generation(2)
        (dropped / "dropped.so").write_bytes(whole[:len(whole) // 2])  # in place, over what runs
        broken = wait_row(server, "dropped", state="cannot-load", serving=True, generation=1)
        assert "ends in the middle" in broken["reason"], broken
        server.wait_log("ends in the middle")
        assert generation_of(answer(server, "1000")) == 1
        (dropped / "dropped.so").write_bytes(whole)
        wait_row(server, "dropped", state="ok", generation=2, failure="")
        assert generation_of(answer(server, "1000")) == 2


def test_a_new_generation_that_fails_leaves_the_old_one_at_work_and_others_are_not_kept_waiting():
    with watching(dropped={"dropped.so": generation(1)}) as (server, dropped):
        drop_in(dropped / "dropped.so", generation(-1))
        drop_in(dropped / "hello-c.so", plugin("hello-c"))
        wait_row(server, "hello-c", serving=True)
        failed = row(server, "dropped")
        assert failed["serving"] is True and failed["generation"] == 1, failed
        assert "told to fail in create" in failed["failure"], failed
        server.wait_log("told to fail in create")
        shown = command("plugins", "list", "--control", server.control)
        assert "the generation before it goes on" in shown and "told to fail in create" in shown, shown
        assert generation_of(answer(server, "1000")) == 1
        assert "told to fail in create" in command("reload", "--control", server.control, expect=1)


def test_a_transfer_ends_on_the_generation_that_it_began_with():
    with watching(dropped={"dropped.so": generation(1)}) as (server, dropped), Client(server.address) as client:
        client.rrq("1500")
        content = client.expect_data(1).data
        drop_in(dropped / "dropped.so", generation(2))
        now = wait_row(server, "dropped", generation=2)
        assert now["draining"] == 1, now
        assert generation_of(answer(server, "1000")) == 2
        content += rest(client, 1)
        assert len(content) == 1500 and generation_of(content) == 1
        wait_row(server, "dropped", draining=0)


def test_settings_beside_a_plugin_are_checked_and_each_change_starts_it_anew():
    with watching(dropped={"settings.so": plugin("settings")}) as (server, dropped):
        wait_row(server, "settings", serving=False)
        assert "write them into settings.json beside it" in row(server, "settings")["failure"]
        drop_in(dropped / "settings.json", b'{"greeting": "hi", "tree": "sub/tree"}')
        wait_row(server, "settings", serving=True, generation=1)
        assert answer(server, "text/greeting") == b"hi"
        assert answer(server, "text/tree") == str(dropped / "sub/tree").encode()
        drop_in(dropped / "settings.json", b'{"greeting": "hi", "levle": 3}')
        wait_for(lambda: "levle" in row(server, "settings")["failure"], "the complaint", server)
        assert "/levle" in row(server, "settings")["failure"] and "level" in row(server, "settings")["failure"]
        assert answer(server, "text/greeting") == b"hi"
        drop_in(dropped / "settings.json", b'{"greeting": "ho"}')
        wait_row(server, "settings", generation=2, failure="")
        assert answer(server, "text/greeting") == b"ho"


def test_settings_that_others_could_change_are_not_taken():
    with watching(dropped={"settings.so": plugin("settings"), "settings.json": b'{"greeting": "hi"}'}) as (server, dropped):
        wait_row(server, "settings", serving=True)
        (dropped / "settings.json").chmod(0o666)
        wait_for(lambda: "can be written by everybody" in row(server, "settings")["failure"], "the complaint", server)


def test_a_directory_of_a_plugins_own_and_a_plugin_directory_that_comes_later_are_seen():
    with Tree() as tree:
        later = tree.path("a") / "b"
        config = tree.config(plugin_dirs=[str(later)], watch=True)
        with Server(arguments=["--config", config]) as server:
            later.mkdir(parents=True)
            (later / "dropped").mkdir()
            drop_in(later / "dropped/dropped.so", generation(1))
            wait_row(server, "dropped", serving=True)
            drop_in(later / "dropped/dropped.so", generation(2))
            wait_row(server, "dropped", generation=2)
            assert generation_of(answer(server, "1000")) == 2


def test_nothing_is_watched_unless_it_is_wanted_and_reload_does_the_same_on_demand():
    with Tree() as tree:
        dropped = tree.path("plugins")
        dropped.mkdir()
        drop_in(dropped / "hello-c.so", plugin("hello-c"))
        config = tree.config(plugin_dirs=[str(dropped)])
        with Server(arguments=["--config", config]) as server:
            drop_in(dropped / "dropped.so", generation(1))
            time.sleep(0.3)
            assert row(server, "dropped") == {}
            assert command("reload", "--control", server.control) == "reloaded\n"
            assert row(server, "dropped")["serving"] is True
            (dropped / "text.so").write_text("no plugin")
            (dropped / "text.so").chmod(0o644)
            assert "not-a-plugin" in command("reload", "--control", server.control, expect=1)
            config.write_text('{"wrokers": 1}')
            assert "wrokers" in command("reload", "--control", server.control, expect=1)
            assert row(server, "dropped")["serving"] is True


def test_the_control_socket_is_for_its_owner_and_a_missing_server_is_told():
    with watching() as (server, dropped):
        assert os.stat(server.control).st_mode & 0o777 == 0o600
        assert "belongs to a server that runs" in command("serve", "--plugin-dir", dropped, "--listen", "127.0.0.1:0",
                                                          "--control", server.control, expect=1)
        path = server.control
    assert not path.exists()
    assert "no server takes commands there" in command("reload", "--control", path, expect=1)
    assert "no server takes commands there" in command("plugins", "list", "--control", path, expect=1)


def test_a_disabled_plugin_does_not_serve_and_its_row_says_why():
    with Tree() as tree:
        dropped = tree.path("plugins")
        dropped.mkdir()
        drop_in(dropped / "dropped.so", generation(1))
        drop_in(dropped / "hello-c.so", plugin("hello-c"))
        members = {"plugin_dirs": [str(dropped)], "watch": True}
        config = tree.config(**members)
        with Server(arguments=["--config", config]) as server:
            wait_row(server, "dropped", serving=True)
            tree.config(**members, disabled_plugins=["dropped"])
            command("reload", "--control", server.control)
            off = row(server, "dropped")
            assert off["state"] == "disabled" and off["serving"] is False and "disabled_plugins" in off["reason"], off


def test_every_way_to_be_no_plugin_is_a_row_with_state_and_reason():
    broken = {"crash-in-entry": "crashed", "crash-on-load": "crashed", "exit-in-entry": "crashed", "major-two": "incompatible",
              "needs-minor-99": "incompatible", "no-version": "invalid", "undefined-symbol": "cannot-load",
              "no-entry": "not-a-plugin", "hang-in-entry": "timed-out"}
    with watching(dropped={"hello-c.so": plugin("hello-c")}) as (server, dropped):
        for name in broken:
            drop_in(dropped / f"{name}.so", plugin(name))
        drop_in(dropped / "second.so", plugin("hello-c"))
        drop_in(dropped / "dropped.so", generation(1))
        (dropped / "dropped.so").chmod(0o666)
        wait_row(server, "dropped", state="unsafe-file")
        rows = {os.path.basename(one["file"]): one
                for one in json.loads(command("plugins", "list", "--control", server.control, "--json"))}
        for name, state in broken.items():
            assert rows[f"{name}.so"]["state"] == state and rows[f"{name}.so"]["reason"], rows[f"{name}.so"]
        assert rows["second.so"]["state"] == "duplicate" and "hello-c.so" in rows["second.so"]["reason"]
        assert answer(server, "x") == b"Hello from C!\n"


def test_a_singleton_ends_before_its_next_generation_begins_and_comes_back_when_that_fails():
    def alone(number):
        return generation(number, "dropped-alone")
    with watching(dropped={"dropped-alone.so": alone(1)}) as (server, dropped), Client(server.address) as client:
        client.rrq("1500")
        client.expect_data(1)
        drop_in(dropped / "dropped-alone.so", alone(2))
        wait_for(lambda: "when the one before it has ended" in row(server, "dropped-alone").get("failure", ""), "the wait", server)
        rest(client, 1)
        wait_row(server, "dropped-alone", serving=True, generation=2)
        assert generation_of(answer(server, "1000")) == 2
        drop_in(dropped / "dropped-alone.so", alone(-1))
        wait_row(server, "dropped-alone", serving=True, generation=3)
        assert "told to fail in create" in row(server, "dropped-alone")["failure"]
        assert generation_of(answer(server, "1000")) == 2


def may_crash(state):
    """The environment of a server that keeps its state there; a sanitizer that is built in leaves faults to it."""
    leave = {name: os.environ.get(name, "") + ":handle_segv=0:halt_on_error=0"
             for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")}
    return {"STATE_DIRECTORY": str(state), **leave}


def crashed(state, directory, name, path):
    """Lets a plugin end the server, and returns how that ended."""
    with Server(arguments=["--plugin-dir", directory], environment=may_crash(state)) as server, \
            Client(server.address) as client:
        wait_row(server, name, serving=True)
        client.rrq(path)
        return server.process.wait(TIME_LIMIT)


def test_a_plugin_that_crashed_the_server_twice_is_quarantined_by_name_and_released():
    with Tree() as tree:
        state, dropped = tree.path("state"), tree.path("plugins")
        dropped.mkdir()
        drop_in(dropped / "dropped.so", generation(1))
        drop_in(dropped / "hello-c.so", plugin("hello-c"))
        assert crashed(state, dropped, "dropped", "crash") == -signal.SIGSEGV
        assert crashed(state, dropped, "dropped", "crash-thread") == -signal.SIGSEGV
        with Server(arguments=["--plugin-dir", dropped], environment={"STATE_DIRECTORY": str(state)}) as server:
            quarantined = row(server, "dropped")
            assert quarantined["state"] == "quarantined" and quarantined["serving"] is False, quarantined
            assert "crashed the server 2 times" in quarantined["reason"] and "SIGSEGV" in quarantined["reason"]
            assert "tftpkit plugins release dropped" in server.log
            assert answer(server, "x") == b"Hello from C!\n"
            assert "2 crashes forgotten" in command("plugins", "release", "dropped", "--state-dir", state)
            command("reload", "--control", server.control)
            assert row(server, "dropped")["serving"] is True
        assert "no crash" in command("plugins", "release", "dropped", "--state-dir", state, expect=1)


def test_each_way_to_end_the_server_is_blamed_on_the_plugin_and_a_kill_from_outside_on_nobody():
    def noted():
        return [line.split()[2] for line in (state / "plugin-crashes").read_text().splitlines()]
    with Tree() as tree:
        dropped = tree.path("plugins")
        dropped.mkdir()
        drop_in(dropped / "dropped.so", generation(1))
        for path, how in {"crash-read": "SIGSEGV", "overflow": "SIGSEGV", "abort": "SIGABRT", "exit": "exit()"}.items():
            state = tree.path(f"state-{path}")
            status = crashed(state, dropped, "dropped", path)
            assert noted() == [how], (path, status, noted())
        state = tree.path("state-kill")
        with Server(arguments=["--plugin-dir", dropped], environment=may_crash(state)) as server:
            assert server.stop(signal.SIGSEGV) == -signal.SIGSEGV
        assert not (state / "plugin-crashes").exists() or noted() == []


def test_what_a_server_that_crashed_leaves_does_not_keep_the_next_one_from_taking_commands():
    with Tree() as tree:
        dropped = tree.path("plugins")
        dropped.mkdir()
        socket = tree.path("control")
        with Server(arguments=["--plugin-dir", dropped, "--control", socket]) as server:
            server.stop(signal.SIGKILL)
        assert socket.exists()
        with Server(arguments=["--plugin-dir", dropped, "--control", socket]):
            assert command("reload", "--control", socket) == "reloaded\n"


if __name__ == "__main__":
    tftplib.main(globals())
