from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Brand, Membership, SocialAccount, User
from analytics.models import AccountDay, AccountPull, PostMetrics, PostSnapshot
from connectors.base import PlatformInfo
from connectors.youtube_analytics import NOT_SWITCHED_ON
from connectors.youtube_info import INFO as YOUTUBE
from connectors.youtube_info import PUBLISHING
from content_calendar.models import Approval, Post, Variant
from outbox.models import Delivery
from tests.analytics.conftest import NOON
from tests.cast import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_noon")]

DAY = dt.timedelta(days=1)
HX = {"HX-Request": "true"}

SignIn = Callable[[User], Any]


def posted(delivery: Delivery, text: str = "Fresh from the roaster") -> Post:
    post = Post.objects.create(
        brand=delivery.brand, approval=Approval.APPROVED, parts=[{"text": text, "media": []}]
    )
    Variant.objects.create(post=post, account=delivery.account, delivery=delivery)
    return post


def counted(delivery: Delivery, **counts: int | None) -> PostMetrics:
    values: dict[str, Any] = {"likes": 30, "comments": 8, "shares": 4, "impressions": 1200, **counts}
    values.setdefault("followers_at_post", 2000)
    return PostMetrics.objects.create(
        delivery=delivery, account=delivery.account, taken_at=NOON - dt.timedelta(minutes=10), **values
    )


def follow_for(account: SocialAccount, followers: dict[int, int | None]) -> None:
    """``followers``: by days before today."""
    for days, number in followers.items():
        at = NOON - days * DAY
        AccountDay.objects.create(account=account, date=at.date(), followers=number, posts=12, taken_at=at)


def body(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def slot(client: Any, post: Post) -> Any:
    return client.get(reverse("analytics:post_numbers", args=[post.pk]), headers=HX)


# --- one post -----------------------------------------------------------------------------------


def test_post_numbers_show_counts_rates_and_when_they_were_taken(
    sign_in: SignIn, viewer: User, sent: Callable[..., Delivery]
) -> None:
    delivery = sent(at=NOON - DAY)
    counted(delivery)
    page = body(slot(sign_in(viewer), posted(delivery)))
    assert "1,200" in page
    assert "3.50%" in page  # 42 of 1200 impressions
    assert "2.10%" in page  # 42 of 2000 followers
    assert "12:50" in page  # in the brand's zone
    assert "<html" not in page


def test_reach_and_the_networks_clicks_stand_among_the_numbers_of_a_post(
    sign_in: SignIn, viewer: User, sent: Callable[..., Delivery]
) -> None:
    delivery = sent(at=NOON - DAY)
    counted(delivery, reach=1050, network_clicks=17)
    page = body(slot(sign_in(viewer), posted(delivery)))
    assert "1,050" in page
    assert "4.00%" in page  # 42 of 1050 people
    assert "Engagement rate by reach" in page
    assert "Clicks at the network" in page


def test_lists_and_tables_have_reach_and_clicks_where_the_network_tells_them(
    sign_in: SignIn,
    viewer: User,
    sandbox_account: SocialAccount,
    sent: Callable[..., Delivery],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = sign_in(viewer)
    wide, narrow = sent(at=NOON - DAY), sent(at=NOON - 2 * DAY)
    counted(wide, reach=1400, network_clicks=17)
    counted(narrow, reach=700, network_clicks=2)
    address = reverse("analytics:account", args=[sandbox_account.pk])
    page = body(client.get(address))
    assert "4.00%" in page  # 84 of 2100
    assert "3.00%" in page
    assert "6.00%" in page
    for sort in ("reach", "network_clicks"):
        assert f"sort={sort}" in page
        assert list(client.get(address, {"sort": sort}).context["page"]) == [wide, narrow]
    table = b"".join(client.get(reverse("analytics:posts_csv", args=[sandbox_account.pk]))).decode()
    assert ",reach,network_clicks," in table
    assert ",1200,1400,17,,42," in table

    info = SocialAccount.info.fget  # type: ignore[attr-defined]
    silent = dataclasses.replace(info(sandbox_account), post_metrics=("likes", "comments", "shares"))
    monkeypatch.setattr(SocialAccount, "info", property(lambda _self: silent))
    page = body(client.get(address, {"sort": "reach"}))
    assert "Clicks at the network" not in page
    assert "Rate by reach" not in page
    assert "reach" not in [figure.metric.key for figure in client.get(address).context["columns"]]


def test_watch_time_is_told_in_hours_and_minutes_and_in_seconds_in_tables(
    sign_in: SignIn, viewer: User, brand: Brand, sent: Callable[..., Delivery]
) -> None:
    client = sign_in(viewer)
    channel = make_account(brand, platform="youtube", options={"scopes": list(YOUTUBE.scopes)})
    long, short = sent(at=NOON - DAY, account=channel), sent(at=NOON - 2 * DAY, account=channel)
    counted(long, watch_time=5400)
    counted(short, watch_time=45)
    page = body(slot(client, posted(long)))
    assert "Watch time" in page
    assert "1 h 30 min" in page
    address = reverse("analytics:account", args=[channel.pk])
    page = body(client.get(address))
    assert "1 h 30 min" in page
    assert "45 s" in page
    assert list(client.get(address, {"sort": "watch_time"}).context["page"]) == [long, short]
    table = b"".join(client.get(reverse("analytics:posts_csv", args=[channel.pk]))).decode()
    assert ",watch_time_s," in table
    assert ",5400," in table

    channel.options = {"scopes": list(PUBLISHING.scopes)}
    channel.save()
    page = body(client.get(address, {"sort": "watch_time"}))
    assert "Watch time" not in page


def test_post_numbers_are_a_page_of_their_own_without_htmx(
    sign_in: SignIn, viewer: User, sent: Callable[..., Delivery]
) -> None:
    post = posted(sent(at=NOON - DAY))
    response = sign_in(viewer).get(reverse("analytics:post_numbers", args=[post.pk]))
    assert "<html" in body(response)
    assert "Fresh from the roaster" in body(response)
    assert "HX-Request" in response["Vary"]


def test_what_the_network_does_not_tell_is_a_dash_with_the_reason(
    sign_in: SignIn, viewer: User, sent: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    info = SocialAccount.info.fget  # type: ignore[attr-defined]

    def silent(self: SocialAccount) -> PlatformInfo:
        told = ("likes", "comments", "shares")
        return dataclasses.replace(info(self), key="mastodon", name="Quietnet", post_metrics=told)

    monkeypatch.setattr(SocialAccount, "info", property(silent))
    delivery = sent(at=NOON - DAY)
    counted(delivery, impressions=None)
    page = body(slot(sign_in(viewer), posted(delivery)))
    assert "Quietnet does not tell this number." in page
    assert "2.10%" in page


def test_counts_that_were_not_allowed_are_not_said_to_be_coming(
    sign_in: SignIn, viewer: User, brand: Brand, sent: Callable[..., Delivery]
) -> None:
    """X is asked for counts only where they were chosen, since they cost money."""
    account = make_account(brand, platform="x", options={"scopes": ["tweet.read"], "features": []})
    delivery = sent(at=NOON - DAY)
    Delivery.objects.filter(pk=delivery.pk).update(account=account)
    delivery.refresh_from_db()
    PostMetrics.objects.create(
        delivery=delivery, account=account, sent_at=NOON - DAY, next_pull_at=NOON + DAY
    )
    client = sign_in(viewer)
    page = body(slot(client, posted(delivery)))
    assert "It was not allowed when the account was connected" in page
    assert "X does not tell this number" not in page
    assert "asked for the first time" not in page
    page = body(client.get(reverse("analytics:account_numbers", args=[account.pk]), headers=HX))
    assert "X tells no numbers of this account" in page
    assert "counted every hour" not in page
    SocialAccount.objects.filter(pk=account.pk).update(
        options={"scopes": ["tweet.read", "users.read"], "features": ["counts"]}
    )
    page = body(client.get(reverse("analytics:account_numbers", args=[account.pk]), headers=HX))
    assert "are counted every 6 hours" in page


def test_a_post_that_is_not_out_yet_says_when_numbers_come(
    sign_in: SignIn, viewer: User, brand: Brand
) -> None:
    post = Post.objects.create(brand=brand, parts=[{"text": "Soon", "media": []}])
    page = body(slot(sign_in(viewer), post))
    assert "a minute after the post is out" in page


def test_a_fresh_post_asks_again_by_itself_and_an_old_one_does_not(
    sign_in: SignIn, viewer: User, sent: Callable[..., Delivery]
) -> None:
    fresh, old = sent(at=NOON), sent(at=NOON - 5 * DAY)
    counted(fresh, next_pull_at=NOON + dt.timedelta(minutes=1))  # type: ignore[arg-type]
    counted(old, next_pull_at=NOON + dt.timedelta(hours=5))  # type: ignore[arg-type]
    client = sign_in(viewer)
    for delivery, polls in ((fresh, True), (old, False)):
        page = body(slot(client, posted(delivery)))
        assert ("hx-trigger=" in page) is polls


def test_a_curve_shows_every_count_at_first_and_dates_later(
    sign_in: SignIn, viewer: User, sent: Callable[..., Delivery]
) -> None:
    fresh, old = sent(at=NOON - dt.timedelta(minutes=20)), sent(at=NOON - 4 * DAY)
    for minutes in (1, 5, 15):
        at = NOON - dt.timedelta(minutes=20 - minutes)
        PostSnapshot.objects.create(delivery_id=fresh.pk, taken_at=at, likes=minutes)
    for hours in (1, 2, 30, 60, 61):
        at = NOON - 4 * DAY + dt.timedelta(hours=hours)
        PostSnapshot.objects.create(delivery_id=old.pk, taken_at=at, likes=hours, comments=0)
    client = sign_in(viewer)
    charts = [
        client.get(reverse("analytics:post_numbers", args=[posted(d).pk]), headers=HX)
        .context["numbers"][0]
        .chart
        for d in (fresh, old)
    ]
    assert charts[0]["labels"] == ["Tue 10 Mar, 12:41", "Tue 10 Mar, 12:45", "Tue 10 Mar, 12:55"]
    assert charts[0]["series"] == [{"name": "Likes", "values": [1, 5, 15]}]
    assert charts[1]["labels"] == ["2026-03-06", "2026-03-07", "2026-03-09"]
    assert charts[1]["series"][0]["values"] == [2, 30, 61]


# --- accounts -----------------------------------------------------------------------------------


def test_the_list_shows_followers_and_their_change(
    sign_in: SignIn, viewer: User, sandbox_account: SocialAccount
) -> None:
    follow_for(sandbox_account, {28: 1000, 7: 1200, 1: 1249, 0: 1250})
    page = body(sign_in(viewer).get(reverse("analytics:accounts")))
    assert "1,250" in page
    assert "+50" in page
    assert "+250" in page
    assert "(25.0%)" in page


def test_a_change_is_unknown_when_nothing_was_counted_then(
    sign_in: SignIn, viewer: User, sandbox_account: SocialAccount
) -> None:
    follow_for(sandbox_account, {12: 1000, 0: 1250})
    row = sign_in(viewer).get(reverse("analytics:accounts")).context["rows"][0]
    assert row.week.net is None
    assert row.month.net is None


def test_a_missing_day_is_bridged_by_the_one_before(
    sign_in: SignIn, viewer: User, sandbox_account: SocialAccount
) -> None:
    follow_for(sandbox_account, {9: 1000, 6: 1100, 0: 1250})
    row = sign_in(viewer).get(reverse("analytics:accounts")).context["rows"][0]
    assert row.week.net == 250


def test_old_counts_and_what_keeps_newer_ones_away_are_said(
    sign_in: SignIn, viewer: User, sandbox_account: SocialAccount
) -> None:
    follow_for(sandbox_account, {1: 1000})
    AccountPull.objects.create(
        account=sandbox_account,
        next_at=NOON,
        account_next_at=NOON,
        error="rate_limited",
        error_detail="secret words",
    )
    page = body(sign_in(viewer).get(reverse("analytics:accounts")))
    assert "The network asks us to wait." in page
    assert "secret words" not in page
    assert sign_in(viewer).get(reverse("analytics:accounts")).context["rows"][0].freshness.is_stale


def test_what_to_do_about_counts_that_are_missing_is_said(
    sign_in: SignIn, viewer: User, sandbox_account: SocialAccount
) -> None:
    follow_for(sandbox_account, {0: 1000})
    AccountPull.objects.create(
        account=sandbox_account, next_at=NOON, account_next_at=NOON, error_detail=NOT_SWITCHED_ON
    )
    words = "because the “YouTube Analytics API” is not switched on"
    assert words in body(sign_in(viewer).get(reverse("analytics:accounts")))
    AccountPull.objects.update(error="rate_limited", error_detail="secret words")
    assert words not in body(sign_in(viewer).get(reverse("analytics:accounts")))


def test_the_list_takes_as_many_queries_for_many_accounts_as_for_one(
    sign_in: SignIn,
    viewer: User,
    brand: Brand,
    sandbox_account: SocialAccount,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(30):
        follow_for(make_account(brand, handle=f"a{number}"), {28: 10, 7: 20, 0: 30})
    client = sign_in(viewer)
    with django_assert_max_num_queries(14):
        client.get(reverse("analytics:accounts"))


def test_the_account_page_pools_rates_and_shows_the_median(
    sign_in: SignIn, viewer: User, sandbox_account: SocialAccount, sent: Callable[..., Delivery]
) -> None:
    for likes, impressions in ((10, 100), (10, 900), (10, 1000)):
        counted(sent(at=NOON - 2 * DAY), likes=likes, comments=0, shares=0, impressions=impressions)
    numbers = sign_in(viewer).get(reverse("analytics:account", args=[sandbox_account.pk])).context["numbers"]
    assert numbers.by_impressions.value == Decimal(30) / 2000
    assert numbers.by_impressions_median == Decimal(10) / 900


def test_the_period_counts_days_of_the_brands_zone(
    sign_in: SignIn, viewer: User, sandbox_account: SocialAccount, sent: Callable[..., Delivery]
) -> None:
    # The 28th day back begins at 23:00 UTC of 10 February in Berlin.
    begin = dt.datetime(2026, 2, 10, 23, 0, tzinfo=dt.UTC)
    sent(at=begin - dt.timedelta(minutes=1))
    sent(at=begin)
    client = sign_in(viewer)
    url = reverse("analytics:account", args=[sandbox_account.pk])
    assert client.get(url).context["numbers"].sent == 1
    assert client.get(url, {"days": "90"}).context["numbers"].sent == 2
    assert client.get(url, {"days": "nonsense"}).context["numbers"].days == 28


def test_posts_are_sorted_by_a_number_with_unknown_ones_last(
    sign_in: SignIn, viewer: User, sandbox_account: SocialAccount, sent: Callable[..., Delivery]
) -> None:
    few, many, unknown = (sent(at=NOON - n * DAY) for n in (3, 2, 1))
    counted(few, likes=1, comments=500)
    counted(many, likes=90)
    counted(unknown, likes=None, comments=None, shares=None)
    client = sign_in(viewer)
    url = reverse("analytics:account", args=[sandbox_account.pk])

    def order(sort: str) -> list[Delivery]:
        return [row.delivery for row in client.get(url, {"sort": sort}).context["posts"]]

    assert order("likes") == [many, few, unknown]
    assert order("engagements") == [few, many, unknown]
    assert order("sent") == [unknown, many, few]
    assert order("drop table") == [unknown, many, few]


def test_a_post_without_any_count_yet_is_listed_with_dashes(
    sign_in: SignIn, viewer: User, sandbox_account: SocialAccount, sent: Callable[..., Delivery]
) -> None:
    posted(sent(at=NOON))
    page = body(sign_in(viewer).get(reverse("analytics:account", args=[sandbox_account.pk])))
    assert "Post 1" in page


def test_the_slot_of_the_account_page_is_a_fragment(
    sign_in: SignIn, viewer: User, sandbox_account: SocialAccount
) -> None:
    follow_for(sandbox_account, {28: 1000, 7: 1200, 0: 1250})
    page = body(
        sign_in(viewer).get(reverse("analytics:account_numbers", args=[sandbox_account.pk]), headers=HX)
    )
    assert "<html" not in page
    assert "1,250" in page
    assert 'data-chart="{&quot;labels&quot;' in page


@pytest.mark.parametrize("name", ["account", "account_numbers"])
def test_a_stranger_learns_nothing_of_an_account(
    sign_in: SignIn, stranger: User, sandbox_account: SocialAccount, name: str
) -> None:
    assert sign_in(stranger).get(reverse(f"analytics:{name}", args=[sandbox_account.pk])).status_code == 404


def test_a_stranger_learns_nothing_of_a_post(
    sign_in: SignIn, stranger: User, sent: Callable[..., Delivery]
) -> None:
    post = posted(sent(at=NOON))
    assert sign_in(stranger).get(reverse("analytics:post_numbers", args=[post.pk])).status_code == 404


def test_a_member_of_one_brand_sees_its_accounts_only(
    sign_in: SignIn, viewer: User, brand: Brand, other_brand: Brand, sandbox_account: SocialAccount
) -> None:
    other = make_account(other_brand, handle="tea")
    membership = Membership.objects.get(user=viewer)
    membership.has_all_brands = False
    membership.save()
    membership.brands.add(brand)
    client = sign_in(viewer)
    accounts = [row.account for row in client.get(reverse("analytics:accounts")).context["rows"]]
    assert accounts == [sandbox_account]
    assert client.get(reverse("analytics:account", args=[other.pk])).status_code == 404
