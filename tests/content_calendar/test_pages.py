"""Calendar, list and post page: what they show and what their buttons do."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from accounts.models import Brand, SocialAccount, User
from content_calendar.models import Post
from content_calendar.services.scheduling import schedule_post
from outbox.models import Delivery, DeliveryState
from tests.content_calendar.conftest import LATER, NOW, make_post

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
PERIOD = {"start": "2026-11-20T00:00:00Z", "end": "2026-12-20T00:00:00Z"}


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def dispatched(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """How often the dispatcher was rung."""
    rung: list[bool] = []
    bell = SimpleNamespace(delay_on_commit=lambda: rung.append(True))
    monkeypatch.setattr("content_calendar.views.posts.dispatch", bell)
    return rung


@pytest.fixture
def scheduled_post(draft_post: Post, manager: User) -> Post:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    draft_post.refresh_from_db()
    return draft_post


def address(name: str, row: Any = None) -> str:
    return reverse(f"content_calendar:{name}", args=[row.pk] if row is not None else [])


def events(client: Client, **query: str) -> dict[str, Any]:
    response = client.get(address("events"), PERIOD | query)
    assert response.status_code == 200
    return response.json()


# --- calendar ---------------------------------------------------------------------------------


def test_feed_says_what_stands_where(sign_in: SignIn, manager: User, scheduled_post: Post) -> None:
    answer = events(sign_in(manager))
    assert answer["events"] == [
        {
            "post": str(scheduled_post.pk),
            "title": "Fresh coffee at nine",
            "start": "2026-11-24T09:00:00Z",
            "state": "scheduled",
            "accounts": [0],
            "editable": True,
        }
    ]
    assert answer["accounts"][0]["handle"] == "harbour"
    assert answer["move_url"] == "/calendar/posts/{id}/move/?zone=Europe/Berlin"


def test_creator_may_drag_drafts_and_nothing_else(
    sign_in: SignIn, creator: User, brand: Brand, scheduled_post: Post
) -> None:
    make_post(brand, creator, "A draft", planned_at=LATER)
    editable = {event["title"]: event["editable"] for event in events(sign_in(creator))["events"]}
    assert editable == {"Fresh coffee at nine": False, "A draft": True}


def test_viewer_drags_nothing(sign_in: SignIn, viewer: User, draft_post: Post) -> None:
    assert [event["editable"] for event in events(sign_in(viewer))["events"]] == [False]


def test_feed_obeys_the_filters_of_the_address(sign_in: SignIn, manager: User, scheduled_post: Post) -> None:
    client = sign_in(manager)
    assert events(client, state="draft")["events"] == []
    assert len(events(client, state="scheduled", network="sandbox")["events"]) == 1
    assert events(client, account=str(uuid.uuid4()))["events"] == []


@pytest.mark.parametrize(
    "period",
    [
        {},
        {"start": "yesterday", "end": "tomorrow"},
        {"start": "2026-11-20T00:00:00", "end": "2026-11-21T00:00:00"},
        {"start": PERIOD["end"], "end": PERIOD["start"]},
        {"start": "2020-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
        {"start": "0001-01-01T00:00:00Z", "end": "9999-12-31T23:59:00Z"},
    ],
)
def test_feed_refuses_periods_that_make_no_sense(
    sign_in: SignIn, manager: User, brand: Brand, period: dict[str, str]
) -> None:
    assert sign_in(manager).get(address("events"), period).status_code == 400


def test_feed_of_the_last_day_of_the_calendar_is_empty(
    sign_in: SignIn, manager: User, scheduled_post: Post
) -> None:
    assert events(sign_in(manager), start="9999-12-31T00:00:00Z", end="9999-12-31T23:00:00Z")["events"] == []


def test_feed_of_a_thousand_posts_stays_small(
    sign_in: SignIn, manager: User, brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    from content_calendar.models import Variant

    posts = [
        Post(
            brand=brand,
            author=creator,
            parts=[
                {"text": f"{number} 秋摘み煎茶、本日入荷しました。すっきりとした後味です。" * 3, "media": []}
            ],
            planned_at=LATER + dt.timedelta(minutes=number),
        )
        for number in range(1100)
    ]
    Post.objects.bulk_create(posts)
    Variant.objects.bulk_create(Variant(post=post, account=sandbox_account) for post in posts)
    response = sign_in(manager).get(address("events"), PERIOD)
    assert len(response.json()["events"]) == 600
    assert response.json()["is_cut"]
    assert len(response.content) < 400 * 1024


def test_calendar_tells_whose_time_it_shows(sign_in: SignIn, manager: User, brand: Brand) -> None:
    page = sign_in(manager).get(address("calendar")).content.decode()
    assert 'data-zone="Europe/Berlin"' in page
    assert "Times in Europe/Berlin (UTC+1)" in page


# --- moving -----------------------------------------------------------------------------------


def move(client: Client, post: Post, local_time: str, *, zone: str = "", **headers: str) -> Any:
    path = address("move", post) + (f"?zone={zone}" if zone else "")
    return client.post(path, {"local_time": local_time}, headers=headers)


def drag(client: Client, post: Post, local_time: str, zone: str = "") -> Any:
    return move(client, post, local_time, zone=zone, Accept="application/json")


def test_drag_moves_in_the_zone_of_the_calendar(sign_in: SignIn, manager: User, scheduled_post: Post) -> None:
    response = drag(sign_in(manager), scheduled_post, "2026-12-01T09:00", zone="Asia/Tokyo")
    assert response.status_code == 200
    assert "Moved to" in response.json()["message"]
    assert Delivery.objects.get().due_at == dt.datetime(2026, 12, 1, 0, 0, tzinfo=dt.UTC)


def test_form_moves_in_the_zone_of_the_brand(sign_in: SignIn, manager: User, scheduled_post: Post) -> None:
    response = move(sign_in(manager), scheduled_post, "2026-12-01T09:00", zone="Nowhere/At-all")
    assert response["Location"].startswith(f"{address('post', scheduled_post)}?changed=")
    assert Delivery.objects.get().due_at == dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)


def test_creator_is_refused_and_nothing_moves(sign_in: SignIn, creator: User, scheduled_post: Post) -> None:
    client = sign_in(creator)
    assert client.get(address("move", scheduled_post)).status_code == 403
    assert drag(client, scheduled_post, "2026-12-01T09:00").status_code == 403
    assert Delivery.objects.get().due_at == LATER


def test_creator_moves_a_draft(sign_in: SignIn, creator: User, draft_post: Post) -> None:
    assert drag(sign_in(creator), draft_post, "2026-12-01T09:00").status_code == 200
    draft_post.refresh_from_db()
    assert draft_post.planned_at == dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("local_time", "said"),
    [
        ("2026-11-21T09:00", "This time is over"),
        ("2027-03-28T02:30", "The next possible time is 03:00"),
        ("2027-02-30T10:00", "Enter a date and a time"),
        # A moment that only some zones have would break every page that shows it in another one.
        ("9999-12-31T23:59", "Enter a date and a time"),
        ("", "required"),
    ],
)
def test_time_that_cannot_be_is_refused_with_its_reason(
    sign_in: SignIn, manager: User, scheduled_post: Post, local_time: str, said: str
) -> None:
    client = sign_in(manager)
    response = drag(client, scheduled_post, local_time)
    assert response.status_code == 422
    assert said in response.json()["error"]
    page = move(client, scheduled_post, local_time)
    assert page.status_code == 422
    assert said in page.content.decode()
    assert Delivery.objects.get().due_at == LATER


def test_hour_that_comes_twice_means_its_first(sign_in: SignIn, manager: User, scheduled_post: Post) -> None:
    assert drag(sign_in(manager), scheduled_post, "2027-10-31T02:30").status_code == 200
    assert Delivery.objects.get().due_at == dt.datetime(2027, 10, 31, 0, 30, tzinfo=dt.UTC)


# --- list -------------------------------------------------------------------------------------


def test_list_shows_the_rows_alone_to_htmx(sign_in: SignIn, manager: User, scheduled_post: Post) -> None:
    client = sign_in(manager)
    whole = client.get(address("posts"))
    part = client.get(address("posts"), {"q": "coffee"}, headers={"HX-Request": "true"})
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert b"Fresh coffee" in part.content
    assert "HX-Request" in part["Vary"]


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=99999", "author=x", "state=nonsense", "account=1", "q=%00%27"]
)
def test_addresses_that_people_mistype_are_answered(
    sign_in: SignIn, manager: User, scheduled_post: Post, query: str
) -> None:
    assert sign_in(manager).get(f"{address('posts')}?{query}").status_code == 200


def test_deleted_post_can_be_brought_back_from_the_list(
    sign_in: SignIn, manager: User, scheduled_post: Post
) -> None:
    client = sign_in(manager)
    response = client.post(address("delete", scheduled_post))
    page = client.get(response["Location"]).content.decode()
    assert "Deleted: Fresh coffee at nine" in page
    assert client.get(address("post", scheduled_post)).status_code == 404
    assert client.post(address("restore", scheduled_post)).status_code == 302
    assert client.get(address("post", scheduled_post)).status_code == 200


# --- the page of one post ---------------------------------------------------------------------


def test_page_shows_content_state_and_receipt(sign_in: SignIn, viewer: User, scheduled_post: Post) -> None:
    page = sign_in(viewer).get(address("post", scheduled_post)).content.decode()
    for words in ("Fresh coffee at nine", "Scheduled", "Receipt", "24 Nov 2026, 10:00:00", "Manager"):
        assert words in page
    for button in ("Unschedule", "Publish now", "Duplicate", "Delete"):
        assert button not in page


def test_live_part_is_not_sent_again_while_nothing_changes(
    sign_in: SignIn, manager: User, scheduled_post: Post
) -> None:
    client = sign_in(manager)
    first = client.get(address("post", scheduled_post), headers={"HX-Request": "true"})
    assert b"<html" not in first.content
    again = {"HX-Request": "true", "If-None-Match": first["ETag"]}
    assert client.get(address("post", scheduled_post), headers=again).status_code == 304
    Delivery.objects.update(state=DeliveryState.SENDING, lease_until=NOW)
    assert client.get(address("post", scheduled_post), headers=again).status_code == 200


def test_what_waits_for_its_account_leads_there(
    sign_in: Any, manager: User, scheduled_post: Post, sandbox_account: SocialAccount
) -> None:
    Delivery.objects.update(state="held", held_reason="reconnect")
    page = sign_in(manager).get(reverse("content_calendar:post", args=[scheduled_post.pk])).content.decode()
    told = page.split("The account must be reconnected")[1][:300]
    assert reverse("accounts:account_detail", args=[sandbox_account.pk]) in told


@pytest.mark.parametrize(
    ("state", "shown", "hidden"),
    [
        (
            DeliveryState.SCHEDULED,
            ["Unschedule", "Publish now", "Move", "Do not send", "Edit"],
            ["Try again"],
        ),
        (
            DeliveryState.SENDING,
            ["Duplicate"],
            ["Unschedule", "Publish now", "Do not send", ">Edit<", "Delete post"],
        ),
        (
            DeliveryState.SENT,
            ["Duplicate", "Delete post"],
            ["Unschedule", "Publish now", "Move", "Do not send"],
        ),
        (DeliveryState.FAILED, ["Try again", "Do not send", "Move", "Edit"], ["Did it appear?"]),
        (DeliveryState.MISSED, ["Send it now", "Do not send", "Move"], ["Try again"]),
        (
            DeliveryState.UNCERTAIN,
            ["Did it appear?", "Yes, it is there"],
            ["Try again", "Publish now", "Move<"],
        ),
        (DeliveryState.HELD, ["Do not send", "Unschedule"], ["Try again"]),
    ],
)
def test_page_offers_what_the_state_allows(
    sign_in: SignIn,
    manager: User,
    scheduled_post: Post,
    state: DeliveryState,
    shown: list[str],
    hidden: list[str],
) -> None:
    Delivery.objects.update(state=state, lease_until=NOW)
    page = sign_in(manager).get(address("post", scheduled_post)).content.decode()
    assert [words for words in shown if words not in page] == []
    assert [words for words in hidden if words in page] == []


def test_reason_of_a_failure_is_told_with_the_networks_words(
    sign_in: SignIn, manager: User, scheduled_post: Post
) -> None:
    Delivery.objects.update(state=DeliveryState.FAILED, error="text_too_long", error_detail="too <long>")
    page = sign_in(manager).get(address("post", scheduled_post)).content.decode()
    assert "The text is too long for this network." in page
    assert "The network says: too &lt;long&gt;" in page


def test_our_own_words_about_a_refusal_are_not_put_into_the_networks_mouth(
    sign_in: SignIn, manager: User, scheduled_post: Post
) -> None:
    ours = "Comments are switched off for this video."
    detail = f"{ours} commentsDisabled"
    Delivery.objects.update(state=DeliveryState.FAILED, error="forbidden", error_detail=detail)
    page = sign_in(manager).get(address("post", scheduled_post)).content.decode()
    assert ours in page
    assert "The network says: commentsDisabled" in page


def press(client: Client, name: str, row: Any, **data: str) -> str:
    """Press a button; returns the page that follows."""
    response = client.post(address(name, row), data, follow=True)
    assert response.status_code == 200
    return str(response.content.decode())


def test_draft_with_a_time_is_scheduled_as_it_is(sign_in: SignIn, manager: User, draft_post: Post) -> None:
    assert "Scheduled for" in press(sign_in(manager), "schedule", draft_post)
    assert Delivery.objects.get().due_at == LATER


def test_draft_without_a_time_is_sent_to_the_composer(
    sign_in: SignIn, manager: User, brand: Brand, sandbox_account: SocialAccount
) -> None:
    post = make_post(brand, manager, "Sometime", sandbox_account)
    assert "Choose a date and a time first." in press(sign_in(manager), "schedule", post)
    assert not Delivery.objects.exists()


def test_publishing_now_rings_the_dispatcher(
    sign_in: SignIn, manager: User, draft_post: Post, dispatched: list[bool]
) -> None:
    assert "On its way" in press(sign_in(manager), "publish", draft_post)
    assert Delivery.objects.get().next_attempt_at == NOW
    assert dispatched == [True]


def test_unscheduling_goes_back_to_the_drafts(sign_in: SignIn, manager: User, scheduled_post: Post) -> None:
    assert "Back in the drafts" in press(sign_in(manager), "unschedule", scheduled_post)
    assert Delivery.objects.get().state == DeliveryState.CANCELLED


def test_retry_cancel_and_answer(
    sign_in: SignIn, manager: User, scheduled_post: Post, dispatched: list[bool]
) -> None:
    client, delivery = sign_in(manager), Delivery.objects.get()
    Delivery.objects.update(state=DeliveryState.FAILED)
    assert "Trying again now." in press(client, "retry", delivery)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.next_attempt_at) == (DeliveryState.SCHEDULED, NOW)
    assert dispatched == [True]
    assert "It will not be sent on @harbour." in press(client, "cancel", delivery)
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.CANCELLED


@pytest.mark.parametrize(("answer", "state"), [("yes", DeliveryState.SENT), ("no", DeliveryState.SCHEDULED)])
def test_answer_to_did_it_appear(
    sign_in: SignIn, manager: User, scheduled_post: Post, answer: str, state: DeliveryState
) -> None:
    Delivery.objects.update(state=DeliveryState.UNCERTAIN)
    delivery = Delivery.objects.get()
    press(sign_in(manager), "answer", delivery, did_appear=answer, permalink="https://example.com/1")
    delivery.refresh_from_db()
    assert delivery.state == state


@pytest.mark.parametrize("permalink", ["javascript:alert(1)", "not an address"])
def test_answer_with_a_harmful_address_is_refused(
    sign_in: SignIn, manager: User, scheduled_post: Post, permalink: str
) -> None:
    Delivery.objects.update(state=DeliveryState.UNCERTAIN)
    delivery = Delivery.objects.get()
    press(sign_in(manager), "answer", delivery, did_appear="yes", permalink=permalink)
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.UNCERTAIN


@pytest.mark.parametrize("name", ["retry", "answer"])
def test_button_of_an_old_page_does_no_harm(
    sign_in: SignIn, manager: User, scheduled_post: Post, name: str
) -> None:
    page = press(sign_in(manager), name, Delivery.objects.get(), did_appear="no")
    assert "Nothing was changed" in page
    assert Delivery.objects.get().state == DeliveryState.SCHEDULED


def test_creator_can_neither_delete_nor_cancel_what_is_scheduled(
    sign_in: SignIn, creator: User, scheduled_post: Post
) -> None:
    client = sign_in(creator)
    delivery = Delivery.objects.get()
    assert client.post(address("delete", scheduled_post)).status_code == 403
    assert client.post(address("cancel", delivery)).status_code == 403
    assert client.post(address("publish", scheduled_post)).status_code == 403
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.SCHEDULED


def test_post_page_costs_few_queries(
    sign_in: SignIn, manager: User, scheduled_post: Post, django_assert_max_num_queries: Any
) -> None:
    client = sign_in(manager)
    client.get(address("post", scheduled_post))
    with django_assert_max_num_queries(12):
        client.get(address("post", scheduled_post), headers={"HX-Request": "true"})
