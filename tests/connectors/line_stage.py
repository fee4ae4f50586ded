"""What tests of LINE's connector share: a bot, what it sends, and LINE's OpenAPI descriptions."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses
import yaml

from connectors.base import PostPayload, StepResult, Tokens
from connectors.line import LineConnector
from tests.connectors.conftest import NOW, SPECS, faults, payload

API = "https://api.line.me"
TOKEN, SECRET = "long-lived-channel-token", "0f1e2d3c4b5a"
UUID = "0192c1b0-0000-7000-8000-000000000001"
REQUEST = {"x-line-request-id": "f70dd685-499a-4231-a441-f24b8d4fba21"}
BOT_ID = "U" + "b" * 32
ANNA = "U" + "a" * 32


@pytest.fixture
def network() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def account() -> LineConnector:
    return LineConnector(
        tokens=Tokens(access_token=TOKEN, extra={"channel_secret": SECRET}), options={"user_id": BOT_ID}
    )


Check = Callable[[requests.PreparedRequest], list[str]]


@pytest.fixture(scope="session")
def described() -> Check:
    """What is wrong with a request by LINE's OpenAPI descriptions: its path, query and body."""
    folder = SPECS / "line"
    if not folder.is_dir():
        return lambda _request: []
    names = ("messaging-api", "insight", "channel-access-token")
    files = [yaml.safe_load((folder / f"{name}.yml").read_text(encoding="utf-8")) for name in names]
    paths = {
        path: (known, one["components"]["schemas"]) for one in files for path, known in one["paths"].items()
    }

    def check(request: requests.PreparedRequest) -> list[str]:
        parts = urlsplit(str(request.url))
        found = [
            one for path, one in paths.items() if re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), parts.path)
        ]
        if not found or str(request.method).lower() not in found[0][0]:
            return [f"{request.method} {parts.path} is not described"]
        operation, schemas = found[0][0][str(request.method).lower()], found[0][1]
        query = dict(parse_qsl(parts.query))
        asked = [one for one in operation.get("parameters", ()) if one["in"] == "query"]
        wrong = [one["name"] for one in asked if one.get("required") and one["name"] not in query]
        wrong += [name for name in query if name not in {one["name"] for one in asked}]
        if "requestBody" in operation:
            ((kind, content),) = operation["requestBody"]["content"].items()
            assert str(request.headers["Content-Type"]).startswith(kind)
            raw = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
            body = json.loads(raw) if kind == "application/json" else dict(parse_qsl(raw))
            wrong += faults(body, content["schema"], schemas, parts.path)
            if kind == "application/json":
                for message in body["messages"]:
                    name = schemas["Message"]["discriminator"]["mapping"][message["type"]].rpartition("/")[2]
                    wrong += faults(message, schemas[name], schemas, name)
                wrong += demographic_faults(body.get("filter"), schemas)
        return wrong

    return check


def demographic_faults(given: Any, schemas: dict[str, Any]) -> list[str]:
    if given is None:
        return []
    known = given["demographic"]
    name = schemas["DemographicFilter"]["discriminator"]["mapping"][known["type"]].rpartition("/")[2]
    told = {one for base in schemas[name]["allOf"] for one in base.get("properties", ())} | {"type"}
    return [*faults(known, schemas[name], schemas, name), *(known.keys() - told)]


def publish(client: LineConnector, wanted: PostPayload) -> StepResult:
    (step,) = client.plan(wanted)
    return client.send_step(step, wanted, client.prepare_step(step, wanted, {}, key=UUID, now=NOW))


def to_audience(audience: str, *, silent: bool = False) -> PostPayload:
    return dataclasses.replace(payload("Hi"), settings={"audience": audience, "silent": silent})


EVENT = {
    "overview": {
        "requestId": "f70dd685",
        "timestamp": 1568214000,
        "delivered": 320,
        "uniqueImpression": 82,
        "uniqueClick": 51,
        "uniqueMediaPlayed": None,
        "uniqueMediaPlayed100Percent": None,
    },
    "messages": [{"seq": 1, "impression": 136}, {"seq": 2, "impression": 130}],
    "clicks": [
        {"seq": 1, "url": "https://line.me/", "click": 41, "uniqueClick": 30},
        {"seq": 1, "url": "https://www.linebiz.com/", "click": 59, "uniqueClick": 38},
    ],
}
