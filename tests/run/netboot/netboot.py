#!/usr/bin/python3
"""Machines in QEMU boot over the network from tftpkit: ROM, boot loader, the menu that the plugin pxe makes for this machine,
kernel, initrd, until the initrd speaks. In a namespace with a tap device; dnsmasq hands out addresses and nothing else."""
import contextlib
import json
import pathlib
import secrets
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
import tftplib
from initrd import boot_file, initrd
from machine import MAC, SERVER, boot, dhcp, link
from tftplib import TIME_LIMIT, Server, Tree, fetch

DASHED = MAC.replace(":", "-")
# Less to do for a kernel whose processor is emulated.
QUICK = ["quiet", "nokaslr", "mitigations=off", "panic=1"]
# What the menu says about this machine, and where only pxe can have it from.
ARGUMENTS = [*QUICK, "hostname=web1.example", f"mac={DASHED}", "role=a test", "console=ttyS0"]
INVENTORY = {
    "default": "local",
    "profiles": {
        "system": {"title": "The system", "kernel": "linux", "initrd": "initrd",
                   "args": [*QUICK, "hostname={{hostname}}", "mac={{mac_dashes}}", "role={{values.role}}"]},
        "local": {"title": "Boot from disk", "local": True},
        "choice": {"title": "What to start", "menu": ["local", "system"], "default": "system"}},
    "machines": {
        "web1": {"mac": MAC, "hostname": "web1.example", "values": {"role": "a test"}, "profile": "system",
                 "look": {"serial": "ttyS0", "timeout": "1s"}},
        "web2": {"mac": "52:54:00:ab:cd:02", "profile": "local"}}}


def inventory(**web1):
    """INVENTORY with other members for web1."""
    machines = INVENTORY["machines"]
    return {**INVENTORY, "machines": {**machines, "web1": {**machines["web1"], **web1}}}


class Boot:
    """One machine's boot by what `pxe` makes of an inventory; what the machine says at the end is checked. `then` is called
    after the boot, while the server still serves; `lines` are its log."""

    def __init__(self, tree, boot_file_name, machines, *for_qemu, then=lambda: None):
        token = secrets.token_hex(8)
        self.served = {"linux": tree.file("linux", boot_file("vmlinuz").read_bytes()),
                       "initrd": tree.file("initrd", initrd(token, tree.base))}
        (tree.base / "inventory.json").write_text(json.dumps(machines), encoding="utf-8")
        config = tree.config(instances=[
            {"name": "menus", "plugin": "pxe", "settings": {"inventory": str(tree.base / "inventory.json"),
                                                            "state": str(tree.base / "state.json")}},
            {"name": "files", "plugin": "file", "settings": {"root": str(tree.root)}}],
            routes=[{"to": ["menus", "files"]}])
        with contextlib.ExitStack() as stack:
            place, cable = stack.enter_context(link(tree.base))
            server = stack.enter_context(Server(None, listen=[f"{SERVER}:69"], namespace=place,
                                                arguments=["--config", config, "--log-format", "json"]))
            stack.enter_context(dhcp(place, boot_file_name, tree.base))
            booted = boot(place, cable, tree.base, *for_qemu)
            self.story = f"{booted.story}\n{server.log}"
            self.lines = [json.loads(line) for line in server.log.splitlines()]
            assert booted.token == token, self.story
            for word in ARGUMENTS:
                assert word in booted.arguments, f"{word}: {booted.arguments}\n{self.story}"
            place.call(then)

    def delivered(self, *wanted):
        """These names, each with the instance that answered, were delivered in this order; linux and initrd whole."""
        lines = [line for line in self.lines if line["message"] == "delivered"]
        got = iter(lines)
        for name, instance in wanted:
            assert any((name, instance) == (line["file"].lstrip("/"), line["instance"]) for line in got), \
                f"{name} of {instance} is missing or late\n{self.story}"
        for name, content in self.served.items():
            assert any(name == line["file"].lstrip("/") and line["bytes"] == len(content) for line in lines), self.story


def test_a_bios_machine_boots_by_pxelinux_and_its_menu_once():
    name = f"pxelinux.cfg/01-{DASHED}"

    def then():
        """The machine has booted once: from now on it boots from disk."""
        end = time.monotonic() + TIME_LIMIT
        while b"LOCALBOOT" not in (menu := fetch((SERVER, 69), name).content):
            assert time.monotonic() < end, menu
            time.sleep(0.5)

    with Tree() as tree:
        for loader in ("pxelinux.0", "ldlinux.c32", "menu.c32", "libutil.c32"):
            tree.file(loader, boot_file(loader).read_bytes())
        booted = Boot(tree, "pxelinux.0", inventory(profile="local", once="choice"), then=then)
        booted.delivered(("pxelinux.0", "files"), ("ldlinux.c32", "files"), (name, "menus"), ("menu.c32", "files"),
                         (name, "menus"), ("linux", "files"), ("initrd", "files"))


def test_a_bios_machine_boots_by_a_chain_of_ipxe_scripts():
    with Tree() as tree:
        Boot(tree, "boot.ipxe", INVENTORY).delivered(
            ("boot.ipxe", "menus"), (f"ipxe/{DASHED}.ipxe", "menus"), ("linux", "files"), ("initrd", "files"))


def test_a_uefi_machine_boots_by_the_signed_grub_and_is_known_by_its_card():
    # GRUB asks for /grub/grub.cfg like everybody: pxe knows the machine by the neighbour table.
    with Tree() as tree:
        tree.file("grubnetx64.efi", boot_file("grubnetx64.efi").read_bytes())
        booted = Boot(tree, "grubnetx64.efi", INVENTORY, "-global", "virtio-net-pci.romfile=",  # EDK2's own PXE, not iPXE
                      "-drive", f"if=pflash,format=raw,readonly=on,file={boot_file('OVMF_CODE.fd')}")
        booted.delivered(("grubnetx64.efi", "files"), ("grub/grub.cfg", "menus"), ("linux", "files"), ("initrd", "files"))
        assert any(line["message"] == "probed" and line["file"] == "grubnetx64.efi" for line in booted.lines), booted.story


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
