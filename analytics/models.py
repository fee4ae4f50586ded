"""What the networks count for us, kept over time."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models

from accounts.models import AccountStatus, Membership, SocialAccount
from core.ids import uuid7
from outbox.models import Delivery


class AccountDayQuerySet(models.QuerySet["AccountDay"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(account__brand__organization_id=membership.organization_id)
        return rows if membership.has_all_brands else rows.filter(account__brand__members=membership)

    def for_account(self, account: SocialAccount) -> Self:
        return self.filter(account=account)


class AccountDay(models.Model):
    """One social account on one date of its brand's zone: the last counts taken that day."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(SocialAccount, on_delete=models.CASCADE, related_name="days")
    date = models.DateField()
    followers = models.PositiveBigIntegerField(null=True)
    following = models.PositiveBigIntegerField(null=True)
    posts = models.PositiveBigIntegerField(null=True)
    taken_at = models.DateTimeField()

    objects = AccountDayQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "date"], name="account_day_once")]

    def __str__(self) -> str:
        return f"{self.account_id} on {self.date}"


class AccountPullQuerySet(models.QuerySet["AccountPull"]):
    def due(self, now: dt.datetime) -> Self:
        """Of connected accounts whose time has come, that no worker has and the network does not hold off."""
        return self.filter(
            models.Q(claimed_until__isnull=True) | models.Q(claimed_until__lte=now),
            models.Q(blocked_until__isnull=True) | models.Q(blocked_until__lte=now),
            account__status=AccountStatus.ACTIVE,
            next_at__lte=now,
        )


class AccountPull(models.Model):
    """When the counts of one social account and of its posts are to be taken next, and how it went last."""

    account = models.OneToOneField(
        SocialAccount, on_delete=models.CASCADE, primary_key=True, related_name="metrics_pull"
    )
    next_at = models.DateTimeField()  # the earliest of the account's own time and those of its posts
    account_next_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)  # a worker has it until then
    blocked_until = models.DateTimeField(null=True)  # the network asked us to wait, or could not be reached
    taken_at = models.DateTimeField(null=True)  # the last time that everything due was taken
    failures = models.PositiveSmallIntegerField(default=0)  # in a row, for the backoff
    error = models.CharField(max_length=32, blank=True)  # code of outbox.errors
    error_detail = models.TextField(blank=True)  # the network's own words

    objects = AccountPullQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["next_at"], name="account_pull_next")]

    def __str__(self) -> str:
        return f"counts of {self.account_id} from {self.next_at:%Y-%m-%d %H:%M}"


class PostCounts(models.Model):
    """The counts of a post; null = the network does not tell."""

    likes = models.PositiveBigIntegerField(null=True)
    comments = models.PositiveBigIntegerField(null=True)
    shares = models.PositiveBigIntegerField(null=True)
    impressions = models.PositiveBigIntegerField(null=True)
    quotes = models.PositiveBigIntegerField(null=True)
    bookmarks = models.PositiveBigIntegerField(null=True)

    class Meta:
        abstract = True


class PostSnapshot(PostCounts):
    """The counts of one sent delivery at one instant. Append-only, partitioned by month of ``taken_at``
    (migration 0002), so the partition key is part of the primary key and nothing points here."""

    pk = models.CompositePrimaryKey("delivery_id", "taken_at")
    delivery = models.ForeignKey(
        Delivery, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    taken_at = models.DateTimeField()

    class Meta:
        managed = False  # Django cannot create partitioned tables; migration 0002 does
        db_table = "analytics_postsnapshot"

    def __str__(self) -> str:
        return f"{self.delivery_id} at {self.taken_at:%Y-%m-%d %H:%M}"


class PostMetricsQuerySet(models.QuerySet["PostMetrics"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(delivery__brand__organization_id=membership.organization_id)
        return rows if membership.has_all_brands else rows.filter(delivery__brand__members=membership)


class PostMetrics(PostCounts):
    """The latest counts of one sent delivery, and when they are to be taken again."""

    delivery = models.OneToOneField(
        Delivery, on_delete=models.CASCADE, primary_key=True, related_name="metrics"
    )
    # The delivery's account, here too: a pull reads what is due of one account from one index.
    account = models.ForeignKey(SocialAccount, on_delete=models.CASCADE, db_index=False, related_name="+")
    taken_at = models.DateTimeField(null=True)  # null: not yet
    next_pull_at = models.DateTimeField(null=True)  # null: old enough to be left alone
    is_gone = models.BooleanField(default=False)  # the network no longer has the post
    followers_at_post = models.PositiveBigIntegerField(null=True)

    objects = PostMetricsQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["account", "next_pull_at"],
                name="post_metrics_to_pull",
                condition=models.Q(next_pull_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"metrics of {self.delivery_id}"
