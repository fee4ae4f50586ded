"""What a post shows people, derived from the states of its deliveries."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

from content_calendar.models import Approval
from outbox.models import DeliveryState


class PostState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    CHANGES_ASKED = "changes_asked", _("Changes asked")
    APPROVED = "approved", _("Approved")
    SCHEDULED = "scheduled", _("Scheduled")
    SENDING = "sending", _("Sending")
    PUBLISHED = "published", _("Published")
    PARTLY_PUBLISHED = "partly_published", _("Partly published")
    FAILED = "failed", _("Failed")
    UNCERTAIN = "uncertain", _("Uncertain")
    MISSED = "missed", _("Missed")
    HELD = "held", _("Held")


# Every delivery that counts: a cancelled one is as if it had never been.
LIVE_STATES = tuple(state for state in DeliveryState if state is not DeliveryState.CANCELLED)
UNDER_WAY_STATES = (
    DeliveryState.CLAIMED,
    DeliveryState.SENDING,
    DeliveryState.PROCESSING,
    DeliveryState.UNCERTAIN,
)

# A failed delivery whose post is at the network, only its first comment is not: beside the states above.
COMMENT_MISSING = "comment_missing"

# Names of the interface's tones, the same as on the badges; the word always stands beside the colour.
TONES: dict[PostState, str] = {
    PostState.DRAFT: "secondary",
    PostState.IN_REVIEW: "purple",
    PostState.CHANGES_ASKED: "orange",
    PostState.APPROVED: "blue",
    PostState.SCHEDULED: "azure",
    PostState.SENDING: "indigo",
    PostState.PUBLISHED: "green",
    PostState.PARTLY_PUBLISHED: "orange",
    PostState.FAILED: "red",
    PostState.UNCERTAIN: "yellow",
    PostState.MISSED: "orange",
    PostState.HELD: "purple",
}

# Of a post in no schedule, by its approval; a scheduled one whose deliveries were all cancelled is a draft.
OF_APPROVAL: dict[Approval, PostState] = {
    Approval.DRAFT: PostState.DRAFT,
    Approval.IN_REVIEW: PostState.IN_REVIEW,
    Approval.CHANGES_ASKED: PostState.CHANGES_ASKED,
    Approval.READY: PostState.APPROVED,
    Approval.APPROVED: PostState.DRAFT,
}
# The states in which nothing of a post is in the schedule, or ever was.
UNSCHEDULED_STATES = frozenset(OF_APPROVAL.values())

_SENDING = frozenset({DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.PROCESSING})


def derive_state(deliveries: Iterable[str], approval: str = Approval.DRAFT) -> PostState:
    """The state of a post from those of its deliveries, in the order of what a person must know first:
    an open question, work under way, a mixture, then what stands in the way, then the plain cases. Of a post
    without any, from its approval. Of COMMENT_MISSING part is published and part has failed."""
    given = set(deliveries)
    if COMMENT_MISSING in given:
        given = given - {COMMENT_MISSING} | {DeliveryState.SENT, DeliveryState.FAILED}
    states = {DeliveryState(state) for state in given} - {DeliveryState.CANCELLED}
    if not states:
        return OF_APPROVAL[Approval(approval)]
    if DeliveryState.UNCERTAIN in states:
        return PostState.UNCERTAIN
    if states & _SENDING:
        return PostState.SENDING
    if states == {DeliveryState.SENT}:
        return PostState.PUBLISHED
    if DeliveryState.SENT in states:
        return PostState.PARTLY_PUBLISHED
    for state, shown in (
        (DeliveryState.FAILED, PostState.FAILED),
        (DeliveryState.MISSED, PostState.MISSED),
        (DeliveryState.HELD, PostState.HELD),
    ):
        if state in states:
            return shown
    return PostState.SCHEDULED
