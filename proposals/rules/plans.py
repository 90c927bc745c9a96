"""How a candidate is rolled out, step by step, up to the gate where a person is asked. Pure; knows no Django."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from audit.numbers import counted
from proposals.judging import Settings

MAJORITY: Final = 50
"""Percent of the units that a candidate has at most before a person promotes it."""
MOST_STEPS: Final = 10
MOST_RUNS: Final = 1_000_000
MOST_HOURS: Final = 24 * 90
MOST_DAYS: Final = 365
LEAST_MARGINS: Final = {"margin": 0.5, "unsafe_margin": 0.1}
"""In points; to show less takes more runs than anybody waits for."""
MINUTES: Final = 24 * 60
"""Of a day."""
SETTLING_H: Final = 5 / 60
"""Hours until what came in is known to be all."""
_PERCENT: Final = "\u00a0%"

Start = Literal["canary", "at_once"]
Inconclusive = Literal["hold", "warn", "ask", "give_up"]
INCONCLUSIVE: Final[Mapping[Inconclusive, str]] = {
    "hold": "hold",
    "warn": "hold, and say so on its page",
    "ask": "ask a person",
    "give_up": "give up: stop the rollout",
}
STARTS: Final[Mapping[Start, str]] = {"at_once": "Release at once", "canary": "Start a canary"}
OWN_SHARES: Final = "own"
"""Beside these, where somebody decides: a canary by shares of their own."""


class BadPlan(ValueError):
    """A plan that makes no sense; `field` is what is wrong with it. The message is fit to be shown."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Step:
    """The candidate has `share` percent of the units until it had `least_runs` runs there and `hold_h` hours passed."""

    share: int
    least_runs: int
    hold_h: float

    @property
    def hold(self) -> str:
        """“75 minutes”, “4 hours”."""
        minutes = round(self.hold_h * 60)
        return counted(minutes, "minute") if minutes < 120 else f"{self.hold_h:g} hours"


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps up to the gate; after the last of them a person is asked, and promoting gives the candidate to all.

    `start` is what approving does unless its form says otherwise, `at_once_allowed` whether it may release at once.
    The share is never set below `floor` or above `ceiling` percent, and never grows by more than `largest_step`
    points. After `patience_days` in a step without a clear verdict, what `inconclusive` says is done.
    `margin` is the loss, in points of the rates of success and complaints, that still counts as no worse;
    `unsafe_margin` is that of the rate of unsafe reports.
    Only the first `runs_per_unit` runs of each unit count: many runs of few units would say more than they know.
    """

    steps: tuple[Step, ...] = (Step(5, 30, 1.25), Step(25, 60, 2.0), Step(50, 100, 4.0))
    start: Start = "at_once"
    at_once_allowed: bool = True
    floor: int = 1
    ceiling: int = MAJORITY
    largest_step: int = 25
    inconclusive: Inconclusive = "ask"
    patience_days: float = 3
    rules: Literal["sequential", "quick"] = "sequential"
    margin: float = 5.0
    unsafe_margin: float = 1.0
    least_runs: int = 10
    runs_per_unit: int = 20
    complaints_after_h: float = 1.0

    def __post_init__(self) -> None:
        _expect("floor", 1 <= self.floor <= self.ceiling, "The floor should be from 1\u00a0% to the ceiling.")
        most = f"The ceiling should be at most {MAJORITY}\u00a0%: a person promotes to more."
        _expect("ceiling", self.ceiling <= MAJORITY, most)
        _expect("largest_step", 1 <= self.largest_step <= MAJORITY, f"Give 1 to {MAJORITY} points.")
        _expect("steps", 1 <= len(self.steps) <= MOST_STEPS, f"Give 1 to {MOST_STEPS} shares.")
        self._expect_growing()
        for step in self.steps:
            _expect("least_runs", 0 <= step.least_runs <= MOST_RUNS, f"Give 0 to {MOST_RUNS:,} runs for each step.")
            _expect("hold_h", 0 <= step.hold_h <= MOST_HOURS, f"Give 0 to {MOST_HOURS:,} hours for each step.")
        _expect("start", self.start in STARTS, "Choose what approving does.")
        contradiction = "What approving does cannot be what is not allowed."
        _expect("at_once_allowed", self.start == "canary" or self.at_once_allowed, contradiction)
        _expect("inconclusive", self.inconclusive in INCONCLUSIVE, "Choose what to do without a clear verdict.")
        least_days = round(self.patience_days * MINUTES) >= 1
        _expect("patience_days", least_days and self.patience_days <= MOST_DAYS, f"Give a minute to {MOST_DAYS} days.")
        _expect("rules", self.rules in ("sequential", "quick"), "Choose the rules of the judge.")
        for name, margin in (("margin", self.margin), ("unsafe_margin", self.unsafe_margin)):
            _expect(name, LEAST_MARGINS[name] <= margin <= 50, f"Give {LEAST_MARGINS[name]:g} to 50 points.")
        _expect("least_runs", 1 <= self.least_runs <= MOST_RUNS, "The judge needs at least one run.")
        _expect("runs_per_unit", 1 <= self.runs_per_unit <= MOST_RUNS, f"Give 1 to {MOST_RUNS:,} runs of each unit.")
        # Runs that came late are looked for during this time, see `proposals.actions.feeding`.
        _expect("complaints_after_h", 0.1 <= self.complaints_after_h <= 72, "Give 0.1 to 72 hours.")

    def _expect_growing(self) -> None:
        before = 0
        for step in self.steps:
            within = f"Every share should be from {self.floor} to {self.ceiling}\u00a0%."
            _expect("steps", self.floor <= step.share <= self.ceiling, within)
            _expect("steps", step.share > before, "Each share should be larger than the one before.")
            leap = f"From {before} to {step.share}\u00a0% is more than {self.largest_step} points at once."
            _expect("steps", step.share - before <= self.largest_step, leap)
            before = step.share

    @property
    def in_words(self) -> str:
        """“5 %, 25 %, 50 %, then ask, then 100 %”."""
        shares = ", ".join(f"{step.share}{_PERCENT}" for step in self.steps)
        return f"{shares}, then ask, then 100{_PERCENT}"

    @property
    def bounds(self) -> str:
        """“from 1 to 50 %, at most 25 points at once”."""
        return f"from {self.floor} to {self.ceiling}{_PERCENT}, at most {self.largest_step} points at once"

    @property
    def patience(self) -> str:
        """“3 days”, “1 hour”, “4 minutes”."""
        minutes = round(self.patience_days * MINUTES)
        size, unit = next((n, name) for n, name in ((MINUTES, "day"), (60, "hour"), (1, "minute")) if minutes % n == 0)
        return counted(minutes // size, unit)

    def with_shares(self, shares: Sequence[int]) -> "Plan":
        """The same plan by other shares: each holds as long, and needs as many runs, as the next larger one here.

        Raises BadPlan, also for what this plan does not allow.
        """
        _expect("steps", bool(shares), "Give at least one share.")
        like = [next((step for step in self.steps if step.share >= share), self.steps[-1]) for share in shares]
        steps = tuple(replace(step, share=share) for step, share in zip(like, shares, strict=True))
        return replace(self, steps=steps)

    def expect_time_for_complaints(self) -> None:
        """Refuse steps that may end before any complaint was told of. Raises BadPlan."""
        least = self.complaints_after_h + SETTLING_H
        after = f"Complaints are counted {self.complaints_after_h:g} hours after a run; hold each share for at least"
        is_enough = all(step.hold_h >= least - 1e-9 for step in self.steps)
        _expect("hold_h", is_enough, f"{after} {math.ceil(least * 100) / 100:g} hours.")

    def step_at(self, share: int) -> int:
        """The index of the step whose minimum holds at this share: the last one not above it, else the first."""
        return max((at for at, step in enumerate(self.steps) if step.share <= share), default=0)

    def step_above(self, share: int) -> int | None:
        """The index of the first step that is larger; None if the gate comes next.

        It never is more than `largest_step` points away, as the steps are not.
        """
        return next((at for at, step in enumerate(self.steps) if step.share > share), None)

    def refuse_share(self, share: int, now: int) -> str:
        """Why the share may not become this one; empty when it may."""
        if not self.floor <= share <= self.ceiling:
            return f"Its plan allows {self.floor} to {self.ceiling}\u00a0%; promoting gives it to all."
        if share - now > self.largest_step:
            return f"From {now} to {share}\u00a0% is more than the {self.largest_step} points its plan allows at once."
        return ""

    @property
    def judge(self) -> Settings:
        """By which rules the candidate is judged."""
        borne, unsafe = self.margin / 100, self.unsafe_margin / 100
        margins = {**Settings().margins, "success": borne, "negative": borne, "unsafe": unsafe}
        return Settings(rules=self.rules, margins=margins, least_runs=self.least_runs, runs_per_unit=self.runs_per_unit)

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {**asdict(self), "steps": [asdict(step) for step in self.steps]}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Plan":
        """From what `to_json` gave. Raises BadPlan, and TypeError for unknown names."""
        return cls(**{**kept, "steps": tuple(Step(**step) for step in kept["steps"])})


def steps_of(shares: Sequence[int], runs: Sequence[int], hours: Sequence[float]) -> tuple[Step, ...]:
    """Steps from lists as people type them; a list of one holds for all. Raises BadPlan."""
    for name, given in (("least_runs", runs), ("hold_h", hours)):
        _expect(name, len(given) in (1, len(shares)), f"Give one number, or {len(shares)}: one for each share.")
    runs = list(runs) * len(shares) if len(runs) == 1 else runs
    hours = list(hours) * len(shares) if len(hours) == 1 else hours
    return tuple(Step(*values) for values in zip(shares, runs, hours, strict=True))


def _expect(field: str, is_so: bool, message: str) -> None:
    if not is_so:
        raise BadPlan(field, message)


BUILT_IN: Final = Plan()
"""Where nobody set a plan: approving releases at once, as long as its form does not say otherwise."""
