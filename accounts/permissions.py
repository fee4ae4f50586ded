"""Who may do what: one table, as data. docs/permissions.md and the tests are made from it."""

from __future__ import annotations

import enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Role


class Action(enum.StrEnum):
    """What a role may be allowed. Every view names one."""

    VIEW = "view"  # see calendar, posts, accounts and numbers of one's brands
    DRAFT_POSTS = "draft_posts"  # write, change and delete drafts, upload media
    PUBLISH_POSTS = "publish_posts"  # schedule, move, publish now, cancel, answer "did it appear?"
    APPROVE_POSTS = "approve_posts"  # approve posts, ask for changes, send review links to clients
    CONNECT_ACCOUNTS = "connect_accounts"  # connect, reconnect, disconnect social accounts
    PAUSE = "pause"  # stop and resume sending, quiet periods, what becomes of late posts
    MANAGE_BRANDS = "manage_brands"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_ORGANIZATION = "manage_organization"
    VIEW_AUDIT = "view_audit"
    READ_INBOX = "read_inbox"  # read comments, mentions, reviews and messages
    ANSWER = "answer"  # reply, like, hide, delete, assign, snooze, take notes
    VIEW_CONTACTS = "view_contacts"  # see people and what they did
    MANAGE_CONTACTS = "manage_contacts"  # change facts, merge, record consent
    ERASE_CONTACTS = "erase_contacts"
    VIEW_CAMPAIGNS = "view_campaigns"  # see campaigns with budgets, spend, conversions and return
    MANAGE_CAMPAIGNS = "manage_campaigns"  # campaigns, budgets, spend, links, conversions
    MANAGE_GOALS = "manage_goals"
    MANAGE_API_KEYS = "manage_api_keys"
    MANAGE_WEBHOOKS = "manage_webhooks"


_VIEWER = frozenset({Action.VIEW})
_CREATOR = _VIEWER | {Action.DRAFT_POSTS}
_RESPONDER = _VIEWER | {Action.READ_INBOX, Action.ANSWER, Action.VIEW_CONTACTS, Action.MANAGE_CONTACTS}
_MARKETER = _VIEWER | {
    Action.READ_INBOX,
    Action.VIEW_CONTACTS,
    Action.VIEW_CAMPAIGNS,
    Action.MANAGE_CAMPAIGNS,
    Action.MANAGE_GOALS,
}
_MANAGER = (
    _CREATOR
    | _RESPONDER
    | {
        Action.PUBLISH_POSTS,
        Action.APPROVE_POSTS,
        Action.PAUSE,
        Action.VIEW_CAMPAIGNS,
        Action.MANAGE_GOALS,
    }
)
_ADMIN = (
    _MANAGER
    | _MARKETER
    | {
        Action.ERASE_CONTACTS,
        Action.MANAGE_API_KEYS,
        Action.MANAGE_WEBHOOKS,
        Action.CONNECT_ACCOUNTS,
        Action.MANAGE_BRANDS,
        Action.MANAGE_MEMBERS,
        Action.VIEW_AUDIT,
    }
)

ALLOWED: dict[Role, frozenset[Action]] = {
    Role.OWNER: _ADMIN | {Action.MANAGE_ORGANIZATION},
    Role.ADMIN: _ADMIN,
    Role.MANAGER: _MANAGER,
    Role.CREATOR: _CREATOR,
    Role.RESPONDER: _RESPONDER,
    Role.MARKETER: _MARKETER,
    Role.VIEWER: _VIEWER,
}


def is_allowed(role: str, action: Action) -> bool:
    return action in ALLOWED[Role(role)]


WORDS: dict[Action, Promise] = {
    Action.VIEW: _("See calendar, posts, accounts and numbers"),
    Action.DRAFT_POSTS: _("Write and change drafts, upload images"),
    Action.PUBLISH_POSTS: _("Schedule, move, publish and cancel posts"),
    Action.APPROVE_POSTS: _("Approve posts, ask for changes, send review links to clients"),
    Action.CONNECT_ACCOUNTS: _("Connect and disconnect social accounts"),
    Action.PAUSE: _("Pause and resume sending"),
    Action.MANAGE_BRANDS: _("Create and change brands"),
    Action.MANAGE_MEMBERS: _("Invite people and change their roles"),
    Action.MANAGE_ORGANIZATION: _("Change the organization"),
    Action.VIEW_AUDIT: _("Read the audit log"),
    Action.READ_INBOX: _("Read the inbox"),
    Action.ANSWER: _("Answer, like, hide, delete and assign in the inbox"),
    Action.VIEW_CONTACTS: _("See contacts and their history"),
    Action.MANAGE_CONTACTS: _("Change and merge contacts, record consent"),
    Action.ERASE_CONTACTS: _("Erase a contact's personal data"),
    Action.VIEW_CAMPAIGNS: _("See campaigns, budgets, conversions and return"),
    Action.MANAGE_CAMPAIGNS: _("Manage campaigns, budgets, spend, links and conversions"),
    Action.MANAGE_GOALS: _("Set goals and connect them"),
    Action.MANAGE_API_KEYS: _("Create and revoke API keys"),
    Action.MANAGE_WEBHOOKS: _("Set up webhooks"),
}


def is_within(role: str, own: str) -> bool:
    """Whether somebody with the role ``own`` may give, change or take away ``role``: none above their own."""
    return ALLOWED[Role(role)] <= ALLOWED[Role(own)]


def grantable_roles(own: str) -> list[Role]:
    """The roles that somebody with the role ``own`` may give, highest first."""
    return [role for role in Role if is_within(role, own)]
