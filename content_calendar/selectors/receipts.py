"""The post page: each account's content, state and receipt, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from accounts.advice import told
from accounts.models import SocialAccount
from connectors.base import PlatformInfo
from content_calendar.answers import Answers
from content_calendar.content import Parts, parts_from_json
from content_calendar.models import Post, Variant
from content_calendar.selectors.posts import MOVABLE
from content_calendar.selectors.states import COMMENT_MISSING, UNSCHEDULED_STATES, PostState, derive_state
from outbox.errors import sentence
from outbox.missed import MissedRule, rule_of, sentence_of
from outbox.models import (
    Delivery,
    DeliveryState,
    HeldReason,
    MissedPolicy,
    ReceiptEvent,
    ReceiptKind,
)
from outbox.payloads import has_comment
from outbox.selectors import only_comment_left

# How long after publication a post is looked for on its network, as far as this page waits for it.
_READ_BACK = dt.timedelta(minutes=10)


class _Sign(NamedTuple):
    tone: str
    icon: str


_SIGNS: dict[str, _Sign] = {
    ReceiptKind.SCHEDULED: _Sign("blue", icon="calendar-plus"),
    ReceiptKind.RESCHEDULED: _Sign("blue", icon="calendar-event"),
    ReceiptKind.CHANGED: _Sign("blue", icon="pencil"),
    ReceiptKind.STARTED: _Sign("azure", icon="send"),
    ReceiptKind.PART_ACCEPTED: _Sign("green", icon="check"),
    ReceiptKind.PROCESSING: _Sign("azure", icon="loader"),
    ReceiptKind.WAITING: _Sign("orange", icon="hourglass"),
    ReceiptKind.ADOPTED: _Sign("green", icon="search"),
    ReceiptKind.SENT: _Sign("green", icon="circle-check"),
    ReceiptKind.SEEN: _Sign("green", icon="eye-check"),
    ReceiptKind.FAILED: _Sign("red", icon="alert-circle"),
    ReceiptKind.UNCERTAIN: _Sign("orange", icon="help-circle"),
    ReceiptKind.MISSED: _Sign("red", icon="clock-off"),
    ReceiptKind.HELD: _Sign("orange", icon="player-pause"),
    ReceiptKind.RESUMED: _Sign("blue", icon="player-play"),
    ReceiptKind.RECOVERED: _Sign("azure", icon="refresh"),
    ReceiptKind.CANCELLED: _Sign("secondary", icon="ban"),
    ReceiptKind.ANSWERED: _Sign("blue", icon="user-check"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a receipt. ``moment`` is a time that its text speaks of."""

    at: dt.datetime
    text: str
    tone: str
    icon: str
    detail: str = ""
    moment: dt.datetime | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class VariantView:
    """A post on one account: what went or goes out, and what became of it."""

    variant: Variant
    account: SocialAccount
    info: PlatformInfo
    delivery: Delivery | None
    parts: Parts
    state: str
    reason: str  # why it stopped, "" while nothing stands in its way
    is_comment_missing: bool  # the post is out; only its first comment failed
    advice: str  # what we say of the network's words ourselves
    detail: str  # the network's own words
    lines: tuple[Line, ...]
    settings: Answers = field(default_factory=dict)  # what is said besides
    if_late: str = ""  # what happens if it cannot go out on time; "" once that is no question any more


@dataclass(frozen=True, slots=True)
class PostView:
    """Everything that the post page shows. ``tag`` changes whenever something that it shows changes;
    ``poll_s`` is how soon to look again, 0 when nothing will happen by itself."""

    post: Post
    state: PostState
    variants: tuple[VariantView, ...]
    tag: str
    poll_s: int

    @property
    def is_movable(self) -> bool:
        return any(view.state in MOVABLE for view in self.variants) and not self.is_under_way

    @property
    def at(self) -> dt.datetime | None:
        """When the next of it goes out, else when it was planned: a person or a quiet period may have given
        one account another time."""
        waiting = [v.delivery.due_at for v in self.variants if v.delivery and v.state in MOVABLE]
        return min(waiting, default=self.post.planned_at)

    @property
    def is_unscheduled(self) -> bool:
        return self.state in UNSCHEDULED_STATES

    @property
    def is_under_way(self) -> bool:
        return self.state in (PostState.SENDING, PostState.UNCERTAIN)

    @property
    def has_gone_out(self) -> bool:
        return any(view.state == DeliveryState.SENT or view.is_comment_missing for view in self.variants)


def post_view(post: Post, *, now: dt.datetime) -> PostView:
    """Three queries: variants, receipts and their people."""
    variants = list(
        Variant.objects.filter(post=post)
        .select_related("account__brand", "delivery")
        .order_by("account__platform", "account__handle")
    )
    receipts: dict[Any, list[ReceiptEvent]] = {}
    ids = [variant.delivery_id for variant in variants if variant.delivery_id]
    for event in ReceiptEvent.objects.filter(delivery__in=ids).select_related("actor").order_by("at", "pk"):
        receipts.setdefault(event.delivery_id, []).append(event)
    views = tuple(_variant_view(variant, post, receipts.get(variant.delivery_id, ())) for variant in variants)
    deliveries = [view.delivery for view in views if view.delivery is not None]
    tag = [str(post.version), post.approval]
    for delivery in deliveries:
        seen = receipts.get(delivery.pk, ())
        tag += [delivery.state, str(delivery.fence), str(len(seen)), str(bool(delivery.seen_at))]
    states = [
        COMMENT_MISSING if view.is_comment_missing else view.delivery.state
        for view in views
        if view.delivery is not None
    ]
    return PostView(
        post=post,
        state=derive_state(states, post.approval),
        variants=views,
        tag=".".join(tag),
        poll_s=_poll_s(deliveries, now),
    )


def _variant_view(variant: Variant, post: Post, events: Sequence[ReceiptEvent]) -> VariantView:
    delivery = variant.delivery
    own = variant.parts if variant.parts is not None else post.parts
    parts, settings = parts_from_json(own), variant.settings
    if delivery is not None and delivery.state != DeliveryState.CANCELLED:
        parts, settings = _frozen_parts(delivery), delivery.payload.get("settings", {})
    reason = ""
    if delivery is not None:
        if delivery.state == DeliveryState.HELD and delivery.held_reason:
            reason = str(HeldReason(delivery.held_reason).label)
        elif delivery.state not in (DeliveryState.SENT, DeliveryState.CANCELLED):
            reason = sentence(delivery.error)
    advice, detail = told(delivery.error_detail) if delivery is not None and reason else ("", "")
    return VariantView(
        variant=variant,
        account=variant.account,
        info=variant.account.info,
        delivery=delivery,
        parts=parts,
        state=delivery.state if delivery is not None else "draft",
        reason=reason,
        is_comment_missing=delivery is not None
        and delivery.state == DeliveryState.FAILED
        and only_comment_left(delivery),
        advice=advice,
        detail=detail,
        lines=_lines(events, delivery) if delivery is not None else (),
        settings=settings,
        if_late=_if_late(delivery),
    )


def _if_late(delivery: Delivery | None) -> str:
    if delivery is None or delivery.state not in (DeliveryState.SCHEDULED, DeliveryState.HELD):
        return ""
    return sentence_of(MissedRule(MissedPolicy(delivery.missed_policy), delivery.missed_after_s))


def _frozen_parts(delivery: Delivery) -> Parts:
    return parts_from_json(
        {
            "text": part["text"],
            "media": [{"asset": media["asset"], "alt": media["alt_text"]} for media in part["media"]],
            "link_card": part.get("link_card"),
            "is_comment": part.get("is_comment", False),
        }
        for part in delivery.payload.get("parts", ())
    )


def _lines(events: Sequence[ReceiptEvent], delivery: Delivery) -> tuple[Line, ...]:
    """What happened, with the due time where it belongs in the order of time."""
    due = Line(at=delivery.due_at, text=_("Due"), tone="secondary", icon="clock")
    before = [_line(event, events, delivery) for event in events if event.at < delivery.due_at]
    after = [_line(event, events, delivery) for event in events if event.at >= delivery.due_at]
    return (*before, due, *after)


def _is_after_the_post(event: ReceiptEvent, events: Sequence[ReceiptEvent], delivery: Delivery) -> bool:
    """Whether only the first comment was still to come when this happened."""
    parts = delivery.payload.get("parts", ())
    accepted = sum(one.kind == ReceiptKind.PART_ACCEPTED and one.pk < event.pk for one in events)
    return has_comment(delivery.payload) and accepted == len(parts) - 1


def _line(event: ReceiptEvent, events: Sequence[ReceiptEvent], delivery: Delivery) -> Line:
    sign = _SIGNS.get(event.kind, _Sign("secondary", icon="point"))
    detail = event.detail
    text = str(ReceiptKind(event.kind).label)
    if event.kind == ReceiptKind.PART_ACCEPTED and detail.get("parts", 1) > 1:
        text = _("Part %(part)s of %(parts)s accepted by the network") % {
            "part": detail["part"],
            "parts": detail["parts"],
        }
    elif event.kind == ReceiptKind.PART_ACCEPTED and detail.get("comment"):
        text = _("First comment accepted by the network")
    elif event.kind == ReceiptKind.ANSWERED:
        text = _("“It did appear”") if detail.get("did_appear") else _("“It did not appear”")
    elif event.kind == ReceiptKind.FAILED and _is_after_the_post(event, events, delivery):
        text = _("First comment failed; the post itself is published")
    elif event.kind == ReceiptKind.HELD and detail.get("reason") in HeldReason.values:
        text = f"{text}: {HeldReason(detail['reason']).label}"
    says = [sentence(detail.get("error", "")), *told(detail.get("detail", ""))]
    if rule := rule_of(detail.get("missed")):
        says.append(sentence_of(rule))
    if event.actor is not None:
        says.append(str(event.actor))
    moment = detail.get("due_at") or detail.get("until")
    link = delivery.permalink if event.kind == ReceiptKind.SENT else ""
    return Line(
        at=event.at,
        text=text,
        tone=sign.tone,
        icon=sign.icon,
        detail=" · ".join(one for one in says if one),
        moment=dt.datetime.fromisoformat(moment) if moment else None,
        url=link,
    )


def _poll_s(deliveries: Sequence[Delivery], now: dt.datetime) -> int:
    """2 s while something is under way; before a due time just in time for it; else never."""
    soonest = 0
    for delivery in deliveries:
        seconds = 0
        if delivery.state in (DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.PROCESSING):
            seconds = 2
        elif delivery.state == DeliveryState.SCHEDULED:
            seconds = max(2, min(300, int((delivery.next_attempt_at - now).total_seconds()) // 2))
        elif delivery.state == DeliveryState.SENT and delivery.seen_at is None:
            if delivery.sent_at is not None and now - delivery.sent_at < _READ_BACK:
                seconds = 3
        elif delivery.state == DeliveryState.HELD:
            seconds = 20
        if seconds:
            soonest = min(soonest or seconds, seconds)
    return soonest
