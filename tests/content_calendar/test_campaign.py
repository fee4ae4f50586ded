"""Posts of a campaign: chosen in the composer, counted with short links, frozen with tracked ones."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import AuditEntry, Brand, SocialAccount, User
from campaigns.models import Campaign, Click, TrackedLink
from campaigns.services.campaigns import archive_campaign
from connectors.base import LinkCard
from content_calendar.content import Part, addresses_in, parts_from_json, parts_to_json, with_addresses
from content_calendar.models import Post
from content_calendar.selectors.checks import as_sent, check_content
from content_calendar.services.drafts import (
    CampaignUnknown,
    Draft,
    create_post,
    duplicate_post,
    save_draft,
)
from content_calendar.services.scheduling import (
    NotReady,
    publish_now,
    schedule_post,
    unschedule,
    update_scheduled,
)
from outbox.models import Delivery, DeliveryState, ReceiptKind
from tests.campaigns.conftest import make_campaign
from tests.content_calendar.conftest import LATER, NOW
from tests.content_calendar.test_composer import autosave, check, form, send

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
SHOP = "https://shop.example.com/beans?size=2#reviews"
GO = "https://go.example.com/l/"


@pytest.fixture(autouse=True)
def _clock(settings: Settings) -> Any:
    settings.LINK_BASE_URL = "https://go.example.com"
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def spring(brand: Brand) -> Campaign:
    return make_campaign(brand, "Spring")


def written(
    brand: Brand, author: User, campaign: Campaign | None, *parts: Part, accounts: Any = (), **fields: Any
) -> Post:
    draft = Draft(
        parts=parts or (Part(f"New beans {SHOP}"),),
        accounts=tuple(account.pk for account in accounts),
        campaign=campaign.pk if campaign else None,
        planned_at=LATER,
        **fields,
    )
    return create_post(brand=brand, author=author, draft=draft, now=NOW)


def texts(delivery: Delivery) -> list[str]:
    return [part["text"] for part in delivery.payload["parts"]]


# --- freezing -----------------------------------------------------------------------------------


def test_links_become_tracked_ones_of_each_delivery(
    brand: Brand,
    manager: User,
    spring: Campaign,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
) -> None:
    post = written(brand, manager, spring, accounts=(sandbox_account, second_account))
    post = schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    links = {link.account_id: link for link in TrackedLink.objects.all()}
    assert set(links) == {sandbox_account.pk, second_account.pk}
    for delivery in Delivery.objects.all():
        link = links[delivery.account_id]
        assert texts(delivery) == [f"New beans {GO}{link.code}"]
        assert (link.delivery, link.campaign, link.original_url) == (delivery, spring, SHOP)
        assert f"utm_source={link.platform}&utm_medium=social&utm_campaign=spring" in link.target_url
        assert f"utm_content={delivery.pk}" in link.target_url
        # Nothing was changed afterwards: it was scheduled with these words.
        assert list(delivery.receipt.values_list("kind", flat=True)) == [ReceiptKind.SCHEDULED]
    post.refresh_from_db()
    assert post.parts[0]["text"] == f"New beans {SHOP}"  # the author's own words stay


def test_posts_without_a_campaign_keep_their_links(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    post = written(brand, manager, None, accounts=(sandbox_account,))
    publish_now(post=post, actor=manager, now=NOW)
    assert texts(Delivery.objects.get()) == [f"New beans {SHOP}"]
    assert not TrackedLink.objects.exists()


def test_threads_cards_and_own_words_are_tracked(
    brand: Brand,
    manager: User,
    spring: Campaign,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
) -> None:
    card = LinkCard("https://shop.example.com/card", "Card", "About")
    post = written(
        brand,
        manager,
        spring,
        Part(f"One {SHOP}"),
        Part(f"Two {SHOP}", link_card=card),
        accounts=(sandbox_account, second_account),
        own_parts={second_account.pk: (Part("Mine https://shop.example.com/own"),)},
    )
    post = schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    thread = Delivery.objects.get(account=sandbox_account)
    same, of_card = TrackedLink.objects.filter(delivery=thread).order_by("created_at", "pk")
    assert texts(thread) == [f"One {GO}{same.code}", f"Two {GO}{same.code}"]
    frozen = thread.payload["parts"][1]["link_card"]
    assert (frozen["url"], frozen["title"]) == (f"{GO}{of_card.code}", "Card")
    own = Delivery.objects.get(account=second_account)
    assert texts(own)[0].startswith(f"Mine {GO}")


def test_freezing_again_uses_the_same_links(
    brand: Brand, manager: User, spring: Campaign, sandbox_account: SocialAccount
) -> None:
    post = written(brand, manager, spring, accounts=(sandbox_account,))
    post = schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    link = TrackedLink.objects.get()
    draft = replace(Draft.of_post(post), parts=(Part(f"Better words {SHOP} https://example.com/new"),))
    post = update_scheduled(post=post, version=post.version, draft=draft, actor=manager, now=NOW)
    (text,) = texts(Delivery.objects.get())
    assert text.startswith(f"Better words {GO}{link.code} {GO}")
    assert TrackedLink.objects.count() == 2
    # Nothing changed: nothing is frozen anew.
    update_scheduled(post=post, version=post.version, draft=draft, actor=manager, now=NOW)
    assert Delivery.objects.get().receipt.filter(kind=ReceiptKind.CHANGED).count() == 1
    assert TrackedLink.objects.count() == 2


def test_a_scheduled_post_is_put_into_another_campaign_with_its_links(
    brand: Brand, manager: User, spring: Campaign, sandbox_account: SocialAccount
) -> None:
    post = written(brand, manager, spring, accounts=(sandbox_account,))
    post = schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    autumn = make_campaign(brand, "Autumn")
    draft = replace(Draft.of_post(post), campaign=autumn.pk)
    post = update_scheduled(post=post, version=post.version, draft=draft, actor=manager, now=NOW)
    link = TrackedLink.objects.get()
    assert link.campaign == autumn
    assert "utm_campaign=autumn" in link.target_url
    assert AuditEntry.objects.latest("pk").detail["campaign"] == "Autumn"
    # And out of any: the links stand as they were written.
    draft = replace(Draft.of_post(post), campaign=None)
    update_scheduled(post=post, version=post.version, draft=draft, actor=manager, now=NOW)
    assert texts(Delivery.objects.get()) == [f"New beans {SHOP}"]


def test_what_was_published_keeps_its_links_when_the_post_goes_on(
    brand: Brand,
    manager: User,
    spring: Campaign,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
) -> None:
    post = written(brand, manager, spring, accounts=(sandbox_account, second_account))
    post = schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    sent = Delivery.objects.get(account=sandbox_account)
    Delivery.objects.filter(pk=sent.pk).update(state=DeliveryState.SENT, sent_at=NOW)
    autumn = make_campaign(brand, "Autumn")
    draft = replace(Draft.of_post(post), campaign=autumn.pk)
    update_scheduled(post=post, version=post.version, draft=draft, actor=manager, now=NOW)
    campaigns = dict(TrackedLink.objects.values_list("account_id", "campaign__name"))
    assert campaigns == {sandbox_account.pk: "Spring", second_account.pk: "Autumn"}


def test_a_post_that_was_taken_back_gets_new_links_and_the_old_ones_are_not_listed(
    brand: Brand, manager: User, spring: Campaign, sandbox_account: SocialAccount
) -> None:
    from campaigns.selectors.links import links_of

    post = written(brand, manager, spring, accounts=(sandbox_account,))
    post = schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    unschedule(post=post, actor=manager, now=NOW)
    old = TrackedLink.objects.get()
    post = schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    fresh = TrackedLink.objects.exclude(pk=old.pk).get()
    assert list(links_of(spring)) == [fresh]
    Click.objects.create(link=old, at=NOW, is_bot=False)  # somebody had it after all
    assert set(links_of(spring)) == {old, fresh}


def test_a_post_of_an_archived_campaign_keeps_it(
    brand: Brand, manager: User, spring: Campaign, sandbox_account: SocialAccount
) -> None:
    post = written(brand, manager, spring, accounts=(sandbox_account,))
    post = schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    archive_campaign(campaign=spring, actor=manager, now=NOW)
    draft = replace(Draft.of_post(post), parts=(Part(f"Other words {SHOP}"),))
    update_scheduled(post=post, version=post.version, draft=draft, actor=manager, now=NOW)
    assert texts(Delivery.objects.get()) == [f"Other words {GO}{TrackedLink.objects.get().code}"]


def test_nothing_is_made_when_scheduling_is_refused(
    brand: Brand, manager: User, spring: Campaign, sandbox_account: SocialAccount
) -> None:
    post = written(brand, manager, spring, Part(f"{'x' * 501} {SHOP}"), accounts=(sandbox_account,))
    with pytest.raises(NotReady):
        schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    assert not TrackedLink.objects.exists()
    assert not Delivery.objects.exists()


# --- counting -----------------------------------------------------------------------------------


def test_a_long_address_that_becomes_short_fits(
    brand: Brand, manager: User, spring: Campaign, sandbox_account: SocialAccount
) -> None:
    long = Part(f"{'x' * 450} https://shop.example.com/{'y' * 200}")
    for campaign in (None, spring):
        post = written(brand, manager, campaign, long, accounts=(sandbox_account,))
        if campaign is None:
            with pytest.raises(NotReady):
                schedule_post(post=post, at=LATER, actor=manager, now=NOW)
        else:
            schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    (text,) = texts(Delivery.objects.get())
    counted = check_content(sandbox_account, as_sent((long,), is_tracked=True), {}).counts[0].used
    assert len(text) == counted == 451 + len(GO) + 7


ANY_TEXT = st.lists(
    st.sampled_from(
        [
            "こんにちは",
            "。",
            "（",
            "）",
            " ",
            "\n",
            "(",
            ").",
            SHOP,
            "http://日本語.jp/x",
            "https://go.example.com/l/abc1234",
        ]
    ),
    max_size=8,
).map("".join)


@given(
    ANY_TEXT, st.one_of(st.none(), st.sampled_from([SHOP, "ftp://example.com/", "https://a:b@example.com"]))
)
def test_other_addresses_change_nothing_else(text: str, card: str | None) -> None:
    parts = (Part(text, link_card=LinkCard(card, "t", "d") if card else None),)
    there = {url: f"https://short.example.com/{n}" for n, url in enumerate(addresses_in(parts))}
    back = {short: url for url, short in there.items()}
    assert with_addresses(with_addresses(parts, there), back) == parts
    assert with_addresses(parts, {}) == parts
    assert parts_from_json(parts_to_json(with_addresses(parts, there))) == with_addresses(parts, there)


# --- drafts -------------------------------------------------------------------------------------


def test_only_current_campaigns_of_the_brand_can_be_chosen(
    brand: Brand, other_brand: Brand, creator: User, manager: User, spring: Campaign
) -> None:
    archived = make_campaign(brand, "Old")
    archive_campaign(campaign=archived, actor=manager, now=NOW)
    for wrong in (archived, make_campaign(other_brand, "Tea"), Campaign(brand=brand)):
        with pytest.raises(CampaignUnknown):
            written(brand, creator, wrong)
    assert not Post.objects.exists()
    post = written(brand, creator, spring)
    archive_campaign(campaign=spring, actor=manager, now=NOW)
    saved = save_draft(post=post, version=1, draft=Draft.of_post(post), now=NOW)
    assert saved.campaign_id == spring.pk


def test_a_copy_belongs_to_the_campaign_unless_that_is_over(
    brand: Brand, creator: User, manager: User, spring: Campaign
) -> None:
    post = written(brand, creator, spring)
    assert duplicate_post(post=post, actor=creator, now=NOW).campaign == spring
    archive_campaign(campaign=spring, actor=manager, now=NOW)
    assert duplicate_post(post=post, actor=creator, now=NOW).campaign is None


# --- the composer -------------------------------------------------------------------------------


def test_a_creator_chooses_the_campaign_by_its_name_and_sees_no_budget(
    sign_in: SignIn, creator: User, brand: Brand, spring: Campaign
) -> None:
    address = reverse("content_calendar:compose")
    page = sign_in(creator).get(address).content.decode()
    assert f'<option value="{spring.pk}">Spring</option>' in page
    page = sign_in(creator).get(f"{address}?campaign={spring.pk}").content.decode()
    assert f'<option value="{spring.pk}" selected>Spring</option>' in page


def test_the_campaign_decides_the_brand_of_a_new_post(
    sign_in: SignIn, creator: User, brand: Brand, other_brand: Brand
) -> None:
    tea = make_campaign(other_brand, "Tea")
    client = sign_in(creator)
    page = client.get(reverse("content_calendar:compose") + f"?campaign={tea.pk}")
    assert page.context["brand"] == other_brand
    assert page.context["given"].campaign == tea.pk
    for nonsense in ("x", str(uuid.uuid4())):
        page = client.get(reverse("content_calendar:compose") + f"?campaign={nonsense}")
        assert page.context["given"].campaign is None


def test_a_brand_without_campaigns_is_not_asked(sign_in: SignIn, creator: User, brand: Brand) -> None:
    page = sign_in(creator).get(reverse("content_calendar:compose")).content.decode()
    assert 'name="campaign"' not in page


def test_checks_count_and_show_the_short_address(
    sign_in: SignIn, creator: User, brand: Brand, spring: Campaign, sandbox_account: SocialAccount
) -> None:
    client = sign_in(creator)
    given = form(brand, sandbox_account, text=f"New beans {SHOP}")
    plain = check(client, uuid.uuid4(), given)
    tracked = check(client, uuid.uuid4(), given | {"campaign": str(spring.pk)})
    used, short = 10 + len(SHOP), 10 + len(GO) + 7
    assert f"{used} / 500" in plain
    assert f"{short} / 500" in tracked
    assert f"{GO}xxxxxxx" in tracked
    assert "This link becomes a short one" in tracked
    assert SHOP in tracked.split('id="campaign-note"')[1]  # which one
    assert "With a campaign, links in the text become short ones" in plain


def test_the_note_says_when_there_is_no_link_yet(
    sign_in: SignIn, creator: User, brand: Brand, spring: Campaign, sandbox_account: SocialAccount
) -> None:
    given = form(brand, sandbox_account, text="No link", campaign=str(spring.pk))
    assert "There is no link in the text yet." in check(sign_in(creator), uuid.uuid4(), given)


def test_autosave_keeps_the_campaign(
    sign_in: SignIn, creator: User, brand: Brand, spring: Campaign, sandbox_account: SocialAccount
) -> None:
    client, fresh = sign_in(creator), uuid.uuid4()
    given = form(brand, sandbox_account, campaign=str(spring.pk))
    assert autosave(client, fresh, given).status_code == 200
    assert Post.objects.get().campaign == spring
    page = client.get(reverse("content_calendar:edit", args=[fresh])).content.decode()
    assert f'<option value="{spring.pk}" selected>' in page
    assert autosave(client, fresh, given | {"campaign": ""}).status_code == 200
    assert Post.objects.get().campaign is None


def test_a_campaign_that_was_archived_meanwhile_is_explained_and_the_words_kept(
    sign_in: SignIn,
    creator: User,
    manager: User,
    brand: Brand,
    spring: Campaign,
    sandbox_account: SocialAccount,
) -> None:
    archive_campaign(campaign=spring, actor=manager, now=NOW)
    client, fresh = sign_in(creator), uuid.uuid4()
    given = form(brand, sandbox_account, text="My words", campaign=str(spring.pk))
    answer = autosave(client, fresh, given)
    assert answer.status_code == 409
    assert "cannot be chosen any more" in answer.json()["error"]
    page = send(client, fresh, given)
    assert page.status_code == 422
    assert "My words" in page.content.decode()
    assert not Post.objects.exists()


def test_a_manager_schedules_with_a_campaign_from_the_composer(
    sign_in: SignIn, manager: User, brand: Brand, spring: Campaign, sandbox_account: SocialAccount
) -> None:
    given = form(
        brand,
        sandbox_account,
        text=f"New beans {SHOP}",
        campaign=str(spring.pk),
        date="2026-11-24",
        time="10:00",
        action="schedule",
    )
    assert send(sign_in(manager), uuid.uuid4(), given).status_code == 302
    assert texts(Delivery.objects.get()) == [f"New beans {GO}{TrackedLink.objects.get().code}"]


# --- where posts are shown ----------------------------------------------------------------------


def test_lists_and_calendar_show_the_campaign_and_are_narrowed_by_it(
    sign_in: SignIn,
    manager: User,
    viewer: User,
    brand: Brand,
    spring: Campaign,
    sandbox_account: SocialAccount,
) -> None:
    mine = written(brand, manager, spring, Part("of the campaign"), accounts=(sandbox_account,))
    drafted = written(brand, manager, spring, Part("drafted for it"), accounts=(sandbox_account,))
    other = written(brand, manager, None, Part("of none"), accounts=(sandbox_account,))
    for post in (mine, other):
        schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    client = sign_in(viewer)
    page = client.get(reverse("content_calendar:posts") + f"?campaign={spring.pk}").content.decode()
    assert "of the campaign" in page
    assert "drafted for it" in page
    assert "of none" not in page
    assert f'<option value="{spring.pk}" selected>Spring</option>' in page
    feed = reverse("content_calendar:events")
    start, end = (NOW - dt.timedelta(days=1)).isoformat(), (NOW + dt.timedelta(days=10)).isoformat()
    everything = client.get(feed, {"start": start, "end": end}).json()
    told = {event["title"]: event.get("campaign") for event in everything["events"]}
    assert told == {"of the campaign": 0, "drafted for it": 0, "of none": None}
    assert everything["campaigns"] == ["Spring"]
    narrowed = client.get(feed, {"start": start, "end": end, "campaign": str(spring.pk)}).json()
    assert {event["post"] for event in narrowed["events"]} == {str(mine.pk), str(drafted.pk)}


def test_the_post_page_links_to_the_campaign_for_those_who_may_see_it(
    sign_in: SignIn,
    manager: User,
    viewer: User,
    brand: Brand,
    spring: Campaign,
    sandbox_account: SocialAccount,
) -> None:
    post = written(brand, manager, spring, accounts=(sandbox_account,))
    post = schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    delivery = Delivery.objects.get()
    address = reverse("content_calendar:post", args=[post.pk])
    slot = reverse("campaigns:delivery_links", args=[delivery.pk])
    page = sign_in(manager).get(address).content.decode()
    assert reverse("campaigns:campaign", args=[spring.pk]) in page
    assert slot in page
    page = sign_in(viewer).get(address).content.decode()
    assert "Spring" in page
    assert reverse("campaigns:campaign", args=[spring.pk]) not in page
    assert slot not in page


def test_the_slot_shows_links_with_their_clicks(
    sign_in: SignIn, manager: User, brand: Brand, spring: Campaign, sandbox_account: SocialAccount
) -> None:
    post = written(brand, manager, spring, accounts=(sandbox_account,))
    post = schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    link = TrackedLink.objects.get()
    for is_bot in (False, False, True):
        Click.objects.create(link=link, at=NOW, is_bot=is_bot)
    slot = reverse("campaigns:delivery_links", args=[link.delivery_id])
    part = sign_in(manager).get(slot, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert SHOP in part
    assert "2 clicks" in part
    assert "+ 1 by programs" in part


def test_the_page_of_a_campaign_shows_its_posts(
    sign_in: SignIn,
    marketer: User,
    manager: User,
    stranger: User,
    brand: Brand,
    spring: Campaign,
    sandbox_account: SocialAccount,
) -> None:
    written(brand, manager, spring, Part("of the campaign"), accounts=(sandbox_account,))
    slot = reverse("content_calendar:campaign_posts", args=[spring.pk])
    page = sign_in(marketer).get(reverse("campaigns:posts", args=[spring.pk])).content.decode()
    assert slot in page
    part = sign_in(marketer).get(slot, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "of the campaign" in part
    assert "New post" not in part  # a marketer writes none
    assert "New post" in sign_in(manager).get(slot).content.decode()
    assert sign_in(stranger).get(slot).status_code == 404


def test_a_campaign_without_posts_says_what_to_do(
    sign_in: SignIn, manager: User, brand: Brand, spring: Campaign
) -> None:
    part = sign_in(manager).get(reverse("content_calendar:campaign_posts", args=[spring.pk]))
    assert "No post belongs to this campaign yet" in part.content.decode()
    assert f"?brand={brand.pk}&amp;campaign={spring.pk}" in part.content.decode()
