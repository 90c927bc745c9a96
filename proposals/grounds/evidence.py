"""What a proposal stands on, and what speaks against it: the reads behind the evidence on its page.

Each read is one query, or a fixed number of them, whatever the proposal holds.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Coalesce

from agents.compiled import Compiled, Given, key, keys
from audit import numbers
from feedback.likeness import asked, folded, said
from feedback.models import Exclusion, Feedback, Run
from proposals.checking import checks
from proposals.grounds import growth, sourcing
from proposals.models import (
    Check,
    CounterExample,
    Proposal,
    ProposalEvidence,
    Revision,
    Surroundings,
)
from proposals.rules.backing import Said, weigh
from proposals.status.holdings import Holdings

PER_PAGE = 15
FIRST = 5
"""How many reports stand on the page before more are asked for."""
MOST_ALIKE = 20
"""How many of those that are folded are on the page."""
VERSIONS_SHOWN = 6
OPENS: Final = "evidence"
"""What in the address of a proposal opens its evidence: the page of reports that is wanted."""


def grounds(
    proposal: Proposal, revision: Revision, query: Mapping[str, str], has: Holdings, *, shut: bool = False
) -> dict[str, Any]:
    """What the page of a proposal shows of evidence, checks and surroundings.

    `query` has the page of the quotes as `evidence`, and `each` where none is to be folded. No quotes are shown while
    they are `shut`: whoever approves opens them first.
    """
    number, each = query.get("evidence"), "each" in query
    linked = links(proposal)
    counted = tally(proposal, linked)
    around: Surroundings | None = getattr(revision, "surroundings", None)
    then = around.tokens_after if around else None
    found = quotes(proposal, number, [] if shut else linked, each=each)
    return {
        "tally": counted,
        "quotes": found,
        "left": 0 if shut or number or not counted else counted.linked - sum(1 + quote.more for quote in found),
        "each": each,
        "footing": getattr(proposal, "footing", None),
        "checks": checks_now(proposal, revision, counted, linked),
        "counter_examples": counter_examples(revision) if has.counter_examples else [],
        "around": around,
        "findings": around.found if around else [],
        "growth": growth.of_document(proposal.document_id, last=has.last, then=then),
        "removal": getattr(proposal, "removal", None),
    }


@dataclass(frozen=True, slots=True)
class Tally:
    """What the evidence amounts to now: `loudest` is the share of the reports that came from the loudest source.

    `linked` are all reports, `left_out` of these were withdrawn or excluded since; `lacking` is how many sources are
    asked for when too few are left; `commands` of those that count read like instructions.
    """

    linked: int
    reports: int
    sources: int
    loudest: float
    days: int
    versions: list[int]
    left_out: int
    lacking: int
    commands: int


class Link(NamedTuple):
    """One linked report: whose it is, when it came, and whether it counts; `said` is what it says, as
    `feedback.likeness` has it.
    """

    pk: int
    said: str
    run: int | None
    source: bytes
    at: datetime
    version: int | None
    commands: bool
    owner: int | None
    counts: bool


def _linked() -> "QuerySet[Any]":
    """With source, time and version of whichever report each row points at."""
    found = ProposalEvidence.objects.filter(proposal=key("proposal")).annotate(
        by=Coalesce("feedback__source", "run__source"),
        when=Coalesce("feedback__at", "run__at"),
        on=Coalesce("feedback__version", "run__version"),
        owner=Coalesce("feedback__key__owner", "run__key__owner"),
        said=said(),
    )
    gone = ("feedback__withdrawn_at", "feedback__excluded_at", "run__excluded_at")
    fields = ("pk", "said", "run", "by", "when", "on", "commands", "owner", *gone)
    return found.order_by("-when", "-pk").values_list(*fields)


_LINKS: Final = Compiled(_linked)


def links(proposal: Proposal) -> list[Link]:
    """All of them, newest first, in one query."""
    return [
        Link(pk, text, run, bytes(source), at, version, commands, owner, not any(gone))
        for pk, text, run, source, at, version, commands, owner, *gone in _LINKS.ask(proposal=proposal.pk)
    ]


def tally(proposal: Proposal, linked: Sequence[Link]) -> Tally | None:
    """Counted over the linked reports that count; None without any link."""
    if not linked:
        return None
    counted = [link for link in linked if link.counts]
    by_source = Counter(link.source for link in counted)
    least = settings.COUNTERSIGN_MIN_SOURCES
    behind = proposal.pattern.sources if proposal.is_open and proposal.pattern else len(by_source)
    return Tally(
        linked=len(linked),
        reports=len(counted),
        sources=len(by_source),
        loudest=max(by_source.values(), default=0) / (len(counted) or 1),
        days=_days([link.at for link in counted]),
        versions=sorted({link.version for link in counted if link.version is not None})[:VERSIONS_SHOWN],
        left_out=len(linked) - len(counted),
        lacking=least if len(linked) > len(counted) and behind < least else 0,
        commands=sum(link.commands for link in counted),
    )


def _days(times: Sequence[datetime]) -> int:
    return (max(times).date() - min(times).date()).days + 1 if times else 0


@dataclass(frozen=True, slots=True)
class Quote:
    """One report, the run it is about, and who left it out, where there are such.

    `asked` is the beginning of what was labelled wrongly. `more` others say nearly the same, the newest of them being
    `alike`.
    """

    pk: int
    feedback: Feedback | None
    run: Run | None
    behind: Run | None
    exclusion: Exclusion | None
    on_probation: bool = False
    asked: str = ""
    more: int = 0
    alike: "list[Quote]" = field(default_factory=list)

    @property
    def unlisted(self) -> int:
        """How many of those like it are not among `alike`."""
        return self.more - len(self.alike)


def _quoted() -> "QuerySet[ProposalEvidence]":
    found = ProposalEvidence.objects.select_related("feedback__key", "run__key").defer("feedback__input")
    return found.annotate(asked=asked()).filter(**{"proposal": key("proposal"), "pk__any_of": keys("wanted")})


_QUOTED: Final = Compiled(_quoted)
_BEHIND: Final = Compiled(
    lambda: Run.objects.filter(
        **{"agent": key("agent"), "external_id__any_of": Given("wanted", ArrayField(TextField()))}
    )
)


def quotes(proposal: Proposal, number: str | None, linked: Sequence[Link], *, each: bool = False) -> "Page[Any]":
    """One page of the linked reports as Quotes, newest first; what does not count any more stays listed.

    Those that say nearly the same are one, unless `each` is wanted by itself. Without a `number`, only the first few of
    the first page.
    """
    alike = [[link.pk] for link in linked] if each else folded((link.pk, link.said, link.run) for link in linked)
    page: Page[Any] = Paginator(alike, PER_PAGE).get_page(number)
    groups = list(page.object_list) if number else list(page.object_list)[:FIRST]
    wanted = [pk for group in groups for pk in group[: 1 + MOST_ALIKE]]
    rows = _QUOTED.ask(proposal=proposal.pk, wanted=wanted) if wanted else []
    known = {quote.pk: quote for quote in _quotes(proposal.document.agent_id, rows)}
    page.object_list = [
        replace(known[first], more=len(others), alike=[known[pk] for pk in others[:MOST_ALIKE]])
        for first, *others in groups
    ]
    return page


def _quotes(agent_id: int, rows: Sequence[Any]) -> list[Quote]:
    if not rows:
        return []
    feedback = [row.feedback for row in rows if row.feedback]
    wanted = sorted({item.run_id for item in feedback if item.run_id})
    behind = {run.external_id: run for run in _BEHIND.ask(agent=agent_id, wanted=wanted)} if wanted else {}
    left_out = _exclusions([row for row in rows if row.report.excluded_at])
    return [
        Quote(
            row.pk,
            row.feedback,
            row.run,
            row.run or (behind.get(row.feedback.run_id) if row.feedback else None),
            left_out.get((row.feedback_id, row.run_id)),
            bool(row.report.key and row.report.key.is_on_probation),
            row.asked,
        )
        for row in rows
    ]


def _exclusions(rows: Sequence[ProposalEvidence]) -> dict[tuple[int | None, int | None], Exclusion]:
    """Who left these reports out, by the keys of feedback and run."""
    if not rows:
        return {}
    of_rows = Q(feedback__in=[row.feedback_id for row in rows if row.feedback_id]) | Q(
        run__in=[row.run_id for row in rows if row.run_id]
    )
    found = Exclusion.objects.filter(of_rows, lifted_at=None).select_related("by")
    return {(one.feedback_id, one.run_id): one for one in found}


def checks_now(
    proposal: Proposal, revision: Revision, counted: Tally | None, linked: Sequence[Link]
) -> list[Check | checks.CheckResult]:
    """The checks as they ran on the revision; the one that rests on the evidence anew where some was left out since."""
    stored = list(revision.checks.all())
    if counted is None or not counted.left_out:
        return [*stored]
    rule = sourcing.rule_for(proposal.document.agent_id)
    said = [
        Said(link.source, link.owner, link.at.date(), "" if link.run else link.said, link.commands)
        for link in linked
        if link.counts
    ]
    now = checks.evidence(checks.Context(backing=weigh(said, rule.per), rule=rule))
    left_out = numbers.counted(counted.left_out, "report")
    if not counted.sources:
        now = checks.CheckResult("evidence", "warn", "No report behind this counts any more.")
    else:
        now = checks.CheckResult("evidence", now.verdict, f"{now.message} Counted now, without {left_out}.")
    return [now if check.name == "evidence" else check for check in stored]


_COUNTER_EXAMPLES: Final = Compiled(
    lambda: (
        CounterExample.objects.filter(revision=key("revision"))
        .filter(feedback__withdrawn_at=None, feedback__excluded_at=None)
        .select_related("feedback")
    )
)


def counter_examples(revision: Revision) -> list[CounterExample]:
    """Praise the revision might harm, the nearest first, as found when it was made; without what no longer counts."""
    return _COUNTER_EXAMPLES.ask(revision=revision.pk)


def left_out_of(patterns: Sequence[int]) -> list[Exclusion]:
    """The newest reports that reviewers took out of a pattern and of those merged into it, at most PER_PAGE."""
    found = Exclusion.objects.filter(patterns__overlap=list(patterns), lifted_at=None).order_by("-pk")
    return list(found.select_related("feedback", "run", "by")[:PER_PAGE])
