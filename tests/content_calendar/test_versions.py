"""What changed between two versions, in a form that people can read."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Brand, SocialAccount, User
from content_calendar.content import MediaUse, Part
from content_calendar.models import ApprovalRule, KeptBecause, Post
from content_calendar.selectors.versions import GONE, NEW, SAME, Piece, content_diff, text_diff
from content_calendar.services import approval, scheduling
from content_calendar.services.drafts import Draft, save_draft
from tests.content_calendar.conftest import LATER, NOW, make_image, make_post
from tests.content_calendar.test_approval import ask_for, save, version_of

WORDS = st.text(alphabet=st.sampled_from("ab 珈琲豆ナ。\n!é😀"), max_size=40)


@given(WORDS, WORDS)
def test_a_diff_is_both_texts_and_nothing_else(before: str, after: str) -> None:
    pieces = text_diff(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != NEW) == before
    assert "".join(piece.text for piece in pieces if piece.kind != GONE) == after
    assert all(piece.text for piece in pieces)
    assert (before == after) == all(piece.kind == SAME for piece in pieces)


def test_words_are_compared_as_wholes() -> None:
    assert text_diff("Fresh coffee at nine", "Fresh toffee at nine") == (
        Piece(SAME, "Fresh "),
        Piece(GONE, "coffee"),
        Piece(NEW, "toffee"),
        Piece(SAME, " at nine"),
    )


def test_japanese_is_compared_by_characters() -> None:
    assert text_diff("本日は9時に開店します。", "本日は10時に閉店します。") == (
        Piece(SAME, "本日は"),
        Piece(GONE, "9"),
        Piece(NEW, "10"),
        Piece(SAME, "時に"),
        Piece(GONE, "開"),
        Piece(NEW, "閉"),
        Piece(SAME, "店します。"),
    )


def test_the_longest_texts_are_compared_in_time() -> None:
    """The worst for most algorithms: everything alike, and nothing in its place."""
    before, after = "ab" * 7_500 + "あい" * 7_500, "ba" * 7_500 + "いあう" * 5_000
    started = time.monotonic()
    pieces = text_diff(before, after)
    assert time.monotonic() - started < 5
    assert "".join(piece.text for piece in pieces if piece.kind != GONE) == after


@pytest.mark.django_db
def test_images_descriptions_accounts_and_own_words_are_named(
    brand: Brand, creator: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    from content_calendar.selectors.approval import content_of
    from content_calendar.selectors.versions import assets_of

    kept, gone = make_image(brand, creator), make_image(brand, creator, color="red")
    media = (MediaUse(kept.pk, "A cup"), MediaUse(gone.pk, "A mug"))
    post = make_post(brand, creator, "Text", sandbox_account, media=media)
    before = content_of(post)
    changed = replace(
        Draft.of_post(post),
        parts=(Part("Text", (MediaUse(kept.pk, "A blue cup"),)), Part("More")),
        accounts=(second_account.pk,),
        own_parts={second_account.pk: (Part("Own"),)},
    )
    save_draft(post=post, version=1, draft=changed, now=NOW)
    after = content_of(Post.objects.get(pk=post.pk))
    diff = content_diff(before, after, assets_of(post, before, after))
    assert diff.is_changed
    assert diff.accounts_new == ("harbour.example.com",)
    assert diff.accounts_gone == ("harbour",)
    common, own = diff.scopes
    first, more = common.parts
    assert [(one.kind, one.asset, one.alt, one.was) for one in first.images] == [
        (SAME, kept, "A blue cup", "A cup"),
        (GONE, gone, "A mug", None),
    ]
    assert (more.kind, more.pieces) == (NEW, (Piece(NEW, "More"),))
    assert (own.name, own.kind) == ("harbour.example.com", NEW)
    assert not content_diff(after, after, {}).is_changed


@pytest.mark.django_db
def test_the_page_shows_who_approved_which_version_and_what_changed_since(
    sign_in: Any, brand: Brand, draft_post: Post, creator: User, manager: User, viewer: User
) -> None:
    ask_for(brand, ApprovalRule.INTERNAL)
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    approval.ask_for_changes(
        post=draft_post, version_id=version_of(draft_post), text="Tea!", actor=manager, now=NOW
    )
    save(draft_post, "Fresh tea at nine", creator)
    page = reverse("content_calendar:versions", args=[draft_post.pk])
    client = sign_in(viewer)
    html = client.get(page).content.decode()
    assert "As it is now" in html
    assert '<del class="diff-gone">coffee</del><ins class="diff-new">tea</ins>' in html
    approval.submit_for_review(post=draft_post, actor=creator, now=NOW)
    approval.approve(post=draft_post, version_id=version_of(draft_post), actor=manager, now=NOW)
    html = client.get(page).content.decode()
    assert "As it is now" not in html  # version 2 says the same
    assert '<del class="diff-gone">coffee</del><ins class="diff-new">tea</ins>' in html
    assert "Approved</span> · Manager" in html.replace("\n", "")
    backwards = client.get(page, {"from": "2", "to": "1"}).content.decode()
    assert '<del class="diff-gone">tea</del><ins class="diff-new">coffee</ins>' in backwards
    for odd in ({"to": "99"}, {"from": "x", "to": "-1"}, {"from": "1", "to": "1"}, {"to": "1"}):
        assert client.get(page, odd).status_code == 200


@pytest.mark.django_db
def test_what_was_scheduled_without_an_approval_is_kept_too(
    sign_in: Any, draft_post: Post, manager: User
) -> None:
    scheduling.schedule_post(post=draft_post, at=LATER, actor=manager, now=NOW)
    (kept,) = draft_post.versions.all()
    assert (kept.because, kept.saved_by) == (KeptBecause.SCHEDULED, manager)
    page = sign_in(manager).get(reverse("content_calendar:versions", args=[draft_post.pk]))
    assert "Nothing to compare yet" in page.content.decode()
