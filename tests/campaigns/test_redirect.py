from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import Brand, User
from audience.models import Activity, ActivityKind, Identity
from audience.services.people import Met, meet
from campaigns import tasks, visitors
from campaigns.models import Campaign, Click, Touchpoint, TrackedLink
from campaigns.services import clicks
from campaigns.services.clicks import Visit, follow, tell_clicks
from campaigns.services.links import make_link
from tests.campaigns.conftest import NOW

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
PERSON = Visit(at=NOW, is_bot=False, visitor="v", referrer_host="")


@pytest.fixture
def link(campaign: Campaign, marketer: User) -> TrackedLink:
    return make_link(
        brand=campaign.brand,
        campaign=campaign,
        url="https://shop.example.com/beans?size=2#reviews",
        platform="sandbox",
        actor=marketer,
        now=NOW,
    )


def visit(link: TrackedLink | str, *, client: Client | None = None, **headers: str) -> Any:
    code = link if isinstance(link, str) else link.code
    return (client or Client()).get(reverse("link", args=[code]), headers={"user-agent": CHROME, **headers})


# --- where it leads -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_click_is_counted_and_led_to_the_stored_target(link: TrackedLink) -> None:
    response = visit(link, referer="https://bsky.app/profile/someone?x=1")
    click = Click.objects.get()
    assert response.status_code == 302
    target = urlsplit(response["Location"])
    assert (target.scheme, target.netloc, target.path, target.fragment) == (
        "https",
        "shop.example.com",
        "/beans",
        "reviews",
    )
    query = parse_qs(target.query)
    assert query["size"] == ["2"]
    assert query["utm_campaign"] == ["spring"]
    assert query["smm_click"] == [str(click.key)]
    assert response["Cache-Control"] == "no-store, private"
    assert response["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert not response.cookies
    assert (click.link, click.is_bot, click.referrer_host) == (link, False, "bsky.app")
    assert not click.is_to_be_told


@pytest.mark.django_db
def test_nothing_of_a_request_decides_where_it_leads(link: TrackedLink) -> None:
    path = reverse("link", args=[link.code])
    response = Client().get(
        f"{path}?url=https://evil.example.com&next=//evil.example.com", headers={"user-agent": CHROME}
    )
    assert urlsplit(response["Location"]).netloc == "shop.example.com"
    assert "evil" not in response["Location"]


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["zzzzzzz", "..", "%00", "a" * 17, "ab-cd", "コード", "a/b", ""])
def test_an_unknown_code_gets_a_friendly_page_and_writes_nothing(code: str, link: TrackedLink) -> None:
    response = Client().get(f"/l/{code}", headers={"user-agent": CHROME})
    assert response.status_code == 404
    assert "This link leads nowhere" in response.content.decode()
    assert Click.objects.count() == 0


@pytest.mark.django_db
def test_the_friendly_page_speaks_the_visitors_language(settings: Settings) -> None:
    response = Client().get("/l/zzzzzzz", headers={"user-agent": CHROME, "accept-language": "ja"})
    assert 'lang="ja"' in response.content.decode()


@pytest.mark.django_db
def test_links_are_only_read(link: TrackedLink) -> None:
    response = Client().post(reverse("link", args=[link.code]))
    assert response.status_code == 405
    assert Click.objects.count() == 0


@pytest.mark.django_db
def test_links_of_archived_campaigns_and_brands_still_work(link: TrackedLink, brand: Brand) -> None:
    Campaign.objects.update(archived_at=NOW)
    Brand.objects.update(is_archived=True)
    assert visit(link).status_code == 302
    assert Click.objects.count() == 1


@pytest.mark.django_db
def test_a_link_works_when_its_campaign_is_gone(link: TrackedLink) -> None:
    Campaign.objects.all().delete()
    assert visit(link).status_code == 302


# --- what it costs, and what it survives --------------------------------------------------------


@pytest.mark.django_db
def test_a_click_is_one_statement_and_no_session_whoever_visits(
    link: TrackedLink, marketer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    member = Client()
    member.force_login(marketer, backend="django.contrib.auth.backends.ModelBackend")
    for client in (Client(), member):
        with django_assert_num_queries(1):
            assert visit(link, client=client).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("failure", [OperationalError, InterfaceError])
def test_while_the_database_is_away_a_visitor_is_asked_to_come_back(
    link: TrackedLink, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    def gone(**_: Any) -> None:
        raise failure("the connection was closed")

    monkeypatch.setattr("campaigns.views.redirect.follow", gone)
    response = visit(link, referer="https://evil.example.com")
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert "Location" not in response
    assert "One moment" in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_click_survives_a_crash_before_its_answer(
    link: TrackedLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> str:
        raise RuntimeError("the process dies here")

    monkeypatch.setattr(clicks, "with_click", crash)
    with pytest.raises(RuntimeError):
        visit(link)
    connection.close()  # whatever this connection had not committed is lost
    assert Click.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_clicks_at_the_same_moment_are_all_counted(link: TrackedLink) -> None:
    start = threading.Barrier(8)
    answers: list[str] = []

    def work() -> None:
        start.wait()
        answers.append(str(follow(code=link.code, visit=PERSON)))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 8
    assert Click.objects.filter(link=link).count() == 8


# --- people and programs ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "agent",
    [
        CHROME,
        "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
        f"{IPHONE} Mobile/15E148 Instagram 361.0.0.35.84",
        f"{IPHONE} Mobile/15E148 Safari Line/13.20.0",
        CHROME.replace("Windows NT 10.0; Win64; x64", "Linux; Android 14; wv") + " [FB_IAB/FB4A;FBAV/440;]",
        "Opera/9.80 (Android; Opera Mini/36.2) Presto/2.12 Version/12.16",
    ],
)
def test_browsers_and_browsers_within_apps_are_people(agent: str) -> None:
    assert not visitors.is_bot("GET", {"user-agent": agent})


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)",
        "Mastodon/4.3.1 (http.rb/5.2.0; +https://mastodon.social/) Bot",
        "Misskey/2024.11.0 (https://misskey.io)",
        "Akkoma 3.10.4; https://example.social <admin@example.social>",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Twitterbot/1.0",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "WhatsApp/2.23.20.0",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        CHROME.replace("Chrome/", "HeadlessChrome/"),
        "curl/8.5.0",
        "python-requests/2.32.3",
    ],
)
def test_crawlers_and_fetchers_of_previews_are_bots(agent: str) -> None:
    assert visitors.is_bot("GET", {"user-agent": agent})


@pytest.mark.parametrize(
    "header",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Purpose": "preview"},
        {"X-Moz": "prefetch"},
    ],
)
@pytest.mark.django_db
def test_fetching_ahead_is_no_click_of_a_person(link: TrackedLink, header: dict[str, str]) -> None:
    path = reverse("link", args=[link.code])
    assert Client().get(path, headers={"user-agent": CHROME, **header}).status_code == 302
    assert Click.objects.get().is_bot


@pytest.mark.django_db
def test_bots_are_led_on_and_counted_apart(link: TrackedLink) -> None:
    path = reverse("link", args=[link.code])
    assert Client().head(path, headers={"user-agent": CHROME}).status_code == 302
    assert Client().get(path, headers={"user-agent": "Twitterbot/1.0"}).status_code == 302
    assert visit(link).status_code == 302
    assert list(Click.objects.order_by("pk").values_list("is_bot", flat=True)) == [True, True, False]


# --- no addresses are kept ----------------------------------------------------------------------


def visitor_of(link: TrackedLink, **extra: str) -> str:
    agent = extra.pop("agent", CHROME)
    Client().get(reverse("link", args=[link.code]), headers={"user-agent": agent}, **extra)  # type: ignore[arg-type]
    return Click.objects.latest("pk").visitor


@pytest.mark.django_db
def test_a_visitor_is_known_again_on_the_same_day_only(link: TrackedLink) -> None:
    with time_machine.travel(NOW, tick=False):
        first = visitor_of(link, REMOTE_ADDR="203.0.113.9")
        assert visitor_of(link, REMOTE_ADDR="203.0.113.9") == first
        assert visitor_of(link, REMOTE_ADDR="203.0.113.10") != first
        assert visitor_of(link, REMOTE_ADDR="203.0.113.9", agent=CHROME + " x") != first
    with time_machine.travel(NOW + dt.timedelta(days=1), tick=False):
        assert visitor_of(link, REMOTE_ADDR="203.0.113.9") != first
    assert len(first) == 32


@pytest.mark.django_db
def test_the_visitors_hash_needs_the_installations_key(link: TrackedLink, settings: Settings) -> None:
    before = visitors.visitor("203.0.113.9", CHROME, NOW.date())
    settings.SECRET_KEY = "another"
    assert visitors.visitor("203.0.113.9", CHROME, NOW.date()) != before


@pytest.mark.django_db
def test_no_address_is_written(link: TrackedLink) -> None:
    visitor_of(link, REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR="198.51.100.7")
    with connection.cursor() as cursor:
        cursor.execute("SELECT c::text FROM campaigns_click c")
        (row,) = cursor.fetchone()
    assert "203.0.113" not in row
    assert "198.51.100" not in row
    assert "Chrome" not in row


@pytest.mark.django_db
def test_behind_proxies_the_visitors_own_address_counts(link: TrackedLink, settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    one = visitor_of(link, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="6.6.6.6, 203.0.113.9")
    # What a visitor writes before the proxy's own entry changes nothing.
    assert visitor_of(link, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="7.7.7.7, 203.0.113.9") == one
    assert visitor_of(link, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.10") != one


@pytest.mark.django_db
def test_a_proxy_that_tells_nothing_usable_costs_the_visitor_but_not_the_click(
    link: TrackedLink, settings: Settings
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    assert visitor_of(link, HTTP_X_FORWARDED_FOR="203.0.113.9") == ""
    assert visitor_of(link, HTTP_X_FORWARDED_FOR="nonsense, more") == ""
    assert Click.objects.count() == 2


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        ("https://bsky.app/profile/x", "bsky.app"),
        ("android-app://org.joinmastodon.android/", "org.joinmastodon.android"),
        ("", ""),
        ("https://[broken", ""),
        ("http://127.0.0.1:8000/campaigns/", ""),
        ("https://" + "a" * 300, ""),
        ("https://exam\0ple.com/", ""),
    ],
)
def test_only_the_host_of_the_referrer_is_kept(referrer: str, host: str) -> None:
    assert visitors.referrer_host(referrer) == host


# --- personal links -----------------------------------------------------------------------------


@pytest.fixture
def hanako(brand: Brand) -> Identity:
    return meet(brand=brand, met=Met("sandbox", "id-hanako", handle="hanako"), now=NOW)


@pytest.fixture
def personal(campaign: Campaign, hanako: Identity, marketer: User) -> TrackedLink:
    return make_link(
        brand=campaign.brand,
        campaign=campaign,
        url="https://shop.example.com/for-you",
        platform="sandbox",
        identity=hanako,
        actor=marketer,
        now=NOW,
    )


@pytest.mark.django_db
def test_a_click_on_a_personal_link_becomes_a_touch_and_a_line(
    personal: TrackedLink, hanako: Identity, campaign: Campaign
) -> None:
    visit(personal)
    click = Click.objects.get()
    assert click.is_to_be_told
    assert Touchpoint.objects.count() == 0  # not within the request
    tasks.follow_clicks()
    touch = Touchpoint.objects.get()
    assert (touch.identity, touch.campaign, touch.click, touch.at, touch.platform) == (
        hanako,
        campaign,
        click,
        click.at,
        "sandbox",
    )
    activity = Activity.objects.get()
    assert (activity.identity, activity.kind, activity.at) == (hanako, ActivityKind.CLICK, click.at)
    assert activity.summary == "https://shop.example.com/for-you"
    assert not Click.objects.get().is_to_be_told


@pytest.mark.django_db
def test_bots_and_open_links_touch_nobody(personal: TrackedLink, link: TrackedLink) -> None:
    Client().get(reverse("link", args=[personal.code]), headers={"user-agent": "Twitterbot/1.0"})
    visit(link)
    tasks.follow_clicks()
    assert Touchpoint.objects.count() == 0
    assert Activity.objects.count() == 0


@pytest.mark.django_db
def test_a_click_is_told_once(personal: TrackedLink) -> None:
    visit(personal)
    assert tell_clicks() == 1
    Click.objects.update(is_to_be_told=True)  # as if a worker had died before its last statement
    assert tell_clicks() == 1
    assert tell_clicks() == 0
    assert Touchpoint.objects.count() == 1
    assert Activity.objects.count() == 1


@pytest.mark.django_db
def test_clicks_wait_when_telling_fails(personal: TrackedLink, monkeypatch: pytest.MonkeyPatch) -> None:
    visit(personal)

    def fails(**_: Any) -> int:
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr(clicks, "tell", fails)
        with pytest.raises(OperationalError):
            tell_clicks()
    assert Touchpoint.objects.count() == 0
    assert tell_clicks() == 1
    assert Touchpoint.objects.count() == 1


@pytest.mark.django_db
def test_many_clicks_are_told_in_batches(
    personal: TrackedLink, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Click.objects.bulk_create(
        Click(key=uuid.uuid4(), link=personal, at=NOW, is_bot=False, is_to_be_told=True) for _ in range(30)
    )
    with django_assert_max_num_queries(16):
        assert tell_clicks(batch=20) == 20
    assert tell_clicks(batch=20) == 10
    assert Touchpoint.objects.count() == 30


@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_wait_for_each_other(personal: TrackedLink) -> None:
    visit(personal)
    taken: list[int] = []

    def work() -> None:
        taken.append(tell_clicks())
        connection.close()

    from django.db import transaction

    with transaction.atomic():
        list(Click.objects.select_for_update().all())  # another worker has it
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(timeout=10)
    assert taken == [0]
    assert tell_clicks() == 1


@pytest.mark.django_db
def test_a_person_taken_off_a_link_gets_no_line(personal: TrackedLink) -> None:
    visit(personal)
    TrackedLink.objects.update(identity=None)
    assert tell_clicks() == 1
    assert Touchpoint.objects.count() == 0
    assert tell_clicks() == 0
