"""The second reader of proofs, written from FORMAT.md alone: one frame of a record, without the record.

    python3 proof.py PROOF... [--key-file F] [--reader-seed F] [--passphrase-file F]
"""

import base64
import hashlib
import json
import struct

from maml import FRAME, SEGMENT, SUITES, Head, Status, header_of, is_frame, leaf_hash, main, node


def root_along(hashed, index, size, path):
    """The root that follows from a leaf and its path: RFC 9162, section 2.1.3.2."""
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


def check(text, keys):
    try:
        return checked(json.loads(text), keys)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, Status, TypeError, ValueError, struct.error):
        # No proof by its form.
        return {"status": "REFUSED"}


def checked(proof, keys):
    versions = [proof["maml_proof"], proof["container"]]
    if versions != [1, 1] or any(type(version) is not int for version in versions):
        return {"status": "REFUSED"}
    suite = {name: number for number, (name, _, _) in SUITES.items()}[proof["suite"]]
    identity = bytes.fromhex(proof["file_id"]), bytes.fromhex(proof["document_sha256"])
    head = Head(suite, *identity, proof["signers"].encode(), proof["recipients"].encode(), int(proof.get("hides_times") is True))
    note = proof["note"].encode()
    leaves, root = int(note.split(b"\n")[1]), base64.b64decode(note.split(b"\n")[2])
    path = lambda hashes: [bytes.fromhex(digits) for digits in hashes]
    records = [base64.b64decode(record["record"], validate=True) for record in proof["records"]]
    headers = [header_of(record[:40]) for record in records]
    holds = head.signers_hold() and head.note(note, leaves, root)
    holds = holds and root_along(leaf_hash(head.leaf), 0, leaves, path(proof["head_path"])) == root
    for record, header, listed in zip(records, headers, proof["records"]):
        holds = holds and header and len(record) == 40 + header.length
        holds = holds and root_along(leaf_hash(record), header.seq + 1, leaves, path(listed["path"])) == root
    if not holds or len(records) < 2:
        return {"status": "REFUSED"}
    # A SEGMENT, then every part of one frame and nothing else.
    begins, *parts = headers
    first = parts[0]
    for i, part in enumerate(parts):
        expected = (FRAME, first.segment, first.seq + i, first.time, first.idx + i, i + 1 < len(parts))
        holds = holds and expected == (part.kind, part.segment, part.seq, part.time, part.idx, bool(part.flags & 2))
    if not holds or begins.kind != SEGMENT or begins.segment != first.segment or begins.seq >= first.seq:
        return {"status": "REFUSED"}
    said = {"status": "PROVEN", "signer": head.signer, "seq": first.seq, "leaves": leaves, "root": root.hex()}
    secret, file_key = None, head.unlock(keys) if keys.any() else None
    if file_key:
        *secret, commit = head.segment(file_key, first.segment, records[0][40:72])
        secret = secret if commit == records[0][72:104] else None
    elif "segment_key" in proof:
        given = base64.b64decode(proof["segment_key"])
        secret = given[: head.key_len], given[head.key_len :]
    if secret:
        payloads = [head.payload(record[:40], part, record[40:], *secret) for record, part in zip(records[1:], parts)]
        body = b"".join(payload or b"" for payload in payloads)[8 if head.hides_times else 0 :]
        said["opened"] = hashlib.sha256(body).hexdigest() if is_frame(body) else None
    return said


if __name__ == "__main__":
    main(check)
