"""TikTok's connector on canned answers: what became of a video."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
import responses

from connectors import tiktok
from connectors.base import PostPayload, RetrySafety, StepResult, StepState
from connectors.errors import NeedsReconnect, OutcomeUnknown, Rejected, RejectReason, Temporary
from connectors.tiktok import TikTokConnector
from tests.connectors import tiktok_stage
from tests.connectors.conftest import NOW
from tests.connectors.tiktok_stage import (
    API,
    BIG,
    POST_ID,
    PUBLISH_ID,
    container,
    film,
    intent_of,
    post,
    publish,
    refusal,
    serve_status,
)

network = tiktok_stage.network
account = tiktok_stage.account


def check(client: TikTokConnector, sent: PostPayload, result: StepResult | None = None) -> StepResult | None:
    return client.check(client.plan(sent)[-1], intent_of(client, sent), result)


SENT = StepResult(state=StepState.PROCESSING, remote_id=PUBLISH_ID)


def test_a_video_is_done_when_it_has_its_public_id(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=10)
    working = check(account, post(film()), SENT)
    assert working is not None
    assert (working.state, working.remote_id) == (StepState.PROCESSING, PUBLISH_ID)
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[int(POST_ID)])
    result = check(account, post(film()), SENT)
    assert result == StepResult(
        remote_id=POST_ID, permalink=f"https://www.tiktok.com/@harbour/video/{POST_ID}"
    )


def test_the_public_id_may_come_late_and_is_not_waited_for_for_ever(
    network: responses.RequestsMock, account: TikTokConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = dt.datetime.now(dt.UTC)
    monkeypatch.setattr(tiktok, "_now", lambda: now)
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[])
    first = check(account, post(film()), SENT)
    assert first is not None
    assert first.state is StepState.PROCESSING
    now += dt.timedelta(minutes=4)
    second = check(account, post(film()), first)
    assert second == first
    now += dt.timedelta(minutes=1)
    assert check(account, post(film()), second) == StepResult(remote_id=PUBLISH_ID)
    # Who posts for themselves alone never gets one.
    assert check(account, post(film(), privacy="SELF_ONLY"), SENT) == StepResult(remote_id=PUBLISH_ID)


def test_after_a_lost_answer_the_state_of_the_upload_decides(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=99)
    assert check(account, post(film(100))) is None
    serve_status(network, status="PROCESSING_UPLOAD")
    assert check(account, post(film(100))) is None
    serve_status(network, status="PROCESSING_UPLOAD", uploaded_bytes=100)
    assert check(account, post(film(100))) == dataclasses.replace(SENT, retry_after_s=tiktok.POLL_S)
    serve_status(network, status="PUBLISH_COMPLETE", publicaly_available_post_id=[POST_ID])
    result = check(account, post(film(100)))
    assert result is not None
    assert result.remote_id == POST_ID
    assert account.safety_of(intent_of(account, post(film())), NOW) is RetrySafety.TWO_PHASE


@pytest.mark.parametrize(
    ("fail_reason", "reason"),
    [
        ("file_format_check_failed", RejectReason.MEDIA_TYPE),
        ("duration_check_failed", RejectReason.VIDEO_TOO_LONG),
        ("frame_rate_check_failed", RejectReason.VIDEO_TOO_FAST),
        ("picture_size_check_failed", RejectReason.MEDIA_SHAPE),
        ("spam_risk_too_many_posts", RejectReason.QUOTA_FULL),
        ("spam_risk_user_banned_from_posting", RejectReason.FORBIDDEN),
        ("spam_risk_text", RejectReason.FORBIDDEN),
        ("spam_risk", RejectReason.FORBIDDEN),
        ("something_new", RejectReason.INVALID),
        (None, RejectReason.INVALID),
    ],
)
def test_each_reason_of_a_failure_is_told(
    network: responses.RequestsMock, account: TikTokConnector, fail_reason: str | None, reason: RejectReason
) -> None:
    serve_status(network, status="FAILED", fail_reason=fail_reason)
    with pytest.raises(Rejected) as failed:
        check(account, post(film()), SENT)
    assert failed.value.reason is reason
    assert failed.value.detail


@pytest.mark.parametrize(
    "fail_reason", ["internal", "video_pull_failed", "photo_pull_failed", "publish_cancelled"]
)
def test_what_is_worth_another_try_is_begun_anew(
    network: responses.RequestsMock, account: TikTokConnector, fail_reason: str
) -> None:
    serve_status(network, status="FAILED", fail_reason=fail_reason)
    with pytest.raises(Temporary) as failed:
        check(account, post(film()), SENT)
    assert failed.value.starts_over


def test_a_permission_taken_back_in_the_middle_holds_the_account(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    serve_status(network, status="FAILED", fail_reason="auth_removed")
    with pytest.raises(NeedsReconnect):
        check(account, post(film()), SENT)


def test_that_tiktok_does_not_know_a_publication_says_nothing_of_the_post(
    network: responses.RequestsMock, account: TikTokConnector
) -> None:
    network.post(f"{API}/v2/post/publish/status/fetch/", status=400, json=refusal("invalid_publish_id"))
    with pytest.raises(OutcomeUnknown):
        check(account, post(film()))


@pytest.mark.parametrize("is_over", [False, True])
def test_an_upload_that_tiktok_forgot_is_begun_anew_when_its_hour_is_over(
    network: responses.RequestsMock, account: TikTokConnector, is_over: bool
) -> None:
    """It is sent anew only where nothing of it can have been published."""
    network.post(f"{API}/v2/post/publish/status/fetch/", status=400, json=refusal("invalid_publish_id"))
    until = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=-1 if is_over else 60)
    with pytest.raises(Temporary) as forgotten:
        publish(account, post(film(BIG)), container(until))
    assert forgotten.value.starts_over is is_over


@pytest.mark.parametrize("data", [{}, {"status": None}, {"status": "NEW_STATE"}, {"status": ["x"]}], ids=str)
def test_a_state_that_nobody_knows_is_asked_for_again(
    network: responses.RequestsMock, account: TikTokConnector, data: dict[str, Any]
) -> None:
    serve_status(network, **data)
    with pytest.raises(Temporary):
        check(account, post(film()))
