"""Where people read what came of a change."""

import pytest
from django.test import Client
from django.urls import reverse

from feedback.models import Pattern
from people.models import User
from proposals.models import Proposal
from reviewapp.sample.clock import Clock
from tests.outcomes import after, move, ran, told

pytestmark = pytest.mark.django_db
LINE = "Reports fell from 4.0\u00a0% to 0\u00a0% of runs (95\u00a0%: 0–0.38) in 7 days."


def _queue(client: Client, user: User) -> str:
    client.force_login(user)
    return client.get(reverse("queue")).text


def test_whoever_approved_reads_it_on_the_queue_for_some_days(
    client: Client, fell: Proposal, time: Clock, mara: User, jonas: User
) -> None:
    shown = _queue(client, mara)
    assert "What came of your changes" in shown
    assert f"{LINE} 1 other pattern moved." in shown
    assert "What came of your changes" not in _queue(client, jonas)
    move(time, days=22)
    assert "What came of your changes" not in _queue(client, mara)


def test_what_is_not_clear_yet_stands_on_the_proposal_alone(
    client: Client, changed: Proposal, refunds: Pattern, time: Clock, mara: User
) -> None:
    ran(refunds.agent, 40, after(minutes=2))
    move(time, hours=1)
    told(changed)
    assert "What came of your changes" not in _queue(client, mara)
    page = client.get(reverse("proposal", args=[changed.pk])).text
    assert "No clear change yet: 40 runs since." in page


def test_the_proposal_says_it_and_the_version_leads_there(client: Client, fell: Proposal, mara: User) -> None:
    client.force_login(mara)
    page = client.get(reverse("proposal", args=[fell.pk])).text
    assert LINE in page
    assert "rose from 0\u00a0% to 6.0\u00a0% of runs" in page
    version = client.get(reverse("version", args=["support", "system-prompt", 2])).text
    assert f"/proposals/{fell.pk}/#outcome" in version
    assert "What came of it" not in client.get(reverse("version", args=["support", "system-prompt", 1])).text
