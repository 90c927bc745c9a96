"""simulate_judge: the judge before made-up rollouts."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

SMALL = ("--runs", "400", "--rollouts", "20", "--seed", "1")


def simulated(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("simulate_judge", *SMALL, *arguments, stdout=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


def test_it_says_how_many_were_rolled_back_and_when() -> None:
    worse, same = (
        simulated("--current", "0.9", "--candidate", "0.5"),
        simulated("--current", "0.9", "--candidate", "0.9"),
    )
    assert worse["rolled_back"] == 1
    assert 10 <= worse["median_runs"] <= 60
    assert next(iter(worse["by_rule"])) == "evidence: success"
    assert (same["rolled_back"], same["median_runs"]) == (0, None)


def test_the_same_seed_gives_the_same_answer() -> None:
    arguments = ("--current", "0.9", "--candidate", "0.7", "--share", "0.2")
    assert simulated(*arguments) == simulated(*arguments)
    assert simulated(*arguments) != simulated(*arguments, "--seed", "2")


def test_latency_complaints_and_ratings_can_differ_too() -> None:
    same = ("--current", "0.9", "--candidate", "0.9")
    for option, rule in (
        (("--latency-factor", "2"), "latency"),
        (("--candidate-negative", "0.5"), "negative"),
        (("--candidate-unsafe", "0.3"), "unsafe"),
        (("--quality", "4.5", "--candidate-quality", "2"), "quality"),
    ):
        told = simulated(*same, *option)
        assert told["rolled_back"] > 0.9
        assert next(iter(told["by_rule"])) == f"evidence: {rule}"


def test_quick_rules_can_be_tried() -> None:
    assert simulated("--current", "0.8", "--candidate", "0.8", "--rules", "quick")["rolled_back"] > 0.5


@pytest.mark.parametrize(
    "bad",
    [
        ("--candidate", "1.1"),
        ("--candidate", "nan"),
        ("--share", "0"),
        ("--share", "1"),
        ("--runs", "0"),
        ("--rollouts", "-1"),
        ("--seed", "-1"),
        ("--latency-factor", "0"),
        ("--candidate-quality", "3"),
        ("--likeness", "1"),
        ("--alpha", "0"),
        ("--runs-per-unit", "0"),
    ],
)
def test_bad_numbers_are_refused_in_words(bad: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=r"should|Give both"):
        simulated("--current", "0.9", "--candidate", "0.9", *bad)
