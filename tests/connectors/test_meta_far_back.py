"""An answer or a first comment of ours that stands beyond the first page of a list is found all the same."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
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
Row = dict[str, Any]


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def instagram() -> InstagramConnector:
    return InstagramConnector(
        tokens=TOKENS, options={"login": "instagram", "ig_id": IG, "username": "harbour"}
    )


def facebook() -> FacebookConnector:
    return FacebookConnector(tokens=TOKENS, options={"page_id": PAGE, "name": "Harbour"})


def of_instagram(number: int, *, own: bool = False) -> Row:
    who = {"id": IG, "username": "harbour"} if own else {"id": "55", "username": "ann"}
    return {"id": f"178{number}", "text": "Yes" if own else "Nice", "timestamp": stamp(), "from": who}


def of_facebook(number: int, *, own: bool = False) -> Row:
    who = {"id": PAGE if own else "55", "name": "Somebody"}
    return {"id": f"2002_{number}", "message": "Yes" if own else "Nice", "created_time": stamp(), "from": who}


def stamp(at: dt.datetime = NOW + dt.timedelta(minutes=1)) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")


def page_of(rows: list[Row], address: str, start: int) -> Row:
    """As Meta pages: 50 at a time, with the address of the next ones."""
    if len(rows) <= start + 50:
        return {"data": rows[start:]}
    following = f"{address}?access_token=secret&after={start + 50}"
    return {"data": rows[start : start + 50], "paging": {"next": following}}


def serve(network: responses.RequestsMock, address: str, rows: list[Row]) -> None:
    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        query = dict(parse_qsl(urlsplit(str(request.url)).query))
        made = json.dumps(page_of(rows, address, int(query.get("after", "0"))))
        return 200, {}, made.encode()

    network.add_callback("GET", address, callback=answer)


def below(make: Any, count: int) -> list[Row]:
    return [make(number, own=number == count - 1) for number in range(count)]


@pytest.mark.parametrize("count", [1, 50, 51, 120, 900])
@pytest.mark.parametrize(
    ("client", "make", "address", "target"),
    [
        (
            instagram(),
            of_instagram,
            f"{AT_INSTAGRAM}/1781/replies",
            ReplyTarget("1781", "1790", {"comment": "1781"}),
        ),
        (
            instagram(),
            of_instagram,
            f"{AT_INSTAGRAM}/1795/comments",
            ReplyTarget("1795", "", {"media_id": "1795"}),
        ),
        (
            facebook(),
            of_facebook,
            f"{AT_FACEBOOK}/2002_9/comments",
            ReplyTarget("2002_9", "", {"comment": "2002_9"}),
        ),
    ],
    ids=["instagram reply", "instagram tag", "facebook reply"],
)
def test_an_own_answer_is_found_however_many_stand_before_it(
    network: responses.RequestsMock,
    client: Connector,
    make: Any,
    address: str,
    target: ReplyTarget,
    count: int,
) -> None:
    serve(network, address, below(make, count))
    sent = PostPayload((PostPart("Yes"),), reply_to=target)
    assert [one.text for one in client.find_sent(sent, since=NOW)] == ["Yes"]


@pytest.mark.parametrize("count", [1, 50, 51, 120])
def test_a_first_comment_is_found_however_many_stand_before_it(
    network: responses.RequestsMock, count: int
) -> None:
    sent = PostPayload((PostPart("Hello"), PostPart("Yes", is_comment=True)))
    rows = below(of_instagram, count)
    address = f"{AT_INSTAGRAM}/1791/comments"
    post = {"id": "1791", "caption": "Hello", "timestamp": stamp(), "comments": page_of(rows, address, 0)}
    network.get(f"{AT_INSTAGRAM}/{IG}/media", json={"data": [post]})
    serve(network, address, rows)
    assert "Yes" in [one.text for one in instagram().find_sent(sent, since=NOW)]

    rows = below(of_facebook, count)
    address = f"{AT_FACEBOOK}/1001_2002/comments"
    post = {
        "id": "1001_2002",
        "message": "Hello",
        "created_time": stamp(),
        "comments": page_of(rows, address, 0),
    }
    network.get(f"{AT_FACEBOOK}/{PAGE}/published_posts", json={"data": [post]})
    serve(network, address, rows)
    assert "Yes" in [one.text for one in facebook().find_sent(sent, since=NOW)]


def test_what_is_longer_than_is_read_is_not_called_absent(network: responses.RequestsMock) -> None:
    serve(network, f"{AT_INSTAGRAM}/1781/replies", [of_instagram(number) for number in range(5000)])
    sent = PostPayload((PostPart("Yes"),), reply_to=ReplyTarget("1781", "1790", {"comment": "1781"}))
    with pytest.raises(Temporary):
        instagram().find_sent(sent, since=NOW)


def test_a_message_that_may_have_left_the_last_twenty_is_not_called_absent(
    network: responses.RequestsMock,
) -> None:
    """A conversation tells its last messages alone."""
    them, us = {"id": "900"}, {"id": PAGE}

    def listed(count: int, at: dt.datetime) -> None:
        rows = [
            {"id": f"m{n}", "message": "Hi", "created_time": stamp(at), "from": them} for n in range(count)
        ]
        rows[0] |= {"from": us, "message": "Yes"}
        talk = {"participants": {"data": [them, us]}, "messages": {"data": rows}}
        network.upsert("GET", f"{AT_FACEBOOK}/{PAGE}/conversations", json={"data": [talk]})

    sent = PostPayload((PostPart("Yes"),), message_to=MessageTarget("900"))
    other = PostPayload((PostPart("No"),), message_to=MessageTarget("900"))
    listed(19, NOW)
    assert len(facebook().find_sent(other, since=NOW)) == 1
    listed(20, NOW - dt.timedelta(minutes=1))  # they reach back to before it was sent
    assert facebook().find_sent(other, since=NOW) == []
    listed(20, NOW)
    assert [one.text for one in facebook().find_sent(sent, since=NOW)] == ["Yes"]
    with pytest.raises(Temporary):
        facebook().find_sent(other, since=NOW)


def test_lists_with_the_newest_first_are_read_back_to_the_first_try_alone(
    network: responses.RequestsMock,
) -> None:
    old = stamp(NOW - dt.timedelta(days=1))
    rows = [of_facebook(1, own=True), *({**of_facebook(n), "created_time": old} for n in range(2, 500))]
    serve(network, f"{AT_FACEBOOK}/2002_9/comments", rows)
    sent = PostPayload((PostPart("Yes"),), reply_to=ReplyTarget("2002_9", "", {"comment": "2002_9"}))
    assert len(facebook().find_sent(sent, since=NOW)) == 1
    assert len(network.calls) == 1
