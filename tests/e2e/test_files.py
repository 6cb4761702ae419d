"""Files: sent, accepted, declined, checked; names and sizes that lie; a contact who does not keep to the protocol."""
import hashlib
import os
import stat
import subprocess
import time
import unittest

import peer
import wire
from psst import E2E, wait_for


def content_of(path):
    with open(path, "rb") as file:
        return file.read()


class Files(E2E):
    def into(self, person, name="in"):
        """An empty directory of that person's."""
        path = person.path(name)
        os.makedirs(path, exist_ok=True)
        return path

    def accept(self, person, into, where=lambda f: True):
        offer = person.wait_file(lambda f: f["direction"] == "in" and f["state"] == "waiting" and where(f))
        person.psst("accept", str(offer["id"]), "-o", into)
        return offer

    def settled(self, person, id_, timeout=60):
        return person.wait_file(lambda f: f["id"] == id_ and f["state"] not in ("waiting", "running"), timeout)

    def test_sizes_around_every_edge(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        into = self.into(bob)
        for size in (0, 1, 65473, 65474, 3 * 65473, 1000003):
            content = os.urandom(size)
            path = alice.write("size%d.bin" % size, content)
            alice.psst("send", "bob", path)
            offer = self.accept(bob, into, lambda f: f["name"] == os.path.basename(path))
            self.assertEqual((offer["size"], offer["contact"]), (size, "alice"))
            got = self.settled(bob, offer["id"])
            self.assertEqual(got["state"], "done", got)
            self.assertEqual(content_of(os.path.join(into, os.path.basename(path))), content)
        wait_for("the sender to know", lambda: {f["state"] for f in alice.files()} == {"done"})

    def test_the_last_figures_are_told(self):
        """What comes too soon after an event to be one of its own is told all the same, also when nothing follows it."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        transfer = mallory.offer(b"half.bin", 300000)
        offer = bob.wait_file(lambda f: f["state"] == "waiting")
        with bob.control() as control:
            control.call("subscribe", events=["file"])
            control.call("file.accept", id=offer["id"], dir=self.into(bob))
            mallory.wait_file(transfer, wire.ACCEPT)
            control.event("file", lambda f: f["state"] == "running")
            mallory.send_data(transfer, bytes(200000))
            self.assertEqual(control.event("file", lambda f: f["done"] == 200000)["state"], "running")

    def test_killed_in_the_middle_it_begins_anew(self):
        """Attack 55, of files: the receiver, then the sender is killed; at the next session the file comes whole."""
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        content = os.urandom(1 << 20) * 300
        alice.psst("send", "bob", alice.write("big.bin", content))
        into = self.into(bob)
        offer = self.accept(bob, into)
        for victim in (bob, alice):
            # on a quick machine it may be done by now: then all of the rest must hold all the same
            bob.wait_file(lambda f: f["state"] != "waiting" and f["done"] > 1000000)
            victim.kill()
            victim.start()
            alice.psst("dial", "bob")
        self.assertEqual(self.settled(bob, offer["id"], 120)["state"], "done")
        self.assertEqual(os.listdir(into), ["big.bin"])
        self.assertEqual(hashlib.sha256(content_of(os.path.join(into, "big.bin"))).digest(),
                         hashlib.sha256(content).digest())

    def test_killed_and_then_declined_leaves_nothing_behind(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        alice.psst("send", "bob", alice.write("big.bin", os.urandom(1 << 20) * 300))
        into = self.into(bob)
        offer = self.accept(bob, into)
        wait_for("a part file", lambda: os.listdir(into))
        bob.kill()
        alice.kill()
        if os.listdir(into) == ["big.bin"]:
            self.skipTest("it was done before the kill")
        self.assertEqual([n[-5:] for n in os.listdir(into)], [".part"])
        bob.start()
        bob.psst("decline", str(offer["id"]))
        wait_for("nothing left", lambda: not os.listdir(into))

    def test_fifty_megabytes_and_text_meanwhile(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        content = os.urandom(1 << 20) * 50
        alice.psst("send", "bob", alice.write("big.bin", content))
        into = self.into(bob)
        offer = self.accept(bob, into)
        bob.psst("say", "alice", "--wait", "10", "while it runs")
        alice.psst("say", "bob", "--wait", "10", "the other way")
        self.assertEqual(self.settled(bob, offer["id"], 120)["state"], "done")
        self.assertEqual(hashlib.sha256(content_of(os.path.join(into, "big.bin"))).digest(),
                         hashlib.sha256(content).digest())
        self.assertEqual(bob.texts("alice"), ["while it runs", "the other way"])
        self.assertEqual(os.listdir(into), ["big.bin"], "no part is left")

    def test_decline_and_cancel(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        alice.psst("send", "bob", alice.write("no.bin", b"x" * 100))
        offer = bob.wait_file(lambda f: f["state"] == "waiting")
        bob.psst("decline", str(offer["id"]))
        self.assertEqual(self.settled(bob, offer["id"])["state"], "declined")
        alice.wait_file(lambda f: f["state"] == "declined")
        alice.psst("send", "bob", alice.write("taken-back.bin", b"x" * 100))
        mine = alice.wait_file(lambda f: f["name"] == "taken-back.bin")
        offer = bob.wait_file(lambda f: f["name"] == "taken-back.bin")
        alice.psst("decline", str(mine["id"]))
        self.assertIn(self.settled(bob, offer["id"])["state"], ("failed", "declined"))
        for verb in ("accept", "decline"):
            self.assertNotEqual(bob.psst(verb, "999", expect=None).code, 0)
        self.assertNotEqual(bob.psst("accept", str(offer["id"]), expect=None).code, 0, "it is over")

    def test_several_at_once_offered_before_the_session(self):
        alice, bob = self.pair()
        bob.stop()
        paths = [alice.write("f%d" % i, os.urandom(200000)) for i in range(3)]
        alice.psst("send", "bob", *paths)
        bob.start()
        alice.psst("dial", "bob")
        into = self.into(bob)
        for path in paths:
            self.accept(bob, into, lambda f: f["name"] == os.path.basename(path))
        wait_for("three files", lambda: [f["state"] for f in bob.files()] == ["done"] * 3, 30)
        for path in paths:
            self.assertEqual(content_of(os.path.join(into, os.path.basename(path))), content_of(path))

    def test_what_cannot_be_sent(self):
        alice, bob = self.pair()
        os.mkfifo(alice.path("fifo"))
        for path in ("/nonexistent", alice.path("fifo"), "/dev/zero"):
            self.assertNotEqual(alice.psst("send", "bob", path, expect=None, timeout=10).code, 0, path)
        self.assertEqual(alice.files(), [])

    def test_the_download_directory_is_the_default(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        bob.psst("set", "download_dir", self.into(bob, "mine"))
        alice.psst("send", "bob", alice.write("x.txt", b"hello"))
        offer = bob.wait_file(lambda f: f["state"] == "waiting")
        bob.psst("accept", str(offer["id"]))
        self.settled(bob, offer["id"])
        self.assertEqual(content_of(bob.path("mine", "x.txt")), b"hello")

    def test_the_name_exists(self):
        """Attack 33: never overwritten."""
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        into = self.into(bob)
        for content in (b"one", b"two", b"three"):
            alice.psst("send", "bob", alice.write("name.txt", content))
            self.settled(bob, self.accept(bob, into)["id"])
        self.assertEqual(sorted(os.listdir(into)), ["name (2).txt", "name (3).txt", "name.txt"])
        self.assertEqual(content_of(os.path.join(into, "name.txt")), b"one")
        self.assertEqual(content_of(os.path.join(into, "name (3).txt")), b"three")

    def test_a_source_that_changes_while_it_is_sent(self):
        """Attack 32: the source grows or shrinks."""
        alice = self.person("alice")
        mallory = self.caller(alice)
        path = alice.write("moving", b"x" * 100000)
        alice.psst("send", "mallory", path)
        _, transfer, offer = wire.file_read(mallory.expect(peer.FILE))
        self.assertEqual(offer["size"], 100000)
        alice.write("moving", b"x" * 50000)
        mallory.send_chunk(peer.FILE, wire.file_accept(transfer))
        self.assertEqual(mallory.wait_file(transfer, wire.CANCEL)["reason"], 4)
        self.assertEqual(alice.wait_file(lambda f: f["state"] == "failed")["name"], "moving")
        mallory.ping()

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to mount a small tmpfs")
    def test_the_disk_is_full(self):
        """Attack 48."""
        alice, bob = self.pair()
        into = self.into(bob, "small")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", into], capture_output=True,
                                 check=False)
        if mounted.returncode != 0:
            self.skipTest("no mounting here: " + mounted.stderr.decode().strip())
        self.addCleanup(subprocess.run, ["umount", "-l", into], check=False)
        alice.psst("dial", "bob")
        alice.psst("send", "bob", alice.write("big.bin", os.urandom(4 << 20)))
        offer = bob.wait_file(lambda f: f["state"] == "waiting")
        bob.psst("accept", str(offer["id"]), "-o", into, expect=None)
        failed = bob.wait_file(lambda f: f["state"] == "failed")
        self.assertGreater(len(failed["reason"]), 8)
        alice.wait_file(lambda f: f["state"] == "failed")
        bob.psst("say", "alice", "--wait", "10", "the session lives")

    def test_both_ways_with_a_cut_in_between(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        content = os.urandom(1 << 20) * 40
        alice.psst("send", "bob", alice.write("cut.bin", content))
        into = self.into(bob)
        offer = self.accept(bob, into)
        alice.psst("hangup", "bob")
        alice.psst("dial", "bob")
        self.assertEqual(self.settled(bob, offer["id"], 60)["state"], "done")
        self.assertEqual(content_of(os.path.join(into, "cut.bin")), content)


class EvilNames(E2E):
    def test_names_are_cleaned_before_anything_is_asked(self):
        """Attacks 29, 30, 35."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        into = bob.path("in")
        os.mkdir(into)
        names = [b"../../../etc/passwd", b"/etc/cron.d/evil", b"..", b".", b"-rf", b".bashrc", b"...hidden", b"x\ny",
                 b"tab\t",
                 b"esc\x1b[2J", b"run.desktop", b"a/b/c.txt", b"back\\slash", "exe.\u202etxt".encode(), b" ", b"~",
                 b"x" * 255,
                 "\u00fc".encode() * 127, b"con\x7f", b"a/", b"/"]
        for name in names:
            transfer = mallory.offer(name, 1)
            offer = bob.wait_file(lambda f: f["direction"] == "in" and f["state"] == "waiting")
            shown = offer["name"]
            self.assertTrue(shown and not shown.startswith((".", "-")) and "/" not in shown, (name, shown))
            self.assertNotRegex(shown, "[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", name)
            self.assertLessEqual(len(shown.encode()), 255)
            bob.psst("files")
            bob.psst("accept", str(offer["id"]), "-o", into)
            mallory.wait_file(transfer, wire.ACCEPT)
            mallory.send_data(transfer, b"!")
            mallory.send_done(transfer, b"!")
            mallory.wait_ack(transfer)
        self.assertEqual(len(os.listdir(into)), len(names))
        for name in os.listdir(into):
            mode = stat.S_IMODE(os.lstat(os.path.join(into, name)).st_mode)
            self.assertEqual(mode & 0o111, 0, "%s is executable" % name)

    def test_names_that_are_no_names_are_declined_alone(self):
        """Attacks 29, 32."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        for name, size in ((b"\xff\xfe", 1), (b"nul\0.txt", 1), (b"big", (1 << 62) + 1), (b"huge", (1 << 64) - 1),
                           (b"half", 1 << 63)):
            transfer = mallory.offer(name, size)
            self.assertIn(mallory.wait_file(transfer, wire.DECLINE)["reason"], range(1, 7), name)
        self.assertEqual([f for f in bob.files() if f["state"] == "waiting"], [])
        mallory.ping()

    def test_forms_that_are_not_supported_are_declined(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        for form, size in ((1, (1 << 64) - 1), (4, 5), (255, 5)):
            transfer = mallory.offer(b"folder", size, form=form)
            self.assertEqual(mallory.wait_file(transfer, wire.DECLINE)["reason"], 2)

    def test_a_symbolic_link_at_the_target(self):
        """Attack 31."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        into, victim = bob.path("in"), bob.write("victim", b"precious")
        os.mkdir(into)
        os.symlink(victim, os.path.join(into, "photo.jpg"))
        os.symlink("/nonexistent/there", os.path.join(into, "photo (2).jpg"))
        transfer = mallory.offer(b"photo.jpg", 4)
        offer = bob.wait_file(lambda f: f["state"] == "waiting")
        bob.psst("accept", str(offer["id"]), "-o", into)
        mallory.wait_file(transfer, wire.ACCEPT)
        mallory.send_data(transfer, b"evil")
        mallory.send_done(transfer, b"evil")
        mallory.wait_ack(transfer)
        self.assertEqual(content_of(victim), b"precious")
        self.assertEqual(content_of(os.path.join(into, "photo (3).jpg")), b"evil")
        self.assertTrue(os.path.islink(os.path.join(into, "photo.jpg")))


class EvilTransfers(E2E):
    """Attacks 24 and 32: the transfer ends, the session goes on."""

    def begin(self, size, person=None):
        self.bob = person or self.person("bob")
        self.mallory = self.caller(self.bob)
        self.into = self.bob.path("in")
        os.makedirs(self.into, exist_ok=True)
        return self.accepted(size)

    def accepted(self, size):
        transfer = self.mallory.offer(b"f.bin", size)
        offer = self.bob.wait_file(lambda f: f["state"] == "waiting")
        self.bob.psst("accept", str(offer["id"]), "-o", self.into)
        self.mallory.wait_file(transfer, wire.ACCEPT)
        self.id = offer["id"]
        return transfer

    def cancelled(self, transfer):
        """That transfer is cancelled, as out of protocol; no file is left, and the session goes on."""
        self.assertEqual(self.mallory.wait_file(transfer, wire.CANCEL)["reason"], 3)
        failed = self.bob.wait_file(lambda f: f["id"] == self.id and f["state"] == "failed")
        self.assertGreater(len(failed["reason"]), 8)
        wait_for("the part to be gone", lambda: os.listdir(self.into) == [])
        self.mallory.ping()

    def test_overlapping_gap_past_the_end(self):
        """Attack 24."""
        transfer = self.begin(1000)
        send = lambda at, data: self.mallory.send_chunk(peer.FILE, wire.file_data(transfer, at, data))
        send(0, b"x" * 500)
        send(400, b"x" * 100)
        self.cancelled(transfer)
        transfer = self.accepted(1000)
        send(1, b"x")
        self.cancelled(transfer)
        transfer = self.accepted(1000)
        send(0, b"x" * 1001)
        self.cancelled(transfer)
        transfer = self.accepted(1000)
        send(1 << 61, b"x")
        self.cancelled(transfer)
        send(0, b"late data for a transfer that is over")
        self.mallory.ping()

    def test_never_offered_never_accepted(self):
        """Attack 24."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        nobody = os.urandom(16)
        mallory.send_chunk(peer.FILE, wire.file_data(nobody, 0, b"x"))
        self.assertEqual(mallory.wait_file(nobody, wire.CANCEL)["reason"], 3)
        offered = mallory.offer(b"eager.bin", 3)
        bob.wait_file(lambda f: f["state"] == "waiting")
        mallory.send_data(offered, b"abc")
        self.assertEqual(mallory.wait_file(offered, wire.CANCEL)["reason"], 3)
        for kind in (wire.file_accept(nobody), wire.file_accept(nobody, 77), wire.file_decline(nobody),
                     wire.file_cancel(nobody),
                     wire.file_done(nobody, 3, bytes(32))):
            mallory.send_chunk(peer.FILE, kind)
        time.sleep(1.1)  # a ping a second is answered
        mallory.ping()
        self.assertAlive(bob)

    def test_wrong_hash(self):
        transfer = self.begin(1000)
        self.mallory.send_data(transfer, b"x" * 1000)
        self.mallory.send_done(transfer, b"x" * 1000, digest=bytes(32))
        self.assertEqual(self.mallory.wait_not_accepted(transfer), 5)
        self.bob.wait_file(lambda f: f["id"] == self.id and f["state"] == "failed")
        wait_for("the part to be gone", lambda: os.listdir(self.into) == [])
        self.mallory.ping()

    def test_done_too_early_and_of_another_size(self):
        """Attack 32."""
        transfer = self.begin(1000)
        self.mallory.send_data(transfer, b"x" * 999)
        self.mallory.send_done(transfer, b"x" * 999)
        self.cancelled(transfer)
        transfer = self.accepted(1000)
        self.mallory.send_data(transfer, b"x" * 1000)
        self.mallory.send_done(transfer, b"x" * 1000, size=2000)
        self.cancelled(transfer)

    def test_a_flood_of_offers(self):
        """Attack 28: bounded, and a person can still look at the list."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        for i in range(400):
            mallory.offer(b"offer %d" % i, 1 << 40)
        time.sleep(1)
        self.assertAlive(bob)
        self.assertLessEqual(len(bob.files()), 400)
        mallory.ping()
        bob.psst("hangup", "mallory")

    def test_an_accept_that_lies_about_what_it_has(self):
        """Attack 32: an offset past the end; accepted twice; declined afterwards."""
        alice = self.person("alice")
        mallory = self.caller(alice)
        alice.psst("send", "mallory", alice.write("mine.bin", b"m" * 5000))
        _, transfer, _ = wire.file_read(mallory.expect(peer.FILE))
        mallory.send_chunk(peer.FILE, wire.file_accept(transfer, 1 << 40))
        mallory.wait_file(transfer, wire.CANCEL)
        mallory.ping()
        alice.psst("send", "mallory", alice.write("more.bin", b"m" * 200000))
        data = mallory.expect(peer.FILE, where=lambda d: d[0] == wire.OFFER)
        transfer = data[1:17]
        mallory.send_chunk(peer.FILE, wire.file_accept(transfer))
        mallory.send_chunk(peer.FILE, wire.file_accept(transfer, 100))
        mallory.send_chunk(peer.FILE, wire.file_decline(transfer))
        time.sleep(1.1)
        mallory.inbox.clear()
        mallory.ping()
        self.assertAlive(alice)


if __name__ == "__main__":
    unittest.main()
