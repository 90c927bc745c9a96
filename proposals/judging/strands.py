"""What is known of one metric: the runs that wait for a block, the capital bet against the candidate, the outcomes."""

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from proposals.judging import bets, intervals
from proposals.judging.blocks import Blocks, Ints, form
from proposals.judging.metrics import Floats, Metric
from proposals.judging.observations import Bools


@dataclass(slots=True)
class Strand:
    """The judge's memory of one metric; a few hundred numbers at most, whatever the number of runs.

    `waiting` are (is candidate, value) of runs in no block yet. `purse` is the capital bet against the candidate;
    `crossed_at` the candidate runs there were when it first reached the threshold. `down` and `up` count outcomes (see
    `intervals`). `counts` and `sums` are of the
    current version first, of the candidate second; sums of latencies are sums of logarithms.
    """

    waiting: list[tuple[bool, float]]
    purse: bets.Purse
    crossed_at: int | None
    down: Counter[int]
    up: Counter[int]
    counts: list[int]
    sums: list[float]

    @classmethod
    def new(cls, metric: Metric) -> "Strand":
        """Before the first run."""
        return cls([], bets.Purse.new(len(metric.tilts)), None, Counter(), Counter(), [0, 0], [0.0, 0.0])

    def observe(
        self, metric: Metric, values: Floats, candidate: Bools, share: Floats, runs: Ints, threshold: float
    ) -> None:
        """Take in values in the order of their arrival; `runs` counts the candidate's runs up to each of them, and
        `threshold` is the capital that rolls back."""
        self._count(metric, values, candidate)
        waited = len(self.waiting)
        arms = np.append([is_candidate for is_candidate, _ in self.waiting], candidate).astype(np.bool_)
        all_values = np.append([value for _, value in self.waiting], values)
        blocks = form(arms, np.append(np.zeros(waited), share), waited)
        self.waiting = list(zip(arms[blocks.waiting].tolist(), all_values[blocks.waiting].tolist(), strict=True))
        if len(blocks.lone):
            self._settle(metric, all_values, blocks, runs[blocks.closed_by - waited], threshold)

    def _settle(self, metric: Metric, values: Floats, blocks: Blocks, runs: Ints, threshold: float) -> None:
        better = bets.pulls(metric.harm(values), blocks)
        capital = self.purse.bet(bets.log_factors(better, blocks, metric.tilts), metric.stakes)
        if self.crossed_at is None and self.purse.peak >= math.log(threshold):
            self.crossed_at = int(runs[np.argmax(capital >= math.log(threshold))])
        down, up = intervals.tally(intervals.outcomes(better, blocks, metric.scale))
        self.down.update(down)
        self.up.update(up)

    def _count(self, metric: Metric, values: Floats, candidate: Bools) -> None:
        shown = metric.harm(values) if metric.unit == "ratio" else values
        for arm in (False, True):
            mine = shown[candidate == arm]
            self.counts[arm] += len(mine)
            self.sums[arm] = float(np.cumsum(np.append(self.sums[arm], mine))[-1])

    def to_json(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "waiting": [[int(is_candidate), value] for is_candidate, value in self.waiting],
            "purse": asdict(self.purse),
            "crossed_at": self.crossed_at,
            "down": sorted(self.down.items()),
            "up": sorted(self.up.items()),
            "counts": self.counts,
            "sums": self.sums,
        }

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> "Strand":
        """From what `to_json` gave."""
        return cls(
            [(bool(is_candidate), value) for is_candidate, value in given["waiting"]],
            bets.Purse(**given["purse"]),
            given["crossed_at"],
            Counter(dict(given["down"])),
            Counter(dict(given["up"])),
            list(given["counts"]),
            list(given["sums"]),
        )
