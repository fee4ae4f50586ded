"""The mail of an invitation."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from accounts.models import Invitation


def send_invitation(*, invitation_id: uuid.UUID, path: str, language: str, now: dt.datetime) -> bool:
    """Mail the link (a path of this app) to the invited person, in the language of who invited them.

    Whether it was sent: not when the invitation was revoked or accepted meanwhile. Errors of the mail
    server (OSError, SMTPException) rise.
    """
    invitation = Invitation.objects.select_related("organization", "invited_by").get(pk=invitation_id)
    if not invitation.is_open(now):
        return False
    with translation.override(language):
        words = {
            "invitation": invitation,
            "inviter": invitation.invited_by,
            "link": settings.BASE_URL + path,
            "role": invitation.get_role_display(),
        }
        subject = " ".join(render_to_string("accounts/mail/invitation_subject.txt", words).split())
        EmailMessage(
            subject, render_to_string("accounts/mail/invitation.txt", words), to=[invitation.email]
        ).send()
    return True
