"""Arguments for the URLs of campaigns, for tests/walk.py."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

from campaigns.models import CostKind, Objective
from campaigns.services import imports
from campaigns.services.budgets import Cost, add_line
from campaigns.services.campaigns import CampaignFacts, create_campaign
from campaigns.services.links import make_link
from campaigns.services.spend import SpendFacts, add_spend
from outbox.services.scheduling import schedule_delivery
from tests.campaigns import ad_samples, conversion_samples
from tests.cast import World, make_account


def samples(world: World) -> dict[str, dict[str, Any]]:
    today = world.now.date()
    campaign = create_campaign(
        brand=world.brand,
        facts=CampaignFacts(
            name="walked",
            objective=Objective.LEADS,
            starts_on=today,
            ends_on=today,
            currency=world.brand.currency,
        ),
        actor=world.user,
        now=world.now,
    )
    cost = Cost(kind=CostKind.MEDIA, amount=Decimal(5))
    line = add_line(campaign=campaign, cost=cost, label="walked", actor=world.user, now=world.now)
    entry, _is_new = add_spend(
        campaign=campaign,
        facts=SpendFacts(date=today, cost=cost),
        external_id="walked",
        actor=world.user,
        now=world.now,
    )
    batch = imports.receive(
        campaign=campaign,
        upload=io.BytesIO(b"date,amount\n2026-01-05,5\n"),
        name="walked.csv",
        actor=world.user,
        now=world.now,
    )
    imports.check(batch=batch)
    account = make_account(world.brand, handle="linked")
    delivery = schedule_delivery(
        account=account, payload={"parts": []}, due_at=world.now, actor=world.user, now=world.now
    )
    link = make_link(
        brand=world.brand,
        campaign=campaign,
        url="https://example.com",
        account=account,
        delivery=delivery,
        actor=world.user,
        now=world.now,
    )
    of_campaign = (
        "campaign",
        "edit",
        "archive",
        "restore",
        "posts",
        "line_add",
        "links",
        "link_create",
        "spend",
        "spend_add",
        "spend_export",
        "spend_import",
    )
    of_file = ("page", "confirm", "discard", "undo")
    return {
        "link": {"code": link.code},
        "content_calendar:campaign_posts": {"campaign_id": campaign.pk},
        "campaigns:delivery_links": {"delivery_id": delivery.pk},
        **{f"campaigns:{name}": {"campaign_id": campaign.pk} for name in of_campaign},
        **{f"campaigns:line_{name}": {"line_id": line.pk} for name in ("edit", "delete", "move")},
        **{f"campaigns:spend_{name}": {"entry_id": entry.pk} for name in ("edit", "delete")},
        **{f"campaigns:spend_import_{name}": {"import_id": batch.pk} for name in of_file},
        **conversion_samples.samples(world, campaign),
        **ad_samples.samples(world),
    }
