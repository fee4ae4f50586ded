"""Which touch gets how much of a conversion: five models, side by side, none of them the truth.

They share out what came *before* a conversion. None says what *caused* it.
Definitions: docs/metrics.md. Position is 40 % first, 40 % last, 20 % between; time decay halves the weight
of a touch with every ``half_life_days`` that lie between it and the conversion.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Sequence
from decimal import ROUND_FLOOR, Decimal

DECIMALS = 12
_UNIT = Decimal(1).scaleb(-DECIMALS)
_DAY = Decimal(24 * 3600)
_END = Decimal("0.4")  # of position, for the first and the last touch each
_MIDDLE = Decimal("0.2")  # for all touches between them together

HALF_LIFE_DAYS = Decimal(7)


class Model(enum.StrEnum):
    LAST = "last"
    FIRST = "first"
    LINEAR = "linear"
    POSITION = "position"
    TIME_DECAY = "time_decay"


def shares(
    model: str,
    touches: Sequence[dt.datetime],
    happened_at: dt.datetime,
    *,
    half_life_days: Decimal = HALF_LIFE_DAYS,
) -> tuple[Decimal, ...]:
    """The share of each touch, in the order of ``touches``, with 12 decimals; they sum to exactly 1.

    ``touches``: one or more instants, oldest first, none after ``happened_at``. Raises ValueError for
    others, for an unknown model, and for a half-life that is not positive.
    """
    if not touches:
        raise ValueError("there is no touch to give credit to")
    if half_life_days <= 0:
        raise ValueError("a half-life is longer than nothing")
    if any(later < earlier for earlier, later in zip(touches, [*touches[1:], happened_at], strict=True)):
        raise ValueError("touches are given oldest first and before the conversion")
    ages = [_days(happened_at - touch) for touch in touches]
    return _rounded_to_one(_WEIGHTS[Model(model)](ages, half_life_days))


def _days(length: dt.timedelta) -> Decimal:
    return (Decimal(length.days) * _DAY + length.seconds + Decimal(length.microseconds).scaleb(-6)) / _DAY


# --- weights: any positive scale, oldest first -------------------------------------------------

Weights = list[Decimal]


def _last(ages: Weights, _half_life: Decimal) -> Weights:
    return [Decimal(0)] * (len(ages) - 1) + [Decimal(1)]


def _first(ages: Weights, _half_life: Decimal) -> Weights:
    return [Decimal(1)] + [Decimal(0)] * (len(ages) - 1)


def _linear(ages: Weights, _half_life: Decimal) -> Weights:
    return [Decimal(1)] * len(ages)


def _position(ages: Weights, _half_life: Decimal) -> Weights:
    if len(ages) < 3:  # nothing lies between: both ends are alike
        return [Decimal(1)] * len(ages)
    between = len(ages) - 2
    return [_END, *([_MIDDLE / between] * between), _END]


def _time_decay(ages: Weights, half_life: Decimal) -> Weights:
    # Relative to the newest touch, so that a conversion long after all of them still shares out.
    newest = ages[-1]
    return [Decimal(2) ** ((newest - age) / half_life) for age in ages]


_WEIGHTS: dict[Model, Callable[[Weights, Decimal], Weights]] = {
    Model.LAST: _last,
    Model.FIRST: _first,
    Model.LINEAR: _linear,
    Model.POSITION: _position,
    Model.TIME_DECAY: _time_decay,
}


def _rounded_to_one(weights: Weights) -> tuple[Decimal, ...]:
    """Shares of 12 decimals that sum to exactly 1: each rounded down, and what is left over goes unit by
    unit to those that lost most (largest remainder; the older one where two lost alike)."""
    whole = sum(weights, Decimal(0))
    exact = [weight / whole for weight in weights]
    rounded = [share.quantize(_UNIT, rounding=ROUND_FLOOR) for share in exact]
    left = int((1 - sum(rounded, Decimal(0))) / _UNIT)
    lost = sorted(range(len(exact)), key=lambda n: rounded[n] - exact[n])
    for n in lost[:left]:
        rounded[n] += _UNIT
    return tuple(rounded)
