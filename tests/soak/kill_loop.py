#!/usr/bin/env python3
"""The proof that nothing is lost: pairs of real daemons that exchange numbered messages and files while each is killed with
SIGKILL at random moments and started again.

    kill_loop.py [--bin DIR] [--cycles N] [--pairs P] [--state DIR] [--seed S]

A cycle is one kill (of either daemon, or of both at once) and its restart. All the while both sides say numbered messages
and now and then send a file or a folder. What psstd has confirmed (`say`, `send` answered) is written down, before anything
else is asked, in a journal that outlives this program too. Every few cycles the writers rest until nothing waits any more,
and both histories are held against the journals:

    confirmed messages     are there once, on both sides, delivered, in the order in which they were said
    unconfirmed ones       (the daemon died before it answered) at most once
    files, folders         whole, by SHA-256, once

Nobody dials here: that the two find each other again is the daemons' own business. At the end each store is read whole
(`check`).

With --state the homes, journals and figures stay there, and a later call with the same directory goes on. Without it a
temporary directory is used and removed. Last line: "kill loop: N passed, N failed", a pair's check counting as one.
"""
import argparse
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))

CHECK_EVERY = 10  # cycles between two checks
SETTLE_S = 60  # a limit that only guards a hang
FIGURES = ("cycles", "kills", "confirmed", "unconfirmed", "arrived", "files", "folders", "lost", "doubled", "disordered",
           "damaged", "checks")


class Lost(Exception):
    """What was promised was not kept."""


def write_atomically(path, text):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)


def digest_of(path):
    """SHA-256 of a file; of a folder: of all that is in it, with the names."""
    if not os.path.isdir(path):
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(path):
        folders.sort()
        digest.update(("%s/\n" % os.path.relpath(folder, path)).encode())
        for name in sorted(files):
            digest.update(("%s %s\n" % (name, digest_of(os.path.join(folder, name)))).encode())
    return digest.hexdigest()


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


class Side:
    """One daemon, the writer that talks through it, and the journal of what it was promised."""

    def __init__(self, pair, person, other_name, rng):
        self.pair, self.person, self.other, self.rng = pair, person, other_name, rng
        self.journal_path = os.path.join(pair.dir, person.name + ".journal")
        self.downloads = os.path.join(pair.dir, person.name + "-in")
        self.outgoing = os.path.join(pair.dir, person.name + "-out")
        for path in (self.downloads, self.outgoing):
            os.makedirs(path, mode=0o700, exist_ok=True)
        self.number = 0  # of the last message that was tried
        self.confirmed, self.tried = [], []  # since the last check
        self.files = {}  # name: sha256 of what was tried; since the last check
        self.files_confirmed = set()
        self.seen = 0  # seq up to which the history is checked
        self.number_in = 0  # of the last message from the other side
        self.read_journal()
        self.journal = open(self.journal_path, "a", encoding="ascii")

    def read_journal(self):
        if not os.path.exists(self.journal_path):
            return
        with open(self.journal_path, encoding="ascii") as file:
            for line in file:
                words = line.split()
                if not line.endswith("\n"):
                    break  # cut off with this program: what it was about was not asked yet
                if words[0] == "try":
                    self.number = int(words[1])
                    self.tried.append(self.number)
                elif words[0] == "said":
                    self.confirmed.append(int(words[1]))
                elif words[0] == "file":
                    self.files[words[1]] = words[2]
                elif words[0] == "sent":
                    self.files_confirmed.add(words[1])
                elif words[0] == "checked":
                    self.confirmed, self.tried, self.files, self.files_confirmed = [], [], {}, set()
                    self.seen, self.number_in = int(words[1]), int(words[2])

    def note(self, *words):
        self.journal.write(" ".join(str(w) for w in words) + "\n")
        self.journal.flush()

    def checked(self):
        self.note("checked", self.seen, self.number_in)
        self.confirmed, self.tried, self.files, self.files_confirmed = [], [], {}, set()

    # ---- talking ----

    def say(self, control):
        self.number += 1
        self.tried.append(self.number)
        self.note("try", self.number)
        filler = "x" * self.rng.choice((0, 0, 0, 40, 700, 9000))
        control.call("say", name=self.other, text="%d %s" % (self.number, filler))
        self.note("said", self.number)
        self.confirmed.append(self.number)

    def make_file(self, path, sizes):
        with open(path, "wb") as file:
            file.write(self.rng.randbytes(self.rng.choice(sizes)))

    def make_folder(self, path):
        os.makedirs(os.path.join(path, "empty"))
        for i in range(self.rng.randrange(1, 4)):
            below = os.path.join(path, "below-%d" % i, "further")
            os.makedirs(below)
            for folder in (below, path):
                self.make_file(os.path.join(folder, "file %d" % i), (0, 1, 4096, 70_000, 1 << 20))

    def send(self, control):
        is_folder = self.rng.random() < 0.3
        name = "%s-%d.%s" % (self.person.name, time.monotonic_ns(), "dir" if is_folder else "bin")
        path = os.path.join(self.outgoing, name)
        if is_folder:
            self.make_folder(path)
        else:
            self.make_file(path, (0, 1, 70_000, 1 << 20, 3_000_000))
        digest = digest_of(path)
        self.files[name] = digest
        self.note("file", name, digest)
        control.call("send", name=self.other, path=path)
        self.note("sent", name)
        self.files_confirmed.add(name)

    def accept(self, control):
        for file in control.call("files")["files"]:
            if file["direction"] == "in" and file["state"] == "waiting" and file["id"] not in self.accepted:
                answer = control.ask("file.accept", id=file["id"], dir=self.downloads)
                if "error" in answer and "decided on already" not in answer["error"]["message"]:  # in an earlier life
                    raise AssertionError("file.accept: %s" % answer["error"])
                self.note("accepted", file["id"], file["name"])
                self.accepted.add(file["id"])

    def talk(self):
        """A writer: goes on until the pair rests, across every death of its daemon."""
        self.accepted = set()
        while not self.pair.resting.is_set():
            try:
                with self.person.control() as control:
                    while not self.pair.resting.is_set():
                        what = self.rng.random()
                        if what < 0.85:
                            self.say(control)
                        elif what < 0.87:
                            self.send(control)
                        else:
                            self.accept(control)
                        time.sleep(self.rng.random() * 0.02)
            except AssertionError as error:  # an answer, but an error: not unlocked yet, or asked too early
                if "locked" not in str(error) and "no-identity" not in str(error):
                    self.pair.fail("%s: %s" % (self.person.name, error))
                time.sleep(0.01)
            except (OSError, ValueError, self.pair.peer.Closed):
                time.sleep(0.01)

    # ---- looking back ----

    def rows(self):
        """All of the history that is not checked yet, oldest first."""
        rows, params = [], {"after": self.seen}
        with self.person.control() as control:
            while True:
                answer = control.call("log", name=self.other, limit=1000, **params)
                page = [m for m in answer["messages"] if m["seq"] > self.seen]
                rows = page + rows
                if not page or len(page) < len(answer["messages"]) or (len(page) < 1000 and not answer["more"]):
                    return rows
                params = {"before": page[0]["seq"]}


def number_of(message):
    return int(message["text"].split(" ", 1)[0])


class Pair:
    def __init__(self, directory, seed):
        import peer
        import psst
        self.peer, self.psst = peer, psst
        self.dir, self.rng = directory, random.Random(seed)
        self.resting = threading.Event()
        self.trouble = None
        self.refused = ""  # the last error that was an answer
        self.figures_path = os.path.join(directory, "figures.json")
        self.figures = dict.fromkeys(FIGURES, 0)
        fresh = not os.path.exists(self.figures_path)
        if fresh:
            shutil.rmtree(directory, ignore_errors=True)
            os.makedirs(directory, mode=0o700)
        else:
            with open(self.figures_path, encoding="utf-8") as file:
                self.figures.update(json.load(file))
            self.rng = random.Random("%s %d" % (seed, self.figures["cycles"]))
        self.people = [psst.Person(directory, name) for name in ("alice", "bob")]
        for person in self.people:
            person.start()
        if fresh:
            a, b = self.people
            for person in self.people:
                person.init(bits=1024)
            a.add(b.card(), b.name)
            b.add(a.card(), a.name)
            self.save()
        self.sides = [Side(self, self.people[i], self.people[1 - i].name, random.Random(self.rng.random()))
                      for i in (0, 1)]

    def fail(self, words):
        self.trouble = self.trouble or words

    def save(self):
        write_atomically(self.figures_path, json.dumps(self.figures))

    # ---- a cycle ----

    def kill_and_restart(self):
        time.sleep(self.rng.random() ** 2 * 0.3)
        victims = self.rng.choice(([0], [1], [0, 1]))
        for i in victims:
            self.people[i].kill()
            self.figures["kills"] += 1
        if self.rng.random() < 0.3:
            time.sleep(self.rng.random() * 0.2)
        for i in victims:
            self.people[i].start()
        self.figures["cycles"] += 1

    def run(self, cycles):
        """Up to `cycles` of them, then a check."""
        self.resting.clear()
        writers = [threading.Thread(target=side.talk, daemon=True) for side in self.sides]
        for writer in writers:
            writer.start()
        try:
            for _ in range(cycles):
                self.kill_and_restart()
        finally:
            self.resting.set()
            for writer in writers:
                writer.join()
        self.settle()
        self.check()

    # ---- the check ----

    def nothing_waits(self):
        rests = True
        for side in self.sides:  # both, always: what waits here may be the other's to accept
            try:
                with side.person.control() as control:
                    side.accept(control)
                    rests &= not any(c["waiting"] for c in control.call("contacts")["contacts"])
                    rests &= not any(f["state"] in ("waiting", "running") for f in control.call("files")["files"])
            except AssertionError as error:  # still being unlocked; what_waits shows what else it may be
                self.refused = str(error)
                rests = False
        return rests

    def settle(self):
        deadline = time.monotonic() + SETTLE_S
        while not self.nothing_waits():
            if time.monotonic() > deadline:
                self.fail("something still waits after %d s: %s" % (SETTLE_S, self.what_waits()))
                return
            time.sleep(0.05)

    def what_waits(self):
        words = [self.refused]
        for side in self.sides:
            with side.person.control() as control:
                words += ["%s: %d messages, session %s" % (side.person.name, c["waiting"], c["online"])
                          for c in control.call("contacts")["contacts"]]
                words += ["%s: file %s" % (side.person.name, f) for f in control.call("files")["files"]
                          if f["state"] in ("waiting", "running")]
        return "; ".join(words)

    def check(self):
        histories = [side.rows() for side in self.sides]
        for i, side in enumerate(self.sides):
            self.check_messages(side, self.sides[1 - i], histories[i], histories[1 - i])
            self.check_files(side, self.sides[1 - i])
        if self.trouble is None:
            for side, rows in zip(self.sides, histories):
                if rows:
                    side.seen = rows[-1]["seq"]
                side.checked()
        self.figures["checks"] += 1
        self.save()
        if self.trouble is not None:
            raise Lost(self.trouble)

    def check_messages(self, side, other, own_rows, other_rows):
        kept = [number_of(m) for m in own_rows if m["direction"] == "out"]
        arrived = [number_of(m) for m in other_rows if m["direction"] == "in"]
        for where, numbers in (("own history", kept), ("other's history", arrived)):
            lost = set(side.confirmed) - set(numbers)
            doubled = len(numbers) - len(set(numbers))
            strange = set(numbers) - set(side.tried)
            ordered = sorted(numbers) == numbers and all(n > other.number_in for n in numbers)
            self.figures["lost"] += len(lost)
            self.figures["doubled"] += doubled
            self.figures["disordered"] += not ordered
            who = "%s, %s" % (side.person.name, where)
            if lost:
                self.fail("%s: lost %s" % (who, sorted(lost)[:10]))
            if doubled:
                self.fail("%s: %d doubled" % (who, doubled))
            if strange:
                self.fail("%s: never said: %s" % (who, sorted(strange)[:10]))
            if not ordered:
                self.fail("%s: not in order: %s" % (who, numbers[:2000]))
        if kept != arrived:
            self.fail("%s: the two histories differ" % side.person.name)
        waiting = [m["state"] for m in own_rows if m["direction"] == "out" and m["state"] not in ("delivered", "read")]
        if waiting:
            self.fail("%s: states %s" % (side.person.name, waiting[:10]))
        self.figures["confirmed"] += len(side.confirmed)
        self.figures["unconfirmed"] += len(side.tried) - len(side.confirmed)
        self.figures["arrived"] += len(arrived)
        if arrived:
            other.number_in = arrived[-1]

    def check_files(self, side, other):
        there = set(os.listdir(other.downloads))
        lost = side.files_confirmed - there
        strange = there - set(side.files)
        self.figures["lost"] += len(lost)
        self.figures["doubled"] += len(strange)
        if lost or strange:
            self.fail("%s: files lost %s, not expected %s" % (side.person.name, sorted(lost)[:5], sorted(strange)[:5]))
        for name in there & set(side.files):
            path = os.path.join(other.downloads, name)
            if digest_of(path) != side.files[name]:
                self.figures["damaged"] += 1
                self.fail("%s: %s is damaged" % (side.person.name, name))
                continue
            remove(path)
            self.figures["folders" if name.endswith(".dir") else "files"] += 1
        if self.trouble is None:
            for name in os.listdir(side.outgoing):
                remove(os.path.join(side.outgoing, name))

    def close(self):
        for person in self.people:
            if person.daemon is not None:
                self.psst.end(person.daemon.pid)
                person.daemon.wait()
        self.psst.sweep(self.dir)


def run_pair(directory, seed, cycles, deadline):
    """In a process of its own. Exit code 0: every promise was kept."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    pair, code = None, 1
    try:
        pair = Pair(directory, seed)
        while pair.figures["cycles"] < cycles and time.monotonic() < deadline:
            pair.run(min(CHECK_EVERY, cycles - pair.figures["cycles"]))
        for person in pair.people:  # every page of both stores
            with person.control() as control:
                control.call("check")
        code = 0
    except Lost as lost:
        print("%s: NOT KEPT: %s" % (directory, lost), flush=True)
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()
    finally:
        if pair is not None:
            pair.close()
    sys.exit(code)


def totals(state, pairs):
    total = dict.fromkeys(FIGURES, 0)
    for i in range(pairs):
        try:
            with open(os.path.join(state, "pair%d" % i, "figures.json"), encoding="utf-8") as file:
                figures = json.load(file)
        except OSError:
            continue
        for name in FIGURES:
            total[name] += figures[name]
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", help="where psst, psstd and psst-key lie (default: PSST_BIN, else build/bin)")
    parser.add_argument("--cycles", type=int, default=40, help="of all pairs together")
    parser.add_argument("--pairs", type=int, default=2, help="side by side")
    parser.add_argument("--state", help="a directory that stays, to go on from")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--minutes", type=float, default=1e6, help="ends after so long; a later call goes on")
    args = parser.parse_args()
    if args.bin:
        os.environ["PSST_BIN"] = args.bin
    state = os.path.abspath(args.state) if args.state else tempfile.mkdtemp(prefix="psst-soak-")
    os.makedirs(state, mode=0o700, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()
    each = -(-args.cycles // args.pairs)
    processes = [multiprocessing.Process(target=run_pair, args=(os.path.join(state, "pair%d" % i), "%s/%d" % (args.seed, i),
                                                                each, began + 60 * args.minutes))
                 for i in range(args.pairs)]
    try:
        for process in processes:
            process.start()
        told = began
        while any(p.is_alive() for p in processes):
            time.sleep(0.2)
            if time.monotonic() - told > 60:
                told = time.monotonic()
                print("%.0f min: %s" % ((told - began) / 60, totals(state, args.pairs)), flush=True)
    finally:
        for process in processes:
            if process.is_alive():
                process.terminate()
            process.join()
        figures = totals(state, args.pairs)
        if args.state is None:
            import psst
            psst.sweep(state)
            shutil.rmtree(state, ignore_errors=True)
    failed = sum(p.exitcode != 0 for p in processes)
    print("kill loop: %s, %.0f s" % (", ".join("%s %d" % (k, figures[k]) for k in FIGURES), time.monotonic() - began))
    if figures["confirmed"] == 0 or figures["kills"] == 0:
        failed = max(failed, 1)  # nothing was tried
    print("kill loop: %d passed, %d failed" % (args.pairs - failed, failed))
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
