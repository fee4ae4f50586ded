"""LINE's connector on canned answers: what LINE says decides what comes next."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from connectors.errors import NeedsReconnect, OutcomeUnknown, RateLimited, Rejected, RejectReason
from connectors.line import LineConnector
from tests.connectors import line_stage
from tests.connectors.conftest import payload
from tests.connectors.line_stage import API, REQUEST, SECRET, TOKEN, publish

network = line_stage.network
account = line_stage.account


@pytest.mark.parametrize(
    ("status", "said", "error", "reason"),
    [
        (400, {"message": "The request body has 1 error(s)"}, Rejected, RejectReason.INVALID),
        (
            400,
            {
                "message": "The request body has 1 error(s)",
                "details": [{"message": "Length must be between 0 and 5000", "property": "messages[0].text"}],
            },
            Rejected,
            RejectReason.TEXT_TOO_LONG,
        ),
        (
            400,
            {"message": "The property, 'to', in the request body is invalid"},
            Rejected,
            RejectReason.NOT_FOUND,
        ),
        (400, {"message": "Failed to send messages"}, Rejected, RejectReason.NOT_FOUND),
        (401, {"message": "Authentication failed"}, NeedsReconnect, None),
        (403, {"message": "Access to this API is not available"}, Rejected, RejectReason.FORBIDDEN),
        (404, {"message": "Not found"}, Rejected, RejectReason.NOT_FOUND),
        (413, {"message": "Request exceeds the max size of 2MB"}, Rejected, RejectReason.INVALID),
        (429, {"message": "You have reached your monthly limit."}, Rejected, RejectReason.QUOTA_FULL),
        (429, {"message": "The API rate limit has been exceeded. Try again later."}, RateLimited, None),
        (500, {"message": "Internal server error"}, OutcomeUnknown, None),
        (503, {}, OutcomeUnknown, None),
    ],
)
def test_what_line_says_decides_what_comes_next(
    network: responses.RequestsMock,
    account: LineConnector,
    status: int,
    said: dict[str, Any],
    error: type[Exception],
    reason: RejectReason | None,
) -> None:
    network.post(f"{API}/v2/bot/message/broadcast", status=status, json=said, headers=REQUEST)
    with pytest.raises(error) as raised:
        publish(account, payload("Hi"))
    assert getattr(raised.value, "reason", None) == reason
    for detail in said.get("details", ()):
        assert detail["property"] in raised.value.detail  # type: ignore[attr-defined]


@pytest.mark.parametrize("details", [None, "x", [1], [{}], {"a": 1}, [{"message": SECRET}]])
def test_an_error_of_any_shape_is_read_without_our_secrets(
    network: responses.RequestsMock, account: LineConnector, details: Any
) -> None:
    said = {"message": f"bad {SECRET} {TOKEN}", "details": details}
    network.post(f"{API}/v2/bot/message/broadcast", status=400, json=said)
    with pytest.raises(Rejected) as refused:
        publish(account, payload("Hi"))
    assert SECRET not in refused.value.detail
    assert TOKEN not in refused.value.detail
