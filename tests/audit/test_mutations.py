"""Ten thousand logs, each tampered with in one way: all are found out, and the first bad entry is named."""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from audit.chain import GENESIS, Row, canonical, entry_hash
from audit.merkle import Tree, leaf_hash
from audit.standalone import verify_export
from audit.walk import Kept, Walk, walk

ENTRIES, WIDTH, CHECKPOINTS = 45, 8, (20, 45)
BODIES = [canonical({"verb": "thing.changed", "number": number, "text": "ü€😀"}) for number in range(1, ENTRIES + 1)]

Tampered = tuple[list[Row], int]
"""Rows, and the number of the first bad entry."""


def chained(bodies: list[str], previous: bytes = GENESIS, number: int = 1) -> list[Row]:
    rows: list[Row] = []
    for n, body in enumerate(bodies, number):
        rows.append((n, body, previous, entry_hash(previous, n, body)))
        previous = rows[-1][3]
    return rows


LOG = chained(BODIES)


def numbered(rows: list[Row], number: int) -> list[Row]:
    return [(n, *row[1:]) for n, row in enumerate(rows, number)]


class Tampering:
    """Ways to tamper at entry `at`; those called …_anew make all hashes after it right again."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.at = random.randint(1, ENTRIES)
        self.forged = canonical({"verb": "thing.forged", "number": random.random()})
        self.before, self.row, self.after = LOG[: self.at - 1], LOG[self.at - 1], LOG[self.at :]

    def flip_a_bit(self) -> Tampered:
        body, place = self.row[1], self.random.randrange(len(self.row[1]))
        flipped = body[:place] + chr(ord(body[place]) ^ 1) + body[place + 1 :]
        return [*self.before, (self.at, flipped, *self.row[2:]), *self.after], self.at

    def change(self) -> Tampered:
        return [*self.before, (self.at, self.forged, *self.row[2:]), *self.after], self.at

    def change_with_its_hash(self) -> Tampered:
        return [*self.before, *chained([self.forged], self.row[2], self.at), *self.after], self.at

    def change_anew(self) -> Tampered:
        return [*self.before, *chained([self.forged, *BODIES[self.at :]], self.row[2], self.at)], self.at

    def change_the_hash(self) -> Tampered:
        return [*self.before, (*self.row[:3], self.random.randbytes(32)), *self.after], self.at

    def change_the_hash_before(self) -> Tampered:
        return [*self.before, *chained([self.row[1]], self.random.randbytes(32), self.at), *self.after], self.at

    def delete(self) -> Tampered:
        return [*self.before, *self.after], self.at

    def delete_and_number(self) -> Tampered:
        return [*self.before, *numbered(self.after, self.at)], self.at

    def delete_anew(self) -> Tampered:
        return [*self.before, *chained(BODIES[self.at :], self.row[2], self.at)], self.at

    def insert(self) -> Tampered:
        put_in = chained([self.forged], self.row[2], self.at)
        return [*self.before, *put_in, *numbered([self.row, *self.after], self.at + 1)], self.at

    def insert_twice_the_number(self) -> Tampered:
        return [*self.before, self.row, *chained([self.forged], self.row[2], self.at), *self.after], self.at

    def insert_anew(self) -> Tampered:
        return [*self.before, *chained([self.forged, *BODIES[self.at - 1 :]], self.row[2], self.at)], self.at

    def reorder(self) -> Tampered:
        one, other = sorted(self.random.sample(range(ENTRIES), 2))
        rows = list(LOG)
        rows[one], rows[other] = rows[other], rows[one]
        return rows, one + 1

    def reorder_and_number(self) -> Tampered:
        rows, first = self.reorder()
        return numbered(rows, 1), first

    def truncate(self) -> Tampered:
        return list(self.before), self.at

    def fork(self) -> Tampered:
        """From some entry on the continuation of another log that is as sound as this."""
        joined = self.random.randint(self.at, ENTRIES)
        return LOG[: joined - 1] + self._other()[joined - 1 :], joined

    def fork_and_come_back(self) -> Tampered:
        joined = self.random.randint(self.at, ENTRIES)
        return self._other()[:joined] + LOG[joined:], self.at

    def _other(self) -> list[Row]:
        other = [canonical({"verb": "thing.forked", "number": number}) for number in range(self.at, ENTRIES + 1)]
        return [*self.before, *chained(other, self.row[2], self.at)]


WAYS: list[Callable[[Tampering], Tampered]] = [way for name, way in vars(Tampering).items() if name[0] != "_"]
ANEW = {"change_anew", "delete_anew", "insert_anew", "truncate"}
JOINED = {"fork", "fork_and_come_back"}
LATER = {"fork_and_come_back", "delete_anew"}
"""Where a root alone tells that something is wrong, but shows it only further on."""


def kept_of(rows: list[Row], *, outside: bool = False) -> tuple[list[Kept], list[bytes]]:
    """What checkpoints leave behind: in the database with the leaves, outside the root alone."""
    tree, kept, tiles = Tree(WIDTH), list[Kept](), list[bytes]()
    for number, row in enumerate(rows, 1):
        tiles += [b"".join(tile.nodes) for tile in tree.add([leaf_hash(row[3])]) if tile.level == 0]
        if number in CHECKPOINTS:
            leaves = b"" if outside else b"".join(tree.levels[0])
            kept.append(Kept(number, tree.root(), f"the checkpoint of {number}", leaves, outside=outside))
    return kept, tiles


KEPT, TILES = kept_of(LOG)
OUTSIDE, _ = kept_of(LOG, outside=True)


def found(rows: list[Row], kept: list[Kept], tiles: list[bytes]) -> Walk:
    return walk(rows, kept=kept, tiles=tiles, found=Walk(tree=Tree(WIDTH)))


def tamperings(count: int, seed: int) -> Iterator[tuple[str, list[Row], int]]:
    random = Random(seed)
    for number in range(count):
        way = WAYS[number % len(WAYS)]
        rows, first = way(Tampering(random))
        yield way.__name__, rows, first


def test_an_untouched_log_is_sound() -> None:
    for kept, tiles in ((KEPT, TILES), (OUTSIDE, []), ([], [])):
        walked = found(LOG, kept, tiles)
        assert (walked.fault, walked.entries, walked.fitting) == (None, ENTRIES, len(kept))


def test_of_ten_thousand_tamperings_each_is_found_and_its_first_entry_named() -> None:
    missed = [
        (way, first, walked.fault)
        for way, rows, first in tamperings(10_000, seed=1)
        if (walked := found(rows, KEPT, TILES)).fault is None
        or walked.fault.sequence != first
        or walked.entries != first - 1
    ]
    assert missed == []


def test_against_a_root_kept_outside_all_are_found_and_none_before_the_last_checkpoint_that_fits() -> None:
    for way, rows, first in tamperings(2_000, seed=2):
        fault = found(rows, OUTSIDE, []).fault
        assert fault is not None, way
        last_fit = max((size for size in CHECKPOINTS if size < first), default=0)
        assert last_fit < fault.sequence, (way, first, fault)
        assert fault.sequence <= first or way in LATER, (way, first, fault)


def test_the_chain_alone_names_what_did_not_make_all_hashes_anew() -> None:
    for way, rows, first in tamperings(2_000, seed=3):
        fault = found(rows, [], []).fault
        if way in ANEW or (way in JOINED and fault is None) or first == ENTRIES:
            continue  # sound in itself, or of the last entry: only a checkpoint can tell
        assert fault is not None, (way, first)
        if way not in JOINED:  # where two sound halves meet, the chain cannot tell which is the true one
            assert abs(fault.sequence - first) <= (way == "change_the_hash_before"), (way, first, fault)


def test_the_program_for_outsiders_finds_them_too() -> None:
    for way, rows, first in tamperings(2_000, seed=4):
        lines = [line_of(row) for row in rows]
        roots = [(one.size, one.root, one.name) for one in OUTSIDE]
        with pytest.raises(verify_export.Unsound) as bad:
            verify_export.check_entries(lines, roots)
        named = int(str(bad.value).split()[1])
        last_fit = max((size for size in CHECKPOINTS if size < first), default=0)
        assert last_fit < named, (way, first, str(bad.value))
        assert named <= first or way in LATER, (way, first, str(bad.value))
        with pytest.raises(verify_export.Unsound) as bad:
            verify_export.check_entries(lines, [], [line_of(row) for row in LOG])
        assert str(bad.value).startswith(f"Entry {first} is bad"), (way, first, str(bad.value))


def line_of(row: Row) -> bytes:
    hashes = row[2].hex(), row[3].hex()
    return f'{{"sequence":{row[0]},"previous_hash":"{hashes[0]}","hash":"{hashes[1]}","fact":{row[1]}}}\n'.encode()
