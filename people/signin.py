"""One-time sign-in links, for the first minute and for people locked out."""

from django.contrib.auth.models import Group
from django.db import transaction
from django.urls import reverse
from sesame.utils import get_query_string

from audit.record import COMMAND_LINE, record
from people.models import User
from people.roles import Role


def one_time_link(base_url: str) -> str:
    """A link that signs the first admin in once, within a day; the admin is made if there is none.

    `base_url` is scheme and host without a trailing slash.
    """
    return f"{base_url}{reverse('sign_in_by_link')}{get_query_string(first_admin())}"


@transaction.atomic
def first_admin() -> User:
    """The admin who has been here longest, or a new `admin`, who signs in by link until they set a password."""
    known = User.objects.filter(groups__name=Role.ADMIN, is_active=True).order_by("pk").first()
    return known or create_person("admin", name="Admin", roles=[Role.ADMIN])


@transaction.atomic
def create_person(username: str, *, name: str, roles: list[Role], password: str | None = None) -> User:
    """Make an account with these roles; without a password it can sign in by link only."""
    person = User.objects.create_user(username=username, password=password, name=name)
    person.groups.set(Group.objects.filter(name__in=roles))
    record(
        "person.created",
        actor=COMMAND_LINE,
        target=person,
        after={"username": username, "roles": sorted(roles)},
    )
    return person
