"""A call between two real psstds, with wavs for ears and mouths, and everything that was seen of it.

    alice, bob = Side(person, said_path, heard_path), Side(...)
    call = Call(alice, bob)          # rings, is answered, both speak
    time.sleep(10)
    call.hang_up()                   # both wavs are whole then
    ears(alice, bob)                 # delay.Ears: what bob heard of alice

The people are psst.Person, in whatever machines (bridge.py, or loopback).
"""
import json
import os
import socket
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import psst  # noqa: E402
import speech  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


def ask_with(control, method, files, **params):
    """control.call, with descriptors on the way."""
    control.next += 1
    if files:
        params["fds"] = len(files)
    line = json.dumps({"jsonrpc": "2.0", "id": control.next, "method": method, "params": params}).encode() + b"\n"
    socket.send_fds(control.sock, [line], [file.fileno() for file in files]) if files else control.sock.sendall(line)
    while True:
        message = control.line()
        if message.get("id") == control.next:
            if "error" in message:
                raise AssertionError("%s: %s" % (method, message["error"]))
            return message.get("result")
        control.events.append(message)


class Watch(threading.Thread):
    """The events `call` and `voice` of one side, each with the moment at which it was read."""

    def __init__(self, person):
        super().__init__(daemon=True)
        self.control = person.control()
        self.control.call("subscribe", events=["call", "voice"])
        self.calls, self.voices, self.changed, self.over = [], [], threading.Condition(), False
        self.start()

    def run(self):
        try:
            while True:
                message = self.control.events.pop(0) if self.control.events else self.control.line(3600)
                with self.changed:
                    into = {"call": self.calls, "voice": self.voices}.get(message.get("method"))
                    if into is not None:
                        into.append((time.monotonic(), message["params"]))
                    self.changed.notify_all()
        except (OSError, ValueError, psst.peer.Closed):
            with self.changed:
                self.over = True
                self.changed.notify_all()

    def wait(self, what, condition, timeout=15):
        deadline = time.monotonic() + timeout * psst.PATIENCE
        with self.changed:
            while True:
                got = condition()
                if got:
                    return got
                if self.over or not self.changed.wait(max(0.0, deadline - time.monotonic())):
                    raise AssertionError("waited in vain: %s; seen: %s" % (what, [c for _, c in self.calls][-8:]))

    def state(self, state, after=0, timeout=15):
        return self.wait("the call is " + state, lambda: next((c for t, c in self.calls if c["state"] == state and t >= after),
                                                             None), timeout)

    def close(self):
        try:
            self.control.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.join()
        self.control.sock.close()


def cpu_s(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK
    except OSError:
        return 0.0


class Side:
    def __init__(self, person, said=None, heard=None):
        """Paths of wavs: what the microphone says, where what is heard goes; None: a device."""
        self.person, self.said, self.heard = person, said, heard
        self.watch = Watch(person)
        self.control = person.control()

    def ends(self):
        """Params and descriptors."""
        files = ([open(self.said, "rb")] if self.said else []) + ([open(self.heard, "w+b")] if self.heard else [])
        return dict(wav_in=bool(self.said), wav_out=bool(self.heard)), files

    def begin(self, method, name):
        params, files = self.ends()
        try:
            return ask_with(self.control, method, files, name=name, **params)
        finally:
            for file in files:
                file.close()

    def set(self, **settings):
        return self.control.call("voice.set", **settings)

    def last(self, field, default=None):
        for _, voice in reversed(self.watch.voices):
            if field in voice:
                return voice[field]
        return default

    def moments(self):
        """Of the first frame captured and the first played, in s; 0: not known."""
        return tuple(int(self.last(field) or 0) / 1e9 for field in ("first_capture_ns", "first_playback_ns"))

    def close(self):
        self.watch.close()
        self.control.sock.close()


class Call:
    def __init__(self, caller, callee, dial=True):
        self.caller, self.callee = caller, callee
        names = caller.person.name, callee.person.name
        if dial and not caller.person.sessions(names[1]):
            caller.person.psst("dial", names[1], timeout=60)
            callee.person.wait_session(names[0])
        self.asked = time.monotonic()
        caller.begin("call", names[1])
        callee.watch.state("offered", self.asked, 30)
        callee.begin("answer", names[0])
        for side in (caller, callee):
            side.watch.state("active", self.asked, 30)
        self.active = time.monotonic()

    def speaking(self, timeout=15):
        """Waits until both microphones and speakers run."""
        for side in (self.caller, self.callee):
            side.watch.wait("sound both ways", lambda side=side: all(side.moments()), timeout)

    def hang_up(self):
        self.caller.control.call("call.hangup")
        for side in (self.caller, self.callee):
            side.watch.state("ended", self.asked, 30)
        psst.wait_for("the wavs to be closed",
                      lambda: not psst.voices(self.caller.person) + psst.voices(self.callee.person), 10)


def samples(path):
    import numpy
    return numpy.asarray(speech.wav_read(path)[0], dtype=float) / 32768


def ears(mouth, ear):
    """delay.Ears of a call that is over: what `ear` heard of what `mouth` said; with the samples that were heard."""
    import delay
    heard = samples(ear.heard)
    return delay.Ears(samples(mouth.said), heard, ear.moments()[1] - mouth.moments()[0]), heard
