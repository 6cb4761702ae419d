#!/usr/bin/env python3
"""A bad line between two machines: two network namespaces, joined by a process that carries each packet later, or never.

    line = bridge.Bridge(seed=1, log="packets.csv")        # alice at 10.78.0.1, bob at 10.78.0.2
    line.set(bridge.Profile(delay=0.03, jitter=0.04, loss=0.1))
    line.set(bridge.Profile(drop=True), to="bob")          # one direction
    line.close()

This kernel has no netem. What happens to a packet is decided by Model, in any clock, from a seed: the same packets at the
same moments meet the same fate. Each direction has its own. The log has a line for every packet that was offered:

    seconds, to, protocol (6 TCP, 17 UDP), bytes of the IP packet, source port, destination port, ms until it left (empty: lost)
"""
import ctypes
import dataclasses
import heapq
import json
import os
import random
import select
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = ("alice", "bob")


@dataclasses.dataclass
class Profile:
    """Times in seconds."""
    delay: float = 0.0
    jitter: float = 0.0         # uniform: 0 to jitter on top of delay; exponential: its mean
    kind: str = "uniform"
    reorder: bool = True        # each packet on its own; False: none overtakes
    loss: float = 0.0           # of all packets
    burst: float = 1.0          # mean length of a row of lost ones (Gilbert); 1: each by itself
    spike: float = 0.0          # that much more for spike_length, every spike_every on average: what wireless networks do
    spike_every: float = 5.0
    spike_length: float = 0.2
    rate: float = 0.0           # bits a second; 0: no limit
    queue: float = 0.5          # seconds that may wait for the rate; what is beyond is lost
    drop: bool = False
    hold: float = 0.0           # an outage of that long that loses nothing: all that waits arrives at its end
    udp: bool = True            # False: a network that lets none through


class Model:
    """One direction."""

    def __init__(self, seed, profile=None):
        self.random = random.Random("line %s" % seed)
        self.profile = profile or Profile()
        self.bad = False        # in a row of lost ones
        self.free = 0.0         # when the limited line has sent all that waits
        self.last = 0.0
        self.spike_from = self.spike_to = self.held_to = None

    def set(self, profile):
        self.profile, self.bad, self.spike_from, self.held_to = profile, False, None, None

    def _lost(self):
        p = self.profile
        if p.drop:
            return True
        draw = self.random.random()
        if p.burst <= 1:
            return draw < p.loss
        leave = 1 / p.burst
        enter = leave * p.loss / (1 - p.loss) if p.loss < 1 else 1
        self.bad = draw >= leave if self.bad else draw < enter
        return self.bad

    def _spike(self, now):
        p = self.profile
        if not p.spike:
            return 0.0
        if self.spike_from is None or now >= self.spike_to:
            self.spike_from = now + self.random.expovariate(1 / p.spike_every)
            self.spike_to = self.spike_from + p.spike_length
        if now < self.spike_from:
            return 0.0
        return p.spike * (self.spike_to - now) / p.spike_length  # held up, then all at once

    def carry(self, now, size, protocol=17):
        """When it arrives; None: never."""
        p = self.profile
        if self._lost() or (protocol == 17 and not p.udp):
            return None
        there = now
        if p.rate:
            start = max(now, self.free)
            if start - now > p.queue:
                return None
            self.free = there = start + size * 8 / p.rate
        there += p.delay + self._spike(now)
        if p.jitter:
            there += self.random.uniform(0, p.jitter) if p.kind == "uniform" else self.random.expovariate(1 / p.jitter)
        if p.hold:
            self.held_to = now + p.hold if self.held_to is None else self.held_to
            there = max(there, self.held_to)
        if not p.reorder:
            there = max(there, self.last)
        self.last = max(self.last, there)
        return there


# ---- the process that carries ----


def describe(packet):
    """Protocol and ports of an IPv4 packet, for the log."""
    if len(packet) < 28 or packet[0] >> 4 != 4:
        return 0, 0, 0
    head = (packet[0] & 15) * 4
    return packet[9], int.from_bytes(packet[head:head + 2], "big"), int.from_bytes(packet[head + 2:head + 4], "big")


def carry(seed, log_path, fds):
    """Until standard input ends. A line of it: {"to": null | "bob", "profile": {...}}; answered by a line once it holds."""
    libc = ctypes.CDLL(None)
    libc.prctl(29, 1, 0, 0, 0)  # PR_SET_TIMERSLACK: a nanosecond
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except OSError:
        pass
    models = {fd: Model("%s %s" % (seed, to)) for fd, to in zip(fds, NAMES)}  # by the end that it leaves at
    other = {fds[0]: fds[1], fds[1]: fds[0]}
    names = dict(zip(fds, NAMES))
    waiting, number, buffer = [], 0, b""
    log = open(log_path, "w", encoding="ascii") if log_path else None
    for fd in fds:
        os.set_blocking(fd, False)
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, fd, packet = heapq.heappop(waiting)
            try:
                os.write(fd, packet)
            except OSError:
                pass  # its queue is full, or its machine is gone: lost
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 1.0
        readable, _, _ = select.select([*fds, 0], [], [], pause)
        for fd in readable:
            if fd == 0:
                got = os.read(0, 65536)
                if not got:
                    if log:
                        log.close()
                    return
                *lines, buffer = (buffer + got).split(b"\n")
                for line in lines:
                    order = json.loads(line)
                    for end, model in models.items():
                        if order["to"] in (None, names[end]):
                            model.set(Profile(**order["profile"]))
                    if log:
                        log.flush()
                    os.write(1, b"%d\n" % time.monotonic_ns())
                continue
            for _ in range(64):
                try:
                    packet = os.read(fd, 65536)
                except OSError:
                    break
                now, to = time.monotonic(), other[fd]
                protocol, source, target = describe(packet)
                there = models[to].carry(now, len(packet), protocol)
                if there is not None:
                    if there <= now and not waiting:
                        try:
                            os.write(to, packet)
                        except OSError:
                            pass
                    else:
                        number += 1
                        heapq.heappush(waiting, (there, number, to, packet))
                if log:
                    fate = "" if there is None else "%.3f" % ((there - now) * 1000)
                    log.write("%.6f,%s,%d,%d,%d,%d,%s\n" % (now, names[to], protocol, len(packet), source, target, fate))


# ---- its owner ----


class Bridge:
    ADDRESS = {"alice": "10.78.0.1", "bob": "10.78.0.2"}

    def __init__(self, seed=1, log=None):
        """Skips the test where there can be no namespaces."""
        sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
        import nets
        import unittest
        nets.needed()
        if not os.path.exists("/dev/net/tun"):
            raise unittest.SkipTest("there is no /dev/net/tun")
        self.spaces, self.process, fds = {}, None, []
        try:
            for name, peer in zip(NAMES, reversed(NAMES)):
                space = self.spaces[name] = nets.Space(name)
                fds.append(nets.Line._tun(space))
                space.ip("addr add %s peer %s dev line" % (self.ADDRESS[name], self.ADDRESS[peer]))
                space.ip("link set line addrgenmode none")
                space.ip("link set line txqueuelen 2000")
                space.ip("link set line up")
            self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), str(seed), log or "", *map(str, fds)],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=fds)
        except BaseException:
            self.close()
            raise
        finally:
            for fd in fds:
                os.close(fd)

    def set(self, profile, to=None):
        """The moment (monotonic ns) from which it holds."""
        order = {"to": to, "profile": dataclasses.asdict(profile)}
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
            self.process = None
        for space in self.spaces.values():
            space.close()


if __name__ == "__main__":
    carry(sys.argv[1], sys.argv[2], [int(fd) for fd in sys.argv[3:]])
