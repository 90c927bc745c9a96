"""How busy an agent is, and what that means for the drafts that are made for it by themselves. Knows no Django."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Traffic(StrEnum):
    """The profiles. `CRITICAL` is only ever chosen by a person."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Numbers:
    """`reports` are needed within `window_h` hours; for `cooldown_h` hours after a change nothing is drafted."""

    reports: int
    window_h: int
    cooldown_h: int


NUMBERS: Final = {
    Traffic.HIGH: Numbers(reports=5, window_h=48, cooldown_h=3),
    Traffic.MEDIUM: Numbers(reports=3, window_h=24, cooldown_h=6),
    Traffic.LOW: Numbers(reports=2, window_h=72, cooldown_h=12),
    Traffic.CRITICAL: Numbers(reports=1, window_h=24, cooldown_h=6),
}
BUSY: Final = 100.0
"""More runs a day than this are high traffic, fewer than QUIET low."""
QUIET: Final = 10.0


@dataclass(frozen=True, slots=True)
class Profile:
    """What holds for one agent. `is_chosen`: a person chose the profile; `is_changed`: they changed its numbers."""

    traffic: Traffic
    runs_a_day: float
    numbers: Numbers
    is_chosen: bool
    is_changed: bool


def by_runs(runs_a_day: float) -> Traffic:
    """The profile of an agent for which nobody chose one."""
    if runs_a_day > BUSY:
        return Traffic.HIGH
    return Traffic.MEDIUM if runs_a_day >= QUIET else Traffic.LOW


def profile(
    runs_a_day: float,
    *,
    chosen: str = "",
    reports: int | None = None,
    window_h: int | None = None,
    cooldown_h: int | None = None,
) -> Profile:
    """The profile by runs a day, or the chosen one, with those of its numbers changed that are given."""
    traffic = Traffic(chosen) if chosen else by_runs(runs_a_day)
    usual = NUMBERS[traffic]
    numbers = Numbers(
        usual.reports if reports is None else reports,
        usual.window_h if window_h is None else window_h,
        usual.cooldown_h if cooldown_h is None else cooldown_h,
    )
    return Profile(traffic, runs_a_day, numbers, bool(chosen), numbers != usual)
