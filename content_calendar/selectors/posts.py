"""Posts as people look for them: what the calendar shows of a period, and the list with its filters."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Prefetch, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Left

from accounts.models import Brand, Membership, SocialAccount
from connectors.base import PlatformInfo
from content_calendar.models import Approval, Post, Variant
from content_calendar.selectors.states import LIVE_STATES, UNDER_WAY_STATES, PostState, derive_state
from outbox.models import DeliveryState

# What one answer of the calendar holds at most: about 300 KiB. The page says so when there is more.
MOST_EVENTS = 1000
_MOST_ROWS = 2 * MOST_EVENTS + 500  # deliveries: a post goes to a few accounts
TITLE_LENGTH = 60
PAGE_SIZE = 50
MOVABLE = (DeliveryState.SCHEDULED, DeliveryState.HELD, DeliveryState.FAILED, DeliveryState.MISSED)


@dataclass(frozen=True, slots=True)
class PostFilter:
    """What the address asks for; empty fields ask for nothing."""

    accounts: frozenset[uuid.UUID] = frozenset()
    platforms: frozenset[str] = frozenset()
    states: frozenset[PostState] = frozenset()
    author: int | None = None
    campaign: uuid.UUID | None = None
    text: str = ""

    @property
    def is_empty(self) -> bool:
        return not (
            self.accounts or self.platforms or self.states or self.author or self.campaign or self.text
        )


@dataclass(frozen=True, slots=True)
class EventAccount:
    """Where an event goes."""

    id: uuid.UUID
    platform: str
    handle: str
    name: str  # of the network
    icon: str


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One post at one moment. A post whose deliveries have several times has several."""

    post_id: uuid.UUID
    at: dt.datetime
    title: str
    state: PostState
    accounts: tuple[EventAccount, ...]
    is_movable: bool
    campaign_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class CalendarWindow:
    """The events of a period by time; ``is_cut`` when there are more than fit."""

    events: tuple[CalendarEvent, ...]
    is_cut: bool


@dataclass(slots=True)
class _Group:
    at: dt.datetime
    text: str
    campaign_id: uuid.UUID | None = None
    states: list[str] = field(default_factory=list)
    accounts: list[uuid.UUID] = field(default_factory=list)


def calendar_events(
    membership: Membership,
    brand: Brand | None,
    start: dt.datetime,
    end: dt.datetime,
    wanted: PostFilter,
    *,
    most: int = MOST_EVENTS,
) -> CalendarWindow:
    """Everything planned for or sent in [start, end) (aware): deliveries by their due time, drafts by their
    planned one. Five queries, each bounded by the period's index range and by ``most``."""
    brands = [brand.pk] if brand else list(Brand.objects.for_member(membership).values_list("pk", flat=True))
    accounts = _accounts_of(brands)
    chosen = _chosen_accounts(accounts.values(), wanted)
    groups: dict[tuple[uuid.UUID, dt.datetime], _Group] = {}
    is_cut = _add_scheduled(groups, brands, start, end, wanted)
    is_cut = _add_drafts(groups, brands, start, end, wanted) or is_cut
    events = []
    for (post_id, at), group in groups.items():
        state = derive_state(group.states)
        if wanted.states and state not in wanted.states:
            continue
        if chosen is not None and not chosen.intersection(group.accounts):
            continue
        shown = (accounts[pk] for pk in dict.fromkeys(group.accounts) if pk in accounts)
        events.append(
            CalendarEvent(
                post_id=post_id,
                at=at,
                title=_title(group.text),
                state=state,
                accounts=tuple(shown),
                is_movable=state is PostState.DRAFT
                or (
                    any(s in MOVABLE for s in group.states)
                    and not any(s in UNDER_WAY_STATES for s in group.states)
                ),
                campaign_id=group.campaign_id,
            )
        )
    events.sort(key=lambda event: (event.at, event.post_id))
    return CalendarWindow(events=tuple(events[:most]), is_cut=is_cut or len(events) > most)


def _accounts_of(brands: Collection[uuid.UUID]) -> dict[uuid.UUID, EventAccount]:
    found = {}
    for account in SocialAccount.objects.filter(brand_id__in=brands).only(
        "id", "platform", "handle", "options"
    ):
        info = account.info
        found[account.pk] = EventAccount(account.pk, account.platform, account.handle, info.name, info.icon)
    return found


def _chosen_accounts(accounts: Iterable[EventAccount], wanted: PostFilter) -> set[uuid.UUID] | None:
    """The accounts that the filter leaves, None when it says nothing about them."""
    if not wanted.accounts and not wanted.platforms:
        return None
    return {
        account.id
        for account in accounts
        if (not wanted.accounts or account.id in wanted.accounts)
        and (not wanted.platforms or account.platform in wanted.platforms)
    }


def _excerpt(parts: str) -> Left:
    """The beginning of the first part's text; ``parts`` is the path of the JSON field."""
    return Left(KeyTextTransform("text", KeyTransform("0", parts)), 240, output_field=CharField())


def _add_scheduled(
    groups: dict[tuple[uuid.UUID, dt.datetime], _Group],
    brands: Collection[uuid.UUID],
    start: dt.datetime,
    end: dt.datetime,
    wanted: PostFilter,
) -> bool:
    rows = (
        Variant.objects.filter(
            delivery__brand_id__in=brands,
            delivery__due_at__gte=start,
            delivery__due_at__lt=end,
            post__deleted_at__isnull=True,
        )
        .exclude(delivery__state=DeliveryState.CANCELLED)
        .order_by("delivery__due_at")
    )
    if wanted.author:
        rows = rows.filter(post__author_id=wanted.author)
    if wanted.campaign:
        rows = rows.filter(post__campaign_id=wanted.campaign)
    if wanted.text:
        rows = rows.filter(post__parts__0__text__icontains=wanted.text)
    found = list(
        rows.values_list(
            "post_id",
            "delivery__due_at",
            "account_id",
            "delivery__state",
            "post__campaign_id",
            _excerpt("post__parts"),
        )[: _MOST_ROWS + 1]
    )
    for post_id, due_at, account_id, state, campaign_id, text in found[:_MOST_ROWS]:
        group = groups.setdefault((post_id, due_at), _Group(due_at, text or "", campaign_id))
        group.states.append(state)
        group.accounts.append(account_id)
    return len(found) > _MOST_ROWS


def _live_variants() -> QuerySet[Variant]:
    return Variant.objects.filter(post=OuterRef("pk"), delivery__state__in=LIVE_STATES)


def _add_drafts(
    groups: dict[tuple[uuid.UUID, dt.datetime], _Group],
    brands: Collection[uuid.UUID],
    start: dt.datetime,
    end: dt.datetime,
    wanted: PostFilter,
) -> bool:
    if wanted.states and PostState.DRAFT not in wanted.states:
        return False
    rows = Post.objects.filter(
        ~Exists(_live_variants()),
        approval=Approval.DRAFT,
        brand_id__in=brands,
        planned_at__gte=start,
        planned_at__lt=end,
        deleted_at__isnull=True,
        is_template=False,
    ).order_by("planned_at")
    if wanted.author:
        rows = rows.filter(author_id=wanted.author)
    if wanted.campaign:
        rows = rows.filter(campaign_id=wanted.campaign)
    if wanted.text:
        rows = rows.filter(parts__0__text__icontains=wanted.text)
    found = list(rows.values_list("pk", "planned_at", "campaign_id", _excerpt("parts"))[: MOST_EVENTS + 1])
    drafts = {}
    for post_id, planned_at, campaign_id, text in found[:MOST_EVENTS]:
        drafts[post_id] = groups[post_id, planned_at] = _Group(planned_at, text or "", campaign_id)
    if drafts:
        for post_id, account_id in Variant.objects.filter(post_id__in=drafts).values_list(
            "post_id", "account_id"
        ):
            drafts[post_id].accounts.append(account_id)
    return len(found) > MOST_EVENTS


def _title(text: str) -> str:
    line = text.strip().split("\n", 1)[0].strip()
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


# --- the list ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PostRow:
    """One line of the list of posts; ``post`` has its brand, author and variants (account, delivery)."""

    post: Post
    state: PostState
    at: dt.datetime | None
    networks: tuple[tuple[SocialAccount, PlatformInfo], ...]
    is_movable: bool


@dataclass(frozen=True, slots=True)
class PostPage:
    """A page of the list. The total is not counted: that would cost more than the page itself."""

    rows: tuple[PostRow, ...]
    number: int
    has_next: bool

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def previous_number(self) -> int:
        return self.number - 1

    @property
    def next_number(self) -> int:
        return self.number + 1


def posts_page(
    membership: Membership,
    brand: Brand | None,
    wanted: PostFilter,
    *,
    number: int = 1,
    size: int = PAGE_SIZE,
) -> PostPage:
    """Page ``number`` (from 1) of the posts that the filter leaves: scheduled ones by time, the next first,
    published ones the latest first, all others by their last change."""
    brands = [brand.pk] if brand else list(Brand.objects.for_member(membership).values_list("pk", flat=True))
    first = (number - 1) * size
    ids = _page_of_ids(brands, wanted, first, first + size + 1)
    found = {post.pk: post for post in with_variants(Post.objects.filter(pk__in=ids))}
    rows = tuple(row_of(found[pk]) for pk in ids[:size] if pk in found)
    return PostPage(rows=rows, number=number, has_next=len(ids) > size)


def _page_of_ids(brands: Sequence[uuid.UUID], wanted: PostFilter, first: int, last: int) -> list[uuid.UUID]:
    """The posts of the page in their order. Each brand's come in the order of its own index and are merged:
    sorting all posts of all brands would read every one of them."""
    if not brands:
        return []
    by_account = bool(wanted.accounts or wanted.platforms)
    accounts = _chosen_accounts(_accounts_of(brands).values(), wanted) if by_account else None
    column, direction = _order(wanted)
    order = (f"{direction}{column}", f"{direction}pk")
    each = [
        _filtered(brand, accounts, wanted).order_by(*order).values_list("pk", column)[:last]
        for brand in brands
    ]
    merged = each[0] if len(each) == 1 else each[0].union(*each[1:], all=True).order_by(*order)
    return [pk for pk, _at in merged[first:last]]


def _order(wanted: PostFilter) -> tuple[str, str]:
    """Column and direction. What is scheduled or published has a time; anything else may have none."""
    if wanted.states == {PostState.SCHEDULED}:
        return "planned_at", ""
    if wanted.states == {PostState.PUBLISHED}:
        return "planned_at", "-"
    return "updated_at", "-"


def with_variants(posts: QuerySet[Post]) -> QuerySet[Post]:
    """Everything a row or a state needs, without the frozen payloads."""
    variants = (
        Variant.objects.select_related("account", "delivery")
        .defer("delivery__payload")
        .order_by("account__handle")
    )
    return posts.select_related("brand", "author", "campaign").prefetch_related(
        Prefetch("variants", variants)
    )


def row_of(post: Post) -> PostRow:
    """The line of a post whose variants are prefetched (``with_variants``)."""
    variants = list(post.variants.all())
    states = [v.delivery.state for v in variants if v.delivery is not None]
    state = derive_state(states)
    return PostRow(
        post=post,
        state=state,
        at=next_time(post),
        networks=tuple((v.account, v.account.info) for v in variants),
        is_movable=state is PostState.DRAFT
        or (any(s in MOVABLE for s in states) and not any(s in UNDER_WAY_STATES for s in states)),
    )


def next_time(post: Post) -> dt.datetime | None:
    """When it goes out: the earliest delivery that is still waiting, else the planned time."""
    waiting = [
        v.delivery.due_at
        for v in post.variants.all()
        if v.delivery is not None and v.delivery.state in MOVABLE
    ]
    return min(waiting, default=post.planned_at)


def _filtered(brand: uuid.UUID, accounts: Collection[uuid.UUID] | None, wanted: PostFilter) -> QuerySet[Post]:
    posts = Post.objects.filter(brand_id=brand, deleted_at__isnull=True, is_template=False)
    if wanted.author:
        posts = posts.filter(author_id=wanted.author)
    if wanted.campaign:
        posts = posts.filter(campaign_id=wanted.campaign)
    if wanted.text:
        posts = posts.filter(parts__0__text__icontains=wanted.text)
    if accounts is not None:
        posts = posts.filter(Exists(Variant.objects.filter(post=OuterRef("pk"), account_id__in=accounts)))
    if wanted.states:
        conditions = Q()
        for state in wanted.states:
            conditions |= in_state(state, brand)
        posts = posts.filter(conditions)
    return posts


D = DeliveryState
_SENDING = (D.CLAIMED, D.SENDING, D.PROCESSING)
# The same order of precedence as states.derive_state: (what there must be, what there must not be).
_CONDITIONS: dict[PostState, tuple[tuple[DeliveryState, ...], tuple[DeliveryState, ...]]] = {
    PostState.UNCERTAIN: ((D.UNCERTAIN,), ()),
    PostState.SENDING: (_SENDING, (D.UNCERTAIN,)),
    PostState.PUBLISHED: ((D.SENT,), tuple(s for s in LIVE_STATES if s is not D.SENT)),
    PostState.FAILED: ((D.FAILED,), (D.UNCERTAIN, *_SENDING, D.SENT)),
    PostState.MISSED: ((D.MISSED,), (D.UNCERTAIN, *_SENDING, D.SENT, D.FAILED)),
    PostState.HELD: ((D.HELD,), (D.UNCERTAIN, *_SENDING, D.SENT, D.FAILED, D.MISSED)),
    PostState.SCHEDULED: ((D.SCHEDULED,), tuple(s for s in LIVE_STATES if s is not D.SCHEDULED)),
}
_WAITING = (D.SCHEDULED, D.FAILED, D.MISSED, D.HELD)


def in_state(state: PostState, brand: uuid.UUID) -> Q:
    """The derived state as a condition on the posts of ``brand``. Rare states start from the deliveries'
    partial indexes; the common ones are met soon by whoever walks the posts in their order."""

    def has(states: Collection[DeliveryState]) -> Exists:
        return Exists(Variant.objects.filter(post=OuterRef("pk"), delivery__state__in=states))

    def of_deliveries(state: DeliveryState) -> Any:
        return Variant.objects.filter(delivery__brand_id=brand, delivery__state=state).values("post_id")

    if state is PostState.DRAFT:
        # What was never approved, or was taken back: few rows of many, with an index of their own.
        return Q(approval=Approval.DRAFT) & Q(~has(LIVE_STATES))
    if state is PostState.PARTLY_PUBLISHED:
        waiting = [of_deliveries(one) for one in _WAITING]
        candidates = Q(pk__in=waiting[0].union(*waiting[1:]))
        return candidates & Q(has((D.SENT,))) & Q(~has((D.UNCERTAIN, *_SENDING)))
    wanted, unwanted = _CONDITIONS[state]
    if state is PostState.PUBLISHED:
        return Q(planned_at__isnull=False) & Q(has(wanted)) & Q(~has(unwanted))
    candidates = Q(pk__in=of_deliveries(wanted[0]).union(*(of_deliveries(one) for one in wanted[1:])))
    return candidates & Q(~has(unwanted)) if unwanted else candidates
