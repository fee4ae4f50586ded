from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import SocialAccount, User
from campaigns.models import Campaign, Click, TrackedLink
from campaigns.selectors.links import clicks_of_campaign, links_of, rows_of
from campaigns.services.links import make_link, short_url
from tests.campaigns.conftest import NOW

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Any]


def link_of(campaign: Campaign, url: str = "https://shop.example.com/a", **fields: Any) -> TrackedLink:
    return make_link(brand=campaign.brand, campaign=campaign, url=url, actor=None, now=NOW, **fields)


def clicked(link: TrackedLink, *visitors: str, is_bot: bool = False) -> None:
    for visitor in visitors:
        Click.objects.create(link=link, at=NOW, is_bot=is_bot, visitor=visitor)


def body(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- counting -----------------------------------------------------------------------------------


def test_people_programs_and_visitors_are_counted_apart(campaign: Campaign) -> None:
    link, other = link_of(campaign), link_of(campaign, "https://shop.example.com/b")
    clicked(link, "a", "a", "b", "")
    clicked(link, "c", is_bot=True)
    clicked(other, "a")
    (row,) = [row for row in rows_of(list(links_of(campaign))) if row.link == link]
    assert (row.clicks.people, row.clicks.bots, row.clicks.visitors) == (4, 1, 2)
    total = clicks_of_campaign(campaign)
    assert (total.people, total.bots, total.visitors) == (5, 1, 2)


def test_a_link_that_nobody_opened_has_zeros(campaign: Campaign) -> None:
    link_of(campaign)
    (row,) = rows_of(list(links_of(campaign)))
    assert (row.clicks.people, row.clicks.bots, row.clicks.visitors) == (0, 0, 0)


def test_many_links_cost_one_query_for_their_clicks(
    campaign: Campaign, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        clicked(link_of(campaign, f"https://shop.example.com/{number}"), "a")
    links = list(links_of(campaign))
    with django_assert_num_queries(1):
        assert sum(row.clicks.people for row in rows_of(links)) == 10


# --- pages --------------------------------------------------------------------------------------


def test_a_link_is_made_by_hand_and_can_be_copied(
    sign_in: SignIn, marketer: User, campaign: Campaign
) -> None:
    client = sign_in(marketer)
    made = client.post(
        reverse("campaigns:link_create", args=[campaign.pk]),
        {"url": " shop.example.com/flyer?x=1 ", "platform": "", "content": "flyer"},
        follow=True,
    )
    link = TrackedLink.objects.get()
    assert link.original_url == "https://shop.example.com/flyer?x=1"
    assert link.target_url == ("https://shop.example.com/flyer?x=1&utm_campaign=spring&utm_content=flyer")
    assert link.created_by == marketer
    page = body(made)
    assert short_url(link) in page
    assert f'data-copy-from="#short-{link.code}"' in page
    assert "Elsewhere" in page


def test_a_link_for_a_network_names_it_as_its_source(
    sign_in: SignIn, marketer: User, campaign: Campaign
) -> None:
    sign_in(marketer).post(
        reverse("campaigns:link_create", args=[campaign.pk]),
        {"url": "https://shop.example.com", "platform": "mastodon", "content": ""},
    )
    link = TrackedLink.objects.get()
    assert (link.platform, link.account) == ("mastodon", None)
    assert "utm_source=mastodon&utm_medium=social" in link.target_url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("javascript:alert(1)", "begin with http:// or https://"),
        ("data:text/html,x", "begin with http:// or https://"),
        ("https://user:secret@example.com", "a user name or a password"),
        ("https://", "names no server"),
        ("https://a b.example.com", "blanks"),
        ("http://127.0.0.1:8000/l/abc1234", "a tracked link already"),
        ("https://example.com/" + "あ" * 500, "too long"),
        ("", "required"),
    ],
)
def test_an_address_that_cannot_be_tracked_is_explained(
    sign_in: SignIn, marketer: User, campaign: Campaign, url: str, words: str
) -> None:
    response = sign_in(marketer).post(
        reverse("campaigns:link_create", args=[campaign.pk]), {"url": url, "platform": "", "content": ""}
    )
    assert response.status_code == 422
    assert words in body(response)
    assert not TrackedLink.objects.exists()


def test_links_are_paged(sign_in: SignIn, marketer: User, campaign: Campaign) -> None:
    for number in range(55):
        link = link_of(campaign, f"https://shop.example.com/{number}")
        TrackedLink.objects.filter(pk=link.pk).update(created_at=NOW + dt.timedelta(minutes=number))
    client = sign_in(marketer)
    address = reverse("campaigns:links", args=[campaign.pk])
    page = body(client.get(address))
    assert "1 to 50 of 55" in page
    assert "https://shop.example.com/54<" in page
    assert "https://shop.example.com/4<" not in page
    assert "https://shop.example.com/4<" in body(client.get(address + "?page=2"))


def test_addresses_of_authors_are_shown_and_never_run(
    sign_in: SignIn, marketer: User, campaign: Campaign
) -> None:
    link_of(campaign, 'https://shop.example.com/"><script>alert(1)</script>')
    page = sign_in(marketer).get(reverse("campaigns:links", args=[campaign.pk])).content.decode()
    assert "<script>alert" not in page


def test_who_only_looks_sees_links_and_makes_none(
    sign_in: SignIn, manager: User, campaign: Campaign, sandbox_account: SocialAccount
) -> None:
    link = link_of(campaign, account=sandbox_account)
    client = sign_in(manager)
    page = body(client.get(reverse("campaigns:links", args=[campaign.pk])))
    assert short_url(link) in page
    assert "Make a link" not in page
    created = reverse("campaigns:link_create", args=[campaign.pk])
    assert client.post(created, {"url": "https://example.com"}).status_code == 403
    assert TrackedLink.objects.count() == 1
