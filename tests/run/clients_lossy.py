#!/usr/bin/python3
"""Real clients by a bad way: a fifth of all packets lost in each direction, the others late, twice and out of order. What a client
keeps is what was sent; one that gives up says so and is asked again, as a person would."""
import subprocess

import tftplib
from tftplib import COMMANDS, Failed, Relay, Server, Tree, at_once, fetch

WAY = {"to_server": 0.2, "to_client": 0.2, "twice": 0.05, "late": 0.1, "late_by": 0.02, "delay": 0.002}
ATTEMPTS = 4  # curl gives up after six losses in a row, tftp-hpa after five


def options_of(command):
    if "windowsize" in command.options:
        return (("blksize", "1024"), ("windowsize", "4"))
    return (("blksize", "1024"),) if "blksize" in command.options else ()


def test_every_client_ends_byte_identical_with_a_fifth_lost_both_ways():
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("lossy", 8_000)
        lost, attempts = {}, {}

        def through(command, seed):
            for attempt in range(ATTEMPTS):
                with Relay(server.address, seed=100 * attempt + seed, **WAY) as relay:
                    try:
                        got = command.fetch(relay.address, "lossy", tree.path(f"{command.name}{seed}"), options_of(command))
                    except (Failed, subprocess.TimeoutExpired):
                        continue
                    finally:
                        lost[command.name] = lost.get(command.name, 0) + relay.lost
                assert got == content, f"{command.name} kept {len(got)} bytes of {len(content)}, or others"
                attempts[command.name] = max(attempts.get(command.name, 0), attempt + 1)
                return
            raise Failed(f"{command.name} gave up {ATTEMPTS} times")

        at_once(*(lambda c=command, s=seed: through(c, s) for command in COMMANDS for seed in (2, 3)))
        for name, count in lost.items():
            print(f"         {name}: {count} packets lost, {attempts[name]} attempts at most")
            assert count > 2, f"{name} lost nothing: the test shows nothing"


def test_windows_come_through_a_fifth_lost_both_ways_at_the_first_attempt():
    with Tree() as tree, Server(tree.root) as server:
        content = tree.file("lossy", 30_000)

        def through(window):
            with Relay(server.address, seed=window, **WAY) as relay:
                options = [("blksize", "1024"), ("windowsize", str(window))]
                assert fetch(relay.address, "lossy", options, patience=0.5).content == content, window
        at_once(*(lambda w=window: through(w) for window in (1, 4, 16)))


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals(), side_by_side=2)
