"""POST /feedback and POST /runs, on the leanest honest path: no session, no CSRF, no ORM, one statement."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import msgspec
from django.conf import settings

from agents.keys import Caller
from agents.limits import Call, spend
from agents.models import ApiKey
from agents.problems import FieldError, Invalid, NotFound, Problem
from agents.wire import Answer, Environ, caller, read_json
from feedback.ingest.reading import Read, Reader, is_list
from feedback.ingest.rows import Row, Sender, feedback_row, run_row
from feedback.ingest.shapes import FeedbackIn, RunIn
from feedback.ingest.storing import FEEDBACK, RUNS, GroupCommit, Outcome, Table, store


@dataclass(frozen=True)
class Kind:
    """One kind of report: how it is read, made a row, and stored."""

    reader: Reader[Any]
    row: Callable[[Read[Any], int, Sender], Row]
    table: Table
    group: GroupCommit


def _kind(shape: type[FeedbackIn] | type[RunIn], row: Callable[[Any, int, Sender], Row], table: Table) -> Kind:
    return Kind(Reader(shape), row, table, GroupCommit(partial(store, table)))


FEEDBACK_KIND: Final = _kind(FeedbackIn, feedback_row, FEEDBACK)
RUN_KIND: Final = _kind(RunIn, run_row, RUNS)


def post_feedback(environ: Environ) -> Answer:
    return _post(environ, FEEDBACK_KIND)


def post_runs(environ: Environ) -> Answer:
    return _post(environ, RUN_KIND)


def _post(environ: Environ, kind: Kind) -> Answer:
    try:
        sender = caller(environ, ApiKey.Scope.INGEST)
    except Problem:
        # Refused unread, a longer body would end in a broken connection, and its sender would never see why.
        with suppress(Problem):
            read_json(environ, settings.COUNTERSIGN_BODY_LIMIT)
        raise
    body = read_json(environ, settings.COUNTERSIGN_BODY_LIMIT)
    now = datetime.now(UTC)
    if is_list(body):
        return _list(environ, body, kind, sender, now)
    spend(environ, sender, Call.REPORT)
    return _single(body, kind, sender, now)


def _single(body: bytes, kind: Kind, sender: Caller, now: datetime) -> Answer:
    """201 the first time, 200 for the same again, 409 for something else under the same id."""
    read = kind.reader.one(body, now)
    agent_id = sender.find_agent(read.sent.agent or None)
    if agent_id is None:
        raise _no_agent(read.sent.agent or None)
    row = kind.row(read, agent_id, Sender(sender.key_id, sender.party))
    outcome = kind.group.store(row)
    if outcome is Outcome.CONFLICT:
        raise Problem(409, "id-conflict", _conflict(row), errors=[{"loc": ["id"], "msg": _conflict(row)}])
    return Answer(201 if outcome is Outcome.CREATED else 200, msgspec.json.encode({"id": row.external_id}))


def _list(environ: Environ, body: bytes, kind: Kind, sender: Caller, now: datetime) -> Answer:
    """207: how many were new, how many known, and what is wrong with the rest. An empty list is no error."""
    rejected: list[tuple[int, list[FieldError]]] = []
    places: list[int] = []
    rows: list[Row] = []
    who = Sender(sender.key_id, sender.party)
    try:
        found = kind.reader.many(body, now)
    except Problem:
        spend(environ, sender, Call.REPORT)
        raise
    spend(environ, sender, Call.REPORT, len(found))
    for index, read in enumerate(found):
        agent_id = None if isinstance(read, list) else sender.find_agent(read.sent.agent or None)
        if isinstance(read, list):
            rejected.append((index, read))
        elif agent_id is None:
            rejected.append((index, [{"loc": ["agent"], "msg": _no_agent(read.sent.agent or None).detail}]))
        else:
            places.append(index)
            rows.append(kind.row(read, agent_id, who))
    outcomes = store(kind.table, rows)
    for index, row, outcome in zip(places, rows, outcomes, strict=True):
        if outcome is Outcome.CONFLICT:
            rejected.append((index, [{"loc": ["id"], "msg": _conflict(row)}]))
    answer = {
        "accepted": outcomes.count(Outcome.CREATED),
        "duplicates": outcomes.count(Outcome.DUPLICATE),
        "rejected": [
            {"index": index, "errors": errors} for index, errors in sorted(rejected, key=lambda pair: pair[0])
        ],
    }
    return Answer(207, msgspec.json.encode(answer))


def _no_agent(slug: str | None) -> Problem:
    if slug is None:
        return Invalid([{"loc": ["agent"], "msg": "Required: this key is for all agents."}])
    return NotFound(f"There is no agent “{slug}” for this key.")


def _conflict(row: Row) -> str:
    return f"Another report was stored under the id “{row.external_id}” before."
