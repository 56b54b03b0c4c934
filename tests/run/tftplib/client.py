"""Two clients: one that does what a script says, one that fetches as a good client does."""
import select
import socket
import time

from .packets import DATA, ERROR, OACK, ack, describe, error, parse, request
from .tests import TIME_LIMIT, Failed


class Client:
    """A client that does exactly what the script says: nothing is repeated or acknowledged by itself.

    It remembers where the last packet came from (`peer`, the server's transfer port) and sends there."""

    def __init__(self, server, *, local=("", 0)):
        self.server = server
        self.peer = None
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(local)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def send(self, raw, to=None):
        """Sends bytes to `to`, else to the transfer port, else to the server."""
        self.socket.sendto(raw, to or self.peer or self.server)

    def rrq(self, name, options=(), mode="octet"):
        """A new request, to the server's port."""
        self.peer = None
        self.send(request(name, options, mode), self.server)

    def ack(self, block):
        self.send(ack(block))

    def error(self, code, text=""):
        self.send(error(code, text))

    def receive(self, seconds=TIME_LIMIT):
        """The next packet; fails when none comes."""
        packet = self.poll(seconds)
        if packet is None:
            raise Failed(f"no packet within {seconds} s")
        return packet

    def poll(self, seconds=0.0):
        """The next packet, or None."""
        raw = self.poll_raw(seconds)
        return None if raw is None else parse(raw, self.peer)

    def poll_raw(self, seconds=0.0):
        """The same as bytes."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        raw, self.peer = self.socket.recvfrom(65536)
        return raw

    def allow_broadcast(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)

    def expect_data(self, block, content=None):
        packet = self._expect(DATA, f"DATA {block}")
        if packet.block != block & 0xffff or (content is not None and packet.data != content):
            raise Failed(f"expected DATA {block}, got DATA {packet.block} of {len(packet.data)} bytes")
        return packet

    def expect_oack(self, options):
        """Exactly these options, in this order, spelt like this."""
        packet = self._expect(OACK, "OACK")
        wanted = [(str(name), str(value)) for name, value in options]
        if packet.options != wanted:
            raise Failed(f"expected OACK {wanted}, got {packet.options}")
        return packet

    def read_on(self, blksize=512, windowsize=1, block=1):
        """The rest of the file from DATA `block`, acknowledged as RFC 7440 says. Repeats of what it has are ignored."""
        chunks, in_window = [], 0
        while True:
            packet = self._expect(DATA, f"DATA {block}", ignore=lambda old: old.op == OACK)
            if packet.block != block & 0xffff:
                continue
            chunks.append(packet.data)
            in_window += 1
            end = len(packet.data) < blksize
            if end or in_window == windowsize:
                self.ack(block)
                in_window = 0
            if end:
                return b"".join(chunks)
            block += 1

    def expect_error(self, code=None):
        packet = self._expect(ERROR, "ERROR")
        if code is not None and packet.code != code:
            raise Failed(f"expected ERROR {code}, got ERROR {packet.code} {packet.text!r}")
        return packet

    def expect_nothing(self, seconds):
        packet = self.poll(seconds)
        if packet is not None:
            raise Failed(f"expected nothing for {seconds} s, got {describe(packet)}")

    def drain(self, quiet=0.2):
        """Everything that comes until it is quiet for so long."""
        packets = []
        while (packet := self.poll(quiet)) is not None:
            packets.append(packet)
        return packets

    def _expect(self, op, what, ignore=lambda packet: False):
        packet = self.receive()
        while ignore(packet):
            packet = self.receive()
        if packet.op != op:
            raise Failed(f"expected {what}, got {describe(packet)}")
        return packet


def refused(server, name, code, *, local=("", 0)):
    """The text of the ERROR with this code that a request without options is answered with."""
    with Client(server, local=local) as client:
        client.rrq(name)
        return client.expect_error(code).text


class Transfer:
    """What fetch() saw: `content`, `options` (OACK, or None), `packets` received, `repeats` among the DATA."""

    def __init__(self):
        self.content, self.options, self.packets, self.repeats = b"", None, 0, 0


def fetch(server, name, options=(), mode="octet", *, drop=None, patience=1.0, silence=60.0, local=("", 0)):
    """Fetches a file as a well-behaved client with RFC 2347 options and RFC 7440 windows does. ERROR fails.

    `drop(packet)` says which arriving packets are lost. Without news the request or the last ACK is sent again after
    `patience` seconds; `silence` seconds without progress fail."""
    with Client(server, local=local) as client:
        transfer = Transfer()
        chunks, block, in_window = [], 0, 0
        blksize, window, last_sent = 512, 1, request(name, options, mode)
        client.send(last_sent, server)
        news = time.monotonic()
        gap_told = False
        while True:
            packet = client.poll(patience)
            if packet is None:
                if time.monotonic() - news > silence:
                    raise Failed(f"{name}: no progress for {silence} s after block {block}")
                client.send(last_sent)
                in_window, gap_told = 0, False
                continue
            transfer.packets += 1
            if drop is not None and drop(packet):
                continue
            if packet.op == ERROR:
                raise Failed(f"{name}: ERROR {packet.code} {packet.text!r}")
            if packet.op == OACK and block == 0:
                transfer.options = packet.options
                terms = {key.lower(): value for key, value in packet.options}
                blksize, window = int(terms.get("blksize", 512)), int(terms.get("windowsize", 1))
                last_sent = ack(0)
                client.send(last_sent)
                news = time.monotonic()
                continue
            if packet.op != DATA:
                continue
            if packet.block != (block + 1) & 0xffff:
                transfer.repeats += (block - packet.block) & 0xffff < 0x8000
                if not gap_told:  # one ACK for a gap: the window restarts behind what we have
                    client.send(ack(block))
                    in_window, gap_told = 0, True
                continue
            block, in_window, gap_told = block + 1, in_window + 1, False
            chunks.append(packet.data)
            news = time.monotonic()
            end = len(packet.data) < blksize
            last_sent = ack(block)
            if end or in_window >= window:
                client.send(last_sent)
                in_window = 0
            if end:
                transfer.content = b"".join(chunks)
                return transfer
