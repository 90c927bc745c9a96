"""What the miner takes and gives. Whoever stores patterns knows this file and nothing behind it."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol


class Kind(StrEnum):
    COMPLAINT = "complaint"
    CORRECTION = "correction"
    ERROR = "error"
    MISLABEL = "mislabel"
    SUCCESS = "success"


EXACT_KINDS = frozenset({Kind.ERROR, Kind.MISLABEL})
"""Kinds whose groups are found by equal signature; the others are found by nearest centroid."""

MAX_SIGNATURE = 500
"""Longest signature in characters, short enough for a unique index."""


@dataclass(frozen=True, slots=True)
class Item:
    """One report to be grouped.

    `text` is the reason, the correction, or the error message. A correction also has `output`, what the
    agent had said; a mislabel has `predicted` and `expected` and no text. `point` is what the sentence model makes of
    it (see meaning.point_of); an item without one is grouped by its words. `at` is when it came, in seconds since 1970;
    0 where nobody knows.
    """

    key: int
    kind: Kind
    text: str
    output: str = ""
    predicted: str = ""
    expected: str = ""
    point: bytes = b""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """One group as it is stored.

    `signature` is empty for text kinds, `centroid` is empty for exact kinds; `meaning` is the sum of its items' points,
    empty without any. `size` counts the items ever put into it. A group the store does not know yet has a negative key:
    -1, -2, … in order of creation. One that is `kept` was formed or judged by people and goes into no other by itself.
    `grown` tells which of the groups of a text kind grew later than others: those that did not for long grow no more,
    but for what is `pinned`, because people or a proposal said something of it. `first` and `last` are when its first
    and its last item came, as in Item.
    """

    key: int
    kind: Kind
    signature: str
    centroid: bytes
    size: int
    meaning: bytes = b""
    kept: bool = False
    grown: int = 0
    pinned: bool = False
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Middle:
    """Where the texts of one agent and kind lie on average, found when there were so many of them.

    `place` has a little-endian 32-bit whole number for each dimension, and is found anew when the texts have doubled.
    `first` and `last` are when the first and the last of all texts so far came, as in Item.
    """

    place: bytes
    texts: int
    first: int = 0
    last: int = 0


NO_MIDDLES: Mapping[Kind, Middle] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where one item went; `group` is None for an item that says nothing to group by.

    `similarity` is the cosine to the centroid before the item joined it by its words, the probability that it belonged
    there by its meaning, 1.0 for exact kinds and for the first item of a group. `threshold` is what the similarity had
    to reach.
    """

    item: int
    group: int | None
    similarity: float
    threshold: float = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """One assignment per item, in the order given, and every group that is new or has changed.

    `merged` are known groups that are no more, each with the group that has its items now; `middles` those that moved.
    """

    assignments: tuple[Assignment, ...]
    groups: tuple[Group, ...]
    merged: tuple[tuple[int, int], ...] = ()
    middles: Mapping[Kind, Middle] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reach:
    """How many groups of one kind may grow beside those that are pinned, of each sort those that grew last.

    `few`: of those with fewer members than `settled`; `many`: of the others. Of equals the newest.
    """

    few: int
    many: int
    settled: int


class Grouper(Protocol):
    def signature(self, item: Item) -> str:
        """The exact key of an item of an exact kind, at most MAX_SIGNATURE characters.

        Empty for text kinds, and for an item that says nothing.
        """
        ...

    def assign(
        self, items: Sequence[Item], known: Sequence[Group], middles: Mapping[Kind, Middle] = NO_MIDDLES
    ) -> Result:
        """Puts each item into a known or a new group.

        All items and groups belong to one agent. `known` must hold, for each text kind among the items, its groups
        that may still grow, see `reach`, and for exact kinds at least the groups with the items' signatures.
        Keys of known groups are positive and ascend in order of creation; store new groups in the order -1,
        -2, …, keep `middles`, and what is together does not depend on how a stream of items was cut into calls.
        Raises ValueError for a centroid of the wrong size or a known key that is not positive.
        """
        ...

    def reach(self, *, items: int, by_meaning: bool) -> Reach:
        """The groups of a text kind that may grow by so many items, grouped by their meaning or by their words."""
        ...

    def formed(self, key: int, kind: Kind, items: Sequence[Item], middle: Middle | None) -> Group:
        """The group that these items of one text kind make, in the order in which they came."""
        ...

    def settled(self, kind: Kind, items: Sequence[Item], groups: Sequence[int]) -> tuple[list[int], Middle]:
        """Looks at all items of a text kind at once, each with its point and the key of its group so far.

        Returns the group of each now, those that are new with negative keys, and the middle of the items.
        """
        ...

    def alike(
        self, items: Sequence[Item], known: Sequence[Group], among: Set[int], middle: Middle | None = None
    ) -> int | None:
        """Key of the group among some of the known ones that at least half of these items are near enough to join.

        None when there is no such group; of several, the one that most items are near to. `known` is as in `assign`,
        of one text kind. The items may be members of another of the groups: that one is left out of the question.
        """
        ...
