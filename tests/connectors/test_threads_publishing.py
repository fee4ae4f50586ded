"""What is sent to Threads: containers, their states, their publication; calls are held against Meta's Postman
collection."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Any

import pytest
import responses

from connectors import meta
from connectors.base import LinkCard, PostPart, PostPayload, StepKind, StepResult, StepState
from connectors.errors import NeedsReconnect, OutcomeUnknown, RateLimited, Rejected, RejectReason, Temporary
from connectors.meta_container import LIFETIME
from connectors.text import check_payload, count
from connectors.threads import ThreadsConnector
from connectors.threads_info import INFO
from tests.connectors.conftest import NOW, image, payload
from tests.connectors.threads_stage import (
    API,
    AT_OURS,
    TOKEN,
    UUID,
    Check,
    account,
    collection,
    film,
    form_of,
    graph_error,
    network,
    own,
    photo,
    publish,
    send,
    step_of,
)

__all__ = ["account", "collection", "network"]


# --- publishing -------------------------------------------------------------------------------


def test_words_are_a_container_and_its_publication(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    network.post(f"{API}/me/threads", json={"id": "77"})
    network.post(f"{API}/me/threads_publish", json={"id": "900"})
    sent = dataclasses.replace(
        payload("Hello"), settings={"topic": " #Coffee ", "reply_control": "followers_only"}
    )
    assert [step.kind for step in account.plan(sent)] == [StepKind.CONTAINER, StepKind.PUBLISH]
    made = send(account, sent, "part0.container", {})
    assert (made.state, made.remote_id) == (StepState.DONE, "77")
    assert made.ends_at is not None
    assert abs(made.ends_at - dt.datetime.now(dt.UTC) - LIFETIME) < dt.timedelta(minutes=1)
    assert publish(account, sent).remote_id == "900"
    assert form_of(network.calls[0]) == {
        "media_type": "TEXT",
        "text": "Hello",
        "topic_tag": "Coffee",
        "reply_control": "followers_only",
    }
    assert form_of(network.calls[1]) == {"creation_id": "77"}
    assert [fault for call in network.calls for fault in collection(call)] == []
    for call in network.calls:
        assert call.request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in str(call.request.url)


def test_several_files_are_a_carousel_of_their_containers(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    network.post(f"{API}/me/threads", json={"id": "5"})
    part = PostPart("Look", media=(photo(), film("A wave")), is_sensitive=True)
    sent = PostPayload((part,))
    keys = ["part0.media0", "part0.media1", "part0.container", "part0.publish"]
    assert [step.key for step in account.plan(sent)] == keys
    done: dict[str, StepResult] = {}
    for key in keys[:3]:
        done[key] = send(account, sent, key, done)
        assert done[key].state is StepState.PROCESSING
        done[key] = dataclasses.replace(done[key], remote_id=f"{len(done)}")
    forms = [form_of(call) for call in network.calls]
    assert forms == [
        {
            "media_type": "IMAGE",
            "alt_text": "A cat",
            "is_carousel_item": "true",
            "image_url": f"{AT_OURS}a.jpg",
        },
        {
            "media_type": "VIDEO",
            "alt_text": "A wave",
            "is_carousel_item": "true",
            "video_url": f"{AT_OURS}clip.mp4",
        },
        {"media_type": "CAROUSEL", "children": "1,2", "text": "Look", "is_spoiler_media": "true"},
    ]
    assert [fault for call in network.calls for fault in collection(call)] == []


def test_one_file_needs_no_carousel_and_its_address_is_not_kept(
    network: responses.RequestsMock, account: ThreadsConnector
) -> None:
    network.post(f"{API}/me/threads", json={"id": "5"})
    sent = payload("", media=(film(),))
    send(account, sent, "part0.container", {})
    assert form_of(network.calls[0]) == {"media_type": "VIDEO", "video_url": f"{AT_OURS}clip.mp4"}
    step = step_of(account, sent, "part0.container")
    assert AT_OURS not in json.dumps(account.prepare_step(step, sent, {}, key=UUID, now=NOW))


def test_a_file_that_threads_cannot_fetch_is_refused(account: ThreadsConnector) -> None:
    with pytest.raises(Rejected) as refused:
        send(account, payload("Hi", media=(image(),)), "part0.container", {})
    assert refused.value.reason is RejectReason.MEDIA_NOT_PUBLIC


def test_a_thread_and_its_first_comment_answer_what_they_belong_to(account: ThreadsConnector) -> None:
    sent = PostPayload(
        (PostPart("one"), PostPart("two"), PostPart("link", is_comment=True)), settings={"topic": "Coffee"}
    )
    done = {"part0.publish": StepResult(remote_id="7"), "part1.publish": StepResult(remote_id="8")}
    forms = [
        account.prepare_step(step, sent, done, key=UUID, now=NOW)["form"]
        for step in account.plan(sent)
        if step.kind is StepKind.CONTAINER
    ]
    assert forms == [
        {"media_type": "TEXT", "text": "one", "topic_tag": "Coffee"},
        {"media_type": "TEXT", "text": "two", "reply_to_id": "7"},
        {"media_type": "TEXT", "text": "link", "reply_to_id": "7"},
    ]


def test_a_link_card_is_attached_to_words_alone(account: ThreadsConnector) -> None:
    card = LinkCard("https://example.com/a", "A")

    def form(**more: Any) -> Any:
        sent = PostPayload((PostPart("Hi", link_card=card, **more),))
        return account.prepare_step(step_of(account, sent, "part0.container"), sent, {}, key=UUID, now=NOW)[
            "form"
        ]

    assert form()["link_attachment"] == "https://example.com/a"
    assert "link_attachment" not in form(media=(photo(),))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (payload("Hi", media=(photo(),) * 11 + (film(),) * 10), RejectReason.TOO_MANY_MEDIA),
        (dataclasses.replace(payload("Hi"), settings={"topic": "a.b"}), RejectReason.SETTING_INVALID),
        (dataclasses.replace(payload("Hi"), settings={"topic": "R&D"}), RejectReason.SETTING_INVALID),
    ],
    ids=["media", "dot", "ampersand"],
)
def test_what_threads_would_refuse_is_not_sent(
    network: responses.RequestsMock, account: ThreadsConnector, sent: PostPayload, reason: RejectReason
) -> None:
    done = {f"part0.media{m}": StepResult(remote_id=str(m)) for m in range(21)}
    with pytest.raises(Rejected) as refused:
        send(account, sent, "part0.container", done)
    assert refused.value.reason is reason
    assert not network.calls


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("a" * 500, 500),
        ("珈琲" * 250, 500),
        ("👋" * 125, 500),  # four bytes each
        ("👍🏽" * 62, 496),
        ("👨‍👩‍👧‍👦" * 20, 500),  # twenty-five
        ("🇯🇵" * 62, 496),
        ("1️⃣" * 71, 497),
        ("12#*" * 125, 500),  # digits alone are no emoji
    ],
)
def test_an_emoji_counts_its_bytes(text: str, units: int) -> None:
    assert count(text, INFO.text) == units
    assert check_payload(payload(text), INFO) == []
    too_long = f"{text}{'a' * (501 - units)}"
    assert [one.reason for one in check_payload(payload(too_long), INFO)] == [RejectReason.TEXT_TOO_LONG]


# --- states of containers ---------------------------------------------------------------------


def checked(
    network: responses.RequestsMock, one: ThreadsConnector, key: str, sent: StepResult | None, **answer: Any
) -> StepResult | None:
    network.upsert("GET", f"{API}/77", **answer)
    wanted = payload("Hello #Coffee")
    done = {"part0.container": StepResult(remote_id="77")}
    step = step_of(one, wanted, key)
    return one.check(step, one.prepare_step(step, wanted, done, key=UUID, now=NOW), sent)


def test_a_container_is_asked_about_until_it_is_done(
    network: responses.RequestsMock, account: ThreadsConnector, collection: Check
) -> None:
    ends_at = NOW + dt.timedelta(hours=23)
    sent = StepResult(StepState.PROCESSING, "77", retry_after_s=5.0, ends_at=ends_at)
    waiting = checked(network, account, "part0.container", sent, json={"id": "77", "status": "IN_PROGRESS"})
    assert waiting == sent
    made = checked(network, account, "part0.container", waiting, json={"id": "77", "status": "FINISHED"})
    assert made == StepResult(remote_id="77", ends_at=ends_at)
    assert checked(network, account, "part0.container", sent, json={"status": "EXPIRED"}) is None
    gone = graph_error(100, error_subcode=33)
    assert checked(network, account, "part0.container", sent, status=400, json=gone) is None
    assert checked(network, account, "part0.container", None, json={}) is None
    assert [fault for call in network.calls for fault in collection(call)] == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("FAILED_DOWNLOADING_VIDEO", RejectReason.MEDIA_NOT_PUBLIC),
        ("FAILED_PROCESSING_AUDIO", RejectReason.MEDIA_BROKEN),
        ("INVALID_ASPEC_RATIO", RejectReason.MEDIA_SHAPE),
        ("INVALID_DURATION", RejectReason.VIDEO_TOO_LONG),
        ("INVALID_FRAME_RATE", RejectReason.VIDEO_TOO_FAST),
        ("UNKNOWN", RejectReason.MEDIA_BROKEN),
        (None, RejectReason.MEDIA_BROKEN),
    ],
)
@pytest.mark.parametrize("key", ["part0.container", "part0.publish"])
def test_what_threads_could_not_work_on_is_refused(
    network: responses.RequestsMock,
    account: ThreadsConnector,
    key: str,
    words: str | None,
    reason: RejectReason,
) -> None:
    answer = {"id": "77", "status": "ERROR", "error_message": words}
    with pytest.raises(Rejected) as refused:
        checked(network, account, key, StepResult(StepState.PROCESSING, "77"), json=answer)
    assert refused.value.reason is reason


def test_a_publication_without_an_answer_is_asked_for(
    network: responses.RequestsMock, account: ThreadsConnector
) -> None:
    key = "part0.publish"
    assert checked(network, account, key, None, json={"status": "FINISHED"}) is None
    with pytest.raises(Temporary) as ended:
        checked(network, account, key, None, json={"status": "EXPIRED"})
    assert ended.value.starts_over
    answers: list[dict[str, Any]] = [
        {"json": {"status": "IN_PROGRESS"}},
        {"json": {}},
        {"status": 404, "json": {}},
    ]
    for unclear in answers:
        with pytest.raises(Temporary):
            checked(network, account, key, None, **unclear)
    network.get(f"{API}/me/threads", json={"data": [own("Something else"), own()]})
    network.get(f"{API}/me/replies", json={"data": []})
    found = checked(network, account, key, None, json={"status": "PUBLISHED"})
    assert found == StepResult(remote_id="900", permalink="https://www.threads.net/@harbour/post/Pp")


def test_a_state_that_may_be_late_is_not_believed_at_once(
    network: responses.RequestsMock, account: ThreadsConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meta, "clock_now", lambda: NOW + dt.timedelta(seconds=5))
    with pytest.raises(Temporary):
        checked(network, account, "part0.publish", None, json={"status": "FINISHED"})
    monkeypatch.setattr(meta, "clock_now", lambda: NOW + dt.timedelta(seconds=31))
    assert checked(network, account, "part0.publish", None, json={"status": "FINISHED"}) is None


@pytest.mark.parametrize(
    "other",
    [
        own(media_type="IMAGE"),
        own(replied_to={"id": "1"}),
        own(timestamp="2026-11-22T11:00:00+0000"),
        own(media_type="REPOST_FACADE"),
        {"id": "1"},
    ],
)
def test_no_other_post_is_taken_for_it(
    network: responses.RequestsMock, account: ThreadsConnector, other: dict[str, Any]
) -> None:
    network.get(f"{API}/me/threads", json={"data": [other]})
    network.get(f"{API}/me/replies", json={"data": []})
    with pytest.raises(Temporary, match="not listed"):
        checked(network, account, "part0.publish", None, json={"status": "PUBLISHED"})


def test_a_publication_that_was_carried_out_before_is_not_refused(
    network: responses.RequestsMock, account: ThreadsConnector
) -> None:
    network.post(f"{API}/me/threads_publish", status=400, json=graph_error(100))
    network.get(f"{API}/77", json={"status": "PUBLISHED"})
    network.get(f"{API}/me/threads", json={"data": []})
    network.get(f"{API}/me/replies", json={"data": []})
    with pytest.raises(OutcomeUnknown):
        publish(account, payload("Hello"))
    # What is listed may be another's with the same words: that is found out where all of them are known.
    network.upsert("GET", f"{API}/me/threads", json={"data": [own("Hello")]})
    for state in ("FINISHED", "PUBLISHED"):
        network.upsert("GET", f"{API}/77", json={"status": state})
        with pytest.raises(OutcomeUnknown):
            publish(account, payload("Hello"))
    network.upsert("GET", f"{API}/me/threads", json={"data": []})
    for state in ("FINISHED", "ERROR"):
        network.upsert("GET", f"{API}/77", json={"status": state})
        with pytest.raises(Rejected):
            publish(account, payload("Hello"))
    network.upsert("GET", f"{API}/77", json={"status": "EXPIRED"})
    with pytest.raises(Temporary) as ended:
        publish(account, payload("Hello"))
    assert ended.value.starts_over


@pytest.mark.parametrize(
    ("status", "said", "error", "reason"),
    [
        (400, graph_error(190), NeedsReconnect, None),
        (401, graph_error(190, error_subcode=463), NeedsReconnect, None),
        (400, graph_error(10), Rejected, RejectReason.FORBIDDEN),
        (400, graph_error(200), Rejected, RejectReason.FORBIDDEN),
        (400, graph_error(24), Rejected, RejectReason.NOT_FOUND),
        (400, graph_error(100, error_subcode=33), Rejected, RejectReason.NOT_FOUND),
        (400, graph_error(100), Rejected, RejectReason.INVALID),
        (400, graph_error(4), RateLimited, None),
        (400, graph_error(32), RateLimited, None),
        (400, graph_error(9, error_subcode=2207042), RateLimited, None),
        (400, graph_error(2207027, error_subcode=2207027), OutcomeUnknown, None),
        (500, graph_error(1, is_transient=True), OutcomeUnknown, None),
        (503, {}, OutcomeUnknown, None),
    ],
)
def test_what_threads_says_decides_what_comes_next(
    network: responses.RequestsMock,
    account: ThreadsConnector,
    status: int,
    said: dict[str, Any],
    error: type[Exception],
    reason: RejectReason | None,
) -> None:
    network.post(f"{API}/me/threads_publish", status=status, json=said)
    network.get(f"{API}/77", json={"status": "FINISHED"})
    network.get(f"{API}/me/threads", json={"data": []})
    network.get(f"{API}/me/replies", json={"data": []})
    with pytest.raises(error) as raised:
        publish(account, payload("Hello"))
    assert getattr(raised.value, "reason", None) == reason
