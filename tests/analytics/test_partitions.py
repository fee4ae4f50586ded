from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.db import connection

from analytics.models import PostSnapshot
from analytics.services import partitions

NOVEMBER = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)

pytestmark = pytest.mark.django_db


def rows_by_partition() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, count(*) FROM analytics_postsnapshot GROUP BY 1")
        return dict(cursor.fetchall())


def snapshot(at: dt.datetime) -> PostSnapshot:
    return PostSnapshot.objects.create(delivery_id=uuid.uuid4(), taken_at=at, likes=1)


def test_partitions_are_made_for_this_month_and_the_next_ones() -> None:
    assert partitions.create_partitions(now=NOVEMBER, months_ahead=2) == [
        "analytics_postsnapshot_2026_11",
        "analytics_postsnapshot_2026_12",
        "analytics_postsnapshot_2027_01",
    ]
    snapshot(dt.datetime(2026, 12, 31, 23, 59, tzinfo=dt.UTC))
    snapshot(dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    assert rows_by_partition() == {"analytics_postsnapshot_2026_12": 1, "analytics_postsnapshot_2027_01": 1}


def test_making_them_again_changes_nothing() -> None:
    partitions.create_partitions(now=NOVEMBER)
    assert partitions.create_partitions(now=NOVEMBER) == []


def test_a_month_without_a_partition_is_kept_in_the_default_one() -> None:
    snapshot(NOVEMBER)
    assert rows_by_partition() == {"analytics_postsnapshot_default": 1}


def test_rows_in_the_default_partition_move_when_their_month_gets_its_own() -> None:
    earlier = snapshot(dt.datetime(2026, 8, 1, tzinfo=dt.UTC))
    snapshot(NOVEMBER)
    made = partitions.create_partitions(now=NOVEMBER, months_ahead=0)
    assert made == ["analytics_postsnapshot_2026_08", "analytics_postsnapshot_2026_11"]
    assert rows_by_partition() == {"analytics_postsnapshot_2026_08": 1, "analytics_postsnapshot_2026_11": 1}
    assert PostSnapshot.objects.get(delivery_id=earlier.delivery_id).likes == 1


def test_the_same_snapshot_is_stored_once_in_every_partition() -> None:
    partitions.create_partitions(now=NOVEMBER)
    row = snapshot(NOVEMBER)
    again = PostSnapshot(delivery_id=row.delivery_id, taken_at=NOVEMBER, likes=9)
    PostSnapshot.objects.bulk_create([again], ignore_conflicts=True)
    assert PostSnapshot.objects.get(delivery_id=row.delivery_id).likes == 1
