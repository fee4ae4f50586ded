"""Numbers of returns: in their unit, and as a band over the models of attribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django import template

from campaigns.models import AttributionModel
from campaigns.selectors.returns import Figure
from core.templatetags.ui import NOTHING, money, number, percent
from metrics.registry import Unit

register = template.Library()

WIDTH = 1000  # of a band's drawing, in its own units
_MARGIN = Decimal("0.04")  # of the scale, left and right


@register.simple_tag
def in_unit(value: Decimal | None, unit: str, currency: str = "") -> str:
    """250% · 1.60× · ¥3,000 · 12.4. Unknown is a dash, never a zero."""
    if value is None:
        return NOTHING
    if unit == Unit.PERCENT:
        return percent(value, 0).replace("-", "−")
    if unit == Unit.MULTIPLE:
        return f"{number(value, 2)}×"
    if unit == Unit.MONEY:
        return money(value, currency)
    return shares_words(value)


@register.filter
def shares_words(value: Decimal) -> str:
    """A count that is a sum of shares: 12 where it is whole, else 12.4."""
    rounded = round(value, 1)
    return number(rounded, 0 if rounded == rounded.to_integral_value() else 1)


@dataclass(frozen=True, slots=True)
class Band:
    """Places on a scale from 0 to WIDTH. ``zero`` is None where nothing lies below nought."""

    left: int
    width: int
    point: int
    marks: tuple[int, ...]
    zero: int | None


@register.simple_tag
def band(figure: Figure) -> Band | None:
    """How a figure is drawn; None where no model has a value, or the chosen one has none."""
    known = [value for _model, value in figure.values if value is not None]
    if figure.value is None or not known:
        return None
    low, high = min(*known, Decimal(0)), max(*known, Decimal(0))
    span = (high - low) or Decimal(1)

    def place(value: Decimal) -> int:
        share = _MARGIN + (value - low) / span * (1 - 2 * _MARGIN)
        return int(share * WIDTH)

    left, right = place(min(known)), place(max(known))
    return Band(
        left=left,
        width=max(right - left, 6),
        point=place(figure.value),
        marks=tuple(place(value) for value in known),
        zero=place(Decimal(0)) if low < 0 else None,
    )


@register.filter
def of_models(models: Sequence[AttributionModel], values: Sequence[Decimal]) -> list[tuple[str, Decimal]]:
    """Each value with the name of its model."""
    return [(str(model.label), value) for model, value in zip(models, values, strict=True)]
