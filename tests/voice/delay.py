"""How late what was said is heard.

Mouth to ear, here: from the moment at which a frame of the microphone is whole and handed over (first_capture_ns is that of
the first) to the moment at which the speaker takes the frame in which its sound begins (first_playback_ns). A sample keeps
its place within its frame, so with C, P those two moments and s, t a sound's places in the two wavs:

    delay = (P + t / 48 kHz) - (C + s / 48 kHz)

The codec's own delay, pacing, network, jitter buffer and stretching are in it; the 20 ms that a frame takes to be spoken, and
what a sound server adds beyond the two moments, are not (through one, both are: bench/voice.py compares what its devices
were given with what they got).
"""
import numpy

import speech

RATE = 16000  # what is correlated


def low(samples):
    return speech.resample(numpy.asarray(samples, dtype=float), speech.HZ, RATE)


def correlate(piece, where):
    """The offset in `where` at which piece is found, and how alike they are there (0 to 1)."""
    n = 1 << int(numpy.ceil(numpy.log2(len(piece) + len(where))))
    found = numpy.fft.irfft(numpy.fft.rfft(where, n) * numpy.conj(numpy.fft.rfft(piece, n)), n)
    span = len(where) - len(piece) + 1
    if span <= 0:
        return 0, 0.0
    energy = numpy.concatenate([[0.0], numpy.cumsum(where ** 2)])
    energy = energy[len(piece):len(piece) + span] - energy[:span]
    alike = found[:span] / numpy.sqrt((energy + 1e-9) * ((piece ** 2).sum() + 1e-9))
    best = int(numpy.argmax(alike))
    return best, float(alike[best])


class Ears:
    """What came (wav samples as floats) held against what was said. offset_s: P - C."""

    def __init__(self, said, heard, offset_s, latest_s=0.8):
        self.said, self.heard = low(said), low(heard)
        self.offset_s, self.latest_s = offset_s, latest_s

    def find(self, begin_s, end_s, earliest_s=-0.005, latest_s=None):
        """Delay in seconds of what was said between the two moments of the said wav, and its likeness; None: not there."""
        latest_s = self.latest_s if latest_s is None else latest_s
        piece = self.said[int(begin_s * RATE):int(end_s * RATE)]
        first = int((begin_s + earliest_s - self.offset_s) * RATE)
        last = int((end_s + latest_s - self.offset_s) * RATE)
        skip = max(0, -first)
        where = self.heard[max(0, first):max(0, last)]
        if len(where) < len(piece) or not piece.any():
            return None
        at, alike = correlate(piece, where)
        return (first + skip + at) / RATE + self.offset_s - int(begin_s * RATE) / RATE, alike

    def sentence(self, begin_s, end_s):
        """The delay of a whole sentence: the median of its pieces of 0.4 s, since it may change in the middle; None: lost."""
        found = [delay for _, delay in self.track(begin_s, end_s)]
        return float(numpy.median(found)) if found else None

    def track(self, begin_s, end_s, width_s=0.4, step_s=0.1, alike_at_least=0.6):
        """[(moment in the said wav, delay)] of pieces that have sound and were found."""
        whole = numpy.sqrt((self.said ** 2).mean())
        out, at = [], begin_s
        while at + width_s <= end_s:
            piece = self.said[int(at * RATE):int((at + width_s) * RATE)]
            if len(piece) and numpy.sqrt((piece ** 2).mean()) > 0.5 * whole:
                found = self.find(at, at + width_s)
                if found and found[1] >= alike_at_least:
                    out.append((at, found[0]))
            at += step_s
        return out

    def aligned(self, heard, begin_s, end_s):
        """What was heard of a sentence at 48 kHz, aligned as a whole: for stoi and wer. None: not there."""
        found = self.find(begin_s, end_s)
        if found is None:
            return None
        first = round((begin_s + found[0] - self.offset_s) * speech.HZ)
        count = round((end_s - begin_s) * speech.HZ)
        if first < 0 or first + count > len(heard):
            return None
        return heard[first:first + count]
