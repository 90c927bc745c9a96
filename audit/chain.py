"""The chain of hashes, as pure functions.

entry_hash(n) = SHA-256(0x00 || entry_hash(n-1) || n as 8 bytes, big endian || body(n) in UTF-8);
entry_hash(0) is 32 zero bytes.
The same sum is written in SQL in the migration that seals entries; a test holds the two together.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import msgspec

GENESIS: Final = bytes(32)

Row = Sequence[Any]
"""An entry as stored: number, body, the hash before it, its own hash, and then its columns, or none of them."""

COLUMNS: Final = (
    "at",
    "actor_kind",
    "actor_id",
    "actor_label",
    "verb",
    "target_kind",
    "target_id",
    "target_label",
    "agent",
    "document",
    "proposal",
)
"""What stands beside the body so that it can be searched, in the order of a row; `at` as the body spells it."""

EXCHANGED: Final = "another entry was put in its place: the one after it continues a different hash"

_Fact = msgspec.defstruct("_Fact", [(name, Any, msgspec.UNSET) for name in COLUMNS])
_facts = msgspec.json.Decoder(_Fact)


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry that is wrong, and how."""

    sequence: int
    problem: str


def canonical(fact: Mapping[str, Any]) -> str:
    """The one spelling of a fact that is hashed: sorted keys, no spaces, no NaN."""
    return json.dumps(fact, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def entry_hash(previous: bytes, sequence: int, body: str) -> bytes:
    """The hash of one entry (32 bytes)."""
    return _hash(previous, sequence, body.encode())


def _hash(previous: bytes, sequence: int, body: bytes) -> bytes:
    return sha256(b"\x00" + previous + sequence.to_bytes(8, "big") + body).digest()


def faults(rows: Iterable[Row], previous: bytes = GENESIS, expected: int = 1) -> Iterator[bytes | Fault]:
    """Walk the chain from entry `expected` on, which follows the hash `previous`.

    Yields the hash of each sound entry, or the first Fault and then stops. Written for millions: one look at each row.
    """
    waiting, earlier = iter(rows), b""
    for row in waiting:
        body = row[1].encode()
        digest = _hash(previous, expected, body)
        if row[0] == expected and row[2] == previous and row[3] == digest and _columns_agree(row, body):
            yield digest
            earlier, previous, expected = previous, digest, expected + 1
        elif row[2] == earlier and row[0] == expected:
            yield Fault(expected - 1, "it was put in between: the one after it continues the one before it")
            return
        else:
            yield _fault(row, previous, expected, next(waiting, None))
            return


def _columns_agree(row: Row, body: bytes) -> bool:
    """Also for a body that was forged together with its hash, and may be anything."""
    if len(row) == 4:
        return True
    try:
        return msgspec.structs.astuple(_facts.decode(body)) == tuple(row[4:])
    except msgspec.DecodeError:
        return False


def _fault(row: Row, previous: bytes, expected: int, following: Row | None) -> Fault:
    sequence, body, stored_previous, stored_hash = row[:4]
    if sequence is None:
        return Fault(expected, "an entry was never sealed")
    if sequence < expected:
        return Fault(sequence, "there is more than one entry of this number")
    if sequence > expected:
        return Fault(expected, f"entry {expected} is missing; entry {sequence} stands in its place")
    own = _hash(bytes(stored_previous or b""), expected, body.encode())
    if stored_previous == previous:
        changed = own != stored_hash
        return Fault(expected, "its content was changed after it was written" if changed else _differing(row))
    # This one is sound in itself and the one after it continues it: so it is the one before it that was exchanged.
    if expected > 1 and own == stored_hash and (following is None or following[2] == stored_hash):
        return Fault(expected - 1, EXCHANGED)
    return Fault(expected, "it does not continue the entry before it")


def _differing(row: Row) -> str:
    try:
        fact = json.loads(row[1])
    except ValueError:
        fact = None
    there = fact if isinstance(fact, dict) else {}
    names = sorted(name for name, value in zip(COLUMNS, row[4:], strict=True) if there.get(name, ...) != value)
    return f"its searchable columns differ from its content: {', '.join(names)}"
