"""LinkedIn's connector on canned answers: posts and comments read back or found again, and counts."""

from __future__ import annotations

import datetime as dt
import re
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import responses

from connectors.base import NotAllListed, PostPart, PostPayload, ReplyTarget
from connectors.errors import Rejected, RejectReason, Temporary
from connectors.linkedin import LinkedInConnector
from connectors.linkedin_text import to_little
from tests.connectors import linkedin_stage
from tests.connectors.conftest import NOW, payload
from tests.connectors.linkedin_stage import (
    API,
    COMMENT,
    PAGE,
    PERSON,
    POST,
    THREAD,
    ms,
    path_of,
    remote,
    remote_comment,
)

network = linkedin_stage.network
page = linkedin_stage.page
person = linkedin_stage.person


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
