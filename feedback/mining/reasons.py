"""Why an item is in its group, in what can be pointed at: the words it shares, or the places where it may vary."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import re2

from feedback.mining.changes import diff
from feedback.mining.cleaning import clean, words
from feedback.mining.stems import is_content, stem
from feedback.mining.typical import Stems, stems_of

SHOWN: Final = 600
"""So many characters of a text are shown."""
CHANGES: Final = 8
LONGEST: Final = 80
"""Characters of one side of a change."""
PLACEHOLDER: Final = "<*>"

_WORD = re2.compile(r"[\p{L}\p{N}_]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text as written; `sources` is how many others used the word, 0 where that does not matter."""

    text: str
    is_marked: bool = False
    sources: int = 0


def spoken_by(texts_by_source: Mapping[str, Iterable[str]]) -> Counter[str]:
    """How many sources used each stem."""
    return Counter(found for texts in texts_by_source.values() for found in _of_all(texts))


def _of_all(texts: Iterable[str]) -> Stems:
    return frozenset().union(*map(stems_of, texts))


def shared(text: str, others: Mapping[str, int]) -> list[Piece]:
    """A text in pieces; marked are the content words that others use, `others` being the number of them by stem."""

    def mark(word: str) -> int:
        lower = word.lower()
        return others.get(stem(lower), 0) if is_content(lower) else 0

    return [Piece(piece, is_word and mark(piece) > 0, mark(piece) if is_word else 0) for piece, is_word in _cut(text)]


def fitted(text: str, template: str) -> list[Piece]:
    """An error in pieces; marked are the words that its template holds, the rest may vary."""
    held = {piece.lower() for piece, is_word in _cut(template.replace(PLACEHOLDER, " ")) if is_word}
    return [Piece(piece, is_word and piece.lower() in held) for piece, is_word in _cut(text)]


def changes_of(output: str, correction: str) -> list[tuple[str, str]]:
    """What a correction replaces, as (old words, new words) in lower case; either may be empty. At most CHANGES."""
    old, new = words(clean(output)), words(clean(correction))
    found = (
        (" ".join(old[change.old_start : change.old_end]), " ".join(new[change.new_start : change.new_end]))
        for change in diff(old, new)
    )
    return list(dict.fromkeys((before[:LONGEST], after[:LONGEST]) for before, after in found))[:CHANGES]


def template_pieces(template: str) -> list[Piece]:
    """A template in pieces; marked are the places where messages differ."""
    pieces: list[Piece] = []
    for number, part in enumerate(template.split(PLACEHOLDER)):
        pieces += [Piece("varies", is_marked=True)] * (number > 0)
        pieces += [Piece(part)] * bool(part)
    return pieces


def _cut(text: str) -> list[tuple[str, bool]]:
    """The text as words and what stands between them, in order, each with whether it is a word."""
    text, at = text[:SHOWN], 0
    found: list[tuple[str, bool]] = []
    for match in _WORD.finditer(text):
        if match.start() > at:
            found.append((text[at : match.start()], False))
        found.append((match.group(), True))
        at = match.end()
    return found + [(text[at:], False)] * (at < len(text))
