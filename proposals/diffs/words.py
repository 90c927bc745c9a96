"""Texts as word tokens, and the readable difference of two lines."""

import time
import unicodedata
from collections.abc import Sequence

from diff_match_patch import diff_match_patch

from proposals.diffs.rows import Op, Segment

MAX_TOKENS = 60_000
"""Per side of one comparison. Two sides have at most 120 000 distinct tokens: the private planes hold 131 068."""

_OPS: dict[int, Op] = {0: "equal", -1: "cut", 1: "add"}
_PLANES = (range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))
_JOINERS = "'’-\u200d"


def tokens(text: str) -> list[str]:
    """Words, runs of blanks and single other characters; joined they are the text.

    An apostrophe or hyphen between letters belongs to the word, combining marks and joiners to what they follow, so
    that no character a reader sees is ever cut in two.
    """
    found: list[str] = []
    last = ""
    for index, char in enumerate(text):
        sort = _sort(char)
        if char in _JOINERS and last == "word" and index + 1 < len(text) and _sort(text[index + 1]) == "word":
            sort = "word"
        if found and (sort == "mark" or (sort == last and sort != "other") or found[-1].endswith("\u200d")):
            found[-1] += char
        else:
            found.append(char)
        last = last if sort == "mark" else sort
    return found


def _sort(char: str) -> str:
    if char.isalnum() or char == "_":
        return "word"
    if char in " \t\n\r" or char.isspace():
        return "blank"
    return "mark" if char == "\u200d" or unicodedata.category(char)[0] == "M" else "other"


def count_words(text: str) -> int:
    """How many words and numbers a text has."""
    return sum(token[0].isalnum() for token in tokens(text))


def compare(before: Sequence[str], after: Sequence[str], deadline: float, *, tidy: bool) -> list[tuple[Op, int]]:
    """(op, number of tokens) in order, by a diff over the tokens as private characters.

    `deadline` is a `time.time()`; past it, what is left counts as replaced. `tidy` gives up short common stretches
    between two changes, so that a phrase reads as one change.
    """
    if len(before) > MAX_TOKENS or len(after) > MAX_TOKENS:
        return _replaced(before, after)
    codes: dict[str, str] = {}
    free = (chr(code) for plane in _PLANES for code in plane)
    sides = ["".join(codes.get(t) or codes.setdefault(t, next(free)) for t in side) for side in (before, after)]
    engine = diff_match_patch()
    # The engine takes a deadline in the past for none at all, only when it is None; any number is kept.
    found = engine.diff_main(sides[0], sides[1], False, max(deadline, time.time()))
    if tidy:
        engine.diff_cleanupSemantic(found)
    return [(_OPS[op], len(text)) for op, text in found if text]


def _replaced(before: Sequence[str], after: Sequence[str]) -> list[tuple[Op, int]]:
    """The common beginning and end as equal, and all between as replaced."""
    shorter = min(len(before), len(after))
    head = next((i for i in range(shorter) if before[i] != after[i]), shorter)
    rest = shorter - head
    tail = next((i for i in range(rest) if before[-1 - i] != after[-1 - i]), rest)
    parts: list[tuple[Op, int]] = [
        ("equal", head),
        ("cut", len(before) - head - tail),
        ("add", len(after) - head - tail),
        ("equal", tail),
    ]
    return [part for part in parts if part[1]]


def line_segments(before: str, after: str, deadline: float) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Word-level marks of a rewritten line: its old segments (equal, cut) and its new ones (equal, add)."""
    old, new = tokens(before), tokens(after)
    i = j = 0
    left: list[Segment] = []
    right: list[Segment] = []
    for op, count in compare(old, new, deadline, tidy=True):
        if op != "add":
            _append(left, op, "".join(old[i : i + count]))
            i += count
        if op != "cut":
            _append(right, op, "".join(new[j : j + count]))
            j += count
    return tuple(left), tuple(right)


def _append(segments: list[Segment], op: Op, text: str) -> None:
    """Adds a segment, or lengthens the last one where it has the same op."""
    if segments and segments[-1][0] == op:
        segments[-1] = (op, segments[-1][1] + text)
    else:
        segments.append((op, text))
