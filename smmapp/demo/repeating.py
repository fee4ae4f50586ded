"""What the demo posts again and again: slots of its accounts, a series, an evergreen pool."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from content_calendar.content import Part
from content_calendar.recurrence import read_rule
from content_calendar.services.drafts import Draft
from content_calendar.services.evergreen import PoolFacts, add_entry, create_pool
from content_calendar.services.queues import add_slots
from content_calendar.services.series import create_series
from content_calendar.weekly import WeekTime
from core.time import to_local
from smmapp.demo.plan import PEOPLE
from smmapp.demo.world import World

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)


@dataclass(frozen=True, slots=True)
class Repeats:
    """``slots``: time and weekdays, of the first account; ``entries``: each in its texts."""

    slots: tuple[tuple[dt.time, tuple[int, ...]], ...]
    series: str
    series_text: str
    rule: str
    series_at: dt.time
    pool: str
    pool_times: frozenset[WeekTime]
    entries: tuple[tuple[str, ...], ...]


REPEATS = {
    "aozora": Repeats(
        slots=((dt.time(8, 30), (TUESDAY, FRIDAY)), (dt.time(18), (WEDNESDAY, SATURDAY, SUNDAY))),
        series="月曜の焙煎だより",
        series_text="今週の焙煎が始まりました。月曜の午前中は、焼きたての豆が一番そろう時間です。",
        rule="FREQ=WEEKLY;BYDAY=MO;COUNT=26",
        series_at=dt.time(10),
        pool="いつでも役立つ淹れ方",
        pool_times=frozenset({WeekTime(THURSDAY, dt.time(7, 30)), WeekTime(SUNDAY, dt.time(7, 30))}),
        entries=(
            (
                "豆は淹れる直前に挽くのがいちばん。香りがまるで違います。",
                "挽いた粉は15分で香りが半分に。飲む分だけ、淹れる直前に挽きましょう。",
            ),
            ("お湯は沸騰から少し落ち着いた92℃前後で。苦味がやわらぎます。",),
            ("残った豆は密閉して冷凍庫へ。解凍せずにそのまま挽けます。",),
        ),
    ),
    "nordlicht": Repeats(
        slots=((dt.time(9), (MONDAY, WEDNESDAY)), (dt.time(17, 30), (FRIDAY,))),
        series="Trail of the month",
        series_text="First Saturday of the month: where does your trail begin today? Show us the view.",
        rule="FREQ=MONTHLY;BYDAY=1SA;COUNT=12",
        series_at=dt.time(8),
        pool="Care tips",
        pool_times=frozenset({WeekTime(TUESDAY, dt.time(12))}),
        entries=(
            ("Wash your shell without softener: it keeps the rain out for years.",),
            ("Dry wet boots with newspaper, never on the heater.",),
        ),
    ),
}


def add_repeating(world: World) -> None:
    """Runs in the name of the manager; what it makes for the coming weeks stands in the calendar."""
    plan, manager = REPEATS[world.plan.key], world.people[PEOPLE[1].email]
    account, now = world.accounts[0].row, world.now
    for time, weekdays in plan.slots:
        add_slots(account=account, weekdays=weekdays, time=time, actor=manager, now=now)
    create_series(
        brand=world.row,
        name=plan.series,
        content=Draft(parts=(Part(plan.series_text),), accounts=(account.pk,)),
        rule=read_rule(plan.rule, world.row.timezone),
        starts_on=to_local(now, world.row.timezone).date() + dt.timedelta(days=1),
        wall_time=plan.series_at,
        actor=manager,
        now=now,
    )
    facts = PoolFacts(name=plan.pool, accounts=(account.pk,), times=plan.pool_times, cool_down_days=5)
    pool = create_pool(brand=world.row, facts=facts, actor=manager, now=now)
    for texts in plan.entries:
        add_entry(pool=pool, texts=texts, actor=manager, now=now)
