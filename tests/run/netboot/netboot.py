#!/usr/bin/python3
"""Machines in QEMU boot over the network from tftpkit: ROM, boot loader, menu, kernel, initrd, until the initrd speaks.
In a namespace with a tap device of its own; dnsmasq hands out addresses and nothing else."""
import contextlib
import json
import pathlib
import secrets
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
import tftplib
from initrd import boot_file, initrd
from machine import MAC, SERVER, boot, dhcp, link
from tftplib import Server, Tree

# Less to do for a kernel whose processor is emulated; that they arrive is checked.
ARGUMENTS = ["console=ttyS0", "quiet", "nokaslr", "mitigations=off", "panic=1", "hostname=web1"]
DASHED = MAC.replace(":", "-")


class Boot:
    """One machine's boot: what it says at the end is checked; `asked` are the names that it fetched, in order."""

    def __init__(self, tree, boot_file_name, *for_qemu):
        self.token = secrets.token_hex(8)
        self.served = {"linux": tree.file("linux", boot_file("vmlinuz").read_bytes()),
                       "initrd": tree.file("initrd", initrd(self.token, tree.base))}
        arguments = ["--log-format", "json"]
        with contextlib.ExitStack() as stack:
            place, cable = stack.enter_context(link(tree.base))
            server = stack.enter_context(Server(tree.root, listen=[f"{SERVER}:69"], namespace=place, arguments=arguments))
            stack.enter_context(dhcp(place, boot_file_name, tree.base))
            booted = boot(place, cable, tree.base, *for_qemu)
            self.lines = [json.loads(line) for line in server.log.splitlines()]
            story = f"{booted.story}\n{server.log}"
        assert booted.token == self.token, story
        assert [word for word in booted.arguments if word in ARGUMENTS] == ARGUMENTS, story

    def check(self, *wanted):
        """These names were delivered in this order (others may lie between), the large ones whole."""
        got = [(line["file"], line["bytes"]) for line in self.lines if line["message"] == "delivered"]
        names = iter(got)
        for name in wanted:
            assert any(name == file.lstrip("/") for file, _ in names), f"{name} is missing or late in {got}"
        for name, content in self.served.items():
            assert any(name == file.lstrip("/") and size == len(content) for file, size in got), (name, got)


def test_a_bios_machine_boots_by_pxelinux_and_its_menu():
    with Tree() as tree:
        for name in ("pxelinux.0", "ldlinux.c32"):
            tree.file(name, boot_file(name).read_bytes())
        tree.file(f"pxelinux.cfg/01-{DASHED}", (
            "SERIAL 0 115200\nDEFAULT one\nLABEL one\n  LINUX ::linux\n  INITRD ::initrd\n"
            f"  APPEND {' '.join(ARGUMENTS)}\n").encode())
        Boot(tree, "pxelinux.0").check("pxelinux.0", "ldlinux.c32", f"pxelinux.cfg/01-{DASHED}", "linux", "initrd")


def test_a_bios_machine_boots_by_a_chain_of_ipxe_scripts():
    with Tree() as tree:
        tree.file("boot.ipxe", b"#!ipxe\nchain ipxe/${net0/mac:hexhyp}.ipxe\n")
        tree.file(f"ipxe/{DASHED}.ipxe", (
            f"#!ipxe\nkernel /linux {' '.join(ARGUMENTS)}\ninitrd /initrd\nboot\n").encode())
        Boot(tree, "boot.ipxe").check("boot.ipxe", f"ipxe/{DASHED}.ipxe", "linux", "initrd")


def test_a_uefi_machine_boots_by_the_signed_grub():
    with Tree() as tree:
        tree.file("grubnetx64.efi", boot_file("grubnetx64.efi").read_bytes())
        tree.file("grub/grub.cfg", (
            f"set timeout=0\nmenuentry one {{\n  linux /linux {' '.join(ARGUMENTS)}\n  initrd /initrd\n}}\n").encode())
        Boot(tree, "grubnetx64.efi", "-drive", f"if=pflash,format=raw,readonly=on,file={boot_file('OVMF_CODE.fd')}").check(
            "grubnetx64.efi", "grub/grub.cfg", "linux", "initrd")


if __name__ == "__main__":
    tftplib.binary()
    tftplib.main(globals())
