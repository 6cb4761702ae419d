"""The pages of the terminal interface: from nothing to a contact that is verified, as a newcomer goes."""
import os
import unittest

from psst import key, wait_for
from tmux import ScreenE2E


class FirstRun(ScreenE2E):
    def setUp(self):
        super().setUp()
        self.alice = self.person("alice", init=False)

    def to_passphrase(self, terminal):
        terminal.wait("Your name")
        terminal.keys("C-u").enter("Alice")
        terminal.wait("4096 bits: the default")
        terminal.enter("1024")
        terminal.wait("( ) no passphrase:")

    def test_from_nothing_to_a_contact(self):
        terminal = self.terminal(self.alice)
        self.to_passphrase(terminal)
        terminal.keys("Enter")
        terminal.wait("Passphrase")
        terminal.enter("correct horse")
        terminal.wait("The same once more")
        terminal.enter("correct hoarse")
        terminal.wait("not the same")
        terminal.enter("correct horse")
        terminal.wait("The same once more")
        self.assertIn("\u2022" * 13 + "_", terminal.text())
        terminal.enter("correct horse")
        terminal.wait("It lies at", 60)
        identity = self.alice.status()["identity"]
        self.assertEqual((identity["name"], identity["bits"], identity["encrypted"], identity["locked"]),
                         ("Alice", 1024, True, False))
        self.assertNotIn(b"correct", terminal.raw())
        # the card, with an address, as a file
        self.alice.env["HOME"] = self.alice.home
        terminal.type("alice.example.org").keys("Tab", "C-u").enter(self.alice.path("me.psst"))
        terminal.wait("hand it over; it holds no secret")
        with open(self.alice.path("me.psst"), encoding="utf-8") as file:
            self.assertIn("Address: alice.example.org:4516", file.read())
        # and a contact
        self.alice.write("bob.psst", key("b2048").pem())
        terminal.keys("Enter")
        terminal.wait("paste the")
        terminal.type(self.alice.path("bo")).keys("Tab")
        terminal.wait("bob.psst")
        terminal.keys("Enter")
        terminal.wait("(no name)")
        terminal.enter("Bob")
        terminal.wait("Bob is a contact.")
        terminal.keys("Tab", "Enter")
        terminal.wait("must be the same on both sides")
        self.assertFalse(self.alice.contact("Bob")["verified"])
        terminal.keys("BTab", "BTab", "Enter")
        wait_for("Bob to be verified", lambda: self.alice.contact("Bob")["verified"])

    def test_no_passphrase_is_a_choice(self):
        terminal = self.terminal(self.alice, 40, 12)
        self.to_passphrase(terminal)
        terminal.keys("Enter")
        terminal.wait("Passphrase")
        terminal.keys("Enter")
        terminal.wait("That is none")
        self.assertIsNone(self.alice.status()["identity"])
        terminal.keys("Escape")
        terminal.wait("( ) no passphrase:")
        terminal.keys("Down", "Enter")
        wait_for("the identity", lambda: self.alice.status()["identity"], 60)
        self.assertFalse(self.alice.status()["identity"]["encrypted"])
        terminal.wait("Your card")

    def test_escape_goes_back_and_ctrl_c_leaves(self):
        terminal = self.terminal(self.alice)
        self.to_passphrase(terminal)
        terminal.keys("Escape")
        terminal.wait("4096 bits: the default")
        terminal.keys("Escape")
        terminal.wait("Your name")
        self.assertIn("Alice", terminal.text())
        terminal.keys("C-c")
        self.assertEqual(terminal.wait_end(), 0)
        self.assertIsNone(self.alice.status()["identity"])

    def test_an_identity_that_appears_meanwhile(self):
        terminal = self.terminal(self.alice)
        terminal.wait("Your name")
        self.alice.init()
        terminal.wait_gone("Your name")


class Cards(ScreenE2E):
    def setUp(self):
        super().setUp()
        self.alice = self.person("alice")
        self.alice.add(self.card("b2048", "Bob"), "Bob")

    def card(self, name, owner, *fields):
        return "PSST contact card\n" + "".join(f + "\n" for f in ("Name: " + owner,) + fields) + "\n" + key(name).pem()

    def add(self, card, *size):
        terminal = self.terminal(self.alice, *size)
        terminal.wait("Bob")
        terminal.enter("/add " + self.alice.write("x.psst", card))
        return terminal

    def test_a_known_name_with_another_key_is_a_stop(self):
        terminal = self.add(self.card("a2048", "Bob"))
        terminal.wait("STOP. You know Bob, and this card has ANOTHER KEY")
        terminal.keys("Enter")  # whoever just goes on, leaves it
        terminal.wait_gone("STOP")
        self.assertEqual([c["name"] for c in self.alice.contacts()], ["Bob"])

    def test_the_stop_is_to_be_seen_on_a_small_screen(self):
        terminal = self.add(self.card("a2048", "Bob"), 40, 12)
        terminal.wait("STOP.")
        terminal.keys("BTab", "BTab")
        terminal.enter("bob")
        terminal.wait("a key is never replaced")
        self.assertEqual(len(self.alice.contacts()), 1)
        terminal.keys("BTab", "BTab", "C-u")
        terminal.enter("Bob from work")
        terminal.wait("[Verify]")
        self.assertEqual({c["name"] for c in self.alice.contacts()}, {"Bob", "Bob from work"})

    def test_what_is_no_card(self):
        terminal = self.add("x" * 20000)
        terminal.wait("that is no card: it has more than 16384 bytes")
        self.alice.write("x.psst", "hello\n")
        terminal.keys("Enter")
        terminal.wait(lambda text: "!!" in text and "16384" not in text)
        os.unlink(self.alice.path("x.psst"))
        terminal.keys("Enter")
        terminal.wait("cannot open")

    def test_a_pasted_card(self):
        terminal = self.terminal(self.alice)
        terminal.wait("Bob")
        terminal.enter("/add")
        terminal.wait("paste the")
        terminal.paste(self.card("a2048", "Mallory \x1b[31m", "Address: mallory.example.org"))
        terminal.wait("mallory.example.org:4516")
        terminal.keys("C-u").enter("Mal")
        terminal.wait("Mal is a contact.")

    def test_the_numbers_differ(self):
        self.alice.psst("verify", "Bob", "--yes")
        terminal = self.terminal(self.alice)
        terminal.wait("Bob")
        terminal.enter("/verify Bob")
        terminal.wait("Bob is verified")
        terminal.keys("Tab", "Tab", "Enter")
        terminal.wait("STOP. Bob is NOT verified")
        wait_for("it to be taken back", lambda: not self.alice.contact("Bob")["verified"])

    def test_the_qr_code_says_how_large_it_must_be(self):
        terminal = self.terminal(self.alice, 60, 20)
        terminal.wait("Bob")
        terminal.enter("/card")
        terminal.wait("It lies at")
        terminal.keys("Tab", "Tab", "Tab", "Enter")
        terminal.wait("It needs")
        terminal.resize(140, 60)
        terminal.wait("\u2588\u2588\u2588\u2588")
        terminal.keys("Escape")
        terminal.wait("Your card is a small file")


if __name__ == "__main__":
    unittest.main()
