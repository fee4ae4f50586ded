"""Pages and slots of numbers. A slot answers a fragment to HTMX and a page of its own to a plain link."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from accounts.access import MemberRequest, current_brand, load, requires
from accounts.models import SocialAccount
from accounts.permissions import Action
from analytics.selectors import accounts as account_numbers_of
from analytics.selectors import posts as post_numbers_of
from analytics.selectors.accounts import PERIODS
from analytics.selectors.figures import figure
from analytics.selectors.posts import SORTS
from content_calendar.models import Post
from core.htmx import render_page
from core.paging import page_of

POSTS_PER_PAGE = 25
EXPLAINED_OF_ACCOUNTS = ("followers", "follower_growth_rate", "posts", "posting_frequency")
EXPLAINED_OF_ACCOUNT = (
    *EXPLAINED_OF_ACCOUNTS,
    "likes",
    "comments",
    "shares",
    "impressions",
    "engagements",
    "engagement_rate_by_followers",
    "engagement_rate_by_impressions",
)


@requires(Action.VIEW)
def index(request: MemberRequest) -> HttpResponse:
    return redirect("analytics:accounts")


@requires(Action.VIEW)
def accounts(request: MemberRequest) -> HttpResponse:
    brand = current_brand(request)
    page = page_of(request, account_numbers_of.accounts_of(request.membership, brand))
    rows = account_numbers_of.rows_of(list(page.object_list), now=timezone.now())
    context = {
        "page": page,
        "rows": rows,
        "brand": brand,
        "explained": [figure(key, None) for key in EXPLAINED_OF_ACCOUNTS],
    }
    return render_page(request, "analytics/accounts.html", context)


@requires(Action.VIEW)
def account(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    found: SocialAccount = load(
        request, Action.VIEW, SocialAccount.objects.select_related("brand"), account_id
    )
    days = next((p for p in PERIODS if str(p) == request.GET.get("days")), PERIODS[0])
    sort = next((s for s in SORTS if s == request.GET.get("sort")), SORTS[0])
    numbers = account_numbers_of.numbers_of_account(found, days=days, now=timezone.now())
    page = page_of(
        request, post_numbers_of.posts_of_account(found, since=numbers.since, sort=sort), size=POSTS_PER_PAGE
    )
    context = {
        "account": found,
        "zone": found.brand.timezone,
        "numbers": numbers,
        "periods": PERIODS,
        "page": page,
        "posts": [post_numbers_of.row_of(delivery) for delivery in page.object_list],
        "sort": sort,
        "columns": [figure(key, None) for key in SORTS if key != "sent"],
        "explained": [figure(key, None) for key in EXPLAINED_OF_ACCOUNT],
    }
    return render_page(request, "analytics/account.html", context)


@requires(Action.VIEW)
def post_numbers(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    post: Post = load(request, Action.VIEW, Post.objects.select_related("brand"), post_id)
    now = timezone.now()
    numbers = post_numbers_of.numbers_of_post(post)
    context = {
        "post": post,
        "zone": post.brand.timezone,
        "numbers": numbers,
        "is_live": post_numbers_of.is_live(numbers, now),
    }
    return render_page(request, "analytics/post_numbers.html", context, partial="numbers")


@requires(Action.VIEW)
def account_numbers(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    found: SocialAccount = load(
        request, Action.VIEW, SocialAccount.objects.select_related("brand"), account_id
    )
    context = {
        "account": found,
        "zone": found.brand.timezone,
        "numbers": account_numbers_of.numbers_of_account(found, days=PERIODS[0], now=timezone.now()),
    }
    return render_page(request, "analytics/account_numbers.html", context, partial="numbers")
