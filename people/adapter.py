"""How accounts come to be, and what signing in and out leaves on the log."""

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from audit.record import Actor, record
from people.comforts import begin_first_days
from people.models import User


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
        super().login(request, user)
        begin_first_days(user)
        record("person.signed_in", actor=Actor.person(user), target=user, after={"by": "password"})

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
        record("person.password_set", actor=Actor.person(user), target=user, after={"first": not had_one})
