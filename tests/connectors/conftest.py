"""What tests of connectors share: a clean HTTP door, scripted TCP servers, the official description."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from connectors import http
from connectors.base import MediaItem, PostPart, PostPayload
from tests.connectors.lexicons import Lexicons

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
# Folders of the networks' own machine-readable descriptions, where somebody has them.
SPECS = Path(os.environ.get("NETWORK_SPECS", "var/network_specs"))


@pytest.fixture(autouse=True)
def _own_http_settings() -> Iterator[None]:
    """Each test says which private hosts it reaches; afterwards the process's own settings are back."""
    before = (http._config.allowed_private_hosts, http._config.base_urls, http._config.user_agent)
    http.configure()
    yield
    http.configure(allowed_private_hosts=before[0], base_urls=before[1], user_agent=before[2])
    http._adapter(guard=False)  # closes what this test left open


@pytest.fixture
def loopback_allowed() -> None:
    http.configure(allowed_private_hosts=["127.0.0.1"])


class ScriptedServer:
    """A TCP server whose answer to the n-th request is the n-th item of a script: bytes to send, None to
    drop the connection, or a function that is given the socket. It counts what arrived."""

    def __init__(
        self,
        script: list[bytes | Callable[[socket.socket], None] | None],
        raw: Callable[[socket.socket], None] | None = None,
    ) -> None:
        self.script = script
        self.raw = raw  # speaks on each connection itself, for what is not plain HTTP
        self.requests: list[bytes] = []
        self.connections = 0
        self.is_stopped = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        while not self.is_stopped:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self.serve, args=(conn,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def serve(self, conn: socket.socket) -> None:
        with conn, suppress(OSError):
            conn.settimeout(5)
            if self.raw:
                self.raw(conn)
                return
            while request := self.read(conn):
                step = self.script[min(len(self.requests), len(self.script) - 1)]
                self.requests.append(request)
                if step is None:
                    return
                if callable(step):
                    step(conn)
                    return
                conn.sendall(step)

    @staticmethod
    def read(conn: socket.socket) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            piece = conn.recv(65_536)
            if not piece:
                return b""
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        lengths = [
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        ]
        while len(body) < sum(lengths):
            body += conn.recv(65_536)
        return head + b"\r\n\r\n" + body

    def stop(self) -> None:
        self.is_stopped = True
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(timeout=6)


@contextmanager
def scripted(*script: Any, raw: Callable[[socket.socket], None] | None = None) -> Iterator[ScriptedServer]:
    server = ScriptedServer(list(script), raw)
    try:
        yield server
    finally:
        http.configure()
        http._adapter(guard=False)
        server.stop()


def ok(body: bytes = b"{}", *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect_to(url: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n".encode()


def image(alt_text: str = "A cat", *, mime_type: str = "image/png", size: int = 8) -> MediaItem:
    return MediaItem(
        key="asset1",
        mime_type=mime_type,
        size=size,
        width=10,
        height=10,
        alt_text=alt_text,
        open=lambda: io.BytesIO(b"\x89PNG" + b"\0" * 4),
    )


def payload(*texts: str, media: tuple[MediaItem, ...] = (), language: str = "") -> PostPayload:
    """One post per text; the images belong to the first."""
    parts = tuple(PostPart(text=t, media=media if n == 0 else ()) for n, t in enumerate(texts))
    return PostPayload(parts=parts, language=language)


@pytest.fixture(scope="session")
def lexicons() -> Lexicons:
    """Bluesky's official descriptions of records and calls."""
    folder = SPECS / "bluesky" / "lexicons"
    if not folder.is_dir():
        pytest.skip("NETWORK_SPECS has no bluesky/lexicons: records are not held against them")
    return Lexicons(folder)


@pytest.fixture(scope="session")
def mastodon_schema() -> Callable[[object, str], list[str]]:
    """check(entity, "Status") -> what is wrong with it by Mastodon's OpenAPI description."""
    path = SPECS / "mastodon" / "schema.json"
    if not path.exists():
        pytest.skip(
            "NETWORK_SPECS has no mastodon/schema.json: entities are not held against the description"
        )
    schemas = json.loads(path.read_text(encoding="utf-8"))["components"]["schemas"]
    return lambda entity, name: list(_faults(entity, schemas[name], schemas, name))


def faults(value: object, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> list[str]:
    """What is wrong with a value by a schema of an OpenAPI description."""
    return list(_faults(value, schema, schemas, where))


_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def _faults(value: object, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> Iterator[str]:
    """Required fields and types, through references and arrays: what a client of typed models relies on."""
    if "$ref" in schema:
        target = schemas.get(schema["$ref"].rpartition("/")[2], {})
        yield from _faults(value, target, schemas, where)
        return
    for base in schema.get("allOf", ()):
        yield from _faults(value, base, schemas, where)
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices:
        if all(list(_faults(value, choice, schemas, where)) for choice in choices):
            yield f"{where}: fits none of {len(choices)} forms"
        return
    names = schema.get("type", [])
    allowed = [names] if isinstance(names, str) else names
    if allowed and not any(_is_type(value, name) for name in allowed):
        yield f"{where}: {type(value).__name__}, not {allowed}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is not one of {schema['enum']}"
    if isinstance(value, dict):
        yield from (f"{where}.{name}: missing" for name in schema.get("required", ()) if name not in value)
        for name in schema.get("properties", {}).keys() & value.keys():
            yield from _faults(value[name], schema["properties"][name], schemas, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for n, item in enumerate(value):
            yield from _faults(item, schema["items"], schemas, f"{where}[{n}]")


def _is_type(value: object, name: str) -> bool:
    if name in {"integer", "number"} and isinstance(value, bool):
        return False
    return isinstance(value, _TYPES[name])
