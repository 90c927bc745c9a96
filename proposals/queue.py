"""What waits for whom: the reads behind the review queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from feedback.trends import trends
from people.models import User
from proposals.models import Check, Coauthor, Decision, Proposal, ProposalEvidence, Revision, Thread
from proposals.models.proposal import ProposalQuerySet
from proposals.policies import DOMINANT_SHARE
from proposals.turns import Pill, pill

Status = Proposal.Status


def waiting_for(user: User) -> ProposalQuerySet:
    """Proposals whose next step is this person's: to decide, or to rework what they wrote.

    The same rules as `policies.may_decide`, as one query; a test holds the two together.
    """
    to_rework = Q(status=Status.CHANGES_REQUESTED, author=user)
    return Proposal.objects.filter(Q(pk__in=_to_decide(user).values("pk")) | to_rework)


def _to_decide(user: User) -> ProposalQuerySet:
    if not user.has_perm("proposals.decide_proposal"):
        return Proposal.objects.none()
    approved = Decision.objects.filter(revision=OuterRef("revision"), actor=user)
    open_ones = Proposal.objects.filter(~Exists(approved), status__in=Proposal.DECIDABLE)
    return open_ones if settings.COUNTERSIGN_SINGLE_OPERATOR else _without_conflict(open_ones, user)


def _without_conflict(proposals: ProposalQuerySet, user: User) -> ProposalQuerySet:
    written = Revision.objects.filter(Q(author=user) | Q(author_key__owner=user), proposal=OuterRef("pk"))
    suggested = Coauthor.objects.filter(person=user, revision__proposal=OuterRef("pk"))
    free = proposals.filter(
        ~Exists(written),
        ~Exists(suggested),
        Q(author=None) | ~Q(author=user),
        Q(author_key=None) | ~Q(author_key__owner=user),
        Q(requested_by=None) | ~Q(requested_by=user),
        Q(bypass=None) | ~Q(bypass__actor=user),
    )
    if not user.keys.exists():
        return free
    reports = ProposalEvidence.objects.filter(proposal=OuterRef("pk"))
    own = reports.filter(Q(feedback__key__owner=user) | Q(run__key__owner=user))
    counts = free.annotate(own_reports=_count(own), all_reports=_count(reports))
    return counts.filter(own_reports__lte=DOMINANT_SHARE * F("all_reports"))


def _count(rows: QuerySet[ProposalEvidence]) -> Coalesce:
    counted = rows.order_by().values("proposal").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; unknown values fall back to the first choice."""

    show: str = "turn"
    agent: str = ""
    q: str = ""

    SHOWS = ("turn", "open", "effect", "decided", "all")

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Filters":
        show, agent, words = (query.get(name, "").replace("\0", "") for name in ("show", "agent", "q"))
        return cls(show if show in cls.SHOWS else "turn", agent, words.strip()[:200])

    def apply(self, user: User) -> ProposalQuerySet:
        """The proposals asked for, those with most sources first; decided ones newest first."""
        found = self._shown(user)
        if self.agent:
            found = found.filter(document__agent__slug=self.agent)
        if self.q:
            found = found.filter(Q(title__icontains=self.q) | Q(rationale__icontains=self.q))
        newest_first = self.show in ("decided", "all")
        found = found.for_page().annotate(sources=Coalesce("pattern__sources", "evidence_sources"))
        return found.order_by(*(["-pk"] if newest_first else [F("sources").desc(), "pk"]))

    def _shown(self, user: User) -> ProposalQuerySet:
        match self.show:
            case "turn":
                return waiting_for(user)
            case "open":
                return Proposal.objects.open()
            case "effect":
                return Proposal.objects.filter(status=Status.IN_EFFECT)
            case "decided":
                return Proposal.objects.decided()
            case _:
                return Proposal.objects.all()


@dataclass(frozen=True, slots=True)
class Row:
    """One proposal as the queue shows it; `days` is how long its reports came, `trend` how many on each day.

    `threads` counts the talks that nobody has resolved.
    """

    proposal: Proposal
    days: int | None
    trend: list[int] | None
    pill: Pill
    threads: int


def rows(proposals: Sequence[Proposal], user: User) -> list[Row]:
    """The rows of one page, in a fixed number of queries."""
    keys = [proposal.pk for proposal in proposals]
    mine = set(waiting_for(user).filter(pk__in=keys).values_list("pk", flat=True))
    failing = Check.objects.filter(revision__in=[p.revision_id for p in proposals], verdict=Check.Verdict.FAIL)
    blocked = set(failing.values_list("revision", flat=True))
    talks = Thread.objects.unresolved().per_proposal(keys)
    found = trends({p.pattern_id for p in proposals if p.pattern_id})
    return [
        Row(
            p,
            span_days(p),
            found.get(p.pattern_id or 0),
            pill(p, my_turn=p.pk in mine, blocked=p.revision_id in blocked),
            talks.get(p.pk, 0),
        )
        for p in proposals
    ]


def counts(user: User) -> dict[str, int]:
    """How many proposals each view holds: keys turn, open, effect, decided."""
    effect = Count("pk", filter=Q(status=Status.IN_EFFECT))
    is_open = Q(status__in=Proposal.OPEN)
    found = Proposal.objects.aggregate(
        open=Count("pk", filter=is_open), effect=effect, decided=Count("pk", filter=~is_open)
    )
    return {"turn": waiting_for(user).count(), **found}


def span_days(proposal: Proposal) -> int | None:
    """Over how many days the pattern's reports came; None without a pattern, and once it is decided."""
    return proposal.pattern.span_days if proposal.is_open and proposal.pattern else None
