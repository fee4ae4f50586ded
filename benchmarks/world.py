"""A large installation to measure pages on: one organization with brands, accounts, posts, people and money.

``fill(Size(...))`` makes everything by bulk statements, the same rows for the same size, spread over the six
months before now.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MONTHS = 6
DAYS = 30 * MONTHS
BATCH = 5000


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything. Snapshots are spread evenly over the deliveries."""

    brands: int = 4
    accounts: int = 5  # of each brand
    deliveries: int = 20_000
    snapshots: int = 2_000_000
    people: int = 20_000
    messages: int = 200_000
    links: int = 2_000
    clicks: int = 100_000
    conversions: int = 8_000
    campaigns: int = 6  # of each brand


@dataclass(slots=True)
class World:
    """What the benchmarks need to know of what was made."""

    organization: Any
    brands: list[Any]
    owner: Any
    accounts: list[Any]
    links: list[Any]
    campaigns: list[Any]
    now: dt.datetime
    chance: random.Random


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def fill(size: Size) -> World:
    """Everything, committed; statistics of the planner are fresh afterwards."""
    from django.db import connection
    from django.utils import timezone

    started = time.monotonic()
    world = _house(size, timezone.now())
    say("world: posts and snapshots")
    deliveries = _deliveries(world, size)
    _snapshots(world, size)
    say("world: people and messages")
    people = _people(world, size)
    _conversations(world, size, people, deliveries)
    say("world: campaigns, clicks, conversions")
    _campaigns(world, size, people)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    say(f"world: made in {time.monotonic() - started:.0f} s")
    return world


def clear() -> None:
    """Nothing is left, for another world."""
    from django.apps import apps
    from django.db import connection

    tables = ", ".join(
        f'"{model._meta.db_table}"'
        for model in apps.get_models()
        if not model._meta.proxy and model._meta.app_label != "contenttypes"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")


def _key(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _spread(now: dt.datetime, number: int, of: int) -> dt.datetime:
    """The instant of row ``number`` of ``of``, from six months ago until now."""
    return now - dt.timedelta(days=DAYS) * (1 - (number + 1) / (of + 1))


def _make(model: Any, rows: Iterator[Any] | Sequence[Any]) -> list[Any]:
    made: list[Any] = model.objects.bulk_create(list(rows), batch_size=BATCH)
    return made


def _house(size: Size, now: dt.datetime) -> World:
    from accounts.models import Brand, Membership, Organization, Role, SocialAccount, User

    organization = Organization.objects.create(name="Benchmark")
    owner = User.objects.create_user("benchmark@example.com", "benchmark")
    Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    brands = [
        Brand.objects.create(
            organization=organization, name=f"Brand {number}", timezone="Asia/Tokyo", currency="JPY"
        )
        for number in range(size.brands)
    ]
    accounts = _make(
        SocialAccount,
        [
            SocialAccount(
                brand=brand,
                platform="sandbox",
                remote_id=f"b{place}a{number}",
                handle=f"b{place}a{number}",
                connected_at=now - dt.timedelta(days=DAYS),
            )
            for place, brand in enumerate(brands)
            for number in range(size.accounts)
        ],
    )
    return World(organization, brands, owner, accounts, [], [], now, random.Random(1))


def _deliveries(world: World, size: Size) -> list[Any]:
    from analytics.models import AccountDay, PostMetrics
    from content_calendar.models import Approval, Post, Variant
    from outbox.models import Delivery, DeliveryState

    now, chance = world.now, world.chance
    AccountDay.objects.bulk_create(
        [
            AccountDay(
                account=account,
                date=(now - dt.timedelta(days=day)).date(),
                followers=10_000 - 20 * day,
                following=100,
                posts=1_000 - day,
                taken_at=now - dt.timedelta(days=day),
            )
            for account in world.accounts
            for day in range(DAYS)
        ],
        batch_size=BATCH,
    )
    deliveries, posts, variants, counts = [], [], [], []
    for number in range(size.deliveries):
        account = world.accounts[number % len(world.accounts)]
        at = _spread(now, number, size.deliveries)
        text = f"Fresh coffee every morning at the harbour, number {number}."
        delivery = Delivery(
            brand_id=account.brand_id,
            account=account,
            payload={"parts": [{"text": text, "media": [], "link_card": None}], "language": "en"},
            due_at=at,
            next_attempt_at=at,
            state=DeliveryState.SENT,
            sent_at=at,
            seen_at=at,
            remote_id=f"p{number}",
            scheduled_by=world.owner,
        )
        post = Post(
            brand_id=account.brand_id,
            author=world.owner,
            approval=Approval.APPROVED,
            parts=[{"text": text, "media": [], "link_card": None}],
            planned_at=at,
            created_at=at,
            updated_at=at,
        )
        deliveries.append(delivery)
        posts.append(post)
        variants.append(Variant(post=post, account=account, delivery=delivery))
        counts.append(
            PostMetrics(
                delivery=delivery,
                account=account,
                taken_at=now,
                sent_at=at,
                likes=chance.randint(0, 200),
                comments=chance.randint(0, 20),
                shares=chance.randint(0, 30),
                impressions=chance.randint(500, 9_000),
                followers_at_post=9_000,
            )
        )
    _make(Delivery, deliveries)
    _make(Post, posts)
    _make(Variant, variants)
    _make(PostMetrics, counts)
    return deliveries


def _snapshots(world: World, size: Size) -> None:
    from django.db import connection

    from analytics.services.partitions import create_partitions

    now = world.now
    create_partitions(now=now - dt.timedelta(days=DAYS))
    for month in range(1, MONTHS + 1):
        create_partitions(now=now - dt.timedelta(days=DAYS - 30 * month))
    each = max(size.snapshots // size.deliveries, 1)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO analytics_postsnapshot (delivery_id, taken_at, likes, comments, shares, impressions)
            SELECT d.id, d.sent_at + s.n * ((%s - d.sent_at) / %s), s.n, s.n / 10, s.n / 5, s.n * 40
            FROM outbox_delivery d CROSS JOIN generate_series(1, %s) AS s (n)
            """,
            [now, each, each],
        )


def _people(world: World, size: Size) -> list[Any]:
    from audience.models import Contact, Identity
    from core.bigrams import folded, grams

    contacts, identities = [], []
    for number in range(size.people):
        brand = world.brands[number % len(world.brands)]
        seen = _spread(world.now, number, size.people)
        words = folded(f"Person {number}", f"person{number}")
        search = {"search_text": words, "search_grams": grams(words)}
        contact = Contact(
            brand=brand, name=f"Person {number}", first_seen_at=seen, last_seen_at=seen, **search
        )
        contacts.append(contact)
        identities.append(
            Identity(
                brand=brand,
                contact=contact,
                platform="sandbox",
                remote_id=f"person{number}",
                remote_key=_key(f"person{number}"),
                handle=f"person{number}",
                display_name=f"Person {number}",
                **search,
                first_seen_at=seen,
                last_seen_at=seen,
            )
        )
    _make(Contact, contacts)
    return _make(Identity, identities)


def _conversations(world: World, size: Size, people: list[Any], deliveries: list[Any]) -> None:
    """Five messages each: three of the customer, two answers, the last one open in one of ten."""
    from engagement.models import Conversation, ConversationKind, ConversationState, Message, WaitEpisode

    now, chance = world.now, world.chance
    count = size.messages // 5
    conversations, messages, episodes = [], [], []
    for number in range(count):
        account = world.accounts[number % len(world.accounts)]
        person = people[number % len(people)]
        begun = _spread(now, number, count)
        is_open = number % 10 == 0
        waits = 1800 + chance.randint(0, 7200)
        conversation = Conversation(
            brand_id=account.brand_id,
            account=account,
            kind=(ConversationKind.COMMENT, ConversationKind.DM, ConversationKind.MENTION)[number % 3],
            thread_id=f"t{number}",
            thread_key=_key(f"t{number}"),
            identity=person,
            delivery=deliveries[number % len(deliveries)] if number % 3 == 0 else None,
            state=ConversationState.OPEN if is_open else ConversationState.DONE,
            assignee=world.owner if number % 20 == 0 else None,
            last_number=5,
            last_message_at=begun + dt.timedelta(hours=5),
            preview="And are you open on Sundays, too?",
            waiting_since=begun + dt.timedelta(hours=5) if is_open else None,
            due_at=begun + dt.timedelta(hours=9) if is_open else None,
            created_at=begun,
        )
        conversations.append(conversation)
        for place in range(1, 6):
            at = begun + dt.timedelta(hours=place)
            message = Message(
                conversation=conversation,
                account=account,
                number=place,
                direction="out" if place % 2 == 0 else "in",
                remote_id=f"m{number}.{place}",
                remote_key=_key(f"m{number}.{place}"),
                identity=None if place % 2 == 0 else person,
                author=world.owner if place % 2 == 0 else None,
                text=f"Message {place}: and are you open on Sundays, too?",
                written_at=at,
                arrived_at=at,
            )
            messages.append(message)
            if place % 2:
                ended = None if place == 5 and is_open else at + dt.timedelta(seconds=waits)
                episodes.append(
                    WaitEpisode(
                        brand_id=account.brand_id,
                        account=account,
                        conversation=conversation,
                        opened_by=message,
                        started_at=at,
                        due_at=at + dt.timedelta(hours=4),
                        ended_at=ended,
                        ended_how="answered" if ended else "",
                        calendar_s=waits if ended else None,
                        business_s=waits // 2 if ended else None,
                    )
                )
    _make(Conversation, conversations)
    _make(Message, messages)
    _make(WaitEpisode, episodes)


def _campaigns(world: World, size: Size, people: list[Any]) -> None:
    from django.db import connection

    from campaigns.models import BudgetLine, Campaign, Conversion, SpendEntry, TrackedLink

    now, chance = world.now, world.chance
    today = now.date()
    for place, brand in enumerate(world.brands):
        for number in range(size.campaigns):
            begun = today - dt.timedelta(days=DAYS - number * DAYS // size.campaigns)
            world.campaigns.append(
                Campaign.objects.create(
                    brand=brand,
                    name=f"Campaign {place}.{number}",
                    code=f"campaign-{number}",
                    objective="sales",
                    starts_on=begun,
                    ends_on=begun + dt.timedelta(days=60),
                    currency=brand.currency,
                    margin_rate=Decimal("0.5"),
                    created_by=world.owner,
                    created_at=now,
                )
            )
    kinds = ("media", "production", "labour", "agency")
    _make(
        BudgetLine,
        [
            BudgetLine(campaign=campaign, kind=kind, amount=Decimal(500_000), position=place)
            for campaign in world.campaigns
            for place, kind in enumerate(kinds)
        ],
    )
    _make(
        SpendEntry,
        [
            SpendEntry(
                campaign=campaign,
                kind=kinds[day % 4],
                date=campaign.starts_on + dt.timedelta(days=day),
                amount=Decimal(20_000),
                platform="sandbox",
                source="csv",
                external_id=f"s{day}",
                created_at=now,
            )
            for campaign in world.campaigns
            for day in range(60)
        ],
    )
    world.links = _make(
        TrackedLink,
        [
            TrackedLink(
                brand_id=campaign.brand_id,
                campaign=campaign,
                code=f"L{number:06d}",
                original_url=f"https://shop.example/item/{number}",
                target_url=f"https://shop.example/item/{number}?utm_source=sandbox&utm_campaign={campaign.code}",
                platform="sandbox",
                created_by=world.owner,
                created_at=now - dt.timedelta(days=DAYS),
            )
            for number in range(size.links)
            for campaign in [world.campaigns[number % len(world.campaigns)]]
        ],
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO campaigns_click (key, link_id, at, is_bot, visitor, referrer_host, is_to_be_told)
            SELECT gen_random_uuid(), l.id,
                   %s - (n %% %s) * interval '1 day' - (n %% 86000) * interval '1 second',
                   n %% 7 = 0, md5((n %% 5000)::text), '', false
            FROM generate_series(0, %s - 1) AS s (n)
            JOIN (SELECT id, row_number() OVER (ORDER BY code) - 1 AS place FROM campaigns_trackedlink) l
              ON l.place = n %% %s
            """,
            [now, DAYS - 1, size.clicks, size.links],
        )
    by_brand: dict[Any, list[Any]] = {}
    for person in people:
        by_brand.setdefault(person.brand_id, []).append(person)
    rows = []
    for number in range(size.conversions):
        campaign = world.campaigns[number % len(world.campaigns)]
        own = by_brand[campaign.brand_id]
        is_sale = number % 5 == 0
        rows.append(
            Conversion(
                brand_id=campaign.brand_id,
                campaign=campaign,
                kind="sale" if is_sale else "lead",
                external_id=f"c{number}",
                happened_at=_spread(now, number, size.conversions),
                value=Decimal(chance.randint(3, 60) * 1000) if is_sale else Decimal(0),
                currency=campaign.currency,
                identity=own[number % len(own)],
                source="api",
                received_at=now,
            )
        )
    _make(Conversion, rows)
