"""The connection to Redis, which holds nothing that could not be lost."""

from __future__ import annotations

import functools

import redis
from django.conf import settings


@functools.lru_cache(maxsize=1)
def client() -> redis.Redis:
    """One pooled client per process, safe to use from every thread; answers are text."""
    made: redis.Redis = redis.Redis.from_url(
        settings.REDIS_URL, decode_responses=True, socket_timeout=5, socket_connect_timeout=5
    )
    return made
