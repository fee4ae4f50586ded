"""What would keep planned posts from going out is found, told and one click away from what helps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.urls import reverse

from accounts.models import AccountStatus, Brand, Membership, Notification, SocialAccount, User
from accounts.news import sentence
from connectors.base import ConnectMethod, Feature, Rate
from content_calendar.content import MediaUse
from content_calendar.models import Post, Preflight, PreflightCode, PreflightLevel, PreflightProblem
from content_calendar.selectors.preflight import count_failing, problem_posts
from content_calendar.services.preflight import brands_without_evening, check_brand, check_evening
from content_calendar.services.scheduling import move_post, schedule_post
from content_calendar.tasks import preflight_evenings
from outbox.models import Delivery, DeliveryState, QuietAfter
from outbox.services.pauses import pause_sending
from outbox.services.quiet import add_quiet_period
from tests.cast import make_account
from tests.content_calendar.conftest import NOW, lose_file, make_image, make_post

pytestmark = pytest.mark.django_db
C = PreflightCode
SignIn = Callable[[Any], Any]
TOMORROW = NOW + dt.timedelta(days=1)


@pytest.fixture
def put(brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount) -> Callable[..., Post]:
    """`put("words", hours=24)` schedules a post so many hours from now."""

    def schedule(
        text: str = "Fresh coffee",
        *,
        hours: float = 24,
        account: SocialAccount | None = None,
        media: tuple[MediaUse, ...] = (),
    ) -> Post:
        post = make_post(brand, creator, text, account or sandbox_account, media=media)
        return schedule_post(post=post, at=NOW + dt.timedelta(hours=hours), actor=manager, now=NOW)

    return schedule


def found(brand: Brand, **more: Any) -> list[str]:
    check_brand(brand=brand, now=NOW, **more)
    return list(
        PreflightProblem.objects.order_by("delivery__due_at", "level", "pk").values_list("code", flat=True)
    )


def test_what_can_go_out_has_no_problem(put: Callable[..., Post], brand: Brand) -> None:
    put("One")
    put("Two", hours=30)
    assert found(brand) == []
    row = Preflight.objects.get()
    assert (row.count, row.checked_at, row.is_cut) == (2, NOW, False)
    # 22 November, ten in the morning in Berlin: three days more end at midnight there.
    assert row.until == dt.datetime(2026, 11, 25, 23, tzinfo=dt.UTC)


def test_only_the_coming_days_are_checked(
    put: Callable[..., Post], brand: Brand, sandbox_account: SocialAccount
) -> None:
    put(hours=24 * 5)
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    assert found(brand) == []
    assert found(brand, days=5) == [C.ACCOUNT_LOST]


def test_access_is_looked_at_for_the_time_of_the_post(
    put: Callable[..., Post], brand: Brand, sandbox_account: SocialAccount
) -> None:
    put("Before", hours=23)
    put("After", hours=25)
    SocialAccount.objects.update(connection_expires_at=TOMORROW)
    assert found(brand) == [C.CONNECTION_ENDS]
    assert PreflightProblem.objects.get().delivery.payload["parts"][0]["text"] == "After"


def test_permissions_that_were_not_given_are_named(
    put: Callable[..., Post], brand: Brand, sandbox_account: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    info = replace(sandbox_account.info, scopes=("read", "write:media", "inbox"))
    info = replace(info, connect_method=ConnectMethod.OAUTH)
    monkeypatch.setattr("content_calendar.selectors.preflight.known_networks", lambda: {"sandbox": info})
    SocialAccount.objects.update(scopes=["read", "write"])
    assert found(brand) == [C.SCOPES]
    assert PreflightProblem.objects.get().detail == {"scopes": ["inbox"]}
    assert PreflightProblem.objects.get().level == PreflightLevel.LOOK


def test_what_nobody_wanted_to_allow_is_not_missed(
    put: Callable[..., Post], brand: Brand, sandbox_account: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    features = (Feature("post", "Post", ("write",), is_required=True), Feature("inbox", "Inbox", ("inbox",)))
    info = replace(sandbox_account.info, scopes=("write", "inbox"), features=features)
    info = replace(info, connect_method=ConnectMethod.OAUTH)
    monkeypatch.setattr("content_calendar.selectors.preflight.known_networks", lambda: {"sandbox": info})
    SocialAccount.objects.update(scopes=["write"])
    assert found(brand) == []
    SocialAccount.objects.update(scopes=["inbox"])
    assert found(brand) == [C.SCOPES]


def test_an_image_that_is_gone_is_found(put: Callable[..., Post], brand: Brand, creator: User) -> None:
    image = make_image(brand, creator)
    put(media=(MediaUse(image.pk),))
    assert found(brand) == []
    lose_file(image)
    assert found(brand) == [C.MEDIA_MISSING]


def test_limits_that_changed_since_are_found(put: Callable[..., Post], brand: Brand) -> None:
    put()
    delivery = Delivery.objects.get()
    delivery.payload["parts"][0]["text"] = "x" * 100_000
    Delivery.objects.update(payload=delivery.payload)
    assert found(brand) == [C.CONTENT]
    assert PreflightProblem.objects.get().detail["reason"] == "text_too_long"


def test_whoever_left_publishes_no_more(put: Callable[..., Post], brand: Brand, manager: User) -> None:
    put()
    Membership.objects.filter(user=manager).update(is_active=False)
    assert found(brand) == [C.NOT_ALLOWED]


def test_two_posts_of_an_account_close_together_are_worth_a_look(
    put: Callable[..., Post], brand: Brand
) -> None:
    put("One")
    put("Two", hours=24.1)
    put("Three", hours=25)
    put("Elsewhere", hours=24.1, account=make_account(brand, handle="other"))
    assert found(brand) == [C.COLLISION]


def test_the_same_words_again_are_worth_a_look_links_apart(put: Callable[..., Post], brand: Brand) -> None:
    put("Fresh  coffee https://example.com/l/a")
    put("fresh coffee https://example.com/l/b", hours=30)
    put("Fresh coffee", hours=31, account=make_account(brand, handle="other"))
    assert found(brand) == [C.DUPLICATE]
    Delivery.objects.filter(due_at__lte=TOMORROW).update(state=DeliveryState.SENT, sent_at=NOW)
    assert found(brand) == [C.DUPLICATE]
    long_ago = NOW - dt.timedelta(days=100)
    Delivery.objects.filter(state=DeliveryState.SENT).update(due_at=long_ago, sent_at=long_ago)
    assert found(brand) == []


def test_what_is_over_a_known_quota_is_worth_a_look(
    put: Callable[..., Post], brand: Brand, sandbox_account: SocialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = replace(sandbox_account.info, rates=(Rate("posts", 2, 3600 * 6),))
    for number, hours in enumerate((20, 21, 22, 28)):
        put(f"Number {number}", hours=hours)
    monkeypatch.setattr(SocialAccount, "info", info)
    assert found(brand) == [C.QUOTA]
    assert PreflightProblem.objects.get().delivery.payload["parts"][0]["text"] == "Number 2"


def test_quiet_periods_and_pauses_are_named(put: Callable[..., Post], brand: Brand, manager: User) -> None:
    put()
    add_quiet_period(
        brand=brand,
        starts_at=TOMORROW,
        ends_at=TOMORROW + dt.timedelta(hours=1),
        after=QuietAfter.SEND,
        actor=manager,
        now=NOW,
    )
    pause_sending(organization=brand.organization, brand=brand, reason="fire", actor=manager, now=NOW)
    assert sorted(found(brand)) == sorted([C.PAUSED, C.QUIET])
    assert set(PreflightProblem.objects.values_list("level", flat=True)) == {PreflightLevel.HELD}


def test_what_is_changed_leaves_the_list_and_a_new_check_replaces_it(
    put: Callable[..., Post], brand: Brand, manager: User
) -> None:
    post = put()
    SocialAccount.objects.update(connection_expires_at=TOMORROW)
    assert found(brand) == [C.CONNECTION_ENDS]
    member = manager.memberships.get()
    assert count_failing(member, None) == 1
    move_post(post=post, at=NOW + dt.timedelta(hours=2), actor=manager, now=NOW + dt.timedelta(seconds=1))
    assert count_failing(member, None) == 0
    assert not problem_posts(member, brand).exists()
    assert found(brand) == []


# --- in the evening ---------------------------------------------------------------------------


def evening(hour: int, day: int = 22) -> dt.datetime:
    """So many o'clock in Berlin, where it is winter."""
    return dt.datetime(2026, 11, day, hour - 1, tzinfo=dt.UTC)


def test_the_evening_comes_in_the_zone_of_the_brand_and_once(
    brand: Brand, other_brand: Brand, put: Callable[..., Post], manager: User
) -> None:
    put()
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    # In Tokyo it is two in the night already.
    assert brands_without_evening(now=evening(17)) == []
    assert brands_without_evening(now=evening(18)) == [brand]
    assert not check_evening(brand=brand, now=evening(17))
    assert check_evening(brand=brand, now=evening(18))
    assert not check_evening(brand=brand, now=evening(23))
    assert brands_without_evening(now=evening(19)) == []
    assert brands_without_evening(now=evening(18, day=23)) == [brand]
    told = Notification.objects.get()
    assert (told.user, told.kind) == (manager, "preflight_problem")
    assert sentence(told.kind, told.context) == (
        "1 post of Harbour Coffee that is planned for the coming days will not go out as planned. Look why."
    )
    assert brands_without_evening(now=dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)) == [other_brand]


def test_a_check_that_somebody_asks_for_replaces_no_evening(put: Callable[..., Post], brand: Brand) -> None:
    put()
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    check_brand(brand=brand, now=evening(17))
    assert not Notification.objects.exists()
    assert brands_without_evening(now=evening(18)) == [brand]


def test_nobody_is_told_of_what_is_only_worth_a_look(put: Callable[..., Post], brand: Brand) -> None:
    put("One")
    put("Two", hours=24.1)
    assert check_evening(brand=brand, now=evening(18))
    assert PreflightProblem.objects.count() == 1
    assert not Notification.objects.exists()


@pytest.mark.usefixtures("celery_eager")
def test_the_task_checks_every_brand_whose_evening_it_is(put: Callable[..., Post], brand: Brand) -> None:
    put()
    with time_machine.travel(evening(19), tick=False):
        preflight_evenings()
        preflight_evenings()
    assert Preflight.objects.get().evening_date == dt.date(2026, 11, 22)


# --- the page ---------------------------------------------------------------------------------


@pytest.fixture
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.usefixtures("_clock")
def test_the_page_says_why_and_leads_to_what_helps(
    sign_in: SignIn, admin: User, manager: User, put: Callable[..., Post], sandbox_account: SocialAccount
) -> None:
    post = put("Tomorrow’s offer")
    put("Close by", hours=24.1)
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    client = sign_in(admin)
    assert "Not checked yet" in client.get(reverse("content_calendar:preflight")).content.decode()
    answer = client.post(reverse("content_calendar:preflight_check"), {"days": "3"}, follow=True)
    page = answer.content.decode()
    assert "2 planned posts were checked." in page
    assert "2 posts will fail: here is why" in page
    assert reverse("accounts:account_reconnect", args=[sandbox_account.pk]) in page
    close_by = Post.objects.exclude(pk=post.pk).get()
    assert reverse("content_calendar:move", args=[close_by.pk]) in page
    assert "“Tomorrow’s offer” goes out on @harbour" in page
    assert "2 posts of the coming days will fail" in client.get(reverse("shell:today")).content.decode()
    # A manager cannot reconnect, and is led to where one sees it.
    page = sign_in(manager).get(reverse("content_calendar:preflight")).content.decode()
    assert reverse("accounts:account_reconnect", args=[sandbox_account.pk]) not in page
    assert reverse("accounts:account_detail", args=[sandbox_account.pk]) in page


@pytest.mark.usefixtures("_clock")
def test_every_kind_of_problem_has_its_sentence(
    sign_in: SignIn, admin: User, brand: Brand, put: Callable[..., Post]
) -> None:
    put()
    row = check_brand(brand=brand, now=NOW)
    detail = {
        "at": NOW.isoformat(),
        "excerpt": "x",
        "limit": 3,
        "actual": 4,
        "part": 0,
        "media": None,
        "seconds": 86_400,
        "percent": 40,
        "reason": "text_too_long",
        "scopes": ["write"],
        "pause": "00000000-0000-7000-8000-000000000000",
    }
    for code in PreflightCode:
        PreflightProblem.objects.create(
            preflight=row, delivery=Delivery.objects.get(), code=code, level="1_fails", detail=detail
        )
    page = sign_in(admin).get(reverse("content_calendar:preflight")).content.decode()
    for code in PreflightCode:
        assert str(code.label) in page
    assert "%(" not in page


@pytest.mark.usefixtures("_clock")
@pytest.mark.parametrize("days", ["0", "8", "many", ""])
def test_nonsense_days_are_refused(sign_in: SignIn, creator: User, brand: Brand, days: str) -> None:
    answer = sign_in(creator).post(reverse("content_calendar:preflight_check"), {"days": days}, follow=True)
    assert "Choose one to seven days." in answer.content.decode()
    assert not Preflight.objects.exists()


@pytest.mark.usefixtures("_clock")
def test_a_stranger_and_a_member_of_another_brand_see_nothing(
    sign_in: SignIn, stranger: User, manager: User, brand: Brand, other_brand: Brand, put: Callable[..., Post]
) -> None:
    put("Secret plan")
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    check_brand(brand=brand, now=NOW)
    assert "Secret" in sign_in(manager).get(reverse("content_calendar:preflight")).content.decode()
    member = manager.memberships.get()
    member.has_all_brands = False
    member.save()
    member.brands.add(other_brand)
    for user in (stranger, manager):
        assert "Secret" not in sign_in(user).get(reverse("content_calendar:preflight")).content.decode()


@pytest.mark.usefixtures("_clock")
def test_a_check_costs_few_queries_however_much_is_planned(
    put: Callable[..., Post], brand: Brand, django_assert_max_num_queries: Any
) -> None:
    for number in range(25):
        put(f"Number {number}", hours=10 + number)
    with django_assert_max_num_queries(16):
        check_brand(brand=brand, now=NOW)
