"""When people of a brand answer, as they enter it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.forms import BrandForm
from accounts.models import AuditEntry, Brand, User, office_hours
from accounts.wording import hours_words

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


def fields(brand: Brand, **hours: str) -> dict[str, str]:
    """The form of a brand; ``d0_0="09:00-12:00"`` is Monday's first stretch."""
    given = {
        "name": brand.name,
        "timezone": brand.timezone,
        "locale": brand.locale,
        "currency": brand.currency,
        "country": brand.country,
        "week_starts_on": str(brand.week_starts_on),
        "color": brand.color,
    }
    for day in range(7):
        for place in range(2):
            opens, _, closes = hours.get(f"d{day}_{place}", "").partition("-")
            given[f"business_hours-{day}-{place}-from"] = opens
            given[f"business_hours-{day}-{place}-to"] = closes
    return given


def save(client: Client, brand: Brand, **hours: str) -> int:
    response = client.post(reverse("accounts:brand_edit", args=[brand.pk]), fields(brand, **hours))
    brand.refresh_from_db()
    return int(response.status_code)


def test_a_new_brand_has_office_hours(brand: Brand) -> None:
    assert brand.business_hours == office_hours()
    assert hours_words(brand.business_hours) == "Mon–Fri 09:00–17:00"


def test_hours_are_kept_by_day_in_order(brand: Brand, admin: User, sign_in: SignIn) -> None:
    client = sign_in(admin)
    assert save(client, brand, d0_0="13:00-17:00", d0_1="09:00-12:00", d5_0="22:00-00:00") == 302
    assert brand.business_hours == {
        "0": [["09:00", "12:00"], ["13:00", "17:00"]],
        "5": [["22:00", "24:00"]],
    }
    page = client.get(reverse("accounts:brand_edit", args=[brand.pk])).content.decode()
    assert 'name="business_hours-5-0-to" value="00:00"' in page
    entry = AuditEntry.objects.get(action="brand.changed")
    assert list(entry.detail) == ["business_hours"]
    assert "Mon–Fri 09:00–17:00 → Mon 09:00–12:00 13:00–17:00, Sat 22:00–24:00" in (
        client.get(reverse("accounts:audit")).content.decode()
    )


def test_no_hours_at_all_are_round_the_clock(brand: Brand, admin: User, sign_in: SignIn) -> None:
    assert save(sign_in(admin), brand) == 302
    assert brand.business_hours == {}
    assert hours_words({}) == "around the clock"


@pytest.mark.parametrize("times", ["17:00-09:00", "09:00-", "-17:00", "09:00-09:00", "9-17", "25:00-26:00"])
def test_times_that_are_none_are_refused_with_their_day(
    brand: Brand, admin: User, sign_in: SignIn, times: str
) -> None:
    client = sign_in(admin)
    response = client.post(
        reverse("accounts:brand_edit", args=[brand.pk]), fields(brand, d2_0="08:00-10:00", d3_0=times)
    )
    page = response.content.decode()
    assert "Thursday: enter two times, the second after the first." in page
    assert 'value="08:00"' in page
    brand.refresh_from_db()
    assert brand.business_hours == office_hours()


def test_a_form_that_does_not_ask_for_hours_leaves_them(brand: Brand) -> None:
    brand.business_hours = {"6": [["10:00", "12:00"]]}
    given = {name: value for name, value in fields(brand).items() if not name.startswith("business_hours")}
    form = BrandForm(given, initial=BrandForm.initial_of(brand))
    assert form.is_valid()
    assert form.facts().business_hours == {"6": [["10:00", "12:00"]]}
