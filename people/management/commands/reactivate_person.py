"""reactivate_person USERNAME"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from audit.record import COMMAND_LINE
from people.accounts import reactivate
from people.management.lookup import person_named


class Command(BaseCommand):
    help = "Lets a deactivated person in again, with the roles they had."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USERNAME")

    def handle(self, *, username: str, **options: object) -> None:
        done = reactivate(person_named(username).pk, actor=COMMAND_LINE)
        self.stdout.write(f"{username} is active again." if done else f"{username} was active already.")
