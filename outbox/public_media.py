"""Addresses at which networks that fetch files themselves find those of a post: each opens exactly one stored
file, without anybody signed in, for some hours. Whoever has no such address learns nothing: it is signed with
the installation's secret key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils import timezone

from connectors.base import PlatformInfo, PostPayload
from connectors.errors import RejectReason
from connectors.text import Problem

LIFETIME = dt.timedelta(hours=6)
PROBE = "probe"  # instead of a file's type: answered with the word itself (services.reachability)


@dataclass(frozen=True, slots=True)
class PublicFile:
    """What an address opens. ``key`` is that of a stored file, or the word of a probe."""

    key: str
    mime_type: str
    expires_at: dt.datetime

    @property
    def is_probe(self) -> bool:
        return self.mime_type == PROBE


def _signer() -> signing.Signer:
    # A dot, because a colon in a path is quoted by some and not by others.
    return signing.Signer(sep=".", salt="outbox.public_media")


def has_public_address() -> bool:
    """Whether networks can reach this installation, as far as its settings say."""
    return bool(settings.PUBLIC_MEDIA_URL)


def address_of(key: str, mime_type: str, *, served_days: int = 0) -> str:
    """A fresh address for a stored file; good for LIFETIME from now, or for so many days where receivers go
    on fetching it from here (PlatformInfo.media_served_days)."""
    lifetime = max(LIFETIME, dt.timedelta(days=served_days))
    expires = int((timezone.now() + lifetime).timestamp())
    signed = _signer().sign_object([key, mime_type, expires])
    return f"{settings.PUBLIC_MEDIA_URL}{reverse('outbox:public_media', args=[signed])}"


def opened(signed: str, *, now: dt.datetime) -> PublicFile | None:
    """What the signed part of an address opens; None when it is not ours, or its time is over."""
    try:
        key, mime_type, expires = _signer().unsign_object(signed)
    except signing.BadSignature:
        return None
    file = PublicFile(key, mime_type, dt.datetime.fromtimestamp(expires, dt.UTC))
    return file if now < file.expires_at else None


def unreachable(payload: PostPayload, info: PlatformInfo) -> Iterator[Problem]:
    """Where a network would fetch a file of the payload and cannot."""
    if not info.takes_media_by_url or has_public_address():
        return
    for index, part in enumerate(payload.parts):
        if part.media:
            yield Problem(RejectReason.MEDIA_NOT_PUBLIC, index, None, 0, 0)
