"""Tracked links: made by hand, or in the place of the addresses in a text that is about to be sent."""

from __future__ import annotations

import datetime as dt
import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction

from accounts.models import Brand, SocialAccount, User
from audience.models import Identity
from campaigns import addresses
from campaigns.addresses import CODE_LENGTH, MOST_OF_TARGET, Refusal
from campaigns.models import Campaign, TrackedLink
from outbox.models import Delivery, DeliveryKind

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
# A code that is taken is met once in a thousand years of a busy installation; five times in a row, never.
_TRIES = 5
_MEDIUM = {DeliveryKind.REPLY: "social_reply", DeliveryKind.DM: "social_dm"}


class LinkRefused(Exception):
    """The address cannot be the target of a link. Nothing was made."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Tagged:
    """A text with short addresses, and the links behind them in the order of their first appearance."""

    text: str
    links: tuple[TrackedLink, ...]


@dataclass(frozen=True, slots=True)
class LinkUse:
    """Where links are used: everything about them but the address.

    ``delivery`` may be one that is not stored yet, as long as it is before the transaction ends: its id
    stands from the start (see outbox.services.scheduling.schedule_delivery). ``identity`` is the one person
    that the links are sent to; a click is then theirs, so the caller has asked for consent.
    """

    brand: Brand
    campaign: Campaign | None = None
    account: SocialAccount | None = None
    platform: str = ""  # of the account, unless there is none
    delivery: Delivery | None = None
    identity: Identity | None = None
    content: str = ""

    @property
    def source(self) -> str:
        return self.account.platform if self.account else self.platform

    def target(self, url: str) -> str:
        """The address with UTM parameters. A link that is used at no network says nothing about source and
        medium: whoever makes it writes them into the address."""
        medium = ""
        if self.source:
            medium = _MEDIUM.get(DeliveryKind(self.delivery.kind), "social") if self.delivery else "social"
        return addresses.with_parameters(
            url,
            {
                "utm_source": self.source,
                "utm_medium": medium,
                "utm_campaign": self.campaign.code if self.campaign else "",
                "utm_content": self.content or (str(self.delivery.pk) if self.delivery else ""),
            },
        )


def make_link(
    *,
    brand: Brand,
    campaign: Campaign | None,
    url: str,
    account: SocialAccount | None = None,
    platform: str = "",
    delivery: Delivery | None = None,
    identity: Identity | None = None,
    content: str = "",
    actor: User | None,
    now: dt.datetime,
) -> TrackedLink:
    """A link to ``url``; the one that is there already for this delivery and address.

    Raises LinkRefused.
    """
    url = url.strip()
    if reason := addresses.refusal(url):
        raise LinkRefused(reason)
    use = LinkUse(brand, campaign, account, platform, delivery, identity, content)
    if len(use.target(url)) > MOST_OF_TARGET:
        raise LinkRefused(Refusal.TOO_LONG)
    return links_to([url], use=use, actor=actor, now=now)[url]


def tag_text(
    *,
    text: str,
    campaign: Campaign | None,
    account: SocialAccount,
    delivery: Delivery | None,
    actor: User | None,
    now: dt.datetime,
    identity: Identity | None = None,
    content: str = "",
) -> str:
    """The text with a short address in the place of every link that can be tracked; one link per delivery
    and address, the same one when asked again. A text without links costs no query."""
    use = LinkUse(account.brand, campaign, account, "", delivery, identity, content)
    return tag(text, use=use, actor=actor, now=now).text


def tag(text: str, *, use: LinkUse, actor: User | None, now: dt.datetime) -> Tagged:
    """``tag_text``, which says what it made, too."""
    wanted = list(dict.fromkeys(span.value for span in addresses.trackable(text)))
    links = links_to(wanted, use=use, actor=actor, now=now)
    short = {url: short_url(link) for url, link in links.items()}
    return Tagged(addresses.replaced(text, lambda url: short.get(url, url)), tuple(links.values()))


def links_to(
    urls: Iterable[str], *, use: LinkUse, actor: User | None, now: dt.datetime
) -> dict[str, TrackedLink]:
    """A link for each of the addresses that can be tracked, in their order; the others are left out.

    Those that the delivery has already are used again, and follow it when its campaign has changed. Two
    queries, or three, whatever the number; two processes that ask at once get the same links.
    """
    targets = {
        url: target
        for url in dict.fromkeys(urls)
        if addresses.refusal(url) is None and len(target := use.target(url)) <= MOST_OF_TARGET
    }
    if not targets:
        return {}
    with transaction.atomic():
        found = _present(use, targets)
        _follow(found.values(), use, targets)
        for _try in range(_TRIES):
            if not (missing := [url for url in targets if url not in found]):
                break
            rows = [_row(url, targets[url], use, actor, now) for url in missing]
            # Nothing happens to a row whose code is taken, or whose address another process was faster with.
            TrackedLink.objects.bulk_create(rows, ignore_conflicts=True)
            stored = TrackedLink.objects.filter(pk__in=[row.pk for row in rows])
            found |= {link.original_url: link for link in stored} | _present(use, missing)
    return {url: found[url] for url in targets}


def _present(use: LinkUse, urls: Iterable[str]) -> dict[str, TrackedLink]:
    if use.delivery is None:
        return {}
    rows = TrackedLink.objects.filter(delivery_id=use.delivery.pk, original_url__in=list(urls))
    return {link.original_url: link for link in rows}


def _follow(links: Iterable[TrackedLink], use: LinkUse, targets: Mapping[str, str]) -> None:
    """The post was put into another campaign before it went out: its links go with it."""
    campaign_id = use.campaign.pk if use.campaign else None
    changed = []
    for link in links:
        target = targets[link.original_url]
        if (link.campaign_id, link.target_url) != (campaign_id, target):
            link.campaign_id, link.target_url = campaign_id, target
            changed.append(link)
    if changed:
        TrackedLink.objects.bulk_update(changed, ["campaign", "target_url"])


def _row(url: str, target: str, use: LinkUse, actor: User | None, now: dt.datetime) -> TrackedLink:
    return TrackedLink(
        brand_id=use.brand.pk,
        campaign=use.campaign,
        code=new_code(),
        original_url=url,
        target_url=target,
        account=use.account,
        platform=use.source,
        content=use.content,
        delivery_id=use.delivery.pk if use.delivery else None,
        identity=use.identity,
        created_by=actor,
        created_at=now,
    )


def new_code() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def short_url(link: TrackedLink) -> str:
    """The address that people are given."""
    return addresses.short_url(link.code)


def placeholder(text: str) -> str:
    """The text as long as it will be: with something like a short address for every link that will be
    tracked. For counters and previews, before there are any links."""
    stand_in = addresses.short_url("x" * CODE_LENGTH)
    return addresses.replaced(text, lambda _url: stand_in)
