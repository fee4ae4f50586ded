"""How people rate a brand: in stars, or by recommending it or not (connectors.base.InboxItem.detail)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from engagement.models import Conversation, ConversationKind, Direction, Message

MOST_STARS = 5


@dataclass(frozen=True, slots=True)
class Rating:
    """``stars`` of five, or 0 where somebody only recommends it or not."""

    stars: int
    is_good: bool

    @property
    def words(self) -> str:
        if self.stars:
            return _("%(n)s of 5 stars") % {"n": self.stars}
        return _("Recommends") if self.is_good else _("Does not recommend")

    @property
    def drawn(self) -> str:
        """The stars, filled ones first."""
        return "★" * self.stars + "☆" * (MOST_STARS - self.stars) if self.stars else ""


def rating_of(detail: Mapping[str, Any]) -> Rating | None:
    """None where nothing is rated, or in a way that is not known here."""
    match detail.get("rating"):
        case bool():
            return None
        case int(stars) if 1 <= stars <= MOST_STARS:
            return Rating(stars, is_good=stars > MOST_STARS // 2)
        case "recommends":
            return Rating(0, is_good=True)
        case "does not recommend":
            return Rating(0, is_good=False)
    return None


def ratings_of(conversations: Collection[Conversation]) -> dict[UUID, Rating]:
    """The newest rating of each review among them; one query, and none where there is no review."""
    reviews = [row.pk for row in conversations if row.kind == ConversationKind.REVIEW]
    if not reviews:
        return {}
    rows = Message.objects.filter(
        conversation__in=reviews, direction=Direction.IN, detail__has_key="rating"
    ).order_by("written_at", "number")
    told = {pk: rating_of(detail) for pk, detail in rows.values_list("conversation_id", "detail")}
    return {pk: rating for pk, rating in told.items() if rating is not None}
