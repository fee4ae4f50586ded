from django.db import migrations, models

# Without a check, which would read the whole table: the row of PostMetrics that is written with each of these
# has one.
ADD = """
ALTER TABLE analytics_postsnapshot ADD COLUMN reach bigint, ADD COLUMN network_clicks bigint;
"""
DROP = """
ALTER TABLE analytics_postsnapshot DROP COLUMN reach, DROP COLUMN network_clicks;
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0003_goals")]

    operations = [
        migrations.AddField(
            model_name="accountday",
            name="network_clicks",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="postmetrics",
            name="network_clicks",
            field=models.PositiveBigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="postmetrics",
            name="reach",
            field=models.PositiveBigIntegerField(null=True),
        ),
        migrations.RunSQL(ADD, DROP),
    ]
