"""What else the person of a conversation has written; who they are, the app of the contacts tells."""

from __future__ import annotations

from engagement.models import Conversation

MOST_CONVERSATIONS = 5


def others_of(conversation: Conversation) -> tuple[Conversation, ...]:
    """The newest other conversations of the same person, on any account; ``conversation`` has its identity.

    None while nobody has written.
    """
    identity = conversation.identity
    if identity is None:
        return ()
    rows = Conversation.objects.filter(identity__contact=identity.contact_id).exclude(pk=conversation.pk)
    return tuple(rows.order_by("-last_message_at")[:MOST_CONVERSATIONS])
