"""Patterns and the reports behind them, for other programs."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models.functions import Coalesce
from tqdm import tqdm

from feedback.models import Evidence, Pattern


class Command(BaseCommand):
    help = "Print every pattern as a JSON line with the ids of its reports, as the agents gave them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--agent", metavar="SLUG", help="only this agent")

    def handle(self, *args: Any, **options: Any) -> None:
        patterns = Pattern.objects.shown().select_related("agent").order_by("pk")
        if options["agent"]:
            patterns = patterns.filter(agent__slug=options["agent"])
        rows = patterns.defer("centroid").iterator()
        for pattern in tqdm(rows, total=patterns.count(), unit="pattern", disable=None, file=sys.stderr, leave=False):
            self.stdout.write(json.dumps(self._line(pattern), ensure_ascii=False))

    def _line(self, pattern: Pattern) -> dict[str, Any]:
        ids = Evidence.objects.filter(pattern=pattern).order_by("at", "pk")
        return {
            "pattern_id": pattern.pk,
            "agent": pattern.agent.slug,
            "kind": pattern.kind,
            "label": pattern.label,
            "support": pattern.support,
            "sources": pattern.sources,
            "event_ids": list(ids.values_list(Coalesce("feedback__external_id", "run__external_id"), flat=True)),
        }
