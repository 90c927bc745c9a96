"""The last good texts of one document, in memory and on disk, and which units had the candidate of a rollout."""

import hashlib
import json
import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countersign import files

log = logging.getLogger("countersign")
ARMS = ("current", "candidate")
SAVE_EVERY_S = 15.0
"""How often the disk hears that nothing changed."""
AHEAD_S = 60.0
"""What is said to be known from a later time than this ahead was written by a clock that was wrong."""
MOST_UNITS = 10_000
"""Units remembered: in memory when to ask for them again, and on disk who had the candidate."""


@dataclass(frozen=True)
class Instructions:
    """What an agent goes by. `digest` is the SHA-256 of `text`; `arm` is "candidate" or "current" in a rollout.

    `age` are the seconds since the board last said that this is what to serve; `stale` says that it could not be asked
    when it was time to, and `problem` why.
    """

    agent: str
    document: str
    unit: str | None
    text: str
    version: int
    digest: str
    arm: str | None
    age: float
    stale: bool
    problem: str = ""


@dataclass(frozen=True)
class Copy:
    """One answer of the board; `at` is when it was asked for, in seconds since 1970."""

    text: str
    version: int
    digest: str
    etag: str
    arm: str | None
    rollout: int | None
    at: float

    @classmethod
    def of(cls, given: Any) -> "Copy | None":
        """What a file holds, or an answer; None unless it is whole and the text has its digest."""
        try:
            copy = cls(**{**given, "at": float(given["at"])})
            text = copy.text.encode()
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
        is_whole = type(copy.version) is int and isinstance(copy.etag, str) and copy.arm in (None, *ARMS)
        return copy if is_whole and hashlib.sha256(text).hexdigest() == copy.digest else None


@dataclass
class Seen:
    """What is known of a unit: whether it was asked for, the rollout of which it has the candidate, and when to ask
    again, by the monotonic clock. `lock` is held while somebody asks.
    """

    is_served: bool = False
    candidate_of: int | None = None
    next_at: float = 0.0
    problem: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Copies:
    """Those of one document of one agent at one board."""

    def __init__(self, folder: Path, url: str, agent: str, document: str) -> None:
        name = hashlib.sha256("\n".join((url, agent, document)).encode()).hexdigest()[:32]
        self._path = folder / f"{name}.json"
        self._lock = threading.Lock()
        self._seen: OrderedDict[str | None, Seen] = OrderedDict()
        self._arms, self._units = self._load()
        self._saved_at = 0.0

    def seen(self, unit: str | None) -> Seen:
        """What is known of this unit."""
        with self._lock:
            found = self._seen.setdefault(unit, Seen())
            self._seen.move_to_end(unit)
            if len(self._seen) > MOST_UNITS:
                self._seen.popitem(last=False)
            return found

    def last(self, unit: str | None, seen: Seen) -> Copy | None:
        """What this unit gets, by what was heard last, whoever heard it."""
        with self._lock:
            candidate = self._arms.get("candidate")
            has_it = unit is not None and _hidden(unit) in self._units
            if candidate and (has_it or seen.candidate_of == candidate.rollout):
                return candidate
            return self._arms.get("current", candidate)  # rather an approved text than none

    def known(self) -> dict[str, Copy]:
        """The copies by their tags, to ask whether one of them is still right."""
        with self._lock:
            return {copy.etag: copy for copy in self._arms.values()}

    def keep(self, unit: str | None, seen: Seen, copy: Copy) -> None:
        """Remember what the board served; in memory alone where the disk will not have it."""
        with self._lock:
            seen.is_served, seen.candidate_of = True, copy.rollout if copy.arm == "candidate" else None
            is_news = _put(self._arms, self._units, unit, copy)
            if is_news or abs(copy.at - self._saved_at) > SAVE_EVERY_S:
                self._save(unit, copy)

    def _save(self, unit: str | None, copy: Copy) -> None:
        self._saved_at = copy.at
        try:
            files.make(self._path.parent)
            with files.locked(self._path.with_suffix(".lock"), 0.2):
                arms, units = self._load()  # another process may have heard more
                arms |= {arm: one for arm, one in self._arms.items() if arm not in arms or arms[arm].at < one.at}
                units |= self._units
                _put(arms, units, unit, copy)
                self._arms, self._units = arms, units
                told = {"arms": {arm: vars(one) for arm, one in arms.items()}, "units": list(units)}
                files.replace(self._path, json.dumps(told).encode())
        except OSError as error:
            log.warning("Instructions cannot be kept in %s: %s. They are kept in memory.", self._path.parent, error)

    def _load(self) -> tuple[dict[str, Copy], dict[str, None]]:
        """(copy by arm, units with the candidate, the longest known first); what is damaged is left out."""
        try:
            told = json.loads(self._path.read_bytes())
            arms = {arm: copy for arm in ARMS if (copy := Copy.of(told["arms"].get(arm)))}
            return arms, dict.fromkeys(str(one) for one in told["units"])
        except FileNotFoundError:
            pass
        except (OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
            log.warning("The copy in %s is of no use: %s", self._path, error)
        return {}, {}


def age(copy: Copy) -> float:
    """Seconds since the board said so; a clock that went back makes none negative."""
    return max(0.0, time.time() - copy.at)


def _put(arms: dict[str, Copy], units: dict[str, None], unit: str | None, copy: Copy) -> bool:
    """Take it in unless something newer is there; whether the disk has to know at once."""
    arm, had = copy.arm or "current", (len(arms), len(units))
    known = arms.get(arm)
    if known and copy.at < known.at <= time.time() + AHEAD_S:
        return False
    arms[arm] = copy
    if "candidate" in arms and arms["candidate"].rollout != copy.rollout:  # that rollout is over
        del arms["candidate"]
        units.clear()
    if copy.arm and unit is not None:
        units.pop(_hidden(unit), None)
        if arm == "candidate":
            units[_hidden(unit)] = None
            while len(units) > MOST_UNITS:
                del units[next(iter(units))]
    return known is None or known.etag != copy.etag or had != (len(arms), len(units))


def _hidden(unit: str) -> str:
    """Units may be people; the file need not name them."""
    return hashlib.sha256(unit.encode()).hexdigest()[:16]
