"""An agent's health over REST."""

import pytest

from agents.models import Agent
from feedback.actions.rollups import count_runs
from feedback.models import Run
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db

RUN = {"success": True, "version": 1, "task": "refund", "tool": "lookup", "latency_ms": 900.0, "quality": 4}


def _report(caller: Caller, count: int = 12) -> None:
    runs = [{"id": f"r{number}", **RUN, "success": number > 0} for number in range(count)]
    assert caller.post("/runs", runs).status_code == 207
    negative = {"id": "f1", "run_id": "r0", "rating": "negative", "expected": "refund", "predicted": "order"}
    assert caller.post("/feedback", [negative, {"rating": "positive"}]).status_code == 207


def test_it_says_how_the_agent_fares_as_a_whole_and_by_version_task_and_tool(caller: Caller, support: Agent) -> None:
    _report(caller)
    count_runs()
    told = caller.get("/agents/support/health").json()
    assert (told["agent"], told["range"]) == ("support", "month")
    assert told["total"]["success"]["share"] == pytest.approx(11 / 12)
    assert told["total"]["latency_ms"]["p50"] == pytest.approx(900, rel=0.05)
    assert told["total"]["feedback"]["negative_per_run"]["share"] == pytest.approx(1 / 12)
    assert (told["total"]["quality"], told["total"]["cost_usd"]) == (4.0, None)
    assert 0 < told["score"]["low"] < told["score"]["value"] < told["score"]["high"] <= 1
    (version, other) = sorted(told["versions"], key=lambda one: one["version"] or 0, reverse=True)
    assert (version["document"], version["version"], version["current"], version["runs"]) == (
        "system-prompt", 1, True, 12,
    )  # fmt: skip
    assert (other["version"], other["runs"], other["feedback"]["positive"]) == (None, 0, 1)
    tool = next(one for one in told["tools"] if one["tool"])
    assert (tool["tool"], tool["quality_score"]["calls"]) == ("lookup", 12)
    assert tool["quality_score"]["value"] == pytest.approx(0.5 * 11 / 12 + 0.3 + 0.2)
    assert told["misses"] == [
        {"document": None, "version": 1, "predicted": "order", "expected": "refund", "items": 1},
    ]
    assert told["statistics"] == {"runs": 12, "improvements": 0, "rollbacks": 0}


def test_runs_that_are_sent_twice_count_once(caller: Caller, support: Agent) -> None:
    _report(caller)
    count_runs()
    _report(caller)
    count_runs()
    assert Run.objects.count() == caller.get("/agents/support/health").json()["total"]["runs"] == 12


def test_with_too_few_runs_there_is_no_score(caller: Caller, support: Agent) -> None:
    empty = caller.get("/agents/support/health").json()
    assert (empty["score"], empty["total"]["runs"], empty["versions"]) == (None, 0, [])
    _report(caller, 3)
    count_runs()
    told = caller.get("/agents/support/health?range=day").json()
    assert (told["score"], told["total"]["runs"]) == (None, 3)


@pytest.mark.parametrize("query", ["range=year", "sort=luck"])
def test_an_unknown_range_or_order_is_refused(caller: Caller, support: Agent, query: str) -> None:
    assert caller.get(f"/agents/support/health?{query}").status_code == 422


def test_it_is_described_as_it_answers(caller: Caller, support: Agent) -> None:
    _report(caller)
    count_runs()
    told = caller.get("/agents/support/health").json()
    schemas = caller.get("/openapi.json").json()["components"]["schemas"]
    assert set(schemas["HealthOut"]["properties"]) == set(told)
    assert set(schemas["ToolFigures"]["properties"]) == set(told["tools"][0])
