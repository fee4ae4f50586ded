"""Several marks of one person, met at once: an order that names a customer number and an e-mail address."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from django.db import transaction

from accounts.models import Brand
from audience.models import Contact, Identity
from audience.services.people import Key, Met, key_of, meet_all
from core.ids import uuid7


@transaction.atomic
def meet_together(
    *, brand: Brand, people: Sequence[Sequence[Met]], now: dt.datetime
) -> list[tuple[Identity, ...]]:
    """The identities of each of ``people``, who are given by their marks, in the order of the marks.

    New marks join the contact of the person's first mark that the brand knew already, or share a new one.
    Marks that belong to two contacts leave both as they are: whether those are one person is for people to
    say (merge). Raises ValueError for a mark without a remote id.
    """
    marks = [mark for person in people for mark in person]
    keyed = [list(dict.fromkeys(key_of(mark) for mark in person)) for person in people]
    known = _known(brand, {key for keys in keyed for key in keys})
    met = meet_all(brand=brand, met=marks, now=now, contacts=_shared(keyed, known))
    identities = {(row.platform, row.remote_key): row for row in met.values()}
    # Made by this call: nobody knew it before, and nobody else made it meanwhile.
    alone = {key for key, row in identities.items() if key not in known and row.first_seen_at == now}
    left: list[uuid.UUID] = []  # contacts that were made for marks which then joined another
    moved: list[Identity] = []
    for keys in keyed:
        settled = [identities[key] for key in keys if key not in alone]
        first = settled[0] if settled else identities[keys[0]]
        for key in keys:
            row = identities[key]
            if key in alone and row.contact_id != first.contact_id:
                left.append(row.contact_id)
                # With its home: when a merge is undone, the marks of one person stay together.
                row.contact_id, row.home_id = first.contact_id, first.home_id
                moved.append(row)
        alone.difference_update(keys)  # as if the next person came in another call
    if moved:
        Identity.objects.bulk_update(moved, ["contact", "home"])
        Contact.objects.filter(pk__in=left, identities=None).delete()
    return [tuple(met[mark.platform, mark.remote_id] for mark in person) for person in people]


def _shared(people: Sequence[Sequence[Key]], known: set[Key]) -> dict[Key, uuid.UUID]:
    """A contact for everybody of whom no mark is known: made once, and not for each mark to be left again.
    Who brings a mark of somebody before them is the same person."""
    shared: dict[Key, uuid.UUID] = {}
    for keys in people:
        if known.isdisjoint(keys):
            contact = next((shared[key] for key in keys if key in shared), None) or uuid7()
            for key in keys:
                shared.setdefault(key, contact)
    return shared


def _known(brand: Brand, keys: Collection[Key]) -> set[Key]:
    rows = Identity.objects.for_brand(brand).known_by(keys)
    return set(rows.values_list("platform", "remote_key"))
