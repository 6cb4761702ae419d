"""What each state of the terminal interface looks like, at several sizes, against the pictures in screens/ (PSST_GOLDEN=write
writes them anew: look at them before they are committed); and that the pictures of the documentation are these."""
import glob
import os
import re

import peer
import wire
from psst import VECTORS, key, wait_for
from tmux import SCREENS, WRITE, ScreenE2E

ROOT = os.path.join(VECTORS, "..", "..")
BUSY = 3
PICTURE = re.compile(r"<!-- screen: ([\w-]+) -->\n```\n(.*?)```\n", re.S)


def blocks(rows):
    """A QR code is another one each time: its cells become those of one pattern."""
    out = []
    for row in rows:
        found = re.search("[\u2588\u2580\u2584][\u2588\u2580\u2584 ]{18,}[\u2588\u2580\u2584]", row)
        out.append(row if found is None else row[:found.start()] + "\u2588" * len(found.group(0)) + row[found.end():])
    return out


def rates(rows):
    """What depends on how fast the machine is stands behind the size."""
    return [re.sub(r"(35%(?:  of 4.0 MB)?).*", "\\1  1 s left  plan of the\u2026", row) for row in rows]


def lengths(rows):
    return [re.sub(r"(1-\d+) of \d+", r"\1 of 101", row) for row in rows]


class Pictures(ScreenE2E):
    """Alice, and Bob, whom the test plays."""

    def setUp(self):
        os.environ["PSST_E2E_TMP"] = "/tmp"  # paths are shown: they have the same length everywhere
        super().setUp()

    def home(self, rows):
        """Where the test's files lie becomes a place of the same length."""
        home = self.alice.home
        instead = "/home/alice/secret/psst-home".ljust(len(home), "x")[:len(home)]
        return blocks([row.replace(home, instead) for row in rows])

    def alice_and(self, name="Bob", pem="b4096", verified=True):
        self.alice = self.person("alice", bits=3072)
        self.me = key(pem)
        self.alice.befriend(self.me, name)
        if verified:
            self.alice.psst("verify", name, "--yes", expect=None)
        self.bob = self.joins()
        return self.alice, self.bob

    def joins(self):
        bob = peer.Peer.call(self.alice.address, self.me, self.alice.public)
        self.addCleanup(bob.close)
        return bob

    def said(self, words):
        """By Alice; gives the id."""
        self.alice.psst("say", "Bob", words)
        return self.bob.hear(ack=False)[0]

    def talk(self):
        bob = self.bob
        bob.wait_ack(bob.say("Are you there?"))
        read = self.said("Yes. The train was late again.")
        bob.send_chunk(peer.ACK, read)
        bob.tell_read(read)
        bob.wait_ack(bob.say("I have the keys. Shall I come to the station, or will you find the way? It is ten minutes on foot: "
                             "along the river, over the second bridge, then left."))
        delivered = self.said("I will find it.\nSee you at eight")
        bob.send_chunk(peer.ACK, delivered)
        refused = self.said("and bring the map, please")
        bob.send_chunk(peer.NOT_ACCEPTED, refused + b"\x01")
        self.said("On my way")
        self.wait_state("and bring the map, please", "refused"), self.wait_state("On my way", "sent")

    def wait_state(self, words, state):
        wait_for("%r to be %s" % (words, state), lambda: any(
            m["text"] == words and m["state"] == state for m in self.alice.messages("Bob")))


class Talk(Pictures):
    def test_empty(self):
        self.alice_and(verified=False)
        self.golden(self.terminal(self.alice), "empty-80x24", "Bob")

    def test_both_ways(self):
        """What was read, delivered, not accepted, sent, and waits; at four sizes."""
        self.alice_and()
        self.talk()
        terminal = self.terminal(self.alice)
        self.golden(terminal, "talk-80x24", "On my way")
        self.bob.bye()
        self.alice.wait_session("Bob", 0)
        self.alice.psst("say", "Bob", "Where are you?")
        self.golden(terminal, "waiting-80x24", "Where are you?")
        for width, height in ((60, 20), (132, 40), (40, 12)):
            terminal.resize(width, height)
            self.golden(terminal, "waiting-%dx%d" % (width, height), "Where are you?")
        terminal.keys("F2")
        self.golden(terminal, "contacts-40x12", lambda text: "Where are you?" not in text)

    def test_held_up(self):
        """Why a message is not delivered yet, for as long as it is so."""
        alice, bob = self.alice_and()
        terminal = self.terminal(alice)
        terminal.wait("Nothing has been said")
        delivered, held = self.said("Are you there?"), self.said("The train leaves at eight, from the platform behind the shed")
        bob.send_chunk(peer.ACK, delivered)
        bob.send_chunk(peer.NOT_ACCEPTED, held + b"\x04")
        self.wait_state("Are you there?", "delivered")
        self.golden(terminal, "held-80x24", "has paused you")
        terminal.resize(40, 12)
        self.golden(terminal, "held-40x12", "has paused you")
        again = self.terminal(alice)  # and who opens the screen now is told, too
        again.wait("has paused you")
        again.keys("C-d")
        bob.send_chunk(peer.ACK, held)
        terminal.wait_gone("has paused you")

    def test_several_contacts(self):
        alice, bob = self.alice_and()
        for pem, name in (("a1024", "Carol"), ("a3072", "Dora"), ("b3072", "Erik")):
            alice.befriend(key(pem), name)
        alice.psst("block", "Erik")
        dora = peer.Peer.call(alice.address, key("a3072"), alice.public)
        self.addCleanup(dora.close)
        dora.show(BUSY, "in the workshop until six")
        bob.wait_ack(bob.say("Hello"))
        terminal = self.terminal(alice)
        terminal.wait("Hello")
        dora.wait_ack(dora.say("first"))
        dora.wait_ack(dora.say("second"))
        wait_for("both", lambda: alice.contact("Dora")["unread"] == 2)
        bob.show(2, "back at three")
        self.golden(terminal, "contacts-80x24", lambda text: "2" in text and "back at three" in text)
        terminal.resize(132, 40)
        self.golden(terminal, "contacts-132x40", "back at three")
        terminal.resize(80, 24)
        terminal.keys("M-a")
        self.golden(terminal, "busy-80x24", "second")

    def test_scripts(self):
        """Right to left, Chinese and Japanese, emoji, a long link."""
        alice, bob = self.alice_and()
        for words in ("\u0633\u0644\u0627\u0645\u060c \u0645\u0631\u062d\u0628\u0627 \u0628\u0643 \u0641\u064a \u0627\u0644\u0628\u064a\u062a",
                      "\u05e9\u05dc\u05d5\u05dd, \u05d4\u05e8\u05db\u05d1\u05ea \u05de\u05d2\u05d9\u05e2\u05d4 \u05d1\u05e9\u05e2\u05d4 8",
                      "\u4eca\u5929\u665a\u4e0a\u516b\u70b9\u5728\u8f66\u7ad9\u7b49\u4f60\uff0c\u522b\u5fd8\u4e86\u5e26\u5730\u56fe\uff0c\u4ece\u6cb3\u8fb9\u8d70\u8fc7\u6765\u53ea\u8981\u5341\u5206\u949f\u3002",
                      "\u306f\u3044\u3001\u5206\u304b\u308a\u307e\u3057\u305f", "Gr\u00fc\u00dfe \U0001f44b cafe\u0301",
                      "https://example.org/a/very/long/path/that/no/terminal/of/eighty/columns/can/show/in/one/row?with=words&and=more"):
            bob.wait_ack(bob.say(words))
        terminal = self.terminal(alice)
        self.golden(terminal, "scripts-80x24", "https")
        terminal.resize(40, 12)
        self.golden(terminal, "scripts-40x12", "and=more")

    def test_the_place(self):
        """Scrolled up while something comes; the place survives the sizes."""
        alice, bob = self.alice_and()
        for i in range(60):
            bob.wait_ack(bob.say("number %d%s" % (i, ", and a few words more" * (i % 5))))
        terminal = self.terminal(alice, 132, 40)
        terminal.wait("number 59")
        terminal.keys("PageUp")
        terminal.wait_gone("number 59")
        bob.wait_ack(bob.say("this is new"))
        self.golden(terminal, "scrolled-132x40", "newer")
        terminal.resize(40, 12)
        self.golden(terminal, "scrolled-40x12", "number")
        terminal.resize(80, 24)
        self.golden(terminal, "scrolled-80x24", "number")

    def test_found(self):
        alice, bob = self.alice_and()
        for words in ("the map is in the blue box", "and the box under the stairs", "which stairs?", "no map there"):
            bob.wait_ack(bob.say(words))
        terminal = self.terminal(alice)
        terminal.wait("no map there")
        terminal.enter("/search map")
        self.golden(terminal, "search-80x24", "2 found")
        terminal.keys("Up", "Enter")
        self.golden(terminal, "found-80x24", "which stairs?")

    def test_help(self):
        self.alice_and()
        terminal = self.terminal(self.alice)
        terminal.wait("Bob")
        terminal.keys("F1")
        self.golden(terminal, "help-80x24", "Alt+1", lengths)
        terminal.resize(40, 12)
        self.golden(terminal, "help-40x12", "1-6 of", lengths)


class FirstRun(Pictures):
    """A newcomer, from nothing to his first message."""

    def safety(self, rows):
        words = iter(("unicorn pastry meteor midday", "buffalo prairie inkwell kitchen", "fiddle zebra anchor copper",
                      "cherry raven almond nugget"))
        return [re.sub(r"(?<=\u2502 )[a-z]+ [a-z]+ [a-z]+ [a-z]+$", lambda m: next(words), row) for row in rows]

    def test_from_nothing_to_a_message(self):
        alice = self.alice = self.person("alice", init=False)
        bob = self.person("bob")
        terminal = self.terminal(alice)
        terminal.wait("your name")
        terminal.keys("C-u").type("Alice")
        self.golden(terminal, "first-name-80x24", "Alice")
        terminal.keys("Enter")
        self.golden(terminal, "first-size-80x24", "size (2")
        terminal.resize(40, 12)
        self.golden(terminal, "first-size-40x12", "size (2")
        terminal.resize(80, 24)
        terminal.keys("Down", "Down", "Enter", "C-u").type("1024").keys("Enter")
        self.golden(terminal, "first-passphrase-80x24", "(3 of 3)")
        terminal.keys("Enter").wait("Passphrase")
        terminal.enter("correct horse").wait("once more")
        terminal.enter("correct horse")
        self.golden(terminal, "card-80x24", "Your card", self.home)
        self.assertNotIn(b"correct", terminal.raw())
        terminal.type(alice.listen).keys("Enter").wait(lambda text: "> File" in text)
        terminal.keys("Enter").wait("hand it over")
        with open(alice.path("alice.psst"), encoding="utf-8") as file:
            bob.add(file.read(), "Alice")
        self.golden(terminal, "card-written-80x24", "> [Add", self.home)
        terminal.keys("Enter").wait("> File")
        terminal.enter(alice.write("bob.psst", bob.card()))
        self.golden(terminal, "add-80x24", "Your name for this contact", self.home)
        terminal.keys("Enter").wait("Bob is a contact")
        self.golden(terminal, "added-80x24", "> [Write]")
        terminal.keys("Enter").wait_gone("Bob is a contact")
        terminal.enter("Hello, it is me")
        bob.wait_text("Alice", "Hello, it is me")
        terminal.wait(lambda text: re.search(r"\. me  \| Hello, it is me", text))
        terminal.enter("/verify")
        self.golden(terminal, "verify-80x24", "Safety number", self.safety)
        terminal.keys("BTab", "BTab").wait("> [They are the same]")
        terminal.keys("Enter").wait_gone("NOT verified")
        self.assertTrue(alice.contact("Bob")["verified"])
        terminal.enter("/card").wait("[QR code]")
        terminal.keys("Tab", "Tab", "Tab").wait("> [QR code]")
        terminal.keys("Enter")
        terminal.resize(132, 60)
        terminal.wait("\u2588")

class Files(Pictures):
    def test_offered_running_done(self):
        alice, bob = self.alice_and()
        terminal = self.terminal(alice)
        terminal.wait("Nothing has been said")
        transfer = bob.offer(b"plan of the house.pdf", 4000000)
        alice.wait_file(lambda f: f["contact"] == "Bob")
        self.golden(terminal, "offered-80x24", "plan of the house")
        alice.psst("accept", "1")
        offset = bob.wait_file(transfer, wire.ACCEPT)["offset"]
        content = bytes(4000000)
        bob.send_data(transfer, content[:1400100], offset)
        alice.wait_file(lambda f: f["done"] == 1400100)
        self.golden(terminal, "running-80x24", "35%", rates)
        terminal.resize(40, 12)
        self.golden(terminal, "running-40x12", "plan", rates)
        terminal.resize(80, 24)
        bob.send_data(transfer, content, 1400100)
        bob.send_done(transfer, content)
        bob.wait_ack(transfer)
        self.golden(terminal, "done-80x24", "is here", self.home)


class Calls(Pictures):
    def alice_and(self, *args, **kwargs):
        got = super().alice_and(*args, **kwargs)
        for name, value in (("microphone", "null"), ("speaker", "null"), ("echo", "off"), ("voice_sense", "-100")):
            self.alice.psst("set", name, value)
        return got

    def test_ringing_in_and_missed(self):
        alice, bob = self.alice_and()
        bob.wait_ack(bob.say("I will call you"))
        alice.psst("log", "Bob")  # seen already: nothing is new when the screen opens
        wait_for("it is seen", lambda: alice.contacts()[0]["unread"] == 0)
        terminal = self.terminal(alice)
        terminal.wait("I will call you")
        bob.call_offer()
        self.golden(terminal, "ringing-80x24", "answer")
        terminal.resize(40, 12)
        self.golden(terminal, "ringing-40x12", "answer")
        terminal.resize(80, 24)
        bob.call_hang_up()
        self.golden(terminal, "missed-80x24", "missed")

    def test_ringing_out_and_active(self):
        alice, bob = self.alice_and()
        terminal = self.terminal(alice)
        terminal.wait("Nothing has been said")
        terminal.enter("/call")
        bob.expect(peer.CALL)
        bob.call_ring()
        self.golden(terminal, "calling-80x24", "ring")
        bob.call_accept()
        wait_for("the call", lambda: alice.status()["call"]["state"] == "active")
        self.golden(terminal, "call-80x24", lambda text: "0:0" in text, levels)
        terminal.keys("F5")
        self.golden(terminal, "muted-80x24", "muted", levels)
        terminal.resize(40, 12)
        self.golden(terminal, "muted-40x12", "muted", levels)
        terminal.enter("/hangup")
        bob.expect(peer.CALL)


def levels(rows):
    return [re.sub(r"\d+ m(s?)$", r"40 m\1", row) for row in rows]


class States(Pictures):
    def test_locked(self):
        alice = self.person("alice", init=False)
        secret = alice.write("secret", "correct horse\n")
        alice.psst("init", "--name", "Alice", "--bits", "1024", "--passphrase-file", secret, timeout=120)
        alice.psst("lock")
        terminal = self.terminal(alice)
        self.golden(terminal, "locked-80x24", "passphrase")
        terminal.enter("wrong")
        terminal.wait("wrong")
        terminal.enter("correct horse")
        terminal.wait_gone("passphrase")
        self.assertNotIn(b"correct", terminal.raw())

    def test_psstd_gone(self):
        self.alice_and()
        terminal = self.terminal(self.alice)
        terminal.wait("Bob")
        self.alice.kill()
        self.golden(terminal, "gone-80x24", "psstd has ended")

    def test_damaged(self):
        """Attack 47, as the screen tells it."""
        alice, bob = self.alice_and()
        for i in range(300):
            bob.wait_ack(bob.say("number %d %s" % (i, "x" * (i % 60))))
        bob.close()
        alice.stop()
        path = alice.path("store.db")
        with open(path, "r+b") as file:
            size = os.path.getsize(path)
            file.seek(size // 4096 * 2 // 3 * 4096 + 100)
            file.write(bytes(64))
        alice.start(opens=False)
        wait_for("psstd to have looked", lambda: "history-damaged" in alice.log())
        self.golden(self.terminal(alice), "damaged-80x24", "damaged")


class Documentation(ScreenE2E):
    def test_pictures_are_real(self):
        """<!-- screen: NAME --> in a document is followed by the picture."""
        named = 0
        for path in [os.path.join(ROOT, "README.md"), *glob.glob(os.path.join(ROOT, "docs", "*.md"))]:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            with_pictures = PICTURE.sub(self.picture, text)
            if WRITE and text != with_pictures:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(with_pictures)
            elif text != with_pictures:
                self.fail(path + " has other pictures than tests/e2e/screens (PSST_GOLDEN=write mends it)")
            self.assertEqual(len(re.findall("<!-- screen: [a-z]", text)), len(PICTURE.findall(text)), path)
            named += len(PICTURE.findall(text))
        self.assertGreater(named, 5)

    def test_signs_are_those_of_the_program(self):
        with open(os.path.join(ROOT, "src", "tui", "rows.c"), encoding="utf-8") as file:
            signs = re.findall(r"\{PSST_STATE_\w+, '(.)', \"", file.read())
        with open(os.path.join(ROOT, "docs", "TERMINAL.md"), encoding="utf-8") as file:
            told = re.findall(r"^\| `(.)` \| (?!in session|verified)", file.read(), re.M)
        self.assertEqual(len(signs), 6)
        self.assertEqual(told, signs)

    def picture(self, match):
        with open(os.path.join(SCREENS, match.group(1) + ".txt"), encoding="utf-8") as file:
            return "<!-- screen: %s -->\n```\n%s\n```\n" % (match.group(1), file.read().rstrip("\n"))
