"""What a page of the calendar is about: which brand, in which zone, with which choices to filter by."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Q, When

from accounts.access import BRAND_KEY, MemberRequest, load
from accounts.models import Brand, Membership, SocialAccount, User
from accounts.permissions import Action, is_allowed
from campaigns.models import Campaign
from connectors.base import PlatformInfo
from content_calendar.forms import filter_query
from content_calendar.models import Label, Post, SavedFilter
from content_calendar.repeating_forms import given_uuid
from content_calendar.selectors.posts import PostFilter
from content_calendar.selectors.states import PostState

# What a list to choose from holds; older campaigns are found on their own pages.
MOST_CAMPAIGNS = 100
MOST_LABELS = 200
MOST_SAVED = 30


@dataclass(frozen=True, slots=True)
class Shown:
    """``brand`` is None when all of the member's brands are shown; then ``zone`` is the one they share, or
    that of the first."""

    brands: tuple[Brand, ...]
    brand: Brand | None
    zone: str
    first_day: int
    # Whether the address may choose the brand: there are several, and the switcher shows all of them.
    has_brand_choice: bool = False

    @property
    def shown_brands(self) -> tuple[Brand, ...]:
        return self.brands if self.brand is None else (self.brand,)

    @property
    def has_several_zones(self) -> bool:
        return self.brand is None and len({brand.timezone for brand in self.brands}) > 1


def shown(request: MemberRequest) -> Shown:
    """``?brand=`` goes before the brand that the switcher shows; one that is not the member's is nothing."""
    brands = tuple(Brand.objects.for_member(request.membership).order_by("name"))
    by_id = {str(one.pk): one for one in brands}
    switched = by_id.get(request.session.get(BRAND_KEY, ""))
    asked = by_id.get(request.GET.get("brand", ""))
    brand = brands[0] if len(brands) == 1 else asked or switched
    example = brand or (brands[0] if brands else None)
    return Shown(
        brands=brands,
        brand=brand,
        zone=example.timezone if example else "UTC",
        first_day=example.week_starts_on if example else 1,
        has_brand_choice=len(brands) > 1 and (switched is None or asked is not None),
    )


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer."""

    accounts: tuple[tuple[SocialAccount, PlatformInfo], ...]
    networks: tuple[PlatformInfo, ...]
    states: tuple[PostState, ...]
    authors: tuple[User, ...]
    campaigns: tuple[Campaign, ...]
    labels: tuple[Label, ...]


def choices(request: MemberRequest, about: Shown, campaign: uuid.UUID | None = None) -> Choices:
    """Four queries. ``campaign`` is offered in any case: the address asks for it."""
    accounts = SocialAccount.objects.for_member(request.membership).connected().order_by("platform", "handle")
    if about.brand is not None:
        accounts = accounts.for_brand(about.brand)
    listed = tuple((account, account.info) for account in accounts)
    authors = User.objects.filter(
        memberships__in=Membership.objects.filter(organization=request.organization, is_active=True)
    ).order_by("name", "email")
    return Choices(
        accounts=listed,
        networks=tuple({info.key: info for _account, info in listed}.values()),
        states=tuple(PostState),
        authors=tuple(author for author in authors),
        campaigns=_campaigns(request, about, campaign),
        labels=_labels(request, about),
    )


def _labels(request: MemberRequest, about: Shown) -> tuple[Label, ...]:
    rows = Label.objects.for_member(request.membership)
    if about.brand is not None:
        rows = rows.for_brand(about.brand)
    return tuple(rows.select_related("brand").order_by("name", "brand__name")[:MOST_LABELS])


def _campaigns(request: MemberRequest, about: Shown, also: uuid.UUID | None) -> tuple[Campaign, ...]:
    """The latest ones that are not archived."""
    rows = Campaign.objects.for_member(request.membership).filter(Q(archived_at__isnull=True) | Q(pk=also))
    if about.brand is not None:
        rows = rows.filter(brand=about.brand)
    # The one that is asked for comes first, so that it is never cut off.
    return tuple(rows.order_by(Case(When(pk=also, then=0), default=1), "-starts_on", "name")[:MOST_CAMPAIGNS])


def may(request: MemberRequest) -> dict[str, bool]:
    """What the templates offer this member."""
    role = request.membership.role
    return {
        "may_draft": is_allowed(role, Action.DRAFT_POSTS),
        "may_publish": is_allowed(role, Action.PUBLISH_POSTS),
        "may_approve": is_allowed(role, Action.APPROVE_POSTS),
    }


def filter_context(request: MemberRequest, about: Shown, wanted: PostFilter) -> dict[str, Any]:
    saved = SavedFilter.objects.for_member(request.membership).select_related("membership__user")
    query = filter_query(wanted, about.brand.pk if about.brand and request.GET.get("brand") else None)
    return {
        "saved_filters": saved.order_by("name", "pk")[:MOST_SAVED],
        "query": query,
        "shown": about,
        "choices": choices(request, about, wanted.campaign),
        "wanted": wanted,
        **may(request),
    }


def post_asked_for(request: MemberRequest) -> Post | None:
    """The post that ``?post=`` names, for those who publish. None where the address names none."""
    pk = given_uuid(request.GET.get("post", ""))
    if pk is None:
        return None
    row: Post = load(request, Action.PUBLISH_POSTS, Post.objects.select_related("brand__organization"), pk)
    return row


def brand_asked_for(request: MemberRequest) -> Brand | None:
    """The brand that the address names, else the one that is shown, else the first."""
    pk = given_uuid(request.GET.get("brand", ""))
    rows = Brand.objects.select_related("organization")
    if pk is not None:
        found: Brand = load(request, Action.PUBLISH_POSTS, rows, pk)
        return found
    about = shown(request)
    return about.brand or (about.brands[0] if about.brands else None)
