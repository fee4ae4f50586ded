"""A person's timeline in sentences of the reader's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from audience.models import Activity, ActivityKind, Contact, Purpose
from audience.selectors.contacts import place_of
from core.templatetags.ui import money


@dataclass(frozen=True, slots=True)
class Line:
    """One activity as a page shows it. ``path`` is the page of ours that shows more, "" for none."""

    at: dt.datetime
    kind: ActivityKind
    text: str
    quote: str
    icon: str
    tone: str
    path: str


@dataclass(frozen=True, slots=True)
class _Look:
    icon: str
    tone: str


_LOOKS: Mapping[ActivityKind, _Look] = {
    ActivityKind.COMMENT: _Look(icon="message-circle", tone="blue"),
    ActivityKind.MENTION: _Look(icon="at", tone="blue"),
    ActivityKind.MESSAGE: _Look(icon="mail", tone="blue"),
    ActivityKind.REVIEW: _Look(icon="star", tone="blue"),
    ActivityKind.ANSWERED: _Look(icon="arrow-back-up", tone="azure"),
    ActivityKind.CLICK: _Look(icon="click", tone="purple"),
    ActivityKind.LEAD: _Look(icon="star", tone="orange"),
    ActivityKind.SALE: _Look(icon="shopping-bag", tone="green"),
    ActivityKind.REFUND: _Look(icon="receipt-refund", tone="red"),
    ActivityKind.CONSENT: _Look(icon="shield-check", tone="indigo"),
    ActivityKind.MERGED: _Look(icon="arrows-join-2", tone="secondary"),
    ActivityKind.CHANGED: _Look(icon="pencil", tone="secondary"),
}

FIELD_WORDS: Mapping[str, Promise] = {
    "name": gettext_lazy("name"),
    "email": gettext_lazy("e-mail address"),
    "phone": gettext_lazy("phone"),
    "notes": gettext_lazy("notes"),
    "stage": gettext_lazy("stage"),
}


def activities_of(contact: Contact) -> QuerySet[Activity]:
    """Everything that its identities did, the latest first."""
    ids = list(contact.identities.values_list("pk", flat=True))
    return (
        Activity.objects.filter(identity__in=ids)
        .select_related("identity")
        .defer("identity__search_text", "identity__search_grams")
        .order_by("-at", "-pk")
    )


def line_of(activity: Activity) -> Line:
    """``activity`` has its identity."""
    kind = ActivityKind(activity.kind)
    look = _LOOKS[kind]
    return Line(
        at=activity.at,
        kind=kind,
        text=_SENTENCES[kind](activity),
        quote=activity.summary,
        icon=look.icon,
        tone=look.tone,
        path=activity.path,
    )


# --- sentences --------------------------------------------------------------------------------


def _network(activity: Activity) -> str:
    """Where it happened; "" where that is no network."""
    place = place_of(activity.detail.get("platform") or activity.identity.platform)
    return place.name if place.network else ""


def _comment(activity: Activity) -> str:
    network = _network(activity)
    return _("Commented on %(network)s") % {"network": network} if network else _("Commented")


def _mention(activity: Activity) -> str:
    network = _network(activity)
    if network:
        return _("Mentioned the brand on %(network)s") % {"network": network}
    return _("Mentioned the brand")


def _message(activity: Activity) -> str:
    network = _network(activity)
    if network:
        return _("Wrote a direct message on %(network)s") % {"network": network}
    return _("Wrote a direct message")


def _review(activity: Activity) -> str:
    network = _network(activity)
    return _("Wrote a review on %(network)s") % {"network": network} if network else _("Wrote a review")


def _answered(activity: Activity) -> str:
    network = _network(activity)
    return _("Got an answer on %(network)s") % {"network": network} if network else _("Got an answer")


def _click(activity: Activity) -> str:
    network = _network(activity)
    return _("Clicked a link on %(network)s") % {"network": network} if network else _("Clicked a link")


def _amount(activity: Activity) -> str:
    """As the language writes it; "" where none, or nothing that is one, was told."""
    detail: Mapping[str, Any] = activity.detail
    if not detail.get("amount") or not detail.get("currency"):
        return ""
    try:
        amount = Decimal(str(detail["amount"]))
    except InvalidOperation:
        return ""
    return money(amount, str(detail["currency"])) if amount else ""


def _lead(activity: Activity) -> str:
    amount = _amount(activity)
    return _("Became a lead, worth %(amount)s") % {"amount": amount} if amount else _("Became a lead")


def _sale(activity: Activity) -> str:
    amount = _amount(activity)
    return _("Bought for %(amount)s") % {"amount": amount} if amount else _("Bought something")


def _refund(activity: Activity) -> str:
    amount = _amount(activity)
    return _("Got %(amount)s back") % {"amount": amount} if amount else _("Got money back")


def _consent(activity: Activity) -> str:
    purpose = activity.detail.get("purpose", "")
    words = {"purpose": Purpose(purpose).label if purpose in Purpose.values else purpose}
    if activity.detail.get("is_granted"):
        return _("Agreed: %(purpose)s") % words
    return _("Withdrew consent: %(purpose)s") % words


def _merged(activity: Activity) -> str:
    if activity.detail.get("undone"):
        return _("A merge was undone")
    return _("Merged with another contact")


def _changed(activity: Activity) -> str:
    fields = [str(FIELD_WORDS[name]) for name in activity.detail.get("fields", ()) if name in FIELD_WORDS]
    if not fields:
        return _("Facts changed")
    return _("Facts changed: %(fields)s") % {
        "fields": pgettext("between the words of a list", ", ").join(fields)
    }


_SENTENCES: Mapping[ActivityKind, Callable[[Activity], str]] = {
    ActivityKind.COMMENT: _comment,
    ActivityKind.MENTION: _mention,
    ActivityKind.MESSAGE: _message,
    ActivityKind.REVIEW: _review,
    ActivityKind.ANSWERED: _answered,
    ActivityKind.CLICK: _click,
    ActivityKind.LEAD: _lead,
    ActivityKind.SALE: _sale,
    ActivityKind.REFUND: _refund,
    ActivityKind.CONSENT: _consent,
    ActivityKind.MERGED: _merged,
    ActivityKind.CHANGED: _changed,
}
