"""A contact who has proved who he is, and does not keep to the protocol."""
import os
import time
import unittest

import peer
import wire
from psst import E2E, PATIENCE, key, wait_for

TAMPERED = "tampered"


class Hostile(E2E):
    def setUp(self):
        super().setUp()
        self.bob = self.person("bob")
        self.me = key("a2048")
        self.calls = 0
        self.bob.befriend(self.me, "mallory")
        self.control = self.bob.control()
        self.addCleanup(self.control.sock.close)
        self.control.call("subscribe", events=["session"])

    def call(self):
        # from an address of its own each time: one that brings more than a few calls a second is turned away
        self.calls += 1
        mallory = peer.Peer.call(self.bob.address, self.me, self.bob.public, source=f"127.3.0.{self.calls}")
        self.addCleanup(mallory.close)
        self.control.event("session", lambda p: p["state"] == "up")
        return mallory

    def ends(self, mallory, word=TAMPERED):
        """The session is over, bob is told why, and mallory sees nothing but the end."""
        reason = self.control.event("session", lambda p: p["state"] == "down")["reason"]
        self.assertIn(word, reason)
        try:
            self.assertNotIn(peer.BYE, [c[0] for c in mallory.pump(0.3)])
        except (OSError, wire.Refused):
            pass
        self.assertAlive(self.bob)

    def test_one_bit_flipped_anywhere_in_a_record(self):
        """Attack 10, of records."""
        for bit in (0, 17 * 8, 18 * 8 + 3, 200 * 8, 289 * 8 + 7):
            mallory = self.call()
            mallory.send_raw(peer.flip(mallory.record(peer.TEXT, wire.text(os.urandom(16), 0, b"flip me")), bit))
            self.ends(mallory)
        self.assertEqual(self.bob.texts("mallory"), [])

    def test_lengths_out_of_range(self):
        """Attack 16."""
        for announced in (0, 1, 3, 65503, 65535):
            mallory = self.call()
            mallory.send_raw(mallory.tx.seal_body(bytes(max(announced, 4)), announced=announced)[:18])
            self.ends(mallory)

    def test_records_replayed_or_left_out(self):
        """Attack 17."""
        mallory = self.call()
        record = mallory.record(peer.PING, b"12345678")
        mallory.send_raw(record + record)
        self.ends(mallory)
        mallory = self.call()
        mallory.record(peer.PING, b"12345678")  # sealed, never sent
        mallory.send_chunk(peer.PING, b"12345678")
        self.ends(mallory)

    def test_bodies_that_are_not_one_chunk_and_zeros(self):
        """Attack 16."""
        bodies = {
            "too long": wire.chunk(peer.PING, b"12345678").replace(b"\x08", b"\xff", 1).ljust(256, b"\0"),
            "padding": wire.chunk(peer.PING, b"12345678").ljust(255, b"\0") + b"x",
            "two chunks": (wire.chunk(peer.PING, b"12345678") * 2).ljust(256, b"\0"),
            "chunk length 2^24 - 1": b"p\xff\xff\xff".ljust(256, b"\0"),
        }
        for what, body in bodies.items():
            with self.subTest(what):
                mallory = self.call()
                mallory.send_raw(mallory.tx.seal_body(body))
                self.ends(mallory)

    def test_known_chunks_that_are_malformed(self):
        """Attacks 16, 19, 26."""
        cases = [(peer.ACK, b""), (peer.ACK, bytes(17)), (peer.NOT_ACCEPTED, bytes(16)), (peer.NOT_ACCEPTED, bytes(18)),
                 (peer.PING, bytes(7)), (peer.PONG, bytes(9)), (peer.BYE, b""), (peer.BYE, b"12"),
                 (peer.TEXT, bytes(15)), (peer.REKEY, b""), (peer.REKEY, bytes(559)),
                 (peer.FILE, b""), (peer.FILE, bytes(17)), (peer.FILE, b"\x09" + bytes(16)),
                 (peer.FILE, b"\x05" + bytes(16 + 39)),
                 (ord("z"), b"unknown"), (0, b""), (0x7F, b"")]
        for id_, data in cases:
            with self.subTest(chunk=id_, n=len(data)):
                mallory = self.call()
                mallory.send_chunk(id_, data)
                self.ends(mallory)

    def test_texts_that_are_malformed_are_refused_alone(self):
        """Attack 19."""
        mallory = self.call()
        for utf8 in (b"", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"a\0b", b"ok\xc3"):
            msg_id = mallory.say(utf8)
            self.assertEqual(mallory.wait_not_accepted(msg_id), 1, utf8)
        cut = os.urandom(16)
        mallory.send_chunk(peer.TEXT, cut + bytes(7))
        self.assertEqual(mallory.wait_not_accepted(cut), 1)
        mallory.wait_ack(mallory.say("good"))
        mallory.wait_ack(mallory.say("x" * wire.TEXT_MAX))
        self.assertEqual([len(t) for t in self.bob.texts("mallory")], [4, wire.TEXT_MAX])

    def test_the_same_id_twice_and_with_another_body(self):
        """Attack 20."""
        mallory = self.call()
        msg_id = mallory.say("once", time_ms=1750000000000)
        mallory.wait_ack(msg_id)
        mallory.say("once", msg_id, time_ms=1750000000000)
        mallory.wait_ack(msg_id)
        mallory.say("something else", msg_id, time_ms=1750000000000)
        self.assertEqual(mallory.wait_not_accepted(msg_id), 2)
        self.assertEqual(self.bob.texts("mallory"), ["once"])
        mallory.bye()
        self.control.event("session", lambda p: p["state"] == "down")
        mallory = self.call()
        mallory.say("once", msg_id, time_ms=1750000000000)
        mallory.wait_ack(msg_id)
        self.assertEqual(self.bob.texts("mallory"), ["once"])

    def test_acknowledgement_of_what_was_never_sent(self):
        """Attack 21."""
        mallory = self.call()
        for _ in range(50):
            mallory.send_chunk(peer.ACK, os.urandom(16 * 1000))
            mallory.send_chunk(peer.NOT_ACCEPTED, os.urandom(16) + b"\x01")
        mallory.ping()
        self.bob.psst("say", "mallory", "mine")
        msg_id, _, words = mallory.hear(ack=False)
        self.assertEqual(words, "mine")
        self.assertEqual(self.bob.messages("mallory")[-1]["state"], "sent")
        mallory.send_chunk(peer.ACK, msg_id + msg_id)
        wait_for("delivery", lambda: self.bob.messages("mallory")[-1]["state"] == "delivered")
        mallory.send_chunk(peer.NOT_ACCEPTED, msg_id + b"\x01")  # too late
        mallory.send_chunk(peer.ACK, msg_id)
        time.sleep(1.1)
        mallory.ping()
        self.assertEqual(self.bob.messages("mallory")[-1]["state"], "delivered")

    def test_a_text_that_is_never_acknowledged_comes_again(self):
        """Attack 17: unacknowledged text stays in the outbox."""
        mallory = self.call()
        self.bob.psst("say", "mallory", "again")
        first, time_ms, _ = mallory.hear(ack=False)
        mallory.reset()
        self.control.event("session", lambda p: p["state"] == "down")
        mallory = self.call()
        self.assertEqual(mallory.hear()[:2], (first, time_ms))
        wait_for("delivery", lambda: self.bob.messages("mallory")[-1]["state"] == "delivered")

    def test_not_accepted_is_told_and_not_sent_again(self):
        mallory = self.call()
        self.bob.psst("say", "mallory", "hello")
        msg_id = mallory.hear(ack=False)[0]
        mallory.send_chunk(peer.NOT_ACCEPTED, msg_id + b"\x01")
        got = wait_for("refusal", lambda: next((m for m in self.bob.messages("mallory") if m["state"] == "refused"),
                                               None))
        self.assertGreater(len(got["reason"]), 5)
        mallory.bye()
        self.control.event("session", lambda p: p["state"] == "down")
        self.assertNotIn(peer.TEXT, [c[0] for c in self.call().pump(1)])

    def test_a_flood_of_pings(self):
        """Attack 25: answered once a second, never queued."""
        mallory = self.call()
        began = time.monotonic()
        for i in range(3000):
            mallory.send_chunk(peer.PING, i.to_bytes(8, "big"))
        answers = [c for c in mallory.pump(2.5) if c[0] == peer.PONG]
        self.assertGreaterEqual(len(answers), 1)
        self.assertLessEqual(len(answers), time.monotonic() - began + 2)
        mallory.wait_ack(mallory.say("still here"))

    def test_unknown_optional_chunks(self):
        """Attack 26: skipped, 64 a minute at most."""
        mallory = self.call()
        for i in range(60):
            mallory.send_chunk(0x80 + i, os.urandom(i))
        mallory.wait_ack(mallory.say("skipped"))
        for _ in range(6):
            mallory.send_chunk(0xEE, b"")
        self.ends(mallory)

    def test_calls_and_voice_ring_nowhere(self):
        """Attacks 22, 27."""
        mallory = self.call()
        for i in range(20):
            mallory.send_chunk(peer.CALL, b"\x01" + os.urandom(4) + b"\x00\x64")
            mallory.send_chunk(peer.VOICE, os.urandom(100))
        for data in (b"", b"\x03" + bytes(4), b"\xff", os.urandom(300)):
            mallory.send_chunk(peer.VOICE, data)
        mallory.send_chunk(peer.CALL, b"\x03" + os.urandom(4))
        mallory.wait_ack(mallory.say("no ring"))
        mallory.send_chunk(peer.PRESENCE, b"\x02away")
        mallory.send_chunk(peer.PRESENCE, b"")
        mallory.wait_ack(mallory.say("nor this"))
        self.assertAlive(self.bob)

    def test_calls_out_of_form_end_the_session(self):
        for data in (b"", b"\x01" + bytes(4) + b"\x00\x64", b"\x01abcd\x00\x1f", b"\x03abc", b"\x06\x02", b"\x08", b"\xff"):
            mallory = self.call()
            mallory.send_chunk(peer.CALL, data)
            self.ends(mallory)

    def test_a_flood_of_texts(self):
        """Attack 28: all acknowledged or held back by TCP; the daemon stays small and answers."""
        mallory = self.call()
        mallory.timeout = 60
        before = self.rss()
        ids = set()
        for i in range(20):
            ids |= {mallory.say("flood %d.%d " % (i, j) + "x" * 200) for j in range(100)}
            self.bob.psst("status")
        answered, deadline = set(), time.monotonic() + 60 * PATIENCE
        while answered != ids and time.monotonic() < deadline:
            id_, data = mallory.read_chunk(30)
            if id_ == peer.ACK:
                answered |= set(wire.ids_read(data))
            elif id_ == peer.NOT_ACCEPTED:
                answered.add(data[:16])
        self.assertEqual(answered, ids)
        self.assertLess(self.rss() - before, (64 << 10) * (4 if PATIENCE > 1 else 1))
        self.bob.psst("block", "mallory")  # a way to be rid of him
        self.control.event("session", lambda p: p["state"] == "down")

    def rss(self):
        with open("/proc/%d/status" % self.bob.pid(), encoding="ascii") as file:
            return int(next(line for line in file if line.startswith("VmRSS:")).split()[1])

    def test_a_reader_who_does_not_read(self):
        """Attack 28, the other way: what waits for him is bounded, and he is dead after 12 s."""
        mallory = self.call()
        with self.bob.control() as control:
            for i in range(60):
                control.call("say", name="mallory", text="%d " % i + "y" * 60000)
        self.assertLess(self.rss(), (80 << 10) * (4 if PATIENCE > 1 else 1))
        reason = self.control.event("session", lambda p: p["state"] == "down", 40)["reason"]
        self.assertGreater(len(reason), 8)
        mallory.close()
        self.assertEqual(len(self.bob.texts("mallory")), 60)

    def test_terminal_escapes_are_shown_as_symbols(self):
        """Attacks 34, 38, 39."""
        mallory = self.call()
        evil = ["\x1b[2J\x1b[31mred", "\x1b]8;;file:///etc/passwd\x07link\x1b]8;;\x07", "\x1b]52;c;ZXZpbA==\x07",
                "\x1bP1;2|x\x1b\\",
                "\x9b31m", "over\rwritten", "bell\x07", "back\x08\x08", "%n%s <b>markup</b> file:///etc/passwd", "\x7f",
                "right\u202eleft", "zero\u200bwidth", "e" + "\u0301" * 500,
                "one\n2026-01-01 00:00 bob: forged line\nthree"]
        for words in evil:
            mallory.wait_ack(mallory.say(words))
        process = self.bob.spawn("log", "mallory", "-n", "100")
        raw, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, err)
        shown = raw.decode("utf-8")
        for char in shown:
            control = char != "\n" and (ord(char) < 32 or 0x7F <= ord(char) < 0xA0)
            self.assertFalse(control, "%r in %r" % (char, shown[:400]))
        self.assertNotRegex(shown, "[\u200b\u202a-\u202e\u2066-\u2069]")
        self.assertIn("%n%s <b>markup</b>", shown)
        self.assertLess(shown.count("\u0301"), 20)
        forged = next(line for line in shown.splitlines() if "forged line" in line)
        self.assertFalse(forged.startswith("2026"), "the gutter cannot be imitated: %r" % forged)
        for message, words in zip(self.bob.messages("mallory", "-n", "100"), evil):
            self.assertEqual(message["text"], words, "JSON is for programs: the text itself, escaped as JSON")
        json_raw = self.bob.psst("log", "mallory", "--json").out
        self.assertNotIn("\x1b", json_raw)
        self.assertNotIn("\x07", json_raw)

    def test_everything_he_can_send_after_his_own_bye(self):
        mallory = self.call()
        late = wire.text(os.urandom(16), 0, b"late")
        mallory.send_raw(mallory.record(peer.BYE, b"\x01") + mallory.record(peer.TEXT, late))
        self.control.event("session", lambda p: p["state"] == "down")
        self.assertEqual(self.bob.texts("mallory"), [])
        for reason in (0, 2, 3, 4, 99, 255):
            mallory = self.call()
            mallory.bye(reason)
            self.assertGreater(len(self.control.event("session", lambda p: p["state"] == "down")["reason"]), 8)

    def test_an_end_without_bye_is_cut_off(self):
        """Attack 17."""
        mallory = self.call()
        mallory.close()
        self.ends(mallory, "cut off")
        mallory = self.call()
        mallory.send_raw(mallory.record(peer.PING, b"12345678")[:100])
        mallory.close()
        self.ends(mallory, "cut off")
        mallory = self.call()
        mallory.reset()
        self.ends(mallory, "cut off")

    def test_rekeys_out_of_order(self):
        mallory = self.call()
        mallory.send_chunk(peer.REKEY, bytes(560))  # a point of small order, and X = 0
        self.ends(mallory)
        mallory = self.call()
        mallory.send_chunk(peer.REKEY, os.urandom(560))  # decapsulates to what nobody knows: the keys then differ
        self.assertEqual(mallory.read_record()[0], peer.REKEY)
        mallory.send_chunk(peer.REKEY)
        mallory.send_chunk(peer.PING, b"12345678")
        self.ends(mallory)
        mallory = self.call()
        mallory.begin_rekey()
        mallory.send_chunk(peer.REKEY, os.urandom(560))
        self.ends(mallory)

    def test_two_sessions_the_newer_stays(self):
        """Attack 15: the side with the smaller fingerprint says bye to the older one."""
        first, second = self.call(), self.call()
        if self.bob.public.fpr < self.me.fpr:
            self.assertEqual(first.expect(peer.BYE), b"\x02")
            wait_for("one session", lambda: len(self.bob.sessions()) == 1)
        second.wait_ack(second.say("on the newer"))
        self.bob.psst("say", "mallory", "answer")
        self.assertEqual(second.hear()[2], "answer")


if __name__ == "__main__":
    unittest.main()
