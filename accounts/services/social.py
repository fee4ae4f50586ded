"""Connecting social accounts, keeping their connection alive, and ending it."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import cast

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.urls import reverse

from accounts import connecting
from accounts.models import (
    AccountStatus,
    AppRegistration,
    Brand,
    Credential,
    NotificationKind,
    ReconnectLink,
    SocialAccount,
    User,
)
from accounts.permissions import Action
from accounts.selectors import people_allowed
from accounts.services.audit import record
from accounts.services.notifications import notify
from accounts.services.reconnect_links import use_link
from connectors.base import Capability, Connected, ConnectMethod, Profile
from connectors.errors import ConnectorError, NeedsReconnect
from connectors.registry import connector_class

logger = logging.getLogger(__name__)

REFRESH_AHEAD = dt.timedelta(minutes=30)
# A token that was made for so long is renewed so early: some are renewed only while they live, and an
# installation may be off for a while.
LONG_LIVED = dt.timedelta(days=21)
LONG_LIVED_AHEAD = dt.timedelta(days=7)
REFRESH_BATCH = 200
EXPIRY_NOTICE_DAYS = (7, 3, 1)
# ``status_detail`` where no words of the network say why; its page does.
TAKEN_BACK = "permission taken back"
DELETION_ASKED = "deletion asked for"


class DifferentAccount(Exception):
    """The person signed in at the network as somebody else than the account to be reconnected."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"{got} instead of {expected}")
        self.expected = expected
        self.got = got


# --- connecting -------------------------------------------------------------------------------


def connect_by_form(
    *,
    brand: Brand,
    platform: str,
    fields: Mapping[str, str],
    actor: User | None,
    now: dt.datetime,
    account: SocialAccount | None = None,
    link: ReconnectLink | None = None,
) -> SocialAccount:
    """Connect with what a person typed; with ``account``, reconnect that one.

    The network is asked before anything is written. Raises the connector errors of
    ``Connector.connect`` (Rejected, NeedsReconnect for a wrong password, Temporary), DifferentAccount, and
    with ``link`` LinkOver.
    """
    connected = connector_class(platform).connect(fields)
    return save_connection(
        brand=brand,
        platform=platform,
        connected=connected,
        actor=actor,
        now=now,
        account=account,
        link=link,
    )


@transaction.atomic
def save_connection(
    *,
    brand: Brand,
    platform: str,
    connected: Connected,
    actor: User | None,
    now: dt.datetime,
    account: SocialAccount | None = None,
    app: AppRegistration | None = None,
    link: ReconnectLink | None = None,
) -> SocialAccount:
    """Store a finished connection: a new row, or the one that this brand already has for this account
    (then it is a reconnection, whatever state it was in). With ``link`` somebody without a login did it, and
    the link is used up. Raises DifferentAccount, LinkOver."""
    profile = connected.profile
    if account is not None and account.remote_id != profile.remote_id:
        raise DifferentAccount(account.handle, profile.handle)
    if link is not None:
        use_link(link=link, now=now)
    known = _lock_known(brand, platform, profile.remote_id)
    is_new = known is None
    if known is None:
        try:
            with transaction.atomic():
                known = SocialAccount.objects.create(
                    brand=brand, platform=platform, remote_id=profile.remote_id, connected_at=now
                )
        except IntegrityError:  # somebody else connected it in this moment
            known = SocialAccount.objects.select_for_update().get(
                brand=brand, platform=platform, remote_id=profile.remote_id
            )
            is_new = False
    _take_profile(known, profile)
    known.status = AccountStatus.ACTIVE
    known.status_detail = ""
    known.scopes = list(connected.scopes)
    # What could be chosen before can be chosen until the network says otherwise.
    choices = known.options.get("choices")
    known.options = {**connected.options, "choices": choices} if choices else connected.options
    known.token_expires_at = connected.tokens.expires_at
    known.connection_expires_at = connecting.end_of(connected.tokens)
    known.connected_by = actor if link is None else link.created_by
    known.connected_at = now
    known.checked_at = now
    info = known.info
    if not known.hook_key and info.connect_method is ConnectMethod.FORM and info.can(Capability.WEBHOOKS):
        known.hook_key = secrets.token_urlsafe(32)
    known.save()
    Credential.objects.update_or_create(
        account=known,
        defaults={
            "secret": connecting.seal_tokens(connected.tokens),
            "refreshed_at": now,
            "app": app,
            "refreshing_until": None,
        },
    )
    record(
        organization=brand.organization,
        actor=actor,
        action="account.connected" if is_new else "account.reconnected",
        subject=known,
        detail={"network": platform, "brand": brand.name, "scopes": known.scopes}
        | ({"how": "link"} if link is not None else {}),
        now=now,
    )
    return known


def pick(connections: Sequence[Connected], account: SocialAccount) -> Connected:
    """The one of several that ``account`` is. Raises DifferentAccount."""
    for one in connections:
        if one.profile.remote_id == account.remote_id:
            return one
    raise DifferentAccount(account.handle, ", ".join(one.profile.handle for one in connections))


def _lock_known(brand: Brand, platform: str, remote_id: str) -> SocialAccount | None:
    return (
        SocialAccount.objects.select_for_update()
        .filter(brand=brand, platform=platform, remote_id=remote_id)
        .first()
    )


def _take_profile(account: SocialAccount, profile: Profile) -> None:
    account.handle = profile.handle
    account.display_name = profile.display_name[:255]
    account.avatar_url = profile.avatar_url if len(profile.avatar_url) <= 1000 else ""
    account.profile_url = profile.profile_url if len(profile.profile_url) <= 1000 else ""


@transaction.atomic
def disconnect(*, account: SocialAccount, actor: User | None, now: dt.datetime) -> None:
    """Forget the account's secret, and who signed in; ``actor`` None: its owner asked for that at the
    network, and those who can connect it again are told. Its history stays; what is scheduled for it is not
    sent any more."""
    row = SocialAccount.objects.select_for_update().get(pk=account.pk)
    was_active = row.status == AccountStatus.ACTIVE
    changed = row.status != AccountStatus.DISCONNECTED
    if changed:
        row.status, row.status_detail = AccountStatus.DISCONNECTED, "" if actor else DELETION_ASKED
    row.token_expires_at = row.connection_expires_at = None
    row.options = {name: value for name, value in row.options.items() if name != "person_id"}
    row.save(
        update_fields=["status", "status_detail", "token_expires_at", "connection_expires_at", "options"]
    )
    Credential.objects.filter(pk=account.pk).delete()
    ReconnectLink.objects.filter(account=account).open(now).update(revoked_at=now)
    if changed:
        record(
            organization=account.brand.organization,
            actor=actor,
            action="account.disconnected",
            subject=account,
            detail={"network": account.platform, "brand": account.brand.name},
            now=now,
        )
    if changed and was_active and actor is None:
        _tell_lost(account, now)


# --- keeping it alive ---------------------------------------------------------------------------


@transaction.atomic
def mark_needs_reconnect(*, account: SocialAccount, detail: str, now: dt.datetime) -> bool:
    """The network no longer takes the credential: stop using it and tell those who can reconnect.

    Does nothing (and returns False) when the account was reconnected since ``account`` was read, so that
    a late answer to an old token does not undo a new one.
    """
    changed = SocialAccount.objects.filter(
        pk=account.pk, status=AccountStatus.ACTIVE, connected_at=account.connected_at
    ).update(status=AccountStatus.NEEDS_RECONNECT, status_detail=detail)
    if not changed:
        return False
    account.status = AccountStatus.NEEDS_RECONNECT
    account.status_detail = detail
    record(
        organization=account.brand.organization,
        actor=None,
        action="account.lost",
        subject=account,
        detail={"network": account.platform, "reason": detail},
        now=now,
    )
    _tell_lost(account, now)
    return True


def _tell_lost(account: SocialAccount, now: dt.datetime) -> None:
    notify(
        organization=account.brand.organization,
        users=people_allowed(brand=account.brand, action=Action.CONNECT_ACCOUNTS),
        kind=NotificationKind.ACCOUNT_LOST,
        context={"account": str(account), "network": account.info.name},
        url=reverse("accounts:account_detail", args=[account.pk]),
        about=account,
        dedupe_key=f"account_lost:{account.pk}:{now:%Y%m%d%H%M%S}",
        now=now,
    )


def reload_choices(*, account: SocialAccount, now: dt.datetime) -> None:
    """Ask the network what can be chosen of this account (its boards) and keep it, on ``account`` too.

    Raises the connector errors; NeedsReconnect has then been noted on the account.
    """
    try:
        found = connecting.connector_for(account).fetch_choices()
    except NeedsReconnect as error:
        mark_needs_reconnect(account=account, detail=error.detail, now=now)
        raise
    choices = {name: [[value, label] for value, label in rows] for name, rows in found.items()}
    with transaction.atomic():
        row = SocialAccount.objects.select_for_update().get(pk=account.pk)
        row.options = account.options = {**row.options, "choices": choices}
        row.save(update_fields=["options"])


def _try_choices(account: SocialAccount, *, now: dt.datetime) -> None:
    """The same where something can be chosen; what does not come now can be asked for later."""
    if not any(one.is_of_account for one in account.info.post_fields):
        return
    try:
        reload_choices(account=account, now=now)
    except ConnectorError as error:
        logger.warning("choices of account %s not read: %s", account.pk, type(error).__name__)


def _try_quotas(account: SocialAccount, *, now: dt.datetime) -> None:
    """What is left of the network's allowances, kept with the time for the account's page."""
    try:
        found = connecting.connector_for(account).fetch_quotas()
    except ConnectorError as error:
        logger.warning("quotas of account %s not read: %s", account.pk, type(error).__name__)
        return
    if not found and "quotas" not in account.options:
        return
    rows = [
        {"name": one.name, "used": one.used, "limit": one.limit, "window_s": one.window_s}
        | {"resets_at": one.resets_at.isoformat() if one.resets_at else ""}
        for one in found
    ]
    with transaction.atomic():
        row = SocialAccount.objects.select_for_update().get(pk=account.pk)
        row.options = account.options = {**row.options, "quotas": {"at": now.isoformat(), "rows": rows}}
        row.save(update_fields=["options"])


def prove(*, account: SocialAccount, now: dt.datetime) -> ConnectorError | None:
    """The end of connecting: ask the network to call us where it does that, and read the profile with what
    was just stored, whatever came of the former. What went wrong, None = it works. Must be called outside a
    transaction."""
    problem: ConnectorError | None = None
    try:
        if account.info.can(Capability.WEBHOOKS):
            connecting.connector_for(account).subscribe()
    except ConnectorError as error:
        problem = error
    try:
        check_account(account=account, now=now)
    except ConnectorError as error:
        return error
    return problem


def check_account(*, account: SocialAccount, now: dt.datetime) -> Profile:
    """Read the account's profile with its credential: does the connection work, and who is it?

    Stores the profile, what can be chosen there, allowances and the time; an account that was marked as lost
    and answers again is active again. Raises the connector errors; NeedsReconnect has then been noted on the
    account.
    """
    try:
        profile = connecting.connector_for(account).fetch_profile()
    except NeedsReconnect as error:
        mark_needs_reconnect(account=account, detail=error.detail, now=now)
        raise
    _take_profile(account, profile)
    account.checked_at = now
    SocialAccount.objects.filter(pk=account.pk).update(
        handle=account.handle,
        display_name=account.display_name,
        avatar_url=account.avatar_url,
        profile_url=account.profile_url,
        checked_at=now,
    )
    revived = SocialAccount.objects.filter(
        pk=account.pk, status=AccountStatus.NEEDS_RECONNECT, connected_at=account.connected_at
    ).update(status=AccountStatus.ACTIVE, status_detail="")
    if revived:
        account.status = AccountStatus.ACTIVE
        account.status_detail = ""
    _try_choices(account, now=now)
    _try_quotas(account, now=now)
    return profile


def refresh_due_credentials(*, now: dt.datetime) -> int:
    """Refresh the tokens that end within REFRESH_AHEAD, those of weeks earlier; returns how many were
    refreshed.

    One account's failure is its own: NeedsReconnect is noted on it, anything passing is left to the next
    run, which comes long before the end.
    """
    is_soon = Q(token_expires_at__lt=now + REFRESH_AHEAD)
    is_long_lived = Q(token_expires_at__gt=F("credential__refreshed_at") + LONG_LIVED)
    # What ends with its token cannot be refreshed, or not to live longer.
    goes_on = Q(connection_expires_at__isnull=True) | Q(connection_expires_at__gt=F("token_expires_at"))
    due = SocialAccount.objects.expiring_before(now + LONG_LIVED_AHEAD).filter(
        is_soon | is_long_lived, goes_on, credential__isnull=False
    )
    refreshed = 0
    for account in due.select_related("brand__organization").order_by("token_expires_at")[:REFRESH_BATCH]:
        try:
            connecting.refresh_tokens(account)
        except NeedsReconnect as error:
            if _is_ending(account, now):
                mark_needs_reconnect(account=account, detail=error.detail, now=now)
            else:  # what is left of the token is good: people are told of its end, and nothing is held
                SocialAccount.objects.filter(pk=account.pk, connected_at=account.connected_at).update(
                    connection_expires_at=F("token_expires_at")
                )
        except ConnectorError as error:
            logger.warning("tokens of account %s not refreshed: %s", account.pk, type(error).__name__)
        else:
            refreshed += 1
    return refreshed


def _is_ending(account: SocialAccount, now: dt.datetime) -> bool:
    """Whether its token ends so soon that it is renewed now or not at all."""
    return account.token_expires_at is None or account.token_expires_at < now + REFRESH_AHEAD


def warn_of_expiring(*, now: dt.datetime) -> int:
    """Tell those who can reconnect about connections that end in 7, 3 or 1 days; returns how many news.

    Each threshold is told once per connection, also when runs were missed in between.
    """
    horizon = now + dt.timedelta(days=EXPIRY_NOTICE_DAYS[0])
    ending = SocialAccount.objects.filter(
        status=AccountStatus.ACTIVE, connection_expires_at__gt=now, connection_expires_at__lte=horizon
    ).select_related("brand__organization")
    told = 0
    for account in ending:
        left = cast(dt.datetime, account.connection_expires_at) - now
        threshold = min(days for days in EXPIRY_NOTICE_DAYS if left <= dt.timedelta(days=days))
        told += notify(
            organization=account.brand.organization,
            users=people_allowed(brand=account.brand, action=Action.CONNECT_ACCOUNTS),
            kind=NotificationKind.ACCOUNT_EXPIRING,
            context={"account": str(account), "network": account.info.name, "days": max(left.days, 1)},
            url=reverse("accounts:account_detail", args=[account.pk]),
            about=account,
            dedupe_key=f"account_expiring:{account.pk}:{account.connection_expires_at:%Y%m%d}:{threshold}",
            now=now,
        )
    return told


def mark_ended_connections(*, now: dt.datetime) -> int:
    """Connections whose known end has passed need a person; returns how many were marked."""
    ended = SocialAccount.objects.filter(
        status=AccountStatus.ACTIVE, connection_expires_at__lte=now
    ).select_related("brand__organization")
    return sum(mark_needs_reconnect(account=account, detail="", now=now) for account in ended)
