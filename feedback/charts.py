"""Small charts as coordinates: numbers in, points of an SVG out. No Django, no markup."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spark:
    """A trend line: `line` and `area` are SVG path data, `label` says it in words, `rising` asks for attention."""

    width: int
    height: int
    line: str
    area: str
    label: str
    rising: bool


def spark(values: Sequence[int], *, width: int, height: int, unit: str = "reports") -> Spark | None:
    """A line through one value per day, oldest first; None for less than two days or nothing at all."""
    if len(values) < 2 or not any(values):
        return None
    top, gap = max(values), width / (len(values) - 1)
    points = [(round(i * gap, 1), round(height - 3 - value / top * (height - 6), 1)) for i, value in enumerate(values)]
    line = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
    half = len(values) // 2
    rising = sum(values[half:]) > 1.25 * sum(values[:half])
    return Spark(width, height, line, f"{line} V{height} H0Z", _in_words(values, unit, rising), rising)


def _in_words(values: Sequence[int], unit: str, rising: bool) -> str:
    way = "rising" if rising else "not rising"
    return f"{sum(values)} {unit} in {len(values)} days, {way}, at most {max(values)} a day"


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of a bar chart, in SVG units; the bad part is drawn over the foot of the whole."""

    x: float
    width: float
    y: float
    height: float
    bad_y: float
    bad_height: float


def bars(days: Sequence[tuple[int, int]], *, width: int, height: int) -> list[Bar]:
    """One bar per (all, bad) pair, scaled to the highest day."""
    if not days:
        return []
    top, step = max(1, *(total for total, _ in days)), width / len(days)
    drawn = []
    for index, (total, bad) in enumerate(days):
        high, low = total / top * height, bad / top * height
        sizes = (index * step + 1, max(step - 2, 1), height - high, high, height - low, low)
        drawn.append(Bar(*(round(size, 1) for size in sizes)))
    return drawn
