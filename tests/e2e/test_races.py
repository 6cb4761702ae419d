"""What happens between two moments: a contact who chooses the wrong one on purpose."""
import json
import os
import time

import peer
import wire
from psst import E2E, FAILED, VECTORS, key, wait_for


class Races(E2E):
    def test_locking_while_a_contact_gets_through(self):
        """M5 comes when the identity is being locked already: no session may hang on a book that is wiped."""
        bob = self.person("bob")
        me = key("a2048")
        bob.befriend(me, "mallory")
        control = bob.control()
        self.addCleanup(control.sock.close)
        for turn in range(3):
            lock = {"jsonrpc": "2.0", "id": 1000 + turn, "method": "lock", "params": {}}

            def lock_first(m5):
                control.sock.sendall(json.dumps(lock).encode() + b"\n")
                return m5

            mallory = peer.Peer.call(bob.address, me, bob.public, mangle={"M5": lock_first})
            for _ in range(30):
                try:
                    mallory.send_chunk(peer.TEXT, wire.text(os.urandom(16), 0, b"hello"))
                except OSError:
                    break
                time.sleep(0.01)
            mallory.close()
            wait_for("bob is locked", lambda: bob.status()["identity"]["locked"])
            self.assertEqual(bob.sessions(), [])
            control.call("unlock")
        self.assertAlive(bob)

    def test_sessions_of_one_contact_do_not_pile_up(self):
        """Where the other side decides which of two sessions stays, and never does."""
        bob = self.person("bob")
        names = sorted(n[:-4] for n in os.listdir(os.path.join(VECTORS, "keys")) if not n.endswith(".pub.pem"))
        smaller = [name for name in names if key(name).fpr < bob.public.fpr]
        if not smaller:
            self.skipTest("bob's fingerprint is the smallest of all")
        me = key(smaller[0])
        bob.befriend(me, "mallory")
        sessions = []
        for _ in range(8):
            sessions.append(peer.Peer.call(bob.address, me, bob.public))
            self.addCleanup(sessions[-1].close)
            time.sleep(0.2)  # under the limit on first messages
        self.assertEqual(len(bob.sessions("mallory")), 4)
        sessions[-1].wait_ack(sessions[-1].say("the newest one works"))
        self.assertEqual(bob.texts("mallory", "in"), ["the newest one works"])

    def test_a_key_that_was_put_back_is_not_overwritten(self):
        """psstd began without an identity; then somebody restores his."""
        bob = self.person("bob", init=False)
        with open(os.path.join(VECTORS, "keys", "a1024.pem"), "rb") as file:
            restored = file.read()
        path = bob.write("identity.pem", restored)
        said = bob.psst("init", "--name", "bob", "--bits", "1024", "--no-passphrase", expect=FAILED)
        self.assertIn("never overwritten", said.err)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), restored)
