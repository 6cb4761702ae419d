"""psst-voice driven by hand: its messages (src/daemon/voice/protocol.h) on a socket pair, as psstd has it; two of them joined
back to back; a sound server that nobody hears.

    a, b = Voice(root, "a"), Voice(root, "b")
    a.start(CALL, wavs=(said, None));  b.start(CALL, wavs=(None, heard))
    join(lambda: b.reports, (a, b))
"""
import array
import operator
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import time

from psst import PATIENCE, program, wait_for

CALL, RING, RINGBACK, PLAY, RECORD, CHECK, DEVICES = range(1, 8)
NONE, NULL, WAV, PULSE = range(4)
START, SET, FRAME, REMOTE, STOP = range(1, 6)
READY, LEVELS, REPORT, DEVICE, LISTED, DONE = range(17, 23)
MICROPHONE, SPEAKER = range(2)
LEVEL = ("microphone", "speaker", "voice", "clipping", "quality", "fec")
COUNTS = ("loss", "jitter", "delay", "received", "lost", "late", "recovered", "concealed", "garbage", "first_capture",
          "first_playback")
HZ = 48000


def settings(quality=4, sense=-100, volume=100, send=True, receive=True, echo=False, clean=False):
    return struct.pack(">BbBB", quality, sense, volume, send | receive << 1 | echo << 2 | clean << 3)


def start_message(job, kinds, devices=("", ""), opus_max=80, timestamp=0, limit=0, chosen=None):
    out = struct.pack(">BB", START, job)
    for kind, device in zip(kinds, devices):
        out += struct.pack(">BB", kind, len(device)) + device.encode()
    return out + struct.pack(">HIH", opus_max, timestamp, limit) + (chosen or settings())


class Voice:
    """One psst-voice. What it has said is in frames [(timestamp, payload)], reports, levels, states, listed, done."""

    def __init__(self, root, name, runtime=None):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        runtime = runtime or root
        environment = {"LANG": "C.UTF-8", "HOME": runtime, "XDG_RUNTIME_DIR": runtime, "PSST_HOME": root}
        for option in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if option in os.environ:
                environment[option] = os.environ[option]
        self.name, self.socket = name, ours
        self.log_path = os.path.join(root, name + ".log")
        self.out_path = os.path.join(root, name + ".out")
        self.code = None
        with open(self.log_path, "ab") as log, open(self.out_path, "ab") as out:
            self.pid = os.fork()
            if self.pid == 0:
                try:
                    os.dup2(out.fileno(), 1)
                    os.dup2(log.fileno(), 2)
                    os.dup2(theirs.fileno(), 3)
                    os.set_inheritable(3, True)
                    os.execve(program("psst-voice"), ["psst-voice"], environment)
                finally:
                    os._exit(127)
        theirs.close()
        ours.setblocking(False)
        self.ready, self.ended = 0, False
        self.frames, self.reports, self.levels, self.states, self.listed, self.done = [], [], [], [], [], []

    # ---- to it ----

    def send(self, message, fds=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        try:
            self.socket.sendmsg([message], rights)
        except (BlockingIOError, ConnectionError, BrokenPipeError):
            return False
        return True

    def start(self, job, wavs=(None, None), pulse=(None, None), file=None, kinds=None, **more):
        """wavs: paths, microphone and speaker; pulse: device names; what is neither is null. file: path of the Ogg."""
        kinds = list(kinds or (NULL, NULL))
        devices, fds = ["", ""], []
        for end in (MICROPHONE, SPEAKER):
            if wavs[end] is not None:
                kinds[end] = WAV
                flags = os.O_RDONLY if end == MICROPHONE else os.O_RDWR | os.O_CREAT
                fds.append(os.open(wavs[end], flags, 0o600) if isinstance(wavs[end], str) else os.dup(wavs[end]))
            elif pulse[end] is not None:
                kinds[end], devices[end] = PULSE, pulse[end]
        if file is not None:
            fds.append(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        self.send(start_message(job, kinds, devices, **more), fds)
        for fd in fds:
            os.close(fd)

    def set(self, **chosen):
        self.send(bytes([SET]) + settings(**chosen))

    def frame(self, timestamp, payload, when=None):
        return self.send(struct.pack(">BIQ", FRAME, timestamp & 0xffffffff, when or time.monotonic_ns()) + payload)

    def stop(self):
        self.send(bytes([STOP]))

    # ---- from it ----

    def take(self):
        """All that is there; the new FRAMEs."""
        frames = []
        while not self.ended:
            try:
                message = self.socket.recv(4096)
            except BlockingIOError:
                break
            except ConnectionError:
                message = b""
            if not message:
                self.ended = True
                break
            op, body = message[0], message[1:]
            if op == FRAME:
                frames.append((struct.unpack(">I", body[:4])[0], body[12:]))
            elif op == READY:
                self.ready += 1
            elif op == LEVELS:
                self.levels.append(dict(zip(LEVEL, struct.unpack(">bbBBBB", body))))
            elif op == REPORT:
                self.reports.append(dict(zip(COUNTS, struct.unpack(">BHH6IQQ", body))))
            elif op == DEVICE:
                self.states.append((body[0], body[1] == 1, body[3:].decode()))
            elif op == LISTED:
                self.listed.append((body[0], body[1] == 1, body[3:3 + body[2]].decode(), body[4 + body[2]:].decode()))
            elif op == DONE:
                self.done.append((body[0], body[2:].decode()))
            else:
                raise AssertionError("psst-voice says %r" % message)
        self.frames += frames
        return frames

    def works(self, end):
        """What it said last: True, False, None when nothing yet."""
        return next((works for e, works, _ in reversed(self.states) if e == end), None)

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def status(self, field):
        with open("/proc/%d/status" % self.pid) as file:
            return next(line.split()[1] for line in file if line.startswith(field + ":"))

    # ---- its end ----

    def wait(self, timeout=10):
        """Its exit code, or minus the signal."""
        def gone():
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            return pid
        if self.code is None:
            wait_for("the end of psst-voice " + self.name, gone, timeout)
        return self.code

    def kill(self):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def close(self):
        self.socket.close()
        self.kill()


def join(until, *pairs, timeout=20, on_frame=None):
    """Carries the frames of each to the other of its pair, at once, until the condition holds. on_frame(voice) before each."""
    everyone = [v for pair in pairs for v in pair]
    deadline = time.monotonic() + timeout * PATIENCE
    while not until():
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain: " + ", ".join("%s %s %s" % (v.name, v.states, v.done) for v in everyone))
        select.select([v.socket for v in everyone if not v.ended], [], [], 0.05)
        for pair in pairs:
            for voice, other in (pair, pair[::-1]):
                for timestamp, payload in voice.take():
                    if on_frame is not None:
                        on_frame(voice)
                    if other is not voice:
                        other.frame(timestamp, payload)


class SoundServer:
    """PulseAudio with null sinks, in a folder of its own. Sinks do not rewind, so that they start at once."""

    def __init__(self, root, sinks):
        self.runtime = os.path.join(root, "sound")
        os.makedirs(self.runtime, 0o700, exist_ok=True)
        self.sinks, self.process = list(sinks), None
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.runtime, "XDG_RUNTIME_DIR": self.runtime,
                            "LANG": "C.UTF-8", "PSST_HOME": root}
        self.log_path = os.path.join(root, "pulseaudio.log")

    @staticmethod
    def exists():
        return shutil.which("pulseaudio") is not None and shutil.which("pactl") is not None

    def sink(self, name):
        return "module-null-sink sink_name=%s rate=48000 channels=1 norewinds=1" % name

    def begin(self):
        command = ["pulseaudio", "--daemonize=no", "-n", "--exit-idle-time=-1", "--log-level=error",
                   "-L", "module-native-protocol-unix"]
        for name in self.sinks:
            command += ["-L", self.sink(name)]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for("the sound server", lambda: self.control("info") is not None)

    def control(self, *words):
        """What pactl says; None: it failed."""
        done = subprocess.run(["pactl", *words], env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


# ---- sound, compared ----

RATE = 2000


def low(pcm):
    """At 2 kHz, each sample a mean."""
    by = HZ // RATE
    return [sum(pcm[i:i + by]) / by for i in range(0, len(pcm) - by + 1, by)]


def pieces(said, from_s, to_s, length_s, count):
    """Where those pieces of `said` begin that have the most in them, in seconds."""
    begins = [from_s + i * length_s / 2 for i in range(int((to_s - from_s) / (length_s / 2)))]
    energy = {b: sum(x * x for x in said[int(b * RATE):int((b + length_s) * RATE)]) for b in begins}
    return sorted(begins, key=energy.get)[-count:]


def find(said, heard, begin_s, length_s, around_s, latest_s=0.5):
    """Where in `heard` (both by low) a piece of `said` is, in seconds, from around_s to latest_s later, and how alike (0 to 1)."""
    piece = said[int(begin_s * RATE):int((begin_s + length_s) * RATE)]
    norm = sum(map(operator.mul, piece, piece))
    best = (0.0, 0.0)
    first = max(0, int(around_s * RATE))
    for at in range(first, min(first + int(latest_s * RATE), len(heard) - len(piece))):
        part = heard[at:at + len(piece)]
        energy = sum(map(operator.mul, part, part))
        if energy <= 0:
            continue
        alike = sum(map(operator.mul, piece, part)) / (norm * energy) ** 0.5
        if alike > best[1]:
            best = (at / RATE, alike)
    return best
