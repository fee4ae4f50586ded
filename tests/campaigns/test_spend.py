from __future__ import annotations

import csv
import datetime as dt
import io
import threading
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, User
from campaigns.models import Campaign, CostKind, Source, SpendEntry
from campaigns.services.budgets import Cost, add_line
from campaigns.services.spend import (
    OtherCampaign,
    SpendFacts,
    add_spend,
    change_spend,
    delete_spend,
)
from tests.campaigns.conftest import NOW, make_campaign

SignIn = Callable[[User], Any]
DAY = dt.date(2026, 11, 10)


def facts(amount: int = 50, **changes: Any) -> SpendFacts:
    return SpendFacts(**{"date": DAY, "cost": Cost(CostKind.MEDIA, amount=Decimal(amount)), **changes})


def enter(campaign: Campaign, actor: User, key: str = "1", **changes: Any) -> SpendEntry:
    entry, _is_new = add_spend(
        campaign=campaign, facts=facts(**changes), external_id=key, actor=actor, now=NOW
    )
    return entry


# --- services -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_same_form_sent_twice_is_one_entry(campaign: Campaign, marketer: User) -> None:
    first = add_spend(campaign=campaign, facts=facts(), external_id="x", actor=marketer, now=NOW)
    second = add_spend(campaign=campaign, facts=facts(), external_id="x", actor=marketer, now=NOW)
    assert first[0] == second[0]
    assert (first[1], second[1]) == (True, False)
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_entry(campaign: Campaign, marketer: User) -> None:
    start = threading.Barrier(4)
    outcomes: list[bool] = []

    def work() -> None:
        start.wait()
        _entry, is_new = add_spend(campaign=campaign, facts=facts(), external_id="x", actor=marketer, now=NOW)
        outcomes.append(is_new)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, False, True]
    assert SpendEntry.objects.count() == 1
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db
def test_changes_are_written_to_the_audit_log(campaign: Campaign, marketer: User) -> None:
    entry = enter(campaign, marketer)
    change_spend(entry=entry, facts=facts(70), actor=marketer, now=NOW)
    delete_spend(entry=entry, actor=marketer, now=NOW)
    told = [(e.action, e.detail.get("before"), e.detail["amount"]) for e in AuditEntry.objects.order_by("pk")]
    assert told == [
        ("spend.added", None, "50.00"),
        ("spend.changed", "50.00", "70.00"),
        ("spend.deleted", None, "70.00"),
    ]
    assert not SpendEntry.objects.exists()


@pytest.mark.django_db
def test_a_line_of_another_campaign_is_refused(campaign: Campaign, marketer: User) -> None:
    other = make_campaign(campaign.brand, "Other")
    line = add_line(
        campaign=other, cost=Cost(CostKind.MEDIA, amount=Decimal(1)), label="", actor=marketer, now=NOW
    )
    with pytest.raises(OtherCampaign):
        enter(campaign, marketer, line=line)
    assert not SpendEntry.objects.exists()


# --- pages --------------------------------------------------------------------------------------


def given(**changes: str) -> dict[str, str]:
    return {
        "external_id": str(uuid.uuid4()),
        "date": "2026-11-10",
        "kind": "media",
        "amount": "1,200.50",
        "hours": "",
        "hourly_rate": "",
        "platform": "Bluesky",
        "line": "",
        "note": "autumn",
        **changes,
    }


@pytest.mark.django_db
def test_a_cost_is_entered_changed_and_deleted_on_the_page(
    sign_in: SignIn, marketer: User, campaign: Campaign
) -> None:
    client = sign_in(marketer)
    add = reverse("campaigns:spend_add", args=[campaign.pk])
    once = given()
    assert client.post(add, once).status_code == 302
    page = client.post(add, once, follow=True).content.decode()
    assert "This was entered already" in page
    entry = SpendEntry.objects.get()
    assert (entry.amount, entry.platform, entry.source) == (Decimal("1200.50"), "bluesky", Source.MANUAL)
    edit = reverse("campaigns:spend_edit", args=[entry.pk])
    assert 'value="1200.50"' in client.get(edit).content.decode()
    client.post(edit, given(kind="labour", amount="", hours="2.5", hourly_rate="30", platform="Google Ads"))
    entry.refresh_from_db()
    assert (entry.amount, entry.hours, entry.platform) == (75, Decimal("2.5"), "Google Ads")
    page = client.get(reverse("campaigns:spend", args=[campaign.pk])).content.decode()
    assert "2.50 h at $30.00" in " ".join(page.split())
    client.post(reverse("campaigns:spend_delete", args=[entry.pk]))
    assert not SpendEntry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"date": "2026-02-30"}, "date"),
        ({"date": "1026-11-10"}, "date"),
        ({"date": ""}, "date"),
        ({"amount": "-1"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"external_id": "nonsense"}, "external_id"),
        ({"line": "00000000-0000-7000-8000-000000000000"}, "line"),
        ({"platform": "x" * 25}, "platform"),
    ],
)
def test_a_cost_that_makes_no_sense_is_refused_at_its_field(
    sign_in: SignIn, marketer: User, campaign: Campaign, changes: dict[str, str], field: str
) -> None:
    response = sign_in(marketer).post(reverse("campaigns:spend_add", args=[campaign.pk]), given(**changes))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not SpendEntry.objects.exists()


@pytest.mark.django_db
def test_the_list_is_paged_and_narrowed_by_kind(
    sign_in: SignIn, marketer: User, campaign: Campaign, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        enter(campaign, marketer, f"m{number}", note=f"note {number}")
    enter(campaign, marketer, "t", cost=Cost(CostKind.TOOL, amount=Decimal(9)))
    client = sign_in(marketer)
    address = reverse("campaigns:spend", args=[campaign.pk])
    with django_assert_max_num_queries(24):
        page = client.get(address).content.decode()
    assert "1 to 50 of 61" in page
    page = client.get(address + "?kind=tool").content.decode()
    assert "$9.00" in page
    assert "note 5" not in page
    assert client.get(address + "?kind=nonsense&page=99").status_code == 200


@pytest.mark.django_db
def test_today_of_the_brand_is_offered_as_the_date(
    sign_in: SignIn, marketer: User, campaign: Campaign
) -> None:
    with time_machine.travel(dt.datetime(2026, 11, 22, 23, 30, tzinfo=dt.UTC), tick=False):
        page = sign_in(marketer).get(reverse("campaigns:spend", args=[campaign.pk]))
    assert page.context["form"]["date"].value() == dt.date(2026, 11, 23)  # half past midnight in Berlin


@pytest.mark.django_db
def test_the_export_holds_every_entry_and_no_formula(
    sign_in: SignIn, manager: User, marketer: User, campaign: Campaign
) -> None:
    enter(campaign, marketer, "1", note="=cmd|' /C calc'!A0", platform="sandbox")
    enter(campaign, marketer, "2", cost=Cost(CostKind.LABOUR, hours=Decimal(2), hourly_rate=Decimal("7.5")))
    response = sign_in(manager).get(reverse("campaigns:spend_export", args=[campaign.pk]))
    text = b"".join(response).decode("utf-8-sig")
    rows = {row["kind"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["media"]["note"] == "'=cmd|' /C calc'!A0"
    assert (rows["media"]["date"], rows["media"]["amount"], rows["media"]["currency"]) == (
        "2026-11-10",
        "50.00",
        "USD",
    )
    assert (rows["labour"]["amount"], rows["labour"]["hours"]) == ("15.00", "2.00")


@pytest.mark.django_db
def test_who_only_looks_cannot_enter_costs(
    sign_in: SignIn, manager: User, marketer: User, campaign: Campaign
) -> None:
    entry = enter(campaign, marketer)
    client = sign_in(manager)
    assert "Enter a cost" not in client.get(reverse("campaigns:spend", args=[campaign.pk])).content.decode()
    for name, pk in (
        ("spend_add", campaign.pk),
        ("spend_edit", entry.pk),
        ("spend_delete", entry.pk),
        ("spend_import", campaign.pk),
    ):
        assert client.post(reverse(f"campaigns:{name}", args=[pk]), given()).status_code == 403
    assert SpendEntry.objects.get().amount == 50


@pytest.mark.django_db
def test_sums_of_a_page_do_not_grow_with_its_entries(
    campaign: Campaign, marketer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    from campaigns.selectors.spend import by_kind

    for number in range(5):
        enter(campaign, marketer, str(number))
    with django_assert_num_queries(2):
        assert [one.spent for one in by_kind(campaign)] == [250]
