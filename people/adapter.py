"""How accounts come to be, and what signing in and out leaves on the log."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from audit.record import Actor, record
from people import sessions, tries
from people.comforts import begin_first_days
from people.devices import UNKNOWN, device_of, is_known, remember
from people.models import User
from people.telling import tell
from people.ways import ways


class InvitationOnly(DefaultAccountAdapter):
    """Nobody signs up: an admin makes accounts. Whoever signs in or out or sets a password is recorded."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": "This account is deactivated. Ask an admin to reactivate it.",
        "incorrect_password": "This is not your password. Type it again.",
        "too_many_login_attempts": "Too many tries. Wait five minutes, or sign in with a one-time link.",
        "username_password_mismatch": (
            "This username and password do not fit. Type them again, or ask an admin for a link."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    @transaction.atomic
    def login(self, request: HttpRequest, user: User) -> None:
        """By whichever way: all of them end here, the second factor, where there is one, behind them."""
        is_first = user.last_login is None
        super().login(request, user)
        ended = sessions.begin(request, user)
        begin_first_days(user)
        device, by = device_of(request.headers.get("User-Agent", "")), ways(request, user)
        how: dict[str, Any] = {"by": by} | ({"device": device} if device != UNKNOWN else {})
        if not is_first and not is_known(request, user):
            how["new_device"] = True
            tell(user, f"Sign-in from a new device: {device}", f"by {by}")
        record("person.signed_in", actor=Actor.person(user), target=user, after=how)
        for place in ended:
            _say_ended(request, user, place)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """The name only where somebody is called that: a password is often typed in its place."""
        typed = str(credentials.get("username") or "")[:150]
        tries.note("password", User.objects.filter(username=typed).first())

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().post_login(request, user, **kwargs)
        remember(request, answer, user)
        return answer

    @transaction.atomic
    def logout(self, request: HttpRequest) -> None:
        person = request.user
        super().logout(request)
        if isinstance(person, User):
            record("person.signed_out", actor=Actor.person(person), target=person)

    @transaction.atomic
    def set_password(self, user: User, password: str) -> None:
        """Only the password is written: the rest of `user` may be older than a deactivation."""
        had_one = user.has_usable_password()
        user.set_password(password)
        user.save(update_fields=["password"])
        here = getattr(getattr(context.request, "session", None), "session_key", None)
        sessions.end_all(user, actor=Actor.person(user), but=here or "", why="the password is new")
        record("person.password_set", actor=Actor.person(user), target=user, after={"first": not had_one})


def _say_ended(request: HttpRequest, user: User, place: sessions.Place) -> None:
    at_most = f"you can be signed in at {settings.COUNTERSIGN_SESSIONS_AT_ONCE} places at most"
    messages.info(request, f"Signed out of {place.device}, which you had not used for longest: {at_most}.")
    tell(user, f"Signed out of {place.device}: {at_most}", "by another sign-in")
