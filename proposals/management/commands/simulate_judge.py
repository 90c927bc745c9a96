"""simulate_judge --current .9 --candidate .8 --share .5 --runs 2000 --rollouts 500 --seed 1"""

import json
import sys
from argparse import ArgumentParser
from collections import deque
from dataclasses import asdict, replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from proposals.judging import Scenario, Settings, simulate


class Command(BaseCommand):
    help = (
        "Play made-up rollouts before the judge and print what became of them as JSON. rolled_back is the part of the "
        "rollouts that were rolled back, with its 95 % interval beside it; median_runs the candidate runs by which "
        "half of all rollouts were, null if fewer than half were. Nothing is stored."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--current", type=float, required=True, help="success rate of the current version, 0 to 1")
        parser.add_argument("--candidate", type=float, required=True, help="success rate of the candidate, 0 to 1")
        parser.add_argument("--share", type=float, default=0.5, help="the candidate's part of the traffic")
        parser.add_argument("--runs", type=int, default=2000, help="runs of one rollout, both versions together")
        parser.add_argument("--rollouts", type=int, default=500)
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same rollouts")
        parser.add_argument(
            "--latency-factor", type=float, default=1.0, help="how many times as long the candidate takes"
        )
        parser.add_argument("--latency-spread", type=float, default=0.5, help="of the natural logarithm of the latency")
        parser.add_argument("--negative", type=float, default=0.05, help="part of the runs people complain about")
        parser.add_argument("--candidate-negative", type=float, help="the same of the candidate, if it differs")
        parser.add_argument("--unsafe", type=float, default=0.0, help="part of the runs people call unsafe")
        parser.add_argument("--candidate-unsafe", type=float, help="the same of the candidate, if it differs")
        parser.add_argument("--quality", type=float, help="mean rating, 1 to 5; none by default")
        parser.add_argument("--candidate-quality", type=float, help="the same of the candidate, if it differs")
        parser.add_argument("--unit-runs", type=float, default=1.0, help="runs a unit has on average")
        parser.add_argument("--likeness", type=float, default=0.0, help="of one unit's runs (intraclass correlation)")
        parser.add_argument("--runs-per-unit", type=int, help="count only so many runs of each unit")
        parser.add_argument("--alpha", type=float, help="bound on false rollbacks, 0.01 unless given")
        parser.add_argument("--rules", choices=["sequential", "quick"], default="sequential")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = {name: options[name] for name in ("runs", "rollouts", "seed")}
        try:
            scenario, settings = _scenario(options), _settings(options)
            tallies = simulate(scenario, settings=settings, **counts)
        except ValueError as refusal:
            raise CommandError(str(refusal)) from None
        total = options["rollouts"]
        bar = tqdm(tallies, total=total, unit="rollout", desc="Simulating", disable=None, file=sys.stderr, leave=False)
        tally = deque(bar, maxlen=1).pop()
        told = {**tally.to_json(), **counts, "rules": settings.rules, "alpha": settings.alpha, **asdict(scenario)}
        self.stdout.write(json.dumps(told))


def _scenario(options: dict[str, Any]) -> Scenario:
    given = {name: options[name] for name in Scenario.__dataclass_fields__}
    for name in ("negative", "unsafe", "quality"):
        if given[f"candidate_{name}"] is None:
            given[f"candidate_{name}"] = given[name]
    return Scenario(**given)


def _settings(options: dict[str, Any]) -> Settings:
    settings = Settings(rules=options["rules"], runs_per_unit=options["runs_per_unit"])
    return settings if options["alpha"] is None else replace(settings, alpha=options["alpha"])
