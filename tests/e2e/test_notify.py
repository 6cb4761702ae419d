"""Bell and desktop: what psst-notify shows on a desktop of the test's own, and what psst tells it. A private bus, a desktop that
takes down what it is asked for (python3-dbusmock), both gone with the test."""
import json
import os
import shutil
import socket
import subprocess
import time
import unittest

from psst import PATIENCE, program, wait_for
from tmux import ScreenE2E

PYTHON = "/usr/bin/python3"  # whose packages are the system's
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>"""
NOTIFY = program("psst-notify")


def has_mock():
    return subprocess.run([PYTHON, "-c", "import dbusmock"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


@unittest.skipUnless(os.access(NOTIFY, os.X_OK), "no psst-notify beside psst")
@unittest.skipUnless(shutil.which("dbus-daemon") and os.access(PYTHON, os.X_OK) and has_mock(), "dbus or python3-dbusmock is not installed")
class Notify(ScreenE2E):
    def setUp(self):
        super().setUp()
        self.runtime = os.path.join(self.root, "runtime")
        os.mkdir(self.runtime, 0o700)
        self.log = os.path.join(self.root, "desktop.log")
        self.env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")}
        self.env.update(XDG_RUNTIME_DIR=self.runtime, HOME=self.root, LC_ALL="C.UTF-8")

    def start(self, *command, **env):
        process = subprocess.Popen(command, env=dict(self.env, **env), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def bus(self):
        path, config = os.path.join(self.runtime, "bus"), os.path.join(self.root, "bus.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(BUS % path)
        self.start("dbus-daemon", "--nofork", "--config-file=" + config)
        wait_for("the bus", lambda: os.path.exists(path))
        return path

    def desktop(self, capabilities=None):
        path = self.bus()
        more = ["-p", json.dumps({"capabilities": capabilities})] if capabilities else []
        self.start(PYTHON, "-m", "dbusmock", "--session", "-l", self.log, "-t", "notification_daemon", *more,
                   DBUS_SESSION_BUS_ADDRESS="unix:path=" + path)
        ask = ["dbus-send", "--bus=unix:path=" + path, "--print-reply", "--dest=org.freedesktop.Notifications",
               "/org/freedesktop/Notifications", "org.freedesktop.Notifications.GetCapabilities"]
        wait_for("the desktop", lambda: subprocess.run(ask, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                                       check=False).returncode == 0)

    def shown(self):
        """The lines of the desktop: Notify with its arguments."""
        with open(self.log, encoding="utf-8") as file:
            return [line.rstrip("\n").split(" ", 1)[1] for line in file if " Notify " in line]

    def notify(self, text, *args, **env):
        data = text.encode() if isinstance(text, str) else text
        return subprocess.run([NOTIFY, *args], input=data, env=dict(self.env, **env), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=30 * PATIENCE, check=False).returncode

    # ---- psst-notify alone ----

    def test_text_is_literal(self):
        self.desktop()
        evil = "<b>x</b> <a href='file:///etc/passwd'>&amp;</a> \x1b]0;t\x07 %n %s \u202egpj.exe"
        self.assertEqual(self.notify("news\nBob <i>\x1b[31m\n" + evil + "\nand more\n"), 0)
        line, = self.shown()
        self.assertIn('"Bob <i>\u241b[31m"', line)  # a title is never markup
        self.assertIn("&lt;b&gt;x&lt;/b&gt; &lt;a href=&apos;file:///etc/passwd&apos;&gt;&amp;amp;&lt;/a&gt; "
                      "\u241b]0;t\u2407 %n %s gpj.exe", line.replace("&#39;", "&apos;"))
        self.assertNotIn("and more", line)
        self.assertNotIn("\x1b", line)
        self.assertIn('"urgency": 1', line)

    def test_a_desktop_without_markup(self):
        self.desktop("body actions")
        self.assertEqual(self.notify("call\nPSST\n<b>&\n"), 0)
        line, = self.shown()
        self.assertIn('"<b>&"', line)
        self.assertIn('"urgency": 2', line)

    def test_what_is_no_text(self):
        self.desktop()
        self.assertEqual(self.notify(b"news\nt\xff\x00t\n" + b"\xc3" * 9000), 0)
        self.assertEqual(self.notify(b"news\n"), 1)
        self.assertEqual(self.notify(b""), 1)
        self.assertEqual(self.notify("news\nt\nb\n", "--help"), 2)
        self.assertEqual(len(self.shown()), 1)

    def test_no_desktop(self):
        begun = time.monotonic()
        self.assertEqual(self.notify("news\nt\nb\n"), 1)  # no bus at all
        self.bus()
        self.assertEqual(self.notify("news\nt\nb\n"), 1)  # nobody on it
        self.assertLess(time.monotonic() - begun, 5 * PATIENCE)

    def test_a_bus_that_is_silent(self):
        path = os.path.join(self.runtime, "bus")
        with socket.socket(socket.AF_UNIX) as mute:
            mute.bind(path)
            mute.listen(5)
            begun = time.monotonic()
            self.assertEqual(self.notify("news\nt\nb\n"), 1)
            self.assertLess(time.monotonic() - begun, 5 * PATIENCE)

    # ---- through psst ----

    def talk(self, **settings):
        """Alice with a screen that nobody has touched, and mallory; how many bells there were."""
        self.desktop()
        self.alice = self.person("alice")
        for name, value in settings.items():
            self.alice.psst("set", name, value)
        self.mallory = self.caller(self.alice, "a2048")
        self.screen_of = self.terminal(self.alice, env={"XDG_RUNTIME_DIR": self.runtime})
        self.screen_of.wait("mallory")

    def say(self, words):
        self.mallory.wait_ack(self.mallory.say(words))
        wait_for("it to be kept", lambda: words in self.alice.texts("mallory"))

    def bells(self):
        return self.screen_of.raw().count(b"\a")

    def one(self):
        line, = wait_for("the desktop to show it", self.shown)
        return line

    def test_hidden_unless_wished_otherwise(self):
        self.talk()
        self.say("first <b>words</b>")
        line = self.one()
        self.assertIn("Something new for you", line)
        for part in ("mallory", "first", "words"):
            self.assertNotIn(part, line)
        wait_for("the bell", lambda: self.bells() == 1)
        # a flood is one: the desktop is told once in two seconds
        begun = time.monotonic() - 2
        for i in range(20):
            self.say("flood %d" % i)
        self.screen_of.wait("flood 19")
        most = 2 + (time.monotonic() - begun) / 2
        self.assertLessEqual(len(self.shown()), most)
        self.assertLessEqual(self.bells(), most)
        self.assertEqual(self.zombies(self.screen_of.pid()), [])

    def test_shown_where_wished(self):
        self.talk(notify="shown")
        self.say("second <b>%n\x1b[2J\nand more")
        line = self.one()
        self.assertIn('"mallory"', line)
        self.assertIn("second &lt;b&gt;%n\u241b[2J\u240aand more", line)

    def test_nothing_where_wished(self):
        self.talk(notify="no", bell="no")
        self.say("third")
        self.screen_of.wait("third")
        time.sleep(0.3)
        self.assertEqual((self.bells(), self.shown()), (0, []))

    def test_who_looks_at_it_is_not_called(self):
        self.talk()
        self.screen_of.type("x")
        self.screen_of.wait("x")
        self.say("fourth")
        self.screen_of.wait("fourth")
        self.screen_of.keys("F1")  # now something covers it
        self.screen_of.wait_gone("fourth")
        self.assertEqual((self.bells(), self.shown()), (0, []))
        self.say("fifth")
        self.assertIn("Something new", self.one())

    @staticmethod
    def zombies(pid):
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % entry, encoding="ascii", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] == "Z" and int(fields[1]) == pid:
                found.append(entry)
        return found
