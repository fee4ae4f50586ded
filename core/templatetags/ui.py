"""Template tags of the interface: icons, fields, times in a zone, numbers. They know no domain words."""

from __future__ import annotations

import datetime as dt
import json
import re
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

from django import forms, template
from django.forms.boundfield import BoundField
from django.templatetags.static import static
from django.utils import dateformat, timezone, translation
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from core import handles
from core.money import formatted, rounded

register = template.Library()

NOTHING = "–"
Number = int | float | Decimal

# Formats of django.utils.dateformat. Times are 24 h in both languages: a schedule must not be misread.
FORMATS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "long": "l, j F Y, H:i",
        "datetime": "j M Y, H:i",
        "short": "D j M, H:i",
        "seconds": "j M Y, H:i:s",
        "date": "j M Y",
        "day": "D j M",
        "time": "H:i",
        "clock": "H:i:s",
    },
    "ja": {
        "long": "Y年n月j日(D) H:i",
        "datetime": "Y年n月j日 H:i",
        "short": "n月j日(D) H:i",
        "seconds": "Y年n月j日 H:i:s",
        "date": "Y年n月j日",
        "day": "n月j日(D)",
        "time": "H:i",
        "clock": "H:i:s",
    },
}


class _Network(Protocol):
    """What `platform_icon` needs of a network; connectors.base.PlatformInfo has it."""

    @property
    def name(self) -> str: ...
    @property
    def color(self) -> str: ...
    @property
    def icon(self) -> str: ...


def _sprite(name: str) -> str:
    return f"{static('dist/icons.svg')}#{name}"


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """A Tabler icon of the sprite. Without a label it is decoration and hidden from screen readers.

    The build collects the names from templates, and from Python where an argument or key is
    called ``icon``.
    """
    says = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    classes = f"icon {css}".strip()
    return format_html('<svg class="{}" {}><use href="{}"/></svg>', classes, says, _sprite(name))


@register.simple_tag
def platform_icon(network: _Network, css: str = "", label: str | None = None) -> SafeString:
    """The sign of a network on its colour. ``label=""`` where its name stands beside it anyway."""
    name = network.name if label is None else label
    says = format_html('role="img" aria-label="{}"', name) if name else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="{}" viewBox="0 0 34 34" {}><rect width="34" height="34" rx="8" fill="{}"/>'
        '<use href="{}" x="5" y="5" width="24" height="24"/></svg>',
        f"network {css}".strip(),
        says,
        network.color,
        _sprite(network.icon),
    )


# --- times ------------------------------------------------------------------------------------


def format_time(value: dt.datetime, zone: str | dt.tzinfo, style: str = "datetime") -> str:
    """``value`` (aware) as wall time of ``zone`` in the current language; style: a key of FORMATS."""
    language = (translation.get_language() or "en").split("-")[0]
    formats = FORMATS.get(language, FORMATS["en"])
    local = value.astimezone(zoneinfo.ZoneInfo(zone) if isinstance(zone, str) else zone)
    return dateformat.format(local, formats[style])


@register.simple_tag
def when(
    value: dt.datetime | None,
    zone: str | dt.tzinfo | None = None,
    style: str = "datetime",
    names_zone: bool = False,
) -> SafeString | str:
    """``{% when delivery.due_at brand.timezone "short" %}``: a ``<time>`` whose title is the exact moment.
    ``names_zone``: the zone stands behind it, for lists whose rows live in several."""
    if value is None:
        return NOTHING
    zone = zone or timezone.get_current_timezone()
    return format_html(
        '<time datetime="{}" title="{} ({})">{}</time>{}',
        value.astimezone(dt.UTC).isoformat(timespec="seconds"),
        format_time(value, zone, "seconds"),
        zone,
        format_time(value, zone, style),
        format_html(' <span class="nowrap">({})</span>', zone) if names_zone else "",
    )


register.filter("at", handles.at)


@register.filter
def day(value: dt.date | None) -> str:
    """A date that belongs to no moment: the day of a flight, of a cost."""
    if value is None:
        return NOTHING
    language = (translation.get_language() or "en").split("-")[0]
    return dateformat.format(value, FORMATS.get(language, FORMATS["en"])["date"])


@register.filter
def offset(zone: str, at: dt.datetime | None = None) -> str:
    """UTC offset of an IANA zone, now or at a moment: ``UTC+9``, ``UTC−3:30``, ``UTC``."""
    seconds = int((at or timezone.now()).astimezone(zoneinfo.ZoneInfo(zone)).utcoffset().total_seconds())  # type: ignore[union-attr]
    if not seconds:
        return "UTC"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    sign = "+" if seconds > 0 else "−"
    return f"UTC{sign}{hours}:{minutes:02d}" if minutes else f"UTC{sign}{hours}"


# --- numbers ----------------------------------------------------------------------------------


def _rounded(value: Number, decimals: int) -> Decimal:
    """Django's number_format cuts digits off; people round."""
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


@register.filter
def number(value: Number | None, decimals: int | None = None) -> str:
    """Grouped as the language does; an unknown value is a dash, never a zero."""
    if value is None:
        return NOTHING
    if decimals is None and isinstance(value, float):
        decimals = 1
    if decimals is None and isinstance(value, Decimal):
        value = _without_spare_zeros(value)
    shown = value if decimals is None else _rounded(value, decimals)
    return number_format(shown, decimal_pos=decimals, use_l10n=True, force_grouping=True)


def _without_spare_zeros(value: Decimal) -> Decimal:
    """12.5 for the 12.5000 of a column that keeps four decimals; two are shown as they are."""
    exponent = value.as_tuple().exponent
    return Decimal(f"{value.normalize():f}") if isinstance(exponent, int) and exponent < -2 else value


@register.filter
def percent(share: Number | None, decimals: int = 1) -> str:
    """A share (0.123) as per cent (12.3%)."""
    if share is None:
        return NOTHING
    hundredths = _rounded(Decimal(str(share)) * 100, decimals)
    return f"{number_format(hundredths, decimal_pos=decimals, use_l10n=True, force_grouping=True)}%"


@register.filter
def money(amount: Decimal | int | None, currency: str) -> str:
    """An amount with its currency as the language writes it; an unknown one is a dash, never a zero."""
    if amount is None:
        return NOTHING
    return formatted(rounded(Decimal(amount), currency), currency, translation.get_language() or "en")


@register.filter
def signed(value: Number | None) -> str:
    """A difference with its sign: +12, −3, ±0."""
    if value is None:
        return NOTHING
    sign = "+" if value > 0 else "−" if value < 0 else "±"
    return sign + number(-value if value < 0 else value)


@register.filter
def duration(seconds: Number | None) -> str:
    """A length of time: 45 s, 12 min, 3 h 20 min, 31 h."""
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return _("%(seconds)s s") % {"seconds": int(seconds)}
    hours, minutes = divmod(int(_rounded(Decimal(str(seconds)) / 60, 0)), 60)
    if not hours:
        return _("%(minutes)s min") % {"minutes": minutes}
    if not minutes:
        return _("%(hours)s h") % {"hours": number(hours)}
    return _("%(hours)s h %(minutes)s min") % {"hours": number(hours), "minutes": minutes}


@register.filter
def initials(name: str) -> str:
    """One or two letters for a face without a picture."""
    words = [word for word in str(name).replace("@", " ").replace("_", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    first = words[0][0].upper()
    # A second letter reads well in Latin script only: 山田 太郎 is 山.
    return first + words[-1][0].upper() if len(words) > 1 and first.isascii() else first


@register.filter
def as_json(value: Any) -> str:
    """For an attribute that a script reads (the template escapes it)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")


@register.filter
def chart_rows(chart: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Number | None]]]:
    """The rows of the table behind a chart: (label, one value per series). ISO dates are printed as days."""
    columns = [series["values"] for series in chart["series"]]
    labels = (day(dt.date.fromisoformat(one)) if _ISO_DATE.match(one) else one for one in chart["labels"])
    return zip(labels, zip(*columns, strict=True), strict=True)


# --- forms ------------------------------------------------------------------------------------


@register.filter
def field_kind(field: BoundField) -> str:
    """How `_field.html` lays a field out: hidden, check, choices, or box."""
    widget = field.field.widget
    if widget.is_hidden:
        return "hidden"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "choices"
    return "box"


def _described_by(field: BoundField) -> str:
    ids = [field.field.widget.attrs.get("aria-describedby", "")]
    if field.help_text:
        ids.append(f"{field.auto_id}_helptext")
    if field.errors:
        ids.append(f"{field.auto_id}_error")
    return " ".join(one for one in ids if one)


@register.simple_tag
def render_field(field: BoundField, css: str = "", **attributes: Any) -> SafeString:
    """The widget alone, in Tabler's classes, tied to its help text and errors.

    Further attributes come as keywords, ``_`` for ``-``: ``{% render_field form.text data_autogrow=True %}``.
    """
    widget = field.field.widget
    if isinstance(widget, forms.CheckboxInput | forms.RadioSelect | forms.CheckboxSelectMultiple):
        base = "form-check-input"
    elif isinstance(widget, forms.Select):
        base = "form-select"
    else:
        base = "form-control"
    classes = [widget.attrs.get("class", ""), base, css, "is-invalid" if field.errors else ""]
    attrs: dict[str, Any] = {"class": " ".join(one for one in classes if one)}
    if described_by := _described_by(field):
        attrs["aria-describedby"] = described_by
    if field.errors:
        attrs["aria-invalid"] = "true"
    if getattr(widget, "input_type", "") in {"email", "password"} and "placeholder" in widget.attrs:
        attrs["placeholder"] = ""  # allauth's, which only say the label a second time
    if isinstance(widget, forms.Textarea) and "rows" not in widget.attrs:
        attrs["rows"] = 4
    attrs |= {name.replace("_", "-"): value for name, value in attributes.items()}
    return field.as_widget(attrs=attrs)


@register.simple_tag
def render_choices(field: BoundField) -> SafeString:
    """Radio buttons or check boxes, one under the other, each with its label."""
    rows = []
    for choice in field.subwidgets:
        attrs = dict(choice.data["attrs"]) | {"class": "form-check-input"}
        if field.errors:
            attrs["aria-invalid"] = "true"
        choice.data["attrs"] = attrs
        rows.append((choice.id_for_label, choice.tag(wrap_label=False), choice.choice_label))
    return format_html_join(
        "", '<div class="form-check">{1}<label class="form-check-label" for="{0}">{2}</label></div>', rows
    )
