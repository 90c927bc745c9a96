"""Many small changes born of feedback, each approved, that add up to another text."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.models import Document, Release
from audit.models import AuditEntry
from notices.models import Notice
from people.models import User
from proposals.actions.decisions import approve
from proposals.actions.drifting import sum_of, watch_all
from proposals.models import Drift, Proposal
from tests.cast import digest_of, propose
from tests.log import tamper

pytestmark = pytest.mark.django_db
LINE = "- Check the order date before you name a deadline.\n"


def _change(prompt: Document, author: User, approver: User, number: int, origin: str = "agent") -> None:
    """One more line, as an agent's proposal would bring it."""
    made = propose(prompt, author, LINE, f"{LINE}- Say in your answer what the shop does about case {number}.\n")
    Proposal.objects.filter(pk=made.pk).update(origin=origin)
    approve(made.pk, user=approver, digest=digest_of(made))


def test_three_changes_that_add_up_are_told_of_once(client: Client, prompt: Document, aiko: User, mara: User) -> None:
    for number in range(3):
        assert watch_all() == 0
        _change(prompt, aiko, mara, number)
    assert watch_all() == watch_all() == 1
    found = Drift.objects.get()
    assert found.in_words.startswith("3 changes born of feedback in 14 days, together as many words as 49")
    assert Notice.objects.get(kind="document.drifts").title == "Support agent / System prompt drifts"
    assert AuditEntry.objects.filter(verb="document.drifts").count() == 1
    client.force_login(mara)
    waiting = propose(prompt, aiko)
    for page in (reverse("agent", args=["support"]), reverse("proposal", args=[waiting.pk])):
        assert "System prompt drifts:</b> 3 changes" in client.get(page).text


def test_it_ends_when_the_changes_are_old(prompt: Document, aiko: User, mara: User) -> None:
    for number in range(3):
        _change(prompt, aiko, mara, number)
    assert watch_all() == 1
    tamper("UPDATE agents_release SET at = at - interval '15 days'")
    assert (watch_all(), Drift.objects.now().count(), Drift.objects.count()) == (0, 0, 1)
    assert not Release.objects.filter(at__gte=timezone.now() - timedelta(days=14)).exists()


def test_what_people_write_themselves_is_no_drift(prompt: Document, aiko: User, mara: User) -> None:
    for number in range(3):
        _change(prompt, aiko, mara, number, origin="person")
    assert (watch_all(), sum_of(prompt).changes) == (0, 0)
