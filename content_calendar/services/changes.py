"""What can be asked of many posts at once, as values, and what it makes of a post's content and time."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from content_calendar.content import Parts, parts_from_json, parts_to_json
from content_calendar.models import BulkKind
from content_calendar.services.drafts import Draft
from core.time import instant_of, to_local
from outbox.missed import MissedRule, rule_of


class NoTimeYet(Exception):
    """A draft without a time was to be moved or scheduled, and no time was given for it."""


@dataclass(frozen=True, slots=True)
class Move:
    """Another time. ``date`` and ``time`` (wall time of the brand's zone) take the place of the post's own,
    then it is moved by ``days``, its wall time kept, and last by ``minutes`` that really pass."""

    kind: ClassVar[BulkKind] = BulkKind.MOVE
    days: int = 0
    minutes: int = 0
    date: dt.date | None = None
    time: dt.time | None = None

    def moved(self, at: dt.datetime | None, zone: str) -> dt.datetime:
        """The new instant of what is planned for ``at`` (aware). A wall time that the clocks skip means the
        end of the gap. Raises NoTimeYet, OverflowError."""
        if at is None:
            if self.date is None or self.time is None:
                raise NoTimeYet
            wall = dt.datetime.combine(self.date, self.time)
        else:
            local = to_local(at, zone).replace(tzinfo=None)
            wall = dt.datetime.combine(
                self.date or local.date(), local.time() if self.time is None else self.time
            )
            if wall == local and not self.days:  # the same wall time may be the second of its kind
                return at + dt.timedelta(minutes=self.minutes)
        return instant_of(wall + dt.timedelta(days=self.days), zone) + dt.timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Edit:
    """Other facts about posts. ``campaign`` and ``missed`` are set only where ``sets_...`` says so."""

    kind: ClassVar[BulkKind] = BulkKind.EDIT
    sets_campaign: bool = False
    campaign: uuid.UUID | None = None
    add_labels: tuple[uuid.UUID, ...] = ()
    remove_labels: tuple[uuid.UUID, ...] = ()
    add_accounts: tuple[uuid.UUID, ...] = ()
    remove_accounts: tuple[uuid.UUID, ...] = ()
    sets_missed: bool = False
    missed: MissedRule | None = None  # None: what the brand does

    @property
    def is_empty(self) -> bool:
        return self == Edit()

    def applied(self, draft: Draft) -> Draft:
        accounts = _without(draft.accounts, self.remove_accounts, self.add_accounts)
        return replace(
            draft,
            campaign=self.campaign if self.sets_campaign else draft.campaign,
            labels=_without(draft.labels, self.remove_labels, self.add_labels),
            accounts=accounts,
            own_parts={pk: parts for pk, parts in draft.own_parts.items() if pk in accounts},
            settings={pk: answers for pk, answers in draft.settings.items() if pk in accounts},
            missed=self.missed if self.sets_missed else draft.missed,
        )


def _without(
    have: tuple[uuid.UUID, ...], less: tuple[uuid.UUID, ...], more: tuple[uuid.UUID, ...]
) -> tuple[uuid.UUID, ...]:
    return tuple(dict.fromkeys([pk for pk in have if pk not in less] + list(more)))


@dataclass(frozen=True, slots=True)
class Replace:
    """Other words in the place of ``find``, in the texts of the post and in those of its accounts."""

    kind: ClassVar[BulkKind] = BulkKind.REPLACE
    find: str
    by: str
    matches_case: bool = False

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.escape(self.find), 0 if self.matches_case else re.IGNORECASE)

    def applied(self, draft: Draft) -> Draft:
        return replace(
            draft,
            parts=self._parts(draft.parts),
            own_parts={pk: self._parts(parts) for pk, parts in draft.own_parts.items()},
        )

    def _parts(self, parts: Parts) -> Parts:
        return tuple(
            replace(part, text=self.pattern.sub(lambda _found: self.by, part.text)) for part in parts
        )


@dataclass(frozen=True, slots=True)
class Plain:
    """Schedule at its time, take back to the drafts, delete: nothing more to say about it."""

    kind: BulkKind


Wish = Move | Edit | Replace | Plain


def draft_to_json(draft: Draft) -> dict[str, Any]:
    return {
        "parts": parts_to_json(draft.parts),
        "accounts": [str(pk) for pk in draft.accounts],
        "own_parts": {str(pk): parts_to_json(parts) for pk, parts in draft.own_parts.items()},
        "planned_at": draft.planned_at.isoformat() if draft.planned_at else None,
        "campaign": str(draft.campaign) if draft.campaign else None,
        "missed": draft.missed.key if draft.missed else "",
        "labels": [str(pk) for pk in draft.labels],
        "settings": {str(pk): dict(answers) for pk, answers in draft.settings.items()},
    }


def draft_from_json(value: Mapping[str, Any]) -> Draft:
    return Draft(
        parts=parts_from_json(value["parts"]),
        accounts=tuple(uuid.UUID(pk) for pk in value["accounts"]),
        own_parts={uuid.UUID(pk): parts_from_json(parts) for pk, parts in value["own_parts"].items()},
        planned_at=dt.datetime.fromisoformat(value["planned_at"]) if value["planned_at"] else None,
        campaign=uuid.UUID(value["campaign"]) if value["campaign"] else None,
        missed=rule_of(value["missed"]) if value["missed"] else None,
        labels=tuple(uuid.UUID(pk) for pk in value["labels"]),
        settings={uuid.UUID(pk): answers for pk, answers in value.get("settings", {}).items()},
    )
