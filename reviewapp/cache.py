"""The short-lived state of signing in, in Valkey; while that is out of reach, in the memory of each process."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

RETRY_AFTER_S: Final = 5.0
log = structlog.get_logger()


class Json:
    """What Django would pickle: who can write to Valkey should not be able to run anything here."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def loads(self, stored: bytes) -> Any:
        return json.loads(stored)


class WithASpare(BaseCache):
    """People can sign in without Valkey, and are throttled then too, by each process for itself."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._valkey = RedisCache(server, params)
        self._spare = LocMemCache("spare", params | {"OPTIONS": {}})
        self._down_until = 0.0

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._either(lambda cache: cache.add(key, value, timeout, version)))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._either(lambda cache: cache.get(key, default, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._either(lambda cache: cache.set(key, value, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(self._either(lambda cache: cache.delete(key, version)))

    def _either(self, act: Callable[[BaseCache], Any]) -> Any:
        if time.monotonic() >= self._down_until:
            try:
                return act(self._valkey)
            except RedisError as error:
                log.warning("cache_out_of_reach", reason=type(error).__name__)
                self._down_until = time.monotonic() + RETRY_AFTER_S
        return act(self._spare)
