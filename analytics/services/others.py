"""Looking at an account of somebody else, through one of ours."""

from __future__ import annotations

import datetime as dt

from accounts.connecting import connector_for
from accounts.models import SocialAccount
from accounts.services.social import mark_needs_reconnect
from connectors.base import PublicAccount
from connectors.errors import NeedsReconnect, RateLimited
from outbox.services.rates import Lane, block_until, blocked_until
from outbox.services.usage import heeding


def look_at(*, account: SocialAccount, handle: str, now: dt.datetime) -> PublicAccount | None:
    """What the network of ``account`` tells everybody of another one; None where there is none, or none that
    may be looked at. Raises the errors of connectors, RateLimited also while reading has to wait. Must be
    called outside a transaction."""
    if (until := blocked_until(account=account, now=now, lane=Lane.READING)) is not None:
        raise RateLimited(until, "reading waits")
    try:
        with heeding(account, clock=lambda: now, is_reading=True):
            return connector_for(account).fetch_public_account(handle)
    except NeedsReconnect as refusal:
        mark_needs_reconnect(account=account, detail=refusal.detail, now=now)
        raise
    except RateLimited as refusal:
        block_until(account=account, until=refusal.retry_at, of_app=refusal.of_app, lanes=(Lane.READING,))
        raise
