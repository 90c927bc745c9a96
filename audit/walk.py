"""One walk along the log that checks everything there is to check it against, as pure functions.

The chain shows what was changed without changing all that follows. Leaves and roots that were kept when checkpoints
were made show the rest: a log that was rewritten from some entry on and is sound in itself. Kept leaves name that
entry; a root alone tells between which checkpoints it lies.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from audit.chain import EXCHANGED, GENESIS, Fault, Row, faults
from audit.merkle import HASH_SIZE, Tile, Tree, leaf_hash

REPLACED: Final = "it is not the entry that stood here when a checkpoint was made"


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint to check against. `leaves` are those after the last full tile, joined, where they are known.

    `outside` says that it lies outside the database, so that whoever rewrote the one may not have had the other.
    `problem` says why the checkpoint itself cannot be trusted; empty if it can.
    """

    size: int
    root: bytes
    name: str
    leaves: bytes = b""
    outside: bool = False
    problem: str = ""


@dataclass(slots=True)
class Walk:
    """What was found: the number of sound entries, the hash of the last, the first fault if any; how many checkpoints
    fit; the tree over the entries, and the tiles that became full (where they were asked for).
    """

    entries: int = 0
    head: bytes = GENESIS
    fault: Fault | None = None
    fitting: int = 0
    tree: Tree = field(default_factory=Tree)
    tiles: list[Tile] = field(default_factory=list)

    @property
    def root(self) -> bytes:
        return self.tree.root()


def walk(
    rows: Iterable[Row],
    *,
    kept: Iterable[Kept] = (),
    tiles: Iterable[bytes] = (),
    found: Walk | None = None,
    gather: bool = False,
) -> Walk:
    """Check entries in their order, streaming; memory does not grow with the log.

    `kept` comes smallest first; `tiles` are the joined leaves of full tiles, from the first one on that the walk meets.
    To go on where an earlier walk ended at the end of a tile, hand that in as `found`. `gather` keeps full tiles.
    """
    return _Walker(found or Walk(), iter(kept), iter(tiles), gather).run(rows)


class _Walker:
    """The state of one walk."""

    def __init__(self, found: Walk, kept: Iterator[Kept], tiles: Iterator[bytes], gather: bool) -> None:
        self.found, self.kept, self.tiles, self.gather = found, kept, tiles, gather
        self.width = found.tree.width
        self.leaves: list[bytes] = []  # those not yet in the tree
        self.tile: bytes | None = next(tiles, None)
        self.waiting: Kept | None = next(kept, None)
        self.fits_outside = self.fits = found.entries
        self.confirmed = 0  # the last entry known to be what it was when a checkpoint was made

    def run(self, rows: Iterable[Row]) -> Walk:
        found = self.found
        stop = self._next_stop()
        for step in faults(rows, found.head, found.entries + 1):
            if isinstance(step, Fault):
                found.fault = self._sharper(step)
                break
            found.entries, found.head = found.entries + 1, step
            self.leaves.append(leaf_hash(step))
            if found.entries == stop:
                found.fault = self._settle()
                if found.fault:
                    break
                stop = self._next_stop()
        else:
            found.fault = self._beyond_the_end()
            self._take_in()
        if found.fault:
            found.entries = min(found.entries, found.fault.sequence - 1)
        return found

    def _next_stop(self) -> int:
        """Where the next tile ends, or a checkpoint was made before that."""
        tile_ends = (self.found.entries // self.width + 1) * self.width
        return min(tile_ends, self.waiting.size) if self.waiting and self.waiting.size else tile_ends

    def _settle(self) -> Fault | None:
        """At the end of a tile or at a checkpoint: compare what was kept with what is there."""
        present = b"".join([*self.found.tree.levels[0], *self.leaves])
        full = len(present) == self.width * HASH_SIZE
        if full and self.tile is not None:
            fault = self._replaced(present, self.tile)
            if fault:
                return fault
            self.confirmed, self.tile = self.found.entries, next(self.tiles, None)
        self._take_in()
        while self.waiting and self.waiting.size == self.found.entries:
            fault = self._compare(self.waiting, b"" if full else present)
            if fault:
                return fault
            self.waiting = next(self.kept, None)
        return None

    def _take_in(self) -> None:
        tiles = self.found.tree.add(self.leaves)
        self.leaves = []
        if self.gather:
            self.found.tiles += tiles

    def _compare(self, kept: Kept, present: bytes) -> Fault | None:
        if kept.problem:
            return self._untrusted(kept)
        fault = self._replaced(present, kept.leaves) if kept.leaves else None
        if fault:
            return fault
        if kept.root == self.found.root:
            self._note_fit(kept)
            return None
        since = self.fits_outside if kept.outside else max(self.fits, self.fits_outside)
        where = f"entries {since + 1} to {kept.size} are" if since + 1 < kept.size else f"entry {kept.size} is"
        return Fault(since + 1, f"{where} not what {kept.name} was made from")

    def _untrusted(self, kept: Kept) -> Fault:
        return Fault(max(1, self.found.entries), f"{kept.name} cannot be trusted: {kept.problem}")

    def _note_fit(self, kept: Kept) -> None:
        self.found.fitting += kept.size != self.fits  # kept in two places it is still one
        self.fits = self.confirmed = kept.size
        if kept.outside:
            self.fits_outside = kept.size

    def _replaced(self, present: bytes, expected: bytes) -> Fault | None:
        """The first leaf of the present tile that differs from the kept one; those kept may be fewer."""
        if present.startswith(expected):
            return None
        start = (self.found.entries - 1) // self.width * self.width
        pairs = zip_longest(_cut(present), _cut(expected))
        return next(Fault(start + n, REPLACED) for n, (one, other) in enumerate(pairs, 1) if one != other)

    def _sharper(self, fault: Fault) -> Fault:
        """The walk ended in the middle of a tile: what was kept of that tile may know better where it went wrong."""
        present = [*self.found.tree.levels[0], *self.leaves]
        expected = _cut(self._kept_of_this_tile())
        start = self.found.entries - len(present)
        for number, (one, other) in enumerate(zip(present, expected, strict=False), start + 1):
            if one != other:
                return Fault(number, REPLACED)
        if len(expected) >= len(present) > 0:
            self.confirmed = self.found.entries
        if fault.problem == EXCHANGED and fault.sequence <= self.confirmed:
            return Fault(fault.sequence + 1, "it does not continue the entry before it")
        return fault

    def _kept_of_this_tile(self) -> bytes:
        """Leaves kept of the tile the walk is in: the full tile, or the most that a checkpoint in it has."""
        if self.tile is not None:
            return self.tile
        index, most = self.found.entries // self.width, b""
        while self.waiting and self.waiting.size // self.width == index:
            most = max(most, self.waiting.leaves, key=len)
            self.waiting = next(self.kept, None)
        return most

    def _beyond_the_end(self) -> Fault | None:
        """A checkpoint that was made of more entries than there are."""
        if self.waiting is None or self.waiting.size <= self.found.entries:
            return None
        if self.waiting.problem:
            return self._untrusted(self.waiting)
        missing, last = self.found.entries + 1, self.waiting.size
        many = f"entries {missing} to {last} are" if last > missing else f"entry {missing} is"
        return self._sharper(Fault(missing, f"{many} missing from the end: {self.waiting.name} was made of {last}"))


def _cut(joined: bytes) -> Sequence[bytes]:
    return [joined[place : place + HASH_SIZE] for place in range(0, len(joined), HASH_SIZE)]
