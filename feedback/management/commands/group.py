"""Try the miner's grouping on a file of your own."""

import json
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback.mining.meaning import Model, ModelMissing, model
from feedback.mining.offline import group


class Command(BaseCommand):
    help = 'Group lines {"id", "kind": "error" or "text", "text"} and print {"id", "group"}; nothing is stored.'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="JSON lines; - for standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        known: Model | None = None
        try:
            known = model() if settings.COUNTERSIGN_MEANING else None
        except ModelMissing as why:
            self.stderr.write(f"The sentence model is missing ({why}): texts are grouped by their words alone.")
        for name, number in group(_items(options["file"]), model=known):
            self.stdout.write(json.dumps({"id": name, "group": number}, ensure_ascii=False))


def _items(path: str) -> Iterator[tuple[str, Literal["error", "text"], str]]:
    try:
        with nullcontext(sys.stdin) if path == "-" else Path(path).open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _item(line, number)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from None


def _item(line: str, number: int) -> tuple[str, Literal["error", "text"], str]:
    try:
        given = json.loads(line)
        kind, text = given["kind"], given["text"]
        if kind not in ("error", "text") or not isinstance(text, str):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise CommandError(f'Line {number} should be {{"id", "kind": "error" or "text", "text"}}.') from None
    return given.get("id", number), kind, text
