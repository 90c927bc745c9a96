"""Patterns and the reports behind them, for other programs."""

import json
import sys
from collections import Counter, defaultdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models.functions import Coalesce
from tqdm import tqdm

from feedback.models import Evidence, Pattern

_CANDIDATE, _APART = Pattern.Status.CANDIDATE, (Pattern.Status.MERGED, Pattern.Status.DISMISSED)


class Command(BaseCommand):
    help = (
        "Print every pattern as a JSON line with the ids of its reports, as the agents gave them. What recurs at "
        "several agents is one line, under the number of the pattern with most sources; with --agent, patterns as "
        "they are there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--agent", metavar="SLUG", help="only this agent")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = list(self._lines(options["agent"]))
        for patterns in tqdm(lines, unit="pattern", disable=None, file=sys.stderr, leave=False):
            self.stdout.write(json.dumps(self._line(patterns), ensure_ascii=False))

    def _lines(self, agent: str | None) -> list[list[Pattern]]:
        """The patterns of each line, the one that names it first; lines in the order of its keys."""
        rows = Pattern.objects.shown()
        if agent:
            rows = rows.filter(agent__slug=agent)
        else:
            rows |= Pattern.objects.filter(status=_CANDIDATE, support__gt=0, shared_member__isnull=False)
        rows = rows.select_related("agent", "shared_member__shared").defer("centroid", "meaning")
        shared: dict[int, list[Pattern]] = defaultdict(list)
        lines: list[list[Pattern]] = []
        for pattern in rows.order_by("pk"):
            member = None if agent or pattern.status in _APART else getattr(pattern, "shared_member", None)
            if member:
                shared[member.shared_id].append(pattern)
            else:
                lines.append([pattern])
        for patterns in shared.values():
            if len({pattern.agent_id for pattern in patterns}) > 1:
                lines.append(sorted(patterns, key=lambda one: (one.status == _CANDIDATE, -one.sources, one.pk)))
            else:  # what was shared has been withdrawn or dismissed elsewhere since the night
                lines += [[pattern] for pattern in patterns if pattern.status != _CANDIDATE]
        return sorted(lines, key=lambda patterns: patterns[0].pk)

    def _line(self, patterns: list[Pattern]) -> dict[str, Any]:
        first, *others = patterns
        member = first.shared_member if others else None
        ids = Evidence.objects.filter(pattern__in=patterns).order_by("at", "pk")
        line: dict[str, Any] = {
            "pattern_id": first.pk,
            "agent": first.agent.slug,
            "kind": first.kind,
            "label": member.shared.label if member else first.label,
            "support": sum(pattern.support for pattern in patterns),
            "sources": member.shared.sources if member else first.sources,
            "event_ids": list(ids.values_list(Coalesce("feedback__external_id", "run__external_id"), flat=True)),
        }
        if others:
            support: Counter[str] = Counter()
            for pattern in patterns:
                support[pattern.agent.slug] += pattern.support
            line["agents"] = dict(sorted(support.items()))
        return line
