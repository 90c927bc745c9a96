"""What is to be told: one row, in the transaction of what it tells of."""

import unicodedata
from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.urls import reverse

from notices.models import Notice
from people.models import Team, User

LONGEST_TITLE: Final = 200
_UNSEEN: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def tell(
    kind: Notice.Kind,
    *,
    key: str,
    title: str,
    text: str,
    path: str,
    link: str = "",
    facts: dict[str, Any],
    team: Team | None = None,
    person: User | None = None,
) -> Notice:
    """Have this told to all who want to hear of its kind; once, however often it is told under the same `key`.

    What is about an agent of a team is told to people who see it alone, what is about an account to its person alone.
    """
    made, _ = Notice.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "title": plain(title, LONGEST_TITLE),
            "text": text,
            "path": path,
            "link": link,
            "facts": facts,
            "team": team,
            "person": person,
        },
    )
    return made


def tell_of_checkpoint(note: str, size: int) -> None:
    """A notifier of checkpoints, see `audit.handing_out`."""
    tell(
        Notice.Kind.CHECKPOINT,
        key=f"checkpoint:{size}",
        title=f"Checkpoint of the log at {size:,} entries",
        text=f"Keep this where those who run the board cannot change it:\n\n{note}",
        path=reverse("audit_log"),
        facts={"size": size, "note": note},
    )


def tell_of_account(person: User, what: str, how: str) -> None:
    """A listener to what happens to accounts, see `people.telling`."""
    place = f"{settings.COUNTERSIGN_ADDRESS.rstrip('/')}{reverse('mfa_index')}"
    tell(
        Notice.Kind.ACCOUNT,
        key=f"account:{person.pk}:{uuid4()}",
        title=f"{person}: {what}",
        text=f"{what}, {how}.\n\nIf that was not you: sign out everywhere at {place} and tell an admin.",
        path=reverse("mfa_index"),
        facts={"person": person.username, "what": what, "how": how},
        person=person,
    )


def plain(text: str, longest: int) -> str:
    """On one line and without characters that nobody sees: what others wrote, fit for a mail's subject."""
    seen = "".join(" " if unicodedata.category(one) in _UNSEEN else one for one in text)
    short = " ".join(seen.split())
    return short if len(short) <= longest else f"{short[: longest - 1]}…"
