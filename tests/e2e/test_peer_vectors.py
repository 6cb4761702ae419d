"""peer.py's wire against tests/vectors: the same files that the C core is judged by."""
import json
import os
import struct
import unittest

import wire
import wire_voice
from wire import Refused

VECTORS = os.environ.get("PSST_TEST_VECTORS") or os.path.join(os.path.dirname(__file__), "..", "vectors")


def load(name):
    with open(os.path.join(VECTORS, name), encoding="utf-8") as file:
        return json.load(file)


_keys = {}


def key(name):
    if name not in _keys:
        _keys[name] = wire.KeyPair.load(os.path.join(VECTORS, "keys", name + ".pem"))
    return _keys[name]


def h(text):
    return bytes.fromhex(text)


def number(text):
    return int(text, 16)


class Fixed(wire.Draw):
    """Hands out what a vector drew."""

    def __init__(self, scalar, z, r, decoy=None):
        self._scalar, self._z, self._r, self._decoy = scalar, z, r, decoy

    def scalar(self):
        return self._scalar

    def z(self, n):
        value = number(self._z)
        assert 2 <= value <= n - 2
        return value

    def r(self, highest):
        value = number(self._r)
        assert value <= highest
        return value

    def decoy(self):
        return self._decoy


def play(v, upto=None, unix_time=None):
    """Both sides of one vector; with upto only until that message would be read: caller, callee, messages."""
    contacts = {h(v["fpr_a"]): (key(v["caller"]), h(v["psk"]))} if v["encapsulated_to"] != "nobody" else {}
    day_a, day_b = v["caller_unix_time"] // 86400, (unix_time or v["callee_unix_time"]) // 86400
    a = wire.Caller(key(v["caller"]), key(v["callee"]), day_a, h(v["psk"]), h(v["features_a"]),
                    Fixed(h(v["ea_scalar"]), v["z_a"], v["r_a"]))
    b = wire.Callee(key(v["callee"]), contacts, day_b, h(v["features_b"]), None,
                    Fixed(h(v["eb_scalar"]), v["z_b"], v["r_b"], (h(v["XB"]), h(v["ZB"]))))
    messages = {}
    for name, writer, reader, write, read in (("M1", a, b, "write_m1", "read_m1"), ("M2", b, a, "write_m2", "read_m2"),
                                              ("M3", a, b, "write_m3", "read_m3"), ("M4", b, a, "write_m4", "read_m4"),
                                              ("M5", a, b, "write_m5", "read_m5")):
        messages[name] = getattr(writer, write)()
        if name == upto:
            break
        getattr(reader, read)(messages[name])
    return a, b, messages


class Primitives(unittest.TestCase):
    def test_fingerprints_labels_and_primitives(self):
        v = load("kdf.json")
        for f in v["fingerprints"]:
            k = key(f["key"])
            self.assertEqual((k.n.bit_length(), k.fpr, k.mb), (f["bits"], h(f["fpr"]), h(f["MB"])))
        for words, value in v["labels"].items():
            self.assertEqual(wire.lbl(words), h(value))
        for x in v["hkdf"]:
            self.assertEqual(wire.extract(h(x["salt"]), h(x["ikm"])), h(x["prk"]))
            self.assertEqual(wire.hkdf(h(x["salt"]), h(x["ikm"])), h(x["okm"]))
        for x in v["expand"]:
            self.assertEqual(wire.expand(h(x["prk"]), h(x["info"])), h(x["okm"]))
        for x in v["aead"]:
            self.assertEqual(wire.nonce(x["nonce_value"]), h(x["nonce"]))
            self.assertEqual(wire.seal(h(x["key"]), x["nonce_value"], h(x["ad"]), h(x["plaintext"])), h(x["sealed"]))
        for x in v["x25519"]:
            self.assertEqual(wire.x25519_public(h(x["scalar"])), h(x["public"]))
        for x in v["x25519_all_zero"]:
            with self.assertRaises(Refused, msg=x["name"]):
                wire.x25519(h(x["scalar"]), h(x["point"]))
        for x in v["public_key_refused"]:
            with self.assertRaises(Refused, msg=x["why"]):
                wire.PublicKey(number(x["n"]), number(x["e"]))

    def test_rsa_kem(self):
        v = load("rsakem.json")
        for x in v["cases"]:
            k = key(x["recipient"])
            self.assertEqual(wire.encapsulate(k, Fixed(None, x["z"], x["r"])), (h(x["X"]), h(x["Z"])))
            self.assertEqual(k.decapsulate(h(x["X"])), h(x["Z"]))
        for x in v["refused"]:
            with self.assertRaises(Refused, msg=x["why"]):
                key(x["recipient"]).decapsulate(h(x["X"]))

    def test_features(self):
        v = load("chunks.json")["features"]
        entries = {id_: h(value) for id_, value in v["entries"]}
        self.assertEqual(wire.features_write(entries), h(v["encoded"]))
        self.assertEqual(wire.features_read(h(v["encoded"])), entries)
        for x in v["refused"]:
            with self.assertRaises(Refused, msg=x["why"]):
                wire.features_read(h(x["encoded"]))


class Handshakes(unittest.TestCase):
    def test_every_value_on_the_way(self):
        for v in load("handshake.json")["handshakes"]:
            with self.subTest(v["name"]):
                nobody = v["encapsulated_to"] == "nobody"
                a, b, m = play(v, upto="M4" if nobody else None)
                for name, got in m.items():
                    self.assertEqual(got, h(v[name]), name)
                pairs = {"fpr_a": a.me.fpr, "fpr_b": b.me.fpr, "MB": b.me.mb, "EA": a.ea, "mac": a.mac, "ZA": b.za,
                         "EB": b.eb, "x25519": a.shared, "ck1": a.ck1, "key_m2": a.key_m2, "key_m3": a.key_m3,
                         "key_m4a": a.key_m4a, "XB": b.xb, "ZB": b.zb, "ck2": b.ck2, "key_m4": b.key_m4,
                         "key_m5": b.key_m5, "h1": a.h1, "h2": a.h2, "h3": a.h3, "h4": a.h4, "h5": b.h5, "h6": b.h6,
                         "day": struct.pack(">Q", b.day)}
                for name, got in pairs.items():
                    self.assertEqual(got, h(v[name]), name)
                if nobody:
                    with self.assertRaises(Refused):
                        a.read_m4(m["M4"])
                    continue
                self.assertEqual(vars(a.keys), vars(b.keys))
                self.assertEqual((a.peer_features, b.peer_features), (h(v["features_b"]), h(v["features_a"])))
                for name, got in (("h7", a.h7), ("K_AB", a.keys.ab), ("K_BA", a.keys.ba), ("V_AB", a.keys.voice_ab),
                                  ("V_BA", a.keys.voice_ba), ("RK", a.keys.rk)):
                    self.assertEqual(got, h(v[name]), name)

    def test_every_refusal(self):
        handshakes = {v["name"]: v for v in load("handshake.json")["handshakes"]}
        for x in load("handshake-refused.json")["refused"]:
            with self.subTest(x["why"]):
                v = handshakes[x["handshake"]]
                if x["step"] == "M5" and v["encapsulated_to"] == "nobody":
                    a, b, _ = play(v, upto="M4")  # such a caller never gets to an M5 of its own
                else:
                    a, b, _ = play(v, upto=x["step"], unix_time=x["unix_time"])
                message = h(x["message"])
                if x["already_in_replay_cache"]:
                    b.seen.add(message[-32:])
                reader = a if x["refused_by"] == "caller" else b
                with self.assertRaises(Refused):
                    getattr(reader, "read_" + x["step"].lower())(message)


class Records(unittest.TestCase):
    def test_records_and_ratchet(self):
        v = load("records.json")
        hs = {x["name"]: x for x in load("handshake.json")["handshakes"]}[v["handshake"]]
        for direction, start in (("caller to callee", hs["K_AB"]), ("callee to caller", hs["K_BA"])):
            wanted = {r["index"]: r for r in v["records"] if r["direction"] == direction}
            sender, receiver = wire.Direction(h(start)), wire.Direction(h(start))
            for i in range(1002):
                if i not in wanted:
                    sender.step()
                    receiver.step()
                    continue
                r = wanted[i]
                self.assertEqual((sender.key, sender.counter), (h(r["key"]), r["counter"]))
                record = sender.seal_chunk(r["chunk_id"], h(r["chunk_data"]))
                self.assertEqual(record, h(r["record"]))
                self.assertEqual(receiver.open_head(record[:18]), r["body_length"])
                self.assertEqual(wire.chunk_read(receiver.open_body(record[18:])), (r["chunk_id"], h(r["chunk_data"])))
        for r in v["ratchet"]:
            d = wire.Direction(h(r["K"]))
            for _ in range(1000):
                d.step()
            self.assertEqual(d.key, h(r["K_after_1000"]))
            for _ in range(1000):
                d.step()
            self.assertEqual(d.key, h(r["K_after_2000"]))

    def test_padding(self):
        for chunk_len, body_len in load("records.json")["padded_length"]:
            self.assertEqual(wire.padded_len(chunk_len), body_len, chunk_len)

    def test_refused(self):
        for r in load("records.json")["refused"]:
            d = wire.Direction(h(r["key"]))
            d.counter = r["counter"]
            with self.assertRaises(Refused, msg=r["why"]):
                d.open_head(h(r["record"])[:18])
                wire.chunk_read(d.open_body(h(r["record"])[18:]))

    def test_chunks(self):
        v = load("chunks.json")
        for x in v["chunks"]:
            self.assertEqual(wire.chunk(x["id"], h(x["data"])), h(x["chunk"]))
            self.assertEqual(wire.chunk_read(h(x["chunk"])), (x["id"], h(x["data"])))
        t = v["text"]
        self.assertEqual(wire.text(h(t["message_id"]), t["time_ms"], h(t["utf8"])), h(t["data"]))
        self.assertEqual(wire.text_read(h(t["data"])), (h(t["message_id"]), t["time_ms"], h(t["utf8"]).decode()))
        for x in v["refused"]:
            data = h(x["data"])
            if x["id"] == ord("t"):
                with self.assertRaises(ValueError, msg=x["why"]) as caught:
                    wire.text_read(data)
                self.assertEqual(caught.exception.args[0], data[:16])
            elif x["id"] == ord("a"):
                with self.assertRaises(Refused, msg=x["why"]):
                    wire.ids_read(data)


class Rekeys(unittest.TestCase):
    def test_two_rounds(self):
        v = load("rekey.json")
        hs = {x["name"]: x for x in load("handshake.json")["handshakes"]}[v["handshake"]]
        caller, callee, psk = key(hs["caller"]), key(hs["callee"]), h(hs["psk"])
        keys = wire.SessionKeys(h(hs["ck2"]), h(hs["h7"]))
        ab, ba = wire.Direction(keys.ab), wire.Direction(keys.ba)
        for r in v["rounds"]:
            self.assertEqual((ab.counter, ba.counter), (r["counters_before"]["K_AB"], r["counters_before"]["K_BA"]))
            one = wire.RekeyHalf(callee, Fixed(h(r["ea_scalar"]), r["z_a"], r["r_a"]))
            two = wire.RekeyHalf(caller, Fixed(h(r["eb_scalar"]), r["z_b"], r["r_b"]))
            self.assertEqual((one.data, two.data), (h(r["R1_data"]), h(r["R2_data"])))
            self.assertEqual(ab.seal_chunk(ord("r"), one.data), h(r["R1_record"]))
            self.assertEqual(ba.seal_chunk(ord("r"), two.data), h(r["R2_record"]))
            self.assertEqual(ab.seal_chunk(ord("r"), b""), h(r["R3_record"]))
            za, zb = callee.decapsulate(one.data[32:]), caller.decapsulate(two.data[32:])
            self.assertEqual((za, zb), (h(r["ZA"]), h(r["ZB"])))
            shared = wire.x25519(one.scalar, two.data[:32])
            self.assertEqual(shared, wire.x25519(two.scalar, one.data[:32]))
            keys = wire.rekeyed(keys, psk, one.data, two.data, shared, za, zb)
            self.assertEqual((keys.hash, keys.chain), (h(r["hash"]), h(r["RK_prime"])))
            after = r["after"]
            self.assertEqual((keys.ab, keys.ba, keys.voice_ab, keys.voice_ba, keys.rk),
                             tuple(h(after[x]) for x in ("K_AB", "K_BA", "V_AB", "V_BA", "RK")))
            ab, ba = wire.Direction(keys.ab), wire.Direction(keys.ba)
            for d, name in ((ba, "first_record_callee_to_caller"), (ab, "first_record_caller_to_callee")):
                first = r[name]
                self.assertEqual(d.seal_chunk(first["chunk_id"], h(first["chunk_data"])), h(first["record"]))


class VoiceDatagrams(unittest.TestCase):
    def test_frames_and_datagrams(self):
        v = load("voice.json")
        keys = {x["name"]: x for x in load("handshake.json")["handshakes"]}[v["handshake"]]
        for d in v["datagrams"]:
            self.assertEqual(d["key"], keys["V_AB" if d["direction"] == "caller to callee" else "V_BA"])
            plain = wire_voice.frame(v["frame_size"], d["timestamp"], h(d["opus"]), d["flags"])
            self.assertEqual(plain, h(d["frame"]))
            sealed = wire_voice.seal(h(d["key"]), number(d["receiver_id"]), number(d["counter"]), plain)
            self.assertEqual(sealed, h(d["datagram"]))
            opened = wire_voice.unseal(h(d["key"]), number(d["receiver_id"]), wire_voice.Window(), v["frame_size"], sealed)
            self.assertEqual(wire_voice.frame_read(opened), (d["timestamp"], d["flags"], h(d["opus"])))

    def test_window(self):
        window = wire_voice.Window()
        for counter, taken in load("voice.json")["replay"]["sequence"]:
            self.assertEqual(window.check(number(counter)), taken, counter)
            if taken:
                window.mark(number(counter))

    def test_refused(self):
        v = load("voice.json")
        for r in v["refused"]:
            with self.assertRaises(Refused, msg=r["why"]):
                wire_voice.unseal(h(r["key"]), number(r["receiver_id"]), wire_voice.Window(), v["frame_size"], h(r["datagram"]))

    def test_call_chunks(self):
        self.assertEqual(wire_voice.read(wire_voice.offer(7, 100)), (wire_voice.OFFER, {"receiver_id": 7, "frame_size": 100}))
        self.assertEqual(wire_voice.read(b"\x07\x01\x00\x02\x00\x03"), (wire_voice.REPORT, {"loss_256": 1, "jitter_ms": 2, "delay_ms": 3}))
        for data in (b"", b"\x08", b"\x02\x00", b"\x03" + bytes(4), b"\x01abcd\x00\x1f", b"\x06\x02"):
            with self.assertRaises(Refused):
                wire_voice.read(data)


if __name__ == "__main__":
    unittest.main()
