"""The two logins that Instagram's professional accounts have, and what they tell of an account.

Documents: documentation/instagram-platform (business-login) and documentation/facebook-login, 30 June 2026.
See connectors/instagram.py for what each of them can do.
"""

from __future__ import annotations

from urllib.parse import quote

from connectors import http, meta, meta_login
from connectors.base import AppCredentials, Connected, Json, Profile, Tokens
from connectors.errors import Rejected, RejectReason
from connectors.instagram_inbox import KEY
from connectors.instagram_info import AT_FACEBOOK, FACEBOOK, INSTAGRAM
from connectors.meta import Graph

ME = {"fields": "user_id,username,name,profile_picture_url"}


def by_itself(app: AppCredentials, code: str, redirect_uri: str) -> Connected:
    """The one account that signed in with Instagram Login. Raises Rejected for a code that is not taken."""
    door = Graph(KEY, http.base_url(f"{KEY}.login", "https://api.instagram.com"))
    form = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "grant_type": "authorization_code",
        "redirect_uri": redirect_uri,
        "code": code.removesuffix("#_"),
    }
    response = door.call("POST", "oauth/access_token", form=form)
    short = only(door.entry(response, app.client_secret, code))
    token = meta.word_of(short, "access_token")
    told = short.get("permissions")
    listed = told.split(",") if isinstance(told, str) else told if isinstance(told, list) else ()
    scopes = tuple(map(str, listed))
    query = {"grant_type": "ig_exchange_token", "client_secret": app.client_secret, "access_token": token}
    graph = Graph(KEY, root(), token)
    fresh = tokens_of(graph.entry(graph.call("GET", "access_token", params=query), app.client_secret))
    person_id = str(short.get("user_id") or "")
    options: Json = {"login": INSTAGRAM, "person_id": person_id, "scopes": list(scopes)}
    account = only(Graph(KEY, root(), fresh.access_token).get(f"{meta_login.VERSION}/me", ME))
    profile = profile_of(account)
    options |= {"ig_id": profile.remote_id, "username": profile.handle}
    return Connected(profile=profile, tokens=fresh, scopes=scopes, options=options)


def through_pages(app: AppCredentials, code: str, redirect_uri: str) -> tuple[Connected, ...]:
    """Every account that hangs on a Page of who signed in with Facebook Login. Raises Rejected(NOT_FOUND)."""
    base = http.base_url(f"{KEY}.facebook", meta_login.GRAPH)
    signed = meta_login.sign_in(KEY, base, app=app, code=code, redirect_uri=redirect_uri)
    linked = "instagram_business_account{id,username,name,profile_picture_url}"
    scopes = [name for name, theirs in AT_FACEBOOK.items() if set(theirs) <= set(signed.scopes)]
    found: dict[str, Connected] = {}
    for page in meta_login.pages(signed, f"id,access_token,{linked}"):
        account = page.get("instagram_business_account")
        if not isinstance(account, dict) or not account.get("id"):
            continue
        profile = profile_of(account)
        found[profile.remote_id] = Connected(
            profile=profile,
            tokens=Tokens(access_token=meta.word_of(page, "access_token")),
            scopes=signed.scopes,
            options={
                "login": FACEBOOK,
                "person_id": signed.person_id,
                "scopes": scopes,
                "ig_id": profile.remote_id,
                "page_id": meta.word_of(page),
                "username": profile.handle,
            },
        )
    if not found:
        raise Rejected(RejectReason.NOT_FOUND, "no Page with a linked professional account was allowed")
    return tuple(found.values())


def login_of(app: AppCredentials) -> str:
    return FACEBOOK if app.extra.get("login") == FACEBOOK else INSTAGRAM


def root() -> str:
    return http.base_url(KEY, "https://graph.instagram.com")


def only(answer: Json) -> Json:
    """Two guides show the same answers, one of them with a list around them."""
    listed = answer.get("data")
    return listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else answer


def tokens_of(answer: Json) -> Tokens:
    """The token is its own refresh token."""
    token = meta.word_of(answer, "access_token")
    return Tokens(access_token=token, refresh_token=token, expires_at=meta.lifetime(answer))


def profile_of(account: Json) -> Profile:
    remote_id = meta.word_of(account, "user_id" if account.get("user_id") else "id")
    handle = str(account.get("username") or "")
    link = f"https://www.instagram.com/{quote(handle, safe='', errors='replace')}/" if handle else ""
    return Profile(
        remote_id=remote_id,
        handle=handle or remote_id,
        display_name=str(account.get("name") or handle),
        avatar_url=meta.web_url(account.get("profile_picture_url")),
        profile_url=link,
    )
