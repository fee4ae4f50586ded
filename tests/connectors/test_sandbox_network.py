"""The sandbox network's connector against the running network: every mode, and what trouble becomes."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from connectors.base import MediaItem, PostPart, PostPayload, RetrySafety, StepResult, StepState, Tokens
from connectors.errors import (
    ConnectorError,
    NeedsReconnect,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Temporary,
)
from connectors.sandbox import SandboxConnector, account_options
from connectors.text import normalise
from sandbox.control import SandboxControl
from tests.clips import clip
from tests.sandbox.fixtures import Api, png, sandbox, sandbox_server

__all__ = ["sandbox", "sandbox_server"]

pytestmark = pytest.mark.integration

MODES = ("idempotency_key", "two_phase", "neither")
BACK = "http://127.0.0.1:8000/back"


def connected(control: SandboxControl, mode: str = "idempotency_key", **spec: Any) -> SandboxConnector:
    tokens = control.account(f"a_{mode}", mode=mode, **spec)
    own = Api(control, tokens.access_token).get("/api/v1/accounts/me").json()
    return SandboxConnector(
        tokens=Tokens(tokens.access_token, tokens.refresh_token),
        options={"host": control.base_url, **account_options(own)},
    )


def picture(alt_text: str = "A teal field") -> MediaItem:
    content = png(30, 20)
    return MediaItem("m1", "image/png", len(content), 30, 20, alt_text, lambda: io.BytesIO(content))


def run(
    client: SandboxConnector, sent: PostPayload, *, done: dict[str, StepResult] | None = None
) -> dict[str, StepResult]:
    """Carry out what is not done yet, with keys that stay the same."""
    done = {} if done is None else done
    for step in client.plan(sent):
        if step.key not in done:
            intent = client.prepare_step(step, sent, done, key=f"key-{step.key}", now=dt.datetime.now(dt.UTC))
            done[step.key] = client.send_step(step, sent, intent)
    return done


def test_an_account_is_connected_through_the_authorize_page(sandbox: SandboxControl) -> None:
    app = SandboxConnector.register_app(host="", redirect_uri=BACK, app_name="smmapp", website="")
    asked = SandboxConnector.authorize_url(app=app, redirect_uri=BACK, state="s1")
    page = requests.get(asked.url, timeout=10).text
    form = {k: html.unescape(v) for k, v in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)}
    form |= {"handle_new": "nori", "mode": "neither", "decision": "authorize"}
    answer = requests.post(
        f"{sandbox.base_url}/oauth/authorize", data=form, allow_redirects=False, timeout=10
    )
    back = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert back["state"] == "s1"
    found = SandboxConnector.exchange_code(
        app=app, code=back["code"], code_verifier=asked.code_verifier, redirect_uri=BACK
    )
    assert found.profile.remote_id == "nori"
    assert found.scopes == ("read", "write", "metrics", "inbox")
    client = SandboxConnector(tokens=found.tokens, options=found.options)
    assert client.info.retry_safety is RetrySafety.NEITHER
    assert client.fetch_profile() == found.profile


@pytest.mark.parametrize("mode", MODES)
def test_a_thread_with_a_picture_goes_out_and_is_read_back(sandbox: SandboxControl, mode: str) -> None:
    client = connected(sandbox, mode)
    sent = PostPayload((PostPart("One 🍵", (picture(),)), PostPart("Two")), language="en")
    done = run(client, sent)
    first, second = (done[f"part{n}.publish"].remote_id for n in (0, 1))
    root, reply = client.fetch_post(first), client.fetch_post(second)
    assert root is not None
    assert reply is not None
    assert (root.text, root.media_count, root.permalink) == ("One 🍵", 1, done["part0.publish"].permalink)
    assert reply.in_reply_to == first
    recent = client.find_recent(since=root.created_at)
    assert [post.remote_id for post in recent] == [second, first]
    assert set(client.fetch_post_metrics([first, second, "1"])) == {first, second}
    assert client.fetch_account_metrics().posts == 2
    assert sandbox.summary()["refs_stored"] == 2


@pytest.mark.parametrize("effect", ["drop_after_accept", "html", "malformed_json"])
@pytest.mark.parametrize("mode", MODES)
def test_an_accepted_post_without_an_answer_is_found_again(
    sandbox: SandboxControl, mode: str, effect: str
) -> None:
    client, sent = connected(sandbox, mode), PostPayload((PostPart("Only once"),))
    started_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    done: dict[str, StepResult] = {}
    sandbox.fault(effect, endpoint="publish", times=1)
    with pytest.raises(OutcomeUnknown):
        run(client, sent, done=done)
    step = client.plan(sent)[-1]
    if mode == "idempotency_key":
        run(client, sent, done=done)
    elif mode == "two_phase":
        intent = client.prepare_step(step, sent, done, key="key-part0.publish", now=started_at)
        found = client.check(step, intent, None)
        assert found is not None
        done[step.key] = found
    else:
        match = [p for p in client.find_recent(since=started_at) if normalise(p.text) == "Only once"]
        assert len(match) == 1
        done[step.key] = StepResult(remote_id=match[0].remote_id)
    summary = sandbox.summary()
    assert (summary["posts"], summary["duplicates"]) == (1, 0)
    assert client.fetch_post(done[step.key].remote_id) is not None


@pytest.mark.parametrize("effect", ["drop_before", "server_error"])
@pytest.mark.parametrize("mode", MODES)
def test_a_post_that_was_not_accepted_is_seen_to_be_absent(
    sandbox: SandboxControl, mode: str, effect: str
) -> None:
    client, sent = connected(sandbox, mode), PostPayload((PostPart("Only once"),))
    started_at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    done: dict[str, StepResult] = {}
    sandbox.fault(effect, endpoint="publish", times=1)
    with pytest.raises(OutcomeUnknown):
        run(client, sent, done=done)
    if mode == "two_phase":
        step = client.plan(sent)[-1]
        intent = client.prepare_step(step, sent, done, key="key-part0.publish", now=started_at)
        assert client.check(step, intent, None) is None
    elif mode == "neither":
        assert client.find_recent(since=started_at) == []
    run(client, sent, done=done)
    assert sandbox.summary()["posts"] == 1


@pytest.mark.parametrize("effect", ["drop_before", "drop_after_accept", "server_error", "html"])
@pytest.mark.parametrize("endpoint", ["media", "container"])
def test_trouble_before_publishing_is_temporary(sandbox: SandboxControl, effect: str, endpoint: str) -> None:
    client, sent = connected(sandbox, "two_phase"), PostPayload((PostPart("x", (picture(),)),))
    done: dict[str, StepResult] = {}
    sandbox.fault(effect, endpoint=endpoint, times=1)
    with pytest.raises(Temporary):
        run(client, sent, done=done)
    run(client, sent, done=done)
    assert sandbox.summary()["posts"] == 1


def test_slow_media_are_processing_and_then_done(sandbox: SandboxControl) -> None:
    client, sent = connected(sandbox, "two_phase"), PostPayload((PostPart("x", (picture(),)),))
    sandbox.fault("slow_media", endpoint="media", times=1, processing_s=60)
    media_step, container_step, _ = client.plan(sent)
    done: dict[str, StepResult] = {}
    intent = client.prepare_step(media_step, sent, done, key="k1", now=dt.datetime.now(dt.UTC))
    done[media_step.key] = client.send_step(media_step, sent, intent)
    assert done[media_step.key].state is StepState.PROCESSING
    intent = client.prepare_step(container_step, sent, done, key="k2", now=dt.datetime.now(dt.UTC))
    done[container_step.key] = client.send_step(container_step, sent, intent)
    assert done[container_step.key].state is StepState.PROCESSING
    sandbox.advance(61)
    for step in (media_step, container_step):
        checked = client.check(step, intent, done[step.key])
        assert checked is not None
        assert checked.state is StepState.DONE
    run(client, sent, done=done)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_rate_limit_gives_the_instant_that_the_network_keeps(sandbox: SandboxControl, form: str) -> None:
    client = connected(sandbox)
    sandbox.fault("rate_limit", endpoint="publish", times=1, retry_after_s=40, form=form)
    asked_at = dt.datetime.now(dt.UTC)
    with pytest.raises(RateLimited) as caught:
        run(client, PostPayload((PostPart("x"),)))
    assert dt.timedelta(seconds=39.9) < caught.value.retry_at - asked_at < dt.timedelta(seconds=45)


def test_a_quota_is_told_and_kept(sandbox: SandboxControl) -> None:
    client = connected(sandbox, "neither", quota_limit=1, quota_window_s=600)
    assert client.info.rates[0].limit == 1
    run(client, PostPayload((PostPart("one"),)))
    with pytest.raises(RateLimited):
        run(client, PostPayload((PostPart("two"),)))


def test_a_worker_with_a_dead_access_token_renews_it_and_goes_on(sandbox: SandboxControl) -> None:
    client = connected(sandbox)

    def renew(stale: Tokens) -> Tokens:
        return SandboxConnector.refresh(tokens=stale, options=client.options, app=None)

    client.renew = renew
    sandbox.kill_tokens(client.fetch_profile().handle, "access")
    run(client, PostPayload((PostPart("x"),)))
    assert sandbox.summary()["posts"] == 1


def test_a_refresh_token_used_twice_loses_the_account(sandbox: SandboxControl) -> None:
    client = connected(sandbox)
    fresh = SandboxConnector.refresh(tokens=client.tokens, options=client.options, app=None)
    with pytest.raises(NeedsReconnect):
        SandboxConnector.refresh(tokens=client.tokens, options=client.options, app=None)
    client.tokens = fresh
    with pytest.raises(NeedsReconnect):
        client.fetch_profile()


def test_token_death_needs_a_person(sandbox: SandboxControl) -> None:
    client = connected(sandbox)
    sandbox.fault("token_death", times=1, which="both")
    with pytest.raises(NeedsReconnect):
        run(client, PostPayload((PostPart("x"),)))
    assert sandbox.summary()["posts"] == 0


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (PostPart("x" * 501), RejectReason.TEXT_TOO_LONG),
        (PostPart(""), RejectReason.TEXT_EMPTY),
        (PostPart("x", (picture("y" * 1001),)), RejectReason.ALT_TEXT_TOO_LONG),
        (
            PostPart("x", (MediaItem("m", "image/png", 5, 1, 1, "", lambda: io.BytesIO(b"hello")),)),
            RejectReason.MEDIA_TYPE,
        ),
    ],
)
def test_the_networks_refusals_have_their_reasons(
    sandbox: SandboxControl, part: PostPart, reason: RejectReason
) -> None:
    with pytest.raises(Rejected) as caught:
        run(connected(sandbox), PostPayload((part,)))
    assert caught.value.reason is reason


def test_nobody_listening_is_surely_not_sent(sandbox: SandboxControl) -> None:
    from connectors import http

    client = connected(sandbox)
    http.configure(base_urls={"sandbox": "http://127.0.0.1:9"})
    with pytest.raises(ConnectorError) as caught:
        run(client, PostPayload((PostPart("x"),)))
    assert type(caught.value) is Temporary


def film(**options: Any) -> MediaItem:
    content = clip(**options)
    return MediaItem(
        "v1",
        "video/mp4",
        len(content),
        64,
        36,
        "A film",
        lambda: io.BytesIO(content),
        duration_s=options.get("seconds", 1),
        frame_rate=10,
    )


@pytest.mark.parametrize("mode", MODES)
def test_a_video_is_published_when_the_network_has_looked_at_it(sandbox: SandboxControl, mode: str) -> None:
    client = connected(sandbox, mode, media_processing_s=60)
    sent = PostPayload(parts=(PostPart("A film", (film(),)),))
    step = client.plan(sent)[0]
    intent = client.prepare_step(step, sent, {}, key="key", now=dt.datetime.now(dt.UTC))
    result = client.send_step(step, sent, intent)
    assert result.state is StepState.PROCESSING
    assert client.check(step, intent, result).state is StepState.PROCESSING  # type: ignore[union-attr]
    sandbox.advance(61)
    ready = client.check(step, intent, result)
    assert ready is not None
    assert ready.state is StepState.DONE
    done = run(client, sent, done={step.key: ready})
    shown = client.fetch_post(done["part0.publish"].remote_id)
    assert shown is not None
    assert shown.media_count == 1
    page = requests.get(done["part0.publish"].permalink, timeout=10).text
    assert "<video" in page
    assert 'aria-label="A film"' in page


def test_a_video_that_the_network_cannot_process_is_refused(sandbox: SandboxControl) -> None:
    client = connected(sandbox)
    sandbox.fault("broken_media", endpoint="media", times=1)
    with pytest.raises(Rejected) as refusal:
        run(client, PostPayload(parts=(PostPart("A film", (film(),)),)))
    assert refusal.value.reason is RejectReason.MEDIA_BROKEN


@pytest.mark.parametrize(
    ("media", "reason"),
    [
        (lambda: (film(seconds=141, rate=1, sound=""),), RejectReason.VIDEO_TOO_LONG),
        (lambda: (film(rate=100),), RejectReason.VIDEO_TOO_FAST),
        (lambda: (film(codec="mpeg4"),), RejectReason.MEDIA_TYPE),
        (lambda: (film(with_pictures=False),), RejectReason.MEDIA_TYPE),
        (lambda: (film(), picture()), RejectReason.MEDIA_MIXED),
    ],
    ids=["long", "fast", "codec", "sound alone", "mixed"],
)
def test_the_network_keeps_to_its_video_limits(
    sandbox: SandboxControl, media: Any, reason: RejectReason
) -> None:
    with pytest.raises(Rejected) as refusal:
        run(connected(sandbox), PostPayload(parts=(PostPart("x", media()),)))
    assert refusal.value.reason is reason


def test_accounts_of_others_are_told_with_what_everybody_sees(sandbox: SandboxControl) -> None:
    client = connected(sandbox)
    sandbox.account("harbour", name="Harbour Coffee")
    found = client.fetch_public_account(" @harbour ")
    assert found is not None
    assert (found.profile.handle, found.profile.display_name) == ("harbour", "Harbour Coffee")
    assert found.counts.followers is not None
    assert found.counts.followers > 0
    assert found.counts.posts == 0
    assert client.fetch_public_account("nobody-here") is None
    assert client.fetch_public_account("../accounts/me") is None
    assert client.fetch_public_account("") is None
