"""What is sent to Instagram: containers, their states, their publication; requests are held against Meta's
own description of the API."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import hmac
from typing import Any

import pytest
import responses

from connectors.base import MediaItem, PostPayload, RetrySafety, Step, StepKind, StepResult, StepState
from connectors.errors import NeedsReconnect, OutcomeUnknown, RateLimited, Rejected, RejectReason, Temporary
from connectors.instagram import InstagramConnector
from connectors.instagram_info import INFO
from connectors.text import check_payload
from tests.connectors.conftest import NOW
from tests.connectors.instagram_stage import (
    AT_FACEBOOK,
    AT_INSTAGRAM,
    IG,
    OURS,
    ROUTES,
    SECRET,
    UUID,
    account,
    film,
    form_of,
    hold_against_specs,
    linked,
    media,
    network,
    photo,
    post,
    send,
    step_of,
)

__all__ = ["account", "linked", "network"]


def test_an_image_is_a_container_that_is_published(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    sent = post(photo(), comment="#coffee")
    assert [step.key for step in account.plan(sent)] == ["part0.container", "part0.publish", "part1.publish"]
    network.post(f"{AT_INSTAGRAM}/{IG}/media", json={"id": "180"})
    network.post(f"{AT_INSTAGRAM}/{IG}/media_publish", json={"id": "1790"})
    network.post(f"{AT_INSTAGRAM}/1790/comments", json={"id": "1780"})
    made = send(account, sent, "part0.container")
    assert (made.state, made.remote_id) == (StepState.PROCESSING, "180")
    done = {"part0.container": made}
    done["part0.publish"] = send(account, sent, "part0.publish", done)
    assert done["part0.publish"] == StepResult(remote_id="1790")
    assert send(account, sent, "part1.publish", done).remote_id == "1780"
    forms = [form_of(call) for call in network.calls]
    assert forms == [
        {"caption": "Hello", "alt_text": "A harbour", "image_url": OURS},
        {"creation_id": "180"},
        {"message": "#coffee"},
    ]
    assert {call.request.headers["Authorization"] for call in network.calls} == {"Bearer IGtokentoken"}
    hold_against_specs(network, ROUTES)


def test_through_a_page_calls_go_to_facebook_with_their_proof(
    network: responses.RequestsMock, linked: InstagramConnector
) -> None:
    network.post(f"{AT_FACEBOOK}/{IG}/media", json={"id": "180"})
    send(linked, post(photo("")), "part0.container")
    proof = hmac.new(SECRET.encode(), b"EAtokentoken", hashlib.sha256).hexdigest()
    assert form_of(network.calls[0]) == {"caption": "Hello", "image_url": OURS, "appsecret_proof": proof}
    hold_against_specs(network, {rf"/{IG}/(\w+)": "IGUser"})


def test_one_video_is_a_reel_with_its_cover(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    network.post(f"{AT_INSTAGRAM}/{IG}/media", json={"id": "180"})
    cover = "https://smm.example.com/media/cover.jpg"
    send(account, post(film(cover_url=lambda: cover)), "part0.container")
    assert form_of(network.calls[0]) == {
        "media_type": "REELS",
        "caption": "Hello",
        "share_to_feed": "true",
        "video_url": OURS,
        "cover_url": cover,
    }

    def gone() -> str:
        raise FileNotFoundError

    send(account, post(film(cover_url=gone)), "part0.container")
    assert "cover_url" not in form_of(network.calls[1])
    hold_against_specs(network, ROUTES)


def test_several_files_are_a_carousel_of_containers(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    sent = post(photo(), film())
    keys = [step.key for step in account.plan(sent)]
    assert keys == ["part0.media0", "part0.media1", "part0.container", "part0.publish"]
    for number in ("181", "182", "183"):
        network.post(f"{AT_INSTAGRAM}/{IG}/media", json={"id": number})
    done = {key: dataclasses.replace(send(account, sent, key), state=StepState.DONE) for key in keys[:2]}
    assert send(account, sent, "part0.container", done).remote_id == "183"
    assert [form_of(call) for call in network.calls] == [
        {"is_carousel_item": "true", "alt_text": "A harbour", "image_url": OURS},
        {"is_carousel_item": "true", "media_type": "VIDEO", "video_url": OURS},
        {"media_type": "CAROUSEL", "children": "181,182", "caption": "Hello"},
    ]
    hold_against_specs(network, ROUTES)


@pytest.mark.parametrize(("item", "name"), [(photo(), "image_url"), (film(), "video_url")])
def test_a_story_has_one_file_and_no_caption(
    network: responses.RequestsMock, account: InstagramConnector, item: MediaItem, name: str
) -> None:
    network.post(f"{AT_INSTAGRAM}/{IG}/media", json={"id": "180"})
    send(account, post(item, placement="story"), "part0.container")
    assert form_of(network.calls[0]) == {"media_type": "STORIES", name: OURS}
    hold_against_specs(network, ROUTES)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (post(photo(), photo(), placement="story"), RejectReason.TOO_MANY_MEDIA),
        (post(film(duration_s=60.5), placement="story"), RejectReason.VIDEO_TOO_LONG),
        (post(photo(), placement="story", comment="first"), RejectReason.NOT_SUPPORTED),
        (post(*[photo()] * 6, *[film()] * 5), RejectReason.TOO_MANY_MEDIA),
        (post(photo(), text=" ".join(f"#tag{n}" for n in range(31))), RejectReason.TOO_MANY_TAGS),
        (post(), RejectReason.MEDIA_MISSING),
    ],
)
def test_what_instagram_would_refuse_is_not_sent(
    network: responses.RequestsMock, account: InstagramConnector, sent: PostPayload, reason: RejectReason
) -> None:
    done = {f"part0.media{m}": StepResult(remote_id=str(m)) for m in range(len(sent.parts[0].media))}
    with pytest.raises(Rejected) as refused:
        send(account, sent, "part0.container", done)
    assert refused.value.reason is reason
    assert not network.calls


def test_limits_at_their_edges() -> None:
    assert check_payload(post(photo(), text="あ" * 2200), INFO) == []
    (problem,) = check_payload(post(photo(), text="あ" * 2201), INFO)
    assert problem.reason is RejectReason.TEXT_TOO_LONG
    assert check_payload(post(*[photo()] * 10), INFO) == []
    (problem,) = check_payload(post(), INFO)
    assert problem.reason is RejectReason.MEDIA_MISSING
    png = dataclasses.replace(photo(), mime_type="image/png")
    assert [one.reason for one in check_payload(post(png), INFO)] == [RejectReason.MEDIA_TYPE]
    wrong = check_payload(post(photo(), placement="wall"), INFO)
    assert [one.reason for one in wrong] == [RejectReason.SETTING_INVALID]


def test_without_a_public_address_nothing_is_sent(account: InstagramConnector) -> None:
    with pytest.raises(Rejected) as refused:
        send(account, post(dataclasses.replace(photo(), public_url=None)), "part0.container")
    assert refused.value.reason is RejectReason.MEDIA_NOT_PUBLIC


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"status_code": "FINISHED"}, StepState.DONE),
        ({"status_code": "IN_PROGRESS"}, StepState.PROCESSING),
        ({"status_code": "EXPIRED"}, None),
    ],
)
def test_a_container_is_asked_about_until_it_is_done(
    network: responses.RequestsMock, account: InstagramConnector, answer: Any, outcome: StepState | None
) -> None:
    network.get(f"{AT_INSTAGRAM}/180", json=answer)
    sent = post(photo())
    step = step_of(account, sent, "part0.container")
    intent = account.prepare_step(step, sent, {}, key=UUID, now=NOW)
    assert account.check(step, intent, None) is None
    checked = account.check(step, intent, StepResult(StepState.PROCESSING, "180"))
    assert (checked.state if checked else None) is outcome


def test_a_container_that_failed_says_why(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    said = {"status_code": "ERROR", "status": "Error: code 2207026: the video format is not supported"}
    network.get(f"{AT_INSTAGRAM}/180", json=said)
    sent = post(film())
    step = step_of(account, sent, "part0.container")
    with pytest.raises(Rejected) as refused:
        account.check(step, {}, StepResult(StepState.PROCESSING, "180"))
    assert refused.value.reason is RejectReason.MEDIA_BROKEN


def publication(account: InstagramConnector, sent: PostPayload) -> tuple[Step, dict[str, Any]]:
    step = step_of(account, sent, "part0.publish")
    done = {"part0.container": StepResult(remote_id="180")}
    return step, account.prepare_step(step, sent, done, key=UUID, now=NOW)


def test_an_unknown_outcome_is_told_by_the_container(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    step, intent = publication(account, post(photo()))
    assert account.safety_of(intent, NOW) is RetrySafety.TWO_PHASE
    path = f"{AT_INSTAGRAM}/180"
    network.get(path, json={"status_code": "FINISHED"})
    assert account.check(step, intent, None) is None
    network.upsert("GET", path, json={"status_code": "PUBLISHED"})
    rows = [
        media("1792", "Hello", NOW + dt.timedelta(minutes=5)),
        media("1791", "Hello", NOW + dt.timedelta(seconds=3)),
        media("1790", "Hello", NOW - dt.timedelta(days=1)),
        media("1789", "Other", NOW + dt.timedelta(seconds=2)),
    ]
    network.get(f"{AT_INSTAGRAM}/{IG}/media", json={"data": rows})
    # Whose the later one is, only the outbox knows.
    link = "https://www.instagram.com/p"
    assert account.check(step, intent, None) == StepResult(
        remote_id="1791",
        permalink=f"{link}/1791/",
        alternatives=(StepResult(remote_id="1792", permalink=f"{link}/1792/"),),
    )
    network.upsert("GET", f"{AT_INSTAGRAM}/{IG}/media", json={"data": []})
    with pytest.raises(Temporary):
        account.check(step, intent, None)
    for state, error, anew in (
        ("IN_PROGRESS", Temporary, False),
        ("EXPIRED", Temporary, True),
        ("ERROR", Rejected, False),
    ):
        network.upsert("GET", path, json={"status_code": state})
        with pytest.raises(error) as raised:
            account.check(step, intent, None)
        assert getattr(raised.value, "starts_over", False) is anew
    network.upsert("GET", path, status=400, json={"error": {"code": 100, "error_subcode": 33}})
    with pytest.raises(Temporary):
        account.check(step, intent, None)


def test_a_story_is_found_without_a_caption(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    step, intent = publication(account, post(photo(), placement="story"))
    network.get(f"{AT_INSTAGRAM}/180", json={"status_code": "PUBLISHED"})
    network.get(f"{AT_INSTAGRAM}/{IG}/stories", json={"data": [media("1791", "", NOW)]})
    found = account.check(step, intent, None)
    assert found is not None
    assert found.remote_id == "1791"


def test_a_refusal_of_what_was_published_before_is_no_refusal(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    step, intent = publication(account, post(photo()))
    refused = {"error": {"code": 24, "error_subcode": 2207008, "message": "does not exist"}}
    network.post(f"{AT_INSTAGRAM}/{IG}/media_publish", status=400, json=refused)
    network.get(f"{AT_INSTAGRAM}/180", json={"status_code": "PUBLISHED"})
    listed = f"{AT_INSTAGRAM}/{IG}/media"
    network.get(listed, json={"data": []})
    with pytest.raises(OutcomeUnknown):
        account.send_step(step, post(photo()), intent)
    # What is listed may be another's with the same words: that is found out where all of them are known.
    network.upsert("GET", listed, json={"data": [media("1791", "Hello", NOW)]})
    for state in ("PUBLISHED", "FINISHED"):
        network.upsert("GET", f"{AT_INSTAGRAM}/180", json={"status_code": state})
        with pytest.raises(OutcomeUnknown, match="does not exist"):
            account.send_step(step, post(photo()), intent)
    wordless, unsaid = publication(account, post(photo(), text=""))
    with pytest.raises(Rejected):  # any post without words would look like it
        account.send_step(wordless, post(photo(), text=""), unsaid)
    network.upsert("GET", f"{AT_INSTAGRAM}/180", json={"status_code": "EXPIRED"})
    with pytest.raises(Temporary) as gone:
        account.send_step(step, post(photo()), intent)
    assert gone.value.starts_over


def test_a_state_that_may_be_late_is_not_believed_at_once(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    sent, done = post(photo()), {"part0.container": StepResult(remote_id="180")}
    step = step_of(account, sent, "part0.publish")
    network.get(f"{AT_INSTAGRAM}/180", json={"status_code": "FINISHED"})
    now = dt.datetime.now(dt.UTC)
    for asked_at, is_late in ((now, True), (now - dt.timedelta(minutes=1), False)):
        intent = account.prepare_step(step, sent, done, key=UUID, now=asked_at)
        if is_late:
            with pytest.raises(Temporary):
                account.check(step, intent, None)
        else:
            assert account.check(step, intent, None) is None


def test_an_answer_without_an_id_is_in_doubt(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    step, intent = publication(account, post(photo()))
    network.post(f"{AT_INSTAGRAM}/{IG}/media_publish", json={"success": True})
    with pytest.raises(OutcomeUnknown):
        account.send_step(step, post(photo()), intent)


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (9007, 2207027, OutcomeUnknown),  # not ready: the container is asked
        (9, 2207042, RateLimited),
        (4, 2207051, Rejected),
        (25, 2207050, Rejected),
        (190, 463, NeedsReconnect),
        (4, None, RateLimited),
        (-1, 2207001, OutcomeUnknown),
    ],
)
def test_what_instagram_says_to_a_publication_decides_what_comes_next(
    network: responses.RequestsMock,
    account: InstagramConnector,
    code: int,
    subcode: int | None,
    kind: type[Exception],
) -> None:
    step, intent = publication(account, post(photo()))
    error = {"code": code, "error_subcode": subcode}
    network.post(f"{AT_INSTAGRAM}/{IG}/media_publish", status=400, json={"error": error})
    network.get(f"{AT_INSTAGRAM}/180", json={"status_code": "FINISHED"})
    network.get(f"{AT_INSTAGRAM}/{IG}/media", json={"data": []})
    with pytest.raises(kind):
        account.send_step(step, post(photo()), intent)


def test_every_step_of_a_post_may_be_repeated_but_the_last(account: InstagramConnector) -> None:
    steps = account.plan(post(photo(), film()))
    assert [step.is_repeatable for step in steps] == [True, True, True, False]
    assert {step.kind for step in steps[:2]} == {StepKind.MEDIA}
