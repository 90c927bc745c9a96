"""Where both sides changed the same lines, the page shows each place with its three texts."""

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Document
from agents.versions import publish
from audit.record import SYSTEM
from people.models import User
from proposals.models import Proposal


def move(prompt: Document, old: str, new: str) -> None:
    document = Document.objects.select_related("agent", "current").get(pk=prompt.pk)
    assert document.current
    publish(document, document.current.text.replace(old, new), base=document.current, actor=SYSTEM, proposal=0)


@pytest.mark.parametrize("page", ["proposal", "amend"])
def test_each_conflict_stands_under_its_section(
    client: Client, pending: Proposal, prompt: Document, mara: User, page: str
) -> None:
    move(prompt, "30 days", "60 days")
    client.force_login(mara)
    text = client.get(reverse(page, args=[pending.pk])).text
    assert "1 place changed by both" in text
    conflict = text[text.index('id="conflicts"') :]
    assert "<h3>Refunds</h3>" in conflict
    for said in ("within 30 days", "within 60 days", "within 14 days"):
        assert said in conflict
    if page == "amend":
        editor = text[text.index("<textarea") :]
        assert "within 60 days" in editor
        assert "within 14 days" in editor


def test_a_refused_rebase_shows_the_conflicts(client: Client, pending: Proposal, prompt: Document, mara: User) -> None:
    move(prompt, "30 days", "60 days")
    client.force_login(mara)
    answer = client.post(reverse("rebase", args=[pending.pk]))
    assert answer.status_code == 409
    assert "1 place changed by both" in answer.text
    assert "Settle it by hand" in answer.text


def test_a_clean_move_shows_none(client: Client, pending: Proposal, prompt: Document, mara: User) -> None:
    move(prompt, "card numbers", "card numbers, PINs")
    client.force_login(mara)
    text = client.get(reverse("proposal", args=[pending.pk])).text
    assert "changed by both" not in text
    assert "Being brought up to date with version 2" in text
