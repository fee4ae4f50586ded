"""Pinterest: cost per campaign and day, from the analytics of ad accounts (API v5).

Documents: Pinterest's own description of its API (5.23.0),
developers.pinterest.com/docs/reference/rate-limits,
docs/getting-started/set-up-authentication-and-authorization, docs/key-concepts/access-tiers; read 2026-11.

* OAuth 2 with the secret of one's own app (Basic); PKCE is not documented and not sent. A token lives 30
  days, and each refresh gives a new refresh token of 60 days.
* The report names the campaigns that it is asked for, so they are listed first, archived ones too. What it
  does not tell of a campaign and day did not happen.
* ``SPEND_IN_MICRO_DOLLAR`` is in millionths of the *ad account's* currency, whatever its name says.
* Days are those of UTC. Days of the ad account's own zone are a closed beta and not asked for.
* 90 days back, and no further.
* Impressions and clicks are those that were paid for (``_1``), not those of pins that people saved on.

``seen_live`` is False: built from the documents, never run against Pinterest itself.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from requests import Response

from connectors import http
from connectors.ads import reading
from connectors.ads.base import AdAccount, AdConnector, AdDay, AdGrant, AdPlatformInfo, AttributionWindow
from connectors.base import AppCredentials, AuthorizeRequest, Tokens
from connectors.errors import ConnectorError, NeedsReconnect, RateLimited, Rejected, RejectReason, Temporary
from connectors.info import AppSetup, Rate

KEY = "pinterest_ads"
INFO = AdPlatformInfo(
    key=KEY,
    name="Pinterest Ads",
    network="pinterest",
    also=("Pinterest広告",),
    app=AppSetup(
        console_url="https://developers.pinterest.com/apps/",
        steps=(
            "Sign in with a business account and choose “Connect app”; Pinterest gives trial access first.",
            "Open the app and add the redirect address below under “Redirect URIs”.",
            "Copy the app ID and the app secret key.",
            "Whoever signs in needs the role of an analyst in the ad account, or more.",
        ),
        review="Trial access reads ad accounts, a thousand calls a day; ask for standard access for more.",
        id_label="App ID",
        secret_label="App secret key",  # noqa: S106 - a label
    ),
    scopes=("ads:read",),
    windows=(
        AttributionWindow("30/30/1", "30 days after a click or an engagement, 1 day after a view"),
        AttributionWindow("7/7/1", "7 days after a click or an engagement, 1 day after a view"),
        AttributionWindow("1/1/1", "1 day after a click, an engagement or a view"),
        AttributionWindow("60/60/60", "60 days after a click, an engagement or a view"),
    ),
    back_days=90,
    restated_days=30,
    zone="UTC",
    rates=(Rate("calls of a trial app", 1000, 86_400),),
    color="#bd081c",
    icon="brand-pinterest",
    conversions="Conversions that Pinterest's tag counted and credits to the ads.",
)

SPAN_DAYS = 30
PER_PAGE = 250
MOST_PAGES = 200
IDS_PER_CALL = 100  # 250 are taken; the address would be too long for some on the way
LIMIT_DEFAULT_S = 60.0
STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED")
COLUMNS = (
    "CAMPAIGN_ID",
    "CAMPAIGN_NAME",
    "SPEND_IN_MICRO_DOLLAR",
    "IMPRESSION_1",
    "CLICKTHROUGH_1",
    "TOTAL_CONVERSIONS",
)


class PinterestAds(AdConnector):
    INFO: ClassVar[AdPlatformInfo] = INFO

    @classmethod
    def authorize_url(cls, *, app: AppCredentials, redirect_uri: str, state: str) -> AuthorizeRequest:
        query = {
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": ",".join(INFO.scopes),
            "state": state,
        }
        web = http.base_url(f"{KEY}.web", "https://www.pinterest.com")
        return AuthorizeRequest(url=f"{web}/oauth/?{urlencode(query)}", code_verifier="")

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> AdGrant:
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            # Of apps made before September 2025; of others it is always so.
            "continuous_refresh": "true",
        }
        answer = _token_answer(app, given, code)
        scopes = tuple(str(answer.get("scope") or "").replace(",", " ").split())
        if scopes and not set(INFO.scopes) <= set(scopes):
            raise Rejected(RejectReason.FORBIDDEN, "the permission ads:read was not given")
        return AdGrant(_tokens(answer, Tokens()), scopes or INFO.scopes)

    @classmethod
    def refresh(cls, *, tokens: Tokens, app: AppCredentials | None) -> Tokens:
        if not tokens.refresh_token or app is None:
            raise NeedsReconnect("Pinterest gave no refresh token")
        given = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        return _tokens(_token_answer(app, given, tokens.refresh_token), tokens)

    def fetch_ad_accounts(self) -> tuple[AdAccount, ...]:
        return tuple(
            AdAccount(
                id=reading.numeric_id(reading.identifier(one["id"])),
                name=reading.name(one.get("name"), str(one["id"])),
                currency=reading.currency(one.get("currency")),
                time_zone=INFO.zone,
            )
            for one in self._pages("/ad_accounts", [("include_shared_accounts", "true")])
        )

    def fetch_days(
        self, account_id: str, first: dt.date, last: dt.date, *, window: str = ""
    ) -> Iterator[AdDay]:
        chosen = INFO.window(window).key
        path = f"/ad_accounts/{reading.numeric_id(account_id)}/campaigns"
        names = {
            reading.identifier(one["id"]): reading.name(one.get("name"), str(one["id"]))
            for one in self._pages(path, [("entity_statuses", status) for status in STATUSES])
        }
        ids = sorted(names)
        for start, end in reading.spans(first, last, SPAN_DAYS):
            for index in range(0, len(ids), IDS_PER_CALL):
                wanted = ids[index : index + IDS_PER_CALL]
                for row in self._rows(f"{path}/analytics", start, end, chosen, wanted):
                    day = _day(row, start, end, chosen, names)
                    if not day.is_idle:
                        yield day

    def _rows(
        self, path: str, first: dt.date, last: dt.date, window: str, ids: Sequence[str]
    ) -> list[Mapping[str, Any]]:
        click, engagement, view = window.split("/")
        params = [
            ("start_date", first.isoformat()),
            ("end_date", last.isoformat()),
            ("granularity", "DAY"),
            ("columns", ",".join(COLUMNS)),
            ("click_window_days", click),
            ("engagement_window_days", engagement),
            ("view_window_days", view),
            ("conversion_report_time", "TIME_OF_AD_ACTION"),
            *(("campaign_ids", one) for one in ids),
        ]
        return reading.objects(http.json_body(self._call(path, params), exact=True))

    def _pages(self, path: str, params: Sequence[tuple[str, str]]) -> Iterator[Mapping[str, Any]]:
        position = ""
        for _page in range(MOST_PAGES):
            more = [("bookmark", position)] if position else []
            answer = http.json_object(self._call(path, [*params, ("page_size", str(PER_PAGE)), *more]))
            yield from reading.objects(answer["items"])
            before, position = position, str(answer.get("bookmark") or "")
            if not position:
                return
            if position == before:
                raise Temporary("pages that lead back to themselves")
        raise reading.too_many_pages("Pinterest")

    def _call(self, path: str, params: Sequence[tuple[str, str]]) -> Response:
        headers = {"Authorization": f"Bearer {self.tokens.access_token}", "Accept": "application/json"}
        url = f"{_api()}{path}"
        response = http.request("GET", url, platform=KEY, headers=headers, params=params, timeout_s=60.0)
        if not 200 <= response.status_code < 300:
            raise _map_error(response, *self.secrets)
        return response


def _api() -> str:
    return http.base_url(f"{KEY}.api", "https://api.pinterest.com/v5")


def _token_answer(app: AppCredentials, given: Mapping[str, str], *secrets: str) -> Mapping[str, Any]:
    response = http.request(
        "POST", f"{_api()}/oauth/token", platform=KEY, form=given, auth=(app.client_id, app.client_secret)
    )
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
    )


def _day(
    row: Mapping[str, Any], first: dt.date, last: dt.date, window: str, names: Mapping[str, str]
) -> AdDay:
    campaign_id = reading.identifier(row["CAMPAIGN_ID"])
    if campaign_id not in names:
        raise Temporary("a row of a campaign that was not asked for")
    told = {name: row.get(name) for name in COLUMNS}
    told = {name: 0 if value is None else value for name, value in told.items()}  # a column without a value
    return AdDay(
        date=reading.day_in(reading.date(row["DATE"]), first, last),
        campaign_id=campaign_id,
        campaign_name=names[campaign_id],
        spend=reading.micro_amount(told["SPEND_IN_MICRO_DOLLAR"]),
        impressions=reading.count(told["IMPRESSION_1"]),
        clicks=reading.count(told["CLICKTHROUGH_1"]),
        conversions=reading.conversions(told["TOTAL_CONVERSIONS"]),
        attribution_window=window,
    )


def _retry_at(response: Response) -> dt.datetime:
    """Seconds from now, as Pinterest's limits have it, or a moment in seconds of the epoch."""
    now = dt.datetime.now(dt.UTC)
    reset = response.headers.get("X-RateLimit-Reset", "").strip()
    if "Retry-After" in response.headers or not re.fullmatch(r"\d{1,12}", reset):
        return http.retry_after(response, now=now, default_s=LIMIT_DEFAULT_S)
    seconds = int(reset)
    wait = dt.timedelta(seconds=seconds - now.timestamp() if seconds > 1_000_000_000 else seconds)
    return now + min(max(wait, dt.timedelta(seconds=1)), http.LONGEST_WAIT)


def _map_error(response: Response, *secrets: str) -> ConnectorError:
    """``{"code": 2, "message": "..."}``: the only place that knows what it means."""
    status = response.status_code
    words = http.excerpt(response, hidden=secrets)
    if status == 401:
        return NeedsReconnect(words)
    if status == 429:
        return RateLimited(_retry_at(response), words)
    if status >= 500 or status in {408, 409}:
        return Temporary(words)
    reasons = {403: RejectReason.FORBIDDEN, 404: RejectReason.NOT_FOUND}
    return Rejected(reasons.get(status, RejectReason.INVALID), words)
