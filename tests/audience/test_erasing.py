"""Erasure: nothing personal is left, the counts are."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Sequence
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection, models

from accounts.models import AuditEntry, Brand, User
from audience import erasers
from audience.models import Activity, ActivityKind, Consent, Contact, ErasureRequest, Identity, Purpose
from audience.services.activities import Happened, tell
from audience.services.consents import record_consent
from audience.services.erasing import erase_contact
from audience.services.facts import Facts, change_facts
from audience.services.locks import AlreadyErased, AlreadyMerged
from audience.services.merging import merge_contacts
from audience.services.people import Met, meet
from tests.audience.conftest import LATER, NOW

SECRET = "geheim"  # stands in every personal field of the person, and nowhere else


@pytest.fixture
def known(brand: Brand, responder: User) -> Contact:
    """A contact, merged of two, of whom everything is known that can be."""
    contacts = []
    for platform in ("sandbox", "email"):
        met = Met(
            platform,
            f"{SECRET}-{platform}",
            handle=f"{SECRET}_handle",
            display_name=f"{SECRET} name",
            avatar_url=f"https://pictures.example/{SECRET}.png",
            profile_url=f"https://network.example/{SECRET}",
        )
        identity = meet(brand=brand, met=met, now=NOW)
        facts = Facts(f"{SECRET} Mori", f"{SECRET}@example.com", f"{SECRET} 03", f"{SECRET} note")
        change_facts(contact=identity.contact, facts=facts, actor=responder, now=NOW)
        record_consent(
            identity=identity,
            purpose=Purpose.NEWSLETTER,
            is_granted=True,
            source=f"Said {SECRET}",
            actor=responder,
            now=NOW,
        )
        sale = Happened(
            identity.pk,
            ActivityKind.SALE,
            NOW,
            f"sale:{SECRET}-{platform}",
            summary=f"{SECRET} bought",
            detail={"amount": "12.50", "currency": "EUR", "platform": "sandbox", "name": SECRET},
            path=f"/somewhere/{SECRET}/",
        )
        tell(brand=brand, happened=[sale])
        contacts.append(identity.contact)
    merge_contacts(into=contacts[0], other=contacts[1], actor=responder, now=NOW)
    return contacts[0]


def text_cells(label: str) -> list[str]:
    """Every cell of the app's tables that can hold words, with its place."""
    found = []
    for model in apps.get_app_config(label).get_models():
        columns = [
            field
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField | models.JSONField)
            or field.get_internal_type() == "ArrayField"
        ]
        for row in model._default_manager.all():
            for field in columns:
                value = json.dumps(getattr(row, field.attname), ensure_ascii=False)
                found.append(f"{model.__name__}.{field.name}: {value}")
    return found


def test_the_walk_sees_every_personal_field(known: Contact) -> None:
    places = {cell.partition(":")[0] for cell in text_cells("audience") if SECRET in cell}
    assert places == {
        "Contact.name",
        "Contact.email",
        "Contact.phone",
        "Contact.notes",
        "Contact.search_text",
        "Identity.remote_id",
        "Identity.handle",
        "Identity.display_name",
        "Identity.avatar_url",
        "Identity.profile_url",
        "Identity.search_text",
        "Activity.summary",
        "Activity.path",
        "Activity.detail",
        "Activity.dedupe_key",
        "Consent.source",
    }


def test_an_erasure_leaves_no_personal_text(known: Contact, admin: User) -> None:
    erase_contact(contact=known, actor=admin, now=LATER)
    assert [cell for cell in text_cells("audience") if SECRET in cell] == []
    assert not Contact.objects.exclude(search_grams=[]).exists()
    assert not Identity.objects.exclude(search_grams=[], remote_key="").exists()
    log = json.dumps([text_cells("accounts")], ensure_ascii=False)
    assert SECRET not in log


def test_an_erasure_leaves_the_counts(known: Contact, admin: User) -> None:
    before = (Contact.objects.count(), Identity.objects.count(), Activity.objects.count())
    sold = Activity.objects.filter(kind=ActivityKind.SALE)
    erase_contact(contact=known, actor=admin, now=LATER)
    assert (Contact.objects.count(), Identity.objects.count(), Activity.objects.count()) == before
    assert [line.detail for line in sold] == [
        {"amount": "12.50", "currency": "EUR", "platform": "sandbox"}
    ] * 2
    assert Consent.objects.filter(is_granted=True).count() == 2
    assert set(Contact.objects.values_list("erased_at", flat=True)) == {LATER}
    assert set(Identity.objects.values_list("erased_at", "platform")) == {
        (LATER, "sandbox"),
        (LATER, "email"),
    }


def test_an_erasure_is_written_down_without_a_name(known: Contact, admin: User) -> None:
    request = erase_contact(contact=known, actor=admin, now=LATER)
    assert ErasureRequest.objects.get() == request
    assert (request.contact_id, request.requested_by) == (known.pk, admin)
    assert request.done_at == LATER
    # Two facts, two consents, two sales and one merge are told of them.
    assert request.removed["audience"] == {"contact": 2, "identity": 2, "activity": 7, "consent": 2}
    entry = AuditEntry.objects.get(action="contact.erased")
    assert entry.subject_name == known.reference
    assert entry.subject_id == str(known.pk)
    assert entry.detail == {"brand": "Harbour Coffee"}


def test_other_people_are_left_alone(known: Contact, taro: Contact, admin: User) -> None:
    before = Identity.objects.filter(contact=taro).values().get()
    erase_contact(contact=known, actor=admin, now=LATER)
    taro.refresh_from_db()
    assert taro.erased_at is None
    assert Identity.objects.filter(contact=taro).values().get() == before


def test_whoever_writes_again_is_somebody_new(known: Contact, brand: Brand, admin: User) -> None:
    erase_contact(contact=known, actor=admin, now=LATER)
    again = meet(brand=brand, met=Met("sandbox", f"{SECRET}-sandbox"), now=LATER)
    assert again.contact_id != known.pk
    assert again.first_seen_at == LATER
    assert again.erased_at is None


def test_a_contact_is_erased_once_and_a_merged_one_by_its_target(known: Contact, admin: User) -> None:
    other = Contact.objects.get(merged_into=known)
    with pytest.raises(AlreadyMerged):
        erase_contact(contact=other, actor=admin, now=LATER)
    assert not Contact.objects.filter(erased_at__isnull=False).exists()
    erase_contact(contact=known, actor=admin, now=LATER)
    with pytest.raises(AlreadyErased):
        erase_contact(contact=known, actor=admin, now=LATER)
    assert ErasureRequest.objects.count() == 1


# --- apps above -------------------------------------------------------------------------------


@pytest.fixture
def only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasers, "_erasers", {})


def test_apps_above_erase_what_they_hold(known: Contact, admin: User, only_ours: None) -> None:
    asked: list[tuple[set[UUID], dt.datetime]] = []

    def eraser(identities: Sequence[UUID], now: dt.datetime) -> dict[str, int]:
        asked.append((set(identities), now))
        return {"message": 3}

    erasers.register("shop", eraser)
    request = erase_contact(contact=known, actor=admin, now=LATER)
    assert asked == [(set(Identity.objects.filter(contact=known).values_list("pk", flat=True)), LATER)]
    assert request.removed["shop"] == {"message": 3}


def test_an_eraser_that_fails_leaves_everything(known: Contact, admin: User, only_ours: None) -> None:
    def eraser(identities: Sequence[UUID], now: dt.datetime) -> dict[str, int]:
        raise LookupError("a bug above")

    erasers.register("shop", eraser)
    before = text_cells("audience")
    with pytest.raises(LookupError):
        erase_contact(contact=known, actor=admin, now=LATER)
    assert text_cells("audience") == before
    assert not ErasureRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_somebody_who_writes_during_an_erasure_is_known_or_new_but_never_half(
    brand: Brand, admin: User
) -> None:
    met = [Met("sandbox", str(number), f"h{number}") for number in range(8)]
    contacts = [meet(brand=brand, met=one, now=NOW).contact for one in met]
    failures: list[BaseException] = []
    start = threading.Barrier(2)

    def meet_again() -> None:
        for one in met:
            meet(brand=brand, met=one, now=LATER)

    def erase() -> None:
        for contact in contacts:
            erase_contact(contact=contact, actor=admin, now=LATER)

    def work(job: object) -> None:
        try:
            start.wait()
            job()  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[job]) for job in (meet_again, erase)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Identity.objects.filter(erased_at__isnull=False).count() == 8
    for identity in Identity.objects.select_related("contact"):
        assert (identity.erased_at is None) == (identity.contact.erased_at is None)
        assert (identity.handle == "") == (identity.erased_at is not None)
