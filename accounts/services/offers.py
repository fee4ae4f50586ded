"""Choosing among several accounts that one sign-in can speak for: pages, channels, organizations."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts import connecting
from accounts.models import AppRegistration, Brand, ConnectionOffer, SocialAccount, User
from accounts.services.social import save_connection
from connectors.base import Connected, Profile

VALID_FOR = dt.timedelta(minutes=30)


class OfferOver(Exception):
    """It has expired, or was used in another tab."""


@dataclass(frozen=True, slots=True)
class Offered:
    """One account to choose; ``is_connected``: the brand has it already, and choosing it renews that."""

    profile: Profile
    is_connected: bool


def make_offer(
    *,
    brand: Brand,
    platform: str,
    connections: Sequence[Connected],
    app: AppRegistration | None,
    actor: User,
    now: dt.datetime,
) -> ConnectionOffer:
    """Keep the tokens, encrypted, until the person has chosen."""
    return ConnectionOffer.objects.create(
        brand=brand,
        platform=platform,
        app=app,
        actor=actor,
        secret=connecting.seal_connections(connections),
        created_at=now,
        expires_at=now + VALID_FOR,
    )


def offered(offer: ConnectionOffer, now: dt.datetime) -> list[Offered]:
    """What there is to choose, by name. Raises OfferOver."""
    found = _open(offer, now)
    known = set(
        SocialAccount.objects.filter(
            brand=offer.brand,
            platform=offer.platform,
            remote_id__in=[one.profile.remote_id for one in found],
        )
        .connected()
        .values_list("remote_id", flat=True)
    )
    rows = [Offered(one.profile, one.profile.remote_id in known) for one in found]
    return sorted(rows, key=_by_name)


def _by_name(one: Offered) -> list[str | int]:
    """Numbers in names by what they count: branch 2 before branch 10."""
    name = (one.profile.display_name or one.profile.handle).casefold()
    return [int(piece) if piece.isdecimal() else piece for piece in re.split(r"(\d+)", name)]


def accept_offer(
    *, offer: ConnectionOffer, chosen: Collection[str], actor: User, now: dt.datetime
) -> list[SocialAccount]:
    """Connect the accounts whose ``Profile.remote_id`` was chosen; the rest is forgotten with its tokens.

    Raises OfferOver.
    """
    with transaction.atomic():
        row = ConnectionOffer.objects.select_for_update().filter(pk=offer.pk).first()
        if row is None:
            raise OfferOver
        found = _open(row, now)
        accounts = [
            save_connection(
                brand=row.brand,
                platform=row.platform,
                connected=one,
                actor=actor,
                now=now,
                app=row.app,
            )
            for one in found
            if one.profile.remote_id in chosen
        ]
        row.delete()
    return accounts


def forget_old_offers(*, now: dt.datetime) -> int:
    return ConnectionOffer.objects.filter(expires_at__lt=now).delete()[0]


def forget_offers_of(*, app: AppRegistration) -> None:
    """What nobody has chosen from yet of sign-ins with this app."""
    ConnectionOffer.objects.filter(app=app).delete()


def _open(offer: ConnectionOffer, now: dt.datetime) -> tuple[Connected, ...]:
    if now >= offer.expires_at:
        raise OfferOver
    return connecting.open_connections(offer.secret)
