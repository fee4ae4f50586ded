"""Replies, direct messages, likes and hides: deliveries as posts are, with what differs."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.db import connection

from accounts.models import Membership, Notification, NotificationKind
from accounts.news import sentence
from connectors.base import (
    MessageTarget,
    Moderation,
    ModerationAction,
    PostPayload,
    Rate,
    RemotePost,
    ReplyTarget,
    RetrySafety,
)
from connectors.errors import OutcomeUnknown, Rejected, RejectReason, Temporary
from outbox import handlers
from outbox.errors import SENTENCES, StopReason
from outbox.models import AttemptState, Bucket, Delivery, DeliveryKind, DeliveryState
from outbox.payloads import freeze_message, freeze_moderation, freeze_reply, thaw, words_of
from outbox.selectors import NEEDED, due_between, needs_person
from outbox.services.claiming import _CLAIM_SQL, HANDFUL, LEASE, PER_ACCOUNT, claim_due
from outbox.services.erasing import erase_contents
from outbox.services.pauses import end_pause, pause_sending
from outbox.services.readback import LOOK_AFTER_S, claim_unseen, read_back
from outbox.services.scheduling import answer_uncertain, retry_delivery
from tests.cast import make_account
from tests.outbox.conftest import run_until_quiet, tick
from tests.outbox.network import Accepted, Killed, Refused

pytestmark = pytest.mark.django_db

REPLY, DM, MODERATION = DeliveryKind.REPLY, DeliveryKind.DM, DeliveryKind.MODERATION
KINDS = [REPLY, DM, MODERATION]


def state(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


def kinds(delivery: Delivery) -> list[str]:
    return list(delivery.receipt.order_by("at", "pk").values_list("kind", flat=True))


# --- what is frozen ---------------------------------------------------------------------------


def test_a_reply_is_frozen_as_the_network_will_show_it():
    target = ReplyTarget("7", "1", {"mention": "@bob@remote.example", "visibility": "unlisted"})
    payload = json.loads(json.dumps(freeze_reply("Thanks", target, language="ja")))
    assert words_of(payload) == "@bob@remote.example Thanks"
    thawed = thaw(payload)
    assert (thawed.reply_to, thawed.language) == (target, "ja")
    assert thawed.message_to is thawed.moderation is None


def test_a_message_and_a_moderation_come_back_as_they_were():
    to = MessageTarget("bob", "thread", {"mention": "@bob"})
    frozen = json.loads(json.dumps(freeze_message("@bob Hi", to)))
    assert words_of(frozen) == "@bob Hi"
    assert thaw(frozen).message_to == to
    hide = Moderation(ModerationAction.HIDE, "7", {"root": "1"})
    frozen = json.loads(json.dumps(freeze_moderation(hide)))
    assert thaw(frozen) == PostPayload(parts=(), moderation=hide)
    assert words_of(frozen) == ""


# --- the usual way ----------------------------------------------------------------------------


def test_a_reply_hangs_below_what_it_answers(answer, network):
    delivery = answer(REPLY, "Thanks", to="comment-7")
    tick(network)
    assert state(delivery) == DeliveryState.SENT
    assert [(post.text, post.in_reply_to) for post in network.posts] == [("Thanks", "comment-7")]
    assert (delivery.remote_id, kinds(delivery)[-1]) == ("post-1", "sent")


def test_a_message_is_private(answer, network):
    delivery = answer(DM, "Hello", to="bob")
    tick(network)
    assert (state(delivery), network.posts) == (DeliveryState.SENT, [])
    assert [one.text for one in network.messages] == ["Hello"]
    assert delivery.remote_id == "message-1"


def test_a_like_is_sent_and_its_receipt_says_so(answer, network):
    delivery = answer(MODERATION, to="comment-7")
    tick(network)
    assert (state(delivery), network.likes) == (DeliveryState.SENT, ["comment-7"])
    assert kinds(delivery) == ["scheduled", "started", "sent"]
    assert delivery.sent_at is not None


# --- who may ----------------------------------------------------------------------------------


def test_every_kind_names_what_somebody_must_be_allowed():
    assert set(NEEDED) == set(DeliveryKind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_responder_answers_and_a_viewer_does_not(answer, network, responder, kind):
    first = answer(kind, to="comment-1")
    tick(network)
    assert state(first) == DeliveryState.SENT
    calls = list(network.calls)
    second = answer(kind, to="comment-2")
    Membership.objects.filter(user=responder).update(role="viewer")
    network.clock.advance(5)
    tick(network)
    assert (state(second), second.error) == (DeliveryState.FAILED, StopReason.NOT_ALLOWED)
    assert network.calls == calls


def test_who_may_answer_may_not_publish_for_that(answer, schedule, network, responder):
    """Asked one after the other within a second: what is remembered of the one is not said of the other."""
    reply = answer(REPLY)
    post = schedule("A post")
    Delivery.objects.filter(pk=post.pk).update(scheduled_by=responder)
    tick(network)
    assert state(reply) == DeliveryState.SENT
    assert (state(post), post.error) == (DeliveryState.FAILED, StopReason.NOT_ALLOWED)
    assert network.texts() == ["Thanks"]


def test_a_pause_holds_answers_too(answer, network, organization, manager, clock):
    pause = pause_sending(organization=organization, reason="fire", actor=manager, now=clock())
    deliveries = [answer(kind) for kind in KINDS]
    tick(network)
    assert {state(delivery) for delivery in deliveries} == {DeliveryState.HELD}
    assert network.calls == []
    end_pause(pause=pause, actor=manager, now=clock())
    tick(network)
    assert {state(delivery) for delivery in deliveries} == {DeliveryState.SENT}


def test_an_answer_that_waited_too_long_is_asked_about(answer, network, clock):
    delivery = answer(REPLY, missed_after_s=60)
    clock.advance(61)
    tick(network)
    assert state(delivery) == DeliveryState.MISSED
    assert network.posts == []
    assert Notification.objects.get().kind == "delivery_missed"


# --- what apps above know ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_objection_at_the_moment_of_sending_is_the_reason(answer, network, monkeypatch, kind):
    monkeypatch.setattr(handlers, "_checks", {})
    monkeypatch.setattr(handlers, "_pages", {})
    handlers.register(kind, lambda _delivery, _now: StopReason.NEWER_MESSAGE, lambda d: f"/inbox/{d.pk}/")
    delivery = answer(kind)
    tick(network)
    assert (state(delivery), delivery.error) == (DeliveryState.FAILED, StopReason.NEWER_MESSAGE)
    assert network.calls == []
    told = Notification.objects.get()
    assert (told.user, told.url) == (delivery.scheduled_by, f"/inbox/{delivery.pk}/")
    assert str(SENTENCES[StopReason.NEWER_MESSAGE]) in sentence(told.kind, told.context)


@pytest.mark.parametrize(
    ("kind", "news"),
    [
        (kind, news)
        for kind in KINDS
        for news in (
            NotificationKind.DELIVERY_FAILED,
            NotificationKind.DELIVERY_UNCERTAIN,
            NotificationKind.DELIVERY_MISSED,
        )
        # A like is simply tried again, so it is never doubtful.
        if (kind, news) != (MODERATION, NotificationKind.DELIVERY_UNCERTAIN)
    ],
)
def test_news_of_an_answer_do_not_call_it_a_post(kind, news):
    words = {"account": "@harbour", "excerpt": "Thanks", "error": "forbidden", "kind": kind}
    assert "post" not in sentence(news, words)
    assert "@harbour" in sentence(news, words)


@pytest.mark.parametrize("code", StopReason)
def test_every_reason_has_a_sentence(code):
    assert SENTENCES[code]


def test_what_stopped_is_listed_by_kind_and_days_show_posts_only(answer, schedule, network, clock, manager):
    network.behaviour = [Refused(then=Rejected(RejectReason.FORBIDDEN, "no")) for _ in range(4)]
    post = schedule("A post")
    answers = [answer(kind) for kind in KINDS]
    tick(network)
    member = Membership.objects.get(user=manager)
    assert list(needs_person(member)) == [post]
    assert set(needs_person(member, KINDS)) == set(answers)
    day = dt.timedelta(days=1)
    assert list(due_between(member, clock() - day, clock() + day)) == [post]


# --- deleted meanwhile ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [REPLY, MODERATION])
def test_a_comment_deleted_while_it_is_answered_ends_the_answer(answer, network, responder, kind):
    network.gone = {"comment-1"}
    delivery = answer(kind, to="comment-1")
    run_until_quiet(network)
    assert (state(delivery), delivery.error) == (DeliveryState.FAILED, RejectReason.NOT_FOUND)
    assert (network.posts, network.likes) == ([], [])
    assert Notification.objects.get().user == responder


def test_a_comment_deleted_between_an_unclear_answer_and_its_repetition(answer, network):
    """The reply got in first: it is found, and neither lost nor said to have failed."""
    network.behaviour = [Accepted(then=OutcomeUnknown("dropped"))]
    delivery = answer(REPLY)
    tick(network)
    network.gone = {"comment-1"}
    run_until_quiet(network)
    assert (state(delivery), len(network.posts)) == (DeliveryState.SENT, 1)
    assert "adopted" in kinds(delivery)


def test_a_comment_deleted_before_an_unclear_answer_got_in(answer, network):
    network.behaviour = [Refused(then=OutcomeUnknown("dropped"))]
    delivery = answer(REPLY)
    tick(network)
    network.gone = {"comment-1"}
    run_until_quiet(network)
    assert (state(delivery), delivery.error) == (DeliveryState.FAILED, RejectReason.NOT_FOUND)
    assert network.posts == []


# --- unknown outcomes -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("safety", list(RetrySafety))
def test_a_worker_killed_after_the_network_accepted_leads_to_one_answer(answer, network, clock, kind, safety):
    network.safety = safety
    network.behaviour = [Accepted(then=Killed())]
    delivery = answer(kind)
    tick(network)
    assert state(delivery) == DeliveryState.SENDING
    clock.advance(LEASE.total_seconds() + 1)
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert len(network.posts) + len(network.messages) + len(network.likes) == 1
    assert not delivery.attempts.filter(state=AttemptState.IN_FLIGHT).exists()


def test_two_equal_answers_each_find_their_own(answer, network, clock):
    network.safety = RetrySafety.NEITHER
    network.behaviour = [Accepted(then=Killed()), Accepted(then=Killed())]
    one, two = answer(REPLY, "Thanks", to="comment-1"), answer(REPLY, "Thanks", to="comment-2")
    tick(network)
    clock.advance(LEASE.total_seconds() + 1)
    tick(network)
    assert state(one) == state(two) == DeliveryState.SENT
    parents = {post.remote_id: post.in_reply_to for post in network.posts}
    assert (parents[one.remote_id], parents[two.remote_id]) == ("comment-1", "comment-2")
    assert len(network.posts) == 2


def test_a_post_never_takes_an_answer_with_the_same_words_for_itself(answer, schedule, network, clock):
    network.safety = RetrySafety.NEITHER
    network.posts = [RemotePost("elsewhere", "Thanks", clock() + dt.timedelta(seconds=1), in_reply_to="x")]
    network.behaviour = [Refused(then=OutcomeUnknown("dropped"))]
    delivery = schedule("Thanks")
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert delivery.remote_id != "elsewhere"


@pytest.mark.parametrize("kind", [REPLY, DM])
@pytest.mark.parametrize(("did_appear", "sent"), [(True, 0), (False, 1)])
def test_a_person_ends_the_doubt_about_an_answer(answer, network, clock, responder, kind, did_appear, sent):
    network.safety = RetrySafety.NEITHER
    network.behaviour = [Refused(then=OutcomeUnknown("1")), Refused(then=OutcomeUnknown("2"))]
    delivery = answer(kind)
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.UNCERTAIN
    answer_uncertain(delivery=delivery, did_appear=did_appear, actor=responder, now=clock())
    run_until_quiet(network)
    assert state(delivery) == DeliveryState.SENT
    assert len(network.posts) + len(network.messages) == sent


def test_messages_that_may_not_be_read_leave_it_to_a_person(answer, network):
    network.safety = RetrySafety.NEITHER
    network.behaviour = [Accepted(then=OutcomeUnknown("dropped"))]
    network.on_read = [Rejected(RejectReason.FORBIDDEN, "403")]
    delivery = answer(DM)
    run_until_quiet(network)
    assert (state(delivery), len(network.messages)) == (DeliveryState.UNCERTAIN, 1)


# --- likes and hides --------------------------------------------------------------------------


def test_a_like_that_may_have_got_in_is_only_repeated_if_it_is_still_wanted(
    answer, network, clock, monkeypatch
):
    network.behaviour = [Refused(then=Killed())]
    delivery = answer(MODERATION)
    tick(network)
    clock.advance(LEASE.total_seconds() + 1)
    monkeypatch.setattr(handlers, "_checks", {MODERATION: lambda *_: StopReason.GONE_AT_NETWORK})
    tick(network)
    assert (state(delivery), delivery.error) == (DeliveryState.FAILED, StopReason.GONE_AT_NETWORK)
    assert network.calls == ["moderate"]


def test_a_like_is_tried_for_as_long_as_it_is_worth(answer, network):
    network.behaviour = [Refused(then=Temporary("503")) for _ in range(200)]
    delivery = answer(MODERATION, missed_after_s=3600)
    run_until_quiet(network)
    assert (state(delivery), network.likes) == (DeliveryState.MISSED, [])


def test_a_refused_like_can_be_asked_for_again(answer, network, clock, responder):
    network.behaviour = [Refused(then=Rejected(RejectReason.FORBIDDEN, "no"))]
    delivery = answer(MODERATION)
    tick(network)
    assert state(delivery) == DeliveryState.FAILED
    retry_delivery(delivery=delivery, actor=responder, now=clock())
    tick(network)
    assert (state(delivery), network.likes) == (DeliveryState.SENT, ["comment-1"])


# --- rates ------------------------------------------------------------------------------------


def test_a_reply_takes_of_the_rate_of_posts_and_the_rest_does_not(answer, network, monkeypatch):
    network.rates = (Rate("posts", 1, 3600),)
    monkeypatch.setattr(
        "accounts.models.SocialAccount.info", property(lambda _self: network.connector(None).info)
    )
    deliveries = [answer(REPLY), answer(DM), answer(MODERATION), answer(REPLY, "Later")]
    tick(network)
    assert [state(one) for one in deliveries] == [DeliveryState.SENT] * 3 + [DeliveryState.SCHEDULED]
    assert deliveries[3].error == StopReason.QUOTA
    assert Bucket.objects.get().used == 1


# --- read back --------------------------------------------------------------------------------


def test_replies_are_read_back_and_what_nobody_can_see_is_not(answer, network, clock):
    reply, message, like = (answer(kind) for kind in KINDS)
    tick(network)
    clock.advance(LOOK_AFTER_S[0])
    claimed = claim_unseen(now=clock())
    assert list(claimed.values()) == [[reply.pk]]
    for other in (message, like):
        other.refresh_from_db()
        assert other.read_backs == 0


def test_an_answer_that_is_erased_while_it_is_looked_for_gets_no_address_back(answer, network, clock):
    reply = answer(REPLY)
    tick(network)
    clock.advance(LOOK_AFTER_S[0])
    ((account_id, ids),) = claim_unseen(now=clock()).items()
    Delivery.objects.update(permalink="")  # a network that tells it later

    def connect(account):
        connector = network.connector(account)
        look = connector.fetch_post

        def fetch_post(remote_id):
            erase_contents(deliveries=[reply.pk], now=clock())
            return look(remote_id)

        connector.fetch_post = fetch_post
        return connector

    assert read_back(account_id=account_id, delivery_ids=ids, clock=clock, connect=connect) == 0
    reply.refresh_from_db()
    assert (reply.permalink, reply.seen_at) == ("", None)


# --- the claim --------------------------------------------------------------------------------


def test_answers_come_before_the_posts_of_their_account_however_late_those_are(
    answer, schedule, clock, brand
):
    posts = [schedule(str(number), due_in_s=number - 60) for number in range(20)]
    answers = [answer(kind, due_at=clock() - dt.timedelta(seconds=3 - n)) for n, kind in enumerate(KINDS)]
    claimed = [claim.delivery_id for claim in claim_due(now=clock(), most=100)]
    assert claimed[:3] == [one.pk for one in answers]
    # Posts go on behind them, in their order.
    assert claimed[3:] == [post.pk for post in posts[: PER_ACCOUNT - 3]]


def test_an_answer_waits_for_no_other_accounts_posts(answer, schedule, clock, brand):
    for number in range(6):
        busy = make_account(brand, handle=f"busy{number}")
        for _ in range(5):
            schedule("late", account=busy, due_in_s=-3600)
    reply = answer(REPLY)
    claimed = [claim.delivery_id for claim in claim_due(now=clock(), most=4)]
    assert claimed[0] == reply.pk


def test_a_flood_of_answers_does_not_keep_others_posts_waiting(answer, schedule, clock, brand):
    for number in range(30):
        answer(REPLY, to=f"comment-{number}")
    post = schedule("mine", account=make_account(brand, handle="other"))
    claimed = [claim.delivery_id for claim in claim_due(now=clock(), most=HANDFUL + 1)]
    assert post.pk in claimed


def test_the_claim_finds_answers_by_their_own_index(answer, schedule, clock, sandbox_account, manager):
    """Among two thousand posts of the account that are due."""
    template = schedule("post", due_in_s=-60)
    values = {
        field.attname: getattr(template, field.attname)
        for field in Delivery._meta.concrete_fields
        if field.attname != "id"
    }
    Delivery.objects.bulk_create([Delivery(**values) for _ in range(2000)])
    reply = answer(REPLY)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE outbox_delivery")
        parameters = {
            "now": clock(),
            "active": "active",
            "per_account": PER_ACCOUNT,
            "handful": HANDFUL,
            "limit": 100,
        }
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {_CLAIM_SQL}", parameters)
        (plan,) = cursor.fetchone()
    nodes = list(_nodes(plan[0]["Plan"]))
    used = {node["Index Name"] for node in nodes if "Index Name" in node}
    assert {"delivery_due", "delivery_due_answer"} <= used
    # No part of it reads the backlog.
    assert max(node["Actual Rows"] for node in nodes) <= 2 * PER_ACCOUNT
    assert claim_due(now=clock(), most=1)[0].delivery_id == reply.pk


def _nodes(plan):
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
