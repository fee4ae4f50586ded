"""Posts from the rows of a file, exactly once, and back again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from accounts.models import AccountStatus, AuditEntry, Brand, SocialAccount, User
from content_calendar.content import Part
from content_calendar.models import (
    Approval,
    ApprovalRule,
    ImportRow,
    ImportState,
    Label,
    LabelTone,
    Post,
    RowOutcome,
    SavedFilter,
    Variant,
)
from content_calendar.selectors.imports import UNDO_FOR
from content_calendar.services import approval, import_runs, imports
from content_calendar.services.drafts import Draft, create_post, delete_post, save_draft
from content_calendar.services.imports import LEASE, LeaseLost, NotWaiting, NotWhole, start
from content_calendar.services.labels import change_label
from content_calendar.services.scheduling import move_post
from content_calendar.services.writing import save_template
from outbox.models import Delivery, DeliveryState
from tests.campaigns.conftest import make_campaign
from tests.content_calendar.conftest import NOW
from tests.content_calendar.importing import REFUSED, checked, claimed, imported, run, run_back, table, undone
from tests.content_calendar.test_approval import ask_for

State = ImportState
HEADER = ("date", "time", "text", "text_2", "accounts", "campaign", "labels", "state", "late", "card_url")
SCHEDULED = (
    "2026-12-01",
    "9:30",
    "One",
    "Two",
    "all",
    "Spring",
    "Menu; Cake",
    "schedule",
    "skip:3600",
    "a.example",
)
DRAFT = ("", "", "An idea", "", "", "", "", "draft", "", "")


def many(count: int, state: str = "schedule") -> bytes:
    start_at = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
    times = [start_at + dt.timedelta(minutes=n) for n in range(count)]
    rows = [(f"{at:%Y-%m-%d}", f"{at:%H:%M}", f"Post {n}", "all", state) for n, at in enumerate(times)]
    return table(("date", "time", "text", "accounts", "state"), *rows)


def test_a_row_becomes_the_post_that_it_says(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    make_campaign(brand)
    Label.objects.create(brand=brand, name="menu", tone=LabelTone.RED)
    batch = imported(checked(brand, manager, table(HEADER, SCHEDULED, DRAFT)), manager)
    assert (batch.state, batch.scheduled, batch.drafted, batch.refused) == (State.DONE, 1, 1, 0)
    post, idea = Post.objects.order_by("pk")
    assert [part["text"] for part in post.parts] == ["One", "Two"]
    assert post.parts[0]["link_card"]["url"] == "https://a.example"
    assert post.planned_at == dt.datetime(2026, 12, 1, 8, 30, tzinfo=dt.UTC)
    assert (post.brand, post.author, post.approval) == (brand, manager, Approval.APPROVED)
    assert post.campaign is not None
    assert post.missed_rule is not None
    assert post.missed_rule.key == "skip:3600"
    assert sorted(label.name for label in post.labels.all()) == ["Cake", "menu"]
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.due_at, delivery.account) == (
        DeliveryState.SCHEDULED,
        post.planned_at,
        sandbox_account,
    )
    assert (idea.approval, idea.planned_at, idea.variants.count()) == (Approval.DRAFT, None, 0)
    entry = AuditEntry.objects.get(action="post.imported")
    assert (entry.actor, entry.detail) == (manager, {"file": "plan.csv", "posts": 2})
    assert batch.storage_key == ""


def test_what_cannot_be_scheduled_any_more_stays_a_draft_and_says_so(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    batch = checked(brand, manager, table(HEADER, (*SCHEDULED[:5], "", "", "schedule", "", "")))
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    batch = imported(batch, manager)
    assert (batch.drafted, batch.scheduled) == (1, 0)
    row = ImportRow.objects.get()
    assert row.outcome == RowOutcome.DRAFT
    assert row.notes[-1]["text"].startswith("It stays a draft: ")
    assert "must be reconnected" in row.notes[-1]["text"]
    assert not Delivery.objects.exists()


def test_any_further_refusal_of_scheduling_is_said_too(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    class NotApproved(Exception):
        """A rule that somebody adds."""

    batch = checked(brand, manager, many(2))
    refusals = imports.Refusals((*REFUSED.kinds, NotApproved), lambda _refusal: "It must be approved first.")
    start(batch=batch, is_all_or_nothing=False, may_schedule=True, actor=manager, now=NOW)
    with mock.patch.object(import_runs, "schedule_post", side_effect=NotApproved):
        run(claimed(batch), refusals=refusals)
    assert {row.notes[-1]["text"] for row in ImportRow.objects.all()} == {
        "It stays a draft: It must be approved first."
    }
    assert Post.objects.filter(approval=Approval.DRAFT).count() == 2


def test_an_account_that_was_disconnected_meanwhile_refuses_its_rows_only(
    brand: Brand, manager: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    rows = [("a", "sandbox"), ("b", "bluesky")]
    batch = checked(brand, manager, table(("text", "accounts"), *rows))
    second_account.status = AccountStatus.DISCONNECTED
    second_account.save()
    batch = imported(batch, manager)
    assert (batch.drafted, batch.refused) == (1, 1)
    assert [row.outcome for row in ImportRow.objects.order_by("number")] == ["draft", "refused"]
    assert ImportRow.objects.get(number=3).post is None


def test_without_the_right_to_publish_everything_becomes_a_draft(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    batch = imported(checked(brand, creator, many(3), may_schedule=False), creator)
    assert (batch.drafted, batch.scheduled) == (3, 0)
    assert not Delivery.objects.exists()
    assert Post.objects.filter(planned_at__isnull=False).count() == 3


def test_the_right_to_publish_is_asked_of_whoever_says_yes(
    brand: Brand, manager: User, creator: User, sandbox_account: SocialAccount
) -> None:
    batch = checked(brand, manager, many(1))
    start(batch=batch, is_all_or_nothing=False, may_schedule=False, actor=creator, now=NOW)
    run(claimed(batch))
    assert not Delivery.objects.exists()
    assert Post.objects.get().author == creator


# --- exactly once -----------------------------------------------------------------------------


class Killed(BaseException):
    """As if the process were gone."""


@pytest.mark.parametrize("dies_at", [1, 24, 25, 26, 59])
def test_a_worker_that_is_killed_leaves_no_row_twice_and_none_out(
    brand: Brand, manager: User, sandbox_account: SocialAccount, dies_at: int
) -> None:
    batch = checked(brand, manager, many(60))
    start(batch=batch, is_all_or_nothing=False, may_schedule=True, actor=manager, now=NOW)
    calls = 0

    def dying(**given: Any) -> Post:
        nonlocal calls
        calls += 1
        if calls == dies_at:
            raise Killed
        return create_post(**given)

    lease = claimed(batch)
    with mock.patch.object(import_runs, "create_post", dying), pytest.raises(Killed):
        run(lease)
    committed = Post.objects.count()
    assert committed == (dies_at - 1) // import_runs.CHUNK * import_runs.CHUNK
    assert imports.claim(batch_id=batch.pk, now=NOW) is None  # its lease is not over
    after = NOW + LEASE + dt.timedelta(seconds=1)
    again = claimed(batch, after)
    with pytest.raises(LeaseLost):  # the first one was only slow
        import_runs.import_step(lease=lease, refusals=REFUSED, now=after)
    run(again, after)
    batch.refresh_from_db()
    assert (batch.state, batch.scheduled, batch.done) == (State.DONE, 60, 0)
    texts = sorted(post.parts[0]["text"] for post in Post.objects.all())
    assert texts == sorted(f"Post {n}" for n in range(60))
    assert Delivery.objects.count() == 60


def test_two_clicks_import_once(brand: Brand, manager: User, sandbox_account: SocialAccount) -> None:
    batch = checked(brand, manager, many(1))
    start(batch=batch, is_all_or_nothing=False, may_schedule=True, actor=manager, now=NOW)
    with pytest.raises(NotWaiting):
        start(batch=batch, is_all_or_nothing=False, may_schedule=True, actor=manager, now=NOW)


# --- all or nothing ---------------------------------------------------------------------------


def test_all_or_nothing_makes_all(brand: Brand, manager: User, sandbox_account: SocialAccount) -> None:
    batch = imported(checked(brand, manager, many(40)), manager, whole=True)
    assert (batch.state, batch.scheduled) == (State.DONE, 40)


def test_all_or_nothing_makes_nothing_when_a_row_is_refused_at_the_last_moment(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    batch = checked(brand, manager, many(40))
    # The first rows are over by then; and labels that the file brings are not made either.
    batch = imported(batch, manager, whole=True, now=dt.datetime(2026, 12, 1, 8, 10, tzinfo=dt.UTC))
    assert (batch.state, batch.problem, batch.problem_detail) == (State.READY, "row_refused", "2")
    assert not Post.objects.exists()
    assert not Delivery.objects.exists()
    assert (batch.drafted, batch.scheduled, batch.refused, batch.ok) == (0, 0, 1, 39)
    row = ImportRow.objects.get(number=2)
    assert (row.verdict, row.outcome) == ("error", "")
    assert "This time is over" in row.notes[-1]["text"]


def test_a_file_with_a_refused_row_cannot_be_imported_as_a_whole(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    batch = checked(brand, manager, table(("text", "state"), ("a", ""), ("b", "?")))
    with pytest.raises(NotWhole):
        start(batch=batch, is_all_or_nothing=True, may_schedule=True, actor=manager, now=NOW)
    batch.refresh_from_db()
    assert batch.state == State.READY


# --- and back ---------------------------------------------------------------------------------


def test_an_undo_takes_back_what_was_neither_sent_nor_changed(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    batch = imported(checked(brand, manager, many(6)), manager)
    posts = {post.excerpt: post for post in Post.objects.all()}

    def delivery(name: str) -> Any:
        return Delivery.objects.filter(variant__post=posts[name])

    delivery("Post 0").update(state=DeliveryState.SENT)
    delivery("Post 1").update(state=DeliveryState.UNCERTAIN)
    move_post(post=posts["Post 2"], at=NOW + dt.timedelta(days=30), actor=manager, now=NOW)
    delete_post(post=posts["Post 3"], actor=manager, now=NOW)
    delivery("Post 4").update(state=DeliveryState.FAILED)
    batch = undone(batch, manager)
    assert (batch.state, batch.undone, batch.kept) == (State.UNDONE, 3, 3)
    rows = {row.gist["excerpt"]: row for row in ImportRow.objects.all()}
    assert {name: row.outcome for name, row in rows.items()} == {
        "Post 0": "kept",
        "Post 1": "kept",
        "Post 2": "kept",
        "Post 3": "undone",
        "Post 4": "undone",
        "Post 5": "undone",
    }
    assert [rows[f"Post {n}"].notes[-1]["text"] for n in range(3)] == [
        "Kept: it is published, at least in part.",
        "Kept: it is being sent.",
        "Kept: somebody changed it after the import.",
    ]
    assert Post.objects.filter(deleted_at__isnull=True).count() == 3
    assert delivery("Post 5").get().state == DeliveryState.CANCELLED
    entry = AuditEntry.objects.get(action="post.import_undone")
    assert entry.detail == {"file": "plan.csv", "posts": 3, "kept": 3}


LABELLED = table(("text", "labels"), ("a", "Old; New"), ("b", "New; Other"))


def names() -> set[str]:
    return set(Label.objects.values_list("name", flat=True))


def test_an_undo_takes_its_own_labels_along_and_no_others(brand: Brand, creator: User) -> None:
    Label.objects.create(brand=brand, name="old", tone=LabelTone.GREY)
    batch = imported(checked(brand, creator, LABELLED), creator)
    assert names() == {"old", "New", "Other"}
    undone(batch, creator)
    assert names() == {"old"}


def taken_up_by_a_post(label: Label, actor: User) -> None:
    create_post(brand=label.brand, author=actor, draft=Draft(labels=(label.pk,)), now=NOW)


def taken_up_by_a_post_in_the_bin(label: Label, actor: User) -> None:
    post = create_post(brand=label.brand, author=actor, draft=Draft(labels=(label.pk,)), now=NOW)
    delete_post(post=post, actor=actor, now=NOW)


def recoloured(label: Label, _actor: User) -> None:
    change_label(label=label, name=label.name, tone=LabelTone.RED)


def named_in_a_template(label: Label, actor: User) -> None:
    draft = Draft(parts=(Part("said"),), labels=(label.pk,))
    save_template(brand=label.brand, name="One", draft=draft, actor=actor, now=NOW)


def named_in_a_filter(label: Label, actor: User) -> None:
    SavedFilter.objects.create(membership=actor.memberships.get(), name="One", query=f"label={label.pk}")


def kept_in_a_post_that_was_changed(label: Label, _actor: User) -> None:
    post = Post.objects.filter(labels=label).order_by("pk").last()
    assert post is not None
    save_draft(post=post, version=post.version, draft=Draft.of_post(post), now=NOW)


@pytest.mark.parametrize(
    "take_up",
    [
        taken_up_by_a_post,
        taken_up_by_a_post_in_the_bin,
        recoloured,
        named_in_a_template,
        named_in_a_filter,
        kept_in_a_post_that_was_changed,
    ],
)
def test_a_label_that_somebody_took_up_meanwhile_stays(
    brand: Brand, creator: User, take_up: Callable[[Label, User], None]
) -> None:
    batch = imported(checked(brand, creator, LABELLED), creator)
    take_up(Label.objects.get(name="New"), creator)
    undone(batch, creator)
    assert "New" in names()
    assert "Old" not in names()


def test_a_label_of_the_same_moment_by_somebody_else_is_theirs(brand: Brand, creator: User) -> None:
    batch = checked(brand, creator, table(("text", "labels"), ("a", "New")))
    theirs = Label(brand=brand, name="new", tone=LabelTone.GREY)
    insert = Label.objects.bulk_create

    def after_them(rows: list[Label], **options: Any) -> Any:
        theirs.save()
        return insert(rows, **options)

    with mock.patch.object(Label.objects, "bulk_create", after_them):
        batch = imported(batch, creator)
    assert list(Post.objects.get().labels.all()) == [theirs]
    undone(batch, creator)
    assert names() == {"new"}


def test_a_draft_that_was_written_on_is_kept(brand: Brand, creator: User) -> None:
    batch = imported(checked(brand, creator, "text\na\nb\n"), creator)
    post = Post.objects.first()
    assert post is not None
    save_draft(post=post, version=post.version, draft=Draft.of_post(post), now=NOW)
    batch = undone(batch, creator)
    assert (batch.undone, batch.kept) == (1, 1)


def test_a_draft_that_was_approved_is_kept(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    batch = imported(checked(brand, manager, "text,accounts\na,all\nb,all\n"), manager)
    post = Post.objects.first()
    assert post is not None
    approval.approve_own(post=post, seen=post.version, actor=manager, now=NOW)
    batch = undone(batch, manager)
    assert (batch.undone, batch.kept) == (1, 1)
    assert Post.objects.get(deleted_at=None) == post


def test_a_label_whose_small_letters_only_the_database_knows_stops_no_import(
    brand: Brand, manager: User
) -> None:
    there = Label.objects.create(brand=brand, name="istanbul")
    batch = imported(checked(brand, manager, "text,labels\na,İstanbul\nb,new\n"), manager)
    assert (batch.state, batch.drafted) == (State.DONE, 2)
    assert [label.pk for label in Post.objects.order_by("pk")[0].labels.all()] == [there.pk]


def test_an_undo_whose_worker_was_killed_is_brought_to_its_end(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    batch = imported(checked(brand, manager, many(40)), manager)
    imports.undo(batch=batch, actor=manager, now=NOW)
    calls = 0

    def dying(**given: Any) -> Post:
        nonlocal calls
        calls += 1
        if calls == 30:
            raise Killed
        return delete_post(**given)

    lease = claimed(batch)
    with mock.patch.object(import_runs, "delete_post", dying), pytest.raises(Killed):
        run_back(lease)
    assert Post.objects.filter(deleted_at__isnull=True).count() == 40 - import_runs.CHUNK
    after = NOW + LEASE + dt.timedelta(seconds=1)
    run_back(claimed(batch, after), after)
    batch.refresh_from_db()
    assert (batch.state, batch.undone, batch.kept) == (State.UNDONE, 40, 0)
    assert AuditEntry.objects.filter(action="post.deleted").count() == 40


def test_after_seven_days_nothing_is_taken_back(brand: Brand, creator: User) -> None:
    batch = imported(checked(brand, creator, "text\na\n"), creator)
    with pytest.raises(NotWaiting):
        imports.undo(batch=batch, actor=creator, now=NOW + UNDO_FOR)
    assert imports.undo(batch=batch, actor=creator, now=NOW + UNDO_FOR / 2).state == State.UNDOING


def test_an_import_that_never_comes_further_stops_and_can_go_on(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    batch = checked(brand, manager, many(30))
    start(batch=batch, is_all_or_nothing=False, may_schedule=True, actor=manager, now=NOW)
    lease = claimed(batch)
    assert import_runs.import_step(lease=lease, refusals=REFUSED, now=NOW)
    now = NOW
    for _attempt in range(imports.MOST_ATTEMPTS):
        now += LEASE * 2
        imports.claim(batch_id=batch.pk, now=now)
    batch.refresh_from_db()
    assert (batch.state, batch.problem, batch.scheduled) == (State.STOPPED, "stopped", 25)
    imports.go_on(batch=batch)
    run(claimed(batch, now), now)
    batch.refresh_from_db()
    assert (batch.state, batch.scheduled, batch.problem) == (State.DONE, 30, "")
    assert Variant.objects.count() == 30
