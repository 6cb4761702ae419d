"""Calls with a contact that does what no program of ours does (attacks 22, 23, 27): peer.py, over UDP and TCP. The user's psstd and
psst-voice are the real ones; they live on, in their rhythm, and the microphone is nobody's but the user's."""
import contextlib
import os
import socket
import time
import unittest

import calls_kit
import peer
import wire_voice
from calls_kit import ask_with, voices, write_tone
from psst import BIN, PATIENCE, wait_for

SILK = bytes([0x08])  # one Opus packet of 20 ms, narrow band, without content: any decoder takes it


@unittest.skipUnless(os.path.exists(os.path.join(BIN, "psst-voice")), "there is no psst-voice")
class HostileCalls(calls_kit.CallsE2E):
    def setUp(self):
        super().setUp()
        self.alice = self.someone("alice")
        self.a = self.watch(self.alice)

    def talking(self, mallory, frame_size=100, **wavs):
        """Mallory calls, Alice answers."""
        mallory.call_offer(frame_size)
        self.state(self.a, "offered")
        mallory.call_wait(wire_voice.RING)
        paths = [wavs["said"]] if wavs else []
        ask_with(self.a, "answer", [(p, "rb") for p in paths], wav_in=bool(wavs))
        self.state(self.a, "active")
        mallory.call_wait(wire_voice.ACCEPT)

    def alive(self, mallory):
        """The same psst-voice, the same call, and frames that come."""
        self.assertEqual(self.alice.status()["call"]["state"], "active")
        mallory.listen(5)

    def frames(self, mallory, seconds):
        """What comes by UDP meanwhile: (when, length)."""
        mallory.open_udp()
        got, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            mallory.udp.settimeout(max(0.001, end - time.monotonic()))
            try:
                got.append((time.monotonic(), len(mallory.udp.recv(2048))))
            except TimeoutError:
                pass
        return got

    # ---- before anybody has answered ----

    def test_nothing_but_the_user_opens_the_microphone(self):
        """Attack 27: accept without an offer, voice outside a call, voice while it rings."""
        mallory = self.caller(self.alice)
        mallory.call_accept()
        mallory.voice.frame_size, mallory.voice.their_id = 100, 1
        for way in ("udp", "tcp"):
            for i in range(20):
                mallory.speak(i * 960, SILK, by=way)
        mallory.ping()
        self.assertIsNone(self.alice.status()["call"])
        self.assertEqual(voices(self.alice), [])
        mallory.call_offer()
        self.state(self.a, "offered")
        mallory.call_accept()  # for us
        for i in range(20):
            mallory.speak(i * 960, SILK, by="tcp")
            mallory.speak(i * 960, SILK)
        self.assertEqual(self.frames(mallory, 0.5), [])
        self.assertEqual(self.alice.status()["call"]["state"], "offered")
        self.a.call("decline")
        self.assertEqual(mallory.call_wait(wire_voice.DECLINE)["reason"], 1)
        for method in ("soundcheck", "voice.record"):  # a file was meant, and did not come along
            self.assertIn("descriptor", self.a.ask(method, name="mallory", wav_in=True)["error"]["message"])

    def test_files_for_ends_that_a_message_has_not(self):
        """A recording has a microphone, and a message that is played a speaker. psst-voice would take one file for the other."""
        self.caller(self.alice)
        said = write_tone(self.alice.path("said.wav"), 700, 2)
        both = [(said, "rb"), (self.alice.path("heard.wav"), "w+b")]
        self.assertIn("error", ask_with(self.a, "voice.record", both, name="mallory", seconds=1, wav_in=True, wav_out=True))
        left = ask_with(self.a, "voice.record", both[:1], name="mallory", seconds=1, wav_in=True)
        played = dict(id=left["result"]["id"], wav_in=True)
        self.assertIn("error", ask_with(self.a, "play", both, wav_out=True, **played))
        self.assertIn("result", ask_with(self.a, "play", both[:1], **played))

    def test_a_flood_of_offers_rings_a_few_times(self):
        """Attack 27."""
        mallory = self.caller(self.alice)
        for _ in range(20):
            mallory.call_offer()
            mallory.call_offer()  # while it rings: nothing
            mallory.call_hang_up()
        mallory.ping()
        rows = self.calls(self.a)
        self.assertLessEqual(len(rows), 20)
        rung = sum(1 for e in self.a.events if e.get("method") == "call" and e["params"]["state"] == "offered")
        self.assertLessEqual(rung, 6)
        self.assertGreaterEqual(rung, 1)
        self.assertLessEqual(len(voices(self.alice)), 1)
        with contextlib.suppress(OSError):
            for _ in range(64):
                mallory.call_offer()
        mallory.wait_end()
        wait_for("nothing rings any more", lambda: self.alice.status()["call"] is None)
        wait_for("no psst-voice is left", lambda: not voices(self.alice))
        self.assertEqual(self.alice.sessions(), [])

    def test_a_flood_of_offers_over_many_sessions_is_no_other(self):
        """Attack 27: each session has its limit, and so has who makes one session after the other."""
        mallory = self.caller(self.alice)
        for i in range(4):
            if i > 0:
                mallory = self.caller(self.alice)
            for _ in range(4):
                mallory.call_offer()
                mallory.call_hang_up()
            mallory.ping()
            mallory.bye()
            wait_for("the session to be over", lambda: self.alice.sessions() == [])
        self.assertIn(len(self.calls(self.a)), (6, 7))
        self.assertGreaterEqual(self.alice.counter("calls-too-often"), 9)

    # ---- while they talk ----

    def test_sounds_that_are_none(self):
        """Attacks 22 and 23: whatever is in the frames, psst-voice lives, and the call with it."""
        mallory = self.caller(self.alice)
        self.talking(mallory)
        wait_for("psst-voice", lambda: voices(self.alice))
        before = voices(self.alice)
        stereo_60_ms, two_frames = bytes([0x1C]) + os.urandom(30), bytes([0x09]) + os.urandom(30)
        payloads = [b"", SILK, b"\xff" * 93, os.urandom(93), os.urandom(1), stereo_60_ms, two_frames, b"\x03", b"\x03\xff",
                    b"\x03\x00", bytes(93)]
        stamps = [0, 960, 960, 961, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 5, 48000 * 3600]
        for way in ("udp", "tcp"):
            for stamp in stamps:
                for payload in payloads:
                    mallory.speak(stamp, payload, by=way)
                time.sleep(0.01)
        mallory.send_chunk(peer.VOICE, os.urandom(100))  # a frame that is none
        mallory.send_chunk(peer.VOICE, b"")
        mallory.ping()
        self.alive(mallory)
        self.assertEqual(voices(self.alice), before)

    def test_more_than_anybody_says(self):
        mallory = self.caller(self.alice)
        self.talking(mallory)
        wait_for("psst-voice", lambda: voices(self.alice))
        before = voices(self.alice)
        for burst in range(10):
            for i in range(300):
                mallory.speak((burst * 300 + i) * 960, SILK)
            time.sleep(0.02)
        wait_for("the rest to be dropped", lambda: self.alice.counter("datagrams-dropped") > 100)
        self.alive(mallory)
        self.assertEqual(voices(self.alice), before)

    def test_datagrams_twice_from_elsewhere_and_for_nobody(self):
        mallory = self.caller(self.alice)
        self.talking(mallory)
        mallory.speak(0, SILK)
        mallory.listen()
        datagram = mallory.voice.seal(960, SILK)
        elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(elsewhere.close)
        elsewhere.bind(("127.0.0.1", 0))
        before = self.alice.counter("datagrams-dropped")
        for wrong in (datagram[:-1], datagram + b"x", b"\0\0\0\0" + datagram[4:], datagram[:20] + b"\xff" + datagram[21:], b""):
            elsewhere.sendto(wrong, self.alice.address)
        wait_for("five to be dropped", lambda: self.alice.counter("datagrams-dropped") == before + 5)
        elsewhere.settimeout(0.3)
        with self.assertRaises(TimeoutError):
            elsewhere.recv(2048)
        elsewhere.sendto(datagram, self.alice.address)  # he has moved, and is followed
        elsewhere.settimeout(5)
        self.assertEqual(len(elsewhere.recv(2048)), 12 + 100 + 16)
        mallory.udp.sendto(datagram, self.alice.address)  # the same again: old, so he has not moved back
        wait_for("that to be dropped", lambda: self.alice.counter("datagrams-dropped") == before + 6)
        while True:
            mallory.udp.settimeout(0.3)
            try:
                mallory.udp.recv(2048)  # what was on its way
            except TimeoutError:
                break
        elsewhere.recv(2048)

    def test_mute_holds_in_psstd(self):
        """Who has taken psst-voice over, which decodes what he sends, hears nobody who is mute: psstd empties the frames itself."""
        mallory = self.caller(self.alice)
        self.talking(mallory, said=write_tone(self.alice.path("said.wav"), 700, 20))
        mallory.open_udp()
        mallory.udp.settimeout(5)
        mallory.speak(0, SILK, flags=wire_voice.UDP_ARRIVES)

        def wait_for_frame(empty):
            end, stamp = time.monotonic() + 20, 960
            while time.monotonic() < end:
                mallory.speak(stamp, SILK, flags=wire_voice.UDP_ARRIVES)
                stamp += 960
                if (len(mallory.voice.open(mallory.udp.recv(2048))[2]) == 0) == empty:
                    return
            self.fail("muted frames that hold something" if empty else "nothing is said")

        wait_for_frame(empty=False)
        self.a.call("voice.set", send=False)
        wait_for_frame(empty=True)
        for _ in range(20):
            self.assertEqual(mallory.voice.open(mallory.udp.recv(2048))[2], b"")
        self.a.call("voice.set", send=True)
        wait_for_frame(empty=False)

    def rhythm(self, mallory, mute, sizes):
        """Alice's frames of one kind, until there are 75, hardly one is missing, and they keep up with the clock. However late a busy
        machine brings some of them: what keeps up does so in the end, and what is slower never does."""
        mallory.open_udp()
        mallory.udp.settimeout(10 * PATIENCE)
        first, stamp, count, deadline = None, 0, 0, time.monotonic() + 20  # pings go unanswered meanwhile: after 25 s there is no session
        while time.monotonic() < deadline:
            self.spoken += 1
            mallory.speak(self.spoken * 960, SILK, flags=wire_voice.UDP_ARRIVES)
            datagram = mallory.udp.recv(2048)
            sizes.add(len(datagram))
            stamp, _, opus = mallory.voice.open(datagram)
            if (opus == b"") != mute:
                continue  # said before that was switched
            first = first or (time.monotonic(), stamp)
            count += 1
            frames, seconds = (stamp - first[1]) // 960 + 1, time.monotonic() - first[0]
            if count >= 75 and count >= 0.9 * frames and frames >= 0.9 * 50 * seconds:
                return
        self.fail("%d frames came of %d, in %.1f s" % (count, frames, seconds))

    def test_sizes_and_rhythm_say_nothing(self):
        """A tone, then mute: the same datagrams, 50 a second."""
        mallory = self.caller(self.alice)
        self.talking(mallory, 137, said=write_tone(self.alice.path("said.wav"), 700, 60))
        self.spoken, sizes = 0, set()
        self.rhythm(mallory, False, sizes)
        self.a.call("voice.set", send=False)
        self.rhythm(mallory, True, sizes)
        self.assertEqual(sizes, {12 + 137 + 16})
