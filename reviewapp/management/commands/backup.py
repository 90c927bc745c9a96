"""Write the whole board into a folder."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reviewapp import backups
from reviewapp.embedded.alone import database
from reviewapp.processes import CannotStart


class Command(BaseCommand):
    help = "Back up the database and a checkpoint of the log into an empty folder; the board may run meanwhile."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument("--with-keys", action="store_true", help="the secret key and the signing key, too")
        parser.add_argument("--data-dir", help="where everything is kept (DATA_DIR, or var/ beside manage.py)")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"].resolve()
        try:
            with database(made_if_missing=False):
                made = backups.back_up(folder, with_secrets=options["with_keys"])
        except (CannotStart, backups.BackupRefused) as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as error:
            raise CommandError(f"{error.filename or folder} cannot be written: {error.strerror}.") from None
        if made.trouble:
            self.stderr.write(made.trouble)
        self.stdout.write(f"The board with the {made.entries} entries of its log is in {folder}.")
        if made.secrets:
            self.stdout.write(f"It holds {' and '.join(made.secrets)}: whoever has it can sign in the board's name.")
        elif not options["with_keys"]:
            names = " and ".join(f"{name} ({variable})" for name, variable in backups.SECRETS.items())
            self.stdout.write(f"Its keys are not in it. Keep them apart: {names}, in the data directory.")
