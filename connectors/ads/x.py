"""X: cost per campaign and day, from the analytics of the Ads API (version 12).

Documents: docs.x.com x-ads-api/analytics, x-ads-api/fundamentals (timezones, currency, rate-limiting,
pagination, error-codes-and-responses, accessing-ads-accounts), x-ads-api/campaign-management/reference,
fundamentals/authentication/oauth-1-0a; the announcement of more metrics by the Ads API team
(twittercommunity.com/t/78370), which shows answers by day and of conversions; read 2026-11.

* An app that X has approved for the Ads API. People sign in with OAuth 1.0a: X is asked for a request token
  first, whose secret is kept until the person comes back, and every call is signed. A token does not end.
* ``active_entities`` says which campaigns had anything at all, and where (placements); only these may be
  asked for, twenty a call and at most seven days. A campaign costs the sum of its placements.
* ``billed_charge_local_micro`` is in millionths of the currency of the campaign's funding instrument. Early
  amounts are estimates; they are mostly final after three days, and corrected for up to fourteen.
* Days are those of the ad account's zone. They are asked for as dates, which X takes from midnight to
  midnight there: instants would need its offset of the current day, also for days before the clocks changed.
  Six days a call, because seven are more than seven times 24 hours in autumn. An answer with another number
  of days than asked for is taken apart until it is one day.
* X says null for 0. Clicks are all clicks on an ad, likes and other engagements among them.
* A conversion is what X itself adds up as "total conversions" of websites. How long after an ad they count
  is set with each event at X; an answer tells those after an engagement apart from those after a view.

Not confirmed by a live call: that a campaign which was asked for is always in the answer (a report without
one is refused); that dates are taken together with a change of the clocks. Not read: conversions in apps;
ad accounts with more active campaigns than X's limit of calls allows, which would take its reports made in
the background. ``seen_live`` is False: built from the documents, never run against X itself.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode

from requests import Response
from requests_oauthlib import OAuth1

from connectors import http
from connectors.ads import reading
from connectors.ads.base import AdAccount, AdConnector, AdDay, AdGrant, AdPlatformInfo, AttributionWindow
from connectors.base import AppCredentials, AuthorizeRequest, Tokens
from connectors.errors import ConnectorError, NeedsReconnect, RateLimited, Rejected, RejectReason, Temporary
from connectors.info import AppSetup, Rate

KEY = "x_ads"
INFO = AdPlatformInfo(
    key=KEY,
    name="X Ads",
    network="x",
    also=("Twitter", "Twitter Ads", "X広告", "Twitter広告"),
    app=AppSetup(
        console_url="https://console.x.com",
        steps=(
            "Sign in to X's developer console and make an app.",
            "Ask for “Standard Access” to the Ads API with X's form for it; it wants the ID of the app.",
            "Set up user authentication in the app; reading is enough.",
            "Add the redirect address as a callback URL, with the slash at its end.",
            "Copy the API key and the API key secret, not the client ID and secret of OAuth 2.0.",
            "Whoever signs in needs to be a campaign analyst of the ad account, or more.",
        ),
        review="Nothing can be read before X has approved the app for the Ads API.",
        id_label="API key",
        secret_label="API key secret",  # noqa: S106 - a label
    ),
    scopes=(),  # the app has them, not the request
    windows=(
        AttributionWindow("as_set", "As each event is set at X, after an engagement or a view"),
        AttributionWindow("as_set_engagement", "As each event is set at X, after an engagement alone"),
    ),
    back_days=365,
    restated_days=14,
    zone="",
    rates=(Rate("statistics", 250, 900),),
    color="#14171a",
    icon="brand-x",
    conversions="Purchases, sign-ups, downloads, site visits and custom events that X credits to the ads.",
)

VERSION = 12
SPAN_DAYS = 6
ACTIVE_DAYS = 80  # 90 are taken
IDS_PER_CALL = 20
NAMES_PER_CALL = 200
PER_PAGE = 1000
MOST_PAGES = 200
# What can be asked for 30 days within one window of the limit, twice per call: costs, and conversions.
MOST_CAMPAIGNS = 500
MOST_CURRENCIES = 100  # one call for each ad account, while a person waits
LIMIT_DEFAULT_S = 900.0
COSTS = "BILLING,ENGAGEMENT"
CONVERSIONS = "WEB_CONVERSION"
CONVERSION_TYPES = (
    "conversion_purchases",
    "conversion_sign_ups",
    "conversion_downloads",
    "conversion_site_visits",
    "conversion_custom",
)
MEMBERS = {"as_set": "metric", "as_set_engagement": "post_engagement"}
# Of days before an ad account was given a zone of its own.
FIRST_ZONE = "America/Los_Angeles"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one call for statistics is about, besides its days and metrics."""

    account: str
    placement: str
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Clock:
    """When days of an ad account begin. ``switched``: on which date it was given its zone."""

    zone: str
    switched: dt.date | None

    def check(self, answer: Mapping[str, Any], first: dt.date) -> None:
        """Raises Temporary for a report that begins at another time than midnight of the date that was asked
        for: what it tells would be put on wrong days. An hour is what a change of the clocks makes."""
        asked = answer.get("request")
        params = asked.get("params") if isinstance(asked, dict) else None
        stated = params.get("start_time") if isinstance(params, dict) else None
        if not self.zone or stated is None:
            return
        begins = _instant(stated)
        zones = [self.zone]
        if self.switched is not None and first <= self.switched:
            zones.append(FIRST_ZONE)
        midnights = (dt.datetime.combine(first, dt.time(), zoneinfo.ZoneInfo(zone)) for zone in zones)
        if all(abs(begins - midnight) > dt.timedelta(hours=1) for midnight in midnights):
            raise Temporary("a report of other days than those that were asked for")


class XAds(AdConnector):
    INFO: ClassVar[AdPlatformInfo] = INFO

    @property
    def secrets(self) -> tuple[str, ...]:
        return (*super().secrets, str(self.tokens.extra.get("token_secret", "")))

    @classmethod
    def authorize_url(cls, *, app: AppCredentials, redirect_uri: str, state: str) -> AuthorizeRequest:
        """X takes no state with the redirect address; its request token is one, good for one sign-in."""
        signed = OAuth1(app.client_id, client_secret=app.client_secret, callback_uri=redirect_uri)
        try:
            told = _token_answer("request_token", signed, app.client_secret)
        except Rejected as error:
            raise Rejected(RejectReason.INVALID, error.detail) from error
        if told.get("oauth_callback_confirmed") != "true":
            raise Temporary("a request token whose redirect address is not confirmed")
        token = reading.secret(told.get("oauth_token"))
        secret = reading.secret(told.get("oauth_token_secret"))
        url = f"{_oauth()}/oauth/authorize?{urlencode({'oauth_token': token})}"
        return AuthorizeRequest(url=url, code_verifier=f"{token}:{secret}", state=token)

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> AdGrant:
        """``code``: X's oauth_verifier."""
        token, _, secret = code_verifier.partition(":")
        signed = OAuth1(
            app.client_id,
            client_secret=app.client_secret,
            resource_owner_key=token,
            resource_owner_secret=secret,
            verifier=code,
        )
        try:
            told = _token_answer("access_token", signed, app.client_secret, token, secret, code)
        except Rejected as error:
            raise NeedsReconnect(error.detail) from error
        tokens = Tokens(
            access_token=reading.secret(told.get("oauth_token")),
            extra={"token_secret": reading.secret(told.get("oauth_token_secret"))},
        )
        return AdGrant(tokens)

    def fetch_ad_accounts(self) -> tuple[AdAccount, ...]:
        rows = list(self._pages("accounts", {"count": str(PER_PAGE)}))
        found = []
        for index, one in enumerate(rows):
            number = _account_id(reading.identifier(one["id"]))
            found.append(
                AdAccount(
                    id=number,
                    name=reading.name(one.get("name"), number),
                    currency=self._currency(number) if index < MOST_CURRENCIES else "",
                    time_zone=reading.zone(one.get("timezone")),
                )
            )
        return tuple(found)

    def _currency(self, account: str) -> str:
        """That of all funding instruments, "" where there are several or none may be seen."""
        params = {"count": str(PER_PAGE)}
        try:
            rows = list(self._pages(f"accounts/{account}/funding_instruments", params))
        except Rejected:
            return ""
        stated = {reading.currency(one.get("currency")) for one in rows}
        return stated.pop() if len(stated) == 1 else ""

    def fetch_days(
        self, account_id: str, first: dt.date, last: dt.date, *, window: str = ""
    ) -> Iterator[AdDay]:
        chosen, account = INFO.window(window).key, _account_id(account_id)
        told = reading.an_object(self._get(f"accounts/{account}", {})["data"])
        switched = told.get("timezone_switch_at")
        clock = _Clock(
            reading.zone(told.get("timezone")), _instant(switched).date() if switched is not None else None
        )
        active = self._active(account, first, last)
        campaigns = self._campaigns(account, sorted({one for ids in active.values() for one in ids}))
        for start, end in reading.spans(first, last, SPAN_DAYS):
            days: dict[tuple[str, dt.date], AdDay] = {}
            for placement, ids in sorted(active.items()):
                for index in range(0, len(ids), IDS_PER_CALL):
                    asked = _Asked(account, placement, ids[index : index + IDS_PER_CALL])
                    for day in self._days(asked, start, end, chosen, clock):
                        key = (day.campaign_id, day.date)
                        days[key] = _together(days[key], day) if key in days else day
            for day in days.values():
                if not day.is_idle:
                    name, currency = campaigns[day.campaign_id]
                    yield dataclasses.replace(day, campaign_name=name, currency=currency)

    def _active(self, account: str, first: dt.date, last: dt.date) -> dict[str, list[str]]:
        """Campaigns that changed anything since the first day, by placement. What happened on a day is noted
        then, or later."""
        found: dict[str, set[str]] = {}
        for start, end in reading.spans(first, last, ACTIVE_DAYS):
            params = {
                "entity": "CAMPAIGN",
                "start_time": start.isoformat(),
                "end_time": (end + dt.timedelta(days=2)).isoformat(),
            }
            for one in self._pages(f"stats/accounts/{account}/active_entities", params):
                campaign = reading.identifier(one["entity_id"])
                placements = one["placements"]
                if not isinstance(placements, list) or not placements:
                    raise Temporary("an active campaign without a placement")
                for placement in placements:
                    if not isinstance(placement, str) or not re.fullmatch(r"[A-Z_]{1,40}", placement):
                        raise Temporary("a placement that cannot be read")
                    found.setdefault(placement, set()).add(campaign)
        if sum(map(len, found.values())) > MOST_CAMPAIGNS:
            raise Rejected(RejectReason.INVALID, "X has more active campaigns than its limit lets us read")
        return {placement: sorted(ids) for placement, ids in found.items()}

    def _campaigns(self, account: str, ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Name and currency of each; the id and "" of one that X does not list."""
        found = {one: (one, "") for one in ids}
        for index in range(0, len(ids), NAMES_PER_CALL):
            params = {
                "campaign_ids": ",".join(ids[index : index + NAMES_PER_CALL]),
                "with_deleted": "true",
                "count": str(PER_PAGE),
            }
            for one in self._pages(f"accounts/{account}/campaigns", params):
                campaign = reading.identifier(one["id"])
                if campaign in found:
                    name = reading.name(one.get("name"), campaign)
                    found[campaign] = (name, reading.currency(one.get("currency")))
        return found

    def _days(
        self, asked: _Asked, first: dt.date, last: dt.date, window: str, clock: _Clock
    ) -> Iterator[AdDay]:
        length, costs = self._stats(asked, COSTS, first, last, clock)
        number = (last - first).days + 1
        if length != number and number > 1:
            middle = first + (last - first) // 2
            yield from self._days(asked, first, middle, window, clock)
            yield from self._days(asked, middle + dt.timedelta(days=1), last, window, clock)
            return
        try:
            told_for, brought = self._stats(asked, CONVERSIONS, first, last, clock)
        except Rejected:  # costs are not left out for them
            told_for, brought = length, {}
        if told_for != length:
            raise Temporary("two reports of the same days that differ in length")
        for campaign in asked.ids:
            metrics = costs[campaign]
            spent = _series(metrics["billed_charge_local_micro"], length)
            shown, clicked = (_counts(metrics, name, length) for name in ("impressions", "clicks"))
            conversions = _conversions(brought.get(campaign, {}), MEMBERS[window], length)
            for index in range(length):
                yield AdDay(
                    # One day in several pieces, as where the clocks change, is one day all the same.
                    date=first + dt.timedelta(days=index if length == number else 0),
                    campaign_id=campaign,
                    campaign_name=campaign,
                    spend=reading.micro_amount(spent[index]),
                    impressions=shown[index],
                    clicks=clicked[index],
                    conversions=conversions[index],
                    attribution_window=window,
                )

    def _stats(
        self, asked: _Asked, metrics: str, first: dt.date, last: dt.date, clock: _Clock
    ) -> tuple[int, dict[str, Mapping[str, Any]]]:
        """How many pieces the answer has, and the metrics of each campaign: a number for each piece, or null.
        X wants costs and conversions to be asked for apart."""
        params = {
            "entity": "CAMPAIGN",
            "entity_ids": ",".join(asked.ids),
            "start_time": first.isoformat(),
            "end_time": (last + dt.timedelta(days=1)).isoformat(),  # which is no part of it
            "granularity": "DAY",
            "placement": asked.placement,
            "metric_groups": metrics,
        }
        answer = self._get(f"stats/accounts/{asked.account}", params)
        clock.check(answer, first)
        length = reading.count(answer["time_series_length"])
        if not length or length > 24 * SPAN_DAYS:
            raise Temporary("a report that does not say of how many days it is")
        found: dict[str, Mapping[str, Any]] = {}
        for one in reading.objects(answer["data"]):
            campaign, told = reading.identifier(one["id"]), reading.objects(one["id_data"])
            if len(told) != 1 or campaign in found:
                raise Temporary("a report that says several things of one campaign")
            found[campaign] = reading.an_object(told[0]["metrics"])
        if set(found) != set(asked.ids):
            raise Temporary("a report of other campaigns than those that were asked for")
        return length, found

    def _pages(self, path: str, params: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        position = ""
        for _page in range(MOST_PAGES):
            answer = self._get(path, {**params, "cursor": position} if position else params)
            yield from reading.objects(answer["data"])
            before, position = position, str(answer.get("next_cursor") or "")
            if not position:
                return
            if position == before:
                raise Temporary("pages that lead back to themselves")
        raise reading.too_many_pages("X")

    def _get(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        if self.app is None:
            raise NeedsReconnect("the developer app that signs calls is gone")
        signed = OAuth1(
            self.app.client_id,
            client_secret=self.app.client_secret,
            resource_owner_key=self.tokens.access_token,
            resource_owner_secret=str(self.tokens.extra.get("token_secret", "")),
        )
        url = f"{http.base_url(f'{KEY}.api', 'https://ads-api.x.com')}/{VERSION}/{path}"
        headers = {"Accept": "application/json"}
        response = http.request(
            "GET", url, platform=KEY, headers=headers, params=params, auth=signed, timeout_s=60.0
        )
        if not 200 <= response.status_code < 300:
            raise _map_error(response, *self.secrets)
        return http.json_object(response, exact=True)


def _oauth() -> str:
    return http.base_url(f"{KEY}.oauth", "https://api.x.com")


def _token_answer(step: str, signed: OAuth1, *secrets: str) -> dict[str, str]:
    """``oauth_token=…&oauth_token_secret=…``, as a form is written."""
    response = http.request("POST", f"{_oauth()}/oauth/{step}", platform=KEY, auth=signed)
    if not 200 <= response.status_code < 300:
        raise _map_error(response, *secrets)
    return {name: values[0] for name, values in parse_qs(response.text[:10_000]).items()}


def _account_id(value: str) -> str:
    """Raises Rejected(INVALID) for what is none: it goes into an address."""
    if not re.fullmatch(r"[0-9a-z]{1,20}", value):
        raise Rejected(RejectReason.INVALID, "not the id of an ad account")
    return value


def _instant(value: object) -> dt.datetime:
    """``2026-11-01T08:00:00Z``."""
    try:
        at = dt.datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Temporary("a time that cannot be read") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=dt.UTC)


def _series(value: object, length: int) -> list[Any]:
    """What a metric was in each piece; null is X's word for 0."""
    if value is None:
        return [0] * length
    if not isinstance(value, list) or len(value) != length:
        raise Temporary("a metric of other days than the report")
    return [0 if one is None else one for one in value]


def _counts(metrics: Mapping[str, Any], name: str, length: int) -> list[int | None]:
    if name not in metrics:
        return [None] * length
    return [reading.count(one) for one in _series(metrics[name], length)]


def _conversions(metrics: Mapping[str, Any], member: str, length: int) -> list[Decimal | None]:
    told = [metrics[name] for name in CONVERSION_TYPES if name in metrics]
    if not told:
        return [None] * length
    totals = [Decimal(0)] * length
    for one in told:
        if one is not None:
            for index, number in enumerate(_series(reading.an_object(one)[member], length)):
                totals[index] += reading.conversions(number) or 0
    return list(totals)


def _together(one: AdDay, other: AdDay) -> AdDay:
    """The same campaign and day at two placements, or in two pieces."""
    impressions = [day.impressions for day in (one, other) if day.impressions is not None]
    clicks = [day.clicks for day in (one, other) if day.clicks is not None]
    conversions = [day.conversions for day in (one, other) if day.conversions is not None]
    return dataclasses.replace(
        one,
        spend=one.spend + other.spend,
        impressions=sum(impressions) if impressions else None,
        clicks=sum(clicks) if clicks else None,
        conversions=sum(conversions, Decimal(0)) if conversions else None,
    )


def _retry_at(response: Response) -> dt.datetime:
    """When the limit that is used up begins anew: that of the ad account, or that of the person."""
    now = dt.datetime.now(dt.UTC)
    resets = []
    for name in ("x-account-rate-limit", "x-rate-limit"):
        reset = response.headers.get(f"{name}-reset", "").strip()
        if re.fullmatch(r"\d{1,11}", reset) and response.headers.get(f"{name}-remaining", "0") == "0":
            resets.append(dt.datetime.fromtimestamp(int(reset), dt.UTC))
    if not resets:
        return http.retry_after(response, now=now, default_s=LIMIT_DEFAULT_S)
    return min(max(now, *resets), now + http.LONGEST_WAIT)


def _words(response: Response, secrets: Sequence[str]) -> str:
    """``{"errors": [{"code": "INVALID_PARAMETER", "message": "…"}]}``"""
    try:
        errors = response.json()["errors"]
        said = "; ".join(f"{one['code']} {one.get('message', '')}" for one in errors)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return http.excerpt(response, hidden=secrets)
    words = f"HTTP {response.status_code} {' '.join(said.split())}"
    return http.redact(words, *http.secrets_sent(response.request), *secrets)[:300]


def _map_error(response: Response, *secrets: str) -> ConnectorError:
    """The only place that knows what X's statuses mean."""
    status = response.status_code
    words = _words(response, secrets)
    if status == 401:
        return NeedsReconnect(words)
    if status == 429 or (status == 503 and "Retry-After" in response.headers):
        return RateLimited(_retry_at(response), words)
    if status >= 500 or status in {408, 423}:
        return Temporary(words)
    reasons = {403: RejectReason.FORBIDDEN, 404: RejectReason.NOT_FOUND}
    return Rejected(reasons.get(status, RejectReason.INVALID), words)
