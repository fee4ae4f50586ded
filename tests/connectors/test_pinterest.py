"""Pinterest's connector on canned answers, held against its OpenAPI description where that is there."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime as dt
import email
import email.policy
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import http
from connectors.base import (
    AppCredentials,
    MediaItem,
    NotAllListed,
    PostPayload,
    StepResult,
    StepState,
    Tokens,
)
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.pinterest import INFO, PER_CALL, PinterestConnector
from connectors.text import check_payload
from tests.connectors.conftest import NOW, SPECS, _faults, image, ok, payload, scripted
from tests.connectors.odd_answers import ODD, with_odd

API = "https://api.pinterest.com/v5"
STORAGE = "https://pinterest-media-upload.s3-accelerate.amazonaws.com/"
APP = AppCredentials(client_id="1500000", client_secret="app-s3cret")
UUID = "0192c1b0-0000-7000-8000-000000000001"
BOARD = "549755885175"
ACCOUNT = {
    "account_type": "BUSINESS",
    "id": "2783136121146311751",
    "username": "harbour",
    "business_name": "Harbour Coffee",
    "profile_image": "https://i.pinimg.com/1.jpg",
    "follower_count": 10,
    "following_count": 4,
    "pin_count": 339,
}
UPLOAD_PARAMETERS = {
    "x-amz-date": "20220127T185143Z",
    "x-amz-signature": "fcd6309a6aaee213348666a72abed8b4",
    "x-amz-security-token": "IQoJb3JpZ2luX2VjEJr",
    "key": "uploads/11/aa/22/3:video",
    "policy": "eyJleHBpcmF0aW9uIjoiMj",
    "Content-Type": "multipart/form-data",
}

Check = Callable[[object, str], list[str]]


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def account() -> PinterestConnector:
    return PinterestConnector(tokens=Tokens(access_token="pina_TOKEN"), options={"username": "harbour"})


@pytest.fixture(scope="session")
def schema() -> Check:
    """check(entity, "Pin") -> what is wrong with it by Pinterest's description."""
    path = SPECS / "pinterest" / "openapi.json"
    if not path.is_file():
        pytest.skip("NETWORK_SPECS has no pinterest/openapi.json: nothing is held against it")
    schemas = json.loads(path.read_text(encoding="utf-8"))["components"]["schemas"]

    def check(entity: object, name: str) -> list[str]:
        found = list(_faults(entity, schemas[name], schemas, name))
        if isinstance(entity, dict):
            unknown = entity.keys() - schemas[name].get("properties", entity).keys()
            found += [f"{name}.{one}: not in the description" for one in sorted(unknown)]
            for one, rule in schemas[name].get("properties", {}).items():
                value = entity.get(one)
                if isinstance(value, str) and len(value) > rule.get("maxLength", len(value)):
                    found.append(f"{name}.{one}: too long")
                if isinstance(value, str) and not re.search(rule.get("pattern", ""), value):
                    found.append(f"{name}.{one}: not {rule['pattern']}")
        return found

    return check


def pin_of(text: str, *, media: tuple[MediaItem, ...] = (image(),), **settings: str) -> PostPayload:
    return dataclasses.replace(payload(text, media=media), settings={"board": BOARD, **settings})


def publish(
    client: PinterestConnector, sent: PostPayload, done: dict[str, StepResult] | None = None
) -> StepResult:
    step = client.plan(sent)[-1]
    return client.send_step(step, sent, client.prepare_step(step, sent, done or {}, key=UUID, now=NOW))


def remote(pin_id: str, at: dt.datetime, **more: Any) -> dict[str, Any]:
    return {
        "id": pin_id,
        "board_id": BOARD,
        "created_at": at.strftime("%Y-%m-%dT%H:%M:%S"),
        "description": "Flat white",
        "title": "Menu",
        "media": {"media_type": "image", "images": {}},
        **more,
    }


def film(size: int = 9, **more: Any) -> MediaItem:
    item = MediaItem(
        "clip", "video/mp4", size, 720, 1280, "A wave", lambda: io.BytesIO(b"v" * size), 6.0, 30.0
    )
    return dataclasses.replace(item, **more)


def query_of(call: responses.Call) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(str(call.request.url)).query))


def body_of(call: responses.Call) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call.request.body or "")
    return found


# --- connecting -------------------------------------------------------------------------------


def test_a_person_is_sent_to_pinterest_with_state_and_scopes() -> None:
    asked = PinterestConnector.authorize_url(app=APP, redirect_uri="https://smm.example.com/back", state="st")
    parts = urlsplit(asked.url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == "https://www.pinterest.com/oauth/"
    assert parse_qs(parts.query) == {
        "client_id": ["1500000"],
        "redirect_uri": ["https://smm.example.com/back"],
        "response_type": ["code"],
        "scope": [",".join(INFO.scopes)],
        "state": ["st"],
    }


def test_a_code_becomes_an_account(network: responses.RequestsMock, schema: Check) -> None:
    answer = {
        "access_token": "pina_NEW",
        "refresh_token": "pinr_NEW",
        "response_type": "authorization_code",
        "token_type": "bearer",
        "expires_in": 2_592_000,
        "refresh_token_expires_in": 5_184_000,
        "scope": "boards:read boards:write pins:read pins:write user_accounts:read",
    }
    assert [fault for fault in schema(answer, "OauthAccessTokenResponse") if "missing" in fault] == []
    assert schema(ACCOUNT, "Account") == []
    network.post(f"{API}/oauth/token", json=answer)
    network.get(f"{API}/user_account", json=ACCOUNT)
    connected = PinterestConnector.exchange_code(
        app=APP, code="c0de", code_verifier="", redirect_uri="https://smm.example.com/back"
    )
    assert (connected.profile.handle, connected.profile.display_name) == ("harbour", "Harbour Coffee")
    assert connected.profile.remote_id == "2783136121146311751"
    assert (connected.tokens.access_token, connected.tokens.refresh_token) == ("pina_NEW", "pinr_NEW")
    assert connected.tokens.expires_at is not None
    assert abs(connected.tokens.expires_at - dt.datetime.now(dt.UTC) - dt.timedelta(days=30)).seconds < 5
    assert connected.scopes == INFO.scopes
    assert "pina_NEW" not in json.dumps(connected.options)
    asked = network.calls[0].request
    assert asked.headers["Authorization"] == "Basic " + base64.b64encode(b"1500000:app-s3cret").decode()
    assert dict(parse_qsl(str(asked.body)))["continuous_refresh"] == "true"
    assert "app-s3cret" not in str(asked.body)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 400, "json": {"code": 283, "message": "Invalid c0de_long for app-s3cret"}}, Rejected),
        ({"status": 401, "json": {"code": 2, "message": "Authentication failed."}}, Rejected),
        ({"status": 503, "body": ""}, Temporary),
        ({"status": 200, "json": {}}, Temporary),
        ({"status": 200, "body": "<html>"}, Temporary),
    ],
    ids=str,
)
def test_a_code_that_is_refused_leaves_no_secret(
    network: responses.RequestsMock, answer: dict[str, Any], error: type[Exception]
) -> None:
    network.post(f"{API}/oauth/token", **answer)
    with pytest.raises(error) as refused:
        PinterestConnector.exchange_code(
            app=APP, code="c0de_long", code_verifier="", redirect_uri="https://smm.example.com/back"
        )
    assert "c0de_long" not in str(refused.value)
    assert "app-s3cret" not in str(refused.value)


def test_each_refresh_brings_a_new_refresh_token(network: responses.RequestsMock) -> None:
    answer = {
        "access_token": "pina_2",
        "refresh_token": "pinr_2",
        "token_type": "bearer",
        "expires_in": 2_592_000,
        "scope": "pins:read",
    }
    network.post(f"{API}/oauth/token", json=answer)
    fresh = PinterestConnector.refresh(tokens=Tokens("pina_1", "pinr_1"), options={}, app=APP)
    assert (fresh.access_token, fresh.refresh_token) == ("pina_2", "pinr_2")
    sent = dict(parse_qsl(str(network.calls[0].request.body)))
    assert sent == {"grant_type": "refresh_token", "refresh_token": "pinr_1"}
    del answer["refresh_token"]
    network.upsert("POST", f"{API}/oauth/token", json=answer)
    fresh = PinterestConnector.refresh(tokens=Tokens("pina_1", "pinr_1"), options={}, app=APP)
    assert fresh.refresh_token == "pinr_1"


@pytest.mark.parametrize("status", [400, 401])
def test_a_dead_refresh_token_asks_for_a_new_connection(network: responses.RequestsMock, status: int) -> None:
    network.post(f"{API}/oauth/token", status=status, json={"code": 283, "message": "Invalid: pinr_1 is old"})
    with pytest.raises(NeedsReconnect) as lost:
        PinterestConnector.refresh(tokens=Tokens("pina_1", "pinr_1"), options={}, app=APP)
    assert "pinr_1" not in lost.value.detail
    for tokens, app in ((Tokens("pina_1"), APP), (Tokens("pina_1", "pinr_1"), None)):
        with pytest.raises(NeedsReconnect):
            PinterestConnector.refresh(tokens=tokens, options={}, app=app)


def test_refreshing_can_be_tried_again_when_pinterest_is_down(network: responses.RequestsMock) -> None:
    network.post(f"{API}/oauth/token", status=502)
    with pytest.raises(Temporary):
        PinterestConnector.refresh(tokens=Tokens("pina_1", "pinr_1"), options={}, app=APP)


def test_a_token_that_ends_in_the_middle_is_renewed_once(network: responses.RequestsMock) -> None:
    network.post(f"{API}/pins", status=401, json={"code": 2, "message": "Authentication failed."})
    network.post(f"{API}/pins", status=201, json=remote("813", NOW))
    asked = []

    def renew(stale: Tokens) -> Tokens:
        asked.append(stale.access_token)
        return Tokens(access_token="pina_2")

    client = PinterestConnector(tokens=Tokens(access_token="pina_1"), options={}, renew=renew)
    assert publish(client, pin_of("Hi")).remote_id == "813"
    assert asked == ["pina_1"]
    assert [call.request.headers["Authorization"] for call in network.calls] == [
        "Bearer pina_1",
        "Bearer pina_2",
    ]


def test_boards_are_offered_by_name(network: responses.RequestsMock, account: PinterestConnector) -> None:
    first = {"items": [{"id": "2", "name": "tea"}, {"id": "3", "name": "Ads", "is_ads_only": True}]}
    network.get(f"{API}/boards", json={**first, "bookmark": "b"})
    network.get(f"{API}/boards", json={"items": [{"id": "1", "name": "Coffee"}, None], "bookmark": None})
    assert account.fetch_choices() == {"board": [("1", "Coffee"), ("2", "tea")]}
    assert [query_of(call).get("bookmark") for call in network.calls] == [None, "b"]


# --- publishing -------------------------------------------------------------------------------


def test_an_image_is_sent_with_its_pin(
    network: responses.RequestsMock, account: PinterestConnector, schema: Check
) -> None:
    network.post(f"{API}/pins", status=201, json=remote("813", NOW))
    sent = pin_of("Flat white", title=" Menu ", link="https://example.com/menu")
    assert [step.key for step in account.plan(sent)] == ["part0.publish"]
    assert publish(account, sent) == StepResult(
        remote_id="813", permalink="https://www.pinterest.com/pin/813/"
    )
    pin = body_of(network.calls[0])
    assert schema(pin, "PinCreate") == []
    source = pin.pop("media_source")
    assert pin == {
        "board_id": BOARD,
        "title": "Menu",
        "description": "Flat white",
        "link": "https://example.com/menu",
        "alt_text": "A cat",
    }
    assert schema(source, "PinMediaSourceImageBase64") == []
    assert base64.b64decode(source["data"]) == b"\x89PNG" + b"\0" * 4


def test_several_images_are_a_carousel(
    network: responses.RequestsMock, account: PinterestConnector, schema: Check
) -> None:
    network.post(f"{API}/pins", status=201, json=remote("813", NOW))
    media = (image("one", mime_type="image/jpeg"), image("two"), image(""))
    publish(account, pin_of("", media=media))
    pin = body_of(network.calls[0])
    assert schema(pin, "PinCreate") == []
    assert schema(pin["media_source"], "PinMediaSourceImagesBase64") == []
    assert [one["content_type"] for one in pin["media_source"]["items"]] == [
        "image/jpeg",
        "image/png",
        "image/png",
    ]
    assert pin["alt_text"] == "one two"
    assert "description" not in pin
    assert "title" not in pin


def test_the_alternative_text_of_a_carousel_keeps_to_the_limit(account: PinterestConnector) -> None:
    sent = pin_of("", media=(image("a" * 400), image("b" * 400)))
    step = account.plan(sent)[0]
    assert len(account.prepare_step(step, sent, {}, key=UUID, now=NOW)["pin"]["alt_text"]) == 500


def test_nothing_of_the_images_is_kept_in_the_intent(account: PinterestConnector) -> None:
    step, sent = account.plan(pin_of("Hi"))[0], pin_of("Hi")
    intent = account.prepare_step(step, sent, {}, key=UUID, now=NOW)
    assert intent == {"pin": {"board_id": BOARD, "description": "Hi", "alt_text": "A cat"}}


def test_a_video_is_uploaded_to_the_storage_and_waited_for(
    network: responses.RequestsMock, account: PinterestConnector, schema: Check
) -> None:
    registered = {
        "media_id": "12345",
        "media_type": "video",
        "upload_url": STORAGE,
        "upload_parameters": UPLOAD_PARAMETERS,
    }
    assert schema(registered, "MediaUpload") == []
    network.post(f"{API}/media", status=201, json=registered)
    stored: list[tuple[Any, bytes]] = []

    def store(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        body: Any = request.body
        stored.append((request.headers, body))
        return 204, {}, ""

    network.add_callback("POST", STORAGE, callback=store)
    sent = pin_of("Waves", media=(film(cover=lambda: io.BytesIO(b"jpeg")),))
    steps = account.plan(sent)
    assert [step.key for step in steps] == ["part0.media0", "part0.publish"]
    intent = account.prepare_step(steps[0], sent, {}, key=UUID, now=NOW)
    result = account.send_step(steps[0], sent, intent)
    assert (result.state, result.remote_id) == (StepState.PROCESSING, "12345")

    headers, body = stored[0]
    assert "Authorization" not in headers  # the token is not the storage's business
    assert headers["Content-Length"] == str(len(body))
    form = email.message_from_bytes(
        b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP
    )
    fields: dict[str, Any] = {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
        for part in form.iter_parts()
    }
    assert list(fields)[-1] == "file"  # what comes after it is ignored there
    assert fields.pop("file") == b"v" * 9
    assert {name: value.decode() for name, value in fields.items()} == UPLOAD_PARAMETERS

    for status, expected in (
        ("registered", StepState.PROCESSING),
        ("processing", StepState.PROCESSING),
        ("succeeded", StepState.DONE),
    ):
        answer = {"media_id": "12345", "media_type": "video", "status": status}
        assert schema(answer, "Media") == []
        network.upsert("GET", f"{API}/media/12345", json=answer)
        checked = account.check(steps[0], intent, result)
        assert checked is not None
        assert (checked.state, checked.remote_id) == (expected, "12345")
    network.upsert("GET", f"{API}/media/12345", json={"media_id": "12345", "status": "failed"})
    with pytest.raises(Rejected) as refused:
        account.check(steps[0], intent, result)
    assert refused.value.reason is RejectReason.MEDIA_BROKEN
    network.upsert("GET", f"{API}/media/12345", status=404, json={"code": 404, "message": "no"})
    assert account.check(steps[0], intent, result) is None

    network.post(f"{API}/pins", status=201, json=remote("813", NOW))
    publish(account, sent, {"part0.media0": StepResult(remote_id="12345")})
    pin = body_of(network.calls[-1])
    assert schema(pin, "PinCreate") == []
    assert schema(pin["media_source"], "PinMediaSourceVideoID") == []
    assert pin["media_source"] == {
        "source_type": "video_id",
        "media_id": "12345",
        "cover_image_content_type": "image/jpeg",
        "cover_image_data": base64.b64encode(b"jpeg").decode(),
    }


def gone() -> Any:
    raise FileNotFoundError


@pytest.mark.parametrize("cover", [None, gone])
def test_a_video_without_a_cover_shows_its_first_second(
    network: responses.RequestsMock, account: PinterestConnector, cover: Any
) -> None:
    network.post(f"{API}/pins", status=201, json=remote("813", NOW))
    sent = pin_of("Waves", media=(film(cover=cover),))
    publish(account, sent, {"part0.media0": StepResult(remote_id="12345")})
    source = body_of(network.calls[-1])["media_source"]
    assert source == {"source_type": "video_id", "media_id": "12345", "cover_image_key_frame_time": 1}


@pytest.mark.integration
def test_a_large_video_is_streamed_with_its_length(account: PinterestConnector) -> None:
    """On a real socket: nothing of it is collected in memory first, and no byte is lost."""
    size = 3 * 1024 * 1024 + 7
    with scripted(b"") as server:
        url = f"http://127.0.0.1:{server.port}"
        registered = {"media_id": "1", "upload_url": f"{url}/store", "upload_parameters": {"key": "k"}}
        server.script = [
            ok(json.dumps(registered).encode()),
            b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        ]
        http.configure(allowed_private_hosts=["127.0.0.1"], base_urls={"pinterest": url})
        sent = pin_of("Waves", media=(film(size),))
        step = account.plan(sent)[0]
        result = account.send_step(step, sent, {"media_type": "video"})
        upload = server.requests[1]
    assert result.remote_id == "1"
    assert upload.count(b"v" * 1024) == size // 1024
    assert b"Transfer-Encoding" not in upload


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 400, "body": "<Error><Code>EntityTooLarge</Code></Error>"}, Rejected),
        ({"status": 403, "body": "<Error><Code>AccessDenied</Code> Policy expired.</Error>"}, Temporary),
        ({"status": 503, "body": "<Error><Code>SlowDown</Code></Error>"}, Temporary),
        ({"status": 403, "body": f"signature {UPLOAD_PARAMETERS['x-amz-signature']}"}, Temporary),
        ({"body": requests.ReadTimeout()}, Temporary),
    ],
    ids=str,
)
def test_an_upload_that_fails_may_be_repeated(
    network: responses.RequestsMock,
    account: PinterestConnector,
    answer: dict[str, Any],
    error: type[Exception],
) -> None:
    registered = {"media_id": "1", "upload_url": STORAGE, "upload_parameters": UPLOAD_PARAMETERS}
    network.post(f"{API}/media", status=201, json=registered)
    network.post(STORAGE, **answer)
    sent = pin_of("Waves", media=(film(),))
    with pytest.raises(error) as failed:
        account.send_step(account.plan(sent)[0], sent, {"media_type": "video"})
    assert UPLOAD_PARAMETERS["x-amz-signature"] not in str(failed.value)


def test_storage_on_a_private_address_is_not_written_to(
    network: responses.RequestsMock, account: PinterestConnector
) -> None:
    registered = {"media_id": "1", "upload_url": "http://10.0.0.1/x", "upload_parameters": {}}
    network.post(f"{API}/media", json=registered)
    sent = pin_of("Waves", media=(film(),))
    with pytest.raises(Rejected) as refused:
        account.send_step(account.plan(sent)[0], sent, {"media_type": "video"})
    assert refused.value.reason is RejectReason.HOST_REFUSED


@pytest.mark.parametrize(
    ("status", "said", "error", "reason"),
    [
        (400, {"code": 1, "message": "Invalid parameters"}, Rejected, RejectReason.INVALID),
        (
            400,
            {"code": 235, "message": "Unable to reach the image"},
            Rejected,
            RejectReason.MEDIA_BROKEN,
        ),
        (401, {"code": 2, "message": "Authentication failed."}, NeedsReconnect, None),
        (
            403,
            {"code": 29, "message": "Apps with Trial access may not create Pins in production"},
            Rejected,
            RejectReason.FORBIDDEN,
        ),
        (404, {"code": 40, "message": "Board not found."}, Rejected, RejectReason.NOT_FOUND),
        (409, {"code": 409, "message": "Conflict"}, OutcomeUnknown, None),
        (413, {}, Rejected, RejectReason.MEDIA_TOO_LARGE),
        (429, {"code": 8, "message": "You have exceeded your rate limit."}, RateLimited, None),
        (500, {"code": 500, "message": "Something went wrong"}, OutcomeUnknown, None),
    ],
)
def test_what_pinterest_says_to_a_pin_decides_what_comes_next(
    network: responses.RequestsMock,
    account: PinterestConnector,
    status: int,
    said: dict[str, Any],
    error: type[Exception],
    reason: RejectReason | None,
) -> None:
    network.post(f"{API}/pins", status=status, json=said)
    with pytest.raises(error) as raised:
        publish(account, pin_of("Hi"))
    assert getattr(raised.value, "reason", None) == reason


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (dataclasses.replace(pin_of("Hi"), settings={}), RejectReason.SETTING_MISSING),
        (pin_of("Hi", media=()), RejectReason.MEDIA_MISSING),
    ],
)
def test_what_cannot_be_a_pin_is_not_sent(
    network: responses.RequestsMock, account: PinterestConnector, sent: PostPayload, reason: RejectReason
) -> None:
    with pytest.raises(Rejected) as refused:
        publish(account, sent)
    assert refused.value.reason is reason
    assert [problem.reason for problem in check_payload(sent, INFO)] == [reason]
    assert not network.calls


@pytest.mark.parametrize(
    ("reset", "wait_s"),
    [("7", 7), ("86400", 86_400), ("0", 1), ("rubbish", 60), ("99999999", 7 * 86_400), ("", 60)],
)
def test_the_wait_is_stated_in_seconds(
    network: responses.RequestsMock, account: PinterestConnector, reset: str, wait_s: float
) -> None:
    headers = {"X-RateLimit-Limit": "100, 100;w=1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    network.post(f"{API}/pins", status=429, json={"code": 8, "message": "slow down"}, headers=headers)
    now = dt.datetime.now(dt.UTC)
    with pytest.raises(RateLimited) as limited:
        publish(account, pin_of("Hi"))
    assert abs((limited.value.retry_at - now).total_seconds() - wait_s) < 2


@pytest.mark.parametrize(
    ("sent", "reasons"),
    [
        (pin_of("a" * 800, title="t" * 100, link="https://example.com/" + "l" * 2028), []),
        (pin_of("a" * 801), [RejectReason.TEXT_TOO_LONG]),
        (pin_of("", title="t" * 101), [RejectReason.SETTING_INVALID]),
        (pin_of("", link="https://example.com/" + "l" * 2029), [RejectReason.SETTING_INVALID]),
        (pin_of("", media=(image("a" * 500),) * 5), []),
        (pin_of("", media=(image(),) * 6), [RejectReason.TOO_MANY_MEDIA]),
        (pin_of("", media=(image("a" * 501),)), [RejectReason.ALT_TEXT_TOO_LONG]),
        (pin_of("", media=(image(mime_type="image/webp"),)), [RejectReason.MEDIA_TYPE]),
        (pin_of("", media=(film(duration_s=3.9),)), [RejectReason.VIDEO_TOO_SHORT]),
    ],
)
def test_limits_are_kept_at_their_edges(sent: PostPayload, reasons: list[RejectReason]) -> None:
    assert [problem.reason for problem in check_payload(sent, INFO)] == reasons


# --- reading back -----------------------------------------------------------------------------


def test_a_pin_is_read_back(
    network: responses.RequestsMock, account: PinterestConnector, schema: Check
) -> None:
    pin = remote("813", NOW, media={"media_type": "multiple_images", "items": [{}, {}]})
    assert schema(pin, "Pin") == []
    network.get(f"{API}/pins/813", json=pin)
    read = account.fetch_post("813")
    assert read is not None
    assert (read.text, read.media_count, read.created_at) == ("Flat white", 2, NOW)
    assert read.permalink == "https://www.pinterest.com/pin/813/"
    network.upsert("GET", f"{API}/pins/813", json=remote("813", NOW, description=None, media=None))
    read = account.fetch_post("813")
    assert read is not None
    assert (read.text, read.media_count) == ("", 0)
    network.upsert("GET", f"{API}/pins/813", status=404, json={"code": 50, "message": "Pin not found."})
    assert account.fetch_post("813") is None


def test_what_became_of_a_pin_is_looked_up_on_its_board_by_title(
    network: responses.RequestsMock, account: PinterestConnector
) -> None:
    pins = [
        remote("3", NOW + dt.timedelta(minutes=3), title="Another menu"),
        remote("2", NOW + dt.timedelta(minutes=2), title="Ｍenu "),
        remote("1", NOW - dt.timedelta(minutes=1)),
    ]
    network.get(f"{API}/boards/{BOARD}/pins", json={"items": pins, "bookmark": "b"})
    found = account.find_sent(pin_of("Flat white", title="Menu"), since=NOW)
    assert [post.remote_id for post in found] == ["2"]
    assert len(network.calls) == 1  # the page ends with an older one, and was in order
    assert query_of(network.calls[0])["page_size"] == str(PER_CALL)


@pytest.mark.parametrize(
    ("words", "title", "is_ours"),
    [("Flat white", "Menu", True), ("Flat white", "", True), ("", "", False), ("", "Menu", True)],
)
def test_a_pin_without_a_title_may_have_been_given_one(
    network: responses.RequestsMock, account: PinterestConnector, words: str, title: str, is_ours: bool
) -> None:
    network.get(f"{API}/boards/{BOARD}/pins", json={"items": [remote("1", NOW)], "bookmark": None})
    network.get(f"{API}/pins", json={"items": [], "bookmark": None})
    assert bool(account.find_sent(pin_of(words, title=title), since=NOW)) is is_ours


@pytest.mark.parametrize(
    ("media", "count"),
    [
        (None, 0),
        ({"media_type": "multiple_images"}, 0),
        ({"media_type": "multiple_images", "items": [{}, {}, {}]}, 3),
        ({"media_type": "video"}, 1),
    ],
    ids=str,
)
def test_how_many_images_a_pin_has_is_known_or_not(
    network: responses.RequestsMock, account: PinterestConnector, media: Any, count: int
) -> None:
    network.get(f"{API}/pins/1", json=remote("1", NOW, media=media))
    read = account.fetch_post("1")
    assert read is not None
    assert read.media_count == count


def test_what_is_not_on_its_board_is_looked_up_among_all_pins(
    network: responses.RequestsMock, account: PinterestConnector
) -> None:
    network.get(f"{API}/boards/{BOARD}/pins", json={"items": [], "bookmark": None})
    pin = remote("2", NOW + dt.timedelta(minutes=2))
    network.get(f"{API}/pins", json={"items": [pin], "bookmark": None})
    assert [post.remote_id for post in account.find_sent(pin_of("x", title="Menu"), since=NOW)] == ["2"]
    assert list(account.find_sent(pin_of("x", title="Drinks"), since=NOW)) == []


def test_a_list_that_is_in_no_order_proves_nothing(
    network: responses.RequestsMock, account: PinterestConnector
) -> None:
    """Pins that were arranged by hand: one that is not on the pages that were read may be on another."""
    older = [remote(str(n), NOW - dt.timedelta(days=9 - n)) for n in range(3)]
    for path in (f"/boards/{BOARD}/pins", "/pins"):
        for n in range(9):
            network.get(f"{API}{path}", json={"items": older, "bookmark": f"b{n}"})
    with pytest.raises(Temporary):
        account.find_sent(pin_of("x", title="Menu"), since=NOW)


@pytest.mark.parametrize("words", ["x", "Something else"])
def test_another_pin_of_the_same_title_is_no_proof(
    network: responses.RequestsMock, account: PinterestConnector, words: str
) -> None:
    other = remote("7", NOW, title="Menu", description="Something else")
    older = [remote(str(n), NOW - dt.timedelta(days=9 - n)) for n in range(3)]
    for path in (f"/boards/{BOARD}/pins", "/pins"):
        for n in range(9):
            network.get(f"{API}{path}", json={"items": [*older, other], "bookmark": f"b{n}"})
    with pytest.raises(NotAllListed) as partly:
        account.find_sent(pin_of(words, title="Menu"), since=NOW)
    assert {post.remote_id for post in partly.value.posts} == {"7"}


def test_own_pins_come_newest_first(network: responses.RequestsMock, account: PinterestConnector) -> None:
    first = [remote("1", NOW + dt.timedelta(minutes=1))]
    second = [remote("2", NOW + dt.timedelta(minutes=2)), remote("0", NOW - dt.timedelta(days=1))]
    network.get(f"{API}/pins", json={"items": first, "bookmark": "b"})
    network.get(f"{API}/pins", json={"items": second, "bookmark": None})
    assert [post.remote_id for post in account.find_recent(since=NOW)] == ["2", "1"]


@pytest.mark.parametrize("answer", [{"items": "x"}, {"items": [{"id": "1"}]}, {"items": [{"created_at": 1}]}])
def test_a_list_of_anything_else_is_a_fault_of_the_server(
    network: responses.RequestsMock, account: PinterestConnector, answer: dict[str, Any]
) -> None:
    network.get(f"{API}/pins", json=answer)
    with pytest.raises(Temporary):
        account.find_recent(since=NOW)


# --- metrics ----------------------------------------------------------------------------------


def test_counts_of_the_account(network: responses.RequestsMock, account: PinterestConnector) -> None:
    network.get(f"{API}/user_account", json=ACCOUNT)
    counts = account.fetch_account_metrics()
    assert (counts.followers, counts.following, counts.posts) == (10, 4, 339)


def test_counts_of_a_pin_are_those_of_its_whole_life(
    network: responses.RequestsMock, account: PinterestConnector
) -> None:
    life = {"pin_click": 7, "impression": 20, "clickthrough": 3, "reaction": 10, "comment": 2, "save": 5}
    told = remote("813", NOW, pin_metrics={"90d": {"impression": 1}, "lifetime_metrics": life})
    network.get(f"{API}/pins/813", json=told)
    network.get(f"{API}/pins/814", status=404, json={"code": 50, "message": "Pin not found."})
    found = account.fetch_post_metrics(["813", "814"])
    assert list(found) == ["813"]
    counts = found["813"]
    assert (counts.impressions, counts.bookmarks, counts.clicks) == (20, 5, 10)
    assert (counts.likes, counts.comments) == (10, 2)
    assert query_of(network.calls[0]) == {"pin_metrics": "true"}


def test_saves_that_are_not_told_are_read_from_the_analytics(
    network: responses.RequestsMock, account: PinterestConnector
) -> None:
    made = dt.datetime.now(dt.UTC) - dt.timedelta(days=3)
    network.get(f"{API}/pins/813", json=remote("813", made, pin_metrics={"lifetime_metrics": {}}))
    summary = {"all": {"summary_metrics": {"SAVE": 4}, "daily_metrics": []}}
    network.get(f"{API}/pins/813/analytics", json=summary)
    assert account.fetch_post_metrics(["813"])["813"].bookmarks == 4
    query = query_of(network.calls[-1])
    assert query["metric_types"] == "SAVE"
    assert query["start_date"] == made.date().isoformat()


@pytest.mark.parametrize(
    ("days", "answer"), [(100, {}), (3, {"all": None}), (3, {}), (3, {"all": {"summary_metrics": []}})]
)
def test_what_is_not_told_is_not_known(
    network: responses.RequestsMock, account: PinterestConnector, days: int, answer: dict[str, Any]
) -> None:
    made = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    network.get(f"{API}/pins/813", json=remote("813", made, pin_metrics=None))
    network.get(f"{API}/pins/813/analytics", json=answer)
    counts = account.fetch_post_metrics(["813"])["813"]
    assert (counts.bookmarks, counts.clicks, counts.impressions) == (None, None, None)
    assert len(network.calls) == (1 if days == 100 else 2)


# --- answers of any shape ---------------------------------------------------------------------

FILM = pin_of("Waves", media=(film(),))
PINS = {"items": [remote("1", NOW)], "bookmark": None}
REGISTERED = {"media_id": "1", "upload_url": STORAGE, "upload_parameters": UPLOAD_PARAMETERS}
USUAL: dict[str, Any] = {
    "/oauth/token": {"access_token": "a", "refresh_token": "b", "expires_in": 5, "scope": "pins:read"},
    "/user_account": ACCOUNT,
    "/boards/": PINS,
    "/boards": {"items": [{"id": "1", "name": "n"}], "bookmark": "b"},
    "/analytics": {"all": {"summary_metrics": {"SAVE": 1}}},
    "/media/": {"media_id": "1", "status": "processing"},
    "/media": REGISTERED,
    "/pins/": remote("1", NOW, pin_metrics={"lifetime_metrics": {"impression": 3}}),
    "/pins?": PINS,
    "/pins": remote("1", NOW),
}
ACTS: dict[str, Callable[[PinterestConnector], object]] = {
    "exchange": lambda c: c.exchange_code(app=APP, code="c", code_verifier="", redirect_uri="r"),
    "refresh": lambda c: c.refresh(tokens=Tokens("a", "b"), options={}, app=APP),
    "profile": lambda c: c.fetch_profile(),
    "boards": lambda c: c.fetch_choices(),
    "publish": lambda c: publish(c, pin_of("Hi")),
    "upload": lambda c: c.send_step(c.plan(FILM)[0], FILM, {}),
    "check": lambda c: c.check(c.plan(FILM)[0], {}, StepResult(remote_id="1")),
    "recent": lambda c: c.find_recent(since=NOW),
    "sent": lambda c: c.find_sent(pin_of("Hi"), since=NOW),
    "post": lambda c: c.fetch_post("1"),
    "account": lambda c: c.fetch_account_metrics(),
    "counts": lambda c: c.fetch_post_metrics(["1"]),
}


@pytest.mark.parametrize("act", ACTS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(odd=ODD, chance=st.randoms(use_true_random=False))
def test_an_answer_of_any_shape_is_one_of_the_five_errors_at_most(
    account: PinterestConnector, act: str, odd: Any, chance: Any
) -> None:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        path = str(request.url).removeprefix(API)
        usual = next((value for name, value in USUAL.items() if name in path), None)
        return 200, {}, json.dumps(with_odd(usual, odd, chance))

    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        for method in ("GET", "POST"):
            network.add_callback(method, re.compile(".*"), callback=answer)
        with contextlib.suppress(ConnectorError):
            ACTS[act](account)
