"""What people say about an agent, and when: from the files beside this one to a list of reports."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any, Final

HERE: Final = Path(__file__).parent
PRAISE: Final = frozenset({"numbered", "handover", "failing_test", "verdict", "thanks"})
ONE_VOICE: Final = {"loud": "customer-0077", "hostile": "customer-0666"}
"""Themes that a single person keeps reporting; they must never count as many."""

# How busy each hour of the day is (UTC), and the days from Monday.
HOURS: Final = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 19, 17, 14, 16, 18, 17, 15, 12, 10, 9, 8, 6, 3, 2)
WEEK: Final = {"support": (10, 10, 9, 9, 10, 7, 6), "coding": (10, 11, 11, 10, 8, 1, 1)}


@dataclass(frozen=True, slots=True)
class Report:
    """One report before it is sent: `body` has the fields of the API; `theme` is known to the sample alone."""

    at: datetime
    theme: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """So many reports of one theme between two times, given in days before now."""

    theme: str
    begin: float
    end: float
    count: int


def moments(random: Random, agent: str, begin: datetime, end: datetime, count: int) -> list[datetime]:
    """So many times between two, in order, in the rhythm of day and week."""
    busiest = max(HOURS) * max(WEEK[agent])
    found: list[datetime] = []
    while len(found) < count:
        moment = begin + (end - begin) * random.random()
        if random.random() * busiest < HOURS[moment.hour] * WEEK[agent][moment.weekday()]:
            found.append(moment.replace(microsecond=random.randrange(1000) * 1000))
    return sorted(min(max(moment, begin), end) for moment in found)


class Voices:
    """All that is said about one agent; each text is said once, in the order of the file."""

    def __init__(self, agent: str, random: Random) -> None:
        self.agent, self.random = agent, random
        self.themes: dict[str, dict[str, Any]] = tomllib.loads((HERE / agent / "voices.toml").read_text())
        self._bodies = {name: self._said(theme) for name, theme in self.themes.items()}
        self._people = iter(random.sample(range(1000, 9999), 2000))

    def reports(self, spans: Sequence[Span], now: datetime) -> list[Report]:
        """The reports of these spans, oldest first."""
        found = [report for span in spans for report in self._span(span, now)]
        return sorted(found, key=lambda report: report.at)

    def _span(self, span: Span, now: datetime) -> Iterator[Report]:
        begin, end = now - timedelta(days=span.begin), now - timedelta(days=span.end)
        for at in moments(self.random, self.agent, begin, end, span.count):
            body = {"rating": "positive" if span.theme in PRAISE else "negative", "user": self._user(span.theme)}
            yield Report(at, span.theme, body | next(self._bodies[span.theme]))

    def _user(self, theme: str) -> str:
        return ONE_VOICE.get(theme) or f"customer-{next(self._people)}"

    def _said(self, theme: dict[str, Any]) -> Iterator[dict[str, Any]]:
        code = {"reason_code": theme["code"]} if "code" in theme else {}
        if "pairs" in theme:
            reasons = cycle(theme["reasons"])
            for output, correction in theme["pairs"]:
                reason = next(reasons)
                yield {**code, "output": output, "correction": correction, **({"reason": reason} if reason else {})}
        elif "inputs" in theme:
            labels = {"predicted": theme["predicted"], "expected": theme["expected"]}
            yield from ({**labels, "input": text} for text in cycle(theme["inputs"]))
        else:
            yield from ({**code, "reason": text} for text in theme["texts"])

    def thumbs(self, count: int, begin: datetime, end: datetime) -> list[Report]:
        """Thumbs without a word, three of four up."""
        times = moments(self.random, self.agent, begin, end, count)
        return [Report(at, "thumb", {"user": self._user("thumb"), **self._thumb()}) for at in times]

    def _thumb(self) -> dict[str, Any]:
        up = self.random.random() < 0.75
        if self.random.random() < 0.3:
            return {"rating": "positive" if up else "negative", "signals": {"task_completed": up}}
        return {"rating": "positive" if up else "negative"}

