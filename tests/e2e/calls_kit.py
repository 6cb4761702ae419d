"""What the tests of calls share: tones as wavs, people without sound devices, and a call between two of them."""
import array
import json
import math
import os
import socket
import struct

from psst import E2E, voices, wait_for  # noqa: F401 (voices: for the tests of calls)

HZ = 48000
QUIET = "microphone = null\nspeaker = null\necho = off\nclean = no\nvoice_sense = -100\n"


def write_tone(path, hz, seconds):
    """48 kHz, mono, s16, of whole hertz and seconds: a tone that swells and fades four times a second, so that a piece of it is known from another."""
    pcm = array.array("h", (int(8000 * (1 + math.sin(2 * math.pi * 4 * i / HZ)) / 2 * math.sin(2 * math.pi * hz * i / HZ))
                            for i in range(HZ)))
    data = pcm.tobytes() * seconds
    with open(path, "wb") as file:
        file.write(struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, HZ, 2 * HZ, 2, 16,
                               b"data", len(data)) + data)
    return path


def read_wav(path):
    with open(path, "rb") as file:
        data = file.read()
    at = data.find(b"data")
    body = data[at + 8:]
    return array.array("h", body[:len(body) // 2 * 2]) if at > 0 else array.array("h")


def power(pcm, hz):
    """Of one frequency (Goertzel), a sample's share: comparable between frequencies and pieces."""
    k = 2 * math.cos(2 * math.pi * hz / HZ)
    a = b = 0.0
    for x in pcm:
        a, b = x + k * a - b, a
    return (a * a + b * b - k * a * b) / max(1, len(pcm)) ** 2


def hears(path, hz, other):
    """Seconds of what was heard in which this tone is there, and much more of it than of the other."""
    pcm = read_wav(path)
    pieces = [pcm[i:i + HZ // 10] for i in range(0, len(pcm) - HZ // 10, HZ // 10)]
    return sum(0.1 for p in pieces if power(p, hz) > 1000 and power(p, hz) > 20 * power(p, other))


def ask_with(control, method, paths, **params):
    """control.ask, with files on the way: (path, mode)."""
    control.next += 1
    files = [open(path, mode) for path, mode in paths]
    params["fds"] = len(files)
    line = json.dumps({"jsonrpc": "2.0", "id": control.next, "method": method, "params": params}).encode() + b"\n"
    socket.send_fds(control.sock, [line], [file.fileno() for file in files])
    for file in files:
        file.close()
    while True:
        message = control.line()
        if message.get("id") == control.next:
            return message
        control.events.append(message)


class CallsE2E(E2E):
    def someone(self, name, **kwargs):
        person = self.person(name, start=False, init=False, **kwargs)
        with open(person.path("config"), "a", encoding="utf-8") as file:
            file.write(QUIET)
        person.start()
        return person.init()

    def two(self):
        """Alice and Bob, each with a control socket that has subscribed to calls."""
        alice, bob = self.someone("alice"), self.someone("bob")
        self.introduce(alice, bob)
        return alice, bob, self.watch(alice), self.watch(bob)

    def watch(self, person, *more):
        control = person.control()
        self.addCleanup(control.sock.close)
        control.call("subscribe", events=["call", *more])
        return control

    def state(self, control, state, timeout=10):
        return control.event("call", lambda c: c["state"] == state, timeout)

    def ring(self, a, b, name="bob"):
        """A call that rings at b's."""
        got = a.call("call", name=name)
        self.assertEqual((got["name"], got["state"]), (name, "calling"))
        self.assertEqual(self.state(b, "offered")["direction"], "in")
        self.state(a, "ringing")
        return got["id"]

    def talk(self, a, b):
        """One that both talk in; their ids."""
        ring = self.ring(a, b)
        got = b.call("answer")
        self.assertEqual(got["state"], "active")
        self.state(a, "active"), self.state(b, "active")
        return ring, got["id"]

    def calls(self, control):
        return control.call("calls")["calls"]

    def last(self, control, result):
        """The newest row, once it says so."""
        return wait_for("a call that is " + result, lambda: next(
            (c for c in self.calls(control)[:1] if c["result"] == result), None))
