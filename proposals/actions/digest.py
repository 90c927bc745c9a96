"""Tell of new proposals together, not one by one."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from notices.models import Notice
from proposals.actions.telling import tell_of_new
from proposals.models import Proposal

MOST = 100


@transaction.atomic
def tell_due() -> int:
    """Tell of what came since the last time, if that is long enough ago; how many proposals those were."""
    every = timedelta(seconds=settings.COUNTERSIGN_DIGEST_EVERY_S)
    last, now = Notice.objects.filter(kind=Notice.Kind.PROPOSALS).first(), timezone.now()
    if last and last.at > now - every:
        return 0
    new = Proposal.objects.filter(status=Proposal.Status.PENDING, pk__gt=last.facts["upto"] if last else 0)
    if last is None:
        new = new.filter(created_at__gt=now - every)
    found = list(new.select_related("document__agent__team").order_by("pk")[:MOST])
    if found:
        tell_of_new(found)
    return len(found)
