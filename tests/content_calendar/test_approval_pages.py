"""Approval on the pages: the settings, the list, the post, the composer, Today."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEntry, Brand, SocialAccount, User
from content_calendar.models import (
    Approval,
    ApprovalRule,
    ApprovalRules,
    Comment,
    Post,
    Review,
    ReviewOutcome,
)
from content_calendar.services import approval
from outbox.models import Delivery
from tests.content_calendar.conftest import LATER, NOW, make_post
from tests.content_calendar.test_approval import ask_for, live, save, state, version_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def url(name: str, *args: Any) -> str:
    return reverse(f"content_calendar:{name}", args=args)


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.fixture
def submitted(draft_post: Post, brand: Brand, creator: User) -> Post:
    ask_for(brand, ApprovalRule.INTERNAL)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    return draft_post


# --- settings -------------------------------------------------------------------------------------


def test_an_admin_says_what_a_brand_asks_for(sign_in: Any, admin: User, brand: Brand) -> None:
    client = sign_in(admin)
    assert "None: whoever may schedule decides alone" in text_of(client.get(url("approval_rules")))
    client.post(url("approval_rule", brand.pk), {"rule": "both", "remind_after_h": "48"})
    rules = ApprovalRules.objects.get()
    assert (rules.brand, rules.rule, rules.remind_after_h) == (brand, ApprovalRule.BOTH, 48)
    entry = AuditEntry.objects.get(action="approval.rules_changed")
    assert entry.detail["approval"] == ["none", "both"]


@pytest.mark.parametrize("given", [{}, {"rule": "maybe"}, {"rule": "both", "remind_after_h": "-1"}])
def test_a_rule_that_does_not_exist_is_not_taken(
    sign_in: Any, admin: User, brand: Brand, given: dict[str, str]
) -> None:
    assert sign_in(admin).post(url("approval_rule", brand.pk), given).status_code == 422
    assert not ApprovalRules.objects.exists()


# --- the post page and the list -------------------------------------------------------------------


def test_submit_approve_and_schedule_by_the_buttons(
    sign_in: Any, brand: Brand, draft_post: Post, creator: User, manager: User
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    page = url("post", draft_post.pk)
    client = sign_in(creator)
    assert "Submit for review" in text_of(client.get(page))
    response = client.post(url("submit", draft_post.pk), follow=True)
    assert "Submitted for review." in text_of(response)
    assert "Approve" not in re.findall(r"<button[^>]*>(?:<svg.*?</svg>)?([^<]+)", response.content.decode())
    client = sign_in(manager)
    listed = text_of(client.get(url("approvals")))
    assert "Fresh coffee at nine" in listed
    assert "asked by Creator" in listed
    html = client.get(page).content.decode()
    assert "Waits for your approval" in html
    (version,) = re.findall(r'name="version" value="([^"]+)"', html)
    said = text_of(client.post(url("approve", draft_post.pk), {"version": version}, follow=True))
    assert "Approved, and scheduled for Tue 24 Nov, 10:00." in said
    assert live(draft_post)
    assert "Nothing waits for an answer" in text_of(client.get(url("approvals")))


def test_approving_what_nobody_asked_about_counts_for_what_was_seen(
    sign_in: Any, manager: User, creator: User, draft_post: Post, brand: Brand
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    client = sign_in(manager)
    page = client.get(url("post", draft_post.pk)).content.decode()
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen
    save(draft_post, "Free coffee for everybody", creator)
    for given in ({"seen": seen[1]}, {}, {"seen": "x"}, {"seen": "9" * 30}):
        client.post(url("approve", draft_post.pk), given)
        assert not Delivery.objects.exists()
    draft_post.refresh_from_db()
    client.post(url("approve", draft_post.pk), {"seen": draft_post.version})
    assert Delivery.objects.get().payload["parts"][0]["text"] == "Free coffee for everybody"


def test_a_page_that_was_open_too_long_approves_nothing(
    sign_in: Any, submitted: Post, creator: User, manager: User
) -> None:
    old = str(version_of(submitted))
    save(submitted, "Other words", creator)
    approval.submit_for_review(post=submitted, actor=creator, now=NOW)
    client = sign_in(manager)
    for version in (old, "nonsense", ""):
        said = text_of(client.post(url("approve", submitted.pk), {"version": version}, follow=True))
        assert "the post was changed after you opened this page" in said
    assert state(submitted) == Approval.IN_REVIEW
    assert not Delivery.objects.exists()


def test_asking_for_changes_needs_a_word(sign_in: Any, submitted: Post, manager: User) -> None:
    client = sign_in(manager)
    sent = {"version": str(version_of(submitted)), "text": " "}
    said = text_of(client.post(url("ask_for_changes", submitted.pk), sent, follow=True))
    assert "Say what should change" in said
    assert state(submitted) == Approval.IN_REVIEW
    client.post(url("ask_for_changes", submitted.pk), sent | {"text": "Shorter"})
    assert state(submitted) == Approval.CHANGES_ASKED
    assert "Manager asks for changes" in text_of(client.get(url("post", submitted.pk)))


def test_what_should_change_is_not_lost_when_it_is_refused(
    sign_in: Any, submitted: Post, creator: User, manager: User
) -> None:
    old = str(version_of(submitted))
    save(submitted, "Other words", creator)
    approval.submit_for_review(post=submitted, actor=creator, now=NOW)
    client = sign_in(manager)
    answer = client.post(url("ask_for_changes", submitted.pk), {"version": old, "text": "Name the <price>"})
    assert answer.status_code == 422
    assert "the post was changed after you opened this page" in text_of(answer)
    page = answer.content.decode()
    assert re.search(r'<textarea[^>]* id="decide-text"[^>]*>\s*Name the &lt;price&gt;</textarea>', page)
    assert str(version_of(submitted)) in page  # sent again, it is about what stands there now
    approval.withdraw(post=submitted, actor=creator, now=NOW)
    answer = client.post(url("ask_for_changes", submitted.pk), {"version": old, "text": "Name the price"})
    assert "does not wait for an answer any more" in text_of(answer)
    assert "Name the price</textarea>" in answer.content.decode()
    assert state(submitted) == Approval.DRAFT


def test_a_refused_comment_stays_in_its_field_with_the_reason_beside_it(
    sign_in: Any, draft_post: Post, creator: User
) -> None:
    written = "Too much of it. " * 400
    answer = sign_in(creator).post(url("comment", draft_post.pk), {"text": written, "is_shared": "on"})
    assert answer.status_code == 422
    assert answer.context["comment_form"]["text"].value() == written
    page = answer.content.decode()
    assert written.strip() in page
    assert 'id="id_text_error"' in page
    assert not Comment.objects.exists()


def test_a_creator_decides_nothing(sign_in: Any, submitted: Post, creator: User) -> None:
    client = sign_in(creator)
    sent = {"version": str(version_of(submitted)), "text": "x"}
    for name in ("approve", "ask_for_changes"):
        assert client.post(url(name, submitted.pk), sent).status_code == 403
    assert state(submitted) == Approval.IN_REVIEW
    assert Review.objects.get().outcome == ReviewOutcome.OPEN


def test_taken_back_by_who_wrote_it(sign_in: Any, submitted: Post, creator: User) -> None:
    client = sign_in(creator)
    assert "Taken back." in text_of(client.post(url("withdraw", submitted.pk), follow=True))
    assert state(submitted) == Approval.DRAFT
    assert "does not wait" in text_of(client.post(url("withdraw", submitted.pk), follow=True))


def test_scheduling_past_the_approval_says_what_to_do(
    sign_in: Any, brand: Brand, draft_post: Post, owner: User
) -> None:
    ask_for(brand, ApprovalRule.CLIENT)
    client = sign_in(owner)
    for name in ("schedule", "publish"):
        said = text_of(client.post(url(name, draft_post.pk), follow=True))
        assert "the client has not approved the post as it stands" in said
    assert not Delivery.objects.exists()


def test_comments_are_added_shown_and_dealt_with(
    sign_in: Any, draft_post: Post, creator: User, viewer: User
) -> None:
    client = sign_in(creator)
    assert client.post(url("comment", draft_post.pk), {"text": "<b>Light?</b>"}).status_code == 302
    assert client.post(url("comment", draft_post.pk), {"text": "  "}).status_code == 422
    comment = Comment.objects.get()
    assert "&lt;b&gt;Light?&lt;/b&gt;" in client.get(url("post", draft_post.pk)).content.decode()
    client.post(url("comment_resolve", comment.pk))
    comment.refresh_from_db()
    assert (comment.resolved_at, comment.resolved_by) == (NOW, creator)
    client.post(url("comment_resolve", comment.pk), {"is_open": "1"})
    comment.refresh_from_db()
    assert comment.resolved_at is None
    assert sign_in(viewer).post(url("comment", draft_post.pk), {"text": "x"}).status_code == 403
    assert Comment.objects.count() == 1


def test_the_list_is_paged_and_costs_the_same_however_long_it_is(
    sign_in: Any, brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    client = sign_in(manager)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(url("approvals"))
        return len(queries)

    for number in range(53):
        post = make_post(brand, creator, f"Post {number}", sandbox_account, planned_at=LATER)
        approval.submit_for_review(post=post, actor=creator, now=NOW)
        if number == 2:
            few = cost()
    assert cost() <= few
    assert "1 to 50 of 53" in text_of(client.get(url("approvals")))
    assert "51 to 53 of 53" in text_of(client.get(url("approvals"), {"page": "2"}))
    assert "Nothing waits" in text_of(client.get(url("approvals"), {"step": "client"}))
    assert client.get(url("approvals"), {"step": "x", "page": "y"}).status_code == 200


# --- the composer ---------------------------------------------------------------------------------


def form(post: Post, text: str, action: str, account: SocialAccount, time: str = "10:00") -> dict[str, str]:
    post.refresh_from_db()
    return {
        "brand": str(post.brand_id),
        "version": str(post.version),
        "page": "p",
        "account": str(account.pk),
        "base.part": "0",
        "base.0.text": text,
        "date": "2026-11-24",
        "time": time,
        "action": action,
    }


def test_the_composer_offers_what_the_rule_and_the_role_allow(
    sign_in: Any, brand: Brand, draft_post: Post, creator: User, manager: User
) -> None:
    def buttons(client: Client) -> set[str]:
        html = client.get(url("edit", draft_post.pk)).content.decode()
        return set(re.findall(r'name="action" value="(\w+)"', html)) - {"copy", "draft", "slot", "template"}

    assert buttons(sign_in(manager)) == {"publish", "schedule"}
    ask_for(brand, ApprovalRule.INTERNAL)
    assert buttons(sign_in(creator)) == {"submit"}
    assert buttons(sign_in(manager)) == {"submit", "approve"}
    ask_for(brand, ApprovalRule.CLIENT)
    assert buttons(sign_in(manager)) == {"submit"}


def test_the_composer_submits_what_it_holds(
    sign_in: Any, brand: Brand, draft_post: Post, creator: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    sent = form(draft_post, "Just typed", "submit", sandbox_account)
    said = sign_in(creator).post(url("save", draft_post.pk), sent, follow=True)
    assert "Submitted for review." in text_of(said)
    assert Review.objects.get().version.content["parts"][0]["text"] == "Just typed"


def test_a_manager_approves_and_schedules_their_own_in_one_go(
    sign_in: Any, brand: Brand, draft_post: Post, manager: User, creator: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    sent = form(draft_post, "By the manager", "approve", sandbox_account)
    assert sign_in(creator).post(url("save", draft_post.pk), sent).status_code == 403
    assert state(draft_post) == Approval.DRAFT
    said = sign_in(manager).post(url("save", draft_post.pk), sent, follow=True)
    assert "Approved, and scheduled for" in text_of(said)
    review = Review.objects.get()
    assert (review.outcome, review.decided_by) == (ReviewOutcome.APPROVED, manager)


def test_an_empty_post_is_kept_and_the_refusal_said(
    sign_in: Any, brand: Brand, draft_post: Post, creator: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    response = sign_in(creator).post(
        url("save", draft_post.pk), form(draft_post, " ", "submit", sandbox_account)
    )
    assert response.status_code == 422
    assert "There is nothing to review yet." in text_of(response)


def test_scheduling_in_the_composer_keeps_the_words_and_says_why_not(
    sign_in: Any, brand: Brand, draft_post: Post, manager: User, sandbox_account: SocialAccount
) -> None:
    ask_for(brand, ApprovalRule.CLIENT)
    sent = form(draft_post, "Typed for nothing?", "schedule", sandbox_account)
    response = sign_in(manager).post(url("save", draft_post.pk), sent)
    assert response.status_code == 422
    assert "the client has not approved the post as it stands" in text_of(response)
    draft_post.refresh_from_db()
    assert draft_post.parts[0]["text"] == "Typed for nothing?"
    assert not Delivery.objects.exists()


def test_the_composer_says_before_saving_that_a_scheduled_post_will_leave_the_schedule(
    sign_in: Any, brand: Brand, submitted: Post, manager: User, sandbox_account: SocialAccount
) -> None:
    approval.approve(post=submitted, version_id=version_of(submitted), actor=manager, now=NOW)
    client = sign_in(manager)
    warning = "takes it out of the schedule until it is approved again"
    assert warning not in text_of(client.get(url("edit", submitted.pk)))  # they may approve alone
    ask_for(brand, ApprovalRule.BOTH)
    assert warning in text_of(client.get(url("edit", submitted.pk)))
    same = form(submitted, "Fresh coffee at nine", "update", sandbox_account, time="11:00")
    assert "Scheduled for" in text_of(client.post(url("save", submitted.pk), same, follow=True))
    assert state(submitted) == Approval.APPROVED
    other = form(submitted, "Fresh tea at nine", "update", sandbox_account)
    said = text_of(client.post(url("save", submitted.pk), other, follow=True))
    assert "The post left the schedule until it is approved as it is now." in said
    assert state(submitted) == Approval.IN_REVIEW
    assert live(submitted) == []


def test_the_autosave_of_a_post_in_review_takes_it_back_only_for_other_words(
    sign_in: Any, submitted: Post, creator: User, sandbox_account: SocialAccount
) -> None:
    client = sign_in(creator)
    for text, stage in (
        ("Fresh coffee at nine", Approval.IN_REVIEW),
        ("Fresh coffee at ten", Approval.DRAFT),
    ):
        sent = form(submitted, text, "draft", sandbox_account)
        response = client.post(url("save", submitted.pk), sent, headers={"Accept": "application/json"})
        assert response.status_code == 200
        assert state(submitted) == stage


# --- Today ----------------------------------------------------------------------------------------


def test_today_shows_what_waits_to_who_decides_and_what_came_back_to_who_wrote(
    sign_in: Any, submitted: Post, creator: User, manager: User
) -> None:
    waits = "A post waits for your approval: Fresh coffee at nine"
    assert waits in text_of(sign_in(manager).get("/"))
    assert waits not in text_of(sign_in(creator).get("/"))
    approval.ask_for_changes(
        post=submitted, version_id=version_of(submitted), text="Tea", actor=manager, now=NOW
    )
    back = "Changes are asked for: Fresh coffee at nine"
    assert back in text_of(sign_in(creator).get("/"))
    assert waits not in text_of(sign_in(manager).get("/"))
