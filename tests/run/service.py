#!/usr/bin/python3
"""As a service: sockets that somebody else has bound, what the manager of services is told, and the units for systemd.
The manager is this test; the protocols are those of sd_listen_fds(3) and sd_notify(3)."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile

import tftplib
from tftplib import ERROR, Client, Failed, Server, Tree, fetch, need, run, sample_plugin

SOURCE = pathlib.Path(__file__).resolve().parents[2]


class Manager:
    """Hears what a service says to $NOTIFY_SOCKET."""

    def __init__(self, abstract=False):
        self._folder = tempfile.TemporaryDirectory(prefix="tftpkit-notify-")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = os.path.join(self._folder.name, "notify")
        self.socket.bind("\0" + name if abstract else name)
        self.environment = {"NOTIFY_SOCKET": "@" + name if abstract else name}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self._folder.cleanup()

    def next(self, seconds=tftplib.TIME_LIMIT):
        """The next message as a dictionary, but for signs of life; None when none comes."""
        while (told := self.any(seconds)) == {"WATCHDOG": "1"}:
            pass
        return told

    def any(self, seconds=tftplib.TIME_LIMIT):
        self.socket.settimeout(seconds)
        try:
            lines = self.socket.recv(4096).decode().splitlines()
        except TimeoutError:
            return None
        return dict(line.split("=", 1) for line in lines)


def bound(address="127.0.0.1", port=0, share=False):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if share:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((address, port))
    return made


def refusal(*sockets):
    """What the server says when it does not begin with these."""
    with Tree() as tree:
        try:
            with Server(tree.root, listen=(), handed_over=sockets):
                raise AssertionError("the server took what it was given")
        except Failed as failed:
            return str(failed)


def files(tree):
    return {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}


def test_a_request_that_came_before_the_server_is_answered_from_the_socket_that_was_handed_over():
    with Tree() as tree, bound() as ours:
        content = tree.file("early", 700)
        with Client(ours.getsockname()) as client:
            client.rrq("early")
            with Server(tree.root, listen=(), handed_over=[ours]) as server:
                assert server.address == ours.getsockname(), server.addresses
                assert client.expect_data(1).data == content[:512]
                client.error(0)
                assert fetch(server.address, "early").content == content


def test_several_sockets_of_one_address_are_read_by_so_many_workers():
    with Tree() as tree, bound(share=True) as first:
        port = first.getsockname()[1]
        with bound(port=port, share=True) as second, bound(port=port, share=True) as third:
            content = tree.file("x", 600)
            with Server(tree.root, listen=(), handed_over=[first, second, third], arguments=["--workers", "1"],
                        expect=1) as server:
                server.wait_log("workers=3")
                for _ in range(40):  # the kernel spreads clients over the sockets: none of them is deaf
                    assert fetch(server.address, "x").content == content


def test_one_socket_is_joined_by_more_where_this_user_may():
    with Tree() as tree, bound() as ours:
        content = tree.file("x", 600)
        with Server(tree.root, listen=(), handed_over=[ours], arguments=["--workers", "3"]) as server:
            server.wait_log("workers=3")
            for _ in range(20):
                assert fetch(server.address, "x").content == content


def test_sockets_for_both_families_keep_the_address_that_was_asked():
    with Tree() as tree, bound("0.0.0.0") as four:
        content = tree.file("x", 600)
        with bound("::", four.getsockname()[1]) as six:
            with Server(tree.root, listen=(), handed_over=[four, six]):
                for address in ("127.0.0.1", "127.0.0.2", "::1"):
                    with Client((address, four.getsockname()[1])) as client:
                        client.rrq("x")
                        assert client.expect_data(1).data == content[:512]
                        assert client.peer[0] == address, client.peer
                        client.error(0)


def test_what_cannot_be_served_says_why():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
        assert "no UDP socket; write ListenDatagram=" in refusal(stream)
    with open(os.devnull, "rb") as file:
        assert "is no socket" in refusal(file)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as loose:
        assert "not bound to a port" in refusal(loose)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as both:
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        both.bind(("::", 0))
        assert "takes IPv4 too; write BindIPv6Only=ipv6-only" in refusal(both)


def test_descriptors_for_another_process_are_left_alone():
    with Tree() as tree:
        content = tree.file("x", 100)
        with Server(tree.root, environment={"LISTEN_PID": "1", "LISTEN_FDS": "1"}) as server:
            assert fetch(server.address, "x").content == content


def test_the_manager_hears_of_start_reload_failed_reload_and_end():
    for abstract in (False, True):
        with Tree() as tree, Manager(abstract) as manager:
            config = tree.config(instances=[files(tree)])
            with Server(arguments=["--config", config], environment=manager.environment) as server:
                assert manager.next() == {"READY": "1", "STATUS": "serving"}
                server.reload()
                reloading = manager.next()
                assert reloading["RELOADING"] == "1" and int(reloading["MONOTONIC_USEC"]) > 0, reloading
                assert manager.next() == {"READY": "1", "STATUS": "serving"}
                config.write_text("{", encoding="utf-8")
                server.reload()
                assert manager.next()["RELOADING"] == "1"
                assert manager.next() == {"READY": "1", "STATUS": "serving, the last reload failed"}
                server.process.send_signal(signal.SIGTERM)
                assert manager.next()["STOPPING"] == "1"


def test_nothing_is_ready_that_did_not_begin():
    with Tree() as tree, Manager() as manager:
        config = tree.config(instances=[{"name": "x", "plugin": "nowhere"}])
        try:
            with Server(arguments=["--config", config], environment=manager.environment):
                raise AssertionError("it began")
        except Failed:
            assert manager.any(0.2) is None


def test_a_manager_that_is_not_there_ends_the_start_with_its_name():
    with Tree() as tree:
        for place, words in (("relative", "neither an absolute path nor"), ("/nowhere/notify", "nobody listens there")):
            try:
                with Server(tree.root, environment={"NOTIFY_SOCKET": place}):
                    raise AssertionError("it began")
            except Failed as failed:
                assert "NOTIFY_SOCKET" in str(failed) and words in str(failed), failed


def test_signs_of_life_come_in_time_and_stop_while_a_loop_hangs():
    with Tree() as tree, Manager() as manager:
        patience = 0.6
        config = tree.config(plugins=[str(sample_plugin("pending"))], workers=2,
                             instances=[{"name": "pending", "plugin": "pending"}])
        environment = {**manager.environment, "WATCHDOG_USEC": str(int(patience * 1e6))}
        with Server(arguments=["--config", config], environment=environment) as server:
            assert manager.next()["READY"] == "1"
            for _ in range(4):
                assert manager.any() == {"WATCHDOG": "1"}
            with Client(server.address) as client:
                client.rrq("block/3000")  # on the loop itself
                signs = 0
                while client.poll(0) is None:  # the answer: the loop turns again
                    signs += manager.any(0.05) is not None
                assert signs <= 2, f"{signs} signs of life of a server with a loop that hung for 3 s"
            assert manager.any() == {"WATCHDOG": "1"}


def test_without_a_watchdog_for_this_process_there_are_no_signs_of_life():
    with Tree() as tree:
        for more in ({}, {"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "1"}):
            with Manager() as manager, Server(tree.root, environment={**manager.environment, **more}):
                assert manager.any()["READY"] == "1"
                assert manager.any(0.3) is None


def test_processes_of_plugins_inherit_nothing_of_it():
    with Tree() as tree, Manager() as manager, bound() as ours:
        config = tree.config(plugins=[str(sample_plugin("misbehaves"))],
                             instances=[{"name": "guest", "plugin": "misbehaves", "isolation": "process"}])
        with Server(listen=(), handed_over=[ours], arguments=["--config", config],
                    environment={**manager.environment, "WATCHDOG_USEC": "10000000"}) as server:
            pid = int(fetch(server.address, "pid").content)
            with open(f"/proc/{pid}/environ", encoding="utf-8", errors="replace") as file:
                environment = file.read()
            for name in ("LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_USEC"):
                assert name + "=" not in environment, environment


def units(folder):
    """The units as they are installed, with a binary that is there."""
    for name in ("tftpkit.service.in", "tftpkit.socket"):
        text = (SOURCE / "tools/packaging" / name).read_text(encoding="utf-8")
        text = text.replace("@bindir@/tftpkit", tftplib.binary())
        pathlib.Path(folder, name.removesuffix(".in")).write_text(text, encoding="utf-8")
    return [os.path.join(folder, name) for name in ("tftpkit.service", "tftpkit.socket")]


def test_systemd_accepts_the_units():
    need("systemd-analyze")
    with tempfile.TemporaryDirectory(prefix="tftpkit-units-") as folder:
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units(folder)], capture_output=True, text=True,
                              check=False)
        said = [line for line in (done.stdout + done.stderr).splitlines() if "tftpkit" in line]
        assert done.returncode == 0 and not said, done.stdout + done.stderr


def test_systemd_rates_the_service_as_well_confined():
    need("systemd-analyze")
    with tempfile.TemporaryDirectory(prefix="tftpkit-units-") as folder:
        service, _ = units(folder)
        done = run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", service])
        figure = re.search(r"Overall exposure level for tftpkit.service: ([0-9.]+)", done.stdout)
        assert figure and float(figure.group(1)) <= 2.0, done.stdout
        print(f"         exposure {figure.group(1)} of 10")


def test_the_options_of_the_unit_are_options_of_the_binary():
    with tempfile.TemporaryDirectory(prefix="tftpkit-units-") as folder:
        service = pathlib.Path(units(folder)[0]).read_text(encoding="utf-8")
    for line in re.findall(r"^Exec\w+=\S+ (.*)$", service, re.MULTILINE):
        command, *options = line.split()
        helped = run([tftplib.binary(), command, "--help"]).stdout
        for option in (word for word in options if word.startswith("--")):
            assert option in helped, f"{command} has no {option}"


if __name__ == "__main__":
    tftplib.main(globals(), side_by_side=2)
