"""LinkedIn's connector on canned answers: what LinkedIn says to a post decides what comes next."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import responses

from connectors.errors import NeedsReconnect, OutcomeUnknown, RateLimited, Rejected, RejectReason, Temporary
from connectors.linkedin import LinkedInConnector
from connectors.linkedin_calls import API_VERSION
from tests.connectors import linkedin_stage
from tests.connectors.conftest import NOW, payload
from tests.connectors.linkedin_stage import API, COMMENT, PERSON, POST, created, publish

network = linkedin_stage.network
page = linkedin_stage.page


@pytest.mark.parametrize(
    ("status", "said", "error", "reason"),
    [
        (400, {"code": "INVALID_VALUE_FOR_FIELD", "message": "bad"}, Rejected, RejectReason.INVALID),
        (400, {"code": "FIELD_LENGTH_TOO_LONG", "message": "bad"}, Rejected, RejectReason.TEXT_TOO_LONG),
        (
            400,
            {"code": "MEDIA_ASSET_PROCESSING_FAILED", "message": "bad"},
            Rejected,
            RejectReason.MEDIA_BROKEN,
        ),
        (400, {"code": "MEDIA_ASSET_WAITING_UPLOAD", "message": "wait"}, Temporary, None),
        (401, {"code": "REVOKED_ACCESS_TOKEN", "message": "revoked"}, NeedsReconnect, None),
        (403, {"code": "ACCESS_DENIED", "message": "no"}, Rejected, RejectReason.FORBIDDEN),
        (404, {"message": "gone"}, Rejected, RejectReason.NOT_FOUND),
        (409, {"message": "Write conflict"}, OutcomeUnknown, None),
        (
            422,
            {"code": "DUPLICATE_POST", "message": f"Content is a duplicate of {POST}"},
            Rejected,
            RejectReason.DUPLICATE,
        ),
        (422, {"message": f"Content is a duplicate of {PERSON}"}, Rejected, RejectReason.DUPLICATE),
        (422, {"message": f"{POST} already exists"}, Rejected, RejectReason.DUPLICATE),
        (422, {"code": "ALREADY_EXISTS", "message": f"Found {POST}"}, Rejected, RejectReason.DUPLICATE),
        (422, {"message": f"{POST} does not exist"}, Rejected, RejectReason.INVALID),
        (403, {"message": f"You may not duplicate {POST}"}, Rejected, RejectReason.FORBIDDEN),
        (400, {"message": f"Duplicated content, see {COMMENT}"}, Rejected, RejectReason.DUPLICATE),
        (
            422,
            {"message": "x", "errorDetails": {"inputErrors": [{"code": "DUPLICATE_POST"}]}},
            Rejected,
            RejectReason.DUPLICATE,
        ),
        (422, {"message": "Something is wrong"}, Rejected, RejectReason.INVALID),
        (429, {"message": "Too many"}, RateLimited, None),
        (500, {"message": "oops"}, OutcomeUnknown, None),
    ],
)
def test_what_linkedin_says_to_a_post_decides_what_comes_next(
    network: responses.RequestsMock,
    page: LinkedInConnector,
    status: int,
    said: dict[str, Any],
    error: type[Exception],
    reason: RejectReason | None,
) -> None:
    network.post(f"{API}/rest/posts", status=status, json={"status": status, **said})
    with pytest.raises(error) as raised:
        publish(page, payload("Hello"))
    assert getattr(raised.value, "reason", None) == reason
    if reason is RejectReason.DUPLICATE and POST in said["message"]:
        assert POST in str(raised.value)  # which one it is, for the person who is asked


@pytest.mark.parametrize("act", ["post", "inbox", "profile"])
def test_a_version_that_ended_is_said_and_costs_no_connection(
    network: responses.RequestsMock, page: LinkedInConnector, act: str
) -> None:
    said = {"status": 426, "code": "NONEXISTENT_VERSION", "message": "Requested version is not active"}
    for method in ("GET", "POST"):
        network.add(method, re.compile(".*"), status=426, json=said)
    acts: dict[str, Callable[[], object]] = {
        "post": lambda: publish(page, payload("Hello")),
        "inbox": lambda: page.fetch_inbox(since=NOW),
        "profile": page.fetch_profile,
    }
    with pytest.raises(Rejected) as refused:
        acts[act]()
    assert refused.value.reason is RejectReason.NOT_SUPPORTED
    assert f"version {API_VERSION}" in refused.value.detail


@pytest.mark.parametrize(
    ("message", "of_app", "is_day"),
    [
        ("Resource level throttle APPLICATION DAY limit for calls is reached", True, True),
        ("Resource level throttle MEMBER DAY limit for calls is reached", False, True),
        ("Too many requests", False, False),
    ],
)
def test_a_limit_of_the_day_ends_at_midnight(
    network: responses.RequestsMock, page: LinkedInConnector, message: str, of_app: bool, is_day: bool
) -> None:
    network.post(f"{API}/rest/posts", status=429, json={"status": 429, "message": message})
    with pytest.raises(RateLimited) as limited:
        publish(page, payload("Hello"))
    at = limited.value.retry_at
    assert limited.value.of_app is of_app
    assert ((at.hour, at.minute, at.second) == (0, 0, 0)) is is_day
    assert dt.timedelta(0) < at - dt.datetime.now(dt.UTC) <= dt.timedelta(days=1)


@pytest.mark.parametrize("urn", ["", "7", "urn:li:share:x", "https://evil.example.com"])
def test_a_post_without_its_urn_may_be_there(
    network: responses.RequestsMock, page: LinkedInConnector, urn: str
) -> None:
    network.post(f"{API}/rest/posts", **created(urn))
    with pytest.raises(OutcomeUnknown):
        publish(page, payload("Hello"))
