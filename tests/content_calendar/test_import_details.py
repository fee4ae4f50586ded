"""Columns of a file for what networks ask besides words and media: in, out, and what is wrong with them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import translation

from accounts.models import Brand, SocialAccount, User
from content_calendar.content import Part
from content_calendar.import_columns import header_word, label, recognised
from content_calendar.models import ImportRow, Post, RowVerdict, Variant
from content_calendar.services.drafts import Draft, create_post
from core.csv_reading import Row
from outbox.models import Delivery
from tests.cast import make_account
from tests.content_calendar.boards import BoardsConnector, boards
from tests.content_calendar.conftest import LATER, NOW
from tests.content_calendar.importing import checked, imported, said, table

__all__ = ["boards"]
pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Any]
EXPORT = reverse("content_calendar:export")
V = RowVerdict


def row(brand: Brand, actor: User, account: str = "pins", **details: str) -> Any:
    """A file with one post on the account and what is said besides, checked."""
    columns = ["text", "accounts", *(f"details.boards.{name}" for name in details)]
    return checked(brand, actor, table(columns, ["Hello", account, *details.values()]))


def settings() -> dict[str, Any]:
    return dict(Variant.objects.values_list("account__handle", "settings"))


def test_answers_become_those_of_the_post(brand: Brand, creator: User, boards: SocialAccount) -> None:
    batch = row(
        brand,
        creator,
        title="Flat white",
        board="b2",
        link="example.com/menu",
        audience="me",
        is_advert="yes",
        takes_comments="no",
        about="",
    )
    assert said(batch) == ""
    imported(batch, creator)
    assert settings() == {
        "pins": {
            "title": "Flat white",
            "board": "b2",
            "link": "https://example.com/menu",
            "audience": "me",
            "is_advert": True,
            "takes_comments": False,
        }
    }


@pytest.mark.parametrize("written", ["b1", "Recipes", "  recipes ", "ＲＥＣＩＰＥＳ"])
def test_a_choice_is_named_by_its_value_or_its_words(
    brand: Brand, creator: User, boards: SocialAccount, written: str
) -> None:
    imported(row(brand, creator, board=written), creator)
    assert settings() == {"pins": {"board": "b1"}}


@pytest.mark.parametrize("written", ["Only me", "自分のみ", "me"])
def test_our_words_of_a_choice_are_known_in_every_language(
    brand: Brand, creator: User, boards: SocialAccount, written: str
) -> None:
    imported(row(brand, creator, board="b1", audience=written), creator)
    assert settings() == {"pins": {"board": "b1", "audience": "me"}}


@pytest.mark.parametrize(
    ("details", "sentence"),
    [
        ({"board": "Spoons"}, "“Spoons” is none of the choices of “Board” on @pins: Recipes, Cups"),
        (
            {"audience": "Friends"},
            "“Friends” is none of the choices of “Who may see it” on @pins: Everyone, Only me",
        ),
        ({"is_advert": "maybe"}, "“maybe” is not known here. Write yes or no."),
        ({"about": "x" * 10_001}, "No network takes texts of more than 10000 characters."),
    ],
)
def test_what_cannot_be_an_answer_is_an_error(
    brand: Brand, creator: User, boards: SocialAccount, details: dict[str, str], sentence: str
) -> None:
    batch = row(brand, creator, **details)
    assert sentence in said(batch)
    assert "choose" not in said(batch) or "board" not in details
    note = ImportRow.objects.get().notes[0]
    assert (note["level"], note["column"]) == ("error", f"details.boards.{next(iter(details))}")
    assert batch.refused == 1


def test_a_name_of_several_boards_is_refused_with_their_values(
    brand: Brand, creator: User, boards: SocialAccount
) -> None:
    boards.options = {"choices": {"board": [["b1", "Cups"], ["b2", "cups"], ["b3", "Cups 3"]]}}
    boards.save()
    batch = row(brand, creator, board="Cups")
    assert said(batch) == "“Cups” is the name of several choices. Write the one that is meant: b1, b2"
    assert row(brand, creator, board="b2").refused == 0


def test_choices_that_were_never_read_are_taken_as_they_are_written(
    brand: Brand, creator: User, boards: SocialAccount
) -> None:
    boards.options = {}
    boards.save()
    batch = row(brand, creator, board="b9")
    assert said(batch) == "The choices of @pins were never read, so “b9” is taken as it is."
    imported(batch, creator)
    assert settings() == {"pins": {"board": "b9"}}


def test_answers_for_a_network_where_the_post_does_not_go_are_refused(
    brand: Brand, creator: User, boards: SocialAccount, sandbox_account: SocialAccount
) -> None:
    batch = row(brand, creator, account="harbour", board="b1")
    assert said(batch) == "There are details for “Boards”, where this post does not go."
    assert batch.refused == 1


def test_limits_of_answers_are_said_at_their_column(
    brand: Brand, creator: User, boards: SocialAccount
) -> None:
    batch = row(brand, creator, title="x" * 25, board="b1")
    assert ImportRow.objects.get().notes[0]["column"] == "details.boards.title"
    assert "“Title” is too long" in said(batch)
    assert batch.refused == 0  # a draft may still be corrected


def test_a_required_answer_that_is_missing_keeps_a_row_off_the_schedule(
    brand: Brand, manager: User, boards: SocialAccount
) -> None:
    columns = ["text", "accounts", "date", "time", "state", "details.boards.board"]
    rows = [
        ["One", "pins", "2026-12-01", "9:00", "schedule", ""],
        ["Two", "pins", "2026-12-02", "9:00", "schedule", "Cups"],
    ]
    batch = checked(brand, manager, table(columns, *rows))
    first, second = ImportRow.objects.order_by("number")
    assert (first.verdict, second.verdict) == (V.ERROR, V.OK)
    assert first.notes[0]["column"] == "details.boards.board"
    imported(batch, manager)
    assert Delivery.objects.get().payload["settings"]["board"] == "b2"


def test_the_column_of_one_account_counts_before_that_of_its_network(
    brand: Brand, creator: User, boards: SocialAccount
) -> None:
    make_account(brand, platform="boards", handle="other", options=boards.options)
    columns = ["text", "accounts", "details.boards.board@boards:other", "details.boards.board"]
    batch = checked(brand, creator, table(columns, ["Hello", "boards", "Cups", "Recipes"]))
    assert batch.refused == 0
    imported(batch, creator)
    assert settings() == {"pins": {"board": "b1"}, "other": {"board": "b2"}}


def test_the_same_words_on_two_boards_are_two_posts(
    brand: Brand, creator: User, boards: SocialAccount
) -> None:
    columns = ["text", "accounts", "date", "time", "details.boards.board"]
    rows = [["Hello", "pins", "2026-12-01", "9:00", board] for board in ("b1", "b2", "b2")]
    checked(brand, creator, table(columns, *rows))
    assert [one.verdict for one in ImportRow.objects.order_by("number")] == [V.OK, V.WARNING, V.ERROR]


def test_the_words_above_columns_are_known_in_both_languages(boards: SocialAccount) -> None:
    header = (
        "Details.Boards.Takes Comments",
        "詳細.boards.board",
        "details.boards.board@Boards:@Pins",
        "details.boards.spoon",
        "details.elsewhere.board",
        "details",
    )
    keys = ["details.boards.takes_comments", "details.boards.board", "details.boards.board@boards:pins"]
    assert recognised(Row(1, header)) == [*keys, "", "", ""]
    assert [header_word(key, "ja") for key in keys] == [
        "詳細.boards.takes_comments",
        "詳細.boards.board",
        "詳細.boards.board@boards:pins",
    ]
    with translation.override("en"):
        assert [label(key) for key in keys] == [
            "Boards: Comments are allowed",
            "Boards: Board",
            "Boards: Board · boards:pins",
        ]
        # Of a network that no longer asks for it a kept verdict still says something.
        assert label("details.boards.spoon") == "details.boards.spoon"


# --- out, and in again --------------------------------------------------------------------------


def exported(client: Any) -> bytes:
    return b"".join(client.get(EXPORT).streaming_content)


def draft(brand: Brand, author: User, text: str, said: dict[SocialAccount, dict[str, Any]]) -> None:
    post = Draft(
        parts=(Part(text),),
        accounts=tuple(account.pk for account in said),
        planned_at=LATER,
        settings={account.pk: answers for account, answers in said.items() if answers},
    )
    create_post(brand=brand, author=author, draft=post, now=NOW)


FULL = {
    "title": "'=1+1",
    "board": "b2",
    "link": "https://example.com/menu",
    "about": "Two\nlines, “quoted”",
    "audience": "me",
    "is_advert": True,
    "takes_comments": False,
    "duet": "no",
}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_was_exported_comes_back(
    sign_in: SignIn, brand: Brand, manager: User, boards: SocialAccount, language: str
) -> None:
    manager.language = language
    manager.save()
    draft(brand, manager, "Full", {boards: FULL})
    draft(brand, manager, "Nothing", {boards: {}})
    before = {one.post.parts[0]["text"]: one.settings for one in Variant.objects.all()}
    content = exported(sign_in(manager))
    columns = next(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    prefix = "詳細" if language == "ja" else "details"
    assert [one for one in columns if one.startswith(prefix)] == [f"{prefix}.boards.{name}" for name in FULL]
    Post.objects.all().delete()
    batch = checked(brand, manager, content)
    assert batch.refused == 0
    imported(batch, manager)
    assert {one.post.parts[0]["text"]: one.settings for one in Variant.objects.all()} == before
    assert before == {"Full": FULL, "Nothing": {}}


def test_of_several_accounts_of_a_network_each_has_its_columns(
    sign_in: SignIn, brand: Brand, manager: User, boards: SocialAccount
) -> None:
    other = make_account(brand, platform="boards", handle="other", options=boards.options)
    draft(brand, manager, "Both", {boards: {"board": "b1"}, other: {"title": "Only here"}})
    content = exported(sign_in(manager))
    (line,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    assert {key: value for key, value in line.items() if key.startswith("details")} == {
        "details.boards.title@boards:other": "Only here",
        "details.boards.board@boards:pins": "Recipes",
    }
    Post.objects.all().delete()
    imported(checked(brand, manager, content), manager)
    assert settings() == {"pins": {"board": "b1"}, "other": {"title": "Only here"}}


def test_boards_of_one_name_are_exported_by_their_values(
    sign_in: SignIn, brand: Brand, manager: User, boards: SocialAccount
) -> None:
    boards.options = {"choices": {"board": [["b1", "Cups"], ["b2", "Cups"], ["Cups", "b1"]]}}
    boards.save()
    for board in ("b1", "b2", "Cups"):
        draft(brand, manager, f"On {board}", {boards: {"board": board}})
    content = exported(sign_in(manager))
    before = {one.post.parts[0]["text"]: one.settings for one in Variant.objects.all()}
    Post.objects.all().delete()
    imported(checked(brand, manager, content), manager)
    assert {one.post.parts[0]["text"]: one.settings for one in Variant.objects.all()} == before


def test_a_table_without_answers_has_no_such_columns(
    sign_in: SignIn, brand: Brand, manager: User, boards: SocialAccount
) -> None:
    draft(brand, manager, "Nothing", {boards: {}})
    assert b"details" not in exported(sign_in(manager))


# --- the pages ----------------------------------------------------------------------------------


def test_the_page_and_the_sample_name_the_columns_of_the_accounts(
    sign_in: SignIn, creator: User, brand: Brand, boards: SocialAccount
) -> None:
    client = sign_in(creator)
    page = client.get(reverse("content_calendar:import_new")).content.decode()
    assert "<code>details.boards.board</code>" in page
    assert "details.pinterest.board" not in page
    sample = b"".join(client.get(reverse("content_calendar:import_sample"))).decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(sample))
    assert [one for one in header if one.startswith("details.boards.")] == [
        f"details.boards.{field.name}" for field in BoardsConnector.INFO.post_fields
    ]
    assert {len(one) for one in rows} == {len(header)}
    assert all(recognised(Row(1, tuple(header))))


def test_a_column_can_be_named_by_hand(
    sign_in: SignIn, creator: User, brand: Brand, boards: SocialAccount
) -> None:
    batch = checked(brand, creator, table(["text", "accounts", "Pinnwand"], ["Hello", "pins", "Cups"]))
    url = reverse("content_calendar:import_reading", args=[batch.pk])
    client = sign_in(creator)
    assert "Boards: Board" in client.get(url).content.decode()
    form = {"encoding": "utf-8", "delimiter": ",", "schedules": "draft"}
    answer = client.post(
        url, form | {"column_0": "text", "column_1": "accounts", "column_2": "details.boards.board"}
    )
    assert answer.status_code == 302
    batch.refresh_from_db()
    assert batch.columns == ["text", "accounts", "details.boards.board"]
