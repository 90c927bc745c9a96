"""Who stands behind a pattern, and what is asked for it: the reads behind `proposals.rules.backing`."""

from collections.abc import Iterable, Sequence
from copy import copy
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Left

from agents.models import ApiKey
from feedback.mining import EXACT_KINDS, Kind
from feedback.models import Evidence, Pattern
from proposals.checking.commanding import READ, reads_like_instructions
from proposals.models import Proposal, SourceRule
from proposals.rules.backing import MOST_READ, Backing, Rule, Said, kept, weigh

COUNTED: Final = 1000
"""So many of a pattern's newest reports are counted: far more than any rule asks for."""
_TEXTS: Final = ("feedback__reason", "feedback__correction", "feedback__edited_output", "run__error")


def board_rule() -> Rule:
    """What is asked for where an agent has no rule of its own."""
    return Rule(
        sources=settings.COUNTERSIGN_MIN_SOURCES,
        share=settings.COUNTERSIGN_MAX_SHARE,
        days=settings.COUNTERSIGN_MIN_DAYS,
        per="user" if settings.COUNTERSIGN_COUNT_USERS else "owner",
    )


def rule_for(agent_id: int) -> Rule:
    """What the drafts for this agent take. One query."""
    own = SourceRule.objects.filter(agent=agent_id).first()
    return own.rule if own else board_rule()


def backing_of(pattern: Pattern, rule: Rule) -> Backing:
    """Who stands behind a pattern now. One query."""
    rows = pattern.evidence.order_by("-at", "-pk").annotate(by=F("source"), when=F("at"))
    return _weighed(rows, rule, exact=Kind(pattern.kind) in EXACT_KINDS)


def backing_of_proposal(proposal: Proposal, rule: Rule) -> Backing:
    """Who stands behind a proposal, by the reports that are linked to it and still count. One query."""
    by, when = Coalesce("feedback__source", "run__source"), Coalesce("feedback__at", "run__at")
    rows = proposal.evidence.counted().order_by("-pk").annotate(by=by, when=when)
    kind = proposal.pattern.kind if proposal.pattern else Pattern.Kind.COMPLAINT
    return _weighed(rows, rule, exact=Kind(kind) in EXACT_KINDS)


def _weighed(rows: "QuerySet[Any]", rule: Rule, *, exact: bool) -> Backing:
    rows = rows.annotate(owner=Coalesce("feedback__key__owner", "run__key__owner"))
    found = rows.values_list("by", "owner", "when", *(Left(text, READ) for text in _TEXTS))[:COUNTED]
    said = [_said(source, owner, at, texts, exact=exact) for source, owner, at, *texts in found]
    return weigh(said, rule.per)


def _said(source: bytes, owner: int | None, at: datetime, texts: Sequence[str | None], *, exact: bool) -> Said:
    text = "\n".join(filter(None, texts))
    day, compared = at.astimezone(UTC).date(), "" if exact else text[:MOST_READ]
    return Said(bytes(source), owner, day, compared, reads_like_instructions(text))


def heard(evidence: Sequence[Evidence], rule: Rule | None = None) -> list[Evidence]:
    """What a draft may take its words from: what does not read like instructions, and not again from one owner.

    With a rule, each is from whom the rule counts it as, so that what is found in them needs as many of those.
    One query.
    """
    keys = {report.key_id for one in evidence if (report := one.report).key_id}
    owners = dict(ApiKey.objects.filter(pk__in=keys).values_list("pk", "owner")) if keys else {}
    said = [_of_evidence(one, owners) for one in evidence]
    found = []
    for place in kept(said):
        one = copy(evidence[place])
        owner = said[place].owner
        if rule and rule.per == "owner" and owner is not None:
            one.source = b"owner %10d" % owner
        found.append(one)
    return found


def _of_evidence(evidence: Evidence, owners: dict[Any, int]) -> Said:
    report = evidence.report
    texts, owner = [text[:READ] for text in texts_of(report)], owners.get(report.key_id)
    return _said(bytes(evidence.source), owner, evidence.at, texts, exact=bool(evidence.run_id))


def texts_of(report: Any) -> list[str]:
    """What a report says in words."""
    if hasattr(report, "error"):
        return [report.error]
    return [report.reason, report.correction, report.edited_output]


def commanding(reports: Iterable[Any]) -> set[int]:
    """The keys of those of these feedbacks, or of these runs, that read like instructions."""
    return {report.pk for report in reports if reads_like_instructions("\n".join(t[:READ] for t in texts_of(report)))}
