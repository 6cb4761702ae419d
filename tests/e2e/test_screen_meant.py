"""What the screen does is what its person meant: not what came, ended or began while a line was being written, nor what a paste or
the rest of a passphrase happens to say."""
import os
import signal
import time

from psst import USAGE, key, wait_for
from tmux import ScreenE2E

PASS = "correct horse"
NOTICED_S = 0.4  # what has stood on the screen for so long can be meant
PAUSE_S = 1.6  # who has typed nothing for so long has looked up
IN_FLIGHT = 32  # lines of psst chat that psstd has not answered: then it reads no more


class Meant(ScreenE2E):
    def setUp(self):
        super().setUp()
        self.alice = self.person("alice")
        self.mallory = self.caller(self.alice, "a2048")
        self.mallory.wait_ack(self.mallory.say("begin"))
        self.screen = self.terminal(self.alice)
        self.screen.wait("| begin")

    def quiet(self):
        for name, value in (("microphone", "null"), ("speaker", "null"), ("echo", "off")):
            self.alice.psst("set", name, value)

    def test_an_offer_that_comes_while_one_writes_is_not_taken(self):
        self.screen.type("/accept").wait("/accept")
        self.mallory.offer(b"unasked.bin", 1000)
        self.screen.wait("<- mallory:")
        self.screen.keys("Enter")
        self.screen.wait("was not on the screen yet")
        self.assertEqual({f["state"] for f in self.alice.files()}, {"waiting"})
        time.sleep(NOTICED_S)
        self.screen.enter("/accept")
        self.alice.wait_file(lambda f: f["path"])

    def test_a_call_that_begins_while_one_writes_is_not_answered(self):
        self.quiet()
        self.screen.type("/answer").wait("/answer")
        self.mallory.call_offer()
        self.screen.wait("mallory calls")
        self.screen.keys("Enter")
        self.screen.wait("only while you wrote")
        self.assertEqual(self.alice.status()["call"]["state"], "offered")
        time.sleep(NOTICED_S)
        self.screen.enter("/decline")
        self.screen.wait_gone("mallory calls")

    def test_hanging_up_as_the_call_ends_leaves_the_session(self):
        self.quiet()
        self.mallory.call_offer()
        self.screen.wait("mallory calls")
        self.screen.type("/hangup").wait("/hangup")
        self.mallory.call_hang_up()
        self.screen.wait_gone("mallory calls")
        self.screen.keys("Enter")
        self.screen.wait("has ended already")
        self.assertEqual(len(self.alice.sessions("mallory")), 1)
        self.screen.enter("/hangup")
        wait_for("the end of the session", lambda: not self.alice.sessions("mallory"))

    def test_a_voice_message_that_is_not_taken_is_told(self):
        self.mallory.offer(b"voice message 12 s.opus", 10, form=3)
        self.mallory.offer(b"voice message 900 s.opus", 5 * 1024 * 1024, form=3)
        text = self.screen.wait("voice message 2 is offered")
        self.assertNotIn("voice message 1 is offered", text)

    def test_a_paste_of_several_lines_is_no_command(self):
        for paste in ("/lock\nand more", "/msg mallory hello\nthere\n"):
            self.screen.paste(paste)
            self.screen.wait(lambda text, last=paste.split("\n")[1]: last in text)
            self.screen.keys("Enter")
            self.screen.wait("several lines are no command")
            self.screen.wait(paste.split("\n")[0])  # it stays
            self.screen.keys("C-c").wait_gone(paste.split("\n")[0])
        self.assertFalse(self.alice.status()["identity"]["locked"])
        self.assertEqual(self.alice.texts("mallory", "out"), [])
        self.screen.paste("//etc/hosts\nand more")
        self.screen.wait("and more")
        self.screen.keys("Enter")
        wait_for("it to be said", lambda: self.alice.texts("mallory", "out") == ["/etc/hosts\nand more"])
        self.screen.paste("/away at lunch\n")  # one line is as good as a typed one
        self.screen.wait("at lunch")
        self.screen.keys("Enter")
        self.screen.wait("to everybody you are away: at lunch")

    def test_what_is_pasted_into_the_plain_chat_is_said(self):
        chat = self.terminal(self.alice, args=("chat", "mallory"))
        chat.wait("/quit ends the chat")
        chat.paste("one\n/call\n/quit\nfour\n")
        wait_for("it to be said", lambda: self.alice.texts("mallory", "out") == ["one", "/call", "/quit", "four"])
        self.assertEqual((self.alice.status()["call"], chat.code()), (None, None))
        time.sleep(NOTICED_S)
        chat.enter("/quit")
        self.assertEqual(chat.wait_end(), 0)

    def test_the_last_line_of_a_paste_is_said_however_late_it_is_read(self):
        said = ["line %d" % i for i in range(IN_FLIGHT)] + ["/quit"]
        chat = self.terminal(self.alice, args=("chat", "mallory"))
        chat.wait("/quit ends the chat")
        os.kill(self.alice.pid(), signal.SIGSTOP)
        try:
            chat.paste("\n".join(said) + "\n")
            chat.wait(said[-2])
            time.sleep(NOTICED_S)
        finally:
            os.kill(self.alice.pid(), signal.SIGCONT)
        wait_for("it to be said", lambda: self.alice.texts("mallory", "out") == said)
        self.assertIsNone(chat.code())

    def test_nobody_is_called_as_oneself_is(self):
        self.alice.write("x.psst", key("b2048").pem())
        for name in ("me", "M\u0435", "Alice"):
            self.assertIn("give this contact another", self.alice.psst("add", self.alice.path("x.psst"), "--as", name, "--yes",
                                                                       expect=USAGE).err)
        self.assertIn("give this contact another", self.alice.psst("rename", "mallory", "ME", expect=USAGE).err)


class Typing(ScreenE2E):
    """A passphrase is being typed as the screen changes by itself."""

    def setUp(self):
        super().setUp()
        self.alice = self.person("alice", init=False)
        self.alice.write("pass", PASS + "\n")
        self.alice.psst("init", "--name", "Alice", "--bits", "1024", "--passphrase-file", self.alice.path("pass"))
        self.alice.befriend(key("b2048"), "Bob")
        self.alice.psst("lock")
        self.screen = self.terminal(self.alice)
        self.screen.wait("Passphrase")

    def assertUnsaid(self):
        self.assertNotIn("horse", self.screen.text())
        self.assertNotIn("horse", self.alice.psst("log", "Bob").out)

    def test_psstd_comes_back_open(self):
        self.screen.type(PASS[:7]).wait("\u2022" * 7)
        self.alice.kill()
        self.screen.wait("psstd has ended")
        self.alice.start(opens=False)
        self.alice.psst("unlock", "--passphrase-file", self.alice.path("pass"))
        self.screen.wait("Bob>")
        self.screen.type(PASS[7:]).wait("not taken")
        self.screen.keys("Enter").wait_gone("not taken")
        self.assertUnsaid()
        self.screen.enter("hello").wait("| hello")  # from here on keys count again

    def test_psstd_comes_back_locked(self):
        self.alice.psst("unlock", "--passphrase-file", self.alice.path("pass"))
        self.screen.wait("opened meanwhile")
        self.screen.keys("Enter").wait("Bob>")
        self.alice.kill()
        self.screen.wait("psstd has ended")
        self.alice.start(opens=False)
        self.screen.wait("Passphrase")
        time.sleep(PAUSE_S)
        for n in range(1, len(PASS) + 1):  # as a person types: one by one
            self.screen.type(PASS[n - 1]).wait("\u2022" * n)
        self.screen.keys("Enter").wait("Bob>")

    def test_ctrl_c_empties_and_then_leaves(self):
        self.screen.type("wrong").wait("\u2022" * 5)
        self.screen.keys("C-c").wait_gone("\u2022")
        self.assertIsNone(self.screen.code())
        self.screen.keys("C-c")
        self.assertEqual(self.screen.wait_end(), 0)

    def test_who_does_not_look_up(self):
        self.alice.psst("unlock", "--passphrase-file", self.alice.path("pass"))
        self.screen.wait("opened meanwhile")
        self.screen.type(PASS).wait("not taken")
        self.screen.keys("Enter").wait_gone("not taken")
        self.assertUnsaid()


class First(ScreenE2E):
    def test_ctrl_c_in_a_new_passphrase(self):
        alice = self.person("alice", init=False)
        screen = self.terminal(alice)
        screen.wait("Your name")
        screen.keys("Enter").wait("4096 bits: the default")
        screen.keys("Enter", "Enter").wait("a passphrase, asked for")
        screen.keys("Enter").wait("Enter goes on, Escape goes back")
        screen.type("mistyped").wait("\u2022" * 8)
        screen.keys("C-c").wait_gone("\u2022")
        screen.wait("Ctrl+C empties the field")
        screen.type("again").wait("\u2022" * 5)
        screen.keys("Escape").wait("no passphrase:")
        screen.keys("Enter").wait("Ctrl+C empties the field")
        screen.keys("C-c")
        self.assertEqual(screen.wait_end(), 0)
        self.assertIsNone(alice.status()["identity"])
