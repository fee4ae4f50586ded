"""The composition root: settings, addresses, the Celery application, embedded services, the shell."""

from __future__ import annotations

from smmapp.celery import app as celery_app

__all__ = ["celery_app"]
