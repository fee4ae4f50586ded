"""What can be done to a message at its network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from connectors.base import Capability, ModerationAction
from engagement.models import Conversation, ConversationKind, Direction, Message

A = ModerationAction
# Which field of a message says that it was done. One of these at a time is on its way for each field.
FIELDS: Mapping[str, str] = {
    A.LIKE: "is_liked",
    A.UNLIKE: "is_liked",
    A.HIDE: "is_hidden",
    A.UNHIDE: "is_hidden",
    A.DELETE: "deleted_at",
}


def mark(message: Message, action: ModerationAction, now: dt.datetime) -> None:
    """Let the message say that it was done, without storing it."""
    if action is A.DELETE:
        message.deleted_at = message.deleted_at or now
    else:
        setattr(message, FIELDS[action], action in (A.LIKE, A.HIDE))


def can_moderate(message: Message, action: ModerationAction, conversation: Conversation) -> bool:
    """Whether this makes sense now: likes are for what was received in public, hiding and deleting are for
    comments below our own posts. ``conversation`` has its account."""
    account = conversation.account
    is_there = message.direction == Direction.IN and not message.deleted_at and not message.erased_at
    if not is_there or not account.is_active:
        return False
    is_comment = conversation.kind == ConversationKind.COMMENT
    match action:
        case A.LIKE | A.UNLIKE:
            is_public = conversation.kind != ConversationKind.DM
            return (
                is_public and account.info.can(Capability.LIKE) and message.is_liked is (action is A.UNLIKE)
            )
        case A.HIDE | A.UNHIDE:
            is_asked = message.is_hidden is (action is A.UNHIDE)
            return is_comment and account.info.can(Capability.HIDE) and is_asked
        case A.DELETE:
            return is_comment and account.info.can(Capability.DELETE_COMMENT)


def actions_for(message: Message, conversation: Conversation) -> tuple[ModerationAction, ...]:
    return tuple(action for action in ModerationAction if can_moderate(message, action, conversation))
