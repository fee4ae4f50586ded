"""Many posts at once: previews that change nothing, changes with refusals beside them, their undoing."""

from __future__ import annotations

import datetime as dt
import re
import uuid
import zoneinfo
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Brand, Organization, SocialAccount, User
from campaigns.models import Campaign
from content_calendar.content import Part
from content_calendar.models import (
    Approval,
    ApprovalRule,
    BulkAction,
    BulkChange,
    BulkKind,
    BulkOutcome,
    KeptBecause,
    Label,
    Post,
    PostVersion,
    Variant,
)
from content_calendar.selectors.bulk import pieces
from content_calendar.services import approval, bulk
from content_calendar.services.bulk import KEPT_FOR, UndoTooLate, carry_out, clean, preview, undo
from content_calendar.services.changes import (
    Edit,
    Move,
    Plain,
    Replace,
    Wish,
    draft_from_json,
    draft_to_json,
)
from content_calendar.services.drafts import Draft, create_post, delete_post, save_draft
from content_calendar.services.scheduling import cancel_variant, schedule_post, update_scheduled
from content_calendar.views.bulk import TOLD
from core.time import to_local
from outbox.missed import MissedRule
from outbox.models import Delivery, DeliveryState, MissedPolicy
from tests.content_calendar.conftest import LATER, NOW, make_post
from tests.content_calendar.test_approval import ask_for, client_says, link_for

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def scheduled_post(draft_post: Post, manager: User) -> Post:
    return schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)


@pytest.fixture
def second_draft(brand: Brand, creator: User, sandbox_account: SocialAccount) -> Post:
    return make_post(brand, creator, "Tea at five", sandbox_account, planned_at=LATER + DAY)


def done(organization: Organization, actor: User, wish: Wish, *posts: Post, **given: Any) -> BulkAction:
    for post in posts:
        post.refresh_from_db()
    return carry_out(
        action_id=given.get("action_id", uuid.uuid4()),
        organization=organization,
        shown=[(post, post.version) for post in posts],
        wish=wish,
        actor=actor,
        may_publish=given.get("may_publish", True),
        refusals=TOLD,
        now=NOW,
    )


def taken_back(action: BulkAction, actor: User, *, may_publish: bool = True, now: dt.datetime = NOW) -> None:
    undo(action=action, actor=actor, may_publish=may_publish, refusals=TOLD, now=now)


def outcomes(action: BulkAction) -> dict[str, str]:
    return {change.post.excerpt: change.outcome for change in action.changes.select_related("post")}


# --- moving -----------------------------------------------------------------------------------


def test_a_move_by_days_keeps_the_wall_time_when_the_clocks_change() -> None:
    at = dt.datetime(2026, 3, 28, 8, 0, tzinfo=dt.UTC)  # 9:00 in Berlin, the day before summer time
    assert Move(days=1).moved(at, "Europe/Berlin") == dt.datetime(2026, 3, 29, 7, 0, tzinfo=dt.UTC)
    assert Move(minutes=24 * 60).moved(at, "Europe/Berlin") == at + DAY


def test_a_wall_time_that_the_clocks_skip_becomes_the_end_of_the_gap() -> None:
    at = dt.datetime(2026, 3, 28, 1, 30, tzinfo=dt.UTC)  # 2:30
    moved = Move(days=1).moved(at, "Europe/Berlin")
    assert to_local(moved, "Europe/Berlin").strftime("%d %H:%M") == "29 03:00"


@given(
    at=st.integers(0, 2 * 366 * 24 * 4).map(lambda n: NOW + n * dt.timedelta(minutes=15)),
    days=st.integers(-40, 40),
    zone=st.sampled_from(["Europe/Berlin", "Asia/Tokyo", "America/New_York", "Australia/Lord_Howe"]),
)
def test_days_keep_the_time_of_day_or_the_end_of_its_gap(at: dt.datetime, days: int, zone: str) -> None:
    before, after = to_local(at, zone), to_local(Move(days=days).moved(at, zone), zone)
    if not days:
        assert after == before
        return
    wanted = before.replace(tzinfo=None) + dt.timedelta(days=days)
    exists = (
        wanted.replace(tzinfo=zoneinfo.ZoneInfo(zone))
        .astimezone(dt.UTC)
        .astimezone(zoneinfo.ZoneInfo(zone))
        .replace(tzinfo=None)
        == wanted
    )
    assert (after.replace(tzinfo=None) == wanted) == exists
    assert after.date() == wanted.date()


def test_drafts_and_scheduled_posts_move_together(
    organization: Organization, manager: User, scheduled_post: Post, second_draft: Post
) -> None:
    action = done(organization, manager, Move(days=2), scheduled_post, second_draft)
    assert Delivery.objects.get().due_at == LATER + 2 * DAY
    second_draft.refresh_from_db()
    assert second_draft.planned_at == LATER + 3 * DAY
    taken_back(action, manager)
    second_draft.refresh_from_db()
    assert (Delivery.objects.get().due_at, second_draft.planned_at) == (LATER, LATER + DAY)
    assert set(outcomes(action).values()) == {BulkOutcome.UNDONE}


def test_a_draft_without_a_time_needs_a_day_and_a_time(
    organization: Organization, brand: Brand, creator: User
) -> None:
    post = make_post(brand, creator, "Some day")
    action = done(organization, creator, Move(days=1), post)
    assert action.changes.get().outcome == BulkOutcome.REFUSED
    assert "no time yet" in action.changes.get().reason
    action = done(organization, creator, Move(date=dt.date(2026, 12, 1), time=dt.time(9)), post)
    post.refresh_from_db()
    assert post.planned_at == dt.datetime(2026, 12, 1, 8, tzinfo=dt.UTC)
    taken_back(action, creator)
    post.refresh_from_db()
    assert post.planned_at is None


# --- previews ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wish",
    [
        Move(days=1),
        Replace("coffee", "tea"),
        Edit(sets_missed=True, missed=MissedRule(MissedPolicy.SKIP, 3600)),
        Plain(BulkKind.UNSCHEDULE),
        Plain(BulkKind.DELETE),
    ],
)
def test_a_preview_changes_nothing_at_all(manager: User, scheduled_post: Post, wish: Wish) -> None:
    def everything() -> list[Any]:
        tables = (Post, Delivery, BulkAction, BulkChange)
        return [list(table.objects.values()) for table in tables] + [
            list(Delivery.objects.get().receipt.values())
        ]

    before = everything()
    (outcome,) = preview(
        posts=[scheduled_post.pk], wish=wish, actor=manager, may_publish=True, refusals=TOLD, now=NOW
    )
    assert not outcome.reason
    assert everything() == before


def test_what_a_preview_refuses_the_change_refuses_too(
    organization: Organization, manager: User, scheduled_post: Post, second_draft: Post
) -> None:
    wish = Move(days=-4)
    told = preview(
        posts=[scheduled_post.pk, second_draft.pk],
        wish=wish,
        actor=manager,
        may_publish=True,
        refusals=TOLD,
        now=NOW,
    )
    assert [outcome.reason for outcome in told] == ["This time is over. Choose a later one."] * 2
    action = done(organization, manager, wish, scheduled_post, second_draft)
    assert {change.reason for change in action.changes.all()} == {"This time is over. Choose a later one."}
    assert Delivery.objects.get().due_at == LATER


def test_the_yes_counts_for_what_was_shown_only(
    organization: Organization, manager: User, draft_post: Post, second_draft: Post
) -> None:
    shown = [(draft_post, draft_post.version), (second_draft, second_draft.version)]
    save_draft(post=draft_post, version=draft_post.version, draft=Draft(parts=(Part("Other"),)), now=NOW)
    action = carry_out(
        action_id=uuid.uuid4(),
        organization=organization,
        shown=shown,
        wish=Replace("e", "E"),
        actor=manager,
        may_publish=True,
        refusals=TOLD,
        now=NOW,
    )
    assert outcomes(action) == {"Other": BulkOutcome.REFUSED, "TEa at fivE": BulkOutcome.DONE}
    assert Post.objects.get(pk=draft_post.pk).excerpt == "Other"


def test_the_same_yes_twice_is_one(organization: Organization, creator: User, draft_post: Post) -> None:
    key = uuid.uuid4()
    done(organization, creator, Move(days=1), draft_post, action_id=key)
    done(organization, creator, Move(days=1), draft_post, action_id=key)
    draft_post.refresh_from_db()
    assert draft_post.planned_at == LATER + DAY
    assert BulkAction.objects.count() == 1


# --- editing and replacing --------------------------------------------------------------------


def test_words_are_replaced_in_the_post_and_in_the_words_of_accounts(
    organization: Organization,
    brand: Brand,
    manager: User,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
) -> None:
    post = create_post(
        brand=brand,
        author=manager,
        draft=Draft(
            parts=(Part("Coffee $1 at nine"), Part("More coffee")),
            accounts=(sandbox_account.pk, second_account.pk),
            own_parts={second_account.pk: (Part("COFFEE here"),)},
            planned_at=LATER,
        ),
        now=NOW,
    )
    schedule_post(post=post, at=LATER, actor=manager, now=NOW)
    action = done(organization, manager, Replace("coffee", r"te\1a"), post)
    texts = [
        [part["text"] for part in delivery.payload["parts"]]
        for delivery in Delivery.objects.order_by("account__platform")
    ]
    assert texts == [[r"te\1a here"], [r"te\1a $1 at nine", r"More te\1a"]]
    taken_back(action, manager)
    texts = [d.payload["parts"][0]["text"] for d in Delivery.objects.order_by("account__platform")]
    assert texts == ["COFFEE here", "Coffee $1 at nine"]


def test_capitals_count_when_asked(organization: Organization, creator: User, draft_post: Post) -> None:
    action = done(organization, creator, Replace("fresh", "New", matches_case=True), draft_post)
    assert action.changes.get().reason == "These words do not stand in it."
    done(organization, creator, Replace("Fresh", "New", matches_case=True), draft_post)
    draft_post.refresh_from_db()
    assert draft_post.excerpt == "New coffee at nine"


def test_what_no_network_takes_is_refused_and_said_why(
    organization: Organization, manager: User, scheduled_post: Post
) -> None:
    action = done(organization, manager, Replace("coffee", "x" * 2000), scheduled_post)
    change = action.changes.get()
    assert change.outcome == BulkOutcome.REFUSED
    assert change.reason
    assert Delivery.objects.get().payload["parts"][0]["text"] == "Fresh coffee at nine"


def test_facts_are_edited_and_put_back(
    organization: Organization,
    brand: Brand,
    manager: User,
    draft_post: Post,
    second_account: SocialAccount,
    sandbox_account: SocialAccount,
) -> None:
    old, new = (Label.objects.create(brand=brand, name=name) for name in ("Old", "New"))
    spring = Campaign.objects.create(
        brand=brand,
        name="Spring",
        code="spring",
        starts_on="2026-11-01",
        ends_on="2026-12-31",
        created_at=NOW,
    )
    draft = replace(Draft.of_post(draft_post), labels=(old.pk,))
    save_draft(post=draft_post, version=draft_post.version, draft=draft, now=NOW)
    wish = Edit(
        sets_campaign=True,
        campaign=spring.pk,
        add_labels=(new.pk,),
        remove_labels=(old.pk,),
        add_accounts=(second_account.pk,),
        remove_accounts=(sandbox_account.pk,),
        sets_missed=True,
        missed=MissedRule(MissedPolicy.SKIP, 3600),
    )
    action = done(organization, manager, wish, draft_post)
    after = Draft.of_post(Post.objects.get(pk=draft_post.pk))
    assert (after.campaign, after.labels, after.accounts) == (spring.pk, (new.pk,), (second_account.pk,))
    assert after.missed == MissedRule(MissedPolicy.SKIP, 3600)
    taken_back(action, manager)
    assert Draft.of_post(Post.objects.get(pk=draft_post.pk)) == draft


def test_labels_change_on_what_has_gone_out_but_nothing_else_does(
    organization: Organization, brand: Brand, manager: User, scheduled_post: Post
) -> None:
    Delivery.objects.update(state=DeliveryState.SENT)
    label = Label.objects.create(brand=brand, name="Recipes")
    action = done(organization, manager, Edit(add_labels=(label.pk,)), scheduled_post)
    assert outcomes(action) == {"Fresh coffee at nine": BulkOutcome.DONE}
    assert list(scheduled_post.labels.all()) == [label]
    action = done(organization, manager, Replace("coffee", "tea"), scheduled_post)
    assert outcomes(action) == {"Fresh coffee at nine": BulkOutcome.REFUSED}


def test_a_label_of_another_brand_is_refused(
    organization: Organization, other_brand: Brand, manager: User, draft_post: Post
) -> None:
    theirs = Label.objects.create(brand=other_brand, name="Theirs")
    action = done(organization, manager, Edit(add_labels=(theirs.pk,)), draft_post)
    assert "label" in action.changes.get().reason
    assert not draft_post.labels.exists()


# --- schedule, unschedule, delete -------------------------------------------------------------


def test_scheduling_and_back(organization: Organization, manager: User, draft_post: Post) -> None:
    action = done(organization, manager, Plain(BulkKind.SCHEDULE), draft_post)
    assert Delivery.objects.get().state == DeliveryState.SCHEDULED
    taken_back(action, manager)
    assert Delivery.objects.get().state == DeliveryState.CANCELLED


def test_unscheduling_and_back(organization: Organization, manager: User, scheduled_post: Post) -> None:
    action = done(organization, manager, Plain(BulkKind.UNSCHEDULE), scheduled_post)
    assert not Delivery.objects.filter(state=DeliveryState.SCHEDULED).exists()
    taken_back(action, manager)
    assert Delivery.objects.get(state=DeliveryState.SCHEDULED).due_at == LATER


def test_what_left_the_schedule_for_its_approval_is_back_in_it_after_undo(
    organization: Organization, manager: User, brand: Brand, draft_post: Post
) -> None:
    ask_for(brand, ApprovalRule.CLIENT)
    approval.submit_for_review(post=draft_post, actor=manager, now=NOW)
    client_says(draft_post, link_for(draft_post, manager), yes=True)
    assert Delivery.objects.get().state == DeliveryState.SCHEDULED
    action = done(organization, manager, Replace("coffee", "tea"), draft_post)
    draft_post.refresh_from_db()
    assert draft_post.approval == Approval.IN_REVIEW
    assert not Delivery.objects.exclude(state=DeliveryState.CANCELLED).exists()
    taken_back(action, manager)
    draft_post.refresh_from_db()
    assert draft_post.approval == Approval.APPROVED
    live = Delivery.objects.exclude(state=DeliveryState.CANCELLED).get()
    assert (live.due_at, live.payload["parts"][0]["text"]) == (LATER, "Fresh coffee at nine")
    assert action.changes.get().reason == ""


def test_a_preview_says_what_would_leave_the_schedule(
    manager: User, brand: Brand, scheduled_post: Post, second_draft: Post, sign_in: SignIn
) -> None:
    chosen = {"kind": "replace", "step": "preview", "find": "e", "by": "E", "matches_case": "on"}
    ids = [str(scheduled_post.pk), str(second_draft.pk)]
    address = reverse("content_calendar:change_many")
    said = "It leaves the schedule until it is approved again."
    assert said not in sign_in(manager).post(address, chosen | {"post": ids}).content.decode()
    ask_for(brand, ApprovalRule.CLIENT)
    page = sign_in(manager).post(address, chosen | {"post": ids}).content.decode()
    assert page.count(said) == 1
    assert "1 post leaves the schedule until it is approved as it is then." in page
    assert Delivery.objects.get().state == DeliveryState.SCHEDULED


def test_what_cannot_go_back_into_the_schedule_says_so(
    organization: Organization, manager: User, brand: Brand, scheduled_post: Post
) -> None:
    ask_for(brand, ApprovalRule.CLIENT)  # nobody has approved what was scheduled before
    action = done(organization, manager, Replace("coffee", "tea"), scheduled_post)
    taken_back(action, manager)
    change = action.changes.get()
    assert change.post.parts[0]["text"] == "Fresh coffee at nine"
    assert change.outcome == BulkOutcome.UNDONE
    assert "client" in change.reason


def test_other_words_keep_those_that_another_person_wrote(
    organization: Organization, manager: User, draft_post: Post
) -> None:
    done(organization, manager, Replace("coffee", "tea"), draft_post)
    kept = PostVersion.objects.get(post=draft_post)
    assert kept.content["parts"][0]["text"] == "Fresh coffee at nine"
    assert kept.because == KeptBecause.OTHER_PERSON
    draft_post.refresh_from_db()
    assert draft_post.edited_by == manager


def test_what_cannot_be_scheduled_again_is_left_in_the_drafts(
    organization: Organization, manager: User, scheduled_post: Post
) -> None:
    action = done(organization, manager, Plain(BulkKind.UNSCHEDULE), scheduled_post)
    taken_back(action, manager, now=NOW + dt.timedelta(hours=23))
    assert outcomes(action) == {"Fresh coffee at nine": BulkOutcome.UNDONE}  # its time is still to come
    action = done(organization, manager, Plain(BulkKind.UNSCHEDULE), scheduled_post)
    BulkAction.objects.update(created_at=LATER)
    action.refresh_from_db()
    taken_back(action, manager, now=LATER + dt.timedelta(minutes=1))
    assert outcomes(action) == {"Fresh coffee at nine": BulkOutcome.LEFT}
    assert "time is over" in action.changes.get().reason


@pytest.mark.parametrize("kind", [BulkKind.UNSCHEDULE, BulkKind.DELETE])
def test_undo_does_not_bring_back_an_account_that_was_taken_off_before(
    organization: Organization,
    manager: User,
    scheduled_post: Post,
    second_account: SocialAccount,
    kind: BulkKind,
) -> None:
    draft = Draft.of_post(scheduled_post)
    draft = replace(draft, accounts=(*draft.accounts, second_account.pk))
    update_scheduled(post=scheduled_post, version=scheduled_post.version, draft=draft, actor=manager, now=NOW)
    variant = Variant.objects.select_related("post", "delivery").get(account=second_account)
    cancel_variant(variant=variant, actor=manager, now=NOW)
    action = done(organization, manager, Plain(kind), scheduled_post)
    taken_back(action, manager)
    live = Delivery.objects.exclude(state=DeliveryState.CANCELLED).get()
    assert live.account_id != second_account.pk


def test_deleting_and_back_is_scheduled_again(
    organization: Organization, manager: User, scheduled_post: Post, second_draft: Post
) -> None:
    action = done(organization, manager, Plain(BulkKind.DELETE), scheduled_post, second_draft)
    assert Post.objects.filter(deleted_at__isnull=False).count() == 2
    taken_back(action, manager)
    assert Post.objects.filter(deleted_at__isnull=True).count() == 2
    assert Delivery.objects.get(state=DeliveryState.SCHEDULED).due_at == LATER


def test_a_deleted_post_whose_time_is_over_comes_back_as_a_draft_and_says_so(
    organization: Organization, manager: User, draft_post: Post
) -> None:
    schedule_post(post=draft_post, at=NOW + dt.timedelta(hours=1), actor=manager, now=NOW)
    action = done(organization, manager, Plain(BulkKind.DELETE), draft_post)
    taken_back(action, manager, now=NOW + dt.timedelta(hours=2))
    draft_post.refresh_from_db()
    assert (draft_post.deleted_at, draft_post.approval) == (None, Approval.DRAFT)
    assert "This time is over" in action.changes.get().reason


# --- who may, and until when ------------------------------------------------------------------


@pytest.mark.parametrize(
    "wish", [Move(days=1), Replace("coffee", "tea"), Plain(BulkKind.DELETE), Plain(BulkKind.UNSCHEDULE)]
)
def test_who_only_drafts_changes_nothing_that_is_scheduled(
    organization: Organization, creator: User, scheduled_post: Post, second_draft: Post, wish: Wish
) -> None:
    action = done(organization, creator, wish, scheduled_post, may_publish=False)
    assert outcomes(action) == {"Fresh coffee at nine": BulkOutcome.REFUSED}
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.due_at) == (DeliveryState.SCHEDULED, LATER)


def test_who_only_drafts_does_not_undo_what_is_scheduled(
    organization: Organization, manager: User, creator: User, scheduled_post: Post
) -> None:
    action = done(organization, manager, Move(days=1), scheduled_post)
    taken_back(action, creator, may_publish=False)
    assert outcomes(action) == {"Fresh coffee at nine": BulkOutcome.LEFT}
    assert Delivery.objects.get().due_at == LATER + DAY


def test_what_was_changed_since_is_left_and_said(
    organization: Organization, manager: User, draft_post: Post, second_draft: Post
) -> None:
    action = done(organization, manager, Move(days=1), draft_post, second_draft)
    draft_post.refresh_from_db()
    save_draft(post=draft_post, version=draft_post.version, draft=Draft(parts=(Part("Mine"),)), now=NOW)
    delete_post(post=second_draft, actor=manager, now=NOW)
    taken_back(action, manager)
    assert set(outcomes(action).values()) == {BulkOutcome.LEFT}
    assert Post.objects.get(pk=draft_post.pk).excerpt == "Mine"


def test_a_day_later_nothing_is_taken_back(
    organization: Organization, creator: User, draft_post: Post
) -> None:
    action = done(organization, creator, Move(days=1), draft_post)
    with pytest.raises(UndoTooLate):
        taken_back(action, creator, now=NOW + DAY)
    taken_back(action, creator, now=NOW + DAY - dt.timedelta(seconds=1))
    with pytest.raises(UndoTooLate):
        taken_back(action, creator)


def test_old_changes_are_forgotten(organization: Organization, creator: User, draft_post: Post) -> None:
    done(organization, creator, Move(days=1), draft_post)
    assert clean(now=NOW + KEPT_FOR) == 0
    clean(now=NOW + KEPT_FOR + DAY)
    assert not BulkAction.objects.exists()
    assert Post.objects.filter(pk=draft_post.pk).exists()


@given(
    text=st.text(max_size=200),
    planned=st.one_of(st.none(), st.datetimes().map(lambda t: t.replace(tzinfo=dt.UTC))),
    labels=st.lists(st.uuids(), max_size=3, unique=True),
)
def test_a_draft_is_kept_exactly(text: str, planned: dt.datetime | None, labels: list[uuid.UUID]) -> None:
    account = uuid.uuid4()
    draft = Draft(
        parts=(Part(text),),
        accounts=(account,),
        own_parts={account: (Part(text), Part("2"))},
        planned_at=planned,
        labels=tuple(labels),
    )
    assert draft_from_json(draft_to_json(draft)) == draft


@given(text=st.text("abc \n", max_size=300), find=st.text("abc", min_size=1, max_size=2))
def test_pieces_show_each_place_once(text: str, find: str) -> None:
    pattern = re.compile(re.escape(find))
    shown = pieces(text, pattern, "X")
    assert sum(piece.kind == "old" for piece in shown) == len(pattern.findall(text))
    assert sum(piece.kind == "new" for piece in shown) == len(pattern.findall(text))


# --- the pages --------------------------------------------------------------------------------


def asked(client: Client, kind: str, *posts: Post, **more: Any) -> Any:
    data = {"kind": kind, "post": [str(post.pk) for post in posts], **more}
    return client.post(reverse("content_calendar:change_many"), data)


def fields(page: str) -> dict[str, Any]:
    """The form of the yes."""
    form = page[page.index('action="/calendar/change-many/apply/"') :]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(value)
    return found


def test_from_the_choice_over_the_preview_to_undo(
    sign_in: SignIn, manager: User, scheduled_post: Post, second_draft: Post
) -> None:
    client = sign_in(manager)
    first = asked(client, "move", scheduled_post, second_draft, next="/calendar/?view=week")
    assert first.status_code == 200
    assert "Fresh coffee at nine" in first.content.decode()
    page = asked(
        client, "move", scheduled_post, second_draft, step="preview", days="1", next="/calendar/?view=week"
    ).content.decode()
    assert "Move 2 posts" in page
    assert "Wed 25 Nov, 10:00" in page
    assert Delivery.objects.get().due_at == LATER
    answer = client.post(reverse("content_calendar:change_many_apply"), fields(page))
    action = BulkAction.objects.get()
    assert answer["Location"] == f"/calendar/?view=week&changed={action.pk}"
    assert Delivery.objects.get().due_at == LATER + DAY
    told = client.get(answer["Location"]).content.decode()
    assert "2 posts were moved" in told
    undone = client.post(reverse("content_calendar:changes_undo", args=[action.pk]))
    assert undone["Location"] == reverse("content_calendar:changes_detail", args=[action.pk])
    assert Delivery.objects.get().due_at == LATER
    assert "Taken back" in client.get(undone["Location"]).content.decode()
    assert "2 posts were moved" in client.get(reverse("content_calendar:changes")).content.decode()


def test_a_preview_of_words_marks_them_and_names_refusals(
    sign_in: SignIn, creator: User, scheduled_post: Post, second_draft: Post
) -> None:
    page = asked(
        sign_in(creator), "replace", scheduled_post, second_draft, step="preview", find="a", by="o"
    ).content.decode()
    assert "<del>a</del><ins>o</ins>" in page
    assert "Only those who publish can change what is scheduled." in page
    assert fields(page)["shown"] == [f"{second_draft.pk}.{second_draft.version}"]


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("move", {}, "Say by how much"),
        ("move", {"days": "9999"}, "Ensure this value"),
        ("move", {"date": "9999-01-01", "time": "09:00"}, "Enter a valid date"),
        ("edit", {}, "Choose what to change"),
        ("edit", {"add_labels": "x"}, "Choose what to change"),
        ("replace", {"find": ""}, "This field is required"),
    ],
)
def test_what_makes_no_sense_is_explained(
    sign_in: SignIn, creator: User, draft_post: Post, kind: str, given: dict[str, str], said: str
) -> None:
    answer = asked(sign_in(creator), kind, draft_post, step="preview", **given)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not BulkAction.objects.exists()


def test_nothing_chosen_leads_back_with_a_sentence(sign_in: SignIn, creator: User, draft_post: Post) -> None:
    client = sign_in(creator)
    answer = asked(client, "move", next="https://elsewhere.example/")
    assert answer["Location"] == reverse("content_calendar:posts")
    assert asked(client, "explode", draft_post).status_code == 404
    too_many = client.post(
        reverse("content_calendar:change_many"),
        {"kind": "delete", "post": [str(uuid.uuid4()) for _ in range(bulk.MOST_POSTS + 1)]},
    )
    assert too_many.status_code == 302
    assert not BulkAction.objects.exists()


def test_posts_of_another_organization_cannot_be_chosen(
    sign_in: SignIn, stranger: User, other_organization: Organization, draft_post: Post
) -> None:
    Brand.objects.create(organization=other_organization, name="Theirs")
    client = sign_in(stranger)
    assert asked(client, "delete", draft_post).status_code == 302
    data = {"kind": "delete", "action": str(uuid.uuid4()), "shown": f"{draft_post.pk}.{draft_post.version}"}
    client.post(reverse("content_calendar:change_many_apply"), data)
    draft_post.refresh_from_db()
    assert draft_post.deleted_at is None
    assert not BulkAction.objects.exists()


def test_a_viewer_can_choose_nothing(sign_in: SignIn, viewer: User, draft_post: Post) -> None:
    client = sign_in(viewer)
    assert asked(client, "delete", draft_post).status_code == 403
    page = client.get(reverse("content_calendar:posts")).content.decode()
    assert "data-bulk-check" not in page
    draft_post.refresh_from_db()
    assert draft_post.deleted_at is None


def test_posts_of_two_brands_share_no_campaign_or_labels(
    sign_in: SignIn, creator: User, draft_post: Post, other_brand: Brand
) -> None:
    other = make_post(other_brand, creator, "Elsewhere")
    Label.objects.create(brand=draft_post.brand, name="Recipes")
    client = sign_in(creator)
    assert "Recipes" in asked(client, "edit", draft_post).content.decode()
    page = asked(client, "edit", draft_post, other).content.decode()
    assert "Recipes" not in page
    assert "choose posts of one brand only" in page


def test_an_edit_shows_each_fact_that_changes(
    sign_in: SignIn, creator: User, brand: Brand, draft_post: Post
) -> None:
    label = Label.objects.create(brand=brand, name="Recipes")
    given = {"step": "preview", "add_labels": [str(label.pk)], "late": "skip:3600"}
    page = asked(sign_in(creator), "edit", draft_post, **given).content.decode()
    assert "<strong>Recipes</strong>" in page
    assert "1 hour" in page
    assert fields(page)["late"] == ["skip:3600"]


def test_a_drag_can_be_undone(sign_in: SignIn, manager: User, scheduled_post: Post) -> None:
    client = sign_in(manager)
    headers = {"Accept": "application/json"}
    path = reverse("content_calendar:move", args=[scheduled_post.pk])
    answer = client.post(path, {"local_time": "2026-11-30T10:00"}, headers=headers).json()
    assert Delivery.objects.get().due_at == dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)
    assert client.post(answer["undo_url"], headers=headers).json() == {"message": "Taken back."}
    assert Delivery.objects.get().due_at == LATER
    assert client.post(answer["undo_url"], headers=headers).status_code == 422


def test_a_member_of_some_brands_sees_no_change_of_others(
    sign_in: SignIn,
    organization: Organization,
    creator: User,
    manager: User,
    draft_post: Post,
    other_brand: Brand,
) -> None:
    elsewhere = make_post(other_brand, creator, "Elsewhere", planned_at=LATER)
    mixed = done(organization, manager, Move(days=1), draft_post, elsewhere)
    own = done(organization, manager, Move(days=1), draft_post)
    membership = creator.memberships.get()
    membership.has_all_brands = False
    membership.save()
    membership.brands.add(draft_post.brand)
    assert list(BulkAction.objects.for_member(membership)) == [own]
    path = reverse("content_calendar:changes_undo", args=[mixed.pk])
    assert sign_in(creator).post(path).status_code == 404
