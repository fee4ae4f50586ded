"""Ad accounts: signing in, choosing among what the sign-in may read, and saying whose costs they are.

The app, the state and the way there and back are those of social accounts (accounts.connecting); the tokens
are encrypted like theirs. One sign-in may serve several ad accounts, so its tokens have a row of their own,
and one process at a time works with them (services/ad_imports.py).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from django.db import transaction
from django.urls import reverse

from accounts import connecting
from accounts.connecting import OAuthStart
from accounts.models import AccountStatus, AppRegistration, Brand, NotificationKind, Organization, User
from accounts.permissions import Action
from accounts.selectors import people_allowed
from accounts.services import apps
from accounts.services.audit import record
from accounts.services.notifications import notify
from accounts.services.social import EXPIRY_NOTICE_DAYS
from campaigns.models import AdAccount, AdCampaign, AdCredential, Campaign, SpendEntry
from connectors.ads.base import AdAccount as RemoteAccount
from connectors.ads.base import AdConnector
from connectors.ads.registry import ad_connector_class
from connectors.base import AppCredentials, AuthorizeRequest, Tokens
from connectors.errors import NeedsReconnect, Rejected, RejectReason
from core.crypto import CannotDecrypt

# A sign-in that nothing was chosen from is forgotten.
OFFER_LIFETIME = dt.timedelta(hours=1)
MOST_OFFERED = 500


class OfferOver(Exception):
    """What the sign-in offered is no longer to be chosen from."""


class OtherCurrency(Exception):
    """The campaign counts in another currency than the ad account, or the account's is not known."""


class OtherBrand(Exception):
    """The campaign belongs to another brand than the ad account."""


# --- signing in -------------------------------------------------------------------------------


def begin(*, app: AppRegistration, redirect_uri: str, now: dt.datetime) -> OAuthStart:
    """Raises NeedsReconnect when no key opens the app's secret, and what the platform's address may raise."""
    platform = ad_connector_class(app.platform)

    def authorize(credentials: AppCredentials, state: str) -> AuthorizeRequest:
        return platform.authorize_url(app=credentials, redirect_uri=redirect_uri, state=state)

    return connecting.start_oauth(app=app, redirect_uri=redirect_uri, authorize=authorize, now=now)


def finish(
    *, organization: Organization, pending: Mapping[str, Any], code: str, actor: User, now: dt.datetime
) -> AdCredential:
    """The code becomes tokens, and what can be chosen from is read. The caller has taken ``pending`` out of
    the session, so that it serves once. Must be called outside a transaction.

    Raises OAuthExpired, and the connector errors; Rejected(NOT_FOUND) when there is no ad account at all.
    """
    app, verifier = connecting.resume_oauth(pending=pending, now=now)
    if app.organization_id != organization.pk:
        raise connecting.OAuthExpired
    platform = ad_connector_class(app.platform)
    credentials = connecting.credentials_of(app)
    grant = platform.exchange_code(
        app=credentials, code=code, code_verifier=verifier, redirect_uri=pending["redirect_uri"]
    )
    found = platform(tokens=grant.tokens, app=credentials).fetch_ad_accounts()
    if not found:
        raise Rejected(RejectReason.NOT_FOUND, "no ad account")
    return AdCredential.objects.create(
        organization=organization,
        platform=app.platform,
        secret=connecting.seal_tokens(grant.tokens),
        app=app,
        offered=[asdict(one) for one in found[:MOST_OFFERED]],
        refreshed_at=now,
        ends_at=connecting.end_of(grant.tokens),
        created_by=actor,
        created_at=now,
    )


def offered(credential: AdCredential, now: dt.datetime) -> list[RemoteAccount]:
    """Raises OfferOver."""
    if not credential.offered or now > credential.created_at + OFFER_LIFETIME:
        raise OfferOver
    return [RemoteAccount(**one) for one in credential.offered]


def accept(
    *, credential: AdCredential, brand: Brand, chosen: Collection[str], actor: User, now: dt.datetime
) -> list[AdAccount]:
    """Connect the chosen ones with a brand; one that it has already gets the new sign-in. They are imported
    as soon as somebody has said which campaigns are which. Raises OfferOver, also for a second time."""
    with transaction.atomic():
        row = AdCredential.objects.select_for_update().get(pk=credential.pk)
        saved = [_saved(row, brand, one, actor, now) for one in offered(row, now) if one.id in chosen]
        row.offered = []
        row.save(update_fields=["offered"])
        _forget_unused(organization_id=row.organization_id, before=now - OFFER_LIFETIME)
    return saved


def _saved(
    credential: AdCredential, brand: Brand, remote: RemoteAccount, actor: User, now: dt.datetime
) -> AdAccount:
    platform = ad_connector_class(credential.platform)
    facts = {
        "credential": credential,
        "name": remote.name[:255],
        "status": AccountStatus.ACTIVE,
        "import_at": now,
        "problem": "",
        "problem_detail": "",
        "connected_by": actor,
        "connected_at": now,
    }
    told = {"currency": remote.currency, "time_zone": remote.time_zone}
    account, _is_new = AdAccount.objects.update_or_create(
        brand=brand,
        platform=credential.platform,
        remote_id=remote.id,
        # What the platform does not say this time is as it was.
        defaults=facts | {name: word for name, word in told.items() if word},
        create_defaults=facts | told | {"window": platform.INFO.window().key},
    )
    _audit(account, "spend.ad_account_connected", actor, now)
    return account


def disconnect(*, account: AdAccount, actor: User, now: dt.datetime) -> None:
    """Nothing is imported any more, and the tokens are forgotten; what was imported stays."""
    with transaction.atomic():
        # The sign-in before its accounts, as everywhere: nobody waits for the other.
        credential = AdCredential.objects.select_for_update(of=("self",)).filter(accounts=account).first()
        row = _lock(account)
        if row.status == AccountStatus.DISCONNECTED:
            return
        row.status, row.credential, row.import_at = AccountStatus.DISCONNECTED, None, None
        row.save(update_fields=["status", "credential", "import_at"])
        if credential is not None and not credential.accounts.exists():
            credential.delete()
        _audit(row, "spend.ad_account_disconnected", actor, now)


def clean(*, now: dt.datetime) -> int:
    """Sign-ins that nothing was chosen from, and those that newer ones took the place of."""
    return _forget_unused(before=now - OFFER_LIFETIME)


def _forget_unused(*, before: dt.datetime, organization_id: uuid.UUID | None = None) -> int:
    rows = AdCredential.objects.filter(accounts__isnull=True, created_at__lt=before)
    if organization_id is not None:
        rows = rows.filter(organization_id=organization_id)
    gone, _by_model = rows.delete()
    return gone


def delete_app(*, app: AppRegistration, actor: User, now: dt.datetime) -> None:
    """Raises accounts.services.apps.InUse."""
    with transaction.atomic():
        AppRegistration.objects.select_for_update().get(pk=app.pk)
        if used := AdAccount.objects.filter(credential__app=app).count():
            raise apps.InUse(used)
        apps.delete_app(app=app, actor=actor, now=now)


# --- whose costs they are ---------------------------------------------------------------------


def choose_campaigns(
    *,
    account: AdAccount,
    choices: Sequence[tuple[AdCampaign, Campaign | None, bool]],
    actor: User,
    now: dt.datetime,
) -> int:
    """Which of our campaigns the costs of each belong to; the flag says that they belong to none. How many
    choices were new. Costs that were imported before move with the choice, or go with it; the rest is
    imported at once. Raises OtherCurrency, OtherBrand; nothing is changed then."""
    with transaction.atomic():
        row = _lock(account)
        changed = 0
        for one, campaign, is_ignored in choices:
            ad_campaign = AdCampaign.objects.select_for_update().get(pk=one.pk, account=row)
            if (ad_campaign.campaign_id, ad_campaign.is_ignored) == (campaign and campaign.pk, is_ignored):
                continue
            if campaign is not None:
                if campaign.brand_id != row.brand_id:
                    raise OtherBrand
                if not row.currency or campaign.currency != row.currency:
                    raise OtherCurrency
            changed += 1
            rows = SpendEntry.objects.filter(ad_campaign=ad_campaign)
            if campaign is None:
                rows.delete()
            else:
                rows.update(campaign=campaign, line=None)
            ad_campaign.campaign, ad_campaign.is_ignored = campaign, is_ignored and campaign is None
            ad_campaign.chosen_by, ad_campaign.chosen_at = actor, now
            ad_campaign.save(update_fields=["campaign", "is_ignored", "chosen_by", "chosen_at"])
        if changed:
            _ask_for_import(row, now)
            _audit(row, "spend.ad_campaigns_chosen", actor, now, count=changed)
    return changed


def set_window(*, account: AdAccount, window: str, now: dt.datetime) -> bool:
    """Within which window conversions are counted; whether that is new. Raises Rejected(INVALID)."""
    key = account.info.window(window).key
    with transaction.atomic():
        row = _lock(account)
        if row.window == key:
            return False
        row.window = key
        row.save(update_fields=["window"])
        _ask_for_import(row, now)
    return True


def ask_for_import(*, account: AdAccount, now: dt.datetime) -> bool:
    """As soon as a worker is free. Whether the account can be imported at all."""
    with transaction.atomic():
        return _ask_for_import(_lock(account), now)


def _ask_for_import(row: AdAccount, now: dt.datetime) -> bool:
    if row.status != AccountStatus.ACTIVE:
        return False
    AdAccount.objects.filter(pk=row.pk).update(import_at=now)
    return True


# --- tokens -----------------------------------------------------------------------------------


def connector_of(account: AdAccount) -> AdConnector:
    """Raises NeedsReconnect when there are no tokens that a key opens."""
    credential = account.credential
    if credential is None:
        raise NeedsReconnect("no credential is stored")
    try:
        tokens = connecting.open_tokens(credential.secret)
    except CannotDecrypt:
        raise NeedsReconnect("no configured key opens the stored credential") from None
    app = connecting.credentials_of(credential.app) if credential.app else None
    return ad_connector_class(account.platform)(tokens=tokens, app=app)


def refreshed(connector: AdConnector, *, credential: AdCredential, now: dt.datetime) -> AdConnector:
    """With fresh tokens, stored. Only whoever works with the sign-in may call it, outside any transaction: a
    refresh token is often good for one use. Raises NeedsReconnect and what else the platform may raise."""
    tokens: Tokens = type(connector).refresh(tokens=connector.tokens, app=connector.app)
    with transaction.atomic(durable=True):
        AdCredential.objects.filter(pk=credential.pk).update(
            secret=connecting.seal_tokens(tokens), refreshed_at=now, ends_at=connecting.end_of(tokens)
        )
    return type(connector)(tokens=tokens, app=connector.app)


def warn_of_ending(*, now: dt.datetime) -> int:
    """Tell those who can sign in again about access that ends in 7, 3 or 1 days; returns how many news. Once
    for each sign-in, brand and threshold, however many ad accounts it serves."""
    horizon = now + dt.timedelta(days=EXPIRY_NOTICE_DAYS[0])
    ending = (
        AdAccount.objects.connected()
        .filter(
            status=AccountStatus.ACTIVE,
            brand__is_archived=False,
            credential__ends_at__gt=now,
            credential__ends_at__lte=horizon,
        )
        .select_related("brand__organization", "credential")
        .order_by("credential", "brand", "name")
        .distinct("credential", "brand")
    )
    told = 0
    for account in ending:
        left = cast(dt.datetime, cast(AdCredential, account.credential).ends_at) - now
        threshold = min(days for days in EXPIRY_NOTICE_DAYS if left <= dt.timedelta(days=days))
        told += notify(
            organization=account.brand.organization,
            users=people_allowed(brand=account.brand, action=Action.CONNECT_ACCOUNTS),
            kind=NotificationKind.ACCOUNT_EXPIRING,
            context={"account": account.name, "network": account.info.name, "days": max(left.days, 1)},
            url=reverse("campaigns:ad_account", args=[account.pk]),
            about=account.brand,
            dedupe_key=f"ad_sign_in_ending:{account.credential_id}:{account.brand_id}:{threshold}",
            now=now,
        )
    return told


def _lock(account: AdAccount) -> AdAccount:
    rows = AdAccount.objects.select_for_update(of=("self",)).select_related(
        "brand__organization", "credential"
    )
    row: AdAccount = rows.get(pk=account.pk)
    return row


def _audit(account: AdAccount, action: str, actor: User | None, now: dt.datetime, **detail: object) -> None:
    record(
        organization=account.brand.organization,
        actor=actor,
        action=action,
        subject=account,
        detail={"network": account.info.name, "brand": account.brand.name, **detail},
        now=now,
    )
