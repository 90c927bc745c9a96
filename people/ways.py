"""By which ways somebody has come in."""

from typing import Final

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.conf import settings
from django.http import HttpRequest

from people.models import User

LINK: Final = "link"
_WAYS: Final = {
    **{"password": "password", LINK: "link"},
    **{"totp": "app", "webauthn": "passkey", "recovery_codes": "recovery code"},
}


def note_link(request: HttpRequest, person: User) -> None:
    """Note that a one-time link was right; a second factor may still be to come."""
    record_authentication(request, person, LINK)


def ways(request: HttpRequest, person: User) -> str:
    """“password and app”: what was right on the way into this session, the last two of it."""
    records = get_authentication_records(request, person)
    found = [_WAYS.get(str(one.get("type") or one["method"])) or settings.COUNTERSIGN_OIDC_NAME for one in records]
    return " and ".join(found[-2:] if len(found) > 1 and records[-1]["method"] == "mfa" else found[-1:]) or "password"
