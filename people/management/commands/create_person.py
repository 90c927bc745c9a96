"""create_person USERNAME --name NAME --role reviewer …"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from audit.record import COMMAND_LINE
from people.exceptions import PeopleError
from people.management.lookup import add_roles, add_url
from people.roles import Role
from people.signin import invite


class Command(BaseCommand):
    help = "Adds a person and prints their first sign-in link, the only line on standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USERNAME", help="what they sign in with")
        parser.add_argument("--name", default="", help="as shown beside decisions; the username if not given")
        add_roles(parser, required=True)
        add_url(parser)

    def handle(self, *, username: str, name: str, role: list[str], url: str, **options: object) -> None:
        roles = [Role(value) for value in role]
        if len(name) > 120:
            raise CommandError("A name has at most 120 characters.")
        try:
            person, link = invite(
                username, name=name.strip(), roles=roles, base_url=url.rstrip("/"), actor=COMMAND_LINE
            )
        except PeopleError as refusal:
            raise CommandError(str(refusal)) from None
        self.stderr.write(f"{person} is added ({', '.join(sorted(set(role)))}). This link works once, within a day:")
        self.stdout.write(link)
