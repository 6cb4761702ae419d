"""Whoever has proved nothing: silence, the void, bounded places, no leak."""
import itertools
import os
import resource
import socket
import ssl
import threading
import time
import unittest

import peer
import wire
from psst import E2E, REFUSED, PATIENCE, key, wait_for

SOURCES = ("127.0.%d.%d" % (i // 250 + 1, i % 250 + 1) for i in itertools.count())


def tls_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="example.org").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def good_m1(callee, ea=None, day=0):
    """An M1 whose MAC is right; with ea, that X25519 point in it."""
    ea = ea or wire.x25519_public(os.urandom(32))
    xa, _ = wire.encapsulate(callee, wire.Draw())
    return ea + xa + wire.m1_mac(callee, peer.today(day), ea, xa)


def fds(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def rss_kib(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmRSS:")).split()[1])


class Visitor(threading.Thread):
    """Connects from an address of its own, does something, and notes what came back and how and when it ended."""

    def __init__(self, address, first=b"", drip=b"", before=None):
        super().__init__(daemon=True)
        self.address, self.first, self.drip, self.before = address, first, drip, before
        self.got, self.end, self.seconds, self.error = b"", None, None, None
        self.source = next(SOURCES)

    def run(self):
        try:
            began = time.monotonic()
            if self.before:
                sock = self.before(self.source)
            else:
                sock = socket.create_connection(self.address, 10, (self.source, 0))
            sock.settimeout(60)
            if self.first:
                sock.sendall(self.first)
            if self.drip:
                threading.Thread(target=self._drip, args=(sock,), daemon=True).start()
            try:
                while True:
                    got = sock.recv(65536)
                    if not got:
                        self.end = "end of stream"
                        break
                    self.got += got
            except ConnectionResetError:
                self.end = "reset"
            self.seconds = time.monotonic() - began
            sock.close()
        except Exception as error:  # shown by the test
            self.error = error

    def _drip(self, sock):
        try:
            for byte in self.drip:
                sock.sendall(bytes([byte]))
                time.sleep(0.3)
        except OSError:
            pass


class Void(E2E):
    def test_every_failure_is_the_same_silence(self):
        """Attacks 1, 2, 8, 11, 12, 17: zero bytes back, an orderly end 20 to 40 s after connecting."""
        bob = self.person("bob")
        friend, stranger, blocked = key("a2048"), key("stranger2048"), key("a1024")
        bob.befriend(friend, "friend")
        bob.befriend(blocked, "blocked")
        bob.psst("block", "blocked")
        once = peer.Peer.call(bob.address, friend, bob.public)
        once.wait_ack(once.say("recorded"))
        recording = bytes(once.sent)
        once.bye()
        carol = self.person("carol", init=False)  # a locked daemon is as silent
        carol.init("--passphrase-file", carol.write("pass", "sesame"))
        carol.restart()

        def unknown(who, m5):
            """All of a handshake that somebody who is no contact can do; then a made-up M5."""
            def begin(source):
                visitor = peer.Peer(socket.create_connection(bob.address, 10, (source, 0)))
                hs = wire.Caller(who, bob.public, peer.today())
                visitor.send_raw(hs.write_m1())
                hs.read_m2(visitor.read_exact(wire.M2_LEN))
                visitor.send_raw(hs.write_m3())
                visitor.read_exact(wire.M4_LEN)  # M4 comes, a decoy
                if m5:
                    visitor.send_raw(os.urandom(wire.M5_LEN))
                return visitor.sock
            return begin

        def forged_callee(source):
            """M3 with bob's own fingerprint."""
            visitor = peer.Peer(socket.create_connection(bob.address, 10, (source, 0)))
            hs = wire.Caller(friend, bob.public, peer.today())
            visitor.send_raw(hs.write_m1())
            hs.read_m2(visitor.read_exact(wire.M2_LEN))
            visitor.send_raw(wire.seal(hs.key_m3, 0, hs.h3, bob.public.fpr + wire.features_pad(b"", 224)))
            visitor.read_exact(wire.M4_LEN)
            visitor.send_raw(bytes(wire.M5_LEN))
            return visitor.sock

        http = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
        point = bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
        m1 = good_m1(bob.public)
        m3_flipped = lambda source: peer.Peer.call(bob.address, friend, bob.public, stop_after="M3", source=source,
                                                   mangle={"M3": lambda m: peer.flip(m, 2000)}).sock
        silent = {
            "random": Visitor(bob.address, os.urandom(592)),
            "a lot of random": Visitor(bob.address, os.urandom(200000)),
            "HTTP": Visitor(bob.address, http),
            "HTTP, then more": Visitor(bob.address, http, drip=http),
            "TLS": Visitor(bob.address, tls_hello()),
            "silence": Visitor(bob.address),
            "slow drip of a good M1": Visitor(bob.address, m1[:400], drip=m1[400:]),
            "half an M1": Visitor(bob.address, m1[:591]),
            "wrong MAC": Visitor(bob.address, peer.flip(good_m1(bob.public), 591 * 8)),
            "two days off": Visitor(bob.address, good_m1(bob.public, day=-2)),
            "for another": Visitor(bob.address, good_m1(stranger)),
            "small order": Visitor(bob.address, good_m1(bob.public, ea=point)),
            "replayed M1": Visitor(bob.address, recording[:592]),
            "replayed session": Visitor(bob.address, recording),
            "M1 and more at once": Visitor(bob.address, good_m1(bob.public) + os.urandom(272)),
            "locked": Visitor(carol.address, os.urandom(592)),
            "locked, a good M1": Visitor(carol.address, good_m1(carol.public)),
        }
        answered = {
            "M3 flipped": Visitor(bob.address, before=m3_flipped),
            "unknown": Visitor(bob.address, before=unknown(stranger, True)),
            "unknown, waits": Visitor(bob.address, before=unknown(stranger, False)),
            "blocked": Visitor(bob.address, before=unknown(blocked, True)),
            "bob himself": Visitor(bob.address, before=forged_callee),
        }
        everybody = {**silent, **answered}
        for visitor in everybody.values():
            visitor.start()
        bob.psst("status")
        with peer.Peer.call(bob.address, friend, bob.public) as meanwhile:
            meanwhile.wait_ack(meanwhile.say("a contact gets in"))
            meanwhile.bye()
        for visitor in everybody.values():
            visitor.join(70)
        for what, visitor in everybody.items():
            with self.subTest(what):
                self.assertIsNone(visitor.error)
                self.assertEqual((visitor.got, visitor.end), (b"", "end of stream"))
                self.assertGreater(visitor.seconds, 19.5)
                self.assertLess(visitor.seconds, 42 * PATIENCE)
        seconds = [v.seconds for v in everybody.values() if v.seconds is not None]
        self.assertGreater(max(seconds) - min(seconds), 3, "at random moments")
        counters = bob.status()["counters"]
        for name in ("callers-unknown", "callers-blocked", "first-messages-replayed", "handshakes-failed"):
            self.assertGreater(counters.get(name, 0), 0, name)
        self.assertAlive(carol)
        self.assertNotIn("blocked", bob.log().lower().replace("callers-blocked", ""), "nothing is logged by name")


class Doors(E2E):
    def test_the_refused_get_all_five_messages_sizes(self):
        """Attack 12: M4 is sent for contacts and for strangers."""
        bob = self.person("bob")
        friend, stranger = key("a2048"), key("stranger2048")
        bob.befriend(friend, "friend")
        peer.Peer.call(bob.address, friend, bob.public).close()
        with self.assertRaises(wire.Refused):
            peer.Peer.call(bob.address, stranger, bob.public)
        wait_for("the counter", lambda: bob.counter("callers-unknown") == 1)
        self.assertEqual(bob.contacts()[0]["name"], "friend")

    def test_replay_is_remembered_over_a_restart(self):
        """Attack 8."""
        bob = self.person("bob")
        friend = key("a2048")
        bob.befriend(friend, "friend")
        once = peer.Peer.call(bob.address, friend, bob.public)
        once.wait_ack(once.say("once"))
        recording = bytes(once.sent)
        once.bye()
        for _ in range(2):
            sock = socket.create_connection(bob.address, 10)
            self.addCleanup(sock.close)
            sock.sendall(recording)
            sock.settimeout(1.5)
            with self.assertRaises(TimeoutError):
                sock.recv(1)
            bob.restart()
        self.assertEqual(bob.texts("friend"), ["once"])

    def test_a_day_off_is_let_in_and_two_are_not(self):
        """Attack 50."""
        bob = self.person("bob")
        friend = key("a2048")
        bob.befriend(friend, "friend")
        for day in (-1, 0, 1):
            with peer.Peer.call(bob.address, friend, bob.public, day=peer.today(day)) as mallory:
                mallory.wait_ack(mallory.say("day %d" % day))
                mallory.bye()
        for day in (-2, 2, 3650):
            with self.assertRaises(TimeoutError):
                peer.Peer.call(bob.address, friend, bob.public, day=peer.today(day), timeout=1.5)

    def test_one_source_takes_all_places(self):
        """Attack 4: contacts behind the same address still get in."""
        bob = self.person("bob")
        friend = key("a2048")
        bob.befriend(friend, "friend")
        squatters = [socket.create_connection(bob.address, 10) for _ in range(30)]
        for sock in squatters:
            self.addCleanup(sock.close)
        with peer.Peer.call(bob.address, friend, bob.public) as mallory:
            mallory.wait_ack(mallory.say("in"))
        waiting = sum(not self.ended(sock) for sock in squatters)
        self.assertLessEqual(waiting, 4)

    def ended(self, sock):
        sock.settimeout(0.05)
        try:
            return not sock.recv(1)
        except TimeoutError:
            return False
        except OSError:
            return True

    def test_all_places_are_taken(self):
        """Attacks 3 and 4: 64 in all; who shows a good M1 still gets in."""
        bob = self.person("bob")
        friend = key("a2048")
        bob.befriend(friend, "friend")
        squatters = []
        for _ in range(100):
            squatters.append(socket.create_connection(bob.address, 10, (next(SOURCES), 0)))
            self.addCleanup(squatters[-1].close)
        with peer.Peer.call(bob.address, friend, bob.public) as mallory:
            mallory.wait_ack(mallory.say("in"))
        self.assertLessEqual(sum(not self.ended(sock) for sock in squatters), 64)

    def test_a_storm_of_connections_leaks_nothing(self):
        """Attacks 3, 5, 6."""
        bob = self.person("bob")
        friend = key("a2048")
        bob.befriend(friend, "friend")
        with peer.Peer.call(bob.address, friend, bob.public) as mallory:
            mallory.wait_ack(mallory.say("before"))
            before, memory = fds(bob.daemon.pid), rss_kib(bob.daemon.pid)
            for i in range(3000):
                try:  # a reset in the middle of a connect is a part of the storm
                    sock = socket.create_connection(bob.address, 10, (next(SOURCES) if i % 3 else "127.0.0.1", 0))
                    if i % 4 == 0:
                        sock.sendall(b"x" * 592)
                    peer.reset(sock) if i % 2 else sock.close()
                except OSError:
                    pass
            mallory.wait_ack(mallory.say("during"), 20)
            self.assertGreater(bob.counter("connections"), 2000)
            self.assertLess(fds(bob.daemon.pid), before + 64 + 256 + 16, "bounded")
            wait_for("the waiting to be gone", lambda: fds(bob.daemon.pid) <= before + 256 + 4, 30)
            self.assertLess(rss_kib(bob.daemon.pid), memory + (8 << 10) * (8 if PATIENCE > 1 else 1))
        self.assertAlive(bob)

    def test_valid_first_messages_in_a_flood(self):
        """Attack 6: a former contact holds our public key."""
        bob = self.person("bob")
        friend = key("a2048")
        bob.befriend(friend, "friend")
        messages = [good_m1(bob.public) for _ in range(60)]
        for m1 in messages:
            with socket.create_connection(bob.address, 10, ("127.0.9.9", 0)) as sock:
                sock.sendall(m1)
                sock.settimeout(0.1 * PATIENCE)
                try:
                    sock.recv(48)
                except OSError:
                    pass
        wait_for("some to be dropped", lambda: bob.counter("first-messages-too-many") > 10)
        with peer.Peer.call(bob.address, friend, bob.public) as mallory:
            mallory.wait_ack(mallory.say("from elsewhere"))

    def test_descriptors_exhausted(self):
        """Attack 7: no spinning accept; it goes on once there are some again."""
        bob = self.person("bob")
        friend = key("a2048")
        bob.befriend(friend, "friend")
        pid = bob.daemon.pid
        with peer.Peer.call(bob.address, friend, bob.public) as mallory:
            mallory.wait_ack(mallory.say("before"))
            old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (fds(pid) + 3, old[1]))
            socks = []
            for _ in range(40):
                sock = socket.socket()
                sock.bind((next(SOURCES), 0))
                sock.settimeout(2)
                try:
                    sock.connect(bob.address)
                except OSError:
                    pass
                socks.append(sock)
            before = self.cpu(pid)
            time.sleep(2)
            self.assertLess(self.cpu(pid) - before, 1.0, "it does not spin")
            mallory.wait_ack(mallory.say("the session lives"))
            for sock in socks:
                sock.close()
            resource.prlimit(pid, resource.RLIMIT_NOFILE, old)
        wait_for("a contact to get in", lambda: self.calls(bob, friend), 20)
        self.assertGreater(bob.counter("descriptors-exhausted"), 0)
        self.assertAlive(bob)

    def calls(self, bob, friend):
        try:
            with peer.Peer.call(bob.address, friend, bob.public, timeout=2) as mallory:
                mallory.wait_ack(mallory.say("after"))
                return True
        except (OSError, peer.Closed, wire.Refused):
            return False

    def cpu(self, pid):
        with open("/proc/%d/stat" % pid, encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_locked_is_silent_too(self):
        bob = self.person("bob", init=False)
        bob.init("--passphrase-file", bob.write("pass", "sesame"))
        friend = key("a2048")
        bob.befriend(friend, "friend")
        bob.psst("lock")
        with self.assertRaises(TimeoutError):
            peer.Peer.call(bob.address, friend, bob.public, timeout=1.5)
        bob.psst("unlock", "--passphrase-file", bob.path("pass"))
        peer.Peer.call(bob.address, friend, bob.public).close()


class Callees(E2E):
    """What alice is told about the far end that she dials."""

    def dial(self, behave, expect):
        alice = self.person("alice")
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        alice.befriend(key("b2048"), "bob", server.getsockname())
        dialling = alice.spawn("dial", "bob")
        server.settimeout(10)
        conn, _ = server.accept()
        self.addCleanup(conn.close)
        behave(conn)
        got = alice.finish(dialling, ("dial",), expect=expect)
        self.assertGreater(len(got.err), 20)
        self.assertAlive(alice)
        return got.err

    def test_garbage_silence_and_an_early_end(self):
        self.dial(lambda conn: conn.sendall(os.urandom(48)), 5)

    def test_an_end_at_once(self):
        self.dial(lambda conn: conn.close(), 5)

    def test_silence_for_ten_seconds(self):
        self.assertIn("no answer", self.dial(lambda conn: None, 5).lower())

    def test_a_callee_that_has_not_added_us(self):
        me = key("b2048")

        def decoy(conn):
            with self.assertRaises(peer.Closed):
                peer.Peer.answer(conn, me, {})
        self.dial(decoy, REFUSED)


if __name__ == "__main__":
    unittest.main()
