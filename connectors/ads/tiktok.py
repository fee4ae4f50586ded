"""TikTok: cost per campaign and day, from the integrated report of the TikTok API for Business.

Documents: business-api.tiktok.com/portal/docs (report/integrated/get, oauth2/access_token, advertiser/info,
return codes), with the official tiktok-business-api-sdk (MIT) for addresses and parameters; read 2026-11.

* An app of TikTok for Business, which is another than that of TikTok for Developers. Its token does not end
  until somebody takes the permission back; there is nothing to refresh. PKCE is not documented and not
  sent.
* The token is sent as ``Access-Token``. Every answer is ``{"code", "message", "data"}`` with HTTP 200; code
  0 is success, and the code decides.
* ``spend`` is a text in the ad account's currency; days are those of the ad account's zone, at most 30 a
  call.
* The window of a conversion is set in the ad group at TikTok, and cannot be chosen in a report.
* A campaign and day may be told with nothing but zeros; such days are left out.

Not confirmed by a live call: which codes beside 40100 mean "too often" (40016, 40133), what
``display_timezone`` holds, whether deleted campaigns are in the report. Reserved ads and GMV Max have
reports of their own and are not read. ``seen_live`` is False: built from the documents, never run against
TikTok itself.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from requests import Response

from connectors import http
from connectors.ads import reading
from connectors.ads.base import AdAccount, AdConnector, AdDay, AdGrant, AdPlatformInfo, AttributionWindow
from connectors.base import AppCredentials, AuthorizeRequest, Tokens
from connectors.errors import ConnectorError, NeedsReconnect, RateLimited, Rejected, RejectReason, Temporary
from connectors.info import AppSetup, Rate

KEY = "tiktok_ads"
INFO = AdPlatformInfo(
    key=KEY,
    name="TikTok Ads",
    network="tiktok",
    also=("TikTok for Business", "TikTok広告"),
    app=AppSetup(
        console_url="https://business-api.tiktok.com/portal/apps",
        steps=(
            "Sign in at the TikTok API for Business, register as a developer and make an app.",
            "Ask for the permissions “Ad Account Management” and “Reporting”; reading is enough.",
            "Enter the redirect address as the advertiser redirect URL.",
            "Copy the app ID and the secret.",
            "Whoever signs in needs to be an analyst of the ad account, or more.",
        ),
        review="TikTok looks at the app before it may be used.",
        id_label="App ID",
        secret_label="Secret",  # noqa: S106 - a label
    ),
    scopes=(),  # the app has them, not the request
    windows=(AttributionWindow("as_set", "As each ad group is set at TikTok"),),
    back_days=365,
    restated_days=28,
    zone="",
    rates=(Rate("reports", 600, 60),),
    color="#161823",
    icon="brand-tiktok",
    conversions="What each ad group is optimized for, as TikTok credits it to the ads.",
)

SPAN_DAYS = 30
PER_PAGE = 1000
MOST_PAGES = 200
INFO_PER_CALL = 100
LIMIT_DEFAULT_S = 300.0
METRICS = ("campaign_name", "spend", "impressions", "clicks", "conversion")

_RECONNECT = frozenset({40102, 40103, 40104, 40105, 40110, 40111})
_LIMITS = frozenset({40016, 40100, 40133})
_FORBIDDEN = frozenset({40001, 40003})
_NOT_FOUND = frozenset({40007})


class TikTokAds(AdConnector):
    INFO: ClassVar[AdPlatformInfo] = INFO

    @classmethod
    def authorize_url(cls, *, app: AppCredentials, redirect_uri: str, state: str) -> AuthorizeRequest:
        query = {"app_id": app.client_id, "state": state, "redirect_uri": redirect_uri}
        return AuthorizeRequest(url=f"{_base()}/portal/auth?{urlencode(query)}", code_verifier="")

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> AdGrant:
        given = {"app_id": app.client_id, "secret": app.client_secret, "auth_code": code}
        response = http.request(
            "POST", f"{_base()}/open_api/v1.3/oauth2/access_token/", platform=KEY, json=given
        )
        told = _told(response, app.client_secret, code)
        ids = told.get("advertiser_ids")
        tokens = Tokens(
            access_token=reading.secret(told["access_token"]),
            extra={"advertiser_ids": [str(one) for one in ids] if isinstance(ids, list) else []},
        )
        return AdGrant(tokens)

    def fetch_ad_accounts(self) -> tuple[AdAccount, ...]:
        ids = self._advertiser_ids()
        found: list[AdAccount] = []
        for start in range(0, len(ids), INFO_PER_CALL):
            params = {
                "advertiser_ids": json.dumps(ids[start : start + INFO_PER_CALL]),
                "fields": json.dumps(["advertiser_id", "name", "currency", "timezone", "display_timezone"]),
            }
            told = self._get("advertiser/info/", params)
            found += [_account(one) for one in reading.objects(told["list"])]
        return tuple(found)

    def _advertiser_ids(self) -> list[str]:
        """Those that the sign-in named; with the app's secret those of now."""
        if self.app is None:
            kept = self.tokens.extra.get("advertiser_ids")
            return [reading.numeric_id(str(one)) for one in kept] if isinstance(kept, list) else []
        params = {"app_id": self.app.client_id, "secret": self.app.client_secret}
        rows = reading.objects(self._get("oauth2/advertiser/get/", params)["list"])
        return [reading.numeric_id(reading.identifier(one["advertiser_id"])) for one in rows]

    def fetch_days(
        self, account_id: str, first: dt.date, last: dt.date, *, window: str = ""
    ) -> Iterator[AdDay]:
        chosen, advertiser = INFO.window(window).key, reading.numeric_id(account_id)
        for start, end in reading.spans(first, last, SPAN_DAYS):
            for row in self._rows(advertiser, start, end):
                day = _day(row, start, end, chosen)
                if not day.is_idle:
                    yield day

    def _rows(self, advertiser: str, first: dt.date, last: dt.date) -> Iterator[Mapping[str, Any]]:
        params = {
            "advertiser_id": advertiser,
            "report_type": "BASIC",
            "data_level": "AUCTION_CAMPAIGN",
            "dimensions": json.dumps(["campaign_id", "stat_time_day"]),
            "metrics": json.dumps(METRICS),
            "start_date": first.isoformat(),
            "end_date": last.isoformat(),
            "page_size": str(PER_PAGE),
        }
        seen = 0
        for page in range(1, MOST_PAGES + 1):
            told = self._get("report/integrated/get/", {**params, "page": str(page)})
            rows, info = reading.objects(told["list"]), reading.an_object(told["page_info"])
            seen += len(rows)
            yield from rows
            pages, total = reading.count(info["total_page"]), reading.count(info.get("total_number"))
            if pages is None:
                raise Temporary("a page that does not say how many there are")
            if page >= pages:
                # Pages are no snapshot: what moves from one to another meanwhile would be missing.
                if total not in {None, seen}:
                    raise Temporary("a report that changed while it was read")
                return
        raise reading.too_many_pages("TikTok")

    def _get(self, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        headers = {"Access-Token": self.tokens.access_token, "Accept": "application/json"}
        response = http.request(
            "GET",
            f"{_base()}/open_api/v1.3/{path}",
            platform=KEY,
            headers=headers,
            params=params,
            timeout_s=60.0,
        )
        return _told(response, *self.secrets)


def _base() -> str:
    return http.base_url(KEY, "https://business-api.tiktok.com")


def _told(response: Response, *secrets: str) -> Mapping[str, Any]:
    """``data`` of an answer that is a success."""
    if not 200 <= response.status_code < 300:
        raise _map_error(response, None, *secrets)
    answer = http.json_object(response, exact=True)
    code = answer["code"]
    if not isinstance(code, int) or isinstance(code, bool):
        raise Temporary("an answer without a code")
    if code != 0:
        raise _map_error(response, code, *secrets)
    return reading.an_object(answer["data"])


def _account(one: Mapping[str, Any]) -> AdAccount:
    number = reading.numeric_id(reading.identifier(one["advertiser_id"]))
    return AdAccount(
        id=number,
        name=reading.name(one.get("name"), number),
        currency=reading.currency(one.get("currency")),
        time_zone=reading.zone(one.get("display_timezone"), one.get("timezone")),
    )


def _day(row: Mapping[str, Any], first: dt.date, last: dt.date, window: str) -> AdDay:
    of, told = reading.an_object(row["dimensions"]), reading.an_object(row["metrics"])
    campaign_id = reading.identifier(of["campaign_id"])
    return AdDay(
        date=reading.day_in(reading.date(of["stat_time_day"]), first, last),
        campaign_id=campaign_id,
        campaign_name=reading.name(told.get("campaign_name"), campaign_id),
        spend=reading.amount(told["spend"]),
        impressions=reading.count(told.get("impressions")),
        clicks=reading.count(told.get("clicks")),
        conversions=reading.conversions(told.get("conversion")),
        attribution_window=window,
    )


def _map_error(response: Response, code: int | None, *secrets: str) -> ConnectorError:
    """``code``: what the answer says, with HTTP 200; None where HTTP itself says that it failed."""
    status = response.status_code
    if code is None:
        try:
            stated = response.json().get("code")
            code = stated if isinstance(stated, int) else None
        except (ValueError, AttributeError):
            code = None
    # The documented form has no status of its own to tell of.
    words = http.excerpt(response, hidden=secrets)
    words = f"{code} {words}" if code else words
    if code in _LIMITS or status == 429:
        now = dt.datetime.now(dt.UTC)
        return RateLimited(http.retry_after(response, now=now, default_s=LIMIT_DEFAULT_S), words)
    if code in _RECONNECT or status == 401:
        return NeedsReconnect(words)
    if code in _FORBIDDEN or status == 403:
        return Rejected(RejectReason.FORBIDDEN, words)
    if code in _NOT_FOUND or status == 404:
        return Rejected(RejectReason.NOT_FOUND, words)
    if status >= 500 or status == 408 or (code is not None and code >= 50_000):
        return Temporary(words)
    return Rejected(RejectReason.INVALID, words)
