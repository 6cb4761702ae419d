"""The history: pieces of it, what is found in it, files of it, and what is not kept."""
import datetime
import json
import os
import stat

import peer
from psst import DONE, E2E, FAILED, LOCKED, NO_CONTACT, USAGE, key, wait_for

ESC = "\x1b[2J\x1b]0;x\x07"


class History(E2E):
    def alone(self, *texts):
        """Alice, and mallory who has sent her these."""
        alice = self.person("alice")
        alice.befriend(key("a2048"), "mallory")
        if texts:
            mallory = self.caller_of(alice)
            for text in texts:
                mallory.say(text)
            wait_for("the messages", lambda: alice.contact("mallory")["unread"] == len(texts))
        return alice

    def caller_of(self, person):
        mallory = peer.Peer.call(person.address, key("a2048"), person.public)
        self.addCleanup(mallory.close)
        return mallory

    def found(self, person, *args):
        return [m["text"] for m in person.psst("log", *args, "--json").lines()]

    # ---- searching ----

    def test_search(self):
        alice = self.alone("See you at the Grand Hôtel", "the hotel is not grand", "tomorrow's lunch", "tomato")
        alice.psst("say", "mallory", "which hotel?")
        self.assertEqual(self.found(alice, "mallory", "--search", "HOTEL"),
                         ["See you at the Grand Hôtel", "the hotel is not grand", "which hotel?"])
        self.assertEqual(self.found(alice, "mallory", "--search", '"grand hotel"'), ["See you at the Grand Hôtel"])
        self.assertEqual(self.found(alice, "mallory", "--search", "tom*"), ["tomorrow's lunch", "tomato"])
        self.assertEqual(self.found(alice, "mallory", "--search", "hotel", "-n", "1"), ["which hotel?"])
        self.assertEqual(self.found(alice, "mallory", "--search", "hotel OR tomato"), [])
        self.assertIn("-- nothing was found", alice.psst("log", "mallory", "--search", "breakfast").out)
        self.assertIn("no letter and no digit", alice.psst("log", "mallory", "--search", "!?", expect=USAGE).err)
        self.assertIn("too many words", alice.psst("log", "mallory", "--search", "a " * 100, expect=USAGE).err)
        alice.psst("log", "mallory", "--search", "x" * 1001, expect=USAGE)
        alice.psst("log", "nobody", "--search", "x", expect=NO_CONTACT)

    def test_search_in_all_contacts(self):
        alice = self.alone("the first meeting")
        bob = self.person("bob")
        self.introduce(alice, bob)
        bob.psst("say", "alice", "--wait", "10", "the second meeting")
        alice.psst("say", "bob", "--wait", "10", "a third one, no meeting")
        alice.psst("say", "mallory", "a fourth meeting")
        self.assertEqual(self.found(alice, "--search", "meeting"),
                         ["the first meeting", "the second meeting", "a third one, no meeting", "a fourth meeting"])
        out = alice.psst("log", "--search", "meeting").out
        self.assertRegex(out, r"(?s)-- with mallory\n.*\| the first.*-- with bob\n.*\| the second.*\| a third.*"
                              r"-- with mallory\n.*\| a fourth")

    def test_a_search_marks_nothing_as_seen(self):
        alice = self.alone("one word", "two words")
        self.assertEqual([m["state"] for m in alice.messages("mallory")], ["received"] * 2)
        self.assertEqual([m["state"] for m in alice.messages("mallory")], ["shown"] * 2)
        mallory = self.caller_of(alice)
        mallory.say("three words")
        wait_for("it", lambda: alice.contact("mallory")["unread"] == 1)
        self.assertEqual(len(self.found(alice, "mallory", "--search", "three")), 1)
        alice.psst("log", "mallory", "--before", "1000")
        alice.psst("log", "mallory", "--until", "1m")
        alice.psst("log", "mallory", "--export", "-")
        self.assertEqual(alice.contact("mallory")["unread"], 1)
        alice.psst("log", "mallory", "--since", "1h")
        self.assertEqual(alice.contact("mallory")["unread"], 0)

    def test_what_is_found_is_shown_harmless(self):
        alice = self.alone("evil" + ESC + "evil\n-- with bob\n10:00   bob | forged")
        for args in (["mallory", "--search", "forged"], ["--search", "forged"], ["mallory", "--export", "-"]):
            out = alice.psst("log", *args).out
            self.assertNotIn("\x1b", out)
            for line in out.splitlines():
                self.assertTrue(line.startswith("-- ") and "bob" not in line or "|" in line, line)
        self.assertNotIn("\x1b", alice.psst("log", "mallory", "--search", "forged", "--json").out)

    # ---- ranges ----

    def test_ranges(self):
        alice = self.alone(*["number %d" % i for i in range(9)])
        seqs = [m["seq"] for m in alice.messages("mallory")]
        self.assertEqual(self.found(alice, "mallory", "--before", str(seqs[3]), "-n", "2"), ["number 1", "number 2"])
        self.assertEqual(len(self.found(alice, "mallory", "--since", "1h")), 9)
        self.assertEqual(len(self.found(alice, "mallory", "--since", "today")), 9)
        self.assertEqual(self.found(alice, "mallory", "--until", "1h"), [])
        self.assertEqual(len(self.found(alice, "mallory", "--until", "today")), 9)
        day = datetime.date.today() - datetime.timedelta(days=2)
        self.assertEqual(len(self.found(alice, "mallory", "--since", day.isoformat())), 9)
        self.assertEqual(self.found(alice, "mallory", "--until", day.isoformat()), [])
        self.assertIn("-- there are no such messages", alice.psst("log", "mallory", "--until", "1w").out)
        self.assertIn("a time looks like", alice.psst("log", "mallory", "--since", "then", expect=USAGE).err)
        self.assertIn("still to come", alice.psst("log", "mallory", "--since", "2100-01-01", expect=USAGE).err)
        self.assertEqual(self.found(alice, "mallory", "-n", "0"), [])

    def test_more_than_a_page(self):
        alice = self.person("alice")
        alice.befriend(key("a2048"), "mallory")
        with alice.control() as control:
            for i in range(2500):
                control.call("say", name="mallory", text="text %d" % i)
        want = ["text %d" % i for i in range(2500)]
        self.assertEqual(self.found(alice, "mallory", "-n", "10000"), want)
        self.assertEqual(self.found(alice, "mallory", "-n", "2222"), want[-2222:])
        self.assertEqual(self.found(alice, "mallory", "-n", "1000"), want[-1000:])
        self.assertEqual(self.found(alice, "mallory", "--search", "text", "-n", "1500"), want[-1500:])
        self.assertEqual(self.found(alice, "mallory", "--search", "text", "--export", "-"), want)
        self.assertEqual(self.found(alice, "mallory", "--export", "-"), want)

    # ---- files ----

    def test_export(self):
        alice = self.alone("to be kept", "for ever")
        path = alice.path("out.txt")
        self.assertIn("2 messages in", alice.psst("log", "mallory", "--export", path).out)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path) as file:
            text = file.read()
        self.assertRegex(text, r"-- .*\n\d\d:\d\d   mallory \| to be kept\n\d\d:\d\d   mallory \| for ever\n$")
        refused = alice.psst("log", "mallory", "--json", "--export", path, expect=FAILED)
        self.assertIn("is there already: --force replaces it", refused.err)
        with open(path) as file:
            self.assertEqual(file.read(), text)
        os.chmod(path, 0o644)
        alice.psst("log", "mallory", "--json", "--export", path, "--force")
        with open(path) as file:
            self.assertEqual([json.loads(line)["text"] for line in file], ["to be kept", "for ever"])
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual([name for name in os.listdir(alice.home) if name.startswith("out.txt")], ["out.txt"])

    def test_export_leaves_nothing_half_done(self):
        alice = self.alone("words")
        before = sorted(os.listdir(alice.home))
        alice.psst("log", "nobody", "--export", alice.path("a"), expect=NO_CONTACT)
        self.assertIn("cannot write", alice.psst("log", "mallory", "--export", alice.path("no", "dir"), expect=FAILED).err)
        os.mkdir(alice.path("folder"))
        os.symlink(alice.path("elsewhere"), alice.path("link"))
        for name in ("folder", "link"):
            alice.psst("log", "mallory", "--export", alice.path(name), expect=FAILED)
            self.assertIn("not a file", alice.psst("log", "mallory", "--export", alice.path(name), "--force", expect=FAILED).err)
        self.assertEqual(sorted(os.listdir(alice.home)), sorted(before + ["folder", "link"]))

    # ---- what is kept ----

    def test_history_words(self):
        alice = self.alone()
        for word, kept, days, said in (("none", False, 0, "no text is kept"), ("forever", True, 0, "are kept\n"),
                                       ("off", False, 0, "no text"), ("on", True, 0, "are kept"),
                                       ("7", True, 7, "are kept for 7 days"), ("1", True, 1, "for 1 day\n")):
            self.assertIn(said, alice.psst("history", "mallory", word).out)
            contact = alice.contact("mallory")
            self.assertEqual((contact["history"], contact["keep_days"]), (kept, days))
            self.assertIn(said, alice.psst("history", "mallory").out)
        self.assertIn("history of 1 day", alice.psst("contacts").out)
        for bad in ("0", "-1", "maybe", "40000", "1.5", ""):
            alice.psst("history", "mallory", bad, expect=USAGE)
        alice.psst("history", "nobody", "1", expect=NO_CONTACT)

    def test_none_erases_what_was_kept_before(self):
        alice = self.alone("secret of old")
        alice.psst("log", "mallory")
        alice.psst("history", "mallory", "none")
        self.assertNotIn("secret of old", alice.psst("log", "mallory").out)
        self.assertIn("text no longer kept", alice.psst("log", "mallory").out)
        self.assertEqual(self.found(alice, "--search", "secret"), [])

    def test_a_forgotten_message_is_not_shown_twice(self):
        alice = self.person("alice")
        alice.befriend(key("a2048"), "mallory")
        mallory = self.caller_of(alice)
        old = mallory.say("said once", time_ms=1700000000000)
        wait_for("it", lambda: alice.texts("mallory") == ["said once"])
        alice.psst("say", "mallory", "waits, not acknowledged")
        self.assertEqual(alice.psst("forget", "mallory").out, "forgotten; 1 that waits to be delivered is not\n")
        self.assertEqual(alice.texts("mallory"), ["waits, not acknowledged"])
        self.assertEqual(self.found(alice, "--search", "once"), [])
        again = self.caller_of(alice)
        again.say("said once", msg_id=old, time_ms=1700000000000)
        again.wait_ack(old)
        again.say("new words")
        wait_for("it", lambda: "new words" in alice.texts("mallory"))
        self.assertEqual(alice.texts("mallory"), ["waits, not acknowledged", "new words"])

    def test_forget_before(self):
        alice = self.alone("old", "older")
        alice.psst("log", "mallory")
        alice.psst("forget", "mallory", "--before", "1h")
        self.assertEqual(alice.texts("mallory"), ["old", "older"])
        mallory = self.caller_of(alice)
        mallory.say("unseen")
        wait_for("it", lambda: alice.contact("mallory")["unread"] == 1)
        self.assertEqual(alice.psst("forget", "mallory").out, "forgotten; 1 new message is not\n")
        self.assertEqual(alice.texts("mallory"), ["unseen"])
        alice.psst("forget", "nobody", expect=NO_CONTACT)

    def test_erasing_goes_on_after_a_crash(self):
        alice = self.person("alice")
        alice.befriend(key("a2048"), "mallory")
        mallory = self.caller_of(alice)
        for i in range(600):
            mallory.say("crash words %d" % i)
        wait_for("the messages", lambda: len(alice.messages("mallory", "-n", "1000")) == 600, 30)
        forget = alice.spawn("forget", "mallory")
        alice.kill()
        forget.communicate()
        alice.start()
        if alice.texts("mallory"):  # it came before the wish was stored
            alice.psst("forget", "mallory")
        wait_for("them to be gone", lambda: alice.texts("mallory") == [], 30)
        self.assertEqual(self.found(alice, "--search", "crash"), [])
        alice.psst("check")

    def test_messages_come_while_others_are_erased(self):
        alice = self.person("alice")
        alice.befriend(key("a2048"), "mallory")
        mallory = self.caller_of(alice)
        for i in range(2000):
            mallory.say("old %d" % i)
        wait_for("the messages", lambda: len(alice.messages("mallory", "-n", "2000")) == 2000, 60)
        forget = alice.spawn("forget", "mallory")
        for i in range(50):
            mallory.say("new %d" % i)
        out, err = forget.communicate(timeout=120)
        self.assertEqual(forget.returncode, DONE, err)
        self.assertEqual([t for t in alice.texts("mallory") if t.startswith("old")], [])
        self.assertEqual(alice.texts("mallory"), ["new %d" % i for i in range(50)])

    # ---- the control socket ----

    def test_log_of_the_control_socket(self):
        alice = self.alone(*["long %d " % i + "x" * 60000 for i in range(30)])
        with alice.control() as control:
            first = control.call("log", name="mallory", limit=1000, first=True)
            self.assertTrue(first["more"])
            self.assertTrue(first["messages"][0]["text"].startswith("long 0 "))
            n = len(first["messages"])
            rest = control.call("log", name="mallory", limit=1000, first=True, after=first["messages"][-1]["seq"])
            self.assertTrue(rest["messages"][0]["text"].startswith("long %d " % n))
            last = control.call("log", name="mallory", limit=1000, search="long")
            self.assertTrue(last["more"])
            self.assertTrue(last["messages"][-1]["text"].startswith("long 29 "))
            seqs = [m["seq"] for m in first["messages"]]
            both = control.call("log", name="mallory", after=seqs[0], before=seqs[3])
            self.assertEqual([m["seq"] for m in both["messages"]], seqs[1:3])
            for bad in ({}, {"search": ""}, {"search": 5}, {"name": 5, "search": "x"}, {"name": "mallory", "limit": 1001},
                        {"name": "mallory", "since_ms": -1}, {"name": "mallory", "until_ms": "x"},
                        {"search": "x" * 1001}, {"name": "mallory", "search": "\u2603"}):
                self.assertIn("error", control.ask("log", **bad), bad)
            for bad in ({"name": "mallory"}, {"name": "mallory", "keep": 1}, {"name": "mallory", "keep": True, "days": -1},
                        {"name": "mallory", "keep": True, "days": 36501}):
                self.assertIn("error", control.ask("contact.history", **bad), bad)
            self.assertIn("error", control.ask("contact.forget", name="mallory", before_ms=-1))

    def test_without_an_unlocked_identity(self):
        alice = self.alone("x")
        alice.psst("passwd", "--new-passphrase-file", alice.write("words", "a passphrase\n"))
        alice.psst("lock")
        for args in (("log", "mallory", "--search", "x"), ("forget", "mallory"), ("history", "mallory", "none"),
                     ("log", "mallory", "--export", alice.path("f"))):
            alice.psst(*args, expect=LOCKED)
        self.assertFalse(os.path.exists(alice.path("f")))
