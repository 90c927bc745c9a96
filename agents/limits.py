"""How much a key may ask, by the kind of call.

All calls of a key together have a limit for each minute; it holds off a loop that runs away. Agents at work fetch
instructions and report, all the time, and that is cheap; all other calls have a smaller limit of their own. Reports and
other calls count for the day as well, each report of a list as one; fetching instructions does not, because agents ask
before every run. Windows are whole minutes and whole days (UTC), counted by `agents.spending`.
"""

import time
from collections.abc import MutableMapping
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol

from django.conf import settings

from agents import spending
from agents.problems import Problem
from agents.spending import Spent, Window
from audit.numbers import number

MINUTE_S: Final = 60
DAY_S: Final = 86_400

_SPENT: Final = "countersign.calls_spent"
_HEADERS: Final = "countersign.limit_headers"


class Call(Enum):
    """What is asked for, as far as limits tell it apart."""

    INSTRUCTIONS = "i"
    REPORT = "r"
    OTHER = "o"


class Limits(NamedTuple):
    """At most so many calls a minute, of them `a_minute_of_others` that are Call.OTHER, and a day; 0 for no limit."""

    a_minute: int
    a_minute_of_others: int
    a_day: int

    def __str__(self) -> str:
        parts = [
            (self.a_minute, "calls a minute"),
            (self.a_minute_of_others, "a minute that neither fetch instructions nor report"),
            (self.a_day, "reports and other calls a day"),
        ]
        return ", ".join(f"{number(most)} {what}" for most, what in parts if most)


class Limited(Protocol):
    """A caller, as far as this needs to know it."""

    @property
    def prefix(self) -> str: ...
    @property
    def limits(self) -> Limits | None: ...


def of_key(a_minute: int | None, a_day: int | None) -> Limits | None:
    """The limits of a key: its own, or the board's where it has none (0 is none for good); None for no limit at all."""
    others = settings.COUNTERSIGN_KEY_OTHER_CALLS_A_MINUTE
    found = Limits(
        settings.COUNTERSIGN_KEY_CALLS_A_MINUTE if a_minute is None else a_minute,
        0 if a_minute == 0 else others,
        settings.COUNTERSIGN_KEY_CALLS_A_DAY if a_day is None else a_day,
    )
    if 0 < found.a_minute <= others:
        found = found._replace(a_minute_of_others=0)  # the other one says it already
    return found if any(found) else None


def spend(environ: MutableMapping[str, Any], caller: Limited, call: Call, weight: int = 1) -> None:
    """Count this request against its key's limits, at `weight` of the day's calls.

    Asked again within one request, it counts only what came on top. Raises Problem (429).
    """
    before = environ.get(_SPENT, 0)
    if caller.limits is None or (before and weight <= before):
        return
    now = int(time.time())
    windows = _windows(caller.prefix, caller.limits, call, now)
    if not windows:
        return
    environ[_SPENT] = max(weight, 1)
    weights = [weight - before if window.width_s == DAY_S else 0 if before else 1 for window in windows]
    spent = spending.spend(f"{caller.prefix}{call.value}", windows, weights)
    environ[_HEADERS] = headers = _told(windows, spent.used, now)
    if spent.full:
        raise _refusal(windows, spent, now, headers, reports=weight, before=before)


def headers_of(environ: MutableMapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What to tell whoever sent this request of their limits: nothing where there are none, or nothing was counted."""
    found: tuple[tuple[str, str], ...] = environ.get(_HEADERS, ())
    return found


def _windows(prefix: str, limits: Limits, call: Call, now: int) -> tuple[Window, ...]:
    """The windows that such a call counts in."""
    start, minute, day = f"countersign:calls:{prefix}", now // MINUTE_S, now // DAY_S
    found = [Window("minute", limits.a_minute, MINUTE_S, f"{start}:m{minute}")]
    if call is Call.OTHER:
        found.append(Window("other", limits.a_minute_of_others, MINUTE_S, f"{start}:o{minute}"))
    if call is not Call.INSTRUCTIONS:
        found.append(Window("day", limits.a_day, DAY_S, f"{start}:d{day}"))
    return tuple(window for window in found if window.most)


def _told(windows: tuple[Window, ...], used: tuple[int, ...], now: int) -> tuple[tuple[str, str], ...]:
    """RateLimit and RateLimit-Policy, as draft-ietf-httpapi-ratelimit-headers-11 has them."""
    state = ", ".join(
        f'"{window.name}";r={max(0, window.most - taken)};t={window.width_s - now % window.width_s}'
        for window, taken in zip(windows, used, strict=True)
    )
    return (("RateLimit-Policy", _policy(windows)), ("RateLimit", state))


def _policy(windows: tuple[Window, ...]) -> str:
    return ", ".join(f'"{window.name}";q={window.most};w={window.width_s}' for window in windows)


def _refusal(
    windows: tuple[Window, ...],
    spent: Spent,
    now: int,
    headers: tuple[tuple[str, str], ...],
    *,
    reports: int,
    before: int,
) -> Problem:
    full, used = windows[spent.full - 1], spent.used[spent.full - 1]
    wait, left = full.width_s - now % full.width_s, max(0, full.most - used + before)
    what = {
        "minute": f"{full.most} calls a minute.",
        "other": f"{full.most} calls a minute that neither fetch instructions nor report.",
        "day": f"{full.most} calls and reports a day; fetching instructions does not count.",
    }[full.name]
    many = (
        f" This list has {reports} reports, and {left} more fit into today."
        if full.name == "day" and reports > 1
        else ""
    )
    detail = f"This API key may make {what}{many} Nothing was stored; try again in {wait} s."
    return Problem(429, "quota-exceeded", detail, headers={**dict(headers), "Retry-After": str(wait)})
