"""Files that go on: after a crash of either side, a restart, a pause; in the order that their sender wants, as fast as he
allows; and what cannot go on is said in a sentence."""
import hashlib
import os
import struct
import time
import unittest

import peer
import wire
from psst import E2E, wait_for

MB = 1 << 20


def numbered(megabytes):
    """Content of which no two megabytes are the same."""
    block = os.urandom(MB)
    return b"".join(struct.pack(">Q", i) + block[8:] for i in range(megabytes))


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Base(E2E):
    def talk(self):
        self.alice, self.bob = self.pair()
        self.into = self.bob.path("in")
        os.mkdir(self.into)
        self.alice.psst("dial", "bob")
        return self.alice, self.bob

    def limit(self, kib):
        self.alice.psst("set", "upload_limit", str(kib))

    def send(self, name, content):
        """Offered and accepted: both numbers."""
        path = self.alice.write(name, content)
        self.alice.psst("send", "bob", path)
        mine = self.alice.wait_file(lambda f: f["name"] == name and f["state"] == "waiting")["id"]
        theirs = self.bob.wait_file(lambda f: f["name"] == name and f["state"] == "waiting")["id"]
        self.bob.psst("accept", str(theirs), "-o", self.into)
        return mine, theirs

    def file(self, person, number):
        return next((f for f in person.files() if f["id"] == number), None)

    def wait(self, person, number, condition, timeout=60):
        return person.wait_file(lambda f: f["id"] == number and condition(f), timeout)

    def done(self, person, number, timeout=60):
        got = self.wait(person, number, lambda f: f["state"] in ("done", "failed", "declined"), timeout)
        self.assertEqual(got["state"], "done", got)
        return got

    def assertArrived(self, name, content):
        path = os.path.join(self.into, name)
        self.assertEqual(os.listdir(self.into), [name])
        self.assertEqual(digest(path), hashlib.sha256(content).hexdigest())

    def part(self):
        names = [n for n in os.listdir(self.into) if n.endswith(".part")]
        self.assertEqual(len(names), 1, os.listdir(self.into))
        return os.path.join(self.into, names[0])


class Resume(Base):
    def killed_in_the_middle(self, *victims):
        """200 MB; each crash is followed by a run that begins where the disk had everything, and nobody has to dial."""
        alice, bob = self.talk()
        content = numbered(200)
        self.limit(100 * 1024)
        mine, theirs = self.send("big.bin", content)
        safe = self.wait(bob, theirs, lambda f: f.get("safe", 0) >= 64 * MB)["safe"]
        people = [getattr(self, name) for name in victims]
        for person in people:
            person.kill()
        for person in people:
            person.start()
        self.limit(0)
        got = self.done(bob, theirs)
        self.assertGreaterEqual(got["resumed_from"], safe)
        self.assertLess(got["resumed_from"], 200 * MB)
        sent = wait_for("the sender to know", lambda: (self.file(alice, mine) or {}).get("state") == "done")
        self.assertTrue(sent)
        self.assertEqual(self.file(alice, mine)["resumed_from"], got["resumed_from"])
        self.assertArrived("big.bin", content)

    def test_the_receiver_is_killed(self):
        """Attack 55."""
        self.killed_in_the_middle("bob")

    def test_the_sender_is_killed(self):
        """Attack 55."""
        self.killed_in_the_middle("alice")

    def test_both_are_killed(self):
        """Attack 55."""
        self.killed_in_the_middle("alice", "bob")

    def test_an_orderly_end_loses_nothing(self):
        """Hung up, stopped, locked: it goes on with the very byte, also long before the first checkpoint."""
        alice, bob = self.talk()
        content = numbered(30)
        self.limit(2048)
        mine, theirs = self.send("some.bin", content)
        reached = 0
        for end in (lambda: alice.psst("hangup", "bob"), lambda: alice.psst("hangup", "bob"), bob.restart,
                    lambda: (bob.psst("lock"), bob.psst("unlock")), alice.restart):
            self.wait(bob, theirs, lambda f: f["state"] == "running" and f["done"] > reached + 300000)
            end()
            alice.psst("dial", "bob")
            now = self.wait(bob, theirs, lambda f: f["state"] == "running" and f.get("resumed_from", 0) > reached)
            self.assertEqual(self.wait(alice, mine, lambda f: f["state"] == "running" and
                                       f.get("resumed_from", 0) > reached)["resumed_from"], now["resumed_from"])
            reached = now["resumed_from"]
        self.limit(0)
        self.done(bob, theirs)
        self.assertEqual(bob.counter("files-begun-anew"), 0)
        self.assertArrived("some.bin", content)

    def paused_with_a_part(self, megabytes=8):
        alice, bob = self.talk()
        self.content = numbered(megabytes)
        self.limit(4096)
        mine, theirs = self.send("some.bin", self.content)
        self.wait(bob, theirs, lambda f: f["done"] > 2 * MB)
        bob.psst("files", "pause", str(theirs))
        self.wait(bob, theirs, lambda f: f["state"] == "paused" and f.get("safe", 0) > 2 * MB)
        self.limit(0)
        return mine, theirs

    def test_a_damaged_part_is_begun_anew_once(self):
        mine, theirs = self.paused_with_a_part()
        with open(self.part(), "r+b") as file:
            file.seek(MB)
            byte = file.read(1)
            file.seek(MB)
            file.write(bytes([byte[0] ^ 1]))
        self.bob.psst("files", "resume", str(theirs))
        self.done(self.bob, theirs)
        self.assertEqual(self.bob.counter("files-begun-anew"), 1)
        self.assertArrived("some.bin", self.content)
        self.done(self.alice, mine)

    def test_a_part_that_is_cut_short_or_gone(self):
        mine, theirs = self.paused_with_a_part()
        os.truncate(self.part(), MB + 17)
        self.bob.psst("files", "resume", str(theirs))
        self.assertEqual(self.done(self.bob, theirs)["resumed_from"], MB + 17)
        self.assertArrived("some.bin", self.content)

    def test_a_part_that_is_gone(self):
        mine, theirs = self.paused_with_a_part()
        os.unlink(self.part())
        self.bob.psst("files", "resume", str(theirs))
        self.assertNotIn("resumed_from", self.done(self.bob, theirs))
        self.assertArrived("some.bin", self.content)

    def test_what_lies_behind_the_safe_part_is_dropped(self):
        mine, theirs = self.paused_with_a_part()
        safe = self.file(self.bob, theirs)["safe"]
        with open(self.part(), "ab") as file:
            file.write(b"never synced" * 1000)
        self.bob.psst("files", "resume", str(theirs))
        self.assertEqual(self.done(self.bob, theirs)["resumed_from"], safe)
        self.assertEqual(self.bob.counter("files-begun-anew"), 0)
        self.assertArrived("some.bin", self.content)

    def changed(self, change):
        mine, theirs = self.paused_with_a_part()
        change(self.alice.path("some.bin"))
        self.bob.psst("files", "resume", str(theirs))
        failed = self.wait(self.alice, mine, lambda f: f["state"] == "failed")
        self.wait(self.bob, theirs, lambda f: f["state"] == "failed")
        wait_for("the part to be gone", lambda: os.listdir(self.into) == [])
        self.bob.psst("say", "alice", "--wait", "10", "the session lives")
        return failed["reason"], self.file(self.bob, theirs)["reason"]

    def test_a_source_that_was_written_to(self):
        """Attack 32."""
        def change(path):
            with open(path, "r+b") as file:
                file.write(b"X")
        here, there = self.changed(change)
        self.assertIn("has changed since it was offered", here)
        self.assertIn("changed", there)

    def test_a_source_of_another_size_or_put_in_its_place(self):
        def change(path):
            before = os.stat(path)
            with open(path + ".new", "wb") as file:
                file.write(os.urandom(before.st_size))
            os.utime(path + ".new", ns=(before.st_atime_ns, before.st_mtime_ns))
            os.rename(path + ".new", path)
        self.assertIn("has changed since it was offered", self.changed(change)[0])

    def test_a_source_that_is_gone(self):
        self.assertIn("No such file", self.changed(os.unlink)[0])

    def test_a_source_that_changed_before_the_first_byte(self):
        alice, bob = self.talk()
        path = alice.write("early.bin", b"x" * 1000)
        alice.psst("send", "bob", path)
        theirs = bob.wait_file(lambda f: f["state"] == "waiting")["id"]
        with open(path, "ab") as file:
            file.write(b"more")
        bob.psst("accept", str(theirs), "-o", self.into)
        self.assertIn("changed", self.wait(alice, 1, lambda f: f["state"] == "failed")["reason"])
        self.assertIn("changed", self.wait(bob, theirs, lambda f: f["state"] == "failed")["reason"])


class Pause(Base):
    def over_restarts(self, who):
        alice, bob = self.talk()
        content = numbered(12)
        self.limit(4096)
        mine, theirs = self.send("some.bin", content)
        self.wait(bob, theirs, lambda f: f["done"] > MB)
        here, there = ((alice, mine), (bob, theirs)) if who == "alice" else ((bob, theirs), (alice, mine))
        here[0].psst("files", "pause", str(here[1]))
        self.assertEqual(self.wait(*here, lambda f: f["state"] == "paused")["paused_by"], "us")
        told = self.wait(*there, lambda f: f["state"] == "paused")
        self.assertEqual(told["paused_by"], "them")
        self.assertIn(who + " paused it", told["reason"])
        self.assertIn("other side", there[0].psst("files", "resume", str(there[1]), expect=None).err)
        self.limit(0)
        for person in (here[0], there[0], here[0]):
            person.restart()
            alice.psst("dial", "bob")
            self.assertEqual(self.file(*here)["state"], "paused")
            self.wait(*there, lambda f: f["state"] == "paused")
        self.assertEqual(len(os.listdir(self.into)), 1, "the part is kept")
        here[0].psst("files", "resume", str(here[1]))
        self.assertGreater(self.done(bob, theirs)["resumed_from"], MB)
        self.done(alice, mine)
        self.assertArrived("some.bin", content)

    def test_by_the_sender_over_restarts_of_both(self):
        self.over_restarts("alice")

    def test_by_the_receiver_over_restarts_of_both(self):
        self.over_restarts("bob")

    def test_many_times(self):
        alice, bob = self.talk()
        content = numbered(20)
        self.limit(1024)
        mine, theirs = self.send("some.bin", content)
        for i in range(8):
            person, number = ((alice, mine), (bob, theirs))[i % 2]
            self.wait(person, number, lambda f: f["state"] == "running")
            person.psst("files", "pause", str(number))
            person.psst("files", "resume", str(number))
        self.limit(0)
        self.done(bob, theirs)
        self.done(alice, mine)
        self.assertArrived("some.bin", content)

    def test_with_the_contact_goes_the_part(self):
        alice, bob = self.talk()
        self.limit(2048)
        mine, theirs = self.send("some.bin", numbered(8))
        self.wait(bob, theirs, lambda f: f["done"] > 300000)
        bob.psst("files", "pause", str(theirs))
        self.part()
        bob.psst("remove", "alice", "--yes", expect=None)
        wait_for("nothing left", lambda: os.listdir(self.into) == [])

    def test_what_cannot_be_paused(self):
        alice, bob = self.talk()
        alice.psst("send", "bob", alice.write("x.bin", b"x"))
        theirs = bob.wait_file(lambda f: f["state"] == "waiting")["id"]
        self.assertIn("accept", bob.psst("files", "pause", str(theirs), expect=None).err)
        self.assertIn("not paused", alice.psst("files", "resume", "1", expect=None).err)
        for verb in ("pause", "resume", "first"):
            self.assertNotEqual(bob.psst("files", verb, "77", expect=None).code, 0)
            self.assertEqual(bob.psst("files", verb, "x", expect=None).code, 2)
            self.assertEqual(bob.psst("files", verb, expect=None).code, 2)

    def test_an_offer_that_is_paused_waits(self):
        """Paused before anybody has accepted it: it may be accepted, and goes when its sender says so."""
        alice, bob = self.talk()
        alice.psst("send", "bob", alice.write("x.bin", b"x" * 100))
        theirs = bob.wait_file(lambda f: f["state"] == "waiting")["id"]
        alice.psst("files", "pause", "1")
        bob.psst("accept", str(theirs), "-o", self.into)
        self.wait(bob, theirs, lambda f: f["state"] == "paused" and f["paused_by"] == "them")
        alice.psst("files", "resume", "1")
        self.done(bob, theirs)


class PauseOnTheWire(Base):
    """docs/PROTOCOL.md, "Files", against an independent peer."""

    def accepted(self, size):
        self.bob = self.person("bob")
        self.mallory = self.caller(self.bob)
        self.into = self.bob.path("in")
        os.makedirs(self.into, exist_ok=True)
        transfer = self.mallory.offer(b"f.bin", size)
        self.theirs = self.bob.wait_file(lambda f: f["state"] == "waiting")["id"]
        self.bob.psst("accept", str(self.theirs), "-o", self.into)
        self.assertEqual(self.mallory.wait_file(transfer, wire.ACCEPT)["offset"], 0)
        return transfer

    def test_the_receiver_drops_what_is_on_its_way_until_the_answer(self):
        content = numbered(1)
        transfer = self.accepted(MB)
        mallory, bob = self.mallory, self.bob
        send = lambda at, to: mallory.send_chunk(peer.FILE, wire.file_data(transfer, at, content[at:to]))
        send(0, 50000)
        self.wait(bob, self.theirs, lambda f: f["done"] == 50000)
        bob.psst("files", "pause", str(self.theirs))
        self.assertEqual(mallory.wait_file(transfer, wire.PAUSE)["reason"], 1)
        bob.psst("files", "resume", str(self.theirs))
        send(50000, 100000)  # on its way when the pause came
        mallory.send_done(transfer, content)
        mallory.send_chunk(peer.FILE, wire.file_pause(transfer, 2))
        offset = mallory.wait_file(transfer, wire.ACCEPT)["offset"]
        self.assertEqual(offset, 50000)
        mallory.send_data(transfer, content, offset)
        mallory.send_done(transfer, content)
        mallory.wait_ack(transfer)
        self.assertArrived("f.bin", content)

    def test_a_paused_receiver_answers_an_offer_with_it(self):
        transfer = self.accepted(1000)
        self.bob.psst("files", "pause", str(self.theirs))
        self.mallory.wait_file(transfer, wire.PAUSE)
        self.mallory.send_chunk(peer.FILE, wire.file_pause(transfer, 2))
        self.mallory.offer(b"f.bin", 1000, transfer)
        self.assertEqual(self.mallory.wait_file(transfer, wire.PAUSE)["reason"], 1)
        self.bob.psst("files", "resume", str(self.theirs))
        self.mallory.wait_file(transfer, wire.ACCEPT)

    def test_the_sender_goes_on_with_an_offer(self):
        content = numbered(1)
        transfer = self.accepted(MB)
        mallory = self.mallory
        mallory.send_chunk(peer.FILE, wire.file_data(transfer, 0, content[:1234]))
        mallory.send_chunk(peer.FILE, wire.file_pause(transfer, 1))
        self.wait(self.bob, self.theirs, lambda f: f["state"] == "paused" and f.get("safe") == 1234)
        mallory.offer(b"f.bin", MB, transfer)
        self.assertEqual(mallory.wait_file(transfer, wire.ACCEPT)["offset"], 1234)
        mallory.send_data(transfer, content, 1234)
        mallory.send_done(transfer, content)
        mallory.wait_ack(transfer)

    def test_the_sender_answers_each_pause_and_begins_where_it_is_told(self):
        alice = self.person("alice")
        mallory = self.caller(alice)
        content = numbered(1)
        alice.psst("send", "mallory", alice.write("mine.bin", content))
        transfer = mallory.expect(peer.FILE)[1:17]
        mallory.send_chunk(peer.FILE, wire.file_pause(transfer))
        self.assertEqual(mallory.wait_file(transfer, wire.PAUSE)["reason"], 2)
        mallory.send_chunk(peer.FILE, wire.file_accept(transfer, 1000))
        self.assertEqual(mallory.wait_file(transfer, wire.DATA)["offset"], 1000)
        mallory.send_chunk(peer.FILE, wire.file_pause(transfer))
        while wire.file_read(mallory.expect(peer.FILE))[0] != wire.PAUSE:
            continue
        mallory.send_chunk(peer.FILE, wire.file_accept(transfer, len(content)))
        done = mallory.wait_file(transfer, wire.DONE)
        self.assertEqual(done["sha256"], hashlib.sha256(content).digest())
        mallory.send_chunk(peer.FILE, wire.file_accept(transfer, 0))  # what it had was damaged: once more
        self.assertEqual(mallory.wait_file(transfer, wire.DATA)["offset"], 0)
        mallory.wait_file(transfer, wire.DONE)
        mallory.send_chunk(peer.ACK, transfer)
        alice.wait_file(lambda f: f["state"] == "done")

    def test_a_wrong_hash_after_a_resume_is_given_one_more_run(self):
        content = numbered(1)
        transfer = self.accepted(MB)
        self.mallory.send_chunk(peer.FILE, wire.file_data(transfer, 0, content[:5000]))
        self.wait(self.bob, self.theirs, lambda f: f["done"] == 5000)
        self.mallory.bye()
        self.mallory = peer.Peer.call(self.bob.address, self.mallory.me, self.bob.public)
        self.addCleanup(self.mallory.close)
        self.assertEqual(self.mallory.wait_file(transfer, wire.ACCEPT)["offset"], 5000)
        wrong = bytes(32)
        self.mallory.send_data(transfer, content, 5000)
        self.mallory.send_done(transfer, content, digest=wrong)
        self.assertEqual(self.mallory.wait_file(transfer, wire.ACCEPT)["offset"], 0)
        self.mallory.send_data(transfer, content)
        self.mallory.send_done(transfer, content, digest=wrong)
        self.assertEqual(self.mallory.wait_not_accepted(transfer), 5)
        self.assertIn("checksum", self.wait(self.bob, self.theirs, lambda f: f["state"] == "failed")["reason"])
        wait_for("the part to be gone", lambda: os.listdir(self.into) == [])

    def test_a_flood_of_pauses(self):
        """Attacks 24, 32: each begins a run that reads the file anew; then that transfer is over."""
        alice = self.person("alice")
        mallory = self.caller(alice)
        alice.psst("send", "mallory", alice.write("mine.bin", numbered(3)))
        transfer = mallory.expect(peer.FILE)[1:17]
        for i in range(200):
            mallory.send_chunk(peer.FILE, wire.file_accept(transfer, 2 * MB + i))
            mallory.send_chunk(peer.FILE, wire.file_pause(transfer))
        self.assertEqual(mallory.wait_file(transfer, wire.CANCEL)["reason"], 3)
        mallory.send_chunk(peer.FILE, wire.file_pause(os.urandom(16)))
        mallory.send_chunk(peer.FILE, wire.file_window(transfer, 1 << 40))
        mallory.inbox.clear()
        mallory.ping()
        self.assertAlive(alice)
        self.assertEqual(alice.files()[0]["state"], "failed")

    def test_a_flood_of_offers_and_pauses_of_one_transfer(self):
        transfer = self.accepted(MB)
        for _ in range(100):
            self.mallory.send_chunk(peer.FILE, wire.file_pause(transfer))
            self.mallory.offer(b"f.bin", MB, transfer)
            # each is waited for, or it would be no run
            got = self.mallory.expect(peer.FILE, where=lambda d: d[1:17] == transfer)
            if got[0] in (wire.CANCEL, wire.DECLINE):
                break
        else:
            self.fail("it goes on for ever")
        self.assertEqual(got[17], 3)
        self.mallory.ping()
        self.wait(self.bob, self.theirs, lambda f: f["state"] == "failed")

    def test_kinds_and_reasons_that_nobody_knows(self):
        transfer = self.accepted(1000)
        self.mallory.send_chunk(peer.FILE, wire.file_pause(transfer, 99))  # like 1
        self.wait(self.bob, self.theirs, lambda f: f["state"] == "paused")
        self.mallory.send_chunk(peer.FILE, b"\x09" + transfer + b"\x01")
        self.assertIn(self.mallory.wait_end(), ("end of stream", "reset"))


class Known(Base):
    def test_acknowledged_only_once_it_is_noted(self):
        """Offered again in the very instant; killed with the acknowledgement: it is done for good, and comes once."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        into = bob.path("in")
        os.mkdir(into)
        me = mallory.me
        for i in range(6):
            content = os.urandom(5000)
            transfer = mallory.offer(b"f%d.bin" % i, len(content))
            theirs = bob.wait_file(lambda f: f["state"] == "waiting")["id"]
            bob.psst("accept", str(theirs), "-o", into)
            mallory.wait_file(transfer, wire.ACCEPT)
            mallory.send_data(transfer, content)
            mallory.send_done(transfer, content)
            for _ in range(50):
                mallory.offer(b"f%d.bin" % i, len(content), transfer)
            mallory.wait_ack(transfer)
            bob.kill()
            bob.start()
            kept = next(f for f in bob.psst("files", "--all", "--json").json() if f["id"] == theirs)
            self.assertEqual(kept["state"], "done")
            mallory.close()
            mallory = peer.Peer.call(bob.address, me, bob.public)
            self.addCleanup(mallory.close)
            mallory.offer(b"f%d.bin" % i, len(content), transfer)
            mallory.wait_ack(transfer)
            self.assertEqual(len(os.listdir(into)), i + 1)

    def test_whole_and_named_but_not_noted(self):
        """Killed between the file's name and the row: the next life finds it there, and nothing comes twice."""
        bob = self.person("bob")
        mallory = self.caller(bob)
        into = bob.path("in")
        os.mkdir(into)
        content = os.urandom(300000)
        transfer = mallory.offer(b"f.bin", len(content))
        theirs = bob.wait_file(lambda f: f["state"] == "waiting")["id"]
        bob.psst("accept", str(theirs), "-o", into)
        mallory.wait_file(transfer, wire.ACCEPT)
        mallory.send_data(transfer, content)
        bob.wait_file(lambda f: f["id"] == theirs and f["done"] == len(content))
        bob.psst("hangup", "mallory")  # all is safe, nothing is finished
        wait_for("it to be noted", lambda: self.file(bob, theirs).get("safe") == len(content))
        bob.kill()
        part = [n for n in os.listdir(into)]
        os.rename(os.path.join(into, part[0]), os.path.join(into, "f.bin"))  # what it would have done next
        bob.start()
        mallory = peer.Peer.call(bob.address, mallory.me, bob.public)
        self.addCleanup(mallory.close)
        mallory.offer(b"f.bin", len(content), transfer)
        mallory.wait_ack(transfer)
        self.assertEqual(os.listdir(into), ["f.bin"])
        self.assertEqual(self.wait(bob, theirs, lambda f: f["state"] == "done")["path"], os.path.join(into, "f.bin"))

    def test_what_ended_before_the_last_start_is_answered_as_it_ended(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        into = bob.path("in")
        os.mkdir(into)
        ended = {}
        for name in (b"done", b"declined", b"cancelled"):
            transfer = mallory.offer(name, 3)
            theirs = bob.wait_file(lambda f: f["name"] == name.decode() and f["state"] == "waiting")["id"]
            ended[name] = transfer
            if name == b"declined":
                bob.psst("decline", str(theirs))
                continue
            bob.psst("accept", str(theirs), "-o", into)
            mallory.wait_file(transfer, wire.ACCEPT)
            if name == b"cancelled":
                bob.psst("cancel", str(theirs))
                continue
            mallory.send_data(transfer, b"abc")
            mallory.send_done(transfer, b"abc")
            mallory.wait_ack(transfer)
        # the row of one whose part file was still being removed is swept after the start, and in the store alone from the next on
        wait_for("what is over to be in the store alone", lambda: bob.restart() and bob.files() == [], 30)
        self.assertEqual(len(bob.psst("files", "--all", "--json").json()), 3)
        self.assertEqual([f["name"] for f in bob.psst("files", "-n", "2", "--json").json()], ["declined", "cancelled"])
        mallory = peer.Peer.call(bob.address, mallory.me, bob.public)
        self.addCleanup(mallory.close)
        for name, transfer in ended.items():
            mallory.offer(name, 3, transfer)
        mallory.wait_ack(ended[b"done"])
        for name in (b"declined", b"cancelled"):
            self.assertEqual(mallory.wait_file(ended[name], wire.DECLINE)["reason"], 1)
        self.assertEqual(os.listdir(into), ["done"])

    def test_what_ended_long_ago_leaves_memory_and_stays_known(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        transfers = []
        with bob.control() as control:
            control.call("subscribe", events=["file"])
            for i in range(130):
                transfers.append(mallory.offer(b"offer %d" % i, 3))
                offered = control.event("file", lambda f: f["state"] == "waiting")
                control.call("file.decline", id=offered["id"])
                mallory.wait_file(transfers[-1], wire.DECLINE)
            shown = control.call("files")["files"]
            self.assertLess(len(shown), 110)
            self.assertEqual(shown[-1]["name"], "offer 129")
            every, before = [], 0
            while True:
                page = control.call("files", all=True, limit=50, before=before)
                every = page["files"] + every
                before = page["files"][0]["id"]
                if not page["more"]:
                    break
            self.assertEqual([f["name"] for f in every], ["offer %d" % i for i in range(130)])
            self.assertEqual({f["state"] for f in every}, {"declined"})
        mallory.offer(b"offer 0", 3, transfers[0])
        self.assertEqual(mallory.wait_file(transfers[0], wire.DECLINE)["reason"], 1)

    def test_acknowledged_when_only_the_offer_is_remembered(self):
        """Attack 55: the sender died before it had noted that it was accepted; the receiver has it whole since."""
        alice = self.person("alice")
        mallory = self.caller(alice)
        alice.psst("send", "mallory", alice.write("mine.bin", b"m" * 5000))
        transfer = mallory.expect(peer.FILE)[1:17]
        mallory.send_chunk(peer.ACK, transfer)
        alice.wait_file(lambda f: f["state"] == "done")

    def test_an_accept_of_what_was_cancelled_before_the_last_start(self):
        alice = self.person("alice")
        mallory = self.caller(alice)
        alice.psst("send", "mallory", alice.write("mine.bin", b"m" * 5000))
        transfer = mallory.expect(peer.FILE)[1:17]
        alice.psst("cancel", "1")
        mallory.wait_file(transfer, wire.CANCEL)
        alice.restart()
        mallory = peer.Peer.call(alice.address, mallory.me, alice.public)
        self.addCleanup(mallory.close)
        mallory.send_chunk(peer.FILE, wire.file_accept(transfer))
        self.assertEqual(mallory.wait_file(transfer, wire.CANCEL)["reason"], 1)
        nobody = os.urandom(16)
        mallory.send_chunk(peer.FILE, wire.file_accept(nobody))
        self.assertEqual(mallory.wait_file(nobody, wire.CANCEL)["reason"], 3)


class Cancel(Base):
    def both_ended(self, mine, theirs, who):
        here, there = (self.alice, mine), (self.bob, theirs)
        ours, others = (here, there) if who == "alice" else (there, here)
        self.assertIn("you ", self.wait(*ours, lambda f: f["state"] in ("failed", "declined"))["reason"])
        told = self.wait(*others, lambda f: f["state"] in ("failed", "declined"))
        self.assertTrue(told["reason"].startswith(who), told)
        wait_for("nothing left", lambda: os.listdir(self.into) == [])
        self.assertNotEqual(self.alice.psst("cancel", str(mine), expect=None).code, 0, "it is over")

    def cancel(self, who, mine, theirs):
        person, number = (self.alice, mine) if who == "alice" else (self.bob, theirs)
        person.psst("cancel", str(number))

    def offered(self, name):
        self.alice.psst("send", "bob", self.alice.write(name, numbered(4)))
        mine = self.alice.wait_file(lambda f: f["name"] == name)["id"]
        return mine, self.bob.wait_file(lambda f: f["name"] == name)["id"]

    def test_in_every_state_by_either_side(self):
        self.talk()
        self.limit(1024)
        for who in ("alice", "bob"):
            mine, theirs = self.offered("offered-%s.bin" % who)
            self.cancel(who, mine, theirs)
            self.both_ended(mine, theirs, who)
            mine, theirs = self.send("running-%s.bin" % who, numbered(4))
            self.wait(self.bob, theirs, lambda f: f["done"] > 100000)
            self.cancel(who, mine, theirs)
            self.both_ended(mine, theirs, who)
            for pauser, number in ((self.alice, 0), (self.bob, 1)):
                pair = self.send("paused-%s-%d.bin" % (who, number), numbered(4))
                self.wait(self.bob, pair[1], lambda f: f["done"] > 100000)
                pauser.psst("files", "pause", str(pair[number]))
                for person, n in ((self.alice, pair[0]), (self.bob, pair[1])):
                    self.wait(person, n, lambda f: f["state"] == "paused")
                self.cancel(who, *pair)
                self.both_ended(*pair, who)
            first = self.send("first-%s.bin" % who, numbered(4))
            second = self.send("second-%s.bin" % who, numbered(4))
            self.wait(self.alice, second[0], lambda f: f.get("queue") == 1)
            self.cancel(who, *second)
            self.wait(self.bob, second[1], lambda f: f["state"] == "failed")
            self.cancel(who, *first)
            self.both_ended(*first, who)

    def test_while_nobody_is_there_to_be_told(self):
        alice, bob = self.talk()
        self.limit(1024)
        mine, theirs = self.offered("offered.bin")
        taken, given = self.send("running.bin", numbered(4))
        other, refused = self.send("other.bin", numbered(4))
        self.wait(bob, given, lambda f: f["done"] > 100000)
        bob.stop()
        for number in (mine, taken):
            alice.psst("cancel", str(number))
        alice.restart()  # it is not forgotten
        bob.start()
        bob.psst("cancel", str(refused))
        alice.psst("dial", "bob")
        for number in (theirs, given):
            told = self.wait(bob, number, lambda f: f["state"] == "failed")
            self.assertTrue(told["reason"].startswith("alice"), told)
        self.assertTrue(self.wait(alice, other, lambda f: f["state"] in ("failed", "declined"))["reason"]
                        .startswith("bob"))
        wait_for("nothing left", lambda: os.listdir(self.into) == [])


class Order(Base):
    def test_first_goes_before_what_runs(self):
        alice, bob = self.talk()
        self.limit(512)
        content = {n: numbered(3) for n in ("one", "two", "three")}
        pairs = {name: self.send(name, content[name]) for name in content}
        self.wait(alice, pairs["one"][0], lambda f: f["state"] == "running")
        self.assertEqual(self.wait(alice, pairs["two"][0], lambda f: f.get("queue"))["queue"], 1)
        self.assertEqual(self.wait(alice, pairs["three"][0], lambda f: f.get("queue"))["queue"], 2)
        self.assertRegex(alice.psst("files").out, "three .*2 before it")
        alice.psst("files", "first", str(pairs["three"][0]))
        self.wait(alice, pairs["three"][0], lambda f: f["state"] == "running")
        self.assertEqual(self.wait(alice, pairs["one"][0], lambda f: f.get("queue"))["queue"], 1)
        alice.psst("files", "first", str(pairs["two"][0]))
        self.wait(alice, pairs["two"][0], lambda f: f["state"] == "running")
        self.assertNotEqual(bob.psst("files", "first", str(pairs["one"][1]), expect=None).code, 0)
        alice.restart()  # the order is kept
        alice.psst("dial", "bob")
        self.wait(alice, pairs["two"][0], lambda f: f["state"] == "running")
        self.assertEqual(self.wait(alice, pairs["three"][0], lambda f: f.get("queue"))["queue"], 1)
        self.limit(0)
        for name, (_, theirs) in pairs.items():
            self.done(bob, theirs)
            self.assertEqual(digest(os.path.join(self.into, name)), hashlib.sha256(content[name]).hexdigest())

    def test_progress_speed_and_what_is_left(self):
        alice, bob = self.talk()
        self.limit(256)
        mine, theirs = self.send("some.bin", numbered(3))
        for person, number in ((alice, mine), (bob, theirs)):
            shown = self.wait(person, number, lambda f: f.get("rate", 0) > 0 and f.get("left_ms", 0) > 0)
            self.assertLess(shown["rate"], 4 * 256 * 1024)
            self.assertRegex(person.psst("files").out, r"\d+% of 3\.1 MB +some\.bin +running, .*/s, .* left")
        self.limit(0)
        self.done(bob, theirs)


class Limit(Base):
    def test_no_faster_than_allowed_and_text_is_not_in_it(self):
        alice, bob = self.talk()
        self.limit(128)
        began = time.monotonic()
        mine, theirs = self.send("some.bin", os.urandom(512 * 1024))
        for i in range(5):
            alice.psst("say", "bob", "--wait", "5", "word %d" % i)
        self.done(bob, theirs)
        self.assertGreater(time.monotonic() - began, 512 / 128 - 0.75, "a bucket full is allowed at once, no more")

    def test_values(self):
        alice = self.person("alice")
        for bad in ("-1", "x", "1.5", "99999999", "1k"):
            self.assertNotEqual(alice.psst("set", "upload_limit", bad, expect=None).code, 0, bad)
        alice.psst("set", "upload_limit", "100")
        self.assertIn("100", alice.psst("set").out)


class Names(Base):
    def offer(self, name="offered.bin", content=b"content"):
        self.alice.psst("send", "bob", self.alice.write(name, content))
        return self.bob.wait_file(lambda f: f["name"] == name and f["state"] == "waiting")["id"]

    def test_accepted_under_another_name(self):
        alice, bob = self.talk()
        number = self.offer()
        bob.psst("accept", str(number), "-o", os.path.join(self.into, ".mine"))
        self.assertEqual(self.done(bob, number)["path"], os.path.join(self.into, ".mine"))
        self.assertArrived(".mine", b"content")

    def test_never_over_what_is_there(self):
        """Attack 33."""
        alice, bob = self.talk()
        number = self.offer()
        there = bob.write("there", b"precious")
        os.symlink("/nonexistent/x", bob.path("link"))
        for path in (there, bob.path("link")):
            self.assertIn("overwritten", bob.psst("accept", str(number), "-o", path, expect=1).err)
        for path in (bob.path("none", "x"), bob.path("none") + "/"):
            self.assertEqual(bob.psst("accept", str(number), "-o", path, expect=None).code, 1)
        with bob.control() as control:
            for name in ("", ".", "..", "a/b", "x" * 241):
                self.assertIn("error", control.ask("file.accept", id=number, dir=bob.home, **{"as": name}), name)
            self.assertIn("error", control.ask("file.accept", id=number, dir=bob.home, **{"as": "there"}))
        with open(there, "rb") as file:
            self.assertEqual(file.read(), b"precious")
        bob.psst("accept", str(number), "-o", os.path.join(self.into, "new"))
        self.done(bob, number)

    def test_a_file_does_not_go_to_standard_output(self):
        alice, bob = self.talk()
        number = self.offer()
        refused = bob.psst("accept", str(number), "-o", "-", expect=None)
        self.assertEqual((refused.code, refused.out), (2, ""), refused)
        self.assertIn("no stream", refused.err)
        self.assertEqual(self.file(bob, number)["state"], "waiting")


if __name__ == "__main__":
    unittest.main()
