"""What beat and workers do for accounts. Tasks take ids and read the clock; services do the work."""

from __future__ import annotations

import smtplib
import uuid
from typing import Any

from celery import shared_task
from django.utils import timezone

from accounts.services import (
    invitations,
    mails,
    notifications,
    offers,
    reconnect_links,
    social,
    webhook_sending,
    webhooks,
)
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
    now = timezone.now()
    for notification_id in notifications.claim_mails(now=now):
        send_mail.delay(notification_id=str(notification_id))
    for digest in notifications.claim_digests(now=now):
        send_digest.delay(notification_ids=[str(pk) for pk in digest])


@shared_task
def send_mail(*, notification_id: str, **kwargs: Any) -> None:
    """One mail. A failure leaves the row queued for a later claim, with growing distances."""
    mails.send_mail_of(notification_id=uuid.UUID(notification_id), now=timezone.now())


@shared_task
def send_digest(*, notification_ids: list[str], **kwargs: Any) -> None:
    """The mail of the day for one person; as ``send_mail``."""
    mails.send_digest(notification_ids=[uuid.UUID(pk) for pk in notification_ids], now=timezone.now())


@shared_task
def send_webhooks(**kwargs: Any) -> None:
    """Every few seconds: claim the webhooks that have something to send, then enqueue one task for each."""
    for claim in webhook_sending.claim_endpoints(now=timezone.now()):
        send_webhook.delay(endpoint_id=str(claim.endpoint_id), fence=claim.fence)


@shared_task
def send_webhook(*, endpoint_id: str, fence: int, **kwargs: Any) -> None:
    """What is due for one webhook. A failure leaves the messages queued for a later claim."""
    webhook_sending.send_due(endpoint_id=uuid.UUID(endpoint_id), fence=fence, clock=timezone.now)


@shared_task
def clean_webhooks(**kwargs: Any) -> None:
    """Every hour: the logs of webhooks go back a month."""
    webhooks.forget_old_messages(now=timezone.now())


@shared_task
def clean_connecting(**kwargs: Any) -> None:
    """Every hour: what nobody chose from is forgotten with its tokens, and links that ended long ago."""
    now = timezone.now()
    offers.forget_old_offers(now=now)
    reconnect_links.forget_old_links(now=now)


@shared_task(autoretry_for=(OSError, smtplib.SMTPException), retry_backoff=30, max_retries=6)
def send_invitation(*, invitation_id: str, sealed_path: str, language: str, **kwargs: Any) -> None:
    """The mail with the link, whose path comes sealed. A mail server that is down is tried again."""
    invitations.send_invitation(
        invitation_id=uuid.UUID(invitation_id),
        path=decrypt_json(sealed_path)["path"],
        language=language,
        now=timezone.now(),
    )
