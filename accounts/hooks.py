"""The webhooks that networks call: whose an address is, with what its calls are signed, what they tell.

Beside ``connecting`` the only place that asks the registry of networks for more than their facts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from accounts.connecting import credentials_of, open_tokens
from accounts.models import AppRegistration, SocialAccount
from accounts.services import apps
from connectors.base import Capability, Connector, WebhookEvent
from connectors.errors import NeedsReconnect
from connectors.registry import UnknownPlatform, connector_class
from core.crypto import CannotDecrypt

_KEY = re.compile(r"[\w-]{1,64}", re.ASCII)


class NoSuchHook(Exception):
    """The key was never made, or the network does not call."""


@dataclass(frozen=True, slots=True)
class HookSource:
    """Whose webhook was called: that of an ``app``, or of an ``account`` that has one of its own."""

    platform: str
    app: AppRegistration | None
    account: SocialAccount | None
    secret: str = field(default="", repr=False)
    verify_token: str = field(default="", repr=False)


def source_of(platform: str, key: str) -> HookSource:
    """Raises NoSuchHook. ``secret`` is empty when no key opens it: then nothing that comes is genuine."""
    try:
        info = connector_class(platform).INFO
    except UnknownPlatform:
        raise NoSuchHook from None
    if not info.can(Capability.WEBHOOKS) or not is_key(key):
        raise NoSuchHook
    app = AppRegistration.objects.filter(platform=platform, hook_key=key).first()
    if app is not None:
        return HookSource(platform, app, None, _secret_of(app), apps.shown(app).verify_token)
    account = (
        SocialAccount.objects.connected()
        .select_related("credential")
        .filter(platform=platform, hook_key=key, credential__isnull=False)
        .first()
    )
    if account is None:
        raise NoSuchHook
    try:
        secret = str(open_tokens(account.credential.secret).extra.get("channel_secret", ""))
    except CannotDecrypt:
        secret = ""
    return HookSource(platform, None, account, secret)


def is_key(word: str) -> bool:
    """Whether it has the form of our random keys: an address is no place to look up anything else."""
    return _KEY.fullmatch(word) is not None


def _secret_of(app: AppRegistration) -> str:
    try:
        return connector_class(app.platform).webhook_secret(credentials_of(app))
    except NeedsReconnect:
        return ""


def is_heard(app: AppRegistration) -> bool:
    """Whether calls about this app can be told from those of others: else its address is of no use."""
    return bool(_secret_of(app))


def challenge(source: HookSource, query: Mapping[str, str]) -> str | None:
    """What to answer to the network's question whether the address is ours; None = not at all."""
    network = connector_class(source.platform)
    return network.webhook_challenge(query, secret=source.secret, verify_token=source.verify_token)


def is_genuine(source: HookSource, body: bytes, headers: Mapping[str, str]) -> bool:
    """Names of headers are in any case."""
    if not source.secret:
        return False
    lower = {name.lower(): value for name, value in headers.items()}
    return connector_class(source.platform).is_genuine(body, lower, secret=source.secret)


def has_deletion(platform: str) -> bool:
    """Whether the network calls an address of its own with requests of deletion."""
    return "deletion_events" in {
        name
        for base in connector_class(platform).__mro__[:-1]
        for name in vars(base)
        if base is not Connector
    }


def events_of(platform: str, body: bytes, *, is_deletion: bool) -> tuple[WebhookEvent, ...]:
    """What a genuine call tells. Raises Rejected(INVALID)."""
    network = connector_class(platform)
    return network.deletion_events(body) if is_deletion else network.webhook_events(body)
