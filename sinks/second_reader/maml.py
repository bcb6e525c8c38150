"""A second reader of MAML records, written from FORMAT.md alone.

    python3 maml.py RECORD... [--key-file F] [--reader-seed F] [--passphrase-file F] [--trust SIGNER]...
    python3 maml.py --proof PROOF... [the same keys]

Prints one JSON object for each, on a line of its own. It shares no code with the program and none of its libraries: the ciphers and
signatures are those of `cryptography` (OpenSSL). It reads a whole record into memory.
"""

import argparse
import base64
import hashlib
import hmac
import json
import struct
import sys

import zstandard
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MARKER = b"<!-- maml-records v1: binary follows -->\n"
MAGIC = bytes.fromhex("894d414d4c0d0a1a0a")
SUITES = {1: ("edge-256", 32, 12), 2: ("core-512", 64, 16)}
SEGMENT, FRAME, META, CHECKPOINT, INDEX, END = 1, 2, 3, 4, 5, 14
FLAGS = {SEGMENT: 0, FRAME: 3, META: 1, CHECKPOINT: 0, INDEX: 1, END: 0}
MAX_HEAD, MAX_BODY, MAX_RAW, MAX_FRAME = 1 << 20, 16 << 20, 16_777_196, 1 << 28


class Status(Exception):
    """What a record is found to be, where it is not SEALED."""


def hkdf(key, info, length):
    return HKDF(hashes.SHA512(), length, salt=None, info=info).derive(key)


def verified(key, signature, message, context):
    try:
        key.verify(signature, message, context)
        return True
    except (InvalidSignature, ValueError):
        return False


# CRC-32C, bit by bit as a table: polynomial 0x1EDC6F41, reflected.
CRC = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    CRC.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


# The document -------------------------------------------------------------------------------------


def fences(text):
    """Each closed fence: (info, begin, inner begin, inner end, end)."""
    found, offset, opened = [], 0, None
    for line in text.splitlines(keepends=True):
        begin, offset = offset, offset + len(line)
        ticks = len(line) - len(line.lstrip(b"`"))
        rest = line[ticks:].strip()
        if opened and ticks >= opened[0] and not rest:
            found.append((opened[1], opened[2], opened[3], begin, offset))
            opened = None
        elif not opened and ticks >= 3:
            opened = (ticks, rest, begin, offset)
    return found


def only(text, info):
    matching = [fence for fence in fences(text) if fence[0] == info]
    if len(matching) != 1:
        raise Status(f"BAD-HEAD({len(matching)} blocks {info.decode()})")
    return matching[0]


def stanzas(text):
    found, lines = [], text.decode().split("\n")
    if lines.pop() != "":
        raise Status("BAD-HEAD(a fence does not end with a line)")
    while lines:
        words, body = lines.pop(0), ""
        if not words.startswith("-> ") or len(found) == 64:
            raise Status("BAD-HEAD(no stanza, or too many)")
        while True:
            if not lines or len(lines[0]) > 64 or len(body) > 8192 * 4 // 3:
                raise Status("BAD-HEAD(a stanza is cut, wide or long)")
            line = lines.pop(0)
            body += line
            if len(line) < 64:
                break
        try:
            decoded = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
        except ValueError as error:
            raise Status(f"BAD-HEAD({error})") from None
        if base64.b64encode(decoded).decode().rstrip("=") != body:
            raise Status("BAD-HEAD(a stanza's base64 is not canonical)")
        found.append((words[3:].split(" "), decoded))
    return found


class Head:
    """HEAD and PRE, or what is inside a proof."""

    def __init__(self, suite, file_id, document_hash, signers, recipients, flags=0):
        self.hides_times = flags == 1
        self.suite, self.file_id, self.document_hash = suite, file_id, document_hash
        self.name, self.key_len, self.nonce_len = SUITES[suite]
        self.recipients = recipients
        self.leaf = bytes([1, suite, flags]) + file_id + document_hash
        named = stanzas(signers)
        words = [["device", "ml-dsa-65"], ["file", "ml-dsa-44"], ["certificate", "ml-dsa-65"]]
        if [stanza[0] for stanza in named] != words:
            raise Status("BAD-HEAD(the signers are not device, file and certificate)")
        self.device, self.file, self.certificate = (body for _, body in named)
        self.signer = hashlib.sha256(self.device).hexdigest()
        self.origin = "beluga/" + file_id.hex()

    def signers_hold(self):
        try:
            self.device_key = mldsa.MLDSA65PublicKey.from_public_bytes(self.device)
            self.file_key = mldsa.MLDSA44PublicKey.from_public_bytes(self.file)
        except ValueError:
            return False
        message, context = self.file_id + self.file, b"maml/1 certificate"
        return verified(self.device_key, self.certificate, message, context)

    def note(self, note, leaves, root):
        """Whether these bytes are this file's note over this tree."""
        text = f"{self.origin}\n{leaves}\n{base64.b64encode(root).decode()}\n\n— {self.origin} "
        begin = text.encode()
        if not (note.startswith(begin) and note.endswith(b"\n") and len(note) <= 8192):
            return False
        try:
            blob = base64.b64decode(note[len(begin) : -1], validate=True)
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
        if len(listed) > 1 and any(words[0] == "argon2id" for words, _ in listed):
            raise Status("BAD-HEAD(a passphrase beside other readers)")
        for words, body in listed:
            key, label, wrapped = None, None, None
            if words == ["xwing", "draft-06", xwing_id(keys.reader_seed)] and len(body) > 1120:
                label, enc, wrapped = b"maml/1 xwing", body[:1120], body[1120:]
                key = hkdf(xwing(keys.reader_seed, enc), label + self.file_id + enc, 32)
            elif words == ["keyfile", keys.key_file and hkdf(keys.key_file, b"maml/1 keyfile id", 8).hex()]:
                label, salt, wrapped = b"maml/1 keyfile", body[:32], body[32:]
                key = hkdf(keys.key_file, label + self.file_id + salt, 32)
            elif words[0] == "argon2id" and keys.passphrase:
                label, salt, wrapped = b"maml/1 argon2id", body[:16], body[16:]
                key = hkdf(stretched(words, keys.passphrase, salt), label + self.file_id + salt, 32)
            if key and len(wrapped) == self.key_len + 16:
                try:
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

    def payload(self, header, idx, flags, body, key, base_nonce):
        """What an encrypted record holds; nothing if it does not authenticate."""
        last = struct.unpack(">I", base_nonce[-4:])[0] ^ idx
        nonce = base_nonce[:-4] + struct.pack(">I", last)
        associated = b"maml/1" + bytes([self.suite]) + self.file_id + header
        try:
            if self.suite == 1:
                plain = AESGCM(key).decrypt(nonce, body, associated)
            else:
                plain = AESSIV(key).decrypt(body, [associated, nonce])
        except (InvalidTag, ValueError):
            return None
        if len(plain) < 4:
            return None
        (raw_len,) = struct.unpack("<I", plain[:4])
        if raw_len > MAX_RAW:
            return None
        raw = plain[4:]
        if flags & 1:
            try:
                # The first frame; one that holds nothing but padding may follow.
                raw = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj().decompress(raw)
            except zstandard.ZstdError:
                return None
        return raw if len(raw) == raw_len else None


def xwing_keys(seed):
    expanded = hashlib.shake_256(seed).digest(96)
    post_quantum = mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    return post_quantum, x25519.X25519PrivateKey.from_private_bytes(expanded[64:])


def xwing_id(seed):
    if not seed:
        return None
    public = b"".join(key.public_key().public_bytes_raw() for key in xwing_keys(seed))
    return hkdf(public, b"maml/1 xwing id", 8).hex()


def xwing(seed, enc):
    post_quantum, classical = xwing_keys(seed)
    peer = x25519.X25519PublicKey.from_public_bytes(enc[1088:])
    joined = post_quantum.decapsulate(enc[:1088]) + classical.exchange(peer)
    joined += enc[1088:] + classical.public_key().public_bytes_raw() + bytes.fromhex("5c2e2f2f5e5c")
    return hashlib.sha3_256(joined).digest()


def stretched(words, passphrase, salt):
    try:
        m, t, p = (int(part.removeprefix(name)) for part, name in zip(words[1].split(","), ["m=", "t=", "p="]))
    except (IndexError, ValueError):
        raise Status("BAD-HEAD(an argon2id stanza without its numbers)") from None
    allowed = 1 <= m <= 1 << 20 and 1 <= t <= 10 and 1 <= p <= 16 and m >= 8 * p
    if words[1:] != [f"m={m},t={t},p={p}"] or not allowed or len(salt) < 16:
        raise Status("BAD-HEAD(an argon2id stanza asks for too much)")
    return Argon2id(salt=salt, length=32, iterations=t, lanes=p, memory_cost=m).derive(passphrase)


def read_head(data):
    """(Head, length of HEAD, PRE)."""
    offset = 0
    while True:
        end = data.find(b"\n", offset, MAX_HEAD) + 1
        if not end:
            raise Status("BAD-HEAD(no marker)")
        line, offset = data[offset:end], end
        if line == MARKER:
            break
    text, pre = data[:offset], data[offset : offset + 100]
    if len(pre) < 100 or pre[:9] != MAGIC or pre[9] != 1 or pre[10] not in SUITES or pre[11] > 1 or any(pre[12:16]):
        raise Status("BAD-HEAD(PRE is not of this version)")
    if struct.unpack("<I", pre[16:20])[0] != len(text):
        raise Status("BAD-HEAD(length of HEAD)")
    try:
        text.decode()
    except UnicodeDecodeError:
        raise Status("BAD-HEAD(not UTF-8)") from None
    readers = only(text, b"maml-recipients")
    if hashlib.sha256(text[: readers[1]] + text[readers[4] :]).digest() != pre[20:52]:
        raise Status("BAD-HEAD(document hash)")
    signers = only(text, b"maml-signers")
    recipients = text[readers[2] : readers[3]]
    return Head(pre[10], pre[52:68], pre[20:52], text[signers[2] : signers[3]], recipients, pre[11]), text, pre


# The tree -----------------------------------------------------------------------------------------


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    def __init__(self):
        self.size, self.edge = 0, []

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


def root_along(hashed, index, size, path):
    """RFC 9162, section 2.1.3.2."""
    if index >= size:
        return None
    last = size - 1
    for beside in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            hashed = node(beside, hashed)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            hashed = node(hashed, beside)
        index, last = index >> 1, last >> 1
    return hashed if last == 0 else None


# Records ------------------------------------------------------------------------------------------


def header_of(data):
    """(type, flags, body length, segment, seq, time, idx), or nothing."""
    if len(data) < 40 or data[:4] != b"\xb5RML" or data[6] != 1 or data[7]:
        return None
    kind, flags = data[4], data[5]
    length, segment, seq, time, idx, crc = struct.unpack("<IIQqII", data[8:40])
    known = kind >= 0x80 or (kind in FLAGS and not flags & ~FLAGS[kind])
    if not known or crc != crc32c(data[:36]) or length > MAX_BODY:
        return None
    return kind, flags, length, segment, seq, time, idx


class Record:
    """One pass over a record in memory, with the file key if there is one."""

    def __init__(self, data, head, begin, file_key):
        self.data, self.head, self.begin, self.file_key = data, head, begin, file_key
        self.tree = Tree()
        self.tree.push(head.leaf)
        self.at, self.records, self.frames, self.segments, self.times = begin, 0, 0, 0, []
        self.segment, self.idx, self.continues, self.begun, self.index_at = None, 0, None, None, None
        self.index, self.key, self.parts = [], None, b""
        self.pending, self.opened = [], []
        self.good = {"records": 0, "frames": 0, "leaves": None, "root": None, "at": begin}
        self.tampered_inside = None

    def tamper(self, seq):
        return Status(f"TAMPER(seq {seq})")

    def sign(self, note):
        if not self.head.signers_hold():
            raise Status("BAD-HEAD(certificate)")
        if not self.head.note(note, self.tree.size, self.tree.root()):
            raise self.tamper(self.good["records"])

    def keep(self, records, at, leaves, root):
        self.good = {"records": records, "frames": self.frames, "leaves": leaves, "root": root.hex(), "at": at}
        self.opened += self.pending
        self.pending = []

    def run(self):
        while True:
            rest = self.data[self.at :]
            if not rest:
                raise Status("UNSEALED" if self.at == self.good["at"] else self.torn(0))
            header = header_of(rest[:40])
            if not header:
                if len(rest) < 40 or not any(rest):
                    raise Status(self.torn(len(rest)))
                raise Status(f"CORRUPT(offset {self.at})")
            if len(rest) < 40 + header[2]:
                raise Status(self.torn(len(rest)))
            if self.record(rest[:40], header, rest[40 : 40 + header[2]]):
                return

    def torn(self, more):
        return f"TORN({self.at - self.good['at'] + more} bytes)"

    def record(self, raw, header, body):
        kind, flags, _, segment, seq, time, idx = header
        encrypted = kind in (FRAME, META, INDEX)
        expected = self.segment
        if kind == SEGMENT:
            expected = 0 if self.segment is None else self.segment + 1
        in_order = (
            seq == self.records
            and segment == expected
            and (kind >= 0x80 or idx == (self.idx if encrypted else 0))
            and (self.continues is None or (kind == FRAME and time == self.continues))
            and (self.index_at is None or kind == END)
        )
        if kind == END:
            return self.end(raw, body, in_order)
        if not in_order:
            raise self.tamper(self.records)
        root = self.tree.root()
        if kind == SEGMENT:
            if len(body) != 96 or body[64:] != root:
                raise self.tamper(self.records)
            self.segment, self.idx, self.begun = segment, 0, (seq, self.at - self.begin)
            self.segments += 1
            self.begin_segment(seq, body)
        elif kind == CHECKPOINT:
            self.sign(body)
        elif kind == FRAME:
            if self.begun:
                self.index.append((segment, self.begun[0], time, self.begun[1]))
                self.begun = None
            self.continues = time if flags & 2 else None
            if not flags & 2:
                self.frames += 1
                self.times.append(time)
        elif kind == INDEX:
            self.index_at = self.at - self.begin
        if encrypted:
            self.open(raw, header, body)
            self.idx += 1
        leaves = self.tree.size
        self.tree.push(raw + body)
        self.at += 40 + len(body)
        self.records += 1
        if kind == CHECKPOINT:
            self.keep(self.records, self.at, leaves, root)
        return False

    def begin_segment(self, seq, body):
        if not self.file_key:
            return
        key, nonce, commit = self.head.segment(self.file_key, self.segment, body[:32])
        self.key = (key, nonce)
        if commit != body[32:64]:
            self.key = None
            self.inside(seq)

    def inside(self, seq):
        """Something that only the key tells: frames are given out until there."""
        if self.tampered_inside is None:
            self.tampered_inside = seq

    def open(self, raw, header, body):
        kind, flags, _, _, seq, time, idx = header
        if not self.file_key or self.tampered_inside is not None:
            return
        payload = self.key and self.head.payload(raw, idx, flags, body, *self.key)
        if payload is None:
            return self.inside(seq)
        if kind == INDEX:
            entries = b"".join(struct.pack("<IQqQ", *entry) for entry in self.index)
            if payload != struct.pack("<I", len(self.index)) + entries:
                self.inside(seq)
        elif kind == META:
            meta = meta_of(payload)
            if meta is None:
                return self.inside(seq)
            self.pending.append(("meta", meta))
        else:
            self.parts += payload
            if len(self.parts) > MAX_FRAME + 8:
                return self.inside(seq)
            if not flags & 2:
                # A hidden time stands before the frame.
                frame, self.parts = self.parts[8 if self.head.hides_times else 0 :], b""
                if not is_frame(frame):
                    return self.inside(seq)
                self.pending.append(("frame", hashlib.sha256(frame).hexdigest()))

    def end(self, raw, body, in_order):
        wrong = self.tamper(self.records)
        if len(body) < 140:
            raise wrong
        (note_len,) = struct.unpack("<I", body[136:140])
        if note_len > 8192 or len(body) != 140 + note_len + 3309 or not in_order or self.index_at is None:
            raise wrong
        root = self.tree.root()
        note, unsigned, seal = body[140 : 140 + note_len], body[:-3309], body[-3309:]
        self.sign(note)
        first, last = (min(self.times), max(self.times)) if self.times else (0, 0)
        counts = struct.pack("<QQIIqqQQ", self.records, self.frames, self.segments, 0, first, last, self.index_at, self.tree.size)
        if body[:88] != counts + root:
            raise wrong
        if not verified(self.head.device_key, seal, self.head.leaf + raw + unsigned, b"maml/1 end"):
            raise wrong
        self.keep(self.records, self.at, self.tree.size, root)
        end_at, total = self.at - self.begin, self.at - self.begin + 40 + len(body)
        foot = struct.pack("<QQQ", self.index_at, end_at, total)
        foot += struct.pack("<II", crc32c(foot), 0) + b"MAMLEND1"
        rest = self.data[self.begin + total :]
        if rest == foot:
            return True
        if not rest:
            raise Status("UNSEALED")
        if len(rest) < 40:
            raise Status(f"TORN({len(rest)} bytes)")
        raise Status(f"CORRUPT(offset {self.begin + total})")


def is_frame(body):
    for _ in range(3):
        if len(body) < 4:
            return False
        (length,) = struct.unpack("<I", body[:4])
        if len(body) < 4 + length:
            return False
        body = body[4 + length :]
    return not body


def meta_of(payload):
    try:
        meta = json.loads(payload.decode())
    except ValueError:
        return None
    letters = set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    if not isinstance(meta, dict) or set(meta) != {"kind", "time_nanos", "value"} or len(payload) > 1 << 20:
        return None
    kind, time = meta["kind"], meta["time_nanos"]
    if not isinstance(kind, str) or not 1 <= len(kind) <= 64 or not set(kind) <= letters:
        return None
    return meta if type(time) is int else None


def check_record(data, keys):
    said = {"status": "SEALED", "frames": 0, "opened": [], "metas": []}
    record, file_key = None, None
    try:
        head, text, pre = read_head(data)
        said.update(file_id=head.file_id.hex(), suite=head.name, signer=head.signer)
        late = None
        if keys.any():
            try:
                file_key = head.unlock(keys)
                late = None if file_key else Status("NO-KEY")
            except Status as status:
                late = status
            if file_key:
                mac_key = hkdf(file_key, b"maml/1 head" + head.file_id, 32)
                if hmac.digest(mac_key, text + pre[:68], "sha256") != pre[68:]:
                    file_key, late = None, Status("BAD-HEAD(header MAC)")
        record = Record(data, head, len(text) + 100, file_key)
        try:
            record.run()
        except Status as status:
            said["status"] = str(status)
        damaged = said["status"].startswith(("CORRUPT", "TAMPER", "BAD-HEAD"))
        if late and (str(late) != "NO-KEY" or not damaged):
            said["status"] = str(late)
        elif record.tampered_inside is not None and not damaged and record.tampered_inside < record.good["records"]:
            said["status"] = f"TAMPER(seq {record.tampered_inside})"
    except Status as status:
        said["status"] = str(status)
    if record:
        good = record.good
        said.update(frames=good["frames"], leaves=good["leaves"], root=good["root"])
        said["opened"] = [what for kind, what in record.opened if kind == "frame"]
        said["metas"] = [what for kind, what in record.opened if kind == "meta"]
        said["trusted"] = good["leaves"] is not None and head.signer in keys.trust
    return said


def check_proof(text, keys):
    proof = json.loads(text)
    suite = {name: number for number, (name, _, _) in SUITES.items()}[proof["suite"]]
    identity = bytes.fromhex(proof["file_id"]), bytes.fromhex(proof["document_sha256"])
    head = Head(suite, *identity, proof["signers"].encode(), proof["recipients"].encode(), int(proof.get("hides_times", False)))
    note = proof["note"].encode()
    leaves, root = int(note.split(b"\n")[1]), base64.b64decode(note.split(b"\n")[2])
    path = lambda hashes: [bytes.fromhex(digits) for digits in hashes]
    records = [base64.b64decode(record["record"], validate=True) for record in proof["records"]]
    headers = [header_of(record[:40]) for record in records]
    holds = head.signers_hold() and head.note(note, leaves, root)
    holds = holds and root_along(leaf_hash(head.leaf), 0, leaves, path(proof["head_path"])) == root
    for record, header, listed in zip(records, headers, proof["records"]):
        holds = holds and header and len(record) == 40 + header[2]
        holds = holds and root_along(leaf_hash(record), header[4] + 1, leaves, path(listed["path"])) == root
    if not holds or len(records) < 2:
        return {"status": "REFUSED"}
    first, parts = headers[1], headers[1:]
    row = [(FRAME, first[3], first[4] + i, first[5], first[6] + i, i + 1 < len(parts)) for i in range(len(parts))]
    found = [(kind, segment, seq, time, idx, bool(flags & 2)) for kind, flags, _, segment, seq, time, idx in parts]
    if row != found or headers[0][0] != SEGMENT or headers[0][3] != first[3] or headers[0][4] >= first[4]:
        return {"status": "REFUSED"}
    said = {"status": "PROVEN", "signer": head.signer, "seq": first[4], "leaves": leaves, "root": root.hex()}
    salt, commit = records[0][40:72], records[0][72:104]
    file_key = head.unlock(keys) if keys.any() else None
    secret = None
    if file_key:
        key, nonce, expected = head.segment(file_key, first[3], salt)
        secret = (key, nonce) if expected == commit else None
    elif "segment_key" in proof:
        given = base64.b64decode(proof["segment_key"])
        secret = given[: head.key_len], given[head.key_len :]
    if secret:
        body = b""
        for record, header in zip(records[1:], parts):
            body += head.payload(record[:40], header[6], header[1], record[40:], *secret) or b""
        body = body[8:] if head.hides_times else body
        said["opened"] = hashlib.sha256(body).hexdigest() if is_frame(body) else None
    return said


class Keys:
    def __init__(self, given):
        read = lambda path: open(path, "rb").read() if path else None
        self.key_file, self.reader_seed = read(given.key_file), read(given.reader_seed)
        self.passphrase = given.passphrase_file and read(given.passphrase_file).split(b"\n")[0].rstrip(b"\r")
        self.trust = set(given.trust)
        if self.reader_seed:
            # One line: a label, a space, base64.
            self.reader_seed = base64.b64decode(self.reader_seed.split()[-1])

    def any(self):
        return bool(self.key_file or self.reader_seed or self.passphrase)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("files", nargs="+")
    arguments.add_argument("--proof", action="store_true")
    for name in ["--key-file", "--reader-seed", "--passphrase-file"]:
        arguments.add_argument(name)
    arguments.add_argument("--trust", action="append", default=[])
    given = arguments.parse_args()
    keys = Keys(given)
    for name in given.files:
        with open(name, "rb") as file:
            data = file.read()
        json.dump(check_proof(data, keys) if given.proof else check_record(data, keys), sys.stdout)
        print()


if __name__ == "__main__":
    main()
