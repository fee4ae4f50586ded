"""Who may make an account."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User

pytestmark = pytest.mark.django_db

ANSWERS = {
    "email": "new@example.com",
    "password1": "correct horse battery",
    "password2": "correct horse battery",
}


def sign_up(client: Client) -> bool:
    client.post(reverse("account_signup"), ANSWERS)
    return User.objects.filter(email=ANSWERS["email"]).exists()


def test_everybody_may_sign_up_where_nothing_else_is_said(client: Client, manager: User) -> None:
    assert sign_up(client)


def test_a_closed_installation_takes_nobody_without_an_invitation(
    client: Client, manager: User, settings: pytest.FixtureRequest
) -> None:
    settings.OPEN_SIGNUP = False  # type: ignore[attr-defined]
    page = client.get(reverse("account_signup"))
    assert "by invitation" in page.content.decode()
    assert not sign_up(client)


def test_the_first_person_of_a_closed_installation_may_sign_up(
    client: Client, settings: pytest.FixtureRequest
) -> None:
    settings.OPEN_SIGNUP = False  # type: ignore[attr-defined]
    assert sign_up(client)
