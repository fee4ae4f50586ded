"""Numbers of the registry on a page: in their unit, and with the way to their passport."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.metric_wording import metric_label
from analytics.selectors.figures import Figure
from analytics.selectors.measures import Measured
from analytics.selectors.subjects import Period, Subject
from core.templatetags.ui import NOTHING, money, number, percent
from metrics.registry import Metric, Unit, metric

register = template.Library()

# A share below this is shown with two decimals, as small rates need them.
SMALL = Decimal("0.1")


@register.simple_tag
def shown(value: Decimal | int | None, of: Metric | Unit | str, currency: str = "") -> str:
    """A value in its unit: 1,234 · 3.45% · 2.5 · ¥3,000 · 3 h 20 min · 1.60×. ``of``: the metric, its key or
    its unit. Unknown is a dash, never a zero."""
    if value is None:
        return NOTHING
    if value < 0:
        return f"−{shown(-value, of, currency)}"
    unit = of if isinstance(of, Unit) else of.unit if isinstance(of, Metric) else metric(of).unit
    amount = Decimal(value)
    if unit is Unit.PERCENT:
        return percent(amount, 2 if abs(amount) < SMALL else 1)
    if unit is Unit.MONEY:
        return money(amount, currency) if currency else NOTHING
    if unit is Unit.DURATION:
        return duration(amount)
    if unit is Unit.MULTIPLE:
        return f"{number(amount, 2)}×"
    if unit is Unit.PER_WEEK:
        return number(amount, 1)
    return number(amount, 0 if amount == amount.to_integral_value() or abs(amount) >= 100 else 1)


@register.filter
def duration(seconds: Decimal | int | None) -> str:
    """Business time or clock time: 45 s, 12 min, 3 h 20 min, 31 h."""
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return _("%(seconds)s s") % {"seconds": int(seconds)}
    minutes = int((Decimal(seconds) / 60).to_integral_value())
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(minutes)s min") % {"minutes": rest}
    if not rest:
        return _("%(hours)s h") % {"hours": number(hours)}
    return _("%(hours)s h %(minutes)s min") % {"hours": number(hours), "minutes": rest}


@register.simple_tag
def passport_url(key: str, subject: Subject, period: Period, since: dt.date | None = None) -> str:
    """Where a number's passport is."""
    return _address("analytics:passport", key, subject, period, since)


@register.simple_tag
def rows_url(key: str, subject: Subject, period: Period, source: str) -> str:
    """Where the rows behind a number are, as CSV."""
    return _address("analytics:rows", key, subject, period, None, source=source)


def _address(
    name: str, key: str, subject: Subject, period: Period, since: dt.date | None, **more: str
) -> str:
    scope, pk = scope_of(subject)
    query = {"from": period.first.isoformat(), "to": period.last.isoformat()} | more
    if subject.platform:
        query["network"] = subject.platform
    if since is not None:
        query["since"] = since.isoformat()
    return f"{reverse(name, args=[key, scope, pk])}?{urlencode(query)}"


def scope_of(subject: Subject) -> tuple[str, Any]:
    """A subject as addresses name it; a network stands in the query."""
    if subject.delivery is not None:
        return "delivery", subject.delivery.pk
    if subject.account is not None:
        return "account", subject.account.pk
    if subject.campaign is not None:
        return "campaign", subject.campaign.pk
    if len(subject.brands) == 1:
        return "brand", subject.brands[0].pk
    return "organization", subject.brands[0].organization_id


@register.simple_tag
def number_link(
    number_shown: Figure | Measured,
    subject: Subject | None,
    period: Period,
    currency: str = "",
    *,
    css: str = "",
    since: dt.date | None = None,
    is_page: bool = False,
) -> SafeString | str:
    """A number that opens its passport in the page's ``#passport``, or with ``is_page`` as a page of its own;
    without a subject the number alone. ``since``: as ``measure`` has ``counted_since``."""
    words = shown(number_shown.value, number_shown.metric, currency)
    if subject is None or not subject.brands:
        return words
    address = passport_url(number_shown.metric.key, subject, period, since)
    swap = format_html(' hx-get="{}" hx-target="#passport" hx-swap="innerHTML"', address)
    return format_html(
        '<a class="{}" href="{}"{} aria-label="{}">{}</a>',
        f"number-link {css}".strip(),
        address,
        "" if is_page else swap,
        _("%(metric)s: %(value)s. How it was made")
        % {"metric": metric_label(number_shown.metric), "value": words},
        words,
    )


@register.filter
def change_words(figure: Figure) -> str:
    """The change against the period before: +12%, −0.3 points; "" where it cannot be told."""
    if figure.change is None:
        return ""
    size = abs(figure.change)
    sign = "±" if not figure.has_changed else "+" if figure.change > 0 else "−"
    if figure.is_share:
        return _("%(sign)s%(points)s points") % {"sign": sign, "points": number(size * 100, 1)}
    return f"{sign}{percent(size, 0 if size >= SMALL else 1)}"
