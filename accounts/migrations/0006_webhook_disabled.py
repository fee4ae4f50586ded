from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_notification_wishes_and_webhooks"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notification",
            name="kind",
            field=models.CharField(
                choices=[
                    ("delivery_failed", "A post could not be published"),
                    ("delivery_uncertain", "It is not known whether a post appeared"),
                    ("delivery_missed", "A post was not published in time"),
                    ("account_lost", "An account must be reconnected"),
                    ("account_expiring", "An account's connection ends soon"),
                    ("member_joined", "Somebody joined"),
                    ("goal_off_track", "A goal is off track"),
                    ("webhook_disabled", "A webhook was switched off"),
                ],
                max_length=32,
            ),
        ),
    ]
