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
SELECT p.n, count(*), sum(m.impressions), sum(c.clicks)
FROM unnest(%(first)s::timestamptz[], %(after)s::timestamptz[]) WITH ORDINALITY AS p(first, after, n)
JOIN analytics_postmetrics m
    ON m.account_id = ANY(%(accounts)s) AND m.sent_at >= p.first AND m.sent_at < p.after
CROSS JOIN LATERAL (
    SELECT count(k.id) AS clicks, count(DISTINCT l.id) AS links
    FROM campaigns_trackedlink l LEFT JOIN campaigns_click k ON k.link_id = l.id AND NOT k.is_bot
    WHERE l.delivery_id = m.delivery_id AND (%(campaign)s::uuid IS NULL OR l.campaign_id = %(campaign)s::uuid)
) c
WHERE m.impressions IS NOT NULL AND c.links > 0
GROUP BY p.n
"""


def carried(
    account_ids: Sequence[uuid.UUID], periods: Sequence[DayRange], campaign: Campaign | None
) -> list[Carried]:
    """The posts of each of ``periods``, in their order; one statement."""
    found = [Carried(0, None, None)] * len(periods)
    with connection.cursor() as cursor:
        cursor.execute(
            _CARRIED,
            {
                "accounts": list(account_ids),
                "first": [one.start for one in periods],
                "after": [one.end for one in periods],
                "campaign": campaign.pk if campaign else None,
            },
        )
        for number, posts, impressions, clicks in cursor.fetchall():
            found[number - 1] = Carried(posts, int(impressions), int(clicks))
    return found
