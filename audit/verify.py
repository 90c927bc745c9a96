"""Walk the stored log, and compare it with every checkpoint there is of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from typing import Final

import structlog
from django.db import connection, transaction

from audit import handing_out, signing
from audit.chain import GENESIS, Fault
from audit.models import ChainHead, Checkpoint, Tile, Verification
from audit.notes import BadNote, PublicKey, opened
from audit.notes import Checkpoint as Statement
from audit.rows import stored_rows
from audit.walk import Kept, Walk, walk

log = structlog.get_logger()

ALSO: Final[list[Callable[[int], Fault | None]]] = []
"""What those who build on the log compare with it where it is sound: the first of so many entries that is not true."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the walk found: the number of sound entries, the hash of the last one, the root over them, the first fault
    if any, and how many checkpoints fit.
    """

    entries: int
    head: bytes
    root: bytes
    fault: Fault | None
    checkpoints: int


@dataclass(frozen=True, slots=True)
class Outside:
    """Checkpoints from outside the database, as (name, text), and the keys to believe; none: those the log knows.

    `folder`: whether those filed in our folder count, too.
    """

    notes: list[tuple[str, str]] = field(default_factory=list)
    keys: list[PublicKey] = field(default_factory=list)
    folder: bool = True


def verify(outside: Outside | None = None) -> Verdict:
    """Check every entry and the head; memory does not grow with the log, and writers are not held up.

    Compares with the checkpoints kept in the database, those in the folder, and those handed in. Raises BadNote when
    one handed in is not a checkpoint that a known key signed.
    """
    with transaction.atomic():
        _look_at_one_moment()
        known = signing.public_keys()
        given = [_given(name, note, outside.keys or known) for name, note in outside.notes] if outside else []
        counts = outside is None or outside.folder
        filed = [_filed(name, size, note, known) for name, size, note in handing_out.filed()] if counts else []
        kept = merge(_kept(known), sorted([*filed, *given], key=_size), key=_size)
        found = walk(stored_rows(), kept=kept, tiles=_tiles())
        head = ChainHead.objects.first() or ChainHead(sequence=0, hash=GENESIS)
        fault = found.fault or head_fault(found, head)
        if fault is None and (fault := _untrue(found.entries)):
            found.entries = fault.sequence - 1
    return Verdict(found.entries, found.head, found.root, fault, found.fitting)


def verify_and_tell(asked_by: str, outside: Outside | None = None) -> Verdict:
    """The same, and what was found is kept, for the page of the log to show."""
    verdict = verify(outside)
    Verification.objects.create(
        asked_by=asked_by[:200],
        entries=verdict.entries,
        checkpoints=verdict.checkpoints,
        fault_at=verdict.fault.sequence if verdict.fault else None,
        fault=verdict.fault.problem if verdict.fault else "",
    )
    return verdict


def verify_nightly() -> None:
    """What the scheduler asks for. A fault goes to the server's log as well, where monitoring sees it."""
    verdict = verify_and_tell("the nightly check")
    if verdict.fault:
        log.error("audit_log_damaged", entry=verdict.fault.sequence, problem=verdict.fault.problem)


def _look_at_one_moment() -> None:
    """Entries, head and checkpoints as they were at one moment, though others write meanwhile."""
    if len(connection.savepoint_ids) == 0:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def head_fault(found: Walk, head: ChainHead) -> Fault | None:
    """Whether a walk without fault ended where the log should end."""
    if found.entries < head.sequence:
        missing = found.entries + 1
        return Fault(missing, f"entries {missing} to {head.sequence} are missing from the end")
    if found.entries > head.sequence:
        return Fault(head.sequence + 1, "the entry lies beyond the head of the chain")
    if found.head != bytes(head.hash):
        return Fault(head.sequence, "the head of the chain does not belong to this entry")
    return None


def _untrue(entries: int) -> Fault | None:
    return next((fault for compare in ALSO if (fault := compare(entries))), None)


def _size(one: Kept) -> int:
    return one.size


def _tiles() -> Iterator[bytes]:
    leaves = Tile.objects.filter(level=0).order_by("number").values_list("leaves", flat=True)
    return (bytes(joined) for joined in leaves.iterator(chunk_size=50))


def _kept(keys: list[PublicKey]) -> Iterator[Kept]:
    for one in Checkpoint.objects.order_by("size").iterator(chunk_size=50):
        problem = _problem(one, keys)
        yield Kept(one.size, bytes(one.root), str(one), bytes(one.leaves), problem=problem)


def _problem(one: Checkpoint, keys: list[PublicKey]) -> str:
    try:
        statement = _opened(one.note, keys)
    except BadNote as error:
        return str(error)
    agrees = (statement.size, statement.root) == (one.size, bytes(one.root))
    return "" if agrees else "its columns differ from what was signed"


def _filed(name: str, size: int, note: str, keys: list[PublicKey]) -> Kept:
    """One in our folder, which others may have written to: what cannot be read there is a fault, not a mistake."""
    try:
        statement = _opened(note, keys)
    except BadNote as error:
        return Kept(size, b"", name, outside=True, problem=str(error))
    return Kept(statement.size, statement.root, name, outside=True)


def _given(name: str, note: str, keys: Iterable[PublicKey]) -> Kept:
    try:
        statement = _opened(note, list(keys))
    except BadNote as error:
        raise BadNote(f"{name} cannot be trusted: {error}") from None
    return Kept(statement.size, statement.root, name, outside=True)


def _opened(note: str, keys: list[PublicKey]) -> Statement:
    """Signed by one of these keys, and of the log that key is for."""
    text, signers = opened(note, keys)
    statement = Statement.parse(text)
    if statement.origin not in {key.name for key in signers}:
        raise BadNote("it is of another log than the key that signed it")
    return statement
