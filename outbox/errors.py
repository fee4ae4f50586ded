"""Why a delivery stopped, beside connectors.errors.RejectReason: codes with their sentence for people."""

from __future__ import annotations

import enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from connectors.errors import RejectReason


class StopReason(enum.StrEnum):
    RATE_LIMITED = "rate_limited"
    TEMPORARY = "temporary"
    NEEDS_RECONNECT = "needs_reconnect"
    OUTCOME_UNKNOWN = "outcome_unknown"
    WORKER_LOST = "worker_lost"
    NOT_FOUND_AFTERWARDS = "not_found_afterwards"
    PROCESSING_TOO_LONG = "processing_too_long"
    NOT_ALLOWED = "not_allowed"
    ACCOUNT_DISCONNECTED = "account_disconnected"
    MEDIA_MISSING = "media_missing"
    MEDIA_PREPARING = "media_preparing"
    MEDIA_FAILED = "media_failed"
    POST_DELETED = "post_deleted"
    APPROVAL_MISSING = "approval_missing"
    TOO_LATE = "too_late"
    SKIPPED = "skipped"
    QUIET_PERIOD = "quiet_period"
    QUOTA = "quota"
    PROGRAM_ERROR = "program_error"
    NEWER_MESSAGE = "newer_message"
    GONE_AT_NETWORK = "gone_at_network"


SENTENCES: dict[str, Promise] = {
    RejectReason.TEXT_EMPTY: _("The text is empty."),
    RejectReason.TEXT_TOO_LONG: _("The text is too long for this network."),
    RejectReason.TOO_MANY_MEDIA: _("There are more images than this network takes in one post."),
    RejectReason.MEDIA_TYPE: _("This network does not take files of this type."),
    RejectReason.MEDIA_TOO_LARGE: _("An image is too large for this network."),
    RejectReason.MEDIA_BROKEN: _("The network could not read an image."),
    RejectReason.MEDIA_MISSING: _("This network takes no post without an image or a video."),
    RejectReason.MEDIA_NOT_PUBLIC: _(
        "The network fetches files from this installation and cannot reach it from outside."
    ),
    RejectReason.MEDIA_SHAPE: _("An image or video is wider or higher than this network takes."),
    RejectReason.MEDIA_MIXED: _("This network does not take images and a video in one post."),
    RejectReason.TOO_MANY_VIDEOS: _("There are more videos than this network takes in one post."),
    RejectReason.VIDEO_TOO_LONG: _("The video is too long for this network."),
    RejectReason.VIDEO_TOO_SHORT: _("The video is too short for this network."),
    RejectReason.VIDEO_TOO_FAST: _("The video has more frames per second than this network takes."),
    RejectReason.ALT_TEXT_TOO_LONG: _("An alternative text is too long for this network."),
    RejectReason.THREAD_TOO_LONG: _("The thread has more posts than this network takes."),
    RejectReason.SETTING_MISSING: _("Something that this network wants to know of a post was not said."),
    RejectReason.SETTING_INVALID: _("Something that was said of the post is not taken by this network."),
    RejectReason.TOO_MANY_TAGS: _("There are more hashtags or mentions than this network takes."),
    RejectReason.QUOTA_FULL: _("What the network allows this account is used up."),
    RejectReason.DUPLICATE: _("The network refused it because the same post is there already."),
    RejectReason.FORBIDDEN: _("The network does not allow this account to do that."),
    RejectReason.NOT_FOUND: _("The network no longer has what this belongs to."),
    RejectReason.INVALID: _("The network refused the content."),
    RejectReason.HOST_UNKNOWN: _("The network's server was not found."),
    RejectReason.HOST_REFUSED: _(
        "The server's address is a private one, which this installation does not call."
    ),
    RejectReason.NOT_SUPPORTED: _("This network cannot do that."),
    StopReason.RATE_LIMITED: _("The network asks us to wait."),
    StopReason.TEMPORARY: _("The network could not be reached."),
    StopReason.NEEDS_RECONNECT: _("The network no longer accepts our access: reconnect the account."),
    StopReason.OUTCOME_UNKNOWN: _("The connection broke after sending, so the outcome is being checked."),
    StopReason.WORKER_LOST: _("The program was stopped while sending, so the outcome is being checked."),
    StopReason.NOT_FOUND_AFTERWARDS: _(
        "It was sent twice without a clear answer and is not to be seen on the network."
    ),
    StopReason.PROCESSING_TOO_LONG: _("The network did not finish processing it."),
    StopReason.NOT_ALLOWED: _("The person who scheduled it may no longer do that for this brand."),
    StopReason.ACCOUNT_DISCONNECTED: _("The account was disconnected."),
    StopReason.MEDIA_MISSING: _("An image of the post is no longer there."),
    StopReason.MEDIA_PREPARING: _("A video is still being made ready for this network."),
    StopReason.MEDIA_FAILED: _("A video could not be made ready for this network."),
    StopReason.POST_DELETED: _("The post was deleted."),
    StopReason.APPROVAL_MISSING: _(
        "What it says was not approved. Submit the post for review; once it is approved it can be scheduled "
        "again."
    ),
    StopReason.TOO_LATE: _("It was too late to publish it."),
    StopReason.SKIPPED: _("It was skipped: it was too late for it, or somebody decided so."),
    StopReason.QUIET_PERIOD: _("It fell due in a quiet period. Decide whether it still goes out."),
    StopReason.QUOTA: _("The account's quota for now is used up."),
    StopReason.PROGRAM_ERROR: _("This program made a mistake. Its log has the details."),
    StopReason.NEWER_MESSAGE: _(
        "Somebody else wrote in this conversation meanwhile. Read it and decide again."
    ),
    StopReason.GONE_AT_NETWORK: _("What it answers was deleted at the network."),
}


def sentence(code: str) -> str:
    """What a code means, in the active language; "" for no code."""
    return str(SENTENCES[code]) if code in SENTENCES else ""
