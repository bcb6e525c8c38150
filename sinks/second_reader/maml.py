"""A second reader of MAML records, written from FORMAT.md alone.

    python3 maml.py RECORD... [--key-file F] [--reader-seed F] [--passphrase-file F] [--trust SIGNER]...

Prints one JSON object for each, on a line of its own. It shares no code with the program and none of its libraries: the ciphers and
signatures are those of `cryptography` (OpenSSL). It reads a whole record into memory. Proofs of one frame: `proof.py`.
"""

import argparse
import base64
import hashlib
import hmac
import json
import struct
from collections import namedtuple

import zstandard
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MARKER = b"<!-- maml-records v1: binary follows -->\n"
SUITES = {1: ("edge-256", 32, 12), 2: ("core-512", 64, 16)}
SEGMENT, FRAME, META, CHECKPOINT, INDEX, END = 1, 2, 3, 4, 5, 14
FLAGS = {SEGMENT: 0, FRAME: 3, META: 1, CHECKPOINT: 0, INDEX: 1, END: 0}
MAX_HEAD, MAX_BODY, MAX_RAW, MAX_FRAME = 1 << 20, 16 << 20, 16_777_196, 1 << 28

Header = namedtuple("Header", "kind flags length segment seq time idx")
Fence = namedtuple("Fence", "info begin inner inner_end end")


class Status(Exception):
    """What a record is found to be, where it is not SEALED."""


def must(holds, status):
    if not holds:
        raise Status(status)


def hkdf(key, info, length):
    return HKDF(hashes.SHA512(), length, salt=None, info=info).derive(key)


def verified(key, signature, message, context):
    try:
        key.verify(signature, message, context)
        return True
    except (InvalidSignature, ValueError):
        return False


def crc32c(data):
    """Castagnoli's, bit by bit: polynomial 0x1EDC6F41, reflected."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


# The document -------------------------------------------------------------------------------------


def fence(text, info):
    """The one closed fence of this name."""
    found, offset, opened = [], 0, None
    for line in text.splitlines(keepends=True):
        begin, offset = offset, offset + len(line)
        ticks = len(line) - len(line.lstrip(b"`"))
        rest = line[ticks:].strip()
        if opened and ticks >= opened[0] and not rest:
            found.append(Fence(*opened[1:], begin, offset))
            opened = None
        elif not opened and ticks >= 3:
            opened = (ticks, rest, begin, offset)
    found = [one for one in found if one.info == info]
    must(len(found) == 1, f"BAD-HEAD({len(found)} blocks {info.decode()})")
    return found[0]


def stanzas(text):
    """Words and body of each."""
    found, lines = [], text.decode().split("\n")
    must(lines.pop() == "", "BAD-HEAD(a fence does not end with a line)")
    while lines:
        words, body, line = lines.pop(0), "", " " * 64
        must(words.startswith("-> ") and len(found) < 64, "BAD-HEAD(no stanza, or too many)")
        while len(line) == 64:
            must(lines and len(lines[0]) <= 64 and len(body) <= 8192 * 4 // 3, "BAD-HEAD(a stanza is cut, wide or long)")
            line = lines.pop(0)
            body += line
        try:
            decoded = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
        except ValueError as error:
            raise Status(f"BAD-HEAD({error})") from None
        must(base64.b64encode(decoded).decode().rstrip("=") == body, "BAD-HEAD(a stanza's base64 is not canonical)")
        found.append((words[3:].split(" "), decoded))
    return found


class Head:
    """What HEAD and PRE, or a proof, say of a file."""

    def __init__(self, suite, file_id, document_hash, signers, recipients, flags=0):
        self.suite, self.file_id, self.recipients, self.hides_times = suite, file_id, recipients, flags == 1
        self.name, self.key_len, self.nonce_len = SUITES[suite]
        self.leaf = bytes([1, suite, flags]) + file_id + document_hash
        named = stanzas(signers)
        words = [["device", "ml-dsa-65"], ["file", "ml-dsa-44"], ["certificate", "ml-dsa-65"]]
        must([stanza[0] for stanza in named] == words, "BAD-HEAD(the signers are not device, file and certificate)")
        self.device, self.file, self.certificate = (body for _, body in named)
        self.signer = hashlib.sha256(self.device).hexdigest()
        self.origin = "beluga/" + file_id.hex()

    def signers_hold(self):
        try:
            self.device_key = mldsa.MLDSA65PublicKey.from_public_bytes(self.device)
            self.file_key = mldsa.MLDSA44PublicKey.from_public_bytes(self.file)
        except ValueError:
            return False
        return verified(self.device_key, self.certificate, self.file_id + self.file, b"maml/1 certificate")

    def note(self, note, leaves, root):
        """Whether these bytes are this file's note over this tree."""
        text = f"{self.origin}\n{leaves}\n{base64.b64encode(root).decode()}\n\n— {self.origin} ".encode()
        if not (note.startswith(text) and note.endswith(b"\n") and len(note) <= 8192):
            return False
        try:
            blob = base64.b64decode(note[len(text) : -1], validate=True)
        except ValueError:
            return False
        name = self.origin.encode()
        key_id = hashlib.sha256(name + b"\n\x06" + self.file).digest()[:4]
        size, time = bytes([len(name)]), blob[4:12]
        message = b"subtree/v1\n\0" + size + name + time + size + name + bytes(8) + struct.pack(">Q", leaves) + root
        return blob[:4] == key_id and verified(self.file_key, blob[12:], message, b"")

    def unlock(self, keys):
        """The file key, from the first stanza that one of the keys opens."""
        listed = stanzas(self.recipients)
        alone = len(listed) == 1 or all(words[0] != "argon2id" for words, _ in listed)
        must(alone, "BAD-HEAD(a passphrase beside other readers)")
        for words, body in listed:
            key, length = None, {"xwing": 1120, "keyfile": 32, "argon2id": 16}.get(words[0], 0)
            public, wrapped = body[:length], body[length:]
            if words == ["xwing", "draft-06", keys.reader_id] and wrapped:
                key = xwing(keys.reader, public)
            elif words == ["keyfile", keys.key_file and hkdf(keys.key_file, b"maml/1 keyfile id", 8).hex()]:
                key = keys.key_file
            elif words[0] == "argon2id" and keys.passphrase:
                key = stretched(words, keys.passphrase, public)
            if key and len(wrapped) == self.key_len + 16:
                label = b"maml/1 " + words[0].encode()
                try:
                    key = hkdf(key, label + self.file_id + public, 32)
                    return AESGCM(key).decrypt(bytes(12), wrapped, label + self.file_id)
                except InvalidTag:
                    pass
        return None

    def segment(self, file_key, number, salt):
        """Key, base nonce and commitment of a segment."""
        for _ in range(number):
            file_key = hkdf(file_key, b"maml/1 next", self.key_len)
        info = b"maml/1 segment" + bytes([self.suite]) + self.file_id + salt + struct.pack("<I", number)
        secret = hkdf(file_key, info, self.key_len + self.nonce_len + 32)
        return secret[: self.key_len], secret[self.key_len : -32], secret[-32:]

    def payload(self, raw, header, body, key, base_nonce):
        """What an encrypted record holds; nothing if it does not authenticate."""
        nonce = base_nonce[:-4] + struct.pack(">I", struct.unpack(">I", base_nonce[-4:])[0] ^ header.idx)
        associated = b"maml/1" + bytes([self.suite]) + self.file_id + raw
        try:
            if self.suite == 1:
                plain = AESGCM(key).decrypt(nonce, body, associated)
            else:
                plain = AESSIV(key).decrypt(body, [associated, nonce])
            (raw_len,) = struct.unpack("<I", plain[:4])
            if raw_len > MAX_RAW:
                return None
            content = plain[4:]
            if header.flags & 1:
                # The first frame; one that holds nothing but padding may follow.
                content = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj().decompress(content)
        except (InvalidTag, ValueError, struct.error, zstandard.ZstdError):
            return None
        return content if len(content) == raw_len else None


def xwing(key, enc):
    post_quantum, classical = key
    peer = x25519.X25519PublicKey.from_public_bytes(enc[1088:])
    joined = post_quantum.decapsulate(enc[:1088]) + classical.exchange(peer)
    joined += enc[1088:] + classical.public_key().public_bytes_raw() + bytes.fromhex("5c2e2f2f5e5c")
    return hashlib.sha3_256(joined).digest()


def stretched(words, passphrase, salt):
    try:
        m, t, p = (int(part.removeprefix(name)) for part, name in zip(words[1].split(","), ["m=", "t=", "p="]))
    except (IndexError, ValueError):
        raise Status("BAD-HEAD(an argon2id stanza without its numbers)") from None
    allowed = 1 <= m <= 1 << 20 and 1 <= t <= 10 and 1 <= p <= 16 and m >= 8 * p and len(salt) == 16
    must(allowed and words[1:] == [f"m={m},t={t},p={p}"], "BAD-HEAD(an argon2id stanza asks for too much)")
    return Argon2id(salt=salt, length=32, iterations=t, lanes=p, memory_cost=m).derive(passphrase)


def read_head(data):
    """(Head, HEAD, PRE)."""
    end = 0 if data.startswith(MARKER) else data.find(b"\n" + MARKER, 0, MAX_HEAD) + 1
    must(end or data.startswith(MARKER), "BAD-HEAD(no marker)")
    text, pre = data[: end + len(MARKER)], data[end + len(MARKER) :][:100]
    must(len(text) <= MAX_HEAD, "BAD-HEAD(no marker)")
    known = len(pre) == 100 and pre[:10] == b"\x89MAML\r\n\x1a\n\1" and pre[10] in SUITES and pre[11] <= 1
    must(known and not any(pre[12:16]), "BAD-HEAD(PRE is not of this version)")
    must(struct.unpack("<I", pre[16:20])[0] == len(text), "BAD-HEAD(length of HEAD)")
    try:
        text.decode()
    except UnicodeDecodeError:
        raise Status("BAD-HEAD(not UTF-8)") from None
    readers, signers = fence(text, b"maml-recipients"), fence(text, b"maml-signers")
    inner = lambda one: text[one.inner : one.inner_end]
    document_hash = hashlib.sha256(text[: readers.begin] + text[readers.end :]).digest()
    must(document_hash == pre[20:52], "BAD-HEAD(document hash)")
    return Head(pre[10], pre[52:68], document_hash, inner(signers), inner(readers), pre[11]), text, pre


# Records ------------------------------------------------------------------------------------------


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    def __init__(self, first):
        self.size, self.edge = 0, []
        self.push(first)

    def push(self, leaf):
        size, hashed = self.size, leaf_hash(leaf)
        while size & 1:
            hashed, size = node(self.edge.pop(), hashed), size >> 1
        self.edge.append(hashed)
        self.size += 1

    def root(self):
        root = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            root = node(left, root)
        return root


def header_of(raw):
    """The header in 40 bytes, if they are one."""
    if len(raw) < 40 or raw[:4] != b"\xb5RML" or raw[6] != 1 or raw[7]:
        return None
    *fields, crc = struct.unpack("<IIQqII", raw[8:])
    header = Header(raw[4], raw[5], *fields)
    known = header.kind >= 0x80 or (header.kind in FLAGS and not header.flags & ~FLAGS[header.kind])
    return header if known and crc == crc32c(raw[:36]) and header.length <= MAX_BODY else None


class Record:
    """One pass over a record in memory, with the file key if there is one."""

    def __init__(self, data, head, begin, file_key):
        self.data, self.head, self.begin, self.file_key = data, head, begin, file_key
        self.tree = Tree(head.leaf)
        self.at, self.records, self.frames, self.segments, self.times = begin, 0, 0, 0, []
        self.segment, self.idx, self.continues, self.begun, self.index_at = None, 0, None, None, None
        self.index, self.key, self.parts, self.pending = [], None, b"", []
        # What a signature covers; and the first record that only decrypting tells to be wrong.
        self.good = {"records": 0, "frames": 0, "leaves": None, "root": None, "at": begin, "opened": []}
        self.wrong_inside = None

    def sign(self, note):
        must(self.head.signers_hold(), "BAD-HEAD(certificate)")
        holds = self.head.note(note, self.tree.size, self.tree.root())
        must(holds, f"TAMPER(seq {self.good['records']})")

    def keep(self, leaves, root):
        opened, self.pending = self.good["opened"] + self.pending, []
        self.good = {"records": self.records, "frames": self.frames, "leaves": leaves, "root": root.hex(), "at": self.at, "opened": opened}

    def run(self):
        """Until the end, or what there is instead."""
        while True:
            rest = self.data[self.at :]
            torn = f"TORN({self.at - self.good['at'] + len(rest)} bytes)"
            must(rest, "UNSEALED" if self.at == self.good["at"] else torn)
            raw, header = rest[:40], header_of(rest[:40])
            must(header or (len(rest) >= 40 and any(rest)), torn)
            must(header, f"CORRUPT(offset {self.at})")
            must(len(rest) >= 40 + header.length, torn)
            body = rest[40 : 40 + header.length]
            encrypted, wrong = header.kind in (FRAME, META, INDEX), f"TAMPER(seq {self.records})"
            next_segment = 0 if self.segment is None else self.segment + 1
            must(
                header.seq == self.records
                and header.segment == (next_segment if header.kind == SEGMENT else self.segment)
                and (header.kind >= 0x80 or header.idx == (self.idx if encrypted else 0))
                and (self.continues is None or (header.kind == FRAME and header.time == self.continues))
                and (header.kind == END) == (self.index_at is not None),
                wrong,
            )
            if header.kind == END:
                return self.end(raw, body, wrong)
            self.record(raw, header, body, wrong)

    def record(self, raw, header, body, wrong):
        leaves, root = self.tree.size, self.tree.root()
        if header.kind == SEGMENT:
            must(len(body) == 96 and body[64:] == root, wrong)
            self.segment, self.idx, self.begun = header.segment, 0, (header.seq, self.at - self.begin)
            self.segments += 1
            if self.file_key:
                *self.key, commit = self.head.segment(self.file_key, self.segment, body[:32])
                self.inside(commit == body[32:64], header.seq)
        elif header.kind == CHECKPOINT:
            self.sign(body)
        elif header.kind == FRAME:
            if self.begun:
                self.index.append((header.segment, self.begun[0], header.time, self.begun[1]))
                self.begun = None
            self.continues = header.time if header.flags & 2 else None
            if not header.flags & 2:
                self.frames += 1
                self.times.append(header.time)
        elif header.kind == INDEX:
            self.index_at = self.at - self.begin
        if header.kind in (FRAME, META, INDEX):
            if self.file_key and self.wrong_inside is None:
                payload = self.head.payload(raw, header, body, *self.key)
                self.inside(payload is not None and self.opened(header, payload), header.seq)
            self.idx += 1
        self.tree.push(raw + body)
        self.at += 40 + len(body)
        self.records += 1
        if header.kind == CHECKPOINT:
            self.keep(leaves, root)

    def inside(self, holds, seq):
        """What only the key tells: what is encrypted is given out until there."""
        if not holds and self.wrong_inside is None:
            self.wrong_inside = seq

    def opened(self, header, payload):
        """Takes a payload; whether it is what its record says."""
        if header.kind == INDEX:
            entries = b"".join(struct.pack("<IQqQ", *entry) for entry in self.index)
            return payload == struct.pack("<I", len(self.index)) + entries
        if header.kind == META:
            meta = meta_of(payload)
            self.pending += [("meta", meta)] if meta else []
            return meta is not None
        self.parts += payload
        if header.flags & 2 or len(self.parts) > MAX_FRAME + 8:
            return len(self.parts) <= MAX_FRAME + 8
        # A hidden time stands before the frame.
        frame, self.parts = self.parts[8 if self.head.hides_times else 0 :], b""
        self.pending.append(("frame", hashlib.sha256(frame).hexdigest()))
        return is_frame(frame) or self.pending.pop() is None

    def end(self, raw, body, wrong):
        must(len(body) >= 140, wrong)
        (note_len,) = struct.unpack("<I", body[136:140])
        must(note_len <= 8192 and len(body) == 140 + note_len + 3309, wrong)
        unsigned, seal, root = body[:-3309], body[-3309:], self.tree.root()
        self.sign(unsigned[140:])
        first, last = (min(self.times), max(self.times)) if self.times else (0, 0)
        counts = (self.records, self.frames, self.segments, 0, first, last, self.index_at, self.tree.size)
        must(body[:88] == struct.pack("<QQIIqqQQ", *counts) + root, wrong)
        must(verified(self.head.device_key, seal, self.head.leaf + raw + unsigned, b"maml/1 end"), wrong)
        self.keep(self.tree.size, root)
        end_at = self.at - self.begin
        foot = struct.pack("<QQQ", self.index_at, end_at, end_at + 40 + len(body))
        foot += struct.pack("<II", crc32c(foot), 0) + b"MAMLEND1"
        rest = self.data[self.at + 40 + len(body) :]
        must(rest, "UNSEALED")
        must(len(rest) >= 40, f"TORN({len(rest)} bytes)")
        must(rest == foot, f"CORRUPT(offset {self.at + 40 + len(body)})")


def is_frame(body):
    for _ in range(3):
        length = struct.unpack("<I", body[:4])[0] if len(body) >= 4 else len(body)
        if len(body) < 4 + length:
            return False
        body = body[4 + length :]
    return not body


def meta_of(payload):
    try:
        meta = json.loads(payload.decode())
    except ValueError:
        return None
    if not isinstance(meta, dict) or set(meta) != {"kind", "time_nanos", "value"} or len(payload) > 1 << 20:
        return None
    kind, letters = meta["kind"], set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    is_kind = isinstance(kind, str) and 1 <= len(kind) <= 64 and set(kind) <= letters
    return meta if is_kind and type(meta["time_nanos"]) is int else None


def unlocked(head, text, pre, keys):
    """The file key, and what stands against it."""
    try:
        file_key = head.unlock(keys)
    except Status as status:
        return None, str(status)
    if not file_key:
        return None, "NO-KEY"
    mac_key = hkdf(file_key, b"maml/1 head" + head.file_id, 32)
    holds = hmac.digest(mac_key, text + pre[:68], "sha256") == pre[68:]
    return (file_key, None) if holds else (None, "BAD-HEAD(header MAC)")


def check(data, keys):
    said = {"status": "SEALED", "frames": 0, "opened": [], "metas": []}
    try:
        head, text, pre = read_head(data)
    except Status as status:
        return said | {"status": str(status)}
    file_key, late = unlocked(head, text, pre, keys) if keys.any() else (None, None)
    record = Record(data, head, len(text) + 100, file_key)
    try:
        record.run()
    except Status as status:
        said["status"] = str(status)
    good, wrong = record.good, record.wrong_inside
    damaged = said["status"].startswith(("CORRUPT", "TAMPER", "BAD-HEAD"))
    if late and (late != "NO-KEY" or not damaged):
        said["status"] = late
    elif wrong is not None and not damaged and wrong < good["records"]:
        said["status"] = f"TAMPER(seq {wrong})"
    opened = lambda wanted: [what for kind, what in good["opened"] if kind == wanted]
    said.update(file_id=head.file_id.hex(), suite=head.name, signer=head.signer)
    said.update({name: good[name] for name in ["frames", "leaves", "root"]})
    said.update(opened=opened("frame"), metas=opened("meta"))
    said["trusted"] = good["leaves"] is not None and head.signer in keys.trust
    return said


class Keys:
    """What the arguments name."""

    def __init__(self, given):
        read = lambda path: open(path, "rb").read() if path else None
        self.key_file, seed, self.trust = read(given.key_file), read(given.reader_seed), set(given.trust)
        self.passphrase = given.passphrase_file and read(given.passphrase_file).split(b"\n")[0].rstrip(b"\r")
        self.reader = self.reader_id = None
        if seed:
            # One line: a label, a space, base64.
            seed = hashlib.shake_256(base64.b64decode(seed.split()[-1])).digest(96)
            classical = x25519.X25519PrivateKey.from_private_bytes(seed[64:])
            self.reader = mlkem.MLKEM768PrivateKey.from_seed_bytes(seed[:64]), classical
            public = b"".join(key.public_key().public_bytes_raw() for key in self.reader)
            self.reader_id = hkdf(public, b"maml/1 xwing id", 8).hex()

    def any(self):
        return bool(self.key_file or self.reader or self.passphrase)


def main(check):
    arguments = argparse.ArgumentParser()
    arguments.add_argument("files", nargs="+")
    for name in ["--key-file", "--reader-seed", "--passphrase-file"]:
        arguments.add_argument(name)
    arguments.add_argument("--trust", action="append", default=[])
    given = arguments.parse_args()
    keys = Keys(given)
    for name in given.files:
        with open(name, "rb") as file:
            print(json.dumps(check(file.read(), keys)))


if __name__ == "__main__":
    main(check)
