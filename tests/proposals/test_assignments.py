"""An assignment says whose turn it is; it gives nobody a right."""

import pytest
from django.contrib.auth.models import Group

from audit.models import AuditEntry
from audit.record import SYSTEM
from people.models import User
from people.roles import Role
from people.teams import create_team, dissolve, set_members
from proposals import queue
from proposals.actions.assignments import assign, unassign
from proposals.actions.decisions import approve
from proposals.actions.proposals import amend
from proposals.authority import policies
from proposals.exceptions import Invalid, NotAllowed, NotPending
from proposals.models import Assignment, Proposal
from tests.cast import PROMPT, digest_of

pytestmark = pytest.mark.django_db


def waits_for(proposal: Proposal, *people: User) -> list[str]:
    """Who of these has it on their list."""
    fresh = [User.objects.get(pk=person.pk) for person in people]
    return [person.username for person in fresh if proposal.pk in queue.waiting_for(person)]


def test_an_assigned_proposal_waits_for_its_assignee_only_but_others_may_still_decide(
    pending: Proposal, mara: User, jonas: User, aiko: User
) -> None:
    assert waits_for(pending, mara, jonas) == ["mara", "jonas"]
    assert assign(pending.pk, user=aiko, to=jonas)
    assert waits_for(pending, mara, jonas) == ["jonas"]
    assert policies.may_decide(mara, pending).allowed
    entry = AuditEntry.objects.get(verb="proposal.assigned")
    assert entry.fact["after"] == {"to": "Jonas Weber"}


def test_assigning_again_changes_nothing(pending: Proposal, mara: User, jonas: User) -> None:
    assert assign(pending.pk, user=mara, to=jonas)
    assert not assign(pending.pk, user=mara, to=jonas)
    assert Assignment.objects.count() == 1
    assert AuditEntry.objects.filter(verb="proposal.assigned").count() == 1


def test_a_role_stands_for_its_people(pending: Proposal, mara: User, ada: User) -> None:
    assign(pending.pk, user=mara, to=Group.objects.get(name=Role.ADMIN))
    assert waits_for(pending, mara, ada) == ["ada"]


def test_no_assignment_puts_on_a_list_what_policy_forbids(pending: Proposal, mara: User, jonas: User) -> None:
    assign(pending.pk, user=mara, to=Group.objects.get(name=Role.REVIEWER))
    amend(pending.pk, user=mara, text=PROMPT.replace("30 days", "2 weeks"), note="", digest=digest_of(pending))
    assert waits_for(pending, mara, jonas) == ["jonas"]


def test_when_no_assignee_can_decide_any_more_it_is_everybodys_turn(
    pending: Proposal, mara: User, jonas: User, ada: User
) -> None:
    assign(pending.pk, user=mara, to=jonas)
    amend(pending.pk, user=jonas, text=PROMPT.replace("30 days", "2 weeks"), note="", digest=digest_of(pending))
    assert waits_for(pending, mara, jonas, ada) == ["mara", "ada"]
    assign(pending.pk, user=mara, to=ada)
    assert waits_for(pending, mara, jonas, ada) == ["ada"]
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert waits_for(pending, mara, jonas) == ["mara"]


@pytest.mark.parametrize("who", ["aiko", "luis"])
def test_only_somebody_who_could_decide_is_asked(
    pending: Proposal, mara: User, who: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(Invalid):
        assign(pending.pk, user=mara, to=request.getfixturevalue(who))
    assert not Assignment.objects.exists()


def test_the_author_of_a_revision_is_not_asked(pending: Proposal, mara: User, jonas: User) -> None:
    amend(pending.pk, user=jonas, text=PROMPT.replace("30 days", "2 weeks"), note="", digest=digest_of(pending))
    with pytest.raises(Invalid, match="cannot decide"):
        assign(pending.pk, user=mara, to=jonas)


def test_an_auditor_assigns_nobody_and_nothing_decided_is_assigned(pending: Proposal, mara: User, luis: User) -> None:
    with pytest.raises(NotAllowed):
        assign(pending.pk, user=luis, to=mara)
    approve(pending.pk, user=mara, digest=digest_of(pending))
    with pytest.raises(NotPending):
        assign(pending.pk, user=mara, to=mara)


def test_an_assignment_is_taken_back_once(pending: Proposal, mara: User, jonas: User) -> None:
    assign(pending.pk, user=mara, to=jonas)
    number = Assignment.objects.get().pk
    assert unassign(pending.pk, user=mara, assignment_id=number)
    assert not unassign(pending.pk, user=mara, assignment_id=number)
    assert waits_for(pending, mara, jonas) == ["mara", "jonas"]
    assert AuditEntry.objects.filter(verb="proposal.unassigned").count() == 1


def test_a_team_stands_for_its_members_as_long_as_one_can_decide(
    pending: Proposal, mara: User, jonas: User, ada: User, aiko: User
) -> None:
    team = create_team("Billing", members=[jonas, aiko], actor=SYSTEM)
    assert assign(pending.pk, user=mara, to=team)
    assert not assign(pending.pk, user=mara, to=team)
    assert waits_for(pending, mara, jonas, ada) == ["jonas"]
    assert AuditEntry.objects.get(verb="proposal.assigned").fact["after"] == {"to": "team Billing"}
    assert list(queue.Filters(show="open", who="me").apply(jonas)) == [pending]
    assert list(queue.Filters(show="open", who=f"team:{team.pk}").apply(mara)) == [pending]
    assert not queue.Filters(show="open", who="nobody").apply(mara)
    assert not queue.Filters(show="open", who="team:0").apply(mara)
    set_members(team.pk, [ada], actor=SYSTEM)
    assert waits_for(pending, mara, jonas, ada) == ["ada"]
    dissolve(team.pk, actor=SYSTEM)
    assert waits_for(pending, mara, jonas, ada) == ["mara", "jonas", "ada"]


def test_a_team_in_which_nobody_could_decide_is_not_asked(
    pending: Proposal, mara: User, jonas: User, aiko: User
) -> None:
    operators = create_team("Operators", members=[aiko], actor=SYSTEM)
    with pytest.raises(Invalid, match="Nobody in the team Operators decides"):
        assign(pending.pk, user=mara, to=operators)
    authors = create_team("Authors", members=[jonas, aiko], actor=SYSTEM)
    amend(pending.pk, user=jonas, text=PROMPT.replace("30 days", "2 weeks"), note="", digest=digest_of(pending))
    with pytest.raises(Invalid, match="Nobody in the team Authors can decide"):
        assign(pending.pk, user=mara, to=authors)
    dissolve(authors.pk, actor=SYSTEM)
    with pytest.raises(Invalid, match="was dissolved"):
        assign(pending.pk, user=mara, to=authors)
    assert not Assignment.objects.exists()
