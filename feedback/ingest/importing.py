"""Reports from a file of JSON lines: the same reading and storing as the API's, without a key."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import msgspec
from django.db import transaction

from agents.models import Agent
from agents.problems import FieldError, Problem
from audit.record import Actor, record
from feedback.ingest import diagnosis
from feedback.ingest.reading import Reader, encode
from feedback.ingest.rows import Row, Sender, feedback_row, run_row
from feedback.ingest.shapes import FeedbackIn, RunIn
from feedback.ingest.storing import FEEDBACK, RUNS, Outcome, Table, store

BATCH: Final = 1000
LONGEST_LINE: Final = 1_000_000
SENDER: Final = Sender(key_id=None, party="import")

_READERS: Final[dict[str, tuple[Reader[Any], Table]]] = {
    "feedback": (Reader(FeedbackIn), FEEDBACK),
    "run": (Reader(RunIn), RUNS),
}
_PARTS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ROWS: Final[dict[str, Callable[[Any, int, Sender], Row]]] = {"feedback": feedback_row, "run": run_row}


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that was not stored: its number, from 1, and why."""

    number: int
    errors: list[FieldError]


@dataclass
class Tally:
    """What has become of the lines so far."""

    accepted: Counter[int] = field(default_factory=Counter)
    """By the agent's primary key."""
    duplicates: int = 0
    rejected: int = 0
    digest: Any = field(default_factory=hashlib.sha256)
    """Of the file's bytes; whoever reads them feeds it."""

    @property
    def lines(self) -> int:
        return self.accepted.total() + self.duplicates + self.rejected


def import_lines(lines: Iterable[bytes], tally: Tally, *, default_agent: str | None) -> Iterator[list[BadLine]]:
    """Store the reports of a file, a thousand lines at a time; yields the bad lines of each batch, stored or not.

    Each batch is committed when it is yielded, and sending a file again stores nothing twice where lines have ids.
    Lines are never held all at once. Blank lines are passed over.
    """
    numbered = enumerate(lines, start=1)
    while batch := list(islice(numbered, BATCH)):
        yield _import_batch(batch, tally, default_agent)


@transaction.atomic
def record_import(tally: Tally, name: str, *, actor: Actor) -> None:
    """One audit entry for each agent that got something from the file called `name`."""
    facts = {"file": name[:200], "sha256": tally.digest.hexdigest()}
    for agent in Agent.objects.filter(pk__in=tally.accepted).order_by("pk"):
        counts = {"accepted": tally.accepted[agent.pk], "duplicates": tally.duplicates, "rejected": tally.rejected}
        record("reports.imported", actor=actor, target=agent, agent=agent.slug, after={**facts, **counts})


def _import_batch(batch: list[tuple[int, bytes]], tally: Tally, default_agent: str | None) -> list[BadLine]:
    now = datetime.now(UTC)
    bad: list[BadLine] = []
    rows: dict[str, list[tuple[int, Row]]] = {kind: [] for kind in _READERS}
    agents = _agent_ids()
    for number, line in batch:
        if not line.strip():
            continue
        try:
            kind, row = _row(line, now, agents, default_agent)
            rows[kind].append((number, row))
        except Problem as problem:
            bad.append(BadLine(number, problem.errors or [{"loc": [], "msg": problem.detail}]))
    for kind, numbered in rows.items():
        bad += _store(_READERS[kind][1], numbered, tally)
    tally.rejected += len(bad)
    return sorted(bad, key=lambda line: line.number)


def _store(table: Table, numbered: list[tuple[int, Row]], tally: Tally) -> Iterator[BadLine]:
    outcomes = store(table, [row for _, row in numbered])
    tally.duplicates += outcomes.count(Outcome.DUPLICATE)
    for (number, row), outcome in zip(numbered, outcomes, strict=True):
        if outcome is Outcome.CREATED:
            tally.accepted[row.agent_id] += 1
        elif outcome is Outcome.CONFLICT:
            message = f"Another report was stored under the id “{row.external_id}” before."
            yield BadLine(number, [{"loc": ["id"], "msg": message}])


def _row(line: bytes, now: datetime, agents: dict[str, int], default_agent: str | None) -> tuple[str, Row]:
    """Raises Problem."""
    kind, body = _split(line)
    read = _READERS[kind][0].one(body, now)
    slug = read.sent.agent or default_agent
    if slug is None:
        raise Problem(
            422, "invalid-body", "Required, or name one with --agent.", errors=_at("agent", "Required, or --agent.")
        )
    if slug not in agents:
        raise Problem(404, "not-found", "No such agent.", errors=_at("agent", f"There is no agent “{slug}”."))
    return kind, _ROWS[kind](read, agents[slug], SENDER)


def _split(line: bytes) -> tuple[str, bytes]:
    """The type of a line and the report without it, spelt as the API would have got it. Raises Problem."""
    if len(line) > LONGEST_LINE:
        message = f"A line has at most {LONGEST_LINE} bytes."
        raise Problem(413, "body-too-large", message, errors=_at("", message))
    try:
        parts = _PARTS.decode(line)
        kind = json.loads(bytes(parts.pop("type"))) if "type" in parts else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise _unreadable(line) from None
    if kind not in _READERS:
        raise Problem(422, "invalid-body", "Unknown type.", errors=_at("type", "Use “feedback” or “run”."))
    body = encode(parts)
    # As many colons as before, less the one after "type": no key was given twice (see `reading`).
    return kind, body if body.count(b":") == line.count(b":") - 1 else _unrepeated(line, body)


def _unrepeated(line: bytes, body: bytes) -> bytes:
    found = diagnosis.flaws(diagnosis.load(line))
    if found:
        raise Problem(422, "invalid-body", "Not acceptable.", errors=found)
    return body


def _unreadable(line: bytes) -> Problem:
    tree = diagnosis.load(line)
    found = diagnosis.flaws(tree) or _at("", "Each line is an object.")
    return Problem(422, "invalid-body", "Not acceptable.", errors=found)


def _at(name: str, message: str) -> list[FieldError]:
    return [{"loc": [name] if name else [], "msg": message}]


def _agent_ids() -> dict[str, int]:
    return dict(Agent.objects.values_list("slug", "pk"))
