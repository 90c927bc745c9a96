"""What reports say, as those read it who name a pattern: of one, or of many patterns at once without a model each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from feedback.actions import columns
from feedback.mining.cleaning import MAX_CHARS


class Speech(Protocol):
    """What naming reads of feedback."""

    @property
    def reason(self) -> str: ...
    @property
    def reason_code(self) -> str: ...
    @property
    def correction(self) -> str: ...
    @property
    def edited_output(self) -> str: ...
    @property
    def output(self) -> str: ...
    @property
    def predicted(self) -> str: ...
    @property
    def expected(self) -> str: ...


class Failure(Protocol):
    """What naming reads of a run."""

    @property
    def error(self) -> str: ...
    @property
    def error_type(self) -> str: ...


class Spoken(Protocol):
    """One report, from whom, and what it says: a piece of evidence, or what was read of it."""

    @property
    def source(self) -> bytes | memoryview: ...
    @property
    def feedback(self) -> Speech | None: ...
    @property
    def run(self) -> Failure | None: ...


class _Speech(NamedTuple):
    reason: str
    reason_code: str
    correction: str
    edited_output: str
    output: str
    predicted: str
    expected: str


class _Failure(NamedTuple):
    error: str
    error_type: str


class _Spoken(NamedTuple):
    source: bytes
    feedback: _Speech | None
    run: _Failure | None


_NEWEST: Final = """
    SELECT asked.id, e.source, e.feedback_id IS NOT NULL, r.error, r.error_type,
        left(f.reason, %s), f.reason_code, left(f.correction, %s), left(f.edited_output, %s),
        left(f.output, %s), f.predicted, f.expected
    FROM unnest(%s::bigint[], %s::int[]) AS asked (id, most)
    CROSS JOIN LATERAL (
        SELECT id, at, source, feedback_id, run_id FROM feedback_evidence WHERE pattern_id = asked.id
        ORDER BY at DESC, id DESC LIMIT asked.most
    ) AS e
    LEFT JOIN feedback_feedback f ON f.id = e.feedback_id
    LEFT JOIN feedback_run r ON r.id = e.run_id
    ORDER BY asked.id, e.at DESC, e.id DESC
"""


def newest(most: Mapping[int, int]) -> Mapping[int, Sequence[Spoken]]:
    """Of each of these patterns the newest reports, so many at most, the newest first. One query.

    Of what people wrote comes as much as anybody looks at.
    """
    found: dict[int, list[Spoken]] = defaultdict(list)
    rows = columns.run(_NEWEST, list(most.items()), *[MAX_CHARS] * 4)
    for pattern, source, is_feedback, error, error_type, *said in rows:
        run = None if is_feedback else _Failure(error, error_type)
        found[pattern].append(_Spoken(source, _Speech(*said) if is_feedback else None, run))
    return found
