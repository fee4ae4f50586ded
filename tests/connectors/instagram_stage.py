"""What tests of Instagram share: an account of each login, media and comments as Instagram's documents show
them, Meta's own description of the API, which requests are held against."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from connectors.base import AppCredentials, MediaItem, PostPart, PostPayload, Step, StepResult, Tokens
from connectors.instagram import InstagramConnector
from tests.connectors.conftest import NOW, SPECS
from tests.connectors.meta_specs import MetaSpecs

IG, PAGE = "17841400000000001", "1001"
AT_INSTAGRAM = "https://graph.instagram.com/v25.0"
AT_FACEBOOK = "https://graph.facebook.com/v25.0"
SECRET = "app-secret-app-secret"
APP = AppCredentials("123", SECRET, extra={"login": "instagram"})
FACEBOOK_APP = AppCredentials("123", SECRET, extra={"login": "facebook"})
UUID = "0192c1b0-0000-7000-8000-000000000001"
OURS = "https://smm.example.com/media/s1gned.jpg"
REDIRECT = "https://smm.example.com/callback"
USER = "IGUserForIGOnlyAPI"
ROUTES = {
    rf"/(?:{IG}|me)": USER,
    rf"/{IG}/(\w+)": USER,
    r"/179\d+": "IGMediaForIGOnlyAPI",
    r"/179\d+/(\w+)": "IGMediaForIGOnlyAPI",
    r"/178\d+": "IGComment",
    r"/178\d+/(\w+)": "IGComment",
}


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def account() -> InstagramConnector:
    options = {"login": "instagram", "ig_id": IG, "person_id": "26", "username": "harbour"}
    return InstagramConnector(tokens=Tokens(access_token="IGtokentoken"), options=options, app=APP)


@pytest.fixture
def linked() -> InstagramConnector:
    options = {"login": "facebook", "ig_id": IG, "page_id": PAGE, "username": "harbour"}
    return InstagramConnector(tokens=Tokens(access_token="EAtokentoken"), options=options, app=FACEBOOK_APP)


def hold_against_specs(network: responses.RequestsMock, routes: dict[str, str]) -> None:
    folder = SPECS / "meta"
    if not folder.is_dir():
        pytest.skip("NETWORK_SPECS has no meta: requests are not held against the description")
    assert MetaSpecs(folder, routes).faults([call.request for call in network.calls]) == []


def photo(alt_text: str = "A harbour") -> MediaItem:
    return MediaItem(
        "one", "image/jpeg", 9, 1080, 1080, alt_text, lambda: io.BytesIO(b"jpeg"), public_url=lambda: OURS
    )


def film(**more: Any) -> MediaItem:
    made = MediaItem("film", "video/mp4", 9, 1080, 1920, "", lambda: io.BytesIO(b"mp4"), 20.0, 30.0)
    return dataclasses.replace(made, public_url=lambda: OURS, **more)


def post(*media: MediaItem, text: str = "Hello", comment: str = "", **settings: Any) -> PostPayload:
    parts = (PostPart(text, media), *((PostPart(comment, is_comment=True),) if comment else ()))
    return PostPayload(parts, settings=settings)


def form_of(call: Any) -> dict[str, str]:
    return dict(parse_qsl(str(call.request.body), keep_blank_values=True))


def query_of(call: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(str(call.request.url)).query))


def step_of(client: InstagramConnector, sent: PostPayload, key: str) -> Step:
    return next(step for step in client.plan(sent) if step.key == key)


def send(
    client: InstagramConnector, sent: PostPayload, key: str, done: dict[str, StepResult] | None = None
) -> StepResult:
    step = step_of(client, sent, key)
    return client.send_step(step, sent, client.prepare_step(step, sent, done or {}, key=UUID, now=NOW))


def media(number: str, text: str, at: dt.datetime, **more: Any) -> dict[str, Any]:
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S+0000")
    link = f"https://www.instagram.com/p/{number}/"
    return {"id": number, "caption": text, "timestamp": stamp, "permalink": link, **more}


def comment(
    number: str, text: str, at: dt.datetime, *, name: str = "ann", author: str = "55", **more: Any
) -> dict[str, Any]:
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S+0000")
    who = {"id": author, "username": name}
    return {"id": number, "text": text, "timestamp": stamp, "username": name, "from": who, **more}
