"""The only writer of ``Delivery.state``: the table of outbox.models.TRANSITIONS is enforced here."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from accounts.models import User
from connectors.base import Json
from outbox.models import TRANSITIONS, Delivery, DeliveryState, ReceiptEvent, ReceiptKind


class NotPossible(Exception):
    """The delivery's state does not allow this (it is being sent already, or it is over)."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class LeaseLost(Exception):
    """Another worker owns this delivery now: stop, and write nothing more."""


@functools.cache
def sources_of(to: DeliveryState) -> list[DeliveryState]:
    """The states that may become ``to``."""
    return [state for state, following in TRANSITIONS.items() if to in following]


class Beside(NamedTuple):
    """Another write in the statement of a move. It is carried out whether the delivery moves or not, unless
    it selects from ``moved`` (the id of the row that moved, or no row); it must return an id."""

    sql: str
    parameters: Sequence[Any]


class Only(NamedTuple):
    """A further condition of a move, in its statement."""

    sql: str
    parameters: Sequence[Any]


def move(
    delivery: Delivery,
    to: DeliveryState,
    *,
    fence: int | None = None,
    events: Sequence[ReceiptEvent] = (),
    beside: Beside | None = None,
    only: Only | None = None,
    **values: Any,
) -> int | None:
    """Move one delivery and write its receipt lines, in one statement; ``values`` are set on row and object.

    With ``fence`` only the worker that holds that token may move it, else LeaseLost (so it is where ``only``
    does not hold: the caller tells which). Without, the change
    is a person's or the tick's, and a state that does not allow it raises NotPossible. Returns the id that
    ``beside`` returned.
    """
    is_moved, beside_id = _update(
        delivery.pk, values={"state": to, **values}, fence=fence, events=events, beside=beside, only=only
    )
    if not is_moved:
        if fence is not None:
            raise LeaseLost
        current = Delivery.objects.filter(pk=delivery.pk).values_list("state", flat=True).first()
        raise NotPossible(current or DeliveryState.CANCELLED)
    delivery.state = to
    for name, value in values.items():
        setattr(delivery, name, value)
    return beside_id


def _update(
    pk: UUID,
    *,
    values: dict[str, Any],
    fence: int | None,
    events: Sequence[ReceiptEvent],
    beside: Beside | None,
    only: Only | None,
) -> tuple[bool, int | None]:
    # By hand: this runs twice for every post, and building it through the ORM takes longer than the rest.
    assignments = ", ".join(f"{name} = %s" for name in values)
    parameters: list[Any] = [*values.values(), pk, sources_of(values["state"])]
    fenced = ""
    if fence is not None:
        fenced = "AND fence = %s"
        parameters.append(fence)
    if only is not None:
        fenced += f" AND {only.sql}"
        parameters += only.parameters
    # The state is compared as an expression, so that the row is looked up by its id: a partial index on a
    # state looks tiny to the planner, and in a burst it is full of rows that have just left that state.
    states = "state || '' = ANY(%s)"
    update = f"UPDATE outbox_delivery SET {assignments} WHERE id = %s AND {states} {fenced}"  # noqa: S608
    written = [f"moved AS ({update} RETURNING id)"]
    if events:
        lines = ", ".join(["(%s, %s::timestamptz, %s::jsonb, %s::bigint)"] * len(events))
        written.append(f"""lines AS (
            INSERT INTO outbox_receiptevent (delivery_id, kind, at, detail, actor_id)
            SELECT moved.id, line.* FROM moved, (VALUES {lines}) AS line
        )""")  # noqa: S608 - only placeholders are put in
        for event in events:
            parameters += [event.kind, event.at, json.dumps(event.detail), event.actor_id]
    if beside is not None:
        written.append(f"beside AS ({beside.sql})")
        parameters += beside.parameters
    answer = "(SELECT id FROM beside)" if beside is not None else "NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH {', '.join(written)} SELECT EXISTS (SELECT 1 FROM moved), {answer}",  # noqa: S608 - as above
            parameters,
        )
        row = cursor.fetchone()
    return bool(row and row[0]), row[1] if row else None


def move_many(ids: Iterable[UUID], to: DeliveryState, **values: Any) -> int:
    """Move rows that the caller has locked; returns how many their state allowed to move."""
    return Delivery.objects.filter(pk__in=list(ids), state__in=sources_of(to)).update(state=to, **values)


def note(
    delivery_id: UUID,
    kind: ReceiptKind,
    *,
    at: dt.datetime,
    detail: Json | None = None,
    actor: User | None = None,
) -> ReceiptEvent:
    """A receipt line, not yet saved (rows are written together)."""
    return ReceiptEvent(delivery_id=delivery_id, kind=kind, at=at, detail=detail or {}, actor=actor)
