"""Keys with which other programs speak to us: making, revoking, and recognising them."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection

from django.db import transaction
from django.db.models import Q

from accounts.models import ApiKey, ApiScope, Brand, Membership, User
from accounts.services.audit import record

MARK = "smm_"  # so that people, and programs that look for leaked secrets, know what it is
PREFIX_LENGTH = 10  # of the secret that we keep, for people to know it again by
USED_EVERY = dt.timedelta(minutes=1)


class NotAllowed(Exception):
    """The brand is none that the person may see."""


class KeyUnknown(Exception):
    """No key has this secret, or it was revoked, or its brand is archived."""


class ScopeMissing(Exception):
    """The key is not for this kind of request."""


def hash_of(secret: str) -> str:
    """A key is 256 random bits, so a plain hash is enough: nobody can try them all."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def create_api_key(
    *, creator: Membership, brand: Brand, name: str, scopes: Collection[ApiScope], now: dt.datetime
) -> tuple[ApiKey, str]:
    """A key for one brand, and its secret, which is told this once. Raises NotAllowed."""
    if not Brand.objects.for_member(creator).filter(pk=brand.pk).exists():
        raise NotAllowed
    secret = MARK + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        organization_id=brand.organization_id,
        brand=brand,
        name=name,
        prefix=secret[:PREFIX_LENGTH],
        secret_hash=hash_of(secret),
        scopes=sorted(scopes),
        created_by=creator.user,
        created_at=now,
    )
    record(
        organization=creator.organization,
        actor=creator.user,
        action="api_key.created",
        subject=key,
        detail={"brand": brand.name},
        now=now,
    )
    return key, secret


@transaction.atomic
def revoke_api_key(*, key: ApiKey, actor: User, now: dt.datetime) -> bool:
    """It works no longer, from the next request on. False if it was revoked before."""
    if not ApiKey.objects.filter(pk=key.pk).active().update(revoked_at=now):
        return False
    record(
        organization=key.organization,
        actor=actor,
        action="api_key.revoked",
        subject=key,
        detail={"brand": key.brand.name},
        now=now,
    )
    return True


def recognise(*, secret: str, scope: ApiScope, now: dt.datetime) -> ApiKey:
    """The key with this secret, with its brand; its use is noted to the minute.

    Raises KeyUnknown, ScopeMissing.
    """
    key = (
        ApiKey.objects.active()
        .filter(secret_hash=hash_of(secret), brand__is_archived=False)
        .select_related("brand", "organization")
        .first()
    )
    if key is None:
        raise KeyUnknown
    if scope not in key.scopes:
        raise ScopeMissing
    if key.last_used_at is None or now - key.last_used_at >= USED_EVERY:
        is_due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - USED_EVERY)
        ApiKey.objects.filter(is_due, pk=key.pk).update(last_used_at=now)
    return key
