"""Removing what somebody wrote, and what was written to them (audience.erasers)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from engagement.models import Conversation, ConversationKind, Direction, Message, Note
from engagement.services.intake import preview_of
from outbox.models import DeliveryState
from outbox.services.erasing import erase_contents


def erase(identities: Sequence[UUID], now: dt.datetime) -> Mapping[str, int]:
    """Blank the words, ids and addresses of these people's messages, of our answers to them and of notes
    about their conversations; inside the caller's transaction. Returns how many rows of what were changed.

    Keys, times, states and waiting stay: numbers do not change, and what is read from the network once more
    is known. Whoever writes again is somebody new.
    """
    theirs = Conversation.objects.filter(identity__in=identities)
    written_in = Message.objects.filter(identity__in=identities).values("conversation")
    ids = list(
        Conversation.objects.filter(Q(identity__in=identities) | Q(pk__in=written_in))
        .order_by("pk")
        .select_for_update()
        .values_list("pk", flat=True)
    )
    messages = _messages(ids, identities)
    # What was sent a moment ago is blanked when it is settled: until then its echo is known by what it holds.
    is_unsettled = Q(delivery__state=DeliveryState.SENT, settled_at__isnull=True)
    deliveries = {
        *messages.exclude(is_unsettled).values_list("delivery", flat=True),
        *messages.values_list("moderations__delivery", flat=True),
    } - {None}
    erased = messages.filter(erased_at__isnull=True).update(
        text="", detail={}, remote_id="", permalink="", search_text="", search_grams=[], erased_at=now
    )
    notes = Note.objects.filter(conversation__identity__in=identities).exclude(text="").update(text="")
    theirs.update(thread_id="")
    theirs.filter(kind=ConversationKind.MENTION).update(post_snapshot={})
    _renew_previews(ids)
    return {
        "messages": erased,
        "conversations": len(ids),
        "notes": notes,
        "deliveries": erase_contents(deliveries=deliveries, now=now),
    }


def _renew_previews(conversations: Sequence[UUID]) -> None:
    newest = (
        Message.objects.filter(conversation__in=conversations)
        .order_by("conversation", "-written_at", "-number")
        .distinct("conversation")
    )
    texts = dict(newest.values_list("conversation", "text"))
    rows = list(Conversation.objects.filter(pk__in=conversations))
    for row in rows:
        row.preview = preview_of(texts.get(row.pk, ""))
        row.version += 1
    Conversation.objects.bulk_update(rows, ["preview", "version"])


def _messages(conversations: Sequence[UUID], identities: Sequence[UUID]) -> QuerySet[Message]:
    """What they wrote; everything of ours in a private thread or a conversation that they began; and our
    answers to what they wrote in those of others."""
    rows = Message.objects.filter(conversation__in=conversations)
    own = rows.filter(identity__in=identities)
    keys = own.exclude(remote_key="").values("remote_key")
    return rows.filter(
        Q(identity__in=identities)
        | Q(direction=Direction.OUT, conversation__identity__in=identities)
        | Q(direction=Direction.OUT, parent_key__in=keys)
    )
