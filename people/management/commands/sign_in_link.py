"""sign_in_link [USERNAME]"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from audit.record import COMMAND_LINE
from people.exceptions import PeopleError
from people.management.lookup import add_url, person_named
from people.signin import one_time_link, sign_in_link


class Command(BaseCommand):
    help = "Prints a link that signs a person in, once, within a day: the first admin, or whoever is named."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", metavar="USERNAME", help="the first admin if nobody is named")
        add_url(parser)

    def handle(self, *, username: str | None = None, url: str, **options: object) -> None:
        base_url = url.rstrip("/")
        if username is None:
            self.stdout.write(one_time_link(base_url))
            return
        try:
            self.stdout.write(sign_in_link(person_named(username), base_url, actor=COMMAND_LINE))
        except PeopleError as refusal:
            raise CommandError(str(refusal)) from None
