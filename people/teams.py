"""Teams: made, renamed, filled and dissolved. What they own says so itself; see `agents.teams`."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction

from audit.record import Actor, record
from people.exceptions import BadTeamName, TeamError
from people.models import Team, User


@transaction.atomic
def create_team(name: str, *, members: Iterable[User], actor: Actor) -> Team:
    """Make a team of these people. Raises BadTeamName, and TeamError for whoever is deactivated."""
    people = _fit(members)
    team = _named(Team(name=_clean(name)))
    team.members.set(people)
    record("team.created", actor=actor, target=team, after={"name": team.name, "members": _usernames(team)})
    return team


@transaction.atomic
def rename_team(team_id: int, name: str, *, actor: Actor) -> bool:
    """Call it otherwise; entries of the log keep the old name. False when it was called that already.

    Raises BadTeamName, TeamError for one that was dissolved, and Team.DoesNotExist.
    """
    team, name = lock_team(team_id), _clean(name)
    before = team.name
    if before == name:
        return False
    team.name = name
    _named(team)
    record("team.renamed", actor=actor, target=team, before={"name": before}, after={"name": name})
    return True


@transaction.atomic
def set_members(team_id: int, members: Iterable[User], *, actor: Actor) -> bool:
    """Give a team exactly these people; False when it had them. It holds from their next click on.

    Whoever is deactivated can stay, and not come in. Raises TeamError, and Team.DoesNotExist.
    """
    team = lock_team(team_id)
    before = _usernames(team)
    team.members.set(_fit(members, known=before))
    after = _usernames(team)
    if before == after:
        return False
    record("team.members_set", actor=actor, target=team, before={"members": before}, after={"members": after})
    return True


@transaction.atomic
def dissolve(team_id: int, *, actor: Actor) -> None:
    """End a team for good; its name is free again, and what waits for it waits for everybody.

    Raises TeamError while it owns an agent or a protected section, and when it was dissolved already.
    """
    team = lock_team(team_id)
    if agent := team.agents.order_by("name").first():
        raise TeamError(f"{team} owns {agent}. Give its agents to another team, or to nobody, first.")
    if section := team.owned_sections.filter(is_protected=True).select_related("document__agent").first():
        where = f"“{section}” of {section.document} of {section.document.agent}"
        raise TeamError(f"{team} owns the protected section {where}. Name other owners first.")
    before = {"members": _usernames(team), "active": True}
    Team.objects.filter(pk=team.pk).update(is_active=False)
    team.members.clear()
    record("team.dissolved", actor=actor, target=team, before=before, after={"members": [], "active": False})


def lock_team(team_id: int) -> Team:
    """The team, which keeps its name, people and state until the transaction ends. Raises TeamError if dissolved."""
    team = Team.objects.select_for_update(no_key=True).get(pk=team_id)
    if not team.is_active:
        raise TeamError(f"{team} was dissolved; make a new team.")
    return team


def _clean(name: str) -> str:
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise BadTeamName("Give the team a name of letters, digits and signs.")
    return name


def _named(team: Team) -> Team:
    """The team, saved with its name. Raises BadTeamName when another has it, in whatever case."""
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError:
        raise BadTeamName(f"There is a team {team} already.") from None
    return team


def _fit(members: Iterable[User], known: Iterable[str] = ()) -> list[User]:
    people = list(members)
    for person in people:
        if not person.is_active and person.username not in known:
            raise TeamError(f"{person} is deactivated and cannot join a team.")
    return people


def _usernames(team: Team) -> list[str]:
    return list(team.members.order_by("username").values_list("username", flat=True))
