"""Telling people: in the app at once, by mail soon after.

A notification is a row, and the row is also the queue of its mail: it becomes visible with the caller's
commit, a lost Redis loses no mail, and a mail server that is down fails nobody but the mail.
"""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from accounts.models import Notification, NotificationKind, Organization, User
from accounts.news import sentence

logger = logging.getLogger(__name__)

MAIL_BATCH = 50
MAIL_TRIES = 8
# A mail in flight is left alone so long; after that the worker that took it is taken for dead.
_FIRST_RETRY = dt.timedelta(minutes=2)


def notify(
    *,
    organization: Organization,
    users: Iterable[User],
    kind: NotificationKind,
    context: dict[str, Any],
    url: str,
    dedupe_key: str,
    now: dt.datetime,
) -> int:
    """Tell each active user once; the same ``dedupe_key`` is never told to a person twice.

    ``context`` is plain JSON: the words that accounts.news needs for this kind. ``url`` is a path of this
    app. Returns how many were told anew.
    """
    rows = [
        Notification(
            user=user,
            organization=organization,
            kind=kind,
            context=context,
            url=url,
            dedupe_key=dedupe_key[:120],
            mail_at=now,
        )
        for user in {user.pk: user for user in users if user.is_active}.values()
    ]
    known = set(
        Notification.objects.filter(
            user__in=[row.user_id for row in rows], dedupe_key=dedupe_key[:120]
        ).values_list("user_id", flat=True)
    )
    fresh = [row for row in rows if row.user_id not in known]
    Notification.objects.bulk_create(fresh, ignore_conflicts=True)
    return len(fresh)


def mark_read(*, user: User, notification: Notification | None = None, now: dt.datetime) -> int:
    """One notification, or all of this person's, read. Returns how many were unread."""
    unread = Notification.objects.for_user(user).unread()
    if notification is not None:
        unread = unread.filter(pk=notification.pk)
    return unread.update(read_at=now)


def claim_mails(*, now: dt.datetime) -> list[uuid.UUID]:
    """Notifications whose mail is due, taken so that no other worker mails them meanwhile."""
    with transaction.atomic():
        due = list(
            Notification.objects.select_for_update(skip_locked=True)
            .filter(mail_at__lte=now)
            .order_by("mail_at")[:MAIL_BATCH]
        )
        for notification in due:
            notification.mail_failures += 1  # until it has gone well
            notification.mail_at = now + _FIRST_RETRY * 2 ** (notification.mail_failures - 1)
        Notification.objects.bulk_update(due, ["mail_failures", "mail_at"])
    return [notification.pk for notification in due]


def send_mail_of(*, notification_id: uuid.UUID, now: dt.datetime) -> bool:
    """Mail one claimed notification in its reader's language; whether it went out.

    A failure is logged and the row stays queued; after MAIL_TRIES the app's own list has to do.
    """
    notification = Notification.objects.select_related("user").get(pk=notification_id)
    user = notification.user
    try:
        if user.is_active:
            _mail(notification, user)
    except (OSError, smtplib.SMTPException) as error:
        gave_up = notification.mail_failures >= MAIL_TRIES
        logger.warning("mail of a notification failed (%s)%s", type(error).__name__, ", for good" * gave_up)
        if gave_up:
            Notification.objects.filter(pk=notification.pk).update(mail_at=None)
        return False
    Notification.objects.filter(pk=notification.pk).update(mailed_at=now, mail_at=None, mail_failures=0)
    return True


def _mail(notification: Notification, user: User) -> None:
    with translation.override(user.language or settings.LANGUAGE_CODE):
        words = {
            "notification": notification,
            "user": user,
            "sentence": sentence(notification.kind, notification.context),
            "link": settings.BASE_URL + notification.url if notification.url else "",
        }
        subject = " ".join(render_to_string("accounts/mail/notification_subject.txt", words).split())
        message = EmailMultiAlternatives(
            subject, render_to_string("accounts/mail/notification.txt", words), to=[user.email]
        )
        message.send()
