"""Meeting people: once each, whoever else meets them at the same moment."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Brand
from audience.models import Consent, Contact, Identity, IdentityKind, Purpose, Stage
from audience.selectors.people import has_consented, identities_with
from audience.services.people import Met, key_of, mark_stage, meet, meet_all
from tests.audience.conftest import LATER, NOW, Meeting

Queries = Callable[[int], Any]


def test_somebody_new_gets_an_identity_and_a_contact(brand: Brand) -> None:
    identity = meet(brand=brand, met=Met("sandbox", "7", "hanako", "Hanako Mori"), now=NOW)
    assert (identity.handle, identity.display_name) == ("hanako", "Hanako Mori")
    assert identity.contact.brand == brand
    assert (identity.first_seen_at, identity.last_seen_at) == (NOW, NOW)
    assert (identity.contact.first_seen_at, identity.contact.last_seen_at) == (NOW, NOW)


def test_somebody_known_is_refreshed_and_seen_again(brand: Brand) -> None:
    first = meet(brand=brand, met=Met("sandbox", "7", "hanako", "Hanako"), now=NOW)
    again = meet(brand=brand, met=Met("sandbox", "7", "hana", "Hanako Mori"), now=LATER)
    assert again.pk == first.pk
    assert again.contact_id == first.contact_id
    assert (again.handle, again.display_name) == ("hana", "Hanako Mori")
    assert (again.first_seen_at, again.last_seen_at) == (NOW, LATER)
    assert again.contact.last_seen_at == LATER
    assert "hana" in again.search_text
    assert Contact.objects.count() == 1


def test_what_is_not_given_keeps_what_was_known(brand: Brand) -> None:
    given = Met("sandbox", "7", "hanako", "Hanako", "https://a.example/1.png", "https://a.example/hanako")
    meet(brand=brand, met=given, now=NOW)
    again = meet(brand=brand, met=Met("sandbox", "7"), now=LATER)
    assert again.handle == "hanako"
    assert again.display_name == "Hanako"
    assert again.avatar_url == "https://a.example/1.png"
    assert again.profile_url == "https://a.example/hanako"
    assert again.search_text == "hanako hanako"


def test_an_old_meeting_does_not_turn_back_when_somebody_was_seen(brand: Brand) -> None:
    meet(brand=brand, met=Met("sandbox", "7"), now=LATER)
    again = meet(brand=brand, met=Met("sandbox", "7"), now=NOW)
    assert again.last_seen_at == LATER
    assert again.contact.last_seen_at == LATER


def test_each_brand_and_each_network_knows_its_own(brand: Brand, other_brand: Brand) -> None:
    met = [Met("sandbox", "7"), Met("bluesky", "7")]
    meet_all(brand=brand, met=met, now=NOW)
    meet_all(brand=other_brand, met=met, now=NOW)
    assert Identity.objects.count() == 4
    assert Contact.objects.for_brand(brand).count() == 2


def test_the_same_person_twice_in_one_batch_is_one(brand: Brand) -> None:
    found = meet_all(brand=brand, met=[Met("sandbox", "7", "old"), Met("sandbox", "7", "new")], now=NOW)
    assert [identity.handle for identity in found.values()] == ["new"]
    assert Contact.objects.count() == 1


def test_an_email_address_is_one_however_it_is_written(brand: Brand) -> None:
    met = [Met(IdentityKind.EMAIL, "Hanako@Example.com"), Met(IdentityKind.EMAIL, " hanako@example.com ")]
    found = meet_all(brand=brand, met=met, now=NOW)
    assert set(found) == {("email", "Hanako@Example.com"), ("email", " hanako@example.com ")}
    assert len({identity.pk for identity in found.values()}) == 1
    assert "hanako@example.com" in Identity.objects.get().search_text


def test_somebody_without_an_id_is_refused(brand: Brand) -> None:
    with pytest.raises(ValueError, match="without a remote id"):
        meet_all(brand=brand, met=[Met("sandbox", "7"), Met("sandbox", "")], now=NOW)
    assert not Identity.objects.exists()


def test_nobody_is_met_without_a_query(brand: Brand, django_assert_num_queries: Queries) -> None:
    with django_assert_num_queries(0):
        assert meet_all(brand=brand, met=[], now=NOW) == {}


@pytest.mark.parametrize("how_many", [2, 40])
def test_the_number_of_queries_does_not_grow(
    brand: Brand, how_many: int, django_assert_num_queries: Queries
) -> None:
    met = [Met("sandbox", str(number), "old") for number in range(how_many)]
    meet_all(brand=brand, met=met[: how_many // 2], now=NOW)
    renamed = [Met("sandbox", str(number), "new") for number in range(how_many)]
    # People, new contacts, new names, contacts seen again (locked, then written), in a savepoint.
    with django_assert_num_queries(7):
        meet_all(brand=brand, met=renamed, now=LATER)


def test_what_a_network_says_of_somebody_is_made_safe(brand: Brand) -> None:
    odd = Met(
        "sandbox",
        "7",
        handle="h" * 300,
        display_name="Nul\0l",
        avatar_url="https://a.example/" + "x" * 1000,
        profile_url="javascript:alert(1)",
    )
    identity = meet(brand=brand, met=odd, now=NOW)
    assert identity.handle == "h" * 255
    assert identity.display_name == "Null"
    assert identity.avatar_url == ""
    assert identity.profile_url == ""


@pytest.mark.django_db(transaction=True)
def test_two_workers_who_meet_the_same_people_make_each_of_them_once(brand: Brand) -> None:
    """In opposite orders, half of them known before, several times over: no deadlock, nobody twice."""
    known = [Met("sandbox", str(number)) for number in range(0, 60, 2)]
    everybody = [Met("sandbox", str(number), f"h{number}") for number in range(60)]
    meet_all(brand=brand, met=known, now=NOW)
    answers: list[dict[tuple[str, str], Identity]] = []
    failures: list[BaseException] = []
    start = threading.Barrier(2)

    def work(met: list[Met]) -> None:
        try:
            start.wait()
            answers.extend(
                meet_all(brand=brand, met=met, now=NOW + dt.timedelta(hours=hour)) for hour in range(1, 6)
            )
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[met]) for met in (everybody, everybody[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Identity.objects.count() == 60
    assert Contact.objects.count() == 60
    assert Contact.objects.filter(identities__isnull=True).count() == 0
    ids = {key: identity.pk for key, identity in answers[0].items()}
    assert all({key: one.pk for key, one in answer.items()} == ids for answer in answers)
    assert set(Contact.objects.values_list("last_seen_at", flat=True)) == {NOW + dt.timedelta(hours=5)}


@pytest.mark.django_db
def test_many_are_looked_up_by_the_index(brand: Brand) -> None:
    """PostgreSQL proves the condition of a partial index for lists of up to a hundred keys only."""
    met = [Met("sandbox", str(number)) for number in range(2_000)]
    meet_all(brand=brand, met=met, now=NOW)
    keys = [key_of(one) for one in met[:300]]
    sql, params = Identity.objects.for_brand(brand).known_by(keys).query.sql_with_params()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ANALYZE audience_identity")
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "identity_once_per_brand" in plan


# --- stages -----------------------------------------------------------------------------------


def test_a_stage_only_moves_forward(met: Meeting) -> None:
    hanako = met()
    assert mark_stage(identity=hanako, stage=Stage.CUSTOMER, now=NOW)
    assert not mark_stage(identity=hanako, stage=Stage.LEAD, now=LATER)
    assert not mark_stage(identity=hanako, stage=Stage.CUSTOMER, now=LATER)
    contact = Contact.objects.get()
    assert (contact.stage, contact.stage_at) == (Stage.CUSTOMER, NOW)


def test_a_stage_is_that_of_one_contact(met: Meeting) -> None:
    mark_stage(identity=met(), stage=Stage.LEAD, now=NOW)
    assert met("taro").contact.stage == Stage.NONE


# --- questions of other apps ------------------------------------------------------------------


def test_the_identities_of_a_contact_are_found_from_each(met: Meeting) -> None:
    one, two, stranger = met("one"), met("two"), met("three")
    Identity.objects.filter(pk=two.pk).update(contact=one.contact)
    assert set(identities_with(one)) == set(identities_with(two)) == {one.pk, two.pk}
    assert identities_with(stranger) == [stranger.pk]


def test_the_latest_statement_over_all_identities_counts(met: Meeting) -> None:
    one, two = met("one"), met("two")
    Identity.objects.filter(pk=two.pk).update(contact=one.contact)
    assert not has_consented(one, Purpose.MESSAGES)
    Consent.objects.create(identity=one, purpose=Purpose.MESSAGES, is_granted=True, source="shop", at=NOW)
    assert has_consented(two, Purpose.MESSAGES)
    assert not has_consented(two, Purpose.NEWSLETTER)
    Consent.objects.create(identity=two, purpose=Purpose.MESSAGES, is_granted=False, source="mail", at=LATER)
    assert not has_consented(one, Purpose.MESSAGES)
