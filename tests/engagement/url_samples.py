"""Arguments for the URLs of engagement, for the walk over every URL (tests/walk.py)."""

from __future__ import annotations

from typing import Any

from connectors.base import InboxItem, InboxKind, Profile
from engagement.models import Message, SavedReply
from engagement.services.intake import take_page
from tests.cast import World, make_account


def samples(world: World) -> dict[str, dict[str, Any]]:
    account = make_account(world.brand, handle="answered")
    author = Profile("walked-writer", "walked_writer", "Walked Writer")
    item = InboxItem(InboxKind.COMMENT, "walked-c1", "walked-c1", author, "A walked question?", world.now)
    take_page(account=account, items=[item], began_at=world.now, now=world.now)
    message = Message.objects.get(account=account)
    reply = SavedReply.objects.create(
        brand=world.brand, title="A walked reply", text="Hello {name}", updated_at=world.now
    )
    conversation = {"conversation_id": message.conversation_id}
    of_conversation = ("conversation", "talk", "reply", "check", "note", "assign", "done", "reopen", "snooze")
    of_message = ("resend", "take_back", "appeared", "moderate")
    return {
        **{f"engagement:{name}": conversation for name in of_conversation},
        **{f"engagement:{name}": {"message_id": message.pk} for name in of_message},
        "engagement:hook": {"platform": "facebook", "key": "walked"},
        "engagement:deletion": {"platform": "facebook", "key": "walked"},
        "engagement:deletion_status": {"code": "walked"},
        "engagement:promise": {"brand_id": world.brand.pk},
        "engagement:saved_reply_edit": {"reply_id": reply.pk},
        "engagement:saved_reply_delete": {"reply_id": reply.pk},
    }
