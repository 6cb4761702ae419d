"""What psstd adds to a call: how long it takes to ring, to be answered, to have psst-voice back; and what frames cost it. The real
programs, over loopback, without sound devices. How calls sound: voice.py.

Usage: calls.py BUILD_DIRECTORY     prints one JSON row a figure
"""
import os
import shutil
import signal
import statistics
import tempfile
import time

from daemons import Control, Person, introduce, row

SESSIONS = 5
RINGS = 6  # a minute in one session (docs/PROTOCOL.md)
HITS = 4  # of each kind: psstd begins ten a minute
TALK_S = 10


def voice_pid(person):
    """Its psst-voice; None: there is none."""
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as file:
                head, _, rest = file.read().rpartition(")")
            if entry.isdigit() and head.endswith("(psst-voice") and int(rest.split()[1]) == person.pid:
                return int(entry)
        except OSError:
            pass
    return None


def state(control, wanted):
    return control.wait("call", lambda c: c["state"] == wanted)


def rings(a, b):
    """Milliseconds from the request to the event on the other side: of the call, of the answer."""
    offered, active = [], []
    for _ in range(RINGS):
        start = time.monotonic()
        a.call("call", name="Ben")
        state(b, "offered")
        offered.append((time.monotonic() - start) * 1000)
        time.sleep(0.1)  # psst-voice is being started; nobody answers as soon as that
        start = time.monotonic()
        b.call("answer")
        state(a, "active")
        active.append((time.monotonic() - start) * 1000)
        a.call("call.hangup")
        state(b, "ended"), state(a, "ended")
        time.sleep(0.1)
    return offered, active


def hit(a, b, anna, sig):
    """Milliseconds from the signal until the other side hears of a new psst-voice: frames that are not empty."""
    took = []
    for _ in range(HITS):
        pid = voice_pid(anna)
        os.kill(pid, sig)
        start = time.monotonic()
        while voice_pid(anna) in (None, pid):
            time.sleep(0.002)
        took.append((time.monotonic() - start) * 1000)
        time.sleep(1)
    return took


def main():
    work = tempfile.mkdtemp(prefix="psst-bench-", dir="/dev/shm")
    anna, ben = Person(work, "Anna", 2048), Person(work, "Ben", 2048)
    try:
        for person in (anna, ben):
            for key in ("microphone", "speaker"):
                person.psst("set", key, "null")
        introduce(anna, ben)
        a, b = Control(anna), Control(ben)
        for control in (a, b):
            control.call("subscribe", events=["call"])
        a.call("dial", name="Ben")
        offered, active = [], []
        for _ in range(SESSIONS):
            got = rings(a, b)
            offered += got[0]
            active += got[1]
            a.call("hangup", name="Ben")
            time.sleep(0.3)
            a.call("dial", name="Ben")
        for name, values in (("a call: from the request to the ringing over there", offered),
                             ("a call: from the answer to both talking", active)):
            value = statistics.median(values)
            row(name + ", loopback, median", value, "ms", "at most 5 ms", value <= 5, "the slowest", max(values))
        a.call("call", name="Ben")
        state(b, "offered")
        b.call("answer")
        state(a, "active")
        time.sleep(1)
        before = anna.cpu_fine()
        time.sleep(TALK_S)
        row("psstd's CPU in a call, one side", (anna.cpu_fine() - before) / TALK_S * 100, "%")
        for sig, name in ((signal.SIGKILL, "is killed"), (signal.SIGSTOP, "hangs")):
            took = hit(a, b, anna, sig)
            value = statistics.median(took)
            row(f"psst-voice {name}: another is there after, median", value, "ms", "at most 500 ms", value <= 500,
                "the slowest", max(took))
        a.call("call.hangup")
    finally:
        anna.down()
        ben.down()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
