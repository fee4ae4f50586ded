"""A running sandbox network for tests: ``sandbox`` for every test that names it, ``running_sandbox`` to
start one by hand, ``Api`` to speak to it as an account without any connector."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image

from connectors import http
from sandbox.control import SandboxControl, SandboxFailed, SandboxTokens, running_sandbox

__all__ = ["Api", "SandboxControl", "SandboxFailed", "SandboxTokens", "png", "running_sandbox", "sandbox"]


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxControl]:
    """One process for all tests of this run; it keeps everything in a temporary file."""
    with running_sandbox() as control:
        yield control


@pytest.fixture
def sandbox(sandbox_server: SandboxControl, monkeypatch: pytest.MonkeyPatch) -> SandboxControl:
    """An empty network, which connectors reach as the configured sandbox."""
    sandbox_server.reset()
    monkeypatch.setattr(http, "_config", http._config)  # what was configured before comes back afterwards
    http.configure(base_urls={"sandbox": sandbox_server.base_url})
    return sandbox_server


class Api:
    """The network's API as one account (``token``) or as the public."""

    def __init__(self, control: SandboxControl, token: str = "") -> None:
        self.base_url = control.base_url
        self.session = requests.Session()
        self.session.trust_env = False
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, *, timeout: float = 20, **arguments: Any) -> requests.Response:
        return self.session.request(
            method, f"{self.base_url}{path}", timeout=timeout, allow_redirects=False, **arguments
        )

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any = None, **arguments: Any) -> requests.Response:
        return self.call("POST", path, json=body, **arguments)

    def publish(self, text: str, *, key: str = "", ref: str = "", **post: Any) -> requests.Response:
        headers = {"Idempotency-Key": key, "X-Client-Ref": ref}
        return self.post(
            "/api/v1/posts",
            {"text": text, **post},
            headers={name: value for name, value in headers.items() if value},
        )

    def upload(self, content: bytes, *, alt_text: str = "") -> requests.Response:
        return self.call(
            "POST", "/api/v1/media", files={"file": ("image", content)}, data={"alt_text": alt_text}
        )


def png(width: int = 12, height: int = 8, *, kind: str = "PNG") -> bytes:
    """A small real image."""
    content = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(content, kind)
    return content.getvalue()


def error_code(response: requests.Response) -> str:
    code: str = response.json()["error"]["code"]
    return code
