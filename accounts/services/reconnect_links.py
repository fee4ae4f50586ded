"""Links with which somebody without a login renews the connection of one account."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.db import transaction

from accounts.models import ReconnectLink, SocialAccount, User
from accounts.services.audit import record

VALID_FOR = dt.timedelta(days=7)
KEPT_FOR = dt.timedelta(days=90)


class LinkOver(Exception):
    """It was used, revoked or has expired."""


def hash_of(token: str) -> str:
    """256 random bits need no slow hash: nobody can try them all."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def make_link(*, account: SocialAccount, actor: User, now: dt.datetime) -> tuple[ReconnectLink, str]:
    """A link and its secret, which is told this once. Those made before for the account end."""
    ReconnectLink.objects.filter(account=account).open(now).update(revoked_at=now)
    token = secrets.token_urlsafe(32)
    link = ReconnectLink.objects.create(
        account=account,
        token_hash=hash_of(token),
        created_by=actor,
        created_at=now,
        expires_at=now + VALID_FOR,
    )
    record(
        organization=account.brand.organization,
        actor=actor,
        action="account.link_made",
        subject=account,
        detail={"network": account.platform, "brand": account.brand.name},
        now=now,
    )
    return link, token


@transaction.atomic
def revoke_link(*, link: ReconnectLink, actor: User, now: dt.datetime) -> bool:
    """False if it was over before."""
    if not ReconnectLink.objects.filter(pk=link.pk).open(now).update(revoked_at=now):
        return False
    record(
        organization=link.account.brand.organization,
        actor=actor,
        action="account.link_revoked",
        subject=link.account,
        detail={"network": link.account.platform, "brand": link.account.brand.name},
        now=now,
    )
    return True


def link_of(token: str) -> ReconnectLink | None:
    """The link with this secret, in whatever state, with its account."""
    return (
        ReconnectLink.objects.filter(token_hash=hash_of(token))
        .select_related("account__brand__organization", "created_by")
        .first()
    )


def use_link(*, link: ReconnectLink, now: dt.datetime) -> None:
    """It serves once. In the transaction that stores the connection. Raises LinkOver."""
    if not ReconnectLink.objects.filter(pk=link.pk).usable(now).update(used_at=now):
        raise LinkOver


def forget_old_links(*, now: dt.datetime) -> int:
    return ReconnectLink.objects.filter(expires_at__lt=now - KEPT_FOR).delete()[0]
