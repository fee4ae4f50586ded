"""What django-allauth asks us."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest

from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Whether the sign-up page is there for everybody. Invitations have a page of their own, always open."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the same for everybody
        """Open by setting, and for the first person of an installation, who could not be invited."""
        return settings.OPEN_SIGNUP or not User.objects.exists()
