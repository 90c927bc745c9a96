"""Whose turn it is, as queries: the same rules as `policies.may_decide`; a test holds the two together."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from people.models import User
from people.roles import holders
from proposals.models import Assignment, Coauthor, Decision, Proposal, ProposalEvidence, Redraft, Revision
from proposals.models.proposal import ProposalQuerySet
from proposals.policies import DOMINANT_SHARE

Status = Proposal.Status


def waiting_for(user: User, among: Collection[int] | None = None) -> ProposalQuerySet:
    """Proposals whose next step is this person's: to decide, or to rework what they wrote; of these keys, if given.

    An assignment takes a proposal off the list of those it does not name, for as long as somebody it names can decide.
    It never puts one on the list of somebody who may not.
    """
    to_rework = Q(status=Status.CHANGES_REQUESTED, author=user)
    taken, taken_by_roles, mine = _able("user"), _able("group__user"), decidable_by(user)
    whole = Proposal.objects.all()
    if among is not None:  # said inside too: the database works the inner ones out before it looks at the outer one
        taken, taken_by_roles = taken.filter(proposal__in=among), taken_by_roles.filter(proposal__in=among)
        mine, whole = mine.filter(pk__in=among), whole.filter(pk__in=among)
    to_decide = mine.filter((~Q(pk__in=taken) & ~Q(pk__in=taken_by_roles)) | assigned_to(user))
    return whole.filter(Q(pk__in=to_decide.values("pk")) | to_rework)


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


def _able(who: str) -> "QuerySet[Assignment, Any]":
    """Keys of the proposals that name somebody who can still decide them; `who` is the path to that person.

    Not correlated with the proposals asked about, so that the database works it out once.
    """
    deciders = holders("proposals.decide_proposal").order_by().values("pk")
    named = Assignment.objects.filter(proposal__status__in=Proposal.DECIDABLE).annotate(who=F(who))
    approved = Decision.objects.filter(revision=OuterRef("proposal__revision"), actor=OuterRef("who"))
    able = named.filter(~Exists(approved), who__in=deciders)
    if not settings.COUNTERSIGN_SINGLE_OPERATOR:
        by_them = Q(author=OuterRef("who")) | Q(author_key__owner=OuterRef("who"))
        written = Revision.objects.filter(by_them, proposal=OuterRef("proposal"))
        suggested = Coauthor.objects.filter(person=OuterRef("who"), revision__proposal=OuterRef("proposal"))
        wanted = Proposal.objects.filter(
            by_them | Q(requested_by=OuterRef("who")) | Q(bypass__actor=OuterRef("who")), pk=OuterRef("proposal")
        )
        asked = Redraft.objects.made_for(OuterRef("who")).filter(proposal=OuterRef("proposal"))
        able = able.filter(~Exists(written), ~Exists(suggested), ~Exists(wanted), ~Exists(asked))
    return able.order_by().values("proposal")


def _without_conflict(proposals: ProposalQuerySet, user: User) -> ProposalQuerySet:
    written = Revision.objects.filter(Q(author=user) | Q(author_key__owner=user), proposal=OuterRef("pk"))
    suggested = Coauthor.objects.filter(person=user, revision__proposal=OuterRef("pk"))
    free = proposals.filter(
        ~Exists(written),
        ~Exists(suggested),
        ~Exists(Redraft.objects.made_for(user).filter(proposal=OuterRef("pk"))),
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


def counts(user: User) -> dict[str, int]:
    """How many proposals each view holds: keys turn, open, effect, decided."""
    effect = Count("pk", filter=Q(status=Status.IN_EFFECT))
    is_open = Q(status__in=Proposal.OPEN)
    found = Proposal.objects.aggregate(
        open=Count("pk", filter=is_open), effect=effect, decided=Count("pk", filter=~is_open)
    )
    return {"turn": waiting_for(user).count(), **found}
