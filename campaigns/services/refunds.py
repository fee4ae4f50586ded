"""Money given back, in parts or whole, never more than was paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.urls import reverse

from accounts.models import Brand
from audience.models import ActivityKind
from audience.services.activities import Happened, tell
from audience.services.locks import hold_people
from campaigns.models import Conversion, ConversionKind, Refund, Source
from campaigns.reports import ERASED, Problem, RefundReport, Refused, checked_refund, erased_form
from campaigns.services.conversions import Origin, money_detail, note
from campaigns.services.judging import ConversionUnknown, conversions_of


class RefundDiffers(Refused):
    """As ConversionDiffers, for a refund."""

    def __init__(self, refund: Refund, fields: Sequence[str]) -> None:
        super().__init__(Problem.DIFFERS, "external_id", fields=", ".join(fields))
        self.refund = refund
        self.fields = tuple(fields)


def conversion_of(*, brand: Brand, kind: str, number: str) -> Conversion:
    """The conversion that was reported under this number, also where its person was erased since.

    Raises ConversionUnknown.
    """
    number = number.strip().replace("\0", "")  # no text for PostgreSQL, so nothing is stored with it
    found = conversions_of(brand, [number]).get((kind, number))
    if found is None:
        raise ConversionUnknown
    return found


@transaction.atomic
def report_refund(
    *, brand: Brand, kind: str, number: str, refund: RefundReport, origin: Origin, now: dt.datetime
) -> tuple[Refund, bool]:
    """The refund of the conversion with this number, and whether it is new.

    Raises ConversionUnknown, RefundDiffers, Refused (also when it is more than what remains).
    """
    known = conversion_of(brand=brand, kind=kind, number=number)
    if known.identity_id is not None:
        hold_people([known.identity_id])  # an erasure locks people first, too
    conversion = (
        # Not "for update" in full: a run of attribution may be writing credits of it for a minute.
        Conversion.objects.select_for_update(of=("self",), no_key=True)
        .select_related("brand__organization")
        .get(pk=known.pk)
    )
    if conversion.kind != ConversionKind.SALE:
        raise Refused(Problem.NOT_A_SALE)
    refund = checked_refund(refund, currency=conversion.currency, now=now)
    forms = [refund.external_id, erased_form(refund.external_id)]
    if before := conversion.refunds.filter(external_id__in=forms).first():
        names = ("amount", "happened_at")
        if fields := [name for name in names if getattr(before, name) != getattr(refund, name)]:
            raise RefundDiffers(before, fields)
        return before, False
    remains = conversion.net
    if refund.amount > remains:
        raise Refused(
            Problem.EXCEEDS_VALUE, "amount", remains=f"{remains.normalize():f}", currency=conversion.currency
        )
    made = Refund.objects.create(
        conversion=conversion,
        external_id=forms[1] if conversion.external_id.startswith(ERASED) else refund.external_id,
        amount=refund.amount,
        happened_at=refund.happened_at,
        received_at=now,
    )
    conversion.refunded += refund.amount
    conversion.save(update_fields=["refunded"])
    if conversion.identity_id is not None:
        tell(
            brand=brand,
            happened=[
                Happened(
                    identity_id=conversion.identity_id,
                    kind=ActivityKind.REFUND,
                    at=refund.happened_at,
                    dedupe_key=f"refund:{made.pk}",
                    detail=money_detail(refund.amount, conversion.currency),
                    path=reverse("campaigns:conversion", args=[conversion.pk]),
                )
            ],
        )
    if origin.actor is not None and origin.source == Source.MANUAL:
        note(
            conversion,
            "conversion.refunded",
            origin.actor,
            now,
            amount=str(refund.amount),
            currency=conversion.currency,
        )
    return made, True
