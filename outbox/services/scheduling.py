"""What people do with a delivery: schedule it, move it, cancel it, try it again, say what happened."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import AccountStatus, SocialAccount, User
from connectors.base import Json
from core.ids import uuid7
from outbox.errors import StopReason
from outbox.missed import MissedRule
from outbox.models import (
    AttemptState,
    Delivery,
    DeliveryKind,
    DeliveryState,
    HeldReason,
    MissedPolicy,
    ReceiptEvent,
    ReceiptKind,
)
from outbox.services.transitions import NotPossible, move, note
from outbox.wording import mark_of

# A call whose outcome is not settled.
OPEN = (AttemptState.IN_FLIGHT, AttemptState.UNKNOWN, AttemptState.PROCESSING)
# What a person may still change: nothing of it is at the network or on its way.
CHANGEABLE = (DeliveryState.SCHEDULED, DeliveryState.HELD, DeliveryState.MISSED, DeliveryState.FAILED)

# What holds a delivery because of its time, and no longer does when a person gives it another.
NOT_AFTER_A_MOVE = (HeldReason.QUIET, HeldReason.UNDECIDED)


def schedule_delivery(
    *,
    account: SocialAccount,
    payload: Json,
    due_at: dt.datetime,
    actor: User,
    now: dt.datetime,
    kind: DeliveryKind = DeliveryKind.POST,
    missed_policy: MissedPolicy = MissedPolicy.ASK,
    missed_after_s: int = 24 * 3600,
    delivery_id: UUID | None = None,
) -> Delivery:
    """A new row in the schedule; the next tick after ``due_at`` (aware) takes it.

    ``delivery_id`` where the payload names the delivery: tracked links in its words, which are made first.
    """
    mark = mark_of(payload) if kind == DeliveryKind.POST else None
    with transaction.atomic():
        delivery = Delivery.objects.create(
            pk=delivery_id or uuid7(),
            brand_id=account.brand_id,
            account=account,
            kind=kind,
            payload=payload,
            words_hash=mark.hash if mark else None,
            words_sketch=mark.sketch if mark else None,
            due_at=due_at,
            next_attempt_at=due_at,
            missed_policy=missed_policy,
            missed_after_s=missed_after_s,
            scheduled_by=actor,
        )
        note(
            delivery.pk,
            ReceiptKind.SCHEDULED,
            at=now,
            detail={
                "due_at": due_at.isoformat(),
                "missed": MissedRule(MissedPolicy(missed_policy), missed_after_s).key,
            },
            actor=actor,
        ).save()
    return delivery


def _lock(delivery: Delivery) -> Delivery:
    """The row as it is now, locked until the caller's transaction ends.

    The send-time race is decided here: either the claim came first and the state says so, or the claim
    waits for us (it skips locked rows and finds it at its next tick).
    """
    return Delivery.objects.select_for_update().get(pk=delivery.pk)


def has_begun(delivery: Delivery) -> bool:
    """Whether something of it is at the network, or may be."""
    return delivery.attempts.filter(state__in=(*OPEN, AttemptState.DONE), step__endswith="publish").exists()


def move_delivery(*, delivery: Delivery, due_at: dt.datetime, actor: User, now: dt.datetime) -> Delivery:
    """Give it another time. Raises NotPossible once it is being sent or over."""
    with transaction.atomic():
        row = _lock(delivery)
        if row.state not in (DeliveryState.SCHEDULED, DeliveryState.HELD) or has_begun(row):
            raise NotPossible(row.state)
        times: dict[str, Any] = {"due_at": due_at, "next_attempt_at": due_at}
        if row.state == DeliveryState.HELD and row.held_reason in NOT_AFTER_A_MOVE:
            move(row, DeliveryState.SCHEDULED, held_reason="", **times)
        else:
            Delivery.objects.filter(pk=row.pk).update(**times)
            row.due_at = row.next_attempt_at = due_at
        note(
            row.pk, ReceiptKind.RESCHEDULED, at=now, detail={"due_at": due_at.isoformat()}, actor=actor
        ).save()
    return row


def replace_payload(*, delivery: Delivery, payload: Json, actor: User, now: dt.datetime) -> Delivery:
    """Freeze other content for a delivery that has not begun. Raises NotPossible when it has."""
    with transaction.atomic():
        row = _lock(delivery)
        if row.state not in CHANGEABLE or has_begun(row):
            raise NotPossible(row.state)
        row.payload = payload
        row.scheduled_by = actor
        mark = mark_of(payload) if row.kind == DeliveryKind.POST else None
        row.words_hash, row.words_sketch = (mark.hash, mark.sketch) if mark else (None, None)
        row.save(update_fields=["payload", "scheduled_by", "words_hash", "words_sketch"])
        note(row.pk, ReceiptKind.CHANGED, at=now, actor=actor).save()
    return row


def change_missed_rule(*, delivery: Delivery, rule: MissedRule, actor: User, now: dt.datetime) -> Delivery:
    """Another rule for a delivery that has not begun. Raises NotPossible when it has, or is over."""
    with transaction.atomic():
        row = _lock(delivery)
        if row.state not in CHANGEABLE or has_begun(row):
            raise NotPossible(row.state)
        row.missed_policy, row.missed_after_s = rule.policy, rule.after_s
        row.save(update_fields=["missed_policy", "missed_after_s"])
        note(row.pk, ReceiptKind.CHANGED, at=now, detail={"missed": rule.key}, actor=actor).save()
    return row


def cancel_delivery(*, delivery: Delivery, actor: User, now: dt.datetime) -> Delivery:
    """Take it out of the schedule for good. Raises NotPossible while it is being sent and when it was.

    What has begun and waits goes on by itself, unless its account was disconnected.
    """
    with transaction.atomic():
        row = _lock(delivery)
        if row.state in (DeliveryState.SCHEDULED, DeliveryState.HELD) and has_begun(row):
            account = SocialAccount.objects.only("status").get(pk=row.account_id)
            if account.status != AccountStatus.DISCONNECTED:
                raise NotPossible(row.state)
        move(row, DeliveryState.CANCELLED)
        note(row.pk, ReceiptKind.CANCELLED, at=now, actor=actor).save()
    return row


def retry_delivery(*, delivery: Delivery, actor: User, now: dt.datetime) -> Delivery:
    """Send a failed or missed one after all, from the step where it stopped. Raises NotPossible."""
    with transaction.atomic():
        row = _lock(delivery)
        if row.state not in (DeliveryState.FAILED, DeliveryState.MISSED):
            raise NotPossible(row.state)
        move(
            row,
            DeliveryState.SCHEDULED,
            due_at=now,
            next_attempt_at=now,
            failures=0,
            error="",
            error_detail="",
            scheduled_by_id=actor.pk,
        )
        note(row.pk, ReceiptKind.RESCHEDULED, at=now, detail={"due_at": now.isoformat()}, actor=actor).save()
    return row


def answer_uncertain(
    *, delivery: Delivery, did_appear: bool, permalink: str = "", actor: User | None, now: dt.datetime
) -> Delivery:
    """A person looked at the network; ``actor`` None: we came upon it there ourselves.

    "Yes" ends the delivery (in the middle of a thread: it is looked for once more, then the rest follows);
    "no" sends it again now. Raises NotPossible when it is not uncertain any more.
    """
    with transaction.atomic():
        row = _lock(delivery)
        if row.state != DeliveryState.UNCERTAIN:
            raise NotPossible(row.state)
        events: list[ReceiptEvent] = [
            note(row.pk, ReceiptKind.ANSWERED, at=now, detail={"did_appear": did_appear}, actor=actor)
        ]
        open_attempt = row.attempts.filter(state__in=OPEN, step__endswith="publish").first()
        last = f"part{len(row.payload['parts']) - 1}.publish"
        # The later parts of a thread need the id of this one: it is looked for once more instead.
        is_end = open_attempt is None or open_attempt.step == last
        if open_attempt is not None and (is_end or not did_appear):
            open_attempt.finished_at = now
            if did_appear:
                open_attempt.state = AttemptState.DONE
                open_attempt.result = {
                    "state": "done",
                    "remote_id": "",
                    "permalink": permalink,
                    "detail": {"by_person": True},
                    "retry_after_s": 0,
                }
            else:
                open_attempt.state = AttemptState.SUPERSEDED
                open_attempt.error = StopReason.NOT_FOUND_AFTERWARDS
            open_attempt.save(update_fields=["state", "result", "error", "finished_at"])
        values: dict[str, Any] = {"next_attempt_at": now, "failures": 0, "error": "", "error_detail": ""}
        if did_appear and is_end:
            move(row, DeliveryState.SENT, sent_at=now, permalink=row.permalink or permalink, **values)
            events.append(note(row.pk, ReceiptKind.SENT, at=now))
        else:
            # "No" means: send it now. The missed policy counts from here, or it would be too late at once.
            move(row, DeliveryState.SCHEDULED, due_at=row.due_at if did_appear else now, **values)
        ReceiptEvent.objects.bulk_create(events)
    return row
