"""Mine now, without waiting for the scheduler."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from agents.management.lookup import agent_named
from agents.models import Agent
from feedback.actions import meaning
from feedback.actions.across import link_across
from feedback.actions.consolidation import consolidate
from feedback.actions.mining import Tally, finish, mine_batch, waiting
from feedback.actions.rollups import count_runs
from feedback.actions.weighing import note_rising
from feedback.models import Pattern


class Command(BaseCommand):
    help = "Mine what was reported since the last time and print the patterns it belongs to."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--agent", metavar="SLUG", help="only this agent")
        parser.add_argument("--consolidate", action="store_true", help="then look at all texts again, as every night")

    def handle(self, *args: Any, **options: Any) -> None:
        agents = [agent_named(options["agent"])] if options["agent"] else list(Agent.objects.all())
        tally = Tally()
        with tqdm(total=waiting(agents), unit="report", disable=None) as bar:
            for agent in agents:
                while mine_batch(agent.pk, tally):
                    bar.update(tally.reports - bar.n)
                finish(agent.pk)
                if options["consolidate"]:
                    consolidate(agent)
        shared = link_across()
        count_runs()
        note_rising()
        self._print(tally)
        if shared:
            self.stdout.write(f"{shared} patterns recur at several agents.")
        if why := meaning.missing():
            self.stderr.write(why)

    def _print(self, tally: Tally) -> None:
        self.stdout.write(f"{tally.reports} reports mined, {tally.linked} linked to patterns.")
        found = Pattern.objects.shown().filter(pk__in=_having(tally.patterns)).select_related("agent")
        for pattern in found.order_by("agent", "-sources"):
            counts = f"{pattern.support} reports from {pattern.sources} sources"
            self.stdout.write(f"  {pattern.agent.slug}  {pattern.kind:<10}  {pattern.label}  ({counts})")


def _having(patterns: set[int]) -> set[int]:
    """The patterns that have these patterns' reports, now that some were merged."""
    roots = Pattern.objects.roots_of(patterns)
    return {roots.get(pk, pk) for pk in patterns}
