"""New keys on probation: their reports are stored, grouped and shown, but carry no pattern by themselves.

A source that is known to a pattern from keys on probation alone is not counted towards what it takes to open the
pattern, or to draft from it. Once a trusted key reports the same source, or the probation ends, it is.
"""

from collections.abc import Iterable
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from agents.keys import record_on
from agents.models import ApiKey
from agents.reach import require_act
from audit.record import SYSTEM, Actor
from feedback.actions import columns, lifecycle
from feedback.models import Feedback, Pattern, Run
from people.models import User

_UNPROVEN: Final = """
    SELECT pattern_id, count(*) FROM (
        SELECT e.pattern_id FROM feedback_evidence e
        LEFT JOIN feedback_feedback f ON f.id = e.feedback_id LEFT JOIN feedback_run r ON r.id = e.run_id
        LEFT JOIN agents_apikey k ON k.id = coalesce(f.key_id, r.key_id)
            AND k.probation_until IS NOT NULL AND k.probation_ended_at IS NULL
        WHERE e.pattern_id = ANY(%s) GROUP BY e.pattern_id, e.source HAVING bool_and(k.id IS NOT NULL)
    ) AS unproven GROUP BY pattern_id
"""
_STORE: Final = """
    UPDATE feedback_pattern p SET unproven = new.unproven FROM unnest(%s::bigint[], %s::int[]) AS new (id, unproven)
    WHERE p.id = new.id
"""


def weigh(patterns: Iterable[Pattern]) -> None:
    """Note how many sources of each pattern are known from keys on probation alone, and store what changed.

    The caller has locked them and counted their evidence. Only where that matters: for patterns with enough sources.
    One query, and one more while some key is on probation.
    """
    enough = [one for one in patterns if one.sources >= settings.COUNTERSIGN_MIN_SOURCES]
    if not enough or not (any(one.unproven for one in enough) or ApiKey.objects.on_probation().exists()):
        return
    found = dict(columns.read(_UNPROVEN, [[one.pk for one in enough]]))
    changed = [one for one in enough if one.unproven != found.get(one.pk, 0)]
    for one in changed:
        one.unproven = found.get(one.pk, 0)
    columns.run(_STORE, [(one.pk, one.unproven) for one in changed])


def end_due() -> int:
    """End every probation whose time is over and of whose key enough reports count; how many that were."""
    due = list(ApiKey.objects.on_probation().filter(probation_until__lte=timezone.now()).order_by("pk"))
    return sum(end(key.prefix, actor=SYSTEM) for key in due if _accepted(key, key.probation_reports))


def _accepted(key: ApiKey, needed: int) -> bool:
    """Whether so many of its reports count: stored, and neither withdrawn nor excluded."""
    few = Feedback.objects.counted().filter(key=key).order_by().values("pk")[:needed]
    found = few.count() if needed else 0
    return found >= needed or found + Run.objects.filter(key=key, excluded_at=None)[: needed - found].count() >= needed


@transaction.atomic
def end(prefix: str, *, actor: Actor, by: User | None = None) -> bool:
    """Let the reports of a key count like any from now on; False when it is on no probation.

    `by` is the person who does so. Raises ApiKey.DoesNotExist, OutOfReach.
    """
    key = ApiKey.objects.select_related("agent", "owner").get(prefix=prefix)
    if by and key.agent_id is not None:
        require_act(by, key.agent_id)
    if not ApiKey.objects.on_probation().filter(pk=key.pk).update(probation_ended_at=timezone.now()):
        return False
    record_on("key.probation_ended", key, actor)
    held = Pattern.objects.filter(unproven__gt=0)
    _react(held.filter(agent=key.agent_id) if key.agent_id else held)
    return True


def _react(held: QuerySet[Pattern]) -> None:
    """What the sources that count now make of the patterns that waited for them."""
    rows = held.select_for_update(no_key=True, of=("self",)).select_related("agent").order_by("pk")
    patterns = list(rows.defer("centroid", "meaning"))
    weigh(patterns)
    lifecycle.react_all(filter(lifecycle.concerns, patterns), lifecycle.Dismissed())
