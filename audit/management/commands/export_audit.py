"""Write the whole log for somebody outside to check."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.exceptions import AuditError
from audit.exporting import STANDALONE, write_bundle
from audit.record import COMMAND_LINE


class Command(BaseCommand):
    help = "Write entries, a checkpoint, the public keys and the program that checks them into an empty folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        try:
            made = write_bundle(folder, COMMAND_LINE)
        except AuditError as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as error:
            raise CommandError(f"{error.filename or folder} cannot be written: {error.strerror}.") from None
        if made.trouble:
            self.stderr.write(f"{made.trouble} The checkpoint in the export is the last one.")
        self.stdout.write(f"{made.entries} entries are in {folder}. Check them, anywhere, with:")
        self.stdout.write(f"  python {folder / STANDALONE.name} {folder}")
