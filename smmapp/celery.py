"""The Celery application. ``@shared_task`` functions of every app are found and attached to it."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

from celery import Celery, Task
from celery import signals as celery_signals
from celery.platforms import SecurityWarning
from django.db import close_old_connections

from core.garbage import keep_what_is_loaded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smmapp.settings")

# It warns of pickled messages from strangers when run as root; we exchange JSON only, and in a container
# or on a fresh machine root is the usual user.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("smmapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Celery closes the database connection before and after every task, and a new one costs as much as a small
# task. Here a connection lives as it does in a web process: until it is unusable, or too old.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize


def _let_go_of_old_connections(sender: Task, **_kwargs: Any) -> None:
    """The connections of this thread."""
    if not sender.request.is_eager:
        close_old_connections()


celery_signals.task_prerun.connect(_let_go_of_old_connections)
celery_signals.task_postrun.connect(_let_go_of_old_connections)


def _keep_what_is_loaded(**_kwargs: Any) -> None:
    keep_what_is_loaded()


celery_signals.worker_ready.connect(_keep_what_is_loaded, weak=False)
