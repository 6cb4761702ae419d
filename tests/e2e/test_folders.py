"""Folders: sent whole, taken up again, refused when something in them may not be there; whatever is killed when."""
import hashlib
import io
import os
import shutil
import signal
import stat
import subprocess
import tarfile
import unittest

import peer
import wire
from psst import E2E, FAILED, alive, children, program, wait_for
from test_tar import archive, filtered, folder, header, member, sanitized, END

MB = 1 << 20
WEIRD = ["with blanks.txt", "ümläut", "e\u0301 decomposed", "é composed", "日本語.txt", "%n%s", "'quoted' \"twice\"", "a;b|c&d$e`f`", "emoji 🍕",
         "x" * 230]


def tree(path):
    """What lies below: relative path -> content, or None for a folder."""
    found = {}
    for at, folders, files in os.walk(path):
        for name in folders:
            found[os.path.relpath(os.path.join(at, name), path)] = None
        for name in files:
            with open(os.path.join(at, name), "rb") as file:
                found[os.path.relpath(os.path.join(at, name), path)] = hashlib.sha256(file.read()).hexdigest()
    return found


class Base(E2E):
    def talk(self):
        self.alice, self.bob = self.pair()
        self.into = self.bob.path("in")
        os.mkdir(self.into)
        self.alice.psst("dial", "bob")
        return self.alice, self.bob

    def make(self, name, files):
        """A folder of alice's: path -> content, or None for a folder."""
        root = self.alice.path(name)
        os.makedirs(root, exist_ok=True)
        for path, content in files.items():
            path = os.path.join(root, path)
            if content is None:
                os.makedirs(path, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
        return root

    def make_many(self, name, n=2500):
        return self.make(name, {"%d/%d.txt" % (i // 500, i): b"%d" % i for i in range(n)})

    def send(self, path, *args):
        """Offered and accepted: both numbers."""
        self.alice.psst("send", "bob", path, timeout=120)
        name = os.path.basename(path)
        mine = self.alice.wait_file(lambda f: f["name"] == name and f["state"] == "waiting")["id"]
        theirs = self.bob.wait_file(lambda f: f["name"] == name and f["state"] == "waiting")["id"]
        self.bob.psst("accept", str(theirs), *(args or ("-o", self.into)))
        return mine, theirs

    def end(self, person, number, timeout=120):
        return person.wait_file(lambda f: f["id"] == number and f["state"] in ("done", "failed", "declined"), timeout)

    def done(self, person, number):
        got = self.end(person, number)
        self.assertEqual(got["state"], "done", got)
        return got

    def limit(self, kib):
        self.alice.psst("set", "upload_limit", str(kib))

    def tars(self, person):
        """psst-tar's processes under that psstd."""
        found, pids = [], children(person.pid())
        for pid in pids:
            try:
                with open("/proc/%d/comm" % pid, encoding="ascii") as file:
                    if file.read().strip() == "psst-tar":
                        found.append(pid)
            except OSError:
                pass
        return found

    def assertNoTar(self, *people):
        for person in people:
            wait_for("no psst-tar under " + person.name, lambda: not self.tars(person))


class Folders(Base):
    def test_round_trip(self):
        alice, bob = self.talk()
        files = {"sub/deeper/still/" + name: name.encode() * 100 for name in WEIRD}
        files.update({"empty": None, "also/empty": None, "zero": b"", "big.bin": os.urandom(3 * MB + 17), "run.sh": b"#!/bin/sh\n"})
        root = self.make("My photos", files)
        os.chmod(os.path.join(root, "run.sh"), 0o755)
        os.utime(os.path.join(root, "zero"), (981173106, 981173106))
        out = alice.psst("send", "bob", root + "/").out
        self.assertRegex(out, r"^folder \d+, My photos: offered to bob now, or at the next session; 13 files in 7 folders, 3\.\d MB\n$")
        offer = bob.wait_file(lambda f: f["state"] == "waiting")
        self.assertEqual((offer["form"], offer["name"]), ("folder", "My photos"))
        self.assertIn("folder, 3.", bob.psst("files").out)
        self.assertEqual(bob.psst("accept", str(offer["id"]), "-o", self.into).out,
                         "folder %d, My photos: accepted; psst files shows how far it is\n" % offer["id"])
        got = self.done(bob, offer["id"])
        self.assertEqual(got["path"], os.path.join(self.into, "My photos"))
        self.assertEqual(os.listdir(self.into), ["My photos"])
        self.assertEqual(tree(got["path"]), tree(root))
        for at, _, names in os.walk(got["path"]):
            self.assertEqual(stat.S_IMODE(os.stat(at).st_mode), 0o700)
            for name in names:
                self.assertEqual(stat.S_IMODE(os.stat(os.path.join(at, name)).st_mode), 0o600)
        self.assertEqual(os.stat(os.path.join(got["path"], "zero")).st_mtime, 981173106)
        wait_for("the sender to know", lambda: [f["state"] for f in alice.files()] == ["done"])
        self.assertNoTar(alice, bob)

    def test_an_empty_one_and_its_name_again_and_another_name(self):
        alice, bob = self.talk()
        root = self.make("nothing", {})
        for name in ("nothing", "nothing (2)", "nothing (3)"):
            _, theirs = self.send(root)
            self.assertEqual(self.done(bob, theirs)["path"], os.path.join(self.into, name))
        _, theirs = self.send(root, "-o", os.path.join(self.into, ".mine"))
        self.assertEqual(self.done(bob, theirs)["path"], os.path.join(self.into, ".mine"))
        self.assertEqual(sorted(os.listdir(self.into)), [".mine", "nothing", "nothing (2)", "nothing (3)"])

    def test_what_is_left_out_is_said(self):
        alice, bob = self.talk()
        root = self.make("mixed", {"kept": b"x", "sub/kept": b"y"})
        os.symlink("/etc/passwd", os.path.join(root, "sub", "link"))
        os.symlink(".", os.path.join(root, "loop"))
        os.mkfifo(os.path.join(root, "pipe"))
        for i in range(30):
            os.symlink("kept", os.path.join(root, "many%02d" % i))
        got = alice.psst("send", "bob", root)
        self.assertIn("2 files in 2 folders", got.out)
        self.assertIn('psst: left out: "loop": a symbolic link\n', got.err)
        self.assertEqual(got.err.count("left out: "), 21)
        self.assertTrue(got.err.endswith("left out: 13 more\n"), got.err)
        offer = bob.wait_file(lambda f: f["state"] == "waiting")
        bob.psst("accept", str(offer["id"]), "-o", self.into)
        self.assertEqual(sorted(tree(self.done(bob, offer["id"])["path"])), ["kept", "sub", "sub/kept"])
        with alice.control() as control:
            result = control.call("send", name="bob", path=root)
        self.assertEqual(result["contents"], {"files": 2, "folders": 1, "bytes": 2, "left_out": 33})
        self.assertEqual(len(result["left_out"]), 20)

    def test_hidden_files_and_others_whose_names_change(self):
        alice, bob = self.talk()
        root = self.make("project", {".git/config": b"1", "git/config": b"2", "-rf": b"3", "a\nb": b"4"})
        _, theirs = self.send(root)
        got = self.done(bob, theirs)
        self.assertEqual(sorted(tree(got["path"])), ["a\u240ab", "git", "git (2)", "git (2)/config", "git/config", "rf"])
        self.assertIn("4 of the names in it had to be changed", got["reason"])

    def test_many_small_files(self):
        alice, bob = self.talk()
        root = self.make_many("many")
        _, theirs = self.send(root)
        self.assertEqual(tree(self.done(bob, theirs)["path"]), tree(root))

    def test_too_much_is_said_at_once(self):
        alice, _ = self.talk()
        root = self.make("deep", {"/".join("d" * 32) + "/x": b""})
        got = alice.psst("send", "bob", root, expect=FAILED)
        self.assertIn("More than 32 folders lie inside each other", got.err)
        self.assertEqual(alice.files(), [])

    def test_without_psst_tar(self):
        alice, bob = self.talk()
        root = self.make("f", {"x": b"x"})
        bare = os.path.join(self.root, "bare")
        os.mkdir(bare)
        for name in ("psstd", "psst-key"):
            os.link(program(name), os.path.join(bare, name)) if os.stat(program(name)).st_dev == os.stat(bare).st_dev else \
                subprocess.run(["cp", program(name), bare], check=True)
        alice.stop()
        alice.daemon = subprocess.Popen([os.path.join(bare, "psstd")], env=alice.env, stdin=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, cwd=alice.home)
        wait_for("psstd", lambda: alice._up(True) or alice._gone(), 20)
        self.assertIn("psst-tar, which packs folders, is missing", alice.psst("send", "bob", root, expect=FAILED).err)
        bob.psst("dial", "alice", expect=None)
        bob.psst("send", "alice", os.path.dirname(self.into))  # declined over there
        self.assertIn("cannot take such a file", self.end(bob, bob.files()[-1]["id"])["reason"])


class Interrupted(Base):
    def test_resumes_wherever_it_breaks(self):
        """Attack 55: the receiver, the sender, both are killed; it goes on where the disk had everything, and is whole."""
        alice, bob = self.talk()
        root = self.make("big", {"%d/%d" % (i % 7, i): os.urandom(MB) for i in range(150)})
        self.limit(100 * 1024)
        mine, theirs = self.send(root)
        safe = bob.wait_file(lambda f: f["id"] == theirs and f.get("safe", 0) >= 64 * MB)["safe"]
        bob.kill()
        bob.start()
        alice.psst("dial", "bob")
        got = bob.wait_file(lambda f: f["id"] == theirs and f.get("resumed_from", 0) >= safe)
        alice.kill()
        alice.start()
        alice.psst("dial", "bob")
        bob.wait_file(lambda f: f["id"] == theirs and (f["state"] == "done" or f.get("resumed_from", 0) >= got["resumed_from"]))
        self.limit(0)
        self.assertEqual(tree(self.done(bob, theirs)["path"]), tree(root))
        self.assertEqual(bob.counter("files-begun-anew"), 0)
        self.assertEqual(os.listdir(self.into), ["big"])
        wait_for("the sender to know", lambda: alice.files()[-1]["state"] == "done")
        self.assertNoTar(alice, bob)

    def test_paused_and_cancelled(self):
        """The process that packs ends with the run; what is hidden at the receiver goes with the transfer."""
        alice, bob = self.talk()
        root = self.make("big", {"f": os.urandom(20 * MB)})
        self.limit(2048)
        mine, theirs = self.send(root)
        bob.wait_file(lambda f: f["id"] == theirs and f["done"] > MB)
        self.assertEqual(len(self.tars(alice)), 1)
        alice.psst("files", "pause", str(mine))
        self.assertNoTar(alice)
        alice.psst("files", "resume", str(mine))
        bob.wait_file(lambda f: f["id"] == theirs and f["state"] == "running" and f.get("resumed_from", 0) > MB)
        self.assertEqual({n.rsplit(".", 1)[1] for n in os.listdir(self.into)}, {"part", "d"})
        bob.psst("cancel", str(theirs))
        wait_for("nothing left", lambda: not os.listdir(self.into))
        self.end(alice, mine)
        self.assertNoTar(alice, bob)

    def changed(self, change, words):
        alice, bob = self.talk()
        root = self.make("live", {"a": os.urandom(8 * MB), "b": os.urandom(8 * MB)})
        self.limit(2048)
        mine, theirs = self.send(root)
        bob.wait_file(lambda f: f["id"] == theirs and f["done"] > MB)
        change(root)
        got = self.end(alice, mine)
        self.assertEqual(got["state"], "failed")
        self.assertIn(words, got["reason"])
        self.assertIn("the folder changed or went away on the other side", self.end(bob, theirs)["reason"])
        wait_for("nothing left", lambda: not os.listdir(self.into))
        self.assertNoTar(alice)

    def test_changed_while_it_is_sent(self):
        def change(root):
            with open(os.path.join(root, "b"), "ab") as file:
                file.write(b"more")
            self.limit(0)
        self.changed(change, "The folder has changed while it was being sent.")

    def test_shorter_while_it_is_sent(self):
        def change(root):
            os.truncate(os.path.join(root, "a"), 5 * MB)
            self.limit(0)
        self.changed(change, '"a" has changed while it was being sent.')

    def test_changed_before_it_goes_on(self):
        def change(root):
            self.alice.psst("hangup", "bob")
            with open(os.path.join(root, "new"), "wb"):
                pass
            self.alice.psst("dial", "bob")
        self.changed(change, "The folder has changed since it was offered.")

    def kill_while_unpacking(self):
        """bob is killed in the middle of it: what lies there then, and both numbers."""
        root, mine, theirs = self.halt_while_unpacking()
        self.bob.kill()
        os.kill(self.halted, signal.SIGCONT)
        wait_for("psst-tar to end with psstd", lambda: not alive(self.halted))
        names = {n.rsplit(".", 1)[-1]: os.path.join(self.into, n) for n in os.listdir(self.into)}
        self.assertEqual(set(names), {"part", "d"})
        self.assertLess(len(tree(names["d"])), len(tree(root)))
        return root, names, mine, theirs

    def halt_while_unpacking(self):
        """psst-tar stands still, and has made something, and not all."""
        alice, bob = self.talk()
        root = self.make_many("many", 3000)
        mine, theirs = self.send(root)
        self.halted = wait_for("unpacking to begin", lambda: self.tars(bob) or os.path.exists(os.path.join(self.into, "many")), 60)
        if self.halted is True:
            self.skipTest("it was done before it could be halted")
        self.halted = self.halted[0]
        while True:
            try:
                os.kill(self.halted, signal.SIGSTOP)
            except ProcessLookupError:
                self.skipTest("it was done before it could be halted")
            self.addCleanup(self.go_on)
            made = sum(len(os.listdir(os.path.join(self.into, n))) for n in os.listdir(self.into) if n.endswith(".d"))
            if made > 0:
                self.assertNotEqual(filtered(self.halted), sanitized())
                return root, mine, theirs
            os.kill(self.halted, signal.SIGCONT)

    def go_on(self):
        try:
            os.kill(self.halted, signal.SIGCONT)
        except ProcessLookupError:
            pass

    def settled(self, root, theirs):
        self.bob.start()
        self.alice.psst("dial", "bob")
        self.assertEqual(tree(self.done(self.bob, theirs)["path"]), tree(root))
        self.assertEqual(os.listdir(self.into), ["many"])
        wait_for("the sender to know", lambda: self.alice.files()[-1]["state"] == "done")

    def test_killed_while_unpacking(self):
        root, _, _, theirs = self.kill_while_unpacking()
        self.settled(root, theirs)

    def test_started_again_while_the_last_psst_tar_hangs(self):
        """On a slow disk, say: nothing is done in the hidden folder before it is gone, and nothing is given up."""
        root, mine, theirs = self.halt_while_unpacking()
        self.bob.kill()
        self.bob.start()
        self.alice.psst("dial", "bob")
        self.bob.wait_file(lambda f: f["id"] == theirs and f["state"] == "running")
        self.assertTrue(alive(self.halted))
        self.go_on()
        self.assertEqual(tree(self.done(self.bob, theirs)["path"]), tree(root))
        self.assertEqual(os.listdir(self.into), ["many"])

    def unpacked_by_hand(self, names):
        """As psstd would have gone on: the folder whole, under its name."""
        for name in os.listdir(names["d"]):
            shutil.rmtree(os.path.join(names["d"], name))
        target = os.open(names["d"], os.O_RDONLY | os.O_DIRECTORY)
        with open(names["part"], "rb") as part:
            subprocess.run([program("psst-tar"), "unpack"], stdin=part, stdout=target, stderr=subprocess.DEVNULL, check=True)
        os.close(target)
        os.rename(names["d"], os.path.join(self.into, "many"))

    def test_killed_after_it_got_its_name(self):
        """It is whole, and comes no second time."""
        root, names, _, theirs = self.kill_while_unpacking()
        self.unpacked_by_hand(names)
        self.settled(root, theirs)

    def test_killed_after_the_part_was_removed(self):
        root, names, _, theirs = self.kill_while_unpacking()
        self.unpacked_by_hand(names)
        os.unlink(names["part"])
        self.settled(root, theirs)

    def test_killed_while_unpacking_and_cancelled(self):
        _, _, _, theirs = self.kill_while_unpacking()
        self.alice.stop()
        self.bob.start()
        self.bob.psst("cancel", str(theirs))
        wait_for("nothing left", lambda: not os.listdir(self.into))

    def test_stopped_while_unpacking(self):
        """psstd does not wait for the end of it, and goes on after the next start."""
        root, _, theirs = self.halt_while_unpacking()
        alice, bob = self.alice, self.bob
        bob.restart()
        self.assertFalse(alive(self.halted))
        alice.psst("dial", "bob")
        self.assertEqual(tree(self.done(bob, theirs)["path"]), tree(root))
        self.assertEqual(os.listdir(self.into), ["many"])

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to mount a small tmpfs")
    def test_the_disk_is_full(self):
        """Attack 48: said before the first byte, since it is needed twice; said when it comes as a surprise."""
        alice, bob = self.talk()
        small = bob.path("small")
        os.mkdir(small)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("no mounting here: " + mounted.stderr.decode().strip())
        self.addCleanup(subprocess.run, ["umount", "-l", small], check=False)
        mine, theirs = self.send(self.make("big", {"f": os.urandom(5 * MB)}), "-o", small)
        self.assertIn("is needed twice", self.end(bob, theirs)["reason"])
        self.assertIn("could not be saved on the other side", self.end(alice, mine)["reason"])
        wait_for("nothing left", lambda: not os.listdir(small))
        # 3,000 files of one byte: 3 MB packed, 12 MB in pages of 4 KiB
        mine, theirs = self.send(self.make("small", {str(i): b"x" for i in range(3000)}), "-o", small)
        self.assertRegex(self.end(bob, theirs)["reason"], 'Cannot write "[0-9]+": No space left')
        self.assertEqual(self.end(alice, mine)["state"], "failed")
        wait_for("nothing left", lambda: not os.listdir(small))
        bob.psst("say", "alice", "--wait", "10", "the session lives")


class OnTheWire(Base):
    """docs/PROTOCOL.md, "Folders", against an independent peer."""

    def offered(self, content, name=b"gift"):
        self.bob = self.person("bob")
        self.mallory = self.caller(self.bob)
        self.into = self.bob.path("in")
        os.makedirs(self.into, exist_ok=True)
        transfer = self.mallory.offer(name, len(content), form=1)
        self.theirs = self.bob.wait_file(lambda f: f["state"] == "waiting")["id"]
        self.bob.psst("accept", str(self.theirs), "-o", self.into)
        self.assertEqual(self.mallory.wait_file(transfer, wire.ACCEPT)["offset"], 0)
        self.mallory.send_data(transfer, content)
        self.mallory.send_done(transfer, content)
        return transfer

    def test_one_of_another_writer(self):
        transfer = self.offered(archive(folder("d"), member("d/x", b"hello"), member("ü", b"")))
        self.mallory.wait_ack(transfer)
        self.assertEqual(sorted(tree(os.path.join(self.into, "gift"))), ["d", "d/x", "ü"])

    def test_refused(self):
        """The receiver's sentence names the entry; the sender is told; nothing of it is kept; the session lives."""
        evil = [(archive(member("a"), member("../victim", b"x")), '"../victim" leads out of the folder'),
                (archive(member("a"), member("l", type=tarfile.SYMTYPE, linkname="..")), '"l" is a symbolic link'),
                (header(b"big", size=b"77777777777") + END, "What came"), (b"no archive", "What came is no folder")]
        victim = None
        for content, words in evil:
            transfer = self.offered(content) if victim is None else self.again(content)
            victim = victim or self.bob.write("victim", b"as it was")
            self.assertEqual(self.mallory.wait_file(transfer, wire.CANCEL)["reason"], 8)
            got = self.end(self.bob, self.theirs)
            self.assertEqual(got["state"], "failed")
            self.assertIn(words, got["reason"])
            self.assertEqual(os.listdir(self.into), [])
            with open(victim, "rb") as file:
                self.assertEqual(file.read(), b"as it was")
            self.mallory.offer(b"gift", len(content), transfer, form=1)  # offered again: the same answer
            self.assertEqual(self.mallory.wait_file(transfer, wire.DECLINE)["reason"], 8)
        self.mallory.say("the session lives")
        self.bob.wait_text("mallory", "the session lives")
        self.assertNoTar(self.bob)

    def again(self, content):
        transfer = self.mallory.offer(b"gift", len(content), form=1)
        self.theirs = self.bob.wait_file(lambda f: f["state"] == "waiting")["id"]
        self.bob.psst("accept", str(self.theirs), "-o", self.into)
        self.mallory.wait_file(transfer, wire.ACCEPT)
        self.mallory.send_data(transfer, content)
        self.mallory.send_done(transfer, content)
        return transfer

    def test_names_of_folders_that_are_offered(self):
        """As for files: attacks 29, 30, 35."""
        for name, called in ((b"../../x", "x"), (b".ssh", "ssh"), (b"/etc/", "file"), ("a\u202eb".encode(), "ab")):
            content = archive(member("f", b"1"))
            transfer = self.offered(content, name) if not getattr(self, "mallory", None) else self.named(content, name)
            self.mallory.wait_ack(transfer)
            self.assertTrue(os.path.isfile(os.path.join(self.into, called, "f")), called)
        self.assertEqual(sorted(os.listdir(self.into)), ["ab", "file", "ssh", "x"])

    def named(self, content, name):
        transfer = self.mallory.offer(name, len(content), form=1)
        theirs = self.bob.wait_file(lambda f: f["state"] == "waiting")["id"]
        self.bob.psst("accept", str(theirs), "-o", self.into)
        self.mallory.wait_file(transfer, wire.ACCEPT)
        self.mallory.send_data(transfer, content)
        self.mallory.send_done(transfer, content)
        return transfer

    def test_a_size_that_is_not_known(self):
        bob = self.person("bob")
        mallory = self.caller(bob)
        transfer = mallory.offer(b"gift", (1 << 64) - 1, form=1)
        self.assertEqual(mallory.wait_file(transfer, wire.DECLINE)["reason"], 2)
        mallory.ping()

    def test_refused_over_there(self):
        self.alice = alice = self.person("alice")
        mallory = self.caller(alice)
        alice.psst("send", "mallory", self.make("mine", {"x": b"x"}))
        transfer = mallory.expect(peer.FILE)[1:17]
        mallory.send_chunk(peer.FILE, wire.file_accept(transfer))
        mallory.wait_file(transfer, wire.DONE)
        mallory.send_chunk(peer.FILE, wire.file_cancel(transfer, 8))
        self.assertIn("what is in it was refused on the other side", self.end(alice, alice.files()[-1]["id"])["reason"])

    def test_what_is_sent_is_plain_tar(self):
        """Read by somebody else's program; and the same bytes from wherever it is wanted."""
        self.alice = alice = self.person("alice")
        mallory = self.caller(alice)
        root = self.make("mine", {"b/ü": b"two", "a": b"one", "n" * 120: b"three", "c": None})
        alice.psst("send", "mallory", root)
        data = mallory.expect(peer.FILE)
        _, transfer, offer = wire.file_read(data)
        self.assertEqual((offer["form"], offer["name"]), (1, b"mine"))
        def run(offset):
            mallory.send_chunk(peer.FILE, wire.file_accept(transfer, offset))
            content = b""
            while True:
                kind, _, fields = wire.file_read(mallory.expect(peer.FILE, where=lambda d: d[1:17] == transfer))
                if kind == wire.DONE:
                    return content, fields
                self.assertEqual((kind, fields["offset"]), (wire.DATA, offset + len(content)))
                content += fields["data"]
        whole, fields = run(0)
        self.assertEqual((len(whole), fields["size"]), (offer["size"], offer["size"]))
        self.assertEqual(fields["sha256"], hashlib.sha256(whole).digest())
        again, fields = run(1000)
        self.assertEqual((again, fields["sha256"]), (whole[1000:], hashlib.sha256(whole).digest()))
        mallory.send_chunk(peer.ACK, transfer)
        with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
            self.assertEqual([(m.name, m.isdir(), m.size, oct(m.mode), m.uid, m.uname) for m in tar],
                             [("a", False, 3, "0o644", 0, ""), ("b", True, 0, "0o755", 0, ""), ("b/ü", False, 3, "0o644", 0, ""),
                              ("c", True, 0, "0o755", 0, ""), ("n" * 120, False, 5, "0o644", 0, "")])
            self.assertEqual(tar.extractfile("b/ü").read(), b"two")
