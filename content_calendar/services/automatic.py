"""Posts that are made by themselves, for series and evergreen pools: a draft each, and its place in the
schedule; where that is refused, the draft stays and a person is told why."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse

from accounts.models import Brand, Membership, NotificationKind, Role, User
from accounts.services.notifications import notify
from content_calendar.models import Post
from content_calendar.selectors.states import LIVE_STATES
from content_calendar.services.drafts import (
    AlreadySending,
    Draft,
    MediaUnknown,
    create_post,
    delete_post,
    restore_post,
    save_draft,
)
from content_calendar.services.kept import without_lost_media
from content_calendar.services.scheduling import schedule_post, unschedule, update_scheduled
from outbox.models import Delivery, DeliveryKind
from outbox.selectors import may_still_send, people_to_tell

# Whoever it is scheduled for may no longer publish for the brand.
NOT_ALLOWED = "NotAllowed"
# Where a refusal comes from: domain errors stand beside the services of these.
_OURS = ("content_calendar", "campaigns", "outbox")


def make_post(*, brand: Brand, run_by: User | None, draft: Draft, now: dt.datetime) -> tuple[Post, str]:
    """A post with this content, scheduled for ``draft.planned_at``; and why it could not be scheduled (the
    name of the refusal, "" when it was). Runs in the caller's transaction."""
    refusal = ""
    author = run_by or _owner_of(brand)
    try:
        post = create_post(brand=brand, author=author, draft=draft, now=now)
    except MediaUnknown as error:
        refusal = type(error).__name__
        draft = without_lost_media(draft, brand)
        post = create_post(brand=brand, author=author, draft=draft, now=now)
    if not refusal:
        refusal = schedule(post=post, brand=brand, run_by=run_by, now=now)
    if refusal:
        tell(post=post, brand=brand, run_by=run_by, refusal=refusal, now=now)
    return post, refusal


def schedule(*, post: Post, brand: Brand, run_by: User | None, now: dt.datetime) -> str:
    """Put a draft with a time into the schedule. Returns the name of the refusal, "" for none."""
    if run_by is None or post.planned_at is None or not may_still_send(_of(brand, run_by)):
        return NOT_ALLOWED
    try:
        schedule_post(post=post, at=post.planned_at, actor=run_by, now=now)
    except Exception as error:
        if not is_refusal(error):
            raise
        return type(error).__name__
    return ""


def renew(*, post: Post, brand: Brand, run_by: User, draft: Draft, now: dt.datetime) -> str:
    """Other content or another time for a post that nobody touched. Returns the name of the refusal, "" when
    it stands in the schedule; a refused one is a draft with the new content. Raises AlreadySending, with
    nothing changed, for one that is on its way."""
    if post.variants.filter(delivery__state__in=LIVE_STATES).exists():
        try:
            update_scheduled(post=post, version=post.version, draft=draft, actor=run_by, now=now)
        except AlreadySending:
            raise
        except Exception as error:
            if not is_refusal(error):
                raise
            post = unschedule(post=post, actor=run_by, now=now)
        else:
            return ""
    try:
        post = save_draft(post=post, version=post.version, draft=draft, now=now)
    except MediaUnknown as error:
        refusal = type(error).__name__
        save_draft(post=post, version=post.version, draft=without_lost_media(draft, brand), now=now)
    else:
        refusal = schedule(post=post, brand=brand, run_by=run_by, now=now)
    if refusal:
        tell(post=post, brand=brand, run_by=run_by, refusal=refusal, now=now)
    return refusal


def take_away(*, post: Post, actor: User, now: dt.datetime) -> bool:
    """Put a coming post away. Returns whether it could be: what is being sent stays."""
    try:
        delete_post(post=post, actor=actor, now=now)
    except AlreadySending:
        return False
    return True


def bring_back(*, post: Post, brand: Brand, run_by: User, now: dt.datetime) -> str:
    """A post that was put away, in the schedule again. Returns the name of the refusal, "" for none."""
    restored = restore_post(post=post, actor=run_by, now=now)
    return schedule(post=restored, brand=brand, run_by=run_by, now=now)


def is_untouched(post: Post | None, version: int, now: dt.datetime) -> bool:
    """Whether a post is as it was left when its version was ``version``, and still to come."""
    return (
        post is not None
        and post.deleted_at is None
        and post.version == version
        and post.planned_at is not None
        and post.planned_at > now
    )


def version_of(post: Post) -> int:
    """As it is stored now: scheduling counts, too."""
    return Post.objects.values_list("version", flat=True).get(pk=post.pk)


def is_refusal(error: Exception) -> bool:
    """Whether an error says that a rule of the domain stood in the way; anything else is a bug."""
    return type(error).__module__.partition(".")[0] in _OURS


def tell(*, post: Post, brand: Brand, run_by: User | None, refusal: str, now: dt.datetime) -> None:
    """In whose name it runs, else everybody who may publish for the brand: the post is a draft, and why."""
    notify(
        organization=brand.organization,
        users=people_to_tell(_of(brand, run_by)),
        kind=NotificationKind.POST_NOT_SCHEDULED,
        context={"excerpt": post.excerpt, "brand": brand.name, "error": refusal},
        url=reverse("content_calendar:post", args=[post.pk]),
        about=brand,
        dedupe_key=f"not-scheduled:{post.pk}",
        now=now,
    )


def _of(brand: Brand, run_by: User | None) -> Delivery:
    """What would be sent, for the questions who may send it and whom to tell."""
    return Delivery(kind=DeliveryKind.POST, brand=brand, scheduled_by=run_by)


def _owner_of(brand: Brand) -> User:
    """Somebody to be the author where whoever set it up is gone. An organization always has an owner."""
    owners = Membership.objects.filter(
        organization=brand.organization_id, role=Role.OWNER, is_active=True
    ).select_related("user")
    return owners.order_by("created_at")[0].user
