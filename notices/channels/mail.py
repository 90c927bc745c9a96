"""E-mail to people who left an address and want to hear of it."""

from collections.abc import Iterable
from smtplib import SMTPException, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q, QuerySet
from django.urls import reverse

from notices.channels import Never, NotNow, Target
from notices.models import Notice
from people.models import User
from people.roles import SEE_EVERY_AGENT, holders


class Mail:
    """Over what EMAIL_URL names; silent without it."""

    name = "mail"

    def targets(self, notice: Notice) -> Iterable[Target]:
        if not settings.COUNTERSIGN_MAIL:
            return []
        wanting = _hearing(notice).filter(mails__contains=[notice.kind])
        return [Target(str(person.pk), str(person)) for person in wanting.order_by("pk")]

    def send(self, notice: Notice, target: str) -> None:
        person = _hearing(notice).filter(pk=int(target)).first()
        if person is None:
            raise Never("This person hears of nothing any more.")
        message = EmailMessage(
            subject=notice.title,
            body=_body(notice),
            to=[person.email],
            headers={"Message-ID": f"<notice-{notice.pk}-{person.pk}@{_domain()}>", "Auto-Submitted": "auto-generated"},
        )
        try:
            message.send()
        except SMTPRecipientsRefused:
            raise Never("The mail server refuses the address.") from None
        except (OSError, SMTPException) as error:
            raise NotNow(f"The mail server did not take it ({type(error).__name__}).") from None


def _hearing(notice: Notice) -> "QuerySet[User]":
    """People who are let in, have a role and an address, and see what it is about."""
    if notice.person_id:
        return User.objects.filter(pk=notice.person_id, is_active=True).exclude(email="")
    people = User.objects.filter(is_active=True, groups__isnull=False).exclude(email="")
    if notice.team_id:
        people = people.filter(Q(teams=notice.team_id) | Q(pk__in=holders(SEE_EVERY_AGENT).values("pk")))
    return people.distinct()


def _body(notice: Notice) -> str:
    board = settings.COUNTERSIGN_ADDRESS.rstrip("/")
    seen = f"To look without signing in, for a week: {board}{notice.link}\n" if notice.link else ""
    return (
        f"{notice.text}\n\n{board}{notice.path}\n{seen}\n-- \n"
        f"What you hear of is in your settings: {board}{reverse('settings')}\n"
    )


def _domain() -> str:
    return str(settings.DEFAULT_FROM_EMAIL).rpartition("@")[2].rstrip(">")
