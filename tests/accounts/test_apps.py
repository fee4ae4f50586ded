"""Developer apps made by hand, what is allowed with them, and choosing among several pages."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts import tasks
from accounts.connecting import open_tokens
from accounts.management.commands.networks_doc import document
from accounts.models import (
    AppRegistration,
    AuditEntry,
    Brand,
    ConnectionOffer,
    Credential,
    Organization,
    SocialAccount,
    User,
)
from accounts.network_wording import GROUPS, SAFETY, UNITS, length, limits_of, network_facts
from accounts.services import apps, offers
from accounts.services.keys import rotate_secrets
from connectors.base import Capability, Connected, ConnectField, Profile, Quota, RetrySafety, TextUnit, Tokens
from connectors.errors import Temporary
from connectors.registry import CONNECTORS, info_for
from core.crypto import decrypt_json
from outbox.services.rates import spend, take
from tests.accounts.conftest import NOW, FakeAppConnector, FakeNetwork
from tests.cast import make_account

TYPED = {
    "name": "Our app",
    "client_id": " 4711 ",
    "client_secret": " s3cr3t-of-the-app ",
    "extra_login": "person",
}
CONNECT = reverse("accounts:connect_network", args=["fake_app"])
PAGE = reverse("accounts:network", args=["fake_app"])


def add(client: Client, **changes: str) -> AppRegistration:
    answer = client.post(reverse("accounts:app_create", args=["fake_app"]), TYPED | changes)
    assert answer.status_code == 302, answer.context["form"].errors
    return AppRegistration.objects.order_by("-created_at", "-pk")[0]


def go(client: Client, brand: Brand, **given: Any) -> str:
    """The state under which the browser was sent to the network."""
    answer = client.post(CONNECT, {"brand": brand.pk, **given})
    assert answer.status_code == 302, answer.context["form"].errors
    return parse_qs(urlsplit(answer["Location"]).query)["state"][0]


def come_back(client: Client, state: str, **query: str) -> Any:
    return client.get(reverse("accounts:oauth_callback"), {"state": state, "code": "good-code", **query})


@pytest.fixture
def client(admin: User, network: FakeNetwork) -> Client:
    return signed_in(admin)


def signed_in(user: User) -> Client:
    """A browser of one's own."""
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


@pytest.fixture
def stranger_client(stranger: User) -> Client:
    return signed_in(stranger)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    found = ("fake-1", "fake-2", "fake-3")
    monkeypatch.setattr(FakeAppConnector, "pages", found)
    return found


def test_without_an_app_the_way_to_one_is_shown_and_nothing_is_asked(client: Client, brand: Brand) -> None:
    shown = client.get(CONNECT).content.decode()
    assert "wants a developer app first" in shown
    assert PAGE in shown
    assert '<form method="post">' not in shown
    answer = client.post(CONNECT, {"brand": brand.pk})
    assert answer.status_code == 200
    assert "app" in answer.context["form"].errors


def test_the_page_of_a_network_says_what_to_do_and_what_to_copy(client: Client, settings: Any) -> None:
    shown = client.get(PAGE).content.decode()
    for words in ("https://developers.fake.test/", "Make an app.", "Show a film.", "No app yet"):
        assert words in shown
    assert f"{settings.BASE_URL}{reverse('accounts:oauth_callback')}" in shown
    assert "sends people back to https addresses only" in shown
    assert "the address of its webhook stands there" in shown
    settings.IS_HTTPS = True
    assert "sends people back to https addresses only" not in client.get(PAGE).content.decode()


def test_a_webhook_promises_no_news_at_once_where_reading_costs(
    client: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(client)
    assert "tells news at once" in client.get(PAGE).content.decode()
    slow = dataclasses.replace(FakeAppConnector.INFO, inbox_every_s=900)
    monkeypatch.setattr(FakeAppConnector, "INFO", slow)
    shown = client.get(PAGE).content.decode()
    assert "The inbox is read every 15 min" in shown
    assert "tells news at once" not in shown


def test_who_may_not_connect_sees_limits_and_no_keys(client: Client, creator: User) -> None:
    add(client)
    shown = signed_in(creator).get(PAGE).content.decode()
    assert "Limits" in shown
    for hidden in ("4711", "Our app", "developers.fake.test"):
        assert hidden not in shown


def test_an_app_is_kept_encrypted_and_never_shown_again(client: Client, organization: Organization) -> None:
    app = add(client)
    assert app.organization == organization
    assert "s3cr3t-of-the-app" not in app.secret
    clear = decrypt_json(app.secret)
    assert (clear["client_id"], clear["client_secret"]) == ("4711", "s3cr3t-of-the-app")
    assert clear["extra"] == {"login": "person"}
    for url in (PAGE, reverse("accounts:app_edit", args=[app.pk])):
        shown = client.get(url).content.decode()
        assert "4711" in shown
        assert "s3cr3t-of-the-app" not in shown
    entry = AuditEntry.objects.get(action="app.added")
    assert "s3cr3t" not in str(entry.detail)


def test_changing_an_app_keeps_the_secret_unless_another_is_typed(client: Client) -> None:
    app = add(client)
    token = decrypt_json(app.secret)["verify_token"]
    edit = reverse("accounts:app_edit", args=[app.pk])
    client.post(edit, TYPED | {"client_secret": "", "client_id": "4712", "name": "Renamed"})
    app.refresh_from_db()
    clear = decrypt_json(app.secret)
    assert (app.name, clear["client_id"], clear["client_secret"]) == ("Renamed", "4712", "s3cr3t-of-the-app")
    client.post(edit, TYPED | {"client_secret": "another"})
    app.refresh_from_db()
    clear = decrypt_json(app.secret)
    assert (clear["client_secret"], clear["verify_token"]) == ("another", token)
    said = [entry.detail for entry in AuditEntry.objects.filter(action="app.changed").order_by("at", "pk")]
    assert [detail.get("secret") for detail in said] == [None, "changed"]


def test_another_secret_of_an_app_is_kept_as_the_first_one_is(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X signs its calls with another secret than that of the sign-in; where it is not there, no address for
    them is offered."""
    setup = FakeAppConnector.INFO.app
    assert setup is not None
    second = ConnectField("second", "Second secret", "password", is_required=False)
    setup = dataclasses.replace(setup, fields=(*setup.fields, second))
    monkeypatch.setattr(FakeAppConnector, "INFO", dataclasses.replace(FakeAppConnector.INFO, app=setup))
    monkeypatch.setattr(
        FakeAppConnector, "webhook_secret", classmethod(lambda _cls, app: app.extra.get("second", ""))
    )
    app = add(client)
    edit, keeps = reverse("accounts:app_edit", args=[app.pk]), "Leave it empty to keep the one"
    assert app.hook_key not in client.get(PAGE).content.decode()
    assert client.get(edit).content.decode().count(keeps) == 1
    client.post(edit, TYPED | {"extra_second": " typed-s3cret "})
    assert app.hook_key in client.get(PAGE).content.decode()
    for given in ({"extra_second": ""}, {}):
        client.post(edit, TYPED | given | {"extra_login": "page"})
        app.refresh_from_db()
        assert decrypt_json(app.secret)["extra"] == {"login": "page", "second": "typed-s3cret"}
    for url in (PAGE, edit):
        assert "typed-s3cret" not in client.get(url).content.decode()
    assert client.get(edit).content.decode().count(keeps) == 2
    assert "typed-s3cret" not in repr(apps.shown(app))
    client.post(edit, TYPED | {"extra_second": "another"})
    app.refresh_from_db()
    assert decrypt_json(app.secret)["extra"]["second"] == "another"


def test_an_app_that_no_key_opens_asks_for_its_secret_again(client: Client) -> None:
    app = add(client)
    AppRegistration.objects.update(secret="garbage")
    assert "No key of this installation opens" in client.get(PAGE).content.decode()
    edit = reverse("accounts:app_edit", args=[app.pk])
    refused = client.post(edit, TYPED | {"client_secret": ""})
    assert "client_secret" in refused.context["form"].errors
    client.post(edit, TYPED)
    app.refresh_from_db()
    assert decrypt_json(app.secret)["client_secret"] == "s3cr3t-of-the-app"


def test_two_apps_of_one_network_have_different_names(client: Client, monkeypatch: Any) -> None:
    add(client)
    new = reverse("accounts:app_create", args=["fake_app"])
    refused = client.post(new, TYPED)
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["name"])
    second = add(client, name="Of the client")
    edited = client.post(reverse("accounts:app_edit", args=[second.pk]), TYPED)
    assert list(edited.context["form"].errors) == ["name"]
    monkeypatch.setattr(apps, "MOST", 2)
    full = client.post(new, TYPED | {"name": "A third"})
    assert "2 apps already" in str(full.context["form"].errors)
    assert AppRegistration.objects.count() == 2


def test_apps_of_another_organization_are_neither_seen_nor_used(
    client: Client, stranger_client: Client, stranger: User
) -> None:
    app = add(client)
    assert "4711" not in stranger_client.get(PAGE).content.decode()
    for name in ("app_edit", "app_delete"):
        url = reverse(f"accounts:{name}", args=[app.pk])
        assert stranger_client.post(url, TYPED).status_code == 404
    other = Brand.objects.create(organization=stranger.memberships.get().organization, name="Elsewhere")
    answer = stranger_client.post(CONNECT, {"brand": other.pk, "app": app.pk})
    assert "app" in answer.context["form"].errors


def test_an_account_is_connected_with_an_app_and_asked_for_what_was_chosen_only(
    client: Client, brand: Brand, network: FakeNetwork
) -> None:
    app = add(client)
    state = go(client, brand, app=app.pk, features=["numbers"])
    assert network.calls == ["authorize 4711 person post numbers"]
    answer = come_back(client, state)
    account = SocialAccount.objects.get()
    assert answer["Location"] == reverse("accounts:account_detail", args=[account.pk])
    assert account.credential.app == app
    # The network calls us from now on, and was read with what was stored: the app's secret is there.
    assert network.calls[-2:] == ["subscribe", "profile with s3cr3t-of-the-app"]
    assert account.checked_at is not None


def test_a_first_look_that_fails_is_said_and_the_account_stays(
    client: Client, brand: Brand, network: FakeNetwork
) -> None:
    app = add(client)
    state = go(client, brand, app=app.pk)

    def fails(_self: FakeAppConnector) -> None:
        raise Temporary("down")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FakeAppConnector, "subscribe", fails)
        answer = come_back(client, state)
    assert "a first look at it did not work" in client.get(answer["Location"]).content.decode()
    account = SocialAccount.objects.get()
    assert account.is_active
    # It was read all the same: that the network does not call us is no reason to know nothing of it.
    assert network.calls[-1] == "profile with s3cr3t-of-the-app"


def test_an_app_in_use_is_not_deleted(client: Client, brand: Brand) -> None:
    app = add(client)
    come_back(client, go(client, brand, app=app.pk))
    delete = reverse("accounts:app_delete", args=[app.pk])
    assert "1 account is connected with" in client.post(delete, follow=True).content.decode()
    assert AppRegistration.objects.exists()
    Credential.objects.all().delete()
    assert "is deleted" in client.post(delete, follow=True).content.decode()
    assert not AppRegistration.objects.exists()
    assert AuditEntry.objects.filter(action="app.deleted").exists()


def test_a_sign_in_that_never_came_back_does_not_cost_a_typed_app(client: Client, brand: Brand) -> None:
    app = add(client)
    go(client, brand, app=app.pk)
    go(client, brand, app=app.pk)
    assert AppRegistration.objects.filter(pk=app.pk).exists()


# --- several pages ------------------------------------------------------------------------------


def test_of_several_pages_the_chosen_ones_are_connected(
    client: Client, brand: Brand, network: FakeNetwork, pages: tuple[str, ...]
) -> None:
    app = add(client)
    chooser = come_back(client, go(client, brand, app=app.pk))["Location"]
    offer = ConnectionOffer.objects.get()
    assert "access-1" not in offer.secret
    assert not SocialAccount.objects.exists()
    shown = client.get(chooser).content.decode()
    assert all(f"@{page}@fake.test" in shown for page in pages)
    nothing = client.post(chooser, {"account": ["made-up"]})
    assert (nothing.status_code, nothing.context["problem"]) == (422, "Choose at least one account.")
    answer = client.post(chooser, {"account": ["fake-3", "fake-1"]})
    assert answer["Location"] == reverse("accounts:account_list")
    found = SocialAccount.objects.order_by("remote_id")
    assert [account.remote_id for account in found] == ["fake-1", "fake-3"]
    assert all(open_tokens(one.credential.secret).access_token == "access-1" for one in found)
    assert all(one.credential.app == app for one in found)
    assert not ConnectionOffer.objects.exists()
    assert client.get(chooser).status_code == 404


def test_pages_stand_by_name_with_numbers_as_they_count(brand: Brand, admin: User) -> None:
    names = ("Branch 10", "branch 2", "", "札幌 3", "Branch 1")
    connections = [
        Connected(Profile(f"p{n}", f"handle{n}", name), Tokens(access_token="t"), scopes=(), options={})
        for n, name in enumerate(names)
    ]
    offer = offers.make_offer(
        brand=brand, platform="fake", connections=connections, app=None, actor=admin, now=NOW
    )
    shown = [one.profile.display_name or one.profile.handle for one in offers.offered(offer, NOW)]
    assert shown == ["Branch 1", "branch 2", "Branch 10", "handle2", "札幌 3"]


def test_an_offer_ends_and_is_forgotten_with_its_tokens(
    client: Client, brand: Brand, pages: tuple[str, ...]
) -> None:
    app = add(client)
    chooser = come_back(client, go(client, brand, app=app.pk))["Location"]
    ConnectionOffer.objects.update(expires_at=NOW - dt.timedelta(days=1))
    answer = client.post(chooser, {"account": ["fake-1"]})
    assert "took too long" in answer.context["problem"]
    assert not SocialAccount.objects.exists()
    tasks.clean_connecting()
    assert not ConnectionOffer.objects.exists()


def test_an_offer_is_its_makers_alone(
    client: Client, owner: User, stranger_client: Client, brand: Brand, pages: tuple[str, ...]
) -> None:
    app = add(client)
    chooser = come_back(client, go(client, brand, app=app.pk))["Location"]
    for other in (signed_in(owner), stranger_client):
        assert other.get(chooser).status_code == 404
        assert other.post(chooser, {"account": ["fake-1"]}).status_code == 404
    assert not SocialAccount.objects.exists()


def test_an_offer_serves_once(client: Client, brand: Brand, admin: User, pages: tuple[str, ...]) -> None:
    app = add(client)
    come_back(client, go(client, brand, app=app.pk))
    offer = ConnectionOffer.objects.get()
    assert len(offers.accept_offer(offer=offer, chosen={"fake-1"}, actor=admin, now=offer.created_at)) == 1
    with pytest.raises(offers.OfferOver):
        offers.accept_offer(offer=offer, chosen={"fake-2"}, actor=admin, now=offer.created_at)
    assert SocialAccount.objects.count() == 1


def test_a_reconnection_takes_its_own_page_of_several(
    client: Client, brand: Brand, network: FakeNetwork, pages: tuple[str, ...], monkeypatch: Any
) -> None:
    app = add(client)
    come_back(client, go(client, brand, app=app.pk))
    chooser = reverse("accounts:connect_choose", args=[ConnectionOffer.objects.get().pk])
    client.post(chooser, {"account": ["fake-2"]})
    account = SocialAccount.objects.get()
    network.code = "good-code"
    again = reverse("accounts:account_reconnect", args=[account.pk])
    form = client.get(again).context["form"]
    assert form["app"].value() == app.pk
    state = parse_qs(urlsplit(client.post(again, {"app": app.pk})["Location"]).query)["state"][0]
    assert come_back(client, state)["Location"].endswith(f"{account.pk}/")
    assert SocialAccount.objects.count() == 1
    monkeypatch.setattr(FakeAppConnector, "pages", ("fake-1", "fake-3"))
    network.code = "good-code"
    state = parse_qs(urlsplit(client.post(again, {"app": app.pk})["Location"]).query)["state"][0]
    assert (
        "You signed in as @fake-1@fake.test, fake-3@fake.test" in come_back(client, state).context["problem"]
    )


def test_what_the_network_allows_is_read_at_each_check_and_shown(
    client: Client, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [Quota("Posts", 7, 100, 86_400), Quota("Messages this month", 1200, 0)]
    monkeypatch.setattr(FakeAppConnector, "fetch_quotas", lambda _self: tuple(told))
    app = add(client)
    page = client.get(come_back(client, go(client, brand, app=app.pk))["Location"]).content.decode()
    assert "7 of 100 in the last 24 hours" in page
    assert "1,200, without a limit" in page
    told[0] = Quota("Posts", 8, 0)
    told.pop()
    account = SocialAccount.objects.get()
    client.post(reverse("accounts:account_check", args=[account.pk]))
    page = client.get(reverse("accounts:account_detail", args=[account.pk])).content.decode()
    assert "8, without a limit" in page
    assert "Messages this month" not in page


def test_what_is_counted_here_is_shown_beside_what_the_network_told(client: Client, brand: Brand) -> None:
    channel = make_account(brand, platform="youtube", options={"channel_id": "UC1"})
    now = timezone.now()
    units = next(one for one in channel.info.rates if one.name == "units")
    spend(account=channel, rate=units, amount=1234, is_reading=False, now=now)
    spend(account=channel, rate=units, amount=66, is_reading=True, now=now)
    take(account=channel, info=channel.info, amounts={"media": 3}, now=now)
    page = client.get(reverse("accounts:account_detail", args=[channel.pk])).content.decode()
    assert "Allowance: Units for reading" in page
    assert "1,300 of 10,000 · starts anew on " in page
    assert "66 of 5,000 · starts anew on " in page
    assert "3 of 100 · starts anew on " in page
    rows = [{"name": "Posts", "used": 7, "limit": 50, "window_s": 86_400, "resets_at": ""}]
    told = make_account(brand, platform="instagram", handle="told", options={"quotas": {"rows": rows}})
    take(account=told, info=told.info, amounts={"publications": 2}, now=now)
    page = client.get(reverse("accounts:account_detail", args=[told.pk])).content.decode()
    assert "7 of 50 in the last 24 hours" in page
    assert "2 of 50" not in page


def test_an_allowance_says_when_it_starts_anew(client: Client, brand: Brand) -> None:
    brand.timezone = "Asia/Tokyo"
    brand.save()
    rows = [
        {"name": "Messages this month", "used": 47, "limit": 200, "window_s": 0, "resets_at": resets_at}
        for resets_at in ("2026-11-30T15:00:00+00:00", "2026-12-31T15:00:00+00:00")
    ]
    with time_machine.travel("2026-12-05T03:00:00Z", tick=False):
        page_ = make_account(brand, platform="linkedin", options={"urn": "urn:li:organization:1"})
        posts = next(one for one in page_.info.rates if one.name == "posts")
        spend(account=page_, rate=posts, amount=12, is_reading=False, now=timezone.now())
        page = client.get(reverse("accounts:account_detail", args=[page_.pk])).content.decode()
        assert "12 of 150 in 24 hours · starts anew on 6 Dec 2026, 12:00" in page
        over, current = (
            make_account(brand, platform="line", handle=f"line{n}", options={"quotas": {"rows": [row]}})
            for n, row in enumerate(rows)
        )
        page = client.get(reverse("accounts:account_detail", args=[current.pk])).content.decode()
        assert "47 of 200 · starts anew on 1 Jan 2027, 00:00" in page
        page = client.get(reverse("accounts:account_detail", args=[over.pk])).content.decode()
        assert "47 of 200" not in page


# --- the table of networks ----------------------------------------------------------------------


def test_the_matrix_says_of_each_network_what_it_can_do(client: Client) -> None:
    page = client.get(reverse("accounts:network_list"))
    groups = dict(page.context["groups"])
    names = [info.name for info in page.context["networks"]]
    place = names.index("Fake App")
    assert dict(groups["Numbers"])["Numbers of the account"][place] is True
    assert dict(groups["Numbers"])["Numbers of posts"][place] is False
    assert dict(groups["Limits"])["Longest text"][place] == "300"
    assert dict(groups["Limits"])["Images in one post"][place] == "4"
    assert page.content.decode().count('<th scope="col"') == len(names) + 1


def test_limits_say_nothing_of_what_a_network_does_not_take() -> None:
    with translation.override("en"):
        line, bluesky = (dict(limits_of(CONNECTORS[key].INFO)) for key in ("line", "bluesky"))
    assert line.keys() == {"Text", "Images", "Video"}
    assert bluesky["Alt text"] == "2,000 characters"
    assert bluesky["Text"] == "300 characters as a reader sees them · at most 3,000 bytes"


def test_the_document_of_networks_is_what_the_registry_says() -> None:
    kept = Path(__file__).parents[2] / "docs" / "networks.md"
    assert kept.read_text(encoding="utf-8") == document(), "run manage.py networks_doc"


def test_every_capability_has_a_row() -> None:
    assert {one for _title, rows in GROUPS for one, _label in rows} == set(Capability)
    assert set(UNITS) == set(TextUnit)
    assert set(SAFETY) == set(RetrySafety)


def test_lengths_are_told_as_people_say_them() -> None:
    with translation.override("en"):
        said = [length(seconds) for seconds in (59.6, 119, 140, 900, 43200)]
    assert said == ["60 s", "119 s", "2:20 min", "15 min", "12 hours"]


def test_rates_are_told_with_their_time_and_whose_they_are() -> None:
    def told(network: str) -> str:
        return dict(network_facts(info_for(network, {})))["How often"]

    with translation.override("en"):
        assert told("threads") == "Posts: 250 in 24 hours; Replies: 1,000 in 24 hours"
        assert told("x") == "Posts: 100 in 15 min; Posts: 10,000 in 24 hours (of the developer app)"
        assert told("youtube") == (
            "Uploads: 100 in 24 hours (of the developer app); "
            "Units: 10,000 in 24 hours (of the developer app), at most 5,000 of them for reading"
        )


def test_offers_and_apps_move_to_a_new_key(client: Client, brand: Brand, pages: tuple[str, ...]) -> None:
    app = add(client)
    come_back(client, go(client, brand, app=app.pk))
    before = ConnectionOffer.objects.get().secret
    rotate_secrets(progress=lambda _so_far: None)
    after = ConnectionOffer.objects.get().secret
    assert after != before
    assert decrypt_json(after) == decrypt_json(before)
