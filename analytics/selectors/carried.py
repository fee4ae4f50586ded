"""What campaigns do through posts: the impressions and clicks of the posts that carry their links."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from campaigns.models import Campaign
from core.time import DayRange


@dataclass(frozen=True, slots=True)
class Carried:
    """What the posts of a period with tracked links were shown, and how often those links were opened.

    Posts whose network tells no impressions are in neither number.
    """

    posts: int
    impressions: int | None
    clicks: int | None


_CARRIED = """
SELECT count(*), sum(m.impressions), sum(c.clicks)
FROM analytics_postmetrics m
CROSS JOIN LATERAL (
    SELECT count(k.id) AS clicks, count(DISTINCT l.id) AS links
    FROM campaigns_trackedlink l LEFT JOIN campaigns_click k ON k.link_id = l.id AND NOT k.is_bot
    WHERE l.delivery_id = m.delivery_id AND (%(campaign)s::uuid IS NULL OR l.campaign_id = %(campaign)s::uuid)
) c
WHERE m.account_id = ANY(%(accounts)s) AND m.sent_at >= %(start)s AND m.sent_at < %(end)s
  AND m.impressions IS NOT NULL AND c.links > 0
"""


def carried(account_ids: Sequence[uuid.UUID], instants: DayRange, campaign: Campaign | None) -> Carried:
    with connection.cursor() as cursor:
        cursor.execute(
            _CARRIED,
            {
                "accounts": list(account_ids),
                "start": instants.start,
                "end": instants.end,
                "campaign": campaign.pk if campaign else None,
            },
        )
        posts, impressions, clicks = cursor.fetchone()
    return Carried(
        posts, None if impressions is None else int(impressions), None if clicks is None else int(clicks)
    )
