"""Loads the sample data into an empty board."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from agents.models import Agent
from reviewapp.sample import plan, story


class Command(BaseCommand):
    help = "Load the sample data: two agents, three weeks of runs and feedback, proposals decided and waiting."

    def handle(self, *args: Any, **options: Any) -> None:
        if Agent.objects.exists():
            raise CommandError("This board has agents already; sample data is loaded into an empty board only.")
        total = sum(plan.RUNS.values()) + sum(plan.THUMBS.values())
        total += sum(span.count for spans in (*plan.VOICES.values(), *plan.FAILURES.values()) for span in spans)
        # `disable=None` shows the bar on a terminal only.
        with tqdm(total=total, desc="Loading sample data", unit="report", disable=None) as bar:
            story.tell(timezone.now(), bar.update)
