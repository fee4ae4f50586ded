"""Today, notifications, and the switches of brand, organization and language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.views.defaults import server_error

from accounts.models import (
    AccountStatus,
    Brand,
    Membership,
    Notification,
    NotificationKind,
    Organization,
    Role,
    SocialAccount,
    User,
)
from analytics.models import AccountDay, PostMetrics
from content_calendar.models import Post, Variant
from outbox.models import Delivery, DeliveryState, Pause
from outbox.services.pauses import pause_sending
from smmapp import heartbeats
from smmapp.shell import selectors
from smmapp.shell.context import Health, Shell
from smmapp.shell.navigation import items
from tests.cast import make_account

NOW = dt.datetime(2026, 3, 29, 10, 0, tzinfo=dt.UTC)  # Berlin has put its clocks forward this night

PARTS = (heartbeats.BEAT, *heartbeats.WORKERS)

SignIn = Callable[[User], Client]


def member(user: User) -> Membership:
    return user.memberships.get()


def post(
    accounts: list[SocialAccount],
    due_at: dt.datetime,
    state: str = "scheduled",
    text: str = "Hello",
    **fields: Any,
) -> Post:
    found = Post.objects.create(
        brand=accounts[0].brand, parts=[{"text": text, "media": []}], planned_at=due_at, approval="approved"
    )
    for account in accounts:
        delivery = Delivery.objects.create(
            brand=account.brand,
            account=account,
            payload={},
            due_at=due_at,
            next_attempt_at=due_at,
            state=state,
            **fields,
        )
        Variant.objects.create(post=found, account=account, delivery=delivery)
    return found


def notification(user: User, organization: Organization, key: str = "a", **fields: Any) -> Notification:
    return Notification.objects.create(
        user=user,
        organization=organization,
        kind=NotificationKind.MEMBER_JOINED,
        context={"member": "Ren", "organization": "Harbour Foods"},
        dedupe_key=key,
        **fields,
    )


# --- needs me now -----------------------------------------------------------------------------


def test_what_stopped_waits_for_a_person(owner: User, sandbox_account: SocialAccount) -> None:
    for state in DeliveryState:
        lease = {"lease_until": NOW} if state in ("claimed", "sending") else {}
        post([sandbox_account], NOW, state, text=state, **lease)
    titles = {need.title for need in selectors.needs_now(member(owner), None, NOW)}
    assert titles == {"failed", "uncertain", "missed", "held"}


def test_a_failure_says_why_in_the_readers_language(owner: User, sandbox_account: SocialAccount) -> None:
    post([sandbox_account], NOW, "failed", error="text_too_long")
    (need,) = selectors.needs_now(member(owner), None, NOW)
    assert "too long" in need.text
    assert need.url == reverse("content_calendar:post", args=[Post.objects.get().pk])


def test_accounts_that_are_lost_or_end_soon_wait_for_a_person(owner: User, brand: Brand) -> None:
    make_account(brand, handle="lost", status=AccountStatus.NEEDS_RECONNECT)
    make_account(brand, handle="soon", connection_expires_at=NOW + dt.timedelta(days=2, hours=1))
    make_account(brand, handle="later", connection_expires_at=NOW + dt.timedelta(days=60))
    make_account(brand, handle="gone", status=AccountStatus.DISCONNECTED)
    titles = [need.title for need in selectors.needs_now(member(owner), None, NOW)]
    assert titles == ["@lost must be reconnected", "The connection to @soon ends in 2 days"]


def test_an_open_pause_is_shown_and_an_ended_one_is_not(
    owner: User, brand: Brand, other_brand: Brand
) -> None:
    Pause.objects.create(organization=brand.organization, brand=brand, reason="Recall", started_at=NOW)
    Pause.objects.create(organization=brand.organization, brand=other_brand, started_at=NOW, ended_at=NOW)
    needs = selectors.needs_now(member(owner), None, NOW)
    assert [(need.title, need.text) for need in needs] == [("Sending is paused for Harbour Coffee", "Recall")]
    assert selectors.needs_now(member(owner), other_brand, NOW) == []


def test_a_member_sees_only_what_waits_in_their_brands(
    organization: Organization, brand: Brand, other_brand: Brand, creator: User
) -> None:
    Membership.objects.filter(user=creator).update(has_all_brands=False)
    member(creator).brands.add(other_brand)
    post([make_account(brand, handle="a")], NOW, "failed", text="not mine")
    post([make_account(other_brand, handle="b")], NOW, "failed", text="mine")
    make_account(brand, handle="lost", status=AccountStatus.NEEDS_RECONNECT)
    assert [need.title for need in selectors.needs_now(member(creator), None, NOW)] == ["mine"]


# --- goes out today ---------------------------------------------------------------------------


def test_today_is_the_brands_day_and_may_have_23_hours(owner: User, sandbox_account: SocialAccount) -> None:
    first, last = (
        dt.datetime(2026, 3, 28, 23, 0, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 29, 21, 59, tzinfo=dt.UTC),
    )
    minute = dt.timedelta(minutes=1)
    for text, at in (("before", first - minute), ("first", first), ("last", last), ("after", last + minute)):
        post([sandbox_account], at, text=text)
    going = selectors.goes_out(member(owner), sandbox_account.brand, NOW)
    assert [one.title for one in going] == ["first", "last"]


def test_a_post_on_several_accounts_is_one_row_with_its_worst_state(owner: User, brand: Brand) -> None:
    accounts = [make_account(brand, handle=handle) for handle in ("a", "b")]
    post(accounts, NOW)
    Delivery.objects.filter(account=accounts[0]).update(state=DeliveryState.FAILED)
    Delivery.objects.filter(account=accounts[1]).update(state=DeliveryState.SENT)
    (going,) = selectors.goes_out(member(owner), brand, NOW)
    assert going.state == DeliveryState.FAILED
    assert len(going.networks) == 2


def test_a_cancelled_delivery_does_not_go_out(owner: User, sandbox_account: SocialAccount) -> None:
    post([sandbox_account], NOW, DeliveryState.CANCELLED)
    assert selectors.goes_out(member(owner), None, NOW) == []


# --- yesterday --------------------------------------------------------------------------------


def test_yesterday_counts_what_was_sent_then_and_what_it_brought(
    owner: User, sandbox_account: SocialAccount
) -> None:
    at = dt.datetime(2026, 3, 28, 12, 0, tzinfo=dt.UTC)
    for index in range(2):
        sent = post([sandbox_account], at, "sent", sent_at=at).variants.get().delivery
        assert sent is not None
        PostMetrics.objects.create(
            delivery=sent, account=sandbox_account, likes=10 + index, comments=2, shares=None
        )
    post([sandbox_account], NOW, "sent", sent_at=NOW)
    found = selectors.yesterday(member(owner), sandbox_account.brand, NOW)
    assert (found.date, found.published, found.reactions) == (dt.date(2026, 3, 28), 2, 25)


def test_a_newly_connected_account_is_no_gain_of_followers(owner: User, brand: Brand) -> None:
    old, new = make_account(brand, handle="old"), make_account(brand, handle="new")
    date = dt.date(2026, 3, 28)
    AccountDay.objects.create(account=old, date=date - dt.timedelta(days=1), followers=100, taken_at=NOW)
    AccountDay.objects.create(account=old, date=date, followers=97, taken_at=NOW)
    AccountDay.objects.create(account=new, date=date, followers=5000, taken_at=NOW)
    assert selectors.yesterday(member(owner), brand, NOW).followers_gained == -3


def test_what_was_not_counted_is_unknown(owner: User, brand: Brand) -> None:
    found = selectors.yesterday(member(owner), brand, NOW)
    assert (found.published, found.followers_gained, found.reactions) == (0, None, None)


# --- the page ---------------------------------------------------------------------------------


def test_an_empty_organization_is_told_to_connect_an_account(
    sign_in: SignIn, owner: User, brand: Brand
) -> None:
    page = sign_in(owner).get("/").content.decode()
    assert "Connect your first account" in page
    assert reverse("accounts:connect") in page


def test_somebody_who_may_not_connect_is_told_who_may(sign_in: SignIn, viewer: User, brand: Brand) -> None:
    page = sign_in(viewer).get("/").content.decode()
    assert "An admin of your organization can do it." in page
    assert reverse("accounts:connect") not in page


def test_today_shows_its_three_parts(sign_in: SignIn, owner: User, sandbox_account: SocialAccount) -> None:
    post([sandbox_account], timezone.now(), "failed", text="Fresh beans", error="text_too_long")
    page = sign_in(owner).get("/").content.decode()
    for words in ("Needs you now", "Goes out today", "Yesterday", "Fresh beans"):
        assert words in page


def test_the_number_of_queries_of_today_does_not_grow_with_the_posts(
    sign_in: SignIn, owner: User, sandbox_account: SocialAccount, django_assert_max_num_queries: Any
) -> None:
    for index in range(12):
        post([sandbox_account], timezone.now(), "failed", text=f"post {index}")
    client = sign_in(owner)
    with django_assert_max_num_queries(25):
        client.get("/")


# --- navigation and health --------------------------------------------------------------------


def test_the_deepest_section_is_current(owner: User) -> None:
    path = reverse("content_calendar:posts")
    assert [item.url for item in items(member(owner), path) if item.is_current] == [path]
    assert [item.url for item in items(member(owner), "/") if item.is_current] == ["/"]
    assert [item for item in items(member(owner), "/user/email/") if item.is_current] == []


def test_nobody_without_an_organization_has_sections() -> None:
    assert items(None, "/") == []


def health(rf: Any, user: User) -> Any:
    request = rf.get("/")
    request.user, request.session = user, {}
    return Shell(request).health


def test_health_says_first_that_nothing_is_sent(rf: Any, owner: User, brand: Brand) -> None:
    make_account(brand, handle="lost", status=AccountStatus.NEEDS_RECONNECT)
    assert health(rf, owner).tone == "red"
    for name in PARTS:
        heartbeats.record(name, now=timezone.now())
    assert health(rf, owner).tone == "orange"
    SocialAccount.objects.update(status=AccountStatus.ACTIVE)
    assert health(rf, owner).tone == "green"


def test_health_says_what_is_paused(rf: Any, owner: User, brand: Brand, other_brand: Brand) -> None:
    for name in PARTS:
        heartbeats.record(name, now=timezone.now())
    where = reverse("outbox:sending")

    def paused(**scope: Any) -> Pause:
        given = {"brand": None, "account": None} | scope
        return pause_sending(
            organization=brand.organization, reason="", actor=owner, now=timezone.now(), **given
        )

    paused(account=make_account(brand, handle="quiet"))
    assert health(rf, owner) == Health("purple", "1 account is paused", where)
    paused(brand=brand)
    assert health(rf, owner) == Health("purple", "1 brand is paused", where)
    # Accounts that cannot be used go before that, and the pause of everything before them.
    make_account(brand, handle="lost", status=AccountStatus.NEEDS_RECONNECT)
    assert health(rf, owner).tone == "orange"
    paused()
    assert health(rf, owner) == Health("purple", "All sending is paused", where)
    member(owner).brands.set([other_brand])
    Membership.objects.filter(user=owner).update(has_all_brands=False)
    assert health(rf, owner).text == "All sending is paused"
    Pause.objects.filter(brand=None, account=None).update(ended_at=timezone.now())
    assert health(rf, owner).tone == "green"  # neither brand nor account is one that they see


@pytest.mark.parametrize(
    ("path", "section"),
    [
        ("content_calendar:approval_rules", "accounts:settings"),
        ("content_calendar:exports", "content_calendar:posts"),
        ("content_calendar:import_new", "content_calendar:posts"),
    ],
)
def test_what_lies_below_the_calendar_is_in_the_section_that_leads_to_it(
    owner: User, path: str, section: str
) -> None:
    (current,) = [item for item in items(member(owner), reverse(path)) if item.is_current]
    assert current.url == reverse(section)


def test_a_heartbeat_that_is_too_old_counts_as_none(rf: Any, owner: User) -> None:
    for name in PARTS:
        heartbeats.record(name, now=timezone.now() - dt.timedelta(minutes=5))
    assert health(rf, owner).tone == "red"


# --- notifications ----------------------------------------------------------------------------


def test_opening_a_notification_reads_it_and_goes_there(
    sign_in: SignIn, owner: User, organization: Organization
) -> None:
    row = notification(owner, organization, url="/calendar/")
    response = sign_in(owner).post(reverse("shell:notification_open", args=[row.pk]))
    assert response["Location"] == "/calendar/"
    row.refresh_from_db()
    assert row.read_at is not None


def test_a_notification_never_leads_to_another_site(
    sign_in: SignIn, owner: User, organization: Organization
) -> None:
    row = notification(owner, organization, url="https://evil.example/")
    response = sign_in(owner).post(reverse("shell:notification_open", args=[row.pk]))
    assert response["Location"] == reverse("shell:notifications")


def test_nobody_opens_the_notification_of_somebody_else(
    sign_in: SignIn, owner: User, manager: User, organization: Organization
) -> None:
    row = notification(owner, organization)
    assert sign_in(manager).post(reverse("shell:notification_open", args=[row.pk])).status_code == 404
    row.refresh_from_db()
    assert row.read_at is None


def test_reading_all_reads_only_ones_own(
    sign_in: SignIn, owner: User, manager: User, organization: Organization
) -> None:
    notification(owner, organization)
    notification(manager, organization)
    sign_in(owner).post(reverse("shell:notifications_read"))
    assert Notification.objects.filter(read_at=None).get().user == manager


def test_the_badges_are_swapped_in_where_they_stand(
    sign_in: SignIn, owner: User, organization: Organization
) -> None:
    notification(owner, organization)
    page = sign_in(owner).get(reverse("shell:badges")).content.decode()
    assert page.count('hx-swap-oob="true"') == 4
    assert 'id="waiting"' in page
    assert "1 unread notification" in page


# --- switches ---------------------------------------------------------------------------------


def test_the_chosen_brand_holds_for_the_session(
    sign_in: SignIn, owner: User, brand: Brand, other_brand: Brand
) -> None:
    client = sign_in(owner)
    switch = reverse("shell:switch")
    response = client.post(switch, {"brand": str(other_brand.pk), "next": "/notifications/"})
    assert response["Location"] == "/notifications/"
    assert client.get("/").context["shell"].brand == other_brand
    client.post(switch, {"brand": ""})
    assert client.get("/").context["shell"].brand is None


@pytest.mark.parametrize("wanted", ["not a key", "00000000-0000-7000-8000-000000000000"])
def test_a_brand_that_one_may_not_see_cannot_be_chosen(
    sign_in: SignIn, owner: User, brand: Brand, other_brand: Brand, wanted: str
) -> None:
    client = sign_in(owner)
    assert client.post(reverse("shell:switch"), {"brand": wanted}).status_code == 404
    assert client.get("/").context["shell"].brand is None


def test_another_organization_can_be_chosen_by_its_members_only(
    sign_in: SignIn, owner: User, other_organization: Organization
) -> None:
    client = sign_in(owner)
    switch = reverse("shell:switch")
    assert client.post(switch, {"organization": str(other_organization.pk)}).status_code == 404
    Membership.objects.create(user=owner, organization=other_organization, role=Role.VIEWER)
    client.post(switch, {"organization": str(other_organization.pk)})
    assert client.get("/").context["shell"].organization == other_organization


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_a_switch_never_leads_to_another_site(
    sign_in: SignIn, owner: User, brand: Brand, wanted: str
) -> None:
    response = sign_in(owner).post(reverse("shell:switch"), {"brand": "", "next": wanted})
    assert response["Location"] == "/"


def test_a_visitor_chooses_a_language(client: Client, db: None) -> None:
    response = client.post(reverse("shell:language"), {"language": "ja", "next": "/user/login/"})
    assert response["Location"] == "/user/login/"
    assert '<html lang="ja">' in client.get("/user/login/").content.decode()


def test_an_unknown_language_changes_nothing(sign_in: SignIn, owner: User) -> None:
    client = sign_in(owner)
    response = client.post(reverse("shell:language"), {"language": "tlh"})
    assert "django_language" not in response.cookies
    owner.refresh_from_db()
    assert owner.language == ""


def test_a_persons_language_follows_them_to_another_device(sign_in: SignIn, owner: User) -> None:
    sign_in(owner).post(reverse("shell:language"), {"language": "ja"})
    elsewhere = Client(headers={"Accept-Language": "en"})
    elsewhere.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    assert '<html lang="ja">' in elsewhere.get("/").content.decode()
    with translation.override("en"):  # and leaves nobody else's request in Japanese
        assert '<html lang="en">' in Client().get("/user/login/").content.decode()


# --- pages around it --------------------------------------------------------------------------

ENTRANCES = ["/user/login/", "/user/signup/", "/user/password/reset/", "/user/password/reset/done/"]


@pytest.mark.parametrize("path", ENTRANCES)
def test_the_pages_before_sign_in_have_one_heading_and_labelled_fields(
    client: Client, db: None, path: str
) -> None:
    page = client.get(path).content.decode()
    assert page.count("<h1") == 1
    assert 'class="skip-link"' in page


@pytest.mark.parametrize("name", ["account_email", "account_change_password", "mfa_index"])
def test_a_persons_own_pages_stand_in_the_shell(sign_in: SignIn, owner: User, name: str) -> None:
    page = sign_in(owner).get(reverse(name)).content.decode()
    assert 'id="sidebar"' in page
    assert page.count("<h1") == 1


def test_a_missing_page_says_so_calmly(client: Client, db: None) -> None:
    response = client.get("/there/is/no/such/page/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_the_error_page_needs_no_database(rf: Any) -> None:
    response = server_error(rf.get("/"))
    assert response.status_code == 500
    assert "Something went wrong on our side" in response.content.decode()
