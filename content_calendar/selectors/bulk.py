"""What changes of many posts did, and what they would do, in words and pieces that a page can show."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from accounts.models import Membership
from content_calendar.models import BulkAction, BulkChange, BulkOutcome

# Words around a place that is replaced, in characters.
_AROUND = 40


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text; ``kind`` is "same", "old" (taken out) or "new" (put in)."""

    kind: str
    text: str


def pieces(text: str, pattern: re.Pattern[str], by: str) -> tuple[Piece, ...]:
    """A text with what a replacement takes out and puts in; long stretches that stay are cut short."""
    found = []
    place = 0
    matches = list(pattern.finditer(text))
    for number, match in enumerate(matches):
        same = text[place : match.start()]
        found.append(Piece("same", _short(same, at_start=number == 0)))
        found.append(Piece("old", match.group()))
        found.append(Piece("new", by))
        place = match.end()
    tail = text[place:]
    found.append(Piece("same", tail if len(tail) <= _AROUND else tail[:_AROUND].rstrip() + "…"))
    return tuple(piece for piece in found if piece.text)


def _short(text: str, *, at_start: bool) -> str:
    if at_start:
        return text if len(text) <= _AROUND else "…" + text[-_AROUND:].lstrip()
    return text if len(text) <= 2 * _AROUND else f"{text[:_AROUND].rstrip()} … {text[-_AROUND:].lstrip()}"


def actions_of(membership: Membership) -> QuerySet[BulkAction]:
    """The latest first, each with its counts: ``done_count`` (all that were carried out) and
    ``refused_count``."""
    return (
        BulkAction.objects.for_member(membership)
        .select_related("actor", "undone_by")
        .annotate(
            done_count=Count("changes", filter=~Q(changes__outcome=BulkOutcome.REFUSED)),
            refused_count=Count("changes", filter=Q(changes__outcome=BulkOutcome.REFUSED)),
        )
        .order_by("-created_at")
    )


def changes_of(action: BulkAction) -> Sequence[BulkChange]:
    """What became of each post, refusals first. At most as many as one action may hold."""
    rows = action.changes.select_related("post__brand").defer("before")
    order = [BulkOutcome.REFUSED, BulkOutcome.LEFT, BulkOutcome.DONE, BulkOutcome.UNDONE]
    return sorted(rows, key=lambda change: (order.index(BulkOutcome(change.outcome)), change.pk))


@dataclass(frozen=True, slots=True)
class ActionShown:
    """An action as a page tells of it: ``said`` is the sentence."""

    action: BulkAction
    said: str
    can_be_undone: bool
    until: dt.datetime  # it can be taken back
