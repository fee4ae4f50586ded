"""The person of a conversation: who they are on their network, and what they did lately."""

from __future__ import annotations

from dataclasses import dataclass

from audience.models import Activity, Contact, Identity
from engagement.models import Conversation

MOST_ACTIVITIES = 8
MOST_CONVERSATIONS = 5


@dataclass(frozen=True, slots=True)
class PersonView:
    """``activities`` and ``conversations`` (others than the open one) are the newest, of all identities of
    the person."""

    identity: Identity
    contact: Contact
    activities: tuple[Activity, ...]
    conversations: tuple[Conversation, ...]


def person_of(conversation: Conversation) -> PersonView | None:
    """Two queries; ``conversation`` has its identity with the contact. None while nobody has written."""
    identity = conversation.identity
    if identity is None:
        return None
    everywhere = Identity.objects.filter(contact=identity.contact_id)
    return PersonView(
        identity=identity,
        contact=identity.contact,
        activities=tuple(Activity.objects.filter(identity__in=everywhere).order_by("-at")[:MOST_ACTIVITIES]),
        conversations=tuple(
            Conversation.objects.filter(identity__in=everywhere)
            .exclude(pk=conversation.pk)
            .select_related("account")
            .order_by("-last_message_at")[:MOST_CONVERSATIONS]
        ),
    )
