"""Small charts as coordinates: numbers in, points of an SVG out. No Django, no markup."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


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


@dataclass(frozen=True, slots=True)
class Mark:
    """A release in a chart: where it stands, and what it was."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line as SVG path data; where a value is missing it is broken, and a value alone is a dash."""

    path: str


def line(values: Sequence[float | None], least: float, most: float, *, width: int, height: int) -> Line:
    """One value per bin, from `least` at the foot to `most` at the top."""
    parts = []
    for run in _unbroken(values):
        points = [_point(index, value, least, most, len(values), width, height) for index, value in run]
        if len(points) == 1:
            points = [(points[0][0] - 2, points[0][1]), (points[0][0] + 2, points[0][1])]
        parts.append("M" + " L".join(f"{x:g} {y:g}" for x, y in points))
    return Line(" ".join(parts))


def band(limits: Sequence[tuple[float, float] | None], least: float, most: float, *, width: int, height: int) -> str:
    """The area between two lines, as SVG path data."""
    step, parts = width / max(1, len(limits)), []
    for run in _unbroken(limits):
        upper = [_point(index, high, least, most, len(limits), width, height) for index, (_, high) in run]
        lower = [_point(index, low, least, most, len(limits), width, height) for index, (low, _) in reversed(run)]
        if len(run) == 1:  # as wide as its bin, or it would have no area
            (x, top), (_, foot), half = upper[0], lower[0], round(step / 3, 1)
            upper, lower = [(x - half, top), (x + half, top)], [(x + half, foot), (x - half, foot)]
        parts.append("M" + " L".join(f"{x:g} {y:g}" for x, y in [*upper, *lower]) + "Z")
    return " ".join(parts)


def _unbroken(values: Sequence[T | None]) -> Iterator[list[tuple[int, T]]]:
    """Stretches without a gap, each value with its place."""
    run: list[tuple[int, T]] = []
    for index, value in enumerate(values):
        if value is not None:
            run.append((index, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _point(
    index: int, value: float, least: float, most: float, bins: int, width: int, height: int
) -> tuple[float, float]:
    part = (value - least) / (most - least) if most > least else 1.0
    return round((index + 0.5) * width / bins, 1), round(height - 1 - min(max(part, 0.0), 1.0) * (height - 2), 1)
