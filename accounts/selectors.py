"""Reads of organizations, members, social accounts and the audit log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, F, OuterRef, Prefetch, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from accounts.models import (
    AccountStatus,
    ApiKey,
    AppRegistration,
    AuditEntry,
    Brand,
    Credential,
    Invitation,
    MailChoice,
    MailTimes,
    Membership,
    Notification,
    NotificationKind,
    NotificationPreference,
    Organization,
    Role,
    SocialAccount,
    User,
    WebhookEndpoint,
    WebhookMessage,
)
from accounts.news import OPTIONAL_IN_APP
from accounts.permissions import ALLOWED, Action
from connectors.base import PlatformInfo
from connectors.registry import CONNECTORS

WARN_DAYS = 7  # a connection that ends within so many days is shown as ending soon


# --- people -----------------------------------------------------------------------------------


def people_allowed(*, brand: Brand, action: Action) -> QuerySet[User]:
    """The active users who may do ``action`` for ``brand``: whom to tell about it."""
    roles = [role for role, actions in ALLOWED.items() if action in actions]
    sees_brand = Q(has_all_brands=True) | Q(brands=brand)
    members = Membership.objects.filter(
        sees_brand, organization_id=brand.organization_id, is_active=True, role__in=roles
    )
    return User.objects.filter(is_active=True, memberships__in=members).distinct()


def members_of(organization: Organization) -> QuerySet[Membership]:
    """Everybody of the organization, active ones first, with user and brands."""
    return (
        Membership.objects.filter(organization=organization)
        .select_related("user")
        .prefetch_related(Prefetch("brands", Brand.objects.order_by("name")))
        .order_by("-is_active", "user__name", "user__email", "pk")
    )


def open_invitations(organization: Organization) -> QuerySet[Invitation]:
    """Neither accepted nor revoked, newest first; an expired one is among them, to be sent again."""
    return (
        Invitation.objects.filter(organization=organization)
        .pending()
        .select_related("invited_by")
        .prefetch_related("brands")
        .order_by("-created_at")
    )


def api_keys_of(membership: Membership) -> QuerySet[ApiKey]:
    """The keys of this member's brands: working ones first, the newest of them on top."""
    return (
        ApiKey.objects.for_member(membership)
        .select_related("brand", "created_by")
        .order_by(F("revoked_at").desc(nulls_first=True), "-created_at", "pk")
    )


def is_last_owner(membership: Membership) -> bool:
    """Whether the organization would be without an owner without this member."""
    if membership.role != Role.OWNER or not membership.is_active:
        return False
    others = Membership.objects.filter(
        organization_id=membership.organization_id, role=Role.OWNER, is_active=True, user__is_active=True
    ).exclude(pk=membership.pk)
    return not others.exists()


def memberships_of(user: User) -> QuerySet[Membership]:
    """The organizations that this person may work for."""
    return (
        Membership.objects.filter(user=user, is_active=True)
        .select_related("organization")
        .order_by("organization__name", "pk")
    )


def brands_of(membership: Membership) -> QuerySet[Brand]:
    """Every brand that this member may see, archived ones last, with ``account_count``."""
    connected = Q(social_accounts__isnull=False) & ~Q(social_accounts__status=AccountStatus.DISCONNECTED)
    brands: QuerySet[Brand] = Brand.every.for_member(membership)
    return brands.annotate(account_count=Count("social_accounts", filter=connected, distinct=True)).order_by(
        "is_archived", "name", "pk"
    )


def zone_of(membership: Membership, brand: Brand | None = None) -> str:
    """The zone in which times of no single brand are shown: the chosen brand's, else the oldest one's."""
    brand = brand or Brand.objects.for_member(membership).order_by("created_at").first()
    return brand.timezone if brand else "UTC"


# --- social accounts --------------------------------------------------------------------------


def apps_of(membership: Membership, platform: str) -> QuerySet[AppRegistration]:
    """The organization's developer apps at a network, by name, with ``accounts``: how many use it."""
    users = Credential.objects.filter(app=OuterRef("pk")).order_by().values("app").annotate(n=Count("pk"))
    return (
        AppRegistration.objects.for_member(membership)
        .filter(platform=platform)
        .annotate(accounts=Coalesce(Subquery(users.values("n")), 0))
        .order_by("name")
    )


def known_networks() -> dict[str, PlatformInfo]:
    """Every network that this installation knows, by its key, also where it offers none of its accounts."""
    return {key: connector.INFO for key, connector in CONNECTORS.items()}


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One social account as the list shows it."""

    account: SocialAccount
    info: PlatformInfo
    days_left: int | None  # whole days until a person must reconnect; None = no known end

    @property
    def ends_soon(self) -> bool:
        return self.days_left is not None and self.days_left <= WARN_DAYS


def days_left(account: SocialAccount, now: dt.datetime) -> int | None:
    """Whole days until the connection ends without a person; None when it has no known end, or is over."""
    if account.connection_expires_at is None or not account.is_active:
        return None
    return max((account.connection_expires_at - now).days, 0)


def account_row(account: SocialAccount, now: dt.datetime) -> AccountRow:
    return AccountRow(account, account.info, days_left(account, now))


def accounts_of(membership: Membership, brand: Brand | None = None) -> QuerySet[SocialAccount]:
    """The social accounts that this member sees, disconnected ones last; of one brand if given."""
    rows = SocialAccount.objects.for_member(membership).select_related("brand", "connected_by")
    if brand is not None:
        rows = rows.for_brand(brand)
    is_gone = Case(When(status=AccountStatus.DISCONNECTED, then=1), default=0)
    return rows.order_by(is_gone, "brand__name", "platform", "handle", "pk")


# --- news -------------------------------------------------------------------------------------


def notifications_of(user: User) -> QuerySet[Notification]:
    rows = Notification.objects.for_user(user).shown().select_related("organization")
    return rows.order_by("-created_at", "-pk")


def unread_count(user: User) -> int:
    """For the bell."""
    return Notification.objects.for_user(user).unread().count()


@dataclass(frozen=True, slots=True)
class Wish:
    """How somebody wants one kind of news. By default: in the app, and by mail at once."""

    in_app: bool = True
    mail: str = MailChoice.NOW


def wishes_of(user_ids: Collection[int], kind: str) -> dict[int, Wish]:
    """The wish of each of these people for one kind; what is serious is in the app whatever they wish."""
    wishes = dict.fromkeys(user_ids, Wish())
    for row in NotificationPreference.objects.filter(user__in=user_ids, kind=kind):
        wishes[row.user_id] = _wish(row)
    return wishes


def wishes_by_kind(user: User) -> dict[NotificationKind, Wish]:
    """Every kind with what this person wishes."""
    rows = {row.kind: _wish(row) for row in NotificationPreference.objects.filter(user=user)}
    return {kind: rows.get(kind, Wish()) for kind in NotificationKind}


def _wish(row: NotificationPreference) -> Wish:
    return Wish(row.in_app or row.kind not in OPTIONAL_IN_APP, row.mail)


def mail_times_of(user_ids: Collection[int]) -> dict[int, MailTimes]:
    """When each of these people wants mails; unsaved rows with the defaults for those who never said."""
    known = MailTimes.objects.in_bulk(user_ids) if user_ids else {}
    return {user_id: known.get(user_id) or MailTimes(user_id=user_id) for user_id in user_ids}


# --- webhooks ---------------------------------------------------------------------------------


def webhooks_of(membership: Membership) -> QuerySet[WebhookEndpoint]:
    """The webhooks that this member manages: working ones first, by name."""
    return (
        WebhookEndpoint.objects.for_member(membership)
        .select_related("brand")
        .order_by(F("disabled_at").desc(nulls_first=True), "name", "pk")
    )


def webhook_messages_of(endpoint: WebhookEndpoint) -> QuerySet[WebhookMessage]:
    """What it was told or waits for, newest first."""
    return WebhookMessage.objects.filter(endpoint=endpoint).order_by("-created_at", "-pk")


def people_behind(endpoint: WebhookEndpoint) -> QuerySet[User]:
    """Who may manage this webhook: whom to tell about it."""
    if endpoint.brand is not None:
        return people_allowed(brand=endpoint.brand, action=Action.MANAGE_WEBHOOKS)
    roles = [role for role, actions in ALLOWED.items() if Action.MANAGE_WEBHOOKS in actions]
    members = Membership.objects.filter(
        organization_id=endpoint.organization_id, is_active=True, has_all_brands=True, role__in=roles
    )
    return User.objects.filter(is_active=True, memberships__in=members).distinct()


# --- audit ------------------------------------------------------------------------------------


def audit_entries(
    organization: Organization, *, actor: str = "", action: str = "", text: str = ""
) -> QuerySet[AuditEntry]:
    """Newest first. ``actor`` is a user's id or "system", ``action`` a whole action or its first part
    (``brand``), ``text`` a piece of the subject's name."""
    rows = AuditEntry.objects.filter(organization=organization).select_related("actor")
    if actor == "system":
        rows = rows.filter(actor_name="")
    elif actor.isdigit():
        rows = rows.filter(actor_id=int(actor))
    if action:
        rows = rows.filter(Q(action=action) | Q(action__startswith=f"{action}."))
    if text:
        rows = rows.filter(subject_name__icontains=text)
    return rows.order_by("-at", "-pk")


def audit_filters(organization: Organization) -> dict[str, Any]:
    """What the log of this organization can be filtered by: its actors and its groups of actions."""
    entries = AuditEntry.objects.filter(organization=organization)
    actions = entries.order_by("action").values_list("action", flat=True).distinct()
    return {
        "actors": User.objects.filter(pk__in=entries.values("actor")).order_by("name", "email"),
        "groups": sorted({action.partition(".")[0] for action in actions}),
    }
