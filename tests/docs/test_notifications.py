"""docs/notifications.md says what the code does."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import responses

from accounts.models import Brand, NotificationKind, Organization, User
from accounts.news import OPTIONAL_IN_APP
from accounts.services import webhook_sending, webhooks
from accounts.services.notifications import notify
from accounts.services.webhook_sending import claim_endpoints, send_due
from tests.cast import make_account
from tests.docs.pages import ROOT, text_of

PAGE = text_of(ROOT / "docs" / "notifications.md")
URL = "https://hooks.example.com/in"


def test_every_event_is_in_the_table_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+ \| (.+) \|$", PAGE, flags=re.MULTILINE)
    kept = {
        kind: "as each person wishes" if kind in OPTIONAL_IN_APP else "always" for kind in NotificationKind
    }
    assert dict(rows) == {str(kind): shown for kind, shown in kept.items()}


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def sent(organization: Organization, owner: User, brand: Brand) -> tuple[Any, str]:
    """A request as it goes out now, and the secret that it is signed with."""
    from django.utils import timezone

    now = timezone.now()
    facts = webhooks.WebhookFacts("Pager", URL, [NotificationKind.DELIVERY_FAILED], None)
    _endpoint, secret = webhooks.create_webhook(creator=owner.memberships.get(), facts=facts, now=now)
    notify(
        organization=organization,
        users=[],
        kind=NotificationKind.DELIVERY_FAILED,
        context={"account": "@harbour", "excerpt": "Fresh beans ☕", "error": "text_too_long"},
        url="/calendar/",
        dedupe_key="1",
        about=make_account(brand),
        now=now,
    )
    with responses.RequestsMock() as network:
        network.post(URL, status=200)
        for claim in claim_endpoints(now=now):
            send_due(endpoint_id=claim.endpoint_id, fence=claim.fence, clock=lambda: now)
        return network.calls[0].request, secret


def checker() -> Callable[..., bool]:
    """The function of the page, as somebody copies it."""
    names: dict[str, Any] = {}
    exec(block("python"), names)  # noqa: S102 - our own document
    found: Callable[..., bool] = names["is_genuine"]
    return found


@pytest.mark.django_db
def test_the_python_of_the_page_tells_ours_from_others(sent: tuple[Any, str]) -> None:
    request, secret = sent
    headers = {name.lower(): value for name, value in request.headers.items()}
    is_genuine = checker()
    assert is_genuine(headers, request.body, secret)
    assert not is_genuine(headers, request.body + b" ", secret)
    assert not is_genuine(headers, request.body, webhooks.new_secret())
    assert not is_genuine(headers | {"webhook-id": "another"}, request.body, secret)
    late = str(int(time.time()) - 301)
    again = webhook_sending.signature(secret, headers["webhook-id"], int(late), request.body)
    assert not is_genuine(
        headers | {"webhook-timestamp": late, "webhook-signature": again}, request.body, secret
    )
    both = webhook_sending.signature(
        webhooks.new_secret(), headers["webhook-id"], int(headers["webhook-timestamp"]), request.body
    )
    assert is_genuine(
        headers | {"webhook-signature": f"{both} {headers['webhook-signature']}"}, request.body, secret
    )


@pytest.mark.django_db
def test_the_example_and_its_table_have_the_fields_of_a_message(sent: tuple[Any, str]) -> None:
    shown, real = json.loads(block("json")), json.loads(sent[0].body)

    def shape(value: Any) -> Any:
        return {name: shape(part) for name, part in value.items()} if isinstance(value, dict) else "text"

    assert shape(shown) == shape(real)
    assert list(shown) == list(real)
    table = PAGE.partition("| field | means |")[2].partition("\n\n")[0]
    cells = " ".join(re.findall(r"^\| (.+?) \|", table, flags=re.MULTILINE))
    assert re.findall(r"`(\w+)`", cells) == list(real)


def test_the_pauses_between_attempts_are_those_of_the_code() -> None:
    minutes = [pause.total_seconds() / 60 for pause in webhook_sending.RETRY_AFTER]
    assert minutes == [5 / 60, 1, 5, 15, 60, 120, 240, 480, 525]
    said = "after 5 seconds, 1, 5 and 15 minutes, 1, 2, 4 and 8 hours, and 8 hours 45 minutes"
    assert said in " ".join(PAGE.split())
