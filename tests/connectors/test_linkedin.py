"""LinkedIn's connector on canned answers: connecting, publishing, reading back, counts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import pytest
import requests
import responses
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from connectors import http, linkedin_media
from connectors.base import (
    AppCredentials,
    Capability,
    LinkCard,
    MediaItem,
    Moderation,
    ModerationAction,
    NotAllListed,
    PostPart,
    PostPayload,
    ReplyTarget,
    StepKind,
    StepResult,
    StepState,
    Tokens,
)
from connectors.errors import (
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.files import Slice
from connectors.linkedin import LinkedInConnector
from connectors.linkedin_calls import API_VERSION
from connectors.linkedin_info import INFO
from connectors.linkedin_text import from_little, to_little
from connectors.text import check_payload
from tests.connectors.conftest import NOW, SPECS, image, payload

API = "https://api.linkedin.com"
TOKEN_URL = "https://www.linkedin.com/oauth/v2/accessToken"
PAGE = "urn:li:organization:5515715"
PERSON = "urn:li:person:A8xe03Qt10"
POST = "urn:li:share:6844785523593134080"
THREAD = "urn:li:activity:6844785523593134081"
COMMENT = f"urn:li:comment:({THREAD},6844785523593134082)"
UPLOAD = "https://www.linkedin.com/dms-uploads/sp/v2/D5610/uploaded-image/0?ca=vector"
APP = AppCredentials(client_id="78abc", client_secret="app-s3cret")
UUID = "0192c1b0-0000-7000-8000-000000000001"
PAGE_SCOPES = [
    "w_member_social",
    "rw_organization_admin",
    "r_organization_social",
    "w_organization_social",
    "r_organization_social_feed",
    "w_organization_social_feed",
]


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def account(urn: str = PAGE, scopes: list[str] | None = None, **more: Any) -> LinkedInConnector:
    options = {
        "urn": urn,
        "person": PERSON,
        "handle": "harbour",
        "name": "Harbour Coffee",
        "scopes": PAGE_SCOPES if scopes is None else scopes,
    }
    return LinkedInConnector(tokens=Tokens(access_token="AQX-TOKEN"), options=options, **more)


@pytest.fixture
def page() -> LinkedInConnector:
    return account()


@pytest.fixture
def person() -> LinkedInConnector:
    return account(PERSON, ["openid", "profile", "w_member_social"])


def publish(
    client: LinkedInConnector, sent: PostPayload, done: dict[str, StepResult] | None = None
) -> StepResult:
    step = client.plan(sent)[-1]
    return client.send_step(step, sent, client.prepare_step(step, sent, done or {}, key=UUID, now=NOW))


def created(urn: str = POST) -> dict[str, Any]:
    return {"status": 201, "headers": {"x-restli-id": urn}}


def body_of(call: responses.Call) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call.request.body or "")
    return found


def path_of(call: responses.Call) -> str:
    return urlsplit(str(call.request.url)).path


def ms(at: dt.datetime) -> int:
    return round(at.timestamp() * 1000)


def remote(urn: str, commentary: str, at: dt.datetime, **more: Any) -> dict[str, Any]:
    return {
        "id": urn,
        "author": PAGE,
        "commentary": commentary,
        "createdAt": ms(at),
        "lastModifiedAt": ms(at),
        "lifecycleState": "PUBLISHED",
        **more,
    }


def remote_comment(number: int, text: str, at: dt.datetime, actor: str = PAGE, **more: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "actor": actor,
        "commentUrn": f"urn:li:comment:({THREAD},{number})",
        "created": {"actor": actor, "time": ms(at)},
        "message": {"attributes": [], "text": text},
        "object": THREAD,
        **more,
    }


# --- little text ------------------------------------------------------------------------------


@given(st.text(alphabet=st.one_of(st.sampled_from("\\|{}@[]()<>#＃*_~ab1 \né猫"), st.characters())))
@example("{hashtag|\\#|tag} @[Bob](urn:li:person:1) \\\\ #tag_1 ＃珈琲 C# #1 \\")
def test_words_come_back_as_they_were_written(text: str) -> None:
    assert from_little(to_little(text)) == text


@given(st.text(alphabet=st.sampled_from("\\|{}@[]()<>#＃*_~ab1 猫")))
def test_nothing_reserved_is_left_as_it_is(text: str) -> None:
    """LinkedIn drops what follows a reserved character that is neither escaped nor part of a template."""
    plain = re.sub(r"\{hashtag\|(?:\\#|＃)\|(?:\\_|[ab1猫])+\}", "", to_little(text))
    assert re.search(r"[|{}@\[\]()<>#*_~]", re.sub(r"\\.", "", plain)) is None


@pytest.mark.parametrize(
    ("text", "little"),
    [
        ("Coffee (new) #flat_white", r"Coffee \(new\) {hashtag|\#|flat\_white}"),
        ("朝は ＃珈琲です", "朝は {hashtag|＃|珈琲です}"),
        ("朝の＃珈琲です", "朝の＃珈琲です"),
        ("C# costs *3* <4> ~ @bob", r"C\# costs \*3\* \<4\> \~ \@bob"),
        ("https://example.com/a_b#c", r"https://example.com/a\_b\#c"),
    ],
)
def test_how_words_are_written(text: str, little: str) -> None:
    assert to_little(text) == little


@pytest.mark.parametrize(
    ("little", "text"),
    [
        ("Hello @[Acme \\(Corp\\)](urn:li:organization:1234)!", "Hello Acme (Corp)!"),
        ("a {hashtag|#|Technology} b", "a #Technology b"),
        ("{hashtag|broken} @[x] \\", "{hashtag|broken} @[x] \\"),
    ],
)
def test_what_others_wrote_is_shown_as_people_see_it(little: str, text: str) -> None:
    assert from_little(little) == text


# --- connecting -------------------------------------------------------------------------------


def test_a_person_is_asked_for_the_chosen_scopes() -> None:
    asked = LinkedInConnector.authorize_url(
        app=APP, redirect_uri="https://smm.example.com/back", state="st", scopes=("openid", "profile")
    )
    parts = urlsplit(asked.url)
    assert f"{parts.netloc}{parts.path}" == "www.linkedin.com/oauth/v2/authorization"
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "client_id": ["78abc"],
        "redirect_uri": ["https://smm.example.com/back"],
        "state": ["st"],
        "scope": ["openid profile"],
    }


def exchange() -> tuple[Any, ...]:
    return LinkedInConnector.exchange_accounts(
        app=APP, code="c0de_long", code_verifier="", redirect_uri="https://smm.example.com/back"
    )


def test_a_sign_in_of_a_person_becomes_one_account(network: responses.RequestsMock) -> None:
    answer = {"access_token": "AQX", "expires_in": 5_184_000, "scope": "openid,profile,w_member_social"}
    network.post(TOKEN_URL, json=answer)
    who = {"sub": "A8xe03Qt10", "name": "Ann Harbour", "picture": "https://media.licdn.com/1.jpg"}
    network.get(f"{API}/v2/userinfo", json=who)
    (connected,) = exchange()
    assert (connected.profile.remote_id, connected.profile.handle) == (PERSON, "Ann Harbour")
    assert connected.scopes == ("openid", "profile", "w_member_social")
    # Without a refresh token the application tells when the connection ends.
    assert connected.tokens.refresh_token == ""
    assert abs((connected.tokens.expires_at - dt.datetime.now(dt.UTC)).days - 60) <= 1
    assert "AQX" not in json.dumps(connected.options)
    sent = dict(parse_qsl(str(network.calls[0].request.body)))
    assert (sent["grant_type"], sent["client_secret"]) == ("authorization_code", "app-s3cret")


def test_a_sign_in_speaks_for_the_pages_on_which_one_may_post(network: responses.RequestsMock) -> None:
    scopes = (
        "r_basicprofile,r_organization_social,rw_organization_admin,w_member_social,w_organization_social"
    )
    answer = {"access_token": "AQX", "expires_in": 5_184_000, "refresh_token": "AQR", "scope": scopes}
    network.post(TOKEN_URL, json=answer)
    names = {"localizedFirstName": "Ann", "localizedLastName": "Harbour", "vanityName": "ann-h"}
    network.get(f"{API}/v2/me", json={"id": "A8xe03Qt10", **names})
    roles = [
        {"organization": PAGE, "role": "ADMINISTRATOR", "state": "APPROVED"},
        {"organization": PAGE, "role": "CONTENT_ADMIN", "state": "APPROVED"},
        {"organization": "urn:li:organization:2", "role": "ANALYST", "state": "APPROVED"},
        {"organization": "urn:li:organization:3", "role": "ADMINISTRATOR", "state": "APPROVED"},
        None,
    ]
    network.get(f"{API}/rest/organizationAcls", json={"elements": roles})
    about = {"id": 5515715, "localizedName": "Harbour Coffee", "vanityName": "harbour"}
    network.get(f"{API}/rest/organizations/5515715", json=about)
    network.get(f"{API}/rest/organizations/3", status=403, json={"status": 403, "message": "closed"})
    ann, harbour = exchange()
    assert (ann.profile.handle, ann.profile.profile_url) == ("ann-h", "https://www.linkedin.com/in/ann-h/")
    assert (harbour.profile.remote_id, harbour.profile.handle) == (PAGE, "harbour")
    assert harbour.options["person"] == PERSON
    assert harbour.tokens.refresh_token == "AQR"


def test_who_signed_in_must_be_told(network: responses.RequestsMock) -> None:
    network.post(TOKEN_URL, json={"access_token": "AQX", "expires_in": 9, "scope": "w_member_social"})
    with pytest.raises(Rejected) as refused:
        exchange()
    assert refused.value.reason is RejectReason.INVALID


def test_a_sign_in_that_may_post_as_nobody_is_said(network: responses.RequestsMock) -> None:
    network.post(TOKEN_URL, json={"access_token": "AQX", "expires_in": 9, "scope": "openid,profile"})
    network.get(f"{API}/v2/userinfo", json={"sub": "A8xe03Qt10"})
    with pytest.raises(Rejected) as refused:
        exchange()
    assert refused.value.reason is RejectReason.NOT_FOUND


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 400, "json": {"error": "invalid_request", "error_description": "c0de_long"}}, Rejected),
        ({"status": 401, "json": {"error": "invalid_client", "error_description": "app-s3cret"}}, Rejected),
        ({"status": 500, "body": ""}, Temporary),
        ({"json": {}}, Temporary),
    ],
    ids=str,
)
def test_a_code_that_is_refused_leaves_no_secret(
    network: responses.RequestsMock, answer: dict[str, Any], error: type[Exception]
) -> None:
    network.post(TOKEN_URL, **answer)
    with pytest.raises(error) as refused:
        exchange()
    assert "c0de_long" not in str(refused.value)
    assert "app-s3cret" not in str(refused.value)


def test_tokens_are_refreshed_only_where_there_is_a_refresh_token(network: responses.RequestsMock) -> None:
    network.post(TOKEN_URL, json={"access_token": "AQ2", "expires_in": 5_184_000})
    fresh = LinkedInConnector.refresh(tokens=Tokens("AQ1", "AQR-1"), options={}, app=APP)
    assert (fresh.access_token, fresh.refresh_token) == ("AQ2", "AQR-1")
    network.upsert("POST", TOKEN_URL, json={"access_token": "AQ3", "refresh_token": "AQR-2"})
    fresh = LinkedInConnector.refresh(tokens=Tokens("AQ1", "AQR-1"), options={}, app=APP)
    assert (fresh.refresh_token, fresh.expires_at) == ("AQR-2", None)
    network.upsert("POST", TOKEN_URL, status=400, json={"error": "invalid_request"})
    for tokens, app in ((Tokens("AQ1", "AQR-1"), APP), (Tokens("AQ1"), APP), (Tokens("AQ1", "AQR-1"), None)):
        with pytest.raises(NeedsReconnect):
            LinkedInConnector.refresh(tokens=tokens, options={}, app=app)


def test_a_token_that_ends_in_the_middle_is_renewed_once(network: responses.RequestsMock) -> None:
    network.post(f"{API}/rest/posts", status=401, json={"status": 401, "code": "EXPIRED_ACCESS_TOKEN"})
    network.post(f"{API}/rest/posts", **created())
    client = account(renew=lambda stale: dataclasses.replace(stale, access_token="AQ2"))
    client.tokens = Tokens("AQ1", "AQR")
    assert publish(client, payload("Hi")).remote_id == POST
    sent = [call.request.headers["Authorization"] for call in network.calls]
    assert sent == ["Bearer AQ1", "Bearer AQ2"]


def test_what_an_account_can_do_is_what_was_granted() -> None:
    info = account(PERSON, ["openid", "profile", "w_member_social"]).info
    assert not info.reads_back
    assert not info.capabilities & {Capability.FIRST_COMMENT, Capability.INBOX_COMMENTS, Capability.REPLY}
    assert info.post_fields
    info = account(PERSON, ["w_member_social", "w_member_social_feed", "r_member_social"]).info
    assert info.reads_back
    assert info.can(Capability.FIRST_COMMENT)
    info = account(PAGE, ["rw_organization_admin", "r_organization_social", "w_organization_social"]).info
    assert info.reads_back
    assert info.can(Capability.POST_METRICS)
    assert not info.capabilities & {Capability.FIRST_COMMENT, Capability.REPLY, Capability.WEBHOOKS}
    assert account().info.capabilities == INFO.capabilities
    assert account().info.post_fields == ()


def test_the_account_is_read(
    network: responses.RequestsMock, page: LinkedInConnector, person: LinkedInConnector
) -> None:
    about = {"id": 5515715, "localizedName": "Harbour Coffee", "vanityName": "harbour"}
    network.get(f"{API}/rest/organizations/5515715", json=about)
    network.get(f"{API}/v2/userinfo", json={"sub": "A8xe03Qt10", "name": "Ann Harbour"})
    assert page.fetch_profile().profile_url == "https://www.linkedin.com/company/harbour/"
    assert person.fetch_profile().remote_id == PERSON


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


def film(size: int, **more: Any) -> MediaItem:
    content = bytes(n % 251 for n in range(size))
    item = MediaItem("clip", "video/mp4", size, 720, 1280, "A wave", lambda: io.BytesIO(content), 6.0, 30.0)
    return dataclasses.replace(item, **more)


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


# --- reading back -----------------------------------------------------------------------------


def test_a_post_is_read_as_it_was_written(network: responses.RequestsMock, page: LinkedInConnector) -> None:
    images = {"multiImage": {"images": [{"id": "1"}, {"id": "2"}]}}
    address = f"{API}/rest/posts/urn%3Ali%3Ashare%3A6844785523593134080"
    network.get(address, json=remote(POST, to_little("Open (again) #coffee"), NOW, content=images))
    read = page.fetch_post(POST)
    assert read is not None
    assert (read.text, read.media_count, read.created_at) == ("Open (again) #coffee", 2, NOW)
    network.upsert("GET", address, json=remote(POST, "x", NOW, content={"media": {"id": "1"}}))
    read = page.fetch_post(POST)
    assert read is not None
    assert read.media_count == 1
    network.upsert("GET", address, json=remote(POST, "x", NOW, content={"article": {"source": "y"}}))
    read = page.fetch_post(POST)
    assert read is not None
    assert read.media_count == 0
    network.upsert("GET", address, status=404, json={"status": 404})
    assert page.fetch_post(POST) is None


def test_a_comment_is_read_back(network: responses.RequestsMock, page: LinkedInConnector) -> None:
    address = (
        f"{API}/rest/socialActions/urn%3Ali%3Aactivity%3A6844785523593134081/comments/6844785523593134082"
    )
    network.get(address, json=remote_comment(6844785523593134082, "Thanks", NOW))
    read = page.fetch_post(COMMENT)
    assert read is not None
    assert (read.remote_id, read.text) == (COMMENT, "Thanks")
    network.upsert("GET", address, status=404)
    assert page.fetch_post(COMMENT) is None


def test_own_posts_come_newest_first(network: responses.RequestsMock, page: LinkedInConnector) -> None:
    newer = remote("urn:li:share:2", "newer", NOW + dt.timedelta(minutes=2))
    older = remote("urn:li:share:1", "older", NOW + dt.timedelta(minutes=1))
    old = remote("urn:li:share:0", "old", NOW - dt.timedelta(days=1), lastModifiedAt=ms(NOW))
    network.get(f"{API}/rest/posts", json={"elements": [older, old, newer, None]})
    assert [post.text for post in page.find_recent(since=NOW)] == ["newer", "older"]
    query = dict(parse_qsl(urlsplit(str(network.calls[0].request.url)).query))
    assert (query["q"], query["author"]) == ("author", PAGE)
    assert network.calls[0].request.headers["X-RestLi-Method"] == "FINDER"


def test_what_a_person_wrote_cannot_be_read_and_that_is_said(
    network: responses.RequestsMock, person: LinkedInConnector
) -> None:
    for act in (
        lambda: person.find_recent(since=NOW),
        lambda: person.find_sent(payload("Hi"), since=NOW),
        lambda: person.fetch_post(POST),
    ):
        with pytest.raises(Rejected) as refused:
            act()
        assert refused.value.reason is RejectReason.FORBIDDEN
    assert not network.calls


@pytest.mark.parametrize(
    ("shown", "is_ours"),
    [
        ("See https://lnkd.in/gAb-12 and {hashtag|\\#|x}", True),
        ("See https://example.com/menu and {hashtag|\\#|x}", True),
        ("See https://lnkd.in/gAb-12 and more", False),
        ("Look https://lnkd.in/gAb-12 and {hashtag|\\#|x}", False),
    ],
)
def test_addresses_that_linkedin_shortened_are_known_again(
    network: responses.RequestsMock, page: LinkedInConnector, shown: str, is_ours: bool
) -> None:
    network.get(f"{API}/rest/posts", json={"elements": [remote(POST, shown, NOW)]})
    sent = payload("See https://example.com/menu and #x")
    (post,) = page.find_sent(sent, since=NOW)
    assert (post.text == sent.parts[0].text) is is_ours


def test_first_comments_are_looked_for_below_new_posts(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    network.get(f"{API}/rest/posts", json={"elements": [remote(POST, "Post", NOW)]})
    others = remote_comment(1, "Hi", NOW, actor=PERSON)
    ours = remote_comment(2, "More", NOW)
    network.get(re.compile(f"{API}/rest/socialActions/.*"), json={"elements": [others, ours, {}]})
    sent = PostPayload((PostPart("Post"), PostPart("More", is_comment=True)))
    found = page.find_sent(sent, since=NOW)
    assert [(post.text, post.in_reply_to) for post in found] == [("Post", ""), ("More", POST)]


def test_an_answer_is_looked_for_below_what_it_answers(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    old = remote_comment(1, "Thanks", NOW - dt.timedelta(days=1))
    network.get(
        re.compile(f"{API}/rest/socialActions/.*"),
        json={"elements": [old, remote_comment(2, "Thanks", NOW)]},
    )
    nested = f"urn:li:comment:({THREAD},99)"
    sent = PostPayload((PostPart("Thanks"),), reply_to=ReplyTarget(nested, POST, {"parent": COMMENT}))
    (found,) = page.find_sent(sent, since=NOW)
    assert (found.remote_id, found.in_reply_to) == (f"urn:li:comment:({THREAD},2)", nested)
    assert unquote(path_of(network.calls[0])) == f"/rest/socialActions/{COMMENT}/comments"


def test_more_comments_than_can_be_read_prove_nothing(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    crowd = [remote_comment(n, "Hi", NOW, actor=PERSON) for n in range(100)]
    network.get(re.compile(f"{API}/rest/socialActions/.*"), json={"elements": crowd})
    sent = PostPayload((PostPart("Thanks"),), reply_to=ReplyTarget(COMMENT))
    with pytest.raises(Temporary):
        page.find_sent(sent, since=NOW)


def test_own_words_among_comments_that_were_read_in_part_are_no_proof(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    crowd = [remote_comment(n, "Hi", NOW, actor=PERSON) for n in range(99)]
    network.get(
        re.compile(f"{API}/rest/socialActions/.*"),
        json={"elements": [*crowd, remote_comment(100, "Something else", NOW)]},
    )
    with pytest.raises(Temporary):
        page.find_sent(PostPayload((PostPart("Thanks"),), reply_to=ReplyTarget(COMMENT)), since=NOW)
    same = PostPayload((PostPart("Something else"),), reply_to=ReplyTarget(COMMENT))
    with pytest.raises(NotAllListed) as partly:
        page.find_sent(same, since=NOW)
    assert {post.text for post in partly.value.posts} == {"Something else"}


@pytest.mark.parametrize("status", [404, 410])
def test_comments_below_what_linkedin_does_not_know_are_no_proof(
    network: responses.RequestsMock, page: LinkedInConnector, status: int
) -> None:
    network.get(f"{API}/rest/posts", json={"elements": [remote(POST, "Post", NOW)]})
    network.get(re.compile(f"{API}/rest/socialActions/.*"), status=status, json={"message": "Not found"})
    first = PostPayload((PostPart("Post"), PostPart("More", is_comment=True)))
    reply = PostPayload((PostPart("Thanks"),), reply_to=ReplyTarget(COMMENT))
    for sent in (first, reply):
        with pytest.raises(Temporary):
            page.find_sent(sent, since=NOW)


def test_an_own_comment_that_cannot_be_read_is_no_proof(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    odd = {**remote_comment(1, "Thanks", NOW), "created": {}}
    network.get(re.compile(f"{API}/rest/socialActions/.*"), json={"elements": [odd]})
    with pytest.raises(Temporary):
        page.find_sent(PostPayload((PostPart("Thanks"),), reply_to=ReplyTarget(COMMENT)), since=NOW)


def test_more_posts_than_can_be_read_prove_nothing(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    full = [{**remote(POST, "Hi", NOW), "lastModifiedAt": ms(NOW)} for _ in range(50)]
    network.get(f"{API}/rest/posts", json={"elements": full})
    for words in ("Thanks", "Hi"):
        with pytest.raises(NotAllListed) as partly:
            page.find_sent(payload(words), since=NOW)
        assert {post.text for post in partly.value.posts} == {"Hi"}


def test_a_post_is_found_although_its_comments_cannot_be_looked_through(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    network.get(f"{API}/rest/posts", json={"elements": [remote(POST, "Post", NOW)]})
    network.get(re.compile(f"{API}/rest/socialActions/.*"), status=404, json={"message": "Not found"})
    with pytest.raises(NotAllListed) as partly:
        page.find_sent(PostPayload((PostPart("Post"), PostPart("More", is_comment=True))), since=NOW)
    assert [post.text for post in partly.value.posts] == ["Post"]


# --- counts -----------------------------------------------------------------------------------


def test_followers_are_counted(network: responses.RequestsMock, page: LinkedInConnector) -> None:
    network.get(re.compile(f"{API}/rest/networkSizes/.*"), json={"firstDegreeSize": 219_145})
    assert page.fetch_account_metrics().followers == 219_145
    url = urlsplit(str(network.calls[0].request.url))
    assert (unquote(url.path), url.query) == (
        f"/rest/networkSizes/{PAGE}",
        "edgeType=COMPANY_FOLLOWED_BY_MEMBER",
    )


def test_counts_of_posts_are_asked_for_together(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    ugc, quiet, gone = "urn:li:ugcPost:2", "urn:li:share:3", "urn:li:share:4"
    counts = {
        "likeCount": 3,
        "commentCount": 2,
        "shareCount": 1,
        "impressionCount": 90,
        "uniqueImpressionsCount": 70,
        "clickCount": 8,
        "engagement": 0.1,
    }
    elements = [
        {"share": POST, "organizationalEntity": PAGE, "totalShareStatistics": counts},
        {"ugcPost": ugc, "totalShareStatistics": {"likeCount": "odd"}},
    ]
    network.get(f"{API}/rest/organizationalEntityShareStatistics", json={"elements": elements})
    network.get(f"{API}/rest/posts", json={"results": {quiet: {}}, "statuses": {gone: 404}})
    found = page.fetch_post_metrics([POST, ugc, quiet, gone, COMMENT])
    assert list(found) == [POST, ugc, quiet]
    assert (found[POST].likes, found[POST].impressions, found[POST].reach, found[POST].clicks) == (
        3,
        90,
        70,
        8,
    )
    assert found[ugc].likes is None
    assert found[quiet].impressions == 0  # of what nobody has seen there are no statistics
    query = urlsplit(str(network.calls[0].request.url)).query
    # Brackets and commas are the list itself and must not be encoded; colons are part of an id, and must be.
    assert "&shares=List(urn%3Ali%3Ashare%3A6844785523593134080,urn%3Ali%3Ashare%3A3," in query
    assert query.endswith("&ugcPosts=List(urn%3Ali%3AugcPost%3A2)")
    assert network.calls[1].request.headers["X-RestLi-Method"] == "BATCH_GET"


def test_a_person_has_no_counts(network: responses.RequestsMock, person: LinkedInConnector) -> None:
    assert person.fetch_post_metrics([POST]) == {}
    assert person.fetch_account_metrics().followers is None
    assert not network.calls


@pytest.mark.parametrize("handle", ["harbour", "@harbour", "https://www.linkedin.com/company/harbour/"])
def test_another_page_is_looked_up_by_name(
    network: responses.RequestsMock, page: LinkedInConnector, handle: str
) -> None:
    about = {"id": 7, "localizedName": "Harbour Tea", "vanityName": "harbour"}
    network.get(f"{API}/rest/organizations", json={"elements": [about]})
    network.get(re.compile(f"{API}/rest/networkSizes/.*"), json={"firstDegreeSize": 12})
    other = page.fetch_public_account(handle)
    assert other is not None
    assert (other.profile.remote_id, other.counts.followers) == ("urn:li:organization:7", 12)
    assert "vanityName=harbour" in str(network.calls[0].request.url)
    network.upsert("GET", f"{API}/rest/organizations", json={"elements": []})
    assert page.fetch_public_account(handle) is None
    assert page.fetch_public_account("/") is None


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
