"""How long after the network has come back two people talk again.

Usage: recovery.py BUILD_DIRECTORY [--pairs N] [--outages N] [--seed N] [-v]     prints one JSON row a figure

Pairs of psstd, each with a router between them in network namespaces of their own (tests/e2e/nets.py), go through outages of 1
to 40 s side by side:
    drop      the router swallows everything; neither machine can see that
    link      one side's interface goes down and up
    move      one side has another address from one moment to the next
    crash     one side is killed, and started again
What is measured: from the moment that all is well again until a line said by each side just then, and one that was said during
the outage, have arrived. Needs root and iproute2.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))
arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("build")
arguments.add_argument("--pairs", type=int, default=6)
arguments.add_argument("--outages", type=int, default=5, help="of each pair")
arguments.add_argument("--seed", type=int, default=1)
arguments.add_argument("--kinds", default="drop,drop,drop,link,move,crash")
arguments.add_argument("--longest", type=float, default=40)
arguments.add_argument("-v", action="store_true")
args = arguments.parse_args()
os.environ["PSST_BIN"] = os.path.join(os.path.abspath(args.build), "bin")

import nets  # noqa: E402  (they look at PSST_BIN)
import psst  # noqa: E402

PATIENCE = 60
P95, WORST = 2.0, 10.0


def row(name, value, unit, goal=None, met=None):
    print(json.dumps(dict(name=name, value=value, unit=unit, goal=goal, met=met, reference=None, reference_value=None,
                          ratio=None)), flush=True)


class Side:
    def __init__(self, root, name, net):
        self.person = psst.Person(root, name, net.ADDRESS[name], net.spaces[name])
        self.person.start().init(bits=3072)
        self.control = None

    def listen(self):
        self.control = self.person.control()
        self.control.call("subscribe", events=["message"])

    def say(self, to, text):
        self.control.call("say", name=to, text=text)

    def wait(self, text):
        """When it came."""
        self.control.event("message", lambda m: m["direction"] == "in" and m["text"] == text, PATIENCE)
        return time.monotonic()


class Couple(threading.Thread):
    """One pair, its outages one after another."""

    def __init__(self, root, number):
        super().__init__()
        self.random = random.Random(args.seed * 1000 + number)
        self.root = os.path.join(root, str(number))
        self.number, self.results, self.error = number, [], None
        os.mkdir(self.root)
        self.net, self.sides = None, {}

    def run(self):
        try:
            self.prepare()
            for i in range(args.outages):
                self.outage(i)
        except BaseException as error:  # shown by whoever waits for this thread
            self.error = error
        finally:
            self.close()

    def prepare(self):
        self.net = nets.Pair()
        for name in ("alice", "bob"):
            self.sides[name] = Side(self.root, name, self.net)
        alice, bob = (self.sides[name].person for name in ("alice", "bob"))
        alice.add(bob.card(), "bob")
        bob.add(alice.card(), "alice")
        for side in self.sides.values():
            side.listen()
        self.talk("hello")

    def talk(self, text):
        """One line each way; when both have come."""
        self.sides["alice"].say("bob", text + " from alice")
        self.sides["bob"].say("alice", text + " from bob")
        return max(self.sides["bob"].wait(text + " from alice"), self.sides["alice"].wait(text + " from bob"))

    def outage(self, i):
        kind = self.random.choice(args.kinds.split(","))
        lasts = min(args.longest, 1.0 * 40 ** self.random.random())
        who = self.random.choice(("alice", "bob"))
        other = "bob" if who == "alice" else "alice"
        said = self.random.random() * lasts if self.random.random() < 0.7 else None
        time.sleep(2 + 8 * self.random.random())
        end = time.monotonic() + lasts
        {"drop": lambda: self.net.drop(True), "link": lambda: self.net.link(who, False), "move": lambda: None,
         "crash": self.sides[who].person.kill}[kind]()
        if kind == "move":
            end = time.monotonic()
            said = None
        if said is not None:
            time.sleep(max(0, end - lasts + said - time.monotonic()))
            self.sides[other].say(who, "during %d" % i)
        time.sleep(max(0, end - time.monotonic()))
        if kind == "drop":
            self.net.drop(False)
        elif kind == "link":
            self.net.link(who, True)
        elif kind == "move":
            net = self.net.ADDRESS[who].rpartition(".")[0]
            self.net.move(who, "%s.%d" % (net, 10 + i))
        else:
            self.sides[who].person.start()
            self.sides[who].listen()
        back = time.monotonic()
        done = self.talk("after %d" % i)
        if said is not None and kind != "crash":  # what came before there was anybody to see it is in the history
            done = max(done, self.sides[who].wait("during %d" % i))
        self.results.append((kind, done - back))
        if args.v and done - back > 1.5:
            for side in self.sides.values():
                print("---- %s %d ----\n%s" % (side.person.name, self.number, side.person.log()[-2000:]), file=sys.stderr)
        if args.v:
            stamp = time.strftime("%H:%M:%S", time.gmtime()) + ("%.3f" % (time.time() % 1))[1:]
            print("%s pair %d: %s of %.1f s, %s said at %s: %.3f s" % (stamp, self.number, kind, lasts, other, said,
                                                                      done - back), file=sys.stderr, flush=True)

    def close(self):
        for side in self.sides.values():
            if side.control is not None:
                side.control.sock.close()
            if side.person.daemon is not None:
                side.person.daemon.terminate()
                side.person.daemon.wait()
        if self.net is not None:
            self.net.close()


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))]


def main():
    nets.needed()
    root = tempfile.mkdtemp(prefix="psst-recovery-")
    couples = []
    try:
        couples = [Couple(root, i) for i in range(args.pairs)]
        for couple in couples:
            couple.start()
        for couple in couples:
            couple.join()
        for couple in couples:
            if couple.error is not None:
                for side in couple.sides.values():
                    print("---- %s %d ----\n%s" % (side.person.name, couple.number, side.person.log()[-3000:]), file=sys.stderr)
                raise couple.error
    finally:
        psst.sweep(root)
        shutil.rmtree(root, ignore_errors=True)
    results = [result for couple in couples for result in couple.results]
    times = [seconds for _, seconds in results]
    for kind in sorted({kind for kind, _ in results}):
        these = [seconds for k, seconds in results if k == kind]
        row("recovery, %s (%d outages): median" % (kind, len(these)), statistics.median(these), "s")
    row("recovery, all (%d outages): median" % len(times), statistics.median(times), "s")
    p95, worst = percentile(times, 95), max(times)
    row("recovery, all: p95", p95, "s", "at most %g s" % P95, p95 <= P95)
    row("recovery, all: longest", worst, "s", "at most %g s" % WORST, worst <= WORST)


try:
    main()
except unittest.SkipTest as reason:  # not root, no iproute2
    print("recovery: not measured: %s" % reason, file=sys.stderr)
