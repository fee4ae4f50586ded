"""Facts and consents: what people of the brand write down."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from accounts.models import AuditEntry, User
from audience.models import Activity, ActivityKind, Consent, Contact, Identity, Purpose, Stage
from audience.selectors.people import has_consented
from audience.services.consents import record_consent
from audience.services.erasing import erase_contact
from audience.services.facts import Facts, change_facts
from audience.services.locks import AlreadyErased, AlreadyMerged
from audience.services.merging import merge_contacts
from tests.audience.conftest import LATER, NOW, Meeting

FACTS = Facts(
    name="森 花子", email="hanako@example.com", phone="03-1234", notes="Likes light roast", stage=Stage.LEAD
)


def test_facts_are_kept_and_can_be_searched(hanako: Contact, responder: User) -> None:
    changed = change_facts(contact=hanako, facts=FACTS, actor=responder, now=LATER)
    assert changed == ("name", "email", "phone", "notes", "stage")
    hanako.refresh_from_db()
    assert Facts.of(hanako) == FACTS
    assert hanako.stage_at == LATER
    assert hanako.search_text == "森 花子 hanako@example.com 03-1234"
    assert "花子" in hanako.search_grams


def test_the_log_names_no_values_and_no_person(hanako: Contact, responder: User) -> None:
    change_facts(contact=hanako, facts=FACTS, actor=responder, now=LATER)
    entry = AuditEntry.objects.get(action="contact.changed")
    assert entry.subject_name == hanako.reference
    assert entry.detail == {"brand": "Harbour Coffee"}
    line = Activity.objects.get(kind=ActivityKind.CHANGED)
    assert line.detail == {"fields": ["name", "email", "phone", "notes", "stage"]}
    assert line.summary == ""


def test_nothing_new_is_not_written_down(hanako: Contact, responder: User) -> None:
    assert change_facts(contact=hanako, facts=Facts(), actor=responder, now=LATER) == ()
    assert not AuditEntry.objects.exists()
    assert not Activity.objects.exists()


def test_a_stage_can_be_taken_back_by_hand(hanako: Contact, responder: User) -> None:
    change_facts(contact=hanako, facts=FACTS, actor=responder, now=NOW)
    back = dataclasses.replace(FACTS, stage=Stage.NONE)
    assert change_facts(contact=hanako, facts=back, actor=responder, now=LATER) == ("stage",)
    hanako.refresh_from_db()
    assert (hanako.stage, hanako.stage_at) == (Stage.NONE, LATER)


def test_facts_of_a_contact_that_is_gone_are_refused(
    hanako: Contact, taro: Contact, met: Meeting, admin: User
) -> None:
    merge_contacts(into=met("third").contact, other=taro, actor=admin, now=NOW)
    erase_contact(contact=hanako, actor=admin, now=NOW)
    for contact, error in ((taro, AlreadyMerged), (hanako, AlreadyErased)):
        with pytest.raises(error):
            change_facts(contact=contact, facts=FACTS, actor=admin, now=LATER)
    assert not Contact.objects.exclude(name="").exists()


# --- consents ---------------------------------------------------------------------------------


def say(identity: Identity, actor: User, *, is_granted: bool, at: dt.datetime) -> Consent:
    return record_consent(
        identity=identity,
        purpose=Purpose.NEWSLETTER,
        is_granted=is_granted,
        source="Form at the counter",
        actor=actor,
        now=at,
    )


def test_the_latest_statement_counts_and_none_is_changed(met: Meeting, responder: User) -> None:
    hanako = met()
    assert not has_consented(hanako, Purpose.NEWSLETTER)
    for day, is_granted in enumerate((True, False, True)):
        say(hanako, responder, is_granted=is_granted, at=NOW + dt.timedelta(days=day))
        assert has_consented(hanako, Purpose.NEWSLETTER) == is_granted
    assert list(Consent.objects.order_by("at").values_list("is_granted", flat=True)) == [True, False, True]


def test_what_was_withdrawn_stays_withdrawn_through_a_merge(met: Meeting, responder: User) -> None:
    one, two = met("one"), met("two")
    say(one, responder, is_granted=True, at=NOW)
    say(two, responder, is_granted=False, at=LATER)
    merge_contacts(into=one.contact, other=two.contact, actor=responder, now=LATER)
    assert not has_consented(one, Purpose.NEWSLETTER)
    assert not has_consented(two, Purpose.NEWSLETTER)


def test_a_consent_is_told_and_written_down(met: Meeting, responder: User) -> None:
    hanako = met()
    say(hanako, responder, is_granted=True, at=NOW)
    say(hanako, responder, is_granted=False, at=LATER)
    assert [line.detail for line in Activity.objects.order_by("at")] == [
        {"purpose": "newsletter", "is_granted": True},
        {"purpose": "newsletter", "is_granted": False},
    ]
    actions = AuditEntry.objects.order_by("pk").values_list("action", "subject_name")
    reference = hanako.contact.reference
    assert list(actions) == [
        ("contact.consent_given", reference),
        ("contact.consent_withdrawn", reference),
    ]


def test_nothing_is_recorded_for_somebody_erased(met: Meeting, admin: User) -> None:
    hanako = met()
    erase_contact(contact=hanako.contact, actor=admin, now=NOW)
    with pytest.raises(AlreadyErased):
        say(hanako, admin, is_granted=True, at=LATER)
    assert not Consent.objects.exists()
