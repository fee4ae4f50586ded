from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import Brand
from audience.models import Contact, Identity
from audience.services.marks import meet_together
from audience.services.people import Met, meet

NOW = dt.datetime(2026, 3, 29, 0, 30, tzinfo=dt.UTC)
EARLIER = NOW - dt.timedelta(days=1)
EMAIL, NUMBER, ACCOUNT = Met("email", "h@example.com"), Met("customer", "C-1"), Met("sandbox", "9")


def contacts_of(*groups: tuple[Identity, ...]) -> list[set[object]]:
    return [{one.contact_id for one in group} for group in groups]


def test_new_marks_of_one_person_share_a_new_contact(brand: Brand) -> None:
    (together,) = meet_together(brand=brand, people=[[EMAIL, NUMBER, ACCOUNT]], now=NOW)
    assert [one.platform for one in together] == ["email", "customer", "sandbox"]
    assert contacts_of(together) == [{Contact.objects.get().pk}]


def test_a_new_mark_joins_the_contact_of_the_known_one(brand: Brand) -> None:
    known = meet(brand=brand, met=NUMBER, now=EARLIER)
    (together,) = meet_together(brand=brand, people=[[EMAIL, NUMBER]], now=NOW)
    assert contacts_of(together) == [{known.contact_id}]
    assert Contact.objects.get() == known.contact


def test_marks_of_two_contacts_leave_both_and_a_new_one_joins_the_first(brand: Brand) -> None:
    first = meet(brand=brand, met=NUMBER, now=EARLIER)
    second = meet(brand=brand, met=EMAIL, now=EARLIER)
    (together,) = meet_together(brand=brand, people=[[NUMBER, EMAIL, ACCOUNT]], now=NOW)
    assert [one.contact_id for one in together] == [first.contact_id, second.contact_id, first.contact_id]
    assert Contact.objects.count() == 2


def test_people_of_one_call_are_met_as_if_one_after_the_other(brand: Brand) -> None:
    """The second brings a mark of the first along; the third names two people, who stay two."""
    people = [[EMAIL, NUMBER], [NUMBER, ACCOUNT], [Met("customer", "C-2")], [EMAIL, Met("customer", "C-2")]]
    first, second, third, fourth = meet_together(brand=brand, people=people, now=NOW)
    assert contacts_of(first, second) == [{first[0].contact_id}] * 2
    assert third[0].contact_id != first[0].contact_id
    assert [one.contact_id for one in fourth] == [first[0].contact_id, third[0].contact_id]
    assert Contact.objects.count() == 2


def test_one_mark_given_twice_is_one(brand: Brand) -> None:
    (together,) = meet_together(brand=brand, people=[[EMAIL, Met("email", "H@Example.com ")]], now=NOW)
    assert together[0] == together[1]
    assert Contact.objects.count() == Identity.objects.count() == 1


def test_no_contact_is_left_behind_empty(brand: Brand) -> None:
    meet_together(brand=brand, people=[[EMAIL, NUMBER], [ACCOUNT, EMAIL]], now=NOW)
    assert not Contact.objects.filter(identities=None).exists()


def test_a_mark_without_an_id_is_nobody(brand: Brand) -> None:
    with pytest.raises(ValueError, match="remote id"):
        meet_together(brand=brand, people=[[EMAIL, Met("customer", "")]], now=NOW)
    assert not Identity.objects.exists()


def test_a_contact_that_others_share_stays_when_somebody_leaves_it(
    brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker meets one mark of the second person just after this one has looked who is known: their
    new mark goes to that contact, and the first person keeps theirs."""
    elsewhere = meet(brand=brand, met=ACCOUNT, now=EARLIER)
    monkeypatch.setattr("audience.services.marks._known", lambda *_: set())
    people = [[EMAIL, NUMBER], [ACCOUNT, NUMBER, Met("customer", "C-2")]]
    first, second = meet_together(brand=brand, people=people, now=NOW)
    assert len({one.contact_id for one in first}) == 1
    assert [one.contact_id for one in second] == [
        elsewhere.contact_id,
        first[0].contact_id,
        elsewhere.contact_id,
    ]
    assert Identity.objects.count() == 4
    assert Contact.objects.count() == 2
