"""Whose wish it is, who may take it back, and whose word still counts."""

import pytest
from pytest_django import Settings

from agents.keys import create
from agents.models import ApiKey, Document
from agents.protection import protect
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from proposals import policies
from proposals.actions.decisions import approve
from proposals.actions.drafting import draft
from proposals.actions.proposals import submit, withdraw
from proposals.exceptions import NotAllowed
from proposals.models import Proposal
from tests.cast import PROMPT, digest_of, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def pattern(prompt: Document, complaints: list[Feedback]) -> Pattern:
    """What four people complained about."""
    mine(prompt.agent)
    return Pattern.objects.shown().get()


def drafted(pattern: Pattern, requested_by: User | None = None) -> Proposal:
    made = draft(pattern.pk, requested_by=requested_by)
    assert isinstance(made, Proposal), made
    return made


def status(proposal: Proposal) -> str:
    return Proposal.objects.values_list("status", flat=True).get(pk=proposal.pk)


def moves(pattern: Pattern) -> list[tuple[str, str, str]]:
    """(before, after, who) of every recorded change of the pattern's state."""
    entries = AuditEntry.objects.filter(verb="pattern.status_changed", target_id=str(pattern.pk)).order_by("pk")
    facts = [entry.fact for entry in entries]
    return [(fact["before"]["status"], fact["after"]["status"], fact["actor_label"]) for fact in facts]


def test_nobody_takes_back_another_persons_proposal(prompt: Document, mara: User, aiko: User, jonas: User) -> None:
    proposal = propose(prompt, mara)
    for person in (aiko, jonas):
        with pytest.raises(NotAllowed, match="Only Mara Okafor can withdraw this; a reviewer can reject it"):
            withdraw(proposal.pk, user=person)
        assert not policies.may_withdraw(person, proposal).allowed
    assert policies.may_withdraw(mara, proposal).allowed
    withdraw(proposal.pk, user=mara)
    assert status(proposal) == "withdrawn"


def test_the_owner_of_the_key_takes_back_what_the_agent_proposed(prompt: Document, aiko: User) -> None:
    key, _token = create(prompt.agent, [ApiKey.Scope.PROPOSE], owner=aiko, actor=SYSTEM)
    text = PROMPT.replace("30 days", "14 days")
    proposal = submit(document=prompt, base_number=1, text=text, title="Say 14", rationale="Asked.", key=key)
    withdraw(proposal.pk, user=aiko)
    assert status(proposal) == "withdrawn"


def test_a_machines_draft_is_taken_back_by_whoever_asked_for_it_or_may_decide(
    pattern: Pattern, aiko: User, mara: User, jonas: User
) -> None:
    asked = drafted(pattern, mara)
    with pytest.raises(NotAllowed, match="Whoever may decide can withdraw"):
        withdraw(asked.pk, user=aiko)
    assert policies.may_withdraw(mara, asked).allowed
    withdraw(asked.pk, user=jonas)
    assert status(asked) == "withdrawn"


def test_an_approval_of_somebody_who_left_does_not_count(
    prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    protect(prompt, "Safety", owners=[mara, ada], actor=SYSTEM)
    proposal = propose(prompt, aiko, "card numbers or passwords", "card numbers")
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    mara.is_active = False
    mara.save(update_fields=["is_active"])
    approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    assert status(proposal) == "pending"
    approve(proposal.pk, user=ada, digest=digest_of(proposal))
    assert status(proposal) == "approved"


def test_an_approval_of_somebody_without_the_role_does_not_count(
    prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    protect(prompt, "Safety", owners=[mara], actor=SYSTEM)
    proposal = propose(prompt, aiko, "card numbers or passwords", "card numbers")
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    mara.groups.clear()
    approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    assert status(proposal) == "pending"


def test_a_single_operators_own_approval_ends_with_the_setting(
    prompt: Document, mara: User, jonas: User, settings: Settings
) -> None:
    protect(prompt, "Safety", owners=[jonas], actor=SYSTEM)
    proposal = propose(prompt, mara, "card numbers or passwords", "card numbers")
    revision = Proposal.objects.get(pk=proposal.pk).revision
    settings.COUNTERSIGN_SINGLE_OPERATOR = True
    need = policies.approvals_needed(proposal, revision)
    own = revision.decisions.model(revision=revision, actor=mara, single_operator=True)
    assert policies.missing(need, [own], alone=True) == ""
    settings.COUNTERSIGN_SINGLE_OPERATOR = False
    assert policies.missing(need, [own], alone=False) == "2 more approval needed."


def test_a_proposal_has_one_author(prompt: Document, aiko: User) -> None:
    key, _token = create(prompt.agent, [ApiKey.Scope.PROPOSE], owner=aiko, actor=SYSTEM)
    wish = {"document": prompt, "base_number": 1, "text": "Other.", "title": "Title", "rationale": "Why."}
    for authors in ({}, {"user": aiko, "key": key}):
        with pytest.raises(NotAllowed, match="one author"):
            submit(**wish, **authors)
    assert not Proposal.objects.exists()


def test_asking_for_a_draft_needs_the_right_to_curate(pattern: Pattern, luis: User, aiko: User) -> None:
    for person in (luis, aiko):
        with pytest.raises(NotAllowed, match="reviewer or admin"):
            draft(pattern.pk, requested_by=person)
    assert not Proposal.objects.exists()


def test_every_state_a_pattern_goes_through_is_on_the_log(
    pattern: Pattern, prompt: Document, mara: User, jonas: User
) -> None:
    withdraw(drafted(pattern).pk, user=mara)
    Pattern.objects.filter(pk=pattern.pk).update(sources=10)
    second = drafted(pattern, mara) if _forget(pattern) else None
    assert second
