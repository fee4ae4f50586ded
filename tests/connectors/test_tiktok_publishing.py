"""TikTok's connector on canned answers: limits, the upload of a video in pieces, and photos."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import pytest
import requests
import responses
from hypothesis import example, given
from hypothesis import strategies as st

from connectors import tiktok
from connectors.base import PostPayload, RetrySafety, StepState
from connectors.errors import OutcomeUnknown, RateLimited, Rejected, RejectReason, Temporary
from connectors.text import check_payload
from connectors.tiktok import CHUNK_BYTES, TikTokConnector, pieces_of
from connectors.tiktok_info import INFO
from tests.connectors import tiktok_stage
from tests.connectors.conftest import NOW, image
from tests.connectors.tiktok_stage import (
    API,
    BIG,
    OK,
    POST_ID,
    PUBLISH_ID,
    UPLOAD,
    UUID,
    begin,
    body_of,
    container,
    film,
    intent_of,
    ok,
    photo,
    post,
    publish,
    refusal,
    serve_status,
)

network = tiktok_stage.network
account = tiktok_stage.account

MB = 1024 * 1024


# --- limits -----------------------------------------------------------------------------------


def problems(sent: PostPayload) -> list[RejectReason]:
    return [problem.reason for problem in check_payload(sent, INFO)]


def test_a_text_counts_in_utf16_and_a_post_needs_something_to_see() -> None:
    assert problems(post(film(), text="a" * 2198 + "🙂")) == []
    assert problems(post(film(), text="a" * 2199 + "🙂")) == [RejectReason.TEXT_TOO_LONG]
    assert problems(post(text="words")) == [RejectReason.MEDIA_MISSING]
    assert problems(post(*[photo("a")] * 35)) == []
    assert problems(post(*[photo("a")] * 36)) == [RejectReason.TOO_MANY_MEDIA]
    assert problems(post(image(mime_type="image/png"))) == [RejectReason.MEDIA_TYPE]
    assert problems(post(film(duration_s=2.9))) == [RejectReason.VIDEO_TOO_SHORT]
    assert problems(post(film(), photo("a"))) == [RejectReason.MEDIA_MIXED]


def test_the_title_of_photos_counts_in_utf16_before_it_is_sent() -> None:
    assert problems(post(photo("a"), title="🙂" * 45)) == []
    assert problems(post(photo("a"), title="🙂" * 45 + "a")) == [RejectReason.SETTING_INVALID]


def test_who_may_see_it_must_be_chosen_and_has_no_default() -> None:
    assert problems(post(film(), privacy="")) == [RejectReason.SETTING_MISSING]
    (field,) = (one for one in INFO.post_fields if one.is_required)
    assert (field.name, field.default, field.is_of_account) == ("privacy", "", True)
    assert not [one for one in INFO.post_fields if one.kind == "flag" and one.default]


LARGEST = INFO.videos.max_bytes if INFO.videos else 0


@given(st.integers(1, LARGEST))
@example(1)
@example(5 * 10**6 - 1)
@example(5 * MB)
@example(CHUNK_BYTES)
@example(2 * CHUNK_BYTES - 1)
@example(2 * CHUNK_BYTES)
@example(64 * 10**6)
@example(64 * MB + 1)
@example(LARGEST)
def test_pieces_keep_to_the_rules_of_the_media_transfer_guide(size: int) -> None:
    """Whether a MB is 1,000,000 bytes there or 1,048,576, the document does not say."""
    chunk, count = pieces_of(size)
    last = size - chunk * (count - 1)
    assert count == size // chunk
    assert 1 <= count <= 1000
    assert chunk <= last <= 128 * 10**6
    if count > 1:
        assert 5 * MB <= chunk <= 64 * 10**6
    else:
        assert chunk == size <= 64 * 10**6
    if size < 5 * 10**6:
        assert (chunk, count) == (size, 1)


# --- videos -----------------------------------------------------------------------------------


def test_an_upload_is_begun_with_everything_that_the_post_says(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    network.post(f"{API}/v2/post/publish/video/init/", json=ok(publish_id=PUBLISH_ID, upload_url=UPLOAD))
    before = dt.datetime.now(dt.UTC)
    made = begin(
        account, post(film(2 * CHUNK_BYTES + 7), allow_comment=True, brand_organic=True, is_aigc=True)
    )
    assert body_of(network.calls[0]) == {
        "post_info": {
            "title": "Look #tea",
            "privacy_level": "PUBLIC_TO_EVERYONE",
            "disable_comment": False,
            "disable_duet": True,
            "disable_stitch": True,
            "brand_content_toggle": False,
            "brand_organic_toggle": True,
            "is_aigc": True,
        },
        "source_info": {
            "source": "FILE_UPLOAD",
            "video_size": 2 * CHUNK_BYTES + 7,
            "chunk_size": CHUNK_BYTES,
            "total_chunk_count": 2,
        },
    }
    assert made.remote_id == PUBLISH_ID
    until = dt.datetime.fromisoformat(made.detail["good_until"])
    assert dt.timedelta(minutes=50) < until - before < dt.timedelta(hours=1)


@pytest.mark.parametrize(
    "answer",
    [ok(publish_id=PUBLISH_ID), ok(upload_url=UPLOAD), ok(publish_id="x", upload_url=7), ok(), {"error": OK}],
    ids=str,
)
def test_an_upload_that_cannot_be_used_is_begun_again(
    network: responses.RequestsMock, account: TikTokConnector, answer: dict[str, Any]
) -> None:
    network.post(f"{API}/v2/post/publish/video/init/", json=answer)
    with pytest.raises(Temporary):
        begin(account, post(film()))


def test_a_small_video_goes_in_one_piece_and_is_then_worked_on(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    network.put(UPLOAD, status=201)
    result = publish(account, post(film(100)))
    assert (result.state, result.remote_id) == (StepState.PROCESSING, PUBLISH_ID)
    (call,) = network.calls
    assert call.request.headers["Content-Range"] == "bytes 0-99/100"
    assert call.request.headers["Content-Length"] == "100"
    assert call.request.headers["Content-Type"] == "video/mp4"
    assert "Authorization" not in call.request.headers
    assert call.request.url == UPLOAD


def ranges(network: responses.RequestsMock) -> list[str]:
    sent = [call.request for call in network.calls if call.request.method == "PUT"]
    return [str(request.headers["Content-Range"]) for request in sent]


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (None, [f"bytes 0-{CHUNK_BYTES - 1}/{BIG}", f"bytes {CHUNK_BYTES}-{BIG - 1}/{BIG}"]),
        (0, [f"bytes 0-{CHUNK_BYTES - 1}/{BIG}", f"bytes {CHUNK_BYTES}-{BIG - 1}/{BIG}"]),
        (CHUNK_BYTES - 1, [f"bytes 0-{CHUNK_BYTES - 1}/{BIG}", f"bytes {CHUNK_BYTES}-{BIG - 1}/{BIG}"]),
        (CHUNK_BYTES, [f"bytes {CHUNK_BYTES}-{BIG - 1}/{BIG}"]),
        (str(CHUNK_BYTES), [f"bytes {CHUNK_BYTES}-{BIG - 1}/{BIG}"]),
        (2 * CHUNK_BYTES, [f"bytes {CHUNK_BYTES}-{BIG - 1}/{BIG}"]),
    ],
)
def test_a_large_video_goes_on_where_it_stopped(
    network: responses.RequestsMock, account: TikTokConnector, there: Any, expected: list[str]
) -> None:
    serve_status(network, status="PROCESSING_UPLOAD", **({} if there is None else {"uploaded_bytes": there}))
    for _ in expected[:-1]:
        network.put(UPLOAD, status=206)
    network.put(UPLOAD, status=201)
    assert publish(account, post(film(BIG))).state is StepState.PROCESSING
    assert ranges(network) == expected


def test_what_is_complete_already_is_not_sent_again(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=BIG)
    assert publish(account, post(film(BIG))).state is StepState.PROCESSING
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[int(POST_ID)])
    assert publish(account, post(film(BIG))).remote_id == POST_ID
    assert ranges(network) == []


FAILURES: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 503, "body": "<html>"},
    {"body": requests.ReadTimeout()},
    {"body": requests.ConnectionError(ConnectionResetError())},
]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_only_the_last_piece_leaves_a_doubt(
    network: responses.RequestsMock, account: TikTokConnector, failure: dict[str, Any]
) -> None:
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=0)
    network.put(UPLOAD, **failure)
    with pytest.raises(Temporary):
        publish(account, post(film(BIG)))
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=CHUNK_BYTES)
    with pytest.raises(OutcomeUnknown):
        publish(account, post(film(BIG)))
    with pytest.raises(OutcomeUnknown):
        publish(account, post(film(100)))


@pytest.mark.parametrize("status", [200, 206, 302])
def test_an_answer_to_the_last_piece_that_is_not_the_documented_one_is_a_doubt(
    network: responses.RequestsMock, account: TikTokConnector, status: int
) -> None:
    network.put(UPLOAD, status=status)
    with pytest.raises(OutcomeUnknown):
        publish(account, post(film(100)))


@pytest.mark.parametrize(
    ("status", "reason"), [(413, RejectReason.MEDIA_TOO_LARGE), (400, RejectReason.MEDIA_BROKEN)]
)
def test_a_piece_that_is_refused_for_good(
    network: responses.RequestsMock, account: TikTokConnector, status: int, reason: RejectReason
) -> None:
    """One before the last publishes nothing."""
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=0)
    network.put(UPLOAD, status=status, body=f"bad token upload_token=Xza123secret at {UPLOAD}")
    with pytest.raises(Rejected) as refused:
        publish(account, post(film(BIG)))
    assert refused.value.reason is reason
    assert "Xza123secret" not in refused.value.detail


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 416, 422])
def test_a_last_piece_that_is_refused_may_have_been_taken(
    network: responses.RequestsMock, account: TikTokConnector, status: int
) -> None:
    """It may be a repetition: what TikTok says of the publication decides."""
    network.put(UPLOAD, status=status, body=f"bad token upload_token=Xza123secret at {UPLOAD}")
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=100)
    assert publish(account, post(film(100))).state is StepState.PROCESSING
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[POST_ID])
    assert publish(account, post(film(100))).remote_id == POST_ID
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=0)
    with pytest.raises(Rejected if status == 413 else (Temporary, OutcomeUnknown)) as doubtful:
        publish(account, post(film(100)))
    assert "Xza123secret" not in doubtful.value.detail
    assert not getattr(doubtful.value, "starts_over", False)
    serve_status(network, status="FAILED", fail_reason="internal")
    with pytest.raises(Temporary):
        publish(account, post(film(100)))


@pytest.mark.parametrize("code", ["invalid_publish_id", "spam_risk_user_banned_from_posting"])
def test_after_the_last_piece_nothing_is_begun_anew_because_tiktok_does_not_tell(
    network: responses.RequestsMock,
    account: TikTokConnector,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    """The hour ends while the piece is under way."""
    now = dt.datetime.now(dt.UTC)

    def late(_request: Any) -> tuple[int, dict[str, str], str]:
        monkeypatch.setattr(tiktok, "_now", lambda: now + dt.timedelta(hours=2))
        return 403, {}, "expired"

    network.add_callback("PUT", UPLOAD, late)
    network.post(f"{API}/v2/post/publish/status/fetch/", status=400, json=refusal(code))
    with pytest.raises((OutcomeUnknown, Temporary)) as doubtful:
        publish(account, post(film(100)))
    assert not getattr(doubtful.value, "starts_over", False)


@pytest.mark.parametrize("stated", [None, "²", -1, 1.5, [], "many"])
def test_an_upload_of_which_nobody_says_how_much_is_there_is_not_begun_anew(
    network: responses.RequestsMock, account: TikTokConnector, stated: Any
) -> None:
    over = container(dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=stated)
    with pytest.raises(Temporary) as ended:
        publish(account, post(film(100)), over)
    assert not ended.value.starts_over


def test_a_refusal_of_the_question_begins_nothing_anew(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    over = container(dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
    banned = refusal("spam_risk_user_banned_from_posting")
    network.post(f"{API}/v2/post/publish/status/fetch/", status=403, json=banned)
    with pytest.raises(Temporary) as refused:
        publish(account, post(film(100)), over)
    assert not refused.value.starts_over


def test_a_piece_too_many_waits(network: responses.RequestsMock, account: TikTokConnector) -> None:
    network.put(UPLOAD, status=429, headers={"Retry-After": "30"})
    with pytest.raises(RateLimited):
        publish(account, post(film(100)))


@pytest.mark.parametrize("status", [401, 403, 404, 410, 416])
def test_an_address_that_takes_nothing_is_asked_about_before_anything_is_begun_anew(
    network: responses.RequestsMock, account: TikTokConnector, status: int
) -> None:
    network.put(UPLOAD, status=status, body="upload_token=Xza123secret expired")
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=0)
    with pytest.raises(Temporary) as later:
        publish(account, post(film(100)))
    assert not later.value.starts_over  # its hour is not over: what was sent may still be on its way
    assert "Xza123secret" not in later.value.detail
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=100)
    assert publish(account, post(film(100))).state is StepState.PROCESSING
    serve_status(network, status="FAILED", fail_reason="internal")
    with pytest.raises(Temporary) as failed:
        publish(account, post(film(100)))
    assert failed.value.starts_over


def test_an_upload_whose_hour_is_over_is_begun_anew_unless_it_got_everything(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    over = container(dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=99)
    with pytest.raises(Temporary) as ended:
        publish(account, post(film(100)), over)
    assert ended.value.starts_over
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=100)
    assert publish(account, post(film(100)), over).state is StepState.PROCESSING
    assert ranges(network) == []


def test_a_file_that_became_shorter_is_not_sent(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    with pytest.raises(Rejected) as refused:
        publish(account, post(film(100, open=lambda: io.BytesIO(b"v" * 99))))
    assert refused.value.reason is RejectReason.MEDIA_BROKEN
    assert len(network.calls) == 0


# --- photos -----------------------------------------------------------------------------------


def test_photos_are_fetched_from_addresses_that_are_in_no_intent(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    network.post(f"{API}/v2/post/publish/content/init/", json=ok(publish_id="p_pub_url~v2.1"))
    sent = post(photo("a"), photo("b"), title="Our tea", allow_comment=True, add_music=True)
    (step,) = account.plan(sent)
    intent = account.prepare_step(step, sent, {}, key=UUID, now=NOW)
    assert "smm.example.com" not in json.dumps(intent)
    result = account.send_step(step, sent, intent)
    assert body_of(network.calls[0]) == {
        "media_type": "PHOTO",
        "post_mode": "DIRECT_POST",
        "post_info": {
            "title": "Our tea",
            "description": "Look #tea",
            "privacy_level": "PUBLIC_TO_EVERYONE",
            "disable_comment": False,
            "auto_add_music": True,
            "brand_content_toggle": False,
            "brand_organic_toggle": False,
        },
        "source_info": {
            "source": "PULL_FROM_URL",
            "photo_cover_index": 0,
            "photo_images": ["https://smm.example.com/m/a", "https://smm.example.com/m/b"],
        },
    }
    assert (result.state, result.remote_id) == (StepState.PROCESSING, "p_pub_url~v2.1")
    serve_status(network, status="PROCESSING_DOWNLOAD", downloaded_bytes=10)
    working = account.check(step, intent, result)
    assert working is not None
    assert working.state is StepState.PROCESSING
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[POST_ID])
    done = account.check(step, intent, result)
    assert done is not None
    assert done.permalink == f"https://www.tiktok.com/@harbour/photo/{POST_ID}"


def test_photos_that_tiktok_cannot_reach_are_refused_before_it_is_asked(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    with pytest.raises(Rejected) as refused:
        publish(account, post(image(mime_type="image/jpeg")))
    assert refused.value.reason is RejectReason.MEDIA_NOT_PUBLIC
    assert len(network.calls) == 0


def test_a_lost_answer_to_photos_is_looked_for_and_else_a_person_is_asked(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    sent = post(photo("a"))
    assert account.safety_of(intent_of(account, sent), NOW) is RetrySafety.NEITHER
    video = {"id": POST_ID, "create_time": 1_790_000_000, "video_description": "Look #tea"}
    network.post(f"{API}/v2/video/list/", json=ok(videos=[video], has_more=False))
    since = dt.datetime.fromtimestamp(1_790_000_000, dt.UTC)
    (found,) = account.find_sent(sent, since=since)
    assert found.remote_id == POST_ID
    network.replace("POST", f"{API}/v2/video/list/", json=ok(videos=[], has_more=False))
    with pytest.raises(Rejected):
        account.find_sent(sent, since=since)


def test_photos_without_words_are_not_known_again_among_others(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    other = {"id": POST_ID, "create_time": int(NOW.timestamp()) + 60, "title": "", "video_description": ""}
    network.post(f"{API}/v2/video/list/", json=ok(videos=[other], has_more=False))
    with pytest.raises(Rejected):  # a person is asked
        account.find_sent(post(photo("a"), text=""), since=NOW)


@pytest.mark.parametrize("is_video", [True, False])
def test_a_paid_partnership_is_not_for_oneself_alone(
    network: responses.RequestsMock, account: TikTokConnector, is_video: bool
) -> None:
    sent = post(film() if is_video else photo("a"), privacy="SELF_ONLY", brand_content=True)
    with pytest.raises(Rejected) as refused:
        begin(account, sent)
    assert refused.value.reason is RejectReason.SETTING_INVALID
    assert len(network.calls) == 0


def test_a_title_counts_in_utf16(network: responses.RequestsMock, account: TikTokConnector) -> None:
    network.post(f"{API}/v2/post/publish/content/init/", json=ok(publish_id="p"))
    assert begin(account, post(photo("a"), title="🙂" * 45)).remote_id == "p"
    with pytest.raises(Rejected) as refused:
        begin(account, post(photo("a"), title="🙂" * 45 + "a"))
    assert refused.value.reason is RejectReason.SETTING_INVALID
