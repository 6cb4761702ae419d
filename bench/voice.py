"""How calls sound, and what can be seen of them: the real programs, real speech, bad lines.

Usage: voice.py BUILD_DIRECTORY [--rows ROW,...] [--sentences N] [--seed N] [--plots DIR] [--keep DIR] [-v]
                                                                                          prints one JSON row a figure

Two psstds call each other; each psst-voice has a wav for a microphone, with sentences of a matrix test that flite speaks (one
voice a side), and another for a speaker. What was heard is held against what was said: delay from mouth to ear (tests/voice/
delay.py says from where to where), STOI, and the words that a recogniser misses. The rows:

    loopback   127.0.0.1; the same without echo canceller and noise suppression
    cpu        the processor that a call takes, and what its libraries alone would, in the same rhythm
    pulse      loopback, microphone and speaker through a PulseAudio of its own, from the sound in one device to the other; the
               devices alone
    uniform    30 ms, 0 to 40 ms more by chance and 10 % lost; 0 to 80 ms and 20 %
    wireless   30 ms, exponential jitter, delays that come and go together, losses in rows of three
    tcp        30 ms, no UDP passes
    outage     30 ms; nothing passes for 2 s; everything is held up for 2 s
    sizes      what somebody on the line sees while somebody speaks, is silent, is muted

The lines are tests/voice/bridge.py: root and /dev/net/tun are needed. Nothing else should run meanwhile; what does, comes
after what is measured, where that is allowed.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
for folder in ("e2e", "voice"):
    sys.path.insert(0, os.path.join(HERE, "..", "tests", folder))
ROWS = ("loopback", "cpu", "pulse", "uniform", "wireless", "tcp", "outage", "sizes")
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("build")
arguments.add_argument("--rows", default=",".join(ROWS))
arguments.add_argument("--sentences", type=int, default=12, help="by each side, in each row")
arguments.add_argument("--seed", type=int, default=1)
arguments.add_argument("--plots", help="where plots go, as SVG")
arguments.add_argument("--keep", help="where wavs, events and packets go")
arguments.add_argument("-v", action="store_true")
args = arguments.parse_args()
os.environ["PSST_BIN"] = os.path.join(os.path.abspath(args.build), "bin")
try:
    import numpy
except ImportError:
    if sys.executable == "/usr/bin/python3":
        sys.exit("voice: python3-numpy is not installed (tools/setup.sh bench)")
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

import bridge  # noqa: E402  (they look at PSST_BIN)
import call  # noqa: E402
import delay  # noqa: E402
import packets  # noqa: E402
import plot  # noqa: E402
import psst  # noqa: E402
import speech  # noqa: E402
import stoi  # noqa: E402
import wer  # noqa: E402

delays_ms = {}  # of each line, for the plot


def row(name, value, unit, goal=None, met=None, reference=None, reference_value=None):
    ratio = value / reference_value if reference_value else None
    print(json.dumps(dict(name=name, value=float(value), unit=unit, goal=goal, met=met, reference=reference,
                          reference_value=reference_value, ratio=ratio)), flush=True)


def at_most(name, value, unit, limit):
    row(name, value, unit, None if limit is None else "at most %g %s" % (limit, unit), None if limit is None else bool(value <= limit))


def say(words):
    if args.v:
        print("voice: " + words, file=sys.stderr, flush=True)


class Two:
    """Alice and Bob, who know each other, in a session; on a line of their own when it is said which."""

    def __init__(self, name, line=None, env=None):
        self.root = tempfile.mkdtemp(prefix="psst-voice-")
        os.chmod(self.root, 0o755)
        self.name, self.line, self.people, self.sides = name, None, [], {}
        try:
            self.packets = os.path.join(self.root, "packets.csv")
            if line is not None:
                self.line = bridge.Bridge("%d %s" % (args.seed, name), self.packets)
            for who in bridge.NAMES:
                person = psst.Person(self.root, who, bridge.Bridge.ADDRESS[who] if self.line else "127.0.0.1",
                                     self.line.spaces[who] if self.line else None)
                person.env.update(env or {})
                self.people.append(person)
                person.start().init(bits=3072)
            alice, bob = self.people
            alice.add(bob.card(), "bob")
            bob.add(alice.card(), "alice")
            alice.psst("dial", "bob")
            bob.wait_session("alice")
            if self.line is not None:
                self.line.set(line)
        except BaseException:
            self.close()
            raise

    def side(self, who, material):
        """material: speech.Speech; None: devices."""
        person = self.people[bridge.NAMES.index(who)]
        paths = [None, None]
        if material is not None:
            paths = [os.path.join(self.root, "%s.%s.wav" % (who, end)) for end in ("said", "heard")]
            speech.wav_write(paths[0], material.pcm)
        side = self.sides[who] = call.Side(person, *paths)
        return side

    def call(self, materials):
        """Both speak; the call is on."""
        sides = [self.side(who, materials.get(who)) for who in bridge.NAMES]
        if all(s.person.sessions() for s in sides):
            made = call.Call(*sides, dial=False)
        else:
            made = call.Call(*sides)
        say("%s: active after %.0f ms" % (self.name, (made.active - made.asked) * 1000))
        made.speaking(30)
        return made

    def keep(self):
        if not args.keep:
            return
        where = os.path.join(args.keep, self.name.replace(" ", "-"))
        os.makedirs(where, exist_ok=True)
        for entry in os.listdir(self.root):
            if os.path.isfile(os.path.join(self.root, entry)):
                shutil.copy(os.path.join(self.root, entry), where)
        for who, side in self.sides.items():
            with open(os.path.join(where, who + ".events"), "w", encoding="utf-8") as file:
                for at, event in sorted(side.watch.calls + side.watch.voices, key=lambda e: e[0]):
                    file.write("%.3f %s\n" % (at, json.dumps(event)))

    def close(self):
        if self.people and (args.v or sys.exc_info()[0]):
            for person in self.people:
                print("---- %s ----\n%s" % (person.name, person.log()[-1500:]), file=sys.stderr)
        for side in self.sides.values():
            side.close()
        for person in self.people:
            if person.daemon is not None:
                person.daemon.terminate()
                person.daemon.wait()
        psst.sweep(self.root)
        if self.line is not None:
            self.line.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.keep()
        finally:
            self.close()


materials_made = {}


def materials(together=False):
    """What each side says; the same in every row."""
    if together not in materials_made:
        count = 2 * args.sentences if together else args.sentences
        materials_made[together] = speech.conversation(args.seed, bridge.NAMES, count, together=together)
    return materials_made[together]


class Heard:
    """Delay, STOI and word errors of every sentence, of both directions."""

    def __init__(self):
        self.delays_ms, self.pieces_ms, self.stois, self.wrong, self.words, self.lost = [], [], [], 0, 0, 0

    def add(self, material, ears, heard, recogniser):
        reach = 0.3
        for sentence in material.sentences:
            begin, end = sentence.begin / speech.HZ, sentence.end / speech.HZ
            pieces = [d * 1000 for _, d in ears.track(begin, end)]
            aligned = ears.aligned(heard, begin, end)
            wide = ears.aligned(heard, begin - reach, end + reach)
            if not pieces or aligned is None:
                self.lost += 1
            else:
                self.delays_ms.append(statistics.median(pieces))
                self.pieces_ms += pieces
            self.stois.append(0.0 if aligned is None else stoi.stoi(material.samples[sentence.begin:sentence.end], aligned))
            said = sentence.words.split()
            if recogniser is not None:
                self.wrong += len(said) if wide is None else recogniser.errors(sentence.words, wide)[0]
            self.words += len(said)

    def rows(self, name, delay_goal=None, stoi_goal=None):
        if not self.delays_ms:
            raise AssertionError(name + ": nothing was heard")
        at_most("%s: mouth to ear, median of %d sentences" % (name, len(self.delays_ms)), statistics.median(self.delays_ms), "ms",
                delay_goal)
        row("%s: mouth to ear, 95 of 100 pieces of 0.4 s are at most" % name, packets.percentile(self.pieces_ms, 95), "ms")
        mean = statistics.mean(self.stois)
        row("%s: STOI, mean" % name, mean, "", None if stoi_goal is None else "at least %g" % stoi_goal,
            None if stoi_goal is None else bool(mean >= stoi_goal))
        row("%s: STOI, worst sentence" % name, min(self.stois), "")
        row("%s: words wrong, of %d" % (name, self.words), 100 * self.wrong / self.words, "%", None, None,
            "times what is said without a line", 100 * clean_errors() or None)
        if self.lost:
            row("%s: sentences not heard" % name, self.lost, "")
        delays_ms[name] = self.pieces_ms


recognisers, clean = [], []


def recogniser():
    if not recognisers:
        try:
            recognisers.append(wer.Recogniser())
        except ImportError:
            print("voice: python3-pocketsphinx is not installed: words are not counted", file=sys.stderr)
            recognisers.append(None)
    return recognisers[0]


def clean_errors():
    """The share of words that the recogniser misses in what is said."""
    if not clean:
        wrong = words = 0
        for material in materials().values():
            for sentence in material.sentences:
                piece = material.samples[sentence.begin - 14400:sentence.end + 14400]
                bad, count = recogniser().errors(sentence.words, piece) if recogniser() else (0, 1)
                wrong, words = wrong + bad, words + count
        clean.append(wrong / words)
    return clean[0]


def network(two, name):
    """What the programs themselves counted."""
    for who, side in two.sides.items():
        last = {k: side.last(k) for k in ("way", "received", "lost", "late", "recovered", "concealed", "jitter_ms", "delay_ms",
                                          "quality", "fec", "loss")}
        say("%s, %s: %s" % (name, who, last))


def listen(two, made, whom, seconds=None):
    """Lets them speak to the end, and judges."""
    time.sleep(seconds if seconds is not None else max(m.seconds for m in whom.values()) + 0.5)
    network(two, two.name)
    made.hang_up()
    heard = Heard()
    for mouth, ear in (("alice", "bob"), ("bob", "alice")):
        ears, samples = call.ears(two.sides[mouth], two.sides[ear])
        heard.add(whom[mouth], ears, samples, recogniser())
    return heard


def bare_cpu(two):
    """What the libraries alone take for these two voices, paced as they are in a call, two at once: % of a core each."""
    said = [os.path.join(two.root, who + ".said.wav") for who in bridge.NAMES]
    running = [subprocess.Popen([os.path.join(args.build, "bench", "bench_voice"), "paced", mine, other, "15"], text=True,
                                stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
               for mine, other in (said, said[::-1])]
    return statistics.mean(float(process.communicate()[0]) for process in running)


def speak(name, line=None, delay_goal=None, stoi_goal=None, cpu=False, together=False, **settings):
    whom = materials(together)
    with Two(name, line) as two:
        for person in two.people:
            for key, value in settings.items():
                person.psst("set", key, value)
        made = two.call(whom)
        if cpu:
            time.sleep(3)
            pids = {"psstd": [p.pid() for p in two.people], "psst-voice": [v for p in two.people for v in psst.voices(p)]}
            began, used = time.monotonic(), {k: sum(map(call.cpu_s, v)) for k, v in pids.items()}
            time.sleep(min(20, whom["alice"].seconds - 4))
            seconds = time.monotonic() - began
            used = {k: (sum(map(call.cpu_s, v)) - used[k]) / seconds / 2 * 100 for k, v in pids.items()}
            heard = listen(two, made, whom, max(m.seconds for m in whom.values()) + 0.5 - 3 - seconds)
        else:
            heard = listen(two, made, whom)
        heard.rows(name, delay_goal, stoi_goal)
        if cpu:
            floor = bare_cpu(two)
            goal = None if together else "at most 5 %, at most 1.15 times the libraries"
            row(name + ", both directions, one side: psst-voice", used["psst-voice"], "% of a core", goal,
                None if together else bool(used["psst-voice"] <= 5 and used["psst-voice"] <= 1.15 * floor),
                "libopus and speexdsp alone, a frame each 20 ms", floor)
            row(name + ", both directions, one side: psstd", used["psstd"], "% of a core")


# ---- PulseAudio ----


class Pulse:
    """A sound server with a microphone and a speaker for each, which are sinks whose monitors can be listened to."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="psst-pulse-")
        os.chmod(self.folder, 0o700)
        self.env = {"PULSE_SERVER": "unix:%s/native" % self.folder, "XDG_RUNTIME_DIR": self.folder,
                    "PULSE_COOKIE": self.folder + "/cookie"}
        sinks = [x for who in bridge.NAMES for end in ("mic", "spk")
                 for x in ("-L", "module-null-sink sink_name=%s_%s rate=48000 channels=1" % (who, end))]
        self.process = subprocess.Popen(
            ["pulseaudio", "--daemonize=no", "-n", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes", "-L",
             "module-native-protocol-unix auth-anonymous=1 socket=%s/native" % self.folder, *sinks],
            env=dict(os.environ, HOME=self.folder, **self.env), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        psst.wait_for("PulseAudio", lambda: os.path.exists(self.folder + "/native"), 15)

    def play(self, sink, path):
        return subprocess.Popen(["pacat", "--playback", "-d", sink, "--raw", "--rate=48000", "--channels=1", "--format=s16le",
                                 "--latency-msec=20", path], env=dict(os.environ, **self.env), stdin=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Recorder(threading.Thread):
    """What passes a device. Where sample 0 lies in time: as early as any block that came allows; what a block takes to come
    is the same for all recorders."""

    def __init__(self, pulse, source):
        super().__init__(daemon=True)
        self.process = subprocess.Popen(["parec", "-d", source, "--raw", "--rate=48000", "--channels=1", "--format=s16le",
                                         "--latency-msec=10"], env=dict(os.environ, **pulse.env), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE)
        self.data, self.began = bytearray(), []
        self.start()

    def run(self):
        fd = self.process.stdout.fileno()
        while True:
            got = os.read(fd, 65536)
            if not got:
                return
            self.data += got
            self.began.append(time.monotonic() - len(self.data) / 2 / speech.HZ)

    def end(self):
        self.process.terminate()
        self.process.wait()
        self.join()
        self.process.stdout.close()
        usable = len(self.data) // 2 * 2
        samples = numpy.frombuffer(bytes(self.data[:usable]), dtype="<i2").astype(float) / 32768
        return samples, packets.percentile(self.began[50:], 5)


def played(material, said):
    """The sentences as the microphone's device played them: where each begins there, and with what became of it."""
    low, at = delay.low(said), 0
    out = speech.Speech([0.0])
    out.samples = said
    for sentence in material.sentences:
        piece = delay.low(material.samples[sentence.begin:sentence.end])
        # from the sentence before on: a player that was held up has put silence between them
        begin, alike = delay.correlate(piece, low[at:at + 15 * delay.RATE])
        if alike < 0.8:
            print("voice: pulse: a sentence was not played as it is (%.2f), and is left out" % alike, file=sys.stderr)
            continue
        begin = round((at + begin) / delay.RATE * speech.HZ)
        out.sentences.append(speech.Sentence(sentence.words, begin, begin + sentence.end - sentence.begin))
        at = int((begin + sentence.end - sentence.begin) / speech.HZ * delay.RATE)
    return out


def carried(pulse, root, whom, seconds=None):
    """What is played into the microphones, and what passes all four devices meanwhile: {(who, end): (samples, moment)}."""
    recorders = {(who, end): Recorder(pulse, "%s_%s.monitor" % (who, end)) for who in bridge.NAMES for end in ("mic", "spk")}
    time.sleep(1)
    players = []
    for who in bridge.NAMES:
        path = os.path.join(root, who + ".raw")
        whom[who].pcm[:None if seconds is None else int(seconds * speech.HZ)].tofile(path)
        players.append(pulse.play(who + "_mic", path))
    for player in players:
        player.wait()
    time.sleep(1.5)
    return {key: recorder.end() for key, recorder in recorders.items()}


def between(got, mouth, ear):
    """delay.Ears of what one's microphone was given and the other's speaker played, and the samples of both."""
    (said, said_at), (came, came_at) = got[mouth, "mic"], got[ear, "spk"]
    return delay.Ears(said, came, came_at - said_at), said, came


def devices_alone(pulse, root, whom):
    """The delay of the same devices, asked for the same latencies, with nothing but a loop between them."""
    ways = [(mouth, ear) for mouth, ear in zip(bridge.NAMES, bridge.NAMES[::-1])]
    loops = [subprocess.Popen([os.path.join(args.build, "bench", "bench_devices"), mouth + "_mic.monitor", ear + "_spk"],
                              env=dict(os.environ, **pulse.env), stdin=subprocess.DEVNULL) for mouth, ear in ways]
    try:
        time.sleep(2)
        got = carried(pulse, root, whom, 10)
    finally:
        for loop in loops:
            loop.terminate()
            loop.wait()
    delays = []
    for mouth, ear in ways:
        ears, said, _ = between(got, mouth, ear)
        delays += [late * 1000 for _, late in ears.track(0, len(said) / speech.HZ)]
    return statistics.median(delays)


def through_pulse():
    if not shutil.which("pulseaudio") or not shutil.which("parec"):
        print("voice: PulseAudio is not installed: not measured", file=sys.stderr)
        return
    whom = materials()
    pulse = Pulse()
    try:
        with Two("pulse", env=pulse.env) as two:
            for person in two.people:
                person.psst("set", "microphone", "%s_mic.monitor" % person.name)
                person.psst("set", "speaker", "%s_spk" % person.name)
            made = two.call({})
            time.sleep(3)  # idle null sinks lose what comes first
            got = carried(pulse, two.root, whom)
            network(two, "pulse")
            for (who, end), (samples, _) in got.items() if args.keep else ():
                speech.wav_write(os.path.join(two.root, "%s.%s.wav" % (who, end)), numpy.round(samples * 32767).astype("<i2"))
            made.hang_up()
            alone = devices_alone(pulse, two.root, whom)
        heard = Heard()
        for mouth, ear in (("alice", "bob"), ("bob", "alice")):
            ears, said, came = between(got, mouth, ear)
            heard.add(played(whom[mouth], said), ears, came, recogniser())
        heard.rows("pulse, device to device", 65)
        row("pulse: the devices alone, looped", alone, "ms")
        row("pulse, from a frame handed over to the speaker's device", statistics.median(heard.delays_ms) - 20, "ms")
    finally:
        pulse.close()


# ---- the lines ----


def loopback():
    speak("loopback", None, 30)
    speak("loopback, both speak at once", None, together=True)
    speak("loopback, nothing cancelled nor cleaned", None, echo="off", clean="no")


def cpu():
    speak("a call of 32 kbit/s", None, cpu=True, voice_quality="6")
    speak("a call of 32 kbit/s, both speak at once", None, cpu=True, together=True, voice_quality="6")


def uniform():
    speak("30 ms, jitter 40 ms, 10 % lost", bridge.Profile(delay=0.03, jitter=0.04, loss=0.1), 160, 0.93)
    speak("30 ms, jitter 80 ms, 20 % lost", bridge.Profile(delay=0.03, jitter=0.08, loss=0.2), 200, 0.91)


def wireless():
    speak("30 ms, wireless, 5 % lost in rows", bridge.Profile(delay=0.03, jitter=0.008, kind="exponential", loss=0.05, burst=3,
                                                              spike=0.12, spike_every=4, spike_length=0.2))


def tcp():
    speak("30 ms, no UDP", bridge.Profile(delay=0.03, udp=False, reorder=False))


def outage():
    """Delay before, during, after; how long until it is back under 1.2 times what it was."""
    whom = materials(together=True)
    shown = plot.Plot("An outage of 2 s on a line of 30 ms, jitter 20 ms: mouth to ear", "seconds of the call", "ms")
    usual = dict(delay=0.03, jitter=0.02)
    for name, bad in (("nothing passes for 2 s", dict(drop=True)), ("2 s late, all at once", dict(hold=2.0))):
        with Two("outage " + name, bridge.Profile(**usual)) as two:
            for person in two.people:  # both speak at once: what the canceller makes of that is another matter
                person.psst("set", "echo", "off")
            made = two.call(whom)
            time.sleep(18)
            began = two.line.set(bridge.Profile(**usual, **bad)) / 1e9
            time.sleep(2)
            over = two.line.set(bridge.Profile(**usual)) / 1e9
            time.sleep(12)
            network(two, name)
            made.hang_up()
            worst = 0.0
            for mouth, ear in (("alice", "bob"), ("bob", "alice")):
                ears, _ = call.ears(two.sides[mouth], two.sides[ear])
                spoken = two.sides[mouth].moments()[0]
                tracked = [(spoken + at, 1000 * late) for at, late in ears.track(2, whom[mouth].seconds - 0.5)]
                before = statistics.median(late for at, late in tracked if began - 10 < at < began - 0.4)
                after = [(at, late) for at, late in tracked if at >= over]
                if not after:
                    raise AssertionError("nothing was heard after the outage")
                high = [at for at, late in after if late > 1.2 * before]
                back = max(high) + 0.4 - over if high else after[0][0] - over
                worst = max(worst, back)
                say("%s, %s to %s: %.0f ms before, %.0f ms at most after, back after %.2f s" %
                    (name, mouth, ear, before, max(late for _, late in after), back))
                if mouth == "alice":
                    shown.line(name, [(at - began + 18, late) for at, late in tracked], dots=True)
                    shown.level("1.2 times", 1.2 * before)
            at_most("an outage, %s: back under 1.2 times the delay after" % name, worst, "s", 5)
    shown.span("outage", 18, 20)
    if args.plots:
        shown.write(os.path.join(args.plots, "outage.svg"), x_range=(8, 32))


def sizes():
    """Speech, silence, mute, as the line's log shows them."""
    part = 20.0
    spoken = materials(together=True)["alice"].samples
    third = spoken[:int(part * speech.HZ)]
    material = speech.Speech([("", third), part, ("", third), ("", third)])
    with Two("sizes", bridge.Profile(delay=0.01)) as two:
        made = two.call({who: material for who in bridge.NAMES})
        alice = two.sides["alice"]
        began = alice.moments()[0]
        time.sleep(max(0, began + 2 * part - time.monotonic()))
        alice.set(send=False)
        muted = time.monotonic()
        time.sleep(part)
        two.line.set(bridge.Profile(delay=0.01))  # the log is flushed
        ended = time.monotonic()
        made.hang_up()
        seen = list(packets.read(two.packets))
    spans = {"speech": (began + 3, began + part - 0.5), "silence": (began + part + 0.5, began + 2 * part - 0.5),
             "mute": (muted + 0.2, ended)}
    found, gaps = {}, {}
    for name, (begin, end) in spans.items():
        got = packets.voice(seen, "bob", begin, end)
        if len(got) < 100:
            raise AssertionError("only %d packets while %s" % (len(got), name))
        found.setdefault("sizes", set()).update(size for _, size in got)
        gaps[name] = packets.spacings_ms([at for at, _ in got])
        row("on the line during %s: packets a second" % name, (len(got) - 1) / (got[-1][0] - got[0][0]), "/s", "50", None)
        row("on the line during %s: spacing, mean" % name, statistics.mean(gaps[name]), "ms")
        row("on the line during %s: spacing, standard deviation" % name, statistics.pstdev(gaps[name]), "ms")
    row("on the line: sizes that packets of a call have", len(found["sizes"]), "", "1", len(found["sizes"]) == 1)
    row("on the line: bytes of a packet, with IP and UDP", max(found["sizes"]), "bytes")
    for other in ("silence", "mute"):
        distance, p = packets.kolmogorov_smirnov(gaps["speech"], gaps[other])
        row("on the line: spacing, speech against %s: Kolmogorov-Smirnov's D (p = %.2f)" % (other, p), distance, "",
            "p over 0.01", p > 0.01)
    if args.plots:
        shown = plot.Plot("Time between the packets of a call, as seen on the line", "ms", "of a hundred at most")
        for name, values in gaps.items():
            shown.distribution(name, values)
        shown.write(os.path.join(args.plots, "rhythm.svg"), x_range=(17, 23))


def main():
    if not shutil.which("flite"):
        sys.exit("voice: flite is not installed (tools/setup.sh bench)")
    try:  # what else this machine does is not what is measured; each terminal's processes are weighed as one, where that is on
        os.nice(-15)
        with open("/proc/self/autogroup", "w", encoding="ascii") as file:
            file.write("-15")
    except OSError:
        pass
    wanted = args.rows.split(",")
    for folder in (args.plots, args.keep):
        if folder:
            os.makedirs(folder, exist_ok=True)
    for name, measure in (("loopback", loopback), ("cpu", cpu), ("pulse", through_pulse),
                          ("uniform", uniform), ("wireless", wireless), ("tcp", tcp), ("outage", outage), ("sizes", sizes)):
        if name not in wanted:
            continue
        say("%s; load %.1f" % (name, os.getloadavg()[0]))
        try:
            measure()
        except unittest.SkipTest as reason:
            print("voice: %s: not measured: %s" % (name, reason), file=sys.stderr)
    if args.plots and delays_ms:
        shown = plot.Plot("Mouth to ear, by line", "ms", "of a hundred pieces at most")
        for name, values in delays_ms.items():
            shown.distribution(name, values)
        shown.write(os.path.join(args.plots, "delay.svg"), x_range=(0, 300))


main()
