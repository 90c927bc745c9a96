"""What was rejected before and what is new since, on the pattern's page and on the next draft."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.models import Agent, Document
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from people.roles import Role
from people.signin import create_person
from proposals.actions.decisions import reject
from proposals.actions.drafting import draft
from proposals.actions.proposals import withdraw
from proposals.grounds import memory
from proposals.models import Proposal
from tests.cast import digest_of, propose, report

NEW = [f"the refund deadline for digital courses is wrong, case {n}" for n in range(4)]


@pytest.fixture
def rejected(support: Agent, prompt: Document, complaints: list[Feedback], mara: User) -> Proposal:
    """What four people led to, and Mara refused."""
    mine(support)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal), made
    reject(made.pk, user=mara, digest=digest_of(made), reason="wrong_fix", note="Name the shop's own courses.")
    return made


def again(support: Agent) -> Pattern:
    """Four others report the same later."""
    for number, text in enumerate(NEW):
        report(support, f"newcomer {number}", reason=text, at=timezone.now() + timedelta(minutes=1))
    mine(support)
    return Pattern.objects.shown().get()


def test_a_pattern_remembers_what_was_rejected(client: Client, support: Agent, rejected: Proposal, luis: User) -> None:
    client.force_login(luis)
    page = reverse("pattern", args=[rejected.pattern_id])
    text = client.get(page).text
    assert "Rejected before" in text
    assert "The wrong fix for it" in text
    assert "Name the shop&#x27;s own courses." in text
    assert "No new report since" in text
    again(support)
    text = client.get(page).text
    assert "4 reports from 4 sources since" in text
    assert "case 3" in text


def test_the_next_draft_says_what_became_of_the_last(
    client: Client, support: Agent, rejected: Proposal, jonas: User
) -> None:
    made = draft(again(support).pk)
    assert isinstance(made, Proposal), made
    client.force_login(jonas)
    text = client.get(reverse("proposal", args=[made.pk])).text
    assert "Rejected before" in text
    assert "Mara Okafor" in text
    assert "4 reports from 4 sources since" in text


def test_a_first_draft_remembers_nothing(client: Client, pending: Proposal, mara: User) -> None:
    client.force_login(mara)
    assert "Rejected before" not in client.get(reverse("proposal", args=[pending.pk])).text


def test_withdrawn_drafts_come_back_with_new_evidence_too(
    support: Agent, complaints: list[Feedback], mara: User
) -> None:
    mine(support)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal)
    withdraw(made.pk, user=mara)
    assert draft(made.pattern_id or 0) == f"Proposal {made.pk} was withdrawn; 0 of 3 new sources since."
    assert isinstance(draft(again(support).pk), Proposal)


def test_what_was_known_at_the_rejection_is_no_new_evidence(
    support: Agent, complaints: list[Feedback], mara: User
) -> None:
    mine(support)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal)
    for number, text in enumerate(NEW):
        report(support, f"between {number}", reason=text)
    mine(support)
    reject(made.pk, user=mara, digest=digest_of(made), reason="wrong_fix", note="No.")
    assert draft(made.pattern_id or 0) == f"Proposal {made.pk} was rejected; 0 of 3 new sources since."


def test_a_pattern_remembers_beyond_the_newest_drafts(
    support: Agent, prompt: Document, rejected: Proposal, mara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "LOOKED_THROUGH", 1)
    other = propose(prompt, create_person("ben", name="Ben", roles=[Role.OPERATOR]))
    Proposal.objects.filter(pk=other.pk).update(fingerprint="rule|other||line")
    reject(other.pk, user=mara, digest=digest_of(other), reason="other", note="No.")
    made = draft(again(support).pk)
    assert isinstance(made, Proposal), made
    found = memory.of_proposal(made)
    assert found
    assert [one.revision.proposal_id for one in found.refusals] == [rejected.pk]
