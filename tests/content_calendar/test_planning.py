"""Around the posts of a calendar: labels, notes, holidays, saved filters, and feeds for calendar programs."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from collections.abc import Callable
from typing import Any

import icalendar
import pytest
import time_machine
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.choices import country_of_zone
from accounts.models import Brand, Membership, SocialAccount, User
from content_calendar.forms import filter_query, post_filter
from content_calendar.holidays import holiday_on, holidays_between
from content_calendar.models import CalendarFeed, CalendarNote, Label, Post, SavedFilter
from content_calendar.planning_forms import checked_query
from content_calendar.selectors.posts import PostFilter
from content_calendar.selectors.states import PostState
from content_calendar.services.drafts import Draft, save_draft
from content_calendar.services.feeds import add_feed
from content_calendar.services.labels import MOST_LABELS, TooManyLabels, label_named
from content_calendar.services.scheduling import schedule_post
from content_calendar.views.feeds import MOST_REQUESTS
from outbox.models import Delivery
from tests.content_calendar.conftest import LATER, NOW, make_post

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def address(name: str, *args: Any) -> str:
    return reverse(f"content_calendar:{name}", args=args)


def feed(client: Client, **query: str) -> dict[str, Any]:
    period = {"start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z"}
    found: dict[str, Any] = client.get(address("events"), period | query).json()
    return found


# --- labels -----------------------------------------------------------------------------------


def test_labels_are_made_renamed_counted_and_deleted(
    sign_in: SignIn, creator: User, brand: Brand, draft_post: Post
) -> None:
    client = sign_in(creator)
    client.post(address("label_add"), {"brand": str(brand.pk), "name": "Recipes", "tone": "green"})
    label = Label.objects.get()
    draft_post.labels.add(label)
    assert "1 post" in client.get(address("labels")).content.decode()
    client.post(address("label_change", label.pk), {"name": "Kitchen", "tone": "red"})
    label.refresh_from_db()
    assert (label.name, label.tone) == ("Kitchen", "red")
    client.post(address("label_remove", label.pk))
    assert not Label.objects.exists()
    assert Post.objects.filter(pk=draft_post.pk).exists()


def test_a_name_that_is_taken_is_said_and_nothing_is_made(
    sign_in: SignIn, creator: User, brand: Brand
) -> None:
    Label.objects.create(brand=brand, name="Recipes")
    given = {"brand": str(brand.pk), "name": "recipes", "tone": "green"}
    answer = sign_in(creator).post(address("label_add"), given)
    assert answer.status_code == 422
    assert "a label of this name already" in answer.content.decode()
    assert Label.objects.count() == 1


def test_a_label_is_made_while_writing_and_found_again(sign_in: SignIn, creator: User, brand: Brand) -> None:
    client = sign_in(creator)
    pages = [
        client.post(address("label_quick", brand.pk), {"new_label": name}).content.decode()
        for name in ("Recipes", " RECIPES ")
    ]
    label = Label.objects.get()
    assert all(f'value="{label.pk}" checked' in page for page in pages)
    refused = client.post(address("label_quick", brand.pk), {"new_label": "x" * 41}).content.decode()
    assert "at most 40 characters" in refused
    assert Label.objects.count() == 1


def test_a_brand_has_no_more_labels_than_can_be_chosen_from(brand: Brand) -> None:
    Label.objects.bulk_create(Label(brand=brand, name=f"Label {n}") for n in range(MOST_LABELS))
    with pytest.raises(TooManyLabels):
        label_named(brand=brand, name="One more", now=NOW)


def test_labels_stand_on_lists_the_calendar_and_the_post_and_narrow_them(
    sign_in: SignIn,
    viewer: User,
    manager: User,
    brand: Brand,
    draft_post: Post,
    sandbox_account: SocialAccount,
) -> None:
    label = Label.objects.create(brand=brand, name="Recipes", tone="green")
    unused = Label.objects.create(brand=brand, name="Unused")
    scheduled = make_post(brand, manager, "Scheduled one", sandbox_account)
    schedule_post(post=scheduled, at=LATER, actor=manager, now=NOW)
    make_post(brand, manager, "Without", planned_at=LATER)
    for post in (draft_post, scheduled):
        post.labels.add(label)
    client = sign_in(viewer)
    answer = feed(client)
    assert answer["labels"] == [{"tone": "green", "name": "Recipes"}]
    assert {event["title"]: event.get("labels") for event in answer["events"]} == {
        "Fresh coffee at nine": [0],
        "Scheduled one": [0],
        "Without": None,
    }
    titles = {event["title"] for event in feed(client, label=str(label.pk))["events"]}
    assert titles == {"Fresh coffee at nine", "Scheduled one"}
    assert feed(client, label=str(unused.pk))["events"] == []
    page = client.get(address("posts"), {"label": str(label.pk)}).content.decode()
    assert "Scheduled one" in page
    assert "Without" not in page
    assert '<span class="label tone-green">Recipes</span>' in page
    assert "Recipes" in client.get(address("post", draft_post.pk)).content.decode()


# --- brand in the address ---------------------------------------------------------------------


def test_the_address_chooses_a_brand(
    sign_in: SignIn, creator: User, draft_post: Post, other_brand: Brand
) -> None:
    make_post(other_brand, creator, "Elsewhere", planned_at=LATER)
    client = sign_in(creator)
    both = {event["title"] for event in feed(client)["events"]}
    assert both == {"Fresh coffee at nine", "Elsewhere"}
    assert [e["title"] for e in feed(client, brand=str(other_brand.pk))["events"]] == ["Elsewhere"]
    page = client.get(address("calendar"), {"brand": str(other_brand.pk)}).content.decode()
    assert 'data-zone="Asia/Tokyo"' in page
    assert f'value="{other_brand.pk}" selected' in page


def test_a_brand_that_is_not_the_members_is_nothing(
    sign_in: SignIn, stranger: User, brand: Brand, draft_post: Post
) -> None:
    assert feed(sign_in(stranger), brand=str(brand.pk))["events"] == []


# --- notes ------------------------------------------------------------------------------------


def note(brand: Brand, text: str = "Trade fair") -> CalendarNote:
    return CalendarNote.objects.create(
        brand=brand, first_date=dt.date(2026, 11, 24), last_date=dt.date(2026, 11, 26), text=text
    )


def test_a_note_is_made_changed_and_deleted_from_the_calendar(
    sign_in: SignIn, creator: User, brand: Brand
) -> None:
    client = sign_in(creator)
    dialog = client.get(address("note_add"), {"date": "2026-11-24"}, headers={"HX-Request": "true"})
    assert "<dialog" in dialog.content.decode()
    assert 'value="2026-11-24"' in dialog.content.decode()
    given = {"brand": str(brand.pk), "text": "Trade fair", "first": "2026-11-24", "tone": "red"}
    answer = client.post(address("note_add"), given | {"next": "/calendar/?view=month&date=2026-11-01"})
    assert answer["Location"] == "/calendar/?view=month&date=2026-11-01"
    made = CalendarNote.objects.get()
    assert (made.first_date, made.last_date, made.created_by) == (
        dt.date(2026, 11, 24),
        dt.date(2026, 11, 24),
        creator,
    )
    client.post(address("note_change", made.pk), given | {"last": "2026-11-26"})
    assert feed(client)["notes"] == [
        {
            "id": str(made.pk),
            "title": "Trade fair",
            "tone": "red",
            "days": ["2026-11-24", "2026-11-27"],
        }
    ]
    client.post(address("note_remove", made.pk))
    assert feed(client)["notes"] == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"last": "2026-11-23"}, "before the first"),
        ({"last": "2028-11-23"}, "a year at most"),
        ({"first": "x"}, "Enter a valid date"),
        ({"first": "0001-01-01"}, "Enter a valid date"),
        ({"text": ""}, "This field is required"),
        ({"brand": "x"}, "Select a valid choice"),
    ],
)
def test_a_note_that_cannot_be_is_explained(
    sign_in: SignIn, creator: User, brand: Brand, other_brand: Brand, more: dict[str, str], said: str
) -> None:
    given = {"brand": str(brand.pk), "text": "Trade fair", "first": "2026-11-24", "tone": "red"} | more
    answer = sign_in(creator).post(address("note_add"), given)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not CalendarNote.objects.exists()


def test_a_viewer_sees_notes_and_is_offered_no_change(sign_in: SignIn, viewer: User, brand: Brand) -> None:
    note(brand)
    answer = feed(sign_in(viewer))
    assert [one["title"] for one in answer["notes"]] == ["Trade fair"]
    assert answer["note_url"] == ""


def test_of_several_brands_a_note_says_whose_it_is(
    sign_in: SignIn, viewer: User, brand: Brand, other_brand: Brand
) -> None:
    note(brand)
    note(other_brand, "Launch")
    titles = {one["title"] for one in feed(sign_in(viewer))["notes"]}
    assert titles == {"Harbour Coffee: Trade fair", "Harbour Tea: Launch"}


def test_a_stranger_is_told_of_no_note(sign_in: SignIn, stranger: User, brand: Brand) -> None:
    note(brand)
    assert feed(sign_in(stranger))["notes"] == []


# --- holidays ---------------------------------------------------------------------------------


def test_holidays_are_named_in_the_readers_language_or_the_countrys_own() -> None:
    day = dt.date(2026, 11, 23)
    assert holiday_on("JP", day, "ja") == "勤労感謝の日"
    assert holiday_on("JP", day, "en") == "Labor Thanksgiving Day"
    assert holiday_on("DE", dt.date(2026, 12, 25), "ja") == "Christmas Day"
    assert holiday_on("DE", dt.date(2026, 12, 25), "de") == "Erster Weihnachtstag"
    assert holiday_on("", day, "ja") == ""
    assert holiday_on("XX", day, "ja") == ""


def test_holidays_of_a_period_that_crosses_the_year() -> None:
    days = [day for day, _name in holidays_between("JP", dt.date(2026, 11, 23), dt.date(2027, 1, 1), "en")]
    assert days == [dt.date(2026, 11, 23), dt.date(2027, 1, 1)]


@pytest.mark.parametrize(
    ("zone", "country"),
    [("Asia/Tokyo", "JP"), ("Europe/Berlin", "DE"), ("America/New_York", "US"), ("UTC", ""), ("Mars", "")],
)
def test_the_country_is_guessed_from_the_zone(zone: str, country: str) -> None:
    assert country_of_zone(zone) == country


def test_the_calendar_and_the_composer_tell_of_holidays(sign_in: SignIn, creator: User, brand: Brand) -> None:
    client = sign_in(creator)
    Brand.objects.filter(pk=brand.pk).update(country="JP")
    assert feed(client)["holidays"] == [
        {"day": "2026-11-03", "title": "Culture Day"},
        {"day": "2026-11-23", "title": "Labor Thanksgiving Day"},
    ]
    data = {"brand": str(brand.pk), "base.part": ["0"], "base.0.text": "Hi", "time": "09:00"}
    path = address("check", uuid.uuid4())
    on, after = (
        client.post(path, data | {"date": date}).content.decode() for date in ("2026-11-23", "2026-11-24")
    )
    assert "A public holiday: Labor Thanksgiving Day" in on
    assert "A public holiday" not in after


def test_of_two_countries_each_holiday_says_where(
    sign_in: SignIn, viewer: User, brand: Brand, other_brand: Brand
) -> None:
    Brand.objects.filter(pk=brand.pk).update(country="DE")
    Brand.objects.filter(pk=other_brand.pk).update(country="JP")
    titles = [one["title"] for one in feed(sign_in(viewer))["holidays"]]
    assert titles == ["Culture Day (Japan)", "Labor Thanksgiving Day (Japan)"]


# --- saved filters ----------------------------------------------------------------------------


@given(
    states=st.frozensets(st.sampled_from(list(PostState)), max_size=3),
    ids=st.frozensets(st.uuids(), max_size=2),
    author=st.one_of(st.none(), st.integers(1, 999_999_999)),
    text=st.text(max_size=100).map(lambda text: text.replace("\x00", "").strip()),
)
def test_a_filter_reads_as_it_was_written(
    states: frozenset[PostState], ids: frozenset[uuid.UUID], author: int | None, text: str
) -> None:
    wanted = PostFilter(accounts=ids, labels=ids, states=states, author=author, text=text)
    assert post_filter(QueryDict(filter_query(wanted))) == wanted


@pytest.mark.parametrize("query", ["", "view=month&date=2026-11-01", "state=none&brand=x&label=y", "&&=="])
def test_what_makes_no_sense_is_no_filter(query: str) -> None:
    assert checked_query(query) == ""


def kept(client: Client, name: str, query: str, **more: str) -> Any:
    return client.post(address("filter_add"), {"name": name, "query": query} | more)


def test_a_filter_is_kept_offered_and_the_default_opens(
    sign_in: SignIn, creator: User, draft_post: Post
) -> None:
    client = sign_in(creator)
    kept(client, "Drafts", "state=draft&view=week", is_default="on")
    row = SavedFilter.objects.get()
    assert row.query == "state=draft"
    for name in ("calendar", "posts"):
        assert client.get(address(name))["Location"] == f"{address(name)}?state=draft"
        page = client.get(address(name), {"state": "draft"}).content.decode()
        assert re.search(r'class="chip active" href="\?state=draft"', page)
        assert client.get(address(name), {"all": "1"}).status_code == 200
    kept(client, "Scheduled", "state=scheduled", is_default="on")
    row.refresh_from_db()
    assert not row.is_default
    changed = {"name": "Mine", "query": "q=tea"}
    client.post(address("filter_change", row.pk), changed)
    row.refresh_from_db()
    assert (row.name, row.query) == ("Mine", "q=tea")
    client.post(address("filter_remove", row.pk))
    assert SavedFilter.objects.count() == 1


def test_a_filter_of_nothing_and_a_name_twice_are_refused(sign_in: SignIn, creator: User) -> None:
    client = sign_in(creator)
    assert "Nothing is filtered" in kept(client, "All", "view=week").content.decode()
    kept(client, "Drafts", "state=draft")
    assert "of this name already" in kept(client, "DRAFTS", "q=x").content.decode()
    assert SavedFilter.objects.count() == 1


def test_a_filter_is_its_owners_unless_it_is_shared_and_then_only_to_use(
    sign_in: SignIn, creator: User, manager: User, stranger: User
) -> None:
    client = sign_in(creator)
    kept(client, "Secret wish", "q=a", is_default="on")
    kept(client, "For all", "q=b", is_shared="on")
    page = sign_in(manager).get(address("posts")).content.decode()
    assert "For all" in page
    assert "Secret wish" not in page
    shared = SavedFilter.objects.get(is_shared=True)
    for name in ("filter_change", "filter_remove"):
        assert sign_in(manager).post(address(name, shared.pk), {"name": "x"}).status_code == 404
    assert SavedFilter.objects.filter(name="For all").exists()
    assert "For all" not in sign_in(stranger).get(address("posts")).content.decode()


# --- feeds ------------------------------------------------------------------------------------


def subscribed(membership: Membership, query: str = "") -> str:
    _feed, secret = add_feed(membership=membership, name="Mine", query=query, language="en", now=NOW)
    return address("feed", secret)


def read(path: str, **headers: str) -> Any:
    return Client().get(path, headers=headers)


def test_the_address_is_shown_once_and_only_its_hash_is_kept(
    sign_in: SignIn, creator: User, draft_post: Post
) -> None:
    client = sign_in(creator)
    page = client.post(address("feed_add"), {"name": "Phone"}).content.decode()
    found = re.search(r"/calendar/feed/([\w-]+)\.ics", page)
    assert found
    assert CalendarFeed.objects.get().token_hash == hashlib.sha256(found[1].encode()).hexdigest()
    assert found[1] not in client.get(address("feeds")).content.decode()
    assert read(found[0]).status_code == 200


def test_a_calendar_program_reads_posts_with_stable_names(
    creator: User, manager: User, brand: Brand, draft_post: Post, sandbox_account: SocialAccount
) -> None:
    scheduled = make_post(brand, creator, "Scheduled, one; with signs\nand lines", sandbox_account)
    schedule_post(post=scheduled, at=LATER + dt.timedelta(hours=1), actor=manager, now=NOW)
    far = make_post(brand, creator, "Next year", planned_at=NOW + dt.timedelta(days=300))
    path = subscribed(creator.memberships.get())
    answer = read(path)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    events = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert [str(event["uid"]) for event in events] == [f"{draft_post.pk}@smmapp", f"{scheduled.pk}@smmapp"]
    assert str(events[1]["summary"]) == "Scheduled, one; with signs [Scheduled]"
    assert events[1].decoded("dtstart") == LATER + dt.timedelta(hours=1)
    assert b"DTSTART:20261124T100000Z" in answer.content
    assert str(far.pk) not in answer.content.decode()


def test_nothing_new_is_304_and_a_change_is_not(creator: User, draft_post: Post) -> None:
    path = subscribed(creator.memberships.get())
    first = read(path)
    assert read(path, **{"If-None-Match": first["ETag"]}).status_code == 304
    with time_machine.travel(NOW + dt.timedelta(hours=2)):
        assert read(path, **{"If-None-Match": first["ETag"]}).status_code == 304
    save_draft(post=draft_post, version=1, draft=Draft(planned_at=LATER + dt.timedelta(hours=2)), now=NOW)
    assert read(path, **{"If-None-Match": first["ETag"]}).status_code == 200


def test_a_feed_shows_what_its_filter_leaves(creator: User, draft_post: Post, other_brand: Brand) -> None:
    make_post(other_brand, creator, "Elsewhere", planned_at=LATER)
    path = subscribed(creator.memberships.get(), f"brand={other_brand.pk}")
    assert b"Elsewhere" in read(path).content
    assert b"Fresh coffee" not in read(path).content


def test_a_feed_shows_what_its_member_may_see_now(
    creator: User, brand: Brand, other_brand: Brand, draft_post: Post
) -> None:
    membership = creator.memberships.get()
    everything, narrowed = subscribed(membership), subscribed(membership, f"brand={brand.pk}")
    membership.has_all_brands = False
    membership.save()
    membership.brands.add(other_brand)
    assert b"Fresh coffee" not in read(everything).content
    assert b"Fresh coffee" not in read(narrowed).content
    Membership.objects.update(is_active=False)
    assert read(everything).status_code == 404


def test_renewed_removed_and_wrong_addresses_are_nothing(
    sign_in: SignIn, creator: User, draft_post: Post
) -> None:
    path = subscribed(creator.memberships.get())
    row = CalendarFeed.objects.get()
    client = sign_in(creator)
    page = client.post(address("feed_renew", row.pk)).content.decode()
    fresh = re.search(r"/calendar/feed/[\w-]+\.ics", page)
    assert fresh
    assert read(path).status_code == 404
    assert read(fresh[0]).status_code == 200
    client.post(address("feed_remove", row.pk))
    assert read(fresh[0]).status_code == 404
    for secret in ("x", "x" * 500, "a" * 32):
        assert read(address("feed", secret)).status_code == 404


def test_only_its_own_member_withdraws_a_feed(sign_in: SignIn, creator: User, owner: User) -> None:
    subscribed(creator.memberships.get())
    row = CalendarFeed.objects.get()
    assert sign_in(owner).post(address("feed_remove", row.pk)).status_code == 404
    assert CalendarFeed.objects.exists()


def test_somebody_who_guesses_is_slowed_down(db: None) -> None:
    path = address("feed", "a" * 32)
    assert {read(path).status_code for _ in range(MOST_REQUESTS)} == {404}
    assert read(path).status_code == 429


def test_a_deleted_post_leaves_the_feed(creator: User, manager: User, draft_post: Post) -> None:
    schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    path = subscribed(creator.memberships.get())
    assert b"Fresh coffee" in read(path).content
    Post.objects.update(deleted_at=NOW)
    assert Delivery.objects.exists()
    assert b"Fresh coffee" not in read(path).content
