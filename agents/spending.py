"""Counting in windows of time, in Valkey and so for all web processes together.

One script looks at all windows before it counts in any: of two calls at once never both take the last place, and what
is refused takes none. A process that is asked again and again takes places in advance, at most a hundredth of what is
left and never more than it lately used, and gives back what it did not need; so most calls ask nobody, and still never
more pass than may. Close to the limit each call asks.

While Valkey does not answer, each process counts for itself: not open, and not closed. `missing` says so on every page.
"""

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

AWAY_S: Final = 5.0
"""For so long nothing is asked of a Valkey that did not answer, so that calls do not wait for it one after another."""
TIMEOUT_S: Final = 0.25
MOST_AHEAD: Final = 256
"""Places that a process takes in advance at most."""
_REMEMBERED: Final = 10_000

# For each window: its limit, what to count, what to give back, and how long to keep the count.
_COUNT: Final = """
local used, ahead = {}, tonumber(ARGV[1])
local over = 0
for i, name in ipairs(KEYS) do
  local at = 4 * i - 2
  local most, weight, back = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local before = tonumber(redis.call('GET', name) or '0')
  back = math.min(back, before)
  used[i] = before - back
  if over == 0 and used[i] + weight > most then over = i end
  ahead = math.min(ahead, math.floor((most - used[i] - weight) / 100))
end
if over > 0 then ahead = 0 end
for i, name in ipairs(KEYS) do
  local at = 4 * i - 2
  local added = over == 0 and tonumber(ARGV[at + 1]) + ahead or 0
  local back = tonumber(ARGV[at + 2])
  used[i] = used[i] + added
  if added > 0 or back > 0 then redis.call('SET', name, used[i], 'EX', ARGV[at + 3]) end
end
return {over, ahead, unpack(used)}
"""
_SHA: Final = hashlib.sha1(_COUNT.encode(), usedforsecurity=False).hexdigest()

_log = structlog.get_logger()


class Window(NamedTuple):
    """At most `most` in this stretch of `width_s` seconds, counted under `key`."""

    name: str
    most: int
    width_s: int
    key: str


class Spent(NamedTuple):
    """What came of it: the place of the window that is full (0 for none, then 1, 2 …), and what is used of each."""

    full: int
    used: tuple[int, ...]


@dataclass(slots=True)
class _Ahead:
    """Places taken in advance in these windows: `left` of them, `used` with all of them; `wish` was asked for."""

    windows: tuple[Window, ...]
    left: int
    wish: int
    used: tuple[int, ...]


class _Valkey:
    """What this process knows of Valkey: nothing is asked of it before `asked_from`."""

    is_used = False
    is_away = False
    asked_from = 0.0


_lock: Final = threading.Lock()
_ahead: Final[dict[str, _Ahead]] = {}
_here: Final[dict[str, tuple[int, float]]] = {}
"""Counted while Valkey is away: how much, and until when."""
_local: Final = threading.local()


def spend(holder: str, windows: tuple[Window, ...], weights: Sequence[int]) -> Spent:
    """Count `weights` in these windows, all or nothing; places in advance are kept by `holder`."""
    is_single = all(weight == 1 for weight in weights)
    back, wish = (0,) * len(windows), 0
    if is_single:
        with _lock:
            kept = _ahead.get(holder)
            if kept and kept.left and kept.windows == windows:
                kept.left -= 1
                return Spent(0, tuple(used - kept.left for used in kept.used))
            if kept:
                back, wish = _renewed(kept, windows)
    found = _ask_for(windows, weights, back, wish)
    if found is None:
        return _count_here(windows, weights)
    full, got, *used = found
    if is_single:
        _keep(holder, _Ahead(windows, got, max(1, wish), tuple(used)))
    return Spent(full, tuple(number - got for number in used))


def missing() -> str:
    """The sentence about a Valkey that does not answer this process; "" when it does, or no limit ever asked it."""
    if _Valkey.is_used and time.monotonic() >= _Valkey.asked_from:
        _Valkey.asked_from = time.monotonic() + AWAY_S
        try:
            _ask("PING")
            _Valkey.is_away = False
        except redis.RedisError:
            _Valkey.is_away = True
    if not _Valkey.is_away:
        return ""
    return "Valkey does not answer: each web process counts the calls of API keys alone; serving and reporting go on."


def _renewed(kept: _Ahead, windows: tuple[Window, ...]) -> tuple[tuple[int, ...], int]:
    """What to give back of each window, and how many places to ask for: twice as many while the first lasts."""
    keys = {window.key for window in kept.windows}
    left, kept.left = kept.left, 0
    is_same = kept.windows == windows
    wish = min(MOST_AHEAD, 2 * kept.wish) if is_same else kept.wish // 2
    return tuple(left if window.key in keys else 0 for window in windows), wish


def _keep(holder: str, new: _Ahead) -> None:
    with _lock:
        other = _ahead.get(holder)
        if other and other.windows == new.windows:  # two threads asked at once: both have theirs
            new.left += other.left
        if len(_ahead) >= _REMEMBERED:
            _ahead.clear()
        _ahead[holder] = new


def _ask_for(windows: Sequence[Window], weights: Sequence[int], back: Sequence[int], wish: int) -> list[int] | None:
    """What the script answers; None where Valkey does not."""
    _Valkey.is_used = True
    if _Valkey.is_away:
        if time.monotonic() < _Valkey.asked_from:
            return None
        _Valkey.asked_from = time.monotonic() + AWAY_S  # one tries, the others go on
    numbers = [
        number
        for window, weight, given in zip(windows, weights, back, strict=True)
        for number in (window.most, weight, given, window.width_s + 60)
    ]
    rest: tuple[str | int, ...] = (len(windows), *(window.key for window in windows), wish, *numbers)
    try:
        found = _evaluate(rest)
    except redis.RedisError as error:
        if not _Valkey.is_away:
            _log.error("valkey_failed", error=str(error), consequence="each web process counts calls alone")
        _Valkey.is_away, _Valkey.asked_from = True, time.monotonic() + AWAY_S
        return None
    _Valkey.is_away = False
    return found


def _count_here(windows: Sequence[Window], weights: Sequence[int]) -> Spent:
    """The same without Valkey, for this process alone."""
    now = time.monotonic()
    with _lock:
        if len(_here) >= _REMEMBERED:
            for key in [key for key, (_, until) in _here.items() if until < now]:
                del _here[key]
        before = [_here.get(window.key, (0, 0.0))[0] for window in windows]
        after = [used + weight for used, weight in zip(before, weights, strict=True)]
        full = [place for place, window in enumerate(windows, 1) if after[place - 1] > window.most]
        if full:
            return Spent(full[0], tuple(before))
        _here.update((window.key, (used, now + window.width_s)) for window, used in zip(windows, after, strict=True))
        return Spent(0, tuple(after))


def _evaluate(rest: tuple[str | int, ...]) -> list[int]:
    try:
        found: list[int] = _ask("EVALSHA", _SHA, *rest)
    except redis.exceptions.NoScriptError:  # since it was started, or emptied
        found = _ask("EVAL", _COUNT, *rest)
    return found


@lru_cache(maxsize=4)
def _pool(url: str) -> redis.ConnectionPool:
    """How to reach Valkey; nothing is taken from it but new connections, one for each thread."""
    return redis.ConnectionPool.from_url(
        url, socket_connect_timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
    )


def _ask(*command: str | int) -> Any:
    """What Valkey answers. Past redis-py's client, which would cost several times what the question itself does.

    A connection that was lost since it was last used is opened anew, once. Raises redis.RedisError.
    """
    url = settings.CELERY_BROKER_URL
    kept, link = getattr(_local, "link", (None, None))
    if kept != url or link is None:
        return _through(url, _pool(url).make_connection(), command)
    try:
        return _through(url, link, command)
    except redis.ConnectionError:
        return _through(url, _pool(url).make_connection(), command)


def _through(url: str, link: Any, command: tuple[str | int, ...]) -> Any:
    _local.link = (None, None)
    try:
        link.send_packed_command([_packed(command)], check_health=False)
        answer = link.read_response()
    except redis.ResponseError:
        _local.link = (url, link)
        raise
    except redis.TimeoutError:
        link.disconnect()
        raise
    except (redis.RedisError, OSError) as error:
        link.disconnect()
        raise redis.ConnectionError(str(error)) from None
    _local.link = (url, link)
    return answer


def _packed(command: tuple[str | int, ...]) -> bytes:
    """A command as Valkey's protocol has it."""
    words = [str(word).encode() for word in command]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
