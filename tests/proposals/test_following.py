"""Proposals follow their document, unless that would cost somebody's approval or needs judgement."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from agents.models import Document
from agents.protection import protect
from audit.record import SYSTEM
from people.models import User
from proposals.actions import following
from proposals.actions.decisions import approve
from proposals.actions.drafting import carry_over
from proposals.actions.following import follow
from proposals.actions.proposals import rebase
from proposals.actions.rollbacks import roll_back
from proposals.exceptions import NotPending
from proposals.models import Misfit, Proposal, Revision
from proposals.queue import waiting_for
from tests.cast import digest_of, propose


def base_of(proposal: Proposal) -> int:
    return Proposal.objects.select_related("base_version").get(pk=proposal.pk).base_version.number


def test_an_approval_brings_its_siblings_along_at_once(
    prompt: Document,
    aiko: User,
    mara: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    first, second = propose(prompt, aiko), propose(prompt, aiko, "about orders", "about parcels")
    meets = propose(prompt, aiko, "30 days", "60 days")
    with django_capture_on_commit_callbacks(execute=True):
        approve(first.pk, user=mara, digest=digest_of(first))
    assert (base_of(second), base_of(meets)) == (2, 1)
    assert second.revisions.latest("number").author is None, "who is moved along stays the author of the words"
    with django_capture_on_commit_callbacks(execute=True):
        roll_back(prompt.pk, user=mara, to_number=1, current_number=2, reason="It was wrong.")
    assert base_of(second) == 3


@pytest.fixture
def half_approved(prompt: Document, aiko: User, mara: User, jonas: User, ada: User) -> Proposal:
    """Jonas approved it, the owner of the section has not, and version 2 came."""
    protect(prompt, "Safety", owners=[ada], actor=SYSTEM)
    first, second = propose(prompt, aiko), propose(prompt, aiko, "card numbers", "bank numbers")
    approve(second.pk, user=jonas, digest=digest_of(second))
    approve(first.pk, user=mara, digest=digest_of(first))
    return second


def test_what_was_approved_is_not_moved_unasked(half_approved: Proposal) -> None:
    assert follow() == 0
    with pytest.raises(NotPending, match="Somebody approved this"):
        rebase(half_approved.pk)
    assert base_of(half_approved) == 1


def test_what_is_out_of_date_waits_for_everybody_who_may_move_it(
    half_approved: Proposal, aiko: User, jonas: User, luis: User
) -> None:
    for person, waits in ((aiko, True), (jonas, True), (luis, False)):
        assert (half_approved.pk in waiting_for(person)) is waits
    rebase(half_approved.pk, user=aiko)
    assert half_approved.pk not in waiting_for(aiko)
    assert half_approved.pk in waiting_for(jonas)


def test_who_moves_it_is_told_whose_approval_that_costs(client: Client, half_approved: Proposal, aiko: User) -> None:
    client.force_login(aiko)
    page = reverse("proposal", args=[half_approved.pk])
    text = client.get(page).text
    assert "Bring up to date with version 2" in text
    assert "Jonas Weber’s approval will have to be given again." in text
    text = client.post(reverse("rebase", args=[half_approved.pk]), follow=True).text
    assert "Moved onto version 2. 1 approval is outdated: Jonas Weber." in text


def test_a_bound_on_time_leaves_the_rest_to_the_next_beat(prompt: Document, aiko: User, mara: User) -> None:
    first = propose(prompt, aiko)
    for phrase in ("about orders", "passwords"):
        propose(prompt, aiko, phrase, "something else")
    approve(first.pk, user=mara, digest=digest_of(first))
    assert follow(prompt.pk, within=-1) == 0
    assert follow(prompt.pk) == 2


def test_what_meets_another_change_is_tried_once_on_each_version(
    prompt: Document, aiko: User, mara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def counted(proposal_id: int) -> Revision:
        tried.append(proposal_id)
        return carry_over(proposal_id)

    monkeypatch.setattr(following, "carry_over", counted)
    first, meets = propose(prompt, aiko), propose(prompt, aiko, "30 days", "60 days")
    later = propose(prompt, aiko, "about orders", "about parcels")
    approve(first.pk, user=mara, digest=digest_of(first))
    assert [follow(), follow()] == [1, 0]
    assert tried.count(meets.pk) == 1, "nothing changed since"
    approve(later.pk, user=mara, digest=digest_of(later))
    assert [follow(), follow()] == [0, 0]
    assert tried.count(meets.pk) == 2, "another version came"
    assert Misfit.objects.get().version.number == 3
