"""Posts as people look for them: what the calendar shows of a period, and the list with its filters."""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import (
    Case,
    CharField,
    Exists,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Value,
    When,
)

from accounts.models import Brand, Membership, SocialAccount
from connectors.base import PlatformInfo
from content_calendar.models import UNSCHEDULED, Approval, Label, Post, Variant
from content_calendar.selectors.states import (
    COMMENT_MISSING,
    LIVE_STATES,
    OF_APPROVAL,
    UNDER_WAY_STATES,
    UNSCHEDULED_STATES,
    PostState,
    derive_state,
)
from outbox.models import Delivery, DeliveryState
from outbox.selectors import COMMENT_LEFT_SQL, OnlyCommentLeft

# What one answer of the calendar holds at most: nobody reads more in one view. The page says so when there
# is more.
MOST_EVENTS = 600
TITLE_LENGTH = 60
_EXCERPT = 240  # characters that are read for a title
PAGE_SIZE = 50
MOVABLE = (DeliveryState.SCHEDULED, DeliveryState.HELD, DeliveryState.FAILED, DeliveryState.MISSED)
_MOVABLE_SHOWN = (*MOVABLE, COMMENT_MISSING)


@dataclass(frozen=True, slots=True)
class PostFilter:
    """What the address asks for; empty fields ask for nothing."""

    accounts: frozenset[uuid.UUID] = frozenset()
    platforms: frozenset[str] = frozenset()
    states: frozenset[PostState] = frozenset()
    author: int | None = None
    campaign: uuid.UUID | None = None
    labels: frozenset[uuid.UUID] = frozenset()  # any of these
    text: str = ""

    @property
    def is_empty(self) -> bool:
        return self == PostFilter()


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

    post_id: str
    at: dt.datetime
    title: str
    state: PostState
    accounts: tuple[EventAccount, ...]
    is_movable: bool
    campaign: str = ""  # its name
    labels: tuple[tuple[str, str], ...] = ()  # (tone, name)


@dataclass(frozen=True, slots=True)
class CalendarWindow:
    """The events of a period by time; ``is_cut`` when there are more than fit."""

    events: tuple[CalendarEvent, ...]
    is_cut: bool
    accounts: Mapping[uuid.UUID, EventAccount] = field(default_factory=dict)  # all of the shown brands


class _Group(NamedTuple):
    """What becomes one event, as the statement tells it; ids are texts, which cost less."""

    post: str
    at: dt.datetime
    states: list[str]  # of deliveries; of a draft none
    approval: str
    accounts: list[str]
    text: str | None  # the beginning of the first part; None when the post is deleted
    campaign: str | None
    labels: list[str]  # "tone:name"

    @property
    def is_movable(self) -> bool:
        """Something of it waits, and nothing is under way."""
        return is_movable(self.states)


def is_movable(states: Collection[str]) -> bool:
    """Whether something of deliveries in these states waits, and nothing is under way."""
    return any(s in _MOVABLE_SHOWN for s in states) and not any(s in UNDER_WAY_STATES for s in states)


def calendar_events(
    membership: Membership,
    brand: Brand | None,
    start: dt.datetime,
    end: dt.datetime,
    wanted: PostFilter,
    *,
    most: int = MOST_EVENTS,
    brands: Sequence[uuid.UUID] = (),
) -> CalendarWindow:
    """Everything planned for or sent in [start, end) (aware): deliveries by their due time, drafts by their
    planned one. Two queries, bounded by the period's index range and by ``most``; ``brands``: those of
    the member, where they are known already."""
    if brand is not None:
        brands = [brand.pk]
    elif not brands:
        brands = list(Brand.objects.for_member(membership).values_list("pk", flat=True))
    accounts = _accounts_of(brands)
    found, is_cut = _groups(brands, start, end, wanted, most)
    groups = list(itertools.islice(_left_by(found, accounts, wanted), most + 1))
    is_cut = is_cut or len(groups) > most
    by_text = {str(account.id): account for account in accounts.values()}
    events = tuple(
        CalendarEvent(
            post_id=group.post,
            at=group.at,
            title=_title(group.text),
            state=state,
            accounts=tuple(by_text[pk] for pk in dict.fromkeys(group.accounts) if pk in by_text),
            is_movable=state in UNSCHEDULED_STATES or group.is_movable,
            campaign=group.campaign or "",
            labels=tuple(_label(one) for one in group.labels),
        )
        for group, state in groups[:most]
        if group.text is not None  # deleted: what was published of it stays on the networks
    )
    return CalendarWindow(events=events, is_cut=is_cut, accounts=accounts)


def _left_by(
    groups: Iterable[_Group], accounts: Mapping[uuid.UUID, EventAccount], wanted: PostFilter
) -> Iterator[tuple[_Group, PostState]]:
    """Those that the filter's states and accounts leave."""
    chosen = _chosen_accounts(accounts.values(), wanted)
    texts = None if chosen is None else {str(pk) for pk in chosen}
    for group in groups:
        state = derive_state(group.states, group.approval)
        if wanted.states and state not in wanted.states:
            continue
        if texts is None or texts.intersection(group.accounts):
            yield group, state


def _accounts_of(brands: Collection[uuid.UUID]) -> dict[uuid.UUID, EventAccount]:
    """What a network is called is worked out once for all accounts that are alike."""
    found = {}
    alike: dict[str, PlatformInfo] = {}
    rows = SocialAccount.objects.filter(brand_id__in=brands)
    for pk, platform, handle, options in rows.values_list("pk", "platform", "handle", "options"):
        key = f"{platform} {options}"
        info = alike.get(key)
        if info is None:
            info = alike[key] = SocialAccount(platform=platform, options=options).info
        found[pk] = EventAccount(pk, platform, handle, info.name, info.icon)
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


def _labelled(wanted: PostFilter, post: str) -> Exists:
    """Whether the post has one of the labels; ``post`` is the path of its id."""
    return Exists(Post.labels.through.objects.filter(post_id=OuterRef(post), label_id__in=wanted.labels))


def _label(word: str) -> tuple[str, str]:
    tone, _colon, name = word.partition(":")
    return tone, name


def _groups(
    brands: Collection[uuid.UUID], start: dt.datetime, end: dt.datetime, wanted: PostFilter, most: int
) -> tuple[list[_Group], bool]:
    """Deliveries and drafts of the period by time, and whether there are more. One statement: of either kind
    the first ones, so that it costs the same however many there are; no more than are shown, unless what is
    left of them by the filter is found out here (``_left_by``)."""
    if not brands:
        return [], False
    leaves_all = not (wanted.states or wanted.accounts or wanted.platforms)
    shown_most = most + 1 if leaves_all else None
    rows_most = 3 * most  # deliveries: a post goes to a few accounts
    statement, given = _scheduled(brands, start, end, wanted, most=rows_most + 1, posts_most=shown_most)
    stages = [one for one in UNSCHEDULED if not wanted.states or OF_APPROVAL[one] in wanted.states]
    if stages:
        drafts = _drafts(brands, start, end, wanted, stages)[: most + 1]
        of_drafts, given_then = drafts.query.sql_with_params()
        statement, given = f"({statement}) UNION ALL ({of_drafts})", (*given, *given_then)
    with connection.cursor() as cursor:
        cursor.execute(_TOLD % {"rows": statement}, (*given, shown_most))
        rows = cursor.fetchall()
    drafts_count = sum(not row[2] for row in rows)
    deliveries_count = sum(len(row[2]) for row in rows)
    is_cut = leaves_all and len(rows) > most
    groups = [_Group(*row) for row in rows if row[3] is not None]
    return groups, is_cut or drafts_count > most or deliveries_count > rows_most


# What is told of the rows that are shown and asked of no other: (post, time, states, approval, accounts,
# text, campaign, labels). A draft of which something is scheduled has no approval here.
_TOLD = f"""
    WITH shown (post, at, states, approval, accounts) AS (
        SELECT * FROM (%(rows)s) AS every (post, at, states, approval, accounts)
        ORDER BY at, post LIMIT %%s
    )
    SELECT s.post::text, s.at, coalesce(s.states, '{{}}'),
           CASE WHEN s.states IS NULL AND EXISTS (
               SELECT 1 FROM content_calendar_variant v JOIN outbox_delivery d ON d.id = v.delivery_id
               WHERE v.post_id = s.post AND d.state <> '{DeliveryState.CANCELLED}'
           ) THEN NULL ELSE s.approval END,
           CASE WHEN s.states IS NULL
                THEN ARRAY(SELECT v.account_id::text FROM content_calendar_variant v WHERE v.post_id = s.post)
                ELSE s.accounts END,
           CASE WHEN p.id IS NOT NULL THEN coalesce(left(p.parts -> 0 ->> 'text', {_EXCERPT}), '') END,
           c.name,
           ARRAY(SELECT l.tone || ':' || l.name FROM content_calendar_post_labels pl
                 JOIN content_calendar_label l ON l.id = pl.label_id WHERE pl.post_id = p.id ORDER BY l.name)
    FROM shown s
    LEFT JOIN content_calendar_post p ON p.id = s.post AND p.deleted_at IS NULL
    LEFT JOIN campaigns_campaign c ON c.id = p.campaign_id
    ORDER BY s.at, s.post"""  # noqa: S608 - of nothing that anybody types


def _narrowed(rows: QuerySet[Any], wanted: PostFilter, post: str) -> QuerySet[Any]:
    """What the filter says of posts themselves; ``post`` is the path to them with its underscores, or ""."""
    if wanted.author:
        rows = rows.filter(**{f"{post}author_id": wanted.author})
    if wanted.campaign:
        rows = rows.filter(**{f"{post}campaign_id": wanted.campaign})
    if wanted.labels:
        rows = rows.filter(_labelled(wanted, f"{post}pk"))
    if wanted.text:
        rows = rows.filter(**{f"{post}parts__0__text__icontains": wanted.text})
    return rows


def _scheduled(
    brands: Collection[uuid.UUID],
    start: dt.datetime,
    end: dt.datetime,
    wanted: PostFilter,
    *,
    most: int,
    posts_most: int | None,
) -> tuple[str, tuple[Any, ...]]:
    """(post, time, states, approval, accounts) of the first ``most`` deliveries by time, of no more than
    ``posts_most`` posts: statement and values. They are chosen before anything is joined to them: of a whole
    period the planner would join every row, with parallel workers. (By hand: the ORM selects from tables
    only, and would look each up once more.)"""
    rows = Delivery.objects.posts().filter(brand_id__in=brands, due_at__gte=start, due_at__lt=end)
    first = _narrowed(rows.exclude(state=DeliveryState.CANCELLED), wanted, "variant__post__").order_by(
        "due_at"
    )
    chosen, given = first.values_list("pk", "due_at", "state", "account_id")[:most].query.sql_with_params()
    comment_left = COMMENT_LEFT_SQL % {"expressions": "d.id"}
    statement = f"""
        SELECT v.post_id, d.due_at,
               array_agg(CASE WHEN d.state = '{DeliveryState.FAILED}' AND {comment_left}
                              THEN '{COMMENT_MISSING}' ELSE d.state::text END),
               '{Approval.APPROVED}', array_agg(d.account_id::text)
        FROM ({chosen}) AS d (id, due_at, state, account_id)
        JOIN content_calendar_variant v ON v.delivery_id = d.id
        GROUP BY d.due_at, v.post_id ORDER BY d.due_at, v.post_id LIMIT %s"""  # noqa: S608 - what the ORM made, with its values apart
    return statement, (*given, posts_most)


def _drafts(
    brands: Collection[uuid.UUID],
    start: dt.datetime,
    end: dt.datetime,
    wanted: PostFilter,
    stages: Collection[Approval],
) -> Any:
    """(post, time, no states, approval, no accounts) of each draft that has a time, by time."""
    rows = Post.objects.filter(
        approval__in=stages,
        brand_id__in=brands,
        planned_at__gte=start,
        planned_at__lt=end,
        deleted_at__isnull=True,
        is_template=False,
    )
    return (
        _narrowed(rows, wanted, "")
        .annotate(
            states=Value(None, ArrayField(CharField())),
            accounts=Value(None, ArrayField(CharField())),
        )
        .order_by("planned_at")
        .values_list("pk", "planned_at", "states", "approval", "accounts")
    )


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

    @property
    def is_unscheduled(self) -> bool:
        return self.state in UNSCHEDULED_STATES


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
    missing = When(delivery__state=DeliveryState.FAILED, then=OnlyCommentLeft("delivery_id"))
    variants = (
        Variant.objects.select_related("account", "delivery")
        .defer("delivery__payload")
        .annotate(is_comment_missing=Case(missing, default=Value(False)))
        .order_by("account__handle")
    )
    return posts.select_related("brand", "author", "campaign").prefetch_related(
        Prefetch("variants", variants), Prefetch("labels", Label.objects.order_by("name"))
    )


def row_of(post: Post) -> PostRow:
    """The line of a post whose variants are prefetched (``with_variants``)."""
    variants = list(post.variants.all())
    states = [
        COMMENT_MISSING if v.is_comment_missing else v.delivery.state  # type: ignore[attr-defined]
        for v in variants
        if v.delivery is not None
    ]
    state = derive_state(states, post.approval)
    return PostRow(
        post=post,
        state=state,
        at=next_time(post),
        networks=tuple((v.account, v.account.info) for v in variants),
        is_movable=state in UNSCHEDULED_STATES or is_movable(states),
    )


def next_time(post: Post) -> dt.datetime | None:
    """When it goes out: the earliest delivery that is still waiting, else the planned time."""
    waiting = [
        v.delivery.due_at
        for v in post.variants.all()
        if v.delivery is not None and v.delivery.state in MOVABLE
    ]
    return min(waiting, default=post.planned_at)


def matching(brand: uuid.UUID, wanted: PostFilter) -> QuerySet[Post]:
    """The posts of a brand that the filter leaves, in no order."""
    by_account = bool(wanted.accounts or wanted.platforms)
    accounts = _chosen_accounts(_accounts_of([brand]).values(), wanted) if by_account else None
    return _filtered(brand, accounts, wanted)


def _filtered(brand: uuid.UUID, accounts: Collection[uuid.UUID] | None, wanted: PostFilter) -> QuerySet[Post]:
    posts = Post.objects.filter(brand_id=brand, deleted_at__isnull=True, is_template=False)
    if wanted.author:
        posts = posts.filter(author_id=wanted.author)
    if wanted.campaign:
        posts = posts.filter(campaign_id=wanted.campaign)
    if wanted.labels:
        posts = posts.filter(_labelled(wanted, "pk"))
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

    if state in UNSCHEDULED_STATES:
        # What is in no schedule: few rows of many, with an index of their own.
        stages = [one for one in UNSCHEDULED if OF_APPROVAL[one] is state]
        return Q(approval__in=stages) & Q(~has(LIVE_STATES))
    without_comment = Exists(
        Variant.objects.filter(
            Q(OnlyCommentLeft("delivery_id")), post=OuterRef("pk"), delivery__state=D.FAILED
        )
    )
    if state is PostState.PARTLY_PUBLISHED:
        waiting = [of_deliveries(one) for one in _WAITING]
        candidates = Q(pk__in=waiting[0].union(*waiting[1:]))
        is_out = Q(has((D.SENT,))) | Q(without_comment)
        return candidates & is_out & Q(~has((D.UNCERTAIN, *_SENDING)))
    wanted, unwanted = _CONDITIONS[state]
    if state is PostState.PUBLISHED:
        return Q(planned_at__isnull=False) & Q(has(wanted)) & Q(~has(unwanted))
    candidates = Q(pk__in=of_deliveries(wanted[0]).union(*(of_deliveries(one) for one in wanted[1:])))
    if state is PostState.FAILED:
        candidates &= Q(~without_comment)
    return candidates & Q(~has(unwanted)) if unwanted else candidates
