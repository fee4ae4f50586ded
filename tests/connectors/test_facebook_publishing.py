"""What is sent to Facebook: posts, photos, videos, Reels, stories; requests are held against Meta's own
description of the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import requests
import responses

from connectors.base import (
    MediaItem,
    MessageTarget,
    PostPart,
    PostPayload,
    RetrySafety,
    StepResult,
    StepState,
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
from tests.connectors.conftest import NOW
from tests.connectors.facebook_stage import (
    API,
    PAGE,
    TOKEN,
    UPLOADS,
    VIDEO_API,
    film,
    form_of,
    hold_against_specs,
    intent_of,
    multipart_of,
    network,
    page,
    photo,
    post,
    send,
    upright,
)

__all__ = ["network", "page"]


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
