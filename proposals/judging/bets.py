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
reaches 1/alpha is at most alpha, at whatever times and however often somebody looks. Several strengths are bet on
side by side, with the capital shared out between them at the start: a mixture of such processes is one again.

For two rates this is the conditional form of the block-likelihood ratio (the likelihood of who failed, given how many
failed); for latencies it is a bet on bounded functions of log ratios.

* Turner, Ly, Grünwald: Generic E-variables for exact sequential k-sample tests that allow for optional stopping,
  Journal of Statistical Planning and Inference 230 (2024), also as "Safe tests for two-by-two tables": blocks of both
  arms, and the growth that can be had.
* ter Schure, Pérez-Ortiz, Ly, Grünwald: The Safe Logrank Test (2020): the same conditional likelihood, in time.
* Waudby-Smith, Ramdas: Estimating means of bounded random variables by betting, JRSS B 86 (2024): bets and mixtures.
* Ramdas, Grünwald, Vovk, Shafer: Game-theoretic statistics and safe anytime-valid inference, Statistical Science 38
  (2023): Ville's inequality and what follows from it.
"""

import math
from collections.abc import Sequence

import numpy as np

from proposals.judging.blocks import Blocks
from proposals.judging.metrics import Floats


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


def start(stakes: Sequence[float]) -> list[float]:
    """Log capitals at the beginning, of parts that make 1 together."""
    return [math.log(stake) for stake in stakes]


def walk(log_capital: list[float], factors: Floats) -> Floats:
    """Log capitals after each block, by strength, the first row being those before: one row more than `factors`."""
    steps: Floats = np.cumsum(np.vstack([log_capital, factors]), axis=0)
    return steps


def together(log_capitals: Floats) -> Floats:
    """Log of the whole capital, by row."""
    top = log_capitals.max(axis=1)
    whole: Floats = top + np.log(np.exp(log_capitals - top[:, None]).sum(axis=1))
    return whole
