"""Presence: how one shows oneself to all or to one, what comes of it on the other side, and not being seen at all."""
import random
import secrets
import time

import peer
import wire
from psst import E2E, PATIENCE, UNREACHABLE, USAGE, key, wait_for

NO_ANSWER = "no answer from"


def shown(person, name):
    """(state, text) of that contact, as this person's psstd has it."""
    contact = person.contact(name)
    return contact["presence"], contact["presence_text"]


def stranger():
    """A key that nobody has: good for a claim, which is all that is needed."""
    return wire.PublicKey(secrets.randbits(1024) | 1 << 1023 | 1, 65537)


class Presence(E2E):
    def session(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        bob.wait_session("alice")
        return alice, bob

    def wait_shown(self, person, name, state, text=""):
        wait_for("%s to be %s" % (name, state), lambda: shown(person, name) == (state, text))

    # ---- what is shown ----

    def test_state_and_words_arrive(self):
        alice, bob = self.session()
        self.assertEqual(shown(bob, "alice"), ("online", ""))
        with bob.control() as control:
            control.call("subscribe", events=["presence"])
            got = alice.psst("presence", "away", "Back", "at three")
            self.assertIn("to everybody you are away: Back at three", got.out)
            event = control.event("presence", lambda p: p["state"] == "away")
        self.assertEqual((event["contact"], event["text"]), ("alice", "Back at three"))
        self.assertEqual(shown(bob, "alice"), ("away", "Back at three"))
        self.assertRegex(bob.psst("contacts").out, r'alice +away .*"Back at three"')
        self.assertIn('away  "Back at three"', bob.psst("status").out)
        alice.psst("presence", "online")
        self.wait_shown(bob, "alice", "online")
        alice.psst("hangup", "bob")
        bob.wait_session("alice", 0)
        contact = bob.contact("alice")
        self.assertEqual(contact["presence"], "offline")
        self.assertLess(abs(contact["seen_ms"] / 1000 - time.time()), 60)
        self.assertIn("last seen", bob.psst("contacts").out)

    def test_at_the_beginning_of_a_session_and_after_a_restart(self):
        alice, bob = self.pair()
        alice.psst("presence", "busy", "writing")
        alice.restart()
        alice.psst("dial", "bob")
        self.wait_shown(bob, "alice", "busy", "writing")
        self.assertEqual(shown(alice, "bob"), ("online", ""))

    def test_for_one_contact(self):
        alice, bob = self.session()
        carol = self.person("carol")
        self.introduce(alice, carol)
        alice.psst("dial", "carol")
        carol.wait_session("alice")
        alice.psst("presence", "away", "lunch")
        got = alice.psst("presence", "dnd", "for you only", "--for", "Bob")
        self.assertIn("but to bob you are busy, do not disturb: for you only", got.out)
        self.wait_shown(bob, "alice", "busy", "for you only")
        self.wait_shown(carol, "alice", "away", "lunch")
        alice.restart()
        self.assertEqual(alice.psst("presence", "--json").json(),
                         {"state": "away", "text": "lunch",
                          "exceptions": [{"contact": "bob", "state": "busy", "text": "for you only"}]})
        self.assertEqual(alice.contact("bob")["shows"], {"state": "busy", "text": "for you only"})
        self.assertEqual(alice.psst("presence", "as-all", "--for", "bob", "--json").json()["exceptions"], [])
        alice.psst("dial", "bob")
        self.wait_shown(bob, "alice", "away", "lunch")

    def test_wrong_usage(self):
        alice, bob = self.pair()
        for args in (("sleeping",), ("as-all",), ("away", "x" * 141), ("invisible", "with words"), ("--for", "bob"),
                     ("as-all", "words", "--for", "bob")):
            alice.psst("presence", *args, expect=USAGE)
        alice.psst("presence", "away", "--for", "nobody", expect=4)
        alice.psst("presence", "away", "ä" * 70)
        with alice.control() as control:
            for params in ({"state": 1}, {"state": "away", "text": 7}, {"state": "away", "text": "x" * 141},
                           {"text": "x", "state": None}, {"for": "bob"}, {"state": "as-all"}):
                self.assertIn("error", control.ask("presence", **params), params)
        self.assertEqual(alice.psst("presence", "--json").json()["text"], "ä" * 70)

    def test_do_not_disturb_rings_no_bell(self):
        alice, bob = self.session()
        with bob.control() as control:
            control.call("subscribe", events=["message", "file"])
            alice.psst("say", "bob", "loud")
            self.assertNotIn("quiet", control.event("message", lambda m: m["text"] == "loud"))
            bob.psst("presence", "busy", "--for", "alice")
            alice.psst("say", "bob", "soft")
            self.assertIs(control.event("message", lambda m: m["text"] == "soft")["quiet"], True)
            alice.psst("send", "bob", alice.write("f", "x"))
            self.assertIs(control.event("file")["quiet"], True)
            bob.psst("presence", "away", "--for", "alice")
            alice.psst("say", "bob", "loud again")
            self.assertNotIn("quiet", control.event("message", lambda m: m["text"] == "loud again"))

    def test_chat_shows_it_as_a_line_of_ours(self):
        alice, bob = self.session()
        alice.psst("say", "bob", "--wait", "10", "the first")
        log = bob.spawn("log", "alice", "-f")
        while b"the first" not in log.stdout.readline():
            pass
        alice.psst("say", "bob", "--wait", "10", "the second")
        self.assertIn(b"the second", log.stdout.readline())  # from here on it follows
        alice.psst("presence", "away", "--", "-- alice | fake")
        self.wait_shown(bob, "alice", "away", "-- alice | fake")
        self.assertEqual(log.stdout.readline().decode(), '-- alice is away, "-- alice | fake"\n')
        alice.psst("say", "bob", "--wait", "10", "behind the gutter\n-- alice is busy")
        self.assertRegex(log.stdout.readline().decode(), r"alice \| behind the gutter\n")
        self.assertRegex(log.stdout.readline().decode(), r"^ +\| -- alice is busy\n")
        log.kill()
        log.communicate()

    # ---- on the wire ----

    def test_what_psstd_sends(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        mallory.ping()
        self.assertEqual(mallory.presence, [])  # plainly there: nothing is said
        bob.psst("presence", "away", "on the moon")
        mallory.wait_presence(2, "on the moon")
        # more changes in a moment than may be sent: fewer chunks, and the last one counts
        for i in range(30):
            bob.psst("presence", "busy", "change %d" % i)
        bob.psst("presence", "online", "settled")
        mallory.wait_presence(1, "settled", timeout=60)
        self.assertLessEqual(len(mallory.presence), 12 + 12)
        mallory.bye()
        bob.wait_session("mallory", 0)
        again = peer.Peer.call(bob.address, mallory.me, bob.public)
        self.addCleanup(again.close)
        again.wait_presence(1, "settled")
        self.assertEqual(len(again.presence), 1)

    def test_hostile_words_are_harmless(self):
        """Attacks 34 to 39."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        for words in ("\x1b]52;c;ZXZpbA==\x07\x1b[2J", "\u202egnp.exe", "a\r\nb\nmallory  online", "e" + "\u0301" * 60,
                      "%n%s<b>", "\u200b\ufeff"):
            mallory.show(2, words)
            mallory.show(3, "mark " + words[:5])
            wait_for("it to be shown", lambda: shown(bob, "mallory")[1].startswith("mark"))
            for args in (("contacts",), ("status",)):
                out = bob.psst(*args).out
                for bad in "\x1b\x07\x9b\u202e\u200b\ufeff\r":
                    self.assertNotIn(bad, out)
                self.assertEqual(len([line for line in out.splitlines() if line.startswith("mallory")]), 1)
            mallory.show(1)
            self.wait_shown(bob, "mallory", "online")
        self.assertAlive(bob)

    def test_malformed_and_unknown_states(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        mallory.show(2, "good")
        for data in (b"", b"\x02\xff", b"\x02" + b"x" * 141, b"\x02a\x00b", b"\x03\xed\xa0\x80"):
            mallory.send_chunk(peer.PRESENCE, data)
        mallory.ping()
        self.assertEqual(shown(bob, "mallory"), ("away", "good"))
        mallory.send_chunk(peer.PRESENCE, b"\x09later")
        self.wait_shown(bob, "mallory", "online", "later")
        mallory.show(3, "x" * 140)
        self.wait_shown(bob, "mallory", "busy", "x" * 140)

    def test_a_flood_ends_the_session(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        for i in range(24 + 64):
            mallory.show(1 + i % 3, "flood %d" % i)
        mallory.ping()
        self.assertEqual(shown(bob, "mallory")[1], "flood 23")  # those that came after are skipped
        mallory.show(2, "one too many")
        mallory.wait_end()
        bob.wait_session("mallory", 0)
        self.assertAlive(bob)

    # ---- not being seen ----

    def test_invisible_to_all(self):
        alice, bob = self.session()
        got = alice.psst("presence", "invisible")
        self.assertIn("to everybody you are invisible", got.out)
        alice.wait_session("bob", 0)
        with bob.control() as control:
            bob.wait_session("alice", 0)
            self.assertEqual(shown(bob, "alice")[0], "offline")
            result = bob.psst("dial", "alice", expect=UNREACHABLE, timeout=60)
            self.assertIn(NO_ANSWER, result.err)
            self.assertNotIn("added", result.err)
            self.assertIsNotNone(control)
        self.assertGreaterEqual(alice.counter("callers-not-to-see-us"), 1)
        bob.psst("say", "alice", "are you there?")
        alice.restart()  # and so it stays
        bob.psst("dial", "alice", expect=UNREACHABLE, timeout=60)
        self.assertEqual(alice.sessions(), [])
        alice.psst("presence", "online")
        bob.psst("dial", "alice")
        alice.wait_text("bob", "are you there?")

    def test_the_bye_is_that_of_one_who_stops(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        bob.psst("presence", "invisible", "--for", "mallory")
        self.assertEqual(mallory.expect(peer.BYE), b"\x04")

    def test_not_a_byte_after_m2(self):
        bob = self.person("bob")
        me = key("a2048")
        bob.befriend(me, "mallory")
        bob.psst("presence", "invisible", "--for", "mallory")
        begun = time.monotonic()
        mallory = peer.Peer.call(bob.address, me, bob.public, stop_after="M3")
        self.addCleanup(mallory.close)
        with self.assertRaises(peer.Closed) as closed:
            mallory.read_exact(wire.M4_LEN, timeout=60)
        self.assertIn("after 0 of", str(closed.exception))  # an orderly end, and nothing before it
        self.assertGreaterEqual(time.monotonic() - begun, 19)

    def test_written_by_hand_one_is_seen(self):
        alice, bob = self.session()
        alice.psst("presence", "invisible", "--for", "bob")
        bob.wait_session("alice", 0)
        bob.psst("dial", "alice", expect=UNREACHABLE, timeout=60)
        alice.psst("say", "bob", "--wait", "20", "it is me")
        self.assertEqual(len(alice.sessions("bob")), 1)
        self.assertEqual(shown(bob, "alice"), ("online", ""))  # what he cannot see is not told otherwise either
        alice.psst("presence", "invisible", "--for", "bob")
        alice.wait_session("bob", 0)

    def test_nobody_learns_from_silence_whom_one_knows(self):
        """Who claims to be somebody gets M4 or silence; some strangers get the one, some the other, and always the same."""
        bob = self.person("bob")
        hidden, seeing = key("a2048"), key("a1024")
        bob.befriend(hidden, "hidden")
        bob.befriend(seeing, "seeing")
        strangers = [stranger() for _ in range(20)]

        def answers(keys):
            """Whether M4 comes, for each claim; all at once, from addresses of their own."""
            calls = [peer.Peer.call(bob.address, me, bob.public, stop_after="M3",
                                    source="127.0.%d.%d" % (random.randrange(1, 250), random.randrange(1, 250)))
                     for me in keys]
            deadline, got = time.monotonic() + 3 * PATIENCE, []
            for call in calls:
                try:
                    call.read_exact(wire.M4_LEN, max(deadline - time.monotonic(), 0.05))
                    got.append(True)
                except TimeoutError:
                    got.append(False)
                call.close()
            return got

        self.assertEqual(answers([hidden, seeing] + strangers), [True] * 22)
        bob.psst("presence", "invisible", "--for", "hidden")
        first = answers([hidden, seeing] + strangers)
        self.assertEqual(first[:2], [False, True])
        self.assertIn(True, first[2:])
        self.assertIn(False, first[2:])
        bob.restart()
        self.assertEqual(answers([hidden, seeing] + strangers), first)
        bob.psst("presence", "invisible")
        bob.psst("presence", "as-all", "--for", "hidden")
        self.assertEqual(answers([hidden, seeing] + strangers), [False] * 22)
        bob.psst("presence", "online", "--for", "seeing")
        self.assertEqual(answers([hidden, seeing] + strangers), first)
