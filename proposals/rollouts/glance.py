"""What every page shows of rollouts: how many ask for a person, and whether all is frozen. One question for both."""

from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.http import HttpRequest

from agents.reach import unseen
from people.models import User
from proposals.models import Rollout

_ASK: Final = """
    SELECT (SELECT count(*) FROM proposals_rollout WHERE state = ANY(%s) AND (state = %s OR asks = ANY(%s)) {but}),
           EXISTS (SELECT FROM agents_freeze WHERE lifted_at IS NULL)
"""
_BUT: Final = """
    AND split_id NOT IN (
        SELECT s.id FROM agents_split s JOIN agents_document d ON d.id = s.document_id WHERE d.agent_id = ANY(%s))
"""


@dataclass(frozen=True, slots=True)
class Glance:
    """How many rollouts ask for a person; whether nothing may happen by itself."""

    waiting: int
    is_frozen: bool


def glance_of(request: HttpRequest, user: User) -> Glance:
    """The same wherever in a request it is wanted. One query."""
    if not hasattr(request, "glance"):
        live, urgent = [state.value for state in Rollout.LIVE], [asks.value for asks in Rollout.URGENT]
        with connection.cursor() as cursor:
            others = [list(unseen(user))] if unseen(user) else []
            question = _ASK.format(but=_BUT if others else "")
            cursor.execute(question, [live, Rollout.State.WAITING.value, urgent, *others])
            request.glance = Glance(*cursor.fetchone())  # type: ignore[attr-defined]
    glance: Glance = request.glance  # type: ignore[attr-defined]
    return glance
