"""Signs of life of beat and the workers, as instants in Redis."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from core.redis import client

BEAT = "beat"
# One queue of each kind of worker: the ticks' own, and one of the queues that the others share.
WORKERS = ("dispatch", "default")
INTERVAL_S = 5
# Six beats missed: slower than this is an outage and not a busy moment.
STALE_AFTER_S = 30


@dataclass(frozen=True, slots=True)
class Heartbeats:
    """Seconds since the last sign of life (of workers: of the most silent kind); None when there was none."""

    beat_lag_s: float | None
    worker_lag_s: float | None

    @property
    def is_beat_alive(self) -> bool:
        return self.beat_lag_s is not None and self.beat_lag_s < STALE_AFTER_S

    @property
    def is_worker_alive(self) -> bool:
        return self.worker_lag_s is not None and self.worker_lag_s < STALE_AFTER_S


def key(name: str) -> str:
    """The Redis key of beat, or of the worker behind a queue."""
    return f"smmapp:heartbeat:{name}"


def record(name: str, *, now: dt.datetime) -> None:
    client().set(key(name), repr(now.timestamp()), ex=24 * 3600)


def read(*, now: dt.datetime) -> Heartbeats:
    """All lags in one round trip. Raises redis.exceptions.RedisError."""
    written = client().mget(key(BEAT), *map(key, WORKERS))
    beat, *workers = (_lag(value, now) for value in written)
    known = [lag for lag in workers if lag is not None]
    return Heartbeats(beat_lag_s=beat, worker_lag_s=max(known) if len(known) == len(workers) else None)


def _lag(written: str | bytes | None, now: dt.datetime) -> float | None:
    return None if written is None else max(0.0, round(now.timestamp() - float(written), 1))
