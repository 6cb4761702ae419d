"""Two people talk: text both ways, its states, sessions and how they end, exit codes."""
import os
import select
import time
import unittest

from psst import E2E, FAILED, NO_CONTACT, REFUSED, UNREACHABLE, USAGE, alive, children, free_port, wait_for

TEXT_MAX = 65474


class Talk(E2E):
    def test_text_both_ways(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        alice.psst("say", "bob", "--wait", "10", "Hello", "Bob")
        bob.psst("say", "alice", "--wait", "10", "Hello Alice")
        sent, = [m for m in alice.messages("bob") if m["direction"] == "out"]
        self.assertEqual((sent["text"], sent["state"]), ("Hello Bob", "delivered"))
        got = bob.wait_text("alice", "Hello Bob")
        self.assertEqual(sent["id"], got["id"])
        self.assertRegex(got["id"], r"^[0-9a-f]{32}$")
        self.assertRegex(got["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertIn(got["state"], ("received", "shown"))
        self.assertEqual(bob.messages("alice")[0]["state"], "shown", "psst log has shown it")
        self.assertEqual(alice.texts("bob"), ["Hello Bob", "Hello Alice"])
        self.assertEqual(bob.texts("alice"), ["Hello Bob", "Hello Alice"])

    def test_a_long_passphrase_and_4096_bits(self):
        alice = self.person("alice", init=False)
        secret = alice.write("pass", "correct horse battery staple " * 4)
        alice.init("--passphrase-file", secret, bits=4096)
        bob = self.person("bob")
        self.introduce(alice, bob)
        bob.psst("say", "alice", "--wait", "10", "4096")
        alice.wait_text("bob", "4096")
        self.assertEqual(alice.status()["identity"]["bits"], 4096)
        self.assertFalse(alice.status()["identity"]["weak"])
        self.assertTrue(bob.status()["identity"]["weak"])

    def test_said_while_off_line_is_delivered_at_the_next_session(self):
        alice, bob = self.pair()
        bob.stop()
        self.assertIn("bob", alice.psst("dial", "bob", expect=UNREACHABLE).err.lower())
        alice.psst("say", "bob", "first")
        alice.psst("say", "bob", "--wait", "1", "second", expect=UNREACHABLE)
        self.assertEqual([m["state"] for m in alice.messages("bob")], ["waiting", "waiting"])
        self.assertEqual(alice.contact("bob")["waiting"], 2)
        bob.start()
        alice.psst("dial", "bob")
        bob.wait_text("alice", "second")
        self.assertEqual(bob.texts("alice"), ["first", "second"])
        wait_for("delivery", lambda: [m["state"] for m in alice.messages("bob")] == ["delivered"] * 2)

    def test_what_waits_survives_a_restart_of_both(self):
        alice, bob = self.pair()
        bob.stop()
        alice.psst("say", "bob", "kept")
        alice.restart()
        bob.start()
        bob.psst("dial", "alice")
        bob.wait_text("alice", "kept")

    def test_order_of_200_messages(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        with alice.control() as control:
            for i in range(200):
                control.call("say", name="bob", text="number %d" % i)
        wanted = ["number %d" % i for i in range(200)]
        wait_for("200 messages", lambda: len(bob.texts("alice")) == 200, 20)
        self.assertEqual(bob.texts("alice"), wanted)
        wait_for("200 acknowledgements",
                 lambda: [m["state"] for m in alice.messages("bob", "-n", "200")] == ["delivered"] * 200)
        self.assertEqual([m["text"] for m in alice.messages("bob", "-n", "3")], wanted[-3:])

    def test_the_longest_text_and_one_byte_more(self):
        alice, bob = self.pair()
        longest = "x" * (TEXT_MAX - 2) + "ü"
        alice.psst("say", "bob", "--wait", "10", "-", input=longest)
        self.assertEqual(bob.texts("alice"), [longest])
        self.assertIn(alice.psst("say", "bob", "-", input=longest + "y", expect=None).code, (FAILED, USAGE))
        self.assertEqual(len(alice.texts("bob")), 1)

    def test_unicode_lines_and_odd_arguments(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        said = ["Grüße, 世界 🔒", "two\nlines", "%n %s \\n $HOME `id` 'quoted'", "=1+1"]
        for words in said:
            alice.psst("say", "bob", "--wait", "10", "-", input=words)
        self.assertEqual(bob.texts("alice"), said)
        for bad in (b"\xff\xfe", b"a\0b", b""):
            self.assertIn(alice.psst("say", "bob", "-", input=bad, expect=None).code, (FAILED, USAGE), bad)
        self.assertEqual(len(alice.texts("bob")), len(said))

    def test_hang_up_is_told_to_both_in_a_sentence(self):
        alice, bob = self.pair()
        with alice.control() as at_alice, bob.control() as at_bob:
            at_alice.call("subscribe")
            at_bob.call("subscribe")
            alice.psst("dial", "bob")
            self.assertEqual(at_alice.event("session")["state"], "up")
            self.assertEqual(at_bob.event("session")["state"], "up")
            bob.psst("hangup", "alice")
            for who, control in ((alice, at_alice), (bob, at_bob)):
                down = control.event("session", lambda p: p["state"] == "down")
                self.assertGreater(len(down["reason"]), 8, who.name)
            alice.wait_session("bob", 0)
            bob.wait_session("alice", 0)

    def test_a_crash_is_cut_off_and_a_stop_is_told(self):
        alice, bob = self.pair()
        with alice.control() as control:
            control.call("subscribe")
            alice.psst("dial", "bob")
            bob.kill()
            self.assertIn("cut off", control.event("session", lambda p: p["state"] == "down")["reason"])
            bob.start()
            alice.psst("dial", "bob")
            bob.stop()
            stopped = control.event("session", lambda p: p["state"] == "down")["reason"]
            self.assertNotIn("cut off", stopped)

    def test_status_as_json(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        status = alice.status()
        self.assertEqual(status["pid"], alice.daemon.pid)
        self.assertEqual(status["listen"], [alice.listen])
        identity = status["identity"]
        self.assertEqual((identity["name"], identity["bits"], identity["weak"], identity["locked"]),
                         ("Alice", 1024, True, False))
        self.assertEqual(identity["fingerprint"].replace(" ", ""), alice.public.fpr.hex())
        session, = status["sessions"]
        self.assertEqual(session["contact"], "bob")
        self.assertIn(str(bob.port), session["address"])
        self.assertIsInstance(status["counters"], dict)
        for args in (("status",), ("contacts",), ("files",), ("log", "bob")):
            alice.psst(*args)  # for people

    def test_up_and_down_leave_nothing_running(self):
        alice = self.person("alice", init=False, start=False)
        alice.psst("up", "--listen", alice.listen)
        alice.init()
        pid, family = alice.status()["pid"], children(alice.status()["pid"])
        self.assertTrue(alive(pid) and family)
        self.assertEqual(alice.status()["listen"], [alice.listen])
        alice.psst("up")  # again: it is running already
        self.assertEqual(alice.status()["pid"], pid)
        alice.psst("down")
        self.assertFalse(alive(pid), "down returns when it is gone")
        wait_for("psst-key to go", lambda: not any(alive(p) for p in family), 3)
        alice.psst("down", expect=None)
        alice.psst("contacts")  # a verb that needs the daemon starts it; --listen was kept
        self.assertEqual(alice.status()["listen"], [alice.listen])
        alice.psst("down")

    def test_ipv6(self):
        alice, bob = self.pair(host="::1")
        alice.psst("dial", "bob", "[::1]:%d" % bob.port)
        alice.psst("say", "bob", "--wait", "10", "six")
        self.assertIn("[::1]", bob.sessions("alice")[0]["address"])

    def test_both_dial_at_once_and_keep_one_session(self):
        """Attack 14."""
        alice, bob = self.pair()
        for attempt in range(6):
            one, two = alice.spawn("dial", "bob"), bob.spawn("dial", "alice")
            alice.finish(one)
            bob.finish(two)
            wait_for("one session on both sides", lambda: len(alice.sessions()) == 1 == len(bob.sessions()), 10)
            self.assertNotEqual(alice.sessions()[0]["role"], bob.sessions()[0]["role"], "the same one")
            alice.psst("say", "bob", "--wait", "10", "a%d" % attempt)
            bob.psst("say", "alice", "--wait", "10", "b%d" % attempt)
            bob.psst("hangup", "alice")
            alice.wait_session("bob", 0)
        self.assertEqual(len(alice.texts("bob", "in")), 6)

    def test_exit_codes(self):
        alice, bob = self.pair()
        carol = self.person("carol")
        for args in (("say", "nobody", "hi"), ("dial", "nobody"), ("log", "nobody"), ("remove", "nobody"),
                     ("send", "nobody", "/etc/hostname"), ("verify", "nobody")):
            alice.psst(*args, expect=NO_CONTACT)
        alice.psst("dial", "bob", "127.0.0.1:%d" % free_port(), expect=UNREACHABLE)
        carol.add(bob.card(), "bob")
        self.assertGreater(len(carol.psst("dial", "bob", expect=REFUSED).err), 20, "a sentence")
        for args in (("frobnicate",), ("say",), ("say", "bob"), ("dial",), ("log", "bob", "-n", "x"), ("add",),
                     ("init",), ("history", "bob", "maybe"), ("up", "--listen", "nonsense"), ("status", "--wrong")):
            alice.psst(*args, expect=USAGE)
        for verb in ("init", "say", "dial", "card", "add", "log", "send", "accept", "up", "chat", "unlock"):
            self.assertIn(verb, alice.psst(verb, "--help").out)
        self.assertIn("say", alice.psst("--help").out)

    def test_a_blocked_contact_is_refused_and_let_in_again(self):
        """Attack 12."""
        alice, bob = self.pair()
        bob.psst("block", "alice")
        alice.psst("dial", "bob", expect=REFUSED)
        self.assertTrue(bob.contact("alice")["blocked"])
        bob.psst("unblock", "alice")
        alice.psst("dial", "bob")
        bob.psst("block", "alice")
        alice.wait_session("bob", 0)

    def test_remove_ends_the_session_and_forgets(self):
        alice, bob = self.pair()
        alice.psst("say", "bob", "--wait", "10", "hi")
        bob.psst("remove", "alice")
        alice.wait_session("bob", 0)
        bob.psst("log", "alice", expect=NO_CONTACT)
        alice.psst("dial", "bob", expect=REFUSED)
        bob.add(alice.card(), "alice")
        alice.psst("dial", "bob")
        self.assertEqual(bob.texts("alice"), [])

    def test_rename_and_addresses(self):
        alice, bob = self.pair()
        alice.psst("rename", "bob", "Robert")
        alice.psst("say", "Robert", "--wait", "10", "hi")
        alice.psst("say", "bob", "hi", expect=NO_CONTACT)
        alice.psst("hangup", "Robert")
        alice.psst("address", "Robert", "127.0.0.1:%d" % free_port())
        alice.psst("dial", "Robert", expect=UNREACHABLE)
        alice.psst("address", "Robert", "127.0.0.1:%d" % free_port(), bob.listen)
        self.assertIn(bob.listen, alice.psst("address", "Robert").out)
        alice.psst("dial", "Robert")
        self.introduce(alice, self.person("carol"))
        self.assertNotEqual(alice.psst("rename", "carol", "Robert", expect=None).code, 0)

    def test_history_off_keeps_no_text(self):
        alice, bob = self.pair()
        for person, other in ((alice, "bob"), (bob, "alice")):
            person.psst("history", other, "off")
            self.assertFalse(person.contact(other)["history"])
        alice.psst("say", "bob", "--wait", "10", "between us")
        first = wait_for("the message", lambda: bob.messages("alice"))
        self.assertEqual(first[0]["text"], "between us", "it is shown once")
        self.assertNotIn("between us", [m.get("text") for m in bob.messages("alice")])
        self.assertNotIn("between us", [m.get("text") for m in alice.messages("bob")])

    def test_log_follows(self):
        alice, bob = self.pair()
        follower = bob.spawn("log", "alice", "-f")
        self.addCleanup(follower.kill)
        alice.psst("say", "bob", "--wait", "10", "followed words")
        seen, deadline = b"", time.monotonic() + 20
        while b"followed words" not in seen and time.monotonic() < deadline:
            if select.select([follower.stdout], [], [], 1)[0]:
                seen += os.read(follower.stdout.fileno(), 65536)
        self.assertIn(b"followed words", seen)
        follower.kill()
        follower.communicate()

    def test_chat_line_by_line(self):
        alice, bob = self.pair()
        alice.psst("chat", "bob", input="one line\nanother\n", timeout=30)
        bob.wait_text("alice", "another")
        self.assertEqual(bob.texts("alice"), ["one line", "another"])

    def test_names_are_found_whatever_their_case_and_never_twice(self):
        alice, bob = self.pair()
        alice.psst("say", "BOB", "--wait", "10", "hi")
        carol = self.person("carol")
        self.assertNotEqual(alice.add(carol.card(), "Bob", expect=None).code, 0)
        for bad in ("-x", ".x", "a/b", "", " x", "a\x1bb", "x" * 65):
            self.assertNotEqual(alice.add(carol.card(), bad, expect=None).code, 0, repr(bad))
        self.assertEqual([c["name"] for c in alice.contacts()], ["bob"])


if __name__ == "__main__":
    unittest.main()
