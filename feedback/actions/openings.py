"""How many patterns one owner of keys may have shown that nobody else reported: so that no key floods the list.

A candidate known from the keys of one owner alone opens while fewer than COUNTERSIGN_OPEN_PATTERNS of theirs are open;
beyond that it waits for somebody else's report, or for room. What came by no key counts for nobody.
"""

from collections.abc import Collection, Sequence
from typing import Final

from django.conf import settings
from django.db.models import Count

from feedback.actions import columns
from feedback.models import Pattern

_ALONE: Final = """
    SELECT e.pattern_id, min(k.owner_id) FROM feedback_evidence e
    LEFT JOIN feedback_feedback f ON f.id = e.feedback_id LEFT JOIN feedback_run r ON r.id = e.run_id
    LEFT JOIN agents_apikey k ON k.id = coalesce(f.key_id, r.key_id)
    WHERE e.pattern_id = ANY(%s) GROUP BY e.pattern_id HAVING count(DISTINCT coalesce(k.owner_id, 0)) = 1
"""


def held_back(patterns: Sequence[Pattern]) -> set[int]:
    """Of patterns that recur the candidates that have to wait; notes of each who alone reported it, and does not save.

    At most two queries, none without a candidate.
    """
    opening = [one for one in patterns if one.status == Pattern.Status.CANDIDATE]
    if not opening or not settings.COUNTERSIGN_OPEN_PATTERNS:
        return set()
    owners = dict(columns.read(_ALONE, [[one.pk for one in opening]]))
    left = room({owner for owner in owners.values() if owner})
    held = set()
    for one in opening:
        one.only_from_id = owners.get(one.pk)
        if one.only_from_id:
            left[one.only_from_id] -= 1
            if left[one.only_from_id] < 0:
                held.add(one.pk)
    return held


def room(owners: Collection[int]) -> dict[int, int]:
    """How many more patterns each of these may have open, below 0 where the setting was lowered since."""
    if not owners:
        return {}
    shown = Pattern.objects.filter(only_from__in=owners, status=Pattern.Status.OPEN).order_by()
    counts = dict(shown.values_list("only_from").annotate(number=Count("*")))
    return {owner: settings.COUNTERSIGN_OPEN_PATTERNS - counts.get(owner, 0) for owner in owners}
