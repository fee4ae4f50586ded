"""Who opens a short address: a person or a program, told apart without keeping anybody's address."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from crawleruseragents import is_crawler
from django.conf import settings
from django.utils.crypto import salted_hmac

# What says that nobody has clicked yet: a browser or an app that fetches ahead.
_AHEAD = {
    "sec-purpose": "prefetch",  # also "prefetch;prerender"
    "purpose": "prefetch",
    "x-purpose": "preview",  # older WebKit
    "x-moz": "prefetch",
}
# Every browser, and every browser within an app, names itself so (RFC 9110 leaves them no better choice).
# Servers of Misskey, Akkoma, GoToSocial and the like, which fetch previews, do not.
_BROWSER = re.compile(r"(?:Mozilla|Opera)/")
# Fetchers of previews that call themselves a browser and are not in the list of the package.
_PREVIEW = re.compile(r"Cardyb", re.IGNORECASE)  # Bluesky


def is_bot(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request is no person's click: crawlers, fetchers of link previews, fetching ahead, and HEAD,
    which browsers never send by themselves. ``headers`` finds names in any case."""
    if method == "HEAD":
        return True
    if any(value in headers.get(name, "").lower() for name, value in _AHEAD.items()):
        return True
    return is_bot_agent(headers.get("user-agent", ""))


@functools.lru_cache(maxsize=4096)
def is_bot_agent(user_agent: str) -> bool:
    """Whether a User-Agent is known for a program, or names no browser. Some hundred patterns are tried, so
    the answers are kept: few agents make most of the visits."""
    return (
        not _BROWSER.match(user_agent)
        or _PREVIEW.search(user_agent) is not None
        or bool(is_crawler(user_agent))
    )


def visitor(address: str, user_agent: str, day: dt.date) -> str:
    """32 characters that stay the same for one visitor on one (UTC) day, "" without an address.

    A keyed hash: without the installation's key nobody can try addresses against it, and on the next day
    the same visitor is another.
    """
    if not address:
        return ""
    value = f"{day.isoformat()}\n{address}\n{user_agent}"
    digest = salted_hmac("campaigns.visitors", value, algorithm="sha256").hexdigest()
    return digest[:32]


def referrer_host(referrer: str) -> str:
    """The host that a click came from, "" if it says none or comes from ourselves."""
    try:
        host = urlsplit(referrer).hostname or ""
    except ValueError:
        return ""
    own = {urlsplit(base).hostname for base in (settings.BASE_URL, settings.LINK_BASE_URL)}
    return "" if host in own or len(host) > 255 or "\0" in host else host
