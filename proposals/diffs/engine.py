"""Which lines are equal, which were rewritten, and which came or went."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from agents.history import hunks
from agents.sections import lines_of, marked, parse
from proposals.diffs.moves import mark_moves
from proposals.diffs.rows import Diff, Op, Row, Segment
from proposals.diffs.words import Budget, count_words, line_segments, tokens

MAX_COMPARISONS = 10_000
"""Pairs of lines compared for likeness in one difference."""

MAX_LIKENESS_CHARS = 4000
ALIKE = 0.4
"""Share of common words from which a line counts as rewritten rather than replaced."""


@dataclass(frozen=True, slots=True)
class _Line:
    """What a row says of its line besides the text."""

    heading: bool
    protected: bool
    section: str


def compute(before: str, after: str, protected: Collection[str] = ()) -> Diff:
    """The difference of two texts by lines and, within rewritten lines, by words.

    `protected` are headings; the lines in and below them are marked. Takes some tenths of a second at worst,
    plus time linear in the length of the texts; the same texts always have the same difference.
    """
    rows = mark_moves(tuple(_Builder(before, after, protected).rows()))
    return Diff(rows, _words(rows, "add"), _words(rows, "cut"))


def _words(rows: Sequence[Row], op: Op) -> int:
    """Words that came or went; those that only moved did neither."""
    return sum(count_words(text) for row in rows if not row.moved for own, text in row.segments if own == op)


class _Builder:
    """Walks both texts in step; `budget` is what is left of MAX_COMPARISONS, `words` what word diffs may still cost."""

    def __init__(self, before: str, after: str, protected: Collection[str]) -> None:
        self.old, self.new = lines_of(before), lines_of(after)
        self.about_old, self.about_new = _describe(before, protected), _describe(after, protected)
        self.budget, self.words = MAX_COMPARISONS, Budget()

    def rows(self) -> Iterator[Row]:
        i = j = 0
        for hunk in hunks(self.old, self.new):
            yield from (self._equal(i + step, j + step) for step in range(hunk.start - i))
            yield from self._block(range(hunk.start, hunk.end), range(hunk.new_start, hunk.new_end))
            i, j = hunk.end, hunk.new_end
        yield from (self._equal(i + step, j + step) for step in range(len(self.old) - i))

    def _block(self, cuts: range, adds: range) -> Iterator[Row]:
        """A stretch of old lines that became a stretch of new ones."""
        i, j = cuts.start, adds.start
        for cut, add in [*self._alike(cuts, adds), (cuts.stop, adds.stop)]:
            yield from (self._cut(line, (("cut", self.old[line]),)) for line in range(i, cut))
            yield from (self._add(line, (("add", self.new[line]),)) for line in range(j, add))
            if cut < cuts.stop:
                left, right = line_segments(self.old[cut], self.new[add], self.words)
                yield self._cut(cut, left, changed=True)
                yield self._add(add, right, changed=True)
            i, j = cut + 1, add + 1

    def _alike(self, cuts: range, adds: range) -> list[tuple[int, int]]:
        """Ascending pairs of lines of which one is the other rewritten, the sum of their likeness greatest."""
        size = len(cuts) * len(adds)
        if not size or size > self.budget:
            return []
        self.budget -= size
        bags_old = [(words := bag(self.old[line]), words.total()) for line in cuts]
        bags_new = [(words := bag(self.new[line]), words.total()) for line in adds]
        scores = [[_likeness(*old, *new) for new in bags_new] for old in bags_old]
        return [(cuts.start + a, adds.start + b) for a, b in _best_pairs(scores)]

    def _equal(self, i: int, j: int) -> Row:
        about = self.about_new[j]
        return Row("equal", i + 1, j + 1, (("equal", self.new[j]),), about.heading, about.protected, about.section)

    def _cut(self, i: int, segments: tuple[Segment, ...], *, changed: bool = False) -> Row:
        about = self.about_old[i]
        return Row("cut", i + 1, None, segments, about.heading, about.protected, about.section, changed)

    def _add(self, j: int, segments: tuple[Segment, ...], *, changed: bool = False) -> Row:
        about = self.about_new[j]
        return Row("add", None, j + 1, segments, about.heading, about.protected, about.section, changed)


def _describe(text: str, protected: Collection[str]) -> list[_Line]:
    sections = parse(text)
    locked = marked(sections, protected)
    return [
        _Line(section.level > 0 and line == section.start, locked[line], section.heading)
        for section in sections
        for line in range(section.start, section.end)
    ]


def bag(line: str) -> Counter[str]:
    """How often each word stands in the line, whatever its case."""
    return Counter(token.casefold() for token in tokens(line[:MAX_LIKENESS_CHARS]) if token[0].isalnum())


def likeness(old: Counter[str], new: Counter[str]) -> float:
    """Twice the common words by all words, 0 to 1. Two lines without any word are alike: a bullet, a rule, a blank."""
    return _likeness(old, old.total(), new, new.total())


def _likeness(old: Counter[str], old_total: int, new: Counter[str], new_total: int) -> float:
    total = old_total + new_total
    if not total:
        return 1.0
    common = sum([min(old[word], new[word]) for word in old.keys() & new.keys()])
    return 2 * common / total


def _best_pairs(scores: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Ascending index pairs with a likeness of at least ALIKE, their sum greatest."""
    height, width = len(scores), len(scores[0])
    best = [[0.0] * (width + 1) for _ in range(height + 1)]
    for i in range(height - 1, -1, -1):
        for j in range(width - 1, -1, -1):
            both = scores[i][j] + best[i + 1][j + 1] if scores[i][j] >= ALIKE else 0.0
            best[i][j] = max(both, best[i + 1][j], best[i][j + 1])
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < height and j < width:
        if scores[i][j] >= ALIKE and best[i][j] == scores[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs
