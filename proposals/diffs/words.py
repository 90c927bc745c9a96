"""Texts as word tokens, and the readable difference of two lines."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rapidfuzz.distance import LCSseq

from agents.history import common_ends
from proposals.diffs.rows import Op, Segment

MAX_CELLS = 1 << 28
"""Old tokens times new ones, for all word diffs of one difference: some 60 ms. Past it, what is left is replaced."""

MAX_LINE = 200_000
"""Characters of a line that is compared word by word."""

MAX_KEPT = 500
"""Characters of a line whose tokens are kept for a while."""

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


class Budget:
    """What comparing may still cost in one difference, in old tokens times new ones."""

    def __init__(self, cells: int = MAX_CELLS) -> None:
        self._left = cells

    def affords(self, cells: int) -> bool:
        """Whether so much is left; if so, it is spent."""
        if cells > self._left:
            return False
        self._left -= cells
        return True


def compare(before: Sequence[str], after: Sequence[str], budget: Budget) -> list[tuple[Op, int]]:
    """(op, number of tokens) in order, so that as many tokens as can be are equal; cuts stand before additions.

    What the budget does not afford counts as replaced. By the bit-parallel longest common subsequence of Hyyrö (2004).
    """
    head, tail = common_ends(before, after)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    between = _aligned(old, new) if budget.affords(len(old) * len(new)) else [("cut", len(old)), ("add", len(new))]
    parts: list[tuple[Op, int]] = [("equal", head), *between, ("equal", tail)]
    return [part for part in parts if part[1]]


def _aligned(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[Op, int]]:
    numbers: dict[str, int] = {}  # exact, where hashes of words are only most likely so
    sides = [[numbers.setdefault(token, len(numbers)) for token in side] for side in (old, new)]
    for op in LCSseq.opcodes(*sides):
        if op.tag == "equal":
            yield "equal", op.src_end - op.src_start
        else:
            yield "cut", op.src_end - op.src_start
            yield "add", op.dest_end - op.dest_start


@dataclass(slots=True)
class _Change:
    """Old tokens that became new ones, then the tokens both have before the next change."""

    cut: list[str]
    add: list[str]
    equal: list[str]


def line_segments(before: str, after: str, budget: Budget) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Word-level marks of a rewritten line: its old segments (equal, cut) and its new ones (equal, add).

    A line of more than MAX_LINE characters gets none; nobody reads it.
    """
    if max(len(before), len(after)) > MAX_LINE:
        return (("cut", before),), (("add", after),)
    left: list[Segment] = []
    right: list[Segment] = []
    for change in _phrases(_changes(tokens(before), tokens(after), budget)):
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


def _changes(old: Sequence[str], new: Sequence[str], budget: Budget) -> list[_Change]:
    i = j = 0
    changes = [_Change([], [], [])]
    for op, count in compare(old, new, budget):
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
