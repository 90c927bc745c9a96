"""Reports on their way to the board: at once if it takes them, else from the spool, later and each once."""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from countersign.errors import Refused
from countersign.spool import MOST_BYTES_AT_ONCE, Line, Spool, spelt
from countersign.wire import Answer, Pause, Unreachable, Wire

log = logging.getLogger("countersign")
Kind = Literal["feedback", "runs"]
LOCKED_OUT = (401, 403)
"""Of a whole list, this is about the key: what waits may be taken under the next one."""


class Sent(NamedTuple):
    """What became of a report: the board has it, it waits, or there was no room for it to wait."""

    id: str
    state: Literal["stored", "waiting", "dropped"]


class Reports:
    """Those of one client."""

    def __init__(self, wire: Wire, path: Path, most_bytes: int) -> None:
        self._wire = wire
        self._pause = Pause()
        self._sending = threading.Lock()
        self.spool = Spool(path, most_bytes)
        self.refusals: deque[Refused] = deque(maxlen=100)

    def send(self, kind: Kind, said: Mapping[str, Any]) -> Sent:
        """Raises Refused where the board will never take it."""
        body = {"id": uuid4().hex, "at": _now(), **said}
        try:
            raw = spelt(body)
        except (TypeError, ValueError) as error:
            raise Refused(422, f"This cannot be sent as JSON: {error}") from None
        if len(raw) > MOST_BYTES_AT_ONCE:
            raise Refused(413, f"A report of {len(raw):,} bytes is too large.")
        answer = self._post(kind, raw)
        if answer and answer.is_refusal:
            raise _refusal(answer)
        if answer and answer.status in (200, 201) and answer.problem.get("id") == body["id"]:
            self._send_waiting()
            return Sent(body["id"], "stored")
        is_kept = self.spool.add({"kind": kind, "body": body})
        return Sent(body["id"], "waiting" if is_kept else "dropped")

    def flush(self) -> bool:
        """Send what waits, batch by batch; whether nothing waits any more."""
        while self._send_waiting():
            pass
        return self.spool.is_empty

    def _send_waiting(self) -> bool:
        """One batch; whether it went. One thread of one process sends; who comes meanwhile leaves it to that one."""
        if self.spool.is_empty or not self._sending.acquire(blocking=False):
            return False
        try:
            with self.spool.alone():
                return self._send_batch()
        except BlockingIOError:
            return False
        except OSError as error:
            log.warning("Reports that wait cannot be read, or not taken off the list: %s", error)
            return False
        finally:
            self._sending.release()

    def _send_batch(self) -> bool:
        batch = self.spool.batch()
        if batch is None:
            return False
        kinds: tuple[Kind, Kind] = ("runs", "feedback")
        if not all(self._send_list(kind, [one for one in batch.lines if one["kind"] == kind]) for kind in kinds):
            return False
        self.spool.done(batch)
        return True

    def _send_list(self, kind: Kind, lines: list[Line]) -> bool:
        """Whether the board has answered for each of them. What is no good is found out by halves."""
        if not lines:
            return True
        answer = self._post(kind, spelt([one["body"] for one in lines]))
        if answer is None:
            return False
        if not answer.is_refusal:
            return self._is_told_of_each(answer, lines)
        if answer.status in LOCKED_OUT:
            self._pause.failed(answer.says)
            log.warning("%s Reports wait.", answer.says)
            return False
        if len(lines) == 1:
            self._refused(lines[0], _refusal(answer))
            return True
        middle = len(lines) // 2
        return self._send_list(kind, lines[:middle]) and self._send_list(kind, lines[middle:])

    def _is_told_of_each(self, answer: Answer, lines: list[Line]) -> bool:
        told = answer.problem if answer.status == 207 else {}
        try:
            rejected = [(lines[one["index"]], Refused(422, "not taken", one["errors"])) for one in told["rejected"]]
            if told["accepted"] + told["duplicates"] + len(rejected) != len(lines):
                return False
        except (AttributeError, IndexError, KeyError, TypeError):
            return False
        for line, refusal in rejected:
            self._refused(line, refusal)
        return True

    def _post(self, kind: Kind, raw: bytes) -> Answer | None:
        """The answer; None where there is none, or none is to be had for now."""
        if not self._pause.may_try(self._wire.timeout_s):
            return None
        try:
            answer = self._wire.call("POST", f"/{kind}", raw)
        except Unreachable as error:
            self._pause.failed(str(error))
            return None
        if answer.is_refusal or answer.status < 300:
            self._pause.worked()
        else:
            self._pause.failed(answer.says, answer.retry_after)
            log.warning("Reports wait. %s", answer.says)
        return answer

    def _refused(self, line: Line, refusal: Refused) -> None:
        self.refusals.append(refusal)
        log.error("The board did not take report %s, which waited: %s", line["body"].get("id"), refusal)


def _refusal(answer: Answer) -> Refused:
    errors = answer.problem.get("errors") or []
    return Refused(answer.status, str(answer.problem.get("detail") or "not taken"), errors)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
