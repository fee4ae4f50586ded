"""What tests of LinkedIn's connector share: accounts of a page and of a person, and canned answers."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import responses

from connectors.base import AppCredentials, MediaItem, PostPayload, StepResult, Tokens
from connectors.linkedin import LinkedInConnector
from tests.connectors.conftest import NOW

API = "https://api.linkedin.com"
PAGE = "urn:li:organization:5515715"
PERSON = "urn:li:person:A8xe03Qt10"
POST = "urn:li:share:6844785523593134080"
THREAD = "urn:li:activity:6844785523593134081"
COMMENT = f"urn:li:comment:({THREAD},6844785523593134082)"
APP = AppCredentials(client_id="78abc", client_secret="app-s3cret")
UUID = "0192c1b0-0000-7000-8000-000000000001"
PAGE_SCOPES = [
    "w_member_social",
    "rw_organization_admin",
    "r_organization_social",
    "w_organization_social",
    "r_organization_social_feed",
    "w_organization_social_feed",
]


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def account(urn: str = PAGE, scopes: list[str] | None = None, **more: Any) -> LinkedInConnector:
    options = {
        "urn": urn,
        "person": PERSON,
        "handle": "harbour",
        "name": "Harbour Coffee",
        "scopes": PAGE_SCOPES if scopes is None else scopes,
    }
    return LinkedInConnector(tokens=Tokens(access_token="AQX-TOKEN"), options=options, **more)


@pytest.fixture
def page() -> LinkedInConnector:
    return account()


@pytest.fixture
def person() -> LinkedInConnector:
    return account(PERSON, ["openid", "profile", "w_member_social"])


def publish(
    client: LinkedInConnector, sent: PostPayload, done: dict[str, StepResult] | None = None
) -> StepResult:
    step = client.plan(sent)[-1]
    return client.send_step(step, sent, client.prepare_step(step, sent, done or {}, key=UUID, now=NOW))


def created(urn: str = POST) -> dict[str, Any]:
    return {"status": 201, "headers": {"x-restli-id": urn}}


def body_of(call: responses.Call) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call.request.body or "")
    return found


def path_of(call: responses.Call) -> str:
    return urlsplit(str(call.request.url)).path


def ms(at: dt.datetime) -> int:
    return round(at.timestamp() * 1000)


def remote(urn: str, commentary: str, at: dt.datetime, **more: Any) -> dict[str, Any]:
    return {
        "id": urn,
        "author": PAGE,
        "commentary": commentary,
        "createdAt": ms(at),
        "lastModifiedAt": ms(at),
        "lifecycleState": "PUBLISHED",
        **more,
    }


def remote_comment(number: int, text: str, at: dt.datetime, actor: str = PAGE, **more: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "actor": actor,
        "commentUrn": f"urn:li:comment:({THREAD},{number})",
        "created": {"actor": actor, "time": ms(at)},
        "message": {"attributes": [], "text": text},
        "object": THREAD,
        **more,
    }


def film(size: int, **more: Any) -> MediaItem:
    content = bytes(n % 251 for n in range(size))
    item = MediaItem("clip", "video/mp4", size, 720, 1280, "A wave", lambda: io.BytesIO(content), 6.0, 30.0)
    return dataclasses.replace(item, **more)
