"""A request of deletion is known by the whole of it: again is the same, done or not."""

from django.db import migrations, models

# Those that are there keep the page that they have; nobody sends them a second time in the same words.
GIVE_DIGESTS = """
    UPDATE engagement_deletionrequest SET digest = encode(sha256(convert_to(code, 'UTF8')), 'hex')
"""


class Migration(migrations.Migration):
    dependencies = [("engagement", "0003_reviews")]

    operations = [
        migrations.AddField("deletionrequest", "digest", models.CharField(default="", max_length=64)),
        migrations.RunSQL(GIVE_DIGESTS, migrations.RunSQL.noop),
        migrations.AlterField("deletionrequest", "digest", models.CharField(max_length=64, unique=True)),
        migrations.RemoveField("deletionrequest", "person_hash"),
        migrations.AddIndex(
            "deletionrequest", models.Index(fields=["requested_at"], name="deletion_request_old")
        ),
    ]
