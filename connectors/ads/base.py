"""The vocabulary of ad connectors: an ad account, and what each of its campaigns cost on each day.

They only read. As with ``connectors.base``: frozen dataclasses, only the errors of ``connectors.errors``,
HTTP through ``connectors.http`` alone. Nothing here changes anything at a network, so nothing is ever in
doubt.
"""

from __future__ import annotations

import abc
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from connectors.base import AppCredentials, AuthorizeRequest, Tokens
from connectors.errors import NeedsReconnect, Rejected, RejectReason, Temporary
from connectors.info import AppSetup, Rate


@dataclass(frozen=True, slots=True)
class AttributionWindow:
    """After what, and within how long, a conversion counts as made by an ad. ``key`` is what AdDay bears;
    ``label`` is an English source string, which the interface translates."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class AdPlatformInfo:
    """What an advertising platform tells. Words that people read are English source strings."""

    key: str  # of its own: the developer app for ads is another than that for posts, or may be
    name: str
    network: str  # what its costs are filed under: a key of ``connectors.registry``, or the name of several
    also: tuple[str, ...]  # what people file the same costs under, besides ``network`` and ``name``
    app: AppSetup
    scopes: tuple[str, ...]
    windows: tuple[AttributionWindow, ...]  # to choose from; the first is the usual one
    back_days: int  # how far back days can be read, today included
    restated_days: int  # for so many days the platform still corrects what it said of a day
    zone: str  # of its days: "" = that of the ad account, else the same for all of them
    rates: tuple[Rate, ...]
    color: str  # brand colour, #rrggbb
    icon: str  # name of a Tabler icon
    conversions: str  # what is counted as one; English source string
    seen_live: bool = False  # False: built from documents only, never run against the platform itself

    def is_filed_under(self, word: str) -> bool:
        """Whether a cost that was entered otherwise under this network is one of this platform."""
        known = {one.casefold() for one in (self.network, self.name, *self.also)}
        return word.strip().casefold() in known

    def window(self, key: str = "") -> AttributionWindow:
        """The window of this key, the usual one for "". Raises Rejected(INVALID) for one that is not
        offered."""
        for one in self.windows:
            if key in {"", one.key}:
                return one
        raise Rejected(RejectReason.INVALID, f"{self.name} has no attribution window {key[:60]!r}")


@dataclass(frozen=True, slots=True)
class AdGrant:
    """The end of a sign-in: what the person allowed, for every ad account that they may see."""

    tokens: Tokens
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AdAccount:
    """``currency``: ISO 4217, "" where the platform does not say. ``time_zone``: the IANA name of the zone in
    which days of its reports begin, "" where that is not known."""

    id: str
    name: str
    currency: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class AdDay:
    """What one campaign of an ad account cost and brought on one date of ``AdAccount.time_zone``, as the
    platform says it now: it corrects days that are past.

    ``spend`` is exact, in the ad account's currency, and may have more decimals than the currency has.
    ``conversions`` are counted within ``attribution_window``. None: the platform does not tell.
    """

    date: dt.date
    campaign_id: str
    campaign_name: str
    spend: Decimal
    impressions: int | None
    clicks: int | None
    conversions: Decimal | None
    attribution_window: str  # AttributionWindow.key
    currency: str = ""  # where the report itself says it

    @property
    def is_idle(self) -> bool:
        """Nothing was spent, shown, clicked or brought: such days are left out."""
        return not (self.spend or self.impressions or self.clicks or self.conversions)


class AdConnector(abc.ABC):
    """One sign-in at one advertising platform. Raises only ``connectors.errors``."""

    INFO: ClassVar[AdPlatformInfo]

    def __init__(self, *, tokens: Tokens, app: AppCredentials | None = None) -> None:
        self.tokens = tokens
        self.app = app

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no error may quote."""
        ours = self.app.client_secret if self.app is not None else ""
        return (self.tokens.access_token, self.tokens.refresh_token, ours)

    @classmethod
    @abc.abstractmethod
    def authorize_url(cls, *, app: AppCredentials, redirect_uri: str, state: str) -> AuthorizeRequest:
        """Where the browser is sent. Pure, unless the platform wants to be asked for a token first; then it
        raises what that call may raise."""

    @classmethod
    @abc.abstractmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> AdGrant:
        """Raises NeedsReconnect for a code that is not taken."""

    @classmethod
    def refresh(cls, *, tokens: Tokens, app: AppCredentials | None) -> Tokens:
        """Fresh tokens for stale ones. Raises NeedsReconnect where only a person can renew them."""
        raise NeedsReconnect(f"{cls.INFO.name} renews no tokens; somebody has to sign in again")

    @abc.abstractmethod
    def fetch_ad_accounts(self) -> tuple[AdAccount, ...]:
        """Every ad account that the sign-in may read: all pages, or an error."""

    @abc.abstractmethod
    def fetch_days(
        self, account_id: str, first: dt.date, last: dt.date, *, window: str = ""
    ) -> Iterator[AdDay]:
        """What each campaign cost on each day from ``first`` to ``last``, both included, in any order and
        page by page. Days on which nothing happened are absent. ``window``: a key of INFO.windows, "" = the
        usual.

        It ends without an error only when all of it was read: a day that is absent then cost nothing.
        Whoever stores days waits for the end first.
        """


def known_days(days: Sequence[AdDay]) -> dict[tuple[str, dt.date], AdDay]:
    """By campaign and date. Raises Temporary for a report that says two things of one day."""
    found: dict[tuple[str, dt.date], AdDay] = {}
    for day in days:
        if found.setdefault((day.campaign_id, day.date), day) != day:
            raise Temporary("a report that says two things of one day")
    return found
