"""Betting that the candidate is worse: the capital of a gambler who cannot gain if it is not.

For a block of one candidate run with harm x and k current runs with harms y, the bet of strength a multiplies the
capital by

    e = (k + 1) exp(a x) / (exp(a x) + exp(a y_1) + … + exp(a y_k)),

and where a lone current run stands against k candidate runs, the same with -a. If all runs of the block come from
one distribution, each is as likely as the others to be the lone one; the average of e over who it is, is 1 exactly.
e only falls when the candidate's harm falls or the current version's rises, so a candidate whose harm is
stochastically no greater gives a mean of at most 1. Nothing is assumed about the distribution: any success rate, any
skewed latency; it may even change from block to block, as long as it does so for both arms.

So the capital is a nonnegative supermartingale that starts at 1, and by Ville's inequality the chance that it *ever*
reaches 1/alpha is at most alpha, at whatever times and however often somebody looks. A mixture of such processes is
one again. So several strengths are bet on side by side; and not all is staked at once: a part is kept and staked bit
by bit, ever less, later on. What was staked at first is lost on a candidate that does well for long; what was kept
finds out soon if it then begins to do badly.

For two rates this is the conditional form of the block-likelihood ratio (the likelihood of who failed, given how many
failed); for latencies it is a bet on bounded functions of log ratios.

* Turner, Ly, Grünwald: Generic E-variables for exact sequential k-sample tests that allow for optional stopping,
  Journal of Statistical Planning and Inference 230 (2024), arXiv 2106.02693: blocks of both arms,
  and the growth that can be had.
* ter Schure, Pérez-Ortiz, Ly, Grünwald: The anytime-valid logrank test, New England Journal of Statistics in Data
  Science 2 (2024), arXiv 2011.06931: the same conditional likelihood, in time.
* Waudby-Smith, Ramdas: Estimating means of bounded random variables by betting, JRSS B 86 (2024), arXiv 2010.09686:
  bets and mixtures.
* Shin, Ramdas, Rinaldo: E-detectors: a nonparametric framework for sequential change detection, arXiv 2203.03532:
  bets that begin late.
* Ramdas, Grünwald, Vovk, Shafer: Game-theoretic statistics and safe anytime-valid inference, Statistical Science 38
  (2023): Ville's inequality and what follows from it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from proposals.judging.blocks import Blocks
from proposals.judging.metrics import Floats

AT_ONCE = 0.75
"""The part of the capital staked before the first block."""

PATIENCE = 200
"""Blocks after which half of the rest is staked."""


def pulls(harm: Floats, blocks: Blocks) -> Floats:
    """For every run of `blocks.others`, how much better the candidate's run of that pair is (harm, signed)."""
    sign = np.where(blocks.lone_is_candidate, 1.0, -1.0)
    better: Floats = (harm[blocks.others] - np.repeat(harm[blocks.lone], blocks.sizes)) * np.repeat(sign, blocks.sizes)
    return better


def log_factors(better: Floats, blocks: Blocks, tilts: tuple[float, ...]) -> Floats:
    """log e of each block and strength: (number of blocks, number of strengths)."""
    odds = np.add.reduceat(np.exp(np.outer(better, tilts)), blocks.starts, axis=0)
    factors: Floats = np.log1p(blocks.sizes)[:, None] - np.log1p(odds)
    return factors


@dataclass(slots=True)
class Purse:
    """A gambler's capital: `gains` are the sums of log factors of each strength so far, `entered` the logarithms of
    what was staked on each, worth what it was when it was staked; `count` the blocks; `peak` the highest log capital.
    Kept apart like this, sums come out the same to the last bit however blocks are cut into calls."""

    gains: list[float]
    entered: list[float]
    count: int
    peak: float

    @classmethod
    def new(cls, strengths: int) -> "Purse":
        """A capital of 1, before the first block."""
        return cls([0.0] * strengths, [math.log(AT_ONCE)] * strengths, 0, 0.0)

    def bet(self, factors: Floats, stakes: Sequence[float]) -> Floats:
        """Go through blocks; gives the log capital after each. `stakes` are the strengths' parts, 1 together."""
        blocks = self.count + np.arange(1, len(factors) + 1)
        gains = np.cumsum(np.vstack([self.gains, factors]), axis=0)
        new = np.log(_kept(blocks - 1) - _kept(blocks))[:, None] - gains[1:]
        entered = np.logaddexp.accumulate(np.vstack([self.entered, new]), axis=0)
        at_work = np.log(stakes) + gains[1:] + entered[1:]
        capital = _log_sum(np.column_stack([at_work, np.log(_kept(blocks))]))
        self.gains, self.entered, self.count = gains[-1].tolist(), entered[-1].tolist(), self.count + len(factors)
        self.peak = max(self.peak, float(capital.max(initial=0.0)))
        return capital


def _kept(blocks: npt.NDArray[np.int64]) -> Floats:
    """The part of the first capital not yet staked after so many blocks."""
    kept: Floats = (1 - AT_ONCE) * PATIENCE / (blocks + PATIENCE)
    return kept


def _log_sum(logs: Floats) -> Floats:
    """Log of the sum of each row's exponentials."""
    top = logs.max(axis=1)
    whole: Floats = top + np.log(np.exp(logs - top[:, None]).sum(axis=1))
    return whole
