"""The process: one event loop, one SQLite file, hundreds of connections."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from importlib.util import find_spec
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.importer import import_from_string

from sandbox import api, control_api, inbox, oauth, pages
from sandbox.calls import Json, Network
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.store import Store


async def _not_found(request: Request, _error: Exception) -> Response:
    if request.url.path.startswith(("/api/", "/control/", "/oauth/token")):
        return Json({"error": {"code": "not_found", "message": "There is nothing at this address."}}, 404)
    return pages.page(request, "message.html", 404, message="not_found")


async def _method_not_allowed(_request: Request, _error: Exception) -> Response:
    return Json({"error": {"code": "method_not_allowed", "message": "Not with this method."}}, 405)


def create_app(network: Network) -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        network.store.close()

    app = Starlette(
        routes=[*api.ROUTES, *inbox.ROUTES, *oauth.ROUTES, *control_api.ROUTES, *pages.ROUTES],
        exception_handlers={404: _not_found, 405: _method_not_allowed},
        lifespan=lifespan,
    )
    app.state.network = network
    return app


async def _with_transport(
    app: ASGIApp, transport: asyncio.Transport, scope: Scope, receive: Receive, send: Send
) -> None:
    scope["sandbox.transport"] = transport
    await app(scope, receive, send)


def _protocol() -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol, made to show its socket to the application: a dropped connection must
    be dropped, and ASGI has no word for that. The C parser where its wheel is installed."""
    name = "httptools_impl:HttpToolsProtocol" if find_spec("httptools") else "h11_impl:H11Protocol"
    base: Any = import_from_string(f"uvicorn.protocols.http.{name}")

    class Protocol(base):
        app: Callable[..., Any]

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self.app = functools.partial(_with_transport, self.app, transport)

    return Protocol


class _Server(uvicorn.Server):
    """Says so once it listens."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self.address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            print(f"Listening on {self.address}", flush=True)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--data", default=":memory:", help="SQLite file; :memory: forgets everything at the end"
    )
    parser.add_argument("--public-url", default="", help="address in links, when a proxy stands in front")
    parser.add_argument("--control-token", default="", help="what /control asks for; empty: open")
    parser.add_argument("--access-ttl", type=int, default=2 * 3600, help="seconds an access token lives")
    parser.add_argument("--refresh-ttl", type=int, default=60 * 86400, help="seconds a refresh token lives")
    parser.add_argument("--seed", type=int, default=1, help="of the chance in fault rules")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
    except OSError as error:
        print(f"Cannot listen on {options.host}:{options.port}: {error.strerror}.", file=sys.stderr)
        return 1
    store = Store(options.data)
    network = Network(
        store=store,
        clock=Clock(int(store.setting("clock_shift_ms", "0"))),
        faults=Faults(options.seed),
        public_url=options.public_url.rstrip("/"),
        control_token=options.control_token,
        access_ttl_s=options.access_ttl,
        refresh_ttl_s=options.refresh_ttl,
    )
    named = f"[{options.host}]" if family == socket.AF_INET6 else options.host
    config = uvicorn.Config(
        create_app(network),
        http=_protocol(),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=4096,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    with contextlib.suppress(KeyboardInterrupt):
        _Server(config, f"http://{named}:{listener.getsockname()[1]}").run(sockets=[listener])
    return 0
