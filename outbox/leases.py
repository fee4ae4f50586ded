"""Keeps the leases of what this process is sending, for as long as the process lives.

A worker that is killed stops renewing, and the reaper takes its rows over within ``LEASE`` and a tick; a long
upload in a living worker is never taken away from it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from outbox.services.claiming import LEASE, renew_leases

logger = logging.getLogger(__name__)

# A third of the lease: two renewals may fail before anybody else may take the row.
RENEW_EVERY_S = LEASE.total_seconds() / 3

_owned: dict[UUID, int] = {}
_lock = threading.Lock()
_thread: threading.Thread | None = None


@contextlib.contextmanager
def kept(claimed: Mapping[UUID, int]) -> Iterator[None]:
    """While inside, the leases of these deliveries (id -> fence) are renewed."""
    global _thread  # noqa: PLW0603 - one keeper per process
    with _lock:
        # A late message with an old token must not end the renewals of whoever has the row by now.
        _owned.update({pk: fence for pk, fence in claimed.items() if fence > _owned.get(pk, -1)})
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_run, name="lease-keeper", daemon=True)
            _thread.start()
    try:
        yield
    finally:
        with _lock:
            for delivery_id, fence in claimed.items():
                if _owned.get(delivery_id) == fence:
                    _owned.pop(delivery_id)


def _run() -> None:
    idle = threading.Event()
    while True:
        idle.wait(RENEW_EVERY_S)
        with _lock:
            owned = dict(_owned)
        if not owned:
            connection.close()
            continue
        try:
            lost = renew_leases(owned=owned, now=timezone.now())
        except (DatabaseError, InterfaceError):
            logger.warning("leases not renewed, the database does not answer", exc_info=True)
            connection.close()
            continue
        with _lock:
            for delivery_id in lost:
                if _owned.get(delivery_id) == owned[delivery_id]:
                    _owned.pop(delivery_id)
