#!/usr/bin/python3
"""The plugin pxe in the real server: boot loaders' requests with their answers, one-shot boots with aborted transfers, an
inventory that changes under running transfers, and what the README promises."""
import json
import pathlib
import re
import sys
import time

import tftplib
from tftplib import Client, Failed, Namespace, Server, Skip, Tree, at_once, connect, fetch, run

TOP = pathlib.Path(__file__).resolve().parents[2]
README = (TOP / "plugins/pxe/README.md").read_text(encoding="utf-8")
PXELINUX = (("tsize", "0"), ("blksize", "1408"))
U_BOOT = (("timeout", "5"), ("blksize", "1468"))
WEB1, DB9 = "52:54:00:ab:cd:01", "52:54:00:00:00:09"
DB9_NAME = "pxelinux.cfg/01-52-54-00-00-00-09"

sys.path.insert(0, str(TOP / "tests/support"))
from settings_table import has_sanitizer, schema_of, table_faults  # pylint: disable=wrong-import-position


def block(kind, holds):
    """The one code block of the README of this kind that holds these words."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.S | re.M)
    found = [text for its_kind, text in blocks if its_kind == kind and holds in text]
    if len(found) != 1:
        raise Failed(f"{len(found)} blocks {kind!r} with {holds!r} are in the README")
    return found[0]


def plugin():
    return pathlib.Path(tftplib.binary()).resolve().parents[1] / "plugins/pxe.so"


class Example:
    """The README's example in a directory, its configuration and inventory changed as told, and its server."""

    def __init__(self, inventory=None, settings=None, **server):
        self.tree = Tree()
        self.inventory = json.loads(block("json", '"profiles"')) if inventory is None else inventory
        self.settings, self.server_arguments = settings or {}, server

    def __enter__(self):
        tree = self.tree.__enter__()
        config = json.loads(block("json", '"instances"'))
        config["instances"][0]["settings"] |= self.settings
        (tree.base / "files").mkdir()
        (tree.base / "state").mkdir(mode=0o777)
        self.write("inventory.json", self.inventory)
        path = tree.base / "tftpkit.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        self.server = Server(arguments=["--config", path], **self.server_arguments)
        try:
            self.server.__enter__()
        except BaseException:
            tree.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.server.__exit__()
        self.tree.__exit__()

    def write(self, name, value):
        """Puts a file in place by renaming, as configuration management does."""
        text = value if isinstance(value, str) else json.dumps(value)
        beside = self.tree.path(name + ".tmp")
        beside.write_text(text, encoding="utf-8")
        beside.rename(self.tree.path(name))

    def get(self, name, options=PXELINUX, local="127.0.0.1"):
        return fetch(self.server.address, name, options, local=(local, 0)).content.decode()

    def misses(self, name, local="127.0.0.1", code=1):
        with Client(self.server.address, local=(local, 0)) as client:
            client.rrq(name, PXELINUX)
            return client.expect_error(code)


def loopback(inventory):
    """The worked example with the networks of the loopback interface, so that one machine can ask as all."""
    inventory["groups"]["rack7"]["networks"] = ["127.77.8.0/24"]
    return inventory


def is_web1(text):
    return "debian12/linux" in text and "debian12/initrd.gz" in text and "console=ttyS0" in text


def test_the_example_requests_have_the_example_answers():
    with Example(loopback(json.loads(block("json", '"profiles"')))) as example:
        for name in ("pxelinux.cfg/01-52-54-00-ab-cd-01", "pxelinux.cfg/01-52-54-00-AB-CD-01",
                     "/pxelinux.cfg//01-52-54-00-ab-cd-01", "pxelinux.cfg/12345678-9ABC-DEF0-1122-334455667788"):
            text = example.get(name)
            assert is_web1(text) and "KERNEL ::debian12/linux" in text, text
        example.misses("pxelinux.cfg/01-52-54-00-ff-ff-ff")
        assert "::rescue/vmlinuz" in example.get("pxelinux.cfg/7F4D0810", local="127.77.8.16")
        example.misses("pxelinux.cfg/7F4D0")
        assert "::rescue/vmlinuz" in example.get("pxelinux.cfg/default", local="127.77.8.16")
        for name in ("pxelinux.cfg/default", "sub/dir/pxelinux.cfg/default", "\\sub\\pxelinux.cfg\\default"):
            assert "MENU TITLE What to start" in example.get(name), name
        text = example.get("/gnet/grub.cfg-01-52-54-00-ab-cd-01", (("blksize", "1024"), ("tsize", "0")))
        assert is_web1(text) and "menuentry 'Debian 12'" in text, text
        text = example.get("ipxe/52-54-00-ab-cd-01.ipxe", (("blksize", "1432"), ("tsize", "0")))
        assert is_web1(text) and text.startswith("#!ipxe\n"), text
        text = example.get("boot.ipxe")
        assert text.index("${net0/mac") < text.index("${uuid}") < text.index("default.ipxe"), text
        assert "\ndefault local\n" in example.get("pxelinux.cfg/default-arm-bcm283x", U_BOOT)
        example.misses("pxelinux.cfg/../../../etc/passwd", code=2)
        example.tree.path("files/other").write_bytes(b"by the plugin file")
        assert example.get("other") == "by the plugin file"


def test_a_search_of_a_dozen_names_is_declined_fast_until_one_fits():
    with Example() as example:
        names = ["12345678-0000-0000-0000-000000000000", "01-52-54-00-ff-ff-ff"]
        names += ["0A4D0032"[:length] for length in range(8, 0, -1)]
        began = time.monotonic()
        for name in names:
            example.misses("pxelinux.cfg/" + name)
        print(f"         {len(names)} misses in {(time.monotonic() - began) * 1000:.0f} ms")
        assert "What to start" in example.get("pxelinux.cfg/default")


def abort(example):
    """EDK2's manner: the terms are agreed, then the client leaves."""
    with Client(example.server.address) as client:
        client.rrq(DB9_NAME, PXELINUX)
        packet = client.receive()
        assert packet.op == tftplib.OACK
        client.error(8, "User aborted the transfer")


def abort_inside(example):
    """A client that vanishes in the middle of the file."""
    with Client(example.server.address) as client:
        client.rrq(DB9_NAME, [("blksize", "8")])
        client.expect_oack([("blksize", "8")])
        client.ack(0)
        client.expect_data(1)
        client.error(0, "closed")


def test_a_one_shot_is_used_up_only_by_a_transfer_that_ended_well_and_stays_so_after_a_restart():
    with Example() as example:
        abort(example)
        abort_inside(example)
        example.server.wait_counter("transfers_started", 2)
        assert "Install Debian 12" in example.get(DB9_NAME)
        example.server.wait_log("is used up")
        assert "LOCALBOOT 0" in example.get(DB9_NAME)
        state = example.tree.path("state/pxe.json")
        example.server.wait_until(state.exists)
        kept = state.read_text(encoding="utf-8")
        assert json.loads(kept)["used"]["db9"]["profile"] == "install", kept
    with Example() as example:
        example.server.stop()
        example.tree.path("state/pxe.json").write_text(kept, encoding="utf-8")
        with Server(arguments=["--config", example.tree.path("tftpkit.json")]) as server:
            assert b"LOCALBOOT 0" in fetch(server.address, DB9_NAME, PXELINUX).content


def test_pxelinux_and_its_menu_read_the_same_one_shot():
    with Example() as example:
        first = example.get(DB9_NAME)
        example.server.wait_log("is used up")
        example.misses("menu.c32")
        assert example.get(DB9_NAME) == first and "Install" in first
        assert "LOCALBOOT 0" in example.get(DB9_NAME)


def test_an_inventory_that_changes_does_not_touch_running_transfers_and_a_mistake_keeps_the_old():
    with Example() as example, Client(example.server.address) as client:
        name = "pxelinux.cfg/01-52-54-00-ab-cd-01"
        old = example.get(name)
        client.rrq(name, [("blksize", "8")])
        client.expect_oack([("blksize", "8")])
        client.ack(0)
        client.expect_data(1, old[:8].encode())
        example.inventory["machines"]["web1"]["profile"] = "recsue"
        example.write("inventory.json", example.inventory)
        example.server.wait_log('/machines/web1/profile: no profile is called \\"recsue\\"; did you mean \\"rescue\\"?')
        assert example.get(name) == old
        example.inventory["machines"]["web1"]["profile"] = "rescue"
        example.write("inventory.json", example.inventory)
        example.server.wait_until(lambda: example.server.log.count("2 machines") >= 2)
        assert "::rescue/vmlinuz" in example.get(name)
        client.ack(1)
        assert client.read_on(8, block=2) == old[8:].encode(), "the running transfer changed its text"


def test_many_clients_get_their_own_menus_while_the_inventory_is_replaced_all_the_time():
    inventory = {"profiles": {"p": {"kernel": "k", "args": "me={{name}}"}}, "machines": {
        f"m{i}": {"mac": f"52:54:00:00:{i // 256:02x}:{i % 256:02x}", "profile": "p"} for i in range(200)}}
    with Example(inventory) as example:
        done = []

        def ask(first):
            for i in range(first, 200, 4):
                text = example.get(f"pxelinux.cfg/01-52-54-00-00-{i // 256:02x}-{i % 256:02x}")
                assert f"me=m{i}" in text, text
                done.append(i)

        def replace():
            while len(done) < 200:
                example.write("inventory.json", inventory)
                time.sleep(0.02)

        at_once(*(lambda first=first: ask(first) for first in range(4)), replace)


def test_loaders_go_by_the_options_of_uefi():
    with Example() as example:
        example.tree.path("files/x64").mkdir()
        example.tree.path("files/x64/shimx64.efi").write_bytes(b"shim")
        assert example.get("netboot", (("blksize", "1468"), ("windowsize", "4"))) == "shim"
        example.misses("netboot")


def test_a_neighbour_is_known_by_its_mac_and_by_its_lease():
    tftplib.need("ip")
    with Namespace() as server, Namespace() as client:
        connect(server, client, ["10.77.0.1/24"], ["10.77.0.50/24"])
        client.ip("link", "set", "veth0", "address", WEB1)
        with Example(listen=["10.77.0.1:69"], namespace=server):
            text = client.call(lambda: fetch(("10.77.0.1", 69), "/grub/grub.cfg").content.decode())
            assert is_web1(text) and "menuentry" in text, text
        with Tree() as leases:
            file = leases.path("leases")
            file.write_text(f"4000000000 {WEB1} 127.0.0.1 * *\n", encoding="utf-8")
            with Example(settings={"leases": [{"file": str(file)}]}) as example:
                assert is_web1(example.get("/grub/grub.cfg"))
                file.write_text("", encoding="utf-8")
                end = time.monotonic() + tftplib.tests.TIME_LIMIT
                while is_web1(example.get("/grub/grub.cfg")):
                    assert time.monotonic() < end, "the lease was not forgotten"
                    time.sleep(0.05)


def fetched(tree, name, *, check=True, inventory="inventory.json"):
    settings = json.dumps({"inventory": inventory, "state": "pxe.json"})
    return run([tftplib.binary(), "plugins", "fetch", plugin(), name, "--set", settings], cwd=tree.base, check=check)


def test_the_readme_shows_what_fetch_prints_for_a_mac_without_a_network():
    with Tree() as tree:
        tree.path("inventory.json").write_text(block("json", '"profiles"'), encoding="utf-8")
        assert fetched(tree, "pxelinux.cfg/01-52-54-00-ab-cd-01").stdout == block("", "SERIAL 0 115200")
        assert "Install Debian 12" in fetched(tree, DB9_NAME).stdout
        assert "Install Debian 12" in fetched(tree, DB9_NAME).stdout, "showing it used it up"
        assert "REDIRECT" not in fetched(tree, "netboot", check=False).stdout


def test_mistakes_stop_the_start_and_all_are_listed():
    with Tree() as tree:
        tree.path("bad.json").write_text('{"machines": {"a": {"mac": "1"}, "b": {"ip": "x"}}, "profils": {}}', encoding="utf-8")
        done = fetched(tree, "x", check=False, inventory="bad.json")
        assert done.returncode == 1
        for part in ("bad.json: /machines/a/mac", "bad.json: /machines/b/ip", 'did you mean \\"profiles\\"?'):
            assert part in done.stderr, done.stderr


def test_the_readme_names_every_setting_as_the_schema_does():
    if has_sanitizer(plugin()):
        raise Skip("python cannot load what a sanitizer was built into")
    faults = table_faults(schema_of(str(plugin())), README)
    assert not faults, "\n".join(faults)


def test_the_settings_for_dnsmasq_are_accepted_by_dnsmasq():
    tftplib.need("dnsmasq")
    checked("dnsmasq", ["dnsmasq", "--test", "--conf-file=FILE"])


def test_the_settings_for_kea_are_accepted_by_kea():
    tftplib.need("kea-dhcp4")
    checked("kea", ["kea-dhcp4", "-t", "FILE"])


def test_the_settings_for_isc_dhcpd_are_accepted_by_dhcpd():
    tftplib.need("dhcpd")
    checked("dhcpd", ["dhcpd", "-t", "-cf", "FILE"])


def checked(kind, command):
    """Gives the README's block of this kind to a DHCP server's own check."""
    with Tree() as tree:
        file = tree.path("settings")
        file.write_text(block(kind, "10.77.0.1"), encoding="utf-8")
        tool = tftplib.tests.which(command[0])
        if tool is None:
            raise Skip(f"missing {command[0]}")
        run([tool, *(part.replace("FILE", str(file)) for part in command[1:])])


if __name__ == "__main__":
    tftplib.binary()
    if not plugin().exists():
        print(f"skipped: the plugin is not built ({plugin()})")
        sys.exit(tftplib.tests.SKIP)
    tftplib.main(globals())
