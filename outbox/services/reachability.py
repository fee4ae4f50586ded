"""Whether networks can fetch the files of posts: this installation asks its own public address."""

from __future__ import annotations

import datetime as dt
import secrets

from connectors import http
from connectors.errors import ConnectorError, Rejected, RejectReason
from outbox.public_media import PROBE, address_of, has_public_address
from outbox.reach import Finding, Reach, keep_reach

TIMEOUT_S = 10.0
_WORD_BYTES = 16


def check_public_media(*, now: dt.datetime) -> Reach:
    """Ask for a word that only we know, and keep what was found for those who look later. Raises nothing:
    whatever goes wrong is what was found. Must be called outside a transaction."""
    reach = _asked(now) if has_public_address() else Reach(Finding.NOT_SET, now)
    keep_reach(reach)
    return reach


def _asked(now: dt.datetime) -> Reach:
    word = secrets.token_urlsafe(_WORD_BYTES)
    url = address_of(word, PROBE)
    try:
        # Guarded as the host of a stranger: what leads to a private address is no public one.
        response = http.request(
            "GET", url, platform="own address", timeout_s=TIMEOUT_S, guard=True, first_bytes=1024
        )
    except http.HostNotFound as error:
        return Reach(Finding.NO_HOST, now, error.detail)
    except Rejected as error:
        is_private = error.reason is RejectReason.HOST_REFUSED
        return Reach(Finding.PRIVATE if is_private else Finding.NO_ANSWER, now, error.detail)
    except ConnectorError as error:
        return Reach(Finding.NO_ANSWER, now, error.detail)
    if response.status_code != 200 or response.text.strip() != word:
        return Reach(Finding.OTHER_ANSWER, now, f"HTTP {response.status_code}")
    if response.url != url:
        return Reach(Finding.REDIRECTED, now, response.url.partition("/media/")[0])
    return Reach(Finding.REACHED, now)
