"""What changes while keys go down: a passphrase stays one, and locking hides what was said."""
from psst import key
from tmux import ScreenE2E

PASS = "correct horse"


class Moment(ScreenE2E):
    def setUp(self):
        super().setUp()
        self.alice = self.person("alice", init=False)
        self.alice.write("pass", PASS + "\n")
        self.alice.psst("init", "--name", "Alice", "--bits", "1024", "--passphrase-file", self.alice.path("pass"))
        self.alice.write("bob.psst", key("b2048").pem())
        self.alice.psst("add", self.alice.path("bob.psst"), "--as", "Bob", "--yes")

    def unlock(self):
        self.alice.psst("unlock", "--passphrase-file", self.alice.path("pass"))

    def test_locking_leaves_no_page_that_shows_what_was_said(self):
        terminal = self.terminal(self.alice)
        terminal.wait("Bob>")
        terminal.enter("a secret word").wait("| a secret word")
        terminal.enter("/search secret")
        terminal.wait("Enter goes there")
        self.alice.psst("lock")
        terminal.wait("Passphrase")
        self.assertNotIn("a secret word", terminal.text())
        terminal.enter(PASS)
        terminal.wait("| a secret word")

    def test_the_rest_of_a_passphrase_is_no_message(self):
        terminal = self.terminal(self.alice)
        terminal.wait("Bob>")
        self.alice.psst("lock")
        terminal.wait("Passphrase")
        terminal.type(PASS[:7])
        terminal.wait("\u2022" * 7)
        self.unlock()
        terminal.wait("opened meanwhile")
        terminal.type(PASS[7:]).keys("Enter")
        terminal.wait("Bob>")
        self.assertNotIn("horse", terminal.text())
        self.assertNotIn("horse", self.alice.psst("log", "Bob").out)

    def test_what_is_typed_ahead_is_shown_nowhere(self):
        self.alice.psst("lock")
        terminal = self.terminal(self.alice)
        terminal.enter(PASS)
        terminal.wait(lambda text: "Passphrase" in text or "Bob>" in text)
        terminal.settle()
        self.assertNotIn("horse", terminal.text())
        if "Passphrase" in terminal.text():  # else the page was there first, and it has opened
            self.unlock()
        terminal.wait("Bob>")
        self.assertNotIn("horse", terminal.text())  # what the terminal itself echoed before psst had it is not there either
