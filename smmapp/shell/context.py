"""The context processor behind templates/base.html: read only where a template asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import redis
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import selectors
from accounts.access import MemberRequest, current_brand, current_membership
from accounts.models import AccountStatus, Brand, Membership, Organization, SocialAccount, User
from accounts.permissions import Action, is_allowed
from engagement.selectors.needs import count_waiting
from outbox.selectors import paused_for
from smmapp import heartbeats
from smmapp.shell.navigation import Item, address, items


@dataclass(frozen=True, slots=True)
class Health:
    """The dot at the foot of the navigation."""

    tone: str
    text: str
    url: str = ""


class Shell:
    """Everything around a page; each part is read once, and only if it is shown."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def membership(self) -> Membership | None:
        user = getattr(self._request, "user", None)
        return current_membership(self._request) if user is not None and user.is_authenticated else None

    @cached_property
    def organization(self) -> Organization | None:
        return self.membership.organization if self.membership else None

    @cached_property
    def role(self) -> str:
        return self.membership.get_role_display() if self.membership else ""

    @cached_property
    def brands(self) -> list[Brand]:
        if self.membership is None:
            return []
        return list(Brand.objects.for_member(self.membership).order_by("name"))

    @cached_property
    def brand(self) -> Brand | None:
        """The chosen brand; the only one where there is one only."""
        if self.membership is None:
            return None
        if len(self.brands) == 1:
            return self.brands[0]
        request = cast(MemberRequest, self._request)
        if not hasattr(request, "membership"):  # a page of allauth: nobody has authorized it yet
            request.membership = self.membership
        return current_brand(request)

    @cached_property
    def has_several_zones(self) -> bool:
        """Whether times of different brands stand beside each other, so that each names its zone."""
        return self.brand is None and len({brand.timezone for brand in self.brands}) > 1

    @cached_property
    def other_memberships(self) -> list[Membership]:
        if self.membership is None:
            return []
        return list(selectors.memberships_of(self.membership.user).exclude(pk=self.membership.pk))

    @cached_property
    def nav(self) -> list[Item]:
        return items(self.membership, self._request.path)

    @cached_property
    def waiting(self) -> int | None:
        """How many people wait for an answer: the number beside the inbox, None for who may not open it."""
        if self.membership is None or not is_allowed(self.membership.role, Action.READ_INBOX):
            return None
        return count_waiting(self.membership, self.brand)

    @cached_property
    def unread(self) -> int:
        return selectors.unread_count(cast(User, self._request.user)) if self.membership else 0

    @cached_property
    def health(self) -> Health | None:
        """The worst thing first: nothing is sent, then accounts that cannot be used, then what is paused."""
        if self.membership is None:
            return None
        try:
            beats = heartbeats.read(now=timezone.now())
            is_working = beats.is_beat_alive and beats.is_worker_alive
        except redis.exceptions.RedisError:
            is_working = False
        if not is_working:
            return Health("red", _("Sending has stopped: the worker does not answer"))
        paused = paused_for(self.membership)
        sending = address("outbox:sending")
        if paused.is_everything:
            return Health("purple", _("All sending is paused"), sending)
        lost = (
            SocialAccount.objects.for_member(self.membership)
            .filter(status=AccountStatus.NEEDS_RECONNECT)
            .distinct()
            .count()
        )
        if lost:
            text = ngettext(
                "%(count)s account needs reconnecting", "%(count)s accounts need reconnecting", lost
            ) % {"count": lost}
            return Health("orange", text, address("accounts:account_list"))
        if paused.brands:
            text = ngettext("%(count)s brand is paused", "%(count)s brands are paused", paused.brands)
            return Health("purple", text % {"count": paused.brands}, sending)
        if paused.accounts:
            text = ngettext("%(count)s account is paused", "%(count)s accounts are paused", paused.accounts)
            return Health("purple", text % {"count": paused.accounts}, sending)
        return Health("green", _("Everything is running"))

    @property
    def may_manage_brands(self) -> bool:
        return self.membership is not None and is_allowed(self.membership.role, Action.MANAGE_BRANDS)

    # Addresses; "" where there is nothing to go to, and the template leaves the entry out.

    @property
    def brands_url(self) -> str:
        return address("accounts:brand_list") if self.may_manage_brands else ""

    @property
    def profile_url(self) -> str:
        return address("accounts:profile")

    @property
    def notifications_url(self) -> str:
        return address("shell:notifications") if self.membership else ""

    @property
    def badges_url(self) -> str:
        return address("shell:badges") if self.membership else ""

    @property
    def switch_url(self) -> str:
        return address("shell:switch") if self.membership else ""

    @property
    def language_url(self) -> str:
        return address("shell:language")


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"shell": Shell(request)}
