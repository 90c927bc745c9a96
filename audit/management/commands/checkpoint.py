"""Make a checkpoint of the log."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import checkpoints
from audit.exceptions import AuditError
from audit.record import COMMAND_LINE


class Command(BaseCommand):
    help = "Check what came since the last checkpoint, sign the log as it is now, and print that."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = checkpoints.make(COMMAND_LINE)
        except AuditError as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(made.note, ending="")
