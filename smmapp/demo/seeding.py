"""Filling an installation with the demo, through the same services that people use.

The past is real, too: its posts are put on the sandbox network back-dated, with pictures and comments,
and the counts that are kept here are those that the network states for each moment, so that what is
collected from now on continues the same curves.
"""

from __future__ import annotations

import base64
import bisect
import datetime as dt
import io
import itertools
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.connecting import connector_for
from accounts.models import Brand, Membership, SocialAccount, User
from accounts.services.organizations import create_brand, create_organization
from accounts.services.social import save_connection
from analytics.models import AccountDay, PostMetrics, PostSnapshot
from analytics.services.collection import next_pull
from connectors import http
from connectors.base import Connected, Tokens
from connectors.sandbox import SandboxConnector, account_options
from content_calendar.content import MediaUse, Part, Parts
from content_calendar.models import MediaAsset, Post
from content_calendar.services.drafts import Draft, create_post
from content_calendar.services.media import store_image
from content_calendar.services.scheduling import schedule_post
from core.time import to_local, to_utc
from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryState, ReceiptEvent, ReceiptKind
from outbox.services.telling import tell_people
from outbox.services.transitions import move, note
from sandbox.control import SandboxControl, SandboxTokens
from smmapp.demo import pictures, posts_en, posts_ja
from smmapp.demo.plan import BRANDS, ORGANIZATION, PEOPLE, DemoAccount, DemoBrand, DemoPost

HISTORY_DAYS = 90
BEGAN_BEFORE = dt.timedelta(days=16)
POSTS: Mapping[str, tuple[DemoPost, ...]] = {"aozora": posts_ja.POSTS, "nordlicht": posts_en.POSTS}
COUNTS = ("likes", "comments", "shares", "impressions")


class AlreadySeeded(Exception):
    """The demo's people are here."""


@dataclass(slots=True)
class _Account:
    """A demo account while it is being filled. ``history``: (instant, followers) at the end of each day."""

    plan: DemoAccount
    handle: str  # on the network; differs from the plan's where that was taken
    history: list[tuple[dt.datetime, int]]
    row: SocialAccount
    published: list[dt.datetime] = field(default_factory=list)  # of every post and thread part

    def followers_at(self, at: dt.datetime) -> int:
        place = bisect.bisect_right([instant for instant, _ in self.history], at)
        return self.history[max(place - 1, 0)][1]


@dataclass(slots=True)
class _Brand:
    """A brand while it is being filled. ``assets``: its pictures by the painter's name."""

    plan: DemoBrand
    row: Brand
    accounts: list[_Account]
    assets: dict[str, MediaAsset] = field(default_factory=dict)


@dataclass(slots=True)
class _Sent:
    """A delivery of the past and the post behind it."""

    delivery: Delivery
    plan: DemoPost
    account: _Account
    at: dt.datetime
    is_first: bool  # comments stand under the first account's post only


def seed(*, control: SandboxControl, password: str, now: dt.datetime) -> None:
    """Make everything, or nothing in our database. Raises AlreadySeeded, SandboxFailed."""
    if User.objects.filter(email__in=[person.email for person in PEOPLE]).exists():
        raise AlreadySeeded
    with transaction.atomic():
        people = _people(password)
        brands = _organization(people, now)
        suffix = _free_suffix(control)
        for plan in BRANDS:
            accounts = _accounts(
                control, plan, brands[plan.key], owner=people[PEOPLE[0].email], suffix=suffix, now=now
            )
            sent = _posts(_Brand(plan, brands[plan.key], accounts), people, now)
            for account in accounts:
                own = [one for one in sent if one.account is account]
                _publish(control, account, own, now)
                _count(control, account, own, now)


def reset_password(password: str) -> None:
    """Give all people of the demo this password."""
    User.objects.filter(email__in=[person.email for person in PEOPLE]).update(
        password=make_password(password)
    )


# --- people -------------------------------------------------------------------------------------


def _people(password: str) -> dict[str, User]:
    # Hashed once for all of them: it is slow on purpose.
    hashed = make_password(password)
    people = {}
    for person in PEOPLE:
        user = User.objects.create(
            email=person.email, name=person.name, language=person.language, password=hashed
        )
        EmailAddress.objects.create(user=user, email=person.email, verified=True, primary=True)
        people[person.email] = user
    return people


def _organization(people: Mapping[str, User], now: dt.datetime) -> dict[str, Brand]:
    began = now - BEGAN_BEFORE
    first, *others = PEOPLE
    owner = create_organization(
        name=ORGANIZATION, brand=BRANDS[0].facts, owner=people[first.email], now=began
    )
    brands = {BRANDS[0].key: owner.organization.brands.get()}
    for plan in BRANDS[1:]:
        brands[plan.key] = create_brand(membership=owner, facts=plan.facts, now=began)
    for person in others:
        membership = Membership.objects.create(
            organization=owner.organization,
            user=people[person.email],
            role=person.role,
            has_all_brands=not person.brands,
        )
        membership.brands.set([brands[key] for key in person.brands])
    return brands


# --- accounts -----------------------------------------------------------------------------------


def _free_suffix(control: SandboxControl) -> str:
    """Behind the handles, "" if all are free: a network that outlived our database still has the old ones."""
    taken = {account["handle"] for account in control.call("GET", "/control/accounts")["accounts"]}
    wanted = [account.handle for brand in BRANDS for account in brand.accounts]
    number = 1
    while any(handle + (f"_{number}" if number > 1 else "") in taken for handle in wanted):
        number += 1
    return f"_{number}" if number > 1 else ""


def _accounts(
    control: SandboxControl, plan: DemoBrand, brand: Brand, *, owner: User, suffix: str, now: dt.datetime
) -> list[_Account]:
    accounts = []
    for one in plan.accounts:
        handle = one.handle + suffix
        history = _history(one, POSTS[plan.key], zone=plan.facts.timezone, now=now)
        tokens = control.account(
            handle,
            name=one.name,
            bio=one.bio,
            color=one.color,
            mode=one.mode,
            following=one.following,
            daily_growth=one.daily,
            created_at=(history[0][0] - dt.timedelta(days=200)).isoformat(),
            followers=[[at.isoformat(), count] for at, count in history],
        )
        row = _connect(tokens, brand, owner, now)
        accounts.append(_Account(one, handle, history, row))
    return accounts


def _history(
    account: DemoAccount, posts: tuple[DemoPost, ...], *, zone: str, now: dt.datetime
) -> list[tuple[dt.datetime, int]]:
    """Followers at the end of each of the last days and now: a walk upwards, faster after good posts."""
    chance = random.Random(account.handle)
    today = to_local(now, zone).date()
    good = {post.day: post.quality for post in posts if post.day is not None and post.day < 0}
    gained = []
    for day in range(-HISTORY_DAYS, 1):
        lift = 1.0 + 1.6 * max(0.0, good.get(day, 1.0) - 1.0) + 0.8 * max(0.0, good.get(day - 1, 1.0) - 1.0)
        gained.append(round(account.daily * chance.triangular(-0.5, 2.1, 0.9) * lift))
    count = account.followers - sum(gained)
    history = []
    for day, more in zip(range(-HISTORY_DAYS, 1), gained, strict=True):
        count += more
        evening = dt.datetime.combine(today + dt.timedelta(days=day), dt.time(23, 45))
        history.append((min(to_utc(evening, zone), now), count))
    return history


def _connect(tokens: SandboxTokens, brand: Brand, owner: User, now: dt.datetime) -> SocialAccount:
    """As at the end of OAuth, with tokens that the network gave for the asking."""
    clear = Tokens(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_at=now + dt.timedelta(seconds=tokens.expires_in),
    )
    connector = SandboxConnector(tokens=clear, options={"host": settings.SANDBOX_URL})
    own = http.json_object(
        http.request(
            "GET",
            f"{settings.SANDBOX_URL}/api/v1/accounts/me",
            platform="sandbox",
            headers={"Authorization": f"Bearer {tokens.access_token}"},
        )
    )
    connected = Connected(
        profile=connector.fetch_profile(),
        tokens=clear,
        scopes=SandboxConnector.INFO.scopes,
        options={"host": settings.SANDBOX_URL, **account_options(own)},
    )
    return save_connection(brand=brand, platform="sandbox", connected=connected, actor=owner, now=now)


# --- posts --------------------------------------------------------------------------------------


def _posts(brand: _Brand, people: Mapping[str, User], now: dt.datetime) -> list[_Sent]:
    """All posts of a brand, scheduled as on the day they were written; returns what went out since."""
    plan = brand.plan
    owner, manager = (people[person.email] for person in PEOPLE[:2])
    writers = [people[p.email] for p in PEOPLE if p.role == "creator" and plan.key in p.brands] or [manager]
    sent: list[_Sent] = []
    for number, post in enumerate(POSTS[plan.key]):
        author = (*writers, owner)[number % (len(writers) + 1)]
        at = _due_at(post, plan.facts.timezone, now)
        written_at = min(now - dt.timedelta(hours=3 + 5 * (number % 7)), (at or now) - dt.timedelta(days=2))
        draft = _draft(post, brand, author, now=written_at, planned_at=at)
        row = create_post(brand=brand.row, author=author, draft=draft, now=written_at)
        if at is None or post.is_draft:
            continue
        schedule_post(post=row, at=at, actor=(manager, owner)[number % 2], now=written_at)
        if at < now:
            sent += _sent_of(row, post, brand.accounts, number)
    return sent


def _due_at(post: DemoPost, zone: str, now: dt.datetime) -> dt.datetime | None:
    if post.soon_s:
        # The next full minute after that, as a person would have chosen it.
        soon = now + dt.timedelta(seconds=post.soon_s)
        return soon.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
    if post.day is None:
        return None
    date = to_local(now, zone).date() + dt.timedelta(days=post.day)
    return to_utc(dt.datetime.combine(date, dt.time.fromisoformat(post.time)), zone)


def _draft(
    post: DemoPost, brand: _Brand, author: User, *, now: dt.datetime, planned_at: dt.datetime | None
) -> Draft:
    parts = []
    for piece in post.pieces:
        media: tuple[MediaUse, ...] = ()
        if piece.picture:
            if piece.picture not in brand.assets:
                brand.assets[piece.picture] = store_image(
                    brand=brand.row,
                    upload=io.BytesIO(pictures.jpeg(piece.picture)),
                    name=f"{piece.picture}.jpg",
                    actor=author,
                    now=now,
                )
            media = (MediaUse(asset=brand.assets[piece.picture].pk, alt=piece.alt),)
        parts.append(Part(text=piece.text, media=media))
    chosen = [account.row.pk for account in brand.accounts]
    own: dict[uuid.UUID, Parts] = {
        chosen[index]: (Part(text=text, media=parts[0].media),) for index, text in post.own.items()
    }
    return Draft(
        parts=tuple(parts),
        accounts=tuple(chosen[index] for index in post.on),
        own_parts=own,
        planned_at=planned_at,
    )


def _sent_of(row: Post, plan: DemoPost, accounts: list[_Account], number: int) -> list[_Sent]:
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
        sent.append(_Sent(delivery, plan, by_account[delivery.account_id], at, is_first=place == 0))
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


def _publish(control: SandboxControl, account: _Account, sent: list[_Sent], now: dt.datetime) -> None:
    """Put the posts of the past on the network, and what it says about them on our deliveries."""
    if not sent:
        return
    ids = control.seed_posts(account.handle, [_remote_spec(one, now) for one in sent])
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


def _remote_spec(one: _Sent, now: dt.datetime) -> dict[str, Any]:
    first, *others = [_remote_part(part) for part in one.delivery.payload["parts"]]
    spec = {
        **first,
        "at": one.at.isoformat(),
        "quality": one.plan.quality,
        "thread": others,
        "client_ref": str(one.delivery.pk),
    }
    if one.is_first:
        spec["comments"] = [
            {
                "by": name,
                "text": text,
                "at": min(one.at + dt.timedelta(minutes=35 * number**2), now).isoformat(),
            }
            for number, (name, text) in enumerate(one.plan.comments, 1)
        ]
    return spec


def _remote_part(part: Mapping[str, Any]) -> dict[str, Any]:
    media = []
    for item in part["media"]:
        with default_storage.open(item["storage_key"], "rb") as stored:
            content = base64.b64encode(stored.read()).decode()
        media.append({"content": content, "alt_text": item["alt_text"]})
    return {"text": part["text"], "media": media}


def _count(control: SandboxControl, account: _Account, sent: list[_Sent], now: dt.datetime) -> None:
    """The counts of every day and of every moment at which they would have been taken."""
    zone = account.row.brand.timezone
    AccountDay.objects.bulk_create(
        AccountDay(
            account=account.row,
            date=to_local(at, zone).date(),
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
        taken = control.post_history(one.delivery.remote_id, _pulls(sent_at, now))
        rows = [
            PostSnapshot(
                delivery_id=one.delivery.pk,
                taken_at=dt.datetime.fromisoformat(counts["at"]),
                **{name: counts[name] for name in COUNTS},
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
                next_pull_at=next_pull(sent_at=sent_at, now=now),
                followers_at_post=account.followers_at(sent_at),
                **({name: getattr(last, name) for name in COUNTS} if last else {}),
            )
        )
    PostSnapshot.objects.bulk_create(snapshots)
    PostMetrics.objects.bulk_create(latest)


def _pulls(sent_at: dt.datetime, now: dt.datetime) -> list[dt.datetime]:
    """When the counts of a post would have been taken up to ``now``."""
    instants = []
    at = next_pull(sent_at=sent_at, now=sent_at)
    while at is not None and at <= now:
        instants.append(at)
        at = next_pull(sent_at=sent_at, now=at)
    return instants
