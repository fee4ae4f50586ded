from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.choices import post_languages
from accounts.models import AuditEntry, Brand, Membership, Organization, Role, User
from tests.cast import PASSWORD, make_user

SET_UP = {
    "person": "Mika",
    "organization": "Harbour Foods",
    "name": "Harbour Coffee",
    "timezone": "Asia/Tokyo",
    "locale": "ja",
    "currency": "JPY",
    "week_starts_on": "0",
}
BRAND = {
    "name": "Harbour Bakery",
    "timezone": "Europe/Berlin",
    "locale": "de",
    "currency": "EUR",
    "week_starts_on": "1",
    "color": "#aa3300",
}


# --- signing up -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_whoever_signs_up_is_led_to_the_set_up(client: Client) -> None:
    signed_up = client.post(
        reverse("account_signup"),
        {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD},
        follow=True,
    )
    assert signed_up.redirect_chain[-1][0] == reverse("accounts:organization_create")
    answer = client.post(reverse("accounts:organization_create"), SET_UP)
    assert answer["Location"] == reverse("accounts:connect")
    member = Membership.objects.get()
    assert (member.role, member.user.name) == (Role.OWNER, "Mika")
    brand = Brand.objects.get()
    assert (brand.organization.name, brand.timezone, brand.currency) == (
        "Harbour Foods",
        "Asia/Tokyo",
        "JPY",
    )
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {
        "organization.created",
        "brand.created",
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "kept"),
    [("asia/tokyo", None), ("Tokyo", "Asia/Tokyo"), ("new york", "America/New_York"), ("Asia/Calcutta",) * 2],
)
def test_a_zone_is_found_by_its_city_or_an_older_name(sign_in: Any, typed: str, kept: str | None) -> None:
    client = sign_in(make_user("new"))
    client.post(reverse("accounts:organization_create"), {**SET_UP, "timezone": typed})
    assert Brand.objects.get().timezone == (kept or "Asia/Tokyo")


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["Nowhere/City", "", "../../etc/passwd", "Mars", "x" * 200])
def test_a_zone_that_does_not_exist_is_refused_at_the_field(sign_in: Any, typed: str) -> None:
    client = sign_in(make_user("new"))
    answer = client.post(reverse("accounts:organization_create"), {**SET_UP, "timezone": typed})
    assert answer.status_code == 200
    assert "timezone" in answer.context["form"].errors
    assert 'value="Harbour Foods"' in answer.content.decode()
    assert not Organization.objects.exists()


# --- the organization and its brands ------------------------------------------------------------


def test_an_owner_renames_the_organization(sign_in: Any, owner: User, organization: Organization) -> None:
    sign_in(owner).post(reverse("accounts:organization_edit"), {"name": "Harbour Group"})
    organization.refresh_from_db()
    assert organization.name == "Harbour Group"
    assert AuditEntry.objects.get().detail == {"before": "Harbour Foods", "after": "Harbour Group"}


def test_a_brand_is_created_and_changed(sign_in: Any, admin: User, organization: Organization) -> None:
    client = sign_in(admin)
    client.post(reverse("accounts:brand_create"), BRAND)
    brand = Brand.objects.get(name="Harbour Bakery")
    client.post(reverse("accounts:brand_edit", args=[brand.pk]), {**BRAND, "currency": "CHF"})
    brand.refresh_from_db()
    assert brand.currency == "CHF"
    changed = AuditEntry.objects.get(action="brand.changed")
    assert changed.detail == {"currency": ["EUR", "CHF"]}


def test_saving_without_a_change_writes_no_audit_entry(sign_in: Any, admin: User, brand: Brand) -> None:
    from accounts.forms import BrandForm

    sign_in(admin).post(reverse("accounts:brand_edit", args=[brand.pk]), BrandForm.initial_of(brand))
    assert not AuditEntry.objects.exists()


def test_two_brands_of_one_name_are_refused_at_the_field(sign_in: Any, admin: User, brand: Brand) -> None:
    answer = sign_in(admin).post(reverse("accounts:brand_create"), {**BRAND, "name": brand.name})
    assert "name" in answer.context["form"].errors
    assert Brand.objects.count() == 1


def test_an_archived_brand_is_out_of_sight_and_comes_back(
    sign_in: Any, admin: User, brand: Brand, other_brand: Brand
) -> None:
    client = sign_in(admin)
    member = admin.memberships.get()
    client.post(reverse("accounts:brand_archive", args=[brand.pk]))
    assert list(Brand.objects.for_member(member)) == [other_brand]
    client.post(reverse("accounts:brand_restore", args=[brand.pk]))
    assert brand in Brand.objects.for_member(member)
    assert AuditEntry.objects.count() == 2


def test_whoever_sees_some_brands_sees_the_one_they_create(sign_in: Any, admin: User, brand: Brand) -> None:
    member = admin.memberships.get()
    member.has_all_brands = False
    member.save()
    member.brands.add(brand)
    sign_in(admin).post(reverse("accounts:brand_create"), BRAND)
    assert {b.name for b in Brand.objects.for_member(member)} == {"Harbour Coffee", "Harbour Bakery"}


# --- one's own profile, the log -----------------------------------------------------------------


def test_a_profile_keeps_name_and_language(sign_in: Any, viewer: User) -> None:
    sign_in(viewer).post(reverse("accounts:profile"), {"name": "Vera", "language": "ja"})
    viewer.refresh_from_db()
    assert (viewer.name, viewer.language) == ("Vera", "ja")


def test_a_language_that_is_not_offered_is_refused(sign_in: Any, viewer: User) -> None:
    sign_in(viewer).post(reverse("accounts:profile"), {"name": "Vera", "language": "xx"})
    viewer.refresh_from_db()
    assert viewer.language == ""


def test_the_log_is_filtered_by_kind_person_and_name(
    sign_in: Any, admin: User, owner: User, brand: Brand
) -> None:
    client = sign_in(admin)
    client.post(reverse("accounts:brand_create"), BRAND)
    client.post(reverse("accounts:brand_archive", args=[brand.pk]))

    def shown(**query: object) -> list[str]:
        return [row[0].action for row in client.get(reverse("accounts:audit"), query).context["rows"]]

    assert shown() == ["brand.archived", "brand.created"]
    assert shown(text="bakery") == ["brand.created"]
    assert shown(action="brand", actor=admin.pk) == ["brand.archived", "brand.created"]
    assert shown(actor="system") == []
    assert len(shown(action="nonsense", page="99")) == 2


def test_the_log_tells_of_all_brands_and_only_to_those_who_see_all(
    sign_in: Any, admin: User, organization: Organization, brand: Brand
) -> None:
    membership = Membership.objects.get(user=admin, organization=organization)
    membership.has_all_brands = False
    membership.save()
    membership.brands.set([brand])
    client = sign_in(admin)
    assert client.get(reverse("accounts:audit")).status_code == 403
    tabs = client.get(reverse("accounts:settings")).context["tabs"]
    assert "accounts:audit" not in {tab["url_name"] for tab in tabs}


def test_every_recorded_action_has_words() -> None:
    import re
    from pathlib import Path

    from accounts.wording import ACTIONS, GROUPS

    root = Path(__file__).resolve().parents[2]
    found = set()
    for app in ("accounts", "outbox", "audience", "content_calendar", "analytics", "smmapp"):
        for path in (root / app).rglob("*.py"):
            found |= set(re.findall(r'(?:action=|_audit\(\w+, )"([a-z_]+\.[a-z_]+)"', path.read_text()))
    assert {"brand.created", "post.moved"} <= found
    assert found <= set(ACTIONS), "add words to accounts.wording.ACTIONS"
    assert {action.partition(".")[0] for action in ACTIONS} == set(GROUPS)


def test_the_document_of_permissions_is_current() -> None:
    from pathlib import Path

    from accounts.management.commands.permissions_doc import document

    kept = (Path(__file__).resolve().parents[2] / "docs" / "permissions.md").read_text()
    assert kept == document(), "run manage.py permissions_doc"


def test_languages_are_written_as_their_speakers_write_them() -> None:
    with translation.override("en"):
        names = dict(post_languages())
    assert names["pt-BR"] == "Português (Brasil) · Portuguese (Brazil)"
    assert names["vi"] == "Tiếng Việt · Vietnamese"
    assert names["da"] == "Dansk · Danish"
