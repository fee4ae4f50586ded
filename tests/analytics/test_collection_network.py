"""Collection against a real server: the sandbox network, its limits and its dead tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts.models import AccountStatus, Credential, SocialAccount, User
from analytics.models import AccountDay, AccountPull, PostMetrics, PostSnapshot
from analytics.services import collection
from core.crypto import encrypt_json
from outbox.models import Delivery
from sandbox.control import SandboxControl

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def account(sandbox: SandboxControl, sandbox_account: SocialAccount) -> SocialAccount:
    """Connected for real."""
    tokens = sandbox.account(sandbox_account.handle, followers=4000)
    secret = {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token}
    Credential.objects.filter(account=sandbox_account).update(secret=encrypt_json(secret))
    return sandbox_account


@pytest.fixture
def yesterday(sandbox: SandboxControl, account: SocialAccount, sent: Callable[..., Delivery]) -> Delivery:
    """A post of 20 hours ago, on the network and here."""
    at = timezone.now() - 20 * HOUR
    ids = sandbox.seed_posts(
        "harbour", [{"text": "Morning", "at": at.isoformat(), "comments": [{"by": "Ana", "text": "Hi"}]}]
    )
    return sent(at=at, remote_id=ids[0][0], account=account)


def collect(now: dt.datetime) -> None:
    collection.discover_accounts(now=now)
    collection.discover_posts(now=now, since=now - 90 * 24 * HOUR)
    for account_id in collection.claim_accounts(now=now):
        collection.collect_account(account_id=account_id, now=now)


def test_what_is_kept_is_what_the_network_says(sandbox: SandboxControl, yesterday: Delivery) -> None:
    now = timezone.now()
    collect(now)
    kept = PostMetrics.objects.get(delivery=yesterday)
    told = sandbox.post_history(yesterday.remote_id, [now])[0]
    assert (kept.likes, kept.comments, kept.shares) == (told["likes"], 1, told["shares"])
    assert kept.impressions == pytest.approx(told["impressions"], abs=2)
    assert kept.impressions
    assert kept.followers_at_post == AccountDay.objects.get().followers
    assert PostSnapshot.objects.filter(delivery_id=yesterday.pk).count() == 1


def test_its_retry_after_is_kept(sandbox: SandboxControl, yesterday: Delivery) -> None:
    sandbox.fault("rate_limit", retry_after_s=900, times=1)
    now = timezone.now()
    collect(now)
    pull = AccountPull.objects.get()
    assert pull.error == "rate_limited"
    assert pull.blocked_until is not None
    assert now + dt.timedelta(seconds=890) < pull.blocked_until < now + dt.timedelta(seconds=920)
    collect(now + dt.timedelta(minutes=10))
    assert sandbox.summary()["early"] == 0
    assert PostMetrics.objects.get().taken_at is None


def test_a_dead_token_ends_in_a_call_for_a_person(
    sandbox: SandboxControl,
    yesterday: Delivery,
    account: SocialAccount,
    owner: User,
) -> None:
    sandbox.kill_tokens("harbour")
    collect(timezone.now())
    account.refresh_from_db()
    assert account.status == AccountStatus.NEEDS_RECONNECT
    assert owner.notifications.get().context["account"] == "@harbour"


def test_a_server_that_breaks_is_asked_again_later(sandbox: SandboxControl, yesterday: Delivery) -> None:
    sandbox.fault("server_error", status=500, times=1)
    now = timezone.now()
    collect(now)
    assert PostMetrics.objects.get().taken_at is None
    collect(now + dt.timedelta(minutes=2))
    assert PostMetrics.objects.get().taken_at is not None
