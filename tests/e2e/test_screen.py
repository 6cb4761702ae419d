"""The terminal interface as a person uses it: keys, mouse, sizes, leaving, losing psstd. What a screen looks like: test_screen_golden.py;
what enemies put on it: test_screen_hostile.py."""
import json
import os
import re
import signal

from psst import key, wait_for
from tmux import ScreenE2E

EDGE = 20  # of 80 columns: the line between contacts and conversation
COLOUR = re.compile(r"\x1b\[[0-9;:]*?(?<![0-9])(?:3[0-7]|4[0-7]|9[0-7]|10[0-7]|38|48)[;:m]")


def entry_of(text):
    """The last row that is not empty."""
    rows = [row for row in text.split("\n") if row.strip()]
    return rows[-1] if rows else ""


class Keys(ScreenE2E):
    def alone(self, *names):
        """Alice, who knows some people who are never there."""
        alice = self.person("alice")
        for name, pem in zip(names, ("a2048", "b1024", "a1024", "b2048", "a3072")):
            alice.befriend(key(pem), name)
        return alice

    def test_switching(self):
        alice = self.alone("anna", "bert", "cora")
        with alice.control() as control:
            for name in ("anna", "bert", "cora"):
                control.call("say", name=name, text="for %s alone" % name)
        terminal = self.terminal(alice)
        terminal.wait("for anna alone")
        for keys, name in ((["M-2"], "bert"), (["M-3"], "cora"), (["M-1"], "anna"), (["M-Down"], "bert"), (["M-Right"], "cora"),
                           (["M-Up"], "bert"), (["M-Left"], "anna"), (["M-Up"], "cora"), (["M-9"], "cora")):
            terminal.keys(*keys)
            terminal.wait("for %s alone" % name)
        terminal.click(self.row_of(terminal, "bert"), 3)
        text = terminal.wait("for bert alone")
        self.assertNotIn("for cora alone", text)

    def row_of(self, terminal, part):
        return next(i for i, row in enumerate(terminal.rows()) if part in row[:EDGE])

    def test_next_unread(self):
        alice = self.alone("anna", "bert")
        mallory = self.caller(alice, "b2048")
        terminal = self.terminal(alice)
        terminal.wait("anna")
        terminal.keys("M-1")
        mallory.wait_ack(mallory.say("are you there?"))
        terminal.wait(lambda text: "are you there?" not in text)
        wait_for("it to be unread", lambda: alice.contact("mallory")["unread"] == 1)
        terminal.keys("M-a")
        terminal.wait("are you there?")
        wait_for("it to be seen", lambda: alice.contact("mallory")["unread"] == 0)
        terminal.keys("M-a")
        terminal.wait("nothing new")

    def test_a_draft_for_each(self):
        alice = self.alone("anna", "bert")
        terminal = self.terminal(alice)
        terminal.wait("anna")
        terminal.keys("M-1").type("half a word")
        terminal.wait("half a word")
        terminal.keys("M-2")
        terminal.wait_gone("half a word")
        terminal.type("something else")
        terminal.wait("something else")
        terminal.keys("M-1")
        terminal.wait("half a word")
        terminal.keys("Enter")
        wait_for("it to be said", lambda: alice.texts("anna") == ["half a word"])
        terminal.keys("M-2")
        terminal.wait("something else")
        self.assertEqual(alice.texts("bert"), [])

    def test_lines_and_pastes_are_sent_by_enter_alone(self):
        alice = self.alone("anna")
        terminal = self.terminal(alice)
        terminal.wait("anna")
        terminal.type("one").keys("C-j").type("two").keys("M-Enter").type("three")
        terminal.wait("three")
        self.assertEqual(alice.texts("anna"), [])
        terminal.keys("Enter")
        wait_for("it to be said", lambda: alice.texts("anna") == ["one\ntwo\nthree"])
        terminal.paste("pasted\n\u4e16\u754c \u202eabc\x07\x1b[31m\nend")
        terminal.wait(lambda text: "end" in text)
        self.assertEqual((alice.texts("anna"), terminal.code()), (["one\ntwo\nthree"], None))
        terminal.keys("C-a").type("the ").keys("Enter")  # at the beginning of the last line
        wait_for("it to be said", lambda: len(alice.texts("anna")) == 2)
        self.assertEqual(alice.texts("anna")[1], "pasted\n\u4e16\u754c \u202eabc[31m\nthe end")

    def test_what_is_pasted_is_no_command_by_accident(self):
        alice = self.alone("anna")
        terminal = self.terminal(alice)
        terminal.wait("anna")
        terminal.paste("/quit\nand more\n")
        terminal.wait("and more")
        terminal.keys("Enter")
        terminal.settle()
        self.assertIsNone(terminal.code())
        self.assertEqual(alice.texts("anna"), [])

    def test_tab(self):
        alice = self.alone("anna", "bert")
        alice.write("plan for tomorrow.txt", b"x")
        terminal = self.terminal(alice)
        terminal.wait("anna")
        for typed, becomes in (("/hel", "/help"), ("/msg be", "/msg bert"), ("/file ~/plan", "/file ~/plan\\ for\\ tomorrow.txt")):
            terminal.type(typed).keys("Tab")
            terminal.wait(lambda text, wanted=becomes: wanted in entry_of(text))
            terminal.keys("C-c")
            terminal.wait_gone(becomes)

    def test_what_was_entered_before(self):
        alice = self.alone("anna")
        terminal = self.terminal(alice)
        terminal.wait("anna")
        terminal.enter("first").enter("second")
        wait_for("both to be said", lambda: alice.texts("anna") == ["first", "second"])
        terminal.keys("Up")
        terminal.wait(lambda text: "second" in entry_of(text))
        terminal.keys("Up")
        terminal.wait(lambda text: "first" in entry_of(text))
        terminal.keys("Down", "Down")
        terminal.wait(lambda text: "first" not in entry_of(text) and "second" not in entry_of(text))

    def test_to_the_very_beginning_and_back(self):
        alice = self.alone("anna")
        n = 2000
        with alice.control() as control:
            for at in range(0, n, 50):
                control.sock.sendall(b"".join(
                    json.dumps({"jsonrpc": "2.0", "id": i, "method": "say",
                                "params": {"name": "anna", "text": "number %d." % i}}).encode() + b"\n" for i in range(at, at + 50)))
                for _ in range(50):
                    self.assertIn("result", control.line())
        terminal = self.terminal(alice)

        def page(now):
            """What stands there, when it has been drawn to its end."""
            numbers = {int(i) for i in re.findall(r"number (\d+)\.", now)}
            return numbers if numbers and len(numbers) == max(numbers) - min(numbers) + 1 else {n}
        numbers = page(terminal.wait(lambda now: max(page(now)) == n - 1))
        seen = set(numbers)
        for _ in range(n // 10):
            if 0 in seen:
                break
            top = min(numbers)
            terminal.keys("PageUp")
            numbers = page(terminal.wait(lambda now, top=top: min(page(now)) < top))
            seen |= numbers
        self.assertEqual(seen, set(range(n)), "messages were skipped on the way up")
        terminal.keys("PageDown")
        terminal.wait_gone("number 0.")
        terminal.keys("M-End")
        terminal.wait("number %d." % (n - 1))
        terminal.keys("M-Home")
        terminal.wait("number 0.")
        terminal.wheel(5, 40, up=False)
        terminal.wait_gone("number 0.")
        terminal.enter("the end")
        terminal.wait(lambda text: re.search(r"\| the end", text))

    def test_what_comes_does_not_move_who_reads(self):
        alice = self.alone()
        mallory = self.caller(alice, "b2048")
        with alice.control() as control:
            for i in range(60):
                control.call("say", name="mallory", text="number %d." % i)
        terminal = self.terminal(alice)
        terminal.wait("number 59.")
        terminal.keys("PageUp")
        before = [row for row in terminal.wait_gone("number 59.").split("\n") if "number" in row]
        terminal.settle()
        before = [row for row in terminal.rows() if "number" in row]
        mallory.wait_ack(mallory.say("look here"))
        terminal.wait(lambda text: "newer" in text)
        self.assertEqual([row for row in terminal.rows() if "number" in row][1:-1], before[1:-1])
        self.assertNotIn("look here", terminal.text())
        terminal.keys("M-End")
        terminal.wait("look here")


    def test_what_is_erased_leaves_the_screen(self):
        """And who reads elsewhere stays where he is."""
        alice = self.alone()
        mallory = self.caller(alice, "b2048")
        for i in range(40):
            mallory.wait_ack(mallory.say("number %d." % i))
        terminal = self.terminal(alice)
        terminal.wait("number 39.")
        wait_for("all to be seen", lambda: alice.contact("mallory")["unread"] == 0)
        with alice.control() as control:
            split = control.call("log", name="mallory", limit=30)["messages"][0]["time_ms"]
            terminal.keys("PageUp")
            terminal.wait_gone("number 39.")
            terminal.keys("M-Home")
            terminal.wait("number 0.")
            control.call("contact.forget", name="mallory", before_ms=split)
        text = terminal.wait_gone("number 0.")
        self.assertIn("newer", text, "the place is lost")
        left = [int(i) for i in re.findall(r"number (\d+)\.", text)]
        self.assertIn(left[0], range(5, 11))  # what came in the same millisecond stays
        self.assertEqual(left, list(range(left[0], left[-1] + 1)))
        terminal.keys("M-End")
        terminal.wait("number 39.")
        alice.psst("forget", "mallory")
        terminal.wait_gone("number")


class Sizes(ScreenE2E):
    def test_down_to_nothing_and_back(self):
        alice = self.person("alice")
        mallory = self.caller(alice, "b2048")
        mallory.wait_ack(mallory.say("small is beautiful \u4e16\u754c"))
        terminal = self.terminal(alice)
        terminal.wait("small is")
        terminal.type("a draft that is longer than one row of a small terminal ever could be")
        for size in ((1, 1), (2, 2), (1, 24), (80, 1), (3, 5), (10, 4), (200, 3), (19, 24), (59, 24), (60, 24), (300, 100), (80, 24)):
            terminal.resize(*size)
            mallory.wait_ack(mallory.say("at %dx%d" % size))
        text = terminal.wait("at 300x100")
        self.assertIn("small is beautiful", text)
        self.assertIn("a draft that is longer", text)
        self.assertIsNone(terminal.code())
        for page in ("F1", "F2"):
            terminal.keys(page)
            for size in ((1, 1), (7, 3), (80, 24)):
                terminal.resize(*size)
            terminal.keys("Escape")
        terminal.wait("small is")

    def test_the_place_is_kept(self):
        alice = self.person("alice")
        alice.befriend(key("a2048"), "anna")
        with alice.control() as control:
            for i in range(200):
                control.call("say", name="anna", text="number %d. %s" % (i, "and a few words more " * (i % 7)))
        terminal = self.terminal(alice, 132, 40)
        terminal.wait("number 199.")
        terminal.keys("PageUp", "PageUp")
        terminal.wait_gone("number 199.")
        terminal.settle()

        def lowest():
            return max(int(i) for i in re.findall(r"number (\d+)\.", terminal.text()))

        place = lowest()
        terminal.resize(40, 12)
        terminal.wait("number %d." % place)
        terminal.resize(80, 24)
        terminal.wait("number %d." % place)
        terminal.resize(132, 40)
        terminal.wait("number %d." % place)
        terminal.settle()
        self.assertEqual(lowest(), place)


class Leaving(ScreenE2E):
    """The terminal is given back as it was, whatever happens."""

    def setUp(self):
        super().setUp()
        self.alice = self.person("alice")
        self.alice.befriend(key("a2048"), "anna")

    def shell(self, **kwargs):
        """psst, begun by a shell; afterwards `after` has the terminal's settings, and `code` its exit code."""
        terminal = self.terminal(self.alice, shell=True, **kwargs)
        terminal.wait("$")
        terminal.enter("stty -a >before; psst; echo $? >code; stty -a >after; echo it is o''ver")
        terminal.wait(lambda text: "anna" in text and "stty" not in text)
        return terminal

    def assertGivenBack(self, terminal, codes=(0,)):
        terminal.wait("it is over")

        def read(name):
            with open(self.alice.path(name), encoding="utf-8") as file:
                return file.read()

        self.assertEqual(read("before"), read("after"))
        self.assertIn(int(read("code")), codes)
        self.assertIn("stty -a >before", terminal.text(), "the screen is not what it was")
        self.assertEqual(terminal.ask("#{alternate_on} #{mouse_any_flag} #{cursor_flag} #{keypad_flag}"), "0 0 1 0")
        terminal.enter("echo b''ack")
        terminal.wait("back")
        terminal.paste("unbracketed")
        self.assertNotIn("200~", terminal.wait("unbracketed"))

    def test_by_quit(self):
        terminal = self.shell()
        terminal.enter("/quit")
        self.assertGivenBack(terminal)

    def test_by_ctrl_d_after_ctrl_c_kept_it(self):
        terminal = self.shell()
        terminal.type("words").keys("C-c")
        terminal.wait_gone("words")
        terminal.keys("C-c")
        terminal.wait("/quit leaves")
        terminal.keys("C-d")
        self.assertGivenBack(terminal)

    def test_by_signals(self):
        for sig in (signal.SIGTERM, signal.SIGHUP):
            terminal = self.shell()
            wait_for("psst", lambda: self.psst_pid(terminal))
            os.kill(self.psst_pid(terminal), sig)
            self.assertGivenBack(terminal, (0, 1, 128 + sig))

    def psst_pid(self, terminal):
        return next((int(pid) for pid in os.listdir("/proc") if pid.isdigit() and self.is_psst(pid, terminal.pid())), None)

    def is_psst(self, pid, parent):
        try:
            with open("/proc/%s/stat" % pid, encoding="ascii", errors="replace") as file:
                head, _, rest = file.read().rpartition(")")
            return head.endswith("(psst") and int(rest.split()[1]) == parent
        except OSError:
            return False

    def test_suspended_and_back(self):
        terminal = self.shell()
        terminal.type("not yet said")
        terminal.wait("not yet said")
        terminal.keys("C-z")
        terminal.wait("Stopped")
        self.assertEqual(terminal.ask("#{alternate_on} #{mouse_any_flag}"), "0 0")
        terminal.resize(100, 30)
        terminal.enter("fg")
        terminal.wait(lambda text: "not yet said" in text and "Stopped" not in text)
        terminal.keys("C-c").enter("/quit")
        terminal.wait("it is over")

    def test_without_a_terminal(self):
        self.assertIn("A first conversation", self.alice.psst().out)


class Lost(ScreenE2E):
    def test_psstd_is_killed_and_comes_back(self):
        alice = self.person("alice")
        alice.befriend(key("a2048"), "anna")
        with alice.control() as control:
            control.call("say", name="anna", text="said before")
        terminal = self.terminal(alice)
        terminal.wait("said before")
        alice.kill()
        terminal.wait("psstd has ended")
        alice.start()
        terminal.wait("said before")
        terminal.enter("and after")
        wait_for("it to be said", lambda: "and after" in alice.texts("anna"))
        terminal.wait("| and after")

    def test_enter_starts_it_again(self):
        alice = self.person("alice")
        alice.befriend(key("a2048"), "anna")
        terminal = self.terminal(alice)
        terminal.wait("anna")
        alice.kill()
        terminal.wait("psstd has ended")
        terminal.keys("Enter")
        terminal.wait("anna")
        alice.psst("down")
        terminal.wait("psstd")


class Terminals(ScreenE2E):
    def setUp(self):
        super().setUp()
        self.alice = self.person("alice")
        self.mallory = self.caller(self.alice, "b2048")
        self.mallory.wait_ack(self.mallory.say("hello"))

    def test_no_color(self):
        """In colour without it; without colour everything is still there."""
        terminal = self.terminal(self.alice)
        terminal.wait("hello")
        self.assertRegex(terminal.styled(), COLOUR)
        plain = self.terminal(self.alice, env={"NO_COLOR": "1"})
        plain.wait("hello")
        for keys in (["F1"], ["Escape"]):
            plain.keys(*keys)
            plain.settle()
            self.assertNotRegex(plain.styled(), COLOUR)
        self.assertNotRegex(plain.raw().decode("utf-8", "replace"), COLOUR)

    def test_vt100(self):
        terminal = self.terminal(self.alice, term="vt100")
        terminal.wait("hello")
        terminal.enter("and back")
        self.assertEqual(self.mallory.hear()[2], "and back")
        terminal.keys("M-1").enter("/quit")
        self.assertEqual(terminal.wait_end(), 0, terminal.text())

    def test_a_terminal_that_nobody_knows(self):
        terminal = self.terminal(self.alice, shell=True)
        terminal.wait("$")
        terminal.enter("TERM=no-such-terminal psst; echo i''t")
        text = terminal.wait("it")
        self.assertNotIn("\x1b", text)


class Delivery(ScreenE2E):
    def test_waiting_becomes_delivered(self):
        alice, bob = self.pair()
        bob.stop()
        terminal = self.terminal(alice)
        terminal.wait("bob")
        terminal.enter("are you back?")
        terminal.wait(lambda text: re.search(r"\d\d:\d\d ~ me +\| are you back\?", text))
        bob.start()
        bob.psst("dial", "alice")
        terminal.wait(lambda text: re.search(r"\d\d:\d\d \. me +\| are you back\?", text))
        bob.wait_text("alice", "are you back?")
