"""Reports of conversions as tests make them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from accounts.models import Brand, User
from campaigns.models import Campaign, Click, Conversion, ConversionKind, Source, TrackedLink
from campaigns.reports import Person, RefundReport, Report
from campaigns.services.conversions import Origin, report_conversion
from campaigns.services.refunds import report_refund
from tests.campaigns.conftest import NOW

API = Origin(Source.API)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def sale(number: str = "A-1", value: Any = "100", **given: Any) -> Report:
    given.setdefault("happened_at", NOW - HOUR)
    return Report(ConversionKind.SALE, number, value=Decimal(value), **given)


def lead(number: str = "L-1", **given: Any) -> Report:
    given.setdefault("happened_at", NOW - HOUR)
    return Report(ConversionKind.LEAD, number, **given)


def by(email: str = "", **marks: str) -> Person:
    return Person(email=email, **marks)


def take(brand: Brand, report: Report, now: dt.datetime = NOW) -> Conversion:
    """Report it; the conversion."""
    conversion, _is_new = report_conversion(brand=brand, report=report, origin=API, now=now)
    return conversion


def give_back(
    conversion: Conversion, amount: Any, number: str = "R-1", at: dt.datetime = NOW, actor: User | None = None
) -> tuple[Any, bool]:
    return report_refund(
        brand=conversion.brand,
        kind=conversion.kind,
        number=conversion.external_id,
        refund=RefundReport(number, Decimal(amount), at),
        origin=Origin(Source.MANUAL if actor else Source.API, actor=actor),
        now=NOW,
    )


_codes = iter(range(10**6))


def click(
    brand: Brand,
    campaign: Campaign | None = None,
    *,
    at: dt.datetime = NOW - DAY,
    platform: str = "sandbox",
    is_bot: bool = False,
    **link: Any,
) -> Click:
    """A click on a link of its own."""
    made = TrackedLink.objects.create(
        brand=brand,
        campaign=campaign,
        code=f"t{next(_codes)}",
        original_url="https://shop.example/",
        target_url="https://shop.example/?utm_source=sandbox",
        platform=platform,
        created_at=at,
        **link,
    )
    return Click.objects.create(link=made, at=at, is_bot=is_bot)
