"""What somebody proves themselves with beside a password or a link: an app that shows codes, or a passkey."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import salted_hmac

from audit.record import Actor, record
from people import sessions
from people.models import User
from people.roles import Role
from people.telling import tell

Type = Authenticator.Type
SECOND: Final = (Type.TOTP, Type.WEBAUTHN)
"""What counts as a second factor; recovery codes stand in for one that is not at hand."""
_NAMES: Final = {Type.TOTP: "authenticator app", Type.WEBAUTHN: "passkey", Type.RECOVERY_CODES: "recovery codes"}
EVERYBODY: Final = "all"
KEPT: Final = "Your role asks for a second factor. Add another one first."


class Factors(DefaultMFAAdapter):
    """How allauth keeps factors here: secrets are encrypted with SECRET_KEY, a copy of the database has none."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": KEPT,
        "cannot_generate_recovery_codes": "Recovery codes stand in for a second factor. Add one first.",
        "incorrect_code": "This code does not fit. Wait for the next one and type that.",
    }

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What was encrypted with another SECRET_KEY fits no code any more: an admin takes such a factor away."""
        try:
            return _cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return generate_totp_secret()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return may_remove(authenticator)

    def get_totp_label(self, user: User) -> str:
        return user.username

    def generate_authenticator_name(self, user: User, type: str) -> str:
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def _get_site_name(self) -> str:
        return "Countersign"


def _cipher() -> Fernet:
    key = salted_hmac("people.factors", "secrets of second factors", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key).digest()))


@dataclass(frozen=True, slots=True)
class Factor:
    """One of somebody's factors. `label` is what they call it, `left` how many recovery codes are unused."""

    id: int
    type: str
    name: str
    label: str
    since: datetime
    used: datetime | None
    left: int


def factors_of(person: User) -> list[Factor]:
    """All of this person's factors, the oldest first."""
    return [_shown(row) for row in Authenticator.objects.filter(user=person).order_by("pk")]


def _shown(row: Authenticator) -> Factor:
    left = len(row.wrap().get_unused_codes()) if row.type == Type.RECOVERY_CODES else 0
    return Factor(row.pk, row.type, name_of(row), _given(row), row.created_at, row.last_used_at, left)


def name_of(row: Authenticator) -> str:
    """“authenticator app”, or “passkey “Laptop””."""
    given = _given(row)
    return f"{_NAMES[row.type]} “{given}”" if given else _NAMES[row.type]


def _given(row: Authenticator) -> str:
    return str(row.data.get("name") or "") if row.type == Type.WEBAUTHN else ""


def has_second(person: User) -> bool:
    """Whether this person has a second factor; known already of whoever is signed in."""
    known = getattr(person, "has_factor", None)
    return known if isinstance(known, bool) else Authenticator.objects.filter(user=person, type__in=SECOND).exists()


def with_factor(people: QuerySet[User]) -> QuerySet[User]:
    """These people, each with `has_factor`: whether they have a second one."""
    return people.annotate(has_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND)))


def asks_for_one(person: User) -> bool:
    """Whether one of the person's roles asks for a second factor; superusers count as admins."""
    asking = settings.COUNTERSIGN_SECOND_FACTOR
    if not asking or EVERYBODY in asking or (person.is_superuser and Role.ADMIN in asking):
        return bool(asking)
    roles = getattr(person, "role_names", None)
    return bool(asking & set(person.groups.values_list("name", flat=True) if roles is None else roles))


def has_app(person: User) -> bool:
    """Whether this person has an app that shows codes."""
    return bool(Authenticator.objects.filter(user=person, type=Type.TOTP).exists())


def has_passkey_alone(person: User) -> bool:
    """Whether this person has a passkey that signs in alone, without name and password."""
    return any(row.wrap().is_passwordless for row in Authenticator.objects.filter(user=person, type=Type.WEBAUTHN))


def may_remove(factor: Authenticator) -> bool:
    """Whether this factor can go: not the last one of somebody whose role asks for one."""
    others = Authenticator.objects.filter(user=factor.user, type__in=SECOND).exclude(pk=factor.pk)
    return not asks_for_one(factor.user) or bool(others.exists())


@transaction.atomic
def remove(factor: Authenticator, *, user: User) -> None:
    """Take away one of a person's own factors, and with the last one the codes that stand in for it."""
    Authenticator.objects.filter(pk=factor.pk, user=user).delete()
    if not Authenticator.objects.filter(user=user, type__in=SECOND).exists():
        Authenticator.objects.filter(user=user).delete()
    note_removed(user, factor)


def note_added(person: User, factor: Authenticator) -> None:
    """Leave on the log, within the transaction that adds it, that a person has another factor."""
    _note("factor.added", person, Actor.person(person), name_of(factor), "added")


def note_removed(person: User, factor: Authenticator) -> None:
    """As `note_added`, of one that they take away."""
    _note("factor.removed", person, Actor.person(person), name_of(factor), "taken away")


def note_codes_renewed(person: User) -> None:
    """As `note_added`, of new recovery codes in place of all older ones."""
    _note("factor.codes_made", person, Actor.person(person), _NAMES[Type.RECOVERY_CODES], "made anew")


def _note(verb: str, person: User, actor: Actor, name: str, what: str) -> None:
    record(verb, actor=actor, target=person, after={"factor": name})
    tell(person, f"{name[0].upper()}{name[1:]} {what}", f"by {actor.label}")


@transaction.atomic
def reset(person_id: int, *, actor: Actor) -> int:
    """Take all factors of a person away who has lost them, and sign them out everywhere; how many there were.

    They sign in with password or link alone until they add another, which their role may ask for at once.
    Raises User.DoesNotExist.
    """
    person = User.objects.select_for_update(no_key=True).get(pk=person_id)
    names = [factor.name for factor in factors_of(person)]
    if names:
        Authenticator.objects.filter(user=person).delete()
        record("factor.reset", actor=actor, target=person, before={"factors": names}, after={"factors": []})
        sessions.end_all(person, actor=actor)
        tell(person, "Your second factor was reset", f"by {actor.label}")
    return len(names)


_WITHOUT: Final = ("account_", "mfa_", "add_factor", "set_theme", "end_session")
"""Beginnings of the names of what is there for somebody who first has to add a factor."""


class SecondFactorMiddleware:
    """Lead whose role asks for a second factor to where they add one, before anything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: Any) -> HttpResponse | None:
        """After the middleware that looks who is signed in."""
        if not settings.COUNTERSIGN_SECOND_FACTOR or not getattr(view, "login_required", True):
            return None
        if not isinstance(request.user, User):
            return None
        name = request.resolver_match.url_name if request.resolver_match else None
        if (name or "").startswith(_WITHOUT) or has_second(request.user) or not asks_for_one(request.user):
            return None
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(status=401)
        return HttpResponseRedirect(reverse("add_factor"), status=303)
