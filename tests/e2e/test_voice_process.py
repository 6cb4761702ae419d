"""psst-voice by itself, without psstd: what goes in comes out, one size leaves, every 20 ms, whatever happens to the devices;
hostile frames, its end, its sandbox; voice messages and the sound check. The sound server is a real PulseAudio, without a
sound card."""
import os
import random
import signal
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "voice"))
import speech
from psst import E2E, children, program, wait_for
from voices import (CALL, CHECK, DEVICES, MICROPHONE, NONE, NULL, PLAY, PULSE, RECORD, RING, SPEAKER, HZ, SoundServer, Voice, find,
                    join, low, pieces, start_message)

FRAME_SAMPLES = 960
ALIKE = 0.6


def sanitized():
    with open(program("psst-voice"), "rb") as file:
        return b"__asan_init" in file.read()


def is_running(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class VoiceTest(E2E):
    def setUp(self):
        super().setUp()
        if not os.access(program("psst-voice"), os.X_OK):
            self.skipTest("there is no psst-voice")

    def path(self, name):
        return os.path.join(self.root, name)

    def voice(self, name, server=None):
        voice = Voice(self.root, name, server.runtime if server else None)
        self.addCleanup(self._end, voice)
        return voice

    def _end(self, voice):
        voice.close()
        log = voice.log()
        self.assertNotIn("ERROR: AddressSanitizer", log)
        self.assertNotIn("runtime error", log)
        self.assertEqual(os.path.getsize(voice.out_path), 0, "it has written to its standard output")

    def server(self, *sinks):
        if not SoundServer.exists():
            self.skipTest("there is no PulseAudio")
        server = SoundServer(self.root, sinks)
        self.addCleanup(server.kill)
        server.begin()
        return server

    def say(self, name, seed, seconds):
        """A wav of speech; its samples."""
        pcm = speech.plain_speech(seed, seconds)
        speech.wav_write(self.path(name), pcm)
        return pcm

    def hear(self, name):
        pcm, rate = speech.wav_read(self.path(name))
        self.assertEqual(rate, HZ)
        return low(pcm)

    def assert_heard(self, said, heard, delay_s=0.0, latest_s=0.5, length_s=0.4):
        """Most of what was said in the middle is there, delay_s later or some more; gives how much later, by the likest piece."""
        found = []
        for begin in pieces(said, 0.8, 2.6, length_s, 4):
            at, alike = find(said, heard, begin, length_s, begin + delay_s, latest_s)
            found.append((alike, at - begin))
        found.sort()
        self.assertGreater(found[1][0], ALIKE, found)
        return found[-1][1]

    def assert_rhythm(self, voice, one_size=True):
        """Timestamps without a gap; one size, unless the other side's reports have changed the quality."""
        stamps = [t for t, _ in voice.frames]
        self.assertEqual(stamps, [(stamps[0] + i * FRAME_SAMPLES) & 0xffffffff for i in range(len(stamps))])
        if one_size:
            self.assertEqual(len({len(p) for _, p in voice.frames}), 1)


class Files(VoiceTest):
    def test_what_goes_in_comes_out_both_ways_in_one_size(self):
        said = [low(self.say("said%d.wav" % i, i, 3.2)) for i in (0, 1)]
        a, b = self.voice("a"), self.voice("b")
        for i, voice in enumerate((a, b)):
            voice.start(CALL, wavs=(self.path("said%d.wav" % i), self.path("heard%d.wav" % i)), opus_max=100)
        join(lambda: len(a.reports) >= 3 and len(b.reports) >= 3, (a, b))
        for voice in (a, b):
            self.assert_rhythm(voice)
            self.assertEqual(voice.reports[-1]["lost"], 0)
            self.assertEqual(voice.works(MICROPHONE), True)
            voice.stop()
            self.assertEqual(voice.wait(), 0)
            voice.take()
            self.assertEqual(voice.done, [(0, "")])
        for i, (mouth, ear) in enumerate(((a, b), (b, a))):
            offset = (ear.reports[-1]["first_playback"] - mouth.reports[-1]["first_capture"]) / 1e9
            heard = self.hear("heard%d.wav" % (1 - i))
            later = self.assert_heard(said[i], heard, -offset - 0.02)
            print("handed over to pulled: %.1f ms" % (1000 * (later + offset)))

    def test_mute_sends_the_same_sizes_and_is_silent(self):
        self.say("said.wav", 2, 2.5)
        a, b = self.voice("a"), self.voice("b")
        a.start(CALL, wavs=(self.path("said.wav"), None))
        b.start(CALL, wavs=(None, self.path("heard.wav")))
        join(lambda: len(a.frames) >= 50, (a, b))
        a.set(send=False)
        join(lambda: len(a.frames) >= 70, (a, b))
        a.levels.clear()
        join(lambda: len(a.frames) >= 110, (a, b))
        self.assert_rhythm(a)
        self.assertFalse(any(level["voice"] for level in a.levels))
        self.assertGreater(max(level["microphone"] for level in a.levels), -40)  # it is heard, and not sent
        b.stop()
        self.assertEqual(b.wait(), 0)
        heard = self.hear("heard.wav")
        self.assertGreater(max(map(abs, heard[:2000])), 1000)
        self.assertLess(max(map(abs, heard[-800:])), 100)

    def test_killed_leaves_a_whole_wav_and_the_next_one_goes_on(self):
        pcm = self.say("said.wav", 3, 2.0)
        mouth = os.open(self.path("said.wav"), os.O_RDONLY)
        ear = os.open(self.path("heard.wav"), os.O_RDWR | os.O_CREAT, 0o600)
        self.addCleanup(os.close, mouth)
        self.addCleanup(os.close, ear)
        first = self.voice("first")
        first.start(CALL, wavs=(mouth, ear))
        join(lambda: len(first.frames) >= 25, (first, first))
        first.kill()
        self.assertEqual(first.code, -signal.SIGKILL)
        before, rate = speech.wav_read(self.path("heard.wav"))
        self.assertEqual(rate, HZ)
        with open(self.path("heard.wav"), "rb") as file:  # its lengths are right, and not only good enough to be read
            header = file.read(44)
        size = os.path.getsize(self.path("heard.wav"))
        self.assertLessEqual(struct.unpack("<I", header[40:])[0], size - 44)
        self.assertGreaterEqual(struct.unpack("<I", header[40:])[0], size - 44 - 2 * FRAME_SAMPLES)
        read = (os.lseek(mouth, 0, os.SEEK_CUR) - 44) // 2
        self.assertGreater(read, 20 * FRAME_SAMPLES)
        self.assertLess(read, len(pcm) // 2 + 20 * FRAME_SAMPLES)
        second = self.voice("second")
        second.start(CALL, wavs=(mouth, ear), timestamp=25 * FRAME_SAMPLES)
        join(lambda: len(second.frames) >= 10, (second, second))
        self.assertEqual(second.frames[0][0], 25 * FRAME_SAMPLES)
        second.stop()
        self.assertEqual(second.wait(), 0)
        self.assertGreater((os.lseek(mouth, 0, os.SEEK_CUR) - 44) // 2, read + 8 * FRAME_SAMPLES)
        after, _ = speech.wav_read(self.path("heard.wav"))
        self.assertGreater(len(after), len(before) + 8 * FRAME_SAMPLES)

    def test_what_is_no_wav_is_refused_with_a_sentence(self):
        with open(self.path("no.wav"), "wb") as file:
            file.write(b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\2\0" + b"\0" * 100)
        a = self.voice("a")
        a.start(CALL, wavs=(self.path("no.wav"), None))
        join(lambda: a.done, (a, a))
        self.assertEqual(a.done, [(1, "the microphone's file: a wav of 48 kHz, mono, 16 bits is needed")])
        a.start(CALL)  # and it is still there
        join(lambda: a.frames, (a, a))

    def test_voice_message_recorded_and_played(self):
        said = low(self.say("said.wav", 4, 1.5))
        a = self.voice("a")
        a.start(RECORD, wavs=(self.path("said.wav"), None), file=self.path("message.ogg"), kinds=(NULL, NONE), limit=1)
        join(lambda: a.done, (a, a))
        self.assertEqual(a.done.pop(), (0, ""))
        with open(self.path("message.ogg"), "rb") as file:
            self.assertEqual(file.read(4), b"OggS")
        a.start(PLAY, wavs=(None, self.path("heard.wav")), file=self.path("message.ogg"))
        join(lambda: a.done, (a, a))
        self.assertEqual(a.done, [(0, "")])
        self.assertTrue(a.levels)
        heard = self.hear("heard.wav")
        # the recording began a second or so after the microphone: it waited for a speaker to give the tone
        self.assertGreater(max(find(said, heard, begin, 0.2, 0.0, 1.2)[1] for begin in pieces(said, 1.05, 1.3, 0.2, 3)), ALIKE)

    def test_recording_is_ended_by_stop_and_is_whole(self):
        self.say("said.wav", 5, 3.0)
        a = self.voice("a")
        a.start(RECORD, wavs=(self.path("said.wav"), None), file=self.path("message.ogg"), limit=60)
        join(lambda: len(a.levels) >= 5, (a, a))
        a.stop()
        self.assertEqual(a.wait(), 0)
        a.take()
        self.assertEqual(a.done, [(0, "")])
        b = self.voice("b")
        b.start(PLAY, file=self.path("message.ogg"))
        join(lambda: b.done, (b, b))
        self.assertEqual(b.done, [(0, "")])

    def test_what_is_no_message_is_not_played(self):
        with open(self.path("message.ogg"), "wb") as file:
            file.write(os.urandom(5000))
        a = self.voice("a")
        a.start(PLAY, file=self.path("message.ogg"))
        join(lambda: a.done, (a, a))
        self.assertEqual(a.done[0][0], 1)
        self.assertNotEqual(a.done[0][1], "")

    def test_sound_check_says_what_it_heard(self):
        self.say("good.wav", 6, 4)
        loud = speech.plain_speech(7, 4)
        for i, sample in enumerate(loud):
            loud[i] = max(-32768, min(32767, sample * 20))
        speech.wav_write(self.path("loud.wav"), loud)
        checks = {"good": "sounds good, level -", "loud": "too loud: ", "none": "nothing was heard: is the microphone muted?"}
        running = {}
        for name in checks:
            running[name] = self.voice(name)
            mouth = self.path(name + ".wav") if name != "none" else None
            running[name].start(CHECK, wavs=(mouth, self.path(name + ".heard.wav")), limit=1)
        join(lambda: all(v.done for v in running.values()), *((v, v) for v in running.values()))
        for name, words in checks.items():
            self.assertTrue(running[name].done[0][1].startswith(words), (name, running[name].done))
            self.assertEqual(running[name].done[0][0], 0 if name == "good" else 1)
        self.assertGreater(max(map(abs, self.hear("good.heard.wav")[3000:])), 1000)  # behind the tone, one's own voice

    def test_ring_gives_way_to_the_call(self):
        a = self.voice("a")
        a.start(RING, wavs=(None, self.path("rung.wav")))
        began = time.monotonic()
        join(lambda: os.path.exists(self.path("rung.wav")) and os.path.getsize(self.path("rung.wav")) > 60000, (a, a))
        self.assertFalse(a.frames, "the microphone is not listened to while it rings (%.1f s)" % (time.monotonic() - began))
        a.start(CALL, wavs=(None, self.path("call.wav")))
        join(lambda: len(a.frames) >= 10, (a, a))
        self.assertGreater(max(map(abs, self.hear("rung.wav"))), 1000)
        self.assertEqual(a.ready, 2)


class Ends(VoiceTest):
    def test_ends_with_its_socket(self):
        for job in (None, CALL):
            a = self.voice("a%s" % job)
            if job:
                a.start(job)
                join(lambda: a.frames, (a, a))
            a.socket.close()
            self.assertEqual(a.wait(), 0)

    def test_ends_when_psstd_talks_nonsense(self):
        null = os.open("/dev/null", os.O_RDONLY)
        self.addCleanup(os.close, null)
        good = start_message(CALL, (NULL, NULL))
        for number, (message, fds) in enumerate((
                (b"\x00", ()), (b"\xff" * 20, ()), (good[:-1], ()), (good + b"\0", ()), (b"\x05\x00", ()), (b"x" * 4000, ()),
                (good, (null,)), (b"\x05", (null,)), (start_message(CALL, (2, NULL)), ()), (good, (null, null, null)),
                (start_message(CALL, (NULL, NULL), opus_max=1194), ()))):
            a = self.voice("nonsense%d" % number)
            a.send(message, fds)
            self.assertEqual(a.wait(), 1, message)

    def test_signals_of_a_terminal_pass_it_by(self):
        a = self.voice("a")
        a.start(CALL)
        join(lambda: a.frames, (a, a))
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(a.pid, sig)
        count = len(a.frames)
        join(lambda: len(a.frames) >= count + 5, (a, a))

    def test_gives_up_what_it_does_not_need(self):
        a = self.voice("a")
        a.start(CALL)
        join(lambda: a.frames, (a, a))
        self.assertEqual(a.status("NoNewPrivs"), "1")
        if not sanitized():
            self.assertEqual(a.status("Seccomp"), "2")

    def test_its_relay_is_walled_in_and_ends_with_it(self):
        """The way to the sound server is a child of its own, which neither psstd's socket nor psst-voice's end leaves behind."""
        for how in ("stopped", "killed"):
            a = self.voice(how)
            a.start(CALL)
            join(lambda: a.frames, (a, a))
            relay, = children(a.pid)
            if not sanitized():
                with open("/proc/%d/status" % relay) as file:
                    status = dict(line.split(":\t", 1) for line in file.read().splitlines())
                self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
            self.assertNotIn(os.readlink("/proc/%d/fd/3" % a.pid),
                             [os.readlink("/proc/%d/fd/%s" % (relay, fd)) for fd in os.listdir("/proc/%d/fd" % relay)])
            if how == "stopped":
                a.stop()
                self.assertEqual(a.wait(), 0)
            else:
                os.kill(a.pid, signal.SIGKILL)
            wait_for("the end of its line", lambda: a.take() is not None and a.ended)
            wait_for("the end of its relay", lambda: not is_running(relay))

    def test_hostile_frames_are_counted_and_survived(self):
        chooser = random.Random(7)
        a, b = self.voice("a"), self.voice("b")
        a.start(CALL, timestamp=0xffffffff - 10 * FRAME_SAMPLES)
        b.start(CALL)
        stamp = [0]

        def flood(_):
            for _ in range(20):
                stamp[0] = chooser.choice((stamp[0] + FRAME_SAMPLES, stamp[0], chooser.getrandbits(32), stamp[0] + 1))
                size = chooser.choice((0, 1, 2, 3, 80, 400, 1193))
                a.frame(stamp[0], chooser.randbytes(size), chooser.choice((None, 1, (1 << 64) - 1)))
                a.send(struct.pack(">BBHH", 4, chooser.getrandbits(8), chooser.getrandbits(16), chooser.getrandbits(16)))
        join(lambda: len(a.reports) >= 2, (a, b), on_frame=flood)
        self.assertGreater(a.reports[-1]["garbage"], 50)
        self.assertTrue(b.reports)
        self.assert_rhythm(a, one_size=False)
        a.stop()
        self.assertEqual(a.wait(), 0)


class Sound(VoiceTest):
    """With a sound server, or with none."""

    def test_without_a_sound_server_frames_leave_and_words_say_so(self):
        a = self.voice("a")
        a.start(CALL, kinds=(PULSE, PULSE))
        join(lambda: len(a.frames) >= 40 and a.states, (a, a))
        self.assert_rhythm(a)
        self.assertIn((MICROPHONE, False, "the microphone has no sound: the sound server cannot be reached"), a.states)
        self.assertIn((SPEAKER, False, "the speaker has no sound: the sound server cannot be reached"), a.states)
        b = self.voice("b")
        b.start(DEVICES)
        join(lambda: b.done, (b, b))
        self.assertEqual(b.done, [(1, "the sound server cannot be reached")])

    def test_speech_goes_through_devices_both_ways_and_the_server_may_die(self):
        """Four of them: p says to q, whose speaker is r's microphone, who says it on to s; and all the way back."""
        server = self.server("there", "back")
        said = [[low(self.say("said%d.%d.wav" % (n, i), 10 * n + i, 3.0)) for i in (0, 1)] for n in (0, 1)]
        p, s = self.voice("p"), self.voice("s")
        q, r = self.voice("q", server), self.voice("r", server)
        q.start(CALL, pulse=("back.monitor", "there"))
        r.start(CALL, pulse=("there.monitor", "back"))
        pairs = ((p, q), (r, s))
        up = lambda want: all(v.works(end) is want for v in (q, r) for end in (MICROPHONE, SPEAKER))
        p.start(CALL)
        s.start(CALL)
        join(lambda: up(True), *pairs)
        for number in (0, 1):
            for i, voice in enumerate((p, s)):
                voice.reports.clear()
                voice.start(CALL, wavs=(self.path("said%d.%d.wav" % (number, i)), self.path("heard%d.%d.wav" % (number, i))),
                            timestamp=(voice.frames[-1][0] + FRAME_SAMPLES) & 0xffffffff)
            join(lambda: len(p.reports) >= 3 and len(s.reports) >= 3, *pairs)
            if number == 0:
                server.kill()
                count = len(q.frames)
                join(lambda: up(False) and len(q.frames) > count + 30, *pairs)
                server.begin()
                join(lambda: up(True), *pairs)
        for voice in (q, r):
            self.assert_rhythm(voice)
        for number in (0, 1):
            for i in (0, 1):
                heard = self.hear("heard%d.%d.wav" % (number, 1 - i))
                self.assert_heard(said[number][i], heard, 0.0, 1.0)

    def test_sound_server_that_hangs_is_waited_for(self):
        server = self.server("only")
        a = self.voice("a", server)
        a.start(CALL, pulse=("only.monitor", "only"))
        up = lambda want: all(a.works(end) is want for end in (MICROPHONE, SPEAKER))
        join(lambda: up(True), (a, a))
        os.kill(server.process.pid, signal.SIGSTOP)
        count = len(a.frames)
        join(lambda: up(False) and len(a.frames) > count + 40, (a, a))
        self.assertEqual(sorted(a.states[-2:]),
                         [(MICROPHONE, False, "the microphone does not answer"), (SPEAKER, False, "the speaker does not answer")])
        os.kill(server.process.pid, signal.SIGCONT)
        join(lambda: up(True), (a, a))
        self.assert_rhythm(a)
        a.stop()
        self.assertEqual(a.wait(), 0)

    def test_device_that_is_unplugged_is_taken_up_again(self):
        server = self.server("usual")
        server.control("set-default-sink", "usual")
        server.control("set-default-source", "usual.monitor")
        a = self.voice("a", server)
        a.start(CALL, pulse=("headset.monitor", "headset"))
        join(lambda: a.works(MICROPHONE) and a.works(SPEAKER), (a, a))
        last = lambda end: next(words for e, _, words in reversed(a.states) if e == end)
        join(lambda: "because the one that was chosen is not there" in last(SPEAKER), (a, a))
        module = server.control("load-module", *server.sink("headset").split()).strip()
        join(lambda: "headset" in last(SPEAKER) + last(MICROPHONE) or "because" not in last(SPEAKER) + last(MICROPHONE), (a, a))
        join(lambda: a.works(MICROPHONE) and a.works(SPEAKER) and "because" not in last(SPEAKER) + last(MICROPHONE), (a, a))
        self.assertIsNotNone(server.control("unload-module", module))
        join(lambda: a.works(SPEAKER) and "because the one that was chosen is not there" in last(SPEAKER), (a, a))
        self.assert_rhythm(a)

    def test_devices_are_listed_and_the_loudspeaker_is_heard(self):
        server = self.server("loudspeaker", "other")
        server.control("set-default-sink", "loudspeaker")
        server.control("set-default-source", "other.monitor")
        a = self.voice("a", server)
        a.start(DEVICES)
        join(lambda: a.done, (a, a))
        self.assertEqual(a.done.pop(), (0, ""))
        self.assertEqual(sorted((end, default, name) for end, default, name, _ in a.listed),
                         [(MICROPHONE, True, "other.monitor"), (SPEAKER, False, "other"), (SPEAKER, True, "loudspeaker")])
        self.assertTrue(all(description for _, _, _, description in a.listed))
        # a microphone in front of the speaker: the check's own tone is heard in it
        a.start(CHECK, pulse=("loudspeaker.monitor", "loudspeaker"), limit=1)
        b = self.voice("b", server)
        self.say("said.wav", 8, 6)
        b.start(CALL, pulse=(None, "loudspeaker"))
        c = self.voice("c")
        c.start(CALL, wavs=(self.path("said.wav"), None))
        join(lambda: a.done, (a, a), (b, c))
        self.assertEqual(a.done, [(1, "your speaker is heard in your microphone: use a headset")])


if __name__ == "__main__":
    unittest.main()
