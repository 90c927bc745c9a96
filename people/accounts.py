"""Accounts: made, renamed, given roles, deactivated and reactivated. Nobody is ever deleted."""

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from audit.record import COMMAND_LINE, Actor, record
from people import sessions
from people.exceptions import BadUsername, LastAdmin
from people.models import User
from people.roles import Role


@transaction.atomic
def create_person(
    username: str, *, name: str, roles: Iterable[Role], password: str | None = None, actor: Actor = COMMAND_LINE
) -> User:
    """Make an account with these roles; without a password it can sign in by link only. Raises BadUsername."""
    _require_good(username)
    try:
        with transaction.atomic():
            person = User.objects.create_user(username=username, password=password, name=name)
    except IntegrityError:
        raise _taken(username) from None
    person.groups.set(Group.objects.filter(name__in=list(roles)))
    record(
        "person.created",
        actor=actor,
        target=person,
        after={"username": person.username, "name": name, "roles": _roles(person)},
    )
    return person


@transaction.atomic
def set_roles(person_id: int, roles: Iterable[Role], *, actor: Actor) -> bool:
    """Give a person exactly these roles; False when they had them. Takes effect with their next request.

    Raises LastAdmin, and User.DoesNotExist.
    """
    person = _locked(person_id)
    before, after = _roles(person), sorted(set(roles))
    if before == after:
        return False
    if Role.ADMIN not in after:
        _require_another_admin(person)
    person.groups.set(Group.objects.filter(name__in=after))
    record("person.roles_set", actor=actor, target=person, before={"roles": before}, after={"roles": after})
    return True


@transaction.atomic
def rename(person_id: int, name: str, *, actor: Actor) -> bool:
    """Change the name shown beside decisions; entries of the log keep the old one. False when it was that already."""
    person = _locked(person_id)
    before = person.name
    if not User.objects.filter(pk=person_id).exclude(name=name).update(name=name):
        return False
    person.name = name
    record("person.renamed", actor=actor, target=person, before={"name": before}, after={"name": name})
    return True


@transaction.atomic
def deactivate(person_id: int, *, actor: Actor) -> bool:
    """Let a person in no more: sessions and links end with the next request, API keys they own go on.

    False when they were deactivated already. Raises LastAdmin, and User.DoesNotExist.
    """
    person = _locked(person_id)
    if not person.is_active:
        return False
    _require_another_admin(person)
    sessions.end_all(person, actor=actor)
    return _set_active(person, False, "person.deactivated", actor)


@transaction.atomic
def reactivate(person_id: int, *, actor: Actor) -> bool:
    """Let a person in again, with the roles they had; False when they were active. Raises User.DoesNotExist."""
    return _set_active(_locked(person_id), True, "person.reactivated", actor)


def _set_active(person: User, active: bool, verb: str, actor: Actor) -> bool:
    if not User.objects.filter(pk=person.pk, is_active=not active).update(is_active=active):
        return False
    record(verb, actor=actor, target=person, before={"active": not active}, after={"active": active})
    return True


def _locked(person_id: int) -> User:
    return User.objects.select_for_update(no_key=True).get(pk=person_id)


def _roles(person: User) -> list[str]:
    return sorted(person.groups.values_list("name", flat=True))


def _require_another_admin(person: User) -> None:
    """Raises LastAdmin if this person is the only active admin."""
    # Two admins could remove each other at the same moment: the second waits here, and then counts afresh.
    Group.objects.select_for_update(no_key=True).get(name=Role.ADMIN)
    admins = User.objects.filter(groups__name=Role.ADMIN, is_active=True)
    if admins.filter(pk=person.pk).exists() and not admins.exclude(pk=person.pk).exists():
        raise LastAdmin


def _require_good(username: str) -> None:
    """Raises BadUsername for one that is malformed, or taken in whatever case."""
    try:
        User._meta.get_field("username").clean(username, None)
    except ValidationError as error:
        raise BadUsername(" ".join(error.messages)) from None
    if User.objects.filter(username__iexact=User.normalize_username(username)).exists():
        raise _taken(username)


def _taken(username: str) -> BadUsername:
    return BadUsername(f"There is somebody called {username} already.")
