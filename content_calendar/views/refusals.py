"""The domain's refusals in words: what happened, what it means, what to do."""

from __future__ import annotations

from django.utils.translation import gettext as _

from content_calendar.services.drafts import (
    AlreadyScheduled,
    AlreadySending,
    CampaignUnknown,
    LabelUnknown,
    MediaUnknown,
)
from content_calendar.services.media import ImageBroken, MediaRefused
from content_calendar.services.scheduling import InThePast, NoAccountChosen, NothingToMove, NotReady
from outbox.services.transitions import NotPossible

REFUSALS = (
    AlreadyScheduled,
    AlreadySending,
    CampaignUnknown,
    InThePast,
    LabelUnknown,
    MediaUnknown,
    NoAccountChosen,
    NotReady,
    NothingToMove,
    MediaRefused,
    NotPossible,
)


def refusal_sentence(refusal: Exception) -> str:
    match refusal:
        case InThePast():
            return _("This time is over. Choose a later one.")
        case NoAccountChosen():
            return _("Choose at least one account to publish on.")
        case NotReady():
            return " ".join(
                f"{check.account}: {issue.message}"
                for check in refusal.checks
                for issue in check.issues
                if issue.is_blocking
            )
        case AlreadySending() | NotPossible():
            return _(
                "Nothing was changed: the post is being sent, or a part of it is published already. "
                "Its page shows how far it got."
            )
        case AlreadyScheduled():
            return _(
                "Nothing was changed: the post has been scheduled meanwhile. Open it again to change it."
            )
        case CampaignUnknown():
            return _("This campaign cannot be chosen any more. Choose another one, or none.")
        case LabelUnknown():
            return _("A label was deleted meanwhile. Look at the labels again.")
        case MediaUnknown():
            return _("An image of the post was deleted meanwhile. Remove it from the post to save it.")
        case NothingToMove():
            return _("Nothing of this post is waiting to be sent any more.")
        case ImageBroken():
            return _("A stored image cannot be read any more. Remove it from the post and upload it again.")
        case MediaRefused():
            return _("An image could not be made small enough for a network. Use another one.")
        case _:
            raise refusal
