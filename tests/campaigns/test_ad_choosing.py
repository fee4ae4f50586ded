"""Campaigns of ad accounts are assigned to campaigns: what may be chosen, what the page of choices keeps."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Brand, User
from campaigns.models import AdAccount, AdCampaign, Campaign, SpendEntry
from campaigns.services.ad_accounts import OtherBrand, OtherCurrency
from core.paging import PAGE_SIZE
from tests.campaigns.ad_stage import FakeAds, SignIn, account, assign, day, platform, run, spent
from tests.campaigns.conftest import make_campaign

__all__ = ["account", "platform"]


# --- choosing ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_costs_move_with_the_choice_and_go_with_it(account: AdAccount, campaign: Campaign) -> None:
    FakeAds.days = [day(20, "10")]
    assign(account, campaign)
    run(account)
    summer = make_campaign(campaign.brand, "Summer")
    assign(account, summer)
    assert (spent(campaign), spent(summer)) == ({}, {20: 10})
    run(account)
    assert (spent(campaign), spent(summer)) == ({}, {20: 10})
    assign(account, None, ignored=True)
    assert SpendEntry.objects.count() == 0
    run(account)
    assert SpendEntry.objects.count() == 0


@pytest.mark.django_db
def test_only_campaigns_of_the_brand_in_its_currency_can_be_chosen(
    account: AdAccount, campaign: Campaign, other_brand: Brand, brand: Brand
) -> None:
    with pytest.raises(OtherBrand):
        assign(account, make_campaign(other_brand, "Tea"))
    with pytest.raises(OtherCurrency):
        assign(account, make_campaign(brand, "Yen", currency="JPY"))
    AdAccount.objects.filter(pk=account.pk).update(currency="")
    with pytest.raises(OtherCurrency):
        assign(account, campaign)
    assert not AdCampaign.objects.filter(campaign__isnull=False).exists()


@pytest.mark.django_db
def test_a_campaign_whose_currency_was_changed_gets_nothing(account: AdAccount, campaign: Campaign) -> None:
    FakeAds.days = [day(20, "10")]
    assign(account, campaign)
    Campaign.objects.filter(pk=campaign.pk).update(currency="JPY")
    run(account)
    assert not SpendEntry.objects.exists()


@pytest.mark.django_db
def test_a_campaign_whose_currency_was_changed_does_not_stand_in_the_way_of_others(
    sign_in: SignIn, marketer: User, account: AdAccount, campaign: Campaign
) -> None:
    assign(account, campaign)
    Campaign.objects.filter(pk=campaign.pk).update(currency="JPY")
    summer = make_campaign(campaign.brand, "Summer")
    first = AdCampaign.objects.get()
    second = AdCampaign.objects.create(account=account, remote_id="c2", name="Ad c2")
    client = sign_in(marketer)
    page = client.get(reverse("campaigns:ad_account", args=[account.pk]))
    given = {name: field.value() or "" for name, field in fields_of(page)} | {
        f"campaign_{second.pk}": str(summer.pk)
    }
    assert given[f"campaign_{first.pk}"] == str(campaign.pk)
    answer = client.post(reverse("campaigns:ad_assign", args=[account.pk]), given)
    assert answer.status_code == 302
    assert [row.campaign for row in AdCampaign.objects.order_by("remote_id")] == [campaign, summer]


def fields_of(page: Any) -> list[tuple[str, Any]]:
    form = page.context["form"]
    return [(name, form[name]) for name in form.fields]


# --- pages ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_forged_choice_is_refused(
    sign_in: SignIn, marketer: User, account: AdAccount, other_brand: Brand
) -> None:
    row = AdCampaign.objects.create(account=account, remote_id="c1", name="Ad c1")
    foreign = make_campaign(other_brand, "Tea")
    url = reverse("campaigns:ad_assign", args=[account.pk])
    answer = sign_in(marketer).post(url, {f"campaign_{row.pk}": str(foreign.pk), "window": "7d"})
    assert answer.status_code == 422
    row.refresh_from_db()
    assert row.campaign is None


@pytest.mark.django_db
def test_an_old_page_does_not_take_back_what_was_chosen_since(
    sign_in: SignIn, marketer: User, account: AdAccount, campaign: Campaign
) -> None:
    rows = [AdCampaign.objects.create(account=account, remote_id=f"c{n}", name=f"Ad c{n}") for n in range(2)]
    client = sign_in(marketer)
    page = client.get(reverse("campaigns:ad_account", args=[account.pk]))
    old = {name: field.value() or "" for name, field in fields_of(page)}
    assert f'name="was_{rows[0].pk}"' in page.content.decode()
    assign(account, campaign, "c0")
    client.post(
        reverse("campaigns:ad_assign", args=[account.pk]),
        old | {f"campaign_{rows[1].pk}": str(campaign.pk)},
    )
    assert [row.campaign for row in AdCampaign.objects.order_by("remote_id")] == [campaign, campaign]


@pytest.mark.django_db
def test_many_campaigns_are_paged_and_those_of_other_pages_stay(
    sign_in: SignIn, marketer: User, account: AdAccount, campaign: Campaign
) -> None:
    AdCampaign.objects.bulk_create(
        AdCampaign(account=account, remote_id=f"c{n}", name=f"Ad {n:03}", campaign=campaign)
        for n in range(PAGE_SIZE + 3)
    )
    client = sign_in(marketer)
    page = client.get(reverse("campaigns:ad_account", args=[account.pk]), {"page": 2})
    assert len(page.context["form"].rows) == 3
    given = {name: field.value() or "" for name, field in fields_of(page)}
    gone = page.context["form"].rows[0]
    answer = client.post(
        reverse("campaigns:ad_assign", args=[account.pk]), given | {f"campaign_{gone.pk}": ""}
    )
    assert answer.status_code == 302
    assert list(AdCampaign.objects.filter(campaign=None)) == [gone]
