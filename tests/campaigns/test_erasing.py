"""Somebody who clicked and bought is erased: amounts and counts stay, what comes afterwards is nobody's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction

from accounts.models import Brand, User
from audience.models import Contact, Identity
from audience.services.erasing import erase_contact
from audience.services.locks import lock_identities
from audience.services.people import Met, meet
from campaigns.models import Campaign, CsvImport, LeadStageEvent, Touchpoint
from campaigns.services import conversions, judging
from campaigns.services.clicks import tell_clicks
from campaigns.services.erasing import erase
from campaigns.services.refunds import conversion_of
from tests.campaigns.conftest import NOW
from tests.campaigns.reporting import DAY, by, click, give_back, lead, sale, take

pytestmark = pytest.mark.django_db


def test_an_erased_person_leaves_amounts_and_counts_and_no_number(
    brand: Brand, campaign: Campaign, admin: User
) -> None:
    made = click(brand, campaign)
    made.visitor, made.referrer_host = "hash", "example.com"
    made.save()
    person = by("hanako@example.com", customer="C-1")
    sold = take(brand, sale("ORDER-77", click=str(made.key), person=person))
    give_back(sold, "10", "REFUND-77")
    request = erase_contact(contact=Contact.objects.get(), actor=admin, now=NOW)
    assert request.removed["campaigns"] == {"conversion": 1, "refund": 1, "click": 1, "link": 0}
    sold.refresh_from_db()
    assert (sold.value, sold.refunded, sold.campaign) == (100, 10, campaign)
    assert "77" not in sold.external_id
    assert "77" not in sold.refunds.get().external_id
    made.refresh_from_db()
    assert (made.visitor, made.referrer_host) == ("", "")
    assert Touchpoint.objects.get().campaign == campaign
    assert LeadStageEvent.objects.count() == 1


def test_a_report_that_comes_again_after_an_erasure_is_still_known(brand: Brand, admin: User) -> None:
    report = sale("ORDER-77", person=by("hanako@example.com"))
    sold = take(brand, report)
    give_back(sold, "10", "REFUND-77")
    erase_contact(contact=Contact.objects.get(), actor=admin, now=NOW)
    assert take(brand, report) == sold
    assert conversion_of(brand=brand, kind="sale", number="ORDER-77") == sold
    _refund, is_new = give_back(sold, "10", "REFUND-77")
    assert not is_new
    assert Identity.objects.filter(erased_at__isnull=True).count() == 0


def test_a_refund_that_comes_after_an_erasure_keeps_no_number_of_theirs(brand: Brand, admin: User) -> None:
    sold = take(brand, sale("ORDER-77", person=by("hanako@example.com")))
    erase_contact(contact=Contact.objects.get(), actor=admin, now=NOW)
    refund, is_new = give_back(sold, "10", "REFUND-77")
    assert is_new
    assert "77" not in refund.external_id
    assert give_back(sold, "10", "REFUND-77") == (refund, False)


def test_clicks_and_conversions_after_an_erasure_are_nobodys(
    brand: Brand, campaign: Campaign, admin: User
) -> None:
    known = meet(brand=brand, met=Met("sandbox", "id-9"), now=NOW - DAY)
    own = click(brand, campaign, identity=known)
    open_to_all = click(brand, campaign)
    take(brand, lead(click=str(open_to_all.key), person=by("hanako@example.com")))
    for contact in Contact.objects.all():
        erase_contact(contact=contact, actor=admin, now=NOW)
    own.link.refresh_from_db()
    assert own.link.identity is None
    for number, made in (("1", own), ("2", open_to_all)):
        sold = take(brand, sale(number, click=str(made.key)))
        assert (sold.identity, sold.external_id, sold.campaign) == (None, number, campaign)


@pytest.mark.parametrize("is_by_handle", [True, False], ids=["by handle", "by click"])
def test_a_report_that_is_taken_during_an_erasure_is_nobodys(
    brand: Brand, campaign: Campaign, admin: User, monkeypatch: pytest.MonkeyPatch, is_by_handle: bool
) -> None:
    known = meet(brand=brand, met=Met("sandbox", "id-9", handle="hanako"), now=NOW - DAY)
    own = click(brand, campaign, identity=known)
    look_up = judging.judged

    def judged(*given: Any) -> Any:
        found = look_up(*given)
        erase_contact(contact=known.contact, actor=admin, now=NOW)  # commits while this report is looked at
        return found

    monkeypatch.setattr(conversions, "judged", judged)
    report = sale(person=by(network="sandbox", handle="hanako")) if is_by_handle else sale(click=str(own.key))
    assert take(brand, report).identity is None


def test_files_that_were_imported_show_no_number_of_theirs(brand: Brand, admin: User) -> None:
    sold = take(brand, sale("ORDER-77", person=by("hanako@example.com")))
    give_back(sold, "10", "REFUND-77")
    others = {"row": 4, "field": "id", "code": "differs", "value": "ORDER-78", "facts": {}}
    theirs = [
        {"row": 2, "field": "id", "code": "differs", "value": "ORDER-77", "facts": {}},
        {"row": 3, "field": "refund_of", "code": "not_a_sale", "value": "ORDER-77", "facts": {}},
        {"row": 5, "field": "id", "code": "differs", "value": "REFUND-77", "facts": {}},
    ]
    batch = CsvImport.objects.create(
        brand=brand,
        kind=CsvImport.Kind.CONVERSIONS,
        file_name="orders.csv",
        encoding="utf-8",
        refused_count=4,
        refused=[*theirs, others],
        created_at=NOW,
    )
    erase_contact(contact=Contact.objects.get(), actor=admin, now=NOW)
    batch.refresh_from_db()
    assert [fault["value"] for fault in batch.refused] == ["", "", "", "ORDER-78"]
    assert batch.refused_count == 4


# --- at the same time ---------------------------------------------------------------------------


def beside_an_erasure(contact: Contact, work: Callable[[], object]) -> list[BaseException]:
    """``work`` begins when the erasure holds the person, and has to wait; what it raised."""
    failures: list[BaseException] = []

    def other_worker() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=other_worker)
    with transaction.atomic():
        identities = lock_identities([contact.pk])
        thread.start()
        _until_somebody_waits()
        erase(identities, NOW)
    thread.join(10)
    assert not thread.is_alive()
    return failures


def _until_somebody_waits() -> None:
    for _try in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    pytest.fail("nobody waits for the erasure")


@pytest.mark.django_db(transaction=True)
def test_a_refund_and_an_erasure_do_not_wait_for_each_other_in_a_ring(brand: Brand) -> None:
    sold = take(brand, sale("ORDER-77", person=by("hanako@example.com")))
    assert beside_an_erasure(Contact.objects.get(), lambda: give_back(sold, "10", "REFUND-77")) == []
    sold.refresh_from_db()
    assert sold.refunded == 10
    assert "77" not in sold.refunds.get().external_id


@pytest.mark.django_db(transaction=True)
def test_telling_clicks_and_an_erasure_do_not_wait_for_each_other_in_a_ring(
    brand: Brand, campaign: Campaign
) -> None:
    known = meet(brand=brand, met=Met("sandbox", "id-9"), now=NOW - DAY)
    made = click(brand, campaign, identity=known)
    made.is_to_be_told = True
    made.save()
    assert beside_an_erasure(known.contact, tell_clicks) == []
    made.refresh_from_db()
    assert not made.is_to_be_told
