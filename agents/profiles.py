"""Choose how an agent's drafts are timed, instead of leaving it to its runs a day."""

from typing import Any, Final

from django.db import transaction

from agents.exceptions import AgentError
from agents.models import Agent
from agents.reach import require_act
from agents.traffic import Traffic
from audit.record import Actor, record
from people.models import User

SET_TRAFFIC: Final = "agents.set_traffic"
LIMITS: Final = {"reports": (1, 10_000), "window_h": (1, 24 * 365), "cooldown_h": (0, 24 * 365)}
"""Least and most of each number that can be set."""


class CannotSet(AgentError):
    """A profile that nobody could mean, or a person who may not set it; `field` is what it is about, if anything."""

    def __init__(self, message: str, *, field: str = "") -> None:
        self.field = field
        super().__init__(message)


@transaction.atomic
def set_traffic(
    agent_id: int,
    *,
    user: User,
    traffic: str = "",
    reports: int | None = None,
    window_h: int | None = None,
    cooldown_h: int | None = None,
) -> Agent:
    """Set an agent's profile and numbers; what is empty follows the runs a day, or the profile. Raises CannotSet,
    OutOfReach.
    """
    if not user.has_perm(SET_TRAFFIC):
        raise CannotSet("Setting this needs the role operator or admin.")
    if traffic and traffic not in set(Traffic):
        raise CannotSet("Choose one of the profiles, or leave it to the runs a day.", field="traffic")
    numbers = {"reports": reports, "window_h": window_h, "cooldown_h": cooldown_h}
    for name, number in numbers.items():
        least, most = LIMITS[name]
        if number is not None and not least <= number <= most:
            raise CannotSet(f"Give a number from {least} to {most}.", field=name)
    agent = Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
    require_act(user, agent_id)
    before = _facts(agent)
    agent.traffic = traffic
    agent.draft_reports, agent.draft_window_h, agent.draft_cooldown_h = reports, window_h, cooldown_h
    after = _facts(agent)
    if after == before:
        raise CannotSet("That is how it is set already.")
    agent.save(update_fields=["traffic", "draft_reports", "draft_window_h", "draft_cooldown_h"])
    record(
        "agent.traffic_set",
        actor=Actor.person(user),
        target=agent,
        agent=agent.slug,
        before=before,
        after=after,
    )
    return agent


def _facts(agent: Agent) -> dict[str, Any]:
    return {
        "traffic": agent.traffic,
        "reports": agent.draft_reports,
        "window_h": agent.draft_window_h,
        "cooldown_h": agent.draft_cooldown_h,
    }
