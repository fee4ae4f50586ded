"""The pages of files of posts: who may see them, what they say, and that a refusal changes nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import Brand, SocialAccount, User
from content_calendar import tasks
from content_calendar.models import ImportBatch, ImportRow, ImportState, Post
from content_calendar.services import imports
from tests.content_calendar.importing import checked, imported, received, table

SignIn = Callable[[User], Any]
State = ImportState
HEADER = ("日付", "時刻", "本文", "アカウント", "状態")
ROWS = table(
    HEADER,
    ("2099/12/1", "9:30", "新しい珈琲です", "すべて", "予約"),
    ("2099/12/2", "", "だめ", "すべて", "予約"),
)


def url(name: str, batch: ImportBatch) -> str:
    return reverse(f"content_calendar:{name}", args=[batch.pk])


def uploaded(client: Any, content: bytes = ROWS, name: str = "計画.csv", **data: str) -> Any:
    file = SimpleUploadedFile(name, content)
    return client.post(reverse("content_calendar:import_new"), {"file": file, "schedules": "draft", **data})


def test_a_file_goes_from_upload_to_posts_and_back(
    sign_in: SignIn,
    brand: Brand,
    manager: User,
    sandbox_account: SocialAccount,
    celery_eager: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    client = sign_in(manager)
    with django_capture_on_commit_callbacks(execute=True):
        response = uploaded(client, ROWS.decode().encode("cp932"), brand=str(brand.pk))
    batch = ImportBatch.objects.get()
    assert response.url == url("import_page", batch)
    page = client.get(response.url).content.decode()
    assert "Read as Shift JIS." in page
    assert "新しい珈琲です" in page
    assert "There is a date, and no time." in page
    assert "Import 1 row, leave out the refused ones" in page
    assert not Post.objects.exists()

    assert "だめ" not in client.get(url("import_page", batch) + "?show=ok").content.decode()
    assert "新しい珈琲です" not in client.get(url("import_page", batch) + "?show=error").content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(url("import_confirm", batch), {"how": "each"}).url == url("import_page", batch)
    page = client.get(url("import_page", batch)).content.decode()
    assert reverse("content_calendar:post", args=[Post.objects.get().pk]) in page
    assert "Undo the import" in page

    with django_capture_on_commit_callbacks(execute=True):
        client.post(url("import_undo", batch))
    batch.refresh_from_db()
    assert (batch.state, batch.undone) == (State.UNDONE, 1)
    assert not Post.objects.filter(deleted_at__isnull=True).exists()
    assert "Taken back" in client.get(url("import_page", batch)).content.decode()


def test_while_a_worker_is_at_it_the_page_looks_again_by_itself(
    sign_in: SignIn, brand: Brand, creator: User
) -> None:
    client = sign_in(creator)
    batch = received(brand, creator, "text\na\n")
    page = client.get(url("import_page", batch)).content.decode()
    assert 'hx-trigger="every 1s"' in page
    assert "Every row is being checked" in page
    part = client.get(url("import_page", batch), headers={"HX-Request": "true"}).content.decode()
    assert part.strip().startswith('<section class="card" id="import"')


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The submitted file is empty."),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "neither a CSV nor an Excel file"),
        (b"<html>", "This is a web page, whatever its name says."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_sentence(
    sign_in: SignIn, brand: Brand, creator: User, content: bytes, words: str
) -> None:
    response = uploaded(sign_in(creator), content, "plan.xlsx", brand=str(brand.pk))
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not ImportBatch.objects.exists()


def test_columns_are_named_by_hand_where_nobody_knows_them(
    sign_in: SignIn, brand: Brand, creator: User
) -> None:
    client = sign_in(creator)
    response = uploaded(client, b"Wann;Was\n2026-12-01;Kaffee\n", brand=str(brand.pk))
    batch = ImportBatch.objects.get()
    assert response.url == url("import_reading", batch)
    assert client.get(url("import_page", batch)).url == response.url
    page = client.get(response.url).content.decode()
    assert "Which column is which?" in page
    assert "Kaffee" in page
    same = {"encoding": "utf-8", "delimiter": ";", "schedules": "draft"}
    twice = client.post(response.url, {**same, "column_0": "text", "column_1": "text"})
    assert twice.status_code == 422
    assert "“Text” is chosen for two columns." in twice.content.decode()
    nothing = client.post(response.url, {**same, "column_0": "date", "column_1": ""})
    assert "Say which column holds the text, or the images." in nothing.content.decode()
    batch.refresh_from_db()
    assert batch.state == State.NAMING
    done = client.post(response.url, {**same, "column_0": "", "column_1": "text"})
    assert done.url == url("import_page", batch)
    batch.refresh_from_db()
    assert (batch.state, batch.columns) == (State.CHECKING, ["", "text"])


def test_why_a_row_is_refused_comes_before_what_is_only_said(
    sign_in: SignIn, brand: Brand, creator: User
) -> None:
    row = ("a", "New", "2099-12-01", "09:00")
    rows = table(("text", "labels", "date", "time"), row, row)
    batch = checked(brand, creator, rows)
    page = sign_in(creator).get(url("import_page", batch))
    _first, again = page.context["lines"]
    assert [text for _is_error, _column, text in again.notes] == [
        "Row 2 says the same at the same time.",
        "The label “New” is new: it is made with the import.",
    ]


def test_another_encoding_is_chosen_on_the_page(sign_in: SignIn, brand: Brand, creator: User) -> None:
    client = sign_in(creator)
    batch = checked(brand, creator, table(("text",), ("für",), encoding="cp1252"))
    form = {"encoding": "utf-8", "delimiter": ",", "schedules": "draft", "column_0": "text"}
    refused = client.post(url("import_reading", batch), form)
    assert refused.status_code == 422
    assert "The file is not written in UTF-8." in refused.content.decode()
    batch.refresh_from_db()
    assert (batch.state, batch.rows) == (State.READY, 1)


def test_the_rows_come_back_as_a_file_with_their_verdicts(
    sign_in: SignIn, brand: Brand, creator: User
) -> None:
    batch = checked(brand, creator, table(("text", "state"), ("=1+1", ""), ("b", "?")))
    response = sign_in(creator).get(url("import_verdicts", batch) + "?show=error")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["text", "state", "Row", "Verdict", "What was said"],
        ["b", "?", "3", "Refused", "“?” is not known here. Write draft or schedule."],
    ]
    response = sign_in(creator).get(url("import_verdicts", batch))
    assert "'=1+1" in b"".join(response.streaming_content).decode()


def test_the_samples_can_be_imported_in_both_languages(
    sign_in: SignIn, brand: Brand, manager: User, sandbox_account: SocialAccount, client: Any
) -> None:
    client = sign_in(manager)
    for language, word in (("en", "text"), ("ja", "本文")):
        manager.language = language
        manager.save()
        for kind in ("csv", "xlsx"):
            response = client.get(reverse("content_calendar:import_sample") + f"?format={kind}")
            content = b"".join(response.streaming_content)
            batch = checked(brand, manager, content, name=f"sample.{kind}")
            assert word in batch.header
            rows = ImportRow.objects.filter(batch=batch).order_by("number")
            errors = [[note for note in row.notes if note["level"] == "error"] for row in rows]
            assert [row.gist["schedules"] for row in rows] == [True, True, False]
            assert errors[0] == errors[2] == []
    assert load_workbook(io.BytesIO(content)).worksheets[0]["A1"].value == "日付"


OF_A_FILE = ("import_page", "import_reading", "import_verdicts")
CHANGING = ("import_confirm", "import_discard", "import_undo", "import_go_on")


@pytest.mark.parametrize("name", [*OF_A_FILE, *CHANGING])
def test_only_those_who_draft_see_files_and_strangers_see_none(
    sign_in: SignIn, brand: Brand, creator: User, viewer: User, responder: User, stranger: User, name: str
) -> None:
    batch = checked(brand, creator, "text\na\n")
    for person, status in ((viewer, 403), (responder, 403), (stranger, 404)):
        client = sign_in(person)
        ask = client.post if name in CHANGING else client.get
        assert ask(url(name, batch)).status_code == status
    batch.refresh_from_db()
    assert batch.state == State.READY
    assert not Post.objects.exists()


@pytest.mark.parametrize("name", ["imports", "import_new", "import_sample"])
def test_a_viewer_cannot_import(sign_in: SignIn, brand: Brand, viewer: User, name: str) -> None:
    client = sign_in(viewer)
    assert client.get(reverse(f"content_calendar:{name}")).status_code == 403
    assert uploaded(client, brand=str(brand.pk)).status_code == 403
    assert not ImportBatch.objects.exists()


def test_nobody_imports_into_a_brand_of_somebody_else(
    sign_in: SignIn, brand: Brand, stranger: User, other_organization: Any
) -> None:
    Brand.objects.create(organization=other_organization, name="Own", timezone="UTC")
    assert uploaded(sign_in(stranger), brand=str(brand.pk)).status_code == 422
    assert not ImportBatch.objects.exists()


def test_a_creator_imports_drafts_and_does_not_take_back_what_others_scheduled(
    sign_in: SignIn, brand: Brand, creator: User, manager: User, sandbox_account: SocialAccount
) -> None:
    batch = imported(checked(brand, manager, ROWS), manager)
    assert batch.scheduled == 1
    client = sign_in(creator)
    assert "Undo the import" not in client.get(url("import_page", batch)).content.decode()
    assert client.post(url("import_undo", batch)).status_code == 403
    batch.refresh_from_db()
    assert batch.state == State.DONE
    assert b"schedules" not in client.get(reverse("content_calendar:import_new")).content
    uploaded(client, brand=str(brand.pk), schedules="schedule")
    drafts = ImportBatch.objects.exclude(pk=batch.pk).get()
    assert (drafts.may_schedule, drafts.schedules) == (False, False)


def test_discarding_forgets_the_file_and_its_rows(sign_in: SignIn, brand: Brand, creator: User) -> None:
    batch = checked(brand, creator, "text\na\n")
    client = sign_in(creator)
    assert client.post(url("import_discard", batch)).url == reverse("content_calendar:imports")
    batch.refresh_from_db()
    assert (batch.state, batch.storage_key) == (State.DISCARDED, "")
    assert not ImportRow.objects.exists()
    client.post(url("import_confirm", batch), {"how": "each"})
    batch.refresh_from_db()
    assert batch.state == State.DISCARDED


def test_beat_hands_out_what_nobody_works_on(brand: Brand, creator: User, celery_eager: None) -> None:
    batch = received(brand, creator, "text\na\n")
    tasks.work_on_imports()
    batch.refresh_from_db()
    assert batch.state == State.READY
    tasks.work_on_import(batch_id=str(batch.pk))  # a task that came twice
    imports.discard(batch=batch)
    tasks.clean_imports()


def test_what_was_stopped_goes_on_only_for_those_who_might_have_begun_it(
    sign_in: SignIn, brand: Brand, creator: User, manager: User
) -> None:
    batch = checked(brand, manager, "text\na\n")
    ImportBatch.objects.filter(pk=batch.pk).update(state=State.STOPPED, started_by=manager)
    client = sign_in(creator)
    assert "Go on" not in client.get(url("import_page", batch)).content.decode()
    assert client.post(url("import_go_on", batch)).status_code == 403
    batch.refresh_from_db()
    assert batch.state == State.STOPPED
    sign_in(manager).post(url("import_go_on", batch))
    batch.refresh_from_db()
    assert batch.state == State.IMPORTING
