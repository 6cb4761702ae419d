"""Keys, passphrases, cards, pair secrets, safety numbers."""
import hashlib
import os
import re
import stat
import subprocess
import unittest

import peer
import wire
from psst import E2E, FAILED, LOCKED, REFUSED, USAGE, key, wait_for


def openssl(*args, input=None):
    return subprocess.run(["openssl", *args], input=input, capture_output=True, timeout=60, check=False)


class Identity(E2E):
    def test_without_identity(self):
        alice = self.person("alice", init=False)
        self.assertIsNone(alice.status()["identity"])
        for args in (("contacts",), ("say", "bob", "hi"), ("card",), ("unlock",)):
            alice.psst(*args, expect=LOCKED)
        alice.init()
        self.assertNotEqual(alice.psst("init", "--name", "Again", "--no-passphrase", expect=None).code, 0)
        self.assertEqual(alice.status()["identity"]["name"], "Alice")

    def test_init_wants_a_word_about_the_passphrase(self):
        alice = self.person("alice", init=False)
        self.assertIn(alice.psst("init", "--name", "Alice", "--bits", "1024", expect=None).code, (FAILED, USAGE))
        for bits in ("512", "1000", "8192", "abc"):
            alice.psst("init", "--name", "Alice", "--bits", bits, "--no-passphrase", expect=(FAILED, USAGE))
        self.assertIsNone(alice.status()["identity"])

    def test_passphrase_unlock_lock(self):
        alice = self.person("alice", init=False)
        right, wrong = alice.write("right", "sesame"), alice.write("wrong", "abracadabra\n")
        alice.init("--passphrase-file", right)
        bob = self.person("bob")
        self.introduce(alice, bob)
        alice.psst("dial", "bob")
        alice.psst("lock")
        bob.wait_session("alice", 0)
        self.assertTrue(alice.status()["identity"]["locked"])
        alice.psst("contacts", expect=LOCKED)
        alice.psst("say", "bob", "hi", expect=LOCKED)
        self.assertIn(alice.psst("unlock", "--passphrase-file", wrong, expect=None).code, (FAILED, LOCKED))
        self.assertNotEqual(alice.psst("unlock", expect=None).code, 0, "no terminal to ask at")
        self.assertTrue(alice.status()["identity"]["locked"])
        alice.psst("unlock", "--passphrase-file", "-", input="sesame\n")
        alice.psst("say", "bob", "--wait", "10", "hi")
        alice.restart()
        self.assertTrue(alice.status()["identity"]["locked"], "a restart locks")
        self.assertIn("BEGIN PUBLIC KEY", alice.card(), "one's own card is no secret")
        alice.psst("unlock", "--passphrase-file", right)
        self.assertEqual(alice.texts("bob"), ["hi"])

    def test_passphrase_command(self):
        alice = self.person("alice", init=False)
        alice.init("--passphrase-file", alice.write("right", "sesame"))
        alice.psst("set", "passphrase_command", "cat " + alice.path("right"))
        alice.restart()
        wait_for("unlocked by itself", lambda: not alice.status()["identity"]["locked"])
        alice.psst("set", "passphrase_command")
        alice.restart()
        self.assertTrue(alice.status()["identity"]["locked"])

    def test_who_calls_while_the_identity_opens_is_let_in(self):
        """Not refused as by a locked one: he would hear nothing for ten seconds."""
        alice = self.person("alice", init=False)
        alice.init("--passphrase-file", alice.write("right", "sesame"))
        me = key("a2048")
        alice.befriend(me, "mallory")
        alice.psst("set", "passphrase_command", "sleep 2; cat " + alice.path("right"))
        alice.restart()
        self.assertTrue(alice.status()["identity"]["locked"])
        with peer.Peer.call(alice.address, me, alice.public) as mallory:
            self.assertTrue(mallory.established)
        self.assertFalse(alice.status()["identity"]["locked"])

    def test_change_of_passphrase(self):
        alice = self.person("alice", init=False)
        old, new = alice.write("old", "old words"), alice.write("new", "new words")
        alice.init("--passphrase-file", old)
        before = open(alice.path("identity.pem"), "rb").read()
        self.assertNotEqual(alice.psst("passwd", "--passphrase-file", new, "--new-passphrase-file", old,
                                       expect=None).code, 0)
        self.assertEqual(open(alice.path("identity.pem"), "rb").read(), before, "untouched")
        alice.psst("passwd", "--passphrase-file", old, "--new-passphrase-file", new)
        alice.psst("lock")
        self.assertNotEqual(alice.psst("unlock", "--passphrase-file", old, expect=None).code, 0)
        alice.psst("unlock", "--passphrase-file", new)
        opened = openssl("pkey", "-in", alice.path("identity.pem"), "-passin", "file:" + new, "-noout", "-check")
        self.assertEqual(opened.returncode, 0, opened.stderr)
        self.assertEqual(stat.S_IMODE(os.stat(alice.path("identity.pem")).st_mode), 0o600)

    def test_openssl_reads_key_and_card(self):
        alice = self.person("alice", init=False)
        secret = alice.write("pass", "sesame")
        alice.init("--passphrase-file", secret, bits=2048)
        pem = alice.path("identity.pem")
        self.assertIn(b"BEGIN ENCRYPTED PRIVATE KEY", open(pem, "rb").read())
        self.assertNotEqual(openssl("pkey", "-in", pem, "-passin", "pass:wrong", "-noout").returncode, 0)
        public = openssl("pkey", "-in", pem, "-passin", "file:" + secret, "-pubout")
        self.assertEqual(public.returncode, 0, public.stderr)
        card = alice.write("card", alice.card())
        from_card = openssl("pkey", "-pubin", "-in", card, "-outform", "DER")
        self.assertEqual(from_card.returncode, 0, from_card.stderr)
        from_key = openssl("pkey", "-pubin", "-outform", "DER", input=public.stdout)
        self.assertEqual(from_card.stdout, from_key.stdout)
        shown = alice.status()["identity"]["fingerprint"].replace(" ", "")
        self.assertEqual(shown, hashlib.sha256(from_card.stdout).hexdigest())
        scheme = openssl("asn1parse", "-in", pem).stdout
        self.assertIn(b"PBES2", scheme)
        self.assertIn(b"aes-256", scheme)
        self.assertRegex(scheme.decode(), r"1\.3\.6\.1\.4\.1\.11591\.4\.11|scrypt")

    def test_import_of_a_key(self):
        alice = self.person("alice", init=False)
        with open(os.path.join(os.path.dirname(__file__), "..", "vectors", "keys", "a2048.pem"), "rb") as file:
            pem = file.read()
        path = alice.write("key", pem)
        alice.psst("init", "--name", "Alice", "--import", path, "--no-passphrase")
        self.assertEqual(alice.status()["identity"]["fingerprint"].replace(" ", ""), key("a2048").fpr.hex())
        alice.public = key("a2048")
        bob = self.person("bob")
        self.introduce(alice, bob)
        bob.psst("dial", "alice")

    def test_import_refuses_what_is_no_such_key(self):
        """Attacks 40 and 41."""
        alice = self.person("alice", init=False)
        good = open(os.path.join(os.path.dirname(__file__), "..", "vectors", "keys", "a2048.pem"), "rb").read()
        small = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:768").stdout
        low_e = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-pkeyopt",
                        "rsa_keygen_pubexp:3").stdout
        other = openssl("genpkey", "-algorithm", "ED25519").stdout
        dear = openssl("pkcs8", "-topk8", "-scrypt", "-scrypt_N", "1048576", "-scrypt_r", "8", "-passout", "pass:x",
                       input=good)
        cases = {"768 bits": small, "e = 3": low_e, "no RSA": other, "cut short": good[:900], "no PEM": b"hello\n",
                 "empty": b"", "public": openssl("pkey", "-pubout", input=good).stdout}
        if dear.returncode == 0:
            cases["absurd scrypt"] = dear.stdout
        cases["absurd PBKDF2"] = openssl("pkcs8", "-topk8", "-iter", "1000001", "-passout", "pass:x", input=good).stdout
        for what, pem in cases.items():
            got = alice.psst("init", "--name", "Alice", "--import", alice.write("key", pem), "--no-passphrase",
                             expect=None,
                             timeout=20)
            self.assertNotIn(got.code, (0, None), what)
            self.assertGreater(len(got.err), 10, what)
            self.assertIsNone(alice.status()["identity"], what)

    def test_a_card_that_cannot_be_written_keeps_nobody_away(self):
        """One's own card is gone, and its place is taken by what cannot be replaced."""
        alice, bob = self.pair()
        alice.stop()
        os.unlink(alice.path("card.psst"))
        os.mkdir(alice.path("card.psst"))
        alice.start()
        wait_for("alice to listen", lambda: alice.status()["listen"] == [alice.listen])
        self.assertIn("own-card-not-written", alice.log())
        bob.psst("dial", "alice")
        bob.psst("say", "alice", "--wait", "10", "hello")
        self.assertEqual(alice.texts("bob"), ["hello"])

    def test_everything_in_the_home_is_private(self):
        """Attack 46, the sunny side."""
        os.umask(0)
        self.addCleanup(os.umask, 0o022)
        alice, bob = self.pair()
        alice.psst("say", "bob", "--wait", "10", "x")
        for top, dirs, files in os.walk(alice.home):
            for name in dirs:
                mode = stat.S_IMODE(os.stat(os.path.join(top, name)).st_mode)
                self.assertEqual(mode & 0o077, 0, "%s is %o" % (name, mode))
            for name in files:
                mode = stat.S_IMODE(os.lstat(os.path.join(top, name)).st_mode)
                self.assertEqual(mode & 0o177, 0, "%s is %o" % (name, mode))
        path = alice.path("shown.psst")
        alice.psst("card", "--for", "bob", "-o", path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode) & 0o077, 0, "a card with a pair secret")


class Cards(E2E):
    def test_what_a_card_says(self):
        alice = self.person("alice")
        card = alice.card()
        self.assertIn("Name: Alice", card)
        self.assertIn(alice.listen, card)
        self.assertIn("RSA 1024", card)
        self.assertIn(alice.public.fpr.hex(), re.sub(r"[ \n]", "", card))
        self.assertNotIn("PRIVATE", card)
        self.assertNotIn("Pair-Secret", card)
        alice.psst("card", "--qr")
        self.assertIn("BEGIN PUBLIC KEY", alice.psst("card").out)

    def test_bad_cards(self):
        """Attack 42: doubled fields, 10 MiB, wrong fingerprint, private key, two keys, our own."""
        alice, bob = self.person("alice"), self.person("bob")
        card = bob.card()
        fpr_line = re.search(r"(?m)^Fingerprint:.*\n", card).group(0)
        pem = card[card.index("-----BEGIN"):]
        private = open(os.path.join(os.path.dirname(__file__), "..", "vectors", "keys", "b1024.pem")).read()
        cases = {
            "doubled field": card.replace("Name: Bob\n", "Name: Bob\nName: Bob\n"),
            "doubled fingerprint": card.replace(fpr_line, fpr_line * 2),
            "10 MiB": card + "x" * (10 << 20),
            "wrong fingerprint": card.replace(fpr_line, "Fingerprint: " + "00" * 32 + "\n"),
            "two keys": card + pem,
            "private key": private,
            "no key": card[:card.index("-----BEGIN")],
            "cut": card[:-60],
            "empty": "",
            "our own": alice.card(),
        }
        for what, text in cases.items():
            got = alice.add(text, "bob", expect=None)
            self.assertNotEqual(got.code, 0, what)
            self.assertGreater(len(got.err), 10, what)
        self.assertEqual(alice.contacts(), [])
        alice.add(card, "bob")
        alice.psst("add", "/nonexistent", "--yes", expect=(FAILED, USAGE))

    def test_a_card_cannot_paint_the_screen(self):
        """Attacks 34, 36: nothing of a card reaches the terminal raw; look-alikes are told apart by the alias."""
        alice, bob = self.pair()
        mallory = key("b2048")
        for name in ("\x1b[2Jbob", "bob\u202e", "b\u200bob", "bob\r", "\x9b31m"):
            card = "PSST contact card\nName: %s\nAddress: 127.0.0.1:1\n\n" % name + mallory.pem()
            path = alice.write("in.psst", card)
            for args in (("--yes",), ("--as", "mallory", "--yes"), ()):
                got = alice.psst("add", path, *args, expect=None)
                self.assertNotRegex(got.out + got.err, "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e]", (name, args))
            with alice.control() as control:
                for contact in control.call("contacts")["contacts"]:
                    self.assertNotRegex(contact["name"], "[\x00-\x1f\x7f-\x9f\u200b\u202a-\u202e]")
                    if contact["name"] != "bob":
                        control.call("contact.remove", name=contact["name"])
        self.assertEqual(alice.contact("bob")["fingerprint"].replace(" ", ""), bob.public.fpr.hex())

    def test_bare_pem_and_no_answer_to_yes(self):
        alice = self.person("alice")
        path = alice.write("bare", key("b1024").pem())
        self.assertNotEqual(alice.psst("add", path, "--as", "bare", expect=None).code, 0, "nobody said yes")
        alice.psst("add", path, "--as", "bare", "--yes")
        self.assertEqual(alice.contact("bare")["fingerprint"].replace(" ", ""), key("b1024").fpr.hex())
        self.assertTrue(alice.contact("bare")["weak"])

    def test_a_changed_key_for_a_known_name_is_a_loud_stop(self):
        """Attack 42."""
        alice, bob = self.pair()
        before = alice.contact("bob")["fingerprint"]
        mallory = key("b2048")
        card = "PSST contact card\nName: bob\n\n" + mallory.pem()
        for args in (("--as", "bob"), ()):
            path = alice.write("in.psst", card)
            got = alice.psst("add", path, *args, "--yes", expect=None)
            self.assertNotEqual(got.code, 0)
            self.assertRegex(got.err.lower(), "key|fingerprint")
        self.assertEqual([c["fingerprint"] for c in alice.contacts()], [before])

    def test_the_same_card_again_updates_addresses_only(self):
        alice, bob = self.pair()
        alice.psst("verify", "bob", "--yes")
        alice.add(bob.card("--address", "127.0.0.1:4999"), "bob")
        contact = alice.contact("bob")
        self.assertTrue(contact["verified"])
        self.assertIn("127.0.0.1:4999", contact["addresses"])
        self.assertEqual(len(alice.contacts()), 1)

    def test_safety_number_is_the_same_on_both_sides(self):
        alice, bob = self.pair()
        shown = []
        for person, other in ((alice, "bob"), (bob, "alice")):
            self.assertFalse(person.contact(other)["verified"])
            with person.control() as control:
                safety = control.call("safety", name=other)
            out = person.psst("verify", other, "--yes").out
            self.assertTrue(person.contact(other)["verified"])
            for group in safety["digits"].split():
                self.assertIn(group, out)
            for word in safety["words"]:
                self.assertIn(word, out)
            shown.append((safety["digits"], safety["words"]))
        self.assertEqual(shown[0], shown[1])
        carol = self.person("carol")
        self.introduce(alice, carol)
        with alice.control() as control:
            self.assertNotEqual(control.call("safety", name="carol")["digits"], shown[0][0])


class PairSecret(E2E):
    def secret(self, card):
        return bytes.fromhex(re.search(r"(?m)^Pair-Secret:([0-9a-f ]+)$", card).group(1).replace(" ", ""))

    def test_the_same_secret_twice_and_it_is_in_the_handshake(self):
        alice, bob = self.pair()
        card = alice.card("--for", "bob", "--address", alice.listen)
        self.assertEqual(self.secret(card), self.secret(alice.card("--for", "bob")))
        self.assertNotEqual(alice.psst("card", "--for", "nobody", expect=None).code, 0)
        bob.psst("dial", "alice", expect=REFUSED)  # alice holds to it, bob has not got it yet
        bob.add(card, "alice")
        self.assertTrue(bob.contact("alice")["pair_secret"])
        bob.psst("dial", "alice")
        bob.psst("hangup", "alice")
        alice.psst("say", "bob", "--wait", "10", "psk")

    def test_when_both_have_issued_one_the_smaller_fingerprint_counts(self):
        alice, bob = self.pair()
        bob.add(alice.card("--for", "bob", "--address", alice.listen), "alice")
        alice.add(bob.card("--for", "alice", "--address", bob.listen), "bob")
        alice.psst("say", "bob", "--wait", "10", "both")
        bob.psst("hangup", "alice")
        bob.psst("say", "alice", "--wait", "10", "ways")

    def test_the_independent_client_with_and_without_it(self):
        alice = self.person("alice")
        me = key("b1024")
        alice.befriend(me, "mallory")
        psk = self.secret(alice.card("--for", "mallory"))
        with self.assertRaises(wire.Refused):
            peer.Peer.call(alice.address, me, alice.public)
        with peer.Peer.call(alice.address, me, alice.public, psk) as mallory:
            mallory.wait_ack(mallory.say("psk"))


if __name__ == "__main__":
    unittest.main()
