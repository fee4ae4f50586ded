from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.utils import timezone

from outbox.wording import mark_of

# Older posts are never asked for.
_LATELY = dt.timedelta(days=90)
_AT_ONCE = 2000


def mark_recent_posts(apps: Any, _schema_editor: Any) -> None:
    """In batches, each its own transaction; safe to run twice."""
    Delivery = apps.get_model("outbox", "Delivery")
    rows = Delivery.objects.filter(kind="post", due_at__gte=timezone.now() - _LATELY, words_hash=None)
    after = None
    while True:
        batch = list((rows.filter(pk__gt=after) if after else rows).order_by("pk").only("payload")[:_AT_ONCE])
        if not batch:
            return
        after = batch[-1].pk
        marked = []
        for row in batch:
            if mark := mark_of(row.payload):
                row.words_hash, row.words_sketch = mark.hash, mark.sketch
                marked.append(row)
        Delivery.objects.bulk_update(marked, ["words_hash", "words_sketch"], batch_size=500)


class Migration(migrations.Migration):
    # The index is built beside a running outbox, and no transaction spans all rows.
    atomic = False

    dependencies = [("outbox", "0006_undecided")]

    operations = [
        migrations.AddField("delivery", "words_hash", models.BigIntegerField(null=True, editable=False)),
        migrations.AddField("delivery", "words_sketch", models.BigIntegerField(null=True, editable=False)),
        migrations.RunPython(mark_recent_posts, migrations.RunPython.noop, elidable=True),
        AddIndexConcurrently(
            "delivery",
            models.Index(
                fields=["account", "due_at"],
                include=["id", "words_hash", "words_sketch"],
                name="delivery_words",
                condition=models.Q(words_hash__isnull=False),
            ),
        ),
    ]
