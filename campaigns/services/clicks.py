"""Clicks of tracked links: written before they are answered, told to people's timelines afterwards."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection, transaction
from django.urls import reverse

from audience.models import ActivityKind
from audience.services.activities import Happened, tell
from audience.services.locks import hold_people
from campaigns.addresses import with_click
from campaigns.models import Click, Touchpoint, TrackedLink
from core.ids import uuid7

BATCH = 500

# Looks the link up and writes the click in one round trip, and one commit: a click whose answer was sent is
# in the database, and an unknown code writes nothing. A click of a person on a link of their own waits to be
# told, see tell_clicks.
_FOLLOW = """
WITH link AS (
    SELECT id, target_url, identity_id FROM campaigns_trackedlink WHERE code = %(code)s
), click AS (
    INSERT INTO campaigns_click (key, link_id, at, is_bot, visitor, referrer_host, is_to_be_told)
    SELECT %(key)s, id, %(at)s, %(is_bot)s, %(visitor)s, %(referrer_host)s,
           identity_id IS NOT NULL AND NOT %(is_bot)s
    FROM link
)
SELECT target_url FROM link
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a short address, without anything that names its visitor."""

    at: dt.datetime
    is_bot: bool
    visitor: str
    referrer_host: str


def follow(*, code: str, visit: Visit) -> str | None:
    """Count a click, and say where it leads: the stored target with the key of the click. None when there is
    no such link; nothing is written then."""
    key = uuid7()
    with connection.cursor() as cursor:
        cursor.execute(
            _FOLLOW,
            {
                "code": code,
                "key": str(key),
                "at": visit.at,
                "is_bot": visit.is_bot,
                "visitor": visit.visitor,
                "referrer_host": visit.referrer_host,
            },
        )
        row = cursor.fetchone()
    return with_click(row[0], str(key)) if row is not None else None


def tell_clicks(*, batch: int = BATCH) -> int:
    """Put clicks on personal links into the timelines of their people, as touches of the campaign, too; at
    most ``batch`` of them, oldest first. How many were taken: less than ``batch`` means that none is left.

    Any number of processes may run; each click is taken by one.
    """
    with transaction.atomic():
        waiting = Click.objects.filter(is_to_be_told=True).order_by("pk")
        people = dict(waiting.values_list("pk", "link__identity")[:batch])
        # Before the clicks: an erasure locks in this order, too.
        held = hold_people({pk for pk in people.values() if pk is not None})
        clicks = list(
            waiting.filter(pk__in=people)
            .select_for_update(of=("self",), skip_locked=True)
            .select_related("link__brand", "link__identity")
        )
        told = [click for click in clicks if click.link.identity_id in held and _is_known(click.link)]
        Touchpoint.objects.bulk_create(
            [
                Touchpoint(
                    brand_id=click.link.brand_id,
                    identity_id=click.link.identity_id,
                    campaign_id=click.link.campaign_id,
                    link=click.link,
                    platform=click.link.platform,
                    click=click,
                    at=click.at,
                )
                for click in told
            ],
            ignore_conflicts=True,  # a conversion may have brought the touch already
        )
        for brand in {click.link.brand for click in told}:
            tell(brand=brand, happened=[_happened(c) for c in told if c.link.brand_id == brand.pk])
        Click.objects.filter(pk__in=[click.pk for click in clicks]).update(is_to_be_told=False)
    return len(clicks)


def _is_known(link: TrackedLink) -> bool:
    """Whether the link still has its person."""
    return link.identity is not None and link.identity.brand_id == link.brand_id


def _happened(click: Click) -> Happened:
    link = click.link
    assert link.identity_id is not None  # noqa: S101 - sorted out by the caller
    return Happened(
        identity_id=link.identity_id,
        kind=ActivityKind.CLICK,
        at=click.at,
        dedupe_key=f"click:{click.key}",
        summary=link.original_url,
        detail={"platform": link.platform},
        path=reverse("campaigns:links", args=[link.campaign_id]) if link.campaign_id else "",
    )
