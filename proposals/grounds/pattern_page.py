"""What the page of one pattern shows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Max, QuerySet, TextField
from django.http import QueryDict

from agents.compiled import Compiled, Given, key, keys
from agents.models import Document
from feedback.actions import lifecycle
from feedback.insight import Examples, Insight, examples_among
from feedback.likeness import asked, folded, said
from feedback.mining import EXACT_KINDS, Kind
from feedback.models import Evidence, Exclusion, Pattern, PatternSource
from feedback.newest import READ
from feedback.timeline import PatternTime, timeline
from people.models import User
from proposals.grounds import evidence, memory
from proposals.models import Proposal
from proposals.status.pattern_holdings import PatternHoldings, holdings
from proposals.status.undone import undone

PER_PAGE = 15
LOUDEST = 5
OTHERS = 100
DOCUMENTS = 10
PROPOSALS = 20
_REPORTS: Final = Compiled(
    lambda: (
        Evidence.objects.select_related("feedback", "run")
        .annotate(said=said(), asked=asked())
        .filter(**{"pattern": key("pattern"), "pk__any_of": keys("keys")})
    )
)


_LOUDEST: Final = Compiled(
    lambda: (
        PatternSource.objects.filter(pattern=key("pattern"))
        .order_by("-items", "pk")
        .values_list("source", "items")[:LOUDEST]
    )
)
_ALIKE: Final = Compiled(
    lambda: (
        Pattern.objects.shown()
        .filter(agent=key("agent"), kind=Given("kind", TextField()))
        .order_by("-sources", "pk")
        .values_list("pk", "label")[: OTHERS + 1]
    )
)
_DOCUMENTS: Final = Compiled(
    lambda: Document.objects.filter(agent=key("agent"), current__isnull=False).order_by("slug")[:DOCUMENTS]
)
_PROPOSALS: Final = Compiled(
    lambda: (
        Proposal.objects.filter(**{"pattern__pk__any_of": keys("patterns")})
        .select_related("published")
        .only("title", "status", "document", "pattern", "created_at", "decided_at", "published__number")
        .order_by("-pk")[:PROPOSALS]
    )
)


@dataclass(frozen=True, slots=True)
class Source:
    """One source's part of a pattern; `share` is of one."""

    source: bytes
    items: int
    share: float


class PatternPage:
    """One pattern with its evidence, filtered as the query says. What is not valid there filters nothing."""

    def __init__(self, pattern: Pattern, query: QueryDict, user: User) -> None:
        """`user` is who reads it."""
        self.pattern, self._user = pattern, user
        self.day = _day(query.get("day", ""))
        self.version = _number(query.get("version", ""))
        self._query = query

    @property
    def is_filtered(self) -> bool:
        return self.day is not None or self.version is not None

    @cached_property
    def has(self) -> PatternHoldings:
        """What there is of all that few patterns have."""
        return holdings(self.pattern)

    @cached_property
    def page(self) -> Page[Any]:
        """The evidence, newest first."""
        page: Page[Any] = Paginator(self._listed(), PER_PAGE).get_page(self._query.get("page"))
        wanted = self._wanted(page)
        self._reports = self._read({*wanted, *self.insight.example_keys})
        page.object_list = [self._reports[pk] for pk in wanted if pk in self._reports]
        return page

    def _listed(self) -> "range | QuerySet[Any]":
        """What the page pages through: of all reports their number, which is known, and of some their keys."""
        if self.is_filtered:
            return self._keys()
        return range(len(self._newest) if len(self._newest) < READ else self.pattern.support)

    def _wanted(self, page: Page[Any]) -> list[int]:
        first, last = max(page.start_index() - 1, 0), page.end_index()
        if self.is_filtered:
            return list(page.object_list)
        return self._newest[first:last] if last <= len(self._newest) else list(self._keys()[first:last])

    def _keys(self) -> "QuerySet[Any]":
        rows = self.pattern.evidence.order_by("-at", "-pk")
        if self.day:
            since = datetime.combine(self.day, datetime.min.time(), UTC)
            rows = rows.filter(at__gte=since, at__lt=since + timedelta(days=1))
        if self.version is not None:
            rows = rows.filter(version=self.version)
        return rows.values_list("pk", flat=True)

    @cached_property
    def _newest(self) -> list[int]:
        return [report.pk for report in self.insight.newest]

    def _read(self, wanted: Collection[int]) -> dict[int, Evidence]:
        return {one.pk: one for one in _REPORTS.ask(pattern=self.pattern.pk, keys=list(wanted))} if wanted else {}

    @cached_property
    def examples(self) -> Examples | None:
        """The most typical report, and what is least like it; read with those of the page."""
        return examples_among(self._reports, self.insight.example_keys) if self.page else None

    @cached_property
    def folded(self) -> list[tuple[Evidence, list[Evidence]]]:
        """The reports of the page, each with the others of the page that say nearly the same."""
        alike = folded((item, item.said, item.run_id) for item in self.page)
        return [(first, others) for first, *others in alike]

    @cached_property
    def time(self) -> PatternTime:
        return timeline(self.pattern, self.insight.days)

    @cached_property
    def loudest(self) -> list[Source]:
        """The sources with most reports."""
        whole = self.pattern.support or 1
        rows = _LOUDEST.ask(pattern=self.pattern.pk)
        return [Source(bytes(source), items, items / whole) for source, items in rows]

    @cached_property
    def insight(self) -> Insight:
        """What it says about itself."""
        return Insight(self.pattern, self._user, is_shared=self.has.shared)

    @cached_property
    def proposals(self) -> list[Proposal]:
        """What came of it, and of what was merged into it."""
        if not (self.has.proposals or self.has.merged):
            return []
        return _PROPOSALS.ask(patterns=[self.pattern.pk, *(one.pk for one in self.merged)])

    @cached_property
    def undone(self) -> dict[int, Proposal]:
        """Which of them were rolled back since."""
        return undone(self.proposals)

    @cached_property
    def merged(self) -> list[Pattern]:
        """Patterns whose reports this one has, those that people merged first."""
        if not self.has.merged:
            return []
        roots = Pattern.objects.filter(agent=self.pattern.agent_id).roots()
        inside = [pk for pk, root in roots.items() if root == self.pattern.pk]
        rows = Pattern.objects.filter(pk__in=inside).defer("centroid", "meaning")
        return list(rows.order_by("is_merged_by_miner", "pk")[:50])

    @cached_property
    def others(self) -> list[tuple[int, str]]:
        """Patterns it could be merged with, their keys and what they are called: those of most sources first, after
        those that were split off from it.
        """
        found = _ALIKE.ask(agent=self.pattern.agent_id, kind=self.pattern.kind)
        if self.has.splits:
            parts = self.pattern.splits.filter(kind=self.pattern.kind, status=Pattern.Status.CANDIDATE)
            found = [*parts.order_by("pk").values_list("pk", "label")[:OTHERS], *found]
        others = [(pk, label) for pk, label in found if pk != self.pattern.pk][:OTHERS]
        return [(pk, label or str(Pattern(pk=pk, kind=self.pattern.kind))) for pk, label in others]

    @cached_property
    def splits(self) -> list[Pattern]:
        """What was split off from it and stands by itself."""
        if not self.has.splits:
            return []
        rows = self.pattern.splits.exclude(status=Pattern.Status.MERGED).defer("centroid", "meaning").order_by("pk")
        return list(rows[:20])

    @cached_property
    def documents(self) -> list[Document]:
        """The documents a change could be made to."""
        return _DOCUMENTS.ask(agent=self.pattern.agent_id)

    @cached_property
    def memory(self) -> memory.Memory | None:
        """What was rejected of what it led to."""
        return memory.of_pattern(self.pattern) if self.has.rejected else None

    @cached_property
    def left_out(self) -> list[Exclusion]:
        """The newest reports that reviewers took out of it, and of what was merged into it."""
        if not (self.has.excluded or self.has.merged):
            return []
        return evidence.left_out_of([self.pattern.pk, *(one.pk for one in self.merged)])

    @property
    def can_split(self) -> bool:
        return Kind(self.pattern.kind) not in EXACT_KINDS and self.pattern.support > 1 and self.is_whole

    @property
    def is_whole(self) -> bool:
        """Whether it stands by itself and recurs, so that people may say what it is."""
        return self.pattern.status not in (Pattern.Status.CANDIDATE, Pattern.Status.MERGED)

    @property
    def can_be_written_for(self) -> bool:
        """Whether somebody may propose a change that answers it."""
        return self.is_whole and self.pattern.status != Pattern.Status.DISMISSED

    @cached_property
    def resolved_on(self) -> datetime | None:
        """When a watched one is resolved if nothing new comes any more."""
        if self.pattern.status != Pattern.Status.WATCHING or self.pattern.answered_at is None:
            return None
        last = lifecycle.new_since_answer(self.pattern).aggregate(at=Max("at"))["at"]
        quiet_since = max(filter(None, [self.pattern.answered_at, last]))
        return quiet_since + timedelta(days=settings.COUNTERSIGN_RESOLVED_AFTER_DAYS)


def _day(given: str) -> date | None:
    try:
        found = date.fromisoformat(given)
    except ValueError:
        return None
    return found if found < date.max else None


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None
