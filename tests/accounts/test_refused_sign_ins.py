"""People come back from a network without an account: what they are told, and where they can go on."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Brand, SocialAccount
from accounts.wording import sign_in_problem
from connectors.base import PlatformInfo
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.registry import CONNECTORS
from tests.accounts.conftest import NOW, FakeAppConnector, FakeNetwork
from tests.accounts.test_apps import PAGE, add, client, come_back, go

__all__ = ["client"]


def test_what_the_network_does_not_accept_leads_to_the_developer_app(
    client: Client, brand: Brand, network: FakeNetwork
) -> None:
    app = add(client)
    answer = come_back(client, go(client, brand, app=app.pk), code="wrong")
    page = answer.content.decode().split("<main")[1]
    assert "the ID and the secret of the developer app" in page
    assert "what you entered" not in page
    assert f'href="{PAGE}"' in page
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("error", ["user_cancelled_login", "user_cancelled_authorize", "access_denied"])
def test_whoever_declines_is_told_so_by_every_network(client: Client, brand: Brand, error: str) -> None:
    app = add(client)
    answer = come_back(client, go(client, brand, app=app.pk), error=error)
    assert "was declined" in answer.context["problem"]
    assert reverse("accounts:account_list") in answer.content.decode().split("<main")[1]


@pytest.mark.parametrize("error", ["unauthorized_scope_error", "invalid_scope"])
def test_an_app_that_may_not_ask_for_so_much_is_told_from_a_failure(
    client: Client, brand: Brand, error: str
) -> None:
    app = add(client)
    answer = come_back(client, go(client, brand, app=app.pk), error=error)
    assert "Choose only what its products" in answer.context["problem"]
    assert f'href="{PAGE}"' in answer.content.decode().split("<main")[1]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Rejected(RejectReason.INVALID, "no"), "ID and the secret"),
        (NeedsReconnect("no"), "ID and the secret"),
        (NeedsReconnect("no", "X does not accept these keys."), "these keys"),
        (Rejected(RejectReason.NOT_FOUND, "no page"), "named no account"),
        (Rejected(RejectReason.FORBIDDEN, "no"), "Not everything that publishing needs"),
        (Temporary("no"), "could not be reached"),
        (RateLimited(NOW, "no"), "asks to wait"),
    ],
)
def test_a_sentence_says_what_can_be_done(error: ConnectorError, words: str) -> None:
    info: PlatformInfo = FakeAppConnector.INFO
    assert words in sign_in_problem(error, info)
    outside = sign_in_problem(error, info, is_outside=True)
    assert "the secret of" not in outside
    assert "these keys" not in outside


def test_where_there_is_no_app_of_ones_own_none_is_to_be_checked() -> None:
    said = sign_in_problem(Rejected(RejectReason.INVALID, "no"), CONNECTORS["mastodon"].INFO)
    assert "developer app" not in said


def test_linkedin_is_asked_for_no_more_than_one_app_can_have() -> None:
    """It refuses a sign-in with scopes of several of its products, which no app has together."""
    info = CONNECTORS["linkedin"].INFO
    chosen = [one for one in info.features if one.is_required or one.is_default]
    scopes = {scope for one in chosen for scope in one.scopes}
    assert scopes == {"w_member_social", "openid", "profile"}
