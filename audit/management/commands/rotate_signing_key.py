"""Take another key into use for signing checkpoints."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import checkpoints, signing
from audit.exceptions import AuditError
from audit.record import COMMAND_LINE


class Command(BaseCommand):
    help = "Make another signing key and a checkpoint signed by the old and the new one, and print that."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--print",
            action="store_true",
            help="only print a new key, for COUNTERSIGN_SIGNING_KEY; it is kept nowhere else",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = f"{signing.fresh().text}\n" if options["print"] else checkpoints.rotate(COMMAND_LINE).note
        except AuditError as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(text, ending="")
