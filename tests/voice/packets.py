"""What somebody on the line sees of a call: the log of bridge.py, and two distributions held against each other.

    voice(read(path), to="bob", begin_s, end_s)      [(moment, bytes)] of UDP to bob
"""
import collections
import math

Packet = collections.namedtuple("Packet", "at to protocol size source target delay_ms")


def read(path):
    with open(path, encoding="ascii") as file:
        for line in file:
            fields = line.rstrip("\n").split(",")
            if len(fields) == 7:
                yield Packet(float(fields[0]), fields[1], *map(int, fields[2:6]), float(fields[6]) if fields[6] else None)


def voice(packets, to, begin_s=0.0, end_s=math.inf):
    return [(p.at, p.size) for p in packets if p.protocol == 17 and p.to == to and begin_s <= p.at < end_s]


def spacings_ms(moments):
    return [(b - a) * 1000 for a, b in zip(moments, moments[1:])]


def kolmogorov_smirnov(a, b):
    """The largest distance of the two distributions, and how likely one as large is when they are the same (asymptotic)."""
    merged = sorted([(x, 0) for x in a] + [(x, 1) for x in b])
    seen, largest, i = [0, 0], 0.0, 0
    while i < len(merged):
        value = merged[i][0]
        while i < len(merged) and merged[i][0] == value:
            seen[merged[i][1]] += 1
            i += 1
        largest = max(largest, abs(seen[0] / len(a) - seen[1] / len(b)))
    n = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    x = (n + 0.12 + 0.11 / n) * largest
    if x < 0.2:
        return largest, 1.0
    p = 2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 101))
    return largest, min(1.0, max(0.0, p))


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))]
