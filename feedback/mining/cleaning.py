"""Bounds and cleans text from outside before anything else looks at it.

Everything downstream works on at most MAX_CHARS characters and MAX_WORDS words, so the cost of one
item does not depend on how much somebody sent.
"""

import unicodedata
from functools import lru_cache
from itertools import islice

import re2

MAX_CHARS = 2000
MAX_WORDS = 200
MAX_WORD_CHARS = 40

# Letters by category, yet drawn as nothing at all: Hangul fillers.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")
_WORD = re2.compile(r"\p{N}+(?:[.,]\p{N}+)?%?|\p{L}[\p{L}\p{M}\p{N}]*(?:['\x{2019}-][\p{L}\p{N}]+)*")


def clean(text: str, limit: int = MAX_CHARS) -> str:
    """The first `limit` characters in Unicode form NFKC, on any number of lines, invisible ones removed.

    Control characters but the line feed become spaces; format characters, lone surrogates, private
    and unassigned code points are dropped, so "re\\u200bfund" reads "refund".
    """
    # A lone surrogate cannot be encoded, and re2 works on UTF-8.
    head = text[:limit].encode("utf-8", "ignore").decode("utf-8")
    if head.isascii() and head.isprintable():
        return head
    # Compatibility forms can grow eighteenfold; the second cut keeps the bound.
    normal = unicodedata.normalize("NFKC", head)[:limit]
    return "".join(map(_visible, normal))


def _visible(char: str) -> str:
    if char == "\n" or (char.isalnum() and char not in _BLANK_LETTERS):
        return char
    category = unicodedata.category(char)
    if category == "Cc" or category[0] == "Z":
        return " "
    return "" if category[0] == "C" or char in _BLANK_LETTERS else char


def words(text: str) -> list[str]:
    """The first MAX_WORDS words and numbers of a cleaned text, in lower case, each cut to MAX_WORD_CHARS."""
    found: list[str] = []
    for piece in text.lower().split():
        found.extend(_words_in(piece) if len(piece) <= _KEPT_CHARS else _cut(piece))
        if len(found) >= MAX_WORDS:
            break
    return found[:MAX_WORDS]


def _cut(piece: str) -> tuple[str, ...]:
    """The words of what has no blank."""
    return tuple(match.group()[:MAX_WORD_CHARS] for match in islice(_WORD.finditer(piece), MAX_WORDS))


_KEPT_CHARS = 40
_words_in = lru_cache(maxsize=1 << 14)(_cut)
"""Kept, since most texts are made of the same pieces."""
