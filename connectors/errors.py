"""The five errors a connector may raise; each one says what the caller does next.

Anything else that escapes a connector is a bug and is left to rise.
"""

from __future__ import annotations

import datetime as dt
import enum


class RejectReason(enum.StrEnum):
    """Why a network (or our own check before it) refuses something for good.

    The interface translates the code; ``detail`` keeps the network's own words.
    """

    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    TOO_MANY_MEDIA = "too_many_media"
    MEDIA_TYPE = "media_type"
    MEDIA_TOO_LARGE = "media_too_large"
    MEDIA_BROKEN = "media_broken"
    MEDIA_MISSING = "media_missing"  # a post of words alone where none is taken
    MEDIA_NOT_PUBLIC = "media_not_public"  # the network fetches files, and cannot reach this installation
    MEDIA_SHAPE = "media_shape"  # wider or higher than is taken
    MEDIA_MIXED = "media_mixed"  # images and a video in one post
    TOO_MANY_VIDEOS = "too_many_videos"
    VIDEO_TOO_LONG = "video_too_long"
    VIDEO_TOO_SHORT = "video_too_short"
    VIDEO_TOO_FAST = "video_too_fast"  # more frames per second than are taken
    ALT_TEXT_TOO_LONG = "alt_text_too_long"
    THREAD_TOO_LONG = "thread_too_long"
    SETTING_MISSING = "setting_missing"  # something that the network wants to be told of a post
    SETTING_INVALID = "setting_invalid"
    TOO_MANY_TAGS = "too_many_tags"
    QUOTA_FULL = "quota_full"  # an allowance that does not come back by waiting a little
    DUPLICATE = "duplicate"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    INVALID = "invalid"
    HOST_UNKNOWN = "host_unknown"
    HOST_REFUSED = "host_refused"
    NOT_SUPPORTED = "not_supported"


class ConnectorError(Exception):
    """Base of the five. ``detail`` is the network's text with secrets removed, for the receipt."""

    def __init__(self, detail: str = "") -> None:
        # A network may say what no database takes: zero bytes, halves of surrogate pairs.
        self.detail = detail.replace("\0", "").encode(errors="replace").decode()
        super().__init__(self.detail)


class NeedsReconnect(ConnectorError):
    """The credential is no longer accepted: hold this account until a person reconnects it.

    ``advice``: an English sentence for the person who just typed it, where the network tells more than
    "wrong"; the interface translates it.
    """

    def __init__(self, detail: str = "", advice: str = "") -> None:
        super().__init__(detail)
        self.advice = advice


class RateLimited(ConnectorError):
    """Wait until ``retry_at`` (aware, UTC), for everything that shares the account's bucket; with
    ``of_app`` for all accounts of the same developer app, with ``of_call`` for this kind of call alone:
    what else is to be sent does not wait."""

    def __init__(
        self, retry_at: dt.datetime, detail: str = "", *, of_app: bool = False, of_call: bool = False
    ) -> None:
        super().__init__(detail)
        self.retry_at = retry_at
        self.of_app = of_app
        self.of_call = of_call


class Temporary(ConnectorError):
    """The network surely did *not* carry the request out; try again later, with backoff.

    With ``starts_over`` what earlier steps of the part left (an upload, a container) is gone, and surely
    nothing came of it: those steps are carried out anew, too.
    """

    def __init__(self, detail: str = "", *, starts_over: bool = False) -> None:
        super().__init__(detail)
        self.starts_over = starts_over


class Rejected(ConnectorError):
    """The network surely did not carry it out and never will: fail, and say why."""

    def __init__(self, reason: RejectReason, detail: str = "") -> None:
        super().__init__(detail)
        self.reason = reason


class OutcomeUnknown(ConnectorError):
    """The request may or may not have been carried out (time-out after sending, dropped connection,
    an error of a server that may already have stored it). Never repeat it blindly."""
