"""What a row of the queue says, for a whole page of rows in a fixed number of queries."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Max

from feedback.trends import trends
from people.models import User
from proposals.models import Assignment, Check, Comment, Decision, Proposal, ProposalSeen, Thread
from proposals.queue.desk import Desk
from proposals.risk import Level
from proposals.rollout_pills import rollout_pills
from proposals.turns import MY_TURN, Pill, pill
from proposals.undone import undone

_SHOWN = ("document__agent", "revision", "pattern", "author", "author_key", "bypass")
_HEAVY = ("rationale", "revision__text", "revision__diff", "pattern__centroid", "pattern__terms")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person has not seen yet: nothing of it (`new`), or what it became since they looked."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One proposal as the queue shows it; `days` is how long its reports came, `trend` how many on each day.

    `threads` counts the talks that nobody has resolved, `decided_by` names who had the last word on what is decided.
    """

    proposal: Proposal
    days: int | None
    trend: list[int] | None
    pill: Pill
    mark: Mark | None
    warnings: int
    failures: int
    assignees: list[Assignment]
    threads: int
    decided_by: str

    @property
    def risk(self) -> Level:
        return Level(self.proposal.risk)

    @property
    def is_my_turn(self) -> bool:
        """Nothing but this person's decision is missing."""
        return self.pill == MY_TURN

    @property
    def fits_together(self) -> bool:
        """Whether it may be approved at one press with others of its kind."""
        return self.is_my_turn and self.risk == Level.LOW


def page_of(proposals: Sequence[int]) -> list[Proposal]:
    """The proposals with these keys, in this order, without the texts that no row shows."""
    found = Proposal.objects.select_related(*_SHOWN).defer(*_HEAVY).in_bulk(proposals)
    return [found[pk] for pk in proposals if pk in found]


def rows(keys: Sequence[int], desk: Desk) -> list[Row]:
    """The rows of one page, for the person whose desk this is."""
    proposals = page_of(keys)
    found = trends({p.pattern_id for p in proposals if p.pattern_id})
    verdicts, seen = _verdicts(proposals), _marks(proposals, desk.user)
    gone = undone([p for p in proposals if not p.is_open])
    rolling = rollout_pills(proposals)
    deciders = _deciders(proposals)
    assigned, talks = assignments(keys), Thread.objects.unresolved().per_proposal(keys)
    return [
        Row(
            p,
            span_days(p),
            found.get(p.pattern_id or 0),
            pill(
                p,
                my_turn=p.pk in desk,
                blocked=verdicts[p.revision_id, Check.Verdict.FAIL] > 0,
                undone=p.pk in gone,
                rollout=rolling.get(p.pk),
            ),
            seen.get(p.pk),
            verdicts[p.revision_id, Check.Verdict.WARN],
            verdicts[p.revision_id, Check.Verdict.FAIL],
            assigned[p.pk],
            talks.get(p.pk, 0),
            deciders.get(p.pk, ""),
        )
        for p in proposals
    ]


def assignments(proposals: Collection[int]) -> dict[int, list[Assignment]]:
    """Who each of these is assigned to."""
    found: dict[int, list[Assignment]] = defaultdict(list)
    for one in Assignment.objects.filter(proposal__in=proposals).select_related("user", "group"):
        found[one.proposal_id].append(one)
    return found


def _deciders(proposals: Sequence[Proposal]) -> dict[int, str]:
    """“by Mara” for each one that somebody approved or rejected: whoever did so last."""
    settled = [p.revision_id for p in proposals if p.status in (Proposal.Status.APPROVED, Proposal.Status.REJECTED)]
    if not settled:
        return {}
    said = Decision.objects.filter(revision__in=settled).order_by("pk")
    names = said.values_list("revision__proposal", "actor__name", "actor__username")
    return {proposal: name or username for proposal, name, username in names}


def _verdicts(proposals: Sequence[Proposal]) -> Counter[tuple[int | None, str]]:
    raised = Check.objects.filter(
        revision__in=[p.revision_id for p in proposals], verdict__in=[Check.Verdict.WARN, Check.Verdict.FAIL]
    )
    return Counter(raised.values_list("revision", "verdict"))


def _marks(proposals: Sequence[Proposal], user: User) -> dict[int, Mark]:
    keys = [p.pk for p in proposals]
    seen = {one.proposal_id: one for one in ProposalSeen.objects.filter(user=user, proposal__in=keys)}
    by_others = Decision.objects.filter(revision__proposal__in=keys).exclude(actor=user).order_by()
    said = dict(by_others.values_list("revision__proposal").annotate(Max("at")))
    others_talk = Comment.objects.filter(thread__proposal__in=keys).exclude(author=user).order_by()
    talked = dict(others_talk.values_list("thread__proposal").annotate(Max("at")))
    marks: dict[int, Mark] = {}
    for proposal in proposals:
        last = seen.get(proposal.pk)
        if last is None:
            if proposal.is_open and proposal.author_id != user.pk:
                marks[proposal.pk] = Mark("new", "New to you")
        elif last.revision_id != proposal.revision_id:
            marks[proposal.pk] = Mark("changed", "Its text changed since you looked")
        elif proposal.pk in said and said[proposal.pk] > last.at:
            marks[proposal.pk] = Mark("changed", "Somebody decided since you looked")
        elif proposal.pk in talked and talked[proposal.pk] > last.at:
            marks[proposal.pk] = Mark("changed", "Somebody commented since you looked")
    return marks


def span_days(proposal: Proposal) -> int | None:
    """Over how many days the pattern's reports came; None without a pattern, and once it is decided."""
    return proposal.pattern.span_days if proposal.is_open and proposal.pattern else None
