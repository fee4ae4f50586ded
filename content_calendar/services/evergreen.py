"""Evergreen pools: entries that take turns at times of the week, filled some days ahead."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from accounts.models import Brand, SocialAccount, User
from accounts.services.audit import record
from content_calendar.content import parts_from_json
from content_calendar.models import (
    EvergreenEntry,
    EvergreenPool,
    EvergreenTime,
    EvergreenUse,
    Post,
)
from content_calendar.rotation import Empty
from content_calendar.selectors.evergreen import choice_for, coming_times, in_words, standing
from content_calendar.services import automatic
from content_calendar.services.drafts import AccountUnknown, Draft, save_draft
from content_calendar.services.kept import draft_from, kept, new_template, template_from
from content_calendar.services.queues import lock_queues
from content_calendar.weekly import WeekTime

MOST_ENTRIES = 500  # of one pool
MOST_TEXTS = 20  # of one entry
MOST_TIMES = 100  # of the week, of one pool


class TooManyEntries(Exception):
    """The pool has MOST_ENTRIES already."""


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """What a person says about a pool. ``season``: two days of the year (MM-DD), or None for all of it."""

    name: str
    accounts: tuple[uuid.UUID, ...]
    times: frozenset[WeekTime]  # its own; kept, and of no effect, while it uses slots
    cool_down_days: int
    season: tuple[str, str] | None = None
    ends_on: dt.date | None = None
    most_uses: int | None = None
    uses_slots: bool = False


def create_pool(*, brand: Brand, facts: PoolFacts, actor: User, now: dt.datetime) -> EvergreenPool:
    """A pool without entries. Raises AccountUnknown."""
    with transaction.atomic():
        pool = EvergreenPool(brand=brand, created_at=now)
        _write(pool, facts, actor)
        _audit(pool, "evergreen.created", actor, now)
    return pool


def change_pool(*, pool: EvergreenPool, facts: PoolFacts, actor: User, now: dt.datetime) -> EvergreenPool:
    """Other times, accounts or limits from now on: coming posts that nobody touched are chosen anew. Raises
    AccountUnknown."""
    with transaction.atomic():
        row = _lock(pool)
        _write(row, facts, actor)
        _clear(_untouched(row, now), actor, now)
        _audit(row, "evergreen.changed", actor, now)
    fill_pool(pool=row, now=now)
    return row


def pause_pool(*, pool: EvergreenPool, actor: User, now: dt.datetime) -> int:
    """Nothing more goes out: coming posts that nobody touched are put away. Returns how many."""
    with transaction.atomic():
        row = _lock(pool)
        if row.paused_at is not None:
            return 0
        row.paused_at = now
        row.save(update_fields=["paused_at"])
        removed = _clear(_untouched(row, now), actor, now)
        _audit(row, "evergreen.paused", actor, now, count=removed)
    return removed


def resume_pool(*, pool: EvergreenPool, actor: User, now: dt.datetime) -> int:
    """It goes on, from now on in the name of whoever resumes it. Returns how many posts were made."""
    with transaction.atomic():
        row = _lock(pool)
        if row.paused_at is None:
            return 0
        row.paused_at, row.run_by = None, actor
        row.save(update_fields=["paused_at", "run_by"])
        _audit(row, "evergreen.resumed", actor, now)
    return fill_pool(pool=row, now=now)


def add_entry(
    *,
    pool: EvergreenPool,
    texts: Sequence[str],
    post: Post | None = None,
    actor: User,
    now: dt.datetime,
) -> EvergreenEntry:
    """Something more to say, in these texts (each once); with the images, link card and words for single
    accounts of ``post`` if given, whose own text comes first. Times that were empty are filled. Raises
    TooManyEntries."""
    with transaction.atomic():
        row = _lock(pool)
        if EvergreenEntry.objects.present().filter(pool=row).count() >= MOST_ENTRIES:
            raise TooManyEntries
        if post is not None:
            template = template_from(post=post, actor=actor, now=now)
        else:
            accounts = tuple(row.accounts.connected().values_list("pk", flat=True))
            draft = Draft(accounts=accounts)
            draft = replace(draft, parts=in_words(draft.parts, texts[0]))
            template = new_template(brand=row.brand, author=actor, draft=draft, now=now)
        entry = EvergreenEntry(pool=row, template=template, created_at=now)
        _take_over(entry, template, texts)
        entry.save(force_insert=True)
        _audit(row, "evergreen.entry_added", actor, now, excerpt=template.excerpt)
    fill_pool(pool=row, now=now)
    return entry


def change_entry(*, entry: EvergreenEntry, texts: Sequence[str], actor: User, now: dt.datetime) -> None:
    """Other texts, and what the template says besides them now. Coming posts that nobody touched are chosen
    anew."""
    with transaction.atomic():
        row = _lock(entry.pool)
        template = Post.objects.select_for_update().get(pk=entry.template_id)
        parts = parts_from_json(template.parts)
        if not parts or parts[0].text != texts[0]:
            template = _with_text(template, texts[0], now)
        entry.template = template
        _take_over(entry, template, texts)
        entry.save(update_fields=["content", "content_version", "texts"])
        _clear(_untouched(row, now), actor, now)
        _audit(row, "evergreen.entry_changed", actor, now, excerpt=template.excerpt)
    fill_pool(pool=row, now=now)


def take_over_entry(*, entry: EvergreenEntry, actor: User, now: dt.datetime) -> None:
    """What the template says now, its text in the place of the first one."""
    parts = parts_from_json(entry.template.parts)
    first = parts[0].text if parts else ""
    change_entry(entry=entry, texts=[first, *entry.texts[1:]], actor=actor, now=now)


def remove_entry(*, entry: EvergreenEntry, actor: User, now: dt.datetime) -> None:
    """It is said no more: coming posts that nobody touched are chosen anew from the others."""
    with transaction.atomic():
        row = _lock(entry.pool)
        EvergreenEntry.objects.filter(pk=entry.pk).update(removed_at=now)
        _clear(_untouched(row, now), actor, now)
        _audit(row, "evergreen.entry_removed", actor, now, excerpt=entry.template.excerpt)
    fill_pool(pool=row, now=now)


def fill_pool(*, pool: EvergreenPool, now: dt.datetime) -> int:
    """A post for each of the coming times that has none and may have one; what was refused is tried
    again. Any number of these may run: each time is filled once. Returns how many posts were made."""
    row = EvergreenPool.objects.select_related("brand").get(pk=pool.pk)
    if row.paused_at is not None:
        return 0
    _part_alike(row, now)
    return sum(_fill(row, at, now) for at in coming_times(row, now))


def _part_alike(pool: EvergreenPool, now: dt.datetime) -> None:
    """Where somebody took a post from between two of one entry, or moved one beside its like: the later one
    goes, if nobody touched it, and its time is filled anew."""
    with transaction.atomic():
        row = _lock(pool)
        untouched = {use.pk: use for use in _untouched(row, now)}
        uses = standing(row).order_by("post__planned_at", "pk").values_list("pk", "entry_id", "text")
        past = uses.filter(post__planned_at__lte=now).last()
        before: tuple[uuid.UUID, str] | None = past[1:] if past else None
        for pk, entry, text in uses.filter(post__planned_at__gt=now):
            is_alike = before is not None and (entry == before[0] or text == before[1])
            is_gone = is_alike and pk in untouched and row.run_by and _clear([untouched[pk]], row.run_by, now)
            if not is_gone:
                before = (entry, text)


def _fill(pool: EvergreenPool, at: dt.datetime, now: dt.datetime) -> bool:
    with transaction.atomic():
        row = _lock(pool)
        if row.paused_at is not None or at not in coming_times(row, now):
            return False
        use = EvergreenUse.objects.select_related("post").filter(pool=row, slot_at=at).first()
        if use is not None:
            _try_again(row, use, now)
            return False
        accounts = list(row.accounts.values_list("pk", flat=True))
        lock_queues(accounts)  # another pool, or a person, may be about to post there
        choice = choice_for(row, at, now)
        if isinstance(choice, Empty):
            return False
        key, number = choice
        entry = EvergreenEntry.objects.get(pk=key)
        post, refusal = automatic.make_post(
            brand=row.brand,
            run_by=row.run_by,
            draft=_draft(row, entry, number, accounts, at),
            now=now,
        )
        EvergreenUse.objects.create(
            pool=row,
            entry=entry,
            slot_at=at,
            text=entry.texts[number],
            post=post,
            post_version=automatic.version_of(post),
            refusal=refusal,
        )
    return True


def _draft(
    pool: EvergreenPool, entry: EvergreenEntry, number: int, accounts: Collection[uuid.UUID], at: dt.datetime
) -> Draft:
    """What an entry says in its ``number``-th text, on the accounts of the pool."""
    content = {**entry.content, "accounts": [str(pk) for pk in accounts]}
    draft = draft_from(content, pool.brand, planned_at=at)
    if number == 0:
        return draft
    return replace(draft, parts=in_words(draft.parts, entry.texts[number]), own_parts={})


def _try_again(pool: EvergreenPool, use: EvergreenUse, now: dt.datetime) -> None:
    """What was refused before, if nobody has taken it in hand since."""
    post = use.post
    if not use.refusal or post is None or not automatic.is_untouched(post, use.post_version, now):
        return
    refusal = automatic.schedule(post=post, brand=pool.brand, run_by=pool.run_by, now=now)
    if refusal != use.refusal:
        use.refusal, use.post_version = refusal, automatic.version_of(post)
        use.save(update_fields=["refusal", "post_version"])


def _take_over(entry: EvergreenEntry, template: Post, texts: Sequence[str]) -> None:
    entry.content, entry.content_version = kept(Draft.of_post(template)), template.version
    parts = parts_from_json(template.parts)
    own = parts[0].text if parts else ""
    entry.texts = list(dict.fromkeys([own, *texts]))


def _with_text(template: Post, text: str, now: dt.datetime) -> Post:
    draft = Draft.of_post(template)
    draft = replace(draft, parts=in_words(draft.parts, text))
    return save_draft(post=template, version=template.version, draft=draft, now=now)


def _write(pool: EvergreenPool, facts: PoolFacts, actor: User) -> None:
    known = SocialAccount.objects.for_brand(pool.brand).connected().filter(pk__in=facts.accounts)
    if known.count() != len(set(facts.accounts)):
        raise AccountUnknown
    pool.name, pool.cool_down_days = facts.name, facts.cool_down_days
    pool.season_first, pool.season_last = facts.season or ("", "")
    pool.ends_on, pool.most_uses, pool.run_by = facts.ends_on, facts.most_uses, actor
    pool.uses_slots = facts.uses_slots
    pool.save()
    pool.accounts.set(known)
    present = {one.week_time: one.pk for one in EvergreenTime.objects.filter(pool=pool)}
    gone = [pk for time, pk in present.items() if time not in facts.times]
    EvergreenTime.objects.filter(pk__in=gone).delete()
    EvergreenTime.objects.bulk_create(
        [
            EvergreenTime(pool=pool, weekday=one.weekday, wall_time=one.time)
            for one in sorted(facts.times - present.keys())
        ]
    )


def _untouched(pool: EvergreenPool, now: dt.datetime) -> list[EvergreenUse]:
    rows = EvergreenUse.objects.filter(pool=pool, post__planned_at__gt=now)
    return [
        use
        for use in rows.select_related("post__brand").order_by("slot_at")
        if automatic.is_untouched(use.post, use.post_version, now)
    ]


def _clear(uses: Sequence[EvergreenUse], actor: User, now: dt.datetime) -> int:
    removed = 0
    for use in uses:
        if use.post is not None and automatic.take_away(post=use.post, actor=actor, now=now):
            use.delete()
            removed += 1
    return removed


def _lock(pool: EvergreenPool) -> EvergreenPool:
    rows = EvergreenPool.objects.select_for_update(of=("self",)).select_related(
        "brand__organization", "run_by"
    )
    return rows.get(pk=pool.pk)


def _audit(pool: EvergreenPool, action: str, actor: User, now: dt.datetime, **detail: Any) -> None:
    record(
        organization=pool.brand.organization,
        actor=actor,
        action=action,
        subject=pool,
        detail=detail,
        now=now,
    )
