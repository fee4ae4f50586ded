"""Who is who at Bluesky: from what a person types to an account's DID and its server."""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from connectors import answers, http
from connectors.base import Json
from connectors.bluesky_errors import map_error
from connectors.bluesky_record import is_handle
from connectors.errors import ConnectorError, RateLimited, Rejected, RejectReason, Temporary

KEY = "bluesky"
ENTRYWAY = "https://bsky.social"
PLC = "https://plc.directory"

_DID = re.compile(r"did:(?:plc:[a-z2-7]{24}|web:[a-z0-9.-]+(?:%3A[0-9]+)?)")
# Names that the DNS keeps for documents and tests: nothing can be asked there.
_NO_HOSTS = (".test", ".example", ".invalid", ".localhost", ".local", ".onion", ".arpa", ".alt", ".internal")


def resolve_handle(handle: str) -> str:
    """The DID of a handle, by the entry server, else by the handle's own host.

    Raises Rejected(NOT_FOUND), Rejected(HOST_REFUSED) for a handle whose host is private, Temporary.
    """
    failure: ConnectorError | None = None
    try:
        did = resolve_at(http.base_url("bluesky.entryway", ENTRYWAY), handle, guard=False)
    except (Temporary, RateLimited) as error:
        did, failure = "", error
    did = did or _resolve_at_own_host(handle)
    if did:
        return did
    raise failure or Rejected(RejectReason.NOT_FOUND, f"no account has the handle {handle}")


def resolve_at(server: str, handle: str, *, guard: bool) -> str:
    """The DID by a server's ``resolveHandle``; "" when it says that there is none."""
    response = http.request(
        "GET",
        f"{server}/xrpc/com.atproto.identity.resolveHandle",
        platform=KEY,
        params={"handle": handle},
        timeout_s=10.0,
        guard=guard,
    )
    if response.status_code == 400:
        return ""
    if response.status_code != 200:
        raise map_error(response, changes=False)
    did = answers.text(http.json_object(response).get("did"))
    return did if _DID.fullmatch(did) else ""


def _resolve_at_own_host(handle: str) -> str:
    if handle.endswith(_NO_HOSTS):
        return ""
    try:
        response = http.request(
            "GET", f"https://{handle}/.well-known/atproto-did", platform=KEY, timeout_s=10.0, guard=True
        )
    except Temporary:
        return ""
    did = response.text[:300].strip() if response.status_code == 200 else ""
    return did if _DID.fullmatch(did) else ""


def did_document(did: str) -> Json:
    """The identity document: from the PLC directory, or from the host that a did:web names."""
    if not _DID.fullmatch(did):
        raise Rejected(RejectReason.INVALID, f"not an account's DID: {did}")
    method, _, name = did.removeprefix("did:").partition(":")
    is_plc = method == "plc"
    url = (
        f"{http.base_url('bluesky.plc', PLC)}/{did}"
        if is_plc
        else f"https://{unquote(name)}/.well-known/did.json"
    )
    with contextlib.nullcontext() if is_plc else host_of_the_person():
        response = http.request("GET", url, platform=KEY, timeout_s=10.0, guard=not is_plc)
    if response.status_code in {404, 410}:
        raise Rejected(RejectReason.NOT_FOUND, f"nothing is known of {did}")
    if response.status_code != 200:
        raise map_error(response, changes=False)
    document = http.json_object(response)
    if document.get("id") != did:
        raise Rejected(RejectReason.INVALID, f"the identity document of {did} is another's")
    return document


def pds_of(document: Mapping[str, Any], did: str) -> str:
    """Base URL of the server that keeps the account's records."""
    for service in answers.rows(document.get("service")):
        if answers.text(service.get("id")) in {"#atproto_pds", f"{did}#atproto_pds"}:
            endpoint = service.get("serviceEndpoint")
            origin = _origin(endpoint) if isinstance(endpoint, str) else ""
            if origin:
                return origin
    raise Rejected(RejectReason.HOST_UNKNOWN, f"{did} names no server")


def verified_handle(document: Mapping[str, Any], handle: str) -> str:
    """``handle`` if the identity document claims it, else the one that it does claim."""
    names = document.get("alsoKnownAs")
    claimed = [
        name.removeprefix("at://")
        for name in (names if isinstance(names, list) else ())
        if isinstance(name, str) and name.startswith("at://")
    ]
    return handle if handle in claimed else next(iter(claimed), "handle.invalid")


@contextlib.contextmanager
def host_of_the_person() -> Iterator[None]:
    """A name without an address is a mistake of who typed it, not something that passes."""
    try:
        yield
    except http.HostNotFound as error:
        raise Rejected(RejectReason.HOST_UNKNOWN, error.detail) from error


def clean_identifier(typed: str) -> str:
    """Handle, DID or e-mail address from what people paste: ``@name``, a profile's address, invisible
    direction marks, a bare name of bsky.social."""
    name = "".join(c for c in typed if unicodedata.category(c) not in {"Cf", "Cc"}).strip()
    name = re.sub(r"(?i)^(?:https?://)?(?:www\.)?bsky\.app/profile/([^/?#]+).*$", r"\1", name)
    name = name.removeprefix("@").removeprefix("at://")
    if name.startswith("did:"):
        if _DID.fullmatch(name):
            return name
    elif "@" in name:
        if re.fullmatch(r"[^@\s]+@[^@\s]+", name):
            return name
    else:
        name = name.lower()
        if name and "." not in name:
            name = f"{name}.bsky.social"
        if is_handle(name):
            return name
    raise Rejected(RejectReason.INVALID, f"not a handle or an e-mail address: {typed.strip()[:100]}")


def service_url(typed: str) -> str:
    """Base URL of the server that the person named; "" for none, and for Bluesky's own names."""
    typed = typed.strip()
    if not typed:
        return ""
    origin = _origin(typed if "://" in typed else f"https://{typed}")
    if not origin:
        raise Rejected(RejectReason.HOST_UNKNOWN, f"not a server's address: {typed[:100]}")
    return "" if urlsplit(origin).hostname in {"bsky.app", "www.bsky.app", "bsky.social"} else origin


def _origin(url: str) -> str:
    """``scheme://host[:port]`` of an address, "" for anything else and for one with a user name in it."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
