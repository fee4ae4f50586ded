"""How and when people want to be told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from accounts.models import (
    MailChoice,
    MailTimes,
    Notification,
    NotificationKind,
    NotificationPreference,
    User,
)
from accounts.news import OPTIONAL_IN_APP
from accounts.selectors import Wish
from accounts.services.mails import DIGEST


@dataclass(frozen=True, slots=True)
class TimesFacts:
    """Wall times of ``timezone``; quiet hours have both ends or none."""

    timezone: str
    digest_at: dt.time
    quiet_from: dt.time | None
    quiet_until: dt.time | None


@transaction.atomic
def save_preferences(*, user: User, wishes: Mapping[NotificationKind, Wish], times: TimesFacts) -> None:
    """What is serious stays in the app whatever is wished; what waits for a daily mail keeps its time."""
    for kind, wish in wishes.items():
        _save(user, kind, in_app=wish.in_app or kind not in OPTIONAL_IN_APP, mail=wish.mail)
    MailTimes.objects.update_or_create(
        user=user,
        defaults={
            "timezone": times.timezone,
            "digest_at": times.digest_at,
            "quiet_from": times.quiet_from,
            "quiet_until": times.quiet_until,
        },
    )


@transaction.atomic
def stop_mails(*, user: User, stops: str) -> None:
    """No more mails of this kind, or (DIGEST) of any kind that comes in the mail of the day; those that wait
    are not sent either. What the app shows stays as it is."""
    if stops == DIGEST:
        preferences = NotificationPreference.objects.filter(user=user, mail=MailChoice.DAILY)
        kinds = list(preferences.values_list("kind", flat=True))
        preferences.update(mail=MailChoice.NEVER)
    else:
        kinds = [stops]
        NotificationPreference.objects.update_or_create(
            user=user, kind=stops, defaults={"mail": MailChoice.NEVER}
        )
    Notification.objects.filter(user=user, kind__in=kinds, mail_at__isnull=False).update(mail_at=None)


def _save(user: User, kind: str, *, in_app: bool, mail: str) -> None:
    NotificationPreference.objects.update_or_create(
        user=user, kind=kind, defaults={"in_app": in_app, "mail": mail}
    )
