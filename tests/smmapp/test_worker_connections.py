"""A worker's database connection outlives its tasks, as that of a web process outlives its requests."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from celery import signals
from celery.fixups.django import DjangoWorkerFixup
from django.db import connection

from smmapp.celery import app

pytestmark = pytest.mark.django_db(transaction=True)


def between_two_tasks() -> None:
    """What happens in a worker's thread from the end of one task to the start of the next."""
    fixup = DjangoWorkerFixup(app)
    task: Any = type("Sender", (), {"request": SimpleNamespace(is_eager=False)})()
    fixup.on_task_postrun(task)
    signals.task_postrun.send(sender=task)
    fixup.on_task_prerun(task)
    signals.task_prerun.send(sender=task)


def test_the_connection_is_kept_between_tasks() -> None:
    connection.ensure_connection()
    before = connection.connection
    between_two_tasks()
    assert connection.connection is before


def test_a_connection_that_is_too_old_is_closed() -> None:
    connection.ensure_connection()
    connection.close_at = time.monotonic() - 1
    between_two_tasks()
    assert connection.connection is None


def test_a_connection_that_the_server_cut_is_replaced() -> None:
    connection.ensure_connection()
    connection.connection.close()
    connection.errors_occurred = True
    between_two_tasks()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
