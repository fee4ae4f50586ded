"""YouTube's connector on canned answers: comments that are sent, moderated, told, found again."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import responses

from connectors.base import Moderation, ModerationAction, NotAllListed, PostPayload, ReplyTarget, StepResult
from connectors.errors import NeedsReconnect, RateLimited, Rejected, RejectReason
from connectors.youtube import YouTubeConnector
from tests.connectors import youtube_stage
from tests.connectors.conftest import NOW
from tests.connectors.youtube_stage import (
    API,
    CHANNEL,
    REPLY,
    VIDEO,
    WITH_COMMENT,
    assert_same,
    body_of,
    comment,
    faults,
    listed,
    refusal,
    send_last,
)

network = youtube_stage.network
account = youtube_stage.account
document = youtube_stage.document
google = youtube_stage.google


# --- comments ---------------------------------------------------------------------------------


def test_the_first_comment_hangs_below_the_video(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any, document: dict[str, Any]
) -> None:
    network.post(f"{API}/youtube/v3/commentThreads", json={"id": "UgxTop", "snippet": {}})
    result = send_last(account, WITH_COMMENT)
    assert (result.remote_id, result.permalink) == (
        "UgxTop",
        f"https://www.youtube.com/watch?v={VIDEO}&lc=UgxTop",
    )
    body = {"snippet": {"videoId": VIDEO, "topLevelComment": {"snippet": {"textOriginal": "The link"}}}}
    assert_same(network.calls[0].request, google.commentThreads().insert(part="snippet", body=body))
    assert faults(body, "CommentThread", document) == []


def test_an_answer_hangs_below_its_thread(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any, document: dict[str, Any]
) -> None:
    network.post(f"{API}/youtube/v3/comments", json={"id": "UgxTop.9new"})
    result = send_last(account, REPLY)
    assert result.permalink == f"https://www.youtube.com/watch?v={VIDEO}&lc=UgxTop.9new"
    body = {"snippet": {"parentId": "UgxTop", "textOriginal": "Thank you"}}
    assert_same(network.calls[0].request, google.comments().insert(part="snippet", body=body))
    assert faults(body, "Comment", document) == []
    bare = dataclasses.replace(REPLY, reply_to=ReplyTarget("UgxTop.9abc"))
    send_last(account, bare)
    assert body_of(network.calls[1])["snippet"]["parentId"] == "UgxTop"


def test_an_answer_to_what_is_gone_is_told_as_such(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.post(f"{API}/youtube/v3/comments", status=404, json=refusal("parentCommentNotFound", 404))
    with pytest.raises(Rejected) as refused:
        send_last(account, REPLY)
    assert refused.value.reason is RejectReason.NOT_FOUND


def moderate(client: YouTubeConnector, action: ModerationAction) -> StepResult:
    return send_last(client, PostPayload((), moderation=Moderation(action, "UgxTop")))


@pytest.mark.parametrize(
    ("action", "status"),
    [(ModerationAction.HIDE, "heldForReview"), (ModerationAction.UNHIDE, "published")],
)
def test_a_comment_is_hidden_and_shown_again(
    network: responses.RequestsMock,
    account: YouTubeConnector,
    google: Any,
    action: ModerationAction,
    status: str,
) -> None:
    network.post(f"{API}/youtube/v3/comments/setModerationStatus", status=204)
    moderate(account, action)
    theirs = google.comments().setModerationStatus(id="UgxTop", moderationStatus=status)
    assert_same(network.calls[0].request, theirs)
    network.replace(
        "POST",
        f"{API}/youtube/v3/comments/setModerationStatus",
        status=404,
        json=refusal("commentNotFound", 404),
    )
    with pytest.raises(Rejected) as refused:
        moderate(account, action)
    assert refused.value.reason is RejectReason.NOT_FOUND


def test_an_own_comment_is_deleted_and_somebody_else_s_is_rejected(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any
) -> None:
    network.delete(f"{API}/youtube/v3/comments", status=204)
    network.post(f"{API}/youtube/v3/comments/setModerationStatus", status=204)
    moderate(account, ModerationAction.DELETE)
    assert_same(network.calls[0].request, google.comments().delete(id="UgxTop"))
    assert len(network.calls) == 1
    network.replace("DELETE", f"{API}/youtube/v3/comments", status=403, json=refusal("forbidden"))
    moderate(account, ModerationAction.DELETE)
    assert "moderationStatus=rejected" in str(network.calls[2].request.url)


def test_what_is_gone_is_deleted(network: responses.RequestsMock, account: YouTubeConnector) -> None:
    network.delete(f"{API}/youtube/v3/comments", status=404, json=refusal("commentNotFound", 404))
    assert moderate(account, ModerationAction.DELETE).remote_id == "UgxTop"
    network.replace("DELETE", f"{API}/youtube/v3/comments", status=403, json=refusal("forbidden"))
    network.post(
        f"{API}/youtube/v3/comments/setModerationStatus", status=404, json=refusal("commentNotFound", 404)
    )
    assert moderate(account, ModerationAction.DELETE).remote_id == "UgxTop"


@pytest.mark.parametrize("reason", ["quotaExceeded", "authError", "insufficientPermissions"])
def test_a_delete_that_may_not_be_made_now_is_not_made_otherwise(
    network: responses.RequestsMock, account: YouTubeConnector, reason: str
) -> None:
    network.delete(f"{API}/youtube/v3/comments", status=403, json=refusal(reason))
    with pytest.raises((RateLimited, NeedsReconnect)):
        moderate(account, ModerationAction.DELETE)
    assert len(network.calls) == 1


def test_nobody_likes_comments_here(account: YouTubeConnector) -> None:
    with pytest.raises(Rejected) as refused:
        moderate(account, ModerationAction.LIKE)
    assert refused.value.reason is RejectReason.NOT_SUPPORTED


# --- the inbox --------------------------------------------------------------------------------


def thread(top: Any, *replies: Any, total: int | None = None) -> Any:
    found: dict[str, Any] = {
        "id": top["id"],
        "snippet": {
            "videoId": VIDEO,
            "topLevelComment": top,
            "totalReplyCount": len(replies) if total is None else total,
        },
    }
    return found | ({"replies": {"comments": list(replies)}} if replies else {})


def test_comments_and_answers_are_told_with_what_they_hang_below(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any
) -> None:
    own = comment("UgxTop.1", CHANNEL, textOriginal="Thanks!", parentId="UgxTop")
    network.get(f"{API}/youtube/v3/commentThreads", json=listed(thread(comment("UgxTop"), own)))
    page = account.fetch_inbox(since=NOW)
    first, answer = page.items
    assert (first.remote_id, first.thread_id, first.root_id, first.parent_id) == (
        "UgxTop",
        "UgxTop",
        VIDEO,
        "",
    )
    assert (first.text, first.is_own, first.is_hidden) == ("How good & warm", False, False)
    assert (first.author.handle, first.author.profile_url) == ("guest", "https://www.youtube.com/@guest")
    assert first.detail == {"id": "UgxTop", "thread": "UgxTop", "video": VIDEO}
    assert first.permalink == f"https://www.youtube.com/watch?v={VIDEO}&lc=UgxTop"
    assert (answer.text, answer.is_own, answer.parent_id, answer.thread_id) == (
        "Thanks!",
        True,
        "UgxTop",
        "UgxTop",
    )
    theirs = google.commentThreads().list(
        part="snippet,replies",
        allThreadsRelatedToChannelId=CHANNEL,
        order="time",
        textFormat="plainText",
        maxResults=100,
    )
    assert_same(network.calls[0].request, theirs)
    held = account.fetch_inbox(since=NOW, cursor=page.cursor)
    assert [item.is_hidden for item in held.items] == [True, True]
    assert held.cursor == ""


def test_answers_that_a_list_leaves_out_are_read(
    network: responses.RequestsMock, account: YouTubeConnector, google: Any
) -> None:
    network.get(
        f"{API}/youtube/v3/commentThreads",
        json=listed(thread(comment("UgxTop"), comment("UgxTop.1"), total=3)),
    )
    network.get(f"{API}/youtube/v3/comments", json=listed(comment("UgxTop.1"), nextPageToken="two"))
    network.get(f"{API}/youtube/v3/comments", json=listed(comment("UgxTop.2"), comment("UgxTop.3")))
    items = account.fetch_inbox(since=NOW).items
    assert [item.remote_id for item in items] == ["UgxTop", "UgxTop.1", "UgxTop.2", "UgxTop.3"]
    theirs = google.comments().list(part="snippet", parentId="UgxTop", textFormat="plainText", maxResults=100)
    assert_same(network.calls[1].request, theirs)
    assert "pageToken=two" in str(network.calls[2].request.url)


def test_old_threads_end_the_list_and_old_comments_are_left_out(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    old = "2026-11-22T11:59:59Z"
    network.get(
        f"{API}/youtube/v3/commentThreads", json=listed(thread(comment("UgxNew")), nextPageToken="two")
    )
    network.get(
        f"{API}/youtube/v3/commentThreads",
        json=listed(thread(comment("UgxOld", at=old), comment("UgxOld.1")), nextPageToken="three"),
    )
    page = account.fetch_inbox(since=NOW)
    assert [item.remote_id for item in page.items] == ["UgxNew"]
    page = account.fetch_inbox(since=NOW, cursor=page.cursor)
    assert [item.remote_id for item in page.items] == ["UgxOld.1"]  # a new answer below an old comment
    assert json.loads(page.cursor) == ["held", ""]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        {},
        {"id": "x"},
        {"id": "x", "snippet": None},
        {"id": "x", "snippet": {"videoId": VIDEO, "topLevelComment": "x"}},
        {"id": "x", "snippet": {"videoId": VIDEO, "topLevelComment": {"id": "x"}}, "replies": 7},
        {"id": "x", "snippet": {"topLevelComment": comment("x")}},
    ],
    ids=str,
)
def test_nothing_that_others_write_keeps_the_rest_from_being_read(
    network: responses.RequestsMock, account: YouTubeConnector, odd: Any
) -> None:
    network.get(f"{API}/youtube/v3/commentThreads", json=listed(odd, thread(comment("UgxTop"))))
    assert [item.remote_id for item in account.fetch_inbox(since=NOW).items] == ["UgxTop"]


def test_a_channel_without_comments_has_an_empty_inbox(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    network.get(f"{API}/youtube/v3/commentThreads", status=403, json=refusal("commentsDisabled"))
    page = account.fetch_inbox(since=NOW)
    assert list(page.items) == []
    assert list(account.fetch_inbox(since=NOW, cursor=page.cursor).items) == []
    network.replace("GET", f"{API}/youtube/v3/commentThreads", status=403, json=refusal("forbidden"))
    with pytest.raises(Rejected):
        account.fetch_inbox(since=NOW)
    assert list(account.fetch_inbox(since=NOW, cursor=page.cursor).items) == []  # of those that wait
    network.replace("GET", f"{API}/youtube/v3/commentThreads", status=403, json=refusal("quotaExceeded"))
    with pytest.raises(RateLimited):
        account.fetch_inbox(since=NOW, cursor=page.cursor)


def test_own_comments_are_found_after_a_lost_answer(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    top = comment("UgxOwn", CHANNEL, textOriginal="The link")
    answered = thread(comment("UgxTop"), comment("UgxTop.1", CHANNEL, textOriginal="Thank you"))
    network.get(f"{API}/youtube/v3/commentThreads", json=listed(thread(top), answered))
    first, second = account.find_sent(WITH_COMMENT, since=NOW)
    assert (first.remote_id, first.text, first.in_reply_to) == ("UgxOwn", "The link", VIDEO)
    assert (second.remote_id, second.text, second.in_reply_to) == ("UgxTop.1", "Thank you", "")


def test_an_answer_is_found_in_its_own_thread_however_old_that_is(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    ours = comment("UgxTop.2", CHANNEL, textOriginal="Thank you")
    before = comment("UgxTop.1", CHANNEL, at="2026-11-22T11:00:00Z", textOriginal="Thank you")
    network.get(f"{API}/youtube/v3/comments", json=listed(before, comment("UgxTop.3"), ours))
    (found,) = account.find_sent(REPLY, since=NOW)
    assert (found.remote_id, found.text, found.in_reply_to) == ("UgxTop.2", "Thank you", "")
    assert "parentId=UgxTop&" in str(network.calls[0].request.url)


def test_comments_that_were_read_in_part_are_no_proof(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    crowd = [thread(comment(f"Ugx{n}", textOriginal="Hi")) for n in range(3)]
    ours = thread(comment("UgxOwn", CHANNEL, textOriginal="Something else"))
    network.get(f"{API}/youtube/v3/commentThreads", json=listed(*crowd, ours, nextPageToken="more"))
    for n in range(9):
        page = listed(*crowd, ours, nextPageToken=f"more{n}")
        network.get(f"{API}/youtube/v3/commentThreads", json=page)
    with pytest.raises(NotAllListed) as partly:
        account.find_sent(WITH_COMMENT, since=NOW)
    assert {post.text for post in partly.value.posts} == {"Something else"}
    network.get(
        f"{API}/youtube/v3/comments", json=listed(comment("UgxTop.1", textOriginal="Hi"), nextPageToken="n")
    )
    with pytest.raises(NotAllListed):
        account.find_sent(REPLY, since=NOW)
    found = comment("UgxTop.2", CHANNEL, textOriginal="Thank you")
    network.replace("GET", f"{API}/youtube/v3/comments", json=listed(found, nextPageToken="n"))
    with pytest.raises(NotAllListed) as partly:
        account.find_sent(REPLY, since=NOW)
    assert "UgxTop.2" in {one.remote_id for one in partly.value.posts}


def test_the_same_first_comment_below_another_video_is_no_proof(
    network: responses.RequestsMock, account: YouTubeConnector
) -> None:
    """The outbox knows below which video ours is."""
    other = thread(comment("UgxOther", CHANNEL, textOriginal="The link", videoId="another"))
    for n in range(10):
        network.get(f"{API}/youtube/v3/commentThreads", json=listed(other, nextPageToken=f"more{n}"))
    with pytest.raises(NotAllListed):
        account.find_sent(WITH_COMMENT, since=NOW)


@pytest.mark.parametrize(("status", "reason"), [(403, "commentsDisabled"), (404, "commentNotFound")])
def test_a_list_that_is_refused_is_no_proof(
    network: responses.RequestsMock, account: YouTubeConnector, status: int, reason: str
) -> None:
    for name in ("comments", "commentThreads"):
        network.get(f"{API}/youtube/v3/{name}", status=status, json=refusal(reason, status))
    for sent in (WITH_COMMENT, REPLY):
        with pytest.raises(Rejected):
            account.find_sent(sent, since=NOW)
