"""Facebook's connector on canned answers, shaped after its documents, its requests held against Meta's own
description of the API."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import hmac
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
import responses

from connectors.base import (
    AppCredentials,
    Capability,
    InboxKind,
    MediaItem,
    MessageTarget,
    Moderation,
    ModerationAction,
    PostPart,
    PostPayload,
    ReplyTarget,
    RetrySafety,
    Step,
    StepResult,
    StepState,
    Tokens,
    WebhookKind,
)
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.facebook import FacebookConnector
from connectors.facebook_info import INFO
from connectors.text import check_payload
from tests.connectors.conftest import NOW, SPECS
from tests.connectors.meta_specs import MetaSpecs

PAGE = "1001"
API = "https://graph.facebook.com/v25.0"
VIDEO_API = "https://graph-video.facebook.com/v25.0"
UPLOADS = "https://rupload.facebook.com/video-upload/v25.0"
SECRET = "app-secret-app-secret"
TOKEN = "EAtoken-of-the-page"
APP = AppCredentials("123", SECRET)
UUID = "0192c1b0-0000-7000-8000-000000000001"
REDIRECT = "https://smm.example.com/callback"
ROUTES = {
    rf"/{PAGE}": "Page",
    rf"/{PAGE}/(\w+)": "Page",
    rf"/{PAGE}_\d+": "PagePost",
    rf"/{PAGE}_\d+/(\w+)": "PagePost",
    r"/2002_\d+": "Comment",
    r"/2002_\d+/(\w+)": "Comment",
    r"/77\d*": "AdVideo",
    r"/(?!\d)[\w.]+": "Page",
}
GONE = {"error": {"code": 100, "error_subcode": 33, "message": "Object does not exist"}}


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def page() -> FacebookConnector:
    options = {"page_id": PAGE, "name": "Harbour Coffee"}
    return FacebookConnector(tokens=Tokens(access_token=TOKEN), options=options, app=APP)


def hold_against_specs(network: responses.RequestsMock) -> None:
    folder = SPECS / "meta"
    if not folder.is_dir():
        pytest.skip("NETWORK_SPECS has no meta: requests are not held against the description")
    sent = [call.request for call in network.calls if "video-upload" not in str(call.request.url)]
    assert MetaSpecs(folder, ROUTES).faults(sent) == []


def photo(alt_text: str = "A harbour") -> MediaItem:
    return MediaItem("one", "image/jpeg", 9, 1080, 1080, alt_text, lambda: io.BytesIO(b"jpegjpeg"))


def film(**more: Any) -> MediaItem:
    made = MediaItem("film", "video/mp4", 10, 1920, 1080, "", lambda: io.BytesIO(b"0123456789"), 200.0, 30.0)
    return dataclasses.replace(made, **more)


def upright(**more: Any) -> MediaItem:
    return film(**{"width": 1080, "height": 1920, "duration_s": 20.0, **more})


def post(*media: MediaItem, text: str = "Hello", comment: str = "", **settings: Any) -> PostPayload:
    parts = (PostPart(text, media), *((PostPart(comment, is_comment=True),) if comment else ()))
    return PostPayload(parts, settings=settings)


def form_of(call: Any) -> dict[str, str]:
    """Without the proof, which stands in every form."""
    form = dict(parse_qsl(str(call.request.body), keep_blank_values=True))
    form.pop("appsecret_proof", None)
    return form


def multipart_of(call: Any) -> dict[str, bytes]:
    body = call.request.body if isinstance(call.request.body, bytes) else call.request.body.read()
    found = re.findall(
        rb'name="(\w+)"(?:; filename="[^"]*"\r\nContent-Type: [\w/-]+)?\r\n\r\n(.*?)\r\n--', body, re.DOTALL
    )
    return {name.decode(): value for name, value in found}


def query_of(call: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(str(call.request.url)).query))


def step_of(client: FacebookConnector, sent: PostPayload, key: str) -> Step:
    return next(step for step in client.plan(sent) if step.key == key)


def send(
    client: FacebookConnector, sent: PostPayload, key: str, done: dict[str, StepResult] | None = None
) -> StepResult:
    step = step_of(client, sent, key)
    return client.send_step(step, sent, client.prepare_step(step, sent, done or {}, key=UUID, now=NOW))


def intent_of(
    client: FacebookConnector, sent: PostPayload, key: str, **done: StepResult
) -> tuple[Step, dict[str, Any]]:
    step = step_of(client, sent, key)
    left = {name.replace("_", "."): result for name, result in done.items()}
    return step, client.prepare_step(step, sent, left, key=UUID, now=NOW)


# --- connecting -------------------------------------------------------------------------------


def test_the_sign_in_asks_for_what_was_chosen() -> None:
    asked = FacebookConnector.authorize_url(
        app=APP, redirect_uri=REDIRECT, state="s", scopes=("pages_show_list", "pages_manage_posts")
    )
    query = parse_qs(urlsplit(asked.url).query)
    assert asked.url.startswith("https://www.facebook.com/v25.0/dialog/oauth?")
    assert query == {
        "client_id": ["123"],
        "redirect_uri": [REDIRECT],
        "state": ["s"],
        "response_type": ["code"],
        "scope": ["pages_show_list,pages_manage_posts"],
    }


def test_every_page_of_a_person_is_an_account_with_a_token_of_its_own(
    network: responses.RequestsMock,
) -> None:
    network.get(f"{API}/oauth/access_token", json={"access_token": "short"})
    network.get(f"{API}/oauth/access_token", json={"access_token": "long-of-the-person"})
    network.get(f"{API}/me", json={"id": "7"})
    rows = [
        {"permission": "pages_show_list", "status": "granted"},
        {"permission": "email", "status": "granted"},
    ]
    network.get(f"{API}/me/permissions", json={"data": rows})
    following = {"next": f"{API}/me/accounts?access_token=long-of-the-person&after=two"}
    first = {"id": PAGE, "name": "Harbour Coffee", "username": "harbour", "access_token": "of-one"}
    network.get(f"{API}/me/accounts", json={"data": [first], "paging": following})
    network.get(f"{API}/me/accounts", json={"data": [{"id": "1002", "access_token": "of-two"}, {"id": "3"}]})
    one, two = FacebookConnector.exchange_accounts(app=APP, code="c", code_verifier="", redirect_uri=REDIRECT)
    assert (one.profile.remote_id, one.profile.handle, one.tokens.access_token) == (PAGE, "harbour", "of-one")
    assert (two.profile.remote_id, two.tokens.access_token) == ("1002", "of-two")
    assert one.options == {
        "page_id": PAGE,
        "person_id": "7",
        "name": "Harbour Coffee",
        "scopes": ["pages_show_list"],
    }
    assert one.tokens.expires_at is None
    assert query_of(network.calls[1])["fb_exchange_token"] == "short"
    proof = hmac.new(SECRET.encode(), b"long-of-the-person", hashlib.sha256).hexdigest()
    assert query_of(network.calls[2])["appsecret_proof"] == proof
    assert not FacebookConnector.info_for(one.options).can(Capability.REPLY)


def test_nobody_without_a_page_is_connected(network: responses.RequestsMock) -> None:
    network.get(f"{API}/oauth/access_token", json={"access_token": "short"})
    network.get(f"{API}/me", json={"id": "7"})
    network.get(f"{API}/me/permissions", json={"data": []})
    network.get(f"{API}/me/accounts", json={"data": []})
    with pytest.raises(Rejected) as refused:
        FacebookConnector.exchange_accounts(app=APP, code="c", code_verifier="", redirect_uri=REDIRECT)
    assert refused.value.reason is RejectReason.NOT_FOUND


def test_a_code_that_is_refused_tells_no_secret(network: responses.RequestsMock) -> None:
    said = {"error": {"code": 100, "message": f"This code c0de-c0de has been used, {SECRET}"}}
    network.get(f"{API}/oauth/access_token", status=400, json=said)
    with pytest.raises(Rejected) as refused:
        FacebookConnector.exchange_accounts(
            app=APP, code="c0de-c0de", code_verifier="", redirect_uri=REDIRECT
        )
    assert refused.value.reason is RejectReason.INVALID
    assert "c0de-c0de" not in refused.value.detail
    assert SECRET not in refused.value.detail
    with pytest.raises(NeedsReconnect):
        FacebookConnector.refresh(tokens=Tokens(access_token="x"), options={}, app=APP)


def test_what_was_not_allowed_cannot_be_done() -> None:
    info = FacebookConnector.info_for({"scopes": ["pages_show_list", "pages_messaging"]})
    assert info.can(Capability.SEND_MESSAGE)
    assert not info.can(Capability.INBOX_COMMENTS)
    assert not info.can(Capability.FIRST_COMMENT)
    assert info.post_metrics == ("likes", "comments", "shares")
    assert FacebookConnector.info_for({}).post_metrics == INFO.post_metrics


# --- posts and photos -------------------------------------------------------------------------


def test_a_post_is_made_unpublished_and_then_published(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    sent = post(text="See https://example.com/x and more", comment="#coffee")
    assert [step.key for step in page.plan(sent)] == ["part0.container", "part0.publish", "part1.publish"]
    network.post(f"{API}/{PAGE}/feed", json={"id": "1001_2002"})
    network.post(f"{API}/1001_2002", json={"success": True})
    network.post(f"{API}/1001_2002/comments", json={"id": "2002_3003"})
    done = {"part0.container": send(page, sent, "part0.container")}
    done["part0.publish"] = send(page, sent, "part0.publish", done)
    assert done["part0.publish"] == StepResult(
        remote_id="1001_2002", permalink="https://www.facebook.com/1001_2002"
    )
    assert send(page, sent, "part1.publish", done).remote_id == "2002_3003"
    assert [form_of(call) for call in network.calls] == [
        {
            "message": "See https://example.com/x and more",
            "published": "false",
            "link": "https://example.com/x",
        },
        {"is_published": "true"},
        {"message": "#coffee"},
    ]
    assert {call.request.headers["Authorization"] for call in network.calls} == {f"Bearer {TOKEN}"}
    hold_against_specs(network)


def test_photos_are_uploaded_unpublished_and_attached(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    sent = post(photo(), photo(""), text="See https://example.com/x")
    for number in ("31", "32"):
        network.post(f"{API}/{PAGE}/photos", json={"id": number})
    network.post(f"{API}/{PAGE}/feed", json={"id": "1001_2002"})
    done = {key: send(page, sent, key) for key in ("part0.media0", "part0.media1")}
    send(page, sent, "part0.container", done)
    first, second = (multipart_of(call) for call in list(network.calls)[:2])
    assert first["source"] == b"jpegjpeg"
    assert first["published"] == b"false"
    assert first["alt_text_custom"] == b"A harbour"
    assert "alt_text_custom" not in second
    assert form_of(network.calls[2]) == {
        "message": "See https://example.com/x",
        "published": "false",
        "attached_media": '[{"media_fbid":"31"},{"media_fbid":"32"}]',
    }
    hold_against_specs(network)


def test_limits_at_their_edges() -> None:
    assert check_payload(post(text="あ" * 63_206), INFO) == []
    assert [one.reason for one in check_payload(post(text="あ" * 63_207), INFO)] == [
        RejectReason.TEXT_TOO_LONG
    ]
    assert check_payload(post(*[photo()] * 10), INFO) == []
    assert [one.reason for one in check_payload(post(*[photo()] * 11), INFO)] == [RejectReason.TOO_MANY_MEDIA]
    message = MessageTarget("900")
    assert check_payload(PostPayload((PostPart("x" * 2000),), message_to=message), INFO) == []
    assert check_payload(PostPayload((PostPart("x" * 2001),), message_to=message), INFO)


def test_a_publication_is_repeated_without_harm(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    step, intent = intent_of(page, post(), "part0.publish", part0_container=StepResult(remote_id="1001_2002"))
    assert page.safety_of(intent, NOW) is RetrySafety.IDEMPOTENT
    network.post(f"{API}/1001_2002", status=400, json={"error": {"code": 100, "message": "no"}})
    network.get(f"{API}/1001_2002", json={"id": "1001_2002", "is_published": True})
    assert page.send_step(step, post(), intent).remote_id == "1001_2002"
    network.upsert("GET", f"{API}/1001_2002", json={"id": "1001_2002", "is_published": False})
    with pytest.raises(Rejected):
        page.send_step(step, post(), intent)
    network.upsert("POST", f"{API}/1001_2002", json={"success": False})
    with pytest.raises(OutcomeUnknown):
        page.send_step(step, post(), intent)
    hold_against_specs(network)


@pytest.mark.parametrize(
    ("code", "subcode", "kind", "reason"),
    [
        (506, None, Rejected, RejectReason.DUPLICATE),
        (100, 1609005, Rejected, RejectReason.INVALID),
        (200, None, Rejected, RejectReason.FORBIDDEN),
        (190, 460, NeedsReconnect, None),
        (2, None, Temporary, None),
    ],
)
def test_what_facebook_says_to_a_post_decides_what_comes_next(
    network: responses.RequestsMock,
    page: FacebookConnector,
    code: int,
    subcode: int | None,
    kind: type[ConnectorError],
    reason: RejectReason | None,
) -> None:
    error = {"code": code, "error_subcode": subcode, "message": "no"}
    network.post(f"{API}/{PAGE}/feed", status=400, json={"error": error})
    with pytest.raises(kind) as raised:
        send(page, post(), "part0.container")
    assert getattr(raised.value, "reason", None) is reason


# --- videos, Reels, stories -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "keys", "way"),
    [
        (film(), ["part0.media0", "part0.publish"], "video"),
        (upright(), ["part0.media0", "part0.publish"], "reel"),
        (upright(duration_s=90.0), ["part0.media0", "part0.publish"], "reel"),
        (upright(duration_s=3.0), ["part0.media0", "part0.publish"], "reel"),
        (upright(duration_s=90.1), ["part0.media0", "part0.publish"], "video"),
        (upright(duration_s=2.9), ["part0.media0", "part0.publish"], "video"),
        (upright(width=360, height=640), ["part0.media0", "part0.publish"], "video"),
        (upright(width=1080, height=1350), ["part0.media0", "part0.publish"], "video"),
    ],
)
def test_upright_videos_of_three_to_ninety_seconds_are_reels(
    page: FacebookConnector, item: MediaItem, keys: list[str], way: str
) -> None:
    sent = post(item)
    assert [step.key for step in page.plan(sent)] == keys
    _step, intent = intent_of(page, sent, "part0.publish", part0_media0=StepResult(remote_id="77"))
    asked_at = {"asked_at": NOW.isoformat()} if way == "reel" else {}
    assert intent == {"do": way, "video": "77", "text": "Hello", **asked_at}


def test_a_video_is_sent_in_the_pieces_that_facebook_asks_for(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    videos = f"{VIDEO_API}/{PAGE}/videos"
    begun = {"upload_session_id": "5", "video_id": "77", "start_offset": "0", "end_offset": "6"}
    network.post(videos, json=begun)
    network.post(videos, json={"start_offset": "6", "end_offset": "10"})
    network.post(videos, json={"start_offset": "10", "end_offset": "10"})
    network.post(videos, json={"success": True})
    result = send(page, post(film()), "part0.media0")
    assert (result.state, result.remote_id) == (StepState.PROCESSING, "77")
    begin, one, two, finish = network.calls
    assert form_of(begin) == {"upload_phase": "start", "file_size": "10"}
    assert [multipart_of(call)["video_file_chunk"] for call in (one, two)] == [b"012345", b"6789"]
    assert [multipart_of(call)["start_offset"] for call in (one, two)] == [b"0", b"6"]
    assert form_of(finish) == {"upload_phase": "finish", "upload_session_id": "5", "published": "false"}
    hold_against_specs(network)


def test_an_upload_that_does_not_go_on_is_given_up(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    begun = {"upload_session_id": "5", "video_id": "77", "start_offset": "0", "end_offset": "6"}
    network.post(f"{VIDEO_API}/{PAGE}/videos", json=begun)
    with pytest.raises(Temporary):
        send(page, post(film()), "part0.media0")
    network.upsert("POST", f"{VIDEO_API}/{PAGE}/videos", json={**begun, "end_offset": "x"})
    with pytest.raises(Temporary):
        send(page, post(film()), "part0.media0")


def test_a_video_is_asked_about_until_it_is_ready(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    step, intent = intent_of(page, post(film()), "part0.media0")
    sent = StepResult(StepState.PROCESSING, "77", retry_after_s=5.0)
    assert page.check(step, intent, None) is None
    network.get(f"{API}/77", json={"status": {"video_status": "processing"}})
    assert page.check(step, intent, sent) == sent
    network.upsert("GET", f"{API}/77", json={"status": {"video_status": "ready"}})
    assert page.check(step, intent, sent) == StepResult(remote_id="77")
    network.upsert("GET", f"{API}/77", json={"status": {"video_status": "expired"}})
    assert page.check(step, intent, sent) is None
    for status in (
        {"video_status": "error"},
        {"processing_phase": {"status": "error", "errors": [{"message": "bad codec"}]}},
        {"processing_phase": {"status": "error", "error": {"message": "bad codec"}}},
    ):
        network.upsert("GET", f"{API}/77", json={"status": status})
        with pytest.raises(Rejected) as refused:
            page.check(step, intent, sent)
        assert refused.value.reason is RejectReason.MEDIA_BROKEN
    network.upsert("GET", f"{API}/77", json={"id": "77"})
    with pytest.raises(Temporary):
        page.check(step, intent, sent)
    hold_against_specs(network)


def test_a_video_is_published_with_its_words_and_goes_by_its_post(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    step, intent = intent_of(page, post(film()), "part0.publish", part0_media0=StepResult(remote_id="77"))
    assert page.safety_of(intent, NOW) is RetrySafety.IDEMPOTENT
    network.post(f"{API}/77", json={"success": True})
    network.get(f"{API}/77", json={"post_id": "2002", "permalink_url": "/harbour/videos/77/"})
    assert page.send_step(step, post(film()), intent) == StepResult(
        remote_id="1001_2002", permalink="https://www.facebook.com/harbour/videos/77/"
    )
    assert form_of(network.calls[0]) == {"published": "true", "description": "Hello"}
    hold_against_specs(network)
    # Reading that fails does not make the publication fail.
    network.upsert("GET", f"{API}/77", body=requests.ReadTimeout())
    assert page.send_step(step, post(film()), intent).remote_id == "77"


def test_a_reel_is_uploaded_finished_and_asked_about(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    sent = post(upright())
    begun = {"video_id": "77", "upload_url": "https://evil.example.com/video-upload/v26.0/77"}
    network.post(f"{API}/{PAGE}/video_reels", json=begun)
    upload = "https://rupload.facebook.com/video-upload/v26.0/77"
    network.post(upload, json={"success": True})
    network.post(f"{API}/{PAGE}/video_reels", json={"success": True})
    done = {"part0.media0": send(page, sent, "part0.media0")}
    assert done["part0.media0"] == StepResult(remote_id="77")
    headers = network.calls[1].request.headers
    assert headers["Authorization"] == f"OAuth {TOKEN}"
    assert (headers["offset"], headers["file_size"]) == ("0", "10")
    step, intent = intent_of(page, sent, "part0.publish", part0_media0=done["part0.media0"])
    assert page.safety_of(intent, NOW) is RetrySafety.TWO_PHASE
    result = page.send_step(step, sent, intent)
    assert (result.state, result.remote_id) == (StepState.PROCESSING, "77")
    assert form_of(network.calls[2]) == {
        "upload_phase": "finish",
        "video_id": "77",
        "video_state": "PUBLISHED",
        "description": "Hello",
    }

    def state_is(**phases: str) -> None:
        status = {f"{name}_phase": {"status": value} for name, value in phases.items()}
        network.upsert("GET", f"{API}/77", json={"status": status, "post_id": "2002"})

    state_is(uploading="complete", processing="in_progress", publishing="not_started")
    assert page.check(step, intent, None) is None  # not begun: sent again, the same upload makes one Reel
    checked = page.check(step, intent, result)
    assert checked is not None
    assert checked.state is StepState.PROCESSING
    state_is(processing="complete", publishing="in_progress")
    checked = page.check(step, intent, None)
    assert checked is not None
    assert checked.state is StepState.PROCESSING
    state_is(processing="complete", publishing="complete")
    checked = page.check(step, intent, None)
    assert checked is not None
    assert (checked.state, checked.remote_id) == (StepState.DONE, "1001_2002")
    state_is(processing="complete", publishing="error")
    with pytest.raises(Rejected):
        page.check(step, intent, result)
    hold_against_specs(network)


def test_a_refusal_of_a_reel_that_is_out_is_no_refusal(
    network: responses.RequestsMock, page: FacebookConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, intent = intent_of(page, post(upright()), "part0.publish", part0_media0=StepResult(remote_id="77"))
    network.post(f"{API}/{PAGE}/video_reels", status=400, json={"error": {"code": 6000}})
    network.get(f"{API}/77", json={"status": {"publishing_phase": {"status": "complete"}}, "post_id": "2002"})
    assert page.send_step(step, post(upright()), intent).remote_id == "1001_2002"
    for late_s, state, error in (
        (0, "not_started", Rejected),
        (2, "not_started", OutcomeUnknown),  # it repeats one whose outcome is not known
        (0, "in_progress", OutcomeUnknown),
        (0, "complete", OutcomeUnknown),
        (0, "error", Rejected),
    ):
        at = NOW + dt.timedelta(seconds=late_s)
        monkeypatch.setattr("connectors.meta.clock_now", lambda at=at: at)
        status = {"processing_phase": {"status": state}, "publishing_phase": {"status": "not_started"}}
        network.upsert("GET", f"{API}/77", json={"status": status})
        with pytest.raises(error):
            page.send_step(step, post(upright()), intent)


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (400, {"debug_info": {"retriable": True, "type": "ProcessingFailedError"}}, Temporary),
        (400, {"debug_info": {"retriable": False, "type": "ProcessingFailedError"}}, Rejected),
        (200, {"success": False}, Temporary),
        (500, {}, Temporary),
    ],
)
def test_an_upload_that_was_not_taken(
    network: responses.RequestsMock,
    page: FacebookConnector,
    status: int,
    answer: dict[str, Any],
    kind: type[ConnectorError],
) -> None:
    network.post(f"{API}/{PAGE}/video_reels", json={"video_id": "77", "upload_url": "nonsense"})
    network.post(f"{UPLOADS}/77", status=status, json=answer)
    with pytest.raises(kind):
        send(page, post(upright()), "part0.media0")


def test_stories_of_a_photo_and_of_a_video(network: responses.RequestsMock, page: FacebookConnector) -> None:
    sent = post(photo(), placement="story")
    assert [step.key for step in page.plan(sent)] == ["part0.media0", "part0.publish"]
    network.post(f"{API}/{PAGE}/photos", json={"id": "31"})
    network.post(f"{API}/{PAGE}/photo_stories", json={"success": True, "post_id": "4004"})
    done = {"part0.media0": send(page, sent, "part0.media0")}
    assert send(page, sent, "part0.publish", done) == StepResult(remote_id="4004")
    assert form_of(network.calls[1]) == {"photo_id": "31"}
    sent = post(upright(), placement="story")
    network.post(f"{API}/{PAGE}/video_stories", json={"video_id": "77"})
    network.post(f"{UPLOADS}/77", json={"success": True})
    network.post(f"{API}/{PAGE}/video_stories", json={"success": True, "post_id": "4005"})
    done = {"part0.media0": send(page, sent, "part0.media0")}
    assert send(page, sent, "part0.publish", done) == StepResult(remote_id="4005")
    assert form_of(network.calls[4]) == {
        "upload_phase": "finish",
        "video_id": "77",
        "video_state": "PUBLISHED",
    }
    hold_against_specs(network)


def test_a_story_of_which_nothing_is_known_is_looked_for(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    sent = post(photo(), placement="story")
    step, intent = intent_of(page, sent, "part0.publish", part0_media0=StepResult(remote_id="31"))
    assert page.safety_of(intent, NOW) is RetrySafety.TWO_PHASE
    story = {
        "post_id": "4004",
        "media_id": "31",
        "creation_time": "1795348800",
        "url": "https://facebook.com/s",
    }
    network.get(f"{API}/{PAGE}/stories", json={"data": [{"media_id": "31"}, story]})
    assert page.check(step, intent, None) == StepResult(remote_id="4004", permalink="https://facebook.com/s")
    network.upsert("GET", f"{API}/{PAGE}/stories", json={"data": []})
    with pytest.raises(Temporary):
        page.check(step, intent, None)
    hold_against_specs(network)


@pytest.mark.parametrize(
    ("sent", "key", "reason"),
    [
        (post(photo(), photo(), placement="story"), "part0.media0", RejectReason.TOO_MANY_MEDIA),
        (post(upright(duration_s=60.5), placement="story"), "part0.media0", RejectReason.VIDEO_TOO_LONG),
        (post(photo(), placement="story", comment="first"), "part0.media0", RejectReason.NOT_SUPPORTED),
        (post(placement="story"), "part0.publish", RejectReason.MEDIA_MISSING),
    ],
)
def test_what_facebook_would_refuse_of_a_story_is_not_sent(
    network: responses.RequestsMock,
    page: FacebookConnector,
    sent: PostPayload,
    key: str,
    reason: RejectReason,
) -> None:
    with pytest.raises(Rejected) as refused:
        send(page, sent, key)
    assert refused.value.reason is reason
    assert not network.calls


# --- reading back -----------------------------------------------------------------------------


def stamp(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def shown(number: str, text: str, at: dt.datetime, **more: Any) -> dict[str, Any]:
    return {"id": number, "message": text, "created_time": stamp(at), **more}


def test_a_post_is_read_or_gone_or_not_public(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    several = {"data": [{"media_type": "album", "subattachments": {"data": [{}, {}]}}]}
    link = "https://www.facebook.com/harbour/posts/1"
    public = shown("1001_2002", "Hello", NOW, attachments=several, permalink_url=link, is_published=True)
    network.get(f"{API}/1001_2002", json=public)
    read = page.fetch_post("1001_2002")
    assert read is not None
    assert (read.text, read.media_count, read.permalink, read.created_at) == ("Hello", 2, link, NOW)
    network.upsert("GET", f"{API}/1001_2002", json={**public, "is_published": False})
    assert page.fetch_post("1001_2002") is None
    network.upsert("GET", f"{API}/1001_2002", status=400, json=GONE)
    assert page.fetch_post("1001_2002") is None
    network.get(f"{API}/77", json={"id": "77", "description": "Hi", "created_time": stamp(NOW)})
    video = page.fetch_post("77")
    assert video is not None
    assert (video.remote_id, video.text) == ("77", "Hi")
    hold_against_specs(network)


def test_a_story_is_read_from_the_list(network: responses.RequestsMock, page: FacebookConnector) -> None:
    network.get(f"{API}/4004", status=400, json={"error": {"code": 100, "message": "nonexisting field"}})
    story = {"post_id": "4004", "media_id": "31", "creation_time": 1795348800}
    network.get(f"{API}/{PAGE}/stories", json={"data": [story]})
    read = page.fetch_post("4004")
    assert read is not None
    assert (read.remote_id, read.created_at) == ("4004", NOW)
    network.get(f"{API}/4009", status=400, json=GONE)
    assert page.fetch_post("4009") is None


def comment(
    number: str, text: str, at: dt.datetime, *, author: str = "55", name: str = "Ann", **more: Any
) -> dict[str, Any]:
    who = {"id": author, "name": name}
    return {"id": number, "message": text, "created_time": stamp(at), "from": who, **more}


def test_own_posts_and_comments_are_found(network: responses.RequestsMock, page: FacebookConnector) -> None:
    below = [
        comment("2002_1", "first", NOW + dt.timedelta(minutes=1), author=PAGE),
        comment("2002_2", "first", NOW + dt.timedelta(minutes=1)),
    ]
    rows = [shown("1001_2002", "Hello", NOW, comments={"data": below})]
    network.get(f"{API}/{PAGE}/published_posts", json={"data": rows})
    found = page.find_recent(since=NOW)
    assert [(one.remote_id, one.in_reply_to) for one in found] == [("2002_1", "1001_2002"), ("1001_2002", "")]
    with_comment = post(comment="first")
    found = page.find_sent(with_comment, since=NOW)
    assert [(one.remote_id, one.in_reply_to) for one in found] == [("1001_2002", ""), ("2002_1", "")]
    with pytest.raises(Temporary):  # while the post is not listed, a comment that is not seen may be there
        page.find_sent(post(text="Other", comment="first"), since=NOW)
    hold_against_specs(network)


# --- inbox ------------------------------------------------------------------------------------


def read_all(client: FacebookConnector, since: dt.datetime) -> list[Any]:
    items: list[Any] = []
    cursor = ""
    while True:
        found = client.fetch_inbox(since=since, cursor=cursor)
        items += found.items
        cursor = found.cursor
        if not cursor:
            return items


def test_all_that_people_write_to_a_page_is_told(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    later = NOW + dt.timedelta(minutes=1)
    below = [
        comment("2002_3", "Again", later, author="56", parent={"id": "2002_1"}),
        comment("2002_2", "Thanks", later, author=PAGE, parent={"id": "2002_1"}),
        comment("2002_1", "Nice", NOW, is_hidden=True, user_likes=True, attachment={"type": "photo"}),
        {"id": "2002_4", "message": "Who am I", "created_time": stamp(NOW)},
        comment("2002_0", "Too old", NOW - dt.timedelta(days=3)),
        {"id": "2002_9"},
        None,
    ]
    rows = [shown("1001_2002", "Hello", NOW - dt.timedelta(days=1), comments={"data": below})]
    network.get(f"{API}/{PAGE}/published_posts", json={"data": rows})
    tagged = shown("900_1", "At the Harbour Coffee", NOW, **{"from": {"id": "900", "name": "Cat"}})
    network.get(f"{API}/{PAGE}/tagged", json={"data": [tagged]})
    visits = [
        shown("1001_8", "Open today?", NOW, **{"from": {"id": "901", "name": "Dora"}}),
        shown("1001_7", "Ours", NOW, **{"from": {"id": PAGE, "name": "Harbour Coffee"}}),
    ]
    network.get(f"{API}/{PAGE}/visitor_posts", json={"data": visits})
    review = {
        "created_time": stamp(NOW),
        "reviewer": {"id": "902", "name": "Eve"},
        "review_text": "Lovely",
        "recommendation_type": "positive",
        "open_graph_story": {"id": "6006"},
    }
    network.get(f"{API}/{PAGE}/ratings", json={"data": [review, {"created_time": stamp(NOW)}]})
    message = {
        "id": "m_1",
        "message": "Hi",
        "created_time": stamp(NOW),
        "from": {"id": "903", "name": "Fay"},
        "to": {"data": [{"id": PAGE}]},
    }
    talk = {
        "id": "t_1",
        "updated_time": stamp(NOW),
        "participants": {"data": [{"id": "903", "name": "Fay"}, {"id": PAGE, "name": "Harbour Coffee"}]},
        "messages": {"data": [message]},
    }
    network.get(f"{API}/{PAGE}/conversations", json={"data": [talk]})
    items = {item.remote_id: item for item in read_all(page, NOW)}
    nice, thanks, again, hidden = (items[f"2002_{n}"] for n in (1, 2, 3, 4))
    assert (nice.thread_id, nice.parent_id, nice.root_id) == ("2002_1", "1001_2002", "1001_2002")
    assert (nice.is_hidden, nice.is_liked, nice.media_count) == (True, True, 1)
    assert (thanks.is_own, thanks.thread_id, thanks.parent_id) == (True, "2002_1", "2002_1")
    assert again.detail == {"id": "2002_3", "comment": "2002_1"}
    assert hidden.author.remote_id == "author:2002_4"
    assert "2002_0" not in items
    assert (items["900_1"].kind, items["900_1"].author.display_name) == (InboxKind.MENTION, "Cat")
    assert items["1001_8"].kind is InboxKind.MENTION
    assert "1001_7" not in items
    assert (items["6006"].kind, items["6006"].text, items["6006"].author.display_name) == (
        InboxKind.REVIEW,
        "Lovely",
        "Eve",
    )
    assert (items["m_1"].kind, items["m_1"].thread_id) == (InboxKind.DM, "903")
    hold_against_specs(network)


def test_a_page_without_reviews_has_no_list_of_them(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    for edge in ("published_posts", "tagged", "visitor_posts", "conversations"):
        network.get(f"{API}/{PAGE}/{edge}", json={"data": []})
    network.get(f"{API}/{PAGE}/ratings", status=400, json={"error": {"code": 100, "message": "no reviews"}})
    assert read_all(page, NOW) == []
    forbidden = {"error": {"code": 10, "message": "no"}}
    for edge in ("tagged", "visitor_posts", "ratings", "conversations"):
        network.upsert("GET", f"{API}/{PAGE}/{edge}", status=400, json=forbidden)
    assert read_all(page, NOW) == []  # what may not be read keeps nobody from the comments
    network.upsert("GET", f"{API}/{PAGE}/published_posts", status=400, json=forbidden)
    with pytest.raises(Rejected):
        read_all(page, NOW)


def test_further_comments_of_one_post_are_read_page_by_page(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    following = {"next": f"{API}/1001_2002/comments?access_token={TOKEN}&after=more"}
    first = {"data": [comment("2002_2", "two", NOW)], "paging": following}
    network.get(
        f"{API}/{PAGE}/published_posts",
        json={"data": [shown("1001_2002", "Hello", NOW, comments=first)]},
    )
    old = comment("2002_0", "old", NOW - dt.timedelta(days=2))
    second = {"data": [comment("2002_1", "one", NOW), old], "paging": following}
    network.get(f"{API}/1001_2002/comments", json=second)
    for edge in ("tagged", "visitor_posts", "ratings", "conversations"):
        network.get(f"{API}/{PAGE}/{edge}", json={"data": []})
    assert [item.text for item in read_all(page, NOW)] == ["two", "one"]
    hold_against_specs(network)


# --- answers and moderation -------------------------------------------------------------------


def test_answers_go_below_the_first_comment(network: responses.RequestsMock, page: FacebookConnector) -> None:
    target = ReplyTarget("2002_3", "1001_2002", {"id": "2002_3", "comment": "2002_1"})
    sent = PostPayload((PostPart("Yes"),), reply_to=target)
    network.post(f"{API}/2002_1/comments", json={"id": "2002_5"})
    assert send(page, sent, "part0.publish") == StepResult(remote_id="2002_5")
    _step, intent = intent_of(page, sent, "part0.publish")
    assert page.safety_of(intent, NOW) is RetrySafety.NEITHER
    rows = [
        comment("2002_5", "Yes", NOW, author=PAGE),
        comment("2002_6", "Yes", NOW),
        comment("2002_7", "Yes", NOW - dt.timedelta(days=1), author=PAGE),
    ]
    network.get(f"{API}/2002_1/comments", json={"data": rows})
    assert [one.remote_id for one in page.find_sent(sent, since=NOW)] == ["2002_5"]
    hold_against_specs(network)
    network.upsert("POST", f"{API}/2002_1/comments", status=400, json=GONE)
    with pytest.raises(Rejected) as refused:
        send(page, sent, "part0.publish")
    assert refused.value.reason is RejectReason.NOT_FOUND


def test_a_review_without_a_story_takes_no_answer(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    target = ReplyTarget("review:902:x", "", {"id": "review:902:x", "comment": ""})
    with pytest.raises(Rejected):
        send(page, PostPayload((PostPart("Thanks"),), reply_to=target), "part0.publish")
    assert not network.calls


def test_a_message_is_answered_and_found_again(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    received = (NOW - dt.timedelta(hours=30)).isoformat()
    target = MessageTarget("903", "903", {"id": "m_1", "received_at": received})
    sent = PostPayload((PostPart("Yes"),), message_to=target)
    network.post(f"{API}/{PAGE}/messages", json={"recipient_id": "903", "message_id": "m_2"})
    assert send(page, sent, "part0.publish").remote_id == "m_2"
    form = form_of(network.calls[0])
    assert json.loads(form["recipient"]) == {"id": "903"}
    assert (form["messaging_type"], form["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")
    message = {"id": "m_2", "message": "Yes", "created_time": stamp(NOW), "from": {"id": PAGE}}
    talk = {"participants": {"data": [{"id": "903"}]}, "messages": {"data": [message]}}
    network.get(f"{API}/{PAGE}/conversations", json={"data": [talk]})
    assert [one.remote_id for one in page.find_sent(sent, since=NOW)] == ["m_2"]
    too_late = {"error": {"code": 10, "error_subcode": 2018278, "message": "outside the allowed window"}}
    network.upsert("POST", f"{API}/{PAGE}/messages", status=400, json=too_late)
    with pytest.raises(Rejected) as refused:
        send(page, sent, "part0.publish")
    assert refused.value.reason is RejectReason.FORBIDDEN
    hold_against_specs(network)


def test_comments_are_liked_hidden_and_deleted(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    for path in ("2002_1", "2002_1/likes"):
        network.post(f"{API}/{path}", json={"success": True})
        network.delete(f"{API}/{path}", json={"success": True})
    for action in ModerationAction:
        send(page, PostPayload((), moderation=Moderation(action, "2002_1")), "moderate")
    calls = [(call.request.method, urlsplit(str(call.request.url)).path[6:]) for call in network.calls]
    assert calls == [
        ("POST", "/2002_1/likes"),
        ("DELETE", "/2002_1/likes"),
        ("POST", "/2002_1"),
        ("POST", "/2002_1"),
        ("DELETE", "/2002_1"),
    ]
    assert [form_of(call) for call in list(network.calls)[2:4]] == [
        {"is_hidden": "true"},
        {"is_hidden": "false"},
    ]
    hold_against_specs(network)
    network.upsert("DELETE", f"{API}/2002_1", status=400, json=GONE)
    gone = Moderation(ModerationAction.DELETE, "2002_1")
    send(page, PostPayload((), moderation=gone), "moderate")  # twice is the same as once


# --- webhooks ---------------------------------------------------------------------------------


def call_of(*changes: tuple[str, dict[str, Any]], messaging: tuple[dict[str, Any], ...] = ()) -> bytes:
    lines = [{"field": name, "value": value} for name, value in changes]
    entry = {"id": PAGE, "time": 1795348800, "changes": lines, "messaging": list(messaging)}
    return json.dumps({"object": "page", "entry": [entry]}).encode()


def test_a_comment_is_told_whole_and_the_rest_is_looked_up() -> None:
    told = {
        "item": "comment",
        "verb": "add",
        "comment_id": "2002_3",
        "post_id": "1001_2002",
        "parent_id": "2002_1",
        "from": {"id": "56", "name": "Bob"},
        "message": "Again",
        "created_time": 1795348800,
    }
    body = call_of(
        ("feed", told),
        ("feed", told | {"comment_id": "2002_1", "parent_id": "1001_2002", "from": {"id": PAGE}}),
        ("feed", told | {"verb": "remove"}),
        ("feed", told | {"verb": "edited"}),
        ("feed", {"item": "comment", "verb": "add"}),
        ("feed", {"item": "status", "verb": "add", "from": {"id": "901"}}),
        ("feed", {"item": "status", "verb": "add", "from": {"id": PAGE}}),
        ("feed", {"item": "reaction", "verb": "add"}),
        ("mention", {"post_id": "1"}),
        ("ratings", {"item": "rating"}),
        messaging=(
            {"message": {"mid": "m_1", "text": "hi"}},
            {"delivery": {}},
        ),
    )
    events = FacebookConnector.webhook_events(body)
    inbox, other = WebhookKind.INBOX, WebhookKind.OTHER
    assert [one.kind for one in events] == [
        inbox,
        inbox,
        other,
        inbox,
        inbox,
        inbox,
        other,
        other,
        inbox,
        inbox,
        inbox,
        other,
    ]
    (again,), (own,) = events[0].items, events[1].items
    assert (again.remote_id, again.thread_id, again.parent_id, again.root_id) == (
        "2002_3",
        "2002_1",
        "2002_1",
        "1001_2002",
    )
    assert (again.author.display_name, again.created_at, again.is_own) == ("Bob", NOW, False)
    assert (own.thread_id, own.is_own) == ("2002_1", True)
    assert not any(one.items for one in events[2:])
    assert {one.account_id for one in events} == {PAGE}


def test_calls_are_subscribed_to_by_what_was_allowed(network: responses.RequestsMock) -> None:
    network.post(f"{API}/{PAGE}/subscribed_apps", json={"success": True})
    for scopes, wanted in (
        ([], "feed,mention,ratings,messages,message_echoes"),
        (["pages_messaging", "pages_manage_metadata"], "messages,message_echoes"),
    ):
        options = {"page_id": PAGE, "scopes": scopes}
        FacebookConnector(tokens=Tokens(access_token=TOKEN), options=options).subscribe()
        assert form_of(network.calls[-1])["subscribed_fields"] == wanted
    hold_against_specs(network)


# --- counts and others ------------------------------------------------------------------------


def test_counts_of_posts_with_and_without_insights(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    plain = {
        "id": "1001_2002",
        "reactions": {"data": [], "summary": {"total_count": 5}},
        "comments": {"data": [], "summary": {"total_count": 2}},
        "shares": {"count": 3},
    }
    told = [
        {"name": "post_media_view", "values": [{"value": 900}]},
        {"name": "post_total_media_view_unique", "values": [{"value": 700}]},
        {"name": "post_clicks", "values": [{"value": 11}]},
    ]
    network.get(f"{API}/1001_2002", json={**plain, "insights": {"data": told}})
    refused = {"error": {"code": 100, "message": "(#100) must be a valid insights metric"}}
    network.get(f"{API}/1001_2003", status=400, json=refused)
    network.get(f"{API}/1001_2003", json={"id": "1001_2003", "reactions": {"summary": {"total_count": 1}}})
    network.get(f"{API}/1001_2004", status=400, json=GONE)
    found = page.fetch_post_metrics(["1001_2002", "1001_2003", "1001_2004", "77"])
    assert list(found) == ["1001_2002", "1001_2003"]
    one, two = found["1001_2002"], found["1001_2003"]
    assert (one.likes, one.comments, one.shares, one.impressions, one.reach, one.clicks) == (
        5,
        2,
        3,
        900,
        700,
        11,
    )
    assert (two.likes, two.comments, two.shares, two.impressions) == (1, None, 0, None)
    hold_against_specs(network)


def test_counts_of_this_page_and_of_others(network: responses.RequestsMock, page: FacebookConnector) -> None:
    network.get(f"{API}/{PAGE}", json={"followers_count": 900, "fan_count": 800})
    assert page.fetch_account_metrics().followers == 900
    rival = {"id": "3", "name": "Rival", "username": "rival", "fan_count": 7}
    network.get(f"{API}/rival", json=rival)
    other = page.fetch_public_account("@rival")
    assert other is not None
    assert (other.profile.handle, other.counts.followers) == ("rival", 7)
    network.upsert("GET", f"{API}/rival", status=404, json={"error": {"code": 803, "message": "no alias"}})
    assert page.fetch_public_account("rival") is None
    network.upsert("GET", f"{API}/rival", status=400, json={"error": {"code": 10, "message": "feature"}})
    with pytest.raises(Rejected):
        page.fetch_public_account("rival")
    asked = len(network.calls)
    assert page.fetch_public_account("../me") is None
    assert len(network.calls) == asked
    hold_against_specs(network)
