"""Benches of the real programs: psst, psstd and psst-key, in homes on tmpfs, over loopback.

Usage: daemons.py BUILD_DIRECTORY     prints one JSON row a figure
Everything that it starts is ended by its process number, also when it fails.
"""
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.path.abspath(sys.argv[1])
BIN = os.path.join(BUILD, "bin")
PAIRS = 9
BUSY_FILES = 5
GIB = 1 << 30


def row(name, value, unit, goal=None, met=None, reference=None, reference_value=None, ratio=None):
    print(json.dumps(dict(name=name, value=value, unit=unit, goal=goal, met=met, reference=reference,
                          reference_value=reference_value, ratio=ratio)), flush=True)


class Person:
    """One identity with a daemon of its own."""

    def __init__(self, work, name, bits):
        self.home = os.path.join(work, name)
        os.mkdir(self.home, 0o700)
        self.env = dict(os.environ, PSST_HOME=self.home)
        self.psst("init", "--name", name, "--bits", str(bits), "--no-passphrase")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.psst("up", "--listen", f"127.0.0.1:{self.port}")
        self.pid = json.loads(self.psst("status", "--json"))["pid"]

    def psst(self, *args, check=True):
        done = subprocess.run([os.path.join(BIN, "psst"), *args], env=self.env, capture_output=True, text=True, timeout=300)
        if check and done.returncode != 0:
            raise RuntimeError(f"psst {' '.join(args)}: {done.returncode}: {done.stderr}")
        return done.stdout

    def card(self):
        path = self.home + ".psst"
        self.psst("card", "-o", path, "--address", f"127.0.0.1:{self.port}")
        return path

    def cpu(self):
        """CPU seconds of psstd so far."""
        fields = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cpu_fine(self):
        """The same from the scheduler's nanoseconds, over all threads."""
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            total += int(open(f"/proc/{self.pid}/task/{task}/schedstat").read().split()[0])
        return total / 1e9

    def memory(self):
        """(resident, private dirty) bytes of psstd."""
        text = open(f"/proc/{self.pid}/smaps_rollup").read()
        return tuple(int(re.search(rf"^{k}: +(\d+) kB", text, re.M)[1]) * 1024 for k in ("Rss", "Private_Dirty"))

    def down(self):
        self.psst("down", check=False)


class Control:
    """The control socket, spoken to directly, so that no process start is measured."""

    def __init__(self, person):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(os.path.join(person.home, "run", "psst.sock"))
        self.file = self.socket.makefile("rb")
        self.next = 0
        self.events = []
        self.call("hello", version=1)

    def call(self, method, **params):
        self.next += 1
        self.socket.sendall(json.dumps(dict(jsonrpc="2.0", id=self.next, method=method, params=params)).encode() + b"\n")
        while True:
            line = json.loads(self.file.readline())
            if line.get("id") == self.next:
                if "error" in line:
                    raise RuntimeError(f"{method}: {line['error']}")
                return line["result"]
            self.events.append(line)

    def wait(self, method, test):
        while True:
            while self.events:
                event = self.events.pop(0)
                if event.get("method") == method and test(event["params"]):
                    return event["params"]
            self.events.append(json.loads(self.file.readline()))


def introduce(a, b):
    a.psst("add", b.card(), "--yes")
    b.psst("add", a.card(), "--yes")


def dialling(work):
    a, b = Person(work, "Anna", 4096), Person(work, "Ben", 4096)
    try:
        introduce(a, b)
        dial, through_socket = [], []
        control = Control(a)
        for _ in range(PAIRS):
            start = time.monotonic()
            a.psst("dial", "Ben")
            dial.append((time.monotonic() - start) * 1000)
            a.psst("hangup", "Ben")
            time.sleep(0.2)
            start = time.monotonic()
            control.call("dial", name="Ben")
            through_socket.append((time.monotonic() - start) * 1000)
            a.psst("hangup", "Ben")
            time.sleep(0.2)
        value = statistics.median(dial)
        row("psst dial to session established, RSA-4096, loopback, median", value, "ms", "at most 40 ms", value <= 40,
            "the same through the control socket, without the process start", statistics.median(through_socket))
    finally:
        a.down()
        b.down()


def source_file(work):
    path = os.path.join(work, "source.bin")
    chunk = os.urandom(1 << 20)
    with open(path, "wb") as f:
        for _ in range(GIB >> 20):
            f.write(chunk)
    return path


class Scp:
    """An sshd of our own on loopback; None where it cannot run."""

    def __init__(self, work):
        self.work = work
        self.sshd = None
        self.port = 0
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(work, name)], check=True)
        shutil.copy(os.path.join(work, "user.pub"), os.path.join(work, "authorized"))
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        os.makedirs("/run/sshd", exist_ok=True)
        self.sshd = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-h", f"{work}/host", "-o", f"Port={self.port}",
             "-o", "ListenAddress=127.0.0.1", "-o", f"AuthorizedKeysFile={work}/authorized", "-o", "StrictModes=no",
             "-o", "PidFile=none", "-o", "UsePAM=no", "-o", "PermitRootLogin=yes", "-o", "Subsystem=sftp internal-sftp"],
            stderr=subprocess.DEVNULL)
        time.sleep(1)

    def copy(self, source, target):
        before = os.times()
        start = time.monotonic()
        subprocess.run(["scp", "-q", "-i", f"{self.work}/user", "-P", str(self.port), "-c", "aes256-gcm@openssh.com",
                        "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", source,
                        f"127.0.0.1:{target}"], check=True, stderr=subprocess.DEVNULL)
        took = time.monotonic() - start
        after = os.times()
        return took, after.children_user + after.children_system - before.children_user - before.children_system

    def end(self):
        if self.sshd is not None:
            self.sshd.terminate()
            self.sshd.wait()


class Memory:
    """Memory for the copies on tmpfs that is there already, so that they are measured and not the host of a virtual machine.

    A host may take memory back as soon as it is free; the first touch after that costs up to ten times the copy (a plain
    dd of 1 GiB to tmpfs then takes anything from 0.3 to 3.3 s), for whoever happens to run. So it is never free: between
    runs it is a file, which is cut down as the copy in folder grows, and which the copy then takes the place of.
    """
    AHEAD = 32 << 20

    def __init__(self, work):
        self.folder = os.path.join(work, "in")
        os.mkdir(self.folder)
        self.kept = os.path.join(work, "kept.bin")
        with open(self.kept, "wb") as f:
            for _ in range(GIB >> 20):
                f.write(bytes(1 << 20))

    def written(self):
        total = 0
        for entry in os.scandir(self.folder):
            try:
                total += entry.stat().st_size
            except FileNotFoundError:  # it has just got its name
                pass
        return total

    def give_back(self):
        while not self.over.wait(0.01):
            left = max(0, GIB - self.written() - self.AHEAD)
            if left < os.path.getsize(self.kept):
                os.truncate(self.kept, left)

    def __enter__(self):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.give_back)
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for entry in os.scandir(self.folder):
            os.replace(entry.path, self.kept)


def loop(kind, source, target):
    out = subprocess.run([f"{BUILD}/bench/bench_stream", kind, source, target], check=True, capture_output=True, text=True)
    result = json.loads(out.stdout)
    return result["seconds"], result["cpu"]


def transfers(work):
    a, b = Person(work, "Carl", 2048), Person(work, "Dora", 2048)
    scp = None
    try:
        introduce(a, b)
        a.psst("dial", "Dora")
        source = source_file(work)
        memory = Memory(work)
        target = os.path.join(memory.folder, "copy.bin")
        try:
            scp = Scp(work)
        except OSError as err:
            print(f"bench: scp is not measured: {err}", file=sys.stderr)
        ca, cb = Control(a), Control(b)
        cb.call("subscribe")

        def daemons():
            ca.call("send", name="Dora", path=source)
            offer = cb.wait("file", lambda f: f["direction"] == "in" and f["state"] == "waiting")
            cpu = a.cpu_fine() + b.cpu_fine()
            start = time.monotonic()
            cb.call("file.accept", id=offer["id"], dir=memory.folder)
            done = cb.wait("file", lambda f: f["id"] == offer["id"] and f["state"] in ("done", "failed"))
            took = time.monotonic() - start
            if done["state"] != "done":
                raise RuntimeError(f"the file failed: {done}")
            time.sleep(0.1)
            cpu = a.cpu_fine() + b.cpu_fine() - cpu
            return took, cpu

        def measured(what, *args):
            with memory:
                return what(*args)

        ours, bare, tcp, secure = [], [], [], []
        measured(daemons)
        measured(loop, "loop", source, target)
        for _ in range(PAIRS):
            ours.append(measured(daemons))
            bare.append(measured(loop, "loop", source, target))
            tcp.append(measured(loop, "tcp", source, target))
            if scp is not None:
                secure.append(measured(scp.copy, source, target))

        def speed(runs):
            return GIB / statistics.median(t for t, _ in runs) / 1e9

        def ratio(runs, others, what):
            return statistics.median(x[what] / y[what] for x, y in zip(runs, others))

        r = 1 / ratio(ours, bare, 0)
        row("file of 1 GiB, daemon to daemon, tmpfs, hash checked", speed(ours), "GB/s", "at least 0.9 of the bare loop",
            r >= 0.9, "bare loop, 64 KiB records, SHA-256 on both sides", speed(bare), r)
        r = ratio(ours, bare, 1)
        row("CPU of the same", statistics.median(c for _, c in ours), "s", "at most 1.15 times the bare loop", r <= 1.15,
            "bare loop", statistics.median(c for _, c in bare), r)
        row("file of 1 GiB, plain TCP against daemon to daemon", speed(tcp), "GB/s", None, None, "daemon to daemon",
            speed(ours), ratio(ours, tcp, 0))
        if secure:
            row("file of 1 GiB, scp aes256-gcm against daemon to daemon", speed(secure), "GB/s", None, None,
                "daemon to daemon", speed(ours), ratio(secure, ours, 0) ** -1)

        # a message and its acknowledgement through both daemons and both stores, alone and beside a file
        ca.call("subscribe")

        def round_trips(n):
            out = []
            for _ in range(n):
                start = time.monotonic()
                said = ca.call("say", name="Dora", text="How are you?")
                ca.wait("message.state", lambda m: m["id"] == said["id"])
                out.append((time.monotonic() - start) * 1000)
            return out

        def round_trips_beside_a_file():
            out = []
            ca.call("send", name="Dora", path=source)
            offer = cb.wait("file", lambda f: f["direction"] == "in" and f["state"] == "waiting")
            cb.call("file.accept", id=offer["id"], dir=memory.folder)
            end = time.monotonic() + 60
            state = "running"
            while state in ("waiting", "running") and time.monotonic() < end:
                out += round_trips(1)
                state = {f["id"]: f["state"] for f in cb.call("files")["files"]}[offer["id"]]
            if state != "done":
                raise RuntimeError(f"the file failed: {state}")
            return out

        alone = statistics.median(round_trips(300))
        row("message, control socket to acknowledged and committed on both sides, median", alone, "ms")
        busy = []
        for _ in range(BUSY_FILES):
            busy += measured(round_trips_beside_a_file)
        p99 = sorted(busy)[len(busy) * 99 // 100]
        row("the same while a file is being sent, p99", p99, "ms", "at most 20 ms", p99 <= 20, "median of the same",
            statistics.median(busy))
    finally:
        a.down()
        b.down()
        if scp is not None:
            scp.end()


class Peers:
    """Many contacts of one daemon: bench_peers."""

    def __init__(self, work, person, count, known=None):
        """known: so many of them are contacts from the start; None: all."""
        self.cards = tempfile.mkdtemp(dir=work)
        self.process = subprocess.Popen([f"{BUILD}/bench/bench_peers", str(count), person.card(), str(person.port),
                                         self.cards], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "cards\n"
        self.up = False
        self.control = Control(person)
        self.add(0, count if known is None else known)

    def add(self, first, last):
        for i in range(first, last):
            self.control.call("add", card=open(f"{self.cards}/{i}.psst").read(), alias=f"Peer{i}")

    def dial(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "up\n"
        self.up = True
        time.sleep(2)

    def end(self):
        if not self.up:
            self.process.terminate()  # it waits to be told to dial
        self.process.stdin.close()
        self.process.wait()


def idle_sessions(work):
    person = Person(work, "Emma", 2048)
    peers = None
    try:
        count = 1000
        peers = Peers(work, person, count)
        time.sleep(1)
        before = person.memory()[1]
        peers.dial()
        assert len(json.loads(person.psst("status", "--json"))["sessions"]) == count
        each = (person.memory()[1] - before) / count
        row("user memory for each of 1,000 idle sessions", each / 1024, "KiB", "at most 4 KiB", each <= 4096)
    finally:
        if peers is not None:
            peers.end()
        person.down()


def idle_daemon(work):
    person = Person(work, "Fred", 2048)
    peers = None
    try:
        peers = Peers(work, person, 10)
        peers.dial()
        start, cpu = time.monotonic(), person.cpu_fine()
        time.sleep(60)
        share = (person.cpu_fine() - cpu) / (time.monotonic() - start) * 100
        rss = person.memory()[0] / 1e6
        row("psstd idle with 10 sessions, CPU of a core over 60 s", share, "%", "at most 0.05 %", share <= 0.05)
        row("psstd idle with 10 sessions, resident memory", rss, "MB", "at most 10 MB", rss <= 10)
    finally:
        if peers is not None:
            peers.end()
        person.down()


def many_contacts(work):
    """A message to the second contact and to the thousandth, there and acknowledged, in turns."""
    hub, second, last = Person(work, "Gina", 2048), Person(work, "Hugo", 2048), Person(work, "Ivan", 2048)
    peers = None
    try:
        peers = Peers(work, hub, 998, known=1)
        introduce(hub, second)
        control = Control(hub)
        control.call("subscribe", events=["message.state"])

        def round_trip(name):
            """Milliseconds, and psstd's CPU in microseconds."""
            cpu, start = hub.cpu_fine(), time.monotonic()
            said = control.call("say", name=name, text="How are you?")
            control.wait("message.state", lambda m: m["id"] == said["id"] and m["state"] == "delivered")
            return (time.monotonic() - start) * 1000, (hub.cpu_fine() - cpu) * 1e6

        def medians(runs):
            return [statistics.median(r[what] for r in runs) for what in (0, 1)]

        hub.psst("dial", "Hugo")
        few = medians([round_trip("Hugo") for _ in range(1000)])
        peers.add(1, 998)
        introduce(hub, last)
        hub.psst("dial", "Ivan")
        assert len(json.loads(hub.psst("contacts", "--json"))) == 1000
        for _ in range(1000):  # as much as the second has behind it
            round_trip("Ivan")
        to_second, to_last = [], []
        for _ in range(2000):  # one by one, so that what else the machine does meets both
            to_second.append(round_trip("Hugo"))
            to_last.append(round_trip("Ivan"))
        to_second, to_last = medians(to_second), medians(to_last)
        ratio = to_last[1] / to_second[1]
        row("psstd's CPU for a message to the thousandth contact", to_last[1], "us",
            "the same as for the second, within 10 %", ratio <= 1.1, "to the second", to_second[1], ratio)
        row("message to the thousandth contact, there and acknowledged, median", to_last[0], "ms", None, None,
            "to the second", to_second[0], to_last[0] / to_second[0])
        row("message to the second contact of 1,000, there and acknowledged, median", to_second[0], "ms", None, None,
            "of two contacts", few[0], to_second[0] / few[0])
    finally:
        if peers is not None:
            peers.end()
        for person in (hub, second, last):
            person.down()


def main():
    work = tempfile.mkdtemp(prefix="psst-bench-", dir="/dev/shm")
    try:
        for what in (dialling, transfers, idle_sessions, many_contacts, idle_daemon):
            what(work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
