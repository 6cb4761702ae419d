#!/usr/bin/env python3
"""The metrics of voice against what is known of them; speech from speech.plain_speech, so that no synthesiser is needed.

Needs numpy; exits with 77 (skipped) without.
"""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
try:
    import numpy
except ImportError:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):  # Debian's own has Debian's packages
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print("numpy is not installed")
    sys.exit(77)
import bridge  # noqa: E402
import delay  # noqa: E402
import packets  # noqa: E402
import speech  # noqa: E402
import stoi  # noqa: E402
import wer  # noqa: E402

SAID = numpy.asarray(speech.plain_speech(1, 4), dtype=float) / 32768


def noisy(db, seed=1):
    noise = numpy.random.default_rng(seed).standard_normal(len(SAID))
    return SAID + noise * numpy.sqrt((SAID ** 2).mean() / (noise ** 2).mean()) * 10 ** (-db / 20)


class Stoi(unittest.TestCase):
    def test_is_one__what_is_the_same_or_louder(self):
        self.assertAlmostEqual(stoi.stoi(SAID, SAID), 1, 6)
        self.assertAlmostEqual(stoi.stoi(SAID, 0.2 * SAID), 1, 6)

    def test_falls__with_noise(self):
        values = [stoi.stoi(SAID, noisy(db)) for db in (30, 15, 5, 0, -25)]
        self.assertEqual(values, sorted(values, reverse=True))
        self.assertGreater(values[0], 0.95)
        self.assertLess(values[-1], 0.5)

    def test_is_low__what_has_nothing_to_do_with_it(self):
        other = numpy.asarray(speech.plain_speech(2, 4), dtype=float)
        self.assertLess(stoi.stoi(SAID, other), 0.4)
        self.assertLess(stoi.stoi(SAID, numpy.zeros(len(SAID))), 0.1)

    def test_falls__when_it_is_out_of_place(self):
        values = [stoi.stoi(SAID, numpy.roll(SAID, int(ms * 48))) for ms in (0, 10, 40, 100)]
        self.assertEqual(values, sorted(values, reverse=True))

    def test_falls__with_holes(self):
        holed = SAID.copy()
        for start in range(0, len(holed), 4800):
            holed[start:start + 960] = 0
        self.assertLess(stoi.stoi(SAID, holed), 0.98)


class Delay(unittest.TestCase):
    def heard(self, samples):
        return numpy.concatenate([numpy.zeros(samples), noisy(20)])

    def test_is_found__to_a_sample_of_16_khz(self):
        for samples in (0, 960, 4801, 9999):
            ears = delay.Ears(SAID, self.heard(samples), 0.0)
            self.assertAlmostEqual(ears.find(0.5, 3.5)[0], samples / 48000, delta=1 / 16000)
            self.assertAlmostEqual(ears.sentence(0.5, 3.5), samples / 48000, delta=1 / 16000)

    def test_counts_the_clocks_of_both_sides(self):
        ears = delay.Ears(SAID, self.heard(960), -0.015)  # its speaker began 15 ms before our microphone
        self.assertAlmostEqual(ears.find(0.5, 3.5)[0], 0.005, delta=1 / 16000)

    def test_follows_a_change(self):
        half = len(SAID) // 2
        ears = delay.Ears(SAID, numpy.concatenate([numpy.zeros(2400), SAID[:half], numpy.zeros(4800), SAID[half:]]), 0.0)
        tracked = ears.track(0, 4)
        self.assertAlmostEqual(tracked[0][1], 0.05, delta=0.001)
        self.assertAlmostEqual(tracked[-1][1], 0.15, delta=0.001)

    def test_says_so__what_is_not_there(self):
        ears = delay.Ears(SAID, 0.1 * noisy(-60), 0.0)
        self.assertIsNone(ears.sentence(0.5, 3.5))

    def test_aligns(self):
        heard = self.heard(4800)
        ears = delay.Ears(SAID, heard, 0.0)
        self.assertGreater(stoi.stoi(SAID[24000:168000], ears.aligned(heard, 0.5, 3.5)), 0.9)


class Words(unittest.TestCase):
    def test_distance(self):
        for said, heard, expected in (("a b c", "a b c", 0), ("a b c", "a c", 1), ("a b c", "a x c", 1), ("a", "", 1),
                                      ("a b", "c a b", 1), ("a b c", "c b a", 2)):
            self.assertEqual(wer.distance(said.split(), heard.split()), expected)

    def test_sentences__are_of_the_grammar_and_the_seed(self):
        self.assertEqual(speech.sentences(3, 5), speech.sentences(3, 5))
        self.assertNotEqual(speech.sentences(3, 5), speech.sentences(4, 5))
        for sentence in speech.sentences(3, 5):
            for word, slot in zip(sentence.split(), speech.WORDS):
                self.assertIn(word, slot)


class Wav(unittest.TestCase):
    def test_is_read__as_it_was_written(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.wav")
            pcm = speech.plain_speech(5, 1)
            speech.wav_write(path, pcm)
            self.assertEqual(speech.wav_read(path), (pcm, speech.HZ))

    def test_resample__keeps_a_tone(self):
        t = numpy.arange(48000) / 48000
        low = speech.resample(numpy.sin(2 * numpy.pi * 440 * t), 48000, 16000)
        expected = numpy.sin(2 * numpy.pi * 440 * numpy.arange(16000) / 16000)
        self.assertLess(numpy.abs(low - expected)[200:-200].max(), 0.01)
        high = speech.resample(numpy.sin(2 * numpy.pi * 7500 * t), 48000, 10000)
        self.assertLess(numpy.abs(high)[200:-200].max(), 0.01)


class Network(unittest.TestCase):
    """The bridge's model, in virtual time."""

    def carried(self, seed=1, count=20000, size=200, **settings):
        model = bridge.Model(seed, bridge.Profile(**settings))
        out = []
        for i in range(count):
            now = i * 0.02
            out.append((now, model.carry(now, size)))
        return out

    def delays(self, **settings):
        return [there - now for now, there in self.carried(**settings) if there is not None]

    def test_same_seed__same_story(self):
        settings = dict(delay=0.03, jitter=0.08, loss=0.2, burst=3)
        self.assertEqual(self.carried(seed=4, **settings), self.carried(seed=4, **settings))
        self.assertNotEqual(self.carried(seed=4, **settings), self.carried(seed=5, **settings))

    def test_delay_and_jitter(self):
        got = self.delays(delay=0.03, jitter=0.04)
        self.assertGreaterEqual(min(got), 0.03)
        self.assertLessEqual(max(got), 0.07)
        self.assertAlmostEqual(sum(got) / len(got), 0.05, delta=0.001)
        got = self.delays(delay=0.03, jitter=0.02, kind="exponential")
        self.assertAlmostEqual(sum(got) / len(got), 0.05, delta=0.002)
        self.assertGreater(max(got), 0.1)

    def test_loss__alone_and_in_bursts(self):
        def runs(**settings):
            lost = [there is None for _, there in self.carried(**settings)]
            ends = sum(1 for a, b in zip(lost, lost[1:]) if a and not b)
            return sum(lost) / len(lost), sum(lost) / max(1, ends)
        rate, length = runs(loss=0.1)
        self.assertAlmostEqual(rate, 0.1, delta=0.01)
        self.assertAlmostEqual(length, 1.11, delta=0.05)
        rate, length = runs(loss=0.1, burst=4)
        self.assertAlmostEqual(rate, 0.1, delta=0.015)
        self.assertAlmostEqual(length, 4, delta=0.4)

    def test_order__is_kept_unless_jitter_may_overtake(self):
        there = [t for _, t in self.carried(jitter=0.08, reorder=False)]
        self.assertEqual(there, sorted(there))
        there = [t for _, t in self.carried(jitter=0.08)]
        self.assertNotEqual(there, sorted(there))

    def test_spikes__come_together(self):
        got = self.delays(spike=0.1, spike_every=5, spike_length=0.2)
        high = [d > 0.05 for d in got]
        self.assertGreater(sum(high), 100)
        changes = sum(1 for a, b in zip(high, high[1:]) if a != b)
        self.assertGreater(sum(high) / (changes / 2), 3)

    def test_rate__holds_back_and_the_queue_ends(self):
        there = [t for _, t in self.carried(rate=40000, queue=0.2, size=200)]  # 80,000 bit/s offered
        kept = [t for t in there if t is not None]
        self.assertAlmostEqual(len(kept) / len(there), 0.5, delta=0.02)
        self.assertTrue(all(b - a > 0.0399 for a, b in zip(kept, kept[1:])))

    def test_outage__nothing_passes_or_all_of_it_later(self):
        model = bridge.Model(1, bridge.Profile(drop=True))
        self.assertIsNone(model.carry(0, 100))
        model.set(bridge.Profile(hold=2, delay=0.03))
        self.assertEqual([model.carry(t, 100) for t in (10, 11, 11.99, 12.5)], [12, 12, 12.02, 12.53])
        model.set(bridge.Profile(udp=False))
        self.assertEqual((model.carry(0, 100, 17), model.carry(0, 100, 6)), (None, 0))


class Packets(unittest.TestCase):
    def test_kolmogorov_smirnov__tells_distributions_apart(self):
        draw = numpy.random.default_rng(1)
        same = [packets.kolmogorov_smirnov(draw.normal(20, 1, 800), draw.normal(20, 1, 800))[1] for _ in range(40)]
        self.assertGreater(sum(p > 0.05 for p in same), 33)
        self.assertLess(packets.kolmogorov_smirnov(draw.normal(20, 1, 800), draw.normal(20.3, 1, 800))[1], 0.01)
        self.assertEqual(packets.kolmogorov_smirnov([1, 2, 3], [1, 2, 3])[0], 0)
        self.assertEqual(packets.kolmogorov_smirnov([1, 2, 3], [4, 5, 6])[0], 1)

    def test_log__is_read_as_the_bridge_writes_it(self):
        with tempfile.NamedTemporaryFile("w+") as file:
            file.write("1.500000,bob,17,186,4516,4517,30.250\n2.000000,alice,6,60,1,2,\n")
            file.flush()
            got = list(packets.read(file.name))
        self.assertEqual(got[0], (1.5, "bob", 17, 186, 4516, 4517, 30.25))
        self.assertIsNone(got[1].delay_ms)
        self.assertEqual(packets.voice(got, "bob"), [(1.5, 186)])


if __name__ == "__main__":
    unittest.main()
