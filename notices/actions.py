"""What people do about notices: have one sent again, and say which they want by mail."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from audit.record import Actor, record
from notices.models import Delivery, Notice
from people.models import User

RESEND = "notices.resend_notice"


class NoticeError(Exception):
    """The base of what is refused; the message is fit to be shown."""


class NotAllowed(NoticeError):
    """This person may not."""


@transaction.atomic
def send_again(delivery_id: int, *, user: User) -> Delivery:
    """Try a delivery anew that was given up. Raises NotAllowed, NoticeError, Delivery.DoesNotExist."""
    if not user.has_perm(RESEND):
        raise NotAllowed("Having a notice sent again needs the role operator or admin.")
    seen = Notice.objects.for_person(user)
    found = Delivery.objects.filter(notice__in=seen).select_related("notice").get(pk=delivery_id)
    dead = Delivery.objects.filter(pk=found.pk, state=Delivery.State.DEAD)
    if not dead.update(state=Delivery.State.DUE, attempts=0, due_at=timezone.now()):
        raise NoticeError("It is on its way already, or was delivered.")
    record(
        "notice.sent_again",
        actor=Actor.person(user),
        target=found.notice,
        before={"problem": found.problem, "attempts": found.attempts},
        after={"channel": found.channel, "to": found.label},
    )
    return found


def want_by_mail(*, user: User, address: str, kinds: Collection[str]) -> None:
    """Mail these kinds of notices to the person, at this address, which was looked at; none without one.

    It is about nobody else, so the log does not keep it.
    """
    wanted = [kind for kind in Notice.Kind.values if kind in kinds]
    User.objects.filter(pk=user.pk).update(email=address, mails=wanted if address else [])
