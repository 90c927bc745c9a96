"""What every page shows of rollouts: how many ask for a person, and whether all is frozen. One question for both."""

from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.http import HttpRequest

from proposals.models import Rollout

_ASK: Final = """
    SELECT (SELECT count(*) FROM proposals_rollout WHERE state = ANY(%s) AND (state = %s OR asks = ANY(%s))),
           EXISTS (SELECT FROM agents_freeze WHERE lifted_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class Glance:
    """How many rollouts ask for a person; whether nothing may happen by itself."""

    waiting: int
    is_frozen: bool


def glance_of(request: HttpRequest) -> Glance:
    """The same wherever in a request it is wanted. One query."""
    if not hasattr(request, "glance"):
        live, urgent = [state.value for state in Rollout.LIVE], [asks.value for asks in Rollout.URGENT]
        with connection.cursor() as cursor:
            cursor.execute(_ASK, [live, Rollout.State.WAITING.value, urgent])
            request.glance = Glance(*cursor.fetchone())  # type: ignore[attr-defined]
    glance: Glance = request.glance  # type: ignore[attr-defined]
    return glance
