"""The domain's refusals in words: what happened, what it means, what to do."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from content_calendar.services.drafts import (
    AlreadyScheduled,
    AlreadySending,
    CampaignUnknown,
    LabelUnknown,
    MediaUnknown,
)
from content_calendar.services.media import ImageBroken, MediaRefused
from content_calendar.services.queues import NoFreeSlot, NoSlots
from content_calendar.services.scheduling import (
    InThePast,
    NoAccountChosen,
    NothingToMove,
    NotReady,
    OnlyATemplate,
)
from content_calendar.views.approval_refusals import APPROVAL_REFUSALS, approval_sentence
from outbox.services.transitions import NotPossible

REFUSALS = (
    AlreadyScheduled,
    AlreadySending,
    CampaignUnknown,
    InThePast,
    LabelUnknown,
    MediaUnknown,
    NoAccountChosen,
    NoFreeSlot,
    NoSlots,
    NotReady,
    NothingToMove,
    OnlyATemplate,
    MediaRefused,
    NotPossible,
    *APPROVAL_REFUSALS,
)


# Of those with nothing to add to them.
_SENTENCES: dict[type[Exception], Promise] = {
    InThePast: gettext_lazy("This time is over. Choose a later one."),
    NoAccountChosen: gettext_lazy("Choose at least one account to publish on."),
    CampaignUnknown: gettext_lazy("This campaign cannot be chosen any more. Choose another one, or none."),
    LabelUnknown: gettext_lazy("A label was deleted meanwhile. Look at the labels again."),
    MediaUnknown: gettext_lazy(
        "An image of the post was deleted meanwhile. Remove it from the post to save it."
    ),
    NothingToMove: gettext_lazy("Nothing of this post is waiting to be sent any more."),
    NoSlots: gettext_lazy(
        "None of these accounts has a posting slot that is offered: set up slots under Queues, or resume a "
        "paused queue."
    ),
    NoFreeSlot: gettext_lazy(
        "Every slot of the coming half year is taken. Choose a time, or add slots under Queues."
    ),
    OnlyATemplate: gettext_lazy("This is a template: posts are made from it, it does not go out itself."),
}


def refusal_sentence(refusal: Exception) -> str:
    if type(refusal) in _SENTENCES:
        return str(_SENTENCES[type(refusal)])
    match refusal:
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
        case ImageBroken():
            return _("A stored image cannot be read any more. Remove it from the post and upload it again.")
        case MediaRefused():
            return _("An image could not be made small enough for a network. Use another one.")
        case _:
            return approval_sentence(refusal)
