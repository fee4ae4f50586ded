from django.db import migrations, models

# Without a check, which would read the whole table: the row of PostMetrics that is written with each of these
# has one.
ADD = "ALTER TABLE analytics_postsnapshot ADD COLUMN watch_time bigint"
DROP = "ALTER TABLE analytics_postsnapshot DROP COLUMN watch_time"


class Migration(migrations.Migration):
    dependencies = [("analytics", "0004_reach_and_clicks")]

    operations = [
        migrations.AddField(
            model_name="accountday",
            name="watch_time",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="postmetrics",
            name="watch_time",
            field=models.PositiveBigIntegerField(null=True),
        ),
        migrations.RunSQL(ADD, DROP),
    ]
