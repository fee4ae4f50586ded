"""What a brand's inbox is set up with: how soon it answers, and answers that are used again and again."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from accounts.models import Brand, User
from accounts.services.audit import record
from engagement.models import SavedReply, SlaPolicy
from engagement.selectors.promises import DEFAULT_MINUTES


class TitleTaken(Exception):
    """The brand has a saved reply of this title already."""


def promise_answers(*, brand: Brand, minutes: int, actor: User, now: dt.datetime) -> SlaPolicy:
    """Answer within so many minutes of business time. Holds for whoever begins to wait from now on."""
    with transaction.atomic():
        policy = SlaPolicy.objects.select_for_update().filter(brand=brand).first()
        before = policy.answer_within_minutes if policy else DEFAULT_MINUTES
        if policy is None:
            policy = SlaPolicy(brand=brand)
        policy.answer_within_minutes = minutes
        policy.save()
        if before != minutes:
            record(
                organization=brand.organization,
                actor=actor,
                action="sla.changed",
                subject=brand,
                detail={"before": before, "after": minutes},
                now=now,
            )
    return policy


def save_reply(
    *,
    brand: Brand,
    title: str,
    text: str,
    actor: User,
    now: dt.datetime,
    reply: SavedReply | None = None,
) -> SavedReply:
    """A new saved reply, or ``reply`` changed. Raises TitleTaken."""
    row = reply or SavedReply(brand=brand, created_by=actor)
    row.title, row.text, row.updated_at = title, text, now
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "saved_reply_title_once" in str(error):
            raise TitleTaken from None
        raise
    return row


def delete_reply(*, reply: SavedReply) -> None:
    reply.delete()
