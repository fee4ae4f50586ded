"""Links by which clients answer without signing in: made, mailed, opened, revoked, and what they answer."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import smtplib
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from accounts.models import Brand, User
from accounts.services.audit import record
from content_calendar.models import (
    Comment,
    Post,
    PostVersion,
    Review,
    ReviewKey,
    ReviewRequest,
    ReviewStep,
)
from content_calendar.selectors.approval import for_client
from content_calendar.selectors.review_links import hash_of
from content_calendar.services import approval, comments
from core.templatetags.ui import format_time

logger = logging.getLogger(__name__)

SHORTEST_DAYS, STANDARD_DAYS, LONGEST_DAYS = 1, 14, 90
MOST_POSTS = 50  # in one link
MAIL_BATCH = 20
MAIL_TRIES = 8
_FIRST_RETRY = dt.timedelta(minutes=2)


class NoPosts(Exception):
    """A link without a post, or with one that does not wait for the client (any more)."""


class LinkOver(Exception):
    """The link has expired or was revoked."""


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """Whom a link is for. ``language``: of its mails."""

    client_name: str
    client_email: str
    note: str
    days: int
    language: str


def new_key(*, request: ReviewRequest, now: dt.datetime) -> str:
    """Another secret for an open link: 256 random bits as URL-safe text, which nobody can read here later."""
    token = secrets.token_urlsafe(32)
    ReviewKey.objects.create(request=request, token_hash=hash_of(token), created_at=now)
    return token


def create_request(
    *, brand: Brand, posts: Collection[uuid.UUID], facts: LinkFacts, actor: User, now: dt.datetime
) -> tuple[ReviewRequest, str]:
    """A link for posts that wait for the client, and its secret. With an address the client is mailed a link
    of their own. Raises NoPosts."""
    with transaction.atomic():
        found = list(for_client(brand).filter(pk__in=posts).only("pk"))
        if not found or len(found) != len(set(posts)) or len(found) > MOST_POSTS:
            raise NoPosts
        request = ReviewRequest.objects.create(
            brand=brand,
            client_name=facts.client_name,
            client_email=facts.client_email,
            note=facts.note,
            language=facts.language,
            created_by=actor,
            created_at=now,
            expires_at=now + dt.timedelta(days=facts.days),
            mail_at=now if facts.client_email else None,
        )
        request.posts.set(found)
        token = new_key(request=request, now=now)
        _audit(request, "approval.link_sent", actor, now, posts=len(found))
    return request, token


def renew_key(*, request: ReviewRequest, actor: User, now: dt.datetime) -> str:
    """Another link to the same, for whoever has lost it; the earlier ones go on working. Raises LinkOver."""
    with transaction.atomic():
        row = _locked(request.pk)
        if not row.is_open(now):
            raise LinkOver
        token = new_key(request=row, now=now)
        _audit(row, "approval.link_shown_again", actor, now)
    return token


def revoke_request(*, request: ReviewRequest, actor: User, now: dt.datetime) -> ReviewRequest:
    """None of its links works any more. To say so twice changes nothing."""
    with transaction.atomic():
        row = _locked(request.pk)
        if row.revoked_at is None:
            row.revoked_at, row.revoked_by, row.mail_at = now, actor, None
            row.save(update_fields=["revoked_at", "revoked_by", "mail_at"])
            _audit(row, "approval.link_revoked", actor, now)
    return row


def _locked(pk: uuid.UUID) -> ReviewRequest:
    rows = ReviewRequest.objects.select_for_update(of=("self",))
    return rows.select_related("brand__organization", "created_by").get(pk=pk)


def _audit(request: ReviewRequest, action: str, actor: User | None, now: dt.datetime, **detail: int) -> None:
    record(
        organization=request.brand.organization,
        actor=actor,
        action=action,
        subject=request.brand,
        detail={"client": request.client_name, "link": str(request.pk), **detail},
        now=now,
    )


# --- through the link -------------------------------------------------------------------------------


def note_opened(*, request: ReviewRequest, now: dt.datetime) -> None:
    ReviewRequest.objects.filter(pk=request.pk).update(last_opened_at=now)


def answer(
    *,
    request: ReviewRequest,
    post_id: uuid.UUID,
    version_id: uuid.UUID,
    is_approved: bool,
    client_name: str,
    text: str,
    now: dt.datetime,
) -> approval.Decided | None:
    """A client's yes or no to the version that they have seen; with a yes ``text`` may be empty. Returns what
    came of a yes.

    Raises LinkOver, approval.NothingAsked, approval.ChangedMeanwhile. Nothing is written then.
    """
    with transaction.atomic():
        link, post = _both(request, post_id, now)
        review = approval.asked_about(post, version_id)
        if review.step != ReviewStep.CLIENT:
            raise approval.NothingAsked
        if not is_approved:
            approval.sent_back_by_client(
                post=post, review=review, request=link, client_name=client_name, text=text, now=now
            )
            return None
        if text:
            comments.write(
                post=post,
                version=review.version,
                text=text,
                now=now,
                client_name=client_name,
                request=link,
                is_shared=True,
            )
        return approval.approved_by_client(
            post=post, review=review, request=link, client_name=client_name, now=now
        )


def comment(
    *, request: ReviewRequest, post_id: uuid.UUID, client_name: str, text: str, now: dt.datetime
) -> Comment:
    """A client's word that decides nothing. Raises LinkOver, approval.NothingAsked."""
    with transaction.atomic():
        link, post = _both(request, post_id, now)
        latest = PostVersion.objects.filter(post=post).order_by("-number").first()
        row = comments.write(
            post=post,
            version=latest,
            text=text,
            now=now,
            client_name=client_name,
            request=link,
            is_shared=True,
        )
        comments.tell(row, person=client_name, now=now)
    return row


def _both(request: ReviewRequest, post_id: uuid.UUID, now: dt.datetime) -> tuple[ReviewRequest, Post]:
    """The open link and one of its posts, locked. The post comes first, as where members ask for an answer
    and mail the link: two who wait for each other would both be turned away."""
    if not Post.objects.filter(pk=post_id, review_requests=request).exists():
        if not _is_open(_locked(request.pk), now):
            raise LinkOver
        raise approval.NothingAsked
    post = approval.locked(post_id)
    link = _locked(request.pk)
    if not _is_open(link, now):
        raise LinkOver
    if post.deleted_at is not None:
        raise approval.NothingAsked
    return link, post


def _is_open(link: ReviewRequest, now: dt.datetime) -> bool:
    return link.is_open(now) and not link.brand.is_archived


# --- its mails --------------------------------------------------------------------------------------


def claim_mails(*, now: dt.datetime) -> list[uuid.UUID]:
    """Links whose client is to be mailed, taken so that no other worker mails them meanwhile."""
    with transaction.atomic():
        due = ReviewRequest.objects.select_for_update(skip_locked=True).filter(mail_at__lte=now)
        rows = list(due.order_by("mail_at")[:MAIL_BATCH])
        for row in rows:
            row.mail_failures += 1  # until it has gone well
            row.mail_at = now + _FIRST_RETRY * 2 ** (row.mail_failures - 1)
        ReviewRequest.objects.bulk_update(rows, ["mail_failures", "mail_at"])
    return [row.pk for row in rows]


def send_mail(*, request_id: uuid.UUID, now: dt.datetime) -> bool:
    """Mail a claimed link in its language; whether it went out. Nothing is sent through a link that is over,
    nor when nothing of it waits any more. A failure leaves it queued; after MAIL_TRIES it is given up."""
    request = ReviewRequest.objects.select_related("brand__organization", "created_by").get(pk=request_id)
    row = ReviewRequest.objects.filter(pk=request_id)
    waiting = Review.objects.open().filter(
        post__in=request.posts.filter(deleted_at__isnull=True), step=ReviewStep.CLIENT
    )
    count = waiting.count()
    if not _is_open(request, now) or not request.client_email or not count:
        row.update(mail_at=None, mail_failures=0)
        return False
    with translation.override(request.language):
        path = reverse("content_calendar:review", args=[new_key(request=request, now=now)])
        words = {
            "request": request,
            "brand": request.brand,
            "sender": request.created_by,
            "count": count,
            "is_reminder": request.mails_sent > 0,
            "link": settings.BASE_URL + path,
            "until": format_time(request.expires_at, request.brand.timezone, "long"),
        }
        subject = " ".join(render_to_string("content_calendar/mail/review_subject.txt", words).split())
        body = render_to_string("content_calendar/mail/review.txt", words)
    try:
        EmailMessage(subject, body, to=[request.client_email]).send()
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("mail of a review link failed (%s)", type(error).__name__)
        row.filter(mail_failures__gte=MAIL_TRIES).update(mail_at=None)
        return False
    row.update(mail_at=None, mail_failures=0, mails_sent=F("mails_sent") + 1)
    return True
