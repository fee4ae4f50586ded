"""Monthly partitions of the post snapshots, made ahead of time."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from psycopg2 import sql

TABLE = "analytics_postsnapshot"
DEFAULT = "analytics_postsnapshot_default"
_LOCK = 0x736D6D02  # advisory lock: one process at a time changes the partitions
# Waiting for the table locks longer would stall every reader and writer that queues behind us.
_LOCK_TIMEOUT = "5s"


def create_partitions(*, now: dt.datetime, months_ahead: int = 3) -> list[str]:
    """Make the partitions of this month, of ``months_ahead`` more, and of months that the default one holds.

    Months are UTC. Rows are moved out of the default partition in the same transaction in which the new
    one takes over, so readers never miss any. Returns the names of what was made; raises
    OperationalError when readers hold the table for longer than a few seconds, then nothing has changed.
    """
    first = now.astimezone(dt.UTC).date().replace(day=1)
    wanted = {first}
    for _ in range(months_ahead):
        first = _next_month(first)
        wanted.add(first)
    months = sorted(wanted | _months_in_default())
    return [partition_name(month) for month in months if _create(month)]


def partition_name(month: dt.date) -> str:
    return f"{TABLE}_{month:%Y_%m}"


def _next_month(month: dt.date) -> dt.date:
    return (month + dt.timedelta(days=32)).replace(day=1)


def _months_in_default() -> set[dt.date]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT date_trunc('month', taken_at AT TIME ZONE 'UTC')::date FROM {DEFAULT}"  # noqa: S608 - a constant
        )
        return {month for (month,) in cursor.fetchall()}


def _create(month: dt.date) -> bool:
    """Make one partition and move its rows there; False when it exists."""
    start = dt.datetime(month.year, month.month, 1, tzinfo=dt.UTC)
    following = _next_month(month)
    end = dt.datetime(following.year, following.month, 1, tzinfo=dt.UTC)
    names = {
        "table": sql.Identifier(TABLE),
        "default": sql.Identifier(DEFAULT),
        "partition": sql.Identifier(partition_name(month)),
        "start": sql.Literal(start.isoformat()),
        "end": sql.Literal(end.isoformat()),
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("SELECT to_regclass(%s)", [partition_name(month)])
        if cursor.fetchone()[0] is not None:
            return False
        # LIKE and ATTACH instead of PARTITION OF: the rows must be in the new table before it takes over.
        cursor.execute(
            sql.SQL(
                """
                CREATE TABLE {partition} (LIKE {table} INCLUDING ALL);
                LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE;
                LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE;
                WITH moved AS (
                    DELETE FROM {default} WHERE taken_at >= {start} AND taken_at < {end} RETURNING *
                ) INSERT INTO {partition} SELECT * FROM moved;
                ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({end});
                """
            ).format(**names)
        )
    return True
