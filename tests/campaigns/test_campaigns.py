from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.validators import validate_slug
from django.db import connection
from django.http import QueryDict
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, Brand, User
from campaigns.forms.campaigns import CampaignForm, campaign_filter
from campaigns.models import BudgetLine, Campaign, CampaignTarget, CostKind, Objective
from campaigns.selectors.campaigns import (
    CampaignFilter,
    CampaignState,
    campaigns_of,
    choosable,
    results_of,
    row_of,
    rows_of,
    state_of,
)
from campaigns.services.campaigns import (
    CampaignFacts,
    CodeTaken,
    CurrencyInUse,
    archive_campaign,
    change_campaign,
    code_from_name,
    create_campaign,
    restore_campaign,
)
from tests.campaigns.conftest import NOW, make_campaign

SignIn = Callable[[User], Any]
TODAY = dt.date(2026, 11, 22)


def facts(**changes: Any) -> CampaignFacts:
    values: dict[str, Any] = {
        "name": "Spring sale",
        "objective": Objective.SALES,
        "starts_on": dt.date(2026, 11, 1),
        "ends_on": dt.date(2026, 11, 30),
        "currency": "EUR",
        **changes,
    }
    return CampaignFacts(**values)


# --- codes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Spring Sale!", "spring-sale"),
        ("Café & Crème", "cafe-creme"),
        ("春の新作", "campaign-2026-11"),
        ("春の新作 2026", "campaign-2026-11"),
        ("Xmas クリスマス", "xmas"),
        ("!!!", "campaign-2026-11"),
    ],
)
def test_the_code_in_links_is_made_from_the_name(name: str, code: str) -> None:
    assert code_from_name(name, dt.date(2026, 11, 1)) == code


@given(st.text(max_size=160))
def test_any_name_makes_a_code_that_can_stand_in_an_address(name: str) -> None:
    code = code_from_name(name, TODAY)
    assert 0 < len(code) <= 60
    validate_slug(code)


@pytest.mark.django_db
def test_campaigns_of_one_name_get_codes_of_their_own(brand: Brand, marketer: User) -> None:
    made = [create_campaign(brand=brand, facts=facts(), actor=marketer, now=NOW).code for _ in range(3)]
    assert made == ["spring-sale", "spring-sale-2", "spring-sale-3"]


@pytest.mark.django_db
def test_long_names_get_codes_of_their_own_too(brand: Brand, marketer: User) -> None:
    long = facts(name="a" * 160)
    made = [create_campaign(brand=brand, facts=long, actor=marketer, now=NOW).code for _ in range(2)]
    assert made[0] != made[1]
    assert all(len(code) <= 60 for code in made)


@pytest.mark.django_db
def test_a_code_that_is_taken_is_refused_and_nothing_is_made(
    campaign: Campaign, brand: Brand, other_brand: Brand, marketer: User
) -> None:
    with pytest.raises(CodeTaken):
        create_campaign(brand=brand, facts=facts(code="spring"), actor=marketer, now=NOW)
    assert Campaign.objects.get() == campaign
    assert not AuditEntry.objects.exists()
    # Another brand may use it.
    create_campaign(brand=other_brand, facts=facts(code="spring"), actor=marketer, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_people_who_take_one_code_at_once_get_one_campaign(brand: Brand, marketer: User) -> None:
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def work() -> None:
        start.wait()
        try:
            create_campaign(brand=brand, facts=facts(code="same"), actor=marketer, now=NOW)
            outcomes.append("made")
        except CodeTaken:
            outcomes.append("taken")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "taken"]
    assert Campaign.objects.count() == 1


# --- changing -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_making_changing_and_archiving_are_written_to_the_audit_log(brand: Brand, marketer: User) -> None:
    made = create_campaign(brand=brand, facts=facts(targets={"leads": Decimal(10)}), actor=marketer, now=NOW)
    change_campaign(
        campaign=made,
        facts=facts(name="Summer", targets={"leads": Decimal(20)}),
        actor=marketer,
        now=NOW,
    )
    archive_campaign(campaign=made, actor=marketer, now=NOW)
    archive_campaign(campaign=made, actor=marketer, now=NOW)  # a second click
    restore_campaign(campaign=made, actor=marketer, now=NOW)
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["campaign.created", "campaign.changed", "campaign.archived", "campaign.restored"]
    detail = AuditEntry.objects.get(action="campaign.changed").detail
    assert detail == {"name": ["Spring sale", "Summer"], "targets": [{"leads": "10"}, {"leads": "20"}]}


@pytest.mark.django_db
def test_a_change_that_changes_nothing_is_not_written_down(brand: Brand, marketer: User) -> None:
    made = create_campaign(brand=brand, facts=facts(), actor=marketer, now=NOW)
    change_campaign(campaign=made, facts=facts(), actor=marketer, now=NOW)
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db
def test_the_code_stays_when_the_name_changes(brand: Brand, marketer: User) -> None:
    made = create_campaign(brand=brand, facts=facts(), actor=marketer, now=NOW)
    changed = change_campaign(campaign=made, facts=facts(name="Other"), actor=marketer, now=NOW)
    assert changed.code == "spring-sale"


@pytest.mark.django_db
def test_the_currency_stays_once_amounts_were_entered(campaign: Campaign, marketer: User) -> None:
    change_campaign(campaign=campaign, facts=facts(currency="JPY"), actor=marketer, now=NOW)
    BudgetLine.objects.create(campaign=campaign, kind=CostKind.MEDIA, amount=Decimal(5))
    with pytest.raises(CurrencyInUse):
        change_campaign(campaign=campaign, facts=facts(currency="USD"), actor=marketer, now=NOW)
    campaign.refresh_from_db()
    assert campaign.currency == "JPY"


@pytest.mark.django_db
def test_targets_are_replaced_as_a_whole(brand: Brand, marketer: User) -> None:
    made = create_campaign(
        brand=brand,
        facts=facts(targets={"leads": Decimal(10), "cpl": Decimal("2.50")}),
        actor=marketer,
        now=NOW,
    )
    change_campaign(campaign=made, facts=facts(targets={"leads": Decimal(12)}), actor=marketer, now=NOW)
    assert list(made.targets.values_list("metric", "value")) == [("leads", Decimal(12))]


# --- states -------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-10-31T22:59:00Z", CampaignState.PLANNED),  # 23:59 in Berlin
        ("2026-10-31T23:00:00Z", CampaignState.RUNNING),  # midnight there
        ("2026-11-30T22:59:00Z", CampaignState.RUNNING),
        ("2026-11-30T23:00:00Z", CampaignState.ENDED),
    ],
)
def test_a_flight_begins_and_ends_at_midnight_of_the_brand(
    campaign: Campaign, now: str, state: CampaignState
) -> None:
    at = dt.datetime.fromisoformat(now)
    assert state_of(campaign, at) is state
    assert list(campaigns_of_everybody(campaign, at, state)) == [campaign]
    for other in set(CampaignState) - {state}:
        assert list(campaigns_of_everybody(campaign, at, other)) == []


def campaigns_of_everybody(campaign: Campaign, now: dt.datetime, state: CampaignState) -> Any:
    from accounts.models import Membership, Role
    from tests.cast import make_user

    membership = Membership.objects.filter(organization=campaign.brand.organization).first()
    if membership is None:
        membership = Membership.objects.create(
            organization=campaign.brand.organization, user=make_user("looker"), role=Role.VIEWER
        )
    return campaigns_of(membership, None, CampaignFilter(state=state), now)


@pytest.mark.django_db
def test_each_brand_has_its_own_today(brand: Brand, other_brand: Brand, marketer: User) -> None:
    """At 15:30 UTC it is tomorrow in Tokyo and still today in Berlin."""
    now = dt.datetime(2026, 11, 21, 15, 30, tzinfo=dt.UTC)
    starts = dt.date(2026, 11, 22)
    make_campaign(brand, "Berlin", starts_on=starts)
    tokyo = make_campaign(other_brand, "Tokyo", starts_on=starts)
    membership = marketer.memberships.get()
    running = campaigns_of(membership, None, CampaignFilter(state=CampaignState.RUNNING), now)
    assert list(running) == [tokyo]


@pytest.mark.django_db
def test_an_archived_campaign_is_only_found_among_archived_ones(campaign: Campaign, marketer: User) -> None:
    archive_campaign(campaign=campaign, actor=marketer, now=NOW)
    membership = marketer.memberships.get()
    assert list(campaigns_of(membership, None, CampaignFilter(), NOW)) == []
    archived = CampaignFilter(state=CampaignState.ARCHIVED)
    assert list(campaigns_of(membership, None, archived, NOW)) == [campaign]
    assert list(choosable(campaign.brand)) == []
    assert list(choosable(campaign.brand, campaign.pk)) == [campaign]


@pytest.mark.django_db
def test_days_are_counted_within_the_flight_only(campaign: Campaign) -> None:
    def left(day: str) -> tuple[int | None, int | None]:
        row = row_of(campaign, dt.datetime.fromisoformat(f"{day}T12:00:00Z"))
        return row.days_left, row.days_until

    assert left("2026-10-30") == (None, 2)
    assert left("2026-11-01") == (29, None)
    assert left("2026-11-30") == (0, None)
    assert left("2026-12-01") == (None, None)


def test_what_makes_no_sense_in_an_address_is_left_out() -> None:
    assert campaign_filter(QueryDict("state=nonsense&q=%00x")) == CampaignFilter(text="x")
    assert campaign_filter(QueryDict("state=running")).state is CampaignState.RUNNING


# --- results ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_results_stand_beside_their_targets(campaign: Campaign) -> None:
    from campaigns.models import Conversion, ConversionKind, Source, SpendEntry

    for metric, value in {"leads": 4, "cpl": 20, "revenue": 100, "roas": 2}.items():
        CampaignTarget.objects.create(campaign=campaign, metric=metric, value=value)
    SpendEntry.objects.create(
        campaign=campaign,
        kind=CostKind.MEDIA,
        date=TODAY,
        amount=Decimal(50),
        source=Source.MANUAL,
        external_id="1",
        created_at=NOW,
    )
    for number in range(2):
        Conversion.objects.create(
            brand=campaign.brand,
            campaign=campaign,
            kind=ConversionKind.LEAD,
            external_id=str(number),
            happened_at=NOW - dt.timedelta(hours=1),
            currency="USD",
            source=Source.MANUAL,
            received_at=NOW,
        )
    results = {result.metric.key: result for result in results_of(campaign, NOW)}
    assert list(results) == ["leads", "revenue", "cpl", "roas"]
    assert (results["leads"].value, results["leads"].share, results["leads"].is_met) == (
        2,
        Decimal("0.5"),
        False,
    )
    assert (results["cpl"].value, results["cpl"].is_limit, results["cpl"].is_met) == (25, True, False)
    assert results["roas"].value == 0


@pytest.mark.django_db
def test_a_result_that_cannot_be_computed_is_none_and_not_met(campaign: Campaign) -> None:
    CampaignTarget.objects.create(campaign=campaign, metric="cpl", value=20)
    (result,) = results_of(campaign, NOW)
    assert (result.value, result.share, result.is_met) == (None, None, False)


# --- the form -----------------------------------------------------------------------------------


def form(brand: Brand, **changes: str) -> CampaignForm:
    given = {
        "name": "Spring",
        "objective": "leads",
        "starts_on": "2026-11-01",
        "ends_on": "2026-11-30",
        "currency": "EUR",
        **changes,
    }
    return CampaignForm(given, brand=brand)


@pytest.mark.django_db
def test_percentages_are_shares_and_amounts_are_read_as_written(brand: Brand) -> None:
    filled = form(
        brand,
        margin="42,5 %",
        target_leads="1,000",
        target_cpl="2,50 €",
        target_roi_margin="20",
        code="My_Code",
    )
    assert filled.is_valid(), filled.errors
    found = filled.facts()
    assert found.margin_rate == Decimal("0.425")
    assert found.code == "my_code"
    assert found.targets == {"leads": 1000, "cpl": Decimal("2.50"), "roi_margin": Decimal("0.2")}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ends_on": "2026-10-31"}, "ends_on"),
        ({"starts_on": "1026-11-01"}, "starts_on"),
        ({"ends_on": "9999-11-01"}, "ends_on"),
        ({"margin": "101"}, "margin"),
        ({"margin": "-1"}, "margin"),
        ({"margin": "half"}, "margin"),
        ({"code": "with blanks"}, "code"),
        ({"code": "コード"}, "code"),
        ({"currency": "XYZ"}, "currency"),
        ({"target_leads": "1.5"}, "target_leads"),
        ({"target_leads": "0"}, "target_leads"),
        ({"target_cpl": "2.505"}, "target_cpl"),
        ({"currency": "JPY", "target_revenue": "10.5"}, "target_revenue"),
        ({"name": ""}, "name"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    brand: Brand, changes: dict[str, str], field: str
) -> None:
    filled = form(brand, **changes)
    assert not filled.is_valid()
    assert list(filled.errors) == [field]


# --- pages --------------------------------------------------------------------------------------


@pytest.fixture
def _today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.django_db
@pytest.mark.usefixtures("_today")
def test_a_campaign_is_made_and_found(sign_in: SignIn, marketer: User, brand: Brand) -> None:
    client = sign_in(marketer)
    page = client.get(reverse("campaigns:create")).content.decode()
    assert 'value="2026-11-22"' in page  # today is offered as the first day
    given = {
        "name": "冬の贈りもの",
        "objective": "sales",
        "starts_on": "2026-12-01",
        "ends_on": "2026-12-24",
        "currency": "USD",
        "target_revenue": "1000",
    }
    response = client.post(reverse("campaigns:create"), given)
    made = Campaign.objects.get()
    assert response["Location"] == reverse("campaigns:campaign", args=[made.pk])
    assert (made.code, made.created_by) == ("campaign-2026-12", marketer)
    page = client.get(response["Location"]).content.decode()
    assert "冬の贈りもの" in page
    assert "starts in 9 days" in page
    assert "$1,000.00" in page
    page = client.get(reverse("campaigns:campaigns") + "?state=planned&q=冬").content.decode()
    assert "冬の贈りもの" in page
    page = client.get(reverse("campaigns:campaigns") + "?state=running").content.decode()
    assert "No campaign matches" in page


@pytest.mark.django_db
def test_a_refused_form_keeps_what_was_typed(sign_in: SignIn, marketer: User, campaign: Campaign) -> None:
    client = sign_in(marketer)
    given = {
        "name": "Spring",
        "objective": "sales",
        "starts_on": "2026-12-01",
        "ends_on": "2026-11-24",
        "currency": "EUR",
        "code": "spring",
    }
    response = client.post(reverse("campaigns:create"), given)
    assert response.status_code == 422
    assert "The last day lies before the first one." in response.content.decode()
    response = client.post(reverse("campaigns:create"), given | {"ends_on": "2026-12-24"})
    assert response.status_code == 422
    assert "Another campaign of this brand has this code." in response.content.decode()
    assert Campaign.objects.count() == 1


@pytest.mark.django_db
def test_the_brand_of_a_new_campaign_is_chosen_where_there_are_several(
    sign_in: SignIn, marketer: User, brand: Brand, other_brand: Brand
) -> None:
    client = sign_in(marketer)
    address = reverse("campaigns:create") + f"?brand={other_brand.pk}"
    assert 'value="JPY" selected' in client.get(address).content.decode()
    client.post(
        address,
        {
            "name": "Tea",
            "objective": "sales",
            "starts_on": "2026-12-01",
            "ends_on": "2026-12-24",
            "currency": "JPY",
        },
    )
    assert Campaign.objects.get().brand == other_brand
    stranger = reverse("campaigns:create") + "?brand=00000000-0000-7000-8000-000000000000"
    assert client.get(stranger).status_code == 404


@pytest.mark.django_db
def test_archiving_is_undone_on_the_page(sign_in: SignIn, marketer: User, campaign: Campaign) -> None:
    client = sign_in(marketer)
    page = client.post(reverse("campaigns:archive", args=[campaign.pk]), follow=True).content.decode()
    assert "Bring back" in page
    client.post(reverse("campaigns:restore", args=[campaign.pk]))
    campaign.refresh_from_db()
    assert campaign.archived_at is None


@pytest.mark.django_db
def test_who_only_looks_finds_no_buttons(
    sign_in: SignIn, manager: User, marketer: User, campaign: Campaign
) -> None:
    address = reverse("campaigns:campaign", args=[campaign.pk])
    assert "Archive" in sign_in(marketer).get(address).content.decode()
    page = sign_in(manager).get(address).content.decode()
    assert "Archive" not in page
    assert "Planned costs" in page


@pytest.mark.django_db
def test_budgets_are_not_for_everybody(
    sign_in: SignIn, responder: User, creator: User, viewer: User, campaign: Campaign
) -> None:
    for person in (responder, creator, viewer):
        client = sign_in(person)
        for name in ("campaign", "spend", "links", "edit"):
            assert client.get(reverse(f"campaigns:{name}", args=[campaign.pk])).status_code == 403
        assert client.get(reverse("campaigns:campaigns")).status_code == 403


@pytest.mark.django_db
def test_a_long_list_costs_no_more_queries_than_a_short_one(
    brand: Brand, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    several = [make_campaign(brand, f"c{n}") for n in range(12)]
    with django_assert_num_queries(2):
        assert len(rows_of(several, NOW)) == 12
