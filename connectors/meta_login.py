"""Signing in with Facebook, as Facebook Pages and Instagram accounts that hang on a Page do it.

Documents: documentation/facebook-login/guides/advanced/manual-flow, guides/access-tokens/get-long-lived,
docs/graph-api/reference/user/accounts, user/permissions, as of July 2026.

The code becomes a token of the person for an hour, that one for 60 days, and with it ``/me/accounts`` gives
each Page its own token, which does not end while the person keeps the permission (not confirmed by a live
call). The flow has no PKCE outside of OpenID: ``state`` and the app's secret protect it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from connectors.base import AppCredentials, AuthorizeRequest, Json
from connectors.meta import Graph, word_of

VERSION = "v25.0"
GRAPH = f"https://graph.facebook.com/{VERSION}"
DIALOG = f"https://www.facebook.com/{VERSION}"
MOST_PAGES = 20  # of the list of a person's Pages


@dataclass(frozen=True, slots=True)
class SignedIn:
    """``person_id``: of the person for our app, as requests of deletion name them."""

    graph: Graph
    person_id: str
    scopes: tuple[str, ...]
    token: str = field(repr=False)


def authorize(
    dialog: str, *, app: AppCredentials, redirect_uri: str, state: str, scopes: Sequence[str]
) -> AuthorizeRequest:
    """With Facebook Login for Business the scopes stand in a configuration of the app (``config_id``)."""
    query = {
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "response_type": "code",
    }
    config_id = str(app.extra.get("config_id") or "")
    query |= {"config_id": config_id} if config_id else {"scope": ",".join(scopes)}
    return AuthorizeRequest(url=f"{dialog}/dialog/oauth?{urlencode(query)}", code_verifier="")


def sign_in(key: str, base: str, *, app: AppCredentials, code: str, redirect_uri: str) -> SignedIn:
    """Raises Rejected(INVALID) for a code that is not taken."""
    # The documented form of both calls is a query; our log has none.
    door = Graph(key, base)
    ours = {"client_id": app.client_id, "client_secret": app.client_secret}
    short = _token(door, {**ours, "redirect_uri": redirect_uri, "code": code}, app)
    renewed = {**ours, "grant_type": "fb_exchange_token", "fb_exchange_token": short}
    token = _token(door, renewed, app)
    graph = Graph(key, base, token, app.client_secret)
    person = graph.get("me", {"fields": "id"})
    permissions = graph.get("me/permissions")
    rows = permissions.get("data")
    granted = tuple(
        str(one.get("permission"))
        for one in (rows if isinstance(rows, list) else ())
        if isinstance(one, dict) and one.get("status") == "granted"
    )
    return SignedIn(graph, word_of(person), granted, token)


def _token(door: Graph, query: Json, app: AppCredentials) -> str:
    secrets = (app.client_secret, str(query.get("code") or ""), str(query.get("fb_exchange_token") or ""))
    answer = door.entry(door.call("GET", "oauth/access_token", params=query), *secrets)
    return word_of(answer, "access_token")


def pages(signed: SignedIn, fields: str) -> list[Json]:
    """The Pages that the person gave us, each with its token; those without one are left out."""
    listed = signed.graph.lists("me/accounts", {"fields": fields, "limit": 100}, most_pages=MOST_PAGES)
    return [page for page in listed if page.get("access_token") and page.get("id")]
