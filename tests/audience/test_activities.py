"""The timeline: told once, by whoever knows, of people of the brand."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from django.utils import timezone

from accounts.models import Brand
from audience.models import Activity, ActivityKind, Contact, Identity
from audience.services.activities import Happened, NotOfThisBrand, tell
from tests.audience.conftest import LATER, NOW, Meeting


def comment(identity: Identity, key: str = "message:1", at: dt.datetime = NOW) -> Happened:
    return Happened(identity.pk, ActivityKind.COMMENT, at, key, summary="Lovely!", path="/inbox/1/")


def test_a_line_is_told_once(brand: Brand, met: Meeting) -> None:
    hanako = met()
    assert tell(brand=brand, happened=[comment(hanako), comment(hanako, "message:2")]) == 2
    assert tell(brand=brand, happened=[comment(hanako), comment(hanako, "message:3")]) == 1
    assert Activity.objects.count() == 3


def test_a_line_twice_in_one_batch_is_one(brand: Brand, met: Meeting) -> None:
    hanako = met()
    assert tell(brand=brand, happened=[comment(hanako), comment(hanako)]) == 1


def test_keys_of_different_brands_do_not_meet(brand: Brand, other_brand: Brand, met: Meeting) -> None:
    assert tell(brand=brand, happened=[comment(met())]) == 1
    assert tell(brand=other_brand, happened=[comment(met(brand=other_brand))]) == 1


def test_nothing_is_told_of_people_of_another_brand(brand: Brand, other_brand: Brand, met: Meeting) -> None:
    stranger = met("stranger", brand=other_brand)
    with pytest.raises(NotOfThisBrand):
        tell(brand=brand, happened=[comment(met()), comment(stranger, "message:2")])
    assert not Activity.objects.exists()


def test_nothing_is_told_of_somebody_erased(brand: Brand, met: Meeting) -> None:
    hanako = met()
    Identity.objects.filter(pk=hanako.pk).update(erased_at=timezone.now(), remote_key="")
    assert tell(brand=brand, happened=[comment(hanako)]) == 0
    assert not Activity.objects.exists()


def test_long_words_are_cut_and_long_keys_kept_apart(brand: Brand, met: Meeting) -> None:
    hanako = met()
    long = dataclasses.replace(comment(hanako, "m:" + "1" * 200), summary="Lov\0ely " * 100)
    other = dataclasses.replace(long, dedupe_key="m:" + "1" * 199 + "2")
    assert tell(brand=brand, happened=[long, other]) == 2
    assert tell(brand=brand, happened=[long, other]) == 0
    summary = Activity.objects.first().summary  # type: ignore[union-attr]
    assert len(summary) <= 280
    assert summary.endswith("…")
    assert summary.startswith("Lovely Lovely")


def test_what_a_person_does_moves_when_they_were_last_seen(brand: Brand, met: Meeting) -> None:
    hanako = met()
    tell(brand=brand, happened=[Happened(hanako.pk, ActivityKind.SALE, LATER, "sale:1")])
    hanako.refresh_from_db()
    assert hanako.last_seen_at == LATER
    assert Contact.objects.get().last_seen_at == LATER


def test_what_is_done_to_a_person_does_not(brand: Brand, met: Meeting) -> None:
    hanako = met()
    tell(brand=brand, happened=[Happened(hanako.pk, ActivityKind.ANSWERED, LATER, "message:1")])
    hanako.refresh_from_db()
    assert hanako.last_seen_at == NOW
    assert Contact.objects.get().last_seen_at == NOW
