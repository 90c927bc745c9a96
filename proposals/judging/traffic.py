"""Whether the two arms get the traffic they should.

*Sample-ratio mismatch.* Each unit falls to the candidate with the share in force, so the arms of new units are
independent throws of a known coin. A gambler bets, with several strengths side by side, that the odds are other than
planned; their capital is a martingale if all is well, whatever the shares are and however they change, and passes
1/alpha with probability at most alpha. A mismatch means that runs are lost or assigned wrongly on one side, for
instance because the candidate crashes before it can report: the comparison is then of survivors, and not to be trusted.

* Lindon, Malek: Anytime-valid inference for multinomial count data, NeurIPS 2022.

*Silence.* The candidate has had no run for so long that, at its share, such a gap would come up once in a thousand
rollouts of 10 000 runs. This counts runs as independent, which runs of one busy unit are not: it is a reason to look,
never one to roll back.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from proposals.judging import bets
from proposals.judging.metrics import Floats
from proposals.judging.observations import Batch

ODDS = np.array([0.1, 0.4, 0.7, 0.85, 1 / 0.85, 1 / 0.7, 2.5, 10.0])
"""What the odds of falling to the candidate are multiplied by, in the gambler's eyes."""

GAPS_EXPECTED = 0.001
HORIZON = 10_000


@dataclass(slots=True)
class Traffic:
    """Runs and new units seen so far in each arm, and what speaks against them being as planned."""

    candidate_runs: int
    current_runs: int
    candidate_units: int
    current_units: int
    expected_units: float
    purse: bets.Purse
    current_in_a_row: int
    surprise: float
    share: float

    @classmethod
    def new(cls) -> "Traffic":
        """Before the first run."""
        return cls(0, 0, 0, 0, 0.0, bets.Purse.new(len(ODDS)), 0, 0.0, 0.5)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> "Traffic":
        """From `dataclasses.asdict`."""
        return cls(**{**given, "purse": bets.Purse(**given["purse"])})

    def observe(self, batch: Batch) -> None:
        """Count these runs; `batch` holds nothing but runs."""
        if not len(batch):
            return
        self._count_units(batch.candidate, batch.share, batch.nth == 1)
        self._count_gap(batch.candidate, batch.share)
        candidates = int(batch.candidate.sum())
        self.candidate_runs += candidates
        self.current_runs += len(batch) - candidates
        self.share = float(batch.share[-1])

    def _count_units(self, candidate: Any, share: Floats, is_new: Any) -> None:
        thrown = is_new & (share < 1)
        arms, planned = candidate[thrown], share[thrown]
        candidates = int(arms.sum())
        self.candidate_units += candidates
        self.current_units += len(arms) - candidates
        self.expected_units = float(np.cumsum(np.append(self.expected_units, planned))[-1])
        factors = np.outer(arms, np.log(ODDS)) - np.log1p(np.outer(planned, ODDS - 1))
        self.purse.bet(factors, np.full(len(ODDS), 1 / len(ODDS)).tolist())

    def _count_gap(self, candidate: Any, share: Floats) -> None:
        after = int(np.flatnonzero(candidate)[-1]) + 1 if candidate.any() else 0
        if after:
            self.current_in_a_row, self.surprise = 0, 0.0
        late = -np.log1p(-np.minimum(share[after:], 0.999))
        self.current_in_a_row += len(late)
        self.surprise = float(np.cumsum(np.append(self.surprise, late))[-1])

    def is_mismatched(self, alpha: float) -> bool:
        """Whether the arms of units have ever been too uneven for their shares."""
        return self.purse.peak >= -math.log(alpha)

    @property
    def is_silent(self) -> bool:
        """Whether the candidate's runs have stopped coming."""
        return self.surprise >= math.log(HORIZON * self.share / GAPS_EXPECTED)
