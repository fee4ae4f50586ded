"""What Today shows, gathered from every app."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import F, Q, QuerySet, Sum
from django.urls import NoReverseMatch, reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import AccountStatus, Brand, Membership, SocialAccount
from accounts.permissions import Action, is_allowed
from accounts.selectors import WARN_DAYS
from analytics.models import AccountDay, GoalStatus, PostMetrics
from analytics.selectors.goals import off_pace
from connectors.base import PlatformInfo
from content_calendar.models import ReviewStep
from content_calendar.selectors.approval import sent_back, waiting
from content_calendar.selectors.preflight import count_failing
from core.templatetags.ui import number
from core.time import day_range, to_local
from engagement.selectors import needs as inbox
from outbox import selectors as outbox
from outbox.errors import SENTENCES
from outbox.handlers import page_of
from outbox.models import Delivery, DeliveryKind, DeliveryState, Pause
from outbox.payloads import words_of

SHOWN = 20  # rows of each list; the rest is counted and linked
SHOWN_WAITING = 5  # of the people who wait
SHOWN_REVIEWS = 5  # of the posts that wait for an approval


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that waits for a person."""

    tone: str
    icon: str
    title: str
    text: str
    url: str
    action: str
    at: dt.datetime | None = None
    zone: str = "UTC"
    network: PlatformInfo | None = None


@dataclass(slots=True)
class Going:
    """One post that goes out today, on one or several accounts."""

    title: str
    url: str
    due_at: dt.datetime
    zone: str
    brand: str
    state: str
    networks: list[PlatformInfo] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Yesterday:
    """Three numbers of one date; None where nothing was counted."""

    date: dt.date
    published: int
    followers_gained: int | None
    reactions: int | None


def zone_of(membership: Membership, brand: Brand | None) -> str:
    """The zone in which a member's day begins: the brand's; for all brands, that of the first by name."""
    brand = brand or Brand.objects.for_member(membership).order_by("name").first()
    return brand.timezone if brand else "UTC"


def post_url(delivery: Delivery) -> str:
    variant = getattr(delivery, "variant", None)
    if variant is None:
        return ""
    try:
        return reverse("content_calendar:post", args=[variant.post_id])
    except NoReverseMatch:
        return ""


def _of_brand(rows: QuerySet[Delivery], brand: Brand | None) -> QuerySet[Delivery]:
    return rows.filter(brand=brand) if brand else rows


# --- what needs me ----------------------------------------------------------------------------

_STOPPED: dict[str, tuple[str, str]] = {
    DeliveryState.FAILED: ("red", "alert-circle"),
    DeliveryState.UNCERTAIN: ("yellow", "help-circle"),
    DeliveryState.MISSED: ("orange", "clock-off"),
    DeliveryState.HELD: ("purple", "player-pause"),
}


def needs_now(membership: Membership, brand: Brand | None, now: dt.datetime) -> list[Need]:
    """Pauses, accounts that are lost or end soon, people who wait for an answer, answers and posts that
    stopped, posts to approve or to change, goals off pace; the most urgent first."""
    return [
        *_pauses(membership, brand),
        *_undecided(membership, brand),
        *_preflight(membership, brand),
        *_accounts(membership, brand, now),
        *_waiting(membership, brand, now),
        *_approvals(membership, brand),
        *_answers(membership, brand),
        *_deliveries(membership, brand),
        *_goals(membership, brand, now),
    ]


def _pauses(membership: Membership, brand: Brand | None) -> Iterable[Need]:
    rows = Pause.objects.for_member(membership).open().select_related("brand", "account", "organization")
    if brand:
        rows = rows.filter(Q(brand=None, account=None) | Q(brand=brand) | Q(account__brand=brand))
    may_resume = is_allowed(membership.role, Action.PAUSE)
    for pause in rows[:SHOWN]:
        what = str(pause.account or pause.brand or pause.organization)
        yield Need(
            tone="orange",
            icon="player-pause",
            title=_("Sending is paused for %(what)s") % {"what": what},
            text=pause.reason,
            url=_url("outbox:resume", pause.pk) if may_resume else _url("outbox:sending"),
            action=_("Resume") if may_resume else _("Open"),
            at=pause.started_at,
            zone=brand.timezone if brand else "UTC",
        )


def _undecided(membership: Membership, brand: Brand | None) -> Iterable[Need]:
    """Posts that fell due during a pause, in one line: there may be thousands."""
    count = outbox.undecided(membership, brand).count()
    if count:
        yield Need(
            tone="orange",
            icon="hourglass",
            title=ngettext(
                "%(count)s post that fell due during a pause waits for a decision",
                "%(count)s posts that fell due during a pause wait for a decision",
                count,
            )
            % {"count": count},
            text=_("They stay held until somebody says what becomes of them."),
            url=_url("outbox:overdue") + (f"?brand={brand.pk}" if brand else ""),
            action=_("Decide"),
        )


def _preflight(membership: Membership, brand: Brand | None) -> Iterable[Need]:
    """What the last check of the coming days found, in one line."""
    if not is_allowed(membership.role, Action.DRAFT_POSTS):
        return
    failing = count_failing(membership, brand)
    if failing:
        yield Need(
            tone="red",
            icon="clipboard-x",
            title=ngettext(
                "%(count)s post of the coming days will fail",
                "%(count)s posts of the coming days will fail",
                failing,
            )
            % {"count": failing},
            text=_("The pre-flight check says why, and what helps."),
            url=_url("content_calendar:preflight"),
            action=_("Look why"),
        )


def _accounts(membership: Membership, brand: Brand | None, now: dt.datetime) -> Iterable[Need]:
    accounts = SocialAccount.objects.for_member(membership).select_related("brand").distinct()
    if brand:
        accounts = accounts.for_brand(brand)
    for account in accounts.filter(status=AccountStatus.NEEDS_RECONNECT).order_by("handle")[:SHOWN]:
        yield Need(
            tone="red",
            icon="plug-x",
            title=_("%(account)s must be reconnected") % {"account": account},
            text=_("Its posts wait until then."),
            url=_url("accounts:account_detail", account.pk),
            action=_("Reconnect"),
            network=account.info,
        )
    soon = accounts.filter(
        status=AccountStatus.ACTIVE, connection_expires_at__lt=now + dt.timedelta(days=WARN_DAYS)
    )
    for account in soon.order_by("connection_expires_at")[:SHOWN]:
        days = max(((account.connection_expires_at or now) - now).days, 0)
        yield Need(
            tone="orange",
            icon="clock-exclamation",
            title=ngettext(
                "The connection to %(account)s ends in %(days)s day",
                "The connection to %(account)s ends in %(days)s days",
                days,
            )
            % {"account": account, "days": days},
            text=_("Reconnect it before then, and nothing is interrupted."),
            url=_url("accounts:account_detail", account.pk),
            action=_("Reconnect"),
            network=account.info,
        )


def _deliveries(membership: Membership, brand: Brand | None) -> Iterable[Need]:
    rows = _of_brand(outbox.needs_person(membership), brand).select_related("variant__post")[:SHOWN]
    for delivery in rows:
        tone, icon = _STOPPED[delivery.state]
        reason = str(SENTENCES.get(delivery.error, "")) or delivery.get_held_reason_display()
        if delivery.state == DeliveryState.UNCERTAIN:
            reason, action = _("It is not known whether it appeared. Look there and answer."), _("Answer")
        elif delivery.state == DeliveryState.MISSED:
            reason, action = reason or _("It was not published in time."), _("Decide")
        else:
            action = _("Open post")
        yield Need(
            tone=tone,
            icon=icon,
            title=_title(delivery),
            text=f"{delivery.account} · {reason}" if reason else str(delivery.account),
            url=post_url(delivery),
            action=action,
            at=delivery.due_at,
            zone=delivery.brand.timezone,
            network=delivery.account.info,
        )


def _waiting(membership: Membership, brand: Brand | None, now: dt.datetime) -> Iterable[Need]:
    """Whoever waits too long or soon will: those of this member, then nobody's, then those of colleagues."""
    if not is_allowed(membership.role, Action.ANSWER):
        return
    late = inbox.urgent(membership, brand, now=now, most=SHOWN_WAITING)
    for row in late.rows:
        is_late = row.due_at is not None and row.due_at <= now
        name = {"person": row.identity or _("Somebody")}
        whose = [str(row.account), Truncator(row.preview).chars(100)]
        if row.assignee_id is not None and row.assignee_id != membership.user_id:
            whose.insert(0, _("%(person)s is responsible") % {"person": row.assignee})
        yield Need(
            tone="red" if is_late else "orange",
            icon="clock-exclamation" if is_late else "clock",
            title=(_("%(person)s waits too long for an answer") if is_late else _("%(person)s waits")) % name,
            text=" · ".join(one for one in whose if one),
            url=_url("engagement:conversation", row.pk),
            action=_("Reply"),
            at=row.due_at,
            zone=row.brand.timezone,
            network=row.account.info,
        )
    if more := late.total - len(late.rows):
        yield Need(
            tone="orange",
            icon="inbox",
            title=ngettext(
                "%(count)s more person waits or soon will wait too long",
                "%(count)s more people wait or soon will wait too long",
                more,
            )
            % {"count": more},
            text=ngettext("%(count)s answer is overdue.", "%(count)s answers are overdue.", late.overdue)
            % {"count": late.overdue},
            url=f"{_url('engagement:inbox')}?order=due",
            action=_("Open inbox"),
        )


def _approvals(membership: Membership, brand: Brand | None) -> Iterable[Need]:
    """Posts that wait for those who may approve, and those that came back to who wrote them."""
    if is_allowed(membership.role, Action.APPROVE_POSTS):
        rows = waiting(membership, brand)
        found = list(rows[: SHOWN_REVIEWS + 1])
        for review in found[:SHOWN_REVIEWS]:
            is_client = review.step == ReviewStep.CLIENT
            asked = _("asked by %(person)s") % {"person": review.asked_by} if review.asked_by else ""
            yield Need(
                tone="purple",
                icon="user-check" if is_client else "eye-check",
                title=(
                    _("A post waits for the client: %(words)s")
                    if is_client
                    else _("A post waits for your approval: %(words)s")
                )
                % {"words": review.post.excerpt or _("A post without words")},
                text=" · ".join(one for one in (review.post.brand.name, asked) if one),
                url=_url("content_calendar:post", review.post_id) + "#approval",
                action=_("Open") if is_client else _("Decide"),
                at=review.post.planned_at,
                zone=review.post.brand.timezone,
            )
        if len(found) > SHOWN_REVIEWS:  # counted only then
            more = rows.count() - SHOWN_REVIEWS
            yield Need(
                tone="purple",
                icon="eye-check",
                title=ngettext(
                    "%(count)s more post waits for an approval",
                    "%(count)s more posts wait for an approval",
                    more,
                )
                % {"count": more},
                text="",
                url=_url("content_calendar:approvals"),
                action=_("Open list"),
            )
    for post in sent_back(membership, brand)[:SHOWN_REVIEWS]:
        yield Need(
            tone="orange",
            icon="message-2",
            title=_("Changes are asked for: %(words)s")
            % {"words": post.excerpt or _("A post without words")},
            text=post.brand.name,
            url=_url("content_calendar:post", post.pk) + "#comments",
            action=_("Read"),
            at=post.planned_at,
            zone=post.brand.timezone,
        )


def _answers(membership: Membership, brand: Brand | None) -> Iterable[Need]:
    """Answers and messages that were not sent, or perhaps were."""
    if not is_allowed(membership.role, Action.ANSWER):
        return
    kinds = (DeliveryKind.REPLY, DeliveryKind.DM)
    for delivery in _of_brand(outbox.needs_person(membership, kinds), brand)[:SHOWN]:
        tone, icon = _STOPPED[delivery.state]
        reason = str(SENTENCES.get(delivery.error, "")) or delivery.get_held_reason_display()
        is_uncertain = delivery.state == DeliveryState.UNCERTAIN
        if is_uncertain:
            reason = _("It is not known whether it appeared. Look there and answer.")
        words = Truncator(words_of(delivery.payload)).chars(80)
        yield Need(
            tone=tone,
            icon=icon,
            title=_("An answer was not sent: %(words)s") % {"words": words}
            if not is_uncertain
            else _("Was this answer sent? %(words)s") % {"words": words},
            text=f"{delivery.account} · {reason}" if reason else str(delivery.account),
            url=page_of(delivery),
            action=_("Open conversation"),
            at=delivery.due_at,
            zone=delivery.brand.timezone,
            network=delivery.account.info,
        )


def _goals(membership: Membership, brand: Brand | None, now: dt.datetime) -> Iterable[Need]:
    """Goals off track one by one, those at risk in one line."""
    today = to_local(now, zone_of(membership, brand)).date()
    found = off_pace(membership, brand, today=today)
    for goal, checkin in [pair for pair in found if pair[1].status == GoalStatus.OFF_TRACK][:SHOWN]:
        left = max((goal.ends_on - today).days, 0)
        yield Need(
            tone="red",
            icon="trending-down",
            title=_("The goal “%(goal)s” is off track") % {"goal": goal},
            text=ngettext("Pace %(pace)s, %(days)s day left", "Pace %(pace)s, %(days)s days left", left)
            % {"pace": number(checkin.pace, 2), "days": left},
            url=_url("analytics:goal", goal.pk),
            action=_("Open goal"),
        )
    at_risk = [goal for goal, checkin in found if checkin.status == GoalStatus.AT_RISK]
    if at_risk:
        yield Need(
            tone="orange",
            icon="alert-triangle",
            title=ngettext("%(count)s goal is at risk", "%(count)s goals are at risk", len(at_risk))
            % {"count": len(at_risk)},
            text=" · ".join(goal.name for goal in at_risk[:SHOWN_WAITING]),
            url=_url("analytics:together"),
            action=_("Open goals"),
        )


def _title(delivery: Delivery) -> str:
    variant = getattr(delivery, "variant", None)
    return (variant.post.excerpt if variant else "") or _("A post without words")


def _url(name: str, *args: object) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


# --- today and yesterday ----------------------------------------------------------------------


def goes_out(membership: Membership, brand: Brand | None, now: dt.datetime) -> list[Going]:
    """The posts due today in the member's zone, one row per post and time."""
    zone = zone_of(membership, brand)
    today = day_range(to_local(now, zone).date(), zone)
    rows = _of_brand(outbox.due_between(membership, today.start, today.end), brand)
    found: dict[tuple[object, dt.datetime], Going] = {}
    for delivery in rows.select_related("variant__post")[: SHOWN * 5]:
        variant = getattr(delivery, "variant", None)
        key = (variant.post_id if variant else delivery.pk, delivery.due_at)
        going = found.get(key)
        if going is None:
            going = found[key] = Going(
                title=_title(delivery),
                url=post_url(delivery),
                due_at=delivery.due_at,
                zone=delivery.brand.timezone,
                brand=delivery.brand.name,
                state=delivery.state,
            )
        elif going.state != delivery.state:
            # Of two states the row shows the one that is further from its aim.
            going.state = min(DeliveryState(going.state), DeliveryState(delivery.state), key=_URGENCY.index)
        going.networks.append(delivery.account.info)
    return list(found.values())[:SHOWN]


_URGENCY = [
    DeliveryState.UNCERTAIN,
    DeliveryState.FAILED,
    DeliveryState.MISSED,
    DeliveryState.HELD,
    DeliveryState.SENDING,
    DeliveryState.PROCESSING,
    DeliveryState.CLAIMED,
    DeliveryState.SCHEDULED,
    DeliveryState.SENT,
    DeliveryState.CANCELLED,
]


def yesterday(membership: Membership, brand: Brand | None, now: dt.datetime) -> Yesterday:
    """Published posts, followers gained, and reactions so far to what was published then."""
    zone = zone_of(membership, brand)
    date = to_local(now, zone).date() - dt.timedelta(days=1)
    day = day_range(date, zone)
    sent = _of_brand(Delivery.objects.for_member(membership).posts(), brand).filter(
        state=DeliveryState.SENT, sent_at__gte=day.start, sent_at__lt=day.end
    )
    counts = PostMetrics.objects.filter(delivery__in=sent.values("pk")).aggregate(
        likes=Sum("likes"), comments=Sum("comments"), shares=Sum("shares")
    )
    known = [value for value in counts.values() if value is not None]
    return Yesterday(
        date=date,
        published=sent.count(),
        followers_gained=_followers_gained(membership, brand, date),
        reactions=sum(known) if known else None,
    )


def _followers_gained(membership: Membership, brand: Brand | None, date: dt.date) -> int | None:
    """Over the accounts counted on both days: a newly connected account is no gain."""
    rows = AccountDay.objects.for_member(membership).filter(
        date=date, followers__isnull=False, account__days__date=date - dt.timedelta(days=1)
    )
    if brand:
        rows = rows.filter(account__brand=brand)
    gained: int | None = rows.aggregate(gained=Sum(F("followers") - F("account__days__followers")))["gained"]
    return gained
