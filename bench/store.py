"""Benches of the history: bench_store, and the real programs over a million messages and between two daemons. On a disk, not in
memory: what is said is durable.

Usage: store.py BUILD_DIRECTORY [MESSAGES]     prints one JSON row a figure
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from daemons import BIN, BUILD, Control, Person, introduce, row

MESSAGES = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
SAID = 15_000  # whoever says more at once is read slowly
IN_FLIGHT = 60  # psstd reads no further with 64


def bench(*args):
    subprocess.run([f"{BUILD}/bench/bench_store", *args], check=True)


def psst_ms(person, *args):
    """The whole program, from its start to its end."""
    took = []
    for _ in range(21):
        start = time.monotonic()
        done = subprocess.run([os.path.join(BIN, "psst"), *args], env=person.env, stdout=subprocess.DEVNULL, check=False)
        took.append((time.monotonic() - start) * 1000)
        assert done.returncode == 0
    return took


def million(work):
    person, ben, cara = Person(work, "Anna", 2048), Person(work, "Ben", 2048), Person(work, "Cara", 2048)
    try:
        introduce(person, ben)
        introduce(person, cara)
    finally:
        for p in (person, ben, cara):
            p.down()
    bench("fill", person.home, str(MESSAGES))
    bench("search", person.home)
    try:
        person.psst("up")
        wait_unlocked(person)
        took = psst_ms(person, "log", "Ben")
        row("psst log, the last 50 of 1,000,000 messages, with the start of the program, median", statistics.median(took),
            "ms", "at most 30 ms", statistics.median(took) <= 30, "psst --version",
            statistics.median(psst_ms(person, "--version")))
        for words, name in (("zyxrare", "a rare word"), ("the", "a word in every message"), ("alpha beta", "two common words")):
            took = psst_ms(person, "log", "--search", words)
            worst = max(took)
            row(f"psst log --search in 1,000,000 messages: {name}, with the start of the program, slowest of 21", worst, "ms",
                "at most 100 ms", worst <= 100, "median of the same", statistics.median(took))
        start = time.monotonic()
        person.psst("log", "Ben", "--json", "--export", os.path.join(work, "export.jsonl"))
        row("psst log --json --export of 900,000 messages", time.monotonic() - start, "s")
    finally:
        person.down()
    bench("erase", person.home)


def wait_unlocked(person):
    while json.loads(person.psst("status", "--json"))["identity"]["locked"]:
        time.sleep(0.05)


def one_session(work):
    """Messages through the control socket as fast as they are taken, until the other side has committed them all."""
    a, b = Person(work, "Dan", 2048), Person(work, "Eve", 2048)
    try:
        introduce(a, b)
        a.psst("dial", "Eve")
        control, events = Control(a), Control(a)
        events.call("subscribe", events=["message.state"])
        asked = answered = 0
        start = time.monotonic()
        while answered < SAID:
            lines = b""
            while asked < SAID and asked - answered < IN_FLIGHT:
                control.next += 1
                asked += 1
                request = dict(jsonrpc="2.0", id=control.next, method="say", params=dict(name="Eve", text=f"message {asked}"))
                lines += json.dumps(request).encode() + b"\n"
            if lines:
                control.socket.sendall(lines)
            while "id" not in (answer := json.loads(control.file.readline())):
                pass
            assert "result" in answer, answer
            answered += 1
        delivered = 0
        while delivered < SAID:
            event = json.loads(events.file.readline())
            delivered += event.get("method") == "message.state" and event["params"]["state"] == "delivered"
        took = time.monotonic() - start
        got = Control(b).call("contacts")["contacts"][0]["unread"]
        if got != SAID:
            raise RuntimeError(f"{got} of {SAID} messages arrived")
        row("messages stored and acknowledged, one session, durable on both sides (on one disk)", SAID / took, "1/s",
            "at least 2000", SAID / took >= 2000)
    finally:
        a.down()
        b.down()


def main():
    work = tempfile.mkdtemp(prefix="psst-bench-", dir=BUILD)
    try:
        bench("commits", work)
        one_session(work)
        million(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
