"""LinkedIn: cost per campaign and day, from the Reporting API (adAnalytics).

Documents: learn.microsoft.com/linkedin/marketing/integrations/ads-reporting/ads-reporting (2026-03),
ads/account-structure/create-and-manage-accounts and -campaigns, shared/authentication, and the descriptions
of Reporting & ROI and of Campaign Management; read 2026-11.

* An app with the product “Advertising API”, which LinkedIn grants on application; ``r_ads`` names ad
  accounts and campaigns, ``r_ads_reporting`` reads their cost. A token lives 60 days; a refresh token is
  given to approved partners only.
* The report has no pages and is cut off without a word at 15,000 rows. So it is asked for a few days at a
  time, and a span whose answer is that long is asked for again in halves, down to one day.
* ``costInLocalCurrency`` is a text in the ad account's currency, often with more decimals than the currency
  has.
* Days of the report are those of UTC, whatever the zone of the person.
* An empty answer is also what somebody gets who may not see the ad account: so the ad account is read first.
* The window of a conversion is set with the conversion at LinkedIn, and cannot be chosen in a report.

Not confirmed by a live call: the search of campaigns by id (only their names come from it; without it a
campaign is called by its id), ``metadata.nextPageToken``, that days are those of UTC. ``seen_live`` is
False: built from the documents, never run against LinkedIn itself.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from requests import Response

from connectors import http
from connectors.ads import reading
from connectors.ads.base import AdAccount, AdConnector, AdDay, AdGrant, AdPlatformInfo, AttributionWindow
from connectors.base import AppCredentials, AuthorizeRequest, Tokens
from connectors.errors import ConnectorError, NeedsReconnect, RateLimited, Rejected, RejectReason, Temporary
from connectors.info import AppSetup

KEY = "linkedin_ads"
INFO = AdPlatformInfo(
    key=KEY,
    name="LinkedIn Ads",
    network="linkedin",
    also=("LinkedIn広告",),
    app=AppSetup(
        console_url="https://www.linkedin.com/developers/apps",
        steps=(
            "Create an app for your company page in LinkedIn's developer portal; the page must confirm it.",
            "Under “Products”, ask for access to the “Advertising API”.",
            "Under “Auth”, add the redirect address.",
            "Copy the client ID and the primary client secret.",
            "Whoever signs in needs at least the role of a viewer in the ad account.",
        ),
        review=(
            "LinkedIn looks at the application for the Advertising API. Its development tier is enough: it "
            "reads any number of ad accounts."
        ),
    ),
    scopes=("r_ads", "r_ads_reporting"),
    windows=(AttributionWindow("as_set", "As each conversion is set at LinkedIn"),),
    back_days=365 * 2,
    restated_days=30,
    zone="UTC",
    rates=(),
    color="#0a66c2",
    icon="brand-linkedin",
    conversions="Conversions on your website that LinkedIn credits to the ads.",
)

# A version lives for a year; "version" among the app's own settings takes its place.
API_VERSION = "202607"
SPAN_DAYS = 10
MOST_ROWS = 15_000
NAMES_PER_CALL = 50
PER_PAGE = 100
MOST_PAGES = 200
LIMIT_DEFAULT_S = 3600.0  # limits are of a day of UTC and not published
FIELDS = "pivotValues,dateRange,costInLocalCurrency,impressions,clicks,externalWebsiteConversions"
_CAMPAIGN = "urn:li:sponsoredCampaign:"


class LinkedInAds(AdConnector):
    INFO: ClassVar[AdPlatformInfo] = INFO

    @classmethod
    def authorize_url(cls, *, app: AppCredentials, redirect_uri: str, state: str) -> AuthorizeRequest:
        query = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "scope": " ".join(INFO.scopes),
        }
        # LinkedIn has PKCE for native apps only; state and the app's secret protect this flow.
        return AuthorizeRequest(url=f"{_web()}/authorization?{urlencode(query)}", code_verifier="")

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> AdGrant:
        given = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        answer = _token_answer(app, given, code)
        scopes = tuple(re.split(r"[ ,]+", str(answer.get("scope") or "").strip()))
        if scopes != ("",) and not set(INFO.scopes) <= set(scopes):
            raise Rejected(RejectReason.FORBIDDEN, "not all permissions were given")
        return AdGrant(_tokens(answer, Tokens()), scopes if scopes != ("",) else INFO.scopes)

    @classmethod
    def refresh(cls, *, tokens: Tokens, app: AppCredentials | None) -> Tokens:
        if not tokens.refresh_token or app is None:
            raise NeedsReconnect("LinkedIn gave no refresh token")
        given = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        return _tokens(_token_answer(app, given, tokens.refresh_token), tokens)

    def fetch_ad_accounts(self) -> tuple[AdAccount, ...]:
        return tuple(_account(one) for one in self._search("/rest/adAccounts", "q=search"))

    def fetch_days(
        self, account_id: str, first: dt.date, last: dt.date, *, window: str = ""
    ) -> Iterator[AdDay]:
        chosen, number = INFO.window(window).key, reading.numeric_id(account_id)
        # An empty report would be all that somebody gets who may not see it.
        account = _account(self._object(f"/rest/adAccounts/{number}"))
        names: dict[str, str] = {}
        for start, end in reading.spans(first, last, SPAN_DAYS):
            rows = self._rows(number, start, end)
            found = dict.fromkeys(_campaign_id(row) for row in rows)
            names |= self._names(number, [one for one in found if one not in names])
            for row in rows:
                day = _day(row, (start, end), chosen, names, account.currency)
                if not day.is_idle:
                    yield day

    def _rows(self, number: str, first: dt.date, last: dt.date) -> list[Mapping[str, Any]]:
        account = quote(f"urn:li:sponsoredAccount:{number}", safe="")
        query = (
            f"q=analytics&pivot=CAMPAIGN&timeGranularity=DAILY&dateRange=(start:{_point(first)},"
            f"end:{_point(last)})&accounts=List({account})&fields={FIELDS}"
        )
        rows = reading.objects(self._object(f"/rest/adAnalytics?{query}")["elements"])
        if len(rows) < MOST_ROWS:
            return rows
        if first == last:
            raise Rejected(RejectReason.INVALID, "LinkedIn has more rows of one day than it tells")
        middle = first + (last - first) // 2
        return [*self._rows(number, first, middle), *self._rows(number, middle + dt.timedelta(days=1), last)]

    def _names(self, number: str, ids: list[str]) -> dict[str, str]:
        """Of campaigns; of those that are not told, and where LinkedIn does not tell any, their ids."""
        found = {one: one for one in ids}
        for start in range(0, len(ids), NAMES_PER_CALL):
            wanted = ids[start : start + NAMES_PER_CALL]
            urns = ",".join(quote(f"{_CAMPAIGN}{one}", safe="") for one in wanted)
            query = f"q=search&search=(id:(values:List({urns})))"
            try:
                for one in self._search(f"/rest/adAccounts/{number}/adCampaigns", query):
                    told = reading.identifier(one["id"])
                    if told in found:
                        found[told] = reading.name(one.get("name"), told)
            except Rejected:
                continue
        return found

    def _search(self, path: str, query: str) -> Iterator[Mapping[str, Any]]:
        position = ""
        for _page in range(MOST_PAGES):
            more = f"&pageToken={quote(position, safe='')}" if position else ""
            answer = self._object(f"{path}?{query}&pageSize={PER_PAGE}{more}")
            yield from reading.objects(answer["elements"])
            metadata = answer.get("metadata")
            before, position = position, ""
            if isinstance(metadata, dict) and metadata.get("nextPageToken"):
                position = str(metadata["nextPageToken"])
            if not position:
                return
            if position == before:
                raise Temporary("pages that lead back to themselves")
        raise reading.too_many_pages("LinkedIn")

    def _object(self, path_and_query: str) -> Mapping[str, Any]:
        """The query is written out: LinkedIn wants its brackets and colons as they are."""
        headers = {
            "Authorization": f"Bearer {self.tokens.access_token}",
            "Accept": "application/json",
            "LinkedIn-Version": _version(self.app),
            "X-Restli-Protocol-Version": "2.0.0",
        }
        url = http.base_url(f"{KEY}.api", "https://api.linkedin.com") + path_and_query
        response = http.request("GET", url, platform=KEY, headers=headers, timeout_s=60.0)
        if not 200 <= response.status_code < 300:
            raise _map_error(response, *self.secrets)
        return http.json_object(response, exact=True)


def _web() -> str:
    return http.base_url(f"{KEY}.web", "https://www.linkedin.com/oauth/v2")


def _version(app: AppCredentials | None) -> str:
    stated = str(app.extra.get("version", "")) if app is not None else ""
    return stated if re.fullmatch(r"20\d{4}", stated) else API_VERSION


def _token_answer(app: AppCredentials, given: Mapping[str, str], *secrets: str) -> Mapping[str, Any]:
    form = {**given, "client_id": app.client_id, "client_secret": app.client_secret}
    response = http.request("POST", f"{_web()}/accessToken", platform=KEY, form=form)
    if not 200 <= response.status_code < 300:
        error = _map_error(response, app.client_secret, *secrets)
        refused = isinstance(error, Rejected) and error.reason is RejectReason.INVALID
        raise NeedsReconnect(error.detail) if refused else error
    return http.json_object(response)


def _tokens(answer: Mapping[str, Any], before: Tokens) -> Tokens:
    refresh_token = answer.get("refresh_token")
    return Tokens(
        access_token=reading.secret(answer["access_token"]),
        refresh_token=refresh_token if isinstance(refresh_token, str) else before.refresh_token,
        expires_at=reading.expires_at(answer.get("expires_in")),
        # A year after the sign-in, however often it is used.
        ends_at=reading.expires_at(answer.get("refresh_token_expires_in")) or before.ends_at,
    )


def _account(one: Mapping[str, Any]) -> AdAccount:
    number = reading.numeric_id(reading.identifier(one["id"]).rpartition(":")[2])
    return AdAccount(
        id=number,
        name=reading.name(one.get("name"), number),
        currency=reading.currency(one.get("currency")),
        time_zone=INFO.zone,
    )


def _point(date: dt.date) -> str:
    return f"(year:{date.year},month:{date.month},day:{date.day})"


def _campaign_id(row: Mapping[str, Any]) -> str:
    values = row["pivotValues"]
    urn = values[0] if isinstance(values, list) and len(values) == 1 else None
    if not isinstance(urn, str) or not urn.startswith(_CAMPAIGN):
        raise Temporary("a row without its campaign")
    return reading.identifier(urn.removeprefix(_CAMPAIGN))


def _day(
    row: Mapping[str, Any],
    span: tuple[dt.date, dt.date],
    window: str,
    names: Mapping[str, str],
    currency: str,
) -> AdDay:
    told = reading.an_object(row["dateRange"])
    start, end = _date(told["start"]), _date(told["end"])
    if start != end:
        raise Temporary("a row of more than one day")
    campaign_id = _campaign_id(row)
    return AdDay(
        date=reading.day_in(start, *span),
        campaign_id=campaign_id,
        campaign_name=names.get(campaign_id, campaign_id),
        spend=reading.amount(row["costInLocalCurrency"]),
        impressions=reading.count(row.get("impressions")),
        clicks=reading.count(row.get("clicks")),
        conversions=reading.conversions(row.get("externalWebsiteConversions")),
        attribution_window=window,
        currency=currency,
    )


def _date(value: object) -> dt.date:
    parts = reading.an_object(value)
    try:
        return dt.date(*(int(parts[name]) for name in ("year", "month", "day")))
    except (TypeError, ValueError) as error:
        raise Temporary("a day without a date") from error


def _map_error(response: Response, *secrets: str) -> ConnectorError:
    """``{"status": 403, "code": "…", "message": "…"}``: the only place that knows what it means."""
    status = response.status_code
    words = http.excerpt(response, hidden=secrets)
    if status == 401:
        return NeedsReconnect(words)
    if status == 426:
        version = response.request.headers.get("LinkedIn-Version", "")
        return Rejected(
            RejectReason.NOT_SUPPORTED, f"LinkedIn no longer takes version {version} of its API. {words}"
        )
    if status == 429:
        now = dt.datetime.now(dt.UTC)
        retry_at = http.retry_after(response, now=now, default_s=LIMIT_DEFAULT_S)
        return RateLimited(retry_at, words, of_app="application" in words.lower())
    if status >= 500 or status == 408:
        return Temporary(words)
    reasons = {403: RejectReason.FORBIDDEN, 404: RejectReason.NOT_FOUND}
    return Rejected(reasons.get(status, RejectReason.INVALID), words)
