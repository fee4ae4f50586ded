"""What an erasure removes here. Amounts, counts and times stay, so that returns stay true; whose they were is
an identity that has no name any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q

from campaigns.models import Click, Conversion, CsvImport, Refund, TrackedLink
from campaigns.reports import ERASED, erased_form

_MOST_KEPT = 80  # characters of what a file says, in CsvImport.refused


def erase(identities: Sequence[UUID], _now: dt.datetime) -> Mapping[str, int]:
    """The brand's own numbers of orders and refunds lead to their person in the brand's shop; clicks on links
    of their own, or that led to what they bought, tell where they came from. For audience.erasers."""
    conversions = Conversion.objects.filter(identity__in=identities)
    clicks = Click.objects.filter(
        Q(link__identity__in=identities)
        | Q(touchpoint__identity__in=identities)
        | Q(pk__in=conversions.exclude(click=None).values("click_id"))
    )
    clicked = list(clicks.values_list("pk", flat=True))
    refunds = Refund.objects.filter(conversion__in=conversions)
    _clear_imports(conversions, refunds)
    return {
        "conversion": _without_numbers(conversions),
        "refund": _without_numbers(refunds),
        "click": Click.objects.filter(pk__in=clicked).update(visitor="", referrer_host=""),
        # They lead on for whoever opens them, and tell no more who that was.
        "link": TrackedLink.objects.filter(identity__in=identities).update(identity=None),
    }


def _clear_imports(conversions: models.QuerySet[Conversion], refunds: models.QuerySet[Refund]) -> None:
    """What a file was refused for is kept to be looked at: one of these numbers, perhaps."""
    numbers = {
        number[:_MOST_KEPT]
        for rows in (conversions, refunds)
        for number in rows.values_list("external_id", flat=True)
    }
    changed = []
    for batch in CsvImport.objects.filter(brand__in=conversions.values("brand")).exclude(refused=[]):
        faults = [fault | {"value": ""} if fault["value"] in numbers else fault for fault in batch.refused]
        if faults != batch.refused:
            batch.refused = faults
            changed.append(batch)
    CsvImport.objects.bulk_update(changed, ["refused"])


def _without_numbers(rows: models.QuerySet[Any]) -> int:
    """Of conversions or refunds."""
    found = list(rows.exclude(external_id__startswith=ERASED).only("pk", "external_id"))
    for row in found:
        row.external_id = erased_form(row.external_id)
    rows.model._default_manager.bulk_update(found, ["external_id"], batch_size=500)
    return len(found)
