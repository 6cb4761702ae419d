"""An independent PSST/1 peer for the end-to-end tests: well-behaved by default, and evil on request.

    peer = Peer.call(("127.0.0.1", port), me, callee)       or   with Listener(me) as l: ...; peer = l.accept()
    msg = peer.say("hello");  peer.wait_ack(msg);  id_, time_ms, words = peer.hear()
    peer.send_file(b"...", b"name.bin");  name, data = peer.take_file()
    peer.rekey();  peer.bye()
    peer.call_offer(); peer.call_wait(wire_voice.ACCEPT); peer.speak(timestamp, opus); timestamp, flags, opus = peer.listen(); peer.call_hang_up()

Evil: send_raw, send_chunk with any identifier and data, record() to get a sealed record without sending it, flip(),
`sent` to replay what went over the wire, `stop_after` to leave in the middle of a handshake, answer_pings = False.

One thread, blocking with timeouts. Pings are answered and rekeys followed while reading. Written from docs/PROTOCOL.md.
"""
import hashlib
import os
import socket
import struct
import time

import wire
import wire_voice
from wire import NO_PSK, Refused

TEXT, ACK, NOT_ACCEPTED, PING, PONG, FILE, CALL, VOICE, REKEY, BYE = b"tanpqfcvrb"
READ, PRESENCE = 0xF2, 0xF3
MEET = 0xF1


class Closed(Exception):
    """The other side ended its stream (or reset it: args[0])."""


def today(offset=0):
    return int(time.time()) // 86400 + offset


def flip(data, bit=0):
    """data with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def reset(sock):
    """Closes with a RST instead of an orderly end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Peer:
    def __init__(self, sock, timeout=10):
        self.sock, self.timeout = sock, timeout
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = bytearray()
        self.inbox = []
        self.presence = []  # what has come: (state, text), the last one counts
        self.answer_pings = True
        self.established = False
        self.rekeys = 0
        self.voice = wire_voice.Voice()
        self.udp = None  # the socket; where to: the other side's port, or where its last datagram came from
        self.udp_to = None
        self._half = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- opening ----

    @classmethod
    def call(cls, address, me, callee, psk=NO_PSK, day=None, features=b"", stop_after=None, mangle=None, timeout=10,
             source=None):
        """stop_after: "M1" or "M3": leaves the handshake there, unestablished. mangle: {"M3": function of its bytes}.
        source: the address to call from."""
        peer = cls(socket.create_connection(address, timeout, source and (source, 0)), timeout)
        try:
            peer._caller_handshake(wire.Caller(me, callee, today() if day is None else day, psk, features),
                                   stop_after, mangle or {})
        except BaseException:
            peer.close()
            raise
        return peer

    def _caller_handshake(self, hs, stop_after, mangle):
        def send(name, message):
            self.send_raw(mangle.get(name, lambda m: m)(message))
            return name == stop_after

        self.me, self.other, self.psk = hs.me, hs.callee, hs.psk
        self.handshake = hs
        if send("M1", hs.write_m1()):
            return
        hs.read_m2(self.read_exact(wire.M2_LEN))
        if send("M3", hs.write_m3()):
            return
        hs.read_m4(self.read_exact(wire.M4_LEN))
        send("M5", hs.write_m5())
        self._begin("caller", hs.keys)

    @classmethod
    def answer(cls, sock, me, contacts, seen=None, features=b"", timeout=10):
        """The callee's part on a connection that was accepted."""
        peer = cls(sock, timeout)
        hs = wire.Callee(me, contacts, today(), features, seen)
        peer.me, peer.handshake = me, hs
        try:
            hs.read_m1(peer.read_exact(wire.M1_LEN))
            peer.send_raw(hs.write_m2())
            hs.read_m3(peer.read_exact(wire.M3_LEN))
            time.sleep(0.005)
            peer.send_raw(hs.write_m4())
            hs.read_m5(peer.read_exact(wire.M5_LEN))
        except BaseException:
            peer.close()
            raise
        peer.other, peer.psk = hs.caller, hs.psk
        peer._begin("callee", hs.keys)
        return peer

    def _begin(self, role, keys):
        self.role, self.established = role, True
        self._use(keys)
        self.tx = wire.Direction(self._own(keys))
        self.rx = wire.Direction(self._theirs(keys))

    def _use(self, keys):
        self.keys = keys
        ours, theirs = keys.voice_ab, keys.voice_ba
        self.voice.use(*((ours, theirs) if self.role == "caller" else (theirs, ours)))

    def _own(self, keys):
        return keys.ab if self.role == "caller" else keys.ba

    def _theirs(self, keys):
        return keys.ba if self.role == "caller" else keys.ab

    # ---- bytes ----

    def send_raw(self, data):
        self.sock.settimeout(self.timeout)
        self.sock.sendall(data)
        self.sent += data

    def read_exact(self, n, timeout=None):
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        data = bytearray()
        while len(data) < n:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("%d of %d bytes came" % (len(data), n))
            self.sock.settimeout(left)
            try:
                got = self.sock.recv(n - len(data))
            except ConnectionResetError:
                raise Closed("reset") from None
            if not got:
                raise Closed("end of stream after %d of %d bytes" % (len(data), n))
            data += got
        return bytes(data)

    def close(self):
        self.sock.close()
        if self.udp is not None:
            self.udp.close()

    def reset(self):
        reset(self.sock)

    # ---- records and chunks ----

    def record(self, id_, data=b"", body_len=None):
        """Sealed, counted, and not sent."""
        return self.tx.seal_chunk(id_, data, body_len)

    def send_chunk(self, id_, data=b"", body_len=None):
        self.send_raw(self.record(id_, data, body_len))

    def _wait_readable(self, timeout):
        """Waits for the first byte of a record; once it has come, the rest gets the ordinary timeout."""
        self.sock.settimeout(max(timeout, 0.001))
        try:
            if not self.sock.recv(1, socket.MSG_PEEK):
                raise Closed("end of stream")
        except ConnectionResetError:
            raise Closed("reset") from None

    def read_record(self, timeout=None):
        """One chunk, whatever it is: (id, data)."""
        self._wait_readable(self.timeout if timeout is None else timeout)
        length = self.rx.open_head(self.read_exact(wire.HEAD_LEN))
        return wire.chunk_read(self.rx.open_body(self.read_exact(length + wire.TAG_LEN)))

    def read_chunk(self, timeout=None):
        """The next chunk that is not a ping or part of a rekey; presence is skipped as well."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no chunk")
            id_, data = self.read_record(left)
            if id_ == PING and self.answer_pings:
                self.send_chunk(PONG, data)
            elif id_ == REKEY:
                self._rekey_chunk(data)
            elif id_ == PRESENCE:
                self.presence.append(wire.presence_read(data))
            elif id_ != PING:
                return id_, data

    def expect(self, id_, timeout=None, where=lambda data: True):
        """The data of the first chunk of that identifier that fits; what comes before it stays in the inbox."""
        for i, (got, data) in enumerate(self.inbox):
            if got == id_ and where(data):
                del self.inbox[i]
                return data
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            got, data = self.read_chunk(max(deadline - time.monotonic(), 0.001))
            if got == id_ and where(data):
                return data
            self.inbox.append((got, data))

    def pump(self, seconds):
        """Reads for so long; gives all that has come and was not expected yet. Closed ends it early."""
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                self.inbox.append(self.read_chunk(deadline - time.monotonic()))
        except (TimeoutError, socket.timeout, Closed):
            pass
        came, self.inbox = self.inbox, []
        return came

    def wait_end(self, timeout=10):
        """Reads on until the stream ends: "end of stream", or "reset"; chunks on the way go to the inbox."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self.inbox.append(self.read_chunk(deadline - time.monotonic()))
        except Closed as closed:
            return closed.args[0]

    # ---- text ----

    def say(self, words, msg_id=None, time_ms=None):
        """words: str, or raw bytes. Gives the id."""
        utf8 = words.encode() if isinstance(words, str) else words
        msg_id = msg_id or os.urandom(16)
        self.send_chunk(TEXT, wire.text(msg_id, int(time.time() * 1000) if time_ms is None else time_ms, utf8))
        return msg_id

    def wait_ack(self, msg_id, timeout=None):
        data = self.expect(ACK, timeout, lambda d: msg_id in wire.ids_read(d))
        others = [i for i in wire.ids_read(data) if i != msg_id]
        if others:
            self.inbox.append((ACK, b"".join(others)))

    def wait_not_accepted(self, msg_id, timeout=None):
        """The reason."""
        return self.expect(NOT_ACCEPTED, timeout, lambda d: d[:16] == msg_id)[16]

    def hear(self, timeout=None, ack=True):
        """The next text: (id, time, str)."""
        got = wire.text_read(self.expect(TEXT, timeout))
        if ack:
            self.send_chunk(ACK, got[0])
        return got

    def tell_read(self, *msg_ids):
        """A read receipt."""
        self.send_chunk(READ, b"".join(msg_ids))

    def wait_read(self, timeout=None):
        """The ids of the next read receipt."""
        ids = wire.ids_read(self.expect(READ, timeout))
        if len(ids) > 64:
            raise Refused("a receipt for more than 64")
        return ids

    # ---- presence and meetings ----

    def show(self, state, words=""):
        self.send_chunk(PRESENCE, wire.presence(state, words))

    def wait_presence(self, state, words="", timeout=10):
        deadline = time.monotonic() + timeout
        while (state, words) not in self.presence:
            if time.monotonic() > deadline:
                raise TimeoutError("presence %r did not come, only %r" % ((state, words), self.presence))
            try:
                self.inbox.append(self.read_chunk(0.1))
            except TimeoutError:
                pass

    def meet(self, time_ms, meet_id=None):
        """Proposes, or with time 0 calls off. Gives the id."""
        meet_id = meet_id or os.urandom(16)
        self.send_chunk(MEET, wire.meet(meet_id, time_ms))
        return meet_id

    def hear_meet(self, timeout=None, ack=True):
        """The next chunk about a meeting: (id, time)."""
        got = wire.meet_read(self.expect(MEET, timeout))
        if ack:
            self.send_chunk(ACK, got[0])
        return got

    def ping(self, payload=b"12345678", timeout=5):
        """Sends one, and again after a second (one a second is answered), until the answer comes: the session lives."""
        deadline = time.monotonic() + timeout
        while True:
            self.send_chunk(PING, payload)
            try:
                self.expect(PONG, 1.1, lambda d: d == payload)
                return
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise

    # ---- files ----

    def offer(self, name, size, transfer=None, form=0):
        transfer = transfer or os.urandom(16)
        self.send_chunk(FILE, wire.file_offer(transfer, size, name, form))
        return transfer

    def wait_file(self, transfer, kind, timeout=None):
        """The fields of the next file chunk of that transfer and kind."""
        data = self.expect(FILE, timeout, lambda d: d[:17] == bytes([kind]) + transfer)
        return wire.file_read(data)[2]

    def send_data(self, transfer, content, offset=0, piece=wire.FILE_DATA_MAX):
        for at in range(offset, len(content), piece):
            self.send_chunk(FILE, wire.file_data(transfer, at, content[at:at + piece]))

    def send_done(self, transfer, content, digest=None, size=None):
        self.send_chunk(FILE, wire.file_done(transfer, len(content) if size is None else size,
                                             digest or hashlib.sha256(content).digest()))

    def send_file(self, content, name, timeout=30):
        """Offer, wait for accept, data, done, wait for the confirmation."""
        transfer = self.offer(name, len(content))
        offset = self.wait_file(transfer, wire.ACCEPT, timeout)["offset"]
        self.send_data(transfer, content, offset)
        self.send_done(transfer, content)
        self.wait_ack(transfer, timeout)

    def take_file(self, timeout=30):
        """Waits for an offer and takes it: (name, content). Checks every rule of the page."""
        data = self.expect(FILE, timeout, lambda d: d[0] == wire.OFFER)
        _, transfer, offer = wire.file_read(data)
        self.send_chunk(FILE, wire.file_accept(transfer))
        content = bytearray()
        while True:
            kind, _, fields = wire.file_read(self.expect(FILE, timeout, lambda d: d[1:17] == transfer))
            if kind == wire.DONE:
                break
            if kind != wire.DATA or fields["offset"] != len(content):
                raise Refused("file data out of order")
            content += fields["data"]
        if not fields["size"] == offer["size"] == len(content):
            raise Refused("file size")
        if hashlib.sha256(content).digest() != fields["sha256"]:
            raise Refused("file hash")
        self.send_chunk(ACK, transfer)
        return offer["name"], bytes(content)

    # ---- calls ----

    def call_offer(self, frame_size=100):
        self.voice.frame_size = frame_size
        self.send_chunk(CALL, wire_voice.offer(self.voice.receiver_id, frame_size))

    def call_wait(self, kind, timeout=None):
        """The fields of the next call chunk of that kind."""
        fields = wire_voice.read(self.expect(CALL, timeout, lambda d: d[0] == kind))[1]
        if kind in (wire_voice.OFFER, wire_voice.ACCEPT):
            self.voice.their_id = fields["receiver_id"]
            self.voice.frame_size = fields.get("frame_size", self.voice.frame_size)
        return fields

    def call_ring(self):
        self.send_chunk(CALL, bytes([wire_voice.RING]))

    def call_accept(self):
        self.send_chunk(CALL, wire_voice.accept(self.voice.receiver_id))

    def call_decline(self, reason=1):
        self.send_chunk(CALL, bytes([wire_voice.DECLINE, reason]))

    def call_hang_up(self, reason=1):
        self.send_chunk(CALL, bytes([wire_voice.HANG_UP, reason]))

    def open_udp(self):
        """The caller of the session knows where to send; who was called waits at the port that it was called at."""
        if self.udp is None:
            family = self.sock.family
            host, port = self.sock.getsockname()[:2]
            self.udp = socket.socket(family, socket.SOCK_DGRAM)
            self.udp.bind((host, 0 if self.role == "caller" else port))
            if self.role == "caller":
                self.udp_to = self.sock.getpeername()[:2]

    def speak(self, timestamp, opus, by="udp", flags=0):
        """One frame; False: by UDP, and nobody knows where to."""
        if by == "tcp":
            frame = wire_voice.frame(self.voice.frame_size, timestamp, opus, flags)
            self.send_chunk(VOICE, frame, 4 + len(frame))
            return True
        self.open_udp()
        if self.udp_to is None:
            return False
        self.udp.sendto(self.voice.seal(timestamp, opus, flags), self.udp_to)
        return True

    def listen(self, timeout=5, by="udp"):
        """The next frame that comes that way: (timestamp, flags, opus). What is not valid is skipped."""
        if by == "tcp":
            return wire_voice.frame_read(self.expect(VOICE, timeout, lambda d: len(d) == self.voice.frame_size))
        self.open_udp()
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no voice")
            self.udp.settimeout(left)
            datagram, address = self.udp.recvfrom(2048)
            try:
                got = self.voice.open(datagram)
            except Refused:
                continue
            self.udp_to = address[:2]
            return got

    # ---- rekey ----

    def begin_rekey(self):
        self._half = wire.RekeyHalf(self.other)
        self.send_chunk(REKEY, self._half.data)

    def rekey(self, timeout=10):
        """Caller: begins one and follows it to its end."""
        before = self.rekeys
        self.begin_rekey()
        deadline = time.monotonic() + timeout
        while self.rekeys == before:
            self._wait_readable(deadline - time.monotonic())
            id_, data = self.read_record()
            if id_ == REKEY:
                self._rekey_chunk(data)
            elif id_ == PING:
                self.send_chunk(PONG, data)
            else:
                self.inbox.append((id_, data))

    def _rekey_chunk(self, data):
        if self.role == "caller":
            self._read_r2(data)
        elif self._half is None:
            self._read_r1(data)
        else:
            self._read_r3(data)

    def _derive(self, r1, r2, theirs, own_z, theirs_z, za_is_own):
        shared = wire.x25519(self._half.scalar, theirs[:32])
        za, zb = (own_z, theirs_z) if za_is_own else (theirs_z, own_z)
        return wire.rekeyed(self.keys, self.psk, r1, r2, shared, za, zb)

    def _read_r2(self, r2):
        if self._half is None or len(r2) != 560:
            raise Refused("R2 out of turn")
        keys = self._derive(self._half.data, r2, r2, self._half.z, self.me.decapsulate(r2[32:]), True)
        self.rx = wire.Direction(keys.ba)
        self.send_chunk(REKEY)
        self.tx = wire.Direction(keys.ab)
        self._use(keys)
        self._half = None
        self.rekeys += 1

    def _read_r1(self, r1):
        if len(r1) != 560:
            raise Refused("R1 out of turn")
        self._half = wire.RekeyHalf(self.other)
        r2 = self._half.data
        self._next = self._derive(r1, r2, r1, self._half.z, self.me.decapsulate(r1[32:]), False)
        self.send_chunk(REKEY, r2)
        self.tx = wire.Direction(self._next.ba)

    def _read_r3(self, r3):
        if r3:
            raise Refused("R3 is not empty")
        self.rx = wire.Direction(self._next.ab)
        self._use(self._next)
        self._half = self._next = None
        self.rekeys += 1

    # ---- the end ----

    def bye(self, reason=1):
        """Says bye, ends its stream, waits for the other's end, closes."""
        self.send_chunk(BYE, bytes([reason]))
        self.sock.shutdown(socket.SHUT_WR)
        self.sock.settimeout(5)
        try:
            while self.sock.recv(65536):
                pass
        except OSError:
            pass
        self.close()


class Listener:
    """Listens on loopback, as a callee."""

    def __init__(self, me, contacts, host="127.0.0.1"):
        self.me, self.contacts, self.seen = me, contacts, set()
        self.sock = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.address = self.sock.getsockname()[:2]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def accept_raw(self, timeout=10):
        self.sock.settimeout(timeout)
        return self.sock.accept()[0]

    def accept(self, timeout=10):
        return Peer.answer(self.accept_raw(timeout), self.me, self.contacts, self.seen)


def contact(key, psk=NO_PSK):
    """One entry of a Listener's contacts."""
    return {key.fpr: (key, psk)}
