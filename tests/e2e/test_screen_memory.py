"""What psst knew when the identity was locked, it knows no longer: nothing of it is found in its memory."""
import os
import unittest

from psst import children, key
from test_backup import memory_of
from tmux import ScreenE2E

PASS = "correct horse"
WORD = "Zinnober"  # said, searched, shown, written and taken back


def found(memory, word):
    """Places, with what stands around them: as bytes, and as the wide characters of cells."""
    spread = b"".join(c.encode("utf-32-le") for c in word)
    places = []
    for what in (word.encode(), spread, b"".join(c.encode("utf-32-le") + bytes(24) for c in word)):
        at = memory.find(what)
        while at >= 0:
            places.append(memory[max(0, at - 40):at + len(what) + 40])
            at = memory.find(what, at + 1)
    return places


def name_of(pid):
    with open("/proc/%d/comm" % pid, encoding="ascii") as file:
        return file.read().strip()


class Memory(ScreenE2E):
    def setUp(self):
        super().setUp()
        self.alice = self.person("alice", init=False)
        self.alice.write("pass", PASS + "\n")
        self.alice.psst("init", "--name", "Alice", "--bits", "1024", "--passphrase-file", self.alice.path("pass"))
        self.alice.write("bob.psst", key("b2048").pem())
        self.alice.psst("add", self.alice.path("bob.psst"), "--as", "Bob", "--yes")

    def psst_of(self, terminal):
        return next(pid for pid in children(terminal.pid()) if name_of(pid) == "psst")

    maxDiff = None

    @unittest.skipUnless(os.geteuid() == 0, "psst shows its memory to nobody but root")
    def test_locking_leaves_nothing_that_was_said(self):
        terminal = self.terminal(self.alice)
        terminal.wait("Bob>")
        terminal.enter("one " + WORD).wait("| one " + WORD)
        terminal.enter("two " + WORD + " " + "and more words " * 20)
        terminal.type("three " + WORD).keys("C-w", "C-u", "C-_", "C-u")
        terminal.enter("/search " + WORD)
        terminal.wait("2 found")
        terminal.type("q").wait_gone("2 found")
        terminal.enter("/log")
        terminal.wait("q leaves")
        terminal.type("/" + WORD[:4]).keys("Enter").type("q").wait_gone("q leaves")
        terminal.keys("M-l").wait("to be copied")
        terminal.keys("Space").wait("Bob>")
        self.assertTrue(found(memory_of(self.psst_of(terminal)), WORD))
        self.alice.psst("lock")
        terminal.wait("Passphrase")
        terminal.settle()
        self.assertEqual(found(memory_of(self.psst_of(terminal)), WORD), [])

    def test_nobody_else_looks_into_it(self):
        terminal = self.terminal(self.alice)
        terminal.wait("Bob>")
        pid = self.psst_of(terminal)
        with open("/proc/%d/limits" % pid, encoding="ascii") as file:
            core = [line.split() for line in file if line.startswith("Max core file size")]
        self.assertEqual(core[0][4:6], ["0", "0"])
        if os.geteuid() != 0:  # of root's own all is root's: then the unit test alone says it
            self.assertEqual(os.stat("/proc/%d/mem" % pid).st_uid, 0)


if __name__ == "__main__":
    unittest.main()
