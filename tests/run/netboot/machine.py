"""A link with a DHCP server that knows nothing of TFTP, and a machine in QEMU that boots from it."""
import contextlib
import fcntl
import os
import pathlib
import re
import shlex
import signal
import stat
import struct
import subprocess
import time

from tftplib import Failed, Namespace, Skip, need, which

SERVER, MACHINE, MAC = "10.77.0.1", "10.77.0.50", "52:54:00:ab:cd:01"
UUID = "12345678-9abc-def0-1122-334455667788"
PATIENCE = 240  # seconds for a whole boot, ten times what it takes alone
TUN = pathlib.Path("/dev/net/tun")


@contextlib.contextmanager
def link(scratch):
    """A namespace, and in it the server's address on the tap device whose descriptor is the machine's cable."""
    with Namespace() as place:
        cable = place.call(lambda: _tap(_tun(scratch)))
        try:
            place.ip("address", "add", f"{SERVER}/24", "dev", "tap0")
            place.ip("link", "set", "tap0", "up")
            yield place, cable
        finally:
            os.close(cable)


def _tun(scratch):
    """The device that makes taps; a container may lack it and yet be allowed to have it."""
    if TUN.exists():
        return TUN
    own = scratch / "tun"
    try:
        os.mknod(own, stat.S_IFCHR | 0o600, os.makedev(10, 200))
    except OSError as reason:
        raise Skip(f"{TUN} is missing and cannot be made: {reason}") from reason
    return own


def _tap(tun):
    set_interface, tap_without_head = 0x400454ca, 0x1002  # TUNSETIFF; IFF_TAP | IFF_NO_PI
    descriptor = None
    try:
        descriptor = os.open(tun, os.O_RDWR)
        fcntl.ioctl(descriptor, set_interface, struct.pack("16sH22x", b"tap0", tap_without_head))
    except OSError as reason:
        if descriptor is not None:
            os.close(descriptor)
        raise Skip(f"no tap device can be made with {tun}: {reason}") from reason
    return descriptor


@contextlib.contextmanager
def _process(place, command, log, **more):
    """A process in the namespace that writes into the file `log`, ended at the end."""
    with open(log, "wb") as out:
        running = subprocess.Popen([*place.prefix, *map(str, command)], stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.STDOUT, **more)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def dhcp(place, boot_file_name, scratch):
    """dnsmasq for addresses and the name of the boot file alone: no DNS, no TFTP. Its log is `dhcp.log`."""
    need("dnsmasq")
    return _process(place, [
        which("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root",
        "--log-facility=-", "--no-ping", "--dhcp-authoritative", "--bind-interfaces", "--interface=tap0",
        "--except-interface=lo", f"--pid-file={scratch / 'dhcp.pid'}", f"--dhcp-leasefile={scratch / 'leases'}",
        f"--dhcp-range={MACHINE},{MACHINE},1h", f"--dhcp-host={MAC},{MACHINE}",
        "--dhcp-option=encap:175,176,1b",  # iPXE: wait for no other DHCP server
        f"--dhcp-boot={boot_file_name},,{SERVER}"], scratch / "dhcp.log")


def boot(place, cable, scratch, *more):
    """Boots a machine from the network and returns what it said until it restarts. `more`: for QEMU."""
    need("qemu-system-x86_64")
    serial, said = scratch / "serial", scratch / "qemu.log"
    command = ["qemu-system-x86_64", "-accel", "tcg", "-m", "384", "-uuid", UUID, "-nographic", "-monitor", "none",
               "-serial", f"file:{serial}", "-no-reboot", "-boot", "reboot-timeout=1",
               "-netdev", f"tap,id=net,fd={cable}", "-device", f"virtio-net-pci,netdev=net,mac={MAC},bootindex=1", *more]
    began = time.monotonic()
    with _process(place, command, said, pass_fds=[cable]) as machine:
        try:
            machine.wait(PATIENCE)
            end = f"ended after {time.monotonic() - began:.0f} s"
        except subprocess.TimeoutExpired:
            end = f"was not done after {PATIENCE} s"
    console = serial.read_text(errors="replace") if serial.exists() else ""
    return Booted(console, "\n".join([f"the machine {end}", said.read_text(errors="replace"), console[-4000:],
                                      (scratch / "dhcp.log").read_text(errors="replace")]))


class Booted:
    """What init.c found in the machine: the `token` of its initrd and the kernel's `arguments`. `story` is for messages."""

    def __init__(self, console, story):
        self.story = story
        found = re.search(r"<init>(.*?)\|(.*?)</init>", console, re.S)
        if not found:
            raise Failed(f"no initrd of this test ran: {story}")
        self.token, self.arguments = found[1], shlex.split(found[2])
