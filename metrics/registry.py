"""Every number that the product shows, as data: its name, unit, parts and version.

A definition is never changed in place. A change of meaning is a new entry with the next version, and
numbers computed under the old one keep it, so two reports can say whether they may be compared.
"""

from __future__ import annotations

from metrics.definition import DifferentDefinitions, Kind, Metric, Scope, Side, Unit, UnknownMetric
from metrics.marketing import MARKETING
from metrics.operations import OPERATIONS

__all__ = [
    "METRICS",
    "DifferentDefinitions",
    "Kind",
    "Metric",
    "Scope",
    "Side",
    "Unit",
    "UnknownMetric",
    "comparable",
    "latest",
    "metric",
]

METRICS: tuple[Metric, ...] = OPERATIONS + MARKETING

_BY_KEY = {(m.key, m.version): m for m in METRICS}
_LATEST = {m.key: m for m in sorted(METRICS, key=lambda m: m.version)}


def metric(key: str, version: int | None = None) -> Metric:
    """The definition of ``key``: the newest, or the named version. Raises UnknownMetric."""
    try:
        return _LATEST[key] if version is None else _BY_KEY[key, version]
    except KeyError:
        raise UnknownMetric(key if version is None else f"{key} v{version}") from None


def latest() -> tuple[Metric, ...]:
    """The newest version of every metric, in the order of the registry."""
    return tuple(m for m in METRICS if _LATEST[m.key] is m)


def comparable(one: Metric, other: Metric) -> Metric:
    """The definition that both numbers were made by. Raises DifferentDefinitions if there are two."""
    if one != other:
        raise DifferentDefinitions(f"{one.key} v{one.version} and {other.key} v{other.version}")
    return one
