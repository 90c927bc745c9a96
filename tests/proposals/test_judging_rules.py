"""The judge: what quick rules undo at once, and what nobody can set or observe."""

import math
from typing import Any

import pytest

from proposals.judging import Batch, Observed, Settings, sentence
from tests.judging import judged, observed

# Quick rules


@pytest.mark.parametrize(
    ("candidate", "current", "rule", "at", "said"),
    [
        (
            observed("candidate", [True] * 5 + [False] * 5),
            observed("current", [False] * 10),
            "quick_failures",
            10,
            "Worse by a quick rule: 5 failures in a row after 10 runs of the candidate.",
        ),
        (
            observed("candidate", [True, True, True, False] * 3),
            observed("current", [True] * 12),
            "quick_success",
            10,
            "Worse by a quick rule: 80\u00a0% of the last runs succeeded, against 100\u00a0%, after 10 runs of the "
            "candidate.",
        ),
        (
            observed("candidate", [True] * 10, latency_ms=1300),
            observed("current", [True] * 10, latency_ms=1000),
            "quick_latency",
            10,
            "Worse by a quick rule: the last runs took 1.3 s on average, against 1.0 s with the current version, after "
            "10 runs of the candidate.",
        ),
    ],
)
def test_quick_rules_undo_from_the_tenth_run_on(
    candidate: list[Observed], current: list[Observed], rule: str, at: int, said: str
) -> None:
    verdict = judged(Batch.of(current + candidate), rules="quick")
    assert (verdict.kind, verdict.rule, verdict.rolled_back_at) == ("worse", rule, at)
    assert sentence(verdict) == said
    assert "identical" in verdict.false_alarms
    assert judged(Batch.of(current + candidate[:9]), rules="quick").kind == "inconclusive"


def test_ten_points_less_and_a_fifth_longer_are_still_borne_by_the_quick_rules() -> None:
    current = observed("current", [True] * 10, latency_ms=1000)
    candidate = observed("candidate", [True] * 9 + [False], latency_ms=1200)
    assert judged(Batch.of(current + candidate), rules="quick").kind == "inconclusive"


# What is refused


@pytest.mark.parametrize(
    "bad",
    [
        {"alpha": 0},
        {"confidence": 1},
        {"portions": {"success": 1}},
        {"portions": {"success": 0.7, "latency": 0.2, "negative": 0.2, "quality": 0.1}},
        {"margins": {"success": 0.1, "latency": 0.9, "negative": 0.1, "quality": 1}},
        {"needed": ("speed",)},
        {"least_runs": 0},
        {"runs_per_unit": 0},
        {"rules": "slow"},
    ],
)
def test_impossible_settings_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="should"):
        Settings(**bad)


@pytest.mark.parametrize(
    "bad", [{"share": 0}, {"share": 1.1}, {"latency_ms": -1}, {"latency_ms": math.nan}, {"quality": 6}]
)
def test_impossible_observations_are_refused(bad: dict[str, Any]) -> None:
    given: dict[str, Any] = {"arm": "candidate", "share": 0.5} | bad
    with pytest.raises(ValueError, match="should"):
        Observed(**given)
