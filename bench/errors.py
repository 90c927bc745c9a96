"""python -m bench.errors FOLDER [--choose]: how well errors are grouped, by what people said belongs together.

FOLDER has one SYSTEM.csv.gz for each system, with columns `content` (the message) and `event_corrected` (or `event`),
as in public collections of labelled logs. Prints for each system grouping accuracy (share of messages whose group holds
exactly the messages of their event), F1 over groups, F1 over pairs of messages, and messages a second on one core.

With --choose, the bars of `feedback.mining.errors.closure` are chosen on half of the systems, drawn at random, and
scored on the other half, many times over: what can be expected on systems nobody has looked at.
"""

import argparse
import csv
import gzip
import random
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from statistics import mean

from feedback.mining.errors import families, template
from feedback.mining.errors.closure import BAR, Bar

DRAWS = 20
CHOICES = {"words": (3, 4, 5, 6, 8), "names": (2, 3, 4, 99), "text": (1, 2, 3)}


@dataclass(frozen=True)
class Score:
    accuracy: float
    group_f1: float
    pair_f1: float


@dataclass(frozen=True)
class System:
    """The messages of one system, their events, and their shapes."""

    events: list[str]
    shapes: list[str]
    seconds: float

    @classmethod
    def read(cls, path: Path) -> "System":
        """Raises OSError, and KeyError where a column is missing."""
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        start = time.process_time()
        shapes = [template(row["content"]) for row in rows]
        families(list(dict.fromkeys(shapes)))
        return cls([row.get("event_corrected") or row["event"] for row in rows], shapes, time.process_time() - start)

    def score(self, bar: Bar = BAR) -> Score:
        """How well the shapes are grouped with these bars."""
        distinct = list(dict.fromkeys(self.shapes))
        group_of = dict(zip(distinct, families(distinct, bar), strict=True))
        return score(self.events, [group_of[shape] for shape in self.shapes])


def score(true: Sequence[object], found: Sequence[object]) -> Score:
    """The three measures of two groupings of the same items."""
    events, groups, both = Counter(true), Counter(found), Counter(zip(true, found, strict=True))
    exact = [size for (event, group), size in both.items() if size == events[event] == groups[group]]
    pairs = 2 * _pairs(both) / (_pairs(events) + _pairs(groups)) if _pairs(events) + _pairs(groups) else 1.0
    return Score(sum(exact) / len(true), 2 * len(exact) / (len(events) + len(groups)), pairs)


def _pairs(counts: "Counter[object] | Counter[tuple[object, object]]") -> int:
    return sum(count * (count - 1) // 2 for count in counts.values())


def averaged(scores: Sequence[Score]) -> Score:
    """The mean of each measure."""
    return Score(*(mean(getattr(one, field.name) for one in scores) for field in fields(Score)))


def chosen_elsewhere(systems: Mapping[str, System], draws: int = DRAWS) -> tuple[dict[str, Score], Counter[Bar]]:
    """Each system's mean score with bars chosen on a half it is not in, and how often which were chosen."""
    bars = [Bar(**dict(zip(CHOICES, values, strict=True))) for values in product(*CHOICES.values())]
    known = {bar: {name: system.score(bar) for name, system in systems.items()} for bar in bars}
    names, rng = sorted(systems), random.Random(1)
    held_out: dict[str, list[Score]] = defaultdict(list)
    taken = Counter[Bar]()
    for _ in range(draws):
        half = rng.sample(names, len(names) // 2)
        best = max(bars, key=lambda bar: sum(_sum(known[bar][name]) for name in half))
        taken[best] += 1
        for name in set(names) - set(half):
            held_out[name].append(known[best][name])
    return {name: averaged(scores) for name, scores in sorted(held_out.items())}, taken


def _sum(one: Score) -> float:
    return one.accuracy + one.group_f1 + one.pair_f1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.errors", description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="with one SYSTEM.csv.gz for each system")
    parser.add_argument("--choose", action="store_true", help="choose the bars on one half, score on the other")
    options = parser.parse_args()
    systems = {path.name[:-7]: System.read(path) for path in sorted(options.folder.glob("*.csv.gz"))}
    if not systems:
        parser.error(f"{options.folder} has no .csv.gz file")
    print(f"{'':16}{'accuracy':>9}{'group F1':>9}{'pair F1':>9}{'messages/s':>12}")
    for name, system in systems.items():
        _line(name, system.score(), len(system.events) / system.seconds)
    whole = sum(len(system.events) for system in systems.values()) / sum(system.seconds for system in systems.values())
    _line("mean", averaged([system.score() for system in systems.values()]), whole)
    if options.choose:
        held_out, taken = chosen_elsewhere(systems)
        print("\nbars chosen on other systems")
        for name, one in held_out.items():
            _line(name, one)
        _line("mean", averaged(list(held_out.values())))
        for bar, times in taken.most_common():
            print(f"  {times:3} of {DRAWS} times: {bar}")


def _line(name: str, one: Score, rate: float | None = None) -> None:
    speed = f"{rate:12,.0f}" if rate else ""
    print(f"{name:16}{one.accuracy:9.3f}{one.group_f1:9.3f}{one.pair_f1:9.3f}{speed}")


if __name__ == "__main__":
    main()
