"""The first grouper: equal signatures for errors and mislabels, nearest centroids for texts."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import replace
from hashlib import sha256

from feedback.mining import errors, vectors
from feedback.mining.cleaning import clean
from feedback.mining.interface import EXACT_KINDS, MAX_SIGNATURE, Assignment, Group, Item, Kind, Result
from feedback.mining.labels import content_terms
from feedback.mining.texts import CENTROID_BYTES, THRESHOLD, Centroids

_ARROW = "→"


class LexicalGrouper:
    """Groups by words alone, without a model or randomness. Implements interface.Grouper; holds no state."""

    def signature(self, item: Item) -> str:
        """See interface.Grouper. An error's is its template, a mislabel's is "predicted→expected"."""
        if item.kind is Kind.ERROR:
            return _short(errors.template(item.text))
        if item.kind is Kind.MISLABEL:
            return _short(_mislabel(item.predicted, item.expected))
        return ""

    def assign(self, items: Sequence[Item], known: Sequence[Group]) -> Result:
        """See interface.Grouper. What an item costs, and how that grows, stands at texts.Centroids."""
        book = _Book(known)
        assignments = tuple(self._assign(item, book) for item in items)
        return Result(assignments, book.changed())

    def centroid(self, items: Sequence[Item]) -> bytes:
        """See interface.Grouper."""
        centroids = Centroids([bytes(CENTROID_BYTES)], [0])
        for vector in filter(None, map(_vector, items)):
            centroids.join(0, vector)
        return centroids.centroid(0)

    def alike(self, items: Sequence[Item], known: Sequence[Group], among: Set[int]) -> int | None:
        """See interface.Grouper."""
        centroids = Centroids([group.centroid for group in known], [group.size for group in known])
        asked = [number for number, group in enumerate(known) if group.key in among]
        near: Counter[int] = Counter()
        for vector in filter(None, map(_vector, items)):
            similar = centroids.similarities(vector)
            near.update(known[number].key for number in asked if similar[number] >= THRESHOLD)
        key, items_near = min(near.items(), key=lambda found: (-found[1], found[0]), default=(0, 0))
        return key if items_near * 2 >= len(items) > 0 else None

    def _assign(self, item: Item, book: "_Book") -> Assignment:
        if item.kind in EXACT_KINDS:
            signature = self.signature(item)
            group = book.put_exact(item.kind, signature) if signature else None
            return Assignment(item.key, group, 1.0 if signature else 0.0, ())
        vector = _vector(item)
        if vector is None:
            return Assignment(item.key, None, 0.0, ())
        group, similarity = book.put_near(item.kind, vector)
        return Assignment(item.key, group, similarity, content_terms(item.text), THRESHOLD)


class _Book:
    """The groups of one call: those known, those new, and which of them changed."""

    def __init__(self, known: Sequence[Group]) -> None:
        """Raises ValueError for a known key that is not positive, or a centroid of the wrong size."""
        if any(group.key <= 0 for group in known):
            raise ValueError("The key of a known group is positive.")
        self._new = 0
        self._changed: set[int] = set()
        ordered = sorted(known, key=lambda group: group.key)
        self._exact = {(group.kind, group.signature): group for group in ordered if group.kind in EXACT_KINDS}
        self._keys: dict[Kind, list[int]] = {}
        self._near: dict[Kind, Centroids] = {}
        for kind in Kind:
            groups = [group for group in ordered if group.kind is kind and kind not in EXACT_KINDS]
            self._keys[kind] = [group.key for group in groups]
            self._near[kind] = Centroids([group.centroid for group in groups], [group.size for group in groups])

    def put_exact(self, kind: Kind, signature: str) -> int:
        group = self._exact.get((kind, signature)) or Group(self._next_key(), kind, signature, b"", 0)
        self._exact[kind, signature] = replace(group, size=group.size + 1)
        self._changed.add(group.key)
        return group.key

    def put_near(self, kind: Kind, vector: vectors.Vector) -> tuple[int, float]:
        """Key of the group the vector joined or began, and its similarity to it."""
        centroids, keys = self._near[kind], self._keys[kind]
        number, similarity = centroids.nearest(vector)
        if similarity >= THRESHOLD:
            centroids.join(number, vector)
        else:
            number, similarity = centroids.add(vector), 1.0
            keys.append(self._next_key())
        self._changed.add(keys[number])
        return keys[number], similarity

    def _next_key(self) -> int:
        self._new -= 1
        return self._new

    def changed(self) -> tuple[Group, ...]:
        """Known groups that grew, by key, then new ones in order of creation."""
        found = [group for group in self._exact.values() if group.key in self._changed]
        for kind, centroids in self._near.items():
            for number, key in enumerate(self._keys[kind]):
                if key in self._changed:
                    found.append(Group(key, kind, "", centroids.centroid(number), centroids.sizes[number]))
        return tuple(sorted(found, key=lambda group: (group.key < 0, abs(group.key))))


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
