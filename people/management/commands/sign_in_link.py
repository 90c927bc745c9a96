"""Print a link that signs the first admin in, once."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from people.signin import one_time_link


class Command(BaseCommand):
    help = "Prints a link that signs the first admin in, once, within a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--url", default="http://127.0.0.1:8000", help="scheme and host of the board, as people reach it"
        )

    def handle(self, *, url: str, **options: object) -> None:
        self.stdout.write(one_time_link(url.rstrip("/")))
