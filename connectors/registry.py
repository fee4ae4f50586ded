"""The networks that this installation knows. Adding one is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.base import Connector, PlatformInfo
from connectors.bluesky import BlueskyConnector
from connectors.facebook import FacebookConnector
from connectors.instagram import InstagramConnector
from connectors.mastodon import MastodonConnector
from connectors.sandbox import SandboxConnector
from connectors.x import XConnector

CONNECTORS: dict[str, type[Connector]] = {
    connector.INFO.key: connector
    for connector in (
        BlueskyConnector,
        FacebookConnector,
        InstagramConnector,
        MastodonConnector,
        SandboxConnector,
        XConnector,
    )
}


class UnknownPlatform(LookupError):
    """No connector has this key."""


def connector_class(platform: str) -> type[Connector]:
    try:
        return CONNECTORS[platform]
    except KeyError:
        raise UnknownPlatform(platform) from None


def info_for(platform: str, options: Mapping[str, Any] | None = None) -> PlatformInfo:
    """What a network can do; with ``options`` the limits of that account's own server."""
    return connector_class(platform).info_for(options or {})
