"""Merkle trees as in RFC 6962, as pure functions.

The leaf of entry n is the hash of the chain that the entry carries, so a leaf stands for the entry and all before it:
leaf = SHA-256(0x00 || entry_hash), node = SHA-256(0x01 || left || right).

A tree is kept in tiles of 256 nodes, as Certificate Transparency logs do. The hash over a full tile is one node of the
level above, so whoever keeps these hashes can add to the tree, take its root and find the way from a leaf to the root
by looking at a few tiles, however large the tree is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

WIDTH: Final = 256
HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()

Nodes = Callable[[int, int, int], list[bytes]]
"""Nodes of one level (0: leaves, 1: hashes over tiles of leaves, …) from the first number up to before the second."""


class BadPath(Exception):
    """The way from leaf to root has too few or too many steps."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A full tile: its level and number, the hash over it, and the nodes in it."""

    level: int
    number: int
    root: bytes
    nodes: tuple[bytes, ...]


@dataclass(slots=True)
class Tree:
    """A tree that grows. It remembers its right edge only: `levels[0]` are the leaves after the last full tile,
    `levels[1]` the hashes over full tiles after the last full tile of those, and so on.
    """

    width: int = WIDTH
    levels: list[list[bytes]] = field(default_factory=lambda: [[]])
    size: int = 0

    def add(self, leaves: Sequence[bytes]) -> list[Tile]:
        """Append leaves, at most up to the end of the present tile; returns the tiles that became full."""
        self.levels[0].extend(leaves)
        self.size += len(leaves)
        return self._close(0) if len(self.levels[0]) == self.width else []

    def _close(self, level: int) -> list[Tile]:
        nodes, self.levels[level] = tuple(self.levels[level]), []
        root = root_of(nodes)
        number = self.size // self.width ** (level + 1) - 1
        if level + 1 == len(self.levels):
            self.levels.append([])
        self.levels[level + 1].append(root)
        above = self._close(level + 1) if len(self.levels[level + 1]) == self.width else []
        return [Tile(level, number, root, nodes), *above]

    def root(self) -> bytes:
        """The root over all leaves so far."""
        edge: list[bytes] = []
        for nodes in self.levels:
            edge = [root_of([*nodes, *edge])] if nodes or edge else []
        return edge[0] if edge else EMPTY_ROOT


def leaf_hash(entry_hash: bytes) -> bytes:
    return sha256(b"\x00" + entry_hash).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_of(nodes: Sequence[bytes]) -> bytes:
    """The root over nodes of one level; the last may be over fewer leaves than the others."""
    while len(nodes) > 1:
        nodes = _level_above(nodes)
    return nodes[0] if nodes else EMPTY_ROOT


def _level_above(nodes: Sequence[bytes]) -> list[bytes]:
    """Pairs are joined; one that is left over goes up as it is, which is where RFC 6962 puts it."""
    above = [sha256(b"\x01" + left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=False)]
    return above + list(nodes[len(above) * 2 :])


def path_to_root(index: int, size: int, nodes: Nodes, width: int = WIDTH) -> list[bytes]:
    """The inclusion path (RFC 6962, 2.1.1) of leaf `index`, counted from 0, in the tree of the first `size` leaves.

    `nodes` is asked for full tiles and for the last, unfinished one of each level only.
    """
    path: list[bytes] = []
    level, whole, edge = 0, size, list[bytes]()
    while whole + len(edge) > 1:
        tile, last = index // width, (whole + len(edge) - 1) // width
        start, stop = tile * width, min((tile + 1) * width, whole)
        path += _path_in([*nodes(level, start, stop), *(edge if tile == last else [])], index - start)
        if whole % width or edge:
            begun = last * width
            edge = [root_of([*nodes(level, begun, whole), *edge])]
        whole, index, level = last if edge else whole // width, tile, level + 1
    return path


def _path_in(nodes: Sequence[bytes], index: int) -> list[bytes]:
    path = []
    while len(nodes) > 1:
        if index ^ 1 < len(nodes):
            path.append(nodes[index ^ 1])
        nodes, index = _level_above(nodes), index // 2
    return path


def root_from(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that an inclusion path leads to (RFC 9162, 2.1.3.2). Raises BadPath where it cannot fit."""
    if not 0 <= index < size:
        raise BadPath
    place, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise BadPath
        if place & 1 or place == last:
            found = node_hash(step, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    if last:
        raise BadPath
    return found
