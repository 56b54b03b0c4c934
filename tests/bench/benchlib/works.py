"""The works: what clients ask for, (a) to (h) of the table in README.md."""
import dataclasses
import hashlib
import time

SMALL, HELD, LARGE, TEN, THIRTY = 400, 32 << 10, 1 << 20, 10 << 20, 30 << 20
WINDOWS = (4, 16, 32, 64)
SETTLED = 4.5  # seconds


@dataclasses.dataclass(frozen=True)
class Work:
    key: str
    title: str
    size: int              # bytes of the file; 0: the name is missing
    clients: int
    blksize: int = 512
    windowsize: int = 1
    transfers: int = 0     # so many in all; 0: as many as fit into `seconds`
    seconds: float = 1.0
    rtt_ms: int = 0
    loss: float = 0.0
    seed: int = 1
    name: str = ""
    content: str = ""
    patience: float = 1.0  # of a client that hears nothing

    def served_from(self, place):
        """The same work with its file in `place` (a directory)."""
        if self.size == 0:
            return dataclasses.replace(self, name="missing/%", content="")
        if self.name:
            return dataclasses.replace(self, content=str(place / "file-8192"))
        return dataclasses.replace(self, name=f"file-{self.size}", content=str(place / f"file-{self.size}"))

    def lockstep(self):
        return dataclasses.replace(self, windowsize=1)


def all_works(seconds):
    """Everything of a full run."""
    works = [
        Work("a", "400-byte files, 50 clients", SMALL, 50, seconds=seconds),
        Work("b", "missing names, 50 clients", 0, 50, seconds=seconds),
        Work("c", "1 MB at 512, lockstep, 100 clients", LARGE, 100, seconds=seconds),
        Work("d1", "10 MB at 1428, lockstep, 1 client", TEN, 1, 1428, seconds=seconds),
        Work("d50", "10 MB at 1428, lockstep, 50 clients", TEN, 50, 1428, seconds=seconds),
    ]
    works += [Work(f"e{window}x{clients}", f"30 MB at 1428, window {window}, {clients} client{'s'[:clients > 1]}",
                   THIRTY, clients, 1428, window, seconds=seconds) for window in WINDOWS for clients in (1, 10)]
    works += [Work(f"f{clients}", f"1 MB at 1428, window 8, {clients} clients at once", LARGE, clients, 1428, 8,
                   transfers=max(clients, 2000), seconds=10, patience=5.0) for clients in (100, 1000, 10000)]
    works += [Work(f"g-{name}", f"8 KiB of a plugin, {how}", 8192, 50, 1428, 8, seconds=seconds, name=path)
              for name, how, path in (("inline", "INLINE", "buffer"), ("executor", "on the executor", "buffer"),
                                      ("pending", "PENDING", "pending"), ("stream", "STREAM", "stream"))]
    works.append(Work("h", "1 MB at 1428, window 16, 10 clients, 2 % loss, 20 ms round trip", LARGE, 10, 1428, 16,
                      transfers=10, seconds=8, rtt_ms=20, loss=0.02))
    return works


def quick_works():
    """One small piece of every kind: for the bytes' sake, not for the time."""
    return [dataclasses.replace(work, seconds=min(work.seconds, 10), clients=min(work.clients, 20),
                                transfers=max(2, min(work.clients, 20)) if work.size < TEN else 2)
            for work in all_works(10) if work.key in ("a", "b", "c", "d1", "e16x1", "f100", "g-inline", "g-executor",
                                                      "g-pending", "g-stream", "h")]


def pattern(size):
    """Bytes without a period that a block could hide in; the 8 KiB of the plugin are the same as its own."""
    if size == 8192:
        return bytes((at * 2654435761 >> 13) & 255 for at in range(size))
    block = b"".join(hashlib.sha512(bytes([at & 255, at >> 8])).digest() for at in range(1024))
    out = bytearray()
    while len(out) < size:
        out += block[len(out) // len(block) % 61:]
    return bytes(out[:size])


def make_files(place):
    """And waits until they are no longer new: tftpkit shares what it reads of a file once its times have settled."""
    for size in (SMALL, 8192, HELD, LARGE, TEN, THIRTY):
        (place / f"file-{size}").write_bytes(pattern(size))
    time.sleep(SETTLED)
    (place / "probe").write_bytes(b"probe")
