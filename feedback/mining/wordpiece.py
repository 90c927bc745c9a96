"""Texts as the numbers of word pieces that the sentence model was trained on (BERT's uncased English vocabulary)."""

import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import re2

from feedback.mining.cleaning import MAX_WORD_CHARS, clean

VOCABULARY = Path(__file__).with_name("wordpieces.txt")
MAX_PIECES = 64
"""So many pieces of a text are read, its two marks included: the bound on what one text costs."""

_UNKNOWN, _BEGIN, _END = "[UNK]", "[CLS]", "[SEP]"
# Punctuation and symbols stand alone, as do Chinese characters; anything else between spaces is a word.
_ALONE = r"\p{P}$+<=>^`|~\p{Han}"
_WORD = re2.compile(rf"[{_ALONE}]|[^\s{_ALONE}]+")


def pieces(text: str) -> list[int]:
    """The numbers of the first MAX_PIECES pieces of a text, from begin mark to end mark."""
    vocabulary = _vocabulary()
    found = [vocabulary[_BEGIN]]
    for word in _words(text):
        found.extend(_split(word, vocabulary))
        if len(found) >= MAX_PIECES:
            break
    return [*found[: MAX_PIECES - 1], vocabulary[_END]]


@cache
def _vocabulary() -> dict[str, int]:
    lines = VOCABULARY.read_text(encoding="utf-8").split("\n")
    return {piece: number for number, piece in enumerate(lines) if piece}


@cache
def spoken() -> npt.NDArray[np.bool_]:
    """By its number, whether a piece has a letter or a digit; what has none is punctuation and says nothing."""
    found = np.zeros(max(_vocabulary().values()) + 1, dtype=bool)
    found[[number for piece, number in _vocabulary().items() if any(map(str.isalnum, piece))]] = True
    return found


def _words(text: str) -> Iterator[str]:
    """Words in lower case without accents."""
    plain = unicodedata.normalize("NFD", clean(text).lower())
    bare = plain if plain.isascii() else "".join(char for char in plain if unicodedata.category(char) != "Mn")
    return (match.group() for match in _WORD.finditer(bare))


def _split(word: str, vocabulary: dict[str, int]) -> list[int]:
    """The longest known beginning, then the longest known continuation, and so on; one unknown if that fails."""
    found: list[int] = []
    start = 0
    while start < len(word) <= MAX_WORD_CHARS:
        mark = "##" if start else ""
        end = next((end for end in range(len(word), start, -1) if mark + word[start:end] in vocabulary), 0)
        if not end:
            break
        found.append(vocabulary[mark + word[start:end]])
        start = end
    return found if start == len(word) else [vocabulary[_UNKNOWN]]
