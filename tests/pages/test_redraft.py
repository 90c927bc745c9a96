"""The page on which a reviewer has a draft written again, and what the proposal says of it."""

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from agents.versions import publish
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.models import Pattern
from people.models import User
from proposals.actions.drafting import draft
from proposals.actions.redrafts import carry_out_all
from proposals.models import Proposal, Redraft
from tests.cast import digest_of, failure


@pytest.fixture
def drafted(prompt: Document) -> Proposal:
    for who in "abc":
        failure(prompt.agent, f"unit {who}", "429 Too Many Requests")
    mine(prompt.agent)
    made = draft(Pattern.objects.shown().get().pk)
    assert isinstance(made, Proposal), made
    return made


def sent(proposal: Proposal, ask: str, **more: str) -> dict[str, str]:
    return {"digest": digest_of(proposal), "ask": ask, "note": "", **more}


def test_asked_waited_and_there(client: Client, drafted: Proposal, mara: User) -> None:
    client.force_login(mara)
    here, form = reverse("proposal", args=[drafted.pk]), reverse("redraft", args=[drafted.pk])
    assert form in client.get(here).text
    assert '<option value="Safety">' in client.get(form).text
    assert client.post(form, sent(drafted, "move", section="Safety")).status_code == 303
    waiting = client.get(here).text
    assert "Countersign redrafts it in the section “Safety”, as <b>Mara Okafor</b> asked" in waiting
    assert form not in waiting
    carry_out_all()
    there = client.get(here).text
    assert "asked for by <b>Mara Okafor</b>" in there
    assert "You asked for revision 2." in there


def test_declined_it_says_why_and_offers_to_amend(client: Client, drafted: Proposal, mara: User, jonas: User) -> None:
    for person in (mara, jonas):
        client.force_login(person)
        assert client.post(reverse("redraft", args=[drafted.pk]), sent(drafted, "shorter")).status_code == 303
        carry_out_all()
    text = client.get(reverse("proposal", args=[drafted.pk])).text
    assert "Countersign could not redraft it shorter: It is as short as the drafter can make it." in text
    assert reverse("amend", args=[drafted.pk]) in text
    assert reverse("redraft", args=[drafted.pk]) in text


def test_what_was_typed_survives_a_refusal(client: Client, drafted: Proposal, mara: User) -> None:
    client.force_login(mara)
    address = reverse("redraft", args=[drafted.pk])
    refused = client.post(address, sent(drafted, "move", note="Belongs to the tone."))
    assert refused.status_code == 422
    assert "Choose the section it belongs to." in refused.text
    assert "Belongs to the tone." in refused.text
    stale = client.post(address, sent(drafted, "shorter") | {"digest": "0" * 64})
    assert stale.status_code == 409
    assert client.post(address, sent(drafted, "")).status_code == 422
    assert client.post(address, {"ask": "none", "digest": "x"}).status_code == 422
    assert not Redraft.objects.exists()


def test_a_note_alone_tells_that_nobody_reads_it(client: Client, drafted: Proposal, mara: User) -> None:
    client.force_login(mara)
    word = {"verdict": "request_changes", "digest": digest_of(drafted), "note": "Too long."}
    text = client.post(reverse("decide", args=[drafted.pk]), word, follow=True).text
    assert "Countersign drafts by fixed rules and reads no notes" in text
    assert reverse("redraft", args=[drafted.pk]) in text


def test_for_a_persons_proposal_the_page_says_that_it_cannot(client: Client, pending: Proposal, mara: User) -> None:
    client.force_login(mara)
    address = reverse("redraft", args=[pending.pk])
    assert address not in client.get(reverse("proposal", args=[pending.pk])).text
    assert "Countersign did not draft this" in client.get(address).text


def test_a_conflicted_draft_offers_to_be_redrafted(
    client: Client, drafted: Proposal, prompt: Document, mara: User
) -> None:
    document = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    assert document.current
    publish(document, "# New\n\n- Use few tools.\n", base=document.current, actor=SYSTEM, proposal=0)
    client.force_login(mara)
    assert "Redraft on the current version" in client.get(reverse("proposal", args=[drafted.pk])).text
    address = reverse("redraft_on_current", args=[drafted.pk])
    done = client.post(address, follow=True).text
    assert "Drafted anew on version 2." in done
    assert client.post(address).status_code == 409
