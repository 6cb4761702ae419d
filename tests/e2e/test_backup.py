"""psst backup and psst restore: everything comes back, or nothing is touched."""
import errno
import os
import pty
import shutil
import signal
import socket
import subprocess
import time
import unittest

from psst import DONE, E2E, FAILED, LOCKED, PATIENCE, USAGE, Person, program, wait_for

SECRET = "correct horse battery\n"


def memory_of(pid):
    """All that a process can write to."""
    found = []
    with open("/proc/%d/maps" % pid, encoding="ascii", errors="replace") as maps, \
            open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            span, mode = line.split()[:2]
            if not mode.startswith("rw"):
                continue
            start, stop = (int(x, 16) for x in span.split("-"))
            if stop - start > 1 << 30:  # a sanitizer's shadow
                continue
            try:
                mem.seek(start)
                found.append(mem.read(stop - start))
            except OSError as error:
                if error.errno not in (errno.EIO, errno.EFAULT):
                    raise
    return b"".join(found)


class Backup(E2E):
    def setUp(self):
        super().setUp()
        self.secret = os.path.join(self.root, "secret")
        with open(self.secret, "w", encoding="ascii") as file:
            file.write(SECRET)
        os.chmod(self.secret, 0o600)

    def back_up(self, person, name="b.psst", expect=DONE):
        path = os.path.join(self.root, name)
        person.psst("backup", "--passphrase-file", self.secret, path, expect=expect)
        return path

    def newcomer(self, name, like=None, start=True):
        """A home without anything."""
        someone = Person(self.root, name)
        os.unlink(someone.path("config"))
        if like is not None:
            someone.port = like.port
        self.people.append(someone)
        return someone.start() if start else someone

    def restore(self, person, path, expect=DONE, secret=None):
        return person.psst("restore", "--passphrase-file", secret or self.secret, path, expect=expect)

    def files_of(self, person):
        """What is in the home but for what every psstd makes there."""
        return sorted(n for n in os.listdir(person.home) if n not in ("run", "replay"))

    def assertNothing(self, person):
        self.assertEqual(self.files_of(person), [])
        self.assertIsNone(person.status()["identity"])

    def talk(self, a, b, words):
        a.psst("say", b.name, "--wait", "10", words)

    # ---- all comes back ----

    def test_all_comes_back_in_another_home(self):
        own = self.secret + ".key"
        shutil.copy(self.secret, own)
        with open(own, "w", encoding="ascii") as file:
            file.write("the key's own\n")
        alice, bob = self.person("alice", "--passphrase-file", own), self.person("bob")
        self.introduce(alice, bob)
        alice.psst("dial", "bob")
        for i in range(5):
            self.talk(alice, bob, "from alice %d" % i)
            self.talk(bob, alice, "from bob %d" % i)
        alice.psst("send", "bob", alice.write("photo.jpg", "a photo"))
        marker = alice.path("ran")
        alice.psst("set", "passphrase_command", "touch %s; echo the key\\'s own" % marker)
        alice.psst("set", "log_level", "debug")
        bob.stop()
        for i in range(3):
            alice.psst("say", "bob", "waiting %d" % i)
        alice.messages("bob", "-n", "1000")  # which marks them as shown
        log, files = alice.messages("bob", "-n", "1000"), alice.files()
        contacts = [{k: c[k] for k in ("name", "fingerprint", "addresses", "verified", "waiting", "unread")}
                    for c in alice.contacts()]
        self.assertEqual([c["waiting"] for c in contacts], [3])
        path = self.back_up(alice)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        checked = alice.psst("backup", "--check", "--passphrase-file", self.secret, path).out
        self.assertIn("Alice", checked)
        self.assertIn("whole", checked)
        with open(path, "rb") as file:
            content = file.read()
        # nothing so short that half a megabyte of noise may hold it
        for plain in (b"waiting 1", b"PRIVATE KEY", b"Alice", b"passphrase_command"):
            self.assertFalse(plain in content, plain)
        alice.stop()
        shutil.rmtree(alice.home)

        again = self.newcomer("again", like=alice)
        said = self.restore(again, path)
        self.assertIn("passphrase_command", said.err)
        self.assertIn("psst unlock", said.out)
        self.assertFalse(os.path.exists(marker))
        settings = again.psst("set").out
        self.assertIn(alice.listen, settings)
        self.assertIn("debug", settings)
        self.assertNotIn("touch", settings)
        self.assertEqual(again.status()["listen"], [alice.listen])
        self.assertFalse(os.path.exists(again.path("restore.new")))
        for name in ("identity.pem", "store.db", "store.key", "card.psst", "config"):
            self.assertEqual(os.stat(again.path(name)).st_mode & 0o777, 0o600, name)
        self.assertTrue(again.status()["identity"]["locked"])
        again.psst("unlock", "--passphrase-file", self.secret, expect=FAILED)  # not the backup's passphrase
        again.psst("unlock", "--passphrase-file", own)

        restored = again.messages("bob", "-n", "1000")
        for before, after in zip(log, restored):
            if before["state"] == "waiting":  # it may have been sent since from where the backup was made
                before["state"] = "sent"
                self.assertGreater(after.pop("sent_ms"), 0)
        self.assertEqual(restored, log)
        self.assertEqual(again.files(), files)
        self.assertEqual([{k: c[k] for k in contacts[0]} for c in again.contacts()], contacts)
        again.psst("check")
        bob.start()
        bob.psst("dial", "alice")  # where she has always been
        bob.wait_text("alice", "waiting 2")
        wait_for("the outbox to be empty", lambda: again.contact("bob")["waiting"] == 0)
        for i in range(3):
            self.assertEqual(bob.texts("alice", "in").count("waiting %d" % i), 1)
        self.talk(bob, alice, "welcome back")  # whom he knows by that name
        again.restart()  # and it stays so
        again.psst("unlock", "--passphrase-file", own)
        self.assertIn("welcome back", again.texts("bob", "in"))

    def test_messages_come_and_go_while_it_is_made(self):
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        with alice.control() as control:
            for i in range(60):  # some chunks' worth
                control.call("say", name="bob", text="%d " % i + "x" * 20000)
            making = alice.spawn("backup", "--passphrase-file", self.secret, os.path.join(self.root, "b.psst"))
            said = 0
            while making.poll() is None:
                control.call("say", name="bob", text="meanwhile %d" % said)
                said += 1
            alice.finish(making)
        self.assertGreater(said, 0)
        alice.psst("say", "bob", "--wait", "30", "last")
        whole = alice.messages("bob", "-n", "1000000")
        path = os.path.join(self.root, "b.psst")
        bob.stop()
        alice.stop()
        again = self.newcomer("again", like=alice)
        self.restore(again, path)
        wait_for("the key without a passphrase", lambda: not again.status()["identity"]["locked"])
        again.psst("check")
        part = again.messages("bob", "-n", "1000000")
        self.assertGreaterEqual(len(part), 60)
        self.assertEqual([(m["id"], m["text"]) for m in part], [(m["id"], m["text"]) for m in whole][:len(part)])

    def test_the_old_machine_may_have_sent_it_already(self):
        alice, bob = self.pair()
        bob.stop()
        for i in range(3):
            alice.psst("say", "bob", "once %d" % i)
        path = self.back_up(alice)
        bob.start()
        bob.psst("dial", "alice")
        bob.wait_text("alice", "once 2")
        alice.psst("say", "bob", "--wait", "10", "after the backup")
        alice.stop()
        bob.stop()
        again = self.newcomer("again", like=alice)
        self.restore(again, path)
        wait_for("unlocking", lambda: not again.status()["identity"]["locked"])
        self.assertEqual(again.contact("bob")["waiting"], 3)
        self.assertEqual([m["state"] for m in again.messages("bob")], ["sent"] * 3)  # none of them can be recalled
        bob.start()
        again.psst("dial", "bob")
        wait_for("acknowledgements", lambda: again.contact("bob")["waiting"] == 0)
        self.assertEqual([m["state"] for m in again.messages("bob")], ["delivered"] * 3)
        self.assertEqual(bob.texts("alice", "in"), ["once 0", "once 1", "once 2", "after the backup"])

    def test_standard_output_takes_it_too(self):
        alice = self.person("alice")
        path = os.path.join(self.root, "piped")
        with open(path, "wb") as file:
            making = subprocess.Popen([program("psst"), "backup", "--passphrase-file",
                                       self.secret, "-"], env=alice.env, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE)
            file.write(making.stdout.read())
            self.assertEqual(making.wait(), 0)
            making.stdout.close()
        again = self.newcomer("again")
        alice.stop()
        self.restore(again, path)
        self.assertEqual(again.status()["identity"]["name"], "Alice")

    # ---- refused ----

    def test_a_passphrase_must_be_there_and_be_right(self):
        alice = self.person("alice")
        alice.psst("backup", alice.path("b"), expect=USAGE)  # nobody to ask
        empty = alice.write("empty", "\n")
        alice.psst("backup", "--passphrase-file", empty, alice.path("b"), expect=FAILED)
        with alice.control() as control:  # and psst-key says so itself
            reading, writing = os.pipe()
            os.close(writing)
            line = ('{"jsonrpc": "2.0", "id": 1, "method": "backup", "params": {"path": "%s", "fds": 1}}\n'
                    % alice.path("b")).encode()
            socket.send_fds(control.sock, [line], [reading])
            os.close(reading)
            answer = control.line()
        self.assertIn("empty", answer["error"]["message"])
        self.assertFalse(os.path.exists(alice.path("b")))
        path = self.back_up(alice)
        wrong = alice.write("wrong", "correct horse batter\n")
        again = self.newcomer("again")
        said = self.restore(again, path, expect=FAILED, secret=wrong)
        self.assertIn("passphrase", said.err)
        self.assertNothing(again)
        again.psst("backup", "--check", "--passphrase-file", wrong, path, expect=FAILED)
        self.assertNothing(again)

    def test_on_a_terminal_it_is_asked_twice_and_never_empty(self):
        alice = self.person("alice")
        path = alice.path("b")
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        making = subprocess.Popen([program("psst"), "backup", path], env=alice.env, stdin=theirs, stdout=theirs,
                                  stderr=theirs, start_new_session=True)
        os.close(theirs)
        shown = b""

        def answer(question, words):
            nonlocal shown
            while question not in shown:
                shown += os.read(ours, 4096)
            shown = shown.partition(question)[2]
            os.write(ours, words + b"\n")

        answer(b"Passphrase of the backup: ", b"")
        answer(b"Passphrase of the backup: ", SECRET.strip().encode())
        answer(b"once more: ", b"another")
        answer(b"Passphrase of the backup: ", SECRET.strip().encode())
        answer(b"once more: ", SECRET.strip().encode())
        try:
            while True:
                got = os.read(ours, 4096)
                if not got:
                    break
                shown += got
        except OSError:  # the other end is gone
            pass
        self.assertEqual(making.wait(), 0, shown)
        self.assertNotIn(SECRET.strip().encode(), shown)
        alice.psst("backup", "--check", "--passphrase-file", self.secret, path)

    def test_cut_short_or_changed_anywhere_nothing_is_touched(self):
        alice, bob = self.pair()
        alice.psst("say", "bob", "x" * 40000)
        with open(self.back_up(alice), "rb") as file:
            whole = file.read()
        again = self.newcomer("again")
        damaged = os.path.join(self.root, "damaged")

        def flipped(at):
            return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]

        cases = [b"", whole[:51], whole[:60], whole[:1500], whole[:66000], whole[:len(whole) // 2], whole[:-1],
                 whole + b"\0", flipped(3), flipped(30), flipped(100), flipped(70000), flipped(len(whole) - 1),
                 whole[:16] + b"\x3f\xff\xff\0" + whole[20:], whole[:15] + b"\2" + whole[16:], os.urandom(5000)]
        for i, content in enumerate(cases):
            with open(damaged, "wb") as file:
                file.write(content)
            started = time.monotonic()
            said = self.restore(again, damaged, expect=FAILED if i != 14 else (FAILED, USAGE))
            self.assertGreater(len(said.err), 20, i)
            self.assertLess(time.monotonic() - started, 10 * PATIENCE, i)
            self.assertNothing(again)
        again.psst("backup", "--check", "--passphrase-file", self.secret, damaged, expect=FAILED)
        with open(damaged, "wb") as file:
            file.write(whole)
        self.restore(again, damaged)  # after all that

    def test_nothing_is_restored_over_what_is_there(self):
        alice = self.person("alice")
        path = self.back_up(alice)
        before = {n: open(alice.path(n), "rb").read() for n in ("identity.pem", "store.key")}
        self.assertIn("ever restored over", self.restore(alice, path, expect=FAILED).err)
        self.assertEqual({n: open(alice.path(n), "rb").read() for n in before}, before)
        self.assertAlive(alice)
        for name in ("store.db", "store.db-wal", "store.key"):
            again = self.newcomer("again" + name[-3:])
            again.write(name, "precious")
            self.assertIn(name, self.restore(again, path, expect=FAILED).err)
            self.assertEqual(open(again.path(name), encoding="ascii").read(), "precious")
            self.assertEqual(self.files_of(again), [name])

    def test_a_file_is_never_overwritten(self):
        alice = self.person("alice")
        path = self.back_up(alice)
        with open(path, "rb") as file:
            before = file.read()
        said = alice.psst("backup", "--passphrase-file", self.secret, path, expect=FAILED)
        self.assertIn("never overwritten", said.err)
        os.symlink("nowhere", alice.path("link"))
        alice.psst("backup", "--passphrase-file", self.secret, alice.path("link"), expect=FAILED)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual([n for n in os.listdir(self.root) if n.startswith(".")], [])

    def test_locked_it_says_what_to_do(self):
        alice = self.person("alice", "--passphrase-file", self.secret)
        alice.psst("lock")
        said = alice.psst("backup", "--passphrase-file", self.secret, alice.path("b"), expect=LOCKED)
        self.assertIn("psst unlock", said.err)
        self.assertFalse(os.path.exists(alice.path("b")))

    def test_locking_gives_a_backup_up(self):
        alice = self.person("alice")
        making = alice.spawn("backup", "--passphrase-file", self.secret, "-")  # over 64 KiB, and nobody reads
        wait_for("bytes in the pipe", lambda: os.get_blocking(making.stdout.fileno()) and making.stdout.peek(1))
        alice.psst("backup", "--passphrase-file", self.secret, alice.path("b"), expect=FAILED)  # one at a time
        alice.psst("lock")
        said = alice.finish(making, expect=LOCKED)
        self.assertIn("locked", said.err)
        alice.psst("unlock")
        self.back_up(alice)
        self.assertAlive(alice)

    # ---- disks and crashes ----

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to mount a small tmpfs")
    def test_a_full_disk_is_named_and_nothing_is_left(self):
        """Attack 48."""
        alice = self.person("alice")
        small = os.path.join(self.root, "small")
        os.mkdir(small)
        again = self.newcomer("again", start=False)
        for place, size in ((small, "64k"), (again.home, "128k,mode=700")):
            mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", place],
                                     capture_output=True, check=False)
            if mounted.returncode != 0:
                self.skipTest("no mounting here: " + mounted.stderr.decode().strip())
            self.addCleanup(subprocess.run, ["umount", "-l", place], check=False)
        said = alice.psst("backup", "--passphrase-file", self.secret, os.path.join(small, "b"), expect=FAILED)
        self.assertIn("disk is full", said.err)
        self.assertEqual(os.listdir(small), [])
        path = self.back_up(alice)
        again.start()
        said = self.restore(again, path, expect=FAILED)
        self.assertIn("disk is full", said.err)
        self.assertNothing(again)
        subprocess.run(["mount", "-o", "remount,size=4m", again.home], check=True)
        self.restore(again, path)  # goes on once there is room

    def test_killed_at_any_moment_it_is_all_or_nothing(self):
        """Attack 55."""
        alice, bob = self.pair()
        bob.stop()
        with alice.control() as control:
            for i in range(100):
                control.call("say", name="bob", text="%d " % i + "y" * 60000)
        alice.psst("set", "log_level", "debug")
        path = self.back_up(alice)
        alice.stop()

        def size(name):
            try:
                return os.stat(name).st_size
            except OSError:
                return -1

        again = self.newcomer("again", like=alice, start=False)
        home, new = again.path, lambda name: again.path("restore.new", name)
        moments = [lambda: size(new("identity.pem")) > 0, lambda: size(new("card.psst")) >= 0,
                   lambda: size(new("store.db")) >= 0, lambda: size(new("store.db")) > 3000000,
                   lambda: size(home("store.db")) >= 0, lambda: size(home("store.key")) >= 0,
                   lambda: size(home("identity.pem")) >= 0 and size(new("identity.pem")) >= 0]
        outcomes = []
        for moment in moments:
            again.start(opens=False)
            restoring = again.spawn("restore", "--passphrase-file", self.secret, path)
            deadline = time.monotonic() + 30 * PATIENCE
            while not moment() and restoring.poll() is None and time.monotonic() < deadline:
                pass
            os.kill(again.daemon.pid, signal.SIGKILL)
            again.daemon.wait()
            again.finish(restoring, expect=None)
            again.start()
            there = [n for n in self.files_of(again) if n != "config"]
            outcomes.append("identity.pem" in there)
            if outcomes[-1]:  # all of it
                wait_for("unlocking", lambda: not again.status()["identity"]["locked"])
                self.assertEqual(again.contact("bob")["waiting"], 100)
                again.psst("check")
            else:
                self.assertEqual(there, [])
                self.assertIsNone(again.status()["identity"])
                self.assertNotIn("debug", again.psst("set").out)
            self.assertFalse(os.path.exists(again.path("restore.new")))
            again.stop()
            for name in os.listdir(again.home):
                if name != "run" and outcomes[-1]:
                    os.unlink(again.path(name))
        self.assertIn(False, outcomes)
        again.start()
        self.restore(again, path)
        wait_for("unlocking", lambda: not again.status()["identity"]["locked"])
        self.assertEqual(again.contact("bob")["waiting"], 100)

    # ---- secrets ----

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to look into psstd's memory")
    def test_the_passphrase_is_never_in_psstd(self):
        alice = self.person("alice")
        path = self.back_up(alice)
        alice.psst("backup", "--check", "--passphrase-file", self.secret, path)
        again = self.newcomer("again")
        self.restore(again, path)
        with open(alice.path("identity.pem"), "rb") as file:
            secret_lines = file.read().split(b"\n")[2:6]
        for person in (alice, again):
            memory = memory_of(person.pid())
            self.assertIn(b"identity.pem", memory)  # that it was really looked at
            self.assertNotIn(SECRET.strip().encode(), memory)
            for line in secret_lines:  # nor the private key, which has no passphrase here
                self.assertNotIn(line, memory)


if __name__ == "__main__":
    unittest.main()
