"""Set how many releases of an agent go out within a day."""

from django.db import transaction

from agents import pace
from agents.models import Agent
from agents.reach import require_act
from audit.record import Actor, record
from people.models import User
from proposals.exceptions import Invalid, NotAllowed


@transaction.atomic
def set_releases(agent_id: int, *, user: User, releases: int | None) -> Agent:
    """So many from now on; 0 is no limit, None leaves it to the board. Raises NotAllowed, Invalid, OutOfReach."""
    if not user.has_perm("proposals.manage_policy"):
        raise NotAllowed("Changing how many releases go out needs the role admin.")
    require_act(user, agent_id)
    if releases is not None and not 0 <= releases <= pace.MOST:
        raise Invalid("releases", f"Give a number from 0 to {pace.MOST}, or none to leave it to the board.")
    agent = Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
    before = agent.releases_a_day
    if before != releases:
        agent.releases_a_day = releases
        agent.save(update_fields=["releases_a_day"])
        _record(agent, user, before)
    return agent


def _record(agent: Agent, user: User, before: int | None) -> None:
    record(
        "agent.releases_set",
        actor=Actor.person(user),
        target=agent,
        agent=agent.slug,
        before={"releases_a_day": before},
        after={"releases_a_day": agent.releases_a_day},
    )
