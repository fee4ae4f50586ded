"""The advertising platforms that this installation knows. Adding one is one file and one line here."""

from __future__ import annotations

from connectors.ads.base import AdConnector, AdPlatformInfo
from connectors.ads.linkedin import LinkedInAds
from connectors.ads.meta import MetaAds
from connectors.ads.pinterest import PinterestAds
from connectors.ads.tiktok import TikTokAds
from connectors.ads.x import XAds

AD_CONNECTORS: dict[str, type[AdConnector]] = {
    connector.INFO.key: connector for connector in (LinkedInAds, MetaAds, PinterestAds, TikTokAds, XAds)
}


class UnknownAdPlatform(LookupError):
    """No ad connector has this key."""


def ad_connector_class(key: str) -> type[AdConnector]:
    try:
        return AD_CONNECTORS[key]
    except KeyError:
        raise UnknownAdPlatform(key) from None


def ad_info_for(key: str) -> AdPlatformInfo:
    return ad_connector_class(key).INFO
