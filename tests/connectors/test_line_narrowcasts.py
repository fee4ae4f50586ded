"""LINE's connector on canned answers: what became of a post to a part of the friends."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from connectors.base import StepResult, StepState
from connectors.errors import NeedsReconnect, OutcomeUnknown, RateLimited, Rejected, RejectReason, Temporary
from connectors.line import LineConnector
from tests.connectors import line_stage
from tests.connectors.line_stage import API, Check, to_audience

network = line_stage.network
account = line_stage.account
described = line_stage.described


def ask(network: responses.RequestsMock, account: LineConnector, **answer: Any) -> StepResult | None:
    network.upsert("GET", f"{API}/v2/bot/message/progress/narrowcast", **answer)
    wanted = to_audience("women")
    (step,) = account.plan(wanted)
    return account.check(step, {}, StepResult(StepState.PROCESSING, "r1"))


def progress(phase: str, **more: Any) -> dict[str, Any]:
    return {"phase": phase, "acceptedTime": "2026-11-22T12:00:00.121Z", **more}


def test_a_narrowcast_is_asked_about_until_it_is_sent(
    network: responses.RequestsMock, account: LineConnector, described: Check
) -> None:
    for phase in ("waiting", "sending"):
        waiting = ask(network, account, json=progress(phase))
        assert waiting is not None
        assert (waiting.state, waiting.remote_id) == (StepState.PROCESSING, "r1")
        assert waiting.retry_after_s > 0
    assert ask(network, account, json=progress("succeeded", successCount=9)) == StepResult(remote_id="r1")
    assert described(network.calls[0].request) == []
    assert "requestId=r1" in str(network.calls[0].request.url)


@pytest.mark.parametrize(
    ("code", "sent_to", "error", "reason"),
    [
        (1, 0, Rejected, RejectReason.INVALID),
        (1, 5, OutcomeUnknown, None),  # some have it
        (1, None, OutcomeUnknown, None),  # nor does LINE say that nobody has
        (99, None, OutcomeUnknown, None),
        (2, None, Rejected, RejectReason.SETTING_INVALID),
        (5, "?", Rejected, RejectReason.QUOTA_FULL),
        ([2], 0, Rejected, RejectReason.INVALID),
        (2, 0, Rejected, RejectReason.SETTING_INVALID),
        (3, 0, OutcomeUnknown, None),  # an earlier request was taken
        (4, 0, Rejected, RejectReason.SETTING_INVALID),
        (5, 0, Rejected, RejectReason.QUOTA_FULL),
        (99, 0, Rejected, RejectReason.INVALID),
    ],
)
def test_why_a_narrowcast_failed(
    network: responses.RequestsMock,
    account: LineConnector,
    code: Any,
    sent_to: Any,
    error: type[Exception],
    reason: RejectReason | None,
) -> None:
    said = progress("failed", errorCode=code, successCount=sent_to, failedDescription="too few")
    with pytest.raises(error, match="too few") as raised:
        ask(network, account, json=said)
    assert getattr(raised.value, "reason", None) == reason


@pytest.mark.parametrize("status", [400, 403, 404, 410, 413])
def test_a_narrowcast_that_may_not_be_asked_about_was_sent_or_not(
    network: responses.RequestsMock, account: LineConnector, status: int
) -> None:
    with pytest.raises(OutcomeUnknown):
        ask(network, account, status=status, json={"message": "Access to this API is not available"})


def test_a_question_about_a_narrowcast_waits(network: responses.RequestsMock, account: LineConnector) -> None:
    with pytest.raises(Temporary):
        ask(network, account, json={})
    with pytest.raises(OutcomeUnknown):
        ask(network, account, status=429, json={"message": "You have reached your monthly limit."})
    with pytest.raises(RateLimited):
        ask(network, account, status=429, json={"message": "Try again later."})
    with pytest.raises(NeedsReconnect):
        ask(network, account, status=401, json={"message": "Authentication failed"})
