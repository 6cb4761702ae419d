"""Thousands of contacts: all are there, each is found, and nothing takes longer than it should."""
import itertools
import math
import secrets

import wire
from psst import E2E, NO_CONTACT

MANY = 2000
PRIMES = 64
SMALL = math.prod(p for p in range(3, 2000) if all(p % q for q in range(2, p)))


def prime():
    while True:
        p = secrets.randbits(512) | 3 << 510 | 1
        if math.gcd(p, SMALL) == 1 and pow(2, p - 1, p) == 1:
            return p


def cards():
    """As many sound public keys as pairs can be made of a few primes: good enough to be told apart."""
    for p, q in itertools.combinations([prime() for _ in range(PRIMES)], 2):
        yield wire.PublicKey(p * q, 65537).pem()


class Many(E2E):
    def test_two_thousand_contacts(self):
        alice, bob = self.person("alice"), self.person("bob")
        with alice.control() as control:
            for i, card in zip(range(MANY), cards()):
                control.call("add", card=card, alias="Contact %04d" % i)
        self.introduce(alice, bob)  # the last one
        # the list comes in pages, and is whole
        names = [c["name"] for c in alice.contacts()]
        self.assertEqual(names, ["Contact %04d" % i for i in range(MANY)] + ["bob"])
        self.assertEqual(len(alice.psst("contacts").out.splitlines()), MANY + 1)
        with alice.control() as control:
            page = control.call("contacts", after="contact 0998", limit=2)
            self.assertEqual([c["name"] for c in page["contacts"]], ["Contact 0999", "Contact 1000"])
            self.assertIs(page["more"], True)
            page = control.call("contacts", after="Contact 1999")
            self.assertEqual(([c["name"] for c in page["contacts"]], page["more"]), (["bob"], False))
            page = control.call("contacts", name="CONTACT 1234")
            self.assertEqual(([c["name"] for c in page["contacts"]], page["more"]), (["Contact 1234"], False))
            self.assertIn("error", control.ask("contacts", name="Contact 2000"))
            self.assertIn("error", control.ask("contacts", limit=0))
        alice.psst("say", "bob", "--wait", "10", "to the last of them")
        bob.wait_text("alice", "to the last of them")
        alice.psst("rename", "contact 0700", "Zoe")
        alice.psst("remove", "contact 0701")
        alice.psst("say", "contact 0700", "x", expect=NO_CONTACT)
        alice.restart()
        self.assertEqual(len(alice.contacts()), MANY)
        self.assertEqual(alice.contact("Zoe")["verified"], False)
        alice.psst("say", "contact 0701", "x", expect=NO_CONTACT)
        bob.psst("say", "alice", "--wait", "20", "and back")
        # what goes through all of them at once
        alice.psst("presence", "busy", "with two thousand")
        alice.psst("lock")
        alice.psst("unlock")
        self.assertEqual(len(alice.contacts()), MANY)
        self.assertAlive(alice)
