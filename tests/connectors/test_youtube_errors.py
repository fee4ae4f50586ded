"""YouTube's connector on canned answers: each line of the error table, the quota, odd refusals."""

from __future__ import annotations

import datetime as dt

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from connectors import youtube_calls
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.youtube import YouTubeConnector
from tests.connectors import youtube_stage
from tests.connectors.youtube_stage import (
    API,
    SESSION,
    WITH_COMMENT,
    begin,
    post,
    publish,
    refusal,
    send_last,
)

network = youtube_stage.network
account = youtube_stage.account

TABLE: list[tuple[int, str, type[ConnectorError], RejectReason | None]] = [
    (401, "authError", NeedsReconnect, None),
    (401, "required", NeedsReconnect, None),
    (401, "youtubeSignupRequired", NeedsReconnect, None),
    (403, "insufficientPermissions", NeedsReconnect, None),
    (403, "authenticatedUserAccountSuspended", NeedsReconnect, None),
    (403, "quotaExceeded", RateLimited, None),
    (403, "dailyLimitExceeded", RateLimited, None),
    (403, "rateLimitExceeded", RateLimited, None),
    (403, "userRateLimitExceeded", RateLimited, None),
    (429, "", RateLimited, None),
    (400, "uploadLimitExceeded", Rejected, RejectReason.QUOTA_FULL),
    (403, "uploadLimitExceeded", Rejected, RejectReason.QUOTA_FULL),
    (400, "invalidTitle", Rejected, RejectReason.SETTING_INVALID),
    (400, "invalidTags", Rejected, RejectReason.SETTING_INVALID),
    (400, "invalidCategoryId", Rejected, RejectReason.SETTING_INVALID),
    (400, "invalidDescription", Rejected, RejectReason.INVALID),
    (400, "mediaBodyRequired", Rejected, RejectReason.MEDIA_BROKEN),
    (400, "commentTextTooLong", Rejected, RejectReason.TEXT_TOO_LONG),
    (400, "processingFailure", Rejected, RejectReason.INVALID),
    (403, "forbidden", Rejected, RejectReason.FORBIDDEN),
    (403, "commentsDisabled", Rejected, RejectReason.FORBIDDEN),
    (403, "accessNotConfigured", Rejected, RejectReason.FORBIDDEN),
    (404, "videoNotFound", Rejected, RejectReason.NOT_FOUND),
    (400, "videoNotFound", Rejected, RejectReason.NOT_FOUND),
    (503, "backendError", OutcomeUnknown, None),
    (409, "", OutcomeUnknown, None),
]


@pytest.mark.parametrize(("status", "reason", "kind", "why"), TABLE)
def test_each_line_of_the_error_table(
    network: responses.RequestsMock,
    account: YouTubeConnector,
    status: int,
    reason: str,
    kind: type[ConnectorError],
    why: RejectReason | None,
) -> None:
    network.post(f"{API}/youtube/v3/commentThreads", status=status, json=refusal(reason, status))
    with pytest.raises(kind) as refused:
        send_last(account, WITH_COMMENT)
    assert getattr(refused.value, "reason", None) is why
    assert reason in refused.value.detail
    if kind is OutcomeUnknown:
        network.post(f"{API}/upload/youtube/v3/videos", status=status, json=refusal(reason, status))
        with pytest.raises(Temporary):
            begin(account, post())


def test_a_quota_of_the_project_is_everybody_s_and_ends_at_midnight_in_california(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.put(SESSION, status=403, json=refusal("quotaExceeded"))
    with pytest.raises(RateLimited) as limited:
        publish(account)
    assert limited.value.of_app
    network.replace("PUT", SESSION, status=403, json=refusal("rateLimitExceeded"))
    with pytest.raises(RateLimited) as fast:
        publish(account)
    assert not fast.value.of_app


@pytest.mark.parametrize(("unit", "of_app"), [("1/d/{project}", True), ("1/min/{project}/{user}", False)])
def test_the_newer_form_of_a_refusal_says_which_quota_is_used_up(
    network: responses.RequestsMock, account: YouTubeConnector, unit: str, of_app: bool
) -> None:
    info = {"reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quota_unit": unit}}
    network.put(SESSION, status=429, json={"error": {"code": 429, "details": [info]}})
    with pytest.raises(RateLimited) as limited:
        publish(account)
    assert limited.value.of_app is of_app


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        ("2026-11-22T12:00:00+00:00", "2026-11-23T08:00:00+00:00"),
        ("2026-11-23T07:59:59+00:00", "2026-11-23T08:00:00+00:00"),
        ("2026-11-23T08:00:00+00:00", "2026-11-24T08:00:00+00:00"),
        ("2026-07-01T12:00:00+00:00", "2026-07-02T07:00:00+00:00"),
        ("2026-03-08T09:00:00+00:00", "2026-03-09T07:00:00+00:00"),  # the day on which summer time begins
        ("2026-11-01T08:00:00+00:00", "2026-11-02T08:00:00+00:00"),  # and the one on which it ends
    ],
)
def test_midnight_in_california_on_awkward_days(now: str, midnight: str) -> None:
    assert youtube_calls.quota_returns_at(dt.datetime.fromisoformat(now)) == dt.datetime.fromisoformat(
        midnight
    )


@given(st.integers(1_577_836_800, 2_208_988_800))
def test_a_quota_returns_within_a_day(epoch: int) -> None:
    now = dt.datetime.fromtimestamp(epoch, dt.UTC)
    left = youtube_calls.quota_returns_at(now) - now
    assert dt.timedelta(0) < left <= dt.timedelta(hours=25)


@pytest.mark.parametrize(
    "body", ["", "x", "[]", '{"error": []}', '{"error": {"errors": ["x"]}}', "[" * 100_000]
)
def test_a_refusal_of_any_shape_is_one_of_the_five(
    network: responses.RequestsMock, account: YouTubeConnector, body: str
) -> None:
    network.post(f"{API}/youtube/v3/commentThreads", status=400, body=body)
    with pytest.raises(Rejected):
        send_last(account, WITH_COMMENT)
