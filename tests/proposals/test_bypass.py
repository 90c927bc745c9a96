"""The emergency: published without the approvals needed, and it stands out for good."""

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from agents.models import Document
from agents.protection import protect
from agents.versions import publish
from audit.models import AuditEntry
from audit.record import SYSTEM
from people.models import User
from proposals.actions.bypass import bypass
from proposals.actions.decisions import approve, reject
from proposals.actions.policy import set_policy
from proposals.actions.proposals import withdraw
from proposals.authority import policies
from proposals.exceptions import Blocked, Invalid, NotAllowed, NotPending, Outdated, StaleProposal
from proposals.models import Bypass, Check, Proposal
from proposals.queue import waiting_for
from tests.cast import digest_of, propose

WHY = "Customers are told a wrong deadline right now."


@pytest.fixture
def strict(ada: User) -> None:
    """Every change needs two approvals."""
    set_policy(user=ada, agent=None, kind="", covers="any", approvals=2, owner_approvals=0)


def go(proposal: Proposal, user: User, reason: str = WHY, number: int | None = None, digest: str = "") -> Bypass:
    asked = proposal.pk if number is None else number
    return bypass(proposal.pk, user=user, digest=digest or digest_of(proposal), reason=reason, number=asked)


def again(proposal: Proposal) -> Proposal:
    return Proposal.objects.for_page().select_related("published").get(pk=proposal.pk)


def test_an_admin_publishes_at_once_and_it_is_reviewed_after_the_fact(
    strict: None, pending: Proposal, prompt: Document, ada: User, mara: User, jonas: User
) -> None:
    made = go(pending, ada)
    found = again(pending)
    assert found.status == Proposal.Status.IN_EFFECT
    assert found.published
    assert found.published.number == 2
    assert found.published.pk == Document.objects.get(pk=prompt.pk).current_id
    assert made.missing == "Two approvals. 2 more approvals needed."
    assert pending.pk not in waiting_for(ada)
    assert pending.pk in waiting_for(mara)
    assert policies.may_decide(ada, found).why.startswith("You published this without its approvals.")
    approve(pending.pk, user=mara, digest=digest_of(pending))
    assert again(pending).status == Proposal.Status.IN_EFFECT
    approve(pending.pk, user=jonas, digest=digest_of(pending))
    found = again(pending)
    assert (found.status, found.published and found.published.number) == ("approved", 2)
    assert Bypass.objects.get().proposal == pending


def test_the_log_says_what_was_bypassed_and_why(strict: None, pending: Proposal, ada: User) -> None:
    go(pending, ada)
    fact = AuditEntry.objects.get(verb="proposal.bypassed").fact
    assert fact["after"]["reason"] == WHY
    assert fact["after"]["missing"] == "Two approvals. 2 more approvals needed."
    assert fact["after"]["version"] == 2


def test_it_can_be_found_wrong_afterwards(strict: None, pending: Proposal, ada: User, mara: User) -> None:
    go(pending, ada)
    reject(pending.pk, user=mara, digest=digest_of(pending), reason="too_risky", note="It was no emergency.")
    assert again(pending).status == "rejected"


def test_nobody_else_may(strict: None, pending: Proposal, mara: User, aiko: User, luis: User) -> None:
    for person in (mara, aiko, luis):
        with pytest.raises(NotAllowed, match="needs the role admin"):
            go(pending, person)


@pytest.mark.parametrize(
    ("reason", "number", "field"),
    [("", None, "reason"), ("x" * 19, None, "reason"), (" " * 40, None, "reason"), (WHY, 999_999, "number")],
)
def test_it_takes_a_reason_and_the_number(
    strict: None, pending: Proposal, ada: User, reason: str, number: int | None, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        go(pending, ada, reason, number)
    assert refused.value.field == field
    assert again(pending).status == "pending"


def test_a_check_that_blocks_still_blocks(strict: None, pending: Proposal, ada: User) -> None:
    assert pending.revision
    Check.objects.create(revision=pending.revision, name="budget", verdict="fail", message="Too long.")
    with pytest.raises(Blocked, match="Too long"):
        go(pending, ada)


def test_what_moved_meanwhile_is_not_published(strict: None, pending: Proposal, prompt: Document, ada: User) -> None:
    with pytest.raises(Outdated):
        go(pending, ada, digest="0" * 64)
    document = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    assert document.current
    publish(document, "Another text.\n", base=document.current, actor=SYSTEM, proposal=0)
    with pytest.raises(StaleProposal):
        go(pending, ada)
    assert not Bypass.objects.exists()


def test_where_ones_own_approval_is_enough_there_is_nothing_to_bypass(pending: Proposal, ada: User) -> None:
    with pytest.raises(NotPending, match="approve it instead"):
        go(pending, ada)


def test_the_author_may_in_an_emergency_but_not_confirm_it(prompt: Document, ada: User) -> None:
    own = propose(prompt, ada)
    go(own, ada)
    with pytest.raises(NotAllowed):
        approve(own.pk, user=ada, digest=digest_of(own))


def test_a_single_operator_has_nothing_to_bypass(
    strict: None, pending: Proposal, ada: User, settings: Settings
) -> None:
    settings.COUNTERSIGN_SINGLE_OPERATOR = True
    with pytest.raises(NotAllowed, match="Four eyes are off"):
        go(pending, ada)


def test_once_is_enough(strict: None, pending: Proposal, ada: User, aiko: User) -> None:
    go(pending, ada)
    with pytest.raises(NotPending):
        go(pending, ada)


def test_what_was_taken_back_is_not_published(strict: None, pending: Proposal, ada: User, aiko: User) -> None:
    withdraw(pending.pk, user=aiko)
    with pytest.raises(NotPending):
        go(pending, ada)


def test_a_protected_section_still_wants_its_owner_afterwards(
    prompt: Document, ada: User, aiko: User, mara: User, jonas: User
) -> None:
    protect(prompt, "Safety", owners=[mara], actor=SYSTEM)
    proposal = propose(prompt, aiko, "card numbers or passwords", "card numbers")
    go(proposal, ada)
    approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    assert again(proposal).status == "in_effect"
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    assert again(proposal).status == "approved"


def test_the_database_keeps_it(strict: None, pending: Proposal, ada: User) -> None:
    go(pending, ada)
    with pytest.raises(IntegrityError), transaction.atomic():
        Bypass.objects.all().delete()
