"""The record of who did what."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import models

from accounts.models import AuditEntry, Organization, User


def record(
    *,
    organization: Organization,
    actor: User | None,
    action: str,
    subject: models.Model | None = None,
    subject_name: str | None = None,
    detail: dict[str, Any] | None = None,
    now: dt.datetime,
) -> AuditEntry:
    """One entry, in the transaction of the deed itself: both happen or neither.

    ``actor`` None is the system. ``action`` reads like ``brand.created``; ``detail`` is plain JSON and
    holds no secret. The subject's name is kept as it was, for when it is gone; ``subject_name`` takes its
    place where it must not be kept for ever, because it is a person's.
    """
    if subject_name is None:
        subject_name = str(subject) if subject is not None else ""
    return AuditEntry.objects.create(
        organization=organization,
        actor=actor,
        actor_name=str(actor)[:254] if actor else "",
        action=action,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        subject_name=subject_name[:255],
        detail=detail or {},
        at=now,
    )
