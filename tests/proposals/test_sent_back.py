"""What was sent back is on somebody's list, and always has a way out."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.keys import create
from agents.models import ApiKey, Document
from audit.models import AuditEntry
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.actions.decisions import approve, reject, request_changes, take_back_request
from proposals.actions.drafting import draft
from proposals.actions.expiry import expire
from proposals.actions.proposals import submit
from proposals.exceptions import NotAllowed, NotPending
from proposals.models import Proposal
from proposals.queue import waiting_for
from tests.cast import PROMPT, digest_of, propose

pytestmark = pytest.mark.django_db


def send_back(proposal: Proposal, user: User) -> Proposal:
    request_changes(proposal.pk, user=user, digest=digest_of(proposal), note="Name the goods.")
    return proposal


def status(proposal: Proposal) -> str:
    return Proposal.objects.values_list("status", flat=True).get(pk=proposal.pk)


def drafted(complaints: list[Feedback], requested_by: User | None = None) -> Proposal:
    mine(complaints[0].agent)
    made = draft(Pattern.objects.shown().get().pk, requested_by=requested_by)
    assert isinstance(made, Proposal), made
    return made


def turns(proposal: Proposal, *people: User) -> list[bool]:
    return [proposal.pk in waiting_for(person) for person in people]


def test_it_can_be_rejected_on_its_page(client: Client, prompt: Document, aiko: User, mara: User, jonas: User) -> None:
    proposal = send_back(propose(prompt, aiko), mara)
    client.force_login(jonas)
    assert "Reject it instead" in client.get(reverse("proposal", args=[proposal.pk])).text
    sent = {"digest": digest_of(proposal), "verdict": "reject", "note": "", "reason": ""}
    bare = client.post(reverse("decide", args=[proposal.pk]), sent)
    assert (bare.status_code, "Choose why it is rejected." in bare.text) == (422, True)
    sent |= {"note": "It stays as it is.", "reason": "not_a_problem"}
    assert client.post(reverse("decide", args=[proposal.pk]), sent).status_code == 303
    assert status(proposal) == "rejected"
    client.force_login(aiko)
    assert "Reject it instead" not in client.get(reverse("proposal", args=[proposal.pk])).text


def test_nothing_else_is_decided_of_it(prompt: Document, aiko: User, mara: User, jonas: User) -> None:
    proposal = send_back(propose(prompt, aiko), mara)
    with pytest.raises(NotPending):
        approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    with pytest.raises(NotAllowed):
        reject(proposal.pk, user=aiko, digest=digest_of(proposal), reason="other", note="No.")


def test_who_requested_changes_takes_that_back(
    client: Client, prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    proposal = send_back(propose(prompt, aiko), mara)
    page, take_back = reverse("proposal", args=[proposal.pk]), reverse("take_back", args=[proposal.pk])
    client.force_login(jonas)
    assert take_back not in client.get(page).text
    assert client.post(take_back).status_code == 403
    client.force_login(mara)
    assert take_back in client.get(page).text
    assert client.post(take_back).status_code == 303
    assert status(proposal) == "pending"
    assert AuditEntry.objects.filter(verb="proposal.request_taken_back", proposal=proposal.pk).exists()
    assert turns(proposal, mara, jonas, aiko) == [True, True, False]
    with pytest.raises(NotPending):
        take_back_request(proposal.pk, user=mara)
    approve(proposal.pk, user=mara, digest=digest_of(proposal))
    assert status(proposal) == "approved"


def test_the_owner_of_the_key_answers_for_the_agent(prompt: Document, aiko: User, mara: User, jonas: User) -> None:
    key, _token = create(prompt.agent, [ApiKey.Scope.PROPOSE], owner=aiko, actor=SYSTEM)
    text = PROMPT.replace("30 days", "14 days")
    proposal = send_back(
        submit(document=prompt, base_number=1, text=text, title="Say 14", rationale="Asked.", key=key), mara
    )
    assert turns(proposal, aiko, mara, jonas) == [True, False, False]


def test_whoever_asked_for_a_draft_answers_for_it(
    complaints: list[Feedback], aiko: User, mara: User, jonas: User
) -> None:
    assert turns(send_back(drafted(complaints, mara), jonas), mara, jonas, aiko) == [True, False, False]


def test_a_machines_draft_is_up_to_those_who_may_decide(
    complaints: list[Feedback], aiko: User, mara: User, jonas: User
) -> None:
    assert turns(send_back(drafted(complaints), mara), mara, jonas, aiko) == [True, True, False]


def test_what_its_author_left_behind_is_up_to_those_who_may_decide(
    prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    proposal = send_back(propose(prompt, aiko), mara)
    assert turns(proposal, aiko, jonas) == [True, False]
    User.objects.filter(pk=aiko.pk).update(is_active=False)
    assert turns(proposal, mara, jonas) == [True, True]


def test_a_machines_draft_that_nobody_amends_expires(complaints: list[Feedback], mara: User) -> None:
    proposal = send_back(drafted(complaints), mara)
    Proposal.objects.filter(pk=proposal.pk).update(created_at=timezone.now() - timedelta(days=60))
    Pattern.objects.update(last_seen=timezone.now() - timedelta(days=60))
    assert not expire(proposal.pk, days=30), "changes were requested today"
    assert expire(proposal.pk, days=0)
    assert status(proposal) == "expired"
