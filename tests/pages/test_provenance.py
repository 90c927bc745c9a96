"""Where a text came from: the story of a version, and what ran at a time."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.models import Document, Version
from agents.versions import create_agent
from audit.record import SYSTEM
from feedback.actions.mining import mine
from feedback.models import Feedback, Pattern
from people.models import User
from proposals.actions import decisions, proposals, steering
from proposals.actions.drafting import draft
from proposals.actions.rollbacks import roll_back
from proposals.models import Proposal
from tests.cast import digest_of, propose
from tests.rollouts import canary

pytestmark = pytest.mark.django_db


def story(client: Client, document: Document, number: int) -> str:
    version = Version.objects.get(document=document, number=number)
    answer = client.get(reverse("story", args=[version.pk]))
    assert answer.status_code == 200
    return answer.text


def test_the_story_of_the_first_text_says_who_brought_it(client: Client, mara: User, prompt: Document) -> None:
    client.force_login(mara)
    page = story(client, prompt, 1)
    assert "Became current" in page
    assert "Reviewed" not in page


def test_a_story_tells_every_revision_with_its_decisions_and_digests(
    client: Client, prompt: Document, aiko: User, mara: User, jonas: User
) -> None:
    proposal = propose(prompt, aiko)
    decisions.request_changes(proposal.pk, user=mara, digest=digest_of(proposal), note="Shorter, please.")
    first = digest_of(proposal)
    text = proposal.revision.text.replace("14 days", "14 days only") if proposal.revision else ""
    proposals.amend(proposal.pk, user=aiko, text=text, note="Done.", digest=first)
    decisions.approve(proposal.pk, user=mara, digest=digest_of(proposal), note="Good.")
    client.force_login(jonas)
    page = story(client, prompt, 2)
    for said in ("Shorter, please.", "Good.", "Done.", first, digest_of(proposal), "One approval", "Became current"):
        assert said in page
    assert page.count("Mara Okafor</b>") >= 2


def test_a_story_begins_with_what_was_reported(
    client: Client, complaints: list[Feedback], mara: User, prompt: Document
) -> None:
    mine(prompt.agent)
    pattern = Pattern.objects.shown().get()
    proposal = draft(pattern.pk)
    assert isinstance(proposal, Proposal)
    decisions.approve(proposal.pk, user=mara, digest=digest_of(proposal))
    client.force_login(mara)
    page = story(client, prompt, 2)
    assert pattern.label in page
    assert f"{len(complaints)} reports" in page


def test_a_story_has_the_rollout_with_its_numbers_and_what_undid_it(
    client: Client, prompt: Document, aiko: User, mara: User
) -> None:
    rollout = canary(prompt, aiko, mara)
    client.force_login(mara)
    assert "Never current" in story(client, prompt, 2)
    steering.promote(rollout.pk, user=mara, epoch=0)
    roll_back(prompt.pk, user=aiko, to_number=1, current_number=2, reason="It promised too little.")
    page = story(client, prompt, 2)
    for said in ("Rolled out", "10\u00a0%", "Rolled back", "It promised too little.", "Version 3"):
        assert said in page.replace("&nbsp;", "\u00a0")
    assert "It promised too little." in story(client, prompt, 3)


def test_a_story_that_is_not_there_is_a_404(client: Client, mara: User) -> None:
    client.force_login(mara)
    assert client.get(reverse("story", args=[2**40])).status_code == 404


def test_the_page_of_what_ran_then_starts_with_a_question(client: Client, mara: User, prompt: Document) -> None:
    client.force_login(mara)
    page = client.get(reverse("ran_then"))
    assert page.status_code == 200
    assert "Give an agent and a time" in page.text


def test_it_offers_the_agent_that_changed_last_and_the_times_before_its_changes(
    client: Client, prompt: Document, aiko: User, mara: User
) -> None:
    create_agent("a-later-one", name="A later one", actor=SYSTEM, documents={"prompt": "# Role\n"})
    proposal = propose(prompt, aiko)
    decisions.approve(proposal.pk, user=mara, digest=digest_of(proposal))
    client.force_login(mara)
    page = client.get(reverse("ran_then"))
    assert '<option value="support" selected>' in page.text
    (before,) = [at for name, at in page.context["picks"] if name == "Before system-prompt 2"]
    assert f'at={before.replace(":", "%3A").replace(" ", "+")}">Before system-prompt 2</a>' in page.text
    page = client.get(reverse("ran_then"), {"agent": "a-later-one"})
    assert '<option value="a-later-one" selected>' in page.text
    assert [name for name, _ in page.context["picks"]] == ["Now", "An hour ago", "Yesterday"]
    assert client.get(reverse("ran_then"), {"agent": "a\0b"}).context["picks"] == []


def test_it_shows_the_exact_text_of_a_time(client: Client, prompt: Document, aiko: User, mara: User) -> None:
    before = timezone.now()
    proposal = propose(prompt, aiko)
    decisions.approve(proposal.pk, user=mara, digest=digest_of(proposal))
    client.force_login(mara)
    asked = {"agent": prompt.agent.slug, "at": before.strftime("%Y-%m-%dT%H:%M:%S.%f")}
    then = client.get(reverse("ran_then"), asked).text
    assert "within 30 days" in then
    assert "the first text" in then
    now = client.get(reverse("ran_then"), asked | {"at": timezone.now().isoformat()}).text
    assert "within 14 days" in now
    assert "Mara Okafor" in now


@pytest.mark.parametrize(
    ("agent", "at", "said"),
    [
        ("support", "yesterday", "Give day and time"),
        ("support", "", "Give day and time"),
        ("nobody", "2026-01-01T10:00", "There is no such agent"),
        ("support", "1066-10-14T09:00", "before the year 2000"),
        ("support", "9999-12-31T23:59", "has not come yet"),
        ("support", "0001-01-01T00:00", "before the year 2000"),
    ],
)
def test_what_cannot_be_answered_is_said_at_the_field(
    client: Client, mara: User, prompt: Document, agent: str, at: str, said: str
) -> None:
    client.force_login(mara)
    answer = client.get(reverse("ran_then"), {"agent": agent, "at": at})
    assert answer.status_code == 422
    assert said in answer.text


def test_before_an_agent_had_a_text_it_ran_on_nothing(client: Client, mara: User, prompt: Document) -> None:
    client.force_login(mara)
    at = timezone.now() - timedelta(days=400)
    page = client.get(reverse("ran_then"), {"agent": prompt.agent.slug, "at": at.isoformat()})
    assert (page.status_code, "had no document at that time" in page.text) == (200, True)


def test_a_unit_is_told_which_arm_it_got(client: Client, prompt: Document, aiko: User, mara: User) -> None:
    canary(prompt, aiko, mara)
    client.force_login(mara)
    asked = {"agent": prompt.agent.slug, "at": timezone.now().isoformat()}
    assert "name a unit" in client.get(reverse("ran_then"), asked).text
    pages = [client.get(reverse("ran_then"), asked | {"unit": str(unit)}).text for unit in range(40)]
    assert {page.count("got the candidate") for page in pages} == {0, 1}
