"""Texts as word tokens, and the readable difference of two lines."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from diff_match_patch import diff_match_patch

from proposals.diffs.rows import Op, Segment

MAX_TOKENS = 60_000
"""Per side of one comparison. Two sides have at most 120 000 distinct tokens: the private planes hold 131 068."""

MAX_LINE = 200_000
"""Characters of a line that is compared word by word."""

MAX_KEPT = 500
"""Characters of a line whose tokens are kept for a while."""

_OPS: dict[int, Op] = {0: "equal", -1: "cut", 1: "add"}
_PLANES = (range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))
_JOINERS = "'’-\u200d"


def tokens(text: str) -> Sequence[str]:
    """Words, runs of blanks and single other characters; joined they are the text.

    An apostrophe or hyphen between letters belongs to the word, combining marks and joiners to what they follow, so
    that no character a reader sees is ever cut in two.
    """
    return _kept_tokens(text) if len(text) <= MAX_KEPT else _tokens(text)


@lru_cache(maxsize=1024)
def _kept_tokens(text: str) -> tuple[str, ...]:
    """A line is taken apart to see which other it became, and again to mark its words."""
    return tuple(_tokens(text))


def _tokens(text: str) -> list[str]:
    starts: list[int] = []
    last = ""
    for index, char in enumerate(text):
        sort = _sort(char)
        if char in _JOINERS and last == "word" and _sort(text[index + 1 : index + 2] or " ") == "word":
            sort = "word"
        joins = sort == "mark" or (sort == last and sort != "other") or text[index - 1 : index] == "\u200d"
        if not starts or not joins:
            starts.append(index)
        last = last if sort == "mark" else sort
    return [text[start:end] for start, end in pairwise([*starts, len(text)])]


@lru_cache(maxsize=4096)
def _sort(char: str) -> str:
    if char.isalnum() or char == "_":
        return "word"
    if char.isspace():
        return "blank"
    return "mark" if char == "\u200d" or unicodedata.category(char)[0] == "M" else "other"


def count_words(text: str) -> int:
    """How many words and numbers a text has: what stands between blanks and has a letter or digit."""
    return sum(chunk.isalnum() or any(map(str.isalnum, chunk)) for chunk in text.split())


def compare(before: Sequence[str], after: Sequence[str], deadline: float) -> list[tuple[Op, int]]:
    """(op, number of tokens) in order, by a diff over the tokens as private characters.

    `deadline` is a `time.time()`; past it, what is left counts as replaced.
    """
    if len(before) > MAX_TOKENS or len(after) > MAX_TOKENS:
        return _replaced(before, after)
    codes: dict[str, str] = {}
    free = (chr(code) for plane in _PLANES for code in plane)
    sides = ["".join(codes.get(t) or codes.setdefault(t, next(free)) for t in side) for side in (before, after)]
    found = diff_match_patch().diff_main(sides[0], sides[1], False, deadline)
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


@dataclass(slots=True)
class _Change:
    """Old tokens that became new ones, then the tokens both have before the next change."""

    cut: list[str]
    add: list[str]
    equal: list[str]


def line_segments(before: str, after: str, deadline: float) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Word-level marks of a rewritten line: its old segments (equal, cut) and its new ones (equal, add).

    A line of more than MAX_LINE characters gets none; nobody reads it.
    """
    if max(len(before), len(after)) > MAX_LINE:
        return (("cut", before),), (("add", after),)
    left: list[Segment] = []
    right: list[Segment] = []
    for change in _phrases(_changes(tokens(before), tokens(after), deadline)):
        _append(left, "cut", "".join(change.cut))
        _append(left, "equal", "".join(change.equal))
        _append(right, "add", "".join(change.add))
        _append(right, "equal", "".join(change.equal))
    return tuple(left), tuple(right)


def _append(segments: list[Segment], op: Op, text: str) -> None:
    """Adds a segment unless it is empty, or lengthens the last one where it has the same op."""
    if segments and segments[-1][0] == op:
        segments[-1] = (op, segments[-1][1] + text)
    elif text:
        segments.append((op, text))


def _changes(old: Sequence[str], new: Sequence[str], deadline: float) -> list[_Change]:
    i = j = 0
    changes = [_Change([], [], [])]
    for op, count in compare(old, new, deadline):
        if op != "equal" and changes[-1].equal:
            changes.append(_Change([], [], []))
        if op == "cut":
            changes[-1].cut.extend(old[i : i + count])
        elif op == "add":
            changes[-1].add.extend(new[j : j + count])
        else:
            changes[-1].equal.extend(old[i : i + count])
        i += count * (op != "add")
        j += count * (op != "cut")
    return changes


def _phrases(changes: Sequence[_Change]) -> list[_Change]:
    """The changes, joined where what stands between two of them is shorter than both: a phrase reads as one change."""
    joined: list[_Change] = []
    for change in changes:
        last = joined[-1] if joined else None
        if last and _size(last) and _words(last.equal) < min(_size(last), _size(change)):
            last.cut += last.equal + change.cut
            last.add += last.equal + change.add
            last.equal = change.equal
        else:
            joined.append(change)
    return joined


def _size(change: _Change) -> int:
    """In words, at least one, or nothing for a line's unchanged beginning."""
    if not change.cut and not change.add:
        return 0
    return max(_words(change.cut), _words(change.add), 1)


def _words(part: Sequence[str]) -> int:
    return sum(token[0].isalnum() for token in part)
