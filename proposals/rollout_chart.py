"""The course of a rollout as coordinates: both arms as lines, and what the judge holds possible. No Django."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 560, 160
LEAST_SPAN = 0.1
"""The axis never shows less than this much of a rate, so that noise does not look like a cliff."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis, and what it stands for."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """SVG path data of both arms' success rates over the candidate's runs; `band` is where the candidate's may be."""

    width: int
    height: int
    candidate: str
    current: str
    band: str
    ticks: tuple[Tick, ...]
    runs: int


def chart(looks: Sequence[tuple[int, Mapping[str, Any]]]) -> Chart | None:
    """From (runs of the candidate, finding on success) of each look, oldest first; None before two can be drawn."""
    known = [(runs, one) for runs, one in looks if runs and one["candidate"] is not None and one["current"] is not None]
    known = [(runs, one) for runs, one in known if one["low"] is not None]
    if len({runs for runs, _ in known}) < 2:
        return None
    rates = [value for _, one in known for value in (one["candidate"], one["current"])]
    low, high = _span(rates)
    last = known[-1][0]

    def point(runs: int, rate: float) -> str:
        inside = min(max(rate, low), high)
        return f"{runs / last * WIDTH:.1f} {HEIGHT - (inside - low) / (high - low) * HEIGHT:.1f}"

    upper = [point(runs, one["current"] + one["high"]) for runs, one in known]
    lower = [point(runs, one["current"] + one["low"]) for runs, one in known]
    return Chart(
        WIDTH,
        HEIGHT,
        _line([point(runs, one["candidate"]) for runs, one in known]),
        _line([point(runs, one["current"]) for runs, one in known]),
        f"{_line([*upper, *reversed(lower)])} Z",
        tuple(Tick(HEIGHT * part, f"{(high - part * (high - low)) * 100:.0f}\u00a0%") for part in (0, 0.5, 1)),
        last,
    )


def _span(rates: Sequence[float]) -> tuple[float, float]:
    middle, half = (min(rates) + max(rates)) / 2, max(max(rates) - min(rates), LEAST_SPAN) * 0.75
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return (low, high) if high - low >= LEAST_SPAN else (max(0.0, high - LEAST_SPAN), min(1.0, low + LEAST_SPAN))


def _line(points: Sequence[str]) -> str:
    return "M" + " L".join(points)
