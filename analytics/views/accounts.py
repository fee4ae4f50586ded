"""Pages and slots of numbers. A slot answers a fragment to HTMX and a page of its own to a plain link."""

from __future__ import annotations

import uuid

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone

from accounts.access import MemberRequest, current_brand, load, requires
from accounts.models import SocialAccount
from accounts.permissions import Action
from analytics.selectors import accounts as account_numbers_of
from analytics.selectors import posts as post_numbers_of
from analytics.selectors.figures import figure
from analytics.selectors.subjects import DEFAULT_PERIOD, PERIODS, Subject, period_until_today
from analytics.views.shared import days_of, tabs
from content_calendar.models import Post
from core.csv_writing import csv_response
from core.htmx import render_page
from core.paging import page_of
from core.time import to_local
from metrics.registry import Unit, metric

POSTS_PER_PAGE = 25
EXPLAINED_OF_ACCOUNTS = ("followers", "follower_growth_rate", "posts", "posting_frequency")
EXPLAINED_OF_ACCOUNT = (
    *EXPLAINED_OF_ACCOUNTS,
    "likes",
    "comments",
    "shares",
    "impressions",
    "reach",
    "network_clicks",
    "watch_time",
    "engagements",
    "engagement_rate_by_followers",
    "engagement_rate_by_reach",
    "engagement_rate_by_impressions",
)


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
        "tabs": tabs(request, "analytics:accounts"),
    }
    return render_page(request, "analytics/accounts.html", context)


@requires(Action.VIEW)
def accounts_csv(request: MemberRequest) -> HttpResponseBase:
    """The table of accounts, all of them."""
    found = list(account_numbers_of.accounts_of(request.membership, current_brand(request)))
    header = [
        "brand",
        "network",
        "account",
        "followers",
        "net_new_followers_7_days",
        "net_new_followers_28_days",
        "posts",
        "sent_28_days",
        "counted_at",
    ]
    rows = (
        [
            row.account.brand.name,
            row.info.name,
            row.account.handle,
            row.followers,
            row.week.net,
            row.month.net,
            row.posts,
            row.sent,
            row.freshness.taken_at,
        ]
        for row in account_numbers_of.rows_of(found, now=timezone.now())
    )
    return csv_response("accounts", header, rows)


@requires(Action.VIEW)
def account(request: MemberRequest, account_id: uuid.UUID) -> HttpResponse:
    found: SocialAccount = load(
        request, Action.VIEW, SocialAccount.objects.select_related("brand"), account_id
    )
    days = days_of(request)
    sorts = post_numbers_of.sorts_of(found.info)
    sort = next((s for s in sorts if s == request.GET.get("sort")), sorts[0])
    numbers = account_numbers_of.numbers_of_account(found, days=days, now=timezone.now())
    page = page_of(
        request, post_numbers_of.posts_of_account(found, since=numbers.since, sort=sort), size=POSTS_PER_PAGE
    )
    unseen = [key for key in post_numbers_of.ONLY_TOLD if key not in sorts]
    if numbers.by_reach is None:
        unseen.append("engagement_rate_by_reach")
    explained = [key for key in EXPLAINED_OF_ACCOUNT if key not in unseen]
    context = {
        "account": found,
        "zone": found.brand.timezone,
        "numbers": numbers,
        "subject": Subject((found.brand,), found),
        "period": period_until_today(days, zone=found.brand.timezone, now=timezone.now()),
        "week_period": period_until_today(7, zone=found.brand.timezone, now=timezone.now()),
        "periods": PERIODS,
        "page": page,
        "posts": [post_numbers_of.row_of(delivery) for delivery in page.object_list],
        "sort": sort,
        "columns": [figure(key, None) for key in sorts if key != "sent"],
        "explained": [figure(key, None) for key in explained],
    }
    return render_page(request, "analytics/account.html", context)


@requires(Action.VIEW)
def posts_csv(request: MemberRequest, account_id: uuid.UUID) -> HttpResponseBase:
    """The posts of the period, in the order of the page."""
    found: SocialAccount = load(
        request, Action.VIEW, SocialAccount.objects.select_related("brand"), account_id
    )
    days, now = days_of(request), timezone.now()
    since = period_until_today(days, zone=found.brand.timezone, now=now).instants(found.brand.timezone).start
    posts = post_numbers_of.posts_of_account(found, since=since)
    names = post_numbers_of.COUNTS
    counts = [f"{name}_s" if metric(name).unit is Unit.DURATION else name for name in names]
    header = ["sent_at", "text", "address", *counts, "engagements", "followers_at_post", "counted_at"]
    rows = (
        [
            to_local(row.delivery.sent_at, found.brand.timezone),
            row.excerpt,
            row.delivery.permalink,
            *(getattr(row.metrics, name) for name in names),
            row.engagements,
            row.metrics.followers_at_post,
            row.metrics.taken_at,
        ]
        for row in (post_numbers_of.row_of(delivery) for delivery in posts.iterator(chunk_size=500))
        if row.delivery.sent_at is not None
    )
    return csv_response(f"posts-{found.handle.partition('@')[0]}-{days}-days", header, rows)


@requires(Action.VIEW)
def post_numbers(request: MemberRequest, post_id: uuid.UUID) -> HttpResponse:
    post: Post = load(request, Action.VIEW, Post.objects.select_related("brand"), post_id)
    now = timezone.now()
    numbers = post_numbers_of.numbers_of_post(post)
    context = {
        "post": post,
        "zone": post.brand.timezone,
        "numbers": numbers,
        "period": period_until_today(DEFAULT_PERIOD, zone=post.brand.timezone, now=now),
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
        "subject": Subject((found.brand,), found),
        "period": period_until_today(DEFAULT_PERIOD, zone=found.brand.timezone, now=timezone.now()),
        "week_period": period_until_today(7, zone=found.brand.timezone, now=timezone.now()),
        "numbers": account_numbers_of.numbers_of_account(found, days=DEFAULT_PERIOD, now=timezone.now()),
    }
    return render_page(request, "analytics/account_numbers.html", context, partial="numbers")
