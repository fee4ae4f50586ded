"""How X calls us, on calls shaped after docs.x.com (x-api/webhooks, x-api/account-activity)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from connectors.base import AppCredentials, Capability, WebhookEvent, WebhookKind
from connectors.errors import Rejected, RejectReason
from connectors.x import XConnector
from connectors.x_hooks import COMMENTS, LONGEST_TOKEN, MESSAGES
from connectors.x_info import INFO, WITH_KEYS

SECRET = "api-key-secret"
ME, ANN = "2244994945", "111"
BODY = b'{"for_user_id":"2244994945","tweet_create_events":[{"id_str":"1"}]}'
# openssl dgst -sha256 -hmac api-key-secret -binary | base64
TOKEN, ANSWER = "NmQxY2Y5ZTctMTFjZS00", "sha256=f9aSrAFA/7lPWPsL94OLXiDq7wUnD0kOvbnKevfoyUI="
SIGNATURE = "sha256=GsU51cv29bc948DMC8bncGkRcO2c7djp4tB60yXMtwc="


def signed(body: bytes, secret: str = SECRET) -> str:
    return f"sha256={base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()}"


def asked(query: dict[str, str], secret: str = SECRET) -> str | None:
    return XConnector.webhook_challenge(query, secret=secret, verify_token="ours")


def is_genuine(body: bytes, signature: str, secret: str = SECRET) -> bool:
    return XConnector.is_genuine(body, {"x-twitter-webhooks-signature": signature}, secret=secret)


def told(**call: Any) -> tuple[WebhookEvent, ...]:
    return XConnector.webhook_events(json.dumps(call).encode())


def post(
    post_id: str = "1001", author: str = ANN, names: tuple[str, ...] = (), **more: Any
) -> dict[str, Any]:
    mentions = [{"id_str": name, "id": int(name), "screen_name": f"u{name}"} for name in names]
    return {"id_str": post_id, "user": {"id_str": author}, "entities": {"user_mentions": mentions}, **more}


def message(sender: str = ANN, event_id: str = "954491830116155396") -> dict[str, Any]:
    target = {"recipient_id": ME}
    return {
        "type": "message_create",
        "id": event_id,
        "message_create": {"target": target, "sender_id": sender, "message_data": {"text": "Hi"}},
    }


def revoke(person: Any = ANN, **more: Any) -> dict[str, Any]:
    told_of = {"target": {"app_id": "13090192"}, "source": {"user_id": person}}
    return {"revoke": {"date_time": "2018-05-24T09:48:12+00:00", **told_of, **more}}


# --- the secret -----------------------------------------------------------------------------------


def test_calls_are_signed_with_the_secret_of_the_api_key_and_no_other() -> None:
    app = AppCredentials("client", "client-secret", extra={"consumer_secret": f" {SECRET}\n"})
    assert XConnector.webhook_secret(app) == SECRET
    for extra in ({}, {"consumer_secret": ""}, {"consumer_secret": None}):
        assert XConnector.webhook_secret(AppCredentials("client", "client-secret", extra=extra)) == ""
    assert SECRET not in repr(app)


def test_an_app_may_have_none_and_an_account_with_keys_has_no_webhook() -> None:
    assert INFO.app is not None
    (asked_for,) = INFO.app.fields
    assert (asked_for.name, asked_for.kind, asked_for.is_required) == ("consumer_secret", "password", False)
    assert INFO.can(Capability.WEBHOOKS)
    assert not WITH_KEYS.can(Capability.WEBHOOKS)
    assert not XConnector.info_for({"user_id": ME}).can(Capability.WEBHOOKS)


# --- the address and the signature ----------------------------------------------------------------


def test_the_question_is_answered_with_the_hash_of_its_token() -> None:
    answer = asked({"crc_token": TOKEN})
    assert answer is not None
    assert json.loads(answer) == {"response_token": ANSWER}
    assert asked({"crc_token": "t" * LONGEST_TOKEN}) is not None
    assert asked({"crc_token": "鍵\ud800"}) is not None


@pytest.mark.parametrize(
    "query", [{}, {"crc_token": ""}, {"crc_token": "t" * (LONGEST_TOKEN + 1)}, {"a": "b"}]
)
def test_what_is_no_question_has_no_answer(query: dict[str, str]) -> None:
    assert asked(query) is None


def test_without_a_secret_nothing_is_answered_and_nothing_is_genuine() -> None:
    assert asked({"crc_token": TOKEN}, secret="") is None
    assert not is_genuine(BODY, signed(BODY, ""), secret="")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32"])
def test_nobody_has_a_call_signed_by_asking(encoding: str) -> None:
    """The question is hashed as a call is: one that could be a call is not answered."""
    body = json.dumps({"user_event": revoke(ME)}).encode(encoding)
    assert asked({"crc_token": body.decode("utf-8", errors="replace")}) is None
    assert asked({"crc_token": f" \n{body.decode('latin-1')}"}) is None
    answer = asked({"crc_token": "[]"})
    assert answer is not None
    with pytest.raises(Rejected):  # what else can be signed so is no call
        XConnector.webhook_events(b"[]")


def test_a_signed_call_is_genuine() -> None:
    assert is_genuine(BODY, SIGNATURE)
    assert is_genuine(b"", signed(b""))


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "sha256=",
        SIGNATURE.removeprefix("sha256="),
        SIGNATURE.replace("sha256", "sha1"),
        SIGNATURE.rstrip("="),
        SIGNATURE.lower(),
        f"{SIGNATURE} ",
        signed(BODY, "the one before"),
        signed(BODY, "client-secret"),
        signed(BODY + b" "),
        f"sha256={hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()}",
        "sha256=鍵\ud800",
    ],
)
def test_a_forged_call_is_not(forged: str) -> None:
    assert not is_genuine(BODY, forged)


def test_another_header_is_no_signature() -> None:
    assert not XConnector.is_genuine(BODY, {"x-hub-signature-256": SIGNATURE}, secret=SECRET)
    assert not XConnector.is_genuine(BODY, {}, secret=SECRET)


# --- what is told ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "one",
    [
        post(names=(ME,)),
        post(names=("333", ME)),
        post(in_reply_to_user_id_str=ME),
        post(in_reply_to_user_id=int(ME)),
        post(extended_tweet={"entities": {"user_mentions": [{"id": 9, "id_str": ME}]}}),
    ],
)
def test_a_mention_or_an_answer_has_the_inbox_read_where_comments_were_chosen(one: dict[str, Any]) -> None:
    (event,) = told(for_user_id=ME, tweet_create_events=[one])
    assert (event.kind, event.account_id, event.items) == (WebhookKind.INBOX, ME, ())
    assert event.needs == COMMENTS == {Capability.INBOX_COMMENTS, Capability.INBOX_MENTIONS}


def test_a_message_has_it_read_where_messages_were_chosen() -> None:
    (event,) = told(for_user_id=ME, direct_message_events=[message()], users={}, apps={})
    assert (event.kind, event.account_id, event.items) == (WebhookKind.INBOX, ME, ())
    assert event.needs == MESSAGES == {Capability.INBOX_MESSAGES}


@pytest.mark.parametrize(
    ("name", "one"),
    [
        ("tweet_create_events", post(author=ME, names=(ME,))),  # its own
        ("tweet_create_events", post(author=ME, in_reply_to_user_id_str=ME)),
        ("tweet_create_events", post(names=(ME,), retweeted_status=post(author=ME))),  # shared by others
        ("tweet_create_events", post(names=("333",))),
        ("direct_message_events", message(sender=ME)),
        ("direct_message_events", {**message(), "type": "message_reaction"}),
        ("favorite_events", {"id": "a7ba", "favorited_status": post(author=ME), "user": {"id_str": ANN}}),
        ("tweet_delete_events", {"status": {"id": "1045", "user_id": ME}, "timestamp_ms": "1432228155593"}),
        ("follow_events", {"type": "follow", "created_timestamp": "1517588749178"}),
        ("direct_message_indicate_typing_events", {"created_timestamp": "1518127183443", "sender_id": ANN}),
        ("made_up_events", {}),
    ],
)
def test_everything_else_makes_nobody_read(name: str, one: dict[str, Any]) -> None:
    (event,) = told(for_user_id=ME, **{name: [one]})
    assert (event.kind, event.account_id, event.needs) == (WebhookKind.OTHER, ME, frozenset())


def test_a_permission_that_was_taken_back_is_the_persons() -> None:
    (event,) = told(user_event=revoke())
    assert (event.kind, event.account_id) == (WebhookKind.REVOKED, ANN)
    (event,) = told(user_event=revoke(111))
    assert (event.kind, event.account_id) == (WebhookKind.REVOKED, ANN)


def test_one_call_may_tell_several_things() -> None:
    kinds = [
        event.kind
        for event in told(
            for_user_id=ME,
            tweet_create_events=[post("1", names=(ME,)), post("2")],
            direct_message_events=[message()],
            user_event=revoke(ME),
        )
    ]
    assert kinds == [WebhookKind.INBOX, WebhookKind.OTHER, WebhookKind.INBOX, WebhookKind.REVOKED]


def test_ids_of_events_repeat_with_the_call_and_with_nothing_else() -> None:
    first = told(for_user_id=ME, tweet_create_events=[post(names=(ME,), favorite_count=0)])
    again = told(for_user_id=ME, tweet_create_events=[post(names=(ME,), favorite_count=7)])
    assert [one.event_id for one in first] == [one.event_id for one in again]
    calls: list[dict[str, Any]] = [
        {"for_user_id": ME, "tweet_create_events": [post("1")]},
        {"for_user_id": ME, "tweet_create_events": [post("2")]},
        {"for_user_id": ANN, "tweet_create_events": [post("1")]},  # both are ours, and told of it
        {"for_user_id": ME, "favorite_events": [{"id": "1"}]},
        {"for_user_id": ME, "follow_events": [{"created_timestamp": "1"}]},
        {"for_user_id": ME, "follow_events": [{"created_timestamp": "2"}]},
        {"user_event": revoke()},
        {"user_event": revoke(ME)},
        {"user_event": revoke(date_time="2019-05-24T09:48:12+00:00")},
    ]
    ids = [event.event_id for call in calls for event in told(**call)]
    assert len(set(ids)) == len(calls)
    assert ids == [event.event_id for call in calls for event in told(**call)]
    assert all(0 < len(one) <= 200 for one in ids)


# --- odd shapes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", b"no", b"[]", b"null", b"7", b'"for_user_id"', b"\xff\xfe\xfd", b"[" * 100_000, b'{"a":' * 100_000],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_call_is_rejected(body: bytes) -> None:
    with pytest.raises(Rejected) as refusal:
        XConnector.webhook_events(body)
    assert refusal.value.reason is RejectReason.INVALID


def test_a_call_that_is_nested_without_end_is_rejected_or_skipped() -> None:
    for deep in (b'{"a":' * 900 + b"1" + b"}" * 900, b"[" * 900 + b"]" * 900):
        try:
            (event,) = XConnector.webhook_events(b'{"follow_events":[{"a":' + deep + b"}]}")
        except Rejected:
            continue
        assert event.kind is WebhookKind.OTHER


ODD: list[Any] = [
    None,
    True,
    7,
    -1,
    1.5,
    "",
    "\0",
    "\ud800",
    [],
    {},
    [[]],
    [None, 7, "x"],
    {"id": {}},
    10**60,
]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_shapes_are_skipped_or_nothing_that_matters(odd: Any) -> None:
    calls: list[dict[str, Any]] = [
        {"for_user_id": odd, "tweet_create_events": [post(names=(ME,))], "user_event": revoke(odd)},
        {"for_user_id": ME, "tweet_create_events": odd, "direct_message_events": odd, "user_event": odd},
        {"for_user_id": ME, "user_event": {"revoke": odd}},
        {"user_event": {"revoke": {"source": odd, "target": odd, "date_time": odd}}},
        {"for_user_id": ME, "direct_message_events": [{"type": odd, "id": odd, "message_create": odd}]},
        {"for_user_id": ME, "direct_message_events": [{"type": "message_create", "message_create": odd}]},
        {"for_user_id": ME, "direct_message_events": [message(sender=odd) if odd != -1 else message(ME)]},
        {"for_user_id": ME, "tweet_create_events": [{"id": odd, "user": odd, "entities": odd}]},
        {"for_user_id": ME, "tweet_create_events": [{"entities": {"user_mentions": odd}}]},
        {"for_user_id": ME, "tweet_create_events": [{"extended_tweet": odd, "in_reply_to_user_id": odd}]},
    ]
    for call in calls:
        for event in told(**call):
            assert len(event.event_id) == 64
            assert "\0" not in event.account_id
            assert event.account_id.encode() is not None  # a database takes it
            assert event.items == ()
            if event.kind in (WebhookKind.INBOX, WebhookKind.REVOKED):
                assert event.account_id


def test_without_an_account_nobody_is_meant() -> None:
    nobody: tuple[Any, ...] = (None, "", "\0", {})
    for account in nobody:
        (event,) = told(
            for_user_id=account, tweet_create_events=[post(names=(ME,), in_reply_to_user_id_str="")]
        )
        assert (event.kind, event.account_id) == (WebhookKind.OTHER, "")
    (event,) = told(user_event=revoke(None))
    assert (event.kind, event.account_id) == (WebhookKind.OTHER, "")


def test_other_products_are_accepted_and_change_nothing() -> None:
    assert told(data={"event_type": "profile.update.bio", "payload": {}}) == ()
    assert told(for_user_id=ME, replay_job_status={"job_state": "Complete"}) == ()
