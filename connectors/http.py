"""The one door through which connectors talk to networks.

What it promises:

* every call has time-outs, a cap on the size of the answer and on the time the answer may take;
* nothing is ever sent twice: neither requests nor urllib3 retry, redirects of changing calls are not
  followed, and connections that lay idle are replaced before they are used again;
* a failure says whether the request can have arrived: ``Temporary`` = surely not carried out,
  ``OutcomeUnknown`` = perhaps (only for ``changes=True``);
* ``guard=True`` (a host that a person typed, or that a server named) never reaches a private address:
  the addresses are looked up once, checked, and exactly those are connected to, so that a name which
  changes its address between check and use (DNS rebinding) gains nothing;
* logs carry method, host, path, status and milliseconds, never a query, a header or a body.

HTTP statuses are returned, not raised: the connector that knows the network maps them.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import logging
import os
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, ClassVar
from urllib.parse import urljoin

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import should_bypass_proxies
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NewConnectionError
from urllib3.util import connection as urllib3_connection

from connectors.addresses import is_public_address
from connectors.errors import ConnectorError, Rejected, RejectReason, Temporary
from connectors.limits import LONGEST_WAIT, Answer
from connectors.redaction import redact
from connectors.response import (
    excerpt,
    failure,
    json_body,
    json_object,
    json_objects,
    retry_after,
    secrets_sent,
    without_tags,
)

__all__ = (  # the door's whole interface, what stands in other modules included
    "LONGEST_WAIT",
    "HostNotFound",
    "base_url",
    "check_guarded",
    "configure",
    "excerpt",
    "heard_by",
    "is_allowed_private",
    "json_body",
    "json_object",
    "json_objects",
    "redact",
    "request",
    "retry_after",
    "secrets_sent",
    "server_url",
    "without_tags",
)

logger = logging.getLogger("connectors.http")
# Its own lines quote whole addresses, queries with tokens included; ours say what is needed.
logging.getLogger("urllib3").setLevel(logging.ERROR)
for _signing in ("oauthlib", "requests_oauthlib"):  # these write down what they sign, keys and all
    logging.getLogger(_signing).setLevel(logging.ERROR)

MAX_REDIRECTS = 3
MAX_RESPONSE_BYTES = 16 * 1024 * 1024
CONNECT_TIMEOUT_S = 10.0
# Servers close a connection that lies idle (5 s is a common setting). Sending on one that is just being
# closed cannot be told from a request that was lost on the way, so we replace it a little earlier.
MAX_IDLE_S = 4.0

_DEFAULT_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class HostNotFound(Temporary):
    """The name has no address. A form that asks for a host says HOST_UNKNOWN; a worker tries again."""


# --- configuration ----------------------------------------------------------------------------


@dataclass(slots=True)
class _Config:
    allowed_private_hosts: frozenset[str] = frozenset()
    base_urls: Mapping[str, str] = field(default_factory=dict)
    user_agent: str = "smmapp"
    generation: int = 0


_config = _Config()


def configure(
    *,
    allowed_private_hosts: Iterable[str] = (),
    base_urls: Mapping[str, str] | None = None,
    user_agent: str = "smmapp",
) -> None:
    """Settings of the whole process. Entries of ``allowed_private_hosts`` are ``host`` or ``host:port``;
    ``base_urls`` replaces addresses that connectors would otherwise use (see ``base_url``)."""
    _config.allowed_private_hosts = frozenset(h.strip().lower() for h in allowed_private_hosts if h.strip())
    _config.base_urls = {name: url.rstrip("/") for name, url in (base_urls or {}).items() if url}
    _config.user_agent = user_agent
    _config.generation += 1


def base_url(name: str, default: str) -> str:
    """The configured address for ``name`` (``"bluesky.plc"``), else ``default``; no trailing slash."""
    return _config.base_urls.get(name, default).rstrip("/")


def is_allowed_private(host: str, port: int) -> bool:
    """Whether the operator listed this host (with or without the port) as one we may reach anywhere."""
    host = host.strip("[]").rstrip(".").lower()
    named = f"[{host}]" if ":" in host else host
    return not _config.allowed_private_hosts.isdisjoint({host, named, f"{named}:{port}"})


_HOST = re.compile(r"(?:\[[0-9a-f:.]+\]|[^\s/?#@:\[\]\\]+)(?::[0-9]{1,5})?", re.IGNORECASE)


def server_url(typed: str) -> str:
    """``https://host[:port]`` of the server that a person typed, as ``host``, ``https://host/page``,
    ``@me@host`` or ``me@host``. Plain http only for hosts listed as private.

    Raises Rejected(INVALID) if it cannot be a host. Says nothing about whether the host may be reached:
    call it with ``guard=True``.
    """
    scheme, is_address, rest = typed.strip().rpartition("://")
    host = re.split(r"[/?#]", rest)[0]
    if not is_address:
        host = host.rpartition("@")[2]
    if not _HOST.fullmatch(host) or (is_address and scheme.lower() not in _DEFAULT_PORTS):
        raise Rejected(RejectReason.INVALID, "not a host name")
    try:
        prepared = requests.PreparedRequest()
        prepared.prepare_url(f"{scheme.lower() or 'https'}://{host}", None)
        parts = urllib3.util.parse_url(str(prepared.url))
    except (requests.RequestException, LocationParseError, UnicodeError) as error:
        raise Rejected(RejectReason.INVALID, "not a host name") from error
    name = (parts.host or "").rstrip(".").lower()
    is_listed = is_allowed_private(name, parts.port or 443)
    if not name or ("." not in name and ":" not in name and not is_listed):
        raise Rejected(RejectReason.INVALID, "not a host name")
    if not is_address and parts.port and is_listed:
        # A development server on this machine: nobody types "http://" before localhost:4000.
        return f"http://{name}:{parts.port}"
    port = f":{parts.port}" if parts.port and parts.port != _DEFAULT_PORTS[str(parts.scheme)] else ""
    return f"{parts.scheme}://{name}{port}"


# --- connections ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Call:
    """How far the call of this thread got: "" (nowhere), "connecting" or "sent" (bytes went out)."""

    guard: bool
    stage: str = ""


class _Thread(threading.local):
    """What one thread keeps: its call in progress, its two sets of pooled connections, and who is told of its
    answers."""

    call: _Call
    hear: Callable[[Answer], None] | None
    generation: int
    adapters: dict[bool, HTTPAdapter]

    def __init__(self) -> None:
        self.call = _Call(guard=False)
        self.hear = None
        self.generation = -1
        self.adapters = {}


_thread = _Thread()


def _forget_connections() -> None:
    """A forked worker must not share sockets with its parent."""
    _thread.generation = -1
    _thread.adapters = {}


os.register_at_fork(after_in_child=_forget_connections)


class _Watched:
    """Mixed into urllib3's connections: notes when bytes of the request go out, checks addresses."""

    host: str
    port: int
    sock: Any
    idle_since: float = 0.0

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        finally:
            # A proxy's CONNECT and the TLS handshake send bytes too, but nothing of the request.
            _thread.call.stage = "connecting"

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _thread.call.stage = "sent"
        super().send(data)  # type: ignore[misc]

    def _new_conn(self) -> socket.socket:
        if not _thread.call.guard or is_allowed_private(self.host, self.port):
            sock: socket.socket = super()._new_conn()  # type: ignore[misc]
            return sock
        return _connect_to_public(self)


def _public_addresses(host: str, port: int) -> list[str]:
    """The addresses of ``host``, looked up once. Raises HostNotFound, Rejected(HOST_REFUSED) if any of them
    is private."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise HostNotFound(f"{host}: no such host") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses or not all(is_public_address(address) for address in addresses):
        raise Rejected(RejectReason.HOST_REFUSED, f"{host} has a private address")
    return addresses


def _connect_to_public(conn: Any) -> socket.socket:
    """Look the host up once, refuse it if any of its addresses is private, connect to one of those."""
    addresses = _public_addresses(conn.host, conn.port)
    failure: OSError | None = None
    for address in addresses:
        try:
            return urllib3_connection.create_connection(
                (address, conn.port),
                conn.timeout,
                source_address=conn.source_address,
                socket_options=conn.socket_options,
            )
        except OSError as error:
            failure = error
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(conn, "connect timed out") from failure
    raise NewConnectionError(conn, f"{failure}") from failure


class _HTTPConnection(_Watched, HTTPConnection):
    pass


class _HTTPSConnection(_Watched, HTTPSConnection):
    pass


class _FreshPool:
    """Mixed into urllib3's pools: a connection that lay idle too long is opened anew before use."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        _thread.call.stage = "connecting"
        conn = super()._get_conn(timeout)  # type: ignore[misc]
        if conn.sock is not None and time.monotonic() - conn.idle_since > MAX_IDLE_S:
            conn.close()
        return conn

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.idle_since = time.monotonic()
        super()._put_conn(conn)  # type: ignore[misc]


class _HTTPPool(_FreshPool, HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(_FreshPool, HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _Adapter(HTTPAdapter):
    """One thread's pooled connections: one per host, for up to 32 hosts."""

    pool_classes: ClassVar[dict[str, type]] = {"http": _HTTPPool, "https": _HTTPSPool}

    def __init__(self) -> None:
        super().__init__(pool_connections=32, pool_maxsize=1, max_retries=urllib3.Retry(0, read=False))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pool_classes

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = self.pool_classes
        return manager


def _adapter(*, guard: bool) -> HTTPAdapter:
    """Guarded calls have connections of their own: what an unguarded call opened is not reused."""
    if _thread.generation != _config.generation:
        for old in _thread.adapters.values():
            old.close()
        _thread.adapters = {}
        _thread.generation = _config.generation
    adapter = _thread.adapters.get(guard)
    if adapter is None:
        adapter = _thread.adapters[guard] = _Adapter()
    return adapter


# --- the call ---------------------------------------------------------------------------------


@contextlib.contextmanager
def heard_by(hear: Callable[[Answer], None]) -> Iterator[None]:
    """``hear`` is told of each answer that this thread gets within, whatever its status and before the
    connector reads it. Nothing that goes wrong in it reaches the connector."""
    before, _thread.hear = _thread.hear, hear
    try:
        yield
    finally:
        _thread.hear = before


def _tell(response: requests.Response) -> None:
    if _thread.hear is None:
        return
    sent = response.request
    path = urllib3.util.parse_url(str(sent.url)).path or "/"
    try:
        _thread.hear(Answer(sent.method or "", path, response.status_code, response.headers))
    except Exception:  # a post that the network has taken must not be in doubt for a mistake in counting
        logger.exception("what an answer of %s says of limits was lost", path)


class _Prepared(requests.PreparedRequest):
    changes: bool = False


def request(
    method: str,
    url: str,
    *,
    platform: str,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
    json: Any = None,
    form: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
    body: bytes | IO[bytes] | None = None,
    files: Any = None,
    auth: AuthBase | tuple[str, str] | None = None,
    timeout_s: float = 30.0,
    changes: bool = False,
    guard: bool = False,
    first_bytes: int = 0,
) -> requests.Response:
    """One call; whatever status comes back is returned with its body read.

    ``changes``: the call makes something happen at the network that must not happen twice.
    ``guard``: the host was typed by a person or came from a server's answer.
    ``form`` is sent urlencoded (multipart together with ``files``), ``params`` as the query.
    ``first_bytes``: no more than about so many are read of the body, and the connection is given up then.

    Raises Rejected(HOST_REFUSED | INVALID), Temporary (HostNotFound if the name has no address)
    or, when ``changes``, OutcomeUnknown.
    """
    prepared = _Prepared()
    prepared.changes = changes
    try:
        prepared.prepare(
            method=method.upper(),
            url=url,
            headers={"User-Agent": _config.user_agent, "Accept-Encoding": "gzip, deflate", **(headers or {})},
            params=params,
            json=json,
            data=body if body is not None else form,
            files=files,
            auth=auth,
        )
    except (requests.RequestException, LocationParseError, UnicodeError) as error:
        raise Rejected(RejectReason.INVALID, "not a usable address") from error

    signed: Any = prepared.headers.get("Authorization")
    if isinstance(signed, bytes):  # as oauthlib leaves it
        prepared.headers["Authorization"] = signed.decode("ascii")

    first_host = _check_address(prepared, guard=guard)
    send = functools.partial(_send, platform=platform, timeout_s=timeout_s, first_bytes=first_bytes)
    response = send(prepared, guard=guard)
    hops = 0
    while not changes and _is_redirect(response) and hops < MAX_REDIRECTS:
        hops += 1
        prepared = _follow(prepared, response)
        host = _check_address(prepared, guard=guard)
        # Another host was named by an answer: from here on it is guarded, and gets no credentials.
        guard = guard or host != first_host
        if guard:
            _check_address(prepared, guard=True)
        if host != first_host:
            for name in ("Authorization", "Cookie", "DPoP", "Access-Token"):
                prepared.headers.pop(name, None)
        response = send(prepared, guard=guard)
    return response


def check_guarded(url: str) -> None:
    """For a form that asks for an address: raises at once what a guarded call to ``url`` would raise before
    it sends anything. Rejected(INVALID | HOST_REFUSED) or HostNotFound. The call itself checks again, because
    a name may lead elsewhere by then."""
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url, None)
    except (requests.RequestException, LocationParseError, UnicodeError) as error:
        raise Rejected(RejectReason.INVALID, "not a usable address") from error
    _scheme, host, port = _check_address(prepared, guard=True)
    if not is_allowed_private(host, port):
        _public_addresses(host.strip("[]"), port)


def _is_redirect(response: requests.Response) -> bool:
    return (
        response.status_code in _REDIRECTS
        and bool(response.headers.get("Location"))
        and response.request.method in {"GET", "HEAD"}
    )


def _follow(prepared: _Prepared, response: requests.Response) -> _Prepared:
    following = prepared.copy()
    try:
        following.prepare_url(urljoin(str(prepared.url), response.headers["Location"]), None)
    except (requests.RequestException, LocationParseError, ValueError) as error:
        raise Temporary("redirected to something that is not an address") from error
    return following  # type: ignore[return-value]


def _check_address(prepared: requests.PreparedRequest, *, guard: bool) -> tuple[str, str, int]:
    """(scheme, host, port) of a request, refused if we would not send anything there."""
    try:  # what has another scheme was not looked at so far
        parts = urllib3.util.parse_url(str(prepared.url))
    except LocationParseError as error:
        raise Rejected(RejectReason.INVALID, "not a usable address") from error
    scheme, host = parts.scheme or "", parts.host or ""
    if scheme not in _DEFAULT_PORTS or not host:
        raise Rejected(RejectReason.INVALID, "not a web address")
    if parts.auth is not None:
        raise Rejected(RejectReason.HOST_REFUSED, "an address with a user name in it")
    port = parts.port or _DEFAULT_PORTS[scheme]
    if guard and scheme == "http" and not is_allowed_private(host, port):
        raise Rejected(RejectReason.HOST_REFUSED, "only https is accepted")
    return scheme, host.lower(), port


def _send(
    prepared: requests.PreparedRequest, *, platform: str, timeout_s: float, guard: bool, first_bytes: int = 0
) -> requests.Response:
    call = _thread.call = _Call(guard=guard)
    changes = getattr(prepared, "changes", False)
    parts = urllib3.util.parse_url(str(prepared.url))
    started = time.monotonic()
    outcome = "error"
    try:
        response = _adapter(guard=guard).send(
            prepared,
            stream=True,
            timeout=(min(CONNECT_TIMEOUT_S, timeout_s), timeout_s),
            verify=os.environ.get("REQUESTS_CA_BUNDLE") or True,
            proxies={} if guard else _proxies(str(prepared.url), parts.host or ""),
        )
        outcome = str(response.status_code)
        _read_body(response, deadline=started + max(60.0, 2 * timeout_s), first_bytes=first_bytes)
        response.elapsed = dt.timedelta(seconds=time.monotonic() - started)
        _tell(response)
        return response
    except ConnectorError as error:
        outcome = type(error).__name__
        raise
    except _BodyRefused as error:
        outcome = str(error)
        raise failure(f"{parts.host}: {error}", changes=changes) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        is_sent = call.stage == "sent" or (not call.stage and not _is_before_sending(error))
        outcome = f"{_plain_name(error)} {'after' if is_sent else 'before'} sending"
        detail = f"{parts.host}: {_plain_name(error)}"
        if _is_name_error(error):
            raise HostNotFound(f"{parts.host}: no such host") from error
        raise failure(detail, changes=changes and is_sent) from error
    finally:
        logger.info(
            "%s %s %s %s -> %s in %.0f ms",
            platform,
            prepared.method,
            parts.host,
            redact(parts.path or "/"),
            outcome,
            (time.monotonic() - started) * 1000,
        )


class _BodyRefused(Exception):
    """The answer is larger or slower than we read."""


def _read_body(response: requests.Response, *, deadline: float, first_bytes: int = 0) -> None:
    """Read the answer, or only its beginning, into ``response.content``, within MAX_RESPONSE_BYTES (decoded)
    and the deadline."""
    chunks: list[bytes] = []
    size = 0
    try:
        for chunk in response.iter_content(64 * 1024):
            chunks.append(chunk)
            size += len(chunk)
            if first_bytes and size >= first_bytes:
                response.close()
                break
            if size > MAX_RESPONSE_BYTES:
                raise _BodyRefused("answer too large")
            if time.monotonic() > deadline:
                raise _BodyRefused("answer too slow")
    except BaseException:
        response.close()
        raise
    response._content = b"".join(chunks)
    response._content_consumed = True  # type: ignore[attr-defined]


def _proxies(url: str, host: str) -> dict[str, str]:
    """The operator's proxies (environment). Never for this machine itself, never for guarded calls:
    a proxy would look names up where we cannot check the address."""
    if host in {"localhost", "[::1]"} or host.startswith("127."):
        return {}
    found = urllib.request.getproxies()
    return {} if not found or should_bypass_proxies(url, no_proxy=None) else found


def _causes(error: BaseException) -> Iterable[BaseException]:
    """The exception and everything it wraps: ``__cause__``, urllib3's ``reason``, its arguments."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [current.__cause__, getattr(current, "reason", None), *current.args]
        waiting += [e for e in inner if isinstance(e, BaseException)]


def _is_name_error(error: BaseException) -> bool:
    return any(
        isinstance(e, (socket.gaierror, urllib3.exceptions.NameResolutionError)) for e in _causes(error)
    )


def _is_before_sending(error: BaseException) -> bool:
    """By the kind of the exception alone, for one that was raised before our sockets came into play."""
    before = (
        requests.ConnectTimeout,
        requests.exceptions.SSLError,
        requests.exceptions.ProxyError,
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        NewConnectionError,
        ConnectTimeoutError,
        ConnectionRefusedError,
        socket.gaierror,
    )
    return any(isinstance(e, before) for e in _causes(error))


def _plain_name(error: BaseException) -> str:
    """A few words for the receipt: the library's own message would quote the whole address."""
    kinds: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
        ((socket.gaierror, urllib3.exceptions.NameResolutionError), "no such host"),
        ((ConnectionRefusedError,), "connection refused"),
        # urllib3 derives this one from its connect time-out.
        ((NewConnectionError,), "cannot be reached"),
        ((requests.ConnectTimeout, ConnectTimeoutError), "connecting timed out"),
        ((requests.exceptions.SSLError, urllib3.exceptions.SSLError), "no trusted TLS connection"),
        ((requests.exceptions.ProxyError,), "the proxy refused"),
        ((requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError), "no answer in time"),
    )
    causes = list(_causes(error))
    for types, words in kinds:
        if any(isinstance(e, types) for e in causes):
            return words
    return "connection dropped"
