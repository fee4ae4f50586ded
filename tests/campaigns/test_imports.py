from __future__ import annotations

import datetime as dt
import io
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import AuditEntry, User
from campaigns import tasks
from campaigns.models import Campaign, CostKind, CsvImport, Source, SpendEntry
from campaigns.selectors.imports import layout_of_spend, verdicts
from campaigns.services import imports
from campaigns.services.imports import NotWaiting, carry_out, check, clean, discard, receive, start
from campaigns.services.spend import undo_import
from core.csv_reading import FileProblem, FileRefused
from core.kept_files import kept_file
from tests.campaigns.conftest import NOW, make_campaign

SignIn = Callable[[User], Any]
State = CsvImport.State
HEADER = "date,amount,kind,network,note\n"
TWO = HEADER + "2026-11-10,1200.50,media,Bluesky,autumn\n2026-11-11,80,tools,,\n"


@pytest.fixture(autouse=True)
def _own_media(tmp_path: Path, settings: Settings) -> None:
    settings.MEDIA_ROOT = tmp_path


def received(campaign: Campaign, actor: User, text: str | bytes, name: str = "ads.csv") -> CsvImport:
    content = text if isinstance(text, bytes) else text.encode()
    return receive(campaign=campaign, upload=io.BytesIO(content), name=name, actor=actor, now=NOW)


def imported(campaign: Campaign, actor: User, text: str | bytes) -> CsvImport:
    batch = check(batch=received(campaign, actor, text))
    assert batch.state == State.READY, batch.problem
    return carry_out(batch=start(batch=batch, now=NOW), actor=actor, now=NOW)


def read(campaign: Campaign, actor: User, text: str | bytes) -> list[Any]:
    with kept_file(received(campaign, actor, text)) as file:
        return list(verdicts(file, layout_of_spend(file), campaign))


def stored() -> list[str]:
    try:
        return default_storage.listdir("imports")[1]
    except FileNotFoundError:
        return []


# --- reading ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_import_brings_what_its_dry_run_said(campaign: Campaign, marketer: User) -> None:
    batch = check(batch=received(campaign, marketer, TWO))
    assert (batch.state, batch.rows, batch.added, batch.refused_count) == (State.READY, 2, 2, 0)
    assert not SpendEntry.objects.exists()  # a dry run
    batch = carry_out(batch=start(batch=batch, now=NOW), actor=marketer, now=NOW)
    assert (batch.state, batch.added, batch.known) == (State.DONE, 2, 0)
    first, second = SpendEntry.objects.order_by("date")
    assert (first.date, first.amount, first.kind, first.platform, first.note) == (
        dt.date(2026, 11, 10),
        Decimal("1200.50"),
        CostKind.MEDIA,
        "bluesky",
        "autumn",
    )
    assert (second.kind, second.source, second.csv_import, second.created_by) == (
        CostKind.TOOL,
        Source.CSV,
        batch,
        marketer,
    )
    assert AuditEntry.objects.get().detail == {"file": "ads.csv", "entries": 2}
    assert stored() == []


@pytest.mark.django_db
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_japanese_files_are_read_as_spreadsheets_write_them(
    campaign: Campaign, marketer: User, encoding: str, delimiter: str
) -> None:
    Campaign.objects.update(currency="JPY")
    campaign.refresh_from_db()
    rows = [
        ["日付", "種別", "媒体", "金額", "メモ"],
        ["2026年11月5日", "広告費", "Bluesky", '"１，２００円"', "春の広告"],
        ["2026/11/6", "人件費", "", '"¥30,000"' if encoding != "cp932" else '"￥30,000"', ""],
        ["2026-11-07", "", "駅ナカ", "500", ""],
    ]
    text = "\r\n".join(delimiter.join(row) for row in rows) + "\r\n"
    batch = imported(campaign, marketer, text.encode(encoding))
    assert (batch.added, batch.refused_count) == (3, 0)
    found = list(SpendEntry.objects.order_by("date").values_list("amount", "kind", "platform", "note"))
    assert found == [
        (1200, "media", "bluesky", "春の広告"),
        (30000, "labour", "", ""),
        (500, "media", "駅ナカ", ""),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("2026-11-10,,media,,", "amount", "missing"),
        (",5,media,,", "date", "missing"),
        ("2026-11-10,-5,media,,", "amount", "negative"),
        ("2026-11-10,5.005,media,,", "amount", "ambiguous_amount"),
        ("2026-11-10,5.0051,media,,", "amount", "too_many_decimals"),
        ("2026-11-10,five,media,,", "amount", "not_an_amount"),
        ("2026-11-10,¥5,media,,", "amount", "other_currency"),
        ("2026-11-10,5 EUR,media,,", "amount", "other_currency"),
        ("2026-11-10,=cmd|' /C calc'!A0,media,,", "amount", "formula"),
        ('2026-11-10,"=HYPERLINK(""https://x.example"",""5"")",media,,', "amount", "formula"),
        ("05/06/2026,5,media,,", "date", "ambiguous_date"),
        ("2026-02-30,5,media,,", "date", "not_a_date"),
        ("=TODAY(),5,media,,", "date", "formula"),
        ("2026-11-10,5,bribes,,", "kind", "unknown_kind"),
        (f"2026-11-10,5,media,{'x' * 25},", "network", "too_long"),
        (f"2026-11-10,5,media,,{'x' * 256}", "note", "too_long"),
        ("2026-11-10,100000000000000,media,,", "amount", "too_large"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_with_the_reason(
    campaign: Campaign, marketer: User, row: str, column: str, code: str
) -> None:
    text = HEADER + "2026-11-09,1,media,,\n" + row + "\n"
    (good, bad) = read(campaign, marketer, text)
    assert good.is_new
    assert [(fault.column, fault.code) for fault in bad.faults] == [(column, code)]
    batch = imported(campaign, marketer, text)
    assert (batch.added, batch.refused_count) == (1, 1)
    assert batch.refused[0]["row"] == 3
    assert (batch.refused[0]["field"], batch.refused[0]["code"]) == (column, code)
    assert SpendEntry.objects.count() == 1


@pytest.mark.django_db
def test_everything_that_is_wrong_with_a_row_is_said_at_once(campaign: Campaign, marketer: User) -> None:
    (row,) = read(campaign, marketer, HEADER + "yesterday,-5,bribes,,\n")
    assert [fault.column for fault in row.faults] == ["date", "amount", "kind"]


@pytest.mark.django_db
def test_a_column_of_another_currency_refuses_its_rows(campaign: Campaign, marketer: User) -> None:
    text = "date,amount,currency\n2026-11-10,5,usd\n2026-11-10,5,EUR\n2026-11-10,5,\n"
    assert [bool(row.faults) for row in read(campaign, marketer, text)] == [False, True, False]


@pytest.mark.django_db
def test_dates_outside_the_flight_are_taken_and_said(campaign: Campaign, marketer: User) -> None:
    text = "date,amount\n2026-10-31,1\n2026-11-01,2\n2026-11-30,3\n2026-12-01,4\n"
    assert [row.is_outside for row in read(campaign, marketer, text)] == [True, False, False, True]
    batch = imported(campaign, marketer, text)
    assert (batch.added, batch.noted) == (4, 2)


@pytest.mark.django_db
def test_a_note_that_looks_like_a_formula_is_text(campaign: Campaign, marketer: User) -> None:
    imported(campaign, marketer, "date,amount,note\n2026-11-10,5,=1+1\n")
    assert SpendEntry.objects.get().note == "=1+1"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", FileProblem.EMPTY),
        (b"\xef\xbb\xbf", FileProblem.EMPTY),
        (b"when,how much\n2026-11-10,5\n", FileProblem.COLUMN_MISSING),
        (b"date,amount,cost\n2026-11-10,5,5\n", FileProblem.COLUMN_TWICE),
        (b"PK\x03\x04\x14\x00" + bytes(range(200)), FileProblem.NOT_TEXT),
        (b'date,amount\n2026-11-10,"5\n', FileProblem.BROKEN),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_file_that_cannot_be_read_is_not_kept(
    campaign: Campaign, marketer: User, content: bytes, problem: FileProblem
) -> None:
    with pytest.raises(FileRefused) as refused:
        received(campaign, marketer, content)
    assert refused.value.problem is problem
    assert not CsvImport.objects.exists()
    assert stored() == []


# --- once and only once -------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_same_file_again_adds_nothing(campaign: Campaign, marketer: User) -> None:
    imported(campaign, marketer, TWO)
    again = check(batch=received(campaign, marketer, TWO))
    assert (again.added, again.known) == (0, 2)
    again = carry_out(batch=start(batch=again, now=NOW), actor=marketer, now=NOW)
    assert (again.added, again.known) == (0, 2)
    assert SpendEntry.objects.count() == 2


@pytest.mark.django_db
def test_a_row_is_known_however_it_is_written(campaign: Campaign, marketer: User) -> None:
    imported(campaign, marketer, TWO)
    other = "メモ;媒体;金額;日付;種別\nautumn;bluesky;1200,5;2026年11月10日;広告費\n"
    assert imported(campaign, marketer, other.encode("cp932")).known == 1


@pytest.mark.django_db
def test_two_equal_costs_of_one_day_are_two(campaign: Campaign, marketer: User) -> None:
    text = "date,amount\n2026-11-10,5\n2026-11-10,5\n"
    assert imported(campaign, marketer, text).added == 2
    batch = imported(campaign, marketer, text + "2026-11-10,5\n")
    assert (batch.added, batch.known) == (1, 2)
    assert SpendEntry.objects.count() == 3


@pytest.mark.django_db
def test_a_longer_file_adds_only_what_is_new(campaign: Campaign, marketer: User) -> None:
    imported(campaign, marketer, TWO)
    batch = imported(campaign, marketer, TWO + "2026-11-12,7,media,,\n")
    assert (batch.added, batch.known) == (1, 2)


@pytest.mark.django_db
def test_an_id_of_its_own_names_a_row(campaign: Campaign, marketer: User) -> None:
    imported(campaign, marketer, "id,date,amount\nA1,2026-11-10,5\n")
    text = "id,date,amount\nA1,2026-11-10,5\nA1,2026-11-10,5\nA2,2026-11-10,5\nA2,2026-11-10,6\n"
    rows = read(campaign, marketer, text)
    assert [row.is_known for row in rows] == [True, True, False, False]
    assert [[fault.code for fault in row.faults] for row in rows] == [[], [], [], ["id_twice"]]


@pytest.mark.django_db
def test_an_id_that_comes_with_other_values_changes_nothing(campaign: Campaign, marketer: User) -> None:
    imported(campaign, marketer, "id,date,amount\nA1,2026-11-10,5\n")
    batch = imported(campaign, marketer, "id,date,amount\nA1,2026-11-10,6\n")
    assert (batch.added, batch.known, batch.refused_count) == (0, 0, 1)
    assert batch.refused[0]["code"] == "differs"
    assert SpendEntry.objects.get().amount == 5


@pytest.mark.django_db
def test_each_campaign_has_its_own_rows(campaign: Campaign, marketer: User) -> None:
    other = make_campaign(campaign.brand, "Other")
    imported(campaign, marketer, TWO)
    assert imported(other, marketer, TWO).added == 2


@pytest.mark.django_db
def test_a_yes_that_is_clicked_twice_imports_once(campaign: Campaign, marketer: User) -> None:
    batch = check(batch=received(campaign, marketer, TWO))
    start(batch=batch, now=NOW)
    with pytest.raises(NotWaiting):
        start(batch=batch, now=NOW)
    carry_out(batch=batch, actor=marketer, now=NOW)
    with pytest.raises(NotWaiting):
        carry_out(batch=batch, actor=marketer, now=NOW)
    assert SpendEntry.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_files_at_once_do_not_double_their_rows(campaign: Campaign, marketer: User) -> None:
    batches = [check(batch=received(campaign, marketer, TWO)) for _ in range(2)]
    for batch in batches:
        start(batch=batch, now=NOW)
    barrier = threading.Barrier(2)

    def work(batch: CsvImport) -> None:
        barrier.wait()
        carry_out(batch=batch, actor=marketer, now=NOW)
        connection.close()

    threads = [threading.Thread(target=work, args=[batch]) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert SpendEntry.objects.count() == 2
    counts = sorted(CsvImport.objects.values_list("added", "known", "state"))
    assert counts == [(0, 2, State.DONE), (2, 0, State.DONE)]


@pytest.mark.django_db
def test_nothing_is_half_imported_when_something_fails(
    campaign: Campaign, marketer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "_INSERT", 1)
    batch = start(batch=check(batch=received(campaign, marketer, TWO)), now=NOW)

    def fails(**_: Any) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(imports, "record", fails)
        with pytest.raises(RuntimeError):
            carry_out(batch=batch, actor=marketer, now=NOW)
    assert not SpendEntry.objects.exists()
    batch.refresh_from_db()
    assert batch.state == State.READY  # it waits again, with its file
    assert len(stored()) == 1
    assert carry_out(batch=start(batch=batch, now=NOW), actor=marketer, now=NOW).added == 2


@pytest.mark.django_db
def test_a_file_that_was_lost_meanwhile_is_said(campaign: Campaign, marketer: User) -> None:
    batch = start(batch=check(batch=received(campaign, marketer, TWO)), now=NOW)
    default_storage.delete(batch.storage_key)
    batch = carry_out(batch=batch, actor=marketer, now=NOW)
    assert (batch.state, batch.problem) == (State.FAILED, "gone")


@pytest.mark.django_db
def test_an_import_is_undone_as_a_whole_and_may_come_again(campaign: Campaign, marketer: User) -> None:
    kept = imported(campaign, marketer, "date,amount\n2026-11-01,1\n")
    batch = imported(campaign, marketer, TWO)
    assert undo_import(batch=batch, actor=marketer, now=NOW) == 2
    assert undo_import(batch=batch, actor=marketer, now=NOW) == 0
    assert SpendEntry.objects.get().csv_import == kept
    assert imported(campaign, marketer, TWO).added == 2


# --- files --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_file_is_kept_under_a_name_that_nobody_can_guess(campaign: Campaign, marketer: User) -> None:
    batch = received(campaign, marketer, TWO, name="../../etc/passwd")
    assert batch.file_name == "../../etc/passwd"
    (name,) = stored()
    assert "passwd" not in name
    assert len(name) == 40


@pytest.mark.django_db
def test_a_discarded_file_goes_at_once(campaign: Campaign, marketer: User) -> None:
    batch = check(batch=received(campaign, marketer, TWO))
    discard(batch=batch)
    batch.refresh_from_db()
    assert (batch.state, stored()) == (State.DISCARDED, [])
    with pytest.raises(NotWaiting):
        start(batch=batch, now=NOW)


@pytest.mark.django_db
def test_files_that_nobody_came_back_for_are_cleaned_away(campaign: Campaign, marketer: User) -> None:
    batch = check(batch=received(campaign, marketer, TWO))
    assert clean(now=NOW + dt.timedelta(hours=23)) == 0
    assert clean(now=NOW + dt.timedelta(hours=25)) == 1
    batch.refresh_from_db()
    assert (batch.state, batch.storage_key, stored()) == (State.DISCARDED, "", [])
    assert clean(now=NOW + dt.timedelta(hours=25)) == 0


@pytest.mark.django_db
def test_an_import_that_its_worker_gave_up_waits_again(campaign: Campaign, marketer: User) -> None:
    batch = start(batch=check(batch=received(campaign, marketer, TWO)), now=NOW)
    clean(now=NOW + dt.timedelta(minutes=10))
    batch.refresh_from_db()
    assert batch.state == State.RUNNING
    clean(now=NOW + dt.timedelta(minutes=31))
    batch.refresh_from_db()
    assert batch.state == State.READY
    assert carry_out(batch=start(batch=batch, now=NOW), actor=marketer, now=NOW).added == 2


# --- large files --------------------------------------------------------------------------------


def many(count: int) -> str:
    rows = (f"2026-11-{1 + n % 28:02d},{n % 900 + 1},media,bluesky,row {n}" for n in range(count))
    return HEADER + "\n".join(rows) + "\n"


@pytest.mark.django_db
def test_fifty_thousand_rows_come_in_few_statements(
    campaign: Campaign, marketer: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    batch = received(campaign, marketer, many(50_000))
    told: list[int] = []
    with django_assert_max_num_queries(40):
        batch = check(batch=batch, progress=told.append)
    assert told == list(range(1_000, 50_001, 1_000))
    start(batch=batch, now=NOW)
    with django_assert_max_num_queries(80):
        batch = carry_out(batch=batch, actor=marketer, now=NOW)
    assert (batch.added, SpendEntry.objects.count()) == (50_000, 50_000)


@pytest.mark.django_db
def test_of_many_refused_rows_the_first_ones_are_kept(campaign: Campaign, marketer: User) -> None:
    text = "date,amount\n" + "2026-11-10,x\n" * 500
    batch = check(batch=received(campaign, marketer, text))
    assert (batch.refused_count, len(batch.refused)) == (500, 200)


@pytest.mark.django_db
def test_a_page_of_the_dry_run_looks_up_its_own_rows_only(
    campaign: Campaign, marketer: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    batch = received(campaign, marketer, many(5_000))
    with django_assert_num_queries(1), kept_file(batch) as file:
        found = list(verdicts(file, layout_of_spend(file), campaign, first=4_950, last=5_000))
    assert [row.row.number for row in found] == list(range(4_952, 5_002))


# --- pages --------------------------------------------------------------------------------------


def upload(client: Any, campaign: Campaign, text: str) -> Any:
    file = SimpleUploadedFile("ads.csv", text.encode(), "text/csv")
    return client.post(reverse("campaigns:spend_import", args=[campaign.pk]), {"file": file})


def page_of(batch: CsvImport) -> str:
    return reverse("campaigns:spend_import_page", args=[batch.pk])


def body(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.mark.django_db
def test_a_file_goes_from_upload_to_undo_on_the_pages(
    sign_in: SignIn, marketer: User, campaign: Campaign
) -> None:
    client = sign_in(marketer)
    response = upload(client, campaign, TWO + "2026-11-12,=1+1,media,,\n2025-01-01,3,media,,\n")
    batch = CsvImport.objects.get()
    assert response["Location"] == page_of(batch)
    page = body(client.get(page_of(batch)))
    assert "Import 3 rows, leave out the refused ones" in page
    assert "Amount “=1+1”: This is a formula." in page
    assert "Added, outside the flight" in page
    assert not SpendEntry.objects.exists()
    confirm = reverse("campaigns:spend_import_confirm", args=[batch.pk])
    page = body(client.post(confirm, follow=True))
    assert SpendEntry.objects.count() == 3
    assert "Undo import" in page
    assert "Rows that were refused" in page
    page = body(client.post(confirm, follow=True))
    assert "Nothing was done twice" in page
    assert SpendEntry.objects.count() == 3
    page = body(client.get(reverse("campaigns:spend", args=[campaign.pk])))
    assert "3 added · 1 refused" in page
    client.post(reverse("campaigns:spend_import_undo", args=[batch.pk]))
    assert not SpendEntry.objects.exists()


@pytest.mark.django_db
def test_a_file_can_be_left(sign_in: SignIn, marketer: User, campaign: Campaign) -> None:
    client = sign_in(marketer)
    upload(client, campaign, TWO)
    batch = CsvImport.objects.get()
    discarded = reverse("campaigns:spend_import_discard", args=[batch.pk])
    assert "Nothing of the file was imported." in body(client.post(discarded, follow=True))
    assert "dealt with already" in body(client.post(discarded, follow=True))
    assert not SpendEntry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("when,amount\n2026-11-10,5\n", "The file has no column “date”"),
        ('date,amount\n2026-11-10,"5\n', "a quotation mark is opened and not closed"),
        ("\x00\x01\x02", "This is no CSV file."),
    ],
)
def test_a_file_that_cannot_be_read_is_explained(
    sign_in: SignIn, marketer: User, campaign: Campaign, text: str, words: str
) -> None:
    response = upload(sign_in(marketer), campaign, text)
    assert response.status_code == 422
    assert words in body(response)
    assert not CsvImport.objects.exists()


@pytest.fixture
def _small_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of three rows count as large."""
    monkeypatch.setattr("campaigns.views.imports.AT_ONCE", 2)


@pytest.mark.django_db
@pytest.mark.usefixtures("_small_at_once")
def test_a_large_file_is_worked_on_in_the_background_and_shows_its_progress(
    sign_in: SignIn, marketer: User, campaign: Campaign, django_capture_on_commit_callbacks: Any
) -> None:
    client = sign_in(marketer)
    with django_capture_on_commit_callbacks() as waiting:
        upload(client, campaign, many(3))
    batch = CsvImport.objects.get()
    assert len(waiting) == 1
    page = body(client.get(page_of(batch)))
    assert "The file is being read" in page
    assert 'hx-trigger="every 1s"' in page
    tasks._teller(batch)(2)
    assert "2 of 3 rows." in body(client.get(page_of(batch), headers={"HX-Request": "true"}))
    tasks.check_import(import_id=str(batch.pk))
    assert "Import 3 rows" in body(client.get(page_of(batch)))
    with django_capture_on_commit_callbacks() as waiting:
        client.post(reverse("campaigns:spend_import_confirm", args=[batch.pk]))
    assert len(waiting) == 1
    page = body(client.get(page_of(batch)))
    assert "The rows are being imported" in page
    assert "0 of 3 rows." in page  # the dry run's progress is not the import's
    tasks.carry_out_import(import_id=str(batch.pk), actor_id=marketer.pk)
    page = body(client.get(page_of(batch)))
    assert "Undo import" in page
    assert "every 1s" not in page
    assert AuditEntry.objects.get(action="spend.imported").actor == marketer


@pytest.mark.django_db
def test_a_dry_run_is_paged(sign_in: SignIn, marketer: User, campaign: Campaign) -> None:
    client = sign_in(marketer)
    upload(client, campaign, many(120))
    batch = CsvImport.objects.get()
    page = body(client.get(page_of(batch) + "?page=3"))
    assert "row 119" in page
    assert "row 99<" not in page
    assert "101 to 120 of 120" in page


@pytest.mark.django_db
def test_files_of_other_organizations_are_not_found(
    sign_in: SignIn, marketer: User, stranger: User, campaign: Campaign
) -> None:
    batch = check(batch=received(campaign, marketer, TWO))
    client = sign_in(stranger)
    assert client.get(page_of(batch)).status_code == 404
    for name in ("confirm", "discard", "undo"):
        assert client.post(reverse(f"campaigns:spend_import_{name}", args=[batch.pk])).status_code == 404
    batch.refresh_from_db()
    assert batch.state == State.READY
