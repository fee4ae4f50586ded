"""Who waits for an answer, for Today and for the number in the navigation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Case, Value, When

from accounts.models import Brand, Membership
from engagement.models import Conversation

# An answer that is due within this time is shown as about to be late.
SOON = dt.timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Urgent:
    """Conversations that are late or soon will be: those of the member first, then nobody's, then those of
    colleagues, the most urgent first. ``total`` counts all of them, ``overdue`` those that are late."""

    rows: tuple[Conversation, ...]
    total: int
    overdue: int


def urgent(membership: Membership, brand: Brand | None, *, now: dt.datetime, most: int) -> Urgent:
    """Two queries; ``most`` rows at most."""
    late = Conversation.objects.for_member(membership).waiting().filter(due_at__lte=now + SOON)
    if brand:
        late = late.filter(brand=brand)
    dues = list(late.values_list("due_at", flat=True))
    order = Case(
        When(assignee=membership.user_id, then=Value(0)), When(assignee=None, then=Value(1)), default=Value(2)
    )
    rows = (
        late.select_related("identity", "account", "brand", "assignee").order_by(order, "due_at")[:most]
        if dues
        else ()
    )
    return Urgent(tuple(rows), len(dues), sum(due is not None and due <= now for due in dues))


def count_waiting(membership: Membership, brand: Brand | None) -> int:
    """How many people wait for an answer."""
    rows = Conversation.objects.for_member(membership).waiting()
    return (rows.filter(brand=brand) if brand else rows).count()
