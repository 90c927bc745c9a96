"""deactivate_person USERNAME"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from audit.record import COMMAND_LINE
from people.accounts import deactivate
from people.exceptions import PeopleError
from people.management.lookup import person_named


class Command(BaseCommand):
    help = "Lets a person in no more: sessions and links end at once; API keys they own go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USERNAME")

    def handle(self, *, username: str, **options: object) -> None:
        person = person_named(username)
        try:
            done = deactivate(person.pk, actor=COMMAND_LINE)
        except PeopleError as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{username} is deactivated." if done else f"{username} was deactivated before.")
        live = person.keys.filter(revoked_at=None).order_by("pk").values_list("prefix", flat=True)
        if live:
            self.stdout.write(f"API keys they own, still working (revoke_key ends one): {', '.join(live)}.")
