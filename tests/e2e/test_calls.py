"""Calls between real psstds with real psst-voices: wavs for mouths and ears, everything that can end a call, and what strangers
and hostile contacts make of it. Nothing here has a sound device."""
import array
import json
import math
import os
import signal
import socket
import struct
import time
import unittest

import peer
from psst import BIN, E2E, children, wait_for

HZ = 48000
QUIET = "microphone = null\nspeaker = null\necho = off\nclean = no\nvoice_sense = -100\n"


def write_tone(path, hz, seconds):
    """48 kHz, mono, s16: a tone that swells and fades four times a second, so that a piece of it is known from another."""
    n = int(HZ * seconds)
    pcm = array.array("h", (int(8000 * (1 + math.sin(2 * math.pi * 4 * i / HZ)) / 2 * math.sin(2 * math.pi * hz * i / HZ))
                            for i in range(n)))
    data = pcm.tobytes()
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


def voices(person):
    """The psst-voice processes of a psstd."""
    found = []
    for child in children(person.pid()):
        try:
            with open("/proc/%d/comm" % child, encoding="ascii") as file:
                if file.read().strip() == "psst-voice":
                    found.append(child)
        except OSError:
            pass
    return found


@unittest.skipUnless(os.path.exists(os.path.join(BIN, "psst-voice")), "there is no psst-voice")
class Calls(E2E):
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

    # ---- voice ----

    def test_wav_to_wav_both_ways(self):
        alice, bob, a, b = self.two()
        said = {p: write_tone(p.path("said.wav"), hz, 8) for p, hz in ((alice, 440), (bob, 1000))}
        heard = {p: p.path("heard.wav") for p in (alice, bob)}

        def ends(p):
            return [(said[p], "rb"), (heard[p], "w+b")]

        got = ask_with(a, "call", ends(alice), name="bob", wav_in=True, wav_out=True)["result"]
        self.assertEqual(got["state"], "calling")
        self.state(b, "offered")
        self.assertEqual(ask_with(b, "answer", ends(bob), wav_in=True, wav_out=True)["result"]["state"], "active")
        self.state(a, "active")
        for control in (a, b):
            control.event("call", lambda c: c["state"] == "active" and c["way"] == "udp")
        wait_for("two seconds of sound on both sides", lambda: all(len(read_wav(heard[p])) > 3 * HZ for p in heard), 20)
        self.assertEqual(alice.status()["call"]["name"], "bob")
        a.call("call.hangup")
        self.assertEqual(self.state(a, "ended")["result"], "ended")
        self.assertEqual(self.state(b, "ended")["result"], "ended")
        self.assertGreater(hears(heard[bob], 440, 1000), 1.0)
        self.assertGreater(hears(heard[alice], 1000, 440), 1.0)
        for control, name, way in ((a, "bob", "out"), (b, "alice", "in")):
            row = self.last(control, "ended")
            self.assertEqual((row["name"], row["direction"], row["seen"]), (name, way, True))
            self.assertGreaterEqual(row["answered"], row["began"])
            self.assertGreaterEqual(row["ended"], row["answered"])
        self.assertIsNone(alice.status()["call"])
        for person in (alice, bob):
            wait_for("no psst-voice is left", lambda p=person: not voices(p))

    def test_it_goes_by_tcp_where_no_datagram_comes_through(self):
        alice, bob = self.someone("alice"), self.person("bob", start=False, init=False)
        # somebody else has bob's port for datagrams, and hears them all
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(taken.close)
        taken.bind(bob.address)
        with open(bob.path("config"), "a", encoding="utf-8") as file:
            file.write(QUIET)
        bob.start().init()
        self.introduce(alice, bob)
        a, b = self.watch(alice), self.watch(bob, "voice")
        self.talk(a, b)
        b.event("voice", lambda v: v["received"] > 50, 20)
        a.event("call", lambda c: c["way"] == "tcp", 20)
        b.call("call.hangup")
        self.assertEqual(self.state(a, "ended")["result"], "ended")

    def test_what_is_set_while_talking(self):
        alice, bob, a, b = self.two()
        self.assertIn("no call", a.ask("voice.set", send=False)["error"]["message"])
        self.talk(a, b)
        got = b.call("voice.set", receive=False, send=False, quality=7, sense=-60)
        self.assertEqual((got["receive"], got["send"], got["quality"], got["sense"]), (False, False, 7, -60))
        self.assertFalse(a.event("call", lambda c: not c["peer_receiving"])["silent"])
        self.assertEqual(b.call("voice.set", ptt=True)["ptt"], True)
        b.call("voice.set", receive=True)
        a.event("call", lambda c: c["peer_receiving"])
        for wrong in (dict(quality=11), dict(sense=5), dict(echo="loud"), dict(ptt="yes"), dict(volume=[])):
            self.assertIn("error", b.ask("voice.set", **wrong))
        self.assertEqual(bob.psst("set", "voice_quality").out.split()[-1], "7")
        b.call("call.hangup")
        self.assertEqual(self.state(a, "ended")["result"], "ended")

    # ---- psst-voice ----

    def killed(self, sig):
        """psst-voice is hit in the middle of a call; frames go on in both directions, and sound comes back."""
        alice, bob, a, b = self.two()
        b.call("subscribe", events=["call", "voice"])
        self.talk(a, b)
        b.event("voice", lambda v: v["received"] > 25)
        before = wait_for("alice's psst-voice", lambda: voices(alice))[0]
        os.kill(before, sig)
        began = time.monotonic()
        wait_for("another psst-voice", lambda: [v for v in voices(alice) if v != before])
        print("psst-voice, signal %d: another after %.0f ms" % (sig, 1000 * (time.monotonic() - began)))
        received = b.event("voice")["received"]
        b.event("voice", lambda v: v["received"] > received + 100)
        self.assertFalse(b.call("voice")["call"]["silent"])
        self.assertEqual(alice.status()["call"]["state"], "active")
        wait_for("the one before is gone", lambda: voices(alice) != [] and before not in voices(alice))
        a.call("call.hangup")
        self.assertEqual(self.state(b, "ended")["result"], "ended")

    def test_psst_voice_is_killed(self):
        self.killed(signal.SIGKILL)

    def test_psst_voice_hangs(self):
        self.killed(signal.SIGSTOP)

    # ---- how it ends ----

    def test_declined_given_up_and_hung_up(self):
        alice, bob, a, b = self.two()
        self.ring(a, b)
        self.assertIn("a call is under way", a.ask("call", name="bob")["error"]["message"])
        b.call("decline", name="alice")
        self.assertEqual(self.state(a, "ended")["result"], "declined")
        self.assertEqual(self.state(b, "ended")["result"], "declined")
        self.ring(a, b)
        a.call("call.hangup", name="bob")
        self.assertEqual(self.state(a, "ended")["result"], "unanswered")
        self.assertEqual(self.state(b, "ended")["result"], "missed")
        self.assertFalse(self.last(b, "missed")["seen"])
        self.assertTrue(self.last(b, "missed")["seen"])
        self.assertEqual([c["result"] for c in self.calls(a)], ["unanswered", "declined"])
        for method in ("answer", "decline", "call.hangup"):
            self.assertIn("error", b.ask(method))
            self.assertIn("error", b.ask(method, name="alice"))
        self.assertEqual(alice.sessions("bob")[0]["contact"], "bob")

    def answered(self, control, number):
        """What was asked under this number has been answered well; notifications on the way are kept."""
        while True:
            message = control.line()
            if message.get("id") == number:
                return message["result"]
            control.events.append(message)

    def test_both_call_at_once(self):
        alice, bob, a, b = self.two()
        alice.psst("dial", "bob")
        line = json.dumps({"jsonrpc": "2.0", "id": 77, "method": "call", "params": {}})
        for control, name in ((a, "bob"), (b, "alice")):
            control.sock.sendall(line.replace("{}", '{"name": "%s"}' % name).encode() + b"\n")
        for control in (a, b):
            self.answered(control, 77)
            self.state(control, "active")
        a.call("call.hangup")
        self.assertEqual(self.state(b, "ended")["result"], "ended")

    def test_a_third_is_told_busy(self):
        alice, bob, a, b = self.two()
        carol = self.someone("carol")
        self.introduce(bob, carol)
        c = self.watch(carol)
        self.talk(a, b)
        c.call("call", name="bob")
        self.assertEqual(self.state(c, "ended")["result"], "busy")
        missed = self.state(b, "ended")
        self.assertEqual((missed["name"], missed["result"]), ("carol", "missed"))
        self.assertEqual([(r["name"], r["result"]) for r in self.calls(b)], [("carol", "missed"), ("alice", "")])
        self.assertEqual(b.call("voice")["call"]["name"], "alice")
        b.call("call.hangup")
        self.assertEqual(self.state(a, "ended")["result"], "ended")

    def test_paused_contacts_do_not_ring_and_busy_ones_ring_without_a_tone(self):
        alice, bob, a, b = self.two()
        bob.psst("pause", "alice")
        a.call("call", name="bob")
        self.assertEqual(self.state(a, "ended")["result"], "busy")
        self.assertEqual(self.state(b, "ended")["result"], "missed")
        bob.psst("unpause", "alice")
        b.call("presence", state="busy", text="")
        a.call("call", name="bob")
        self.assertIs(self.state(b, "offered")["quiet"], True)
        self.state(a, "ringing")
        b.call("answer")
        self.state(a, "active")

    def ends_with(self, how, here, there):
        """how(bob) ends a call; what alice and bob then have."""
        alice, bob, a, b = self.two()
        self.talk(a, b)
        wait_for("the rows to say so", lambda: self.calls(a)[0]["answered"] and self.calls(b)[0]["answered"])
        how(bob, b)
        self.assertEqual(self.state(a, "ended", 20)["result"], here)
        if there is not None:
            self.assertEqual(self.state(b, "ended")["result"], there)
        wait_for("no psst-voice is left", lambda: not voices(alice))
        self.assertIsNone(alice.status()["call"])
        return alice, bob

    def test_blocking_hangs_up_first(self):
        self.ends_with(lambda bob, b: bob.psst("block", "alice"), "ended", "ended")

    def test_locking_hangs_up_first(self):
        self.ends_with(lambda bob, b: b.call("lock"), "ended", "ended")

    def test_stopping_hangs_up_first(self):
        self.ends_with(lambda bob, b: bob.stop(), "ended", None)

    def test_a_crash_cuts_off(self):
        alice, bob = self.ends_with(lambda bob, b: bob.kill(), "cut off", None)
        bob.start()
        with bob.control() as control:
            self.assertEqual(self.last(control, "cut off")["name"], "alice")
        with alice.control() as control:
            self.assertEqual(self.last(control, "cut off")["name"], "bob")

    def test_hanging_up_the_session_ends_the_call(self):
        self.ends_with(lambda bob, b: bob.psst("hangup", "alice"), "ended", "ended")

    def test_nobody_there(self):
        alice, bob = self.someone("alice"), self.someone("bob")
        self.introduce(alice, bob)
        bob.stop()
        with alice.control() as a:
            answer = a.ask("call", name="bob")
            self.assertEqual(answer["error"]["data"]["name"], "unreachable")
            self.assertEqual(self.calls(a), [])
            self.assertIsNone(alice.status()["call"])
            self.assertIn("error", a.ask("call", name="nobody"))

    # ---- strangers ----

    def test_datagrams_of_strangers_are_dropped_without_an_answer(self):
        alice, bob, a, b = self.two()
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(stranger.close)
        stranger.connect(alice.address)  # so that an ICMP message would be heard
        stranger.settimeout(0.3)

        def shout(n):
            for i in range(n):
                stranger.send(os.urandom(1 + i * 37 % 1400))
            with self.assertRaises(TimeoutError):
                stranger.recv(2048)

        shout(50)
        self.assertEqual(alice.counter("datagrams-dropped"), 0)  # nobody talks: nobody reads
        self.talk(a, b)
        shout(200)
        self.assertGreater(alice.counter("datagrams-dropped"), 0)
        self.assertEqual(alice.status()["call"]["state"], "active")
        b.call("subscribe", events=["voice"])
        b.event("voice", lambda v: v["received"] > 25)
