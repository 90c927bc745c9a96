"""Check the whole log."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.notes import BadNote, PublicKey
from audit.record import COMMAND_LINE
from audit.verify import Outside, verify_and_tell


class Command(BaseCommand):
    help = "Walk the audit log from its first entry; exit 0 and print the head, or 1 and name the first bad entry."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--checkpoint",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="a checkpoint kept elsewhere, or a folder",
        )
        parser.add_argument(
            "--keys", type=Path, metavar="FILE", help="the public keys to believe, one a line (those the log knows)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            paths = [path for given in options["checkpoint"] for path in _files(given)]
            outside = Outside([(f"the checkpoint in {path}", _read(path)) for path in paths])
            if options["keys"]:
                outside.keys.extend(PublicKey.parse(line) for line in _read(options["keys"]).splitlines() if line)
            verdict = verify_and_tell(COMMAND_LINE.label, outside)
        except BadNote as error:
            raise CommandError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
        if verdict.fault:
            self.stderr.write(f"Entry {verdict.fault.sequence} is bad: {verdict.fault.problem}.")
            self.stderr.write(f"The {verdict.entries} entries before it are sound.")
            raise SystemExit(1)
        fitting = verdict.checkpoints
        compared = f" {fitting} checkpoint{'' if fitting == 1 else 's'} fit{'s' if fitting == 1 else ''}." * bool(
            fitting
        )
        self.stdout.write(
            f"{verdict.entries} entries are sound.{compared} Head: {verdict.entries} {verdict.head.hex()}"
        )


def _files(given: Path) -> list[Path]:
    """The file itself, or the checkpoints in a folder as we file them."""
    return sorted(given.glob("[0-9]*.txt")) if given.is_dir() else [given]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
