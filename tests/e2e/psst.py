"""People for the end-to-end tests: each has a home of their own, a free loopback port, a psstd and the real `psst`.

    class Talk(E2E):
        def test_x(self):
            alice, bob = self.pair()
            alice.psst("say", "bob", "--wait", "10", "hello")

Every daemon that a test starts is known by its pid and ended when the test is, however it ends; run.py sweeps once more
after the test's process. PSST_BIN: where psst, psstd, psst-key, psst-tar and psst-voice lie. Nothing here sleeps for luck: wait_for polls.
"""
import json
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import peer
import wire

BIN = os.path.abspath(os.environ.get("PSST_BIN", "build/bin"))
VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors")
PATIENCE = float(os.environ.get("PSST_E2E_PATIENCE",
                                "1"))  # slow builds: multiplies every limit that only guards a hang
DONE, FAILED, USAGE, LOCKED, NO_CONTACT, UNREACHABLE, REFUSED = range(7)


def program(name):
    return os.path.join(BIN, name)


def key(name):
    """One of the key pairs of tests/vectors."""
    return wire.KeyPair.load(os.path.join(VECTORS, "keys", name + ".pem"))


def wait_for(what, condition, timeout=10):
    """Polls until condition gives something true, which is returned."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain: " + what)
        time.sleep(0.02)


def free_port(host="127.0.0.1"):
    """Under the ephemeral ports, so that no outgoing connection takes it before the daemon does."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as sock:
            try:
                sock.bind((host, port))
                return port
            except OSError:
                continue


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(pid):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/stat" % entry, encoding="ascii", errors="replace") as file:
                    if int(file.read().rpartition(")")[2].split()[1]) == pid:
                        found.append(int(entry))
            except OSError:
                pass
    return found


def voices(person):
    """The psst-voice processes of a psstd."""
    found = []
    for child in children(person.pid()):
        try:
            with open("/proc/%d/comm" % child, encoding="ascii") as file:
                if file.read().strip() == "psst-voice":
                    found.append(child)
        except OSError:
            pass
    return found


def end(pid, patience=5):
    """TERM, then KILL; returns when it is gone."""
    for sig in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, sig)
        except OSError:
            return
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                os.waitpid(pid, os.WNOHANG)
            except OSError:
                pass
            if not alive(pid):
                return
            time.sleep(0.01)


def sweep(root):
    """Ends every process whose PSST_HOME lies under root, and its children (psst-key hides its environment)."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open("/proc/%s/environ" % entry, "rb") as file:
                homes = [v[10:] for v in file.read().split(b"\0") if v.startswith(b"PSST_HOME=")]
        except OSError:
            continue
        if any(home.startswith(root.encode()) for home in homes):
            family = [int(entry)] + children(int(entry))
            for pid in family:
                end(pid)


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def lines(self):
        """One JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines() if line.strip()]

    def __repr__(self):
        return "exit %d\nstdout: %s\nstderr: %s" % (self.code, self.out[-2000:], self.err[-2000:])


class Control:
    """The control socket, spoken raw: what a user interface sees."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10 * PATIENCE)
        self.sock.connect(path)
        self.buffer, self.events, self.next = b"", [], 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def line(self, timeout=10):
        self.sock.settimeout(timeout * PATIENCE)
        while b"\n" not in self.buffer:
            got = self.sock.recv(65536)
            if not got:
                raise peer.Closed("control socket closed")
            self.buffer += got
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def ask(self, method, **params):
        """The whole answer; notifications on the way are kept."""
        self.next += 1
        request = {"jsonrpc": "2.0", "id": self.next, "method": method, "params": params}
        self.sock.sendall(json.dumps(request).encode() + b"\n")
        while True:
            message = self.line()
            if message.get("id") == self.next:
                return message
            self.events.append(message)

    def call(self, method, **params):
        answer = self.ask(method, **params)
        if "error" in answer:
            raise AssertionError("%s: %s" % (method, answer["error"]))
        return answer.get("result")

    def event(self, name, where=lambda params: True, timeout=10):
        """The params of the first notification of that name that fits."""
        for i, message in enumerate(self.events):
            if message["method"] == name and where(message["params"]):
                del self.events[i]
                return message["params"]
        deadline = time.monotonic() + timeout * PATIENCE
        while True:
            message = self.line(max(0.001, deadline - time.monotonic()))
            if message.get("method") == name and where(message["params"]):
                return message["params"]
            self.events.append(message)


class Person:
    def __init__(self, root, name, host="127.0.0.1", space=None):
        """space: the network namespace that psstd runs in (nets.py), where any port is free. Where the home is there already
        the person is the one of an earlier run, at the same address."""
        self.name, self.home, self.host = name, os.path.join(root, name), host
        self.within = space.within if space is not None else []
        self.port = free_port(host) if space is None else 4516
        self.log_path = os.path.join(root, name + ".psstd.log")
        self.daemon = None
        self.public = None
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PSST_", "XDG_"))}
        self.env.update(PSST_HOME=self.home, HOME=self.home, LC_ALL="C.UTF-8", PATH=BIN + ":" + os.environ["PATH"])
        # what a sanitizer keeps of freed memory is not what psstd takes: tests look at that
        self.env["ASAN_OPTIONS"] = ":".join(filter(None, [self.env.get("ASAN_OPTIONS"), "quarantine_size_mb=64"]))
        if os.path.isdir(self.home):
            with open(self.path("config"), encoding="utf-8") as file:
                self.port = int(re.search(r"^listen *= *.*:(\d+)$", file.read(), re.M)[1])
            return
        os.mkdir(self.home, 0o700)
        self.write("config", "listen = %s\n" % (self.listen if space is None else "0.0.0.0:%d" % self.port))

    @property
    def listen(self):
        return ("[%s]:%d" if ":" in self.host else "%s:%d") % (self.host, self.port)

    @property
    def address(self):
        return (self.host, self.port)

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def write(self, name, content, mode=0o600):
        """A file in this person's home; gives its path."""
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(path, mode)
        return path

    # ---- programs ----

    def spawn(self, *args, **kwargs):
        """`psst` in the background: a Popen."""
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([program("psst"), *args], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                cwd=self.home, **kwargs)

    def psst(self, *args, input=None, expect=DONE, timeout=30):
        """Runs `psst`; fails unless its exit code is expect (a number, a tuple of them, or None for any)."""
        process = self.spawn(*args, stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL)
        if isinstance(input, str):
            input = input.encode()
        return self.finish(process, args, input, expect, timeout)

    def finish(self, process, args=("...",), input=None, expect=DONE, timeout=30):
        try:
            out, err = process.communicate(input, timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError("psst %s hangs: %s %s" % (" ".join(args), out[-1000:], err[-1000:])) from None
        result = Result(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
        wanted = expect if isinstance(expect, tuple) else (expect,)
        if expect is not None and result.code not in wanted:
            raise AssertionError("psst %s: expected exit %s, got %r" % (" ".join(args)[:300], expect, result))
        return result

    def start(self, opens=True):
        """psstd in the foreground, as our child; its log goes to a file that a failing test shows. Returns once it
        answers, and, when it opens, has unlocked what needs no passphrase."""
        with open(self.log_path, "ab") as log:
            self.daemon = subprocess.Popen([*self.within, program("psstd")], env=self.env, stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log, cwd=self.home)
        wait_for("psstd's control socket", lambda: self._up(opens) or self._gone(), 20)
        return self

    def _up(self, opens):
        try:
            with self.control() as control:
                identity = control.call("status")["identity"]
                return not opens or identity is None or identity["encrypted"] or not identity["locked"]
        except (OSError, peer.Closed):
            return None

    def _gone(self):
        if self.daemon.poll() is not None:
            raise AssertionError("psstd ended with %d: %s" % (self.daemon.returncode, self.log()[-2000:]))

    def stop(self):
        if self.daemon is not None:
            self.psst("down")
            self.daemon.wait(10 * PATIENCE)
            self.daemon = None

    def kill(self):
        """SIGKILL, as a crash."""
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None

    def restart(self):
        self.stop()
        return self.start()

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def control(self):
        return Control(self.path("run", "psst.sock"))

    def pid(self):
        return self.daemon.pid if self.daemon is not None else self.status()["pid"]

    def key_pid(self):
        """psst-key: psstd's child."""
        for child in children(self.pid()):
            with open("/proc/%d/comm" % child, encoding="ascii") as file:
                if file.read().strip() == "psst-key":
                    return child
        return None

    # ---- identity and contacts ----

    def init(self, *args, bits=1024):
        self.psst("init", "--name", self.name.capitalize(), "--bits", str(bits), *(args or ("--no-passphrase",)),
                  timeout=120)
        self.public = wire.PublicKey.from_pem(self.card().encode())
        return self

    def card(self, *args):
        """The text of one's own card."""
        path = self.path("out.psst")
        self.psst("card", "-o", path, *(args or ("--address", self.listen)))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        os.unlink(path)
        return text

    def add(self, card, alias, expect=DONE):
        """card: its text."""
        return self.psst("add", self.write("in.psst", card), "--as", alias, "--yes", expect=expect)

    def befriend(self, key_pair, alias, address=None):
        """Adds a peer.py by its bare public key."""
        self.add(key_pair.pem(), alias)
        if address is not None:
            self.psst("address", alias, "%s:%d" % address)

    # ---- looking ----

    def status(self):
        return self.psst("status", "--json").json()

    def counter(self, name):
        return self.status()["counters"].get(name, 0)

    def sessions(self, contact=None):
        return [s for s in self.status()["sessions"] if contact is None or s["contact"] == contact]

    def contacts(self):
        got = self.psst("contacts", "--json")
        try:
            whole = got.json()
        except ValueError:
            return got.lines()
        if isinstance(whole, dict):
            return whole["contacts"] if "contacts" in whole else [whole]
        return whole

    def contact(self, name):
        return next(c for c in self.contacts() if c["name"] == name)

    def files(self):
        got = self.psst("files", "--json")
        try:
            whole = got.json()
        except ValueError:
            return got.lines()
        if isinstance(whole, dict):
            return whole["files"] if "files" in whole else [whole]
        return whole

    def messages(self, name, *args):
        return self.psst("log", name, "--json", *args).lines()

    def texts(self, name, direction=None):
        return [m["text"] for m in self.messages(name, "-n", "1000") if direction in (None, m["direction"])]

    def wait_text(self, name, words, timeout=10):
        """The message, once it has arrived."""
        return wait_for("%r from %s" % (words, name), lambda: next(
            (m for m in self.messages(name) if m["direction"] == "in" and m["text"] == words), None), timeout)

    def wait_session(self, name, count=1, timeout=10):
        return wait_for("%d session(s) with %s" % (count, name), lambda: len(self.sessions(name)) == count, timeout)

    def wait_file(self, condition, timeout=30):
        return wait_for("a file", lambda: next((f for f in self.files() if condition(f)), None), timeout)


class E2E(unittest.TestCase):
    """Each test has a root of its own, and leaves nothing running."""

    def setUp(self):
        given = os.environ.get("PSST_E2E_TMP")
        self.root = tempfile.mkdtemp(prefix="psst-e2e-", dir=given)
        os.chmod(self.root, 0o755)
        self.people = []
        self.addCleanup(self._clean_up)

    def _clean_up(self):
        for person in self.people:
            if person.daemon is not None:
                person.daemon.terminate()
        for person in self.people:
            if person.daemon is not None:
                try:
                    person.daemon.wait(10)
                except subprocess.TimeoutExpired:
                    person.daemon.kill()
                    person.daemon.wait()
        sweep(self.root)
        result = getattr(getattr(self, "_outcome", None), "result", None)
        if result is not None and result.errors + result.failures:
            for person in self.people:
                print("---- %s's psstd: ----\n%s" % (person.name, person.log()[-6000:]))
        self._check_sanitizers()
        subprocess.run(["rm", "-rf", self.root], check=False)

    def _check_sanitizers(self):
        for person in self.people:
            found = re.search(r"(ERROR: AddressSanitizer|ERROR: LeakSanitizer|runtime error:).*", person.log())
            if found:
                print(person.log()[-8000:])
                self.fail("sanitizer: " + found.group(0))

    def person(self, name, *init_args, bits=1024, host="127.0.0.1", init=True, start=True, space=None):
        someone = Person(self.root, name, host, space)
        self.people.append(someone)
        if start:
            someone.start()
        if init:
            someone.init(*init_args, bits=bits)
        return someone

    def introduce(self, a, b):
        """Each adds the other's card."""
        a.add(b.card(), b.name)
        b.add(a.card(), a.name)

    def pair(self, **kwargs):
        """Alice and Bob, who know each other."""
        alice, bob = self.person("alice", **kwargs), self.person("bob", **kwargs)
        self.introduce(alice, bob)
        return alice, bob

    def caller(self, person, name="a2048", **kwargs):
        """peer.py as a contact of that person, in a session that it called."""
        me = key(name)
        person.befriend(me, "mallory")
        mallory = peer.Peer.call(person.address, me, person.public, **kwargs)
        self.addCleanup(mallory.close)
        person.wait_session("mallory")
        return mallory

    def callee(self, person, name="a2048"):
        """peer.py as a contact that this person has dialled."""
        me = key(name)
        listener = peer.Listener(me, peer.contact(person.public))
        self.addCleanup(listener.sock.close)
        person.befriend(me, "mallory", listener.address)
        dialling = person.spawn("dial", "mallory")
        mallory = listener.accept()
        self.addCleanup(mallory.close)
        person.finish(dialling, ("dial", "mallory"))
        return mallory

    def assertAlive(self, person):
        """The daemon lives, and answers."""
        self.assertTrue(alive(person.pid()), "psstd died:\n" + person.log()[-3000:])
        person.status()
