"""The log, or what fits some filters, for other programs and other people. Every export leaves an entry.

A line of JSON holds the fact as it is stored, byte for byte, so that its hash can be computed from the line.
"""

import csv
import io
import json
import shutil
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.core.cache import cache
from django.db import transaction

from audit import checkpoints, signing
from audit.exceptions import CannotSign, LogDamaged
from audit.models import AuditEntry, AuditEntryQuerySet, ChainHead, Checkpoint
from audit.record import Actor, record

STANDALONE: Final = Path(__file__).parent / "standalone" / "verify_export.py"
COLUMNS: Final = (
    "sequence",
    "at",
    "actor_kind",
    "actor_id",
    "actor_label",
    "verb",
    "target_kind",
    "target_id",
    "target_label",
    "agent",
    "document",
    "proposal",
    "before",
    "after",
    "request_id",
    "hash",
)
READING: Final = timedelta(hours=1)
_AT_A_TIME: Final = 5_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BYTE_ORDER_MARK: Final = "\ufeff"


@transaction.atomic
def begin(actor: Actor, *, form: str, filters: dict[str, Any]) -> int:
    """Put the export itself on the log; returns the number of the last entry it is about.

    `form` is how it goes out: "jsonl", "csv" or "bundle".
    """
    head = ChainHead.objects.first() or ChainHead(pk=1, sequence=0)
    record("log.exported", actor=actor, target=head, after={"form": form, "filters": filters})
    return head.sequence


def note_reading(actor: Actor) -> None:
    """Put it on the log that a program reads the log; once in READING, or each page of it would make it longer."""
    if cache.add(f"audit.reading:{actor.id}", "y", READING.total_seconds()):
        with transaction.atomic():
            record("log.read", actor=actor, target=ChainHead.objects.first() or ChainHead(pk=1, sequence=0))


def in_batches(entries: AuditEntryQuerySet, last: int) -> Iterator[list[AuditEntry]]:
    """Oldest first, some thousand numbers at a time: no cursor stays open while somebody reads slowly."""
    for start in range(1, last + 1, _AT_A_TIME):
        stop = min(start + _AT_A_TIME - 1, last)
        yield list(entries.filter(sequence__gte=start, sequence__lte=stop).in_order())


def json_lines(entries: AuditEntryQuerySet, last: int) -> Iterator[bytes]:
    """One entry a line."""
    for batch in in_batches(entries, last):
        yield b"".join(map(json_line, batch))


def json_line(entry: AuditEntry) -> bytes:
    """One entry with its hashes. A fact that would break the line, which no honest entry holds, is quoted."""
    fact = json.dumps(entry.body) if "\n" in entry.body else entry.body
    hashes = bytes(entry.previous_hash or b"").hex(), bytes(entry.hash or b"").hex()
    return (
        f'{{"sequence":{entry.sequence},"previous_hash":"{hashes[0]}","hash":"{hashes[1]}","fact":{fact}}}\n'.encode()
    )


def csv_lines(entries: AuditEntryQuerySet, last: int) -> Iterator[bytes]:
    """For spreadsheets: a mark that says UTF-8, a row of names, and nothing that a spreadsheet would run."""
    yield _rows([COLUMNS], _BYTE_ORDER_MARK)
    for batch in in_batches(entries, last):
        yield _rows(map(_cells, batch))


def _rows(rows: Iterable[Iterable[object]], before: str = "") -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([_harmless(cell) for cell in row] for row in rows)
    return (before + written.getvalue()).encode()


def _harmless(cell: object) -> object:
    """A text that a spreadsheet takes for a formula gets an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _cells(entry: AuditEntry) -> list[object]:
    fact = entry.fact
    own = {
        "sequence": entry.sequence,
        "hash": bytes(entry.hash or b"").hex(),
        "before": _spelled(fact.get("before")),
        "after": _spelled(fact.get("after")),
    }
    return [own[name] if name in own else fact.get(name, "") for name in COLUMNS]


def _spelled(facts: object) -> str:
    return json.dumps(facts, ensure_ascii=False, sort_keys=True) if facts else ""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was written: the number of entries, and why the checkpoint is an older one, if it is."""

    entries: int
    trouble: str


def write_bundle(folder: Path, actor: Actor) -> Bundle:
    """Everything an outsider needs to check the log: entries, a checkpoint made now, public keys, the program.

    A log that is not sound goes out as well, with the last checkpoint there is: the program will name the entry.
    Raises OSError, also when the folder holds something already; CannotSign when there is no checkpoint at all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(17, "it is not empty", str(folder))
    begin(actor, form="bundle", filters={})
    made, trouble = checkpoint_now(actor)
    head = ChainHead.objects.get()
    with open(folder / "entries.jsonl", "wb") as file:
        file.writelines(json_lines(AuditEntry.objects.all(), head.sequence))
    (folder / "checkpoint.txt").write_text(made.note, encoding="utf-8")
    (folder / "keys.txt").write_text(keys_text(), encoding="utf-8")
    shutil.copyfile(STANDALONE, folder / STANDALONE.name)
    return Bundle(head.sequence, trouble)


def checkpoint_now(actor: Actor) -> tuple[Checkpoint, str]:
    """A checkpoint of the log as it is, or the last one and why there is none newer. Raises CannotSign for none."""
    try:
        return checkpoints.make(actor), ""
    except (CannotSign, LogDamaged) as refusal:
        last = checkpoints.newest()
        if last is None:
            raise CannotSign(str(refusal)) from None
        return last, str(refusal)


def keys_text() -> str:
    """All public keys of the log, one a line, oldest first."""
    return "".join(f"{key.text}\n" for key in signing.public_keys())


def proof_text(entry: AuditEntry, checkpoint: Checkpoint) -> str:
    """The entry and its way to the root of a checkpoint (c2sp.org/tlog-proof). Raises NotCovered."""
    path = checkpoints.inclusion_path(entry.sequence or 0, checkpoint)
    steps = "".join(f"{b64encode(step).decode()}\n" for step in path)
    whole = b64encode(json_line(entry)).decode()
    return f"c2sp.org/tlog-proof@v1\nextra {whole}\nindex {(entry.sequence or 0) - 1}\n{steps}\n{checkpoint.note}"
