"""One-time sign-in links: for the first minute, for people new here, and for people locked out."""

from collections.abc import Iterable

from django.db import transaction
from django.urls import reverse
from sesame.utils import get_query_string

from audit.record import COMMAND_LINE, Actor, record
from people.accounts import create_person
from people.exceptions import Deactivated
from people.models import User
from people.roles import Role


@transaction.atomic
def sign_in_link(person: User, base_url: str, *, actor: Actor) -> str:
    """A link that signs this person in once, within a day. The log keeps who made it, not the link.

    `base_url` is scheme and host without a trailing slash. Raises Deactivated.
    """
    if not person.is_active:
        raise Deactivated(f"{person} is deactivated. Reactivate the account first.")
    record("person.link_made", actor=actor, target=person)
    return f"{base_url}{reverse('sign_in_by_link')}{get_query_string(person)}"


@transaction.atomic
def one_time_link(base_url: str) -> str:
    """As `sign_in_link`, for the first admin, who is made if there is none."""
    return sign_in_link(first_admin(), base_url, actor=COMMAND_LINE)


@transaction.atomic
def first_admin() -> User:
    """The admin who has been here longest, or a new `admin`, who signs in by link until they set a password."""
    known = User.objects.filter(groups__name=Role.ADMIN, is_active=True).order_by("pk").first()
    return known or create_person("admin", name="Admin", roles=[Role.ADMIN])


@transaction.atomic
def invite(username: str, *, name: str, roles: Iterable[Role], base_url: str, actor: Actor) -> tuple[User, str]:
    """Make an account and the link that signs its person in for the first time. Raises BadUsername."""
    person = create_person(username, name=name, roles=roles, actor=actor)
    return person, sign_in_link(person, base_url, actor=actor)
