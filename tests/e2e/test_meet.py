"""Agreed times: on both sides, over restarts, called off, refused; and what a hostile peer makes of the chunk."""
import os
import time

import peer
from psst import E2E, FAILED, NO_CONTACT, USAGE, wait_for

HOUR = 3600 * 1000
DAY = 24 * HOUR


def now_ms():
    return int(time.time() * 1000)


class Meet(E2E):
    def meets(self, person, *args):
        return person.psst("meet", *args, "--json").json()

    def wait_meets(self, person, *states):
        """The meetings of that person, once they are in these states."""
        return wait_for("meetings %s" % (states,), lambda: (lambda got: got if [m["state"] for m in got] == list(states)
                                                            else None)(self.meets(person)) or
                        (not states and not self.meets(person)))

    def propose(self, person, name, time_ms):
        with person.control() as control:
            return control.call("meet", name=name, time_ms=time_ms)["id"]

    # ---- between two psstd ----

    def test_both_sides_know_it(self):
        alice, bob = self.pair()
        with bob.control() as control:
            control.call("subscribe", events=["meet"])
            got = alice.psst("meet", "bob", "+2d")
            self.assertIn("both sides will be there", got.out)
            event = control.event("meet")
        here, there = self.wait_meets(alice, "agreed")[0], self.wait_meets(bob, "agreed")[0]
        self.assertEqual(here["time_ms"], there["time_ms"])
        self.assertEqual(event["time_ms"], there["time_ms"])
        self.assertLess(abs(here["time_ms"] - now_ms() - 2 * DAY), 60000)
        self.assertEqual((here["direction"], there["direction"]), ("out", "in"))
        self.assertEqual((here["due"], there["contact"]), (False, "alice"))
        self.assertIn("agreed", alice.psst("meet").out)
        self.assertIn("alice wants to meet", bob.psst("status").out)
        self.assertIn("-- alice wants to meet: ", bob.psst("log", "alice").out)
        self.assertIn("-- bob knows that you meet: ", alice.psst("log", "bob").out)
        alice.restart(), bob.restart()
        self.wait_meets(alice, "agreed")
        self.wait_meets(bob, "agreed")

    def test_it_waits_for_the_next_session_like_a_message(self):
        alice, bob = self.pair()
        bob.stop()
        alice.psst("meet", "bob", "tomorrow 9:00")
        self.assertEqual(self.meets(alice)[0]["state"], "waiting")
        self.assertIn("not known over there yet", alice.psst("meet", "bob").out)
        alice.kill()
        alice.start()
        bob.start()
        # nobody does anything: that something waits is reason enough to call
        self.wait_meets(bob, "agreed")
        self.wait_meets(alice, "agreed")

    def test_either_side_calls_it_off(self):
        alice, bob = self.pair()
        for first, second in ((alice, bob), (bob, alice)):
            alice.psst("meet", "bob", "+3h")
            self.wait_meets(bob, "agreed")
            self.wait_meets(alice, "agreed")
            with second.control() as control:
                control.call("subscribe", events=["meet"])
                self.assertIn("called off", first.psst("meet", second.name, "cancel").out)
                event = control.event("meet", lambda m: m["state"] == "cancelled")
            self.assertIn(first.name, event["reason"])
            self.wait_meets(alice)
            self.wait_meets(bob)

    def test_called_off_while_the_other_is_away(self):
        alice, bob = self.pair()
        alice.psst("meet", "bob", "+3h")
        self.wait_meets(bob, "agreed")
        bob.stop()
        self.wait_meets(alice, "agreed")
        alice.psst("meet", "bob", "cancel", str(self.meets(alice)[0]["id"]))
        self.assertEqual(self.meets(alice)[0]["state"], "cancelling")
        self.assertIn("called off", alice.psst("meet").out)
        alice.restart()
        bob.start()
        self.wait_meets(alice)
        self.wait_meets(bob)

    def test_which_one(self):
        alice, bob = self.pair()
        alice.psst("meet", "bob", "cancel", expect=FAILED)
        alice.psst("meet", "bob", "+1h")
        alice.psst("meet", "bob", "+2h")
        self.assertIn("which", alice.psst("meet", "bob", "cancel", expect=FAILED).err)
        first, second = self.meets(alice, "bob")
        self.assertLess(first["time_ms"], second["time_ms"])
        alice.psst("meet", "bob", "cancel", "777", expect=FAILED)
        alice.psst("meet", "bob", "cancel", "x", expect=USAGE)
        alice.psst("meet", "bob", "cancel", str(first["id"]))
        self.wait_meets(bob, "agreed")
        self.assertEqual(self.wait_meets(alice, "agreed")[0]["id"], second["id"])

    def test_wrong_times_and_people(self):
        alice, bob = self.pair()
        for text in ("25:00", "noon", "+0m", "+31d", "2020-01-01 10:00", "+", "+5", "12:60", "2026-13-01 10:00"):
            alice.psst("meet", "bob", text, expect=USAGE)
        alice.psst("meet", "nobody", "+1h", expect=NO_CONTACT)
        alice.psst("block", "bob")
        self.assertIn("blocked", alice.psst("meet", "bob", "+1h", expect=FAILED).err)
        with alice.control() as control:
            for params in ({"name": "bob"}, {"name": "bob", "time_ms": "x"}, {"name": "bob", "time_ms": -5}):
                self.assertIn("error", control.ask("meet", **params))
            control.call("contact.unblock", name="bob")
            for time_ms in (now_ms() - 1000, now_ms() + 31 * DAY, 2 ** 62):
                self.assertEqual(control.ask("meet", name="bob", time_ms=time_ms)["error"]["data"]["exit"], USAGE)
            self.assertIn("error", control.ask("meet.cancel", id=4))
        self.assertEqual(self.meets(alice), [])

    def test_sixteen_and_no_more(self):
        alice, bob = self.pair()
        bob.stop()
        for i in range(16):
            self.propose(alice, "bob", now_ms() + (i + 1) * HOUR)
        self.assertIn("16", alice.psst("meet", "bob", "+20h", expect=FAILED).err)
        bob.start()
        # at most 12 chunks go in a minute; the rest follow
        wait_for("some", lambda: len(self.meets(bob)) >= 5)
        wait_for("all", lambda: len(self.meets(bob)) == 16, 150)
        self.wait_meets(alice, *["agreed"] * 16)

    def test_paused(self):
        alice, bob = self.pair()
        bob.psst("pause", "alice")
        with alice.control() as control:
            control.call("subscribe", events=["meet"])
            alice.psst("meet", "bob", "+1h")
            event = control.event("meet", lambda m: "reason" in m)
        self.assertEqual(event["state"], "waiting")
        self.assertIn("paused", event["reason"])
        self.assertEqual(self.meets(bob), [])
        bob.psst("unpause", "alice")
        alice.psst("hangup", "bob")
        alice.wait_session("bob", 0)
        alice.psst("dial", "bob")  # in the next session it is said again
        self.wait_meets(bob, "agreed")
        self.wait_meets(alice, "agreed")

    def test_a_contact_removed_takes_the_meetings_along(self):
        alice, bob = self.pair()
        alice.psst("meet", "bob", "+1h")
        self.wait_meets(bob, "agreed")
        bob.psst("remove", "alice")
        self.assertEqual(self.meets(bob), [])
        bob.restart()
        self.assertEqual(self.meets(bob), [])

    # ---- when the time has come ----

    def test_both_try_hard_when_it_is_time(self):
        alice, bob = self.pair()
        alice.psst("meet", "bob", "+1h")
        self.wait_meets(bob, "agreed")
        bob.stop()
        alice.psst("hangup", "bob", expect=None)
        with alice.control() as control:
            control.call("subscribe", events=["meet"])
            # within half a minute: it is time at once
            number = self.propose(alice, "bob", now_ms() + 20000)
            event = control.event("meet", lambda m: m["due"])
        self.assertEqual(event["id"], number)
        self.assertIn("it is time", alice.psst("status").out)
        bob.start()
        bob.wait_session("alice", timeout=10)
        wait_for("bob to know", lambda: any(m["due"] for m in self.meets(bob)))

    def test_it_is_time_at_once(self):
        alice, bob = self.pair()
        bob.stop()
        self.propose(alice, "bob", now_ms() + 1500)
        self.assertIs(self.meets(alice)[0]["due"], True)

    # ---- a hostile peer ----

    def test_committed_before_it_is_acknowledged(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        when = now_ms() + HOUR
        first = mallory.meet(when)
        mallory.wait_ack(first)
        bob.kill()
        bob.start()
        self.assertEqual([m["time_ms"] for m in self.wait_meets(bob, "agreed")], [when])
        again = peer.Peer.call(bob.address, mallory.me, bob.public)
        self.addCleanup(again.close)
        again.wait_ack(again.meet(when, first))  # the same once more
        self.assertEqual(again.wait_not_accepted(again.meet(when + 1, first)), 2)
        self.assertEqual(len(self.meets(bob)), 1)
        again.wait_ack(again.meet(0, first))
        self.assertEqual(self.meets(bob), [])
        again.wait_ack(again.meet(0, first))  # off is off
        again.wait_ack(again.meet(0))  # and what never was

    def test_impossible_times(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        for time_ms in (now_ms() + 32 * DAY, 2 ** 63, 2 ** 64 - 1):
            self.assertEqual(mallory.wait_not_accepted(mallory.meet(time_ms)), 1)
        for time_ms in (1, now_ms() - HOUR):
            mallory.wait_ack(mallory.meet(time_ms))  # there is nothing left to be done about it
        self.assertEqual(self.meets(bob), [])

    def test_malformed_and_too_many(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        for data in (b"", os.urandom(15), os.urandom(23), os.urandom(25), os.urandom(500)):
            mallory.send_chunk(peer.MEET, data)
        ids = [mallory.meet(now_ms() + HOUR + i) for i in range(17)]
        for meet_id in ids[:16]:
            mallory.wait_ack(meet_id)
        self.assertEqual(mallory.wait_not_accepted(ids[16]), 3)
        self.assertEqual(len(self.meets(bob)), 16)
        # over 24 a minute are skipped, over 64 skipped ones end the session
        for _ in range(24 - 17 + 64 - 5):
            mallory.meet(now_ms() + HOUR)
        mallory.ping()
        mallory.meet(now_ms() + HOUR)
        mallory.wait_end()
        bob.wait_session("mallory", 0)
        self.assertAlive(bob)

    def test_one_who_does_not_know_meetings(self):
        """It is told once in each session, and never more often."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        bob.psst("meet", "mallory", "+1h")
        number, when = mallory.hear_meet(ack=False)
        self.assertEqual([m for m in mallory.pump(1) if m[0] == peer.MEET], [])
        mallory.bye()
        bob.wait_session("mallory", 0)
        again = peer.Peer.call(bob.address, mallory.me, bob.public)
        self.addCleanup(again.close)
        self.assertEqual(again.hear_meet(), (number, when))
        self.wait_meets(bob, "agreed")
        bob.psst("meet", "mallory", "cancel")
        self.assertEqual(again.hear_meet(ack=False), (number, 0))
        again.bye()
        bob.wait_session("mallory", 0)
        third = peer.Peer.call(bob.address, mallory.me, bob.public)
        self.addCleanup(third.close)
        self.assertEqual(third.hear_meet(), (number, 0))
        self.wait_meets(bob)

    def test_refused_for_good(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        with bob.control() as control:
            control.call("subscribe", events=["meet"])
            bob.psst("meet", "mallory", "+1h")
            number, _ = mallory.hear_meet(ack=False)
            mallory.send_chunk(peer.NOT_ACCEPTED, number + b"\x01")
            self.assertEqual(control.event("meet", lambda m: m["state"] == "refused")["contact"], "mallory")
        self.assertEqual(self.meets(bob), [])

    def test_acknowledged_before_it_was_called_off(self):
        """The acknowledgement of a proposal is not taken for that of its end."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        bob.psst("meet", "mallory", "+1h")
        number, _ = mallory.hear_meet(ack=False)
        bob.psst("meet", "mallory", "cancel")
        self.assertEqual(mallory.hear_meet(ack=False), (number, 0))
        mallory.send_chunk(peer.ACK, number)
        mallory.ping()
        self.assertEqual(self.meets(bob)[0]["state"], "cancelling")
        mallory.send_chunk(peer.ACK, number)
        self.wait_meets(bob)
        mallory.send_chunk(peer.ACK, number)  # attack 21
        mallory.wait_ack(mallory.say("still here"))
