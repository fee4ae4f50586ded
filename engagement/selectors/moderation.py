"""What can be done to a message at its network."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.base import Capability, ModerationAction
from engagement.models import Conversation, ConversationKind, Direction, Message

A = ModerationAction
# What a message says once it was done.
FLAGS: Mapping[str, tuple[str, bool]] = {
    A.LIKE: ("is_liked", True),
    A.UNLIKE: ("is_liked", False),
    A.HIDE: ("is_hidden", True),
    A.UNHIDE: ("is_hidden", False),
}


def can_moderate(message: Message, action: ModerationAction, conversation: Conversation) -> bool:
    """Whether this makes sense now: likes are for what was received in public, hiding is for comments below
    our own posts. ``conversation`` has its account."""
    account = conversation.account
    is_there = message.direction == Direction.IN and not message.deleted_at and not message.erased_at
    if not is_there or not account.is_active:
        return False
    match action:
        case A.LIKE | A.UNLIKE:
            is_public = conversation.kind != ConversationKind.DM
            return (
                is_public and account.info.can(Capability.LIKE) and message.is_liked is (action is A.UNLIKE)
            )
        case A.HIDE | A.UNHIDE:
            is_comment = conversation.kind == ConversationKind.COMMENT
            is_asked = message.is_hidden is (action is A.UNHIDE)
            return is_comment and account.info.can(Capability.HIDE) and is_asked
        case A.DELETE:
            return False


def actions_for(message: Message, conversation: Conversation) -> tuple[ModerationAction, ...]:
    return tuple(action for action in ModerationAction if can_moderate(message, action, conversation))
