#!/usr/bin/python3
"""A life in operation: stopping, reloading, counting, giving up root, limits; and that nothing is forked on the way."""
import contextlib
import os
import signal

import tftplib
from tftplib import ERROR, Client, Namespace, Server, Skip, Tree, fetch, plugin_pattern, run, sample_plugin


def configured(tree, **members):
    return Server(arguments=["--config", tree.config(**members)])


def files(tree, name="files", **settings):
    return {"name": name, "plugin": "file", "settings": {"root": str(tree.root), **settings}}


def begin(client, name, options=()):
    """A transfer that is under way: its first block has been acknowledged."""
    client.rrq(name, options)
    client.expect_data(1)
    client.ack(1)
    client.expect_data(2)


def go_on(client, content, block=2):
    """Takes the rest of a transfer in blocks of 512; repeats of earlier blocks are passed over."""
    client.ack(block)
    while True:
        packet = client.receive()
        assert packet.op == tftplib.DATA, packet
        if packet.block != block + 1:
            continue
        block += 1
        assert packet.data == content[(block - 1) * 512:block * 512], f"block {block}"
        client.ack(block)
        if len(packet.data) < 512:
            return


def error_after_repeats(client):
    """The ERROR that follows repeats of the last block."""
    while True:
        packet = client.receive()
        if packet.op == ERROR:
            return packet


def test_a_running_transfer_ends_in_peace_after_sigterm_and_nothing_new_begins():
    with Tree() as tree, Server(tree.root) as server, Client(server.address) as client, Client(server.address) as late:
        content = tree.file("x", 5000)
        begin(client, "x")
        server.process.send_signal(signal.SIGTERM)
        server.wait_log("stopping")
        for _ in range(10):  # the listeners close a moment after the line is written
            late.rrq("x")
            if late.poll(0.5) is None:
                break
            late.error(0)
        else:
            raise tftplib.Failed("new requests are still served")
        go_on(client, content)
        server.process.wait(20)
        assert server.process.returncode == 0
        server.stop()
        assert "delivered" in server.log


def test_a_transfer_that_does_not_end_gets_an_error_after_the_drain():
    with Tree() as tree:
        tree.file("x", 5000)
        with configured(tree, drain="300ms", instances=[files(tree)]) as server, Client(server.address) as client:
            begin(client, "x")
            server.process.send_signal(signal.SIGTERM)
            assert "shutting down" in error_after_repeats(client).text
            assert server.stop() == 0


def test_a_second_sigterm_does_not_wait_for_the_drain():
    with Tree() as tree:
        tree.file("x", 5000)
        with configured(tree, drain="1h", instances=[files(tree)]) as server, Client(server.address) as client:
            begin(client, "x")
            server.process.send_signal(signal.SIGTERM)
            server.wait_log("stopping")
            assert server.process.poll() is None
            server.process.send_signal(signal.SIGTERM)
            assert "shutting down" in error_after_repeats(client).text
            server.process.wait(20)
            assert server.process.returncode == 0


def test_a_plugin_that_does_not_answer_does_not_keep_the_server_from_stopping():
    with Tree() as tree:
        with configured(tree, drain="200ms", plugins=[str(sample_plugin("never-completes"))]) as server, \
                Client(server.address) as client:
            client.rrq("x")
            server.process.send_signal(signal.SIGTERM)
            assert "shutting down" in client.expect_error(0).text
            assert server.stop() == 0


def test_an_idle_server_stops_at_once_for_sigint():
    with Tree() as tree, Server(tree.root) as server:
        assert server.stop(signal.SIGINT) == 0


def test_new_requests_see_the_new_configuration_and_running_ones_end_on_the_old():
    with Tree() as tree:
        content = tree.file("old/x", 5000)
        tree.file("new/x", b"new")
        instance = {"name": "files", "plugin": "file", "settings": {"root": str(tree.root / "old")}}
        with configured(tree, instances=[instance]) as server, Client(server.address) as client:
            begin(client, "x")
            instance["settings"]["root"] = str(tree.root / "new")
            tree.config(instances=[instance])
            server.reload()
            server.wait_log("reloaded")
            assert fetch(server.address, "x").content == b"new"
            go_on(client, content)


def test_a_broken_file_changes_nothing_and_is_reported():
    with Tree() as tree:
        tree.file("x", b"content")
        with configured(tree, instances=[files(tree)]) as server:
            for number, mistakes in enumerate(({"wrokers": 2}, {"instances": [{"name": "a", "plugin": "nobody"}]},
                                               {"instances": [files(tree, rooot=5)]}), 1):
                tree.config(**mistakes)
                server.reload()
                server.wait_until(lambda n=number: server.log.count("reload failed") >= n, what="the report")
                assert fetch(server.address, "x").content == b"content"
            assert "wrokers" in server.log and "nobody" in server.log and "rooot" in server.log
            assert "reloaded" not in server.log
            tree.config(instances=[files(tree)])
            server.reload()
            server.wait_log("reloaded")


def test_an_instance_that_stays_the_same_is_kept_and_others_begin_anew():
    with Tree() as tree:
        tree.file("x", b"content")
        with configured(tree, instances=[files(tree, "kept"), files(tree, "changed")]) as server:
            tree.config(instances=[files(tree, "kept"), files(tree, "changed", case_insensitive=True),
                                   files(tree, "added")])
            server.reload()
            server.wait_log("reloaded")
            started = {name: sum("instance started" in line and f"instance={name} " in line
                                 for line in server.log.splitlines()) for name in ("kept", "changed", "added")}
            assert started == {"kept": 1, "changed": 2, "added": 1}, server.log


def test_a_plugin_file_that_was_replaced_is_used_after_a_reload():
    with Tree() as tree:
        dropped = tree.path("dropped")
        dropped.mkdir()

        def put(name):
            (dropped / "new").write_bytes(sample_plugin(name).read_bytes())
            (dropped / "new").rename(dropped / "it.so")

        put("stream")
        with Server(arguments=["--plugin-dir", dropped]) as server, Client(server.address) as client:
            begin(client, "pattern/3000")
            put("hello-cpp")
            server.reload()
            server.wait_log("reloaded")
            assert fetch(server.address, "x").content == b"Hello from C++!\n"
            go_on(client, plugin_pattern(3000))
            put("hello-c")
            server.reload()
            server.wait_until(lambda: server.log.count("reloaded") == 2, what="a second reload")
            assert fetch(server.address, "x").content == b"Hello from C!\n"


def test_reloads_leave_no_descriptors_and_threads_behind():
    with Tree() as tree:
        tree.file("x", b"content")
        with configured(tree, instances=[files(tree)]) as server:
            def reload(count):
                tree.config(instances=[files(tree, case_insensitive=count % 2 == 0)])
                server.reload()
                server.wait_until(lambda: server.log.count("reloaded") == count, what="a reload")
                with Client(server.address) as client:  # no transfer: its port would be kept for a while
                    client.rrq("../x")
                    client.expect_error()
                return descriptors(server), len(os.listdir(f"/proc/{server.process.pid}/task"))
            counts = [reload(number) for number in range(1, 9)]
            assert counts[-1][0] <= counts[1][0] + 2 and counts[-1][1] <= counts[1][1] + 2, counts


def test_sigusr1_writes_the_counters():
    with Tree() as tree, Server(tree.root) as server:
        tree.file("x", 1000)
        fetch(server.address, "x")
        server.wait_log("delivered")
        server.process.send_signal(signal.SIGUSR1)
        server.wait_log("counters requests=1 ")

        def counted():  # the line of a transfer is written a moment before it is counted
            lines = [line + " " for line in server.log.splitlines() if "counters" in line]
            server.process.send_signal(signal.SIGUSR1)
            return all(part in lines[-1] for part in ("delivered=1 ", "bytes_sent=1000 ", "open_transfers=0 "))
        server.wait_until(counted, what="the counters of one transfer")


def test_root_is_given_up_after_the_ports_are_bound_and_before_plugins_load():
    if os.getuid() != 0:
        raise Skip("giving up root needs root")
    with Tree() as tree, Namespace() as namespace:
        tree.file("open", b"open")
        tree.file("secret", b"secret")
        (tree.root / "secret").chmod(0o600)
        config = tree.config(user="nobody", listen=["127.0.0.1:69"],
                             instances=[files(tree, require_world_readable="never")])
        with Server(listen=(), arguments=["--config", config], namespace=namespace) as server:
            server.wait_log("listening")
            status = open(f"/proc/{server.process.pid}/status", encoding="ascii").read()
            fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            assert "0" not in fields["Uid"].split() and "0" not in fields["Gid"].split(), fields
            assert fields["Groups"].strip() == "" and int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0, fields

            def ask():
                assert fetch(("127.0.0.1", 69), "open").content == b"open"
                with Client(("127.0.0.1", 69)) as client:
                    client.rrq("secret")
                    client.expect_error(2)
            namespace.call(ask)


def test_a_user_that_is_not_there_is_named():
    with Tree() as tree:
        config = tree.config(user="no-such-user", instances=[files(tree)])
        done = run([tftplib.binary(), "serve", "--config", config, "--listen", "127.0.0.1:0"], check=False)
        assert done.returncode == 1 and "no-such-user" in done.stderr, done


def test_nothing_forks_while_requests_are_served():
    with Tree() as tree:
        tree.file("x", 100_000)
        plugins = [str(sample_plugin(name)) for name in ("stream", "pipe", "pending", "memory")]
        instances = [{"name": name, "plugin": name} for name in ("memory", "pending", "stream")] + [files(tree)]
        with configured(tree, plugins=plugins, instances=instances) as server:
            before = waited_for(server)
            for name in ("x", "pattern/9000", "after/5", "at-once"):
                fetch(server.address, name)
            server.process.send_signal(signal.SIGUSR1)
            server.wait_log("counters")
            assert waited_for(server) == before, "a child process was waited for"
            assert children(server) == [], "there are child processes"


def waited_for(server):
    """Page faults of children that ended: grows with every child that was waited for."""
    fields = open(f"/proc/{server.process.pid}/stat", encoding="ascii").read().rpartition(")")[2].split()
    return int(fields[8]), int(fields[10])


def children(server):
    found = []
    for task in os.listdir(f"/proc/{server.process.pid}/task"):
        with contextlib.suppress(OSError):
            found += open(f"/proc/{server.process.pid}/task/{task}/children", encoding="ascii").read().split()
    return found


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def limited(tree, **limits):
    tree.file("x", 5000)
    return configured(tree, limits=limits, instances=[files(tree)])


def is_refused(server, client, words):
    """`client` reads these words in an ERROR, and they are in the log."""
    client.rrq("x")
    assert words in client.expect_error(0).text
    server.wait_log(words)


def test_too_many_transfers_are_refused_and_service_goes_on():
    with Tree() as tree, limited(tree, transfers=2) as server:
        with Client(server.address) as one, Client(server.address, local=("127.0.0.2", 0)) as two, \
                Client(server.address, local=("127.0.0.3", 0)) as three:
            begin(one, "x")
            begin(two, "x")
            is_refused(server, three, "as many transfers as it may have")
            one.error(0, "stop")
            server.wait_log("stop")
            begin(three, "x")
            two.error(0)
            three.error(0)


def test_too_many_transfers_of_one_client_leave_room_for_others():
    with Tree() as tree, limited(tree, transfers_per_client=1) as server:
        with Client(server.address) as one, Client(server.address) as again:
            begin(one, "x")
            is_refused(server, again, "too many transfers from your address")
            assert len(fetch(server.address, "x", local=("127.0.0.2", 0)).content) == 5000
            one.error(0)


def test_too_much_buffer_memory_is_refused_and_given_back():
    with Tree() as tree:
        tree.file("x", 2_000_000)
        with configured(tree, limits={"buffer_memory": "1MiB"}, instances=[files(tree)]) as server, \
                Client(server.address) as one, Client(server.address) as two:
            large = [("blksize", "16384"), ("windowsize", "48")]  # 48 x 16 KiB
            one.rrq("x", large)
            one.expect_oack(large)
            two.rrq("x", large)
            assert "memory" in two.expect_error(0).text
            one.error(0, "enough")
            server.wait_log("enough")
            assert len(fetch(server.address, "x", large).content) == 2_000_000


def test_too_many_requests_of_one_client_are_refused_and_others_served():
    with Tree() as tree, limited(tree, requests_per_second_per_client=1, request_burst_per_client=3) as server:
        texts = []
        for _ in range(6):
            with Client(server.address) as client:
                client.rrq("missing")
                texts.append(client.expect_error().text)
        assert "too many requests" in texts[-1] or "too many requests" in texts[-2], texts
        assert "too many" not in texts[0], texts
        assert len(fetch(server.address, "x", local=("127.0.0.2", 0)).content) == 5000


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
