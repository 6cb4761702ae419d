"""The verbs of calls and voice messages, as a person types them: words, exit codes, and what is left afterwards. Sound comes from
wavs; nothing here has a sound device."""
import os
import pty
import select
import signal
import socket
import stat
import subprocess
import time
import unittest

import wire
from psst import BIN, E2E, PATIENCE, FAILED, LOCKED, NO_CONTACT, UNREACHABLE, USAGE, program, wait_for
from test_calls import QUIET, hears, write_tone

DECLINED = 7


class Words(E2E):
    """What needs no other side, and no sound."""

    def test_nobody_to_call(self):
        alice = self.person("alice", init=False)
        self.assertIn("psst init", alice.psst("call", "bob", expect=LOCKED).err)
        alice.init()
        alice.psst("call", "bob", expect=NO_CONTACT)
        alice.psst("answer", "bob", expect=NO_CONTACT)
        alice.psst("decline", "bob", expect=NO_CONTACT)
        alice.psst("hangup", "--call", expect=(FAILED, USAGE))
        alice.psst("answer", expect=(FAILED, USAGE))
        alice.psst("call", "bob", "--message", expect=NO_CONTACT)
        self.assertIn("no calls", alice.psst("calls").out)
        self.assertEqual(alice.psst("calls", "--json").json(), [])
        alice.psst("play", "7", expect=(FAILED, USAGE))

    def test_decline_takes_numbers_for_files_and_names_for_calls(self):
        alice = self.person("alice")
        self.assertIn("file 7", alice.psst("decline", "7", expect=(FAILED, USAGE)).err)
        alice.psst("decline", "7bob", expect=USAGE)
        alice.psst("decline", "--call", "7bob", expect=NO_CONTACT)
        alice.psst("decline", "7", "bob", expect=USAGE)

    def test_settings_of_the_sound(self):
        alice = self.person("alice")
        for verb, value in (("sense", "-42"), ("quality", "9"), ("volume", "150")):
            self.assertEqual(alice.psst(verb, value).out, "%s is %s\n" % (verb, value))
            self.assertEqual(alice.psst(verb).out, "%s is %s\n" % (verb, value))
        alice.restart()
        self.assertEqual(alice.psst("sense").out, "sense is -42\n")
        self.assertIn("mute is off; there is no call", alice.psst("mute").out)
        alice.psst("mute", "on", expect=(FAILED, USAGE))

    def test_wavs_that_cannot_be(self):
        alice, bob = self.pair()
        there = alice.write("there.wav", b"mine")
        alice.psst("call", "bob", "--wav-in", alice.path("none.wav"), expect=FAILED)
        self.assertIn("overwritten", alice.psst("call", "bob", "--wav-out", there, expect=FAILED).err)
        with open(there, "rb") as file:
            self.assertEqual(file.read(), b"mine")
        with open(write_tone(alice.path("good.wav"), 440, 1), "rb") as file:
            good = file.read()
        for number, (at, byte) in enumerate(((0, 0), (22, 2), (24, 0x44), (34, 8))):  # no RIFF, stereo, another rate, 8 bits
            bad = alice.write("bad%d.wav" % number, good[:at] + bytes([byte]) + good[at + 1:])
            self.assertIn("48 kHz", alice.psst("call", "bob", "--wav-in", bad, expect=FAILED).err)
        self.assertIn("48 kHz", alice.psst("call", "bob", "--wav-in", alice.path("."), expect=FAILED).err)
        self.assertEqual(bob.psst("calls", "--json").json(), [])

    def test_a_contact_who_is_not_there(self):
        alice, bob = self.pair()
        bob.stop()
        self.assertEqual(alice.psst("call", "bob", expect=UNREACHABLE).out, "")


class Terminal:
    """`psst` where a person sits."""

    def __init__(self, test, person, *args):
        self.ours, theirs = pty.openpty()
        test.addCleanup(os.close, self.ours)
        self.process = subprocess.Popen([program("psst"), *args], env=person.env, stdin=theirs, stdout=theirs,
                                        stderr=theirs, start_new_session=True)
        os.close(theirs)
        self.shown = ""

    def wait(self, words, timeout=10):
        """What stands before and with these words, once they are there."""
        deadline = time.monotonic() + timeout * PATIENCE
        while words not in self.shown:
            if not select.select([self.ours], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError("waited in vain for %r: %r" % (words, self.shown))
            try:
                self.shown += os.read(self.ours, 4096).decode("utf-8", "replace")
            except OSError:
                raise AssertionError("it ended without %r: %r" % (words, self.shown)) from None
        before, _, self.shown = self.shown.partition(words)
        return before + words

    def type(self, words):
        os.write(self.ours, words.encode())


@unittest.skipUnless(os.path.exists(os.path.join(BIN, "psst-voice")), "there is no psst-voice")
class Verbs(E2E):
    def two(self):
        people = []
        for name in ("alice", "bob"):
            person = self.person(name, start=False, init=False)
            with open(person.path("config"), "a", encoding="utf-8") as file:
                file.write(QUIET)
            person.start()
            people.append(person.init())
        self.introduce(*people)
        return people

    def ask(self, person, method, **params):
        with person.control() as control:
            return control.call(method, **params)

    def offered(self, person, name):
        def look():
            call = self.ask(person, "voice")["call"]
            return call is not None and call["name"].lower() == name and call["state"] == "offered"
        wait_for("a call from " + name, look)

    def test_call_answer_and_an_interrupt(self):
        alice, bob = self.two()
        said = {p: write_tone(p.path("said.wav"), hz, 6) for p, hz in ((alice, 440), (bob, 1000))}
        heard = {p: p.path("heard.wav") for p in (alice, bob)}
        calls = alice.spawn("call", "BOB", "--wav-in", said[alice], "--wav-out", heard[alice])
        self.offered(bob, "alice")
        answers = bob.spawn("answer", "--wav-in", said[bob], "--wav-out", heard[bob], "--json")
        wait_for("a second of talk", lambda: (self.ask(bob, "voice")["call"] or {}).get("seconds", 0) >= 1)
        self.assertIn("mute is on", alice.psst("mute", "on").out)
        self.assertIn("mute is off", alice.psst("mute", "off").out)
        self.assertIn("push to talk is on", alice.psst("ptt", "on").out)
        self.assertIn("receiving is off", bob.psst("receive", "off").out)
        alice.psst("call", "bob", expect=USAGE)
        calls.send_signal(signal.SIGINT)
        got = alice.finish(calls)
        self.assertRegex(got.out, r"(?s)^calling bob\n.*in a call with bob.*\nthe call has ended after 0:0\d")
        self.assertNotIn("\x1b", got.out + got.err)  # no terminal, no meter
        events = bob.finish(answers).lines()
        self.assertEqual({e["event"] for e in events}, {"call", "voice"})
        self.assertEqual([e["result"] for e in events if e["event"] == "call" and e["state"] == "ended"], ["ended"])
        self.assertGreater(hears(heard[bob], 440, 1000), 0.4)
        self.assertEqual(stat.S_IMODE(os.stat(heard[bob]).st_mode), 0o600)
        for person, line in ((alice, "called bob: "), (bob, "alice called: ")):
            self.assertIn(line, person.psst("calls").out)
            self.assertIn(line, person.psst("log", "bob" if person is alice else "alice").out)

    def test_seconds_are_from_the_answer_on(self):
        alice, bob = self.two()
        calls = alice.spawn("call", "bob", "--seconds", "1")
        self.offered(bob, "alice")
        bob.finish(bob.spawn("answer", "alice"))
        self.assertIn("ended after 0:01", alice.finish(calls).out)

    def test_exit_codes_of_what_did_not_become_a_call(self):
        alice, bob = self.two()
        calls = alice.spawn("call", "bob")
        self.offered(bob, "alice")
        self.assertIn("declined", bob.psst("decline", "alice").out)
        self.assertIn("declin", alice.finish(calls, expect=DECLINED).out)
        calls = alice.spawn("call", "bob")  # our user has thought better of it
        self.offered(bob, "alice")
        calls.send_signal(signal.SIGTERM)
        alice.finish(calls, expect=FAILED)
        wait_for("a missed call", lambda: any(c["result"] == "missed" for c in self.ask(bob, "calls")["calls"]))
        bob.psst("answer", expect=(FAILED, USAGE))
        calls = alice.spawn("call", "bob")
        self.offered(bob, "alice")
        self.assertIn("ended", alice.psst("hangup", "--call").out)
        alice.finish(calls, expect=None)
        self.assertEqual(len(alice.sessions("bob")), 1)  # that is another thing

    def test_an_interrupt_while_it_dials(self):
        alice, bob = self.two()
        bob.stop()
        with socket.create_server((bob.host, bob.port)) as deaf:  # takes the call, and says nothing
            calls = alice.spawn("call", "bob")
            taken, _ = deaf.accept()
            calls.send_signal(signal.SIGINT)
            alice.finish(calls, expect=FAILED, timeout=5)
            taken.close()
        self.assertIsNone(self.ask(alice, "voice")["call"])

    def test_a_missed_call_is_new_once(self):
        alice, bob = self.two()
        bob.psst("say", "alice", "before it")
        calls = alice.spawn("call", "bob")
        self.offered(bob, "alice")
        calls.send_signal(signal.SIGINT)
        alice.finish(calls, expect=FAILED)
        wait_for("its end", lambda: self.ask(bob, "voice")["call"] is None)
        self.assertIn(" new ", bob.psst("calls", "alice").out)
        calls = alice.spawn("call", "bob")
        self.offered(bob, "alice")
        calls.send_signal(signal.SIGINT)
        alice.finish(calls, expect=FAILED)
        wait_for("its end", lambda: self.ask(bob, "voice")["call"] is None)
        bob.psst("say", "alice", "after it")
        chat = Terminal(self, bob, "chat", "alice")
        chat.wait("alice called: missed")
        chat.type("/quit\n")
        chat.process.wait(10 * PATIENCE)
        self.assertNotIn("new", bob.psst("calls").out)
        got = bob.psst("log", "alice").out
        self.assertRegex(got, r"(?s)before it.*\n-- [-\d: ]* alice called: missed\n.*after it")
        bob.psst("forget", "alice")
        self.assertEqual(bob.psst("calls", "--json").json(), [])

    def test_chat_knows_calls(self):
        alice, bob = self.two()
        chat = bob.spawn("chat", "alice", stdin=-1)
        bob.wait_session("alice")
        calls = alice.spawn("call", "bob", "--seconds", "1")
        self.offered(bob, "alice")
        chat.stdin.write(b"/answer\n")
        chat.stdin.flush()
        alice.finish(calls)
        chat.stdin.write(b"/hangup now\n/mute\n")  # the first is no command
        got = bob.finish(chat, input=b"/quit\n").out
        self.assertIn("-- alice is calling", got)
        self.assertIn("-- in a call with alice", got)
        alice.wait_text("bob", "/hangup now")
        self.assertEqual(alice.texts("bob", "in"), ["/hangup now"])

    def test_a_call_does_not_outlive_the_program_that_made_it(self):
        """Nor the one that answered it: nobody is left alone with an open microphone."""
        alice, bob = self.two()
        for killed in (0, 1):
            calls = alice.spawn("call", "bob", "--wav-in", write_tone(alice.path("said %d.wav" % killed), 440, 30))
            self.offered(bob, "alice")
            answers = bob.spawn("answer")
            wait_for("the call", lambda: (self.ask(alice, "voice")["call"] or {}).get("state") == "active")
            (calls, answers)[killed].kill()
            for person in (alice, bob):
                wait_for("its end", lambda p=person: self.ask(p, "voice")["call"] is None)
            for person, program in ((alice, calls), (bob, answers)):
                person.finish(program, expect=None)
        self.assertEqual([c["result"] for c in alice.psst("calls", "--json").json()], ["ended", "ended"])

    def test_sound_is_for_one_at_a_time(self):
        alice, bob = self.two()
        calls = alice.spawn("call", "bob", "--wav-in", write_tone(alice.path("said.wav"), 440, 6))
        self.offered(bob, "alice")
        answers = bob.spawn("answer")
        wait_for("the call", lambda: (self.ask(alice, "voice")["call"] or {}).get("state") == "active")
        for words in (("play", "1"), ("soundcheck",), ("call", "bob", "--message"), ("call", "bob"), ("devices",)):
            self.assertIn("under way", alice.psst(*words, expect=USAGE).err, words)
        alice.psst("hangup", "--call")
        alice.finish(calls), bob.finish(answers)
        checks = [alice.spawn("soundcheck", "--wav-in", alice.path("said.wav"))]

        def checking():
            """Asking takes the sound for a moment too, and the check may have come just then."""
            if "under way" in alice.psst("devices", expect=None).err:
                return True
            if checks[-1].poll() is not None:
                checks.append(alice.spawn("soundcheck", "--wav-in", alice.path("said.wav")))
            return False
        wait_for("the check", checking)
        self.assertIn("under way", alice.psst("call", "bob", expect=USAGE).err)
        checks[-1].send_signal(signal.SIGINT)
        for check in checks:
            alice.finish(check, expect=None)
        alice.psst("soundcheck", "--seconds", "1", "--wav-in", alice.path("said.wav"))

    def test_without_a_sound_server(self):
        alice = self.person("alice", start=False, init=False)
        alice.env["PULSE_SERVER"] = "unix:/nonexistent/socket"
        alice.start()
        self.assertRegex(alice.psst("devices", expect=FAILED).err, r"^psst: [^\n]*sound server[^\n]*\n$")
        self.assertIn("sound", alice.psst("soundcheck", "--seconds", "1", expect=FAILED).out)

    # ---- on a terminal ----

    def test_a_line_of_levels_on_a_terminal(self):
        alice, bob = self.two()
        calls = Terminal(self, alice, "call", "bob", "--wav-in", write_tone(alice.path("said.wav"), 440, 6))
        self.offered(bob, "alice")
        answers = bob.spawn("answer")
        line = calls.wait("] voice ").rpartition("\r\x1b[K")[2]
        self.assertRegex(line, r"^0:0\d  me \[#+\.*\] voice $")
        alice.psst("mute", "on")
        calls.wait("] mute ")
        bob.psst("receive", "off")
        calls.wait("not listening")
        calls.process.send_signal(signal.SIGINT)
        calls.wait("the call has ended after 0:0")
        self.assertEqual(calls.process.wait(10 * PATIENCE), 0)
        bob.finish(answers)

    def test_who_is_not_there_is_left_a_message(self):
        alice, bob = self.two()
        bob.stop()
        calls = Terminal(self, alice, "call", "bob")
        calls.wait("Leave a voice message? [y/N] ")
        calls.type("y\n")
        calls.wait("Enter ends it and sends it")
        time.sleep(0.5)
        calls.type("\n")
        calls.wait("voice message, 1 s, for bob: it goes as file 1")
        self.assertEqual(calls.process.wait(10 * PATIENCE), UNREACHABLE)
        self.assertEqual(self.voice(alice)["state"], "waiting")
        for words, send in (("no\n", None), ("y\n", signal.SIGINT)):
            calls = Terminal(self, alice, "call", "bob")
            calls.wait("[y/N] ")
            calls.type(words)
            if send is not None:
                calls.wait("throws it away")
                calls.process.send_signal(send)
                calls.wait("thrown away")
            self.assertEqual(calls.process.wait(10 * PATIENCE), UNREACHABLE)
        self.assertEqual(len(alice.files()), 1)
        self.assertEqual(len(os.listdir(alice.path("voice"))), 1)

    # ---- voice messages ----

    def leave(self, sender, name, hz=440, seconds=1):
        said = write_tone(sender.path("%d.wav" % hz), hz, seconds)
        got = sender.psst("call", name, "--message", "--wav-in", said, "--seconds", str(seconds))
        self.assertRegex(got.out, r"^voice message, %d s, for %s: it goes as file \d+\n" % (seconds, name))
        return int(got.out.split()[-1])

    def voice(self, person, where=lambda f: True):
        return person.wait_file(lambda f: f["form"] == "voice" and where(f))

    def test_a_message_is_left_taken_and_heard(self):
        alice, bob = self.two()
        self.leave(alice, "bob")
        got = self.voice(bob, lambda f: f["state"] == "done")
        self.assertEqual((got["direction"], got["seconds"], got["heard"]), ("in", 1, False))
        self.assertEqual(os.path.dirname(got["path"]), bob.path("voice"))
        self.assertEqual(stat.S_IMODE(os.stat(got["path"]).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(got["path"])).st_mode), 0o700)
        bob.psst("play", str(got["id"]), "--wav-out", bob.path("heard.wav"))
        self.assertGreater(hears(bob.path("heard.wav"), 440, 1000), 0.4)
        self.assertTrue(self.voice(bob)["heard"])
        own = self.voice(alice, lambda f: f["state"] == "done")
        alice.psst("play", str(own["id"]), "--wav-out", alice.path("own.wav"))
        self.assertGreater(hears(alice.path("own.wav"), 440, 1000), 0.4)

    def test_it_goes_with_the_history(self):
        alice, bob = self.two()
        self.leave(alice, "bob")
        got = self.voice(bob, lambda f: f["state"] == "done")
        bob.psst("forget", "alice")
        self.assertTrue(os.path.exists(got["path"]))  # nobody has heard it
        bob.psst("play", str(got["id"]), "--wav-out", bob.path("heard.wav"))
        bob.psst("forget", "alice")
        self.assertFalse(os.path.exists(got["path"]))
        self.assertEqual([f for f in bob.files() if f["form"] == "voice"], [])
        bob.psst("play", str(got["id"]), expect=USAGE)
        own = self.voice(alice, lambda f: f["state"] == "done")
        alice.psst("remove", "bob", "--yes")
        self.assertFalse(os.path.exists(own["path"]))

    def test_it_waits_for_who_is_not_there(self):
        alice, bob = self.two()
        bob.stop()
        self.leave(alice, "bob")
        bob.start()
        bob.psst("dial", "alice")
        self.voice(bob, lambda f: f["state"] == "done")

    def test_the_end_of_who_records_ends_the_recording(self):
        alice, bob = self.two()
        recorder = alice.spawn("call", "bob", "--message")
        folder = alice.path("voice")
        wait_for("a recording", lambda: os.path.isdir(folder) and os.listdir(folder))
        recorder.kill()
        recorder.communicate()
        wait_for("its end", lambda: not os.listdir(folder))
        self.assertEqual([f for f in alice.files() if f["form"] == "voice"], [])

    # ---- what others make of it ----

    def someone(self):
        person = self.person("bob", start=False, init=False)
        with open(person.path("config"), "a", encoding="utf-8") as file:
            file.write(QUIET)
        return person.start().init()

    def test_few_and_small_ones_are_taken_alone(self):
        bob = self.someone()
        mallory = self.caller(bob)
        for size in ((1 << 64) - 1, (1 << 62) + 1):
            self.assertEqual(mallory.wait_file(mallory.offer(b"x", size, form=3), wire.DECLINE)["reason"], 3)
        mallory.offer(b"large", 4 * 1024 * 1024 + 1, form=3)
        bob.wait_file(lambda f: f["name"] == "large" and f["state"] == "waiting" and f["form"] == "voice" and f["asks"])
        for i in range(25):
            mallory.offer(b"voice message 99999 s.opus", 10, form=3)
        wait_for("25 offers", lambda: len(bob.files()) == 26)
        mallory.ping()

        def untaken():  # one that was taken has a place
            return [f for f in bob.files() if f["path"] == ""]

        wait_for("what is not taken", lambda: len(untaken()) == 7)
        self.assertEqual({f["seconds"] for f in bob.files()}, {0})  # nobody speaks so long
        wait_for("all of it to be asked for", lambda: all(f["asks"] for f in untaken()))
        self.assertFalse(any(f["asks"] for f in bob.files() if f["path"]))
        bob.psst("accept", str(untaken()[-1]["id"]))
        self.assertEqual(len(untaken()), 6)

    def test_what_is_no_sound_is_not_played(self):
        bob = self.someone()
        mallory = self.caller(bob)
        for i, data in enumerate((b"garbage", b"OggS" + bytes(200))):
            transfer = mallory.offer(b"../voice message 12 s.opus", len(data), form=3)
            mallory.wait_file(transfer, wire.ACCEPT)
            mallory.send_data(transfer, data)
            mallory.send_done(transfer, data)
            mallory.wait_ack(transfer)
            got = bob.wait_file(lambda f: f["state"] == "done" and f["size"] == len(data))
            self.assertEqual((os.path.dirname(got["path"]), got["seconds"]), (bob.path("voice"), 12))
            answer = bob.psst("play", str(got["id"]), "--wav-out", bob.path("%d.wav" % i), expect=FAILED)
            self.assertRegex(answer.err, r"^psst: [^\n]+\n$")
        self.assertEqual(len([f for f in bob.files() if f["heard"]]), 0)


if __name__ == "__main__":
    unittest.main()
