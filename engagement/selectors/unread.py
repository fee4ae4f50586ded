"""Accounts whose inbox is not read, and why: what does not pass by itself must be seen by somebody."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import SocialAccount
from connectors.base import PlatformInfo
from engagement.models import InboxPull
from outbox.errors import StopReason, sentence

# What is over soon, or told in a way of its own.
_QUIET = ("", StopReason.RATE_LIMITED, StopReason.NEEDS_RECONNECT)
PASSES_WITHIN = 3  # tries of a network that cannot be reached


@dataclass(frozen=True, slots=True)
class Unread:
    account: SocialAccount
    info: PlatformInfo
    reason: str  # sentence in the active language


def unread_of(account: SocialAccount, info: PlatformInfo) -> Unread | None:
    """None where it is read, or will be by itself. ``account`` comes with its ``inbox_pull``."""
    pull: InboxPull | None = getattr(account, "inbox_pull", None)
    if pull is None or not account.is_active or pull.error in _QUIET:
        return None
    if pull.error == StopReason.TEMPORARY and pull.failures < PASSES_WITHIN:
        return None
    return Unread(account, info, sentence(pull.error))
