"""What people say about an agent, and when: from the files beside this one to a list of reports."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any, Final

from reviewapp.sample.plan import Span, moment

HERE: Final = Path(__file__).parent
PRAISE: Final = frozenset({"numbered", "handover", "failing_test", "verdict", "thanks", "delivery_right"})
ONE_VOICE: Final = {"loud": "customer-0077", "hostile": "customer-0666"}
"""Themes that a single person keeps reporting; they must never count as many."""

# How busy each hour of the day is (UTC).
HOURS: Final = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 19, 17, 14, 16, 18, 17, 15, 12, 10, 9, 8, 6, 3, 2)


@dataclass(frozen=True, slots=True)
class Report:
    """One report before it is sent: `body` has the fields of the API; `theme` is known to the sample alone."""

    at: datetime
    theme: str
    body: dict[str, Any]


def spread(random: Random, span: Span) -> list[float]:
    """A time for each report of a span, in days as `plan.moment` reads them: earliest first, mostly by day.

    Depends on the seed alone, not on the time of loading.
    """
    found: list[float] = []
    while len(found) < span.count:
        days = span.end + (span.begin - span.end) * random.random()
        hour = int(-days % 1 * 24)
        if random.random() * max(HOURS) < HOURS[hour]:
            found.append(days)
    return sorted(found, reverse=True)


def load(agent: str) -> dict[str, dict[str, Any]]:
    """The themes of an agent's file by name; each has `texts`, `pairs` of output and correction, perhaps with
    what was `asked`, or `inputs`.
    """
    return tomllib.loads((HERE / agent / "voices.toml").read_text(encoding="utf-8"))


class Voices:
    """All that is said about one agent; each text is said once, in the order of the file."""

    def __init__(self, agent: str, random: Random) -> None:
        self.agent, self.random = agent, random
        self._bodies = {name: self._said(theme) for name, theme in load(agent).items()}
        self._people = iter(random.sample(range(1000, 9999), 2000))

    def reports(self, spans: Sequence[Span], now: datetime) -> list[Report]:
        """The reports of these spans, oldest first."""
        found = [report for span in spans for report in self._span(span, now)]
        return sorted(found, key=lambda report: report.at)

    def _span(self, span: Span, now: datetime) -> Iterator[Report]:
        for days in spread(self.random, span):
            body = {"rating": "positive" if span.theme in PRAISE else "negative", "user": self._user(span.theme)}
            yield Report(moment(now, days), span.theme, body | next(self._bodies[span.theme]))

    def _user(self, theme: str) -> str:
        return ONE_VOICE.get(theme) or f"customer-{next(self._people)}"

    def _said(self, theme: dict[str, Any]) -> Iterator[dict[str, Any]]:
        code = {"reason_code": theme["code"]} if "code" in theme else {}
        if "pairs" in theme:
            asked = theme.get("asked") or [""] * len(theme["pairs"])
            for (output, correction), reason, ask in zip(theme["pairs"], theme["reasons"], asked, strict=True):
                said = {"reason": reason, "input": ask}
                yield {**code, "output": output, "correction": correction, **{k: v for k, v in said.items() if v}}
        elif "inputs" in theme:
            labels = {"predicted": theme["predicted"], "expected": theme["expected"]}
            yield from ({**labels, "input": text} for text in cycle(theme["inputs"]))
        else:
            yield from ({**code, "reason": text} for text in theme["texts"])

    def thumbs(self, span: Span, now: datetime) -> list[Report]:
        """Thumbs without a word, most of them up."""
        times = spread(self.random, span)
        return [
            Report(moment(now, days), span.theme, {"user": self._user(span.theme), **self._thumb()}) for days in times
        ]

    def silent(self, span: Span, now: datetime) -> list[Report]:
        """What people did with an answer of which they said nothing."""
        bodies = cycle(({"regenerated": True}, {"edited_output": True}, {"abandoned": True, "task_completed": False}))
        return [
            Report(moment(now, days), span.theme, {"user": self._user(span.theme), "signals": next(bodies)})
            for days in spread(self.random, span)
        ]

    def _thumb(self) -> dict[str, Any]:
        up = self.random.random() < 0.86
        if self.random.random() < 0.3:
            return {"rating": "positive" if up else "negative", "signals": {"task_completed": up}}
        return {"rating": "positive" if up else "negative"}
