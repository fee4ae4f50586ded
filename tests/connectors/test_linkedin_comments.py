"""LinkedIn's connector on canned answers: comments that are sent and answered, and moderation."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
import responses

from connectors.base import Moderation, ModerationAction, PostPart, PostPayload, ReplyTarget, StepResult
from connectors.errors import OutcomeUnknown, Rejected, RejectReason
from connectors.linkedin import LinkedInConnector
from tests.connectors import linkedin_stage
from tests.connectors.conftest import NOW
from tests.connectors.linkedin_stage import (
    API,
    COMMENT,
    PAGE,
    POST,
    THREAD,
    body_of,
    path_of,
    publish,
    remote_comment,
)

network = linkedin_stage.network
page = linkedin_stage.page


def test_a_first_comment_answers_its_post(network: responses.RequestsMock, page: LinkedInConnector) -> None:
    sent = PostPayload((PostPart("Post"), PostPart("More: #tag (here)", is_comment=True)))
    network.post(
        f"{API}/rest/socialActions/urn%3Ali%3Ashare%3A6844785523593134080/comments",
        status=201,
        json=remote_comment(6844785523593134082, "More", NOW),
    )
    result = publish(page, sent, {"part0.publish": StepResult(remote_id=POST)})
    assert result.remote_id == COMMENT
    assert result.permalink.startswith(f"https://www.linkedin.com/feed/update/{POST}/?commentUrn=")
    assert body_of(network.calls[0]) == {
        "actor": PAGE,
        "object": POST,
        "message": {"text": "More: #tag (here)"},  # a comment is plain text
    }


@pytest.mark.parametrize(
    ("answer", "urn"),
    [
        ({"headers": {"x-restli-id": "77"}, "body": ""}, f"urn:li:comment:({THREAD},77)"),
        ({"headers": {"x-restli-id": COMMENT}, "body": ""}, COMMENT),
        ({"json": {"id": "77", "object": THREAD}}, f"urn:li:comment:({THREAD},77)"),
        ({"json": {"$URN": "urn:li:comment:(activity:5,77)"}}, "urn:li:comment:(urn:li:activity:5,77)"),
    ],
    ids=str,
)
def test_an_answer_stands_below_the_first_comment(
    network: responses.RequestsMock, page: LinkedInConnector, answer: dict[str, Any], urn: str
) -> None:
    """One to an answer, too: LinkedIn has one level of them."""
    network.post(re.compile(f"{API}/rest/socialActions/.*/comments"), status=201, **answer)
    target = ReplyTarget(f"urn:li:comment:({THREAD},99)", POST, {"parent": COMMENT})
    assert publish(page, PostPayload((PostPart("Thanks"),), reply_to=target)).remote_id == urn
    assert unquote(path_of(network.calls[0])) == f"/rest/socialActions/{COMMENT}/comments"
    assert body_of(network.calls[0]) == {
        "actor": PAGE,
        "object": THREAD,
        "parentComment": COMMENT,
        "message": {"text": "Thanks"},
    }


@pytest.mark.parametrize(
    "answer", [{"status": 201, "body": ""}, {"status": 500}, {"status": 201, "json": []}]
)
def test_a_comment_without_a_number_may_be_there(
    network: responses.RequestsMock, page: LinkedInConnector, answer: dict[str, Any]
) -> None:
    network.post(re.compile(f"{API}/rest/socialActions/.*/comments"), **answer)
    with pytest.raises(OutcomeUnknown):
        publish(page, PostPayload((PostPart("Thanks"),), reply_to=ReplyTarget(COMMENT)))


def test_an_answer_to_what_is_gone_is_not_found(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    network.post(re.compile(f"{API}/rest/socialActions/.*"), status=404, json={"message": "not found"})
    with pytest.raises(Rejected) as refused:
        publish(page, PostPayload((PostPart("Thanks"),), reply_to=ReplyTarget(COMMENT)))
    assert refused.value.reason is RejectReason.NOT_FOUND


@pytest.mark.parametrize(
    ("action", "method", "path", "fine"),
    [
        (ModerationAction.LIKE, "POST", f"/rest/reactions?actor={PAGE}", (201, 409)),
        (ModerationAction.UNLIKE, "DELETE", f"/rest/reactions/(actor:{PAGE},entity:{COMMENT})", (204, 404)),
        (
            ModerationAction.DELETE,
            "DELETE",
            f"/rest/socialActions/{THREAD}/comments/6844785523593134082?actor={PAGE}",
            (204, 404, 410),
        ),
    ],
)
def test_moderation_may_be_repeated(
    network: responses.RequestsMock,
    page: LinkedInConnector,
    action: ModerationAction,
    method: str,
    path: str,
    fine: tuple[int, ...],
) -> None:
    sent = PostPayload((), moderation=Moderation(action, COMMENT))
    for status in fine:
        network.upsert(method, re.compile(f"{API}/rest/(reactions|socialActions).*"), status=status, body="")
        publish(page, sent)
    call = network.calls[0].request
    assert unquote(str(call.url)) == f"{API}{path}"
    if method == "POST":
        assert body_of(network.calls[0]) == {"root": COMMENT, "reactionType": "LIKE"}
    network.upsert(method, re.compile(f"{API}/rest/(reactions|socialActions).*"), status=403, json={})
    with pytest.raises(Rejected):
        publish(page, sent)
