"""The table of PostSnapshot: partitioned by month, which Django cannot express.

The default partition takes rows of months that have no partition of their own yet;
analytics.services.partitions makes those and moves the rows there.
"""

from django.db import migrations

CREATE = """
CREATE TABLE analytics_postsnapshot (
    delivery_id uuid NOT NULL,
    taken_at timestamp with time zone NOT NULL,
    likes bigint CHECK (likes >= 0),
    comments bigint CHECK (comments >= 0),
    shares bigint CHECK (shares >= 0),
    impressions bigint CHECK (impressions >= 0),
    quotes bigint CHECK (quotes >= 0),
    bookmarks bigint CHECK (bookmarks >= 0),
    PRIMARY KEY (delivery_id, taken_at)
) PARTITION BY RANGE (taken_at);
CREATE TABLE analytics_postsnapshot_default PARTITION OF analytics_postsnapshot DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, "DROP TABLE analytics_postsnapshot")]
