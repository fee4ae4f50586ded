"""Instagram's connector on canned answers, shaped after its documents, its requests held against Meta's own
description of the API."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import hmac
import io
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses

from connectors.base import (
    AppCredentials,
    Capability,
    InboxKind,
    MediaItem,
    MessageTarget,
    Moderation,
    ModerationAction,
    PostPart,
    PostPayload,
    ReplyTarget,
    RetrySafety,
    Step,
    StepKind,
    StepResult,
    StepState,
    Tokens,
    WebhookKind,
)
from connectors.errors import (
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.instagram import InstagramConnector
from connectors.instagram_info import INFO
from connectors.text import check_payload
from tests.connectors.conftest import NOW, SPECS
from tests.connectors.meta_specs import MetaSpecs

IG, PAGE = "17841400000000001", "1001"
AT_INSTAGRAM = "https://graph.instagram.com/v25.0"
AT_FACEBOOK = "https://graph.facebook.com/v25.0"
SECRET = "app-secret-app-secret"
APP = AppCredentials("123", SECRET, extra={"login": "instagram"})
FACEBOOK_APP = AppCredentials("123", SECRET, extra={"login": "facebook"})
UUID = "0192c1b0-0000-7000-8000-000000000001"
OURS = "https://smm.example.com/media/s1gned.jpg"
REDIRECT = "https://smm.example.com/callback"
USER = "IGUserForIGOnlyAPI"
ROUTES = {
    rf"/(?:{IG}|me)": USER,
    rf"/{IG}/(\w+)": USER,
    r"/179\d+": "IGMediaForIGOnlyAPI",
    r"/179\d+/(\w+)": "IGMediaForIGOnlyAPI",
    r"/178\d+": "IGComment",
    r"/178\d+/(\w+)": "IGComment",
}


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def account() -> InstagramConnector:
    options = {"login": "instagram", "ig_id": IG, "person_id": "26", "username": "harbour"}
    return InstagramConnector(tokens=Tokens(access_token="IGtokentoken"), options=options, app=APP)


@pytest.fixture
def linked() -> InstagramConnector:
    options = {"login": "facebook", "ig_id": IG, "page_id": PAGE, "username": "harbour"}
    return InstagramConnector(tokens=Tokens(access_token="EAtokentoken"), options=options, app=FACEBOOK_APP)


def hold_against_specs(network: responses.RequestsMock, routes: dict[str, str]) -> None:
    folder = SPECS / "meta"
    if not folder.is_dir():
        pytest.skip("NETWORK_SPECS has no meta: requests are not held against the description")
    assert MetaSpecs(folder, routes).faults([call.request for call in network.calls]) == []


def photo(alt_text: str = "A harbour") -> MediaItem:
    return MediaItem(
        "one", "image/jpeg", 9, 1080, 1080, alt_text, lambda: io.BytesIO(b"jpeg"), public_url=lambda: OURS
    )


def film(**more: Any) -> MediaItem:
    made = MediaItem("film", "video/mp4", 9, 1080, 1920, "", lambda: io.BytesIO(b"mp4"), 20.0, 30.0)
    return dataclasses.replace(made, public_url=lambda: OURS, **more)


def post(*media: MediaItem, text: str = "Hello", comment: str = "", **settings: Any) -> PostPayload:
    parts = (PostPart(text, media), *((PostPart(comment, is_comment=True),) if comment else ()))
    return PostPayload(parts, settings=settings)


def form_of(call: Any) -> dict[str, str]:
    return dict(parse_qsl(str(call.request.body), keep_blank_values=True))


def query_of(call: Any) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(str(call.request.url)).query))


def step_of(client: InstagramConnector, sent: PostPayload, key: str) -> Step:
    return next(step for step in client.plan(sent) if step.key == key)


def send(
    client: InstagramConnector, sent: PostPayload, key: str, done: dict[str, StepResult] | None = None
) -> StepResult:
    step = step_of(client, sent, key)
    return client.send_step(step, sent, client.prepare_step(step, sent, done or {}, key=UUID, now=NOW))


# --- connecting -------------------------------------------------------------------------------


def test_the_sign_in_asks_for_what_was_chosen_by_the_names_of_its_login() -> None:
    asked = InstagramConnector.authorize_url(app=APP, redirect_uri=REDIRECT, state="s")
    query = parse_qs(urlsplit(asked.url).query)
    assert asked.url.startswith("https://www.instagram.com/oauth/authorize?")
    assert query["scope"] == [",".join(INFO.scopes)]
    assert query["state"] == ["s"]
    chosen = ("instagram_business_basic", "instagram_business_manage_comments")
    asked = InstagramConnector.authorize_url(
        app=FACEBOOK_APP, redirect_uri=REDIRECT, state="s", scopes=chosen
    )
    query = parse_qs(urlsplit(asked.url).query)
    assert asked.url.startswith("https://www.facebook.com/v25.0/dialog/oauth?")
    assert query["scope"] == [
        "instagram_basic,pages_show_list,pages_read_engagement,instagram_manage_comments,pages_manage_metadata"
    ]
    configured = AppCredentials("1", "s", extra={"login": "facebook", "config_id": "77"})
    asked = InstagramConnector.authorize_url(app=configured, redirect_uri=REDIRECT, state="s")
    query = parse_qs(urlsplit(asked.url).query)
    assert query["config_id"] == ["77"]
    assert "scope" not in query


@pytest.mark.parametrize("is_list", [False, True], ids=["object", "list"])
def test_instagram_login_ends_with_a_token_of_sixty_days(
    network: responses.RequestsMock, is_list: bool
) -> None:
    def shaped(one: dict[str, Any]) -> dict[str, Any]:
        return {"data": [one]} if is_list else one

    short = {"access_token": "short", "user_id": 26, "permissions": "instagram_business_basic,other"}
    network.post("https://api.instagram.com/oauth/access_token", json=shaped(short))
    fresh = {"access_token": "long-long", "token_type": "bearer", "expires_in": 5_183_944}
    network.get("https://graph.instagram.com/access_token", json=fresh)
    me = {"user_id": IG, "id": "26", "username": "harbour", "name": "Harbour Coffee"}
    network.get(f"{AT_INSTAGRAM}/me", json=shaped(me))
    (connected,) = InstagramConnector.exchange_accounts(
        app=APP, code="the-code#_", code_verifier="", redirect_uri=REDIRECT
    )
    assert form_of(network.calls[0])["code"] == "the-code"
    assert connected.profile.remote_id == IG
    assert connected.profile.handle == "harbour"
    assert connected.tokens.access_token == connected.tokens.refresh_token == "long-long"
    assert connected.tokens.expires_at is not None
    assert abs((connected.tokens.expires_at - dt.datetime.now(dt.UTC)).days - 59) <= 1
    assert connected.options == {
        "login": "instagram",
        "person_id": "26",
        "scopes": ["instagram_business_basic", "other"],
        "ig_id": IG,
        "username": "harbour",
    }


def test_a_code_that_is_refused_tells_no_secret(network: responses.RequestsMock) -> None:
    said = {"error_type": "OAuthException", "code": 400, "error_message": "Invalid"}
    network.post("https://api.instagram.com/oauth/access_token", status=400, json=said)
    with pytest.raises(Rejected) as refused:
        InstagramConnector.exchange_accounts(app=APP, code="c0de", code_verifier="", redirect_uri=REDIRECT)
    assert refused.value.reason is RejectReason.INVALID
    secret = {"error": {"code": 100, "message": f"bad {SECRET} c0de"}}
    network.upsert("POST", "https://api.instagram.com/oauth/access_token", status=400, json=secret)
    with pytest.raises(Rejected) as refused:
        InstagramConnector.exchange_accounts(app=APP, code="c0de", code_verifier="", redirect_uri=REDIRECT)
    assert SECRET not in refused.value.detail
    assert "c0de" not in refused.value.detail


def sign_in_with_pages(network: responses.RequestsMock, *pages: dict[str, Any]) -> None:
    network.get(f"{AT_FACEBOOK}/oauth/access_token", json={"access_token": "short"})
    network.get(f"{AT_FACEBOOK}/me", json={"id": "7"})
    given = ("instagram_basic", "pages_show_list", "pages_read_engagement", "instagram_content_publish")
    rows = [{"permission": name, "status": "granted"} for name in given]
    rows.append({"permission": "instagram_manage_comments", "status": "declined"})
    network.get(f"{AT_FACEBOOK}/me/permissions", json={"data": rows})
    network.get(f"{AT_FACEBOOK}/me/accounts", json={"data": list(pages)})


def test_facebook_login_brings_every_account_that_hangs_on_a_page(network: responses.RequestsMock) -> None:
    linked = {"id": IG, "username": "harbour", "profile_picture_url": "javascript:alert(1)"}
    sign_in_with_pages(
        network,
        {"id": PAGE, "access_token": "of-the-page", "instagram_business_account": linked},
        {"id": "1002", "access_token": "of-another"},
        {"id": "1003", "instagram_business_account": {"id": "5", "username": "no-token"}},
    )
    (connected,) = InstagramConnector.exchange_accounts(
        app=FACEBOOK_APP, code="c", code_verifier="", redirect_uri=REDIRECT
    )
    assert connected.profile.remote_id == IG
    assert connected.profile.avatar_url == ""
    assert connected.tokens == Tokens(access_token="of-the-page")
    assert connected.options == {
        "login": "facebook",
        "person_id": "7",
        "scopes": ["instagram_business_basic", "instagram_business_content_publish"],
        "ig_id": IG,
        "page_id": PAGE,
        "username": "harbour",
    }
    info = InstagramConnector.info_for(connected.options)
    assert not info.can(Capability.REPLY)
    assert not info.can(Capability.SEND_MESSAGE)
    assert info.can(Capability.COMPETITORS)
    assert info.post_metrics == ("likes", "comments")


def test_a_person_without_such_a_page_is_told_so(network: responses.RequestsMock) -> None:
    sign_in_with_pages(network, {"id": PAGE, "access_token": "of-the-page"})
    with pytest.raises(Rejected) as refused:
        InstagramConnector.exchange_accounts(
            app=FACEBOOK_APP, code="c", code_verifier="", redirect_uri=REDIRECT
        )
    assert refused.value.reason is RejectReason.NOT_FOUND


def test_a_token_renews_itself_and_a_dead_one_asks_for_a_person(network: responses.RequestsMock) -> None:
    address = "https://graph.instagram.com/refresh_access_token"
    network.get(address, json={"access_token": "fresher", "expires_in": 5_184_000})
    tokens = Tokens(access_token="IGtokentoken", refresh_token="IGtokentoken")
    fresh = InstagramConnector.refresh(tokens=tokens, options={"login": "instagram"}, app=None)
    assert fresh.access_token == fresh.refresh_token == "fresher"
    assert query_of(network.calls[0])["grant_type"] == "ig_refresh_token"
    network.upsert("GET", address, status=400, json={"error": {"code": 190, "error_subcode": 463}})
    with pytest.raises(NeedsReconnect):
        InstagramConnector.refresh(tokens=tokens, options={"login": "instagram"}, app=APP)
    with pytest.raises(NeedsReconnect):
        InstagramConnector.refresh(tokens=tokens, options={"login": "facebook"}, app=APP)


def test_only_facebook_login_looks_at_others(account: InstagramConnector, linked: InstagramConnector) -> None:
    assert not account.info.can(Capability.COMPETITORS)
    assert linked.info.can(Capability.COMPETITORS)


# --- publishing -------------------------------------------------------------------------------


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


def media(number: str, text: str, at: dt.datetime, **more: Any) -> dict[str, Any]:
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S+0000")
    link = f"https://www.instagram.com/p/{number}/"
    return {"id": number, "caption": text, "timestamp": stamp, "permalink": link, **more}


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


# --- reading back -----------------------------------------------------------------------------


def test_own_posts_and_comments_are_found(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    comments = [
        comment("1780", "ours", NOW + dt.timedelta(minutes=1), name="harbour", author=IG),
        comment("1781", "theirs", NOW + dt.timedelta(minutes=1)),
    ]
    rows = [
        media("1791", "Hello", NOW, children={"data": [{"id": "1"}, {"id": "2"}]}),
        media("1790", "Old", NOW - dt.timedelta(days=2), comments={"data": comments}),
    ]
    network.get(f"{AT_INSTAGRAM}/{IG}/media", json={"data": rows})
    found = account.find_recent(since=NOW)
    assert [(one.text, one.in_reply_to, one.media_count) for one in found] == [
        ("ours", "1790", 0),
        ("Hello", "", 2),
    ]
    hold_against_specs(network, ROUTES)


def test_a_post_is_read_or_gone(network: responses.RequestsMock, account: InstagramConnector) -> None:
    network.get(f"{AT_INSTAGRAM}/1791", json=media("1791", "Hello", NOW))
    read = account.fetch_post("1791")
    assert read is not None
    assert (read.text, read.media_count, read.created_at) == ("Hello", 1, NOW)
    gone = {"error": {"code": 100, "error_subcode": 33, "message": "does not exist"}}
    network.upsert("GET", f"{AT_INSTAGRAM}/1791", status=400, json=gone)
    assert account.fetch_post("1791") is None
    hold_against_specs(network, ROUTES)


# --- inbox ------------------------------------------------------------------------------------


def comment(
    number: str, text: str, at: dt.datetime, *, name: str = "ann", author: str = "55", **more: Any
) -> dict[str, Any]:
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S+0000")
    who = {"id": author, "username": name}
    return {"id": number, "text": text, "timestamp": stamp, "username": name, "from": who, **more}


def read_all(client: InstagramConnector, since: dt.datetime) -> list[Any]:
    items: list[Any] = []
    cursor = ""
    while True:
        page = client.fetch_inbox(since=since, cursor=cursor)
        items += page.items
        cursor = page.cursor
        if not cursor:
            return items


def test_comments_tags_and_messages_are_told(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    later = NOW + dt.timedelta(minutes=1)
    answers = [
        comment("1782", "Thanks", later, name="harbour", author=IG),
        comment("1783", "Again", later, name="bob", author="56"),
    ]
    below = [
        comment("1781", "Nice", NOW, hidden=True, replies={"data": answers}),
        comment("1780", "Too old", NOW - dt.timedelta(days=3)),
        {"id": "1799"},
        None,
    ]
    rows = [media("1791", "Hello", NOW - dt.timedelta(days=1), comments={"data": below})]
    network.get(f"{AT_INSTAGRAM}/{IG}/media", json={"data": rows})
    tagged = media("1795", "with @harbour", NOW, username="cat")
    network.get(f"{AT_INSTAGRAM}/{IG}/tags", json={"data": [tagged]})
    talk = {
        "id": "t",
        "updated_time": "2026-11-22T12:01:00+0000",
        "participants": {"data": [{"id": "26", "username": "harbour"}, {"id": "900", "username": "dora"}]},
        "messages": {
            "data": [
                {
                    "id": "m2",
                    "message": "Yes",
                    "created_time": "2026-11-22T12:01:00+0000",
                    "from": {"id": IG, "username": "harbour"},
                    "to": {"data": [{"id": "900", "username": "dora"}]},
                },
                {
                    "id": "m1",
                    "message": "Open today?",
                    "created_time": "2026-11-22T12:00:00+0000",
                    "from": {"id": "900", "username": "dora"},
                    "to": {"data": [{"id": IG, "username": "harbour"}]},
                },
                {"id": "m0", "is_unsupported": True},
            ]
        },
    }
    network.get(f"{AT_INSTAGRAM}/{IG}/conversations", json={"data": [talk]})
    items = {item.remote_id: item for item in read_all(account, NOW)}
    assert list(items) == ["1781", "1782", "1783", "1795", "m2", "m1"]
    nice, thanks, again = items["1781"], items["1782"], items["1783"]
    assert (nice.kind, nice.thread_id, nice.root_id, nice.parent_id) == (
        InboxKind.COMMENT,
        "1781",
        "1791",
        "1791",
    )
    assert nice.is_hidden
    assert nice.author.handle == "ann"
    assert nice.root is not None
    assert nice.root.text == "Hello"
    assert (thanks.is_own, thanks.thread_id, thanks.parent_id) == (True, "1781", "1781")
    assert again.detail == {"id": "1783", "comment": "1781", "mention": "@bob"}
    assert "mention" not in nice.detail
    tag = items["1795"]
    assert (tag.kind, tag.author.handle, tag.detail["media_id"]) == (InboxKind.MENTION, "cat", "1795")
    asked, answered = items["m1"], items["m2"]
    assert (asked.kind, asked.thread_id, asked.is_own) == (InboxKind.DM, "900", False)
    assert (answered.thread_id, answered.is_own) == ("900", True)
    assert asked.detail["received_at"] == NOW.isoformat()
    hold_against_specs(network, ROUTES)


def test_further_comments_of_one_post_are_read_page_by_page(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    following = "https://graph.instagram.com/x?access_token=secret&after=more"
    first = {"data": [comment("1781", "one", NOW)], "paging": {"next": following}}
    rows = [media("1791", "Hello", NOW, comments=first)]
    network.get(f"{AT_INSTAGRAM}/{IG}/media", json={"data": rows})
    old = comment("1780", "old", NOW - dt.timedelta(days=9))
    second = {"data": [comment("1782", "two", NOW), old], "paging": {"next": following}}
    network.get(f"{AT_INSTAGRAM}/1791/comments", json=second)
    network.get(f"{AT_INSTAGRAM}/{IG}/tags", json={"data": []})
    network.get(f"{AT_INSTAGRAM}/{IG}/conversations", json={"data": []})
    assert [item.text for item in read_all(account, NOW)] == ["one", "two"]
    asked = [call for call in network.calls if "/comments" in str(call.request.url)]
    assert [query_of(call)["after"] for call in asked] == ["more"]


def test_what_is_not_allowed_is_not_asked_for(network: responses.RequestsMock) -> None:
    options = {"login": "instagram", "ig_id": IG, "scopes": ["instagram_business_basic"]}
    client = InstagramConnector(tokens=Tokens(access_token="IGtokentoken"), options=options)
    assert client.fetch_inbox(since=NOW).items == ()
    assert not network.calls


# --- answers and moderation -------------------------------------------------------------------


def test_answers_go_below_the_first_comment(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    network.post(f"{AT_INSTAGRAM}/1781/replies", json={"id": "1788"})
    detail = {"id": "1783", "comment": "1781", "mention": "@bob"}
    sent = PostPayload((PostPart("@bob Yes"),), reply_to=ReplyTarget("1783", "1791", detail))
    assert send(account, sent, "part0.publish") == StepResult(remote_id="1788")
    assert form_of(network.calls[0]) == {"message": "@bob Yes"}
    step = step_of(account, sent, "part0.publish")
    intent = account.prepare_step(step, sent, {}, key=UUID, now=NOW)
    assert account.safety_of(intent, NOW) is RetrySafety.NEITHER
    rows = [
        comment("1788", "@bob Yes", NOW, name="harbour", author=IG),
        comment("1787", "@bob Yes", NOW),
        comment("1786", "@bob Yes", NOW - dt.timedelta(days=1), name="harbour", author=IG),
    ]
    network.get(f"{AT_INSTAGRAM}/1781/replies", json={"data": rows})
    assert [one.remote_id for one in account.find_sent(sent, since=NOW)] == ["1788"]
    hold_against_specs(network, ROUTES)


def test_a_tag_is_answered_below_the_post_of_its_author(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    network.post(f"{AT_INSTAGRAM}/{IG}/mentions", json={"id": "1788"})
    target = ReplyTarget("1795", "", {"id": "1795", "media_id": "1795"})
    send(account, PostPayload((PostPart("Thanks"),), reply_to=target), "part0.publish")
    assert form_of(network.calls[0]) == {"media_id": "1795", "message": "Thanks"}
    hold_against_specs(network, ROUTES)


def test_an_answer_to_what_is_gone_is_refused(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    gone = {"error": {"code": 100, "error_subcode": 33, "message": "does not exist"}}
    network.post(f"{AT_INSTAGRAM}/1781/replies", status=400, json=gone)
    sent = PostPayload((PostPart("Yes"),), reply_to=ReplyTarget("1781"))
    with pytest.raises(Rejected) as refused:
        send(account, sent, "part0.publish")
    assert refused.value.reason is RejectReason.NOT_FOUND


@pytest.mark.parametrize(("hours", "is_late"), [(23, False), (25, True)])
def test_a_message_after_a_day_says_that_a_person_wrote_it(
    network: responses.RequestsMock, account: InstagramConnector, hours: int, is_late: bool
) -> None:
    network.post(f"{AT_INSTAGRAM}/{IG}/messages", json={"recipient_id": "900", "message_id": "m9"})
    received = (NOW - dt.timedelta(hours=hours)).isoformat()
    target = MessageTarget("900", "900", {"id": "m1", "received_at": received})
    sent = PostPayload((PostPart("Yes"),), message_to=target)
    assert send(account, sent, "part0.publish").remote_id == "m9"
    form = form_of(network.calls[0])
    assert json.loads(form["recipient"]) == {"id": "900"}
    assert json.loads(form["message"]) == {"text": "Yes"}
    assert (form["messaging_type"], form.get("tag")) == (
        ("MESSAGE_TAG", "HUMAN_AGENT") if is_late else ("RESPONSE", None)
    )
    talk = {
        "participants": {"data": [{"id": "900"}]},
        "messages": {
            "data": [
                {"id": "m9", "message": "Yes", "created_time": NOW.isoformat(), "from": {"id": IG}},
                {"id": "m1", "message": "Yes", "created_time": NOW.isoformat(), "from": {"id": "900"}},
            ]
        },
    }
    network.get(f"{AT_INSTAGRAM}/{IG}/conversations", json={"data": [talk]})
    assert [one.remote_id for one in account.find_sent(sent, since=NOW)] == ["m9"]
    hold_against_specs(network, ROUTES)


def test_through_a_page_messages_are_the_pages(
    network: responses.RequestsMock, linked: InstagramConnector
) -> None:
    network.post(f"{AT_FACEBOOK}/{PAGE}/messages", json={"recipient_id": "900", "message_id": "m9"})
    sent = PostPayload((PostPart("Yes"),), message_to=MessageTarget("900"))
    send(linked, sent, "part0.publish")
    talk = {"id": "t1", "messages": {"data": []}}
    network.get(f"{AT_FACEBOOK}/{PAGE}/conversations", json={"data": [talk]})
    assert linked.find_sent(sent, since=NOW) == []
    assert query_of(network.calls[1])["platform"] == "instagram"
    hold_against_specs(network, {rf"/{PAGE}/(\w+)": "Page"})


def moderate(client: InstagramConnector, action: ModerationAction) -> StepResult:
    return send(client, PostPayload((), moderation=Moderation(action, "1781")), "moderate")


def test_comments_are_hidden_shown_and_deleted(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    network.post(f"{AT_INSTAGRAM}/1781", json={"success": True})
    network.delete(f"{AT_INSTAGRAM}/1781", json={"success": True})
    moderate(account, ModerationAction.HIDE)
    moderate(account, ModerationAction.UNHIDE)
    moderate(account, ModerationAction.DELETE)
    assert [form_of(call) for call in list(network.calls)[:2]] == [{"hide": "true"}, {"hide": "false"}]
    gone = {"error": {"code": 100, "error_subcode": 33}}
    network.upsert("DELETE", f"{AT_INSTAGRAM}/1781", status=400, json=gone)
    moderate(account, ModerationAction.DELETE)  # twice is the same as once
    with pytest.raises(Rejected) as refused:
        moderate(account, ModerationAction.LIKE)
    assert refused.value.reason is RejectReason.NOT_SUPPORTED
    hold_against_specs(network, ROUTES)


@pytest.mark.parametrize("remote_id", ["", ".", "..", "/", "  "])
def test_no_id_never_becomes_another_call(
    network: responses.RequestsMock, account: InstagramConnector, remote_id: str
) -> None:
    action = Moderation(ModerationAction.DELETE, remote_id)
    with pytest.raises(Rejected):
        send(account, PostPayload((), moderation=action), "moderate")
    assert not network.calls


# --- webhooks ---------------------------------------------------------------------------------


def call_of(*changes: dict[str, Any], messaging: tuple[dict[str, Any], ...] = ()) -> bytes:
    entry = {"id": IG, "time": 1795348800, "changes": list(changes), "messaging": list(messaging)}
    return json.dumps({"object": "instagram", "entry": [entry]}).encode()


def test_a_comment_is_told_whole_and_the_rest_is_looked_up() -> None:
    value = {
        "id": "1783",
        "parent_id": "1781",
        "text": "Again",
        "from": {"id": "56", "username": "bob"},
        "media": {"id": "1791", "media_product_type": "FEED"},
    }
    body = call_of(
        {"field": "comments", "value": value},
        {"field": "comments", "value": {"id": "1784"}},
        {"field": "mentions", "value": {"media_id": "1795"}},
        {"field": "story_insights", "value": {"media_id": "1"}},
        messaging=(
            {"sender": {"id": "900"}, "message": {"mid": "m1", "text": "hi"}},
            {"sender": {"id": "900"}, "read": {"mid": "m1"}},
        ),
    )
    events = InstagramConnector.webhook_events(body)
    kinds = [one.kind for one in events]
    assert kinds == [WebhookKind.INBOX] * 3 + [WebhookKind.OTHER, WebhookKind.INBOX, WebhookKind.OTHER]
    assert {one.account_id for one in events} == {IG}
    (item,) = events[0].items
    assert (item.remote_id, item.thread_id, item.root_id, item.parent_id) == ("1783", "1781", "1791", "1781")
    assert (item.author.handle, item.created_at, item.is_own) == ("bob", NOW, False)
    assert item.detail["mention"] == "@bob"
    assert [one.items for one in events[1:]] == [()] * 5


def test_what_the_account_wrote_itself_is_its_own() -> None:
    value = {"id": "1782", "text": "x", "from": {"id": IG, "username": "harbour"}, "media": {"id": "1791"}}
    (event,) = InstagramConnector.webhook_events(call_of({"field": "comments", "value": value}))
    assert event.items[0].is_own


def test_calls_are_subscribed_to(
    network: responses.RequestsMock, account: InstagramConnector, linked: InstagramConnector
) -> None:
    network.post(f"{AT_INSTAGRAM}/{IG}/subscribed_apps", json={"success": True})
    network.post(f"{AT_FACEBOOK}/{PAGE}/subscribed_apps", json={"success": True})
    account.subscribe()
    assert form_of(network.calls[0])["subscribed_fields"] == "comments,mentions,messages"
    linked.subscribe()
    hold_against_specs(network, {**ROUTES, rf"/{PAGE}/(\w+)": "Page"})


# --- counts, quotas, others -------------------------------------------------------------------


def test_counts_of_posts_with_and_without_insights(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    counts = {"id": "1791", "like_count": 3, "comments_count": 2, "media_product_type": "FEED"}
    network.get(f"{AT_INSTAGRAM}/1791", json=counts)
    told = [
        {"name": "views", "values": [{"value": 90}]},
        {"name": "reach", "values": [{"value": 70}]},
        {"name": "saved", "values": [{"value": 5}]},
        {"name": "shares", "total_value": {"value": 1}},
    ]
    network.get(f"{AT_INSTAGRAM}/1791/insights", json={"data": told})
    story = {"id": "1792", "media_product_type": "STORY"}
    network.get(f"{AT_INSTAGRAM}/1792", json=story)
    too_few = {"error": {"code": 10, "message": "Not enough viewers for the media to show insights"}}
    network.get(f"{AT_INSTAGRAM}/1792/insights", status=400, json=too_few)
    gone = {"error": {"code": 100, "error_subcode": 33}}
    network.get(f"{AT_INSTAGRAM}/1793", status=400, json=gone)
    found = account.fetch_post_metrics(["1791", "1792", "1793"])
    assert list(found) == ["1791", "1792"]
    one = found["1791"]
    assert (one.likes, one.comments, one.impressions, one.reach, one.bookmarks, one.shares) == (
        3,
        2,
        90,
        70,
        5,
        1,
    )
    assert found["1792"].likes is None
    hold_against_specs(network, ROUTES)


def test_counts_of_the_account_and_what_is_left_of_the_day(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    counts = {"followers_count": 900, "follows_count": 20, "media_count": 31}
    network.get(f"{AT_INSTAGRAM}/{IG}", json=counts)
    metrics = account.fetch_account_metrics()
    assert (metrics.followers, metrics.following, metrics.posts) == (900, 20, 31)
    used = {"quota_usage": 2, "config": {"quota_total": 100, "quota_duration": 86400}}
    network.get(f"{AT_INSTAGRAM}/{IG}/content_publishing_limit", json={"data": [used, {"config": None}]})
    (quota,) = account.fetch_quotas()
    assert (quota.used, quota.limit, quota.window_s) == (2, 100, 86400)
    hold_against_specs(network, ROUTES)


def test_another_account_is_looked_up_by_its_name(
    network: responses.RequestsMock, linked: InstagramConnector
) -> None:
    found = {"id": "3", "username": "rival", "followers_count": 7, "media_count": 1}
    network.get(f"{AT_FACEBOOK}/{IG}", json={"business_discovery": found, "id": IG})
    other = linked.fetch_public_account("@rival")
    assert other is not None
    assert (other.profile.handle, other.counts.followers) == ("rival", 7)
    hold_against_specs(network, {rf"/{IG}": "IGUser"})
    none = {"error": {"code": 110, "error_subcode": 2207013, "message": "Invalid user id"}}
    network.upsert("GET", f"{AT_FACEBOOK}/{IG}", status=400, json=none)
    assert linked.fetch_public_account("nobody") is None
    asked = len(network.calls)
    assert linked.fetch_public_account("x){access_token}") is None  # no name: nothing is asked
    assert len(network.calls) == asked


def test_every_step_of_a_post_may_be_repeated_but_the_last(account: InstagramConnector) -> None:
    steps = account.plan(post(photo(), film()))
    assert [step.is_repeatable for step in steps] == [True, True, True, False]
    assert {step.kind for step in steps[:2]} == {StepKind.MEDIA}
