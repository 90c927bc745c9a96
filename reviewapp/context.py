"""What every page of the board shows around its own content."""

from dataclasses import replace
from time import monotonic

from django.conf import settings
from django.http import HttpRequest

from agents.freezing import frozen
from people.models import User
from proposals.queue import desk_of
from proposals.rollouts.glance import glance_of
from reviewapp.health import degraded, signs

GRACE_S = 30.0
"""A board that has just started is not out of order: worker and scheduler follow within seconds."""
_STARTED = monotonic()
_GIVEN_AT_TIMES = [
    *("away", "answer", "behind", "choose", "device_font", "exclusion", "excluding", "explain", "hint"),
    *("others", "plain", "quiet", "quote", "since", "swap", "unit"),
]
UNSET = dict.fromkeys(_GIVEN_AT_TIMES)
"""What some templates are given at times only. Looking for a name that nothing has takes ten times as long as finding
that it is None, and a page of many lines looks for hundreds.
"""


def board(request: HttpRequest) -> dict[str, object]:
    """For people signed in: what waits for them, what is out of order or frozen, and whether one may decide alone."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {**UNSET}
    found, glance, sees = signs(), glance_of(request, user), user.has_perm("proposals.view_proposal")
    return {
        **UNSET,
        "turn_count": len(desk_of(request)) if sees else 0,
        "gate_count": glance.waiting if sees else 0,
        "frozen": frozen() if glance.is_frozen else None,
        "damage": found.damage,
        "degraded": degraded(replace(found, fault=None)) if monotonic() - _STARTED > GRACE_S else [],
        "single_operator": settings.COUNTERSIGN_SINGLE_OPERATOR,
    }
