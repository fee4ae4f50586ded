"""One conversation as people read it: its messages with what became of ours, notes, and the post above."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from accounts.advice import told
from accounts.models import User
from connectors.base import ModerationAction, PlatformInfo
from connectors.errors import RejectReason
from engagement.models import Conversation, Direction, Message, ModerationRequest, Note
from engagement.selectors.moderation import actions_for
from engagement.selectors.ratings import Rating, rating_of
from outbox import handlers
from outbox.errors import StopReason, sentence
from outbox.models import Delivery, DeliveryState, HeldReason

MOST_MESSAGES = 100
_ON_ITS_WAY = (
    DeliveryState.SCHEDULED,
    DeliveryState.CLAIMED,
    DeliveryState.SENDING,
    DeliveryState.PROCESSING,
)
_GONE = (RejectReason.NOT_FOUND, StopReason.GONE_AT_NETWORK)
# How often an open page asks whether something is new; sooner while an own message is on its way.
POLL_S = 5
BUSY_POLL_S = 2


@dataclass(frozen=True, slots=True)
class PostAbove:
    """The post that a conversation hangs below. ``page_url`` is ours, "" for one that was made elsewhere."""

    text: str
    permalink: str
    page_url: str
    at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message. Of an own one ``state`` is that of its delivery, ``reason`` why it stopped, ``advice``
    what we say of that and ``detail`` the network's own words; ``asked`` is the ModerationAction that is on
    its way, ``refused`` why one came to nothing, ``deleted_by`` who of us had it deleted; ``answers`` names
    whom it answers where that is not plain."""

    message: Message
    actions: tuple[ModerationAction, ...] = ()
    state: str = ""
    reason: str = ""
    advice: str = ""
    detail: str = ""
    asked: str = ""
    refused: str = ""
    deleted_by: User | None = None
    answers: str = ""

    @property
    def rating(self) -> Rating | None:
        return rating_of(self.message.detail)

    @property
    def is_own(self) -> bool:
        return self.message.direction == Direction.OUT

    @property
    def is_stopped(self) -> bool:
        return self.state in (DeliveryState.FAILED, DeliveryState.MISSED)

    @property
    def is_outrun(self) -> bool:
        """Whether it was stopped because somebody wrote meanwhile."""
        return (
            self.is_stopped
            and self.message.delivery is not None
            and (self.message.delivery.error == StopReason.NEWER_MESSAGE)
        )

    @property
    def can_resend(self) -> bool:
        """Whether sending it once more may help: what it answers is still there."""
        delivery = self.message.delivery
        return self.is_stopped and delivery is not None and delivery.error not in _GONE

    @property
    def can_answer(self) -> bool:
        return _is_answerable(self.message) and self.asked != ModerationAction.DELETE

    @property
    def at(self) -> dt.datetime:
        return self.message.written_at


@dataclass(frozen=True, slots=True)
class ThreadView:
    """Everything in the middle pane, oldest first: MessageView or Note. ``poll_s``: how soon to ask again."""

    conversation: Conversation
    network: PlatformInfo
    entries: tuple[MessageView | Note, ...]
    post: PostAbove | None
    has_older: bool
    is_overdue: bool
    is_being_answered: bool
    newest: Message | None  # the last received one that can be answered
    poll_s: int

    @property
    def is_waiting(self) -> bool:
        return self.conversation.waiting_since is not None


def tag_of(conversation: Conversation, *, now: dt.datetime) -> str:
    """Changes whenever the middle pane does. One query."""
    states = (
        Message.objects.unsettled()
        .filter(conversation=conversation)
        .order_by("number")
        .values_list("delivery__state", "delivery__fence")
    )
    under_way = ".".join(f"{state}{fence}" for state, fence in states)
    is_late = conversation.due_at is not None and conversation.due_at <= now
    return f"{conversation.version}.{under_way}.{is_late:d}"


def thread_view(conversation: Conversation, *, now: dt.datetime, most: int = MOST_MESSAGES) -> ThreadView:
    """Four queries, and one for the page of the post above. ``conversation`` has account, brand, identity
    and delivery."""
    rows = list(
        Message.objects.filter(conversation=conversation)
        .select_related("identity", "author", "delivery")
        .defer("search_text", "search_grams")
        .order_by("-written_at", "-number")[: most + 1]
    )
    messages = rows[:most][::-1]
    requests = _latest_requests(messages)
    names = {m.remote_key: str(m.identity or "") for m in messages if m.remote_key}
    writers = {m.identity_id for m in messages if m.identity_id}
    views = [
        _message_view(
            m, conversation, requests.get(m.pk), names.get(m.parent_key, "") if len(writers) > 1 else ""
        )
        for m in messages
    ]
    since = messages[0].written_at if len(rows) > most else None
    notes = Note.objects.filter(conversation=conversation).select_related("author").order_by("created_at")
    remarks = list(notes.filter(created_at__gte=since) if since else notes)
    is_under_way = any(view.state in _ON_ITS_WAY for view in views)
    return ThreadView(
        conversation=conversation,
        network=conversation.account.info,
        entries=_in_order(views, remarks),
        post=_post_above(conversation),
        has_older=len(rows) > most,
        is_overdue=conversation.due_at is not None and conversation.due_at <= now,
        is_being_answered=is_under_way or any(view.state == DeliveryState.HELD for view in views),
        newest=next((m for m in reversed(messages) if _is_answerable(m)), None),
        poll_s=BUSY_POLL_S if is_under_way or any(view.asked for view in views) else POLL_S,
    )


def _in_order(views: Sequence[MessageView], notes: Sequence[Note]) -> tuple[MessageView | Note, ...]:
    line: list[MessageView | Note] = [*views, *notes]
    return tuple(sorted(line, key=lambda entry: entry.created_at if isinstance(entry, Note) else entry.at))


def _is_answerable(message: Message) -> bool:
    return message.direction == Direction.IN and message.deleted_at is None and message.erased_at is None


def _latest_requests(messages: Iterable[Message]) -> dict[object, ModerationRequest]:
    """The last ModerationAction that was asked for, by message."""
    rows = ModerationRequest.objects.filter(
        message__in=[m.pk for m in messages if m.direction == Direction.IN]
    )
    rows = rows.select_related("requested_by").order_by("requested_at")
    return {row.message_id: row for row in rows}


def _message_view(
    message: Message, conversation: Conversation, request: ModerationRequest | None, answers: str
) -> MessageView:
    if message.direction == Direction.IN:
        view = MessageView(message, actions_for(message, conversation), answers=answers)
        return view if request is None else _with_request(view, request)
    delivery = message.delivery
    if delivery is None or message.sent_at is not None:
        return MessageView(message, state=DeliveryState.SENT, answers=answers)
    reason = ""
    if delivery.state == DeliveryState.HELD and delivery.held_reason:
        reason = str(HeldReason(delivery.held_reason).label)
    elif delivery.state not in (DeliveryState.SENT, DeliveryState.CANCELLED):
        reason = sentence(delivery.error)
    advice, detail = told(delivery.error_detail) if reason else ("", "")
    return MessageView(
        message,
        state=delivery.state,
        reason=reason,
        advice=advice,
        detail=detail,
        answers=answers,
    )


def _with_request(view: MessageView, request: ModerationRequest) -> MessageView:
    """What is asked of the network, or what came of it."""
    if request.settled_at is None:
        return replace(view, asked=request.action)
    has_deleted = request.action == ModerationAction.DELETE and not request.error
    return replace(
        view, refused=sentence(request.error), deleted_by=request.requested_by if has_deleted else None
    )


def _post_above(conversation: Conversation) -> PostAbove | None:
    if conversation.delivery is not None:
        return _own_post(conversation.delivery)
    snapshot = conversation.post_snapshot
    if not snapshot.get("text") and not snapshot.get("permalink"):
        return None
    at = snapshot.get("created_at")
    return PostAbove(
        text=snapshot.get("text", ""),
        permalink=snapshot.get("permalink", ""),
        page_url="",
        at=dt.datetime.fromisoformat(at) if at else None,
    )


def _own_post(delivery: Delivery) -> PostAbove:
    parts = delivery.payload.get("parts") or [{}]
    return PostAbove(
        text=parts[0].get("text", ""),
        permalink=delivery.permalink,
        page_url=handlers.page_of(delivery),
        at=delivery.sent_at,
    )
