#!/usr/bin/env python3
"""Writes the seeds of the protocol's fuzz targets to fuzz/corpus, from the test vectors and by hand. Run again when a
target's input format changes; what fuzzing found lies beside them under other names and stays."""

import io
import json
import pathlib
import struct
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent
VECTORS = ROOT.parent / "tests" / "vectors"


def vectors(name):
    return json.loads((VECTORS / name).read_text())


def write(target, seeds):
    folder = ROOT / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("seed-*"):
        old.unlink()
    for i, seed in enumerate(seeds):
        (folder / f"seed-{i:02d}").write_bytes(seed)
    print(f"{target}: {len(seeds)}")


def u16(n):
    return struct.pack(">H", n)


def u64(n):
    return struct.pack(">Q", n)


def features_padded(features, room):
    return (u16(len(features)) + features).ljust(room, b"\0")


# ---- handshake: u8 message - 1, u8 how (0 raw, 1 laid over the genuine one, 2 well sealed) ----

def handshake():
    out = [bytes([n, 1]) for n in range(5)]  # the genuine messages
    out += [bytes([n, 1]) + b"\0" * at + b"\x01" for n, at in ((0, 40), (0, 591), (1, 40), (2, 5), (3, 3), (3, 600), (4, 9))]
    out += [bytes([n, 0]) + b"\xa5" * 48 for n in range(5)]
    for point in vectors("kdf.json")["x25519_all_zero"][:5]:
        out.append(bytes([0, 2]) + bytes.fromhex(point["point"]) + b"\x11" * 528)
        out.append(bytes([1, 2]) + bytes.fromhex(point["point"]))
    out.append(bytes([0, 2]) + b"\x09" * 32 + b"\0" * 528)  # XA is 0
    out.append(bytes([0, 2]) + b"\x09" * 32 + b"\0" * 527 + b"\x01")
    out.append(bytes([0, 2]) + b"\x09" * 32 + b"\xff" * 528)
    chunk_features = vectors("chunks.json")["features"]
    samples = [b"", bytes.fromhex(chunk_features["encoded"])]
    samples += [bytes.fromhex(r["encoded"]) for r in chunk_features["refused"]]
    for f in samples:
        out.append(bytes([2, 2]) + b"\x77" * 32 + features_padded(f, 224))
        out.append(bytes([3, 2]) + features_padded(f, 256))
    out.append(bytes([2, 2]) + b"\x77" * 32 + u16(223))
    out.append(bytes([3, 2]) + u16(254) + b"\x01\xfc" + b"\x55" * 252)
    out.append(bytes([3, 2]) + u16(255))
    out.append(bytes([3, 2]) + u16(0) + b"\0" * 250 + b"\x01")
    out.append(bytes([4, 2]))
    out.append(bytes([4, 2]) + b"\0" * 31 + b"\x01")
    return out


# ---- chunk: u8 reader (0 body, 1 text, 2 ack, 3 not accepted, 4 ping, 5 bye, 6 file, 7 read, 8 presence, 9 meet, 10 call) ----

READERS = {"t": 1, "a": 2, "n": 3, "p": 4, "q": 4, "b": 5, "f": 6, "c": 10}


def call_chunks():
    return [b"\x01\1\2\3\4\0\x64", b"\x01\1\2\3\4\0\x1f", b"\x02", b"\x03\1\2\3\4", b"\x03\0\0\0\0", b"\x04\x03", b"\x05\x01",
            b"\x06\x01", b"\x06\x02", b"\x07\x10\0\x05\0\x30", b"\x08"]


def file_chunks():
    i = bytes(range(16))
    return [
        b"\x01" + i + b"\0" + u64(1000) + b"report.pdf",
        b"\x01" + i + b"\0" + u64(2**62) + "d\u00e9j\u00e0 vu".encode(),
        b"\x01" + i + b"\0" + u64(2**62 + 1) + b"too-large",
        b"\x01" + i + b"\x02" + u64(2**64 - 1) + b"stream",
        b"\x01" + i + b"\x00" + u64(2**64 - 1) + b"unknown size",
        b"\x01" + i + b"\x03" + u64(1) + b"no such form",
        b"\x01" + i + b"\x01" + u64(1) + b"../\x00evil",
        b"\x01" + i + b"\x00" + u64(1) + b"n" * 255,
        b"\x01" + i + b"\x00" + u64(1) + b"n" * 256,
        b"\x02" + i + u64(0),
        b"\x02" + i + u64(2**63),
        b"\x03" + i + b"\x01",
        b"\x04" + i + u64(0) + b"data",
        b"\x04" + i + u64(2**62 - 1) + b"data",
        b"\x04" + i + u64(0),
        b"\x05" + i + u64(4) + b"\x12" * 32,
        b"\x06" + i + b"\x03",
        b"\x07" + i,
        b"\x07" + i + b"\x01",
        b"\x08" + i + u64(2**22),
        b"\x08" + i + u64(2**63),
        b"\x09" + i,
    ]


def chunk():
    v = vectors("chunks.json")
    out = [b"\0" + bytes.fromhex(c["chunk"]).ljust(64, b"\0") for c in v["chunks"]]
    for c in v["chunks"] + v["refused"]:
        reader = READERS.get(chr(c["id"]))
        if reader:
            out.append(bytes([reader]) + bytes.fromhex(c["data"]))
    out.append(b"\x03" + bytes(16) + b"\x01")
    out += [b"\x06" + f for f in file_chunks()]
    out += [b"\x0a" + c for c in call_chunks()]
    out += [b"\0t\0\0\1", b"\0\xf3\0\0\0\0\0", b"\0z\0\0\0", b"\0p\0\0\0\0\1"]
    out += [b"\x07" + bytes(range(16)) * n for n in (0, 1, 64, 65)] + [b"\x07" + bytes(17)]
    out += [b"\x08\x02back at three", b"\x08\x09" + b"x" * 141, b"\x09" + bytes(range(24))]
    return out


# ---- record: u8 how (0 wire, 1 there and back, 2 lengths), u16 counter ----

def record():
    v = vectors("records.json")
    out = [b"\0" + u16(r["counter"]) + bytes.fromhex(r["record"]) for r in v["records"][:4]]
    out += [b"\0" + u16(0) + bytes.fromhex(r["record"]) for r in v["refused"][:6]]
    body = bytes.fromhex(vectors("chunks.json")["chunks"][0]["chunk"]).ljust(256, b"\0")
    for counter in (0, 1, 998, 999):
        for flip in (0, 17, 18, 289):
            out.append(b"\1" + u16(counter) + u16(flip) + b"\x03" + body)
    out.append(b"\1" + u16(0) + u16(0) + b"\0" + b"p\0\0\0")
    out.append(b"\1" + u16(0) + u16(0) + b"\0" + b"p\0\0")
    lengths = [4, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 4096, 4097, 32768, 32769, 61441, 65501, 65502]
    out.append(b"\2\0\0" + b"".join(map(u16, lengths)))
    return out


# ---- datagram: u8 how (0 wire, 1 frame behind u16 counter, 2 counters behind u64 place) ----

def datagram():
    v = vectors("voice.json")
    out = [b"\0" + bytes.fromhex(d["datagram"]) for d in v["datagrams"][:3] + v["refused"]]
    out += [b"\1" + u16(7) + bytes.fromhex(d["frame"]) for d in v["datagrams"][:5]]
    out += [b"\1\0\0" + b"\0" * 7, b"\1\0\0" + b"\0" * 6 + b"\1", b"\1\0\0" + b"\0" * 6 + b"\1\xaa\0\0\1"]
    run = b"".join(map(u16, [0, 0, 2, 1, 1, 3000, 953, 952, 953, 2999, 5047, 3000, 3001, 65535, 63488, 63487]))
    out += [b"\2" + u64(place) + run for place in (0, 2**32 - 3000, 2**64 - 65536, 2**64 - 3000)]
    return out


# ---- session: u8 flags (1 caller, 2 questions stay open), then operations as in the table of fuzz_session.c ----

BODY, CHUNK, OPTIONAL, REPEAT, RAW, TIME, DEADLINE, EOF, TEXT, ACK, SENT, NOT, FILE, DATA, BYE, DECAPS, CALL, VOICE, DATAGRAM = range(19)


def op_chunk(identifier, data, op=CHUNK):
    return bytes([op, ord(identifier) if isinstance(identifier, str) else identifier]) + u16(len(data)) + data


def op_repeat(times, identifier, data):
    return bytes([REPEAT, times]) + op_chunk(identifier, data)[1:]


def op_time(ms):
    return bytes([TIME]) + u16(ms if ms < 0x8000 else 0x8000 | ms // 1000)


def op_text(number, text):
    return bytes([TEXT]) + u16(number) + u16(len(text)) + text


def op_call(kind, number=100, reason=1):
    return bytes([CALL, reason << 4 | kind]) + u16(number)


def op_voice(frames, opus=b"opus"):
    return bytes([VOICE, frames - 1]) + u16(len(opus)) + opus


def op_datagram(epoch, counter, frame):
    """epoch: 0 now, 1 old, 2 next."""
    return bytes([DATAGRAM, 1 | epoch << 1]) + u16(len(frame)) + frame + u16(counter)


SENT_ALL = bytes([SENT]) + b"\xff\xff"


def session():
    i = bytes(range(16))
    text = i + u64(1750000000123) + b"hello"
    r1 = b"\x09" + bytes(31) + b"\x31" * 528
    mine = u16(5).ljust(16, b"\0")
    both = [
        op_chunk("t", text),
        op_chunk("t", text[:-5]) + op_chunk("t", text[:-5] + b"\xff") + op_chunk("t", text[:10]),
        op_chunk("t", i + u64(0) + b"x" * 65474),
        op_chunk("a", i) + op_chunk("a", i * 4093),
        op_text(5, b"hi") + SENT_ALL + op_chunk("a", mine) + op_time(30000),
        op_text(5, b"hi") + SENT_ALL + op_chunk("n", mine + b"\x03"),
        op_text(5, b"hi") + op_time(5000) + op_time(5000) + op_time(5000),
        op_chunk("p", b"12345678") + SENT_ALL + op_chunk("p", b"12345678") + op_time(1500) + op_chunk("p", b"12345678"),
        bytes([DEADLINE]) * 6 + SENT_ALL,
        op_repeat(70, 0xF3, b"away") + op_repeat(70, "c", b"\1"),
        op_repeat(64, 0x90, b"later"),
        op_chunk("z", b""),
        op_chunk("v", b"frame"),
        op_chunk("b", b"\x01"),
        op_text(1, b"last words") + bytes([BYE, 1]) + SENT_ALL,
        bytes([BYE, 1]) + op_time(3000),
        bytes([EOF]),
        bytes([RAW]) + u16(300) + b"\x5a" * 300,
        bytes([BODY]) + u16(256) + u16(10) + b"p\0\0\x08" + b"12345678",
        bytes([BODY]) + u16(4) + u16(999) + b"r\0\0\0",
        bytes([BODY]) + u16(65502) + u16(18) + b"f\0\xff\xda" + b"\x04" + i + u64(0) + b"bulk",
        b"".join(op_chunk("f", f) for f in file_chunks()[:12]),
        b"".join(op_chunk("f", f) for f in file_chunks()[12:17]),
        b"".join(op_chunk("f", f) for f in file_chunks()[18:21]),
        op_chunk("f", b"\x09" + i),
        bytes([FILE, 1, 0]) + i[:4] + u16(1000) + u16(8) + b"name.txt" + bytes([DATA]) + u16(65535) * 3 + SENT_ALL,
        bytes([ACK]) + i + u16(4999) + SENT_ALL + bytes([NOT]) + i + b"\x04",
        op_chunk("r", r1) + SENT_ALL + op_chunk("r", b"") + op_chunk("t", text) + SENT_ALL,
        op_chunk("r", r1) + op_chunk("r", r1),
        op_chunk("r", b""),
        op_chunk("r", bytes(560)),
        op_time(901000) + SENT_ALL + op_chunk("p", b"12345678") + op_chunk("r", r1) + SENT_ALL + op_chunk("t", text),
    ]
    out = [b"\0" + s for s in both[:20]] + [b"\1" + s for s in both[15:]] + [b"\0" + s for s in both[20:]]
    # keeps the session alive past 15 and 30 minutes
    alive = b"".join(op_time(20000) + op_chunk("p", b"12345678") + SENT_ALL for _ in range(46))
    out += [b"\1" + alive + op_chunk("r", r1) + SENT_ALL + op_chunk("t", text), b"\0" + alive * 2]
    out.append(b"\2" + op_chunk("r", r1) + op_chunk("t", text) + bytes([DECAPS, 1]) + op_chunk("r", b"") + SENT_ALL)
    out.append(b"\2" + op_chunk("r", r1) + bytes([DECAPS, 0]))
    out.append(b"\0" + op_text(5, b"hi") + SENT_ALL + op_chunk("a", mine) + op_chunk(0xF2, mine + i) + op_chunk(0xF2, i[:3]))
    out.append(b"\1" + op_repeat(70, 0xF2, i) + op_repeat(60, 0xF2, b""))
    out.append(b"\0" + bytes([OPTIONAL, 1, 0, 5, 5, 0, OPTIONAL, 0, 1, 0, 0, 4]) + b"away" + SENT_ALL + op_repeat(70, 0xF1, i + u64(9)))
    offer, ring, accept, hang_up = call_chunks()[0], call_chunks()[2], call_chunks()[3], call_chunks()[6]
    frame = bytes(4) + b"\1\0\4opus"
    called = op_chunk("c", offer) + op_call(2) + op_call(3)
    out += [flags + seed for flags in (b"\0", b"\1") for seed in (
        called + op_voice(20) + SENT_ALL + op_datagram(0, 1, frame) + op_datagram(0, 1, frame) + op_voice(20) + op_chunk("c", hang_up) + op_datagram(0, 2, frame),
        op_call(1) + op_chunk("c", ring) + op_chunk("c", accept) + op_voice(250) + SENT_ALL + op_chunk("v", frame.ljust(100, b"\0")) + op_call(6, 0) + op_call(7) + op_call(5),
        op_call(1) + op_chunk("c", offer) + op_repeat(70, "c", call_chunks()[9]) + op_time(2100) + op_chunk("p", b"12345678") + op_time(16000),
        called + op_chunk("r", r1) + op_datagram(2, 0, frame) + op_datagram(2, 0, frame) + op_chunk("r", b"") + op_datagram(0, 0, frame) + op_datagram(1, 9, frame) + op_time(2100) + op_datagram(1, 10, frame),
        op_repeat(65, "c", offer) + op_call(4), op_repeat(65, "c", accept), op_chunk("c", offer) + bytes([DEADLINE]) * 9)]
    return out


# ---- link: u8 flags (1 it calls, 2 questions stay open, 4 silent), then operations as in the table of fuzz_link.c ----

HONEST, CUT, SPOILED, L_RAW, MUCH, L_TIME, L_DEADLINE, L_EOF, ANSWER, L_SENT, USER = 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11


def link():
    honest = bytes([HONEST])
    out = []
    for flags, rounds in ((0, 3), (1, 2)):
        f = bytes([flags])
        out.append(f + honest * rounds)
        out.append(f + honest * rounds + bytes([USER, 0, USER, 1, L_SENT, 255, 255, USER, 3, L_SENT, 255, 255]))
        out.append(f + honest * rounds + bytes([L_RAW]) + u16(300) + b"\x11" * 300)
        out.append(f + honest * rounds + bytes([L_EOF]))
        out.append(f + (bytes([CUT]) + u16(10) + u16(50)) * rounds)
        out.append(f + (bytes([CUT]) + u16(500) + u16(9000)) * rounds)
        for before in range(rounds):
            out.append(f + honest * before + bytes([SPOILED]) + u16(40 + before) + b"\x01" + bytes([L_DEADLINE] * 3))
            out.append(f + honest * before + bytes([L_EOF, L_DEADLINE, L_DEADLINE]))
            out.append(f + honest * before + bytes([L_DEADLINE, L_DEADLINE, L_DEADLINE]))
            out.append(f + honest * before + bytes([MUCH, 0x16, L_TIME]) + u16(41000))
        out.append(f + bytes([L_RAW]) + u16(16) + b"GET / HTTP/1.1\r\n" + bytes([L_TIME]) + u16(10001) + bytes([L_DEADLINE]))
        out.append(bytes([flags | 2]) + honest + bytes([ANSWER, 0x80, ANSWER, 0x81]) + honest)
        out.append(bytes([flags | 2]) + honest + bytes([ANSWER, 0]) + honest)
        out.append(f + bytes([USER, 0, USER, 1, USER, 2, USER, 3]))
    out.append(b"\4" + bytes([HONEST, HONEST, HONEST, L_TIME]) + u16(41000) + bytes([L_DEADLINE]))
    return out


# ---- backup: u8 what follows (0 header and chunks, 1 members to be sealed, 2 sizes and turned bits) ----

def backup():
    import hashlib

    def member(name, content, said=None):
        return bytes([len(name)]) + name + u64(len(content) if said is None else said) + content

    card, config = member(b"card.psst", b"a card"), member(b"config", b"listen = [::]:4516\n")
    key, db = member(b"store.key", bytes(576)), member(b"store.db", bytes(4096))

    def end(before, spoil=0):
        return before + member(b"end", bytes([hashlib.sha256(before).digest()[0] ^ spoil]) + hashlib.sha256(before).digest()[1:])

    good = card + config + key + db
    out = [b"\1" + end(good), b"\1" + end(card + member(b"config", b"") + key + db), b"\1" + end(good, 1), b"\1" + good]
    out.append(b"\1" + end(member(b"card.psst", bytes(16000)) + config + key + member(b"store.db", bytes(13 * 4096))))  # two chunks
    out += [b"\1" + end(b) for b in (config + card + key + db, card + config + db + key, good + db, member(b"x/y", b"") + good)]
    out += [b"\1" + end(card + config + key + member(b"store.db", bytes(4096), said)) for said in (0, 8192, 1 << 42, 1 << 63)]
    out += [b"\1" + end(good) + b"\0", b"\1" + end(good)[:-1], b"\1", b"\1" + end(good)[:20]]
    head = b"PSST backup\r\n\x1a\n\1"
    out += [b"\0" + head + bytes([4, 1, 1, 0]) + bytes(range(32)) + b"\5" * n for n in (0, 1, 17, 100)]
    out += [b"\0" + head + bytes(cost) + bytes(40) for cost in ([14, 8, 16, 0], [63, 255, 255, 0], [20, 8, 1, 0], [0, 8, 1, 0], [4, 0, 1, 0])]
    out += [b"\0" + head[:-1] + b"\2" + bytes(60), b"\0PSST", b"\2\0\0", b"\2\x20\x0f" + u16(0) + b"\1", b"\2\xff\x27" + u16(21846) + b"\x80"]
    return out


# ---- tar: u8 how (0 raw, 1 checksums put right, 2 what the reading process says), an archive or entries ----

def tar():
    def archive(members, format=tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=format) as t:
            for name, kind, content, link in members:
                info = tarfile.TarInfo(name)
                info.type, info.size, info.linkname, info.mtime = kind, len(content), link, 1700000000
                t.addfile(info, io.BytesIO(content))
        return out.getvalue()[:out.tell() - out.tell() % 512][:6144].rstrip(b"\0").ljust(512, b"\0")

    f, d = tarfile.REGTYPE, tarfile.DIRTYPE
    sets = [[("a", f, b"x" * 600, "")], [("d", d, b"", ""), ("d/e", d, b"", ""), ("d/e/f", f, b"1", "")], [("\u00fc/e\u0301", f, b"", "")],
            [("n" * 120 + "/" + "m" * 90, f, b"x", "")], [("../x", f, b"x", "")], [("/etc/x", f, b"x", "")], [(".a", f, b"", ""), ("a", f, b"", "")],
            [("s", tarfile.SYMTYPE, b"", ".."), ("s/x", f, b"x", "")], [("a", f, b"", ""), ("h", tarfile.LNKTYPE, b"", "a")],
            [("p", tarfile.FIFOTYPE, b"", "")], [("c", tarfile.CHRTYPE, b"", "")], [("a", f, b"1", ""), ("a", f, b"2", "")],
            [("a\nb\x1b[2J", f, b"", ""), ("\u202egpj.exe", f, b"", "")], [("x/" * 33 + "x", f, b"", "")]]
    whole = lambda members, format: archive(members, format) + bytes(-len(archive(members, format)) % 512 + 1024)
    out = [b"\1" + whole(m, tarfile.PAX_FORMAT) for m in sets]
    out += [b"\0" + whole(m, tarfile.GNU_FORMAT) for m in sets[:4]]
    out += [b"\1" + whole(sets[0], tarfile.USTAR_FORMAT)[:-700], b"\1" + bytes(1024), b"\1", b"\1" + whole(sets[0], tarfile.PAX_FORMAT) + b"x"]
    sparse = b"".join(b"%d %s\n" % (n, r) for n, r in ((22, b"GNU.sparse.major=1"), (22, b"GNU.sparse.minor=0"), (26, b"GNU.sparse.realsize=99")))
    for records in (b"18 path=../victim\n", b"20 size=99999999999\n", b"23 hdrcharset=BINARY\n9 path=\xff\n", sparse, b"12 linkpath=x\n", b"99999 path=x\n"):
        head = tarfile.TarInfo("PaxHeader/x")
        head.type, head.size = tarfile.XHDTYPE, len(records)
        out.append(b"\1" + head.tobuf(tarfile.USTAR_FORMAT) + records.ljust(512, b"\0") + whole(sets[0], tarfile.USTAR_FORMAT))

    def entry(path, folder=0, size=0, offset=512):
        return b"\1" + bytes([folder]) + u64(size) + u64(offset) + u64(1700000000) + u16(len(path)) + path

    good, end = entry(b"d", 1) + entry(b"d/f", 0, 5, 0), b"\2\0" + u16(0)
    out += [b"\2" + x for x in (good + end, good, end, good + end + end, good + b"\2\6" + u16(3) + b"no.", good + b"\2\xff" + u16(1) + b"\x1b",
                                entry(b"../x") + end, entry(b"x", 1, 5) + end, entry(b"x", 0, 1 << 63) + end, entry(b"x", 0, 5, 1 << 63) + end,
                                entry(b"") + end, b"\3", b"\1\0" + bytes(24) + u16(5000))]
    return out


# ---- netlink: datagrams of rtnetlink, each u16 length before it ----

def netlink():
    def message(kind, fixed, attributes=(), flags=0):
        body = fixed
        for number, value in attributes:
            body += struct.pack("=HH", 4 + len(value), number) + value.ljust((len(value) + 3) // 4 * 4, b"\0")
        return struct.pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body

    def link(kind, index, flags):
        return message(kind, struct.pack("=BBHiII", 0, 0, 1, index, flags, 0), [(3, b"eth0\0")])

    def address(kind, family, value, flags):
        return message(kind, struct.pack("=BBBBI", family, 24, 0, 0, 2),
                       [(1, value), (2, value), (6, bytes(16)), (8, struct.pack("=I", flags))])

    def route(kind, table, flags=0):
        return message(kind, struct.pack("=BBBBBBBBI", 2, 0, 0, 0, table, 3, 0, 1, flags), [(5, bytes([192, 0, 2, 1]))])

    up, down, gone = link(16, 2, 0x10043), link(16, 2, 0x1002), link(17, 2, 0)
    came, went = address(20, 2, bytes([192, 0, 2, 7]), 128), address(21, 2, bytes([192, 0, 2, 7]), 128)
    six, tentative = address(20, 10, bytes(range(16)), 128), address(20, 10, bytes(range(16)), 64)
    datagrams = [[up], [up, up, down], [up + came, went], [six, tentative, six], [route(24, 254), route(25, 254)],
                 [route(24, 255), route(24, 254, 0x200)], [message(3, bytes(4), flags=2)], [up[:20]], [came[:-3]],
                 [struct.pack("=I", 0) + up[4:]], [struct.pack("=I", 1 << 31) + up[4:]], [gone, up + gone],
                 [link(16, n, 0x43) for n in range(1, 140)], [came.replace(b"\x08\0\x02\0", b"\0\0\x02\0", 1)]]
    return [b"".join(u16(len(d)) + d for d in seed) for seed in datagrams]


# ---- ogg: u8 how (bit 0: checksums are put right), then an Ogg Opus stream ----

def ogg():
    def page(packets, granule, number, kind=0, serial=7, table=None):
        if table is None:
            table = b"".join(b"\xff" * (len(p) // 255) + bytes([len(p) % 255]) for p in packets)
        return (b"OggS" + struct.pack("<BBqIIIB", 0, kind, granule, serial, number, 0, len(table)) + table + b"".join(packets))

    def head(channels=1, skip=312, rate=48000, gain=0, family=0, version=1, more=b""):
        return b"OpusHead" + struct.pack("<BBHIhB", version, channels, skip, rate, gain, family) + more

    def tags(vendor=b"v", comments=(b"a=b",)):
        listed = b"".join(struct.pack("<I", len(c)) + c for c in comments)
        return b"OpusTags" + struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(comments)) + listed

    def packets(toc, n, size=20):
        return [bytes([toc]) + bytes((37 * i + 11 * k) % 256 for i in range(size)) for k in range(n)]

    def stream(first=None, second=None, sound=None, granule=None, serial=7):
        sound = packets(0x48, 12) if sound is None else sound
        granule = 960 * len(sound) if granule is None else granule
        return (page([head() if first is None else first], 0, 0, 2, serial) + page([tags() if second is None else second], 0, 1, 0, serial) +
                page(sound, granule, 2, 4, serial))

    surround = bytes([4, 2]) + bytes([0, 4, 1, 2, 3, 5])
    whole = stream()
    streams = [whole, stream(head(2)), stream(head(6, family=1, more=surround), sound=packets(0x48, 4, 90)), stream(head(skip=65535)),
               stream(head(gain=32767)), stream(head(gain=-32768)), stream(head(version=15)), stream(head(version=16)), stream(head(0)),
               stream(head(3)), stream(head(255, family=255, more=bytes([255, 0]) + bytes(range(255)))), stream(second=tags(comments=[b"R128_TRACK_GAIN=-300"])),
               stream(second=tags(b"v" * 60000)[:40000]), stream(second=b"OpusTags" + b"\xff" * 8), stream(granule=-1), stream(granule=1),
               stream(granule=(1 << 62)), stream(sound=packets(0x08, 3) + packets(0xfc, 3, 60) + packets(0x1b, 2, 30) + [b"", b"\x03\x30"]),
               whole + stream(serial=8), whole + stream(head(2), serial=9)[:150], whole[:-40], b"junk" * 30 + whole, whole[:60] + b"OggS" + whole[60:],
               page([head()], 0, 0, 2) + page([tags()], 0, 1) + page(packets(0x48, 3), 2880, 2) + page(packets(0x48, 3), 9600, 9, 4),
               page([head()], 0, 0, 2) + page([tags()], 0, 1) + page([b"\x48" + bytes(254)], -1, 2, table=b"\xff") + page([bytes(30)], 960, 3, 5),
               page([head()], 0, 0, 2, 1) + page([b"other" * 9], 0, 0, 2, 2) + page([tags()], 0, 1, 0, 1) + page(packets(0x48, 3), 2880, 2, 4, 1)]
    return [bytes([1 | i % 4 << 1]) + s for i, s in enumerate(streams)] + [b"\0" + whole, b"\0" + b"RIFF" + bytes(40)]


# ---- voice: u8 how, then steps (fuzz_voice.c) ----

def voice():
    pull, good = b"\0", b"\2"
    def pulls(n): return bytes([n - 1 << 3 | 1])
    def off(n): return bytes([n + 16 << 3 | 3])
    def nothing(n): return bytes([n + 16 << 3 | 6])
    def odd(toc, body): return bytes([4, toc, len(body)]) + body
    def raw(stamp, body): return b"\5" + struct.pack(">I", stamp) + bytes([len(body)]) + body
    def later(ms): return bytes([1 << 3 | 7]) + u16(ms)
    calm = (good + pull) * 100
    lossy = b"".join((pull if n % 5 == 0 else good + pull) if n % 7 else off(1) + pull for n in range(150))
    swapped = (off(1) + off(0) + pull + good + good + pull) * 40
    opus = bytes(range(7, 60))
    out = [calm, good * 200 + pulls(32) * 3, calm + pulls(32) * 4 + calm, lossy, swapped, (good + good + pull) * 60, (good + pull + pull) * 60,
           calm + nothing(0) * 3 + nothing(1) + pulls(4) + calm, calm + raw(0x12345678, opus) + calm, (raw(960 * 77, opus) + pull) * 50,
           b"".join(odd(toc, opus) + pull for toc in range(0, 256, 4)), b"".join(odd(toc, b"\xff" * 90) + pull for toc in range(0, 256, 4)),
           calm + b"".join(raw(1000 * n * n % 2 ** 32, opus) + pull for n in range(60)), good + later(500) + calm, (good + later(19)) * 20 + calm,
           calm + later(60000) + calm, (good + pull + good) * 30 + good * 60 + calm, odd(0, b"") + odd(8, b"") * 5 + pulls(8), off(-16) + off(15) + pulls(20)]
    return [b"\1" + s for s in out] + [b"\0" + s for s in out if b"\x0f" in s]


def voice_protocol():
    def text(t): return bytes([len(t)]) + t
    def start(job, kinds=(3, 2), devices=(b"alsa_input.pci", b""), opus=80, limit=60, settings=b"\4\x9c\x64\x0f"):
        ends = b"".join(bytes([k]) + text(d) for k, d in zip(kinds, devices))
        return bytes([1, job]) + ends + u16(opus) + struct.pack(">I", 0xfffffff0) + u16(limit) + settings
    report = bytes([12]) + u16(40) + u16(60) + struct.pack(">6I", *range(1, 7)) + u64(10 ** 15) + u64(10 ** 15 + 7)
    frame = struct.pack(">IQ", 960, 10 ** 15)
    return [start(job) for job in range(1, 8)] + [
        start(1, (2, 2)), start(4, (0, 3), (b"", "Lautsprecher größer".encode())), start(1, opus=1193), start(1, opus=1194), start(5, limit=0),
        b"\2\x0a\0\xc8\0", b"\3" + frame, b"\3" + frame + bytes(range(80)), b"\3" + frame + b"x" * 1193, b"\3" + frame + b"x" * 1194,
        b"\4\x20" + u16(40) + u16(60), b"\5", b"\x11", b"\x12\xec\x9c\1\0\4\1", b"\x13" + report, b"\x14\0\1" + text(b"the microphone is there"),
        b"\x14\1\0" + text(b"\1" * 200), b"\x14\1\0" + text(b"a\x1b[2J\xe2\x80\xaeb"), b"\x15\1\1" + text(b"alsa_output") + text(b"Speaker"), b"\x16\1" + text(b"no"), b"\x16\0\0"]


def voice_filter():
    def packet(body, channel=0xffffffff, flags=0): return struct.pack(">5I", len(body), channel, 0, 0, flags) + body
    def command(which, rest=b""): return packet(b"L" + struct.pack(">I", which) + b"L\0\0\0\1" + rest)
    auth = command(8, b"L\xc0\0\0\x23x\0\0\1\0" + b"c" * 256)
    sound = packet(b"pcm " * 40, 0, 1)
    return [auth + command(9, b"P") + command(35, b"L\0\0\0\x9b") + command(3, b"x" * 90) + sound * 3, auth[:-1], command(51, b"tmodule\0"), sound + command(51), auth * 2,
            packet(b"x" * 16, 0, 0x80000000), packet(b"", 0), packet(b"x" * 9), packet(b"x", 7, 0xff) * 20, command(57) + command(58), command(20) + command(21) + command(24), b"\xff" * 40]


# ---- layout: u8 how (bit 0: one line; the rest: columns - 2) || text ----

def layout():
    family, hebrew, arabic = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u05e9\u05dc\u05d5\u05dd", "\u0627\u0644\u0639"
    texts = ["", "\n", "one two three four-five/six", "https://example.org/a/very/long/path?with=much&more=of-it", "a\r\n\tb\n\n", "x" * 300, " " * 90 + "-- after",
             f"{hebrew} (abc) 123 [{hebrew}] {arabic} \u0661\u0662", f"abc {hebrew} 12-3 {arabic}", f"({hebrew}[" * 20 + "])" * 20, "(" * 80 + "\u05d0" + ")" * 80,
             "\u4e16\u754c\u3002\u300c\u4f60\u597d\u300d abc", "\u1112\u1161\u11ab \ud55c \u1161", "\u0915\u094d\u0937\u093f \u0e01\u0e33", f"{family} \U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea\U0001f1eb 1\ufe0f\u20e3 \u2764\ufe0f",
             (family + "\u200d") * 12, "z" + "\u0301" * 500 + "y", "\u0301", "\u200b\u200ba\u200b\n\u2060\n", "photo\u202egpj.exe\u2066\u200f", "\x1b[2J\x1b]52;c;x\x07\x9b\x85\u2028", "\u0600\u06001 \u4dc0"]
    out = [bytes([how]) + text.encode() for text in texts for how in (1, 18)] + [b"\0" + text.encode() for text in texts[7:15]]
    return out + [b"\x14" + raw for raw in (b"\xff\x80a", b"\xed\xa0\x80\xed\xb0\x80", b"\xe4\xb8", b"\xf4\x90\x80\x80", b"\xc0\xaf\xcc\x81", bytes(range(256)))]


# ---- keys: u8 names of terminfo (bit 0) || bytes; input: u8 how || bytes; words: u8 how || words between NULs, or a line ----

KEYS = [b"abc\r\t\x7f\x01\x1f\0", "\u00e4\u4f60\U0001f600".encode(), b"\xff\xc3\xed\xa0\x80\xc2\x9b", b"\x1b[A\x1bOB\x1b[1;5C\x1b\x1b[D\x1bOc\x1b[3;5~\x1b[5^\x1b[6$x\x1b[Z",
        b"\x1bOP\x1b[[A\x1b[24~\x1b[25~\x1bOM\x1bOq\x1bO5P\x1bO5q", b"\x1b1\x1b\xc3\xa4\x1b\r\x1b\x1b\x1b", b"\x1b[97;3u\x1b[74;6u\x1b[27;5;13~\x1b[53;5u\x1b[1114112u", b"\x1b[I\x1b[O",
        b"\x1b[<0;3;4M\x1b[<64;1;1M\x1b[<35;3;4m\x1b[M #$\x1b[M`!!", b"\x1b[200~one\r\ntwo\x1b[31m\x1b[20\x1b[201~x", b"\x1b[200~no end \xe4\xbd", b"\x1b[?1;2c\x1b[24;80R\x1b[99999999999~\x1b[;;;;;;m",
        b"\x1b]11;rgb:2e2e/3434\x1b\\\x1bP>|XTerm(379)\x1b\\\x1b_Gi=1;OK\x1b\\\x1b]52;c;bHM7\x07", b"\x1b]1" + b"1" * 1100, b"\x1b[" + b"1;" * 520]


def keys():
    return [bytes([named]) + k for k in KEYS for named in (0, 1)]


def input_():
    return [bytes([how]) + k for k in KEYS for how in (1, 3, 7)]


def words():
    of = ["a b\0c\td\0e\nf", "it's\0say \"no\"\0back\\slash\0end\\", "~\0~/x y\0~user\0-x\0a~", "$HOME\0`ls`\0$(x)\0a b$", "\u00e4 \u4f60", "\r\0a\rb\0\x1b[31m"]
    lines = ["/file ~/a\\ b.pdf 'c d' \"e\\\"f\"", "~ ~/ ~a \"~\"", "a 'b", "a \\", "a  b\t\tc ", "", "\\~ ''", "\"\\x\\\\\" x"]
    return [b"\x01" + w.encode() for w in of] + [bytes([how]) + line.encode() for line in lines for how in (0, 2, 4, 254)]


for name, make in (("keys", keys), ("input", input_), ("words", words), ("layout", layout), ("netlink", netlink), ("backup", backup), ("handshake", handshake), ("chunk", chunk), ("record", record), ("datagram", datagram),
                   ("session", session), ("link", link), ("tar", tar), ("ogg", ogg), ("voice", voice), ("voice_protocol", voice_protocol), ("voice_filter", voice_filter)):
    seeds = make()
    assert len(seeds) < 80, name
    write(name, seeds)
