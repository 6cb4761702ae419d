"""The outbox: what waits, what was sent, what can be taken back, what was read; and a disk that is full for a while."""
import os
import subprocess
import unittest

import peer
from psst import E2E, FAILED, NO_CONTACT, UNREACHABLE, USAGE, key, wait_for


class Outbox(E2E):
    def states(self, person, name):
        return [m["state"] for m in person.messages(name) if m["direction"] == "out"]

    def alone(self):
        """Alice, and a contact of hers who is not there."""
        alice = self.person("alice")
        alice.befriend(key("a2048"), "mallory")
        return alice

    # ---- states ----

    def test_waiting_sent_delivered_read(self):
        alice = self.alone()
        self.assertIn("at the next session", alice.psst("say", "mallory", "one").out)
        self.assertEqual(self.states(alice, "mallory"), ["waiting"])
        with alice.control() as control:
            control.call("subscribe", events=["message", "message.state"])
            mallory = peer.Peer.call(alice.address, key("a2048"), alice.public)
            self.addCleanup(mallory.close)
            self.assertEqual(control.event("message.state")["state"], "sent")
            first = mallory.hear(ack=False)
            self.assertEqual(self.states(alice, "mallory"), ["sent"])
            self.assertIn("on its way", alice.psst("say", "mallory", "two").out)
            self.assertEqual(control.event("message")["state"], "sent")
            second = mallory.hear(ack=False)
            mallory.tell_read(first[0])  # not delivered: ignored
            mallory.ping()
            mallory.send_chunk(peer.ACK, first[0])
            self.assertEqual(control.event("message.state")["state"], "delivered")
            mallory.tell_read(first[0], second[0], os.urandom(16))
            read = control.event("message.state")
            self.assertEqual((read["state"], read["id"]), ("read", first[0].hex()))
            mallory.send_chunk(peer.ACK, second[0])
            self.assertEqual(control.event("message.state")["state"], "delivered")
        self.assertEqual(self.states(alice, "mallory"), ["read", "delivered"])
        self.assertRegex(alice.psst("log", "mallory").out, r"\d\d:\d\d \+ me +\| one\n\d\d:\d\d   me +\| two")
        self.assertEqual(alice.contact("mallory")["waiting"], 0)

    def test_sent_stays_sent_when_psstd_is_killed(self):
        alice = self.alone()
        mallory = self.caller_of(alice)
        alice.psst("say", "mallory", "may have arrived")
        mallory.hear(ack=False)
        alice.kill()
        alice.start()
        self.assertEqual(self.states(alice, "mallory"), ["sent"])
        refused = alice.psst("recall", "mallory", expect=FAILED)
        self.assertRegex(refused.err, r"it was sent at \d\d:\d\d:\d\d and may have arrived: it cannot be taken back")
        again = self.caller_of(alice)
        self.assertEqual(again.hear()[2], "may have arrived")
        wait_for("delivery", lambda: self.states(alice, "mallory") == ["delivered"])
        self.assertIn("it has arrived", alice.psst("recall", "mallory", "1", expect=FAILED).err)

    def caller_of(self, person):
        mallory = peer.Peer.call(person.address, key("a2048"), person.public)
        self.addCleanup(mallory.close)
        return mallory

    # ---- listing and taking back ----

    def test_outbox_says_what_waits_for_whom_and_why(self):
        alice = self.alone()
        alice.befriend(key("b1024"), "carol")
        self.assertIn("nothing waits", alice.psst("outbox").out)
        self.assertEqual(alice.psst("outbox", "--json").json(), [])
        alice.psst("say", "mallory", "one")
        alice.psst("say", "mallory", "second \x1b[31m line")
        alice.psst("say", "carol", "three")
        alice.psst("send", "carol", alice.write("plan.txt", "a plan\n"))
        boxes = {box["contact"]: box for box in alice.psst("outbox", "--json").json()}
        self.assertEqual(sorted(boxes), ["carol", "mallory"])
        self.assertEqual([m["text"] for m in boxes["mallory"]["messages"]], ["one", "second \x1b[31m line"])
        self.assertEqual({m["state"] for m in boxes["mallory"]["messages"]}, {"waiting"})
        self.assertEqual([f["name"] for f in boxes["carol"]["files"]], ["plan.txt"])
        self.assertEqual((boxes["carol"]["waiting"], boxes["carol"]["online"]), (1, False))
        self.assertIn("no session with carol", boxes["carol"]["why"])
        shown = alice.psst("outbox").out
        self.assertIn("carol: 1 message, 1 file; there is no session with carol", shown)
        self.assertIn("mallory: 2 messages; ", shown)
        self.assertNotIn("\x1b", shown)
        self.assertNotIn("carol", alice.psst("outbox", "mallory").out)
        alice.psst("outbox", "nobody", expect=NO_CONTACT)
        alice.psst("block", "mallory")
        self.assertIn("mallory is blocked by you", alice.psst("outbox", "mallory").out)

    def test_a_long_outbox_is_cut(self):
        alice = self.alone()
        with alice.control() as control:
            for i in range(30):
                control.call("say", name="mallory", text="%d " % i + "\u00e9" * 10000)
            box = control.call("outbox", limit=10)
            self.assertTrue(box["more"])
            self.assertEqual(len(box["outbox"][0]["messages"]), 10)
            self.assertEqual(box["outbox"][0]["waiting"], 30)
            self.assertLessEqual(len(box["outbox"][0]["messages"][0]["text"].encode()), 200)
            for limit in (0, 1001, "x"):
                self.assertIn("error", control.ask("outbox", limit=limit))

    def test_recall_takes_back_what_waits(self):
        alice, bob = self.pair()
        bob.stop()
        for words in ("one", "two", "three", "four", "five", "six"):
            alice.psst("say", "bob", words)
        rows = {m["text"]: m for m in alice.messages("bob")}
        self.assertIn("taken back: 1 message\n", alice.psst("recall", "bob").out)  # the last one
        alice.psst("recall", "bob", str(rows["two"]["seq"]))
        alice.psst("recall", "bob", rows["four"]["id"].upper())
        self.assertIn("was taken back already", alice.psst("recall", "bob", rows["four"]["id"], expect=FAILED).err)
        alice.psst("recall", "bob", "4711", expect=FAILED)
        alice.psst("recall", "bob", "0" * 32, expect=FAILED)
        alice.psst("recall", "bob", "yesterday", expect=USAGE)
        alice.psst("recall", "nobody", expect=NO_CONTACT)
        self.assertEqual(alice.contact("bob")["waiting"], 3)
        alice.restart()
        self.assertEqual(self.states(alice, "bob"),
                         ["waiting", "recalled", "waiting", "recalled", "waiting", "recalled"])
        self.assertRegex(alice.psst("log", "bob").out, r"x me +\| two")  # it stays, marked
        bob.start()
        alice.psst("dial", "bob")
        bob.wait_text("alice", "five")
        self.assertEqual(bob.texts("alice"), ["one", "three", "five"])
        wait_for("delivery", lambda: alice.contact("bob")["waiting"] == 0)
        self.assertIn("nothing was taken back", alice.psst("recall", "bob", "all", expect=FAILED).err)
        self.assertIn("no such message", alice.psst("recall", "bob", expect=FAILED).err)

    def test_recall_all_and_without_history(self):
        alice = self.alone()
        alice.psst("history", "mallory", "off")
        for words in ("one", "two", "three"):
            alice.psst("say", "mallory", words)
        with alice.control() as control:
            control.call("subscribe", events=["message.state"])
            waiting = alice.spawn("say", "mallory", "--wait", "20", "four")
            wait_for("it to be stored", lambda: alice.contact("mallory")["waiting"] == 4)
            self.assertIn("taken back: 4 messages", alice.psst("recall", "mallory", "all").out)
            self.assertEqual([control.event("message.state")["state"] for _ in range(4)], ["recalled"] * 4)
        self.assertIn("taken back", alice.finish(waiting, expect=FAILED).err)
        self.assertEqual([m["text"] for m in alice.messages("mallory")], [""] * 4)
        self.assertEqual(alice.contact("mallory")["waiting"], 0)
        mallory = self.caller_of(alice)
        alice.psst("say", "mallory", "five")
        self.assertEqual(mallory.hear()[2], "five")

    def test_recall_while_it_is_sent_is_one_or_the_other(self):
        """Walk and recall race: what was taken back never arrives, what arrived was never taken back."""
        alice = self.alone()
        with alice.control() as control:
            for i in range(200):
                control.call("say", name="mallory", text=str(i))
            control.next += 1
            mallory = self.caller_of(alice)
            taken = control.call("recall", name="mallory", all=True)["recalled"]
        states = [m["state"] for m in alice.messages("mallory", "-n", "300")]
        self.assertEqual(states.count("recalled"), taken)
        expected = [str(i) for i, state in enumerate(states) if state != "recalled"]
        alice.psst("say", "mallory", "the end")
        heard = []
        while not heard or heard[-1] != "the end":
            heard.append(mallory.hear()[2])
        self.assertEqual(heard[:-1], expected)

    # ---- order ----

    def test_nothing_overtakes_what_was_not_accepted(self):
        """As receiver: what stands behind a text that was refused for now is refused too, until that one comes again."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        bob.psst("pause", "mallory")
        ids = [mallory.say(words) for words in ("one", "two")]
        for msg_id in ids:
            self.assertEqual(mallory.wait_not_accepted(msg_id), 4)
        bob.psst("unpause", "mallory")
        ids.append(mallory.say("three"))
        self.assertEqual(mallory.wait_not_accepted(ids[2]), 4)  # one is still missing
        for words, msg_id in zip(("one", "two", "three"), ids):
            mallory.say(words, msg_id)
        for msg_id in ids:
            mallory.wait_ack(msg_id)
        self.assertEqual(bob.texts("mallory"), ["one", "two", "three"])
        self.assertEqual(bob.counter("texts-not-saved"), 0)

    def test_a_refused_text_is_sent_again_before_those_behind_it(self):
        """As sender: it stops, and begins anew at the oldest."""
        alice = self.alone()
        mallory = self.caller_of(alice)
        alice.psst("say", "mallory", "one")
        first = mallory.hear(ack=False)
        mallory.send_chunk(peer.NOT_ACCEPTED, first[0] + b"\x03")
        wait_for("the refusal", lambda: "cannot save it now" in alice.psst("outbox").out)
        alice.psst("say", "mallory", "two")  # asks again at once: one at a time
        again = mallory.hear(ack=False)
        self.assertEqual((again[0], again[2]), (first[0], "one"))
        mallory.ping()
        self.assertEqual([c for c in mallory.inbox if c[0] == peer.TEXT], [])
        mallory.send_chunk(peer.ACK, again[0])
        self.assertEqual(mallory.hear()[2], "two")
        wait_for("delivery", lambda: self.states(alice, "mallory") == ["delivered", "delivered"])
        self.assertIn("nothing waits", alice.psst("outbox").out)

    # ---- receipts ----

    def test_receipts_tell_what_was_shown_and_only_when_on(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        before = mallory.say("before")
        mallory.wait_ack(before)
        bob.psst("log", "mallory")  # off: nobody is told
        self.assertFalse(bob.contact("mallory")["receipts"])
        self.assertIn("is told from now on", bob.psst("receipts", "mallory", "on").out)
        self.assertTrue(bob.contact("mallory")["receipts"])
        ids = [mallory.say("text %d" % i) for i in range(3)]
        for msg_id in ids:
            mallory.wait_ack(msg_id)
        bob.psst("log", "mallory")
        self.assertEqual(mallory.wait_read(), ids)
        more = [mallory.say("more %d" % i) for i in range(70)]
        mallory.wait_ack(more[-1])
        bob.psst("log", "mallory", "-n", "100")
        told = mallory.wait_read() + mallory.wait_read(timeout=15)
        self.assertEqual(told, more)  # 64 at a time
        bob.psst("receipts", "mallory", "maybe", expect=USAGE)
        bob.psst("receipts", "nobody", "on", expect=NO_CONTACT)

    def test_what_is_read_off_line_is_told_at_the_next_session(self):
        alice, bob = self.pair()
        bob.psst("receipts", "alice", "on")
        alice.psst("say", "bob", "--wait", "10", "hello")
        alice.stop()
        self.assertEqual(bob.texts("alice"), ["hello"])
        bob.restart()
        alice.start()
        alice.psst("dial", "bob")
        wait_for("the receipt", lambda: self.states(alice, "bob") == ["read"], 15)
        bob.psst("receipts", "alice", "off")
        alice.psst("say", "bob", "--wait", "10", "not your business")
        bob.wait_text("alice", "not your business")
        bob.psst("receipts", "alice", "on")  # what was read meanwhile stays untold
        alice.psst("say", "bob", "--wait", "10", "hello again")
        bob.wait_text("alice", "hello again")
        wait_for("the receipt", lambda: self.states(alice, "bob")[-1] == "read", 15)
        self.assertEqual(self.states(alice, "bob"), ["read", "delivered", "read"])


@unittest.skipUnless(os.geteuid() == 0, "needs root, to mount a small tmpfs")
class FullDisk(E2E):
    def on_small_disk(self, name):
        """A person whose home is a file system of 48 MiB; psstd keeps 32 MiB of it free of what others send."""
        someone = self.person(name, init=False, start=False)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=700", "tmpfs", someone.home],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("no tmpfs can be mounted: " + mounted.stderr.decode().strip())
        self.addCleanup(self.unmount, someone)
        someone.write("config", "listen = %s\n" % someone.listen)
        return someone.start().init()

    def unmount(self, someone):
        if someone.daemon is not None:
            someone.kill()
        subprocess.run(["umount", "-l", someone.home], check=False)

    def fill(self, someone):
        """To the last byte."""
        path = someone.path("ballast")
        with open(path, "wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass
        return path

    def test_say_says_that_the_disk_is_full_and_keeps_nothing_in_part(self):
        """Attack 48."""
        alice = self.on_small_disk("alice")
        alice.befriend(key("a2048"), "mallory")
        alice.psst("say", "mallory", "before")
        ballast = self.fill(alice)
        full = alice.psst("say", "mallory", "x" * 60000, expect=FAILED)
        self.assertIn("not saved: the disk is full", full.err)
        self.assertEqual(alice.texts("mallory"), ["before"])
        self.assertEqual(alice.contact("mallory")["waiting"], 1)
        os.unlink(ballast)
        alice.psst("say", "mallory", "after")
        alice.restart()
        self.assertEqual(alice.texts("mallory"), ["before", "after"])
        mallory = peer.Peer.call(alice.address, key("a2048"), alice.public)
        self.addCleanup(mallory.close)
        self.assertEqual([mallory.hear()[2], mallory.hear()[2]], ["before", "after"])

    def test_a_full_disk_over_there_goes_on_by_itself(self):
        """Attack 48: nothing acknowledged, nothing lost, nothing doubled, in order, and nobody has to do anything."""
        alice, bob = self.person("alice"), self.on_small_disk("bob")
        self.introduce(alice, bob)
        alice.psst("say", "bob", "--wait", "10", "before")
        ballast = bob.path("ballast")
        with open(ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, 20 << 20)
        for i in range(5):
            alice.psst("say", "bob", "text %d" % i)
        wait_for("a refusal", lambda: bob.counter("texts-not-saved") > 0)
        late = alice.psst("say", "bob", "--wait", "1", "the last one", expect=UNREACHABLE)
        self.assertIn("cannot save it now", late.err)
        self.assertIn("cannot save it now; tried again in", alice.psst("outbox").out)
        self.assertEqual(bob.texts("alice"), ["before"])
        self.assertEqual(alice.contact("bob")["waiting"], 6)
        os.unlink(ballast)
        wait_for("all to go by itself", lambda: alice.contact("bob")["waiting"] == 0, 60)
        self.assertEqual(bob.texts("alice"), ["before"] + ["text %d" % i for i in range(5)] + ["the last one"])
        self.assertEqual(alice.status()["counters"]["sessions"], 1)


if __name__ == "__main__":
    unittest.main()
