"""What stand-ins of Meta's networks share: how a call goes wrong, forms and queries, errors of the API."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from accounts.connecting import connector_for
from accounts.models import SocialAccount
from connectors.base import Connector
from tests.outbox.network import Clock

Answer = tuple[int, dict[str, str], str]
FAULTS = ("fine", "dropped after", "dropped before", "broken after", "broken before", "wait", "nonsense")


class Refused(Exception):
    """The network does nothing and says this."""

    def __init__(self, code: int, subcode: int = 0, status: int = 400) -> None:
        super().__init__(code)
        self.answer = error(code, subcode, status)


def error(code: int, subcode: int = 0, status: int = 400, **headers: str) -> Answer:
    said: dict[str, Any] = {"message": f"(#{code}) no", "type": "OAuthException", "code": code}
    if subcode:
        said["error_subcode"] = subcode
    return status, headers, json.dumps({"error": said})


def form_of(request: requests.PreparedRequest) -> dict[str, str]:
    return dict(parse_qsl(str(request.body or ""), keep_blank_values=True))


def path_of(request: requests.PreparedRequest) -> list[str]:
    """The parts of the path without the version."""
    return urlsplit(str(request.url)).path.strip("/").split("/")[1:]


def stamp(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


@dataclass
class FakeMeta:
    """A network that goes wrong as it is told, call by call that changes something."""

    clock: Clock
    faults: Iterator[str] = field(default_factory=lambda: itertools.repeat("fine"))
    ids: itertools.count[int] = field(default_factory=lambda: itertools.count(100))

    def connector(self, account: SocialAccount) -> Connector:
        return connector_for(account)

    def carry_out(self, act: Callable[[], Any]) -> Answer:
        fault = next(self.faults)
        if fault == "dropped before":
            raise requests.ConnectTimeout
        if fault == "broken before":
            return error(2, status=503)
        if fault == "wait":
            usage = {"1": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 2}]}
            return error(80001, **{"X-Business-Use-Case-Usage": json.dumps(usage)})
        try:
            done = act()
        except Refused as refused:
            return refused.answer
        if fault == "dropped after":
            raise requests.ConnectionError(ConnectionResetError())
        if fault == "broken after":
            return error(1, status=500)
        if fault == "nonsense":
            return 200, {}, "<html>"
        return 200, {}, json.dumps(done)

    def new_id(self, kind: str) -> str:
        return f"{kind}{next(self.ids)}"
