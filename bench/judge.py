"""python -m bench.judge [--rollouts N] [--seed N]: what the judge does on made-up rollouts, beside the quick rules."""

import argparse
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

import numpy as np
from tqdm import tqdm

from proposals.judging import Judge, Scenario, Settings, Tally, simulate
from proposals.judging.simulation import made_up, play, wilson

SHARES = (0.5, 0.2)
LONG = 10_000
SHORT = 500
QUICK = Settings(rules="quick")
UNSAFE_ALONE = Settings(
    alpha=0.001, portions={"unsafe": 1.0}, margins={"unsafe": Settings().margins["unsafe"]}, needed=("unsafe",)
)
"""Its part of the 1 %, and nothing else that could raise an alarm."""

REFERENCE: dict[tuple[float, float, float], tuple[int, int]] = {
    (0.9, 0.8, 1.0): (242, 143),
    (0.9, 0.7, 1.0): (77, 46),
    (0.9, 0.5, 1.0): (25, 16),
    (0.8, 0.6, 1.0): (100, 65),
    (0.95, 0.85, 1.0): (161, 96),
    (0.9, 0.9, 1.5): (39, 31),
    (0.9, 0.9, 2.0): (19, 18),
}
"""(success of the current version, of the candidate, latency factor): the median candidate runs a block-likelihood
e-process needs at 1 % for one metric alone, with half of the traffic and with a fifth."""


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.judge", description=__doc__)
    parser.add_argument("--rollouts", type=int, default=300, help="for each figure")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    bench = _Bench(options.rollouts, options.seed)
    for table in (bench.identical, bench.worse, bench.unsafe, bench.late, bench.no_worse, bench.alike):
        for row in table():
            tqdm.write(row, file=sys.stdout)
        tqdm.write("", file=sys.stdout)


class _Bench:
    def __init__(self, rollouts: int, seed: int) -> None:
        self.rollouts = rollouts
        self.seed = seed

    def identical(self) -> Iterator[str]:
        """How often an identical candidate is rolled back."""
        yield f"An identical candidate is rolled back ({self.rollouts} rollouts each, 95 % interval)."
        head = f"{'success':>8}{'share':>7}{'latency':>9} │{f'judge, {LONG:,} runs':>25} │"
        yield f"{head} quick rules: {SHORT} runs, {LONG:,} runs"
        for success in (0.5, 0.7, 0.9, 0.95, 0.99):
            for share, spread in ((0.5, 0.5), (0.2, 1.0), (0.05, 1.5)):
                yield self._identical(Scenario(success, success, share, latency_spread=spread))
        for success in (0.9, 0.95, 0.99):
            yield self._identical(Scenario(success, success, latency_spread=0.0))
        yield "latency: standard deviation of its logarithm; 0 is one that never changes: only success can tell."

    def _identical(self, scenario: Scenario) -> str:
        rated = replace(scenario, unsafe=0.01, candidate_unsafe=0.01, quality=4.0, candidate_quality=4.0)
        judge = self._play(rated, LONG, Settings())
        quick = [self._play(scenario, runs, QUICK) for runs in (SHORT, LONG)]
        shown = "".join(f"{_part(tally):9.1%}" for tally in quick)
        low, high = wilson(len(judge.rolled_back_at), judge.rollouts)
        named = f"{scenario.current:8.2f}{scenario.share:7.0%}{scenario.latency_spread:9.1f}"
        return f"{named} │{_part(judge):9.2%} ({low:5.2%} to {high:5.2%}) │{'':12}{shown}"

    def worse(self) -> Iterator[str]:
        """How many candidate runs it takes to roll a worse one back."""
        yield f"Candidate runs until half of the rollouts of a worse candidate are undone ({self.rollouts} each)."
        yield f"{'success':>14}{'latency':>9} │{'half of the traffic':>26} │{'a fifth':>26} │ quick rules, half"
        for (current, candidate, factor), reference in REFERENCE.items():
            cells = []
            for share, runs in zip(SHARES, reference, strict=True):
                scenario = Scenario(current, candidate, share, latency_factor=factor)
                found = self._play(scenario, round(runs * 6 / share), Settings()).to_json()["median_runs"]
                cells.append(f"{found:8.0f} of {runs:3} = {found / runs:5.2f} ×" if found else f"{'more':>26}")
            quick = self._play(Scenario(current, candidate, latency_factor=factor), LONG, QUICK).to_json()[
                "median_runs"
            ]
            yield f"{current:7.2f} → {candidate:.2f}{factor:8.1f}× │{cells[0]:>26} │{cells[1]:>26} │{quick:10.0f}"
        yield "The second figure is what one such test takes at 1 % for one metric; ours shares the 1 % among five."

    def unsafe(self) -> Iterator[str]:
        """How many candidate runs it takes when more is reported unsafe, and how often when it is not."""
        yield f"Candidate runs until half of the rollouts with more unsafe reports are undone ({self._few} each)."
        yield f"{'unsafe reports':>18} │{'half':>8}{'a fifth':>9}{'a twentieth':>13}"
        for current, candidate in ((0.0, 0.01), (0.0, 0.05), (0.0, 0.2), (0.001, 0.02), (0.005, 0.05), (0.02, 0.1)):
            found = [self._until_unsafe(current, candidate, share) for share in (*SHARES, 0.05)]
            cells = [f"{one:.0f}" if one else "more" for one in found]
            yield f"{current:8.1%} → {candidate:6.1%} │{cells[0]:>8}{cells[1]:>9}{cells[2]:>13}"
        for rate in (0.001, 0.01, 0.1):
            undone = total = 0
            for share in (*SHARES, 0.05):
                tally = self._play(Scenario(0.9, 0.9, share, unsafe=rate, candidate_unsafe=rate), LONG, UNSAFE_ALONE)
                undone, total = undone + len(tally.rolled_back_at), total + tally.rollouts
            low, high = wilson(undone, total)
            part = f"{undone / total:.2%} ({low:.2%} to {high:.2%}) of {total:,}"
            yield f"{rate:.1%} in both, nothing else looked at: undone in {part}"

    def _until_unsafe(self, current: float, candidate: float, share: float) -> float | None:
        self.seed += 1
        scenario = Scenario(0.9, 0.9, share, unsafe=current, candidate_unsafe=candidate)
        rngs = np.random.default_rng(self.seed).spawn(self._few)
        found = [play(made_up(scenario, round(1500 / share), rng)).rolled_back_at for rng in rngs]
        middle = median(float("inf") if one is None else one for one in found)
        return None if middle == float("inf") else middle

    def late(self) -> Iterator[str]:
        """How many candidate runs it takes when it was no worse at first."""
        yield f"Candidate runs after success fell from 0.90 to 0.70, half of the traffic ({self._few} rollouts each)."
        for good in (0, SHORT, 2000, LONG // 2):
            self.seed += 1
            rngs = np.random.default_rng(self.seed).spawn(self._few)
            yield f"after {good:5,} good runs of both: {median(_until_undone(good, rng) for rng in rngs):5.0f}"

    @property
    def _few(self) -> int:
        return max(1, self.rollouts // 3)

    def no_worse(self) -> Iterator[str]:
        """How many candidate runs it takes to call one no worse."""
        yield f"Candidate runs until half of the rollouts are called no worse ({self._few} rollouts each)."
        yield f"{'success':>14} │ margin of 5 points: half, a fifth │ margin of 10 points: half, a fifth"
        for current, candidate in ((0.9, 0.9), (0.98, 0.98), (0.8, 0.9), (0.6, 0.9)):
            cells = []
            for margin in (0.05, 0.1):
                settings = Settings(margins={**Settings().margins, "success": margin, "negative": margin})
                found = [self._median_until_no_worse(Scenario(current, candidate, share), settings) for share in SHARES]
                cells.append("".join(f"{one:9.0f}" if one < float("inf") else f"{'more':>9}" for one in found))
            yield f"{current:7.2f} → {candidate:.2f} │{cells[0]:>33} │{cells[1]:>33}"

    def _median_until_no_worse(self, scenario: Scenario, settings: Settings) -> float:
        self.seed += 1
        rngs = np.random.default_rng(self.seed).spawn(self._few)
        return median(_until_no_worse(scenario, settings, rng) for rng in rngs)

    def alike(self) -> Iterator[str]:
        """What runs that are alike within a unit do to the bound."""
        yield f"An identical candidate, success 0.90, 5,000 runs, half of the traffic ({self.rollouts} rollouts each),"
        yield "where runs of one unit are more alike than others (intraclass correlation):"
        yield f"{'runs per unit':>14}{'likeness':>9} │ all runs count │ 20 of a unit │ 5 of a unit │ 1 of a unit"
        for unit_runs, likeness in ((5, 0.1), (20, 0.1), (20, 0.3), (100, 0.1), (100, 0.3)):
            scenario = Scenario(0.9, 0.9, unit_runs=unit_runs, likeness=likeness)
            judged = [Settings(runs_per_unit=most) for most in (None, 20, 5, 1)]
            found = [_part(self._play(scenario, 5000, settings)) for settings in judged]
            cells = [f"{found[0]:15.1%}", *(f"{part:13.1%}" for part in found[1:])]
            yield f"{unit_runs:14}{likeness:9.1f} │{' │'.join(cells)}"

    def _play(self, scenario: Scenario, runs: int, settings: Settings) -> Tally:
        self.seed += 1  # figures of the same made-up runs would err together
        tallies = simulate(scenario, runs=runs, rollouts=self.rollouts, seed=self.seed, settings=settings)
        return deque(tqdm(tallies, total=self.rollouts, disable=None, leave=False, file=sys.stderr), maxlen=1).pop()


def _until_undone(good: int, rng: np.random.Generator) -> float:
    judge = Judge()
    judge.observe(made_up(Scenario(0.9, 0.9), max(1, good), rng))
    before = judge.traffic.candidate_runs
    judge.observe(made_up(Scenario(0.9, 0.7), LONG, rng))
    return float("inf") if judge.rolled_back_at is None else judge.rolled_back_at - before


def _until_no_worse(scenario: Scenario, settings: Settings, rng: np.random.Generator) -> float:
    batch, judge = made_up(scenario, LONG, rng), Judge(settings)
    for start in range(0, LONG, 50):
        judge.observe(batch.where(slice(start, start + 50)))
        if judge.verdict().kind == "no_worse":
            return judge.traffic.candidate_runs
    return float("inf")


def _part(tally: Tally) -> float:
    return len(tally.rolled_back_at) / tally.rollouts


if __name__ == "__main__":
    main()
