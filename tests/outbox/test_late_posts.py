"""What becomes of a post that could not go out on time."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, Notification
from outbox.errors import StopReason
from outbox.missed import CHOICES, STANDARD, MissedRule, rule_of, sentence_of
from outbox.models import Delivery, DeliveryState, MissedPolicy
from outbox.selectors import missed_rule_of, needs_person, receipt_of
from outbox.services.rules import set_missed_rule
from outbox.services.scheduling import change_missed_rule, retry_delivery
from outbox.services.transitions import NotPossible
from tests.outbox.conftest import tick

pytestmark = pytest.mark.django_db

SKIP_AFTER_AN_HOUR = MissedRule(MissedPolicy.SKIP, 3600)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policy=st.sampled_from(MissedPolicy), limit=st.integers(1, 10**6), late=st.integers(0, 2 * 10**6))
def test_it_is_published_up_to_its_limit_and_then_asked_about_or_skipped(
    schedule, network, clock, policy, limit, late
):
    begin = clock()
    delivery = schedule("x", missed_policy=policy, missed_after_s=limit)
    clock.now = begin + dt.timedelta(seconds=late)
    told = Notification.objects.count()
    tick(network)
    delivery.refresh_from_db()
    if late <= limit:
        assert delivery.state == DeliveryState.SENT
    else:
        assert delivery.state == DeliveryState.MISSED
        asks = policy is MissedPolicy.ASK
        assert delivery.error == (StopReason.TOO_LATE if asks else StopReason.SKIPPED)
        assert Notification.objects.count() - told == int(asks)
    clock.now = begin


def test_nobody_is_asked_about_what_is_skipped(schedule, network, clock, manager):
    member = manager.memberships.get()
    schedule("asked", missed_after_s=60)
    schedule("skipped", missed_after_s=60, missed_policy=MissedPolicy.SKIP)
    clock.advance(61)
    tick(network)
    assert [d.payload["parts"][0]["text"] for d in needs_person(member)] == ["asked"]


def test_what_was_skipped_can_be_sent_after_all(schedule, network, clock, manager):
    delivery = schedule(missed_after_s=60, missed_policy=MissedPolicy.SKIP)
    clock.advance(61)
    tick(network)
    retry_delivery(delivery=delivery, actor=manager, now=clock())
    tick(network)
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SENT


def test_another_rule_stands_on_the_receipt(schedule, manager, clock):
    delivery = schedule(due_in_s=60)
    assert receipt_of(delivery).get().detail["missed"] == "ask:86400"
    change_missed_rule(delivery=delivery, rule=SKIP_AFTER_AN_HOUR, actor=manager, now=clock())
    delivery.refresh_from_db()
    assert (delivery.missed_policy, delivery.missed_after_s) == (MissedPolicy.SKIP, 3600)
    last = receipt_of(delivery).last()
    assert last is not None
    assert last.detail == {"missed": "skip:3600"}


def test_what_is_sent_has_no_other_rule_any_more(schedule, network, manager, clock):
    delivery = schedule()
    tick(network)
    with pytest.raises(NotPossible):
        change_missed_rule(delivery=delivery, rule=SKIP_AFTER_AN_HOUR, actor=manager, now=clock())
    assert Delivery.objects.get().missed_policy == MissedPolicy.ASK


def test_the_brands_rule_is_the_standard_until_somebody_sets_one(brand, manager, clock):
    assert missed_rule_of(brand) == STANDARD == MissedRule(MissedPolicy.ASK, 24 * 3600)
    for _turn in range(2):  # the second time nothing changes, and nothing is recorded
        set_missed_rule(brand=brand, rule=SKIP_AFTER_AN_HOUR, actor=manager, now=clock())
    assert missed_rule_of(brand) == SKIP_AFTER_AN_HOUR
    assert AuditEntry.objects.get().action == "sending.rules_changed"


def test_every_choice_can_be_read_back_and_says_something() -> None:
    for key, rule in CHOICES.items():
        assert rule_of(key) == rule
        assert sentence_of(rule)
    for nonsense in ("", "ask", "ask:", "ask:-1", "never:5", "skip:１", None):
        assert rule_of(nonsense) is None


# --- pages ------------------------------------------------------------------------------------


def test_manager_sets_the_brands_rule(sign_in, manager, brand):
    client = sign_in(manager)
    path = reverse("outbox:late_rule", args=[brand.pk])
    assert client.post(path, {"late": "skip:3600"}).status_code == 302
    assert missed_rule_of(brand) == SKIP_AFTER_AN_HOUR
    page = client.get(reverse("outbox:brand_sending", args=[brand.pk])).content.decode()
    assert '<option value="skip:3600" selected>' in page


def test_a_rule_that_is_not_listed_is_refused(sign_in, manager, brand):
    response = sign_in(manager).post(reverse("outbox:late_rule", args=[brand.pk]), {"late": "skip:1"})
    assert response.status_code == 422
    assert "Select a valid choice" in response.content.decode()
    assert missed_rule_of(brand) == STANDARD


def test_creator_sees_the_rule_and_cannot_change_it(sign_in, creator, brand):
    client = sign_in(creator)
    assert client.post(reverse("outbox:late_rule", args=[brand.pk]), {"late": "skip:60"}).status_code == 403
    page = client.get(reverse("outbox:brand_sending", args=[brand.pk])).content.decode()
    assert "then you are asked" in page
    assert 'name="late"' not in page


def test_only_who_sees_all_brands_pauses_everything(sign_in, manager, brand):
    member = manager.memberships.get()
    member.has_all_brands = False
    member.save()
    member.brands.add(brand)
    assert sign_in(manager).post(reverse("outbox:pause_everything")).status_code == 403
    member.has_all_brands = True
    member.save()
    assert sign_in(manager).post(reverse("outbox:pause_everything"), {"reason": "fire"}).status_code == 302
    page = sign_in(manager).get(reverse("outbox:sending")).content.decode()
    assert "All sending of the organization is paused." in page
    assert "fire" in page


def test_a_pause_leads_back_to_pages_of_ours_only(sign_in, manager):
    client = sign_in(manager)
    for there in ("edit", "2027-02-30T10:00", "//elsewhere.example.com/", "javascript:alert(1)"):
        response = client.post(reverse("outbox:pause_everything"), {"next": there})
        assert (response.status_code, response["Location"]) == (302, "/")
    response = client.post(reverse("outbox:pause_everything"), {"next": "/sending/?page=2"})
    assert response["Location"] == "/sending/?page=2"
