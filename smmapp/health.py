"""``GET /healthz``: whether this installation can do its work, for load balancers and for ``make run``."""

from __future__ import annotations

import logging

import redis
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import public
from smmapp import heartbeats

logger = logging.getLogger(__name__)


@public
@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Status 200 when everything answers, else 503; the body says which part does not."""
    database_ok = _database_answers()
    try:
        beats = heartbeats.read(now=timezone.now())
        redis_ok = True
    except redis.exceptions.RedisError:
        logger.exception("redis does not answer")
        beats = heartbeats.Heartbeats(beat_lag_s=None, worker_lag_s=None)
        redis_ok = False
    healthy = database_ok and redis_ok and beats.is_worker_alive and beats.is_beat_alive
    return JsonResponse(
        {
            "status": "ok" if healthy else "unavailable",
            "database": _word(database_ok),
            "redis": _word(redis_ok),
            "worker": _word(beats.is_worker_alive),
            "beat_lag_s": beats.beat_lag_s,
        },
        status=200 if healthy else 503,
    )


def _word(ok: bool) -> str:
    return "ok" if ok else "unavailable"


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.exception("the database does not answer")
        return False
    return True
