"""Attack 28: a contact that says more than anybody would; and one that the user does not want to hear now."""
import os

import peer
import wire
from psst import E2E, PATIENCE, key, wait_for

BURST_BYTES = 16 << 20  # src/daemon/delivery/intake.h
ROW_BYTES = 256  # src/daemon/delivery/in.c
PAUSED = 4


class Flood(E2E):
    def until_slowed(self, person, mallory):
        """One long text after the other, each acknowledged, until the bucket is empty; gives their ids."""
        sent = []
        while person.counter("contacts-slowed") == 0:
            self.assertLess(len(sent), 2000)
            for _ in range(4):
                sent.append(mallory.say(b"x" * wire.TEXT_MAX))
            mallory.wait_ack(sent[-4])
        return sent

    def test_a_flood_is_read_slowly_and_nothing_is_lost(self):
        bob = self.person("bob")
        carol_key = key("a1024")
        mallory = self.caller(bob, timeout=60 * PATIENCE)
        bob.befriend(carol_key, "carol")
        carol = peer.Peer.call(bob.address, carol_key, bob.public, source="127.3.0.9")
        self.addCleanup(carol.close)

        burst = BURST_BYTES // (wire.TEXT_MAX + ROW_BYTES)
        sent = self.until_slowed(bob, mallory)
        self.assertGreaterEqual(len(sent), burst - 1)
        held = False
        for i in range(10):  # what was read already when the bucket was empty is still taken
            sent += [mallory.say(b"z" * wire.TEXT_MAX) for _ in range(3)]
            carol.wait_ack(carol.say("am I heard? %d" % i), 5 * PATIENCE)  # everybody else is
            bob.wait_text("carol", "am I heard? %d" % i)
            held = bob.contact("mallory")["unread"] < len(sent)
            if held:
                break
        self.assertTrue(held)
        total = len(sent)
        self.assertIn("contact-slowed contact=mallory", bob.log())

        wait_for("everything to get through", lambda: bob.contact("mallory")["unread"] == total, 120)
        for msg_id in sent[-3:]:
            mallory.wait_ack(msg_id)
        self.assertEqual(len(bob.sessions("mallory")), 1)  # not taken for dead meanwhile
        mallory.ping(timeout=30 * PATIENCE)

    def test_sessions_anew_do_not_fill_the_bucket(self):
        """Who comes back with another connection finds it as empty as he left it."""
        bob = self.person("bob")
        mallory = self.caller(bob, timeout=60 * PATIENCE)
        said = len(self.until_slowed(bob, mallory))
        mallory.close()
        again = peer.Peer.call(bob.address, key("a2048"), bob.public, timeout=60 * PATIENCE)
        self.addCleanup(again.close)
        bob.wait_session("mallory")
        slowed = bob.counter("contacts-slowed")
        for _ in range(4):
            again.say(b"y" * wire.TEXT_MAX)
        wait_for("the second flood to be slowed", lambda: bob.counter("contacts-slowed") > slowed, 20)
        self.assertLessEqual(bob.contact("mallory")["unread"], said + 4)


class Pause(E2E):
    def test_a_paused_contact_is_told_and_nothing_is_kept(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        control = bob.control()
        self.addCleanup(control.sock.close)
        control.call("subscribe", events=["message", "file", "contact"])
        bob.psst("pause", "mallory")
        self.assertTrue(control.event("contact")["paused"])
        self.assertTrue(bob.contact("mallory")["paused"])
        self.assertEqual(bob.status()["paused"], ["mallory"])
        self.assertIn("paused", bob.psst("contacts").out)
        self.assertRegex(bob.psst("status").out, r"paused\s+mallory")

        text, offer = mallory.say("are you there?"), mallory.offer(b"photo.jpg", 1000)
        self.assertEqual(mallory.wait_not_accepted(text), PAUSED)
        self.assertEqual(mallory.wait_not_accepted(offer), PAUSED)
        mallory.ping()
        self.assertEqual(bob.messages("mallory"), [])
        self.assertEqual(bob.files(), [])
        self.assertEqual(bob.contact("mallory")["unread"], 0)
        self.assertEqual((bob.counter("texts-while-paused"), bob.counter("offers-while-paused")), (1, 1))
        control.call("status")
        self.assertEqual(control.events, [])  # nothing rang

        bob.psst("say", "mallory", "I am, but not now")  # the other way is open
        self.assertEqual(mallory.hear()[2], "I am, but not now")
        bob.restart()
        self.assertTrue(bob.contact("mallory")["paused"])

        bob.psst("unpause", "mallory")
        again = peer.Peer.call(bob.address, key("a2048"), bob.public)
        self.addCleanup(again.close)
        again.wait_ack(again.say("are you there?", text))
        again.offer(b"photo.jpg", 1000, offer)
        bob.wait_file(lambda f: f["name"] == "photo.jpg" and f["state"] == "waiting")
        self.assertEqual(bob.texts("mallory", "in"), ["are you there?"])

    def test_what_a_paused_contact_says_waits_and_arrives_later(self):
        alice, bob = self.pair()
        alice.psst("say", "bob", "--wait", "10", "before")
        bob.psst("pause", "alice")
        with alice.control() as control:
            control.call("subscribe", events=["message.state"])
            alice.psst("say", "bob", "first")
            state = control.event("message.state")
            self.assertEqual((state["contact"], state["state"]), ("bob", "sent"))
            self.assertIn("bob has paused you: not delivered", state["reason"])
            told = alice.psst("say", "bob", "--wait", "1", "second", expect=5)
            self.assertIn("bob has paused you: not delivered", told.err)
            self.assertEqual(told.err.count("has paused you"), 1)
        self.assertIn("has paused you", alice.psst("contacts").out)
        path = alice.write("plan.txt", "a plan\n")
        alice.psst("send", "bob", path)
        wait_for("the offer to be refused", lambda: bob.counter("offers-while-paused") >= 1)
        self.assertEqual(bob.texts("alice"), ["before"])
        self.assertEqual(bob.files(), [])
        self.assertEqual([m["state"] for m in alice.messages("bob")], ["delivered", "sent", "waiting"])
        self.assertEqual(["has paused you" in m.get("reason", "") for m in alice.messages("bob")], [False, True, True])
        self.assertEqual([f["state"] for f in alice.files()], ["waiting"])
        self.assertIn("bob has paused you", alice.files()[0]["reason"])
        self.assertEqual(alice.contact("bob")["waiting"], 2)

        bob.psst("unpause", "alice")
        bob.psst("hangup", "alice")
        alice.psst("dial", "bob")
        bob.wait_text("alice", "second")
        bob.wait_file(lambda f: f["name"] == "plan.txt" and f["state"] == "waiting")
        self.assertEqual(bob.texts("alice"), ["before", "first", "second"])  # in the order of saying
        wait_for("all to be delivered", lambda: {m["state"] for m in alice.messages("bob")} == {"delivered"})
        self.assertFalse(alice.contact("bob")["paused_us"])

    def test_saying_something_asks_again_at_once(self):
        alice, bob = self.pair()
        bob.psst("pause", "alice")
        told = alice.psst("say", "bob", "--wait", "2", "first", expect=5)
        self.assertIn("has paused you", told.err)
        bob.psst("unpause", "alice")
        alice.psst("say", "bob", "--wait", "10", "second")
        self.assertEqual(bob.texts("alice"), ["first", "second"])

    def test_a_long_queue_meets_a_pause_with_one_question(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        alice.wait_session("bob")
        bob.psst("pause", "alice")
        alice.psst("say", "bob", "--wait", "1", "number 0", expect=5)
        with alice.control() as control:
            for i in range(1, 300):
                control.call("say", name="bob", text="number %d" % i)
        wait_for("the last answer", lambda: "bob has paused you" in alice.psst("outbox", "bob").out)
        refused = bob.counter("texts-while-paused")
        bob.psst("hangup", "alice")
        alice.psst("dial", "bob")
        wait_for("the question", lambda: bob.counter("texts-while-paused") > refused)
        alice.psst("dial", "bob")
        self.assertLessEqual(bob.counter("texts-while-paused"), refused + 1)
        bob.psst("unpause", "alice")
        bob.psst("hangup", "alice")
        alice.psst("dial", "bob")
        wait_for("all of them", lambda: bob.contact("alice")["unread"] == 300, 20)
        self.assertEqual(bob.texts("alice"), ["number %d" % i for i in range(300)])
