"""Walk the stored chain."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit.chain import GENESIS, Fault, Link, faults
from audit.models import AuditEntry, ChainHead

_COLUMNS = (
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
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the walk found: the number of sound entries, the hash of the last one, and the first fault if any."""

    entries: int
    head: bytes
    fault: Fault | None


def verify() -> Verdict:
    """Check every entry and the head, streaming: memory does not grow with the log, writers are not held up."""
    before = _head()
    count, last, seen = 0, GENESIS, GENESIS
    for step in faults(_links()):
        if isinstance(step, Fault):
            return Verdict(count, last, step)
        count, last = count + 1, step.hash
        if count == before.sequence:
            seen = last
    return Verdict(count, last, _head_fault(before, _head(), count, seen))


def _head() -> ChainHead:
    return ChainHead.objects.first() or ChainHead(sequence=0, hash=GENESIS)


def _head_fault(before: ChainHead, after: ChainHead, count: int, seen: bytes) -> Fault | None:
    """The log may have grown during the walk, so it must reach the head of its start and not pass that of its end."""
    if count < before.sequence:
        return Fault(count + 1, f"entries {count + 1} to {before.sequence} are missing from the end")
    if count > after.sequence:
        return Fault(after.sequence + 1, "the entry lies beyond the head of the chain")
    if bytes(before.hash) != seen:
        return Fault(before.sequence, "the head of the chain does not belong to this entry")
    return None


def _links() -> Iterator[Link]:
    rows = AuditEntry.objects.order_by("sequence").values("sequence", "body", "previous_hash", "hash", "at", *_COLUMNS)
    for row in rows.iterator(chunk_size=2000):
        columns = {name: row[name] for name in _COLUMNS}
        columns["at"] = row["at"].isoformat(timespec="microseconds")
        hashes = bytes(row["previous_hash"] or b""), bytes(row["hash"] or b"")
        yield Link(row["sequence"], row["body"], *hashes, columns)
