"""An agent's page: its health at hand, the worst first, and what to do when there is nothing yet."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agents.models import Agent
from feedback.actions.rollups import count_runs
from feedback.models import Run
from people.models import User
from tests.cast import report, source

ADDRESS = "/agents/support/"


def _runs(agent: Agent, count: int, hours_ago: float = 1, **fields: object) -> None:
    first = Run.objects.count()
    row = {"digest": b"", "source": source("x"), "success": True, "version": 1, "document": "system-prompt"}
    row["at"] = timezone.now() - timedelta(hours=hours_ago)
    Run.objects.bulk_create(
        Run(agent=agent, external_id=f"p{first + number}", **(row | fields)) for number in range(count)
    )


@pytest.fixture
def busy(support: Agent) -> Agent:
    """Thirty runs in two tasks, one of which fails half of the time, and a tool that always does."""
    _runs(support, 20, task="refund", latency_ms=800.0, quality=4.0, cost_usd=0.01)
    slow: dict[str, Any] = {"task": "delivery", "tool": "tracker", "latency_ms": 6_000.0}
    _runs(support, 5, **slow)
    _runs(support, 5, **slow, success=False, error="gone")
    report(support, "anna")
    report(support, "ben", expected="refund", predicted="order", version=1)
    count_runs()
    return support


def test_the_page_has_health_at_hand(client: Client, mara: User, busy: Agent) -> None:
    client.force_login(mara)
    page = client.get(ADDRESS).text
    for said in (
        "Health score",
        "83\u00a0%",
        "776 ms",
        "2 of 2 reports",
        "$0.01",
        "System prompt v1",
        "tracker",
        "gone",
    ):
        assert said in page, said
    assert "Asks for a rewrite" in page
    assert page.index(">delivery<") < page.index(">refund<")
    assert "When drafts are made" in page


def test_tables_are_sorted_by_what_is_asked_for(client: Client, mara: User, busy: Agent) -> None:
    client.force_login(mara)
    page = client.get(f"{ADDRESS}?sort=runs&range=week").text
    assert page.index(">refund<") < page.index(">delivery<")
    assert "The last 7 days, most runs first" in page
    assert "?sort=runs&amp;range=day" in page


def test_a_day_shows_the_last_hours_only(client: Client, mara: User, support: Agent) -> None:
    _runs(support, 7, hours_ago=50, task="old")
    _runs(support, 4, task="young")
    count_runs()
    client.force_login(mara)
    assert ">old<" in client.get(f"{ADDRESS}?range=month").text
    page = client.get(f"{ADDRESS}?range=day").text
    assert ">young<" in page
    assert ">old<" not in page
    assert client.get(f"{ADDRESS}?range=%00&sort=none").status_code == 200


def test_without_any_run_the_page_says_how_to_report_one(client: Client, mara: User, support: Agent) -> None:
    client.force_login(mara)
    page = client.get(ADDRESS).text
    assert "No runs reported yet" in page
    assert "curl http://testserver/api/v1/runs" in page
    assert '<svg class="bars"' not in page


def test_nothing_in_this_time_is_not_nothing_ever(client: Client, mara: User, support: Agent) -> None:
    _runs(support, 3, hours_ago=24 * 40)
    count_runs()
    client.force_login(mara)
    page = client.get(ADDRESS).text
    assert "No runs reported yet" not in page
    assert "Nothing was reported in this time." in page


def test_the_list_of_agents_has_their_health(client: Client, mara: User, busy: Agent) -> None:
    client.force_login(mara)
    page = client.get(reverse("agents")).text
    assert "health, 0." in page
    assert "<b>30</b> runs" in page


def test_names_from_outside_are_escaped_and_versions_that_are_not_there_no_link(
    client: Client, mara: User, support: Agent
) -> None:
    _runs(support, 3, task="<script>alert(1)</script>\u200b", version=99)
    count_runs()
    client.force_login(mara)
    page = client.get(ADDRESS).text
    assert "<script>alert" not in page
    assert "U+200B" in page
    assert "System prompt v99" in page
    assert "versions/99/" not in page


def test_more_places_and_more_runs_ask_no_more_questions(client: Client, mara: User, busy: Agent) -> None:
    client.force_login(mara)

    def asked(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    addresses = [ADDRESS, f"{ADDRESS}?range=week", f"{ADDRESS}?range=day", reverse("agents")]
    few = [asked(address) for address in addresses]
    for number in range(40):
        _runs(busy, 3, hours_ago=number * 5, task=f"task {number}", tool=f"tool {number}", version=number)
    count_runs()
    assert [asked(address) for address in addresses] == few
    assert max(few) < 24
