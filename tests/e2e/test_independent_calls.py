"""peer.py, written from docs/PROTOCOL.md alone, calls psstd and is called by it: voice by UDP, by TCP, over a rekey; and both call at
once over two sessions."""
import os
import time
import unittest

import peer
import wire_voice
from psst import BIN, E2E, VECTORS, key

QUIET = "microphone = null\nspeaker = null\necho = off\nclean = no\n"
SILENCE = b"\xf8\xff\xfe"  # 20 ms of Opus that hold nothing


class CallsWithPeer(E2E):
    def someone(self):
        bob = self.person("bob", start=False, init=False)
        with open(bob.path("config"), "a", encoding="utf-8") as file:
            file.write(QUIET)
        bob.start()
        bob.init()
        control = bob.control()
        self.addCleanup(control.sock.close)
        control.call("subscribe", events=["call"])
        return bob, control

    def state(self, control, state):
        return control.event("call", lambda c: c["state"] == state)

    def converse(self, mallory, seconds, by="udp", flags=0, start=0):
        """A frame every 20 ms; what came meanwhile, by UDP and by TCP: [(timestamp, flags, opus)]."""
        udp, tcp = [], []
        began = time.monotonic()
        for i in range(int(seconds * 50)):
            mallory.speak(start + 960 * i, SILENCE, by, flags)
            while time.monotonic() < began + 0.02 * (i + 1):
                try:
                    udp.append(mallory.listen(0.002))
                except (TimeoutError, OSError):
                    pass
                try:
                    tcp.append(mallory.listen(0.001, by="tcp"))
                except (TimeoutError, OSError):
                    pass
        return udp, tcp

    def accepted(self, mallory, control, size=100):
        """A call of mallory's that bob has answered."""
        mallory.call_offer(size)
        self.state(control, "offered")
        mallory.call_wait(wire_voice.RING)
        self.assertEqual(control.call("answer")["state"], "active")
        mallory.call_wait(wire_voice.ACCEPT)


@unittest.skipUnless(os.path.exists(os.path.join(BIN, "psst-voice")), "there is no psst-voice")
class IndependentCalls(CallsWithPeer):
    def test_as_caller(self):
        bob, control = self.someone()
        mallory = self.caller(bob)
        self.accepted(mallory, control)
        udp, tcp = self.converse(mallory, 1.0)
        self.assertGreater(len(udp), 20)  # to where our datagrams came from
        self.assertTrue(all(len(opus) <= 93 for _, _, opus in udp))
        steps = {b[0] - a[0] for a, b in zip(udp, udp[1:])}
        self.assertEqual({s % 960 for s in steps}, {0})
        self.assertTrue(udp[-1][1] & wire_voice.UDP_ARRIVES)
        udp, tcp = self.converse(mallory, 1.0, flags=wire_voice.UDP_ARRIVES, start=960 * 50)
        self.assertGreater(len(udp), 20)
        self.assertLess(len(tcp), 10)  # it has heard that its datagrams arrive
        mallory.rekey()
        udp, _ = self.converse(mallory, 0.5, flags=wire_voice.UDP_ARRIVES, start=960 * 100)
        self.assertGreater(len(udp), 10)
        self.assertEqual(len(mallory.voice.epochs), 2)
        control.call("call.hangup")
        self.assertEqual(mallory.call_wait(wire_voice.HANG_UP), {"reason": 1})
        self.accepted(mallory, control)  # counters go on
        self.assertGreater(len(self.converse(mallory, 0.5)[0]), 10)
        mallory.call_hang_up()
        self.assertEqual(self.state(control, "ended")["result"], "ended")

    def test_by_tcp_alone(self):
        bob, control = self.someone()
        mallory = self.caller(bob)
        self.accepted(mallory, control)
        udp, tcp = self.converse(mallory, 1.0, by="tcp")
        self.assertEqual(udp, [])  # who was called learns the port from the first datagram
        self.assertGreater(len(tcp), 20)
        self.assertFalse(any(flags & wire_voice.UDP_ARRIVES for _, flags, _ in tcp))
        mallory.call_hang_up()
        self.assertEqual(self.state(control, "ended")["result"], "ended")

    def test_as_callee(self):
        bob, control = self.someone()
        mallory = self.callee(bob)
        mallory.open_udp()
        self.assertEqual(control.call("call", name="mallory")["state"], "calling")
        offer = mallory.call_wait(wire_voice.OFFER)
        mallory.call_ring()
        self.state(control, "ringing")
        mallory.call_accept()
        self.state(control, "active")
        udp, _ = self.converse(mallory, 0.5)
        self.assertGreater(len(udp), 10)  # to the port that was dialled
        self.assertTrue(all(len(opus) <= offer["frame_size"] - 7 for _, _, opus in udp))
        mallory.bye()
        self.assertEqual(self.state(control, "ended")["result"], "cut off")

    def test_an_accept_that_nobody_asked_for_opens_nothing(self):
        bob, control = self.someone()
        mallory = self.caller(bob)
        mallory.voice.frame_size, mallory.voice.their_id = 100, 1
        mallory.call_accept()
        udp, tcp = self.converse(mallory, 0.5)
        self.assertEqual((udp, tcp), ([], []))
        self.assertIsNone(bob.status()["call"])
        mallory.ping()


@unittest.skipUnless(os.path.exists(os.path.join(BIN, "psst-voice")), "there is no psst-voice")
class BothCall(CallsWithPeer):
    """Each over the session that was his newest. It is mallory who cuts down to one, having the smaller fingerprint."""

    def two_sessions(self):
        bob, control = self.someone()
        names = sorted(n[:-4] for n in os.listdir(os.path.join(VECTORS, "keys")) if not n.endswith(".pub.pem"))
        smaller = [name for name in names if key(name).fpr < bob.public.fpr]
        if not smaller:
            self.skipTest("bob's fingerprint is the smallest of all")
        older = self.caller(bob, min(smaller, key=lambda name: key(name).nlen))

        def another():
            newer = peer.Peer.call(bob.address, older.me, bob.public)
            self.addCleanup(newer.close)
            return newer
        return bob, control, older, another

    def talks(self, bob, control, mallory):
        self.state(control, "active")
        self.assertGreater(len(self.converse(mallory, 0.5)[0]), 10)
        self.assertEqual([row["result"] for row in control.call("calls")["calls"]], [""])  # one call, and nothing was missed
        control.call("call.hangup")
        self.assertEqual(mallory.call_wait(wire_voice.HANG_UP), {"reason": 1})

    def test_over_the_newer_one_it_is_a_call_at_once(self):
        bob, control, older, another = self.two_sessions()
        control.call("call", name="mallory")
        older.call_wait(wire_voice.OFFER)
        newer = another()
        newer.call_offer()
        newer.call_wait(wire_voice.ACCEPT)
        self.assertEqual(older.call_wait(wire_voice.HANG_UP), {"reason": 1})
        older.bye()
        self.talks(bob, control, newer)

    def test_over_the_older_one_it_waits_for_the_newer_to_give_way(self):
        bob, control, older, another = self.two_sessions()
        newer = another()
        control.call("call", name="mallory")
        newer.call_wait(wire_voice.OFFER)
        older.call_offer()
        older.ping()
        self.assertEqual(bob.status()["call"]["state"], "calling")
        newer.bye()
        older.call_wait(wire_voice.ACCEPT)
        self.talks(bob, control, older)

    def test_over_a_session_that_a_newer_one_replaces_it_goes_on(self):
        """Mallory has not called: the call goes on over the newer one, as if it had been made there."""
        bob, control, older, another = self.two_sessions()
        control.call("call", name="mallory")
        older.call_wait(wire_voice.OFFER)
        newer = another()
        newer.ping()  # it stands over there, too
        older.bye()
        newer.call_wait(wire_voice.OFFER)
        newer.call_ring()
        newer.call_accept()
        self.talks(bob, control, newer)


if __name__ == "__main__":
    unittest.main()
