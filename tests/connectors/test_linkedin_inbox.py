"""The inbox and the webhooks of a LinkedIn page, on canned answers."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests
import responses
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import InboxKind, PostPart, PostPayload, ReplyTarget, StepResult, Tokens, WebhookKind
from connectors.errors import ConnectorError, NeedsReconnect, RateLimited, Rejected, RejectReason, Temporary
from connectors.linkedin import LinkedInConnector
from connectors.linkedin_inbox import (
    CALLS_PER_LOOK,
    COMMENTED,
    EVENT_TYPE,
    MENTIONED,
    NOTICES_PER_CALL,
    comment_parts,
)
from tests.connectors.conftest import NOW, SPECS, image, payload
from tests.connectors.linkedin_stage import (
    API,
    APP,
    COMMENT,
    PAGE,
    PERSON,
    POST,
    THREAD,
    account,
    film,
    ms,
    remote,
    remote_comment,
)
from tests.connectors.odd_answers import ODD, with_odd

SECRET = "app-s3cret"
BOB = "urn:li:person:b0B"
NOTICES = f"{API}/rest/organizationalEntityNotifications"


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def page() -> LinkedInConnector:
    return account()


def notice(number: int = 1, action: str = "COMMENT", **more: Any) -> dict[str, Any]:
    return {
        "notificationId": number,
        "organizationalEntity": PAGE,
        "action": action,
        "sourcePost": THREAD,
        "decoratedSourcePost": {"entity": POST, "owner": PAGE, "text": "Post"},
        "lastModifiedAt": ms(NOW),
        "generatedActivity": COMMENT,
        "subscriber": PERSON,
        **more,
    }


def at(minutes: float) -> dt.datetime:
    return NOW + dt.timedelta(minutes=minutes)


def comments_below(network: responses.RequestsMock, urn: str, *found: Any) -> None:
    address = f"{API}/rest/socialActions/{urn.replace(':', '%3A')}/comments"
    address = address.replace("(", "%28").replace(")", "%29").replace(",", "%2C")
    network.get(address, json={"elements": list(found)})


def test_comments_their_answers_and_mentions_are_told(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    share = {"entity": "urn:li:share:9", "owner": BOB, "text": "I like @Harbour Coffee"}
    told = [
        notice(),
        notice(2, "ADMIN_COMMENT"),
        notice(3, MENTIONED, decoratedGeneratedActivity={"share": share}),
    ]
    network.get(NOTICES, json={"elements": told})
    first = remote_comment(1, "Open on Sunday?", at(1), BOB, commentsSummary={"totalFirstLevelComments": 2})
    early = remote_comment(2, "Nice", at(-60), BOB, commentsSummary={"totalFirstLevelComments": 0})
    comments_below(network, POST, first, early)
    branch = f"urn:li:comment:({THREAD},1)"
    comments_below(
        network,
        branch,
        remote_comment(3, "Yes, from nine", at(2)),
        remote_comment(4, "Great", at(3), "urn:li:organization:77", content=[{"entity": {}}]),
    )
    names = {"localizedFirstName": "Bob", "localizedLastName": "B", "vanityName": "bob-b"}
    network.get(f"{API}/rest/people", json={"results": {"(id:b0B)": {"id": "b0B", **names}}})
    network.get(f"{API}/rest/organizationsLookup", json={"results": {"77": {"localizedName": "Tea"}}})

    inbox = page.fetch_inbox(since=NOW)
    assert inbox.cursor == ""
    by_text = {item.text: item for item in inbox.items}
    assert list(by_text) == ["I like @Harbour Coffee", "Open on Sunday?", "Yes, from nine", "Great"]

    question = by_text["Open on Sunday?"]
    assert (question.kind, question.remote_id, question.thread_id) == (InboxKind.COMMENT, branch, branch)
    assert (question.parent_id, question.root_id, question.is_own) == (POST, POST, False)
    assert (question.author.handle, question.author.display_name) == ("bob-b", "Bob B")
    answer = by_text["Yes, from nine"]
    assert (answer.thread_id, answer.parent_id, answer.is_own) == (branch, branch, True)
    assert (answer.author.remote_id, answer.author.handle) == (PAGE, "harbour")
    assert answer.detail == {"parent": branch}
    assert (by_text["Great"].author.display_name, by_text["Great"].media_count) == ("Tea", 1)
    mention = by_text["I like @Harbour Coffee"]
    assert (mention.kind, mention.remote_id, mention.root_id) == (InboxKind.MENTION, "urn:li:share:9", "")

    asked = urlsplit(str(network.calls[0].request.url)).query
    assert "actions=List(ADMIN_COMMENT,COMMENT,COMMENT_EDIT,SHARE_MENTION)" in asked
    assert re.search(rf"&timeRange=\(start:{ms(NOW)},end:\d{{13}}\)", asked)
    # The post was told twice, and is read once.
    paths = [unquote(urlsplit(str(call.request.url)).path) for call in network.calls]
    assert paths.count(f"/rest/socialActions/{POST}/comments") == 1


def test_a_first_comment_of_ones_own_is_no_conversation_until_somebody_answers(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    network.get(NOTICES, json={"elements": [notice()]})
    alone = remote_comment(1, "More: example.com", at(1), commentsSummary={"aggregatedTotalComments": 0})
    comments_below(network, POST, alone)
    assert page.fetch_inbox(since=NOW).items == []

    network.reset()
    network.get(NOTICES, json={"elements": [notice()]})
    comments_below(network, POST, {**alone, "commentsSummary": {"aggregatedTotalComments": 1}})
    comments_below(network, f"urn:li:comment:({THREAD},1)", remote_comment(2, "Thanks", at(2), BOB))
    network.get(f"{API}/rest/people", status=403, json={"message": "no"})
    items = page.fetch_inbox(since=NOW).items
    assert [(item.text, item.is_own) for item in items] == [("More: example.com", True), ("Thanks", False)]
    assert len({item.thread_id for item in items}) == 1
    assert items[1].author.handle == "b0B"  # LinkedIn does not tell the name


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "x",
        {},
        {"id": "7"},
        {"id": "7", "actor": BOB, "created": {"time": "soon"}},
        {"id": "7", "actor": BOB, "created": {"time": 10**30}},
        {"id": "7", "actor": BOB, "created": None, "message": {"text": "x"}},
        {"id": ["7"], "actor": {}, "created": {"time": 1}},
        {"id": "seven", "actor": BOB, "created": {"time": 1}},
    ],
    ids=str,
)
def test_nothing_of_any_shape_keeps_the_rest_from_being_read(
    network: responses.RequestsMock, page: LinkedInConnector, odd: Any
) -> None:
    told = [odd, notice(2, MENTIONED, decoratedGeneratedActivity=odd), notice(3, sourcePost=odd), notice()]
    network.get(NOTICES, json={"elements": told})
    zero = remote_comment(8, "nul \0 and half \ud83d", at(1), BOB)
    comments_below(network, POST, odd, zero)
    network.get(f"{API}/rest/people", json={"results": [odd]})
    (item,) = page.fetch_inbox(since=NOW).items
    assert item.text == "nul  and half ?"


def test_a_post_that_is_gone_has_no_comments(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    network.get(NOTICES, json={"elements": [notice()]})
    network.get(re.compile(f"{API}/rest/socialActions/.*"), status=404, json={"message": "gone"})
    assert page.fetch_inbox(since=NOW).items == []


def test_notices_are_read_page_by_page_and_have_an_end(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    """A server that ignores where we are must not keep us for ever."""
    full = [notice(n, "LIKE") for n in range(NOTICES_PER_CALL)]
    network.get(NOTICES, json={"elements": full})
    cursor, pages = "", 0
    while pages == 0 or cursor:
        cursor = page.fetch_inbox(since=NOW, cursor=cursor).cursor
        pages += 1
    assert pages == 20
    starts = [parse_qs(urlsplit(str(c.request.url)).query)["start"] for c in network.calls]
    assert starts[:3] == [["0"], ["50"], ["100"]]
    page.fetch_inbox(since=NOW, cursor='["told", "rubbish"]')
    assert "start=0&" in str(network.calls[-1].request.url)


@pytest.mark.parametrize(("posts", "firsts"), [(3, 90), (130, 0), (1, 100)])
def test_a_look_makes_so_many_calls_and_the_next_goes_on(
    network: responses.RequestsMock, page: LinkedInConnector, posts: int, firsts: int
) -> None:
    urns = [f"urn:li:share:{1000 + n}" for n in range(posts)]
    notices = [notice(n, decoratedSourcePost={"entity": urn}) for n, urn in enumerate(urns)]

    def told(request: Any) -> tuple[int, dict[str, str], str]:
        start = int(parse_qs(urlsplit(request.url).query)["start"][0])
        return 200, {}, json.dumps({"elements": notices[start : start + NOTICES_PER_CALL]})

    def below(request: Any) -> tuple[int, dict[str, str], str]:
        path = unquote(urlsplit(request.url).path)
        if "comment:" in path:
            number = int(re.findall(r"\d+", path)[-1])
            found = [remote_comment(number + 100_000, f"answer to {number}", at(2), BOB)]
        else:
            first = int(re.findall(r"\d+", path)[-1]) * 1000
            summary = {"commentsSummary": {"totalFirstLevelComments": 1}}
            found = [remote_comment(first + n, f"c{first + n}", at(1), BOB, **summary) for n in range(firsts)]
            if int(parse_qs(urlsplit(request.url).query)["start"][0]):
                found = []
        return 200, {}, json.dumps({"elements": found})

    network.add_callback("GET", NOTICES, told)
    network.add_callback("GET", re.compile(f"{API}/rest/socialActions/.*"), below)
    network.get(f"{API}/rest/people", json={"results": {}})
    texts: set[str] = set()
    cursor, looks = "", 0
    while looks == 0 or cursor:
        before = len(network.calls)
        found = page.fetch_inbox(since=NOW, cursor=cursor)
        assert len(network.calls) - before <= CALLS_PER_LOOK + 5
        texts |= {item.text for item in found.items}
        assert found.cursor != cursor
        cursor = found.cursor
        looks += 1
    assert looks > 1
    assert len(texts) == 2 * posts * firsts


@pytest.mark.parametrize("position", ["²", "1.²", "1.2.3.4", "-1", "9" * 5000, "1e5", "x"])
def test_a_position_that_nobody_gave_out_is_the_beginning(
    network: responses.RequestsMock, page: LinkedInConnector, position: str
) -> None:
    network.get(NOTICES, json={"elements": []})
    page.fetch_inbox(since=NOW, cursor=json.dumps(["told", position]))
    assert "start=0&" in str(network.calls[-1].request.url)


def test_notices_are_not_asked_for_longer_than_linkedin_keeps_them(
    network: responses.RequestsMock, page: LinkedInConnector
) -> None:
    network.get(NOTICES, json={"elements": []})
    page.fetch_inbox(since=NOW - dt.timedelta(days=900))
    start = re.search(r"start:(\d+)", str(network.calls[0].request.url))
    assert start
    age = dt.datetime.now(dt.UTC).timestamp() - int(start[1]) / 1000
    assert abs(age - 59 * 86_400) < 60


@pytest.mark.parametrize(
    ("status", "error"), [(401, NeedsReconnect), (403, Rejected), (429, RateLimited), (500, Temporary)]
)
def test_what_cannot_be_read_now_is_an_error(
    network: responses.RequestsMock, page: LinkedInConnector, status: int, error: type[Exception]
) -> None:
    network.get(NOTICES, status=status, json={"status": status, "message": "no"})
    with pytest.raises(error):
        page.fetch_inbox(since=NOW)


@pytest.mark.parametrize("urn", [PAGE, PERSON])
def test_an_account_without_the_rights_has_an_empty_inbox(network: responses.RequestsMock, urn: str) -> None:
    assert account(urn, ["w_member_social", "w_organization_social"]).fetch_inbox(since=NOW).items == ()
    assert not network.calls


@pytest.mark.parametrize(
    ("urn", "parts"),
    [
        (COMMENT, (THREAD, "6844785523593134082")),
        ("urn:li:comment:(activity:5,7)", ("urn:li:activity:5", "7")),
        ("urn:li:comment:(urn:li:ugcPost:5,7)", ("urn:li:ugcPost:5", "7")),
        ("urn:li:comment:(urn:li:activity:5,7)/x", None),
        (POST, None),
        ("", None),
    ],
)
def test_the_urn_of_a_comment_says_where_it_stands(urn: str, parts: tuple[str, str] | None) -> None:
    assert comment_parts(urn) == parts


# --- webhooks ---------------------------------------------------------------------------------


def signed(message: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def test_the_challenge_is_answered_with_the_secret() -> None:
    code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    answer = LinkedInConnector.webhook_challenge({"challengeCode": code}, secret=SECRET, verify_token="v")
    assert json.loads(answer or "") == {"challengeCode": code, "challengeResponse": signed(code.encode())}


@pytest.mark.parametrize("query", [{}, {"challengeCode": ""}, {"challengeCode": "<b>"}, {"code": "x"}])
def test_what_is_no_challenge_is_not_answered(query: dict[str, str]) -> None:
    assert LinkedInConnector.webhook_challenge(query, secret=SECRET, verify_token="v") is None
    assert LinkedInConnector.webhook_challenge({"challengeCode": "x"}, secret="", verify_token="v") is None


BODY = json.dumps({"type": EVENT_TYPE, "notifications": [notice()]}).encode()


def test_a_signature_covers_the_body_and_its_prefix() -> None:
    good = signed(b"hmacsha256=" + BODY)
    assert LinkedInConnector.is_genuine(BODY, {"x-li-signature": good}, secret=SECRET)
    for body, headers, secret in (
        (BODY + b" ", {"x-li-signature": good}, SECRET),
        (BODY, {"x-li-signature": signed(BODY)}, SECRET),
        (BODY, {"x-li-signature": signed(b"hmacsha256=" + BODY, "other")}, SECRET),
        (BODY, {"x-li-signature": "hmacsha256=" + good}, SECRET),
        (BODY, {"x-li-signature": ""}, SECRET),
        (BODY, {"x-li-signature": "é" * 64}, SECRET),
        (BODY, {}, SECRET),
        (BODY, {"x-li-signature": signed(b"hmacsha256=" + BODY, "")}, ""),
    ):
        assert not LinkedInConnector.is_genuine(body, headers, secret=secret)


def test_a_call_says_where_to_look() -> None:
    told = [notice(1), notice(2, "LIKE"), notice(3, MENTIONED), notice(4, "COMMENT_DELETE")]
    body = json.dumps({"type": EVENT_TYPE, "notifications": told}).encode()
    events = LinkedInConnector.webhook_events(body)
    assert [(event.event_id, event.kind) for event in events] == [
        ("1", WebhookKind.INBOX),
        ("2", WebhookKind.OTHER),
        ("3", WebhookKind.INBOX),
        ("4", WebhookKind.OTHER),
    ]
    assert {event.account_id for event in events} == {PAGE}


@pytest.mark.parametrize("odd", [None, {}, {"notificationId": True}, {"notificationId": {}}, "x", 7], ids=str)
def test_an_odd_notice_is_the_same_each_time(odd: Any) -> None:
    body = json.dumps({"type": EVENT_TYPE, "notifications": [odd]}).encode()
    (first,), (second,) = LinkedInConnector.webhook_events(body), LinkedInConnector.webhook_events(body)
    assert first == second
    assert first.kind is WebhookKind.OTHER
    assert 0 < len(first.event_id) <= 200


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"{}", b'{"type": "LEAD_ACTION"}', b'{"notifications": 1}']
)
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        LinkedInConnector.webhook_events(body)
    assert refused.value.reason is RejectReason.INVALID


def test_a_page_is_subscribed_where_the_app_says_what_that_needs(network: responses.RequestsMock) -> None:
    network.put(re.compile(f"{API}/rest/eventSubscriptions/.*"), json={})
    extra = {"application_id": "4660", "webhook_url": "https://smm.example.com/hooks/linkedin"}
    client = account(app=dataclasses.replace(APP, extra=extra))
    client.subscribe()
    client.subscribe()
    request = network.calls[0].request
    assert unquote(str(request.url)) == (
        f"{API}/rest/eventSubscriptions/(developerApplication:urn:li:developerApplication:4660,"
        f"user:{PERSON},entity:{PAGE},eventType:{EVENT_TYPE})"
    )
    assert json.loads(request.body or "") == {"webhook": "https://smm.example.com/hooks/linkedin"}
    calls = len(network.calls)
    account(app=APP).subscribe()
    account(PERSON, app=dataclasses.replace(APP, extra=extra)).subscribe()
    assert len(network.calls) == calls


def test_webhooks_are_those_of_the_description() -> None:
    path = SPECS / "linkedin" / "linkedin-webhooks.yml"
    if not path.is_file():
        pytest.skip("NETWORK_SPECS has no linkedin/linkedin-webhooks.yml: webhooks are not held against it")
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    family = told["event_families"][0]
    assert family["event_type"] == EVENT_TYPE
    assert {*COMMENTED, MENTIONED} < set(family["actions"])
    fields = {one["name"] for one in family["notification_schema"]["fields"]}
    assert notice().keys() <= fields
    assert family["notification_schema"]["dedupe_field"] == "notificationId"
    assert told["signature"]["header"].lower() == "x-li-signature"
    assert told["signature"]["string_to_sign"].startswith('"hmacsha256=" +')
    assert told["validation"]["response_body_fields"] == ["challengeCode", "challengeResponse"]
    assert NOTICES.removeprefix(API) in told["delivery"]["backfill"]["organization_social_actions"]["api"]


# --- answers of any shape ---------------------------------------------------------------------

CLIP = payload("Waves", media=(film(15),))
PICTURE = payload("Look", media=(image(),))
REPLY = PostPayload((PostPart("Thanks"),), reply_to=ReplyTarget(COMMENT))
COMMENTED_POST = PostPayload((PostPart("Post"), PostPart("More", is_comment=True)))
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
SHARE = {"entity": "urn:li:share:9", "owner": BOB, "text": "x"}
ABOUT = {"id": 7, "localizedName": "Harbour Tea", "vanityName": "tea"}
PIECES = [{"uploadUrl": "https://www.linkedin.com/u", "firstByte": 0, "lastByte": 14}]
USUAL: dict[str, Any] = {
    "/organizationalEntityNotifications": {
        "elements": [notice(), notice(2, MENTIONED, decoratedGeneratedActivity={"share": SHARE})]
    },
    "/comments/": remote_comment(1, "x", NOW),
    "/comments": {
        "elements": [
            remote_comment(1, "q", NOW, BOB, commentsSummary={"totalFirstLevelComments": 2}, content=[{}]),
            remote_comment(2, "a", NOW),
        ]
    },
    "/rest/people": {"results": {"(id:b0B)": {"id": "b0B", "vanityName": "bob"}}},
    "/organizationsLookup": {"results": {"7": ABOUT}},
    "/networkSizes": {"firstDegreeSize": 5},
    "/organizationalEntityShareStatistics": {
        "elements": [{"share": POST, "totalShareStatistics": {"likeCount": 1}}]
    },
    "/organizationAcls": {"elements": [{"organization": PAGE, "role": "ADMINISTRATOR"}]},
    "/rest/organizations?": {"elements": [ABOUT]},
    "/rest/organizations/": ABOUT,
    "/rest/posts?ids": {"results": {POST: {}}},
    "/rest/posts?": {
        "elements": [remote(POST, "{hashtag|\\#|a}", NOW, content={"multiImage": {"images": [{}]}})]
    },
    "/rest/posts/": remote(POST, "x", NOW, content={"media": {"id": "1"}}),
    "/rest/images": {"value": {"uploadUrl": "https://www.linkedin.com/u", "image": "urn:li:image:1"}},
    "/rest/videos?": {"value": {"video": "urn:li:video:1", "uploadInstructions": PIECES}},
    "/rest/videos/": {"status": "AVAILABLE"},
    "/v2/userinfo": {"sub": "A8", "name": "Ann", "picture": "https://example.com/1.jpg"},
    "/accessToken": {
        "access_token": "a",
        "expires_in": 5,
        "scope": "openid,w_member_social,w_organization_social,rw_organization_admin",
    },
}


def send(client: LinkedInConnector, sent: PostPayload, index: int) -> object:
    step = client.plan(sent)[index]
    done = {"part0.publish": StepResult(remote_id=POST)}
    return client.send_step(step, sent, client.prepare_step(step, sent, done, key="k", now=NOW))


ACTS: dict[str, Callable[[LinkedInConnector], object]] = {
    "exchange": lambda c: c.exchange_accounts(app=APP, code="c", code_verifier="", redirect_uri="r"),
    "refresh": lambda c: c.refresh(tokens=Tokens("a", "b"), options={}, app=APP),
    "profile": lambda c: c.fetch_profile(),
    "inbox": lambda c: c.fetch_inbox(since=LONG_AGO),
    "image": lambda c: send(c, PICTURE, 0),
    "video": lambda c: send(c, CLIP, 0),
    "check": lambda c: c.check(c.plan(CLIP)[0], {}, StepResult(remote_id="urn:li:video:1")),
    "post": lambda c: send(c, payload("x"), -1),
    "comment": lambda c: send(c, COMMENTED_POST, -1),
    "recent": lambda c: c.find_recent(since=LONG_AGO),
    "sent": lambda c: c.find_sent(COMMENTED_POST, since=LONG_AGO),
    "answered": lambda c: c.find_sent(REPLY, since=LONG_AGO),
    "read": lambda c: c.fetch_post(POST),
    "read comment": lambda c: c.fetch_post(COMMENT),
    "account": lambda c: c.fetch_account_metrics(),
    "counts": lambda c: c.fetch_post_metrics([POST, "urn:li:share:2"]),
    "other": lambda c: c.fetch_public_account("tea"),
}


@pytest.mark.parametrize("act", ACTS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(odd=ODD, chance=st.randoms(use_true_random=False))
def test_an_answer_of_any_shape_is_one_of_the_five_errors_at_most(
    page: LinkedInConnector, act: str, odd: Any, chance: Any
) -> None:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        usual = next((value for name, value in USUAL.items() if name in str(request.url)), None)
        return 200, {"ETag": "x"}, json.dumps(with_odd(usual, odd, chance))

    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        for method in ("GET", "POST", "PUT"):
            network.add_callback(method, re.compile(".*"), callback=answer)
        with contextlib.suppress(ConnectorError):
            ACTS[act](page)


@settings(deadline=None)
@given(odd=ODD, chance=st.randoms(use_true_random=False))
def test_a_call_of_any_shape_is_read_or_refused(odd: Any, chance: Any) -> None:
    told = with_odd({"type": EVENT_TYPE, "notifications": [notice(), notice(2)]}, odd, chance)
    with contextlib.suppress(Rejected):
        assert all(event.event_id for event in LinkedInConnector.webhook_events(json.dumps(told).encode()))
