"""Which of some texts speak of the same thing as another, by the likeness that grouping uses."""

from collections.abc import Sequence

from feedback.mining import vectors
from feedback.mining.texts import Centroids

NEAR = 0.2
"""Cosine from which a text counts as near. Lower than for grouping: a rule and what people say of it share a topic,
but hardly their wording."""


def nearest(text: str, others: Sequence[str], *, limit: int) -> list[tuple[int, float]]:
    """The places of the nearest of `others` with their likeness (NEAR to 1), best first, at most `limit`.

    Words that many of the others share count for less. Cost: a vector for each of the others.
    """
    wanted = vectors.of_text(text)
    if wanted is None:
        return []
    book = Centroids([], [])
    places = []
    for place, other in enumerate(others):
        vector = vectors.of_text(other)
        if vector is not None:
            book.add(vector)
            places.append(place)
    found = [
        (place, float(score)) for place, score in zip(places, book.similarities(wanted), strict=True) if score >= NEAR
    ]
    return sorted(found, key=lambda entry: (-entry[1], entry[0]))[:limit]
