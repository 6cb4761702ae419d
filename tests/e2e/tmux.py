"""psst on a terminal: a private tmux server for each, with its socket in the test's directory. Keys go in, the screen comes out,
as text, with its colours, and as the bytes that the program wrote.

    class Screen(ScreenE2E):
        def test_x(self):
            terminal = self.terminal(alice, 80, 24)
            terminal.wait("bob")
            terminal.type("hello"), terminal.keys("Enter")
            self.golden(terminal, "talk-80x24", "hello")

A golden screen (screens/NAME.txt) is what capture-pane gives, with what differs from run to run put in the place by something of
the same width that looks alike: times, dates, ports, fingerprints. They are also the pictures of docs/TERMINAL.md. PSST_GOLDEN=write
writes them.
"""
import glob
import os
import re
import shutil
import signal
import subprocess
import time
import unicodedata
import unittest

from psst import E2E, PATIENCE, alive, children, program, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
SCREENS = os.path.join(HERE, "screens")
WRITE = os.environ.get("PSST_GOLDEN") == "write"
SETTLED_S = 0.4
DOWN, ACROSS = "\u2502", "\u2500"  # the lines between areas
DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DATE = "Monday, 23 November 2026"


def columns(text):
    """Of a piece of a captured row."""
    return sum(0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def at_column(row, column):
    """The character that stands there; "" beyond what was written, or in the middle of a wide one."""
    at = 0
    for c in row:
        if at == column and columns(c) > 0:
            return c
        at += columns(c)
        if at > column:
            return ""
    return ""


class Terminal:
    def __init__(self, person, width=80, height=24, args=(), env=None, term="tmux-256color", shell=False, folder=None):
        """shell: a shell in it, which starts nothing by itself."""
        self.person, self.size = person, (width, height)
        self.folder = folder or os.path.dirname(person.home)
        number = len(glob.glob(os.path.join(self.folder, "*.tty")))
        self.socket = os.path.join(self.folder, "%d.tty" % number)
        self.raw_path = os.path.join(self.folder, "%d.raw" % number)
        self.code_path = os.path.join(self.folder, "%d.code" % number)
        self.sanitizer = os.path.join(self.folder, "%d.sanitizer" % number)
        environment = {k: v for k, v in person.env.items() if k not in ("TMUX", "TMUX_PANE", "NO_COLOR", "DISPLAY", "WAYLAND_DISPLAY",
                                                                       "DBUS_SESSION_BUS_ADDRESS", "COLORTERM")}
        environment.update(TERM=term, TZ="UTC", **(env or {}))
        for option in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            environment[option] = ":".join(filter(None, [environment.get(option), "log_path=" + self.sanitizer]))
        self.environment = environment
        command = "exec env PS1='$ ' bash --norc --noprofile -i" if shell else "'%s' %s; echo $? >'%s.new'; mv '%s.new' '%s'" % (
            program("psst"), " ".join(args), self.code_path, self.code_path, self.code_path)
        options = []
        for name, value in (("default-terminal", term), ("status", "off"), ("remain-on-exit", "on"), ("escape-time", "0"),
                            ("history-limit", "0"), ("exit-empty", "off"), ("set-clipboard", "on"), ("monitor-bell", "on")):
            options += ["set", "-s" if name in ("escape-time", "exit-empty", "default-terminal", "set-clipboard") else "-g",
                        name, value, ";"]
        self.tmux("start-server", ";", *options, "new-session", "-d", "-s", "t", "-x", str(width), "-y", str(height), "-c",
                  person.home, command, ";", "set", "-w", "window-size", "manual", ";", "set", "-w", "remain-on-exit-format",
                  "", ";", "pipe-pane", "-o", "exec cat >'%s'" % self.raw_path)

    def tmux(self, *args, check=True):
        done = subprocess.run(["tmux", "-u", "-S", self.socket, "-f", "/dev/null", *args], env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=30 * PATIENCE)
        if check and done.returncode:
            raise AssertionError("tmux %s: %s" % (args, done.stderr.decode()))
        return done.stdout.decode("utf-8", "replace")

    def close(self):
        self.tmux("kill-server", check=False)

    # ---- in ----

    def keys(self, *names):
        """By tmux's names: M-1, PageUp, C-j, F1."""
        self.tmux("send-keys", "-t", "t", *names)
        return self

    def type(self, text):
        for i in range(0, len(text), 1000):
            self.tmux("send-keys", "-t", "t", "-l", "--", text[i:i + 1000])
        return self

    def enter(self, text):
        return self.type(text).keys("Enter")

    def send(self, data):
        """Bytes, as a terminal sends them."""
        self.tmux("send-keys", "-t", "t", "-H", *["%02x" % b for b in data])
        return self

    def click(self, row, column, button=0):
        return self.send(b"\x1b[<%d;%d;%dM\x1b[<%d;%d;%dm" % (button, column + 1, row + 1, button, column + 1, row + 1))

    def wheel(self, row, column, up=True):
        return self.send(b"\x1b[<%d;%d;%dM" % (64 if up else 65, column + 1, row + 1))

    def paste(self, text):
        path = os.path.join(self.folder, "pasted")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.tmux("load-buffer", path, ";", "paste-buffer", "-p", "-t", "t")
        return self

    def resize(self, width, height):
        self.size = (width, height)
        self.tmux("resize-window", "-t", "t", "-x", str(width), "-y", str(height))
        return self

    # ---- out ----

    def rows(self):
        got = self.tmux("capture-pane", "-p", "-t", "t").split("\n")[:-1]
        return got + [""] * (self.size[1] - len(got))

    def text(self):
        return "\n".join(self.rows())

    def styled(self):
        return self.tmux("capture-pane", "-p", "-e", "-t", "t")

    def raw(self):
        """All bytes that were written to the terminal so far."""
        with open(self.raw_path, "rb") as file:
            return file.read()

    def ask(self, form):
        return self.tmux("display-message", "-p", "-t", "t", form).strip()

    def cursor(self):
        return tuple(int(n) for n in self.ask("#{cursor_y} #{cursor_x}").split())

    def pid(self):
        """Of the shell that psst runs in."""
        return int(self.ask("#{pane_pid}"))

    def code(self):
        """How psst ended, 128 and more: by a signal; None: it runs. From the shell: tmux sometimes misses the end of a child."""
        try:
            with open(self.code_path, encoding="ascii") as file:
                return int(file.read())
        except OSError:
            return None

    # ---- waiting ----

    def wait(self, condition, timeout=10):
        """condition: a part of the text, or a function of the text. Gives the text."""
        fits = condition if callable(condition) else lambda text: condition in text
        deadline = time.monotonic() + timeout * PATIENCE
        while True:
            text = self.text()
            if fits(text):
                return text
            if time.monotonic() > deadline:
                what = "something" if callable(condition) else repr(condition)
                raise AssertionError("waited in vain for %s on the screen (%s):\n%s" % (what, self.state(), show(text)))
            time.sleep(0.02)

    def state(self):
        code = self.code()
        return "psst runs" if code is None else "psst ended with %d" % code

    def wait_gone(self, part, timeout=10):
        return self.wait(lambda text: part not in text, timeout)

    def settle(self):
        """Until nothing changes any more."""
        before, since = None, time.monotonic()
        while time.monotonic() - since < SETTLED_S:
            now = self.text()
            if now != before:
                before, since = now, time.monotonic()
            time.sleep(0.05)
        return before

    def wait_end(self, timeout=10):
        return wait_for("the end of psst", lambda: (self.code(),) if self.code() is not None else None, timeout)[0]


def show(text):
    rows = text.split("\n")
    return "\n".join("%2d|%s" % (i, row) for i, row in enumerate(rows))


def same_width(pattern, instead, row):
    """Puts instead in the place of what fits, and keeps what stands behind it at its column."""
    def put(match):
        got, extra = match.group(1), len(instead) - len(match.group(1))
        blanks = match.group(2)
        if got == instead:
            return match.group(0)
        return instead + (" " * max(0, len(blanks) - extra) if blanks else "")
    return re.sub("(" + pattern + ")( *)", put, row)


def normalised(rows):
    """What differs from run to run looks the same."""
    out = []
    for row in rows:
        row = same_width(r"(?:%s), \d{1,2} (?:%s) \d{4}" % (DAYS, MONTHS), DATE, row)
        row = re.sub(r"(?<![\d:])\d\d:\d\d(?![\d:])", "14:03", row)
        row = re.sub(r"(?<![\d:])\d:\d\d(?![\d:])", "0:07", row)
        row = re.sub(r"(127\.0\.0\.1|\]|localhost):\d{5}(?!\d)", r"\1:24516", row)
        row = re.sub(r"\b(?:[0-9a-f]{4} ){2,}[0-9a-f]{4}\b", lambda m: hexes(m.group(0)), row)
        row = re.sub(r"\b(?:\d{5} +){1,}\d{5}\b", lambda m: digits(m.group(0)), row)
        out.append(row.rstrip())
    return out


def hexes(words):
    return "".join(c if c == " " else "0123456789abcdef"[(7 * i + 3) % 16] for i, c in enumerate(words))


def digits(words):
    return "".join(c if c == " " else "0123456789"[(7 * i + 3) % 10] for i, c in enumerate(words))


@unittest.skipUnless(shutil.which("tmux"), "tmux is not installed")
class ScreenE2E(E2E):
    def terminal(self, person, width=80, height=24, **kwargs):
        terminal = Terminal(person, width, height, folder=self.root, **kwargs)
        self.addCleanup(self._close, terminal)
        return terminal

    def _close(self, terminal):
        family = [terminal.pid()] + children(terminal.pid())
        terminal.close()
        wait_for("the end of what ran in the terminal", lambda: not any(alive(pid) for pid in family))
        for path in glob.glob(terminal.sanitizer + "*"):
            with open(path, encoding="utf-8", errors="replace") as file:
                self.fail("sanitizer, in psst: " + file.read()[:6000])

    def golden(self, terminal, name, condition=None, mask=None):
        """The screen becomes that of the file. condition: what to wait for before it is written. mask: function of rows."""
        if condition is not None:
            terminal.wait(condition)
        path = os.path.join(SCREENS, name + ".txt")

        def now():
            rows = terminal.rows()
            rows = normalised(rows)
            return "\n".join(mask(rows) if mask else rows) + "\n"

        if WRITE:
            terminal.settle()
            with open(path, "w", encoding="utf-8") as file:
                file.write(now())
            return
        with open(path, encoding="utf-8") as file:
            wanted = file.read()
        try:
            wait_for("the screen", lambda: now() == wanted, 8)
        except AssertionError:
            self.fail("the screen is not that of %s (PSST_GOLDEN=write writes it)\nwanted:\n%s\ngot (%s):\n%s" %
                      (os.path.basename(path), show(wanted), terminal.state(), show(now())))
