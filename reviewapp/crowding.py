"""Whether more is asked of this process than it can do: then reports are turned away with a time to come again.

What the threads cannot take yet waits in the web server, where the program does not see it. What it sees is whether a
thread was ever free: while calls wait, whoever is done has the next call at once. So, as CoDel does (RFC 8289), it goes
by how long there was a queue and not by its length, which says nothing about how quickly it gets shorter.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from agents.problems import Problem

THREADS: Final = 4
"""Of each process of the web server."""

STANDING_S: Final = 1.0
"""A queue that was there all this time stands. A shorter one is a burst, which waiting serves best."""

AGAIN_S: Final = 0.1
"""The same, where another queue stood within the last REMEMBERED_S: then it is no burst, and comes back at once."""

REMEMBERED_S: Final = 10.0

FREE_S: Final = 0.025
"""A thread that is free for so long has nothing waiting for it; to hand over the next call takes less."""


class Crowded(Problem):
    """More reports come than can be stored."""

    def __init__(self) -> None:
        detail = (
            "More comes in than can be stored just now. Nothing was stored; send the same again, with the same ids."
        )
        super().__init__(503, "overloaded", detail, headers={"Retry-After": "1"})


class Crowd:
    """Counts the calls inside. Threads share it."""

    def __init__(self, threads: int = THREADS, clock: Callable[[], float] = time.monotonic) -> None:
        self._threads, self._clock, self._lock = threads, clock, threading.Lock()
        self._inside = 0
        self._full_since = self._free_since = clock()
        self._stood_at = float("-inf")

    def enter(self) -> None:
        """A call begins."""
        with self._lock:
            self._inside += 1
            if self._inside == self._threads and self._clock() - self._free_since > FREE_S:
                self._full_since = self._clock()

    def leave(self) -> None:
        """A call is answered."""
        with self._lock:
            if self._inside == self._threads:
                self._free_since = self._clock()
            self._inside -= 1

    def is_standing(self) -> bool:
        """Whether calls have been waiting for so long that no more should be let in."""
        with self._lock:
            now = self._clock()
            is_full = self._inside >= self._threads or now - self._free_since <= FREE_S
            patience_s = AGAIN_S if now - self._stood_at < REMEMBERED_S else STANDING_S
            stands = is_full and now - self._full_since > patience_s
            if stands:
                self._stood_at = now
            return stands


crowd: Final = Crowd()
"""Of this process."""
