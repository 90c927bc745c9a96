"""Whose agent it is: a team's, or everybody's."""

from typing import Final

from django.db import transaction

from agents.exceptions import AgentError
from agents.models import Agent
from audit.record import Actor, record
from people.exceptions import TeamError
from people.teams import lock_team

MANAGE: Final = "agents.manage_agent"


class CannotGive(AgentError):
    """There is no such team any more."""


@transaction.atomic
def give_to_team(agent_id: int, team_id: int | None, *, actor: Actor) -> bool:
    """Make the agent this team's, or everybody's where `team_id` is None; False when it was.

    Raises CannotGive, Agent.DoesNotExist, Team.DoesNotExist.
    """
    try:
        team = lock_team(team_id) if team_id else None
    except TeamError as dissolved:
        raise CannotGive(str(dissolved)) from None
    # Locked harder than other changes of an agent are, so that whoever acts on it by now is waited for; see `reach`.
    agent = Agent.objects.select_for_update(of=("self",)).select_related("team").get(pk=agent_id)
    before = agent.team
    if before == team:
        return False
    Agent.objects.filter(pk=agent.pk).update(team=team)
    record(
        "agent.team_set",
        actor=actor,
        target=agent,
        agent=agent.slug,
        before={"team": before.name if before else None},
        after={"team": team.name if team else None},
    )
    return True
