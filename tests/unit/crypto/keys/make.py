#!/usr/bin/env python3
"""Makes the key files of this folder again: what the openssl command writes, and what was bent by hand. The keys are for
these tests alone. Run in this folder; needs the openssl command."""
import base64
import subprocess

PASS = "correct horse"


def run(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, check=True, capture_output=True).stdout


def write(name, data):
    with open(name + ".pem", "wb") as f:
        f.write(data)


def der(pem):
    return base64.b64decode(b"".join(line for line in pem.splitlines() if b"-" not in line))


def pem(label, data):
    text = base64.b64encode(data)
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label, b"\n".join(lines), label)


def bend(data, old, new):
    assert data.count(old) == 1 and len(old) == len(new), (data.count(old), old)
    return data.replace(old, new)


def rsa(bits, *more):
    return run("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:%d" % bits, *more)


plain = rsa(1024)
write("plain", plain)
write("traditional", run("rsa", "-traditional", data=plain))
write("traditional-aes", run("rsa", "-traditional", "-aes256", "-passout", "pass:" + PASS, data=plain))
write("traditional-des", run("rsa", "-traditional", "-des", "-provider", "legacy", "-provider", "default",
                             "-passout", "pass:" + PASS, data=plain))


def topk8(*args):
    return run("pkcs8", "-topk8", "-passout", "pass:" + PASS, *args, data=plain)


scrypt = topk8("-scrypt")
pbkdf2 = topk8("-v2", "aes-256-cbc", "-iter", "2048")
write("scrypt", scrypt)
write("pbkdf2", pbkdf2)
write("pbkdf2-most", topk8("-v2", "aes-256-cbc", "-iter", "1000000"))
write("pbkdf2-one-more", topk8("-v2", "aes-256-cbc", "-iter", "1000001"))
write("pbkdf2-3des-sha1", topk8("-v2", "des3", "-v2prf", "hmacWithSHA1", "-iter", "2048"))
write("pbes1", topk8("-v1", "PBE-SHA1-3DES"))
write("camellia", topk8("-v2", "camellia-256-cbc", "-iter", "1"))

s, p = der(scrypt), der(pbkdf2)
COST = bytes.fromhex("02024000" "020108" "020101")  # N = 16384, r = 8, p = 1
ENC = b"ENCRYPTED PRIVATE KEY"


def bad_scrypt(name, hexa):
    write(name, pem(ENC, bend(s, COST, bytes.fromhex(hexa))))


bad_scrypt("scrypt-absurd-r", "02024000" "02017f" "020103")
bad_scrypt("scrypt-absurd-p", "02024000" "020108" "02017f")
bad_scrypt("scrypt-absurd-memory", "02024000" "02017f" "020102")
bad_scrypt("scrypt-zero-r", "02024000" "020100" "020101")
bad_scrypt("scrypt-odd-n", "02024001" "020108" "020101")
bad_scrypt("scrypt-negative-n", "0202c000" "020108" "020101")
ROUNDS = bytes.fromhex("02020800")
write("pbkdf2-negative", pem(ENC, bend(p, ROUNDS, bytes.fromhex("0202f800"))))
write("pbkdf2-zero", pem(ENC, bend(p, ROUNDS, bytes.fromhex("02020000"))))
# 16,777,215 needs one byte more: the salt (OCTET STRING of 8) gives one of its own
salt = p.index(ROUNDS) - 10
assert p[salt : salt + 2] == b"\x04\x08"
more = p[:salt] + b"\x04\x06" + p[salt + 2 : salt + 8] + bytes.fromhex("020400ffffff") + p[salt + 14 :]
assert len(more) == len(p)
write("pbkdf2-absurd", pem(ENC, more))
write("kdf-unknown", pem(ENC, bend(p, bytes.fromhex("2a864886f70d01050c"), bytes.fromhex("2a864886f70d01057f"))))

write("ec", run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
write("ec-public", run("pkey", "-pubout", data=open("ec.pem", "rb").read()))
write("pss", run("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024"))
write("pss-public", run("pkey", "-pubout", data=open("pss.pem", "rb").read()))
write("short-512", rsa(512))
write("short-1023", rsa(1023))
write("long-4098", rsa(4098))
write("three-primes", rsa(1024, "-pkeyopt", "rsa_keygen_primes:3"))
write("small-e", rsa(1024, "-pkeyopt", "rsa_keygen_pubexp:3"))

# one private number bent at a time: n e d p q dP dQ qInv are the integers after the version
inner = der(plain)


def integers(data, at):
    found = []
    while at < len(data):
        assert data[at] == 2
        n, head = data[at + 1], 2
        if n & 0x80:
            head += n & 0x7F
            n = int.from_bytes(data[at + 2 : at + head], "big")
        found.append((at + head, n))
        at += head + n
    return found


seq = inner.index(bytes.fromhex("02010002818100"))  # version 0, then n
for name, (at, n) in zip("n e d p q dp dq qinv".split(), integers(inner, seq)[1:]):
    bent = bytearray(inner)
    bent[at + n // 2] ^= 0x10
    write("bent-" + name, pem(b"PRIVATE KEY", bytes(bent)))

public = run("pkey", "-pubout", data=plain)
spki = der(public)
write("plain-public", public)
NULL = bytes.fromhex("06092a864886f70d0101010500")
at = spki.index(NULL)
no_null = spki[:at] + NULL[:-2] + spki[at + len(NULL) :]
no_null = no_null[:2] + bytes([no_null[2] - 2]) + no_null[3:]
no_null = no_null.replace(bytes.fromhex("300d0609"), bytes.fromhex("300b0609"), 1)
write("public-no-null", pem(b"PUBLIC KEY", no_null))
write("public-odd-parameters", pem(b"PUBLIC KEY", spki.replace(NULL, NULL[:-2] + bytes.fromhex("0400"))))
write("public-trailing", pem(b"PUBLIC KEY", spki + b"\0"))
