"""TFTP packets, written down and read."""
import collections
import struct

RRQ, WRQ, DATA, ACK, ERROR, OACK = 1, 2, 3, 4, 5, 6

Packet = collections.namedtuple("Packet", "op block data code text options source")


def request(name, options=(), mode="octet", op=RRQ):
    """A RRQ or WRQ. `options` are pairs, sent in this order; names and values may be bytes."""
    parts = [name, mode] + [part for pair in options for part in pair]
    return struct.pack("!H", op) + b"".join(as_bytes(part) + b"\0" for part in parts)


def data(block, content):
    return struct.pack("!HH", DATA, block & 0xffff) + content


def ack(block):
    return struct.pack("!HH", ACK, block & 0xffff)


def error(code, text=""):
    return struct.pack("!HH", ERROR, code) + as_bytes(text) + b"\0"


def oack(options):
    return struct.pack("!H", OACK) + b"".join(as_bytes(part) + b"\0" for pair in options for part in pair)


def parse(raw, source=None):
    op = struct.unpack("!H", raw[:2])[0] if len(raw) >= 2 else None
    number = struct.unpack("!H", raw[2:4])[0] if len(raw) >= 4 else None
    block = body = code = text = options = None
    if op == DATA:
        block, body = number, raw[4:]
    elif op == ACK:
        block = number
    elif op == ERROR:
        code, text = number, raw[4:].rstrip(b"\0").decode(errors="replace")
    elif op == OACK:
        words = [word.decode(errors="replace") for word in raw[2:].split(b"\0")[:-1]]
        options = list(zip(words[0::2], words[1::2]))
    return Packet(op, block, body, code, text, options, source)


def describe(packet):
    """For messages."""
    texts = {DATA: f"DATA {packet.block} ({len(packet.data or b'')} bytes)", ACK: f"ACK {packet.block}",
             ERROR: f"ERROR {packet.code} {packet.text!r}", OACK: f"OACK {packet.options}"}
    return texts.get(packet.op, f"opcode {packet.op}")


def as_bytes(text):
    return text if isinstance(text, bytes) else str(text).encode()
