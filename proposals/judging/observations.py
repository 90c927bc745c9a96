"""What the judge is told, in the order in which it arrived."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from proposals.judging.metrics import METRICS, Floats

Arm = Literal["candidate", "current"]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Observed:
    """One run of a unit in the rollout, or what became known of one later.

    `share` is the candidate's share, above 0 and at most 1, when the run was served. `success` belongs to the run
    itself: an observation without it adds only what it carries and counts as no run. `latency_ms` is positive,
    `quality` from 1 to 5; `negative` says whether people complained and `unsafe` whether they called it unsafe, once
    that can be told. `nth` is the run's number
    among those of its unit in this rollout, from 1: the first of each tells how units fall to the arms. A first that
    cannot tell under which share it was served has 0.
    """

    arm: Arm
    share: float
    success: bool | None = None
    latency_ms: float | None = None
    negative: bool | None = None
    unsafe: bool | None = None
    quality: float | None = None
    nth: int = 1

    def __post_init__(self) -> None:
        if self.arm not in ("candidate", "current"):
            raise ValueError(f"The arm should be “candidate” or “current”, not “{self.arm}”.")
        if not 0 < self.share <= 1:
            raise ValueError(f"The share should be above 0 and at most 1, not {self.share}.")
        if self.latency_ms is not None and not (math.isfinite(self.latency_ms) and self.latency_ms >= 0):
            raise ValueError(f"The latency should be a number of milliseconds, not {self.latency_ms}.")
        if self.quality is not None and not 1 <= self.quality <= 5:
            raise ValueError(f"The quality should be from 1 to 5, not {self.quality}.")


@dataclass(frozen=True, slots=True)
class Batch:
    """Observations as columns of one length: `values` by metric, NaN where a run does not tell."""

    candidate: Bools
    share: Floats
    nth: npt.NDArray[np.int64]
    values: Mapping[str, Floats]

    @classmethod
    def of(cls, observations: Sequence[Observed]) -> "Batch":
        """The same as columns."""
        told = {
            "success": [one.success for one in observations],
            "latency": [one.latency_ms for one in observations],
            "negative": [one.negative for one in observations],
            "unsafe": [one.unsafe for one in observations],
            "quality": [one.quality for one in observations],
        }
        return cls(
            np.array([one.arm == "candidate" for one in observations], dtype=np.bool_),
            np.array([one.share for one in observations], dtype=np.float64),
            np.array([one.nth for one in observations], dtype=np.int64),
            {name: np.array(told[name], dtype=np.float64) for name in METRICS},
        )

    @property
    def is_run(self) -> Bools:
        """Which of them are runs, and not late news of one."""
        known: Bools = ~np.isnan(self.values["success"])
        return known

    def where(self, which: Bools | slice) -> "Batch":
        """Some of them."""
        values = {name: column[which] for name, column in self.values.items()}
        return Batch(self.candidate[which], self.share[which], self.nth[which], values)

    def __len__(self) -> int:
        return len(self.candidate)
