from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse

from accounts.models import ApiKey, ApiScope, AuditEntry, Brand, Membership, User
from accounts.services import api_keys
from accounts.services.api_keys import KeyUnknown, NotAllowed, ScopeMissing

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
SCOPES = [ApiScope.CONVERSIONS]


def make(creator: User, brand: Brand, name: str = "Web shop") -> tuple[ApiKey, str]:
    return api_keys.create_api_key(
        creator=creator.memberships.get(), brand=brand, name=name, scopes=SCOPES, now=NOW
    )


def recognise(secret: str, at: dt.datetime = NOW) -> ApiKey:
    return api_keys.recognise(secret=secret, scope=ApiScope.CONVERSIONS, now=at)


# --- the secret -------------------------------------------------------------------------------


def test_a_key_is_known_by_its_secret_of_which_only_a_hash_is_kept(admin: User, brand: Brand) -> None:
    key, secret = make(admin, brand)
    assert recognise(secret) == key
    assert secret.startswith(key.prefix)
    stored = ApiKey.objects.values().get()
    assert secret not in str(stored)
    assert len(secret) - len(key.prefix) > 32  # what is shown gives nothing away


@pytest.mark.parametrize("wrong", ["", "smm_", "smm_guessed", "Bearer x", "\x00", "あ"])
def test_another_secret_is_nobodys(admin: User, brand: Brand, wrong: str) -> None:
    make(admin, brand)
    with pytest.raises(KeyUnknown):
        recognise(wrong)
    assert ApiKey.objects.get().last_used_at is None


def test_a_revoked_key_works_no_longer(admin: User, brand: Brand) -> None:
    key, secret = make(admin, brand)
    assert api_keys.revoke_api_key(key=key, actor=admin, now=NOW)
    with pytest.raises(KeyUnknown):
        recognise(secret)


def test_a_key_sleeps_while_its_brand_is_archived(admin: User, brand: Brand) -> None:
    _key, secret = make(admin, brand)
    Brand.objects.filter(pk=brand.pk).update(is_archived=True)
    with pytest.raises(KeyUnknown):
        recognise(secret)
    Brand.every.filter(pk=brand.pk).update(is_archived=False)
    recognise(secret)


def test_a_key_is_for_its_scopes_alone(admin: User, brand: Brand) -> None:
    key, secret = make(admin, brand)
    ApiKey.objects.filter(pk=key.pk).update(scopes=[])
    with pytest.raises(ScopeMissing):
        recognise(secret)
    key.refresh_from_db()
    assert key.last_used_at is None


def test_its_use_is_noted_once_a_minute(admin: User, brand: Brand, django_assert_num_queries: Any) -> None:
    key, secret = make(admin, brand)
    recognise(secret)
    with django_assert_num_queries(1):
        recognise(secret, NOW + dt.timedelta(seconds=59))
    key.refresh_from_db()
    assert key.last_used_at == NOW
    recognise(secret, NOW + dt.timedelta(seconds=60))
    key.refresh_from_db()
    assert key.last_used_at == NOW + dt.timedelta(seconds=60)


# --- who makes and revokes --------------------------------------------------------------------


def test_making_and_revoking_are_in_the_audit_log(admin: User, brand: Brand) -> None:
    key, secret = make(admin, brand)
    api_keys.revoke_api_key(key=key, actor=admin, now=NOW)
    entries = AuditEntry.objects.order_by("pk")
    assert [entry.action for entry in entries] == ["api_key.created", "api_key.revoked"]
    assert all(secret not in str(entry.detail) + entry.subject_name for entry in entries)


def test_revoking_twice_is_revoking_once(admin: User, brand: Brand) -> None:
    key, _secret = make(admin, brand)
    api_keys.revoke_api_key(key=key, actor=admin, now=NOW)
    assert not api_keys.revoke_api_key(key=key, actor=admin, now=NOW + dt.timedelta(days=1))
    key.refresh_from_db()
    assert key.revoked_at == NOW
    assert AuditEntry.objects.filter(action="api_key.revoked").count() == 1


def test_nobody_makes_a_key_for_a_brand_out_of_their_reach(
    admin: User, brand: Brand, other_brand: Brand, stranger: User
) -> None:
    Membership.objects.filter(user=admin).update(has_all_brands=False)
    admin.memberships.get().brands.add(other_brand)
    for person in (admin, stranger):
        with pytest.raises(NotAllowed):
            make(person, brand)
    assert not ApiKey.objects.exists()


# --- pages ------------------------------------------------------------------------------------


def test_the_secret_is_shown_once_and_waits_sealed(sign_in: Any, admin: User, brand: Brand) -> None:
    client = sign_in(admin)
    asked = {"name": "Web shop", "brand": brand.pk, "scopes": ["conversions"]}
    answer = client.post(reverse("accounts:api_key_create"), asked)
    assert answer.status_code == 302
    waiting = Session.objects.get().get_decoded()["api_key_made"]
    page = client.get(reverse("accounts:api_key_list"))
    secret = page.context["made"]["secret"]
    assert secret in page.content.decode()
    assert secret not in waiting
    assert recognise(secret, NOW).name == "Web shop"
    assert secret not in client.get(reverse("accounts:api_key_list")).content.decode()


def test_a_key_needs_a_name_a_brand_and_a_purpose(
    sign_in: Any, admin: User, brand: Brand, stranger: User
) -> None:
    theirs = Brand.objects.create(organization=stranger.memberships.get().organization, name="Theirs")
    client = sign_in(admin)
    for asked in (
        {"name": "", "brand": brand.pk, "scopes": ["conversions"]},
        {"name": "x", "brand": theirs.pk, "scopes": ["conversions"]},
        {"name": "x", "brand": brand.pk},
        {"name": "x", "brand": brand.pk, "scopes": ["everything"]},
    ):
        answer = client.post(reverse("accounts:api_key_create"), asked)
        assert answer.status_code == 200
        assert answer.context["form"].errors
    assert not ApiKey.objects.exists()


def test_a_key_is_revoked_on_the_page(sign_in: Any, admin: User, brand: Brand) -> None:
    key, secret = make(admin, brand)
    client = sign_in(admin)
    client.post(reverse("accounts:api_key_revoke", args=[key.pk]))
    with pytest.raises(KeyUnknown):
        recognise(secret)
    assert "Revoked" in client.get(reverse("accounts:api_key_list")).content.decode()


def test_the_list_shows_the_keys_of_ones_own_brands(
    sign_in: Any, owner: User, admin: User, brand: Brand, other_brand: Brand
) -> None:
    make(owner, brand, "Coffee shop")
    make(owner, other_brand, "Tea shop")
    Membership.objects.filter(user=admin).update(has_all_brands=False)
    admin.memberships.get().brands.add(other_brand)
    text = sign_in(admin).get(reverse("accounts:api_key_list")).content.decode()
    assert "Tea shop" in text
    assert "Coffee shop" not in text
