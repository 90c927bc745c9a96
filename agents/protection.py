"""Protect sections and name their owners."""

from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction

from agents.exceptions import AgentError
from agents.models import Agent, Document, Section
from agents.reach import may_act_on, those_who_act_on
from agents.sections import heading_key, parse
from agents.versions import lock_document
from audit.record import Actor, record
from people.exceptions import TeamError
from people.models import Team, User
from people.roles import holders
from people.teams import lock_team

DECIDE: Final = "proposals.decide_proposal"
_LONGEST_HEADING: Final = 200
_NO_WISH: Final[dict[str, None]] = {"lift_asked_by": None, "lift_asked_at": None}
"""Whoever asked to lift the protection asks anew when it is another one."""


class CannotProtect(AgentError):
    """There is no such section, or nobody who could approve a change to it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@transaction.atomic
def protect(
    document: Document, heading: str, *, owners: Iterable[User], teams: Iterable[Team] = (), actor: Actor
) -> Section:
    """Protect the section under this heading: machines may not touch it, people need two approvals, one an owner's.

    Each member of one of `teams` is an owner. A section protected already gets these owners instead. Raises
    CannotProtect.
    """
    people = sorted(set(owners), key=lambda person: person.username)
    of_teams = [_standing_team(team) for team in sorted(set(teams), key=lambda team: team.pk)]
    lock_document(document.pk)  # an approval on its way is either finished by now, or sees the protection
    document = Document.objects.select_related("agent__team", "current").get(pk=document.pk)
    _require_owners(people, of_teams, document.agent)
    name = _standing(document, heading)
    Section.objects.get_or_create(document=document, heading=name)
    section = _locked(document, name)
    before = _facts(section)
    after = _said([person.username for person in people], [team.name for team in of_teams], is_protected=True)
    if before != after:
        Section.objects.filter(pk=section.pk).update(is_protected=True, **_NO_WISH)
        section.owners.set(people)
        section.owner_teams.set(of_teams)
        record_on("section.protected", section, actor, before, after)
    section.is_protected = True
    return section


@transaction.atomic
def unprotect(document: Document, heading: str, *, actor: Actor, **how: str | bool) -> bool:
    """Make the section one like any other; False when it was. It keeps no owners. `how` goes on the log with it.

    Two people lift a protection together by `agents.lifting`. Raises Section.DoesNotExist.
    """
    lock_document(document.pk)
    section = _locked(document, heading)
    before = _facts(section)
    if not Section.objects.filter(pk=section.pk, is_protected=True).update(is_protected=False, **_NO_WISH):
        return False
    section.owners.clear()
    section.owner_teams.clear()
    record_on("section.unprotected", section, actor, before, _said([], [], is_protected=False) | how)
    return True


def headings(document: Document) -> list[str]:
    """The headings of the current text that can be protected, in order, each once; none where it is no prompt."""
    if document.kind != Document.Kind.PROMPT or document.current is None:
        return []
    found = dict.fromkeys(section.heading for section in parse(document.current.text))
    return [heading for heading in found if 0 < len(heading) <= _LONGEST_HEADING]


def _standing(document: Document, heading: str) -> str:
    """The heading as it stands in the current text. Raises CannotProtect."""
    there = headings(document)
    found = [name for name in there if heading_key(name) == heading_key(heading)]
    if not found:
        known = f"There are: {', '.join(there[:20])}." if there else "Only a heading of a prompt can be protected."
        raise CannotProtect("heading", f"{document} has no section “{heading[:80]}”. {known}")
    return heading if heading in found else found[0]


def _standing_team(team: Team) -> Team:
    """The team, which stays as it is until the transaction ends. Raises CannotProtect for one that was dissolved."""
    try:
        return lock_team(team.pk)
    except TeamError as dissolved:
        raise CannotProtect("teams", str(dissolved)) from None


def _require_owners(people: list[User], teams: list[Team], agent: Agent) -> None:
    """Raises CannotProtect when there is none, or one whose approval would not count."""
    for team in teams:
        deciding = holders(DECIDE).filter(teams=team)
        if not deciding.exists():
            raise CannotProtect("teams", f"{team} cannot be an owner: nobody in it has the role reviewer or admin.")
        if not those_who_act_on(agent, deciding).exists():
            raise CannotProtect("teams", f"{team} cannot be an owner: {agent} is the team {agent.team}’s.")
    if not people and not teams:
        raise CannotProtect("owners", "A protected section needs an owner, or nobody could ever change it.")
    for person in people:
        if not person.is_active or not person.has_perm(DECIDE):
            raise CannotProtect("owners", f"{person} cannot be an owner: approving needs the role reviewer or admin.")
        if not may_act_on(person, agent):
            raise CannotProtect("owners", f"{person} cannot be an owner: {agent} is the team {agent.team}’s.")


def _locked(document: Document, heading: str) -> Section:
    rows = Section.objects.select_for_update(no_key=True, of=("self",)).select_related("document__agent")
    return rows.get(document=document, heading=heading)


def _facts(section: Section) -> dict[str, Any]:
    owners = section.owners.order_by("username").values_list("username", flat=True)
    teams = section.owner_teams.order_by("pk").values_list("name", flat=True)
    return _said(list(owners), list(teams), is_protected=section.is_protected)


def _said(owners: list[str], teams: list[str], *, is_protected: bool) -> dict[str, Any]:
    """As the log keeps it; teams only where there are any."""
    return {"protected": is_protected, "owners": owners} | ({"teams": teams} if teams else {})


def record_on(
    verb: str,
    section: Section,
    actor: Actor,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write one entry about a section, which comes with its document and agent, into the log."""
    document = section.document
    agent = document.agent.slug
    record(verb, actor=actor, target=section, agent=agent, document=document.slug, before=before, after=after)
