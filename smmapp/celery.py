"""The Celery application. ``@shared_task`` functions of every app are found and attached to it."""

from __future__ import annotations

import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smmapp.settings")

# It warns of pickled messages from strangers when run as root; we exchange JSON only, and in a container
# or on a fresh machine root is the usual user.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("smmapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
