"""The client: instructions that are there whatever happens, and reports that arrive once."""

import hashlib
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from countersign.copies import Copies, Copy, Instructions, Seen, age
from countersign.errors import NeverServed, Refused
from countersign.fields import Feedback, Run
from countersign.reports import Reports, Sent
from countersign.wire import Answer, Pause, Unreachable, Wire

if TYPE_CHECKING:
    from typing_extensions import Unpack

log = logging.getLogger("countersign")
POLL_S = 30.0
TIMEOUT_S = 3.0
MOST_WAITING_BYTES = 10_000_000
ASK_AGAIN_S = 1.0
"""Where there is no copy at all, somebody may ask again after this."""


@dataclass
class Tracked:
    """A run under way: say what is known of it in `fields`, and that it failed with `success`."""

    id: str
    success: bool = True
    fields: Run = field(default_factory=Run)


class Countersign:
    """A board at `url`, with a key of the scopes read and ingest. Copies and waiting reports are kept in `folder`.

    Threads may share one, processes the folder. The board is asked at most once in `poll_s` for each agent, document
    and unit, and given `timeout_s` to answer; `most_waiting_bytes` of reports may wait.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        folder: str | Path,
        poll_s: float = POLL_S,
        timeout_s: float = TIMEOUT_S,
        most_waiting_bytes: int = MOST_WAITING_BYTES,
    ) -> None:
        self._url, self._folder, self._poll_s = url.rstrip("/"), Path(folder), poll_s
        self._wire = Wire(self._url, key, timeout_s)
        self._pause = Pause()
        self._lock = threading.Lock()
        self._copies: dict[tuple[str, str], Copies] = {}
        name = f"reports-{hashlib.sha256(self._url.encode()).hexdigest()[:16]}.jsonl"
        self._reports = Reports(self._wire, self._folder / name, most_waiting_bytes)

    def instructions(self, agent: str, document: str, unit: str | None = None) -> Instructions:
        """What to go by now. A `unit` (session, conversation, user) keeps its version while a change is rolled out.

        Raises NeverServed when the board gives none and never did.
        """
        copies = self._copies_of(agent, document)
        seen = copies.seen(unit)
        if time.monotonic() >= seen.next_at and seen.lock.acquire(blocking=not seen.is_served):
            try:
                self._refresh(copies, seen, agent, document, unit)
            finally:
                seen.lock.release()
        copy, problem = copies.last(unit, seen), seen.problem
        if copy is None:
            raise NeverServed(f"No instructions for {agent}/{document}, and no copy of any: {problem}")
        what = (copy.text, copy.version, copy.digest, copy.arm, age(copy))
        return Instructions(agent, document, unit, *what, stale=bool(problem), problem=problem)

    def report(self, agent: str, **said: "Unpack[Feedback]") -> Sent:
        """Report what somebody said. With your own `id` the same may be reported again. Raises Refused."""
        return self._reports.send("feedback", {"agent": agent, **said})

    def run(self, agent: str, *, success: bool, **known: "Unpack[Run]") -> Sent:
        """Report how a run went. Raises Refused."""
        return self._reports.send("runs", {"agent": agent, "success": success, **known})

    @contextmanager
    def tracked(
        self, agent: str, instructions: Instructions | None = None, **known: "Unpack[Run]"
    ) -> Iterator[Tracked]:
        """Report what is done within as a run: whether it succeeded, its error and how long it took. Reporting never
        fails it; what the board refuses is logged.
        """
        about: dict[str, Any] = {} if instructions is None else _about(instructions)
        tracked = Tracked(known.get("id") or uuid4().hex, fields=Run(**known))
        started = time.perf_counter()
        try:
            yield tracked
        except BaseException as error:
            tracked.success = False
            about |= {"error_type": type(error).__name__, "error": str(error)[:2000] or type(error).__name__}
            raise
        finally:
            about |= {"latency_ms": round((time.perf_counter() - started) * 1000, 1)}
            try:
                self.run(agent, success=tracked.success, **{**about, **tracked.fields, "id": tracked.id})
            except Refused as refusal:
                log.error("The board did not take run %s: %s", tracked.id, refusal)

    def flush(self) -> bool:
        """Send the reports that wait; whether none waits any more."""
        return self._reports.flush()

    @property
    def dropped(self) -> int:
        """Reports that this client had to drop, because too many waited."""
        return self._reports.spool.dropped

    @property
    def refusals(self) -> list[Refused]:
        """The last reports that had waited and that the board would not take."""
        return list(self._reports.refusals)

    def _copies_of(self, agent: str, document: str) -> Copies:
        with self._lock:
            key = (agent, document)
            if key not in self._copies:
                self._copies[key] = Copies(self._folder, self._url, agent, document)
            return self._copies[key]

    def _refresh(self, copies: Copies, seen: Seen, agent: str, document: str, unit: str | None) -> None:
        if time.monotonic() < seen.next_at:
            return  # somebody else did, while we waited for the lock
        has_copy = copies.last(unit, seen) is not None
        if has_copy and not self._pause.may_try(self._wire.timeout_s):
            seen.problem = self._pause.problem
            return
        try:
            copy = self._ask(copies.known(), agent, document, unit)
        except Unreachable as error:
            seen.problem = str(error)
            seen.next_at = time.monotonic() + (self._poll_s if has_copy else ASK_AGAIN_S)
            log.warning("Instructions for %s/%s could not be read: %s", agent, document, error)
        else:
            copies.keep(unit, seen, copy)
            seen.problem, seen.next_at = "", time.monotonic() + self._poll_s

    def _ask(self, known: dict[str, Copy], agent: str, document: str, unit: str | None) -> Copy:
        """What the board serves, whole and with its digest. Raises Unreachable."""
        path = f"/agents/{quote(agent, safe='')}/instructions/{quote(document, safe='')}"
        query = f"?{urlencode({'unit': unit})}" if unit else ""
        at = time.time()
        try:
            answer = self._wire.call("GET", path + query, tags=", ".join(known))
        except Unreachable as error:
            self._pause.failed(f"The board cannot be reached: {error}")
            raise Unreachable(self._pause.problem) from None
        if answer.is_away:
            self._pause.failed(answer.says, answer.retry_after)
        else:
            self._pause.worked()
        copy = known.get(answer.headers.get("etag", "")) if answer.status == 304 else _copy(answer, agent, document)
        if copy is None:
            raise Unreachable(answer.says)
        return replace(copy, at=at)


def _copy(answer: Answer, agent: str, document: str) -> Copy | None:
    told = answer.problem if answer.status == 200 else {}
    if (told.get("agent"), told.get("document")) != (agent, document):
        return None
    rollout = told.get("rollout") or {"arm": None, "id": None}
    return Copy.of(
        {
            "text": told.get("content"),
            "version": told.get("version"),
            "digest": told.get("sha256"),
            "etag": answer.headers.get("etag", ""),
            "arm": rollout.get("arm") if isinstance(rollout, dict) else "?",
            "rollout": rollout.get("id") if isinstance(rollout, dict) else None,
            "at": 0.0,
        }
    )


def _about(instructions: Instructions) -> dict[str, Any]:
    known: dict[str, Any] = {"document": instructions.document, "version": instructions.version}
    return known | ({"unit": instructions.unit} if instructions.unit else {})
