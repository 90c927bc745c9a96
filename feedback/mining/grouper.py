"""The grouper: equal signatures for errors and mislabels; texts by meaning, or by their words without the model."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from hashlib import sha256

import numpy as np

from feedback.mining import errors, vectors
from feedback.mining.cleaning import clean
from feedback.mining.clusters import Clusters, Points, middle_of
from feedback.mining.interface import (
    EXACT_KINDS,
    MAX_SIGNATURE,
    NO_MIDDLES,
    Assignment,
    Group,
    Item,
    Kind,
    Middle,
    Reach,
    Result,
)
from feedback.mining.meaning import DIMENSIONS, neutral
from feedback.mining.settling import settle
from feedback.mining.texts import CENTROID_BYTES, THRESHOLD, Centroids
from feedback.mining.window import Windows

_ARROW = "→"
_LIKELIER = 0.5
PARTS = {kind: 2 if kind is Kind.CORRECTION else 1 for kind in Kind}
"""A correction has two texts: what it took away and what it put in its place."""


Limits = tuple[int, int]
_MERGES = 64
"""So many more groups than texts may go into others while some texts are taken, and make room for older ones."""


class TextGrouper:
    """Groups items by their points where they have one, else by their words. Implements interface.Grouper; no state.

    From `settled` members on a group may have been seen, and goes into no other by itself.
    """

    def __init__(
        self, settled: int = 3, by_meaning: Limits = (20_000, 20_000), by_words: Limits = (3_000, 6_000)
    ) -> None:
        """So many groups of each kind may grow, of fewer than `settled` members and of more: those that grew last."""
        self._settled, self._by_meaning, self._by_words = settled, by_meaning, by_words

    def signature(self, item: Item) -> str:
        """See interface.Grouper. An error's is its template, a mislabel's is "predicted→expected"."""
        if item.kind is Kind.ERROR:
            return _short(errors.template(item.text))
        if item.kind is Kind.MISLABEL:
            return _short(_mislabel(item.predicted, item.expected))
        return ""

    def assign(
        self,
        items: Sequence[Item],
        known: Sequence[Group],
        middles: Mapping[Kind, Middle] = NO_MIDDLES,
    ) -> Result:
        """See interface.Grouper. What an item costs stands at clusters.Clusters and texts.Centroids."""
        book = _Book(known, middles, self._settled, self._by_meaning, self._by_words)
        book.take([item for item in items if item.point and item.kind not in EXACT_KINDS])
        assignments = tuple(self._assign(item, book) for item in items)
        return Result(assignments, book.changed(), book.merged(), book.moved_middles())

    def reach(self, *, items: int, by_meaning: bool) -> Reach:
        """See interface.Grouper."""
        more = 2 * items + _MERGES if by_meaning else 0
        few, many = self._by_meaning if by_meaning else self._by_words
        return Reach(few + more, many + more, self._settled)

    def formed(self, key: int, kind: Kind, items: Sequence[Item], middle: Middle | None) -> Group:
        """See interface.Grouper."""
        centroids = Centroids([bytes(CENTROID_BYTES)], [0])
        for vector in filter(None, map(_vector, items)):
            centroids.join(0, vector)
        group = Group(key, kind, "", centroids.centroid(0), len(items))
        if not any(item.point for item in items):
            return group
        clusters = _clusters(kind, [], middle)
        return replace(group, meaning=clusters.stored(clusters.fill(_points(items))))

    def alike(
        self, items: Sequence[Item], known: Sequence[Group], among: Set[int], middle: Middle | None = None
    ) -> int | None:
        """See interface.Grouper."""
        near = _near(items, known, among, middle)
        key, items_near = min(near.items(), key=lambda found: (-found[1], found[0]), default=(0, 0))
        return key if items_near * 2 >= len(items) > 0 else None

    def settled(self, kind: Kind, items: Sequence[Item], groups: Sequence[int]) -> tuple[list[int], Middle]:
        """See interface.Grouper."""
        points = _points(items)
        middle = middle_of(points, neutral(), PARTS[kind])
        return settle(points, groups, middle.place, PARTS[kind], [item.at for item in items]), middle

    def _assign(self, item: Item, book: "_Book") -> Assignment:
        if item.kind in EXACT_KINDS:
            signature = self.signature(item)
            group = book.put_exact(item.kind, signature) if signature else None
            return Assignment(item.key, group, 1.0 if signature else 0.0)
        if item.point:
            group, sure = book.put_by_meaning(item)
            return Assignment(item.key, group, sure, _LIKELIER)
        vector = _vector(item)
        if vector is None:
            return Assignment(item.key, None, 0.0)
        group, similarity = book.put_near(item.kind, vector)
        return Assignment(item.key, group, similarity, THRESHOLD)


class _Book:
    """The groups of one call: those known, those new, and which of them changed."""

    def __init__(
        self,
        known: Sequence[Group],
        middles: Mapping[Kind, Middle],
        settled: int,
        most_by_meaning: Limits,
        most_by_words: Limits,
    ) -> None:
        """Raises ValueError for a known key that is not positive, or a centroid of the wrong size."""
        if any(group.key <= 0 for group in known):
            raise ValueError("The key of a known group is positive.")
        self._new = 0
        self._changed: set[int] = set()
        ordered = sorted(known, key=lambda group: group.key)
        self._exact = {(group.kind, group.signature): group for group in ordered if group.kind in EXACT_KINDS}
        self._texts = {kind: [group for group in ordered if group.kind is kind] for kind in set(Kind) - EXACT_KINDS}
        self._by_words: dict[Kind, _Words] = {}
        self._by_meaning: dict[Kind, _Meanings] = {}
        self._middles, self._settled = middles, settled
        self._most_by_meaning, self._most_by_words = most_by_meaning, most_by_words

    def take(self, items: Sequence[Item]) -> None:
        """Finds groups by meaning, in which `put_by_meaning` then puts the items."""
        for kind in dict.fromkeys(item.kind for item in items):
            of_kind = [item for item in items if item.kind is kind]
            known = [group for group in self._texts[kind] if group.meaning]
            windows = Windows(*self._most_by_meaning, self._settled)
            clusters = _clusters(kind, known, self._middles.get(kind), self._settled, windows)
            self._by_meaning[kind] = _Meanings(kind, known, of_kind, clusters)

    def put_exact(self, kind: Kind, signature: str) -> int:
        group = self._exact.get((kind, signature)) or Group(self._next_key(), kind, signature, b"", 0)
        self._exact[kind, signature] = replace(group, size=group.size + 1)
        self._changed.add(group.key)
        return group.key

    def put_near(self, kind: Kind, vector: vectors.Vector) -> tuple[int, float]:
        """Key of the group the vector joined or began, and its similarity to it."""
        if kind not in self._by_words:
            known = [group for group in self._texts[kind] if group.centroid]
            self._by_words[kind] = _Words(known, Windows(*self._most_by_words, self._settled))
        book = self._by_words[kind]
        number, similarity = book.centroids.nearest(vector)
        if similarity >= THRESHOLD:
            book.centroids.join(number, vector)
        else:
            number, similarity = book.centroids.add(vector), 1.0
            book.keys.append(self._next_key())
        self._changed.add(book.keys[number])
        return book.keys[number], similarity

    def put_by_meaning(self, item: Item) -> tuple[int, float]:
        """Key of the group that an item is in when all are taken, and how probable that was when it came."""
        book = self._by_meaning[item.kind]
        number = book.number_of[item.key]
        if number not in book.keys:
            book.keys[number] = self._next_key()
        return book.keys[number], book.sure_of[item.key]

    def _next_key(self) -> int:
        self._new -= 1
        return self._new

    def changed(self) -> tuple[Group, ...]:
        """Known groups that grew, by key, then new ones in order of creation."""
        found = {group.key: group for group in self._exact.values() if group.key in self._changed}
        for kind, words in self._by_words.items():
            for number, key in enumerate(words.keys):
                if key in self._changed:
                    found[key] = words.grown(number, kind)
        for meanings in self._by_meaning.values():
            found |= {group.key: group for group in meanings.changed(found)}
        return tuple(sorted(found.values(), key=lambda group: (group.key < 0, abs(group.key))))

    def merged(self) -> tuple[tuple[int, int], ...]:
        return tuple(pair for meanings in self._by_meaning.values() for pair in meanings.merged())

    def moved_middles(self) -> dict[Kind, Middle]:
        return {
            kind: meanings.clusters.middle
            for kind, meanings in self._by_meaning.items()
            if meanings.clusters.middle != self._middles.get(kind)
        }


class _Words:
    """The groups of one kind as their words show them. Those that were formed by meaning alone have no words yet."""

    def __init__(self, groups: Sequence[Group], windows: Windows | None = None) -> None:
        self._known = groups
        self.keys = [group.key for group in groups]
        none = bytes(CENTROID_BYTES)
        centroids, sizes = [group.centroid or none for group in groups], [group.size for group in groups]
        pinned, grown = [group.pinned for group in groups], [group.grown for group in groups]
        self.centroids = Centroids(centroids, sizes, windows, pinned, grown)

    def grown(self, number: int, kind: Kind) -> Group:
        """The group as it is now."""
        was = self._known[number] if number < len(self._known) else Group(self.keys[number], kind, "", b"", 0)
        book = self.centroids
        return replace(was, centroid=book.centroid(number), size=book.sizes[number], grown=book.grown[number])


class _Meanings:
    """The groups of one kind as their meaning shows them, with some items taken in."""

    def __init__(self, kind: Kind, groups: Sequence[Group], items: Sequence[Item], clusters: Clusters) -> None:
        self._kind, self._known = kind, groups
        self.clusters = clusters
        numbers = self.clusters.take(_points(items), [item.at for item in items])
        self.number_of = {item.key: number for item, number in zip(items, numbers, strict=True)}
        self.sure_of = {item.key: sure for item, sure in zip(items, self.clusters.sure, strict=True)}
        self.keys = {number: group.key for number, group in enumerate(groups)}

    def changed(self, by_words: Mapping[int, Group]) -> list[Group]:
        """The groups that grew. What went into another has left its items there."""
        grown = Counter(self.number_of.values())
        for goes in self.clusters.merged:
            if goes < len(self._known):
                grown[self.clusters.last(goes)] += self._known[goes].size
        return [self._group(number, more, by_words) for number, more in grown.items()]

    def _group(self, number: int, more: int, by_words: Mapping[int, Group]) -> Group:
        known = self._known[number] if number < len(self._known) else None
        group = known or Group(self.keys[number], self._kind, "", b"", 0)
        group = by_words.get(group.key, group)
        grown = max(group.grown, self.clusters.grown(number))
        first, last = self.clusters.life(number)
        meaning = self.clusters.stored(number)
        return replace(group, size=group.size + more, meaning=meaning, grown=grown, first=first, last=last)

    def merged(self) -> list[tuple[int, int]]:
        return [
            (self._known[goes].key, self.keys[self.clusters.last(goes)])
            for goes in self.clusters.merged
            if goes < len(self._known)
        ]


def _clusters(
    kind: Kind, groups: Sequence[Group], middle: Middle | None, settled: int = 3, windows: Windows | None = None
) -> Clusters:
    kept, sizes = [group.kept for group in groups], [group.size for group in groups]
    grown, stored = [group.grown for group in groups], [group.meaning for group in groups]
    pinned, lives = [group.pinned for group in groups], [(group.first, group.last) for group in groups]
    return Clusters(neutral(), PARTS[kind], stored, kept, middle, settled, windows, sizes, grown, pinned, lives)


def _points(items: Sequence[Item]) -> Points:
    joined = b"".join(item.point for item in items)
    return np.frombuffer(joined, dtype=np.int8).reshape(-1, DIMENSIONS * PARTS[items[0].kind])


def _near(items: Sequence[Item], known: Sequence[Group], among: Set[int], middle: Middle | None) -> Counter[int]:
    """How many of the items are near enough to join each of the groups."""
    near: Counter[int] = Counter()
    with_points = [item for item in items if item.point]
    asked = [number for number, group in enumerate(known) if group.key in among]
    if with_points and asked:
        found = _clusters(known[0].kind, known, middle).joined(_points(with_points), asked)
        near.update({known[number].key: int(count) for number, count in zip(asked, found.sum(axis=0), strict=True)})
        return near
    centroids = _Words(known).centroids
    for vector in filter(None, map(_vector, items)):
        similar = centroids.similarities(vector)
        near.update(known[number].key for number in asked if similar[number] >= THRESHOLD)
    return near


def _vector(item: Item) -> vectors.Vector | None:
    if item.kind is Kind.CORRECTION and item.output:
        return vectors.of_correction(item.output, item.text)
    return vectors.of_text(item.text)


def _mislabel(predicted: str, expected: str) -> str:
    """Empty unless the expected label is given and the predicted one differs by more than case and spaces."""
    wrong, right = (" ".join(clean(label, 100).replace(_ARROW, " ").lower().split()) for label in (predicted, expected))
    return f"{wrong}{_ARROW}{right}" if right and wrong != right else ""


def _short(signature: str) -> str:
    """A long signature keeps its beginning and ends in a digest of the whole."""
    if len(signature) <= MAX_SIGNATURE:
        return signature
    digest = sha256(signature.encode()).hexdigest()[:16]
    return f"{signature[: MAX_SIGNATURE - len(digest) - 1]} {digest}"
