"""Conversions as people look through them: lists with a filter, and one with all that is known of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet

from accounts.models import Brand, Membership
from audience.models import Contact
from audience.selectors.contacts import Person, person_of, with_identities
from campaigns.models import (
    Campaign,
    Conversion,
    ConversionKind,
    ConversionNotice,
    LeadStageEvent,
    Refund,
    Source,
)
from campaigns.reports import ERASED

_EXPORT_BATCH = 1000
REFUNDED = "refunded"
UNUSUAL = "unusual"
# What numbers begin with that nobody gave: erased ones, and those of forms and files without any.
OURS = (ERASED, "manual-", "row:")


@dataclass(frozen=True, slots=True)
class ConversionFilter:
    """What the address asks for; empty fields ask for nothing. ``state``: REFUNDED, UNUSUAL (any notice) or
    one ConversionNotice. ``text`` is looked for in numbers and in the names of campaigns."""

    kind: str = ""
    source: str = ""
    state: str = ""
    text: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.kind or self.source or self.state or self.text)


@dataclass(frozen=True, slots=True)
class ConversionRow:
    """One conversion; ``person`` is None where nobody is known, or where the person was erased."""

    conversion: Conversion
    person: Person | None

    @property
    def number(self) -> str:
        """The number that it was reported under, "" where it was erased, or is one of ours."""
        number = self.conversion.external_id
        return "" if number.startswith(OURS) else number


def conversions_of(
    membership: Membership,
    *,
    brand: Brand | None = None,
    campaign: Campaign | None = None,
    wanted: ConversionFilter | None = None,
) -> QuerySet[Conversion]:
    """What this member may see of the brand or of the campaign, the latest first."""
    rows: QuerySet[Conversion] = Conversion.objects.for_member(membership).select_related(
        "brand", "campaign", "identity"
    )
    if brand is not None:
        rows = rows.filter(brand=brand)
    if campaign is not None:
        rows = rows.filter(campaign=campaign)
    if wanted is not None:
        rows = _filtered(rows, wanted)
    return rows.order_by("-happened_at", "-pk")


def _filtered(rows: QuerySet[Conversion], wanted: ConversionFilter) -> QuerySet[Conversion]:
    if wanted.kind in ConversionKind.values:
        rows = rows.filter(kind=wanted.kind)
    if wanted.source in Source.values:
        rows = rows.filter(source=wanted.source)
    if wanted.state == REFUNDED:
        rows = rows.filter(refunded__gt=0)
    elif wanted.state == UNUSUAL:
        rows = rows.exclude(notice="")
    elif wanted.state in ConversionNotice.values:
        rows = rows.filter(notice=wanted.state)
    if wanted.text:
        rows = rows.filter(Q(external_id__icontains=wanted.text) | Q(campaign__name__icontains=wanted.text))
    return rows


def rows_of(conversions: Sequence[Conversion]) -> list[ConversionRow]:
    """What a list shows of them, in their order, in two queries."""
    people = _people({one.identity.contact_id for one in conversions if one.identity})
    return [
        ConversionRow(one, people.get(one.identity.contact_id) if one.identity else None)
        for one in conversions
    ]


def _people(contacts: set[uuid.UUID]) -> dict[uuid.UUID, Person]:
    found = with_identities(Contact.objects.filter(pk__in=contacts, erased_at__isnull=True))
    return {contact.pk: person_of(contact) for contact in found}


def every_row(conversions: QuerySet[Conversion]) -> Iterator[ConversionRow]:
    """All of them in batches, for a file."""
    ids = list(conversions.values_list("pk", flat=True))
    for start in range(0, len(ids), _EXPORT_BATCH):
        batch = conversions.filter(pk__in=ids[start : start + _EXPORT_BATCH])
        yield from rows_of(list(batch))


# --- one conversion ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Detail:
    """``stage``: how far this very conversion brought its person, None if they were there before."""

    row: ConversionRow
    refunds: tuple[Refund, ...]
    stage: LeadStageEvent | None


def detail_of(conversion: Conversion) -> Detail:
    loaded = (
        Conversion.objects.select_related(
            "brand", "campaign", "identity", "click__link", "api_key", "csv_import"
        )
        .prefetch_related(Prefetch("refunds", Refund.objects.order_by("happened_at", "pk")))
        .get(pk=conversion.pk)
    )
    return Detail(
        row=rows_of([loaded])[0],
        refunds=tuple(loaded.refunds.all()),
        stage=LeadStageEvent.objects.filter(conversion=loaded).first(),
    )
