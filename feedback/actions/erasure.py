"""Erase what came from one end user: words, hashes and points go, counts and the log stay true.

Each report keeps what is counted: when it came, of which version, its rating, codes and labels. In the place of what
told whose it was stands chance, the same for all reports of one source, so that sources are still counted right.
Reports whose words retention took before are found by the sources that the name can have made.
"""

import os
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from agents.models import ApiKey
from audit.record import SYSTEM, Actor, record
from feedback.actions import locks
from feedback.actions.forgetting import ERASED, forget, labels, touched
from feedback.ingest.importing import SENDER
from feedback.ingest.rows import hashed, source
from feedback.models import Erasure, Feedback, Run, TextPoint
from people.models import User

WORDS: Final = {
    "feedback_feedback": "reason = '', correction = '', input = '', output = '', edited_output = '', user_hash = NULL",
    "feedback_run": "error = '', input_hash = '', output_hash = '', unit_hash = NULL",
}
_ERASE: Final = """
    UPDATE {table} r SET {words}, metadata = NULL, masked = NULL, source = m.source, digest = m.digest,
        erased_at = %(now)s, mined_at = COALESCE(mined_at, %(now)s)
    FROM unnest(%(keys)s::bigint[], %(sources)s::bytea[], %(digests)s::bytea[]) AS m(id, source, digest)
    WHERE r.id = m.id
"""
# All that a pattern has from the source, also reports whose words, and whose they were, retention took before: a source
# is counted in a pattern once, under one name.
_OF_EVIDENCE: Final = """
    UPDATE feedback_evidence e SET source = m.new FROM unnest(%(old)s::bytea[], %(new)s::bytea[]) AS m(old, new)
    WHERE e.source = m.old AND e.pattern_id IN (
        SELECT pattern_id FROM feedback_evidence WHERE feedback_id = ANY(%(feedback)s) OR run_id = ANY(%(runs)s))
    RETURNING e.pattern_id
"""
_OF_PATTERNS: Final = """
    UPDATE feedback_patternsource s SET source = m.new FROM unnest(%(old)s::bytea[], %(new)s::bytea[]) AS m(old, new)
    WHERE s.source = m.old AND s.pattern_id = ANY(%(patterns)s)
"""


@dataclass(frozen=True, slots=True)
class Gone:
    """What is being erased: the hash of the name, the keys of the feedback, and patterns that are named anew."""

    subject: bytes
    feedback: Sequence[int]
    patterns: Set[int]


ALSO: Final[list[Callable[[Gone], None]]] = []
"""What those who build on reports erase besides, in the same transaction."""


@transaction.atomic
def ask(name: str, *, actor: Actor) -> Erasure:
    """Have all erased that came in under this `user` or `unit`. Raises ValueError for an empty name."""
    if not name:
        raise ValueError("Give the user or unit as agents send it.")
    wish = Erasure.objects.create(subject=hashed(name), asked_by=actor.label[:200])
    record("subject.erasure_asked", actor=actor, target=wish)
    return wish


def carry_out() -> int:
    """Do all that is asked for; how many wishes were carried out. Another worker may do so at the same time."""
    done = 0
    for pk in Erasure.objects.filter(done_at=None).order_by("pk").values_list("pk", flat=True):
        done += _erase(pk)
    return done


@transaction.atomic
def _erase(pk: int) -> bool:
    wish = Erasure.objects.select_for_update().filter(pk=pk, done_at=None).first()
    if wish is None or wish.subject is None:
        return False
    subject = bytes(wish.subject)
    theirs = _theirs(subject)
    _hold_back_miners(theirs)
    found = {
        "feedback_feedback": list(Feedback.objects.filter(theirs["user_hash"]).values_list("pk", "source")),
        "feedback_run": list(Run.objects.filter(theirs["unit_hash"]).values_list("pk", "source")),
    }
    feedback, runs = ([key for key, _ in rows] for rows in found.values())
    holding = touched(feedback, runs)
    new = {bytes(source): ERASED + os.urandom(12) for rows in found.values() for _, source in rows}
    for table, rows in found.items():
        _take_words(table, [(key, new[bytes(source)]) for key, source in rows])
    _rename_sources(new, feedback, runs)
    labels(feedback)
    TextPoint.objects.filter(feedback__in=feedback).delete()
    named = forget(holding)
    for erase in ALSO:
        erase(Gone(subject, feedback, named))
    wish.subject, wish.done_at, wish.feedback, wish.runs = None, timezone.now(), len(feedback), len(runs)
    wish.save()
    record("subject.erased", actor=SYSTEM, target=wish, after={"feedback": wish.feedback, "runs": wish.runs})
    return True


def _theirs(subject: bytes) -> dict[str, Q]:
    """Whose reports these are, by the column of the hash; where retention took that, by the sources they can be."""
    owners = User.objects.values_list("pk", flat=True)
    parties = {ApiKey(owner_id=owner).party for owner in owners} | {SENDER.party}
    sources = [source(party, subject) for party in parties]
    return {column: Q(**{column: subject}) | Q(source__in=sources) for column in ("user_hash", "unit_hash")}


def _hold_back_miners(theirs: Mapping[str, Q]) -> None:
    """Or one that read a report before would link it with the old source afterwards."""
    agents = set(Feedback.objects.filter(theirs["user_hash"]).values_list("agent", flat=True))
    agents |= set(Run.objects.filter(theirs["unit_hash"]).values_list("agent", flat=True))
    for agent in sorted(agents):
        locks.one_miner(agent)


def _take_words(table: str, rows: Sequence[tuple[int, bytes]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _ERASE.format(table=table, words=WORDS[table]),
            {
                "now": timezone.now(),
                "keys": [key for key, _ in rows],
                "sources": [source for _, source in rows],
                "digests": [os.urandom(32) for _ in rows],
            },
        )


def _rename_sources(new: dict[bytes, bytes], feedback: Sequence[int], runs: Sequence[int]) -> None:
    names = {"old": list(new), "new": list(new.values())}
    with connection.cursor() as cursor:
        cursor.execute(_OF_EVIDENCE, {**names, "feedback": list(feedback), "runs": list(runs)})
        patterns = sorted({row[0] for row in cursor.fetchall()})
        cursor.execute(_OF_PATTERNS, {**names, "patterns": patterns})
