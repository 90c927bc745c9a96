"""Send what waits. May run twice, late, or in two workers at once.

Each delivery is locked while it is sent, and another worker passes over it, so nothing is sent twice after it was
taken. A worker that dies between the receiver's answer and the commit leaves it due; what comes again then has the
same id.
"""

from datetime import timedelta
from typing import Final

import structlog
from django.db import transaction
from django.utils import timezone

from notices.channels import Never, Notifier, NotNow, notifiers
from notices.models import Delivery, Notice

AT_ONCE: Final = 50
"""Deliveries in one pass; the next one comes seconds later."""
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=6)
MOST_ATTEMPTS: Final = 10
"""With pauses that double, the last one comes about eight hours after the first."""
KEPT: Final = timedelta(days=90)
log = structlog.get_logger()


def deliver_all() -> int:
    """Find out who is told what, and send what is due; how many were sent."""
    for notice_id in list(Notice.objects.filter(spread_at=None).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        spread(notice_id)
    due = Delivery.objects.filter(state=Delivery.State.DUE, due_at__lte=timezone.now()).order_by("due_at", "pk")
    return sum(deliver(pk) for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]))


@transaction.atomic
def spread(notice_id: int) -> None:
    """One delivery for everybody who wants to hear of it, by the settings of this moment."""
    notice = Notice.objects.select_for_update(skip_locked=True).filter(pk=notice_id, spread_at=None).first()
    if notice is None:
        return
    now = timezone.now()
    Delivery.objects.bulk_create(
        (
            Delivery(notice=notice, channel=channel.name, target=target.name, label=target.label[:200], due_at=now)
            for channel in notifiers().values()
            for target in channel.targets(notice)
        ),
        ignore_conflicts=True,
    )
    Notice.objects.filter(pk=notice.pk).update(spread_at=now)


@transaction.atomic
def deliver(delivery_id: int) -> bool:
    """Send one if it still is due and nobody else is at it; whether it got through."""
    rows = Delivery.objects.select_for_update(no_key=True, skip_locked=True, of=("self",)).select_related("notice")
    found = rows.filter(pk=delivery_id, state=Delivery.State.DUE, due_at__lte=timezone.now()).first()
    if found is None:
        return False
    try:
        _channel(found).send(found.notice, found.target)
    except Never as refusal:
        _keep(found, Delivery.State.DEAD, str(refusal))
    except NotNow as failure:
        is_last = found.attempts + 1 >= MOST_ATTEMPTS
        _keep(found, Delivery.State.DEAD if is_last else Delivery.State.DUE, str(failure))
    else:
        _keep(found, Delivery.State.SENT, "")
    return found.state == Delivery.State.SENT


def tidy() -> None:
    """Forget what was told long ago."""
    old = Notice.objects.filter(at__lt=timezone.now() - KEPT, spread_at__isnull=False)
    old.exclude(deliveries__state=Delivery.State.DUE).delete()


def _channel(delivery: Delivery) -> Notifier:
    found = notifiers().get(delivery.channel)
    if found is None:
        raise Never(f"There is no channel {delivery.channel} any more.")
    return found


def _keep(delivery: Delivery, state: Delivery.State, problem: str) -> None:
    now = timezone.now()
    delivery.state, delivery.attempts, delivery.problem = state, delivery.attempts + 1, problem[:300]
    delivery.due_at = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (delivery.attempts - 1))
    delivery.sent_at = now if state == Delivery.State.SENT else None
    delivery.save(update_fields=["state", "attempts", "problem", "due_at", "sent_at"])
    if state == Delivery.State.DEAD:
        log.error("notice_not_delivered", notice=delivery.notice_id, channel=delivery.channel, reason=problem)
