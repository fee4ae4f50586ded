"""Whom a text can name on a network: people the brand knows there, and its own accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import Brand, SocialAccount
from audience.models import Identity
from connectors.base import PlatformInfo
from core.bigrams import folded, wanted_grams

MOST = 8
# So many of those that fit are read, and the ones that were seen last are shown.
_MOST_READ = 200


@dataclass(frozen=True, slots=True)
class Mentionable:
    """``handle`` without its ``@``, as it is written in a text on ``info``'s network."""

    handle: str
    name: str
    info: PlatformInfo


def mentionable(brand: Brand, accounts: Sequence[SocialAccount], words: str) -> list[Mentionable]:
    """Those on the networks of ``accounts`` whose handle or name has ``words``, own accounts first. One query
    on people, by the index of their grams; none for no words."""
    infos = {account.platform: account.info for account in accounts}
    wanted = folded(words).replace(" ", "")
    own = SocialAccount.objects.for_brand(brand).connected().filter(platform__in=infos).order_by("handle")
    found = [
        Mentionable(account.handle, account.display_name, infos[account.platform])
        for account in own
        if account.handle and wanted in folded(account.handle, account.display_name)
    ]
    if wanted:
        rows = (
            Identity.objects.for_brand(brand)
            .filter(
                platform__in=infos,
                search_grams__contains=wanted_grams([wanted]),
                search_text__contains=wanted,
                erased_at__isnull=True,
            )
            .exclude(handle="")
            .values_list("handle", "display_name", "platform", "last_seen_at")[:_MOST_READ]
        )
        people = sorted(rows, key=lambda row: row[3], reverse=True)
        found += [Mentionable(handle, name, infos[platform]) for handle, name, platform, _at in people]
    unique = {(one.info.key, one.handle.lower()): one for one in reversed(found)}
    return list(reversed(unique.values()))[:MOST]
