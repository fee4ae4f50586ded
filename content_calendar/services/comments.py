"""Words about a post, kept beside it."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import transaction

from accounts.models import User
from content_calendar.models import Comment, Post, PostVersion, ReviewRequest
from content_calendar.services import reviews


def write(
    *,
    post: Post,
    version: PostVersion | None,
    text: str,
    now: dt.datetime,
    author: User | None = None,
    client_name: str = "",
    request: ReviewRequest | None = None,
    is_shared: bool = False,
) -> Comment:
    """One comment, by a member (``author``) or a client. Tells nobody."""
    return Comment.objects.create(
        post=post,
        version=version,
        author=author,
        client_name=client_name,
        request=request,
        text=text,
        is_shared=is_shared,
        created_at=now,
    )


def add_comment(*, post: Post, text: str, is_shared: bool, author: User, now: dt.datetime) -> Comment:
    """A member's comment; whoever wrote the post hears of it. ``is_shared``: clients see it, too."""
    with transaction.atomic():
        latest = PostVersion.objects.filter(post=post).order_by("-number").first()
        comment = write(post=post, version=latest, text=text, now=now, author=author, is_shared=is_shared)
        tell(comment, person=str(author), now=now)
    return comment


def tell(comment: Comment, *, person: str, now: dt.datetime) -> None:
    reviews.tell_authors(
        post=comment.post,
        what="comment",
        person=person,
        actor=comment.author,
        now=now,
        key=f"comment:{comment.pk}",
    )


def set_resolved(*, comment_id: uuid.UUID, is_resolved: bool, actor: User, now: dt.datetime) -> Comment:
    """Dealt with, or open again. To say so twice changes nothing."""
    with transaction.atomic():
        comment = Comment.objects.select_for_update().get(pk=comment_id)
        if (comment.resolved_at is not None) != is_resolved:
            comment.resolved_at = now if is_resolved else None
            comment.resolved_by = actor if is_resolved else None
            comment.save(update_fields=["resolved_at", "resolved_by"])
    return comment
