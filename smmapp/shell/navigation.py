"""The left navigation, as data. A section appears when its address exists and the role may open it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from accounts.permissions import Action, is_allowed


@dataclass(frozen=True, slots=True)
class Section:
    """``counts``: the number of the shell (smmapp.shell.context.Shell) that stands beside it, "" for none;
    ``besides``: what belongs to it though its address lies below another section's."""

    label: str | Promise
    url_name: str
    icon: str
    action: Action
    counts: str = ""
    besides: tuple[str, ...] = ()


SECTIONS = (
    Section(_("Today"), "shell:today", icon="home", action=Action.VIEW),
    Section(_("Calendar"), "content_calendar:calendar", icon="calendar", action=Action.VIEW),
    Section(
        _("Posts"),
        "content_calendar:posts",
        icon="notes",
        action=Action.VIEW,
        besides=("content_calendar:exports", "content_calendar:imports"),
    ),
    Section(_("Inbox"), "engagement:inbox", icon="inbox", action=Action.READ_INBOX, counts="waiting"),
    Section(_("Campaigns"), "campaigns:campaigns", icon="speakerphone", action=Action.VIEW_CAMPAIGNS),
    Section(_("Audience"), "audience:contacts", icon="users", action=Action.VIEW_CONTACTS),
    Section(_("Library"), "library:library", icon="photo", action=Action.VIEW),
    Section(_("Analytics"), "analytics:operations", icon="chart-line", action=Action.VIEW),
    Section(_("Accounts"), "accounts:account_list", icon="plug-connected", action=Action.VIEW),
    Section(
        _("Settings"),
        "accounts:settings",
        icon="settings",
        action=Action.VIEW,
        besides=("content_calendar:approval_rules",),
    ),
)


@dataclass(frozen=True, slots=True)
class Item:
    label: str | Promise
    url: str
    icon: str
    is_current: bool
    counts: str = ""


def address(url_name: str) -> str:
    """The path of a view, "" where this installation has none of that name."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def items(membership: Membership | None, path: str) -> list[Item]:
    """The sections this member may open; the one whose address ``path`` lies deepest below is current."""
    if membership is None:
        return []
    found = list(_open_sections(membership))
    places = [
        (place, url) for section, url in found for place in (url, *map(address, section.besides)) if place
    ]
    matches = [
        (place, url) for place, url in places if path == place or (place != "/" and path.startswith(place))
    ]
    _place, current = max(matches, key=lambda match: len(match[0]), default=("", ""))
    return [Item(section.label, url, section.icon, url == current, section.counts) for section, url in found]


def _open_sections(membership: Membership) -> Iterator[tuple[Section, str]]:
    for section in SECTIONS:
        url = address(section.url_name)
        if url and is_allowed(membership.role, section.action):
            yield section, url
