"""The pages Operations and Marketing, the passports of their numbers, and the tables to download."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Brand, Membership, SocialAccount, User
from analytics.selectors.operations import followers_by_day
from analytics.services.goals import NewGoal, create_goal
from analytics.templatetags.numbers import change_words, duration, shown
from campaigns.models import CostKind
from metrics.goals import GoalKind
from metrics.registry import latest
from tests.analytics.history import (
    DAY,
    NOON,
    TODAY,
    campaign_of,
    clicked,
    converted,
    days_ago,
    followers,
    link_of,
    published,
    sold,
    spent,
    waited,
    worked,
)
from tests.cast import make_account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_noon")]

D = Decimal
HX = {"HX-Request": "true"}
SignIn = Callable[[User], Any]


def page(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def rows_of(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/csv")
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def busy(brand: Brand, sandbox_account: SocialAccount) -> SocialAccount:
    """An account with two weeks behind it."""
    followers(sandbox_account, {15: 900, 14: 910, 8: 990, 7: 1000, 0: 1100})
    worked(sandbox_account, 1, published=3, likes=30, comments=5, actionable=2, answered=2)
    worked(sandbox_account, 9, published=1, likes=10)
    published(sandbox_account, NOON - DAY, likes=30, impressions=1000, followers_at_post=1000)
    published(sandbox_account, NOON - 9 * DAY, likes=10, impressions=1000, followers_at_post=1000)
    waited(sandbox_account, NOON - DAY, business_s=900)
    waited(sandbox_account, NOON - 9 * DAY)
    waited(sandbox_account, NOON)
    return sandbox_account


@pytest.fixture
def selling(brand: Brand) -> Brand:
    """A campaign that spends too slowly, with clicks, a lead, a sale, and a week before it."""
    campaign = campaign_of(brand, "Spring", margin_rate=D("0.5"))
    campaign.budget_lines.create(kind=CostKind.MEDIA, amount=31_000)
    spent(campaign, 400, platform="sandbox")
    spent(campaign, 100, kind=CostKind.LABOUR)
    spent(campaign, 1000, days=9)
    click = clicked(link_of(brand, campaign=campaign), 50)
    converted(brand, campaign=campaign, click=click)
    sold(brand, 2000, campaign=campaign, click=click, refunded=500)
    converted(brand)  # of no campaign
    return brand


def figure(response: Any, key: str) -> Any:
    return next(one for one in response.context["numbers"].figures if one.metric.key == key)


# --- operations ---------------------------------------------------------------------------------


def test_operations_stand_beside_the_period_before(
    busy: SocialAccount, sign_in: SignIn, viewer: User
) -> None:
    response = sign_in(viewer).get(reverse("analytics:operations") + "?days=7")
    text = page(response)
    values = {key: (figure(response, key).value, figure(response, key).before) for key in KEYS}
    assert values == {
        "followers": (1100, 1000),
        "net_new_followers": (100, 90),
        "follower_growth_rate": (D("0.1"), D(90) / 910),
        "posting_frequency": (3, 1),
        "engagements": (35, 10),
        "engagement_rate_by_followers": (D("0.03"), D("0.01")),
        "virality_rate": (None, None),
        "response_rate": (1, 0),
        "response_time_median": (900, None),
    }
    assert "1 person waits whose answer is not due yet." in text
    assert "+11%" in text  # 90 to 100
    assert "before: 90" in text
    assert "15 min" in text
    assert "Show as a table" in text


KEYS = (
    "followers",
    "net_new_followers",
    "follower_growth_rate",
    "posting_frequency",
    "engagements",
    "engagement_rate_by_followers",
    "virality_rate",
    "response_rate",
    "response_time_median",
)


def test_an_account_has_a_line_of_its_own(busy: SocialAccount, sign_in: SignIn, viewer: User) -> None:
    make_account(busy.brand, handle="idle")
    response = sign_in(viewer).get(reverse("analytics:operations") + "?days=7")
    found = {
        line.account.handle: {value.metric.key: value.value for value in line.values}
        for line in response.context["numbers"].lines
    }
    assert found["harbour"]["net_new_followers"] == 100
    assert found["harbour"]["response_rate"] == 1
    assert found["idle"] == dict.fromkeys(found["idle"]) | {"posting_frequency": 0}


def test_every_number_of_the_page_leads_to_its_passport(
    busy: SocialAccount, sign_in: SignIn, viewer: User
) -> None:
    client = sign_in(viewer)
    response = client.get(reverse("analytics:operations") + "?days=7")
    links = _passports(page(response))
    assert len(links) == len(response.context["numbers"].figures) + len(
        response.context["numbers"].lines[0].values
    )
    for link in links:
        assert client.get(link).status_code == 200, link


def _passports(text: str) -> list[str]:
    return [
        part.split('"', 1)[0].replace("&amp;", "&") for part in text.split('class="number-link" href="')[1:]
    ]


def test_operations_ask_few_questions(
    busy: SocialAccount,
    sign_in: SignIn,
    viewer: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(20):
        followers(make_account(busy.brand, handle=f"more{number}"), {0: 5})
    client = sign_in(viewer)
    client.get(reverse("analytics:operations"))
    with django_assert_max_num_queries(18):
        client.get(reverse("analytics:operations"))


def test_operations_of_nothing_say_what_to_do(sign_in: SignIn, viewer: User, brand: Brand) -> None:
    assert "No account is connected yet" in page(sign_in(viewer).get(reverse("analytics:operations")))


def test_followers_of_several_accounts_are_added_and_gaps_are_bridged(
    brand: Brand, sandbox_account: SocialAccount
) -> None:
    other = make_account(brand, handle="second")
    dates = [days_ago(days) for days in (4, 3, 2, 1, 0)]
    counts = [
        (other.pk, days_ago(6), 50),
        (sandbox_account.pk, days_ago(4), 10),
        (sandbox_account.pk, days_ago(0), 12),
    ]
    # The second account's count is bridged for three days, then it is no longer known.
    assert followers_by_day(counts, dates) == [60, 60, 10, 10, 12]


# --- marketing ----------------------------------------------------------------------------------


def test_marketing_shows_costs_and_what_came_back(selling: Brand, sign_in: SignIn, marketer: User) -> None:
    response = sign_in(marketer).get(reverse("analytics:marketing") + "?days=7")
    text = page(response)
    values = {key: figure(response, key).value for key in ("spend", "leads", "revenue", "roas", "roi_margin")}
    assert values == {
        "spend": 500,
        "leads": 2,
        "revenue": 1500,
        "roas": D("3.75"),
        "roi_margin": D("0.5"),
    }
    assert figure(response, "spend").before == 1000
    assert "€" not in text or "$1,500.00" in text
    assert "Under pace" in text
    assert "Without a campaign" in text


def test_a_campaign_and_a_network_have_lines_of_their_own(
    selling: Brand, sign_in: SignIn, marketer: User
) -> None:
    numbers = sign_in(marketer).get(reverse("analytics:marketing") + "?days=7").context["numbers"]
    spring, none = numbers.campaigns
    assert (spring.campaign.name, none.campaign) == ("Spring", None)
    assert {value.metric.key: value.value for value in spring.values}["cac"] == 500
    assert {value.metric.key: value.value for value in none.values}["leads"] == 1
    sandbox, nowhere = numbers.networks
    assert (sandbox.label, nowhere.label) == ("Sandbox", "No network")
    assert {value.metric.key: value.value for value in sandbox.values}["cpc"] == 8
    assert [line.campaign.name for line in numbers.alarms] == ["Spring"]


def test_amounts_of_two_currencies_are_shown_by_campaign_only(
    selling: Brand, other_brand: Brand, sign_in: SignIn, marketer: User
) -> None:
    spent(campaign_of(other_brand, "Tea"), 3000)
    response = sign_in(marketer).get(reverse("analytics:marketing") + "?days=7")
    text = page(response)
    assert "Amounts of several currencies are not added up." in text
    assert "¥3,000" in text
    assert {one.metric.key for one in response.context["numbers"].figures} == {
        "clicks",
        "ctr",
        "leads",
        "customers",
        "conversion_rate",
    }


def test_marketing_asks_few_questions(
    selling: Brand,
    sign_in: SignIn,
    marketer: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(10):
        spent(campaign_of(selling, f"More {number}"), 10)
    client = sign_in(marketer)
    client.get(reverse("analytics:marketing"))
    with django_assert_max_num_queries(22):  # eight of them are the frame's
        client.get(reverse("analytics:marketing"))


def test_marketing_of_nothing_says_what_to_do(sign_in: SignIn, marketer: User, brand: Brand) -> None:
    assert "Nothing of campaigns in this period" in page(
        sign_in(marketer).get(reverse("analytics:marketing"))
    )


def test_a_responder_sees_no_marketing(selling: Brand, sign_in: SignIn, responder: User) -> None:
    client = sign_in(responder)
    for name in ("analytics:marketing", "analytics:marketing_csv"):
        assert client.get(reverse(name)).status_code == 403
    assert reverse("analytics:marketing") not in page(client.get(reverse("analytics:together")))


# --- passports ----------------------------------------------------------------------------------


def passport_of(key: str, scope: str, pk: Any, **query: str) -> str:
    given = {"from": days_ago(6).isoformat(), "to": TODAY.isoformat(), **query}
    path = reverse("analytics:passport", args=[key, scope, pk])
    return f"{path}?{'&'.join(f'{name}={value}' for name, value in given.items())}"


def test_a_passport_says_how_a_ratio_was_made(selling: Brand, sign_in: SignIn, marketer: User) -> None:
    text = page(sign_in(marketer).get(passport_of("cpl", "brand", selling.pk), headers=HX))
    assert text.startswith("<dialog")
    for words in (
        "Cost per lead (CPL)",
        "$250.00",  # 500 ÷ 2
        "$500.00",
        "÷ Leads",
        "2 rows",
        "Costs that nobody entered.",
        "version 1",
        "Europe/Berlin",
        "newest",
        "4 Mar 2026 – 10 Mar 2026",
    ):
        assert words in text, words


def test_a_passport_is_a_page_of_its_own_without_htmx(
    busy: SocialAccount, sign_in: SignIn, viewer: User
) -> None:
    text = page(sign_in(viewer).get(passport_of("followers", "account", busy.pk)))
    assert "<html" in text
    assert "1,100" in text
    assert "As it stood on the last day" in text
    assert "One person who follows two accounts is counted on each of them." in text


def test_a_passport_of_one_post_is_about_all_it_did_so_far(
    brand: Brand, sandbox_account: SocialAccount, sign_in: SignIn, viewer: User
) -> None:
    post = published(sandbox_account, NOON - 40 * DAY, likes=30, comments=12, followers_at_post=1200)
    text = page(
        sign_in(viewer).get(passport_of("engagement_rate_by_followers", "delivery", post.delivery_id))
    )
    for words in ("3.50%", "42", "1,200", "Everything so far"):
        assert words in text


def test_a_passport_without_a_value_says_why(brand: Brand, sign_in: SignIn, viewer: User) -> None:
    text = page(sign_in(viewer).get(passport_of("conversion_rate", "brand", brand.pk)))
    assert "“Clicks” is 0, and nothing can be divided by it." in text


def test_a_page_and_its_passport_have_the_same_number(
    selling: Brand, busy: SocialAccount, sign_in: SignIn, marketer: User
) -> None:
    client = sign_in(marketer)
    for name in ("analytics:operations", "analytics:marketing"):
        for one in client.get(reverse(name) + "?days=7").context["numbers"].figures:
            response = client.get(passport_of(one.metric.key, "brand", selling.pk))
            assert response.context["passport"].measured.value == one.value, one.metric.key


def test_every_metric_has_a_passport_wherever_it_may_be_asked(
    selling: Brand, busy: SocialAccount, sign_in: SignIn, marketer: User
) -> None:
    client = sign_in(marketer)
    campaign = selling.campaigns.get()
    post = published(busy, NOON - DAY, likes=1)
    subjects = {
        "brand": selling.pk,
        "account": busy.pk,
        "campaign": campaign.pk,
        "post": post.delivery_id,
    }
    names = {"post": "delivery"}
    for definition in latest():
        for scope, pk in subjects.items():
            path = passport_of(definition.key, names.get(scope, scope), pk)
            wanted = 200 if scope in definition.scopes else 404
            assert client.get(path).status_code == wanted, (definition.key, scope)
        if "platform" in definition.scopes:
            assert (
                client.get(passport_of(definition.key, "brand", selling.pk, network="sandbox")).status_code
                == 200
            )


@pytest.mark.parametrize("scope", ["brand", "campaign", "organization"])
def test_money_has_no_passport_for_a_responder(
    selling: Brand, sign_in: SignIn, responder: User, scope: str
) -> None:
    pk = {
        "brand": selling.pk,
        "campaign": selling.campaigns.get().pk,
        "organization": selling.organization_id,
    }[scope]
    client = sign_in(responder)
    for definition in latest():
        if definition.shows_money and (scope in definition.scopes or scope == "organization"):
            path = passport_of(definition.key, scope, pk)
            assert client.get(path).status_code == 403, definition.key
            assert client.get(path.replace("/?", "/rows.csv?")).status_code == 403, definition.key


def test_rows_of_campaigns_are_not_for_a_responder(selling: Brand, sign_in: SignIn, responder: User) -> None:
    client = sign_in(responder)
    path = passport_of("leads", "brand", selling.pk)
    assert "2 rows" in page(client.get(path))
    assert "rows.csv" not in page(client.get(path))
    assert client.get(path.replace("/?", "/rows.csv?")).status_code == 403


def test_a_passport_of_what_there_is_not_is_not_found(brand: Brand, sign_in: SignIn, viewer: User) -> None:
    client = sign_in(viewer)
    for path in (
        passport_of("luck", "brand", brand.pk),
        passport_of("followers", "planet", brand.pk),
        passport_of("followers", "organization", brand.pk),
        passport_of("followers", "brand", brand.pk, to=days_ago(9).isoformat()),
        passport_of("followers", "brand", brand.pk, to="never"),
        passport_of("pacing", "brand", brand.pk),
    ):
        assert client.get(path).status_code in (403, 404), path


def test_a_stranger_and_a_member_of_another_brand_find_no_passport(
    busy: SocialAccount, other_brand: Brand, sign_in: SignIn, stranger: User, manager: User
) -> None:
    paths = [
        passport_of("followers", scope, pk) for scope, pk in (("brand", busy.brand_id), ("account", busy.pk))
    ]
    membership = Membership.objects.get(user=manager)
    membership.has_all_brands = False
    membership.save()
    membership.brands.add(other_brand)
    for person in (stranger, manager):
        client = sign_in(person)
        for path in paths:
            assert client.get(path).status_code == 404
            assert client.get(path.replace("/?", "/rows.csv?")).status_code == 404


def test_the_followers_of_a_goal_have_a_passport_with_the_same_number(
    busy: SocialAccount, sign_in: SignIn, owner: User
) -> None:
    new = NewGoal("More", GoalKind.DELTA, "followers", days_ago(6), TODAY, D(500))
    goal = create_goal(brand=busy.brand, new=new, actor=owner, now=NOON)
    followers(make_account(busy.brand, handle="bought"), {0: 10_000})
    client = sign_in(owner)
    (link, *_rest) = [
        part.split('"', 1)[0].replace("&amp;", "&")
        for part in page(client.get(reverse("analytics:goal", args=[goal.pk]))).split(
            'class="number-link goal-value" href="'
        )[1:]
    ]
    assert client.get(link).context["passport"].measured.value == 1100


# --- tables to download -------------------------------------------------------------------------


def test_the_tables_of_the_pages_can_be_downloaded(
    selling: Brand, busy: SocialAccount, sign_in: SignIn, marketer: User
) -> None:
    client = sign_in(marketer)
    (line,) = rows_of(client.get(reverse("analytics:operations_csv") + "?days=7"))
    assert (line["account"], line["net_new_followers"]) == ("harbour", "100")
    spring, none = rows_of(client.get(reverse("analytics:marketing_csv") + "?days=7"))
    assert (spring["campaign"], spring["spend"], spring["currency"]) == ("Spring", "500.0000", "USD")
    assert none["campaign"] == ""
    networks = rows_of(client.get(reverse("analytics:marketing_csv") + "?days=7&by=network"))
    assert [row["network"] for row in networks] == ["Sandbox", "No network"]
    (account,) = rows_of(client.get(reverse("analytics:accounts_csv")))
    assert account["followers"] == "1100"
    posts = rows_of(client.get(reverse("analytics:posts_csv", args=[busy.pk]) + "?days=7"))
    assert [row["likes"] for row in posts] == ["30"]


def test_goals_and_check_ins_can_be_downloaded(
    selling: Brand, owner: User, sign_in: SignIn, viewer: User, marketer: User
) -> None:
    for key in ("leads", "revenue"):
        new = NewGoal(f"=cmd {key}", GoalKind.CUMULATIVE, key, days_ago(6), TODAY, D(10))
        goal = create_goal(brand=selling, new=new, actor=owner, now=NOON)
    (leads,) = rows_of(sign_in(viewer).get(reverse("analytics:goals_csv")))
    assert leads["goal"] == "'=cmd leads"  # a spreadsheet shows it, and runs nothing
    assert leads["metric"] == "leads"
    client = sign_in(marketer)
    assert len(rows_of(client.get(reverse("analytics:goals_csv")))) == 2
    checkins = rows_of(client.get(reverse("analytics:checkins_csv", args=[goal.pk])))
    assert [row["is_final"] for row in checkins] == ["1"] * 6 + ["0"]


def test_the_rows_behind_a_number_are_those_that_were_counted(
    selling: Brand, busy: SocialAccount, sign_in: SignIn, marketer: User
) -> None:
    client = sign_in(marketer)
    clicked(link_of(selling), 3, is_bot=True)
    wanted = {
        ("cpl", "spend"): 2,
        ("cpl", "leads"): 2,
        ("roas", "sales"): 1,
        ("roas", "media_spend"): 1,
        ("clicks", "clicks"): 50,
        ("customers", "customers"): 1,
        ("response_rate", "waits"): 2,
        ("virality_rate", "posts"): 1,
        ("likes", "account_days"): 2,
    }
    for (key, source), number in wanted.items():
        path = passport_of(key, "brand", selling.pk, source=source)
        shown_there = {one.source: one.rows for one in client.get(path).context["passport"].sources}
        rows = rows_of(client.get(path.replace("/?", "/rows.csv?")))
        assert (len(rows), shown_there[source]) == (number, number), (key, source)


# --- how numbers are written --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "key", "currency", "text"),
    [
        (1234, "followers", "", "1,234"),
        (D("12.34"), "leads", "", "12.3"),
        (D("0.0345"), "ctr", "", "3.45%"),
        (D("0.345"), "response_rate", "", "34.5%"),
        (D("-0.2"), "roi_margin", "", "−20.0%"),
        (3000, "cpl", "JPY", "¥3,000"),
        (3000, "cpl", "", "–"),
        (D("1.6"), "roas", "", "1.60×"),
        (D("2.54"), "posting_frequency", "", "2.5"),
        (12_000, "response_time_median", "", "3 h 20 min"),
        (None, "leads", "", "–"),
    ],
)
def test_a_value_is_written_in_its_unit(value: Any, key: str, currency: str, text: str) -> None:
    assert shown(value, key, currency) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (45, "45 s"), (60, "1 min"), (3599, "1 h"), (3600, "1 h"), (112_200, "31 h 10 min")],
)
def test_a_duration_is_written_in_hours_and_minutes(seconds: int | None, text: str) -> None:
    assert duration(seconds) == text


def test_a_change_is_written_with_its_sign(busy: SocialAccount, sign_in: SignIn, viewer: User) -> None:
    response = sign_in(viewer).get(reverse("analytics:operations") + "?days=7")
    assert change_words(figure(response, "followers")) == "+10%"
    assert change_words(figure(response, "engagement_rate_by_followers")) == "+2.0 points"
    assert change_words(figure(response, "response_time_median")) == ""
