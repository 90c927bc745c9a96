"""No owner of keys fills the list of patterns alone."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents import keys
from agents.models import Agent, ApiKey
from audit.record import SYSTEM
from feedback.actions.lifecycle import open_held_back
from feedback.actions.mining import mine
from feedback.actions.patterns import dismiss
from feedback.models import Pattern
from people.models import User
from tests.cast import report

WORDS = ("alpha", "bravo", "cargo", "delta")


@pytest.fixture
def flood(support: Agent, ada: User, settings: Settings) -> ApiKey:
    """A key whose owner alone reports four things from three invented people each, where two may be open."""
    settings.COUNTERSIGN_OPEN_PATTERNS = 2
    key = keys.create(support, ["ingest"], owner=ada, actor=SYSTEM)[0]
    for word in WORDS:
        for number in range(3):
            report(support, f"{word} {number}", predicted=word, expected="other", key=key)
    mine(support)
    return key


def states() -> list[str]:
    return list(Pattern.objects.order_by("pk").values_list("status", flat=True))


def test_what_one_owner_alone_reports_waits_beyond_the_limit(flood: ApiKey, mara: User, client: Client) -> None:
    assert states() == ["open", "open", "candidate", "candidate"]
    client.force_login(mara)
    assert "2 more patterns wait: only keys of one person report them, and 2 of theirs are open" in " ".join(
        client.get(reverse("patterns")).text.split()
    )


def test_it_opens_when_somebody_else_reports_it_too(support: Agent, flood: ApiKey, jonas: User) -> None:
    other = keys.create(support, ["ingest"], owner=jonas, actor=SYSTEM)[0]
    report(support, "somebody", predicted="delta", expected="other", key=other)
    mine(support)
    assert states() == ["open", "open", "candidate", "open"]


def test_it_opens_when_there_is_room(flood: ApiKey, mara: User) -> None:
    open_held_back()
    assert states().count("open") == 2
    first = Pattern.objects.earliest("pk")
    dismiss(first.pk, user=mara, dismissed_as="noise", reason="Nobody means that.")
    open_held_back()
    assert states() == ["dismissed", "open", "open", "candidate"]


def test_more_of_the_same_does_not_help(support: Agent, flood: ApiKey) -> None:
    for number in range(3, 6):
        report(support, f"delta {number}", predicted="delta", expected="other", key=flood)
    mine(support)
    assert states() == ["open", "open", "candidate", "candidate"]


def test_what_came_by_no_key_is_nobody_s(support: Agent, flood: ApiKey, settings: Settings) -> None:
    for number in range(3):
        report(support, f"echo {number}", predicted="echo", expected="other")
    mine(support)
    assert states() == ["open", "open", "candidate", "candidate", "open"]
