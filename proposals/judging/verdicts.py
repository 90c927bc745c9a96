"""What the judge says: plain values, ready to be stored as JSON and read as sentences."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from proposals.judging.observations import Arm

Kind = Literal["no_worse", "worse", "inconclusive"]
Standing = Literal["better", "no_worse", "worse", "inconclusive", "not_reported"]
Rule = Literal[
    "evidence",
    "interval",
    "least_runs",
    "sample_ratio",
    "silence",
    "quick_success",
    "quick_latency",
    "quick_failures",
]
"""Which rule gave the verdict: evidence passed its threshold; the intervals against the margins; too few runs;
units in other proportions than planned; no candidate runs any more; or one of the quick rules."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One metric. `candidate` and `current` are the arms' means over `candidate_runs` and `current_runs`: rates from
    0 to 1, quality from 1 to 5, latency in milliseconds as the geometric mean.

    `difference` is candidate less current, for latency candidate through current, as the blocks tell it, with the
    interval from `low` to `high` that holds at all times of looking; `margin` is the loss still counted as no worse.
    `evidence` is the highest capital ever bet up that the candidate is worse, `needed` the capital that rolls back,
    `crossed_at` the candidate runs there were then.
    """

    metric: str
    title: str
    unit: Literal["points", "ratio", "scale"]
    standing: Standing
    candidate: float | None
    current: float | None
    candidate_runs: int
    current_runs: int
    difference: float | None
    low: float | None
    high: float | None
    margin: float
    evidence: float
    needed: float
    crossed_at: int | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the comparison may not be trusted. For a mismatch, the candidate's units and how many were expected; for
    silence, the runs of the current version since the candidate's last."""

    kind: Literal["mismatch", "silence"]
    share: float
    candidate_units: int
    expected_units: float
    units: int
    current_in_a_row: int
    evidence: float
    needed: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rule` gave it, on `metric` if it was about one. `is_better` says that it is no worse anywhere and better in at
    least one. `findings` are by metric, in the order shown; `broken` are the two values a quick rule compared.
    `false_alarms` says in words how often such rules undo an identical candidate."""

    kind: Kind
    rule: Rule
    metric: str | None
    is_better: bool
    runs: Mapping[Arm, int]
    least_runs: int
    alpha: float
    confidence: float
    findings: tuple[Finding, ...]
    troubles: tuple[Trouble, ...]
    broken: tuple[float, float | None] | None
    rolled_back_at: int | None
    false_alarms: str

    def finding(self, metric: str) -> Finding:
        """That of one metric."""
        return next(one for one in self.findings if one.metric == metric)

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self) | {"runs": dict(self.runs)}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Verdict":
        """From what `to_json` gave."""
        parts = {
            "findings": tuple(Finding(**one) for one in given["findings"]),
            "troubles": tuple(Trouble(**one) for one in given["troubles"]),
            "broken": tuple(given["broken"]) if given["broken"] else None,
        }
        return cls(**{**given, **parts})
