"""What recurs at several agents is found as one thing and counted together; the patterns of each agent stay."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents.models import Agent
from agents.versions import create_agent
from audit.record import SYSTEM
from feedback.actions.across import link_across
from feedback.actions.mining import mine
from feedback.actions.patterns import dismiss
from feedback.models import Pattern, SharedMember, SharedPattern
from people.models import User
from tests.cast import failure, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def agents(support: Agent) -> list[Agent]:
    """Three of them."""
    others = [create_agent(slug, name=f"{slug.title()} agent", actor=SYSTEM) for slug in ("coding", "travel")]
    return [support, *others]


def _fails(agent: Agent, *units: str, text: str = "KeyError: 'customer_id' in step {} of the export") -> None:
    for number, unit in enumerate(units):
        failure(agent, unit, text.format(number))
    mine(agent)


def _exported(*given: str) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("export_patterns", *given, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_what_is_too_rare_at_each_agent_is_found_at_all_of_them(
    agents: list[Agent], client: Client, mara: User
) -> None:
    for agent in agents:
        _fails(agent, f"{agent.slug} 1", f"{agent.slug} 2")
    assert not Pattern.objects.shown().exists()
    assert link_across() == 1
    shared = SharedPattern.objects.get()
    assert (shared.support, shared.sources, shared.agents) == (6, 6, 3)
    assert "customer_id" in shared.label or "export" in shared.label
    client.force_login(mara)
    listed = client.get(reverse("patterns") + "?show=across").content.decode()
    assert shared.label[:20] in listed
    page = client.get(reverse("shared_pattern", args=[shared.pk])).content.decode()
    assert page.count("too few for a pattern there") == 3
    [line] = _exported()
    assert (line["support"], line["agents"]) == (6, {"coding": 2, "support": 2, "travel": 2})
    assert len(line["event_ids"]) == len(set(line["event_ids"])) == 6
    assert _exported("--agent", "coding") == []
    assert not Pattern.objects.exclude(draft_due_at=None).exists()


def test_a_pattern_says_where_else_it_is_and_each_report_is_exported_once(
    agents: list[Agent], client: Client, mara: User
) -> None:
    support, coding, travel = agents
    _fails(support, "a", "b", "c")
    _fails(coding, "d", "e", "f", "g")
    _fails(travel, "h")
    link_across()
    here, there = Pattern.objects.get(agent=support), Pattern.objects.get(agent=coding)
    client.force_login(mara)
    page = client.get(reverse("pattern", args=[here.pk])).content.decode()
    assert f'Also at <b>{coding}</b>: <a href="{reverse("pattern", args=[there.pk])}"' in page
    assert f'Also at <b>{travel}</b> <span class="faint">1 report from 1 source' in page
    [line] = _exported()
    assert (line["pattern_id"], line["agent"], line["support"]) == (there.pk, "coding", 8)
    assert [line["pattern_id"] for line in _exported("--agent", "support")] == [here.pk]


def test_one_source_at_three_agents_recurs_nowhere(agents: list[Agent]) -> None:
    for agent in agents:
        _fails(agent, "the same")
    assert link_across() == 0


def test_it_keeps_its_number_and_what_people_dismissed_leaves_it(agents: list[Agent], mara: User) -> None:
    support, coding, travel = agents
    _fails(support, "a", "b", "c")
    _fails(coding, "d")
    link_across()
    number = SharedPattern.objects.get().pk
    _fails(travel, "e", "f", "g")
    link_across()
    assert SharedPattern.objects.get().pk == number
    assert SharedMember.objects.count() == 3
    dismiss(Pattern.objects.get(agent=travel).pk, user=mara, dismissed_as="noise", reason="A test.")
    assert sorted(line["support"] for line in _exported()) == [3, 4]
    link_across()
    assert (SharedPattern.objects.get().pk, SharedMember.objects.count()) == (number, 2)
    dismiss(Pattern.objects.get(agent=support).pk, user=mara, dismissed_as="noise", reason="A test.")
    link_across()
    assert not SharedPattern.objects.exists()
    assert Pattern.objects.count() == 3


@pytest.mark.parametrize("by_meaning", [True, False])
def test_complaints_meet_by_the_likeness_that_groups_them_within_an_agent(
    agents: list[Agent], settings: Settings, by_meaning: bool
) -> None:
    settings.COUNTERSIGN_MEANING = by_meaning
    rain = ["will it rain tomorrow", "is it going to rain tomorrow", "will there be rain tomorrow"]
    card = ["my card was declined at the shop", "the shop declined my card", "my card was declined in the shop"]
    for agent, *said in zip(agents, rain, card, rain[1:] + rain[:1], card[1:] + card[:1], strict=True):
        for number, text in enumerate(said):
            report(agent, f"{agent.slug} {number}", reason=text)
        mine(agent)
    link_across()
    assert list(SharedPattern.objects.values_list("support", "agents")) == [(6, 3), (6, 3)]
    for shared in SharedPattern.objects.all():
        texts = set(shared.members.values_list("pattern__evidence__feedback__reason", flat=True))
        assert texts in (set(rain), set(card))


def test_patterns_of_one_agent_never_come_together(agents: list[Agent], settings: Settings) -> None:
    settings.COUNTERSIGN_MEANING = True
    support, coding, _ = agents
    for number in range(3):
        report(support, f"a{number}", reason="my card was declined at the shop")
        report(coding, f"b{number}", reason="the shop declined my card")
    mine(support)
    mine(coding)
    first = Pattern.objects.get(agent=support)
    twin = Pattern.objects.get(agent=support)
    twin.pk = None
    twin.save()
    link_across()
    assert SharedMember.objects.count() == 2
    assert SharedMember.objects.filter(pattern__agent=support).count() == 1
    assert SharedMember.objects.filter(pattern__in=[first.pk, twin.pk]).exists()
