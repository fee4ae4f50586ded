"""A stand-in for X: its sign-in with OAuth 1.0a, and what the Ads API tells of one ad account.

Every signature is worked out here anew, by RFC 5849. Costs are kept by the hour, at instants of UTC, and told
by days of the ad account's zone.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import itertools
import json
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import requests
import responses

API = "https://ads-api.x.com/12"
OAUTH = "https://api.x.com/oauth"
KEY, SECRET = "consumerkeyconsumerkey12", "consumersecretconsumersecret"
ACCOUNT = "18ce54d4x5t"

Answer = tuple[int, Mapping[str, str], str]
# What happens to a call in place of its answer; None: nothing does.
Fault = Callable[[requests.PreparedRequest], Answer | Exception | None]


@dataclass(frozen=True)
class Hour:
    """What one campaign cost and brought in one hour at one placement. ``micro``: millionths."""

    campaign: str
    at: dt.datetime
    micro: int = 0
    impressions: int = 0
    clicks: int = 0
    engaged: int = 0  # conversions after an engagement
    viewed: int = 0  # conversions after a view
    placement: str = "ALL_ON_TWITTER"


def no_fault(_request: requests.PreparedRequest) -> None:
    return None


@dataclass
class XServer:
    """``days_are``: "calendar" days, or as many times "24 hours" from the first midnight on, which are other
    days where the clocks change. ``tokens``: secret by token."""

    zone: str = "Asia/Tokyo"
    hours: list[Hour] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    currency: str = "EUR"
    tokens: dict[str, str] = field(default_factory=dict)
    requested: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # secret and callback by request token
    allowed: dict[str, str] = field(default_factory=dict)  # verifier by request token
    callbacks: tuple[str, ...] = ("https://smm.example.com/campaigns/ads/callback/",)
    days_are: str = "calendar"
    fault: Fault = no_fault
    nonces: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)

    def listen(self, network: responses.RequestsMock) -> None:
        network.add_callback("POST", re.compile(f"{OAUTH}/.*"), callback=self._answer)
        network.add_callback("GET", re.compile(f"{API}/.*"), callback=self._answer)

    def _answer(self, request: requests.PreparedRequest) -> Any:
        self.calls.append(str(request.url))
        met = self.fault(request)
        if met is not None:
            return met
        return self._told(request)

    def _told(self, request: requests.PreparedRequest) -> Answer:
        path = urlsplit(str(request.url)).path
        signed = self._signed(request)
        if signed is None:
            return refusal(401, "UNAUTHORIZED_ACCESS", "This request is not properly authenticated")
        if path == "/oauth/request_token":
            return self._request_token(signed)
        if path == "/oauth/access_token":
            return self._access_token(signed)
        if signed["oauth_token"] not in self.tokens:
            return refusal(401, "UNAUTHORIZED_ACCESS", "This request is not properly authenticated")
        query = dict(parse_qsl(urlsplit(str(request.url)).query))
        asked = {
            "/12/accounts": self._accounts,
            f"/12/accounts/{ACCOUNT}": lambda _query: {"data": self._account()},
            f"/12/accounts/{ACCOUNT}/funding_instruments": self._funding,
            f"/12/accounts/{ACCOUNT}/campaigns": self._campaigns,
            f"/12/stats/accounts/{ACCOUNT}/active_entities": self._active,
            f"/12/stats/accounts/{ACCOUNT}": self._stats,
        }.get(path)
        if asked is None:
            return refusal(404, "ROUTE_NOT_FOUND", "The requested resource could not be found")
        told = asked(query)
        return told if isinstance(told, tuple) else (200, {}, json.dumps(told))

    # Signatures.

    def _signed(self, request: requests.PreparedRequest) -> dict[str, str] | None:
        """The OAuth parameters of a request whose signature is right and new."""
        kind, _, rest = str(request.headers.get("Authorization", "")).partition(" ")
        pairs = (one.strip().partition("=") for one in rest.split(","))
        given = {name: unquote(value.strip('"')) for name, _, value in pairs}
        claimed = given.pop("oauth_signature", "")
        token = given.get("oauth_token", "")
        token_secret = self.tokens.get(token) or self.requested.get(token, ("",))[0]
        parts = urlsplit(str(request.url))
        everything = sorted(
            (quote(name, safe="~"), quote(value, safe="~"))
            for name, value in [*given.items(), *parse_qsl(parts.query, keep_blank_values=True)]
        )
        base = "&".join(
            quote(one, safe="~")
            for one in (
                str(request.method),
                f"{parts.scheme}://{parts.netloc}{parts.path}",
                "&".join(f"{name}={value}" for name, value in everything),
            )
        )
        key = f"{quote(SECRET, safe='~')}&{quote(token_secret, safe='~')}"
        right = base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()
        is_new = given.get("oauth_nonce", "") not in self.nonces
        self.nonces.add(given.get("oauth_nonce", ""))
        is_right = kind == "OAuth" and given.get("oauth_consumer_key") == KEY and claimed == right
        return given if is_right and is_new else None

    # Signing in.

    def _request_token(self, signed: Mapping[str, str]) -> Answer:
        callback = signed.get("oauth_callback", "")
        if callback not in self.callbacks:
            return refusal(403, 415, "Callback URL not approved for this client application.")
        token = f"request{len(self.requested)}token"
        self.requested[token] = (f"secretofrequest{len(self.requested)}", callback)
        told = {"oauth_token": token, "oauth_token_secret": self.requested[token][0]}
        return 200, {}, urlencode({**told, "oauth_callback_confirmed": "true"})

    def allow(self, authorize_url: str) -> dict[str, str]:
        """A person says yes at X: with what the browser comes back."""
        assert authorize_url.startswith(f"{OAUTH}/authorize?")
        query = dict(parse_qsl(urlsplit(authorize_url).query))
        assert set(query) == {"oauth_token"}
        self.allowed[query["oauth_token"]] = f"verifier{len(self.allowed)}verifier"
        return {**query, "oauth_verifier": self.allowed[query["oauth_token"]]}

    def _access_token(self, signed: Mapping[str, str]) -> Answer:
        """A verifier is good for one token."""
        token = signed.get("oauth_token", "")
        if not token or self.allowed.pop(token, None) != signed.get("oauth_verifier"):
            return refusal(401, 89, "Invalid or expired token.")
        del self.requested[token]
        mine = f"6253282-access{len(self.tokens)}token"
        self.tokens[mine] = f"accesssecret{len(self.tokens)}"
        told = {"oauth_token": mine, "oauth_token_secret": self.tokens[mine], "user_id": "6253282"}
        return 200, {}, urlencode(told)

    # The ad account.

    def _account(self) -> dict[str, Any]:
        return {
            "name": "API McTestface",
            "business_name": None,
            "timezone": self.zone,
            "timezone_switch_at": "2016-07-21T07:00:00Z",
            "id": ACCOUNT,
            "approval_status": "ACCEPTED",
            "deleted": False,
        }

    def _accounts(self, _query: Mapping[str, str]) -> Any:
        return {"next_cursor": None, "data": [self._account()]}

    def _funding(self, _query: Mapping[str, str]) -> Any:
        return {"next_cursor": None, "data": [{"id": "lygyi", "currency": self.currency, "deleted": False}]}

    def _campaigns(self, query: Mapping[str, str]) -> Any:
        wanted = query["campaign_ids"].split(",")
        assert len(wanted) <= 200
        known = {one.campaign for one in self.hours}
        data = [
            {"id": one, "name": self.names.get(one, f"Ad {one}"), "currency": self.currency, "deleted": False}
            for one in wanted
            if one in known
        ]
        return {"next_cursor": None, "data": data}

    def _midnight(self, date: str) -> dt.datetime:
        day = dt.datetime.fromisoformat(date)
        return day.replace(tzinfo=zoneinfo.ZoneInfo(self.zone)).astimezone(dt.UTC)

    def _active(self, query: Mapping[str, str]) -> Any:
        start, end = self._midnight(query["start_time"]), self._midnight(query["end_time"])
        if end - start > dt.timedelta(days=90):
            return refusal(400, "INVALID_TIME_WINDOW", "more than 90 days")
        found: dict[str, list[Hour]] = {}
        for one in self.hours:
            if start <= one.at < end:
                found.setdefault(one.campaign, []).append(one)
        return {
            "data": [
                {
                    "entity_id": campaign,
                    "activity_start_time": f"{min(one.at for one in some):%Y-%m-%dT%H:%M:%SZ}",
                    "activity_end_time": f"{max(one.at for one in some):%Y-%m-%dT%H:%M:%SZ}",
                    "placements": sorted({one.placement for one in some}),
                }
                for campaign, some in sorted(found.items())
            ]
        }

    def _stats(self, query: Mapping[str, str]) -> Any:
        ids = query["entity_ids"].split(",")
        start, end = self._midnight(query["start_time"]), self._midnight(query["end_time"])
        if len(ids) > 20:
            return refusal(400, "INVALID_PARAMETER", "Expected at most 20 ids")
        if end - start > dt.timedelta(days=7):
            return refusal(400, "INVALID_TIME_WINDOW", "more than 7 days")
        assert (query["entity"], query["granularity"]) == ("CAMPAIGN", "DAY")
        edges = self._edges(query, start, end)
        read = _web if query["metric_groups"] == "WEB_CONVERSION" else _costs
        data = []
        for campaign in ids:
            mine = [
                one for one in self.hours if (one.campaign, one.placement) == (campaign, query["placement"])
            ]
            pieces = [
                [one for one in mine if since <= one.at < until] for since, until in itertools.pairwise(edges)
            ]
            data.append({"id": campaign, "id_data": [{"segment": None, "metrics": read(pieces)}]})
        return {
            "data_type": "stats",
            "time_series_length": len(edges) - 1,
            "data": data,
            "request": {"params": {"start_time": f"{start:%Y-%m-%dT%H:%M:%SZ}"}},
        }

    def _edges(self, query: Mapping[str, str], start: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
        if self.days_are == "calendar":
            first, last = (dt.date.fromisoformat(query[name]) for name in ("start_time", "end_time"))
            days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
            return [self._midnight(day.isoformat()) for day in days]
        edges = [start]
        while edges[-1] < end:
            edges.append(min(edges[-1] + dt.timedelta(hours=24), end))
        return edges


def _series(pieces: list[list[Hour]], name: str) -> list[int] | None:
    told = [sum(getattr(one, name) for one in some) for some in pieces]
    return told if any(told) else None


def _costs(pieces: list[list[Hour]]) -> dict[str, Any]:
    return {
        "billed_engagements": None,
        "billed_charge_local_micro": _series(pieces, "micro"),
        "impressions": _series(pieces, "impressions"),
        "clicks": _series(pieces, "clicks"),
        "url_clicks": None,
    }


def _web(pieces: list[list[Hour]]) -> dict[str, Any]:
    engaged, viewed = _series(pieces, "engaged"), _series(pieces, "viewed")
    none = [0] * len(pieces)
    total = [a + b for a, b in zip(engaged or none, viewed or none, strict=True)]
    purchases = {
        "metric": total if any(total) else None,
        "post_engagement": engaged,
        "post_view": viewed,
        "assisted": None,
        "sale_amount": [100_000_000] * len(pieces),
        "order_quantity": [5_000_000] * len(pieces),
    }
    return {"conversion_purchases": purchases if any(total) else None, "conversion_sign_ups": None}


def refusal(status: int, code: str | int, message: str) -> Answer:
    return status, {}, json.dumps({"errors": [{"code": code, "message": message}], "request": {"params": {}}})
