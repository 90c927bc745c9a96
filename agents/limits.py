"""How much a key may ask: calls a minute, and calls a day, in which each report of a list counts as one.

Counted in Valkey by one script for each request, so that two calls at once never both take the last place. Windows are
whole minutes and whole days (UTC). A key without limits asks Valkey nothing. While Valkey does not answer, nobody is
refused: reports and instructions are worth more than a count, and `missing` says so on every page.
"""

import hashlib
import threading
import time
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from agents.problems import Problem

MINUTE_S: Final = 60
DAY_S: Final = 86_400
AWAY_S: Final = 5.0
"""For so long nothing is asked of a Valkey that did not answer, so that calls do not wait for it one after another."""
TIMEOUT_S: Final = 0.25

_SPENT: Final = "countersign.calls_spent"
_HEADERS: Final = "countersign.limit_headers"

# Both windows are looked at before either is counted: what is refused takes no place. A limit of 0 is none.
_COUNT: Final = """
local minute = tonumber(redis.call('GET', KEYS[1]) or '0')
local day = tonumber(redis.call('GET', KEYS[2]) or '0')
local a_minute, a_day, calls, weight = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local over = 0
if a_minute > 0 and minute + calls > a_minute then over = 1
elseif a_day > 0 and day + weight > a_day then over = 2
else
  if a_minute > 0 and calls > 0 then
    minute = redis.call('INCRBY', KEYS[1], calls)
    redis.call('EXPIRE', KEYS[1], ARGV[5])
  end
  if a_day > 0 and weight > 0 then
    day = redis.call('INCRBY', KEYS[2], weight)
    redis.call('EXPIRE', KEYS[2], ARGV[6])
  end
end
return {over, minute, day}
"""

_log = structlog.get_logger()


class Limits(NamedTuple):
    """At most so many calls a minute and a day; 0 for no limit."""

    a_minute: int
    a_day: int


class Limited(Protocol):
    """A caller, as far as this needs to know it."""

    @property
    def key_id(self) -> int: ...
    @property
    def limits(self) -> Limits | None: ...


class _Valkey:
    """What this process knows of Valkey: nothing is asked of it before `asked_from`."""

    is_used = False
    is_away = False
    asked_from = 0.0


def of_key(a_minute: int | None, a_day: int | None) -> Limits | None:
    """The limits of a key: its own, or the board's where it has none (0 is none for good); None for no limit at all."""
    found = Limits(
        settings.COUNTERSIGN_KEY_CALLS_A_MINUTE if a_minute is None else a_minute,
        settings.COUNTERSIGN_KEY_CALLS_A_DAY if a_day is None else a_day,
    )
    return found if any(found) else None


def spend(environ: MutableMapping[str, Any], caller: Limited, weight: int = 1) -> None:
    """Count this request against its key's limits, at `weight` of the day's calls.

    Asked again within one request, it counts only what came on top. Raises Problem (429).
    """
    if caller.limits is None:
        return
    before = environ.get(_SPENT, 0)
    if before and weight <= before:
        return
    environ[_SPENT] = max(weight, 1)
    now = int(time.time())
    used = _count(caller.key_id, caller.limits, now, calls=0 if before else 1, weight=weight - before)
    if used is not None:
        environ[_HEADERS] = headers = _told(caller.limits, used, now)
        if used[0]:
            raise _refusal(caller.limits, used, now, headers, reports=weight, before=before)


def headers_of(environ: MutableMapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What to tell whoever sent this request of their limits: nothing where there are none, or nothing was counted."""
    found: tuple[tuple[str, str], ...] = environ.get(_HEADERS, ())
    return found


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
    return "Valkey does not answer: the limits of API keys do not hold; serving and reporting go on."


_SHA: Final = hashlib.sha1(_COUNT.encode(), usedforsecurity=False).hexdigest()
_local: Final = threading.local()


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


def _count(key_id: int, limits: Limits, now: int, *, calls: int, weight: int) -> list[int] | None:
    """Which limit is passed (0 none, 1 the minute's, 2 the day's), and how much of both is used; None if unknown."""
    _Valkey.is_used = True
    if _Valkey.is_away and time.monotonic() < _Valkey.asked_from:
        return None
    names = [f"countersign:calls:{key_id}:m{now // MINUTE_S}", f"countersign:calls:{key_id}:d{now // DAY_S}"]
    rest: tuple[str | int, ...] = (len(names), *names, *limits, calls, weight, 2 * MINUTE_S, DAY_S + MINUTE_S)
    try:
        used: list[int] = _evaluate(rest)
    except redis.RedisError as error:
        if not _Valkey.is_away:
            _log.error("valkey_failed", error=str(error), consequence="limits of API keys do not hold")
        _Valkey.is_away, _Valkey.asked_from = True, time.monotonic() + AWAY_S
        return None
    _Valkey.is_away = False
    return used


def _evaluate(rest: tuple[str | int, ...]) -> list[int]:
    try:
        found: list[int] = _ask("EVALSHA", _SHA, *rest)
    except redis.exceptions.NoScriptError:  # since it was started, or emptied
        found = _ask("EVAL", _COUNT, *rest)
    return found


def _told(limits: Limits, used: list[int], now: int) -> tuple[tuple[str, str], ...]:
    """RateLimit and RateLimit-Policy, as draft-ietf-httpapi-ratelimit-headers-11 has them."""
    windows = [("minute", limits.a_minute, used[1], MINUTE_S), ("day", limits.a_day, used[2], DAY_S)]
    held = [window for window in windows if window[1]]
    policy = ", ".join(f'"{name}";q={most};w={width}' for name, most, _, width in held)
    state = ", ".join(f'"{name}";r={max(0, most - taken)};t={width - now % width}' for name, most, taken, width in held)
    return (("RateLimit-Policy", policy), ("RateLimit", state))


def _refusal(
    limits: Limits, used: list[int], now: int, headers: tuple[tuple[str, str], ...], *, reports: int, before: int
) -> Problem:
    is_minute = used[0] == 1
    most, name, width = (limits.a_minute, "minute", MINUTE_S) if is_minute else (limits.a_day, "day", DAY_S)
    wait, left = width - now % width, max(0, most - used[used[0]] + before)
    many = "" if is_minute or reports == 1 else f" This list has {reports} reports, and {left} more fit into today."
    detail = f"This API key may make {most} calls a {name}.{many} Nothing was stored; try again in {wait} s."
    return Problem(429, "quota-exceeded", detail, headers={**dict(headers), "Retry-After": str(wait)})
