"""What tests of TikTok's connector share: canned answers, shaped after developers.tiktok.com."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
from typing import Any

import pytest
import responses

from connectors.base import AppCredentials, MediaItem, PostPart, PostPayload, StepResult, Tokens
from connectors.tiktok import CHUNK_BYTES, TikTokConnector
from tests.connectors.conftest import NOW, image

API = "https://open.tiktokapis.com"
UPLOAD = "https://open-upload.tiktokapis.com/video/?upload_id=67890&upload_token=Xza123secret"
APP = AppCredentials("client-key", "client-secret")
OK = {"code": "ok", "message": "", "log_id": "202210112248442CB9319E1FB30C1073F3"}
POST_ID = "7300000000000000001"
PUBLISH_ID = "v_pub_file~v2-1.123456789"
UUID = "0192c1b0-0000-7000-8000-000000000001"


def ok(**data: Any) -> dict[str, Any]:
    return {"data": data, "error": OK}


def refusal(code: str) -> dict[str, Any]:
    return {"data": {}, "error": {"code": code, "message": "TikTok's own words", "log_id": "1"}}


@pytest.fixture
def network() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def account() -> TikTokConnector:
    return TikTokConnector(
        tokens=Tokens(access_token="act.token", refresh_token="rft.token"),
        options={"open_id": "open-id", "username": "harbour"},
        app=APP,
    )


def film(size: int = 100, **values: Any) -> MediaItem:
    item = MediaItem("clip", "video/mp4", size, 1080, 1920, "", lambda: io.BytesIO(b"v" * size), 10.0, 30.0)
    return dataclasses.replace(item, **values)


def photo(name: str) -> MediaItem:
    return dataclasses.replace(
        image(name, mime_type="image/jpeg"), public_url=lambda: f"https://smm.example.com/m/{name}"
    )


def post(*media: MediaItem, text: str = "Look #tea", **settings: Any) -> PostPayload:
    return PostPayload((PostPart(text, media=media),), settings={"privacy": "PUBLIC_TO_EVERYONE", **settings})


def container(until: dt.datetime | None = None) -> StepResult:
    good_until = until or dt.datetime.now(dt.UTC) + dt.timedelta(minutes=50)
    return StepResult(
        remote_id=PUBLISH_ID, detail={"upload_url": UPLOAD, "good_until": good_until.isoformat()}
    )


def intent_of(client: TikTokConnector, sent: PostPayload, made: StepResult | None = None) -> dict[str, Any]:
    step = client.plan(sent)[-1]
    return client.prepare_step(step, sent, {"part0.container": made or container()}, key=UUID, now=NOW)


def publish(client: TikTokConnector, sent: PostPayload, made: StepResult | None = None) -> StepResult:
    return client.send_step(client.plan(sent)[-1], sent, intent_of(client, sent, made))


def begin(client: TikTokConnector, sent: PostPayload) -> StepResult:
    step = client.plan(sent)[0]
    return client.send_step(step, sent, client.prepare_step(step, sent, {}, key=UUID, now=NOW))


def body_of(call: Any) -> Any:
    return json.loads(call.request.body)


def serve_status(network: responses.RequestsMock, **data: Any) -> None:
    network.upsert("POST", f"{API}/v2/post/publish/status/fetch/", json=ok(**data))


BIG = 2 * CHUNK_BYTES + 7
