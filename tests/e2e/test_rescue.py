"""Attack 47: a damaged history is opened for reading only, what is damaged is named, and the file is never touched."""
import json
import os
import re
import shutil
import time

import peer
from psst import E2E, PATIENCE, FAILED, LOCKED, key, wait_for

PAGE = 4096
WORDS = "the history is damaged and open for reading only"


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Rescue(E2E):
    def setUp(self):
        super().setUp()
        self.alice, self.bob = self.pair()
        self.alice.psst("dial", "bob")
        self.alice.wait_session("bob")
        with self.alice.control() as control:
            control.call("say", name="bob", text="y" * 30000)
            for i in range(300):
                control.call("say", name="bob", text="number %d %s" % (i, "x" * (i % 60)))
        wait_for("all to arrive", lambda: self.bob.contact("alice")["unread"] == 301)
        self.alice.psst("send", "bob", self.alice.write("plan.txt", "a plan\n"))
        self.bob.wait_file(lambda f: f["name"] == "plan.txt")
        self.store = self.bob.path("store.db")
        self.said = [m["text"] for m in self.bob.messages("alice", "-n", "1000")]
        self.assertEqual(len(self.said), 301)

    def damage(self, change):
        """Stops bob, changes the bytes of his history, and starts him again; gives what lies there."""
        self.bob.stop()
        self.assertFalse(os.path.exists(self.store + "-wal"))
        whole = read(self.store)
        damaged = change(bytearray(whole))
        with open(self.store, "wb") as file:
            file.write(damaged)
        self.bob.start(opens=False)
        return bytes(damaged)

    def wait_open(self):
        wait_for("psstd to have looked", lambda: "history-damaged" in self.bob.log() or "not-unlocked" in self.bob.log())

    def assertReadOnly(self, damaged):
        """Open for reading, and for nothing else; and not a byte of the file is changed by any of it."""
        bob = self.bob
        self.wait_open()
        status = bob.status()
        self.assertFalse(status["identity"]["locked"])
        history = status["history"]
        self.assertTrue(history["readable"])
        self.assertEqual(history["file"], self.store)
        self.assertTrue(history["parts"])
        self.assertIn(WORDS, history["words"])
        self.assertIn(self.store, history["words"])
        self.assertIn("psst log NAME --json", history["words"])
        text = bob.psst("status").out
        self.assertRegex(text, r"history\s+DAMAGED, open for reading only")
        self.assertIn(history["parts"][0]["words"], text)
        card = bob.write("other.psst", key("a2048").pem())
        for words in (("say", "alice", "hello"), ("send", "alice", card), ("add", card, "--as", "carol", "--yes"),
                      ("block", "alice"), ("pause", "alice"), ("rename", "alice", "x"), ("history", "alice", "off"),
                      ("remove", "alice", "--yes"), ("accept", "1"), ("dial", "alice"), ("card", "--for", "alice")):
            refused = bob.psst(*words, expect=FAILED)
            self.assertIn(WORDS, refused.err, words)
        self.assertSilent()
        self.assertEqual(bob.sessions(), [])
        self.assertIn(WORDS, bob.psst("unlock").err)  # changes nothing
        self.assertIn(WORDS, bob.psst("check", expect=FAILED).err)
        self.assertIn(WORDS, bob.psst("up").err)
        self.assertEqual(read(self.store), damaged)

    def assertSilent(self):
        """As one who is locked: not a byte, whatever is sent."""
        with self.assertRaises((peer.Closed, TimeoutError, OSError)):
            peer.Peer.call(self.bob.address, key("a2048"), self.bob.public, timeout=1.5)

    def readable(self):
        """What psst log still gives, and what it says about the rest."""
        got = self.bob.psst("log", "alice", "-n", "1000", "--json")
        return [m["text"] for m in got.lines()], got.err

    def after(self, damaged):
        self.bob.stop()
        self.assertEqual(read(self.store), damaged)
        if os.path.exists(self.store + "-wal"):
            self.assertEqual(os.path.getsize(self.store + "-wal"), 0)
        self.assertFalse(os.path.exists(self.store + ".new"))

    def page_of_messages(self):
        """The number of a page whose damage costs messages: found by trying. Leaves bob stopped and his history whole."""
        self.bob.stop()
        os.truncate(self.bob.log_path, 0)
        whole = read(self.store)
        for page in range(len(whole) // PAGE - 1, 2, -1):
            with open(self.store, "r+b") as file:
                file.seek(page * PAGE + 2000)
                file.write(bytes([whole[page * PAGE + 2000] ^ 1]))
            self.bob.start(opens=False)
            wait_for("psstd to have looked", lambda: re.search("history-damaged|unlocked", self.bob.log()))
            parts = (self.bob.status()["history"] or {"parts": []})["parts"]
            self.bob.stop()
            os.truncate(self.bob.log_path, 0)
            with open(self.store, "wb") as file:
                file.write(whole)
            if [p["part"] for p in parts] == ["messages"] and 0 < parts[0]["last"] - parts[0]["first"] < 100:
                return page
        self.fail("no page holds some messages")

    def test_a_flipped_byte_in_the_middle(self):
        at = self.page_of_messages() * PAGE + 2000
        self.bob.start()
        damaged = self.damage(lambda b: b[:at] + bytes([b[at] ^ 1]) + b[at + 1:])
        self.assertReadOnly(damaged)
        texts, err = self.readable()
        self.assertGreater(len(texts), 200)
        self.assertLess(len(texts), 301)
        self.assertEqual(texts, [t for t in self.said if t in texts])  # what there is, in its order
        self.assertRegex(err, r"cannot be read, the history is damaged: messages? \d+.*, stored (between|after|before)")
        text = self.bob.psst("log", "alice", "-n", "1000").out
        self.assertRegex(text, r"(?m)^-- .*cannot be read, the history is damaged: messages \d+")
        first, last = map(int, re.search(r"messages (\d+) to (\d+)", err).groups())
        self.assertEqual(len(texts), 301 - (last - first + 1))
        parts = self.bob.status()["history"]["parts"]
        self.assertEqual([(p["part"], p["first"], p["last"]) for p in parts], [("messages", first, last)])
        self.assertEqual([c["name"] for c in self.bob.contacts()], ["alice"])
        self.assertEqual([f["name"] for f in self.bob.files()], ["plan.txt"])
        self.alice.psst("dial", "bob", expect=5)
        self.after(damaged)

    def test_cut_short(self):
        damaged = self.damage(lambda b: b[:len(b) * 8 // 10 // PAGE * PAGE + 100])
        self.assertReadOnly(damaged)
        texts, err = self.readable()
        self.assertGreater(len(texts), 20)
        self.assertLess(len(texts), 301)
        self.assertEqual(texts, [t for t in self.said if t in texts])
        self.assertRegex(err, "messages? ")
        parts = self.bob.status()["history"]["parts"]
        self.assertEqual(parts[0]["part"], "end")
        self.assertIn("%d of " % len(damaged), parts[0]["words"])
        self.after(damaged)

    def test_many_pages(self):
        def change(b):
            for page in range(len(b) // PAGE * 2 // 3, len(b) // PAGE, 4):
                b[page * PAGE + 77] ^= 0x10
            return b

        damaged = self.damage(change)
        self.assertReadOnly(damaged)
        texts, _ = self.readable()
        self.assertGreater(len(texts), 50)
        self.assertEqual(texts, [t for t in self.said if t in texts])
        self.bob.psst("contacts")
        self.bob.psst("files")
        self.after(damaged)

    def refused(self, damaged, *words):
        """Nothing can be read: it stays locked, says why, and leaves the file alone."""
        self.wait_open()
        self.assertTrue(self.bob.status()["identity"]["locked"])
        said = self.bob.psst("unlock", expect=FAILED).err
        for word in words:
            self.assertIn(word, said)
        history = self.bob.status()["history"]
        self.assertFalse(history["readable"])
        self.assertIn(self.store, history["file"])
        self.assertIn(words[0], history["words"])
        self.assertRegex(self.bob.psst("status").out, r"history\s+DAMAGED, and closed")
        self.bob.psst("log", "alice", expect=LOCKED)
        self.assertSilent()
        self.after(damaged)

    def test_the_first_page(self):
        for at in (3, 200):
            with self.subTest(at):
                whole = read(self.store) if self.bob.daemon is None else None
                if whole is not None:
                    self.bob.start()
                damaged = self.damage(lambda b: b[:at] + bytes([b[at] ^ 1]) + b[at + 1:])
                self.refused(damaged, "what describes the rest of it is damaged, or store.key is not its own", self.store)
                with open(self.store, "wb") as file:  # a copy in its place, and all is there again
                    b = bytearray(damaged)
                    b[at] ^= 1
                    file.write(b)
                self.bob.start()
                self.assertEqual(len(self.bob.messages("alice", "-n", "1000")), 301)
                self.assertIsNone(self.bob.status()["history"])
                self.bob.stop()
                if os.path.exists(self.bob.log_path):
                    os.truncate(self.bob.log_path, 0)

    def test_garbage(self):
        damaged = self.damage(lambda b: os.urandom(len(b)))
        self.refused(damaged, "what describes the rest of it is damaged, or store.key is not its own", self.store)

    def test_an_empty_file(self):
        damaged = self.damage(lambda b: b"")
        self.refused(damaged, "what describes the rest of it is damaged", self.store)

    def test_the_key_of_another_history(self):
        """A wrong key is told from nothing else, and harms nothing."""
        self.bob.stop()
        before = read(self.store)
        carol = self.person("carol")
        carol.stop()
        shutil.copy(self.bob.path("identity.pem"), carol.path("identity.pem"))
        shutil.copy(self.bob.path("card.psst"), carol.path("card.psst"))
        os.unlink(carol.path("store.key"))
        os.unlink(carol.path("store.db"))
        carol.start()
        carol.stop()  # a store.key of the same identity, and not of this history
        shutil.copy(carol.path("store.key"), self.bob.path("store.key"))
        self.bob.start(opens=False)
        self.refused(before, "store.key is not its own")

    def test_damage_met_while_it_runs(self):
        """The disk fails under a running psstd: sessions end with a goodbye, and from then on it only reads."""
        bob, alice = self.bob, self.alice
        page = self.page_of_messages()
        bob.start()
        alice.psst("dial", "bob")
        bob.wait_session("alice")
        self.assertTrue(os.path.exists(self.store + "-wal"))
        damaged = bytearray(read(self.store))
        damaged[page * PAGE + 2000] ^= 1
        with open(self.store, "r+b") as file:
            file.seek(page * PAGE + 2000)
            file.write(damaged[page * PAGE + 2000:page * PAGE + 2001])
        with alice.control() as control:
            control.call("subscribe", events=["session"])
            met = bob.psst("log", "alice", "-n", "1000", expect=(0, 1))
            self.assertIn(WORDS, met.err)
            down = control.event("session", lambda p: p["state"] == "down")
            self.assertIn("locked", down["reason"])
        log_beside = read(self.store + "-wal")
        self.assertReadOnly(bytes(damaged))
        texts, err = self.readable()
        self.assertGreater(len(texts), 200)
        self.assertIn("cannot be read", err)
        self.assertIn("history-damaged", bob.log())
        bob.psst("lock")
        bob.psst("log", "alice", expect=LOCKED)
        self.assertEqual(read(self.store + "-wal"), log_beside)
        bob.psst("unlock")
        self.assertGreater(len(self.readable()[0]), 200)
        bob.stop()
        self.assertEqual(read(self.store), bytes(damaged))

    def test_moved_away_a_new_one_begins(self):
        damaged = self.damage(lambda b: b[:len(b) // 2])
        self.wait_open()
        self.bob.stop()
        aside = self.bob.path("old.db")
        os.rename(self.store, aside)
        self.bob.start()
        self.assertEqual(self.bob.contacts(), [])
        self.assertIsNone(self.bob.status()["history"])
        self.assertEqual(read(aside), damaged)

    def test_with_a_passphrase(self):
        """Opened by hand: the one who does it is told at once, and the exit code is that of success."""
        bob = self.bob
        secret = bob.write("passphrase", "correct horse\n")
        bob.psst("passwd", "--new-passphrase-file", secret)
        self.damage(lambda b: b[:len(b) * 8 // 10 // PAGE * PAGE])
        told = bob.psst("unlock", "--passphrase-file", secret)
        self.assertIn(WORDS, told.err)
        self.assertIn("cannot be read", self.readable()[1])
        with bob.control() as control:
            control.call("subscribe", events=["identity"])
            bob.psst("lock")
            self.assertEqual(control.event("identity"), {"locked": True, "damaged": False})
            bob.psst("unlock", "--passphrase-file", secret)
            self.assertEqual(control.event("identity"), {"locked": False, "damaged": True})
