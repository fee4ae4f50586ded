"""People sign in at advertising platforms: apps, offers, connecting ad accounts and connecting them again."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import AppRegistration, Brand, Notification, NotificationKind, Organization, User
from accounts.services.apps import InUse
from campaigns import tasks
from campaigns.models import AdAccount, AdCampaign, AdCredential, SpendEntry
from campaigns.services import ad_accounts
from connectors.ads.base import AdAccount as RemoteAccount
from connectors.ads.base import AdGrant
from connectors.base import Tokens
from tests.campaigns.ad_stage import (
    KEY,
    FakeAds,
    SignIn,
    account,
    day,
    make_account,
    make_app,
    platform,
    run,
)
from tests.campaigns.conftest import NOW, make_campaign

__all__ = ["account", "platform"]


def sent_to_platform(client: Client, app: AppRegistration) -> str:
    answer = client.post(f"{reverse('campaigns:ad_connect')}?platform={KEY}", {"app": app.pk})
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer["Location"]).query)["state"][0]


@pytest.mark.django_db(transaction=True)
def test_from_the_app_to_the_costs(
    sign_in: SignIn, admin: User, marketer: User, brand: Brand, celery_eager: None
) -> None:
    """An admin types the app in and signs in, a marketer says which campaigns are which."""
    client = sign_in(admin)
    connect = f"{reverse('campaigns:ad_connect')}?platform={KEY}"
    page = client.get(connect).content.decode()
    assert "/campaigns/ads/callback/" in page
    assert "Go to Fake Ads" not in page
    new = f"{reverse('campaigns:ad_app_create')}?platform={KEY}"
    client.post(new, {"name": "Our app", "client_id": "1", "client_secret": "s3cr3t"})
    app = AppRegistration.objects.get()
    page = client.get(connect).content.decode()
    assert "Go to Fake Ads" in page
    assert "s3cr3t" not in page
    state = sent_to_platform(client, app)
    callback = reverse("campaigns:ad_callback")
    answer = client.get(callback, {"state": state, "auth_code": "good"})
    choose = answer["Location"]
    page = client.get(choose).content.decode()
    assert "Shop (11, EUR)" in page
    assert "Other (12, JPY)" in page
    assert client.post(choose, {"brand": brand.pk}).status_code == 422
    Brand.objects.filter(pk=brand.pk).update(currency="EUR")
    campaign = make_campaign(Brand.objects.get(pk=brand.pk))
    date = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=3)
    FakeAds.days = [day(date, "10")]
    answer = client.post(choose, {"brand": brand.pk, "account": ["11"]}, follow=True)
    account = AdAccount.objects.get()
    assert (account.currency, account.time_zone, account.window) == ("EUR", "Asia/Tokyo", "7d")
    assert answer.redirect_chain[-1][0] == reverse("campaigns:ad_account", args=[account.pk])
    assert "Ad c1" in answer.content.decode()
    assert client.get(choose).status_code == 200  # it serves once
    assert "took too long, was used before" in client.get(choose).content.decode()
    assert "took too long" in client.get(callback, {"state": state, "code": "good"}).content.decode()

    client = sign_in(marketer)
    row = AdCampaign.objects.get()
    given = {f"campaign_{row.pk}": str(campaign.pk), "window": "1d"}
    assign_url = reverse("campaigns:ad_assign", args=[account.pk])
    answer = client.post(assign_url, given, follow=True)
    assert "The costs are imported now" in answer.content.decode()
    entry = SpendEntry.objects.get()
    assert (entry.date, entry.amount, entry.campaign) == (date, 10, campaign)
    assert entry.external_id.endswith(":1d")
    assert "Nothing was changed" in client.post(assign_url, given, follow=True).content.decode()
    assert client.get(reverse("campaigns:spend_edit", args=[entry.pk])).status_code == 404
    assert client.post(reverse("campaigns:spend_delete", args=[entry.pk])).status_code == 404
    page = client.get(reverse("campaigns:spend", args=[campaign.pk])).content.decode()
    assert reverse("campaigns:spend_edit", args=[entry.pk]) not in page
    assert client.post(reverse("campaigns:ad_disconnect", args=[account.pk])).status_code == 403
    export = b"".join(client.get(reverse("campaigns:spend_export", args=[campaign.pk]))).decode()
    assert ",ads" in export


@pytest.mark.django_db
def test_signing_in_again_gives_an_account_the_new_tokens(
    sign_in: SignIn, admin: User, account: AdAccount, organization: Organization
) -> None:
    FakeAds.stale = {"t0", "t1"}
    run(account)
    FakeAds.stale = set()
    client = sign_in(admin)
    state = sent_to_platform(client, make_app(organization, admin))
    choose = client.get(reverse("campaigns:ad_callback"), {"state": state, "code": "good"})["Location"]
    client.post(choose, {"brand": account.brand_id, "account": ["11"]})
    account.refresh_from_db()
    assert (account.status, account.problem) == ("active", "")
    assert AdAccount.objects.count() == 1
    tasks.clean_ad_sign_ins()
    assert list(AdCredential.objects.all()) == [account.credential]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"code": "bad"}, "did not accept this sign-in"),
        ({"error": "access_denied"}, "was not given"),
        ({}, "was not given"),
        ({"state": "forged", "code": "good"}, "took too long"),
    ],
)
def test_a_sign_in_that_fails_says_why(
    sign_in: SignIn, admin: User, organization: Organization, query: dict[str, str], words: str
) -> None:
    client = sign_in(admin)
    state = sent_to_platform(client, make_app(organization, admin))
    page = client.get(reverse("campaigns:ad_callback"), {"state": state, **query}).content.decode()
    assert words in page
    assert not AdCredential.objects.exists()


@pytest.mark.django_db
def test_a_sign_in_without_any_ad_account_is_none(
    sign_in: SignIn, admin: User, organization: Organization
) -> None:
    FakeAds.accounts = []
    client = sign_in(admin)
    state = sent_to_platform(client, make_app(organization, admin))
    page = client.get(reverse("campaigns:ad_callback"), {"state": state, "code": "good"}).content.decode()
    assert "There is no ad account" in page


@pytest.mark.django_db
def test_an_offer_is_the_persons_own_and_ends(
    sign_in: SignIn, admin: User, owner: User, organization: Organization, brand: Brand
) -> None:
    client = sign_in(admin)
    state = sent_to_platform(client, make_app(organization, admin))
    choose = client.get(reverse("campaigns:ad_callback"), {"state": state, "code": "good"})["Location"]
    assert sign_in(owner).get(choose).status_code == 404
    AdCredential.objects.update(created_at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=2))
    page = sign_in(admin).post(choose, {"brand": brand.pk, "account": ["11"]}).content.decode()
    assert "took too long" in page
    tasks.clean_ad_sign_ins()
    assert not AdCredential.objects.exists()


@pytest.mark.django_db
def test_an_app_in_use_is_not_deleted(
    sign_in: SignIn, admin: User, account: AdAccount, organization: Organization
) -> None:
    app = make_app(organization, admin)
    AdCredential.objects.update(app=app)
    with pytest.raises(InUse):
        ad_accounts.delete_app(app=app, actor=admin, now=NOW)
    client = sign_in(admin)
    answer = client.post(reverse("campaigns:ad_app_delete", args=[app.pk]), follow=True)
    assert "Disconnect it first" in answer.content.decode()
    client.post(reverse("campaigns:ad_disconnect", args=[account.pk]))
    client.post(reverse("campaigns:ad_app_delete", args=[app.pk]))
    assert not AppRegistration.objects.exists()


@pytest.mark.django_db
def test_an_app_is_changed_without_its_secret(
    sign_in: SignIn, admin: User, organization: Organization
) -> None:
    app = make_app(organization, admin)
    client = sign_in(admin)
    edit = reverse("campaigns:ad_app_edit", args=[app.pk])
    assert "s3cr3t" not in client.get(edit).content.decode()
    client.post(edit, {"name": "Renamed", "client_id": "2", "client_secret": ""})
    app.refresh_from_db()
    assert app.name == "Renamed"


@pytest.mark.django_db
def test_where_the_role_was_lost_somebody_else_can_sign_in(
    sign_in: SignIn, admin: User, marketer: User, account: AdAccount
) -> None:
    page = reverse("campaigns:ad_account", args=[account.pk])
    assert "Sign in again" not in sign_in(admin).get(page).content.decode()
    AdAccount.objects.update(problem="forbidden", import_at=None)
    text = sign_in(admin).get(page).content.decode()
    assert f'href="{reverse("campaigns:ad_connect")}?platform={KEY}"' in text
    assert "Sign in again" in text
    # Who may not connect accounts is not led there.
    assert "Sign in again" not in sign_in(marketer).get(page).content.decode()


@pytest.mark.django_db
def test_what_is_connected_already_says_so_where_one_chooses(
    sign_in: SignIn, admin: User, account: AdAccount, organization: Organization
) -> None:
    client = sign_in(admin)
    state = sent_to_platform(client, make_app(organization, admin))
    choose = client.get(reverse("campaigns:ad_callback"), {"state": state, "code": "good"})["Location"]
    page = client.get(choose).content.decode()
    assert f"Shop (11, EUR) · connected already with {account.brand}" in page
    assert page.count("connected already with") == 1
    ad_accounts.disconnect(account=account, actor=admin, now=NOW)
    assert "connected already with" not in client.get(choose).content.decode()


@pytest.mark.django_db
def test_what_a_platform_does_not_say_this_time_is_as_it_was(
    sign_in: SignIn, admin: User, account: AdAccount, organization: Organization
) -> None:
    FakeAds.accounts = [RemoteAccount("11", "Shop", "", "")]
    client = sign_in(admin)
    state = sent_to_platform(client, make_app(organization, admin))
    choose = client.get(reverse("campaigns:ad_callback"), {"state": state, "code": "good"})["Location"]
    client.post(choose, {"brand": account.brand_id, "account": ["11"]})
    before = (account.currency, account.time_zone)
    account.refresh_from_db()
    assert (account.currency, account.time_zone) == before


@pytest.mark.django_db
def test_access_that_ends_is_counted_down_and_told_in_time(
    sign_in: SignIn, admin: User, brand: Brand, account: AdAccount
) -> None:
    page = reverse("campaigns:ad_account", args=[account.pk])
    assert "Access ends" not in sign_in(admin).get(page).content.decode()  # it is renewed by itself
    make_account(brand, credential=account.credential, remote_id="12")  # served by the same sign-in
    ends_at = NOW + dt.timedelta(days=60)
    AdCredential.objects.update(ends_at=ends_at)

    def news_at(left: dt.timedelta) -> int:
        with time_machine.travel(ends_at - left, tick=False):
            tasks.watch_ad_sign_ins()
            tasks.watch_ad_sign_ins()
        return Notification.objects.filter(kind=NotificationKind.ACCOUNT_EXPIRING, user=admin).count()

    lefts = [dt.timedelta(days=20), dt.timedelta(days=6), dt.timedelta(days=5), dt.timedelta(hours=20)]
    assert [news_at(left) for left in lefts] == [0, 1, 1, 2]
    assert news_at(-dt.timedelta(hours=1)) == 2
    with time_machine.travel(ends_at - dt.timedelta(days=6, hours=1), tick=False):
        text = sign_in(admin).get(page).content.decode()
    assert "Access ends" in text
    assert "6 days left" in text
    assert f"{reverse('campaigns:ad_connect')}?platform={KEY}" in text


@pytest.mark.django_db
def test_the_end_of_access_is_kept_with_the_tokens(
    monkeypatch: pytest.MonkeyPatch, organization: Organization, admin: User, account: AdAccount
) -> None:
    ends_at = NOW + dt.timedelta(days=60)
    for tokens, expected in (
        (Tokens("t0", expires_at=ends_at), ends_at),
        (Tokens("t0", "r0", expires_at=NOW), None),
        (Tokens("t0", "r0", expires_at=NOW, ends_at=ends_at), ends_at),
    ):
        monkeypatch.setattr(FakeAds, "exchange_code", lambda given=tokens, **_: AdGrant(given))
        start = ad_accounts.begin(
            app=AppRegistration.objects.first() or make_app(organization, admin),
            redirect_uri="https://x.example/",
            now=NOW,
        )
        found = ad_accounts.finish(
            organization=organization, pending=start.pending, code="good", actor=admin, now=NOW
        )
        assert found.ends_at == expected
    AdCredential.objects.filter(accounts=account).update(ends_at=ends_at)
    FakeAds.stale = {"t0"}
    run(account)  # renewed: what is known of the new tokens counts
    assert AdCredential.objects.get(accounts=account).ends_at is None
