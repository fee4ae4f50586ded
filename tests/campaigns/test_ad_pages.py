"""Pages of ad accounts: how an import stands, who sees which, words of the platforms."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.urls import reverse

from accounts.models import Brand, Membership, User
from campaigns import tasks
from campaigns.ad_wording import AD_WORDS
from campaigns.models import AdAccount
from connectors.ads.registry import AD_CONNECTORS
from tests.campaigns.ad_stage import KEY, SignIn, account, make_account, platform

__all__ = ["account", "platform"]


@pytest.mark.django_db
def test_the_page_tells_how_an_import_stands(sign_in: SignIn, marketer: User, account: AdAccount) -> None:
    client = sign_in(marketer)
    page = reverse("campaigns:ad_account", args=[account.pk])
    assert "Waits for its turn" in client.get(page).content.decode()
    now = dt.datetime.now(dt.UTC)
    AdAccount.objects.update(importing_until=now + dt.timedelta(minutes=5), import_fence=3)
    account.refresh_from_db()
    tasks._ads_teller(account)(150)
    part = client.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "The costs are being read" in part
    assert "150 rows so far" in part
    assert "<html" not in part
    AdAccount.objects.update(
        importing_until=None,
        import_at=now + dt.timedelta(hours=3),
        problem="forbidden",
        problem_detail="no <b>",
    )
    text = client.get(page).content.decode()
    assert "Whoever signed in may no longer read this ad account at Fake Ads" in text
    assert "no &lt;b&gt;" in text
    assert "every 2s" not in text
    AdAccount.objects.update(result=json.loads("{}"), imported_at=now, problem="", currency="", time_zone="")
    assert "does not say in which currency" in client.get(page).content.decode()


@pytest.mark.django_db
def test_members_see_the_ad_accounts_of_their_brands(
    sign_in: SignIn, marketer: User, account: AdAccount, other_brand: Brand
) -> None:
    make_account(other_brand, name="Tea ads")
    page = reverse("campaigns:ad_accounts")
    assert "Tea ads" in sign_in(marketer).get(page).content.decode()
    member = Membership.objects.get(user=marketer)
    member.has_all_brands = False
    member.save()
    member.brands.set([account.brand])
    text = sign_in(marketer).get(page).content.decode()
    assert "Shop" in text
    assert "Tea ads" not in text


def test_every_word_of_a_platform_can_be_translated() -> None:
    said = set()
    for key, connector in AD_CONNECTORS.items():
        info = connector.INFO
        if key == KEY:
            continue
        said |= {*info.app.steps, info.app.id_label, info.app.secret_label, info.conversions}
        said |= {one.label for one in info.windows} | ({info.app.review} - {""})
    assert set(AD_WORDS) == said
