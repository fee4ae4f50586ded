"""The demo is made against a real sandbox network and must agree with what that network says."""

from __future__ import annotations

import copy
import datetime as dt
import stat
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.connecting import connector_for
from accounts.models import Membership, Organization, Role, SocialAccount, User
from analytics.models import AccountDay, PostMetrics, PostSnapshot
from connectors import http
from connectors.base import RetrySafety
from content_calendar.models import Approval, Post
from outbox.models import Delivery, DeliveryState, ReceiptKind
from sandbox.control import SandboxControl, running_sandbox
from smmapp.demo import login, pictures, posts_en, posts_ja
from smmapp.demo.plan import BRANDS, PEOPLE

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

DAY = dt.timedelta(days=1)
READS = {"profile", "posts", "post", "account_metrics", "post_metrics"}  # calls that change nothing


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxControl]:
    with running_sandbox() as control:
        yield control


@pytest.fixture
def network(
    server: SandboxControl, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SandboxControl:
    server.reset()
    settings.SANDBOX_URL = server.base_url
    settings.VAR_DIR = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(
        http, "_config", copy.copy(http._config)
    )  # what was configured before comes back afterwards
    http.configure(base_urls={"sandbox": server.base_url})
    return server


def run() -> str:
    out = StringIO()
    call_command("demo_seed", stdout=out)
    return out.getvalue()


def test_the_demo_is_complete(network: SandboxControl) -> None:
    now = timezone.now()
    run()

    organization = Organization.objects.get()
    assert organization.brands.count() == 2
    roles = set(Membership.objects.values_list("role", flat=True))
    assert len(roles) == Membership.objects.count() == 6
    accounts = SocialAccount.objects.all()
    assert {account.info.retry_safety for account in accounts} == set(RetrySafety)

    due = list(Delivery.objects.filter(state=DeliveryState.SCHEDULED).values_list("due_at", flat=True))
    soon = [at for at in due if at <= now + dt.timedelta(minutes=5)]
    assert len(soon) >= 3
    assert min(due) > now
    assert now + 12 * DAY < max(due) < now + 15 * DAY
    sent = Delivery.objects.filter(state=DeliveryState.SENT)
    assert now - 15 * DAY < min(d.sent_at for d in sent if d.sent_at) < now - 12 * DAY
    assert Delivery.objects.filter(state=DeliveryState.FAILED).count() == 1
    assert Post.objects.filter(approval=Approval.DRAFT, variants__delivery=None).distinct().count() >= 4
    # Seen live and every part accepted: the receipt of a thread has a line for each of its parts.
    for delivery in sent:
        kinds = list(delivery.receipt.order_by("at", "pk").values_list("kind", flat=True))
        assert kinds.count(ReceiptKind.PART_ACCEPTED) == len(delivery.payload["parts"])
        assert kinds[-1] == ReceiptKind.SEEN
        assert delivery.permalink.startswith(network.base_url)


def test_the_past_stands_on_the_network_as_here(network: SandboxControl) -> None:
    run()
    for account in SocialAccount.objects.all():
        connector = connector_for(account)
        sent = {d.remote_id: d for d in Delivery.objects.filter(account=account, state=DeliveryState.SENT)}
        assert sent
        counts = connector.fetch_post_metrics(list(sent))
        for metrics in PostMetrics.objects.filter(delivery__in=sent.values()):
            told = counts[sent[metrics.delivery.remote_id].remote_id]
            # The network goes on counting.
            assert metrics.likes is not None
            assert told.likes is not None
            assert metrics.likes <= told.likes
            assert metrics.next_pull_at is not None
        for remote_id, delivery in sent.items():
            remote = connector.fetch_post(remote_id)
            assert remote is not None
            assert remote.text == delivery.payload["parts"][0]["text"]
            assert remote.media_count == len(delivery.payload["parts"][0]["media"])
        today = AccountDay.objects.for_account(account).latest("date")
        assert today.followers == connector.fetch_account_metrics().followers
    assert network.summary()["duplicates"] == 0
    # Nothing went through the publishing API: the past is put there by other means.
    assert {row["endpoint"] for row in network.ledger()} <= READS


def test_counts_only_grow_and_the_last_snapshot_is_the_latest(network: SandboxControl) -> None:
    run()
    for metrics in PostMetrics.objects.all():
        rows = list(PostSnapshot.objects.filter(delivery_id=metrics.delivery_id).order_by("taken_at"))
        likes = [row.likes for row in rows]
        assert likes == sorted(likes)  # type: ignore[type-var]
        assert (rows[-1].taken_at, rows[-1].impressions) == (metrics.taken_at, metrics.impressions)


def test_a_second_run_changes_nothing(network: SandboxControl) -> None:
    first = run()
    before = Post.objects.count(), Delivery.objects.count(), len(network.posts())
    password = User.objects.get(email="demo@example.com").password
    second = run()
    assert "here already" in second
    assert first in second
    assert (Post.objects.count(), Delivery.objects.count(), len(network.posts())) == before
    assert User.objects.get(email="demo@example.com").password == password


def test_the_login_works_and_only_its_user_can_read_the_file(network: SandboxControl) -> None:
    run()
    assert stat.S_IMODE(login.path().stat().st_mode) == 0o600
    email, password = login.kept()[0].removeprefix("Demo login: ").split(" (")[0].split(" / ")
    assert User.objects.get(email=email).check_password(password)
    assert Membership.objects.get(user__email=email).role == Role.OWNER


def test_a_lost_login_file_gives_a_new_password(network: SandboxControl) -> None:
    run()
    before = login.kept()
    login.path().unlink()
    run()
    assert login.kept() != before
    password = login.kept()[0].split(" / ")[1].split(" ")[0]
    assert all(user.check_password(password) for user in User.objects.all())


def test_a_network_that_kept_the_old_accounts_gets_new_ones(network: SandboxControl) -> None:
    network.account(BRANDS[0].accounts[0].handle)
    run()
    assert set(SocialAccount.objects.values_list("handle", flat=True)) == {
        f"{account.handle}_2" for brand in BRANDS for account in brand.accounts
    }


def test_nothing_is_left_behind_when_the_network_fails(
    network: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise OSError("connection refused")

    monkeypatch.setattr(SandboxControl, "seed_posts", broken)
    with pytest.raises(CommandError, match="did not answer"):
        run()
    assert not User.objects.exists()
    assert not Organization.objects.exists()
    assert not login.path().exists()


def test_without_a_sandbox_it_says_what_to_set(settings: Any) -> None:
    settings.SANDBOX_URL = ""
    with pytest.raises(CommandError, match="SANDBOX_URL"):
        run()


@pytest.mark.parametrize("post", [*posts_ja.POSTS, *posts_en.POSTS], ids=lambda p: p.pieces[0].text[:20])
def test_every_post_of_the_plan_can_be_published(post: object) -> None:
    """Fits the network, has a picture that exists and words for those who cannot see it."""
    for piece in post.pieces:  # type: ignore[attr-defined]
        assert 0 < len(piece.text) <= 500
        assert bool(piece.picture) == bool(piece.alt)
        assert not piece.picture or piece.picture in pictures.PAINTERS


def test_the_people_have_six_different_roles() -> None:
    assert len({person.role for person in PEOPLE}) == len(PEOPLE) == 6
