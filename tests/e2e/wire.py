"""PSST/1 on paper: everything of docs/PROTOCOL.md that needs no socket.

Written from that page alone, without a look at the C sources, so that the two can be held against the same vectors.
What is drawn at random is drawn through a Draw, which the vectors replace. Not for use outside of tests: Python's pow()
leaks its operands through time.
"""
import hashlib
import hmac
import os
import secrets
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

M1_LEN, M2_LEN, M3_LEN, M4_LEN, M4A_LEN, M5_LEN = 592, 48, 272, 816, 544, 48
M3_FEATURES_MAX, M4_FEATURES_MAX = 222, 254
X_LEN = 528
HEAD_LEN, TAG_LEN = 18, 16
BODY_MIN, BODY_MAX = 4, 65502
TEXT_MAX, FILE_DATA_MAX = 65474, 65473
RATCHET = 1000
NO_PSK = bytes(32)


class Refused(Exception):
    """Something that the page says must be refused. On the wire all of these are one silence."""


def lbl(x):
    return b"PSST/1 " + x.encode("ascii")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hmac256(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def extract(salt, ikm):
    return hmac256(salt, ikm)


def expand(prk, info):
    return hmac256(prk, info, b"\x01")


def hkdf(salt, ikm):
    return expand(extract(salt, ikm), b"")


def nonce(value):
    return bytes(4) + struct.pack(">Q", value)


def seal(key, value, ad, plain):
    return ChaCha20Poly1305(key).encrypt(nonce(value), plain, ad)


def unseal(key, value, ad, sealed):
    try:
        return ChaCha20Poly1305(key).decrypt(nonce(value), sealed, ad)
    except InvalidTag:
        raise Refused("a tag does not verify") from None


def x25519_public(scalar):
    private = X25519PrivateKey.from_private_bytes(scalar)
    return private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def x25519(scalar, point):
    try:
        secret = X25519PrivateKey.from_private_bytes(scalar).exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError:  # how the library says: all zeros
        raise Refused("X25519 gives zero") from None
    if secret == bytes(32):
        raise Refused("X25519 gives zero")
    return secret


# ---- keys ----

def der(tag, content):
    n = len(content)
    if n < 128:
        return bytes([tag, n]) + content
    size = (n.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + n.to_bytes(size, "big") + content


def der_integer(value):
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")


class PublicKey:
    def __init__(self, n, e):
        if not 1024 <= n.bit_length() <= 4096:
            raise Refused("modulus of %d bits" % n.bit_length())
        if n % 2 == 0:
            raise Refused("even modulus")
        if e % 2 == 0 or not 65537 <= e < 1 << 64:
            raise Refused("exponent")
        self.n, self.e = n, e
        self.nlen = (n.bit_length() + 7) // 8
        numbers = der(0x30, der_integer(n) + der_integer(e))
        self.spki = der(0x30, RSA_ENCRYPTION + der(0x03, b"\x00" + numbers))
        self.fpr = sha256(self.spki)
        self.mb = hkdf(lbl("mac"), self.spki)

    @classmethod
    def from_pem(cls, pem):
        """The first PUBLIC KEY in a text, whatever stands around it: a card, for example."""
        begin = pem.index(b"-----BEGIN PUBLIC KEY-----")
        end = pem.index(b"-----END PUBLIC KEY-----") + len(b"-----END PUBLIC KEY-----")
        numbers = serialization.load_pem_public_key(pem[begin:end] + b"\n").public_numbers()
        return cls(numbers.n, numbers.e)

    def pem(self):
        import base64
        body = base64.b64encode(self.spki).decode()
        lines = [body[i:i + 64] for i in range(0, len(body), 64)]
        return "-----BEGIN PUBLIC KEY-----\n" + "\n".join(lines) + "\n-----END PUBLIC KEY-----\n"


class KeyPair(PublicKey):
    def __init__(self, n, e, d):
        super().__init__(n, e)
        self.d = d

    @classmethod
    def load(cls, path):
        """A PKCS#8 PEM without a passphrase."""
        with open(path, "rb") as file:
            private = serialization.load_pem_private_key(file.read(), None).private_numbers()
        return cls(private.public_numbers.n, private.public_numbers.e, private.d)

    def decapsulate(self, x):
        c = int.from_bytes(x, "big") % self.n
        if c in (0, 1, self.n - 1):
            raise Refused("c is 0, 1 or n - 1")
        z = pow(c, self.d, self.n)
        return kem_secret(self, x, z)


def kem_secret(key, x, z):
    return sha256(lbl("z"), key.fpr, x, z.to_bytes(key.nlen, "big"))


class Draw:
    """Where randomness comes from."""

    def scalar(self):
        return os.urandom(32)

    def z(self, n):
        return 2 + secrets.randbelow(n - 3)

    def r(self, highest):
        return secrets.randbelow(highest + 1)

    def decoy(self):
        return os.urandom(X_LEN), os.urandom(32)


def encapsulate(key, draw):
    z = draw.z(key.n)
    c = pow(z, key.e, key.n)
    r = draw.r(((1 << 8 * X_LEN) - 1 - c) // key.n)
    x = (c + r * key.n).to_bytes(X_LEN, "big")
    return x, kem_secret(key, x, z)


# ---- features ----

def features_write(entries):
    return b"".join(bytes([id_, len(value)]) + value for id_, value in sorted(entries.items()))


def features_read(data):
    entries, at, last = {}, 0, -1
    while at < len(data):
        if at + 2 > len(data) or at + 2 + data[at + 1] > len(data) or data[at] <= last:
            raise Refused("malformed features")
        last = data[at]
        entries[last] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return entries


def features_pad(features, room):
    if len(features) > room - 2:
        raise ValueError("too many features")
    return struct.pack(">H", len(features)) + features + bytes(room - 2 - len(features))


def features_unpad(padded):
    n, = struct.unpack(">H", padded[:2])
    if n > len(padded) - 2 or any(padded[2 + n:]):
        raise Refused("features: length or padding")
    features = padded[2:2 + n]
    features_read(features)
    return features


# ---- handshake ----

class SessionKeys:
    def __init__(self, chain, transcript):
        self.chain, self.hash = chain, transcript
        self.ab = expand(chain, lbl("caller to callee") + transcript)
        self.ba = expand(chain, lbl("callee to caller") + transcript)
        self.voice_ab = expand(chain, lbl("voice caller to callee") + transcript)
        self.voice_ba = expand(chain, lbl("voice callee to caller") + transcript)
        self.rk = expand(chain, lbl("rekey") + transcript)


def m1_mac(callee, day, ea, xa):
    return hmac256(callee.mb, b"1", struct.pack(">Q", day), ea, xa)


class Handshake:
    """What both sides do alike. The values on the way stay visible, named as in the page."""

    def after_m1(self, callee, m1, day):
        self.h1 = sha256(lbl("X25519 RSASVE ChaChaPoly SHA256"), callee.fpr, m1, struct.pack(">Q", day))

    def after_eb(self, eb, shared):
        self.h2 = sha256(self.h1, eb)
        self.shared = shared
        self.ck1 = extract(self.h2, shared + self.za)
        self.key_m2 = expand(self.ck1, lbl("m2"))
        self.key_m3 = expand(self.ck1, lbl("m3"))
        self.key_m4a = expand(self.ck1, lbl("m4a"))

    def after_m4a(self, m4a, psk, caller_fpr, callee_fpr):
        self.h5 = sha256(self.h4, m4a)
        self.ck2 = extract(self.ck1, self.zb + psk + caller_fpr + callee_fpr + self.h5)
        self.key_m4 = expand(self.ck2, lbl("m4"))
        self.key_m5 = expand(self.ck2, lbl("m5"))

    def after_m5(self, m5):
        self.h7 = sha256(self.h6, m5)
        self.keys = SessionKeys(self.ck2, self.h7)


class Caller(Handshake):
    def __init__(self, me, callee, day, psk=NO_PSK, features=b"", draw=None):
        if me.fpr == callee.fpr:
            raise Refused("a party does not call itself")
        self.me, self.callee, self.day, self.psk = me, callee, day, psk
        self.features, self.draw = features, draw or Draw()

    def write_m1(self):
        self.scalar = self.draw.scalar()
        self.ea = x25519_public(self.scalar)
        self.xa, self.za = encapsulate(self.callee, self.draw)
        self.mac = m1_mac(self.callee, self.day, self.ea, self.xa)
        m1 = self.ea + self.xa + self.mac
        self.after_m1(self.callee, m1, self.day)
        return m1

    def read_m2(self, m2):
        eb, tag = m2[:32], m2[32:]
        self.after_eb(eb, x25519(self.scalar, eb))
        unseal(self.key_m2, 0, self.h2, tag)
        self.h3 = sha256(self.h2, tag)

    def write_m3(self):
        m3 = seal(self.key_m3, 0, self.h3, self.me.fpr + features_pad(self.features, 224))
        self.h4 = sha256(self.h3, m3)
        return m3

    def read_m4(self, m4):
        m4a, m4b = m4[:M4A_LEN], m4[M4A_LEN:]
        self.xb = unseal(self.key_m4a, 0, self.h4, m4a)
        self.zb = self.me.decapsulate(self.xb)
        self.after_m4a(m4a, self.psk, self.me.fpr, self.callee.fpr)
        self.peer_features = features_unpad(unseal(self.key_m4, 0, self.h5, m4b))
        self.h6 = sha256(self.h5, m4b)

    def write_m5(self):
        m5 = seal(self.key_m5, 0, self.h6, bytes(32))
        self.after_m5(m5)
        return m5


class Callee(Handshake):
    def __init__(self, me, contacts, day, features=b"", seen=None, draw=None):
        """contacts: fingerprint -> (PublicKey, psk). seen: the replay cache, a set of MACs."""
        self.me, self.contacts, self.today = me, contacts, day
        self.features, self.seen, self.draw = features, set() if seen is None else seen, draw or Draw()

    def read_m1(self, m1):
        ea, xa, mac = m1[:32], m1[32:32 + X_LEN], m1[32 + X_LEN:]
        days = [d for d in (self.today - 1, self.today, self.today + 1)
                if hmac.compare_digest(mac, m1_mac(self.me, d, ea, xa))]
        if not days:
            raise Refused("MAC")
        if mac in self.seen:
            raise Refused("replayed")
        self.seen.add(mac)
        self.day, self.ea, self.mac = days[0], ea, mac
        self.za = self.me.decapsulate(xa)
        self.after_m1(self.me, m1, self.day)
        self.scalar = self.draw.scalar()
        self.eb = x25519_public(self.scalar)
        self.after_eb(self.eb, x25519(self.scalar, ea))

    def write_m2(self):
        tag = seal(self.key_m2, 0, self.h2, b"")
        self.h3 = sha256(self.h2, tag)
        return self.eb + tag

    def read_m3(self, m3):
        plain = unseal(self.key_m3, 0, self.h3, m3)
        self.claimed = plain[:32]
        self.peer_features = features_unpad(plain[32:])
        self.h4 = sha256(self.h3, m3)

    def write_m4(self):
        known = self.contacts.get(self.claimed)
        self.decoy = known is None or self.claimed == self.me.fpr
        if self.decoy:
            self.xb, self.zb = self.draw.decoy()
            self.psk = NO_PSK
        else:
            self.caller, self.psk = known
            self.xb, self.zb = encapsulate(self.caller, self.draw)
        m4a = seal(self.key_m4a, 0, self.h4, self.xb)
        self.after_m4a(m4a, self.psk, self.claimed, self.me.fpr)
        m4b = seal(self.key_m4, 0, self.h5, features_pad(self.features, 256))
        self.h6 = sha256(self.h5, m4b)
        return m4a + m4b

    def read_m5(self, m5):
        if unseal(self.key_m5, 0, self.h6, m5) != bytes(32):
            raise Refused("M5 is not zeros")
        if self.decoy:
            raise Refused("unknown caller")
        self.after_m5(m5)


# ---- records ----

def padded_len(chunk_len):
    """The body length for a chunk of that length, its head included."""
    if chunk_len <= 256:
        return 256
    e = chunk_len.bit_length() - 1
    s = e.bit_length()
    step = 1 << (e - s)
    return min(-(-chunk_len // step) * step, BODY_MAX)


def chunk(id_, data):
    return bytes([id_]) + len(data).to_bytes(3, "big") + data


KNOWN = set(b"tanpqfcvrb") | {0xF1, 0xF2, 0xF3}


def chunk_read(body):
    """(id, data); a body is exactly one chunk, then zeros."""
    n = int.from_bytes(body[1:4], "big")
    if 4 + n > len(body) or any(body[4 + n:]):
        raise Refused("not one chunk and zeros")
    if body[0] not in KNOWN and not body[0] & 0x80:
        raise Refused("unknown chunk")
    return body[0], body[4:4 + n]


class Direction:
    """One direction's key, counter and ratchet."""

    def __init__(self, key):
        self.key, self.counter = key, 0

    def step(self):
        self.counter += 1
        if self.counter == RATCHET:
            self.key, self.counter = expand(self.key, lbl("ratchet")), 0

    def seal_body(self, body, announced=None):
        """announced: a body length that is a lie."""
        length = len(body) if announced is None else announced
        record = seal(self.key, 2 * self.counter, b"", struct.pack(">H", length))
        record += seal(self.key, 2 * self.counter + 1, b"", body)
        self.step()
        return record

    def seal_chunk(self, id_, data, body_len=None):
        plain = chunk(id_, data)
        return self.seal_body(plain.ljust(body_len or padded_len(len(plain)), b"\x00"))

    def open_head(self, head):
        length, = struct.unpack(">H", unseal(self.key, 2 * self.counter, b"", head))
        if not BODY_MIN <= length <= BODY_MAX:
            raise Refused("body length %d" % length)
        return length

    def open_body(self, sealed):
        body = unseal(self.key, 2 * self.counter + 1, b"", sealed)
        self.step()
        return body


# ---- rekey ----

class RekeyHalf:
    """One side's R1 or R2."""

    def __init__(self, to, draw=None):
        draw = draw or Draw()
        self.scalar = draw.scalar()
        x, self.z = encapsulate(to, draw)
        self.data = x25519_public(self.scalar) + x


def rekeyed(keys, psk, r1, r2, shared, za, zb):
    transcript = sha256(keys.hash, r1, r2)
    return SessionKeys(extract(keys.rk, shared + za + zb + psk + transcript), transcript)


# ---- chunks' data ----

def text(msg_id, time_ms, utf8):
    return msg_id + struct.pack(">Q", time_ms) + utf8


def text_read(data):
    """(id, time, str). ValueError, the id in args[0]: to be answered by not accepted. Refused: there is no id."""
    if len(data) < 16:
        raise Refused("text without an identifier")
    try:
        if not 25 <= len(data) <= 24 + TEXT_MAX:
            raise ValueError
        words = data[24:].decode("utf-8")
        if "\0" in words:
            raise ValueError
    except ValueError:
        raise ValueError(data[:16]) from None
    return data[:16], struct.unpack(">Q", data[16:24])[0], words


def ids_read(data):
    if not data or len(data) % 16:
        raise Refused("acknowledgement")
    return [data[i:i + 16] for i in range(0, len(data), 16)]


def presence(state, words=""):
    return bytes([state]) + words.encode()


def presence_read(data):
    """(state, text); Refused: to be skipped."""
    try:
        words = data[1:].decode("utf-8")
    except ValueError:
        raise Refused("presence") from None
    if not data or len(data) > 141 or "\0" in words:
        raise Refused("presence")
    return data[0] if 1 <= data[0] <= 3 else 1, words


def meet(meet_id, time_ms):
    return meet_id + struct.pack(">Q", time_ms)


def meet_read(data):
    if len(data) != 24:
        raise Refused("meeting")
    return data[:16], struct.unpack(">Q", data[16:])[0]


OFFER, ACCEPT, DECLINE, DATA, DONE, CANCEL, PAUSE, WINDOW = range(1, 9)


def file_offer(transfer, size, name, form=0):
    return bytes([OFFER]) + transfer + bytes([form]) + struct.pack(">Q", size) + name


def file_accept(transfer, offset=0):
    return bytes([ACCEPT]) + transfer + struct.pack(">Q", offset)


def file_decline(transfer, reason=1):
    return bytes([DECLINE]) + transfer + bytes([reason])


def file_data(transfer, offset, data):
    return bytes([DATA]) + transfer + struct.pack(">Q", offset) + data


def file_done(transfer, size, digest):
    return bytes([DONE]) + transfer + struct.pack(">Q", size) + digest


def file_cancel(transfer, reason=1):
    return bytes([CANCEL]) + transfer + bytes([reason])


def file_pause(transfer, why=1):
    return bytes([PAUSE]) + transfer + bytes([why])


def file_window(transfer, offset):
    return bytes([WINDOW]) + transfer + struct.pack(">Q", offset)


def file_read(data):
    """(kind, transfer id, dict)"""
    if len(data) < 17:
        raise Refused("file chunk too short")
    kind, transfer, rest = data[0], data[1:17], data[17:]
    if kind == OFFER and len(rest) >= 10:
        return kind, transfer, {"form": rest[0], "size": int.from_bytes(rest[1:9], "big"), "name": rest[9:]}
    if kind in (ACCEPT, WINDOW) and len(rest) == 8:
        return kind, transfer, {"offset": int.from_bytes(rest, "big")}
    if kind in (DECLINE, CANCEL, PAUSE) and len(rest) == 1:
        return kind, transfer, {"reason": rest[0]}
    if kind == DATA and len(rest) >= 9:
        return kind, transfer, {"offset": int.from_bytes(rest[:8], "big"), "data": rest[8:]}
    if kind == DONE and len(rest) == 40:
        return kind, transfer, {"size": int.from_bytes(rest[:8], "big"), "sha256": rest[8:]}
    raise Refused("file chunk")
