"""set_roles USERNAME --role reviewer … | --none"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from audit.record import COMMAND_LINE
from people.accounts import set_roles
from people.exceptions import PeopleError
from people.management.lookup import add_roles, person_named
from people.roles import Role


class Command(BaseCommand):
    help = "Gives a person exactly these roles; it holds from their next click on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USERNAME")
        add_roles(parser, required=False)
        parser.add_argument("--none", action="store_true", help="take all roles away")

    def handle(self, *, username: str, role: list[str], none: bool, **options: object) -> None:
        if bool(role) == none:
            raise CommandError("Name the roles with --role, or say --none.")
        try:
            changed = set_roles(person_named(username).pk, [Role(value) for value in role], actor=COMMAND_LINE)
        except PeopleError as refusal:
            raise CommandError(str(refusal)) from None
        roles = ", ".join(sorted(set(role))) or "none"
        self.stdout.write(f"Roles of {username}: {roles}{'' if changed else ', as before'}.")
