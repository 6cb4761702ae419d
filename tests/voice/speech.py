"""Speech to measure with: sentences of a matrix test, spoken by two voices of flite, with silence around each.

A matrix sentence has five words - name, verb, number, adjective, noun - each out of eight that fit anywhere: nothing in
it can be guessed from the rest, so a recogniser's errors (wer.py) are errors of the sound. The same seed says the same.

    both = conversation(1, ("alice", "bob"), 12)      both["alice"].pcm, both["alice"].sentences

plain_speech needs neither flite nor numpy: something with the pitch, syllables and pauses of speech, for `make check`.
"""
import array
import hashlib
import math
import os
import random
import shutil
import struct
import subprocess
import tempfile

HZ = 48000
FRAME = 960
WORDS = (
    ("peter", "kathy", "lucy", "alan", "rachel", "william", "steven", "thomas"),
    ("got", "sees", "bought", "gives", "sold", "prefers", "wants", "kept"),
    ("three", "nine", "seven", "eight", "four", "nineteen", "two", "twelve"),
    ("large", "small", "old", "dark", "thin", "green", "cheap", "pretty"),
    ("desks", "chairs", "tables", "toys", "spoons", "windows", "flowers", "rings"),
)
VOICES = {"alice": "slt", "bob": "rms"}


def wav_write(path, pcm):
    """48 kHz, mono, s16. pcm: array('h') or anything that gives the same bytes."""
    data = pcm.tobytes()
    with open(path, "wb") as file:
        file.write(struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, HZ, 2 * HZ, 2, 16,
                               b"data", len(data)))
        file.write(data)


def wav_read(path):
    """The samples as array('h') and the rate, of a wav with 16 bits, mono; what a killed writer left counts to its end."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError(path + ": not a wav")
    at, rate = 12, None
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"fmt ":
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, at + 8)
            if (kind, channels, bits) != (1, 1, 16):
                raise ValueError(path + ": not mono with 16 bits")
        if name == b"data":
            body = data[at + 8:min(len(data), at + 8 + size)]
            return array.array("h", body[:len(body) // 2 * 2]), rate
        at += 8 + size + size % 2
    raise ValueError(path + ": no samples")


def sentences(seed, count):
    chooser = random.Random("sentences %d" % seed)
    return [" ".join(chooser.choice(slot) for slot in WORDS) for _ in range(count)]


def grammar():
    """The same as JSGF, for a recogniser."""
    slots = " ".join("<w%d>" % i for i in range(len(WORDS)))
    rules = "".join("<w%d> = %s ;\n" % (i, " | ".join(slot)) for i, slot in enumerate(WORDS))
    return "#JSGF V1.0;\ngrammar matrix;\npublic <sentence> = %s ;\n%s" % (slots, rules)


def say(words, voice):
    """One sentence by flite, at 48 kHz, as numpy floats with the level of speech (-23 dBFS while somebody speaks)."""
    import numpy
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "said.wav")
        subprocess.run(["flite", "-voice", voice, "-t", words, "-o", path], check=True, stdin=subprocess.DEVNULL)
        pcm, rate = wav_read(path)
    pcm = resample(numpy.asarray(pcm, dtype=float) / 32768, rate, HZ)
    loud = numpy.flatnonzero(numpy.abs(pcm) > 0.02 * numpy.abs(pcm).max())
    pcm = pcm[loud[0]:loud[-1]]
    frames = pcm[:len(pcm) // FRAME * FRAME].reshape(-1, FRAME)
    power = (frames ** 2).mean(axis=1)
    active = power[power > power.max() * 1e-4].mean()
    return numpy.clip(pcm * 10 ** (-23 / 20) / math.sqrt(active), -0.99, 0.99)


def resample(x, from_hz, to_hz):
    """By a ratio of whole numbers: a windowed sinc, in pieces of its own phase."""
    import numpy
    if from_hz == to_hz:
        return x
    divisor = math.gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    half = 16 * max(up, down)
    n = numpy.arange(-half, half + 1)
    cut = 0.95 / max(up, down)
    taps = up * cut * numpy.sinc(cut * n) * numpy.kaiser(2 * half + 1, 8)
    count = -(-len(x) * up // down)
    out = numpy.zeros(count)
    where = numpy.arange(count) * down + half  # in the upsampled signal, taps' end
    first = where // up
    phase = where % up
    padded = numpy.concatenate([x, numpy.zeros(len(taps) // up + 2)])
    for k in range(len(taps) // up + 1):
        tap = phase + k * up
        source = first - k
        good = (tap < len(taps)) & (source >= 0)
        out[good] += taps[tap[good]] * padded[source[good]]
    return out


class Sentence:
    def __init__(self, words, begin, end):
        self.words, self.begin, self.end = words, begin, end  # samples of the whole


class Speech:
    """Sentences, with silence where somebody else speaks or nobody does. samples: floats; pcm: s16."""

    def __init__(self, parts):
        """parts: seconds of silence, or (words, samples)."""
        import numpy
        pieces, self.sentences, at = [], [], 0
        for part in parts:
            if isinstance(part, tuple):
                words, piece = part
                self.sentences.append(Sentence(words, at, at + len(piece)))
            else:
                piece = numpy.zeros(round(part * HZ))
            pieces.append(piece)
            at += len(piece)
        self.samples = numpy.concatenate(pieces)
        self.pcm = numpy.round(self.samples * 32767).astype("<i2")

    @property
    def seconds(self):
        return len(self.pcm) / HZ


def conversation(seed, names, count, lead=2.0, together=False):
    """name: Speech, for two people who take turns, 0.4 to 0.8 s apart; together: who speak without listening. count: sentences
    of each."""
    if not shutil.which("flite"):
        raise RuntimeError("flite is not installed: make bench-voice")
    chooser = random.Random("pauses %d" % seed)
    said = [[(words, say(words, VOICES[name])) for words in sentences(seed * 100 + i, count)] for i, name in enumerate(names)]
    parts = [[lead], [lead]]
    for turn in range(count):
        for who in (0, 1):
            parts[who].append(said[who][turn])
            pause = chooser.uniform(0.4, 0.8)
            parts[who].append(pause)
            if not together:
                parts[1 - who].append(len(said[who][turn][1]) / HZ + pause)
    return {name: Speech(parts[i]) for i, name in enumerate(names)}


def plain_speech(seed, seconds):
    """Voiced syllables with formants, and pauses: array('h'). Two seeds have next to nothing in common."""
    chooser = random.Random("plain %d" % seed)
    out = array.array("h", bytes(2 * int(seconds * HZ)))
    at = int(0.2 * HZ)
    while at < len(out) - HZ // 4:
        length = int(chooser.uniform(0.08, 0.25) * HZ)
        pitch = chooser.uniform(90, 220)
        formants = [(chooser.uniform(250, 800), 1.0), (chooser.uniform(900, 2200), 0.5)]
        table = [0.0] * int(HZ / pitch)  # one period: its harmonics, weighted by the formants
        for harmonic in range(1, int(3500 / pitch)):
            weight = sum(w / (1 + ((harmonic * pitch - f) / 150) ** 2) for f, w in formants)
            phase = chooser.uniform(0, 6.283)
            for i in range(len(table)):
                table[i] += weight * math.sin(phase + 6.283185 * harmonic * i / len(table))
        peak = max(map(abs, table))
        for i in range(min(length, len(out) - at)):
            edge = min(1.0, i / 480, (length - i) / 480)
            out[at + i] = int(9000 * edge * table[i % len(table)] / peak)
        at += length + int(chooser.choice((0.03, 0.05, 0.08, 0.4)) * HZ)
    return out


def digest(pcm):
    return hashlib.sha256(pcm.tobytes()).hexdigest()[:16]
