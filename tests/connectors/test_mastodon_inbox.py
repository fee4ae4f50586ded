"""Mastodon's inbox and what is answered there, against running stand-ins of the three servers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from connectors import http
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
    RetrySafety,
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
from connectors.mastodon import INFO, MastodonConnector
from connectors.text import addressed, check_payload, normalise
from tests.fake_mastodon import FLAVOURS, FakeMastodon, running_fake_mastodon

pytestmark = pytest.mark.integration

BOB = "bob@remote.example"


@pytest.fixture(params=sorted(FLAVOURS))
def server(request: pytest.FixtureRequest) -> Iterator[FakeMastodon]:
    with running_fake_mastodon(request.param) as fake:
        http.configure(allowed_private_hosts=[fake.host])
        yield fake


@pytest.fixture
def mastodon() -> Iterator[FakeMastodon]:
    with running_fake_mastodon("mastodon") as fake:
        http.configure(allowed_private_hosts=[fake.host])
        yield fake


def client_of(server: FakeMastodon, *scopes: str) -> MastodonConnector:
    options = {
        "host": server.url,
        "domain": server.host,
        "software": server.flavour.name,
        "version": server.flavour.version,
        "account_id": "1",
    }
    return MastodonConnector(tokens=Tokens(access_token=server.token(*scopes)), options=options)


def inbox(client: MastodonConnector, since: dt.datetime | None = None) -> list[InboxItem]:
    since = since or dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    items: dict[str, InboxItem] = {}
    cursor = ""
    while True:
        page = client.fetch_inbox(since=since, cursor=cursor)
        items |= {item.remote_id: item for item in page.items}
        cursor = page.cursor
        if not cursor:
            return sorted(items.values(), key=lambda item: int(item.remote_id))


def run(client: MastodonConnector, payload: PostPayload, *, key: str = "") -> StepResult:
    (step,) = client.plan(payload)
    now = dt.datetime.now(dt.UTC)
    intent = client.prepare_step(step, payload, {}, key=key or str(uuid.uuid4()), now=now)
    return client.send_step(step, payload, intent)


def post(client: MastodonConnector, text: str) -> str:
    return run(client, PostPayload(parts=(PostPart(text),))).remote_id


def reply(item: InboxItem, text: str) -> PostPayload:
    target = ReplyTarget(item.remote_id, item.root_id, item.detail)
    return PostPayload(parts=(PostPart(text),), reply_to=target)


def message(item: InboxItem, text: str) -> PostPayload:
    assert item.counterpart is not None
    target = MessageTarget(item.counterpart.remote_id, item.thread_id, item.detail)
    return PostPayload(parts=(PostPart(text),), message_to=target)


def moderation(item: InboxItem, action: ModerationAction) -> PostPayload:
    return PostPayload(parts=(), moderation=Moderation(action, item.remote_id, item.detail))


# --- comments and mentions --------------------------------------------------------------------


def test_a_comment_is_told_and_the_answer_names_its_author(server: FakeMastodon) -> None:
    client = client_of(server)
    own = post(client, "Which tea?")
    comment = server.receive("@alice Sencha, please", in_reply_to=own)
    (asked,) = inbox(client)
    assert (asked.kind, asked.thread_id, asked.root_id, asked.parent_id) == (
        InboxKind.COMMENT,
        comment,
        own,
        own,
    )
    assert (asked.author.handle, asked.author.display_name) == (BOB, "Bob")
    assert asked.author.remote_id == f"{server.person_id(BOB)}@{server.host}"
    assert asked.root is not None
    assert (asked.root.remote_id, asked.root.text) == (own, "Which tea?")

    result = run(client, reply(asked, "Coming"))
    sent = server.own()[-1]
    assert (sent["id"], sent["in_reply_to_id"]) == (result.remote_id, comment)
    assert sent["sent"]["status"] == f"@{BOB} Coming"
    server.receive("@alice Thanks!", in_reply_to=result.remote_id)
    told = inbox(client)
    assert [(item.is_own, item.thread_id) for item in told] == [
        (False, comment),
        (True, comment),
        (False, comment),
    ]
    # What the server tells back is what was sent.
    assert normalise(told[1].text) == normalise(addressed("Coming", asked.detail["mention"]))


def test_a_mention_is_told_with_what_hangs_below_it(server: FakeMastodon) -> None:
    client = client_of(server)
    mention = server.receive("I like @alice and her tea", by="carol")
    (item,) = inbox(client)
    assert (item.kind, item.thread_id, item.root_id) == (InboxKind.MENTION, mention, "")
    assert item.author.handle == f"carol@{server.host}"
    run(client, reply(item, "Thank you"))
    assert server.own()[-1]["sent"]["status"] == "@carol Thank you"
    assert [(i.kind, i.thread_id, i.is_own) for i in inbox(client)] == [
        (InboxKind.MENTION, mention, False),
        (InboxKind.MENTION, mention, True),
    ]


def test_deep_answers_find_their_conversation(server: FakeMastodon) -> None:
    client = client_of(server)
    own = post(client, "A post")
    first = server.receive("@alice one", in_reply_to=own)
    second = server.receive("two, to bob only", by="carol", in_reply_to=first)
    server.receive("@alice three", by="dora", in_reply_to=second)
    assert [(i.text.split()[-1], i.thread_id, i.root_id) for i in inbox(client)] == [
        ("one", first, own),
        ("three", first, own),
    ]


def test_a_comment_below_what_was_deleted_stays_a_comment_as_far_as_it_is_known(
    mastodon: FakeMastodon,
) -> None:
    client = client_of(mastodon)
    own = post(client, "A post")
    comment = mastodon.receive("@alice hello", in_reply_to=own)
    mastodon.statuses = [s for s in mastodon.statuses if s["id"] != own]  # without the links being cut
    (item,) = inbox(client)
    assert (item.kind, item.thread_id, item.root_id, item.root) == (
        InboxKind.COMMENT,
        comment,
        own,
        None,
    )
    mastodon.delete(own)
    (item,) = inbox(client)
    assert (item.kind, item.thread_id) == (InboxKind.MENTION, comment)


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private"])
def test_an_answer_is_seen_by_those_who_saw_the_comment(server: FakeMastodon, visibility: str) -> None:
    client = client_of(server)
    server.receive("@alice hello", in_reply_to=post(client, "x"), visibility=visibility)
    (item,) = inbox(client)
    run(client, reply(item, "Welcome"))
    assert server.own()[-1]["visibility"] == visibility


def test_a_name_that_stands_in_the_text_is_not_put_before_it(server: FakeMastodon) -> None:
    client = client_of(server)
    server.receive("@alice hello", in_reply_to=post(client, "x"))
    (item,) = inbox(client)
    run(client, reply(item, f"Welcome @{BOB}!"))
    assert server.own()[-1]["sent"]["status"] == f"Welcome @{BOB}!"


def test_an_answer_written_elsewhere_is_known(server: FakeMastodon) -> None:
    client = client_of(server)
    comment = server.receive("@alice hello", in_reply_to=post(client, "x"))
    server.make_status({"status": f"@{BOB} from my phone", "in_reply_to_id": comment})
    own = inbox(client)[-1]
    assert (own.is_own, own.thread_id, own.detail["mention"]) == (True, comment, "")
    assert own.author.handle == f"alice@{server.host}"


def test_the_words_below_a_warning_are_told_with_it(mastodon: FakeMastodon) -> None:
    client = client_of(mastodon)
    comment = mastodon.status(mastodon.receive("@alice the end", in_reply_to=post(client, "x")))
    assert comment is not None
    comment["spoiler_text"] = "Spoiler"
    (item,) = inbox(client)
    assert item.text == "Spoiler\n\n@alice the end"


def test_long_lists_are_read_page_by_page_and_only_from_a_moment_on(server: FakeMastodon) -> None:
    client = client_of(server)
    own = post(client, "x")
    for number in range(95):
        server.receive(f"@alice {number}", in_reply_to=own)
    assert len(inbox(client)) == 95
    assert inbox(client, dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)) == []
    listed = [r for r in server.requests if r.path == "/api/v1/notifications"]
    assert len(listed) == 4 + 1


def test_a_server_that_ignores_where_we_are_is_not_asked_for_ever(mastodon: FakeMastodon) -> None:
    client = client_of(mastodon)
    mastodon.receive("@alice hello", in_reply_to=post(client, "x"))
    reader = client._reader()
    original = reader.get
    reader.get = lambda path, query: original(path, {k: v for k, v in query.items() if k != "max_id"})
    since = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    page = reader.mentions("", since)
    assert page.cursor
    assert reader.mentions(page.cursor, since).cursor == ""


# --- direct messages --------------------------------------------------------------------------


def test_a_direct_message_is_told_and_answered_in_private(server: FakeMastodon) -> None:
    client = client_of(server)
    asked_id = server.receive("@alice do you deliver?", visibility="direct")
    (asked,) = inbox(client)
    counterpart = f"{server.person_id(BOB)}@{server.host}"
    assert (asked.kind, asked.thread_id, asked.is_own) == (InboxKind.DM, counterpart, False)
    result = run(client, message(asked, "We do"))
    sent = server.own()[-1]
    assert (sent["visibility"], sent["in_reply_to_id"]) == ("direct", asked_id)
    assert sent["sent"]["status"] == f"@{BOB} We do"
    told = inbox(client)
    assert [(i.remote_id, i.kind, i.is_own, i.thread_id) for i in told] == [
        (asked_id, InboxKind.DM, False, counterpart),
        (result.remote_id, InboxKind.DM, True, counterpart),
    ]
    assert told[1].counterpart is not None
    assert told[1].counterpart.handle == BOB
    since = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    found = client.find_sent(message(asked, "We do"), since=since)
    assert result.remote_id in {one.remote_id for one in found}


def test_talks_with_two_people_are_two_conversations(server: FakeMastodon) -> None:
    client = client_of(server)
    for by in (BOB, "carol", BOB):
        server.receive("@alice hello", by=by, visibility="direct")
    threads = [item.thread_id for item in inbox(client)]
    assert threads[0] == threads[2] != threads[1]


def test_a_private_message_written_elsewhere_is_known(server: FakeMastodon) -> None:
    client = client_of(server)
    server.receive("@alice hello", visibility="direct")
    server.make_status({"status": f"@{BOB} from my phone", "visibility": "direct"})
    assert [item.is_own for item in inbox(client)] == [False, True]


def test_a_note_to_oneself_is_no_conversation(server: FakeMastodon) -> None:
    client = client_of(server)
    server.make_status({"status": "remember the milk", "visibility": "direct"})
    assert inbox(client) == []


def test_a_message_without_a_name_would_reach_nobody_and_is_refused(mastodon: FakeMastodon) -> None:
    client = client_of(mastodon)
    payload = PostPayload(parts=(PostPart("Hello"),), message_to=MessageTarget("7@x"))
    with pytest.raises(Rejected):
        run(client, payload)
    assert mastodon.own() == []


def test_many_talks_are_read_page_by_page(mastodon: FakeMastodon) -> None:
    client = client_of(mastodon)
    for number in range(45):
        mastodon.make_status({"status": f"@person{number}@remote.example hi", "visibility": "direct"})
    mastodon.flavour = FLAVOURS["gotosocial"]  # which tells of them as talks only
    items = inbox(client)
    assert len({item.thread_id for item in items}) == 45


# --- exactly once -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["reply", "message"])
def test_an_answer_lost_on_the_way_back_is_never_there_twice(server: FakeMastodon, kind: str) -> None:
    client = client_of(server)
    visibility = "direct" if kind == "message" else "public"
    server.receive("@alice hello", visibility=visibility, in_reply_to=post(client, "x"))
    (asked,) = inbox(client)
    payload = message(asked, "Welcome") if kind == "message" else reply(asked, "Welcome")
    since = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    (step,) = client.plan(payload)
    intent = client.prepare_step(step, payload, {}, key="k", now=dt.datetime.now(dt.UTC))
    drop_next_post(server)
    with pytest.raises(OutcomeUnknown):
        client.send_step(step, payload, intent)
    words = normalise(addressed("Welcome", asked.detail["mention"]))
    if client.safety_of(intent, dt.datetime.now(dt.UTC)) is RetrySafety.IDEMPOTENT:
        found = client.send_step(step, payload, intent).remote_id
    else:
        (sent,) = {p.remote_id for p in client.find_sent(payload, since=since) if normalise(p.text) == words}
        found = sent
    assert [s["id"] for s in server.own() if s["sent"]["status"].endswith("Welcome")] == [found]


def drop_next_post(server: FakeMastodon) -> None:
    """The next status is taken and the connection dropped; reading one is answered as usual."""
    server.fail_next("/api/v1/statuses", is_dropped=True, is_carried_out=True, method="POST")


def test_a_comment_deleted_while_it_is_answered_is_not_found(server: FakeMastodon) -> None:
    """takahe would post the answer as a post of its own."""
    client = client_of(server)
    server.receive("@alice hello", in_reply_to=post(client, "x"))
    (asked,) = inbox(client)
    server.delete(asked.remote_id)
    before = len(server.own())
    for payload in (reply(asked, "Too late"), moderation(asked, ModerationAction.LIKE)):
        with pytest.raises(Rejected) as refused:
            run(client, payload)
        assert refused.value.reason is RejectReason.NOT_FOUND
    assert len(server.own()) == before


@pytest.mark.parametrize("flavour", ["mastodon", "gotosocial"])
def test_a_comment_deleted_after_it_was_read_is_not_found_either(
    flavour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_fake_mastodon(flavour) as server:
        http.configure(allowed_private_hosts=[server.host])
        client = client_of(server)
        server.receive("@alice hello", in_reply_to=post(client, "x"))
        (asked,) = inbox(client)
        server.delete(asked.remote_id)
        monkeypatch.setattr(MastodonConnector, "_status", lambda *_: {})
        with pytest.raises(Rejected) as refused:
            run(client, reply(asked, "Too late"))
        assert refused.value.reason is RejectReason.NOT_FOUND


# --- likes, limits, rights --------------------------------------------------------------------


def test_liking_twice_is_once_and_can_be_taken_back(server: FakeMastodon) -> None:
    client = client_of(server)
    server.receive("@alice hello", in_reply_to=post(client, "x"))
    (item,) = inbox(client)
    for _ in range(2):
        run(client, moderation(item, ModerationAction.LIKE))
    assert server.favourites == {item.remote_id}
    assert inbox(client)[0].is_liked
    for _ in range(2):
        run(client, moderation(item, ModerationAction.UNLIKE))
    assert server.favourites == set()


def test_nobody_hides_what_others_wrote(mastodon: FakeMastodon) -> None:
    client = client_of(mastodon)
    mastodon.receive("@alice hello", in_reply_to=post(client, "x"))
    (item,) = inbox(client)
    assert not client.info.can(Capability.HIDE)
    with pytest.raises(Rejected) as refused:
        run(client, moderation(item, ModerationAction.HIDE))
    assert refused.value.reason is RejectReason.NOT_SUPPORTED
    (problem,) = check_payload(moderation(item, ModerationAction.HIDE), client.info)
    assert problem.reason is RejectReason.NOT_SUPPORTED


def test_the_name_counts_as_the_network_counts_it(mastodon: FakeMastodon) -> None:
    client = client_of(mastodon)
    mastodon.receive("@alice hello", by="b@a.very.long.host.example", in_reply_to=post(client, "x"))
    (item,) = inbox(client)
    text = addressed("x" * 497, item.detail["mention"])
    assert check_payload(reply(item, text), client.info) == []  # "@b " and 497
    assert len(check_payload(reply(item, f"{text}x"), client.info)) == 1
    assert client.info.message_text == client.info.text


@pytest.mark.parametrize(
    ("granted", "lacking"),
    [
        (["read:accounts", "read:statuses", "write:statuses"], {"inbox_comments", "like"}),
        (["read", "write"], set()),
        (["read", "write:statuses"], {"like"}),
        (None, set()),
    ],
)
def test_what_was_not_granted_is_not_offered(granted: list[str] | None, lacking: set[str]) -> None:
    info = MastodonConnector.info_for({"scopes": granted} if granted is not None else {})
    for capability in (Capability.INBOX_COMMENTS, Capability.LIKE):
        assert info.can(capability) == (capability not in lacking)
    assert info.can(Capability.REPLY)
    assert info.capabilities <= INFO.capabilities


def test_a_token_without_the_right_needs_a_new_connection(mastodon: FakeMastodon) -> None:
    client = client_of(mastodon, "read:accounts", "read:statuses")
    with pytest.raises(NeedsReconnect):
        inbox(client)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"status": 503}, Temporary),
        ({"status": 502, "body": "<h1>Bad gateway</h1>"}, Temporary),
        ({"status": 429, "headers": {"Retry-After": "5"}}, RateLimited),
        ({"status": 401}, NeedsReconnect),
        ({"status": 200, "body": '[{"created_at": "x", "last_status": {"id": "1"}}]'}, Temporary),
        ({"status": 200, "body": '{"error": 1}'}, Temporary),
        ({"is_dropped": True}, Temporary),
    ],
)
@pytest.mark.parametrize(
    "path", ["/api/v1/notifications", "/api/v1/accounts/1/statuses", "/api/v1/conversations"]
)
def test_trouble_while_reading_is_told_as_what_it_is(
    mastodon: FakeMastodon, path: str, fault: dict[str, Any], expected: type[Exception]
) -> None:
    client = client_of(mastodon)
    mastodon.fail_next(path, **fault)
    with pytest.raises(expected):
        inbox(client)


def test_the_stand_ins_answers_are_as_mastodon_describes_them(
    mastodon: FakeMastodon, mastodon_schema: Callable[[object, str], list[str]]
) -> None:
    client = client_of(mastodon)
    own = post(client, "x")
    comment = mastodon.receive("@alice hello", in_reply_to=own)
    mastodon.receive("@alice psst", visibility="direct")
    entities = [
        *((n, "Notification") for n in client._call("GET", "/api/v1/notifications").json()),
        *((c, "Conversation") for c in client._call("GET", "/api/v1/conversations").json()),
        (client._call("GET", f"/api/v1/statuses/{comment}/context").json(), "Context"),
        (client._call("POST", f"/api/v1/statuses/{comment}/favourite").json(), "Status"),
    ]
    assert [name for _, name in entities] == ["Notification"] * 2 + ["Conversation", "Context", "Status"]
    assert [fault for entity, name in entities for fault in mastodon_schema(entity, name)] == []


def test_a_date_that_is_none_is_a_fault_of_the_server() -> None:
    with responses.RequestsMock() as canned:
        canned.get(
            "https://m.example/api/v1/notifications",
            json=[{"id": "1", "type": "mention", "created_at": "yesterday", "status": {}}],
        )
        options = {"host": "https://m.example", "account_id": "1"}
        client = MastodonConnector(tokens=Tokens(access_token="t"), options=options)
        with pytest.raises(Temporary):
            client.fetch_inbox(since=dt.datetime.now(dt.UTC))


@pytest.mark.parametrize(
    ("software", "version", "types"),
    [
        ("mastodon", "4.5.0", ["mention", "quote"]),
        ("glitch", "4.6.1+glitch", ["mention", "quote"]),
        ("mastodon", "4.4.9", ["mention"]),
        ("takahe", "4.5.0", ["mention"]),  # it answers with an error to what it does not know
        ("", "", ["mention"]),
    ],
)
def test_who_quotes_the_account_mentions_it(software: str, version: str, types: list[str]) -> None:
    now = dt.datetime.now(dt.UTC).isoformat()
    bob = {"id": "7", "username": "bob", "acct": BOB}
    quote = {"id": "21", "account": bob, "content": "<p>So true</p>", "created_at": now, "mentions": []}
    answers = [
        {"id": "1", "type": "quote", "created_at": now, "status": quote},
        {"id": "2", "type": "poll", "created_at": now, "status": {**quote, "id": "22"}},
    ]
    options = {"host": "https://m.example", "account_id": "1", "software": software, "version": version}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        network.get("https://m.example/api/v1/notifications", json=answers)
        network.get("https://m.example/api/v1/accounts/1/statuses", json=[])
        network.get("https://m.example/api/v1/conversations", json=[])
        found = inbox(MastodonConnector(tokens=Tokens(access_token="t"), options=options))
        asked = parse_qs(urlsplit(str(network.calls[0].request.url)).query)
    assert asked["types[]"] == types
    assert [(one.kind, one.remote_id, one.text, one.author.handle) for one in found] == (
        [(InboxKind.MENTION, "21", "So true", BOB)] if "quote" in types else []
    )
