"""Reads of deliveries."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Exists, Func, OuterRef, Q, QuerySet

from accounts.models import Brand, Membership, Organization, SocialAccount, User
from accounts.permissions import ALLOWED, Action
from connectors.base import Rate, StepKind
from outbox.errors import StopReason
from outbox.missed import STANDARD, MissedRule
from outbox.models import (
    CLAIMABLE,
    Attempt,
    AttemptState,
    Delivery,
    DeliveryKind,
    DeliveryState,
    HeldReason,
    MissedPolicy,
    Pause,
    QuietPeriod,
    ReceiptEvent,
    SendingRules,
)
from outbox.payloads import has_comment

NEEDS_PERSON = (DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.MISSED, DeliveryState.HELD)

# States of a call that was carried out, or may have been.
NOT_UNDONE = (AttemptState.IN_FLIGHT, AttemptState.UNKNOWN, AttemptState.PROCESSING, AttemptState.DONE)

# Account ``a`` is stopped by a pause of the organization, the brand or the account, and by an archived brand.
PAUSED_SQL = """
    EXISTS (SELECT 1 FROM accounts_brand pb
            WHERE pb.id = a.brand_id
              AND (pb.is_archived
                   OR EXISTS (SELECT 1 FROM outbox_pause p
                              WHERE p.ended_at IS NULL AND p.organization_id = pb.organization_id
                                AND (p.brand_id IS NULL OR p.brand_id = pb.id)
                                AND (p.account_id IS NULL OR p.account_id = a.id))))
"""

# The brand of account ``a`` has a quiet period at ``now``.
QUIET_SQL = """
    EXISTS (SELECT 1 FROM outbox_quietperiod q
            WHERE q.brand_id = a.brand_id AND q.starts_at <= %(now)s AND q.ends_at > %(now)s)
"""
# Something of delivery ``d`` is at the network, or may be: it is brought to its end.
BEGUN_SQL = """
    EXISTS (SELECT 1 FROM outbox_attempt t
            WHERE t.delivery_id = d.id AND t.state IN ('in_flight', 'unknown', 'processing', 'done')
              AND t.step LIKE '%%publish')
"""

# Whether of the failed delivery with the id ``expressions`` every post is at the network, as the last one
# before the first comment is. That it failed is asked beside this: by its state the planner would look
# through every failed delivery there is for each, and with EXISTS for all at once.
COMMENT_LEFT_SQL = """
    coalesce((SELECT true FROM outbox_delivery cf JOIN outbox_attempt ct ON ct.delivery_id = cf.id
              WHERE cf.id = %(expressions)s
                AND cf.payload #>> '{parts,-1,is_comment}' = 'true' AND ct.state = 'done'
                AND ct.step = 'part' || jsonb_array_length(cf.payload -> 'parts') - 2 || '.publish'
              LIMIT 1), false)
"""


class OnlyCommentLeft(Func):
    """``only_comment_left`` for the failed delivery whose id the expression is, as a condition of a query."""

    template = COMMENT_LEFT_SQL
    output_field = BooleanField()


# What somebody must be allowed so that a delivery of theirs may go out.
NEEDED: dict[DeliveryKind, Action] = {
    DeliveryKind.POST: Action.PUBLISH_POSTS,
    DeliveryKind.REPLY: Action.ANSWER,
    DeliveryKind.DM: Action.ANSWER,
    DeliveryKind.MODERATION: Action.ANSWER,
}
_ROLES = {
    kind: [role for role, actions in ALLOWED.items() if action in actions] for kind, action in NEEDED.items()
}


def senders(delivery: Delivery) -> QuerySet[Membership]:
    """Members who may send what is of its kind for the delivery's brand."""
    return Membership.objects.filter(
        Q(has_all_brands=True)
        | Q(
            Exists(
                Membership.brands.through.objects.filter(
                    membership_id=OuterRef("pk"), brand_id=delivery.brand_id
                )
            )
        ),
        organization__brands=delivery.brand_id,
        is_active=True,
        role__in=_ROLES[DeliveryKind(delivery.kind)],
    )


def may_still_send(delivery: Delivery) -> bool:
    """Whether the person who scheduled it may do so for the brand now (they may have left since)."""
    if delivery.scheduled_by_id is None:
        return False
    return senders(delivery).filter(user_id=delivery.scheduled_by_id, user__is_active=True).exists()


def missed_rule_of(brand: Brand) -> MissedRule:
    """What a brand does with late posts that do not say anything themselves."""
    rules = SendingRules.objects.filter(brand=brand).first()
    return MissedRule(MissedPolicy(rules.missed_policy), rules.missed_after_s) if rules else STANDARD


def is_queue_filled() -> bool:
    """Whether claimed deliveries wait for a worker: a claim that found nothing may find something soon."""
    return Delivery.objects.filter(state=DeliveryState.CLAIMED).exists()


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What decides, beside the delivery itself, whether an account may send now."""

    is_active: bool
    is_paused: bool
    is_quiet: bool  # of posts only: what somebody answers with goes out in a quiet period, too
    blocked_until: dt.datetime | None  # a network's Retry-After, perhaps over already


def account_facts(account_id: UUID, *, now: dt.datetime) -> AccountFacts:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT a.status = 'active', {PAUSED_SQL}, {QUIET_SQL}, b.blocked_until
            FROM accounts_socialaccount a LEFT JOIN outbox_bucket b ON b.key = 'account:' || a.id
            WHERE a.id = %(account)s
            """,  # noqa: S608 - only our own constants are put in
            {"account": account_id, "now": now},
        )
        return AccountFacts(*cursor.fetchone())


def limit_of(account: SocialAccount, rate: Rate) -> int:
    """What the network told of this account at the last check, else what its documents say."""
    for row in account.options.get("quotas", {}).get("rows", ()) if rate.quota else ():
        if row["name"] == rate.quota and row["limit"]:
            return int(row["limit"])
    return rate.limit


def people_to_tell(delivery: Delivery) -> list[User]:
    """Whoever scheduled it if they still work here, else everybody who may send it for the brand."""
    members = senders(delivery).select_related("user")
    if delivery.scheduled_by_id and (author := members.filter(user_id=delivery.scheduled_by_id).first()):
        return [author.user]
    return [member.user for member in members.order_by("created_at")[:20]]


def only_comment_left(delivery: Delivery) -> bool:
    """Whether every post of it is at the network and only its first comment is not."""
    if not has_comment(delivery.payload):
        return False
    posts = len(delivery.payload["parts"]) - 1
    steps = [f"part{index}.publish" for index in range(posts)]
    return delivery.attempts.filter(state=AttemptState.DONE, step__in=steps).count() == posts


def receipt_of(delivery: Delivery) -> QuerySet[ReceiptEvent]:
    """The receipt, oldest line first."""
    return ReceiptEvent.objects.filter(delivery=delivery).select_related("actor").order_by("at", "pk")


def needs_person(
    membership: Membership, kinds: Collection[DeliveryKind] = (DeliveryKind.POST,)
) -> QuerySet[Delivery]:
    """Deliveries of these kinds that wait for somebody's decision, the most urgent first."""
    return (
        Delivery.objects.for_member(membership)
        .filter(state__in=NEEDS_PERSON, kind__in=kinds)
        .exclude(state=DeliveryState.MISSED, error=StopReason.SKIPPED)
        .exclude(state=DeliveryState.HELD, held_reason=HeldReason.UNDECIDED)  # a list of its own
        .select_related("account", "brand")
        .order_by("due_at")
    )


def due_between(membership: Membership, start: dt.datetime, end: dt.datetime) -> QuerySet[Delivery]:
    """Posts that are or were due in [start, end), cancelled ones left out, by time."""
    return (
        Delivery.objects.for_member(membership)
        .posts()
        .filter(due_at__gte=start, due_at__lt=end)
        .exclude(state=DeliveryState.CANCELLED)
        .select_related("account", "brand")
        .order_by("due_at")
    )


def open_pause_of_organization(organization: Organization) -> Pause | None:
    """The pause of everything."""
    rows = Pause.objects.open().filter(organization=organization, brand=None, account=None)
    return rows.select_related("started_by").first()


@dataclass(frozen=True, slots=True)
class Paused:
    """What a member's pauses stop: everything, or so many brands and single accounts."""

    is_everything: bool
    brands: int
    accounts: int


def paused_for(membership: Membership) -> Paused:
    """Of the organization and of the brands that the member sees. One query."""
    rows = Pause.objects.open().filter(organization=membership.organization_id)
    if not membership.has_all_brands:
        seen = Membership.brands.through.objects.filter(membership_id=membership.pk).values("brand_id")
        rows = rows.filter(Q(brand=None, account=None) | Q(brand__in=seen) | Q(account__brand__in=seen))
    scopes: list[tuple[UUID | None, UUID | None]] = list(rows.values_list("brand_id", "account_id"))
    return Paused(
        is_everything=(None, None) in scopes,
        brands=sum(account is None and brand is not None for brand, account in scopes),
        accounts=sum(account is not None for _brand, account in scopes),
    )


def open_pause_of_brand(brand: Brand) -> Pause | None:
    """The pause that stops all of this brand: its own or the organization's."""
    return (
        Pause.objects.open()
        .filter(Q(brand=brand) | Q(brand=None), organization=brand.organization_id, account=None)
        .select_related("started_by")
        .order_by("started_at")
        .first()
    )


@dataclass(frozen=True, slots=True)
class BrandRow:
    """One brand in the list of what is paused."""

    brand: Brand
    pause: Pause | None  # its own
    paused_accounts: int


def with_pauses(brands: Sequence[Brand]) -> list[BrandRow]:
    """Two queries for any number of brands."""
    ids = [brand.pk for brand in brands]
    own = {
        pause.brand_id: pause
        for pause in Pause.objects.open().filter(brand__in=ids, account=None).select_related("started_by")
    }
    accounts = Counter(
        Pause.objects.open().filter(account__brand__in=ids).values_list("account__brand_id", flat=True)
    )
    return [BrandRow(brand, own.get(brand.pk), accounts[brand.pk]) for brand in brands]


def open_pause_of(account: SocialAccount) -> Pause | None:
    """The pause that stops this account now: its own, its brand's or the organization's."""
    return (
        Pause.objects.open()
        .filter(organization__brands=account.brand_id)
        .filter(Q(brand__isnull=True) | Q(brand=account.brand_id))
        .filter(Q(account__isnull=True) | Q(account=account))
        .select_related("started_by")
        .order_by("started_at")
        .first()
    )


def quiet_periods_of(brand: Brand, now: dt.datetime) -> QuerySet[QuietPeriod]:
    """Those that are not over, in their order."""
    rows = QuietPeriod.objects.for_brand(brand).filter(ends_at__gt=now)
    return rows.select_related("created_by").order_by("starts_at", "pk")


def quiet_period_at(brand: Brand, at: dt.datetime) -> QuietPeriod | None:
    """The quiet period that holds what falls due at ``at``; of several, the one that ends last."""
    return QuietPeriod.objects.for_brand(brand).at(at).order_by("-ends_at").first()


def overdue_of(pause: Pause, now: dt.datetime) -> QuerySet[Delivery]:
    """The posts that this pause, and no other one, keeps from going out though their time has come. What has
    begun is not among them: it is brought to its end."""
    scope = Q(brand__organization=pause.organization_id)
    if pause.account_id:
        scope = Q(account=pause.account_id)
    elif pause.brand_id:
        scope = Q(brand=pause.brand_id)
    others = (
        Pause.objects.open()
        .exclude(pk=pause.pk)
        .filter(Q(brand=None) | Q(brand=OuterRef("brand")), organization=pause.organization_id)
        .filter(Q(account=None) | Q(account=OuterRef("account")))
    )
    begun = Attempt.objects.filter(
        delivery=OuterRef("pk"), state__in=NOT_UNDONE, step__endswith=StepKind.PUBLISH
    )
    held = Q(state=DeliveryState.HELD, held_reason=HeldReason.PAUSED)
    # The tick holds some hundred rows at a time: of a long backlog the rest is still in the schedule.
    return (
        Delivery.objects.posts()
        .filter(scope, held | Q(state__in=CLAIMABLE), next_attempt_at__lte=now, brand__is_archived=False)
        .filter(~Exists(others), ~Exists(begun))
        .order_by("due_at", "pk")
    )


def undecided(membership: Membership, brand: Brand | None = None) -> QuerySet[Delivery]:
    """Posts that fell due in a pause which is over, and nobody has said what becomes of them."""
    rows = Delivery.objects.for_member(membership).filter(
        state=DeliveryState.HELD, held_reason=HeldReason.UNDECIDED
    )
    if brand is not None:
        rows = rows.for_brand(brand)
    return rows.order_by("due_at", "pk")


def taken_times(accounts: Collection[UUID], *, since: dt.datetime) -> dict[UUID, list[dt.datetime]]:
    """When something is planned on these accounts from ``since`` on, in its order."""
    rows = (
        Delivery.objects.posts()
        .filter(account__in=accounts, state=DeliveryState.SCHEDULED, due_at__gte=since)
        .order_by("due_at")
    )
    found: dict[UUID, list[dt.datetime]] = {}
    for account_id, due_at in rows.values_list("account_id", "due_at"):
        found.setdefault(account_id, []).append(due_at)
    return found


def quiet_spans(
    brands: Collection[UUID], *, since: dt.datetime
) -> dict[UUID, list[tuple[dt.datetime, dt.datetime]]]:
    """The quiet periods of each brand that are not over at ``since``."""
    rows = QuietPeriod.objects.filter(brand__in=brands, ends_at__gt=since).order_by("starts_at")
    found: dict[UUID, list[tuple[dt.datetime, dt.datetime]]] = {}
    for brand_id, starts_at, ends_at in rows.values_list("brand_id", "starts_at", "ends_at"):
        found.setdefault(brand_id, []).append((starts_at, ends_at))
    return found
