"""Instagram's inbox: what is read, answers, moderation, webhooks."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import responses

from connectors.base import (
    InboxItem,
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
from connectors.instagram import InstagramConnector
from tests.connectors.conftest import NOW
from tests.connectors.instagram_stage import (
    AT_FACEBOOK,
    AT_INSTAGRAM,
    IG,
    PAGE,
    ROUTES,
    UUID,
    account,
    comment,
    form_of,
    hold_against_specs,
    linked,
    media,
    network,
    query_of,
    send,
    step_of,
)

__all__ = ["account", "linked", "network"]


# --- inbox ------------------------------------------------------------------------------------


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
    assert [len(one.items) for one in events[1:]] == [0, 1, 0, 0, 0]


def named(**value: Any) -> list[InboxItem]:
    (event,) = InstagramConnector.webhook_events(call_of({"field": "mentions", "value": value}))
    return list(event.items)


def test_who_names_the_account_is_told_by_webhooks_and_read_then(
    network: responses.RequestsMock, linked: InstagramConnector
) -> None:
    comment_of_them = {
        "id": "1785",
        "text": "Ask harbour",
        "timestamp": (NOW - dt.timedelta(hours=1)).isoformat(),
    }
    network.get(f"{AT_FACEBOOK}/{IG}", json={"mentioned_comment": comment_of_them, "id": IG})
    (item,) = linked.complete(named(media_id="1795", comment_id="1785"))
    assert (item.kind, item.remote_id, item.text) == (InboxKind.MENTION, "1785", "Ask harbour")
    assert item.created_at == NOW - dt.timedelta(hours=1)
    assert query_of(network.calls[0])["fields"] == "mentioned_comment.comment_id(1785){id,text,timestamp}"
    post = {"id": "1795", "caption": "At harbour", "timestamp": NOW.isoformat(), "username": "bob"}
    network.replace(responses.GET, f"{AT_FACEBOOK}/{IG}", json={"mentioned_media": post, "id": IG})
    (item,) = linked.complete(named(media_id="1795"))
    assert (item.remote_id, item.text, item.author.handle) == ("1795", "At harbour", "bob")
    hold_against_specs(network, {rf"/{IG}": "IGUser"})


def test_a_mention_that_cannot_be_read_is_there_without_its_words(
    network: responses.RequestsMock, account: InstagramConnector, linked: InstagramConnector
) -> None:
    (told,) = named(media_id="1795", comment_id="1785")
    assert told.text == "[Named this account in a comment]"
    assert list(account.complete([told])) == [told]  # Instagram Login has no call for it
    network.get(f"{AT_FACEBOOK}/{IG}", status=400, json={"error": {"code": 10, "message": "comments off"}})
    assert list(linked.complete([told])) == [told]
    (told,) = named(media_id="1795){id},x(1", comment_id=None)
    assert list(linked.complete([told])) == [told]
    assert len(network.calls) == 1
    assert named(comment_id="1785") == []


def test_a_comment_that_names_the_account_is_answered_below_it(
    network: responses.RequestsMock, account: InstagramConnector
) -> None:
    network.post(f"{AT_INSTAGRAM}/{IG}/mentions", json={"id": "1788"})
    (item,) = named(media_id="1795", comment_id="1785")
    target = ReplyTarget(item.remote_id, "", item.detail)
    send(account, PostPayload((PostPart("Thanks"),), reply_to=target), "part0.publish")
    assert form_of(network.calls[0]) == {"media_id": "1795", "comment_id": "1785", "message": "Thanks"}
    hold_against_specs(network, ROUTES)


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


def test_without_an_inbox_nothing_is_subscribed_to(network: responses.RequestsMock) -> None:
    """The permission for it comes with those for comments and messages."""
    options = {"ig_id": IG, "page_id": PAGE, "scopes": ["instagram_business_basic"]}
    for login in ("instagram", "facebook"):
        InstagramConnector(tokens=Tokens("EA"), options={**options, "login": login}, app=None).subscribe()
    assert len(network.calls) == 0
