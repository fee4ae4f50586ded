"""The demo's posts: scheduled as on the day they were written; those of the past stand at the network."""

from __future__ import annotations

import base64
import datetime as dt
import io
import itertools
import random
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.files.storage import default_storage

from accounts.connecting import connector_for
from accounts.models import User
from analytics.models import TOLD_AS, AccountDay, PostMetrics, PostSnapshot
from analytics.services.collection import next_pull
from content_calendar.content import MediaUse, Part, Parts
from content_calendar.models import Post
from content_calendar.services.drafts import Draft, create_post
from content_calendar.services.media import store_image
from content_calendar.services.scheduling import schedule_post
from core.time import to_local
from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryState, ReceiptEvent, ReceiptKind
from outbox.services.telling import tell_people
from outbox.services.transitions import move, note
from smmapp.demo import pictures
from smmapp.demo.plan import PEOPLE, DemoPost
from smmapp.demo.world import Account, Sent, World

DETAILED_FOR = dt.timedelta(days=15)
FEW_DAYS = (1, 2, 3, 4, 5, 7, 9, 11, 14, 21, 35, 60, 90)  # ages at which older posts were counted
COUNTS = ("likes", "comments", "shares", "impressions", "reach", "network_clicks")


def add_posts(world: World, posts: Sequence[DemoPost]) -> None:
    """All posts of a brand, scheduled as on the day they were written; what went out since is ``world.sent``
    and stands at the network with its counts."""
    owner, manager = (world.people[person.email] for person in PEOPLE[:2])
    key = world.plan.key
    writers = [world.people[p.email] for p in PEOPLE if p.role == "creator" and key in p.brands] or [manager]
    for number, post in enumerate(posts):
        author = (*writers, owner)[number % (len(writers) + 1)]
        at = _due_at(post, world)
        latest = world.now - dt.timedelta(hours=3 + 5 * (number % 7))
        written_at = min(latest, (at or world.now) - dt.timedelta(days=2))
        draft = _draft(post, world, author, now=written_at, planned_at=at)
        row = create_post(brand=world.row, author=author, draft=draft, now=written_at)
        if at is None or post.is_draft:
            continue
        schedule_post(post=row, at=at, actor=(manager, owner)[number % 2], now=written_at)
        if at < world.now:
            world.sent += _sent_of(row, post, world.accounts, number)
    for account in world.accounts:
        own = [one for one in world.sent if one.account is account]
        _publish(world, account, own)
        _count(world, account, own)


def _due_at(post: DemoPost, world: World) -> dt.datetime | None:
    if post.soon_s:
        # The next full minute after that, as a person would have chosen it.
        soon = world.now + dt.timedelta(seconds=post.soon_s)
        return soon.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
    return None if post.day is None else world.instant(post.day, post.time)


def _draft(
    post: DemoPost, world: World, author: User, *, now: dt.datetime, planned_at: dt.datetime | None
) -> Draft:
    parts = []
    for piece in post.pieces:
        media: tuple[MediaUse, ...] = ()
        if piece.picture:
            if piece.picture not in world.assets:
                world.assets[piece.picture] = store_image(
                    brand=world.row,
                    upload=io.BytesIO(pictures.jpeg(piece.picture)),
                    name=f"{piece.picture}.jpg",
                    actor=author,
                    now=now,
                )
            media = (MediaUse(asset=world.assets[piece.picture].pk, alt=piece.alt),)
        parts.append(Part(text=piece.text, media=media))
    if post.first_comment:
        parts.append(Part(post.first_comment, is_comment=True))
    chosen = [account.row.pk for account in world.accounts]
    own: dict[uuid.UUID, Parts] = {
        chosen[index]: (Part(text=text, media=parts[0].media),) for index, text in post.own.items()
    }
    return Draft(
        parts=tuple(parts),
        accounts=tuple(chosen[index] for index in post.on),
        own_parts=own,
        planned_at=planned_at,
        campaign=world.campaigns[post.campaign].pk if post.campaign else None,
        settings={
            account.row.pk: {"topic": account.plan.topics[(post.day or 0) % len(account.plan.topics)]}
            for account in world.accounts
            # What went out was posted by the network's own past, which knows no topics.
            if account.plan.topics and (post.day is None or post.day > 0)
        },
    )


def _sent_of(row: Post, plan: DemoPost, accounts: list[Account], number: int) -> list[Sent]:
    """The deliveries of a post of the past; one that is meant to have failed does so here."""
    chance = random.Random(number)
    by_account = {account.row.pk: account for account in accounts}
    deliveries = list(Delivery.objects.filter(variant__post=row).select_related("brand", "account"))
    deliveries.sort(key=lambda delivery: [a.row.pk for a in accounts].index(delivery.account_id))
    sent = []
    for place, delivery in enumerate(deliveries):
        begun_at = delivery.due_at + dt.timedelta(milliseconds=chance.randint(150, 900))
        move(delivery, DeliveryState.CLAIMED, lease_until=begun_at + dt.timedelta(seconds=30))
        move(delivery, DeliveryState.SENDING)
        if plan.is_failed and place == len(deliveries) - 1:
            _fail(delivery, begun_at)
            continue
        at = begun_at + dt.timedelta(milliseconds=chance.randint(250, 1400))
        note(delivery.pk, ReceiptKind.STARTED, at=begun_at).save()
        sent.append(Sent(delivery, plan, by_account[delivery.account_id], at, is_first=place == 0))
    return sent


def _fail(delivery: Delivery, begun_at: dt.datetime) -> None:
    """The network could not be reached for an hour, and we gave up."""
    detail = "503 Service Unavailable"
    waits = [dt.timedelta(minutes=minutes) for minutes in (0, 1, 5, 20)]
    events = [note(delivery.pk, ReceiptKind.STARTED, at=begun_at)]
    for wait, following in itertools.pairwise(waits):
        about = {"error": StopReason.TEMPORARY, "detail": detail, "until": (begun_at + following).isoformat()}
        events.append(note(delivery.pk, ReceiptKind.WAITING, at=begun_at + wait, detail=about))
    ended_at = begun_at + dt.timedelta(hours=1)
    about = {"error": StopReason.TEMPORARY, "detail": detail}
    events.append(note(delivery.pk, ReceiptKind.FAILED, at=ended_at, detail=about))
    ReceiptEvent.objects.bulk_create(events)
    move(
        delivery,
        DeliveryState.FAILED,
        lease_until=None,
        error=StopReason.TEMPORARY,
        error_detail=detail,
        failures=len(waits),
    )
    tell_people(delivery=delivery, now=ended_at)


# --- the network's past -------------------------------------------------------------------------


def _publish(world: World, account: Account, sent: list[Sent]) -> None:
    """Put the posts of the past on the network, and what it says about them on our deliveries."""
    if not sent:
        return
    ids = world.control.seed_posts(account.handle, [_remote_spec(one) for one in sent])
    since = min(one.at for one in sent) - dt.timedelta(minutes=1)
    links = {post.remote_id: post.permalink for post in connector_for(account.row).find_recent(since=since)}
    chance = random.Random(account.handle)
    events: list[ReceiptEvent] = []
    for one, thread in zip(sent, ids, strict=True):
        delivery, parts = one.delivery, len(thread)
        accepted = [one.at + dt.timedelta(seconds=index) for index in range(parts)]
        account.published += accepted
        seen_at = accepted[-1] + dt.timedelta(milliseconds=chance.randint(2500, 9000))
        move(
            delivery,
            DeliveryState.SENT,
            lease_until=None,
            sent_at=accepted[-1],
            seen_at=seen_at,
            read_backs=1,
            remote_id=thread[0],
            permalink=links.get(thread[0], ""),
        )
        for index, (remote_id, at) in enumerate(zip(thread, accepted, strict=True)):
            detail: dict[str, Any] = {"permalink": links.get(remote_id, "")}
            if parts > 1:
                detail |= {"part": index + 1, "parts": parts}
            events.append(note(delivery.pk, ReceiptKind.PART_ACCEPTED, at=at, detail=detail))
        events.append(note(delivery.pk, ReceiptKind.SENT, at=accepted[-1]))
        events.append(note(delivery.pk, ReceiptKind.SEEN, at=seen_at))
    ReceiptEvent.objects.bulk_create(events)


def _remote_spec(one: Sent) -> dict[str, Any]:
    first, *others = [_remote_part(part) for part in one.delivery.payload["parts"]]
    return {
        **first,
        "at": one.at.isoformat(),
        "quality": one.plan.quality,
        "thread": others,
        "client_ref": str(one.delivery.pk),
    }


def _remote_part(part: Mapping[str, Any]) -> dict[str, Any]:
    media = []
    for item in part["media"]:
        with default_storage.open(item["storage_key"], "rb") as stored:
            content = base64.b64encode(stored.read()).decode()
        media.append({"content": content, "alt_text": item["alt_text"]})
    return {"text": part["text"], "media": media}


def _count(world: World, account: Account, sent: list[Sent]) -> None:
    """The counts of every day and of the moments at which they would have been taken."""
    AccountDay.objects.bulk_create(
        AccountDay(
            account=account.row,
            date=to_local(at, world.zone).date(),
            followers=followers,
            following=account.plan.following,
            posts=sum(published <= at for published in account.published),
            taken_at=at,
        )
        for at, followers in account.history
    )
    snapshots, latest = [], []
    for one in sent:
        sent_at = one.delivery.sent_at
        if sent_at is None:
            continue
        taken = world.control.post_history(one.delivery.remote_id, _pulls(sent_at, world.now))
        rows = [
            PostSnapshot(
                delivery_id=one.delivery.pk,
                taken_at=dt.datetime.fromisoformat(counts["at"]),
                **{name: counts[TOLD_AS[name]] for name in COUNTS},
            )
            for counts in taken
        ]
        snapshots += rows
        last = rows[-1] if rows else None
        latest.append(
            PostMetrics(
                delivery=one.delivery,
                account=account.row,
                taken_at=last.taken_at if last else None,
                next_pull_at=next_pull(sent_at=sent_at, now=world.now),
                sent_at=sent_at,
                followers_at_post=account.followers_at(sent_at),
                **({name: getattr(last, name) for name in COUNTS} if last else {}),
            )
        )
    PostSnapshot.objects.bulk_create(snapshots)
    PostMetrics.objects.bulk_create(latest)


def _pulls(sent_at: dt.datetime, now: dt.datetime) -> list[dt.datetime]:
    """When the counts of a post would have been taken up to ``now``; of an older one fewer of them, which
    say the same."""
    if now - sent_at > DETAILED_FOR:
        ages = [dt.timedelta(hours=1), dt.timedelta(hours=6), *map(dt.timedelta, FEW_DAYS)]
        return [sent_at + age for age in ages if sent_at + age <= now]
    instants = []
    at = next_pull(sent_at=sent_at, now=sent_at)
    while at is not None and at <= now:
        instants.append(at)
        at = next_pull(sent_at=sent_at, now=at)
    return instants
