"""How agents fare, read from the tallies."""

import math
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.models import Agent
from feedback.actions.rollups import count_runs
from feedback.health.figures import Figures
from feedback.health.score import LEAST_RUNS, Weighed, score, weight
from feedback.health.sketch import ERROR, LEAST_MS, Sketch
from feedback.health.tools import Call, quality
from feedback.models import Run
from feedback.vitals import Place, last_calls, misses, places, scores, series, span, statistics, version_figures
from tests.cast import report, source

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
latencies = st.lists(st.floats(0, 1e9), max_size=60)


@settings(deadline=None)
@given(latencies, latencies, latencies)
def test_sketches_are_added_in_any_order_and_grouping(one: list[float], two: list[float], three: list[float]) -> None:
    a, b, c = Sketch.of(one), Sketch.of(two), Sketch.of(three)
    assert a + b == b + a
    assert (a + b) + c == a + (b + c) == Sketch.of([*one, *two, *three])
    assert a + Sketch() == a


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=200), st.sampled_from((0.0, 0.25, 0.5, 0.95, 0.99, 1.0)))
def test_a_quantile_is_within_the_stated_error_of_the_true_one(values: list[float], part: float) -> None:
    true = sorted(values)[max(1, math.ceil(part * len(values))) - 1]
    told = Sketch.of(values).quantile(part)
    assert told is not None
    assert abs(told - max(true, LEAST_MS)) <= ERROR * max(true, LEAST_MS) * (1 + 1e-9)


def test_without_latencies_there_is_no_quantile() -> None:
    assert Sketch().quantile(0.5) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 1), st.integers(0, 20)), max_size=21))
def test_a_score_lies_in_its_interval_and_both_between_nought_and_one(days: list[tuple[int, float, int]]) -> None:
    weights = [weight(number) for number in range(len(days))]
    sums = Weighed(
        runs=sum(w * runs for w, (runs, _, _) in zip(weights, days, strict=True)),
        runs_squared=sum(w * w * runs for w, (runs, _, _) in zip(weights, days, strict=True)),
        successes=sum(w * int(runs * part) for w, (runs, part, _) in zip(weights, days, strict=True)),
        negative=sum(w * down for w, (_, _, down) in zip(weights, days, strict=True)),
        reports=sum(down for _, _, down in days),
    )
    found = score(sums)
    if found is None:
        assert sums.runs < LEAST_RUNS or sums.runs**2 / sums.runs_squared < LEAST_RUNS
    else:
        assert 0 <= found.low <= found.value <= found.high <= 1


def test_the_last_days_weigh_most() -> None:
    def over_two_days(before: int, today: int) -> float:
        then, now = weight(6), weight(0)
        runs, squared = 100 * (then + now), 100 * (then**2 + now**2)
        found = score(Weighed(runs=runs, runs_squared=squared, successes=then * before + now * today))
        assert found is not None
        return found.value

    assert weight(3) == 0.5
    assert over_two_days(50, 100) == pytest.approx(0.9)
    assert over_two_days(100, 50) == pytest.approx(0.6)


def _call(ms: float | None = 1_000.0, *, success: bool = True, output: str = "", version: int = 1) -> Call:
    return Call(NOW, success, ms, "lookup", version, "in" if output else "", output, "" if success else "boom")


def test_a_tool_is_scored_by_success_quickness_and_evenness() -> None:
    assert quality([_call()] * 20).value == pytest.approx(1.0)
    assert quality([_call(5_000.0)] * 20).value == pytest.approx(0.7)
    mixed = quality([_call(3_000.0)] * 10 + [_call(3_000.0, success=False)] * 10)
    assert mixed.value == pytest.approx(0.5 * 0.5 + 0.3 * 0.5 + 0.2)
    assert not mixed.asks_for_rewrite
    failing = quality([_call(9_000.0, success=False)] * 20)
    assert failing.asks_for_rewrite
    assert failing.last_error == "boom"
    assert quality([_call(None)] * 3).value == 1.0
    uneven = quality([_call(100.0), _call(1_900.0)] * 10)
    assert uneven.value == pytest.approx(0.5 + 0.3 + 0.2 * 0.1)


def test_a_tool_is_scored_by_its_last_twenty_calls_and_not_below_three() -> None:
    assert quality([_call()] * 2).value is None
    assert quality([]).value is None
    assert quality([_call()] * 20 + [_call(success=False)] * 20).value == pytest.approx(1.0)


def test_an_input_that_came_back_with_two_outputs_is_unsteady() -> None:
    found = quality([_call(output="a", version=2), _call(output="b"), _call()])
    assert (found.inputs, found.outputs, found.unsteady) == (1, 2, 1)
    assert found.versions == (("lookup", 2), ("lookup", 1))


def _runs(agent: Agent, at: datetime, count: int, **fields: object) -> None:
    first = Run.objects.count()
    row = {"digest": b"", "source": source("x"), "success": True, "version": 1, "at": at}
    Run.objects.bulk_create(
        Run(agent=agent, **({"external_id": f"v{first + number}"} | row | fields)) for number in range(count)
    )


@pytest.mark.django_db
def test_every_span_has_its_parts_and_they_add_up_to_its_places(support: Agent) -> None:
    random = Random(2)
    now = datetime.now(UTC)
    for days in range(40):
        for task in ("refund", "delivery"):
            _runs(support, now - timedelta(days=days), 3, task=task, latency_ms=random.lognormvariate(7, 1))
    count_runs()
    for name, bins, runs in (("day", 24, 6), ("week", 28, 42), ("month", 30, 180)):
        over = span(name, now)
        parts = series(support.pk, over)
        assert len(parts) == bins
        whole = sum(parts, Figures())
        assert whole.runs == runs
        found = places(support.pk, over)
        for kind in ("version", "task", "tool"):
            assert sum((told for place, told in found.items() if place.kind == kind), Figures()) == whole
        assert found[Place("task", "refund", 0, False)].runs == runs / 2


@pytest.mark.django_db
def test_the_figures_of_versions_are_there_for_a_rollout(support: Agent) -> None:
    now = datetime.now(UTC)
    _runs(support, now, 4, version=1, latency_ms=100.0)
    _runs(support, now - timedelta(days=2), 4, version=1)
    _runs(support, now, 2, version=2, success=False)
    report(support, "anna", version=2)
    count_runs()
    found = version_figures(support.pk, "system-prompt", [1, 2, 3], now - timedelta(hours=1))
    assert (found[1].runs, found[1].successes, found[1].latency.total) == (4, 4, 4)
    assert (found[2].runs, found[2].failed, found[2].negative) == (2, 2, 1)
    assert found[3] == Figures()


@pytest.mark.django_db
def test_below_ten_runs_there_is_no_score(support: Agent) -> None:
    _runs(support, datetime.now(UTC), 9)
    count_runs()
    assert scores() == {support.pk: None}
    _runs(support, datetime.now(UTC), 1)
    count_runs()
    found = scores(support.pk)[support.pk]
    assert found is not None
    assert (found.value, found.worth) == (1.0, 10.0)


@pytest.mark.django_db
def test_the_last_calls_of_each_tool_are_read_newest_first(support: Agent) -> None:
    now = datetime.now(UTC)
    _runs(support, now - timedelta(hours=1), 30, tool="search", latency_ms=10.0)
    _runs(support, now, 1, tool="search", success=False, error="boom", input_hash="a", output_hash="b")
    found = last_calls(support.pk, ["search", "none"])
    assert list(found) == ["search"]
    assert len(found["search"]) == 20
    assert found["search"][0].error == "boom"


@pytest.mark.django_db
def test_misses_are_counted_by_version_whatever_their_case(support: Agent) -> None:
    _runs(support, datetime.now(UTC), 1, external_id="seven", version=7)
    report(support, "anna", expected="Refund", predicted="order", version=2)
    report(support, "ben", expected="refund", predicted="Order", version=2)
    report(support, "carl", expected="refund", predicted="order", run_id="seven")
    report(support, "dora", expected="refund", predicted="refund", version=2)
    found = misses(support.pk, span("month"))
    assert [(miss.version, miss.items) for miss in found] == [(2, 2), (7, 1)]


@pytest.mark.django_db
def test_statistics_count_runs_improvements_and_rollbacks(support: Agent) -> None:
    _runs(support, datetime.now(UTC), 3)
    count_runs()
    month = datetime.now(UTC) - timedelta(days=30)
    assert statistics(month) == statistics(month, support.pk)
    assert statistics(month).runs == 3
