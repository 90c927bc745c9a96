"""Texts as sparse vectors of small whole numbers, by hashed words, word pairs and letter groups.

Whole numbers on purpose: their sums and products are exact in any order, so equal input gives equal groups
on every machine and for every way of cutting it into batches.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from feedback.mining.changes import diff
from feedback.mining.cleaning import clean, words
from feedback.mining.stems import is_content, stem

DIMENSIONS = 2048
SCALE = 200
"""Length of a vector before its parts are rounded to whole numbers."""
MAX_PARTS = 300
"""Only the strongest parts of a vector are kept: the bound on what one item costs."""

_STOP_WEIGHT = 0.2
_PAIR_WEIGHT = 0.3
_LETTERS_WEIGHT = 0.6
_CONTEXT_WEIGHT = 0.3


@dataclass(frozen=True, slots=True)
class Vector:
    """`parts[i]` (within ±SCALE, never 0) at place `places[i]` (0 to DIMENSIONS - 1); places are distinct."""

    places: npt.NDArray[np.int64]
    parts: npt.NDArray[np.int64]


def of_text(text: str) -> Vector | None:
    """What a text is about, or None if it has no content word."""
    found = words(clean(text))
    if not any(map(is_content, found)):
        return None
    weights: _Weights = {}
    _add(weights, found)
    return _vector(weights)


def of_centroid(stored: bytes) -> Vector | None:
    """What a group's members have in common, from what is stored of it; None of an empty one."""
    numbers = np.frombuffer(stored, dtype="<i2").astype(np.int64)
    length = math.sqrt(float(numbers @ numbers))
    if not length:
        return None
    rounded = np.rint(numbers * (SCALE / length)).astype(np.int64)
    kept = np.lexsort((np.arange(len(rounded)), -np.abs(rounded)))[:MAX_PARTS]
    kept = kept[rounded[kept] != 0]
    return Vector(kept, rounded[kept]) if len(kept) else None


def of_correction(output: str, correction: str) -> Vector | None:
    """What changed from `output` to `correction`, and weakly the words that stayed; None if nothing did.

    Words taken away and words put in are different features, so the reverse change is not similar.
    """
    old, new = words(clean(output)), words(clean(correction))
    changes = diff(old, new)
    weights: _Weights = {}
    for change in changes:
        _add(weights, old[change.old_start : change.old_end], "-")
        _add(weights, new[change.new_start : change.new_end], "+")
    if not weights:
        return None
    changed = {i for change in changes for i in range(change.old_start, change.old_end)}
    _add(weights, [word for i, word in enumerate(old) if i not in changed], "=", _CONTEXT_WEIGHT)
    return _vector(weights)


_Weights = dict[int, float]
"""Features by their hash, with their weights."""


def _add(weights: _Weights, found: Sequence[str], space: str = "", factor: float = 1.0) -> None:
    """Adds the features of consecutive words; `space` keeps features of different roles apart."""
    content = []
    for word in found:
        root, code, letters = _features(space, word)
        if not root:
            _count(weights, code, factor * _STOP_WEIGHT)
            continue
        content.append(root)
        _count(weights, code, factor)
        for group in letters:
            _count(weights, group, factor * _LETTERS_WEIGHT / math.sqrt(len(letters)))
    for pair in pairwise(content):
        _count(weights, _code(f"{space}p {' '.join(pair)}"), factor * _PAIR_WEIGHT)


def _count(weights: _Weights, feature: int, weight: float) -> None:
    weights[feature] = weights.get(feature, 0.0) + weight


@lru_cache(maxsize=1 << 13)
def _features(space: str, word: str) -> tuple[str, int, tuple[int, ...]]:
    """The root of a word, empty of one without content, its own feature and those of its letters.

    Kept, since most texts are made of the same words.
    """
    root = stem(word)
    code = _code(f"{space}w {root}")
    if not is_content(word):
        return "", code, ()
    return root, code, tuple(_code(f"{space}l {group}") for group in _letter_groups(root))


def _code(feature: str) -> int:
    return zlib.crc32(feature.encode())


def _letter_groups(root: str) -> list[str]:
    """Threes and fours of letters, which make misspelt and compound words meet; short words have none."""
    framed = f"^{root}$"
    if len(root) <= 3 and root.isascii():
        return []
    return [framed[i : i + n] for n in (3, 4) for i in range(len(framed) - n + 1)]


def _vector(weights: _Weights) -> Vector | None:
    """Puts features at signed places, damps repetition, scales to length SCALE and rounds."""
    parts: dict[int, float] = {}
    for code, weight in weights.items():
        damped = 1 + math.log(weight) if weight > 1 else weight
        place = code % DIMENSIONS
        parts[place] = parts.get(place, 0.0) + (damped if code >> 31 else -damped)
    length = math.sqrt(sum(part * part for part in parts.values()))
    if not length:
        return None
    rounded = {place: value for place, part in parts.items() if (value := round(part * SCALE / length))}
    kept = list(rounded)
    if len(kept) > MAX_PARTS:
        kept = sorted(kept, key=lambda place: (-abs(rounded[place]), place))[:MAX_PARTS]
    return Vector(np.array(kept, dtype=np.int64), np.array([rounded[place] for place in kept], dtype=np.int64))
