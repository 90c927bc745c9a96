"""Whom an agent concerns: the one place that says who sees an agent of a team, and who acts on it.

An agent without a team is everybody's. One with a team is seen and acted upon by the team's members alone, besides
admins, who do both, and auditors, who see it. All that belongs to an agent goes with it. What somebody does still
takes the role for it: membership gives no right, it only takes none away.

Pages read what is hidden once for each request (`unseen`), and leave it out of every list (`within`). Actions ask the
database again in their own transaction (`require_act`), and hold agent and membership as they are until it ends.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.db import connection
from django.db.models import Q, QuerySet

from people.models import User
from people.roles import PERMISSIONS, SEE_EVERY_AGENT

if TYPE_CHECKING:
    from agents.models import Agent

SEE_ALL: Final = SEE_EVERY_AGENT
ACT_ON_ALL: Final = "agents.act_on_every_agent"
EVERYWHERE: Final = [role.value for role, names in PERMISSIONS.items() if ACT_ON_ALL in names]
"""The roles whose people act on every agent."""
R = TypeVar("R", bound="QuerySet[Any]")

_OTHERS: Final = """
    SELECT a.id, a.slug FROM agents_agent a WHERE a.team_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM people_team_members m WHERE m.team_id = a.team_id AND m.user_id = %s)
"""
# Whoever gives the agent to another team locks it harder, and whoever leaves a team deletes this very row: both wait.
# Counting an agent's runs does not.
_TEAM: Final = "SELECT team_id FROM agents_agent WHERE id = %s FOR KEY SHARE"
_MEMBER: Final = "SELECT 1 FROM people_team_members WHERE team_id = %s AND user_id = %s FOR KEY SHARE"


class OutOfReach(Exception):
    """The agent is another team's. To whoever asked it is as if it were not there."""


def unseen(user: User) -> Mapping[int, str]:
    """The agents this person does not see: key and slug. One query, none for who sees all; then remembered."""
    return {} if user.has_perm(SEE_ALL) else _others(user)


def untouchable(user: User) -> Mapping[int, str]:
    """The agents this person may do nothing about, in the same way."""
    return {} if user.has_perm(ACT_ON_ALL) else _others(user)


def _others(user: User) -> Mapping[int, str]:
    found: dict[int, str] | None = getattr(user, "_other_teams_agents", None)
    if found is None:
        with connection.cursor() as cursor:
            cursor.execute(_OTHERS, [user.pk])
            found = dict(cursor.fetchall())
        user._other_teams_agents = found  # type: ignore[attr-defined]  # as Django keeps permissions
    return found


def within(rows: R, user: User, link: str) -> R:
    """Those of these rows whose agent this person sees; `link` leads from a row to its agent, or to none."""
    hidden = unseen(user)
    return rows.exclude(**{f"{link}__in": list(hidden)}) if hidden else rows


def may_act_on(user: User, agent: "Agent") -> bool:
    """Whether the agent is this person's to act on; no query for one without a team."""
    return agent.team_id is None or agent.pk not in untouchable(user)


def require_act(user: User, agent_id: int) -> None:
    """Raises OutOfReach for an agent that is not this person's to act on; within a transaction, it stays theirs."""
    if user.has_perm(ACT_ON_ALL):
        return
    with connection.cursor() as cursor:
        cursor.execute(_TEAM, [agent_id])
        found = cursor.fetchone()
        if found is None or found[0] is None:
            return
        cursor.execute(_MEMBER, [found[0], user.pk])
        if cursor.fetchone() is None:
            raise OutOfReach(f"Agent {agent_id} is another team's.")


def those_who_act_on(agent: "Agent", people: "QuerySet[User]") -> "QuerySet[User]":
    """Those of these people whose agent it is to act on."""
    if agent.team_id is None:
        return people
    return people.filter(Q(teams=agent.team_id) | Q(groups__name__in=EVERYWHERE)).distinct()
