"""Nothing is declared that is never sent: each kind of news is made to happen, and reaches the app, a mailbox
and a webhook.

A new kind needs an entry in HAPPENINGS: what has to go on in the world so that people are told.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal

import pytest
import responses
import time_machine
from django.core import mail
from django.urls import reverse

from accounts import tasks
from accounts.models import (
    AccountStatus,
    Notification,
    NotificationKind,
    Organization,
    Role,
    SocialAccount,
    User,
    WebhookEndpoint,
)
from accounts.news import sentence
from accounts.selectors import notifications_of
from accounts.services import members, social, webhooks
from accounts.services.webhook_sending import claim_endpoints, send_due
from analytics.services.checkins import check_in
from analytics.services.goals import NewGoal, create_goal
from connectors.base import RetrySafety
from connectors.errors import OutcomeUnknown, Rejected, RejectReason
from content_calendar.content import Part
from content_calendar.models import ApprovalRule, ApprovalRules, Post, Review
from content_calendar.recurrence import read_rule
from content_calendar.services import approval
from content_calendar.services.drafts import Draft
from content_calendar.services.preflight import check_evening
from content_calendar.services.scheduling import schedule_post
from content_calendar.services.series import create_series, fill_series
from metrics.goals import GoalKind
from outbox.payloads import PartContent, freeze_post
from outbox.services.scheduling import schedule_delivery
from tests.cast import make_member, make_user
from tests.content_calendar.conftest import make_post
from tests.outbox.conftest import run_until_quiet, tick
from tests.outbox.network import Clock, Network, Refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("celery_eager", "_no_apps_above")]

K = NotificationKind
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
HEARS = "https://hooks.example.com/hears"  # where every webhook message of these tests goes
BROKEN = "https://hooks.example.com/broken"


@pytest.fixture
def _no_apps_above(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outbox.handlers._checks", {})


class Scene:
    """Somewhere for news to happen: a brand with an account, and a manager who schedules a post there."""

    def __init__(self, account: SocialAccount, owner: User, manager: User) -> None:
        self.account, self.brand = account, account.brand
        self.owner, self.manager = owner, manager

    def post(self, *, missed_after_s: int = 24 * 3600, due_at: dt.datetime = NOW) -> None:
        schedule_delivery(
            account=self.account,
            payload=freeze_post([PartContent("Fresh beans")]),
            due_at=due_at,
            actor=self.manager,
            now=NOW,
            missed_after_s=missed_after_s,
        )


def a_network_refuses_a_post(scene: Scene) -> None:
    scene.post()
    tick(Network(Clock(NOW), behaviour=[Refused(then=Rejected(RejectReason.FORBIDDEN, "no"))]))


def nobody_can_tell_whether_a_post_appeared(scene: Scene) -> None:
    scene.post()
    lost = [Refused(then=OutcomeUnknown("one")), Refused(then=OutcomeUnknown("two"))]
    run_until_quiet(Network(Clock(NOW), safety=RetrySafety.NEITHER, behaviour=[*lost]))


def the_workers_come_back_too_late(scene: Scene) -> None:
    scene.post(missed_after_s=3600)
    tick(Network(Clock(NOW + 2 * HOUR)))


def a_network_takes_access_away(scene: Scene) -> None:
    assert social.mark_needs_reconnect(account=scene.account, detail="revoked", now=NOW)


def a_connection_comes_to_its_end(scene: Scene) -> None:
    SocialAccount.objects.update(connection_expires_at=NOW + 2 * DAY)
    assert social.warn_of_expiring(now=NOW)


def somebody_accepts_an_invitation(scene: Scene) -> None:
    invitation, _token = members.invite(
        inviter=scene.owner.memberships.get(), email="ren@example.com", role=Role.VIEWER, brands=None, now=NOW
    )
    members.accept_invitation(invitation=invitation, user=make_user("ren"), now=NOW)


def a_goal_gets_no_leads(scene: Scene) -> None:
    goal = NewGoal(
        name="Leads",
        kind=GoalKind.CUMULATIVE,
        metric="leads",
        starts_on=NOW.date() - 5 * DAY,
        ends_on=NOW.date() + 4 * DAY,
        amount=Decimal(100),
        owner=scene.owner,
    )
    create_goal(brand=scene.brand, new=goal, actor=scene.owner, now=NOW - 5 * DAY)
    for days in range(5, -1, -1):  # night by night
        check_in(brand=scene.brand, now=NOW - days * DAY)


def a_receiver_takes_nothing_for_a_day(scene: Scene) -> None:
    facts = webhooks.WebhookFacts("Old chat", BROKEN, [K.ACCOUNT_LOST], None)
    webhooks.create_webhook(creator=scene.owner.memberships.get(), facts=facts, now=NOW)
    a_network_takes_access_away(scene)
    for hours in range(36):
        now = NOW + hours * HOUR
        for claim in claim_endpoints(now=now):
            send_due(endpoint_id=claim.endpoint_id, fence=claim.fence, clock=lambda: now)  # noqa: B023


def the_evening_finds_a_post_that_nobody_could_send(scene: Scene) -> None:
    post = make_post(scene.brand, scene.manager, "For tomorrow", scene.account)
    schedule_post(post=post, at=NOW + DAY, actor=scene.manager, now=NOW)
    SocialAccount.objects.update(connection_expires_at=NOW + 12 * HOUR)
    assert check_evening(brand=scene.brand, now=NOW + 9 * HOUR)  # 19:00 in the zone of the brand


def a_series_loses_its_account(scene: Scene) -> None:
    series = create_series(
        brand=scene.brand,
        name="Each day",
        content=Draft(parts=(Part("Good morning"),), accounts=(scene.account.pk,)),
        rule=read_rule("FREQ=DAILY;COUNT=40", scene.brand.timezone),
        starts_on=NOW.date() + DAY,
        wall_time=dt.time(9),
        actor=scene.manager,
        now=NOW,
    )
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    assert fill_series(series=series, now=NOW + DAY) == 1


def a_creator_asks_for_an_approval(scene: Scene) -> Post:
    rules = {"rule": ApprovalRule.INTERNAL, "remind_after_h": 24}
    ApprovalRules.objects.create(brand=scene.brand, **rules)
    creator = make_member(scene.brand.organization, "mio", Role.CREATOR)
    post = make_post(scene.brand, creator, "Fresh beans", scene.account, planned_at=NOW + DAY)
    approval.submit_for_review(post=post, actor=creator, now=NOW)
    return post


def a_manager_approves(scene: Scene) -> None:
    post = a_creator_asks_for_an_approval(scene)
    version = Review.objects.get().version_id
    approval.approve(post=post, version_id=version, actor=scene.manager, now=NOW)


HAPPENINGS: dict[str, Callable[[Scene], object]] = {
    K.DELIVERY_FAILED: a_network_refuses_a_post,
    K.DELIVERY_UNCERTAIN: nobody_can_tell_whether_a_post_appeared,
    K.DELIVERY_MISSED: the_workers_come_back_too_late,
    K.ACCOUNT_LOST: a_network_takes_access_away,
    K.ACCOUNT_EXPIRING: a_connection_comes_to_its_end,
    K.MEMBER_JOINED: somebody_accepts_an_invitation,
    K.GOAL_OFF_TRACK: a_goal_gets_no_leads,
    K.PREFLIGHT_PROBLEM: the_evening_finds_a_post_that_nobody_could_send,
    K.POST_NOT_SCHEDULED: a_series_loses_its_account,
    K.WEBHOOK_DISABLED: a_receiver_takes_nothing_for_a_day,
    K.APPROVAL_WANTED: a_creator_asks_for_an_approval,
    K.APPROVAL_ANSWERED: a_manager_approves,
}


@pytest.mark.parametrize("kind", K)
def test_every_kind_of_news_happens_and_is_told_in_every_way(
    kind: K,
    organization: Organization,
    owner: User,
    manager: User,
    sandbox_account: SocialAccount,
) -> None:
    assert kind in HAPPENINGS, f"nothing makes {kind} happen: add it to HAPPENINGS, or do not declare it"
    facts = webhooks.WebhookFacts("Hears everything", HEARS, list(K), None)
    webhooks.create_webhook(creator=owner.memberships.get(), facts=facts, now=NOW - DAY)

    with responses.RequestsMock(assert_all_requests_are_fired=False) as network:
        network.post(HEARS, status=200)
        network.post(BROKEN, status=500)
        HAPPENINGS[kind](Scene(sandbox_account, owner, manager))
        with time_machine.travel(NOW + 30 * DAY, tick=False):
            tasks.send_mails()
            tasks.send_webhooks()
        told = [json.loads(call.request.body or b"") for call in network.calls if call.request.url == HEARS]

    news = Notification.objects.filter(kind=kind)
    assert news
    for row in news:
        assert row in notifications_of(row.user)
        words = sentence(row.kind, row.context)
        assert "…" not in words
        assert [m for m in mail.outbox if m.to == [row.user.email] and words in m.body and row.url in m.body]
    (message,) = [body for body in told if body["event"] == kind]
    assert message["organization"]["id"] == str(organization.pk)
    assert message["summary"]
    assert message["url"].endswith(news[0].url)


def test_the_way_to_a_webhook_is_the_page_of_its_log(owner: User, sandbox_account: SocialAccount) -> None:
    with responses.RequestsMock() as network:
        network.post(BROKEN, status=500)
        a_receiver_takes_nothing_for_a_day(Scene(sandbox_account, owner, owner))
    endpoint = WebhookEndpoint.objects.get()
    row = Notification.objects.get(kind=K.WEBHOOK_DISABLED, user=owner)
    assert row.url == reverse("accounts:webhook", args=[endpoint.pk])
