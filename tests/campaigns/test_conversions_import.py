"""Files of conversions: what each row would do, and that it does just that, once."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Brand, User
from audience.models import Activity, Contact
from campaigns import tasks
from campaigns.conversion_rows import COLUMNS, RowReader, entered_moment
from campaigns.models import Campaign, Conversion, CsvImport, Refund, Source
from campaigns.services import conversion_imports as service
from campaigns.services.conversion_imports import BATCH, Verdict, carry_out, check, receive, verdicts
from campaigns.services.conversions import report_conversions
from campaigns.services.imports import NotWaiting, start
from campaigns.services.refunds import report_refunds
from core.csv_reading import FileProblem, FileRefused, Row
from core.entering import NotReadable, Unreadable
from tests.campaigns.conftest import NOW
from tests.campaigns.reporting import give_back, sale, take

HEAD = "kind,date,id,value,currency,email,campaign,refund_of\n"
State = CsvImport.State


def upload(
    text: str | bytes, brand: Brand, actor: User, campaign: Campaign | None = None, encoding: str = "utf-8"
) -> CsvImport:
    raw = text if isinstance(text, bytes) else text.encode(encoding)
    return receive(
        brand=brand, campaign=campaign, upload=io.BytesIO(raw), name="orders.csv", actor=actor, now=NOW
    )


def said(verdict: Verdict) -> str:
    """added, noted, known, or the columns and codes at fault."""
    if verdict.faults:
        return " ".join(f"{fault.column}:{fault.code}" for fault in verdict.faults)
    if verdict.is_known:
        return "known"
    return f"noted:{verdict.notice}" if verdict.notice else "added"


def dry(batch: CsvImport) -> list[str]:
    return [said(verdict) for verdict in verdicts(batch, now=NOW)]


def run(batch: CsvImport) -> CsvImport:
    check(batch=batch, now=NOW)
    start(batch=CsvImport.objects.get(pk=batch.pk), now=NOW)
    return carry_out(batch=CsvImport.objects.get(pk=batch.pk), actor=batch.created_by, now=NOW)


# --- rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-20T10:30:00+09:00", "2026-11-20T01:30:00"),
        ("2026-11-20T10:30:00Z", "2026-11-20T10:30:00"),
        ("2026-11-20 10:30", "2026-11-20T09:30:00"),  # Berlin
        ("2026/11/20 9:05:07", "2026-11-20T08:05:07"),
        ("２０２６年１１月２０日 10:30", "2026-11-20T09:30:00"),
        ("2026-11-20", "2026-11-20T22:59:59"),
        ("2026/11/20 0:00", "2026-11-20T22:59:59"),
        ("2026-11-20 00:00:00", "2026-11-20T22:59:59"),
        ("20.11.2026", "2026-11-20T22:59:59"),
        ("2026-03-29 02:30", "2026-03-29T01:00:00"),  # the hour that does not exist
    ],
)
def test_times_are_read_as_files_have_them(text: str, instant: str) -> None:
    """A date alone stands for its last second: a click of the same day came before."""
    assert entered_moment(text, "Europe/Berlin") == dt.datetime.fromisoformat(f"{instant}+00:00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-13-01",
        "2026-11-20 25:00",
        "=NOW()",
        "10:30",
        "0001-01-01T00:00:00+09:00",
        "9999-12-31T23:59:59-09:00",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(NotReadable):
        entered_moment(text, "Europe/Berlin")


def test_a_date_that_can_be_read_in_two_ways_is_refused() -> None:
    with pytest.raises(NotReadable) as caught:
        entered_moment("05/01/2026 10:30", "Europe/Berlin")
    assert caught.value.reason is Unreadable.AMBIGUOUS_DATE


def test_rows_without_a_number_are_named_by_what_they_say_and_how_often() -> None:
    def names() -> list[str]:
        reader = RowReader({"kind": 0, "date": 1, "email": 2}, "USD", "UTC")
        rows = [("lead", "2026-11-20", "a@example.com")] * 2 + [("lead", "2026-11-20", "b@example.com")]
        read = [reader.read(Row(number, cells)) for number, cells in enumerate(rows, 2)]
        return [row.report.external_id for row in read if row.report]

    first = names()
    assert len(set(first)) == 3
    assert names() == first
    assert all("example.com" not in name for name in first)


# --- the dry run ------------------------------------------------------------------------------


def test_every_row_says_what_it_would_do_and_nothing_is_written(
    brand: Brand, campaign: Campaign, marketer: User
) -> None:
    take(brand, sale("OLD", happened_at=NOW - dt.timedelta(days=3)))
    rows = [
        "sale,2026-11-20 10:00,1,12.50,,a@example.com,spring,",
        "lead,2026-11-20 10:00,1,,,,,",
        f"sale,{(NOW - dt.timedelta(days=3)).isoformat()},OLD,100,USD,,,",
        f"sale,{(NOW - dt.timedelta(days=3)).isoformat()},OLD,99,USD,,,",
        "sale,2026-11-20 10:00,1,12.50,,a@example.com,spring,",
        "sale,2026-11-20 10:00,1,13,,a@example.com,spring,",
        "sale,2026-11-20 10:00,2,1.2345,,,,",
        "sale,2026-11-20 10:00,3,=SUM(A1),,,,",
        "sale,2026-11-20 10:00,4,5,JPY,,,",
        "sale,2026-11-20 10:00,5,,,,,",
        "sale,2026-11-20 10:00,6,5,,nobody,,",
        "sale,2026-11-20 10:00,7,5,,,nothing,",
        "sale,2031-11-20 10:00,8,5,,,,",
        "gift,soon,9,5,,,,",
        ",,10,5,,,,",
    ]
    batch = upload(HEAD + "\n".join(rows), brand, marketer)
    assert dry(batch) == [
        "added",
        "noted:no_campaign",
        "known",
        "id:differs",
        "known",
        "id:differs",
        "value:too_many_decimals",
        "value:formula",
        "currency:currency_mismatch",
        "value:missing",
        "email:email_invalid",
        "campaign:campaign_unknown",
        "date:in_future",
        "kind:unknown_kind date:not_a_date",
        "kind:missing date:missing",
    ]
    assert Conversion.objects.count() == 1
    assert not Contact.objects.exists()
    checked = check(batch=batch, now=NOW)
    assert checked.state == State.READY
    assert (checked.added, checked.known, checked.noted, checked.refused_count) == (2, 2, 1, 11)


def test_what_is_somebodys_is_not_kept_with_a_refusal(brand: Brand, marketer: User) -> None:
    batch = upload(HEAD + "sale,2026-11-20,1,5,,hanako@nowhere,,\n", brand, marketer)
    check(batch=batch, now=NOW)
    batch.refresh_from_db()
    assert batch.refused[0]["code"] == "email_invalid"
    assert "hanako" not in str(batch.refused)


def test_refunds_are_judged_against_what_remains(brand: Brand, marketer: User) -> None:
    known = take(brand, sale("OLD", value="100"))
    give_back(known, "30", "R-0", at=dt.datetime(2026, 11, 21, 22, 59, 59, tzinfo=dt.UTC))
    rows = [
        "refund,2026-11-21,R-0,30,,,,OLD",
        "refund,2026-11-21,R-0,31,,,,OLD",
        "refund,2026-11-21,R-1,71,,,,OLD",
        "refund,2026-11-21,R-2,70,,,,OLD",
        "refund,2026-11-21,R-3,0.01,,,,OLD",
        "sale,2026-11-20,NEW,10,,,,",
        "refund,2026-11-21,R-1,4,,,,NEW",
        "refund,2026-11-21,R-2,7,,,,NEW",
        "refund,2026-11-21,R-9,1,,,,NEVER",
        "refund,2026-11-21,R-9,,,,,NEW",
        "refund,2026-11-21,R-9,1,,,,",
    ]
    expected = [
        "known",
        "id:differs",
        "value:exceeds_value",
        "added",
        "value:exceeds_value",
        "noted:no_campaign",
        "added",
        "value:exceeds_value",
        "refund_of:conversion_unknown",
        "value:missing",
        "refund_of:refund_of_missing",
    ]
    batch = upload(HEAD + "\n".join(rows), brand, marketer)
    assert dry(batch) == expected
    assert Refund.objects.count() == 1
    done = run(batch)
    assert (done.added, done.known, done.refused_count) == (3, 1, 7)
    assert sorted(Refund.objects.values_list("external_id", "amount")) == [
        ("R-0", 30),
        ("R-1", 4),
        ("R-2", 70),
    ]


# --- taking over ------------------------------------------------------------------------------


def test_what_the_dry_run_says_is_what_happens_and_a_second_time_nothing(
    brand: Brand, campaign: Campaign, marketer: User
) -> None:
    text = HEAD + (
        "sale,2026-11-20 10:00,1,12.50,,a@example.com,,\nlead,2026-11-20,2,,,a@example.com,,\n"
        "sale,2026-11-20,3,5,JPY,,,\n"
    )
    done = run(upload(text, brand, marketer, campaign))
    assert done.state == State.DONE
    assert (done.added, done.known, done.refused_count) == (2, 0, 1)
    made = Conversion.objects.get(external_id="1")
    assert (made.value, made.source, made.campaign, made.csv_import) == (
        Decimal("12.50"),
        Source.CSV,
        campaign,
        done,
    )
    assert Contact.objects.get().stage == "customer"
    again = run(upload(text, brand, marketer, campaign))
    assert (again.added, again.known) == (0, 2)
    assert Conversion.objects.count() == 2
    entries = AuditEntry.objects.filter(action="conversion.imported")
    assert [entry.detail["entries"] for entry in entries.order_by("at", "pk")] == [2, 0]


def test_a_row_names_another_campaign_than_that_of_the_page(
    brand: Brand, campaign: Campaign, marketer: User
) -> None:
    from tests.campaigns.conftest import make_campaign

    other = make_campaign(brand, "秋の新作", code="autumn-2026")
    run(upload(HEAD + "lead,2026-11-20,1,,,,秋の新作,\n", brand, marketer, campaign))
    assert Conversion.objects.get().campaign == other


@pytest.mark.parametrize("encoding", ["cp932", "utf-8-sig", "utf-16"])
def test_japanese_files_of_every_encoding(other_brand: Brand, marketer: User, encoding: str) -> None:
    text = (
        "注文番号;種別;日時;金額;通貨;メール;氏名\n"
        "A-1;売上;2026/11/20 10:30;4,800円;JPY;yuki@example.com;高橋 由紀\n"
        "A-2;リード;2026年11月21日;;;;\n"
    )
    done = run(upload(text, other_brand, marketer, encoding=encoding))
    assert (done.added, done.refused_count) == (2, 0)
    made = Conversion.objects.get(external_id="A-1")
    assert (made.value, made.currency) == (4800, "JPY")
    assert made.happened_at == dt.datetime(2026, 11, 20, 1, 30, tzinfo=dt.UTC)
    assert made.identity is not None
    assert made.identity.display_name == "高橋 由紀"


def test_an_import_is_carried_out_once(brand: Brand, marketer: User) -> None:
    batch = upload(HEAD + "lead,2026-11-20,1,,,,,\n", brand, marketer)
    run(batch)
    batch.refresh_from_db()
    with pytest.raises(NotWaiting):
        start(batch=batch, now=NOW)
    with pytest.raises(NotWaiting):
        carry_out(batch=batch, actor=marketer, now=NOW)
    assert batch.storage_key == ""


def test_an_import_that_breaks_off_waits_again_and_goes_on(
    brand: Brand, marketer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed is known the second time, and the rest comes."""
    monkeypatch.setattr(service, "BATCH", 2)
    rows = "".join(f"lead,2026-11-20,{number},,,,,\n" for number in range(5))
    batch = upload(HEAD + rows, brand, marketer)
    check(batch=batch, now=NOW)
    calls: list[Any] = []

    def breaks(**given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise ConnectionError("the worker lost its database")
        return report_conversions(**given)

    monkeypatch.setattr(service, "report_conversions", breaks)
    start(batch=CsvImport.objects.get(pk=batch.pk), now=NOW)
    with pytest.raises(ConnectionError):
        carry_out(batch=CsvImport.objects.get(pk=batch.pk), actor=marketer, now=NOW)
    batch.refresh_from_db()
    assert batch.state == State.READY
    assert Conversion.objects.count() == 2
    start(batch=batch, now=NOW)
    done = carry_out(batch=CsvImport.objects.get(pk=batch.pk), actor=marketer, now=NOW)
    assert (done.state, done.added, done.known) == (State.DONE, 3, 2)
    assert Conversion.objects.count() == 5


def test_an_import_that_breaks_off_between_sales_and_refunds_goes_on(
    brand: Brand, marketer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sales of a batch are committed before its refunds; the second time each refund comes once."""
    monkeypatch.setattr(service, "BATCH", 3)
    rows = (
        "sale,2026-11-20,1,10,,a@example.com,,\nsale,2026-11-20,2,10,,,,\nrefund,2026-11-21,R-1,4,,,,1\n"
        "sale,2026-11-20,3,10,,,,\nrefund,2026-11-21,R-1,4,,,,1\nrefund,2026-11-21,R-2,7,,,,1\n"
        "refund,2026-11-21,R-3,6,,,,1\n"
    )
    batch = upload(HEAD + rows, brand, marketer)
    assert check(batch=batch, now=NOW).added == 5
    calls: list[Any] = []

    def breaks(**given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise ConnectionError("the worker lost its database")
        return report_refunds(**given)

    monkeypatch.setattr(service, "report_refunds", breaks)
    start(batch=CsvImport.objects.get(pk=batch.pk), now=NOW)
    with pytest.raises(ConnectionError):
        carry_out(batch=CsvImport.objects.get(pk=batch.pk), actor=marketer, now=NOW)
    assert (Conversion.objects.count(), Refund.objects.count()) == (3, 1)
    start(batch=CsvImport.objects.get(pk=batch.pk), now=NOW)
    done = carry_out(batch=CsvImport.objects.get(pk=batch.pk), actor=marketer, now=NOW)
    assert (done.state, done.added, done.known, done.refused_count) == (State.DONE, 1, 5, 1)
    assert Conversion.objects.get(external_id="1").refunded == 10
    assert sorted(Refund.objects.values_list("external_id", "amount")) == [("R-1", 4), ("R-3", 6)]
    told = Activity.objects.values_list("kind", flat=True).order_by("kind")
    assert list(told) == ["refund", "refund", "sale"]


def test_progress_is_told_of_each_batch(
    brand: Brand, marketer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that goes on after it broke off begins anew."""
    monkeypatch.setattr(service, "BATCH", 2)
    rows = "".join(f"lead,2026-11-20,{number},,,,,\n" for number in range(5))
    batch = upload(HEAD + rows, brand, marketer)
    told: list[int] = []
    check(batch=batch, now=NOW, progress=told.append)
    assert told == [2, 4]
    start(batch=CsvImport.objects.get(pk=batch.pk), now=NOW)
    told.clear()
    carry_out(batch=CsvImport.objects.get(pk=batch.pk), actor=marketer, now=NOW, progress=told.append)
    assert told == [0, 2, 4, 5]


def test_an_import_takes_queries_by_the_batch(
    brand: Brand, marketer: User, django_assert_max_num_queries: Any
) -> None:
    """Refunds too, of sales in the file and of those that are there."""
    text = HEAD + "".join(
        f"sale,2026-11-20,{number},10,,p{number}@example.com,,\nrefund,2026-11-21,R,1,,,,{number}\n"
        for number in range(200)
    )
    batch = upload(text, brand, marketer)
    with django_assert_max_num_queries(8):
        check(batch=batch, now=NOW)
    start(batch=CsvImport.objects.get(pk=batch.pk), now=NOW)
    with django_assert_max_num_queries(60):
        done = carry_out(batch=CsvImport.objects.get(pk=batch.pk), actor=marketer, now=NOW)
    assert (done.added, Refund.objects.count()) == (400, 200)
    again = upload(text, brand, marketer)
    with django_assert_max_num_queries(10):
        assert check(batch=again, now=NOW).known == 400


def test_the_progress_of_the_dry_run_is_not_that_of_the_import(brand: Brand, marketer: User) -> None:
    batch = upload(HEAD + "lead,2026-11-20,1,,,,,\n" * 1001, brand, marketer)
    tasks.check_conversions(import_id=str(batch.pk))
    assert tasks.rows_done(batch) == 1000
    batch.refresh_from_db()
    start(batch=batch, now=NOW)
    assert tasks.rows_done(batch) == 0
    tasks.carry_out_conversions(import_id=str(batch.pk), actor_id=marketer.pk)
    assert tasks.rows_done(batch) == 1001


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", FileProblem.EMPTY),
        (b"date,value\n2026-11-20,5\n", FileProblem.COLUMN_MISSING),
        (b"kind,date,amount,value\nsale,2026-11-20,5,6\n", FileProblem.COLUMN_TWICE),
        (b"PK\x03\x04\x00\x00\x01\x02", FileProblem.NOT_TEXT),
    ],
)
def test_a_file_that_is_no_table_of_conversions_is_not_kept(
    brand: Brand, marketer: User, raw: bytes, problem: FileProblem
) -> None:
    with pytest.raises(FileRefused) as caught:
        upload(raw, brand, marketer)
    assert caught.value.problem is problem
    assert not CsvImport.objects.exists()


def test_a_dry_run_takes_queries_by_the_batch(
    brand: Brand, marketer: User, django_assert_max_num_queries: Any
) -> None:
    rows = "".join(f"lead,2026-11-20,{number},,,p{number}@example.com,,\n" for number in range(2 * BATCH))
    batch = upload(HEAD + rows, brand, marketer)
    with django_assert_max_num_queries(12):
        check(batch=batch, now=NOW)


# --- pages ------------------------------------------------------------------------------------


def test_from_the_file_to_the_list(sign_in: Any, marketer: User, brand: Brand) -> None:
    client = sign_in(marketer)
    day = (timezone.now() - dt.timedelta(days=2)).date()
    text = HEAD + f"sale,{day},W-1,5,,a@example.com,,\nsale,{day},W-2,5,JPY,,,\n"
    file = SimpleUploadedFile("orders.csv", text.encode())
    answer = client.post(reverse("campaigns:conversion_import"), {"file": file})
    batch = CsvImport.objects.get()
    page_url = reverse("campaigns:conversion_import_page", args=[batch.pk])
    assert answer["Location"] == page_url
    page = client.get(page_url).content.decode()
    assert "The amount is in JPY, and the brand counts in USD." in page
    assert not Conversion.objects.exists()
    client.post(reverse("campaigns:conversion_import_confirm", args=[batch.pk]))
    assert "Imported" in client.get(page_url).content.decode()
    assert "W-1" in client.get(reverse("campaigns:conversion_list")).content.decode()
    assert Conversion.objects.get().external_id == "W-1"


def test_a_large_file_is_read_by_a_worker(
    sign_in: Any,
    marketer: User,
    brand: Brand,
    monkeypatch: pytest.MonkeyPatch,
    celery_eager: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    from campaigns.views import conversion_imports as views

    monkeypatch.setattr(views, "AT_ONCE", 1)
    client = sign_in(marketer)
    day = (timezone.now() - dt.timedelta(days=2)).date()
    file = SimpleUploadedFile("orders.csv", (HEAD + f"lead,{day},1,,,,,\nlead,{day},2,,,,,\n").encode())
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("campaigns:conversion_import"), {"file": file})
    batch = CsvImport.objects.get()
    assert (batch.state, batch.added) == (State.READY, 2)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("campaigns:conversion_import_confirm", args=[batch.pk]))
    batch.refresh_from_db()
    assert (batch.state, Conversion.objects.count()) == (State.DONE, 2)


def test_a_file_may_be_left(sign_in: Any, marketer: User, brand: Brand) -> None:
    batch = upload(HEAD + "lead,2026-11-20,1,,,,,\n", brand, marketer)
    check(batch=batch, now=NOW)
    sign_in(marketer).post(reverse("campaigns:conversion_import_discard", args=[batch.pk]))
    batch.refresh_from_db()
    assert (batch.state, batch.storage_key) == (State.DISCARDED, "")
    assert not Conversion.objects.exists()


def test_of_several_brands_one_is_chosen_first(
    sign_in: Any, marketer: User, brand: Brand, other_brand: Brand
) -> None:
    client = sign_in(marketer)
    page = client.get(reverse("campaigns:conversion_import"))
    assert page.context["brands"] == [brand, other_brand]
    chosen = client.get(reverse("campaigns:conversion_import"), {"brand": str(other_brand.pk)})
    assert chosen.context["brand"] == other_brand


def test_every_column_has_a_name_on_the_page() -> None:
    from campaigns.views.conversion_imports import COLUMN_NAMES

    assert set(COLUMN_NAMES) == set(COLUMNS)
