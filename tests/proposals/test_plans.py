"""Plans in words, plans by other shares, and the course of a rollout as it is drawn."""

from typing import Any

import pytest

from proposals.rollouts.chart import HEIGHT, LOWER, charts
from proposals.rules.plans import BUILT_IN, BadPlan, Plan, Step


@pytest.mark.parametrize(
    ("days", "words"), [(3, "3 days"), (1, "1 day"), (0.5, "12 hours"), (1 / 24 / 60, "1 minute"), (1.5, "36 hours")]
)
def test_patience_is_said_in_the_unit_it_is_meant_in(days: float, words: str) -> None:
    assert Plan(patience_days=days).patience == words


def test_how_long_a_share_is_held_is_said_to_the_minute() -> None:
    assert [step.hold for step in BUILT_IN.steps] == ["75 minutes", "2 hours", "4 hours"]
    assert Step(5, 1, 1 / 60).hold == "1 minute"


def test_other_shares_hold_as_long_as_the_next_larger_one_of_the_plan() -> None:
    found = BUILT_IN.with_shares([1, 10, 30, 50])
    assert [(step.share, step.least_runs) for step in found.steps] == [(1, 30), (10, 60), (30, 100), (50, 100)]
    assert found.with_shares([25]).in_words == "25\u00a0%, then ask, then 100\u00a0%"
    for bad in ([], [0], [30], [10, 10], [10, 51]):
        with pytest.raises(BadPlan):
            BUILT_IN.with_shares(bad)


def finding(metric: str, unit: str, candidate: float | None, current: float | None, *ends: float) -> dict[str, Any]:
    low, high = ends or (None, None)
    both = {"candidate": candidate, "current": current, "low": low, "high": high}
    return {"metric": metric, "title": metric, "unit": unit, **both}


def test_each_metric_that_is_reported_is_drawn_on_a_scale_of_its_own() -> None:
    look = [
        finding("success", "points", 0.9, 0.8, -0.1, 0.3),
        finding("latency", "ratio", 1200.0, 1000.0, 0.9, 1.6),
        finding("negative", "points", None, None),
        finding("quality", "scale", 4.0, 4.5, -1.0, 0.2),
    ]
    drawn = charts([(10, look), (40, look)])
    assert [(one.title, one.height) for one in drawn] == [("Success", HEIGHT), ("Latency", LOWER), ("Quality", LOWER)]
    assert [one.ticks[0].label for one in drawn] == ["92\u00a0%", "1.3\u00a0s", "4.6"]
    assert all(one.runs == 40 for one in drawn)
    assert charts([(10, look)]) == charts([]) == []
