"""The judge: what it says of which runs, and that it bets fairly."""

import json
import math
from itertools import pairwise, permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proposals.judging import Batch, Judge, Observed, Scenario, Verdict, bets, blocks, line, sentence
from proposals.judging.metrics import METRICS, RATES
from proposals.judging.observations import Arm
from proposals.judging.simulation import made_up, play
from tests.judging import judged, observed, rollout

ARMS: tuple[Arm, Arm] = ("current", "candidate")


# What is promised


def a_block(others: int, lone_is_candidate: bool) -> blocks.Blocks:
    one = np.array([0])
    rest = np.arange(1, others + 1)
    return blocks.Blocks(one, np.array([lone_is_candidate]), rest, one, np.array([others]), one, one[:0])


def mean_bet(candidate: float, current: float, others: int, lone_is_candidate: bool, tilt: float) -> float:
    """The exact mean of a bet on failures, over all outcomes of one block."""
    block, total = a_block(others, lone_is_candidate), 0.0
    rates = [candidate if lone_is_candidate else current] + [current if lone_is_candidate else candidate] * others
    for failed in product((0.0, 1.0), repeat=others + 1):
        chance = math.prod(rate if fails else 1 - rate for rate, fails in zip(rates, failed, strict=True))
        factor = bets.log_factors(bets.pulls(np.array(failed), block), block, (tilt,))
        total += chance * math.exp(factor[0, 0])
    return total


chances = st.floats(0, 1)


@given(chances, st.integers(1, 6), st.booleans(), st.sampled_from(RATES))
def test_nobody_gains_on_average_by_betting_against_an_identical_candidate(
    rate: float, others: int, lone_is_candidate: bool, tilt: float
) -> None:
    assert mean_bet(rate, rate, others, lone_is_candidate, tilt) == pytest.approx(1)


@given(chances, chances, st.integers(1, 6), st.booleans(), st.sampled_from(RATES))
def test_betting_against_a_better_candidate_loses(
    one: float, other: float, others: int, lone_is_candidate: bool, tilt: float
) -> None:
    candidate, current = sorted((one, other))
    assert mean_bet(candidate, current, others, lone_is_candidate, tilt) <= 1 + 1e-9


latencies = st.lists(st.floats(0, 1e12), min_size=2, max_size=5)


@given(latencies, st.booleans(), st.sampled_from(METRICS["latency"].tilts))
def test_a_bet_on_latencies_is_fair_whatever_they_are(values: list[float], is_candidate: bool, tilt: float) -> None:
    block = a_block(len(values) - 1, is_candidate)
    gains = []
    for order in permutations(values):
        harm = METRICS["latency"].harm(np.array(order))
        gains.append(math.exp(bets.log_factors(bets.pulls(harm, block), block, (tilt,))[0, 0]))
    assert sum(gains) / len(gains) == pytest.approx(1)


def test_an_identical_candidate_is_rolled_back_in_fewer_than_one_rollout_of_a_hundred() -> None:
    """Of 2 000 rollouts at most 12: were the rate 1 %, so few would come up with a chance below 4 %."""
    scenarios = [
        Scenario(
            rate,
            rate,
            share,
            latency_spread=spread,
            unsafe=0.02,
            candidate_unsafe=0.02,
            quality=4.0,
            candidate_quality=4.0,
        )
        for rate in (0.5, 0.7, 0.9, 0.99)
        for share, spread in ((0.5, 0.5), (0.2, 1.0), (0.05, 1.5))
    ]
    undone = 0
    for number, rng in enumerate(np.random.default_rng(7).spawn(2000)):
        judge = Judge()
        judge.observe(made_up(scenarios[number % len(scenarios)], 800, rng))
        undone += judge.rolled_back_at is not None
    assert undone <= 12


@pytest.mark.parametrize(
    ("scenario", "runs", "most"),
    [
        (Scenario(0.9, 0.8), 2000, 363),
        (Scenario(0.9, 0.5, share=0.2), 300, 24),
        (Scenario(0.9, 0.9, latency_factor=1.5), 400, 58),
    ],
)
def test_a_worse_candidate_is_undone_soon(scenario: Scenario, runs: int, most: int) -> None:
    """Within one and a half times what one such test takes at 1 % for a single metric."""
    found = [play(made_up(scenario, runs, rng)).rolled_back_at for rng in np.random.default_rng(5).spawn(101)]
    assert np.median([runs if one is None else one for one in found]) <= most


def test_the_true_difference_is_in_every_interval_shown() -> None:
    missed = 0
    for rng in np.random.default_rng(3).spawn(60):
        batch, judge = made_up(Scenario(0.8, 0.7, latency_factor=1.1), 1200, rng), Judge()
        outside = False
        for start in range(0, 1200, 100):
            judge.observe(batch.where(slice(start, start + 100)))
            success, latency = judge.verdict().findings[:2]
            outside |= not (success.low or -1) <= -0.1 <= (success.high or 1)
            outside |= not (latency.low or 0) <= 1.1 <= (latency.high or 99)
        missed += outside
    assert missed <= 6


observations = st.lists(
    st.builds(
        Observed,
        arm=st.sampled_from(ARMS),
        share=st.sampled_from([0.05, 0.25, 0.4, 0.5, 0.8]),
        success=st.none() | st.booleans(),
        latency_ms=st.none() | st.floats(0, 1e6),
        negative=st.none() | st.booleans(),
        unsafe=st.none() | st.booleans(),
        quality=st.none() | st.floats(1, 5),
        nth=st.integers(1, 3),
    ),
    max_size=150,
)


@settings(deadline=None, max_examples=60)
@given(observations, st.lists(st.integers(0, 150), max_size=6))
def test_how_runs_are_cut_into_batches_changes_nothing(told: list[Observed], cuts: list[int]) -> None:
    whole, pieces = Judge(), Judge()
    whole.observe(told)
    edges = [0, *sorted(cuts), len(told)]
    for start, end in pairwise(edges):
        pieces.observe(told[start:end])
        pieces = Judge.from_json(json.loads(json.dumps(pieces.to_json())))
    assert pieces.to_json() == whole.to_json()
    assert pieces.verdict() == whole.verdict()


@given(st.lists(st.booleans(), max_size=200), st.sampled_from([0.05, 0.2, 0.3, 0.5, 0.75, 1.0]))
def test_each_run_stands_in_one_block_at_most_and_few_wait(arms: list[bool], share: float) -> None:
    formed = blocks.form(np.array(arms, dtype=np.bool_), np.full(len(arms), share), 0)
    used = [*formed.lone.tolist(), *formed.others.tolist(), *formed.waiting.tolist()]
    assert len(used) == len(set(used))
    assert len(formed.waiting) <= 2 * (3 * 99 + blocks.LONGEST_WAIT)
    lone = np.repeat(formed.lone_is_candidate, formed.sizes)
    assert not (np.array(arms, dtype=np.bool_)[formed.others] == lone).any()


def test_a_share_that_grows_while_traffic_gets_harder_is_not_held_against_the_candidate() -> None:
    """Overall the candidate succeeds less, as most of its runs are of the hard days; within each day it does not."""
    judge = Judge()
    for share, rate, seed in ((0.05, 0.99, 1), (0.5, 0.6, 2)):
        judge.observe(rollout(3000, seed, current=rate, candidate=rate, share=share))
    success = judge.verdict().finding("success")
    assert success.candidate is not None
    assert success.current is not None
    assert success.candidate < success.current - 0.1
    assert judge.verdict().kind != "worse"


# What is said


def test_a_drop_in_success_rolls_back_and_says_so() -> None:
    verdict = judged(rollout(candidate=0.7))
    assert (verdict.kind, verdict.rule, verdict.metric) == ("worse", "evidence", "success")
    assert verdict.rolled_back_at is not None
    assert verdict.rolled_back_at < 150
    assert "Worse: success rate 6" in sentence(verdict) or "Worse: success rate 7" in sentence(verdict)
    assert sentence(verdict).endswith("the evidence was at least 200 to 1, which rolls back.")
    assert line(verdict.finding("success")).startswith("Success rate: ")


@pytest.mark.parametrize(
    ("scenario", "metric"),
    [
        ({"latency_factor": 1.5}, "latency"),
        ({"candidate_negative": 0.2}, "negative"),
        ({"candidate_unsafe": 0.05}, "unsafe"),
        ({"quality": 4.0, "candidate_quality": 3.0}, "quality"),
    ],
)
def test_every_metric_can_roll_back(scenario: dict[str, Any], metric: str) -> None:
    verdict = judged(rollout(**scenario))
    assert (verdict.kind, verdict.metric) == ("worse", metric)


def test_what_was_found_worse_stays_worse() -> None:
    judge = Judge()
    judge.observe(rollout(400, candidate=0.5))
    before = judge.verdict()
    judge.observe(rollout(4000, current=0.5, candidate=0.95))
    assert (before.kind, judge.verdict().kind) == ("worse", "worse")
    assert judge.rolled_back_at == before.rolled_back_at


def test_a_candidate_that_breaks_after_a_long_good_time_is_undone_soon() -> None:
    judge = Judge()
    judge.observe(rollout(6000))
    before = judge.traffic.candidate_runs
    judge.observe(rollout(800, seed=2, candidate=0.6))
    assert judge.rolled_back_at is not None
    assert judge.rolled_back_at - before < 250


def test_the_same_is_no_worse_in_time_and_a_better_one_better() -> None:
    same, better = judged(rollout(6000)), judged(rollout(3000, current=0.6))
    assert (same.kind, same.rule, same.is_better) == ("no_worse", "interval", False)
    assert sentence(same).startswith("No worse: success rate ")
    assert (better.kind, better.is_better) == ("no_worse", True)
    assert sentence(better).startswith("Better: success rate. No worse: latency ")


def test_few_runs_leave_it_open() -> None:
    early, later = judged(rollout(8)), judged(rollout(100))
    assert (early.kind, early.rule) == ("inconclusive", "least_runs")
    assert sentence(early).startswith("Too early to tell: ")
    assert (later.kind, later.rule, later.metric) == ("inconclusive", "interval", "success")
    assert sentence(later).startswith("Not clear yet: success rate ")
    assert sentence(later).endswith("; no worse means at most 5.0 points.")


def test_no_verdict_before_the_least_number_of_runs() -> None:
    told = [
        one
        for pair in zip(observed("current", [True] * 40), observed("candidate", [False] * 40), strict=True)
        for one in pair
    ]
    assert judged(Batch.of(told[:60]), least_runs=35).kind == "inconclusive"
    assert judged(Batch.of(told), least_runs=35).rolled_back_at == 35


def test_what_only_the_current_version_reports_stays_open() -> None:
    batch = rollout(6000)
    batch.values["latency"][batch.candidate] = np.nan
    verdict = judged(batch)
    assert (verdict.kind, verdict.metric) == ("inconclusive", "latency")
    assert sentence(verdict) == "Not clear yet: there is too little to compare in latency."
    assert line(verdict.finding("latency")) == "Latency: not reported by the candidate"


def test_complaints_that_come_later_count_without_counting_as_runs() -> None:
    batch = rollout(1000, candidate_negative=0.3)
    told = batch.values["negative"].copy()
    batch.values["negative"][:] = np.nan
    judge = Judge()
    judge.observe(batch)
    before = judge.verdict()
    late = zip(batch.candidate.tolist(), told.tolist(), strict=True)
    judge.observe([Observed(ARMS[arm], 0.5, negative=bool(complained)) for arm, complained in late])
    assert before.kind == "inconclusive"
    assert (judge.verdict().kind, judge.verdict().metric) == ("worse", "negative")
    assert judge.verdict().runs == before.runs


def test_units_in_other_proportions_than_planned_make_the_comparison_doubtful() -> None:
    batch = rollout(4000, share=0.5)
    lost = batch.candidate & (np.arange(4000) % 3 == 0)
    verdict = judged(batch.where(~lost))
    assert (verdict.kind, verdict.rule) == ("inconclusive", "sample_ratio")
    assert "units had the candidate where about" in sentence(verdict)


def test_planned_proportions_are_no_mismatch_while_the_share_grows() -> None:
    judge = Judge()
    for share in (0.05, 0.25, 0.5):
        judge.observe(rollout(3000, seed=round(share * 100), share=share))
    assert judge.verdict().troubles == ()


def test_a_candidate_that_fell_silent_is_noticed() -> None:
    judge = Judge()
    judge.observe(rollout(200, share=0.2))
    judge.observe(observed("current", [True] * 60))
    verdict = judge.verdict()
    assert (verdict.kind, verdict.rule) == ("inconclusive", "silence")
    assert "No run of the candidate among the last 6" in sentence(verdict)
    judge.observe(observed("candidate", [True]))
    assert judge.verdict().rule != "silence"


def test_only_the_first_runs_of_a_unit_count_where_asked() -> None:
    told = [Observed(arm, 0.5, success=arm == "current", nth=nth) for nth in range(1, 101) for arm in ARMS]
    assert judged(Batch.of(told)).kind == "worse"
    capped = judged(Batch.of(told), runs_per_unit=3)
    assert capped.kind == "inconclusive"
    assert capped.finding("success").candidate_runs == 3


def test_a_verdict_comes_back_from_json() -> None:
    for verdict in (judged(rollout(candidate=0.7)), judged(rollout(5)), judged(rollout(), rules="quick")):
        assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


def test_what_is_remembered_stays_small() -> None:
    judge = Judge()
    judge.observe(rollout(20000, quality=4.0, candidate_quality=4.0))
    assert len(json.dumps(judge.to_json())) < 15_000
