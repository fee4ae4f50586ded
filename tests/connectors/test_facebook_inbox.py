"""Facebook's inbox: what is read, answers, moderation, webhooks."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import responses

from connectors.base import (
    InboxKind,
    MessageTarget,
    Moderation,
    ModerationAction,
    PostPart,
    PostPayload,
    ReplyTarget,
    RetrySafety,
    StepResult,
    Tokens,
    WebhookKind,
)
from connectors.errors import Rejected, RejectReason
from connectors.facebook import FacebookConnector
from tests.connectors.conftest import NOW
from tests.connectors.facebook_stage import (
    API,
    GONE,
    PAGE,
    TOKEN,
    comment,
    form_of,
    hold_against_specs,
    intent_of,
    network,
    page,
    send,
    shown,
    stamp,
)

__all__ = ["network", "page"]


# --- inbox ------------------------------------------------------------------------------------


def read_all(client: FacebookConnector, since: dt.datetime) -> list[Any]:
    items: list[Any] = []
    cursor = ""
    while True:
        found = client.fetch_inbox(since=since, cursor=cursor)
        items += found.items
        cursor = found.cursor
        if not cursor:
            return items


def test_all_that_people_write_to_a_page_is_told(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    later = NOW + dt.timedelta(minutes=1)
    below = [
        comment("2002_3", "Again", later, author="56", parent={"id": "2002_1"}),
        comment("2002_2", "Thanks", later, author=PAGE, parent={"id": "2002_1"}),
        comment("2002_1", "Nice", NOW, is_hidden=True, user_likes=True, attachment={"type": "photo"}),
        {"id": "2002_4", "message": "Who am I", "created_time": stamp(NOW)},
        comment("2002_0", "Too old", NOW - dt.timedelta(days=3)),
        {"id": "2002_9"},
        None,
    ]
    rows = [shown("1001_2002", "Hello", NOW - dt.timedelta(days=1), comments={"data": below})]
    network.get(f"{API}/{PAGE}/published_posts", json={"data": rows})
    tagged = shown("900_1", "At the Harbour Coffee", NOW, **{"from": {"id": "900", "name": "Cat"}})
    network.get(f"{API}/{PAGE}/tagged", json={"data": [tagged]})
    visits = [
        shown("1001_8", "Open today?", NOW, **{"from": {"id": "901", "name": "Dora"}}),
        shown("1001_7", "Ours", NOW, **{"from": {"id": PAGE, "name": "Harbour Coffee"}}),
    ]
    network.get(f"{API}/{PAGE}/visitor_posts", json={"data": visits})
    review = {
        "created_time": stamp(NOW),
        "reviewer": {"id": "902", "name": "Eve"},
        "review_text": "Lovely",
        "recommendation_type": "positive",
        "open_graph_story": {"id": "6006"},
    }
    network.get(f"{API}/{PAGE}/ratings", json={"data": [review, {"created_time": stamp(NOW)}]})
    message = {
        "id": "m_1",
        "message": "Hi",
        "created_time": stamp(NOW),
        "from": {"id": "903", "name": "Fay"},
        "to": {"data": [{"id": PAGE}]},
    }
    talk = {
        "id": "t_1",
        "updated_time": stamp(NOW),
        "participants": {"data": [{"id": "903", "name": "Fay"}, {"id": PAGE, "name": "Harbour Coffee"}]},
        "messages": {"data": [message]},
    }
    network.get(f"{API}/{PAGE}/conversations", json={"data": [talk]})
    items = {item.remote_id: item for item in read_all(page, NOW)}
    nice, thanks, again, hidden = (items[f"2002_{n}"] for n in (1, 2, 3, 4))
    assert (nice.thread_id, nice.parent_id, nice.root_id) == ("2002_1", "1001_2002", "1001_2002")
    assert (nice.is_hidden, nice.is_liked, nice.media_count) == (True, True, 1)
    assert (thanks.is_own, thanks.thread_id, thanks.parent_id) == (True, "2002_1", "2002_1")
    assert again.detail == {"id": "2002_3", "comment": "2002_1"}
    assert hidden.author.remote_id == "author:2002_4"
    assert "2002_0" not in items
    assert (items["900_1"].kind, items["900_1"].author.display_name) == (InboxKind.MENTION, "Cat")
    assert items["1001_8"].kind is InboxKind.MENTION
    assert "1001_7" not in items
    assert (items["6006"].kind, items["6006"].text, items["6006"].author.display_name) == (
        InboxKind.REVIEW,
        "Lovely",
        "Eve",
    )
    assert (items["m_1"].kind, items["m_1"].thread_id) == (InboxKind.DM, "903")
    hold_against_specs(network)


def test_a_page_without_reviews_has_no_list_of_them(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    for edge in ("published_posts", "tagged", "visitor_posts", "conversations"):
        network.get(f"{API}/{PAGE}/{edge}", json={"data": []})
    network.get(f"{API}/{PAGE}/ratings", status=400, json={"error": {"code": 100, "message": "no reviews"}})
    assert read_all(page, NOW) == []
    forbidden = {"error": {"code": 10, "message": "no"}}
    for edge in ("tagged", "visitor_posts", "ratings", "conversations"):
        network.upsert("GET", f"{API}/{PAGE}/{edge}", status=400, json=forbidden)
    assert read_all(page, NOW) == []  # what may not be read keeps nobody from the comments
    network.upsert("GET", f"{API}/{PAGE}/published_posts", status=400, json=forbidden)
    with pytest.raises(Rejected):
        read_all(page, NOW)


def test_further_comments_of_one_post_are_read_page_by_page(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    following = {"next": f"{API}/1001_2002/comments?access_token={TOKEN}&after=more"}
    first = {"data": [comment("2002_2", "two", NOW)], "paging": following}
    network.get(
        f"{API}/{PAGE}/published_posts",
        json={"data": [shown("1001_2002", "Hello", NOW, comments=first)]},
    )
    old = comment("2002_0", "old", NOW - dt.timedelta(days=2))
    second = {"data": [comment("2002_1", "one", NOW), old], "paging": following}
    network.get(f"{API}/1001_2002/comments", json=second)
    for edge in ("tagged", "visitor_posts", "ratings", "conversations"):
        network.get(f"{API}/{PAGE}/{edge}", json={"data": []})
    assert [item.text for item in read_all(page, NOW)] == ["two", "one"]
    hold_against_specs(network)


# --- answers and moderation -------------------------------------------------------------------


def test_answers_go_below_the_first_comment(network: responses.RequestsMock, page: FacebookConnector) -> None:
    target = ReplyTarget("2002_3", "1001_2002", {"id": "2002_3", "comment": "2002_1"})
    sent = PostPayload((PostPart("Yes"),), reply_to=target)
    network.post(f"{API}/2002_1/comments", json={"id": "2002_5"})
    assert send(page, sent, "part0.publish") == StepResult(remote_id="2002_5")
    _step, intent = intent_of(page, sent, "part0.publish")
    assert page.safety_of(intent, NOW) is RetrySafety.NEITHER
    rows = [
        comment("2002_5", "Yes", NOW, author=PAGE),
        comment("2002_6", "Yes", NOW),
        comment("2002_7", "Yes", NOW - dt.timedelta(days=1), author=PAGE),
    ]
    network.get(f"{API}/2002_1/comments", json={"data": rows})
    assert [one.remote_id for one in page.find_sent(sent, since=NOW)] == ["2002_5"]
    hold_against_specs(network)
    network.upsert("POST", f"{API}/2002_1/comments", status=400, json=GONE)
    with pytest.raises(Rejected) as refused:
        send(page, sent, "part0.publish")
    assert refused.value.reason is RejectReason.NOT_FOUND


def test_a_review_without_a_story_takes_no_answer(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    target = ReplyTarget("review:902:x", "", {"id": "review:902:x", "comment": ""})
    with pytest.raises(Rejected):
        send(page, PostPayload((PostPart("Thanks"),), reply_to=target), "part0.publish")
    assert not network.calls


def test_a_message_is_answered_and_found_again(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    received = (NOW - dt.timedelta(hours=30)).isoformat()
    target = MessageTarget("903", "903", {"id": "m_1", "received_at": received})
    sent = PostPayload((PostPart("Yes"),), message_to=target)
    network.post(f"{API}/{PAGE}/messages", json={"recipient_id": "903", "message_id": "m_2"})
    assert send(page, sent, "part0.publish").remote_id == "m_2"
    form = form_of(network.calls[0])
    assert json.loads(form["recipient"]) == {"id": "903"}
    assert (form["messaging_type"], form["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")
    message = {"id": "m_2", "message": "Yes", "created_time": stamp(NOW), "from": {"id": PAGE}}
    talk = {"participants": {"data": [{"id": "903"}]}, "messages": {"data": [message]}}
    network.get(f"{API}/{PAGE}/conversations", json={"data": [talk]})
    assert [one.remote_id for one in page.find_sent(sent, since=NOW)] == ["m_2"]
    too_late = {"error": {"code": 10, "error_subcode": 2018278, "message": "outside the allowed window"}}
    network.upsert("POST", f"{API}/{PAGE}/messages", status=400, json=too_late)
    with pytest.raises(Rejected) as refused:
        send(page, sent, "part0.publish")
    assert refused.value.reason is RejectReason.FORBIDDEN
    hold_against_specs(network)


def test_comments_are_liked_hidden_and_deleted(
    network: responses.RequestsMock, page: FacebookConnector
) -> None:
    for path in ("2002_1", "2002_1/likes"):
        network.post(f"{API}/{path}", json={"success": True})
        network.delete(f"{API}/{path}", json={"success": True})
    for action in ModerationAction:
        send(page, PostPayload((), moderation=Moderation(action, "2002_1")), "moderate")
    calls = [(call.request.method, urlsplit(str(call.request.url)).path[6:]) for call in network.calls]
    assert calls == [
        ("POST", "/2002_1/likes"),
        ("DELETE", "/2002_1/likes"),
        ("POST", "/2002_1"),
        ("POST", "/2002_1"),
        ("DELETE", "/2002_1"),
    ]
    assert [form_of(call) for call in list(network.calls)[2:4]] == [
        {"is_hidden": "true"},
        {"is_hidden": "false"},
    ]
    hold_against_specs(network)
    network.upsert("DELETE", f"{API}/2002_1", status=400, json=GONE)
    gone = Moderation(ModerationAction.DELETE, "2002_1")
    send(page, PostPayload((), moderation=gone), "moderate")  # twice is the same as once


# --- webhooks ---------------------------------------------------------------------------------


def call_of(*changes: tuple[str, dict[str, Any]], messaging: tuple[dict[str, Any], ...] = ()) -> bytes:
    lines = [{"field": name, "value": value} for name, value in changes]
    entry = {"id": PAGE, "time": 1795348800, "changes": lines, "messaging": list(messaging)}
    return json.dumps({"object": "page", "entry": [entry]}).encode()


def test_a_comment_is_told_whole_and_the_rest_is_looked_up() -> None:
    told = {
        "item": "comment",
        "verb": "add",
        "comment_id": "2002_3",
        "post_id": "1001_2002",
        "parent_id": "2002_1",
        "from": {"id": "56", "name": "Bob"},
        "message": "Again",
        "created_time": 1795348800,
    }
    body = call_of(
        ("feed", told),
        ("feed", told | {"comment_id": "2002_1", "parent_id": "1001_2002", "from": {"id": PAGE}}),
        ("feed", told | {"verb": "remove"}),
        ("feed", told | {"verb": "edited"}),
        ("feed", {"item": "comment", "verb": "add"}),
        ("feed", {"item": "status", "verb": "add", "from": {"id": "901"}}),
        ("feed", {"item": "status", "verb": "add", "from": {"id": PAGE}}),
        ("feed", {"item": "reaction", "verb": "add"}),
        ("mention", {"post_id": "1"}),
        ("ratings", {"item": "rating"}),
        messaging=(
            {"message": {"mid": "m_1", "text": "hi"}},
            {"delivery": {}},
        ),
    )
    events = FacebookConnector.webhook_events(body)
    inbox, other = WebhookKind.INBOX, WebhookKind.OTHER
    assert [one.kind for one in events] == [
        inbox,
        inbox,
        other,
        inbox,
        inbox,
        inbox,
        other,
        other,
        inbox,
        inbox,
        inbox,
        other,
    ]
    (again,), (own,) = events[0].items, events[1].items
    assert (again.remote_id, again.thread_id, again.parent_id, again.root_id) == (
        "2002_3",
        "2002_1",
        "2002_1",
        "1001_2002",
    )
    assert (again.author.display_name, again.created_at, again.is_own) == ("Bob", NOW, False)
    assert (own.thread_id, own.is_own) == ("2002_1", True)
    assert not any(one.items for one in events[2:])
    assert {one.account_id for one in events} == {PAGE}


def test_calls_are_subscribed_to_by_what_was_allowed(network: responses.RequestsMock) -> None:
    network.post(f"{API}/{PAGE}/subscribed_apps", json={"success": True})
    for scopes, wanted in (
        ([], "feed,mention,ratings,messages,message_echoes"),
        (["pages_messaging", "pages_manage_metadata"], "messages,message_echoes"),
    ):
        options = {"page_id": PAGE, "scopes": scopes}
        FacebookConnector(tokens=Tokens(access_token=TOKEN), options=options).subscribe()
        assert form_of(network.calls[-1])["subscribed_fields"] == wanted
    hold_against_specs(network)
