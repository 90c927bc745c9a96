"""Patterns: what recurs, and what is made of it."""

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Agent
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.models import Proposal


@pytest.fixture
def pattern(support: Agent, complaints: list[Feedback]) -> Pattern:
    mine(support)
    return Pattern.objects.shown().get()


def test_the_list_counts_sources_and_links_the_pattern(client: Client, mara: User, pattern: Pattern) -> None:
    client.force_login(mara)
    page = client.get(reverse("patterns")).text
    assert "4 sources" in page
    assert reverse("pattern", args=[pattern.pk]) in page
    assert "Nothing matches" in client.get(reverse("patterns"), {"kind": "error"}).text


def test_an_empty_list_gives_the_command_that_fills_it(client: Client, mara: User) -> None:
    client.force_login(mara)
    assert "python manage.py mine" in client.get(reverse("patterns")).text


def test_the_page_quotes_the_evidence(client: Client, mara: User, pattern: Pattern) -> None:
    client.force_login(mara)
    assert "wrong refund deadline for a digital course again" in client.get(reverse("pattern", args=[pattern.pk])).text


def test_draft_now_leads_to_the_proposal_or_says_why_not(client: Client, mara: User, pattern: Pattern) -> None:
    client.force_login(mara)
    response = client.post(reverse("draft", args=[pattern.pk]))
    proposal = Proposal.objects.filter(pattern=pattern).first()
    if proposal:
        assert response["Location"] == reverse("proposal", args=[proposal.pk])
        response = client.post(reverse("draft", args=[pattern.pk]))
    assert response.status_code == 409
    assert "Nothing was drafted:" in response.text


def test_dismissing_needs_a_reason_and_can_be_taken_back(client: Client, mara: User, pattern: Pattern) -> None:
    client.force_login(mara)
    address = reverse("dismiss", args=[pattern.pk])
    assert client.post(address, {"reason": ""}).status_code == 422
    assert client.post(address, {"reason": "a\0b"}).status_code == 422
    assert client.post(address, {"reason": "They mean the old shop."}).status_code == 303
    page = client.get(reverse("pattern", args=[pattern.pk])).text
    assert "They mean the old shop." in page
    again = client.post(address, {"reason": "Again."})
    assert again.status_code == 409
    assert "no longer open" in again.text
    assert client.post(reverse("reopen", args=[pattern.pk])).status_code == 303
    pattern.refresh_from_db()
    assert pattern.status == Pattern.Status.OPEN


def test_the_agent_page_draws_its_days_with_a_table_behind(client: Client, mara: User, pattern: Pattern) -> None:
    client.force_login(mara)
    page = client.get(reverse("agent", args=["support"])).text
    assert '<svg class="bars"' in page
    assert "The same as a table" in page
    assert "System prompt v1" in page
