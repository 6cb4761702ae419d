"""Lines that break, and come back by themselves: machines of their own (nets.py), links that go down, packets that vanish,
addresses that change, daemons that are killed; and whom psstd calls without being asked. How fast is bench/recovery.py's
business: here all comes back, and every message once."""
import threading
import time
import unittest

import nets
import peer
import psst
import wire
from psst import DONE, E2E, FAILED, UNREACHABLE, key, wait_for

SOON = 60  # seconds: only guards a hang


class Apart(E2E):
    """Two people on two machines."""

    def machines(self, net):
        self.addCleanup(net.close)
        self.net = net
        self.alice, self.bob = (self.person(name, host=net.ADDRESS[name], space=net.spaces[name])
                                for name in ("alice", "bob"))
        self.introduce(self.alice, self.bob)
        self.alice.psst("say", "bob", "--wait", "20", "hello")
        self.bob.psst("say", "alice", "--wait", "20", "hello yourself")
        self.said = {"alice": ["hello"], "bob": ["hello yourself"]}
        return self.alice, self.bob

    def say(self, who, text):
        """Stored; it goes when it can."""
        self.said[who.name].append(text)
        with who.control() as control:
            control.call("say", name="bob" if who is self.alice else "alice", text=text)

    def assertAllOnce(self, timeout=SOON):
        """Everything said has arrived, in order, and nothing twice."""
        wait_for("all of alice's", lambda: self.bob.texts("alice", "in") == self.said["alice"], timeout)
        wait_for("all of bob's", lambda: self.alice.texts("bob", "in") == self.said["bob"], timeout)
        for one, other in ((self.alice, "bob"), (self.bob, "alice")):
            wait_for("acknowledgements", lambda: one.contact(other)["waiting"] == 0)

    def assertOneSession(self):
        """The same one on both sides."""
        def same():
            a, b = self.alice.sessions("bob"), self.bob.sessions("alice")
            return len(a) == len(b) == 1 and a[0]["role"] != b[0]["role"]
        wait_for("one session on both sides", same, SOON)


class Breaks(Apart):
    def test_the_link_goes_down_and_up(self):
        alice, bob = self.machines(nets.Pair())
        before = alice.counter("network-changes")
        self.net.link("alice", False)
        self.say(bob, "are you there?")
        self.say(alice, "I have no net")
        wait_for("the change", lambda: alice.counter("network-changes") > before)
        time.sleep(2)
        self.net.link("alice", True)
        self.assertAllOnce()
        self.assertOneSession()
        network = alice.status()["network"]
        self.assertGreater(network["changed_ms"], 1_500_000_000_000)
        self.assertRegex(network["what"], "interface|address|route")
        self.assertRegex(alice.psst("status").out, r"network +an? (interface|address|route)")

    def test_packets_vanish_for_a_moment(self):
        """Neither side can see it: three seconds without a packet, over and over."""
        alice, bob = self.machines(nets.Pair())
        for i in range(3):
            self.net.drop(True)
            self.say(alice, "from alice %d" % i)
            self.say(bob, "from bob %d" % i)
            time.sleep(3)
            self.net.drop(False)
            self.assertAllOnce()
        self.assertOneSession()

    def test_packets_vanish_for_longer_than_a_session_lives(self):
        """Attack 52: who waits for an answer gives up long before who has nothing to say."""
        alice, bob = self.machines(nets.Pair())
        with alice.control() as hers, bob.control() as his:
            hers.call("subscribe", events=["session"])
            his.call("subscribe", events=["session"])
            self.net.drop(True)
            self.say(alice, "nobody hears this yet")
            lost = hers.event("session", lambda p: p["state"] == "down", SOON)
            self.assertIn("does not answer any more", lost["reason"])
            self.assertEqual(len(bob.sessions("alice")), 1, "12 s with data waiting, 25 s without")
            lost = his.event("session", lambda p: p["state"] == "down", SOON)
            self.assertIn("does not answer any more", lost["reason"])
            self.net.drop(False)
            hers.event("session", lambda p: p["state"] == "up", SOON)
        self.say(bob, "there you are")
        self.assertAllOnce()
        self.assertOneSession()

    def test_a_half_open_session_gives_way(self):
        """The other side knows nothing of the break: its old session ends without anybody being told that the line is down."""
        alice, bob = self.machines(nets.Pair())
        with bob.control() as his:
            his.call("subscribe", events=["session"])
            self.net.move("alice", "10.77.1.9")
            self.say(alice, "I am elsewhere")
            his.event("session", lambda p: p["state"] == "up" and p["address"].startswith("10.77.1.9:"), SOON)
            self.assertAllOnce()
            self.assertOneSession()
            self.assertEqual([e for e in his.events if e["method"] == "session" and e["params"]["state"] == "down"], [])

    def test_both_move_one_after_the_other(self):
        """He who stays is called at the address he is known by, then at the one he was last seen at."""
        alice, bob = self.machines(nets.Pair())
        self.net.move("alice", "10.77.1.9")
        self.say(alice, "I am elsewhere")
        self.assertAllOnce()
        self.net.move("bob", "10.77.2.9")
        self.say(bob, "and now I am")
        self.assertAllOnce()
        self.assertOneSession()
        self.assertEqual(bob.sessions("alice")[0]["address"].partition(":")[0], "10.77.1.9")

    def test_killed_and_started_again(self):
        alice, bob = self.machines(nets.Pair())
        bob.kill()
        self.say(alice, "into the void")
        wait_for("the loss", lambda: not alice.sessions("bob"), SOON)
        bob.start()
        self.assertAllOnce()
        self.assertOneSession()

    def test_both_dial_at_once(self):
        """Attack 14: both have something to say when the line comes back; one session is left, the same for both."""
        alice, bob = self.machines(nets.Pair())
        for i in range(2):
            self.net.drop(True)
            for person in (alice, bob):
                self.say(person, "first %d" % i)
            wait_for("both are suspicious", lambda: alice.counter("sessions-suspected") > i
                     and bob.counter("sessions-suspected") > i, SOON)
            for person in (alice, bob):
                self.say(person, "second %d" % i)
            self.net.drop(False)
            self.assertAllOnce()
            self.assertOneSession()

    def test_a_dial_outlasts_the_hole(self):
        """Begun while nothing goes through, and answered because it is repeated."""
        alice, bob = self.machines(nets.Pair())
        alice.psst("hangup", "bob")
        self.net.drop(True)
        dialling = alice.spawn("dial", "bob")
        time.sleep(4)
        self.assertIsNone(dialling.poll())
        self.net.drop(False)
        alice.finish(dialling, ("dial", "bob"), expect=DONE)
        alice.psst("hangup", "bob")
        self.net.drop(True)
        got = alice.psst("dial", "bob", expect=UNREACHABLE, timeout=60)
        self.assertIn("no answer from bob", got.err)

    def test_a_file_goes_on(self):
        alice, bob = self.machines(nets.Pair())
        source = alice.write("big", bytes(range(256)) * 16384)
        alice.psst("send", "bob", source)
        offered = bob.wait_file(lambda f: f["state"] == "waiting")
        self.net.drop(True)
        bob.psst("accept", str(offered["id"]))
        time.sleep(3)
        self.net.drop(False)
        bob.wait_file(lambda f: f["state"] == "done", SOON)
        alice.wait_file(lambda f: f["state"] == "done", SOON)


class Busy(E2E):
    """Something else on this machine changes while one side is too busy to answer, or to listen: the line lives all the same."""

    def alone(self):
        """bob on a machine of his own, and mallory, who calls from there."""
        nets.needed()
        space = nets.Space("bob")
        self.addCleanup(space.close)
        bob = self.person("bob", space=space)
        bob.befriend(key("a2048"), "mallory")
        called = nets.inside(space, lambda: peer.Peer.call(bob.address, key("a2048"), bob.public, timeout=60))
        self.addCleanup(called.close)
        bob.wait_session("mallory")
        self.began = bob.counter("sessions")
        return space, bob, called

    def change(self, space, bob):
        """An interface comes or goes that has nothing to do with the line."""
        before = bob.counter("network-changes")
        space.ip("link add other type veth peer name end")
        space.ip("link set other up")
        space.ip("link set end up")
        wait_for("the change", lambda: bob.counter("network-changes") > before)
        space.ip("link del other")

    def assertSame(self, bob):
        self.assertEqual(bob.counter("sessions-probed-in-vain"), 0)
        self.assertEqual((bob.counter("sessions"), len(bob.sessions("mallory"))), (self.began, 1))

    def test_who_does_not_read_does_not_take_the_other_for_dead(self):
        """bob leaves a flood unread for seconds at a time, and with it whatever else is said."""
        space, bob, mallory = self.alone()

        def flood():
            try:
                for _ in range(600):
                    mallory.say(b"x" * wire.TEXT_MAX)
            except OSError:
                pass  # the test is over

        flooding = threading.Thread(target=flood, daemon=True)
        flooding.start()
        wait_for("the flood to be slowed", lambda: bob.counter("contacts-slowed") > 0, SOON)
        for _ in range(6):
            self.change(space, bob)
            time.sleep(1.5)
        self.assertSame(bob)
        mallory.reset()
        flooding.join()

    def test_who_is_too_busy_to_answer_is_not_taken_for_dead(self):
        """He reads nothing, and says of his own accord what docs/PROTOCOL.md wants of one who does not: a ping, each 4 s."""
        space, bob, mallory = self.alone()
        for _ in range(2):
            self.change(space, bob)
            time.sleep(4)
            mallory.send_chunk(peer.PING, b"I'm busy")
            time.sleep(1)
        self.assertSame(bob)


class Slow(Apart):
    def test_a_slow_line_is_left_alone(self):
        """Two seconds there and back: every answer takes longer than the patience for a fast line, and nothing is replaced."""
        alice, bob = self.machines(nets.Line())
        self.net.delay = 1.0
        for i in range(4):
            self.say(alice, "slowly %d" % i)
            self.say(bob, "likewise %d" % i)
            time.sleep(2)
        self.assertAllOnce()
        self.assertOneSession()
        time.sleep(15)  # a ping on both sides
        for person in (alice, bob):
            self.assertEqual(person.counter("sessions-probed-in-vain"), 0)
            self.assertEqual(len(person.sessions()), 1)
        begun = alice.counter("sessions")
        self.say(alice, "still the same line")
        self.assertAllOnce()
        self.assertEqual(alice.counter("sessions"), begun)

    def test_begun_on_a_slow_line(self):
        alice, bob = self.machines(nets.Line())
        alice.psst("hangup", "bob")
        self.net.delay = 0.75
        alice.psst("dial", "bob", timeout=60)
        self.assertEqual(len(alice.sessions("bob")), 1)
        begun = alice.counter("sessions")
        for i in range(4):
            self.say(alice, "slowly %d" % i)
            time.sleep(1)
        self.assertAllOnce()
        self.assertEqual(alice.counter("sessions"), begun)

    def test_a_lossy_line(self):
        """Attack 53: a fifth of all packets is lost; text is exact."""
        self.machines(nets.Line())
        self.net.delay, self.net.loss = 0.03, 0.2
        for i in range(20):
            self.say(self.alice, "alice %d" % i)
            self.say(self.bob, "bob %d" % i)
            time.sleep(0.3)
        self.assertAllOnce(90)
        self.net.loss = 0
        self.assertOneSession()


class Wanted(E2E):
    """Whom psstd calls by itself, on loopback."""

    def gone(self, person, name):
        wait_for("no session with " + name, lambda: not person.sessions(name))

    def test_whoever_went_off_line_is_called_back(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        bob.stop()
        self.gone(alice, "bob")
        self.assertTrue(alice.contact("bob")["redialled"])
        self.assertIn("being dialled", alice.psst("contacts").out)
        bob.start()
        alice.wait_session("bob", timeout=SOON)
        self.assertFalse(alice.contact("bob")["redialled"])

    def test_a_marked_contact_is_called_from_the_start_on(self):
        alice, bob = self.pair()
        got = alice.psst("reconnect", "bob", "on")
        self.assertIn("bob is dialled", got.out)
        alice.wait_session("bob", timeout=SOON)
        self.assertTrue(alice.contact("bob")["reconnect"])
        alice.kill()
        alice.start()
        alice.wait_session("bob", timeout=SOON)
        alice.psst("reconnect", "bob", "off")
        alice.kill()
        bob.psst("block", "alice")  # it is alice who would call
        bob.psst("unblock", "alice")
        alice.start()
        self.assertFalse(alice.contact("bob")["redialled"])
        alice.psst("reconnect", "bob", "perhaps", expect=psst.USAGE)

    def test_nobody_is_called_back_after_hanging_up(self):
        alice, bob = self.pair()
        for person, other in ((alice, "bob"), (bob, "alice")):
            person.psst("reconnect", other, "on")
        alice.wait_session("bob", timeout=SOON)
        wait_for("one session", lambda: len(alice.sessions()) == len(bob.sessions()) == 1, SOON)
        begun = alice.counter("sessions")
        alice.psst("hangup", "bob")
        self.gone(alice, "bob")
        self.gone(bob, "alice")
        time.sleep(3)
        self.assertEqual(alice.counter("sessions"), begun)
        self.assertFalse(alice.contact("bob")["redialled"])
        self.assertFalse(bob.contact("alice")["redialled"])
        bob.psst("say", "alice", "--wait", "20", "one more thing")  # until something new waits
        self.assertEqual(len(alice.sessions("bob")), 1)

    def test_a_blocked_contact_is_not_called(self):
        alice, bob = self.pair()
        alice.psst("reconnect", "bob", "on")
        alice.wait_session("bob", timeout=SOON)
        alice.psst("block", "bob")
        self.gone(alice, "bob")
        self.assertFalse(alice.contact("bob")["redialled"])
        alice.psst("unblock", "bob")
        alice.wait_session("bob", timeout=SOON)

    def test_what_waits_finds_its_way_once_an_address_is_known(self):
        alice, bob = self.person("alice"), self.person("bob")
        bob.add(alice.card(), "alice")
        card = bob.path("bare.psst")
        bob.psst("card", "-o", card)
        with open(card, encoding="utf-8") as file:
            alice.add(file.read(), "bob")
        alice.psst("address", "bob", "")
        alice.psst("say", "bob", "where are you?")
        self.assertFalse(alice.contact("bob")["redialled"])
        alice.psst("address", "bob", bob.listen)
        bob.wait_text("alice", "where are you?", SOON)

    def test_who_refuses_is_not_pestered(self):
        """Bob does not know alice: she is told, and does not try again every second."""
        alice, bob = self.person("alice"), self.person("bob")
        alice.add(bob.card(), "bob")
        alice.psst("say", "bob", "do you know me?")
        wait_for("the refusal", lambda: bob.counter("callers-unknown") > 0, SOON)
        time.sleep(4)
        self.assertLessEqual(bob.counter("callers-unknown"), 4)

    def test_a_session_that_breaks_at_once_is_not_begun_in_a_loop(self):
        """A contact whose every session breaks as soon as it stands."""
        bob = self.person("bob")
        me = key("a2048")
        import peer
        listener = peer.Listener(me, peer.contact(bob.public))
        self.addCleanup(listener.sock.close)
        bob.befriend(me, "mallory", listener.address)
        listener.sock.settimeout(0.5)
        bob.psst("reconnect", "mallory", "on")
        begun, until = 0, time.monotonic() + 10
        while time.monotonic() < until:
            try:
                mallory = listener.accept()
            except (TimeoutError, OSError):
                continue
            begun += 1
            mallory.close()
        self.assertGreater(begun, 1)
        self.assertLessEqual(begun, 6)

    def test_locking_and_unlocking(self):
        alice, bob = self.pair()
        alice.psst("reconnect", "bob", "on")
        alice.wait_session("bob", timeout=SOON)
        bob.restart()
        alice.wait_session("bob", timeout=SOON)
        self.assertEqual(alice.psst("reconnect", "nobody", "on", expect=psst.NO_CONTACT).code, psst.NO_CONTACT)
        self.assertEqual(alice.psst("hangup", "bob").code, DONE)
        self.assertIn("no session", alice.psst("hangup", "bob", expect=FAILED).err)


if __name__ == "__main__":
    unittest.main()
