"""Long texts in parts, so that a page stays light whatever it shows. Knows no Django."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

LARGEST: Final = 18_000
"""Characters of a part, about; a line counts for LINE more than it has, for what stands around it."""
LINE: Final = 30
MAX_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Some lines of a text; `first` and `last` count from 1, `whole` is how many there are in all."""

    lines: Sequence[T]
    number: int
    count: int
    first: int
    last: int
    whole: int

    @property
    def before(self) -> int | None:
        """The number of the part before it."""
        return self.number - 1 if self.number > 1 else None

    @property
    def after(self) -> int | None:
        """The number of the part after it."""
        return self.number + 1 if self.number < self.count else None


def part_of(
    lines: Sequence[T],
    asked: str = "",
    *,
    weight: Callable[[T], int],
    heading: Callable[[T], bool] = lambda line: False,
    wanted: Callable[[T], bool] | None = None,
    largest: int = LARGEST,
) -> Part[T]:
    """The part with the number `asked`, or, before that, the one with the first line that is `wanted`.

    A part ends before a heading if that leaves it three quarters full. What is asked for and is not there is the last
    part; what is no number is the first.
    """
    starts = _starts(lines, weight, heading, largest)
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= MAX_DIGITS else 1
    if wanted is not None and len(starts) > 1:
        place = next((place for place, line in enumerate(lines) if wanted(line)), None)
        number = number if place is None else sum(start <= place for start in starts)
    number = min(max(number, 1), len(starts))
    first, last = starts[number - 1], [*starts[1:], len(lines)][number - 1]
    return Part(lines[first:last], number, len(starts), first + 1, last, len(lines))


def _starts(lines: Sequence[T], weight: Callable[[T], int], heading: Callable[[T], bool], largest: int) -> list[int]:
    starts, held = [0], 0
    for place, line in enumerate(lines):
        own = weight(line) + LINE
        if (held + own > largest and held) or (held > largest * 3 // 4 and heading(line)):
            starts.append(place)
            held = 0
        held += own
    return starts
