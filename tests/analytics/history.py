"""Rows as the work of weeks would leave them: counts, posts, waits, costs, clicks, conversions."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from accounts.models import Brand, SocialAccount
from analytics.models import AccountDay, PostMetrics, PostSnapshot
from audience.models import Identity, Stage
from audience.services.people import Met, meet
from campaigns.models import (
    Campaign,
    Click,
    Conversion,
    ConversionKind,
    CostKind,
    LeadStageEvent,
    Objective,
    SpendEntry,
    TrackedLink,
)
from engagement.models import Conversation, Direction, EpisodeEnd, Message, WaitEpisode
from outbox.models import Delivery, DeliveryState

NOON = dt.datetime(2026, 3, 10, 12, 0, tzinfo=dt.UTC)
TODAY = NOON.date()
DAY = dt.timedelta(days=1)


def days_ago(days: int) -> dt.date:
    return TODAY - days * DAY


def followers(account: SocialAccount, by_days_ago: Mapping[int, int | None], **fields: Any) -> None:
    """``by_days_ago``: followers by days before 10 March 2026."""
    for days, number in by_days_ago.items():
        AccountDay.objects.create(
            account=account, date=days_ago(days), followers=number, taken_at=NOON - days * DAY, **fields
        )


def worked(account: SocialAccount, days: int, **fields: Any) -> None:
    """What the rollup wrote for one date."""
    AccountDay.objects.update_or_create(
        account=account, date=days_ago(days), defaults={"rolled_at": NOON, **fields}
    )


def published(account: SocialAccount, at: dt.datetime, **counts: int | None) -> PostMetrics:
    """A post that went out at ``at``, with its counts so far."""
    number = Delivery.objects.count() + 1
    delivery = Delivery.objects.create(
        brand=account.brand,
        account=account,
        state=DeliveryState.SENT,
        payload={"parts": [{"text": f"Post {number}", "media": []}], "language": "en"},
        due_at=at,
        next_attempt_at=at,
        sent_at=at,
        remote_id=f"r{number}",
        permalink=f"https://network.example/{number}",
    )
    return PostMetrics.objects.create(
        delivery=delivery, account=account, sent_at=at, taken_at=NOON if counts else None, **counts
    )


def snapshot(post: PostMetrics, at: dt.datetime, **counts: int | None) -> None:
    PostSnapshot.objects.create(delivery_id=post.delivery_id, taken_at=at, **counts)
    PostMetrics.objects.filter(pk=post.pk).update(taken_at=at, **counts)


def person(brand: Brand) -> Identity:
    return meet(brand=brand, met=Met("sandbox", uuid.uuid4().hex), now=NOON)


def waited(
    account: SocialAccount,
    started_at: dt.datetime,
    *,
    business_s: int | None = None,
    ended_how: str = "",
    due_in: dt.timedelta = dt.timedelta(hours=4),
) -> WaitEpisode:
    """Somebody who began to wait; answered when ``business_s`` is given."""
    if business_s is not None:
        ended_how = EpisodeEnd.ANSWERED
    conversation = Conversation.objects.create(
        brand=account.brand,
        account=account,
        kind="comment",
        thread_key=uuid.uuid4().hex,
        last_message_at=started_at,
        created_at=started_at,
    )
    message = Message.objects.create(
        conversation=conversation,
        account=account,
        number=1,
        direction=Direction.IN,
        remote_key=uuid.uuid4().hex,
        written_at=started_at,
        arrived_at=started_at,
    )
    return WaitEpisode.objects.create(
        brand=account.brand,
        account=account,
        conversation=conversation,
        opened_by=message,
        started_at=started_at,
        due_at=started_at + due_in,
        ended_at=started_at + dt.timedelta(seconds=business_s or 60) if ended_how else None,
        ended_how=ended_how,
        business_s=business_s,
        calendar_s=None if business_s is None else 2 * business_s,
    )


def campaign_of(brand: Brand, name: str = "Spring", **fields: Any) -> Campaign:
    """A campaign of March 2026."""
    values: dict[str, Any] = {
        "code": name.lower().replace(" ", "-"),
        "objective": Objective.LEADS,
        "starts_on": dt.date(2026, 3, 1),
        "ends_on": dt.date(2026, 3, 31),
        "currency": brand.currency,
        "created_at": NOON,
        **fields,
    }
    return Campaign.objects.create(brand=brand, name=name, **values)


def spent(
    campaign: Campaign, amount: int, *, days: int = 1, kind: str = CostKind.MEDIA, platform: str = ""
) -> None:
    SpendEntry.objects.create(
        campaign=campaign,
        kind=kind,
        date=days_ago(days),
        amount=amount,
        platform=platform,
        source="manual",
        external_id=uuid.uuid4().hex,
        created_at=NOON,
    )


def link_of(
    brand: Brand,
    *,
    campaign: Campaign | None = None,
    platform: str = "sandbox",
    post: PostMetrics | None = None,
) -> TrackedLink:
    code = uuid.uuid4().hex[:12]
    return TrackedLink.objects.create(
        brand=brand,
        campaign=campaign,
        code=code,
        original_url=f"https://shop.example/{code}",
        target_url=f"https://shop.example/{code}",
        platform=platform,
        delivery=post.delivery if post else None,
        created_at=NOON,
    )


def clicked(
    link: TrackedLink, count: int = 1, *, at: dt.datetime = NOON - DAY, is_bot: bool = False
) -> Click:
    """``count`` clicks; the last of them."""
    return Click.objects.bulk_create([Click(link=link, at=at, is_bot=is_bot) for _ in range(count)])[-1]


def converted(
    brand: Brand,
    kind: str = ConversionKind.LEAD,
    *,
    campaign: Campaign | None = None,
    click: Click | None = None,
    value: int = 0,
    refunded: int = 0,
    at: dt.datetime = NOON - DAY,
) -> Conversion:
    return Conversion.objects.create(
        brand=brand,
        campaign=campaign,
        kind=kind,
        external_id=uuid.uuid4().hex,
        happened_at=at,
        value=Decimal(value),
        refunded=Decimal(refunded),
        currency=brand.currency,
        click=click,
        source="api",
        received_at=at,
    )


def sold(
    brand: Brand,
    value: int,
    *,
    campaign: Campaign | None = None,
    click: Click | None = None,
    refunded: int = 0,
    at: dt.datetime = NOON - DAY,
    is_new: bool = True,
) -> Conversion:
    """A sale; to a new customer unless said otherwise."""
    sale = converted(
        brand,
        ConversionKind.SALE,
        campaign=campaign,
        click=click,
        value=value,
        refunded=refunded,
        at=at,
    )
    if is_new:
        LeadStageEvent.objects.create(
            brand=brand,
            identity=person(brand),
            campaign=campaign,
            stage=Stage.CUSTOMER,
            conversion=sale,
            at=at,
        )
    return sale
