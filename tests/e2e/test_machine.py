"""This machine: who may touch the socket, the files, a second daemon; kills and restarts."""
import json
import os
import socket
import subprocess
import unittest

import peer
from psst import E2E, alive, program, wait_for

NOBODY = 65534


class Machine(E2E):
    def test_a_second_daemon_names_the_first(self):
        """Attack 45."""
        alice = self.person("alice")
        second = subprocess.run([program("psstd")], env=alice.env, capture_output=True, timeout=20, check=False)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(str(alice.daemon.pid), second.stderr.decode())
        self.assertAlive(alice)

    def test_files_that_others_can_read_are_refused_with_the_chmod(self):
        """Attack 46."""
        for name in ("identity.pem", "config"):
            alice = self.person("alice" + name[0])
            alice.stop()
            os.chmod(alice.path(name), 0o644)
            process = subprocess.Popen([program("psstd")], env=alice.env, stderr=subprocess.PIPE,
                                       stdin=subprocess.DEVNULL)
            self.addCleanup(process.kill)
            try:
                err = process.communicate(timeout=3)[1].decode()
            except subprocess.TimeoutExpired:  # it may run, but not with that file
                err = alice.psst("unlock", expect=None).err
                process.terminate()
                err += process.communicate(timeout=10)[1].decode()
            self.assertRegex(err, r"chmod (600|0600|go-rwx|go=) .*" + name.replace(".", r"\."))
            os.chmod(alice.path(name), 0o600)
            alice.start()
            alice.psst("contacts")

    def test_a_socket_directory_that_is_a_link_or_open_is_refused(self):
        """Attack 43."""
        alice = self.person("alice")
        alice.stop()
        run = alice.path("run")
        subprocess.run(["rm", "-rf", run], check=True)
        elsewhere = os.path.join(self.root, "elsewhere")
        os.mkdir(elsewhere, 0o700)
        os.symlink(elsewhere, run)
        for what in ("a link", "open to others"):
            started = subprocess.run([program("psstd")], env=alice.env, capture_output=True, timeout=10, check=False)
            self.assertNotEqual(started.returncode, 0, what)
            self.assertIn(b"run", started.stderr, what)
            self.assertEqual(os.listdir(elsewhere), [])
            if os.path.islink(run):
                os.unlink(run)
            os.makedirs(run, exist_ok=True)
            os.chmod(run, 0o777)
        os.chmod(run, 0o700)
        alice.start()

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to be somebody else")
    def test_another_uid_is_refused(self):
        """Attack 43."""
        alice = self.person("alice")
        for path in (alice.home, alice.path("run")):
            os.chmod(path, 0o755)
        os.chmod(alice.path("run", "psst.sock"), 0o777)  # as if the directory had not protected it
        self.assertIn(b"pid", self.ask(alice))
        other = self.ask(alice, NOBODY)
        self.assertNotIn(b"pid", other)
        self.assertAlive(alice)

    def ask(self, person, uid=None):
        """What the control socket answers to status, asked by a child with that uid."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            answer = b"refused"
            try:
                if uid is not None:
                    os.setgroups([])
                    os.setresgid(uid, uid, uid)
                    os.setresuid(uid, uid, uid)
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.settimeout(5)
                    sock.connect(person.path("run", "psst.sock"))
                    sock.sendall(b'{"jsonrpc":"2.0","id":1,"method":"status","params":{}}\n')
                    answer = sock.recv(65536)
            except OSError as error:
                answer = str(error).encode()
            finally:
                os.write(writing, answer or b"closed")
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as file:
            answer = file.read()
        os.waitpid(child, 0)
        return answer

    def test_what_psstd_has_started_is_no_user_interface(self):
        """psst-voice can reach the socket and may have been taken over; here a passphrase_command stands for it."""
        alice = self.person("alice", init=False)
        alice.init("--passphrase-file", alice.write("right", "sesame"))
        said = alice.path("said")
        asks = alice.write("asks.py", "import socket, sys\n"
                           "with socket.socket(socket.AF_UNIX) as sock:\n"
                           "    sock.settimeout(5)\n"
                           "    sock.connect(sys.argv[1])\n"
                           "    try:\n"
                           "        sock.sendall(b'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":{}}\\n')\n"
                           "        answer = sock.recv(65536)\n"
                           "    except OSError:\n"
                           "        answer = b''\n"
                           "open(sys.argv[2], 'wb').write(answer)\n"
                           "print('sesame')\n")
        alice.psst("set", "passphrase_command", "exec python3 %s %s %s" % (asks, alice.path("run", "psst.sock"), said))
        alice.restart()
        wait_for("unlocked by itself", lambda: not alice.status()["identity"]["locked"])
        with open(said, "rb") as file:
            self.assertEqual(file.read(), b"")
        self.assertIn(b"pid", self.ask(alice))

    def test_user_interfaces_that_rave_stall_or_die(self):
        """Attack 44."""
        alice, bob = self.pair()
        lines = [b"hello\n", b"{}\n", b"[]\n", b"null\n", b'{"jsonrpc":"2.0","id":1}\n',
                 b'{"jsonrpc":"2.0","id":{},"method":"status"}\n',
                 b"[" * 5000 + b"\n", b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"\n", b"\xff\xfe\x00\n",
                 b'{"jsonrpc":"2.0","id":1,"method":"nothing","params":{}}\n',
                 b'{"jsonrpc":"2.0","id":1,"method":"say","params":{"name":[],"text":7}}\n',
                 b'{"jsonrpc":"2.0","id":1,"method":"unlock","params":{"passphrase":true,"fds":1}}\n',
                 b'{"jsonrpc":"2.0","id":1,"method":"say","params":{"text":"' + b"x" * (2 << 20) + b'"}}\n']
        for line in lines:
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(10)
            sock.connect(alice.path("run", "psst.sock"))
            try:
                sock.sendall(line)
                sock.recv(65536)
            except OSError:
                pass
            sock.close()
            self.assertAlive(alice)
        staller = alice.control()  # subscribes, and never reads again
        staller.call("subscribe")
        request = json.dumps({"jsonrpc": "2.0", "id": 9, "method": "status", "params": {}}) + "\n"
        try:
            staller.sock.sendall(request.encode() * 20000)
        except OSError:
            pass  # dropped, as it may be
        half = alice.control()
        half.sock.sendall(b'{"jsonrpc":"2.0","id":1,"meth')
        alice.psst("say", "bob", "--wait", "10", "still here")
        staller.sock.close()
        half.sock.close()
        self.assertAlive(alice)

    def test_every_method_with_params_that_are_wrong(self):
        """Attack 44: an error for each, and never more than one answer."""
        alice, bob = self.pair()
        methods = ["hello", "status", "init", "unlock", "lock", "passwd", "settings", "set", "card", "inspect", "add",
                   "contacts",
                   "contact.remove", "contact.block", "contact.unblock", "contact.pause", "contact.unpause",
                   "contact.rename", "contact.address", "contact.history",
                   "safety", "contact.verified", "dial", "hangup", "say", "log", "shown", "send", "files",
                   "file.accept",
                   "file.decline", "subscribe", "no.such"]
        harmless = {"hello", "status", "settings", "lock", "unlock", "passwd", "contacts", "files", "card", "subscribe",
                    "log",
                    "contact.verified"}  # may well say yes
        takes_a_name_alone = {"contact.remove", "contact.block", "contact.unblock", "contact.pause", "contact.unpause",
                              "hangup", "safety", "dial", "shown"}
        wrong = [{}, {"name": "nobody"}, {"name": 7}, {"name": None}, {"name": "x" * 70000},
                 {"name": "bob", "new": 3, "text": [], "path": 1, "addresses": "no", "keep": "maybe", "seq": -1,
                  "limit": 1e9, "verified": "yes", "address": {}},
                 {"name": "bob", "text": "", "path": "relative", "new": "", "addresses": ["x" * 300]},
                 {"id": -1}, {"id": "1"}, {"id": 1 << 62, "dir": "rel"}, {"key": "nonsense", "value": "x"},
                 {"key": "listen", "value": "x"}, {"card": 1}, {"card": "x", "alias": 5}, {"for": "nobody"}, {"for": 1},
                 {"addresses": [1]}, {"events": "message"}, {"events": [1, "x"]}, {"version": "x"},
                 {"passphrase": True}, {"fds": 3}, {"fds": -1}, {"fds": "x"}, {"bits": 5, "name": "A", "passphrase": False}]
        for method in methods:
            for params in wrong:
                if params.get("name") == "bob" and method in takes_a_name_alone:
                    continue
                with alice.control() as control:
                    try:
                        answer = control.ask(method, **params)
                        if method not in harmless:
                            self.assertIn("error", answer, (method, params))
                            self.assertGreater(len(answer["error"]["message"]), 5)
                    except (peer.Closed, OSError):
                        self.assertTrue("fds" in params or "passphrase" in params, (method, params))
            self.assertTrue(alive(alice.daemon.pid), method + "\n" + alice.log()[-3000:])
            if method == "lock":
                alice.psst("unlock")
        self.assertAlive(alice)
        alice.psst("say", "bob", "--wait", "10", "still here")

    def test_kill_9_of_psst_key(self):
        """Attack 55, lightly."""
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        key_pid = alice.key_pid()
        self.assertIsNotNone(key_pid)
        os.kill(key_pid, 9)
        wait_for("psst-key to be gone", lambda: not alive(key_pid))
        self.assertAlive(alice)
        wait_for("psst-key again", lambda: alice.key_pid() not in (None, key_pid))
        wait_for("unlocked again", lambda: not alice.status()["identity"]["locked"])
        alice.psst("say", "bob", "--wait", "15", "after the kill")
        bob.psst("hangup", "alice")
        bob.psst("dial", "alice")

    def test_kill_9_of_psstd_loses_nothing(self):
        """Attack 55, lightly."""
        alice, bob = self.pair()
        alice.psst("dial", "bob")
        for i in range(3):
            with alice.control() as control:
                for j in range(10):
                    control.call("say", name="bob", text="%d.%d" % (i, j))
            victim = (alice, bob)[i % 2]
            victim.kill()
            victim.start()
            wait_for("unlocked", lambda: not victim.status()["identity"]["locked"])
            alice.psst("dial", "bob")
        wanted = ["%d.%d" % (i, j) for i in range(3) for j in range(10)]
        wait_for("all of them", lambda: len(bob.texts("alice")) >= len(wanted), 20)
        self.assertEqual(bob.texts("alice"), wanted, "each once, in order")

    def test_a_store_that_is_damaged_is_never_recreated(self):
        """Attack 47, lightly."""
        alice, bob = self.pair()
        alice.psst("say", "bob", "kept")
        alice.stop()
        path = alice.path("store.db")
        with open(path, "r+b") as file:
            file.write(os.urandom(4096))
        damaged = open(path, "rb").read()
        alice.start(opens=False)
        wait_for("the log to say so", lambda: "damaged" in alice.log())
        self.assertNotEqual(alice.psst("contacts", expect=None).code, 0)
        self.assertAlive(alice)
        alice.stop()
        self.assertEqual(open(path, "rb").read(), damaged)

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to mount a small tmpfs")
    def test_the_disk_is_full(self):
        """Attacks 28, 48: others leave a reserve; what is not saved is neither acknowledged nor said to be."""
        bob = self.person("bob", init=False, start=False)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m,mode=700", "tmpfs", bob.home],
                                 capture_output=True,
                                 check=False)
        if mounted.returncode != 0:
            self.skipTest("no mounting here: " + mounted.stderr.decode().strip())
        self.addCleanup(subprocess.run, ["umount", "-l", bob.home], check=False)
        bob.write("config", "listen = %s\n" % bob.listen)
        bob.start().init()
        mallory = self.caller(bob)
        mallory.wait_ack(mallory.say("there is room"))
        bob.write("filler", bytes(24 << 20))
        refused = mallory.say("under the reserve")
        self.assertEqual(mallory.wait_not_accepted(refused), 3)
        bob.psst("say", "mallory", "one's own still goes")
        self.assertEqual(mallory.hear()[2], "one's own still goes")
        with self.assertRaises(OSError):
            with open(bob.path("filler2"), "wb", buffering=0) as file:
                while True:
                    file.write(bytes(65536))
        failed = 0
        for i in range(20):  # some pages may still be free inside the store
            got = bob.psst("say", "mallory", "z" * 60000, expect=None)
            if got.code != 0:
                failed += 1
                self.assertRegex(got.err, "not saved|full|disk")
        self.assertGreater(failed, 0)
        self.assertAlive(bob)
        os.unlink(bob.path("filler"))
        os.unlink(bob.path("filler2"))
        mallory.pump(1)
        mallory.wait_ack(mallory.say("under the reserve", refused))
        bob.psst("say", "mallory", "room again")
        while mallory.hear(60)[2] != "room again":  # a mark that found no room makes what stands before it come again, after 30 s
            continue
        self.assertEqual(bob.texts("mallory", "in"), ["there is room", "under the reserve"])

    def test_logs_never_hold_text(self):
        alice, bob = self.pair()
        alice.psst("say", "bob", "--wait", "10", "a most secret sentence")
        alice.stop()
        bob.stop()
        self.assertNotIn("most secret", alice.log() + bob.log())
        for person in (alice, bob):
            for top, _, files in os.walk(person.home):
                for name in files:
                    with open(os.path.join(top, name), "rb") as file:
                        self.assertNotIn(b"most secret", file.read(), name)


if __name__ == "__main__":
    unittest.main()
