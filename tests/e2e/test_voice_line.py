"""A short call on a line of our own (tests/voice/bridge.py): what is said is heard, and the line sees one size, whatever is
said. How late and how well is measured by bench/voice.py; nothing here asks for the time.
"""
import math
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "voice"))
import bridge
import call
import packets
import psst
import speech

STEP = 240  # samples of a step of the loudness: 5 ms


def loudness(pcm):
    return [math.sqrt(sum(x * x for x in pcm[i:i + STEP:4])) for i in range(0, len(pcm) - STEP, STEP)]


def likeness(said, heard, latest_s=2.0):
    """How alike the ups and downs of both are, wherever in `heard` that is the most."""
    mean = sum(said) / len(said)
    a = [x - mean for x in said]
    norm = math.sqrt(sum(x * x for x in a))
    best = 0.0
    for shift in range(0, min(int(latest_s * 200), len(heard) - len(said)) + 1):
        part = heard[shift:shift + len(said)]
        mean = sum(part) / len(part)
        other = math.sqrt(sum((x - mean) ** 2 for x in part))
        if other > 0:
            best = max(best, sum(x * (y - mean) for x, y in zip(a, part)) / (norm * other))
    return best


class VoiceLine(psst.E2E):
    def setUp(self):
        super().setUp()
        if not os.access(psst.program("psst-voice"), os.X_OK):
            self.skipTest("there is no psst-voice")

    def talk(self, profile, seconds=5.0):
        """Both say something of their own; the call, its sides and the line's log."""
        log = os.path.join(self.root, "packets.csv")
        line = bridge.Bridge(7, log)
        self.addCleanup(line.close)
        people = [self.person(who, host=line.ADDRESS[who], space=line.spaces[who]) for who in bridge.NAMES]
        self.introduce(*people)
        sides = []
        for number, person in enumerate(people):
            said = os.path.join(self.root, person.name + ".said.wav")
            speech.wav_write(said, speech.plain_speech(number, seconds))
            sides.append(call.Side(person, said, os.path.join(self.root, person.name + ".heard.wav")))
            self.addCleanup(sides[-1].close)
        people[0].psst("dial", "bob")
        people[1].wait_session("alice")
        line.set(profile)
        made = call.Call(*sides, dial=False)
        made.speaking()
        return made, sides, line, log

    def heard(self, mouth, ear, not_of):
        """That ear heard mouth, from beginning to end, and not somebody else."""
        came = loudness(speech.wav_read(ear.heard)[0])
        for begin, end in ((0.3, 2.0), (2.0, 3.7)):
            part = slice(int(begin * 200), int(end * 200))
            after = came[max(0, part.start - 200):]  # the two clocks may be a second apart
            right = likeness(loudness(speech.wav_read(mouth.said)[0])[part], after)
            wrong = likeness(loudness(speech.wav_read(not_of.said)[0])[part], after)
            print("%s heard %s from %.1f s: %.2f (somebody else: %.2f)" % (ear.person.name, mouth.person.name, begin, right, wrong))
            self.assertGreater(right, 0.65)
            self.assertGreater(right, wrong)

    def test_speech_comes_through__one_size_whatever_is_said(self):
        made, (alice, bob), line, log = self.talk(bridge.Profile(delay=0.01, jitter=0.02, loss=0.02))
        time.sleep(4.2)
        alice.set(send=False)
        time.sleep(0.5)
        made.hang_up()
        line.close()
        for who in bridge.NAMES:
            sizes = {size for _, size in packets.voice(packets.read(log), who)}
            self.assertEqual(len(sizes), 1, "to %s, speech, pauses and mute: %s" % (who, sizes))
            self.assertGreater(len(packets.voice(packets.read(log), who)), 100)
        self.heard(alice, bob, bob)
        self.heard(bob, alice, alice)

    def test_line_without_udp__tcp_carries_it(self):
        made, (alice, bob), line, log = self.talk(bridge.Profile(delay=0.01, udp=False, reorder=False))
        time.sleep(4.0)
        psst.wait_for("voice by TCP alone", lambda: bob.last("way") == "tcp")
        made.hang_up()
        self.heard(alice, bob, bob)


if __name__ == "__main__":
    unittest.main()
