"""What can be done with deliveries; one module per subject."""

from outbox.services.pauses import AlreadyPaused, end_pause, pause_sending, resume_account
from outbox.services.scheduling import (
    answer_uncertain,
    cancel_delivery,
    move_delivery,
    replace_payload,
    retry_delivery,
    schedule_delivery,
)
from outbox.services.transitions import NotPossible

__all__ = [
    "AlreadyPaused",
    "NotPossible",
    "answer_uncertain",
    "cancel_delivery",
    "end_pause",
    "move_delivery",
    "pause_sending",
    "replace_payload",
    "resume_account",
    "retry_delivery",
    "schedule_delivery",
]
