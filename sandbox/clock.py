"""The network's clock: the machine's, plus a shift that tests and demonstrations set."""

from __future__ import annotations

import datetime as dt
import time


class Clock:
    """Milliseconds since 1970 UTC; ``shift_ms`` moves the whole network through time."""

    def __init__(self, shift_ms: int = 0) -> None:
        self.shift_ms = shift_ms

    def now_ms(self) -> int:
        return int(time.time() * 1000) + self.shift_ms

    def move_to(self, instant_ms: int) -> None:
        self.shift_ms = instant_ms - int(time.time() * 1000)


def to_iso(instant_ms: int | None) -> str | None:
    """``2026-11-22T09:00:00.123Z``; None stays None."""
    if instant_ms is None:
        return None
    instant = dt.datetime.fromtimestamp(instant_ms // 1000, dt.UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant_ms % 1000:03d}Z"


def from_iso(text: str) -> int:
    """Milliseconds of an ISO 8601 instant; one without a zone is UTC. Raises ValueError."""
    instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=dt.UTC)
    return int(instant.timestamp() * 1000)
