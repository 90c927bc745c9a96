"""Whose turn it is, as queries: the same rules as `policies.may_decide`; a test holds the two together."""

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from people.models import User
from people.roles import holders
from proposals.models import Assignment, Decision, Proposal, ProposalEvidence, Revision
from proposals.models.proposal import ProposalQuerySet
from proposals.policies import DOMINANT_SHARE

Status = Proposal.Status


def waiting_for(user: User) -> ProposalQuerySet:
    """Proposals whose next step is this person's: to decide, or to rework what they wrote.

    An assignment takes a proposal off the list of those it does not name, for as long as somebody it names can decide.
    It never puts one on the list of somebody who may not.
    """
    to_rework = Q(status=Status.CHANGES_REQUESTED, author=user)
    to_decide = decidable_by(user).filter(
        ~Q(Exists(_assignments())) | assigned_to(user) | ~Q(Exists(_able_assignees()))
    )
    return Proposal.objects.filter(Q(pk__in=to_decide.values("pk")) | to_rework)


def assigned_to(user: User) -> Q:
    """Proposals that name this person, or a role of theirs; for `filter`."""
    named = Assignment.objects.filter(Q(user=user) | Q(group__user=user), proposal=OuterRef("pk"))
    return Q(Exists(named))


def decidable_by(user: User) -> ProposalQuerySet:
    """What this person may decide and has not approved yet, whoever it is assigned to."""
    if not user.has_perm("proposals.decide_proposal"):
        return Proposal.objects.none()
    approved = Decision.objects.filter(revision=OuterRef("revision"), actor=user)
    open_ones = Proposal.objects.filter(~Exists(approved), status__in=Proposal.DECIDABLE)
    return open_ones if settings.COUNTERSIGN_SINGLE_OPERATOR else _without_conflict(open_ones, user)


def _assignments() -> QuerySet[Assignment]:
    return Assignment.objects.filter(proposal=OuterRef("pk"))


def _able_assignees() -> QuerySet[User]:
    """Of those a proposal names, whoever can still decide: without one, it is everybody's turn again."""
    named = Q(assigned_proposals__proposal=OuterRef("pk")) | Q(groups__assigned_proposals__proposal=OuterRef("pk"))
    approved = Decision.objects.filter(revision=OuterRef(OuterRef("revision")), actor=OuterRef("pk"))
    able = User.objects.filter(named, ~Exists(approved), pk__in=holders("proposals.decide_proposal").values("pk"))
    if settings.COUNTERSIGN_SINGLE_OPERATOR:
        return able
    whole = Proposal.objects.filter(
        Q(author=OuterRef("pk")) | Q(author_key__owner=OuterRef("pk")) | Q(requested_by=OuterRef("pk")),
        pk=OuterRef(OuterRef("pk")),
    )
    written = Revision.objects.filter(
        Q(author=OuterRef("pk")) | Q(author_key__owner=OuterRef("pk")), proposal=OuterRef(OuterRef("pk"))
    )
    return able.filter(~Exists(whole), ~Exists(written))


def _without_conflict(proposals: ProposalQuerySet, user: User) -> ProposalQuerySet:
    written = Revision.objects.filter(Q(author=user) | Q(author_key__owner=user), proposal=OuterRef("pk"))
    free = proposals.filter(
        ~Exists(written),
        Q(author=None) | ~Q(author=user),
        Q(author_key=None) | ~Q(author_key__owner=user),
        Q(requested_by=None) | ~Q(requested_by=user),
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


def counts(user: User) -> dict[str, int]:
    """How many proposals each view holds: keys turn, open, effect, decided."""
    effect = Count("pk", filter=Q(status=Status.IN_EFFECT))
    is_open = Q(status__in=Proposal.OPEN)
    found = Proposal.objects.aggregate(
        open=Count("pk", filter=is_open), effect=effect, decided=Count("pk", filter=~is_open)
    )
    return {"turn": waiting_for(user).count(), **found}
