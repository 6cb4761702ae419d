"""Calls and voice of PSST/1, from docs/PROTOCOL.md, "Calls" and "Voice datagrams"; the rest is wire.py."""
import os
import struct
import time

import wire
from wire import Refused

OFFER, RING, ACCEPT, DECLINE, HANG_UP, RECEIVING, REPORT = range(1, 8)
UDP_ARRIVES = 0x01
WINDOW = 2048


# ---- `c` ----

def offer(receiver_id, frame_size):
    return struct.pack(">BIH", OFFER, receiver_id, frame_size)


def accept(receiver_id):
    return struct.pack(">BI", ACCEPT, receiver_id)


def read(data):
    """(kind, fields)"""
    forms = {OFFER: (">IH", ("receiver_id", "frame_size")), RING: ("", ()), ACCEPT: (">I", ("receiver_id",)),
             DECLINE: ("B", ("reason",)), HANG_UP: ("B", ("reason",)), RECEIVING: ("B", ("on",)),
             REPORT: (">BHH", ("loss_256", "jitter_ms", "delay_ms"))}
    if not data or data[0] not in forms:
        raise Refused("kind of a call chunk")
    form, names = forms[data[0]]
    if len(data) - 1 != struct.calcsize(form):
        raise Refused("length of a call chunk")
    fields = dict(zip(names, struct.unpack(form, data[1:])))
    if fields.get("receiver_id") == 0 or not 32 <= fields.get("frame_size", 32) <= 1200 or fields.get("on", 0) > 1:
        raise Refused("field of a call chunk")
    return data[0], fields


# ---- frames and datagrams ----

def frame(size, timestamp, opus, flags=0):
    if len(opus) > size - 7:
        raise ValueError("too long for the frame")
    return (struct.pack(">IBH", timestamp & 0xffffffff, flags, len(opus)) + opus).ljust(size, b"\0")


def frame_read(data):
    """(timestamp, flags, opus)"""
    timestamp, flags, n = struct.unpack(">IBH", data[:7])
    if 7 + n > len(data) or any(data[7 + n:]):
        raise Refused("frame")
    return timestamp, flags, data[7:7 + n]


def seal(key, receiver_id, counter, plain):
    head = struct.pack(">IQ", receiver_id, counter)
    return head + wire.seal(key, counter, head, plain)


class Window:
    """RFC 6479, the plain way: all that was taken."""

    def __init__(self):
        self.taken, self.highest = set(), None

    def check(self, counter):
        return counter not in self.taken and (self.highest is None or counter > self.highest - WINDOW)

    def mark(self, counter):
        self.taken.add(counter)
        self.highest = counter if self.highest is None else max(self.highest, counter)


def unseal(key, receiver_id, window, frame_size, datagram):
    """The frame. Length, receiver, window, tag; then the counter is marked."""
    if len(datagram) != 12 + frame_size + 16:
        raise Refused("length of a datagram")
    head = datagram[:12]
    got, counter = struct.unpack(">IQ", head)
    if got != receiver_id or not window.check(counter):
        raise Refused("not for me, or not new")
    plain = wire.unseal(key, counter, head, datagram[12:])
    window.mark(counter)
    return plain


class Voice:
    """What one side of a session knows about voice: keys of each epoch (the time between two rekeys), counters, windows."""

    def __init__(self):
        self.receiver_id = int.from_bytes(os.urandom(4), "big") or 1
        self.their_id = self.frame_size = None
        self.epochs = []  # (own key, their key, window), from the first on
        self.changed = 0
        self.sent = 0

    def use(self, own, theirs):
        """New keys: at the beginning, and after each rekey."""
        self.epochs.append((own, theirs, Window()))
        self.changed = time.monotonic()
        self.sent = 0

    def seal(self, timestamp, opus, flags=0, ago=0):
        """The next datagram; ago: under the key of so many rekeys ago."""
        number = len(self.epochs) - 1 - ago
        counter = (number & 0xff) << 56 | self.sent
        self.sent += 1
        return seal(self.epochs[number][0], self.their_id, counter, frame(self.frame_size, timestamp, opus, flags))

    def open(self, datagram):
        """(timestamp, flags, opus), or Refused."""
        now = len(self.epochs) - 1
        if len(datagram) < 12:
            raise Refused("length of a datagram")
        if datagram[4] == now & 0xff:
            number = now
        elif now > 0 and datagram[4] == now - 1 & 0xff and time.monotonic() < self.changed + 2:
            number = now - 1
        else:
            raise Refused("epoch")
        _, theirs, window = self.epochs[number]
        return frame_read(unseal(theirs, self.receiver_id, window, self.frame_size, datagram))
