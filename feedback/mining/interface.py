"""What the miner takes and gives. Whoever stores patterns knows this file and nothing behind it."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
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
    agent had said; a mislabel has `predicted` and `expected` and no text.
    """

    key: int
    kind: Kind
    text: str
    output: str = ""
    predicted: str = ""
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """One group as it is stored.

    `signature` is empty for text kinds, `centroid` is empty for exact kinds. `size` counts the items ever
    put into it. A group the store does not know yet has a negative key: -1, -2, … in order of creation.
    """

    key: int
    kind: Kind
    signature: str
    centroid: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where one item went; `group` is None for an item that says nothing to group by.

    `similarity` is the cosine to the centroid before the item joined it, 1.0 for exact kinds and for the
    first item of a group. `terms` are the item's own content words, safe to show, for a provisional label.
    `threshold` is what the similarity had to reach.
    """

    item: int
    group: int | None
    similarity: float
    terms: tuple[str, ...]
    threshold: float = 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """One assignment per item, in the order given, and every group that is new or has changed."""

    assignments: tuple[Assignment, ...]
    groups: tuple[Group, ...]


class Grouper(Protocol):
    def signature(self, item: Item) -> str:
        """The exact key of an item of an exact kind, at most MAX_SIGNATURE characters.

        Empty for text kinds, and for an item that says nothing.
        """
        ...

    def assign(self, items: Sequence[Item], known: Sequence[Group]) -> Result:
        """Puts each item into a known or a new group.

        All items and groups belong to one agent. `known` must hold, for each text kind among the items, all
        its groups that may still grow, and for exact kinds at least the groups with the items' signatures.
        Keys of known groups are positive and ascend in order of creation; store new groups in the order -1,
        -2, … and the answer does not depend on how a stream of items was cut into calls.
        Raises ValueError for a centroid of the wrong size or a known key that is not positive.
        """
        ...

    def centroid(self, items: Sequence[Item]) -> bytes:
        """What stands for these items of one text kind, in the order in which they came."""
        ...

    def alike(self, items: Sequence[Item], known: Sequence[Group], among: Set[int]) -> int | None:
        """Key of the group among some of the known ones that at least half of these items are near enough to join.

        None when there is no such group; of several, the one that most items are near to. `known` is as in `assign`,
        of one text kind. The items may be members of another of the groups: that one is left out of the question.
        """
        ...
