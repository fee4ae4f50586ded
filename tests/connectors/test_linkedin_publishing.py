"""LinkedIn's connector on canned answers: posts, their images, videos and links, limits, and the
description that requests are held against."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
import responses
import yaml

from connectors import http, linkedin_media
from connectors.base import LinkCard, PostPart, PostPayload, ReplyTarget, StepKind, StepResult, StepState
from connectors.errors import Rejected, RejectReason, Temporary
from connectors.files import Slice
from connectors.linkedin import LinkedInConnector
from connectors.linkedin_calls import API_VERSION
from connectors.text import check_payload
from tests.connectors import linkedin_stage
from tests.connectors.conftest import NOW, SPECS, image, payload
from tests.connectors.linkedin_stage import (
    API,
    APP,
    COMMENT,
    PAGE,
    POST,
    UUID,
    account,
    body_of,
    created,
    film,
    publish,
)

network = linkedin_stage.network
page = linkedin_stage.page
person = linkedin_stage.person

UPLOAD = "https://www.linkedin.com/dms-uploads/sp/v2/D5610/uploaded-image/0?ca=vector"


# --- publishing -------------------------------------------------------------------------------


def test_a_post_is_written_by_its_page(network: responses.RequestsMock, page: LinkedInConnector) -> None:
    network.post(f"{API}/rest/posts", **created())
    result = publish(page, payload("Open (again) #coffee"))
    assert result == StepResult(remote_id=POST, permalink=f"https://www.linkedin.com/feed/update/{POST}/")
    assert body_of(network.calls[0]) == {
        "author": PAGE,
        "commentary": "Open \\(again\\) {hashtag|\\#|coffee}",
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    headers = network.calls[0].request.headers
    assert headers["LinkedIn-Version"] == API_VERSION
    assert headers["X-Restli-Protocol-Version"] == "2.0.0"


@pytest.mark.parametrize(
    ("chosen", "sent"), [("CONNECTIONS", "CONNECTIONS"), ("", "PUBLIC"), ("x", "PUBLIC")]
)
def test_a_person_says_who_sees_it(person: LinkedInConnector, chosen: str, sent: str) -> None:
    post = dataclasses.replace(payload("Hi"), settings={"visibility": chosen})
    step = person.plan(post)[0]
    assert person.prepare_step(step, post, {}, key=UUID, now=NOW)["post"]["visibility"] == sent


@pytest.mark.parametrize(
    ("stated", "version"), [("202610", "202610"), ("latest", API_VERSION), (None, API_VERSION)]
)
def test_the_version_of_the_api_can_be_set_for_the_app(
    network: responses.RequestsMock, stated: str | None, version: str
) -> None:
    network.post(f"{API}/rest/posts", **created())
    extra = {"version": stated} if stated else {}
    publish(account(app=dataclasses.replace(APP, extra=extra)), payload("Hi"))
    assert network.calls[0].request.headers["LinkedIn-Version"] == version


def begun(what: str, urn: str, **more: Any) -> dict[str, Any]:
    return {"value": {"uploadUrlExpiresAt": 1, what: urn, **more}}


def test_images_are_uploaded_and_shown_together(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    network.post(f"{API}/rest/images", json=begun("image", "urn:li:image:C4E", uploadUrl=UPLOAD))
    network.put(UPLOAD, status=201)
    sent = payload("Look", media=(image("A cup"), image("")))
    first, second, publication = page.plan(sent)
    assert (first.kind, second.kind, publication.kind) == (
        StepKind.MEDIA,
        StepKind.MEDIA,
        StepKind.PUBLISH,
    )
    intent = page.prepare_step(first, sent, {}, key=UUID, now=NOW)
    assert page.send_step(first, sent, intent) == StepResult(remote_id="urn:li:image:C4E")
    assert body_of(network.calls[0]) == {"initializeUploadRequest": {"owner": PAGE}}
    upload = network.calls[1].request
    assert upload.headers["Authorization"] == "Bearer AQX-TOKEN"
    assert upload.headers["Content-Type"] == "image/png"
    done = {f"part0.media{n}": StepResult(remote_id=f"urn:li:image:{n}") for n in range(2)}
    post = page.prepare_step(publication, sent, done, key=UUID, now=NOW)["post"]
    assert post["content"] == {
        "multiImage": {"images": [{"id": "urn:li:image:0", "altText": "A cup"}, {"id": "urn:li:image:1"}]}
    }
    one = payload("Look", media=(image("A cup"),))
    post = page.prepare_step(page.plan(one)[-1], one, done, key=UUID, now=NOW)["post"]
    assert post["content"] == {"media": {"id": "urn:li:image:0", "altText": "A cup"}}


@pytest.mark.parametrize("host", ["evil.example.com", "www.linkedin.com.example.com"])
def test_the_token_goes_to_linkedin_alone(
    network: responses.RequestsMock, page: LinkedInConnector, host: str
) -> None:
    network.post(f"{API}/rest/images", json=begun("image", "urn:li:image:1", uploadUrl=f"https://{host}/x"))
    network.put(f"https://{host}/x", status=201)
    sent = payload("Look", media=(image(),))
    page.send_step(page.plan(sent)[0], sent, {"owner": PAGE})
    assert "Authorization" not in network.calls[1].request.headers


@pytest.mark.parametrize("with_cover", [True, False])
def test_a_video_is_uploaded_in_pieces_and_waited_for(
    network: responses.RequestsMock, page: LinkedInConnector, with_cover: bool
) -> None:
    pieces = [
        {"uploadUrl": f"{UPLOAD}&part=1", "firstByte": 0, "lastByte": 9},
        {"uploadUrl": f"{UPLOAD}&part=2", "firstByte": 10, "lastByte": 14},
    ]
    thumbnail = "https://www.linkedin.com/dms-uploads/thumb"
    answer = begun("video", "urn:li:video:C5F", uploadInstructions=pieces, uploadToken="t0k")
    answer["value"]["thumbnailUploadUrl"] = thumbnail
    network.post(f"{API}/rest/videos", json=answer)
    stored = {}

    def store(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        part = dict(parse_qsl(urlsplit(str(request.url)).query)).get("part", "cover")
        body: Any = request.body
        stored[part] = body if isinstance(body, bytes) else body.read()
        return 200, {"ETag": f'"/ambry-video/signedId/{part}"'}, ""

    network.add_callback("PUT", re.compile(r"https://www\.linkedin\.com/dms-uploads/.*"), callback=store)
    sent = payload("Waves", media=(film(15, cover=(lambda: io.BytesIO(b"jpeg")) if with_cover else None),))
    step = page.plan(sent)[0]
    intent = page.prepare_step(step, sent, {}, key=UUID, now=NOW)
    result = page.send_step(step, sent, intent)
    assert (result.state, result.remote_id) == (StepState.PROCESSING, "urn:li:video:C5F")
    assert stored["1"] + stored["2"] == bytes(range(15))
    assert ("cover" in stored) is with_cover
    first, last = network.calls[0], network.calls[-1]
    assert parse_qs(urlsplit(str(first.request.url)).query) == {"action": ["initializeUpload"]}
    assert body_of(first)["initializeUploadRequest"] == {
        "owner": PAGE,
        "fileSizeBytes": 15,
        "uploadCaptions": False,
        "uploadThumbnail": with_cover,
    }
    assert parse_qs(urlsplit(str(last.request.url)).query) == {"action": ["finalizeUpload"]}
    assert body_of(last)["finalizeUploadRequest"] == {
        "video": "urn:li:video:C5F",
        "uploadToken": "t0k",
        "uploadedPartIds": ["/ambry-video/signedId/1", "/ambry-video/signedId/2"],
    }

    address = f"{API}/rest/videos/urn%3Ali%3Avideo%3AC5F"
    for status, state in (
        ("WAITING_UPLOAD", StepState.PROCESSING),
        ("PROCESSING", StepState.PROCESSING),
        ("AVAILABLE", StepState.DONE),
    ):
        network.upsert("GET", address, json={"id": "urn:li:video:C5F", "status": status})
        checked = page.check(step, intent, result)
        assert checked is not None
        assert checked.state is state
    network.upsert("GET", address, json={"status": "PROCESSING_FAILED", "processingFailureReason": "odd"})
    with pytest.raises(Rejected) as refused:
        page.check(step, intent, result)
    assert (refused.value.reason, refused.value.detail) == (RejectReason.MEDIA_BROKEN, "odd")
    network.upsert("GET", address, status=404, json={})
    assert page.check(step, intent, result) is None
    network.upsert("GET", address, status=403, json={"message": "Accessing this video is forbidden"})
    assert page.check(step, intent, result) == StepResult(remote_id="urn:li:video:C5F")


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"value": None},
        {"value": {"video": "urn:li:video:1"}},
        {"value": {"video": "urn:li:video:1", "uploadInstructions": []}},
        {"value": {"video": "urn:li:video:1", "uploadInstructions": [None]}},
        {"value": {"video": "urn:li:video:1", "uploadInstructions": [{"uploadUrl": UPLOAD}]}},
        {
            "value": {
                "video": "urn:li:video:1",
                "uploadInstructions": [{"uploadUrl": UPLOAD, "firstByte": 9, "lastByte": 1}],
            }
        },
        {
            "value": {
                "video": "urn:li:video:1",
                "uploadInstructions": [{"uploadUrl": UPLOAD, "firstByte": 0, "lastByte": 14}],
            }
        },
    ],
    ids=str,
)
def test_an_upload_that_makes_no_sense_may_be_repeated(
    network: responses.RequestsMock, page: LinkedInConnector, value: dict[str, Any]
) -> None:
    network.post(f"{API}/rest/videos", json=value)
    network.put(re.compile(".*"), status=200)  # without an ETag
    sent = payload("Waves", media=(film(15),))
    with pytest.raises(Temporary):
        page.send_step(page.plan(sent)[0], sent, {"owner": PAGE})


@pytest.mark.parametrize(
    "ranges",
    [
        [(0, 9), (11, 14)],
        [(0, 9), (9, 14)],
        [(10, 14), (0, 9)],
        [(0, 9)],
        [(0, 99)],
        [(1, 14)],
        [(0, True), (2, 14)],
        [(0, 9), (10, 14), (15, 14)],
        [(0, 10**30)],
    ],
    ids=str,
)
def test_pieces_that_are_not_the_file_are_not_uploaded(
    network: responses.RequestsMock, page: LinkedInConnector, ranges: list[tuple[int, int]]
) -> None:
    pieces = [{"uploadUrl": UPLOAD, "firstByte": first, "lastByte": last} for first, last in ranges]
    network.post(f"{API}/rest/videos", json=begun("video", "urn:li:video:1", uploadInstructions=pieces))
    network.put(re.compile(".*"), status=200, headers={"ETag": "x"})
    sent = payload("Waves", media=(film(15),))
    with pytest.raises(Temporary):
        page.send_step(page.plan(sent)[0], sent, {"owner": PAGE})
    assert len(network.calls) == 1


def test_a_large_piece_is_not_held_in_memory(
    network: responses.RequestsMock, page: LinkedInConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linkedin_media, "PIECE_BYTES", 4)
    pieces = [
        {"uploadUrl": f"{UPLOAD}&part=1", "firstByte": 0, "lastByte": 10},
        {"uploadUrl": f"{UPLOAD}&part=2", "firstByte": 11, "lastByte": 14},
    ]
    network.post(f"{API}/rest/videos", json=begun("video", "urn:li:video:1", uploadInstructions=pieces))
    network.put(re.compile(r"https://www\.linkedin\.com/dms-uploads/.*"), headers={"ETag": "x"})
    given: list[Any] = []
    request = http.request

    def watched(method: str, url: str, **arguments: Any) -> requests.Response:
        given.append(arguments.get("body"))
        return request(method, url, **arguments)

    monkeypatch.setattr(http, "request", watched)
    sent = payload("Waves", media=(film(15),))
    page.send_step(page.plan(sent)[0], sent, {"owner": PAGE})
    bodies = [body for body in given if body is not None]
    assert [type(body) for body in bodies] == [Slice, bytes]
    assert [str(call.request.headers["Content-Length"]) for call in network.calls[1:3]] == ["11", "4"]


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (401, Temporary, None),  # the permission to upload, not the account's
        (403, Temporary, None),
        (413, Rejected, RejectReason.MEDIA_TOO_LARGE),
        (422, Rejected, RejectReason.MEDIA_BROKEN),
        (503, Temporary, None),
    ],
)
def test_what_the_storage_says(
    network: responses.RequestsMock, page: LinkedInConnector, status: int, error: Any, reason: Any
) -> None:
    network.post(f"{API}/rest/images", json=begun("image", "urn:li:image:1", uploadUrl=UPLOAD))
    network.put(UPLOAD, status=status)
    sent = payload("Look", media=(image(),))
    with pytest.raises(error) as raised:
        page.send_step(page.plan(sent)[0], sent, {"owner": PAGE})
    assert getattr(raised.value, "reason", None) == reason


CARD = LinkCard("https://example.com/menu", "Menu", "What we have", "https://example.com/menu.jpg")


def with_card(card: LinkCard) -> PostPayload:
    return PostPayload((PostPart("Look", link_card=card),))


def test_a_link_is_shown_with_its_picture(network: responses.RequestsMock, page: LinkedInConnector) -> None:
    network.get(CARD.image_url, body=b"jpeg", content_type="image/jpeg")
    network.post(f"{API}/rest/images", json=begun("image", "urn:li:image:1", uploadUrl=UPLOAD))
    network.put(UPLOAD, status=201)
    sent = with_card(CARD)
    picture, publication = page.plan(sent)
    assert picture.kind is StepKind.CONTAINER
    result = page.send_step(picture, sent, page.prepare_step(picture, sent, {}, key=UUID, now=NOW))
    assert result == StepResult(remote_id="urn:li:image:1")
    done = {picture.key: result}
    assert page.prepare_step(publication, sent, done, key=UUID, now=NOW)["post"]["content"] == {
        "article": {
            "source": "https://example.com/menu",
            "title": "Menu",
            "description": "What we have",
            "thumbnail": "urn:li:image:1",
        }
    }


@pytest.mark.parametrize(
    "answer", [{"status": 404}, {"body": b"<svg/>", "content_type": "image/svg+xml"}], ids=str
)
def test_a_link_whose_picture_cannot_be_had_is_shown_without(
    network: responses.RequestsMock, page: LinkedInConnector, answer: dict[str, Any]
) -> None:
    network.get(CARD.image_url, **answer)
    sent = with_card(dataclasses.replace(CARD, title="", description=""))
    picture, publication = page.plan(sent)
    result = page.send_step(picture, sent, page.prepare_step(picture, sent, {}, key=UUID, now=NOW))
    post = page.prepare_step(publication, sent, {picture.key: result}, key=UUID, now=NOW)["post"]
    assert post["content"] == {"article": {"source": CARD.url, "title": CARD.url}}


def test_images_leave_no_room_for_a_link(page: LinkedInConnector) -> None:
    sent = PostPayload((PostPart("Look", media=(image(),), link_card=CARD),))
    assert [step.kind for step in page.plan(sent)] == [StepKind.MEDIA, StepKind.PUBLISH]


@pytest.mark.parametrize(
    ("sent", "reasons"),
    [
        (payload("*" * 3000), []),  # counted as people see it, not as it is escaped
        (payload("a" * 3001), [RejectReason.TEXT_TOO_LONG]),
        (payload("👋" * 1500), []),
        (payload("👋" * 1501), [RejectReason.TEXT_TOO_LONG]),
        (payload("a", media=(image(),) * 20), []),
        (payload("a", media=(image(),) * 21), [RejectReason.TOO_MANY_MEDIA]),
        (payload("a", media=(image("a" * 4087),)), [RejectReason.ALT_TEXT_TOO_LONG]),
        (payload("a", media=(film(9, duration_s=2.0),)), [RejectReason.VIDEO_TOO_SHORT]),
        (payload("a", "b"), [RejectReason.THREAD_TOO_LONG]),
        (PostPayload((PostPart("a"), PostPart("b" * 1250, is_comment=True))), []),
        (
            PostPayload((PostPart("a"), PostPart("b" * 1251, is_comment=True))),
            [RejectReason.TEXT_TOO_LONG],
        ),
        (
            PostPayload((PostPart("b" * 1251),), reply_to=ReplyTarget(COMMENT)),
            [RejectReason.TEXT_TOO_LONG],
        ),
    ],
)
def test_limits_are_kept_at_their_edges(sent: PostPayload, reasons: list[RejectReason]) -> None:
    assert [problem.reason for problem in check_payload(sent, account().info)] == reasons


# --- the description --------------------------------------------------------------------------


def described() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for name in ("linkedin-marketing-content.yml", "linkedin-marketing-community.yml"):
        path = SPECS / "linkedin" / name
        if not path.is_file():
            pytest.skip(f"NETWORK_SPECS has no linkedin/{name}: requests are not held against it")
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        examples = {key: schema.get("example") for key, schema in told["components"]["schemas"].items()}
        for where, methods in told["paths"].items():
            paths.setdefault(where.removeprefix("/rest"), {}).update(methods)
        paths.setdefault("examples", {}).update(examples)
    return paths


def example_of(told: dict[str, Any], name: str) -> dict[str, Any]:
    """The examples are JSON, written into YAML as a quoted text with comments in it."""
    text = told["examples"][name]
    if isinstance(text, dict):
        return text
    lines = text.strip().strip('"').replace("\\n", "\n").replace('\\"', '"').split("\n")
    found: dict[str, Any] = json.loads("\n".join(line.partition("//")[0] for line in lines))
    return found


def test_requests_are_those_of_the_description(page: LinkedInConnector) -> None:
    told = described()
    image_example = example_of(told, "InitializeImageUploadRequest")
    assert image_example["initializeUploadRequest"].keys() == {"owner"}
    video_example = example_of(told, "InitializeVideoUploadRequest")
    assert video_example["initializeUploadRequest"].keys() == {
        "owner",
        "fileSizeBytes",
        "uploadCaptions",
        "uploadThumbnail",
    }
    post = page.prepare_step(page.plan(payload("Hi"))[0], payload("Hi"), {}, key=UUID, now=NOW)["post"]
    post_example = example_of(told, "CreateDocumentContentRequest")
    assert post.keys() == post_example.keys() - {"content"}
    assert post["distribution"].keys() == post_example["distribution"].keys()
    for where, method, names in (
        ("/images", "post", {"action"}),
        ("/videos", "post", {"action"}),
        ("/posts", "get", {"ids"}),
        ("/organizationalEntityShareStatistics", "get", {"q", "organizationalEntity"}),
        ("/networkSizes/urn:li:organization:{organization_id}", "get", {"edgeType"}),
        ("/organizationAcls", "get", {"q"}),
    ):
        stated = {one["name"] for one in told[where][method]["parameters"] if one["in"] == "query"}
        assert names <= stated, where
    headers = {one["name"].lower() for one in told["/images"]["post"]["parameters"] if one["in"] == "header"}
    assert headers == {"linkedin-version", "x-restli-protocol-version"}
