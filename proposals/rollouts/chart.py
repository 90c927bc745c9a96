"""The course of a rollout as coordinates: both arms as lines, and what the judge holds possible. No Django."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

WIDTH, HEIGHT = 560, 160
LOWER: Final = 90
"""The height of all charts but the first."""
_LEAST_SPAN: Final = {"points": 0.1, "ratio": 0.25, "scale": 0.5}
"""The axis never shows less than this, for latency of the longest, so that noise does not look like a cliff."""
_LEAST_SPANS: Final = {"negative": 0.04, "unsafe": 0.02}
_MOST: Final = {"points": (0.0, 1.0), "ratio": (0.0, float("inf")), "scale": (1.0, 5.0)}


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis, and what it stands for."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """SVG path data of both arms over the candidate's runs; `band` is where the candidate's value may be."""

    title: str
    width: int
    height: int
    candidate: str
    current: str
    band: str
    ticks: tuple[Tick, ...]
    runs: int


Look = tuple[int, Mapping[str, Any]]
"""The candidate's runs, and what was found on one metric, see `proposals.judging.Finding`."""


def charts(looks: Sequence[tuple[int, Sequence[Mapping[str, Any]]]]) -> list[Chart]:
    """One of each metric that can be drawn, from (runs of the candidate, findings) of each look, oldest first."""
    if not looks:
        return []
    by_metric = zip(*([(runs, one) for one in findings] for runs, findings in looks), strict=True)
    known = [list(of_one) for of_one in by_metric]
    first, rest = chart(known[0]), [chart(looks, LOWER) for looks in known[1:]]
    return [drawn for drawn in (first, *rest) if drawn]


def chart(looks: Sequence[Look], height: int = HEIGHT) -> Chart | None:
    """Of one metric; None before two looks can be drawn."""
    known = [(runs, one) for runs, one in looks if runs and _is_known(one)]
    if len({runs for runs, _ in known}) < 2:
        return None
    first, last = known[0][1], known[-1][0]
    low, high = _span(first, [value for _, one in known for value in (one["candidate"], one["current"])])

    def point(runs: int, value: float) -> str:
        inside = min(max(value, low), high)
        return f"{runs / last * WIDTH:.1f} {height - (inside - low) / (high - low) * height:.1f}"

    upper = [point(runs, _end(one, "high")) for runs, one in known]
    lower = [point(runs, _end(one, "low")) for runs, one in known]
    return Chart(
        first["title"][:1].upper() + first["title"][1:],
        WIDTH,
        height,
        _line([point(runs, one["candidate"]) for runs, one in known]),
        _line([point(runs, one["current"]) for runs, one in known]),
        f"{_line([*upper, *reversed(lower)])} Z",
        tuple(Tick(height * part, _label(first, high - part * (high - low))) for part in (0, 0.5, 1)),
        last,
    )


def _is_known(one: Mapping[str, Any]) -> bool:
    return all(one[name] is not None for name in ("candidate", "current", "low", "high"))


def _end(one: Mapping[str, Any], name: str) -> float:
    """One end of the interval of the difference, as a value that the candidate may have."""
    current, difference = float(one["current"]), float(one[name])
    return current * difference if one["unit"] == "ratio" else current + difference


def _span(one: Mapping[str, Any], values: Sequence[float]) -> tuple[float, float]:
    """From where to where the axis goes: around all values, within what is possible."""
    least, (floor, ceiling) = _LEAST_SPANS.get(one["metric"], _LEAST_SPAN[one["unit"]]), _MOST[one["unit"]]
    least = least * max(values) if one["unit"] == "ratio" else least
    middle, half = (min(values) + max(values)) / 2, max(max(values) - min(values), least, 1e-6) * 0.75
    low, high = max(floor, middle - half), min(ceiling, middle + half)
    return (low, high) if high - low >= least else (max(floor, high - least), min(ceiling, low + least))


def _label(one: Mapping[str, Any], value: float) -> str:
    if one["unit"] == "points":
        return f"{value * 100:.0f}\u00a0%"
    if one["unit"] == "scale":
        return f"{value:.1f}"
    return f"{value / 1000:.1f}\u00a0s" if value >= 1000 else f"{value:.0f}\u00a0ms"


def _line(points: Sequence[str]) -> str:
    return "M" + " L".join(points)
