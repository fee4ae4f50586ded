"""The Bluesky connector against a real Bluesky network, read back from the server itself."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
import requests
from PIL import Image

from connectors import http
from connectors.base import (
    Json,
    LinkCard,
    MediaItem,
    PostMetrics,
    PostPart,
    PostPayload,
    Step,
    StepKind,
    StepResult,
    Tokens,
)
from connectors.bluesky import BlueskyConnector
from connectors.bluesky_session import NOT_AN_APP_PASSWORD, WRONG_PASSWORD, claims
from connectors.errors import NeedsReconnect, OutcomeUnknown, Rejected, RejectReason
from tests.bluesky_network.harness import (
    BlueskyNetwork,
    TestAccount,
    running_or_skip,
    running_with_appview,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def started() -> Iterator[BlueskyNetwork]:
    with running_or_skip() as network:
        yield network


@pytest.fixture
def network(started: BlueskyNetwork, monkeypatch: pytest.MonkeyPatch) -> BlueskyNetwork:
    monkeypatch.setattr(http, "_config", http._Config())
    http.configure(allowed_private_hosts=started.allowed_private_hosts, base_urls=started.base_urls)
    return started


def sign_in(account: TestAccount, **more: object) -> BlueskyConnector:
    fields = {"identifier": account.handle, "app_password": account.app_password}
    connected = BlueskyConnector.connect(fields)
    return BlueskyConnector(tokens=connected.tokens, options=connected.options, **more)  # type: ignore[arg-type]


@pytest.fixture
def alice(network: BlueskyNetwork) -> BlueskyConnector:
    return sign_in(network.alice)


def picture(color: str, alt: str) -> MediaItem:
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(stream, "PNG")
    content = stream.getvalue()
    return MediaItem(color, "image/png", len(content), 64, 48, alt, lambda: io.BytesIO(content))


def publish(
    connector: BlueskyConnector, payload: PostPayload, *, times: int = 1
) -> tuple[dict[str, StepResult], dict[str, Json]]:
    """Carry out all steps in order, each ``times`` times with the same intent."""
    done: dict[str, StepResult] = {}
    intents: dict[str, Json] = {}
    for step in connector.plan(payload):
        now = dt.datetime.now(dt.UTC)
        intents[step.key] = connector.prepare_step(step, payload, done, key=str(uuid.uuid4()), now=now)
        results = [connector.send_step(step, payload, intents[step.key]) for _ in range(times)]
        assert all(result == results[0] for result in results)
        done[step.key] = results[0]
    return done, intents


# --- connecting -------------------------------------------------------------------------------


def test_connecting_finds_the_server_and_the_profile(network: BlueskyNetwork) -> None:
    fields = {"identifier": "@alice.test", "app_password": network.alice.app_password}
    connected = BlueskyConnector.connect(fields)
    assert connected.options == {
        "did": network.alice.did,
        "pds": network.pds_url,
        "handle": "alice.test",
        "opens_messages": False,
    }
    assert connected.profile.remote_id == network.alice.did
    assert connected.scopes == ("com.atproto.appPass",)
    assert connected.tokens.expires_at is not None
    lifetime = connected.tokens.expires_at - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=115) < lifetime < dt.timedelta(minutes=121)


def test_connecting_by_e_mail_address_and_by_server(network: BlueskyNetwork) -> None:
    password = network.alice.app_password
    for fields in (
        {"identifier": network.alice.email, "app_password": password},
        {"identifier": network.alice.handle, "app_password": password, "service": network.pds_url},
        {"identifier": network.alice.did, "app_password": password},
    ):
        assert BlueskyConnector.connect(fields).profile.handle == "alice.test"


@pytest.mark.parametrize(
    ("password", "sentence"), [("aaaa-bbbb-cccc-dddd", WRONG_PASSWORD), ("hunter2", NOT_AN_APP_PASSWORD)]
)
def test_a_wrong_password_needs_another(network: BlueskyNetwork, password: str, sentence: str) -> None:
    with pytest.raises(NeedsReconnect) as caught:
        BlueskyConnector.connect({"identifier": network.alice.handle, "app_password": password})
    assert caught.value.advice == sentence


def test_an_unknown_handle_is_not_found(network: BlueskyNetwork) -> None:
    with pytest.raises(Rejected) as caught:
        BlueskyConnector.connect({"identifier": "nobody.test", "app_password": "aaaa-bbbb-cccc-dddd"})
    assert caught.value.reason is RejectReason.NOT_FOUND


def test_a_private_server_is_refused_unless_the_operator_listed_it(network: BlueskyNetwork) -> None:
    http.configure(base_urls=network.base_urls)
    with pytest.raises(Rejected) as caught:
        BlueskyConnector.connect(
            {"identifier": network.alice.handle, "app_password": network.alice.app_password}
        )
    assert caught.value.reason is RejectReason.HOST_REFUSED


def test_the_profile_has_name_and_picture(network: BlueskyNetwork, alice: BlueskyConnector) -> None:
    blob = alice._upload_bytes(picture("teal", "").open().read(), "image/png")
    record = {"$type": "app.bsky.actor.profile", "displayName": "アリス", "avatar": blob}
    requests.post(
        f"{network.pds_url}/xrpc/com.atproto.repo.putRecord",
        headers={"Authorization": f"Bearer {alice.tokens.access_token}"},
        json={
            "repo": network.alice.did,
            "collection": "app.bsky.actor.profile",
            "rkey": "self",
            "record": record,
        },
        timeout=10,
    ).raise_for_status()
    profile = alice.fetch_profile()
    assert profile.display_name == "アリス"
    assert requests.get(profile.avatar_url, timeout=10).content == picture("teal", "").open().read()


# --- publishing -------------------------------------------------------------------------------


def test_a_post_with_everything_reads_back_as_it_was_written(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    text = "夏祭り👨‍👩‍👧‍👦 @bob.test @nobody.test #夏祭り https://example.com/a"
    payload = PostPayload(
        parts=(PostPart(text, media=(picture("red", "赤"), picture("blue", ""))),), language="ja"
    )
    done, intents = publish(alice, payload)
    [found] = [
        post for post in network.posts(network.alice) if post["uri"] == done["part0.publish"].remote_id
    ]
    assert found["cid"] == done["part0.publish"].detail["cid"]
    value = found["value"]
    assert value == intents["part0.publish"]["record"]
    assert [image["alt"] for image in value["embed"]["images"]] == ["赤", ""]
    assert [image["aspectRatio"] for image in value["embed"]["images"]] == [{"width": 64, "height": 48}] * 2
    marked = {
        text.encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(): facet["features"][0]
        for facet in value["facets"]
    }
    assert marked["@bob.test"]["did"] == network.bob.did
    assert set(marked) == {"@bob.test", "#夏祭り", "https://example.com/a"}
    blob = requests.get(
        f"{network.pds_url}/xrpc/com.atproto.sync.getBlob",
        params={"did": network.alice.did, "cid": value["embed"]["images"][0]["image"]["ref"]["$link"]},
        timeout=10,
    )
    assert blob.content == picture("red", "").open().read()


def test_a_link_card_is_kept(network: BlueskyNetwork, alice: BlueskyConnector) -> None:
    card = LinkCard("https://example.com/", "Example", "An example")
    done, _ = publish(alice, PostPayload(parts=(PostPart("read", link_card=card),)))
    [found] = [
        post for post in network.posts(network.alice) if post["uri"] == done["part0.publish"].remote_id
    ]
    assert found["value"]["embed"]["external"]["title"] == "Example"


def test_a_thread_of_three_hangs_together(network: BlueskyNetwork, alice: BlueskyConnector) -> None:
    before = len(network.posts(network.alice))
    done, _ = publish(alice, PostPayload(parts=(PostPart("one"), PostPart("two"), PostPart("three"))))
    kept = network.posts(network.alice)
    assert len(kept) == before + 3
    ours = {result.remote_id for result in done.values()}
    third, second, first = (post for post in kept if post["uri"] in ours)  # newest first
    assert [post["value"]["text"] for post in (first, second, third)] == ["one", "two", "three"]
    root = {"uri": first["uri"], "cid": first["cid"]}
    assert second["value"]["reply"] == {"root": root, "parent": root}
    assert third["value"]["reply"]["parent"] == {"uri": second["uri"], "cid": second["cid"]}
    read = alice.fetch_post(third["uri"])
    assert read is not None
    assert read.in_reply_to == second["uri"]


def test_every_step_may_be_repeated_and_leaves_one_record(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    before = len(network.posts(network.alice))
    payload = PostPayload(parts=(PostPart("@bob.test", media=(picture("green", ""),)), PostPart("two")))
    publish(alice, payload, times=3)
    assert len(network.posts(network.alice)) == before + 2


def test_the_same_key_with_another_text_does_not_overwrite(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    payload = PostPayload(parts=(PostPart("first version"),))
    done, intents = publish(alice, payload)
    intent = intents["part0.publish"]
    other = {**intent, "record": {**intent["record"], "text": "second version"}}
    with pytest.raises(Rejected) as caught:
        alice.send_step(Step("part0.publish", StepKind.PUBLISH, 0), payload, other)
    assert caught.value.reason is RejectReason.DUPLICATE
    read = alice.fetch_post(done["part0.publish"].remote_id)
    assert read is not None
    assert read.text == "first version"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("a" * 301, RejectReason.TEXT_TOO_LONG), ("👨‍👩‍👧‍👦" * 130, RejectReason.TEXT_TOO_LONG)],
)
def test_what_breaks_the_limits_is_refused_for_good(
    network: BlueskyNetwork, alice: BlueskyConnector, text: str, reason: RejectReason
) -> None:
    before = len(network.posts(network.alice))
    with pytest.raises(Rejected) as caught:
        publish(alice, PostPayload(parts=(PostPart(text),)))
    assert caught.value.reason is reason
    assert len(network.posts(network.alice)) == before


def test_an_answer_that_is_lost_is_unknown_and_the_repetition_leaves_one_record(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    payload = PostPayload(parts=(PostPart("lost answer"),))
    [step] = alice.plan(payload)
    intent = alice.prepare_step(step, payload, {}, key=str(uuid.uuid4()), now=dt.datetime.now(dt.UTC))
    with dropping_answers(network.pds_url, to=b"putRecord") as (proxy, dropped):
        http.configure(
            allowed_private_hosts=(*network.allowed_private_hosts, urlsplit(proxy).netloc),
            base_urls=network.base_urls,
        )
        cut_off = BlueskyConnector(tokens=alice.tokens, options={**alice.options, "pds": proxy})
        with pytest.raises(OutcomeUnknown):
            cut_off.send_step(step, payload, intent)
        assert dropped == [200]
    assert _with_text(network, "lost answer") == 1  # it was accepted, and we were not told
    result = alice.send_step(step, payload, intent)
    [kept] = [post for post in network.posts(network.alice) if post["value"]["text"] == "lost answer"]
    assert result.remote_id == kept["uri"]


def _with_text(network: BlueskyNetwork, text: str) -> int:
    return sum(post["value"]["text"] == text for post in network.posts(network.alice))


@contextlib.contextmanager
def dropping_answers(target: str, *, to: bytes) -> Iterator[tuple[str, list[int]]]:
    """A proxy before ``target`` that hangs up in place of passing on the answers to requests that contain
    ``to``. Gives its address and the statuses that it kept to itself."""
    dropped: list[int] = []
    host, port = urlsplit(target).hostname, urlsplit(target).port or 80
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):  # closed at the end of the test
            while True:
                client, _ = server.accept()
                with client, socket.create_connection((host, port), timeout=10) as upstream:
                    asked = client.recv(65536)
                    while asked and b"\r\n\r\n" not in asked:
                        asked += client.recv(65536)
                    head, _, body = asked.partition(b"\r\n\r\n")
                    length = next(
                        (
                            int(line[15:])
                            for line in head.split(b"\r\n")
                            if line.lower().startswith(b"content-length:")
                        ),
                        0,
                    )
                    while len(body) < length:
                        body += client.recv(65536)
                    upstream.sendall(head + b"\r\n\r\n" + body)
                    answer = upstream.recv(65536)
                    if to in head:
                        dropped.append(int(answer.split(b" ")[1]))
                    else:
                        client.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", dropped
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(timeout=5)


# --- tokens -----------------------------------------------------------------------------------


def test_refreshing_rotates_and_the_last_answer_can_be_fetched_again(alice: BlueskyConnector) -> None:
    first = BlueskyConnector.refresh(tokens=alice.tokens, options=alice.options, app=None)
    assert first.refresh_token != alice.tokens.refresh_token
    again = BlueskyConnector.refresh(tokens=alice.tokens, options=alice.options, app=None)
    # The answer was lost: its successor is the same, signed anew (its times may be a second later).
    assert claims(again.refresh_token)["jti"] == claims(first.refresh_token)["jti"]
    third = BlueskyConnector.refresh(tokens=first, options=alice.options, app=None)
    assert third.refresh_token != first.refresh_token
    fresh = BlueskyConnector(tokens=third, options=alice.options)
    assert fresh.fetch_profile().handle == "alice.test"


def test_an_expired_token_is_renewed_in_the_middle_of_a_delivery(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    an_hour_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    stale = network.signed_token(network.alice, scope="com.atproto.appPass", expires_at=an_hour_ago)
    renewals: list[str] = []

    def renew(tokens: Tokens) -> Tokens:
        renewals.append(tokens.access_token)
        return BlueskyConnector.refresh(tokens=tokens, options=alice.options, app=None)

    tokens = Tokens(access_token=stale, refresh_token=alice.tokens.refresh_token)
    connector = BlueskyConnector(tokens=tokens, options=alice.options, renew=renew)
    done, _ = publish(connector, PostPayload(parts=(PostPart("late", media=(picture("pink", ""),)),)))
    assert renewals == [stale]
    assert connector.fetch_post(done["part0.publish"].remote_id) is not None


def test_without_a_way_to_renew_an_expired_token_needs_a_person(
    network: BlueskyNetwork, alice: BlueskyConnector
) -> None:
    an_hour_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    stale = network.signed_token(network.alice, scope="com.atproto.appPass", expires_at=an_hour_ago)
    before = len(network.posts(network.alice))
    with pytest.raises(NeedsReconnect):
        publish(
            BlueskyConnector(tokens=Tokens(access_token=stale), options=alice.options),
            PostPayload(parts=(PostPart("never"),)),
        )
    assert len(network.posts(network.alice)) == before


def test_a_revoked_app_password_cannot_be_refreshed(network: BlueskyNetwork) -> None:
    bob = network.bob
    xrpc = f"{network.pds_url}/xrpc/com.atproto.server"
    main = requests.post(
        f"{xrpc}.createSession", json={"identifier": bob.handle, "password": bob.password}, timeout=10
    ).json()
    headers = {"Authorization": f"Bearer {main['accessJwt']}"}
    made = requests.post(
        f"{xrpc}.createAppPassword", json={"name": "to revoke"}, headers=headers, timeout=10
    ).json()
    connected = BlueskyConnector.connect({"identifier": bob.handle, "app_password": made["password"]})
    requests.post(f"{xrpc}.revokeAppPassword", json={"name": "to revoke"}, headers=headers, timeout=10)
    with pytest.raises(NeedsReconnect):
        BlueskyConnector.refresh(tokens=connected.tokens, options=connected.options, app=None)


# --- reading ----------------------------------------------------------------------------------


def test_posts_are_read_back_until_they_are_deleted(network: BlueskyNetwork, alice: BlueskyConnector) -> None:
    since = dt.datetime.now(dt.UTC)
    done, _ = publish(alice, PostPayload(parts=(PostPart("short-lived", media=(picture("grey", ""),)),)))
    uri = done["part0.publish"].remote_id
    read = alice.fetch_post(uri)
    assert read is not None
    assert (read.text, read.media_count) == ("short-lived", 1)
    assert [post.remote_id for post in alice.find_recent(since=since - dt.timedelta(seconds=1))][:1] == [uri]
    requests.post(
        f"{network.pds_url}/xrpc/com.atproto.repo.deleteRecord",
        headers={"Authorization": f"Bearer {alice.tokens.access_token}"},
        json={
            "repo": network.alice.did,
            "collection": "app.bsky.feed.post",
            "rkey": uri.rpartition("/")[2],
        },
        timeout=10,
    ).raise_for_status()
    assert alice.fetch_post(uri) is None


def test_without_an_appview_counts_are_unknown_and_nothing_fails(alice: BlueskyConnector) -> None:
    uri = f"at://{alice.options['did']}/app.bsky.feed.post/3kabcdefghijk"
    assert alice.fetch_account_metrics().followers is None
    assert alice.fetch_post_metrics([uri]) == {uri: PostMetrics()}


@pytest.fixture
def with_appview(monkeypatch: pytest.MonkeyPatch) -> Iterator[BlueskyNetwork]:
    with running_with_appview() as network:
        monkeypatch.setattr(http, "_config", http._Config())
        http.configure(allowed_private_hosts=network.allowed_private_hosts, base_urls=network.base_urls)
        yield network


def test_counts_of_the_account_and_its_posts(with_appview: BlueskyNetwork) -> None:
    alice = sign_in(with_appview.alice)
    done, _ = publish(alice, PostPayload(parts=(PostPart("count me"), PostPart("and me"))))
    first, second = done["part0.publish"], done["part1.publish"]
    bob = with_appview.bob
    with_appview.write(bob, "app.bsky.feed.like", subject=first.detail)
    with_appview.write(bob, "app.bsky.feed.repost", subject=first.detail)
    with_appview.write(bob, "app.bsky.graph.follow", subject=with_appview.alice.did)
    quote = {"$type": "app.bsky.embed.record", "record": first.detail}
    with_appview.post(bob, "quoting", embed=quote)

    wanted = PostMetrics(likes=1, comments=1, shares=1, quotes=1, bookmarks=0)
    _wait_until(lambda: alice.fetch_post_metrics([first.remote_id]).get(first.remote_id) == wanted)
    _wait_until(lambda: alice.fetch_account_metrics().followers == 1)
    gone = f"{first.remote_id[:-1]}{'3' if first.remote_id[-1] == '2' else '2'}"
    assert alice.fetch_post_metrics([second.remote_id, gone]) == {
        second.remote_id: PostMetrics(likes=0, comments=0, shares=0, quotes=0, bookmarks=0)
    }
    account = alice.fetch_account_metrics()
    assert (account.followers, account.following, account.posts) == (1, 0, 2)
    # The same as somebody else sees it.
    seen = sign_in(bob).fetch_public_account(f"@{with_appview.alice.handle.upper()}")
    assert seen is not None
    assert (seen.profile.remote_id, seen.profile.handle) == (
        with_appview.alice.did,
        with_appview.alice.handle,
    )
    assert seen.counts == account
    assert sign_in(bob).fetch_public_account("nobody.test") is None
    assert sign_in(bob).fetch_public_account("no handle") is None


def _wait_until(is_so: Callable[[], bool], *, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "the AppView did not catch up"
        time.sleep(0.1)
