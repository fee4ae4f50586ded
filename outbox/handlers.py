"""The one allowed inversion: what an app above knows of a delivery and outbox does not.

An app registers, per kind of delivery and in its ``AppConfig.ready()``, what must be checked again at the
moment of sending, and which page shows the delivery to people. docs/architecture.md lists them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from outbox.errors import StopReason
from outbox.models import Delivery, DeliveryKind

# Returns "" when the delivery may go, else the error code (outbox.errors) that it fails with, or waits with
# (``WAITS``): then it is asked again until it is too late for the delivery's own rule.
Check = Callable[[Delivery, dt.datetime], str]
# The path of the page that shows it, "" if there is none (any more).
Page = Callable[[Delivery], str]

# Codes of what passes by itself.
WAITS = frozenset({StopReason.MEDIA_PREPARING})

_checks: dict[str, Check] = {}
_pages: dict[str, Page] = {}


def register(kind: DeliveryKind, check: Check, page: Page | None = None) -> None:
    _checks[kind] = check
    if page is not None:
        _pages[kind] = page


def refusal(delivery: Delivery, now: dt.datetime) -> str:
    """The objection to sending ``delivery`` at ``now``, "" if there is none."""
    check = _checks.get(delivery.kind)
    return check(delivery, now) if check else ""


def page_of(delivery: Delivery) -> str:
    page = _pages.get(delivery.kind)
    return page(delivery) if page else ""
