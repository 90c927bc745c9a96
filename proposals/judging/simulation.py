"""What the judge would do, tried on rollouts made up by chance: for planning, and to measure the judge itself."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from proposals.judging.judge import Judge
from proposals.judging.metrics import Floats
from proposals.judging.observations import Batch
from proposals.judging.settings import Settings

FIRST_PART = 100
"""Runs told at once to begin with, then ever more: what is rolled back early need not be played to its end."""


MOST = 1_000_000
"""Runs in one rollout, and rollouts, that can be asked for."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Two versions and the traffic to them.

    `current` and `candidate` are success rates, `share` the candidate's part of the units. The candidate takes
    `latency_factor` times as long; `latency_spread` is the standard deviation of the latency's natural logarithm.
    `negative` and `candidate_negative` are the parts of runs people complain about, `unsafe` and `candidate_unsafe` of
    those they call unsafe; `quality` and `candidate_quality`
    mean ratings before they are rounded into 1 to 5, with a spread of one point, or None for none.
    `unit_runs` is how many runs a unit has on average; `likeness`, from 0 to below 1, how much more alike runs of one
    unit are than runs of different ones (the intraclass correlation of success).
    """

    current: float
    candidate: float
    share: float = 0.5
    latency_factor: float = 1.0
    latency_spread: float = 0.5
    negative: float = 0.05
    candidate_negative: float = 0.05
    unsafe: float = 0.0
    candidate_unsafe: float = 0.0
    quality: float | None = None
    candidate_quality: float | None = None
    unit_runs: float = 1.0
    likeness: float = 0.0

    def __post_init__(self) -> None:
        rates = {
            "success rate of the current version": self.current,
            "success rate of the candidate": self.candidate,
            "part of runs people complain about": self.negative,
            "part of the candidate’s runs people complain about": self.candidate_negative,
            "part of runs people call unsafe": self.unsafe,
            "part of the candidate’s runs people call unsafe": self.candidate_unsafe,
        }
        for name, rate in rates.items():
            _expect(0 <= rate <= 1, f"The {name} should be from 0 to 1.")
        _expect(0 < self.share < 1, "The share should be between 0 and 1.")
        _expect(0 < self.latency_factor < 1000, "The latency factor should be above 0 and below 1000.")
        _expect(0 <= self.latency_spread <= 5, "The latency spread should be from 0 to 5.")
        for quality in (self.quality, self.candidate_quality):
            _expect(quality is None or 1 <= quality <= 5, "A quality should be from 1 to 5.")
        _expect((self.quality is None) == (self.candidate_quality is None), "Give both qualities or none.")
        _expect(1 <= self.unit_runs <= 1e6, "The runs of a unit should be from 1 to a million.")
        _expect(0 <= self.likeness < 1, "The likeness should be from 0 to below 1.")


@dataclass(slots=True)
class Tally:
    """What became of the rollouts: for each rolled back the candidate runs until then and the rule; for the others
    the kind of the last verdict."""

    rolled_back_at: list[int] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def rollouts(self) -> int:
        """How many there were."""
        return self.kinds.total()

    def to_json(self) -> dict[str, Any]:
        """`rolled_back` is the part of rollouts rolled back; `median_runs` the candidate runs by which half of *all*
        rollouts were, None if fewer were; `median_runs_rolled_back` that of those which were."""
        count, all_of_them = len(self.rolled_back_at), self.rollouts
        times = sorted(self.rolled_back_at) + [math.inf] * (all_of_them - count)
        low, high = wilson(count, all_of_them)
        return {
            "rolled_back": count / all_of_them,
            "rolled_back_interval": [round(low, 5), round(high, 5)],
            "median_runs": median(times) if count * 2 > all_of_them else None,
            "median_runs_rolled_back": median(self.rolled_back_at) if count else None,
            "no_worse": self.kinds["no_worse"] / all_of_them,
            "inconclusive": self.kinds["inconclusive"] / all_of_them,
            "rolled_back_rollouts": count,
            "by_rule": dict(self.rules.most_common()),
        }


def simulate(
    scenario: Scenario, *, runs: int, rollouts: int, seed: int, settings: Settings | None = None
) -> Iterator[Tally]:
    """Play that many rollouts of `runs` runs (both arms together); gives the tally so far after each. The same seed
    gives the same rollouts. Raises ValueError at once if a number is out of bounds."""
    _expect(1 <= runs <= MOST, f"There should be from 1 to {MOST:,} runs.")
    _expect(1 <= rollouts <= MOST, f"There should be from 1 to {MOST:,} rollouts.")
    _expect(seed >= 0, "The seed should not be below 0.")
    return _played(scenario, runs, rollouts, seed, settings)


def _played(scenario: Scenario, runs: int, rollouts: int, seed: int, settings: Settings | None) -> Iterator[Tally]:
    tally = Tally()
    seeds = np.random.SeedSequence(seed)
    for _ in range(rollouts):
        rng = np.random.default_rng(seeds.spawn(1)[0])
        verdict = play(made_up(scenario, runs, rng), settings).verdict()
        tally.kinds[verdict.kind] += 1
        if verdict.rolled_back_at is not None:
            tally.rolled_back_at.append(verdict.rolled_back_at)
            tally.rules[f"{verdict.rule}: {verdict.metric}"] += 1
        yield tally


def play(batch: Batch, settings: Settings | None = None) -> Judge:
    """A judge who was told these runs, or as many of them as it took to roll back."""
    judge = Judge(settings)
    start, end = 0, FIRST_PART
    while start < len(batch) and judge.rolled_back_at is None:
        judge.observe(batch.where(slice(start, end)))
        start, end = end, end * 3
    return judge


def made_up(scenario: Scenario, runs: int, rng: np.random.Generator) -> Batch:
    """One rollout's runs."""
    unit, nth = _units(scenario, runs, rng)
    candidate = (rng.random(runs) < scenario.share)[unit]
    rate = np.where(candidate, scenario.candidate, scenario.current)
    latency = rng.lognormal(math.log(400), scenario.latency_spread, runs)
    complaints = np.where(candidate, scenario.candidate_negative, scenario.negative)
    unsafe = np.where(candidate, scenario.candidate_unsafe, scenario.unsafe)
    return Batch(
        candidate,
        np.full(runs, scenario.share),
        nth,
        {
            "success": (rng.random(runs) < _by_unit(rate, unit, scenario.likeness, rng)).astype(np.float64),
            "latency": latency * np.where(candidate, scenario.latency_factor, 1.0),
            "negative": (rng.random(runs) < complaints).astype(np.float64),
            "quality": _qualities(scenario, candidate, rng),
            "unsafe": (rng.random(runs) < unsafe).astype(np.float64),
        },
    )


def _units(scenario: Scenario, runs: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """(unit, number among those of its unit) of each run."""
    if scenario.unit_runs == 1:
        return np.arange(runs), np.ones(runs, dtype=np.int64)
    unit = rng.integers(max(1, round(runs / scenario.unit_runs)), size=runs)
    seen: Counter[int] = Counter()
    nth = np.zeros(runs, dtype=np.int64)
    for position, one in enumerate(unit.tolist()):
        seen[one] += 1
        nth[position] = seen[one]
    return unit, nth


def _by_unit(rate: Floats, unit: Any, likeness: float, rng: np.random.Generator) -> Floats:
    """Each run's own chance: units differ around the rate as much as the likeness says."""
    if not likeness:
        return rate
    size = 1 / likeness - 1
    first = np.unique(unit, return_index=True)
    means = np.clip(rate[first[1]], 1e-6, 1 - 1e-6)
    own: Floats = rng.beta(means * size, (1 - means) * size)[np.searchsorted(first[0], unit)]
    return own


def _qualities(scenario: Scenario, candidate: Any, rng: np.random.Generator) -> Floats:
    if scenario.quality is None or scenario.candidate_quality is None:
        return np.full(len(candidate), np.nan)
    centre = np.where(candidate, scenario.candidate_quality, scenario.quality)
    ratings: Floats = np.clip(np.rint(rng.normal(centre, 1.0)), 1, 5)
    return ratings


def wilson(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval for a part: 95 % unless told otherwise."""
    part, extra = count / total, z * z / total
    centre, width = part + extra / 2, z * math.sqrt(part * (1 - part) / total + extra / total / 4)
    return max(0.0, (centre - width) / (1 + extra)), min(1.0, (centre + width) / (1 + extra))


def _expect(is_so: bool, message: str) -> None:
    if not is_so:
        raise ValueError(message)
