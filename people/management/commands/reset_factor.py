"""reset_factor USERNAME"""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from audit.record import COMMAND_LINE
from people.factors import reset
from people.management.lookup import person_named


class Command(BaseCommand):
    help = "Takes the second factor away from somebody who has lost it, and signs them out everywhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USERNAME")

    def handle(self, *, username: str, **options: object) -> None:
        done = reset(person_named(username).pk, actor=COMMAND_LINE)
        self.stdout.write(f"{username} has no second factor any more." if done else f"{username} had none.")
