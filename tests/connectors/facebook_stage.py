"""What tests of Facebook share: a Page, posts and comments as Facebook's documents show them, Meta's own
description of the API, which requests are held against."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from connectors.base import AppCredentials, MediaItem, PostPart, PostPayload, Step, StepResult, Tokens
from connectors.facebook import FacebookConnector
from tests.connectors.conftest import NOW, SPECS
from tests.connectors.meta_specs import MetaSpecs

PAGE = "1001"
API = "https://graph.facebook.com/v25.0"
VIDEO_API = "https://graph-video.facebook.com/v25.0"
UPLOADS = "https://rupload.facebook.com/video-upload/v25.0"
SECRET = "app-secret-app-secret"
TOKEN = "EAtoken-of-the-page"
APP = AppCredentials("123", SECRET)
UUID = "0192c1b0-0000-7000-8000-000000000001"
REDIRECT = "https://smm.example.com/callback"
ROUTES = {
    rf"/{PAGE}": "Page",
    rf"/{PAGE}/(\w+)": "Page",
    rf"/{PAGE}_\d+": "PagePost",
    rf"/{PAGE}_\d+/(\w+)": "PagePost",
    r"/2002_\d+": "Comment",
    r"/2002_\d+/(\w+)": "Comment",
    r"/77\d*": "AdVideo",
    r"/(?!\d)[\w.]+": "Page",
}
GONE = {"error": {"code": 100, "error_subcode": 33, "message": "Object does not exist"}}


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def page() -> FacebookConnector:
    options = {"page_id": PAGE, "name": "Harbour Coffee"}
    return FacebookConnector(tokens=Tokens(access_token=TOKEN), options=options, app=APP)


def hold_against_specs(network: responses.RequestsMock) -> None:
    folder = SPECS / "meta"
    if not folder.is_dir():
        pytest.skip("NETWORK_SPECS has no meta: requests are not held against the description")
    sent = [call.request for call in network.calls if "video-upload" not in str(call.request.url)]
    assert MetaSpecs(folder, ROUTES).faults(sent) == []


def photo(alt_text: str = "A harbour") -> MediaItem:
    return MediaItem("one", "image/jpeg", 9, 1080, 1080, alt_text, lambda: io.BytesIO(b"jpegjpeg"))


def film(**more: Any) -> MediaItem:
    made = MediaItem("film", "video/mp4", 10, 1920, 1080, "", lambda: io.BytesIO(b"0123456789"), 200.0, 30.0)
    return dataclasses.replace(made, **more)


def upright(**more: Any) -> MediaItem:
    return film(**{"width": 1080, "height": 1920, "duration_s": 20.0, **more})


def post(*media: MediaItem, text: str = "Hello", comment: str = "", **settings: Any) -> PostPayload:
    parts = (PostPart(text, media), *((PostPart(comment, is_comment=True),) if comment else ()))
    return PostPayload(parts, settings=settings)


def form_of(call: Any) -> dict[str, str]:
    """Without the proof, which stands in every form."""
    form = dict(parse_qsl(str(call.request.body), keep_blank_values=True))
    form.pop("appsecret_proof", None)
    return form


def multipart_of(call: Any) -> dict[str, bytes]:
    body = call.request.body if isinstance(call.request.body, bytes) else call.request.body.read()
    found = re.findall(
        rb'name="(\w+)"(?:; filename="[^"]*"\r\nContent-Type: [\w/-]+)?\r\n\r\n(.*?)\r\n--', body, re.DOTALL
    )
    return {name.decode(): value for name, value in found}


def query_of(call: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(str(call.request.url)).query))


def step_of(client: FacebookConnector, sent: PostPayload, key: str) -> Step:
    return next(step for step in client.plan(sent) if step.key == key)


def send(
    client: FacebookConnector, sent: PostPayload, key: str, done: dict[str, StepResult] | None = None
) -> StepResult:
    step = step_of(client, sent, key)
    return client.send_step(step, sent, client.prepare_step(step, sent, done or {}, key=UUID, now=NOW))


def intent_of(
    client: FacebookConnector, sent: PostPayload, key: str, **done: StepResult
) -> tuple[Step, dict[str, Any]]:
    step = step_of(client, sent, key)
    left = {name.replace("_", "."): result for name, result in done.items()}
    return step, client.prepare_step(step, sent, left, key=UUID, now=NOW)


def stamp(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def shown(number: str, text: str, at: dt.datetime, **more: Any) -> dict[str, Any]:
    return {"id": number, "message": text, "created_time": stamp(at), **more}


def comment(
    number: str, text: str, at: dt.datetime, *, author: str = "55", name: str = "Ann", **more: Any
) -> dict[str, Any]:
    who = {"id": author, "name": name}
    return {"id": number, "message": text, "created_time": stamp(at), "from": who, **more}
