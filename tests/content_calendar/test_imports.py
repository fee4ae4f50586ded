"""Files of posts: how they are read, and the verdict on each of their rows."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from unittest import mock

import pytest
from django.core.files.storage import default_storage

from accounts.models import AccountStatus, Brand, SocialAccount, User
from content_calendar.import_rows import column_words
from content_calendar.models import (
    ApprovalRule,
    ImportBatch,
    ImportRow,
    ImportState,
    Label,
    Post,
    RowVerdict,
    Variant,
)
from content_calendar.selectors.imports import MOST_BYTES
from content_calendar.services import import_checks, imports
from content_calendar.services.approval import set_rules
from content_calendar.services.imports import LEASE, LeaseLost, NotWaiting, Reading, claim, read_again
from core.csv_reading import FileProblem, FileRefused
from core.xlsx_reading import MOST_COLUMNS
from tests.campaigns.conftest import make_campaign
from tests.cast import make_account
from tests.content_calendar.conftest import LATER, NOW, make_post
from tests.content_calendar.importing import (
    checked,
    claimed,
    imported,
    received,
    said,
    table,
    verdicts,
    workbook,
)

State = ImportState
HEADER = ("date", "time", "text", "accounts", "state")
GOOD = ("2026-12-01", "9:30", "Fresh coffee", "all", "schedule")


def files() -> list[str]:
    return default_storage.listdir("imports")[1] if default_storage.exists("imports") else []


# --- the file ---------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_japanese_table_is_read_in_every_encoding_and_with_every_separator(
    brand: Brand, creator: User, sandbox_account: SocialAccount, encoding: str, delimiter: str
) -> None:
    rows = [
        ("日付", "時刻", "本文", "アカウント", "状態"),
        ("2026/12/1", "午後3時", "新しい珈琲です", "すべて", "予約"),
    ]
    batch = checked(brand, creator, table(*rows, encoding=encoding, delimiter=delimiter))
    assert (batch.state, batch.encoding, batch.delimiter) == (State.READY, batch.encoding, delimiter)
    assert (batch.rows, batch.ok, batch.refused) == (1, 1, 0)
    row = ImportRow.objects.get(batch=batch)
    assert row.gist == {
        "at": "2026-12-01T14:00:00+00:00",  # of Berlin
        "excerpt": "新しい珈琲です",
        "accounts": [str(sandbox_account)],
        "schedules": True,
    }


def test_cells_of_a_workbook_are_dates_times_and_values(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    content = workbook(
        HEADER,
        (dt.date(2026, 12, 1), dt.time(9, 30), "One", "all", "schedule"),
        (dt.datetime.fromisoformat("2026-12-02 18:00"), None, "Two", "all", "schedule"),
        (None, None, 2027, None, None),
    )
    batch = checked(brand, creator, content, name="plan.xlsx")
    gists = [row.gist for row in ImportRow.objects.filter(batch=batch).order_by("number")]
    assert [gist["at"] for gist in gists] == ["2026-12-01T08:30:00+00:00", "2026-12-02T17:00:00+00:00", None]
    assert gists[2]["excerpt"] == "2027"
    assert batch.refused == 0


def test_a_formula_is_never_run(brand: Brand, creator: User) -> None:
    batch = checked(brand, creator, table(("text",), ("=cmd|' /C calc'!A0",), ("@cafe is back",), ("+1",)))
    assert [row.gist["excerpt"] for row in ImportRow.objects.filter(batch=batch).order_by("number")] == [
        "=cmd|' /C calc'!A0",
        "@cafe is back",
        "+1",
    ]
    assert verdicts(batch)[0][2] == ["It begins like a formula and is taken as plain text."]


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/sharedStrings.xml", b"\0" * (201 * 1024 * 1024))
    return out.getvalue()


def rewritten(change: Callable[[str, bytes], bytes]) -> bytes:
    """A workbook of two rows, its members changed."""
    source, out = io.BytesIO(workbook(("text",), ("one",))), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


def far_row() -> bytes:
    """Its header says that it stands in a row of which there are not so many."""
    return rewritten(
        lambda name, content: (
            content.replace(b'<row r="1"', b'<row r="2000000000"')
            if name == "xl/worksheets/sheet1.xml"
            else content
        )
    )


def many_elements() -> bytes:
    """Some kilobytes, a few megabytes unpacked, gigabytes as objects."""
    return rewritten(
        lambda name, content: (
            content.replace(b"</styleSheet>", b"<a/>" * 6_000_001 + b"</styleSheet>")
            if name == "xl/styles.xml"
            else content
        )
    )


def many_columns() -> bytes:
    return ("text," + ",".join(f"c{n}" for n in range(MOST_COLUMNS)) + "\none\n").encode()


def with_entities() -> bytes:
    """A workbook whose text would grow without end."""
    source, out = io.BytesIO(workbook(("text",), ("one",))), io.BytesIO()
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>'
    )
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, bomb if name == "xl/worksheets/sheet1.xml" else old.read(name))
    return out.getvalue()


def other_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<document/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", FileProblem.EMPTY),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), FileProblem.OLD_SPREADSHEET),
        (b"<html><body><table><tr><td>text</td></tr></table>", FileProblem.WEB_PAGE),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), FileProblem.NOT_TEXT),
        (b"PK\x03\x04 not a zip file at all", FileProblem.NOT_A_WORKBOOK),
        (other_zip, FileProblem.NOT_A_WORKBOOK),
        (with_entities, FileProblem.NOT_A_WORKBOOK),
        (zip_bomb, FileProblem.UNPACKS_TOO_LARGE),
        (many_elements, FileProblem.UNPACKS_TOO_LARGE),
        (far_row, FileProblem.TOO_MANY_ROWS),
        (many_columns, FileProblem.TOO_MANY_COLUMNS),
        (b"x" * (MOST_BYTES + 1), FileProblem.TOO_LARGE),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)[:20]),
)
def test_a_file_that_is_no_table_is_refused_and_not_kept(
    brand: Brand, creator: User, content: object, problem: FileProblem
) -> None:
    with pytest.raises(FileRefused) as refused:
        received(brand, creator, content() if callable(content) else content)  # type: ignore[arg-type]
    assert refused.value.problem is problem
    assert not ImportBatch.objects.exists()
    assert files() == []


def test_rows_that_stand_far_down_are_read_by_their_numbers(brand: Brand, creator: User) -> None:
    content = rewritten(
        lambda name, content: (
            content.replace(b'<row r="2"', b'<row r="90000"').replace(b'"A2"', b'"A90000"')
            if name == "xl/worksheets/sheet1.xml"
            else content
        )
    )
    assert [number for number, _verdict, _texts in verdicts(checked(brand, creator, content))] == [90000]


def test_a_mark_that_nobody_closes_fails_the_file_and_names_the_row(brand: Brand, creator: User) -> None:
    batch = checked(brand, creator, 'text\none\n"two\nthree\n')
    assert (batch.state, batch.problem, batch.problem_detail) == (State.FAILED, "broken", "3")
    assert not ImportRow.objects.exists()
    assert files() == []


def test_a_broken_row_is_refused_and_the_others_are_not(brand: Brand, creator: User) -> None:
    batch = checked(
        brand, creator, 'text,state\none,\n"two" and more,\nthree, but unquoted,\nfour\x01,\nfive,\n'
    )
    assert [(number, verdict) for number, verdict, _texts in verdicts(batch)] == [
        (2, "ok"),
        (3, "error"),
        (4, "error"),
        (5, "error"),
        (6, "ok"),
    ]
    texts = [texts for _number, verdict, texts in verdicts(batch) if verdict == "error"]
    assert "quotation mark" in texts[0][0]
    assert "“but unquoted” is not known here" in texts[1][-1] or "more cells" in texts[1][0]
    assert "control characters" in texts[2][0]
    assert (batch.ok, batch.refused) == (2, 3)


def test_more_rows_than_there_may_be_fail_the_file(brand: Brand, creator: User) -> None:
    with mock.patch("content_calendar.selectors.imports.MOST_ROWS", 3):
        assert checked(brand, creator, "text\n" + "a\n" * 3).state == State.READY
        batch = checked(brand, creator, "text\n" + "a\n" * 4)
    assert (batch.state, batch.problem) == (State.FAILED, FileProblem.TOO_MANY_ROWS)
    assert not ImportRow.objects.filter(batch=batch).exists()


def test_columns_that_nobody_knows_wait_to_be_named(brand: Brand, creator: User) -> None:
    batch = received(brand, creator, "Wann,Was\n2026-12-01,Kaffee\n")
    assert (batch.state, batch.columns, batch.header) == (State.NAMING, ["", ""], ["Wann", "Was"])
    read_again(batch=batch, reading=Reading(columns=("date", "text")))
    assert (batch.state, batch.columns) == (State.CHECKING, ["date", "text"])


def test_another_encoding_is_read_anew_and_one_that_does_not_fit_is_refused(
    brand: Brand, creator: User
) -> None:
    western = checked(brand, creator, table(("text",), ("für Überall ß",), encoding="cp1252"))
    with pytest.raises(FileRefused) as refused:
        read_again(batch=western, reading=Reading(encoding="utf-8"))
    assert refused.value.problem is FileProblem.OTHER_ENCODING
    western.refresh_from_db()
    assert (western.state, western.encoding) == (State.READY, "cp1252")
    batch = checked(brand, creator, table(("ああ", "text"), ("a", "b")))
    read_again(batch=batch, reading=Reading(encoding="cp932", columns=("text", "")))
    assert (batch.state, batch.encoding) == (State.CHECKING, "cp932")
    assert batch.columns == ["", "text"]  # its header is other words now: what was chosen for it is not kept
    imports.discard(batch=batch)
    with pytest.raises(NotWaiting):
        imports.discard(batch=batch)


# --- the verdicts -----------------------------------------------------------------------------


def row(**cells: str) -> bytes:
    return table(tuple(cells), tuple(cells.values()))


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"text": ""}, "Write something or add an image."),
        ({"text": "a", "date": "2026-12-01"}, "There is a date, and no time."),
        ({"text": "a", "time": "9:00"}, "There is a time, and no date."),
        ({"text": "a", "date": "soon", "time": "9:00"}, "This is not a date."),
        ({"text": "a", "date": "1.12.2026", "time": "9:00"}, "cannot be told apart"),
        ({"text": "a", "date": "2026-12-01", "time": "25:00"}, "not a time of the day"),
        ({"text": "a", "date": "2027-03-28", "time": "2:30"}, "The clocks are put forward then"),
        ({"text": "a", "accounts": "nobody"}, "“nobody” is no account of Harbour Coffee."),
        ({"text": "a", "campaign": "Winter"}, "“Winter” is no campaign of Harbour Coffee"),
        ({"text": "a", "state": "perhaps"}, "Write draft or schedule."),
        ({"text": "a", "state": "schedule", "accounts": "all"}, "needs a date and a time"),
        (
            {"text": "a", "state": "schedule", "date": "2026-12-01", "time": "9:00"},
            "Choose at least one account",
        ),
        ({"text": "a", "media": "picture.jpg"}, "not the address of an image"),
        ({"text": "a", "late": "never"}, "no rule for late posts"),
        ({"text": "a", "labels": "x" * 41}, "at most 40 characters"),
        ({"text": "x" * 30_001}, "No network takes texts"),
        ({"text": "a", "card_url": "http://"}, "not the address of a page"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_row_is_said(
    brand: Brand, creator: User, sandbox_account: SocialAccount, cells: dict[str, str], words: str
) -> None:
    batch = checked(
        brand, creator, row(**{"state": "", **cells}) if cells != {"text": ""} else "text,state\n,draft\n"
    )
    assert words in said(batch)
    assert (batch.ok, batch.refused) == (0, 1)


def test_a_time_that_is_over_refuses_what_is_to_be_scheduled_and_warns_of_a_draft(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    batch = checked(
        brand,
        creator,
        table(
            HEADER,
            ("2026-11-01", "9:00", "a", "all", "schedule"),
            ("2026-11-01", "9:00", "b", "all", "draft"),
        ),
    )
    assert [(verdict, texts[0]) for _number, verdict, texts in verdicts(batch)] == [
        ("error", "This time is over. Choose a later one."),
        ("warning", "This time is over. Choose a later one."),
    ]


def test_what_a_network_refuses_is_an_error_only_for_what_is_to_be_scheduled(
    brand: Brand, creator: User, second_account: SocialAccount
) -> None:
    batch = checked(
        brand,
        creator,
        table(
            HEADER,
            ("2026-12-01", "9:00", "x" * 301, "bluesky", "schedule"),
            ("2026-12-02", "9:00", "x" * 301, "bluesky", "draft"),
        ),
    )
    found = verdicts(batch)
    assert [verdict for _number, verdict, _texts in found] == ["error", "warning"]
    assert "Too long for Bluesky by 1 character" in found[0][2][0]


def test_a_lost_account_is_said_as_the_composer_says_it(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    SocialAccount.objects.update(status=AccountStatus.NEEDS_RECONNECT)
    batch = checked(brand, creator, table(HEADER, GOOD))
    assert "must be reconnected" in said(batch)
    assert batch.refused == 1


def test_accounts_are_named_in_many_ways(brand: Brand, creator: User, sandbox_account: SocialAccount) -> None:
    other = make_account(brand, platform="bluesky", handle="harbour")
    names = ["all", "@harbour", "bluesky:harbour", "Bluesky", "sandbox; bluesky", "bluesky:@harbour、sandbox"]
    batch = checked(
        brand, creator, table(("text", "accounts"), *((f"Post {n}", name) for n, name in enumerate(names)))
    )
    rows = list(ImportRow.objects.filter(batch=batch).order_by("number"))
    both = {str(sandbox_account), str(other)}
    assert [set(one.gist["accounts"]) for one in rows] == [both, both, {str(other)}, {str(other)}, both, both]
    assert rows[1].verdict == "error"  # which of the two?
    assert "name of several accounts" in rows[1].notes[0]["text"]
    assert [one.verdict for one in rows[2:]] == ["ok"] * 4


def test_the_same_twice_in_one_file_is_refused_and_the_same_minute_is_said(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    make_post(brand, creator, "there already", sandbox_account, planned_at=LATER)
    local = "2026-11-24"  # LATER is 10:00 there
    batch = checked(
        brand,
        creator,
        table(
            HEADER,
            GOOD,
            GOOD,
            ("2026-12-01", "9:30", "Something else", "all", "schedule"),
            (local, "10:00", "a", "all", "draft"),
        ),
    )
    found = verdicts(batch)
    assert found[0][1:] == ("ok", [])
    assert found[1][1:] == ("error", ["Row 2 says the same at the same time."])
    assert found[2][1:] == ("warning", [f"Row 2 is planned on {sandbox_account} at this minute, too."])
    assert found[3][1:] == ("warning", [f"Another post is planned on {sandbox_account} at this minute."])


def test_a_campaign_is_known_by_name_or_code_and_a_new_label_is_said(brand: Brand, creator: User) -> None:
    campaign = make_campaign(brand, "Winter Menu")
    Label.objects.create(brand=brand, name="Menu")
    batch = checked(
        brand,
        creator,
        table(
            ("text", "campaign", "labels"), ("a", "winter menu", "MENU"), ("b", campaign.code, "Menu; Cake")
        ),
    )
    assert verdicts(batch) == [
        (2, "ok", []),
        (3, "warning", ["The label “Cake” is new: it is made with the import."]),
    ]
    assert Label.objects.count() == 1


def test_whoever_may_not_publish_is_told_that_rows_become_drafts(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    batch = checked(brand, creator, table(HEADER, GOOD), may_schedule=False)
    assert said(batch) == "You may not schedule posts: it becomes a draft with this time."
    assert ImportRow.objects.get(batch=batch).gist["schedules"] is False


def test_that_a_brand_asks_for_approval_is_said_before_the_import(
    brand: Brand, manager: User, sandbox_account: SocialAccount
) -> None:
    rows = table(HEADER, GOOD)
    assert checked(brand, manager, rows).warned == 0
    set_rules(brand=brand, rule=ApprovalRule.INTERNAL, remind_after_h=0, actor=manager, now=NOW)
    batch = checked(brand, manager, rows)
    assert (batch.ok, batch.warned, batch.refused) == (1, 1, 0)
    assert [note["text"] for note in batch.import_rows.get().notes] == [
        "It is a draft until it is approved, as this brand asks for."
    ]
    assert batch.import_rows.get().gist["schedules"] is False


def test_a_dry_run_makes_nothing(brand: Brand, creator: User, sandbox_account: SocialAccount) -> None:
    checked(brand, creator, table((*HEADER, "labels"), (*GOOD, "New")))
    assert not Post.objects.exists()
    assert not Label.objects.exists()


# --- who works on it --------------------------------------------------------------------------


def test_a_dry_run_whose_worker_died_is_taken_up_anew(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    batch = received(brand, creator, table(("text",), *((f"row {n}",) for n in range(1_200))))
    dead = claimed(batch)
    steps = import_checks.check(lease=dead, now=NOW)
    assert next(steps) == import_checks.CHUNK
    assert claim(batch_id=batch.pk, now=NOW + LEASE / 2) is None
    after = NOW + LEASE + dt.timedelta(seconds=1)
    assert imports.waiting_for_work(now=after) == [batch.pk]
    lease = claimed(batch, after)
    with pytest.raises(LeaseLost):  # what the first one still wants to write
        next(steps)
    assert list(import_checks.check(lease=lease, now=after)) == [500, 1_000, 1_200]
    batch.refresh_from_db()
    assert (batch.state, batch.rows, batch.ok) == (State.READY, 1_200, 1_200)
    assert ImportRow.objects.filter(batch=batch).count() == 1_200
    assert imports.waiting_for_work(now=after) == []


def test_a_file_that_kills_every_worker_is_given_up(brand: Brand, creator: User) -> None:
    batch = received(brand, creator, "text\na\n")
    now = NOW
    for _attempt in range(imports.MOST_ATTEMPTS):
        assert claim(batch_id=batch.pk, now=now) is not None
        now += LEASE * 2
    assert claim(batch_id=batch.pk, now=now) is None
    batch.refresh_from_db()
    assert (batch.state, batch.problem) == (State.FAILED, "stopped")
    assert files() == []


def test_files_that_nobody_decides_about_go_away(brand: Brand, creator: User) -> None:
    batch = checked(brand, creator, "text\na\n")
    assert imports.clean(now=NOW + dt.timedelta(hours=23)) == 0
    assert imports.clean(now=NOW + dt.timedelta(hours=25)) == 1
    batch.refresh_from_db()
    assert batch.state == State.DISCARDED
    assert files() == []
    assert not ImportRow.objects.exists()


# --- words of single accounts -----------------------------------------------------------------


OWN = ("text", "accounts", "text@bluesky:harbour.example.com", "text_2@Bluesky:@harbour.example.com")


def own_words() -> list[str] | None:
    variant = Variant.objects.get(account__platform="bluesky")
    return [part["text"] for part in variant.parts] if variant.parts is not None else None


def test_a_row_says_what_one_account_says_instead(
    brand: Brand, creator: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    batch = checked(brand, creator, table(OWN, ("For all", "all", "For one", "and more")))
    imported(batch, creator)
    assert own_words() == ["For one", "and more"]
    assert Variant.objects.get(account=sandbox_account).parts is None


def test_an_account_whose_columns_are_empty_gets_the_words_of_all(
    brand: Brand, creator: User, second_account: SocialAccount
) -> None:
    imported(checked(brand, creator, table(OWN, ("For all", "all", "", " "))), creator)
    assert own_words() is None


@pytest.mark.parametrize("accounts", ["", "sandbox"])
def test_words_for_an_account_that_the_row_does_not_name_are_refused(
    brand: Brand,
    creator: User,
    sandbox_account: SocialAccount,
    second_account: SocialAccount,
    accounts: str,
) -> None:
    batch = checked(brand, creator, table(OWN, ("For all", accounts, "For one", "")))
    assert batch.refused == 1
    assert "where this post does not go" in said(batch)


def test_words_for_an_account_that_nobody_has_are_refused(
    brand: Brand, creator: User, sandbox_account: SocialAccount
) -> None:
    header = ("text", "accounts", "text@bluesky:nobody.example.com")
    batch = checked(brand, creator, table(header, ("For all", "all", "For one")))
    assert "“bluesky:nobody.example.com”" in said(batch)
    (row,) = ImportRow.objects.get(batch=batch).notes
    assert column_words(row) == "Text · bluesky:nobody.example.com"


def test_limits_of_an_account_count_its_own_words(
    brand: Brand, creator: User, sandbox_account: SocialAccount, second_account: SocialAccount
) -> None:
    header = ("date", "time", "state", *OWN)
    long = ("2026-12-01", "9:30", "schedule", "For all", "all", "x" * 301, "")
    short = ("2026-12-01", "9:30", "schedule", "x" * 301, "all", "For one", "")
    batch = checked(brand, creator, table(header, long, short))
    ((_one, first, texts), (_two, second, _texts)) = verdicts(batch)
    assert (first, second) == (RowVerdict.ERROR, RowVerdict.WARNING)
    assert "Bluesky" in " ".join(texts)
    notes = ImportRow.objects.get(batch=batch, number=2).notes
    assert {note["column"] for note in notes if note["level"] == "error"} == {
        "text@bluesky:harbour.example.com"
    }
