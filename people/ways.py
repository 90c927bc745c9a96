"""By which ways somebody has come in."""

from typing import Final

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.http import HttpRequest

from people.models import User

LINK: Final = "link"
_FACTORS: Final = {"totp": "app", "webauthn": "passkey", "recovery_codes": "recovery code"}


def note_link(request: HttpRequest, person: User) -> None:
    """Note that a one-time link was right; a second factor may still be to come."""
    record_authentication(request, person, LINK)


def ways(request: HttpRequest, person: User) -> str:
    """“password and app”: what was right on the way into this session, the last two of it."""
    records = get_authentication_records(request, person)
    found = [_FACTORS.get(str(one.get("type")), "") or str(one.get("provider") or one["method"]) for one in records]
    return " and ".join(found[-2:] if len(found) > 1 and records[-1]["method"] == "mfa" else found[-1:]) or "password"
