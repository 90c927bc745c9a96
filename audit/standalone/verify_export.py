#!/usr/bin/env python3
"""Check an export of a Countersign audit log, or the proof of one entry, without Countersign.

    python verify_export.py FOLDER                                  an export made by `manage.py export_audit FOLDER`
    python verify_export.py --entries FILE --checkpoint FILE --keys FILE
    python verify_export.py --proof FILE --keys FILE                one entry, with its way to a checkpoint
    … --earlier FILE                                                an older export: names the first entry that differs

Needs Python 3.10 or newer and the package `cryptography`, and nothing of Countersign: read it, it is short. Take the
checkpoint and the public keys from where you kept them, not from whoever gave you the entries: that is what makes
them worth something. `--checkpoint` can be given several times.

What is checked: entry n holds SHA-256(0x00 || hash of entry n-1 || n, 8 bytes, big endian || its fact), so nothing can
be changed, left out, put in or moved without changing all that follows. A checkpoint holds the root of a Merkle tree
(RFC 6962) over these hashes, signed by the log's key (Ed25519, a C2SP signed note), so all that follows cannot be
changed either. Exit code 0: sound. 1: not, and the first bad entry is named. 2: the question made no sense.
"""

import argparse
import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Key = tuple[str, bytes, Ed25519PublicKey]
Entry = tuple[int, bytes, bytes, bytes]


class Unsound(Exception):
    """What is wrong, as a sentence without its full stop."""


class BadQuestion(Exception):
    """A file that cannot be read, or not as what it was given as."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# --- keys and checkpoints ---------------------------------------------------------------------------------------------


def read_key(text: str) -> Key:
    """(name, key id, Ed25519 key) of a line “name+id+base64(1 || key)”."""
    name, _, rest = text.strip().partition("+")
    raw = decoded(rest.partition("+")[2])
    key_id = sha256(name.encode() + b"\n" + raw)[:4]
    if not name or len(raw) != 33 or raw[:1] != b"\x01" or rest.partition("+")[0] != key_id.hex():
        raise BadQuestion(f"“{text.strip()[:60]}” is not a public key")
    return name, key_id, Ed25519PublicKey.from_public_bytes(raw[1:])


def read_checkpoint(note: str, keys: list[Key], name: str) -> tuple[int, bytes]:
    """(number of entries, root) of a checkpoint, after checking that one of the keys signed it."""
    text, blank, signatures = note.rpartition("\n\n")
    lines = (text + "\n").split("\n")
    if not blank or len(lines) < 4 or not lines[1].isascii() or not lines[1].isdigit():
        raise BadQuestion(f"{name} is not a checkpoint")
    size, root = int(lines[1]), decoded(lines[2])
    for line in signatures.splitlines():
        dash, _, rest = line.partition(" ")
        signer, _, encoded = rest.partition(" ")
        signature = decoded(encoded)
        for key_name, key_id, key in keys:
            if dash == "—" and signer == key_name == lines[0] and signature[:4] == key_id:
                try:
                    key.verify(signature[4:], (text + "\n").encode())
                except InvalidSignature:
                    raise Unsound(f"{name} was changed after it was signed") from None
                return size, root
    raise Unsound(f"{name} is not signed by any of the keys")


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


# --- entries ----------------------------------------------------------------------------------------------------------


def read_line(line: bytes) -> Entry | None:
    """(number, hash before, hash, fact as hashed) of a line of an export; None if it is no such line."""
    head, _, rest = line.removesuffix(b"\n").partition(b',"fact":')
    numbered, _, hashes = head.partition(b',"previous_hash":"')
    previous, own = unhex(hashes[:64]), unhex(hashes[-65:-1])
    number = numbered.removeprefix(b'{"sequence":')
    if not number.isdigit() or len(number) > 18 or rest[-1:] != b"}":
        return None
    spelled = f'{{"sequence":{int(number)},"previous_hash":"{previous.hex()}","hash":"{own.hex()}"'
    if head != spelled.encode() or len(previous) != 32 or len(own) != 32:
        return None
    fact = rest[:-1]
    if fact.startswith(b'"'):  # a fact that no honest log holds is quoted, so that lines stay lines
        try:
            fact = str(json.loads(fact)).encode()
        except ValueError:
            return None
    return int(number), previous, own, fact


def unhex(text: bytes) -> bytes:
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:
        return b""


def hash_of(number: int, previous: bytes, fact: bytes) -> bytes:
    return sha256(b"\x00" + previous + number.to_bytes(8, "big") + fact)


class Tree:
    """A Merkle tree that remembers its right edge only: the roots of full subtrees, largest first."""

    def __init__(self) -> None:
        self.edge: list[bytes] = []
        self.size = 0

    def add(self, entry_hash: bytes) -> None:
        node = sha256(b"\x00" + entry_hash)
        size = self.size
        while size & 1:
            node = sha256(b"\x01" + self.edge.pop() + node)
            size >>= 1
        self.edge.append(node)
        self.size += 1

    def root(self) -> bytes:
        if not self.edge:
            return sha256(b"")
        node = self.edge[-1]
        for left in reversed(self.edge[:-1]):
            node = sha256(b"\x01" + left + node)
        return node


def check_entries(
    lines: Iterable[bytes], checkpoints: list[tuple[int, bytes, str]], earlier: Iterable[bytes] = ()
) -> tuple[int, bytes]:
    """Walk along the lines of an export. Returns (number of entries, hash of the last); raises Unsound.

    `checkpoints` are (size, root, name); `earlier` are the lines of an older export of the same log.
    """
    tree, before, previous, fits = Tree(), b"", bytes(32), 0  # before: the hash before the previous one
    waiting = sorted(checkpoints)
    older, coming = iter(earlier), iter(lines)
    for number, line in enumerate(coming, 1):
        old, entry = next(older, None), read_line(line)
        if entry is None:
            raise Unsound(f"Entry {number} is bad: its line cannot be read")
        if old is not None and old.rstrip(b"\n") != line.rstrip(b"\n") and entry[0] >= number:
            raise Unsound(f"Entry {number} is bad: it is not what the earlier export has in its place")
        # An entry that a checkpoint fits is not the one to blame when the next does not continue it.
        problem = problem_of(entry, number, before if fits < number - 1 else b"", previous, coming)
        if problem:
            raise Unsound(problem)
        before, previous = previous, entry[2]
        tree.add(previous)
        while waiting and waiting[0][0] <= number:
            size, root, name = waiting.pop(0)
            if size == number and tree.root() != root:
                raise Unsound(f"Entry {fits + 1} is bad, or one up to {size}: they are not what {name} was made from")
            fits = size
    if waiting:
        size, _, name = waiting[0]
        raise Unsound(f"Entry {tree.size + 1} is bad: it is missing, for {name} was made of {size} entries")
    if next(older, None) is not None:
        raise Unsound(f"Entry {tree.size + 1} is bad: it is missing, for the earlier export has it")
    return tree.size, previous


def problem_of(entry: Entry, expected: int, before: bytes, previous: bytes, following: Iterator[bytes]) -> str:
    """What is wrong with an entry, “” if nothing."""
    number, stored_previous, stored, fact = entry
    if number > expected:
        return f"Entry {expected} is bad: it is missing; entry {number} stands in its place"
    if number < expected:
        return f"Entry {number} is bad: there is more than one of this number"
    own = hash_of(number, stored_previous, fact)
    if stored_previous == previous:
        return "" if own == stored else f"Entry {number} is bad: its content was changed after it was written"
    if before and stored_previous == before:
        return f"Entry {number - 1} is bad: it was put in between; the one after it continues the one before it"
    after = read_line(next(following, b""))
    if before and own == stored and (after is None or after[1] == stored):
        return f"Entry {number - 1} is bad: another was put in its place; the one after it continues a different hash"
    return f"Entry {number} is bad: it does not continue the entry before it"


# --- the proof of one entry -------------------------------------------------------------------------------------------


def check_proof(text: str, keys: list[Key], name: str) -> Entry:
    """Follow the way from an entry to the root of a checkpoint (C2SP tlog-proof). Returns the entry; raises Unsound."""
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1" or not lines[2].startswith("index "):
        raise BadQuestion(f"{name} is not such a file")
    entry = read_line(decoded(lines[1].partition(" ")[2]))
    if entry is None or not lines[2][6:].isdigit():
        raise BadQuestion(f"{name} does not hold an entry")
    size, root = read_checkpoint(note, keys, "the checkpoint in it")
    number, previous, stored, fact = entry
    if int(lines[2][6:]) != number - 1 or hash_of(number, previous, fact) != stored:
        raise Unsound(f"Entry {number} is bad: it is not the entry that its hash is of")
    if root_from(sha256(b"\x00" + stored), number - 1, size, [decoded(line) for line in lines[3:]]) != root:
        raise Unsound(f"Entry {number} is bad: it is not among the {size} entries of the checkpoint")
    return entry


def root_from(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """RFC 9162, 2.1.3.2; None where the path cannot fit."""
    last, node = size - 1, leaf
    if not 0 <= index <= last:
        return None
    for step in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            node = sha256(b"\x01" + step + node)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + step)
        index, last = index >> 1, last >> 1
    return node if last == 0 else None


# --- the program ------------------------------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="holds entries.jsonl, checkpoint.txt and keys.txt")
    parser.add_argument("--entries", type=Path, metavar="FILE")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", action="append", default=[])
    parser.add_argument("--keys", type=Path, metavar="FILE")
    parser.add_argument("--proof", type=Path, metavar="FILE")
    parser.add_argument("--earlier", type=Path, metavar="FILE")
    asked = parser.parse_args(arguments)
    try:
        print(proof_says(asked) if asked.proof else export_says(asked))
    except Unsound as problem:
        print(f"{str(problem)[:1].upper()}{str(problem)[1:]}.")
        return 1
    except (BadQuestion, OSError, UnicodeDecodeError) as problem:
        print(f"{problem}.", file=sys.stderr)
        return 2
    return 0


def keys_of(asked: argparse.Namespace) -> list[Key]:
    path = asked.keys or (asked.folder and asked.folder / "keys.txt")
    if not path:
        raise BadQuestion("Name the file of public keys with --keys")
    return [read_key(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def proof_says(asked: argparse.Namespace) -> str:
    number, _, _, fact = check_proof(asked.proof.read_text(encoding="utf-8"), keys_of(asked), str(asked.proof))
    return f"Entry {number} is one of those that the checkpoint was made from. It reads:\n{fact.decode()}"


def export_says(asked: argparse.Namespace) -> str:
    entries = asked.entries or (asked.folder and asked.folder / "entries.jsonl")
    notes = asked.checkpoint + ([asked.folder / "checkpoint.txt"] if asked.folder else [])
    if not entries or not notes:
        raise BadQuestion("Name a folder, or a file with --entries and one with --checkpoint")
    keys = keys_of(asked)
    named = [(path, f"the checkpoint in {path}") for path in notes]
    checkpoints = [(*read_checkpoint(path.read_text(encoding="utf-8"), keys, name), name) for path, name in named]
    with open(entries, "rb") as lines, open(asked.earlier or entries, "rb") as older:
        count, last = check_entries(lines, checkpoints, older if asked.earlier else ())
    largest = max(size for size, _, _ in checkpoints)
    beyond = f" {count - largest} of them came after the newest checkpoint." if count > largest else ""
    return f"{count} entries are sound, and {len(checkpoints)} checkpoint(s) fit.{beyond} Head: {count} {last.hex()}"


if __name__ == "__main__":
    sys.exit(main())
