from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from accounts.models import AuditEntry, Brand, Organization, User
from accounts.services.audit import record

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def entry(organization: Organization, owner: User, brand: Brand) -> AuditEntry:
    return record(
        organization=organization,
        actor=owner,
        action="brand.created",
        subject=brand,
        detail={"name": brand.name},
        now=NOW,
    )


def test_an_entry_keeps_the_names_as_they_were(entry: AuditEntry, brand: Brand) -> None:
    brand.name = "Another name"
    brand.save()
    entry.refresh_from_db()
    assert (entry.actor_name, entry.subject_name) == ("Owner", "Harbour Coffee")
    assert (entry.subject_type, entry.subject_id) == ("accounts.brand", str(brand.pk))


@pytest.mark.parametrize(
    "change", [{"action": "x"}, {"detail": {}}, {"actor_name": "Nobody"}, {"at": NOW - dt.timedelta(days=1)}]
)
def test_the_database_refuses_to_change_an_entry(entry: AuditEntry, change: dict[str, object]) -> None:
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(**change)
    entry.refresh_from_db()
    assert entry.action == "brand.created"


def test_an_entry_cannot_be_given_to_another_actor(entry: AuditEntry, stranger: User) -> None:
    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(actor=stranger)


def test_the_database_refuses_to_delete_an_entry(entry: AuditEntry) -> None:
    with pytest.raises(DatabaseError, match="cannot be deleted"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).delete()
    assert AuditEntry.objects.filter(pk=entry.pk).exists()


def test_entries_outlive_their_actor(entry: AuditEntry, owner: User) -> None:
    owner.delete()
    entry.refresh_from_db()
    assert entry.actor_id is None
    assert entry.actor_name == "Owner"


def test_entries_go_with_their_organization(entry: AuditEntry, organization: Organization) -> None:
    organization.delete()
    assert not AuditEntry.objects.filter(pk=entry.pk).exists()


def test_an_entry_vanishes_with_the_deed_that_failed(organization: Organization, owner: User) -> None:
    with transaction.atomic():
        record(organization=organization, actor=owner, action="brand.created", now=NOW)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()
