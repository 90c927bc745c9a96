"""erase_subject NAME"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.numbers import counted
from audit.record import COMMAND_LINE
from feedback.actions import erasure


class Command(BaseCommand):
    help = (
        "Erase what came in under one user or unit: words, hashes and metadata go, what is counted stays. It is done "
        "when this returns, and cannot be undone. “-” reads the name from standard input."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="exactly as agents send it")

    def handle(self, *args: Any, **options: Any) -> None:
        name = input() if options["name"] == "-" else options["name"]
        try:
            wish = erasure.ask(name, actor=COMMAND_LINE)
        except ValueError as error:
            raise CommandError(str(error)) from None
        erasure.carry_out()
        wish.refresh_from_db()
        self.stdout.write(f"Erased {counted(wish.feedback, 'report')} and {counted(wish.runs, 'run')}.")
