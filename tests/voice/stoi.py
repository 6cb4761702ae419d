"""Short-time objective intelligibility, after Taal, Hendriks, Heusdens, Jensen: "An Algorithm for Intelligibility Prediction
of Time-Frequency Weighted Noisy Speech", IEEE Trans. Audio, Speech, Language Processing 19 (2011). 1: like the original;
under 0.6 little is understood. Both signals must be aligned, and of one length.
"""
import numpy

import speech

HZ = 10000
WINDOW, HOP, FFT = 256, 128, 512
BANDS, LOWEST_HZ = 15, 150
SEGMENT = 30          # frames: 384 ms
CLIP_DB = -15.0       # the lower bound of the signal to distortion ratio
DYNAMICS_DB = 40.0    # frames so far below the loudest are silence, and do not count


def third_octaves():
    frequencies = numpy.linspace(0, HZ, FFT + 1)[:FFT // 2 + 1]
    bands = numpy.zeros((BANDS, len(frequencies)))
    for k in range(BANDS):
        low, high = (LOWEST_HZ * 2.0 ** ((2 * k + side) / 6) for side in (-1, 1))
        first, last = (numpy.argmin((frequencies - edge) ** 2) for edge in (low, high))
        bands[k, first:last] = 1
    return bands


def frames_of(x):
    window = numpy.hanning(WINDOW + 2)[1:-1]
    starts = numpy.arange(0, len(x) - WINDOW, HOP)
    return x[starts[:, None] + numpy.arange(WINDOW)] * window


def without_silence(x, y):
    """Both, less the frames in which x is silent; put together again by overlapping."""
    a, b = frames_of(x), frames_of(y)
    loud = 20 * numpy.log10(numpy.linalg.norm(a, axis=1) + 1e-12)
    keep = loud > loud.max() - DYNAMICS_DB
    out = []
    for frames in (a[keep], b[keep]):
        joined = numpy.zeros((len(frames) - 1) * HOP + WINDOW)
        for i, frame in enumerate(frames):
            joined[i * HOP:i * HOP + WINDOW] += frame
        out.append(joined)
    return out


def stoi(clean, heard, rate=speech.HZ):
    x = speech.resample(numpy.asarray(clean, dtype=float), rate, HZ)
    y = speech.resample(numpy.asarray(heard, dtype=float), rate, HZ)
    if len(x) != len(y):
        raise ValueError("of two lengths")
    x, y = without_silence(x, y)
    bands = third_octaves()
    spectra = [numpy.sqrt(numpy.abs(numpy.fft.rfft(frames_of(s), FFT, axis=1)) ** 2 @ bands.T) for s in (x, y)]
    if len(spectra[0]) < SEGMENT:
        raise ValueError("too little speech: 384 ms are needed")
    clip = 1 + 10 ** (-CLIP_DB / 20)
    total = count = 0
    for end in range(SEGMENT, len(spectra[0]) + 1):
        a, b = (s[end - SEGMENT:end].T for s in spectra)  # bands, frames
        b = b * numpy.linalg.norm(a, axis=1, keepdims=True) / (numpy.linalg.norm(b, axis=1, keepdims=True) + 1e-12)
        b = numpy.minimum(b, a * clip)
        a = a - a.mean(axis=1, keepdims=True)
        b = b - b.mean(axis=1, keepdims=True)
        norms = numpy.linalg.norm(a, axis=1) * numpy.linalg.norm(b, axis=1) + 1e-12
        total += ((a * b).sum(axis=1) / norms).sum()
        count += BANDS
    return total / count
