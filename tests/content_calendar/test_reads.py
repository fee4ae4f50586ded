from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Brand, Membership, SocialAccount, User
from accounts.selectors import known_networks
from content_calendar.content import MediaUse, Part
from content_calendar.models import UNSCHEDULED, Approval, Post, Variant
from content_calendar.selectors.checks import check_content
from content_calendar.selectors.posts import PostFilter, calendar_events, in_state, posts_page
from content_calendar.selectors.previews import segments
from content_calendar.selectors.receipts import post_view
from content_calendar.selectors.states import COMMENT_MISSING, PostState, derive_state
from content_calendar.services.drafts import delete_post
from content_calendar.services.scheduling import schedule_post
from outbox.models import AttemptState, Delivery, DeliveryState
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW, make_image, make_post

pytestmark = pytest.mark.django_db

D = DeliveryState
ANYTHING = PostFilter()
BLUESKY = known_networks()["bluesky"]
START, END = NOW - dt.timedelta(days=30), NOW + dt.timedelta(days=30)


ONE = {"text": "x", "media": []}
COMMENTED = {"parts": [ONE, {"text": "y", "media": [], "is_comment": True}]}


def add_attempt(delivery: Delivery, step: str, state: AttemptState) -> None:
    delivery.attempts.create(
        step=step, key=uuid.uuid4(), fence=1, fingerprint="", intent={}, state=state, started_at=NOW
    )


@pytest.fixture
def membership(manager: User) -> Membership:
    return manager.memberships.get()


def with_states(brand: Brand, account: SocialAccount, *states: str) -> Post:
    """A post whose deliveries stand in these states (on accounts that need not exist for reading); of
    COMMENT_MISSING the post is out and its first comment failed."""
    post = Post.objects.create(brand=brand, parts=[{"text": "x", "media": []}], planned_at=LATER)
    for number, state in enumerate(states):
        own = account if number == 0 else make_account(brand, handle=f"{post.pk}-{number}")
        delivery = Delivery.objects.create(
            brand=brand,
            account=own,
            payload=COMMENTED if state == COMMENT_MISSING else {"parts": []},
            due_at=LATER,
            next_attempt_at=LATER,
            state=D.FAILED if state == COMMENT_MISSING else state,
            lease_until=LATER,
        )
        if state == COMMENT_MISSING:
            add_attempt(delivery, "part0.publish", AttemptState.DONE)
            add_attempt(delivery, "part1.publish", AttemptState.REFUSED)
        Variant.objects.create(post=post, account=own, delivery=delivery)
    return post


# --- derived state ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        ([], PostState.DRAFT),
        ([D.CANCELLED], PostState.DRAFT),
        ([D.SCHEDULED, D.SCHEDULED], PostState.SCHEDULED),
        ([D.SCHEDULED, D.CANCELLED], PostState.SCHEDULED),
        ([D.CLAIMED], PostState.SENDING),
        ([D.PROCESSING, D.SENT], PostState.SENDING),
        ([D.SENT, D.SENT, D.CANCELLED], PostState.PUBLISHED),
        ([D.SENT, D.FAILED], PostState.PARTLY_PUBLISHED),
        ([D.SENT, D.SCHEDULED], PostState.PARTLY_PUBLISHED),
        ([D.SCHEDULED, D.FAILED], PostState.FAILED),
        ([D.SENT, D.UNCERTAIN], PostState.UNCERTAIN),
        ([D.MISSED, D.HELD], PostState.MISSED),
        ([D.HELD, D.SCHEDULED], PostState.HELD),
        ([COMMENT_MISSING], PostState.PARTLY_PUBLISHED),
        ([COMMENT_MISSING, D.FAILED], PostState.PARTLY_PUBLISHED),
        ([COMMENT_MISSING, D.SENDING], PostState.SENDING),
    ],
)
def test_state_of_a_post_follows_from_its_deliveries(states: list[str], shown: PostState) -> None:
    assert derive_state(states) is shown


@pytest.mark.parametrize(
    ("approval", "shown", "listed"),
    [
        (Approval.DRAFT, PostState.DRAFT, "draft"),
        (Approval.IN_REVIEW, PostState.IN_REVIEW, "in_review"),
        (Approval.CHANGES_ASKED, PostState.CHANGES_ASKED, "changes_asked"),
        (Approval.READY, PostState.APPROVED, "approved"),
    ],
)
def test_what_is_in_no_schedule_shows_how_far_its_approval_has_come(
    brand: Brand,
    creator: User,
    membership: Membership,
    sandbox_account: SocialAccount,
    approval: str,
    shown: PostState,
    listed: str,
) -> None:
    """In the calendar, in the list, and when it is filtered by."""
    post = make_post(brand, creator, "Planned", sandbox_account, planned_at=LATER)
    Post.objects.filter(pk=post.pk).update(approval=approval)
    for wanted in (ANYTHING, PostFilter(states=frozenset({PostState(listed)}))):
        (event,) = calendar_events(membership, brand, START, END, wanted).events
        assert (event.post_id, event.state, event.is_movable) == (str(post.pk), shown, True)
        (row,) = posts_page(membership, brand, wanted).rows
        assert (row.post, row.state, row.is_movable) == (post, shown, True)
    others = frozenset(PostState) - {shown}
    assert calendar_events(membership, brand, START, END, PostFilter(states=others)).events == ()
    assert posts_page(membership, brand, PostFilter(states=others)).rows == ()


@given(st.lists(st.sampled_from(D.values), max_size=6))
def test_state_does_not_depend_on_order_and_never_hides_an_open_question(states: list[str]) -> None:
    state = derive_state(states)
    assert derive_state(reversed(states)) is state
    assert derive_state([*states, D.CANCELLED]) is state
    assert (state is PostState.UNCERTAIN) == (D.UNCERTAIN in states)
    assert (state is PostState.PUBLISHED) == (set(states) - {D.CANCELLED} == {D.SENT})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    states=st.lists(st.sampled_from([*D.values, COMMENT_MISSING]), max_size=4),
    approval=st.sampled_from(UNSCHEDULED),
)
def test_database_finds_a_post_under_its_state_and_no_other(
    brand: Brand, sandbox_account: SocialAccount, states: list[str], approval: str
) -> None:
    with transaction.atomic():
        post = with_states(brand, sandbox_account, *states)
        Post.objects.filter(pk=post.pk).update(approval=approval)
        found = {
            state
            for state in PostState
            if Post.objects.filter(in_state(state, brand.pk), pk=post.pk).exists()
        }
        assert found == {derive_state(states, approval)}
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("payload", "done", "shown"),
    [
        (COMMENTED, ["part0.publish"], PostState.PARTLY_PUBLISHED),
        (COMMENTED, [], PostState.FAILED),
        (
            {"parts": [{"text": "one", "media": []}, {"text": "two", "media": []}]},
            ["part0.publish"],
            PostState.FAILED,
        ),
        ({"parts": [{"text": "one", "media": []}, *COMMENTED["parts"]]}, ["part0.publish"], PostState.FAILED),
    ],
    ids=["only the comment is missing", "nothing is out", "no comment", "half of a thread is out"],
)
def test_a_post_without_its_first_comment_is_partly_published_wherever_it_is_shown(
    brand: Brand,
    membership: Membership,
    sandbox_account: SocialAccount,
    payload: dict[str, Any],
    done: list[str],
    shown: PostState,
) -> None:
    """In the calendar, in the list, on its page, and when it is filtered by; it can be moved all the same."""
    post = with_states(brand, sandbox_account, D.FAILED)
    delivery = Delivery.objects.get(variant__post=post)
    Delivery.objects.filter(pk=delivery.pk).update(payload=payload)
    for step in done:
        add_attempt(delivery, step, AttemptState.DONE)
    for wanted in (ANYTHING, PostFilter(states=frozenset({shown}))):
        (event,) = calendar_events(membership, brand, START, END, wanted).events
        assert (event.post_id, event.state, event.is_movable) == (str(post.pk), shown, True)
        (row,) = posts_page(membership, brand, wanted).rows
        assert (row.post, row.state, row.is_movable) == (post, shown, True)
    others = PostFilter(states=frozenset(PostState) - {shown})
    assert calendar_events(membership, brand, START, END, others).events == ()
    assert posts_page(membership, brand, others).rows == ()
    view = post_view(post, now=NOW)
    assert view.state is shown
    assert view.has_gone_out == (shown is PostState.PARTLY_PUBLISHED)


# --- calendar ---------------------------------------------------------------------------------


def test_calendar_shows_drafts_and_deliveries_by_time(
    brand: Brand, creator: User, manager: User, membership: Membership, sandbox_account: SocialAccount
) -> None:
    draft = make_post(brand, creator, "Draft\nsecond line", sandbox_account, planned_at=LATER)
    scheduled = make_post(brand, creator, "Scheduled", sandbox_account)
    schedule_post(post=scheduled, at=NOW + dt.timedelta(hours=1), actor=manager, now=NOW)
    make_post(brand, creator, "Without a time", sandbox_account)
    window = calendar_events(membership, brand, START, END, ANYTHING)
    assert [(e.post_id, e.title, e.state, e.is_movable) for e in window.events] == [
        (str(scheduled.pk), "Scheduled", PostState.SCHEDULED, True),
        (str(draft.pk), "Draft", PostState.DRAFT, True),
    ]
    assert [a.handle for a in window.events[0].accounts] == ["harbour"]
    assert not window.is_cut


def test_period_includes_its_start_and_not_its_end(
    brand: Brand, creator: User, membership: Membership, sandbox_account: SocialAccount
) -> None:
    make_post(brand, creator, "At", sandbox_account, planned_at=LATER)
    hour = dt.timedelta(hours=1)
    assert len(calendar_events(membership, brand, LATER, LATER + hour, ANYTHING).events) == 1
    assert calendar_events(membership, brand, LATER - hour, LATER, ANYTHING).events == ()


def test_calendar_hides_what_was_deleted_and_what_was_cancelled(
    brand: Brand, creator: User, manager: User, membership: Membership, sandbox_account: SocialAccount
) -> None:
    post = make_post(brand, creator, "Gone", sandbox_account)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    delete_post(post=post, actor=manager, now=NOW)
    assert calendar_events(membership, brand, START, END, ANYTHING).events == ()


def test_unscheduled_post_stands_in_the_calendar_once(
    brand: Brand, creator: User, manager: User, membership: Membership, sandbox_account: SocialAccount
) -> None:
    from content_calendar.services.scheduling import unschedule

    post = make_post(brand, creator, "Back", sandbox_account)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    unschedule(post=post, actor=manager, now=NOW)
    assert [e.state for e in calendar_events(membership, brand, START, END, ANYTHING).events] == [
        PostState.DRAFT
    ]


def test_member_sees_the_brands_that_are_theirs(
    brand: Brand, other_brand: Brand, creator: User, membership: Membership
) -> None:
    make_post(brand, creator, "Coffee", planned_at=LATER)
    make_post(other_brand, creator, "Tea", planned_at=LATER)
    assert {e.title for e in calendar_events(membership, None, START, END, ANYTHING).events} == {
        "Coffee",
        "Tea",
    }
    membership.has_all_brands = False
    membership.save()
    membership.brands.add(other_brand)
    assert {e.title for e in calendar_events(membership, None, START, END, ANYTHING).events} == {"Tea"}
    assert {row.post.excerpt for row in posts_page(membership, None, ANYTHING).rows} == {"Tea"}


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        (PostFilter(text="COFFEE"), {"Fresh coffee"}),
        (PostFilter(text="50%"), set()),
        (PostFilter(states=frozenset({PostState.SCHEDULED})), {"Fresh coffee"}),
        (PostFilter(states=frozenset({PostState.DRAFT, PostState.SCHEDULED})), {"Fresh coffee", "Tea time"}),
        (PostFilter(platforms=frozenset({"bluesky"})), {"Tea time"}),
        (PostFilter(platforms=frozenset({"nowhere"})), set()),
    ],
)
def test_filters_hold_in_calendar_and_list_alike(
    brand: Brand,
    creator: User,
    manager: User,
    membership: Membership,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
    wanted: PostFilter,
    titles: set[str],
) -> None:
    post = make_post(brand, creator, "Fresh coffee", sandbox_account)
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    make_post(brand, creator, "Tea time", second_account, planned_at=LATER)
    assert {e.title for e in calendar_events(membership, brand, START, END, wanted).events} == titles
    assert {row.post.excerpt for row in posts_page(membership, brand, wanted).rows} == titles


def test_filter_by_author_and_account(
    brand: Brand, creator: User, manager: User, membership: Membership, sandbox_account: SocialAccount
) -> None:
    make_post(brand, creator, "Hers", sandbox_account, planned_at=LATER)
    make_post(brand, manager, "His", planned_at=LATER)
    for wanted in (PostFilter(author=creator.pk), PostFilter(accounts=frozenset({sandbox_account.pk}))):
        assert [e.title for e in calendar_events(membership, brand, START, END, wanted).events] == ["Hers"]
        assert [row.post.excerpt for row in posts_page(membership, brand, wanted).rows] == ["Hers"]


def test_calendar_costs_few_queries_however_much_it_shows(
    brand: Brand,
    creator: User,
    manager: User,
    membership: Membership,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    for number in range(6):
        post = make_post(brand, creator, f"Post {number}", sandbox_account, second_account, planned_at=LATER)
        if number % 2:
            schedule_post(post=post, at=LATER + dt.timedelta(hours=number), actor=manager, now=NOW)
    with django_assert_max_num_queries(3):  # type: ignore[attr-defined]
        assert len(calendar_events(membership, None, START, END, ANYTHING).events) == 6
    with django_assert_max_num_queries(5):  # type: ignore[attr-defined]
        assert len(posts_page(membership, None, ANYTHING).rows) == 6


def test_too_many_events_are_cut_and_said_to_be(brand: Brand, creator: User, membership: Membership) -> None:
    for number in range(4):
        make_post(brand, creator, f"Post {number}", planned_at=LATER + dt.timedelta(minutes=number))
    window = calendar_events(membership, brand, START, END, ANYTHING, most=3)
    assert window.is_cut
    assert [e.title for e in window.events] == ["Post 0", "Post 1", "Post 2"]


def test_the_first_of_all_kinds_are_shown_and_a_filter_looks_behind_them(
    brand: Brand,
    creator: User,
    manager: User,
    membership: Membership,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
) -> None:
    for number in range(6):
        at = LATER + dt.timedelta(minutes=number)
        post = make_post(brand, creator, f"Post {number}", sandbox_account, second_account, planned_at=at)
        if number in (1, 2, 3):
            schedule_post(post=post, at=at, actor=manager, now=NOW)
    window = calendar_events(membership, brand, START, END, ANYTHING, most=4)
    assert [e.title for e in window.events] == ["Post 0", "Post 1", "Post 2", "Post 3"]
    assert [len(e.accounts) for e in window.events] == [2, 2, 2, 2]
    assert window.is_cut
    assert not calendar_events(membership, brand, START, END, ANYTHING, most=6).is_cut
    drafts = PostFilter(states=frozenset({PostState.DRAFT}))
    window = calendar_events(membership, brand, START, END, drafts, most=3)
    assert [e.title for e in window.events] == ["Post 0", "Post 4", "Post 5"]
    assert not window.is_cut


# --- list -------------------------------------------------------------------------------------


def test_scheduled_posts_are_listed_the_next_first(
    brand: Brand, creator: User, manager: User, membership: Membership, sandbox_account: SocialAccount
) -> None:
    for hours in (5, 1, 3):
        post = make_post(brand, creator, f"in {hours} h", sandbox_account)
        schedule_post(post=post, at=NOW + dt.timedelta(hours=hours), actor=manager, now=NOW)
    rows = posts_page(membership, brand, PostFilter(states=frozenset({PostState.SCHEDULED}))).rows
    assert [row.post.excerpt for row in rows] == ["in 1 h", "in 3 h", "in 5 h"]


def test_list_is_paged(brand: Brand, creator: User, membership: Membership) -> None:
    for number in range(5):
        make_post(brand, creator, f"Post {number}")
    first = posts_page(membership, brand, ANYTHING, size=2)
    last = posts_page(membership, brand, ANYTHING, size=2, number=3)
    assert (len(first.rows), first.has_next, first.has_previous) == (2, True, False)
    assert (len(last.rows), last.has_next, last.has_previous) == (1, False, True)


# --- checks and previews ----------------------------------------------------------------------


def test_counts_and_issues_are_those_of_each_network(
    brand: Brand, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    parts = (Part("ありがとう" * 61),)
    here = check_content(sandbox_account, parts, {})
    there = check_content(second_account, parts, {})
    assert (here.is_ready, there.is_ready) == (True, False)
    assert (there.counts[0].used, there.counts[0].limit, there.counts[0].remaining) == (305, 300, -5)
    assert there.issues[0].message == "Too long for Bluesky by 5 characters (300 are allowed)."


def test_account_that_must_be_reconnected_is_named(sandbox_account: SocialAccount) -> None:
    sandbox_account.status = "needs_reconnect"
    check = check_content(sandbox_account, (Part("Hello"),), {})
    assert not check.is_ready
    assert "@harbour must be reconnected" in check.issues[0].message


def test_lost_image_is_an_issue(brand: Brand, creator: User, sandbox_account: SocialAccount) -> None:
    asset = make_image(brand, creator)
    check = check_content(sandbox_account, (Part("x", (MediaUse(asset.pk),)),), {})
    assert not check.is_ready


@given(st.text(max_size=200))
def test_preview_shows_every_character_of_the_text(text: str) -> None:
    assert "".join(segment.text for segment in segments(text, BLUESKY)) == text


def test_preview_marks_what_networks_link() -> None:
    found = segments("Hi @ana.example.com: https://example.com/a, #お茶 です", BLUESKY)
    assert [s.text for s in found if s.is_link] == ["@ana.example.com", "https://example.com/a", "#お茶"]


# --- the page of one post ---------------------------------------------------------------------


def test_page_shows_the_frozen_words_of_what_was_scheduled(
    draft_post: Post, manager: User, sandbox_account: SocialAccount
) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    Post.objects.update(parts=[{"text": "changed behind its back", "media": []}])
    view = post_view(Post.objects.select_related("brand").get(), now=NOW)
    assert view.variants[0].parts[0].text == "Fresh coffee at nine"


def test_page_looks_again_only_while_something_may_happen(draft_post: Post, manager: User) -> None:
    assert post_view(draft_post, now=NOW).poll_s == 0
    schedule_post(post=draft_post, at=NOW + dt.timedelta(seconds=40), actor=manager, now=NOW)
    assert post_view(draft_post, now=NOW).poll_s == 20
    for state, expected in ((D.SENDING, 2), (D.FAILED, 0), (D.UNCERTAIN, 0)):
        Delivery.objects.update(state=state, lease_until=NOW)
        assert post_view(draft_post, now=NOW).poll_s == expected
    Delivery.objects.update(state=D.SENT, sent_at=NOW)
    assert post_view(draft_post, now=NOW).poll_s == 3
    assert post_view(draft_post, now=NOW + dt.timedelta(hours=1)).poll_s == 0


def test_tag_of_the_page_changes_with_every_state(draft_post: Post, manager: User) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    tags = set()
    for state in (D.SCHEDULED, D.CLAIMED, D.SENDING, D.SENT):
        Delivery.objects.update(state=state, lease_until=NOW)
        tags.add(post_view(draft_post, now=NOW).tag)
    assert len(tags) == 4
