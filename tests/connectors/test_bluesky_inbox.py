"""Bluesky's inbox and what is answered there, on canned answers in the shape of the lexicons."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from connectors import http
from connectors.base import (
    Capability,
    InboxItem,
    InboxKind,
    InboxPage,
    MessageTarget,
    Moderation,
    ModerationAction,
    PostPart,
    PostPayload,
    ReplyTarget,
    RetrySafety,
    StepResult,
    Tokens,
)
from connectors.bluesky import INFO, BlueskyConnector
from connectors.bluesky_record import like_key
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from tests.connectors.lexicons import Lexicons

NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)
SINCE = NOW - dt.timedelta(hours=1)
PDS = "https://pds.example.net"
ALICE, BOB, CAROL = (f"did:plc:{letter * 24}" for letter in "abc")
CID = "bafyreigkqpxmhkpgp3zwnxxgvjqvmhblsbmwbeouhr4mkkmvoyhebf3dxa"
OPTIONS = {"did": ALICE, "pds": PDS, "handle": "alice.example.com"}
NOTICES = "app.bsky.notification.listNotifications"
CONVOS = "chat.bsky.convo.listConvos"
MESSAGES = "chat.bsky.convo.getMessages"


def uri(did: str, name: str) -> str:
    return f"at://{did}/app.bsky.feed.post/{name}"


def stamp(minutes_ago: float) -> str:
    at = NOW - dt.timedelta(minutes=minutes_ago)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def view(
    did: str,
    name: str,
    *,
    answers: str = "",
    top: str = "",
    names: str = "",
    ago: float = 10,
    viewer: dict[str, Any] | None = None,
    hidden: list[str] | None = None,
    **record: Any,
) -> dict[str, Any]:
    """A post as the AppView shows it; ``names`` is the DID of whom it mentions."""
    content: dict[str, Any] = {"$type": "app.bsky.feed.post", "text": name, "createdAt": stamp(ago)}
    if answers:
        content["reply"] = {
            "root": {"uri": top or answers, "cid": CID},
            "parent": {"uri": answers, "cid": CID},
        }
    if names:
        feature = {"$type": "app.bsky.richtext.facet#mention", "did": names}
        content["facets"] = [{"index": {"byteStart": 0, "byteEnd": 1}, "features": [feature]}]
    shown: dict[str, Any] = {
        "uri": uri(did, name),
        "cid": CID,
        "author": {"did": did, "handle": f"{did[8]}.example.com", "displayName": did[8].upper()},
        "record": content | record,
        "indexedAt": stamp(ago),
        "viewer": viewer or {},
    }
    if hidden is not None:
        shown["threadgate"] = {"record": {"hiddenReplies": hidden}}
    return shown


class AppView:
    """Answers queries from what it holds, and keeps what it was asked."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock
        self.posts: dict[str, dict[str, Any]] = {}
        self.notices: list[dict[str, Any]] = []
        self.own: list[dict[str, Any]] = []
        self.convos: list[dict[str, Any]] = []
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, dict[str, list[str]], dict[str, str]]] = []
        self.answered: list[tuple[str, dict[str, list[str]], Any]] = []
        for method in (NOTICES, "app.bsky.feed.getPosts", "com.atproto.repo.listRecords", CONVOS, MESSAGES):
            mock.add_callback("GET", f"{PDS}/xrpc/{method}", callback=self.answer)

    def tell(self, *views: dict[str, Any], reason: str = "reply") -> None:
        for one in views:
            self.posts[one["uri"]] = one
            notice = {name: one[name] for name in ("uri", "cid", "author", "record", "indexedAt")}
            self.notices.append(notice | {"reason": reason, "isRead": False})

    def keep(self, *views: dict[str, Any]) -> None:
        self.posts |= {one["uri"]: one for one in views}

    def calls(self, method: str) -> int:
        return sum(name == method for name, _, _ in self.asked)

    def answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        parts = urlsplit(str(request.url))
        method, query = parts.path.rpartition("/")[2], parse_qs(parts.query)
        self.asked.append((method, query, dict(request.headers)))
        cursor, limit = int(query.get("cursor", ["0"])[0]), int(query.get("limit", ["50"])[0])
        lists: dict[str, tuple[str, list[Any]]] = {
            NOTICES: ("notifications", self.notices),
            "com.atproto.repo.listRecords": ("records", self.own),
            CONVOS: ("convos", self.convos),
            MESSAGES: ("messages", self.messages.get(query.get("convoId", [""])[0], [])),
        }
        if method == "app.bsky.feed.getPosts":
            body: dict[str, Any] = {"posts": [self.posts[u] for u in query["uris"] if u in self.posts]}
        else:
            name, rows = lists[method]
            body = {name: rows[cursor : cursor + limit]}
            if cursor + limit < len(rows):
                body["cursor"] = str(cursor + limit)
        self.answered.append((method, query, body))
        return 200, {}, json.dumps(body)


@pytest.fixture(autouse=True)
def mock() -> Iterator[responses.RequestsMock]:
    http.configure()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as canned:
        yield canned


@pytest.fixture
def appview(mock: responses.RequestsMock) -> AppView:
    return AppView(mock)


def connector(**options: Any) -> BlueskyConnector:
    tokens = Tokens(access_token="access-token-1", refresh_token="refresh-token-1")
    return BlueskyConnector(tokens=tokens, options=OPTIONS | options)


def inbox(client: BlueskyConnector | None = None) -> list[InboxItem]:
    client = client or connector(opens_messages=False)
    items: list[InboxItem] = []
    page = client.fetch_inbox(since=SINCE)
    items += page.items
    while page.cursor:
        page = client.fetch_inbox(since=SINCE, cursor=page.cursor)
        items += page.items
    return items


def xrpc(name: str, message: str = "", status: int = 400) -> dict[str, Any]:
    return {"json": {"error": name, "message": message}, "status": status}


# --- comments and mentions --------------------------------------------------------------------


POST = view(ALICE, "post", ago=600)
FIRST = view(BOB, "first", answers=POST["uri"])


def test_what_hangs_below_a_first_comment_is_one_conversation(appview: AppView) -> None:
    own = view(ALICE, "own", answers=FIRST["uri"], top=POST["uri"])
    deeper = view(CAROL, "deeper", answers=own["uri"], top=POST["uri"])
    appview.keep(POST, own)
    appview.tell(deeper, FIRST)
    items = {item.text: item for item in inbox()}
    assert {item.thread_id for item in items.values()} == {FIRST["uri"]}
    assert {item.root_id for item in items.values()} == {POST["uri"]}
    first = items["first"]
    assert (first.kind, first.is_own, first.parent_id) == (InboxKind.COMMENT, False, POST["uri"])
    assert (first.author.remote_id, first.author.display_name) == (BOB, "B")
    assert first.permalink == f"https://bsky.app/profile/{BOB}/post/first"
    assert first.root is not None
    assert (first.root.text, first.root.created_at) == ("post", NOW - dt.timedelta(minutes=600))
    top = {"uri": POST["uri"], "cid": CID}
    assert first.detail == {"uri": FIRST["uri"], "cid": CID, "root": top}


def test_a_mention_a_quote_and_an_answer_elsewhere_find_their_places(appview: AppView) -> None:
    mention = view(BOB, "mention", names=ALICE)
    quote = view(
        BOB, "quote", embed={"$type": "app.bsky.embed.record", "record": {"uri": POST["uri"], "cid": CID}}
    )
    beside = view(
        BOB,
        "beside",
        embed={"media": {"images": [{}, {}]}, "record": {"record": {"uri": POST["uri"], "cid": CID}}},
    )
    theirs = view(BOB, "theirs")
    ours = view(ALICE, "ours", answers=theirs["uri"])
    back = view(BOB, "back", answers=ours["uri"], top=theirs["uri"])
    appview.keep(theirs, ours)
    appview.tell(mention, reason="mention")
    appview.tell(quote, beside, reason="quote")
    appview.tell(back)
    found = {item.text: (item.kind, item.thread_id, item.root_id, item.media_count) for item in inbox()}
    assert found == {
        "mention": (InboxKind.MENTION, mention["uri"], "", 0),
        "quote": (InboxKind.MENTION, quote["uri"], "", 0),
        "beside": (InboxKind.MENTION, beside["uri"], "", 2),
        "back": (InboxKind.COMMENT, back["uri"], ours["uri"], 0),
    }


def test_one_post_told_for_two_reasons_is_one_item(appview: AppView) -> None:
    both = view(BOB, "both", answers=POST["uri"], names=ALICE)
    appview.keep(POST)
    appview.tell(both)
    appview.tell(both, reason="mention")
    assert [(item.kind, item.text) for item in inbox()] == [(InboxKind.COMMENT, "both")]


def test_likes_and_hidden_replies_are_told(appview: AppView) -> None:
    liked = view(BOB, "liked", answers=POST["uri"], viewer={"like": f"at://{ALICE}/app.bsky.feed.like/x"})
    hidden = view(BOB, "hidden", answers=POST["uri"])
    appview.keep(POST | {"threadgate": {"record": {"hiddenReplies": [hidden["uri"]]}}})
    appview.tell(liked, hidden)
    assert {i.text: (i.is_liked, i.is_hidden) for i in inbox()} == {
        "liked": (True, False),
        "hidden": (False, True),
    }


def test_what_was_deleted_since_is_left_out_and_what_hung_below_it_is_not(appview: AppView) -> None:
    gone = view(BOB, "gone", answers=POST["uri"])
    orphan = view(CAROL, "orphan", answers=gone["uri"], top=POST["uri"])
    no_top = view(CAROL, "no top", answers=uri(ALICE, "deleted"))
    appview.keep(POST)
    appview.tell(gone, orphan, no_top)
    del appview.posts[gone["uri"]]
    items = {item.text: item for item in inbox()}
    assert set(items) == {"orphan", "no top"}
    # Addresses say whose it was, so a comment below an own post stays one.
    assert (items["orphan"].thread_id, items["orphan"].root_id) == (gone["uri"], POST["uri"])
    assert (items["no top"].kind, items["no top"].root_id) == (InboxKind.COMMENT, uri(ALICE, "deleted"))
    assert items["no top"].root is None


@pytest.mark.parametrize(
    "record",
    [
        {"embed": "text"},
        {"embed": {"$type": "x.y", "record": "text", "images": 7, "media": [1]}},
        {"facets": [{"features": ["text", {"did": [ALICE]}]}, 5]},
        {"facets": {"not": "a list"}},
        {"createdAt": "yesterday"},
        {"createdAt": None, "text": None},
        {"createdAt": "9999-12-31T23:59:59-12:00"},  # the lexicon takes it: in UTC it is the year 10000
        {"createdAt": "0001-01-01T00:00:00+14:00"},
        {"createdAt": "0001-01-01T00:00:00Z"},
        {"text": "zero \0 byte"},
    ],
    ids=str,
)
def test_nothing_that_somebody_writes_keeps_the_rest_from_being_read(
    appview: AppView, record: dict[str, Any]
) -> None:
    appview.keep(POST)
    appview.tell(view(CAROL, "odd", answers=POST["uri"], **record), FIRST)
    items = inbox()
    assert [item.remote_id for item in items] == [uri(CAROL, "odd"), FIRST["uri"]]
    assert all("\0" not in item.text for item in items)
    west = dt.timezone(dt.timedelta(hours=-12))
    assert all(item.created_at.astimezone(west) for item in items)  # as a page shows it


@pytest.mark.parametrize(
    "odd",
    [
        {"author": None},
        {"author": "alice"},
        {"author": {"did": []}},
        {"record": None},
        {"record": [1]},
        {"cid": 5},
        {"uri": {}},
        {"uri": "no address"},
    ],
    ids=str,
)
def test_a_post_that_is_oddly_told_does_not_keep_the_rest_from_being_read(
    appview: AppView, odd: dict[str, Any]
) -> None:
    appview.keep(POST)
    appview.tell(FIRST)
    told = view(CAROL, "odd", answers=POST["uri"])
    appview.tell(told)
    appview.posts[told["uri"]] = told | odd
    appview.notices += [None, {}, told | {"uri": None}, told | {"uri": "no address"}]  # type: ignore[list-item]
    appview.own += [{}, None, {"uri": POST["uri"], "value": None}]  # type: ignore[list-item]
    assert [item.remote_id for item in inbox()] == [FIRST["uri"]]
    asked = [uri for method, query, _ in appview.asked for uri in query.get("uris", []) if method]
    assert "no address" not in asked


def test_a_time_from_the_future_is_not_believed(appview: AppView) -> None:
    appview.keep(POST)
    appview.tell(view(BOB, "early", answers=POST["uri"], createdAt="2030-01-01T00:00:00Z"))
    (item,) = inbox()
    assert item.created_at == NOW - dt.timedelta(minutes=10)


def test_notices_are_read_back_to_the_moment_and_no_further(appview: AppView) -> None:
    appview.keep(POST)
    appview.tell(*(view(BOB, f"c{n}", answers=POST["uri"], ago=n / 2) for n in range(300)))
    items = inbox()
    assert len(items) == 121  # an hour's, one each half minute
    assert appview.calls(NOTICES) == 4  # the last of them is older as a whole
    # Posts are asked for by twenty-five.
    assert appview.calls("app.bsky.feed.getPosts") <= 5 + 3


def test_own_answers_are_told_wherever_they_were_written(appview: AppView) -> None:
    appview.keep(POST, FIRST)
    rows = [
        view(ALICE, "plain post", ago=1),
        view(ALICE, "answer", answers=FIRST["uri"], top=POST["uri"], ago=2),
        view(ALICE, "part two", answers=POST["uri"], ago=3),
        view(ALICE, "uninvited", answers=uri(BOB, "theirs"), ago=4),
        view(ALICE, "long ago", answers=FIRST["uri"], top=POST["uri"], ago=100),
    ]
    appview.keep(view(BOB, "theirs"))
    appview.own = [{"uri": row["uri"], "cid": CID, "value": row["record"]} for row in rows]
    (own,) = inbox()
    assert (own.text, own.is_own, own.thread_id) == ("answer", True, FIRST["uri"])
    assert (own.author.remote_id, own.author.handle) == (ALICE, "alice.example.com")


def test_queries_and_canned_answers_keep_to_the_lexicons(appview: AppView, lexicons: Lexicons) -> None:
    appview.keep(POST)
    appview.tell(FIRST)
    direct(appview, [message("m1", BOB, ago=5)])
    inbox(connector(opens_messages=True))
    assert {method for method, _, _ in appview.answered} >= {NOTICES, CONVOS, MESSAGES}
    for method, query, body in appview.answered:
        assert lexicons.problems_of_call(method, sent=query, answered=body) == [], method


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (xrpc("UpstreamFailure", "Upstream service unreachable", 502), Temporary),
        (xrpc("InternalServerError", status=500), Temporary),
        (xrpc("RateLimitExceeded", status=429), RateLimited),
        (xrpc("InvalidToken", "Token could not be verified"), NeedsReconnect),
        (xrpc("InvalidRequest", "No service configured for app.bsky.x"), None),
    ],
    ids=str,
)
def test_a_missing_appview_is_an_empty_inbox_and_a_failing_one_an_error(
    mock: responses.RequestsMock, answer: dict[str, Any], expected: type[ConnectorError] | None
) -> None:
    mock.get(f"{PDS}/xrpc/{NOTICES}", **answer)
    if expected is None:
        assert connector().fetch_inbox(since=SINCE) == InboxPage(())
    else:
        with pytest.raises(expected):
            connector().fetch_inbox(since=SINCE)


# --- direct messages --------------------------------------------------------------------------


def message(message_id: str, did: str, *, ago: float, **more: Any) -> dict[str, Any]:
    return {
        "$type": "chat.bsky.convo.defs#messageView",
        "id": message_id,
        "rev": "1",
        "text": message_id,
        "sender": {"did": did},
        "sentAt": stamp(ago),
    } | more


def direct(appview: AppView, messages: list[dict[str, Any]], *, name: str = "talk", other: str = BOB) -> None:
    members = [
        {"did": ALICE, "handle": "alice.example.com"},
        {"did": other, "handle": "b.example.com", "displayName": "Bob"},
    ]
    convo = {"id": name, "rev": "1", "members": members, "muted": False, "unreadCount": 1}
    appview.convos.append(convo | ({"lastMessage": messages[0]} if messages else {}))
    appview.messages[name] = messages


def test_messages_of_both_sides_are_told_with_the_other_side(appview: AppView) -> None:
    thanks, hello = message("thanks", BOB, ago=1), message("hello", ALICE, ago=2)
    direct(appview, [thanks, hello, message("hi", BOB, ago=3)])
    items = inbox(connector())
    assert [(i.text, i.is_own, i.thread_id) for i in items] == [
        ("thanks", False, "talk"),
        ("hello", True, "talk"),
        ("hi", False, "talk"),
    ]
    assert {item.kind for item in items} == {InboxKind.DM}
    assert {item.counterpart.remote_id for item in items if item.counterpart} == {BOB}
    assert [item.author.remote_id for item in items] == [BOB, ALICE, BOB]
    assert items[0].remote_id == "talk/thanks"
    headers = next(headers for method, _, headers in appview.asked if method == CONVOS)
    assert headers["atproto-proxy"] == "did:web:api.bsky.chat#bsky_chat"


def test_groups_empty_talks_and_deleted_messages_are_left_out(appview: AppView) -> None:
    deleted = {"$type": "chat.bsky.convo.defs#deletedMessageView", "id": "d", "rev": "1"}
    direct(appview, [message("kept", BOB, ago=1), deleted | {"sender": {"did": BOB}, "sentAt": stamp(2)}])
    direct(appview, [], name="empty")
    direct(appview, [message("group", CAROL, ago=3)], name="group")
    appview.convos[-1]["members"].append({"did": CAROL, "handle": "c.example.com"})
    assert [item.text for item in inbox(connector())] == ["kept"]


def test_talks_are_read_back_as_far_as_something_was_said(appview: AppView) -> None:
    direct(appview, [message("new", BOB, ago=5), message("yesterday", BOB, ago=1200)], name="a")
    direct(appview, [message("missed", BOB, ago=120), message("before", BOB, ago=130)], name="b")
    direct(appview, [message("old", BOB, ago=60 * 48)], name="c")
    for number in range(30):
        direct(appview, [message("older", BOB, ago=60 * 50)], name=f"d{number}")
    told = [item.text for item in inbox(connector())]
    # Of a talk with something new a day; of the others of the last day the latest, without another call.
    assert told == ["new", "yesterday", "missed"]
    assert (appview.calls(CONVOS), appview.calls(MESSAGES)) == (1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        xrpc("InvalidToken", "Bad token method"),
        xrpc("MethodNotImplemented", status=501),
        xrpc("InternalServerError", "Internal Server Error", 500),
        xrpc("UpstreamFailure", status=502),
        xrpc("InvalidRequest", "could not resolve proxy did"),
        xrpc("AccountSuspended", status=403),
        {"body": requests.ConnectionError()},
        {"body": "<html>a proxy</html>"},
    ],
    ids=str,
)
def test_without_a_chat_service_the_rest_of_the_inbox_is_read(
    mock: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    appview = AppView(mock)
    appview.keep(POST)
    appview.tell(FIRST)
    mock.remove("GET", f"{PDS}/xrpc/{CONVOS}")
    mock.get(f"{PDS}/xrpc/{CONVOS}", **answer)
    assert [item.text for item in inbox(connector())] == ["first"]
    assert len([c for c in mock.calls if CONVOS in str(c.request.url)]) == 1


def test_a_chat_service_that_asks_for_patience_is_given_it(mock: responses.RequestsMock) -> None:
    AppView(mock)
    mock.remove("GET", f"{PDS}/xrpc/{CONVOS}")
    mock.get(f"{PDS}/xrpc/{CONVOS}", **xrpc("RateLimitExceeded", status=429))
    with pytest.raises(RateLimited):
        inbox(connector())


def test_a_password_that_opens_no_messages_is_not_tried(appview: AppView) -> None:
    direct(appview, [message("hi", BOB, ago=1)])
    client = connector(opens_messages=False)
    assert inbox(client) == []
    assert appview.calls(CONVOS) == 0
    assert not client.info.can(Capability.INBOX_MESSAGES)
    assert not client.info.can(Capability.SEND_MESSAGE)
    assert client.info.message_text is None
    assert client.info.can(Capability.REPLY)
    assert BlueskyConnector.info_for({}) == INFO


SENT = PostPayload(parts=(PostPart("Hello https://example.com"),), message_to=MessageTarget(BOB, "talk"))
SEND = f"{PDS}/xrpc/chat.bsky.convo.sendMessage"


def send(payload: PostPayload = SENT) -> StepResult:
    client = connector()
    (step,) = client.plan(payload)
    intent = client.prepare_step(step, payload, {}, key="k", now=NOW)
    assert client.safety_of(intent, NOW) is RetrySafety.NEITHER
    return client.send_step(step, payload, intent)


def test_a_message_is_sent_to_its_talk_through_the_chat_service(
    mock: responses.RequestsMock, lexicons: Lexicons
) -> None:
    answer = {name: value for name, value in message("m9", ALICE, ago=0).items() if name != "$type"}
    mock.post(SEND, json=answer)
    assert send().remote_id == "talk/m9"
    request = mock.calls[0].request
    assert request.headers["atproto-proxy"] == "did:web:api.bsky.chat#bsky_chat"
    sent = json.loads(request.body or "")
    assert lexicons.problems_of_call("chat.bsky.convo.sendMessage", sent=sent, answered=answer) == []
    assert sent["convoId"] == "talk"
    assert sent["message"]["facets"][0]["features"][0]["uri"] == "https://example.com"


def test_a_first_message_finds_its_talk(mock: responses.RequestsMock) -> None:
    mock.get(f"{PDS}/xrpc/chat.bsky.convo.getConvoForMembers", json={"convo": {"id": "new"}})
    mock.post(SEND, json=message("m1", ALICE, ago=0))
    first = PostPayload(parts=(PostPart("Hi"),), message_to=MessageTarget(BOB))
    assert send(first).remote_id == "new/m1"


@pytest.mark.parametrize(
    ("answer", "expected", "reason"),
    [
        (xrpc("InvalidToken", "Bad token method"), Rejected, RejectReason.FORBIDDEN),
        (xrpc("BlockedActor"), Rejected, RejectReason.FORBIDDEN),
        (xrpc("MessagesDisabled"), Rejected, RejectReason.FORBIDDEN),
        (xrpc("NotFollowedBySender"), Rejected, RejectReason.FORBIDDEN),
        (xrpc("InvalidConvo"), Rejected, RejectReason.NOT_FOUND),
        (xrpc("InvalidToken", "Token could not be verified"), NeedsReconnect, None),
        (xrpc("InternalServerError", status=500), OutcomeUnknown, None),
        (xrpc("UpstreamFailure", status=502), OutcomeUnknown, None),
        (xrpc("RateLimitExceeded", status=429), RateLimited, None),
        ({"body": requests.ReadTimeout()}, OutcomeUnknown, None),
        ({"json": {"text": "no id"}}, OutcomeUnknown, None),
    ],
    ids=str,
)
def test_what_the_chat_service_denies_says_nothing_of_the_account(
    mock: responses.RequestsMock,
    answer: dict[str, Any],
    expected: type[ConnectorError],
    reason: RejectReason | None,
) -> None:
    mock.post(SEND, **answer)
    with pytest.raises(expected) as caught:
        send()
    assert getattr(caught.value, "reason", None) == reason
    assert len(mock.calls) == 1, "never sent twice"


def test_what_we_wrote_in_a_talk_can_be_looked_for(appview: AppView) -> None:
    direct(appview, [message("sent", ALICE, ago=1), message("hi", BOB, ago=2), message("old", ALICE, ago=90)])
    (found,) = connector().find_sent(SENT, since=SINCE)
    assert (found.remote_id, found.text) == ("talk/sent", "sent")


ODD_MESSAGES: list[Any] = [
    None,
    message("odd", ALICE, ago=1, text=None),
    message("odd", ALICE, ago=1, sender=None),
    message("odd", ALICE, ago=1, sender={"did": 5}),
    message("odd", ALICE, ago=1, sentAt=None),
    message("odd", ALICE, ago=1, id={}),
]


@pytest.mark.parametrize("odd", ODD_MESSAGES, ids=str)
def test_a_message_that_cannot_be_read_may_be_what_is_looked_for(appview: AppView, odd: Any) -> None:
    direct(appview, [message("hi", BOB, ago=1), odd])
    with pytest.raises(Temporary):
        connector().find_sent(SENT, since=SINCE)


@pytest.mark.parametrize("odd", ODD_MESSAGES, ids=str)
def test_a_message_that_cannot_be_read_does_not_keep_the_others_from_being_read(
    appview: AppView, odd: Any
) -> None:
    direct(appview, [message("hi", BOB, ago=1), odd, message("before", BOB, ago=2)])
    appview.convos += [None, {}, {"id": "x", "members": 5, "lastMessage": odd}]  # type: ignore[list-item]
    assert [item.text for item in inbox(connector())] == ["hi", "before"]


# --- answering --------------------------------------------------------------------------------

ANSWER = PostPayload(
    parts=(PostPart("Thank you"),),
    reply_to=ReplyTarget(
        FIRST["uri"],
        POST["uri"],
        {"uri": FIRST["uri"], "cid": CID, "root": {"uri": POST["uri"], "cid": CID}},
    ),
)
GET = f"{PDS}/xrpc/com.atproto.repo.getRecord"
PUT = f"{PDS}/xrpc/com.atproto.repo.putRecord"


def answer(payload: PostPayload = ANSWER) -> StepResult:
    client = connector()
    (step,) = client.plan(payload)
    return client.send_step(step, payload, client.prepare_step(step, payload, {}, key="key", now=NOW))


def existing_record(mock: responses.RequestsMock, repo: str, rkey: str, **answer: Any) -> None:
    query = {"repo": repo, "rkey": rkey}
    mock.get(GET, match=[responses.matchers.query_param_matcher(query, strict_match=False)], **answer)


def rkey_of_answer() -> str:
    client = connector()
    (step,) = client.plan(ANSWER)
    return str(client.prepare_step(step, ANSWER, {}, key="key", now=NOW)["rkey"])


def test_what_is_answered_is_read_before_the_answer_is_written(mock: responses.RequestsMock) -> None:
    existing_record(mock, BOB, "first", json={"uri": FIRST["uri"], "cid": CID, "value": {}})
    mock.post(PUT, json={"uri": uri(ALICE, "x"), "cid": CID})
    assert answer().remote_id == uri(ALICE, "x")
    assert [call.request.method for call in mock.calls] == ["GET", "POST"]
    reply = json.loads(mock.calls[1].request.body or "")["record"]["reply"]
    assert reply == {
        "root": {"uri": POST["uri"], "cid": CID},
        "parent": {"uri": FIRST["uri"], "cid": CID},
    }


@pytest.mark.parametrize(
    "gone",
    [
        xrpc("RecordNotFound", "Could not locate record: at://x"),
        xrpc("InvalidRequest", f"Could not locate record: {FIRST['uri']}"),
        xrpc("InvalidRequest", f"Could not find repo: {BOB}"),
        xrpc("RepoNotFound"),
        xrpc("RepoDeactivated"),
    ],
    ids=str,
)
def test_an_answer_to_what_is_gone_is_never_written(
    mock: responses.RequestsMock, gone: dict[str, Any]
) -> None:
    existing_record(mock, BOB, "first", **gone)
    existing_record(mock, ALICE, rkey_of_answer(), **xrpc("RecordNotFound"))
    with pytest.raises(Rejected) as refused:
        answer()
    assert refused.value.reason is RejectReason.NOT_FOUND
    assert {call.request.method for call in mock.calls} == {"GET"}


def test_an_answer_that_got_through_before_the_comment_was_deleted_is_found(
    mock: responses.RequestsMock,
) -> None:
    existing_record(mock, BOB, "first", **xrpc("RecordNotFound"))
    existing_record(mock, ALICE, rkey_of_answer(), json={"uri": uri(ALICE, "x"), "cid": CID, "value": {}})
    mock.post(PUT, json={"uri": uri(ALICE, "x"), "cid": CID})
    assert answer().remote_id == uri(ALICE, "x")


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (xrpc("UpstreamFailure", status=502), Temporary),
        (xrpc("InternalServerError", status=500), Temporary),
        ({"body": requests.ReadTimeout()}, Temporary),
        (xrpc("RateLimitExceeded", status=429), RateLimited),
    ],
    ids=str,
)
def test_while_it_cannot_be_read_nothing_is_written(
    mock: responses.RequestsMock, trouble: dict[str, Any], expected: type[ConnectorError]
) -> None:
    mock.get(GET, **trouble)
    with pytest.raises(expected):
        answer()


# --- likes and hidden replies -------------------------------------------------------------------


def moderate(action: ModerationAction, *, root: str = POST["uri"]) -> StepResult:
    detail = {"uri": FIRST["uri"], "cid": CID, "root": {"uri": root, "cid": CID}}
    return answer(PostPayload(parts=(), moderation=Moderation(action, FIRST["uri"], detail)))


def test_liking_writes_a_record_under_a_key_of_its_subject(
    mock: responses.RequestsMock, appview: AppView, lexicons: Lexicons
) -> None:
    appview.keep(FIRST)
    mock.post(PUT, json={"uri": "at://like", "cid": CID})
    moderate(ModerationAction.LIKE)
    sent = json.loads(mock.calls[-1].request.body or "")
    assert (sent["collection"], sent["rkey"]) == ("app.bsky.feed.like", like_key(FIRST["uri"]))
    assert sent["swapRecord"] is None
    assert lexicons.problems("app.bsky.feed.like", sent["record"]) == []


def test_a_like_that_is_there_is_left_alone(mock: responses.RequestsMock, appview: AppView) -> None:
    like = f"at://{ALICE}/app.bsky.feed.like/other"
    appview.keep(FIRST | {"viewer": {"like": like}})
    assert moderate(ModerationAction.LIKE).remote_id == like
    assert {call.request.method for call in mock.calls} == {"GET"}


def test_a_like_that_the_appview_has_not_heard_of_yet_counts_as_done(
    mock: responses.RequestsMock, appview: AppView
) -> None:
    appview.keep(FIRST)
    mock.post(PUT, **xrpc("InvalidSwap"))
    assert moderate(ModerationAction.LIKE).remote_id.endswith(like_key(FIRST["uri"]))


def test_what_is_gone_cannot_be_liked(mock: responses.RequestsMock, appview: AppView) -> None:
    with pytest.raises(Rejected) as refused:
        moderate(ModerationAction.LIKE)
    assert refused.value.reason is RejectReason.NOT_FOUND


@pytest.mark.parametrize("viewer", [{}, {"like": f"at://{ALICE}/app.bsky.feed.like/other"}])
def test_unliking_deletes_the_like_wherever_it_was_made(
    mock: responses.RequestsMock, appview: AppView, viewer: dict[str, str]
) -> None:
    appview.keep(FIRST | {"viewer": viewer})
    mock.post(f"{PDS}/xrpc/com.atproto.repo.deleteRecord", json={})
    moderate(ModerationAction.UNLIKE)
    sent = json.loads(mock.calls[-1].request.body or "")
    expected = "other" if viewer else like_key(FIRST["uri"])
    assert sent == {"repo": ALICE, "collection": "app.bsky.feed.like", "rkey": expected}


@pytest.mark.parametrize("existing", [None, {"allow": [], "hiddenReplies": ["at://other"], "post": "x"}])
def test_hiding_is_written_only_over_the_gate_that_was_read(
    mock: responses.RequestsMock, existing: dict[str, Any] | None
) -> None:
    found = {"json": {"uri": "at://gate", "cid": "bafyold", "value": existing}} if existing else {}
    mock.get(GET, **(found or xrpc("RecordNotFound")))
    mock.post(PUT, json={"uri": "at://gate", "cid": CID})
    moderate(ModerationAction.HIDE)
    sent = json.loads(mock.calls[-1].request.body or "")
    assert (sent["collection"], sent["rkey"]) == ("app.bsky.feed.threadgate", "post")
    assert sent["swapRecord"] == ("bafyold" if existing else None)
    assert sent["record"]["hiddenReplies"][-1] == FIRST["uri"]
    assert sent["record"].get("allow") == (existing or {}).get("allow")


def test_a_gate_that_changed_meanwhile_is_read_again_later(mock: responses.RequestsMock) -> None:
    mock.get(GET, **xrpc("RecordNotFound"))
    mock.post(PUT, **xrpc("InvalidSwap"))
    with pytest.raises(Temporary):
        moderate(ModerationAction.HIDE)


@pytest.mark.parametrize("action", [ModerationAction.HIDE, ModerationAction.UNHIDE])
def test_what_is_as_wanted_already_is_not_written(
    mock: responses.RequestsMock, action: ModerationAction
) -> None:
    hidden = [FIRST["uri"]] if action is ModerationAction.HIDE else []
    mock.get(GET, json={"uri": "at://gate", "cid": CID, "value": {"hiddenReplies": hidden}})
    moderate(action)
    assert len(mock.calls) == 1


def test_only_the_author_of_the_first_post_hides(mock: responses.RequestsMock) -> None:
    with pytest.raises(Rejected) as refused:
        moderate(ModerationAction.HIDE, root=uri(BOB, "theirs"))
    assert refused.value.reason is RejectReason.NOT_SUPPORTED
    assert len(mock.calls) == 0


def test_a_full_list_of_hidden_replies_is_refused_in_words(mock: responses.RequestsMock) -> None:
    full = {"hiddenReplies": [f"at://{number}" for number in range(300)]}
    mock.get(GET, json={"uri": "at://gate", "cid": CID, "value": full})
    with pytest.raises(Rejected, match="300"):
        moderate(ModerationAction.HIDE)


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("action", [ModerationAction.LIKE, ModerationAction.HIDE])
def test_a_failed_like_or_hide_may_simply_be_tried_again(
    mock: responses.RequestsMock, appview: AppView, status: int, action: ModerationAction
) -> None:
    appview.keep(FIRST)
    mock.get(GET, **xrpc("RecordNotFound"))
    mock.post(PUT, **xrpc("InternalServerError", status=status))
    with pytest.raises(Temporary):
        moderate(action)
