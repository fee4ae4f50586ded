from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import beat_init, before_task_publish
from django.utils import timezone

from smmapp import heartbeats


@shared_task
def heartbeat(*, queue: str, **kwargs: Any) -> None:
    """The worker behind ``queue`` takes tasks and finishes them."""
    heartbeats.record(queue, now=timezone.now())


@before_task_publish.connect(sender="smmapp.tasks.heartbeat")
def _note_beat(**kwargs: Any) -> None:
    """Beat itself lives, also when no worker does: it is what sends the task, every few seconds."""
    heartbeats.record(heartbeats.BEAT, now=timezone.now())


@beat_init.connect
def _beat_at_once(**kwargs: Any) -> None:
    """The first sign of life comes with the start and not an interval later."""
    for queue in heartbeats.WORKERS:
        heartbeat.apply_async(kwargs={"queue": queue}, queue=queue, expires=heartbeats.STALE_AFTER_S)
