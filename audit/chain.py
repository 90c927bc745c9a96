"""The chain of hashes, as pure functions.

entry_hash(n) = SHA-256(0x00 || entry_hash(n-1) || n as 8 bytes, big endian || body(n) in UTF-8);
entry_hash(0) is 32 zero bytes.
The same sum is written in SQL in the migration that seals entries; a test holds the two together.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class Link:
    """One stored entry as the verifier needs it."""

    sequence: int | None
    body: str
    previous_hash: bytes
    hash: bytes
    columns: Mapping[str, object]


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
    return hashlib.sha256(b"\x00" + previous + sequence.to_bytes(8, "big") + body.encode()).digest()


def faults(links: Iterable[Link]) -> Iterator[Fault | Link]:
    """Walk the chain from its first entry; yields each sound link, or the first Fault and then stops."""
    previous, expected = GENESIS, 1
    for link in links:
        problem = _problem(link, previous, expected)
        if problem:
            yield Fault(expected if link.sequence != expected else link.sequence, problem)
            return
        yield link
        previous, expected = link.hash, expected + 1


def _problem(link: Link, previous: bytes, expected: int) -> str:
    if link.sequence is None:
        return "an entry was never sealed"
    if link.sequence != expected:
        return f"entry {expected} is missing; entry {link.sequence} stands in its place"
    if link.previous_hash != previous:
        return "it does not continue the entry before it"
    if entry_hash(previous, expected, link.body) != link.hash:
        return "its content was changed after it was written"
    changed = _changed_columns(link)
    return f"its searchable columns differ from its content: {', '.join(changed)}" if changed else ""


def _changed_columns(link: Link) -> list[str]:
    """Also for a body that was forged together with its hash, and may be anything."""
    try:
        fact = json.loads(link.body)
    except ValueError:
        fact = None
    if not isinstance(fact, dict):
        return sorted(link.columns)
    return sorted(name for name, value in link.columns.items() if fact.get(name) != value)
