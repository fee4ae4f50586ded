"""Money given back, in parts or whole, never more than was paid."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.urls import reverse

from accounts.models import Brand
from audience.models import ActivityKind
from audience.services.activities import Happened, tell
from audience.services.locks import hold_people
from campaigns.models import Conversion, ConversionKind, Refund, Source
from campaigns.reports import ERASED, Problem, RefundReport, Refused, checked_refund, erased_form
from campaigns.services.conversions import Origin, money_detail, note
from campaigns.services.judging import ConversionUnknown, Key, conversions_of


class RefundDiffers(Refused):
    """As ConversionDiffers, for a refund."""

    def __init__(self, refund: Refund, fields: Sequence[str]) -> None:
        super().__init__(Problem.DIFFERS, "external_id", fields=", ".join(fields))
        self.refund = refund
        self.fields = tuple(fields)


@dataclass(frozen=True, slots=True)
class SaleRefund:
    """A refund with the kind and the number of the conversion that it is of."""

    kind: str
    number: str
    refund: RefundReport


@dataclass(frozen=True, slots=True)
class RefundOutcome:
    """What became of one: ``refund`` (``is_new`` or known before), or ``refused``."""

    refund: Refund | None = None
    is_new: bool = False
    refused: Refused | None = None


def conversion_of(*, brand: Brand, kind: str, number: str) -> Conversion:
    """The conversion that was reported under this number, also where its person was erased since.

    Raises ConversionUnknown.
    """
    number = _plain(number)
    found = conversions_of(brand, [number]).get((kind, number))
    if found is None:
        raise ConversionUnknown
    return found


def sales_of(*, brand: Brand, numbers: Collection[str]) -> dict[str, Conversion]:
    """The sales under these numbers, as ``conversion_of`` finds them, with their refunds."""
    found = conversions_of(brand, [_plain(number) for number in numbers])
    sales = {number: row for (kind, number), row in found.items() if kind == ConversionKind.SALE}
    prefetch_related_objects(list(sales.values()), "refunds")
    return sales


def report_refund(
    *, brand: Brand, kind: str, number: str, refund: RefundReport, origin: Origin, now: dt.datetime
) -> tuple[Refund, bool]:
    """The refund of the conversion with this number, and whether it is new.

    Raises ConversionUnknown, RefundDiffers, Refused (also when it is more than what remains).
    """
    given = [SaleRefund(kind, number, refund)]
    (outcome,) = report_refunds(brand=brand, given=given, origin=origin, now=now)
    if outcome.refused:
        raise outcome.refused
    assert outcome.refund is not None  # noqa: S101 - neither refused nor stored does not exist
    return outcome.refund, outcome.is_new


@transaction.atomic
def report_refunds(
    *, brand: Brand, given: Sequence[SaleRefund], origin: Origin, now: dt.datetime
) -> list[RefundOutcome]:
    """What became of each, as if one came after the other; one that is refused does not keep the others
    out. About ten queries whatever their number."""
    conversions = _locked(brand, given)
    refunds = _refunds_of(conversions.values())
    outcomes = []
    for one in given:
        try:
            outcomes.append(_judged(one, conversions.get((one.kind, _plain(one.number))), refunds, now))
        except Refused as refused:
            outcomes.append(RefundOutcome(refused=refused))
    new = [outcome.refund for outcome in outcomes if outcome.refund and outcome.is_new]
    Refund.objects.bulk_create(new)
    changed = {refund.conversion_id: refund.conversion for refund in new}
    Conversion.objects.bulk_update(changed.values(), ["refunded"])
    tell(brand=brand, happened=[_happened(refund) for refund in new if refund.conversion.identity_id])
    if origin.actor is not None and origin.source == Source.MANUAL:
        for refund in new:
            conversion = refund.conversion
            amount = str(refund.amount)
            note(
                conversion,
                "conversion.refunded",
                origin.actor,
                now,
                amount=amount,
                currency=conversion.currency,
            )
    return outcomes


_Refunds = dict[uuid.UUID, dict[str, Refund]]  # of each conversion, by their numbers


def _locked(brand: Brand, given: Sequence[SaleRefund]) -> dict[Key, Conversion]:
    """The conversions that these are of, by kind and number. As an erasure does, whose they are is locked
    before they are."""
    asked = {(one.kind, _plain(one.number)) for one in given}
    found = conversions_of(brand, [number for _kind, number in asked])
    known = {key: row for key, row in found.items() if key in asked}
    whose = {row.identity_id for row in known.values() if row.identity_id}
    hold_people(whose)
    rows = (
        # Not "for update" in full: a run of attribution may be writing credits of it for a minute.
        Conversion.objects.select_for_update(of=("self",), no_key=True)
        .select_related("campaign")
        .filter(pk__in={row.pk for row in known.values()})
        .order_by("pk")
    )
    locked = {row.pk: row for row in rows}
    for row in locked.values():
        row.brand = brand
    return {key: locked[row.pk] for key, row in known.items() if row.pk in locked}


def _refunds_of(conversions: Collection[Conversion]) -> _Refunds:
    by_pk = {one.pk: one for one in conversions}
    found: _Refunds = {pk: {} for pk in by_pk}
    for refund in Refund.objects.filter(conversion__in=by_pk):
        refund.conversion = by_pk[refund.conversion_id]
        found[refund.conversion_id][refund.external_id] = refund
    return found


def _judged(
    given: SaleRefund, conversion: Conversion | None, refunds: _Refunds, now: dt.datetime
) -> RefundOutcome:
    """Raises Refused. A new one is not stored, but stands among ``refunds``, and in what was refunded of its
    conversion."""
    if conversion is None:
        raise ConversionUnknown
    if conversion.kind != ConversionKind.SALE:
        raise Refused(Problem.NOT_A_SALE)
    report = checked_refund(given.refund, currency=conversion.currency, now=now)
    there = refunds[conversion.pk]
    if before := there.get(report.external_id) or there.get(erased_form(report.external_id)):
        names = ("amount", "happened_at")
        if fields := [name for name in names if getattr(before, name) != getattr(report, name)]:
            raise RefundDiffers(before, fields)
        return RefundOutcome(before)
    remains = conversion.net
    if report.amount > remains:
        raise Refused(
            Problem.EXCEEDS_VALUE, "amount", remains=f"{remains.normalize():f}", currency=conversion.currency
        )
    # Whoever was erased has no numbers that lead to them, and gets none any more.
    is_erased = conversion.external_id.startswith(ERASED)
    number = erased_form(report.external_id) if is_erased else report.external_id
    made = Refund(
        conversion=conversion,
        external_id=number,
        amount=report.amount,
        happened_at=report.happened_at,
        received_at=now,
    )
    conversion.refunded += report.amount
    there[made.external_id] = made
    return RefundOutcome(made, is_new=True)


def _happened(refund: Refund) -> Happened:
    conversion = refund.conversion
    assert conversion.identity_id is not None  # noqa: S101 - sorted out by the caller
    return Happened(
        identity_id=conversion.identity_id,
        kind=ActivityKind.REFUND,
        at=refund.happened_at,
        dedupe_key=f"refund:{refund.pk}",
        detail=money_detail(refund.amount, conversion.currency),
        path=reverse("campaigns:conversion", args=[conversion.pk]),
    )


def _plain(number: str) -> str:
    return number.strip().replace("\0", "")  # no text for PostgreSQL, so nothing is stored with it
