"""What an evergreen pool may say at a moment, what it will say next, and what it has said."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.models import Brand, Membership, SocialAccount
from content_calendar.content import Parts, parts_from_json
from content_calendar.models import EvergreenEntry, EvergreenPool, EvergreenUse, Post, Variant
from content_calendar.rotation import Empty, Entry, Neighbours, Use, Way, choose
from content_calendar.selectors.posts import PostRow, row_of, with_variants
from content_calendar.selectors.queues import occupied, offered_times
from content_calendar.selectors.states import LIVE_STATES
from content_calendar.weekly import EXTENT, WeekTime, moments
from core.time import to_local
from outbox.models import Delivery, DeliveryKind, DeliveryState

FILL_DAYS = 14  # so far ahead a pool's times become posts
# Slots of a queue are left to people for longer: what nobody took until then is filled.
FILL_SLOT_DAYS = 2
# So many uses are looked back on; an entry unused for longer is as good as new.
_MOST_USES = 2000
# What a page shows of the coming times.
MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class PlannedTime:
    """One coming time of a pool: the post that goes out, or why there is none. ``refusal``: it is a draft,
    because it could not be scheduled."""

    at: dt.datetime
    row: PostRow | None = None
    why: Empty | None = None
    refusal: str = ""
    is_skipped: bool = False


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry of a pool, with what became of it."""

    entry: EvergreenEntry
    count: int
    last_at: dt.datetime | None
    next_at: dt.datetime | None
    is_behind: bool  # its template says something else by now


def words_of(parts: Parts) -> str:
    """What is compared when two posts are asked whether they are alike: all their words."""
    return "\n".join(part.text.strip() for part in parts)


def times_of(pool: EvergreenPool) -> list[WeekTime]:
    """Its own, or the slots of its accounts whose queues are not paused."""
    if not pool.uses_slots:
        return [one.week_time for one in pool.times.all()]
    slots = offered_times(list(pool.accounts.values_list("pk", flat=True)))
    return sorted({one for own in slots.values() for one in own})


def fill_days(pool: EvergreenPool) -> int:
    """So far ahead its times become posts."""
    return FILL_SLOT_DAYS if pool.uses_slots else FILL_DAYS


def coming_times(pool: EvergreenPool, now: dt.datetime) -> list[dt.datetime]:
    """Those of the coming ``fill_days``."""
    until = now + dt.timedelta(days=fill_days(pool))
    return list(moments(times_of(pool), pool.brand.timezone, now, until))


def standing(pool: EvergreenPool) -> QuerySet[EvergreenUse]:
    """The uses that count: those whose post was not put away."""
    return EvergreenUse.objects.filter(pool=pool, post__isnull=False, post__deleted_at__isnull=True)


def choice_for(pool: EvergreenPool, at: dt.datetime, now: dt.datetime) -> tuple[uuid.UUID, int] | Empty:
    """The entry for one time of the pool and the number of its text, or why there is none."""
    date = to_local(at, pool.brand.timezone).date()
    if pool.ends_on is not None and date > pool.ends_on:
        return Empty.ENDED
    if pool.most_uses is not None and standing(pool).count() >= pool.most_uses:
        return Empty.USED_UP
    if pool.season is not None and not pool.season.has(date):
        return Empty.OUT_OF_SEASON
    accounts = list(pool.accounts.values_list("pk", flat=True))
    rows = EvergreenEntry.objects.present().filter(pool=pool).order_by("created_at", "pk")
    entries = [_entry(entry, accounts) for entry in rows]
    if not entries:
        return Empty.NO_ENTRIES
    taken = occupied(pool.brand_id, accounts, at, at + EXTENT)
    if any(taken.values()):
        return Empty.TAKEN
    return choose(
        entries,
        _uses(pool),
        at=at,
        date=date,
        cool_down=pool.cool_down_days,
        neighbours=neighbours(pool.brand_id, accounts, at, now),
    )


def _entry(entry: EvergreenEntry, accounts: Collection[uuid.UUID]) -> Entry[uuid.UUID, uuid.UUID]:
    parts = parts_from_json(entry.content.get("parts", ()))
    own = {
        uuid.UUID(pk): words_of(parts_from_json(content))
        for pk, content in entry.content.get("own", {}).items()
    }
    ways = []
    for number, text in enumerate(entry.texts):
        said = words_of(in_words(parts, text))
        # Words of its own an account has for the template's text only.
        ways.append(Way(text, {pk: own.get(pk, said) if number == 0 else said for pk in accounts}))
    return Entry(entry.pk, tuple(ways))


def in_words(parts: Parts, text: str) -> Parts:
    """The parts with another text in the first of them."""
    return (replace(parts[0], text=text), *parts[1:]) if parts else parts


def _uses(pool: EvergreenPool) -> list[Use[uuid.UUID]]:
    rows = standing(pool).annotate(at=Coalesce("post__planned_at", "slot_at")).order_by("-at")
    zone = pool.brand.timezone
    return [
        Use(entry, text, at, to_local(at, zone).date())
        for entry, text, at in reversed(rows.values_list("entry_id", "text", "at")[:_MOST_USES])
    ]


def neighbours(
    brand_id: uuid.UUID, accounts: Sequence[uuid.UUID], at: dt.datetime, now: dt.datetime
) -> Neighbours[uuid.UUID]:
    """What each account says last before ``at`` and first after it: in the schedule or sent, and in drafts
    whose time is still to come. Four queries for each account, each along an index of times."""
    before, after = {}, {}
    for account in accounts:
        sides: dict[bool, list[tuple[dt.datetime, str]]] = {True: [], False: []}
        rows = Delivery.objects.filter(
            brand_id=brand_id, account_id=account, kind=DeliveryKind.POST, variant__isnull=False
        ).exclude(state=DeliveryState.CANCELLED)
        live = Variant.objects.filter(post=OuterRef("post"), delivery__state__in=LIVE_STATES)
        drafts = Variant.objects.filter(
            ~Exists(live),
            account_id=account,
            post__brand_id=brand_id,
            post__deleted_at__isnull=True,
            post__is_template=False,
            post__planned_at__gte=now,
        ).select_related("post")
        for is_before in (True, False):
            sign = "-" if is_before else ""
            bound = "lt" if is_before else "gte"
            sent = rows.filter(**{f"due_at__{bound}": at}).order_by(f"{sign}due_at")
            if delivery := sent.select_related("variant__post").defer("payload").first():
                sides[is_before].append((delivery.due_at, _words_of(delivery.variant)))
            planned = drafts.filter(**{f"post__planned_at__{bound}": at}).order_by(f"{sign}post__planned_at")
            if (variant := planned.first()) and variant.post.planned_at:
                sides[is_before].append((variant.post.planned_at, _words_of(variant)))
        if sides[True]:
            before[account] = max(sides[True])[1]
        if sides[False]:
            after[account] = min(sides[False])[1]
    return Neighbours(before, after)


def _words_of(variant: Variant) -> str:
    return words_of(parts_from_json(variant.content))


# --- pages ------------------------------------------------------------------------------------


def pools_of(membership: Membership, brand: Brand | None) -> QuerySet[EvergreenPool]:
    """With ``entry_count``, the latest first."""
    rows = EvergreenPool.objects.for_member(membership)
    if brand is not None:
        rows = rows.filter(brand=brand)
    present = Count("entries", filter=Q(entries__removed_at__isnull=True))
    return rows.select_related("brand").annotate(entry_count=present).order_by("-created_at")


def next_use(pool: EvergreenPool, now: dt.datetime) -> dt.datetime | None:
    found: dt.datetime | None = (
        standing(pool).filter(post__planned_at__gt=now).aggregate(at=Min("post__planned_at"))["at"]
    )
    return found


def planned_times(pool: EvergreenPool, now: dt.datetime) -> list[PlannedTime]:
    """The times of the coming days, at most MOST_SHOWN: what goes out then, or why nothing does."""
    times = coming_times(pool, now)[:MOST_SHOWN]
    uses = {use.slot_at: use for use in EvergreenUse.objects.filter(pool=pool, slot_at__in=times)}
    posts = _rows_of([use.post_id for use in uses.values() if use.post_id])
    found = []
    for at in times:
        use = uses.get(at)
        if use is None:
            choice = choice_for(pool, at, now)
            found.append(PlannedTime(at, why=choice if isinstance(choice, Empty) else None))
            continue
        row = posts.get(use.post_id) if use.post_id else None
        found.append(PlannedTime(at, row=row, refusal=use.refusal, is_skipped=row is None))
    return found


def _rows_of(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, PostRow]:
    posts = with_variants(Post.objects.filter(pk__in=ids, deleted_at__isnull=True))
    return {post.pk: row_of(post) for post in posts}


def past_uses(pool: EvergreenPool, now: dt.datetime) -> QuerySet[EvergreenUse]:
    """What went out, the latest first."""
    return standing(pool).filter(slot_at__lte=now).select_related("entry", "post").order_by("-slot_at")


def use_rows(uses: Sequence[EvergreenUse]) -> list[tuple[EvergreenUse, PostRow]]:
    rows = _rows_of([use.post_id for use in uses if use.post_id])
    return [(use, rows[use.post_id]) for use in uses if use.post_id in rows]


def entries_of(pool: EvergreenPool) -> QuerySet[EvergreenEntry]:
    return (
        EvergreenEntry.objects.present()
        .filter(pool=pool)
        .select_related("template")
        .order_by("created_at", "pk")
    )


def entry_rows(entries: Sequence[EvergreenEntry], now: dt.datetime) -> list[EntryRow]:
    """Two queries."""
    counted = Q(post__isnull=False, post__deleted_at__isnull=True)
    at = Coalesce("post__planned_at", "slot_at")
    uses = EvergreenUse.objects.filter(counted, entry__in=entries).annotate(at=at)
    past = {
        row["entry"]: row
        for row in uses.filter(at__lte=now)
        .values("entry")
        .annotate(count=Count("pk"), last=Max("at"))
        .order_by()
    }
    # Of several the earliest: it comes last and stays.
    coming: dict[uuid.UUID, dt.datetime] = dict(
        uses.filter(at__gt=now).order_by("-at").values_list("entry_id", "at")
    )
    return [
        EntryRow(
            entry=entry,
            count=past[entry.pk]["count"] if entry.pk in past else 0,
            last_at=past[entry.pk]["last"] if entry.pk in past else None,
            next_at=coming.get(entry.pk),
            is_behind=entry.template.version != entry.content_version,
        )
        for entry in entries
    ]


def pool_accounts(pool: EvergreenPool) -> QuerySet[SocialAccount]:
    return pool.accounts.connected().order_by("platform", "handle")
