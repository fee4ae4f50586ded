"""Mastodon's connector against running stand-ins of the three servers, from registration to metrics."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors import http
from connectors.base import (
    AccountMetrics,
    AppCredentials,
    Connected,
    PostMetrics,
    PostPayload,
    RetrySafety,
    StepKind,
    StepResult,
    StepState,
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
from connectors.mastodon import MastodonConnector
from connectors.text import normalise
from tests.connectors.conftest import NOW, image, payload
from tests.fake_mastodon import FLAVOURS, FakeMastodon, running_fake_mastodon

pytestmark = pytest.mark.integration
BACK = "https://app.example/connect/back"
TEXT = "猫です ＃cats https://example.com/a/very/long/path/indeed?x=1&y=2\n\n@bob@remote.example <ok> & done"


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


def registered(server: FakeMastodon) -> AppCredentials:
    return MastodonConnector.register_app(
        host=server.host, redirect_uri=BACK, app_name="App", website="https://app.example"
    )


def authorize(url: str, *, decision: str = "allow") -> dict[str, list[str]]:
    """What a browser does: open the page, press the button, follow the address it is sent to."""
    page = requests.get(url, timeout=5).text
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)">', page))
    answer = requests.post(
        url.partition("?")[0],
        data={**{n: v.replace("&amp;", "&") for n, v in fields.items()}, "decision": decision},
        allow_redirects=False,
        timeout=5,
    )
    assert answer.headers["Location"].startswith(BACK)
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def connect(server: FakeMastodon) -> Connected:
    app = registered(server)
    request = MastodonConnector.authorize_url(app=app, redirect_uri=BACK, state="st&te")
    answer = authorize(request.url)
    assert answer["state"] == ["st&te"]
    return MastodonConnector.exchange_code(
        app=app, code=answer["code"][0], code_verifier=request.code_verifier, redirect_uri=BACK
    )


def client_of(server: FakeMastodon) -> MastodonConnector:
    connected = connect(server)
    return MastodonConnector(tokens=connected.tokens, options=connected.options)


def deliver(client: MastodonConnector, sent: PostPayload) -> dict[str, StepResult]:
    """Every step in order, waiting for media, as the outbox does."""
    done: dict[str, StepResult] = {}
    for number, step in enumerate(client.plan(sent)):
        intent = client.prepare_step(step, sent, done, key=f"key-{number}", now=NOW)
        result: StepResult | None = client.send_step(step, sent, intent)
        while result is not None and result.state is StepState.PROCESSING:
            result = client.check(step, intent, result)
        assert result is not None
        done[step.key] = result
    return done


def publish_once(client: MastodonConnector, text: str = "Hello", key: str = "key") -> StepResult:
    sent = payload(text)
    step = client.plan(sent)[0]
    return client.send_step(step, sent, client.prepare_step(step, sent, {}, key=key, now=NOW))


def test_connection_knows_account_server_and_limits(server: FakeMastodon) -> None:
    connected = connect(server)
    flavour = server.flavour
    assert connected.profile.handle == f"alice@{server.host}"
    assert connected.profile.remote_id == f"1@{server.host}"
    assert connected.profile.display_name == "Alice"
    assert connected.options["software"] == flavour.name
    assert connected.options["host"] == server.url
    info = MastodonConnector.info_for(connected.options)
    assert (info.text.max_units, info.images.max_count) == (flavour.max_characters, flavour.max_media)
    assert info.images.max_bytes == 10_485_760
    promised = RetrySafety.IDEMPOTENT if flavour.name == "mastodon" else RetrySafety.NEITHER
    assert info.retry_safety is promised
    client = MastodonConnector(tokens=connected.tokens, options=connected.options)
    assert client.fetch_profile() == connected.profile


def test_code_is_worth_nothing_without_its_verifier(mastodon: FakeMastodon) -> None:
    app = registered(mastodon)
    code = authorize(MastodonConnector.authorize_url(app=app, redirect_uri=BACK, state="s").url)["code"][0]
    with pytest.raises(Rejected):
        MastodonConnector.exchange_code(app=app, code=code, code_verifier="stolen", redirect_uri=BACK)
    assert mastodon.tokens == {}


def test_refusal_of_the_person_comes_back_as_an_error(mastodon: FakeMastodon) -> None:
    url = MastodonConnector.authorize_url(app=registered(mastodon), redirect_uri=BACK, state="s").url
    assert authorize(url, decision="deny")["error"] == ["access_denied"]


@pytest.mark.parametrize(
    "host", ["localhost", "https://127.0.0.1/", "https://10.0.0.1", "http://example.com"]
)
def test_private_or_unencrypted_host_is_refused(host: str) -> None:
    with pytest.raises(Rejected) as rejected:
        MastodonConnector.register_app(host=host, redirect_uri=BACK, app_name="App", website="")
    assert rejected.value.reason in {RejectReason.HOST_REFUSED, RejectReason.INVALID}


def test_thread_with_images_arrives_as_it_was_written(server: FakeMastodon) -> None:
    client = client_of(server)
    done = deliver(client, payload(TEXT, "second", media=(image("one"), image("two")), language="ja"))
    first, second = server.statuses
    assert first["sent"]["status"] == TEXT
    assert [m["description"] for m in first["media_attachments"]] == ["one", "two"]
    assert first["language"] == "ja"
    assert second["in_reply_to_id"] == first["id"] == done["part0.publish"].remote_id
    read = client.fetch_post(first["id"])
    assert read is not None
    assert normalise(read.text) == normalise(TEXT)
    assert (read.media_count, read.permalink) == (2, done["part0.publish"].permalink)


def test_published_post_is_found_among_recent_ones(server: FakeMastodon) -> None:
    client = client_of(server)
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
    ids = [publish_once(client, f"{TEXT} {n}", key=f"key-{n}").remote_id for n in range(45)]
    found = client.find_recent(since=before)
    assert [post.remote_id for post in found] == ids[::-1]
    assert normalise(found[-1].text) == normalise(f"{TEXT} 0")
    assert client.find_recent(since=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)) == []


def test_answer_lost_after_acceptance_never_makes_two_posts(server: FakeMastodon) -> None:
    """IDEMPOTENT servers are sent the same again; of the others the account is read first."""
    client = client_of(server)
    server.fail_next("/api/v1/statuses", is_dropped=True, is_carried_out=True)
    with pytest.raises(OutcomeUnknown):
        publish_once(client)
    if client.safety_of({}, NOW) is RetrySafety.IDEMPOTENT:
        assert publish_once(client).remote_id == server.statuses[0]["id"]
    else:
        recent = client.find_recent(since=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1))
        assert [post.text for post in recent] == ["Hello"]
    assert len(server.statuses) == 1


def test_gotosocial_answering_a_seen_key_without_a_status_is_unknown() -> None:
    with running_fake_mastodon("gotosocial") as server:
        http.configure(allowed_private_hosts=[server.host])
        client = client_of(server)
        publish_once(client)
        with pytest.raises(OutcomeUnknown):
            publish_once(client)
        assert len(server.statuses) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"status": 500}, OutcomeUnknown),
        ({"status": 502, "body": "<h1>Bad gateway</h1>"}, OutcomeUnknown),
        ({"status": 503}, Temporary),
        ({"status": 429, "headers": {"Retry-After": "5"}}, RateLimited),
        ({"status": 401}, NeedsReconnect),
        ({"status": 403, "body": '{"error": "Your account is suspended"}'}, NeedsReconnect),
        ({"is_dropped": True}, OutcomeUnknown),
    ],
)
def test_fault_of_the_server_is_told_as_what_it_is(
    mastodon: FakeMastodon, fault: dict[str, object], expected: type
) -> None:
    client = client_of(mastodon)
    mastodon.fail_next("/api/v1/statuses", **fault)
    with pytest.raises(expected):
        publish_once(client)
    assert mastodon.statuses == []
    assert len(mastodon.keys_seen()) == 1, "nothing repeats by itself"


def test_too_long_text_is_refused_by_every_server_alike(server: FakeMastodon) -> None:
    client = client_of(server)
    with pytest.raises(Rejected) as rejected:
        publish_once(client, "x" * (client.info.text.max_units + 1))
    assert rejected.value.reason is RejectReason.TEXT_TOO_LONG
    assert server.statuses == []


def test_post_with_an_image_still_in_processing_is_only_too_early(mastodon: FakeMastodon) -> None:
    mastodon.polls_until_processed = 9
    client, sent = client_of(mastodon), payload("x", media=(image(),))
    upload, publish = client.plan(sent)
    assert publish.kind is StepKind.PUBLISH
    medium = client.send_step(upload, sent, client.prepare_step(upload, sent, {}, key="a", now=NOW))
    assert medium.state is StepState.PROCESSING
    intent = client.prepare_step(publish, sent, {upload.key: medium}, key="b", now=NOW)
    with pytest.raises(Temporary):
        client.send_step(publish, sent, intent)


def test_dead_token_asks_for_a_new_connection(server: FakeMastodon) -> None:
    client = client_of(server)
    server.tokens.clear()
    for read in (client.fetch_profile, client.fetch_account_metrics, lambda: publish_once(client)):
        with pytest.raises(NeedsReconnect):
            read()


def test_numbers_are_those_of_the_server(server: FakeMastodon) -> None:
    client = client_of(server)
    remote_id = publish_once(client).remote_id
    server.statuses[0] |= {"favourites_count": 3, "replies_count": 2, "reblogs_count": 1}
    quotes = 0 if server.flavour.name == "mastodon" else None
    expected = PostMetrics(likes=3, comments=2, shares=1, quotes=quotes)
    assert client.fetch_post_metrics([remote_id, "404"]) == {remote_id: expected}
    assert client.fetch_account_metrics() == AccountMetrics(followers=120, following=34, posts=1)


def test_token_travels_only_in_its_header(server: FakeMastodon, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        client = client_of(server)
        publish_once(client)
    (token,) = server.tokens
    assert isinstance(client.tokens, Tokens)
    assert token not in caplog.text + repr(client.tokens) + "".join(r.path for r in server.requests)


def test_stand_in_answers_as_mastodon_describes_itself(
    mastodon: FakeMastodon, mastodon_schema: Callable[[object, str], list[str]]
) -> None:
    """What the other tests rest on: the stand-in's entities have every required field and its type."""
    client = client_of(mastodon)
    deliver(client, payload(TEXT, media=(image(),)))
    get = client._call
    app = {name: value for name, value in next(iter(mastodon.apps.values())).items() if name != "granted"}
    entities = [
        (get("GET", "/api/v2/instance").json(), "Instance"),
        (get("GET", "/api/v1/instance").json(), "V1Instance"),
        (get("GET", "/api/v1/accounts/verify_credentials").json(), "CredentialAccount"),
        (app, "CredentialApplication"),
        *((status, "Status") for status in get("GET", "/api/v1/accounts/1/statuses").json()),
        *((medium, "MediaAttachment") for medium in mastodon.statuses[0]["media_attachments"]),
    ]
    assert [fault for entity, name in entities for fault in mastodon_schema(entity, name)] == []
