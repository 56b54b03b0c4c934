#!/usr/bin/python3
"""Who may ask, and how much: allow and deny lists, limits for networks; and how many bytes an address gets that never answers."""
import json
import time

import tftplib
from tftplib import ERROR, RRQ, WRQ, Client, Server, Tree, eventually, fetch, request


def serving(tree, **members):
    tree.file("x", 50_000)
    files = {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}
    return Server(listen=("0.0.0.0:0",), arguments=["--config", tree.config(instances=[files], **members)])


def place(server, host="127.0.0.1"):
    return (host, server.port)


def served(server, host):
    return len(fetch(place(server), "x", local=(host, 0)).content) == 50_000


def unheard(server, *hosts):
    """Everything that can be asked, from each host, and no packet comes back: not even when another client is served meanwhile."""
    clients = [Client(place(server), local=(host, 0)) for host in hosts]
    for client in clients:
        for raw in (request("x"), request("missing"), request("x", op=WRQ), request("x", [("blksize", "9")]), b"\0\1x", b"\0\1",
                    request("../../etc/passwd"), request("x" * 600), tftplib.ack(1)):
            client.send(raw, place(server))
    assert served(server, "127.0.9.9")
    for client in clients:
        assert client.drain(0.2) == [], "an answer to a client that may not ask"
        client.socket.close()


def test_only_networks_of_the_allow_list_are_heard():
    with Tree() as tree, serving(tree, access={"allow": ["127.0.1.0/24", "127.0.9.9"]}) as server:
        unheard(server, "127.0.0.1", "127.0.2.1")
        assert served(server, "127.0.1.7")
        assert server.counters()["requests_denied"] == 18


def test_networks_of_the_deny_list_are_not_heard_also_when_they_are_allowed():
    with Tree() as tree, serving(tree, access={"allow": "127.0.0.0/8", "deny": ["127.0.2.0/24", "127.0.3.3"]}) as server:
        unheard(server, "127.0.2.1", "127.0.2.255", "127.0.3.3")
        assert served(server, "127.0.3.4") and served(server, "127.0.1.1")
        server.wait_log('denied peer=127.0.2.1')
        assert 'why="127.0.2.0/24 of /access/deny"' in server.log, server.log


def test_a_denied_client_hears_nothing_from_a_transfer_port_either():
    with Tree() as tree, serving(tree, access={"deny": "127.0.2.0/24"}) as server, Client(place(server)) as client, \
            Client(place(server), local=("127.0.2.1", 0)) as denied, Client(place(server), local=("127.0.3.1", 0)) as stranger:
        client.rrq("x")
        client.expect_data(1)
        stranger.send(tftplib.ack(1), client.peer)
        stranger.expect_error(5)
        denied.send(tftplib.ack(1), client.peer)
        client.ack(1)
        client.read_on(block=2)
        assert denied.drain(0.2) == []


def test_a_reload_changes_who_may_ask_and_lets_transfers_end():
    with Tree() as tree, serving(tree) as server, Client(place(server), local=("127.0.2.1", 0)) as client:
        client.rrq("x")
        client.expect_data(1)
        config = json.loads(tree.path("config.json").read_text())
        tree.config(**config, access={"deny": "127.0.2.0/24"})
        server.reload()
        server.wait_log("reloaded")
        client.ack(1)
        assert len(client.read_on(block=2)) == 50_000 - 512
        unheard(server, "127.0.2.1", "127.0.2.2")


def test_explain_and_traces_show_who_may_ask():
    with Tree() as tree:
        members = {"access": {"allow": "127.0.0.0/8", "deny": "127.0.2.0/24"}, "trace": {}}
        with serving(tree, **members) as server:
            assert served(server, "127.0.1.1")
            server.wait_log("step=access subject=127.0.1.1 outcome=allowed")
        def explain(peer, *more):
            return tftplib.run([tftplib.binary(), "explain", "--config", tree.path("config.json"), "--peer", peer, "x", *more],
                               check=False)
        told = explain("127.0.2.1")
        assert told.returncode == 1 and "access   127.0.2.1: denied (127.0.2.0/24 of /access/deny)" in told.stdout, told
        assert "hears nothing" in told.stdout and "ERROR" not in told.stdout, told.stdout
        told = json.loads(explain("10.1.1.1", "--json").stdout)
        assert told["answered"] is False and told["why"] == "in no network of /access/allow", told
        told = explain("127.0.1.1")
        assert told.returncode == 0 and "access   127.0.1.1: allowed (127.0.0.0/8 of /access/allow)" in told.stdout, told


def test_check_names_mistakes_in_access_and_network_limits():
    with Tree() as tree:
        path = tree.config(access={"deny": "127.0.2.1/24"}, limits={"per_network": [{"prefix_v6": 129, "transfers": 1}]})
        done = tftplib.run([tftplib.binary(), "check", path], check=False)
        assert done.returncode == 1, done
        assert "/access/deny" in done.stderr + done.stdout and "127.0.2.0/24" in done.stderr + done.stdout, done
        assert "/limits/per_network/0/prefix_v6: 129 is out of range" in done.stderr + done.stdout, done


def refusal(server, host):
    with Client(place(server), local=(host, 0)) as client:
        client.rrq("missing")
        return client.expect_error().text


def test_requests_of_a_network_are_limited_together_and_others_are_served():
    limits = {"per_network": [{"prefix_v4": 24, "requests_per_second": 1, "request_burst": 5}]}
    with Tree() as tree, serving(tree, limits=limits) as server:
        texts = [refusal(server, f"127.0.2.{last}") for last in range(1, 10)]
        assert "too many requests from your network, try again later" in texts[-3:], texts
        assert all("too many" not in text for text in texts[:5]), texts
        assert served(server, "127.0.3.1")
        server.wait_log("refused by a limit")


def test_transfers_of_a_network_are_limited_together():
    with Tree() as tree, serving(tree, limits={"per_network": [{"transfers": 2}]}) as server, \
            Client(place(server), local=("127.0.2.1", 0)) as one, Client(place(server), local=("127.0.2.2", 0)) as two:
        for client in (one, two):
            client.rrq("x")
            client.expect_data(1)
        assert refusal(server, "127.0.2.3") == "too many transfers from your network at once, try again later"
        assert served(server, "127.0.3.1")
        one.error(0)
        eventually(lambda: "too many" not in refusal(server, "127.0.2.3"), "room")
        two.error(0)


# What is sent once, and never followed by anything.
SHORT, LONG = "a", "a" * 480
OPTIONS = {"none": (), "blksize": (("blksize", "65464"),), "windowsize": (("windowsize", "64"),), "tsize": (("tsize", "0"),),
           "timeout": (("timeout", "1"),), "utimeout": (("utimeout", "10000"),), "rollover": (("rollover", "0"),),
           "all": (("blksize", "65464"), ("windowsize", "64"), ("tsize", "0"), ("timeout", "1")),
           "all, fast": (("blksize", "8"), ("windowsize", "65535"), ("tsize", "0"), ("utimeout", "10000")),
           "unknown": (("x" * 200, "y" * 200),), "many": tuple((f"o{i}", "1") for i in range(50))}
PROMISED_PACKETS = 3
PROMISED_BYTES = 516  # and where an option was agreed on, ten times what came


def test_an_address_that_never_answers_gets_three_packets_at_most_whatever_it_seems_to_ask():
    """Printed as a factor: bytes that come for each byte sent. With a file of one letter and no option that is RFC 1350's DATA 1
    for ten bytes; the factor with IP and UDP headers is in parentheses."""
    with Tree() as tree, Server(tree.root) as server:
        tree.file(SHORT, 100_000)
        tree.file(LONG[:200], 100_000)
        asked = {}
        for words, options in OPTIONS.items():
            for name in (SHORT, LONG[:200], "missing"):
                for op in (RRQ, WRQ):
                    for mode in ("octet", "netascii"):
                        client = Client(server.address)
                        raw = request(name, options, mode, op)
                        client.send(raw)
                        asked[client] = (words, name[:8], op, mode, raw, [])
        until = time.monotonic() + 7  # "timeout" is 1 s and the third interval of our own 2 s
        while time.monotonic() < until:
            for client, (*_, seen) in asked.items():
                while (packet := client.poll_raw()) is not None:
                    seen.append((packet[1], len(packet)))
            time.sleep(0.05)
        worst = {}
        for client, (words, name, op, mode, raw, seen) in asked.items():
            client.error(0)
            client.socket.close()
            assert 1 <= len(seen) <= PROMISED_PACKETS, f"{words} {name} {mode}: {len(seen)} packets"
            sizes = [size for _, size in seen]
            assert max(sizes) <= PROMISED_BYTES, f"{words} {name} {mode}: {max(sizes)} bytes at once"
            if op == WRQ or name == "missing":
                assert len(seen) == 1, f"{words} {name}: an ERROR came {len(seen)} times"
            factor = sum(sizes) / len(raw), (sum(sizes) + 28 * len(sizes)) / (len(raw) + 28)
            worst[words] = max(worst.get(words, (0, 0)), factor)
            if seen[0][0] != tftplib.DATA:
                assert factor[0] <= 10, f"{words} {name} {mode}: factor {factor[0]:.1f}"
        for words, (bare, whole) in worst.items():
            print(f"         options {words:11} factor at most {bare:6.1f} ({whole:4.1f} on the wire)")


def test_refusals_are_smaller_than_ten_times_the_smallest_request():
    limits = {"requests_per_second_per_client": 1, "request_burst_per_client": 1, "transfers": 1}
    with Tree() as tree, serving(tree, limits=limits) as server:
        smallest = len(request("x"))
        refused = 0
        for _ in range(50):
            with Client(place(server)) as client:
                client.rrq("x")
                packet = client.poll_raw(20)
                if packet[1] == ERROR:
                    refused += 1
                    assert len(packet) <= 10 * smallest, len(packet)
        assert refused >= 40, refused


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals(), side_by_side=4)
