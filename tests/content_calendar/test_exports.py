"""The list of posts as a file, and that the file can be imported again."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from accounts.models import Brand, SocialAccount, User
from connectors.base import LinkCard
from content_calendar.content import MediaUse, Part
from content_calendar.models import ImportRow, Label, Post
from content_calendar.services.drafts import Draft, create_post
from content_calendar.services.scheduling import schedule_post
from outbox.missed import rule_of
from tests.campaigns.conftest import make_campaign
from tests.content_calendar.conftest import LATER, NOW, make_image, make_post
from tests.content_calendar.importing import checked, imported

SignIn = Callable[[User], Any]
URL = reverse("content_calendar:export")


def exported(client: Any, query: str = "") -> bytes:
    response = client.get(f"{URL}{query}")
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def drafts_by_text() -> dict[str, Draft]:
    posts = Post.objects.filter(deleted_at__isnull=True).prefetch_related("variants", "labels")
    return {post.parts[0]["text"]: Draft.of_post(post) for post in posts}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_was_exported_can_be_imported_and_is_the_same(
    sign_in: SignIn,
    brand: Brand,
    manager: User,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
    kind: str,
    language: str,
) -> None:
    manager.language = language
    manager.save()
    asset = make_image(brand, manager)
    label = Label.objects.create(brand=brand, name="Menu")
    campaign = make_campaign(brand)
    card = LinkCard("https://example.com/menu", "Menu", "All of it")
    full = Draft(
        parts=(
            Part("=1+1 is not a formula", (MediaUse(asset.pk, "A cup"),), card),
            Part("the\nsecond, “part”"),
        ),
        accounts=(sandbox_account.pk, second_account.pk),
        planned_at=LATER,
        campaign=campaign.pk,
        missed=rule_of("skip:3600"),
        labels=(label.pk,),
    )
    create_post(brand=brand, author=manager, draft=full, now=NOW)
    planned = make_post(brand, manager, "Scheduled", sandbox_account, planned_at=LATER)
    schedule_post(post=planned, at=LATER, actor=manager, now=NOW)
    make_post(brand, manager, "'=quoted", sandbox_account)
    before = drafts_by_text()

    content = exported(sign_in(manager), f"?format={kind}")
    Post.objects.update(deleted_at=NOW)
    batch = imported(checked(brand, manager, content, name=f"posts.{kind}"), manager)
    assert (batch.drafted, batch.scheduled, batch.refused) == (2, 1, 0)
    assert drafts_by_text() == before


def test_the_filters_of_the_list_are_heeded(
    sign_in: SignIn,
    brand: Brand,
    manager: User,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
) -> None:
    make_post(brand, manager, "coffee", sandbox_account, planned_at=LATER)
    make_post(brand, manager, "tea", second_account, planned_at=LATER)
    client = sign_in(manager)
    assert [row["text"] for row in table(exported(client, "?q=coff"))] == ["coffee"]
    assert [row["text"] for row in table(exported(client, f"?account={second_account.pk}"))] == ["tea"]
    assert table(exported(client, "?state=published")) == []
    (row,) = table(exported(client, "?network=bluesky"))
    assert row["accounts"] == f"bluesky:{second_account.handle}"
    assert (row["date"], row["time"], row["state"]) == ("2026-11-24", "10:00", "draft")
    page = client.get(reverse("content_calendar:posts") + "?q=coff").content.decode()
    assert f'{URL}?q=coff&amp;format=csv"' in page


def test_words_of_an_accounts_own_are_named(
    sign_in: SignIn, brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    draft = Draft(
        parts=(Part("for all"),),
        accounts=(sandbox_account.pk,),
        own_parts={sandbox_account.pk: (Part("for one"),)},
    )
    create_post(brand=brand, author=manager, draft=draft, now=NOW)
    (row,) = table(exported(sign_in(manager)))
    assert row[f"text@{sandbox_account.platform}:{sandbox_account.handle}"] == "for one"
    assert row["Own words for"] == f"'{sandbox_account}"  # an @ is disarmed


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_words_of_single_accounts_come_back(
    sign_in: SignIn,
    brand: Brand,
    manager: User,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
    kind: str,
    language: str,
) -> None:
    manager.language = language
    manager.save()
    asset = make_image(brand, manager)
    card = LinkCard("https://example.com/menu", "Menu", "All of it", "https://example.com/menu.png")
    both = Draft(
        parts=(Part("for all"), Part("and more", (), card), Part("below", is_comment=True)),
        accounts=(sandbox_account.pk, second_account.pk),
        own_parts={
            sandbox_account.pk: (
                Part("=for one"),
                Part("its\nsecond", (MediaUse(asset.pk, "A cup"),)),
                Part("its third", (), card),
                Part("its comment", is_comment=True),
            ),
            second_account.pk: (Part("", (MediaUse(asset.pk, "Only a cup"),), card),),
        },
        planned_at=LATER,
    )
    create_post(brand=brand, author=manager, draft=both, now=NOW)
    only = Draft(accounts=(sandbox_account.pk,), own_parts={sandbox_account.pk: (Part("said here only"),)})
    create_post(brand=brand, author=manager, draft=only, now=NOW)
    make_post(brand, manager, "the same for both", sandbox_account, second_account)
    before = drafts_by_text()

    content = exported(sign_in(manager), f"?format={kind}")
    Post.objects.update(deleted_at=NOW)
    batch = imported(checked(brand, manager, content, name=f"posts.{kind}"), manager)
    assert (batch.drafted, batch.refused) == (3, 0)
    assert drafts_by_text() == before


def test_a_table_has_columns_of_single_accounts_only_where_a_post_needs_them(
    sign_in: SignIn, brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    make_post(brand, manager, "the same", sandbox_account)
    (row,) = table(exported(sign_in(manager)))
    assert not [column for column in row if "@" in column or column in ("comment", "text_2", "card_image")]


def test_a_formula_is_disarmed_in_both_kinds(
    sign_in: SignIn, brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    make_post(brand, manager, "=cmd|' /C calc'!A0", sandbox_account)
    client = sign_in(manager)
    assert table(exported(client))[0]["text"] == "'=cmd|' /C calc'!A0"
    (sheet,) = load_workbook(io.BytesIO(exported(client, "?format=xlsx"))).worksheets
    values = [cell for row in sheet.iter_rows() for cell in row if cell.value]
    assert "'=cmd|' /C calc'!A0" in {cell.value for cell in values}
    assert {cell.data_type for cell in values} == {"s"}


def test_strangers_get_an_empty_table_and_nobody_gets_more_than_fits(
    sign_in: SignIn, brand: Brand, manager: User, stranger: User, other_organization: Any
) -> None:
    Brand.objects.create(organization=other_organization, name="Own", timezone="UTC")
    make_post(brand, manager, "one")
    make_post(brand, manager, "two")
    assert table(exported(sign_in(stranger))) == []
    with mock.patch("content_calendar.selectors.exports.MOST_POSTS", 1):
        response = sign_in(manager).get(f"{URL}?q=o")
    assert response.status_code == 302
    assert response.url == reverse("content_calendar:posts") + "?q=o"


def test_a_table_of_many_posts_is_read_in_a_few_queries(
    sign_in: SignIn,
    brand: Brand,
    manager: User,
    sandbox_account: SocialAccount,
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(20):
        make_post(brand, manager, f"post {number}", sandbox_account, planned_at=LATER)
    client = sign_in(manager)
    with django_assert_max_num_queries(25):
        assert len(table(exported(client))) == 20


# Around both changes of the clocks in Berlin, to the second.
MOMENTS = st.datetimes(
    dt.datetime.fromisoformat("2026-10-24"),
    dt.datetime.fromisoformat("2027-04-01"),
    timezones=st.just(dt.UTC),
).map(lambda at: at.replace(microsecond=0))
TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), min_size=1, max_size=60
).filter(lambda text: text.strip() == text)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS, at=MOMENTS)
def test_any_text_at_any_moment_comes_back(
    sign_in: SignIn, brand: Brand, manager: User, text: str, at: dt.datetime
) -> None:
    Post.objects.all().delete()
    draft = Draft(parts=(Part(text),), planned_at=at)
    create_post(brand=brand, author=manager, draft=draft, now=NOW)
    batch = imported(checked(brand, manager, exported(sign_in(manager))), manager)
    assert batch.drafted == 1, ImportRow.objects.get(batch=batch).notes
    first, second = (Draft.of_post(post) for post in Post.objects.order_by("pk"))
    assert first == second
