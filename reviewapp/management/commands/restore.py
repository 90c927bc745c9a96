"""Put a backup in the place of the database."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.notes import BadNote
from reviewapp import backups
from reviewapp.embedded.alone import database
from reviewapp.processes import CannotStart
from reviewapp.rights import CannotGive


class Command(BaseCommand):
    help = (
        "Restore a backup and check its log; exit 1 when the log is not what its checkpoint says. Stop the board first."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="FOLDER")
        parser.add_argument("--overwrite", action="store_true", help="also where the database holds data")
        parser.add_argument("--data-dir", help="where everything is kept (DATA_DIR, or var/ beside manage.py)")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"].resolve()
        try:
            with database(made_if_missing=True):
                done = backups.restore(folder, overwrite=options["overwrite"])
        except (CannotStart, backups.BackupRefused, CannotGive) as refusal:
            raise CommandError(str(refusal)) from None
        except BadNote as error:
            raise CommandError(f"The database is restored, but {error}.") from None
        except OSError as error:
            raise CommandError(f"{error.filename or folder} cannot be used: {error.strerror}.") from None
        self._say(done)

    def _say(self, done: backups.Restored) -> None:
        self.stdout.write(f"Restored is the backup of {done.about.made_at}.")
        for name in done.secrets:
            self.stdout.write(f"{name} came with it; one that was here before stands beside it.")
        if done.newer:
            self.stderr.write(
                f"The folder of checkpoints has one of {done.newer} entries: what came after {done.verdict.entries} is "
                "lost with this backup. Every check will say so until the newer ones are moved to your records."
            )
        if fault := done.verdict.fault:
            self.stderr.write(f"Entry {fault.sequence} is bad: {fault.problem}.")
            raise SystemExit(1)
        fits = "and fits the checkpoint in the backup" if done.verdict.checkpoints else "with no checkpoint to compare"
        self.stdout.write(f"Its log of {done.verdict.entries} entries is sound {fits}.")
