"""psst-tar by itself: archives that a hostile sender could make (attacks 29 to 33), each refused by name or made harmless, and
nothing written anywhere else; what ends it; what it cannot do."""
import hashlib
import io
import os
import shutil
import signal
import stat
import subprocess
import tarfile

from psst import E2E, PATIENCE, alive, children, program, wait_for

DONE, FAILED, USAGE, REFUSED, CHANGED, DISK_FULL, LEFT = range(7)
BLOCK = 512


def member(name, content=b"", **kwargs):
    """A TarInfo and its content."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in kwargs.items():
        setattr(info, key, value)
    return info, content


def folder(name):
    return member(name, type=tarfile.DIRTYPE, mode=0o755)


def archive(*members, format=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def header(name=b"x", mode=b"0000644", size=b"00000000000", type=b"0", link=b"", magic=b"ustar\x0000", prefix=b"", uid=b"0000000",
           mtime=b"00000000000"):
    """One block, field by field, with a right checksum."""
    fields = [(name, 100), (mode, 8), (uid, 8), (b"0000000", 8), (size, 12), (mtime, 12), (b" " * 8, 8), (type, 1),
              (link, 100), (magic, 8), (b"", 32), (b"", 32), (b"0000000", 8), (b"0000000", 8), (prefix, 155), (b"", 12)]
    block = b"".join(value.ljust(width, b"\0") for value, width in fields)
    assert len(block) == BLOCK, len(block)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def padded(content):
    return content + b"\0" * (-len(content) % BLOCK)


def pax(records, name=b"x", type=b"x"):
    """An extended header; records: pairs of bytes."""
    body = b""
    for key, value in records:
        length = len(key) + len(value) + 3
        while len(b"%d" % length) + len(key) + len(value) + 3 != length:
            length = len(b"%d" % length) + len(key) + len(value) + 3
        body += b"%d %s=%s\n" % (length, key, value)
    return header(b"PaxHeader/" + name, size=b"%011o" % len(body), type=type) + padded(body)


def base256(number, width=12):
    return (1 << (8 * width - 1) | number & ((1 << (8 * width - 1)) - 1)).to_bytes(width, "big")


END = b"\0" * 2 * BLOCK
FILE = header(b"fine") + END


def filtered(pid):
    """Whether a system call filter is on, which sanitizer builds have none of."""
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as file:
        return "Seccomp:\t2" in file.read()


def sanitized():
    with open(program("psst-tar"), "rb") as file:
        return b"__asan_init" in file.read()


def snapshot(root, without=None):
    """Everything below root: kind, mode, size, content."""
    seen = {}
    for path, names, files in os.walk(root):
        if path == without:
            names[:] = []
            continue
        for name in names + files:
            at = os.path.join(path, name)
            status = os.lstat(at)
            what = os.readlink(at) if stat.S_ISLNK(status.st_mode) else None
            if stat.S_ISREG(status.st_mode):
                with open(at, "rb") as file:
                    what = hashlib.sha256(file.read()).hexdigest()
            seen[os.path.relpath(at, root)] = (status.st_mode, status.st_nlink if what else 0, what)
    return seen


class Tar(E2E):
    def setUp(self):
        super().setUp()
        # what an archive might try to reach lies all around the folder that it is unpacked into
        self.into = os.path.join(self.root, "around", "into")
        os.makedirs(self.into)
        for name in ("victim", ".bashrc", "around/victim", "around/into.txt"):
            with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
                file.write("as it was")
        self.before = snapshot(self.root, self.into)

    def run_tar(self, *args, stdin, stdout, line=None):
        """Exit code and report."""
        reading, writing = os.pipe()

        def descriptor_3():
            os.dup2(line if line is not None else reading, 3)
            os.set_inheritable(3, True)

        process = subprocess.Popen([program("psst-tar"), *args], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE,
                                   close_fds=False, env={"LC_ALL": "C"}, preexec_fn=descriptor_3)
        os.close(reading)
        _, report = process.communicate(timeout=120 * PATIENCE)
        os.close(writing)
        return process.returncode, report.decode()

    def unpack(self, content):
        """Exit code, report; checks that nothing has changed around."""
        path = os.path.join(self.root, "archive")
        with open(path, "wb") as file:
            file.write(content)
        target = os.open(self.into, os.O_RDONLY | os.O_DIRECTORY)
        with open(path, "rb") as file:
            code, report = self.run_tar("unpack", stdin=file, stdout=target)
        os.close(target)
        os.unlink(path)
        self.assertEqual(snapshot(self.root, self.into), self.before)
        self.assertNotIn("reading it goes wrong", report, "the process that reads has ended by itself")
        for path, (mode, links, _) in snapshot(self.into).items():
            self.assertTrue(stat.S_ISREG(mode) and links == 1 and mode & 0o7777 == 0o600 or
                            stat.S_ISDIR(mode) and mode & 0o7777 == 0o700, (path, oct(mode), links))
        return code, report

    def clear(self):
        for name in os.listdir(self.into):
            path = os.path.join(self.into, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)

    def refused(self, words, content):
        code, report = self.unpack(content)
        self.assertEqual(code, REFUSED, report)
        self.assertIn(words, report)
        self.assertRegex(report, r"\Aerror What came [^\n]*\.\n\Z")
        self.assertEqual(os.listdir(self.into), [], "not one file of what is refused")

    def taken(self, content, *paths, renamed=None):
        """Unpacked; these are the files and folders then."""
        code, report = self.unpack(content)
        self.assertEqual(code, DONE, report)
        self.assertEqual(sorted(snapshot(self.into)), sorted(paths))
        if renamed is not None:
            self.assertIn("\nrenamed %d\n" % renamed, report)

    # ---- what it is for ----

    def test_a_plain_archive(self):
        for format in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
            with self.subTest(format):
                self.taken(archive(folder("d"), member("d/a", b"one"), member("b" * 120, b"two") if
                                   format != tarfile.USTAR_FORMAT else member("b", b"two"), format=format),
                           "d", "d/a", "b" * (120 if format != tarfile.USTAR_FORMAT else 1))
                with open(os.path.join(self.into, "d", "a"), "rb") as file:
                    self.assertEqual(file.read(), b"one")
                self.clear()

    def test_names_of_another_writer(self):
        """UTF-8 in plain pax headers, as others write it."""
        self.taken(archive(member("Größe", b"x"), member("日本/語.txt")), "Größe", "日本", "日本/語.txt", renamed=0)

    # ---- 29, 30: names ----

    def test_paths_that_lead_out(self):
        for name, words in (("/etc/passwd", "outside of the folder"), ("//x", "outside of the folder"),
                            ("../victim", "leads out of the folder"), ("d/../../victim", "leads out of the folder"),
                            ("..", "leads out of the folder"), ("./x", 'has "." in its path'),
                            ("a//b", "has an empty part"), (os.path.join(self.root, "victim"), "outside of the folder"),
                            ("x/" * 32 + "x", "lies in too many folders"), ("n" * 256, "too long"),
                            ("n" * 200 + "/" + ("m" * 200 + "/") * 20 + "x", "too long")):
            with self.subTest(name[:40]):
                self.refused(words, archive(member("first", b"x"), member(name, b"evil")))

    def test_a_later_header_moves_the_file(self):
        """The path that counts is the one that is checked."""
        for records in ([(b"path", b"../victim")], [(b"path", b"fine"), (b"path", b"../victim")]):
            self.refused("leads out", pax(records) + header(b"fine") + END)
        self.refused("What came", pax([(b"path", b"../victim")], type=b"g") + header(b"") + END)
        code, _ = self.unpack(pax([(b"path", b"../victim")], type=b"g") + header(b"fine") + END)
        self.assertIn((code, os.listdir(self.into)), ((REFUSED, []), (DONE, ["fine"])))
        self.clear()
        self.refused("outside", header(b"x", prefix=b"/tmp") + END)
        self.refused("leads out", header(b"x", prefix=b"..") + END)
        long = header(b"././@LongLink", type=b"L", size=b"%011o" % 10, magic=b"ustar  \0") + padded(b"../victim\0")
        self.refused("leads out", long + header(b"fine", magic=b"ustar  \0") + END)

    def test_nul_in_names(self):
        """What follows the NUL is never used."""
        long = header(b"././@LongLink", type=b"L", size=b"%011o" % 16, magic=b"ustar  \0") + padded(b"fine\0/../victim\0")
        code, _ = self.unpack(long + header(b"x", magic=b"ustar  \0") + END)
        self.assertIn((code, os.listdir(self.into)), ((REFUSED, []), (DONE, ["fine"])))
        self.clear()
        code, _ = self.unpack(pax([(b"path", b"good\0/../victim")]) + header(b"x") + END)
        self.assertIn((code, os.listdir(self.into)), ((REFUSED, []), (DONE, ["good"])))

    def test_names_made_harmless(self):
        self.taken(archive(member(".bashrc", mode=0o755), member("-rf", mode=0o4777), member("a\nb\x1b[2J"), member("gpj\u202eexe.sh"),
                           member(".git/.config"), member("C:\\x\\evil.exe"), member("...")),
                   "bashrc", "rf", "a\u240ab\u241b[2J", "gpjexe.sh", "git", "git/config", "evil.exe", "file", renamed=8)

    def test_bytes_that_are_no_text(self):
        for name in (b"a\xff", b"\xc0\xae\xc0\xae/x", b"\xed\xa0\x80"):
            self.refused("is no UTF-8", header(name) + END)
            self.refused("is no UTF-8", pax([(b"hdrcharset", b"BINARY"), (b"path", name)]) + header() + END)
            code, _ = self.unpack(pax([(b"path", name)]) + header() + END)
            self.assertEqual((code, os.listdir(self.into)), (REFUSED, []))

    # ---- 31: links and what is no file ----

    def test_links(self):
        link = lambda name, to, type=tarfile.SYMTYPE: member(name, type=type, linkname=to)
        for evil in (link("l", ".."), link("l", self.root), link("l", "first"), link("d", "/etc")):
            self.refused("is a symbolic link", archive(member("first"), evil, member("l/victim", b"evil"), member("d/x")))
        for to in ("first", "../../victim", "/etc/passwd"):
            self.refused("is a link to another file", archive(member("first"), link("h", to, tarfile.LNKTYPE)))
        # a hard link with a size and content of its own, and both said in pax headers
        self.refused("is a link to another file",
                     header(b"h", type=b"1", link=b"../../victim", size=b"00000000004") + padded(b"evil") + END)
        self.refused("is a symbolic link", pax([(b"linkpath", b"../../victim")]) + header(b"s", type=b"2") + END)

    def test_devices_and_the_like(self):
        for type, words in ((tarfile.FIFOTYPE, "is a pipe"), (tarfile.CHRTYPE, "is a device"), (tarfile.BLKTYPE, "is a device")):
            self.refused(words, archive(member("first"), member("evil", type=type, devmajor=1, devminor=3)))

    def test_kinds_that_nobody_knows(self):
        """Some are read as files, as the standard has it; none as anything else."""
        for type in (b"\0", b"7", b"A", b"D", b"M", b"N", b"V", b"X", b"Z", b"\xff"):
            code, report = self.unpack(header(b"odd", type=type) + END)
            self.assertIn(code, (DONE, REFUSED), report)
            self.assertEqual(os.listdir(self.into), ["odd"] if code == DONE else [])
            self.clear()

    def test_sparse(self):
        sparse = [(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.name", b"holes"),
                  (b"GNU.sparse.realsize", b"1000000000")]
        body = padded(b"1\n999999999\n1\n") + padded(b"x")
        self.refused("What came", pax(sparse) + header(b"h", size=b"%011o" % len(body)) + body + END)
        old = header(b"h", type=b"S", size=b"00000001000", magic=b"ustar  \0")
        old = old[:386] + b"00000007777\0" + b"00000001000\0" + old[410:483] + b"07777777777\0" + old[495:]
        old = old[:148] + b" " * 8 + old[156:]
        old = old[:148] + b"%06o\0 " % sum(old) + old[156:]
        self.refused("What came", old + padded(b"x" * 512) + END)

    # ---- 32: sizes ----

    def test_sizes_that_lie(self):
        for size in (b"00000001000", b"77777777777", base256(1 << 40), base256(1 << 62), base256((1 << 63) - 1), base256(1 << 63),
                     base256((1 << 64) - 1), base256(1 << 80), b"\xff" * 12, base256(-1), b"-0000000001", b"99999999999"):
            with self.subTest(size):
                self.refused("What came", header(b"big", size=size) + END)
        for size in (b"513", b"9223372036854775807", b"9223372036854775808", b"18446744073709551615", b"-1",
                     b"99999999999999999999999"):
            with self.subTest(size):
                self.refused("What came", pax([(b"size", size)]) + header(b"big") + END)
        self.refused("What came", header(b"d/", type=b"5", size=b"00000001000") + padded(b"x" * 512) + END)

    def test_metadata_that_is_too_large(self):
        for size in (b"77777777777", base256(1 << 62)):
            for kind in (b"x", b"g", b"L", b"K"):
                self.refused("What came", header(b"meta", type=kind, size=size) + header(b"x") + END)
        self.refused("What came", pax([(b"path", b"a/" * 3000000)]) + header() + END)
        self.refused("What came", b"".join(pax([(b"comment", b"c" * 1000)]) for _ in range(50000)))

    def test_cut_short(self):
        whole = archive(member("a", b"x" * 5000), member("b", b"y" * 5000))
        ends = len(whole.rstrip(b"\0"))
        for length in [0, 1, 511, 512, 1024, 5000, 6143, 6144, 6656, 7000, ends - ends % BLOCK, ends]:
            with self.subTest(length):
                self.refused("What came", whole[:length])
        self.refused("is cut short", header(b"a") + b"\0" * BLOCK)

    def test_behind_the_end(self):
        self.refused("is damaged behind", FILE + b"x")
        self.refused("is damaged behind", FILE + header(b"../victim") + END)
        self.refused("is damaged behind", FILE + b"\0" * (2 << 20))
        self.taken(FILE + b"\0" * 8192, "fine")

    def test_no_archive_at_all(self):
        for content in (b"", b"\0", b"\0" * 511, b"not an archive", os.urandom(10000), b"PK\3\4" + b"\0" * 5000,
                        b"7z\xbc\xaf\x27\x1c" + b"\0" * 5000, b"\x1f\x8b\x08" + b"\0" * 5000, b"!<arch>\n" + b"x" * 2000,
                        b"070701" + b"0" * 2000):
            self.refused("What came", content)
        self.taken(END)  # an empty folder is one

    def test_no_compression(self):
        """So nothing can swell."""
        for mode in ("gz", "bz2", "xz"):
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode="w:" + mode) as tar:
                tar.addfile(*[f(x) for f, x in zip((lambda i: i, io.BytesIO), member("x", b"\0" * 1000000))])
            self.refused("What came is no folder", out.getvalue())

    # ---- 33: the same name twice ----

    def test_twice(self):
        self.refused('"a" is there twice', archive(member("a", b"1"), member("a", b"2")))
        self.refused('"a" is there twice', archive(member("a", b"1"), folder("a")))
        self.refused('"a" is there twice', archive(folder("a"), member("a", b"1")))
        self.refused("lies in something that is no folder", archive(member("a", b"1"), member("a/b", b"2")))
        self.taken(archive(folder("d"), member("d/x"), folder("d")), "d", "d/x")

    def test_names_that_become_one(self):
        self.taken(archive(member("a", b"1"), member(".a", b"2"), member("A", b"3"), member("a\u200b", b"4")),
                   "a", "a (2)", "A", "a (3)", renamed=2)

    def test_too_many(self):
        block, many = header(b"x"), io.BytesIO()
        for i in range(200000):
            many.write(header(b"%d" % i) if i < 3 else block)  # it is the count that is refused, before what is twice
        names = b"".join(header(b"n%d" % i) for i in range(100001))
        self.refused("more than 100000 files and folders", names + END)
        self.refused("is there twice", many.getvalue() + END)

    def test_attributes_are_not_applied(self):
        self.taken(pax([(b"SCHILY.xattr.user.evil", b"x"), (b"SCHILY.acl.access", b"user::rwx,user:0:rwx,group::rwx,mask::rwx,other::rwx"),
                        (b"SCHILY.fflags", b"immutable"), (b"LIBARCHIVE.symlinktype", b"dir"), (b"mtime", b"99999999999999")]) +
                   header(b"x", mode=b"0007777", uid=b"0001750") + END, "x")
        path = os.path.join(self.into, "x")
        self.assertEqual(os.listxattr(path), [])
        self.assertEqual(os.stat(path).st_uid, os.geteuid())

    # ---- what ends it ----

    def test_it_ends_with_psstd(self):
        """Whoever waited is gone: nothing more is written."""
        reading, writing = os.pipe()
        os.close(writing)
        path = os.path.join(self.root, "archive")
        with open(path, "wb") as file:
            file.write(archive(member("a", b"x")))
        target = os.open(self.into, os.O_RDONLY | os.O_DIRECTORY)
        for args, stdin in ((["unpack"], path), (["measure"], self.root)):
            source = os.open(stdin, os.O_RDONLY)
            self.assertEqual(self.run_tar(*args, stdin=source, stdout=target, line=reading)[0], LEFT)
            os.close(source)
        os.close(target)
        self.assertEqual(os.listdir(self.into), [])

    def test_a_reader_that_is_gone(self):
        source = os.open(self.root, os.O_RDONLY)
        _, report = self.run_tar("measure", stdin=source, stdout=subprocess.DEVNULL)
        facts = dict(line.split(" ", 1) for line in report.splitlines())
        reading, writing = os.pipe()
        os.close(reading)
        self.assertEqual(self.run_tar("pack", facts["size"], facts["stamp"], stdin=source, stdout=writing)[0], LEFT)
        os.close(writing)
        os.close(source)

    def test_signals_of_the_terminal_are_not_its_own(self):
        """While it packs into a pipe that nobody reads."""
        big = os.path.join(self.root, "big")
        os.mkdir(big)
        with open(os.path.join(big, "file"), "wb") as file:
            file.truncate(1 << 24)
        source = os.open(big, os.O_RDONLY)
        _, report = self.run_tar("measure", stdin=source, stdout=subprocess.DEVNULL)
        facts = dict(line.split(" ", 1) for line in report.splitlines())
        process = subprocess.Popen([program("psst-tar"), "pack", facts["size"], facts["stamp"]], stdin=source,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        begun = len(os.read(process.stdout.fileno(), 1000))
        self.assertNotEqual(filtered(process.pid), sanitized())
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process.send_signal(sig)
        out, _ = process.communicate(timeout=60 * PATIENCE)
        self.assertEqual((process.returncode, len(out)), (DONE, int(facts["size"]) - begun))
        os.close(source)

    def test_who_reads_and_who_writes_has_a_filter(self):
        """While the reader cannot go on, because who writes stands still and takes nothing off its pipe."""
        if sanitized():
            self.skipTest("builds with sanitizers have no filter")
        path = os.path.join(self.root, "archive")
        with open(path, "wb") as file:
            file.write(b"".join(header(b"%d" % i) for i in range(20000)) + END)
        for _ in range(10):
            target = os.open(self.into, os.O_RDONLY | os.O_DIRECTORY)
            with open(path, "rb") as file:
                process = subprocess.Popen([program("psst-tar"), "unpack"], stdin=file, stdout=target, stderr=subprocess.DEVNULL)
            os.close(target)
            wait_for("the reader", lambda: children(process.pid) or process.poll() is not None)
            process.send_signal(signal.SIGSTOP)
            readers = [pid for pid in children(process.pid) if alive(pid)]
            if readers and process.poll() is None and filtered(process.pid):
                wait_for("its filter", lambda: filtered(readers[0]) or not alive(readers[0]))
                caught = alive(readers[0])
                process.kill()
                process.wait()
                wait_for("the reader to go with it", lambda: not alive(readers[0]))
                if caught:
                    return
            process.kill()
            process.wait()
            self.clear()
        self.skipTest("it was always done before it could be looked at")

    def test_by_hand(self):
        for args in ([], ["measure"], ["pack"], ["unpack"], ["pack", "x", "y"], ["--help"]):
            with open("/dev/null", "rb") as null:
                code, report = self.run_tar(*args, stdin=null, stdout=subprocess.DEVNULL)
            self.assertEqual(code, USAGE)
            self.assertIn("psstd", report)
