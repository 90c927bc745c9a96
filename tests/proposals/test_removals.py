"""Rules that nothing supports any more are proposed for removal: the one line, once, under the usual rules."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from agents.models import Agent, Document
from agents.protection import protect
from audit.record import SYSTEM
from feedback.actions.exclusion import exclude
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.actions.decisions import approve, reject
from proposals.actions.drafting import draft
from proposals.actions.proposals import amend
from proposals.actions.removals import propose, propose_all
from proposals.models import Proposal, Removal
from tests.cast import PROMPT, digest_of
from tests.cast import propose as wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule(support: Agent, complaints: list[Feedback], mara: User) -> Proposal:
    """A rule drafted from complaints and approved, both a year ago."""
    mine(support)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal)
    approve(made.pk, user=mara, digest=digest_of(made))
    _age(made, days=365)
    return made


def _age(proposal: Proposal, *, days: int) -> None:
    past = timezone.now() - timedelta(days=days)
    Proposal.objects.filter(pk=proposal.pk).update(decided_at=past)
    Pattern.objects.filter(proposals=proposal).update(last_seen=past, first_seen=past)


def _current(prompt: Document) -> str:
    found = Document.objects.select_related("current").get(pk=prompt.pk).current
    assert found is not None
    return found.text


def test_a_silent_rule_is_proposed_for_removal_once_and_people_decide(
    prompt: Document, rule: Proposal, jonas: User
) -> None:
    assert _current(prompt) != PROMPT
    assert (propose_all(), propose_all()) == (1, 0)
    removal = Removal.objects.select_related("proposal__revision").get()
    assert removal.origin == rule
    assert removal.proposal.title.startswith("Remove “For digital courses, check")
    assert "365 days ago" in removal.proposal.rationale
    assert removal.proposal.revision is not None
    assert removal.proposal.revision.text == PROMPT
    approve(removal.proposal_id, user=jonas, digest=digest_of(removal.proposal))
    assert _current(prompt) == PROMPT
    assert propose_all() == 0


def test_a_refused_removal_comes_again_only_after_new_support_and_a_new_silence(rule: Proposal, mara: User) -> None:
    assert propose_all() == 1
    first = Removal.objects.get().proposal
    reject(first.pk, user=mara, digest=digest_of(first), reason="other", note="It works.")
    _age(rule, days=10)
    assert propose_all() == 0
    _age(rule, days=120)
    assert propose_all() == 1
    assert Pattern.objects.get(proposals=rule).status == "watching"


def test_a_rule_whose_evidence_was_all_excluded_is_proposed_at_once(
    rule: Proposal, complaints: list[Feedback], mara: User
) -> None:
    _age(rule, days=1)
    assert propose_all() == 0
    for item in complaints:
        exclude(item, user=mara, reason="One person with four accounts.")
    assert (propose_all(), propose_all()) == (1, 0)
    assert "None of the reports behind it counts any more." in Removal.objects.get().proposal.rationale


def test_nothing_is_proposed_when_it_is_switched_off(rule: Proposal, settings: Settings) -> None:
    settings.COUNTERSIGN_REMOVE_AFTER_DAYS = 0
    assert propose_all() == 0


def test_a_rule_in_a_protected_section_stays(prompt: Document, rule: Proposal, ada: User) -> None:
    protect(prompt, "Refunds", owners=[ada], actor=SYSTEM)
    assert propose(rule.pk) is None


def test_a_rule_that_was_reworded_since_stays(prompt: Document, rule: Proposal, aiko: User, mara: User) -> None:
    reworded = wish(prompt, aiko, old="which refund deadline applies", new="the refund deadline")
    approve(reworded.pk, user=mara, digest=digest_of(reworded))
    assert propose(rule.pk) is None


def test_a_proposal_that_changed_more_than_a_line_has_no_rule_to_cut(
    support: Agent, complaints: list[Feedback], mara: User, jonas: User
) -> None:
    mine(support)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal)
    assert made.revision is not None
    text = made.revision.text.replace("30 days", "14 days")
    amend(made.pk, user=mara, text=text, note="", digest=digest_of(made))
    approve(made.pk, user=jonas, digest=digest_of(made))
    _age(made, days=365)
    assert propose_all() == 0
