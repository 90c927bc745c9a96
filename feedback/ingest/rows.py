"""Checked reports to rows: what is hashed, what is dropped, in which order the columns stand.

Raw users and units end here. What is kept is HMAC-SHA256 under a key drawn from SECRET_KEY, so that nobody who holds
only the database can find out whose it was by trying.
"""

import hashlib
import hmac
import os
import time
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from django.conf import settings

from agents.sensitive import Mask
from feedback.ingest.reading import Read
from feedback.ingest.shapes import LONGEST_LABEL, FeedbackIn, Maybe, RunIn

_KEPT: Final = 16


@dataclass(frozen=True, slots=True)
class Sender:
    """Who hands reports in: the key, and whose voice it counts as."""

    key_id: int | None
    party: str


class Row(NamedTuple):
    """One row on its way into the database; `values` are all columns in the order of the statement, as JSON values
    of which PostgreSQL can read the text."""

    agent_id: int
    external_id: str
    digest: str
    values: list[Any]


def feedback_row(read: Read[FeedbackIn], agent_id: int, sender: Sender) -> Row:
    sent, own = read.sent, _Words()
    return _row(
        read,
        agent_id,
        sender,
        sent.user or "",
        own,
        [
            sent.run_id or "",
            sent.rating or "",
            sent.reason_code or "",
            own.masked(sent.reason),
            own.masked(sent.correction),
            _json(own.tree(sent.signals)),
            own.label(sent.expected),
            own.label(sent.predicted),
            own.masked(sent.input),
            own.masked(sent.output),
            own.masked(sent.edited_output),
        ],
    )


def run_row(read: Read[RunIn], agent_id: int, sender: Sender) -> Row:
    sent, own = read.sent, _Words()
    return _row(
        read,
        agent_id,
        sender,
        sent.unit or "",
        own,
        [
            sent.document or "",
            own.label(sent.task),
            own.label(sent.tool),
            sent.success,
            own.masked(sent.error),
            own.label(sent.error_type),
            _number(sent.latency_ms),
            _number(sent.quality),
            _number(sent.cost_usd),
            own.label(sent.model),
            sent.input_hash or "",
            sent.output_hash or "",
        ],
    )


class _Words:
    """What one report says, with what the setting names taken out, and how much that was."""

    def __init__(self) -> None:
        self._mask = mask()
        self.counts: Counter[str] = Counter()

    def masked(self, text: str | Maybe) -> str:
        if not text:
            return ""
        return self._mask.text(text, self.counts) if self._mask else text

    def label(self, text: str | Maybe) -> str:
        """One that has to stay short: a mask may be longer than what it stands for."""
        return self.masked(text)[:LONGEST_LABEL]

    def tree(self, value: dict[str, Any] | Maybe) -> dict[str, Any] | Maybe:
        return self._mask.tree(value, self.counts) if self._mask and value else value


@cache
def mask() -> Mask | None:
    """None where nothing is masked, which then costs nothing."""
    return Mask(settings.COUNTERSIGN_MASK) if settings.COUNTERSIGN_MASK else None


def hashed(name: str) -> bytes:
    """What stands for an end user or a unit: 16 bytes."""
    return hmac.digest(_hash_key(), b"source:" + name.encode(), "sha256")[:_KEPT]


def source(party: str, name_hash: bytes | None) -> bytes:
    """Who a report came from, 16 bytes: the party behind the key and the hashed user or unit, if one was given."""
    return hashlib.sha256(party.encode() + b"\0" + (name_hash or b"")).digest()[:_KEPT]


@lru_cache(maxsize=1024)
def _voice(party: str, name: str) -> tuple[str, str | None]:
    """Source and hashed name in hex. One session reports often, and the hashes are most of what a row costs."""
    name_hash = hashed(name) if name else None
    return _bytea(source(party, name_hash).hex()), _bytea(name_hash.hex()) if name_hash else None


def _row(read: Read[Any], agent_id: int, sender: Sender, name: str, words: _Words, own: list[Any]) -> Row:
    sent = read.sent
    external_id = sent.id or _new_id()
    # Keyed as well: the body may name a user. BLAKE2 is a keyed hash by itself and several times quicker than HMAC.
    digest = _bytea(hashlib.blake2b(read.canonical, key=_hash_key(), digest_size=32).hexdigest())
    heard, name_hash = _voice(sender.party, name)
    metadata = _json(words.tree(sent.metadata))
    common = [
        agent_id,
        sender.key_id,
        external_id,
        digest,
        heard,
        name_hash,
        sent.version or None,
        metadata,
        read.at,
        _json(dict(words.counts)),
    ]
    return Row(agent_id, external_id, digest, common + own)


def _json(value: Any) -> str | None:
    """A JSON column's value as text; nothing, null and {} are all null."""
    return msgspec.json.encode(value).decode() if value else None


def _bytea(digits: str) -> str:
    """Hexadecimal digits the way PostgreSQL writes bytes as text."""
    return "\\x" + digits


def _number(value: Any) -> float | None:
    """Zero is a number; unset and null are none."""
    return value if isinstance(value, float) else None


def _new_id() -> str:
    """An id of ours: begins with the time, so that the unique index grows at its end."""
    return f"{time.time_ns() // 1_000_000:011x}{os.urandom(10).hex()}"


@cache
def _hash_key() -> bytes:
    return hashlib.sha256(b"countersign.sources:" + settings.SECRET_KEY.encode()).digest()
