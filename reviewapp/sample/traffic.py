"""Send what happened, in the order it happened, through the same reading and storing as the API."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Any, Final

import msgspec
from django.db.models import F

from agents.models import Agent, ApiKey, Document, Split
from agents.serving import gets_candidate
from feedback.ingest.reading import LONGEST_LIST, Read, Reader
from feedback.ingest.rows import Row, Sender, feedback_row, run_row
from feedback.ingest.shapes import FeedbackIn, RunIn
from feedback.ingest.storing import FEEDBACK, RUNS, Table, store
from feedback.models import Evidence, Feedback, Pattern, Run
from reviewapp.sample.voices import Report

_FEEDBACK: Final = Reader(FeedbackIn)
_RUNS: Final = Reader(RunIn)
_RECENT: Final = 25
"""Feedback is about one of so many latest runs."""


class Traffic:
    """The reports of one agent on their way in; `runs` and `voices` are oldest first."""

    def __init__(
        self,
        agent: Agent,
        key: ApiKey,
        document: str,
        *,
        runs: Sequence[Report],
        voices: Sequence[Report],
        random: Random,
    ) -> None:
        self.agent, self.key, self.document, self.random = agent, key, document, random
        self._waiting = sorted([*((r, True) for r in runs), *((v, False) for v in voices)], key=lambda pair: pair[0].at)
        self._recent: list[tuple[str, int]] = []
        self.themes: dict[str, str] = {}
        """Of every report sent so far: its id and its theme."""

    def send_until(self, moment: datetime) -> int:
        """Send everything that happened before this moment; how much it was. Call it before the version changes."""
        served = self._served()
        due = [pair for pair in self._waiting if pair[0].at < moment]
        self._waiting = self._waiting[len(due) :]
        runs: list[dict[str, Any]] = []
        voices: list[dict[str, Any]] = []
        for report, is_run in due:
            (runs if is_run else voices).append(self._finished(report, is_run, served))
        self._store_runs(runs, moment)
        self._store_feedback(voices, moment)
        ApiKey.objects.filter(pk=self.key.pk).update(last_used_at=moment)
        return len(due)

    def _served(self) -> Callable[[str], int]:
        """Which version a unit gets now, by the same throw as when it reads its instructions."""
        document = Document.objects.named(self.agent.slug, self.document).select_related("current").get()
        current = document.current.number if document.current else 1
        split = Split.objects.live().filter(document=document).select_related("candidate").first()
        if split is None:
            return lambda unit: current
        return lambda unit: split.candidate.number if gets_candidate(split.salt, unit, split.share) else current

    def _finished(self, report: Report, is_run: bool, served: Callable[[str], int]) -> dict[str, Any]:
        version = served(report.body.get("unit", ""))
        external_id = f"{'run' if is_run else 'fb'}-{self.random.getrandbits(48):012x}"
        self.themes[external_id] = report.theme
        body = {"id": external_id, "version": version, "at": report.at.isoformat(), **report.body}
        if is_run:
            self._recent = [*self._recent[1 - _RECENT :], (external_id, version)]
        elif self._recent:
            body["run_id"], body["version"] = self.random.choice(self._recent)
        return body

    def _store_runs(self, bodies: Sequence[Mapping[str, Any]], now: datetime) -> None:
        for part in _parts(bodies):
            good = [_good(read) for read in _RUNS.many(msgspec.json.encode(part), now)]
            _store(RUNS, [run_row(read, self.agent.pk, self._sender()) for read in good])
        Run.objects.filter(agent=self.agent, received_at__gt=F("at")).update(received_at=F("at"))

    def _store_feedback(self, bodies: Sequence[Mapping[str, Any]], now: datetime) -> None:
        for part in _parts(bodies):
            good = [_good(read) for read in _FEEDBACK.many(msgspec.json.encode(part), now)]
            _store(FEEDBACK, [feedback_row(read, self.agent.pk, self._sender()) for read in good])
        Feedback.objects.filter(agent=self.agent, received_at__gt=F("at")).update(received_at=F("at"))

    def _sender(self) -> Sender:
        return Sender(self.key.pk, self.key.party)

    def pattern_about(self, theme: str) -> Pattern:
        """The pattern that holds most reports of a theme. Raises LookupError when there is none."""
        ids = [external_id for external_id, its in self.themes.items() if its == theme]
        found: Counter[int] = Counter()
        for report in ("feedback", "run"):
            path = {f"{report}__agent": self.agent, f"{report}__external_id__in": ids}
            found.update(Evidence.objects.filter(**path).values_list("pattern", flat=True))
        if not found:
            raise LookupError(f"The miner found no pattern about {theme}.")
        return Pattern.objects.get(pk=found.most_common(1)[0][0])


def _parts(bodies: Sequence[Mapping[str, Any]]) -> list[Sequence[Mapping[str, Any]]]:
    return [bodies[start : start + LONGEST_LIST] for start in range(0, len(bodies), LONGEST_LIST)]


def _good(read: Read[Any] | list[Any]) -> Read[Any]:
    if isinstance(read, Read):
        return read
    raise ValueError(f"The sample data holds a bad report: {read}")


def _store(table: Table, rows: list[Row]) -> None:
    if rows:
        store(table, rows)
