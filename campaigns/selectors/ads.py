"""Ad accounts as their pages show them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import AccountStatus, AppRegistration, Membership
from campaigns.models import AdAccount, AdCampaign, Campaign, CostKind, Source, SpendEntry
from connectors.ads.base import AdPlatformInfo
from connectors.ads.registry import AD_CONNECTORS


def platforms() -> list[AdPlatformInfo]:
    return [connector.INFO for connector in AD_CONNECTORS.values()]


def platform_of(key: str) -> AdPlatformInfo | None:
    return next((info for info in platforms() if info.key == key), None)


def apps_of(membership: Membership, platform: str) -> QuerySet[AppRegistration]:
    """The organization's developer apps at a platform, by name, with ``accounts``: how many use it."""
    users = (
        AdAccount.objects.filter(credential__app=OuterRef("pk"))
        .order_by()
        .values("credential__app")
        .annotate(n=Count("pk"))
    )
    return (
        AppRegistration.objects.for_member(membership)
        .filter(platform=platform)
        .annotate(accounts=Coalesce(Subquery(users.values("n")), 0))
        .order_by("name")
    )


@dataclass(frozen=True, slots=True)
class AdAccountRow:
    """One ad account as the list shows it. ``open``: campaigns that nobody has assigned yet."""

    account: AdAccount
    info: AdPlatformInfo
    assigned: int
    open: int


def rows_of(membership: Membership) -> list[AdAccountRow]:
    """Those of one's brands; disconnected ones last."""
    accounts = (
        AdAccount.objects.for_member(membership)
        .select_related("brand")
        .annotate(
            assigned=Count("campaigns", filter=Q(campaigns__campaign__isnull=False)),
            open=Count("campaigns", filter=Q(campaigns__campaign=None, campaigns__is_ignored=False)),
        )
        .order_by("brand__name", "platform", "name", "pk")
    )
    rows = [AdAccountRow(one, one.info, one.assigned, one.open) for one in accounts]  # type: ignore[attr-defined]
    return sorted(rows, key=lambda row: row.account.status == "disconnected")


def brands_connected(membership: Membership, platform: str) -> dict[str, list[str]]:
    """By the platform's id of an ad account: the names of one's brands that are connected with it."""
    rows = (
        AdAccount.objects.for_member(membership)
        .filter(platform=platform)
        .exclude(status=AccountStatus.DISCONNECTED)
        .order_by("brand__name")
        .values_list("remote_id", "brand__name")
    )
    found: dict[str, list[str]] = {}
    for remote_id, brand in rows:
        found.setdefault(remote_id, []).append(brand)
    return found


def campaigns_of_account(account: AdAccount) -> list[AdCampaign]:
    """Open ones first, then by what they cost."""
    rows = AdCampaign.objects.filter(account=account).select_related("campaign")
    return sorted(
        rows,
        key=lambda row: (row.campaign_id is not None or row.is_ignored, -row.spend_seen, row.name, row.pk),
    )


def choosable(account: AdAccount) -> QuerySet[Campaign]:
    """Campaigns of the brand that count in the ad account's currency; archived ones, and those that count in
    another by now, only where they are chosen already."""
    chosen = AdCampaign.objects.filter(account=account, campaign__isnull=False).values("campaign")
    rows = Campaign.objects.for_brand(account.brand)
    fits = Q(currency=account.currency, archived_at__isnull=True)
    return rows.filter(fits | Q(pk__in=chosen)).order_by("-starts_on", "name")


def doubled_days(campaign: Campaign) -> list[dt.date]:
    """Days that count costs of the same network twice until the next import: from an ad account, and entered
    by hand or from a file since."""
    imported = SpendEntry.objects.filter(campaign=campaign, source=Source.ADS, ad_campaign__isnull=False)
    of_days: dict[dt.date, set[str]] = {}
    for date, platform in (
        imported.order_by().values_list("date", "ad_campaign__account__platform").distinct()
    ):
        of_days.setdefault(date, set()).add(platform)
    if not of_days:
        return []
    others = SpendEntry.objects.filter(campaign=campaign, kind=CostKind.MEDIA, date__in=of_days).exclude(
        source=Source.ADS
    )
    return sorted(
        {
            date
            for date, word in others.values_list("date", "platform")
            if any(AD_CONNECTORS[key].INFO.is_filed_under(word) for key in of_days[date])
        }
    )
