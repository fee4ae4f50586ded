"""What an approval stands in the way of, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from content_calendar.models import ReviewStep
from content_calendar.services.approval import (
    ChangedMeanwhile,
    ClientDecides,
    NoApprovalAsked,
    NothingAsked,
    NothingToReview,
)
from content_calendar.services.review_links import LinkOver, NoPosts
from content_calendar.services.reviews import ApprovalMissing
from content_calendar.services.transitions import ApprovalNotPossible

APPROVAL_REFUSALS = (
    ApprovalMissing,
    ApprovalNotPossible,
    ChangedMeanwhile,
    ClientDecides,
    LinkOver,
    NoApprovalAsked,
    NoPosts,
    NothingAsked,
    NothingToReview,
)


def approval_sentence(refusal: Exception) -> str:
    """What happened and what to do. What is not of APPROVAL_REFUSALS rises."""
    match refusal:
        case ApprovalMissing() if ReviewStep.INTERNAL in refusal.steps:
            return _(
                "Not scheduled: this brand asks for an approval, and the post as it stands does not have it. "
                "Submit it for review; once it is approved it goes into the schedule by itself."
            )
        case ApprovalMissing():
            return _(
                "Not scheduled: the client has not approved the post as it stands. Submit it for review and "
                "send the client a link; once it is approved it goes into the schedule by itself."
            )
        case ApprovalNotPossible():
            return _("Nothing was changed: somebody has decided about this post meanwhile.")
        case ChangedMeanwhile():
            return _(
                "Nothing was decided: the post was changed after you opened this page. Look at it as it "
                "stands now, and decide again."
            )
        case ClientDecides():
            return _("This step is the client’s. Send a link; the client answers through it.")
        case LinkOver():
            return _("This link works no longer. Make a new one.")
        case NoApprovalAsked():
            return _("This brand asks for no approval: the post can be scheduled as it is.")
        case NoPosts():
            return _(
                "Choose at least one post that waits for the client. Some may have been decided meanwhile."
            )
        case NothingAsked():
            return _("Nothing was decided: this post does not wait for an answer any more.")
        case NothingToReview():
            return _("There is nothing to review yet. Write a text or add an image first.")
        case _:
            raise refusal
