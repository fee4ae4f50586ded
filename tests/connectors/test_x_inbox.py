"""X's inbox and what is answered there, on canned answers shaped after docs.x.com."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses

from connectors.base import (
    Capability,
    InboxItem,
    InboxKind,
    MessageTarget,
    Moderation,
    ModerationAction,
    PostPart,
    PostPayload,
    ReplyTarget,
    StepResult,
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
from connectors.x import XConnector
from connectors.x_inbox import MESSAGES_FIRST, MESSAGES_PER_CALL
from connectors.x_info import INFO, SIGNED_IN
from tests.connectors.conftest import NOW

API = "https://api.x.com"
ME, ANN, BOB = "2244994945", "111", "222"
USERS = {
    ME: {"id": ME, "username": "harbour", "name": "Harbour Coffee"},
    ANN: {"id": ANN, "username": "ann", "name": "Ann", "profile_image_url": "https://pbs.twimg.com/a.jpg"},
    BOB: {"id": BOB, "username": "bob", "name": "Bob"},
}
SINCE = NOW - dt.timedelta(days=7)
MENTIONS, OWN = f"{API}/2/users/{ME}/mentions", f"{API}/2/users/{ME}/tweets"
TWEETS, EVENTS = f"{API}/2/tweets", f"{API}/2/dm_events"


@pytest.fixture
def network() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def an_account(*features: str) -> XConnector:
    options = {"user_id": ME, "username": "harbour", "scopes": list(INFO.scopes), "features": list(features)}
    return XConnector(tokens=Tokens(access_token="access-1"), options=options)


@pytest.fixture
def account() -> XConnector:
    return an_account("comments")


@pytest.fixture
def talker() -> XConnector:
    return an_account("messages")


def tweet(
    post_id: str,
    author: str,
    text: str,
    *,
    answers: tuple[str, str] | None = None,
    names: tuple[str, ...] = (),
    quotes: str = "",
    at: dt.datetime = NOW,
    **more: Any,
) -> dict[str, Any]:
    """``answers``: the id of a post and that of its author."""
    post: dict[str, Any] = {
        "id": post_id,
        "author_id": author,
        "text": text,
        "created_at": at.isoformat().replace("+00:00", ".000Z"),
        "entities": {"mentions": [{"id": one, "username": USERS[one]["username"]} for one in names]},
    }
    referenced = []
    if answers:
        referenced.append({"type": "replied_to", "id": answers[0]})
        post["in_reply_to_user_id"] = answers[1]
    if quotes:
        referenced.append({"type": "quoted", "id": quotes})
    return post | ({"referenced_tweets": referenced} if referenced else {}) | more


def page(*posts: Any, beside: tuple[Any, ...] = (), following: str = "", users: Any = None) -> dict[str, Any]:
    meta: dict[str, Any] = {"result_count": len(posts)} | ({"next_token": following} if following else {})
    answer: dict[str, Any] = {"meta": meta}
    if posts:
        answer["data"] = list(posts)
        people = list(USERS.values()) if users is None else users
        answer["includes"] = {"users": people, "tweets": list(beside)}
    return answer


def read(client: XConnector, pages: int = 10) -> list[InboxItem]:
    items: list[InboxItem] = []
    cursor = ""
    for _ in range(pages):
        found = client.fetch_inbox(since=SINCE, cursor=cursor)
        items += found.items
        cursor = found.cursor
        if not cursor:
            return items
    raise AssertionError("no end")


def serve(network: responses.RequestsMock, mentions: Any, own: Any = None) -> None:
    network.get(MENTIONS, json=mentions)
    network.get(OWN, json=own or page())


def queries(network: responses.RequestsMock, path: str) -> list[dict[str, str]]:
    urls = [urlsplit(str(call.request.url)) for call in network.calls]
    return [dict(parse_qsl(url.query)) for url in urls if url.path == urlsplit(path).path]


# --- what is allowed ----------------------------------------------------------------------------


def test_an_inbox_is_there_where_it_was_chosen() -> None:
    comments = {
        Capability.INBOX_COMMENTS,
        Capability.INBOX_MENTIONS,
        Capability.REPLY,
        Capability.LIKE,
        Capability.HIDE,
    }
    messages = {Capability.INBOX_MESSAGES, Capability.SEND_MESSAGE}
    assert an_account("comments").info.capabilities == SIGNED_IN | comments
    assert an_account("messages").info.capabilities == SIGNED_IN | messages
    assert an_account("comments").info.message_text is None
    # Chosen, and not given.
    options = {"user_id": ME, "scopes": ["tweet.read", "users.read"], "features": ["comments", "messages"]}
    assert XConnector.info_for(options).capabilities == SIGNED_IN
    assert INFO.inbox_every_s == 900


def test_nothing_is_asked_where_nothing_was_chosen(network: responses.RequestsMock) -> None:
    assert read(an_account()) == []
    assert not network.calls


# --- comments and mentions ----------------------------------------------------------------------


def test_a_comment_below_an_own_post_and_the_answer_to_it_are_one_talk(
    network: responses.RequestsMock, account: XConnector
) -> None:
    root = tweet("1", ME, "Fresh coffee")
    comment = tweet("2", ANN, "@harbour Open on Sunday?", answers=("1", ME), names=(ME,))
    answer = tweet("3", ME, "@ann We are", answers=("2", ANN), names=(ANN,))
    further = tweet("4", BOB, "@ann @harbour Great", answers=("3", ME), names=(ANN, ME))
    serve(network, page(further, comment, beside=(answer, root)), page(answer, root, beside=(comment,)))
    items = {item.remote_id: item for item in read(account)}
    assert set(items) == {"2", "3", "4"}
    assert {item.thread_id for item in items.values()} == {"2"}
    assert {item.root_id for item in items.values()} == {"1"}
    assert {item.kind for item in items.values()} == {InboxKind.COMMENT}
    first = items["2"]
    assert (first.author.handle, first.author.display_name) == ("ann", "Ann")
    assert first.author.avatar_url == "https://pbs.twimg.com/a.jpg"
    assert (first.text, first.is_own, first.parent_id) == ("@harbour Open on Sunday?", False, "1")
    assert first.permalink == "https://x.com/ann/status/2"
    assert first.root is not None
    assert first.root.text == "Fresh coffee"
    assert (first.is_hidden, first.is_liked) == (None, None)
    assert (items["3"].is_own, items["3"].author.remote_id) == (True, ME)


def test_a_mention_in_somebodys_post_is_one(network: responses.RequestsMock, account: XConnector) -> None:
    post = tweet("5", ANN, "Try @harbour", names=(ME,))
    below = tweet("6", BOB, "@ann @harbour I did", answers=("5", ANN), names=(ANN, ME))
    serve(network, page(below, post))
    items = read(account)
    assert [(item.kind, item.thread_id, item.root_id) for item in items] == [
        (InboxKind.MENTION, "5", ""),
        (InboxKind.MENTION, "5", ""),
    ]


def test_a_talk_that_begins_elsewhere_is_followed_to_its_beginning(
    network: responses.RequestsMock, account: XConnector
) -> None:
    """The account is named three answers below somebody's post: what is further up is asked for."""
    top = tweet("10", ANN, "Hello")
    middle = tweet("11", BOB, "@ann Hi", answers=("10", ANN), names=(ANN,))
    parent = tweet("12", ANN, "@bob @harbour", answers=("11", BOB), names=(BOB, ME))
    named = tweet("13", BOB, "@ann @harbour yes", answers=("12", ANN), names=(ANN, ME))
    serve(network, page(named, beside=(parent,)))
    network.get(TWEETS, json=page(middle, beside=(top,)))
    (item,) = read(account)
    assert (item.kind, item.thread_id) == (InboxKind.MENTION, "12")
    assert [query["ids"] for query in queries(network, TWEETS)] == ["11"]


def test_below_an_own_post_that_is_gone_it_is_still_a_comment(
    network: responses.RequestsMock, account: XConnector
) -> None:
    serve(network, page(tweet("2", ANN, "@harbour Hi", answers=("1", ME), names=(ME,))))
    network.get(TWEETS, json={"errors": [{"title": "Not Found Error", "resource_id": "1"}]})
    (item,) = read(account)
    assert (item.kind, item.root_id, item.root) == (InboxKind.COMMENT, "1", None)


def test_a_quote_that_names_the_account_and_no_repost(
    network: responses.RequestsMock, account: XConnector
) -> None:
    own = tweet("1", ME, "Fresh coffee")
    quote = tweet("7", ANN, "So good", quotes="1")
    repost = tweet("8", BOB, "RT @harbour: Fresh coffee", names=(ME,))
    repost["referenced_tweets"] = [{"type": "retweeted", "id": "1"}]
    serve(network, page(quote, repost, beside=(own,)))
    assert [(item.remote_id, item.kind) for item in read(account)] == [("7", InboxKind.MENTION)]


def test_the_lists_are_read_from_a_time_on_and_page_by_page(
    network: responses.RequestsMock, account: XConnector
) -> None:
    network.get(MENTIONS, json=page(tweet("5", ANN, "@harbour a", names=(ME,)), following="next"))
    network.get(MENTIONS, json=page(tweet("4", BOB, "@harbour b", names=(ME,))))
    network.get(OWN, json=page())
    assert [item.remote_id for item in read(account)] == ["5", "4"]
    asked = queries(network, MENTIONS)
    assert [query.get("pagination_token") for query in asked] == [None, "next"]
    assert {query["start_time"] for query in asked} == {"2026-11-15T12:00:00Z"}


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "9"},
        {"id": "9", "author_id": ANN, "text": None, "created_at": "yesterday"},
        {"id": "9", "author_id": ANN, "created_at": "0001-01-01T00:00:00+23:59"},
        tweet("9", "", "x"),
        tweet("9", "404", "no author", names=(ME,)),
        tweet("9", ANN, "x") | {"entities": "none", "referenced_tweets": "none", "note_tweet": "none"},
        tweet("9", ANN, "x") | {"entities": {"mentions": [None, 7], "urls": [None]}, "attachments": None},
        "no post at all",
        None,
    ],
    ids=str,
)
def test_whatever_somebody_writes_the_rest_is_read(
    network: responses.RequestsMock, account: XConnector, broken: Any
) -> None:
    good = tweet("5", ANN, "@harbour Hi", names=(ME,))
    serve(network, page(broken, good, beside=(broken,), users=[None, {"id": ANN}, USERS[ANN]]))
    network.get(TWEETS, json={"errors": [{"title": "Not Found Error"}]})
    assert "5" in [item.remote_id for item in read(account)]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"json": {}}, Temporary),
        ({"status": 503}, Temporary),
        ({"status": 401}, NeedsReconnect),
        ({"status": 402}, RateLimited),
        ({"status": 403}, Rejected),
        ({"status": 429}, RateLimited),
    ],
    ids=str,
)
def test_what_cannot_be_read_now_is_an_error(
    network: responses.RequestsMock, account: XConnector, answer: dict[str, Any], error: type[Exception]
) -> None:
    network.get(MENTIONS, **answer)
    with pytest.raises(error):
        account.fetch_inbox(since=SINCE)


# --- direct messages ----------------------------------------------------------------------------


def event(event_id: str, sender: str, text: str, *, talk: str = f"{ANN}-{ME}", **more: Any) -> dict[str, Any]:
    return {
        "id": event_id,
        "event_type": "MessageCreate",
        "text": text,
        "sender_id": sender,
        "dm_conversation_id": talk,
        "created_at": NOW.isoformat().replace("+00:00", ".000Z"),
        **more,
    }


def test_both_sides_of_a_talk_are_told(network: responses.RequestsMock, talker: XConnector) -> None:
    pictures = {"media_keys": ["3_1"]}
    events = (
        event("22", ME, "We are &amp; will be"),
        event("21", ANN, "Open?", attachments=pictures),
        event("20", BOB, "All of you", talk="1578398451921985538"),
        event("19", ME, "A note", talk=f"{ME}-{ME}"),
    )
    network.get(EVENTS, json=page(*events))
    items = read(talker)
    assert [item.remote_id for item in items] == ["22", "21"]
    assert {(item.kind, item.thread_id) for item in items} == {(InboxKind.DM, ANN)}
    assert [item.is_own for item in items] == [True, False]
    assert [item.text for item in items] == ["We are & will be", "Open?"]
    assert [item.media_count for item in items] == [0, 1]
    assert items[0].counterpart == items[1].author
    assert items[1].author.handle == "ann"
    assert items[0].author.remote_id == ME


def test_who_is_written_to_is_asked_for_where_x_does_not_say(
    network: responses.RequestsMock, talker: XConnector
) -> None:
    network.get(EVENTS, json=page(event("22", ME, "Hello"), users=[USERS[ME]]))
    network.get(f"{API}/2/users", json={"data": [USERS[ANN]]})
    (item,) = read(talker)
    assert item.counterpart is not None
    assert item.counterpart.handle == "ann"
    network.upsert("GET", f"{API}/2/users", status=404, json={"title": "Not Found Error"})
    (item,) = read(talker)
    assert item.counterpart is not None
    assert item.counterpart.handle == ANN


def test_the_first_page_is_short_and_old_messages_end_the_list(
    network: responses.RequestsMock, talker: XConnector
) -> None:
    old = event("1", ANN, "Long ago", created_at="2026-01-01T00:00:00.000Z")
    network.get(EVENTS, json=page(event("22", ANN, "new"), following="next"))
    network.get(EVENTS, json=page(event("21", ANN, "newer"), old, following="more"))
    assert [item.text for item in read(talker)] == ["new", "newer"]
    sizes = [query["max_results"] for query in queries(network, EVENTS)]
    assert sizes == [str(MESSAGES_FIRST), str(MESSAGES_PER_CALL)]


def test_messages_that_may_not_be_read_keep_no_comment_from_being_read(
    network: responses.RequestsMock,
) -> None:
    serve(network, page(tweet("5", ANN, "@harbour Hi", names=(ME,))))
    network.get(EVENTS, status=403, json={"title": "Forbidden"})
    assert [item.remote_id for item in read(an_account("comments", "messages"))] == ["5"]
    network.upsert("GET", EVENTS, status=503)
    with pytest.raises(Temporary):
        read(an_account("comments", "messages"))


# --- answering ----------------------------------------------------------------------------------


def reply(text: str = "We are", to: str = "2") -> PostPayload:
    return PostPayload((PostPart(text),), reply_to=ReplyTarget(to, "1", {"id": to}))


def message(text: str = "We are") -> PostPayload:
    return PostPayload((PostPart(text),), message_to=MessageTarget(ANN, ANN, {"id": "21"}))


def send(client: XConnector, sent: PostPayload) -> StepResult:
    (step,) = client.plan(sent)
    return client.send_step(step, sent, client.prepare_step(step, sent, {}, key="k", now=NOW))


def test_a_comment_is_answered(network: responses.RequestsMock, account: XConnector) -> None:
    network.post(TWEETS, status=201, json={"data": {"id": "3", "text": "We are"}})
    result = send(account, reply())
    assert (result.remote_id, result.permalink) == ("3", "https://x.com/harbour/status/3")
    said = json.loads(network.calls[0].request.body or "")
    assert said == {"text": "We are", "reply": {"in_reply_to_tweet_id": "2"}}


@pytest.mark.parametrize(
    ("status", "said", "reason", "words"),
    [
        (
            403,
            (
                "Reply to this conversation is not allowed because you have not been mentioned or otherwise "
                "engaged by the author of the post you are replying to."
            ),
            RejectReason.FORBIDDEN,
            "only people who name this account",
        ),
        (403, "You are not permitted to perform this action.", RejectReason.FORBIDDEN, "not permitted"),
        (400, "You attempted to reply to a Tweet that is deleted or not visible to you.", "not_found", ""),
        (403, "You are not allowed to create a Tweet with duplicate content.", "duplicate", ""),
    ],
)
def test_a_refused_answer_says_why(
    network: responses.RequestsMock, account: XConnector, status: int, said: str, reason: str, words: str
) -> None:
    network.post(TWEETS, status=status, json={"detail": said, "title": "Forbidden"})
    with pytest.raises(Rejected) as refused:
        send(account, reply())
    assert refused.value.reason == reason
    assert words in refused.value.detail


def test_a_message_is_answered(network: responses.RequestsMock, talker: XConnector) -> None:
    url = f"{API}/2/dm_conversations/with/{ANN}/messages"
    network.post(url, status=201, json={"data": {"dm_conversation_id": f"{ANN}-{ME}", "dm_event_id": "23"}})
    assert send(talker, message()).remote_id == "23"
    assert json.loads(network.calls[0].request.body or "") == {"text": "We are"}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("You cannot send messages to this user.", "takes no direct messages"),
        ("You cannot send messages to users who are not following you.", "takes no direct messages"),
        (
            "Your client app is not configured with the appropriate oauth1 app permissions.",
            "Read and write and",
        ),
    ],
)
def test_a_refused_message_says_why(
    network: responses.RequestsMock, talker: XConnector, said: str, words: str
) -> None:
    network.post(f"{API}/2/dm_conversations/with/{ANN}/messages", status=403, json={"detail": said})
    with pytest.raises(Rejected) as refused:
        send(talker, message())
    assert refused.value.reason is RejectReason.FORBIDDEN
    assert words in refused.value.detail


@pytest.mark.parametrize(
    "said", ["You are not permitted to perform this action.", "Your account is suspended."]
)
def test_of_a_refused_message_nothing_is_said_that_x_does_not_say(
    network: responses.RequestsMock, talker: XConnector, said: str
) -> None:
    network.post(f"{API}/2/dm_conversations/with/{ANN}/messages", status=403, json={"detail": said})
    with pytest.raises(Rejected) as refused:
        send(talker, message())
    assert said in refused.value.detail
    assert "takes no direct messages" not in refused.value.detail


@pytest.mark.parametrize("sent", [reply(), message()], ids=["reply", "message"])
@pytest.mark.parametrize(
    "failure",
    [
        {"status": 500},
        {"status": 408},
        {"status": 409},
        {"status": 302},
        {"status": 200, "json": {}},
        {"status": 201, "json": {"data": {}}},
        {"status": 201, "json": {"data": None}},
        {"status": 201, "json": {"data": {"id": None, "dm_event_id": None}}},
        {"status": 201, "body": "{"},
        {"body": requests.ReadTimeout()},
    ],
    ids=str,
)
def test_what_may_have_gone_out_is_unknown(
    network: responses.RequestsMock, sent: PostPayload, failure: dict[str, Any]
) -> None:
    network.post(TWEETS, **failure)
    network.post(f"{API}/2/dm_conversations/with/{ANN}/messages", **failure)
    with pytest.raises(OutcomeUnknown):
        send(an_account("comments", "messages"), sent)
    assert len(network.calls) == 1


def test_what_an_answer_costs(account: XConnector) -> None:
    amounts = [account.cost_of(one) for one in (reply(), reply("See example.com"), message())]
    assert [cost and cost.amount for cost in amounts] == [Decimal("0.010"), Decimal("0.20"), Decimal("0.015")]


# --- what became of it --------------------------------------------------------------------------


def test_an_answer_is_found_although_x_put_names_before_it(
    network: responses.RequestsMock, account: XConnector
) -> None:
    mine = tweet("3", ME, "@ann @bob We are", answers=("2", ANN), names=(ANN, BOB))
    other = tweet("4", ME, "@ann We are not", answers=("2", ANN))
    post = tweet("5", ME, "@ann We are")
    network.get(OWN, json=page(mine, other, post))
    found = account.find_sent(reply(), since=SINCE)
    assert {one.remote_id: one.text for one in found} == {
        "3": "We are",
        "4": "@ann We are not",
        "5": "@ann We are",  # no answer: these words were written
    }
    # Where a name was written, it is found, too.
    found = account.find_sent(reply("@ann We are"), since=SINCE)
    assert next(one for one in found if one.remote_id == "3").text == "@ann We are"


@pytest.mark.parametrize(
    ("written", "full", "shown"),
    [
        ("example.com/sale", "http://example.com/sale", "@ann Look: https://t.co/0123456789 &lt;3"),
        ("example.com", "http://example.com/", "@ann Look: https://t.co/0123456789 &lt;3"),
        ("https://example.com", "https://example.com/", "@ann Look: https://t.co/0123456789 &lt;3"),
    ],
)
def test_an_answer_with_an_address_is_found(
    network: responses.RequestsMock, account: XConnector, written: str, full: str, shown: str
) -> None:
    entities = {"urls": [{"url": "https://t.co/0123456789", "expanded_url": full}]}
    network.get(OWN, json=page(tweet("3", ME, shown, answers=("2", ANN), entities=entities)))
    wanted = f"Look: {written} <3"
    assert [one.text for one in account.find_sent(reply(wanted), since=SINCE)] == [wanted]


@pytest.mark.parametrize("other", ["https://example.com/sale", "example.com/sale2", "example.org/sale"])
def test_another_address_is_another_post(
    network: responses.RequestsMock, account: XConnector, other: str
) -> None:
    entities = {"urls": [{"url": "https://t.co/0123456789", "expanded_url": "http://example.com/sale"}]}
    network.get(OWN, json=page(tweet("3", ME, "https://t.co/0123456789", entities=entities)))
    sent = PostPayload((PostPart(other),))
    assert [one.text for one in account.find_sent(sent, since=SINCE)] == ["http://example.com/sale"]


def test_a_part_of_a_thread_is_not_taken_for_another(
    network: responses.RequestsMock, account: XConnector
) -> None:
    sent = PostPayload((PostPart("Start"), PostPart("We are"), PostPart("@ann We are")))
    network.get(
        OWN,
        json=page(
            tweet("2", ME, "We are", answers=("1", ME)), tweet("3", ME, "@ann We are", answers=("2", ME))
        ),
    )
    assert [one.text for one in account.find_sent(sent, since=SINCE)] == ["We are", "@ann We are"]


def test_a_message_is_looked_for_among_what_was_written_to_that_person(
    network: responses.RequestsMock, talker: XConnector
) -> None:
    path = f"{API}/2/dm_conversations/with/{ANN}/dm_events"
    network.get(path, json=page(event("23", ME, "We are"), event("21", ANN, "Open?")))
    assert [(one.remote_id, one.text) for one in talker.find_sent(message(), since=SINCE)] == [
        ("23", "We are")
    ]


@pytest.mark.parametrize(
    ("sent", "path", "make"),
    [
        (reply("x"), OWN, lambda n: tweet(str(n), ME, "else")),
        (message("x"), f"{API}/2/dm_conversations/with/{ANN}/dm_events", lambda n: event(str(n), ME, "else")),
    ],
    ids=["reply", "message"],
)
def test_a_list_without_an_end_does_not_say_that_nothing_went_out(
    network: responses.RequestsMock, sent: PostPayload, path: str, make: Callable[[int], Any]
) -> None:
    network.get(path, json=page(make(1), following="again"))
    with pytest.raises(Temporary):
        an_account("comments", "messages").find_sent(sent, since=SINCE)


@pytest.mark.parametrize(
    "answer",
    [
        {"json": {}},
        {"json": {"meta": None}},
        {"json": {"meta": {"result_count": 1}}},
        {"json": {"meta": {"result_count": 0}, "errors": [{"title": "Authorization Error"}]}},
        {"json": {"data": {}, "meta": {"result_count": 1}}},
        {"json": {"data": [None], "meta": {"result_count": 1}}},
        {"json": {"data": [{"id": "1"}], "meta": {"result_count": 1}}},
        {"status": 500},
        {"status": 404},
        {"status": 403},
    ],
    ids=str,
)
@pytest.mark.parametrize("sent", [reply(), message()], ids=["reply", "message"])
def test_a_look_that_fails_is_an_error_and_no_empty_list(
    network: responses.RequestsMock, answer: dict[str, Any], sent: PostPayload
) -> None:
    network.get(OWN, **answer)
    network.get(f"{API}/2/dm_conversations/with/{ANN}/dm_events", **answer)
    with pytest.raises((Temporary, Rejected)):
        an_account("comments", "messages").find_sent(sent, since=SINCE)


# --- likes and hiding ---------------------------------------------------------------------------

A = ModerationAction
CALLS = {
    A.LIKE: ("POST", f"{API}/2/users/{ME}/likes", {"tweet_id": "2"}, {"liked": True}),
    A.UNLIKE: ("DELETE", f"{API}/2/users/{ME}/likes/2", None, {"liked": False}),
    A.HIDE: ("PUT", f"{API}/2/tweets/2/hidden", {"hidden": True}, {"hidden": True}),
    A.UNHIDE: ("PUT", f"{API}/2/tweets/2/hidden", {"hidden": False}, {"hidden": False}),
}


def moderate(client: XConnector, action: ModerationAction) -> StepResult:
    return send(client, PostPayload((), moderation=Moderation(action, "2", {"id": "2"})))


@pytest.mark.parametrize("action", CALLS)
def test_a_comment_is_liked_and_hidden(
    network: responses.RequestsMock, account: XConnector, action: ModerationAction
) -> None:
    method, url, body, answer = CALLS[action]
    network.add(method, url, json={"data": answer})
    assert moderate(account, action).remote_id == "2"
    assert json.loads(network.calls[0].request.body or "null") == body


@pytest.mark.parametrize("action", CALLS)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 403, "json": {"detail": "You have already liked this Tweet."}}, None),
        ({"status": 403, "json": {"detail": "You are not permitted."}}, Rejected),
        ({"status": 404, "json": {"title": "Not Found Error"}}, Rejected),
        ({"status": 500}, Temporary),
        ({"json": {}}, Temporary),
        ({"json": {"data": None}}, Temporary),
        ({"body": requests.ReadTimeout()}, Temporary),
    ],
    ids=str,
)
def test_twice_is_the_same_as_once(
    network: responses.RequestsMock,
    account: XConnector,
    action: ModerationAction,
    answer: dict[str, Any],
    error: type[Exception] | None,
) -> None:
    method, url, _body, _answer = CALLS[action]
    network.add(method, url, **answer)
    if error is None:
        assert moderate(account, action).remote_id == "2"
        return
    with pytest.raises(error):
        moderate(account, action)


def test_nobody_deletes_what_others_wrote(network: responses.RequestsMock, account: XConnector) -> None:
    with pytest.raises(Rejected):
        moderate(account, A.DELETE)
    assert not network.calls


# --- others -------------------------------------------------------------------------------------


def test_another_account_is_looked_at(network: responses.RequestsMock) -> None:
    counts = {"followers_count": 1200, "following_count": 34, "tweet_count": 567}
    network.get(f"{API}/2/users/by/username/ann", json={"data": USERS[ANN] | {"public_metrics": counts}})
    found = an_account("others").fetch_public_account(" @ann ")
    assert found is not None
    assert (found.profile.handle, found.counts.followers, found.counts.posts) == ("ann", 1200, 567)


@pytest.mark.parametrize(
    "answer", [{"status": 404, "json": {}}, {"json": {"errors": [{"title": "Not Found Error"}]}}], ids=str
)
def test_an_account_that_is_not_there_is_none(
    network: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    network.get(f"{API}/2/users/by/username/ann", **answer)
    assert an_account("others").fetch_public_account("ann") is None


@pytest.mark.parametrize("handle", ["", "@", "a/b", "../me", "über", "x" * 16, "a b", "ann?x=1"])
def test_what_is_no_name_at_x_is_not_asked_for(network: responses.RequestsMock, handle: str) -> None:
    assert an_account("others").fetch_public_account(handle) is None
    assert not network.calls
