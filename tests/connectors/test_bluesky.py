"""The Bluesky connector on canned answers: what each answer of the servers means to us."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from responses import matchers

from connectors import http
from connectors.base import MediaItem, PostMetrics, PostPart, PostPayload, Step, StepKind, Tokens
from connectors.bluesky import BlueskyConnector
from connectors.bluesky_identity import resolve_handle
from connectors.bluesky_session import NOT_AN_APP_PASSWORD, SECOND_FACTOR, WRONG_PASSWORD
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.link_preview import read_preview

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
PDS = "https://pds.example.net"
ENTRY = "https://bsky.social"
OPTIONS = {"did": DID, "pds": PDS, "handle": "alice.example.com"}
APP_PASSWORD = "abcd-efgh-2345-wxyz"
CID = "bafyreigkqpxmhkpgp3zwnxxgvjqvmhblsbmwbeouhr4mkkmvoyhebf3dxa"
PAYLOAD = PostPayload(parts=(PostPart("hello"),))
STEP = Step(key="part0.publish", kind=StepKind.PUBLISH, part=0)
PUT = f"{PDS}/xrpc/com.atproto.repo.putRecord"


@pytest.fixture(autouse=True)
def _default_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_config", http._Config())


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def xrpc(
    name: str, message: str = "", *, status: int = 400, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    return {"json": {"error": name, "message": message}, "status": status, "headers": headers or {}}


def jwt(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.c2ln"


def session(did: str = DID, **more: Any) -> dict[str, Any]:
    exp = int(NOW.timestamp()) + 7200
    return {
        "did": did,
        "handle": "alice.example.com",
        "accessJwt": jwt(exp=exp, scope="com.atproto.appPass"),
        "refreshJwt": jwt(exp=exp + 86_400 * 90),
        **more,
    }


def document(did: str = DID, pds: str = PDS, handle: str = "alice.example.com") -> dict[str, Any]:
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": pds}
    return {"id": did, "alsoKnownAs": [f"at://{handle}"], "service": [service]}


def signed_in(network: responses.RequestsMock, *, pds: str = PDS) -> None:
    """What follows a session that was created: the profile is read at the account's own server."""
    network.get(f"{pds}/xrpc/com.atproto.server.getSession", json={"did": DID, "handle": "alice.example.com"})
    network.get(f"{pds}/xrpc/com.atproto.repo.getRecord", **xrpc("RecordNotFound"))


def connector(**more: Any) -> BlueskyConnector:
    tokens = Tokens(access_token="access-token-1", refresh_token="refresh-token-1")
    return BlueskyConnector(tokens=tokens, options=OPTIONS, **more)


def intent() -> dict[str, Any]:
    return connector().prepare_step(STEP, PAYLOAD, {}, key="key", now=NOW)


def put() -> Any:
    return connector().send_step(STEP, PAYLOAD, intent())


def connect(identifier: str = "alice.example.com", password: str = APP_PASSWORD, service: str = "") -> Any:
    fields = {"identifier": identifier, "app_password": password, "service": service}
    return BlueskyConnector.connect(fields)


# --- finding the account ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "alice.example.com",
        "@Alice.Example.com ",
        "\u202a@alice.example.com\u202c",
        "https://bsky.app/profile/alice.example.com?x=1",
    ],
)
def test_the_server_is_found_from_the_handle(network: responses.RequestsMock, typed: str) -> None:
    network.get(
        f"{ENTRY}/xrpc/com.atproto.identity.resolveHandle",
        json={"did": DID},
        match=[matchers.query_param_matcher({"handle": "alice.example.com"})],
    )
    network.get(f"https://plc.directory/{DID}", json=document(pds=f"{PDS}/"))
    network.post(
        f"{PDS}/xrpc/com.atproto.server.createSession",
        json=session(),
        match=[matchers.json_params_matcher({"identifier": DID, "password": APP_PASSWORD})],
    )
    signed_in(network)
    connected = connect(typed)
    assert connected.options == OPTIONS | {"opens_messages": False}
    assert connected.profile.remote_id == DID
    assert connected.scopes == ("com.atproto.appPass",)
    assert connected.tokens.expires_at == NOW + dt.timedelta(hours=2)


def test_a_bare_name_is_one_of_bluesky_itself(network: responses.RequestsMock) -> None:
    network.get(
        f"{ENTRY}/xrpc/com.atproto.identity.resolveHandle",
        match=[matchers.query_param_matcher({"handle": "alice.bsky.social"})],
        **xrpc("HandleNotFound"),
    )
    network.get("https://alice.bsky.social/.well-known/atproto-did", status=404)
    with pytest.raises(Rejected) as caught:
        connect("alice")
    assert caught.value.reason is RejectReason.NOT_FOUND


def test_a_handle_that_the_entry_server_does_not_know_is_asked_for_at_its_own_host(
    network: responses.RequestsMock,
) -> None:
    network.get(f"{ENTRY}/xrpc/com.atproto.identity.resolveHandle", **xrpc("HandleNotFound"))
    network.get("https://alice.example.com/.well-known/atproto-did", body=f"{DID}\n")
    assert resolve_handle("alice.example.com") == DID


@pytest.mark.parametrize("body", ["<html>no</html>", "did:key:zabc", "did:web:localhost/../x", ""])
def test_an_own_host_that_says_something_else_is_no_answer(
    network: responses.RequestsMock, body: str
) -> None:
    network.get(f"{ENTRY}/xrpc/com.atproto.identity.resolveHandle", **xrpc("HandleNotFound"))
    network.get("https://alice.example.com/.well-known/atproto-did", body=body)
    with pytest.raises(Rejected) as caught:
        resolve_handle("alice.example.com")
    assert caught.value.reason is RejectReason.NOT_FOUND


def test_an_entry_server_that_is_down_is_no_verdict_on_the_handle(network: responses.RequestsMock) -> None:
    network.get(f"{ENTRY}/xrpc/com.atproto.identity.resolveHandle", status=502)
    network.get("https://alice.example.com/.well-known/atproto-did", status=404)
    with pytest.raises(Temporary):
        resolve_handle("alice.example.com")


def test_names_reserved_for_tests_are_not_looked_for_on_the_internet(network: responses.RequestsMock) -> None:
    network.get(f"{ENTRY}/xrpc/com.atproto.identity.resolveHandle", **xrpc("HandleNotFound"))
    with pytest.raises(Rejected):
        resolve_handle("nobody.test")


@pytest.mark.parametrize(
    "typed", ["", "  ", "a b.com", "alice@", "did:key:z6Mk", "-x.com", "alice..com", "１.2"]
)
def test_what_is_no_handle_is_refused_before_anybody_is_asked(typed: str) -> None:
    with pytest.raises(Rejected) as caught:
        connect(typed)
    assert caught.value.reason is RejectReason.INVALID


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 404, "json": {"message": "DID not registered"}}, RejectReason.NOT_FOUND),
        ({"json": document(did="did:plc:bbbbbbbbbbbbbbbbbbbbbbbb")}, RejectReason.INVALID),
        ({"json": document() | {"service": []}}, RejectReason.HOST_UNKNOWN),
        ({"json": document(pds="ftp://pds.example.net")}, RejectReason.HOST_UNKNOWN),
        ({"json": document(pds="https://user:pw@pds.example.net")}, RejectReason.HOST_UNKNOWN),
    ],
)
def test_an_identity_document_without_a_usable_server_is_refused(
    network: responses.RequestsMock, answer: dict[str, Any], reason: RejectReason
) -> None:
    network.get(f"https://plc.directory/{DID}", **answer)
    with pytest.raises(Rejected) as caught:
        connect(DID)
    assert caught.value.reason is reason


@pytest.mark.parametrize("pds", ["http://127.0.0.1:4000", "https://127.0.0.1", "https://[::1]:8443"])
def test_a_server_at_a_private_address_is_refused(pds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.bluesky.did_document", lambda did: document(did=did, pds=pds))
    with pytest.raises(Rejected) as caught:
        connect(DID)
    assert caught.value.reason is RejectReason.HOST_REFUSED


def test_a_did_of_the_web_names_its_own_host(network: responses.RequestsMock) -> None:
    did = "did:web:alice.example.com"
    network.get("https://alice.example.com/.well-known/did.json", json=document(did=did))
    network.post(f"{PDS}/xrpc/com.atproto.server.createSession", json=session(did))
    network.get(f"{PDS}/xrpc/com.atproto.server.getSession", json={"did": did, "handle": "alice.example.com"})
    network.get(f"{PDS}/xrpc/com.atproto.repo.getRecord", **xrpc("RecordNotFound"))
    assert connect(did).options["pds"] == PDS


def test_an_e_mail_address_signs_in_at_the_entry_server_and_lives_where_its_document_says(
    network: responses.RequestsMock,
) -> None:
    network.post(f"{ENTRY}/xrpc/com.atproto.server.createSession", json=session())
    network.get(f"https://plc.directory/{DID}", json=document())
    signed_in(network)
    assert connect("alice@example.com").options["pds"] == PDS


def test_a_named_server_is_asked_directly(network: responses.RequestsMock) -> None:
    network.post("https://own.example.org:8443/xrpc/com.atproto.server.createSession", json=session())
    network.get(f"https://plc.directory/{DID}", json=document(pds="https://own.example.org:8443"))
    signed_in(network, pds="https://own.example.org:8443")
    assert connect(service="own.example.org:8443/").options["pds"] == "https://own.example.org:8443"


def test_a_named_server_cannot_pass_off_another_servers_account(network: responses.RequestsMock) -> None:
    network.post("https://evil.example.org/xrpc/com.atproto.server.createSession", json=session())
    network.get(f"https://plc.directory/{DID}", json=document())
    network.get(f"{PDS}/xrpc/com.atproto.server.getSession", **xrpc("InvalidToken"))
    with pytest.raises(NeedsReconnect):
        connect(service="evil.example.org")


@pytest.mark.parametrize(
    "answer", [{"status": 404, "body": "<h1>no</h1>"}, {"body": "hi"}, {"json": {"ok": 1}}]
)
def test_a_host_that_is_no_bluesky_server_is_named_as_such(
    network: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    network.post("https://www.example.org/xrpc/com.atproto.server.createSession", **answer)
    with pytest.raises(Rejected) as caught:
        connect(service="www.example.org")
    assert caught.value.reason is RejectReason.HOST_UNKNOWN


def test_a_handle_that_the_document_does_not_claim_is_not_shown(network: responses.RequestsMock) -> None:
    network.get(f"https://plc.directory/{DID}", json=document(handle="real.example.com"))
    network.post(f"{PDS}/xrpc/com.atproto.server.createSession", json=session(handle="bank.example.com"))
    signed_in(network)
    assert connect(DID).options["handle"] == "real.example.com"


# --- signing in -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "answer", "sentence"),
    [
        (
            APP_PASSWORD,
            xrpc("AuthenticationRequired", "Invalid identifier or password", status=401),
            WRONG_PASSWORD,
        ),
        ("hunter2", xrpc("AuthenticationRequired", status=401), NOT_AN_APP_PASSWORD),
        ("hunter2", xrpc("AuthFactorTokenRequired", status=401), SECOND_FACTOR),
    ],
)
def test_a_wrong_password_says_what_to_do(
    network: responses.RequestsMock, password: str, answer: dict[str, Any], sentence: str
) -> None:
    network.get(f"https://plc.directory/{DID}", json=document())
    network.post(f"{PDS}/xrpc/com.atproto.server.createSession", **answer)
    with pytest.raises(NeedsReconnect) as caught:
        connect(DID, password)
    assert caught.value.advice == sentence


def test_an_empty_password_is_not_sent() -> None:
    with pytest.raises(NeedsReconnect):
        connect(DID, "  ")


def test_refreshing_gives_a_new_pair(network: responses.RequestsMock) -> None:
    network.post(
        f"{PDS}/xrpc/com.atproto.server.refreshSession",
        json=session(),
        match=[matchers.header_matcher({"Authorization": "Bearer old"})],
    )
    fresh = BlueskyConnector.refresh(tokens=Tokens(refresh_token="old"), options=OPTIONS, app=None)
    assert fresh.refresh_token == session()["refreshJwt"]
    assert fresh.expires_at == NOW + dt.timedelta(hours=2)


@pytest.mark.parametrize("name", ["ExpiredToken", "InvalidToken", "AccountTakedown"])
def test_a_dead_refresh_token_needs_a_person(network: responses.RequestsMock, name: str) -> None:
    network.post(f"{PDS}/xrpc/com.atproto.server.refreshSession", **xrpc(name))
    with pytest.raises(NeedsReconnect):
        BlueskyConnector.refresh(tokens=Tokens(refresh_token="old"), options=OPTIONS, app=None)


def test_a_refresh_for_another_account_is_not_kept(network: responses.RequestsMock) -> None:
    network.post(
        f"{PDS}/xrpc/com.atproto.server.refreshSession", json=session("did:plc:bbbbbbbbbbbbbbbbbbbbbbbb")
    )
    with pytest.raises(NeedsReconnect):
        BlueskyConnector.refresh(tokens=Tokens(refresh_token="old"), options=OPTIONS, app=None)


def test_a_refresh_whose_answer_is_lost_may_be_tried_again(network: responses.RequestsMock) -> None:
    network.post(f"{PDS}/xrpc/com.atproto.server.refreshSession", body=requests.ConnectionError("dropped"))
    with pytest.raises(Temporary):
        BlueskyConnector.refresh(tokens=Tokens(refresh_token="old"), options=OPTIONS, app=None)


def test_an_expired_token_is_renewed_once_and_the_call_repeated(network: responses.RequestsMock) -> None:
    network.post(PUT, **xrpc("ExpiredToken", "Token has expired"))
    network.post(
        PUT,
        json={"uri": f"at://{DID}/app.bsky.feed.post/x", "cid": CID},
        match=[matchers.header_matcher({"Authorization": "Bearer access-token-2"})],
    )
    seen: list[Tokens] = []

    def renew(stale: Tokens) -> Tokens:
        seen.append(stale)
        return Tokens(access_token="access-token-2")

    assert connector(renew=renew).send_step(STEP, PAYLOAD, intent()).remote_id
    assert [stale.access_token for stale in seen] == ["access-token-1"]


def test_a_token_that_is_expired_again_needs_a_person(network: responses.RequestsMock) -> None:
    network.post(PUT, **xrpc("ExpiredToken"))
    renewed: list[Tokens] = []

    def renew(stale: Tokens) -> Tokens:
        renewed.append(stale)
        return stale

    with pytest.raises(NeedsReconnect):
        connector(renew=renew).send_step(STEP, PAYLOAD, intent())
    assert len(renewed) == 1
    assert len(network.calls) == 2


# --- publishing -------------------------------------------------------------------------------


def test_the_record_is_written_only_where_there_is_none(network: responses.RequestsMock) -> None:
    fixed = intent()
    body = {"repo": DID, "collection": "app.bsky.feed.post", "swapRecord": None, **fixed}
    uri = f"at://{DID}/app.bsky.feed.post/{fixed['rkey']}"
    network.post(PUT, json={"uri": uri, "cid": CID}, match=[matchers.json_params_matcher(body)])
    result = put()
    assert (result.remote_id, result.detail) == (uri, {"uri": uri, "cid": CID})
    assert result.permalink == f"https://bsky.app/profile/alice.example.com/post/{fixed['rkey']}"


def test_a_server_that_refuses_the_repetition_is_asked_what_it_has(network: responses.RequestsMock) -> None:
    uri = f"at://{DID}/app.bsky.feed.post/{intent()['rkey']}"
    network.post(PUT, **xrpc("InvalidSwap", f"Record was at {CID}"))
    network.get(
        f"{PDS}/xrpc/com.atproto.repo.getRecord", json={"uri": uri, "cid": CID, "value": intent()["record"]}
    )
    assert put().remote_id == uri


def test_another_post_under_our_key_is_not_overwritten(network: responses.RequestsMock) -> None:
    network.post(PUT, **xrpc("InvalidSwap"))
    network.get(
        f"{PDS}/xrpc/com.atproto.repo.getRecord",
        json={"uri": "at://x", "cid": CID, "value": {"text": "other"}},
    )
    with pytest.raises(Rejected) as caught:
        put()
    assert caught.value.reason is RejectReason.DUPLICATE
    assert [call.request.method for call in network.calls] == ["POST", "GET"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 500, "json": {"error": "InternalServerError"}}, OutcomeUnknown),
        ({"status": 502, "body": "Bad Gateway"}, OutcomeUnknown),
        ({"status": 503, "body": ""}, OutcomeUnknown),
        ({"status": 504, "body": ""}, OutcomeUnknown),
        ({"body": requests.ReadTimeout("late")}, OutcomeUnknown),
        ({"body": requests.ConnectionError("dropped")}, OutcomeUnknown),
        ({"body": "not json"}, OutcomeUnknown),
        ({"json": {"cid": CID}}, OutcomeUnknown),
        ({"body": requests.ConnectTimeout("nobody")}, Temporary),
        ({"status": 403, "body": "<html>checking your browser</html>"}, Temporary),
        ({"status": 302, "headers": {"Location": "https://example.org/"}}, Temporary),
        (xrpc("InvalidToken"), NeedsReconnect),
        (xrpc("AuthMissing", status=401), NeedsReconnect),
        (xrpc("AccountTakedown", "Account has been taken down", status=401), NeedsReconnect),
        (xrpc("AccountDeactivated", status=401), NeedsReconnect),
        (xrpc("AccountNotFound", status=403), NeedsReconnect),
    ],
)
def test_each_failure_says_what_comes_next(
    network: responses.RequestsMock, answer: dict[str, Any], error: type[ConnectorError]
) -> None:
    network.post(PUT, **answer)
    with pytest.raises(ConnectorError) as caught:
        put()
    assert type(caught.value) is error


INVALID_RECORD = "Invalid app.bsky.feed.post record: "


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            xrpc(
                "InvalidRequest", f"{INVALID_RECORD}grapheme too big (maximum 300, got 301) at $.record.text"
            ),
            RejectReason.TEXT_TOO_LONG,
        ),
        (
            xrpc(
                "InvalidRequest",
                f"{INVALID_RECORD}blob too big (maximum 2000000) at $.record.embed.images[0]",
            ),
            RejectReason.MEDIA_TOO_LARGE,
        ),
        (xrpc("InvalidRequest", f"{INVALID_RECORD}something else"), RejectReason.INVALID),
        (xrpc("BlobNotFound", "Could not find blob"), RejectReason.MEDIA_BROKEN),
        (xrpc("PayloadTooLarge", status=413), RejectReason.MEDIA_TOO_LARGE),
        (xrpc("Forbidden", status=403), RejectReason.FORBIDDEN),
    ],
)
def test_a_refusal_for_good_has_its_reason(
    network: responses.RequestsMock, answer: dict[str, Any], reason: RejectReason
) -> None:
    network.post(PUT, **answer)
    with pytest.raises(Rejected) as caught:
        put()
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"ratelimit-reset": "+120"}, 120),
        ({"Retry-After": "30"}, 30),
        ({}, 60),
        ({"ratelimit-reset": "-50"}, 1),
        ({"ratelimit-reset": "+9999999"}, 86_400),
        ({"ratelimit-reset": "soon", "Retry-After": "7"}, 7),
    ],
)
def test_a_rate_limit_waits_until_the_bucket_is_full_again(
    network: responses.RequestsMock, headers: dict[str, str], seconds: int
) -> None:
    now = dt.datetime.now(dt.UTC)
    relative = headers.get("ratelimit-reset", "")
    if relative[:1] in "+-" and relative:
        headers = headers | {"ratelimit-reset": str(int(now.timestamp()) + int(relative))}
    network.post(PUT, **xrpc("RateLimitExceeded", status=429, headers=headers))
    with pytest.raises(RateLimited) as caught:
        put()
    assert abs((caught.value.retry_at - now).total_seconds() - seconds) < 5


def test_the_receipt_shows_no_token(network: responses.RequestsMock) -> None:
    network.post(
        PUT, **xrpc("InvalidRequest", f"do not send access-token-1 nor {jwt(sub=DID)} nor {APP_PASSWORD}")
    )
    with pytest.raises(Rejected) as caught:
        put()
    for secret in ("access-token-1", jwt(sub=DID), APP_PASSWORD):
        assert secret not in caught.value.detail


# --- images -----------------------------------------------------------------------------------

UPLOAD = f"{PDS}/xrpc/com.atproto.repo.uploadBlob"
MEDIA = Step(key="part0.media0", kind=StepKind.MEDIA, part=0, media=0)
BLOB = {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/png", "size": 5}


def with_image(content: bytes = b"12345") -> PostPayload:
    item = MediaItem("m", "image/png", len(content), 4, 3, "alt", lambda: io.BytesIO(content))
    return PostPayload(parts=(PostPart("", media=(item,)),))


def test_an_image_is_sent_as_its_bytes(network: responses.RequestsMock) -> None:
    network.post(UPLOAD, json={"blob": BLOB}, match=[matchers.header_matcher({"Content-Type": "image/png"})])
    assert connector().send_step(MEDIA, with_image(), {}).detail == {"blob": BLOB}
    assert network.calls[0].request.body == b"12345"


def test_an_image_over_the_limit_is_not_sent() -> None:
    with pytest.raises(Rejected) as caught:
        connector().send_step(MEDIA, with_image(b"x" * 2_000_001), {})
    assert caught.value.reason is RejectReason.MEDIA_TOO_LARGE


@pytest.mark.parametrize(
    "answer", [{"status": 500}, {"body": requests.ConnectionError("dropped")}, {"json": {}}]
)
def test_a_failed_upload_may_be_repeated(network: responses.RequestsMock, answer: dict[str, Any]) -> None:
    network.post(UPLOAD, **answer)
    with pytest.raises(Temporary):
        connector().send_step(MEDIA, with_image(), {})


def test_an_upload_that_the_server_threw_away_is_sent_again_under_the_same_record(
    network: responses.RequestsMock,
) -> None:
    fixed = {"rkey": "3kabcdefghijk", "record": {"text": ""}}
    network.post(PUT, **xrpc("BlobNotFound"))
    network.post(UPLOAD, json={"blob": BLOB})
    network.post(PUT, json={"uri": f"at://{DID}/app.bsky.feed.post/3kabcdefghijk", "cid": CID})
    assert connector().send_step(STEP, with_image(), fixed).remote_id
    puts = [json.loads(call.request.body or b"") for call in network.calls if call.request.url == PUT]
    assert puts[0] == puts[1]


# --- looking up -------------------------------------------------------------------------------

LOOKUP = Step(key="part0.container", kind=StepKind.CONTAINER, part=0)


def look_up(text: str) -> dict[str, Any]:
    payload = PostPayload(parts=(PostPart(text),))
    fixed = connector().prepare_step(LOOKUP, payload, {}, key="key", now=NOW)
    return connector().send_step(LOOKUP, payload, fixed).detail


def test_mentioned_handles_are_resolved_once_each_and_unknown_ones_dropped(
    network: responses.RequestsMock,
) -> None:
    resolve = f"{PDS}/xrpc/com.atproto.identity.resolveHandle"
    for handle, answer in (("bob.test", {"json": {"did": DID}}), ("nobody.test", xrpc("HandleNotFound"))):
        network.get(resolve, match=[matchers.query_param_matcher({"handle": handle})], **answer)
    found = look_up("@bob.test and @Bob.test but not @nobody.test, @bob or bob@example.com")
    assert found == {"dids": {"bob.test": DID}, "card": None}


def test_a_resolver_that_is_down_is_asked_again_later(network: responses.RequestsMock) -> None:
    network.get(f"{PDS}/xrpc/com.atproto.identity.resolveHandle", status=503)
    with pytest.raises(Temporary):
        look_up("@bob.test")


def test_a_links_card_says_what_its_page_says(network: responses.RequestsMock) -> None:
    page = (
        "<html><head><title>Plain</title><meta property='og:title' content='夏祭り &amp; more'>"
        "<meta name=description content='In July'><meta property='og:image' content='/p.jpg'></head>"
    )
    network.get("https://example.com/a", body=page, content_type="text/html")
    network.get("https://example.com/p.jpg", body=b"jpeg", content_type="image/jpeg")
    network.post(UPLOAD, json={"blob": BLOB})
    assert look_up("see https://example.com/a now")["card"] == {
        "uri": "https://example.com/a",
        "title": "夏祭り & more",
        "description": "In July",
        "thumb": BLOB,
    }


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500},
        {"body": requests.ConnectionError("dropped")},
        {"body": b"%PDF", "content_type": "application/pdf"},
        {"body": "", "content_type": "text/html"},
    ],
)
def test_a_page_that_cannot_be_read_makes_a_card_with_its_host(
    network: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    network.get("https://example.com/a", **answer)
    assert look_up("https://example.com/a")["card"] == {
        "uri": "https://example.com/a",
        "title": "example.com",
        "description": "",
    }


@pytest.mark.parametrize(
    "more",
    [
        "<meta property=og:image content='https://[bad'>",
        "<![foo[bar]]>",
        "\0",
    ],
)
def test_a_page_that_is_written_badly_stops_no_post(network: responses.RequestsMock, more: str) -> None:
    page = f"<title>T{more if more == chr(0) else ''}</title>{more}"
    network.get("https://example.com/a", body=page, content_type="text/html; charset=utf-8")
    card = look_up("https://example.com/a")["card"]
    assert card == {"uri": "https://example.com/a", "title": "T", "description": ""}


def test_a_cards_address_that_is_none_stops_no_post() -> None:
    assert read_preview("https://[bad", platform="bluesky").title == "https://[bad"


@pytest.mark.parametrize(
    "picture",
    [
        {"status": 404},
        {"body": b"<svg/>", "content_type": "image/svg+xml"},
        {"body": b"x" * 1_000_001, "content_type": "image/png"},
    ],
)
def test_an_unusable_picture_leaves_the_card_without_one(
    network: responses.RequestsMock, picture: dict[str, Any]
) -> None:
    page = "<title>T</title><meta property=og:image content='https://example.com/p'>"
    network.get("https://example.com/a", body=page, content_type="text/html; charset=utf-8")
    network.get("https://example.com/p", **picture)
    assert "thumb" not in look_up("https://example.com/a")["card"]


# --- reading ----------------------------------------------------------------------------------

RECORD = f"{PDS}/xrpc/com.atproto.repo.getRecord"
URI = f"at://{DID}/app.bsky.feed.post/3kabcdefghijk"


@pytest.mark.parametrize("name", ["RecordNotFound", "RepoNotFound", "RepoTakendown"])
def test_a_post_that_is_gone_reads_as_none(network: responses.RequestsMock, name: str) -> None:
    network.get(RECORD, **xrpc(name))
    assert connector().fetch_post(URI) is None


def test_a_post_that_could_not_be_asked_for_is_not_reported_gone(network: responses.RequestsMock) -> None:
    network.get(RECORD, status=502)
    with pytest.raises(Temporary):
        connector().fetch_post(URI)


def test_a_post_is_read_without_our_token(network: responses.RequestsMock) -> None:
    value = {"text": "hi", "createdAt": "2026-11-22T18:00:00+09:00", "reply": {"parent": {"uri": "at://p"}}}
    network.get(RECORD, json={"uri": URI, "cid": CID, "value": value})
    post = connector().fetch_post(URI)
    assert post is not None
    assert (post.text, post.created_at, post.in_reply_to) == ("hi", NOW, "at://p")
    assert "Authorization" not in network.calls[0].request.headers


@pytest.mark.parametrize("remote_id", ["", "123", "at://x/app.bsky.feed.like/1", f"{URI}/../x"])
def test_what_is_no_posts_address_is_refused(remote_id: str) -> None:
    with pytest.raises(Rejected):
        connector().fetch_post(remote_id)


def test_recent_posts_are_read_page_by_page_until_they_are_older(network: responses.RequestsMock) -> None:
    listing = f"{PDS}/xrpc/com.atproto.repo.listRecords"
    base = {"repo": DID, "collection": "app.bsky.feed.post", "limit": "100"}

    def record(n: int, created: str) -> dict[str, Any]:
        return {"uri": f"{URI}{n}", "cid": CID, "value": {"text": str(n), "createdAt": created}}

    network.get(
        listing,
        match=[matchers.query_param_matcher(base)],
        json={
            "cursor": "c",
            "records": [record(1, "2026-11-22T09:00:00Z"), record(2, "2026-11-22T09:05:00Z")],
        },
    )
    network.get(
        listing,
        match=[matchers.query_param_matcher(base | {"cursor": "c"})],
        json={"cursor": "d", "records": [record(3, "2026-11-22T08:59:59Z"), record(4, "last summer")]},
    )
    assert [post.text for post in connector().find_recent(since=NOW)] == ["2", "1"]


def test_counts_are_asked_for_in_groups_and_missing_posts_are_absent(network: responses.RequestsMock) -> None:
    uris = [f"{URI}{n}" for n in range(30)]
    shown = {"likeCount": 3, "replyCount": 1, "repostCount": 2, "quoteCount": 0, "bookmarkCount": 4}
    network.get(
        f"{PDS}/xrpc/app.bsky.feed.getPosts",
        match=[matchers.query_param_matcher({"uris": uris[:25]})],
        json={"posts": [{"uri": uris[0], **shown}]},
    )
    network.get(
        f"{PDS}/xrpc/app.bsky.feed.getPosts",
        match=[matchers.query_param_matcher({"uris": uris[25:]})],
        json={"posts": [{"uri": uris[29]}]},
    )
    assert connector().fetch_post_metrics(uris) == {
        uris[0]: PostMetrics(likes=3, comments=1, shares=2, quotes=0, bookmarks=4),
        uris[29]: PostMetrics(),
    }


@pytest.mark.parametrize(
    "answer",
    [
        xrpc("UpstreamFailure", "Upstream service unreachable", status=502),
        xrpc("InvalidRequest", "No service configured for app.bsky.actor.getProfile"),
    ],
)
def test_without_an_appview_counts_are_not_known(
    network: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    network.get(f"{PDS}/xrpc/app.bsky.actor.getProfile", **answer)
    network.get(f"{PDS}/xrpc/app.bsky.feed.getPosts", **answer)
    assert connector().fetch_account_metrics().followers is None
    assert connector().fetch_post_metrics([URI]) == {URI: PostMetrics()}


# --- videos -----------------------------------------------------------------------------------


def with_film(opened: list[io.BytesIO]) -> PostPayload:
    def open_film() -> io.BytesIO:
        opened.append(io.BytesIO(b"film" * 1000))
        return opened[-1]

    item = MediaItem("v", "video/mp4", 4000, 16, 9, "A film", open_film, duration_s=3, frame_rate=25)
    return PostPayload(parts=(PostPart("", media=(item,)),))


def test_a_video_is_streamed_and_sent_again_whole_with_a_fresh_token(network: responses.RequestsMock) -> None:
    received = []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        received.append(request.body)  # read to its end by responses
        if len(received) == 1:
            return 400, {}, json.dumps({"error": "ExpiredToken", "message": "Token has expired"})
        return 200, {}, json.dumps({"blob": BLOB})

    network.add_callback("POST", UPLOAD, callback=answer, content_type="application/json")
    opened: list[io.BytesIO] = []
    client = connector()
    client.renew = lambda tokens: tokens
    assert client.send_step(MEDIA, with_film(opened), {}).detail == {"blob": BLOB}
    assert received == [b"film" * 1000] * 2
    assert network.calls[0].request.headers["Content-Length"] == "4000"
    assert opened[0].closed
