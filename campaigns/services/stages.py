"""How far people have come: lead, then customer, each once, at the first conversion that shows it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts.models import Brand
from audience.models import Contact, Identity, Stage
from audience.services.people import STAGES, mark_stages
from campaigns.models import Conversion, ConversionKind, LeadStageEvent

STAGE_OF = {ConversionKind.LEAD: Stage.LEAD, ConversionKind.SALE: Stage.CUSTOMER}


@dataclass(slots=True)
class _Person:
    """The events of one contact, whichever of their identities they stand at."""

    events: dict[str, LeadStageEvent]

    def at(self, stage: Stage) -> dt.datetime | None:
        event = self.events.get(stage)
        return event.at if event else None

    def was_beyond(self, stage: Stage, at: dt.datetime) -> bool:
        """Whether they had come further by then: a customer who asks for something is no new lead."""
        later = STAGES[STAGES.index(stage) + 1 :]
        return any((reached := self.at(one)) is not None and reached <= at for one in later)


@transaction.atomic
def reach_stages(*, brand: Brand, conversions: Sequence[Conversion]) -> int:
    """Note which stages these people reached by these (stored) conversions. Returns how many are news.

    A sale makes a customer at once, with or without a lead before. Conversions may be reported in any
    order: a stage belongs to the earliest one that is known, so it moves when an earlier one comes later.
    People who were merged count as one. Conversions of nobody count for nobody.
    """
    known = [one for one in conversions if one.identity_id is not None]
    if not known:
        return 0
    contact_of = _locked(brand, {one.identity_id for one in known if one.identity_id})
    people = _people(brand, set(contact_of.values()))
    new: list[LeadStageEvent] = []
    moved: dict[uuid.UUID, LeadStageEvent] = {}
    for one in sorted(known, key=lambda one: one.happened_at):
        person = people[contact_of[one.identity_id]]  # type: ignore[index]
        stage = STAGE_OF[ConversionKind(one.kind)]
        event = person.events.get(stage)
        if event is None:
            if not person.was_beyond(stage, one.happened_at):
                person.events[stage] = _event(one, stage)
                new.append(person.events[stage])
        elif one.happened_at < event.at:
            event.at, event.campaign_id, event.conversion_id = one.happened_at, one.campaign_id, one.pk
            moved[event.pk] = event
    LeadStageEvent.objects.bulk_create(new)
    LeadStageEvent.objects.bulk_update(moved.values(), ["at", "campaign", "conversion"])
    # In the order of time, so that of one person the last one stands.
    mark_stages(reached={contact_of[event.identity_id]: (Stage(event.stage), event.at) for event in new})
    return len(new)


def _locked(brand: Brand, identities: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The contact of each identity. Two reports about one person wait for each other here; the order of the
    locks is that of audience.services.people."""
    rows = Identity.objects.for_brand(brand).filter(pk__in=identities)
    locked = rows.order_by("platform", "remote_key").select_for_update(no_key=True)
    contact_of = dict(locked.values_list("pk", "contact_id"))
    contacts = Contact.objects.filter(pk__in=contact_of.values()).order_by("pk")
    list(contacts.select_for_update(no_key=True).values_list("pk"))
    return contact_of


def _people(brand: Brand, contacts: Collection[uuid.UUID]) -> dict[uuid.UUID, _Person]:
    people = {contact: _Person({}) for contact in contacts}
    rows = (
        LeadStageEvent.objects.filter(brand=brand, identity__contact_id__in=contacts)
        .select_related("identity")
        .order_by("-at")
    )
    for event in rows:  # the earliest last, where a merge brought two of a kind together
        people[event.identity.contact_id].events[event.stage] = event
    return people


def _event(conversion: Conversion, stage: Stage) -> LeadStageEvent:
    return LeadStageEvent(
        brand_id=conversion.brand_id,
        identity=conversion.identity,
        campaign_id=conversion.campaign_id,
        stage=stage,
        conversion=conversion,
        at=conversion.happened_at,
    )
