"""Where lines of one text stand in another that was made from it. Pure; knows no Django."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.history import Hunk, hunks
from agents.sections import lines_of
from proposals.diffs.engine import ALIKE, bag, likeness

MAX_COMPARED = 400
"""New lines that one rewritten line is compared with; a larger block is beyond recognition."""


@dataclass(frozen=True, slots=True)
class Place:
    """Lines `start` to `end` of a text, counted from 1, both included."""

    start: int
    end: int


class Follower:
    """Finds in `new` what stood somewhere in `old`; takes one alignment of the two, however many places are asked."""

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = lines_of(old), lines_of(new)
        self.hunks = hunks(self.old, self.new)
        self._bags: dict[int, Counter[str]] = {}

    def follow(self, place: Place | None, quote: str) -> Place | None:
        """The place in the new text of what stood at `place` in the old one; None when it is gone.

        Unchanged lines go with the text around them. A line that changed is followed while the diff would call it
        rewritten rather than replaced. A place that is lost so, or was before (None), is found again where `quote`,
        the lines as they first were, or the lines as they were in the old text, come in exactly once, word for word.
        """
        if place is None:
            return self._brought_in(lines_of(quote))
        lines = range(place.start - 1, min(place.end, len(self.old)))
        found = [now for now in map(self._line, lines) if now is not None]
        if found and 2 * len(found) >= len(lines):
            return Place(min(found) + 1, max(found) + 1)
        return self._brought_in([self.old[line] for line in lines]) or self._brought_in(lines_of(quote))

    def _line(self, line: int) -> int | None:
        """Where one old line, counted from 0, stands now."""
        shift = 0
        for hunk in self.hunks:
            if line < hunk.start:
                break
            if line < hunk.end:
                return self._rewritten(line, hunk)
            shift = hunk.new_end - hunk.end
        return line + shift

    def _rewritten(self, line: int, hunk: Hunk) -> int | None:
        """The line of the hunk that says most nearly the same; of two as near, the one in the same order."""
        block = range(hunk.new_start, min(hunk.new_end, hunk.new_start + MAX_COMPARED))
        words = bag(self.old[line])
        if not words or not block:
            return None
        level = hunk.new_start + line - hunk.start
        likest = max(block, key=lambda now: (likeness(words, self._bag(now)), -abs(now - level)))
        return likest if likeness(words, self._bag(likest)) >= ALIKE else None

    def _bag(self, line: int) -> Counter[str]:
        if line not in self._bags:
            self._bags[line] = bag(self.new[line])
        return self._bags[line]

    def _brought_in(self, lines: Sequence[str]) -> Place | None:
        """Where the new text brings exactly these lines in, if it does so once. Blank ones are nowhere."""
        if not any(bag(line) for line in lines):
            return None
        found = list(self._occurrences([line.rstrip("\n") for line in lines]))
        return found[0] if len(found) == 1 else None

    def _occurrences(self, lines: Sequence[str]) -> Iterator[Place]:
        for hunk in self.hunks:
            new = [line.rstrip("\n") for line in self.new[hunk.new_start : hunk.new_end]]
            for at in range(len(new) - len(lines) + 1):
                if new[at : at + len(lines)] == lines:
                    yield Place(hunk.new_start + at + 1, hunk.new_start + at + len(lines))
