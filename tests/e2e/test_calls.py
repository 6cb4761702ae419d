"""Calls between real psstds with real psst-voices: wavs for mouths and ears, everything that can end a call, and what strangers
make of it. Nothing here has a sound device."""
import json
import os
import resource
import signal
import socket
import time
import unittest

import calls_kit
import nets
from calls_kit import HZ, QUIET, ask_with, hears, read_wav, voices, write_tone
from psst import BIN, wait_for


@unittest.skipUnless(os.path.exists(os.path.join(BIN, "psst-voice")), "there is no psst-voice")
class Calls(calls_kit.CallsE2E):
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
        self.assertRegex(alice.psst("status").out, r"call +with bob, 0:0\d, voice by UDP")
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

    def test_ipv6_and_every_address_that_is_listened_on(self):
        alice, bob = self.someone("alice", host="::1"), self.someone("bob", host="::1")
        self.introduce(alice, bob)
        a, b = self.watch(alice), self.watch(bob)
        self.talk(a, b)
        for control in (a, b):
            control.event("call", lambda c: c["state"] == "active" and c["way"] == "udp")
        a.call("set", key="listen", value=alice.listen + " 127.0.0.1:%d" % alice.port)  # in the middle of it
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(probe.close)
        probe.sendto(b"whatever", ("127.0.0.1", alice.port))
        wait_for("that to be dropped", lambda: alice.counter("datagrams-dropped") > 0)
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
        alice.psst("dial", "bob")
        b.call("subscribe", events=["call", "voice"])
        idle = self.descriptors(alice)
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
        wait_for("every descriptor to be closed", lambda: self.descriptors(alice) <= idle)

    def descriptors(self, person):
        return len(os.listdir("/proc/%d/fd" % person.pid()))

    def test_psst_voice_is_killed(self):
        self.killed(signal.SIGKILL)

    def test_psst_voice_hangs(self):
        self.killed(signal.SIGSTOP)

    def test_descriptors_run_out_when_it_is_answered(self):
        """psst-voice gets no job then: a call that stood there, deaf and dumb, would end for nobody."""
        alice, bob, a, b = self.two()
        said, heard = write_tone(alice.path("said.wav"), 440, 2), alice.path("heard.wav")
        ask_with(a, "call", [(said, "rb"), (heard, "w+b")], name="bob", wav_in=True, wav_out=True)
        self.state(b, "offered"), self.state(a, "ringing")
        wait_for("the tone", lambda: voices(alice))
        usual = resource.prlimit(alice.pid(), resource.RLIMIT_NOFILE)
        used = {int(fd) for fd in os.listdir("/proc/%d/fd" % alice.pid())}
        resource.prlimit(alice.pid(), resource.RLIMIT_NOFILE, (min(set(range(4, 1024)) - used), usual[1]))
        b.call("answer")
        ended = self.state(a, "ended")
        self.assertEqual((ended["result"], ended["words"]), ("failed", "no more files can be opened: Too many open files"))
        self.assertEqual(self.state(b, "ended")["result"], "failed")
        resource.prlimit(alice.pid(), resource.RLIMIT_NOFILE, usual)
        self.assertIsNone(a.call("voice")["call"])
        self.assertEqual(self.last(a, "failed")["name"], "bob")
        self.talk(a, b)

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

    def test_both_dial_and_call_at_once(self):
        """No session stands: two come about, one stays, and the call with it."""
        alice, bob, a, b = self.two()
        line = '{"jsonrpc": "2.0", "id": 77, "method": "call", "params": {"name": "%s"}}\n'
        for control, name in ((a, "bob"), (b, "alice")):
            control.sock.sendall((line % name).encode())
        for control in (a, b):
            self.answered(control, 77)
        for control in (a, b):
            wait_for("both to talk", lambda c=control: c.call("voice")["call"] and c.call("voice")["call"]["state"] == "active")
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


@unittest.skipUnless(os.path.exists(os.path.join(BIN, "psst-voice")), "there is no psst-voice")
class CallsApart(calls_kit.CallsE2E):
    OUTAGE_S = 7    # a session without a call is suspected after 6, with a text waiting
    LONGEST_S = 10  # after 12 there is no call to save

    def outage(self, net, a, b):
        """Nothing passes for some seconds. False: for so many, on a busy machine, that no call has to live through it."""
        began = time.monotonic()
        net.drop(True)
        a.call("say", name="bob", text="are you there?")
        told = [control.event("call", lambda c: c["silent"] or c["state"] == "ended", 30) for control in (a, b)]
        time.sleep(max(0, began + self.OUTAGE_S - time.monotonic()))
        net.drop(False)
        if time.monotonic() - began > self.LONGEST_S:
            return False
        for event in told:
            self.assertIn("nothing is heard", event["words"])
        return True

    def test_a_call_outlives_a_lift(self):
        """Nothing passes for some seconds, with a text waiting: a session without a call would be given up for another."""
        net = nets.Pair()
        self.addCleanup(net.close)
        alice, bob = (self.someone(name, host=net.ADDRESS[name], space=net.spaces[name]) for name in ("alice", "bob"))
        self.introduce(alice, bob)
        for _ in range(3):
            a, b = self.watch(alice), self.watch(bob, "voice")
            self.talk(a, b)
            for control in (a, b):
                control.event("call", lambda c: c["way"] == "udp")
            sessions, suspected = ({p: p.counter(name) for p in (alice, bob)} for name in ("sessions", "sessions-suspected"))
            if self.outage(net, a, b):
                break
            a.ask("call.hangup")
            for person in (alice, bob):
                wait_for("the end of it", lambda p=person: p.status()["call"] is None)
        else:
            self.skipTest("this machine is too busy for an outage of %d s" % self.OUTAGE_S)
        for control in (a, b):
            control.event("call", lambda c: not c["silent"])
        b.events.clear()
        received = b.event("voice")["received"]
        b.event("voice", lambda v: v["received"] > received + 100)
        for person in (alice, bob):
            self.assertEqual(person.status()["call"]["state"], "active")
            self.assertEqual(person.counter("sessions-suspected"), suspected[person])
            self.assertEqual(person.counter("sessions"), sessions[person])
        b.call("call.hangup")
        self.assertEqual(self.state(a, "ended")["result"], "ended")
