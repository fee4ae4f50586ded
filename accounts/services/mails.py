"""The mails of notifications: one at once, or all of a day, in the words of their reader."""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.db.models import F, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from accounts import selectors
from accounts.models import MailChoice, Notification, NotificationKind, User
from accounts.news import sentence

logger = logging.getLogger(__name__)

MAIL_TRIES = 8
DIGEST_LINES = 50  # one mail lists so many and says how many more there are
DIGEST = "digest"  # what the link in a mail of the day stops: every kind that comes with it
_SALT = "accounts.unsubscribe"


def send_mail_of(*, notification_id: uuid.UUID, now: dt.datetime) -> bool:
    """Mail one claimed notification in its reader's language; whether it went out.

    What the person has stopped meanwhile is not mailed, and what falls into their quiet hours waits for the
    end of those. A failure is logged and the row stays queued; after MAIL_TRIES the app's own list has to do.
    """
    notification = Notification.objects.select_related("user", "organization").get(pk=notification_id)
    row = Notification.objects.filter(pk=notification.pk)
    user = notification.user
    wish = selectors.wishes_of([user.pk], notification.kind)[user.pk]
    if not user.is_active or wish.mail == MailChoice.NEVER:
        row.update(mail_at=None, mail_failures=0)
        return False
    if (quiet_until := selectors.mail_times_of([user.pk])[user.pk].quiet_end(now)) is not None:
        row.update(mail_at=quiet_until, mail_failures=F("mail_failures") - 1)
        return False
    words = {
        "notification": notification,
        "sentence": lambda: sentence(notification.kind, notification.context),
        "link": settings.BASE_URL + notification.url if notification.url else "",
        "kind": NotificationKind(notification.kind),
    }
    return _send(row, _Mail(user, "notification", words, notification.kind), now)


def send_digest(*, notification_ids: Collection[uuid.UUID], now: dt.datetime) -> bool:
    """Mail the claimed notifications of one person together, oldest first; whether it went out.

    Kinds that the person has stopped meanwhile are left out.
    """
    claimed = Notification.objects.filter(pk__in=notification_ids)
    rows = list(claimed.select_related("user", "organization").order_by("created_at", "pk"))
    if not rows:
        return False
    user = rows[0].user
    stopped = [
        kind
        for kind in {row.kind for row in rows}
        if selectors.wishes_of([user.pk], kind)[user.pk].mail == MailChoice.NEVER
    ]
    kept = [row for row in rows if row.kind not in stopped] if user.is_active else []
    claimed.exclude(pk__in=[row.pk for row in kept]).update(mail_at=None, mail_failures=0)
    if not kept:
        return False
    words = {
        "lines": lambda: [
            {
                "sentence": sentence(row.kind, row.context),
                "link": settings.BASE_URL + row.url if row.url else "",
                "organization": row.organization,
            }
            for row in kept[:DIGEST_LINES]
        ],
        "count": len(kept),
        "more": max(len(kept) - DIGEST_LINES, 0),
        "has_several_organizations": len({row.organization_id for row in kept}) > 1,
        "app_url": settings.BASE_URL + "/",
    }
    kept_rows = claimed.filter(pk__in=[row.pk for row in kept])
    return _send(kept_rows, _Mail(user, "digest", words, DIGEST), now)


@dataclass(frozen=True, slots=True)
class _Mail:
    """``words`` that are functions are called in the reader's language. ``stops`` is what the link in the
    mail stops: a kind, or DIGEST."""

    user: User
    template: str
    words: Mapping[str, Any]
    stops: str


def _send(rows: QuerySet[Notification], mail: _Mail, now: dt.datetime) -> bool:
    try:
        _post(mail)
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("mail of a notification failed (%s)", type(error).__name__)
        rows.filter(mail_failures__gte=MAIL_TRIES).update(mail_at=None)
        return False
    rows.update(mailed_at=now, mail_at=None, mail_failures=0)
    return True


def _post(mail: _Mail) -> None:
    user = mail.user
    stop_url = settings.BASE_URL + reverse("accounts:unsubscribe", args=[unsubscribe_token(user, mail.stops)])
    with translation.override(user.language or settings.LANGUAGE_CODE):
        words = {name: word() if callable(word) else word for name, word in mail.words.items()} | {
            "user": user,
            "stop_url": stop_url,
            "preferences_url": settings.BASE_URL + reverse("accounts:notification_preferences"),
        }
        subject = " ".join(render_to_string(f"accounts/mail/{mail.template}_subject.txt", words).split())
        EmailMultiAlternatives(
            subject,
            render_to_string(f"accounts/mail/{mail.template}.txt", words),
            to=[user.email],
            # RFC 8058: mail programs show a button that posts to this address.
            headers={
                "List-Unsubscribe": f"<{stop_url}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
        ).send()


def unsubscribe_token(user: User, stops: str) -> str:
    """What stands in the link of a mail; it works as long as SMM_SECRET_KEY stays, for mails lie long."""
    return signing.dumps([user.pk, stops], salt=_SALT)


def read_unsubscribe_token(token: str) -> tuple[User, str] | None:
    """Whose mails of what are to be stopped; None for a link that is not ours, or of somebody who is gone."""
    try:
        user_id, stops = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    if stops != DIGEST and stops not in NotificationKind.values:
        return None
    user = User.objects.filter(pk=user_id).first()
    return (user, stops) if user else None
