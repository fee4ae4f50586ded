"""Taking in what a network tells: conversations, messages, people, and who waits.

The same item may come any number of times and in any order; it is kept once, by account and remote id.
A page costs the same number of queries whatever its size.

Lock order, here and in every service of this app: identities (inside ``meet_all`` and ``tell``) before
conversations, and conversations by id. An erasure locks the same way.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from accounts.models import SocialAccount
from audience.models import ActivityKind, Identity
from audience.services.activities import Happened, tell
from audience.services.people import Met, meet_all
from connectors.base import InboxItem, InboxKind, Profile
from core.bigrams import folded, grams
from engagement.models import (
    Conversation,
    ConversationKind,
    ConversationState,
    Direction,
    Message,
    ModerationRequest,
)
from engagement.remote import MOST_OF_ID, clean, key_of, web_address
from engagement.selectors.promises import promise_of
from engagement.services.echoes import adopt_echoes
from engagement.services.episodes import moment_of, replay
from outbox.models import Delivery, DeliveryKind, DeliveryState

# What was written longer before the inbox was first read is history: it arrives as done.
HISTORY_AFTER = dt.timedelta(hours=48)
PREVIEW_LENGTH = 200
_ACTIVITIES = {
    InboxKind.COMMENT: ActivityKind.COMMENT,
    InboxKind.MENTION: ActivityKind.MENTION,
    InboxKind.DM: ActivityKind.MESSAGE,
    InboxKind.REVIEW: ActivityKind.REVIEW,
}
# After a moderation the network may for a while still tell what was before.
_MODERATION_SETTLES = dt.timedelta(minutes=2)


@dataclass(slots=True)
class _Arrival:
    """An item that we did not have, and the message that it becomes."""

    item: InboxItem
    key: str
    message: Message | None = None


@dataclass(slots=True)
class _Touched:
    """A conversation of this page, and since when it is another than before."""

    row: Conversation
    since: dt.datetime
    arrivals: list[Message] = field(default_factory=list)


def take_page(
    *, account: SocialAccount, items: Sequence[InboxItem], began_at: dt.datetime, now: dt.datetime
) -> int:
    """Keep a page of a network's answer; returns how many messages are new. ``began_at`` is when this
    inbox was first read."""
    by_key = {key_of(item.kind, item.remote_id): item for item in items if _is_usable(item)}
    with transaction.atomic():
        known = _known(account, by_key)
        arrivals = [_Arrival(item, key) for key, item in by_key.items() if key not in known]
        arrivals.sort(key=lambda one: (one.item.created_at, one.key))
        changed = _changed(known.values(), by_key, now)
        if not arrivals and not changed:
            return 0
        people = _meet(account, arrivals, now)
        touched = _locked(account, arrivals, changed, now)
        changed = _not_erased(changed)
        echoes = {arrival.key: arrival.item for arrival in arrivals if arrival.item.is_own}
        ours = adopt_echoes(account=account, echoes=echoes, now=now)
        for message in ours.values():
            if (known_place := touched.get(message.conversation_id)) is not None:
                known_place.since = min(known_place.since, moment_of(message))
        arrivals = [arrival for arrival in arrivals if arrival.key not in ours]
        _make_missing(account, arrivals, touched, people, now)
        _update(changed, touched, by_key)
        for arrival in arrivals:
            item = arrival.item
            author = None if item.is_own else people.get(item.author.remote_id)
            place = touched[thread_key(item)]
            _add(account, arrival, place, author, began_at=began_at, now=now)
        added = [one.message for one in arrivals if one.message is not None]
        Message.objects.bulk_create(added)
        _finish(account, touched.values())
        _tell(account, arrivals)
    return len(added)


def _is_usable(item: InboxItem) -> bool:
    return (
        bool(item.remote_id and item.thread_id)
        and max(len(item.remote_id), len(item.thread_id)) <= MOST_OF_ID
    )


def thread_key(item: InboxItem) -> str:
    return key_of(item.kind, item.thread_id)


# --- what we have already -------------------------------------------------------------------------


def _known(account: SocialAccount, keys: Iterable[str]) -> dict[str, Message]:
    rows = Message.objects.filter(account=account, remote_key__in=list(keys))
    return {row.remote_key: row for row in rows.defer("search_text", "search_grams")}


def _changed(known: Iterable[Message], items: Mapping[str, InboxItem], now: dt.datetime) -> list[Message]:
    """Messages of others that the network shows differently now: edited, rated anew, hidden or liked
    elsewhere."""
    changed = []
    for message in known:
        item = items[message.remote_key]
        # What was erased stays erased, also while the network still has it.
        if message.direction == Direction.IN and message.erased_at is None:
            shown = (clean(item.text), *_shown(item, message))
            is_rated_anew = item.detail.get("rating", rated := message.detail.get("rating")) != rated
            if is_rated_anew or shown != (message.text, message.is_hidden, message.is_liked):
                changed.append(message)
    if changed:
        recently = ModerationRequest.objects.filter(message__in=changed).exclude(
            settled_at__lt=now - _MODERATION_SETTLES
        )
        ours = set(recently.values_list("message_id", flat=True))
        changed = [message for message in changed if message.pk not in ours]
    return changed


def _shown(item: InboxItem, message: Message) -> tuple[bool, bool]:
    """Hidden, and liked, as the network tells; where it does not, as it is here."""
    return (
        message.is_hidden if item.is_hidden is None else item.is_hidden,
        message.is_liked if item.is_liked is None else item.is_liked,
    )


def _not_erased(changed: Sequence[Message]) -> list[Message]:
    """Without those that were erased while this page waited for the locks."""
    if not changed:
        return []
    rows = Message.objects.filter(pk__in=[message.pk for message in changed], erased_at__isnull=True)
    left = set(rows.values_list("pk", flat=True))
    return [message for message in changed if message.pk in left]


# --- people and conversations -----------------------------------------------------------------------


def _meet(account: SocialAccount, arrivals: Iterable[_Arrival], now: dt.datetime) -> dict[str, Identity]:
    """Whoever wrote, or is written to, by remote id."""
    profiles: dict[str, Profile] = {}
    for item in (arrival.item for arrival in arrivals):
        other = item.counterpart if item.is_own else item.author
        if other is not None and other.remote_id:
            profiles[other.remote_id] = other
    met = [
        Met(
            platform=account.platform,
            remote_id=profile.remote_id,
            handle=profile.handle,
            display_name=profile.display_name,
            avatar_url=profile.avatar_url,
            profile_url=profile.profile_url,
        )
        for profile in profiles.values()
    ]
    found = meet_all(brand=account.brand, met=met, now=now)
    return {remote_id: identity for (_platform, remote_id), identity in found.items()}


def _locked(
    account: SocialAccount, arrivals: Iterable[_Arrival], changed: Iterable[Message], now: dt.datetime
) -> dict[Any, _Touched]:
    """The conversations of this page that are there already, by thread key and by id."""
    rows = Conversation.objects.filter(
        Q(account=account, thread_key__in={thread_key(arrival.item) for arrival in arrivals})
        | Q(pk__in={message.conversation_id for message in changed})
    )
    touched: dict[Any, _Touched] = {}
    for row in rows.select_related("identity").order_by("pk").select_for_update(of=("self",)):
        touched[row.thread_key] = touched[row.pk] = _Touched(row, since=now)
    return touched


def _make_missing(
    account: SocialAccount,
    arrivals: Iterable[_Arrival],
    touched: dict[Any, _Touched],
    people: Mapping[str, Identity],
    now: dt.datetime,
) -> None:
    """A conversation for every thread that has none, and what the items say about theirs."""
    missing: list[Conversation] = []
    for item in (arrival.item for arrival in arrivals):
        key = thread_key(item)
        if key not in touched:
            row = Conversation(
                brand_id=account.brand_id,
                account=account,
                kind=item.kind.value,
                thread_id=item.thread_id,
                thread_key=key,
                state=ConversationState.DONE,  # until somebody turns out to wait
                last_message_at=item.created_at,
                created_at=now,
            )
            touched[key] = touched[row.pk] = _Touched(row, since=now)
            missing.append(row)
        _describe(touched[key].row, item, people)
    _find_posts(account, {one.row.pk: one.row for one in touched.values()}.values())
    Conversation.objects.bulk_create(missing)


def _describe(row: Conversation, item: InboxItem, people: Mapping[str, Identity]) -> None:
    """What an item says about its conversation, where that was not known."""
    other = item.counterpart if item.is_own else item.author
    is_erased = row.identity is not None and row.identity.erased_at is not None
    # In a private thread whoever writes after an erasure is the one who wrote before, and somebody new.
    is_open_to_them = row.identity is None or (is_erased and row.kind == ConversationKind.DM)
    if is_open_to_them and other is not None and other.remote_id in people:
        row.identity, is_erased = people[other.remote_id], False
    if is_erased:
        return  # the ids and the post that were removed stay away, whoever writes below them
    row.thread_id = row.thread_id or item.thread_id
    if item.root is not None:
        row.post_snapshot = {
            "remote_id": item.root.remote_id,
            "text": clean(item.root.text),
            "permalink": web_address(item.root.permalink),
            "created_at": item.root.created_at.isoformat(),
        }
    elif item.root_id and not row.post_snapshot:
        row.post_snapshot = {"remote_id": item.root_id}


def _find_posts(account: SocialAccount, rows: Iterable[Conversation]) -> None:
    """Which of the posts under these conversations are ours."""
    wanted: dict[str, list[Conversation]] = defaultdict(list)
    for row in rows:
        if row.delivery_id is None and (root_id := row.post_snapshot.get("remote_id")):
            wanted[root_id].append(row)
    if not wanted:
        return
    posts = Delivery.objects.filter(
        account=account, kind=DeliveryKind.POST, state=DeliveryState.SENT, remote_id__in=list(wanted)
    )
    for pk, remote_id in posts.values_list("pk", "remote_id"):
        for row in wanted[remote_id]:
            row.delivery_id = pk


# --- messages -----------------------------------------------------------------------------------------


def _add(
    account: SocialAccount,
    arrival: _Arrival,
    place: _Touched,
    identity: Identity | None,
    *,
    began_at: dt.datetime,
    now: dt.datetime,
) -> None:
    """The message of an item, next in its conversation; ``identity`` is its author, None for the account."""
    item, row = arrival.item, place.row
    text, search_text = clean(item.text), _search_text(item)
    at = min(item.created_at, now)
    row.last_number += 1
    message = Message(
        conversation=row,
        account=account,
        number=row.last_number,
        direction=Direction.OUT if item.is_own else Direction.IN,
        remote_id=item.remote_id,
        remote_key=arrival.key,
        parent_key=key_of(item.kind, item.parent_id),
        identity=identity,
        text=text,
        media_count=item.media_count,
        permalink=web_address(item.permalink),
        detail=item.detail,
        written_at=item.created_at,
        arrived_at=now,
        is_hidden=bool(item.is_hidden),
        is_liked=bool(item.is_liked),
        search_text=search_text,
        search_grams=grams(search_text),
        sent_at=at if item.is_own else None,
    )
    if not item.is_own and at >= began_at - HISTORY_AFTER:
        message.waits_from = max(at, began_at)
    arrival.message = message
    place.arrivals.append(message)
    place.since = min(place.since, at)


def _search_text(item: InboxItem) -> str:
    """The words, and by whom: people search for either."""
    names = () if item.is_own else (item.author.display_name, item.author.handle)
    return folded(item.text, *names)


def _update(
    changed: Sequence[Message], touched: Mapping[Any, _Touched], items: Mapping[str, InboxItem]
) -> None:
    """Write what the network shows differently now."""
    for message in changed:
        item, place = items[message.remote_key], touched[message.conversation_id]
        message.text = clean(item.text)
        message.is_hidden, message.is_liked = _shown(item, message)
        if "rating" in item.detail:
            message.detail = {**message.detail, "rating": item.detail["rating"]}
        message.search_text = _search_text(item)
        message.search_grams = grams(message.search_text)
        place.since = min(place.since, moment_of(message))
        if message.number == place.row.last_number:
            place.row.preview = preview_of(message.text)
    Message.objects.bulk_update(
        changed, ["text", "is_hidden", "is_liked", "detail", "search_text", "search_grams"]
    )


def preview_of(text: str) -> str:
    """The beginning of a message on one line."""
    line = " ".join(text.split())
    return line if len(line) <= PREVIEW_LENGTH else line[: PREVIEW_LENGTH - 1].rstrip() + "…"


def _finish(account: SocialAccount, touched: Iterable[_Touched]) -> None:
    """Who waits now, and what the list shows of it."""
    places = list({one.row.pk: one for one in touched}.values())
    rows = [one.row for one in places]
    replay(rows, {one.row.pk: one.since for one in places}, promise_of(account.brand))
    for place in places:
        row = place.row
        for message in place.arrivals:
            if message.written_at >= row.last_message_at:
                row.last_message_at = message.written_at
                row.preview = preview_of(message.text)
                row.is_last_own = message.direction == Direction.OUT
        asks = any(message.waits_from is not None for message in place.arrivals)
        if asks and row.waiting_since is not None:
            row.state, row.snoozed_until = ConversationState.OPEN, None
        row.version += 1
    Conversation.objects.bulk_update(
        rows,
        [
            "thread_id",
            "identity",
            "delivery",
            "post_snapshot",
            "state",
            "snoozed_until",
            "last_number",
            "last_message_at",
            "preview",
            "is_last_own",
            "waiting_since",
            "due_at",
            "version",
        ],
    )


def _tell(account: SocialAccount, arrivals: Iterable[_Arrival]) -> None:
    """The timelines of those who wrote."""
    happened = [
        Happened(
            identity_id=message.identity_id,
            kind=_ACTIVITIES[arrival.item.kind],
            at=min(message.written_at, message.arrived_at),
            dedupe_key=f"received:{account.pk}:{message.remote_key}",
            summary=message.text,
            detail={"platform": account.platform},
            path=path_of(message.conversation_id),
        )
        for arrival in arrivals
        if (message := arrival.message) is not None and message.identity_id is not None
    ]
    tell(brand=account.brand, happened=happened)


def path_of(conversation_id: UUID) -> str:
    return reverse("engagement:conversation", args=[conversation_id])
