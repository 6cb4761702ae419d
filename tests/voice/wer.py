"""Word errors: what a recogniser (pocketsphinx, with the grammar of speech.py) makes of sentences that came through a line.

    recogniser = Recogniser()      wrong, all = recogniser.errors(words, samples at 48 kHz as floats)
"""
import os
import tempfile

import speech

MODEL = "/usr/share/pocketsphinx/model/en-us"


def distance(said, heard):
    """Words that must be put in, left out or changed."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


class Recogniser:
    def __init__(self):
        from pocketsphinx.pocketsphinx import Decoder
        with tempfile.NamedTemporaryFile("w", suffix=".gram") as file:
            file.write(speech.grammar())
            file.flush()
            config = Decoder.default_config()
            config.set_string("-hmm", os.path.join(MODEL, "en-us"))
            config.set_string("-dict", os.path.join(MODEL, "cmudict-en-us.dict"))
            config.set_string("-jsgf", file.name)
            config.set_string("-logfn", os.devnull)
            self.decoder = Decoder(config)

    def hear(self, samples):
        """The words, of one sentence with some silence around it."""
        import numpy
        low = speech.resample(samples, speech.HZ, 16000)
        pcm = numpy.clip(numpy.round(low * 32767), -32768, 32767).astype("<i2")
        # a little noise: the model never heard digital silence
        pcm = pcm + numpy.random.default_rng(1).integers(-3, 4, len(pcm)).astype("<i2")
        self.decoder.start_utt()
        self.decoder.process_raw(pcm.tobytes(), False, True)
        self.decoder.end_utt()
        found = self.decoder.hyp()
        return found.hypstr.split() if found else []

    def errors(self, words, samples):
        said = words.split()
        return distance(said, self.hear(samples)), len(said)
