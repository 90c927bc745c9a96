"""What the queue says above and in its rows, and what it leaves unsaid."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from agents.versions import create_agent
from audit.record import SYSTEM
from people.models import User
from proposals.actions import decisions
from proposals.models import Proposal
from proposals.queue import Place
from tests.cast import PROMPT, digest_of, propose

pytestmark = pytest.mark.django_db
HINT = 'aria-label="Hint"'


def test_on_the_tab_your_turn_no_row_says_that_it_is(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    assert ">Your turn</span>" not in client.get("/").text
    assert ">Your turn</span>" in client.get("/?show=open").text


def test_the_decided_stand_in_the_order_of_their_decision_with_who_decided(
    client: Client, prompt: Document, mara: User, jonas: User, aiko: User
) -> None:
    first, second = propose(prompt, aiko, new="1 day"), propose(prompt, aiko, new="2 days")
    decisions.approve(second.pk, user=jonas, digest=digest_of(second))
    decisions.reject(first.pk, user=mara, digest=digest_of(first), reason="other", note="No.")
    Proposal.objects.filter(pk=second.pk).update(decided_at=second.created_at - timedelta(days=1))
    assert list(Place.of({"show": "decided"}).filters.apply(mara)) == [first, second]
    assert list(Place.of({"show": "decided", "sort": "age"}).filters.apply(mara)) == [second, first]
    client.force_login(mara)
    page = client.get("/?show=decided").text
    assert "rejected by Mara Okafor" in page
    assert "approved by Jonas Weber" in page
    assert 'type="checkbox"' not in page
    assert client.get(reverse("proposal", args=[first.pk]) + "?queue=show%3Ddecided").status_code == 200


def test_only_what_may_be_decided_together_offers_it(client: Client, mara: User, pending: Proposal) -> None:
    client.force_login(mara)
    assert "data-together" in client.get("/").text
    Proposal.objects.filter(pk=pending.pk).update(risk=3)
    assert "data-together" not in client.get("/").text


def test_a_beginner_is_led_to_what_has_the_least_risk_until_they_decided(
    client: Client, prompt: Document, mara: User, aiko: User
) -> None:
    hard, easy = propose(prompt, aiko, new="1 day"), propose(prompt, aiko, new="2 days")
    Proposal.objects.filter(pk=hard.pk).update(risk=3)
    client.force_login(mara)
    assert f'<a href="{reverse("proposal", args=[easy.pk])}">Open one with low risk</a>' in client.get("/").text
    for elsewhere in ("/?show=open", "/?show=all&q=nowhere", "/?q=nowhere"):
        assert HINT not in client.get(elsewhere).text
    decisions.reject(hard.pk, user=mara, digest=digest_of(hard), reason="other", note="No.")
    assert HINT not in client.get("/").text


def test_what_is_reviewed_together_says_whose_it_is_and_each_can_be_left_out(
    client: Client, pending: Proposal, aiko: User, mara: User
) -> None:
    other = create_agent("sales", name="Sales agent", actor=SYSTEM, documents={"prompt": PROMPT}).documents.get()
    second = propose(other, aiko)
    client.force_login(mara)
    address = reverse("together")
    page = client.get(f"{address}?id={pending.pk}&id={second.pk}&queue=sort%3Dage").text
    assert "2 low-risk changes</h1>" in page
    assert "<b>Sales agent</b>" in page
    assert f'href="{address}?id={second.pk}&amp;queue=sort%3Dage">Leave out' in page
    assert "Approve both</button>" in page
    assert "Leave out" not in client.get(f"{address}?id={second.pk}").text
