"""When what happened, in days before today: the spans of every theme, and how much else there was."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

DAYS: Final = 21
NOW: Final = 0.0


@dataclass(frozen=True, slots=True)
class Span:
    """So many reports of one theme between two times, in days as `moment` reads them."""

    theme: str
    begin: float
    end: float
    count: int


VOICES: Final = {
    "support": (
        # Settled by a release: many before it, few after.
        Span("reset_links", 20, 10.7, 13),
        Span("reset_links", 9, 1, 3),
        Span("free_shipping", 20, 12, 9),
        Span("free_shipping", 8, 5, 1),
        Span("billing_refund", 13, 5.6, 36),
        Span("billing_refund", 5, 1, 3),
        # Changed, made worse, and taken back.
        Span("long_refunds", 20, 13.8, 9),
        Span("long_refunds", 12, 3, 2),
        # Still going on.
        Span("digital_refund", 8, NOW, 22),
        Span("islands", 7.5, NOW, 17),
        Span("apologies", 9, NOW, 17),
        Span("delivery_returns", 1.7, NOW, 24),
        Span("app_crash", 18.5, 13.8, 7),
        # Praise.
        Span("numbered", 20, NOW, 11),
        Span("handover", 15, NOW, 7),
        Span("thanks", 20.5, NOW, 12),
        # What must not become a pattern, or not be believed.
        Span("loud", 10, NOW, 10),
        Span("hostile", 12, 1, 3),
        Span("hidden", 2.5, 0.5, 2),
        Span("noise", 20.5, NOW, 30),
        # Labels that were right.
        Span("delivery_right", 6, NOW, 12),
    ),
    "coding": (
        Span("linter", 20, 11.6, 9),
        Span("linter", 9, 2, 2),
        Span("generated", 14, 4, 12),
        Span("generated", 2, NOW, 2),
        Span("unittest", 7.7, NOW, 13),
        Span("severity", 14, 5.6, 34),
        Span("severity", 5, 1, 2),
        Span("failing_test", 19, NOW, 9),
        Span("verdict", 14, NOW, 6),
        Span("thanks", 20, NOW, 7),
        Span("noise", 20, NOW, 16),
    ),
}

FAILURES: Final = {
    "support": (
        Span("search_limited", 20, 12.6, 46),
        Span("search_limited", 12, 1, 7),
        Span("no_tracker", 18, 13.8, 14),
        Span("lookup_timeout", 7.5, NOW, 44),
        Span("unhelpful", 8.6, 6.3, 26),
    ),
    "coding": (
        Span("tests_timeout", 19, 11.5, 23),
        Span("tests_timeout", 10, 1, 3),
    ),
}

RUNS: Final = {"support": 2300, "coding": 1000}
THUMBS: Final = {"support": 360, "coding": 120}
SILENT: Final = {"support": 36, "coding": 14}
"""Reports of what somebody did, without a word."""


def moment(now: datetime, days: float) -> datetime:
    """So many days before the beginning of today (UTC); the last of them is stretched to end half an hour ago.

    The order of moments is the same whatever the hour: texts are grouped in the order they come, and the story is told
    about these groups.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if days >= 1:
        return today - timedelta(days=days)
    yesterday = today - timedelta(days=1)
    return yesterday + (now - timedelta(minutes=30) - yesterday) * (1 - days)
