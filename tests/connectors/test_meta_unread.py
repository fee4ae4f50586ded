"""What of a list cannot be read may be ours: nothing is called absent then, or it would be sent twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from connectors.base import Connector, MessageTarget, PostPart, PostPayload, ReplyTarget, Tokens
from connectors.errors import Temporary
from connectors.facebook import FacebookConnector
from connectors.instagram import InstagramConnector
from tests.connectors.conftest import NOW

IG, PAGE = "17841400000000001", "1001"
AT_INSTAGRAM = "https://graph.instagram.com/v25.0"
AT_FACEBOOK = "https://graph.facebook.com/v25.0"
TOKENS = Tokens(access_token="a-token-of-meta")
LATER = NOW + dt.timedelta(minutes=1)
BEFORE = NOW - dt.timedelta(minutes=1)
Row = dict[str, Any]

MESSAGE = PostPayload((PostPart("Yes"),), message_to=MessageTarget("900"))
ACCOUNTS: dict[str, tuple[Connector, str, str]] = {
    "facebook": (
        FacebookConnector(tokens=TOKENS, options={"page_id": PAGE, "name": "Harbour"}),
        f"{AT_FACEBOOK}/{PAGE}/conversations",
        PAGE,
    ),
    "instagram": (
        InstagramConnector(tokens=TOKENS, options={"login": "instagram", "ig_id": IG, "username": "harbour"}),
        f"{AT_INSTAGRAM}/{IG}/conversations",
        IG,
    ),
}


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def stamp(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def message(text: str = "Hi", author: Any = "900", at: dt.datetime = LATER, **more: Any) -> Row:
    who = {"id": author} if isinstance(author, str) else author
    made = {"id": "m_1", "message": text, "created_time": stamp(at), "from": who, **more}
    return {name: value for name, value in made.items() if value is not None}


@pytest.fixture(params=sorted(ACCOUNTS))
def found(network: responses.RequestsMock, request: pytest.FixtureRequest) -> Any:
    """What is found of our message where its conversation is told so; "us" is the account's own id."""
    client, address, own = ACCOUNTS[request.param]

    def ask(*talks: Row) -> list[str]:
        told = [
            {
                **talk,
                "messages": talk["messages"] | {"data": [_as(own, row) for row in talk["messages"]["data"]]},
            }
            for talk in talks
        ]
        network.upsert("GET", address, json={"data": told})
        return [one.text for one in client.find_sent(MESSAGE, since=NOW)]

    return ask


def _as(own: str, row: Any) -> Any:
    return {**row, "from": {"id": own}} if isinstance(row, dict) and row.get("from") == {"id": "us"} else row


def talk(*rows: Any, **more: Any) -> Row:
    return {"id": "t_1", "participants": {"data": [{"id": "900"}]}, "messages": {"data": [*rows]}, **more}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("deleted", id="no object"),
        pytest.param(message("Yes", "us", id=None), id="no id"),
        pytest.param({"id": "m_2"}, id="an id alone"),
        pytest.param(message("Yes", "us", created_time=None), id="no date"),
        pytest.param(message("Yes", "us", created_time="soon"), id="a date that is none"),
        pytest.param(message("Yes", author=None), id="no author"),
        pytest.param(message("Yes", author={}), id="an author without an id"),
        pytest.param(message("Yes", author="777"), id="an author who is neither"),
        pytest.param(message(author=None, message=None), id="neither author nor words"),
        pytest.param(message(author="us", message={"text": "Yes"}), id="own words that are none"),
    ],
)
def test_a_message_that_cannot_be_read_may_be_ours(found: Any, row: Any) -> None:
    with pytest.raises(Temporary):
        found(talk(message(at=BEFORE), row))
    assert found(talk(message("Yes", "us", id="m_3"), row)) == ["Yes"]  # what is there is there


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(message("Yes"), id="theirs"),
        pytest.param(message("No", author=None), id="other words of somebody unknown"),
        pytest.param(message("Yes", None, BEFORE), id="from before"),
        pytest.param(message(message=None), id="theirs without words"),
    ],
)
def test_what_is_surely_not_ours_is_no_doubt(found: Any, row: Row) -> None:
    assert found(talk(row)) == []


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"id": "t_1"}, id="no messages"),
        pytest.param({"id": "t_1", "messages": {}}, id="messages without a list"),
        pytest.param({"id": "t_1", "messages": {"data": None}}, id="null"),
        pytest.param("t_1", id="no object"),
    ],
)
def test_a_conversation_without_its_messages_says_nothing(network: responses.RequestsMock, told: Any) -> None:
    for client, address, _own in ACCOUNTS.values():
        network.upsert("GET", address, json={"data": [told]})
        with pytest.raises(Temporary):
            client.find_sent(MESSAGE, since=NOW)


def test_what_is_cut_is_told_by_all_that_is_listed(found: Any) -> None:
    """Those of somebody who is no longer there count, too; those of another conversation do not."""
    known = [message("Hi", id=f"m_{n}") for n in range(15)]
    unknown = [message("Hi", None, id=f"n_{n}") for n in range(5)]
    with pytest.raises(Temporary):
        found(talk(*known, *unknown))
    with pytest.raises(Temporary):
        found(talk(*known, messages={"data": known, "paging": {"next": "https://x.example.com/?after=1"}}))
    assert found(talk(*known, *unknown[1:])) == []
    assert found(talk(*known, *unknown, message(at=BEFORE))) == []


def test_an_own_message_counts_though_nobody_is_told_to_have_got_it(found: Any) -> None:
    own = message("Yes", "us")
    assert found(talk(own, participants=None)) == ["Yes"]
    assert found(talk(own, participants={"data": []})) == ["Yes"]


# --- comments ---------------------------------------------------------------------------------

REPLY = PostPayload((PostPart("Yes"),), reply_to=ReplyTarget("2002", "1790", {"comment": "2002"}))
FIRST_COMMENT = PostPayload((PostPart("Hello"), PostPart("Yes", is_comment=True)))
FACEBOOK, INSTAGRAM = ACCOUNTS["facebook"][0], ACCOUNTS["instagram"][0]


def of_facebook(text: str = "Yes", author: Row | None = None, **more: Any) -> Row:
    return {"id": "2002_1", "message": text, "created_time": stamp(LATER), "from": author, **more}


def of_instagram(text: str = "Yes", author: Row | None = None, **more: Any) -> Row:
    return {"id": "1781", "text": text, "timestamp": stamp(LATER), "from": author, **more}


def below_facebook(network: responses.RequestsMock, row: Row) -> None:
    network.upsert("GET", f"{AT_FACEBOOK}/2002/comments", json={"data": [row]})
    network.upsert("GET", f"{AT_FACEBOOK}/1001_5/comments", json={"data": [row]})
    post = {"id": "1001_5", "message": "Hello", "created_time": stamp(LATER), "comments": {"data": [row]}}
    network.upsert("GET", f"{AT_FACEBOOK}/{PAGE}/published_posts", json={"data": [post]})


def below_instagram(network: responses.RequestsMock, row: Row) -> None:
    network.upsert("GET", f"{AT_INSTAGRAM}/2002/replies", json={"data": [row]})
    post = {"id": "1791", "caption": "Hello", "timestamp": stamp(LATER), "comments": {"data": [row]}}
    network.upsert("GET", f"{AT_INSTAGRAM}/{IG}/media", json={"data": [post]})


@pytest.mark.parametrize("sent", [REPLY, FIRST_COMMENT], ids=["reply", "first comment"])
@pytest.mark.parametrize(
    ("client", "below", "row"),
    [
        (FACEBOOK, below_facebook, of_facebook()),
        (FACEBOOK, below_facebook, of_facebook(" Yes  ")),
        (FACEBOOK, below_facebook, of_facebook(author={"name": "Somebody"})),
        (FACEBOOK, below_facebook, of_facebook(author={"id": PAGE}, id=None)),
        (INSTAGRAM, below_instagram, of_instagram()),
        (INSTAGRAM, below_instagram, of_instagram(author={}, username="")),
        (INSTAGRAM, below_instagram, of_instagram(author={"id": IG}, timestamp=None)),
    ],
)
def test_a_comment_of_nobody_with_our_words_may_be_ours(
    network: responses.RequestsMock, client: Connector, below: Any, row: Row, sent: PostPayload
) -> None:
    below(network, row)
    with pytest.raises(Temporary):
        client.find_sent(sent, since=NOW)


@pytest.mark.parametrize("sent", [REPLY, FIRST_COMMENT], ids=["reply", "first comment"])
@pytest.mark.parametrize(
    ("client", "below", "row"),
    [
        (FACEBOOK, below_facebook, of_facebook("No")),
        (FACEBOOK, below_facebook, of_facebook(created_time=stamp(BEFORE))),
        (FACEBOOK, below_facebook, of_facebook(author={"id": "55"})),
        (INSTAGRAM, below_instagram, of_instagram("No")),
        (INSTAGRAM, below_instagram, of_instagram(timestamp=stamp(BEFORE))),
        (INSTAGRAM, below_instagram, of_instagram(username="ann")),
    ],
)
def test_other_comments_are_no_doubt(
    network: responses.RequestsMock, client: Connector, below: Any, row: Row, sent: PostPayload
) -> None:
    below(network, row)
    assert not [one for one in client.find_sent(sent, since=NOW) if one.text == "Yes"]


@pytest.mark.parametrize("lacks", ["id", "created_time"])
def test_a_post_without_an_id_or_a_date_is_no_mistake_of_ours(
    network: responses.RequestsMock, lacks: str
) -> None:
    video = {"id": "77", "description": "Hello", "created_time": stamp(LATER), "published": True}
    told = {"id": "1001_5", "message": "Hello", "created_time": stamp(LATER)}
    for made in (video, told):
        del made[lacks]
    network.get(f"{AT_FACEBOOK}/77", json=video)
    network.get(f"{AT_FACEBOOK}/{PAGE}/published_posts", json={"data": [told]})
    with pytest.raises(Temporary):
        FACEBOOK.find_sent(FIRST_COMMENT, since=NOW)
    if lacks == "created_time":
        with pytest.raises(Temporary):
            FACEBOOK.fetch_post("77")
