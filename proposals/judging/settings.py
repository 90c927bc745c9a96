"""By which rules a rollout is judged; fixed for its whole length and kept with every verdict's state."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from proposals.judging.metrics import METRICS, Metric

Rules = Literal["sequential", "quick"]


@dataclass(frozen=True, slots=True)
class Settings:
    """`alpha` bounds the chance that an identical candidate is ever rolled back; `portions` share it out over the
    metrics, and only those named there are judged: a rollout keeps the ones it began with. `margins` are what counts
    as no worse: for rates and quality the loss still borne, for latency the factor. `needed` are the metrics that must
    be shown to be no worse, if the current version reports them at all. `least_runs` are the candidate runs before any
    verdict. `runs_per_unit` counts only so many runs of each unit (see `judge`). With "quick" rules, `quick` decides
    what is worse, and the sequential evidence is only shown, but for that of `GUARDS`.
    """

    alpha: float = 0.01
    portions: Mapping[str, float] = field(
        default_factory=lambda: {"success": 0.5, "latency": 0.2, "negative": 0.1, "unsafe": 0.1, "quality": 0.1}
    )
    margins: Mapping[str, float] = field(
        default_factory=lambda: {"success": 0.05, "latency": 1.2, "negative": 0.05, "unsafe": 0.01, "quality": 0.5}
    )
    needed: tuple[str, ...] = ("success", "latency", "negative", "unsafe")
    confidence: float = 0.95
    least_runs: int = 10
    runs_per_unit: int | None = None
    mismatch_alpha: float = 0.001
    rules: Rules = "sequential"

    def __post_init__(self) -> None:
        for name, value in (
            ("alpha", self.alpha),
            ("confidence", self.confidence),
            ("mismatch_alpha", self.mismatch_alpha),
        ):
            _expect(0 < value < 1, f"{name} should be between 0 and 1.")
        _expect(bool(self.portions), "portions should name at least one metric.")
        _expect(set(self.portions) <= set(METRICS), f"portions should be among {', '.join(METRICS)}.")
        _expect(all(value > 0 for value in self.portions.values()), "Each portion of alpha should be above 0.")
        _expect(math.fsum(self.portions.values()) <= 1 + 1e-9, "The portions of alpha should not exceed 1 together.")
        _expect(set(self.margins) == set(self.portions), f"margins should name {', '.join(self.portions)}.")
        for name, value in self.margins.items():
            least = 1 if METRICS[name].unit == "ratio" else 0
            _expect(value > least, f"The margin of {name} should be above {least}.")
        _expect(set(self.needed) <= set(self.portions), f"needed should be among {', '.join(self.portions)}.")
        _expect(self.least_runs >= 1, "least_runs should be at least 1.")
        _expect(self.runs_per_unit is None or self.runs_per_unit >= 1, "runs_per_unit should be at least 1.")
        _expect(self.rules in ("sequential", "quick"), "rules should be “sequential” or “quick”.")

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Those that are judged, in the order in which they are shown."""
        return {name: metric for name, metric in METRICS.items() if name in self.portions}

    def threshold(self, metric: str) -> float:
        """The capital at which this metric alone rolls back: 200 means 200 to 1."""
        return 1 / (self.alpha * self.portions[metric])

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {**asdict(self), "portions": dict(self.portions), "margins": dict(self.margins)}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Settings":
        """From what `to_json` gave. Raises TypeError for unknown names and ValueError for bad values."""
        return cls(**{**given, "needed": tuple(given.get("needed", cls().needed))})


def _expect(is_so: bool, message: str) -> None:
    if not is_so:
        raise ValueError(message)
