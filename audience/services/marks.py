"""Several marks of one person, met at once: an order that names a customer number and an e-mail address."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from django.db import transaction

from accounts.models import Brand
from audience.models import Contact, Identity
from audience.services.people import Key, Met, key_of, meet_all


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
    known = _known(brand, marks)
    met = meet_all(brand=brand, met=marks, now=now)
    identities = {key_of(mark): met[mark.platform, mark.remote_id] for mark in marks}
    # Made by this call: nobody knew it before, and nobody else made it meanwhile.
    alone = {key for key, row in identities.items() if key not in known and row.first_seen_at == now}
    left: list[uuid.UUID] = []  # contacts that were made for marks which then joined another
    moved: list[Identity] = []
    for person in people:
        keys = dict.fromkeys(key_of(mark) for mark in person)
        settled = [identities[key] for key in keys if key not in alone]
        first = settled[0] if settled else identities[next(iter(keys))]
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
        Contact.objects.filter(pk__in=left).delete()
    return [tuple(identities[key_of(mark)] for mark in person) for person in people]


def _known(brand: Brand, marks: Collection[Met]) -> set[Key]:
    rows = Identity.objects.for_brand(brand).filter(
        platform__in={mark.platform for mark in marks}, remote_key__in={key_of(mark)[1] for mark in marks}
    )
    return set(rows.values_list("platform", "remote_key"))
