"""Telling people: in the app at once, by mail as they wish; and the programs that listen, by webhook.

A notification is a row, and the row is also the queue of its mail: it becomes visible with the caller's
commit, a lost Redis loses no mail, and a mail server that is down fails nobody but the mail.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts import selectors
from accounts.models import (
    Brand,
    MailChoice,
    Notification,
    NotificationKind,
    Organization,
    SocialAccount,
    User,
)
from accounts.services.webhook_queue import queue_news

MAIL_BATCH = 50
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
    about: SocialAccount | Brand | None = None,
) -> int:
    """Tell each active user once, as they wish, and each webhook; never twice the same ``dedupe_key``.

    ``context`` is plain JSON: the words that accounts.news needs for this kind. ``url`` is a path of this
    app. ``about`` says which brand the news is of, so that webhooks of one brand hear it. Returns how many
    people were told anew.
    """
    key = dedupe_key[:120]
    queue_news(
        organization=organization, kind=kind, context=context, url=url, dedupe_key=key, about=about, now=now
    )
    people = {user.pk: user for user in users if user.is_active}
    known = Notification.objects.filter(user__in=people, dedupe_key=key).values_list("user_id", flat=True)
    for user_id in set(known):
        del people[user_id]
    wishes = selectors.wishes_of(people, kind)
    times = selectors.mail_times_of([pk for pk, wish in wishes.items() if wish.mail == MailChoice.DAILY])
    fresh = []
    for user_id, user in people.items():
        wish = wishes[user_id]
        if not wish.in_app and wish.mail == MailChoice.NEVER:
            continue
        mail_at: dt.datetime | None = None
        if wish.mail != MailChoice.NEVER:
            mail_at = times[user_id].next_digest(now) if wish.mail == MailChoice.DAILY else now
        fresh.append(
            Notification(
                user=user,
                organization=organization,
                kind=kind,
                context=context,
                url=url,
                dedupe_key=key,
                is_shown=wish.in_app,
                in_digest=wish.mail == MailChoice.DAILY,
                mail_at=mail_at,
            )
        )
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
        due = (
            Notification.objects.select_for_update(skip_locked=True)
            .filter(mail_at__lte=now, in_digest=False)
            .order_by("mail_at")
        )
        return _take(due[:MAIL_BATCH], now)


def claim_digests(*, now: dt.datetime) -> list[list[uuid.UUID]]:
    """For each person whose mail of the day is due: the notifications of it, taken as ``claim_mails`` does.

    The person is locked first, so that two ticks do not make two mails of one day.
    """
    with transaction.atomic():
        due = Notification.objects.filter(mail_at__lte=now, in_digest=True)
        people = (
            User.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(Exists(due.filter(user=OuterRef("pk"))))
            .order_by("pk")
        )
        digests = [_take(due.filter(user=user).order_by("created_at"), now) for user in people[:MAIL_BATCH]]
        return [digest for digest in digests if digest]


def _take(due: QuerySet[Notification], now: dt.datetime) -> list[uuid.UUID]:
    rows = list(due)
    for notification in rows:
        notification.mail_failures += 1  # until it has gone well
        notification.mail_at = now + _FIRST_RETRY * 2 ** (notification.mail_failures - 1)
    Notification.objects.bulk_update(rows, ["mail_failures", "mail_at"])
    return [notification.pk for notification in rows]
