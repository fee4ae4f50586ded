"""Merging moves identities and nothing else, and can be undone in any order."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, Brand, User
from audience.models import Activity, ActivityKind, Contact, Identity, Stage
from audience.selectors.families import end_of_chain, own_identity
from audience.selectors.people import identities_with
from audience.services.erasing import erase_contact
from audience.services.facts import Facts, change_facts
from audience.services.locks import AlreadyErased, AlreadyMerged
from audience.services.merging import NotMerged, OtherBrand, SameContact, merge_contacts, undo_merge
from audience.services.people import mark_stage
from tests.audience.conftest import LATER, NOW, Meeting


def merged(into: Contact, other: Contact, actor: User) -> int:
    return merge_contacts(into=into, other=other, actor=actor, now=LATER)


def homes() -> dict[str, object]:
    return dict(Identity.objects.values_list("handle", "contact_id"))


# --- what a merge does ------------------------------------------------------------------------


def test_a_merge_moves_the_identities(hanako: Contact, taro: Contact, responder: User) -> None:
    assert merged(hanako, taro, responder) == 1
    assert homes() == {"hanako": hanako.pk, "taro": hanako.pk}
    taro.refresh_from_db()
    assert taro.merged_into == hanako
    one = Identity.objects.get(handle="taro")
    assert set(identities_with(one)) == set(Identity.objects.values_list("pk", flat=True))


def test_a_merge_leaves_the_facts_of_both_alone(hanako: Contact, taro: Contact, responder: User) -> None:
    facts = Facts(name="Taro Yamada", email="taro@example.com", phone="03", notes="Likes tea")
    change_facts(contact=taro, facts=facts, actor=responder, now=NOW)
    merged(hanako, taro, responder)
    hanako.refresh_from_db()
    taro.refresh_from_db()
    assert Facts.of(hanako) == Facts()
    assert Facts.of(taro) == facts


@pytest.mark.parametrize(
    ("own", "others", "after", "since"),
    [
        (Stage.NONE, Stage.CUSTOMER, Stage.CUSTOMER, LATER),
        (Stage.CUSTOMER, Stage.LEAD, Stage.CUSTOMER, NOW),
        (Stage.LEAD, Stage.LEAD, Stage.LEAD, NOW),
    ],
)
def test_a_merge_takes_the_further_stage(
    met: Meeting, responder: User, own: Stage, others: Stage, after: Stage, since: dt.datetime
) -> None:
    one, two = met("one"), met("two")
    mark_stage(identity=one, stage=own, now=NOW)
    mark_stage(identity=two, stage=others, now=LATER)
    merged(one.contact, two.contact, responder)
    contact = Contact.objects.get(pk=one.contact_id)
    assert (contact.stage, contact.stage_at) == (after, since)


def test_a_merged_contact_was_seen_when_either_was(met: Meeting, responder: User) -> None:
    early, late = met("early", now=NOW), met("late", now=LATER)
    merged(late.contact, early.contact, responder)
    contact = Contact.objects.get(pk=late.contact_id)
    assert (contact.first_seen_at, contact.last_seen_at) == (NOW, LATER)
    undo_merge(contact=early.contact, actor=responder, now=LATER)
    contact.refresh_from_db()
    assert (contact.first_seen_at, contact.last_seen_at) == (LATER, LATER)


def test_a_merge_is_told_and_written_down_without_names(
    hanako: Contact, taro: Contact, responder: User
) -> None:
    merged(hanako, taro, responder)
    undo_merge(contact=taro, actor=responder, now=LATER)
    lines = Activity.objects.filter(kind=ActivityKind.MERGED).order_by("pk")
    assert [line.detail for line in lines] == [{"identities": 1}, {"identities": 1, "undone": True}]
    assert {line.identity for line in lines} == {own_identity(hanako)}
    entries = AuditEntry.objects.filter(action__startswith="contact.").order_by("pk")
    assert [entry.action for entry in entries] == ["contact.merged", "contact.merge_undone"]
    for entry in entries:
        assert entry.subject_name == hanako.reference
        assert entry.detail == {
            "brand": "Harbour Coffee",
            "other": taro.reference,
            "identities": 1,
        }


# --- refusals ---------------------------------------------------------------------------------


def refused(error: type[Exception], act: Callable[[], object]) -> None:
    """It is refused, and nothing has changed."""
    before = homes(), list(Contact.objects.order_by("pk").values()), Activity.objects.count()
    with pytest.raises(error):
        act()
    assert (homes(), list(Contact.objects.order_by("pk").values()), Activity.objects.count()) == before


def test_a_contact_is_not_merged_into_itself(hanako: Contact, responder: User) -> None:
    refused(SameContact, lambda: merged(hanako, hanako, responder))


def test_contacts_of_two_brands_are_not_merged(
    hanako: Contact, met: Meeting, other_brand: Brand, responder: User
) -> None:
    other = met("hanako", brand=other_brand).contact
    refused(OtherBrand, lambda: merged(hanako, other, responder))


def test_a_merged_contact_is_not_merged_again(
    hanako: Contact, taro: Contact, met: Meeting, responder: User
) -> None:
    third = met("third").contact
    merged(hanako, taro, responder)
    refused(AlreadyMerged, lambda: merged(third, taro, responder))
    refused(AlreadyMerged, lambda: merged(taro, third, responder))


def test_an_erased_contact_is_not_merged(hanako: Contact, taro: Contact, admin: User) -> None:
    erase_contact(contact=taro, actor=admin, now=NOW)
    refused(AlreadyErased, lambda: merged(hanako, taro, admin))
    refused(AlreadyErased, lambda: merged(taro, hanako, admin))


def test_a_merge_that_was_not_cannot_be_undone(hanako: Contact, responder: User) -> None:
    refused(NotMerged, lambda: undo_merge(contact=hanako, actor=responder, now=LATER))


def test_a_merge_into_somebody_erased_cannot_be_undone(hanako: Contact, taro: Contact, admin: User) -> None:
    merged(hanako, taro, admin)
    erase_contact(contact=hanako, actor=admin, now=LATER)
    refused(AlreadyErased, lambda: undo_merge(contact=taro, actor=admin, now=LATER))


# --- undoing ----------------------------------------------------------------------------------


def test_undoing_a_merge_gives_back_what_came_with_it(
    hanako: Contact, taro: Contact, met: Meeting, responder: User
) -> None:
    before = homes()
    merged(hanako, taro, responder)
    met("taro", platform="bluesky", now=LATER)  # writes again in between
    assert undo_merge(contact=taro, actor=responder, now=LATER) == 1
    assert homes() == before
    taro.refresh_from_db()
    assert taro.merged_into is None
    assert taro.last_seen_at == LATER


def test_the_inner_merge_can_be_undone_before_the_outer_one(met: Meeting, responder: User) -> None:
    a, b, c = (met(name).contact for name in ("a", "b", "c"))
    merged(a, b, responder)
    merged(c, a, responder)
    assert homes() == {"a": c.pk, "b": c.pk, "c": c.pk}
    undo_merge(contact=b, actor=responder, now=LATER)
    assert homes() == {"a": c.pk, "b": b.pk, "c": c.pk}
    undo_merge(contact=a, actor=responder, now=LATER)
    assert homes() == {"a": a.pk, "b": b.pk, "c": c.pk}


PEOPLE = 5
person = st.integers(0, PEOPLE - 1)
acts = st.lists(st.tuples(st.sampled_from(["merge", "undo"]), person, person), max_size=14)


@given(steps=acts)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_sequence_of_merges_and_undos_loses_or_doubles_an_identity(
    met: Meeting, responder: User, steps: Sequence[tuple[str, int, int]]
) -> None:
    """Beside each step goes a model: whom each contact was merged into. An identity belongs to the end of
    the chain that begins where it was met."""
    with transaction.atomic():
        identities = [met(f"p{number}") for number in range(PEOPLE)]
        contacts = [identity.contact for identity in identities]
        into: dict[int, int] = {}

        def end(number: int) -> int:
            while number in into:
                number = into[number]
            return number

        for act, one, two in steps:
            if act == "undo":
                try:
                    undo_merge(contact=contacts[one], actor=responder, now=LATER)
                    assert into.pop(one, None) is not None
                except NotMerged:
                    assert one not in into
            else:
                try:
                    merge_contacts(into=contacts[one], other=contacts[two], actor=responder, now=LATER)
                    assert one != two
                    assert not {one, two} & into.keys()
                    into[two] = one
                except (SameContact, AlreadyMerged):
                    assert one == two or {one, two} & into.keys()
            assert homes() == {f"p{number}": contacts[end(number)].pk for number in range(PEOPLE)}
            for number in range(PEOPLE):
                assert end_of_chain(Contact.objects.get(pk=contacts[number].pk)) == contacts[end(number)]
                if number == end(number):
                    assert own_identity(contacts[number]) == identities[number]
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_two_people_who_merge_crosswise_do_not_make_a_circle(
    hanako: Contact, taro: Contact, responder: User
) -> None:
    refusals: list[BaseException] = []
    start = threading.Barrier(2)

    def work(into: Contact, other: Contact) -> None:
        try:
            start.wait()
            merged(into, other, responder)
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            refusals.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=pair) for pair in ((hanako, taro), (taro, hanako))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(error) for error in refusals] == [AlreadyMerged]
    assert len(set(homes().values())) == 1
    assert Contact.objects.filter(merged_into__isnull=True).count() == 1
