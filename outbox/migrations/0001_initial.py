import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0002_audit_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Bucket",
            fields=[
                ("key", models.CharField(max_length=300, primary_key=True, serialize=False)),
                ("blocked_until", models.DateTimeField(blank=True, null=True)),
                ("window_started_at", models.DateTimeField(blank=True, null=True)),
                ("used", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(choices=[("post", "Post")], default="post", max_length=12)),
                ("payload", models.JSONField()),
                ("due_at", models.DateTimeField()),
                ("next_attempt_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("scheduled", "Scheduled"),
                            ("claimed", "About to be sent"),
                            ("sending", "Sending"),
                            ("processing", "Processing at the network"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                            ("uncertain", "Uncertain"),
                            ("missed", "Missed"),
                            ("held", "Held"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="scheduled",
                        max_length=12,
                    ),
                ),
                (
                    "held_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("reconnect", "The account must be reconnected"),
                            ("paused", "Sending is paused"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "missed_policy",
                    models.CharField(
                        choices=[("ask", "Ask me"), ("skip", "Skip it")], default="ask", max_length=8
                    ),
                ),
                ("missed_after_s", models.PositiveIntegerField(default=86400)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("fence", models.PositiveIntegerField(default=0)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=32)),
                ("error_detail", models.TextField(blank=True)),
                ("remote_id", models.CharField(blank=True, max_length=512)),
                ("permalink", models.URLField(blank=True, max_length=1000)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("read_backs", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="accounts.socialaccount",
                    ),
                ),
                (
                    "brand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="accounts.brand",
                    ),
                ),
                (
                    "scheduled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("step", models.CharField(max_length=40)),
                ("key", models.UUIDField()),
                ("fence", models.PositiveIntegerField()),
                ("fingerprint", models.CharField(max_length=64)),
                ("intent", models.JSONField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("in_flight", "In flight"),
                            ("done", "Done"),
                            ("processing", "Processing"),
                            ("refused", "Refused"),
                            ("unknown", "Outcome unknown"),
                            ("superseded", "Repeated"),
                        ],
                        default="in_flight",
                        max_length=12,
                    ),
                ),
                ("result", models.JSONField(default=dict)),
                ("error", models.CharField(blank=True, max_length=32)),
                ("error_detail", models.TextField(blank=True)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="outbox.delivery",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Pause",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=255, verbose_name="reason")),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pauses",
                        to="accounts.socialaccount",
                    ),
                ),
                (
                    "brand",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pauses",
                        to="accounts.brand",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pauses",
                        to="accounts.organization",
                    ),
                ),
                (
                    "started_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReceiptEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("scheduled", "Scheduled"),
                            ("rescheduled", "Moved"),
                            ("changed", "Content changed"),
                            ("started", "Sending started"),
                            ("part_accepted", "Accepted by the network"),
                            ("processing", "The network is processing it"),
                            ("waiting", "Waiting to try again"),
                            ("adopted", "Found on the network after an unclear answer"),
                            ("sent", "Published"),
                            ("seen", "Seen live"),
                            ("failed", "Failed"),
                            ("uncertain", "Outcome unknown"),
                            ("missed", "Missed"),
                            ("held", "Held"),
                            ("resumed", "Resumed"),
                            ("recovered", "Taken over from a worker that stopped"),
                            ("cancelled", "Cancelled"),
                            ("answered", "A person said what happened"),
                        ],
                        max_length=16,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("detail", models.JSONField(default=dict)),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="receipt",
                        to="outbox.delivery",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state__in", ["scheduled", "processing"])),
                fields=["account", "next_attempt_at"],
                name="delivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state__in", ["claimed", "sending"])),
                fields=["lease_until"],
                name="delivery_leased",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "held")), fields=["account"], name="delivery_held"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("read_backs__lt", 5), ("seen_at__isnull", True), ("state", "sent")),
                fields=["sent_at"],
                name="delivery_unseen",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "sent")), fields=["sent_at"], name="delivery_sent"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["brand", "due_at"], name="delivery_of_brand"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state__in", ["failed", "uncertain", "missed", "held"])),
                fields=["brand", "state"],
                name="delivery_needs_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["claimed", "sending"]), _negated=True),
                    ("lease_until__isnull", False),
                    _connector="OR",
                ),
                name="delivery_lease_while_owned",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["in_flight", "done", "processing", "unknown"])),
                fields=("delivery", "step"),
                name="attempt_one_open_per_step",
            ),
        ),
        migrations.AddConstraint(
            model_name="pause",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("organization", "brand", "account"),
                name="pause_open_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddIndex(
            model_name="receiptevent",
            index=models.Index(fields=["delivery", "at"], name="receipt_of_delivery"),
        ),
    ]
