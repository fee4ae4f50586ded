"""The demo's files of posts: ideas that came out of a spreadsheet, and one that waits for a yes."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from content_calendar import tasks
from content_calendar.models import ImportState
from content_calendar.services import imports
from core.time import to_local
from smmapp.demo.plan import PEOPLE
from smmapp.demo.world import World


@dataclass(frozen=True, slots=True)
class PlanFile:
    """``rows`` below the header; {day} becomes a day to come. ``is_imported``: somebody has said yes."""

    name: str
    encoding: str
    language: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    is_imported: bool


FILES: Mapping[str, PlanFile] = {
    "aozora": PlanFile(
        name="投稿案.csv",
        encoding="cp932",
        language="ja",
        header=("日付", "時刻", "本文", "ラベル", "状態"),
        rows=(
            ("", "", "焙煎士に聞く、冬に合う一杯。", "読み物", "下書き"),
            ("", "", "豆の保存は冷蔵庫？ 冷凍庫？ 答えは「飲み切れる量を買う」です。", "読み物", "下書き"),
            ("{day}", "25時", "年末の営業時間のお知らせ", "", "下書き"),
        ),
        is_imported=True,
    ),
    "nordlicht": PlanFile(
        name="winter-plan.csv",
        encoding="utf-8-sig",
        language="en",
        header=("date", "time", "text", "accounts", "labels", "state"),
        rows=(
            (
                "{day}",
                "12:00",
                "Wax, needle, thread: what a jacket needs before the snow.",
                "all",
                "Repair",
                "schedule",
            ),
            ("{day}", "17:30", "Last orders for repairs before the holidays.", "all", "Repair", "schedule"),
            ("{day}", "", "A walk under the stars, with tea.", "all", "Walks", "schedule"),
            ("", "", "Ask readers which trail they miss in winter.", "", "Walks", "draft"),
        ),
        is_imported=False,
    ),
}


def add_file(world: World) -> None:
    """The brand's file, through the same dry run and import as any other."""
    plan = FILES.get(world.plan.key)
    if plan is None:
        return
    person = world.people[PEOPLE[1].email]
    local = to_local(world.now, world.row.timezone)
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(plan.header)
    for number, row in enumerate(plan.rows):
        day = f"{local.date() + dt.timedelta(days=12 + number)}"
        writer.writerow([cell.replace("{day}", day) for cell in row])
    batch = imports.receive(
        brand=world.row,
        upload=io.BytesIO(table.getvalue().encode(plan.encoding)),
        name=plan.name,
        schedules=False,
        may_schedule=True,
        language=plan.language,
        actor=person,
        now=world.now,
    )
    tasks.work_on_import(batch_id=str(batch.pk))
    batch.refresh_from_db()
    if plan.is_imported and batch.state == ImportState.READY:
        imports.start(batch=batch, is_all_or_nothing=False, may_schedule=True, actor=person, now=world.now)
        tasks.work_on_import(batch_id=str(batch.pk))
