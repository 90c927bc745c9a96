"""What some runs and the feedback about them amount to."""

from dataclasses import dataclass, field

from feedback.health.sketch import Sketch
from feedback.rates import Rate, rate


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over runs and feedback of one place and time; any two can be added.

    `quality_sum` and `cost_sum` are over the `rated` and `priced` runs, those that told. `reports` is all feedback that
    counts, thumbs or not. Feedback is counted when it was given, so there can be some where there are no runs.
    """

    runs: int = 0
    successes: int = 0
    rated: int = 0
    quality_sum: float = 0.0
    priced: int = 0
    cost_sum: float = 0.0
    reports: int = 0
    positive: int = 0
    negative: int = 0
    latency: Sketch = field(default_factory=Sketch)

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.runs + other.runs,
            self.successes + other.successes,
            self.rated + other.rated,
            self.quality_sum + other.quality_sum,
            self.priced + other.priced,
            self.cost_sum + other.cost_sum,
            self.reports + other.reports,
            self.positive + other.positive,
            self.negative + other.negative,
            self.latency + other.latency,
        )

    @property
    def failed(self) -> int:
        return self.runs - self.successes

    @property
    def success(self) -> Rate | None:
        """The share of runs that succeeded, with its 95 % interval."""
        return rate(self.successes, self.runs)

    @property
    def thumbs_down(self) -> Rate | None:
        """Thumbs down per run, with the 95 % interval."""
        return rate(self.negative, self.runs)

    @property
    def p50_ms(self) -> float | None:
        return self.latency.quantile(0.5)

    @property
    def p95_ms(self) -> float | None:
        return self.latency.quantile(0.95)

    @property
    def quality(self) -> float | None:
        """The mean of the runs that have a quality, from 1 to 5."""
        return self.quality_sum / self.rated if self.rated else None

    @property
    def cost(self) -> float | None:
        """US dollars a run, over the runs that tell."""
        return self.cost_sum / self.priced if self.priced else None
