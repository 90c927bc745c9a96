"""Machine drafts that nobody took up and nothing new speaks for make way.

Only what a machine alone wanted expires: a person's proposal never does, and neither does a draft that a person asked
for, amended or approved. Those wait until a person ends them. The clock runs from the last sign of life: the proposal
itself, the newest report of its pattern, the newest assignment, the newest comment, the request for changes that nobody
answered. Being moved onto another version is none.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from audit.record import SYSTEM, record
from feedback.models import Pattern
from proposals.actions.locking import lock
from proposals.actions.proposals import free_pattern
from proposals.actions.revisions import update_unmoved
from proposals.models import Assignment, Comment, Decision, Proposal, Revision
from proposals.models.proposal import ProposalQuerySet

MACHINES = (Proposal.Origin.DRAFTER, Proposal.Origin.AGENT)


def stale_drafts(silent_since: datetime) -> ProposalQuerySet:
    """Undecided machine drafts without a sign of life after this time; a request for changes is one, too."""
    by_people = Revision.objects.filter(proposal=OuterRef("pk"), author__isnull=False)
    said = Decision.objects.filter(revision__proposal=OuterRef("pk"))
    sent_back = Q(status=Proposal.Status.CHANGES_REQUESTED) & ~Exists(said.filter(at__gt=silent_since))
    assigned = Assignment.objects.filter(proposal=OuterRef("pk"), at__gt=silent_since)
    talked = Comment.objects.filter(thread__proposal=OuterRef("pk"), at__gt=silent_since)
    return Proposal.objects.filter(
        Q(pattern=None) | Q(pattern__last_seen=None) | Q(pattern__last_seen__lte=silent_since),
        ~Exists(by_people),
        ~Exists(assigned),
        ~Exists(talked),
        sent_back | (Q(status=Proposal.Status.PENDING) & ~Exists(said)),
        origin__in=MACHINES,
        requested_by=None,
        created_at__lte=silent_since,
    )


def expire_stale() -> int:
    """End every draft that is due; how many there were. Again at once, it finds none."""
    days = settings.COUNTERSIGN_EXPIRE_AFTER_DAYS
    if not days:
        return 0
    due = stale_drafts(timezone.now() - timedelta(days=days))
    return sum(expire(pk, days=days) for pk in list(due.order_by("pk").values_list("pk", flat=True)))


@transaction.atomic
def expire(proposal_id: int, *, days: int) -> bool:
    """End one draft if it is still due, and let its pattern be drafted from again when new sources report it."""
    proposal = lock(proposal_id, by=None)
    if proposal.pattern_id:  # what is mined at this moment is either seen below, or comes after
        Pattern.objects.select_for_update(no_key=True).only("pk").get(pk=proposal.pattern_id)
    if not stale_drafts(timezone.now() - timedelta(days=days)).filter(pk=proposal_id).exists():
        return False
    before = proposal.status
    update_unmoved(proposal, status=Proposal.Status.EXPIRED, decided_at=timezone.now())
    free_pattern(proposal, SYSTEM, was=[Pattern.Status.PROPOSED])
    record(
        "proposal.expired",
        actor=SYSTEM,
        target=proposal,
        agent=proposal.document.agent.slug,
        document=proposal.document.slug,
        proposal=proposal.pk,
        before={"status": before},
        after={"status": proposal.status, "days": days},
    )
    return True
