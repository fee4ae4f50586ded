from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Brand, SocialAccount, User
from campaigns import addresses
from campaigns.addresses import Refusal
from campaigns.models import Campaign, TrackedLink
from campaigns.services import links
from campaigns.services.links import LinkRefused, LinkUse, make_link, placeholder, short_url, tag, tag_text
from connectors.text import find_links
from outbox.models import Delivery, DeliveryKind
from outbox.services.scheduling import schedule_delivery
from tests.campaigns.conftest import NOW, make_campaign
from tests.cast import make_account

SHOP = "https://shop.example.com/beans?size=2#reviews"


def query_of(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


def plain_delivery(account: SocialAccount, actor: User, kind: str = DeliveryKind.POST) -> Delivery:
    return schedule_delivery(
        account=account, payload={"parts": []}, due_at=NOW, actor=actor, now=NOW, kind=DeliveryKind(kind)
    )


# --- what may be a target -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://example.com:8080/a_(b)?q=%E6%97%A5#x",
        "HTTPS://EXAMPLE.COM/",
        "https://日本語.jp/珈琲?豆=深煎り",
        "https://[2001:db8::1]/",
        "http://192.168.1.20/intranet",
        "http://localhost:3000/",
        "https://under_score.example.com/",
    ],
)
def test_web_addresses_are_targets(url: str) -> None:
    assert addresses.refusal(url) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("javascript:alert(1)", Refusal.NOT_WEB),
        ("JaVaScRiPt://example.com/%0aalert(1)", Refusal.NOT_WEB),
        ("data:text/html,hello", Refusal.NOT_WEB),
        ("mailto:me@example.com", Refusal.NOT_WEB),
        ("ftp://example.com/", Refusal.NOT_WEB),
        ("//example.com/", Refusal.NOT_WEB),
        ("/somewhere", Refusal.NOT_WEB),
        ("https:example.com", Refusal.NOT_WEB),
        ("", Refusal.NOT_WEB),
        ("https://", Refusal.NO_HOST),
        ("https:///path", Refusal.NO_HOST),
        ("https://?q=1", Refusal.NO_HOST),
        ("https://a..b/", Refusal.NO_HOST),
        ("https://example.com:99999/", Refusal.NO_HOST),
        ("https://example.com:x/", Refusal.NO_HOST),
        ("https://ex%61mple.com/", Refusal.NO_HOST),
        ("https://good.example.com\\.evil.example.com/", Refusal.NO_HOST),
        ("https://[::x]/", Refusal.NO_HOST),
        ("https://user:secret@example.com/", Refusal.CREDENTIALS),
        ("https://good.example.com\\@evil.example.com/", Refusal.CREDENTIALS),
        ("https://@example.com/", Refusal.CREDENTIALS),
        ("https://example.com/a b", Refusal.UNREADABLE),
        ("https://example.com/\nSet-Cookie: a=b", Refusal.UNREADABLE),
        ("https://example.com/\u2028x", Refusal.UNREADABLE),
        ("https://exam\tple.com/", Refusal.UNREADABLE),
        ("https://example.com/" + "a" * 2000, Refusal.TOO_LONG),
        ("https://go.example.com/l/abc1234", Refusal.OURS),
        ("http://GO.example.com/l/abc1234?x=1", Refusal.OURS),
        ("https://social.example.com/l/abc1234", Refusal.OURS),
    ],
)
def test_other_addresses_are_refused(settings: Settings, url: str, reason: Refusal) -> None:
    settings.LINK_BASE_URL = "https://go.example.com"
    settings.BASE_URL = "https://social.example.com"
    assert addresses.refusal(url) is reason


@pytest.mark.django_db
def test_a_refused_address_makes_no_link(brand: Brand, marketer: User) -> None:
    with pytest.raises(LinkRefused) as refused:
        make_link(brand=brand, campaign=None, url="javascript:alert(1)", actor=marketer, now=NOW)
    assert refused.value.reason is Refusal.NOT_WEB
    assert TrackedLink.objects.count() == 0


@pytest.mark.django_db
def test_an_address_that_parameters_make_too_long_is_refused(brand: Brand, marketer: User) -> None:
    url = "https://example.com/" + "あ" * 400  # 3600 characters once percent-encoded
    with pytest.raises(LinkRefused) as refused:
        make_link(brand=brand, campaign=None, url=url, actor=marketer, now=NOW)
    assert refused.value.reason is Refusal.TOO_LONG
    assert TrackedLink.objects.count() == 0


# --- parameters ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_post_has_its_network_campaign_and_delivery_in_the_address(
    campaign: Campaign, sandbox_account: SocialAccount, marketer: User
) -> None:
    delivery = plain_delivery(sandbox_account, marketer)
    link = make_link(
        brand=campaign.brand,
        campaign=campaign,
        url=SHOP,
        account=sandbox_account,
        delivery=delivery,
        actor=marketer,
        now=NOW,
    )
    assert link.original_url == SHOP
    assert link.target_url == (
        f"https://shop.example.com/beans?size=2&utm_source=sandbox&utm_medium=social"
        f"&utm_campaign=spring&utm_content={delivery.pk}#reviews"
    )
    assert (link.platform, link.account, link.delivery, link.created_by) == (
        "sandbox",
        sandbox_account,
        delivery,
        marketer,
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "medium"), [("post", "social"), ("reply", "social_reply"), ("dm", "social_dm")]
)
def test_the_medium_says_what_carries_the_link(
    campaign: Campaign, sandbox_account: SocialAccount, marketer: User, kind: str, medium: str
) -> None:
    delivery = plain_delivery(sandbox_account, marketer, kind)
    use = LinkUse(campaign.brand, campaign, sandbox_account, delivery=delivery, content="own")
    query = dict(query_of(use.target("https://example.com")))
    assert query["utm_medium"] == medium
    assert query["utm_content"] == "own"


@pytest.mark.django_db
def test_a_link_that_is_used_at_no_network_claims_none(campaign: Campaign, marketer: User) -> None:
    link = make_link(
        brand=campaign.brand, campaign=campaign, url="https://example.com/a", actor=marketer, now=NOW
    )
    assert link.target_url == "https://example.com/a?utm_campaign=spring"


@pytest.mark.django_db
def test_parameters_of_the_author_are_not_overwritten(campaign: Campaign, marketer: User) -> None:
    url = "https://example.com/?utm_campaign=mine&UTM_Source=letter"
    link = make_link(
        brand=campaign.brand, campaign=campaign, url=url, platform="sandbox", actor=marketer, now=NOW
    )
    assert link.target_url == f"{url}&utm_medium=social"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com", "https://example.com?utm_source=x"),
        ("https://example.com/?", "https://example.com/?utm_source=x"),
        ("https://example.com/#/route?x=1", "https://example.com/?utm_source=x#/route?x=1"),
        ("https://example.com/?a=1&a=2&b", "https://example.com/?a=1&a=2&b&utm_source=x"),
        ("https://example.com/?a=%26&c=d+e", "https://example.com/?a=%26&c=d+e&utm_source=x"),
        ("https://example.com/?smm_click=1&a=2", "https://example.com/?a=2&utm_source=x"),
        ("https://example.com/?smm_click=1#x", "https://example.com/?utm_source=x#x"),
        ("https://日本語.jp/茶", "https://xn--wgv71a119e.jp/%E8%8C%B6?utm_source=x"),
        ("http://[2001:db8::1]:80/", "http://[2001:db8::1]:80/?utm_source=x"),
    ],
)
def test_parameters_go_where_they_belong(url: str, expected: str) -> None:
    assert addresses.with_parameters(url, {"utm_source": "x", "utm_content": ""}) == expected


WORD = st.text("abcXYZ019-_.~%20é日&=+/?", max_size=12)
URLS = st.builds(
    "{}://{}{}{}{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["example.com", "shop.example.co.jp:8443", "日本語.jp", "[2001:db8::1]"]),
    st.one_of(st.just(""), WORD.map(lambda w: "/" + w.replace("?", ""))),
    st.one_of(st.just(""), WORD.map(lambda w: "?" + w)),
    st.one_of(st.just(""), WORD.map(lambda w: "#" + w)),
)


@given(URLS, st.text("abcé日 &#?", max_size=8))
def test_tagging_loses_nothing_and_is_idempotent(url: str, content: str) -> None:
    wanted = {"utm_source": "sandbox", "utm_content": content}
    target = addresses.with_parameters(url, wanted)
    assert target.isascii()
    assert addresses.with_parameters(target, wanted) == target
    before, after = urlsplit(addresses.with_parameters(url, {})), urlsplit(target)
    assert (before.scheme, before.netloc, before.path, before.fragment) == (
        after.scheme,
        after.netloc,
        after.path,
        after.fragment,
    )
    assert after.query.startswith(before.query)
    assert dict(query_of(target))["utm_source"] == "sandbox"
    if content:
        assert dict(query_of(target))["utm_content"] == content


@given(URLS)
def test_a_click_key_loses_nothing_of_the_target(url: str) -> None:
    target = addresses.with_parameters(url, {"utm_source": "x"})
    clicked = addresses.with_click(target, "k-1")
    assert query_of(clicked) == [*query_of(target), ("smm_click", "k-1")]
    assert urlsplit(clicked)._replace(query="") == urlsplit(target)._replace(query="")
    assert addresses.with_parameters(clicked, {}) == target


def test_a_click_key_is_put_into_addresses_without_a_query() -> None:
    assert addresses.with_click("https://example.com", "k") == "https://example.com?smm_click=k"
    assert addresses.with_click("https://example.com/?#x", "k") == "https://example.com/?smm_click=k#x"
    assert addresses.with_click("https://example.com/#a?b", "k") == "https://example.com/?smm_click=k#a?b"


# --- codes --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_codes_are_seven_characters_and_differ(brand: Brand, marketer: User) -> None:
    made = [
        make_link(brand=brand, campaign=None, url="https://example.com", actor=marketer, now=NOW).code
        for _ in range(20)
    ]
    assert len(set(made)) == 20
    assert all(len(code) == 7 and code.isascii() and code.isalnum() for code in made)


@pytest.mark.django_db
def test_a_code_that_is_taken_is_drawn_again(
    brand: Brand, marketer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_link(brand=brand, campaign=None, url="https://example.com/1", actor=marketer, now=NOW)
    drawn = iter([first.code, first.code, "fresh01"])
    monkeypatch.setattr(links, "new_code", lambda: next(drawn))
    second = make_link(brand=brand, campaign=None, url="https://example.com/2", actor=marketer, now=NOW)
    assert second.code == "fresh01"
    assert TrackedLink.objects.get(code=first.code).original_url == "https://example.com/1"


@pytest.mark.django_db
def test_short_addresses_are_below_the_link_host(brand: Brand, marketer: User, settings: Settings) -> None:
    settings.LINK_BASE_URL = "https://go.example.com"
    link = make_link(brand=brand, campaign=None, url="https://example.com", actor=marketer, now=NOW)
    assert short_url(link) == f"https://go.example.com/l/{link.code}"


# --- texts --------------------------------------------------------------------------------------


@pytest.fixture
def go(settings: Settings) -> str:
    """A host that networks take for a link."""
    settings.LINK_BASE_URL = "https://go.example.com"
    return "https://go.example.com/l/"


@pytest.mark.django_db
def test_every_link_of_a_text_becomes_short_and_the_rest_stays(
    go: str, campaign: Campaign, sandbox_account: SocialAccount, marketer: User
) -> None:
    delivery = plain_delivery(sandbox_account, marketer)
    text = "新豆です！https://shop.example.com/a。（https://shop.example.com/b?x=1#y）また https://shop.example.com/a."
    use = LinkUse(campaign.brand, campaign, sandbox_account, delivery=delivery)
    tagged = tag(text, use=use, actor=marketer, now=NOW)
    a, b = tagged.links
    assert (a.original_url, b.original_url) == (
        "https://shop.example.com/a",
        "https://shop.example.com/b?x=1#y",
    )
    assert tagged.text == f"新豆です！{go}{a.code}。（{go}{b.code}）また {go}{a.code}."


@pytest.mark.django_db
def test_what_is_no_target_stays_as_it_is_written(
    go: str, campaign: Campaign, sandbox_account: SocialAccount, marketer: User
) -> None:
    text = f"{go}abc1234 javascript:alert(1) me@example.com example.com"
    delivery = plain_delivery(sandbox_account, marketer)
    tagged = tag_text(
        text=text, campaign=campaign, account=sandbox_account, delivery=delivery, actor=marketer, now=NOW
    )
    assert tagged == text
    assert TrackedLink.objects.count() == 0


@pytest.mark.django_db
def test_tagging_again_gives_the_same_links(
    go: str,
    campaign: Campaign,
    sandbox_account: SocialAccount,
    marketer: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    delivery = plain_delivery(sandbox_account, marketer)

    def tagged(text: str) -> str:
        return tag_text(
            text=text, campaign=campaign, account=sandbox_account, delivery=delivery, actor=marketer, now=NOW
        )

    first = tagged(f"one {SHOP}")
    with django_assert_max_num_queries(3):
        assert tagged(f"one {SHOP}") == first
    assert tagged(first) == first  # a text that was tagged already
    assert TrackedLink.objects.count() == 1
    tagged(f"two {SHOP} https://example.com/new")
    assert TrackedLink.objects.count() == 2


@pytest.mark.django_db
def test_each_delivery_has_links_of_its_own(
    campaign: Campaign, sandbox_account: SocialAccount, brand: Brand, marketer: User
) -> None:
    other = make_account(brand, platform="bluesky", handle="harbour.example.com")
    for account in (sandbox_account, other):
        delivery = plain_delivery(account, marketer)
        tag_text(text=SHOP, campaign=campaign, account=account, delivery=delivery, actor=marketer, now=NOW)
    assert set(TrackedLink.objects.values_list("platform", flat=True)) == {"sandbox", "bluesky"}


@pytest.mark.django_db
def test_links_follow_a_post_into_another_campaign(
    campaign: Campaign, sandbox_account: SocialAccount, marketer: User
) -> None:
    delivery = plain_delivery(sandbox_account, marketer)
    autumn = make_campaign(campaign.brand, "Autumn", code="autumn")
    texts = [
        tag_text(text=SHOP, campaign=one, account=sandbox_account, delivery=delivery, actor=marketer, now=NOW)
        for one in (campaign, autumn)
    ]
    link = TrackedLink.objects.get()
    assert texts[0] == texts[1]
    assert link.campaign == autumn
    assert "utm_campaign=autumn" in link.target_url


@pytest.mark.django_db
def test_a_text_without_links_costs_no_query(
    campaign: Campaign,
    sandbox_account: SocialAccount,
    marketer: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        tag_text(
            text="no link", campaign=campaign, account=sandbox_account, delivery=None, actor=marketer, now=NOW
        )


@pytest.mark.django_db
def test_many_links_cost_no_more_queries_than_one(
    campaign: Campaign,
    sandbox_account: SocialAccount,
    marketer: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    delivery = plain_delivery(sandbox_account, marketer)
    text = " ".join(f"https://example.com/{n}" for n in range(40))
    with django_assert_max_num_queries(6):  # with the savepoints around them
        tag_text(
            text=text, campaign=campaign, account=sandbox_account, delivery=delivery, actor=marketer, now=NOW
        )
    assert TrackedLink.objects.count() == 40


@pytest.mark.django_db(transaction=True)
def test_links_may_be_made_before_their_delivery_is_stored(
    campaign: Campaign, sandbox_account: SocialAccount, marketer: User
) -> None:
    coming = Delivery(kind=DeliveryKind.POST)
    with transaction.atomic():
        text = tag_text(
            text=SHOP, campaign=campaign, account=sandbox_account, delivery=coming, actor=marketer, now=NOW
        )
        schedule_delivery(
            account=sandbox_account,
            payload={"parts": [{"text": text}]},
            due_at=NOW,
            actor=marketer,
            now=NOW,
            delivery_id=coming.pk,
        )
    assert TrackedLink.objects.get().delivery_id == coming.pk
    assert Delivery.objects.get().pk == coming.pk


@pytest.mark.django_db(transaction=True)
def test_links_of_a_delivery_that_never_came_are_not_kept(
    campaign: Campaign, sandbox_account: SocialAccount, marketer: User
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        tag_text(
            text=SHOP,
            campaign=campaign,
            account=sandbox_account,
            delivery=Delivery(id=uuid.uuid4()),
            actor=marketer,
            now=NOW,
        )
    assert TrackedLink.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_tag_at_once_get_the_same_link(
    campaign: Campaign, sandbox_account: SocialAccount, marketer: User
) -> None:
    delivery = plain_delivery(sandbox_account, marketer)
    start = threading.Barrier(4)
    texts: list[str] = []

    def work() -> None:
        start.wait()
        texts.append(
            tag_text(
                text=SHOP,
                campaign=campaign,
                account=sandbox_account,
                delivery=delivery,
                actor=marketer,
                now=NOW,
            )
        )
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(texts) == 4
    assert len(set(texts)) == 1
    assert TrackedLink.objects.count() == 1


# --- counting before there are links ------------------------------------------------------------

PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "こんにちは",
                "。",
                "「",
                "」",
                "（",
                "）",
                "#猫",
                "@alice",
                "(",
                ")",
                ".",
                ",",
                "!",
                "a",
                " ",
                "\n",
            ),
            "https://example.com/a_(b)",
            "http://日本語.jp/x",
            "https://go.example.com/l/abc1234",
            "https://shop.example.com/?a=1#b",
        ]
    ),
    max_size=10,
).map("".join)


@pytest.fixture
def _go_host(settings: Settings) -> None:
    settings.LINK_BASE_URL = "https://go.example.com"


@pytest.mark.django_db
# Rows of earlier examples are in nobody's way: links without a delivery are never used again.
@limits(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=PIECES)
def test_a_placeholder_is_as_long_as_what_is_sent(text: str, world: Callable[[], LinkUse]) -> None:
    tagged = tag(text, use=world(), actor=None, now=NOW)
    stand_in = placeholder(text)
    assert len(stand_in) == len(tagged.text)
    assert [(s.start, s.end) for s in find_links(stand_in)] == [
        (s.start, s.end) for s in find_links(tagged.text)
    ]
    # Words around links survive.
    short = {f"https://go.example.com/l/{link.code}": link.original_url for link in tagged.links}
    back = tagged.text
    for address, url in short.items():
        back = back.replace(address, url)
    assert back == text


@pytest.fixture
def world(_go_host: None, campaign: Campaign, sandbox_account: SocialAccount) -> Callable[[], LinkUse]:
    return lambda: LinkUse(campaign.brand, campaign, sandbox_account)
