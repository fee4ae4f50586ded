"""Meta (Facebook, Instagram, Messenger, Audience Network): cost per campaign and day, from the Marketing API.

Documents: docs/marketing-api/insights, reference/ad-account/insights, reference/user/adaccounts,
docs/marketing-api/insights/best-practices, as of July 2026; parameters and fields are held against Meta's own
description of AdAccount, AdsInsights and User. Calls, errors and limits are those of ``connectors.meta``.

* An app with the permission ``ads_read``; the sign-in is that of Facebook (``connectors.meta_login``). The
  token of a person lives 60 days and only a person can renew it; that of a system user of a business does
  not end.
* ``spend`` is a text in the ad account's currency; each row says the currency. Days begin in the account's
  zone.
* Windows are chosen by us and named in the request, so that no setting of an ad set changes what is counted.
  Views of 7 and 28 days are no longer among them (since January 2026). That a conversion without any of the
  keys of its windows has ``value`` alone is not confirmed by a live call; that value is taken then.
* A conversion is a purchase, a lead or a registration; each of the three is taken once, from the sum that
  Meta itself makes of all places (``omni_…``) where there is one.
* Campaigns of every state are asked for: by itself a report leaves out what was archived or deleted, with
  what it cost.
* Clicks are all clicks on an ad, not those on links alone.
* A report that is too much for one answer is asked for again in halves, down to one day.

Not supported: breaking the cost down by place (Facebook, Instagram); reports made in the background.
``seen_live`` is False: built from the documents, never run against Meta itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from connectors import http, meta, meta_login
from connectors.ads import reading
from connectors.ads.base import AdAccount, AdConnector, AdDay, AdGrant, AdPlatformInfo, AttributionWindow
from connectors.base import AppCredentials, AuthorizeRequest, Tokens
from connectors.errors import ConnectorError, NeedsReconnect, Rejected, RejectReason, Temporary
from connectors.info import AppSetup

KEY = "meta_ads"
INFO = AdPlatformInfo(
    key=KEY,
    name="Meta Ads",
    network="Meta",
    also=("facebook", "instagram", "Meta", "Facebook Ads", "Instagram Ads", "Meta広告"),
    app=AppSetup(
        console_url="https://developers.facebook.com/apps/",
        steps=(
            "Create an app for a business at Meta for Developers and add the product “Marketing API” to it.",
            "Add the product “Facebook Login for Business” and enter the redirect address in its settings.",
            "Copy the app ID and the app secret from “App settings”, “Basic”.",
            "Whoever signs in needs at least the role of an analyst in the ad account.",
        ),
        review=(
            "For ad accounts of others Meta wants App Review (Advanced Access) for ads_read and Business "
            "Verification. Ad accounts of people with a role in the app work without."
        ),
        id_label="App ID",
        secret_label="App secret",  # noqa: S106 - a label
    ),
    scopes=("ads_read",),
    windows=(
        AttributionWindow("7d_click,1d_view", "7 days after a click, 1 day after a view"),
        AttributionWindow("7d_click", "7 days after a click"),
        AttributionWindow("1d_click", "1 day after a click"),
        AttributionWindow("28d_click,1d_view", "28 days after a click, 1 day after a view"),
    ),
    back_days=37 * 30,
    restated_days=28,
    zone="",
    rates=(),
    color="#0866ff",
    icon="brand-meta",
    conversions="Purchases, leads and registrations that Meta credits to the ads.",
)

SPAN_DAYS = 30
PER_PAGE = 200
MOST_PAGES = 200
FIELDS = (
    "account_currency",
    "campaign_id",
    "campaign_name",
    "date_start",
    "date_stop",
    "spend",
    "impressions",
    "clicks",
    "actions",
)
# Of each group the first that there is: the others are parts of it.
CONVERSIONS = (
    ("omni_purchase", "purchase"),
    ("lead",),
    ("omni_complete_registration", "complete_registration"),
)
STATES = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "IN_PROCESS", "WITH_ISSUES")
_TOO_MUCH = "reduce the amount of data"


class MetaAds(AdConnector):
    INFO: ClassVar[AdPlatformInfo] = INFO

    @classmethod
    def authorize_url(cls, *, app: AppCredentials, redirect_uri: str, state: str) -> AuthorizeRequest:
        dialog = http.base_url(f"{KEY}.dialog", meta_login.DIALOG)
        return meta_login.authorize(
            dialog, app=app, redirect_uri=redirect_uri, state=state, scopes=INFO.scopes
        )

    @classmethod
    def exchange_code(
        cls, *, app: AppCredentials, code: str, code_verifier: str, redirect_uri: str
    ) -> AdGrant:
        door = meta.Graph(KEY, _base())
        ours = {"client_id": app.client_id, "client_secret": app.client_secret}
        short = _token(door, {**ours, "redirect_uri": redirect_uri, "code": code}, app)
        longer = {**ours, "grant_type": "fb_exchange_token", "fb_exchange_token": short.access_token}
        tokens = _token(door, longer, app)
        granted = meta.Graph(KEY, _base(), tokens.access_token, app.client_secret).get("me/permissions")
        rows = reading.objects(granted.get("data"))
        scopes = tuple(str(one.get("permission")) for one in rows if one.get("status") == "granted")
        if not set(INFO.scopes) <= set(scopes):
            raise Rejected(RejectReason.FORBIDDEN, "the permission ads_read was not given")
        return AdGrant(tokens, scopes)

    def fetch_ad_accounts(self) -> tuple[AdAccount, ...]:
        params = {"fields": "account_id,name,currency,timezone_name", "limit": 100}
        return tuple(
            AdAccount(
                id=reading.numeric_id(reading.identifier(one["account_id"])),
                name=reading.name(one.get("name"), str(one["account_id"])),
                currency=reading.currency(one.get("currency")),
                time_zone=reading.zone(one.get("timezone_name")),
            )
            for one in self._pages("me/adaccounts", params)
        )

    def fetch_days(
        self, account_id: str, first: dt.date, last: dt.date, *, window: str = ""
    ) -> Iterator[AdDay]:
        chosen = INFO.window(window).key
        path = f"act_{reading.numeric_id(account_id)}/insights"
        for start, end in reading.spans(first, last, SPAN_DAYS):
            yield from self._span(path, start, end, chosen)

    def _span(self, path: str, first: dt.date, last: dt.date, window: str) -> list[AdDay]:
        params = {
            "level": "campaign",
            "time_increment": "1",
            "time_range": {"since": first.isoformat(), "until": last.isoformat()},
            "fields": ",".join(FIELDS),
            "action_attribution_windows": window.split(","),
            "filtering": [{"field": "campaign.effective_status", "operator": "IN", "value": list(STATES)}],
            "limit": PER_PAGE,
        }
        try:
            days = [_day(row, first, last, window) for row in self._pages(path, params)]
        except ConnectorError as error:
            if _TOO_MUCH not in error.detail.lower() or first == last:
                raise
            middle = first + (last - first) // 2
            return [
                *self._span(path, first, middle, window),
                *self._span(path, middle + dt.timedelta(days=1), last, window),
            ]
        return [day for day in days if not day.is_idle]

    def _pages(self, path: str, params: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Unlike ``Graph.lists`` it gives all, or an error: what is missing would count as not spent."""
        secret = self.app.client_secret if self.app is not None else ""
        graph = meta.Graph(KEY, _base(), self.tokens.access_token, secret)
        position = ""
        for _page in range(MOST_PAGES):
            answer = graph.get(path, meta.paged(params, position))
            yield from reading.objects(answer["data"])
            before, position = position, meta.following(answer)
            if not position:
                return
            if position == before:
                raise Temporary("pages that lead back to themselves")
        raise reading.too_many_pages("Meta")


def _base() -> str:
    return http.base_url(f"{KEY}.graph", meta_login.GRAPH)


def _token(door: meta.Graph, query: dict[str, str], app: AppCredentials) -> Tokens:
    secrets = (app.client_secret, query.get("code", ""), query.get("fb_exchange_token", ""))
    # The documented form is a query; our log has none.
    response = door.call("GET", "oauth/access_token", params=query)
    try:
        answer = door.entry(response, *secrets)
    except Rejected as error:
        if error.reason is RejectReason.INVALID:
            raise NeedsReconnect(error.detail) from error
        raise
    return Tokens(access_token=reading.secret(answer["access_token"]), expires_at=meta.lifetime(answer))


def _day(row: Mapping[str, Any], first: dt.date, last: dt.date, window: str) -> AdDay:
    date = reading.day_in(reading.date(row["date_start"]), first, last)
    if row.get("date_stop") not in {None, row["date_start"]}:
        raise Temporary("a row of more than one day")
    campaign_id = reading.identifier(row["campaign_id"])
    return AdDay(
        date=date,
        campaign_id=campaign_id,
        campaign_name=reading.name(row.get("campaign_name"), campaign_id),
        spend=reading.amount(row["spend"]),
        impressions=reading.count(row.get("impressions")),
        clicks=reading.count(row.get("clicks")),
        conversions=_conversions(row.get("actions"), window.split(",")),
        attribution_window=window,
        currency=reading.currency(row.get("account_currency")),
    )


def _conversions(actions: object, windows: Sequence[str]) -> Decimal:
    """Without any action there is no list of them."""
    by_type = {str(one.get("action_type")): one for one in reading.objects(actions or [])}
    total = Decimal(0)
    for names in CONVERSIONS:
        found = next((by_type[one] for one in names if one in by_type), None)
        if found is None:
            continue
        within = [found[key] for key in windows if key in found]
        total += sum((reading.amount(one) for one in within or [found.get("value", 0)]), Decimal(0))
    return total
