"""TikTok's webhooks: signed calls, and what they tell."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import pytest

from connectors.base import WebhookKind
from connectors.errors import Rejected
from connectors.tiktok import TikTokConnector
from tests.connectors.tiktok_stage import POST_ID, PUBLISH_ID

BODY = json.dumps(
    {
        "client_key": "client-key",
        "event": "post.publish.publicly_available",
        "create_time": 1_615_338_610,
        "user_openid": "open-id",
        "content": json.dumps({"publish_id": PUBLISH_ID, "post_id": POST_ID, "publish_type": "DIRECT_POST"}),
    }
).encode()


def signature(body: bytes = BODY, *, key: str = "client-secret", age_s: float = 0) -> str:
    at = int(dt.datetime.now(dt.UTC).timestamp() - age_s)
    signed = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},s={signed}"


def is_genuine(header: str, body: bytes = BODY, key: str = "client-secret") -> bool:
    return TikTokConnector.is_genuine(body, {"tiktok-signature": header}, secret=key)


def test_a_call_is_genuine_with_the_app_s_secret_and_only_lately() -> None:
    assert is_genuine(signature())
    assert is_genuine(signature(age_s=290))
    assert not is_genuine(signature(age_s=310))
    assert not is_genuine(signature(age_s=-310))
    assert not is_genuine(signature(key="other"))
    assert not is_genuine(signature(), BODY + b" ")
    assert not is_genuine(signature(key=""), key="")
    moved = signature().replace("t=", "t=1")
    assert not is_genuine(moved)


@pytest.mark.parametrize(
    "header", ["", "t=,s=", "t=1", "s=abc", "t=x,s=y", "t=1,s=é", "t=99999999999999999999,s=0", "t=１,s=0"]
)
def test_a_header_that_is_none_is_not_genuine(header: str) -> None:
    assert not is_genuine(header)


def told(event: str, **content: Any) -> Any:
    body = {"event": event, "user_openid": "open-id", "create_time": 1, "content": json.dumps(content)}
    (one,) = TikTokConnector.webhook_events(json.dumps(body).encode())
    return one


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("post.publish.failed", WebhookKind.PUBLICATION),
        ("post.publish.complete", WebhookKind.PUBLICATION),
        ("post.publish.publicly_available", WebhookKind.PUBLICATION),
        ("post.publish.no_longer_publicaly_available", WebhookKind.OTHER),
        ("authorization.removed", WebhookKind.REVOKED),
        ("video.publish.completed", WebhookKind.OTHER),
        ("something.new", WebhookKind.OTHER),
    ],
)
def test_each_event_is_told_as_what_it_is(event: str, kind: WebhookKind) -> None:
    one = told(event, publish_id=PUBLISH_ID, reason=1)
    assert (one.kind, one.account_id) == (kind, "open-id")
    assert one.remote_id == (PUBLISH_ID if kind is WebhookKind.PUBLICATION else "")


def test_an_event_told_again_is_the_same_event() -> None:
    (first,), (again,) = (TikTokConnector.webhook_events(BODY) for _ in range(2))
    assert first == again
    assert len(first.event_id) <= 200
    assert first.event_id != told("post.publish.complete", publish_id=PUBLISH_ID).event_id


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[]",
        b"null",
        b'"x"',
        b'{"content": "x"}',
        b'{"content": "[]"}',
        b'{"content": 7}',
        b"\xff",
        b"[" * 100000,
    ],
)
def test_what_tiktok_does_not_send_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected):
        TikTokConnector.webhook_events(body)
