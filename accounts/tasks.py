"""What beat and workers do for accounts. Tasks take ids and read the clock; services do the work."""

from __future__ import annotations

import smtplib
import uuid
from typing import Any

from celery import shared_task
from django.utils import timezone

from accounts.services import invitations, notifications, social
from core.crypto import decrypt_json


@shared_task
def refresh_credentials(**kwargs: Any) -> None:
    """Every few minutes: tokens that end soon are replaced before anybody needs them."""
    social.refresh_due_credentials(now=timezone.now())


@shared_task
def watch_connections(**kwargs: Any) -> None:
    """Every few hours: connections that end soon, or have ended, are told to those who can reconnect."""
    now = timezone.now()
    social.mark_ended_connections(now=now)
    social.warn_of_expiring(now=now)


@shared_task
def send_mails(**kwargs: Any) -> None:
    """Every few seconds: claim the mails that are due, then enqueue one task for each."""
    for notification_id in notifications.claim_mails(now=timezone.now()):
        send_mail.delay(notification_id=str(notification_id))


@shared_task
def send_mail(*, notification_id: str, **kwargs: Any) -> None:
    """One mail. A failure leaves the row queued for a later claim, with growing distances."""
    notifications.send_mail_of(notification_id=uuid.UUID(notification_id), now=timezone.now())


@shared_task(autoretry_for=(OSError, smtplib.SMTPException), retry_backoff=30, max_retries=6)
def send_invitation(*, invitation_id: str, sealed_path: str, language: str, **kwargs: Any) -> None:
    """The mail with the link, whose path comes sealed. A mail server that is down is tried again."""
    invitations.send_invitation(
        invitation_id=uuid.UUID(invitation_id),
        path=decrypt_json(sealed_path)["path"],
        language=language,
        now=timezone.now(),
    )
