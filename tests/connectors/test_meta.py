"""What the networks of Meta share: errors, limits, pages, containers, webhooks and signed requests."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import string
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
import responses

from connectors import meta, meta_container, meta_hooks
from connectors.base import StepState, WebhookKind
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)

BASE = "https://graph.example.com/v25.0"
SECRET = "app-secret-app-secret"
TOKEN = "EAAtokentokentoken"


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def graph() -> meta.Graph:
    return meta.Graph("meta", BASE, TOKEN, SECRET)


def query_of(call: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(str(call.request.url)).query))


# --- calls ------------------------------------------------------------------------------------


def test_the_token_is_in_the_header_and_its_proof_beside_it(
    network: responses.RequestsMock, graph: meta.Graph
) -> None:
    network.get(f"{BASE}/me", json={"id": "1"})
    network.post(f"{BASE}/1/feed", json={"id": "1_2"})
    graph.get("me", {"fields": "id"})
    graph.post("1/feed", {"message": "é", "published": False, "attached_media": [{"media_fbid": "3"}]})
    proof = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    assert query_of(network.calls[0]) == {"fields": "id", "appsecret_proof": proof}
    assert dict(parse_qsl(str(network.calls[1].request.body))) == {
        "message": "é",
        "published": "false",
        "attached_media": '[{"media_fbid":"3"}]',
        "appsecret_proof": proof,
    }
    for call in network.calls:
        assert call.request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in str(call.request.url)


def test_without_the_secret_of_the_app_there_is_no_proof(network: responses.RequestsMock) -> None:
    network.get(f"{BASE}/me", json={"id": "1"})
    meta.Graph("meta", BASE, TOKEN).get("me")
    assert query_of(network.calls[0]) == {}
    assert SECRET not in repr(meta.Graph("meta", BASE, TOKEN, SECRET))
    assert TOKEN not in repr(meta.Graph("meta", BASE, TOKEN, SECRET))


def test_lists_are_read_by_their_cursors_and_never_by_the_address_that_an_answer_names(
    network: responses.RequestsMock, graph: meta.Graph
) -> None:
    elsewhere = (
        f"https://evil.example.com/x?{urlencode({'access_token': TOKEN, 'after': 'two', 'host': 'e'})}"
    )
    network.get(f"{BASE}/1/posts", json={"data": [{"id": "a"}], "paging": {"next": elsewhere}})
    network.get(f"{BASE}/1/posts", json={"data": [{"id": "b"}, None], "paging": {"cursors": {"after": "x"}}})
    assert [one["id"] for one in graph.lists("1/posts", {"limit": 1})] == ["a", "b"]
    assert [query_of(call).get("after") for call in network.calls] == [None, "two"]
    assert "host" not in query_of(network.calls[1])


# --- errors -----------------------------------------------------------------------------------


def failing(
    network: responses.RequestsMock,
    graph: meta.Graph,
    error: Any,
    *,
    status: int = 400,
    headers: dict[str, str] | None = None,
    changes: bool = False,
) -> ConnectorError:
    network.upsert("POST", f"{BASE}/1/feed", status=status, json={"error": error}, headers=headers)
    with pytest.raises(ConnectorError) as raised:
        graph.post("1/feed", {"message": "x"}, changes=changes)
    return raised.value


@pytest.mark.parametrize(
    ("code", "subcode", "kind", "reason"),
    [
        (190, None, NeedsReconnect, None),
        (102, None, NeedsReconnect, None),
        *[(190, subcode, NeedsReconnect, None) for subcode in (458, 459, 460, 463, 464, 467)],
        (4, None, RateLimited, None),
        (17, None, RateLimited, None),
        (32, None, RateLimited, None),
        (341, None, RateLimited, None),
        (368, None, RateLimited, None),
        (613, None, RateLimited, None),
        (80001, None, RateLimited, None),
        (80014, None, RateLimited, None),
        (9, 2207042, RateLimited, None),
        (10, None, Rejected, RejectReason.FORBIDDEN),
        (200, None, Rejected, RejectReason.FORBIDDEN),
        (299, None, Rejected, RejectReason.FORBIDDEN),
        (3, None, Rejected, RejectReason.FORBIDDEN),
        (10, 2018278, Rejected, RejectReason.FORBIDDEN),
        (100, None, Rejected, RejectReason.INVALID),
        (100, 33, Rejected, RejectReason.NOT_FOUND),
        (803, None, Rejected, RejectReason.NOT_FOUND),
        (506, None, Rejected, RejectReason.DUPLICATE),
        (-2, 2207003, Temporary, None),
        (-2, 2207020, Rejected, RejectReason.NOT_FOUND),
        (4, 2207051, Rejected, RejectReason.FORBIDDEN),
        (25, 2207050, Rejected, RejectReason.FORBIDDEN),
        (352, 2207026, Rejected, RejectReason.MEDIA_BROKEN),
        (9004, 2207052, Rejected, RejectReason.MEDIA_NOT_PUBLIC),
        (9007, 2207027, Temporary, None),
        (24, 2207006, Rejected, RejectReason.NOT_FOUND),
        (36000, 2207004, Rejected, RejectReason.MEDIA_TOO_LARGE),
        (36001, 2207005, Rejected, RejectReason.MEDIA_TYPE),
        (36003, 2207009, Rejected, RejectReason.MEDIA_SHAPE),
        (36004, 2207010, Rejected, RejectReason.TEXT_TOO_LONG),
        (2, None, Temporary, None),
        (1, None, Temporary, None),
        (-1, 2207001, Temporary, None),
        (99999, None, Rejected, RejectReason.INVALID),
    ],
)
def test_the_code_decides(
    network: responses.RequestsMock,
    graph: meta.Graph,
    code: int,
    subcode: int | None,
    kind: type[ConnectorError],
    reason: RejectReason | None,
) -> None:
    error: dict[str, Any] = {"message": f"(#{code}) said {TOKEN}", "code": code, "fbtrace_id": "A"}
    if subcode is not None:
        error["error_subcode"] = subcode
    raised = failing(network, graph, error)
    assert type(raised) is kind
    assert getattr(raised, "reason", None) is reason
    assert TOKEN not in raised.detail
    # What may have been carried out is never called undone.
    changing = failing(network, graph, error, changes=True)
    assert type(changing) is (OutcomeUnknown if kind is Temporary else kind)


def test_an_error_without_a_known_code_is_read_by_what_it_says_of_itself(
    network: responses.RequestsMock, graph: meta.Graph
) -> None:
    assert type(failing(network, graph, {"code": 77, "is_transient": True})) is Temporary
    assert type(failing(network, graph, {"code": 77}, status=500)) is Temporary
    assert type(failing(network, graph, {"code": 77}, status=500, changes=True)) is OutcomeUnknown
    assert type(failing(network, graph, "no", status=401)) is NeedsReconnect
    assert type(failing(network, graph, {"code": "190"})) is NeedsReconnect
    for status in (408, 409):  # it may have been done, or is being done
        assert type(failing(network, graph, {}, status=status)) is Temporary
        assert type(failing(network, graph, {}, status=status, changes=True)) is OutcomeUnknown
    several: tuple[Any, ...] = (None, [], "", {"code": None}, {"code": True}, {"code": [1]}, {"code": "1e9"})
    for garbage in several:
        assert type(failing(network, graph, garbage)) is Rejected


def test_an_error_inside_a_success_is_an_error(network: responses.RequestsMock, graph: meta.Graph) -> None:
    assert type(failing(network, graph, {"code": 190}, status=200)) is NeedsReconnect


# --- limits -----------------------------------------------------------------------------------


def wait_s(error: ConnectorError) -> float:
    assert isinstance(error, RateLimited)
    return (error.retry_at - dt.datetime.now(dt.UTC)).total_seconds()


def test_a_limit_is_waited_for_as_long_as_meta_says(
    network: responses.RequestsMock, graph: meta.Graph
) -> None:
    business = {
        "1": [
            {"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 19},
            {"type": "messenger", "call_count": 3, "estimated_time_to_regain_access": 0},
        ]
    }
    headers = {"X-Business-Use-Case-Usage": json.dumps(business)}
    limited = failing(network, graph, {"code": 80001}, headers=headers)
    assert wait_s(limited) == pytest.approx(19 * 60, abs=5)
    assert not getattr(limited, "of_app", True)
    assert wait_s(failing(network, graph, {"code": 32})) == pytest.approx(300, abs=5)
    assert wait_s(failing(network, graph, {"code": 368})) == pytest.approx(3600, abs=5)
    too_long = {"1": [{"estimated_time_to_regain_access": 1e12}]}
    headers = {"X-Business-Use-Case-Usage": json.dumps(too_long)}
    assert wait_s(failing(network, graph, {"code": 4}, headers=headers)) <= 7 * 86_400


@pytest.mark.parametrize(
    ("name", "of_app"), [("X-App-Usage", True), ("X-Page-Usage", False), ("X-Ad-Account-Usage", False)]
)
def test_an_allowance_that_is_used_up_is_a_limit_whatever_the_code(
    network: responses.RequestsMock, graph: meta.Graph, name: str, of_app: bool
) -> None:
    full = {name: json.dumps({"call_count": 100, "total_time": 3, "total_cputime": 1})}
    raised = failing(network, graph, {"code": 99999}, headers=full)
    assert isinstance(raised, RateLimited)
    assert raised.of_app is of_app
    # But a dead token stays a dead token, and half an allowance is none that is used up.
    assert isinstance(failing(network, graph, {"code": 190}, headers=full), NeedsReconnect)
    half = {name: json.dumps({"call_count": 50})}
    assert isinstance(failing(network, graph, {"code": 99999}, headers=half), Rejected)


@pytest.mark.parametrize("code", [4, 341])
def test_the_limit_of_the_app_is_that_of_all_its_accounts(
    network: responses.RequestsMock, graph: meta.Graph, code: int
) -> None:
    raised = failing(network, graph, {"code": code})
    assert isinstance(raised, RateLimited)
    assert raised.of_app


@pytest.mark.parametrize("usage", ["", "{", "[]", '{"1": 3}', '{"1": [null, {"call_count": "x"}]}', "NaN"])
def test_headers_that_say_nothing_do_no_harm(
    network: responses.RequestsMock, graph: meta.Graph, usage: str
) -> None:
    headers = dict.fromkeys(("X-App-Usage", "X-Page-Usage", "X-Business-Use-Case-Usage"), usage)
    assert isinstance(failing(network, graph, {"code": 100}, headers=headers), Rejected)
    assert isinstance(failing(network, graph, {"code": 4}, headers=headers), RateLimited)


# --- answers ----------------------------------------------------------------------------------


def test_counts_are_the_latest_the_total_or_the_sum() -> None:
    answer = {
        "data": [
            {"name": "reach", "values": [{"value": 3}, {"value": 5}]},
            {"name": "views", "total_value": {"value": 7}},
            {"name": "reactions", "values": [{"value": {"like": 2, "love": 1, "x": None}}]},
            {"name": "odd", "values": [{"value": "many"}]},
            {"name": "none", "values": []},
            {"name": "worse", "values": None},
        ]
    }
    assert meta.insights(answer) == {"reach": 5, "views": 7, "reactions": 3}


@pytest.mark.parametrize(
    "stated", ["2026-11-22T12:00:00+0000", "2026-11-22T13:00:00+0100", 1795348800, 1795348800000]
)
def test_instants_are_read_in_every_form(stated: object) -> None:
    assert meta.instant(stated) == dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "stated",
    [
        None,
        "",
        "soon",
        1e300,
        10**400,
        float("nan"),
        True,
        {},
        "0001-01-01T00:00:00+1400",
        "9999-12-31T23:59:59-1400",
    ],
)
def test_what_is_no_instant_is_a_fault_of_the_answer(stated: object) -> None:
    with pytest.raises(Temporary):
        meta.instant(stated)


@pytest.mark.parametrize(
    ("stated", "number"),
    [
        ("12", 12),
        (12, 12),
        ("²", None),
        ("٣", None),
        ("-1", None),
        ("9" * 5000, None),
        (True, None),
        ([], None),
    ],
)
def test_only_plain_digits_are_a_number(stated: object, number: int | None) -> None:
    assert meta.number(stated) == number


@pytest.mark.parametrize("odd", [None, True, -1, 1.5, "", "a b", "\ud83d", "é", [1], {"id": "1"}])
def test_no_id_is_made_of_what_is_none(network: responses.RequestsMock, graph: meta.Graph, odd: Any) -> None:
    network.get(f"{BASE}/me", json={"id": odd})
    network.post(f"{BASE}/me/feed", json={"id": odd})
    with pytest.raises(Temporary):
        meta.word_of(graph.get("me"))
    answer = graph.post("me/feed", changes=True)
    with pytest.raises(OutcomeUnknown):
        meta.word_of(answer)


def test_a_container_is_done_worked_on_gone_or_broken() -> None:
    finished = meta_container.container_result("9", "FINISHED")
    assert finished is not None
    assert (finished.state, finished.remote_id) == (StepState.DONE, "9")
    working = meta_container.container_result("9", "IN_PROGRESS")
    assert working is not None
    assert working.state is StepState.PROCESSING
    assert meta_container.container_result("9", "EXPIRED") is None
    with pytest.raises(Rejected) as broken:
        meta_container.container_result("9", "ERROR", "Error: upload has failed with error code 2207004")
    assert broken.value.reason is RejectReason.MEDIA_TOO_LARGE
    with pytest.raises(Rejected) as unknown:
        meta_container.container_result("9", "ERROR")
    assert unknown.value.reason is RejectReason.MEDIA_BROKEN
    with pytest.raises(Temporary):
        meta_container.container_result("9", "DREAMING")


# --- webhooks ---------------------------------------------------------------------------------


def test_the_challenge_is_answered_to_whoever_knows_our_word() -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": "ours", "hub.challenge": "1158201444"}
    assert meta_hooks.challenge(asked, "ours") == "1158201444"
    for wrong in ({"hub.mode": "unsubscribe"}, {"hub.verify_token": "theirs"}, {"hub.verify_token": "é"}):
        assert meta_hooks.challenge(asked | wrong, "ours") is None
    assert meta_hooks.challenge({**asked, "hub.verify_token": ""}, "") is None
    assert meta_hooks.challenge({}, "ours") is None


def test_only_the_signature_over_the_whole_body_is_genuine() -> None:
    body = b'{"object":"page","entry":[]}'
    good = f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}"
    assert meta_hooks.is_genuine(body, {"x-hub-signature-256": good}, SECRET)
    forged = [
        {},
        {"x-hub-signature-256": ""},
        {"x-hub-signature-256": good[:-1]},
        {"x-hub-signature-256": good.replace("sha256", "sha1")},
        {"x-hub-signature-256": f"sha256={hmac.new(b'other', body, hashlib.sha256).hexdigest()}"},
        {"x-hub-signature": good},
        {"x-hub-signature-256": "sha256=é"},
    ]
    assert not [headers for headers in forged if meta_hooks.is_genuine(body, headers, SECRET)]
    assert not meta_hooks.is_genuine(body + b" ", {"x-hub-signature-256": good}, SECRET)
    empty = f"sha256={hmac.new(b'', body, hashlib.sha256).hexdigest()}"
    assert not meta_hooks.is_genuine(body, {"x-hub-signature-256": empty}, "")


def test_changes_and_messages_are_told_apart_and_keep_their_ids() -> None:
    body = json.dumps(
        {
            "object": "page",
            "entry": [
                {
                    "id": "1",
                    "time": 1795348800,
                    "changes": [
                        {"field": "feed", "value": {"item": "comment"}},
                        {"field": "odd", "value": 3},
                    ],
                    "messaging": [{"sender": {"id": "5"}, "message": {"mid": "m_1", "text": "hi"}}],
                },
                "garbage",
            ],
        }
    ).encode()
    feed, message = meta_hooks.changes(body)
    assert (feed.object, feed.account_id, feed.field, feed.value) == (
        "page",
        "1",
        "feed",
        {"item": "comment"},
    )
    assert feed.at == dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    assert (message.field, message.event_id) == ("messaging", "message:m_1")
    assert [one.event_id for one in meta_hooks.changes(body)] == [feed.event_id, message.event_id]
    assert len(feed.event_id) <= 200
    threads = {"target_id": "7", "time": 1, "values": {"field": "replies", "value": {"id": "9"}}}
    (reply,) = meta_hooks.changes(json.dumps(threads).encode())
    assert (reply.account_id, reply.field, reply.value) == ("7", "replies", {"id": "9"})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"entry": 3}', b"\xff", b"[" * 200_000])
def test_what_is_no_call_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected):
        meta_hooks.changes(body)


def test_what_somebody_writes_does_not_make_a_form_of_a_call() -> None:
    body = json.dumps(
        {"entry": [{"id": "1", "changes": [{"value": {"text": "a&signed_request=b.c"}}]}]}
    ).encode()
    signature = f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}"
    assert meta_hooks.signed_request(body) == ""
    assert meta_hooks.is_genuine(body, {"x-hub-signature-256": signature}, SECRET)


def sign(told: Any, secret: str = SECRET) -> bytes:
    payload = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=")
    digest = hmac.new(secret.encode(), payload, hashlib.sha256).digest()
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=")
    return urlencode({"signed_request": f"{signature.decode()}.{payload.decode()}"}).encode()


def test_a_signed_request_says_whose_it_is() -> None:
    told = {"algorithm": "HMAC-SHA256", "user_id": "218471", "issued_at": dt.datetime.now(dt.UTC).timestamp()}
    body = sign(told)
    assert meta_hooks.is_genuine(body, {}, SECRET)
    revoked = meta_hooks.signed_event(body, WebhookKind.REVOKED)
    assert (revoked.kind, revoked.account_id) == (WebhookKind.REVOKED, "218471")
    forget = meta_hooks.signed_event(body, WebhookKind.FORGET)
    assert forget.kind is WebhookKind.FORGET
    assert revoked.event_id != forget.event_id
    assert len(revoked.event_id) <= 200
    # The last character of the signature may be another one for the same bytes: it is no other request.
    signed, _, payload = body.partition(b".")
    others = [
        signed[:-1] + letter.encode() + b"." + payload for letter in string.ascii_letters + string.digits
    ]
    genuine = [one for one in others if meta_hooks.is_genuine(one, {}, SECRET)]
    assert len(genuine) > 1
    assert {meta_hooks.signed_event(one, WebhookKind.REVOKED).event_id for one in genuine} == {
        revoked.event_id
    }


@pytest.mark.parametrize(
    "body",
    [
        sign({"algorithm": "HMAC-SHA256", "user_id": "1"}, "another secret"),
        sign({"algorithm": "none", "user_id": "1"}),
        sign({"user_id": "1"}),
        sign({"algorithm": "HMAC-SHA256", "user_id": "1"}),
        sign({"algorithm": "HMAC-SHA256", "user_id": "1", "issued_at": None}),
        sign({"algorithm": "HMAC-SHA256", "user_id": "1", "issued_at": 0}),
        sign({"algorithm": "HMAC-SHA256", "user_id": "1", "issued_at": 1291836800}),
        sign({"algorithm": "HMAC-SHA256", "user_id": "1", "issued_at": 4_000_000_000}),
        sign({"algorithm": "HMAC-SHA256", "user_id": "1", "issued_at": "never"}),
        sign([1]),
        b"signed_request=",
        b"signed_request=.",
        b"signed_request=%ff.%ff",
        b"signed_request=a.b.c",
        b"x=1&signed_request=" + b"A" * 43 + b".e30",
    ],
)
def test_a_forged_or_old_signed_request_is_not_genuine(body: bytes) -> None:
    assert not meta_hooks.is_genuine(body, {}, SECRET)
    assert not meta_hooks.is_genuine(body, {}, "")


@pytest.mark.parametrize("body", [b"", b"{}", b"signed_request=x.e30", sign({"algorithm": "HMAC-SHA256"})])
def test_a_signed_request_of_nobody_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected):
        meta_hooks.signed_event(body, WebhookKind.FORGET)


def test_an_answer_that_is_no_json_is_a_fault(network: responses.RequestsMock, graph: meta.Graph) -> None:
    network.get(f"{BASE}/me", body="<html>")
    with pytest.raises(Temporary):
        graph.get("me")
    network.get(f"{BASE}/you", body=requests.ReadTimeout())
    with pytest.raises(Temporary):
        graph.get("you")
