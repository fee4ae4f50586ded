"""LINE's connector on canned answers: posts and messages, repetitions, and what is asked before sending."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import re
from collections.abc import Callable
from typing import Any

import linebot.v3.messaging as models
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
from connectors.errors import OutcomeUnknown, Rejected, RejectReason, Temporary
from connectors.line import AUDIENCES, INFO, KEY_LIFETIME, LineConnector
from connectors.text import check_payload, count
from tests.connectors import line_stage
from tests.connectors.conftest import NOW, SPECS, image, payload
from tests.connectors.line_stage import ANNA, API, REQUEST, UUID, Check, publish, to_audience

network = line_stage.network
account = line_stage.account
described = line_stage.described

AT_OURS = "https://smm.example.com/media/public/"


def sent(call: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(call.request.body or "")
    return body


def message_to(recipient: str, **detail: str) -> PostPayload:
    return PostPayload((PostPart("Thanks"),), message_to=MessageTarget(recipient, "thread", dict(detail)))


def photo(name: str = "a.jpg", **values: Any) -> MediaItem:
    addresses = iter(range(1, 99))
    return dataclasses.replace(
        image(mime_type="image/jpeg"), public_url=lambda: f"{AT_OURS}{name}?{next(addresses)}", **values
    )


def film(**values: Any) -> MediaItem:
    made = MediaItem("clip", "video/mp4", 9, 640, 360, "", lambda: io.BytesIO(b"v"), 3.0, 30.0)
    return dataclasses.replace(made, public_url=lambda: f"{AT_OURS}clip.mp4", **values)


def test_requests_are_held_against_the_descriptions(described: Check) -> None:
    if not (SPECS / "line").is_dir():
        pytest.skip("NETWORK_SPECS has no line: requests are not held against the descriptions")
    odd = requests.Request("POST", f"{API}/v2/bot/message/push", json={"messages": [{"type": "text"}]})
    assert described(odd.prepare()) == ["/v2/bot/message/push.to: missing", "TextMessage.text: missing"]


# --- posts ------------------------------------------------------------------------------------


def test_a_post_goes_to_all_friends_in_one_request(
    network: responses.RequestsMock, account: LineConnector, described: Check
) -> None:
    network.post(f"{API}/v2/bot/message/broadcast", json={}, headers=REQUEST)
    wanted = payload("Hello 🍎", media=(photo("a.jpg"), photo("b.jpg")))
    result = publish(account, wanted)
    assert (result.state, result.remote_id) == (StepState.DONE, REQUEST["x-line-request-id"])
    (call,) = network.calls
    assert call.request.headers["X-Line-Retry-Key"] == UUID
    assert sent(call)["messages"] == [
        {"type": "text", "text": "Hello 🍎"},
        *(
            {
                "type": "image",
                "originalContentUrl": f"{AT_OURS}{name}?2",
                "previewImageUrl": f"{AT_OURS}{name}?2",
            }
            for name in ("a.jpg", "b.jpg")
        ),
    ]
    assert described(call.request) == []
    assert len(models.BroadcastRequest.from_dict(sent(call)).messages) == 3


def test_addresses_of_files_are_no_part_of_what_is_kept(account: LineConnector) -> None:
    wanted = payload("Hello", media=(photo(),))
    intent = account.prepare_step(account.plan(wanted)[0], wanted, {}, key=UUID, now=NOW)
    assert AT_OURS not in json.dumps(intent)


def test_a_video_comes_with_its_picture_and_needs_one(
    network: responses.RequestsMock, account: LineConnector, described: Check
) -> None:
    network.post(f"{API}/v2/bot/message/broadcast", json={}, headers=REQUEST)
    publish(account, payload("", media=(film(cover_url=lambda: f"{AT_OURS}c.jpg"),)))
    assert sent(network.calls[0])["messages"] == [
        {
            "type": "video",
            "originalContentUrl": f"{AT_OURS}clip.mp4",
            "previewImageUrl": f"{AT_OURS}c.jpg",
        }
    ]
    assert described(network.calls[0].request) == []
    with pytest.raises(Rejected) as refused:
        publish(account, payload("Look", media=(film(),)))
    assert refused.value.reason is RejectReason.MEDIA_BROKEN
    assert len(network.calls) == 1


@pytest.mark.parametrize(
    "url", [None, lambda: "http://smm.example.com/a.jpg", lambda: f"{AT_OURS}{'a' * 2000}"]
)
def test_a_file_that_line_cannot_fetch_is_not_sent(
    network: responses.RequestsMock, account: LineConnector, url: Callable[[], str] | None
) -> None:
    with pytest.raises(Rejected) as refused:
        publish(account, payload("Hi", media=(dataclasses.replace(photo(), public_url=url),)))
    assert refused.value.reason is RejectReason.MEDIA_NOT_PUBLIC
    assert not network.calls


@pytest.mark.parametrize("audience", [value for value, filtered in AUDIENCES.items() if filtered])
def test_each_audience_is_a_filter_that_line_knows(
    network: responses.RequestsMock, account: LineConnector, described: Check, audience: str
) -> None:
    network.post(f"{API}/v2/bot/message/narrowcast", status=202, json={}, headers=REQUEST)
    wanted = to_audience(audience, silent=True)
    assert check_payload(wanted, INFO) == []
    result = publish(account, wanted)
    assert (result.state, result.remote_id) == (StepState.PROCESSING, REQUEST["x-line-request-id"])
    assert described(network.calls[0].request) == []
    read = models.NarrowcastRequest.from_dict(sent(network.calls[0]))
    assert read.filter.demographic.to_dict() == AUDIENCES[audience]
    assert read.notification_disabled is True


def test_every_audience_can_be_chosen() -> None:
    (field,) = [one for one in INFO.post_fields if one.name == "audience"]
    assert [value for value, _label in field.choices] == list(AUDIENCES)


def test_an_audience_that_there_is_not_is_nobody_rather_than_everybody(
    network: responses.RequestsMock, account: LineConnector
) -> None:
    wanted = to_audience("regulars")
    assert [problem.reason for problem in check_payload(wanted, INFO)] == [RejectReason.SETTING_INVALID]
    with pytest.raises(Rejected) as refused:
        publish(account, wanted)
    assert refused.value.reason is RejectReason.SETTING_INVALID
    assert not network.calls


@pytest.mark.parametrize(
    ("text", "units"), [("a" * 5000, 5000), ("🍎" * 2500, 5000), ("珈" * 5000, 5000), ("𠮷" * 2500, 5000)]
)
def test_text_is_counted_in_utf16(text: str, units: int) -> None:
    assert count(text, INFO.text) == units
    assert check_payload(payload(text), INFO) == []
    assert [one.reason for one in check_payload(payload(f"{text}a"), INFO)] == [RejectReason.TEXT_TOO_LONG]


def test_no_post_that_passes_has_more_than_five_messages() -> None:
    most = (photo(),) * INFO.images.max_count
    assert check_payload(payload("Hi", media=most), INFO) == []
    assert 1 + len(most) == 5
    assert check_payload(payload("Hi", media=(*most, photo())), INFO)
    assert check_payload(payload("Hi", media=(photo(), film())), INFO)


# --- messages ---------------------------------------------------------------------------------


def test_an_answer_is_pushed_to_its_chat(
    network: responses.RequestsMock, account: LineConnector, described: Check
) -> None:
    said = {"sentMessages": [{"id": "461230966842064897", "quoteToken": "q"}]}
    network.post(f"{API}/v2/bot/message/push", json=said, headers=REQUEST)
    assert publish(account, message_to(ANNA)).remote_id == "461230966842064897"
    publish(account, message_to(ANNA, to="C1", source="group"))
    assert [sent(call)["to"] for call in network.calls] == [ANNA, "C1"]
    assert [call.request.headers["X-Line-Retry-Key"] for call in network.calls] == [UUID, UUID]
    assert described(network.calls[0].request) == []
    assert models.PushMessageRequest.from_dict(sent(network.calls[0])).to == ANNA


# --- repeating --------------------------------------------------------------------------------


def test_a_request_that_was_taken_before_is_done(
    network: responses.RequestsMock, account: LineConnector
) -> None:
    again = {**REQUEST, "x-line-accepted-request-id": "first"}
    said: dict[str, Any] = {"message": "The retry key is already accepted"}
    for call in ("broadcast", "narrowcast"):
        network.post(f"{API}/v2/bot/message/{call}", status=409, json=said, headers=again)
    pushed = {**said, "sentMessages": [{"id": "77"}]}
    network.post(f"{API}/v2/bot/message/push", status=409, json=pushed, headers=again)
    assert publish(account, payload("Hi")) == StepResult(remote_id="first")
    assert publish(account, message_to(ANNA)) == StepResult(remote_id="77")
    narrow = publish(account, to_audience("men"))
    assert (narrow.state, narrow.remote_id) == (StepState.PROCESSING, "first")


def test_a_conflict_without_the_first_request_is_in_doubt(
    network: responses.RequestsMock, account: LineConnector
) -> None:
    network.post(f"{API}/v2/bot/message/broadcast", status=409, json={"message": "Conflict"})
    with pytest.raises(OutcomeUnknown):
        publish(account, payload("Hi"))


def test_a_success_that_line_did_not_sign_is_in_doubt(
    network: responses.RequestsMock, account: LineConnector
) -> None:
    network.post(f"{API}/v2/bot/message/broadcast", json={})
    with pytest.raises(OutcomeUnknown):
        publish(account, payload("Hi"))


def test_a_repetition_is_safe_for_a_day(account: LineConnector) -> None:
    wanted = payload("Hi")
    intent = account.prepare_step(account.plan(wanted)[0], wanted, {}, key=UUID, now=NOW)
    just_before = NOW + KEY_LIFETIME - dt.timedelta(seconds=1)
    assert account.safety_of(intent, just_before) is RetrySafety.IDEMPOTENT
    assert account.safety_of(intent, NOW + KEY_LIFETIME) is RetrySafety.NEITHER
    assert dt.timedelta(hours=24) > KEY_LIFETIME
    for look in (lambda: account.find_recent(since=NOW), lambda: account.fetch_post("1")):
        with pytest.raises(Rejected) as refused:
            look()
        assert refused.value.reason is RejectReason.NOT_SUPPORTED


@pytest.mark.parametrize("lost", ["address", "picture"])
def test_a_repetition_is_not_refused_by_what_the_first_try_passed(
    network: responses.RequestsMock, account: LineConnector, lost: str
) -> None:
    """Its answer was lost, and meanwhile somebody changed the address of this installation: a refusal of
    ours would be told as if nothing had been sent."""
    network.post(f"{API}/v2/bot/message/broadcast", body=requests.ReadTimeout())
    whole = film(cover_url=lambda: f"{AT_OURS}c.jpg")
    wanted = payload("Hi", media=(whole,))
    step = account.plan(wanted)[0]
    intent = account.prepare_step(step, wanted, {}, key=UUID, now=NOW)
    with pytest.raises(OutcomeUnknown):
        account.send_step(step, wanted, intent)
    change: dict[str, Any] = {"public_url": None} if lost == "address" else {"cover_url": None}
    later = payload("Hi", media=(dataclasses.replace(whole, **change),))
    with pytest.raises(Temporary):
        account.send_step(step, later, intent)
    assert len(network.calls) == 1


def test_what_was_never_sent_is_sent_when_the_installation_can_be_reached(
    network: responses.RequestsMock, account: LineConnector
) -> None:
    network.post(f"{API}/v2/bot/message/broadcast", json={}, headers=REQUEST)
    hidden = payload("Hi", media=(dataclasses.replace(photo(), public_url=None),))
    step = account.plan(hidden)[0]
    intent = account.prepare_step(step, hidden, {}, key=UUID, now=NOW)
    for _try in range(2):
        with pytest.raises(Rejected):
            account.send_step(step, hidden, intent)
    assert account.send_step(step, payload("Hi", media=(photo(),)), intent).remote_id


# --- before sending ---------------------------------------------------------------------------


def test_line_is_asked_whether_it_would_take_a_post(
    network: responses.RequestsMock, account: LineConnector, described: Check
) -> None:
    network.post(re.compile(rf"{API}/v2/bot/message/validate/\w+"), json={})
    for wanted in (payload("Hi", media=(photo(),)), to_audience("men"), message_to(ANNA)):
        account.dry_run(wanted)
    asked = [call.request for call in network.calls]
    assert [str(request.url).rpartition("/")[2] for request in asked] == ["broadcast", "narrowcast", "push"]
    assert [fault for request in asked for fault in described(request)] == []
    assert not any(getattr(request, "changes", False) for request in asked)
    said = {"message": "The request body has 1 error(s)", "details": [{"message": "May not be empty"}]}
    network.reset()
    network.post(f"{API}/v2/bot/message/validate/broadcast", status=400, json=said)
    with pytest.raises(Rejected, match="May not be empty"):
        account.dry_run(payload("Hi"))


@pytest.mark.parametrize(
    ("allowed", "limit"), [({"type": "limited", "value": 1000}, 1000), ({"type": "none"}, 0)]
)
def test_the_allowance_of_the_month(
    network: responses.RequestsMock,
    account: LineConnector,
    described: Check,
    allowed: dict[str, Any],
    limit: int,
) -> None:
    network.get(f"{API}/v2/bot/message/quota", json=allowed)
    network.get(f"{API}/v2/bot/message/quota/consumption", json={"totalUsage": 500})
    (quota,) = account.fetch_quotas()
    assert (quota.used, quota.limit) == (500, limit)
    assert quota.resets_at is not None
    in_japan = quota.resets_at.astimezone(dt.timezone(dt.timedelta(hours=9)))
    assert (in_japan.day, in_japan.hour) == (1, 0)
    assert quota.resets_at > dt.datetime.now(dt.UTC)
    assert [fault for call in network.calls for fault in described(call.request)] == []
