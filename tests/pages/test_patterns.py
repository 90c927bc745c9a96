"""Patterns: what recurs, and what is made of it."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from agents.models import Agent, Document
from feedback import newest
from feedback.actions.mining import mine
from feedback.actions.rollups import count_runs
from feedback.models import Evidence, Feedback, Pattern
from people.models import User
from proposals.actions.proposals import MOST_CANDIDATES
from proposals.grounds import pattern_page
from proposals.grounds.pattern_page import PatternPage
from proposals.models import Proposal
from tests.cast import PROMPT, report


@pytest.fixture
def pattern(support: Agent, complaints: list[Feedback]) -> Pattern:
    mine(support)
    return Pattern.objects.shown().get()


def test_reports_that_say_nearly_the_same_are_folded_and_can_be_chosen(
    client: Client, mara: User, support: Agent
) -> None:
    for number in range(4):
        report(support, f"person {number}", reason=f"Wrong refund deadline for my digital course{'!' * number}")
    report(support, "other", reason="the refund deadline for my digital course was wrong")
    mine(support)
    client.force_login(mara)
    text = client.get(reverse("pattern", args=[Pattern.objects.shown().get().pk])).text
    evidence = text[text.index('id="evidence"') :]
    assert "3 more like this" in evidence
    assert evidence.count('name="items"') == 5


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
    address, good = (
        reverse("dismiss", args=[pattern.pk]),
        {"dismissed_as": "noise", "reason": "They mean the old shop."},
    )
    for bad in ({"reason": ""}, {"reason": "a\0b"}, {"dismissed_as": ""}, {"dismissed_as": "alike"}):
        assert client.post(address, good | bad).status_code == 422
    kept = client.post(address, good | {"dismissed_as": "duplicate", "duplicate_of": "x"})
    assert kept.status_code == 422
    assert "They mean the old shop." in kept.text
    assert client.post(address, good).status_code == 303
    page = client.get(reverse("pattern", args=[pattern.pk])).text
    assert "Dismissed as noise" in page
    assert "They mean the old shop." in page
    again = client.post(address, good)
    assert again.status_code == 409
    assert "no longer open" in again.text
    assert client.post(reverse("reopen", args=[pattern.pk])).status_code == 303
    pattern.refresh_from_db()
    assert pattern.status == Pattern.Status.OPEN


@pytest.fixture
def parcels(support: Agent, pattern: Pattern) -> Pattern:
    """Another pattern of the same agent and kind."""
    for number in range(3):
        report(support, f"person {number}", reason="the parcel arrived broken, its box was open", version=1)
    mine(support)
    return Pattern.objects.latest("pk")


def test_merged_patterns_share_an_address_until_they_are_taken_apart(
    client: Client, mara: User, pattern: Pattern, parcels: Pattern
) -> None:
    client.force_login(mara)
    merge, other = reverse("merge", args=[pattern.pk]), reverse("pattern", args=[parcels.pk])
    assert client.post(merge, {"other": ""}).status_code == 422
    assert client.post(merge, {"other": "9" * 30}).status_code == 422
    assert client.post(merge, {"other": parcels.pk}).status_code == 303
    assert client.get(other)["Location"] == reverse("pattern", args=[pattern.pk])
    page = client.get(other, follow=True).text
    assert "7 reports" in page
    assert client.post(merge, {"other": parcels.pk}).status_code == 422
    assert (
        client.post(reverse("dismiss", args=[parcels.pk]), {"dismissed_as": "noise", "reason": "x"}).status_code == 409
    )
    assert client.post(reverse("part", args=[parcels.pk])).status_code == 303
    assert client.get(other).status_code == 200
    assert client.post(reverse("part", args=[parcels.pk])).status_code == 409


def test_chosen_reports_are_split_off(client: Client, mara: User, pattern: Pattern) -> None:
    client.force_login(mara)
    split, items = reverse("split", args=[pattern.pk]), list(pattern.evidence.values_list("pk", flat=True))
    refused = client.post(split, {"label": "Kept words"})
    assert refused.status_code == 422
    assert "Kept words" in refused.text
    for bad in (["x"], ["9" * 17], items):
        assert client.post(split, {"items": bad}).status_code == 422
    done = client.post(split, {"items": items[:1], "label": "Something else"}, follow=True)
    assert "Something else" in done.text
    assert "Split off from" in done.text


def test_evidence_is_filtered_by_day_and_version(
    client: Client, luis: User, support: Agent, pattern: Pattern, parcels: Pattern
) -> None:
    client.force_login(luis)
    address, today = reverse("pattern", args=[parcels.pk]), timezone.now().date().isoformat()
    assert "3 reports about version 1" in " ".join(client.get(address, {"version": "1"}).text.split())
    assert "No report is like this." in client.get(address, {"version": "7"}).text
    assert "No report is like this." in client.get(address, {"day": "2020-02-02"}).text
    assert "No report" not in client.get(address, {"day": today}).text
    for odd in ({"day": "2020-13-99"}, {"day": "9999-12-31"}, {"version": "x"}, {"version": "9" * 40}, {"page": "x"}):
        assert client.get(address, odd).status_code == 200


def test_writing_the_change_oneself_links_the_pattern(
    client: Client, aiko: User, prompt: Document, pattern: Pattern
) -> None:
    client.force_login(aiko)
    propose = f"{reverse('propose', args=['support', 'system-prompt'])}?pattern={pattern.pk}"
    assert propose in client.get(reverse("pattern", args=[pattern.pk])).text
    form = client.get(propose).text
    assert "4 sources sent 4 reports" in form
    sent = {"base": 1, "title": "Say it", "rationale": "They ask.", "text": PROMPT + "- Courses: 14 days.\n"}
    assert client.post(propose, sent).status_code == 303
    made = Proposal.objects.get(pattern=pattern)
    assert made.evidence.count() == 4
    for number in range(MOST_CANDIDATES - 1):
        assert client.post(propose, sent | {"text": PROMPT + f"- Else {number}.\n"}).status_code == 303
    again = client.post(propose, sent | {"text": PROMPT + "- One too many.\n"})
    assert again.status_code == 409
    assert Proposal.objects.filter(pattern=pattern, is_alternative=True).count() == MOST_CANDIDATES - 1
    for wrong in ("999999", "x", "9" * 40):
        assert client.get(propose.replace(f"pattern={pattern.pk}", f"pattern={wrong}")).status_code == 404


def test_pages_past_the_reports_that_are_read_anyway_go_on_where_they_end(
    client: Client, support: Agent, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (newest, pattern_page):
        monkeypatch.setattr(module, "READ", 4)
    monkeypatch.setattr(pattern_page, "PER_PAGE", 3)
    for number in range(10):
        report(
            support, f"person {number}", reason="the parcel arrived broken, its box was open", version=1 + number % 2
        )
    mine(support)
    found = Pattern.objects.get()
    by_time = list(found.evidence.order_by("-at", "-pk"))

    def pages(count: int, **query: str) -> list[list[Evidence]]:
        asked = [f"{urlencode(query)}&page={number + 1}" for number in range(count)]
        return [list(PatternPage(found, QueryDict(one), ada).page) for one in asked]

    assert pages(4) == [by_time[:3], by_time[3:6], by_time[6:9], by_time[9:]]
    assert pages(5)[4] == by_time[9:]
    about = [evidence for evidence in by_time if evidence.version == 2]
    assert pages(2, version="2") == [about[:3], about[3:]]
    client.force_login(ada)
    page = " ".join(client.get(reverse("pattern", args=[found.pk])).text.split())
    assert "Of the newest 4:" in page
    assert "read from the newest 4 reports" in page


def test_a_pattern_that_came_back_says_when(client: Client, mara: User, prompt: Document, pattern: Pattern) -> None:
    client.force_login(mara)
    now = timezone.now()
    Pattern.objects.filter(pk=pattern.pk).update(
        answered_by=prompt.current, answered_at=now - timedelta(days=5), came_back_at=now - timedelta(days=2)
    )
    for address in (reverse("patterns"), reverse("pattern", args=[pattern.pk])):
        assert "came back 3 days after version 1" in client.get(address).text
    Pattern.objects.filter(pk=pattern.pk).update(status="watching", came_back_at=None)
    page = client.get(reverse("pattern", args=[pattern.pk])).text
    assert "Version 1 is to end it" in page
    assert "<title>Version 1</title>" in page


def test_a_new_label_stays(client: Client, mara: User, pattern: Pattern) -> None:
    client.force_login(mara)
    rename = reverse("rename", args=[pattern.pk])
    assert client.post(rename, {"label": "x" * 201}).status_code == 422
    assert client.post(rename, {"label": "Course deadlines"}).status_code == 303
    assert "Course deadlines" in client.get(reverse("patterns")).text


def test_the_agent_page_draws_its_days_with_a_table_behind(client: Client, mara: User, pattern: Pattern) -> None:
    count_runs()
    client.force_login(mara)
    page = client.get(reverse("agent", args=["support"])).text
    assert '<svg class="bars"' in page
    assert "The same as a table" in page
    assert "System prompt v1" in page


def test_open_is_what_nothing_was_proposed_for_and_praise_does_not_come_back(
    client: Client, support: Agent, mara: User
) -> None:
    for number, (kind, status) in enumerate(
        [("complaint", "open"), ("complaint", "proposed"), ("success", "open"), ("error", "candidate")]
    ):
        Pattern.objects.create(
            agent=support, kind=kind, status=status, label=f"Pattern {number}", support=3, sources=3,
            first_seen=timezone.now(), last_seen=timezone.now(),
        )  # fmt: skip
    client.force_login(mara)
    page = client.get("/patterns/").text
    assert "<h1>1 pattern keeps coming back</h1>" in page
    assert "1 pattern of praise beside it" in page
    assert [f">Pattern {n}</a>" in page for n in range(4)] == [True, False, True, False]
    assert '>Proposed <span class="num">1</span>' in page
    assert "3 sources · last seen" in page
    praise = Pattern.objects.get(kind="success")
    assert "Draft now" not in client.get(f"/patterns/{praise.pk}/").text
