"""What commands say about people by name, with an answer that helps when it is not right."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import CommandError

from people.models import Team, User
from people.roles import Role


def person_named(username: str) -> User:
    """The person of this username. Raises CommandError that tells who there is."""
    try:
        return User.objects.get(username=username)
    except User.DoesNotExist:
        known = ", ".join(User.objects.order_by("username").values_list("username", flat=True)[:20])
        there = f"There are: {known}." if known else "Make them with create_person."
        raise CommandError(f"There is no person “{username}”. {there}") from None


def team_named(name: str) -> Team:
    """The team of this name, in whatever case. Raises CommandError that tells which there are."""
    teams = Team.objects.filter(is_active=True)
    try:
        return teams.get(name__iexact=name)
    except Team.DoesNotExist:
        known = ", ".join(teams.values_list("name", flat=True)[:20])
        there = f"There are: {known}." if known else "Make it in the browser, under Settings."
        raise CommandError(f"There is no team “{name}”. {there}") from None


def add_roles(parser: ArgumentParser, *, required: bool) -> None:
    """Let a command take `--role`, several times."""
    parser.add_argument(
        "--role",
        action="append",
        required=required,
        default=None if required else [],
        choices=[role.value for role in Role],
        help="may be given several times",
    )


def add_url(parser: ArgumentParser) -> None:
    """Let a command that prints a link take `--url`."""
    parser.add_argument(
        "--url", default=settings.COUNTERSIGN_ADDRESS, help="scheme and host of the board, as people reach it"
    )
