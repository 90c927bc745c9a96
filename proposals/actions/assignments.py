"""Who is asked to look after a proposal. An assignment narrows whose turn it is; it gives nobody a right."""

from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from agents.reach import may_act_on
from audit.record import Actor, record
from people.exceptions import TeamError
from people.models import Team, User
from people.roles import PERMISSIONS, Role, holders
from people.teams import lock_team
from proposals.actions.locking import lock
from proposals.authority import policies
from proposals.exceptions import Invalid, NotAllowed, NotPending
from proposals.models import Assignment, Proposal

DECIDE = "proposals.decide_proposal"
Asked = User | Group | Team
"""Who can be asked to decide."""


def roles_to_ask() -> list[str]:
    """Names of the roles that may decide."""
    return [role.value for role in Role if DECIDE in PERMISSIONS[role]]


@transaction.atomic
def assign(proposal_id: int, *, user: User, to: Asked) -> bool:
    """Ask a person, a role or a team to decide; False if they were asked already.

    Raises NotAllowed, NotPending, and Invalid("to") for whoever could not decide.
    """
    proposal = _open_for(proposal_id, user)
    _refuse_unable(proposal, to)
    assignment, made = Assignment.objects.get_or_create(proposal=proposal, **_named(to))
    if made:
        _record(proposal, "proposal.assigned", user, {"to": str(assignment)})
    return made


@transaction.atomic
def unassign(proposal_id: int, *, user: User, assignment_id: int) -> bool:
    """Take an assignment back; False if it was gone already. Raises NotAllowed, NotPending."""
    proposal = _open_for(proposal_id, user)
    assignment = proposal.assignments.select_related("user", "group", "team").filter(pk=assignment_id).first()
    if assignment is None:
        return False
    _record(proposal, "proposal.unassigned", user, {"to": str(assignment)})
    assignment.delete()
    return True


def _named(to: Asked) -> dict[str, Any]:
    match to:
        case User():
            return {"user": to}
        case Team():
            return {"team": to}
    return {"group": to}


def _open_for(proposal_id: int, user: User) -> Proposal:
    if not user.has_perm("proposals.propose_change"):
        raise NotAllowed("Assigning needs the role reviewer, operator or admin.")
    proposal = lock(proposal_id, by=user)
    if not proposal.is_open:
        raise NotPending(f"This proposal is {proposal.get_status_display().lower()} already; nobody has to decide it.")
    return proposal


def _refuse_unable(proposal: Proposal, to: Asked) -> None:
    if isinstance(to, Team):
        _refuse_unable_team(proposal, to)
        return
    if isinstance(to, Group):
        if to.name not in roles_to_ask():
            raise Invalid("to", f"The role {to.name} does not decide.")
        return
    if not holders(DECIDE).filter(pk=to.pk).exists():
        raise Invalid("to", f"{to} does not decide: that needs the role reviewer or admin.")
    if not may_act_on(to, proposal.document.agent):
        raise Invalid("to", f"{to} does not see it: {_whose(proposal)}.")
    if not policies.may_decide(to, proposal).allowed:
        raise Invalid("to", f"{to} cannot decide “{proposal}”: they wrote, proposed, asked for or mostly reported it.")


def _refuse_unable_team(proposal: Proposal, team: Team) -> None:
    """Raises Invalid unless somebody in it could decide."""
    try:
        lock_team(team.pk)
    except TeamError as dissolved:
        raise Invalid("to", str(dissolved)) from None
    deciding = list(holders(DECIDE).filter(teams=team))
    if not deciding:
        raise Invalid("to", f"Nobody in the team {team} decides: that needs the role reviewer or admin.")
    deciding = [person for person in deciding if may_act_on(person, proposal.document.agent)]
    if not deciding:
        raise Invalid("to", f"Nobody who decides in the team {team} sees it: {_whose(proposal)}.")
    if not any(policies.may_decide(person, proposal).allowed for person in deciding):
        raise Invalid(
            "to", f"Nobody in the team {team} can decide “{proposal}”: they wrote, asked for or mostly reported it."
        )


def _whose(proposal: Proposal) -> str:
    agent = proposal.document.agent
    return f"{agent} is the team {agent.team}’s"


def _record(proposal: Proposal, verb: str, user: User, after: dict[str, object]) -> None:
    record(
        verb,
        actor=Actor.person(user),
        target=proposal,
        agent=proposal.document.agent.slug,
        document=proposal.document.slug,
        proposal=proposal.pk,
        after=after,
    )
