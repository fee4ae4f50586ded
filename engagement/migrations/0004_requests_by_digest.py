"""A request of deletion is known by the whole of it: again is the same, done or not.

For a while 0002 made the table as it is after this: where the column is there, nothing is left to do.
"""

from django.db import migrations, models

# Requests that are there keep the page that they have; nobody sends them a second time in the same words.
KNOW_BY_DIGEST = """
DO $$ BEGIN
IF NOT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = 'engagement_deletionrequest'::regclass AND attname = 'digest' AND NOT attisdropped
) THEN
    ALTER TABLE engagement_deletionrequest ADD COLUMN digest varchar(64);
    UPDATE engagement_deletionrequest SET digest = encode(sha256(convert_to(code, 'UTF8')), 'hex');
    ALTER TABLE engagement_deletionrequest
        ALTER COLUMN digest SET NOT NULL,
        ADD CONSTRAINT engagement_deletionrequest_digest_key UNIQUE (digest),
        DROP COLUMN person_hash;
    CREATE INDEX engagement_deletionrequest_digest_like
        ON engagement_deletionrequest (digest varchar_pattern_ops);
    CREATE INDEX deletion_request_old ON engagement_deletionrequest (requested_at);
END IF;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("engagement", "0003_reviews")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(KNOW_BY_DIGEST, migrations.RunSQL.noop)],
            state_operations=[
                migrations.RemoveField("deletionrequest", "person_hash"),
                migrations.AddField(
                    "deletionrequest",
                    "digest",
                    models.CharField(default="", max_length=64, unique=True),
                    preserve_default=False,
                ),
                migrations.AddIndex(
                    "deletionrequest", models.Index(fields=["requested_at"], name="deletion_request_old")
                ),
            ],
        )
    ]
