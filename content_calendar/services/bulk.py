"""Changes of many posts at once: what they would do, doing it, taking it back.

Each post is changed by the same services as by hand, in a transaction of its own, so that one refusal stops
no other and the sender waits for none. A preview does the same and rolls it back: it cannot promise what the
change would then refuse.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from accounts.models import Organization, User
from content_calendar.models import BulkAction, BulkChange, BulkKind, BulkOutcome, Post
from content_calendar.selectors.posts import with_variants
from content_calendar.selectors.states import LIVE_STATES
from content_calendar.services import drafts, scheduling
from content_calendar.services.changes import (
    Move,
    NoTimeYet,
    Plain,
    Replace,
    Wish,
    draft_from_json,
    draft_to_json,
)
from content_calendar.services.drafts import AlreadyScheduled, Draft

MOST_POSTS = 200  # in one action
KEPT_FOR = dt.timedelta(days=30)


class ChangedMeanwhile(Exception):
    """The post is not what was shown: somebody changed or deleted it."""


class NotAllowed(Exception):
    """What stands in the schedule is changed by those who may publish."""


class NothingChanges(Exception):
    """The post is like that already."""


class WordsNotFound(NothingChanges):
    """The words that are to be replaced do not stand in it."""


class UndoTooLate(Exception):
    """A day has passed, or it was taken back already."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """The domain's refusals, and how the reader is told of one."""

    kinds: tuple[type[Exception], ...]
    sentence: Callable[[Exception], str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one post; ``after`` is None where its content and time stay or it was refused.
    ``leaves_schedule``: what it says then has to be approved first."""

    post: Post
    before: Draft
    after: Draft | None
    reason: str = ""  # why it is refused, "" if it is not
    leaves_schedule: bool = False


def preview(
    *,
    posts: Collection[uuid.UUID],
    wish: Wish,
    actor: User,
    may_publish: bool,
    refusals: Refusals,
    now: dt.datetime,
) -> list[Outcome]:
    """What ``carry_out`` would do to each of the posts, which the actor may see. Nothing is changed."""
    found = {post.pk: post for post in with_variants(Post.objects.filter(pk__in=posts))}
    outcomes = []
    for pk in posts:
        if pk not in found:
            continue
        before = Draft.of_post(found[pk])
        try:
            with transaction.atomic():
                row = _locked(pk, found[pk].version)
                after = _changed(row, wish, actor=actor, may_publish=may_publish, now=now)
                leaves = after is not None and _is_live(row) and not _is_live(_locked(pk, None))
                transaction.set_rollback(True)
        except refusals.kinds as refusal:
            outcomes.append(Outcome(found[pk], before, None, refusals.sentence(refusal)))
        else:
            outcomes.append(Outcome(found[pk], before, after, leaves_schedule=leaves))
    return outcomes


def carry_out(
    *,
    action_id: uuid.UUID,
    organization: Organization,
    shown: Sequence[tuple[Post, int]],
    wish: Wish,
    actor: User,
    may_publish: bool,
    refusals: Refusals,
    now: dt.datetime,
) -> BulkAction:
    """Do it to every post that is still at the version that was shown. ``action_id`` is chosen by the page
    that asks: asked again, it is done once. Refusals are kept with the action."""
    action, is_new = BulkAction.objects.get_or_create(
        pk=action_id,
        defaults={"organization": organization, "actor": actor, "kind": wish.kind, "created_at": now},
    )
    if not is_new:
        return action
    for post, version in shown:
        try:
            with transaction.atomic():
                row = _locked(post.pk, version)
                before = _snapshot(row)
                _changed(row, wish, actor=actor, may_publish=may_publish, now=now)
                _keep(action, row, before)
        except refusals.kinds as refusal:
            BulkChange.objects.create(
                action=action, post=post, outcome=BulkOutcome.REFUSED, reason=refusals.sentence(refusal)
            )
    return action


def move_one(*, post: Post, at: dt.datetime, actor: User, now: dt.datetime) -> BulkAction:
    """Another time for one post, which can be taken back. Raises as scheduling.move_post."""
    with transaction.atomic():
        row = _locked(post.pk, None)
        before = _snapshot(row)
        scheduling.move_post(post=row, at=at, actor=actor, now=now)
        action = BulkAction.objects.create(
            organization=row.brand.organization, actor=actor, kind=BulkKind.MOVE, created_at=now
        )
        _keep(action, row, before)
    return action


def undo(
    *, action: BulkAction, actor: User, may_publish: bool, refusals: Refusals, now: dt.datetime
) -> BulkAction:
    """Put every post back to what it was before the action. What was changed since, or has gone out, is left
    and said why. Raises UndoTooLate."""
    if not action.can_be_undone(now):
        raise UndoTooLate
    done = action.changes.filter(outcome=BulkOutcome.DONE).order_by("pk").values_list("pk", flat=True)
    for pk in list(done):
        try:
            with transaction.atomic():
                change = BulkChange.objects.select_for_update().get(pk=pk)
                if change.outcome != BulkOutcome.DONE:
                    continue
                change.reason = _take_back(
                    action, change, actor=actor, may_publish=may_publish, refusals=refusals, now=now
                )
                change.outcome = BulkOutcome.UNDONE
                change.save(update_fields=["outcome", "reason"])
        except refusals.kinds as refusal:
            BulkChange.objects.filter(pk=pk, outcome=BulkOutcome.DONE).update(
                outcome=BulkOutcome.LEFT, reason=refusals.sentence(refusal)
            )
    action.undone_at, action.undone_by = now, actor
    action.save(update_fields=["undone_at", "undone_by"])
    return action


def clean(*, now: dt.datetime) -> int:
    """Forget what can no longer be taken back. How many actions that were."""
    count, _each = BulkAction.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    return count


# --- one post ---------------------------------------------------------------------------------


def _locked(pk: uuid.UUID, version: int | None, *, is_deleted: bool = False) -> Post:
    """The post as it is now. Raises ChangedMeanwhile."""
    rows = Post.objects.select_for_update(of=("self",)).filter(pk=pk, deleted_at__isnull=not is_deleted)
    row = with_variants(rows).select_related("brand__organization", "campaign").first()
    if row is None or (version is not None and row.version != version):
        raise ChangedMeanwhile
    return row


def _is_live(post: Post) -> bool:
    return any(v.delivery is not None and v.delivery.state in LIVE_STATES for v in post.variants.all())


def _snapshot(post: Post) -> dict[str, Any]:
    return {"draft": draft_to_json(Draft.of_post(post)), "was_live": _is_live(post)}


def _keep(action: BulkAction, post: Post, before: dict[str, Any]) -> None:
    version = Post.objects.values_list("version", flat=True).get(pk=post.pk)
    BulkChange.objects.create(action=action, post=post, before=before, version=version)


def _changed(post: Post, wish: Wish, *, actor: User, may_publish: bool, now: dt.datetime) -> Draft | None:
    """Do it to a locked post; its content and time afterwards, None where they stay."""
    is_live = _is_live(post)
    if is_live and not may_publish:
        raise NotAllowed
    if isinstance(wish, Plain):
        _plainly(post, wish.kind, is_live=is_live, actor=actor, may_publish=may_publish, now=now)
        return None
    before = Draft.of_post(post)
    if isinstance(wish, Move):
        try:
            after = replace(before, planned_at=wish.moved(before.planned_at, post.brand.timezone))
        except OverflowError as error:
            raise NothingChanges from error
        if after == before or after.planned_at is None:
            raise NothingChanges
        scheduling.move_post(post=post, at=after.planned_at, actor=actor, now=now)
        return after
    after = wish.applied(before)
    if after == before:
        raise WordsNotFound if isinstance(wish, Replace) and wish.find != wish.by else NothingChanges
    _write(post, before, after, is_live=is_live, actor=actor, now=now)
    return after


def _plainly(
    post: Post, kind: BulkKind, *, is_live: bool, actor: User, may_publish: bool, now: dt.datetime
) -> None:
    if kind is BulkKind.DELETE:
        drafts.delete_post(post=post, actor=actor, now=now)
        return
    if not may_publish:
        raise NotAllowed
    if kind is BulkKind.UNSCHEDULE:
        scheduling.unschedule(post=post, actor=actor, now=now)
        return
    if is_live:
        raise AlreadyScheduled
    if post.planned_at is None:
        raise NoTimeYet
    scheduling.schedule_post(post=post, at=post.planned_at, actor=actor, now=now)


def _write(post: Post, before: Draft, after: Draft, *, is_live: bool, actor: User, now: dt.datetime) -> None:
    """Labels are no part of what is sent: they change on what has gone out, too."""
    if replace(before, labels=after.labels) == after:
        drafts.change_labels(post=post, labels=after.labels, now=now)
    elif is_live:
        scheduling.update_scheduled(post=post, version=post.version, draft=after, actor=actor, now=now)
    else:
        drafts.save_draft(post=post, version=post.version, draft=after, actor=actor, now=now)


def _take_back(
    action: BulkAction,
    change: BulkChange,
    *,
    actor: User,
    may_publish: bool,
    refusals: Refusals,
    now: dt.datetime,
) -> str:
    """Undo one change; what could not be restored with it, in words."""
    kind = BulkKind(action.kind)
    before = draft_from_json(change.before["draft"])
    was_live: bool = change.before["was_live"]
    post = _locked(change.post_id, change.version, is_deleted=kind is BulkKind.DELETE)
    is_live = _is_live(post)
    if (is_live or was_live) and not may_publish:
        raise NotAllowed
    if kind is BulkKind.SCHEDULE:
        scheduling.unschedule(post=post, actor=actor, now=now)
    elif kind is BulkKind.UNSCHEDULE:
        _on_its_accounts(post, before, actor=actor, now=now)
        scheduling.schedule_post(post=post, at=_time_of(before), actor=actor, now=now)
    elif kind is BulkKind.DELETE:
        drafts.restore_post(post=post, actor=actor, now=now)
        _on_its_accounts(_locked(post.pk, None), before, actor=actor, now=now)
    elif kind is BulkKind.MOVE and is_live:
        scheduling.move_post(post=post, at=_time_of(before), actor=actor, now=now)
    else:
        _write(post, Draft.of_post(post), before, is_live=is_live, actor=actor, now=now)
    # What was changed may have left the schedule to be approved again; what it said before may be approved.
    if was_live and not _is_live(_locked(post.pk, None)):
        try:
            scheduling.schedule_post(post=post, at=_time_of(before), actor=actor, now=now)
        except refusals.kinds as refusal:
            return refusals.sentence(refusal)
    return ""


def _on_its_accounts(post: Post, before: Draft, *, actor: User, now: dt.datetime) -> None:
    """Back in the drafts a post is for all its accounts, those too that it had been taken off before."""
    present = Draft.of_post(post)
    if not _is_live(post) and set(present.accounts) != set(before.accounts):
        accounts = tuple(pk for pk in present.accounts if pk in before.accounts)
        own = {pk: parts for pk, parts in present.own_parts.items() if pk in accounts}
        settings = {pk: answers for pk, answers in present.settings.items() if pk in accounts}
        less = replace(present, accounts=accounts, own_parts=own, settings=settings)
        drafts.save_draft(post=post, version=post.version, draft=less, actor=actor, now=now)


def _time_of(draft: Draft) -> dt.datetime:
    if draft.planned_at is None:
        raise NoTimeYet
    return draft.planned_at
