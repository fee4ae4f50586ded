"""What tests of Threads share: an account, its posts as Threads tells them, Meta's Postman collection of the
Threads API, which calls are held against."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from connectors.base import AppCredentials, MediaItem, PostPayload, StepResult, Tokens
from connectors.threads import ThreadsConnector
from connectors.threads_info import INFO
from tests.connectors.conftest import NOW, SPECS, image

ROOT = "https://graph.threads.net"
API = f"{ROOT}/v1.0"
TOKEN, SECRET = "THAAtokentokentoken", "threads-app-secret"
APP = AppCredentials(client_id="123456", client_secret=SECRET)
UUID = "0192c1b0-0000-7000-8000-000000000001"
OPTIONS = {"user_id": "78901", "username": "harbour", "scopes": list(INFO.scopes)}
ME = {
    "id": "78901",
    "username": "harbour",
    "name": "Harbour Coffee",
    "threads_profile_picture_url": "https://scontent.example.com/p.jpg",
}
AT_OURS = "https://smm.example.com/media/public/"


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def client(*scopes: str) -> ThreadsConnector:
    options = OPTIONS | ({"scopes": list(scopes)} if scopes else {})
    return ThreadsConnector(tokens=Tokens(access_token=TOKEN), options=options, app=APP)


@pytest.fixture
def account() -> ThreadsConnector:
    return client()


def query_of(call: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(str(call.request.url)).query))


def form_of(call: Any) -> dict[str, str]:
    return dict(parse_qsl(str(call.request.body or "")))


@pytest.fixture(scope="session")
def collection() -> Callable[[Any], list[str]]:
    """What is wrong with a call by Meta's collection: its method, path and the names of its parameters."""
    path = SPECS / "threads" / "threads-api.postman_collection.json"
    if not path.exists():
        return lambda _call: []
    known: dict[tuple[str, str], set[str]] = {}

    def walk(items: list[dict[str, Any]]) -> None:
        for item in items:
            if "item" in item:
                walk(item["item"])
                continue
            asked = item["request"]
            where = "/".join(asked["url"]["path"]).rstrip("/")
            names = {one["key"] for one in asked["url"].get("query", ())}
            known.setdefault((asked["method"], re.sub(r"{{\w+}}", "ID", where)), set()).update(names)

    walk(json.loads(path.read_text(encoding="utf-8"))["item"])

    def check(call: Any) -> list[str]:
        where = urlsplit(str(call.request.url)).path.removeprefix("/v1.0/").removeprefix("/")
        key = (str(call.request.method), re.sub(r"\b\d+\b", "ID", where))
        if key not in known:
            return [f"{key} is not in the collection"]
        given = (query_of(call) | form_of(call)).keys()
        return [f"{key}: {name}" for name in given - known[key] - {"access_token", "limit"}]

    return check


Check = Callable[[Any], list[str]]


def step_of(one: ThreadsConnector, sent: PostPayload, key: str) -> Any:
    return next(step for step in one.plan(sent) if step.key == key)


def send(one: ThreadsConnector, sent: PostPayload, key: str, done: dict[str, StepResult]) -> StepResult:
    step = step_of(one, sent, key)
    return one.send_step(step, sent, one.prepare_step(step, sent, done, key=UUID, now=NOW))


def publish(one: ThreadsConnector, sent: PostPayload, container: str = "77") -> StepResult:
    return send(one, sent, "part0.publish", {"part0.container": StepResult(remote_id=container)})


def photo(name: str = "a.jpg", alt_text: str = "A cat") -> MediaItem:
    return dataclasses.replace(image(alt_text, mime_type="image/jpeg"), public_url=lambda: f"{AT_OURS}{name}")


def film(alt_text: str = "") -> MediaItem:
    made = MediaItem("clip", "video/mp4", 9, 640, 360, alt_text, lambda: io.BytesIO(b"v"), 3.0, 30.0)
    return dataclasses.replace(made, public_url=lambda: f"{AT_OURS}clip.mp4")


def graph_error(code: int, **more: Any) -> dict[str, Any]:
    return {"error": {"message": "no", "type": "THApiException", "code": code, **more}}


def own(text: str = "Hello Coffee", **more: Any) -> dict[str, Any]:
    at = NOW + dt.timedelta(seconds=3)
    post = {"id": "900", "text": text, "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}+0000", "media_type": "TEXT_POST"}
    return post | {"permalink": "https://www.threads.net/@harbour/post/Pp"} | more
