"""What the networks count for us, kept over time, and the goals that it is all for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountStatus, Brand, Membership, SocialAccount, User
from accounts.permissions import Action, is_allowed
from campaigns.models import Campaign
from core.ids import uuid7
from metrics.registry import METRICS, Metric, metric
from outbox.models import Delivery


class AccountDayQuerySet(models.QuerySet["AccountDay"]):
    def for_member(self, membership: Membership) -> Self:
        rows = self.filter(account__brand__organization_id=membership.organization_id)
        return rows if membership.has_all_brands else rows.filter(account__brand__members=membership)

    def for_account(self, account: SocialAccount) -> Self:
        return self.filter(account=account)


class AccountDay(models.Model):
    """One social account on one date of its brand's zone: the last counts taken that day, and what was
    published, gained and answered.

    Null = not known. The counts of the account come from the network (services/collection.py), the rest is
    summed up from what we keep ourselves (services/rollup.py), so that pages read few rows.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(SocialAccount, on_delete=models.CASCADE, related_name="days")
    date = models.DateField()
    followers = models.PositiveBigIntegerField(null=True)
    following = models.PositiveBigIntegerField(null=True)
    posts = models.PositiveBigIntegerField(null=True)
    taken_at = models.DateTimeField(null=True)  # when the network was asked, null: it was not
    published = models.PositiveIntegerField(null=True)
    # Gained by all posts that day: the last count less the last one before. What people take back counts
    # against it.
    likes = models.BigIntegerField(null=True)
    comments = models.BigIntegerField(null=True)
    shares = models.BigIntegerField(null=True)
    impressions = models.BigIntegerField(null=True)
    quotes = models.BigIntegerField(null=True)
    bookmarks = models.BigIntegerField(null=True)
    network_clicks = models.BigIntegerField(null=True)
    watch_time = models.BigIntegerField(null=True)  # seconds
    counted_at = models.DateTimeField(null=True)  # of the newest count of a post that went in
    inbound = models.PositiveIntegerField(null=True)
    # Waits that began that day (engagement.WaitEpisode); answers that come later are added to their day.
    actionable = models.PositiveIntegerField(null=True)
    answered = models.PositiveIntegerField(null=True)
    rolled_at = models.DateTimeField(null=True)  # when it was summed up last

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
    error_detail = models.TextField(blank=True)  # the network's words; with no error, why counts are missing

    objects = AccountPullQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["next_at"], name="account_pull_next")]

    def __str__(self) -> str:
        return f"counts of {self.account_id} from {self.next_at:%Y-%m-%d %H:%M}"


# The counts of a post, by what connectors.base.PostMetrics calls them. Clicks that a network counts have a
# name of their own: "clicks" are those on our tracked links.
TOLD_AS: Mapping[str, str] = {
    **{name: name for name in ("likes", "comments", "shares", "impressions", "quotes", "bookmarks", "reach")},
    "network_clicks": "clicks",
    "watch_time": "watch_time_s",
}


class PostCounts(models.Model):
    """The counts of a post; null = the network does not tell."""

    likes = models.PositiveBigIntegerField(null=True)
    comments = models.PositiveBigIntegerField(null=True)
    shares = models.PositiveBigIntegerField(null=True)
    impressions = models.PositiveBigIntegerField(null=True)
    quotes = models.PositiveBigIntegerField(null=True)
    bookmarks = models.PositiveBigIntegerField(null=True)
    reach = models.PositiveBigIntegerField(null=True)  # never summed: the same people see several posts
    network_clicks = models.PositiveBigIntegerField(null=True)
    watch_time = models.PositiveBigIntegerField(null=True)  # seconds, of everybody together

    class Meta:
        abstract = True


class PostSnapshot(PostCounts):
    """The counts of one sent delivery at one instant. Append-only, partitioned by month of ``taken_at``
    (migrations 0002, 0004, 0005), so the partition key is part of the primary key and nothing points here."""

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
    sent_at = models.DateTimeField(null=True)  # of the delivery: the posts of a period are one index scan
    is_gone = models.BooleanField(default=False)  # the network no longer has the post
    followers_at_post = models.PositiveBigIntegerField(null=True)

    objects = PostMetricsQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["account", "next_pull_at"],
                name="post_metrics_to_pull",
                condition=models.Q(next_pull_at__isnull=False),
            ),
            models.Index(fields=["account", "sent_at"], name="post_metrics_of_period"),
        ]

    def __str__(self) -> str:
        return f"metrics of {self.delivery_id}"


# --- goals ------------------------------------------------------------------------------------


class Layer(models.TextChoices):
    OPERATIONS = "ops", _("Operations")
    MARKETING = "marketing", _("Marketing")


class GoalKind(models.TextChoices):
    """metrics.goals.GoalKind, with words."""

    DELTA = "delta", _("So much more than now")
    CUMULATIVE = "cumulative", _("So much in sum")
    PERCENT_CHANGE = "percent_change", _("So many per cent more than before")
    RATIO = "ratio", _("A rate to reach")
    AT_MOST = "at_most", _("A limit to keep")


class GoalStatus(models.TextChoices):
    """metrics.goals.Status, with words."""

    NO_VALUE = "no_value", _("No value yet")
    NOT_STARTED = "not_started", _("Not started")
    TOO_EARLY = "too_early", _("Just begun")
    ON_TRACK = "on_track", _("On track")
    AT_RISK = "at_risk", _("At risk")
    OFF_TRACK = "off_track", _("Off track")
    REACHED = "reached", _("Reached")
    MISSED = "missed", _("Not reached")


# Where a person should look; a notification goes out for the second only.
OFF_PACE = (GoalStatus.AT_RISK, GoalStatus.OFF_TRACK)

MONEY_METRICS = tuple(sorted({m.key for m in METRICS if m.shows_money}))


class GoalQuerySet(models.QuerySet["Goal"]):
    def for_brand(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def for_member(self, membership: Membership) -> Self:
        """Goals of one's brands; those that show money only for people who may see campaigns."""
        rows = self.filter(brand__organization_id=membership.organization_id, brand__is_archived=False)
        if not membership.has_all_brands:
            rows = rows.filter(brand__members=membership)
        if not is_allowed(membership.role, Action.VIEW_CAMPAIGNS):
            rows = rows.exclude(metric__in=MONEY_METRICS)
        return rows

    def current(self) -> Self:
        return self.filter(archived_at__isnull=True)


class Goal(models.Model):
    """What a brand wants of one metric by a date. First and last day are dates of the brand's zone, both
    included.

    The baseline is what was there before; it is locked when the goal is made and never changed. ``amount``
    is what a person typed (so much more, so many per cent, so much), ``target`` the value that follows.
    Rates are fractions, money is in ``currency``, durations are seconds.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="goals")
    layer = models.CharField(_("side"), max_length=12, choices=Layer)
    name = models.CharField(_("name"), max_length=160)
    kind = models.CharField(_("kind"), max_length=16, choices=GoalKind)
    metric = models.CharField(_("metric"), max_length=40)
    metric_version = models.PositiveSmallIntegerField()
    # What is counted: at most one of them; none is the whole brand.
    account = models.ForeignKey(
        SocialAccount, on_delete=models.CASCADE, null=True, blank=True, related_name="goals"
    )
    platform = models.CharField(_("network"), max_length=24, blank=True)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, null=True, blank=True, related_name="goals"
    )
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    baseline = models.DecimalField(max_digits=24, decimal_places=8, null=True, blank=True)
    # Of what time the baseline is: one day for a level, a period for what happened. Null: typed by hand.
    baseline_from = models.DateField(null=True, blank=True)
    baseline_to = models.DateField(null=True, blank=True)
    baseline_reason = models.CharField(_("why this baseline"), max_length=255, blank=True)
    baseline_locked_at = models.DateTimeField()
    amount = models.DecimalField(max_digits=24, decimal_places=8)
    target = models.DecimalField(max_digits=24, decimal_places=8)
    currency = models.CharField(max_length=3, blank=True)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="goals")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = GoalQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="goal_ends_after_start", condition=Q(ends_on__gte=F("starts_on"))),
            models.CheckConstraint(
                name="goal_of_one_thing",
                condition=Q(account__isnull=True, platform="")
                | Q(account__isnull=True, campaign__isnull=True)
                | Q(platform="", campaign__isnull=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["brand", "ends_on"], name="goal_of_brand", condition=Q(archived_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def definition(self) -> Metric:
        """The metric in the version that the goal was made with."""
        return metric(self.metric, self.metric_version)

    @property
    def days(self) -> int:
        return (self.ends_on - self.starts_on).days + 1


class CheckinQuerySet(models.QuerySet["Checkin"]):
    def for_member(self, membership: Membership) -> Self:
        return self.filter(goal__in=Goal.objects.for_member(membership))


class Checkin(models.Model):
    """Where a goal stood at the end of one date; for today, where it stands so far."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    goal = models.ForeignKey(Goal, on_delete=models.CASCADE, related_name="checkins")
    date = models.DateField()
    # The metric's value; of a ratio its sides too, null: there is none yet.
    value = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    numerator = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    denominator = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    progress = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    expected = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    pace = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    forecast = models.DecimalField(max_digits=24, decimal_places=8, null=True)
    status = models.CharField(max_length=12, choices=GoalStatus)
    is_final = models.BooleanField(default=False)  # the date is over
    taken_at = models.DateTimeField()
    note = models.TextField(_("note"), blank=True)
    noted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    noted_at = models.DateTimeField(null=True)

    objects = CheckinQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["goal", "date"], name="checkin_once_a_day")]

    def __str__(self) -> str:
        return f"{self.goal_id} on {self.date}"

    @property
    def state(self) -> GoalStatus:
        return GoalStatus(self.status)


class Evidence(models.TextChoices):
    ASSUMPTION = "assumption", _("Assumption")
    CORRELATION = "correlation", _("Correlation")
    EXPERIMENT = "experiment", _("Experiment")


class DriverLinkQuerySet(models.QuerySet["DriverLink"]):
    def for_member(self, membership: Membership) -> Self:
        """Links of which one may see both ends."""
        seen = Goal.objects.for_member(membership)
        return self.filter(cause__in=seen, effect__in=seen)


class DriverLink(models.Model):
    """The belief that one goal moves another: one of the cause brings ``assumed_rate`` of the effect."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    cause = models.ForeignKey(Goal, on_delete=models.CASCADE, related_name="drives")
    effect = models.ForeignKey(Goal, on_delete=models.CASCADE, related_name="driven_by")
    assumed_rate = models.DecimalField(
        _("assumed rate"), max_digits=24, decimal_places=8, null=True, blank=True
    )
    evidence = models.CharField(_("how we know"), max_length=12, choices=Evidence)
    note = models.TextField(_("note"), blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()

    objects = DriverLinkQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cause", "effect"], name="driver_link_once"),
            models.CheckConstraint(name="driver_link_of_two", condition=~Q(cause=F("effect"))),
        ]

    def __str__(self) -> str:
        return f"{self.cause_id} drives {self.effect_id}"
