"""Arguments for the URLs of conversions and returns; see url_samples.py."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

from campaigns.models import Campaign, ConversionKind, Source
from campaigns.reports import Person, Report
from campaigns.services import conversion_imports
from campaigns.services.attribution import run_attribution
from campaigns.services.conversions import Origin, report_conversion
from tests.cast import World


def samples(world: World, campaign: Campaign) -> dict[str, dict[str, Any]]:
    report = Report(
        kind=ConversionKind.SALE,
        external_id="walked",
        happened_at=world.now - dt.timedelta(hours=1),
        value=Decimal(10),
        campaign=campaign.code,
        person=Person(email="walked@example.com"),
    )
    conversion, _is_new = report_conversion(
        brand=world.brand, report=report, origin=Origin(Source.API), now=world.now
    )
    run_attribution(brand=world.brand, now=world.now)
    batch = conversion_imports.receive(
        brand=world.brand,
        campaign=campaign,
        upload=io.BytesIO(b"kind,date,value\nsale,2026-01-05,5\n"),
        name="walked.csv",
        actor=world.user,
        now=world.now,
    )
    conversion_imports.check(batch=batch, now=world.now)
    of_campaign = ("conversions", "attribution", "attribution_run", "roi")
    of_file = ("page", "confirm", "discard")
    return {
        **{f"campaigns:{name}": {"campaign_id": campaign.pk} for name in of_campaign},
        "campaigns:conversion": {"conversion_id": conversion.pk},
        "campaigns:conversion_refund": {"conversion_id": conversion.pk},
        **{f"campaigns:conversion_import_{name}": {"import_id": batch.pk} for name in of_file},
        "api:conversion": {"kind": "sale", "external_id": "walked"},
        "api:refunds": {"kind": "sale", "external_id": "walked"},
    }
