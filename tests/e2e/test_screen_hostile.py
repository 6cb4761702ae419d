"""Attacks 34 to 39: what a contact can send, on the screen of who reads it. The frame and the gutter stay whole in every row, and
of the peer's text nothing reaches the terminal but letters."""
import re
import time

import wire
from psst import PATIENCE, key
from tmux import DOWN, ScreenE2E, at_column, columns

WIDTH, HEIGHT = 80, 24
EDGE = 20  # the line between contacts and conversation
GUTTER = EDGE + 1 + len("14:03   mallory ")
# What the program itself writes: moves, modes, styles, character sets, and the window's title.
CSI = re.compile(rb"\x1b\[[0-9;:?<>=!]*[ ]?[A-Za-z@`]")
OTHER = re.compile(rb"\x1b(?:[()][AB0]|[=>78DEMHc])")
TITLE = re.compile(rb"\x1b\][02];[^\x00-\x1f\x7f]*(?:\x07|\x1b\\)")
SECRETS = ("pwned", "31;41m", "c2VjcmV0")

CONTROLS = {
    "ESC and CSI": "\x1b[31;41mpwned\x1b[2J\x1b[H\x1b[?1049l end",
    "OSC 8": "\x1b]8;;http://evil.example/\x07click\x1b]8;;\x07 end",
    "OSC 52": "\x1b]52;c;c2VjcmV0\x07 end",
    "OSC 0": "\x1b]0;pwned\x07 end",
    "DCS": "\x1bP1$r0m\x1b\\ \x1bPtmux;\x1b\x1b]52;c;c2VjcmV0\x07\x1b\\ end",
    "C1": "\x9b31;41mpwned\x9d52;c;c2VjcmV0\x9c \x90q\x9c \x85next end",
    "CR, BS, BEL, VT, FF, DEL": "before\roverwritten\x08\x08\x07\x0b\x0c\x7f end",
    "shift out": "\x0elqqk\x0f end",
    "NUL's picture and tab": "a\tb\u2400c end",
    "separators": "one\u2028two\u2029three end",
}
BIDI = "\u202e\u202d\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


class Hostile(ScreenE2E):
    def setUp(self):
        super().setUp()
        self.alice = self.person("alice")
        self.mallory = self.caller(self.alice, "a2048")
        self.terminal = self.open()

    def open(self, width=WIDTH, height=HEIGHT):
        self.mallory.wait_ack(self.mallory.say("begin"))
        terminal = self.terminal_of(width, height)
        terminal.wait(lambda text: re.search(r"mallory \| begin", text))
        return terminal

    def terminal_of(self, width, height):
        return super().terminal(self.alice, width, height)

    def say(self, text):
        """And waits until all of it was drawn."""
        self.mallory.wait_ack(self.mallory.say(text))
        self.mark()

    def mark(self):
        self.count = getattr(self, "count", 0) + 1
        words = "mark %d." % self.count
        self.mallory.wait_ack(self.mallory.say(words))
        return self.terminal.wait(words)

    def assertWhole(self):
        """Every row: the frame, and in the conversation a gutter or a line of ours. Looked at again while it is being drawn."""
        deadline = time.monotonic() + 3 * PATIENCE
        while True:
            try:
                self.look(self.terminal.rows())
                return
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def look(self, rows):
        bottom = max((i for i, row in enumerate(rows) if at_column(row, EDGE) == DOWN), default=0)
        self.assertGreater(bottom, 15)
        for i, row in enumerate(rows[:bottom + 1]):
            self.assertEqual(at_column(row, EDGE), DOWN, "row %d has no edge:\n%s" % (i, "\n".join(rows)))
            self.assertLessEqual(columns(row), WIDTH)
            said = row[row.index(DOWN) + 1:]
            if not said.strip() or re.match(r" ?-- ", said):
                continue
            self.assertEqual(at_column(row, GUTTER), "|", "row %d has no gutter:\n%s" % (i, "\n".join(rows)))
            head = row[row.index(DOWN) + 1:row.index("|")]
            self.assertRegex(head, r"^ ?(\d\d:\d\d [ .~>+!x] (mallory|me     ) | +)$", "row %d:\n%s" % (i, "\n".join(rows)))
        for row in rows[bottom + 1:]:
            self.assertNotIn("pwned", row)

    def assertQuiet(self, bells=0):
        """Of what was written to the terminal all that is not text is the program's own."""
        raw = self.terminal.raw()
        left = OTHER.sub(b"", CSI.sub(b"", TITLE.sub(b"", raw)))
        for title in TITLE.findall(raw):
            for word in SECRETS:
                self.assertNotIn(word.encode(), title)
        self.assertNotIn(b"\x1b", left, repr(left[max(0, left.find(b"\x1b") - 50):][:200]))
        self.assertNotIn(b"\x1b]8", raw), self.assertNotIn(b"\x1b]52", raw), self.assertNotIn(b"\x1bP", raw)
        self.assertLessEqual(left.count(b"\x07"), bells)
        self.assertNotRegex(left, rb"[\x00-\x06\x0b\x0c\x10-\x1a\x1c-\x1f\x7f]")
        self.assertNotRegex(left.decode("utf-8"), "[\u0080-\u009f%s\u2028\u2029]" % BIDI)

    def words(self):
        """What is written behind the gutter, without blanks."""
        return "".join(row.split(" | ", 1)[1] for row in self.terminal.rows() if " | " in row).replace(" ", "")

    def bells(self):
        return 2 * getattr(self, "count", 0) + 8

    def test_controls(self):
        """Attack 34, in texts."""
        for what, text in CONTROLS.items():
            with self.subTest(what):
                self.say(text)
                self.assertIn("end", self.terminal.text())
        self.assertWhole()
        self.assertQuiet(self.bells())
        self.assertIsNone(self.terminal.code())

    def test_controls_in_names_and_presence(self):
        """Attack 34 in file names, in the words of a presence, and in what a notification may show."""
        evil = "\x1b]52;c;c2VjcmV0\x07\x1b[31;41mpwned\r\x9b2J\u202etxt.exe"
        self.alice.psst("set", "notify", "shown")
        self.mallory.show(2, evil[:60])
        self.mallory.offer(evil.replace("/", "").encode(), 1000)
        self.alice.wait_file(lambda f: f["contact"] == "mallory")
        self.mallory.call_offer()
        self.terminal.wait(lambda text: "mallory" in text)
        self.mark()
        self.terminal.settle()
        text = self.terminal.text()
        for row in text.split("\n"):
            self.assertNotIn("\u202e", row)
        self.assertIn("txt.exe", text)  # attack 35: in the order of its bytes
        self.assertQuiet(self.bells() + 60)
        for command in ("/files", "/contacts", "/status", "/calls"):
            self.terminal.enter(command)
            self.terminal.settle()
            self.terminal.keys("Escape")
        self.assertQuiet(self.bells() + 60)

    def test_names_of_files_from_right_to_left(self):
        """Attack 35."""
        self.mallory.offer("holiday\u202egpj.exe".encode(), 1000)
        self.alice.wait_file(lambda f: f["contact"] == "mallory")
        text = self.terminal.wait("holiday")
        self.assertIn("gpj.exe", text)
        self.assertQuiet(self.bells())

    def test_who_it_is_says_the_alias(self):
        """Attack 36: zero-width and look-alike letters in what the peer calls himself and writes."""
        self.alice.befriend(key("b2048"), "bob")
        self.say("b\u200bo\u200cb\u2060 \ufeffis me\u00ad, b\u043eb")
        text = self.terminal.text()
        for c in "\u200b\u200c\u200d\u2060\ufeff":
            self.assertNotIn(c, text)
        self.assertRegex(text, r"mallory \| bob is me")
        self.assertWhole()

    def test_marks_and_wide_ones(self):
        """Attack 37."""
        for text in ("a" + "\u0301" * 500 + "b", "\u0301\u0302 begins with marks", "\u0e33" * 100 + "\u0e49" * 30,
                     "\u4e16" * 300, "x" + "\u4e16" * 300, "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" * 40,
                     "\U0001f1e9\U0001f1ea" * 60, "\u1100\u1161\u11a8" * 80, "\u2764\ufe0f" * 80, "\ufdfd" * 40, "\u3164" * 50,
                     "\U0001f3f4\U000e0067\U000e0062\U000e007f" * 30, "\u0600\u0605\u06dd" * 30, "\u115f\u1160\uffa0" * 40,
                     "\u05d0\u05d1 abc \u0627\u0644\u0639\u0631\u0628\u064a\u0629 " * 20, "\u2588\u2502\u2500" * 60):
            with self.subTest(text[:4]):
                self.say(text)
                self.assertWhole()
        self.assertQuiet(self.bells())

    def test_very_long_ones(self):
        """Attack 37: 5,000 lines, and 65 kB without a blank; the screen answers all the time."""
        for text in ("\n" * 5000, "y" * wire.TEXT_MAX, "\n".join("| " * (i % 7) for i in range(5000)), "\u0301" * 30000,
                     "\u05d0" * 30000):
            self.say(text)
            self.assertWhole()
        self.terminal.keys("PageUp", "PageUp", "PageUp")
        self.terminal.type("still here")
        self.terminal.wait("still here")
        self.assertWhole()
        for size in ((40, 12), (132, 40), (WIDTH, HEIGHT)):
            self.terminal.resize(*size)
        self.terminal.keys("M-End")
        self.terminal.wait("mark %d." % self.count)
        self.assertWhole()

    def test_markup_is_nothing_but_text(self):
        """Attack 38."""
        for text in ("%n%n%n%s%p %1$n end", "<b>bold</b> <a href='file:///etc/passwd'>x</a> &amp; end", "file:///etc/passwd end",
                     "**bold** `code` [x](file:///y) end", "{0} $(id) `id` $HOME ~ !! end", "/quit"):
            self.say(text)
            self.assertIn(text.replace(" ", ""), self.words())
        self.assertWhole()
        self.assertIsNone(self.terminal.code())
        self.assertQuiet(self.bells())

    def test_lines_of_ours_cannot_be_imitated(self):
        """Attack 39."""
        row = self.terminal.text().split("\n")
        status = row[-2][:70]
        imitation = ["-- Monday, 1 January 2001", "--   goes on", "14:03   me      | I agree to everything", "12:00   bob | pwned",
                     "            | second line", "\u2502 -- in session with bob", status, "!! psstd has ended", "-- mallory is verified",
                     " " * 200 + "-- pushed over the edge", "x" * (WIDTH - EDGE - 18) + "-- pushed over the edge",
                     "\u00a0" * 57 + "-- with blanks that do not break", "\u3000" * 40 + "-- with wide blanks"]
        before = self.ours()
        for line in imitation:
            self.say(line)
            self.say("first\n" + line + "\n" + line)
            self.assertWhole()
        self.assertEqual(self.ours() - before, set())
        self.assertWhole()

    def ours(self):
        """What stands as a line of ours in the conversation."""
        return {row[row.index(DOWN) + 1:].strip() for row in self.terminal.rows()
                if DOWN in row and re.match(r" ?--", row[row.index(DOWN) + 1:])}

    def test_a_conversation_that_fills_a_narrow_screen(self):
        """Attacks 37 and 39 where everything folds."""
        self.terminal.resize(40, 12)
        for text in ("\u4e16" * 100, "a" + "\u0301" * 500, "-- pwned\n14:03   me | pwned", "z" * 300):
            self.say(text)
            text = self.terminal.text()
            for row in text.split("\n")[:-2]:
                if row.strip() and not re.match(r" ?--", row):
                    self.assertRegex(row, r"^ ?(\d\d:\d\d . \S+ +| +)\|", text)
                self.assertLessEqual(columns(row), 40)


class Names(ScreenE2E):
    def test_a_card_with_an_evil_name(self):
        """Attacks 34 and 36: what a card calls itself is shown harmless, and is not what he is known by."""
        alice, bob = self.person("alice"), self.person("bob")
        card = bob.card()
        self.assertIn("Bob", card)
        path = alice.write("evil.psst", card.replace("Bob", "Bo\u200b\u202eb\x1b[31mpwned"))
        terminal = self.terminal(alice)
        terminal.wait(lambda text: text.strip())
        terminal.enter("/add " + path)
        terminal.settle()
        self.assertNotIn(b"\x1b[31mpwned", terminal.raw())
        self.assertNotIn("\u202e", terminal.text())
        self.assertIsNone(terminal.code())
