"""What tests of YouTube's connector share: canned answers, shaped after developers.google.com/youtube/v3, and
the requests that Google's own client makes of the same discovery document, to hold ours beside."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import googleapiclient.discovery
import googleapiclient.http
import pytest
import requests
import responses

from connectors.base import (
    AppCredentials,
    MediaItem,
    PostPart,
    PostPayload,
    ReplyTarget,
    RetrySafety,
    StepResult,
    Tokens,
)
from connectors.youtube import YouTubeConnector
from tests.connectors.conftest import NOW, SPECS

API = "https://www.googleapis.com"
SESSION = f"{API}/upload/youtube/v3/videos?uploadType=resumable&upload_id=AbCdEf0123456789"
APP = AppCredentials("client-id", "client-secret")
CHANNEL = "UCabcdefghijklmnopqrstuv"
VIDEO = "dQw4w9WgXcQ"
UUID = "0192c1b0-0000-7000-8000-000000000001"
SIZE = 100


def refusal(reason: str, code: int = 403) -> dict[str, Any]:
    one = {"message": "Google's own words", "domain": "youtube", "reason": reason}
    return {"error": {"code": code, "message": "Google's own words", "errors": [one]}}


def listed(*items: Any, **more: Any) -> dict[str, Any]:
    return {"kind": "youtube#listResponse", "items": list(items), **more}


@pytest.fixture
def network() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def account() -> YouTubeConnector:
    return YouTubeConnector(
        tokens=Tokens(access_token="ya29.token", refresh_token="1//refresh"),
        options={"channel_id": CHANNEL},
        app=APP,
    )


def film(size: int = SIZE, **values: Any) -> MediaItem:
    item = MediaItem("clip", "video/mp4", size, 1080, 1920, "", lambda: io.BytesIO(b"v" * size), 30.0, 30.0)
    return dataclasses.replace(item, **values)


def post(*parts: PostPart, **settings: Any) -> PostPayload:
    return PostPayload(
        parts or (PostPart("How we roast", media=(film(),)),),
        settings={"title": "Roasting", "made_for_kids": "no", **settings},
    )


def publish(client: YouTubeConnector, sent: PostPayload | None = None, session: str = SESSION) -> StepResult:
    sent = sent or post()
    step = client.plan(sent)[1]
    return client.send_step(step, sent, intent_of(client, sent, session))


def intent_of(
    client: YouTubeConnector, sent: PostPayload | None = None, session: str = SESSION
) -> dict[str, Any]:
    sent = sent or post()
    done = {"part0.container": StepResult(detail={"session": session})}
    return client.prepare_step(client.plan(sent)[1], sent, done, key=UUID, now=NOW)


def begin(client: YouTubeConnector, sent: PostPayload) -> StepResult:
    step = client.plan(sent)[0]
    return client.send_step(step, sent, client.prepare_step(step, sent, {}, key=UUID, now=NOW))


def body_of(call: Any) -> Any:
    return json.loads(call.request.body)


def made(state: str = "uploaded", **status: Any) -> dict[str, Any]:
    return {"kind": "youtube#video", "id": VIDEO, "status": {"uploadStatus": state, **status}}


class Absent:
    """Stands where Google's own client would, if there is no description to build it from."""

    def __getattr__(self, _name: str) -> Absent:
        return self

    def __call__(self, *_: Any, **__: Any) -> Absent:
        return self


def described(name: str) -> dict[str, Any]:
    """Google's description of one of its APIs, empty where nobody has it."""
    path = SPECS / "google" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return described("youtube.v3")


@pytest.fixture(scope="module")
def google(document: dict[str, Any]) -> Any:
    """Google's own client; without it the tests go on with what they know themselves."""
    return client_of(document)


def client_of(document: dict[str, Any]) -> Any:
    if not document:
        return Absent()
    mocked = googleapiclient.http.HttpMock(headers={"status": "200"})
    return googleapiclient.discovery.build_from_document(document, http=mocked)


def assert_same(ours: requests.PreparedRequest, theirs: Any) -> None:
    """The same call: method, path, query (theirs says ``alt=json`` besides) and body."""
    if isinstance(theirs, Absent):
        return
    mine, other = urlsplit(str(ours.url)), urlsplit(theirs.uri)
    assert (ours.method, mine.path) == (theirs.method, other.path)
    assert dict(parse_qsl(mine.query)) == {k: v for k, v in parse_qsl(other.query) if k != "alt"}
    if isinstance(theirs.body, str):
        assert json.loads(ours.body or "") == json.loads(theirs.body)


def faults(value: object, name: str, document: dict[str, Any]) -> list[str]:
    """Members that the description does not have, of another type or beyond its enumeration."""
    return list(_faults(value, {"$ref": name}, document["schemas"], name)) if document else []


TYPES: dict[str, type] = {
    "any": object,
    "string": str,
    "boolean": bool,
    "integer": int,
    "array": list,
    "object": dict,
    "number": float,
}


def _faults(value: object, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> Iterator[str]:
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    if not isinstance(value, TYPES[schema["type"]]):
        yield f"{where}: not {schema['type']}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r}"
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from _faults(one, schema["items"], schemas, f"{where}[{n}]")
    elif isinstance(value, dict):
        known = schema.get("properties", {})
        for name in value:
            if name in known:
                yield from _faults(value[name], known[name], schemas, f"{where}.{name}")
            else:
                yield f"{where}.{name}: unknown"


CHANNEL_ANSWER = {
    "kind": "youtube#channel",
    "id": CHANNEL,
    "snippet": {
        "title": "Harbour Coffee",
        "customUrl": "@harbour",
        "thumbnails": {"default": {"url": "https://yt3.example/a.jpg"}},
    },
    "contentDetails": {"relatedPlaylists": {"uploads": "UUabcdefghijklmnopqrstuv"}},
    "statistics": {
        "subscriberCount": "12",
        "videoCount": "3",
        "viewCount": "99",
        "hiddenSubscriberCount": False,
    },
}
WITH_COMMENT = post(PostPart("", media=(film(),)), PostPart("The link", is_comment=True))


def send_last(client: YouTubeConnector, sent: PostPayload) -> StepResult:
    step = client.plan(sent)[-1]
    done = {"part0.publish": StepResult(remote_id=VIDEO)}
    intent = client.prepare_step(step, sent, done, key=UUID, now=NOW)
    assert client.safety_of(intent, NOW) is (
        RetrySafety.NEITHER if "session" not in intent else RetrySafety.TWO_PHASE
    )
    return client.send_step(step, sent, intent)


REPLY = PostPayload(
    (PostPart("Thank you"),),
    reply_to=ReplyTarget("UgxTop.9abc", VIDEO, {"id": "UgxTop.9abc", "thread": "UgxTop", "video": VIDEO}),
)


def comment(comment_id: str, author: str = "UCguest", at: str = "2026-11-22T12:30:00Z", **more: Any) -> Any:
    return {
        "id": comment_id,
        "snippet": {
            "authorDisplayName": "@guest",
            "authorProfileImageUrl": "https://yt3.example/g.jpg",
            "authorChannelUrl": "http://www.youtube.com/@guest",
            "authorChannelId": {"value": author},
            "textDisplay": "How good & warm",
            "publishedAt": at,
            **more,
        },
    }
