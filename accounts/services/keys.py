"""Moving every stored secret to the newest key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models

from accounts.models import AppRegistration, ConnectionOffer, Credential, WebhookEndpoint
from core.crypto import CannotDecrypt, rotate

_TABLES: list[type[models.Model]] = [Credential, AppRegistration, ConnectionOffer, WebhookEndpoint]


def register(table: type[models.Model]) -> None:
    """An app above keeps secrets, too: in a column ``secret`` of this table."""
    if table not in _TABLES:
        _TABLES.append(table)


@dataclass(slots=True)
class Rotation:
    """How far it got: ``done`` of ``total`` rows looked at, ``unreadable`` that no key opens."""

    total: int
    done: int = 0
    unreadable: int = 0


def rotate_secrets(*, progress: Callable[[Rotation], None]) -> Rotation:
    """Encrypt every secret anew under the first of settings.FIELD_KEYS; may be stopped and run again.

    ``progress`` is called after each row. A secret that changes meanwhile is left as it was written,
    which is under the newest key already.
    """
    tables: list[models.QuerySet[Any]] = [table._default_manager.order_by("pk") for table in _TABLES]
    rotation = Rotation(total=sum(rows.count() for rows in tables))
    for rows in tables:
        for row in rows.only("pk", "secret").iterator(chunk_size=500):
            try:
                rows.model._default_manager.filter(pk=row.pk, secret=row.secret).update(
                    secret=rotate(row.secret)
                )
            except CannotDecrypt:
                rotation.unreadable += 1
            rotation.done += 1
            progress(rotation)
    return rotation
