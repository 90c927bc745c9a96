"""The quick rules of self-improving-loop, for those who would rather undo too often than too late.

From the tenth candidate run on, over the last 20 runs of each arm: success down by more than 10 points, mean latency
up by more than 20 %, or five failures of the candidate in a row. They are asked after every run, so over a long
rollout one of them is nearly sure to be met by chance: `FALSE_ALARMS` says how often.
"""

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from proposals.judging.observations import Arm, Batch

WINDOW = 20
FROM_RUN = 10
DROP = 0.10
SLOWER = 1.20
IN_A_ROW = 5

FALSE_ALARMS = (
    "an identical candidate is undone in 95 to 100\u00a0% of rollouts of 500 runs, and still in 5 to 97\u00a0% of them "
    "where latency never varies (success rates of 99 and 90\u00a0%)"
)
"""As measured by `python -m bench.judge`."""

Rule = Literal["success", "latency", "failures"]


@dataclass(frozen=True, slots=True)
class Broken:
    """The first rule that was broken, after how many candidate runs, and the two values compared; for failures in a
    row their number, and None."""

    rule: Rule
    candidate_runs: int
    candidate: float
    current: float | None


class QuickRules:
    """The last runs of each arm, and the first rule they broke."""

    def __init__(self) -> None:
        self.successes: dict[Arm, deque[float]] = {arm: deque(maxlen=WINDOW) for arm in ("candidate", "current")}
        self.latencies: dict[Arm, deque[float]] = {arm: deque(maxlen=WINDOW) for arm in ("candidate", "current")}
        self.candidate_runs = 0
        self.failures = 0
        self.broken: Broken | None = None

    def observe(self, batch: Batch) -> None:
        """Go through these runs one by one; `batch` holds nothing but runs. What was broken stays broken."""
        columns = (batch.candidate, batch.values["success"], batch.values["latency"])
        for is_candidate, success, latency in zip(*(column.tolist() for column in columns), strict=True):
            if self.broken:
                return
            arm: Arm = "candidate" if is_candidate else "current"
            self.successes[arm].append(success)
            if not np.isnan(latency):
                self.latencies[arm].append(latency)
            if is_candidate:
                self.candidate_runs += 1
                self.failures = 0 if success else self.failures + 1
            if self.candidate_runs >= FROM_RUN:
                self.broken = self._broken()

    def _broken(self) -> Broken | None:
        if self.failures >= IN_A_ROW:
            return Broken("failures", self.candidate_runs, self.failures, None)
        candidate, current = _means(self.successes)
        if current - candidate > DROP + 1e-9:
            return Broken("success", self.candidate_runs, candidate, current)
        candidate, current = _means(self.latencies)
        if candidate > current * SLOWER:
            return Broken("latency", self.candidate_runs, candidate, current)
        return None

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "successes": {arm: list(values) for arm, values in self.successes.items()},
            "latencies": {arm: list(values) for arm, values in self.latencies.items()},
            "candidate_runs": self.candidate_runs,
            "failures": self.failures,
            "broken": asdict(self.broken) if self.broken else None,
        }

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> "QuickRules":
        """From what `to_json` gave."""
        rules = cls()
        for arm in rules.successes:
            rules.successes[arm].extend(given["successes"][arm])
            rules.latencies[arm].extend(given["latencies"][arm])
        rules.candidate_runs, rules.failures = given["candidate_runs"], given["failures"]
        rules.broken = Broken(**given["broken"]) if given["broken"] else None
        return rules


def _means(windows: dict[Arm, deque[float]]) -> tuple[float, float]:
    """(candidate, current); two zeros, which break nothing, where one of them has none."""
    candidate, current = windows["candidate"], windows["current"]
    if not candidate or not current:
        return 0.0, 0.0
    return sum(candidate) / len(candidate), sum(current) / len(current)
