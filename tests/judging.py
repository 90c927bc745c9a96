"""Made-up rollouts, and what the judge says of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from proposals.judging import Batch, Judge, Observed, Scenario, Settings, Verdict
from proposals.judging.observations import Arm
from proposals.judging.simulation import made_up


def rollout(runs: int = 2000, seed: int = 1, **scenario: Any) -> Batch:
    given = {"current": 0.9, "candidate": 0.9} | scenario
    return made_up(Scenario(**given), runs, np.random.default_rng(seed))


def judged(batch: Batch, **rules: Any) -> Verdict:
    judge = Judge(Settings(**rules))
    judge.observe(batch)
    return judge.verdict()


def observed(arm: Arm, outcomes: Sequence[bool], **told: Any) -> list[Observed]:
    return [Observed(arm, 0.5, success=outcome, **told) for outcome in outcomes]
