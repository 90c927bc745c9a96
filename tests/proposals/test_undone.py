"""Which published changes are out of the text again, and how one alone is taken out."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from people.models import User
from proposals.actions.decisions import approve
from proposals.actions.rollbacks import roll_back
from proposals.models import Proposal
from proposals.status.undone import dropped_by, undone
from tests.cast import digest_of, propose

Publish = Callable[[str, str], Proposal]


@pytest.fixture
def publish(prompt: Document, aiko: User, mara: User) -> Publish:
    def published(old: str, new: str) -> Proposal:
        made = propose(prompt, aiko, old, new)
        approve(made.pk, user=mara, digest=digest_of(made))
        return Proposal.objects.get(pk=made.pk)

    return published


def back(prompt: Document, user: User, to: int) -> Proposal:
    current = Document.objects.select_related("current").get(pk=prompt.pk).current
    return roll_back(prompt.pk, user=user, to_number=to, current_number=current.number, reason="It was wrong.")


def test_a_rollback_undoes_what_came_after_its_target_until_another_brings_it_back(
    prompt: Document, mara: User, publish: Publish
) -> None:
    first, second = publish("30 days", "14 days"), publish("about orders", "about parcels")
    assert undone([first, second]) == {}
    assert dropped_by(prompt.pk, 1) == [second, first]
    to_two = back(prompt, mara, 2)
    assert undone([first, second]) == {second.pk: to_two}
    assert dropped_by(prompt.pk, 1) == [first]
    to_one = back(prompt, mara, 1)
    assert undone([first, second]) == {first.pk: to_one, second.pk: to_one}
    back(prompt, mara, 3)
    assert undone([first, second]) == {}


def test_an_older_change_alone_is_taken_out_by_its_reverse(
    client: Client, prompt: Document, mara: User, publish: Publish
) -> None:
    first, second = publish("30 days", "14 days"), publish("about orders", "about parcels")
    client.force_login(mara)
    page = client.get(reverse("proposal", args=[first.pk])).text
    address = f"{reverse('propose', args=['support', 'system-prompt'])}?undo={first.pk}"
    assert address in page
    typed = client.get(address).context["form"].initial
    assert "30 days" in typed["text"]
    assert "about parcels" in typed["text"]
    assert typed["title"] == "Undo: Say 14 days"
    assert client.get(address.replace(f"={first.pk}", "=999999")).status_code == 404
    going = client.get(reverse("roll_back", args=["support", "system-prompt"]) + "?to=1").text
    assert second.title in going
