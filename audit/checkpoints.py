"""Making checkpoints: what came since the last one is checked, taken into the tree, and the root over it all signed.

Nothing of this happens while entries are written, and those who write are not held up by it. What a checkpoint costs
grows with the entries since the last one, not with the log.
"""

from collections.abc import Iterator
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import signing
from audit.chain import GENESIS, Row
from audit.exceptions import CannotSign, LogDamaged, NotCovered
from audit.handing_out import hand_out, try_to_file
from audit.merkle import WIDTH, Tree, path_to_root
from audit.models import AuditEntry, ChainHead, Checkpoint, SigningKey, Tile, Verification
from audit.notes import Checkpoint as Statement
from audit.notes import PrivateKey, signed_note
from audit.record import SYSTEM, Actor
from audit.rows import stored_rows
from audit.verify import head_fault
from audit.walk import Kept, Walk, walk

log = structlog.get_logger()


def make(actor: Actor, *, also: PrivateKey | None = None) -> Checkpoint:
    """The checkpoint of the log as it is now; the last one again if nothing came since.

    `also` signs it too, besides the key in use. Raises CannotSign, and LogDamaged when what is new is not sound or does
    not continue what was signed before; then a verification is left behind that says so.
    """
    key = signing.signer(actor)
    try:
        return _make([key, *([also] if also else [])], actor)
    except LogDamaged as damage:
        _leave_word(damage, actor)
        raise


def rotate(actor: Actor) -> Checkpoint:
    """Take another signing key into use. The checkpoint returned is signed by the old one, if it is here, and the new,
    and covers the entry that names the new: so who trusts the old can trust the new. Raises CannotSign, LogDamaged.
    """
    _, old = signing.rotate(actor)
    return make(actor, also=old)


def make_due() -> Checkpoint | None:
    """Make one if the last is old enough and something came since; then hand out what was not yet. May run twice."""
    last, head = newest(), ChainHead.objects.first()
    fresh = timedelta(seconds=settings.COUNTERSIGN_CHECKPOINT_EVERY_S)
    is_due = head and (last is None or (head.sequence != last.size and timezone.now() - last.made_at >= fresh))
    made = None
    if is_due:
        try:
            made = make(SYSTEM)
        except (CannotSign, LogDamaged) as refusal:
            log.error("no_checkpoint", reason=str(refusal))
    hand_out()
    return made


def newest() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-size").first()


def inclusion_path(sequence: int, checkpoint: Checkpoint) -> list[bytes]:
    """The way from an entry to the root of a checkpoint that covers it, leaf first. Looks at a few tiles only."""

    def nodes(level: int, start: int, stop: int) -> list[bytes]:
        return _leaves(start, stop, checkpoint) if level == 0 else _roots(level - 1, start, stop)

    if not 0 < sequence <= checkpoint.size:
        raise NotCovered(f"No way leads from entry {sequence} to {checkpoint}.")
    return path_to_root(sequence - 1, checkpoint.size, nodes)


def covering(sequence: int, size: int | None = None) -> Checkpoint | None:
    """The newest checkpoint that covers an entry, or the one of just so many entries."""
    found = Checkpoint.objects.filter(size__gte=sequence)
    return (found.filter(size=size) if size is not None else found).order_by("-size").first()


@transaction.atomic
def _make(keys: list[PrivateKey], actor: Actor) -> Checkpoint:
    # One at a time; those who write entries never take this lock.
    in_use = SigningKey.objects.select_for_update(no_key=True).filter(text=keys[0].public.text, retired_at=None)
    if in_use.first() is None:
        raise CannotSign("The signing key was replaced just now. Try again.")
    last, head = newest(), ChainHead.objects.first()
    if head is None:
        raise CannotSign("There is nothing on the log yet.")
    if last and last.size == head.sequence:
        return last
    found = _since(last, head.sequence)
    fault = found.fault or head_fault(found, head)
    if fault:
        raise LogDamaged(fault)
    Tile.objects.bulk_create(
        (
            Tile(
                level=tile.level,
                number=tile.number,
                root=tile.root,
                leaves=b"" if tile.level else b"".join(tile.nodes),
            )
            for tile in found.tiles
        ),
        batch_size=500,
    )
    statement = Statement(keys[0].name, found.entries, found.root)
    made = Checkpoint.objects.create(
        size=found.entries,
        root=statement.root,
        leaves=b"".join(found.tree.levels[0]),
        note=signed_note(statement.text, keys),
        asked_by=actor.label[:200],
    )
    transaction.on_commit(lambda: try_to_file(made), robust=True)
    return made


def _since(last: Checkpoint | None, size: int) -> Walk:
    """Walk from the last full tile before the last checkpoint up to the entry `size`."""
    begun = last.size // WIDTH * WIDTH if last else 0
    tree = Tree(levels=[[], *_right_edge(begun // WIDTH)], size=begun)
    kept = [Kept(last.size, bytes(last.root), str(last), bytes(last.leaves))] if last else []
    found = Walk(entries=begun, head=_hash_of(begun), tree=tree)
    return walk(_entries(begun, size), kept=kept, found=found, gather=True)


def _entries(after: int, last: int) -> Iterator[Row]:
    return stored_rows("WHERE sequence > %s AND sequence <= %s", [after, last])


def _hash_of(sequence: int) -> bytes:
    if not sequence:
        return GENESIS
    found = AuditEntry.objects.filter(sequence=sequence).values_list("hash", flat=True).first()
    return bytes(found or b"")


def _right_edge(tiles: int) -> list[list[bytes]]:
    """What a tree over so many full tiles of leaves remembers, from level 1 up."""
    levels, level = [], 0
    while tiles:
        levels.append(_roots(level, tiles // WIDTH * WIDTH, tiles))
        tiles, level = tiles // WIDTH, level + 1
    return levels


def _roots(level: int, start: int, stop: int) -> list[bytes]:
    found = Tile.objects.filter(level=level, number__gte=start, number__lt=stop).order_by("number")
    return [bytes(root) for root in found.values_list("root", flat=True)]


def _leaves(start: int, stop: int, checkpoint: Checkpoint) -> list[bytes]:
    """Leaves of one tile: of a full one as kept, of the last one as the checkpoint has them."""
    if stop - start == WIDTH:
        joined = bytes(Tile.objects.values_list("leaves", flat=True).get(level=0, number=start // WIDTH))
    else:
        joined = bytes(checkpoint.leaves)
    return [joined[place : place + 32] for place in range(0, len(joined), 32)]


def _leave_word(damage: LogDamaged, actor: Actor) -> None:
    """Once for each fault, however often it is met."""
    last, fault = Verification.objects.order_by("-pk").first(), damage.fault
    if last is None or (last.fault_at, last.fault) != (fault.sequence, fault.problem):
        Verification.objects.create(
            asked_by=actor.label[:200],
            entries=max(0, fault.sequence - 1),
            checkpoints=0,
            fault_at=fault.sequence,
            fault=fault.problem,
        )
