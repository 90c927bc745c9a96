"""The page that shows several proposals for one pattern side by side."""

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from people.models import User
from proposals.models import Proposal
from tests.cast import digest_of
from tests.proposals.test_candidates import drafted_for, own


@pytest.fixture
def first(prompt: Document) -> Proposal:
    return drafted_for(prompt)


def test_drafted_compared_and_chosen(client: Client, first: Proposal, mara: User, jonas: User) -> None:
    client.force_login(jonas)
    page = reverse("candidates", args=[first.pattern_id])
    assert page in client.get(reverse("pattern", args=[first.pattern_id])).text
    shown = client.post(reverse("alternatives", args=[first.pattern_id]), follow=True).text
    assert "more candidate" in shown
    count = Proposal.objects.open().count()
    assert shown.count("Choose this one") == 1  # the others he asked for
    client.force_login(mara)
    text = client.get(page).text
    assert text.count("Choose this one") == count
    assert f"{count} candidates" in text
    assert "Compare them side by side" in client.get(reverse("proposal", args=[first.pk])).text
    seen = " ".join(f"{one.pk}:{digest_of(one)}" for one in Proposal.objects.open())
    choose = reverse("choose", args=[first.pk])
    assert client.post(choose, {"seen": seen, "reason": ""}).status_code == 422
    assert client.post(choose, {"seen": "x:y 1: :", "reason": "Good."}).status_code == 409
    done = client.post(choose, {"seen": seen, "reason": "Good."}, follow=True).text
    assert "It still has to be decided" in done
    other = first.supersedes.order_by("pk")[0]
    assert "was chosen instead" in client.get(reverse("proposal", args=[other.pk])).text
    assert Proposal.objects.open().get() == first


def test_when_there_is_no_other_way_it_says_so(client: Client, first: Proposal, mara: User) -> None:
    client.force_login(mara)
    address = reverse("alternatives", args=[first.pattern_id])
    client.post(address)
    assert "knows no other way" in client.post(address, follow=True).text


def test_peoples_own_stand_there_too(client: Client, first: Proposal, prompt: Document, aiko: User, luis: User) -> None:
    own(prompt, aiko, first.pattern_id)
    client.force_login(luis)
    text = client.get(reverse("candidates", args=[first.pattern_id])).text
    assert "By <b>Aiko Tanaka</b>" in text
    assert "Choose this one" not in text
    assert "Draft alternatives" not in text
