"""Between a stored account and its network: the only place that constructs connectors.

Tokens are decrypted here and nowhere else. A refresh token is often good for one use only, so tokens of
one account are refreshed by one process at a time: it takes a short lease on the Credential row, calls
the network outside any transaction, stores what came back and gives the lease up; whoever waited for the
lease finds the fresh tokens and uses those.
"""

from __future__ import annotations

import datetime as dt
import secrets
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import AppRegistration, Credential, SocialAccount
from connectors.base import (
    AppCredentials,
    AuthorizeRequest,
    Connected,
    Connector,
    Cost,
    Json,
    PostPayload,
    Profile,
    Tokens,
)
from connectors.errors import NeedsReconnect, Temporary
from connectors.limits import Allowance, Answer
from connectors.registry import connector_class
from core.crypto import CannotDecrypt, decrypt_json, encrypt_json

APP_NAME = "smmapp"
# Longer than any connector's refresh can take (connect and read time-outs of connectors.http).
REFRESH_LEASE = dt.timedelta(seconds=90)
REFRESH_WAIT_S = 60.0
REFRESH_POLL_S = 0.1
OAUTH_LIFETIME = dt.timedelta(minutes=15)


class OAuthExpired(Exception):
    """The answer came too late, a second time, or to a browser session that did not ask."""


@dataclass(frozen=True, slots=True)
class OAuthStart:
    """Send the browser to ``url`` and keep ``pending`` (plain JSON) in its session under ``state``."""

    url: str
    state: str
    pending: dict[str, str]


# --- a connector for a stored account -----------------------------------------------------------


def connector_for(account: SocialAccount) -> Connector:
    """A connector that speaks for ``account`` and refreshes its own tokens.

    Raises NeedsReconnect when the account is disconnected or its secret cannot be opened with any key.
    """
    stored = _read(account.pk)
    return connector_class(account.platform)(
        tokens=stored.tokens,
        options=account.options,
        renew=_renewer(account),
        app=credentials_of(stored.app) if stored.app else None,
    )


def cost_of(account: SocialAccount, payload: PostPayload) -> Cost | None:
    """What the account's network charges for a post; None = nothing. No secret is opened for it."""
    return connector_class(account.platform)(tokens=Tokens(), options=account.options).cost_of(payload)


def allowances_told(account: SocialAccount, answer: Answer, *, now: dt.datetime) -> tuple[Allowance, ...]:
    """What an answer that the account's network gave says of its limits."""
    return connector_class(account.platform).allowances_told(answer, now=now)


def amounts_of(account: SocialAccount, payload: PostPayload) -> dict[str, int]:
    """How much of which of the network's rates sending it takes, by name."""
    return connector_class(account.platform).amounts_of(payload)


def has_prices(platform: str) -> bool:
    """Whether posts cost anything there at all."""
    return connector_class(platform).cost_of is not Connector.cost_of


def can_be_asked(platform: str) -> bool:
    """Whether the network says before anything is sent whether it would take a post."""
    return connector_class(platform).dry_run is not Connector.dry_run


def refresh_tokens(account: SocialAccount, stale: Tokens | None = None) -> Tokens:
    """Fresh tokens for ``account``, stored; ``stale`` are the ones that the network refused.

    When another process has replaced ``stale`` meanwhile (or is doing so now), its tokens are returned
    and the network is not asked. Without ``stale`` the ones stored now are replaced. Must be called
    outside a transaction: its rollback would lose a refresh token that the network has already spent.
    Raises NeedsReconnect, Temporary and whatever else the network's refresh may raise.
    """
    known = stale or _read(account.pk).tokens
    give_up = time.monotonic() + REFRESH_WAIT_S
    while not _take_lease(account.pk):
        if time.monotonic() > give_up:
            raise Temporary("another process is refreshing these tokens")
        time.sleep(REFRESH_POLL_S)
    try:
        stored = _read(account.pk)
        if stored.tokens.access_token != known.access_token:
            return stored.tokens
        network = connector_class(account.platform)
        fresh = network.refresh(
            tokens=stored.tokens,
            options=account.options,
            app=credentials_of(stored.app) if stored.app else None,
        )
        _store_refreshed(account.pk, fresh)
        return fresh
    finally:
        Credential.objects.filter(pk=account.pk).update(refreshing_until=None)


def _renewer(account: SocialAccount) -> Callable[[Tokens], Tokens]:
    def renew(stale: Tokens) -> Tokens:
        return refresh_tokens(account, stale)

    return renew


@dataclass(frozen=True, slots=True)
class _Stored:
    tokens: Tokens
    app: AppRegistration | None


def _read(account_id: uuid.UUID) -> _Stored:
    credential = Credential.objects.select_related("app").filter(pk=account_id).first()
    if credential is None:
        raise NeedsReconnect("no credential is stored")
    try:
        return _Stored(open_tokens(credential.secret), credential.app)
    except CannotDecrypt:
        raise NeedsReconnect("no configured key opens the stored credential") from None


def _take_lease(account_id: uuid.UUID) -> bool:
    """Whether this process may refresh now. The database's clock decides, the same for all machines."""
    with transaction.atomic(durable=True):
        return (
            bool(
                Credential.objects.filter(pk=account_id)
                .filter(Q(refreshing_until__isnull=True) | Q(refreshing_until__lt=Now()))
                .update(refreshing_until=Now() + REFRESH_LEASE)
            )
            or not Credential.objects.filter(pk=account_id).exists()
        )  # disconnected: nothing to wait for


def _store_refreshed(account_id: uuid.UUID, fresh: Tokens) -> None:
    with transaction.atomic(durable=True):
        Credential.objects.filter(pk=account_id).update(secret=seal_tokens(fresh), refreshed_at=Now())
        ends = {"connection_expires_at": end_of(fresh)} if fresh.ends_at else {}
        SocialAccount.objects.filter(pk=account_id).update(token_expires_at=fresh.expires_at, **ends)


def end_of(tokens: Tokens) -> dt.datetime | None:
    """Until when a connection with these tokens holds without a person; None = no end is known."""
    if not tokens.refresh_token or tokens.ends_at is None:
        return None if tokens.refresh_token else tokens.expires_at
    return max(tokens.ends_at, tokens.expires_at or tokens.ends_at)


# --- tokens at rest ---------------------------------------------------------------------------


def seal_tokens(tokens: Tokens) -> str:
    """The encrypted form kept in ``Credential.secret``."""
    return encrypt_json(_tokens_json(tokens))


def seal_connections(connections: Sequence[Connected]) -> str:
    """The encrypted form kept in ``ConnectionOffer.secret``."""
    return encrypt_json(
        {
            "connections": [
                {
                    "profile": asdict(one.profile),
                    "tokens": _tokens_json(one.tokens),
                    "scopes": list(one.scopes),
                    "options": one.options,
                }
                for one in connections
            ]
        }
    )


def open_connections(secret: str) -> tuple[Connected, ...]:
    """Raises CannotDecrypt."""
    return tuple(
        Connected(
            profile=Profile(**one["profile"]),
            tokens=_tokens(one["tokens"]),
            scopes=tuple(one["scopes"]),
            options=one["options"],
        )
        for one in decrypt_json(secret)["connections"]
    )


def open_tokens(secret: str) -> Tokens:
    """Raises CannotDecrypt."""
    return _tokens(decrypt_json(secret))


def _tokens_json(tokens: Tokens) -> Json:
    return {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_at": tokens.expires_at.isoformat() if tokens.expires_at else None,
        "extra": tokens.extra,
        "ends_at": tokens.ends_at.isoformat() if tokens.ends_at else None,
    }


def _tokens(clear: Json) -> Tokens:
    expires_at, ends_at = clear.get("expires_at"), clear.get("ends_at")
    return Tokens(
        access_token=clear["access_token"],
        refresh_token=clear.get("refresh_token", ""),
        expires_at=dt.datetime.fromisoformat(expires_at) if expires_at else None,
        extra=clear.get("extra", {}),
        ends_at=dt.datetime.fromisoformat(ends_at) if ends_at else None,
    )


# --- our app at a network, and OAuth ------------------------------------------------------------


def app_registration(*, platform: str, host: str, redirect_uri: str, website: str) -> AppRegistration:
    """Our app at this network (``host`` "" where it has only one server), registered if need be.

    Must be called outside a transaction. Raises the errors of ``Connector.register_app``.
    """
    ours = AppRegistration.objects.filter(organization__isnull=True)
    found = ours.filter(platform=platform, host=host, redirect_uri=redirect_uri).first()
    if found is not None:
        return found
    made = connector_class(platform).register_app(
        host=host, redirect_uri=redirect_uri, app_name=APP_NAME, website=website
    )
    secret = encrypt_json(
        {"client_id": made.client_id, "client_secret": made.client_secret, "extra": made.extra}
    )
    canonical = made.host or host
    try:
        with transaction.atomic():
            return AppRegistration.objects.create(
                platform=platform, host=canonical, redirect_uri=redirect_uri, secret=secret
            )
    except IntegrityError:  # the same host was registered meanwhile, or is known under its canonical address
        return ours.get(platform=platform, host=canonical, redirect_uri=redirect_uri)


def forget_unused_app(app_id: str) -> None:
    """Drop a registration that no account uses, so that the next attempt registers anew.

    For a server that has forgotten us: its sign-in page refuses the app and the browser never returns. One
    that was made by hand stays: nobody could make it again by themselves.
    """
    in_use = Credential.objects.filter(app__isnull=False).values("app")
    AppRegistration.objects.filter(pk=app_id, organization__isnull=True).exclude(pk__in=in_use).delete()


def begin_oauth(
    *, app: AppRegistration, redirect_uri: str, scopes: Sequence[str] = (), now: dt.datetime
) -> OAuthStart:
    """The first half of an OAuth connection, with ``app_registration`` or an app made by hand. ``scopes``:
    those of the features that were chosen, none = all.

    Raises Rejected, Temporary, NeedsReconnect when no key opens the app's secret.
    """
    network = connector_class(app.platform)

    def authorize(credentials: AppCredentials, state: str) -> AuthorizeRequest:
        return network.authorize_url(app=credentials, redirect_uri=redirect_uri, state=state, scopes=scopes)

    return start_oauth(app=app, redirect_uri=redirect_uri, authorize=authorize, now=now)


def start_oauth(
    *,
    app: AppRegistration,
    redirect_uri: str,
    authorize: Callable[[AppCredentials, str], AuthorizeRequest],
    now: dt.datetime,
) -> OAuthStart:
    """The first half of any sign-in with an app; ``authorize`` is given the app and the state, and may answer
    with another state.

    Raises NeedsReconnect when no key opens the app's secret, and what ``authorize`` raises.
    """
    state = secrets.token_urlsafe(32)
    asked = authorize(credentials_of(app), state)
    pending = {
        "platform": app.platform,
        "app": str(app.pk),
        "redirect_uri": redirect_uri,
        "verifier": encrypt_json({"code_verifier": asked.code_verifier}),
        "started_at": now.isoformat(),
    }
    return OAuthStart(asked.url, asked.state or state, pending)


def finish_oauth(
    *, pending: Mapping[str, Any], code: str, now: dt.datetime
) -> tuple[tuple[Connected, ...], AppRegistration]:
    """The second half: the code that came back becomes tokens, of each account that the person can speak
    for. The caller has taken ``pending`` out of the session, so that it serves once; the keys of the features
    that were chosen, ``pending["features"]``, are kept with the accounts. Not to be called in a transaction.

    Raises OAuthExpired, NeedsReconnect (code refused), Rejected, Temporary.
    """
    app, verifier = resume_oauth(pending=pending, now=now)
    connected = connector_class(pending["platform"]).exchange_accounts(
        app=credentials_of(app), code=code, code_verifier=verifier, redirect_uri=pending["redirect_uri"]
    )
    if (features := pending.get("features")) is not None:
        connected = tuple(
            replace(one, options={**one.options, "features": list(features)}) for one in connected
        )
    return connected, app


def resume_oauth(*, pending: Mapping[str, Any], now: dt.datetime) -> tuple[AppRegistration, str]:
    """The app of a sign-in that came back, and its code verifier. Raises OAuthExpired."""
    if now - dt.datetime.fromisoformat(pending["started_at"]) > OAUTH_LIFETIME:
        raise OAuthExpired
    app = AppRegistration.objects.filter(pk=pending["app"]).first()
    if app is None:
        raise OAuthExpired
    try:
        return app, str(decrypt_json(pending["verifier"])["code_verifier"])
    except CannotDecrypt:
        raise OAuthExpired from None


def credentials_of(registration: AppRegistration) -> AppCredentials:
    """Raises NeedsReconnect when no key opens the registration's secret."""
    try:
        clear = decrypt_json(registration.secret)
    except CannotDecrypt:
        raise NeedsReconnect("no configured key opens the stored app registration") from None
    return AppCredentials(
        client_id=clear["client_id"],
        client_secret=clear["client_secret"],
        host=registration.host,
        extra=clear["extra"],
    )
