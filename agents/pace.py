"""How often something new goes out for one agent: so many releases within a day, whoever approves them.

A release is a version out of a proposal, whether it is current at once or served to a few first. Going back is none.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import DateTimeField
from django.utils import timezone

from agents.compiled import Compiled, Given, keys
from agents.models import Agent, Version
from audit.numbers import counted

DAY: Final = timedelta(days=1)
MOST: Final = 1000


_RELEASED: Final[Compiled[Any]] = Compiled(
    lambda: (
        Version.objects.filter(
            **{"document__agent__pk__any_of": keys("agents")},
            origin=Version.Origin.PROPOSAL,
            created_at__gt=Given("since", DateTimeField()),
        )
        .order_by("-created_at")
        .values_list("document__agent", "created_at")
    )
)


def limit_of(agent: Agent) -> int:
    """How many may go out within a day; 0: no limit."""
    own: int | None = agent.releases_a_day
    return settings.COUNTERSIGN_RELEASES_A_DAY if own is None else own


def limit_in_words(agent: Agent) -> str:
    """“at most 20 releases within 24 hours”."""
    return words(limit_of(agent))


def words(limit: int) -> str:
    """The same for a number."""
    return f"at most {counted(limit, 'release')} within 24 hours" if limit else "no limit"


def full_until(agents: Collection[Agent]) -> dict[int, datetime]:
    """When the next release is possible, by the key of each agent that has had all of today's. One query.

    Whoever asks in order to release holds the locks of `agents.versions.lock_documents`.
    """
    limits = {agent.pk: limit for agent in agents if (limit := limit_of(agent))}
    if not limits:
        return {}
    times: dict[int, list[datetime]] = {}
    for agent, at in _RELEASED.ask(agents=list(limits), since=timezone.now() - DAY):
        times.setdefault(agent, []).append(at)
    return {agent: found[limits[agent] - 1] + DAY for agent, found in times.items() if len(found) >= limits[agent]}


def full(agent: Agent) -> str:
    """Why nothing more goes out for this agent today, and from when on it can; empty where it can now."""
    until = full_until([agent]).get(agent.pk)
    return in_words(agent, until) if until else ""


def in_words(agent: Agent, until: datetime) -> str:
    """“Support gets at most 20 releases within 24 hours. The next is possible on 3 May, 10:42 UTC.”"""
    return f"{agent} gets {limit_in_words(agent)}. The next is possible on {until:%-d %B, %H:%M} UTC."
