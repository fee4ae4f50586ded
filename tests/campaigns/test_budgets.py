from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEntry, User
from campaigns.models import BudgetLine, Campaign, CostKind, Source, SpendEntry
from campaigns.selectors.spend import Verdict, by_kind, lines_of, pace_of, paces_of
from campaigns.services.budgets import (
    Cost,
    CostIncomplete,
    add_line,
    change_line,
    delete_line,
    move_line,
)
from tests.campaigns.conftest import NOW

SignIn = Callable[[User], Any]


def line(campaign: Campaign, actor: User, label: str, amount: int = 100) -> BudgetLine:
    cost = Cost(CostKind.MEDIA, amount=Decimal(amount))
    return add_line(campaign=campaign, cost=cost, label=label, actor=actor, now=NOW)


# --- lines --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_labour_is_hours_times_rate(campaign: Campaign, marketer: User) -> None:
    cost = Cost(CostKind.LABOUR, amount=Decimal(1), hours=Decimal("7.5"), hourly_rate=Decimal("33.33"))
    made = add_line(campaign=campaign, cost=cost, label="", actor=marketer, now=NOW)
    assert (made.amount, made.hours, made.hourly_rate) == (
        Decimal("249.98"),
        Decimal("7.5"),
        Decimal("33.33"),
    )


@pytest.mark.django_db
def test_labour_in_yen_has_no_decimals(campaign: Campaign, marketer: User) -> None:
    Campaign.objects.update(currency="JPY")
    cost = Cost(CostKind.LABOUR, hours=Decimal("1.25"), hourly_rate=Decimal(3333))
    assert add_line(campaign=campaign, cost=cost, label="", actor=marketer, now=NOW).amount == 4166


@pytest.mark.django_db
def test_hours_belong_to_labour_only(campaign: Campaign, marketer: User) -> None:
    cost = Cost(CostKind.TOOL, amount=Decimal(9), hours=Decimal(5), hourly_rate=Decimal(5))
    made = add_line(campaign=campaign, cost=cost, label="", actor=marketer, now=NOW)
    assert (made.amount, made.hours, made.hourly_rate) == (9, None, None)


@pytest.mark.django_db
@pytest.mark.parametrize("cost", [Cost(CostKind.MEDIA), Cost(CostKind.LABOUR, hours=Decimal(5))])
def test_a_cost_without_an_amount_is_refused(campaign: Campaign, marketer: User, cost: Cost) -> None:
    with pytest.raises(CostIncomplete):
        add_line(campaign=campaign, cost=cost, label="", actor=marketer, now=NOW)
    assert not BudgetLine.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_lines_keep_the_order_that_people_give_them(campaign: Campaign, marketer: User) -> None:
    a, b, c = (line(campaign, marketer, label) for label in "abc")

    def order() -> str:
        return "".join(one.label for one in lines_of(campaign))

    move_line(line=c, steps=-1)
    assert order() == "acb"
    move_line(line=a, steps=-1)  # at the top already
    assert order() == "acb"
    move_line(line=a, steps=1)
    assert order() == "cab"
    delete_line(line=a, actor=marketer, now=NOW)
    move_line(line=a, steps=1)  # gone meanwhile
    line(campaign, marketer, "d")
    assert order() == "cbd"
    move_line(line=b, steps=1)
    assert order() == "cdb"


@pytest.mark.django_db
def test_changes_of_the_plan_are_written_to_the_audit_log(campaign: Campaign, marketer: User) -> None:
    made = line(campaign, marketer, "ads")
    change_line(
        line=made, cost=Cost(CostKind.AGENCY, amount=Decimal(7)), label="fee", actor=marketer, now=NOW
    )
    delete_line(line=made, actor=marketer, now=NOW)
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", "detail__amount"))
    assert actions == [
        ("budget.line_added", "100.00"),
        ("budget.line_changed", "7.00"),
        ("budget.line_deleted", "7.00"),
    ]


@pytest.mark.django_db
def test_spend_outlives_its_line(campaign: Campaign, marketer: User) -> None:
    made = line(campaign, marketer, "ads")
    entry = spent(campaign, 30, line=made)
    delete_line(line=made, actor=marketer, now=NOW)
    entry.refresh_from_db()
    assert (entry.line, entry.amount) == (None, 30)


def spent(campaign: Campaign, amount: Any, day: str = "2026-11-10", **fields: Any) -> SpendEntry:
    values: dict[str, Any] = {
        "kind": CostKind.MEDIA,
        "source": Source.MANUAL,
        "external_id": str(SpendEntry.objects.count()),
        "created_at": NOW,
        **fields,
    }
    return SpendEntry.objects.create(
        campaign=campaign, amount=Decimal(amount), date=dt.date.fromisoformat(day), **values
    )


@pytest.mark.django_db
def test_planned_and_spent_stand_side_by_side_by_kind(campaign: Campaign, marketer: User) -> None:
    line(campaign, marketer, "ads", 100)
    line(campaign, marketer, "more ads", 50)
    spent(campaign, 160)
    spent(campaign, 5, kind=CostKind.TOOL)
    found = {one.kind: (one.planned, one.spent, one.is_over) for one in by_kind(campaign)}
    assert found == {CostKind.MEDIA: (150, 160, True), CostKind.TOOL: (0, 5, True)}


# --- pace ---------------------------------------------------------------------------------------


def pace(budget: int, spent: Any, day: str, so_far: Any = None) -> Any:
    """Of a flight of thirty days in November."""
    one = Campaign(starts_on=dt.date(2026, 11, 1), ends_on=dt.date(2026, 11, 30), currency="USD")
    return pace_of(
        one,
        budget=Decimal(budget),
        spent=Decimal(spent),
        so_far=Decimal(spent if so_far is None else so_far),
        today=dt.date.fromisoformat(day),
    )


@pytest.mark.parametrize(
    ("budget", "spent", "day", "verdict", "expected"),
    [
        (3000, 1000, "2026-11-10", Verdict.ON, 1000),
        (3000, 900, "2026-11-10", Verdict.ON, 1000),
        (3000, 899, "2026-11-10", Verdict.UNDER, 1000),
        (3000, 1100, "2026-11-10", Verdict.ON, 1000),
        (3000, 1101, "2026-11-10", Verdict.OVER, 1000),
        (3000, 0, "2026-11-10", Verdict.UNDER, 1000),
        (3000, 3001, "2026-11-10", Verdict.OVER_BUDGET, 1000),
        (3000, 0, "2026-10-31", Verdict.NOT_STARTED, 0),
        (3000, 200, "2026-10-31", Verdict.NOT_STARTED, 0),
        (3000, 2000, "2026-12-01", Verdict.ENDED, 3000),
        (3000, 3001, "2026-12-01", Verdict.OVER_BUDGET, 3000),
        (0, 50, "2026-11-10", Verdict.NO_BUDGET, 0),
    ],
)
def test_pace_compares_with_an_even_spend(
    budget: int, spent: int, day: str, verdict: Verdict, expected: int
) -> None:
    found = pace(budget, spent, day)
    assert (found.verdict, found.expected) == (verdict, expected)


def test_what_is_dated_ahead_does_not_count_for_the_pace() -> None:
    found = pace(3000, 2000, "2026-11-10", so_far=1000)
    assert found.verdict is Verdict.ON
    assert found.left == 1000


def test_a_flight_of_one_day_is_expected_to_be_spent_that_day() -> None:
    one = Campaign(starts_on=dt.date(2026, 11, 1), ends_on=dt.date(2026, 11, 1), currency="JPY")
    found = pace_of(
        one, budget=Decimal(100), spent=Decimal(100), so_far=Decimal(100), today=dt.date(2026, 11, 1)
    )
    assert (found.verdict, found.elapsed) == (Verdict.ON, 1)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(-40, 80))
def test_a_pace_never_fails_and_its_bar_never_overflows(budget: int, spent: int, offset: int) -> None:
    day = dt.date(2026, 11, 1) + dt.timedelta(days=offset)
    found = pace(budget, spent, day.isoformat())
    assert 0 <= found.bar_spent <= 1000
    assert 0 <= found.bar_elapsed <= 1000
    assert 0 <= found.expected <= budget
    assert found.left == budget - spent
    assert (found.verdict is Verdict.OVER_BUDGET) == (budget > 0 and spent > budget)


@pytest.mark.django_db
def test_the_pace_is_read_on_the_date_of_the_brand(campaign: Campaign, marketer: User) -> None:
    line(campaign, marketer, "ads", 3000)
    spent(campaign, 1000, "2026-11-10")
    spent(campaign, 500, "2026-11-11")
    found = paces_of([(campaign, dt.date(2026, 11, 10))])[campaign.pk]
    assert (found.spent, found.so_far, found.verdict) == (1500, 1000, Verdict.ON)


# --- pages --------------------------------------------------------------------------------------


def given_line(**changes: str) -> dict[str, str]:
    return {"label": "Ads", "kind": "media", "amount": "1,200.50", "hours": "", "hourly_rate": "", **changes}


@pytest.mark.django_db
def test_a_line_is_added_changed_moved_and_deleted_on_the_page(
    sign_in: SignIn, marketer: User, campaign: Campaign
) -> None:
    client = sign_in(marketer)
    add = reverse("campaigns:line_add", args=[campaign.pk])
    assert client.post(add, given_line()).status_code == 302
    client.post(add, given_line(label="Texts", kind="labour", amount="", hours="10", hourly_rate="25"))
    ads, texts = lines_of(campaign)
    assert (ads.amount, texts.amount) == (Decimal("1200.50"), 250)
    page = client.get(reverse("campaigns:campaign", args=[campaign.pk])).content.decode()
    assert "$1,450.50" in page
    assert "10 h at $25.00" in " ".join(page.split())
    client.post(reverse("campaigns:line_move", args=[texts.pk]), {"direction": "up"})
    assert list(lines_of(campaign)) == [texts, ads]
    client.post(reverse("campaigns:line_move", args=[texts.pk]), {"direction": "sideways"})
    assert list(lines_of(campaign)) == [texts, ads]
    edit = reverse("campaigns:line_edit", args=[texts.pk])
    assert 'value="25.00"' in client.get(edit).content.decode()
    client.post(edit, given_line(label="Texts", kind="labour", amount="", hours="8", hourly_rate="25"))
    texts.refresh_from_db()
    assert texts.amount == 200
    client.post(reverse("campaigns:line_delete", args=[ads.pk]))
    assert list(lines_of(campaign)) == [texts]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"amount": ""}, "amount", "Enter an amount."),
        ({"amount": "-5"}, "amount", "An amount cannot be below zero."),
        ({"amount": "=1+1"}, "amount", "This is a formula."),
        ({"amount": "1.005"}, "amount", "thousands or a fraction"),
        ({"amount": "¥5"}, "amount", "another currency"),
        ({"kind": "bribes"}, "kind", "bribes"),
        ({"kind": "labour", "amount": "", "hours": "5"}, "hourly_rate", "both are needed"),
        ({"kind": "labour", "amount": "", "hours": "x", "hourly_rate": "5"}, "hours", "Enter a number."),
        ({"kind": "labour", "amount": ""}, "amount", "Enter an amount."),
        (
            {"kind": "labour", "amount": "", "hours": "10000000", "hourly_rate": "5"},
            "hours",
            "This is too much.",
        ),
        (
            {"kind": "labour", "amount": "", "hours": "99999", "hourly_rate": "9999999999999"},
            "hourly_rate",
            "This is too much.",
        ),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_at_its_field(
    sign_in: SignIn, marketer: User, campaign: Campaign, changes: dict[str, str], field: str, words: str
) -> None:
    response = sign_in(marketer).post(
        reverse("campaigns:line_add", args=[campaign.pk]), given_line(**changes)
    )
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert words in str(response.context["form"].errors[field])
    assert not BudgetLine.objects.exists()


@pytest.mark.django_db
def test_who_only_looks_cannot_change_the_plan(
    sign_in: SignIn, manager: User, marketer: User, campaign: Campaign
) -> None:
    made = line(campaign, marketer, "ads")
    client = sign_in(manager)
    for name, pk in (("line_add", campaign.pk), ("line_edit", made.pk), ("line_delete", made.pk)):
        assert client.post(reverse(f"campaigns:{name}", args=[pk]), given_line()).status_code == 403
    assert list(lines_of(campaign)) == [made]
