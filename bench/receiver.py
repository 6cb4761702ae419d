#!/usr/bin/python3
"""How well a call is understood over a bad line, by the receiver alone: no devices, no sockets, virtual time.

    bench/receiver.py BENCH_RECEIVER [rows...]      rows: near, uniform40, exponential40, uniform80, ...; all

For each row: delay from a frame's handing over to its sound's pull (median of the sentences; codec's own included, 3 ms of
pacing added), STOI and its worst sentence, how often the delay was changed. One seed and one phase of the pulls a line."""
import os
import random
import subprocess
import sys
import tempfile

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "voice"))
import delay  # noqa: E402
import speech  # noqa: E402
import stoi  # noqa: E402

PACING_MS = 3
ROWS = {
    "near": "delay 0.2 jitter 0.3 loss 0 fec 0",
    "plain30": "delay 30 jitter 0.5 loss 0 fec 0",
    "uniform40": "jitter 40 loss 0.1 fec 10",
    "gaussian13": "kind g jitter 13.3 loss 0.1 fec 10",
    "exponential40": "kind e jitter 40 loss 0.1 fec 10",
    "exponential13": "kind e jitter 13.3 loss 0.1 fec 10",
    "uniform80": "jitter 80 loss 0.2 fec 20",
    "gaussian27": "kind g jitter 26.7 loss 0.2 fec 20",
    "exponential80": "kind e jitter 80 loss 0.2 fec 20",
    "exponential27": "kind e jitter 26.7 loss 0.2 fec 20",
}


def run(program, row, material, folder, seed, phase, extra):
    said, heard = os.path.join(folder, "said.wav"), os.path.join(folder, "heard.wav")
    speech.wav_write(said, material.pcm)
    printed = subprocess.run([program, said, heard] + ROWS[row].split() + ["seed", str(seed), "phase", str(phase)] + extra,
                             check=True, capture_output=True, text=True).stdout
    got = numpy.asarray(speech.wav_read(heard)[0], dtype=float) / 32768
    ears = delay.Ears(material.samples, got, phase / 1000)
    delays, values = [], []
    for s in material.sentences:
        begin, end = s.begin / speech.HZ, s.end / speech.HZ
        late = ears.sentence(begin, end)
        if late is not None:
            delays.append(late * 1000 + PACING_MS)
        aligned = ears.aligned(got, begin, end)
        if aligned is not None:
            values.append(stoi.stoi(material.samples[round(begin * speech.HZ):][:len(aligned)], aligned, speech.HZ))
        else:
            values.append(0)
    return delays, values, printed.strip().splitlines()[-1]


def material(seed, voice, count):
    """Sentences with pauses between them, and 2 s before the first."""
    chooser, parts = random.Random("pauses %d" % seed), [2.0]
    for words in speech.sentences(seed, count):
        parts += [(words, speech.say(words, voice)), chooser.uniform(0.7, 1.5)]
    return speech.Speech(parts)


def main():
    program, rows, extra = sys.argv[1], [a for a in sys.argv[2:] if a in ROWS] or list(ROWS), []
    options = [a for a in sys.argv[2:] if "=" in a]
    for option in options:
        extra += option.split("=")
    count = int(os.environ.get("SENTENCES", "12"))
    said = [(seed, material(seed, voice, count), phase)
            for seed, voice, phase in ((1, "slt", 7.3), (2, "rms", 13.9), (3, "slt", 1.1))]
    with tempfile.TemporaryDirectory() as folder:
        for row in rows:
            everything, all_delays = [], []
            for seed, spoken, phase in said:
                delays, values, printed = run(program, row, spoken, folder, seed, phase, extra)
                everything += values
                all_delays += delays
                if os.environ.get("VERBOSE"):
                    print("   phase %.1f: %.0f ms, stoi %.3f; %s" % (phase, numpy.median(delays), numpy.mean(values), printed))
            print("%-14s %5.0f ms (%.0f to %.0f)  STOI %.3f  worst %.3f" % (
                row, numpy.median(all_delays), min(all_delays), max(all_delays), numpy.mean(everything), min(everything)),
                flush=True)


if __name__ == "__main__":
    main()
