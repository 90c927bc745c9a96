"""Whether a candidate does worse than the current version: sequential tests that may be looked at at any time.

    judge = Judge(Settings(…))                 or Judge.from_json(kept)
    judge.observe([Observed(arm, share, success, latency_ms, negative, quality, nth), …])
    judge.verdict() -> Verdict                 .to_json(), Verdict.from_json
    sentence(verdict), line(finding), warning(trouble)
    judge.to_json()                            settings and state, some thousands of characters
    simulate(Scenario(…), runs=, rollouts=, seed=) -> Iterator[Tally]

What the judge must be told, and what it then promises:

* every run that carries the version served and a unit, once, in one order that has nothing to do with how runs went
  (that of receipt). Runs without a unit are never the candidate's, so they are none of its business; neither are
  runs served before the rollout began.
* `negative` when it can be told, for instance an hour after the run, for both arms alike: with the run, or later as
  an observation that carries nothing else. A late run is simply the next one.
* An identical candidate is rolled back with probability at most `alpha`, over the whole rollout, however long and
  however often anybody looks, if runs are independent given their arm. Runs of one unit may be more alike than that;
  `runs_per_unit` counts only the first so many of each.

Pure code: no Django, no clock, no chance but in `simulation`.
"""

from proposals.judging.judge import Judge
from proposals.judging.observations import Batch, Observed
from proposals.judging.sentences import line, sentence, warning
from proposals.judging.settings import Settings
from proposals.judging.simulation import Scenario, Tally, simulate
from proposals.judging.verdicts import Finding, Trouble, Verdict

__all__ = [
    "Batch",
    "Finding",
    "Judge",
    "Observed",
    "Scenario",
    "Settings",
    "Tally",
    "Trouble",
    "Verdict",
    "line",
    "sentence",
    "simulate",
    "warning",
]
