"""Reports that wait until the board takes them: a file of JSON lines, or memory where no file can be had."""

import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from countersign import files

log = logging.getLogger("countersign")
MOST_AT_ONCE = 500
MOST_BYTES_AT_ONCE = 900_000
"""The board takes lists of 1 000 and bodies of 1 MB."""

Line = dict[str, Any]
"""{"kind": "feedback" or "runs", "body": {…}}"""


@dataclass(frozen=True)
class Batch:
    """The oldest lines that wait; `size` are their bytes in the file, 0 where they are in memory."""

    lines: list[Line]
    size: int


class Spool:
    """One for all processes that share a folder and a board; `most_bytes` bound the file, and each memory."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._memory: list[bytes] = []
        self.dropped = 0

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Send what waits as the only process. Raises BlockingIOError while another does."""
        with ExitStack() as held:
            try:
                held.enter_context(files.locked(self._path.with_suffix(".sending"), 0.0))
            except BlockingIOError:
                raise
            except OSError:  # no file can be had; what waits in memory is ours anyway
                log.debug("No lock for %s", self._path)
            yield

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, as far as can be seen."""
        try:
            return not self._memory and self._path.stat().st_size == 0
        except OSError:
            return not self._memory

    def add(self, line: Line) -> bool:
        """Whether there was room for it."""
        raw = spelt(line) + b"\n"
        with self._lock:
            try:
                is_kept = self._append(raw)
            except OSError as error:
                is_kept = sum(map(len, self._memory)) + len(raw) <= self._most_bytes
                if is_kept:
                    self._memory.append(raw)
                    log.warning("Reports cannot be kept in %s: %s. They wait in memory.", self._path, error)
            if not is_kept:
                self._drop("There is no room for more reports that wait")
            return is_kept

    def batch(self) -> Batch | None:
        """What to send next; None when nothing waits. Raises OSError."""
        with self._lock:
            if self._memory:
                return Batch([json.loads(raw) for raw in self._memory[:MOST_AT_ONCE]], 0)
            try:
                with self._path.open("rb") as file:
                    raws = file.readlines(MOST_BYTES_AT_ONCE)[:MOST_AT_ONCE]
            except FileNotFoundError:
                return None
        return Batch([line for raw in raws if (line := _parsed(raw))], sum(map(len, raws))) if raws else None

    def done(self, batch: Batch) -> None:
        """Forget what was sent. Raises OSError."""
        with self._lock:
            if not batch.size:
                del self._memory[: len(batch.lines)]
                return
            with files.locked(self._path.with_suffix(".lock")):
                content = self._path.read_bytes()
                broken = content[: batch.size].count(b"\n") - len(batch.lines)
                files.replace(self._path, content[batch.size :])
            if broken > 0:
                self._drop("Reports that waited could not be read", broken)

    def _append(self, raw: bytes) -> bool:
        files.make(self._path.parent)
        with files.locked(self._path.with_suffix(".lock")):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "r+b", buffering=0) as file:
                size = file.seek(0, os.SEEK_END)
                if size and _last_byte(file) != b"\n":  # somebody died while writing it
                    raw = b"\n" + raw
                if size + len(raw) > self._most_bytes:
                    return False
                try:
                    if file.write(raw) != len(raw):
                        raise OSError("the disk is full")
                    os.fsync(handle)
                except OSError:
                    os.ftruncate(handle, size)  # no half lines
                    raise
        return True

    def _drop(self, why: str, count: int = 1) -> None:
        before, self.dropped = self.dropped, self.dropped + count
        if before == 0 or before // 100 != self.dropped // 100:
            log.warning("%s: %d were dropped so far.", why, self.dropped)


def spelt(told: Any) -> bytes:
    """As the board reads it. Raises TypeError and ValueError for what is no JSON."""
    return json.dumps(told, ensure_ascii=False, allow_nan=False).encode()


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


def _parsed(raw: bytes) -> Line | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    is_whole = isinstance(line, dict) and isinstance(line.get("body"), dict)
    return line if is_whole and line.get("kind") in ("feedback", "runs") else None
