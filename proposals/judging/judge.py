"""The judge of one rollout: told of runs in batches, asked for a verdict at any time."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from proposals.judging.deliberation import deliberate
from proposals.judging.metrics import GUARDS
from proposals.judging.observations import Batch, Observed
from proposals.judging.quick import QuickRules
from proposals.judging.settings import Settings
from proposals.judging.strands import Strand
from proposals.judging.traffic import Traffic
from proposals.judging.verdicts import Verdict


class Judge:
    """All that is remembered of a rollout's runs; to be kept as JSON between batches.

    Tell it every run once, in one fixed order that has nothing to do with how runs went, such as that of their
    receipt. How they are cut into batches changes nothing.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.traffic = Traffic.new()
        self.quick = QuickRules()
        self.strands = {name: Strand.new(metric) for name, metric in self.settings.metrics.items()}

    def observe(self, observations: Sequence[Observed] | Batch) -> None:
        """Take in what is new, in order."""
        batch = observations if isinstance(observations, Batch) else Batch.of(observations)
        before, is_run = self.traffic.candidate_runs, batch.is_run
        runs = before + np.cumsum(is_run & batch.candidate)
        counted = batch.nth <= (self.settings.runs_per_unit or np.iinfo(np.int64).max)
        for name, metric in self.settings.metrics.items():
            values = batch.values[name]
            told = counted & ~np.isnan(values)
            threshold = self.settings.threshold(name)
            arms, share = batch.candidate[told], batch.share[told]
            self.strands[name].observe(metric, values[told], arms, share, runs[told], threshold)
        only_runs = batch.where(is_run)
        self.traffic.observe(only_runs)
        self.quick.observe(only_runs)

    def verdict(self) -> Verdict:
        """What can be said now."""
        return deliberate(self.settings, self.traffic, self.quick, self.strands, self.rolled_back_at)

    @property
    def rolled_back_at(self) -> int | None:
        """The candidate runs there were when it was first found worse; None if it never was."""
        is_quick = self.settings.rules == "quick"
        heeded = [strand for name, strand in self.strands.items() if not is_quick or name in GUARDS]
        found = [one.crossed_at for one in heeded if one.crossed_at is not None]
        if is_quick and self.quick.broken:
            found.append(self.quick.broken.candidate_runs)
        crossed = min(found, default=None)
        if crossed is None or self.traffic.candidate_runs < self.settings.least_runs:
            return None
        return max(crossed, self.settings.least_runs)

    def to_json(self) -> dict[str, Any]:
        """Settings and state, as JSON keeps them: some thousands of characters, whatever the number of runs."""
        return {
            "settings": self.settings.to_json(),
            "traffic": asdict(self.traffic),
            "quick": self.quick.to_json(),
            "strands": {name: strand.to_json() for name, strand in self.strands.items()},
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Judge":
        """From what `to_json` gave."""
        judge = cls(Settings.from_json(given["settings"]))
        judge.traffic = Traffic.from_json(given["traffic"])
        judge.quick = QuickRules.from_json(given["quick"])
        judge.strands = {name: Strand.from_json(given["strands"][name]) for name in judge.settings.metrics}
        return judge
