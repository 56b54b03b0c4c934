"""What a machine boots: files out of Debian packages, and an initrd made here around init.c."""
import os
import pathlib
import platform

from tftplib import Skip, need, run

HERE = pathlib.Path(__file__).parent
INSTALLED = {"pxelinux.0": "/usr/lib/PXELINUX/pxelinux.0",
             "ldlinux.c32": "/usr/lib/syslinux/modules/bios/ldlinux.c32",
             "menu.c32": "/usr/lib/syslinux/modules/bios/menu.c32",
             "libutil.c32": "/usr/lib/syslinux/modules/bios/libutil.c32",
             "OVMF_CODE.fd": "/usr/share/OVMF/OVMF_CODE.fd"}


def boot_file(name):
    """Its path: in an installed package, or laid out by tools/dev in $NETBOOT_FILES (else build/netboot)."""
    folder = os.environ.get("NETBOOT_FILES") or HERE.parents[2] / "build" / "netboot"
    path = pathlib.Path(INSTALLED.get(name) or pathlib.Path(folder) / name)
    if not path.exists():
        raise Skip(f"{path} is missing; `tools/dev test` fetches it")
    return path


def initrd(token, scratch):
    """The bytes of an initrd whose init says `token`."""
    need("cc")
    if platform.machine() != "x86_64":
        raise Skip(f"init.c is for x86-64, the compiler here makes {platform.machine()}")
    program = scratch / "init"
    run(["cc", "-O2", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-o", program, HERE / "init.c"])
    files = (("init", 0o100755, program.read_bytes()), ("token", 0o100644, token.encode()), ("TRAILER!!!", 0, b""))
    return b"".join(_cpio(*file) for file in files)


def _cpio(name, mode, content):
    """One file of a cpio archive in the format "newc"."""
    numbers = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % number for number in numbers) + name.encode() + b"\0"
    return _aligned(head) + _aligned(content)


def _aligned(content):
    return content + b"\0" * (-len(content) % 4)
