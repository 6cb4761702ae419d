"""psst send NAME - | psst accept ID -o -: a pipe between two machines, and all the ways in which one breaks."""
import hashlib
import os
import pty
import subprocess
import threading
import time
import unittest

import peer
import wire
from psst import E2E, FAILED, PATIENCE, USAGE, program, wait_for

MB = 1 << 20
UNKNOWN = (1 << 64) - 1


class Base(E2E):
    def talk(self):
        self.alice, self.bob = self.pair()
        self.alice.psst("dial", "bob")
        return self.alice, self.bob

    def spawned(self, person, *args, **kwargs):
        process = person.spawn(*args, **kwargs)

        def end():
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    pipe.close()
        self.addCleanup(end)
        return process

    def sender(self, *args, **kwargs):
        kwargs.setdefault("stdin", subprocess.PIPE)
        return self.spawned(self.alice, "send", "bob", *args, "-", **kwargs)

    def offer(self, person=None):
        return (person or self.bob).wait_file(lambda f: f["form"] == "stream" and f["state"] == "waiting")["id"]

    def receiver(self, number=None, person=None):
        person = person or self.bob
        return self.spawned(person, "accept", str(number or self.offer(person)), "-o", "-")

    def ended(self, process, code, timeout=20):
        """Its exit code is that; gives what it said."""
        wait_for("psst to end", lambda: process.poll() is not None, timeout)
        words = process.stderr.read().decode()
        self.assertEqual(process.returncode, code, words)
        return words

    def file(self, person, number=1):
        return next(f for f in person.files() if f["id"] == number)

    def feed(self, process, content):
        """In a thread, since a pipe may be full; a broken pipe is no error here."""
        def run():
            try:
                process.stdin.write(content)
                process.stdin.close()
            except (BrokenPipeError, ValueError):
                pass
        threading.Thread(target=run, daemon=True).start()


class Terminal(Base):
    def test_a_stream_is_not_shown_on_a_terminal(self):
        """Attack 34: nothing that a contact sends reaches a terminal as it came."""
        self.talk()
        sending = self.sender()
        number = self.offer()
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        done = subprocess.run([program("psst"), "accept", str(number), "-o", "-"], env=self.bob.env, stdin=theirs,
                              stdout=theirs, stderr=subprocess.PIPE, timeout=30 * PATIENCE)
        os.close(theirs)
        self.assertEqual(done.returncode, USAGE)
        self.assertIn(b"terminal", done.stderr)
        self.assertEqual(self.file(self.bob, number)["state"], "waiting")
        receiving = self.receiver(number)
        self.feed(sending, b"\x1b]0;owned\x07")
        self.assertEqual(receiving.stdout.read(), b"\x1b]0;owned\x07")
        self.ended(receiving, 0)


class Streams(Base):
    def test_fifty_megabytes_through_both_pipes(self):
        self.talk()
        content = os.urandom(50 * MB)
        sending = self.sender("--name", "tape")
        taking = self.receiver()
        self.assertEqual(self.file(self.bob)["name"], "tape")
        self.assertIsNone(self.file(self.bob)["size"])
        self.feed(sending, content)
        self.assertEqual(hashlib.sha256(taking.stdout.read()).digest(), hashlib.sha256(content).digest())
        self.assertIn("52.4 MB: done, and checked", self.ended(taking, 0))
        self.assertIn("52.4 MB: done, and checked", self.ended(sending, 0))
        self.assertEqual(sending.stdout.read(), b"")
        for person in (self.alice, self.bob):
            self.assertEqual((self.file(person)["state"], self.file(person)["size"]), ("done", 50 * MB))

    def test_each_word_goes_as_it_comes_and_nothing_is_the_end(self):
        self.talk()
        sending = self.sender()
        taking = self.receiver()
        for word in (b"one\n", b"two\n", b"three\n"):
            sending.stdin.write(word)
            sending.stdin.flush()
            self.assertEqual(taking.stdout.readline(), word)
        self.alice.psst("say", "bob", "--wait", "5", "beside it")
        sending.stdin.close()
        self.ended(taking, 0)
        self.ended(sending, 0)
        empty = self.sender(stdin=subprocess.DEVNULL)
        taking = self.receiver()
        self.assertEqual(taking.stdout.read(), b"")
        self.ended(taking, 0)
        self.ended(empty, 0)

    def test_before_anybody_is_there(self):
        """Offered while the other side is away, and accepted while this one is."""
        alice, bob = self.talk()
        bob.stop()
        sending = self.sender()
        self.feed(sending, b"x" * 300000)
        alice.wait_file(lambda f: f["state"] == "waiting")
        bob.start()
        alice.psst("dial", "bob")
        number = self.offer()
        alice.psst("hangup", "bob")
        taking = self.receiver(number)
        self.assertEqual(taking.stdout.read(), b"x" * 300000)  # who accepts, dials
        self.ended(taking, 0)
        self.ended(sending, 0)

    def test_from_a_file_and_into_one(self):
        alice, bob = self.talk()
        content = os.urandom(3 * MB)
        with open(alice.write("source", content), "rb") as source:
            source.seek(1000)
            sending = self.sender(stdin=source)
        target = bob.path("target")
        with open(target, "wb") as file:
            file.write(b"before")
            file.flush()
            taking = subprocess.Popen(["psst", "accept", str(self.offer()), "-o", "-"], env=bob.env, stdout=file,
                                      stderr=subprocess.PIPE)
            self.addCleanup(taking.stderr.close)
            self.ended(taking, 0)
        self.ended(sending, 0)
        with open(target, "rb") as file:
            self.assertEqual(file.read(), b"before" + content[1000:])

    def test_into_a_folder_or_under_a_name(self):
        alice, bob = self.talk()
        into = bob.path("in")
        os.mkdir(into)
        for where, name in ((into, "stream"), (os.path.join(into, "mine"), "mine"), (into, "stream (2)")):
            sending = self.sender()
            self.feed(sending, b"content")
            number = self.offer()
            bob.psst("accept", str(number), "-o", where, "--wait", "20")
            self.ended(sending, 0)
            self.assertEqual(self.file(bob, number)["path"], os.path.join(into, name))
            with open(os.path.join(into, name), "rb") as file:
                self.assertEqual(file.read(), b"content")
        self.assertEqual(sorted(os.listdir(into)), ["mine", "stream", "stream (2)"])

    def test_beside_a_long_file(self):
        alice, bob = self.talk()
        alice.psst("set", "upload_limit", "512")
        alice.psst("send", "bob", alice.write("long.bin", os.urandom(20 * MB)))
        into = bob.path("in")
        os.mkdir(into)
        bob.psst("accept", str(bob.wait_file(lambda f: f["state"] == "waiting")["id"]), "-o", into)
        bob.wait_file(lambda f: f["state"] == "running" and f["done"] > 0)
        sending = self.sender()
        taking = self.receiver()
        self.feed(sending, b"quick" * 10000)
        self.assertEqual(taking.stdout.read(), b"quick" * 10000)
        self.ended(sending, 0)
        self.assertEqual(self.file(bob)["state"], "running")

    def test_a_slow_reader_holds_up_nothing_else(self):
        """Somebody reads with a pager: the stream stops, texts and files go on, and nothing piles up."""
        alice, bob = self.talk()
        content = os.urandom(30 * MB)
        sending = self.sender()
        taking = self.receiver()
        self.feed(sending, content)
        self.assertEqual(taking.stdout.read(1000), content[:1000])
        stuck = 0
        while True:  # until no more moves
            now = wait_for("news", lambda: self.file(alice)["done"])
            time.sleep(0.3)
            if now == stuck:
                break
            stuck = now
        self.assertLess(stuck, 8 * MB)
        bob.psst("say", "alice", "--wait", "5", "still there?")
        alice.psst("say", "bob", "--wait", "5", "of course")
        alice.psst("send", "bob", alice.write("x.bin", b"x" * 200000))
        other = bob.wait_file(lambda f: f["name"] == "x.bin")["id"]
        into = bob.path("in")
        os.mkdir(into)
        bob.psst("accept", str(other), "-o", into, "--wait", "20")
        self.assertEqual(taking.stdout.read(), content[1000:])
        self.ended(taking, 0)
        self.ended(sending, 0)

    def test_what_cannot_be_done_with_one(self):
        alice, bob = self.talk()
        sending = self.sender()
        number = self.offer()
        for person, n in ((alice, 1), (bob, number)):
            self.assertNotEqual(person.psst("files", "pause", str(n), expect=None).code, 0)
        self.assertEqual(alice.psst("send", "bob", "--name", "x", "/etc/hostname", expect=None).code, 2)
        self.assertEqual(alice.psst("send", "bob", "--name", "", "-", expect=None).code, 2)
        bob.psst("decline", str(number))
        self.assertIn("declined", self.ended(sending, 6))


class Broken(Base):
    def running(self, content=b"begun"):
        self.talk()
        sending, taking = self.sender(), None
        taking = self.receiver()
        sending.stdin.write(content)
        sending.stdin.flush()
        self.assertEqual(taking.stdout.read(len(content)), content)
        return sending, taking

    def test_the_reader_closes(self):
        sending, taking = self.running()
        taking.stdout.close()
        self.assertIn("closed it", self.ended(taking, FAILED))
        self.assertIn("passed on on the other side", self.ended(sending, FAILED))
        self.assertIn("closed it", self.file(self.bob)["reason"])

    def test_the_reader_closes_in_the_middle_of_much(self):
        self.talk()
        sending = self.sender()
        self.feed(sending, os.urandom(20 * MB))
        taking = self.receiver()
        taking.stdout.read(100000)
        taking.stdout.close()
        self.assertIn("closed it", self.ended(taking, FAILED))
        self.ended(sending, FAILED)
        self.alice.psst("say", "bob", "--wait", "5", "the session lives")

    def test_psst_is_killed_on_either_side(self):
        for victim in (0, 1):
            if victim:
                sending, taking = self.again()
            else:
                sending, taking = self.running()
            (sending, taking)[victim].kill()
            self.assertIn(("alice cancelled it", "bob cancelled it")[victim],
                          self.ended((taking, sending)[victim], FAILED))
            here = (self.alice, self.bob)[victim]
            wait_for("it to be over", lambda: {f["state"] for f in here.files()} == {"failed"})

    def again(self):
        sending = self.sender()
        taking = self.receiver()
        sending.stdin.write(b"begun")
        sending.stdin.flush()
        self.assertEqual(taking.stdout.read(5), b"begun")
        return sending, taking

    def test_interrupted_before_it_is_accepted(self):
        alice, bob = self.talk()
        sending = self.sender()
        number = self.offer()
        sending.send_signal(2)
        wait_for("it to be over", lambda: self.file(bob, number)["state"] == "failed")
        self.assertIn("alice", self.file(bob, number)["reason"])
        self.assertNotEqual(bob.psst("accept", str(number), "-o", "-", expect=None).code, 0)

    def test_cancelled_by_either_side(self):
        sending, taking = self.running()
        self.alice.psst("cancel", "1")
        self.assertIn("alice cancelled it", self.ended(taking, FAILED))
        self.assertIn("you cancelled it", self.ended(sending, FAILED))
        sending, taking = self.again()
        self.bob.psst("cancel", "2")
        self.assertIn("you cancelled it", self.ended(taking, FAILED))
        self.assertIn("bob cancelled it", self.ended(sending, FAILED))

    def test_the_session_breaks(self):
        """It is not taken up again, and both say how far it came."""
        sending, taking = self.running(b"x" * 1234)
        self.alice.psst("hangup", "bob")
        for process in (sending, taking):
            self.assertIn("cut off after 1234 bytes", self.ended(process, FAILED))
        self.alice.psst("dial", "bob")
        self.alice.psst("say", "bob", "--wait", "5", "and now?")
        for person in (self.alice, self.bob):
            self.assertIn("cut off after 1234 bytes", self.file(person)["reason"])

    def test_psstd_is_killed_on_either_side(self):
        sending, taking = self.running()
        self.bob.kill()
        self.assertIn("cut off", self.ended(taking, 3))
        self.assertIn("cut off after 5 bytes", self.ended(sending, FAILED))
        self.bob.start()
        self.alice.psst("dial", "bob")
        kept = self.bob.psst("files", "--all", "--json").json()[0]
        self.assertEqual(kept["state"], "failed")
        sending, taking = self.again()
        self.alice.kill()
        self.assertIn("cut off", self.ended(sending, 3))
        self.assertIn("cut off after 5 bytes", self.ended(taking, FAILED))
        self.alice.start()
        self.assertIn("cut off", self.alice.psst("files", "--all").out)

    def test_offered_and_then_psstd_is_restarted(self):
        """The pipe has gone with it: the other side hears of it at the next session."""
        alice, bob = self.talk()
        sending = self.sender()
        number = self.offer()
        alice.kill()
        self.ended(sending, 3)
        alice.start()
        alice.psst("dial", "bob")
        wait_for("it to be over", lambda: self.file(bob, number)["state"] == "failed")

    def test_locked_and_removed(self):
        """Whoever waits for its end hears of it, whatever happens to identity and contact."""
        sending, taking = self.running()
        self.alice.psst("lock")
        self.assertIn("cut off after 5 bytes", self.ended(sending, FAILED))
        self.assertIn("cut off after 5 bytes", self.ended(taking, FAILED))
        self.alice.psst("unlock")
        self.alice.psst("dial", "bob")
        offered = self.sender()
        number = self.offer()
        self.bob.psst("hangup", "alice")
        self.alice.psst("lock")
        self.assertIn("cut off", self.ended(offered, FAILED))
        self.alice.psst("unlock")
        self.alice.psst("dial", "bob")
        wait_for("it to be over", lambda: self.file(self.bob, number)["state"] == "failed")
        sending, taking = self.again()
        self.bob.psst("remove", "alice", "--yes", expect=None)
        self.ended(taking, FAILED)
        self.ended(sending, FAILED)

    def test_eight_that_nobody_reads_hold_up_no_file(self):
        alice, bob = self.talk()
        for _ in range(9):
            sending = self.sender()
            self.feed(sending, os.urandom(MB))
            self.receiver()
        into = bob.path("in")
        os.mkdir(into)
        alice.psst("send", "bob", alice.write("x.bin", b"x" * 200000))
        other = bob.wait_file(lambda f: f["form"] == "file")["id"]
        bob.psst("accept", str(other), "-o", into, "--wait", "20")

    def test_into_a_folder_and_cut_off(self):
        alice, bob = self.talk()
        into = bob.path("in")
        os.mkdir(into)
        sending = self.sender()
        sending.stdin.write(b"some")
        sending.stdin.flush()
        number = self.offer()
        bob.psst("accept", str(number), "-o", into)
        bob.wait_file(lambda f: f["id"] == number and f["done"] == 4)
        bob.psst("hangup", "alice")
        self.assertIn("cut off after 4 bytes", self.ended(sending, FAILED))
        wait_for("it to be over", lambda: self.file(bob, number)["state"] == "failed")
        wait_for("nothing left", lambda: os.listdir(into) == [])


class OnTheWire(Base):
    """docs/PROTOCOL.md, "Streams", against an independent peer."""

    def offered(self):
        self.bob = self.person("bob")
        self.mallory = self.caller(self.bob)
        transfer = self.mallory.offer(b"tape", UNKNOWN, form=2)
        return transfer, self.offer(self.bob)

    def taken(self):
        transfer, number = self.offered()
        taking = self.receiver(number, self.bob)
        self.assertEqual(self.mallory.wait_file(transfer, wire.ACCEPT)["offset"], 0)
        self.window = self.mallory.wait_file(transfer, wire.WINDOW)["offset"]
        return transfer, taking

    def data(self, transfer, at, content):
        self.mallory.send_chunk(peer.FILE, wire.file_data(transfer, at, content))

    def test_a_wrong_hash(self):
        """Bytes have been passed on already: the exit code says that they are not to be trusted."""
        transfer, taking = self.taken()
        self.data(transfer, 0, b"content")
        self.mallory.send_done(transfer, b"content", digest=bytes(32))
        self.assertEqual(self.mallory.wait_not_accepted(transfer), 5)
        self.assertEqual(taking.stdout.read(), b"content")
        self.assertIn("do not trust", self.ended(taking, FAILED))

    def test_cut_short(self):
        transfer, taking = self.taken()
        self.data(transfer, 0, b"content")
        self.mallory.send_done(transfer, b"content", size=8)
        self.assertEqual(self.mallory.wait_file(transfer, wire.CANCEL)["reason"], 3)
        self.ended(taking, FAILED)

    def test_more_than_the_window(self):
        """Attack 24: who ignores it would fill our memory."""
        transfer, taking = self.taken()
        self.assertLess(self.window, 8 * MB)
        piece = b"x" * 65000
        at = 0
        while at + len(piece) <= self.window:
            self.data(transfer, at, piece)
            at += len(piece)
        self.data(transfer, at, piece)
        self.assertEqual(self.mallory.wait_file(transfer, wire.CANCEL)["reason"], 3)
        self.mallory.ping()
        self.ended(taking, FAILED)

    def test_the_window_moves_as_it_is_read(self):
        transfer, taking = self.taken()
        content = os.urandom(10 * MB)
        got = []
        reading = threading.Thread(target=lambda: got.append(taking.stdout.read()))
        reading.start()
        at = 0
        while at < len(content):
            while at + 60000 > self.window and self.window < len(content):
                self.window = self.mallory.wait_file(transfer, wire.WINDOW)["offset"]
            self.data(transfer, at, content[at:at + 60000])
            at += 60000
        self.mallory.send_done(transfer, content)
        self.mallory.wait_ack(transfer)
        self.ended(taking, 0)
        reading.join()
        self.assertEqual(got[0], content)

    def test_paused_or_offered_again_it_goes_on(self):
        transfer, taking = self.taken()
        self.data(transfer, 0, b"one")
        self.mallory.send_chunk(peer.FILE, wire.file_pause(transfer))
        self.mallory.offer(b"tape", UNKNOWN, transfer, form=2)
        self.data(transfer, 3, b"two")
        self.mallory.send_done(transfer, b"onetwo")
        self.mallory.wait_ack(transfer)
        self.assertEqual(taking.stdout.read(), b"onetwo")
        self.ended(taking, 0)
        self.mallory.offer(b"tape", UNKNOWN, transfer, form=2)
        self.mallory.wait_ack(transfer)

    def test_what_was_cut_off_stays_so(self):
        transfer, taking = self.taken()
        self.data(transfer, 0, b"some")
        self.assertEqual(taking.stdout.read(4), b"some")
        self.mallory.bye()
        self.assertIn("cut off after 4 bytes", self.ended(taking, FAILED))
        self.mallory = peer.Peer.call(self.bob.address, self.mallory.me, self.bob.public)
        self.addCleanup(self.mallory.close)
        self.mallory.offer(b"tape", UNKNOWN, transfer, form=2)
        self.assertEqual(self.mallory.wait_file(transfer, wire.DECLINE)["reason"], 7)

    def sending(self):
        self.alice = self.person("alice")
        self.mallory = self.caller(self.alice)
        sending = self.spawned(self.alice, "send", "mallory", "-", stdin=subprocess.PIPE)
        offer = self.mallory.expect(peer.FILE, where=lambda d: d[0] == wire.OFFER)
        self.assertEqual((offer[17], offer[18:26]), (2, b"\xff" * 8))
        return offer[1:17], sending

    def test_nothing_before_the_window_and_no_more_than_it(self):
        transfer, sending = self.sending()
        self.feed(sending, b"y" * 500000)
        self.mallory.send_chunk(peer.FILE, wire.file_accept(transfer))
        self.mallory.ping()
        self.assertEqual([c for c in self.mallory.inbox if c[0] == peer.FILE], [])
        got = b""
        for window in (1, 70000, 69999, 500000):
            self.mallory.send_chunk(peer.FILE, wire.file_window(transfer, window))
            while len(got) < window:
                data = self.mallory.wait_file(transfer, wire.DATA)
                self.assertEqual(data["offset"], len(got))
                got += data["data"]
                self.assertLessEqual(len(got), window)
        done = self.mallory.wait_file(transfer, wire.DONE)
        self.assertEqual((done["size"], done["sha256"]), (500000, hashlib.sha256(b"y" * 500000).digest()))
        self.assertIsNone(sending.poll(), "it waits for the acknowledgement")
        self.mallory.send_chunk(peer.ACK, transfer)
        self.ended(sending, 0)

    def test_acknowledged_before_anything_was_sent(self):
        """Attack 21."""
        transfer, sending = self.sending()
        self.mallory.send_chunk(peer.ACK, transfer)
        self.mallory.ping()
        self.assertIsNone(sending.poll())
        self.assertEqual(self.file(self.alice)["state"], "waiting")

    def test_accepted_from_the_middle(self):
        """Attack 32: what has gone through a pipe cannot be had again."""
        transfer, sending = self.sending()
        self.mallory.send_chunk(peer.FILE, wire.file_accept(transfer, 1))
        self.assertEqual(self.mallory.wait_file(transfer, wire.CANCEL)["reason"], 3)
        self.ended(sending, FAILED)

    def test_all_was_sent_when_the_session_broke(self):
        """The next offer brings the answer: here it had arrived."""
        transfer, sending = self.sending()
        self.feed(sending, b"all")
        self.mallory.send_chunk(peer.FILE, wire.file_accept(transfer) )
        self.mallory.send_chunk(peer.FILE, wire.file_window(transfer, 100))
        self.mallory.wait_file(transfer, wire.DONE)
        self.mallory.close()
        self.mallory = peer.Peer.call(self.alice.address, self.mallory.me, self.alice.public)
        self.addCleanup(self.mallory.close)
        self.mallory.wait_file(transfer, wire.OFFER)
        self.mallory.send_chunk(peer.ACK, transfer)
        self.ended(sending, 0)

    def test_all_was_sent_and_did_not_arrive(self):
        transfer, sending = self.sending()
        self.feed(sending, b"all")
        self.mallory.send_chunk(peer.FILE, wire.file_accept(transfer))
        self.mallory.send_chunk(peer.FILE, wire.file_window(transfer, 100))
        self.mallory.wait_file(transfer, wire.DONE)
        self.mallory.close()
        self.mallory = peer.Peer.call(self.alice.address, self.mallory.me, self.alice.public)
        self.addCleanup(self.mallory.close)
        self.mallory.wait_file(transfer, wire.OFFER)
        self.mallory.send_chunk(peer.FILE, wire.file_decline(transfer, 7))
        self.assertIn("cut off after 3 bytes", self.ended(sending, FAILED))


if __name__ == "__main__":
    unittest.main()
