"""Which of some texts speaks for all of them, which differ most, and what two short texts share.

By words and not by the grouper's own measure: what is shown as typical should look typical to whoever reads it.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from feedback.mining.cleaning import clean, words
from feedback.mining.stems import is_content, stem

Stems = frozenset[str]


@dataclass(frozen=True, slots=True)
class Typical:
    """Places in the list that was asked about: the medoid, and what is least like it, the least first."""

    medoid: int
    different: tuple[int, ...]


@lru_cache(maxsize=4096)
def stems_of(text: str) -> Stems:
    """What a text is about: the stems of its content words, without numbers and whatever has a digit in it."""
    said = (word for word in words(clean(text)) if is_content(word))
    return frozenset(stem(word) for word in said if not any(map(str.isdigit, word)))


def typical(texts: Sequence[str], *, different: int = 2) -> Typical | None:
    """The text most like all others, the first of equals, and up to `different` that share least with it.

    None if none has a content word. The cost follows the number of words.
    """
    stems = [stems_of(text) for text in texts]
    spoken = [place for place, found in enumerate(stems) if found]
    if not spoken:
        return None
    sums = _sums(stems)
    medoid = max(spoken, key=lambda place: (round(sums[place], 9), -place))
    away = sorted((round(likeness(stems[medoid], stems[place]), 9), place) for place in spoken if place != medoid)
    found: list[int] = []
    for near, place in away:
        if near < 1 and stems[place] not in [stems[other] for other in found]:
            found.append(place)
        if len(found) == different:
            break
    return Typical(medoid, tuple(found))


def _sums(stems: Sequence[Stems]) -> list[float]:
    """How like each is to all of them, itself included: the sum of its `likeness` to each, word by word."""
    weights: dict[str, float] = defaultdict(float)
    for found in stems:
        for word in found:
            weights[word] += 1 / math.sqrt(len(found))
    return [math.fsum(weights[word] for word in found) / math.sqrt(len(found) or 1) for found in stems]


def likeness(one: AbstractSet[str], other: AbstractSet[str]) -> float:
    """The cosine of two sets: 1 for equal ones, 0 for those without anything in common."""
    return len(one & other) / math.sqrt(len(one) * len(other)) if one and other else 0.0


def says_the_same(one: Stems, other: Stems, *, least: float) -> bool:
    """Whether two labels with their terms speak of one thing: they share two words, and this share of the fewer."""
    shared = len(one & other)
    return shared >= 2 and shared >= least * min(len(one), len(other))
