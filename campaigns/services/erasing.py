"""What an erasure removes here. Amounts, counts and times stay, so that returns stay true; whose they were is
an identity that has no name any more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q

from campaigns.models import Click, Conversion, Refund
from campaigns.reports import ERASED, erased_form


def erase(identities: Sequence[UUID], _now: dt.datetime) -> Mapping[str, int]:
    """The brand's own numbers of orders and refunds lead to their person in the brand's shop; clicks on links
    of their own, or that led to what they bought, tell where they came from. For audience.erasers."""
    conversions = Conversion.objects.filter(identity__in=identities)
    clicks = Click.objects.filter(
        Q(link__identity__in=identities)
        | Q(touchpoint__identity__in=identities)
        | Q(pk__in=conversions.exclude(click=None).values("click_id"))
    )
    return {
        "conversion": _without_numbers(conversions),
        "refund": _without_numbers(Refund.objects.filter(conversion__in=conversions)),
        "click": Click.objects.filter(pk__in=list(clicks.values_list("pk", flat=True))).update(
            visitor="", referrer_host=""
        ),
    }


def _without_numbers(rows: models.QuerySet[Any]) -> int:
    """Of conversions or refunds."""
    found = list(rows.exclude(external_id__startswith=ERASED).only("pk", "external_id"))
    for row in found:
        row.external_id = erased_form(row.external_id)
    rows.model._default_manager.bulk_update(found, ["external_id"], batch_size=500)
    return len(found)
