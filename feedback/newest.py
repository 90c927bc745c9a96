"""The newest reports of a pattern, read once for all that a pattern says about itself."""

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from agents import statements
from feedback.models import Pattern

READ: Final = 300
TEXTS: Final = 80
TEXT: Final = 400

_ASKED: Final = """
    SELECT e.id, e.source, e.run_id IS NOT NULL, said.rating, said.reason_code, said.signals, said.correction <> '',
           coalesce(said.version, own.version), coalesce(nullif(own.tool, ''), behind.tool, ''),
           coalesce(nullif(own.task, ''), behind.task, ''),
           CASE WHEN e.place > %(texts)s THEN '' ELSE left(coalesce(
               nullif(said.correction, ''), nullif(said.edited_output, ''), nullif(said.reason, ''),
               nullif(said.input, ''), own.error, ''), %(text)s) END
    FROM (
        SELECT id, source, run_id, feedback_id, row_number() OVER (ORDER BY at DESC, id DESC) AS place
        FROM feedback_evidence WHERE pattern_id = %(pattern)s ORDER BY at DESC, id DESC LIMIT %(read)s
    ) AS e
    LEFT JOIN feedback_run AS own ON own.id = e.run_id
    LEFT JOIN feedback_feedback AS said ON said.id = e.feedback_id
    LEFT JOIN feedback_run AS behind
        ON said.run_id <> '' AND behind.agent_id = %(agent)s AND behind.external_id = said.run_id
    ORDER BY e.place
"""

_TYPES: Final = {"pattern": "bigint", "agent": "bigint"}


class Report(NamedTuple):
    """One report: who it came from, what it says of how bad it is, and where it happened, by the run behind it, too.

    `pk` is that of its evidence, `text` what it says in words, cut off, and read of the first TEXTS only.
    """

    pk: int
    source: bytes
    failed: bool
    rating: str
    reason_code: str
    signals: Mapping[str, object] | None
    is_corrected: bool
    version: int | None
    tool: str
    task: str
    text: str


def newest(pattern: Pattern) -> list[Report]:
    """At most READ, newest first; one query."""
    asked = {"pattern": pattern.pk, "agent": pattern.agent_id, "read": READ, "texts": TEXTS, "text": TEXT}
    return [
        Report(pk, bytes(source), failed, rating or "", code or "", _read(sent), bool(corrected), *rest)
        for pk, source, failed, rating, code, sent, corrected, *rest in statements.ask(_ASKED, _TYPES, asked)
    ]


def _read(sent: str | None) -> Mapping[str, object] | None:
    found: Mapping[str, object] | None = json.loads(sent) if sent else None
    return found
