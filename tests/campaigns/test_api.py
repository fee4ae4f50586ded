"""The interface for other programs: what is answered, and who is kept out."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import ApiKey, ApiScope, Brand, User
from accounts.services.api_keys import create_api_key, revoke_api_key
from audience.models import Contact
from campaigns.models import Campaign, Conversion, Refund
from tests.campaigns.conftest import make_campaign
from tests.campaigns.reporting import click

CONVERSIONS = "/api/v1/conversions"
Call = Callable[..., Any]


def key_for(creator: User, brand: Brand) -> tuple[ApiKey, str]:
    return create_api_key(
        creator=creator.memberships.get(),
        brand=brand,
        name="Web shop",
        scopes=[ApiScope.CONVERSIONS],
        now=timezone.now(),
    )


@pytest.fixture
def key(owner: User, brand: Brand) -> tuple[ApiKey, str]:
    return key_for(owner, brand)


@pytest.fixture
def call(key: tuple[ApiKey, str]) -> Call:
    """`call(path, body)` posts JSON with the key, `call(path)` gets."""
    client = Client(enforce_csrf_checks=True)

    def send(path: str, body: Any = None, *, secret: str = key[1], **headers: str) -> Any:
        given = {"Authorization": f"Bearer {secret}", **headers}
        if body is None:
            return client.get(path, headers=given)
        raw = body if isinstance(body, str) else json.dumps(body)
        return client.post(path, raw, content_type="application/json", headers=given)

    return send


def when(**ago: float) -> str:
    return (timezone.now() - dt.timedelta(**ago)).replace(microsecond=0).isoformat()


def a_sale(**given: Any) -> dict[str, Any]:
    return {
        "kind": "sale",
        "external_id": "A-1",
        "happened_at": when(hours=1),
        "value": "100",
        **given,
    }


def error_of(answer: Any) -> tuple[int, str, str]:
    """Status, code, field; the sentence is there and in English."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "field"}
    assert error["message"].isascii()
    return answer.status_code, error["code"], error["field"]


# --- one --------------------------------------------------------------------------------------


def test_a_sale_with_its_click_and_person(call: Call, brand: Brand, campaign: Campaign) -> None:
    made = click(brand, campaign, at=timezone.now() - dt.timedelta(days=1))
    person = {"email": "hanako@example.com", "customer": "C-1", "name": "Hanako Mori"}
    answer = call(CONVERSIONS, a_sale(click=str(made.key), currency="usd", value=12.5, person=person))
    assert answer.status_code == 201
    conversion = Conversion.objects.get()
    assert answer.json() == {
        "id": str(conversion.pk),
        "kind": "sale",
        "external_id": "A-1",
        "happened_at": conversion.happened_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "value": "12.50",
        "refunded": "0.00",
        "currency": "USD",
        "campaign": campaign.code,
        "notice": "",
        "refunds": [],
    }
    assert (conversion.value, conversion.click, conversion.api_key) == (
        Decimal("12.5"),
        made,
        ApiKey.objects.get(),
    )
    assert Contact.objects.get().identities.count() == 2


def test_a_lead_needs_no_value(call: Call) -> None:
    answer = call(CONVERSIONS, {"kind": "lead", "external_id": "L-1", "happened_at": when(hours=1)})
    assert (answer.status_code, answer.json()["value"]) == (201, "0.00")


def test_the_same_again_is_200_and_the_same_conversion(call: Call) -> None:
    body = a_sale()
    first, again = call(CONVERSIONS, body), call(CONVERSIONS, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Conversion.objects.count() == 1


def test_another_content_under_the_same_number_is_409_and_changes_nothing(call: Call) -> None:
    call(CONVERSIONS, a_sale())
    assert error_of(call(CONVERSIONS, a_sale(value="99"))) == (409, "differs", "external_id")
    assert Conversion.objects.get().value == 100


def test_the_idempotency_key_stands_in_for_a_number(call: Call) -> None:
    body = a_sale()
    del body["external_id"]
    statuses = [call(CONVERSIONS, body, **{"Idempotency-Key": "try-1"}).status_code for _try in range(2)]
    assert statuses == [201, 200]
    assert Conversion.objects.get().external_id == "try-1"
    assert error_of(call(CONVERSIONS, body)) == (422, "missing", "external_id")


def test_a_number_counts_more_than_the_idempotency_key(call: Call) -> None:
    first = call(CONVERSIONS, a_sale(), **{"Idempotency-Key": "try-1"})
    again = call(CONVERSIONS, a_sale(happened_at=first.json()["happened_at"]), **{"Idempotency-Key": "try-2"})
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


def test_an_amount_never_passes_through_a_binary_float(call: Call, brand: Brand) -> None:
    body = json.dumps(a_sale()).replace('"100"', "99999999999.07")
    assert call(CONVERSIONS, body).json()["value"] == "99999999999.07"
    assert Conversion.objects.get().value == Decimal("99999999999.07")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"currency": "JPY"}, "currency_mismatch", "currency"),
        ({"value": "-1"}, "negative", "value"),
        ({"value": "1.005"}, "too_many_decimals", "value"),
        ({"value": None}, "missing", "value"),
        ({"value": "much"}, "invalid", "value"),
        ({"happened_at": "2016-01-01T00:00:00Z"}, "too_old", "happened_at"),
        ({"happened_at": "2090-01-01T00:00:00Z"}, "in_future", "happened_at"),
        ({"happened_at": "2026-01-01T00:00:00"}, "zone_missing", "happened_at"),
        ({"happened_at": "yesterday"}, "invalid", "happened_at"),
        ({"kind": "gift"}, "invalid", "kind"),
        ({"campaign": "nothing"}, "campaign_unknown", "campaign"),
        ({"person": {"email": "nobody"}}, "email_invalid", "person.email"),
        ({"person": {"mail": "a@example.com"}}, "unknown_field", "person.mail"),
        ({"amount": "1"}, "unknown_field", "amount"),
        ({"external_id": "x" * 121}, "too_long", "external_id"),
    ],
)
def test_a_wrong_request_is_422_with_code_and_field(
    call: Call, change: dict[str, Any], code: str, field: str
) -> None:
    assert error_of(call(CONVERSIONS, a_sale(**change))) == (422, code, field)
    assert not Conversion.objects.exists()


def test_errors_are_in_english_whatever_the_server_speaks(call: Call) -> None:
    with translation.override("ja"):
        answer = call(CONVERSIONS, a_sale(currency="JPY"), **{"Accept-Language": "ja"})
    assert "The amount is in JPY, and the brand counts in USD." in answer.json()["error"]["message"]


def test_a_conversion_is_read_by_its_number(call: Call) -> None:
    made = call(CONVERSIONS, a_sale(external_id="2026/11/7 あ")).json()
    answer = call(f"{CONVERSIONS}/sale/2026/11/7 あ")
    assert (answer.status_code, answer.json()) == (200, made)
    assert error_of(call(f"{CONVERSIONS}/lead/2026/11/7 あ"))[:2] == (404, "conversion_unknown")
    assert error_of(call(f"{CONVERSIONS}/gift/1")) == (422, "invalid", "kind")


# --- many -------------------------------------------------------------------------------------


def test_a_batch_has_a_result_for_each_in_its_order(call: Call) -> None:
    at = when(hours=1)
    items = [
        a_sale(external_id="1", happened_at=at),
        a_sale(external_id="2", value="-1"),
        {"kind": "sale"},
        a_sale(external_id="1", happened_at=at),
        a_sale(external_id="1", value="7", happened_at=at),
        "nonsense",
    ]
    answer = call(CONVERSIONS, {"conversions": items})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["status"] for result in results] == [201, 422, 422, 200, 409, 422]
    assert [result["error"]["code"] if result["error"] else None for result in results] == [
        None,
        "negative",
        "missing",
        None,
        "differs",
        "invalid",
    ]
    assert results[0]["conversion"] == results[3]["conversion"]
    assert Conversion.objects.count() == 1


def test_a_batch_has_at_most_500(call: Call) -> None:
    items = [a_sale(external_id=str(n)) for n in range(501)]
    assert error_of(call(CONVERSIONS, {"conversions": items})) == (422, "too_many", "conversions")
    assert not Conversion.objects.exists()
    assert call(CONVERSIONS, {"conversions": items[:500]}).status_code == 200
    assert Conversion.objects.count() == 500
    assert error_of(call(CONVERSIONS, {"conversions": []})) == (422, "too_few", "conversions")


def test_a_batch_is_answered_in_few_queries(call: Call, django_assert_max_num_queries: Any) -> None:
    items = [
        a_sale(external_id=str(n), happened_at=when(hours=2), person={"email": "a@example.com"})
        for n in range(200)
    ]
    call(CONVERSIONS, {"conversions": items})
    with django_assert_max_num_queries(14):
        call(CONVERSIONS, {"conversions": items})


# --- refunds ----------------------------------------------------------------------------------


def a_refund(**given: Any) -> dict[str, Any]:
    return {"external_id": "R-1", "amount": "30", "happened_at": when(minutes=5), **given}


def test_refunds_add_up_and_come_once(call: Call) -> None:
    call(CONVERSIONS, a_sale())
    path, body = f"{CONVERSIONS}/sale/A-1/refunds", a_refund()
    first, again = call(path, body), call(path, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["refund"]["amount"] == "30.00"
    second = call(path, a_refund(external_id="R-2", amount=70))
    assert second.json()["conversion"]["refunded"] == "100.00"
    assert [one["external_id"] for one in second.json()["conversion"]["refunds"]] == ["R-1", "R-2"]


@pytest.mark.parametrize(
    ("path", "change", "status", "code"),
    [
        ("sale/A-1", {"amount": "100.01"}, 422, "exceeds_value"),
        ("sale/A-1", {"amount": "0"}, 422, "not_positive"),
        ("sale/A-1", {"currency": "EUR"}, 422, "currency_mismatch"),
        ("sale/A-1", {"external_id": ""}, 422, "missing"),
        ("sale/never", {}, 404, "conversion_unknown"),
        ("lead/L-1", {}, 422, "not_a_sale"),
    ],
)
def test_a_wrong_refund_is_refused_and_changes_nothing(
    call: Call, path: str, change: dict[str, Any], status: int, code: str
) -> None:
    call(CONVERSIONS, a_sale())
    call(CONVERSIONS, a_sale(kind="lead", external_id="L-1"))
    assert error_of(call(f"{CONVERSIONS}/{path}/refunds", a_refund(**change)))[:2] == (status, code)
    assert not Refund.objects.exists()
    assert not Conversion.objects.filter(refunded__gt=0).exists()


def test_another_refund_under_the_same_number_is_409(call: Call) -> None:
    call(CONVERSIONS, a_sale())
    path, body = f"{CONVERSIONS}/sale/A-1/refunds", a_refund()
    call(path, body)
    assert error_of(call(path, {**body, "amount": "31"}))[:2] == (409, "differs")


# --- who gets in ------------------------------------------------------------------------------


def test_without_a_key_nobody_gets_in(call: Call, key: tuple[ApiKey, str], owner: User) -> None:
    revoke_api_key(key=key[0], actor=owner, now=timezone.now())
    for answer in (
        call(CONVERSIONS, a_sale()),
        call(CONVERSIONS, a_sale(), secret="smm_guessed"),
        call(CONVERSIONS, a_sale(), Authorization="Basic abc"),
        call(CONVERSIONS, a_sale(), Authorization=""),
        call(f"{CONVERSIONS}/sale/A-1"),
        call(f"{CONVERSIONS}/sale/A-1/refunds", a_refund()),
    ):
        assert error_of(answer) == (401, "key_unknown", "")
        assert answer["WWW-Authenticate"] == "Bearer"
    assert not Conversion.objects.exists()


def test_somebody_who_is_signed_in_still_needs_a_key(sign_in: Any, owner: User) -> None:
    answer = sign_in(owner).post(CONVERSIONS, json.dumps(a_sale()), content_type="application/json")
    assert error_of(answer)[0] == 401
    assert not Conversion.objects.exists()


def test_a_key_of_another_scope_is_403(call: Call) -> None:
    ApiKey.objects.update(scopes=[])
    assert error_of(call(CONVERSIONS, a_sale()))[:2] == (403, "scope_missing")
    assert not Conversion.objects.exists()


def test_another_organizations_key_sees_and_writes_nothing_here(
    call: Call, brand: Brand, stranger: User, campaign: Campaign
) -> None:
    theirs = Brand.objects.create(organization=stranger.memberships.get().organization, name="Theirs")
    _key, secret = key_for(stranger, theirs)
    call(CONVERSIONS, a_sale())
    made = click(brand, campaign, at=timezone.now() - dt.timedelta(days=1))
    assert error_of(call(f"{CONVERSIONS}/sale/A-1", secret=secret))[0] == 404
    assert error_of(call(f"{CONVERSIONS}/sale/A-1/refunds", a_refund(), secret=secret))[0] == 404
    assert error_of(call(CONVERSIONS, a_sale(campaign=campaign.code), secret=secret))[1] == "campaign_unknown"
    answer = call(CONVERSIONS, a_sale(click=str(made.key)), secret=secret)
    assert answer.json()["notice"] == "click_unknown"
    assert Conversion.objects.get(brand=theirs).campaign is None
    assert Conversion.objects.get(brand=brand).refunded == 0


def test_a_key_writes_to_its_own_brand_alone(
    call: Call, owner: User, other_brand: Brand, brand: Brand
) -> None:
    make_campaign(other_brand, "Tea")
    _key, secret = key_for(owner, other_brand)
    assert call(CONVERSIONS, a_sale(campaign="tea"), secret=secret).status_code == 201
    assert not Conversion.objects.filter(brand=brand).exists()


def test_a_key_that_asks_too_often_waits(call: Call, settings: Any, owner: User, brand: Brand) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    call(CONVERSIONS, a_sale(external_id="1"))
    call(CONVERSIONS, a_sale(external_id="2"))
    answer = call(CONVERSIONS, a_sale(external_id="3"))
    assert error_of(answer) == (429, "too_many_requests", "")
    assert 0 < int(answer["Retry-After"]) <= 60
    assert Conversion.objects.count() == 2
    _key, secret = key_for(owner, brand)  # another key has its own limit
    assert call(CONVERSIONS, a_sale(external_id="3"), secret=secret).status_code == 201


def test_only_json_is_read(call: Call, key: tuple[ApiKey, str]) -> None:
    answer = Client().post(CONVERSIONS, {"kind": "sale"}, headers={"Authorization": f"Bearer {key[1]}"})
    assert error_of(answer) == (415, "not_json", "")
    for raw in ("{", "NaN", '{"kind": NaN}', "[]", "null", '"text"'):
        assert error_of(call(CONVERSIONS, raw))[0] in (400, 422)
    assert error_of(call(CONVERSIONS, "x" * (6 * 1024 * 1024))) == (413, "too_large", "")
    assert not Conversion.objects.exists()


def test_no_key_stands_in_a_log_or_an_answer(
    call: Call, key: tuple[ApiKey, str], caplog: pytest.LogCaptureFixture
) -> None:
    secret = key[1]
    with caplog.at_level(logging.DEBUG):
        answers = [call(CONVERSIONS, a_sale()), call(CONVERSIONS, "{"), call("/api/v1/nothing")]
        answers.append(call(CONVERSIONS, a_sale(), Authorization=f"Token {secret}"))
    assert secret not in caplog.text
    assert all(secret not in answer.content.decode() for answer in answers)


# --- the description --------------------------------------------------------------------------


def test_the_description_names_every_route_and_says_that_a_key_is_needed() -> None:
    found = Client().get(reverse("api:openapi")).json()
    assert found["openapi"].startswith("3.")
    assert set(found["paths"]) == {
        "/api/v1/conversions",
        "/api/v1/conversions/{kind}/{external_id}",
        "/api/v1/conversions/{kind}/{external_id}/refunds",
    }
    operations = [operation for path in found["paths"].values() for operation in path.values()]
    assert all(operation["security"] for operation in operations)
    names = set(found["components"]["schemas"])
    assert {"ConversionIn", "BatchIn", "RefundIn", "ConversionOut", "ErrorOut"} <= names
    text = json.dumps(found)
    for reference in (part.split('"')[0] for part in text.split("#/components/schemas/")[1:]):
        assert reference in names
