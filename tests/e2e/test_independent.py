"""peer.py, written from docs/PROTOCOL.md alone, holds sessions with psstd, as caller and as callee."""
import os
import unittest

import peer
import wire
from psst import E2E, key, wait_for


class Independent(E2E):
    def converse(self, person, other):
        other.wait_ack(other.say("from the page: grüße 世界"))
        self.assertEqual(person.wait_text("mallory", "from the page: grüße 世界")["direction"], "in")
        saying = person.spawn("say", "mallory", "--wait", "10", "from the sources")
        self.assertEqual(other.hear()[2], "from the sources")
        person.finish(saying, ("say",))
        other.ping()

    def files(self, person, other):
        content = os.urandom(300000)
        person.psst("send", "mallory", person.write("out.bin", content))
        self.assertEqual(other.take_file(), (b"out.bin", content))
        person.wait_file(lambda f: f["direction"] == "out" and f["state"] == "done")
        transfer = other.offer(b"in.bin", len(content))
        offer = person.wait_file(lambda f: f["direction"] == "in" and f["state"] == "waiting")
        into = person.path("taken")
        os.makedirs(into, exist_ok=True)
        person.psst("accept", str(offer["id"]), "-o", into)
        offset = other.wait_file(transfer, wire.ACCEPT)["offset"]
        other.send_data(transfer, content, offset)
        other.send_done(transfer, content)
        other.wait_ack(transfer)
        with open(os.path.join(into, "in.bin"), "rb") as file:
            self.assertEqual(file.read(), content)

    def test_as_caller(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        self.converse(bob, mallory)
        self.files(bob, mallory)
        mallory.bye()
        bob.wait_session("mallory", 0)

    def test_as_callee(self):
        bob = self.person("bob")
        mallory = self.callee(bob)
        self.converse(bob, mallory)
        self.files(bob, mallory)
        bob.psst("hangup", "mallory")
        self.assertEqual(mallory.expect(peer.BYE), b"\x01")

    def test_rekeys_that_the_caller_begins(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        for i in range(3):
            mallory.rekey()
            mallory.wait_ack(mallory.say("after rekey %d" % i))
            saying = bob.spawn("say", "mallory", "--wait", "10", "answer %d" % i)
            self.assertEqual(mallory.hear()[2], "answer %d" % i)
            bob.finish(saying, ("say",))
        self.assertEqual(bob.counter("rekeys"), 3)

    def test_a_rekey_in_the_middle_of_a_file_and_of_texts(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        content = os.urandom(1 << 20) * 8
        bob.psst("send", "mallory", bob.write("out.bin", content))
        mallory.begin_rekey()
        ids = [mallory.say("while it runs %d" % i) for i in range(20)]
        self.assertEqual(mallory.take_file()[1], content)
        for msg_id in ids:
            mallory.wait_ack(msg_id)
        self.assertEqual(mallory.rekeys, 1)
        mallory.rekey()
        mallory.wait_ack(mallory.say("after"))

    def test_more_records_than_one_key_lasts(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        content = os.urandom(1 << 20) * 70  # over 1,000 full records each way round the ratchet
        bob.psst("send", "mallory", bob.write("out.bin", content))
        self.assertEqual(len(mallory.take_file(60)[1]), len(content))
        for i in range(1001):
            mallory.send_chunk(peer.ACK, os.urandom(16))
        mallory.wait_ack(mallory.say("the ratchet has turned both ways"))

    def test_every_key_size(self):
        bob = self.person("bob", bits=2048)
        for name in ("a1024", "odd1031", "wide-e2048", "a3072", "a4096"):
            me = key(name)
            bob.befriend(me, name)
            with peer.Peer.call(bob.address, me, bob.public) as mallory:
                mallory.wait_ack(mallory.say(name))
                mallory.bye()
            self.assertEqual(bob.texts(name), [name])

    def test_features_are_skipped(self):
        bob = self.person("bob")
        bob.befriend(key("a2048"), "mallory")
        features = wire.features_write({1: b"x" * 30, 200: b""})
        with peer.Peer.call(bob.address, key("a2048"), bob.public, features=features) as mallory:
            mallory.wait_ack(mallory.say("features"))
        full = wire.features_write({7: b"x" * 220})
        with peer.Peer.call(bob.address, key("a2048"), bob.public, features=full) as mallory:
            mallory.wait_ack(mallory.say("as many as fit"))

    def test_sizes_on_the_wire_are_padded(self):
        """One size for small chunks, Padmé above, as the page says."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        seen = []
        plain = mallory.rx.open_head

        def noting(head):
            seen.append(plain(head))
            return seen[-1]
        mallory.rx.open_head = noting
        for n in (1, 200, 228, 229, 1000, 5000, 60000):
            bob.psst("say", "mallory", "z" * n)
            mallory.hear()
            self.assertEqual(seen[-1], wire.padded_len(4 + 24 + n))
        

    def test_pings_come_by_themselves(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        mallory.answer_pings = True
        saw = []
        plain = mallory.read_record

        def noting(timeout=None):
            got = plain(timeout)
            saw.append(got[0])
            return got
        mallory.read_record = noting
        mallory.pump(16.5)
        self.assertIn(peer.PING, saw)
        session = bob.sessions("mallory")[0]
        self.assertGreater(session["rtt_us"], 0)

    def test_a_peer_that_answers_nothing_is_dead_after_25_seconds(self):
        """Attack 52."""
        bob = self.person("bob")
        with bob.control() as control:
            control.call("subscribe", events=["session"])
            mallory = self.caller(bob)
            mallory.answer_pings = False
            reason = control.event("session", lambda p: p["state"] == "down", 30)["reason"]
            self.assertGreater(len(reason), 8)
            self.assertNotIn("tampered", reason)


if __name__ == "__main__":
    unittest.main()
