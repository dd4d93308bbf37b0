"""A Cache that several machines share, on a Redis. One that is away or slow is a miss, and left alone for a while."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ragkit.cache import DAY, FORM, pack, unpack
from ragkit.errors import InvalidInput, import_extra
from ragkit.model import Reply
from ragkit.modelsettings import CacheSettings

if TYPE_CHECKING:
    from redis import Redis

PREFIX = f"ragkit:{FORM}:"
PATIENCE = 0.5
"""Seconds for a connection, and for each piece of an answer: a model takes longer, a lost network takes forever."""
REST = 10.0
_LONGEST = 36_500.0
"""Days. Redis refuses numbers that are too large."""
_log = logging.getLogger(__name__)
T = TypeVar("T")


class RedisCache:
    """Which replies are forgotten when there is no more room is the server's business (`maxmemory-policy`)."""

    def __init__(self, url: str, settings: CacheSettings) -> None:
        import_extra("redis", "redis")
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.exceptions import ConnectionError as Lost
        from redis.retry import Retry

        try:
            self._redis: Redis = Redis.from_url(
                url,
                socket_timeout=PATIENCE,
                socket_connect_timeout=PATIENCE,
                # by itself it tries and waits; once more, at once, is right for a connection that was closed meanwhile
                retry=Retry(NoBackoff(), 1, supported_errors=(Lost,)),
            )
            parts = self._redis.connection_pool.connection_kwargs
            self._place = str(parts.get("path") or f"{parts.get('host', 'localhost')}:{parts.get('port', 6379)}")
        except (ValueError, TypeError):  # their message quotes parts of the URL, which may hold a password
            raise InvalidInput(
                "The address of the Redis cache cannot be read.",
                "Write it as redis://HOST:PORT/NUMBER, rediss://… or unix://PATH, with USER:PASSWORD@ before the host.",
            ) from None
        self._most = settings.megabytes * 1_000_000
        self._milliseconds = None if settings.days is None else max(1, int(min(settings.days, _LONGEST) * DAY * 1000))
        self._resting = 0.0
        self._told = False

    def get(self, key: str) -> Reply | None:
        return unpack(self._attempt(lambda redis: redis.get(PREFIX + key), None))

    def put(self, key: str, reply: Reply) -> None:
        body = pack(reply)
        if body is not None and len(body) <= self._most:
            self._attempt(lambda redis: redis.set(PREFIX + key, body, px=self._milliseconds), None)

    def clear(self) -> None:
        def forget(redis: "Redis") -> None:
            for key in redis.scan_iter(match=f"{PREFIX}*", count=1000):
                redis.unlink(key)

        self._attempt(forget, None)

    def close(self) -> None:
        self._redis.close()

    def _attempt(self, work: Callable[["Redis"], T], otherwise: T) -> T:
        from redis.exceptions import RedisError

        if time.monotonic() < self._resting:
            return otherwise
        try:
            return work(self._redis)
        except (RedisError, OSError, ValueError) as error:
            self._resting = time.monotonic() + REST
            if not self._told:
                self._told = True
                # the name of the error only: what it says may quote the address
                said = f"The Redis at {self._place} does not serve as a cache ({type(error).__name__})."
                _log.warning("%s ragkit goes on without it, and asks it again every %g seconds.", said, REST)
            return otherwise
