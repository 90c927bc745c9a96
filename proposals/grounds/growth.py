"""How a document grew, version by version."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, F, QuerySet, When
from django.db.models.functions import Length

from agents.compiled import Compiled, key, keys
from agents.models import Version
from proposals.checking import pile
from proposals.models import Surroundings

POINTS = 24
WIDTH, HEIGHT = 260, 64


@dataclass(frozen=True, slots=True)
class Growth:
    """A plot of sizes in tokens: SVG path data, the same in words, and as rows (version, tokens)."""

    width: int
    height: int
    line: str
    area: str
    label: str
    rows: list[tuple[str, int]]


def _sizes() -> "QuerySet[Any]":
    counted = "proposal__revision__surroundings__tokens_after"
    length = Case(When(**{f"{counted}__isnull": True}, then=Length("text")))
    found = Version.objects.filter(**{"document": key("document"), "number__any_of": keys("wanted")})
    return found.order_by("number").values_list("number", counted, length)


_SIZES: Final = Compiled(_sizes)


def of_document(document_id: int, *, last: int, then: int | None = None) -> Growth | None:
    """The document's versions up to the `last`, and the size it would have `then`, in tokens; None for fewer than two
    sizes.

    A version has the tokens that were counted with its revision, as everywhere on the board; the others, first of all
    the first, are counted now, by their characters as well. Versions are numbered without gaps.
    """
    rows = _SIZES.ask(document=document_id, wanted=thinned(range(1, last + 1), POINTS))
    sizes = [(f"Version {number}", known or pile.tokens(characters or 0)) for number, known, characters in rows]
    if then is not None:
        sizes.append(("Proposed", then))
    return plot(sizes)


def size_of(version: Version) -> pile.Size:
    """How large a version is: as it was counted with the revision it came from, or, for a first version, now."""
    counted = Surroundings.objects.filter(
        revision__proposal__published=version, revision=F("revision__proposal__revision")
    ).first()
    return counted.after if counted else pile.size(version.text)


def thinned(numbers: Sequence[int], most: int) -> list[int]:
    """At most `most` of the numbers, evenly spread, the first and the last among them."""
    if len(numbers) <= most:
        return list(numbers)
    return [numbers[round(place * (len(numbers) - 1) / (most - 1))] for place in range(most)]


def plot(sizes: Sequence[tuple[str, int]]) -> Growth | None:
    """A line through the sizes, from nothing at the foot to the largest at the top."""
    if len(sizes) < 2:
        return None
    top, gap = max(1, *(size for _, size in sizes)), WIDTH / (len(sizes) - 1)
    points = [
        (round(i * gap, 1), round(HEIGHT - 1 - size / top * (HEIGHT - 6), 1)) for i, (_, size) in enumerate(sizes)
    ]
    line = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
    (first, small), (last, large) = sizes[0], sizes[-1]
    label = f"From about {small:,} tokens in {first.lower()} to {large:,} in {last.lower()}".replace(
        " in proposed", " as proposed"
    )
    return Growth(WIDTH, HEIGHT, line, f"{line} V{HEIGHT} H0Z", label, list(sizes))
